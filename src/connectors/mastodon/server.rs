//! What a server is and allows, by what it says of itself: its version, its NodeInfo, and the
//! limits in its own description. No server is known here by its name.
//!
//! <https://docs.joinmastodon.org/methods/instance/>, read 2026-07-02, and
//! <https://nodeinfo.diaspora.software/protocol>, as of 2026-07. What other servers do otherwise is
//! of their sources: GoToSocial as of 2025-10, Pixelfed as of 2024-03.

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

use super::SERVER;
use crate::{
    connectors::Site,
    domain::account::{Identity, LimitOverrides},
};

/// The names in [`Identity::traits`].
pub(super) const SOFTWARE: &str = "software";
const POLL_OPTIONS_MAX: &str = "poll_options_max";
const POLL_CHARS_MAX: &str = "poll_chars_max";
const POLL_SECONDS_MIN: &str = "poll_seconds_min";
const POLL_SECONDS_MAX: &str = "poll_seconds_max";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Software {
    /// Itself, and nothing that only speaks its language.
    Mastodon,
    GoToSocial,
    Pixelfed,
    /// And Akkoma, which came of it.
    Pleroma,
    Other,
}

impl Software {
    pub(super) fn of(author: &Identity) -> Software {
        match author.traits.get(SOFTWARE).map_or("", String::as_str) {
            MASTODON => Software::Mastodon,
            GOTOSOCIAL => Software::GoToSocial,
            PIXELFED => Software::Pixelfed,
            PLEROMA | AKKOMA => Software::Pleroma,
            _ => Software::Other,
        }
    }

    /// Who may see a status, in the server's own words.
    pub(super) fn visibilities(self) -> &'static [&'static str] {
        match self {
            Software::Mastodon | Software::Other => &["public", "unlisted", "private", "direct"],
            Software::GoToSocial => &["public", "unlisted", "private", "direct", "mutuals_only"],
            Software::Pixelfed => &["public", "unlisted", "private"],
            Software::Pleroma => &["public", "unlisted", "private", "direct", "local"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Software::Mastodon => "Mastodon",
            Software::GoToSocial => "GoToSocial",
            Software::Pixelfed => "Pixelfed",
            Software::Pleroma => "Pleroma",
            Software::Other => "This server",
        }
    }
}

const MASTODON: &str = "mastodon";
const GOTOSOCIAL: &str = "gotosocial";
const PIXELFED: &str = "pixelfed";
const PLEROMA: &str = "pleroma";
const AKKOMA: &str = "akkoma";
const OTHER: &str = "other";

/// What a poll may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Polls {
    pub(super) options_max: u64,
    pub(super) chars_max: u64,
    pub(super) seconds_min: u64,
    pub(super) seconds_max: u64,
}

/// Mastodon's own, where nothing else is said.
const POLLS: Polls =
    Polls { options_max: 4, chars_max: 50, seconds_min: 300, seconds_max: 2_629_746 };

impl Polls {
    /// `None`: the server has none.
    pub(super) fn of(author: &Identity) -> Option<Polls> {
        let number = |name: &str| author.traits.get(name)?.parse::<u64>().ok();
        match (Software::of(author), number(POLL_OPTIONS_MAX)) {
            // It repeats Mastodon's numbers, and has no polls.
            (Software::Pixelfed, _) => None,
            // Mastodon has had them since 2.8, long before it told of them.
            (Software::Mastodon, None) => Some(POLLS),
            (_, None) => None,
            (_, Some(options_max)) => Some(Polls {
                options_max,
                chars_max: number(POLL_CHARS_MAX).unwrap_or(POLLS.chars_max),
                seconds_min: number(POLL_SECONDS_MIN).unwrap_or(POLLS.seconds_min),
                seconds_max: number(POLL_SECONDS_MAX).unwrap_or(POLLS.seconds_max),
            }),
        }
    }
}

