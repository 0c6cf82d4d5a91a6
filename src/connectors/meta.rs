//! What Facebook, Instagram and Threads share: Meta's error envelope, its codes, and how it says
//! that a limit is reached.
//!
//! <https://developers.facebook.com/docs/graph-api/guides/error-handling> and
//! <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>, as of 2026-10.

use std::time::Duration;

use serde_json::Value;

use crate::{
    connectors::Reply,
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// Where nothing is said, "the limit is per rolling hour".
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The envelope: `{"error":{"message","code","error_subcode","is_transient",…}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) code: i64,
    /// 0: none was said.
    pub(super) subcode: i64,
}

/// Whether Meta said yes. "A few edges return it with HTTP 200", so a body with an `error` is a no
/// whatever its status.
pub(super) fn is_success(reply: &Reply) -> bool {
    reply.is_success() && reply.body.get("error").is_none()
}

pub(super) fn code(reply: &Reply) -> Option<Code> {
    let error = reply.body.get("error")?;
    let code = error.get("code").and_then(Value::as_i64)?;
    let subcode = error.get("error_subcode").and_then(Value::as_i64).unwrap_or_default();
    Some(Code { code, subcode })
}

/// Reads a no. `special` knows a platform's own codes, and is asked first.
pub(super) fn refusal(reply: &Reply, special: fn(Code) -> Option<RefusalKind>) -> Refusal {
    let error = &reply.body["error"];
    let Some(code) = code(reply) else {
        let words = error["message"].as_str().or(reply.body.as_str()).unwrap_or_default();
        return reply.refusal("", words);
    };
    let kind = match special(code) {
        Some(RefusalKind::Throttled { until: None, scope }) => {
            RefusalKind::Throttled { until: Some(room_again(reply)), scope }
        }
        Some(kind) => kind,
        None => common(code, reply),
    };
    Refusal::new(kind, name(code), words(error))
}

/// `190/463`, or `190`.
fn name(code: Code) -> String {
    match code.subcode {
        0 => code.code.to_string(),
        subcode => format!("{}/{subcode}", code.code),
    }
}

/// What is meant for people, where there is something; never the `fbtrace_id`, which helps nobody
/// here.
fn words(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default().trim();
    let (message, title, said) =
        (text("message"), text("error_user_title"), text("error_user_msg"));
    match (title, said) {
        ("", "") => message.to_owned(),
        ("", said) | (said, "") => format!("{said} ({message})"),
        (title, said) => format!("{title}: {said} ({message})"),
    }
}

/// Codes that mean the same on all of Meta's networks.
fn common(code: Code, reply: &Reply) -> RefusalKind {
    let transient = reply.body["error"]["is_transient"].as_bool() == Some(true);
    match (code.code, code.subcode) {
        // The person removed the app, changed the password, has to pass a check, or lost the role.
        (190, 458 | 459 | 460 | 464 | 467 | 492) => RefusalKind::Revoked,
        (102 | 190, _) => RefusalKind::Unauthorized,
        (3 | 10 | 200..=299, _) => RefusalKind::Revoked,
        // 341: "Application limit reached".
        (4 | 341, _) => throttled(reply, PaceScope::App),
        (17 | 32 | 613 | 80_000..=80_014, _) => throttled(reply, PaceScope::Account),
        (506, _) => RefusalKind::Duplicate,
        (368, _) => RefusalKind::Rejected,
        // "POST may nevertheless have been executed": whoever armed a request has to look.
        (1 | 2, _) => RefusalKind::Unavailable,
        _ if transient || reply.status >= 500 => RefusalKind::Unavailable,
        _ => match reply.status {
            429 => throttled(reply, PaceScope::Account),
            401 => RefusalKind::Unauthorized,
            _ => RefusalKind::Rejected,
        },
    }
}

fn throttled(reply: &Reply, scope: PaceScope) -> RefusalKind {
    RefusalKind::Throttled { until: Some(room_again(reply)), scope }
}

/// By `X-Business-Use-Case-Usage`, whose `estimated_time_to_regain_access` is in minutes; Meta
/// sends no `Retry-After`, but a proxy in front of it may.
fn room_again(reply: &Reply) -> Timestamp {
    if let Some(until) = reply.retry_after() {
        return until;
    }
    let usage = reply.header("x-business-use-case-usage").unwrap_or_default();
    let usage: Value = serde_json::from_str(usage).unwrap_or_default();
    let minutes = usage
        .as_object()
        .into_iter()
        .flat_map(|businesses| businesses.values())
        .flat_map(|uses| uses.as_array().into_iter().flatten())
        .filter_map(|one| one["estimated_time_to_regain_access"].as_u64())
        .max()
        .filter(|&minutes| minutes > 0);
    let wait = minutes.map_or(HOUR, |minutes| Duration::from_secs(minutes.min(24 * 60) * 60));
    reply.at.after(wait)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_251_600_000);

    fn reply(status: u16, body: Value) -> Reply {
        Reply { status, headers: Vec::new(), body, at: NOW }
    }

    fn error(status: u16, code: i64, subcode: i64) -> Reply {
        let error = json!({ "message": "No.", "code": code, "error_subcode": subcode });
        reply(status, json!({ "error": error }))
    }

    fn kind(reply: &Reply) -> RefusalKind {
        refusal(reply, |_| None).kind
    }

    fn resting(minutes: u64, scope: PaceScope) -> RefusalKind {
        let until = Some(NOW.after(Duration::from_secs(minutes * 60)));
        RefusalKind::Throttled { until, scope }
    }

    #[test]
    fn common_codes_have_their_reactions() {
        use RefusalKind::{
            Duplicate, Rejected, Revoked, Throttled, Unauthorized, Unavailable, Unreadable,
        };
        let (app, account) = (resting(60, PaceScope::App), resting(60, PaceScope::Account));
        assert!(matches!(app, Throttled { .. }));
        for (status, code, subcode, expected) in [
            (500, 1, 0, Unavailable),
            // Also with a status that says no: the request may have been carried out.
            (400, 2, 0, Unavailable),
            (200, 1, 0, Unavailable),
            (400, 3, 0, Revoked),
            (403, 10, 0, Revoked),
            (403, 200, 0, Revoked),
            (403, 299, 0, Revoked),
            (400, 300, 0, Rejected),
            (403, 4, 0, app),
            (403, 341, 0, app),
            (400, 17, 2_446_079, account),
            (400, 32, 0, account),
            (400, 613, 1_996, account),
            (400, 80_000, 0, account),
            (400, 80_001, 0, account),
            (400, 80_014, 0, account),
            (400, 80_015, 0, Rejected),
            (400, 100, 0, Rejected),
            (400, 100, 33, Rejected),
            (400, 102, 0, Unauthorized),
            (401, 190, 0, Unauthorized),
            (401, 190, 463, Unauthorized),
            (401, 190, 458, Revoked),
            (401, 190, 459, Revoked),
            (401, 190, 460, Revoked),
            (401, 190, 464, Revoked),
            (401, 190, 467, Revoked),
            (401, 190, 492, Revoked),
            (403, 368, 0, Rejected),
            (400, 506, 0, Duplicate),
            (400, 1_609_005, 0, Rejected),
            (500, 100, 0, Unavailable),
            (401, 100, 0, Unauthorized),
            (429, 100, 0, account),
        ] {
            let found = kind(&error(status, code, subcode));
            assert_eq!(found, expected, "HTTP {status}, {code}/{subcode}");
        }
        let bare = reply(200, json!({ "error": { "message": "odd" } }));
        assert!(!is_success(&bare) && kind(&bare) == Unreadable);
    }

    #[test]
    fn what_calls_itself_transient_is_tried_again() {
        let transient = json!({ "error": { "code": 100, "is_transient": true, "message": "" } });
        assert_eq!(kind(&reply(400, transient)), RefusalKind::Unavailable);
    }

    #[test]
    fn a_platforms_own_codes_come_first_and_rest_as_long_as_is_said() {
        let own = |code: Code| {
            (code.subcode == 7)
                .then_some(RefusalKind::Throttled { until: None, scope: PaceScope::Account })
        };
        let answer = error(400, 190, 7);
        assert_eq!(refusal(&answer, own).kind, resting(60, PaceScope::Account));
        assert_eq!(refusal(&answer, own).code, "190/7");
        assert_eq!(refusal(&error(401, 190, 0), own).code, "190");
    }

    #[test]
    fn the_longest_time_to_regain_access_is_rested() {
        let usage = json!({
            "1": [{ "type": "pages", "estimated_time_to_regain_access": 5 }],
            "2": [{ "estimated_time_to_regain_access": 12 }, { "call_count": 1 }],
        });
        let rest = |usage: String| {
            let mut answer = error(400, 80_001, 0);
            answer.headers.push(("x-business-use-case-usage".to_owned(), usage));
            kind(&answer)
        };
        assert_eq!(rest(usage.to_string()), resting(12, PaceScope::Account));
        let zero = json!({ "1": [{ "estimated_time_to_regain_access": 0 }] });
        assert_eq!(rest(zero.to_string()), resting(60, PaceScope::Account));
        assert_eq!(rest("no JSON".to_owned()), resting(60, PaceScope::Account));
    }

    #[test]
    fn words_are_those_meant_for_people_with_the_others_behind() {
        for (title, said, expected) in [
            ("", "", "No."),
            ("Duplicate", "", "Duplicate (No.)"),
            ("", "You did that.", "You did that. (No.)"),
            ("Duplicate", "You did that.", "Duplicate: You did that. (No.)"),
        ] {
            let error = json!({
                "message": "No.", "code": 506, "error_user_title": title,
                "error_user_msg": said, "fbtrace_id": "A1b2",
            });
            let refused = refusal(&reply(400, json!({ "error": error })), |_| None);
            assert_eq!(refused.words, expected);
        }
    }
}
