//! Whether what was sent is there: among the page's posts, its stories, or the comments on a post.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/page/published_posts>,
//! <https://developers.facebook.com/docs/page-stories-api> and
//! <https://developers.facebook.com/docs/graph-api/reference/object/comments>, as of 2026-10.
//!
//! Invariants:
//! - a post that shows a photo which was staged for it is ours, whatever else it says;
//! - without a photo, *found* is said of exactly one post of that time with the same text;
//! - *absent* is said only of a list that reaches back beyond the first attempt;
//! - what is only like it is a person's to judge.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{
    GRAPH, Step,
    post::{self, Sent, of_page},
};
use crate::{
    connectors::{Job, Next, Reply, Request, Sighting, meta},
    domain::time::Timestamp,
};

/// Facebook's clock may be behind ours by so much.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(5 * 60);

/// Times in a list are in whole seconds, so a post may seem to be from before it was sent.
const ROUNDING: Duration = Duration::from_secs(1);

#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    Found(Sent),
    Absent,
    Unsure(String),
}

impl Seen {
    pub(super) fn then(self, next: impl FnOnce(Sent) -> Next<Step>) -> Sighting<Step> {
        match self {
            Seen::Found(sent) => Sighting::Found(next(sent)),
            Seen::Absent => Sighting::Absent,
            Seen::Unsure(reason) => Sighting::Unsure(reason),
        }
    }
}

fn since(job: &Job) -> Timestamp {
    job.armed.unwrap_or(job.due)
}

pub(super) fn posts(job: &Job) -> Request {
    let fields = "id,message,created_time,permalink_url,\
                  attachments{media_type,target{id},subattachments{media_type,target{id}}}";
    let path = format!("{}?limit=25&fields={fields}", of_page("published_posts", job));
    Request::get(job.site.url(GRAPH, &path))
}

pub(super) fn post(photos: &[String], job: &Job, reply: &Reply) -> Seen {
    let posts = match items(reply) {
        Ok(posts) => posts,
        Err(reason) => return Seen::Unsure(reason),
    };
    let wanted = as_meant(&job.parts[0].text);
    let mut is_complete = is_last_page(reply);
    let (mut ours, mut alike) = (Vec::new(), Vec::new());
    for post in posts {
        let (id, created) = (post::id_of(&post["id"]), time(&post["created_time"]));
        let (false, Some(created)) = (id.is_empty(), created) else {
            return Seen::Unsure("a post in the list has no id or no time".to_owned());
        };
        let shown = Shown::of(post);
        if photos.iter().any(|photo| shown.ids.contains(photo)) {
            return Seen::Found(Sent { id, url: post::url_in(post, job) });
        }
        if created < since(job).before(CLOCKS_APART_MAX) {
            is_complete = true;
            continue;
        }
        if job.is_taken(&id) {
            continue;
        }
        let is_early = created < since(job).before(ROUNDING);
        let seen = as_meant(post["message"].as_str().unwrap_or_default());
        match (shown.likeness(&wanted, &seen, photos), is_early) {
            (Likeness::Ours, false) => ours.push(Sent { id, url: post::url_in(post, job) }),
            (Likeness::Ours, true) | (Likeness::Alike, false) => alike.push(id),
            (Likeness::Alike, true) | (Likeness::Other, _) => {}
        }
    }
    match (ours.len(), alike.first()) {
        (1, _) => Seen::Found(ours.remove(0)),
        (2.., _) => Seen::Unsure(format!(
            "{} posts of that moment say the same as this one; the newest is {}",
            ours.len(),
            ours[0].id
        )),
        (0, Some(near)) => Seen::Unsure(format!(
            "the post {near} of about that moment looks like this one, but not surely: its text, \
             its photos or its time differs"
        )),
        (0, None) => absent(is_complete, reply),
    }
}

/// What a listed post shows beside its text.
struct Shown {
    /// Of photos and films, as far as the list tells.
    ids: Vec<String>,
    has_files: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Ours,
    /// Equal in part. A person can tell, we cannot.
    Alike,
    Other,
}

impl Shown {
    fn of(post: &Value) -> Shown {
        let mut shown = Shown { ids: Vec::new(), has_files: false };
        for attachment in data(&post["attachments"]) {
            shown.add(attachment);
            for inner in data(&attachment["subattachments"]) {
                shown.add(inner);
            }
        }
        shown
    }

    fn add(&mut self, attachment: &Value) {
        let kind = attachment["media_type"].as_str().unwrap_or_default();
        self.has_files |= matches!(kind, "photo" | "album" | "video");
        let id = post::id_of(&attachment["target"]["id"]);
        if !id.is_empty() {
            self.ids.push(id);
        }
    }

    fn likeness(&self, wanted: &str, seen: &str, photos: &[String]) -> Likeness {
        match (wanted == seen, photos.is_empty()) {
            (true, true) if self.has_files => Likeness::Alike,
            (true, true) => Likeness::Ours,
            // Other photos, or photos without a name and a text that is none.
            (true, false) if !self.ids.is_empty() || wanted.is_empty() => Likeness::Alike,
            (true, false) => Likeness::Ours,
            (false, _) if is_near(wanted, seen) => Likeness::Alike,
            (false, _) => Likeness::Other,
        }
    }
}

