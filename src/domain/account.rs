//! One connected profile, page, channel or board on a platform.

use std::collections::BTreeMap;

use crate::domain::{
    ids::{AccountId, OrganizationId},
    organization::{AppUsed, Pause},
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub id: AccountId,
    pub organization: OrganizationId,
    /// The connector's name.
    pub platform: String,
    /// The server it lives on, as a base URL; empty for a platform with one server.
    pub server: String,
    /// The way of signing in that it was connected by; empty where its platform has only one.
    pub login: String,
    /// The app that was signed in through. `None` where there is none or our own was registered on
    /// the spot, and in accounts of an older Fanfare: there were only those of the settings.
    pub app: Option<AppUsed>,
    pub identity: Identity,
    pub connection: Connection,
    pub paused: Pause,
    pub created: Timestamp,
    /// When the access token ends, if it does.
    pub token_ends: Option<Timestamp>,
    /// When the refresh token ends, if that is known.
    pub refresh_ends: Option<Timestamp>,
    /// Base URLs that this account has of its own, by endpoint name.
    pub endpoints: BTreeMap<String, String>,
    /// Wished for, and not granted when it was connected.
    pub missing_scopes: Vec<String>,
    /// Grows with every change; a writer that read an older one is refused.
    pub revision: u32,
}

/// Who the account is, as its platform says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    /// The platform's own id; never shown as a name.
    pub remote_id: String,
    pub handle: String,
    pub name: String,
    pub url: String,
    pub picture: String,
    /// Limits that differ from the profile's, by name, because the server says so.
    pub limits: LimitOverrides,
    /// What else its connector has to know about the account or its server later, by name, such as
    /// `software`. Only the connector that wrote them gives them a meaning.
    pub traits: BTreeMap<String, String>,
}

/// Only what a server reports; everything else is the profile's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    pub text_max: Option<u32>,
    pub url_chars: Option<u32>,
    pub images_max: Option<u32>,
    pub image_bytes_max: Option<u64>,
    pub video_bytes_max: Option<u64>,
    pub alt_chars_max: Option<u32>,
}

/// - `Connected → NeedsReconnection` when the platform has withdrawn our access.
/// - `Connected → NeedsAttention` when its actor failed again and again.
/// - `NeedsReconnection → Connected` when the person signs in again.
/// - `NeedsAttention → Connected` when a person resumes it.
/// - any `→ Disconnected`, which is final: its tokens are gone.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    Connected,
    NeedsReconnection { since: Timestamp, reason: String },
    NeedsAttention { since: Timestamp, reason: String },
    Disconnected { since: Timestamp },
}
