//! What a Mastodon server's no means. Its texts are translated on some servers, so the status comes
//! first and words only where nothing else tells the cases apart.

use serde_json::Value;

use super::{Step, server::Software};
use crate::{
    connectors::{Job, Reply},
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

pub(super) fn of_step(step: &Step, job: &Job, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let software = Software::of(&job.author);
    let kind = match (step, reply.status) {
        (Step::Upload { .. } | Step::UploadOfOld { .. }, 422) => RefusalKind::Media,
        // 206 arrives here once it was asked often enough; 404 is a file that the server has lost.
        (Step::Process { .. }, 206 | 404 | 422) => RefusalKind::Media,
        // Evidence that the status exists: a file can be attached only once.
        (Step::Publish { ready, .. }, 422) if is_attached(ready, &refusal.words) => {
            RefusalKind::Duplicate
        }
        (Step::Publish { .. }, 422) if refusal.words.contains(NOT_PROCESSED) => {
            RefusalKind::Unavailable
        }
        // Pixelfed, for a key that it has seen before.
        (Step::Publish { .. }, 400) if refusal.words.contains(KEY_SEEN) => RefusalKind::Duplicate,
        // Pixelfed answers a status without a picture like this; its tokens are not at fault.
        (_, 403) if software == Software::Pixelfed => RefusalKind::Rejected,
        // GoToSocial turns requests away before it looks at them while its processor is busy.
        (_, 503) if software == Software::GoToSocial && reply.retry_after().is_some() => {
            RefusalKind::Throttled { until: reply.retry_after(), scope: PaceScope::Account }
        }
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let text = |name: &str| reply.body[name].as_str().unwrap_or_default();
    // OAuth's errors have a code and a description; all others have only words.
    let (code, words) = match text("error_description") {
        "" => ("", if text("error").is_empty() { text("message") } else { text("error") }),
        description => (text("error"), description),
    };
    let refusal = reply.refusal(code, words);
    let kind = match reply.status {
        // A missing scope, or an account that is disabled, suspended or waiting for approval. 401
        // is the token, which some servers let us renew.
        403 => RefusalKind::Revoked,
        429 => RefusalKind::Throttled { until: limit_ends(reply), scope: PaceScope::Account },
        _ => refusal.kind,
    };
    let words = match refusal.words.is_empty() {
        true => format!("the server answered HTTP {} without an explanation", reply.status),
        false => refusal.words,
    };
    Refusal { kind, code: refusal.code, words }
}

const NOT_PROCESSED: &str = "have not finished processing";
const KEY_SEEN: &str = "Duplicate idempotency key";

/// "Media 123 not found or already attached to another post", in whatever language: no other
/// refusal names the ids of our files.
fn is_attached(ready: &[String], words: &str) -> bool {
    let mut tokens = words.split(|letter: char| !letter.is_alphanumeric());
    words.contains("already attached")
        || tokens.any(|token| ready.iter().any(|id| id.len() >= ID_LENGTH_MIN && id == token))
}

/// Shorter ids could be any number in a sentence, such as the limit that was exceeded.
const ID_LENGTH_MIN: usize = 8;

/// Mastodon writes an ISO date, some compatible servers Unix seconds.
fn limit_ends(reply: &Reply) -> Option<Timestamp> {
    let reset = || {
        let value = reply.header("x-ratelimit-reset")?.trim();
        let seconds = || value.parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000));
        Timestamp::parse(value).or_else(|| seconds().map(Timestamp))
    };
    reply.retry_after().or_else(reset)
}

/// The JSON text at `name`, or nothing.
pub(super) fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}
