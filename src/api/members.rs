//! Members of an organization, and invitations to become one.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::{InvitationId, MemberId, OrganizationId},
        organization::Role,
        person::Invitation,
        problem::Code,
        secret::Secret,
        time::Timestamp,
    },
    engine::facade::{Acceptance, MemberEdit, Membership, NewInvitation},
};

use super::{
    Answered, Api,
    caller::By,
    once::{self, Replay},
    paging::{PageAsked, Piece},
    reading::{Asked, Id, Strict, Text},
    refused::Refused,
    seat::Visit,
    session,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, edit, remove))
        .routes(routes!(reset))
}

/// A person in this organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberView {
    #[schema(value_type = String, example = "mem_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<MemberId>,
    #[schema(value_type = String)]
    organization: Text<OrganizationId>,
    name: String,
    email: String,
    /// `owner`, `admin`, `editor`, `viewer` or `guest`; a guest sees nothing.
    #[schema(value_type = String, example = "editor")]
    role: &'static str,
    /// Whether they have a way in, and may use it.
    can_log_in: bool,
    /// Whether the instance's owner has shut them out.
    disabled: bool,
    /// Whether they log in with a second factor.
    two_factor: bool,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
}

impl From<Membership> for MemberView {
    fn from(shown: Membership) -> MemberView {
        let Membership { member, can_log_in, disabled, two_factor } = shown;
        MemberView {
            id: Text(member.id),
            organization: Text(member.organization),
            name: member.name,
            email: member.email,
            role: member.role.name(),
            can_log_in,
            disabled,
            two_factor,
            created: Text(member.created),
        }
    }
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberChange {
    /// `owner`, `admin`, `editor`, `viewer` or `guest`; not more than you are.
    #[serde(default)]
    role: Option<String>,
    /// Shuts the person out of all organizations, or lets them in again. For the instance's owner.
    #[serde(default)]
    disabled: Option<bool>,
}

/// A link that works once.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResetLink {
    link: String,
    #[schema(value_type = String, format = DateTime)]
    expires: Text<Timestamp>,
}

/// List the members
///
/// Oldest first.
#[utoipa::path(get, path = "/members", tag = "members", params(PageAsked),
    responses((status = 200, body = Piece<MemberView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<MemberView>> {
    let listing = api.engine.members(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, MemberView::from)))
}

/// Show a member
#[utoipa::path(get, path = "/members/{id}", tag = "members", params(("id" = String, Path)),
    responses((status = 200, body = MemberView)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<MemberId>) -> Answered<MemberView> {
    Ok(Json(api.engine.member(&by.caller, id)?.into()))
}

/// Change a member
///
/// Nobody gives more than they have, and somebody who can log in stays admin and owner.
#[utoipa::path(patch, path = "/members/{id}", tag = "members", params(("id" = String, Path)),
    request_body = MemberChange, responses((status = 200, body = MemberView)))]
async fn edit(
    by: By,
    State(api): State<Api>,
    Id(id): Id<MemberId>,
    Strict(asked): Strict<MemberChange>,
) -> Answered<MemberView> {
    let role = asked.role.as_deref().map(role_named).transpose()?;
    let edit = MemberEdit { role, disabled: asked.disabled };
    Ok(Json(api.engine.edit_member(&by.caller, id, edit).await?.into()))
}

/// Remove a member
///
/// Who is in no organization any more is forgotten.
#[utoipa::path(delete, path = "/members/{id}", tag = "members", params(("id" = String, Path)),
    responses((status = 204, description = "Removed.")))]
async fn remove(
    by: By,
    State(api): State<Api>,
    Id(id): Id<MemberId>,
) -> Result<StatusCode, Refused> {
    api.engine.remove_member(&by.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a member set a new password
///
/// Answers with a link that works once, for an hour. Using it turns their second factor off and
/// ends their sessions.
#[utoipa::path(post, path = "/members/{id}/reset", tag = "members",
    params(("id" = String, Path)), responses((status = 200, body = ResetLink)))]
async fn reset(by: By, State(api): State<Api>, Id(id): Id<MemberId>) -> Answered<ResetLink> {
    let (link, until) = api.engine.reset_member(&by.caller, id).await?;
    Ok(Json(ResetLink { link: link.expose().to_owned(), expires: Text(until) }))
}

