//! Addresses under which a platform may fetch a file from us, without a key, for some days.
//!
//! Invariants:
//! - an address says which file of which organization it is for and until when, and is signed: no
//!   part of it can be changed or made up;
//! - one delivery asks for the same address at each of its attempts (but for those that are days
//!   apart), because a request that is repeated has to be identical;
//! - it is a secret while it lasts: it goes to the platform, and into no log.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::{
        ids::{MediaId, OrganizationId},
        media::Media,
        time::Timestamp,
    },
    store::Vault,
};

const PURPOSE: &str = "fanfare addresses of files";

/// From the planned time on, and on again.
const PERIOD: Duration = Duration::from_secs(7 * 24 * 3_600);

/// Platforms fetch at once, or within a day while they process; a person may look for longer.
const LEFT_MIN: Duration = Duration::from_secs(3 * 24 * 3_600);

/// What an address gives access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) organization: OrganizationId,
    pub(super) media: MediaId,
    pub(super) until: Timestamp,
}

const ID_BYTES: usize = 16;
const CLAIM_BYTES: usize = 2 * ID_BYTES + 8;
const SIGNATURE_BYTES: usize = 32;
const TOKEN_BYTES: usize = CLAIM_BYTES + SIGNATURE_BYTES;

/// Makes the addresses of the files of one delivery.
#[derive(Clone, Copy)]
pub(super) struct Addresses<'a> {
    pub(super) vault: &'a Vault,
    pub(super) public_url: &'a str,
    /// When the delivery is, or was, planned for.
    pub(super) planned: Timestamp,
    pub(super) now: Timestamp,
}

impl Addresses<'_> {
    pub(super) fn of(&self, media: &Media) -> String {
        let pass = Pass {
            organization: media.organization,
            media: media.id,
            until: until(self.planned, self.now),
        };
        format!("{}/files/{}/{}", self.public_url, token(self.vault, &pass), file_name(media))
    }
}

/// The end of an address, for platforms that look at how it ends. It tells nothing else.
pub(super) fn file_name(media: &Media) -> String {
    format!("{}.{}", media.id, media.extension())
}

/// Counted from the planned time, not from now, so that attempts come to the same.
fn until(planned: Timestamp, now: Timestamp) -> Timestamp {
    let needed = planned.elapsed(now.after(LEFT_MIN));
    let periods = needed.as_millis().div_ceil(PERIOD.as_millis()).max(1);
    planned.after(PERIOD.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX)))
}

fn token(vault: &Vault, pass: &Pass) -> String {
    let claim = claim(pass);
    let signature = vault.sign(PURPOSE, &claim);
    URL_SAFE_NO_PAD.encode([claim.as_slice(), &signature].concat())
}

fn claim(pass: &Pass) -> [u8; CLAIM_BYTES] {
    let mut claim = [0; CLAIM_BYTES];
    claim[..ID_BYTES].copy_from_slice(&pass.organization.0.to_be_bytes());
    claim[ID_BYTES..2 * ID_BYTES].copy_from_slice(&pass.media.0.to_be_bytes());
    claim[2 * ID_BYTES..].copy_from_slice(&pass.until.0.to_be_bytes());
    claim
}

/// `None` for all that we did not sign, and for what has ended. What is not even a token is checked
/// like one, so that nothing can be learned from how long the answer takes.
pub(super) fn read(vault: &Vault, token: &str, now: Timestamp) -> Option<Pass> {
    let mut bytes = [0; TOKEN_BYTES];
    let decoded = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes);
    let is_whole = decoded.is_ok_and(|length| length == TOKEN_BYTES);
    let (claim, signature) = bytes.split_first_chunk::<CLAIM_BYTES>()?;
    let is_ours = vault.has_signed(PURPOSE, claim, signature.try_into().ok()?);
    let (organization, rest) = claim.split_first_chunk::<ID_BYTES>()?;
    let (media, until) = rest.split_first_chunk::<ID_BYTES>()?;
    let pass = Pass {
        organization: OrganizationId(u128::from_be_bytes(*organization)),
        media: MediaId(u128::from_be_bytes(*media)),
        until: Timestamp(u64::from_be_bytes(until.try_into().ok()?)),
    };
    (is_whole && is_ours && now < pass.until).then_some(pass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::media::MediaKind, store::MasterKey};

    const PLANNED: Timestamp = Timestamp(1_800_000_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn vault(key: u8) -> Vault {
        Vault::new(MasterKey::from_bytes([key; 32]), Vec::new())
    }

    fn pass() -> Pass {
        Pass { organization: OrganizationId(7), media: MediaId(8), until: PLANNED.after(PERIOD) }
    }

    #[test]
    fn address_leads_here_and_is_the_same_at_each_attempt() {
        let media = Media {
            id: MediaId(8),
            organization: OrganizationId(7),
            kind: MediaKind::Image,
            mime: "image/jpeg".to_owned(),
            bytes: 1,
            size: None,
            length: None,
            codec: String::new(),
            sha256: [0; 32],
            name: "Ada's party.jpeg".to_owned(),
            created: PLANNED,
        };
        let vault = vault(1);
        let addresses = Addresses {
            vault: &vault,
            public_url: "https://posts.example.org",
            planned: PLANNED,
            now: PLANNED,
        };
        let address = addresses.of(&media);
        let rest = address.strip_prefix("https://posts.example.org/files/").unwrap();
        let (token, name) = rest.split_once('/').unwrap();
        assert_eq!(read(&vault, token, PLANNED), Some(pass()));
        assert_eq!(name, format!("{}.jpg", media.id), "it tells nobody what the file was called");
        let later = Addresses { now: PLANNED.after(HOUR * 24), ..addresses };
        assert_eq!(later.of(&media), address);
    }

    #[test]
    fn token_is_read_as_it_was_made_until_it_ends() {
        let token = token(&vault(1), &pass());
        assert_eq!(read(&vault(1), &token, PLANNED), Some(pass()));
        let last = Timestamp(pass().until.0 - 1);
        assert_eq!(read(&vault(1), &token, last), Some(pass()));
        assert_eq!(read(&vault(1), &token, pass().until), None);
    }

    #[test]
    fn token_of_another_key_or_with_any_change_is_none() {
        let token = token(&vault(1), &pass());
        assert_eq!(read(&vault(2), &token, PLANNED), None);
        for at in 0..token.len() {
            let other = if &token[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert_eq!(read(&vault(1), &changed, PLANNED), None, "{at}");
            assert_eq!(read(&vault(1), &token[..at], PLANNED), None, "{at}");
        }
        for wrong in [format!("{token}A"), format!("{token}AAAA"), format!("{token}="), "ä".into()]
        {
            assert_eq!(read(&vault(1), &wrong, PLANNED), None, "{wrong}");
        }
    }

    #[test]
    fn attempts_of_one_delivery_come_to_the_same_end() {
        let first = until(PLANNED, PLANNED.before(HOUR));
        assert_eq!(first, PLANNED.after(PERIOD));
        for hours in 0..=96 {
            assert_eq!(until(PLANNED, PLANNED.after(HOUR * hours)), first, "{hours} hours later");
        }
    }

    #[test]
    fn days_are_left_whenever_it_is_made() {
        for hours in (0..5_000).step_by(7) {
            let now = PLANNED.after(HOUR * hours);
            let left = until(PLANNED, now).remaining(now);
            assert!(left >= LEFT_MIN && left <= LEFT_MIN + PERIOD, "{hours}: {left:?}");
        }
    }
}
