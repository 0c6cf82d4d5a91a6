//! Decides what one account does next.

use crate::domain::{ids::DeliveryId, time::Timestamp};

#[derive(Debug, Default)]
pub struct Lane {
    stage: Stage,
}

/// What pages show and tests look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub publishing: Option<DeliveryId>,
    pub staging: Option<DeliveryId>,
    /// A limit of the platform or our own pace.
    pub resting_until: Option<Timestamp>,
    pub flow: Flow,
    pub access: Access,
    pub refresh: Refresh,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    #[default]
    Running,
    Paused,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    #[default]
    Granted,
    Revoked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    #[default]
    Idle,
    InFlight,
    /// The person signed in again meanwhile: how it ends says nothing about the new tokens.
    Outdated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something may be waiting on the lane: from the scheduler, the API, or our own timer.
    Woke,
    /// Answers [`Action::ReadHead`], exactly once. `None`: nothing is ready.
    Head(Option<DeliveryId>),
    /// Answers [`Action::ReadStageable`], exactly once. `None`: nothing is near enough.
    Stageable(Option<DeliveryId>),
    Ended {
        delivery: DeliveryId,
        end: End,
    },
    /// Its time came while it was being staged.
    Due(DeliveryId),
    Paused,
    Resumed,
    /// Known already to whoever tells us, so nobody is asked again.
    Revoked,
    Reconnected,
    /// Somebody else began one, because the token is about to end.
    RefreshStarted,
    RefreshEnded {
        outcome: RefreshOutcome,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Published, parked, given up, or due again later. Nothing more for this lane to do now.
    Settled,
    Rest {
        until: Timestamp,
    },
    NeedsRefresh,
    NeedsReconnection,
    /// Our own bug. Its record says how often, and whether it is set aside.
    Crashed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshOutcome {
    Fresh,
    /// The network failed, which is no revocation.
    Unreachable {
        again_at: Timestamp,
    },
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ReadHead,
    ReadStageable,
    Publish(DeliveryId),
    Stage(DeliveryId),
    /// Replaces an earlier one.
    WakeAt(Timestamp),
    Refresh,
    AskToReconnect,
}

impl Lane {
    pub fn inspect(&self) -> Stage {
        self.stage
    }

    pub fn decide(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let _ = (event, now);
        Vec::new()
    }
}
