//! The settings: what there is to choose, and where the choice comes from.
//!
//! Defaults, then a file, then the environment, then flags; the later one wins.
//! `config/fanfare.toml` is the manual and part of the binary; a test keeps it equal to the
//! defaults.
//!
//! Never: read anywhere else. This is the only file that looks at the environment or at a settings
//! file, and whoever needs a section is given that section.

mod keeping;
mod people;
mod secrets;
mod server;
mod source;
pub mod words;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    clock::Clock,
    domain::{mortality::Mortality, nearest::nearest},
    engine::{self, AppCredentials, NetSettings, Place, Settings},
    entropy::Entropy,
};

use self::secrets::read_either;
pub use self::{
    keeping::{Audit, Organizations},
    people::{Login, Oidc},
    server::Server,
    source::{Error, Flags, load},
    words::{SecretText, Span},
};

/// Every option with its default and a sentence, as installed beside the binary.
pub const MANUAL: &str = include_str!("../config/fanfare.toml");

/// No platform's answer is longer; what is longer is an attack or a mistake.
const REPLY_BYTES_MAX: u64 = 8 * MIB;

const MIB: u64 = 1024 * 1024;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub server: Server,
    pub data: Data,
    pub vault: Vault,
    pub pacing: Pacing,
    pub net: Net,
    pub engine: Engine,
    pub log: Log,
    pub limits: Limits,
    pub audit: Audit,
    pub organizations: Organizations,
    pub login: Login,
    pub oidc: Oidc,
    pub platforms: BTreeMap<String, Platform>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    pub directory: PathBuf,
    pub cache_mib: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Vault {
    pub key: SecretText,
    /// Empty: none was named.
    pub key_file: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pacing {
    pub posts_per_hour: u32,
    pub grace: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Net {
    pub timeout: Span,
    pub connect_timeout: Span,
    pub private_addresses: PrivateAddresses,
    pub allowed_origins: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateAddresses {
    Refuse,
    Allow,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    pub rest_after: Span,
    pub stop_deadline: Span,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    /// A level, or levels by module, as `tracing` reads them.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub upload_mib: u64,
    pub requests_per_minute: u32,
    pub connections: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Platform {
    pub client_id: String,
    pub client_secret: SecretText,
    /// Read into `client_secret` when loaded.
    pub client_secret_file: PathBuf,
    /// Empty: the one that this build was written for.
    pub version: String,
    pub endpoints: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            server: Server::default(),
            data: Data::default(),
            vault: Vault::default(),
            pacing: Pacing::default(),
            net: Net::default(),
            engine: Engine::default(),
            log: Log::default(),
            limits: Limits::default(),
            audit: Audit::default(),
            organizations: Organizations::default(),
            login: Login::default(),
            oidc: Oidc::default(),
            platforms: BTreeMap::from([("x".to_owned(), Platform::default())]),
        }
    }
}

impl Default for Data {
    fn default() -> Data {
        Data { directory: PathBuf::from("fanfare-data"), cache_mib: 64 }
    }
}

impl Default for Vault {
    fn default() -> Vault {
        Vault { key: SecretText(None), key_file: PathBuf::new() }
    }
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing { posts_per_hour: 10, grace: Span::seconds(15 * 60) }
    }
}

impl Default for Net {
    fn default() -> Net {
        Net {
            timeout: Span::seconds(30),
            connect_timeout: Span::seconds(10),
            private_addresses: PrivateAddresses::Refuse,
            allowed_origins: Vec::new(),
        }
    }
}

impl Default for Engine {
    fn default() -> Engine {
        Engine { rest_after: Span::seconds(60 * 60), stop_deadline: Span::seconds(20) }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { upload_mib: 512, requests_per_minute: 6_000, connections: 512 }
    }
}

impl Default for Platform {
    fn default() -> Platform {
        Platform {
            client_id: String::new(),
            client_secret: SecretText(None),
            client_secret_file: PathBuf::new(),
            version: String::new(),
            endpoints: BTreeMap::new(),
        }
    }
}

/// A value that cannot be used: its key, what is wrong with it, and what to do.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("`{key}` {wrong}. {remedy}")]
pub struct Fault {
    pub key: String,
    pub wrong: String,
    pub remedy: String,
}

impl Config {
    /// Brings the values into the form that is promised for a loaded configuration.
    fn settle(&mut self) -> Result<(), Fault> {
        self.server.settle()?;
        if self.vault.key.0.is_some() && !self.vault.key_file.as_os_str().is_empty() {
            let remedy = "Keep one of the two.";
            return Err(fault("vault.key_file", "is set, and so is `vault.key`", remedy));
        }
        let positive = [
            ("pacing.posts_per_hour", u64::from(self.pacing.posts_per_hour)),
            ("data.cache_mib", self.data.cache_mib),
            ("limits.upload_mib", self.limits.upload_mib),
            ("limits.connections", u64::from(self.limits.connections)),
            ("net.timeout", self.net.timeout.0.as_secs()),
            ("net.connect_timeout", self.net.connect_timeout.0.as_secs()),
            ("login.session_idle", self.login.session_idle.0.as_secs()),
            ("organizations.deletion_grace", self.organizations.deletion_grace.0.as_secs()),
            ("login.session_lasts", self.login.session_lasts.0.as_secs()),
        ];
        for (key, value) in positive {
            if value == 0 {
                return Err(fault(key, "is less than 1", "Give a larger value."));
            }
        }
        self.audit.settle()?;
        self.oidc.settle()?;
        for (name, platform) in &mut self.platforms {
            platform.settle(name)?;
        }
        Ok(())
    }

    /// Refuses settings for platforms and endpoints that this build does not have.
    pub fn check_platforms<'a>(
        &self,
        known: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
    ) -> Result<(), Fault> {
        let known: BTreeMap<&str, Vec<&str>> = known.collect();
        let unset = Platform::default();
        for (name, platform) in self.platforms.iter().filter(|(_, platform)| **platform != unset) {
            let Some(endpoints) = known.get(name.as_str()) else {
                let key = format!("platforms.{name}");
                return Err(unknown(&key, "a platform", name, known.keys().copied()));
            };
            for endpoint in platform.endpoints.keys() {
                if !endpoints.contains(&endpoint.as_str()) {
                    let key = format!("platforms.{name}.endpoints.{endpoint}");
                    let endpoints = endpoints.iter().copied();
                    return Err(unknown(&key, "an endpoint", endpoint, endpoints));
                }
            }
        }
        Ok(())
    }

    /// API versions that replace a platform's default, by platform.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let set = self.platforms.iter().filter(|(_, platform)| !platform.version.is_empty());
        set.map(|(name, platform)| (name.clone(), platform.version.clone())).collect()
    }

    /// What the engine is started with.
    pub fn settings(&self, clock: Clock, entropy: Entropy) -> Settings {
        let endpoints =
            self.platforms.iter().filter(|(_, platform)| !platform.endpoints.is_empty());
        let apps = self.platforms.iter().filter(|(_, platform)| !platform.client_id.is_empty());
        let key_file = &self.vault.key_file;
        Settings {
            data: Place::Directory(self.data.directory.clone()),
            cache_bytes: self.data.cache_mib.saturating_mul(MIB),
            vault_key: self.vault.key.0.clone(),
            vault_key_file: (!key_file.as_os_str().is_empty()).then(|| key_file.clone()),
            public_url: self.server.public_url.clone(),
            net: self.net.settings(),
            endpoints: endpoints
                .map(|(name, platform)| (name.clone(), platform.endpoints.clone()))
                .collect(),
            versions: self.versions(),
            apps: apps.map(|(name, platform)| (name.clone(), platform.credentials())).collect(),
            posts_per_hour: self.pacing.posts_per_hour,
            grace: self.pacing.grace.0,
            audit_keep: Some(self.audit.keep.0).filter(|keep| !keep.is_zero()),
            deletion_grace: self.organizations.deletion_grace.0,
            rest_after: self.engine.rest_after.0,
            login: self.login.settings(),
            oidc: self.oidc.settings(),
            quiet: false,
            upload_bytes_max: self.limits.upload_mib.saturating_mul(MIB),
            clock,
            entropy,
            mortality: Mortality::default(),
        }
    }
}

