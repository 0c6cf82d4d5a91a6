//! What LinkedIn's no means.
//!
//! <https://learn.microsoft.com/linkedin/shared/api-guide/concepts/error-handling> and
//! <https://learn.microsoft.com/linkedin/shared/api-guide/concepts/rate-limits>, as of 2026-09-16.
//! The code is in `code`, or deeper, in the first of `errorDetails.inputErrors`.

use std::time::Duration;

use serde_json::Value;

use super::Step;
use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// "Limits are reset at midnight UTC".
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// Of shorter limits LinkedIn says neither how long they are nor when they end.
const BURST: Duration = Duration::from_secs(15 * 60);

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    match (step, reply.status) {
        // The address has run out, or the file is not what it should be.
        (Step::Upload { .. }, 400 | 402..=407 | 409..=424 | 428) => {
            Refusal { kind: RefusalKind::Media, ..refusal }
        }
        (Step::Finalize { .. } | Step::Process { .. }, 400 | 404) => {
            Refusal { kind: RefusalKind::Media, ..refusal }
        }
        (Step::Comment { .. }, 403) => Refusal {
            kind: RefusalKind::Rejected,
            words: format!(
                "the post is live, but LinkedIn allows the app no comments: it needs the scope \
                 w_organization_social_feed ({})",
                refusal.words
            ),
            ..refusal
        },
        // Seen to pass by itself, and no page says that nothing was created.
        (Step::Publish { .. } | Step::Comment { .. }, 400) if says(&refusal, NO_ACTIVITY) => {
            Refusal { kind: RefusalKind::Unavailable, ..refusal }
        }
        (
            Step::Initialize { .. }
            | Step::Upload { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Publish { .. }
            | Step::Comment { .. },
            _,
        ) => refusal,
    }
}

const NO_ACTIVITY: &str = "unable to obtain activity";

/// A file of the post is not processed yet, and nothing was created.
pub(super) fn is_not_yet(reply: &Reply) -> bool {
    reply.status == 400 && codes(&reply.body).contains(&"MEDIA_ASSET_WAITING_UPLOAD")
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let codes = codes(&reply.body);
    let has = |code: &str| codes.contains(&code);
    let number = reply.body["serviceErrorCode"].as_u64();
    let code = match codes.first() {
        Some(code) => (*code).to_owned(),
        None => number.map_or(String::new(), |number| number.to_string()),
    };
    let refusal = reply.refusal(&code, &words(reply));
    let kind = match reply.status {
        401 if has("REVOKED_ACCESS_TOKEN") => RefusalKind::Revoked,
        // A scope is missing, or the person has lost the role in the organization.
        403 if has("ACCESS_DENIED") || number == Some(100) => RefusalKind::Revoked,
        400 if has("MEDIA_ASSET_PROCESSING_FAILED") => RefusalKind::Media,
        400 | 409 | 422 if has("DUPLICATE_POST") || duplicate(&refusal.words).is_some() => {
            RefusalKind::Duplicate
        }
        409 => RefusalKind::Unavailable,
        415 => RefusalKind::Rejected,
        429 => limit(reply, &refusal.words),
        _ => refusal.kind,
    };
    let words = match (kind, reply.status) {
        (_, 426) => format!(
            "LinkedIn does not know the version of its API that is asked for; name one that lives \
             in the settings, as `platforms.linkedin.version` (such as \"202609\"), restart, and \
             try again ({})",
            refusal.words
        ),
        (RefusalKind::Duplicate, _) => match duplicate(&refusal.words) {
            Some(urn) => format!("LinkedIn has the same post already: {urn} ({})", refusal.words),
            None => refusal.words,
        },
        _ => refusal.words,
    };
    Refusal { kind, words, ..refusal }
}

/// The innermost first: it says most.
fn codes(body: &Value) -> Vec<&str> {
    let inner = body["errorDetails"]["inputErrors"].as_array().map_or(&[][..], Vec::as_slice);
    let inner = inner.iter().map(|error| &error["code"]);
    // The places for tokens have the names of OAuth.
    inner.chain([&body["code"], &body["error"]]).filter_map(Value::as_str).collect()
}

/// Everything LinkedIn says, without repetitions.
fn words(reply: &Reply) -> String {
    let body = &reply.body;
    let inner = body["errorDetails"]["inputErrors"].as_array().map_or(&[][..], Vec::as_slice);
    let inner = inner.iter().map(|error| &error["description"]);
    let mut said: Vec<&str> = Vec::new();
    let all = [&body["message"], &body["error_description"]].into_iter().chain(inner);
    for text in all.filter_map(Value::as_str) {
        if !text.is_empty() && !said.contains(&text) {
            said.push(text);
        }
    }
    match said.is_empty() {
        true => format!("LinkedIn answered HTTP {} without an explanation", reply.status),
        false => said.join(": "),
    }
}

/// "Content is a duplicate of urn:li:share:714…".
fn duplicate(words: &str) -> Option<String> {
    let (_, named) = words.split_once("duplicate of ")?;
    let kind =
        ["urn:li:share:", "urn:li:ugcPost:"].iter().find(|kind| named.starts_with(**kind))?;
    let number = &named[kind.len()..];
    let end = number.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(number.len());
    (end > 0).then(|| format!("{kind}{}", &number[..end]))
}

fn says(refusal: &Refusal, phrase: &str) -> bool {
    refusal.words.to_lowercase().contains(phrase)
}

/// Which limit it is, its words alone tell: "APPLICATION DAY limit", "MEMBER DAY limit".
fn limit(reply: &Reply, words: &str) -> RefusalKind {
    let words = words.to_uppercase();
    let midnight = Timestamp((reply.at.0 / DAY_MILLIS + 1) * DAY_MILLIS);
    let until = match words.contains("DAY LIMIT") {
        true => midnight,
        false => reply.at.after(BURST),
    };
    let is_apps = words.contains("APPLICATION") && !words.contains("MEMBER");
    RefusalKind::Throttled {
        until: Some(reply.retry_after().unwrap_or(until)),
        scope: if is_apps { PaceScope::App } else { PaceScope::Account },
    }
}