fn role_named(name: &str) -> Result<Role, Refused> {
    Role::named(name).ok_or_else(|| {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        let sentence = format!("There is no role `{name}`.");
        let remedy = format!("Use one of: {}.", names.join(", "));
        Refused::new(Code::Invalid, sentence, remedy).at("role")
    })
}

pub(crate) fn invitation_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list_invitations, invite))
        .routes(routes!(revoke))
        .routes(routes!(accept))
}

/// A place in this organization that was offered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    #[schema(value_type = String, example = "inv_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<InvitationId>,
    #[schema(value_type = String, example = "editor")]
    role: &'static str,
    /// The address that it is for; absent if it is for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Who made it.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    expires: Text<Timestamp>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> InvitationView {
        InvitationView {
            id: Text(invitation.id),
            role: invitation.role.name(),
            email: Some(invitation.email).filter(|email| !email.is_empty()),
            by: invitation.by.to_string(),
            created: Text(invitation.created),
            expires: Text(invitation.proof.until),
        }
    }
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitationAsked {
    /// `owner`, `admin`, `editor`, `viewer` or `guest`; not more than you are.
    #[schema(example = "editor")]
    role: String,
    /// Binds it to this address; left out, whoever holds the link may use it.
    #[serde(default)]
    email: Option<String>,
    /// When it ends, within thirty days; left out, after a week.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Text<Timestamp>>,
}

/// The invitation that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeInvitation {
    #[serde(flatten)]
    invitation: InvitationView,
    /// For whoever is invited. Shown once: absent in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptanceAsked {
    /// The last part of the link.
    token: String,
    /// May be left out where the invitation names one.
    #[serde(default)]
    email: Option<String>,
    /// Not needed of who has an account here already.
    #[serde(default)]
    name: Option<String>,
    /// Of who has an account here already, that account's; otherwise a new one.
    password: String,
    /// Of the second factor, for an account that has one.
    #[serde(default)]
    code: Option<String>,
}

/// List the invitations
///
/// Those that can still be accepted, oldest first.
#[utoipa::path(get, path = "/invitations", tag = "invitations", operation_id = "list",
    params(PageAsked), responses((status = 200, body = Piece<InvitationView>)))]
async fn list_invitations(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<InvitationView>> {
    let listing = api.engine.invitations(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, InvitationView::from)))
}

/// Invite somebody
///
/// Answers with a link, which is shown once and works once.
#[utoipa::path(post, path = "/invitations", tag = "invitations", operation_id = "create",
    request_body = InvitationAsked,
    responses((status = 201, description = "Made.", body = MadeInvitation)))]
async fn invite(
    by: By,
    State(api): State<Api>,
    headers: HeaderMap,
    Strict(asked): Strict<InvitationAsked>,
) -> Result<Response, Refused> {
    let once = once::of(&headers, "POST /api/v1/invitations", &asked)?;
    let new = NewInvitation {
        role: role_named(&asked.role)?,
        email: asked.email.unwrap_or_default(),
        expires: asked.expires.map(|Text(expires)| expires),
    };
    let (invitation, link) = api.engine.invite(&by.caller, new, once).await?;
    let replay = if link.is_none() { Replay::Repeated } else { Replay::First };
    let link = link.map(|link| link.expose().to_owned());
    let view = MadeInvitation { invitation: invitation.into(), link };
    Ok(once::answer(replay, Json(view).into_response()))
}

/// Revoke an invitation
#[utoipa::path(delete, path = "/invitations/{id}", tag = "invitations",
    params(("id" = String, Path)), responses((status = 204, description = "Revoked.")))]
async fn revoke(
    by: By,
    State(api): State<Api>,
    Id(id): Id<InvitationId>,
) -> Result<StatusCode, Refused> {
    api.engine.revoke_invitation(&by.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation
///
/// Whoever has the link. They become a member and are logged in.
#[utoipa::path(post, path = "/invitations/accept", tag = "invitations", security(()),
    request_body = AcceptanceAsked,
    responses((status = 200, description = "Logged in.", body = session::SeatView)))]
async fn accept(
    Visit(visitor): Visit,
    State(api): State<Api>,
    Strict(asked): Strict<AcceptanceAsked>,
) -> Result<Response, Refused> {
    let acceptance = Acceptance {
        email: asked.email.unwrap_or_default(),
        name: asked.name.unwrap_or_default(),
        password: Secret::new(asked.password),
        code: asked.code,
    };
    let seat = api.engine.accept_invitation(&asked.token, acceptance, visitor).await?;
    session::seated(&api, &seat)
}
