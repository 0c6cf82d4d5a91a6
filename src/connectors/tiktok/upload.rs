//! A video on its way to TikTok: its beginning, its pieces, and how much has arrived.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide>, as of 2026-11-21.
//! Nothing is posted before the last byte has arrived, and an upload posts once: all that is sent
//! to its address afterwards is refused.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{
    API, Step,
    creator::Manner,
    draft::{AI_GENERATED, BRAND_CONTENT, BRAND_ORGANIC, THUMB_OFFSET},
    refusal,
    status::{self, State},
};
use crate::{
    connectors::{
        Auth, Body, ByteRange, Job, JobMedia, Method, Next, Repeat, Reply, Request, Sighting,
    },
    domain::{
        media::MediaKind,
        refusal::{Refusal, RefusalKind},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub(super) publish: String,
    /// Where the pieces go. It gives access to this upload and nothing else.
    address: String,
    /// As TikTok was told: of every piece but the last, which takes the rest.
    chunk: u64,
    /// How many uploads of this film were given up before.
    #[serde(default, skip_serializing_if = "super::is_none")]
    pub(super) restarts: u32,
}

/// "5 MB to 64 MB"; the page does not say which MB, so both meanings are kept.
const CHUNK: u64 = 10_000_000;
const LARGE_CHUNK: u64 = 50_000_000;

/// From here on the larger pieces are used, so that a long film is not hundreds of requests.
const LARGE: u64 = 500_000_000;

/// "The upload_url is valid for one hour" from the beginning of the upload, which may have been
/// some minutes before the last piece.
const VALID_FOR: Duration = Duration::from_secs(45 * 60);

/// How often TikTok may say that it stands elsewhere than was told.
pub(super) const CORRECTIONS_MAX: u32 = 5;

/// How often an upload that cannot be gone on with is begun anew.
pub(super) const RESTARTS_MAX: u32 = 1;

pub(super) fn is_video(job: &Job) -> bool {
    job.parts[0].media.first().is_some_and(|file| file.kind == MediaKind::Video)
}

fn film(job: &Job) -> &JobMedia {
    job.parts[0].media.first().expect("a video has a file")
}

pub(super) fn bytes(job: &Job) -> u64 {
    film(job).bytes
}

/// "Videos smaller than 5 MB must be uploaded as a whole", and the last piece takes what is left:
/// below twice a piece there is only one.
fn chunk_of(bytes: u64) -> u64 {
    match bytes {
        0..20_000_000 => bytes.max(1),
        20_000_000..LARGE => CHUNK,
        LARGE.. => LARGE_CHUNK,
    }
}

/// `total_chunk_count`: "the video size divided by chunk_size, rounded down".
fn count_of(bytes: u64, chunk: u64) -> u64 {
    (bytes / chunk.max(1)).max(1)
}

pub(super) fn start(manner: &Manner, job: &Job) -> Request {
    let film = film(job);
    let chunk = chunk_of(film.bytes);
    let is_set = |option: &str| job.option(option) == "true";
    let mut post = json!({
        "title": job.parts[0].text,
        "privacy_level": manner.privacy,
        "disable_comment": manner.disable_comment,
        "disable_duet": manner.disable_duet,
        "disable_stitch": manner.disable_stitch,
        "brand_content_toggle": is_set(BRAND_CONTENT),
        "brand_organic_toggle": is_set(BRAND_ORGANIC),
        "is_aigc": is_set(AI_GENERATED),
    });
    if let Ok(offset) = job.option(THUMB_OFFSET).parse::<u64>() {
        post["video_cover_timestamp_ms"] = json!(offset);
    }
    let body = json!({
        "post_info": post,
        "source_info": {
            "source": "FILE_UPLOAD",
            "video_size": film.bytes,
            "chunk_size": chunk,
            "total_chunk_count": count_of(film.bytes, chunk),
        },
    });
    // What is begun and not ended is forgotten.
    let url = job.site.url(API, "/v2/post/publish/video/init/");
    Request::post(url, Body::Json(body), Repeat::Harmless)
}

/// What the host for uploads says of a piece.
pub(super) enum Standing {
    /// It wants the next one.
    Next,
    /// It has everything.
    Whole,
    /// It may be at another piece than was told.
    Elsewhere,
    /// The upload is over, or was never there.
    Gone,
}

impl Upload {
    pub(super) fn read(restarts: u32, job: &Job, reply: &Reply) -> Result<Upload, Refusal> {
        let address = reply.text("/data/upload_url")?;
        let parsed = Url::parse(&address).ok();
        if !parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(reply.unreadable("address at /data/upload_url"));
        }
        let chunk = chunk_of(film(job).bytes);
        Ok(Upload { publish: reply.text("/data/publish_id")?, address, chunk, restarts })
    }

    pub(super) fn is_last(&self, piece: u64, job: &Job) -> bool {
        piece + 1 >= count_of(film(job).bytes, self.chunk)
    }

    fn range(&self, piece: u64, job: &Job) -> ByteRange {
        let bytes = film(job).bytes;
        let start = piece.saturating_mul(self.chunk).min(bytes);
        let end = if self.is_last(piece, job) { bytes } else { start + self.chunk };
        ByteRange { start, end }
    }

    /// The address is signed and wants no token.
    pub(super) fn send(&self, piece: u64, job: &Job) -> Request {
        let film = film(job);
        let range = self.range(piece, job);
        let last_byte = range.end.saturating_sub(1);
        let of_all = format!("bytes {}-{last_byte}/{}", range.start, film.bytes);
        let repeat = match self.is_last(piece, job) {
            true => Repeat::Keyed { key: self.address.clone(), valid_for: VALID_FOR },
            false => Repeat::Harmless,
        };
        Request {
            method: Method::Put,
            headers: vec![("content-range", of_all)],
            auth: Auth::None,
            body: Body::File {
                media: film.id,
                range: Some(range),
                content_type: film.mime.clone(),
            },
            repeat,
            ..Request::get(self.address.clone())
        }
    }

    pub(super) fn standing(
        &self,
        piece: u64,
        job: &Job,
        reply: &Reply,
    ) -> Result<Standing, Refusal> {
        match (reply.status, self.is_last(piece, job)) {
            (201, true) => Ok(Standing::Whole),
            (206, false) if self.is_at(piece + 1, job, reply) => Ok(Standing::Next),
            // More than it was sent, less than it was sent, or another place.
            (201, false) | (206, _) | (416, _) => Ok(Standing::Elsewhere),
            (403 | 404, _) => Ok(Standing::Gone),
            _ => Err(refusal::of_upload(reply)),
        }
    }

    /// "Content-Range: bytes 0-{UPLOADED_BYTES}/{TOTAL_BYTE_LENGTH}". Whether the number is that of
    /// the last byte or of the next is not said, so both are taken. Without it, nothing speaks
    /// against the status.
    fn is_at(&self, piece: u64, job: &Job, reply: &Reply) -> bool {
        let Some(header) = reply.header("content-range") else { return true };
        let numbers = header.trim().strip_prefix("bytes").unwrap_or(header);
        let end = numbers.split(['-', '/']).nth(1).and_then(|end| end.trim().parse::<u64>().ok());
        let start = self.range(piece, job).start;
        end.is_some_and(|end| end == start || end + 1 == start)
    }

    /// What TikTok says to have; `None`: all of it.
    pub(super) fn received(&self, job: &Job, reply: &Reply) -> Result<Option<u64>, Refusal> {
        match State::read(reply) {
            State::Waiting { received: Some(received) } if received == film(job).bytes => Ok(None),
            State::Waiting { received: Some(received) } => Ok(Some(received)),
            State::Waiting { received: None } => Err(reply.unreadable("/data/uploaded_bytes")),
            State::Unknown => Err(reply.unreadable("/data/status")),
            // It would not be so far without the last byte.
            State::Complete(_) | State::Failed(_) | State::Inbox => Ok(None),
        }
    }

    /// The piece that begins there. `None`: none does.
    pub(super) fn piece_at(&self, received: u64, job: &Job) -> Option<u64> {
        let piece = received / self.chunk.max(1);
        let is_one = piece < count_of(film(job).bytes, self.chunk);
        (is_one && self.range(piece, job).start == received).then_some(piece)
    }

    pub(super) fn sighting(&self, job: &Job, reply: &Reply) -> Seen {
        if refusal::of_reply(reply).is_some() {
            let words = format!("the upload could not be asked about (HTTP {})", reply.status);
            return Seen::Unsure(words);
        }
        match self.received(job, reply) {
            Ok(None) => Seen::Whole,
            Ok(Some(received)) if received < film(job).bytes => Seen::Part,
            Ok(Some(_)) | Err(_) => {
                Seen::Unsure("TikTok does not say how much of the video it has".to_owned())
            }
        }
    }
}

/// Whether the last piece has arrived.
pub(super) enum Seen {
    Whole,
    Part,
    Unsure(String),
}

impl Seen {
    pub(super) fn then(self, next: impl FnOnce() -> Step) -> Sighting<Step> {
        match self {
            Seen::Whole => Sighting::Found(Next::Go(next())),
            Seen::Part => Sighting::Absent,
            Seen::Unsure(reason) => Sighting::Unsure(reason),
        }
    }
}

pub(super) fn gone(reply: &Reply) -> Refusal {
    let code = status::code(&reply.body).unwrap_or_default();
    let code = if code.is_empty() { reply.status.to_string() } else { code.to_owned() };
    let words = "TikTok has closed this upload, which stays open for an hour";
    Refusal::new(RefusalKind::Media, code, words)
}

pub(super) fn astray(piece: u64, received: u64, job: &Job) -> Refusal {
    let bytes = film(job).bytes;
    let words = format!(
        "TikTok says that it has {received} of the {bytes} bytes of the video, and cannot be \
         brought to go on from there (at piece {})",
        piece + 1
    );
    Refusal::new(RefusalKind::Media, "upload_astray", words)
}

/// Ids are int64 numbers.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}
