//! Twins of an organization, its members and keys, apps, and who acts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Record, twin};
use crate::domain::{
    ids::{AccountId, KeyId, MemberId, OrganizationId},
    organization::{
        Actor, App, AppHolder, AppUsed, Key, Member, Organization, Pause, Reach, Role, Scope,
    },
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredOrganization {
    V1(OrganizationV1),
    V2(OrganizationV2),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct OrganizationV1 {
    id: u128,
    name: String,
    created: Timestamp,
    paused: PauseV1,
    grace_millis: u64,
    posts_per_hour: u32,
}

/// Deleted, perhaps, and to be erased then.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct OrganizationV2 {
    made: OrganizationV1,
    ends: Option<Timestamp>,
}

impl Record for Organization {
    type Stored = StoredOrganization;

    fn store(&self) -> StoredOrganization {
        let made = OrganizationV1 {
            id: self.id.0,
            name: self.name.clone(),
            created: self.created,
            paused: self.paused.into(),
            grace_millis: u64::try_from(self.grace.as_millis()).unwrap_or(u64::MAX),
            posts_per_hour: self.posts_per_hour,
        };
        StoredOrganization::V2(OrganizationV2 { made, ends: self.ends })
    }

    fn restore(stored: StoredOrganization) -> Result<Organization, &'static str> {
        let (twin, ends) = match stored {
            StoredOrganization::V1(made) => (made, None),
            StoredOrganization::V2(OrganizationV2 { made, ends }) => (made, ends),
        };
        Ok(Organization {
            id: OrganizationId(twin.id),
            name: twin.name,
            created: twin.created,
            paused: twin.paused.into(),
            grace: Duration::from_millis(twin.grace_millis),
            posts_per_hour: twin.posts_per_hour,
            ends,
        })
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::store) enum PauseV1 {
    Running,
    Paused { since: Timestamp },
}

impl From<Pause> for PauseV1 {
    fn from(pause: Pause) -> PauseV1 {
        match pause {
            Pause::Running => PauseV1::Running,
            Pause::Paused { since } => PauseV1::Paused { since },
        }
    }
}

impl From<PauseV1> for Pause {
    fn from(twin: PauseV1) -> Pause {
        match twin {
            PauseV1::Running => Pause::Running,
            PauseV1::Paused { since } => Pause::Paused { since },
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredPause {
    V1(PauseV1),
}

/// The instance's own panic switch is a record by itself.
impl Record for Pause {
    type Stored = StoredPause;

    fn store(&self) -> StoredPause {
        StoredPause::V1((*self).into())
    }

    fn restore(stored: StoredPause) -> Result<Pause, &'static str> {
        let StoredPause::V1(twin) = stored;
        Ok(twin.into())
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredMember {
    V1(MemberV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct MemberV1 {
    id: u128,
    organization: u128,
    name: String,
    email: String,
    role: RoleV1,
    created: Timestamp,
}

twin!(RoleV1 = Role { Owner, Admin, Editor, Viewer, Guest });

impl Record for Member {
    type Stored = StoredMember;

    fn store(&self) -> StoredMember {
        StoredMember::V1(MemberV1 {
            id: self.id.0,
            organization: self.organization.0,
            name: self.name.clone(),
            email: self.email.clone(),
            role: self.role.into(),
            created: self.created,
        })
    }

    fn restore(stored: StoredMember) -> Result<Member, &'static str> {
        let StoredMember::V1(twin) = stored;
        Ok(Member {
            id: MemberId(twin.id),
            organization: OrganizationId(twin.organization),
            name: twin.name,
            email: twin.email,
            role: twin.role.into(),
            created: twin.created,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredKey {
    V1(KeyV1),
    V2(KeyV2),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct KeyV1 {
    id: u128,
    organization: u128,
    name: String,
    scope: ScopeV1,
    hash: [u8; 32],
    created: Timestamp,
    reach: ReachV1,
}

/// Bound to accounts perhaps, with an end, and known to be used.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct KeyV2 {
    id: u128,
    organization: u128,
    name: String,
    scope: ScopeV1,
    hash: [u8; 32],
    created: Timestamp,
    reach: ReachV2,
    expires: Option<Timestamp>,
    used: Option<Timestamp>,
}

twin!(ScopeV1 = Scope { Read, Draft, Publish, Admin });

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::store) enum ReachV1 {
    Organization,
    Instance,
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum ReachV2 {
    Organization,
    Instance,
    Accounts(Vec<u128>),
}

impl Record for Key {
    type Stored = StoredKey;

    fn store(&self) -> StoredKey {
        StoredKey::V2(KeyV2 {
            id: self.id.0,
            organization: self.organization.0,
            name: self.name.clone(),
            scope: self.scope.into(),
            hash: self.hash,
            created: self.created,
            reach: match &self.reach {
                Reach::Organization => ReachV2::Organization,
                Reach::Instance => ReachV2::Instance,
                Reach::Accounts(accounts) => {
                    ReachV2::Accounts(accounts.iter().map(|id| id.0).collect())
                }
            },
            expires: self.expires,
            used: self.used,
        })
    }

    fn restore(stored: StoredKey) -> Result<Key, &'static str> {
        let twin = match stored {
            StoredKey::V1(twin) => KeyV2 {
                id: twin.id,
                organization: twin.organization,
                name: twin.name,
                scope: twin.scope,
                hash: twin.hash,
                created: twin.created,
                reach: match twin.reach {
                    ReachV1::Organization => ReachV2::Organization,
                    ReachV1::Instance => ReachV2::Instance,
                },
                expires: None,
                used: None,
            },
            StoredKey::V2(twin) => twin,
        };
        Ok(Key {
            id: KeyId(twin.id),
            organization: OrganizationId(twin.organization),
            name: twin.name,
            scope: twin.scope.into(),
            hash: twin.hash,
            created: twin.created,
            reach: match twin.reach {
                ReachV2::Organization => Reach::Organization,
                ReachV2::Instance => Reach::Instance,
                ReachV2::Accounts(ids) => Reach::Accounts(ids.into_iter().map(AccountId).collect()),
            },
            expires: twin.expires,
            used: twin.used,
        })
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum ActorV1 {
    Engine,
    Key(u128),
    Member(u128),
    Operator,
}

impl From<&Actor> for ActorV1 {
    fn from(actor: &Actor) -> ActorV1 {
        match actor {
            Actor::Engine => ActorV1::Engine,
            Actor::Key(id) => ActorV1::Key(id.0),
            Actor::Member(id) => ActorV1::Member(id.0),
            Actor::Operator => ActorV1::Operator,
        }
    }
}

impl From<ActorV1> for Actor {
    fn from(twin: ActorV1) -> Actor {
        match twin {
            ActorV1::Engine => Actor::Engine,
            ActorV1::Key(id) => Actor::Key(KeyId(id)),
            ActorV1::Member(id) => Actor::Member(MemberId(id)),
            ActorV1::Operator => Actor::Operator,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredApp {
    V1(AppV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct AppV1 {
    platform: String,
    server: String,
    organization: Option<u128>,
    client_id: String,
    authorize_url: String,
    token_url: String,
    revoke_url: Option<String>,
    redirect_uri: String,
    scopes: String,
    created: Timestamp,
}

impl Record for App {
    type Stored = StoredApp;

    fn store(&self) -> StoredApp {
        StoredApp::V1(AppV1 {
            platform: self.platform.clone(),
            server: self.server.clone(),
            organization: self.organization.map(|id| id.0),
            client_id: self.client_id.clone(),
            authorize_url: self.authorize_url.clone(),
            token_url: self.token_url.clone(),
            revoke_url: self.revoke_url.clone(),
            redirect_uri: self.redirect_uri.clone(),
            scopes: self.scopes.clone(),
            created: self.created,
        })
    }

    fn restore(stored: StoredApp) -> Result<App, &'static str> {
        let StoredApp::V1(twin) = stored;
        Ok(App {
            platform: twin.platform,
            server: twin.server,
            organization: twin.organization.map(OrganizationId),
            client_id: twin.client_id,
            authorize_url: twin.authorize_url,
            token_url: twin.token_url,
            revoke_url: twin.revoke_url,
            redirect_uri: twin.redirect_uri,
            scopes: twin.scopes,
            created: twin.created,
        })
    }
}

twin!(AppHolderV1 = AppHolder { Organization, Instance, Settings });

#[derive(Serialize, Deserialize)]
pub(super) struct AppUsedV1 {
    holder: AppHolderV1,
    client_id: String,
}

impl From<&AppUsed> for AppUsedV1 {
    fn from(used: &AppUsed) -> AppUsedV1 {
        AppUsedV1 { holder: used.holder.into(), client_id: used.client_id.clone() }
    }
}

impl From<AppUsedV1> for AppUsed {
    fn from(twin: AppUsedV1) -> AppUsed {
        AppUsed { holder: twin.holder.into(), client_id: twin.client_id }
    }
}
