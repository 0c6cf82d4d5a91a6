//! Everything but films: photos that are staged, the post, the story, the comment, and where
//! readers find them.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/page/feed>,
//! <https://developers.facebook.com/docs/graph-api/reference/page/photos> and
//! <https://developers.facebook.com/docs/page-stories-api>, as of 2026-10.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{GRAPH, WEB, listing};
use crate::{
    connectors::{Body, FilePart, Job, Repeat, Reply, Request},
    domain::{
        delivery::Live,
        media::MediaKind,
        platform::{FORMAT, Loss, OptionRule, OptionValue},
        refusal::Refusal,
        text,
    },
};

pub(super) const REEL: &str = "reel";
pub(super) const STORY: &str = "story";
pub(super) const LINK: &str = "link";
pub(super) const TITLE: &str = "title";

/// No page limits a title; longer ones are cut where they are shown.
const TITLE_CHARS_MAX: u32 = 255;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: LINK,
        value: OptionValue::Url,
        loss: Loss::Misleads { except: &[] },
        about: "The address that is shown as a card; without it, the first one in the text is.",
    },
    OptionRule {
        name: TITLE,
        value: OptionValue::Text { chars_max: TITLE_CHARS_MAX },
        loss: Loss::Harmless,
        about: "The title of a video or a reel.",
    },
];

/// Lists lag behind, and a request that was cut off may still be at work inside Facebook.
pub(super) const SETTLE: Duration = Duration::from_secs(60);

/// What a job becomes, by its format and its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text, a link, photos.
    Feed,
    Film,
    Reel,
    PhotoStory,
    FilmStory,
}

impl Shape {
    pub(super) fn of(job: &Job) -> Shape {
        let is_film =
            job.parts[0].media.first().is_some_and(|media| media.kind == MediaKind::Video);
        match (job.option(FORMAT), is_film) {
            (REEL, _) => Shape::Reel,
            (STORY, true) => Shape::FilmStory,
            (STORY, false) => Shape::PhotoStory,
            (_, true) => Shape::Film,
            (_, false) => Shape::Feed,
        }
    }
}

/// Something that readers can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub(super) id: String,
    /// Empty: Facebook has not said it yet.
    pub(super) url: String,
}

/// A path below the page itself.
pub(super) fn of_page(edge: &str, job: &Job) -> String {
    format!("/{{version}}/{}/{edge}", job.author.remote_id)
}

/// An unpublished photo is seen by nobody, and a second one by nobody either.
pub(super) fn stage(number: usize, job: &Job) -> Request {
    let media = &job.parts[0].media[number];
    let mut fields = vec![("published".to_owned(), "false".to_owned())];
    if !media.alt.is_empty() {
        fields.push(("alt_text_custom".to_owned(), media.alt.clone()));
    }
    let file = FilePart {
        field: "source".to_owned(),
        media: media.id,
        range: None,
        cipher: None,
        file_name: media.id.to_string(),
        content_type: media.mime.clone(),
    };
    let url = job.site.url(GRAPH, &of_page("photos", job));
    Request::post(url, Body::Multipart { fields, files: vec![file] }, Repeat::Harmless)
}

pub(super) fn publish(photos: &[String], job: &Job) -> Request {
    let (edge, body) = match Shape::of(job) {
        Shape::PhotoStory => ("photo_stories", json!({ "photo_id": photos.first() })),
        Shape::Feed | Shape::Film | Shape::Reel | Shape::FilmStory => {
            ("feed?fields=id,permalink_url", feed(photos, job))
        }
    };
    let url = job.site.url(GRAPH, &of_page(edge, job));
    Request::post(url, Body::Json(body), Repeat::Probed { settle: SETTLE })
}

fn feed(photos: &[String], job: &Job) -> Value {
    let message = &job.parts[0].text;
    let mut body = json!({});
    if !message.is_empty() {
        body["message"] = json!(message);
    }
    if photos.is_empty() {
        if let Some(link) = link(job) {
            body["link"] = json!(link);
        }
    } else {
        let attached = photos.iter().map(|photo| json!({ "media_fbid": photo }));
        body["attached_media"] = attached.collect();
    }
    body
}

