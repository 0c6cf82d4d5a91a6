//! Texts that are given out once and come back: keys, links, what a browser holds. Only what they
//! hash to is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{domain::secret::Secret, entropy::Entropy};

const ID_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;

/// A plain hash is enough for what cannot be guessed.
pub(in crate::engine) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// 5 bits of each byte: 40 letters are 200 bits. Without those that are mistaken for others.
pub(in crate::engine) fn letters(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// Says by its ids what it is for, and proves it by 256 random bits.
pub(in crate::engine) fn ticket<const N: usize>(ids: [u128; N], entropy: &Entropy) -> Secret {
    let mut bytes = Vec::with_capacity(N * ID_BYTES + SECRET_BYTES);
    for id in ids {
        bytes.extend_from_slice(&id.to_be_bytes());
    }
    bytes.extend_from_slice(&entropy.bytes::<SECRET_BYTES>());
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a ticket is for; that it is a right one is for its hash to show.
pub(in crate::engine) fn read<const N: usize>(text: &str) -> Option<[u128; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    if bytes.len() != N * ID_BYTES + SECRET_BYTES {
        return None;
    }
    let mut ids = [0; N];
    for (id, bytes) in ids.iter_mut().zip(bytes.chunks_exact(ID_BYTES)) {
        *id = u128::from_be_bytes(bytes.try_into().ok()?);
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_says_what_it_is_for_and_no_two_are_alike() {
        let entropy = Entropy::seeded(1);
        let (one, other) = (ticket([7, u128::MAX], &entropy), ticket([7, u128::MAX], &entropy));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(read(one.expose()), Some([7, u128::MAX]));
        assert_eq!(read::<1>(one.expose()), None);
        for wrong in ["", "a", "ä", &one.expose()[1..]] {
            assert_eq!(read::<2>(wrong), None, "{wrong}");
        }
    }
}
