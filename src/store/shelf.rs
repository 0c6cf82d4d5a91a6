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
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
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
