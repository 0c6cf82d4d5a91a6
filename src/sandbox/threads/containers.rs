//! Containers: what is about to be published, fetched and processed first. They are kept for a day
//! (docs/threads, troubleshooting, read 2026-11-21).

use std::time::Duration;

use axum::body::Bytes;
use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        ledger::LedgerMedia,
        shelf::{dimensions, sniff},
    },
};

use super::{
    Answer, Books, Call, Caller, EPOCH, ID_BITS, Reply, Threads, invalid, missing,
    parameters::{Kind, Role, Wanted, publishes_at_once},
    publishing::not_there,
    refusal,
};

const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
const IMAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
const RATIO_MAX: usize = 10;

pub(super) struct Container {
    pub(super) account: usize,
    pub(super) wanted: Wanted,
    pub(super) media: Vec<LedgerMedia>,
    /// One of the documented values of `error_message`.
    failure: Option<&'static str>,
    began: Timestamp,
    ready_at: Timestamp,
    pub(super) fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Open,
    Published,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    InProgress,
    Finished,
    Published,
    Error,
    Expired,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Status::InProgress => "IN_PROGRESS",
            Status::Finished => "FINISHED",
            Status::Published => "PUBLISHED",
            Status::Error => "ERROR",
            Status::Expired => "EXPIRED",
        }
    }
}

impl Container {
    pub(super) fn status(&self, now: Timestamp) -> Status {
        if self.fate == Fate::Published {
            return Status::Published;
        }
        if self.began.elapsed(now) >= LIFE {
            return Status::Expired;
        }
        match self.failure {
            _ if self.ready_at > now => Status::InProgress,
            Some(_) => Status::Error,
            None => Status::Finished,
        }
    }

    pub(super) fn error_message(&self, now: Timestamp) -> Option<&'static str> {
        self.failure.filter(|_| self.status(now) == Status::Error)
    }
}

impl Threads {
    pub(super) fn create(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let wanted = Wanted::read(call)?;
        self.check_relations(&wanted, caller, call.now)?;
        let (media, failure) = match wanted.kind {
            Kind::Text => (Vec::new(), None),
            Kind::Carousel => (self.gathered(&wanted, caller, call.now)?, None),
            Kind::Image | Kind::Video => fetched(call, &wanted, books)?,
        };
        let container = Container {
            account: caller.account,
            ready_at: call.now.after(processing(wanted.kind)),
            wanted,
            media,
            failure,
            began: call.now,
            fate: Fate::Open,
        };
        let id = books.chance.snowflake(call.now, EPOCH, ID_BITS);
        self.containers.insert(id, container);
        match publishes_at_once(call) {
            true => self.publish_container(call, caller, id, books),
            false => Ok(Answer::json(200, &json!({ "id": id.to_string() }))),
        }
    }

    /// What is answered and quoted must be there. Answering others needs a permission of its own,
    /// and so does naming a place.
    fn check_relations(
        &self,
        wanted: &Wanted,
        caller: Caller,
        now: Timestamp,
    ) -> Result<(), Answer> {
        if wanted.location.is_some() {
            self.demand(caller, "threads_location_tagging")?;
        }
        for id in [wanted.reply_to, wanted.quotes].into_iter().flatten() {
            let other = self.live(id, now).ok_or_else(|| missing(&id.to_string()))?;
            let answers = wanted.reply_to == Some(id);
            if answers && other.account != caller.account {
                self.demand(caller, "threads_manage_replies")?;
            }
        }
        Ok(())
    }

    /// The media of a carousel's items, which must be finished: no page says how an unfinished one
    /// is refused, so it is taken for one that is not there yet, as publishing does.
    fn gathered(
        &self,
        wanted: &Wanted,
        caller: Caller,
        now: Timestamp,
    ) -> Result<Vec<LedgerMedia>, Answer> {
        let mut media: Vec<LedgerMedia> = Vec::new();
        for id in &wanted.children {
            let child = self.containers.get(id);
            let child = child.filter(|child| child.account == caller.account);
            let child = child.ok_or_else(|| missing(&id.to_string()))?;
            if child.wanted.role != Role::Item {
                return Err(invalid(&format!("{id} was not created with is_carousel_item")));
            }
            match child.status(now) {
                Status::Finished => media.extend(child.media.iter().cloned()),
                Status::InProgress | Status::Published | Status::Error | Status::Expired => {
                    return Err(not_there());
                }
            }
        }
        Ok(media)
    }
}

/// 30 seconds on average (docs/threads, posts, read 2026-11-21); here it is shorter, and
/// still longer than an impatient client waits.
fn processing(kind: Kind) -> Duration {
    match kind {
        Kind::Text => Duration::ZERO,
        Kind::Image | Kind::Carousel => Duration::from_secs(2),
        Kind::Video => Duration::from_secs(8),
    }
}

type Found = (Vec<LedgerMedia>, Option<&'static str>);

/// What stands at the container's address. A film that cannot be fetched fails later, an image at
/// once.
fn fetched(call: &Call, wanted: &Wanted, books: &mut Books) -> Result<Found, Answer> {
    let url = wanted.url.as_deref().unwrap_or_default();
    let bytes = match call.fetched.get(url) {
        Some(Ok(bytes)) => bytes,
        Some(Err(_)) | None if wanted.kind == Kind::Video => {
            return Ok((Vec::new(), Some("FAILED_DOWNLOADING_VIDEO")));
        }
        Some(Err(_)) | None => {
            // The numbers are those of Instagram's same sentence.
            let text = "The media could not be fetched from this URI";
            return Err(refusal(400, 9_004, Some(2_207_052), text));
        }
    };
    let mime = sniff(bytes);
    if let Some(failure) = failure(wanted.kind, mime, bytes) {
        return Ok((Vec::new(), Some(failure)));
    }
    let shelf = books.shelf.keep(mime, vec![bytes.clone()]);
    let shelf = shelf.map_err(|_| refusal(500, 2, None, "the sandbox is full"))?;
    let media = LedgerMedia {
        kind: if wanted.kind == Kind::Video { "video" } else { "image" },
        mime,
        bytes: bytes.len(),
        alt: wanted.alt.clone(),
        shelf,
    };
    Ok((vec![media], None))
}

/// Which of the documented failures the bytes lead to. `UNKNOWN` where none of them fits.
fn failure(kind: Kind, mime: &str, bytes: &Bytes) -> Option<&'static str> {
    if kind == Kind::Video {
        let accepted = ["video/mp4", "video/quicktime"].contains(&mime);
        return (!accepted).then_some("FAILED_PROCESSING_VIDEO");
    }
    if !["image/jpeg", "image/png"].contains(&mime) || bytes.len() > IMAGE_BYTES_MAX {
        return Some("UNKNOWN");
    }
    let Some((width, height)) = dimensions(bytes) else {
        return Some("UNKNOWN");
    };
    let (long, short) = (width.max(height), width.min(height));
    // The value is spelt so.
    (long > short * RATIO_MAX).then_some("INVALID_ASPEC_RATIO")
}
