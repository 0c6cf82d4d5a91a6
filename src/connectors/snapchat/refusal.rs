//! What Snapchat's no means. It may come with HTTP 200: only `request_status` "SUCCESS" is a yes.
//!
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/ProfileAssetManagement>, as of
//! 2026-03.

use crate::{
    connectors::Reply,
    domain::refusal::{Refusal, RefusalKind},
};

/// Nothing was posted: the file is not ready yet.
pub(super) const PROCESSING: &str = "MEDIA_PROCESSING";

/// An earlier post of the same file was accepted.
pub(super) const POSTING: &str = "MEDIA_POSTING_ALREADY_IN_PROGRESS";

const EXPIRED: &str = "MEDIA_EXPIRED";
const DENIED: &str = "AUTHORIZATION_PERMISSION_DENIED";

/// `None`: it is a yes.
pub(super) fn of_reply(reply: &Reply) -> Option<Refusal> {
    let text = |name: &str| reply.body[name].as_str().filter(|text| !text.is_empty());
    let status = text("request_status").or_else(|| text("sub_request_status"));
    let code = text("error_code");
    let says = |word: &str| status.is_some_and(|status| status.eq_ignore_ascii_case(word));
    match code {
        None if reply.is_success() && says("SUCCESS") => return None,
        None if reply.is_success() && status.is_none() => {
            return Some(reply.unreadable("/request_status"));
        }
        None | Some(_) => (),
    }
    let words = text("display_message")
        .or_else(|| text("debug_message"))
        .or_else(|| text("sub_request_error_reason"));
    let words = match words {
        Some(words) => words.to_owned(),
        None => format!("Snapchat answered HTTP {} without an explanation", reply.status),
    };
    let code = code.unwrap_or_default();
    let refusal = reply.refusal(code, &words);
    let kind = match (code, refusal.kind) {
        // Asked for until it should have been ready.
        (EXPIRED | PROCESSING, _) => RefusalKind::Media,
        (DENIED, _) => RefusalKind::Revoked,
        (POSTING, _) => RefusalKind::Duplicate,
        // A plain no, with HTTP 200.
        (_, RefusalKind::Unreadable) if says("ERROR") => RefusalKind::Rejected,
        (_, kind) => kind,
    };
    Some(Refusal { kind, words: explained(code, words), ..refusal })
}

fn explained(code: &str, words: String) -> String {
    match code {
        DENIED => format!(
            "Snap has not opened its Public Profile API to your OAuth app, or the account may not \
             post for this profile; ask Snap to allow-list the app, then connect again ({words})"
        ),
        EXPIRED => format!("Snapchat keeps a file for a day, and this one is gone ({words})"),
        PROCESSING => format!("Snapchat was not done with the file in time ({words})"),
        _ => words,
    }
}
