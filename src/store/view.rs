//! What a commit sees and does: the store as it would be, and the changes that make it so.
//!
//! Invariants:
//! - it reads its own writes, and those of the commits before it in the same batch, in scans too;
//! - nothing reaches the store before the closure has returned `Ok`; otherwise what it wrote is
//!   undone, and only that.

use std::{collections::BTreeMap, mem, net::IpAddr, ops::Bound, sync::Arc};

use crate::store::{
    error::Error,
    keys::{Key, Length, Span, Table},
    kv::{Order, ROW_MAX},
    read::{Read, decoded},
    shelf::{Shelf, Write},
    vault::Vault,
};

pub struct View {
    shelf: Shelf,
    pub(super) vault: Arc<Vault>,
    /// What this batch will write, by this commit and the ones before it.
    overlay: BTreeMap<Vec<u8>, Write>,
    size: Size,
    /// What the overlay held before each write of this commit, oldest first.
    undo: Vec<(Vec<u8>, Option<Write>)>,
    size_before: Size,
    /// Where the request came from that asked for the commit that is running.
    pub(super) origin: Option<IpAddr>,
}

/// How much a batch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) events: usize,
}

impl View {
    pub(super) fn new(shelf: Shelf, vault: Arc<Vault>) -> View {
        View {
            shelf,
            vault,
            overlay: BTreeMap::new(),
            size: Size::default(),
            undo: Vec::new(),
            size_before: Size::default(),
            origin: None,
        }
    }

    pub fn put(&mut self, key: &Key, value: Vec<u8>) -> Result<(), Error> {
        self.write(key, Some(value))
    }

    /// For a key that was never used before: does not look for what it replaces.
    pub(super) fn put_new(&mut self, key: &Key, value: Vec<u8>) {
        self.overlay_with(key.table(), key.encode(), Write { value: Some(value), stale: 0 });
    }

    /// A record that is not there is not missed.
    pub fn delete(&mut self, key: &Key) -> Result<(), Error> {
        self.write(key, None)
    }

    /// Whether the commit that is running has written nothing.
    pub(super) fn is_unchanged(&self) -> bool {
        self.undo.is_empty()
    }

    /// Events of the commit that is running say that it was asked for from there.
    pub fn comes_from(&mut self, origin: Option<IpAddr>) {
        self.origin = origin;
    }

    /// The commit that is running becomes part of the batch.
    pub(super) fn keep(&mut self) {
        self.undo.clear();
        self.size_before = self.size;
    }

    /// The commit that is running was never there.
    pub(super) fn undo(&mut self) {
        for (key, before) in self.undo.drain(..).rev() {
            match before {
                Some(write) => self.overlay.insert(key, write),
                None => self.overlay.remove(&key),
            };
        }
        self.size = self.size_before;
    }

    /// How much the batch holds so far.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Applies all that was kept as one batch, and begins anew.
    pub(super) fn apply(&mut self) -> Result<(), Error> {
        self.size = Size::default();
        self.size_before = Size::default();
        self.shelf.apply(mem::take(&mut self.overlay).into_iter())
    }

    fn write(&mut self, key: &Key, value: Option<Vec<u8>>) -> Result<(), Error> {
        let table = key.table();
        let key = key.encode();
        let stale = match (self.overlay.get(&key), table.length()) {
            (Some(write), _) => write.stale,
            (None, Length::OneRow) => 0,
            (None, Length::Any) => self.shelf.continued(&key)?,
        };
        self.overlay_with(table, key, Write { value, stale });
        Ok(())
    }

    fn overlay_with(&mut self, table: Table, key: Vec<u8>, write: Write) {
        let length = write.value.as_ref().map_or(0, Vec::len);
        debug_assert!(length < ROW_MAX || table.length() == Length::Any, "indexes are short");
        self.size.rows += 1 + length / ROW_MAX + usize::from(write.stale);
        self.size.events += usize::from(table == Table::Events);
        let before = self.overlay.insert(key.clone(), write);
        self.undo.push((key, before));
    }
}

impl Read for View {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        let key = key.encode();
        match self.overlay.get(&key) {
            Some(write) => Ok(write.value.clone()),
            None => self.shelf.value(&key),
        }
    }

    fn scan(&self, span: &Span, order: Order, limit: usize) -> Result<Vec<(Key, Vec<u8>)>, Error> {
        if span.from >= span.until {
            return Ok(Vec::new());
        }
        // Every key that was written is answered from here, so the store's rows of the same keys
        // are left out, and `limit` of each are always enough.
        let mut found =
            self.shelf.values(span, order, |key| !self.overlay.contains_key(key), limit)?;
        let bounds = (Bound::Included(&*span.from), Bound::Excluded(&*span.until));
        let written = self.overlay.range::<[u8], _>(bounds).filter_map(|(key, write)| {
            write.value.as_ref().map(|value| (key.clone(), value.clone()))
        });
        match order {
            Order::Ascending => found.extend(written.take(limit)),
            Order::Descending => found.extend(written.rev().take(limit)),
        }
        match order {
            Order::Ascending => found.sort_unstable_by(|left, right| left.0.cmp(&right.0)),
            Order::Descending => found.sort_unstable_by(|left, right| right.0.cmp(&left.0)),
        }
        found.truncate(limit);
        decoded(found)
    }
}
