//! Units per project and day: youtube/v3/determine_quota_cost, read 2026-11-21. A client id stands
//! for its project.

use std::collections::HashMap;

use crate::{
    domain::time::{Timestamp, day_in},
    sandbox::meter::Limits,
};

const UNITS_MAX: u64 = 10_000;
/// Of `videos.insert`, in a bucket of their own.
const UPLOADS_MAX: u64 = 100;

#[derive(Clone, Copy)]
pub(super) enum Cost {
    Units(u64),
    Upload,
}

#[derive(Default)]
struct Day {
    begins: Timestamp,
    units: u64,
    uploads: u64,
}

pub(super) struct Quota {
    limits: Limits,
    days: HashMap<String, Day>,
}

impl Quota {
    pub(super) fn new(limits: Limits) -> Quota {
        Quota { limits, days: HashMap::new() }
    }

    /// Whether there was enough left. What is refused costs nothing.
    pub(super) fn spend(&mut self, project: &str, cost: Cost, now: Timestamp) -> bool {
        let begins = day_in("America/Los_Angeles", now).start;
        let day = self.days.entry(project.to_owned()).or_default();
        if day.begins != begins {
            *day = Day { begins, ..Day::default() };
        }
        let (used, more, most) = match cost {
            Cost::Units(units) => (&mut day.units, units, UNITS_MAX),
            Cost::Upload => (&mut day.uploads, 1, UPLOADS_MAX),
        };
        let fits = *used + more <= most || self.limits == Limits::Off;
        if fits {
            *used += more;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_and_units_run_out_apart_and_come_back_at_midnight_in_california() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let mut quota = Quota::new(Limits::Published);
        let evening = at("2026-11-22T07:59:00Z");
        assert!((0..100).all(|_| quota.spend("p", Cost::Upload, evening)));
        assert!(!quota.spend("p", Cost::Upload, evening));
        assert!(quota.spend("p", Cost::Units(10_000), evening));
        assert!(!quota.spend("p", Cost::Units(1), evening));
        assert!(quota.spend("another", Cost::Units(1), evening));
        let midnight = at("2026-11-22T08:00:00Z");
        assert!(quota.spend("p", Cost::Upload, midnight));
        assert!(quota.spend("p", Cost::Units(1), midnight));
    }

    #[test]
    fn limits_that_are_off_refuse_nothing() {
        let mut quota = Quota::new(Limits::Off);
        assert!((0..200).all(|_| quota.spend("p", Cost::Upload, Timestamp(0))));
    }
}
