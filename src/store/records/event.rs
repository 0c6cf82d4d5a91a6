//! Twin of an event.

use serde::{Deserialize, Serialize};

use super::{Record, organization::ActorV1};
use crate::domain::{
    event::{Event, EventKind},
    ids::{AccountId, DeliveryId, OrganizationId, PostId},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredEvent {
    V1(EventV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct EventV1 {
    organization: u128,
    sequence: u64,
    at: Timestamp,
    actor: ActorV1,
    post: Option<u128>,
    delivery: Option<u128>,
    account: Option<u128>,
    /// By its name, which programs outside rely on too, so it cannot drift.
    kind: String,
    text: String,
}

impl Record for Event {
    type Stored = StoredEvent;

    fn store(&self) -> StoredEvent {
        StoredEvent::V1(EventV1 {
            organization: self.organization.0,
            sequence: self.sequence,
            at: self.at,
            actor: (&self.actor).into(),
            post: self.post.map(|id| id.0),
            delivery: self.delivery.map(|id| id.0),
            account: self.account.map(|id| id.0),
            kind: self.kind.name().to_owned(),
            text: self.text.clone(),
        })
    }

    fn restore(stored: StoredEvent) -> Result<Event, &'static str> {
        let StoredEvent::V1(twin) = stored;
        let kind = EventKind::ALL.iter().find(|kind| kind.name() == twin.kind);
        Ok(Event {
            organization: OrganizationId(twin.organization),
            sequence: twin.sequence,
            at: twin.at,
            actor: twin.actor.into(),
            post: twin.post.map(PostId),
            delivery: twin.delivery.map(DeliveryId),
            account: twin.account.map(AccountId),
            kind: *kind.ok_or("its kind of event is not known")?,
            text: twin.text,
        })
    }
}
