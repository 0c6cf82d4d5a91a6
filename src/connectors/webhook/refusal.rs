//! What a receiver's no means. Only the status counts: the specification gives bodies no meaning.

use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

const WORDS_CHARS_MAX: usize = 300;

pub(super) fn of(reply: &Reply) -> Refusal {
    let refusal = reply.refusal("", &words(reply));
    let kind = match reply.status {
        // The event is signed for this address; following it would hand it to another.
        300..=399 => RefusalKind::Rejected,
        // It does not accept our signature, or wants nothing more from us.
        401 | 403 | 410 => RefusalKind::Revoked,
        // Too large, or of a kind that it does not take: the same event is so again.
        413 | 415 => RefusalKind::Rejected,
        // It says when to come back, so it is there, and full.
        503 if reply.retry_after().is_some() => {
            RefusalKind::Throttled { until: reply.retry_after(), scope: PaceScope::Account }
        }
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

fn words(reply: &Reply) -> String {
    let ours = match reply.status {
        300..=399 => "the webhook answered with a redirect, which is never followed",
        401 | 403 => "the webhook does not accept our signature",
        404 => "there is nothing at the address of the webhook",
        410 => "the webhook is gone: it asks to be sent nothing more",
        429 => "the webhook asks for fewer events",
        500.. => "the webhook is not available",
        _ => "the webhook did not take the event",
    };
    let body = &reply.body;
    let said = ["/error", "/message", "/error/message", "/detail"]
        .iter()
        .find_map(|place| body.pointer(place)?.as_str())
        .or(body.as_str())
        .unwrap_or_default();
    let said: String = said.chars().take(WORDS_CHARS_MAX).collect();
    match said.trim() {
        "" => format!("{ours} (HTTP {})", reply.status),
        said => format!("{ours} (HTTP {}): {said}", reply.status),
    }
}
