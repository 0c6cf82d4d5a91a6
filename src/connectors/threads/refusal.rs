//! What Threads' no means, beyond what Meta's networks have in common.
//!
//! <https://developers.facebook.com/docs/threads/troubleshooting/error-codes>, as of 2026-10, where
//! not all numbers are listed; those marked are Instagram's, whose publishing Threads shares.

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

pub(super) fn of_step(step: &Step, reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let kind = match step {
        // Asked for until it should have been ready, or gone.
        Step::ItemReady { .. } | Step::Ready { .. } | Step::Publish { .. }
            if says_absent(reply) =>
        {
            RefusalKind::Media
        }
        // Its items are gone: they are kept for a day.
        Step::Container { earned, .. }
            if says_absent(reply) && earned.sent.is_empty() && !earned.items.is_empty() =>
        {
            RefusalKind::Media
        }
        // To read is more than to write: nobody has to sign in again because of it.
        Step::Find { .. } | Step::Address { .. } if is_permission(reply) => RefusalKind::Rejected,
        Step::Quota
        | Step::Item { .. }
        | Step::ItemReady { .. }
        | Step::Container { .. }
        | Step::Ready { .. }
        | Step::Publish { .. }
        | Step::Find { .. }
        | Step::Address { .. } => refusal.kind,
    };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let refusal = meta::refusal(reply, special);
    let words = match refusal.words.is_empty() {
        true => format!("Threads answered HTTP {} without an explanation", reply.status),
        false => refusal.words,
    };
    // No number is documented for it.
    let kind = match refusal.kind {
        RefusalKind::Rejected if words.contains(NOT_FETCHED) => RefusalKind::Media,
        kind @ (RefusalKind::Rejected
        | RefusalKind::Unavailable
        | RefusalKind::Throttled { .. }
        | RefusalKind::Unauthorized
        | RefusalKind::Revoked
        | RefusalKind::Duplicate
        | RefusalKind::Media
        | RefusalKind::Unreadable) => kind,
    };
    Refusal { kind, words, code: refusal.code }
}

const NOT_FETCHED: &str = "could not be fetched from this URI";

/// 24, "the requested resource does not exist", and 100/33, not there or not for this token. Of
/// what was just made it means that it is not there yet.
pub(super) fn says_absent(reply: &Reply) -> bool {
    matches!(meta::code(reply), Some(Code { code: 24, .. } | Code { code: 100, subcode: 33 }))
}

/// 24 at publication: "Media Not Found", because the container is not ready.
pub(super) fn says_early(reply: &Reply) -> bool {
    matches!(meta::code(reply), Some(Code { code: 24, .. }))
}

fn is_permission(reply: &Reply) -> bool {
    matches!(meta::code(reply), Some(Code { code: 3 | 10 | 200..=299, .. }))
}

fn special(code: Code) -> Option<RefusalKind> {
    match (code.code, code.subcode) {
        // Blocked as spam. Instagram says it below 4, which otherwise is the app's limit.
        (2_207_051, _) | (_, 2_207_051) => Some(RefusalKind::Rejected),
        // The account is restricted: the person has to see to it in the app of Threads.
        (4_279_013, _) | (_, 4_279_013) => Some(RefusalKind::Revoked),
        // The day's posts are used up (unconfirmed).
        (9, _) => Some(RefusalKind::Throttled { until: None, scope: PaceScope::Account }),
        // Could not be fetched, in Instagram's numbers (unconfirmed).
        (9_004, _) | (_, 2_207_052) => Some(RefusalKind::Media),
        _ => None,
    }
}
