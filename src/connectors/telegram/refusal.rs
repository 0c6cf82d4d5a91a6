//! What Telegram's no means.
//!
//! <https://core.telegram.org/bots/api#making-requests>, as of 2026-06: `error_code` is the status,
//! and "its contents are subject to change in the future"; `description` is a text. The texts that
//! tell cases apart are those that others have met (unconfirmed as a list); one that is not known
//! is read by its status.

use std::time::Duration;

use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

/// The bot may no longer write there, or nobody is there: only the person can mend it.
const WITHDRAWN: &[&str] = &[
    "chat not found",
    "need administrator rights",
    "not enough rights",
    "have no rights to send",
    "chat_write_forbidden",
    "chat_admin_required",
    "channel_private",
    "group chat was deactivated",
    "bot was kicked",
    "bot is not a member",
];

const MEDIA: &[&str] = &[
    "wrong file identifier",
    "wrong remote file",
    "failed to get http url content",
    "wrong type of the web page content",
    "photo_invalid_dimensions",
    "image_process_failed",
    "webpage_curl_failed",
    "webpage_media_empty",
    "file must be non-empty",
];

pub(super) fn is_success(reply: &Reply) -> bool {
    reply.is_success() && reply.body["ok"] == true
}

/// "The group has been migrated to a supergroup with the specified identifier."
pub(super) fn moved(reply: &Reply) -> Option<String> {
    let number = reply.body["parameters"]["migrate_to_chat_id"].as_i64()?;
    (reply.body["ok"] == false).then(|| number.to_string())
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let is_no = reply.body["ok"] == false;
    let said = reply.body["error_code"].as_u64().filter(|_| is_no);
    let status = said.and_then(|code| u16::try_from(code).ok()).unwrap_or(reply.status);
    let words = match reply.body["description"].as_str() {
        Some(words) if !words.is_empty() => words.to_owned(),
        Some(_) | None => format!("Telegram answered HTTP {status} without an explanation"),
    };
    let refusal = Reply { status, ..reply.clone() }.refusal("", &words);
    let lower = words.to_lowercase();
    let says = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    let kind = match status {
        // Tokens do not end by themselves: @BotFather gave the bot another one.
        401 | 403 => RefusalKind::Revoked,
        // A token that is none makes an address that is none.
        404 if is_no => RefusalKind::Revoked,
        429 => {
            let seconds = reply.body["parameters"]["retry_after"].as_u64();
            let until = seconds.map(|seconds| reply.at.after(Duration::from_secs(seconds)));
            let until = until.or_else(|| reply.retry_after());
            RefusalKind::Throttled { until, scope: PaceScope::Account }
        }
        400 if says(WITHDRAWN) => RefusalKind::Revoked,
        400 if says(MEDIA) => RefusalKind::Media,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

/// Whether a 400 says one of these.
pub(super) fn says(reply: &Reply, text: &str) -> bool {
    let words = reply.body["description"].as_str().unwrap_or_default();
    reply.body["ok"] == false && words.to_lowercase().contains(text)
}
