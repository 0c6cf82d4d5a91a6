//! A video on YouTube: what it says, how its processing goes, its picture, and who may see it.
//!
//! <https://developers.google.com/youtube/v3/docs/videos>, as of 2026-09.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    API, Look, WEB, WRITE_UNITS,
    check::{self, lines},
    refusal,
};
use crate::{
    connectors::{Body, Job, JobMedia, Method, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        refusal::{Refusal, RefusalKind},
    },
};

pub(super) const PRIVATE: &str = "private";

/// Made public or not is seen at once by whoever asks for the video itself.
const SETTLE: Duration = Duration::from_secs(10);

/// A film that YouTube does not understand is told of within seconds. Beyond that its time is
/// waited for, and not longer: a video can be seen while its finer pictures are still made.
const POLLS_MIN: u32 = 3;

/// A video may be unknown for a moment after its last byte.
const UNKNOWN_MAX: u32 = 12;

const PAUSE: Duration = Duration::from_secs(5);

/// `People & Blogs`, which YouTube's own pages preset.
const CATEGORY: &str = "22";

pub(super) fn snippet(job: &Job) -> Value {
    let category = job.option(check::CATEGORY);
    let mut snippet = json!({
        "title": job.option(check::TITLE),
        "description": job.parts[0].text,
        "categoryId": if category.is_empty() { CATEGORY } else { category },
    });
    let tags = lines(job.option(check::TAGS));
    if !tags.is_empty() {
        snippet["tags"] = json!(tags);
    }
    snippet
}

/// All of it each time: "this method will override the existing values for all of the mutable
/// properties" of a part.
pub(super) fn status(privacy: &str, job: &Job) -> Value {
    json!({
        "privacyStatus": privacy,
        "license": "youtube",
        "embeddable": true,
        "publicStatsViewable": true,
        "selfDeclaredMadeForKids": job.option(check::MADE_FOR_KIDS) == "true",
        "containsSyntheticMedia": job.option(check::AI_GENERATED) == "true",
    })
}

fn wanted_privacy(job: &Job) -> &str {
    match job.option(check::PRIVACY) {
        "" => "public",
        given => given,
    }
}

pub(super) fn live(video: &str, site: &Site) -> Live {
    Live { id: video.to_owned(), url: address(video, site) }
}

pub(super) fn address(video: &str, site: &Site) -> String {
    site.url(WEB, &format!("/watch?v={video}"))
}

pub(super) fn standing(video: &str, site: &Site) -> Request {
    let path = format!("/youtube/v3/videos?part=status,processingDetails&id={video}");
    Request::get(site.url(API, &path))
}

/// How long to wait before asking again; `None`: it can go on.
pub(super) fn processing(
    polls: u32,
    job: &Job,
    reply: &Reply,
) -> Result<Option<Duration>, Refusal> {
    if !reply.is_success() {
        return Err(refusal::of_reply(reply));
    }
    let items = reply.body["items"].as_array().ok_or_else(|| reply.unreadable("/items"))?;
    let Some(video) = items.first() else {
        return match polls < UNKNOWN_MAX {
            true => Ok(Some(PAUSE)),
            false => Err(unusable("video_gone", "the video is not there any more")),
        };
    };
    let text = |pointer: &str| video.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match text("/status/uploadStatus") {
        "processed" => Ok(None),
        "uploaded" => match text("/processingDetails/processingStatus") {
            "failed" | "terminated" => {
                let reason = text("/processingDetails/processingFailureReason");
                Err(unusable("processing_failed", &or_silent(reason)))
            }
            _ if polls < POLLS_MIN || reply.at < job.due => Ok(Some(PAUSE)),
            _ => Ok(None),
        },
        "failed" => Err(unusable("upload_failed", &or_silent(text("/status/failureReason")))),
        "rejected" => Err(rejected(text("/status/rejectionReason"))),
        "deleted" => Err(unusable("video_gone", "the video was deleted")),
        _ => Err(reply.unreadable("/items/0/status/uploadStatus")),
    }
}

fn or_silent(reason: &str) -> String {
    if reason.is_empty() { "YouTube does not say why".to_owned() } else { reason.to_owned() }
}

fn unusable(code: &str, reason: &str) -> Refusal {
    let words = format!("YouTube could not use the video: {reason}");
    Refusal::new(RefusalKind::Media, code, words)
}

fn rejected(reason: &str) -> Refusal {
    let kind = match reason {
        "duplicate" => RefusalKind::Duplicate,
        _ => RefusalKind::Rejected,
    };
    let words = format!("YouTube rejected the video before anybody could see it: {reason}");
    Refusal::new(kind, if reason.is_empty() { "rejected" } else { reason }, words)
}

/// A later picture takes the place of an earlier one.
pub(super) fn set_picture(video: &str, picture: Option<&JobMedia>, site: &Site) -> Request {
    let path = format!("/upload/youtube/v3/thumbnails/set?videoId={video}&uploadType=media");
    let picture = picture.expect("a step for a picture has one");
    let body = Body::File { media: picture.id, range: None, content_type: picture.mime.clone() };
    Request { units: WRITE_UNITS, ..Request::post(site.url(API, &path), body, Repeat::Harmless) }
}

pub(super) fn release(video: &str, job: &Job) -> Request {
    let body = json!({ "id": video, "status": status(wanted_privacy(job), job) });
    let url = job.site.url(API, "/youtube/v3/videos?part=status");
    Request {
        method: Method::Put,
        units: WRITE_UNITS,
        ..Request::post(url, Body::Json(body), Repeat::Probed { settle: SETTLE })
    }
}

/// "All videos uploaded via the videos.insert endpoint from unverified API projects created after
/// 28 July 2020 will be restricted to private viewing mode" (docs/videos/insert, as of 2026-09).
/// YouTube says yes to the request then, and leaves the video as it was.
pub(super) fn released(video: &str, job: &Job, reply: &Reply) -> Result<(), Refusal> {
    if !reply.is_success() {
        return Err(refusal::before_release(reply));
    }
    let is = reply.text("/status/privacyStatus")?;
    if is == wanted_privacy(job) {
        return Ok(());
    }
    let words = format!(
        "YouTube keeps the video {is}: so it does with what comes from a Cloud project that Google \
         has not audited. It is at {}, where its owner can make it public",
        address(video, &job.site)
    );
    Err(Refusal::new(RefusalKind::Rejected, "kept_private", words))
}

pub(super) fn sighting(job: &Job, reply: &Reply) -> Look<()> {
    let items = reply.body["items"].as_array().filter(|_| reply.is_success());
    let Some(items) = items else {
        let status = reply.status;
        return Look::Unsure(format!("the video could not be read (HTTP {status})"));
    };
    let privacy = items.first().and_then(|video| video["status"]["privacyStatus"].as_str());
    match privacy {
        Some(is) if is == wanted_privacy(job) => Look::Found(()),
        Some(PRIVATE) => Look::Absent,
        Some(is) => Look::Unsure(format!("the video is there, and {is}")),
        None => Look::Unsure("YouTube does not list the video".to_owned()),
    }
}
