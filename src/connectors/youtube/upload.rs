//! A film on its way to YouTube: one session, pieces of it, and where to go on after a cut.
//!
//! <https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol>, as of 2026-09.
//! The video that it ends in is private, so everything here may be repeated; and in one session
//! there is one video, however often its bytes are sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::{
    API, Step, UPLOADS, check, film,
    refusal::{self, Known},
    video::{self, PRIVATE},
};
use crate::{
    connectors::{Body, ByteRange, Job, Method, Next, Repeat, Reply, Request, Site},
    domain::{
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// A session of YouTube's. Whoever has its address can send to it, so it is not shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    address: String,
    opened: Timestamp,
    /// How often YouTube did not go on where it should have.
    rounds: u32,
}

/// "The size of each chunk must be a multiple of 256 KB", except the last.
const PIECE_BYTES: u64 = 64 * 256 * 1024;

/// A server that loses again and again what it was sent does not get the file at all.
const ROUNDS_MAX: u32 = 6;

const PAUSE: Duration = Duration::from_secs(5);

/// The list of uploads lags behind, nobody says for how long.
const LOOKS_MAX: u32 = 3;
const LAG: Duration = Duration::from_secs(20);

/// How far YouTube's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(60);

pub(super) fn open(job: &Job) -> Request {
    let film = film(job);
    let notify = if job.option(check::NOTIFY) == "false" { "false" } else { "true" };
    let path = format!(
        "/upload/youtube/v3/videos?uploadType=resumable&part=snippet,status\
         &notifySubscribers={notify}"
    );
    let body = json!({ "snippet": video::snippet(job), "status": video::status(PRIVATE, job) });
    Request {
        headers: vec![
            ("x-upload-content-length", film.bytes.to_string()),
            ("x-upload-content-type", film.mime.clone()),
        ],
        ..Request::post(job.site.url(API, &path), Body::Json(body), Repeat::Harmless)
    }
}

impl Upload {
    pub(super) fn read(job: &Job, reply: &Reply) -> Result<Upload, Refusal> {
        if !reply.is_success() {
            return Err(refusal::of_reply(reply));
        }
        let address = reply.header("location").filter(|address| is_google(address, &job.site));
        let address = address.ok_or_else(|| reply.unreadable("location of Google"))?;
        Ok(Upload { address: address.to_owned(), opened: reply.at, rounds: 0 })
    }
}

/// The channel's token goes along, so the address has to be Google's own.
fn is_google(address: &str, site: &Site) -> bool {
    let parsed = |address: &str| url::Url::parse(address).ok();
    let (Some(named), Some(ours)) = (parsed(address), parsed(&site.url(API, ""))) else {
        return false;
    };
    let host = named.host_str().unwrap_or_default();
    let is_below = named.scheme() == "https" && host.ends_with(".googleapis.com");
    is_below || named.origin() == ours.origin()
}

pub(super) fn send(upload: &Upload, from: u64, job: &Job) -> Request {
    let film = film(job);
    let range = ByteRange { start: from, end: film.bytes.min(from + PIECE_BYTES) };
    let sent = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), film.bytes);
    let body = Body::File { media: film.id, range: Some(range), content_type: film.mime.clone() };
    put(upload, sent, body)
}

/// "Request the status": how much has arrived?
pub(super) fn ask(upload: &Upload, job: &Job) -> Request {
    put(upload, format!("bytes */{}", film(job).bytes), Body::Empty)
}

/// Sending to a session costs none of the day's units: opening it did.
fn put(upload: &Upload, range: String, body: Body) -> Request {
    Request {
        method: Method::Put,
        headers: vec![("content-range", range)],
        units: 0,
        ..Request::post(upload.address.clone(), body, Repeat::Harmless)
    }
}

/// What became of a session, by its answer.
enum Arrival {
    Video(String),
    /// So many bytes are there, and more are wanted.
    Bytes(u64),
    SessionGone,
    /// It does not fit to what is there: asking tells where to go on.
    OutOfStep,
}

