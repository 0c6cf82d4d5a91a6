//! What becomes of a post: doc/content-posting-api-reference-get-video-status, read 2026-11-21.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        given::Given,
        kept::Kept,
        ledger::{Face, LedgerEntry, LedgerMedia},
        meta::film,
        text,
    },
};

use super::{
    Answer, Books, Call, Reply, Tiktok, body, fine, full, invalid,
    post::{Post, SECONDS_MAX},
    refusal,
};

const PROCESSING: Duration = Duration::from_secs(15);
/// Until the public sees it: "usually within one minute" (the same page).
const MODERATION: Duration = Duration::from_secs(30);
const PHOTO_BYTES_MAX: usize = 20_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Film,
    Photos,
}

pub(super) struct Task {
    pub(super) account: usize,
    pub(super) kind: Kind,
    pub(super) post: Post,
    pub(super) began: Timestamp,
    pub(super) stage: Stage,
}

/// `Sending → Working`, which ends at `ready_at` by itself; `Sending → Cancelled` and, where TikTok
/// fetches, `Working → Cancelled`.
pub(super) enum Stage {
    Sending {
        plan: super::upload::Plan,
        token: String,
        chunks: Vec<Bytes>,
    },
    Working {
        bytes: u64,
        ready_at: Timestamp,
        /// The post's id, or why there will be none.
        outcome: Result<u64, &'static str>,
    },
    Cancelled,
}

impl Task {
    /// The post's id once the public sees it.
    pub(super) fn public_id(&self, now: Timestamp) -> Option<u64> {
        let Stage::Working { ready_at, outcome, .. } = &self.stage else { return None };
        let seen = self.post.audience != "SELF_ONLY" && ready_at.after(MODERATION) <= now;
        outcome.ok().filter(|_| seen)
    }

    fn to_json(&self, publish_id: &str, now: Timestamp) -> Value {
        let pulled = publish_id.contains("_url~");
        let busy = if pulled { "PROCESSING_DOWNLOAD" } else { "PROCESSING_UPLOAD" };
        let counted = if pulled { "downloaded_bytes" } else { "uploaded_bytes" };
        match &self.stage {
            Stage::Sending { chunks, .. } => {
                let received: usize = chunks.iter().map(Bytes::len).sum();
                json!({ "status": busy, counted: received })
            }
            Stage::Cancelled => json!({ "status": "FAILED", "fail_reason": "publish_cancelled" }),
            Stage::Working { bytes, ready_at, .. } if *ready_at > now => {
                json!({ "status": busy, counted: bytes })
            }
            Stage::Working { outcome: Err(reason), bytes, .. } => {
                json!({ "status": "FAILED", "fail_reason": reason, counted: bytes })
            }
            Stage::Working { outcome: Ok(_), bytes, .. } => {
                let ids: Vec<u64> = self.public_id(now).into_iter().collect();
                json!({ "status": "PUBLISH_COMPLETE", "publicaly_available_post_id": ids,
                    counted: bytes })
            }
        }
    }
}

impl Tiktok {
    pub(super) fn status(&mut self, call: &Call, account: usize) -> Reply {
        let publish_id = self.own(call, account)?;
        let task = &self.tasks[&publish_id];
        Ok(fine(&task.to_json(&publish_id, call.now)))
    }

    /// As long as nothing is posted.
    pub(super) fn cancel(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let publish_id = self.own(call, account)?;
        let late = || refusal(400, "publish_not_cancellable", "It is too late to cancel");
        let task = self.tasks.get_mut(&publish_id).ok_or_else(late)?;
        match &task.stage {
            Stage::Sending { .. } => {}
            Stage::Working { ready_at, outcome, .. }
                if publish_id.contains("_url~") && *ready_at > call.now =>
            {
                if let Ok(id) = outcome {
                    books.ledger.mark_deleted(Platform::Tiktok, &id.to_string(), call.now);
                }
            }
            Stage::Working { .. } | Stage::Cancelled => return Err(late()),
        }
        task.stage = Stage::Cancelled;
        Ok(fine(&json!({})))
    }

