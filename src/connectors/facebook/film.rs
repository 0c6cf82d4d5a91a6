//! A film on its way to Facebook, and what Facebook says of it.
//!
//! <https://developers.facebook.com/docs/graph-api/video-uploads>,
//! <https://developers.facebook.com/docs/video-api/guides/reels-publishing>,
//! <https://developers.facebook.com/docs/graph-api/reference/video-status> and
//! <https://developers.facebook.com/docs/video-api/reference/error-codes>, as of 2026-10.
//!
//! A film among the posts goes up in the pieces that Facebook asks for, a reel or a story in one
//! request to an address that Facebook names. Up to the request that publishes it, nobody sees it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    GRAPH, Step, VIDEO,
    post::{self, Sent, Shape, TITLE, of_page},
};
use crate::{
    connectors::{
        Auth, Body, ByteRange, FilePart, Job, JobMedia, Next, Repeat, Reply, Request, Sighting,
        Site,
    },
    domain::refusal::{Refusal, RefusalKind},
};

/// What is published is processed first, so a look that comes early could not tell.
const SETTLE: Duration = Duration::from_secs(120);

/// Some twenty-five minutes, with the waits of [`pause`].
pub(super) const POLLS_MAX: u32 = 60;

/// A film is checked while it is still unseen, as far as that goes: some are processed before they
/// are published, others afterwards. After some two minutes it is published anyway.
const PATIENCE: u32 = 18;

/// Facebook may correct where a piece begins; each time it would be one more request.
const CORRECTIONS_MAX: u32 = 5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Film {
    pub(super) video: String,
    /// Of an upload in pieces; empty for reels and stories.
    pub(super) session: String,
    /// The post that shows it, once that is known.
    pub(super) post: String,
}

/// `start` included, `end` not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) corrections: u32,
}

fn media(job: &Job) -> &JobMedia {
    job.parts[0].media.first().expect("a film has a file")
}

fn edge(job: &Job) -> String {
    match Shape::of(job) {
        Shape::Film => job.site.url(VIDEO, &of_page("videos", job)),
        Shape::FilmStory => job.site.url(GRAPH, &of_page("video_stories", job)),
        Shape::Reel | Shape::Feed | Shape::PhotoStory => {
            job.site.url(GRAPH, &of_page("video_reels", job))
        }
    }
}

pub(super) fn start(job: &Job) -> Request {
    let mut body = json!({ "upload_phase": "start" });
    if Shape::of(job) == Shape::Film {
        body["file_size"] = json!(media(job).bytes);
    }
    Request::post(edge(job), Body::Json(body), Repeat::Harmless)
}

pub(super) fn started(job: &Job, reply: &Reply) -> Result<Step, Refusal> {
    let video = post::id(reply, "/video_id")?;
    if Shape::of(job) == Shape::Film {
        let session = post::id(reply, "/upload_session_id")?;
        let start = number(&reply.body["start_offset"]).unwrap_or_default();
        let piece = Piece { start, end: end(job, reply), corrections: 0 };
        let film = Film { video, session, post: String::new() };
        return Ok(Step::Transfer { film, piece });
    }
    let address = reply.text("/upload_url")?;
    if !is_facebook(&address, &job.site) {
        return Err(reply.unreadable("upload_url of Facebook"));
    }
    let film = Film { video, session: String::new(), post: String::new() };
    Ok(Step::Send { film, address })
}

/// The page's token goes along, so the address has to be Facebook's own.
fn is_facebook(address: &str, site: &Site) -> bool {
    let host = |address: &str| {
        let parsed = url::Url::parse(address).ok()?;
        parsed.host_str().map(str::to_owned)
    };
    let (named, ours) = (host(address), host(&site.url(GRAPH, "")));
    named.is_some_and(|named| named.ends_with(".facebook.com") || Some(named) == ours)
}

pub(super) fn transfer(film: &Film, piece: &Piece, job: &Job) -> Request {
    let media = media(job);
    let fields = [
        ("upload_phase", "transfer".to_owned()),
        ("upload_session_id", film.session.clone()),
        ("start_offset", piece.start.to_string()),
    ];
    let body = Body::Multipart {
        fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        files: vec![FilePart {
            field: "video_file_chunk".to_owned(),
            media: media.id,
            range: Some(ByteRange { start: piece.start, end: piece.end }),
            cipher: None,
            file_name: format!("{}.{}", media.id, piece.start),
            content_type: "application/octet-stream".to_owned(),
        }],
    };
    // A piece that is there already is answered with where to go on: [`corrected`].
    Request::post(edge(job), body, Repeat::Harmless)
}

