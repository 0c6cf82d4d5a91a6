//! A post and the comment below it: the requests that create them, and where readers find them.
//!
//! <https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api> and its
//! neighbours `multiimage-post-api`, `poll-post-api` and `comments-api`, as of 2026-09-16.

use std::time::Duration;

use serde_json::{Value, json};

use super::{API, WEB, encoded, is_organization, versioned};
use crate::{
    connectors::{Body, Job, JobMedia, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        media::MediaKind,
        platform::{Loss, OptionRule, OptionValue},
        refusal::Refusal,
        text,
    },
};

/// A request that was cut off may still be at work inside LinkedIn, and a list lags behind.
const SETTLE: Duration = Duration::from_secs(30);

pub(super) const LINK: &str = "link";
pub(super) const LINK_TITLE: &str = "link_title";
pub(super) const LINK_DESCRIPTION: &str = "link_description";
pub(super) const TITLE: &str = "title";
pub(super) const POLL: &str = "poll";
pub(super) const POLL_QUESTION: &str = "poll_question";
pub(super) const POLL_MINUTES: &str = "poll_minutes";
pub(super) const QUOTE: &str = "quote";
pub(super) const VISIBILITY: &str = "visibility";
pub(super) const CONNECTIONS: &str = "connections";

const fn option(
    name: &'static str,
    value: OptionValue,
    loss: Loss,
    about: &'static str,
) -> OptionRule {
    OptionRule { name, value, loss, about }
}

const MISLEADS: Loss = Loss::Misleads { except: &[] };

pub(super) const OPTIONS: &[OptionRule] = &[
    option(LINK, OptionValue::Url, MISLEADS, "An address to attach as a card."),
    option(
        LINK_TITLE,
        OptionValue::Text { chars_max: 400 },
        Loss::Harmless,
        "The title of the card; LinkedIn reads nothing from the page itself.",
    ),
    option(
        LINK_DESCRIPTION,
        OptionValue::Text { chars_max: 4_086 },
        Loss::Harmless,
        "What the card says below its title.",
    ),
    option(
        TITLE,
        OptionValue::Text { chars_max: 400 },
        Loss::Harmless,
        "The title of the document or the video.",
    ),
    option(
        POLL,
        OptionValue::Lines { items_min: 2, items_max: 4, chars_max: 30 },
        MISLEADS,
        "A poll: one choice a line.",
    ),
    option(
        POLL_QUESTION,
        OptionValue::Text { chars_max: 140 },
        Loss::Harmless,
        "What the poll asks.",
    ),
    option(
        POLL_MINUTES,
        OptionValue::OneOf(&["1440", "4320", "10080", "20160"]),
        Loss::Harmless,
        "How long the poll is open: one, three, seven or fourteen days; three if it is left out.",
    ),
    option(
        QUOTE,
        OptionValue::Text { chars_max: 500 },
        MISLEADS,
        "The post to quote, by its `urn:li:share:…` or `urn:li:ugcPost:…`, or its address.",
    ),
    option(
        VISIBILITY,
        OptionValue::OneOf(&["public", CONNECTIONS, "logged_in"]),
        Loss::Misleads { except: &["public"] },
        "Who sees the post.",
    ),
];

/// `ready`: the URNs of its files.
pub(super) fn creation(ready: &[String], job: &Job) -> Request {
    let mut body = json!({
        "author": job.author.remote_id,
        "commentary": text::little(&job.parts[0].text),
        "visibility": visibility(job.option(VISIBILITY)),
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": false,
    });
    if let Some(content) = content(ready, job) {
        body["content"] = content;
    }
    if let Some(parent) = parent(job.option(QUOTE)) {
        body["reshareContext"] = json!({ "parent": parent });
    }
    let url = job.site.url(API, "/rest/posts");
    versioned(Request::post(url, Body::Json(body), repeat(job)), &job.site)
}

/// A member's posts cannot be read by anybody who asks for the member.
fn repeat(job: &Job) -> Repeat {
    match is_organization(&job.author) {
        true => Repeat::Probed { settle: SETTLE },
        false => Repeat::Duplicates,
    }
}

fn visibility(option: &str) -> &'static str {
    match option {
        CONNECTIONS => "CONNECTIONS",
        "logged_in" => "LOGGED_IN",
        _ => "PUBLIC",
    }
}

