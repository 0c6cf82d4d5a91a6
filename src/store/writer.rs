//! The one thread that changes the store.
//!
//! Invariants:
//! - closures run one after the other, each on what the ones before it left;
//! - each is applied as a whole, in one batch with its neighbours, or not at all: it refused, it
//!   panicked, or the store has stopped;
//! - nobody is answered before what they wrote is on the disk. Who only read is answered then too,
//!   because they may have read what is still on its way there;
//! - an error while writing stops the store for good: after a failed sync the system may have
//!   dropped what it could not write, so trying again would confirm what is lost.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    domain::mortality::{Life, Mortality},
    store::{error::Error, kv::panic_text, shelf::Shelf, vault::Vault, view::View},
};

/// How many commits wait at most. A full queue is answered at the door, not with memory.
pub(super) const QUEUE_MAX: usize = 2_048;

/// At most so many commits, or about so many rows, share one batch and its sync. Rows stand for the
/// time that a batch takes, a few milliseconds, without a clock. And much larger batches would make
/// sled's memory grow without bound, while one for each commit costs it two writes to the log.
const GROUP_MAX: usize = 512;
const ROWS_MAX: usize = 384;

#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// What the closure itself said; nothing was changed.
    #[error("{0}")]
    Refused(E),
    /// The queue is full; nothing was changed.
    #[error("more changes are waiting than can be taken in: try again in a second")]
    Busy,
    /// Nothing was changed. Our bug, and no reason to stop.
    #[error("the commit `{label}` panicked and was not applied: {cause}")]
    Panicked { label: &'static str, cause: Arc<str> },
    /// Whether it was applied is unknown, except that it was not confirmed.
    #[error("{0}")]
    Stopped(Error),
}

/// A closure on its way through the writer, whatever it returns.
pub(super) trait Job: Send {
    fn run(&mut self, view: &mut View) -> Ran;
    fn answer(self: Box<Self>, outcome: Result<(), Error>);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Accepted,
    Refused,
}

pub(super) type Answer<T, E> = Result<T, CommitError<E>>;

pub(super) struct Commit<T, E, F> {
    label: &'static str,
    work: Option<F>,
    result: Option<Answer<T, E>>,
    reply: oneshot::Sender<Answer<T, E>>,
}

impl<T, E, F> Commit<T, E, F>
where
    F: FnOnce(&mut View) -> Result<T, E>,
{
    pub(super) fn new(label: &'static str, work: F) -> (Self, oneshot::Receiver<Answer<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (Commit { label, work: Some(work), result: None, reply }, answer)
    }
}

