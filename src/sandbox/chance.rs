//! The sandbox's only randomness, from a seed: ids and tokens are the same in every run.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::domain::time::Timestamp;

pub(crate) struct Chance {
    source: StdRng,
    /// By `low_bits`, so that platforms with different ids do not push each other ahead.
    last: BTreeMap<u32, u64>,
}

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance { source: StdRng::seed_from_u64(seed), last: BTreeMap::new() }
    }

    pub(crate) fn word(&mut self, length: usize) -> String {
        self.pick(LETTERS, length)
    }

    pub(crate) fn base32(&mut self, length: usize) -> String {
        self.pick(BASE32, length)
    }

    /// A time-ordered id: milliseconds since `epoch_millis`, then `low_bits` that grow.
    /// Unique and growing even when the clock stands still or goes back.
    pub(crate) fn snowflake(&mut self, now: Timestamp, epoch_millis: u64, low_bits: u32) -> u64 {
        let timed = now.0.saturating_sub(epoch_millis) << low_bits;
        let last = self.last.entry(low_bits).or_default();
        *last = timed.max(*last + 1);
        *last
    }

    fn pick(&mut self, letters: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(letters[self.source.random_range(0..letters.len())]))
            .collect()
    }
}
