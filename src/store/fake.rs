//! Rows in memory whose disk does as a test says.

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::store::{
    Store,
    error::Error,
    kv::{Kv, Order, Row, Visit},
    media::MediaFiles,
    memory::Memory,
    migrations::STEPS,
    opening::begin,
    vault::{MasterKey, Vault},
};

#[derive(Default)]
pub(super) struct Disk {
    pub(super) memory: Memory,
    pub(super) syncs: AtomicU64,
    pub(super) batches: AtomicU64,
    mood: Mutex<Mood>,
    changed: Condvar,
}

#[derive(Default)]
struct Mood {
    held: bool,
    failing_sync: Option<Error>,
    failing_apply: Option<Error>,
}

impl Disk {
    /// Syncs wait from now on.
    pub(super) fn hold(&self) {
        self.mood.lock().unwrap().held = true;
    }

    pub(super) fn release(&self) {
        self.mood.lock().unwrap().held = false;
        self.changed.notify_all();
    }

    pub(super) fn fail_sync(&self, error: Option<Error>) {
        self.mood.lock().unwrap().failing_sync = error;
    }

    pub(super) fn fail_apply(&self, error: Error) {
        self.mood.lock().unwrap().failing_apply = Some(error);
    }
}

impl Kv for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.memory.get(key)
    }

    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        self.memory.scan(from, until, order, visit)
    }

    fn apply(&self, rows: Vec<Row>) -> Result<(), Error> {
        if let Some(error) = self.mood.lock().unwrap().failing_apply.clone() {
            return Err(error);
        }
        self.batches.fetch_add(1, SeqCst);
        self.memory.apply(rows)
    }

    fn sync(&self) -> Result<(), Error> {
        let mood = self.mood.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(mood, Duration::from_secs(20), |mood| mood.held)
            .unwrap();
        assert!(!waited.1.timed_out(), "a test held the disk and did not release it");
        if let Some(error) = waited.0.failing_sync.clone() {
            return Err(error);
        }
        self.syncs.fetch_add(1, SeqCst);
        self.memory.sync()
    }
}

pub(super) fn store_on(disk: &Arc<Disk>) -> Store {
    let vault = Vault::new(MasterKey::from_bytes([1; 32]), Vec::new());
    let begun = begin(disk.clone(), &vault, None, STEPS).unwrap();
    let media = MediaFiles::in_directory(disk.memory.media().unwrap()).unwrap();
    Store::start(begun, vault, media, None, Default::default()).unwrap().store
}
