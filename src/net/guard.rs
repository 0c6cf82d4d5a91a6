//! Which addresses may be reached. People name servers, and servers name others by redirects; none
//! of them may make us speak to the machine itself, its network or a cloud's metadata service.
//!
//! Invariant: the address that was checked is the one that is connected to, because names are
//! checked as they are resolved for the connection. Literal addresses are never resolved, so those
//! are checked in the URL, where the `url` crate has already made `0x7f.1` into `127.0.0.1`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::net::{PrivateAddresses, Settings};

/// A refusal to connect. Shown to the person who named the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// How a URL may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Only if its name resolves to a public address.
    Guarded,
    /// Wherever its name leads.
    Open,
}

/// The rule for `url`, before its name is resolved.
pub fn way(url: &Url, settings: &Settings) -> Result<Way, Refused> {
    let Some(host) = url.host() else {
        return Err(Refused(format!("`{}:` is no address of a server", url.scheme())));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused(format!("the address of `{host}` carries a user name")));
    }
    if is_allowed(url, &settings.allowed_origins) {
        return Ok(Way::Open);
    }
    if url.scheme() != "https" {
        return Err(Refused(format!("`{host}` would be reached over plain `{}`", url.scheme())));
    }
    if settings.private_addresses == PrivateAddresses::Allowed {
        return Ok(Way::Open);
    }
    let address = match host {
        Host::Domain(_) => return Ok(Way::Guarded),
        Host::Ipv4(address) => IpAddr::V4(address),
        Host::Ipv6(address) => IpAddr::V6(address),
    };
    if is_public(address) { Ok(Way::Guarded) } else { Err(private(host)) }
}

/// Whether `url` has one of these origins.
pub fn is_allowed(url: &Url, allowed_origins: &[Url]) -> bool {
    allowed_origins.iter().any(|allowed| allowed.origin() == url.origin())
}

fn private(host: impl fmt::Display) -> Refused {
    Refused(format!("`{host}` is a private address, and the settings do not allow those"))
}

/// Resolves as the system does, and leaves out what is not public.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public = public_of(found).ok_or_else(|| private(name.as_str()))?;
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Of what a name leads to at this moment, what may be connected to; `None` for nothing.
fn public_of(found: impl Iterator<Item = SocketAddr>) -> Option<Vec<SocketAddr>> {
    let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
    (!public.is_empty()).then_some(public)
}

/// Reachable from anywhere on the internet, by IANA's special-purpose address registries.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network; connects to this machine
    ([10, 0, 0, 0], 8),      // private
    ([100, 64, 0, 0], 10),   // behind a carrier's NAT
    ([127, 0, 0, 0], 8),     // this machine
    ([169, 254, 0, 0], 16),  // link-local; cloud metadata
    ([172, 16, 0, 0], 12),   // private
    ([192, 0, 0, 0], 24),    // protocol assignments
    ([192, 0, 2, 0], 24),    // documentation
    ([192, 88, 99, 0], 24),  // 6to4 relays
    ([192, 168, 0, 0], 16),  // private
    ([198, 18, 0, 0], 15),   // benchmarking
    ([198, 51, 100, 0], 24), // documentation
    ([203, 0, 113, 0], 24),  // documentation
    ([224, 0, 0, 0], 4),     // multicast
    ([240, 0, 0, 0], 4),     // reserved; broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|&(network, bits)| {
        let mask = u32::MAX << (32 - bits);
        u32::from(address) & mask == u32::from(Ipv4Addr::from(network))
    })
}

/// Only 2000::/3 is given out; all else (loopback, unique local, link-local, multicast …) is not
/// public. Addresses that carry an IPv4 address are as public as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded_v4(address) {
        return is_public_v4(embedded);
    }
    match address.segments() {
        // 2001::/23 is for protocols: Teredo (which hides an IPv4 address), benchmarking, ORCHID.
        [0x2001, 0..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        // IPv4-mapped.
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(v4(high, low)),
        // NAT64, with its well-known prefix.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    fn reach(text: &str, settings: &Settings) -> Option<Way> {
        way(&Url::parse(text).unwrap(), settings).ok()
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(text), "{text}");
        }
    }

    #[test]
    fn neighbours_of_special_addresses_are_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
            "2002:101:101::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(public(text), "{text}");
        }
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        let settings = Settings::standard();
        for text in [
            "https://127.0.0.1/",
            "https://127.0.0.1./",
            "https://127.1/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://0/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:a00:1]/",
            "https://[fe80::1]/",
            "https://１２７.0.0.1/",
        ] {
            assert_eq!(reach(text, &settings), None, "{text}");
        }
    }

    #[test]
    fn only_https_without_a_user_name_is_reached() {
        let settings = Settings::standard();
        assert_eq!(reach("https://example.com/", &settings), Some(Way::Guarded));
        assert_eq!(reach("https://1.1.1.1/", &settings), Some(Way::Guarded));
        for text in [
            "http://example.com/",
            "https://me@example.com/",
            "https://:word@example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "data:,x",
        ] {
            assert_eq!(reach(text, &settings), None, "{text}");
        }
    }

    #[test]
    fn allowed_origin_is_open_and_its_neighbour_port_is_not() {
        let mut settings = Settings::standard();
        settings.allowed_origins = vec![Url::parse("http://127.0.0.1:4040/ignored").unwrap()];
        assert_eq!(reach("http://127.0.0.1:4040/api", &settings), Some(Way::Open));
        assert_eq!(reach("http://127.0.0.1:4041/api", &settings), None);
        assert_eq!(reach("https://127.0.0.1:4040/api", &settings), None);
        settings.private_addresses = PrivateAddresses::Allowed;
        assert_eq!(reach("https://127.0.0.1:4041/api", &settings), Some(Way::Open));
        assert_eq!(reach("http://127.0.0.1:4041/api", &settings), None);
    }

    /// Each connection resolves anew, so what a name led to before counts for nothing.
    #[test]
    fn name_that_leads_inside_the_second_time_is_refused_the_second_time() {
        let addresses = |texts: &[&str]| {
            let all = texts.iter().map(|text| text.parse().unwrap());
            public_of(all.collect::<Vec<SocketAddr>>().into_iter())
        };
        let outside = "1.1.1.1:443".parse().unwrap();
        assert_eq!(addresses(&["1.1.1.1:443"]), Some(vec![outside]));
        assert_eq!(addresses(&["127.0.0.1:443"]), None);
        // Both at once: only what is outside is tried, also if it does not answer.
        assert_eq!(addresses(&["127.0.0.1:443", "1.1.1.1:443", "[::1]:443"]), Some(vec![outside]));
        assert_eq!(addresses(&["[::ffff:10.0.0.1]:443", "169.254.169.254:80"]), None);
        assert_eq!(addresses(&[]), None);
    }

    #[tokio::test]
    async fn names_resolve_to_public_addresses_alone() {
        for (name, expected) in [("1.1.1.1", Some("1.1.1.1:0")), ("10.0.0.1", None)] {
            match PublicOnly.resolve(name.parse().unwrap()).await {
                Ok(found) => {
                    let found: Vec<String> = found.map(|address| address.to_string()).collect();
                    assert_eq!(found, Vec::from_iter(expected));
                }
                Err(error) => assert!(expected.is_none() && error.is::<Refused>(), "{error}"),
            }
        }
    }
}
