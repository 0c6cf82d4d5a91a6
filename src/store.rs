//! The store: one sled tree behind one writer thread, sealed secrets, media files.
//!
//! Invariants:
//! - every change is a [`Store::commit`]; it is atomic, and on the disk before it is answered;
//! - what one organization's [`Tenant`] reads is that organization's, by construction;
//! - once writing has failed, nothing is written any more.

mod audit;
mod changes;
mod directory;
#[cfg(test)]
mod drills;
mod erasing;
mod error;
#[cfg(test)]
mod fake;
mod keys;
mod kv;
mod media;
mod memory;
mod migrations;
mod opening;
mod people;
mod read;
mod records;
mod resealing;
mod shelf;
mod tenant;
mod vault;
mod view;
mod writer;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::{ids::OrganizationId, mortality::Mortality, secret::Secret};

use self::{
    directory::Directory,
    kv::Sled,
    migrations::{STEPS, Step},
    opening::{Begun, begin, checkpoint_key},
    shelf::Shelf,
    writer::{Answer, Commit, Job, QUEUE_MAX, Signals, Writer},
};
pub use self::{
    error::Error,
    keys::{INSTANCE, Key, LanePlace, Owner, Span, Table, Timer},
    kv::Order,
    media::{Incoming, Kept, MediaFile, MediaFiles},
    memory::Memory,
    people::ReadPeople,
    read::Read,
    resealing::{Look, Sealed},
    tenant::Tenant,
    vault::{KeyRing, MasterKey, SealedWith, Vault},
    view::View,
    writer::CommitError,
};

#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory; made if it is missing.
    pub directory: PathBuf,
    /// How much of the store is kept in memory, as counted on the disk. See [`CACHE_BYTES`].
    pub cache_bytes: u64,
    /// With the keys that sealed what is still in the store, until it is sealed anew.
    pub vault_keys: KeyRing,
    pub mortality: Mortality,
}

/// The default for [`Settings::cache_bytes`].
pub const CACHE_BYTES: u64 = 64 << 20;

#[derive(Clone)]
pub struct Opened {
    pub store: Store,
    /// Greater than that of every opening before. What was begun under another one was interrupted.
    pub epoch: u64,
}

