//! What X's no means.
//!
//! <https://docs.x.com/x-api/fundamentals/response-codes-and-errors>, read 2026-08-22. A problem's
//! `type` has one host in the documentation and another on the wire, so its last segment counts.
//! X tells most cases of 403 apart by words alone.

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

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let kind = match (step, reply.status) {
        (Step::Publish { .. }, 403) if says(&refusal, DUPLICATE) => RefusalKind::Duplicate,
        (Step::Publish { .. }, 400) if says(&refusal, MEDIA_LOST) => RefusalKind::Media,
        // X has lost the file, or never understood it.
        (
            Step::Append { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Describe { .. },
            400 | 404,
        ) => RefusalKind::Media,
        // There is nothing in it yet to object to: the scope `media.write` is missing.
        (Step::Initialize { .. }, 403) => RefusalKind::Revoked,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let refusal = reply.refusal(&code(&reply.body), &words(reply));
    match reply.status {
        402 => Refusal {
            words: format!(
                "X charges for each call, and the billing account of the developer app has no \
                 credits left; buy credits at X, then try again ({})",
                refusal.words
            ),
            code: "402".to_owned(),
            ..refusal
        },
        // Ends with the month or with a larger plan: no header says when.
        429 if refusal.code == "usage-capped" => Refusal {
            kind: RefusalKind::Rejected,
            words: format!(
                "the developer app has used up what its plan at X allows; raise the plan or its \
                 spending limit, then try again ({})",
                refusal.words
            ),
            ..refusal
        },
        429 => Refusal { kind: limit(reply), ..refusal },
        403 if REVOKED_CODES.contains(&refusal.code.as_str()) || says(&refusal, REVOKED) => {
            Refusal { kind: RefusalKind::Revoked, ..refusal }
        }
        409 => Refusal { kind: RefusalKind::Unavailable, ..refusal },
        _ => refusal,
    }
}

const DUPLICATE: &[&str] = &["duplicate content"];
const MEDIA_LOST: &[&str] = &["media id", "media_id"];

/// The app may not act for the account, or the account may not act at all: the person has to go to
/// X, and then to connect again. 326 is a locked account, 64 a suspended one.
const REVOKED_CODES: &[&str] = &[
    "client-forbidden",
    "oauth1-permissions",
    "oauth2-permissions",
    "unsupported-authentication",
    "user-suspended",
    "326",
    "64",
];
const REVOKED: &[&str] = &[
    "unsupported authentication",
    "app permissions",
    "oauth2 scopes",
    "not permitted to access this feature",
    "temporarily locked",
    "suspended",
];

fn says(refusal: &Refusal, phrases: &[&str]) -> bool {
    let words = refusal.words.to_lowercase();
    phrases.iter().any(|phrase| words.contains(phrase))
}

/// The type's last segment, else the number of the older form, else nothing.
fn code(body: &Value) -> String {
    let kind = body["type"].as_str().filter(|kind| *kind != "about:blank");
    match kind.and_then(|kind| kind.rsplit('/').next()) {
        Some(kind) => kind.to_owned(),
        None => body["errors"][0]["code"].as_u64().map_or(String::new(), |code| code.to_string()),
    }
}

/// Everything X says, without repetitions.
fn words(reply: &Reply) -> String {
    let body = &reply.body;
    let mut said: Vec<&str> = Vec::new();
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    let more = errors.iter().flat_map(|error| [&error["message"], &error["detail"]]);
    let all = [&body["title"], &body["detail"], &body["error"], &body["error_description"]];
    for text in all.into_iter().chain(more).filter_map(Value::as_str) {
        if !text.is_empty() && !said.contains(&text) {
            said.push(text);
        }
    }
    match said.is_empty() {
        true => format!("X answered HTTP {} without an explanation", reply.status),
        false => said.join(": "),
    }
}

/// X has up to three limits on a call, and tells of each how much is left and when it begins anew.
fn limit(reply: &Reply) -> RefusalKind {
    let mut until = reply.retry_after();
    let mut scope = PaceScope::Account;
    for (name, of) in [
        ("x-rate-limit", PaceScope::Account),
        ("x-user-limit-24hour", PaceScope::Account),
        ("x-app-limit-24hour", PaceScope::App),
    ] {
        let number = |part: &str| -> Option<u64> {
            reply.header(&format!("{name}-{part}"))?.trim().parse().ok()
        };
        let Some(reset) = number("reset").filter(|_| number("remaining").unwrap_or(0) == 0) else {
            continue;
        };
        until = until.max(Some(Timestamp(reset.saturating_mul(1_000))));
        if of == PaceScope::App {
            scope = PaceScope::App;
        }
    }
    RefusalKind::Throttled { until, scope }
}
