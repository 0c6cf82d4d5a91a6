//! Lets a test kill the engine at an exact commit or send. In service it is immortal and costs one
//! relaxed load.
//!
//! Invariants:
//! - the commit that is the last is not applied, nor is any after it;
//! - the send before which it dies does not leave, nor does any after it;
//! - the send that is the last reaches its server, and its answer reaches nobody.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Shared by the store and the HTTP client of one engine.
#[derive(Clone, Debug, Default)]
pub struct Mortality(Option<Arc<Count>>);

#[derive(Debug, Default)]
struct Count {
    commits: AtomicU64,
    sends: AtomicU64,
    last_commit: AtomicU64,
    last_send: AtomicU64,
    unsent: AtomicU64,
    dead: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Alive,
    /// Do this one thing, then call [`Mortality::die`]: nobody will hear of it.
    Last,
    Dead,
}

impl Mortality {
    /// Counts, and dies only when told to.
    pub fn mortal() -> Mortality {
        Mortality(Some(Arc::new(Count::default())))
    }

    /// Commit number `n`, counted from 1, and all after it will not happen.
    pub fn die_at_commit(&self, n: u64) {
        if let Some(count) = &self.0 {
            count.last_commit.store(n, Ordering::Relaxed);
        }
    }

    /// Send number `n`, counted from 1, and all after it will not leave.
    pub fn die_before_send(&self, n: u64) {
        if let Some(count) = &self.0 {
            count.unsent.store(n, Ordering::Relaxed);
        }
    }

    /// Send number `n`, counted from 1, will be carried out and its answer dropped.
    pub fn die_at_send(&self, n: u64) {
        if let Some(count) = &self.0 {
            count.last_send.store(n, Ordering::Relaxed);
        }
    }

    /// To be asked before each commit is applied; never answers [`Life::Last`].
    pub fn commit(&self) -> Life {
        let Some(count) = &self.0 else { return Life::Alive };
        if self.is_dead() {
            return Life::Dead;
        }
        let n = count.commits.fetch_add(1, Ordering::Relaxed) + 1;
        if n == count.last_commit.load(Ordering::Relaxed) {
            self.die();
            return Life::Dead;
        }
        Life::Alive
    }

    /// To be asked before each request leaves.
    pub fn send(&self) -> Life {
        let Some(count) = &self.0 else { return Life::Alive };
        if self.is_dead() {
            return Life::Dead;
        }
        let n = count.sends.fetch_add(1, Ordering::Relaxed) + 1;
        if n == count.unsent.load(Ordering::Relaxed) {
            self.die();
            return Life::Dead;
        }
        if n == count.last_send.load(Ordering::Relaxed) { Life::Last } else { Life::Alive }
    }

    pub fn die(&self) {
        if let Some(count) = &self.0 {
            count.dead.store(true, Ordering::SeqCst);
        }
    }

    pub fn is_dead(&self) -> bool {
        self.0.as_ref().is_some_and(|count| count.dead.load(Ordering::SeqCst))
    }

    /// Commits and sends so far.
    pub fn counts(&self) -> (u64, u64) {
        match &self.0 {
            Some(count) => {
                (count.commits.load(Ordering::Relaxed), count.sends.load(Ordering::Relaxed))
            }
            None => (0, 0),
        }
    }
}
