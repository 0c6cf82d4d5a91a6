//! The id of a post that is certainly published: its container said so, and its answer was lost.
//!
//! <https://developers.facebook.com/docs/threads/retrieve-and-discover-posts/retrieve-posts> and
//! <https://developers.facebook.com/docs/threads/retrieve-and-manage-replies/retrieve-replies>, as
//! of 2026-10.
//!
//! Invariant: *found* is said of the only post of that time that answers the same post with the
//! same text. Of two we do not choose.

use std::{collections::BTreeSet, time::Duration};

use chrono::DateTime;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::GRAPH;
use crate::{
    connectors::{Reply, Request, Site},
    domain::time::Timestamp,
};

/// Threads' clock may be behind ours by so much.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(60);

/// Times in a list are in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

pub(super) struct Sought<'a> {
    pub(super) text: &'a str,
    /// The parts before this one; the last of them is what it answers.
    pub(super) sent: &'a [String],
    pub(super) since: Timestamp,
    /// Posts of other deliveries.
    pub(super) taken: &'a BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Listing {
    Found(String),
    /// Not yet shown, or not to be told from others; why.
    Unknown(String),
}

/// Answers are listed apart from posts.
pub(super) fn look(sent: &[String], since: Timestamp, site: &Site) -> Request {
    let start = since.before(CLOCKS_APART_MAX).0 / 1_000;
    let (edge, more) = match sent.is_empty() {
        true => ("threads", ""),
        false => ("replies", ",replied_to"),
    };
    let path = format!(
        "/v1.0/me/{edge}?fields=id,text,timestamp,media_type{more}&since={start}&limit=100"
    );
    Request::get(site.url(GRAPH, &path))
}

pub(super) fn search(sought: &Sought<'_>, reply: &Reply) -> Listing {
    let Some(posts) = reply.body["data"].as_array() else {
        return Listing::Unknown("the account's posts could not be read".to_owned());
    };
    let behind = reply.date().map(|shown| shown.elapsed(reply.at)).unwrap_or_default();
    let start = sought.since.before(behind.min(CLOCKS_APART_MAX) + ROUNDING);
    let ours: Vec<&str> =
        posts.iter().filter(|post| is_ours(sought, start, post)).filter_map(id).collect();
    match ours.as_slice() {
        [only] => Listing::Found((*only).to_owned()),
        [] => Listing::Unknown("no such post is listed".to_owned()),
        [first, ..] => Listing::Unknown(format!(
            "{} posts of that moment are the same, the newest is {first}",
            ours.len()
        )),
    }
}

fn is_ours(sought: &Sought<'_>, start: Timestamp, post: &Value) -> bool {
    let created = post["timestamp"].as_str().and_then(instant);
    let is_known =
        |id: &str| sought.sent.iter().any(|sent| sent == id) || sought.taken.contains(id);
    // Parts of a thread are often alike.
    !id(post).is_some_and(is_known)
        && created.is_some_and(|created| created >= start)
        && post["media_type"] != "REPOST_FACADE"
        && post["replied_to"]["id"].as_str() == sought.sent.last().map(String::as_str)
        && as_meant(post["text"].as_str().unwrap_or_default()) == as_meant(sought.text)
}

fn id(post: &Value) -> Option<&str> {
    post["id"].as_str()
}

/// `2026-11-21T09:00:00+0000`, which is not quite RFC 3339.
fn instant(text: &str) -> Option<Timestamp> {
    let parsed = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok()?;
    u64::try_from(parsed.timestamp_millis()).ok().map(Timestamp)
}

/// What is compared: composed letters, single spaces, and tags without their sign, which Threads
/// takes away from the word that it makes the topic.
fn as_meant(text: &str) -> String {
    let composed: String = text.nfc().filter(|letter| *letter != '#').collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// 2026-11-21T09:00:00Z.
    const SINCE: Timestamp = Timestamp(1_795_251_600_000);

    fn seen(text: &str, sent: &[&str], posts: Value) -> Listing {
        let sent: Vec<String> = sent.iter().map(|id| (*id).to_owned()).collect();
        let sought = Sought { text, sent: &sent, since: SINCE, taken: &BTreeSet::new() };
        let body = json!({ "data": posts });
        search(&sought, &Reply { status: 200, headers: Vec::new(), body, at: SINCE })
    }

    fn post(id: &str, time: &str, text: &str) -> Value {
        json!({ "id": id, "timestamp": format!("2026-11-21T{time}+0000"), "text": text })
    }

    fn found(id: &str) -> Listing {
        Listing::Found(id.to_owned())
    }

    fn is_unknown(listing: &Listing) -> bool {
        matches!(listing, Listing::Unknown(_))
    }

    #[test]
    fn a_text_is_recognised_in_what_threads_makes_of_it() {
        for (written, listed) in [
            ("hi", "hi"),
            (" a \n b ", "a b"),
            ("e\u{301}", "\u{e9}"),
            ("on #rust today", "on rust today"),
        ] {
            assert_eq!(seen(written, &[], json!([post("7", "09:00:02", listed)])), found("7"));
        }
        let mut wordless = post("7", "09:00:02", "");
        wordless["text"] = Value::Null;
        assert_eq!(seen("", &[], json!([wordless])), found("7"));
        assert!(is_unknown(&seen("hi", &[], json!([post("7", "09:00:02", "hi!")]))));
    }

    #[test]
    fn an_older_post_and_a_repost_are_not_ours() {
        assert_eq!(seen("hi", &[], json!([post("7", "08:59:59", "hi")])), found("7"));
        assert!(is_unknown(&seen("hi", &[], json!([post("7", "08:59:58", "hi")]))));
        let mut repost = post("7", "09:00:02", "hi");
        repost["media_type"] = json!("REPOST_FACADE");
        assert!(is_unknown(&seen("hi", &[], json!([repost]))));
    }

    #[test]
    fn a_clock_that_is_behind_ours_is_reckoned_with() {
        let body = json!({ "data": [post("7", "08:59:35", "hi")] });
        let look = |date: &str| {
            let headers = vec![("date".to_owned(), date.to_owned())];
            let sought = Sought { text: "hi", sent: &[], since: SINCE, taken: &BTreeSet::new() };
            search(&sought, &Reply { status: 200, headers, body: body.clone(), at: SINCE })
        };
        assert_eq!(look("Sat, 21 Nov 2026 08:59:30 GMT"), found("7"));
        assert!(is_unknown(&look("Sat, 21 Nov 2026 09:00:00 GMT")));
    }

    #[test]
    fn an_answer_is_found_below_its_own_parent_only() {
        let below = |id: &str, parent: &str| {
            let mut post = post(id, "09:00:02", "same");
            post["replied_to"] = json!({ "id": parent });
            post
        };
        let posts = json!([below("3", "2"), below("2", "1")]);
        assert_eq!(seen("same", &["1", "2"], posts), found("3"));
        assert!(is_unknown(&seen("same", &["1", "2"], json!([below("3", "9")]))));
        assert!(is_unknown(&seen("same", &[], json!([below("3", "9")]))));
    }

    #[test]
    fn of_two_equal_posts_none_is_chosen() {
        let twice = json!([post("8", "09:00:04", "hi"), post("7", "09:00:02", "hi")]);
        assert!(matches!(seen("hi", &[], twice), Listing::Unknown(why) if why.contains("2 posts")));
    }
}