impl Piece {
    /// `None`: that was the last, after which nothing is left between the two offsets.
    pub(super) fn next(&self, job: &Job, reply: &Reply) -> Result<Option<Piece>, Refusal> {
        let start = number(&reply.body["start_offset"]).unwrap_or(self.end);
        let end = end(job, reply);
        if start >= end {
            return Ok(None);
        }
        if start <= self.start {
            return Err(reply.unreadable("start_offset beyond the last"));
        }
        Ok(Some(Piece { start, end, corrections: self.corrections }))
    }
}

/// 1363037: "Returned when the server receives an invalid start offset from the client", with the
/// right one in `error_data`. So it is after a piece whose answer was lost; if that was the last
/// one, nothing is left to send. `None`: the answer says nothing of the kind.
pub(super) fn corrected(film: &Film, piece: &Piece, job: &Job, reply: &Reply) -> Option<Step> {
    let data = &reply.body["error"]["error_data"];
    let parsed = data.as_str().and_then(|data| serde_json::from_str::<Value>(data).ok());
    let data = parsed.as_ref().unwrap_or(data);
    let bytes = media(job).bytes;
    let start = number(&data["start_offset"])?;
    if start == bytes {
        return Some(Step::Finish { film: film.clone() });
    }
    let end = number(&data["end_offset"]).unwrap_or(bytes).min(bytes);
    let corrections = piece.corrections + 1;
    (corrections <= CORRECTIONS_MAX && start < end)
        .then(|| Step::Transfer { film: film.clone(), piece: Piece { start, end, corrections } })
}

fn end(job: &Job, reply: &Reply) -> u64 {
    let bytes = media(job).bytes;
    number(&reply.body["end_offset"]).unwrap_or(bytes).min(bytes)
}

/// Offsets are texts in the examples and numbers in the description.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// All of it in one request; the rest of a file that was cut off is not asked for, it begins anew.
pub(super) fn send(address: &str, job: &Job) -> Request {
    let media = media(job);
    let body = Body::File {
        media: media.id,
        range: None,
        content_type: "application/octet-stream".to_owned(),
    };
    Request {
        auth: Auth::AccessAs("OAuth"),
        headers: vec![("offset", "0".to_owned()), ("file_size", media.bytes.to_string())],
        ..Request::post(address.to_owned(), body, Repeat::Harmless)
    }
}

pub(super) fn status(film: &Film, job: &Job) -> Request {
    let fields = "fields=status,post_id,permalink_url,published";
    Request::get(job.site.url(GRAPH, &format!("/{{version}}/{}?{fields}", film.video)))
}

pub(super) fn finish(film: &Film, job: &Job) -> Request {
    let mut body = json!({ "upload_phase": "finish" });
    match Shape::of(job) {
        Shape::Film => body["upload_session_id"] = json!(film.session),
        Shape::FilmStory => body["video_id"] = json!(film.video),
        Shape::Reel | Shape::Feed | Shape::PhotoStory => {
            body["video_id"] = json!(film.video);
            body["video_state"] = json!("PUBLISHED");
        }
    }
    if Shape::of(job) != Shape::FilmStory {
        for (name, value) in
            [("description", job.parts[0].text.as_str()), ("title", job.option(TITLE))]
        {
            if !value.is_empty() {
                body[name] = json!(value);
            }
        }
    }
    let settle = match Shape::of(job) {
        Shape::FilmStory => post::SETTLE,
        Shape::Film | Shape::Reel | Shape::Feed | Shape::PhotoStory => SETTLE,
    };
    Request::post(edge(job), Body::Json(body), Repeat::Probed { settle })
}

impl Film {
    /// `{"success":true}`, and perhaps the post. Nothing else is taken for a yes.
    pub(super) fn finished(self, job: &Job, reply: &Reply) -> Result<Film, Refusal> {
        if reply.body["success"] != json!(true) {
            post::id(reply, "/post_id")?;
        }
        Ok(self.known_by(job, reply))
    }

    /// Facebook names the post with the page's id in front, or without.
    pub(super) fn known_by(self, job: &Job, reply: &Reply) -> Film {
        let post = post::id_of(&reply.body["post_id"]);
        match (post.is_empty(), post.contains('_')) {
            (true, _) => self,
            (false, true) => Film { post, ..self },
            (false, false) => Film { post: format!("{}_{post}", job.author.remote_id), ..self },
        }
    }

    /// By its own id, which is known before its post's is, and never changes.
    pub(super) fn sent(&self, url: String) -> Sent {
        Sent { id: self.video.clone(), url }
    }

