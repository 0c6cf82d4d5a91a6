//! Uploads: the dedicated endpoints and the one-shot form, docs.x.com, media, read 2026-07-02.

use std::{collections::BTreeMap, time::Duration};

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::shelf};

use super::{Answer, Books, Call, EPOCH, Reply, X, invalid, not_found, plain_problem};

const IMAGE_BYTES_MAX: usize = 5 * 1024 * 1024;
const GIF_BYTES_MAX: usize = 15 * 1024 * 1024;
const VIDEO_BYTES_MAX: usize = 512 * 1024 * 1024;
const CHUNK_BYTES_MAX: usize = 5 * 1024 * 1024;
const SEGMENT_MAX: u64 = 999;
const ALT_CHARS_MAX: usize = 1_000;

/// Unattached media is kept for a day.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
const PROCESSING: Duration = Duration::from_millis(1_500);

pub(super) struct Media {
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) alt: String,
    pub(super) stage: Stage,
    began: Timestamp,
}

/// `Sending → Kept`. A one-shot upload begins as kept.
pub(super) enum Stage {
    Sending { bytes_total: usize, segments: BTreeMap<u64, Bytes> },
    Kept { shelf: u64, mime: &'static str, bytes: usize, ready_at: Timestamp },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Gif,
    Video,
}

impl Kind {
    fn of_category(category: &str) -> Option<Kind> {
        match category {
            "tweet_image" => Some(Kind::Image),
            "tweet_gif" => Some(Kind::Gif),
            "tweet_video" | "amplify_video" => Some(Kind::Video),
            _ => None,
        }
    }

    fn accepts(self, mime: &str) -> bool {
        match self {
            Kind::Image => [
                "image/jpeg",
                "image/png",
                "image/webp",
                "image/bmp",
                "image/tiff",
                "image/pjpeg",
                "image/gif",
            ]
            .contains(&mime),
            Kind::Gif => mime == "image/gif",
            Kind::Video => {
                ["video/mp4", "video/quicktime", "video/webm", "video/mp2t"].contains(&mime)
            }
        }
    }

    fn bytes_max(self) -> usize {
        match self {
            Kind::Image => IMAGE_BYTES_MAX,
            Kind::Gif => GIF_BYTES_MAX,
            Kind::Video => VIDEO_BYTES_MAX,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Gif => "gif",
            Kind::Video => "video",
        }
    }

    /// As `media_key` and the media object's `type` have it.
    fn key(self) -> (&'static str, &'static str) {
        match self {
            Kind::Image => ("3", "photo"),
            Kind::Gif => ("16", "animated_gif"),
            Kind::Video => ("7", "video"),
        }
    }
}

impl Media {
    pub(super) fn media_key(&self, id: u64) -> String {
        format!("{}_{id}", self.kind.key().0)
    }

    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        let ready = match self.stage {
            Stage::Sending { .. } => false,
            Stage::Kept { ready_at, .. } => ready_at <= now,
        };
        ready && self.began.elapsed(now) < LIFE
    }

    pub(super) fn object(&self, call: &Call, id: u64) -> Value {
        let mut body = json!({ "media_key": self.media_key(id), "type": self.kind.key().1,
            "alt_text": self.alt });
        if let Stage::Kept { shelf, .. } = self.stage {
            body["url"] = json!(format!("{}/_sandbox/media/{shelf}", call.origin));
        }
        body
    }

    fn answer(&self, id: u64, now: Timestamp) -> Answer {
        let mut data = json!({ "id": id.to_string(), "media_key": self.media_key(id),
            "expires_after_secs": LIFE.as_secs() });
        if let Stage::Kept { bytes, ready_at, .. } = self.stage {
            data["size"] = json!(bytes);
            if self.kind != Kind::Image {
                data["processing_info"] = processing(ready_at, now);
            }
        }
        Answer::json(200, &json!({ "data": data }))
    }
}

fn processing(ready_at: Timestamp, now: Timestamp) -> Value {
    let left = ready_at.remaining(now);
    if left.is_zero() {
        return json!({ "state": "succeeded", "progress_percent": 100 });
    }
    let done = PROCESSING.saturating_sub(left).as_millis() * 100 / PROCESSING.as_millis();
    let state = if done == 0 { "pending" } else { "in_progress" };
    json!({ "state": state, "check_after_secs": 1, "progress_percent": done as u64 })
}

impl X {
    pub(super) fn initialize(
        &mut self,
        call: &Call,
        _: &str,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let body = call.json().unwrap_or_default();
        let category = body["media_category"].as_str().unwrap_or_default();
        let kind = Kind::of_category(category).ok_or_else(|| wrong("media_category", category))?;
        let mime = body["media_type"].as_str().unwrap_or_default();
        if !kind.accepts(mime) {
            return Err(wrong("media_type", mime));
        }
        let total = body["total_bytes"].as_u64().unwrap_or_default();
        let bytes_total = usize::try_from(total).unwrap_or(usize::MAX);
        if bytes_total == 0 || bytes_total > kind.bytes_max() {
            return Err(wrong("total_bytes", &total.to_string()));
        }
        let media = Media {
            account,
            kind,
            alt: String::new(),
            stage: Stage::Sending { bytes_total, segments: BTreeMap::new() },
            began: call.now,
        };
        let id = books.chance.snowflake(call.now, EPOCH, 22);
        let answer = media.answer(id, call.now);
        self.media.insert(id, media);
        Ok(answer)
    }

    fn own_media(&mut self, id: &str, account: usize) -> Result<(u64, &mut Media), Answer> {
        let number = id.parse().unwrap_or_default();
        let mine = self.media.get_mut(&number);
        match mine.filter(|media| media.account == account) {
            Some(media) => Ok((number, media)),
            None => Err(wrong("id", id)),
        }
    }

