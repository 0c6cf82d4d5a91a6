//! Resumable uploads: youtube/v3/guides/using_resumable_upload_protocol, read 2026-11-21.

use std::time::Duration;

use axum::body::Bytes;

use crate::{domain::time::Timestamp, sandbox::faults::Operation};

use super::{
    Answer, Books, Call, Cost, FORCE, MANAGE, Reply, UPLOAD, Youtube, body, invalid_credentials,
    metadata::{self, PARTS, Snippet, Status},
    parts, refusal,
};

const PIECE_BYTES: u64 = 256 * 1024;
/// No page says how long exactly; "about a week" is told.
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// "256 GB or 12 hours" (support.google.com/youtube/answer/71673, read 2026-11-21).
const FILM_BYTES_MAX: u64 = 256 * 1_000_000_000;

pub(super) struct Session {
    pub(super) account: usize,
    pub(super) grant: usize,
    pub(super) snippet: Snippet,
    pub(super) status: Status,
    pub(super) total: u64,
    chunks: Vec<Bytes>,
    began: Timestamp,
    /// What became of it.
    video: Option<String>,
}

impl Session {
    fn received(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    fn incomplete(&self) -> Answer {
        let answer = Answer::new(308, "text/plain", "");
        match self.received() {
            0 => answer,
            received => answer.with("range", format!("bytes=0-{}", received - 1)),
        }
    }
}

/// What a PUT to a session says that it carries.
#[derive(Debug, PartialEq)]
enum Piece {
    /// Nothing: it asks how much has arrived.
    Probe,
    /// From there on.
    From { first: u64, last: u64, total: u64 },
}

fn piece(call: &Call) -> Option<Piece> {
    let length = call.body.len() as u64;
    let Some(header) = call.header("content-range") else {
        let last = length.checked_sub(1)?;
        return Some(Piece::From { first: 0, last, total: length });
    };
    let (range, total) = header.strip_prefix("bytes ")?.split_once('/')?;
    if range == "*" {
        return (length == 0).then_some(Piece::Probe);
    }
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = total.parse().ok()?;
    let fits = first <= last && last < total && last - first + 1 == length;
    fits.then_some(Piece::From { first, last, total })
}

/// The last byte is what viewers will see.
pub(super) fn operation(call: &Call) -> Operation {
    match piece(call) {
        Some(Piece::From { last, total, .. }) if last + 1 == total => Operation::Publish,
        Some(Piece::From { .. }) | None => Operation::Upload,
        Some(Piece::Probe) => Operation::Read,
    }
}

impl Youtube {
    pub(super) fn open(&mut self, call: &Call, books: &mut Books) -> Reply {
        let holder = self.authorize(call, &[MANAGE, FORCE, UPLOAD], Cost::Upload)?;
        if self.has(holder.account, "nochannel") {
            return Err(refusal(401, "youtubeSignupRequired", "Unauthorized"));
        }
        if call.query("uploadType") != Some("resumable") {
            return Err(refusal(400, "uploadTypeInvalid", "uploadType must be resumable"));
        }
        let notify = call.query("notifySubscribers");
        if notify.is_some_and(|value| value != "true" && value != "false") {
            return Err(refusal(400, "invalidParameter", "notifySubscribers"));
        }
        let written = parts(call, &PARTS[..4])?;
        let given = body(call)?;
        let whole = metadata::whole(&given, &written, &[])?;
        let snippet = metadata::snippet(&whole)?;
        let status = match written.contains(&"status") {
            true => metadata::status(&whole)?,
            false => Status::default(),
        };
        let total = call.header("x-upload-content-length").and_then(|text| text.parse().ok());
        let total =
            total.filter(|total| (1..=FILM_BYTES_MAX).contains(total)).ok_or_else(|| {
                refusal(400, "mediaBodyRequired", "X-Upload-Content-Length must tell the size")
            })?;
        if !call.header("x-upload-content-type").is_some_and(is_film_type) {
            let text = "X-Upload-Content-Type must be a video's";
            return Err(refusal(400, "badContent", text));
        }
        let id = books.chance.word(64);
        let location = format!("{}{}&upload_id={id}", call.base, call.target);
        let session = Session {
            account: holder.account,
            grant: holder.grant,
            snippet,
            status,
            total,
            chunks: Vec::new(),
            began: call.now,
            video: None,
        };
        self.sessions.insert(id, session);
        Ok(Answer::new(200, "text/plain", "").with("location", location))
    }

    pub(super) fn piece(&mut self, call: &Call, books: &mut Books) -> Reply {
        // The address is secret and enough; a token that is sent nevertheless must be good.
        if call.bearer().is_some() && self.door.holder(call).is_err() {
            return Err(invalid_credentials());
        }
        let id = call.query("upload_id").unwrap_or_default();
        let session = self.sessions.get_mut(id).ok_or_else(gone)?;
        if session.began.elapsed(call.now) >= LIFE {
            return Err(refusal(410, "gone", "The upload session has expired"));
        }
        if let Some(video) = &session.video {
            let video = video.clone();
            return Ok(Answer::json(200, &self.resource(call, &video, &["snippet", "status"])));
        }
        let bytes = arrived(session, call)?;
        if !bytes.is_empty() {
            session.chunks.push(bytes);
        }
        if session.received() < session.total {
            return Ok(session.incomplete());
        }
        let id = id.to_owned();
        let chunks = std::mem::take(&mut session.chunks);
        let video = self.become_video(call, &id, chunks, books)?;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.video = Some(video.clone());
        }
        Ok(Answer::json(201, &self.resource(call, &video, &["snippet", "status"])))
    }

    /// The server failed while these bytes came: half of them had been written down.
    pub(super) fn keep_half(&mut self, call: &Call) {
        let id = call.query("upload_id").unwrap_or_default();
        let session = self.sessions.get_mut(id).filter(|session| session.video.is_none());
        if call.method == axum::http::Method::PUT
            && let Some(session) = session
            && let Ok(bytes) = arrived(session, call)
            && bytes.len() > 1
        {
            session.chunks.push(bytes.slice(..bytes.len() / 2));
        }
    }
}

/// What of a request's bytes is new. Nothing, where it only asks.
fn arrived(session: &Session, call: &Call) -> Result<Bytes, Answer> {
    let wrong = |text: &str| refusal(400, "badRequest", text);
    let piece = piece(call).ok_or_else(|| wrong("Failed to parse Content-Range header."))?;
    let Piece::From { first, last, total } = piece else {
        return Ok(Bytes::new());
    };
    if !is_film_type(call.content_type()) {
        return Err(refusal(400, "badContent", "Content-Type must be a video's"));
    }
    if total != session.total {
        return Err(wrong("The total is not the one that the session was opened with."));
    }
    if last + 1 != total && (last + 1 - first) % PIECE_BYTES != 0 {
        return Err(wrong("All but the last piece must be multiples of 262144 bytes."));
    }
    let received = session.received();
    if first > received {
        return Err(wrong("Bytes are missing before this piece."));
    }
    // What has arrived before is not written twice.
    let known = usize::try_from(received - first).unwrap_or(usize::MAX);
    Ok(call.body.slice(known.min(call.body.len())..))
}

fn is_film_type(mime: &str) -> bool {
    mime.starts_with("video/") || mime == "application/octet-stream"
}

fn gone() -> Answer {
    refusal(404, "notFound", "The upload session is not known")
}
