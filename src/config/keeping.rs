//! Settings of how long things are kept.

use serde::{Deserialize, Serialize};

use super::{Fault, Span, fault};

/// In seconds.
const DAY: u64 = 24 * 60 * 60;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Zero: for ever.
    pub keep: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organizations {
    pub deletion_grace: Span,
}

impl Default for Audit {
    fn default() -> Audit {
        Audit { keep: Span::seconds(90 * DAY) }
    }
}

impl Default for Organizations {
    fn default() -> Organizations {
        Organizations { deletion_grace: Span::seconds(7 * DAY) }
    }
}

impl Audit {
    pub(super) fn settle(&self) -> Result<(), Fault> {
        let keep = self.keep.0.as_secs();
        if keep > 0 && keep < DAY {
            let remedy = "Give a day or more, or \"0s\" to keep it for ever.";
            return Err(fault("audit.keep", "is less than a day", remedy));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_is_kept_for_a_day_at_least_or_for_ever() {
        let settled = |seconds| Audit { keep: Span::seconds(seconds) }.settle();
        assert!(settled(0).is_ok() && settled(DAY).is_ok());
        assert_eq!(settled(DAY - 1).unwrap_err().key, "audit.keep");
    }
}
