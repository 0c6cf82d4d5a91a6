//! Counts what readers can see against what was planned.
//!
//! The ledger is the platforms' own account of what they accepted, so it knows of every duplicate
//! and of every loss, whatever Fanfare believes.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::sandbox::LedgerEntry;

/// A delivery as planned and as it ended.
pub(super) struct Ended {
    pub(super) handle: &'static str,
    /// What readers should see, part by part; nothing if it was cancelled.
    pub(super) expected: Vec<String>,
    pub(super) state: String,
    /// In milliseconds, as due times are.
    pub(super) due: u64,
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
    /// What was held up by a platform may be late, and may be overtaken: its lane stays free.
    fn is_undisturbed(&self) -> bool {
        self.throttled == Passed::No && self.doubted == Passed::No
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

impl Tally {
    /// Whether every delivery ended as the script wants it.
    pub(super) fn is_as_intended(&self, cancelled: usize) -> bool {
        let wrong = self.other + self.duplicates + self.lost + self.out_of_order;
        let tried = self.throttled > 0 && self.in_doubt_resolved > 0;
        wrong == 0 && tried && self.cancelled == cancelled
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
    let mut lanes: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for one in ended.iter().filter(|one| one.is_undisturbed()) {
        let first = one.expected.first().and_then(|text| seen.get(&(one.handle, text.as_str())));
        if let Some(sequence) = first.and_then(|sequences| sequences.first()) {
            lanes.entry(one.handle).or_default().push((one.due, *sequence));
        }
    }
    let inversions = |mut lane: Vec<(u64, u64)>| {
        lane.sort_unstable();
        lane.windows(2).filter(|pair| pair[0].1 > pair[1].1).count()
    };
    lanes.into_values().map(inversions).sum()
}

fn late_p99(ended: &[Ended]) -> u64 {
    let counted = ended.iter().filter(|one| one.is_undisturbed() && one.state == "published");
    let mut late: Vec<Duration> = counted.map(|one| one.lateness).collect();
    late.sort_unstable();
    // Of fewer than a hundred, the p99 is the latest.
    let at = (late.len() * 99).div_ceil(100).saturating_sub(1);
    late.get(at).map_or(0, |late| u64::try_from(late.as_millis()).unwrap_or(u64::MAX))
}
