//! Every verb that the API, the pages and the command line may call, and what they speak in.
//!
//! Invariants:
//! - a verb that changes something returns after its change is on disk;
//! - a verb reaches only what belongs to its caller's organization;
//! - a verb that arrives twice does its work once: by its [`Once`], or because it says what shall
//!   be rather than what to do.

mod access;
mod accounts;
mod apps;
mod arriving;
mod audit;
mod choosing;
mod connecting;
mod credentials;
mod deleting;
mod deliveries;
mod events;
mod fitting;
mod invitations;
mod keys;
mod media;
mod members;
mod organizations;
mod pieces;
mod posts;
mod published;
pub(super) mod remembered;
mod rescue;
pub(super) mod sessions;
mod sign_on;
mod tickets;
mod validation;
mod vault;

use std::{collections::BTreeMap, str::FromStr};

pub(super) use self::tickets::{hash, letters};
pub use self::{
    apps::{AppOf, AppSetting, AppStanding, Orphans},
    audit::{Entry, Verdict},
    credentials::Offer,
    events::Told,
    fitting::{Change, FitRequest, Fitted},
    invitations::{Acceptance, NewInvitation, Offered},
    keys::{NewKey, NewReach},
    media::{Download, Upload},
    members::{MemberEdit, Membership},
    rescue::SettingUp,
    sessions::{Login, Seat, Visitor},
    sign_on::{Arrival, Departure},
    vault::VaultView,
};
pub use crate::policy::{
    mend::Shape,
    permission::{self, Verb},
    rate,
};

use crate::domain::{
    account::{Account, Identity},
    delivery::Delivery,
    ids::{AccountId, OrganizationId, SessionId},
    organization::{Actor, Reach, Scope},
    post::{Content, Post, VariantFor},
    problem::{Code, Problem},
    secret::Secret,
    time::Timestamp,
};

/// Who calls, and what they may do. Made only by
/// [`Engine::authenticate`](super::Engine::authenticate),
/// [`Engine::caller_in`](super::Engine::caller_in) and
/// [`Engine::operator`](super::Engine::operator).
#[derive(Clone, Debug)]
pub struct Caller {
    pub organization: OrganizationId,
    pub scope: Scope,
    pub reach: Reach,
    pub actor: Actor,
    /// In which a person acts.
    pub session: Option<SessionId>,
}

/// A piece of a list: at most `limit` items (1 to 200), newest first unless the verb says
/// otherwise, beginning after the cursor.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub after: Option<String>,
    pub limit: usize,
}

#[derive(Clone, Debug)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// The cursor of the next piece; `None` at the end.
    pub next: Option<String>,
}

/// Makes a request that arrives twice the same request: the caller's key, and a hash of what was
/// asked. The same key with another hash is refused as a conflict. Kept for a day.
#[derive(Clone, Debug)]
pub struct Once {
    pub key: String,
    pub fingerprint: [u8; 32],
}

#[derive(Clone, Debug)]
pub struct NewPost {
    pub content: Content,
    pub variants: BTreeMap<VariantFor, Content>,
    pub targets: Vec<AccountId>,
    pub plan: PlanRequest,
    /// 1 (first) to 10 (last).
    pub priority: u8,
}

#[derive(Clone, Debug)]
pub enum PlanRequest {
    Draft,
    Now,
    At(Timestamp),
    /// `2026-11-21T09:00` and an IANA zone.
    Local {
        wall: String,
        zone: String,
    },
}

/// Whether a request did something now, or had done it when it first arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeated {
    No,
    Yes,
}

/// What is `None` stays. `revision`: refuse the edit if the post has changed since.
#[derive(Clone, Debug, Default)]
pub struct PostEdit {
    pub content: Option<Content>,
    pub variants: Option<BTreeMap<VariantFor, Content>>,
    pub targets: Option<Vec<AccountId>>,
    pub plan: Option<PlanRequest>,
    pub priority: Option<u8>,
    pub revision: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct PostView {
    pub post: Post,
    pub deliveries: Vec<Delivery>,
}

/// What would happen to a post, without doing it.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Of the post as a whole: its plan, its targets, its priority.
    pub problems: Vec<Problem>,
    pub targets: Vec<TargetValidation>,
    /// When it would go out; `None` for a draft or an unreadable plan.
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct TargetValidation {
    pub account: AccountId,
    pub platform: String,
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    pub measures: Vec<Measure>,
}

/// How much of a part's text is used, as the platform counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub part: usize,
    pub used: u32,
    pub max: u32,
}

