//! Whether a post of ours is among the account's newest. X rewrites what was sent (links become
//! `t.co`, files are appended as links, `&<>` are escaped), so what it meant is compared.
//!
//! <https://docs.x.com/x-api/users/get-posts>, read 2026-08-22.
//!
//! Invariants:
//! - *found* is said of exactly one post that answers the same post with the same text and files;
//! - *absent* is said only of a list that reaches back beyond the first attempt;
//! - an equal post that seems to be from before the attempt is a person's to judge: it may be
//!   older, or be ours and arrived late, or our clock may be wrong.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{API, draft, upload::File};
use crate::{
    connectors::{Job, Reply, Request},
    domain::{text, time::Timestamp},
};

/// X's clock may be behind ours by so much: a post of ours must not be left out of the list for it.
/// Further back costs, because each post that is read is paid for.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(60);

/// Times in a list are in whole seconds, so a post may seem to be from before it was sent.
const ROUNDING: Duration = Duration::from_secs(1);

pub(super) struct Sought<'a> {
    pub(super) text: &'a str,
    pub(super) media: &'a [File],
    /// The parts before this one; the last of them is what it answers.
    pub(super) sent: &'a [String],
    /// The post that it quotes.
    pub(super) quoted: Option<&'a str>,
    /// When the request was first about to leave.
    pub(super) since: Timestamp,
    /// Posts of other deliveries.
    pub(super) taken: &'a BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Timeline {
    /// The id of the post.
    Found(String),
    Absent,
    Unsure(String),
}

pub(super) fn look(job: &Job) -> Request {
    let path = format!(
        "/2/users/{}/tweets?max_results=100&start_time={}&exclude=retweets&tweet.fields=\
         created_at,text,note_tweet,referenced_tweets,conversation_id,attachments,entities",
        job.author.remote_id,
        start_of(job)
    );
    Request::get(job.site.url(API, &path))
}

fn start_of(job: &Job) -> String {
    let start = job.armed.unwrap_or(job.due).before(CLOCKS_APART_MAX).rfc3339();
    format!("{}Z", start.split('.').next().unwrap_or_default())
}

/// Reposts are listed by when they were made, with a reference to the original.
pub(super) fn look_for_repost(job: &Job) -> Request {
    let path = format!(
        "/2/users/{}/tweets?max_results=100&start_time={}&exclude=replies&tweet.fields=created_at,\
         referenced_tweets",
        job.author.remote_id,
        start_of(job)
    );
    Request::get(job.site.url(API, &path))
}

/// Whether the account has passed on `post` since its look began. *Absent* is cheap to be wrong
/// about: to pass on a second time changes nothing.
pub(super) fn search_repost(post: &str, reply: &Reply) -> Timeline {
    let posts = match listed(reply) {
        Ok(posts) => posts,
        Err(reason) => return Timeline::Unsure(reason),
    };
    if posts.iter().any(|listed| reference(listed, "retweeted") == Some(post)) {
        return Timeline::Found(post.to_owned());
    }
    match are_clocks_apart(reply) || !reply.body["meta"]["next_token"].is_null() {
        true => Timeline::Unsure(
            "the list of what the account has passed on does not reach back far enough".to_owned(),
        ),
        false => Timeline::Absent,
    }
}