impl Net {
    fn settings(&self) -> NetSettings {
        NetSettings {
            timeout: self.timeout.0,
            connect_timeout: self.connect_timeout.0,
            reply_bytes_max: REPLY_BYTES_MAX,
            private_addresses: match self.private_addresses {
                PrivateAddresses::Refuse => engine::PrivateAddresses::Refused,
                PrivateAddresses::Allow => engine::PrivateAddresses::Allowed,
            },
            allowed_origins: self.allowed_origins.clone(),
        }
    }
}

impl Platform {
    fn settle(&mut self, name: &str) -> Result<(), Fault> {
        let key = |field: &str| format!("platforms.{name}.{field}");
        self.client_secret = read_either(
            &key("client_secret_file"),
            self.client_secret.clone(),
            &self.client_secret_file,
        )?;
        if self.client_id.is_empty() && self.client_secret.0.is_some() {
            let remedy = "Both come from the platform's developer pages.";
            return Err(fault(&key("client_id"), "is empty, but there is a secret", remedy));
        }
        for (endpoint, url) in &mut self.endpoints {
            let key = key(&format!("endpoints.{endpoint}"));
            *url = url.trim_end_matches('/').to_owned();
            check_url(url)
                .map_err(|wrong| fault(&key, &wrong, "Write a base URL with http or https."))?;
        }
        Ok(())
    }

