//! Percentiles, medians of runs, and lines of a table.

use std::time::Duration;

/// Samples of one run, in any order.
#[derive(Default)]
pub(crate) struct Samples(pub(crate) Vec<Duration>);

impl Samples {
    /// `part` from 0.0, the least, to 1.0, the greatest.
    pub(crate) fn at(&mut self, part: f64) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "there are far fewer samples than a float can count"
        )]
        let place = (last as f64 * part).round() as usize;
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Of an odd number of runs the middle one.
pub(crate) fn median<T: PartialOrd + Copy>(mut runs: Vec<T>) -> T {
    runs.sort_by(|left, right| left.partial_cmp(right).expect("no figure is NaN"));
    runs[runs.len() / 2]
}

/// The median of what `of` picks from each run.
pub(crate) fn middle<R, T: PartialOrd + Copy>(runs: &[R], of: impl Fn(&R) -> T) -> T {
    median(runs.iter().map(of).collect())
}

pub(crate) fn heading(name: &str, method: &str) {
    println!("\n{name}: {method}");
}

pub(crate) fn line(what: &str, found: &str, target: &str) {
    let target = if target.is_empty() { String::new() } else { format!("(target {target})") };
    println!("  {what:<28} {found:<62} {target}");
}

pub(crate) fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

/// What this process has used of the processors, on all its threads; to 10 ms.
pub(crate) fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    // The name may hold spaces; after it come fields 3 and on, of which 14 and 15 are the times of
    // user and system.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
