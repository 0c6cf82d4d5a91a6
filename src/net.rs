//! The only HTTP client: sending, time-outs, size limits, the private-address guard, circuit
//! breakers, OAuth.
//!
//! Invariants:
//! - one send is at most one request that a server can act on: nothing here sends again;
//! - [`Error::NotSent`] is proof that no server can have acted on the request. Where there is no
//!   proof, it is [`Error::Unanswered`];
//! - only public addresses are reached, and only over https, but for the origins that the
//!   operator allows;
//! - no secret is in an error, a log or a `Debug` text.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use url::Url;
use zeroize::Zeroizing;

use crate::domain::{ids::MediaId, secret::Secret, time::Timestamp};

mod client;
mod hosts;
mod outgoing;
mod upload;

pub mod breaker;
pub mod guard;
pub mod oauth;
pub mod oidc;
pub mod server;
mod signature;

#[cfg(test)]
mod tests;

pub use client::Client;

/// Why there is no answer, and whether the request may have taken effect all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No server can have acted on it. Before `until` there is no point in trying again.
    #[error("not sent: {reason}")]
    NotSent { reason: String, until: Option<Timestamp> },
    /// It left, or may have left.
    #[error("sent, but not answered: {reason}")]
    Unanswered { reason: String },
}

impl Error {
    fn not_sent(reason: impl Into<String>) -> Error {
        Error::NotSent { reason: reason.into(), until: None }
    }

    fn unanswered(reason: impl Into<String>) -> Error {
        Error::Unanswered { reason: reason.into() }
    }
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// For one request and its whole answer. Uploads get more, by their size.
    pub total: Duration,
    /// For looking up the name, connecting and agreeing on TLS.
    pub connect: Duration,
    /// For a free place among the requests to one host.
    pub queue: Duration,
    pub reply_bytes_max: usize,
    pub user_agent: String,
    pub private_addresses: PrivateAddresses,
    /// Reached over plain http and at private addresses too; only scheme, host and port matter.
    pub allowed_origins: Vec<Url>,
    /// Requests in flight to one host at a time, uploads apart.
    pub calls_max: usize,
    /// Uploads in flight to one host at a time. Apart, so that slow ones leave calls alone.
    pub uploads_max: usize,
}

impl Settings {
    pub fn standard() -> Settings {
        Settings {
            total: Duration::from_secs(30),
            connect: Duration::from_secs(10),
            queue: Duration::from_secs(30),
            reply_bytes_max: 4 * 1024 * 1024,
            user_agent: format!("Fanfare/{}", env!("CARGO_PKG_VERSION")),
            private_addresses: PrivateAddresses::Refused,
            allowed_origins: Vec::new(),
            calls_max: 64,
            uploads_max: 16,
        }
    }
}

/// Whether loopback, local networks and the like are reached. With `Allowed`, anyone who may name
/// a server can reach what the machine can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateAddresses {
    Refused,
    Allowed,
}

/// Everything that [`crate::connectors::Auth`] and [`crate::connectors::Fill`] may ask for.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub access: Option<Secret>,
    pub refresh: Option<Secret>,
    pub kept: Option<Secret>,
    pub password: Option<Secret>,
    pub client_id: Option<Secret>,
    pub client_secret: Option<Secret>,
}

impl Secrets {
    /// `text` without any of these secrets, for texts that a server may have echoed them into.
    pub fn redact(&self, text: &str) -> String {
        let Secrets { access, refresh, kept, password, client_id: _, client_secret } = self;
        redact(text, [access, refresh, kept, password, client_secret].into_iter().flatten())
    }
}

fn redact<'a>(text: &str, secrets: impl Iterator<Item = &'a Secret>) -> String {
    secrets.filter(|secret| !secret.expose().is_empty()).fold(text.to_owned(), |text, secret| {
        let inner = password_in(secret.expose());
        [Some(secret.expose()), inner.as_deref().map(String::as_str)].into_iter().flatten().fold(
            text,
            |text, secret| {
                // Nothing to replace is the rule, and then nothing is copied.
                if text.contains(secret) { text.replace(secret, "[secret]") } else { text }
            },
        )
    })
}

/// What a server reads from a name and a password that are sent as one (RFC 7617), and may repeat.
fn password_in(secret: &str) -> Option<Zeroizing<String>> {
    let pair = Zeroizing::new(BASE64_STANDARD.decode(secret).ok()?);
    let (_, password) = str::from_utf8(&pair).ok()?.split_once(':')?;
    (!password.is_empty()).then(|| Zeroizing::new(password.to_owned()))
}

/// Where each file is, and how many bytes it is expected to hold.
pub type Files = HashMap<MediaId, (PathBuf, u64)>;
