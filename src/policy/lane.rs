//! Decides what one account does next.
//!
//! The store holds the queue. In memory there are two slots: one for the delivery that is being
//! published, one for a delivery whose harmless part is done ahead of its time.
//!
//! Invariants:
//! - at most one delivery is published and one staged at a time, and never the same in both;
//! - nothing is begun while the lane is paused, revoked, resting or refreshing its token;
//! - an event about a delivery that is in neither slot changes nothing;
//! - at most one refresh is in flight, and its outcome is never held against newer tokens;
//! - a wake-up is never lost: the store is read again after whatever stood in the way.
//!
//! Never: a list of deliveries. A delivery is known here only from the answer to a read until it
//! ends.

use std::time::Duration;

use crate::domain::{ids::DeliveryId, time::Timestamp};

/// After a crash of ours, so that a delivery that crashes at once cannot keep the machine busy.
const CRASH_REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Lane {
    stage: Stage,
    head: Reading,
    stageable: Reading,
}

/// What we know of one of the store's two answers.
///
/// - `Unknown → Asked` when the slot is free and nothing stands in the way.
/// - `Asked → Outdated` when something happens that the answer may not know of.
/// - `Asked → Nothing | Unknown` and `Outdated → Unknown` by the answer. A delivery that it names
///   is taken even if outdated, or many wake-ups could starve it; it may have ended meanwhile, so
///   whoever begins it looks at its record first.
/// - `Nothing → Unknown` when the lane wakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Unknown,
    Asked,
    Outdated,
    Nothing,
}

