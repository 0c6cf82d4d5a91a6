//! A file on its way to LinkedIn: its requests, in order, and what their answers say.
//!
//! `images-api`, `videos-api` and `documents-api` below
//! <https://learn.microsoft.com/linkedin/marketing/community-management/shares/>, as of 2026-09-16.
//! Nothing here can be seen by readers, so everything may be repeated.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use super::{API, WEB, encoded, versioned};
use crate::{
    connectors::{Auth, Body, ByteRange, Job, JobMedia, Method, Repeat, Reply, Request, Site},
    domain::{
        media::MediaKind,
        refusal::{Refusal, RefusalKind},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct File {
    pub(super) urn: String,
    /// Of a video: what LinkedIn wants to have back at the end; often empty.
    token: String,
    /// Those that are not sent yet, in order.
    pieces: Vec<Piece>,
    /// Of a video: what LinkedIn called each piece that was sent.
    tags: Vec<String>,
}

/// `start` included, `end` not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Piece {
    url: String,
    start: u64,
    end: u64,
}

/// Half a minute at 5 seconds, then ten at 15: more is a file that LinkedIn will not finish.
const QUICK_POLLS: u32 = 6;
const POLLS_MAX: u32 = 46;

pub(super) fn is_video(media: &JobMedia) -> bool {
    media.kind == MediaKind::Video
}

/// Where such files are, and what an answer calls one.
fn collection(media: &JobMedia) -> (&'static str, &'static str) {
    match media.kind {
        MediaKind::Image | MediaKind::Gif => ("images", "image"),
        MediaKind::Video => ("videos", "video"),
        MediaKind::Document => ("documents", "document"),
    }
}

pub(super) fn initialize(media: &JobMedia, job: &Job) -> Request {
    let mut wanted = json!({ "owner": job.author.remote_id });
    if is_video(media) {
        wanted["fileSizeBytes"] = json!(media.bytes);
        wanted["uploadCaptions"] = json!(false);
        wanted["uploadThumbnail"] = json!(false);
    }
    let path = format!("/rest/{}?action=initializeUpload", collection(media).0);
    let body = Body::Json(json!({ "initializeUploadRequest": wanted }));
    versioned(Request::post(job.site.url(API, &path), body, Repeat::Harmless), &job.site)
}

impl File {
    pub(super) fn read(media: &JobMedia, reply: &Reply) -> Result<File, Refusal> {
        let token = reply.body.pointer("/value/uploadToken").and_then(|token| token.as_str());
        let pieces = match is_video(media) {
            true => pieces(media, reply)?,
            false => {
                vec![Piece { url: reply.text("/value/uploadUrl")?, start: 0, end: media.bytes }]
            }
        };
        Ok(File {
            urn: reply.text(&format!("/value/{}", collection(media).1))?,
            token: token.unwrap_or_default().to_owned(),
            pieces,
            tags: Vec::new(),
        })
    }

    /// The first piece has arrived.
    pub(super) fn take(&mut self, is_video: bool, reply: &Reply) -> Result<(), Refusal> {
        if is_video {
            let tag = reply.header("etag").map(|tag| tag.trim().trim_matches('"'));
            let tag = tag.filter(|tag| !tag.is_empty());
            self.tags.push(tag.ok_or_else(|| reply.unreadable("etag"))?.to_owned());
        }
        self.pieces.remove(0);
        Ok(())
    }

    pub(super) fn is_sent(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// LinkedIn says which bytes go where; together they have to be the file.
fn pieces(media: &JobMedia, reply: &Reply) -> Result<Vec<Piece>, Refusal> {
    const INSTRUCTIONS: &str = "/value/uploadInstructions";
    let unreadable = || reply.unreadable(INSTRUCTIONS);
    let instructions = reply.body.pointer(INSTRUCTIONS).and_then(|all| all.as_array());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut next = 0;
    for one in instructions.ok_or_else(unreadable)? {
        let (Some(url), Some(first), Some(last)) =
            (one["uploadUrl"].as_str(), one["firstByte"].as_u64(), one["lastByte"].as_u64())
        else {
            return Err(unreadable());
        };
        if first != next || last < first || last >= media.bytes {
            return Err(unreadable());
        }
        next = last + 1;
        pieces.push(Piece { url: url.to_owned(), start: first, end: next });
    }
    if next != media.bytes || pieces.is_empty() {
        return Err(unreadable());
    }
    Ok(pieces)
}

/// Each piece of a video has an address of its own, which is signed and wants no token.
pub(super) fn piece(file: &File, media: &JobMedia, site: &Site) -> Request {
    let piece = file.pieces.first().expect("an upload has a piece left");
    let (auth, range, content_type) = match is_video(media) {
        true => {
            let range = ByteRange { start: piece.start, end: piece.end };
            (Auth::None, Some(range), "application/octet-stream".to_owned())
        }
        false if is_linkedins(&piece.url, site) => (Auth::Access, None, media.mime.clone()),
        false => (Auth::None, None, media.mime.clone()),
    };
    Request {
        method: Method::Put,
        auth,
        body: Body::File { media: media.id, range, content_type },
        ..Request::get(piece.url.clone())
    }
}

/// The token is for LinkedIn, whatever address an answer names.
fn is_linkedins(address: &str, site: &Site) -> bool {
    let Ok(address) = Url::parse(address) else { return false };
    let known = [API, WEB].map(|endpoint| Url::parse(&site.url(endpoint, "")));
    let is_known = known.into_iter().flatten().any(|known| known.origin() == address.origin());
    let is_theirs = address.host_str().is_some_and(|host| host.ends_with(".linkedin.com"));
    is_known || (address.scheme() == "https" && is_theirs)
}

pub(super) fn finalize(file: &File, site: &Site) -> Request {
    let body = json!({
        "finalizeUploadRequest": {
            "video": file.urn,
            "uploadToken": file.token,
            "uploadedPartIds": file.tags,
        },
    });
    let url = site.url(API, "/rest/videos?action=finalizeUpload");
    versioned(Request::post(url, Body::Json(body), Repeat::Harmless), site)
}

pub(super) fn status(urn: &str, media: &JobMedia, site: &Site) -> Request {
    let path = format!("/rest/{}/{}", collection(media).0, encoded(urn));
    versioned(Request::get(site.url(API, &path)), site)
}

/// How long to wait before asking again; `None`: the file is ready.
pub(super) fn processing(reply: &Reply, polls: u32) -> Result<Option<Duration>, Refusal> {
    match reply.text("/status")?.as_str() {
        "AVAILABLE" => Ok(None),
        "PROCESSING" | "WAITING_UPLOAD" if polls < POLLS_MAX => {
            Ok(Some(Duration::from_secs(if polls < QUICK_POLLS { 5 } else { 15 })))
        }
        "PROCESSING" | "WAITING_UPLOAD" => Err(unusable("it was not ready in time")),
        "PROCESSING_FAILED" => {
            let reason = reply.body["processingFailureReason"].as_str();
            Err(unusable(reason.unwrap_or("LinkedIn does not say why")))
        }
        _ => Err(reply.unreadable("/status")),
    }
}

fn unusable(reason: &str) -> Refusal {
    let words = format!("LinkedIn could not process the file: {reason}");
    Refusal::new(RefusalKind::Media, "PROCESSING_FAILED", words)
}
