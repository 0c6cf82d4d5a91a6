//! The store's rows in memory, for simulation: crash tests restart on it hundreds of times.
//!
//! Clones share their rows, so the same memory can be opened again after its store was dropped.
//! Media are files all the same, because what uploads them reads files; they lie in a temporary
//! directory that the last clone removes.

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    ops::{Bound, ControlFlow},
    path::PathBuf,
    process,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
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
    media: Option<Scratch>,
}

struct Scratch(PathBuf);

/// Tells the directories of one process apart.
static SCRATCHES: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    fn new() -> Result<Scratch, Error> {
        let number = SCRATCHES.fetch_add(1, Relaxed);
        let name = format!("fanfare-media-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path)
            .map_err(|source| Error::disk("create the temporary directory", &path, &source))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left is the system's to clean up, as all that is temporary.
        let _ = fs::remove_dir_all(&self.0);
    }
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

    /// All that a thief of the store would have, for tests that look for what must not be in it.
    pub fn copy(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.lock().rows.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Made when it is first asked for.
    pub(super) fn media(&self) -> Result<PathBuf, Error> {
        let mut held = self.lock();
        if let Some(scratch) = &held.media {
            return Ok(scratch.0.clone());
        }
        let scratch = Scratch::new()?;
        Ok(held.media.insert(scratch).0.clone())
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