/// What pages show and tests look at. Each slot: `None → Some` by the store's answer, `Some → None`
/// when that delivery ends; and `staging → publishing` when its time comes first.
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

    /// The slots are filled last, so whatever an event frees is used at once.
    pub fn decide(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        self.end_rest(now);
        let mut actions = Vec::new();
        match event {
            Event::Woke => {
                self.head = self.head.outdated();
                self.stageable = self.stageable.outdated();
                // A timer that fired early, or somebody else's wake-up: either way a later one is
                // needed.
                actions.extend(self.stage.resting_until.map(Action::WakeAt));
            }
            Event::Head(found) => actions.extend(self.take_head(found)),
            Event::Stageable(found) => actions.extend(self.take_stageable(found)),
            Event::Ended { delivery, end } => {
                if !self.empty_slot(delivery) {
                    return Vec::new();
                }
                actions.extend(self.after_end(end, now));
            }
            Event::Due(delivery) => {
                if self.stage.staging != Some(delivery) {
                    return Vec::new();
                }
                // Whatever the store has may have been due before it, so an answer is awaited
                // first.
                if self.is_open() && self.head == Reading::Nothing {
                    self.promote();
                }
                self.head = self.head.outdated();
            }
            Event::Paused => self.stage.flow = Flow::Paused,
            Event::Resumed => self.stage.flow = Flow::Running,
            Event::Revoked => self.stage.access = Access::Revoked,
            Event::Reconnected => {
                self.stage.access = Access::Granted;
                if self.stage.refresh == Refresh::InFlight {
                    self.stage.refresh = Refresh::Outdated;
                }
            }
            Event::RefreshStarted => {
                if self.stage.refresh == Refresh::Idle {
                    self.stage.refresh = Refresh::InFlight;
                }
            }
            Event::RefreshEnded { outcome } => actions.extend(self.after_refresh(outcome, now)),
        }
        actions.extend(self.ask());
        actions
    }

    /// Nothing stands in the way of beginning.
    fn is_open(&self) -> bool {
        self.stage.resting_until.is_none()
            && self.stage.flow == Flow::Running
            && self.stage.access == Access::Granted
            && self.stage.refresh == Refresh::Idle
    }

    fn ask(&mut self) -> Vec<Action> {
        let mut actions = Vec::new();
        if !self.is_open() {
            return actions;
        }
        if self.stage.publishing.is_none() && self.head == Reading::Unknown {
            self.head = Reading::Asked;
            actions.push(Action::ReadHead);
        }
        if self.stage.staging.is_none() && self.stageable == Reading::Unknown {
            self.stageable = Reading::Asked;
            actions.push(Action::ReadStageable);
        }
        actions
    }

    fn take_head(&mut self, found: Option<DeliveryId>) -> Option<Action> {
        let asked = self.head;
        self.head = asked.answered(found);
        let delivery = found?;
        if !asked.is_awaited() || !self.is_open() || self.stage.publishing.is_some() {
            return None;
        }
        // What is being staged goes on as it is; when it parks, it is read as the head again.
        if self.stage.staging == found {
            self.promote();
            return None;
        }
        self.stage.publishing = found;
        Some(Action::Publish(delivery))
    }

    fn take_stageable(&mut self, found: Option<DeliveryId>) -> Option<Action> {
        let asked = self.stageable;
        self.stageable = asked.answered(found);
        let delivery = found?;
        if !asked.is_awaited() || !self.is_open() || self.stage.staging.is_some() {
            return None;
        }
        if self.stage.publishing == found {
            // Read before its time came. Asking again at once would be answered the same.
            self.stageable = Reading::Nothing;
            return None;
        }
        self.stage.staging = found;
        Some(Action::Stage(delivery))
    }

    /// Moves what is being staged to the publishing slot, which is free.
    fn promote(&mut self) {
        self.stage.publishing = self.stage.staging.take();
        self.stageable = self.stageable.outdated();
    }

    /// Whether `delivery` was in a slot. What is next in either may have changed by its end.
    fn empty_slot(&mut self, delivery: DeliveryId) -> bool {
        let slot = match delivery {
            it if self.stage.publishing == Some(it) => &mut self.stage.publishing,
            it if self.stage.staging == Some(it) => &mut self.stage.staging,
            _ => return false,
        };
        *slot = None;
        self.head = self.head.outdated();
        self.stageable = self.stageable.outdated();
        true
    }

    fn after_end(&mut self, end: End, now: Timestamp) -> Option<Action> {
        match end {
            End::Settled => None,
            End::Crashed => self.rest(now.after(CRASH_REST), now),
            End::Rest { until } => self.rest(until, now),
            End::NeedsRefresh => {
                if self.stage.refresh != Refresh::Idle || self.stage.access == Access::Revoked {
                    return None;
                }
                self.stage.refresh = Refresh::InFlight;
                Some(Action::Refresh)
            }
            End::NeedsReconnection => self.revoke(),
        }
    }

    fn after_refresh(&mut self, outcome: RefreshOutcome, now: Timestamp) -> Option<Action> {
        match (std::mem::take(&mut self.stage.refresh), outcome) {
            // Outdated: about tokens that were replaced while it ran. Idle: about none at all.
            (Refresh::Idle | Refresh::Outdated, _) => None,
            (Refresh::InFlight, RefreshOutcome::Fresh) => None,
            // The next attempt finds the token still old, and asks for a refresh again.
            (Refresh::InFlight, RefreshOutcome::Unreachable { again_at }) => {
                self.rest(again_at, now)
            }
            (Refresh::InFlight, RefreshOutcome::Revoked) => self.revoke(),
        }
    }

    /// Never shortens a rest.
    fn rest(&mut self, until: Timestamp, now: Timestamp) -> Option<Action> {
        if until <= now {
            return None;
        }
        let until = self.stage.resting_until.map_or(until, |already| already.max(until));
        self.stage.resting_until = Some(until);
        Some(Action::WakeAt(until))
    }

    fn end_rest(&mut self, now: Timestamp) {
        if self.stage.resting_until.is_some_and(|until| until <= now) {
            self.stage.resting_until = None;
        }
    }

    fn revoke(&mut self) -> Option<Action> {
        match std::mem::replace(&mut self.stage.access, Access::Revoked) {
            Access::Granted => Some(Action::AskToReconnect),
            Access::Revoked => None,
        }
    }
}

impl Reading {
    fn is_awaited(self) -> bool {
        self == Reading::Asked || self == Reading::Outdated
    }

    fn outdated(self) -> Reading {
        match self {
            Reading::Asked | Reading::Outdated => Reading::Outdated,
            Reading::Unknown | Reading::Nothing => Reading::Unknown,
        }
    }

    fn answered(self, found: Option<DeliveryId>) -> Reading {
        match (self, found) {
            (Reading::Asked, None) => Reading::Nothing,
            (Reading::Asked | Reading::Outdated, _) => Reading::Unknown,
            // An answer that nobody asked for.
            (Reading::Unknown | Reading::Nothing, _) => self,
        }
    }
}

#[cfg(test)]
mod tests;
