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
const ON_TIME: Duration = Duration::from_secs(30);

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
    if late < ON_TIME {
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
