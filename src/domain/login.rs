//! A login that was begun and not finished, and a request that may arrive again.

use std::collections::BTreeMap;

use crate::domain::{
    account::Identity,
    ids::{AccountId, OrganizationId},
    organization::{Actor, AppUsed},
    time::Timestamp,
};

/// Kept under the hash of its state, and deleted by the first callback that carries that state, so
/// that a state works once.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingLogin {
    pub organization: OrganizationId,
    /// Who asked; the connected account is theirs to answer for.
    pub actor: Actor,
    pub platform: String,
    pub server: String,
    /// Which of the platform's ways of signing in; empty where there is only one.
    pub login: String,
    /// What it was begun with, and is to be finished with; see
    /// [`Account::app`](crate::domain::account::Account::app).
    pub app: Option<AppUsed>,
    pub endpoints: BTreeMap<String, String>,
    pub reconnect: Option<AccountId>,
    pub authorize_url: String,
    pub token_url: String,
    pub revoke_url: Option<String>,
    pub redirect_uri: String,
    pub scopes: String,
    /// The PKCE verifier, sealed.
    pub verifier: Vec<u8>,
    pub until: Timestamp,
}

/// Pages or organizations to choose from after signing in; kept where the login was, until it
/// expires.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingChoice {
    pub organization: OrganizationId,
    pub actor: Actor,
    pub platform: String,
    pub server: String,
    pub login: String,
    /// What it was begun with, and is to be finished with; see
    /// [`Account::app`](crate::domain::account::Account::app).
    pub app: Option<AppUsed>,
    pub endpoints: BTreeMap<String, String>,
    pub reconnect: Option<AccountId>,
    pub missing_scopes: Vec<String>,
    /// Of the token that the person signed in with.
    pub access_ends: Option<Timestamp>,
    pub refresh_ends: Option<Timestamp>,
    pub targets: Vec<PendingTarget>,
    /// All tokens, sealed.
    pub sealed: Vec<u8>,
    pub until: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PendingTarget {
    pub identity: Identity,
    pub obstacle: Option<String>,
}

/// What a request with an idempotency key did.
#[derive(Clone, Debug, PartialEq)]
pub struct Remembered {
    /// SHA-256 of what was asked.
    pub fingerprint: [u8; 32],
    /// The id of what it made.
    pub made: String,
    pub at: Timestamp,
}
