//! One post to one account: the unit that is scheduled, published and retried.

use crate::domain::{
    ids::{AccountId, DeliveryId, OrganizationId, PostId},
    refusal::Refusal,
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub organization: OrganizationId,
    pub post: PostId,
    pub account: AccountId,
    pub platform: String,
    /// When it is to go out. Never jittered.
    pub due: Timestamp,
    pub priority: u8,
    pub state: State,
    /// Counted, and saved, before an attempt starts. With `epoch` it fences every later transition.
    pub attempt: u32,
    /// The start of the engine that made the last transition.
    pub epoch: u64,
    /// Attempts that ended in a failure that counts. Throttling does not.
    pub failures: u32,
    /// Starts that ended with the process dying; a delivery that keeps killing it is set aside.
    pub crashes: u32,
    /// Its pieces were taken from the budgets of publications, which is done once.
    pub charged: bool,
    /// Where it stands on its platform, as its connector wrote it. Empty before its first step.
    pub step: Vec<u8>,
    /// Present while a request that is not harmless may be on its way.
    pub armed: Option<Armed>,
    /// The instant of its one timer, if it has one; with the id this is the timer's key.
    pub timer: Option<Timestamp>,
    /// What is already live, in order: all parts when published, some when a thread broke.
    pub live: Vec<Live>,
    /// Sequences of the events that tell of this delivery.
    pub events: Vec<u64>,
    pub created: Timestamp,
}

/// - `Planned → Staging` in the minutes before its time, `Staging → Planned` when all that is
///   harmless is done.
/// - `Planned | Staging → Ready` when its time has come.
/// - `Ready → Running` when its account takes it.
/// - `Running → Published | Waiting | InDoubt | Failed | Held`.
/// - `Waiting → Ready` when its timer fires.
/// - `InDoubt → Published | Ready | Failed` by a probe or by a person.
/// - `Failed → Ready` and `Held → Ready` by a person, or `Held → Ready` when its account is back.
/// - `Planned | Staging | Ready | Waiting | Held | Failed → Cancelled`.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Planned,
    /// Doing what is harmless ahead of time.
    Staging,
    /// On its account's lane.
    Ready,
    Running,
    Waiting {
        until: Timestamp,
        why: Why,
    },
    InDoubt {
        since: Timestamp,
        doubt: Doubt,
    },
    Published {
        at: Timestamp,
    },
    Failed {
        at: Timestamp,
        refusal: Refusal,
    },
    Held {
        since: Timestamp,
        why: Hold,
    },
    Cancelled {
        at: Timestamp,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Why {
    /// The platform is still processing media.
    Processing,
    /// A platform's limit or our own pace.
    Limit,
    /// After a failure that may pass.
    Backoff { refusal: Refusal },
    /// Before looking whether an unanswered request took effect.
    Probe { looks: u8 },
    /// The platform is processing the next part of a thread that readers see already.
    Between,
}

/// Evidence for the person who has to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Doubt {
    /// When the request left, or may have left.
    pub sent: Timestamp,
    /// What we know, as a sentence.
    pub evidence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Its account needs reconnection.
    Reconnection,
    /// Its time passed by more than the organization's grace.
    Missed,
    /// It was running each time the process died.
    Crashes,
    /// Its account was disconnected.
    Disconnected,
    /// The stored step cannot be read by this version.
    Unreadable,
}

/// A request that must not be repeated blindly is about to leave, or has left.
#[derive(Clone, Debug, PartialEq)]
pub struct Armed {
    /// When it was first armed: keys of platforms count from here, and a probe looks from here.
    pub since: Timestamp,
    /// How often a probe has looked and found nothing.
    pub looks: u8,
}

/// One piece that readers can see.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// The platform's id, with whatever its removal needs.
    pub id: String,
    pub url: String,
}

impl State {
    pub fn name(&self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Staging => "staging",
            State::Ready => "ready",
            State::Running => "running",
            State::Waiting { .. } => "waiting",
            State::InDoubt { .. } => "in_doubt",
            State::Published { .. } => "published",
            State::Failed { .. } => "failed",
            State::Held { .. } => "held",
            State::Cancelled { .. } => "cancelled",
        }
    }

    /// Nothing will happen any more unless a person decides otherwise.
    pub fn is_settled(&self) -> bool {
        match self {
            State::Published { .. } | State::Failed { .. } | State::Cancelled { .. } => true,
            State::Planned
            | State::Staging
            | State::Ready
            | State::Running
            | State::Waiting { .. }
            | State::InDoubt { .. }
            | State::Held { .. } => false,
        }
    }
}

impl Hold {
    pub fn name(self) -> &'static str {
        match self {
            Hold::Reconnection => "account_needs_reconnection",
            Hold::Missed => "missed",
            Hold::Crashes => "crashed_repeatedly",
            Hold::Disconnected => "account_disconnected",
            Hold::Unreadable => "step_unreadable",
        }
    }
}
