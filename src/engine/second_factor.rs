//! The second factor: codes of an authenticator app by RFC 6238 (SHA-1, six digits, thirty seconds,
//! as every app takes them), and recovery codes.

use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, TOTP};

use crate::{
    domain::{secret::Secret, time::Timestamp},
    engine::facade::letters,
    entropy::Entropy,
};

const DIGITS: usize = 6;
const SECONDS: u64 = 30;

/// A code of the step before or after is taken as well: clocks differ, and people type slowly.
const SKEW: u64 = 1;

pub(super) const RECOVERY_CODES: usize = 10;

/// 160 bits in base 32, as RFC 4226 recommends.
pub(super) fn new_secret(entropy: &Entropy) -> Secret {
    let bytes = entropy.bytes::<20>().to_vec();
    Secret::new(totp_rs::Secret::Raw(bytes).to_encoded().to_string())
}

/// What authenticator apps read from a link or a picture.
pub(super) fn url(secret: &Secret, email: &str, instance: &str) -> Secret {
    let escaped = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let (email, instance) = (escaped(email), escaped(instance));
    Secret::new(format!(
        "otpauth://totp/{instance}:{email}?secret={}&issuer={instance}&algorithm=SHA1\
         &digits={DIGITS}&period={SECONDS}",
        secret.expose()
    ))
}

/// The step of time that `code` belongs to, if it is one of now and later than `after`.
pub(super) fn step(secret: &Secret, code: &str, after: Option<u64>, now: Timestamp) -> Option<u64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let bytes = totp_rs::Secret::Encoded(secret.expose().to_owned()).to_bytes().ok()?;
    let totp = TOTP::new(Algorithm::SHA1, DIGITS, 0, SECONDS, bytes).ok()?;
    let current = now.0 / 1_000 / SECONDS;
    let steps = current.saturating_sub(SKEW)..=current.saturating_add(SKEW);
    // All are computed, whichever is right.
    let right: Vec<u64> = steps.filter(|step| totp.generate(step * SECONDS) == code).collect();
    right.into_iter().find(|step| after.is_none_or(|after| *step > after))
}

/// 80 random bits each, so that a plain hash is enough.
pub(super) fn recovery_codes(entropy: &Entropy) -> Vec<Secret> {
    let one = || {
        let text = letters(&entropy.bytes::<16>());
        let groups: Vec<&str> = (0..4).map(|at| &text[4 * at..4 * at + 4]).collect();
        Secret::new(groups.join("-"))
    };
    std::iter::repeat_with(one).take(RECOVERY_CODES).collect()
}

/// However it is typed.
pub(super) fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(plain.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "12345678901234567890", the secret of RFC 6238's appendix B.
    fn known() -> Secret {
        Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn codes_of_rfc_6238_are_known() {
        // The last six digits of the eight in the appendix.
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")]
        {
            assert_eq!(step(&known(), code, None, at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn neighbours_in_time_are_taken_and_others_not() {
        for (seconds, taken) in [(0, true), (29, true), (30, true), (89, true), (90, false)] {
            assert_eq!(step(&known(), "287082", None, at(seconds)).is_some(), taken, "{seconds}");
        }
        for wrong in ["", "287083", "28708", "2870820", "०००००० "] {
            assert_eq!(step(&known(), wrong, None, at(59)), None, "{wrong}");
        }
        assert_eq!(step(&known(), " 287 082 ", None, at(59)), Some(1));
    }

    #[test]
    fn a_step_that_was_used_and_those_before_it_are_not_taken_again() {
        assert_eq!(step(&known(), "287082", Some(0), at(59)), Some(1));
        assert_eq!(step(&known(), "287082", Some(1), at(59)), None);
        assert_eq!(step(&known(), "287082", Some(2), at(59)), None);
    }

    #[test]
    fn made_secret_is_read_back_and_its_link_names_everything() {
        let secret = new_secret(&Entropy::seeded(1));
        assert_eq!(secret.expose().len(), 32);
        let link = url(&secret, "a b@example.org", "Fanfare");
        assert!(link.expose().starts_with("otpauth://totp/Fanfare:a%20b%40example.org?secret="));
        assert!(link.expose().ends_with("&issuer=Fanfare&algorithm=SHA1&digits=6&period=30"));
    }

    #[test]
    fn recovery_code_is_the_same_however_it_is_typed() {
        let codes = recovery_codes(&Entropy::seeded(1));
        assert_eq!(codes.len(), 10);
        let code = codes[0].expose();
        assert_eq!(code.len(), 19);
        assert_eq!(recovery_hash(code), recovery_hash(&code.replace('-', " ").to_uppercase()));
        assert_ne!(recovery_hash(code), recovery_hash(codes[1].expose()));
    }
}
