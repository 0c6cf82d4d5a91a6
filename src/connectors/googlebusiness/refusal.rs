//! Google's no, by the status and the details in its body (`google.rpc.Status`).
//!
//! <https://developers.google.com/my-business/content/basic-setup> and
//! <https://cloud.google.com/apis/design/errors>, as of 2026.

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

/// Where Google names no end: its limits are of a minute.
const MINUTE: Duration = Duration::from_secs(60);

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let code = code(reply);
    let refusal = reply.refusal(code, &words(reply, code));
    let kind = kind(reply, code).unwrap_or(refusal.kind);
    Refusal { kind, ..refusal }
}

/// The reason in the details where there is one, else the status.
pub(super) fn code(reply: &Reply) -> &str {
    let reason = details(reply).find_map(|detail| detail["reason"].as_str());
    let error = &reply.body["error"];
    // OAuth's own shape: `{"error":"invalid_grant"}`.
    reason.or(error["status"].as_str()).or(error.as_str()).unwrap_or_default()
}

fn details(reply: &Reply) -> impl Iterator<Item = &Value> {
    reply.body["error"]["details"].as_array().into_iter().flatten()
}

/// Of a `ValidationError`: which field, and what is wrong with it.
fn faults(reply: &Reply) -> impl Iterator<Item = &Value> {
    details(reply).filter_map(|detail| detail["errorDetails"].as_array()).flatten()
}

/// `None`: what its HTTP status commonly means.
fn kind(reply: &Reply, code: &str) -> Option<RefusalKind> {
    let status = reply.body["error"]["status"].as_str().unwrap_or(code);
    Some(match (status, code) {
        (_, "SERVICE_DISABLED") => RefusalKind::Rejected,
        ("RESOURCE_EXHAUSTED", _) if is_unapproved(reply) => RefusalKind::Rejected,
        ("RESOURCE_EXHAUSTED", _) => {
            RefusalKind::Throttled { until: Some(limit_ends(reply)), scope: PaceScope::Account }
        }
        ("UNAUTHENTICATED", _) => RefusalKind::Unauthorized,
        ("PERMISSION_DENIED" | "invalid_grant", _) => RefusalKind::Revoked,
        ("INVALID_ARGUMENT" | "FAILED_PRECONDITION", _) => {
            let is_media = |fault: &Value| {
                fault["field"].as_str().is_some_and(|field| field.starts_with("media"))
            };
            match faults(reply).any(is_media) {
                true => RefusalKind::Media,
                false => RefusalKind::Rejected,
            }
        }
        ("NOT_FOUND", _) => RefusalKind::Rejected,
        ("ALREADY_EXISTS", _) => RefusalKind::Duplicate,
        ("ABORTED" | "INTERNAL" | "UNAVAILABLE" | "DEADLINE_EXCEEDED", _) => {
            RefusalKind::Unavailable
        }
        _ => return None,
    })
}

/// A project that Google has not approved has a limit of nothing, which no waiting mends.
fn is_unapproved(reply: &Reply) -> bool {
    details(reply).any(|detail| detail["metadata"]["quota_limit_value"] == "0")
}

/// `Retry-After`, else `RetryInfo.retryDelay` such as `30s`, else a minute.
fn limit_ends(reply: &Reply) -> Timestamp {
    let delay = details(reply).find_map(|detail| detail["retryDelay"].as_str());
    let seconds = delay.and_then(|delay| delay.strip_suffix('s')?.parse::<f64>().ok());
    let delay = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    reply.retry_after().unwrap_or_else(|| reply.at.after(delay.unwrap_or(MINUTE)))
}

fn words(reply: &Reply, code: &str) -> String {
    if code == "SERVICE_DISABLED" {
        return "This API is not enabled in the Cloud project of the app; the guide lists which \
                have to be."
            .to_owned();
    }
    if is_unapproved(reply) {
        return "Google has not approved the Cloud project of the app for this API: its limit is \
                0 calls a minute. Request access as the guide says."
            .to_owned();
    }
    let said = reply.body["error"]["message"].as_str();
    let said = said.or(reply.body["error_description"].as_str());
    let mut words = match said {
        Some(said) => said.to_owned(),
        None => format!("Google answered HTTP {}", reply.status),
    };
    for fault in faults(reply) {
        let field = fault["field"].as_str().unwrap_or_default();
        let message = fault["message"].as_str().unwrap_or_default();
        words.push_str(&format!(" ({field}: {message})"));
    }
    words
}
