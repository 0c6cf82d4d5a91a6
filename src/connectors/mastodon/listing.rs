//! Whether a status of ours is among the account's newest. The server rewrites what we sent (links
//! are shortened, mentions lose their domain, everything becomes HTML), so what a reader sees is
//! compared.
//!
//! Invariant: *absent* is said only of a list that reaches back beyond the first attempt.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{APPLICATION, Status};
use crate::{connectors::Reply, domain::time::Timestamp};

/// The most that the page lists (methods/accounts, read 2026-07-02).
pub(super) const LIMIT: usize = 40;

pub(super) struct Sought<'a> {
    pub(super) text: &'a str,
    pub(super) media: &'a [String],
    /// The parts before this one; the last of them is what it answers.
    pub(super) sent: &'a [Status],
    /// When the request was first about to leave.
    pub(super) since: Timestamp,
    /// Statuses of other deliveries.
    pub(super) taken: &'a BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Listing {
    Found(Status),
    Absent,
    Unsure(String),
}

pub(super) fn search(sought: &Sought<'_>, reply: &Reply) -> Listing {
    let Some(statuses) = reply.body.as_array().filter(|_| reply.status == 200) else {
        return Listing::Unsure(format!(
            "the account's statuses could not be read (HTTP {})",
            reply.status
        ));
    };
    let start = start(sought.since, reply);
    let mut reaches_back = statuses.len() < LIMIT && !continues(reply);
    let (mut ours, mut alike) = (Vec::new(), None);
    for status in statuses {
        let Some(created) = status["created_at"].as_str().and_then(Timestamp::parse) else {
            return Listing::Unsure("a status in the list has no readable time".to_owned());
        };
        if created < start {
            reaches_back = true;
            continue;
        }
        // Parts of a thread are often alike.
        let is_known =
            |id: &str| sought.sent.iter().any(|sent| sent.id == id) || sought.taken.contains(id);
        if status["id"].as_str().is_some_and(is_known) {
            continue;
        }
        match (likeness(sought, status), Status::find(status)) {
            (Likeness::Ours, Some(found)) => ours.push(found),
            (Likeness::Ours | Likeness::Alike, found) => alike = alike.or(Some(found)),
            (Likeness::Other, _) => {}
        }
    }
    if ours.len() > 1 {
        return Listing::Unsure(format!(
            "{} statuses of that moment say the same as this one; the newest is {}",
            ours.len(),
            ours[0].url
        ));
    }
    if let Some(found) = ours.pop() {
        return Listing::Found(found);
    }
    match alike {
        Some(found) => Listing::Unsure(format!(
            "a status of the same moment looks like this one, but not surely: {}",
            found.map_or("it has no id".to_owned(), |status| status.url)
        )),
        None if reaches_back => Listing::Absent,
        None => Listing::Unsure(
            "so much was posted meanwhile that the list does not reach back far enough".to_owned(),
        ),
    }
}

/// A minute before the first attempt, by the server's clock where its answer shows it: a status
/// must not be overlooked because that clock is behind ours.
fn start(since: Timestamp, reply: &Reply) -> Timestamp {
    let shown = reply.header("date").and_then(|date| {
        let date = chrono::DateTime::parse_from_rfc2822(date.trim()).ok()?;
        u64::try_from(date.timestamp_millis()).ok().map(Timestamp)
    });
    let behind = shown.map_or(Duration::ZERO, |shown| shown.elapsed(reply.at));
    since.before(Duration::from_secs(60)).before(behind)
}

