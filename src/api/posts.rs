//! Posts: write, plan, look at, change, cancel, and ask beforehand what would happen.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::{AccountId, OrganizationId, PostId},
        post::PostStage,
        problem::Code,
        time::Timestamp,
    },
    engine::facade::{NewPost, PostEdit, PostView, Repeated},
};

use super::{
    Answered, Api,
    caller::By,
    content::{ContentBody, PlanBody, Variants, read_variants, show_variants},
    deliveries::DeliveryView,
    events::EventView,
    once::{self, Replay},
    paging::{PageAsked, Piece},
    reading::{Asked, Id, Strict, Text},
    refused::{ProblemView, Refused},
    validation::ValidationView,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(validate))
        .routes(routes!(show, edit, delete))
        .routes(routes!(cancel))
        .routes(routes!(timeline))
}

/// 1 is the most urgent, 10 the least.
const PRIORITY_DEFAULT: u8 = 5;

/// A post to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPost)]
pub(crate) struct NewPostBody {
    content: ContentBody,
    /// Other content for one platform (`mastodon`) or one account (`acc_…`).
    #[serde(default, skip_serializing_if = "Variants::is_empty")]
    variants: Variants,
    /// The accounts that it goes to.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["acc_01jd3v9p0c8k5t2m7q4x6y1z0n"]))]
    targets: Vec<Text<AccountId>>,
    /// A draft unless said otherwise.
    #[serde(default)]
    plan: PlanBody,
    /// 1 (first) to 10 (last): which of two that are both due goes first on an account.
    #[serde(default = "priority_default")]
    #[schema(minimum = 1, maximum = 10, default = 5)]
    priority: u8,
}

fn priority_default() -> u8 {
    PRIORITY_DEFAULT
}

impl NewPostBody {
    fn read(self) -> Result<NewPost, Refused> {
        Ok(NewPost {
            content: self.content.into(),
            variants: read_variants(self.variants)?,
            targets: self.targets.into_iter().map(|id| id.0).collect(),
            plan: self.plan.read()?,
            priority: self.priority,
        })
    }
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostChange {
    #[serde(default)]
    content: Option<ContentBody>,
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, ContentBody>>)]
    variants: Option<Variants>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    targets: Option<Vec<Text<AccountId>>>,
    #[serde(default)]
    plan: Option<PlanBody>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10)]
    priority: Option<u8>,
}

/// What a person wrote, where it goes, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Post)]
pub(crate) struct PostBody {
    #[schema(value_type = String, example = "pst_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<PostId>,
    #[schema(value_type = String, example = "org_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    organization: Text<OrganizationId>,
    stage: PostStageView,
    content: ContentBody,
    #[serde(skip_serializing_if = "Variants::is_empty")]
    variants: Variants,
    #[schema(value_type = Vec<String>)]
    targets: Vec<Text<AccountId>>,
    plan: PlanBody,
    priority: u8,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    /// Who wrote it: a key, a member, the operator.
    #[schema(example = "key_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    author: String,
    /// Grows with every edit; also the ETag.
    revision: u32,
    /// One for each target; empty for a draft.
    deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PostStage)]
pub(crate) enum PostStageView {
    Draft,
    Planned,
    Cancelled,
}

impl PostBody {
    pub(crate) fn new(view: PostView, now: Timestamp) -> PostBody {
        let PostView { post, deliveries } = view;
        PostBody {
            id: Text(post.id),
            organization: Text(post.organization),
            stage: match post.stage {
                PostStage::Draft => PostStageView::Draft,
                PostStage::Planned => PostStageView::Planned,
                PostStage::Cancelled => PostStageView::Cancelled,
            },
            content: post.content.into(),
            variants: show_variants(post.variants),
            targets: post.targets.into_iter().map(Text).collect(),
            plan: post.plan.into(),
            priority: post.priority,
            created: Text(post.created),
            author: post.author.to_string(),
            revision: post.revision,
            deliveries: deliveries.into_iter().map(|one| DeliveryView::new(one, now)).collect(),
        }
    }

    fn answer(self) -> Response {
        let etag = HeaderValue::from_str(&format!("\"{}\"", self.revision));
        let etag = etag.ok().map(|etag| [(header::ETAG, etag)]);
        match etag {
            Some(etag) => (etag, Json(self)).into_response(),
            None => Json(self).into_response(),
        }
    }
}

/// Make a post
///
/// A draft needs the scope `draft`, anything that goes out `publish`. It is answered when it is on
/// disk. With an `Idempotency-Key`, sending it twice makes one post.
#[utoipa::path(post, path = "/posts", tag = "posts", request_body = NewPostBody, responses(
        (status = 201, description = "On disk.", body = PostBody),
        (status = 200, description = "Made by an earlier request with this key.",
            body = PostBody)))]
async fn create(
    by: By,
    State(api): State<Api>,
    headers: HeaderMap,
    Strict(body): Strict<NewPostBody>,
) -> Result<Response, Refused> {
    let once = once::of(&headers, "POST /api/v1/posts", &body)?;
    let (view, repeated) = api.engine.create_post(&by.caller, body.read()?, once).await?;
    let replay = match repeated {
        Repeated::No => Replay::First,
        Repeated::Yes => Replay::Repeated,
    };
    Ok(once::answer(replay, PostBody::new(view, api.clock.now()).answer()))
}

