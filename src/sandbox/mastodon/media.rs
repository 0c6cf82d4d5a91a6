//! Attachments: methods/media, read 2026-07-02. Images are ready at once; video, audio and animated
//! GIFs are processed for a while, and a status cannot use them before.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{shelf, wire::Field},
};

use super::{Answer, Books, Call, Caller, Flavour, Mastodon, Reply, error};

pub(super) const DESCRIPTION_CHARS_MAX: usize = 1_500;
pub(super) const IMAGE_BYTES_MAX: usize = 16_777_216;
pub(super) const IMAGE_PIXELS_MAX: usize = 33_177_600;
pub(super) const VIDEO_BYTES_MAX: usize = 103_809_024;

pub(super) const MIME_TYPES: [&str; 12] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/webm",
    "video/mp4",
    "video/quicktime",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-flac",
    "audio/x-wav",
    "audio/m4a",
];

const GIF_PROCESSING: Duration = Duration::from_millis(500);
const VIDEO_PROCESSING: Duration = Duration::from_millis(1_500);

pub(super) struct Media {
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) mime: &'static str,
    pub(super) shelf: u64,
    pub(super) bytes: usize,
    pub(super) alt: String,
    pub(super) ready_at: Timestamp,
    pub(super) attached: Option<u64>,
    size: Option<(usize, usize)>,
}

/// A file that may be attached.
struct Checked {
    mime: &'static str,
    kind: Kind,
    size: Option<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Gifv,
    Video,
    Audio,
}

impl Kind {
    fn of(mime: &str) -> Option<Kind> {
        match mime {
            "image/gif" => Some(Kind::Gifv),
            "image/jpeg" | "image/png" | "image/webp" => Some(Kind::Image),
            _ if !MIME_TYPES.contains(&mime) => None,
            _ if mime.starts_with("video/") => Some(Kind::Video),
            _ => Some(Kind::Audio),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Gifv => "gifv",
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }

    /// As the ledger calls it, on every platform alike.
    pub(super) fn plain_name(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Gifv => "gif",
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }

    fn processing(self) -> Duration {
        match self {
            Kind::Image => Duration::ZERO,
            Kind::Gifv => GIF_PROCESSING,
            Kind::Video | Kind::Audio => VIDEO_PROCESSING,
        }
    }
}

impl Mastodon {
    pub(super) fn upload(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let file = call.file("file");
        let file = file.ok_or_else(|| self.invalid("Validation failed: File can't be blank"))?;
        let Checked { mime, kind, size } = self.checked(file)?;
        let alt = self.description(&call.parameters())?.unwrap_or_default();
        let shelf = books.shelf.keep(mime, vec![file.bytes.clone()]);
        let shelf = shelf.map_err(|shelf::Full| error(413, "Payload Too Large"))?;
        let waits = match self.flavour {
            Flavour::Mastodon => kind.processing(),
            Flavour::Gotosocial | Flavour::Pleroma | Flavour::Pixelfed => Duration::ZERO,
        };
        let id = books.chance.snowflake(call.now, 0, 16);
        let media = Media {
            account: caller.account,
            kind,
            mime,
            shelf,
            bytes: file.bytes.len(),
            alt,
            ready_at: call.now.after(waits),
            attached: None,
            size,
        };
        let status = if media.ready_at > call.now { 202 } else { 200 };
        let answer = Answer::json(status, &media.to_json(call, id));
        self.media.insert(id, media);
        Ok(answer)
    }

    fn checked(&self, file: &Field) -> Result<Checked, Answer> {
        let mime = shelf::sniff(&file.bytes);
        let kind = Kind::of(mime).ok_or_else(|| {
            self.invalid("Validation failed: File content type is invalid, File is invalid")
        })?;
        let (most, words) = match kind {
            Kind::Image | Kind::Gifv => (IMAGE_BYTES_MAX, "16 MB"),
            Kind::Video | Kind::Audio => (VIDEO_BYTES_MAX, "99 MB"),
        };
        if file.bytes.len() > most {
            let text = format!("Validation failed: File file size must be less than {words}");
            return Err(self.invalid(&text));
        }
        let size = match kind {
            Kind::Image | Kind::Gifv => shelf::dimensions(&file.bytes),
            Kind::Video | Kind::Audio => None,
        };
        if let Some((width, height)) = size
            && width.saturating_mul(height) > IMAGE_PIXELS_MAX
        {
            let text = format!("Validation failed: File {width}x{height} images are not supported");
            return Err(self.invalid(&text));
        }
        Ok(Checked { mime, kind, size })
    }

    fn description(&self, body: &Value) -> Result<Option<String>, Answer> {
        let Some(text) = body["description"].as_str() else {
            return Ok(None);
        };
        if text.chars().count() > DESCRIPTION_CHARS_MAX {
            let text = format!(
                "Validation failed: Description is too long (maximum is {DESCRIPTION_CHARS_MAX} \
                 characters)"
            );
            return Err(self.invalid(&text));
        }
        Ok(Some(text.to_owned()))
    }

    /// One attachment, which is "404 unknown or already attached".
    pub(super) fn attachment(
        &mut self,
        call: &Call,
        id: &str,
        caller: Caller,
        books: &mut Books,
    ) -> Reply {
        let not_found = || error(404, "Record not found");
        let id: u64 = id.parse().map_err(|_| not_found())?;
        let alt = self.description(&call.parameters())?;
        let mine = |media: &&mut Media| media.account == caller.account && media.attached.is_none();
        let media = self.media.get_mut(&id).filter(mine).ok_or_else(not_found)?;
        match call.method.as_str() {
            "GET" => {
                let status = if media.ready_at > call.now { 206 } else { 200 };
                Ok(Answer::json(status, &media.to_json(call, id)))
            }
            "PUT" => {
                if let Some(alt) = alt {
                    media.alt = alt;
                }
                Ok(Answer::json(200, &media.to_json(call, id)))
            }
            "DELETE" => {
                books.shelf.drop(media.shelf);
                self.media.remove(&id);
                Ok(Answer::json(200, &json!({})))
            }
            _ => Err(error(405, "Method Not Allowed")),
        }
    }
}

impl Media {
    pub(super) fn to_json(&self, call: &Call, id: u64) -> Value {
        let url = match self.ready_at > call.now {
            true => Value::Null,
            false => json!(format!("{}/_sandbox/media/{}", call.origin, self.shelf)),
        };
        let meta = match self.size {
            Some((width, height)) => json!({ "original": {
                "width": width, "height": height, "size": format!("{width}x{height}"),
                "aspect": width as f64 / height.max(1) as f64,
            } }),
            None => json!({}),
        };
        let alt = match self.alt.is_empty() {
            true => Value::Null,
            false => json!(self.alt),
        };
        json!({
            "id": id.to_string(), "type": self.kind.name(), "url": url, "preview_url": url,
            "remote_url": null, "preview_remote_url": null, "text_url": null, "meta": meta,
            "description": alt, "blurhash": null,
        })
    }
}