fn continues(reply: &Reply) -> bool {
    reply.header("link").is_some_and(|link| link.contains(r#"rel="next""#))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Ours,
    /// Equal in part. A person can tell, we cannot.
    Alike,
    Other,
}

fn likeness(sought: &Sought<'_>, status: &Value) -> Likeness {
    let media: Vec<&str> = match status["media_attachments"].as_array() {
        Some(media) => media.iter().filter_map(|media| media["id"].as_str()).collect(),
        None => Vec::new(),
    };
    let shared = sought.media.iter().any(|id| media.contains(&id.as_str()));
    let same_media = sought.media.len() == media.len()
        && sought.media.iter().all(|id| media.contains(&id.as_str()));
    let parent = sought.sent.last().map(|status| status.id.as_str());
    let same_parent = status["in_reply_to_id"].as_str() == parent;

    let wanted = words(sought.text);
    let seen = words(&visible(status["content"].as_str().unwrap_or_default()));
    let same_text = wanted == seen;

    // A file can be attached only once, and its id was given to us alone.
    if same_parent && same_media && (shared || (same_text && is_by_us(status))) {
        Likeness::Ours
    } else if shared || (!wanted.is_empty() && (same_text || is_near(&wanted, &seen))) {
        Likeness::Alike
    } else {
        Likeness::Other
    }
}

/// Not every server says which application made a status.
fn is_by_us(status: &Value) -> bool {
    status["application"]["name"].as_str().is_none_or(|name| name == APPLICATION)
}

/// Two words of three in common.
fn is_near(wanted: &[String], seen: &[String]) -> bool {
    let (one, other) = (BTreeSet::from_iter(wanted), BTreeSet::from_iter(seen));
    let common = one.intersection(&other).count();
    common * 3 >= one.len().max(other.len()) * 2
}

fn words(text: &str) -> Vec<String> {
    without_domains(text).split_whitespace().map(str::to_lowercase).collect()
}

/// `@user@server` as `@user`, which is how it is shown.
fn without_domains(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let name = at
            + 1
            + length_of(&rest[at + 1..], |letter| {
                letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-')
            });
        plain.push_str(&rest[..name]);
        rest = &rest[name..];
        if let Some(domain) = rest.strip_prefix('@').filter(|_| name > at + 1) {
            let end = length_of(domain, |letter| {
                letter.is_alphanumeric() || matches!(letter, '.' | '-' | ':')
            });
            let end = domain[..end].trim_end_matches(['.', '-', ':']).len();
            if end > 0 {
                rest = &domain[end..];
            }
        }
    }
    plain + rest
}

fn length_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !belongs(letter)).unwrap_or(text.len())
}

