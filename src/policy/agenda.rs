//! Decides when things happen: which timer to set, what a firing means, what is too late.
//!
//! Invariants:
//! - a timer is never set in the past, and nothing is due before its time;
//! - every delivery is exactly one of on time, late and missed, and grows only later;
//! - the scheduler looks at the clock at least once a second;
//! - a plan that is accepted is never accepted for a time that has passed.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// How long before its time the harmless part of a delivery begins.
pub const STAGE_LEAD: Duration = Duration::from_secs(120);

/// With less time than this before it is due, staging first would gain nothing.
const STAGE_WORTH: Duration = Duration::from_secs(10);

/// Less late than this is on time, as people see it.
pub const LATE_AFTER: Duration = Duration::from_secs(30);

/// So that a clock that was set, or a machine that was suspended, is noticed.
const NAP_MAX: Duration = Duration::from_secs(1);

/// Arming and sending are neighbours; more than this between them means that we were frozen.
const ARMED_MAX: Duration = Duration::from_secs(10);

/// Clocks are corrected by less than this all the time.
const STEP_BACK_MAX: Duration = Duration::from_secs(1);

/// Callers' clocks differ from ours; a plan that is this little in the past means now.
const PLAN_PAST_MAX: Duration = Duration::from_secs(60);

/// Ten years: further ahead is a slip of the keyboard, or milliseconds taken for seconds.
const PLAN_AHEAD_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// What a timer that fires means for a planned delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firing {
    /// Not due yet: do what is harmless, then wait for its time by a timer at `due`.
    Stage,
    Due,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    OnTime,
    /// Within the organization's grace: it goes out, after what is on time.
    Late,
    /// Held, and a person is told.
    Missed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanVerdict {
    /// To go out at this instant; never earlier than `now`.
    Accept(Timestamp),
    Past,
    TooFarAhead,
}

/// The timer of a newly planned delivery: ahead of its time if there is time to stage it, else its
/// time. Never earlier than `now`.
pub fn first_timer(due: Timestamp, now: Timestamp) -> Timestamp {
    let timer = if due.remaining(now) >= STAGE_WORTH { due.before(STAGE_LEAD) } else { due };
    timer.max(now)
}

/// Never `Due` before `due`, so a clock that was set back after a timer was taken sends nothing out
/// early; the timer at `due` that follows a staging fires again in its time.
pub fn firing(due: Timestamp, now: Timestamp) -> Firing {
    if now < due { Firing::Stage } else { Firing::Due }
}

/// What is not due yet is on time.
pub fn lateness(due: Timestamp, grace: Duration, now: Timestamp) -> Lateness {
    let late = due.elapsed(now);
    if late < LATE_AFTER {
        Lateness::OnTime
    } else if late <= grace {
        Lateness::Late
    } else {
        Lateness::Missed
    }
}

/// How long the scheduler may sleep: until the next timer, at most a second.
pub fn nap(next: Option<Timestamp>, now: Timestamp) -> Duration {
    next.map_or(NAP_MAX, |next| next.remaining(now).min(NAP_MAX))
}

/// Whether too much time lies between arming a request and sending it: the process was suspended,
/// or the clock was set back and nobody knows how much. Such a request must not leave; what was
/// decided before it was armed has to be decided again.
pub fn is_stale(armed: Timestamp, now: Timestamp) -> bool {
    armed.elapsed(now) > ARMED_MAX || armed.remaining(now) > STEP_BACK_MAX
}

