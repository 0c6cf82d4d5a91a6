//! What a post says, as it travels: parts, attachments, options, variants and the plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        ids::{AccountId, MediaId},
        post::{Attachment, Content, Part, Plan, VariantFor},
        problem::Code,
        time::Timestamp,
    },
    engine::facade::PlanRequest,
};

use super::{reading::Text, refused::Refused};

/// The first part, then the parts of a thread below it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Content)]
pub(crate) struct ContentBody {
    /// One for a single post, more for a thread.
    #[schema(min_items = 1)]
    parts: Vec<PartBody>,
    /// What only some platforms know: `visibility`, `language`, `sensitive`, `spoiler`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, String>,
}

/// What goes out as one message.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Part)]
pub(crate) struct PartBody {
    #[serde(default)]
    #[schema(example = "First light over the harbour.")]
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    media: Vec<AttachmentBody>,
}

/// An uploaded file in a part.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Attachment)]
pub(crate) struct AttachmentBody {
    #[schema(value_type = String, example = "med_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<MediaId>,
    /// For those who cannot see it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(example = "The sun behind three masts")]
    alt: String,
}

/// Content for one platform (`mastodon`) or one account (`acc_…`) instead of `content`; the
/// account's wins.
pub(crate) type Variants = BTreeMap<String, ContentBody>;

/// When a post goes out: `"draft"`, `"now"`, an instant, or a time on the clock of some place.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Plan)]
pub(crate) enum PlanBody {
    /// Not yet.
    #[default]
    Draft,
    /// As soon as it is accepted.
    Now,
    /// RFC 3339, with any offset.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    At(String),
    /// What the clock on the wall shows somewhere.
    Local(LocalBody),
}

/// A time as a person chose it.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LocalTime)]
pub(crate) struct LocalBody {
    #[schema(example = "2026-11-21T09:00")]
    wall: String,
    /// An IANA name.
    #[schema(example = "Europe/Berlin")]
    zone: String,
}

impl From<ContentBody> for Content {
    fn from(body: ContentBody) -> Content {
        let attach = |media: AttachmentBody| Attachment { media: media.id.0, alt: media.alt };
        let part = |part: PartBody| Part {
            text: part.text,
            media: part.media.into_iter().map(attach).collect(),
        };
        Content { parts: body.parts.into_iter().map(part).collect(), options: body.options }
    }
}

impl From<Content> for ContentBody {
    fn from(content: Content) -> ContentBody {
        let attach = |media: Attachment| AttachmentBody { id: Text(media.media), alt: media.alt };
        let part = |part: Part| PartBody {
            text: part.text,
            media: part.media.into_iter().map(attach).collect(),
        };
        ContentBody {
            parts: content.parts.into_iter().map(part).collect(),
            options: content.options,
        }
    }
}

pub(crate) fn read_variants(body: Variants) -> Result<BTreeMap<VariantFor, Content>, Refused> {
    let read = |(name, content): (String, ContentBody)| {
        let wanted = if name.starts_with("acc_") {
            VariantFor::Account(name.parse::<AccountId>().map_err(|error| {
                let remedy = "Name a platform or an account.";
                Refused::new(Code::Invalid, format!("`variants.{name}` is {error}."), remedy)
                    .at(format!("variants.{name}"))
            })?)
        } else {
            VariantFor::Platform(name)
        };
        Ok((wanted, content.into()))
    };
    body.into_iter().map(read).collect()
}

pub(crate) fn show_variants(variants: BTreeMap<VariantFor, Content>) -> Variants {
    let name = |wanted| match wanted {
        VariantFor::Platform(platform) => platform,
        VariantFor::Account(account) => account.to_string(),
    };
    variants.into_iter().map(|(wanted, content)| (name(wanted), content.into())).collect()
}

impl PlanBody {
    pub(crate) fn read(self) -> Result<PlanRequest, Refused> {
        match self {
            PlanBody::Draft => Ok(PlanRequest::Draft),
            PlanBody::Now => Ok(PlanRequest::Now),
            PlanBody::At(text) => match Timestamp::parse(&text) {
                Some(at) => Ok(PlanRequest::At(at)),
                None => {
                    let sentence = format!("`{text}` is not an instant in RFC 3339.");
                    let remedy = "Write it as 2026-11-21T09:00:00Z, with `Z` or an offset; for a \
                        time of some place use `local`.";
                    Err(Refused::new(Code::PlanUnreadable, sentence, remedy).at("plan.at"))
                }
            },
            PlanBody::Local(local) => Ok(PlanRequest::Local { wall: local.wall, zone: local.zone }),
        }
    }
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> PlanBody {
        match plan {
            Plan::Draft => PlanBody::Draft,
            Plan::Now => PlanBody::Now,
            Plan::At { at, local: None } => PlanBody::At(at.rfc3339()),
            Plan::At { local: Some(local), .. } => {
                PlanBody::Local(LocalBody { wall: local.wall, zone: local.zone })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_is_a_word_or_a_time() {
        let read = |text: &str| serde_json::from_str::<PlanBody>(text).unwrap().read();
        assert!(matches!(read(r#""now""#), Ok(PlanRequest::Now)));
        assert!(matches!(
            read(r#"{"at": "1970-01-01T01:00:00+01:00"}"#),
            Ok(PlanRequest::At(Timestamp(0)))
        ));
        let refused = read(r#"{"at": "tomorrow"}"#).unwrap_err();
        assert_eq!(refused.problem().place, "plan.at");
    }

    #[test]
    fn content_that_is_read_is_shown_alike() {
        let text = r#"{"parts":[{"text":"a","media":[{"id":"med_00000000000000000000000001","alt":"b"}]}],"options":{"language":"en"}}"#;
        let body: ContentBody = serde_json::from_str(text).unwrap();
        let shown = serde_json::to_string(&ContentBody::from(Content::from(body))).unwrap();
        assert_eq!(shown, text);
    }
}
