//! What Instagram's no means, beyond what is Meta's in common.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes>,
//! as of 2026-10. A container that failed names the subcode in its `status`.

use super::Step;
use crate::{
    connectors::{
        Reply,
        meta::{self, Code},
    },
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

use RefusalKind::{Media, Rejected, Revoked, Unavailable};

const THROTTLED: RefusalKind = RefusalKind::Throttled { until: None, scope: PaceScope::Account };

/// A subcode means the same wherever it comes, so the code beside it is not looked at.
const SUBCODES: &[(i64, RefusalKind)] = &[
    // An error of Instagram's server.
    (2_207_001, Unavailable),
    // It took too long to fetch the file.
    (2_207_003, Media),
    // The image is too large, of a format or of a ratio that it does not take.
    (2_207_004, Media),
    (2_207_005, Media),
    (2_207_009, Media),
    // There is no such post, or it is not ours.
    (2_207_006, Rejected),
    (CONTAINER_MISSING, Media),
    // The caption is too long.
    (2_207_010, Rejected),
    // The container has expired.
    (2_207_020, Media),
    // An unknown type of media; a video of a format that it does not take.
    (2_207_023, Rejected),
    (2_207_026, Media),
    (NOT_READY, Unavailable),
    // A carousel of fewer than 2 or more than 10.
    (2_207_028, Rejected),
    // The container could not be made.
    (2_207_032, Unavailable),
    // Tags of products and people.
    (2_207_035, Rejected),
    (2_207_036, Rejected),
    (2_207_037, Rejected),
    (2_207_040, Rejected),
    // All posts of the day are used up.
    (2_207_042, THROTTLED),
    // The account is restricted: its owner has to open the app.
    (2_207_050, Revoked),
    // The action was taken for spam. Code 4 beside it would be a limit.
    (2_207_051, Rejected),
    // The file could not be fetched from its address.
    (2_207_052, Media),
    // The upload failed for an unknown reason.
    (2_207_053, Media),
    // The cover is beyond the end of the video. Code 1 beside it would be a passing error.
    (2_207_057, Rejected),
    // This cannot be deleted.
    (2_207_073, Rejected),
    // The video could not be fetched, or not be taken.
    (2_207_077, Media),
    (2_207_082, Media),
    // The account may not try reels out.
    (2_207_081, Rejected),
];

const CONTAINER_MISSING: i64 = 2_207_008;
const NOT_READY: i64 = 2_207_027;

fn by_subcode(subcode: i64) -> Option<RefusalKind> {
    SUBCODES.iter().find(|(known, _)| *known == subcode).map(|(_, kind)| *kind)
}

fn meaning(code: Code) -> Option<RefusalKind> {
    // Some stand where the code is.
    by_subcode(code.subcode).or_else(|| by_subcode(code.code)).or(match code.code {
        -2 | 352 | 9_004 | 36_000 | 36_001 | 36_003 => Some(Media),
        -1 | 9_007 => Some(Unavailable),
        9 => Some(THROTTLED),
        24 | 36_004 => Some(Rejected),
        25 => Some(Revoked),
        _ => None,
    })
}

/// The post is out, so a permission that is missing for its comment ends the comment alone.
fn meaning_for_comment(code: Code) -> Option<RefusalKind> {
    match code.code {
        // "The comment was created" all the same.
        20 => Some(RefusalKind::Unreadable),
        3 | 10 | 200..=299 => Some(Rejected),
        _ => meaning(code),
    }
}

/// Instagram has no such container, or not yet on every one of its machines.
pub(super) fn is_missing(code: Code) -> bool {
    matches!((code.code, code.subcode), (24, 2_207_006 | CONTAINER_MISSING) | (100, 33))
}

/// Published "too early".
pub(super) fn is_early(code: Code) -> bool {
    code.subcode == NOT_READY || (code.code == 9_007 && code.subcode == 0)
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    explained(meta::refusal(reply, meaning), reply)
}

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    match step {
        Step::Upload { .. } => of_upload(reply),
        Step::Comment { .. } => explained(meta::refusal(reply, meaning_for_comment), reply),
        // To begin anew is out of the question while it may be out.
        Step::Settle { .. } => match of_reply(reply) {
            refusal if refusal.kind == Media => Refusal { kind: Unavailable, ..refusal },
            refusal => refusal,
        },
        Step::Prepare { .. }
        | Step::Process { .. }
        | Step::Gather { .. }
        | Step::Allowance { .. }
        | Step::Publish { .. }
        | Step::Find { .. }
        | Step::Address { .. } => of_reply(reply),
    }
}

fn explained(refusal: Refusal, reply: &Reply) -> Refusal {
    if !refusal.words.is_empty() {
        return refusal;
    }
    let words = format!("Instagram answered HTTP {} without an explanation", reply.status);
    Refusal { words, ..refusal }
}

/// The host for uploads has an envelope of its own:
/// `{"debug_info":{"retriable":false,"type":"ProcessingFailedError","message":"…"}}`.
fn of_upload(reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let trouble = &reply.body["debug_info"];
    let kind = match (refusal.kind, trouble["retriable"].as_bool()) {
        (kind @ (RefusalKind::Throttled { .. } | RefusalKind::Unauthorized | Revoked), _) => kind,
        (_, Some(true)) => Unavailable,
        (_, Some(false)) | (Rejected, None) => Media,
        (kind, None) => kind,
    };
    let text = |name: &str| trouble[name].as_str().map(str::to_owned);
    Refusal {
        kind,
        code: text("type").unwrap_or(refusal.code),
        words: text("message").unwrap_or(refusal.words),
    }
}

/// Of a container that failed. What would pass does not pass here: "containers cannot be used
/// again after an error", so one more is made.
pub(super) fn of_container(status: &str) -> Refusal {
    let mut numbers = status.split(|letter: char| !letter.is_ascii_digit());
    let subcode = numbers.find(|digits| digits.len() == 7 && digits.starts_with("2207"));
    let known = subcode.and_then(|digits| digits.parse().ok()).and_then(by_subcode);
    let kind = match known {
        Some(kind @ (Rejected | Revoked)) => kind,
        Some(
            Media
            | Unavailable
            | RefusalKind::Throttled { .. }
            | RefusalKind::Unauthorized
            | RefusalKind::Duplicate
            | RefusalKind::Unreadable,
        )
        | None => Media,
    };
    let words = match status.trim() {
        "" => "Instagram could not process the file, and does not say why",
        status => status,
    };
    Refusal::new(kind, subcode.unwrap_or("container_error"), words)
}

pub(super) fn expired() -> Refusal {
    let words = "the container was not published within 24 hours, and Instagram has dropped it";
    Refusal::new(Media, "container_expired", words)
}

pub(super) fn never_ready() -> Refusal {
    Refusal::new(Media, "not_ready", "Instagram was not done with the file within half an hour")
}

pub(super) fn never_settled() -> Refusal {
    let words = "Instagram was asked to publish it and has been working on it ever since; look at \
                 the account before you try again, because it may be out by now";
    Refusal::new(Rejected, "not_settled", words)
}

pub(super) fn not_listed() -> Refusal {
    let words = "the post is out, but cannot be told for sure among the account's posts, so its \
                 comment was not made; write it in the app";
    Refusal::new(Rejected, "not_listed", words)
}
