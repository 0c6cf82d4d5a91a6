//! Twin of an event.

use std::net::IpAddr;

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
    V2(EventV2),
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

/// With where it came from, and linked to the one before.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct EventV2 {
    told: EventV1,
    from: Option<IpAddr>,
    hash: Option<[u8; 32]>,
}

impl Record for Event {
    type Stored = StoredEvent;

    fn store(&self) -> StoredEvent {
        let told = EventV1 {
            organization: self.organization.0,
            sequence: self.sequence,
            at: self.at,
            actor: (&self.actor).into(),
            post: self.post.map(|id| id.0),
            delivery: self.delivery.map(|id| id.0),
            account: self.account.map(|id| id.0),
            kind: self.kind.name().to_owned(),
            text: self.text.clone(),
        };
        StoredEvent::V2(EventV2 { told, from: self.from, hash: self.hash })
    }

    fn restore(stored: StoredEvent) -> Result<Event, &'static str> {
        let (twin, from, hash) = match stored {
            StoredEvent::V1(told) => (told, None, None),
            StoredEvent::V2(EventV2 { told, from, hash }) => (told, from, hash),
        };
        let kind = EventKind::ALL.iter().find(|kind| kind.name() == twin.kind);
        Ok(Event {
            organization: OrganizationId(twin.organization),
            sequence: twin.sequence,
            at: twin.at,
            actor: twin.actor.into(),
            from,
            post: twin.post.map(PostId),
            delivery: twin.delivery.map(DeliveryId),
            account: twin.account.map(AccountId),
            kind: *kind.ok_or("its kind of event is not known")?,
            text: twin.text,
            hash,
        })
    }
}
