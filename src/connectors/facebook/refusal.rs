//! What a no of Facebook's means, beside what all of Meta's networks have in common.
//!
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling> and
//! <https://developers.facebook.com/docs/video-api/reference/error-codes>, as of 2026-10. Many
//! numbers stand in no page; they are what publishers have met.

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

/// "Object does not exist", or is not to be seen with this token.
pub(super) const GONE: Code = Code { code: 100, subcode: 33 };

/// The comment "was created", and reading it back failed, as publishers have met it.
const CREATED_UNREAD: Code = Code { code: 20, subcode: 1_772_107 };

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let kind = match (step, meta::code(reply)) {
        // What is gone is what was uploaded for it; a page that is gone would have told earlier.
        (Step::Transfer { .. } | Step::Process { .. } | Step::Finish { .. }, Some(GONE)) => {
            RefusalKind::Media
        }
        (Step::Publish { photos }, Some(GONE)) if !photos.is_empty() => RefusalKind::Media,
        // Without a correction that leads on, the same piece would be refused again.
        (Step::Transfer { .. }, Some(code)) if is_about(code, WRONG_OFFSET) => RefusalKind::Media,
        // Whether it is there, is looked at.
        (Step::Comment { .. }, Some(CREATED_UNREAD)) => RefusalKind::Unreadable,
        // The host for uploads speaks in words of its own.
        (Step::Send { .. }, None) if refusal.kind == RefusalKind::Rejected => RefusalKind::Media,
        _ => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let refusal = meta::refusal(reply, special);
    if !refusal.words.is_empty() {
        return refusal;
    }
    let words = match reply.body["debug_info"]["message"].as_str() {
        Some(words) => words.to_owned(),
        None => format!("Facebook answered HTTP {} without an explanation", reply.status),
    };
    Refusal { words, ..refusal }
}

const WRONG_OFFSET: i64 = 1_363_037;

fn is_about(code: Code, number: i64) -> bool {
    code.code == number || code.subcode == number
}

/// The same number comes as a code or as a subcode.
fn special(code: Code) -> Option<RefusalKind> {
    numbered(code.subcode).or_else(|| numbered(code.code))
}

fn numbered(number: i64) -> Option<RefusalKind> {
    Some(match number {
        // Posting too fast.
        1_390_008 => RefusalKind::Throttled { until: None, scope: PaceScope::Account },
        // Flagged as abusive; against the Community Standards.
        1_346_003 | 1_404_102 => RefusalKind::Rejected,
        // The person has to pass a security check, be authorized to publish as the page, wait for
        // a restriction to end, or confirm who they are.
        1_404_006 | 1_404_078 | 1_404_112 | 4_854_002 => RefusalKind::Revoked,
        // No permission to edit the video, or to upload one here.
        1_363_005 | 1_363_042 => RefusalKind::Revoked,
        // Links to facebook.com are not allowed; a malformed address; an invalid format.
        1_609_008 | 2_061_006 | 1_349_125 => RefusalKind::Rejected,
        // A link could not be read.
        1_609_005 => RefusalKind::Rejected,
        // A photo that is too large, or none; a file that is not valid.
        324 | 1_366_046 | 2_069_019 => RefusalKind::Media,
        // These photos were posted already.
        1_366_051 => RefusalKind::Duplicate,
        // A video that did not arrive, arrived in part or too slowly, or is not understood.
        6_000 | 1_363_019..=1_363_026 | 1_363_030..=1_363_033 => RefusalKind::Media,
        // Temporarily unavailable.
        WRONG_OFFSET | 1_609_010 => RefusalKind::Unavailable,
        _ => return None,
    })
}
