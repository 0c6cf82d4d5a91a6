//! What Slack's no means: a code in `error`, nearly always with HTTP 200; of a webhook, the code
//! alone, as text.
//!
//! The errors of each method under <https://docs.slack.dev/reference/methods> and
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, as of 2026-08.

use super::{Step, is_webhook};
use crate::{
    connectors::{Job, Reply},
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

/// The token is no good any more, or never included this, or the channel is closed to the bot.
const WITHDRAWN: &[&str] = &[
    "access_denied",
    "account_inactive",
    "action_prohibited",
    "app_access_restricted",
    "channel_is_archived",
    "channel_is_limited_access",
    "channel_not_found",
    "ekm_access_denied",
    "invalid_auth",
    "invalid_refresh_token",
    "invalid_token",
    "is_archived",
    "missing_scope",
    "no_active_hooks",
    "no_permission",
    "no_service",
    "no_service_id",
    "no_team",
    "not_allowed_token_type",
    "not_authed",
    "not_in_channel",
    "org_login_required",
    "posting_to_channel_denied",
    "posting_to_general_channel_denied",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "team_disabled",
    "token_revoked",
];

/// "It's possible some aspect of the operation succeeded before the error was raised".
const TRANSIENT: &[&str] = &[
    "fatal_error",
    "internal_error",
    "request_timeout",
    "rollup_error",
    "service_unavailable",
    "team_added_to_org",
];

const THROTTLED: &[&str] = &["message_limit_exceeded", "rate_limited", "ratelimited"];

/// A file was lost; what its workspace does not take at all stays refused.
const MEDIA: &[&str] = &["file_not_found", "file_update_failed", "missing_file_data"];

const DUPLICATE: &[&str] = &["duplicate_channel_not_found", "duplicate_message_not_found"];

pub(super) fn is_success(reply: &Reply) -> bool {
    reply.status == 200 && reply.body["ok"] == true
}

/// A webhook says it in a word.
pub(super) fn is_sent(job: &Job, reply: &Reply) -> bool {
    match is_webhook(&job.site) {
        true => reply.status == 200 && reply.body == "ok",
        false => is_success(reply),
    }
}

/// Empty where there is none.
pub(super) fn code(reply: &Reply) -> &str {
    let said = reply.body["error"].as_str().or(reply.body.as_str()).unwrap_or_default();
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if said.bytes().all(is_code) { said } else { "" }
}

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    match (step, reply.status) {
        // The place for the file has run out, or the file is not what it should be.
        (Step::Upload { .. }, 400 | 403..=407 | 409..=424) => {
            Refusal { kind: RefusalKind::Media, ..refusal }
        }
        (
            Step::Upload { .. } | Step::Reserve { .. } | Step::Publish { .. } | Step::Locate { .. },
            _,
        ) => refusal,
    }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let code = code(reply);
    let refusal = reply.refusal(code, &words(code, reply));
    let is_no = reply.body["ok"] == false || (!reply.is_success() && reply.body.is_string());
    let is_one_of = |codes: &[&str]| is_no && codes.contains(&code);
    let kind = match reply.status {
        _ if is_one_of(THROTTLED) => throttled(reply),
        _ if is_one_of(&["token_expired"]) => RefusalKind::Unauthorized,
        _ if is_one_of(WITHDRAWN) => RefusalKind::Revoked,
        _ if is_one_of(TRANSIENT) => RefusalKind::Unavailable,
        _ if is_one_of(MEDIA) => RefusalKind::Media,
        _ if is_one_of(DUPLICATE) => RefusalKind::Duplicate,
        429 => throttled(reply),
        200 if reply.body["ok"] == false && !code.is_empty() => RefusalKind::Rejected,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

fn throttled(reply: &Reply) -> RefusalKind {
    RefusalKind::Throttled { until: reply.retry_after(), scope: PaceScope::Account }
}

/// Slack explains little: the code, the scope that is missing, and what is wrong with a block.
fn words(code: &str, reply: &Reply) -> String {
    let said = match (code, reply.body.as_str()) {
        ("", None) => format!("Slack answered HTTP {} without an explanation", reply.status),
        ("", Some(text)) => format!("Slack answered HTTP {}: {text}", reply.status),
        (code, _) => format!("Slack says `{code}`"),
    };
    let needed = reply.body["needed"].as_str().map(|scope| format!("it needs the scope {scope}"));
    let details = reply.body["response_metadata"]["messages"].as_array();
    let details = details.into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned));
    let all: Vec<String> = [said].into_iter().chain(needed).chain(details).collect();
    all.join(": ")
}
