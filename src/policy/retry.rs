//! Decides what follows a platform's no.
//!
//! Invariants:
//! - a limit is never a failure, and never ends a delivery;
//! - an armed request that may have taken effect is looked after, never simply repeated;
//! - no more than [`FAILURES_MAX`] attempts fail before a delivery is given up;
//! - what is tried again is tried later than now, and a token is refreshed once an attempt.

use std::time::Duration;

use crate::{
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    policy::pace,
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

/// An error of the platform's own server may come after it did what it was asked, whatever number
/// or words stand beside it: an armed request is looked for then, and not taken for refused.
pub fn proven(refusal: Refusal, status: u16, armed: Armedness) -> Refusal {
    let is_no = match refusal.kind {
        RefusalKind::Rejected
        | RefusalKind::Media
        | RefusalKind::Unauthorized
        | RefusalKind::Revoked
        | RefusalKind::Throttled { .. } => true,
        RefusalKind::Duplicate | RefusalKind::Unavailable | RefusalKind::Unreadable => false,
    };
    match is_no && status >= 500 && armed == Armedness::Armed {
        true => Refusal { kind: RefusalKind::Unavailable, ..refusal },
        false => refusal,
    }
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
        // A definite no, so it may be tried again although it was armed, from the first upload on:
        // the file may be fine, and its upload have ended during an outage.
        (RefusalKind::Media, _) => again(situation),
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

/// The platform's word wins, as long as it is later than now and not out of reach.
fn rest_end(until: Option<Timestamp>, situation: &Situation) -> Timestamp {
    match until {
        Some(until) => {
            until.clamp(situation.now.after(REST_MIN), situation.now.after(pace::BLOCK_MAX))
        }
        None => situation.now.after(jittered(UNNAMED_LIMIT, situation.jitter)),
    }
}

/// `base` and up to a tenth more or less, so that what failed together does not return together.
fn jittered(base: Duration, jitter: f64) -> Duration {
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.5 };
    base.mul_f64(0.9 + 0.2 * jitter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const KINDS: [RefusalKind; 8] = [
        RefusalKind::Unavailable,
        RefusalKind::Throttled { until: None, scope: PaceScope::Account },
        RefusalKind::Unauthorized,
        RefusalKind::Revoked,
        RefusalKind::Rejected,
        RefusalKind::Duplicate,
        RefusalKind::Media,
        RefusalKind::Unreadable,
    ];

    fn situation(failures: u32, armed: Armedness) -> Situation {
        Situation { failures, armed, refreshed: Refreshed::NotYet, now: NOW, jitter: 0.5 }
    }

    fn reaction(kind: RefusalKind, situation: Situation) -> Reaction {
        react(&Refusal::new(kind, "", ""), &situation)
    }

    fn again_in(seconds: u64) -> Reaction {
        Reaction::Again { at: NOW.after(Duration::from_secs(seconds)) }
    }

    #[test]
    fn third_failure_gives_up() {
        let react =
            |failures| reaction(RefusalKind::Unavailable, situation(failures, Armedness::Harmless));
        assert_eq!(react(0), again_in(60));
        assert_eq!(react(1), again_in(120));
        assert_eq!(react(2), Reaction::GiveUp);
        assert_eq!(react(u32::MAX), Reaction::GiveUp);
    }

    #[test]
    fn error_of_the_platforms_server_never_proves_that_an_armed_request_did_nothing() {
        let after = |kind, status, armed| {
            let refusal = proven(Refusal::new(kind, "", ""), status, armed);
            react(&refusal, &situation(0, armed))
        };
        for kind in [
            RefusalKind::Rejected,
            RefusalKind::Media,
            RefusalKind::Unauthorized,
            RefusalKind::Revoked,
        ] {
            assert_eq!(after(kind, 500, Armedness::Armed), Reaction::Look, "{kind:?}");
            assert_ne!(after(kind, 400, Armedness::Armed), Reaction::Look, "{kind:?}");
            let harmless = reaction(kind, situation(0, Armedness::Harmless));
            assert_eq!(after(kind, 500, Armedness::Harmless), harmless, "{kind:?}");
        }
    }

    #[test]
    fn what_never_left_is_tried_again_even_if_armed() {
        assert_eq!(not_sent(&situation(0, Armedness::Armed)), again_in(60));
        assert_eq!(not_sent(&situation(2, Armedness::Armed)), Reaction::GiveUp);
    }

    #[test]
    fn platforms_reset_time_wins_and_its_scope_is_kept() {
        let throttled = |until, scope| {
            let kind = RefusalKind::Throttled { until, scope };
            reaction(kind, situation(9, Armedness::Armed))
        };
        let rest = |seconds, scope| Reaction::Rest {
            until: NOW.after(Duration::from_secs(seconds)),
            scope,
        };
        let day = Some(NOW.after(Duration::from_secs(86_400)));
        assert_eq!(throttled(day, PaceScope::App), rest(86_400, PaceScope::App));
        assert_eq!(throttled(None, PaceScope::Account), rest(60, PaceScope::Account));
        assert_eq!(throttled(Some(Timestamp(3)), PaceScope::App), rest(1, PaceScope::App));
    }

    #[test]
    fn token_is_refreshed_once_and_then_the_person_is_asked() {
        let react = |refreshed| {
            let situation = Situation { refreshed, ..situation(0, Armedness::Harmless) };
            reaction(RefusalKind::Unauthorized, situation)
        };
        assert_eq!(react(Refreshed::NotYet), Reaction::Refresh);
        assert_eq!(react(Refreshed::AlreadyThisAttempt), Reaction::Reconnect);
        assert_eq!(react(Refreshed::Impossible), Reaction::Reconnect);
    }

    #[test]
    fn each_kind_has_its_reaction() {
        let harmless = |kind| reaction(kind, situation(0, Armedness::Harmless));
        let armed = |kind| reaction(kind, situation(0, Armedness::Armed));
        for (kind, when_harmless, when_armed) in [
            (RefusalKind::Unavailable, again_in(60), Reaction::Look),
            (RefusalKind::Unreadable, again_in(60), Reaction::Look),
            (RefusalKind::Duplicate, Reaction::GiveUp, Reaction::Look),
            (RefusalKind::Media, again_in(60), again_in(60)),
            (RefusalKind::Rejected, Reaction::GiveUp, Reaction::GiveUp),
            (RefusalKind::Revoked, Reaction::Reconnect, Reaction::Reconnect),
        ] {
            assert_eq!((harmless(kind), armed(kind)), (when_harmless, when_armed), "{kind:?}");
        }
    }

    #[test]
    fn refused_media_are_tried_as_often_as_anything_else() {
        let react = |failures| reaction(RefusalKind::Media, situation(failures, Armedness::Armed));
        assert_eq!(react(1), again_in(120));
        assert_eq!(react(2), Reaction::GiveUp);
    }

    fn any_situation() -> impl Strategy<Value = Situation> {
        let refreshed = prop_oneof![
            Just(Refreshed::NotYet),
            Just(Refreshed::AlreadyThisAttempt),
            Just(Refreshed::Impossible),
        ];
        let armed = prop_oneof![Just(Armedness::Harmless), Just(Armedness::Armed)];
        (0..6_u32, armed, refreshed, 0..u64::MAX / 2, any::<f64>()).prop_map(
            |(failures, armed, refreshed, now, jitter)| {
                let now = Timestamp(now);
                Situation { failures, armed, refreshed, now, jitter }
            },
        )
    }

    proptest! {
        #[test]
        fn limit_is_a_rest_whatever_came_before(
            situation in any_situation(),
            until in proptest::option::of(any::<u64>()),
        ) {
            let until = until.map(Timestamp);
            let kind = RefusalKind::Throttled { until, scope: PaceScope::App };
            let Reaction::Rest { until: end, scope } = reaction(kind, situation) else {
                return Err(TestCaseError::fail("a limit that is no rest"));
            };
            prop_assert_eq!(scope, PaceScope::App);
            let longest = situation.now.after(pace::BLOCK_MAX);
            prop_assert!(end > situation.now);
            prop_assert!(until.is_none_or(|until| end >= until.min(longest)));
        }

        #[test]
        fn no_limit_rests_for_longer_than_a_day_and_an_hour(
            situation in any_situation(),
            until in any::<u64>(),
        ) {
            let kind = RefusalKind::Throttled {
                until: Some(Timestamp(until)),
                scope: PaceScope::App,
            };
            let Reaction::Rest { until, .. } = reaction(kind, situation) else { panic!() };
            prop_assert!(until.remaining(situation.now) <= pace::BLOCK_MAX);
        }

        #[test]
        fn armed_request_that_may_have_taken_effect_is_looked_after(
            situation in any_situation(),
            kind in proptest::sample::select(vec![
                RefusalKind::Unavailable, RefusalKind::Unreadable, RefusalKind::Duplicate,
            ]),
        ) {
            let situation = Situation { armed: Armedness::Armed, ..situation };
            prop_assert_eq!(reaction(kind, situation), Reaction::Look);
        }

        #[test]
        fn failures_end_and_each_wait_is_near_its_base(
            situation in any_situation(),
            kind in proptest::sample::select(KINDS.to_vec()),
        ) {
            for reaction in [reaction(kind, situation), not_sent(&situation)] {
                if let Reaction::Again { at } = reaction {
                    prop_assert!(situation.failures + 1 < FAILURES_MAX);
                    let base = BACKOFF[situation.failures as usize];
                    let wait = at.remaining(situation.now);
                    prop_assert!(wait >= base.mul_f64(0.89) && wait <= base.mul_f64(1.11));
                }
            }
        }

        #[test]
        fn token_is_never_refreshed_twice_an_attempt(
            situation in any_situation(),
            kind in proptest::sample::select(KINDS.to_vec()),
        ) {
            if situation.refreshed != Refreshed::NotYet {
                prop_assert_ne!(reaction(kind, situation), Reaction::Refresh);
            }
        }
    }
}
