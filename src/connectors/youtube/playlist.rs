//! A video's place in a playlist. YouTube would list it twice if it were added twice.
//!
//! <https://developers.google.com/youtube/v3/docs/playlistItems>, as of 2026-09.

use std::time::Duration;

use serde_json::json;
use url::form_urlencoded::byte_serialize;

use super::{API, Look, WRITE_UNITS, check, refusal};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request},
    domain::refusal::Refusal,
};

const SETTLE: Duration = Duration::from_secs(15);

pub(super) fn add(video: &str, job: &Job) -> Request {
    let body = json!({ "snippet": {
        "playlistId": job.option(check::PLAYLIST),
        "resourceId": { "kind": "youtube#video", "videoId": video },
    } });
    let url = job.site.url(API, "/youtube/v3/playlistItems?part=snippet");
    Request {
        units: WRITE_UNITS,
        ..Request::post(url, Body::Json(body), Repeat::Probed { settle: SETTLE })
    }
}

pub(super) fn added(reply: &Reply) -> Result<(), Refusal> {
    match reply.is_success() {
        true => reply.text("/id").map(|_| ()),
        false => Err(refusal::of_addition(reply)),
    }
}

/// Only the entries of this one video.
pub(super) fn look(video: &str, job: &Job) -> Request {
    let playlist: String = byte_serialize(job.option(check::PLAYLIST).as_bytes()).collect();
    let path = format!(
        "/youtube/v3/playlistItems?part=snippet&playlistId={playlist}&videoId={video}&maxResults=5"
    );
    Request::get(job.site.url(API, &path))
}

pub(super) fn sighting(reply: &Reply) -> Look<()> {
    match reply.body["items"].as_array().filter(|_| reply.is_success()) {
        Some(items) if items.is_empty() => Look::Absent,
        Some(_) => Look::Found(()),
        None => {
            let status = reply.status;
            Look::Unsure(format!("the playlist could not be read (HTTP {status})"))
        }
    }
}
