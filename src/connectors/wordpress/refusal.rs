//! What WordPress's no means: `{"code": …, "message": …, "data": {"status": …}}`.
//!
//! The codes are those of `wp-includes/rest-api` and of application passwords
//! (`wp-includes/user.php`), as of WordPress 6, read 2026-11-26.

use super::Step;
use crate::{
    connectors::Reply,
    domain::refusal::{Refusal, RefusalKind},
};

/// Only a person can mend it: another password, or another role.
const WITHDRAWN: &[&str] = &[
    "application_passwords_disabled",
    "application_passwords_disabled_for_user",
    "incorrect_password",
    "invalid_email",
    "invalid_username",
    "rest_cannot_create",
    "rest_cannot_publish",
    "rest_forbidden",
    "rest_forbidden_context",
    "rest_not_logged_in",
];

const MEDIA: &[&str] = &[
    "rest_upload_file_too_big",
    "rest_upload_hash_mismatch",
    "rest_upload_invalid_disposition",
    "rest_upload_limited_space",
    "rest_upload_no_content_disposition",
    "rest_upload_no_data",
    "rest_upload_sideload_error",
    "rest_upload_unknown_error",
    "rest_upload_user_quota_exceeded",
];

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let is_upload = matches!(step, Step::Upload { .. });
    match reply.status {
        // Of a file that the server in front of the site does not let through.
        400..=499 if is_upload && refusal.kind == RefusalKind::Rejected => {
            Refusal { kind: RefusalKind::Media, ..refusal }
        }
        _ => refusal,
    }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let code = reply.body["code"].as_str().unwrap_or_default();
    let words = match (reply.body["message"].as_str(), code, reply.status) {
        (Some(words), ..) if !words.is_empty() => words.to_owned(),
        (_, "", 404) => "there is no WordPress at this address, or its API is not at /wp-json: \
                         switch pretty permalinks on (Settings → Permalinks)"
            .to_owned(),
        _ => format!("the site answered HTTP {} without an explanation", reply.status),
    };
    let refusal = reply.refusal(code, &words);
    let kind = match (code, reply.status) {
        // Not WordPress's own word: a firewall or a server in front of it.
        ("", 401) => RefusalKind::Revoked,
        (code, 400..=499) if WITHDRAWN.contains(&code) => RefusalKind::Revoked,
        (code, _) if MEDIA.contains(&code) => RefusalKind::Media,
        (_, 401) => RefusalKind::Revoked,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}
