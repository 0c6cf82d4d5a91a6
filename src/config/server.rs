//! Where Fanfare answers, and whom it believes and lets in there.

use std::net::SocketAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Fault, check_url, fault, reachable};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    /// Without a trailing slash once loaded, and never empty then.
    pub public_url: String,
    /// Addresses, or networks such as `10.0.0.0/8`.
    pub trusted_proxies: Vec<String>,
    /// The one header of a trusted proxy that is believed. Lower case once loaded.
    pub forwarded_header: String,
    /// Each as a browser spells it once loaded.
    pub cors_origins: Vec<String>,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            listen: SocketAddr::from(([127, 0, 0, 1], 7700)),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: "x-forwarded-for".to_owned(),
            cors_origins: Vec::new(),
        }
    }
}

impl Server {
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        self.settle_public_url()?;
        for text in &self.trusted_proxies {
            if network(text).is_none() {
                let wrong = format!("has `{text}`, which is no address and no network");
                let remedy = "Write \"127.0.0.1\" or \"10.0.0.0/8\".";
                return Err(fault("server.trusted_proxies", &wrong, remedy));
            }
        }
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        self.forwarded_header.make_ascii_lowercase();
        // Its form is another one; read as a list of addresses it would never tell any.
        if self.forwarded_header == "forwarded" {
            let remedy = "Let the proxy send `X-Forwarded-For`.";
            return Err(fault("server.forwarded_header", "is a header of RFC 7239", remedy));
        }
        if self.forwarded_header.is_empty() || !self.forwarded_header.bytes().all(letter) {
            let remedy = "Write a header's name, such as \"x-forwarded-for\".";
            return Err(fault("server.forwarded_header", "is no name of a header", remedy));
        }
        for origin in &mut self.cors_origins {
            *origin = origin_of(origin)?;
        }
        Ok(())
    }

    fn settle_public_url(&mut self) -> Result<(), Fault> {
        let given = self.public_url.trim_end_matches('/').to_owned();
        if given.is_empty() {
            self.public_url = format!("http://{}", reachable(self.listen));
            return Ok(());
        }
        let remedy = "Write the address that people open, such as \"https://posts.example.org\".";
        let key = "server.public_url";
        let url = check_url(&given).map_err(|wrong| fault(key, &wrong, remedy))?;
        if url.path() != "/" {
            return Err(fault(key, "has a path, and Fanfare answers at the root", remedy));
        }
        self.public_url = given;
        Ok(())
    }

    pub fn proxies(&self) -> Vec<IpNet> {
        self.trusted_proxies.iter().filter_map(|text| network(text)).collect()
    }

    /// Whether a proxy must be in front, and whatever comes from it seems to come from itself.
    pub fn distrusts_its_proxy(&self) -> bool {
        self.public_url.starts_with("https://") && self.trusted_proxies.is_empty()
    }
}

fn network(text: &str) -> Option<IpNet> {
    let alone = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
    text.parse().ok().or_else(alone)
}

fn origin_of(text: &str) -> Result<String, Fault> {
    let key = "server.cors_origins";
    let remedy = "Write a scheme and a host, such as \"https://app.example.org\".";
    let named = |wrong: String| format!("has `{text}`, which {wrong}");
    let url: Url =
        check_url(text).map_err(|wrong| fault(key, &named(format!("({wrong})")), remedy))?;
    if url.path() != "/" {
        return Err(fault(key, &named("has a path".to_owned()), remedy));
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_url_is_derived_or_checked() {
        let listen = "0.0.0.0:80".parse().unwrap();
        let mut server = Server { listen, ..Server::default() };
        server.settle().unwrap();
        assert_eq!(server.public_url, "http://127.0.0.1:80");
        server.public_url = "https://posts.example.org/".to_owned();
        server.settle().unwrap();
        assert_eq!(server.public_url, "https://posts.example.org");
        for wrong in ["posts.example.org", "ftp://a", "https://a/b", "https://a?b", "http://u@a"] {
            server.public_url = wrong.to_owned();
            assert_eq!(server.settle().unwrap_err().key, "server.public_url", "{wrong}");
        }
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let settled = |text: &str| {
            let trusted_proxies = vec![text.to_owned()];
            let mut server = Server { trusted_proxies, ..Server::default() };
            server.settle().map(|()| server.proxies()[0].to_string())
        };
        assert_eq!(settled("127.0.0.1").unwrap(), "127.0.0.1/32");
        assert_eq!(settled("::1").unwrap(), "::1/128");
        assert_eq!(settled("10.0.0.0/8").unwrap(), "10.0.0.0/8");
        for wrong in ["", "localhost", "10.0.0.0/33", "10.0.0", "*"] {
            assert_eq!(settled(wrong).unwrap_err().key, "server.trusted_proxies", "{wrong}");
        }
    }

    #[test]
    fn origins_are_as_browsers_spell_them() {
        let settled = |text: &str| {
            let mut server = Server { cors_origins: vec![text.to_owned()], ..Server::default() };
            server.settle().map(|()| server.cors_origins.remove(0))
        };
        assert_eq!(settled("https://App.example.org:443/").unwrap(), "https://app.example.org");
        assert_eq!(settled("http://localhost:3000").unwrap(), "http://localhost:3000");
        for wrong in ["*", "null", "", "app.example.org", "https://a/b", "https://u@a"] {
            assert_eq!(settled(wrong).unwrap_err().key, "server.cors_origins", "{wrong}");
        }
    }

    #[test]
    fn one_header_is_believed_and_it_is_a_list_of_addresses() {
        let settled = |text: &str| {
            let mut server = Server { forwarded_header: text.to_owned(), ..Server::default() };
            server.settle().map(|()| server.forwarded_header)
        };
        assert_eq!(settled("CF-Connecting-IP").unwrap(), "cf-connecting-ip");
        for wrong in ["", "Forwarded", "a b", "x:"] {
            assert_eq!(settled(wrong).unwrap_err().key, "server.forwarded_header", "{wrong}");
        }
    }
}
