//! Logging in and out, one's own sessions, one's password and second factor.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        ids::{MemberId, OrganizationId, SessionId},
        person::{Session, TwoFactor},
        secret::Secret,
        time::Timestamp,
    },
    engine::facade::{Login, Seat, SettingUp},
};

use super::{
    Answered, Api,
    reading::{Id, Strict, Text},
    refused::Refused,
    seat::{self, Seated, Visit},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(login, show, logout))
        .routes(routes!(password))
        .routes(routes!(offer_two_factor))
        .routes(routes!(enable_two_factor))
        .routes(routes!(disable_two_factor))
        .routes(routes!(list, end_others))
        .routes(routes!(end))
        .routes(routes!(set_up))
        .routes(routes!(reset))
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct SeatView {
    #[schema(value_type = String, example = "ses_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<SessionId>,
    #[schema(value_type = String, example = "mem_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    person: Text<MemberId>,
    name: String,
    email: String,
    /// Requests that change something send it back in the header `Fanfare-CSRF`.
    csrf: String,
    /// Whether logging in needs a code too.
    two_factor: bool,
    recovery_codes_left: usize,
    /// When one has to log in again, whatever one does.
    #[schema(value_type = String, format = DateTime)]
    until: Text<Timestamp>,
    /// Where one is a member. Requests act in the first that is more than a guest's, or in the one
    /// that the header `Fanfare-Organization` names.
    organizations: Vec<OwnMembership>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnMembership {
    #[schema(value_type = String)]
    organization: Text<OrganizationId>,
    /// `owner`, `admin`, `editor`, `viewer` or `guest`.
    #[schema(value_type = String)]
    role: &'static str,
}

/// Of one's own sessions.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    #[schema(value_type = String)]
    id: Text<SessionId>,
    /// Whether it is the one that asks.
    this: bool,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    /// To the minute.
    #[schema(value_type = String, format = DateTime)]
    last_used: Text<Timestamp>,
    /// The address that it was last used from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What the browser said that it is.
    agent: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Sessions {
    items: Vec<SessionView>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginAsked {
    email: String,
    password: String,
    /// Of the authenticator app, or a recovery code, for an account with a second factor.
    #[serde(default)]
    code: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The one of now.
    old: String,
    /// 10 to 200 characters that cannot be guessed easily.
    new: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAgain {
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeAsked {
    code: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAndCode {
    password: String,
    /// Of the authenticator app, or a recovery code.
    code: String,
}

/// For an authenticator app. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct TwoFactorOffer {
    /// In base 32, for typing.
    secret: String,
    /// `otpauth://…`, for a picture.
    url: String,
}

/// Each of them logs in once, in place of a code. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Ended {
    ended: usize,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingUpAsked {
    /// The last part of the link.
    token: String,
    /// The name of the organization, if there is none yet.
    #[serde(default)]
    organization: Option<String>,
    name: String,
    email: String,
    /// 10 to 200 characters that cannot be guessed easily.
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetAsked {
    /// The last part of the link.
    token: String,
    /// 10 to 200 characters that cannot be guessed easily.
    password: String,
}

/// What is said to somebody who has just been logged in, and what their browser is to hold.
pub(crate) fn seated(api: &Api, seat: &Seat) -> Result<Response, Refused> {
    let mut response = Json(view(api, seat)?).into_response();
    seat::hand_over(api, seat, &mut response);
    Ok(response)
}

fn view(api: &Api, seat: &Seat) -> Result<SeatView, Refused> {
    let organizations = api.engine.memberships(seat)?.into_iter().map(|member| OwnMembership {
        organization: Text(member.organization),
        role: member.role.name(),
    });
    Ok(SeatView {
        id: Text(seat.session.id),
        person: Text(seat.person.id),
        name: seat.person.name.clone(),
        email: seat.person.email.clone(),
        csrf: seat.csrf.clone(),
        two_factor: matches!(seat.person.two_factor, TwoFactor::On { .. }),
        recovery_codes_left: seat.person.recovery.len(),
        until: Text(seat.until),
        organizations: organizations.collect(),
    })
}

/// Log in
///
/// Sets the cookie of a session. Where there is a second factor, the answer without its code is
/// `code-needed`. After too many tries from one address or for one account it is
/// `too-many-requests` for a while.
#[utoipa::path(post, path = "/session", tag = "session", security(()), request_body = LoginAsked,
    responses((status = 200, description = "Logged in.", body = SeatView)))]
async fn login(
    Visit(visitor): Visit,
    State(api): State<Api>,
    Strict(asked): Strict<LoginAsked>,
) -> Result<Response, Refused> {
    let LoginAsked { email, password, code } = asked;
    let login = Login { email, password: Secret::new(password), code };
    seated(&api, &api.engine.login(login, visitor).await?)
}

/// Show who is logged in
///
/// With the token that requests that change something have to carry.
#[utoipa::path(get, path = "/session", tag = "session", security(("session" = [])),
    responses((status = 200, body = SeatView)))]
async fn show(Seated(seat): Seated, State(api): State<Api>) -> Answered<SeatView> {
    Ok(Json(view(&api, &seat)?))
}

/// Log out
///
/// Ends this session, and live streams that it opened.
#[utoipa::path(delete, path = "/session", tag = "session", security(("session" = [])),
    responses((status = 204, description = "Logged out.")))]
async fn logout(Seated(seat): Seated, State(api): State<Api>) -> Result<Response, Refused> {
    api.engine.end_session(&seat, seat.session.id).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    seat::clear(&api, &mut response);
    Ok(response)
}