/// What a reader sees of a status's HTML: paragraphs and line breaks part words, other tags do not.
fn visible(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let tag = &rest[open + 1..];
        let close = tag.find('>').unwrap_or(tag.len());
        let name = tag[..close].trim_start_matches('/');
        let name = &name[..length_of(name, |letter| letter.is_ascii_alphanumeric())];
        if matches!(name, "p" | "br" | "div" | "li" | "blockquote") {
            text.push(' ');
        }
        rest = tag.get(close + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    decoded(&text)
}

/// The five entities of HTML that servers write, and numbers.
fn decoded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        let name = &rest[start + 1..];
        let end = name.find(';').filter(|&end| end <= 8);
        match end.and_then(|end| entity(&name[..end]).map(|letter| (end, letter))) {
            Some((end, letter)) => {
                plain.push(letter);
                rest = &name[end + 1..];
            }
            None => {
                plain.push('&');
                rest = name;
            }
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const SENT: Timestamp = Timestamp(1_800_000_000_000);

    fn seen(media: &[&str], text: &str, statuses: Value) -> Listing {
        let media: Vec<String> = media.iter().map(|&id| id.to_owned()).collect();
        let sought =
            Sought { text, media: &media, sent: &[], since: SENT, taken: &BTreeSet::new() };
        let at = SENT.after(Duration::from_secs(5));
        search(&sought, &Reply { status: 200, headers: Vec::new(), body: statuses, at })
    }

    fn status(seconds: i64, content: &str) -> Value {
        let created = Timestamp(SENT.0.saturating_add_signed(seconds * 1_000)).rfc3339();
        json!({
            "id": "9", "url": "https://m/9", "created_at": created, "content": content,
            "in_reply_to_id": null, "media_attachments": [], "application": { "name": "Fanfare" },
        })
    }

    #[test]
    fn rewritten_text_is_still_ours() {
        let content = r##"<p>Hi <span class="h-card"><a href="https://b/@al">@<span
            >al</span></a></span> &amp; all:<br>see <a href="https://example.com/a/long/path"><span
            class="invisible">https://</span><span class="ellipsis">example.com/a/lo</span><span
            class="invisible">ng/path</span></a></p><p><a href="https://m/tags/Rust"
            rel="tag">#<span>Rust</span></a> it&#39;s</p>"##;
        let text = "Hi @al@b.example & all:\nsee https://example.com/a/long/path\n\n#Rust it's";
        let found = seen(&[], text, json!([status(1, content)]));
        assert!(matches!(found, Listing::Found(_)), "{found:?}");
    }

    #[test]
    fn what_is_only_alike_is_left_to_a_person() {
        let mut other_application = status(1, "<p>one two three</p>");
        other_application["application"]["name"] = json!("Another");
        let mut reply_to_other = status(1, "<p>one two three</p>");
        reply_to_other["in_reply_to_id"] = json!("5");
        let mut with_our_file = status(1, "<p>quite different</p>");
        with_our_file["in_reply_to_id"] = json!("5");
        with_our_file["media_attachments"] = json!([{ "id": "m1" }]);
        let nearly = status(1, "<p>one two three four</p>");
        for statuses in [other_application, reply_to_other, nearly] {
            let found = seen(&[], "one two three", json!([statuses]));
            assert!(matches!(found, Listing::Unsure(_)), "{found:?}");
        }
        let found = seen(&["m1"], "one two three", json!([with_our_file]));
        assert!(matches!(found, Listing::Unsure(_)), "{found:?}");
    }

    #[test]
    fn the_same_file_is_proof_whatever_the_text_became() {
        let mut found = status(-30, "<p>translated beyond recognition</p>");
        found["media_attachments"] = json!([{ "id": "m1" }]);
        let found = seen(&["m1"], "one", json!([found]));
        assert!(matches!(found, Listing::Found(_)), "{found:?}");
    }

    #[test]
    fn absence_needs_a_list_that_reaches_back() {
        let fresh: Vec<Value> = (0..LIMIT).map(|n| status(3, &format!("<p>{n}</p>"))).collect();
        let found = seen(&[], "ours", json!(fresh));
        assert!(matches!(found, Listing::Unsure(_)), "{found:?}");
        let mut older = fresh.clone();
        older[LIMIT - 1] = status(-120, "<p>ours</p>");
        assert_eq!(seen(&[], "ours", json!(older)), Listing::Absent);
        assert_eq!(seen(&[], "ours", json!([])), Listing::Absent);
        assert!(matches!(seen(&[], "ours", json!({})), Listing::Unsure(_)));
    }

    #[test]
    fn a_server_whose_clock_is_behind_is_looked_at_further_back() {
        let sought =
            Sought { text: "ours", media: &[], sent: &[], since: SENT, taken: &BTreeSet::new() };
        let date = |timestamp: Timestamp| {
            let date = chrono::DateTime::parse_from_rfc3339(&timestamp.rfc3339()).unwrap();
            date.to_rfc2822()
        };
        let behind = Duration::from_secs(300);
        let reply = Reply {
            status: 200,
            headers: vec![("date".to_owned(), date(SENT.before(behind)))],
            body: json!([status(-299, "<p>ours</p>")]),
            at: SENT,
        };
        assert!(matches!(search(&sought, &reply), Listing::Found(_)));
    }
    proptest! {
        #[test]
        fn a_text_is_recognised_in_the_html_that_it_becomes(
            text in prop_oneof!["\\PC{1,60}", "([ \\n&<>;@#.:a-c0-9é🦋]|@a@b\\.c|&amp;|<br>){1,40}"],
        ) {
            let html = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('\n', "<br />");
            prop_assert_eq!(words(&visible(&format!("<p>{html}</p>"))), words(&text));
            // Whatever a server sends is read without a panic.
            words(&visible(&text));
        }
    }
}
