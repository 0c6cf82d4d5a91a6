//! The store's rows in memory, for simulation: crash tests restart on it hundreds of times.
//!
//! Clones share their rows, so the same memory can be opened again after its store was dropped.

use std::{
    collections::BTreeMap,
    fmt,
    ops::{Bound, ControlFlow},
    sync::{Arc, Mutex, MutexGuard},
};

use crate::store::{
    error::Error,
    kv::{Kv, Order, Row, Visit},
};

#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What rows held before they were written, since the last sync, oldest first.
    unsynced: Vec<Row>,
    media: BTreeMap<[u8; 32], Arc<[u8]>>,
}

impl Memory {
    /// What a power cut may do: everything since the last sync is gone.
    pub fn forget_unsynced(&self) {
        let mut held = self.lock();
        while let Some((key, before)) = held.unsynced.pop() {
            match before {
                Some(value) => held.rows.insert(key, value),
                None => held.rows.remove(&key),
            };
        }
    }

    /// How many rows there are, for tests that look for leftovers.
    pub fn rows(&self) -> usize {
        self.lock().rows.len()
    }

    pub(super) fn put_media(&self, sha256: [u8; 32], bytes: Vec<u8>) {
        self.lock().media.insert(sha256, bytes.into());
    }

    pub(super) fn media(&self, sha256: &[u8; 32]) -> Option<Arc<[u8]>> {
        self.lock().media.get(sha256).cloned()
    }

    pub(super) fn delete_media(&self, sha256: &[u8; 32]) {
        self.lock().media.remove(sha256);
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} rows)", self.rows())
    }
}

impl Kv for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().rows.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        if from >= until {
            return Ok(());
        }
        let held = self.lock();
        let bounds = (Bound::Included(from), Bound::Excluded(until));
        let mut rows = held.rows.range::<[u8], _>(bounds);
        loop {
            let next = match order {
                Order::Ascending => rows.next(),
                Order::Descending => rows.next_back(),
            };
            match next.map(|(key, value)| visit(key, value)) {
                Some(ControlFlow::Continue(())) => {}
                Some(ControlFlow::Break(())) | None => return Ok(()),
            }
        }
    }

    fn apply(&self, rows: Vec<Row>) -> Result<(), Error> {
        let mut held = self.lock();
        for (key, value) in rows {
            let before = match value {
                Some(value) => held.rows.insert(key.clone(), value),
                None => held.rows.remove(&key),
            };
            held.unsynced.push((key, before));
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.lock().unsynced.clear();
        Ok(())
    }
}