#[derive(Clone, Debug)]
pub struct ConnectRequest {
    pub platform: String,
    /// For platforms with many servers: `mastodon.social`. Empty: the platform's own.
    pub server: String,
    /// For platforms with several ways to sign in; empty: the usual one.
    pub login: String,
    /// For platforms without OAuth.
    pub identifier: String,
    pub password: Option<Secret>,
    /// An account that is to be connected again, keeping its deliveries.
    pub reconnect: Option<AccountId>,
}

#[derive(Clone, Debug)]
pub enum Connecting {
    /// The person has to visit this and agree; the platform then calls back. For ten minutes, once.
    Visit {
        url: String,
        until: Timestamp,
        /// What [`Engine::connection`](crate::engine::Engine::connection) is asked by.
        connection: String,
    },
    Connected {
        account: Box<Account>,
        /// A secret that was made for it: shown here and never again.
        made: Option<Secret>,
    },
}

/// How a sign-in ended.
#[derive(Clone, Debug)]
pub enum Connected {
    Account(Box<Account>),
    /// There are several pages or organizations; the person says which.
    Choice(Choice),
}

#[derive(Clone, Debug)]
pub struct Choice {
    pub connection: String,
    pub platform: String,
    pub until: Timestamp,
    /// Wished for and not granted.
    pub missing_scopes: Vec<String>,
    pub targets: Vec<ChoiceTarget>,
}

#[derive(Clone, Debug)]
pub struct ChoiceTarget {
    pub identity: Identity,
    /// Why it cannot be chosen.
    pub obstacle: Option<String>,
    /// The account that it is already.
    pub account: Option<AccountId>,
}

/// What the platform's redirect carried.
#[derive(Clone, Debug)]
pub struct Callback {
    pub state: String,
    pub code: Option<String>,
    pub error: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Health {
    pub account: Account,
    /// `idle`, `publishing`, `staging`, `resting`, `paused`, `asleep` …
    pub stage: &'static str,
    /// The lane does nothing before this.
    pub rests_until: Option<Timestamp>,
    /// Ready or running on its lane.
    pub on_lane: usize,
    pub in_doubt: usize,
    pub held: usize,
    /// One sentence for each thing that is not well; empty when all is.
    pub troubles: Vec<String>,
}

/// What a person decides about a delivery that is in doubt.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// It is there; `url` is where, if they know.
    Live { url: String },
    /// It is not there: send it.
    NotLive,
    /// Leave it: neither live nor to be sent.
    Abandon,
}

#[derive(Clone, Debug)]
pub struct Founding {
    pub organization: String,
    pub owner_name: String,
    pub owner_email: String,
}

/// The key is shown here and never again.
#[derive(Clone, Debug)]
pub struct Founded {
    pub organization: OrganizationId,
    pub key: Secret,
}

#[derive(Clone, Debug)]
pub struct OrganizationEdit {
    pub name: Option<String>,
    pub grace: Option<std::time::Duration>,
    pub posts_per_hour: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct Readiness {
    pub ready: bool,
    /// Why not, for people; empty when ready.
    pub reason: String,
    pub version: &'static str,
    /// Timers that should have fired more than five seconds ago, up to 1,000.
    pub late_deliveries: usize,
    pub oldest_late: Option<Timestamp>,
    /// What does no harm yet, and will: API versions that end.
    pub warnings: Vec<String>,
}

const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 200;

impl Page {
    fn limit(&self) -> usize {
        if self.limit == 0 { PAGE_DEFAULT } else { self.limit.min(PAGE_MAX) }
    }

    fn after_id<I: FromStr>(&self) -> Result<Option<I>, Problem> {
        let Some(cursor) = &self.after else { return Ok(None) };
        cursor.parse().map(Some).map_err(|_| {
            Problem::new(
                Code::BadRequest,
                "This cursor is not one that we gave.",
                "Begin without a cursor, and use `next` as it was answered.",
            )
            .at("cursor")
        })
    }
}

/// `found` holds one more than `limit` if there is more.
fn listing<T>(mut found: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Listing<T> {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(cursor) } else { None };
    Listing { items: found, next }
}
