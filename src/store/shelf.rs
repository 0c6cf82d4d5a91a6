//! Values of any length on rows of limited length.
//!
//! Invariants:
//! - a row starts with one byte: whole, or followed by the number of rows that continue it;
//! - rows that continue a value are written and removed in the batch that writes or removes it, and
//!   no scan of a table ever meets them;
//! - a reader sees a batch with all of its rows or none of them.

use std::{
    ops::ControlFlow,
    sync::{Arc, PoisonError, RwLock},
};

use crate::store::{
    error::Error,
    keys::{CONTINUATION, Key, Span},
    kv::{Kv, Order, ROW_MAX, Row},
};

const WHOLE: u8 = 0;
const CONTINUED: u8 = 1;

/// The part of a value that fits into its first row, beside how many follow.
const HEAD_MAX: usize = ROW_MAX - 3;

/// 256 MiB. Nothing that we keep as a value comes near.
const VALUE_MAX: usize = ROW_MAX * (u16::MAX as usize);

/// Keys as they are encoded, and the whole values.
pub(super) type Values = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Clone)]
pub(super) struct Shelf {
    kv: Arc<dyn Kv>,
    /// The store below shows a batch to readers row by row; this makes it appear at once.
    gate: Arc<RwLock<()>>,
}

/// What a batch does to one value.
pub(super) struct Write {
    /// `None` deletes it.
    pub(super) value: Option<Vec<u8>>,
    /// How many rows continue the value that is being replaced.
    pub(super) stale: u16,
}

impl Shelf {
    pub(super) fn new(kv: Arc<dyn Kv>) -> Shelf {
        Shelf { kv, gate: Arc::default() }
    }

    pub(super) fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        match self.kv.get(key)? {
            Some(row) => self.whole(key, row).map(Some),
            None => Ok(None),
        }
    }

    /// How many rows continue the value at `key`; zero when there is none.
    pub(super) fn continued(&self, key: &[u8]) -> Result<u16, Error> {
        match self.kv.get(key)? {
            Some(row) => Ok(split(key, &row)?.1),
            None => Ok(0),
        }
    }

    /// `keep` decides for each key whether it is wanted; `limit` counts those that are.
    pub(super) fn values(
        &self,
        span: &Span,
        order: Order,
        mut keep: impl FnMut(&[u8]) -> bool,
        limit: usize,
    ) -> Result<Values, Error> {
        let mut found = Vec::new();
        if limit == 0 {
            return Ok(found);
        }
        let _gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        self.kv.scan(&span.from, &span.until, order, &mut |key, row| {
            if keep(key) {
                found.push((key.to_vec(), row.to_vec()));
            }
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        found.into_iter().map(|(key, row)| Ok((key.clone(), self.whole(&key, row)?))).collect()
    }

    pub(super) fn apply(
        &self,
        writes: impl Iterator<Item = (Vec<u8>, Write)>,
    ) -> Result<(), Error> {
        let mut rows = Vec::new();
        for (key, write) in writes {
            spread(key, write, &mut rows);
        }
        let _gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.kv.apply(rows)
    }

    pub(super) fn sync(&self) -> Result<(), Error> {
        self.kv.sync()
    }

    fn whole(&self, key: &[u8], mut row: Vec<u8>) -> Result<Vec<u8>, Error> {
        let (head, count) = split(key, &row)?;
        if count == 0 {
            row.remove(0);
            return Ok(row);
        }
        let mut value = head.to_vec();
        for number in 0..count {
            let more = self.kv.get(&continuation(key, number))?.ok_or_else(|| {
                Error::unreadable(describe(key), format!("part {} of it is gone", number + 2))
            })?;
            value.extend_from_slice(&more);
        }
        Ok(value)
    }
}

fn split<'a>(key: &[u8], row: &'a [u8]) -> Result<(&'a [u8], u16), Error> {
    match row {
        [WHOLE, value @ ..] => Ok((value, 0)),
        [CONTINUED, high, low, value @ ..] => Ok((value, u16::from_be_bytes([*high, *low]))),
        _ => Err(Error::unreadable(describe(key), "its row does not begin like one")),
    }
}

