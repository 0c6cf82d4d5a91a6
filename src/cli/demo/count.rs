//! Counts what readers can see against what was planned.
//!
//! The ledger is the platforms' own account of what they accepted, so it knows of every duplicate
//! and of every loss, whatever Fanfare believes.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{domain::time::Timestamp, sandbox::LedgerEntry};

/// A delivery as planned and as it ended.
pub(super) struct Ended {
    pub(super) handle: &'static str,
    /// What readers should see, part by part; nothing if it was cancelled.
    pub(super) expected: Vec<String>,
    pub(super) state: String,
    pub(super) due: Timestamp,
    pub(super) published: Option<Timestamp>,
    /// Real time, even where the demonstration's clock runs faster.
    pub(super) lateness: Duration,
    pub(super) throttled: Passed,
    pub(super) doubted: Passed,
}

/// Whether a delivery went through something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    No,
    Yes,
}

impl Ended {
    /// A platform held it up.
    fn is_disturbed(&self) -> bool {
        self.throttled == Passed::Yes || self.doubted == Passed::Yes
    }

    /// A lane keeps its order, so what comes behind a disturbed delivery may have to wait for it.
    fn is_behind(&self, other: &Ended) -> bool {
        let waited = other.published.is_none_or(|published| published >= self.due);
        self.handle == other.handle && other.is_disturbed() && other.due <= self.due && waited
    }
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    pub(super) deliveries: usize,
    pub(super) published: usize,
    pub(super) cancelled: usize,
    /// Ended otherwise, or not at all.
    pub(super) other: usize,
    /// A request of theirs was not answered, and they ended all the same.
    pub(super) in_doubt_resolved: usize,
    pub(super) throttled: usize,
    /// Seen more often than planned.
    pub(super) duplicates: usize,
    /// Planned and published, but not seen.
    pub(super) lost: usize,
    /// Seen in another order than planned on one account.
    pub(super) out_of_order: usize,
    /// In real milliseconds, of what no platform held up.
    pub(super) late_p99_ms: u64,
}

/// How many deliveries the script means to end or be tried in that way.
pub(super) struct Script {
    pub(super) cancelled: usize,
    pub(super) throttled: usize,
    pub(super) unanswered: usize,
}

impl Tally {
    /// Whether every delivery ended as the script wants it, and was tried as it wants it.
    pub(super) fn is_as_intended(&self, script: &Script) -> bool {
        let wrong = self.other + self.duplicates + self.lost + self.out_of_order;
        let tried =
            self.throttled >= script.throttled && self.in_doubt_resolved >= script.unanswered;
        wrong == 0 && tried && self.cancelled == script.cancelled
    }
}

pub(super) fn tally(ended: &[Ended], ledger: &[LedgerEntry]) -> Tally {
    let mut seen: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    for entry in ledger {
        let key = (entry.handle.as_str(), entry.text.trim());
        seen.entry(key).or_default().push(entry.sequence);
    }
    let with = |state: &str| ended.iter().filter(|one| one.state == state).count();
    let expected: usize = ended.iter().map(|one| one.expected.len()).sum();
    let found = |one: &Ended, text: &String| seen.contains_key(&(one.handle, text.as_str()));
    let lost = ended
        .iter()
        .flat_map(|one| one.expected.iter().map(move |text| (one, text)))
        .filter(|(one, text)| !found(one, text))
        .count();
    let (published, cancelled) = (with("published"), with("cancelled"));
    Tally {
        deliveries: ended.len(),
        published,
        cancelled,
        other: ended.len() - published - cancelled,
        in_doubt_resolved: ended.iter().filter(|one| one.doubted == Passed::Yes).count(),
        throttled: ended.iter().filter(|one| one.throttled == Passed::Yes).count(),
        // Whatever is in the ledger beyond one of each is too much, expected or not.
        duplicates: ledger.len() - (expected - lost).min(ledger.len()),
        lost,
        out_of_order: out_of_order(ended, &seen),
        late_p99_ms: late_p99(ended),
    }
}

fn out_of_order(ended: &[Ended], seen: &BTreeMap<(&str, &str), Vec<u64>>) -> usize {
    let mut lanes: BTreeMap<&str, Vec<(Timestamp, u64)>> = BTreeMap::new();
    for one in ended.iter().filter(|one| !one.is_disturbed()) {
        let first = one.expected.first().and_then(|text| seen.get(&(one.handle, text.as_str())));
        if let Some(sequence) = first.and_then(|sequences| sequences.first()) {
            lanes.entry(one.handle).or_default().push((one.due, *sequence));
        }
    }
    let inversions = |mut lane: Vec<(Timestamp, u64)>| {
        lane.sort_unstable();
        lane.windows(2).filter(|pair| pair[0].1 > pair[1].1).count()
    };
    lanes.into_values().map(inversions).sum()
}

fn late_p99(ended: &[Ended]) -> u64 {
    let held_up = |one: &Ended| ended.iter().any(|other| one.is_behind(other));
    let counted = ended.iter().filter(|one| one.state == "published" && !held_up(one));
    let mut late: Vec<Duration> = counted.map(|one| one.lateness).collect();
    late.sort_unstable();
    // Of fewer than a hundred, the p99 is the latest.
    let at = (late.len() * 99).div_ceil(100).saturating_sub(1);
    late.get(at).map_or(0, |late| u64::try_from(late.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Clockwork, Sandbox};

    fn ended(handle: &'static str, text: &str, due: u64, state: &str) -> Ended {
        Ended {
            handle,
            expected: if state == "cancelled" { Vec::new() } else { vec![text.to_owned()] },
            state: state.to_owned(),
            due: Timestamp(due),
            published: Some(Timestamp(due + 1)),
            lateness: Duration::from_millis(1),
            throttled: Passed::No,
            doubted: Passed::No,
        }
    }

    fn empty_ledger() -> Vec<LedgerEntry> {
        let clockwork = Clockwork {
            now: std::sync::Arc::new(Timestamp::default),
            wait: std::sync::Arc::new(|_| Box::pin(async {})),
            seed: 1,
        };
        Sandbox::new(clockwork).ledger()
    }

    #[test]
    fn what_nobody_sees_is_lost_and_what_was_cancelled_is_not() {
        let all = [ended("ada", "one", 1, "published"), ended("ada", "two", 2, "cancelled")];
        let tally = tally(&all, &empty_ledger());
        assert_eq!((tally.published, tally.cancelled, tally.lost), (1, 1, 1));
        let script = Script { cancelled: 1, throttled: 0, unanswered: 0 };
        assert!(!tally.is_as_intended(&script));
    }

    #[test]
    fn lateness_leaves_out_what_waited_for_a_disturbed_one() {
        let mut disturbed = ended("ada", "one", 1_000, "published");
        (disturbed.doubted, disturbed.published) = (Passed::Yes, Some(Timestamp(9_000)));
        let mut behind = ended("ada", "two", 2_000, "published");
        behind.lateness = Duration::from_secs(7);
        let elsewhere = ended("ben", "three", 2_000, "published");
        assert_eq!(late_p99(&[disturbed, behind, elsewhere]), 1);
    }
}
