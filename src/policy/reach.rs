//! Decides whether a platform can fetch files from us, where it takes them no other way.
//!
//! It is asked while a post is planned, so that nobody learns at its time that the platform found
//! no file at an address of the local network.

use std::net::IpAddr;

use url::{Host, Url};

use crate::domain::{
    media::MediaKind,
    platform::Intake,
    problem::{Code, Problem},
};

/// Both sides of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct Fetch<'a> {
    /// The platform's name as people write it.
    pub platform: &'a str,
    pub intake: Intake,
    /// The setting `server.public_url`.
    pub public_url: &'a str,
    /// Where we reach the platform.
    pub endpoints: &'a [&'a str],
    /// Whether an address is one of the whole internet.
    pub is_public: fn(IpAddr) -> bool,
}

/// `files`: the kinds of what would be fetched. `None`: nothing, or it can be.
pub fn check(fetch: &Fetch, files: impl IntoIterator<Item = MediaKind>) -> Option<Problem> {
    let fetched = |kind: MediaKind| match (fetch.intake, kind) {
        (Intake::Bytes, _) => false,
        (Intake::AllByUrl, _) | (Intake::ImagesByUrl, MediaKind::Image | MediaKind::Gif) => true,
        (Intake::ImagesByUrl, MediaKind::Video | MediaKind::Document) => false,
    };
    if !files.into_iter().any(fetched) {
        return None;
    }
    // A simulated platform, or one in the same house, sees what we see.
    let at_home = |url: &&str| obstacle(url, fetch.is_public) == Some(Obstacle::Local);
    if !fetch.endpoints.is_empty() && fetch.endpoints.iter().all(at_home) {
        return None;
    }
    let (platform, url) = (fetch.platform, fetch.public_url);
    let why = match obstacle(url, fetch.is_public)? {
        Obstacle::Local => "which only this machine or its network can reach",
        Obstacle::Plain => "which is not `https`",
    };
    Some(Problem::new(
        Code::Invalid,
        format!(
            "{platform} fetches files from us by itself, and `server.public_url` is {url}, {why}."
        ),
        "Set `server.public_url` to an `https` address that leads here from the internet, for \
         example by a reverse proxy, and start Fanfare again.",
    ))
}

/// Whether the internet can reach this address of ours, as far as it tells.
pub fn is_reachable(public_url: &str, is_public: fn(IpAddr) -> bool) -> bool {
    obstacle(public_url, is_public).is_none()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    Local,
    Plain,
}

fn obstacle(url: &str, is_public: fn(IpAddr) -> bool) -> Option<Obstacle> {
    let Ok(url) = Url::parse(url) else { return Some(Obstacle::Local) };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => is_local_name(name),
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        None => true,
    };
    match (is_local, url.scheme()) {
        (true, _) => Some(Obstacle::Local),
        (false, "https") => None,
        (false, _) => Some(Obstacle::Plain),
    }
}

/// Names that the public name system does not know: RFC 2606, 6761, 6762, 7686 and 8375, ICANN's
/// `internal`, and what routers give out.
const LOCAL_ENDINGS: &[&str] = &[
    "corp",
    "example",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localhost",
    "onion",
    "test",
];

fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let ends = |ending: &&str| {
        name.strip_suffix(*ending).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    !name.contains('.') || LOCAL_ENDINGS.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough of one for these tests; the real one is the client's.
    fn is_public(address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => !address.is_private() && !address.is_loopback(),
            IpAddr::V6(address) => !address.is_loopback(),
        }
    }

    fn checked(intake: Intake, url: &str, endpoints: &[&str], kind: MediaKind) -> Option<Problem> {
        let fetch = Fetch { platform: "Testagram", intake, public_url: url, endpoints, is_public };
        check(&fetch, [kind])
    }

    const PLATFORM: &[&str] = &["https://graph.testagram.com"];

    #[test]
    fn only_an_https_address_of_the_internet_can_be_fetched_from() {
        for (url, fine) in [
            ("https://posts.example.org", true),
            ("https://posts.example.org:8443/fanfare", true),
            ("https://8.8.8.8", true),
            ("http://posts.example.org", false),
            ("http://127.0.0.1:7700", false),
            ("https://127.0.0.1", false),
            ("https://192.168.1.4", false),
            ("https://[::1]", false),
            ("https://localhost", false),
            ("https://fanfare", false),
            ("https://fanfare.", false),
            ("https://nas.local", false),
            ("https://posts.home.arpa", false),
            ("https://latest", false),
            ("https://contest.org", true),
            ("nonsense", false),
        ] {
            let found = checked(Intake::AllByUrl, url, PLATFORM, MediaKind::Video);
            assert_eq!(found.is_none(), fine, "{url}: {found:?}");
            if let Some(problem) = found {
                assert!(problem.sentence.contains("server.public_url"), "{}", problem.sentence);
                assert!(problem.sentence.contains(url), "{}", problem.sentence);
                assert!(problem.remedy.contains("https"), "{}", problem.remedy);
            }
        }
    }

    #[test]
    fn only_what_is_fetched_counts() {
        use MediaKind::{Document, Gif, Image, Video};
        for (intake, kind, fetched) in [
            (Intake::Bytes, Image, false),
            (Intake::Bytes, Video, false),
            (Intake::ImagesByUrl, Image, true),
            (Intake::ImagesByUrl, Gif, true),
            (Intake::ImagesByUrl, Video, false),
            (Intake::ImagesByUrl, Document, false),
            (Intake::AllByUrl, Image, true),
            (Intake::AllByUrl, Video, true),
            (Intake::AllByUrl, Document, true),
        ] {
            let found = checked(intake, "http://localhost", PLATFORM, kind);
            assert_eq!(found.is_some(), fetched, "{intake:?} {kind:?}");
        }
        let fetch = Fetch {
            platform: "Testagram",
            intake: Intake::AllByUrl,
            public_url: "http://localhost",
            endpoints: PLATFORM,
            is_public,
        };
        assert_eq!(check(&fetch, []), None, "a text needs no address");
    }

    #[test]
    fn a_platform_on_the_same_network_reaches_what_we_reach() {
        let ask = |endpoints: &[&str]| {
            checked(Intake::AllByUrl, "http://127.0.0.1:7700", endpoints, MediaKind::Image)
        };
        assert_eq!(ask(&["http://127.0.0.1:7701/threads"]), None);
        assert_eq!(ask(&["http://127.0.0.1:7701", "http://sandbox:7701"]), None);
        assert!(ask(&["http://127.0.0.1:7701", "https://graph.testagram.com"]).is_some());
        assert!(ask(&[]).is_some());
    }
}
