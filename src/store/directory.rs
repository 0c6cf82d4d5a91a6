//! The data directory: what lies where in it, who uses it, and what it is known to have held.
//!
//! ```text
//! store/     sled's files          lock     held by the process that uses the directory
//! media/     files by their hash   born     the last checkpoint that the store is known to have
//! backups/   copies made before migrations
//! ```
//!
//! Invariant: `born` never names a checkpoint that the store has not put on the disk before. So a
//! store that opens below it has lost something, and one that opens empty has lost everything.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::store::{error::Error, kv::sync_directory};

/// Whether a store was ever opened in `root`.
pub(super) fn holds_a_store(root: &Path) -> bool {
    root.join("born").exists()
}

/// Held as long as the store is open. The system lets go of the lock when the process ends.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes what is missing.
    pub(super) fn take(root: &Path) -> Result<Directory, Error> {
        for path in [root, &root.join("store"), &root.join("media"), &root.join("backups")] {
            fs::create_dir_all(path)
                .map_err(|source| Error::disk("create the directory", path, &source))?;
        }
        let path = root.join("lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| Error::disk("open the lock file", &path, &source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse { directory: root.to_owned() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(Error::disk("lock the file", &path, &source));
            }
        }
        sync_directory(root)?;
        Ok(Directory { root: root.to_owned(), _lock: lock })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    pub(super) fn media(&self) -> PathBuf {
        self.root.join("media")
    }

    pub(super) fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The last checkpoint that was reached here; `None` before the first one.
    pub(super) fn born(&self) -> Result<Option<u64>, Error> {
        let path = self.root.join("born");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::disk("read", &path, &source)),
        };
        let checkpoint = text
            .lines()
            .find_map(|line| line.strip_prefix("checkpoint "))
            .and_then(|number| number.trim().parse().ok());
        // Whatever it says, a store was here; and zero is below any that can be found.
        Ok(Some(checkpoint.unwrap_or(0)))
    }

    /// Call only when `checkpoint` is on the disk in the store.
    pub(super) fn reached(&self, checkpoint: u64) -> Result<(), Error> {
        let text = format!(
            "Fanfare's store was here. Without this file, a lost store would look like a new one.\n\
             checkpoint {checkpoint}\n"
        );
        let (path, new) = (self.root.join("born"), self.root.join("born.new"));
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)
        });
        written.map_err(|source| Error::disk("write", &path, &source))?;
        sync_directory(&self.root)
    }

    /// Copies the store's files to `backups/<name>`. Nobody may write to the store meanwhile.
    pub(super) fn copy_store(&self, name: &str) -> Result<PathBuf, Error> {
        let target = self.backups().join(name);
        let unfinished = self.backups().join(format!("{name}.unfinished"));
        // One that was cut short by a crash is of no use.
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)
                .map_err(|source| Error::disk("remove", &unfinished, &source))?;
        }
        copy_directory(&self.store(), &unfinished)?;
        fs::rename(&unfinished, &target)
            .map_err(|source| Error::disk("rename a backup to", &target, &source))?;
        sync_directory(&self.backups())?;
        Ok(target)
    }
}

fn copy_directory(from: &Path, to: &Path) -> Result<(), Error> {
    let disk = |source: io::Error| Error::disk("copy the store to", to, &source);
    fs::create_dir_all(to).map_err(disk)?;
    for entry in fs::read_dir(from).map_err(disk)? {
        let entry = entry.map_err(disk)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(disk)?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).map_err(disk)?;
            File::open(&target).and_then(|copy| copy.sync_all()).map_err(disk)?;
        }
    }
    sync_directory(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_user_of_a_directory_is_told_which_and_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let held = Directory::take(root.path()).unwrap();
        let error = Directory::take(root.path()).unwrap_err();
        assert!(matches!(error, Error::InUse { .. }));
        let text = error.to_string();
        assert!(text.contains(&root.path().display().to_string()) && text.contains("stop"));
        drop(held);
        Directory::take(root.path()).unwrap();
    }

    #[test]
    fn checkpoint_is_remembered_and_a_spoilt_one_still_says_that_a_store_was_here() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::take(root.path()).unwrap();
        assert_eq!(directory.born().unwrap(), None);
        for checkpoint in [1, 77] {
            directory.reached(checkpoint).unwrap();
            assert_eq!(directory.born().unwrap(), Some(checkpoint));
        }
        fs::write(root.path().join("born"), "").unwrap();
        assert_eq!(directory.born().unwrap(), Some(0));
    }

    #[test]
    fn backup_holds_every_file_and_replaces_an_unfinished_one() {
        let root = tempfile::tempdir().unwrap();
        let directory = Directory::take(root.path()).unwrap();
        fs::create_dir(directory.store().join("blobs")).unwrap();
        fs::write(directory.store().join("blobs/7"), "seven").unwrap();
        fs::write(directory.store().join("db"), "rows").unwrap();
        let unfinished = directory.backups().join("before-2.unfinished");
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("half"), "").unwrap();
        let copy = directory.copy_store("before-2").unwrap();
        assert_eq!(fs::read_to_string(copy.join("blobs/7")).unwrap(), "seven");
        assert_eq!(fs::read_to_string(copy.join("db")).unwrap(), "rows");
        assert!(!copy.join("half").exists() && !unfinished.exists());
    }
}
