//! Rate limits as fixed windows, counted per account and rule.

use std::{collections::HashMap, time::Duration};

use crate::domain::time::Timestamp;

/// Whether the platforms' published rate limits are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// As the platforms publish them; one request too many is answered 429.
    Published,
    /// Headers are still sent and counted down, but nothing is refused. For load tests.
    Off,
}

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) most: u64,
    pub(crate) window: Duration,
}

impl Rule {
    pub(crate) const fn new(name: &'static str, most: u64, seconds: u64) -> Rule {
        let window = Duration::from_secs(seconds);
        Rule { name, most, window }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Left,
    Exceeded,
}

/// What the headers of an answer tell.
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset: Timestamp,
    pub(crate) window: Duration,
    pub(crate) room: Room,
}

pub(crate) struct Meter {
    limits: Limits,
    windows: HashMap<(usize, &'static str), (Timestamp, u64)>,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Meter {
        let windows = HashMap::new();
        Meter { limits, windows }
    }

    /// Takes `cost` from the window of `who`. What does not fit is refused and costs nothing.
    pub(crate) fn spend(&mut self, who: usize, rule: &Rule, cost: u64, now: Timestamp) -> Reading {
        let (began, used) = self.windows.entry((who, rule.name)).or_insert((now, 0));
        // A window in the future means that the clock was set back: begin afresh.
        if began.after(rule.window) <= now || *began > now {
            (*began, *used) = (now, 0);
        }
        let fits = *used + cost <= rule.most || self.limits == Limits::Off;
        if fits {
            *used += cost;
        }
        Reading {
            limit: rule.most,
            remaining: rule.most.saturating_sub(*used),
            reset: began.after(rule.window),
            window: rule.window,
            room: if fits { Room::Left } else { Room::Exceeded },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_refuses_one_too_many_and_opens_again_at_its_reset() {
        let rule = Rule::new("posts", 2, 10);
        let mut meter = Meter::new(Limits::Published);
        let mut room = |at: u64| meter.spend(1, &rule, 1, Timestamp(at)).room == Room::Left;
        assert_eq!([room(0), room(1), room(9_999), room(10_000)], [true, true, false, true]);
    }

    #[test]
    fn limits_that_are_off_still_count_down() {
        let rule = Rule::new("posts", 1, 10);
        let mut meter = Meter::new(Limits::Off);
        meter.spend(1, &rule, 1, Timestamp(0));
        let second = meter.spend(1, &rule, 1, Timestamp(0));
        assert!(second.room == Room::Left && second.remaining == 0);
    }
}
