//! Appends events, in the batch of the change that they tell of.

use crate::{
    domain::{
        event::{Event, EventKind},
        ids::{AccountId, DeliveryId, OrganizationId, PostId},
        organization::Actor,
        time::Timestamp,
    },
    engine::core::Halt,
    store::View,
};

/// An event before it has a number.
pub(super) struct Tale {
    pub(super) organization: OrganizationId,
    pub(super) at: Timestamp,
    pub(super) actor: Actor,
    pub(super) post: Option<PostId>,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) account: Option<AccountId>,
    pub(super) kind: EventKind,
    pub(super) text: String,
}

impl Tale {
    /// Of an organization as a whole.
    pub(super) fn of(
        organization: OrganizationId,
        at: Timestamp,
        actor: &Actor,
        kind: EventKind,
        text: impl Into<String>,
    ) -> Tale {
        Tale {
            organization,
            at,
            actor: actor.clone(),
            post: None,
            delivery: None,
            account: None,
            kind,
            text: text.into(),
        }
    }

    pub(super) fn about_account(self, account: AccountId) -> Tale {
        Tale { account: Some(account), ..self }
    }

    pub(super) fn about_post(self, post: PostId) -> Tale {
        Tale { post: Some(post), ..self }
    }
}

/// The sequence that it got.
pub(super) fn tell(view: &mut View, tale: Tale) -> Result<u64, Halt> {
    let Tale { organization, at, actor, post, delivery, account, kind, text } = tale;
    // The store numbers it, links it, and knows where it came from.
    let (sequence, from, hash) = (0, None, None);
    Ok(view.append_event(Event {
        organization,
        sequence,
        at,
        actor,
        from,
        post,
        delivery,
        account,
        kind,
        text,
        hash,
    })?)
}
