//! Identifiers. One type per thing, so the compiler refuses a post where an account is wanted.
//!
//! An id is 48 bits of milliseconds and 80 random bits, so ids sort by the time of their making and
//! new records land beside each other in the store. Printed as a prefix and 26 characters of
//! Crockford's base 32, which has no letters that are mistaken for digits.

use std::{fmt, str::FromStr};

use crate::domain::time::Timestamp;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS: usize = 26;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected `{prefix}_` and 26 letters or digits")]
pub struct IdError {
    pub prefix: &'static str,
}

/// What every id is made of. `random` gives its low 80 bits.
pub fn compose(now: Timestamp, random: u128) -> u128 {
    (u128::from(now.0) << 80) | (random & ((1 << 80) - 1))
}

fn print(value: u128) -> String {
    let letter = |at: usize| {
        let shift = 5 * (LETTERS - 1 - at);
        char::from(ALPHABET[usize::try_from((value >> shift) & 31).unwrap_or_default()])
    };
    (0..LETTERS).map(letter).collect()
}

fn read(text: &str) -> Option<u128> {
    if text.len() != LETTERS || !text.starts_with(|first: char| ('0'..='7').contains(&first)) {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, letter| {
        let digit = ALPHABET.iter().position(|&known| known == letter)?;
        Some((value << 5) | u128::try_from(digit).ok()?)
    })
}

macro_rules! id {
    ($name:ident, $prefix:literal, $what:literal) => {
        #[doc = $what]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u128);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn new(now: Timestamp, random: u128) -> $name {
                $name(compose(now, random))
            }

            /// When it was made, to the millisecond.
            pub fn made(self) -> Timestamp {
                Timestamp(u64::try_from(self.0 >> 80).unwrap_or(u64::MAX))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), print(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<$name, IdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(read)
                    .map($name)
                    .ok_or(IdError { prefix: $prefix })
            }
        }
    };
}

id!(OrganizationId, "org", "A tenant: its members, accounts, posts, media and keys.");
id!(MemberId, "mem", "A person, in each organization that they are a member of.");
id!(KeyId, "key", "An API key, without its secret part.");
id!(SessionId, "ses", "One browser in which a person is logged in.");
id!(InvitationId, "inv", "A place in an organization that was offered.");
id!(AccountId, "acc", "One identity a person connected on one platform.");
id!(PostId, "pst", "What a person wrote.");
id!(DeliveryId, "dlv", "One post going to one account.");
id!(MediaId, "med", "One uploaded file.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_id_reads_back_and_another_kind_is_refused() {
        for value in [0, 1, 31, 32, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let id = PostId(value);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert!(id.to_string().parse::<DeliveryId>().is_err());
        }
    }

    #[test]
    fn text_that_is_no_id_is_refused() {
        for text in ["", "pst_", "pst_8zzzzzzzzzzzzzzzzzzzzzzzzz", "pst_0000000000000000000000000u"]
        {
            assert!(text.parse::<PostId>().is_err(), "{text}");
        }
    }

    #[test]
    fn later_ids_sort_later_and_know_when_they_were_made() {
        let early = PostId::new(Timestamp(1_000), u128::MAX);
        let late = PostId::new(Timestamp(1_001), 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.made(), Timestamp(1_000));
    }
}