    fn own(&self, call: &Call, account: usize) -> Result<String, Answer> {
        let body = body(call)?;
        let publish_id = Given::of(&body, &["publish_id"])
            .and_then(|given| given.needed("publish_id"))
            .map_err(|flaw| invalid(&flaw))?;
        match self.tasks.get(publish_id) {
            None => Err(refusal(400, "invalid_publish_id", "The publish_id does not exist")),
            Some(task) if task.account != account => Err(refusal(
                400,
                "token_not_authorized_for_specified_publish_id",
                "The access token does not have the right to this publish_id",
            )),
            Some(_) => Ok(publish_id.to_owned()),
        }
    }

    /// All is there: it is looked at, and will be posted or not.
    pub(super) fn work(
        &self,
        call: &Call,
        account: usize,
        kind: Kind,
        post: &Post,
        files: Result<Vec<Vec<Bytes>>, &'static str>,
        books: &mut Books,
    ) -> Result<Stage, Answer> {
        let ready_at = call.now.after(PROCESSING);
        let files = match files {
            Ok(files) => files,
            Err(reason) => return Ok(Stage::Working { bytes: 0, ready_at, outcome: Err(reason) }),
        };
        let bytes = files.iter().flatten().map(|chunk| chunk.len() as u64).sum();
        if let Some(reason) = flaw(kind, post, &files) {
            return Ok(Stage::Working { bytes, ready_at, outcome: Err(reason) });
        }
        let mut media = Vec::new();
        for chunks in files {
            media.push(Kept::keep(books, chunks).map_err(full)?.for_ledger(""));
        }
        // Above 2^53, as TikTok's are.
        let id = books.chance.snowflake(call.now, 0, 22);
        let entry = self.entry(call, account, kind, post, id, media);
        books.ledger.record(entry);
        Ok(Stage::Working { bytes, ready_at, outcome: Ok(id) })
    }

    fn entry(
        &self,
        call: &Call,
        account: usize,
        kind: Kind,
        post: &Post,
        id: u64,
        media: Vec<LedgerMedia>,
    ) -> LedgerEntry {
        let person = self.door.people.get(account);
        let mut marks = post.marks.clone();
        if post.audience != "PUBLIC_TO_EVERYONE" {
            marks.insert(0, post.audience.to_ascii_lowercase().replace('_', " "));
        }
        let face = Face { pieces: text::pieces(&post.text, &[]), marks, ..Face::default() };
        LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Tiktok,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.to_string(),
            url: address(call, &person.handle, kind, id),
            text: post.text.clone(),
            media,
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
            face,
        }
    }
}

pub(super) fn address(call: &Call, handle: &str, kind: Kind, id: u64) -> String {
    let kind = match kind {
        Kind::Film => "video",
        Kind::Photos => "photo",
    };
    format!("{}/@{handle}/{kind}/{id}", call.base)
}

/// Why it will not be posted.
fn flaw(kind: Kind, post: &Post, files: &[Vec<Bytes>]) -> Option<&'static str> {
    if post.text.to_ascii_lowercase().contains("reject") {
        return Some("spam_risk_text");
    }
    files.iter().find_map(|chunks| match kind {
        Kind::Film => film_flaw(chunks),
        Kind::Photos => photo_flaw(chunks),
    })
}

fn film_flaw(chunks: &[Bytes]) -> Option<&'static str> {
    let mime = chunks.first().map(|first| crate::sandbox::shelf::sniff(first));
    if !mime.is_some_and(|it| ["video/mp4", "video/quicktime", "video/webm"].contains(&it)) {
        return Some("file_format_check_failed");
    }
    let seconds = film::seconds(chunks);
    seconds.is_some_and(|it| it > SECONDS_MAX as f64).then_some("duration_check_failed")
}

fn photo_flaw(chunks: &[Bytes]) -> Option<&'static str> {
    let bytes = chunks.first()?;
    if !["image/jpeg", "image/webp"].contains(&crate::sandbox::shelf::sniff(bytes)) {
        return Some("file_format_check_failed");
    }
    let fits = crate::sandbox::shelf::dimensions(bytes)
        .is_some_and(|(width, height)| width.min(height) <= 1_080 && width.max(height) <= 1_920);
    (!fits || bytes.len() > PHOTO_BYTES_MAX).then_some("picture_size_check_failed")
}
