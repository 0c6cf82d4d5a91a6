//! Decides whether a rate budget allows a call now, and if not, when.
//!
//! This is GCRA: the one instant that is stored moves on by `interval` with every call, and calls
//! may run ahead of it by a burst. A burst of b and an interval of window / k let at most b + k − 1
//! calls into any window, so b and k share `calls_max` between them, half each: half of it may go at
//! once, and the rest follows evenly. More than a burst at once (a thread) needs a rest before it.
//!
//! Invariants:
//! - no window of any position holds more than `calls_max` calls, unless one take asks for more;
//! - [`Verdict::WaitUntil`] names the earliest instant at which the same take goes;
//! - nothing but the platform's own word blocks one call for longer than `window`, not even a clock
//!   that was set back: that lets one take through and then counts the budget as spent;
//! - a block is never shortened, and calls that go together cost the same in any order.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// What is stored of one budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// When all that was taken will have been earned back. The default was never touched.
    pub theoretical_arrival: Timestamp,
    /// Reported by the platform; wins over everything.
    pub blocked_until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To be stored before the calls are made.
    Go(Budget),
    WaitUntil(Timestamp),
}

/// Takes `calls` from the budget if it allows them all at once. More than `calls_max` are allowed
/// when nothing was taken for long enough, else they would never go. A `calls_max` of 0 counts as
/// 1: to stop altogether is a pause, not a pace.
pub fn take(
    budget: Budget,
    calls_max: u32,
    window: Duration,
    calls: u32,
    now: Timestamp,
) -> Verdict {
    let shape = Shape::of(calls_max, window);
    if budget.blocked_until > now {
        return Verdict::WaitUntil(budget.blocked_until.max(shape.opens(budget, calls, now)));
    }
    let opens = shape.opens(budget, calls, now);
    if opens > now {
        return Verdict::WaitUntil(opens);
    }
    Verdict::Go(Budget { theoretical_arrival: shape.spend(budget, calls, now), ..budget })
}

/// The platform accepts nothing before `until`.
pub fn block(budget: Budget, until: Timestamp) -> Budget {
    Budget { blocked_until: budget.blocked_until.max(until), ..budget }
}

/// The platform says how many calls are left until `reset`. Its word replaces our estimate, but does
/// not lift a block. What is left may go at once: a post that waits for an even spread would be
/// late, and the next report corrects us.
pub fn report(
    budget: Budget,
    calls_max: u32,
    window: Duration,
    remaining: u32,
    reset: Timestamp,
    now: Timestamp,
) -> Budget {
    let shape = Shape::of(calls_max, window);
    if remaining == 0 {
        let theoretical_arrival = reset.max(now).min(shape.spent(now));
        return block(Budget { theoretical_arrival, ..budget }, reset);
    }
    if u64::from(remaining) >= shape.calls_max {
        return Budget { theoretical_arrival: Timestamp::default(), ..budget };
    }
    let theoretical_arrival = shape.leaving(u64::from(remaining), now);
    Budget { theoretical_arrival, ..budget }
}

/// A pace in whole milliseconds.
struct Shape {
    calls_max: u64,
    window: u64,
    /// Between calls that follow each other evenly.
    interval: u64,
    /// Calls that may go at once.
    burst: u64,
}

impl Shape {
    fn of(calls_max: u32, window: Duration) -> Shape {
        let calls_max = u64::from(calls_max.max(1));
        let window = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        let interval = window.div_ceil(calls_max.div_ceil(2)).max(1);
        // Rounding the interval up makes fewer of them fit; the burst has what is over.
        let evenly = window.div_ceil(interval).max(1);
        Shape { calls_max, window, interval, burst: calls_max + 1 - evenly }
    }

    /// The earliest instant at which `calls` may go, as far as our own estimate tells.
    fn opens(&self, budget: Budget, calls: u32, now: Timestamp) -> Timestamp {
        let arrival = budget.theoretical_arrival;
        if arrival == Timestamp::default() || arrival > self.spent(now) {
            return now;
        }
        let calls = u64::from(calls).min(self.calls_max);
        let cost = calls.saturating_mul(self.interval);
        let ahead = self.burst.saturating_mul(self.interval);
        Timestamp(arrival.0.saturating_add(cost).saturating_sub(ahead))
    }

    fn spend(&self, budget: Budget, calls: u32, now: Timestamp) -> Timestamp {
        let cost = u64::from(calls).saturating_mul(self.interval);
        let start = budget.theoretical_arrival.max(now);
        Timestamp(start.0.saturating_add(cost)).min(self.spent(now))
    }

    /// Where the stored instant stands when the whole window was used up just now: the next call
    /// may go when the window has passed. It can be further ahead only if the clock was set back.
    fn spent(&self, now: Timestamp) -> Timestamp {
        let ahead = (self.burst - 1).saturating_mul(self.interval);
        Timestamp(now.0.saturating_add(self.window).saturating_add(ahead))
    }

    /// Where the stored instant stands when `calls` may still go at once.
    fn leaving(&self, calls: u64, now: Timestamp) -> Timestamp {
        let cost = calls.saturating_mul(self.interval);
        let ahead = self.burst.saturating_mul(self.interval);
        Timestamp(now.0.saturating_add(ahead).saturating_sub(cost)).max(Timestamp(1))
    }
}