/// Ask what would happen to a post
///
/// Checks it against every target as `POST /api/v1/posts` would, and changes nothing.
#[utoipa::path(post, path = "/posts/validate", tag = "posts", request_body = NewPostBody,
    responses((status = 200, body = ValidationView)))]
async fn validate(
    by: By,
    State(api): State<Api>,
    Strict(body): Strict<NewPostBody>,
) -> Answered<ValidationView> {
    Ok(Json(api.engine.validate_post(&by.caller, &body.read()?)?.into()))
}

/// List posts
///
/// Newest first, each with its deliveries.
#[utoipa::path(get, path = "/posts", tag = "posts", params(PageAsked),
    responses((status = 200, body = Piece<PostBody>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<PostBody>> {
    let listing = api.engine.posts(&by.caller, &asked.page()?)?;
    let now = api.clock.now();
    Ok(Json(Piece::of(listing, |view| PostBody::new(view, now))))
}

/// Show a post
#[utoipa::path(get, path = "/posts/{id}", tag = "posts", params(("id" = String, Path)),
    responses((status = 200, body = PostBody)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<PostId>) -> Result<Response, Refused> {
    let view = api.engine.post(&by.caller, id)?;
    Ok(PostBody::new(view, api.clock.now()).answer())
}

/// Change a post
///
/// Whatever has not gone out goes out as changed. With `If-Match`, refused if somebody changed it
/// since. A draft needs the scope `draft`, anything that goes out `publish`.
#[utoipa::path(patch, path = "/posts/{id}", tag = "posts", request_body = PostChange,
    params(("id" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag that you read.")), responses(
        (status = 200, body = PostBody),
        (status = 412, description = "Somebody changed it since.",
            body = ProblemView, content_type = "application/problem+json")))]
async fn edit(
    by: By,
    State(api): State<Api>,
    Id(id): Id<PostId>,
    headers: HeaderMap,
    Strict(change): Strict<PostChange>,
) -> Result<Response, Refused> {
    let revision = wanted_revision(&headers)?;
    let edit = PostEdit {
        content: change.content.map(Into::into),
        variants: change.variants.map(read_variants).transpose()?,
        targets: change.targets.map(|all| all.into_iter().map(|id| id.0).collect()),
        plan: change.plan.map(PlanBody::read).transpose()?,
        priority: change.priority,
        revision,
    };
    let view = api.engine.edit_post(&by.caller, id, edit).await.map_err(|problem| {
        let outdated = problem.code == Code::Conflict && revision.is_some();
        let refused = Refused::from(problem);
        match outdated {
            true => refused.with_status(StatusCode::PRECONDITION_FAILED),
            false => refused,
        }
    })?;
    Ok(PostBody::new(view, api.clock.now()).answer())
}

/// Cancel a post
///
/// Whatever has not gone out will not. What is already published stays. A draft needs the scope
/// `draft`, a planned post `publish`.
#[utoipa::path(post, path = "/posts/{id}/cancel", tag = "posts", params(("id" = String, Path)),
    responses((status = 200, body = PostBody)))]
async fn cancel(by: By, State(api): State<Api>, Id(id): Id<PostId>) -> Result<Response, Refused> {
    let view = api.engine.cancel_post(&by.caller, id).await?;
    Ok(PostBody::new(view, api.clock.now()).answer())
}

/// Cancel a post
///
/// The same as `POST /api/v1/posts/{id}/cancel`: its record stays.
#[utoipa::path(delete, path = "/posts/{id}", tag = "posts", params(("id" = String, Path)),
    responses((status = 200, body = PostBody)))]
async fn delete(by: By, State(api): State<Api>, Id(id): Id<PostId>) -> Result<Response, Refused> {
    let view = api.engine.cancel_post(&by.caller, id).await?;
    Ok(PostBody::new(view, api.clock.now()).answer())
}

/// Tell what happened to a post
///
/// Everything that happened to it and its deliveries, oldest first: why it is late, who changed it.
#[utoipa::path(get, path = "/posts/{id}/timeline", tag = "posts", params(("id" = String, Path)),
    responses((status = 200, body = Piece<EventView>)))]
async fn timeline(
    by: By,
    State(api): State<Api>,
    Id(id): Id<PostId>,
) -> Answered<Piece<EventView>> {
    let events = api.engine.timeline(&by.caller, id)?;
    Ok(Json(Piece { items: events.into_iter().map(EventView::from).collect(), next: None }))
}

/// `None`: any revision will do.
fn wanted_revision(headers: &HeaderMap) -> Result<Option<u32>, Refused> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.and_then(|number| number.parse().ok()).map(Some).ok_or_else(|| {
        let sentence = "The header `If-Match` is not an ETag of a post.";
        let remedy = "Send the `ETag` of the post as you read it, such as \"3\" with its quotes.";
        Refused::new(Code::BadRequest, sentence, remedy).at("header.if-match")
    })
}

const IF_MATCH: HeaderName = header::IF_MATCH;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_is_an_etag_or_anything() {
        let read = |text: &'static str| {
            wanted_revision(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(text))]))
        };
        assert_eq!(read("\"3\"").unwrap(), Some(3));
        assert_eq!(read("*").unwrap(), None);
        for wrong in ["3", "W/\"3\"", "\"x\"", "\"3\", \"4\""] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
