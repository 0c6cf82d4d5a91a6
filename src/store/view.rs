//! What a commit sees and does: the store as it would be, and the changes that make it so.
//!
//! Invariants:
//! - it reads its own writes, in scans too;
//! - nothing reaches the store before the closure has returned `Ok`.

use std::{collections::BTreeMap, mem, ops::Bound, sync::Arc};

use crate::store::{
    error::Error,
    keys::{Key, Length, Span, Table},
    kv::Order,
    read::{Read, decoded},
    shelf::{Shelf, Write},
    vault::Vault,
};

pub struct View {
    shelf: Shelf,
    pub(super) vault: Arc<Vault>,
    overlay: BTreeMap<Vec<u8>, Write>,
    told: Told,
}

/// Whether a commit holds events, so that their readers have to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Events,
}

impl Told {
    pub(super) fn and(self, other: Told) -> Told {
        if self == Told::Events { self } else { other }
    }
}

impl View {
    pub(super) fn new(shelf: Shelf, vault: Arc<Vault>) -> View {
        View { shelf, vault, overlay: BTreeMap::new(), told: Told::Nothing }
    }

    pub fn put(&mut self, key: &Key, value: Vec<u8>) -> Result<(), Error> {
        self.write(key, Some(value))
    }

    /// For a key that was never used before: does not look for what it replaces.
    pub(super) fn put_new(&mut self, key: &Key, value: Vec<u8>) {
        self.note(key);
        self.overlay.insert(key.encode(), Write { value: Some(value), stale: 0 });
    }

    /// A record that is not there is not missed.
    pub fn delete(&mut self, key: &Key) -> Result<(), Error> {
        self.write(key, None)
    }

    pub(super) fn is_unchanged(&self) -> bool {
        self.overlay.is_empty()
    }

    pub(super) fn forget(&mut self) {
        self.overlay.clear();
        self.told = Told::Nothing;
    }

    /// Applies what was written as one batch, and begins anew.
    pub(super) fn apply(&mut self) -> Result<Told, Error> {
        let told = mem::replace(&mut self.told, Told::Nothing);
        self.shelf.apply(mem::take(&mut self.overlay).into_iter())?;
        Ok(told)
    }

    pub(super) fn writes(&self) -> usize {
        self.overlay.len()
    }

    fn note(&mut self, key: &Key) {
        if key.table() == Table::Events {
            self.told = Told::Events;
        }
    }

    fn write(&mut self, key: &Key, value: Option<Vec<u8>>) -> Result<(), Error> {
        self.note(key);
        let length = key.table().length();
        let key = key.encode();
        if let Some(write) = self.overlay.get_mut(&key) {
            write.value = value;
            return Ok(());
        }
        let stale = match length {
            Length::OneRow => 0,
            Length::Any => self.shelf.continued(&key)?,
        };
        self.overlay.insert(key, Write { value, stale });
        Ok(())
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
        // Every key that was written is answered from here, so the store's rows of the same keys
        // are left out, and `limit` of the others are always enough.
        let stored =
            self.shelf.values(span, order, |key| !self.overlay.contains_key(key), limit)?;
        let bounds = (Bound::Included(span.from.as_slice()), Bound::Excluded(&*span.until));
        let mut found = stored;
        if span.from < span.until {
            let written = self.overlay.range::<[u8], _>(bounds);
            found.extend(written.filter_map(|(key, write)| {
                write.value.as_ref().map(|value| (key.clone(), value.clone()))
            }));
        }
        match order {
            Order::Ascending => found.sort_unstable_by(|left, right| left.0.cmp(&right.0)),
            Order::Descending => found.sort_unstable_by(|left, right| right.0.cmp(&left.0)),
        }
        found.truncate(limit);
        decoded(found)
    }
}
