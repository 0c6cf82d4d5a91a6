//! Standard output: the one place that writes to it.

use std::io::{self, Write};

use serde::Serialize;

use super::Failure;

/// One line, or several.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut handle = io::stdout().lock();
    ended(writeln!(handle, "{text}").and_then(|()| handle.flush()))
}

pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => Err(Failure::NotDone(format!("The answer cannot be written: {error}."))),
    }
}

/// Whoever reads may have read enough, as `head` does.
fn ended(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::NotDone(format!("Standard output cannot be written: {error}.")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
