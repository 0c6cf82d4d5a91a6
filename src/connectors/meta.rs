//! What Facebook, Instagram and Threads share: Meta's error envelope, its codes, and how it says
//! that a limit is reached.
//!
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling> and
//! <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>, as of 2026-10.

use std::time::Duration;

use serde_json::Value;

use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// Where nothing is said, "the limit is per rolling hour".
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The envelope: `{"error":{"message","code","error_subcode","is_transient",…}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) code: i64,
    /// 0: none was said.
    pub(super) subcode: i64,
}

/// Whether Meta said yes. "A few edges return it with HTTP 200", so a body with an `error` is a no
/// whatever its status.
pub(super) fn is_success(reply: &Reply) -> bool {
    reply.is_success() && reply.body.get("error").is_none()
}

pub(super) fn code(reply: &Reply) -> Option<Code> {
    let error = reply.body.get("error")?;
    let code = error.get("code").and_then(Value::as_i64)?;
    let subcode = error.get("error_subcode").and_then(Value::as_i64).unwrap_or_default();
    Some(Code { code, subcode })
}

/// Reads a no. `special` knows a platform's own codes, and is asked first.
pub(super) fn refusal(reply: &Reply, special: fn(Code) -> Option<RefusalKind>) -> Refusal {
    let error = &reply.body["error"];
    let Some(code) = code(reply) else {
        let words = error["message"].as_str().or(reply.body.as_str()).unwrap_or_default();
        return reply.refusal("", words);
    };
    let kind = match special(code) {
        Some(RefusalKind::Throttled { until: None, scope }) => {
            RefusalKind::Throttled { until: Some(room_again(reply)), scope }
        }
        Some(kind) => kind,
        None => common(code, reply),
    };
    Refusal::new(kind, name(code), words(error))
}

/// `190/463`, or `190`.
fn name(code: Code) -> String {
    match code.subcode {
        0 => code.code.to_string(),
        subcode => format!("{}/{subcode}", code.code),
    }
}

/// What is meant for people, where there is something; never the `fbtrace_id`, which helps nobody
/// here.
fn words(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default().trim();
    let (message, title, said) =
        (text("message"), text("error_user_title"), text("error_user_msg"));
    match (title, said) {
        ("", "") => message.to_owned(),
        ("", said) | (said, "") => format!("{said} ({message})"),
        (title, said) => format!("{title}: {said} ({message})"),
    }
}

/// Codes that mean the same on all of Meta's networks.
fn common(code: Code, reply: &Reply) -> RefusalKind {
    let transient = reply.body["error"]["is_transient"].as_bool() == Some(true);
    match (code.code, code.subcode) {
        // The person removed the app, changed the password, has to pass a check, or lost the role.
        (190, 458 | 459 | 460 | 464 | 467 | 492) => RefusalKind::Revoked,
        (102 | 190, _) => RefusalKind::Unauthorized,
        (3 | 10 | 200..=299, _) => RefusalKind::Revoked,
        (4, _) => throttled(reply, PaceScope::App),
        (17 | 32 | 341 | 613 | 80_000..=80_014, _) => throttled(reply, PaceScope::Account),
        (506, _) => RefusalKind::Duplicate,
        (368, _) => RefusalKind::Rejected,
        // "POST may nevertheless have been executed": whoever armed a request has to look.
        (1 | 2, _) => RefusalKind::Unavailable,
        _ if transient || reply.status >= 500 => RefusalKind::Unavailable,
        _ => match reply.status {
            429 => throttled(reply, PaceScope::Account),
            401 => RefusalKind::Unauthorized,
            _ => RefusalKind::Rejected,
        },
    }
}

fn throttled(reply: &Reply, scope: PaceScope) -> RefusalKind {
    RefusalKind::Throttled { until: Some(room_again(reply)), scope }
}

/// By `X-Business-Use-Case-Usage`, whose `estimated_time_to_regain_access` is in minutes; Meta
/// sends no `Retry-After`, but a proxy in front of it may.
fn room_again(reply: &Reply) -> Timestamp {
    if let Some(until) = reply.retry_after() {
        return until;
    }
    let usage = reply.header("x-business-use-case-usage").unwrap_or_default();
    let usage: Value = serde_json::from_str(usage).unwrap_or_default();
    let minutes = usage
        .as_object()
        .into_iter()
        .flat_map(|businesses| businesses.values())
        .flat_map(|uses| uses.as_array().into_iter().flatten())
        .filter_map(|one| one["estimated_time_to_regain_access"].as_u64())
        .max()
        .filter(|&minutes| minutes > 0);
    let wait = minutes.map_or(HOUR, |minutes| Duration::from_secs(minutes.min(24 * 60) * 60));
    reply.at.after(wait)
}
