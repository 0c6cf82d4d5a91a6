//! Decides what happens to an account whose actor failed.
//!
//! Invariants:
//! - an account that fails again and again is set aside, and others never hear of it;
//! - one that has been well for long enough begins anew.

use std::time::Duration;

use crate::domain::time::Timestamp;

const FAILURES_MAX: u32 = 5;

const WELL_AFTER: Duration = Duration::from_secs(10 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    RestartAfter(Duration),
    /// Needs attention: a person has to resume it.
    SetAside,
}

/// How many failures in a row there are, with this one.
pub fn count(before: u32, last: Timestamp, now: Timestamp) -> u32 {
    if last.elapsed(now) >= WELL_AFTER { 1 } else { before.saturating_add(1) }
}

/// `failures`: in a row, this one included. Restarts after 1, 2, 4 and 8 seconds.
pub fn after_failure(failures: u32) -> Verdict {
    if failures >= FAILURES_MAX {
        return Verdict::SetAside;
    }
    Verdict::RestartAfter(Duration::from_secs(1 << failures.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_later_each_time_and_end() {
        let seconds = |n| Verdict::RestartAfter(Duration::from_secs(n));
        let verdicts: Vec<Verdict> = (1..=6).map(after_failure).collect();
        let aside = Verdict::SetAside;
        assert_eq!(verdicts, [seconds(1), seconds(2), seconds(4), seconds(8), aside, aside]);
    }

    #[test]
    fn ten_minutes_without_a_failure_begin_anew() {
        assert_eq!(count(4, Timestamp(0), Timestamp(599_999)), 5);
        assert_eq!(count(4, Timestamp(0), Timestamp(600_000)), 1);
    }
}