pub(super) fn search(sought: &Sought<'_>, reply: &Reply) -> Timeline {
    let posts = match listed(reply) {
        Ok(posts) => posts,
        Err(reason) => return Timeline::Unsure(reason),
    };
    let start = sought.since.before(ROUNDING);
    let mut is_complete = reply.body["meta"]["next_token"].is_null();
    let (mut ours, mut alike) = (Vec::new(), Vec::new());
    for post in posts {
        let (Some(id), Some(created)) =
            (post["id"].as_str(), post["created_at"].as_str().and_then(Timestamp::parse))
        else {
            return Timeline::Unsure("a post in the list has no id or no time".to_owned());
        };
        let is_older = created < start;
        is_complete |= is_older;
        // Parts of a thread are often alike.
        if sought.sent.iter().any(|sent| sent == id) || sought.taken.contains(id) {
            continue;
        }
        match (likeness(sought, post), is_older) {
            (Likeness::Ours, false) => ours.push(id),
            (Likeness::Ours, true) | (Likeness::Alike, false) => alike.push(id),
            (Likeness::Alike, true) | (Likeness::Other, _) => {}
        }
    }
    match (ours.as_slice(), alike.first()) {
        ([only], _) => Timeline::Found((*only).to_owned()),
        ([first, ..], _) => Timeline::Unsure(format!(
            "{} posts of that moment are the same as this one; the newest is {first}",
            ours.len()
        )),
        ([], Some(near)) => Timeline::Unsure(format!(
            "the post {near} of about that moment looks like this one, but not surely: its text, \
             its files, its time or what it answers differs"
        )),
        ([], None) if are_clocks_apart(reply) => Timeline::Unsure(
            "the clock of this machine is so far ahead of X's that the list does not reach back \
             to the first attempt"
                .to_owned(),
        ),
        ([], None) if is_complete => Timeline::Absent,
        ([], None) => Timeline::Unsure(
            "so much was posted meanwhile that the list does not reach back far enough".to_owned(),
        ),
    }
}

fn listed(reply: &Reply) -> Result<&[Value], String> {
    match (reply.status, &reply.body["data"]) {
        (200, Value::Array(posts)) => Ok(posts.as_slice()),
        (200, Value::Null) if reply.body["meta"]["result_count"] == 0 => Ok(&[]),
        (status, _) => Err(format!("the account's posts could not be read (HTTP {status})")),
    }
}

fn are_clocks_apart(reply: &Reply) -> bool {
    reply.date().is_some_and(|shown| shown.elapsed(reply.at) > CLOCKS_APART_MAX)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Ours,
    /// Equal in part. A person can tell, we cannot.
    Alike,
    Other,
}

fn likeness(sought: &Sought<'_>, post: &Value) -> Likeness {
    let same_parent = reference(post, "replied_to") == sought.sent.last().map(String::as_str);
    let same_quote = sought.quoted.is_none_or(|id| reference(post, "quoted") == Some(id));
    let files = files(post);
    let is_held = |file: &File| files.iter().any(|key| is_key_of(key, file));
    let shares_file = sought.media.iter().any(is_held);
    let same_files = files.len() == sought.media.len() && sought.media.iter().all(is_held);

    let wanted = as_meant(sought.text);
    let seen = as_meant(&as_sent(post, None));
    // X appends the address of what is quoted, unless it is in the text already.
    let without_quoted = || as_meant(&as_sent(post, sought.quoted));
    let same_text = wanted == seen || (sought.quoted.is_some() && wanted == without_quoted());

    // Nobody else was told the ids of our files.
    if same_parent && same_quote && same_files && (shares_file || same_text) {
        Likeness::Ours
    } else if shares_file || (!wanted.is_empty() && (same_text || is_near(&wanted, &seen))) {
        Likeness::Alike
    } else {
        Likeness::Other
    }
}

/// X is renaming tweets to posts; either name may arrive.
pub(super) fn either<'a>(value: &'a Value, name: &str, other: &str) -> &'a Value {
    if value[name].is_null() { &value[other] } else { &value[name] }
}

/// The post that this one answers (`replied_to`), quotes (`quoted`) or passes on (`retweeted`).
fn reference<'a>(post: &'a Value, kind: &str) -> Option<&'a str> {
    let references = either(post, "referenced_tweets", "referenced_posts").as_array()?;
    references.iter().find(|reference| reference["type"] == kind)?["id"].as_str()
}

fn files(post: &Value) -> Vec<&str> {
    let keys = post["attachments"]["media_keys"].as_array().map_or(&[][..], Vec::as_slice);
    keys.iter().filter_map(Value::as_str).collect()
}

