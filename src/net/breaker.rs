//! A circuit breaker for one host. A host that is down is asked rarely, not by everybody in turn.
//!
//! A failure is a host that cannot be reached or does not answer; what it answers is none, were it
//! "no" or "slow down". Pure: `now` is an argument.
//!
//! Invariants:
//! - it opens after [`FAILURES_MAX`] failures without an answer in between, never before;
//! - while it is open, one trial at a time goes through, no more often than every [`WAIT_FIRST`];
//! - any answer closes it.

use std::time::Duration;

use crate::domain::time::Timestamp;

pub const FAILURES_MAX: u32 = 5;
pub const WAIT_FIRST: Duration = Duration::from_secs(30);
pub const WAIT_MAX: Duration = Duration::from_secs(5 * 60);

#[derive(Debug)]
pub struct Breaker {
    state: State,
}

/// `Closed → Open → Trial → Closed`, or `Trial → Open` for twice as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Timestamp,
        wait: Duration,
    },
    /// One request tells whether the host is back. If nothing is heard of it until then, another.
    Trial {
        until: Timestamp,
        wait: Duration,
    },
}

/// What was let through; to be handed back with how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ticket {
    Ordinary,
    Trial,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Answered,
    Failed,
    /// Given up, or failed for a reason of our own: it says nothing of the host.
    Unknown,
}

impl Breaker {
    pub fn closed() -> Breaker {
        Breaker { state: State::Closed { failures: 0 } }
    }

    /// `Err` with the time before which nothing goes through.
    pub fn admit(&mut self, now: Timestamp) -> Result<Ticket, Timestamp> {
        match self.state {
            State::Closed { .. } => Ok(Ticket::Ordinary),
            State::Open { until, wait } | State::Trial { until, wait } => {
                let remaining = until.remaining(now);
                // More than the wait remains only if the clock was set back meanwhile.
                if !remaining.is_zero() && remaining <= wait {
                    return Err(until);
                }
                self.state = State::Trial { until: now.after(wait), wait };
                Ok(Ticket::Trial)
            }
        }
    }

    pub fn ended(&mut self, ticket: Ticket, ending: Ending, now: Timestamp) {
        match (self.state, ticket, ending) {
            (_, _, Ending::Answered) => self.state = State::Closed { failures: 0 },
            (State::Closed { failures }, _, Ending::Failed) => {
                let failures = failures + 1;
                self.state = if failures >= FAILURES_MAX {
                    State::Open { until: now.after(WAIT_FIRST), wait: WAIT_FIRST }
                } else {
                    State::Closed { failures }
                };
            }
            (State::Trial { wait, .. }, Ticket::Trial, Ending::Failed) => {
                let wait = (wait * 2).min(WAIT_MAX);
                self.state = State::Open { until: now.after(wait), wait };
            }
            (State::Trial { wait, .. }, Ticket::Trial, Ending::Unknown) => {
                self.state = State::Open { until: now, wait };
            }
            // Sent before it opened, or given up: nothing new.
            (State::Closed { .. } | State::Open { .. }, _, _)
            | (State::Trial { .. }, Ticket::Ordinary, _) => {}
        }
    }

    /// Nothing would be lost by forgetting this breaker.
    pub fn is_calm(&self) -> bool {
        self.state == State::Closed { failures: 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp(1_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.after(Duration::from_secs(seconds))
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::closed();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.admit(START), Ok(Ticket::Ordinary));
            breaker.ended(Ticket::Ordinary, Ending::Failed, START);
        }
        breaker
    }

    #[test]
    fn fifth_failure_in_a_row_opens_it_and_an_answer_begins_the_count_anew() {
        let mut breaker = Breaker::closed();
        for ending in [Ending::Failed, Ending::Answered, Ending::Failed, Ending::Unknown] {
            for _ in 0..FAILURES_MAX - 1 {
                assert_eq!(breaker.admit(START), Ok(Ticket::Ordinary));
                breaker.ended(Ticket::Ordinary, ending, START);
            }
        }
        assert_eq!(breaker.admit(START), Ok(Ticket::Ordinary));
        breaker.ended(Ticket::Ordinary, Ending::Failed, START);
        assert_eq!(breaker.admit(START), Err(at(30)));
    }

    #[test]
    fn one_trial_goes_through_after_half_a_minute_and_its_answer_closes() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(29)), Err(at(30)));
        assert_eq!(breaker.admit(at(30)), Ok(Ticket::Trial));
        assert_eq!(breaker.admit(at(31)), Err(at(60)));
        breaker.ended(Ticket::Trial, Ending::Answered, at(32));
        assert_eq!(breaker.admit(at(32)), Ok(Ticket::Ordinary));
        assert!(breaker.is_calm());
    }

    #[test]
    fn each_failed_trial_doubles_the_wait_up_to_five_minutes() {
        let mut breaker = opened();
        let mut now = at(0);
        for wait in [30, 60, 120, 240, 300, 300] {
            let until = now.after(Duration::from_secs(wait));
            assert_eq!(breaker.admit(now), Err(until));
            now = until;
            assert_eq!(breaker.admit(now), Ok(Ticket::Trial));
            breaker.ended(Ticket::Trial, Ending::Failed, now);
        }
    }

    #[test]
    fn trial_that_is_given_up_makes_room_for_another_and_so_does_one_that_hangs() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(30)), Ok(Ticket::Trial));
        breaker.ended(Ticket::Trial, Ending::Unknown, at(31));
        assert_eq!(breaker.admit(at(31)), Ok(Ticket::Trial));
        assert_eq!(breaker.admit(at(61)), Ok(Ticket::Trial));
    }

    #[test]
    fn failures_of_requests_sent_before_it_opened_do_not_prolong_it() {
        let mut breaker = opened();
        breaker.ended(Ticket::Ordinary, Ending::Failed, at(29));
        assert_eq!(breaker.admit(at(30)), Ok(Ticket::Trial));
        breaker.ended(Ticket::Ordinary, Ending::Failed, at(30));
        assert_eq!(breaker.admit(at(31)), Err(at(60)));
    }

    #[test]
    fn clock_that_is_set_back_does_not_keep_it_open() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(Timestamp(0)), Ok(Ticket::Trial));
    }

    proptest! {
        /// Whatever happens: a refusal is never longer than the longest wait, and between two
        /// trials of an open breaker at least the first wait passes.
        #[test]
        fn it_never_shuts_a_host_out_nor_lets_a_crowd_through(
            script in prop::collection::vec((0_u64..400, 0_u8..3), 1..200),
        ) {
            let mut breaker = Breaker::closed();
            let mut now = START;
            let mut trial: Option<Timestamp> = None;
            for (seconds, ending) in script {
                now = now.after(Duration::from_secs(seconds));
                let ending = [Ending::Answered, Ending::Failed, Ending::Unknown][ending as usize];
                match breaker.admit(now) {
                    Err(until) => {
                        prop_assert!(until > now && until.remaining(now) <= WAIT_MAX);
                    }
                    Ok(ticket) => {
                        if ticket == Ticket::Trial {
                            if let Some(last) = trial {
                                prop_assert!(last.elapsed(now) >= WAIT_FIRST);
                            }
                            trial = (ending == Ending::Failed).then_some(now);
                        }
                        breaker.ended(ticket, ending, now);
                    }
                }
            }
        }
    }
}
