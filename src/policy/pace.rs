//! Decides whether a rate budget allows a call now, and if not, when.
//!
//! This is GCRA: the one instant that is stored moves on by `interval` with every call, and calls
//! may run ahead of it by a burst. A burst of b and an interval of window / k let at most b + k − 1
//! calls into any window, so b and k share `calls_max` between them, half each: half of it may go
//! at once, and the rest follows evenly. More than a burst at once (a thread) needs a rest before
//! it.
//!
//! Invariants:
//! - no window of any position holds more than `calls_max` calls, unless one take asks for more;
//! - [`Verdict::WaitUntil`] names the earliest instant at which the same take goes;
//! - nothing but the platform's own word blocks one call for longer than `window`, and that for no
//!   longer than [`BLOCK_MAX`], not even a clock that was set back: that lets one take through and
//!   then counts the budget as spent;
//! - a block is never shortened, and calls that go together cost the same in any order.

use std::{ops::Range, time::Duration};

use crate::domain::{pace::Budget, time::Timestamp};

/// A platform's limits are whole again after a day. What names a later end is asked again: it may
/// be a mistake, and to ask does no harm.
pub const BLOCK_MAX: Duration = Duration::from_secs(25 * 60 * 60);

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
    let unblocked = budget.blocked_until.max(now);
    let opens = shape.opens(budget, calls, unblocked).max(unblocked);
    if opens > now {
        return Verdict::WaitUntil(opens);
    }
    Verdict::Go(Budget { theoretical_arrival: shape.spend(budget, calls, now), ..budget })
}

/// The same for a budget that is whole again at midnight in some place, as a platform counts it.
/// What is stored is the day's beginning and, as milliseconds after it, how much is spent.
pub fn take_of_day(
    budget: Budget,
    calls_max: u32,
    day: &Range<Timestamp>,
    calls: u32,
    now: Timestamp,
) -> Verdict {
    if budget.blocked_until > now {
        return Verdict::WaitUntil(budget.blocked_until);
    }
    let spent = match day.contains(&budget.theoretical_arrival) {
        true => budget.theoretical_arrival.0 - day.start.0,
        false => 0,
    };
    let after = spent.saturating_add(u64::from(calls));
    // More than a whole day's budget goes when nothing was taken, else it would never go.
    if after > u64::from(calls_max.max(1)) && spent > 0 {
        return Verdict::WaitUntil(day.end);
    }
    let arrival = Timestamp(day.start.0.saturating_add(after).min(day.end.0 - 1));
    Verdict::Go(Budget { theoretical_arrival: arrival, ..budget })
}

/// The platform accepts nothing before `until`.
pub fn block(budget: Budget, until: Timestamp) -> Budget {
    Budget { blocked_until: budget.blocked_until.max(until), ..budget }
}