/// Cheap to clone. The writer ends when the last clone is dropped.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    shelf: Shelf,
    vault: Arc<Vault>,
    media: MediaFiles,
    directory: Option<Mutex<Directory>>,
    signals: Arc<Signals>,
    /// Present until the store is dropped.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// May take a second or two and waits for the disk: call it from where blocking is allowed.
    pub fn open(settings: Settings) -> Result<Opened, Error> {
        Store::open_with(settings, STEPS)
    }

    /// Rows live in `memory`, and media as long as it; both can be opened again from a clone of it.
    pub fn in_memory(
        memory: Memory,
        vault_key: MasterKey,
        mortality: Mortality,
    ) -> Result<Opened, Error> {
        let vault = Vault::new(vault_key, Vec::new());
        let media = MediaFiles::in_directory(memory.media()?)?;
        let begun = begin(Arc::new(memory), &vault, None, STEPS)?;
        Store::start(begun, vault, media, None, mortality)
    }

    fn open_with(settings: Settings, steps: &[Step]) -> Result<Opened, Error> {
        let directory = Directory::take(&settings.directory)?;
        let kv = Arc::new(Sled::open(&directory.store(), settings.cache_bytes)?);
        let KeyRing { current, retired } = settings.vault_keys;
        let vault = Vault::new(current, retired);
        let begun = begin(kv, &vault, Some(&directory), steps)?;
        let media = MediaFiles::in_directory(directory.media())?;
        Store::start(begun, vault, media, Some(directory), settings.mortality)
    }

    /// Runs `change` on the writer, and answers when what it wrote is on the disk. Waits for room
    /// in the queue. If it returns `Err`, or panics, nothing is changed.
    ///
    /// `change` runs between everybody else's: it must not wait for anything.
    pub async fn commit<T, E, F>(&self, label: &'static str, change: F) -> Answer<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut View) -> Result<T, E> + Send + 'static,
    {
        let (job, answer) = Commit::new(label, change);
        match self.queue().send(Box::new(job)).await {
            Ok(()) => self.answered(answer).await,
            Err(_) => Err(CommitError::Stopped(self.cause())),
        }
    }

    /// Like [`Store::commit`], but says [`CommitError::Busy`] at once when the queue is full.
    pub async fn try_commit<T, E, F>(&self, label: &'static str, change: F) -> Answer<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut View) -> Result<T, E> + Send + 'static,
    {
        let (job, answer) = Commit::new(label, change);
        match self.queue().try_send(Box::new(job)) {
            Ok(()) => self.answered(answer).await,
            Err(mpsc::error::TrySendError::Full(_)) => Err(CommitError::Busy),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(CommitError::Stopped(self.cause())),
        }
    }

    /// Grows with every sync that put new events on the disk.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.signals.changed.subscribe()
    }

    /// `Some` once the store has stopped for good; the engine should then stop with this sentence.
    pub fn stopped(&self) -> watch::Receiver<Option<Error>> {
        self.0.signals.stopped.subscribe()
    }

    /// Notes outside of the store how far it has come, so that a lost or older one is noticed when
    /// it is opened. Call it every hour or so, and as the last thing before a clean end.
    pub async fn checkpoint(&self) -> Result<(), CommitError<Error>> {
        let reached = self
            .commit("checkpoint", |view| {
                let key = checkpoint_key();
                let last = read::number(&key, &view.get(&key)?.unwrap_or_default())?;
                view.put(&key, (last + 1).to_be_bytes().to_vec())?;
                Ok(last + 1)
            })
            .await?;
        let shared = self.0.clone();
        let noted = tokio::task::spawn_blocking(move || match &shared.directory {
            Some(directory) => {
                directory.lock().unwrap_or_else(PoisonError::into_inner).reached(reached)
            }
            None => Ok(()),
        });
        match noted.await {
            Ok(noted) => noted.map_err(CommitError::Refused),
            Err(_) => Err(CommitError::Stopped(Error::stopped("the runtime is ending"))),
        }
    }

    /// The only way for API and pages to reach records.
    pub fn organization(&self, id: OrganizationId) -> Tenant {
        Tenant::new(self.clone(), id)
    }

    /// For the engine alone: no [`Tenant`] can do this.
    pub fn secret(
        &self,
        organization: OrganizationId,
        owner: &Owner,
        field: &str,
    ) -> Result<Option<Secret>, Error> {
        changes::secret(self, self.vault(), organization, owner, field)
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.0.vault
    }

    pub fn media_files(&self) -> &MediaFiles {
        &self.0.media
    }

    fn start(
        begun: Begun,
        vault: Vault,
        media: MediaFiles,
        directory: Option<Directory>,
        mortality: Mortality,
    ) -> Result<Opened, Error> {
        let Begun { shelf, epoch } = begun;
        let vault = Arc::new(vault);
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let signals =
            Arc::new(Signals { changed: watch::Sender::new(0), stopped: watch::Sender::new(None) });
        let writer = Writer::new(jobs, shelf.clone(), vault.clone(), mortality, signals.clone());
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run_to_the_end())
            .map_err(|source| Error::stopped(format!("no thread for its writer: {source}")))?;
        let store = Store(Arc::new(Shared {
            shelf,
            vault,
            media,
            directory: directory.map(Mutex::new),
            signals,
            queue: Some(queue),
            writer: Some(writer),
        }));
        Ok(Opened { store, epoch })
    }

    /// How many commits wait for the writer.
    pub fn queued(&self) -> usize {
        self.queue().max_capacity() - self.queue().capacity()
    }

    fn queue(&self) -> &mpsc::Sender<Box<dyn Job>> {
        self.0.queue.as_ref().expect("the queue is there until the store is dropped")
    }

    async fn answered<T, E>(&self, answer: oneshot::Receiver<Answer<T, E>>) -> Answer<T, E> {
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(CommitError::Stopped(self.cause())),
        }
    }

    fn cause(&self) -> Error {
        let known = self.0.signals.stopped.borrow().clone();
        known.unwrap_or_else(|| Error::stopped("its writer has ended"))
    }
}

/// Reads what was committed; what is read may still be on its way to the disk.
impl Read for Store {
    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        Read::get(&self.0.shelf, key)
    }

    fn scan(&self, span: &Span, order: Order, limit: usize) -> Result<Vec<(Key, Vec<u8>)>, Error> {
        Read::scan(&self.0.shelf, span, order, limit)
    }
}

impl Drop for Shared {
    /// Waits until what was queued is written, so that the same directory can be opened again.
    fn drop(&mut self) {
        drop(self.queue.take());
        let Some(writer) = self.writer.take() else { return };
        // A commit may own the last clone; the writer cannot wait for itself.
        if writer.thread().id() != thread::current().id() {
            // Its panics are already caught, one by one.
            let _ = writer.join();
        }
    }
}