/// `name`: what NodeInfo calls it, where there was an answer.
pub(super) fn traits(instance: &Value, name: Option<&str>) -> BTreeMap<String, String> {
    let version = instance["version"].as_str().unwrap_or_default();
    let mut traits = BTreeMap::from([(SOFTWARE.to_owned(), software(version, name).to_owned())]);
    for (name, pointers) in [
        (POLL_OPTIONS_MAX, ["/configuration/polls/max_options", "/poll_limits/max_options"]),
        (
            POLL_CHARS_MAX,
            ["/configuration/polls/max_characters_per_option", "/poll_limits/max_option_chars"],
        ),
        (POLL_SECONDS_MIN, ["/configuration/polls/min_expiration", "/poll_limits/min_expiration"]),
        (POLL_SECONDS_MAX, ["/configuration/polls/max_expiration", "/poll_limits/max_expiration"]),
    ] {
        if let Some(number) = first_number(instance, &pointers) {
            traits.insert(name.to_owned(), number.to_string());
        }
    }
    traits
}

fn first_number(instance: &Value, pointers: &[&str]) -> Option<u64> {
    pointers.iter().find_map(|pointer| instance.pointer(pointer).and_then(Value::as_u64))
}

/// Where the words of version 1 and of Pleroma differ, they come second.
pub(super) fn limits(instance: &Value) -> LimitOverrides {
    let number = |pointers: &[&str]| first_number(instance, pointers);
    let small = |pointers: &[&str]| number(pointers).and_then(|value| u32::try_from(value).ok());
    LimitOverrides {
        text_max: small(&["/configuration/statuses/max_characters", "/max_toot_chars"]),
        url_chars: small(&["/configuration/statuses/characters_reserved_per_url"]),
        images_max: small(&[
            "/configuration/statuses/max_media_attachments",
            "/max_media_attachments",
        ]),
        image_bytes_max: number(&[
            "/configuration/media_attachments/image_size_limit",
            "/upload_limit",
        ]),
        video_bytes_max: number(&[
            "/configuration/media_attachments/video_size_limit",
            "/upload_limit",
        ]),
        alt_chars_max: small(&[
            "/configuration/media_attachments/description_limit",
            "/description_limit",
        ]),
    }
}

/// Where NodeInfo stands, by its list of places: the newest on this very server.
pub(super) fn place_of_node_info(links: &Value, site: &Site) -> Option<String> {
    const SCHEMA: &str = "nodeinfo.diaspora.software/ns/schema/";
    let here = Url::parse(&site.url(SERVER, "")).ok()?;
    // A server may live below a path of its host.
    let base = here.path().trim_end_matches('/');
    let links = links["links"].as_array()?.iter().filter_map(|link| {
        let (_, version) = link["rel"].as_str()?.split_once(SCHEMA)?;
        let url = here.join(link["href"].as_str()?).ok()?;
        let path = url.path().strip_prefix(base).filter(|path| path.starts_with('/'))?;
        let is_here = url.origin() == here.origin();
        is_here.then(|| (version.to_owned(), path.to_owned()))
    });
    links.max().map(|(_, path)| path)
}

/// To be wrong here would be to trust a key that is not honoured. So Mastodon is only what calls
/// itself so wherever it was asked, and has a plain version of Mastodon's.
fn software(version: &str, name: Option<&str>) -> &'static str {
    let by_version = by_version(version);
    let Some(name) = name else { return by_version };
    let name = name.to_lowercase();
    let known = [GOTOSOCIAL, PIXELFED, PLEROMA, AKKOMA].into_iter().find(|known| *known == name);
    match known {
        Some(known) => known,
        None if name == MASTODON => by_version,
        // A fork with a name of its own, or something quite different.
        None if by_version == MASTODON => OTHER,
        None => by_version,
    }
}