/// Without being told, the Graph API makes no card of an address in the text, as the site does.
fn link(job: &Job) -> Option<&str> {
    let message = &job.parts[0].text;
    match job.option(LINK) {
        "" => text::links(message).into_iter().next().map(|link| &message[link]),
        link => Some(link),
    }
}

/// Without `fields`: with them Facebook answers with an error, "although the comment was created"
/// (see [`refusal`](super::refusal)).
pub(super) fn comment(below: &str, job: &Job) -> Request {
    let message = job.parts.get(1).map_or("", |part| part.text.as_str());
    let path = format!("/{{version}}/{below}/comments");
    let body = Body::Json(json!({ "message": message }));
    Request::post(job.site.url(GRAPH, &path), body, Repeat::Probed { settle: SETTLE })
}

/// Where the first of `sent` is. A story says so in the list of stories alone.
pub(super) fn address(sent: &[Sent], job: &Job) -> Request {
    match (Shape::of(job), sent.first()) {
        (Shape::Feed | Shape::Film | Shape::Reel, Some(first)) => {
            let path = format!("/{{version}}/{}?fields=permalink_url", first.id);
            Request::get(job.site.url(GRAPH, &path))
        }
        (Shape::PhotoStory | Shape::FilmStory, _) | (_, None) => listing::stories(job),
    }
}

/// Empty: it does not say.
pub(super) fn read_address(sent: &[Sent], job: &Job, reply: &Reply) -> String {
    match (Shape::of(job), sent.first()) {
        (Shape::Feed | Shape::Film | Shape::Reel, Some(_)) => url_in(&reply.body, job),
        (Shape::PhotoStory | Shape::FilmStory, Some(first)) => {
            listing::story_address(&first.id, job, reply)
        }
        (_, None) => String::new(),
    }
}

pub(super) fn sent(reply: &Reply, job: &Job) -> Result<Sent, Refusal> {
    Ok(Sent { id: id(reply, "/id")?, url: url_in(&reply.body, job) })
}

/// `{"success":true,"post_id":"…"}`; nothing says where.
pub(super) fn story(reply: &Reply) -> Result<Sent, Refusal> {
    Ok(Sent { id: id(reply, "/post_id")?, url: String::new() })
}

/// "permalink_url": of posts a whole address, of videos a path such as `/reel/123/`.
pub(super) fn url_in(value: &Value, job: &Job) -> String {
    absolute(value["permalink_url"].as_str().unwrap_or_default(), job)
}

pub(super) fn absolute(address: &str, job: &Job) -> String {
    match address.strip_prefix('/') {
        Some(path) => job.site.url(WEB, &format!("/{path}")),
        None => address.to_owned(),
    }
}

/// Ids are text, and here and there a number.
pub(super) fn id(reply: &Reply, pointer: &str) -> Result<String, Refusal> {
    let found = reply.body.pointer(pointer).map(id_of).unwrap_or_default();
    match found.is_empty() {
        true => Err(reply.unreadable(pointer)),
        false => Ok(found),
    }
}

/// Empty: there is none.
pub(super) fn id_of(value: &Value) -> String {
    match (value.as_str(), value.as_u64()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => String::new(),
    }
}

pub(super) fn live(sent: &[Sent], job: &Job) -> Vec<Live> {
    let path = |number: usize, id: &str| match (number, Shape::of(job)) {
        (0, Shape::Film | Shape::Reel) => format!("/reel/{id}"),
        (0, Shape::PhotoStory | Shape::FilmStory) => format!("/stories/{id}"),
        (0, Shape::Feed) | (1.., _) => format!("/{id}"),
    };
    let live = |(number, sent): (usize, &Sent)| Live {
        id: sent.id.clone(),
        url: match sent.url.is_empty() {
            true => job.site.url(WEB, &path(number, &sent.id)),
            false => sent.url.clone(),
        },
    };
    sent.iter().enumerate().map(live).collect()
}