/// Turns one write into rows, and deletes what continued the value before and is not written over.
fn spread(key: Vec<u8>, write: Write, rows: &mut Vec<Row>) {
    let Some(mut value) = write.value else {
        remove_continuations(&key, 0..write.stale, rows);
        rows.push((key, None));
        return;
    };
    if value.len() < ROW_MAX {
        remove_continuations(&key, 0..write.stale, rows);
        value.insert(0, WHOLE);
        rows.push((key, Some(value)));
        return;
    }
    assert!(value.len() <= VALUE_MAX, "values are far below 256 MiB");
    let (head, tail) = value.split_at(HEAD_MAX);
    let mut count = 0;
    for (number, part) in (0_u16..).zip(tail.chunks(ROW_MAX)) {
        rows.push((continuation(&key, number), Some(part.to_vec())));
        count = number + 1;
    }
    remove_continuations(&key, count..write.stale, rows);
    let mut row = vec![CONTINUED];
    row.extend_from_slice(&count.to_be_bytes());
    row.extend_from_slice(head);
    rows.push((key, Some(row)));
}

fn remove_continuations(key: &[u8], numbers: std::ops::Range<u16>, rows: &mut Vec<Row>) {
    rows.extend(numbers.map(|number| (continuation(key, number), None)));
}

fn continuation(key: &[u8], number: u16) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + 3);
    bytes.push(CONTINUATION);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

/// Names a record in an error. Keys hold ids, names and hashes, never a secret.
pub(super) fn describe(key: &[u8]) -> String {
    match Key::decode(key) {
        Some(key) => format!("the record {key:?}"),
        None => format!("the record at {key:02x?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    const KEY: &[u8] = &[0x30, 1, 2, 3];

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    fn write(shelf: &Shelf, value: Option<Vec<u8>>) {
        let stale = shelf.continued(KEY).unwrap();
        shelf.apply(std::iter::once((KEY.to_vec(), Write { value, stale }))).unwrap();
    }

    #[test]
    fn value_of_any_length_reads_back_and_leaves_nothing_when_replaced() {
        let lengths = [0, 1, 4_095, 4_096, 4_097, 8_189, 8_190, 1 << 20, 5, 20_000, 10_000];
        let memory = Memory::default();
        let shelf = Shelf::new(Arc::new(memory.clone()));
        for length in lengths {
            write(&shelf, Some(pattern(length)));
            assert_eq!(shelf.value(KEY).unwrap(), Some(pattern(length)), "{length}");
            let rows = if length < ROW_MAX { 1 } else { 1 + (length - HEAD_MAX).div_ceil(ROW_MAX) };
            assert_eq!(memory.rows(), rows, "{length}");
        }
        write(&shelf, None);
        assert_eq!(shelf.value(KEY).unwrap(), None);
        assert_eq!(memory.rows(), 0);
    }

    #[test]
    fn scans_show_long_values_whole_and_never_their_parts() {
        let shelf = Shelf::new(Arc::new(Memory::default()));
        write(&shelf, Some(pattern(20_000)));
        let table = Span::table(crate::store::keys::Table::Posts);
        for order in [Order::Ascending, Order::Descending] {
            let found = shelf.values(&table, order, |_| true, 9).unwrap();
            assert_eq!(found, [(KEY.to_vec(), pattern(20_000))]);
        }
        let every = shelf.values(&Span::everything(), Order::Ascending, |_| true, 9);
        assert_eq!(every.unwrap().len(), 1);
    }

    #[test]
    fn no_row_is_longer_than_the_limit() {
        let mut rows = Vec::new();
        for length in [4_095, 4_096, 100_000] {
            spread(KEY.to_vec(), Write { value: Some(pattern(length)), stale: 0 }, &mut rows);
        }
        assert!(rows.iter().all(|(_, row)| row.as_ref().unwrap().len() <= ROW_MAX));
    }

    #[test]
    fn lost_part_of_a_long_value_is_an_error_that_names_it() {
        let memory = Memory::default();
        let shelf = Shelf::new(Arc::new(memory.clone()));
        write(&shelf, Some(pattern(20_000)));
        memory.apply(vec![(continuation(KEY, 1), None)]).unwrap();
        let error = shelf.value(KEY).unwrap_err().to_string();
        assert!(error.contains("part 3 of it is gone"), "{error}");
    }
}
