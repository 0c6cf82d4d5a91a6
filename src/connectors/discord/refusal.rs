//! What Discord's no means.
//!
//! <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json> and
//! <https://docs.discord.com/developers/topics/rate-limits>, as of 2026-08. The code is in `code`;
//! what is wrong with a field stands deep in `errors`.

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

pub(super) const UNKNOWN_MESSAGE: u64 = 10_008;

/// "Cloudflare is blocking your request."
const CLOUDFLARE: u64 = 40_333;

pub(super) fn code(reply: &Reply) -> u64 {
    reply.body["code"].as_u64().unwrap_or_default()
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let code = code(reply);
    let shown = if code == 0 { String::new() } else { code.to_string() };
    let refusal = reply.refusal(&shown, &words(reply));
    // A success that cannot be read is neither.
    if reply.is_success() {
        return refusal;
    }
    let kind = match (code, reply.status) {
        // Whoever is told this often enough is kept out altogether, so nothing more is sent there:
        // channel, server and webhook that are gone, access and rights that were taken away.
        (10_003 | 10_004 | 10_015 | 50_001 | 50_013 | 50_027 | CLOUDFLARE, _) => {
            RefusalKind::Revoked
        }
        (20_016 | 20_028 | 20_029 | 30_046 | 40_062, _) | (_, 429) => {
            RefusalKind::Throttled { until: until(reply), scope: PaceScope::Account }
        }
        // A page of Cloudflare's, which stands before Discord and lets nobody in who was refused
        // too often: it is about this server, and not about the post.
        (0, 403) if reply.body.is_null() => {
            RefusalKind::Throttled { until: until(reply), scope: PaceScope::App }
        }
        // Neither tokens of bots nor those of webhooks can be renewed by us.
        (_, 401) => RefusalKind::Revoked,
        (40_033 | 160_004, _) => RefusalKind::Duplicate,
        (40_004 | 130_000, _) => RefusalKind::Unavailable,
        (40_005, _) => RefusalKind::Media,
        (_, _) => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

/// `retry_after` in the body has fractions of a second; the header does not always.
fn until(reply: &Reply) -> Option<Timestamp> {
    let seconds = reply.body["retry_after"].as_f64();
    let wait = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    wait.map(|wait| reply.at.after(wait)).or_else(|| reply.retry_after())
}

fn words(reply: &Reply) -> String {
    let message = reply.body["message"].as_str().unwrap_or_default();
    let message = match (message, code(reply)) {
        ("", _) if reply.status == 403 && reply.body.is_null() => {
            "Cloudflare, which stands before Discord, lets this server in no more for now"
                .to_owned()
        }
        ("", _) => format!("Discord answered HTTP {} without an explanation", reply.status),
        (_, CLOUDFLARE) => format!("Discord's guard keeps this server out for now: {message}"),
        (_, _) => message.to_owned(),
    };
    match innermost(&reply.body["errors"], "") {
        Some(detail) => format!("{message}: {detail}"),
        None => message,
    }
}

/// `{"content": {"_errors": [{"message": "Must be …"}]}}` becomes `content: Must be …`.
fn innermost(errors: &Value, place: &str) -> Option<String> {
    let fields = errors.as_object()?;
    if let Some(message) = errors["_errors"][0]["message"].as_str() {
        return Some(match place {
            "" => message.to_owned(),
            _ => format!("{place}: {message}"),
        });
    }
    fields.iter().find_map(|(name, inside)| {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        innermost(inside, &place)
    })
}