    pub(super) fn post_or_video(&self) -> String {
        if self.post.is_empty() { self.video.clone() } else { self.post.clone() }
    }

    pub(super) fn sighting(self, reply: &Reply) -> Sighting<Step> {
        match Standing::read(reply) {
            Standing::Published | Standing::Publishing | Standing::Failed(_) => {
                Sighting::Found(Next::Go(Step::Confirm { film: self, polls: 0 }))
            }
            Standing::Idle => Sighting::Absent,
            Standing::Processing => Sighting::Unsure(format!(
                "Facebook is still processing the video {}, and does not say whether it is going \
                 to publish it",
                self.video
            )),
            Standing::Unknown => Sighting::Unsure(format!(
                "the state of the video {} could not be read (HTTP {})",
                self.video, reply.status
            )),
        }
    }
}

/// Where a film stands, by its status.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Standing {
    /// Readers can see it.
    Published,
    /// It was told to publish, and has not done so yet.
    Publishing,
    /// It will not be seen. Why, in Facebook's words.
    Failed(String),
    /// Being processed; whether it is to be published is not said.
    Processing,
    /// There, and not told to publish.
    Idle,
    Unknown,
}

impl Standing {
    /// `ready` alone is no proof: a draft is that too.
    pub(super) fn read(reply: &Reply) -> Standing {
        let status = &reply.body["status"];
        let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let (whole, processing) = (text("/video_status"), text("/processing_phase/status"));
        let publishing = text("/publishing_phase/status");
        let publish_status = text("/publishing_phase/publish_status");
        let published = reply.body["published"].as_bool();
        if !reply.is_success() || whole.is_empty() {
            return Standing::Unknown;
        }
        let is_told = matches!(publish_status, "published" | "scheduled")
            || matches!(publishing, "in_progress" | "complete");
        let is_silent = publish_status.is_empty() && publishing.is_empty();
        if publishing == "complete" && publish_status != "draft" {
            return Standing::Published;
        }
        if let Some(reason) = failure(status, whole) {
            return Standing::Failed(reason);
        }
        match (whole, is_told) {
            ("ready", true) => Standing::Published,
            ("ready", false) if is_silent => match published {
                Some(true) => Standing::Published,
                Some(false) => Standing::Idle,
                None => Standing::Unknown,
            },
            (_, true) if processing == "complete" => Standing::Published,
            (_, true) => Standing::Publishing,
            ("processing", false) => Standing::Processing,
            (_, false) if processing == "in_progress" => Standing::Processing,
            ("ready" | "uploading" | "upload_complete", false) => Standing::Idle,
            (_, false) => Standing::Unknown,
        }
    }
}

const PHASES: &[&str] = &["uploading_phase", "processing_phase", "publishing_phase"];

fn failure(status: &Value, whole: &str) -> Option<String> {
    let mut failed = PHASES.iter().map(|name| &status[name]);
    let phase = failed.find(|phase| phase["status"] == "error");
    if phase.is_none() && !matches!(whole, "error" | "expired") {
        return None;
    }
    let words = phase.and_then(|phase| {
        phase["errors"][0]["message"].as_str().or(phase["error"]["message"].as_str())
    });
    Some(words.unwrap_or(if whole == "expired" { "it expired" } else { "no reason" }).to_owned())
}

/// How long to wait before asking again; `None`: it can be published.
pub(super) fn processing(reply: &Reply, polls: u32) -> Result<Option<Duration>, Refusal> {
    let status = &reply.body["status"];
    let whole = status["video_status"].as_str().unwrap_or_default();
    if let Some(reason) = failure(status, whole) {
        return Err(unusable(&reason));
    }
    let is_ready = matches!(whole, "upload_complete" | "ready");
    let is_uploaded = status["uploading_phase"]["status"] == "complete";
    if is_ready || (is_uploaded && polls >= PATIENCE) {
        return Ok(None);
    }
    match polls < POLLS_MAX {
        true => Ok(Some(pause(polls))),
        false => Err(unusable("it was not ready in time")),
    }
}

/// Short films are done after seconds, long ones after many minutes.
pub(super) fn pause(polls: u32) -> Duration {
    Duration::from_secs(match polls {
        0..12 => 5,
        12..24 => 15,
        24.. => 35,
    })
}

pub(super) fn unusable(reason: &str) -> Refusal {
    let words = format!("Facebook could not use the video: {reason}");
    Refusal::new(RefusalKind::Media, "video_failed", words)
}
