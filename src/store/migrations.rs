//! Brings an older store to the version that this program knows, step by numbered step.
//!
//! Invariants:
//! - before the first step the whole store is copied;
//! - a step may be cut short between any two of its batches and is then run again, so it leaves
//!   alone what it finds already done;
//! - the version is raised after a step, in a batch of its own, once the step is on the disk.

use crate::store::{
    directory::Directory,
    error::Error,
    keys::Key,
    shelf::{Shelf, Write},
};

/// What this program writes.
pub(super) const VERSION: u32 = 1;

pub(super) struct Step {
    pub(super) to: u32,
    pub(super) run: fn(&Shelf) -> Result<(), Error>,
}

/// In order, without gaps, ending in [`VERSION`]. Version 1 is the first that was ever released.
pub(super) const STEPS: &[Step] = &[];

pub(super) fn version_key() -> Key {
    Key::Meta { name: "version".to_owned() }
}

/// `name` tells this copy from those of other times.
pub(super) fn migrate(
    shelf: &Shelf,
    found: u32,
    steps: &[Step],
    directory: Option<&Directory>,
    name: &str,
) -> Result<(), Error> {
    let mut due = steps.iter().filter(|step| step.to > found).peekable();
    if let (Some(_), Some(directory)) = (due.peek(), directory) {
        let copy = directory.copy_store(name)?;
        let copy = copy.display();
        tracing::info!(%copy, from = found, "copied the store before upgrading it");
    }
    for step in due {
        (step.run)(shelf)?;
        shelf.sync()?;
        let value = Some(step.to.to_be_bytes().to_vec());
        let write = Write { value, stale: 0 };
        shelf.apply(std::iter::once((version_key().encode(), write)))?;
        shelf.sync()?;
        tracing::info!(version = step.to, "upgraded the store");
    }
    Ok(())
}