/// At most one thing; the check sees to it that no more was asked for.
fn content(ready: &[String], job: &Job) -> Option<Value> {
    let (link, choices) = (job.option(LINK), job.option(POLL));
    if !choices.is_empty() {
        let options: Vec<Value> =
            choices.lines().map(|choice| json!({ "text": choice.trim() })).collect();
        let settings = json!({ "duration": duration(job.option(POLL_MINUTES)) });
        let question = job.option(POLL_QUESTION);
        let poll = json!({ "question": question, "options": options, "settings": settings });
        return Some(json!({ "poll": poll }));
    }
    if !link.is_empty() {
        let mut article = json!({ "source": link, "title": job.option(LINK_TITLE) });
        let description = job.option(LINK_DESCRIPTION);
        if !description.is_empty() {
            article["description"] = json!(description);
        }
        if let Some(thumbnail) = ready.first() {
            article["thumbnail"] = json!(thumbnail);
        }
        return Some(json!({ "article": article }));
    }
    let files = ready.iter().zip(&job.parts[0].media);
    let mut files: Vec<Value> = files.map(|(urn, media)| file(urn, media, job)).collect();
    match files.len() {
        0 | 1 => files.pop().map(|file| json!({ "media": file })),
        _ => Some(json!({ "multiImage": { "images": files } })),
    }
}

fn file(urn: &str, media: &JobMedia, job: &Job) -> Value {
    let mut file = json!({ "id": urn });
    let title = job.option(TITLE);
    match media.kind {
        MediaKind::Image | MediaKind::Gif if media.alt.is_empty() => {}
        MediaKind::Image | MediaKind::Gif => file["altText"] = json!(media.alt),
        MediaKind::Video if title.is_empty() => {}
        MediaKind::Video => file["title"] = json!(title),
        // Required.
        MediaKind::Document => {
            let names = [title, &media.name, "Document"];
            file["title"] = json!(names.into_iter().find(|name| !name.is_empty()));
        }
    }
    file
}

fn duration(minutes: &str) -> &'static str {
    match minutes {
        "1440" => "ONE_DAY",
        "10080" => "SEVEN_DAYS",
        "20160" => "FOURTEEN_DAYS",
        _ => "THREE_DAYS",
    }
}

/// The URN of the post that a person named, by itself or by its address. Of an activity
/// (`urn:li:activity:…`) LinkedIn takes no quote, and no call of ours tells which post it is of.
pub(super) fn parent(named: &str) -> Option<String> {
    let named = named.replace("%3A", ":").replace("%3a", ":");
    let address = named.split(['?', '#']).next().unwrap_or_default();
    ["share", "ugcPost"].into_iter().find_map(|kind| {
        let urn = format!("urn:li:{kind}:");
        let slug = format!("-{kind}-");
        let rest = address.split_once(&urn).or_else(|| {
            // https://www.linkedin.com/posts/ada_some-words-share-7012-Xy_z
            address.split_once("/posts/").and_then(|(_, slugs)| slugs.rsplit_once(&slug))
        });
        let (_, rest) = rest?;
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        (end > 0).then(|| format!("{urn}{}", &rest[..end]))
    })
}

/// Plain text: little text is a matter of posts alone.
pub(super) fn comment(post: &str, job: &Job) -> Request {
    let body = json!({
        "actor": job.author.remote_id,
        "object": post,
        "message": { "text": job.parts[1].text },
    });
    let url = job.site.url(API, &format!("/rest/socialActions/{}/comments", encoded(post)));
    versioned(Request::post(url, Body::Json(body), repeat(job)), &job.site)
}

/// The URN of a created post. It is in a header alone.
pub(super) fn created(reply: &Reply) -> Result<String, Refusal> {
    let urn = commented(reply)?.replace("%3A", ":");
    match urn.starts_with("urn:li:") {
        true => Ok(urn),
        false => Err(reply.unreadable(ID)),
    }
}

/// The id of a created comment.
pub(super) fn commented(reply: &Reply) -> Result<String, Refusal> {
    match reply.header(ID).map(str::trim).filter(|id| !id.is_empty()) {
        Some(id) => Ok(id.to_owned()),
        None => Err(reply.unreadable(ID)),
    }
}

const ID: &str = "x-restli-id";

pub(super) fn live(urn: &str, site: &Site) -> Live {
    Live { id: urn.to_owned(), url: site.url(WEB, &format!("/feed/update/{urn}/")) }
}
