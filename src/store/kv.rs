//! Ordered rows of bytes: the boundary to whatever keeps them, and sled behind it.
//!
//! Invariants:
//! - nobody else names sled;
//! - [`Kv::sync`] returns only when everything that was applied is on the disk: sled's own flush
//!   ends in `sync_file_range`, which promises nothing, so we sync the file ourselves;
//! - a panic inside sled is an error outside of it;
//! - rows are at most [`ROW_MAX`] long: larger ones would end up in files that sled never syncs.

use std::{
    any::Any,
    fs::{File, TryLockError},
    io,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::store::error::Error;

pub(super) const ROW_MAX: usize = 4096;

/// With smaller segments, pages of long rows become separate files that are never synced.
const SEGMENT_BYTES: usize = 8 << 20;

/// Five seconds in all.
const LOCK_TRIES_MAX: u32 = 2_500;
const LOCK_PAUSE: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Ascending,
    Descending,
}

/// One row to be written; `None` deletes it.
pub(super) type Row = (Vec<u8>, Option<Vec<u8>>);

/// Is given each row in turn, and says when it has seen enough.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

pub(super) trait Kv: Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// Visits what is at or after `from` and before `until`.
    fn scan(
        &self,
        from: &[u8],
        until: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error>;

    /// All rows or none of them survive. Durable only after [`Kv::sync`].
    fn apply(&self, rows: Vec<Row>) -> Result<(), Error>;

    fn sync(&self) -> Result<(), Error>;
}

pub(super) struct Sled {
    tree: sled::Db,
    /// Our own handle of sled's file. Opened once: a handle that is opened later may miss an error
    /// that the system has already reported to another one.
    file: File,
    path: PathBuf,
}

impl Sled {
    /// The directory must exist. What it holds afterwards is empty or was recovered.
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Sled, Error> {
        let config = sled::Config::new()
            .path(path)
            .flush_every_ms(None)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(cache_bytes);
        let database = path.join("db");
        wait_for_the_last_user(path, &database)?;
        let tree = guarded(path, "open the store in", || config.open())?;
        // The name of the file must be on disk before its content is relied on.
        sync_directory(path)?;
        let file = File::options()
            .read(true)
            .write(true)
            .open(&database)
            .map_err(|source| Error::disk("open", &database, &source))?;
        let store = Sled { tree, file, path: path.to_owned() };
        store.sync()?;
        Ok(store)
    }
}

impl Kv for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        guarded(&self.path, "read from the store in", || self.tree.get(key))
            .map(|found| found.map(|row| row.to_vec()))
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
        guarded(&self.path, "read from the store in", || {
            let mut rows = self.tree.range(from..until);
            loop {
                let next = match order {
                    Order::Ascending => rows.next(),
                    Order::Descending => rows.next_back(),
                };
                let Some(row) = next else { return Ok(()) };
                let (key, value) = row?;
                if visit(&key, &value).is_break() {
                    return Ok(());
                }
            }
        })
    }

    fn apply(&self, rows: Vec<Row>) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        guarded(&self.path, "write to the store in", || self.tree.apply_batch(batch))
    }

    fn sync(&self) -> Result<(), Error> {
        guarded(&self.path, "flush the store in", || self.tree.flush())?;
        self.file.sync_data().map_err(|source| Error::disk("sync", &self.path, &source))
    }
}

/// sled's threads may hold its file, and the lock on it, for a moment after the store was dropped.
/// sled itself would call that a failure of the disk.
fn wait_for_the_last_user(path: &Path, database: &Path) -> Result<(), Error> {
    let file = match File::open(database) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::disk("open", database, &source)),
    };
    for _ in 0..LOCK_TRIES_MAX {
        match file.try_lock() {
            // Let go again at once, when `file` is dropped: sled takes it for itself.
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => {
                return Err(Error::disk("lock", database, &source));
            }
        }
    }
    Err(Error::InUse { directory: path.to_owned() })
}

/// Names of files are kept by their directory, which has to be synced by itself.
pub(super) fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| Error::disk("sync the directory", path, &source))
}

/// sled panics on some kinds of damage, at open and while reading.
fn guarded<T>(
    path: &Path,
    doing: &'static str,
    work: impl FnOnce() -> sled::Result<T>,
) -> Result<T, Error> {
    // Nothing of ours is changed inside, and after an error from writing nobody writes again.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(source))) if is_about_the_file(&source) => {
            Err(Error::disk(doing, path, &source))
        }
        Ok(Err(other)) => Err(Error::damaged(path, other)),
        Err(panic) => Err(Error::damaged(path, panic_text(&*panic))),
    }
}

/// sled tells of lengths and contents that cannot be by kinds that no system call returns.
fn is_about_the_file(source: &io::Error) -> bool {
    !matches!(
        source.kind(),
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned())
}
