//! Whether a post of ours is among its organization's newest, or a comment of ours below it.
//!
//! `posts-api` ("Find posts by authors") and `comments-api` below
//! <https://learn.microsoft.com/linkedin/marketing/community-management/shares/>, as of 2026-09-16.
//!
//! Invariants:
//! - *found* is said of one post that holds a file of ours, or that says the same since we sent it;
//! - *absent* is said only of a list that reaches back beyond the first attempt;
//! - what is alike, or equal and a little too old, is a person's to judge.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    API, encoded,
    post::{self, QUOTE},
    versioned,
};
use crate::{
    connectors::{Job, Next, Reply, Request, Sighting},
    domain::{text, time::Timestamp},
};

/// The most that a page holds.
const COUNT: usize = 100;

/// LinkedIn's clock may be behind ours by so much.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(60);

/// A post may seem to be from just before it was sent.
const ROUNDING: Duration = Duration::from_secs(1);

pub(super) enum Seen {
    /// A post's URN, or a comment's id.
    Found(String),
    Absent,
    Unsure(String),
}

impl Seen {
    pub(super) fn then<S>(self, next: impl FnOnce(String) -> Next<S>) -> Sighting<S> {
        match self {
            Seen::Found(id) => Sighting::Found(next(id)),
            Seen::Absent => Sighting::Absent,
            Seen::Unsure(reason) => Sighting::Unsure(reason),
        }
    }
}

/// As its author sees it: readers are not shown a post whose film is still being processed, so
/// their list would prove nothing.
pub(super) fn look(job: &Job) -> Request {
    let author = encoded(&job.author.remote_id);
    let path = format!(
        "/rest/posts?q=author&author={author}&count={COUNT}&sortBy=LAST_MODIFIED&\
         viewContext=AUTHOR"
    );
    let mut request = versioned(Request::get(job.site.url(API, &path)), &job.site);
    request.headers.push(("x-restli-method", "FINDER".to_owned()));
    request
}

pub(super) fn look_below(post: &str, job: &Job) -> Request {
    let path = format!("/rest/socialActions/{}/comments?start=0&count={COUNT}", encoded(post));
    versioned(Request::get(job.site.url(API, &path)), &job.site)
}

/// Finds a post's URN. `ready`: the URNs of our files.
pub(super) fn search(ready: &[String], job: &Job, reply: &Reply) -> Seen {
    let Some(posts) = elements(reply) else { return Seen::Unsure(unread("posts", reply)) };
    let armed = job.armed.unwrap_or(job.due);
    let mut is_complete = is_whole(posts, reply);
    let (mut ours, mut alike) = (Vec::new(), Vec::new());
    for post in posts {
        let (Some(urn), Some(created)) = (post["id"].as_str(), time(&post["createdAt"])) else {
            return Seen::Unsure("a post in the list has no id or no time".to_owned());
        };
        // Sorted by the last change, the newest first; nothing is changed before it is made.
        let changed = time(&post["lastModifiedAt"]).unwrap_or(Timestamp(u64::MAX));
        is_complete |= changed < armed.before(CLOCKS_APART_MAX);
        if job.is_taken(urn) {
            continue;
        }
        match likeness(ready, job, post) {
            Likeness::Same if is_published(post) => ours.push(urn),
            Likeness::Same => alike.push(urn),
            Likeness::Equal if created >= armed.before(ROUNDING) && is_published(post) => {
                ours.push(urn);
            }
            Likeness::Equal | Likeness::Near if created >= armed.before(CLOCKS_APART_MAX) => {
                alike.push(urn);
            }
            Likeness::Equal | Likeness::Near | Likeness::Other => {}
        }
    }
    match (ours.as_slice(), alike.first()) {
        ([only], _) => Seen::Found((*only).to_owned()),
        ([first, ..], _) => Seen::Unsure(format!(
            "{} posts of that moment are the same as this one; the newest is {first}",
            ours.len()
        )),
        ([], Some(near)) => Seen::Unsure(format!(
            "the post {near} of about that moment looks like this one, but not surely: its text, \
             its files, its time or its state differs"
        )),
        ([], None) => absence(is_complete, reply),
    }
}

/// Finds a comment's id. The post is ours and new, so whatever we said below it is worth a look.
pub(super) fn search_below(job: &Job, reply: &Reply) -> Seen {
    let Some(comments) = elements(reply) else {
        return Seen::Unsure(unread("comments", reply));
    };
    let wanted = spaced(&job.parts[1].text);
    let by_us = |comment: &&Value| comment["actor"] == job.author.remote_id.as_str();
    let mut other = None;
    for comment in comments.iter().filter(by_us) {
        let Some(id) = comment["id"].as_str().or_else(|| last_of(&comment["commentUrn"])) else {
            return Seen::Unsure("a comment in the list has no id".to_owned());
        };
        if spaced(comment["message"]["text"].as_str().unwrap_or_default()) == wanted {
            return Seen::Found(id.to_owned());
        }
        other = Some(id);
    }
    match other {
        Some(id) => Seen::Unsure(format!(
            "there is a comment of this account below the post, {id}, whose text differs"
        )),
        None => absence(is_whole(comments, reply), reply),
    }
}

/// The comment's own id in `urn:li:comment:(urn:li:activity:1,2)`.
fn last_of(urn: &Value) -> Option<&str> {
    Some(urn.as_str()?.strip_suffix(')')?.rsplit_once(',')?.1)
}

fn elements(reply: &Reply) -> Option<&[Value]> {
    let elements = reply.body["elements"].as_array().filter(|_| reply.status == 200)?;
    Some(elements.as_slice())
}

