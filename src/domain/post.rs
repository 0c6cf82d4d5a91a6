//! What a person wrote: content, per-platform variants, and a plan.

use std::collections::BTreeMap;

use crate::domain::{
    ids::{AccountId, DeliveryId, MediaId, OrganizationId, PostId},
    organization::Actor,
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    pub id: PostId,
    pub organization: OrganizationId,
    pub content: Content,
    /// Content for one platform or one account instead of `content`. The account's wins.
    pub variants: BTreeMap<VariantFor, Content>,
    pub targets: Vec<AccountId>,
    pub plan: Plan,
    /// 1 is the most urgent, 10 the least; 5 unless said otherwise. Decides only which of two
    /// deliveries that are both due goes first on one account.
    pub priority: u8,
    pub stage: PostStage,
    pub created: Timestamp,
    pub author: Actor,
    /// One per target, in the same order; empty for a draft.
    pub deliveries: Vec<DeliveryId>,
    /// Sequences of the events that tell of this post as a whole.
    pub events: Vec<u64>,
    /// Grows with every edit; an edit that names an older one is refused.
    pub revision: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariantFor {
    Platform(String),
    Account(AccountId),
}

/// The first part, then the parts of a thread below it. Never empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub parts: Vec<Part>,
    /// What only some platforms know, by name: `visibility`, `language`, `sensitive`, `spoiler`.
    pub options: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    pub text: String,
    pub media: Vec<Attachment>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    pub media: MediaId,
    pub alt: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    Draft,
    /// As soon as it is accepted.
    Now,
    At {
        at: Timestamp,
        /// The wall time and zone that a person chose, kept so that it can be shown as it was
        /// meant.
        local: Option<ChosenTime>,
    },
}

/// As text, because a zone's name outlives any list of zones.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenTime {
    pub wall: String,
    pub zone: String,
}

/// - `Draft → Planned` when it gets a plan.
/// - `Planned → Draft` when its plan is taken away before anything went out.
/// - `Draft | Planned → Cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostStage {
    Draft,
    Planned,
    Cancelled,
}

impl Post {
    /// What goes to `account` on `platform`.
    pub fn content_for(&self, account: AccountId, platform: &str) -> &Content {
        self.variants
            .get(&VariantFor::Account(account))
            .or_else(|| self.variants.get(&VariantFor::Platform(platform.to_owned())))
            .unwrap_or(&self.content)
    }
}
