//! What a no of WhatsApp's means, beyond what Meta's networks have in common.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>, as of 2026-10:
//! "build your logic around the code"; subcodes are deprecated there. Much is refused only later,
//! by a webhook.

use std::time::Duration;

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

/// Ours: it went to some, and not to others.
pub(super) const SOME_REFUSED: &str = "some_refused";

/// Codes that say something of this recipient alone: the others may well get it.
const OF_THE_RECIPIENT: &[i64] = &[
    // Not a number of WhatsApp's; the sender's own; undeliverable.
    33, 131_021, 131_026, // Not among those to whom a number for tests may write.
    131_030, // More than 24 hours since they last wrote.
    131_047,
    // Had enough of marketing for now; is part of an experiment; wants none; lives where it is
    // not allowed.
    131_049, 130_472, 131_050, 130_497,
];

pub(super) fn is_about_the_recipient(reply: &Reply) -> bool {
    meta::code(reply).is_some_and(|code| OF_THE_RECIPIENT.contains(&code.code))
}

/// Whatever is wrong with a file, one that is uploaded anew may be understood.
pub(super) fn of_upload(reply: &Reply) -> Refusal {
    let refusal = of_reply(reply);
    let is_of_file = matches!(meta::code(reply), Some(Code { code: 100 | 131_009, .. }));
    let kind = if is_of_file { RefusalKind::Media } else { refusal.kind };
    Refusal { kind, ..refusal }
}

pub(super) fn of_reply(reply: &Reply) -> Refusal {
    let refusal = meta::refusal(reply, special);
    let code = meta::code(reply).map(|code| code.code);
    let rest = |seconds| RefusalKind::Throttled {
        until: Some(reply.at.after(Duration::from_secs(seconds))),
        scope: PaceScope::Account,
    };
    let kind = match (refusal.kind, code) {
        // The token of a system user cannot be renewed by us.
        (RefusalKind::Unauthorized, _) => RefusalKind::Revoked,
        // "80 messages per second": soon there is room again.
        (RefusalKind::Throttled { .. }, Some(130_429)) => rest(60),
        // "One message every 6 seconds to the same user".
        (RefusalKind::Throttled { .. }, Some(131_056)) => rest(6),
        // Too many people have reported the number; asking sooner makes it worse.
        (RefusalKind::Throttled { .. }, Some(131_048)) => rest(24 * 60 * 60),
        (kind, _) => kind,
    };
    let details = reply.body.pointer("/error/error_data/details").and_then(|it| it.as_str());
    let words = match (refusal.words.as_str(), details.unwrap_or_default()) {
        ("", "") => format!("WhatsApp answered HTTP {} without an explanation", reply.status),
        ("", said) | (said, "") => said.to_owned(),
        (words, details) => format!("{words}: {details}"),
    };
    Refusal { kind, words, code: refusal.code }
}

fn special(code: Code) -> Option<RefusalKind> {
    Some(match code.code {
        // The token; a permission; the account is blocked or locked; the display name is not
        // approved; a payment is missing; the number is not registered.
        0 | 131_005 | 368 | 131_031 | 131_037 | 131_042 | 131_045 | 133_010 => RefusalKind::Revoked,
        130_429 | 131_048 | 131_056 => {
            RefusalKind::Throttled { until: None, scope: PaceScope::Account }
        }
        131_052 | 131_053 => RefusalKind::Media,
        // "Something went wrong", "service unavailable", maintenance, a server that is away: it
        // may have been sent all the same.
        131_000 | 131_016 | 131_057 | 133_004 => RefusalKind::Unavailable,
        code if OF_THE_RECIPIENT.contains(&code) => RefusalKind::Rejected,
        // Parameters; a type that is not supported; a template that is not there, not approved,
        // paused, or has other parameters.
        131_008 | 131_009 | 131_051 | 132_000..=132_999 => RefusalKind::Rejected,
        _ => return None,
    })
}
