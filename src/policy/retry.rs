//! Decides what follows a platform's no.
//!
//! Invariants:
//! - a limit is never a failure, and never ends a delivery;
//! - an armed request that may have taken effect is looked after, never simply repeated;
//! - no more than [`FAILURES_MAX`] attempts fail before a delivery is given up;
//! - what is tried again is tried later than now, and a token is refreshed once an attempt.

use std::time::Duration;

use crate::domain::{
    platform::PaceScope,
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

/// Attempts, the first included.
pub const FAILURES_MAX: u32 = 3;

/// The waits after the first and the second failure; the third failure is the last. The last entry
/// is [`UNSURE`].
pub const BACKOFF: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(120), Duration::from_secs(240)];

/// Before looking again, when a look after an armed request could not tell.
pub const UNSURE: Duration = BACKOFF[2];

/// A limit whose end the platform does not name.
const UNNAMED_LIMIT: Duration = Duration::from_secs(60);

/// A platform that names an end which has passed by our clock is asked again after this.
const REST_MIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    /// Not a failure: wait until the limit ends. The budgets of `scope` are blocked until then.
    Rest { until: Timestamp, scope: PaceScope },
    /// Counts as a failure; try again then.
    Again { at: Timestamp },
    /// Once an attempt: a refreshed token may mend it.
    Refresh,
    /// Hold the account's lane and ask the person.
    Reconnect,
    /// Find out whether it took effect: [`crate::policy::recovery`] knows how.
    Look,
    /// Final.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Situation {
    /// Before this one.
    pub failures: u32,
    pub armed: Armedness,
    pub refreshed: Refreshed,
    pub now: Timestamp,
    /// At least 0, at most 1.
    pub jitter: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Armedness {
    /// The request may be repeated freely.
    Harmless,
    /// The request was armed: had it taken effect, a repetition could be seen.
    Armed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    NotYet,
    AlreadyThisAttempt,
    /// The account has no means to refresh its token.
    Impossible,
}

pub fn react(refusal: &Refusal, situation: &Situation) -> Reaction {
    match (refusal.kind, situation.armed) {
        (RefusalKind::Throttled { until, scope }, _) => {
            Reaction::Rest { until: rest_end(until, situation), scope }
        }
        (RefusalKind::Unauthorized, _) => match situation.refreshed {
            Refreshed::NotYet => Reaction::Refresh,
            Refreshed::AlreadyThisAttempt | Refreshed::Impossible => Reaction::Reconnect,
        },
        (RefusalKind::Revoked, _) => Reaction::Reconnect,
        (RefusalKind::Rejected, _) => Reaction::GiveUp,
        // "You already posted this" may be about our own request whose answer was lost.
        (RefusalKind::Duplicate, Armedness::Armed) => Reaction::Look,
        (RefusalKind::Duplicate, Armedness::Harmless) => Reaction::GiveUp,
        // A definite no, so it may be tried again although it was armed. Once: a file that is not
        // understood twice will not be the third time.
        (RefusalKind::Media, _) if situation.failures == 0 => again(situation),
        (RefusalKind::Media, _) => Reaction::GiveUp,
        (RefusalKind::Unavailable | RefusalKind::Unreadable, Armedness::Armed) => Reaction::Look,
        (RefusalKind::Unavailable | RefusalKind::Unreadable, Armedness::Harmless) => {
            again(situation)
        }
    }
}

/// After a request that certainly did not leave: connection refused, no such host, circuit open.
/// Armed or not, nothing can have taken effect.
pub fn not_sent(situation: &Situation) -> Reaction {
    again(situation)
}

fn again(situation: &Situation) -> Reaction {
    let failures = situation.failures.saturating_add(1);
    if failures >= FAILURES_MAX {
        return Reaction::GiveUp;
    }
    let base = BACKOFF[usize::try_from(situation.failures).unwrap_or(0).min(BACKOFF.len() - 1)];
    Reaction::Again { at: situation.now.after(jittered(base, situation.jitter)) }
}

/// The platform's word wins, as long as it is later than now.
fn rest_end(until: Option<Timestamp>, situation: &Situation) -> Timestamp {
    match until {
        Some(until) => until.max(situation.now.after(REST_MIN)),
        None => situation.now.after(jittered(UNNAMED_LIMIT, situation.jitter)),
    }
}

/// `base` and up to a tenth more or less, so that what failed together does not return together.
fn jittered(base: Duration, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    base.mul_f64(0.9 + 0.2 * jitter)
}