impl<T, E, F> Job for Commit<T, E, F>
where
    T: Send,
    E: Send,
    F: FnOnce(&mut View) -> Result<T, E> + Send,
{
    fn run(&mut self, view: &mut View) -> Ran {
        let work = self.work.take().expect("each job runs once");
        // What a panic leaves half-done is in the view only, and is forgotten with it.
        let (result, ran) = match catch_unwind(AssertUnwindSafe(|| work(view))) {
            Ok(Ok(value)) => (Ok(value), Ran::Accepted),
            Ok(Err(refusal)) => (Err(CommitError::Refused(refusal)), Ran::Refused),
            Err(panic) => {
                let cause = panic_text(&*panic).into();
                (Err(CommitError::Panicked { label: self.label, cause }), Ran::Refused)
            }
        };
        self.result = Some(result);
        ran
    }

    fn answer(self: Box<Self>, outcome: Result<(), Error>) {
        let answer = match outcome {
            Ok(()) => self.result.expect("a job runs before it is answered"),
            Err(stopped) => Err(CommitError::Stopped(stopped)),
        };
        // The asker may have stopped waiting. The commit stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// What others may watch.
pub(super) struct Signals {
    pub(super) changed: watch::Sender<u64>,
    pub(super) stopped: watch::Sender<Option<Error>>,
}

pub(super) struct Writer {
    queue: mpsc::Receiver<Box<dyn Job>>,
    view: View,
    shelf: Shelf,
    mortality: Mortality,
    signals: Arc<Signals>,
}

impl Writer {
    pub(super) fn new(
        queue: mpsc::Receiver<Box<dyn Job>>,
        shelf: Shelf,
        vault: Arc<Vault>,
        mortality: Mortality,
        signals: Arc<Signals>,
    ) -> Writer {
        Writer { queue, view: View::new(shelf.clone(), vault), shelf, mortality, signals }
    }

    /// Returns when nobody can send any more.
    pub(super) fn run_to_the_end(self) {
        let signals = self.signals.clone();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.run())) {
            let cause = format!("its writer panicked: {}", panic_text(&*panic));
            signals.stopped.send_replace(Some(Error::stopped(cause)));
        }
    }

    fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut group = Vec::new();
            let gathered = self.gather(first, &mut group);
            let outcome = gathered.and_then(|()| self.confirm());
            for job in group {
                job.answer(outcome.clone());
            }
            if let Err(cause) = outcome {
                return self.refuse_everything(&cause);
            }
        }
    }

    /// Runs what is waiting, and waits for nobody.
    fn gather(&mut self, first: Box<dyn Job>, group: &mut Vec<Box<dyn Job>>) -> Result<(), Error> {
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            if self.mortality.is_dead() {
                group.push(job);
                return Err(died());
            }
            self.view.comes_from(None);
            let ran = job.run(&mut self.view);
            group.push(job);
            if ran == Ran::Refused {
                self.view.undo();
            } else if !self.view.is_unchanged() {
                if self.mortality.commit() == Life::Dead {
                    return Err(died());
                }
                self.view.keep();
            }
            if group.len() < GROUP_MAX && self.view.size().rows < ROWS_MAX {
                next = self.queue.try_recv().ok();
            }
        }
        Ok(())
    }

    fn confirm(&mut self) -> Result<(), Error> {
        let size = self.view.size();
        if size.rows == 0 {
            return Ok(());
        }
        self.view.apply().map_err(Error::stopped)?;
        self.shelf.sync().map_err(Error::stopped)?;
        if size.events > 0 {
            self.signals.changed.send_modify(|times| *times += 1);
        }
        Ok(())
    }

    fn refuse_everything(mut self, cause: &Error) {
        self.signals.stopped.send_replace(Some(cause.clone()));
        while let Some(job) = self.queue.blocking_recv() {
            job.answer(Err(cause.clone()));
        }
    }
}