fn arrival(job: &Job, reply: &Reply) -> Result<Arrival, Refusal> {
    match reply.status {
        200 | 201 => Ok(Arrival::Video(reply.text("/id")?)),
        308 => match stored(reply) {
            // All of it, and no video: that is no end, and there is nothing left to send.
            Some(bytes) if bytes >= film(job).bytes => Ok(Arrival::OutOfStep),
            Some(bytes) => Ok(Arrival::Bytes(bytes)),
            None => Err(reply.unreadable("range")),
        },
        404 | 410 => Ok(Arrival::SessionGone),
        400 | 409 | 412 | 416 if refusal::known(reply) == Known::Nothing => Ok(Arrival::OutOfStep),
        _ => Err(refusal::of_reply(reply)),
    }
}

/// "bytes=0-999999"; "if no bytes have been received, there is no Range header". `None`: the
/// header says something else.
fn stored(reply: &Reply) -> Option<u64> {
    let Some(range) = reply.header("range") else { return Some(0) };
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    (first == "0").then(|| last.checked_add(1))?
}

pub(super) fn after_send(
    upload: Upload,
    from: u64,
    job: &Job,
    reply: &Reply,
) -> Result<Next<Step>, Refusal> {
    match arrival(job, reply)? {
        Arrival::Video(video) => Ok(Next::Go(Step::Process { video, polls: 0 })),
        Arrival::Bytes(bytes) if bytes > from => Ok(Next::Go(Step::Send { upload, from: bytes })),
        Arrival::Bytes(_) | Arrival::OutOfStep => ask_later(upload),
        Arrival::SessionGone => Ok(Next::Go(Step::Search { upload, looks: 0 })),
    }
}

pub(super) fn after_ask(upload: Upload, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
    match arrival(job, reply)? {
        Arrival::Video(video) => Ok(Next::Go(Step::Process { video, polls: 0 })),
        Arrival::Bytes(bytes) => Ok(Next::Go(Step::Send { upload, from: bytes })),
        Arrival::OutOfStep => ask_later(upload),
        Arrival::SessionGone => Ok(Next::Go(Step::Search { upload, looks: 0 })),
    }
}

fn ask_later(mut upload: Upload) -> Result<Next<Step>, Refusal> {
    upload.rounds += 1;
    if upload.rounds > ROUNDS_MAX {
        let words = "YouTube does not go on with the upload where it says that it stands";
        return Err(Refusal::new(RefusalKind::Media, "upload_stuck", words));
    }
    Ok(Next::Wait(PAUSE, Step::Ask { upload }))
}

/// "Newest first" is what is seen of this list, with what is private for the channel itself.
pub(super) fn search(job: &Job) -> Request {
    let uploads = job.author.traits.get(UPLOADS).map_or("", String::as_str);
    let uploads: String = byte_serialize(uploads.as_bytes()).collect();
    let path = format!(
        "/youtube/v3/playlistItems?part=snippet,contentDetails,status&playlistId={uploads}\
         &maxResults=50"
    );
    Request::get(job.site.url(API, &path))
}

/// A private video of this title and text, younger than the session, is the one. If there are
/// several, none is taken: one more upload does no harm, and the wrong video would.
pub(super) fn after_search(
    upload: Upload,
    looks: u32,
    job: &Job,
    reply: &Reply,
) -> Result<Next<Step>, Refusal> {
    if !reply.is_success() {
        return Err(refusal::of_reply(reply));
    }
    let items = reply.body["items"].as_array().ok_or_else(|| reply.unreadable("/items"))?;
    let mut found = items.iter().filter(|item| is_ours(item, &upload, job));
    let video = found.next().and_then(|item| item["contentDetails"]["videoId"].as_str());
    match (video, found.next()) {
        (Some(video), None) => Ok(Next::Go(Step::Process { video: video.to_owned(), polls: 0 })),
        (None, _) if looks + 1 < LOOKS_MAX => {
            Ok(Next::Wait(LAG, Step::Search { upload, looks: looks + 1 }))
        }
        _ => {
            let words = "YouTube has forgotten the upload, and lists no video that came of it";
            Err(Refusal::new(RefusalKind::Media, "upload_gone", words))
        }
    }
}

fn is_ours(item: &Value, upload: &Upload, job: &Job) -> bool {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let published = Timestamp::parse(text("/snippet/publishedAt"));
    text("/snippet/title").trim() == job.option(check::TITLE).trim()
        && text("/snippet/description").trim() == job.parts[0].text.trim()
        && text("/status/privacyStatus") == PRIVATE
        && published.is_some_and(|at| at >= upload.opened.before(SKEW))
}
