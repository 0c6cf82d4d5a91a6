//! What happens between finding a store and using it: is it whole, is it ours, is it current.
//!
//! Invariants:
//! - nothing is changed before everything that can be refused has been looked at;
//! - each opening has an epoch of its own, on the disk before anybody learns it.

use std::sync::Arc;

use crate::store::{
    directory::Directory,
    error::Error,
    keys::{Key, Span},
    kv::{Kv, Order},
    migrations::{Step, VERSION, migrate, version_key},
    read,
    shelf::{Shelf, Write},
    vault::Vault,
};

pub(super) struct Begun {
    pub(super) shelf: Shelf,
    pub(super) epoch: u64,
}

/// What the store says of itself; `None` for one that is empty.
struct Found {
    version: u32,
    epoch: u64,
    checkpoint: u64,
}

pub(super) fn begin(
    kv: Arc<dyn Kv>,
    vault: &Vault,
    directory: Option<&Directory>,
    steps: &[Step],
) -> Result<Begun, Error> {
    let shelf = Shelf::new(kv);
    let found = look(&shelf, vault, directory)?;
    refuse_what_was_lost(found.as_ref(), directory)?;
    if let Some(found) = &found {
        let name = format!("version-{}-checkpoint-{}", found.version, found.checkpoint);
        migrate(&shelf, found.version, steps, directory, &name)?;
    }
    let epoch = found.as_ref().map_or(0, |found| found.epoch) + 1;
    let checkpoint = found.as_ref().map_or(0, |found| found.checkpoint) + 1;
    let mut rows = vec![
        (epoch_key(), epoch.to_be_bytes().to_vec()),
        (checkpoint_key(), checkpoint.to_be_bytes().to_vec()),
    ];
    // What a retired key has sealed needs that key until it is sealed anew, and so does the store.
    if found.is_none() {
        rows.push((check_key(), vault.check(&check_key())));
        rows.push((version_key(), VERSION.to_be_bytes().to_vec()));
    }
    shelf.apply(
        rows.into_iter().map(|(key, row)| (key.encode(), Write { value: Some(row), stale: 0 })),
    )?;
    shelf.sync()?;
    if let Some(directory) = directory {
        directory.reached(checkpoint)?;
    }
    Ok(Begun { shelf, epoch })
}

fn look(
    shelf: &Shelf,
    vault: &Vault,
    directory: Option<&Directory>,
) -> Result<Option<Found>, Error> {
    let Some(version) = shelf.value(&version_key().encode())? else {
        return match shelf.values(&Span::everything(), Order::Ascending, |_| true, 1)?.is_empty() {
            true => Ok(None),
            false => Err(Error::unreadable("the store's version", "it is gone")),
        };
    };
    let version = <[u8; 4]>::try_from(version.as_slice())
        .map(u32::from_be_bytes)
        .map_err(|_| Error::unreadable("the store's version", "it is not a number"))?;
    if version > VERSION {
        let backups = directory.map(Directory::backups).unwrap_or_default();
        return Err(Error::Newer { found: version, known: VERSION, backups });
    }
    let check = shelf.value(&check_key().encode())?;
    vault.fits(&check_key(), &check.unwrap_or_default())?;
    let epoch = stored_number(shelf, &epoch_key())?;
    let checkpoint = stored_number(shelf, &checkpoint_key())?;
    Ok(Some(Found { version, epoch, checkpoint }))
}

fn refuse_what_was_lost(found: Option<&Found>, at: Option<&Directory>) -> Result<(), Error> {
    let Some(directory) = at else { return Ok(()) };
    let Some(expected) = directory.born()? else { return Ok(()) };
    let root = directory.root().to_owned();
    match found {
        None => Err(Error::Emptied { directory: root }),
        Some(found) if found.checkpoint < expected => {
            Err(Error::Older { directory: root, found: found.checkpoint, expected })
        }
        Some(_) => Ok(()),
    }
}

fn stored_number(shelf: &Shelf, key: &Key) -> Result<u64, Error> {
    let value = shelf.value(&key.encode())?.unwrap_or_default();
    read::number(key, &value)
}

pub(super) fn checkpoint_key() -> Key {
    Key::Meta { name: "checkpoint".to_owned() }
}

fn epoch_key() -> Key {
    Key::Meta { name: "epoch".to_owned() }
}

pub(super) fn check_key() -> Key {
    Key::Meta { name: "vault".to_owned() }
}
