//! The headers that every `/rest` call carries, and which versions are alive when.
//!
//! learn.microsoft.com/linkedin/marketing/versioning, read 2026-11-21.

use crate::domain::time::Timestamp;

use super::{Answer, Call, bad_request, refusal};

/// Each version known then, and the day on which it ends. Later ones may exist, and are refused:
/// nobody should rely on them unseen. The last two days are reckoned, a year after the others.
const VERSIONS: [(&str, &str); 9] = [
    ("202601", "2027-01-15"),
    ("202602", "2027-02-15"),
    ("202603", "2027-03-16"),
    ("202604", "2027-04-15"),
    ("202605", "2027-05-15"),
    ("202606", "2027-06-15"),
    ("202607", "2027-07-15"),
    ("202608", "2027-08-15"),
    ("202609", "2027-09-15"),
];

pub(super) fn check(call: &Call) -> Result<(), Answer> {
    let Some(version) = call.header("linkedin-version") else {
        let text = "A version must be present. Please specify a version by adding the \
                    LinkedIn-Version header.";
        return Err(refusal(400, None, "VERSION_MISSING", text));
    };
    let known = VERSIONS.iter().find(|(name, _)| *name == version);
    let end = known.and_then(|(_, day)| Timestamp::parse(&format!("{day}T00:00:00Z")));
    if end.is_none_or(|end| end <= call.now) {
        return Err(nonexistent(version));
    }
    if call.header("x-restli-protocol-version") != Some("2.0.0") {
        return Err(bad_request("X-RestLi-Protocol-Version must be 2.0.0"));
    }
    // "urn:li:share:7" as it is would be read as a complex key.
    if call.target.contains(':') {
        return Err(bad_request("Syntax exception in path variables"));
    }
    let writes = call.method == axum::http::Method::POST;
    if writes && !call.content_type().starts_with("application/json") {
        return Err(refusal(415, None, "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type"));
    }
    Ok(())
}

pub(super) fn nonexistent(version: &str) -> Answer {
    let text = format!("Requested version {version} is not active");
    refusal(426, None, "NONEXISTENT_VERSION", &text)
}
