//! The keys of a vault as somebody wrote them down: in a file, the environment, or a systemd
//! credential.
//!
//! Invariant: a file holds the whole of the old text or of the new one, whenever the process dies.

use std::{fs, io, path::Path};

use zeroize::Zeroizing;

use super::{MasterKey, bad_key, write_private};
use crate::store::{directory::holds_a_store, error::Error, kv::sync_directory};

/// More have been left behind than anybody rotates.
const RETIRED_MAX: usize = 8;

/// The key that seals, and the ones before it, newest first, which only open.
#[derive(Clone, Debug)]
pub struct KeyRing {
    pub current: MasterKey,
    pub retired: Vec<MasterKey>,
}

impl KeyRing {
    /// Keys with white space between them, the current one first. `from` says where the text came
    /// from, for people.
    pub fn parse(text: &str, from: &str) -> Result<KeyRing, Error> {
        let mut keys = Vec::new();
        for key in text.split_whitespace() {
            keys.push(MasterKey::parse(key, from)?);
        }
        if keys.len() > 1 + RETIRED_MAX {
            return Err(bad_key(from, "there are more than nine of them"));
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or_else(|| bad_key(from, "there is none"))?;
        Ok(KeyRing { current, retired: keys.collect() })
    }

    /// Reads the key file; makes one that only we may read if there is none, and no store in `data`
    /// that another one was made for.
    pub fn from_file(path: &Path, data: &Path) -> Result<KeyRing, Error> {
        match fs::read_to_string(path) {
            Ok(text) => KeyRing::parse(&Zeroizing::new(text), &format!("in {}", path.display())),
            Err(source) if source.kind() == io::ErrorKind::NotFound => {
                if holds_a_store(data) {
                    return Err(Error::KeyGone { path: path.to_owned(), data: data.to_owned() });
                }
                Ok(KeyRing { current: MasterKey::create(path)?, retired: Vec::new() })
            }
            Err(source) => Err(Error::disk("read the vault key", path, &source)),
        }
    }

    /// Writes them where they were read, for us alone.
    pub fn replace(&self, path: &Path) -> Result<(), Error> {
        let mut text = Zeroizing::new(String::with_capacity(65 * (1 + self.retired.len())));
        for key in std::iter::once(&self.current).chain(&self.retired) {
            text.push_str(&key.line());
        }
        // A link stays one, and what it leads to is replaced.
        let disk = |source: io::Error| Error::disk("write the vault key", path, &source);
        let path = fs::canonicalize(path).map_err(disk)?;
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(disk(source)),
            Ok(()) | Err(_) => {}
        }
        write_private(&new, text.as_bytes()).map_err(disk)?;
        fs::rename(&new, &path).map_err(disk)?;
        path.parent().map_or(Ok(()), sync_directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_file_is_made_once_for_us_alone_and_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.key");
        let made = KeyRing::from_file(&path, directory.path()).unwrap().current;
        assert_eq!(KeyRing::from_file(&path, directory.path()).unwrap().current.0, made.0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn key_that_is_gone_is_not_replaced_by_one_that_cannot_fit() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("vault.key");
        KeyRing::from_file(&path, data.path()).unwrap();
        fs::write(data.path().join("born"), "checkpoint 1").unwrap();
        fs::remove_file(&path).unwrap();
        let error = KeyRing::from_file(&path, data.path()).unwrap_err();
        assert!(matches!(error, Error::KeyGone { .. }), "{error}");
        assert!(!path.exists(), "a copy that is put back must not find another key in its place");
    }

    #[test]
    fn several_keys_are_read_the_current_one_first() {
        let [one, two] = [1_u8, 2].map(|byte| format!("{byte:02x}").repeat(32));
        let ring = KeyRing::parse(&format!("{two}\n{one}\n"), "here").unwrap();
        assert_eq!(ring.current.0, [2; 32]);
        assert_eq!(ring.retired.iter().map(|key| key.0).collect::<Vec<_>>(), [[1; 32]]);
        assert!(KeyRing::parse(" \n", "in FILE").unwrap_err().to_string().contains("in FILE"));
        assert!(KeyRing::parse(&format!("{two}\nno key"), "here").is_err());
        assert!(KeyRing::parse(&format!("{one}\n").repeat(10), "here").is_err());
    }

    #[test]
    fn keys_that_are_replaced_read_back_and_stay_for_us_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.key");
        let old = KeyRing::from_file(&path, directory.path()).unwrap();
        let current = MasterKey::generate();
        let both = KeyRing { current: current.clone(), retired: vec![old.current.clone()] };
        both.replace(&path).unwrap();
        let read = KeyRing::from_file(&path, directory.path()).unwrap();
        assert_eq!(read.current.0, current.0);
        assert_eq!(read.retired.len(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left over");
    }
}