/// A key is the kind's number and the file's id: `3_1146654567674912769`.
fn is_key_of(key: &str, file: &File) -> bool {
    key == file.key || key.split_once('_').is_some_and(|(_, id)| id == file.id)
}

/// The text of a listed post as its author wrote it, and without the address of the post that it
/// quotes, which X appends.
fn as_sent(post: &Value, quoted: Option<&str>) -> String {
    // Of a long post, `text` is only the beginning.
    let note = either(post, "note_tweet", "note_post");
    let whole = if note["text"].is_string() { note } else { post };
    let mut text = unescaped(whole["text"].as_str().unwrap_or_default());
    let id = post["id"].as_str().unwrap_or_default();
    for entities in [&whole["entities"], &post["entities"]] {
        let urls = entities["urls"].as_array().map_or(&[][..], Vec::as_slice);
        for url in urls {
            let Some(short) = url["url"].as_str().filter(|short| !short.is_empty()) else {
                continue;
            };
            let expanded = url["expanded_url"].as_str().unwrap_or(short);
            let is_file =
                url["media_key"].is_string() || expanded.contains(&format!("/status/{id}/"));
            let is_quoted = quoted.is_some() && draft::id_of(expanded) == quoted;
            text = text.replace(short, if is_file || is_quoted { "" } else { expanded });
        }
    }
    text
}

fn unescaped(text: &str) -> String {
    let escaped = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'")];
    let plain = escaped.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    // Last, so that `&amp;lt;` stays the `&lt;` that was written.
    plain.replace("&amp;", "&")
}

