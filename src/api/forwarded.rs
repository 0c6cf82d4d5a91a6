//! Where a request came from, as a proxy tells it that the settings trust.
//!
//! Invariants:
//! - what somebody says who is not trusted is never believed;
//! - of a chain of addresses the rightmost that is not a trusted proxy's counts: all that is left
//!   of it could have been written by whoever is there.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;

use super::seat::ClientAddress;

/// Whom to believe, and where they say it.
#[derive(Clone, Debug)]
pub struct Proxies {
    pub trusted: Vec<IpNet>,
    /// Holds one address or more, with commas between them; each proxy adds whom it saw.
    pub header: HeaderName,
}

impl Default for Proxies {
    fn default() -> Proxies {
        Proxies { trusted: Vec::new(), header: HeaderName::from_static("x-forwarded-for") }
    }
}

/// The layer around everything that asks where a request came from.
pub(crate) async fn resolve(
    State(proxies): State<Arc<Proxies>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(peer)) = peer
        && request.extensions().get::<ClientAddress>().is_none()
    {
        let client = client(&proxies, peer.ip(), request.headers());
        request.extensions_mut().insert(ClientAddress(client));
    }
    next.run(request).await
}

/// The first who is not trusted, seen from here.
fn client(proxies: &Proxies, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    // Who listens on all addresses is told of IPv4 in the form of IPv6.
    let mut client = peer.to_canonical();
    let is_trusted = |address: IpAddr| proxies.trusted.iter().any(|net| net.contains(&address));
    let lines = headers.get_all(&proxies.header).into_iter();
    let mut told: Vec<&str> = Vec::new();
    for line in lines {
        told.extend(line.to_str().unwrap_or("?").split(','));
    }
    while is_trusted(client) {
        // Whoever is not readable is at least not the one who told of them.
        let Some(before) = told.pop().and_then(address) else { break };
        client = before;
    }
    client
}

/// Some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let address: IpAddr = text.parse().ok().or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, lines: &[&str]) -> String {
        let trusted = ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"];
        let trusted = trusted.map(|text| text.parse().unwrap()).to_vec();
        let proxies = Proxies { trusted, ..Proxies::default() };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn stranger_is_not_believed() {
        assert_eq!(from("192.0.2.9", &["1.1.1.1"]), "192.0.2.9");
        assert_eq!(from("::ffff:192.0.2.9", &["1.1.1.1"]), "192.0.2.9");
    }

    #[test]
    fn rightmost_address_that_is_no_proxy_counts() {
        for (peer, lines, expected) in [
            ("127.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
            ("::ffff:127.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["6.6.6.6, 192.0.2.1, 10.1.2.3"], "192.0.2.1"),
            ("127.0.0.1", &["6.6.6.6", "192.0.2.1", "10.1.2.3,10.9.9.9"], "192.0.2.1"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("127.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            // Inside one's own network all are proxies: the furthest counts.
            ("127.0.0.1", &["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        ] {
            assert_eq!(from(peer, lines), expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn who_tells_of_nobody_readable_counts_themselves() {
        for lines in [&[][..], &[""], &["unknown"], &["6.6.6.6, _hidden"], &["6.6.6.6,"]] {
            assert_eq!(from("127.0.0.1", lines), "127.0.0.1", "{lines:?}");
        }
        assert_eq!(from("127.0.0.1", &["6.6.6.6, what, 10.0.0.8"]), "10.0.0.8");
    }
}
