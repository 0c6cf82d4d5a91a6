//! The key of a record: a TID, which is 53 bits of microseconds and 10 bits that tell clocks apart.
//!
//! Of 64 bits the top one is 0, the next 53 are microseconds since the epoch, the last 10 tell
//! clocks apart (<https://atproto.com/specs/tid>, read 2026-11-21). Ours are taken from the
//! delivery: what is asked for twice has one key.

use crate::{connectors::Job, domain::time::Timestamp};

const ALPHABET: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
const LETTERS: u32 = 13;

/// Parts of a thread are a millisecond apart, so that their keys sort like them.
pub(super) fn of_part(job: &Job, number: usize) -> String {
    let random = job.delivery.0;
    // Planned times are whole minutes, so what is below the millisecond is free to tell apart.
    let below = random % 1_000;
    let clock = (random / 1_000) % 1_024;
    let micros = u128::from(time_of_part(job, number).0) * 1_000 + below;
    print(((micros & ((1 << 53) - 1)) << 10) | clock)
}

pub(super) fn time_of_part(job: &Job, number: usize) -> Timestamp {
    Timestamp(job.due.0.saturating_add(u64::try_from(number).unwrap_or_default()))
}

fn print(value: u128) -> String {
    let letter = |at: u32| {
        let bits = (value >> (5 * (LETTERS - 1 - at))) & 31;
        char::from(ALPHABET[usize::try_from(bits).unwrap_or_default()])
    };
    (0..LETTERS).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printed_as_the_specification_prints_them() {
        // The smallest, and the largest whose top bit is 0.
        assert_eq!(print(0), "2222222222222");
        assert_eq!(print((1 << 63) - 1), "bzzzzzzzzzzzz");
        let micros = 1_672_531_200_000_000_u128;
        let printed = print(micros << 10);
        assert_eq!(printed.len(), 13);
        let back = printed.bytes().fold(0_u128, |value, letter| {
            let digit = ALPHABET.iter().position(|&known| known == letter).unwrap();
            (value << 5) | u128::try_from(digit).unwrap()
        });
        assert_eq!(back >> 10, micros);
    }
}
