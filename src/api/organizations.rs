//! Organizations, and the panic switches for one of them or for everything.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::OrganizationId,
        organization::{Organization, Pause},
        time::Timestamp,
    },
    engine::facade::OrganizationEdit,
};

use super::{
    Answered, Api,
    caller::By,
    once::{self, Replay},
    paging::{PageAsked, Piece},
    reading::{Asked, Id, Strict, Text},
    refused::Refused,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, edit, delete))
        .routes(routes!(restore))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(pause_everything))
        .routes(routes!(resume_everything))
}

/// A tenant: its accounts, posts, media and keys. Nothing crosses its border.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    #[schema(value_type = String, example = "org_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<OrganizationId>,
    #[schema(example = "Bakery Sunrise")]
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    /// Since when nothing of it is published; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_since: Option<Text<Timestamp>>,
    /// It was deleted: until then it can be restored, afterwards all of it is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends: Option<Text<Timestamp>>,
    /// A delivery that is later than this is held as missed instead of published.
    #[schema(example = 900)]
    grace_seconds: u64,
    /// At most so many publications an hour and account.
    #[schema(example = 10)]
    posts_per_hour: u32,
}

impl From<Organization> for OrganizationView {
    fn from(organization: Organization) -> OrganizationView {
        OrganizationView {
            id: Text(organization.id),
            name: organization.name,
            created: Text(organization.created),
            paused_since: paused_since(organization.paused),
            ends: organization.ends.map(Text),
            grace_seconds: organization.grace.as_secs(),
            posts_per_hour: organization.posts_per_hour,
        }
    }
}

pub(crate) fn paused_since(pause: Pause) -> Option<Text<Timestamp>> {
    match pause {
        Pause::Running => None,
        Pause::Paused { since } => Some(Text(since)),
    }
}

/// An organization to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganization {
    /// As people call it.
    #[schema(example = "Bakery Sunrise", min_length = 1, max_length = 100)]
    name: String,
}

/// What was made, with the key by which it is administered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundedOrganization {
    #[schema(value_type = String, example = "org_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<OrganizationId>,
    /// An admin key of the new organization. Shown once: absent in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationChange {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[serde(default)]
    grace_seconds: Option<u64>,
    #[serde(default)]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 4_294_967_295_u64)]
    posts_per_hour: Option<u32>,
}

/// Whether anything at all may be published.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Everything {
    paused: bool,
}

/// List organizations
///
/// Those that the key may see: its own, or all of the instance. Oldest first.
#[utoipa::path(get, path = "/organizations", tag = "organizations", params(PageAsked),
    responses((status = 200, body = Piece<OrganizationView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<OrganizationView>> {
    let listing = api.engine.organizations(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, OrganizationView::from)))
}

/// Make an organization
///
/// Needs a key of the instance's owner. Answers with an admin key of the new organization, which is
/// shown once.
#[utoipa::path(post, path = "/organizations", tag = "organizations", request_body = NewOrganization,
    responses((status = 201, description = "Made.", body = FoundedOrganization)))]
async fn create(
    by: By,
    State(api): State<Api>,
    headers: HeaderMap,
    Strict(asked): Strict<NewOrganization>,
) -> Result<Response, Refused> {
    let once = once::of(&headers, "POST /api/v1/organizations", &asked)?;
    let made = api.engine.create_organization(&by.caller, &asked.name, once).await?;
    let key = Some(made.key.expose()).filter(|key| !key.is_empty()).map(str::to_owned);
    let replay = if key.is_none() { Replay::Repeated } else { Replay::First };
    let view = FoundedOrganization { id: Text(made.organization), key };
    Ok(once::answer(replay, Json(view).into_response()))
}

/// Show an organization
#[utoipa::path(get, path = "/organizations/{id}", tag = "organizations",
    params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
async fn show(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
) -> Answered<OrganizationView> {
    Ok(Json(api.engine.organization(&by.caller, id)?.into()))
}

/// Change an organization
///
/// Its name, its grace, its pace.
#[utoipa::path(patch, path = "/organizations/{id}", tag = "organizations",
    params(("id" = String, Path)),
    request_body = OrganizationChange, responses((status = 200, body = OrganizationView)))]
async fn edit(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
    Strict(change): Strict<OrganizationChange>,
) -> Answered<OrganizationView> {
    let edit = OrganizationEdit {
        name: change.name,
        grace: change.grace_seconds.map(Duration::from_secs),
        posts_per_hour: change.posts_per_hour,
    };
    Ok(Json(api.engine.edit_organization(&by.caller, id, edit).await?.into()))
}

/// Delete an organization
///
/// Pauses it at once. Until `ends` it can be restored; then everything of it is erased: accounts
/// with their tokens, posts, media, keys, events, and who is a member nowhere else. Needs a key of
/// the instance's owner. The first organization cannot be deleted. Disconnect accounts first if the
/// platforms shall hear that our access ends.
#[utoipa::path(delete, path = "/organizations/{id}", tag = "organizations",
    params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
async fn delete(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
) -> Answered<OrganizationView> {
    Ok(Json(api.engine.delete_organization(&by.caller, id).await?.into()))
}

/// Restore a deleted organization
///
/// Before its `ends`. It stays paused until it is resumed. Needs a key of the instance's owner.
#[utoipa::path(post, path = "/organizations/{id}/restore", tag = "organizations",
    params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
async fn restore(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
) -> Answered<OrganizationView> {
    Ok(Json(api.engine.restore_organization(&by.caller, id).await?.into()))
}

/// Pause an organization
///
/// Nothing of it is published until it is resumed; what becomes due waits on its lane.
#[utoipa::path(post, path = "/organizations/{id}/pause", tag = "organizations",
    params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
async fn pause(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
) -> Answered<OrganizationView> {
    Ok(Json(api.engine.pause_organization(&by.caller, id).await?.into()))
}

/// Resume an organization
///
/// What became due meanwhile goes out if it is within the grace, and is held as missed if not.
#[utoipa::path(post, path = "/organizations/{id}/resume", tag = "organizations",
    params(("id" = String, Path)), responses((status = 200, body = OrganizationView)))]
async fn resume(
    by: By,
    State(api): State<Api>,
    Id(id): Id<OrganizationId>,
) -> Answered<OrganizationView> {
    Ok(Json(api.engine.resume_organization(&by.caller, id).await?.into()))
}

/// Pause everything
///
/// The panic switch: nothing of any organization is published. Needs a key of the instance's owner.
#[utoipa::path(post, path = "/pause", tag = "organizations",
    responses((status = 200, body = Everything)))]
async fn pause_everything(by: By, State(api): State<Api>) -> Answered<Everything> {
    api.engine.pause_everything(&by.caller).await?;
    Ok(Json(Everything { paused: api.engine.everything_paused() }))
}

/// Resume everything
///
/// Ends what `POST /api/v1/pause` began. Needs a key of the instance's owner.
#[utoipa::path(post, path = "/resume", tag = "organizations",
    responses((status = 200, body = Everything)))]
async fn resume_everything(by: By, State(api): State<Api>) -> Answered<Everything> {
    api.engine.resume_everything(&by.caller).await?;
    Ok(Json(Everything { paused: api.engine.everything_paused() }))
}