/// Change one's password
///
/// Ends all other sessions.
#[utoipa::path(post, path = "/session/password", tag = "session", security(("session" = [])),
    request_body = PasswordChange, responses((status = 200, body = SeatView)))]
async fn password(
    Seated(seat): Seated,
    State(api): State<Api>,
    Strict(asked): Strict<PasswordChange>,
) -> Result<Response, Refused> {
    let (old, new) = (Secret::new(asked.old), Secret::new(asked.new));
    seated(&api, &api.engine.change_password(&seat, &old, &new).await?)
}

/// Begin a second factor
///
/// Answers with a secret for an authenticator app. It is asked for only once a code of it has been
/// confirmed.
#[utoipa::path(post, path = "/session/two-factor", tag = "session", security(("session" = [])),
    request_body = PasswordAgain, responses((status = 200, body = TwoFactorOffer)))]
async fn offer_two_factor(
    Seated(seat): Seated,
    State(api): State<Api>,
    Strict(asked): Strict<PasswordAgain>,
) -> Answered<TwoFactorOffer> {
    let offer = api.engine.offer_two_factor(&seat, &Secret::new(asked.password)).await?;
    let (secret, url) = (offer.secret.expose().to_owned(), offer.url.expose().to_owned());
    Ok(Json(TwoFactorOffer { secret, url }))
}

/// Turn the second factor on
///
/// By a code of the secret. Answers with ten recovery codes, and ends all other sessions.
#[utoipa::path(post, path = "/session/two-factor/confirm", tag = "session",
    security(("session" = [])), request_body = CodeAsked,
    responses((status = 200, body = RecoveryCodes)))]
async fn enable_two_factor(
    Seated(seat): Seated,
    State(api): State<Api>,
    Strict(asked): Strict<CodeAsked>,
) -> Result<Response, Refused> {
    let (seat, codes) = api.engine.enable_two_factor(&seat, &asked.code).await?;
    let recovery_codes = codes.iter().map(|code| code.expose().to_owned()).collect();
    let mut response = Json(RecoveryCodes { recovery_codes }).into_response();
    seat::hand_over(&api, &seat, &mut response);
    Ok(response)
}

/// Turn the second factor off
///
/// Ends all other sessions.
#[utoipa::path(post, path = "/session/two-factor/disable", tag = "session",
    security(("session" = [])), request_body = PasswordAndCode,
    responses((status = 200, body = SeatView)))]
async fn disable_two_factor(
    Seated(seat): Seated,
    State(api): State<Api>,
    Strict(asked): Strict<PasswordAndCode>,
) -> Result<Response, Refused> {
    let password = Secret::new(asked.password);
    seated(&api, &api.engine.disable_two_factor(&seat, &password, &asked.code).await?)
}

/// List one's sessions
///
/// Those that are not over, oldest first.
#[utoipa::path(get, path = "/sessions", tag = "session", security(("session" = [])),
    responses((status = 200, body = Sessions)))]
async fn list(Seated(seat): Seated, State(api): State<Api>) -> Answered<Sessions> {
    let shown = |session: Session| SessionView {
        id: Text(session.id),
        this: session.id == seat.session.id,
        created: Text(session.created),
        last_used: Text(session.used),
        address: session.from.map(|address| address.to_string()),
        agent: session.agent,
    };
    let items = api.engine.sessions(&seat)?.into_iter().map(shown).collect();
    Ok(Json(Sessions { items }))
}

/// End all other sessions
#[utoipa::path(delete, path = "/sessions", tag = "session", security(("session" = [])),
    responses((status = 200, body = Ended)))]
async fn end_others(Seated(seat): Seated, State(api): State<Api>) -> Answered<Ended> {
    Ok(Json(Ended { ended: api.engine.end_other_sessions(&seat).await? }))
}

/// End a session
///
/// One of one's own.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "session", security(("session" = [])),
    params(("id" = String, Path)), responses((status = 204, description = "Ended.")))]
async fn end(
    Seated(seat): Seated,
    State(api): State<Api>,
    Id(id): Id<SessionId>,
) -> Result<StatusCode, Refused> {
    api.engine.end_session(&seat, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Set up the first person
///
/// By the link that `fanfare serve` prints while nobody can log in. Founds an organization if there
/// is none. They are logged in.
#[utoipa::path(post, path = "/setup", tag = "session", security(()),
    request_body = SettingUpAsked, responses((status = 200, body = SeatView)))]
async fn set_up(
    Visit(visitor): Visit,
    State(api): State<Api>,
    Strict(asked): Strict<SettingUpAsked>,
) -> Result<Response, Refused> {
    let new = SettingUp {
        organization: asked.organization.unwrap_or_else(|| "Home".to_owned()),
        name: asked.name,
        email: asked.email,
        password: Secret::new(asked.password),
    };
    seated(&api, &api.engine.set_up(&asked.token, new, visitor).await?)
}

/// Set a new password
///
/// By the link of `fanfare member reset`. Turns the second factor off and ends all sessions.
#[utoipa::path(post, path = "/reset", tag = "session", security(()),
    request_body = ResetAsked, responses((status = 204, description = "Set; log in with it.")))]
async fn reset(
    Visit(_): Visit,
    State(api): State<Api>,
    Strict(asked): Strict<ResetAsked>,
) -> Result<StatusCode, Refused> {
    api.engine.reset(&asked.token, &Secret::new(asked.password)).await?;
    Ok(StatusCode::NO_CONTENT)
}
