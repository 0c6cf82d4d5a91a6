//! Media files, named by the SHA-256 of what is in them.
//!
//! Invariants:
//! - a file that has its name is complete and on the disk, name included; so commit the record that
//!   names it only after [`Incoming::keep`];
//! - the same content is kept once, whoever uploaded it: delete a file only when no record of any
//!   organization names it any more;
//! - what was kept since the listing before the last, again or for the first time, is not deleted:
//!   its record may be about to be written.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use sha2::{Digest, Sha256};

use crate::store::{error::Error, kv::sync_directory};

/// Every call may wait for the disk: call from where blocking is allowed.
#[derive(Clone, Debug)]
pub struct MediaFiles {
    directory: PathBuf,
    /// Names the next upload while it has no name of its own.
    number: Arc<AtomicU64>,
    recent: Arc<Mutex<Recent>>,
}

/// What was kept since the last listing, and between the two last ones. Locked while a file gets
/// its name and while one is deleted, so that neither comes in the middle of the other.
#[derive(Debug, Default)]
struct Recent {
    newer: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
}

fn locked(recent: &Mutex<Recent>) -> MutexGuard<'_, Recent> {
    // Whoever panicked meanwhile left two sets, which are good in any state.
    recent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file being uploaded. Dropped without [`Incoming::keep`], it is gone.
#[derive(Debug)]
pub struct Incoming {
    digest: Sha256,
    bytes: u64,
    file: File,
    path: PathBuf,
    directory: PathBuf,
    recent: Arc<Mutex<Recent>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub sha256: [u8; 32],
    pub bytes: u64,
}

/// A kept file, open for reading. It stays readable even if it is deleted meanwhile.
#[derive(Debug)]
pub struct MediaFile {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl MediaFiles {
    /// Throws away what an earlier process did not finish.
    pub(super) fn in_directory(directory: PathBuf) -> Result<MediaFiles, Error> {
        let incoming = directory.join("incoming");
        if incoming.exists() {
            fs::remove_dir_all(&incoming)
                .map_err(|source| Error::disk("clear", &incoming, &source))?;
        }
        fs::create_dir_all(&incoming)
            .map_err(|source| Error::disk("create", &incoming, &source))?;
        sync_directory(&directory)?;
        Ok(MediaFiles { directory, number: Arc::default(), recent: Arc::default() })
    }

    pub fn receive(&self) -> Result<Incoming, Error> {
        let number = self.number.fetch_add(1, Relaxed);
        let path = self.directory.join("incoming").join(number.to_string());
        let file = File::create_new(&path)
            .map_err(|source| Error::disk("create the media file", &path, &source))?;
        let directory = self.directory.clone();
        let recent = self.recent.clone();
        Ok(Incoming { digest: Sha256::new(), bytes: 0, file, path, directory, recent })
    }

    /// Where a kept file lies.
    pub fn path(&self, sha256: &[u8; 32]) -> PathBuf {
        place(&self.directory, sha256)
    }

    /// Every kept file, in no order. Each listing lets go of what was kept before the one before.
    pub fn kept(&self) -> Result<Vec<[u8; 32]>, Error> {
        {
            let mut recent = locked(&self.recent);
            recent.older = std::mem::take(&mut recent.newer);
        }
        let mut found = Vec::new();
        for folder in entries(&self.directory)? {
            let is_shard = folder.file_name().is_some_and(|name| name.len() == 2);
            if is_shard {
                found.extend(entries(&folder)?.iter().filter_map(|path| named(path)));
            }
        }
        Ok(found)
    }

    /// `None` when there is no such file.
    pub fn open(&self, sha256: &[u8; 32]) -> Result<Option<MediaFile>, Error> {
        let path = self.path(sha256);
        let disk = |source: io::Error| Error::disk("open", &path, &source);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(disk(source)),
        };
        let bytes = file.metadata().map_err(disk)?.len();
        Ok(Some(MediaFile { file, path, bytes }))
    }

