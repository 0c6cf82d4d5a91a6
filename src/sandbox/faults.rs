//! Faults that a test or a person injects, and the choice of the one that strikes a request.
//!
//! Invariant: a fault strikes at most `times` requests, after letting `after` matching ones pass;
//! of several that match, the oldest strikes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Platform;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The platform's own no (or the one that belongs to `status`); nothing is done, except that
    /// with a `status` from 500 half of a resumable upload's bytes are kept.
    Refuse,
    /// Like `Refuse`, and its words repeat every secret that was sent, as careless servers do.
    Echo,
    /// The platform's own 429 with its own headers; nothing is done.
    Throttle,
    /// Nothing is done, and the connection is held for `wait` (default 10 minutes), then closed.
    Hang,
    /// The work is done at once; the answer comes after `wait` (default 10 seconds).
    AnswerLate,
    /// The work is done and recorded; the connection is closed without an answer, or the answer is
    /// the error that belongs to `status`, as Meta's 500 after a publication.
    DropAnswer,
    /// The access token that was sent has expired.
    ExpireToken,
    /// The grant behind the token that was sent has been revoked.
    RevokeToken,
    /// 503 (or `status`), as from a platform's front door; nothing is done.
    Unavailable,
}

/// Which requests a fault may strike. Consent pages are never struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Creating or changing a post.
    Publish,
    /// Sending media bytes or their description.
    Upload,
    /// Signing in, tokens, refresh, registration of apps.
    Token,
    /// Everything that only asks.
    Read,
    /// Removing a post.
    Delete,
    Any,
}

/// A fault to inject. [`Fault::new`] gives one that strikes the next matching request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `None` for every platform.
    pub platform: Option<Platform>,
    /// A handle without `@`; `None` for every account.
    pub account: Option<String>,
    pub operation: Operation,
    pub kind: FaultKind,
    /// How many requests it strikes; at least 1.
    pub times: u64,
    /// How many matching requests pass unharmed before.
    pub after: u64,
    /// 400–599; for refuse, echo, unavailable and drop answer.
    pub status: Option<u16>,
    /// For hang and answer late; at most a day.
    pub wait: Option<Duration>,
    /// For throttle: how long until the limit's reset.
    pub retry_after: Option<Duration>,
}

impl Fault {
    pub fn new(kind: FaultKind, operation: Operation) -> Fault {
        Fault {
            platform: None,
            account: None,
            operation,
            kind,
            times: 1,
            after: 0,
            status: None,
            wait: None,
            retry_after: None,
        }
    }

    /// Reads the control endpoint's JSON. The error says what is wrong and what is allowed.
    pub(crate) fn parse(value: &Value) -> Result<Fault, String> {
        let object = value
            .as_object()
            .ok_or_else(|| format!("a fault is an object with the keys {}", KEYS.join(", ")))?;
        if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("unknown key `{unknown}`; allowed are {}", KEYS.join(", ")));
        }
        let kind = named(object, "kind", &KINDS)?
            .ok_or_else(|| format!("`kind` is missing; allowed are {}", names(&KINDS)))?;
        let operation = named(object, "operation", &OPERATIONS)?.unwrap_or(Operation::Any);
        let whole = |key, least, most| number(object, key, least, most);
        let status = whole("status", 400, 599)?.and_then(|status| u16::try_from(status).ok());
        Ok(Fault {
            platform: named(object, "platform", Platform::NAMES)?,
            account: text(object, "account")?,
            operation,
            kind,
            times: whole("times", 1, u64::MAX)?.unwrap_or(1),
            after: whole("after", 0, u64::MAX)?.unwrap_or(0),
            status,
            wait: whole("millis", 0, DAY_MILLIS)?.map(Duration::from_millis),
            retry_after: whole("retry_after_seconds", 0, DAY_MILLIS / 1_000)?
                .map(Duration::from_secs),
        })
    }
}

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

const KEYS: [&str; 9] = [
    "platform",
    "account",
    "operation",
    "kind",
    "times",
    "after",
    "status",
    "millis",
    "retry_after_seconds",
];

const KINDS: [(&str, FaultKind); 9] = [
    ("refuse", FaultKind::Refuse),
    ("echo", FaultKind::Echo),
    ("throttle", FaultKind::Throttle),
    ("hang", FaultKind::Hang),
    ("answer_late", FaultKind::AnswerLate),
    ("drop_answer", FaultKind::DropAnswer),
    ("expire_token", FaultKind::ExpireToken),
    ("revoke_token", FaultKind::RevokeToken),
    ("unavailable", FaultKind::Unavailable),
];

const OPERATIONS: [(&str, Operation); 6] = [
    ("publish", Operation::Publish),
    ("upload", Operation::Upload),
    ("token", Operation::Token),
    ("read", Operation::Read),
    ("delete", Operation::Delete),
    ("any", Operation::Any),
];

