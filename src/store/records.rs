//! Records as they are stored: twins of the domain's types, so that either can change alone.
//!
//! Invariants:
//! - the first byte of a stored record is its version; every version that was ever released reads;
//! - what was written by a newer version is refused by name, never misread.
//!
//! To change a record: add a twin `…V2` and an arm `V2` at the end of its `Stored…`, write that,
//! and turn the older ones into the domain's type. Never touch a released twin, nor the order of
//! its fields and variants: bincode knows them by their place. `golden/` holds bytes of each.

mod account;
mod delivery;
mod event;
mod login;
mod media;
mod organization;
mod person;
mod post;

#[cfg(test)]
mod golden;

use bincode::config::{Configuration, Limit, standard};
use serde::{Serialize, de::DeserializeOwned};

use crate::store::{error::Error, keys::Key};

/// Bounds what damaged lengths can make us allocate.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Room for most records, and for the byte that the shelf puts in front.
const RECORD_BYTES_USUAL: usize = 1_024;

pub(super) trait Record: Sized {
    /// An enum with an arm for each version; the place of the arm is the version's byte.
    type Stored: Serialize + DeserializeOwned;

    /// In the newest version.
    fn store(&self) -> Self::Stored;

    /// `Err` says what is in it that this version does not know.
    fn restore(stored: Self::Stored) -> Result<Self, &'static str>;
}

pub(super) fn encode<R: Record>(record: &R) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD_BYTES_USUAL);
    bincode::serde::encode_into_std_write(record.store(), &mut bytes, standard())
        .expect("twins hold nothing that bincode cannot write");
    bytes
}

pub(super) fn decode<R: Record>(key: &Key, bytes: &[u8]) -> Result<R, Error> {
    let bounded: Configuration<_, _, Limit<RECORD_BYTES_MAX>> = standard().with_limit();
    let unreadable = |cause: &str| {
        Error::unreadable(
            format!("the record {key:?}"),
            format!("{cause}; it is damaged, or a newer Fanfare wrote it"),
        )
    };
    let (stored, used) = bincode::serde::decode_from_slice(bytes, bounded)
        .map_err(|source| unreadable(&source.to_string()))?;
    if used != bytes.len() {
        return Err(unreadable("there is more in it than belongs to it"));
    }
    R::restore(stored).map_err(unreadable)
}

/// The twin of an enum without fields, and both ways between them.
macro_rules! twin {
    ($twin:ident = $original:ident { $($arm:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, Serialize, Deserialize)]
        pub(super) enum $twin {
            $($arm),+
        }

        impl From<$original> for $twin {
            fn from(original: $original) -> $twin {
                match original {
                    $($original::$arm => $twin::$arm),+
                }
            }
        }

        impl From<$twin> for $original {
            fn from(twin: $twin) -> $original {
                match twin {
                    $($twin::$arm => $original::$arm),+
                }
            }
        }
    };
}
use twin;