    /// Unless it was kept a moment ago. A file that is not there is not missed.
    pub fn delete(&self, sha256: &[u8; 32]) -> Result<(), Error> {
        let path = self.path(sha256);
        let recent = locked(&self.recent);
        if recent.newer.contains(sha256) || recent.older.contains(sha256) {
            return Ok(());
        }
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::disk("delete", &path, &source))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Incoming {
    pub fn write(&mut self, part: &[u8]) -> Result<(), Error> {
        self.digest.update(part);
        self.bytes += part.len() as u64;
        self.file
            .write_all(part)
            .map_err(|source| Error::disk("write the media file", &self.path, &source))
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// To look at what has been received. Nothing may be written afterwards.
    pub fn received(&mut self) -> &mut (impl Read + Seek + use<>) {
        &mut self.file
    }

    /// Gives the file its name. Afterwards it survives anything that the disk survives.
    pub fn keep(mut self) -> Result<Kept, Error> {
        self.file
            .sync_all()
            .map_err(|source| Error::disk("sync the media file", &self.path, &source))?;
        let sha256: [u8; 32] = self.digest.finalize_reset().into();
        let target = place(&self.directory, &sha256);
        let folder = target.parent().expect("a media file lies in a folder");
        let disk = |source| Error::disk("keep the media file", &target, &source);
        if !folder.exists() {
            fs::create_dir_all(folder).map_err(disk)?;
            sync_directory(&self.directory)?;
        }
        {
            let mut recent = locked(&self.recent);
            recent.newer.insert(sha256);
            fs::rename(&self.path, &target).map_err(disk)?;
        }
        sync_directory(folder)?;
        Ok(Kept { sha256, bytes: self.bytes })
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone already if it was kept; and if it cannot be removed, the next start does it.
        let _ = fs::remove_file(&self.path);
    }
}

impl MediaFile {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Up to `length` bytes from `offset` on; fewer only at the end of the file.
    pub fn read_at(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let mut part = Vec::new();
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| (&self.file).take(length as u64).read_to_end(&mut part))
            .map_err(|source| Error::disk("read", &self.path, &source))?;
        Ok(part)
    }
}

/// `media/ab/abcdef…`: no folder grows very large.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let disk = |source: io::Error| Error::disk("list", directory, &source);
    let listed = fs::read_dir(directory).map_err(disk)?;
    listed.map(|entry| entry.map(|entry| entry.path()).map_err(disk)).collect()
}

/// The content that a file is named after.
fn named(path: &Path) -> Option<[u8; 32]> {
    let name = path.file_name()?.to_str()?;
    let digits = |at: usize| u8::from_str_radix(name.get(2 * at..2 * at + 2)?, 16).ok();
    let mut sha256 = [0; 32];
    for (at, byte) in sha256.iter_mut().enumerate() {
        *byte = digits(at)?;
    }
    (name.len() == 64).then_some(sha256)
}

fn place(directory: &Path, sha256: &[u8; 32]) -> PathBuf {
    let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    directory.join(&name[..2]).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_files_are_listed_and_unfinished_ones_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let files = MediaFiles::in_directory(directory.path().to_owned()).unwrap();
        let first = keep(&files, &[b"one"]);
        let _unfinished = files.receive().unwrap();
        assert_eq!(files.kept().unwrap(), [first.sha256]);
    }

    #[test]
    fn file_that_is_kept_again_after_a_listing_is_not_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let files = MediaFiles::in_directory(directory.path().to_owned()).unwrap();
        let kept = keep(&files, &[b"one"]);
        for _ in 0..2 {
            assert_eq!(files.kept().unwrap(), [kept.sha256]);
        }
        keep(&files, &[b"one"]);
        files.delete(&kept.sha256).unwrap();
        assert_eq!(files.kept().unwrap(), [kept.sha256], "listed, kept again, then deleted");
        files.delete(&kept.sha256).unwrap();
        assert_eq!(files.kept().unwrap(), [kept.sha256], "its record may still be on its way");
        files.delete(&kept.sha256).unwrap();
        assert!(files.kept().unwrap().is_empty());
    }

    fn keep(files: &MediaFiles, parts: &[&[u8]]) -> Kept {
        let mut incoming = files.receive().unwrap();
        for part in parts {
            incoming.write(part).unwrap();
        }
        incoming.keep().unwrap()
    }

    fn check(files: &MediaFiles) {
        let kept = keep(files, &[b"hello ", b"world"]);
        assert_eq!(kept.bytes, 11);
        assert_eq!(kept.sha256, <[u8; 32]>::from(Sha256::digest(b"hello world")));
        assert_eq!(keep(files, &[b"hello world"]), kept, "the same content is the same file");

        let mut file = files.open(&kept.sha256).unwrap().unwrap();
        assert_eq!(file.bytes(), 11);
        for (offset, length, expected) in
            [(0, 11, "hello world"), (6, 3, "wor"), (6, 99, "world"), (11, 1, ""), (99, 1, "")]
        {
            assert_eq!(file.read_at(offset, length).unwrap(), expected.as_bytes());
        }

        for _ in 0..2 {
            files.kept().unwrap();
        }
        files.delete(&kept.sha256).unwrap();
        files.delete(&kept.sha256).unwrap();
        assert!(files.open(&kept.sha256).unwrap().is_none());
        assert_eq!(file.read_at(0, 5).unwrap(), b"hello");
    }

    #[test]
    fn file_is_kept_by_its_content_and_read_by_range() {
        let directory = tempfile::tempdir().unwrap();
        check(&MediaFiles::in_directory(directory.path().to_owned()).unwrap());
    }

    #[test]
    fn upload_that_was_not_kept_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let files = MediaFiles::in_directory(directory.path().to_owned()).unwrap();
        let incoming = || fs::read_dir(directory.path().join("incoming")).unwrap().count();
        let mut upload = files.receive().unwrap();
        upload.write(b"half").unwrap();
        assert_eq!(incoming(), 1);
        drop(upload);
        assert_eq!(incoming(), 0);

        fs::write(directory.path().join("incoming/0"), "left by a crash").unwrap();
        let files = MediaFiles::in_directory(directory.path().to_owned()).unwrap();
        keep(&files, &[b"whole"]);
        assert_eq!(incoming(), 0);
    }
}
