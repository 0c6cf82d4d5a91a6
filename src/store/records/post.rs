//! Twin of a post.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Record, organization::ActorV1, twin};
use crate::domain::{
    ids::{AccountId, DeliveryId, MediaId, OrganizationId, PostId},
    post::{Attachment, ChosenTime, Content, Part, Plan, Post, PostStage, VariantFor},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredPost {
    V1(PostV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PostV1 {
    id: u128,
    organization: u128,
    content: ContentV1,
    variants: Vec<(VariantForV1, ContentV1)>,
    targets: Vec<u128>,
    plan: PlanV1,
    priority: u8,
    stage: PostStageV1,
    created: Timestamp,
    author: ActorV1,
    deliveries: Vec<u128>,
    events: Vec<u64>,
    revision: u32,
}

#[derive(Serialize, Deserialize)]
enum VariantForV1 {
    Platform(String),
    Account(u128),
}

#[derive(Serialize, Deserialize)]
struct ContentV1 {
    parts: Vec<PartV1>,
    options: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct PartV1 {
    text: String,
    media: Vec<AttachmentV1>,
}

#[derive(Serialize, Deserialize)]
struct AttachmentV1 {
    media: u128,
    alt: String,
}

#[derive(Serialize, Deserialize)]
enum PlanV1 {
    Draft,
    Now,
    At { at: Timestamp, local: Option<ChosenTimeV1> },
}

#[derive(Serialize, Deserialize)]
struct ChosenTimeV1 {
    wall: String,
    zone: String,
}

twin!(PostStageV1 = PostStage { Draft, Planned, Cancelled });

impl Record for Post {
    type Stored = StoredPost;

    fn store(&self) -> StoredPost {
        let variant = |(target, content): (&VariantFor, &Content)| (target.into(), content.into());
        StoredPost::V1(PostV1 {
            id: self.id.0,
            organization: self.organization.0,
            content: (&self.content).into(),
            variants: self.variants.iter().map(variant).collect(),
            targets: self.targets.iter().map(|id| id.0).collect(),
            plan: (&self.plan).into(),
            priority: self.priority,
            stage: self.stage.into(),
            created: self.created,
            author: (&self.author).into(),
            deliveries: self.deliveries.iter().map(|id| id.0).collect(),
            events: self.events.clone(),
            revision: self.revision,
        })
    }

    fn restore(stored: StoredPost) -> Result<Post, &'static str> {
        let StoredPost::V1(twin) = stored;
        let variant =
            |(target, content): (VariantForV1, ContentV1)| (target.into(), content.into());
        Ok(Post {
            id: PostId(twin.id),
            organization: OrganizationId(twin.organization),
            content: twin.content.into(),
            variants: twin.variants.into_iter().map(variant).collect(),
            targets: twin.targets.into_iter().map(AccountId).collect(),
            plan: twin.plan.into(),
            priority: twin.priority,
            stage: twin.stage.into(),
            created: twin.created,
            author: twin.author.into(),
            deliveries: twin.deliveries.into_iter().map(DeliveryId).collect(),
            events: twin.events,
            revision: twin.revision,
        })
    }
}

impl From<&VariantFor> for VariantForV1 {
    fn from(target: &VariantFor) -> VariantForV1 {
        match target {
            VariantFor::Platform(name) => VariantForV1::Platform(name.clone()),
            VariantFor::Account(id) => VariantForV1::Account(id.0),
        }
    }
}

impl From<VariantForV1> for VariantFor {
    fn from(twin: VariantForV1) -> VariantFor {
        match twin {
            VariantForV1::Platform(name) => VariantFor::Platform(name),
            VariantForV1::Account(id) => VariantFor::Account(AccountId(id)),
        }
    }
}

impl From<&Content> for ContentV1 {
    fn from(content: &Content) -> ContentV1 {
        let attachment =
            |media: &Attachment| AttachmentV1 { media: media.media.0, alt: media.alt.clone() };
        let part = |part: &Part| PartV1 {
            text: part.text.clone(),
            media: part.media.iter().map(attachment).collect(),
        };
        ContentV1 {
            parts: content.parts.iter().map(part).collect(),
            options: content.options.clone(),
        }
    }
}

impl From<ContentV1> for Content {
    fn from(twin: ContentV1) -> Content {
        let attachment =
            |twin: AttachmentV1| Attachment { media: MediaId(twin.media), alt: twin.alt };
        let part = |twin: PartV1| Part {
            text: twin.text,
            media: twin.media.into_iter().map(attachment).collect(),
        };
        Content { parts: twin.parts.into_iter().map(part).collect(), options: twin.options }
    }
}

impl From<&Plan> for PlanV1 {
    fn from(plan: &Plan) -> PlanV1 {
        match plan {
            Plan::Draft => PlanV1::Draft,
            Plan::Now => PlanV1::Now,
            Plan::At { at, local } => PlanV1::At {
                at: *at,
                local: local.as_ref().map(|chosen| ChosenTimeV1 {
                    wall: chosen.wall.clone(),
                    zone: chosen.zone.clone(),
                }),
            },
        }
    }
}

impl From<PlanV1> for Plan {
    fn from(twin: PlanV1) -> Plan {
        match twin {
            PlanV1::Draft => Plan::Draft,
            PlanV1::Now => Plan::Now,
            PlanV1::At { at, local } => Plan::At {
                at,
                local: local.map(|chosen| ChosenTime { wall: chosen.wall, zone: chosen.zone }),
            },
        }
    }
}
