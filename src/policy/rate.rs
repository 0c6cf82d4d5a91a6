//! How often somebody may ask: so many requests at once, and then as many in each window.
//!
//! The generic cell rate algorithm, of which one instant is kept: until when what was taken would
//! last if it were taken evenly. Unlike a [pace](super::pace), it is about programs that call us,
//! and nothing is lost when it is forgotten.

use std::time::Duration;

use crate::domain::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub calls: u32,
    /// At least a second.
    pub window: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To be kept, and given the next time.
    pub spent: Timestamp,
    /// How many more would be let through at this moment.
    pub left: u32,
    /// When everything is there again.
    pub whole_in: Duration,
    /// It was not let through, and would be after so long.
    pub wait: Option<Duration>,
}

impl Taken {
    pub fn nothing_left(whole_in: Duration) -> Taken {
        Taken { spent: Timestamp::default(), left: 0, whole_in, wait: None }
    }
}

/// Takes one, if there is one. `spent` is what the last take answered.
pub fn take(rate: Rate, spent: Option<Timestamp>, now: Timestamp) -> Taken {
    let window = u64::try_from(rate.window.as_millis()).unwrap_or(u64::MAX).max(1);
    let calls = u64::from(rate.calls.max(1));
    let each = window.div_ceil(calls);
    let full = each.saturating_mul(calls);
    // A clock that was set back would leave it spent for long; nobody owes more than a window.
    let before = spent.map_or(now.0, |spent| spent.0.clamp(now.0, now.0.saturating_add(full)));
    let owed = before.saturating_sub(now.0);
    if owed.saturating_add(each) > full {
        return Taken {
            spent: Timestamp(before),
            left: 0,
            whole_in: Duration::from_millis(owed),
            wait: Some(Duration::from_millis(owed.saturating_add(each).saturating_sub(full))),
        };
    }
    let owed = owed.saturating_add(each);
    Taken {
        spent: Timestamp(now.0.saturating_add(owed)),
        left: u32::try_from((full - owed) / each).unwrap_or(u32::MAX),
        whole_in: Duration::from_millis(owed),
        wait: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { calls: 3, window: Duration::from_secs(30) };
    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn what_is_allowed_at_once_goes_and_the_next_one_waits() {
        let mut spent = None;
        for left in [2, 1, 0] {
            let taken = take(RATE, spent, NOW);
            assert_eq!((taken.left, taken.wait), (left, None));
            spent = Some(taken.spent);
        }
        let refused = take(RATE, spent, NOW);
        assert_eq!(refused.wait, Some(Duration::from_secs(10)));
        let later = NOW.after(Duration::from_secs(10));
        assert_eq!(take(RATE, Some(refused.spent), later).wait, None);
    }

    #[test]
    fn a_clock_that_was_set_back_costs_no_more_than_a_window() {
        let taken = take(RATE, Some(NOW.after(Duration::from_secs(1_000_000))), NOW);
        assert_eq!(taken.wait, Some(Duration::from_secs(10)));
    }

    proptest! {
        #[test]
        fn whoever_waits_as_told_is_let_through(
            calls in 1_u32..500,
            steps in prop::collection::vec(0_u64..5_000, 1..200),
        ) {
            let rate = Rate { calls, window: Duration::from_secs(60) };
            let (mut spent, mut now) = (None, NOW);
            for step in steps {
                now = now.after(Duration::from_millis(step));
                let mut taken = take(rate, spent, now);
                if let Some(wait) = taken.wait {
                    now = now.after(wait);
                    taken = take(rate, Some(taken.spent), now);
                }
                prop_assert_eq!(taken.wait, None);
                spent = Some(taken.spent);
            }
        }
    }
}