/// The platform says how many calls are left until `reset`. Its word replaces our estimate, but
/// does not lift a block. What is left may go at once: a post that waits for an even spread would
/// be late, and the next report corrects us.
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

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn minutes(n: u64) -> Timestamp {
        Timestamp(1_000_000_000 + n * 60_000)
    }

    /// Takes one call after another at the same instant until one must wait.
    fn at_once(mut budget: Budget, calls_max: u32, now: Timestamp) -> (u32, Timestamp) {
        for taken in 0.. {
            match take(budget, calls_max, HOUR, 1, now) {
                Verdict::Go(after) => budget = after,
                Verdict::WaitUntil(until) => return (taken, until),
            }
        }
        unreachable!("some call must wait")
    }

    fn go(budget: Budget, calls_max: u32, calls: u32, now: Timestamp) -> Budget {
        match take(budget, calls_max, HOUR, calls, now) {
            Verdict::Go(after) => after,
            Verdict::WaitUntil(until) => panic!("must wait until {until}"),
        }
    }

    #[test]
    fn half_may_go_at_once_and_the_rest_follows_evenly() {
        assert_eq!(at_once(Budget::default(), 10, minutes(0)), (6, minutes(12)));
        assert_eq!(at_once(Budget::default(), 1, minutes(0)), (1, minutes(60)));
    }

    #[test]
    fn budget_of_a_day_is_whole_again_at_its_midnight_and_not_before() {
        let day = minutes(0)..minutes(24 * 60);
        let take = |budget, calls, at| take_of_day(budget, 100, &day, calls, at);
        let go = |verdict| match verdict {
            Verdict::Go(budget) => budget,
            Verdict::WaitUntil(until) => panic!("must wait until {until}"),
        };
        let spent = go(take(go(take(Budget::default(), 60, minutes(1))), 40, minutes(2)));
        assert_eq!(take(spent, 1, minutes(3)), Verdict::WaitUntil(minutes(24 * 60)));
        let next = minutes(24 * 60)..minutes(48 * 60);
        let fresh = take_of_day(spent, 100, &next, 100, minutes(24 * 60));
        assert!(matches!(fresh, Verdict::Go(_)));
        assert!(matches!(take(Budget::default(), 1_000, minutes(1)), Verdict::Go(_)));
        let blocked = block(Budget::default(), minutes(9));
        assert_eq!(take(blocked, 1, minutes(3)), Verdict::WaitUntil(minutes(9)));
    }

    #[test]
    fn untouched_budget_lets_a_thread_through_even_one_that_is_longer_than_the_pace() {
        for calls in [10, 11, 1_000] {
            let spent = go(Budget::default(), 10, calls, minutes(0));
            let next = take(spent, 10, HOUR, 1, minutes(1));
            assert_eq!(next, Verdict::WaitUntil(minutes(60)), "{calls}");
        }
    }

    #[test]
    fn thread_waits_until_what_went_before_it_leaves_the_window() {
        let one = go(Budget::default(), 10, 1, minutes(0));
        assert_eq!(take(one, 10, HOUR, 10, minutes(1)), Verdict::WaitUntil(minutes(60)));
    }

    #[test]
    fn block_outlasts_an_untouched_budget() {
        let blocked = block(block(Budget::default(), minutes(30)), minutes(20));
        assert_eq!(take(blocked, 10, HOUR, 1, minutes(1)), Verdict::WaitUntil(minutes(30)));
        assert!(matches!(take(blocked, 10, HOUR, 1, minutes(30)), Verdict::Go(_)));
    }

    #[test]
    fn platforms_word_replaces_the_estimate_in_both_directions() {
        let report = |budget, left| report(budget, 10, HOUR, left, minutes(40), minutes(1));
        let spent = go(Budget::default(), 10, 10, minutes(0));
        assert_eq!(at_once(report(spent, 3), 10, minutes(1)).0, 3);
        assert_eq!(at_once(report(Budget::default(), 3), 10, minutes(1)).0, 3);
        assert!(matches!(take(report(spent, 8), 10, HOUR, 8, minutes(1)), Verdict::Go(_)));
        assert!(matches!(take(report(spent, 8), 10, HOUR, 9, minutes(1)), Verdict::WaitUntil(_)));
        assert!(matches!(take(report(spent, 99), 10, HOUR, 10, minutes(1)), Verdict::Go(_)));
        let nothing_left = report(Budget::default(), 0);
        let next = take(nothing_left, 10, HOUR, 1, minutes(1));
        assert_eq!(next, Verdict::WaitUntil(minutes(40)));
        assert_eq!(at_once(nothing_left, 10, minutes(40)).0, 6);
    }

    #[test]
    fn report_does_not_lift_a_block() {
        let blocked = block(Budget::default(), minutes(30));
        let reported = report(blocked, 10, HOUR, 9, minutes(5), minutes(1));
        assert_eq!(reported.blocked_until, minutes(30));
    }

    #[test]
    fn clock_set_back_lets_one_take_through_and_then_counts_all_as_spent() {
        let spent = go(Budget::default(), 10, 10, minutes(10_000));
        let after = go(spent, 10, 1, minutes(0));
        assert_eq!(take(after, 10, HOUR, 1, minutes(0)), Verdict::WaitUntil(minutes(60)));
    }

    #[test]
    fn pace_of_nothing_is_read_as_one_and_no_window_as_no_limit() {
        assert_eq!(at_once(Budget::default(), 0, minutes(0)), (1, minutes(60)));
        let now = minutes(0);
        let Verdict::Go(after) = take(Budget::default(), 3, Duration::ZERO, 3, now) else {
            panic!("no window limits nothing");
        };
        assert!(matches!(take(after, 3, Duration::ZERO, 3, Timestamp(now.0 + 3)), Verdict::Go(_)));
    }

    fn budget() -> impl Strategy<Value = Budget> {
        (0..50_000_u64, 0..50_000_u64).prop_map(|(arrival, blocked)| Budget {
            theoretical_arrival: Timestamp(arrival),
            blocked_until: Timestamp(blocked),
        })
    }

    /// Calls that went, by the time that really passed.
    fn went(calls_max: u32, window: u64, script: &[(u64, u64, u32)]) -> Vec<(u64, u32)> {
        let (mut budget, mut really, mut set_back) = (Budget::default(), 0, 0);
        let mut went = Vec::new();
        for &(wait, back, calls) in script {
            really += wait;
            set_back += back;
            let now = Timestamp(1_000_000 + really - set_back);
            let calls = calls.min(calls_max);
            let verdict = take(budget, calls_max, Duration::from_millis(window), calls, now);
            if let Verdict::Go(after) = verdict {
                budget = after;
                went.push((really, calls));
            }
        }
        went
    }

    fn most_in_a_window(went: &[(u64, u32)], window: u64) -> u32 {
        let in_window = |start: u64| {
            let inside = went.iter().filter(|(at, _)| (start..start + window).contains(at));
            inside.map(|(_, calls)| calls).sum()
        };
        went.iter().map(|&(start, _)| in_window(start)).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_most(
            calls_max in 1..40_u32,
            window in 1..5_000_u64,
            script in vec((0..400_u64, Just(0), 1..12_u32), 0..200),
        ) {
            let went = went(calls_max, window, &script);
            prop_assert!(most_in_a_window(&went, window) <= calls_max);
        }

        #[test]
        fn each_time_the_clock_is_set_back_lets_one_take_more_through_at_most(
            calls_max in 1..40_u32,
            window in 1..5_000_u64,
            script in vec((0..400_u64, prop_oneof![9 => Just(0), 1 => 1..20_000_u64], 1..12_u32),
                0..200),
        ) {
            let set_back = script.iter().filter(|(_, back, _)| *back > 0);
            let extra: u32 = set_back.map(|(_, _, calls)| calls.min(&calls_max)).sum();
            let went = went(calls_max, window, &script);
            prop_assert!(most_in_a_window(&went, window) <= calls_max + extra);
        }

        #[test]
        fn one_call_never_waits_longer_than_the_window_whatever_the_clock_did(
            stored in any::<u64>(),
            calls_max in 0..2_000_u32,
            window in 0..10_000_000_u64,
            now in 0..u64::MAX / 2,
        ) {
            let budget =
                Budget { theoretical_arrival: Timestamp(stored), blocked_until: Timestamp(0) };
            let window = Duration::from_millis(window);
            if let Verdict::WaitUntil(until) = take(budget, calls_max, window, 1, Timestamp(now)) {
                prop_assert!(until <= Timestamp(now).after(window));
            }
        }

        #[test]
        fn wait_ends_at_the_first_instant_at_which_the_same_take_goes(
            budget in budget(),
            calls_max in 0..20_u32,
            window in 0..5_000_u64,
            calls in 0..30_u32,
            now in 0..50_000_u64,
        ) {
            let take = |at| take(budget, calls_max, Duration::from_millis(window), calls, at);
            if let Verdict::WaitUntil(until) = take(Timestamp(now)) {
                prop_assert!(until > Timestamp(now));
                prop_assert!(matches!(take(until), Verdict::Go(_)));
                prop_assert_eq!(take(Timestamp(until.0 - 1)), Verdict::WaitUntil(until));
            }
        }

        #[test]
        fn block_is_kept_by_all_but_time(
            budget in budget(),
            until in 0..50_000_u64,
            remaining in 0..20_u32,
            now in 0..50_000_u64,
        ) {
            let (now, window) = (Timestamp(now), Duration::from_millis(900));
            let blocked = block(budget, Timestamp(until));
            prop_assert!(blocked.blocked_until >= budget.blocked_until.max(Timestamp(until)));
            let reported = report(blocked, 10, window, remaining, Timestamp(until / 2), now);
            prop_assert!(reported.blocked_until >= blocked.blocked_until);
            match take(reported, 10, window, 1, now) {
                Verdict::Go(after) => {
                    prop_assert_eq!(after.blocked_until, reported.blocked_until);
                    prop_assert!(reported.blocked_until <= now);
                }
                Verdict::WaitUntil(at) => prop_assert!(at >= reported.blocked_until),
            }
        }

        #[test]
        fn calls_that_go_together_cost_the_same_in_any_order(
            calls_max in 1..40_u32,
            window in 1..5_000_u64,
            first in 1..10_u32,
            second in 1..10_u32,
            earlier in 0..5_000_u64,
            now in 5_000..10_000_u64,
        ) {
            let take = |budget, calls, at| {
                match take(budget, calls_max, Duration::from_millis(window), calls, Timestamp(at)) {
                    Verdict::Go(after) => Some(after),
                    Verdict::WaitUntil(_) => None,
                }
            };
            let used = take(Budget::default(), 1, earlier).expect("untouched budget lets one go");
            let one_way = take(used, first, now).and_then(|left| take(left, second, now));
            let other_way = take(used, second, now).and_then(|left| take(left, first, now));
            prop_assert_eq!(one_way, other_way);
            if one_way.is_some() {
                prop_assert_eq!(one_way, take(used, first + second, now));
            }
        }

        #[test]
        fn what_the_platform_says_is_left_may_go_at_once_and_no_more(
            budget in budget(),
            calls_max in 2..40_u32,
            remaining in 1..60_u32,
            now in 60_000..90_000_u64,
        ) {
            let (now, window) = (Timestamp(now), Duration::from_millis(8_000));
            let reset = now.after(window);
            let reported = report(budget, calls_max, window, remaining, reset, now);
            let left = remaining.min(calls_max);
            let all = take(reported, calls_max, window, left, now);
            prop_assert!(matches!(all, Verdict::Go(_)));
            if left < calls_max {
                let more = take(reported, calls_max, window, left + 1, now);
                prop_assert!(matches!(more, Verdict::WaitUntil(_)));
            }
        }
    }
}
