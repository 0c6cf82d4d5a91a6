//! A container: what a post will be, unseen by readers until it is published, and gone after a day
//! without that. Making one again is harmless: 400 are allowed in 24 hours.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media>,
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-container>
//! and <https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads>,
//! as of 2026-10.

use serde_json::{Value, json};

use super::{UPLOAD, graph, limits, refusal};
use crate::{
    connectors::{Auth, Body, Job, JobMedia, Repeat, Reply, Request, Site},
    domain::{media::MediaKind, platform::FORMAT, refusal::Refusal},
};

/// What becomes of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Image,
    /// "All single videos are reels", whether that was asked for or not.
    Reel,
    Album,
    Story,
}

impl Shape {
    pub(super) fn of(format: &str, media: &[JobMedia]) -> Shape {
        match media {
            _ if format == limits::STORY => Shape::Story,
            [only] if is_film(only) => Shape::Reel,
            [] | [_] => Shape::Image,
            [_, _, ..] => Shape::Album,
        }
    }

    fn of_job(job: &Job) -> Shape {
        Shape::of(job.option(FORMAT), &job.parts[0].media)
    }

    /// As a list of posts has it.
    pub(super) fn media_type(job: &Job) -> &'static str {
        match Shape::of_job(job) {
            Shape::Album => "CAROUSEL_ALBUM",
            Shape::Image | Shape::Reel | Shape::Story => match is_film(&job.parts[0].media[0]) {
                true => "VIDEO",
                false => "IMAGE",
            },
        }
    }
}

pub(super) fn is_film(media: &JobMedia) -> bool {
    media.kind == MediaKind::Video
}

/// The container of the file at `index`; of a single file it is the post's.
pub(super) fn of_file(index: usize, job: &Job) -> Request {
    let media = &job.parts[0].media[index];
    let shape = Shape::of_job(job);
    let mut body = match is_film(media) {
        true => json!({ "upload_type": "resumable" }),
        false => json!({ "image_url": media.url }),
    };
    // "Reels and stories are not supported", and no other film is.
    if !is_film(media) && shape != Shape::Story && !media.alt.is_empty() {
        body["alt_text"] = json!(media.alt);
    }
    match shape {
        Shape::Image => add_caption(&mut body, job),
        Shape::Reel => {
            body["media_type"] = json!("REELS");
            let offset = job.option(limits::THUMB_OFFSET);
            if !offset.is_empty() {
                body["thumb_offset"] = json!(offset);
            }
            add_feed(&mut body, job);
            add_caption(&mut body, job);
        }
        Shape::Album => {
            body["is_carousel_item"] = json!(true);
            if is_film(media) {
                body["media_type"] = json!("VIDEO");
            }
        }
        Shape::Story => body["media_type"] = json!("STORIES"),
    }
    create(body, job)
}

pub(super) fn of_album(children: &[String], job: &Job) -> Request {
    let mut body = json!({ "media_type": "CAROUSEL", "children": children });
    add_feed(&mut body, job);
    add_caption(&mut body, job);
    create(body, job)
}

fn add_feed(body: &mut Value, job: &Job) {
    let share = job.option(limits::SHARE_TO_FEED);
    if !share.is_empty() {
        body["share_to_feed"] = json!(share == "true");
    }
}

fn add_caption(body: &mut Value, job: &Job) {
    let caption = &job.parts[0].text;
    if !caption.trim().is_empty() {
        body["caption"] = json!(caption);
    }
    let collaborators: Vec<&str> =
        job.option(limits::COLLABORATORS).lines().map(username).collect();
    if !collaborators.is_empty() {
        body["collaborators"] = json!(collaborators);
    }
    let location = job.option(limits::LOCATION);
    if !location.is_empty() {
        body["location_id"] = json!(location);
    }
}

/// The name of an account as people may write it: ` @alice`.
pub(super) fn username(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix('@').unwrap_or(line)
}

fn create(body: Value, job: &Job) -> Request {
    let url = graph(&job.site, &format!("/{}/media", job.author.remote_id));
    Request::post(url, Body::Json(body), Repeat::Harmless)
}

/// The film of the newest container, in one piece. Its `uri` is not used: a token goes to no
/// address that an answer names.
pub(super) fn upload(containers: &[String], job: &Job) -> Request {
    let index = containers.len() - 1;
    let media = &job.parts[0].media[index];
    let url = job.site.url(UPLOAD, &format!("/ig-api-upload/{{version}}/{}", containers[index]));
    let body = Body::File {
        media: media.id,
        range: None,
        content_type: "application/octet-stream".to_owned(),
    };
    Request {
        auth: Auth::AccessAs("OAuth"),
        headers: vec![("offset", "0".to_owned()), ("file_size", media.bytes.to_string())],
        ..Request::post(url, body, Repeat::Harmless)
    }
}

pub(super) fn status(container: &str, site: &Site) -> Request {
    Request::get(graph(site, &format!("/{container}?fields=status_code,status")))
}

#[derive(Debug, PartialEq)]
pub(super) enum State {
    Working,
    Ready,
    Published,
    /// It will never be published.
    Failed(Refusal),
}

pub(super) fn state(reply: &Reply) -> Result<State, Refusal> {
    let status = reply.body["status"].as_str().unwrap_or_default();
    Ok(match reply.body["status_code"].as_str() {
        Some("IN_PROGRESS") => State::Working,
        Some("FINISHED") => State::Ready,
        Some("PUBLISHED") => State::Published,
        Some("ERROR") => State::Failed(refusal::of_container(status)),
        Some("EXPIRED") => State::Failed(refusal::expired()),
        Some(_) | None => return Err(reply.unreadable("status_code")),
    })
}