    pub(super) fn append(&mut self, call: &Call, id: &str, account: usize, _: &mut Books) -> Reply {
        let (index, bytes) = segment(call)?;
        if index > SEGMENT_MAX {
            return Err(wrong("segment_index", &index.to_string()));
        }
        if bytes.len() > CHUNK_BYTES_MAX {
            return Err(plain_problem(413, "Payload Too Large", "Payload Too Large"));
        }
        let (_, media) = self.own_media(id, account)?;
        let ends = media.began.after(LIFE).0 / 1_000;
        match &mut media.stage {
            Stage::Kept { .. } => Err(wrong("id", id)),
            Stage::Sending { segments, .. } => {
                segments.insert(index, bytes);
                Ok(Answer::json(200, &json!({ "data": { "expires_at": ends } })))
            }
        }
    }

    pub(super) fn finalize(
        &mut self,
        call: &Call,
        id: &str,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let (number, media) = self.own_media(id, account)?;
        let Stage::Sending { bytes_total, segments } = &media.stage else {
            // Finalizing again tells the same as asking.
            return Ok(media.answer(number, call.now));
        };
        let size: usize = segments.values().map(Bytes::len).sum();
        let complete = segments.keys().copied().eq(0..segments.len() as u64);
        if size != *bytes_total || !complete {
            let text = format!("Segments do not add up to provided total file size: {size}");
            return Err(invalid(&text, &json!({})));
        }
        let mime = segments.get(&0).map_or("", |first| shelf::sniff(first));
        if !media.kind.accepts(mime) {
            return Err(wrong("media_type", mime));
        }
        let kept = books.shelf.keep(mime, segments.values().cloned().collect());
        let waits = match media.kind {
            Kind::Image => Duration::ZERO,
            Kind::Gif | Kind::Video => PROCESSING,
        };
        media.stage = Stage::Kept {
            shelf: kept.map_err(full)?,
            mime,
            bytes: size,
            ready_at: call.now.after(waits),
        };
        Ok(media.answer(number, call.now))
    }

    pub(super) fn status(&mut self, call: &Call, _: &str, account: usize, _: &mut Books) -> Reply {
        if call.query("command").is_some_and(|command| command != "STATUS") {
            return Err(wrong("command", call.query("command").unwrap_or_default()));
        }
        let id = call.query("media_id").unwrap_or_default();
        let (number, media) = self.own_media(id, account)?;
        Ok(media.answer(number, call.now))
    }

    /// Small images in a single request.
    pub(super) fn one_shot(
        &mut self,
        call: &Call,
        _: &str,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let body = call.parameters();
        let category = body["media_category"].as_str().unwrap_or_default();
        let kind = Kind::of_category(category).filter(|kind| *kind == Kind::Image);
        let kind = kind.ok_or_else(|| wrong("media_category", category))?;
        let bytes = media_bytes(call)?;
        let mime = shelf::sniff(&bytes);
        if !kind.accepts(mime) {
            return Err(wrong("media", mime));
        }
        if bytes.len() > kind.bytes_max() {
            return Err(plain_problem(413, "Payload Too Large", "Payload Too Large"));
        }
        let size = bytes.len();
        let media = Media {
            account,
            kind,
            alt: String::new(),
            stage: Stage::Kept {
                shelf: books.shelf.keep(mime, vec![bytes]).map_err(full)?,
                mime,
                bytes: size,
                ready_at: call.now,
            },
            began: call.now,
        };
        let id = books.chance.snowflake(call.now, EPOCH, 22);
        let answer = media.answer(id, call.now);
        self.media.insert(id, media);
        Ok(answer)
    }

    pub(super) fn metadata(
        &mut self,
        call: &Call,
        _: &str,
        account: usize,
        _: &mut Books,
    ) -> Reply {
        let body = call.json().ok_or_else(not_found)?;
        let id = body["id"].as_str().unwrap_or_default();
        let text = body["metadata"]["alt_text"]["text"].as_str().unwrap_or_default();
        if text.chars().count() > ALT_CHARS_MAX {
            return Err(wrong("metadata.alt_text.text", "more than 1000 characters"));
        }
        let (_, media) = self.own_media(id, account)?;
        media.alt = text.to_owned();
        let data = json!({ "id": id, "associated_metadata": { "alt_text": { "text": text } } });
        Ok(Answer::json(200, &json!({ "data": data })))
    }
}

/// The index and the bytes of an append, as multipart or as JSON.
fn segment(call: &Call) -> Result<(u64, Bytes), Answer> {
    let body = call.parameters();
    let index = &body["segment_index"];
    let index = index
        .as_u64()
        .or_else(|| index.as_str()?.parse().ok())
        .ok_or_else(|| wrong("segment_index", &index.to_string()))?;
    Ok((index, media_bytes(call)?))
}

fn media_bytes(call: &Call) -> Result<Bytes, Answer> {
    if let Some(field) = call.file("media") {
        return Ok(field.bytes.clone());
    }
    let body = call.json().unwrap_or_default();
    let encoded = body["media"].as_str().and_then(|text| STANDARD.decode(text).ok());
    encoded.map(Bytes::from).ok_or_else(|| wrong("media", "missing"))
}

fn full(shelf::Full: shelf::Full) -> Answer {
    plain_problem(413, "Payload Too Large", "the sandbox is full")
}

fn wrong(parameter: &str, value: &str) -> Answer {
    let text = format!("The `{parameter}` value [{value}] is not valid");
    invalid(&text, &json!({ parameter: [value] }))
}
