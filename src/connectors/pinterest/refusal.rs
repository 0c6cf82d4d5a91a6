//! What Pinterest's no means: `{"code": 50, "message": "Pin not found."}`.
//!
//! <https://developers.pinterest.com/docs/reference/error-codes> and
//! <https://developers.pinterest.com/docs/reference/rate-limits>, as of 2026-11.

use std::time::Duration;

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
    let kind = match (step, reply.status) {
        // The storage that films go to speaks XML; an upload that it no longer takes is made anew.
        (Step::Upload { .. }, 400 | 403 | 404 | 409 | 411..=417) => RefusalKind::Media,
        (Step::Upload { .. }, 401) => RefusalKind::Unauthorized,
        // What was uploaded is gone.
        (Step::Process { .. }, 404) => RefusalKind::Media,
        (Step::Publish { .. }, 400) if is_about_media(&refusal.words) => RefusalKind::Media,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let code = reply.body["code"].as_i64();
    let said = reply.body["message"].as_str().unwrap_or_default().trim();
    let words = match said {
        "" => format!("Pinterest answered HTTP {} without an explanation", reply.status),
        said => said.to_owned(),
    };
    let shown = code.map_or(String::new(), |code| code.to_string());
    let refusal = reply.refusal(&shown, &words);
    let kind = match (reply.status, code) {
        // "Authentication failed": the token may have ended. 3 is a scope that was not granted.
        (401, Some(3)) | (403, Some(3 | 29)) => RefusalKind::Revoked,
        (401, _) => RefusalKind::Unauthorized,
        // No number is documented for it.
        (403 | 429, _) if words.to_lowercase().contains(SPAM) => RefusalKind::Rejected,
        (429, _) | (_, Some(8)) => {
            RefusalKind::Throttled { until: limit_ends(reply), scope: PaceScope::Account }
        }
        (409, _) => RefusalKind::Duplicate,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

const SPAM: &str = "spam";

/// The code is 1, as for every wrong parameter; only words tell a file from a field.
fn is_about_media(words: &str) -> bool {
    let words = words.to_lowercase();
    ["unable to reach the url", "image", "media", "video"].iter().any(|it| words.contains(it))
}

/// "`x-ratelimit-reset`: seconds to wait".
fn limit_ends(reply: &Reply) -> Option<Timestamp> {
    let reset = || {
        let seconds = reply.header("x-ratelimit-reset")?.trim().parse::<u64>().ok()?;
        Some(reply.at.after(Duration::from_secs(seconds)))
    };
    reply.retry_after().or_else(reset)
}