/// What is compared: composed letters, single spaces, and links without what X may change in them.
fn as_meant(written: &str) -> String {
    plain(written).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a post says exactly this, breaks and spaces included.
pub(super) fn says(post: &Value, text: &str) -> bool {
    plain(as_sent(post, None).trim()) == plain(text.trim())
}

fn plain(written: &str) -> String {
    let composed: String = written.nfc().collect();
    let mut meant = String::with_capacity(composed.len());
    let mut from = 0;
    for link in text::links_of_x(&composed) {
        meant.push_str(&composed[from..link.start]);
        meant.push_str(&plain_link(&composed[link.clone()]));
        from = link.end;
    }
    meant.push_str(&composed[from..]);
    meant
}

/// Without scheme and closing slash, the host in its ASCII form.
fn plain_link(link: &str) -> String {
    let has_scheme = link.contains("://");
    let whole = if has_scheme { link.to_owned() } else { format!("http://{link}") };
    let parsed = url::Url::parse(&whole).map_or(whole, String::from);
    let plain = parsed.split_once("://").map_or(parsed.as_str(), |(_, plain)| plain);
    plain.trim_end_matches('/').to_owned()
}

/// The same beginning, or two words of three in common.
fn is_near(wanted: &str, seen: &str) -> bool {
    const BEGINNING: usize = 60;
    let beginning = |text: &str| text.chars().take(BEGINNING).collect::<String>();
    if wanted.chars().count() >= BEGINNING && beginning(wanted) == beginning(seen) {
        return true;
    }
    let words = |text: &str| text.split(' ').map(str::to_lowercase).collect::<BTreeSet<_>>();
    let (one, other) = (words(wanted), words(seen));
    let common = one.intersection(&other).count();
    common * 3 >= one.len().max(other.len()) * 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARMED: Timestamp = Timestamp(1_795_251_600_000);

    fn sought<'a>(text: &'a str, media: &'a [File], sent: &'a [String]) -> Sought<'a> {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        Sought { text, media, sent, quoted: None, since: ARMED, taken: NONE }
    }

    /// A listed post, `after` seconds after arming.
    fn listed(id: &str, after: i64, text: &str) -> Value {
        let at = ARMED.0.checked_add_signed(after * 1_000).unwrap();
        json!({ "id": id, "created_at": Timestamp(at).rfc3339(), "text": text })
    }

    fn seen(sought: &Sought<'_>, posts: Value) -> Timeline {
        let body = json!({ "data": posts, "meta": { "result_count": 1 } });
        search(sought, &Reply { status: 200, headers: Vec::new(), body, at: ARMED })
    }

    fn found(id: &str) -> Timeline {
        Timeline::Found(id.to_owned())
    }

    fn link(short: &str, expanded: &str) -> Value {
        json!({ "start": 0, "end": 23, "url": short, "expanded_url": expanded })
    }

    #[test]
    fn a_text_is_recognised_in_what_x_makes_of_it() {
        let short = "https://t.co/abcdefghij";
        for (written, listed_text, expanded) in [
            ("plain", "plain", ""),
            ("a < b && c > \"d\"", "a &lt; b &amp;&amp; c &gt; \"d\"", ""),
            ("write &amp; and &lt;", "write &amp;amp; and &amp;lt;", ""),
            ("e\u{301}t\u{e9}  \n", "\u{e9}t\u{e9}", ""),
            (
                "see https://e.com/?a=1&b=2!",
                "see https://t.co/abcdefghij!",
                "https://e.com/?a=1&b=2",
            ),
            ("example.com", short, "http://example.com"),
            ("https://Example.com", short, "https://example.com/"),
        ] {
            let mut post = listed("7", 1, listed_text);
            if !expanded.is_empty() {
                post["entities"] = json!({ "urls": [link(short, expanded)] });
            }
            assert_eq!(seen(&sought(written, &[], &[]), json!([post])), found("7"), "{written}");
        }
    }

    #[test]
    fn the_link_of_a_file_is_no_text() {
        let files = [File { id: "55".to_owned(), key: "3_55".to_owned() }];
        let mut post = listed("7", 1, "hi https://t.co/aaaaaaaaaa");
        let photo = "https://x.com/alice/status/7/photo/1";
        post["entities"] = json!({ "urls": [link("https://t.co/aaaaaaaaaa", photo)] });
        post["attachments"] = json!({ "media_keys": ["3_55"] });
        assert_eq!(seen(&sought("hi", &files, &[]), json!([post])), found("7"));
        // The file alone is proof, whatever the text became.
        assert_eq!(seen(&sought("bonjour", &files, &[]), json!([post])), found("7"));
        post["attachments"] = json!({ "media_keys": ["13_55"] });
        assert_eq!(seen(&sought("hi", &files, &[]), json!([post])), found("7"));
        for keys in [json!(["3_56"]), json!(["3_55", "3_56"]), json!([])] {
            post["attachments"] = json!({ "media_keys": keys });
            let seen = seen(&sought("hi", &files, &[]), json!([post]));
            assert!(matches!(seen, Timeline::Unsure(_)), "{keys}: {seen:?}");
        }
    }

    #[test]
    fn of_a_long_post_the_whole_is_compared() {
        let long = "word ".repeat(100);
        let mut post = listed("7", 1, &format!("{}…", &long[..270]));
        let cut = seen(&sought(&long, &[], &[]), json!([post]));
        assert!(matches!(cut, Timeline::Unsure(_)), "{cut:?}");
        for name in ["note_tweet", "note_post"] {
            post[name] = json!({ "text": long });
            assert_eq!(seen(&sought(&long, &[], &[]), json!([post])), found("7"));
            post[name] = Value::Null;
        }
    }

    #[test]
    fn a_part_is_found_below_its_own_parent_only() {
        let sent = ["1".to_owned(), "2".to_owned()];
        let below = |id: &str, parent: &str| {
            let mut post = listed(id, 1, "same");
            post["referenced_tweets"] = json!([{ "type": "replied_to", "id": parent }]);
            post
        };
        // The parts before it say the same, and are known.
        let posts = json!([below("3", "2"), below("2", "1"), listed("1", 0, "same")]);
        assert_eq!(seen(&sought("same", &[], &sent), posts), found("3"));
        let elsewhere = seen(&sought("same", &[], &sent), json!([below("3", "9")]));
        assert!(matches!(elsewhere, Timeline::Unsure(_)), "{elsewhere:?}");
        let answer = seen(&sought("same", &[], &[]), json!([below("3", "9")]));
        assert!(matches!(answer, Timeline::Unsure(_)), "{answer:?}");
    }

    #[test]
    fn a_quote_is_known_by_the_post_that_it_quotes() {
        let mut post = listed("7", 1, "so true https://t.co/abcdefghij");
        let original = "https://twitter.com/jack/status/20";
        post["entities"] = json!({ "urls": [link("https://t.co/abcdefghij", original)] });
        post["referenced_tweets"] = json!([{ "type": "quoted", "id": "20" }]);
        let linked = format!("so true {original}");
        let quote = |text, quoted| Sought { quoted: Some(quoted), ..sought(text, &[], &[]) };
        assert_eq!(seen(&quote("so true", "20"), json!([post])), found("7"));
        assert_eq!(seen(&quote(&linked, "20"), json!([post])), found("7"));
        let other = seen(&quote("so true", "21"), json!([post]));
        assert!(matches!(other, Timeline::Unsure(_)), "{other:?}");
        post["referenced_tweets"] = Value::Null;
        let unmarked = seen(&quote("so true", "20"), json!([post]));
        assert!(matches!(unmarked, Timeline::Unsure(_)), "{unmarked:?}");
    }

    #[test]
    fn two_equal_posts_and_an_older_one_are_left_to_a_person() {
        let twice = json!([listed("2", 5, "same"), listed("1", 1, "same")]);
        let seen_twice = seen(&sought("same", &[], &[]), twice);
        assert!(matches!(&seen_twice, Timeline::Unsure(why) if why.contains("2 posts")));
        let older = seen(&sought("same", &[], &[]), json!([listed("1", -30, "same")]));
        assert!(matches!(older, Timeline::Unsure(_)), "{older:?}");
        // With ours beside it there is nothing to ask.
        let both = json!([listed("2", 1, "same"), listed("1", -30, "same")]);
        assert_eq!(seen(&sought("same", &[], &[]), both), found("2"));
        let rounded = json!([listed("1", -1, "same")]);
        assert_eq!(seen(&sought("same", &[], &[]), rounded), found("1"));
    }

    #[test]
    fn absence_needs_a_list_that_reaches_back() {
        let sought = sought("ours", &[], &[]);
        assert_eq!(seen(&sought, json!([listed("1", 1, "theirs")])), Timeline::Absent);
        let look = |body: Value, status| {
            search(&sought, &Reply { status, headers: Vec::new(), body, at: ARMED })
        };
        assert_eq!(look(json!({ "meta": { "result_count": 0 } }), 200), Timeline::Absent);
        let more = |after| {
            look(
                json!({
                    "data": [listed("1", after, "theirs")],
                    "meta": { "result_count": 1, "next_token": "x" },
                }),
                200,
            )
        };
        let dated = |date: &str| {
            let headers = vec![("date".to_owned(), date.to_owned())];
            let body = json!({ "meta": { "result_count": 0 } });
            search(&sought, &Reply { status: 200, headers, body, at: ARMED })
        };
        assert_eq!(dated("Sat, 21 Nov 2026 08:59:30 GMT"), Timeline::Absent);
        assert!(matches!(dated("Sat, 21 Nov 2026 08:50:00 GMT"), Timeline::Unsure(_)));
        assert_eq!(more(-20), Timeline::Absent);
        assert!(matches!(more(1), Timeline::Unsure(_)));
        for (status, body) in [
            (200, json!({ "errors": [{ "title": "Not Found Error" }] })),
            (200, json!({ "data": [{ "id": "1" }] })),
            (200, Value::Null),
            (403, json!({ "data": [] })),
        ] {
            assert!(matches!(look(body.clone(), status), Timeline::Unsure(_)), "{body}");
        }
    }
}
