//! What a receiver's no means. Only the status counts: the specification gives bodies no meaning.

use url::Url;

use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

const WORDS_CHARS_MAX: usize = 300;

pub(super) fn of(reply: &Reply, address: &str) -> Refusal {
    let refusal = reply.refusal("", &words(reply, address));
    let kind = match reply.status {
        // The event is signed for this address; following it would hand it to another.
        300..=399 => RefusalKind::Rejected,
        // It does not accept our signature, or wants nothing more from us.
        401 | 403 | 410 => RefusalKind::Revoked,
        // Too large, or of a kind that it does not take: the same event is so again.
        413 | 415 => RefusalKind::Rejected,
        // Nothing is there just now, as while a program is started anew.
        404 => RefusalKind::Unavailable,
        // It says when to come back, so it is there, and full.
        503 if reply.retry_after().is_some() => {
            RefusalKind::Throttled { until: reply.retry_after(), scope: PaceScope::Account }
        }
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

fn words(reply: &Reply, address: &str) -> String {
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
    let said = without(said, address);
    let said: String = said.chars().take(WORDS_CHARS_MAX).collect();
    match said.trim() {
        "" => format!("{ours} (HTTP {})", reply.status),
        said => format!("{ours} (HTTP {}): {said}", reply.status),
    }
}

/// Receivers like to repeat what they were asked for, and whoever knows the address may send there.
fn without(said: &str, address: &str) -> String {
    let Some(url) = Url::parse(address).ok() else { return String::new() };
    let mut secret: Vec<String> = vec![address.to_owned(), url.as_str().to_owned()];
    secret.extend(url.query().map(|query| format!("{}?{query}", url.path())));
    secret.push(url.path().to_owned());
    let pieces = url.path_segments().into_iter().flatten().map(str::to_owned);
    secret.extend(pieces.chain(url.query_pairs().map(|(_, value)| value.into_owned())));
    let long = secret.iter().filter(|piece| piece.len() >= SECRET_BYTES_MIN);
    long.fold(said.to_owned(), |said, piece| said.replace(piece.as_str(), "…"))
}

/// Shorter pieces of an address are words such as `hook`, and no secrets.
const SECRET_BYTES_MIN: usize = 6;
