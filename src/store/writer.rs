//! The one thread that changes the store.
//!
//! Invariants:
//! - closures run one after the other, each on what the ones before it left;
//! - each is applied as one batch, or not at all: it refused, it panicked, or the store has stopped;
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
    store::{
        error::Error,
        kv::panic_text,
        shelf::Shelf,
        vault::Vault,
        view::{Told, View},
    },
};

/// How many commits wait at most. A full queue is answered at the door, not with memory.
pub(super) const QUEUE_MAX: usize = 2_048;

/// At most so many commits, or so many written values, share one sync. Values stand for time, a
/// millisecond or two of it, without a clock: who came first should not wait for many more.
const GROUP_MAX: usize = 512;
const GROUP_WRITES_MAX: usize = 512;

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

/// Jobs that share one sync.
#[derive(Default)]
struct Group {
    jobs: Vec<Box<dyn Job>>,
    writes: usize,
    told: Option<Told>,
}

impl Group {
    fn has_room(&self) -> bool {
        self.jobs.len() < GROUP_MAX && self.writes < GROUP_WRITES_MAX
    }
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
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut group = Group::default();
            let mut next = Some(first);
            let mut outcome = Ok(());
            while let Some(job) = next.take() {
                outcome = self.take(job, &mut group);
                if outcome.is_ok() && group.has_room() {
                    next = self.queue.try_recv().ok();
                }
            }
            let outcome = outcome.and_then(|()| self.confirm(&group));
            for job in group.jobs {
                job.answer(outcome.clone());
            }
            if let Err(cause) = outcome {
                return self.refuse_everything(&cause);
            }
        }
    }

    fn take(&mut self, mut job: Box<dyn Job>, group: &mut Group) -> Result<(), Error> {
        if self.mortality.is_dead() {
            group.jobs.push(job);
            return Err(died());
        }
        let ran = job.run(&mut self.view);
        group.jobs.push(job);
        if ran == Ran::Refused || self.view.is_unchanged() {
            self.view.forget();
            return Ok(());
        }
        if self.mortality.commit() == Life::Dead {
            return Err(died());
        }
        group.writes += self.view.writes();
        let told = self.view.apply().map_err(Error::stopped)?;
        group.told = Some(group.told.map_or(told, |before| before.and(told)));
        Ok(())
    }

    fn confirm(&self, group: &Group) -> Result<(), Error> {
        let Some(told) = group.told else { return Ok(()) };
        self.shelf.sync().map_err(Error::stopped)?;
        if told == Told::Events {
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