pub fn accept_plan(at: Timestamp, now: Timestamp) -> PlanVerdict {
    if at.elapsed(now) > PLAN_PAST_MAX {
        PlanVerdict::Past
    } else if at.remaining(now) > PLAN_AHEAD_MAX {
        PlanVerdict::TooFarAhead
    } else {
        PlanVerdict::Accept(at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Timestamp = Timestamp(1_800_000_000_000);
    const GRACE: Duration = Duration::from_secs(15 * 60);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn staging_begins_two_minutes_ahead_or_at_once_if_that_has_passed() {
        assert_eq!(first_timer(NOON, NOON.before(seconds(3_600))), NOON.before(seconds(120)));
        assert_eq!(first_timer(NOON, NOON.before(seconds(60))), NOON.before(seconds(60)));
        assert_eq!(first_timer(NOON, NOON.before(seconds(9))), NOON);
        assert_eq!(first_timer(NOON, NOON.after(seconds(9))), NOON.after(seconds(9)));
    }

    #[test]
    fn timer_that_fires_early_stages_again() {
        assert_eq!(firing(NOON, Timestamp(NOON.0 - 1)), Firing::Stage);
        assert_eq!(firing(NOON, NOON), Firing::Due);
    }

    #[test]
    fn lateness_changes_at_thirty_seconds_and_at_the_grace() {
        let at = |late: u64| lateness(NOON, GRACE, Timestamp(NOON.0 + late));
        assert_eq!((at(0), at(29_999)), (Lateness::OnTime, Lateness::OnTime));
        assert_eq!((at(30_000), at(900_000)), (Lateness::Late, Lateness::Late));
        assert_eq!(at(900_001), Lateness::Missed);
        assert_eq!(lateness(NOON, Duration::ZERO, NOON.after(seconds(30))), Lateness::Missed);
        assert_eq!(lateness(NOON, GRACE, NOON.before(seconds(30))), Lateness::OnTime);
    }

    #[test]
    fn request_armed_before_a_suspension_is_stale() {
        assert!(!is_stale(NOON, NOON.after(seconds(10))));
        assert!(is_stale(NOON, NOON.after(seconds(11))));
        assert!(!is_stale(NOON, NOON.before(seconds(1))));
        assert!(is_stale(NOON, NOON.before(seconds(2))));
    }

    #[test]
    fn plan_a_minute_ago_means_now_and_an_older_one_is_refused() {
        assert_eq!(accept_plan(NOON.before(seconds(60)), NOON), PlanVerdict::Accept(NOON));
        assert_eq!(accept_plan(NOON.before(seconds(61)), NOON), PlanVerdict::Past);
        let tomorrow = NOON.after(seconds(86_400));
        assert_eq!(accept_plan(tomorrow, NOON), PlanVerdict::Accept(tomorrow));
        assert_eq!(accept_plan(NOON.after(seconds(400_000_000)), NOON), PlanVerdict::TooFarAhead);
    }

    proptest! {
        #[test]
        fn timer_is_never_in_the_past_nor_after_its_time(due in any::<u64>(), now in any::<u64>()) {
            let timer = first_timer(Timestamp(due), Timestamp(now)).0;
            prop_assert!(timer >= now && timer <= due.max(now));
        }

        #[test]
        fn nothing_is_due_before_its_time(due in any::<u64>(), now in any::<u64>()) {
            let firing = firing(Timestamp(due), Timestamp(now));
            prop_assert_eq!(firing == Firing::Due, now >= due);
        }

        #[test]
        fn delivery_only_grows_later(
            due in 0..u64::MAX / 2,
            grace in 0..10_000_000_u64,
            early in 0..20_000_000_u64,
            more in 0..20_000_000_u64,
        ) {
            let rank = |late: u64| {
                let now = Timestamp(due.saturating_add(late).saturating_sub(1_000_000));
                match lateness(Timestamp(due), Duration::from_millis(grace), now) {
                    Lateness::OnTime => 0,
                    Lateness::Late => 1,
                    Lateness::Missed => 2,
                }
            };
            prop_assert!(rank(early) <= rank(early + more));
        }

        #[test]
        fn nap_ends_at_the_next_timer_and_within_a_second(
            next in proptest::option::of(any::<u64>()),
            now in any::<u64>(),
        ) {
            let nap = nap(next.map(Timestamp), Timestamp(now));
            prop_assert!(nap <= Duration::from_secs(1));
            prop_assert!(next.is_none_or(|next| nap <= Timestamp(next).remaining(Timestamp(now))));
        }

        #[test]
        fn accepted_plan_is_not_in_the_past(at in any::<u64>(), now in any::<u64>()) {
            if let PlanVerdict::Accept(due) = accept_plan(Timestamp(at), Timestamp(now)) {
                prop_assert!(due.0 >= now && due.0 >= at);
            }
        }
    }
}
