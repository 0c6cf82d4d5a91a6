//! The store: one sled tree behind one writer thread, sealed secrets, media files.
//!
//! Invariants:
//! - every change is a [`Store::commit`]; it is atomic, and it is on the disk before it is answered;
//! - what one organization's [`Tenant`] reads is that organization's, by construction;
//! - once writing has failed, nothing is written any more.

mod error;
mod keys;
mod kv;
mod memory;
mod shelf;
mod view;
mod writer;

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::domain::mortality::Mortality;

pub use self::{
    error::Error,
    keys::{INSTANCE, Key, Owner, Span, Table},
    kv::Order,
    memory::Memory,
    view::{Read, View},
    writer::CommitError,
};
use self::{
    kv::Kv,
    shelf::Shelf,
    writer::{Answer, Commit, Job, QUEUE_MAX, Signals, Writer},
};

/// Cheap to clone. The writer ends when the last clone is dropped.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    shelf: Shelf,
    signals: Arc<Signals>,
    /// Present until the store is dropped.
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Runs `change` on the writer, and answers when what it wrote is on the disk. Waits for room in
    /// the queue. If it returns `Err`, or panics, nothing is changed.
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

    fn start(kv: Arc<dyn Kv>, mortality: Mortality) -> Result<Store, Error> {
        let shelf = Shelf::new(kv);
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let signals =
            Arc::new(Signals { changed: watch::Sender::new(0), stopped: watch::Sender::new(None) });
        let writer = Writer::new(jobs, shelf.clone(), mortality, signals.clone());
        let writer = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| Error::stopped(format!("no thread for its writer: {source}")))?;
        Ok(Store(Arc::new(Shared { shelf, signals, queue: Some(queue), writer: Some(writer) })))
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
