//! Why a platform said no. The kinds are the reactions that the policy tells apart, and no more.

use crate::domain::{platform::PaceScope, time::Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// The platform's own code, where it has one.
    pub code: String,
    /// The platform's own words, redacted; shown to people under a fold.
    pub words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// 5xx, or nobody is there. Whether a request took effect may be unknown; the engine knows
    /// which.
    Unavailable,
    /// Too many calls. `None`: the platform did not say until when.
    Throttled { until: Option<Timestamp>, scope: PaceScope },
    /// The access token was not accepted. A refresh may mend it.
    Unauthorized,
    /// Our access was withdrawn, or never included this. Only the person can mend it.
    Revoked,
    /// This post will never be accepted as it is.
    Rejected,
    /// The platform says that it already has this post.
    Duplicate,
    /// A media file was lost or not understood; one more upload may help.
    Media,
    /// The answer was not what the platform documents. What it did is unknown.
    Unreadable,
}

impl RefusalKind {
    pub fn name(self) -> &'static str {
        match self {
            RefusalKind::Unavailable => "unavailable",
            RefusalKind::Throttled { .. } => "throttled",
            RefusalKind::Unauthorized => "unauthorized",
            RefusalKind::Revoked => "revoked",
            RefusalKind::Rejected => "rejected",
            RefusalKind::Duplicate => "duplicate",
            RefusalKind::Media => "media",
            RefusalKind::Unreadable => "unreadable",
        }
    }
}

/// Codes of what a person has settled; it is never sent again.
pub const ABANDONED: &str = "abandoned";
pub const UNSENT_PARTS: &str = "unsent_parts";

impl Refusal {
    /// Whether it is a person's word and not a platform's, so that no attempt follows.
    pub fn is_settled(&self) -> bool {
        [ABANDONED, UNSENT_PARTS].contains(&self.code.as_str())
    }

    pub fn new(kind: RefusalKind, code: impl Into<String>, words: impl Into<String>) -> Refusal {
        Refusal { kind, code: code.into(), words: words.into() }
    }
}
