//! Durations as words, and secrets that never print: how the settings file spells its values.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::domain::secret::Secret;

/// Largest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads `30s`, `15m` or `1h30m`: whole numbers, each with its unit. `None` for anything else.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let (_, unit) = UNITS.iter().find(|(name, _)| *name == rest[..letters].trim())?;
        millis = millis.checked_add(number.checked_mul(*unit)?)?;
        rest = &rest[letters..];
    }
    Some(Duration::from_millis(millis))
}

/// The shortest spelling that [`parse_duration`] reads back.
pub fn spell_duration(duration: Duration) -> String {
    let mut left = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut spelled = String::new();
    for (name, unit) in UNITS {
        if left >= unit {
            spelled.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    if spelled.is_empty() { "0s".to_owned() } else { spelled }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    pub const fn seconds(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spell_duration(self.0))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&spell_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_duration(&text).map(Span).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is not a duration such as \"30s\" or \"1h30m\""))
        })
    }
}

/// Empty: not given. Written out, it shows only whether it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretText(pub Option<Secret>);

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_some() { "[secret]" } else { "" })
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretText, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(SecretText((!text.is_empty()).then(|| Secret::new(text))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_spelled_alike() {
        for (text, millis) in [
            ("30s", 30_000),
            ("15m", 900_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1s500ms", 1_500),
            ("0s", 0),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse_duration(text), Some(duration), "{text}");
            assert_eq!(spell_duration(duration), text);
        }
        assert_eq!(parse_duration("90 m"), Some(Duration::from_secs(5_400)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "30", "s", "1.5h", "-1s", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
