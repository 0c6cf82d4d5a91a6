//! What TikTok's no means. It may come with HTTP 200: only `error.code` "ok" is a yes.
//!
//! The references of the Content Posting API and
//! <https://developers.tiktok.com/doc/tiktok-api-v2-error-handling>, as of 2026-11-21.

use std::time::Duration;

use super::status::code;
use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// What is used up for the day is asked about again a day later.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The token has ended, which a refresh mends.
pub(super) const TOKEN: &str = "access_token_invalid";

/// `None`: it is a yes.
pub(super) fn of_reply(reply: &Reply) -> Option<Refusal> {
    let code = code(&reply.body);
    let words = reply.body["error"]["message"].as_str().filter(|words| !words.is_empty());
    let words = match words {
        Some(words) => words.to_owned(),
        None => format!("TikTok answered HTTP {} without an explanation", reply.status),
    };
    match code {
        Some("ok") if reply.is_success() => None,
        Some("ok") | None if reply.is_success() => Some(reply.unreadable("/error/code")),
        Some("ok") | None => Some(reply.refusal("", &words)),
        Some(code) => {
            let refusal = reply.refusal(code, &words);
            let kind = kind_of(code, reply).unwrap_or(refusal.kind);
            Some(Refusal { kind, words: explained(code, words), ..refusal })
        }
    }
}

/// The host for uploads speaks by status alone.
pub(super) fn of_upload(reply: &Reply) -> Refusal {
    let words = reply.body["error"]["message"].as_str().filter(|words| !words.is_empty());
    let words = match (words, reply.status) {
        (Some(words), _) => words.to_owned(),
        (None, 400) => "TikTok found the piece of the video malformed".to_owned(),
        (None, status) => format!("TikTok's host for uploads answered HTTP {status}"),
    };
    reply.refusal(code(&reply.body).unwrap_or_default(), &words)
}

fn kind_of(code: &str, reply: &Reply) -> Option<RefusalKind> {
    let until = |wait: Option<Duration>| {
        let until: Option<Timestamp> = wait.map(|wait| reply.at.after(wait));
        let until = reply.retry_after().or(until);
        Some(RefusalKind::Throttled { until, scope: PaceScope::Account })
    };
    match code {
        TOKEN => Some(RefusalKind::Unauthorized),
        "scope_not_authorized"
        | "scope_permission_missed"
        | "spam_risk_user_banned_from_posting" => Some(RefusalKind::Revoked),
        "rate_limit_exceeded" => until(None),
        "spam_risk_too_many_posts"
        | "spam_risk_too_many_pending_share"
        | "reached_active_user_cap" => until(Some(DAY)),
        "unaudited_client_can_only_post_to_private_accounts"
        | "url_ownership_unverified"
        | "privacy_level_option_mismatch"
        | "app_version_check_failed"
        | "invalid_param"
        | "invalid_params"
        | "invalid_file_upload"
        | "invalid_publish_id"
        | "publish_not_cancellable"
        | "token_not_authorized_for_specified_publish_id" => Some(RefusalKind::Rejected),
        "internal_error" => Some(RefusalKind::Unavailable),
        _ => None,
    }
}

fn explained(code: &str, words: String) -> String {
    let explanation = match code {
        "unaudited_client_can_only_post_to_private_accounts" => {
            "until TikTok has audited your developer app, it may post only with `privacy` `self`, \
             and only to an account that is set to private in the app"
        }
        "url_ownership_unverified" => {
            "TikTok fetches photos only from addresses that are verified for your developer app; \
             verify the one in `server.public_url` at TikTok, under URL properties"
        }
        "reached_active_user_cap" => {
            "as many people as your developer app may have in a day have posted with it"
        }
        "spam_risk_too_many_posts" => {
            "the account has used up the posts that TikTok allows in a day by way of apps"
        }
        _ => return words,
    };
    format!("{explanation} ({words})")
}

/// It would be answered the same if it were asked again.
pub(super) fn is_final(refusal: &Refusal) -> bool {
    match refusal.kind {
        RefusalKind::Rejected | RefusalKind::Duplicate | RefusalKind::Media => true,
        RefusalKind::Unavailable
        | RefusalKind::Throttled { .. }
        | RefusalKind::Unauthorized
        | RefusalKind::Revoked
        | RefusalKind::Unreadable => false,
    }
}

/// Of a post that was taken, and then failed: `fail_reason`.
pub(super) fn of_failure(reason: &str) -> RefusalKind {
    match reason {
        // TikTok could not fetch, or had trouble of its own: from the beginning, once more.
        "video_pull_failed" | "photo_pull_failed" | "internal" => RefusalKind::Media,
        "spam_risk_too_many_posts" | "spam_risk_too_many_pending_share" => {
            RefusalKind::Throttled { until: None, scope: PaceScope::Account }
        }
        "spam_risk_user_banned_from_posting" | "auth_removed" => RefusalKind::Revoked,
        // The file itself, the text, a cancellation; and what nobody has heard of.
        _ => RefusalKind::Rejected,
    }
}

pub(super) fn words_of_failure(reason: &str) -> String {
    let words = match reason {
        "file_format_check_failed" => "TikTok does not take the format of this file",
        "duration_check_failed" => "the video is too long or too short for TikTok",
        "frame_rate_check_failed" => {
            "TikTok takes videos of 23 to 60 frames a second, and this one has another rate"
        }
        "picture_size_check_failed" => "TikTok does not take pictures of this size",
        "video_pull_failed" | "photo_pull_failed" => {
            "TikTok could not fetch a file from the address in `server.public_url`"
        }
        "internal" => "TikTok failed while it processed the post",
        "spam_risk_text" => "TikTok takes the text for spam",
        "spam_risk" => "TikTok takes the post for spam",
        "spam_risk_too_many_posts" => {
            "the account has used up the posts that TikTok allows in a day by way of apps"
        }
        "spam_risk_too_many_pending_share" => "too many posts of the account are still pending",
        "spam_risk_user_banned_from_posting" => "TikTok has banned the account from posting",
        "auth_removed" => "the account has taken back the access of the app",
        "publish_cancelled" => "the post was cancelled at TikTok",
        _ => return format!("TikTok failed the post and calls it `{reason}`"),
    };
    words.to_owned()
}