pub(super) fn comments(below: &str, job: &Job) -> Request {
    let path = format!(
        "/{{version}}/{below}/comments?filter=stream&order=reverse_chronological&limit=100\
         &fields=id,message,from,created_time"
    );
    Request::get(job.site.url(GRAPH, &path))
}

/// Of two that are equal the newest is taken: either way it is there. The post is ours and new, so
/// an equal comment of the page is the one that was sent. It is known by its id alone, as it is
/// when its creation is answered.
pub(super) fn comment(job: &Job, reply: &Reply) -> Seen {
    let comments = match items(reply) {
        Ok(comments) => comments,
        Err(reason) => return Seen::Unsure(reason),
    };
    let wanted = as_meant(job.parts.get(1).map_or("", |part| part.text.as_str()));
    let mut is_complete = is_last_page(reply);
    let mut near = None;
    for comment in comments {
        let id = post::id_of(&comment["id"]);
        let author = post::id_of(&comment["from"]["id"]);
        let is_old = time(&comment["created_time"])
            .is_some_and(|created| created < since(job).before(CLOCKS_APART_MAX));
        is_complete |= is_old;
        // Facebook names nobody where it may not; the page itself it always may.
        if id.is_empty() || ![job.author.remote_id.as_str(), ""].contains(&author.as_str()) {
            continue;
        }
        let seen = as_meant(comment["message"].as_str().unwrap_or_default());
        if seen == wanted {
            return Seen::Found(Sent { id, url: String::new() });
        }
        if is_near(&wanted, &seen) && !is_old {
            near.get_or_insert(id);
        }
    }
    match near {
        Some(near) => Seen::Unsure(format!(
            "the comment {near} looks like this one, but not surely: its text differs"
        )),
        None => absent(is_complete, reply),
    }
}

pub(super) fn stories(job: &Job) -> Request {
    let since = since(job).before(CLOCKS_APART_MAX).0 / 1_000;
    let path = format!("{}?status=PUBLISHED&since={since}&limit=100", of_page("stories", job));
    Request::get(job.site.url(GRAPH, &path))
}

/// `media`: the photo or the film that it was made of.
pub(super) fn story(media: &str, reply: &Reply) -> Seen {
    let stories = match items(reply) {
        Ok(stories) => stories,
        Err(reason) => return Seen::Unsure(reason),
    };
    let mut unknown = None;
    for story in stories {
        let (id, shown) = (post::id_of(&story["post_id"]), post::id_of(&story["media_id"]));
        if shown == media && !id.is_empty() {
            // Its address is read afterwards, as after an answer that came.
            return Seen::Found(Sent { id, url: String::new() });
        }
        if shown.is_empty() || shown == media {
            unknown = Some(id);
        }
    }
    match unknown {
        Some(id) => Seen::Unsure(format!(
            "Facebook does not say what the story `{id}` of about that moment shows"
        )),
        None => absent(is_last_page(reply), reply),
    }
}

/// Empty: the list does not say.
pub(super) fn story_address(id: &str, job: &Job, reply: &Reply) -> String {
    let stories = items(reply).unwrap_or_default();
    let found = stories.iter().find(|story| post::id_of(&story["post_id"]) == id);
    let url = found.and_then(|story| story["url"].as_str()).unwrap_or_default();
    post::absolute(url, job)
}

fn items(reply: &Reply) -> Result<&[Value], String> {
    match reply.body["data"].as_array() {
        Some(items) if meta::is_success(reply) => Ok(items),
        Some(_) | None => Err(format!("the list could not be read (HTTP {})", reply.status)),
    }
}

fn data(edge: &Value) -> &[Value] {
    edge["data"].as_array().map_or(&[], Vec::as_slice)
}

fn is_last_page(reply: &Reply) -> bool {
    reply.body["paging"]["next"].is_null()
}

fn absent(is_complete: bool, reply: &Reply) -> Seen {
    if reply.date().is_some_and(|shown| shown.elapsed(reply.at) > CLOCKS_APART_MAX) {
        return Seen::Unsure(
            "the clock of this machine is so far ahead of Facebook's that the list does not reach \
             back to the first attempt"
                .to_owned(),
        );
    }
    match is_complete {
        true => Seen::Absent,
        false => Seen::Unsure(
            "so much was published meanwhile that the list does not reach back far enough"
                .to_owned(),
        ),
    }
}

/// `2026-11-20T08:00:00+0000`, which is not quite RFC 3339.
fn time(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let parsed = chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok();
    let millis = parsed.and_then(|parsed| u64::try_from(parsed.timestamp_millis()).ok());
    millis.map(Timestamp).or_else(|| Timestamp::parse(text))
}

/// What is compared: composed letters and single spaces.
fn as_meant(written: &str) -> String {
    let composed: String = written.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Two words of three in common: Facebook puts names in place of mentions, and takes some letters
/// away.
fn is_near(wanted: &str, seen: &str) -> bool {
    let words = |text: &str| {
        let words = text.split(' ').filter(|word| !word.is_empty()).map(str::to_lowercase);
        words.collect::<BTreeSet<_>>()
    };
    let (one, other) = (words(wanted), words(seen));
    let common = one.intersection(&other).count();
    common > 0 && common * 3 >= one.len().max(other.len()) * 2
}