/// Only a plain version of Mastodon's, from 3 on, is taken for Mastodon.
fn by_version(version: &str) -> &'static str {
    let lower = version.to_lowercase();
    for known in [PIXELFED, PLEROMA, AKKOMA, GOTOSOCIAL] {
        if lower.contains(known) {
            return known;
        }
    }
    let release = &lower[..lower.find(['-', '+']).unwrap_or(lower.len())];
    let numbers: Vec<Option<u32>> = release.split('.').map(|part| part.parse().ok()).collect();
    let is_plain = !lower.contains([' ', '(', ';']) && !lower.contains("git-");
    match numbers.as_slice() {
        [Some(major), Some(_), Some(_)] if *major >= 3 && is_plain => MASTODON,
        [Some(0), ..] => GOTOSOCIAL,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_plain_version_is_mastodon() {
        let cases = [
            ("4.5.0", "mastodon"),
            ("4.3.1+glitch", "mastodon"),
            ("4.6.0-alpha.1+fork-2", "mastodon"),
            ("0.20.0+git-9af4f86", "gotosocial"),
            ("0.17.3 git-9af4f86", "gotosocial"),
            ("3.5.3 (compatible; Pixelfed 0.12.3)", "pixelfed"),
            ("2.7.2 (compatible; Pleroma 2.6.0)", "pleroma"),
            ("2.7.2 (compatible; Akkoma 3.10.4)", "akkoma"),
            ("4.2.1 (compatible; Sharkey 2024.3.1)", "other"),
            ("4.0.0 (not true; snac/2.61)", "other"),
            ("takahe/0.11.0", "other"),
            ("4.5", "other"),
            ("", "other"),
        ];
        for (version, expected) in cases {
            assert_eq!(software(version, None), expected, "{version}");
        }
    }

    #[test]
    fn a_key_is_for_what_is_mastodon_by_both_its_names() {
        let cases = [
            ("4.5.0", "mastodon", "mastodon"),
            ("4.5.0", "Mastodon", "mastodon"),
            ("4.2.10+hometown-1.1.1", "hometown", "other"),
            ("4.5.0", "iceshrimp", "other"),
            ("4.5.0", "pixelfed", "pixelfed"),
            ("1.0.0", "gotosocial", "gotosocial"),
            ("2.7.2 (compatible; Akkoma 3.10.4)", "mastodon", "akkoma"),
            ("2.7.2 (compatible; Pleroma 2.6.0)", "rebased", "pleroma"),
            ("", "mastodon", "other"),
        ];
        for (version, name, expected) in cases {
            assert_eq!(software(version, Some(name)), expected, "{version} {name}");
        }
    }

    #[test]
    fn node_info_is_read_from_this_server_alone() {
        let base = "https://social.example".to_owned();
        let site =
            Site { endpoints: BTreeMap::from([(SERVER.to_owned(), base)]), ..Site::default() };
        let rel = |version: &str| format!("http://nodeinfo.diaspora.software/ns/schema/{version}");
        let links = |places: &[(&str, &str)]| {
            let link =
                |(version, href): &(&str, &str)| json!({ "rel": rel(version), "href": href });
            json!({ "links": places.iter().map(link).collect::<Vec<_>>() })
        };
        let place = |places: &[(&str, &str)]| place_of_node_info(&links(places), &site);
        let here = "https://social.example/nodeinfo/2.0";
        assert_eq!(place(&[("2.0", here)]).as_deref(), Some("/nodeinfo/2.0"));
        let newer = ("2.1", "/nodeinfo/2.1");
        assert_eq!(place(&[newer, ("2.0", here)]).as_deref(), Some("/nodeinfo/2.1"));
        assert_eq!(place(&[("2.0", "https://other.example/nodeinfo/2.0")]), None);
        assert_eq!(place(&[("2.0", "http://social.example/nodeinfo/2.0")]), None);
        assert_eq!(place(&[]), None);
        let below = "https://social.example/masto".to_owned();
        let below =
            Site { endpoints: BTreeMap::from([(SERVER.to_owned(), below)]), ..Site::default() };
        let links = links(&[("2.0", "https://social.example/masto/nodeinfo/2.0")]);
        assert_eq!(place_of_node_info(&links, &below).as_deref(), Some("/nodeinfo/2.0"));
        assert_eq!(place_of_node_info(&json!("links"), &site), None);
    }
}
