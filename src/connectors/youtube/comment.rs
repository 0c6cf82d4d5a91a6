//! The first comment below a video, and finding it again.
//!
//! <https://developers.google.com/youtube/v3/docs/commentThreads>, as of 2026-09.

use std::time::Duration;

use serde_json::json;

use super::{API, Look, WEB, WRITE_UNITS, refusal};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request, Site},
    domain::{delivery::Live, refusal::Refusal, time::Timestamp},
};

const SETTLE: Duration = Duration::from_secs(20);

/// How far YouTube's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(10);

pub(super) fn creation(video: &str, job: &Job) -> Request {
    let text = job.parts.last().map_or("", |part| part.text.as_str());
    let body = json!({ "snippet": {
        "videoId": video,
        "topLevelComment": { "snippet": { "textOriginal": text } },
    } });
    let url = job.site.url(API, "/youtube/v3/commentThreads?part=snippet");
    Request {
        units: WRITE_UNITS,
        ..Request::post(url, Body::Json(body), Repeat::Probed { settle: SETTLE })
    }
}

pub(super) fn created(reply: &Reply) -> Result<String, Refusal> {
    match reply.is_success() {
        true => reply.text("/id"),
        false => Err(refusal::of_addition(reply)),
    }
}

pub(super) fn live(video: &str, id: &str, site: &Site) -> Live {
    Live { id: id.to_owned(), url: site.url(WEB, &format!("/watch?v={video}&lc={id}")) }
}

pub(super) fn look(video: &str, site: &Site) -> Request {
    let path = format!(
        "/youtube/v3/commentThreads?part=snippet&videoId={video}&order=time&maxResults=100\
         &textFormat=plainText"
    );
    Request::get(site.url(API, &path))
}

/// Newest first. The channel's own comments alone are looked at.
pub(super) fn sighting(job: &Job, reply: &Reply) -> Look<String> {
    let Some(threads) = reply.body["items"].as_array().filter(|_| reply.is_success()) else {
        let status = reply.status;
        return Look::Unsure(format!("the comments could not be read (HTTP {status})"));
    };
    let since = job.armed.unwrap_or(job.due).before(SKEW);
    let (mut near, mut reaches_back) = (None, reply.body["nextPageToken"].is_null());
    for thread in threads {
        let comment = &thread["snippet"]["topLevelComment"]["snippet"];
        let text = |name: &str| comment[name].as_str();
        let Some(at) = text("publishedAt").and_then(Timestamp::parse) else {
            return Look::Unsure("a comment is listed without its time".to_owned());
        };
        if at < since {
            reaches_back = true;
            continue;
        }
        if comment["authorChannelId"]["value"] != job.author.remote_id.as_str() {
            continue;
        }
        let written = text("textOriginal").or(text("textDisplay")).unwrap_or_default();
        match (thread["id"].as_str(), is_same(written, job)) {
            (Some(id), true) => return Look::Found(id.to_owned()),
            (id, _) => near = Some(id.unwrap_or_default().to_owned()),
        }
    }
    match (near, reaches_back) {
        (Some(id), _) => Look::Unsure(format!(
            "the channel has commented since, with another text (comment {id})"
        )),
        (None, true) => Look::Absent,
        (None, false) => {
            Look::Unsure("there are more comments since than one page shows".to_owned())
        }
    }
}

fn is_same(written: &str, job: &Job) -> bool {
    let wanted = job.parts.last().map_or("", |part| part.text.as_str());
    wanted.split_whitespace().eq(written.split_whitespace())
}
