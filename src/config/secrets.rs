//! Secrets that stand in a file of their own.

use std::{fs, path::Path};

use crate::domain::secret::Secret;

use super::{Fault, fault, words::SecretText};

/// A secret that stands there, or in a file.
pub(super) fn read_either(key: &str, given: SecretText, file: &Path) -> Result<SecretText, Fault> {
    match (&given.0, file.as_os_str().is_empty()) {
        (_, true) => Ok(given),
        (None, false) => Ok(SecretText(Some(read_secret(key, file)?))),
        (Some(_), false) => {
            Err(fault(key, "is set, and so is `client_secret`", "Keep one of the two."))
        }
    }
}

/// Editors end files with a line break that is no part of the secret.
fn read_secret(key: &str, path: &Path) -> Result<Secret, Fault> {
    let remedy = "Make the file readable for the user that Fanfare runs as.";
    let text = fs::read_to_string(path).map_err(|error| {
        fault(key, &format!("names {}, which cannot be read: {error}", path.display()), remedy)
    })?;
    match text.trim() {
        "" => Err(fault(key, &format!("names {}, which is empty", path.display()), remedy)),
        secret => Ok(Secret::new(secret)),
    }
}