fn died() -> Error {
    Error::stopped("the process was told to die here")
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        sync::{Barrier, atomic::Ordering::SeqCst},
        task::{Context, Poll, Waker},
    };

    use super::*;
    use crate::{
        domain::ids::OrganizationId,
        store::{
            Key, Memory, Order, Read, Span, Store, Table,
            fake::{Disk, store_on},
            vault::MasterKey,
        },
    };

    fn key(number: u128) -> Key {
        Key::Organization(OrganizationId(number))
    }

    async fn put(store: &Store, number: u128) -> Answer<(), Error> {
        store.commit("put", move |view| view.put(&key(number), vec![1])).await
    }

    /// Starts a future without waiting for it.
    fn begin<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// The writer is inside this commit until the returned barrier is met once more.
    async fn occupied(store: &Store) -> (Arc<Barrier>, tokio::task::JoinHandle<Answer<(), Error>>) {
        let barrier = Arc::new(Barrier::new(2));
        let (inside, store) = (barrier.clone(), store.clone());
        let task = tokio::spawn(async move {
            store
                .commit("occupy", move |_| {
                    inside.wait();
                    inside.wait();
                    Ok(())
                })
                .await
        });
        let entered = barrier.clone();
        tokio::task::spawn_blocking(move || entered.wait()).await.unwrap();
        (barrier, task)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn commit_is_answered_only_after_its_sync() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let synced = disk.syncs.load(SeqCst);
        disk.hold();
        let mut answer = pin!(put(&store, 1));
        assert!(begin(answer.as_mut()).is_pending());
        while Read::get(&store, &key(1)).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(begin(answer.as_mut()).is_pending(), "applied, and not yet on the disk");
        disk.release();
        answer.await.unwrap();
        assert_eq!(disk.syncs.load(SeqCst), synced + 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn commits_that_wait_together_share_one_batch_and_one_sync() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let (barrier, occupation) = occupied(&store).await;
        let (syncs, batches) = (disk.syncs.load(SeqCst), disk.batches.load(SeqCst));
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { put(&store, number).await })
            })
            .collect();
        while store.queued() < 100 {
            tokio::task::yield_now().await;
        }
        tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        occupation.await.unwrap().unwrap();
        assert_eq!(disk.syncs.load(SeqCst), syncs + 1);
        assert_eq!(disk.batches.load(SeqCst), batches + 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn reading_alone_needs_no_sync() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let syncs = disk.syncs.load(SeqCst);
        store.commit("read", |view| view.get(&key(1)).map(|_| ())).await.unwrap();
        assert_eq!(disk.syncs.load(SeqCst), syncs);
    }

    #[tokio::test]
    async fn refused_or_panicking_closure_changes_nothing_and_stops_nobody() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let rows = disk.memory.rows();
        let refused: Answer<(), &str> = store
            .commit("refuse", |view| {
                view.put(&key(1), vec![1]).unwrap();
                Err("no")
            })
            .await;
        assert!(matches!(refused, Err(CommitError::Refused("no"))));
        let panicked: Answer<(), Error> = store
            .commit("panic", |view| {
                view.put(&key(2), vec![1])?;
                panic!("a bug of ours")
            })
            .await;
        let text = panicked.unwrap_err().to_string();
        assert!(text.contains("`panic`") && text.contains("a bug of ours"), "{text}");
        assert_eq!(disk.memory.rows(), rows);
        put(&store, 3).await.unwrap();
        assert_eq!(disk.memory.rows(), rows + 1);
    }

    #[tokio::test]
    async fn closure_reads_its_own_writes_in_scans_too() {
        let memory = Memory::default();
        let store = Store::in_memory(memory, MasterKey::from_bytes([1; 32]), Mortality::default())
            .unwrap()
            .store;
        store
            .commit("before", |view| (1..=5).try_for_each(|number| view.put(&key(number), vec![0])))
            .await
            .unwrap();
        store
            .commit("within", |view| {
                view.delete(&key(1))?;
                view.put(&key(3), vec![3])?;
                view.put(&key(6), vec![6])?;
                view.delete(&key(5))?;
                assert_eq!(view.get(&key(1))?, None);
                assert_eq!(view.get(&key(3))?, Some(vec![3]));
                let span = Span::table(Table::Organizations);
                let numbers = |order, limit| {
                    let rows = view.scan(&span, order, limit).unwrap();
                    rows.into_iter().map(|(key, value)| (key, value[0])).collect::<Vec<_>>()
                };
                let all = [(key(2), 0), (key(3), 3), (key(4), 0), (key(6), 6)];
                assert_eq!(numbers(Order::Ascending, 9), all);
                assert_eq!(numbers(Order::Ascending, 2), all[..2]);
                assert_eq!(numbers(Order::Descending, 2), [(key(6), 6), (key(4), 0)]);
                assert_eq!(numbers(Order::Descending, 0), []);
                Ok::<_, Error>(())
            })
            .await
            .unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn refusal_undoes_its_own_writes_and_not_those_of_its_neighbours() {
        let store = store_on(&Arc::default());
        let (barrier, occupation) = occupied(&store).await;
        let put = |number, value, outcome: Result<(), ()>| {
            store.commit("overwrite", move |view| {
                view.put(&key(number), vec![value]).unwrap();
                view.put(&key(number), vec![value, value]).unwrap();
                view.delete(&key(number + 1)).unwrap();
                outcome
            })
        };
        let (mut first, mut second) = (pin!(put(1, 1, Ok(()))), pin!(put(1, 2, Err(()))));
        let mut third = pin!(put(0, 3, Err(())));
        assert!(begin(first.as_mut()).is_pending() && begin(second.as_mut()).is_pending());
        assert!(begin(third.as_mut()).is_pending());
        tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
        first.await.unwrap();
        second.await.unwrap_err();
        third.await.unwrap_err();
        occupation.await.unwrap().unwrap();
        let found = store.scan(&Span::table(Table::Organizations), Order::Ascending, 9);
        assert_eq!(found.unwrap(), [(key(1), vec![1, 1])]);
    }

    #[tokio::test]
    async fn failed_sync_stops_everything_for_good_with_its_cause() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let stopped = store.stopped();
        assert!(stopped.borrow().is_none());
        disk.fail_sync(Some(Error::Full { path: "/data".into() }));
        for number in [1, 2] {
            let error = put(&store, number).await.unwrap_err();
            assert!(matches!(error, CommitError::Stopped(_)));
            assert!(error.to_string().contains("/data is full: free some space"), "{error}");
            // The disk is well again, but what it dropped it will not tell.
            disk.fail_sync(None);
        }
        assert!(stopped.borrow().as_ref().unwrap().to_string().contains("is full"));
        assert_eq!(Read::get(&store, &key(2)).unwrap(), None);
    }

    #[tokio::test]
    async fn failed_write_stops_everything_and_leaves_no_part_of_its_batch() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        disk.fail_apply(Error::Full { path: "/data".into() });
        let error = put(&store, 1).await.unwrap_err().to_string();
        assert!(error.contains("nothing that was confirmed is lost"), "{error}");
        assert!(matches!(put(&store, 2).await, Err(CommitError::Stopped(_))));
        assert_eq!(Read::get(&store, &key(1)).unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn full_queue_is_busy_at_the_door_and_waits_inside() {
        let disk = Arc::new(Disk::default());
        let store = store_on(&disk);
        let (barrier, occupation) = occupied(&store).await;
        let mut waiting = Vec::new();
        for number in 0..QUEUE_MAX as u128 {
            let mut answer = Box::pin(put(&store, number));
            assert!(begin(answer.as_mut()).is_pending());
            waiting.push(answer);
        }
        let refused = store.try_commit("door", |view| view.put(&key(9_999), vec![1])).await;
        assert!(matches!(refused, Err(CommitError::Busy)));
        let patient = put(&store, 5_000);
        tokio::task::spawn_blocking(move || barrier.wait()).await.unwrap();
        patient.await.unwrap();
        for answer in waiting {
            answer.await.unwrap();
        }
        occupation.await.unwrap().unwrap();
        assert_eq!(Read::get(&store, &key(9_999)).unwrap(), None);
    }

    #[tokio::test]
    async fn death_at_a_commit_keeps_what_was_before_and_nothing_after() {
        let memory = Memory::default();
        let vault_key = MasterKey::from_bytes([1; 32]);
        let mortality = Mortality::mortal();
        mortality.die_at_commit(2);
        let first = Store::in_memory(memory.clone(), vault_key.clone(), mortality.clone()).unwrap();
        let store = first.store;
        put(&store, 1).await.unwrap();
        for number in [2, 3] {
            assert!(matches!(put(&store, number).await, Err(CommitError::Stopped(_))));
        }
        drop(store);
        let again = Store::in_memory(memory, vault_key, Mortality::default()).unwrap();
        assert_eq!(again.epoch, first.epoch + 1);
        let found = again.store.scan(&Span::table(Table::Organizations), Order::Ascending, 9);
        assert_eq!(found.unwrap(), [(key(1), vec![1])]);
    }

    #[tokio::test]
    async fn only_commits_with_events_wake_the_readers_of_events() {
        let store = store_on(&Arc::default());
        let changed = store.changed();
        put(&store, 1).await.unwrap();
        assert_eq!(*changed.borrow(), 0);
        let event = Key::Event { organization: OrganizationId(1), sequence: 1 };
        store.commit("tell", move |view| view.put(&event, vec![1])).await.unwrap();
        assert_eq!(*changed.borrow(), 1);
    }

    #[tokio::test]
    async fn dropping_the_last_clone_writes_what_was_queued() {
        let memory = Memory::default();
        let vault_key = MasterKey::from_bytes([1; 32]);
        let store = Store::in_memory(memory.clone(), vault_key, Mortality::default());
        let store = store.unwrap().store;
        for number in 0..50 {
            // On a busy machine the writer may be done with it before we look.
            let _ = begin(pin!(put(&store, number)));
        }
        drop(store);
        assert!(memory.rows() > 50);
    }
}
