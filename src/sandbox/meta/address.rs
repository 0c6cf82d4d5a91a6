//! Where a call goes and in whose name: version, path, token.

use super::{Answer, Call, refusal::unknown_path};

/// Major and minor.
pub(super) type Version = (u32, u32);

/// The version in the path, if there is one, and the rest of the path.
pub(super) fn path(call: &Call) -> Result<(Option<Version>, Vec<&str>), Answer> {
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let Some(first) = segments.first() else {
        return Ok((None, segments));
    };
    let version = first.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    let version = version
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    match version {
        // A dead version is answered by the oldest living one; one that is not yet born by nobody.
        Some((major, _)) if major > NEWEST + 1 => Err(unknown_path(first)),
        Some(version) => Ok((Some(version), segments[1..].to_vec())),
        None => Ok((None, segments)),
    }
}

/// "v26.0 released 2026-07-29", "v20.0 already dead" (changelog, read 2026-11-21).
const NEWEST: u32 = 26;
const OLDEST: u32 = 21;

pub(super) fn version_used(call: &Call) -> String {
    let asked = path(call).ok().and_then(|(version, _)| version);
    format!("v{}.0", asked.map_or(OLDEST, |(major, _)| major.clamp(OLDEST, NEWEST)))
}

/// Browsers come without a version and without a token.
pub(super) fn is_for_readers(call: &Call, version: Option<Version>) -> bool {
    version.is_none() && token_of(call).is_none()
}

/// From the header, as `Bearer` or `OAuth`, or from the parameters.
pub(super) fn token_of(call: &Call) -> Option<String> {
    if let Some((scheme, token)) = call.header("authorization").and_then(|it| it.split_once(' ')) {
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth");
        return known.then(|| token.trim().to_owned());
    }
    let parameters = call.parameters();
    let token = parameters["access_token"].as_str().or(parameters["fb_exchange_token"].as_str());
    token.map(str::to_owned)
}
