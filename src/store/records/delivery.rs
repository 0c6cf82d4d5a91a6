//! Twins of a delivery, and of the refusals that it remembers.

use serde::{Deserialize, Serialize};

use super::{Record, twin};
use crate::domain::{
    delivery::{Armed, Delivery, Doubt, Hold, Live, State, Why},
    ids::{AccountId, DeliveryId, OrganizationId, PostId},
    platform::PaceScope,
    refusal::{Refusal, RefusalKind},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredDelivery {
    V1(DeliveryV1),
    V2(DeliveryV2),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct DeliveryV2 {
    basis: DeliveryV1,
    charged: bool,
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct DeliveryV1 {
    id: u128,
    organization: u128,
    post: u128,
    account: u128,
    platform: String,
    due: Timestamp,
    priority: u8,
    state: StateV1,
    attempt: u32,
    epoch: u64,
    failures: u32,
    crashes: u32,
    step: Vec<u8>,
    armed: Option<ArmedV1>,
    timer: Option<Timestamp>,
    live: Vec<LiveV1>,
    events: Vec<u64>,
    created: Timestamp,
}

#[derive(Serialize, Deserialize)]
enum StateV1 {
    Planned,
    Staging,
    Ready,
    Running,
    Waiting { until: Timestamp, why: WhyV1 },
    InDoubt { since: Timestamp, doubt: DoubtV1 },
    Published { at: Timestamp },
    Failed { at: Timestamp, refusal: RefusalV1 },
    Held { since: Timestamp, why: HoldV1 },
    Cancelled { at: Timestamp },
}

#[derive(Serialize, Deserialize)]
enum WhyV1 {
    Processing,
    Limit,
    Backoff { refusal: RefusalV1 },
    Probe { looks: u8 },
    Between,
}

#[derive(Serialize, Deserialize)]
struct DoubtV1 {
    sent: Timestamp,
    evidence: String,
}

twin!(HoldV1 = Hold { Reconnection, Missed, Crashes, Disconnected, Unreadable });

#[derive(Serialize, Deserialize)]
struct ArmedV1 {
    since: Timestamp,
    looks: u8,
}

#[derive(Serialize, Deserialize)]
struct LiveV1 {
    id: String,
    url: String,
}

#[derive(Serialize, Deserialize)]
struct RefusalV1 {
    kind: RefusalKindV1,
    code: String,
    words: String,
}

#[derive(Serialize, Deserialize)]
enum RefusalKindV1 {
    Unavailable,
    Throttled { until: Option<Timestamp>, scope: PaceScopeV1 },
    Unauthorized,
    Revoked,
    Rejected,
    Duplicate,
    Media,
    Unreadable,
}

twin!(PaceScopeV1 = PaceScope { Account, App });

impl Record for Delivery {
    type Stored = StoredDelivery;

    fn store(&self) -> StoredDelivery {
        let live = |live: &Live| LiveV1 { id: live.id.clone(), url: live.url.clone() };
        let armed = |armed: &Armed| ArmedV1 { since: armed.since, looks: armed.looks };
        let basis = DeliveryV1 {
            id: self.id.0,
            organization: self.organization.0,
            post: self.post.0,
            account: self.account.0,
            platform: self.platform.clone(),
            due: self.due,
            priority: self.priority,
            state: (&self.state).into(),
            attempt: self.attempt,
            epoch: self.epoch,
            failures: self.failures,
            crashes: self.crashes,
            step: self.step.clone(),
            armed: self.armed.as_ref().map(armed),
            timer: self.timer,
            live: self.live.iter().map(live).collect(),
            events: self.events.clone(),
            created: self.created,
        };
        StoredDelivery::V2(DeliveryV2 { basis, charged: self.charged })
    }

    fn restore(stored: StoredDelivery) -> Result<Delivery, &'static str> {
        let (twin, charged) = match stored {
            StoredDelivery::V1(twin) => (twin, false),
            StoredDelivery::V2(twin) => (twin.basis, twin.charged),
        };
        let live = |twin: LiveV1| Live { id: twin.id, url: twin.url };
        let armed = |twin: ArmedV1| Armed { since: twin.since, looks: twin.looks };
        Ok(Delivery {
            id: DeliveryId(twin.id),
            organization: OrganizationId(twin.organization),
            post: PostId(twin.post),
            account: AccountId(twin.account),
            platform: twin.platform,
            due: twin.due,
            priority: twin.priority,
            state: twin.state.into(),
            attempt: twin.attempt,
            epoch: twin.epoch,
            failures: twin.failures,
            crashes: twin.crashes,
            charged,
            step: twin.step,
            armed: twin.armed.map(armed),
            timer: twin.timer,
            live: twin.live.into_iter().map(live).collect(),
            events: twin.events,
            created: twin.created,
        })
    }
}

impl From<&State> for StateV1 {
    fn from(state: &State) -> StateV1 {
        match state {
            State::Planned => StateV1::Planned,
            State::Staging => StateV1::Staging,
            State::Ready => StateV1::Ready,
            State::Running => StateV1::Running,
            State::Waiting { until, why } => StateV1::Waiting { until: *until, why: why.into() },
            State::InDoubt { since, doubt } => StateV1::InDoubt {
                since: *since,
                doubt: DoubtV1 { sent: doubt.sent, evidence: doubt.evidence.clone() },
            },
            State::Published { at } => StateV1::Published { at: *at },
            State::Failed { at, refusal } => StateV1::Failed { at: *at, refusal: refusal.into() },
            State::Held { since, why } => StateV1::Held { since: *since, why: (*why).into() },
            State::Cancelled { at } => StateV1::Cancelled { at: *at },
        }
    }
}

impl From<StateV1> for State {
    fn from(twin: StateV1) -> State {
        match twin {
            StateV1::Planned => State::Planned,
            StateV1::Staging => State::Staging,
            StateV1::Ready => State::Ready,
            StateV1::Running => State::Running,
            StateV1::Waiting { until, why } => State::Waiting { until, why: why.into() },
            StateV1::InDoubt { since, doubt } => State::InDoubt {
                since,
                doubt: Doubt { sent: doubt.sent, evidence: doubt.evidence },
            },
            StateV1::Published { at } => State::Published { at },
            StateV1::Failed { at, refusal } => State::Failed { at, refusal: refusal.into() },
            StateV1::Held { since, why } => State::Held { since, why: why.into() },
            StateV1::Cancelled { at } => State::Cancelled { at },
        }
    }
}

impl From<&Why> for WhyV1 {
    fn from(why: &Why) -> WhyV1 {
        match why {
            Why::Processing => WhyV1::Processing,
            Why::Limit => WhyV1::Limit,
            Why::Backoff { refusal } => WhyV1::Backoff { refusal: refusal.into() },
            Why::Probe { looks } => WhyV1::Probe { looks: *looks },
            Why::Between => WhyV1::Between,
        }
    }
}

impl From<WhyV1> for Why {
    fn from(twin: WhyV1) -> Why {
        match twin {
            WhyV1::Processing => Why::Processing,
            WhyV1::Limit => Why::Limit,
            WhyV1::Backoff { refusal } => Why::Backoff { refusal: refusal.into() },
            WhyV1::Probe { looks } => Why::Probe { looks },
            WhyV1::Between => Why::Between,
        }
    }
}

impl From<&Refusal> for RefusalV1 {
    fn from(refusal: &Refusal) -> RefusalV1 {
        let kind = match refusal.kind {
            RefusalKind::Unavailable => RefusalKindV1::Unavailable,
            RefusalKind::Throttled { until, scope } => {
                RefusalKindV1::Throttled { until, scope: scope.into() }
            }
            RefusalKind::Unauthorized => RefusalKindV1::Unauthorized,
            RefusalKind::Revoked => RefusalKindV1::Revoked,
            RefusalKind::Rejected => RefusalKindV1::Rejected,
            RefusalKind::Duplicate => RefusalKindV1::Duplicate,
            RefusalKind::Media => RefusalKindV1::Media,
            RefusalKind::Unreadable => RefusalKindV1::Unreadable,
        };
        RefusalV1 { kind, code: refusal.code.clone(), words: refusal.words.clone() }
    }
}

impl From<RefusalV1> for Refusal {
    fn from(twin: RefusalV1) -> Refusal {
        let kind = match twin.kind {
            RefusalKindV1::Unavailable => RefusalKind::Unavailable,
            RefusalKindV1::Throttled { until, scope } => {
                RefusalKind::Throttled { until, scope: scope.into() }
            }
            RefusalKindV1::Unauthorized => RefusalKind::Unauthorized,
            RefusalKindV1::Revoked => RefusalKind::Revoked,
            RefusalKindV1::Rejected => RefusalKind::Rejected,
            RefusalKindV1::Duplicate => RefusalKind::Duplicate,
            RefusalKindV1::Media => RefusalKind::Media,
            RefusalKindV1::Unreadable => RefusalKind::Unreadable,
        };
        Refusal { kind, code: twin.code, words: twin.words }
    }
}
