//! A death that a test can schedule: right before one commit, or right before one send.
//!
//! Shared by the store and the network, so that "kill it at every line" is a loop over two numbers.
//! Invariant: what is dead stays dead, and neither commits nor sends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

/// The default never dies. Clones share one fate.
#[derive(Clone, Debug, Default)]
pub struct Mortality(Arc<Fate>);

#[derive(Debug)]
struct Fate {
    commits: AtomicU64,
    sends: AtomicU64,
    last_commit: AtomicU64,
    last_send: AtomicU64,
    dead: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Alive,
    Dead,
}

/// How often each was asked for, including the time that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub commits: u64,
    pub sends: u64,
}

impl Default for Fate {
    fn default() -> Fate {
        Fate {
            commits: AtomicU64::new(0),
            sends: AtomicU64::new(0),
            last_commit: AtomicU64::new(u64::MAX),
            last_send: AtomicU64::new(u64::MAX),
            dead: AtomicBool::new(false),
        }
    }
}

impl Mortality {
    /// Asked right before a commit is applied.
    pub fn commit(&self) -> Life {
        self.reach(&self.0.commits, &self.0.last_commit)
    }

    /// Asked right before a request leaves.
    pub fn send(&self) -> Life {
        self.reach(&self.0.sends, &self.0.last_send)
    }

    pub fn counts(&self) -> Counts {
        Counts { commits: self.0.commits.load(Relaxed), sends: self.0.sends.load(Relaxed) }
    }

    /// Die right before the `number`th commit from the beginning, counted from 1.
    pub fn die_at_commit(&self, number: u64) {
        self.0.last_commit.store(number, Relaxed);
    }

    /// Die right before the `number`th send from the beginning, counted from 1.
    pub fn die_at_send(&self, number: u64) {
        self.0.last_send.store(number, Relaxed);
    }

    pub fn is_dead(&self) -> bool {
        self.0.dead.load(Relaxed)
    }

    fn reach(&self, count: &AtomicU64, last: &AtomicU64) -> Life {
        let number = count.fetch_add(1, Relaxed) + 1;
        if number >= last.load(Relaxed) {
            self.0.dead.store(true, Relaxed);
        }
        if self.is_dead() { Life::Dead } else { Life::Alive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_never_dies_and_counts() {
        let mortality = Mortality::default();
        for _ in 0..3 {
            assert_eq!(mortality.commit(), Life::Alive);
        }
        assert_eq!(mortality.send(), Life::Alive);
        assert_eq!(mortality.counts(), Counts { commits: 3, sends: 1 });
    }

    #[test]
    fn what_died_at_a_commit_neither_commits_nor_sends_again() {
        let mortality = Mortality::default();
        mortality.die_at_commit(2);
        let shared = mortality.clone();
        assert_eq!(mortality.commit(), Life::Alive);
        assert!(!shared.is_dead());
        assert_eq!(mortality.commit(), Life::Dead);
        assert_eq!(shared.send(), Life::Dead);
        assert_eq!(shared.commit(), Life::Dead);
        assert!(shared.is_dead());
    }
}
