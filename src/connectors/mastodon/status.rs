//! A status: the request that creates it, with the key that keeps it single, and what is kept of
//! it.
//!
//! <https://docs.joinmastodon.org/methods/statuses/#create>, read 2026-07-02.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{POLL, POLL_MINUTES, SERVER, SPOILER, VISIBILITY, files_of, server::Software};
use crate::{
    connectors::{Body, Job, JobPart, Repeat, Reply, Request},
    domain::{delivery::Live, refusal::Refusal},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    pub(super) id: String,
    pub(super) url: String,
}

/// "Idempotency keys are stored for up to 1 hour" (methods/statuses, read 2026-07-02). We trust
/// them for half of that; after it, a look at the account's statuses decides.
const KEY_VALID_FOR: Duration = Duration::from_secs(30 * 60);

/// Without keys, a request that was cut off may still be at work inside the server.
const SETTLE: Duration = Duration::from_secs(5);

impl Status {
    pub(super) fn read(reply: &Reply) -> Result<Status, Refusal> {
        Status::find(&reply.body).ok_or_else(|| reply.unreadable("/id"))
    }

    /// `url` is for readers and may be null; `uri` never is.
    pub(super) fn find(body: &Value) -> Option<Status> {
        let id = body["id"].as_str()?.to_owned();
        let url = body["url"].as_str().or(body["uri"].as_str()).unwrap_or_default().to_owned();
        Some(Status { id, url })
    }

    pub(super) fn live(&self) -> Live {
        Live { id: self.id.clone(), url: self.url.clone() }
    }
}

/// The request for the part after those in `sent`.
pub(super) fn creation(ready: &[String], sent: &[Status], job: &Job) -> Request {
    let number = sent.len();
    let part = &job.parts[number];
    let parent = sent.last().map(|status| status.id.as_str());
    let option = |name: &str| job.options.get(name).filter(|value| !value.is_empty());

    // Without it the server would take the account's own default, which nobody here has seen.
    let visibility = option(VISIBILITY).map_or("public", String::as_str);
    let mut body = json!({ "status": part.text, "visibility": visibility });
    let media = files_of(ready, number, job);
    if !media.is_empty() {
        body["media_ids"] = json!(media);
    }
    if let Some(parent) = parent {
        body["in_reply_to_id"] = json!(parent);
    }
    if let Some(language) = option("language") {
        body["language"] = json!(language);
    }
    if let Some(sensitive) = option("sensitive") {
        body["sensitive"] = json!(sensitive == "true");
    }
    if let Some(spoiler) = option(SPOILER) {
        body["spoiler_text"] = json!(spoiler);
        // Pixelfed drops a warning without a word where nothing is said to be sensitive.
        if Software::of(&job.author) == Software::Pixelfed {
            body["sensitive"] = json!(true);
        }
    }
    // It belongs to the post itself, not to what answers it.
    let choices = choices(job.option(POLL));
    if number == 0 && !choices.is_empty() {
        body["poll"] = json!({
            "options": choices,
            "expires_in": poll_seconds(job.option(POLL_MINUTES)),
            "multiple": false,
        });
    }

    let mut request = Request::post(
        job.site.url(SERVER, "/api/v1/statuses"),
        Body::Json(body),
        Repeat::Probed { settle: SETTLE },
    );
    if honours_keys(job) {
        let key = key(part, number, parent, job);
        request.headers.push(("idempotency-key", key.clone()));
        request.repeat = Repeat::Keyed { key, valid_for: KEY_VALID_FOR };
    }
    request
}

pub(super) fn choices(poll: &str) -> Vec<&str> {
    poll.lines().map(str::trim).filter(|choice| !choice.is_empty()).collect()
}

pub(super) fn poll_seconds(minutes: &str) -> u64 {
    minutes.parse().unwrap_or(POLL_MINUTES_USUAL).saturating_mul(60)
}

const POLL_MINUTES_USUAL: u64 = 24 * 60;

/// GoToSocial ignores keys, Pixelfed refuses a repeated one, Pleroma repeats even its errors. So a
/// key goes only to a server that said it is Mastodon itself, and nobody else is trusted with one.
fn honours_keys(job: &Job) -> bool {
    match Software::of(&job.author) {
        Software::Mastodon => true,
        Software::GoToSocial | Software::Pixelfed | Software::Pleroma | Software::Other => false,
    }
}

/// The same for every repetition, another one as soon as anything about the part changes: an edited
/// post must not be answered with the status from before the edit.
fn key(part: &JobPart, number: usize, parent: Option<&str>, job: &Job) -> String {
    let files = part.media.iter().map(|media| json!([media.id.to_string(), media.alt]));
    let files: Vec<Value> = files.collect();
    let content = json!([job.delivery.to_string(), number, part.text, files, job.options, parent]);
    let digest = Sha256::digest(content.to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8 is a UUID "for experimental or vendor-specific use cases" (RFC 9562).
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
