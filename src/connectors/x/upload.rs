//! A file on its way to X: its requests, in order, and what their answers say.
//!
//! <https://docs.x.com/x-api/media/quickstart/media-upload-chunked>, read 2026-08-22. Nothing here
//! can be seen by readers: what no post uses is gone after a day, so everything may be repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::API;
use crate::{
    connectors::{Body, ByteRange, FilePart, JobMedia, Repeat, Reply, Request, Site},
    domain::{
        media::MediaKind,
        refusal::{Refusal, RefusalKind},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    pub(super) id: String,
    /// How a post that holds it names it; empty where X did not say.
    pub(super) key: String,
}

/// The page says nothing; 5 MB was the limit of the form before. "segment_index" is at most 999,
/// which this reaches at 4 GB.
const SEGMENT_BYTES: u64 = 4 * 1024 * 1024;

/// Some twenty minutes at the usual five seconds: more is a file that X will not finish.
const POLLS_MAX: u32 = 240;

impl File {
    pub(super) fn read(reply: &Reply) -> Result<File, Refusal> {
        let key = reply.body.pointer("/data/media_key").and_then(|key| key.as_str());
        Ok(File { id: reply.text("/data/id")?, key: key.unwrap_or_default().to_owned() })
    }
}

pub(super) fn initialize(media: &JobMedia, site: &Site) -> Request {
    let category = match media.kind {
        MediaKind::Image | MediaKind::Document => "tweet_image",
        MediaKind::Gif => "tweet_gif",
        MediaKind::Video => "tweet_video",
    };
    let body = json!({
        "media_type": media.mime,
        "media_category": category,
        "total_bytes": media.bytes,
    });
    harmless(site.url(API, "/2/media/upload/initialize"), Body::Json(body))
}

pub(super) fn append(file: &File, segment: u32, media: &JobMedia, site: &Site) -> Request {
    let start = u64::from(segment) * SEGMENT_BYTES;
    let range = ByteRange { start, end: media.bytes.min(start + SEGMENT_BYTES) };
    let body = Body::Multipart {
        fields: vec![("segment_index".to_owned(), segment.to_string())],
        files: vec![FilePart {
            field: "media".to_owned(),
            media: media.id,
            range: Some(range),
            cipher: None,
            file_name: format!("{}.{segment}", media.id),
            content_type: "application/octet-stream".to_owned(),
        }],
    };
    harmless(site.url(API, &format!("/2/media/upload/{}/append", file.id)), body)
}

pub(super) fn segments(media: &JobMedia) -> u32 {
    u32::try_from(media.bytes.div_ceil(SEGMENT_BYTES)).unwrap_or(u32::MAX)
}

pub(super) fn finalize(file: &File, site: &Site) -> Request {
    harmless(site.url(API, &format!("/2/media/upload/{}/finalize", file.id)), Body::Empty)
}

pub(super) fn status(file: &File, site: &Site) -> Request {
    let path = format!("/2/media/upload?command=STATUS&media_id={}", file.id);
    Request::get(site.url(API, &path))
}

pub(super) fn describe(file: &File, alt: &str, site: &Site) -> Request {
    let body = json!({ "id": file.id, "metadata": { "alt_text": { "text": alt } } });
    harmless(site.url(API, "/2/media/metadata"), Body::Json(body))
}

/// How long to wait before asking again; `None`: the file is ready. "If `processing_info` is not
/// returned, the media is ready".
pub(super) fn processing(reply: &Reply, polls: u32) -> Result<Option<Duration>, Refusal> {
    reply.text("/data/id")?;
    let information = &reply.body["data"]["processing_info"];
    let state = information["state"].as_str();
    match state {
        None if information.is_null() => Ok(None),
        Some("succeeded") => Ok(None),
        Some("pending" | "in_progress") if polls < POLLS_MAX => {
            let seconds = information["check_after_secs"].as_u64().unwrap_or(5);
            Ok(Some(Duration::from_secs(seconds.clamp(1, 60))))
        }
        Some("pending" | "in_progress") => Err(unusable("it was not ready in time")),
        Some("failed") => {
            let error = &information["error"];
            let words = error["message"].as_str().or(error["name"].as_str());
            Err(unusable(words.unwrap_or("X does not say why")))
        }
        None | Some(_) => Err(reply.unreadable("/data/processing_info/state")),
    }
}

fn unusable(reason: &str) -> Refusal {
    let words = format!("X could not process the file: {reason}");
    Refusal::new(RefusalKind::Media, "processing_failed", words)
}

fn harmless(url: String, body: Body) -> Request {
    Request::post(url, body, Repeat::Harmless)
}