fn unread(what: &str, reply: &Reply) -> String {
    format!("the account's {what} could not be read (HTTP {})", reply.status)
}

/// Whether there is no further page.
fn is_whole(elements: &[Value], reply: &Reply) -> bool {
    elements.len() < COUNT && !has_next(reply)
}

pub(super) fn has_next(reply: &Reply) -> bool {
    let links = reply.body["paging"]["links"].as_array().map_or(&[][..], Vec::as_slice);
    links.iter().any(|link| link["rel"] == "next")
}

fn absence(is_complete: bool, reply: &Reply) -> Seen {
    if reply.date().is_some_and(|shown| shown.elapsed(reply.at) > CLOCKS_APART_MAX) {
        return Seen::Unsure(
            "the clock of this machine is so far ahead of LinkedIn's that the list does not reach \
             back to the first attempt"
                .to_owned(),
        );
    }
    match is_complete {
        true => Seen::Absent,
        false => Seen::Unsure("the list does not reach back far enough".to_owned()),
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_u64().map(Timestamp)
}

/// One that LinkedIn could not publish is nothing that readers see.
fn is_published(post: &Value) -> bool {
    matches!(post["lifecycleState"].as_str(), None | Some("PUBLISHED" | "PUBLISH_REQUESTED"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// It holds a file whose URN was told to us alone.
    Same,
    /// It says the same.
    Equal,
    /// Equal in part. A person can tell, we cannot.
    Near,
    Other,
}

fn likeness(ready: &[String], job: &Job, post: &Value) -> Likeness {
    let files = files(post);
    if ready.iter().any(|urn| files.contains(&urn.as_str())) {
        return Likeness::Same;
    }
    let wanted = plain(&text::little(&job.parts[0].text));
    let seen = plain(post["commentary"].as_str().unwrap_or_default());
    let parent = post::parent(job.option(QUOTE));
    let same_parent = post["reshareContext"]["parent"].as_str() == parent.as_deref();
    match wanted == seen {
        true if ready.is_empty() && files.is_empty() && same_parent => Likeness::Equal,
        true => Likeness::Near,
        false if is_near(&wanted, &seen) => Likeness::Near,
        false => Likeness::Other,
    }
}

fn files(post: &Value) -> Vec<&str> {
    let content = &post["content"];
    let images = content["multiImage"]["images"].as_array().map_or(&[][..], Vec::as_slice);
    let single = [&content["media"]["id"], &content["article"]["thumbnail"]];
    let all = images.iter().map(|image| &image["id"]).chain(single);
    all.filter_map(Value::as_str).collect()
}

/// Two words of three in common.
fn is_near(wanted: &str, seen: &str) -> bool {
    let words = |text: &str| text.split(' ').map(str::to_lowercase).collect::<BTreeSet<_>>();
    let (one, other) = (words(wanted), words(seen));
    let common = one.intersection(&other).count();
    common * 3 >= one.len().max(other.len()) * 2
}

/// What readers see of little text, so that it does not matter how much of it LinkedIn gives back
/// escaped, or as a template: `{hashtag|\#|word}` is `#word`, and `@[Name](urn:li:…)` is the name.
fn plain(little: &str) -> String {
    let mut seen = String::with_capacity(little.len());
    let mut rest = little;
    while let Some(letter) = rest.chars().next() {
        let hashtag = ["{hashtag|\\#|", "{hashtag|#|"]
            .iter()
            .find_map(|start| rest.strip_prefix(start))
            .and_then(|word| closing(word, '}'));
        let mention = rest
            .strip_prefix("@[")
            .and_then(|name| closing(name, ']'))
            .and_then(|(name, after)| Some((name, after.strip_prefix('(')?.split_once(')')?.1)));
        if let Some((word, after)) = hashtag {
            seen.push('#');
            seen.push_str(&unescaped(word));
            rest = after;
        } else if let Some((name, after)) = mention {
            seen.push_str(&unescaped(name));
            rest = after;
        } else {
            let escaped = rest.strip_prefix('\\').and_then(|after| after.chars().next());
            let shown = escaped.unwrap_or(letter);
            seen.push(shown);
            rest = &rest[usize::from(escaped.is_some()) + shown.len_utf8()..];
        }
    }
    spaced(&seen)
}

/// What stands before the first `end` that no backslash precedes, and what stands after it.
fn closing(text: &str, end: char) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        if letter == end && !is_escaped {
            return Some((&text[..at], &text[at + end.len_utf8()..]));
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    None
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    plain
}

/// Composed letters and single spaces.
fn spaced(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_see_is_the_same_in_every_way_to_write_it() {
        for (text, expected) in [
            (r"a_b (c) \ C:\x", r"a_b (c) \ C:\x"),
            ("Thanks @[Möwe (AG)](urn:li:organization:12)!", "Thanks Möwe (AG)!"),
            ("#r_n  and\n#1", "#r_n and #1"),
            ("me@example.org {x|y} <z> ~*", "me@example.org {x|y} <z> ~*"),
            ("e\u{301}", "\u{e9}"),
        ] {
            assert_eq!(plain(&text::little(text)), expected, "{text}");
        }
        assert_eq!(plain("{hashtag|#|word} #word"), "#word #word");
        // Cut off in the middle: nothing is lost, and nothing is read beyond the end.
        for cut in ["{hashtag|\\#|wo", "@[Na", "@[Na](urn", "\\"] {
            assert!(!plain(cut).is_empty(), "{cut}");
        }
    }
}
