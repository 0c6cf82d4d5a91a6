//! Twins of an account and its rate budgets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    organization::{AppUsedV1, PauseV1},
};
use crate::domain::{
    account::{Account, Connection, Identity, LimitOverrides},
    ids::{AccountId, OrganizationId},
    pace::{Budget, Budgets},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredAccount {
    V1(AccountV1),
    V2(AccountV2),
    V3(AccountV3),
}

/// With the app that was signed in through.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AccountV3 {
    basis: AccountV2,
    app: Option<AppUsedV1>,
}

/// With how it was connected.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AccountV2 {
    basis: AccountV1,
    login: String,
    missing_scopes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AccountV1 {
    id: u128,
    organization: u128,
    platform: String,
    server: String,
    identity: IdentityV1,
    connection: ConnectionV1,
    paused: PauseV1,
    created: Timestamp,
    token_ends: Option<Timestamp>,
    refresh_ends: Option<Timestamp>,
    endpoints: BTreeMap<String, String>,
    revision: u32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct IdentityV1 {
    remote_id: String,
    handle: String,
    name: String,
    url: String,
    picture: String,
    limits: LimitOverridesV1,
    traits: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct LimitOverridesV1 {
    text_max: Option<u32>,
    url_chars: Option<u32>,
    images_max: Option<u32>,
    image_bytes_max: Option<u64>,
    video_bytes_max: Option<u64>,
    alt_chars_max: Option<u32>,
}

#[derive(Serialize, Deserialize)]
enum ConnectionV1 {
    Connected,
    NeedsReconnection { since: Timestamp, reason: String },
    NeedsAttention { since: Timestamp, reason: String },
    Disconnected { since: Timestamp },
}

impl Record for Account {
    type Stored = StoredAccount;

    fn store(&self) -> StoredAccount {
        let basis = AccountV1 {
            id: self.id.0,
            organization: self.organization.0,
            platform: self.platform.clone(),
            server: self.server.clone(),
            identity: (&self.identity).into(),
            connection: (&self.connection).into(),
            paused: self.paused.into(),
            created: self.created,
            token_ends: self.token_ends,
            refresh_ends: self.refresh_ends,
            endpoints: self.endpoints.clone(),
            revision: self.revision,
        };
        let basis = AccountV2 {
            basis,
            login: self.login.clone(),
            missing_scopes: self.missing_scopes.clone(),
        };
        StoredAccount::V3(AccountV3 { basis, app: self.app.as_ref().map(Into::into) })
    }

    fn restore(stored: StoredAccount) -> Result<Account, &'static str> {
        let bare = |basis| AccountV2 { basis, login: String::new(), missing_scopes: Vec::new() };
        let AccountV3 { basis, app } = match stored {
            StoredAccount::V1(basis) => AccountV3 { basis: bare(basis), app: None },
            StoredAccount::V2(basis) => AccountV3 { basis, app: None },
            StoredAccount::V3(twin) => twin,
        };
        let AccountV2 { basis: twin, login, missing_scopes } = basis;
        Ok(Account {
            id: AccountId(twin.id),
            organization: OrganizationId(twin.organization),
            platform: twin.platform,
            server: twin.server,
            login,
            app: app.map(Into::into),
            identity: twin.identity.into(),
            connection: twin.connection.into(),
            paused: twin.paused.into(),
            created: twin.created,
            token_ends: twin.token_ends,
            refresh_ends: twin.refresh_ends,
            endpoints: twin.endpoints,
            missing_scopes,
            revision: twin.revision,
        })
    }
}

impl From<&Identity> for IdentityV1 {
    fn from(identity: &Identity) -> IdentityV1 {
        let limits = identity.limits;
        IdentityV1 {
            remote_id: identity.remote_id.clone(),
            handle: identity.handle.clone(),
            name: identity.name.clone(),
            url: identity.url.clone(),
            picture: identity.picture.clone(),
            limits: LimitOverridesV1 {
                text_max: limits.text_max,
                url_chars: limits.url_chars,
                images_max: limits.images_max,
                image_bytes_max: limits.image_bytes_max,
                video_bytes_max: limits.video_bytes_max,
                alt_chars_max: limits.alt_chars_max,
            },
            traits: identity.traits.clone(),
        }
    }
}

impl From<IdentityV1> for Identity {
    fn from(twin: IdentityV1) -> Identity {
        Identity {
            remote_id: twin.remote_id,
            handle: twin.handle,
            name: twin.name,
            url: twin.url,
            picture: twin.picture,
            limits: LimitOverrides {
                text_max: twin.limits.text_max,
                url_chars: twin.limits.url_chars,
                images_max: twin.limits.images_max,
                image_bytes_max: twin.limits.image_bytes_max,
                video_bytes_max: twin.limits.video_bytes_max,
                alt_chars_max: twin.limits.alt_chars_max,
            },
            traits: twin.traits,
        }
    }
}

impl From<&Connection> for ConnectionV1 {
    fn from(connection: &Connection) -> ConnectionV1 {
        match connection.clone() {
            Connection::Connected => ConnectionV1::Connected,
            Connection::NeedsReconnection { since, reason } => {
                ConnectionV1::NeedsReconnection { since, reason }
            }
            Connection::NeedsAttention { since, reason } => {
                ConnectionV1::NeedsAttention { since, reason }
            }
            Connection::Disconnected { since } => ConnectionV1::Disconnected { since },
        }
    }
}

impl From<ConnectionV1> for Connection {
    fn from(twin: ConnectionV1) -> Connection {
        match twin {
            ConnectionV1::Connected => Connection::Connected,
            ConnectionV1::NeedsReconnection { since, reason } => {
                Connection::NeedsReconnection { since, reason }
            }
            ConnectionV1::NeedsAttention { since, reason } => {
                Connection::NeedsAttention { since, reason }
            }
            ConnectionV1::Disconnected { since } => Connection::Disconnected { since },
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredBudgets {
    V1(BTreeMap<String, BudgetV1>),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct BudgetV1 {
    theoretical_arrival: Timestamp,
    blocked_until: Timestamp,
}

impl Record for Budgets {
    type Stored = StoredBudgets;

    fn store(&self) -> StoredBudgets {
        let twin = |budget: &Budget| BudgetV1 {
            theoretical_arrival: budget.theoretical_arrival,
            blocked_until: budget.blocked_until,
        };
        StoredBudgets::V1(self.iter().map(|(name, budget)| (name.clone(), twin(budget))).collect())
    }

    fn restore(stored: StoredBudgets) -> Result<Budgets, &'static str> {
        let StoredBudgets::V1(twins) = stored;
        let original = |twin: BudgetV1| Budget {
            theoretical_arrival: twin.theoretical_arrival,
            blocked_until: twin.blocked_until,
        };
        Ok(twins.into_iter().map(|(name, twin)| (name, original(twin))).collect())
    }
}