fn named<T: Copy>(
    object: &Map<String, Value>,
    key: &str,
    allowed: &[(&str, T)],
) -> Result<Option<T>, String> {
    let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let found = allowed.iter().find(|(name, _)| value == name);
    let found = found.map(|(_, meant)| Some(*meant));
    found.ok_or_else(|| format!("`{key}` is {value}; allowed are {}", names(allowed)))
}

fn number(
    object: &Map<String, Value>,
    key: &str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, String> {
    let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match value.as_u64() {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
        Some(_) | None => {
            Err(format!("`{key}` is {value}; allowed are whole numbers from {least} to {most}"))
        }
    }
}

fn text(object: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    match value.as_str() {
        Some(text) => Ok(Some(text.trim_start_matches('@').to_owned())),
        None => Err(format!("`{key}` is {value}; allowed is a handle or null")),
    }
}

fn names<T>(allowed: &[(&str, T)]) -> String {
    let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

fn name_of<T: PartialEq>(allowed: &[(&'static str, T)], meant: &T) -> &'static str {
    let found = allowed.iter().find(|(_, value)| value == meant);
    found.map_or("?", |(name, _)| *name)
}

/// A fault at work.
struct Standing {
    fault: Fault,
    number: u64,
    passed: u64,
    fired: u64,
}

#[derive(Default)]
pub(crate) struct FaultBoard {
    standing: Vec<Standing>,
    last: u64,
}

impl FaultBoard {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.last += 1;
        self.standing.push(Standing { fault, number: self.last, passed: 0, fired: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.standing.clear();
    }

    pub(crate) fn is_idle(&self) -> bool {
        let spent = |standing: &Standing| standing.fired >= standing.fault.times;
        self.standing.iter().all(spent)
    }

    /// The fault that strikes this request. Counts every match, so that `after` is exact.
    pub(crate) fn strike(
        &mut self,
        platform: Platform,
        operation: Operation,
        handle: Option<&str>,
    ) -> Option<Fault> {
        for standing in &mut self.standing {
            let fault = &standing.fault;
            let account_matches = match (&fault.account, handle) {
                (None, _) => true,
                (Some(wanted), Some(handle)) => wanted.eq_ignore_ascii_case(handle),
                (Some(_), None) => false,
            };
            let matches = account_matches
                && fault.platform.is_none_or(|wanted| wanted == platform)
                && (fault.operation == Operation::Any || fault.operation == operation);
            if !matches || standing.fired >= fault.times {
                continue;
            }
            if standing.passed < fault.after {
                standing.passed += 1;
                continue;
            }
            standing.fired += 1;
            return Some(standing.fault.clone());
        }
        None
    }

    pub(crate) fn to_json(&self) -> Value {
        let faults: Vec<Value> = self.standing.iter().map(Standing::to_json).collect();
        json!({ "faults": faults })
    }
}

impl Standing {
    fn to_json(&self) -> Value {
        let fault = &self.fault;
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        json!({
            "number": self.number, "platform": fault.platform.map(Platform::name),
            "account": fault.account, "operation": name_of(&OPERATIONS, &fault.operation),
            "kind": name_of(&KINDS, &fault.kind), "times": fault.times, "after": fault.after,
            "status": fault.status, "millis": fault.wait.map(millis),
            "retry_after_seconds": fault.retry_after.map(|wait| wait.as_secs()),
            "passed": self.passed, "fired": self.fired,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lets_some_pass_strikes_its_times_and_rests() {
        let mut board = FaultBoard::default();
        let mut fault = Fault::new(FaultKind::Refuse, Operation::Publish);
        (fault.after, fault.times) = (1, 2);
        fault.account = Some("alice".to_owned());
        board.inject(fault);
        let mut struck = |operation, handle| {
            let found = board.strike(Platform::X, operation, handle);
            found.is_some()
        };
        assert!(!struck(Operation::Read, Some("alice")));
        assert!(!struck(Operation::Publish, Some("bob")));
        let fates = [(); 4].map(|()| struck(Operation::Publish, Some("Alice")));
        assert_eq!(fates, [false, true, true, false]);
        assert!(board.is_idle());
    }

    #[test]
    fn a_wrong_fault_is_told_what_is_allowed() {
        for (fault, wanted) in [
            (json!([]), "a fault is an object"),
            (json!({}), "`kind` is missing; allowed are refuse, echo, throttle"),
            (json!({"kind": "explode"}), "`kind` is \"explode\"; allowed are refuse"),
            (json!({"kind": "hang", "color": 1}), "unknown key `color`"),
            (json!({"kind": "hang", "times": 0}), "`times` is 0; allowed are whole numbers"),
            (json!({"kind": "hang", "platform": "y"}), "allowed are mastodon"),
        ] {
            let error = Fault::parse(&fault).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
