//! A tenant, the people in it, and the keys by which programs act for it.

use std::{collections::BTreeSet, fmt, time::Duration};

use crate::domain::{
    ids::{AccountId, KeyId, MemberId, OrganizationId},
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub created: Timestamp,
    /// Nothing of this organization is published while it is paused.
    pub paused: Pause,
    /// A delivery that is later than this is held as missed instead of published. Default 15
    /// minutes.
    pub grace: Duration,
    /// Our own safety pace of an account: so many publications may go at once, and then as many an
    /// hour. Default 10.
    pub posts_per_hour: u32,
    /// It was deleted: until then it can be restored, afterwards all of it is erased. It is paused
    /// as long.
    pub ends: Option<Timestamp>,
}

/// A panic switch, of an account, an organization, or of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    Running,
    Paused { since: Timestamp },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub id: MemberId,
    pub organization: OrganizationId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub created: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Editor,
    Viewer,
    /// Sees nothing.
    Guest,
}

impl Role {
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.iter().copied().find(|role| role.name() == name)
    }

    pub const ALL: &'static [Role] =
        &[Role::Owner, Role::Admin, Role::Editor, Role::Viewer, Role::Guest];

    pub fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Editor => "editor",
            Role::Viewer => "viewer",
            Role::Guest => "guest",
        }
    }
}

/// An API key. The secret part is shown once; what is kept is its hash, which is its place in the
/// store.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub id: KeyId,
    pub organization: OrganizationId,
    pub name: String,
    pub scope: Scope,
    /// SHA-256 of the whole key as text.
    pub hash: [u8; 32],
    pub created: Timestamp,
    pub reach: Reach,
    /// From then on it is as if it were not there.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
}

/// Each scope includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Read,
    Draft,
    Publish,
    Admin,
}

impl Scope {
    pub fn named(name: &str) -> Option<Scope> {
        Scope::ALL.iter().copied().find(|scope| scope.name() == name)
    }

    pub const ALL: &'static [Scope] = &[Scope::Read, Scope::Draft, Scope::Publish, Scope::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Draft => "draft",
            Scope::Publish => "publish",
            Scope::Admin => "admin",
        }
    }
}

/// What a caller can get at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Some accounts of the organization, and what concerns these alone.
    Accounts(BTreeSet<AccountId>),
    Organization,
    /// Every organization, as far as organizations and the instance itself are concerned. Posts and
    /// accounts are still those of one's own.
    Instance,
}

impl Reach {
    pub fn border(&self) -> Border {
        match self {
            Reach::Accounts(_) => Border::Accounts,
            Reach::Organization => Border::Organization,
            Reach::Instance => Border::Instance,
        }
    }

    pub fn covers(&self, account: AccountId) -> bool {
        match self {
            Reach::Accounts(accounts) => accounts.contains(&account),
            Reach::Organization | Reach::Instance => true,
        }
    }
}

/// How far a reach goes; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Border {
    Accounts,
    Organization,
    Instance,
}

/// Who did something, for events and the audit.
#[derive(Clone, Debug, PartialEq)]
pub enum Actor {
    /// Fanfare itself: a timer, a recovery, a refresh.
    Engine,
    Key(KeyId),
    Member(MemberId),
    /// Somebody at the machine's command line.
    Operator,
}

/// As the API and the audit name it.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Engine => f.write_str("engine"),
            Actor::Operator => f.write_str("operator"),
            Actor::Key(key) => key.fmt(f),
            Actor::Member(member) => member.fmt(f),
        }
    }
}

/// Whose an app is. Where several have one, the first of these is signed in through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppHolder {
    Organization,
    /// Set through the API or the command line.
    Instance,
    Settings,
}

impl AppHolder {
    pub fn name(self) -> &'static str {
        match self {
            AppHolder::Organization => "own",
            AppHolder::Instance => "instance",
            AppHolder::Settings => "settings",
        }
    }
}

/// The app that somebody signed in through. Only that client can renew what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppUsed {
    pub holder: AppHolder,
    pub client_id: String,
}

/// An OAuth client. Its secret is in the vault.
#[derive(Clone, Debug, PartialEq)]
pub struct App {
    /// Of a client that somebody made by hand, the section: `facebook` for Instagram, too.
    pub platform: String,
    /// The server that this client is registered with; of a client made by hand, empty, and so are
    /// its addresses and scopes: they are the profile's.
    pub server: String,
    /// `None` when it belongs to the instance.
    pub organization: Option<OrganizationId>,
    pub client_id: String,
    pub authorize_url: String,
    pub token_url: String,
    pub revoke_url: Option<String>,
    pub redirect_uri: String,
    /// Space-separated, as asked for.
    pub scopes: String,
    pub created: Timestamp,
}
