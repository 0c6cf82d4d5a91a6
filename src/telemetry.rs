//! Logs: text for people, JSON for programs, on the standard error stream.
//!
//! Never: secrets. They cannot be logged because [`Secret`](crate::domain::secret::Secret) cannot
//! be printed.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Log, LogFormat};

/// Once per process; a second call changes nothing. The error says what is wrong with the level.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| {
        format!(
            "`log.level` is `{}`, which cannot be understood ({error}). Write \"info\", or \
             levels by part as in \"info,fanfare::net=debug\".",
            log.level
        )
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(stderr);
    let begun = match log.format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // Tests and the demonstration may start several engines in one process.
    drop(begun);
    Ok(())
}
