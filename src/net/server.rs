//! What people type when asked for their server, made into the base URL of that server.

use url::{Host, Url};

use crate::net::guard;

/// Why a text names no server; a sentence for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("type the name of your server, such as `mastodon.social`")]
    Empty,
    #[error("this is no server name; it should look like `mastodon.social`")]
    NoName,
    #[error("this address carries a password; type only the name of your server")]
    UserName,
    #[error("type only the name of your server, without what follows it")]
    Path,
    #[error("servers are reached on the usual port; leave the number out")]
    Port,
    #[error("type the name of your server, not a numeric address")]
    Address,
}

/// `mastodon.social`, `@me@mastodon.social`, `https://mastodon.social/@me` all mean
/// `https://mastodon.social`. Never answers with plain http, but for an allowed origin.
pub fn base_url(typed: &str, allowed_origins: &[Url]) -> Result<String, Unclear> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Unclear::Empty);
    }
    let url = match scheme_of(typed) {
        Some("http" | "https") => Url::parse(typed).map_err(|_| Unclear::NoName)?,
        Some(_) => return Err(Unclear::NoName),
        None => {
            // `@me@server` and `me@server` are how people write their own name there.
            let (name, path) = typed.split_at(typed.find('/').unwrap_or(typed.len()));
            let server = name.rsplit_once('@').map_or(name, |(_, server)| server);
            Url::parse(&format!("https://{server}{path}")).map_err(|_| Unclear::NoName)?
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Unclear::UserName);
    }
    let path = url.path();
    let is_profile = path.starts_with("/@") && !path[1..].contains('/');
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Unclear::Path);
    }
    if guard::is_allowed(&url, allowed_origins) {
        // One origin of the operator's choice may hold several servers, as the sandbox does.
        let below = if is_profile { "" } else { path.trim_end_matches('/') };
        return Ok(format!("{}{below}", url.origin().ascii_serialization()));
    }
    if !(path == "/" || is_profile) {
        return Err(Unclear::Path);
    }
    match url.host() {
        None => Err(Unclear::NoName),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => Err(Unclear::Address),
        Some(Host::Domain(_)) if url.port().is_some() => Err(Unclear::Port),
        Some(Host::Domain(name)) => full_name(name).map(|name| format!("https://{name}")),
    }
}

fn scheme_of(typed: &str) -> Option<&str> {
    typed.split_once("://").map(|(scheme, _)| scheme)
}

/// Two labels at least: a name without a dot is one of the local network.
fn full_name(name: &str) -> Result<&str, Unclear> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
    };
    if name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) {
        Ok(name)
    } else {
        Err(Unclear::NoName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed: &str, expected: Result<&str, Unclear>) {
        let sandbox = [Url::parse("http://127.0.0.1:4040").unwrap()];
        assert_eq!(base_url(typed, &sandbox), expected.map(str::to_owned), "{typed:?}");
    }

    #[test]
    fn every_usual_way_to_name_a_server_is_understood() {
        for typed in [
            "mastodon.social",
            " mastodon.social\n",
            "Mastodon.Social",
            "mastodon.social.",
            "mastodon.social/",
            "mastodon.social:443",
            "me@mastodon.social",
            "@me@mastodon.social",
            "https://mastodon.social",
            "https://mastodon.social/",
            "https://mastodon.social:443/",
            "https://mastodon.social/@me",
            "mastodon.social/@me",
            "ｍastodon.social",
        ] {
            check(typed, Ok("https://mastodon.social"));
        }
        check("http://mastodon.social", Ok("https://mastodon.social"));
        check("bücher.example", Ok("https://xn--bcher-kva.example"));
        check("@ich@bücher.example", Ok("https://xn--bcher-kva.example"));
    }

    #[test]
    fn allowed_origin_keeps_its_scheme_and_port() {
        check("http://127.0.0.1:4040", Ok("http://127.0.0.1:4040"));
        check("http://127.0.0.1:4040/", Ok("http://127.0.0.1:4040"));
        check("http://127.0.0.1:4041", Err(Unclear::Address));
    }

    #[test]
    fn what_names_no_server_is_refused_with_its_reason() {
        check("", Err(Unclear::Empty));
        check("  ", Err(Unclear::Empty));
        check("@", Err(Unclear::NoName));
        check("@me", Err(Unclear::NoName));
        check("localhost", Err(Unclear::NoName));
        check("my server.social", Err(Unclear::NoName));
        check("a..b", Err(Unclear::NoName));
        check("ftp://mastodon.social", Err(Unclear::NoName));
        check("javascript://mastodon.social", Err(Unclear::NoName));
        check("https://", Err(Unclear::NoName));
        check("https://me:word@mastodon.social", Err(Unclear::UserName));
        check("https://me@mastodon.social", Err(Unclear::UserName));
        check("mastodon.social/api/v1", Err(Unclear::Path));
        check("https://mastodon.social/?a=b", Err(Unclear::Path));
        check("https://mastodon.social/#a", Err(Unclear::Path));
        check("mastodon.social:8443", Err(Unclear::Port));
        check("192.168.1.1", Err(Unclear::Address));
        check("0x7f.1", Err(Unclear::Address));
        check("127.1", Err(Unclear::Address));
        check("2130706433", Err(Unclear::Address));
        check("[::ffff:10.0.0.1]", Err(Unclear::Address));
    }
}
