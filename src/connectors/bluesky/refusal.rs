//! What a no of the AT Protocol means. Every error has a name, so words are never read; the same
//! name comes with different statuses from different servers, so the name comes first.
//!
//! <https://atproto.com/specs/xrpc#error-responses> and the lexicons, read 2026-11-21.

use super::Step;
use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    match (step, refusal.kind) {
        // A file that was lost while a thread is half out cannot be mended by beginning anew.
        (Step::Publish { sent, .. }, RefusalKind::Media) if !sent.is_empty() => {
            Refusal { kind: RefusalKind::Rejected, ..refusal }
        }
        _ => refusal,
    }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let name = name(reply);
    let words = reply.body["message"].as_str().unwrap_or_default();
    let words = match words.is_empty() {
        true => format!("the server answered HTTP {} without an explanation", reply.status),
        false => words.to_owned(),
    };
    let refusal = reply.refusal(name, &words);
    let kind = match name {
        // HTTP 400, not 401. Whether the session is over too is what a refresh tells.
        "ExpiredToken" | "InvalidToken" => RefusalKind::Unauthorized,
        "invalid_grant" | "ScopeMissingError" | "insufficient_scope" => RefusalKind::Revoked,
        "AccountTakedown" | "AccountDeactivated" | "AccountSuspended" | "AccountNotFound" => {
            RefusalKind::Revoked
        }
        // Our account is not here, or no longer: signing in again finds where it moved to.
        "RepoNotFound" | "RepoTakendown" | "RepoSuspended" | "RepoDeactivated" => {
            RefusalKind::Revoked
        }
        // An e-mailed code is asked for: it was the account's own password, not an app password.
        "AuthFactorTokenRequired" => RefusalKind::Rejected,
        "InvalidSwap" => RefusalKind::Duplicate,
        "BlobNotFound" | "InvalidMimeType" | "InvalidSize" | "BlobTooLarge" | "PayloadTooLarge" => {
            RefusalKind::Media
        }
        _ if reply.status == 429 => {
            RefusalKind::Throttled { until: limit_ends(reply), scope: PaceScope::Account }
        }
        // A 500 may be a key that exists already. It is unknown either way, and the look decides.
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

/// `InvalidRequest` "Unable to resolve handle" from the reference server, `HandleNotFound` by the
/// lexicon. Nothing else about that request can be invalid.
pub(super) fn is_about_the_handle(reply: &Reply) -> bool {
    matches!(name(reply), "InvalidRequest" | "HandleNotFound" | "InvalidHandle")
}

pub(super) fn name(reply: &Reply) -> &str {
    reply.body["error"].as_str().unwrap_or_default()
}

/// `RateLimit-Reset` is in Unix seconds; `Retry-After` is often missing.
fn limit_ends(reply: &Reply) -> Option<Timestamp> {
    let reset = || {
        let seconds = reply.header("ratelimit-reset")?.trim().parse::<u64>().ok()?;
        Some(Timestamp(seconds.saturating_mul(1_000)))
    };
    reset().or_else(|| reply.retry_after())
}
