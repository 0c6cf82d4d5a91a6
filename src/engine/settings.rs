//! What an engine is started with. Made by `config`, already checked.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use crate::{
    clock::Clock,
    domain::{mortality::Mortality, organization::Role, secret::Secret},
    entropy::Entropy,
    store::Memory,
};

pub struct Settings {
    pub data: Place,
    pub cache_bytes: u64,
    /// 64 hexadecimal digits or base 64. `None`: the key is in `vault_key_file`.
    pub vault_key: Option<Secret>,
    /// `None`: `vault.key` in the data directory, made on the first start.
    pub vault_key_file: Option<PathBuf>,
    /// The address under which browsers and platforms reach this instance, without a slash.
    pub public_url: String,
    pub net: NetSettings,
    /// Base URLs that replace a platform's own: platform → endpoint → URL.
    pub endpoints: BTreeMap<String, BTreeMap<String, String>>,
    /// API versions that replace a platform's default, by platform.
    pub versions: BTreeMap<String, String>,
    /// The instance's OAuth clients by platform.
    pub apps: BTreeMap<String, AppCredentials>,
    /// Our own safety pace for new organizations: publications an hour and account.
    pub posts_per_hour: u32,
    /// How late is too late, for new organizations.
    pub grace: Duration,
    /// How long events are kept. `None`: for ever.
    pub audit_keep: Option<Duration>,
    /// How long a deleted organization can be restored.
    pub deletion_grace: Duration,
    /// An account that has nothing to do for so long is put to rest.
    pub rest_after: Duration,
    pub login: LoginSettings,
    /// `None`: people log in with a password alone.
    pub oidc: Option<OidcSettings>,
    /// Publish nothing, as if everything were paused: for a command that only looks, or changes
    /// what has nothing to do with publishing.
    pub quiet: bool,
    /// The largest file that may be uploaded.
    pub upload_bytes_max: u64,
    pub clock: Clock,
    pub entropy: Entropy,
    /// Immortal, but for tests.
    pub mortality: Mortality,
}

/// Where everything is kept.
pub enum Place {
    Directory(PathBuf),
    /// For simulation: lives as long as it is held.
    Memory(Memory),
}

/// How long somebody stays logged in.
#[derive(Clone, Copy, Debug)]
pub struct LoginSettings {
    /// Without doing anything.
    pub idle: Duration,
    /// Whatever they do.
    pub lasts: Duration,
}

/// A provider of single sign-on.
#[derive(Clone)]
pub struct OidcSettings {
    /// As the provider itself writes it.
    pub issuer: String,
    pub app: AppCredentials,
    /// What people call it.
    pub name: String,
    /// What somebody becomes who is in no organization and whom nobody invited. `None`: they are
    /// turned away.
    pub role: Option<Role>,
}

#[derive(Clone)]
pub struct AppCredentials {
    pub client_id: String,
    /// `None`: a public client.
    pub client_secret: Option<Secret>,
}

#[derive(Clone)]
pub struct NetSettings {
    pub timeout: Duration,
    pub connect_timeout: Duration,
    pub reply_bytes_max: u64,
    pub private_addresses: PrivateAddresses,
    /// `http://127.0.0.1:9009`: reachable though private and without TLS.
    pub allowed_origins: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateAddresses {
    Refused,
    Allowed,
}
