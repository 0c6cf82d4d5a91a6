//! Twins of a login that was begun, of a choice that follows it, and of a request that may arrive
//! again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    account::IdentityV1,
    organization::{ActorV1, AppUsedV1},
};
use crate::domain::{
    ids::{AccountId, OrganizationId},
    login::{PendingChoice, PendingLogin, PendingTarget, Remembered},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredPendingLogin {
    V1(PendingLoginV1),
    V2(PendingLoginV2),
    V3(PendingLoginV3),
}

/// With the app that it was begun with.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PendingLoginV3 {
    basis: PendingLoginV2,
    app: Option<AppUsedV1>,
}

/// With the way of signing in.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PendingLoginV2 {
    basis: PendingLoginV1,
    login: String,
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PendingLoginV1 {
    organization: u128,
    actor: ActorV1,
    platform: String,
    server: String,
    endpoints: BTreeMap<String, String>,
    reconnect: Option<u128>,
    authorize_url: String,
    token_url: String,
    revoke_url: Option<String>,
    redirect_uri: String,
    scopes: String,
    verifier: Vec<u8>,
    until: Timestamp,
}

impl Record for PendingLogin {
    type Stored = StoredPendingLogin;

    fn store(&self) -> StoredPendingLogin {
        let basis = PendingLoginV1 {
            organization: self.organization.0,
            actor: (&self.actor).into(),
            platform: self.platform.clone(),
            server: self.server.clone(),
            endpoints: self.endpoints.clone(),
            reconnect: self.reconnect.map(|id| id.0),
            authorize_url: self.authorize_url.clone(),
            token_url: self.token_url.clone(),
            revoke_url: self.revoke_url.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
            verifier: self.verifier.clone(),
            until: self.until,
        };
        let basis = PendingLoginV2 { basis, login: self.login.clone() };
        StoredPendingLogin::V3(PendingLoginV3 { basis, app: self.app.as_ref().map(Into::into) })
    }

    fn restore(stored: StoredPendingLogin) -> Result<PendingLogin, &'static str> {
        let bare = |basis| PendingLoginV2 { basis, login: String::new() };
        let PendingLoginV3 { basis, app } = match stored {
            StoredPendingLogin::V1(basis) => PendingLoginV3 { basis: bare(basis), app: None },
            StoredPendingLogin::V2(basis) => PendingLoginV3 { basis, app: None },
            StoredPendingLogin::V3(twin) => twin,
        };
        let PendingLoginV2 { basis: twin, login } = basis;
        Ok(PendingLogin {
            organization: OrganizationId(twin.organization),
            actor: twin.actor.into(),
            platform: twin.platform,
            server: twin.server,
            login,
            app: app.map(Into::into),
            endpoints: twin.endpoints,
            reconnect: twin.reconnect.map(AccountId),
            authorize_url: twin.authorize_url,
            token_url: twin.token_url,
            revoke_url: twin.revoke_url,
            redirect_uri: twin.redirect_uri,
            scopes: twin.scopes,
            verifier: twin.verifier,
            until: twin.until,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredPendingChoice {
    V1(PendingChoiceV1),
    V2(PendingChoiceV2),
}

/// With the app that was signed in through.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PendingChoiceV2 {
    basis: PendingChoiceV1,
    app: Option<AppUsedV1>,
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PendingChoiceV1 {
    organization: u128,
    actor: ActorV1,
    platform: String,
    server: String,
    login: String,
    endpoints: BTreeMap<String, String>,
    reconnect: Option<u128>,
    missing_scopes: Vec<String>,
    access_ends: Option<Timestamp>,
    refresh_ends: Option<Timestamp>,
    targets: Vec<PendingTargetV1>,
    sealed: Vec<u8>,
    until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct PendingTargetV1 {
    identity: IdentityV1,
    obstacle: Option<String>,
}

impl Record for PendingChoice {
    type Stored = StoredPendingChoice;

    fn store(&self) -> StoredPendingChoice {
        let target = |target: &PendingTarget| PendingTargetV1 {
            identity: (&target.identity).into(),
            obstacle: target.obstacle.clone(),
        };
        let basis = PendingChoiceV1 {
            organization: self.organization.0,
            actor: (&self.actor).into(),
            platform: self.platform.clone(),
            server: self.server.clone(),
            login: self.login.clone(),
            endpoints: self.endpoints.clone(),
            reconnect: self.reconnect.map(|id| id.0),
            missing_scopes: self.missing_scopes.clone(),
            access_ends: self.access_ends,
            refresh_ends: self.refresh_ends,
            targets: self.targets.iter().map(target).collect(),
            sealed: self.sealed.clone(),
            until: self.until,
        };
        StoredPendingChoice::V2(PendingChoiceV2 { basis, app: self.app.as_ref().map(Into::into) })
    }

    fn restore(stored: StoredPendingChoice) -> Result<PendingChoice, &'static str> {
        let PendingChoiceV2 { basis: twin, app } = match stored {
            StoredPendingChoice::V1(basis) => PendingChoiceV2 { basis, app: None },
            StoredPendingChoice::V2(twin) => twin,
        };
        let target = |twin: PendingTargetV1| PendingTarget {
            identity: twin.identity.into(),
            obstacle: twin.obstacle,
        };
        Ok(PendingChoice {
            organization: OrganizationId(twin.organization),
            actor: twin.actor.into(),
            platform: twin.platform,
            server: twin.server,
            login: twin.login,
            app: app.map(Into::into),
            endpoints: twin.endpoints,
            reconnect: twin.reconnect.map(AccountId),
            missing_scopes: twin.missing_scopes,
            access_ends: twin.access_ends,
            refresh_ends: twin.refresh_ends,
            targets: twin.targets.into_iter().map(target).collect(),
            sealed: twin.sealed,
            until: twin.until,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredRemembered {
    V1(RememberedV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct RememberedV1 {
    fingerprint: [u8; 32],
    made: String,
    at: Timestamp,
}

impl Record for Remembered {
    type Stored = StoredRemembered;

    fn store(&self) -> StoredRemembered {
        StoredRemembered::V1(RememberedV1 {
            fingerprint: self.fingerprint,
            made: self.made.clone(),
            at: self.at,
        })
    }

    fn restore(stored: StoredRemembered) -> Result<Remembered, &'static str> {
        let StoredRemembered::V1(twin) = stored;
        Ok(Remembered { fingerprint: twin.fingerprint, made: twin.made, at: twin.at })
    }
}
