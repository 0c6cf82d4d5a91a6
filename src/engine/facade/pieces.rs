//! Pieces of lists of which a caller may see only some.

use std::{fmt::Display, str::FromStr};

use crate::engine::{
    Answer,
    facade::{Listing, Page, listing},
};

/// How many records one piece of a sifted list looks at, at most.
const SCAN_MAX: usize = 5_000;
const SCAN_PIECE: usize = 500;

/// A piece of what is `wanted`, newest first. It may hold fewer than were asked for, and still have
/// a next one.
///
/// `read` gives up to so many that come before an id, newest first.
pub(super) fn sifted<T, I: Copy + Display + FromStr>(
    page: &Page,
    read: impl Fn(Option<I>, usize) -> Answer<Vec<T>>,
    id: impl Fn(&T) -> I,
    wanted: impl Fn(&T) -> bool,
) -> Answer<Listing<T>> {
    let limit = page.limit();
    let mut before = page.after_id::<I>()?;
    let mut found = Vec::new();
    let mut looked = 0;
    while looked < SCAN_MAX {
        // Most callers may see everything, and then this is the only round.
        let asked = if looked == 0 { limit + 1 } else { SCAN_PIECE };
        let piece = read(before, asked)?;
        let ended = piece.len() < asked;
        looked += piece.len();
        before = piece.last().map(&id).or(before);
        found.extend(piece.into_iter().filter(&wanted));
        if found.len() > limit {
            return Ok(listing(found, limit, |item| id(item).to_string()));
        }
        if ended {
            return Ok(Listing { items: found, next: None });
        }
    }
    Ok(Listing { items: found, next: before.map(|id| id.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from `top` down, of which one in `kept` is wanted.
    fn walk(top: u64, kept: u64, limit: usize) -> (Vec<u64>, usize) {
        let mut page = Page { after: None, limit };
        let (mut seen, mut pieces) = (Vec::new(), 0);
        loop {
            let read = |before: Option<u64>, limit: usize| {
                let from = before.unwrap_or(top + 1);
                Ok((1..from).rev().take(limit).collect())
            };
            let piece = sifted(&page, read, |number| *number, |number| number % kept == 0).unwrap();
            assert!(piece.items.len() <= limit);
            seen.extend(piece.items);
            pieces += 1;
            match piece.next {
                Some(next) => page.after = Some(next),
                None => return (seen, pieces),
            }
        }
    }

    #[test]
    fn every_wanted_one_is_told_once_and_in_order() {
        for (top, kept, limit) in
            [(0, 1, 5), (5, 1, 5), (6, 1, 5), (10, 2, 3), (20_000, 999, 4), (12_000, 13_000, 1)]
        {
            let wanted: Vec<u64> = (1..=top).rev().filter(|number| number % kept == 0).collect();
            assert_eq!(walk(top, kept, limit).0, wanted, "{top} {kept} {limit}");
        }
    }

    #[test]
    fn a_long_way_to_the_next_one_is_gone_in_pieces() {
        let (seen, pieces) = walk(12_000, 13_000, 1);
        assert!(seen.is_empty() && pieces > 1);
    }
}
