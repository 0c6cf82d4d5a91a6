//! Seals secrets, so that a copy of the store gives nobody's account away; and signs what we have
//! to recognise as ours when it comes back.
//!
//! Invariants:
//! - the master key is never in the store;
//! - a sealed secret opens only in the place that it was sealed for: organization, owner, field;
//! - each seal has a nonce of its own, random and long enough to never meet another.
//!
//! Sealed is: 4 bytes that name the key, 24 bytes of nonce, XChaCha20-Poly1305 with its tag. The
//! place is the associated data. Old keys still open; only the current one seals.

mod ring;

use std::{
    fmt, fs,
    io::Write,
    path::Path,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    AeadCore, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, OsRng, Payload},
};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

pub use self::ring::KeyRing;
use crate::{
    domain::secret::Secret,
    store::{error::Error, keys::Key, kv::sync_directory},
};

const KEY_NAME_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;

/// Says in the store which key it was made with, without saying the key.
const CHECK: &str = "this store was sealed with this key";

/// 32 bytes from a file, the environment, or a systemd credential.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    pub fn from_bytes(bytes: [u8; 32]) -> MasterKey {
        MasterKey(bytes)
    }

    /// Reads 64 hexadecimal digits, or base64. `from` says where the text came from, for people.
    pub fn parse(text: &str, from: &str) -> Result<MasterKey, Error> {
        let text = text.trim();
        let bytes = Zeroizing::new(match hexadecimal(text) {
            Some(bytes) => bytes,
            None => STANDARD.decode(text).map_err(|_| bad_key(from, "it is neither"))?,
        });
        <[u8; 32]>::try_from(bytes.as_slice())
            .map(MasterKey)
            .map_err(|_| bad_key(from, "it has another length"))
    }

    /// One that nobody has used.
    pub fn generate() -> MasterKey {
        MasterKey(XChaCha20Poly1305::generate_key(&mut OsRng).into())
    }

    /// As it is written into a file.
    fn line(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in self.0 {
            text.push_str(&Zeroizing::new(format!("{byte:02x}")));
        }
        text.push('\n');
        text
    }

    fn create(path: &Path) -> Result<MasterKey, Error> {
        let key = MasterKey::generate();
        let text = key.line();
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory {
            // The key is made before the store that it is for.
            fs::create_dir_all(directory)
                .map_err(|source| Error::disk("create", directory, &source))?;
        }
        write_private(path, text.as_bytes())
            .map_err(|source| Error::disk("create the vault key", path, &source))?;
        if let Some(directory) = directory {
            sync_directory(directory)?;
        }
        Ok(key)
    }

    /// With a key made from this one for `purpose` alone, so that what is signed for one purpose
    /// means nothing for another.
    fn signing(&self, purpose: &str, message: &[u8]) -> Hmac<Sha256> {
        let over = |key: &[u8], text: &[u8]| {
            let mac = <Hmac<Sha256> as Mac>::new_from_slice(key);
            mac.expect("HMAC takes keys of any length").chain_update(text)
        };
        let key = Zeroizing::new(<[u8; 32]>::from(
            over(&self.0, purpose.as_bytes()).finalize().into_bytes(),
        ));
        over(key.as_slice(), message)
    }

    /// Names the key, and tells nothing about it.
    fn name(&self) -> [u8; KEY_NAME_BYTES] {
        let digest = Sha256::new().chain_update(b"fanfare vault key").chain_update(self.0);
        let digest: [u8; 32] = digest.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

/// A second process that creates the same file at the same time is refused, not overwritten.
fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn bad_key(from: &str, cause: &'static str) -> Error {
    Error::BadKey { from: from.to_owned(), cause }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Seals with the current key, opens with that and with the ones before it. Both may change while
/// it is used.
#[derive(Debug)]
pub struct Vault(RwLock<KeyRing>);

/// Whether a sealed text should be sealed anew, because its key is a retired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedWith {
    Current,
    Retired,
}

impl Vault {
    pub fn new(current: MasterKey, retired: Vec<MasterKey>) -> Vault {
        Vault(RwLock::new(KeyRing { current, retired }))
    }

    fn keys(&self) -> RwLockReadGuard<'_, KeyRing> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this one seals, and the one before only opens.
    pub fn rotate(&self, new: MasterKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut keys.current, new);
        keys.retired.insert(0, old);
    }

    /// From now on nothing is opened but what the current key sealed.
    pub fn forget_retired(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).retired.clear();
    }

    pub fn has_retired(&self) -> bool {
        !self.keys().retired.is_empty()
    }

    /// All keys that it has, to be written down.
    pub fn ring(&self) -> KeyRing {
        self.keys().clone()
    }

    /// Tells current keys apart, and nothing about them.
    pub fn key_name(&self) -> String {
        self.keys().current.name().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// By the name that a sealed text begins with. `None`: it is none, or strange.
    pub fn sealed_with(&self, sealed: &[u8]) -> Option<SealedWith> {
        let (name, _) = sealed.split_first_chunk::<KEY_NAME_BYTES>()?;
        let keys = self.keys();
        if keys.current.name() == *name {
            return Some(SealedWith::Current);
        }
        keys.retired.iter().any(|key| key.name() == *name).then_some(SealedWith::Retired)
    }

    /// `place` is the key of the row that the sealed text is for.
    pub fn seal(&self, place: &Key, secret: &Secret) -> Vec<u8> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let place = place.encode();
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &place };
        let current = &self.keys().current;
        let sealed = XChaCha20Poly1305::new(&current.0.into())
            .encrypt(&nonce, payload)
            .expect("a secret is far below the cipher's limit of 256 GiB");
        [&current.name(), nonce.as_slice(), &sealed].concat()
    }

    pub fn open(&self, place: &Key, sealed: &[u8]) -> Result<Secret, Error> {
        self.open_with(place, sealed).map(|(secret, _)| secret)
    }

    pub fn open_with(&self, place: &Key, sealed: &[u8]) -> Result<(Secret, SealedWith), Error> {
        self.try_open(place, sealed).ok_or_else(|| Error::Sealed { what: format!("{place:?}") })
    }

    fn try_open(&self, place: &Key, sealed: &[u8]) -> Option<(Secret, SealedWith)> {
        let (name, rest) = sealed.split_first_chunk::<KEY_NAME_BYTES>()?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>()?;
        let keys = self.keys();
        let (key, with) = if keys.current.name() == *name {
            (&keys.current, SealedWith::Current)
        } else {
            let key = keys.retired.iter().find(|key| key.name() == *name)?;
            (key, SealedWith::Retired)
        };
        let payload = Payload { msg: text, aad: &place.encode() };
        let bytes = XChaCha20Poly1305::new(&key.0.into())
            .decrypt(XNonce::from_slice(nonce), payload)
            .ok()?;
        match String::from_utf8(bytes) {
            Ok(text) => Some((Secret::new(text), with)),
            Err(other) => {
                other.into_bytes().zeroize();
                None
            }
        }
    }

    /// Shows later that `message` came from here.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        self.keys().current.signing(purpose, message).finalize().into_bytes().into()
    }

    /// Takes as long for a wrong signature as for a right one.
    pub fn has_signed(&self, purpose: &str, message: &[u8], signature: &[u8; 32]) -> bool {
        let keys = self.keys();
        let all = std::iter::once(&keys.current).chain(&keys.retired);
        all.fold(false, |known, key| {
            let matches = key.signing(purpose, message).verify_slice(signature).is_ok();
            known | matches
        })
    }

    pub(super) fn check(&self, place: &Key) -> Vec<u8> {
        self.seal(place, &Secret::new(CHECK))
    }

    /// `Err` when the store was made with a key that we do not have.
    pub(super) fn fits(&self, place: &Key, check: &[u8]) -> Result<(), Error> {
        match self.try_open(place, check) {
            Some((secret, _)) if secret.expose() == CHECK => Ok(()),
            _ => Err(Error::WrongKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::ids::{AccountId, OrganizationId},
        store::keys::Owner,
    };

    fn place(organization: u128, account: u128, field: &str) -> Key {
        Key::Secret {
            organization: OrganizationId(organization),
            owner: Owner::Account(AccountId(account)),
            field: field.to_owned(),
        }
    }

    fn vault(key: u8) -> Vault {
        Vault::new(MasterKey::from_bytes([key; 32]), Vec::new())
    }

    #[test]
    fn sealed_secret_opens_in_its_own_place_only() {
        let vault = vault(1);
        let sealed = vault.seal(&place(1, 2, "access"), &Secret::new("token"));
        assert!(!sealed.windows(5).any(|part| part == b"token"));
        assert_eq!(vault.open(&place(1, 2, "access"), &sealed).unwrap().expose(), "token");
        for elsewhere in [place(2, 2, "access"), place(1, 3, "access"), place(1, 2, "refresh")] {
            assert!(vault.open(&elsewhere, &sealed).is_err());
        }
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let vault = vault(1);
        let here = place(1, 2, "access");
        let sealed = vault.seal(&here, &Secret::new("token"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(&here, &changed).is_err(), "byte {at}");
            assert!(vault.open(&here, &sealed[..at]).is_err(), "first {at} bytes");
        }
    }

    #[test]
    fn equal_secrets_do_not_look_equal() {
        let vault = vault(1);
        let here = place(1, 2, "access");
        let secret = Secret::new("token");
        assert_ne!(vault.seal(&here, &secret), vault.seal(&here, &secret));
    }

    #[test]
    fn retired_key_opens_and_says_so_and_a_strange_key_does_not() {
        let here = place(1, 2, "access");
        let sealed = vault(1).seal(&here, &Secret::new("token"));
        let rotated = Vault::new(
            MasterKey::from_bytes([2; 32]),
            vec![MasterKey::from_bytes([3; 32]), MasterKey::from_bytes([1; 32])],
        );
        let (secret, with) = rotated.open_with(&here, &sealed).unwrap();
        assert_eq!((secret.expose(), with), ("token", SealedWith::Retired));
        assert!(matches!(vault(2).open(&here, &sealed), Err(Error::Sealed { .. })));
    }

    #[test]
    fn signature_holds_for_its_message_its_purpose_and_its_key_only() {
        let signed = vault(1).sign("files", b"message");
        assert_eq!(vault(1).sign("files", b"message"), signed);
        assert!(vault(1).has_signed("files", b"message", &signed));
        assert!(!vault(1).has_signed("files", b"massage", &signed));
        assert!(!vault(1).has_signed("logins", b"message", &signed));
        assert!(!vault(2).has_signed("files", b"message", &signed));
        for byte in 0..32 {
            let mut changed = signed;
            changed[byte] ^= 1;
            assert!(!vault(1).has_signed("files", b"message", &changed), "byte {byte}");
        }
        let rotated =
            Vault::new(MasterKey::from_bytes([2; 32]), vec![MasterKey::from_bytes([1; 32])]);
        assert!(rotated.has_signed("files", b"message", &signed));
        assert_ne!(rotated.sign("files", b"message"), signed);
    }

    #[test]
    fn key_reads_as_hexadecimal_and_as_base64_and_nothing_else() {
        let bytes: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        for text in [digits, STANDARD.encode(bytes) + "\n"] {
            assert_eq!(MasterKey::parse(&text, "here").unwrap().0, bytes);
        }
        for text in ["", "00", "zz", &STANDARD.encode([0; 31]), &"0".repeat(63)] {
            let error = MasterKey::parse(text, "in FANFARE_KEY").unwrap_err().to_string();
            assert!(error.contains("in FANFARE_KEY") && error.contains("base64"), "{error}");
        }
    }

    #[test]
    fn a_key_that_was_replaced_opens_until_it_is_forgotten() {
        let vault = vault(1);
        let here = place(1, 2, "access");
        let old = vault.seal(&here, &Secret::new("token"));
        let name = vault.key_name();
        vault.rotate(MasterKey::from_bytes([2; 32]));
        let new = vault.seal(&here, &Secret::new("token"));
        assert_ne!(vault.key_name(), name);
        assert_eq!(vault.sealed_with(&old), Some(SealedWith::Retired));
        assert_eq!(vault.sealed_with(&new), Some(SealedWith::Current));
        assert!(vault.open(&here, &old).is_ok() && vault.open(&here, &new).is_ok());
        vault.forget_retired();
        assert!(vault.open(&here, &old).is_err() && vault.open(&here, &new).is_ok());
        assert_eq!(vault.sealed_with(&old), None);
    }
}