    fn credentials(&self) -> AppCredentials {
        let client_secret = self.client_secret.0.clone();
        AppCredentials { client_id: self.client_id.clone(), client_secret }
    }
}

/// Where a program on this machine reaches what listens there: nobody can call "all addresses".
pub fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen {
            SocketAddr::V4(_) => [127, 0, 0, 1].into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

fn check_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err("is neither http nor https".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("has more than a host, a port and a path".to_owned());
    }
    Ok(url)
}

fn fault(key: &str, wrong: &str, remedy: &str) -> Fault {
    Fault { key: key.to_owned(), wrong: wrong.to_owned(), remedy: remedy.to_owned() }
}

fn unknown<'a>(
    key: &str,
    what: &str,
    meant: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Fault {
    let remedy = match nearest(meant, known.clone()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if known.clone().next().is_none() => "Leave it out: there is none.".to_owned(),
        None => format!("There are: {}.", known.collect::<Vec<_>>().join(", ")),
    };
    fault(key, &format!("names {what} that this version does not have"), &remedy)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::domain::secret::Secret;

    fn keys(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        if let Value::Object(fields) = value {
            for (name, value) in fields {
                let place = format!("{at}{name}");
                keys(value, &format!("{place}."), found);
                found.insert(place);
            }
        }
    }

    #[test]
    fn manual_equals_the_defaults_and_names_every_field() {
        let written: Config = source::read_manual(MANUAL);
        assert_eq!(written, Config::default());
        let (mut named, mut existing) = (BTreeSet::new(), BTreeSet::new());
        keys(&source::read_manual(MANUAL), "", &mut named);
        keys(&serde_json::to_value(Config::default()).unwrap(), "", &mut existing);
        assert_eq!(named, existing);
    }

    #[test]
    fn secrets_are_never_written_out() {
        let mut config = Config::default();
        config.vault.key = SecretText(Some(Secret::new("hunter2")));
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn platform_that_does_not_exist_is_answered_with_the_nearest() {
        let mut config = Config::default();
        let unused = Platform { client_id: "a".to_owned(), ..Platform::default() };
        config.platforms.insert("mastodno".to_owned(), unused);
        let known = || [("x", vec!["api", "web"]), ("mastodon", vec![])].into_iter();
        let fault = config.check_platforms(known()).unwrap_err();
        assert_eq!(fault.key, "platforms.mastodno");
        assert_eq!(fault.remedy, "Did you mean `mastodon`?");
        config.platforms.remove("mastodno");
        assert_eq!(config.check_platforms(known()), Ok(()));
    }
}
