//! Logs: text for people, JSON for programs, on the standard error stream.
//!
//! Never: secrets. They cannot be logged because [`Secret`](crate::domain::secret::Secret) cannot
//! be printed.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt};

use crate::config::{Log, LogFormat};

/// Once per process; a second call changes nothing. The error says what is wrong with the level.
pub fn start(log: &Log) -> Result<(), String> {
    let filter = filter(&log.level).ok_or_else(|| {
        format!(
            "`log.level` is `{}`, which cannot be understood. Write \"error\", \"warn\", \"info\", \
             \"debug\" or \"trace\", or levels by part as in \"info,fanfare::net=debug\".",
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

/// `None` for a misspelt level too: the filter alone would take it for the name of a part, log all
/// of that, and nothing else.
fn filter(level: &str) -> Option<EnvFilter> {
    let understood = |word: &str| word.contains('=') || word.parse::<LevelFilter>().is_ok();
    let all = level.split(',').all(|word| understood(word.trim()));
    EnvFilter::try_new(level).ok().filter(|_| all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_level_is_refused_instead_of_silencing_the_log() {
        for level in ["info", "WARN", "off", "info,fanfare::net=debug", "fanfare=trace, warn"] {
            assert!(filter(level).is_some(), "{level}");
        }
        for level in ["lound", "info,debg", "fanfare=lound"] {
            assert!(filter(level).is_none(), "{level}");
        }
    }
}
