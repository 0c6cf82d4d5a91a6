//! What can go wrong with the store, as sentences that say what was being done and what to do.

use std::{fmt::Display, io, path::Path, path::PathBuf, sync::Arc};

/// Cheap to clone: one cause may have to be told to everybody who is waiting.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "another Fanfare is running on {}: stop it first, or give this one a data directory of \
         its own", directory.display()
    )]
    InUse { directory: PathBuf },
    #[error(
        "the disk that holds {} is full: free some space and start again; nothing that was \
         confirmed is lost", path.display()
    )]
    Full { path: PathBuf },
    #[error("could not {doing} {}: {cause}", path.display())]
    Disk { doing: &'static str, path: PathBuf, cause: Arc<str> },
    #[error(
        "the store in {} is damaged ({cause}): stop Fanfare, move that directory aside, and put \
         back the newest good copy from a backup", path.display()
    )]
    Damaged { path: PathBuf, cause: Arc<str> },
    #[error(
        "{} has held a store before, but the store in it is empty: posts and accounts would \
         silently be gone. Put the directory `store` back from a backup; or, to begin anew, move \
         the whole data directory aside", directory.display()
    )]
    Emptied { directory: PathBuf },
    #[error(
        "the store in {} is older than it was (checkpoint {found}, but {expected} was reached): \
         what was published since would be published again. Put back the newest copy; if this \
         copy is meant to be used, delete the file `born` and look through the planned posts \
         first", directory.display()
    )]
    Older { directory: PathBuf, found: u64, expected: u64 },
    #[error(
        "the store was written by a newer Fanfare (store version {found}, this one knows up to \
         {known}): start the newer one, or restore the copy that it made in {} before upgrading",
        backups.display()
    )]
    Newer { found: u32, known: u32, backups: PathBuf },
    #[error(
        "the vault key does not fit this store: nothing that is sealed in it could be opened. \
         Give the key that this store was made with; without it, every account has to be \
         connected again in a new data directory"
    )]
    WrongKey,
    #[error(
        "the vault key {} is gone, and {} holds a store that was made with it: put the key back \
         from a copy. Without it, every account has to be connected again in a new data directory",
        path.display(), data.display()
    )]
    KeyGone { path: PathBuf, data: PathBuf },
    #[error(
        "the vault key {from} is not a key: {cause}. It must be 32 bytes, as 64 hexadecimal \
             digits or in base64"
    )]
    BadKey { from: String, cause: &'static str },
    #[error(
        "could not open the sealed {what}: it was sealed with another key, for another \
             place, or was changed; connect the account again"
    )]
    Sealed { what: String },
    #[error("could not read {what}: {cause}")]
    Unreadable { what: String, cause: Arc<str> },
    #[error("the store has stopped: {cause}")]
    Stopped { cause: Arc<str> },
}

impl Error {
    /// The one place where what the system says becomes a sentence.
    pub(super) fn disk(doing: &'static str, path: &Path, source: &io::Error) -> Error {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            return Error::Full { path: path.to_owned() };
        }
        Error::Disk { doing, path: path.to_owned(), cause: source.to_string().into() }
    }

    pub(super) fn damaged(path: &Path, cause: impl Display) -> Error {
        Error::Damaged { path: path.to_owned(), cause: cause.to_string().into() }
    }

    pub(super) fn unreadable(what: impl Into<String>, cause: impl Display) -> Error {
        Error::Unreadable { what: what.into(), cause: cause.to_string().into() }
    }

    pub(super) fn stopped(cause: impl Display) -> Error {
        Error::Stopped { cause: cause.to_string().into() }
    }
}
