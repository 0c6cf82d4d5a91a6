//! A chain of events, each of which is linked to the one before it.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// How far a chain has come, or what the oldest of its events is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Of an event; zero before the first.
    pub sequence: u64,
    /// Of that event.
    pub hash: Hash,
}

impl Mark {
    /// What the first event of an organization is linked to.
    pub const GENESIS: Mark = Mark { sequence: 0, hash: [0; 32] };
}

/// SHA-256 over the hash before and what an event says. None of the two can be changed without
/// changing this, and so every hash that comes after.
pub fn link(before: &Hash, statement: &str) -> Hash {
    Sha256::new().chain_update(before).chain_update(statement).finalize().into()
}

/// What is stored of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    Right(Mark),
    /// Written by an earlier version, which had no chain.
    Bare {
        sequence: u64,
    },
    /// Signed with no key of ours, or damaged.
    Wrong {
        sequence: u64,
    },
}

/// Where a chain begins (after that mark) and where it ends; `None` where nothing is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub anchor: Option<Signed>,
    pub head: Option<Signed>,
}
