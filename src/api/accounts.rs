//! Connected accounts: connect, look after, pause, disconnect.

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
        account::{Account, Connection},
        ids::{AccountId, OrganizationId},
        secret::Secret,
        time::Timestamp,
    },
    engine::facade::{ConnectRequest, Connecting, Health},
};

use super::{
    Answered, Api,
    caller::By,
    organizations::paused_since,
    paging::{PageAsked, Piece},
    reading::{Asked, Id, Strict, Text},
    refused::{ProblemView, Refused},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(connect))
        .routes(routes!(list))
        .routes(routes!(show, disconnect))
        .routes(routes!(health))
        .routes(routes!(pause))
        .routes(routes!(resume))
}

/// One connected profile, page, channel or board on a platform.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    #[schema(value_type = String, example = "acc_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<AccountId>,
    #[schema(value_type = String, example = "org_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    organization: Text<OrganizationId>,
    #[schema(example = "mastodon")]
    platform: String,
    /// The server it lives on; absent for a platform with one server.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(example = "https://mastodon.social")]
    server: String,
    #[schema(example = "alice")]
    handle: String,
    /// As the person is shown to readers.
    #[schema(example = "Alice")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    picture: String,
    connection: ConnectionState,
    /// Since when it is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    connection_since: Option<Text<Timestamp>>,
    /// Why it is not connected, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_reason: Option<String>,
    /// Since when nothing of it is published; absent while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_since: Option<Text<Timestamp>>,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    /// When the access token ends; it is renewed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    token_ends: Option<Text<Timestamp>>,
    /// When the person has to connect it again at the latest, if the platform says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    reconnect_before: Option<Text<Timestamp>>,
    /// Which of the platform's ways of signing in it was connected by, where there are several.
    #[serde(skip_serializing_if = "String::is_empty")]
    login: String,
    /// Permissions that were wished for and not given: what needs them will be refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_scopes: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionState {
    Connected,
    /// The platform has withdrawn our access: the person has to sign in again.
    NeedsReconnection,
    /// It failed again and again inside Fanfare, and was set aside until it is resumed.
    NeedsAttention,
    /// Its tokens are gone.
    Disconnected,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> AccountView {
        let id = account.id;
        let (connection, since, reason) = match account.connection {
            Connection::Connected => (ConnectionState::Connected, None, None),
            Connection::NeedsReconnection { since, reason } => {
                let todo = format!(
                    "{reason} Connect it again: POST /api/v1/accounts/connect with \
                     `\"reconnect\": \"{id}\"`."
                );
                (ConnectionState::NeedsReconnection, Some(since), Some(todo))
            }
            Connection::NeedsAttention { since, reason } => {
                let todo = format!("{reason} Look at the log, then resume the account.");
                (ConnectionState::NeedsAttention, Some(since), Some(todo))
            }
            Connection::Disconnected { since } => {
                (ConnectionState::Disconnected, Some(since), None)
            }
        };
        AccountView {
            id: Text(id),
            organization: Text(account.organization),
            platform: account.platform,
            server: account.server,
            handle: account.identity.handle,
            name: account.identity.name,
            url: account.identity.url,
            picture: account.identity.picture,
            connection,
            connection_since: since.map(Text),
            connection_reason: reason,
            paused_since: paused_since(account.paused),
            created: Text(account.created),
            token_ends: account.token_ends.map(Text),
            reconnect_before: account.refresh_ends.map(Text),
            login: account.login,
            missing_scopes: account.missing_scopes,
        }
    }
}

/// An account to connect.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// A name from `GET /api/v1/platforms`.
    #[schema(example = "mastodon")]
    platform: String,
    /// For platforms with many servers.
    #[serde(default)]
    #[schema(example = "mastodon.social")]
    server: String,
    /// For platforms with several ways to sign in, as `GET /api/v1/platforms` names them.
    #[serde(default)]
    #[schema(example = "facebook")]
    login: String,
    /// For platforms without OAuth: the handle or address that the person signs in with.
    #[serde(default)]
    #[schema(example = "alice.bsky.social")]
    identifier: String,
    /// For platforms without OAuth: an app password, never the account's own.
    #[serde(default)]
    #[schema(format = Password)]
    password: Option<String>,
    /// An account that is to be connected again and keeps its deliveries.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    reconnect: Option<Text<AccountId>>,
}

/// How it goes on: either a page for the person to visit, or the connected account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionBegun {
    state: ConnectionStep,
    /// Where the person agrees; the platform then leads them back. It works once.
    #[serde(skip_serializing_if = "Option::is_none")]
    visit_url: Option<String>,
    /// Until when `visit_url` works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    visit_until: Option<Text<Timestamp>>,
    /// Where there are several pages or organizations to choose from:
    /// `GET /api/v1/connections/{connection}` lists them once the person has agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    /// A secret that was made for a webhook, for its receiver to check signatures with: shown here
    /// and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectionStep {
    /// The person has to open `visit_url`.
    Visit,
    /// Done.
    Connected,
}

/// How an account is doing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    account: AccountView,
    /// What it does right now: `idle`, `publishing`, `staging`, `resting`, `paused`, `asleep` …
    #[schema(value_type = String)]
    stage: &'static str,
    /// It publishes nothing before this: a limit, or our own pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    rests_until: Option<Text<Timestamp>>,
    /// Deliveries whose time has come.
    on_lane: usize,
    /// Deliveries that wait for a person's decision.
    in_doubt: usize,
    /// Deliveries that are held with a reason.
    held: usize,
    /// One sentence for each thing that is not well; empty when all is.
    troubles: Vec<String>,
}

impl From<Health> for HealthView {
    fn from(health: Health) -> HealthView {
        HealthView {
            account: health.account.into(),
            stage: health.stage,
            rests_until: health.rests_until.map(Text),
            on_lane: health.on_lane,
            in_doubt: health.in_doubt,
            held: health.held,
            troubles: health.troubles,
        }
    }
}

/// Connect an account
///
/// For OAuth the answer names a page that the person has to open; for an app password the account
/// is connected at once. Asking twice is harmless: it begins anew, or finds the account.
#[utoipa::path(post, path = "/accounts/connect", tag = "accounts", request_body = NewConnection,
    responses(
        (status = 200, description = "The person has to agree first.", body = ConnectionBegun),
        (status = 201, description = "Connected.", body = ConnectionBegun),
        (status = 424, description = "The platform refused, or cannot be reached.",
            body = ProblemView, content_type = "application/problem+json")))]
async fn connect(
    by: By,
    State(api): State<Api>,
    Strict(asked): Strict<NewConnection>,
) -> Result<Response, Refused> {
    let request = ConnectRequest {
        platform: asked.platform,
        server: asked.server,
        login: asked.login,
        identifier: asked.identifier,
        password: asked.password.map(Secret::new),
        reconnect: asked.reconnect.map(|id| id.0),
    };
    let (status, begun) = match api.engine.connect(&by.caller, request).await? {
        Connecting::Visit { url, until, connection } => {
            let begun = ConnectionBegun {
                state: ConnectionStep::Visit,
                visit_url: Some(url),
                visit_until: Some(Text(until)),
                connection: Some(connection),
                secret: None,
                account: None,
            };
            (StatusCode::OK, begun)
        }
        Connecting::Connected { account, made } => {
            let state = ConnectionStep::Connected;
            let account = Some((*account).into());
            let begun = ConnectionBegun {
                state,
                visit_url: None,
                visit_until: None,
                connection: None,
                secret: made.map(|secret| secret.expose().to_owned()),
                account,
            };
            (StatusCode::CREATED, begun)
        }
    };
    Ok((status, Json(begun)).into_response())
}

/// List accounts
///
/// Oldest first, disconnected ones included.
#[utoipa::path(get, path = "/accounts", tag = "accounts", params(PageAsked),
    responses((status = 200, body = Piece<AccountView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<AccountView>> {
    let listing = api.engine.accounts(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, AccountView::from)))
}

/// Show an account
#[utoipa::path(get, path = "/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<AccountId>) -> Answered<AccountView> {
    Ok(Json(api.engine.account(&by.caller, id)?.into()))
}

/// Disconnect an account
///
/// Revokes our access at the platform, deletes the tokens, and holds what was planned. What is
/// already published stays.
#[utoipa::path(delete, path = "/accounts/{id}", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView)))]
async fn disconnect(
    by: By,
    State(api): State<Api>,
    Id(id): Id<AccountId>,
) -> Answered<AccountView> {
    Ok(Json(api.engine.disconnect(&by.caller, id).await?.into()))
}

/// Show how an account is doing
#[utoipa::path(get, path = "/accounts/{id}/health", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = HealthView)))]
async fn health(by: By, State(api): State<Api>, Id(id): Id<AccountId>) -> Answered<HealthView> {
    Ok(Json(api.engine.health(&by.caller, id).await?.into()))
}

/// Pause an account
///
/// Nothing of it is published until it is resumed.
#[utoipa::path(post, path = "/accounts/{id}/pause", tag = "accounts", params(("id" = String, Path)),
    responses((status = 200, body = AccountView)))]
async fn pause(by: By, State(api): State<Api>, Id(id): Id<AccountId>) -> Answered<AccountView> {
    Ok(Json(api.engine.pause_account(&by.caller, id).await?.into()))
}

/// Resume an account
///
/// Also one that was set aside because it needed attention.
#[utoipa::path(post, path = "/accounts/{id}/resume", tag = "accounts",
    params(("id" = String, Path)), responses((status = 200, body = AccountView)))]
async fn resume(by: By, State(api): State<Api>, Id(id): Id<AccountId>) -> Answered<AccountView> {
    Ok(Json(api.engine.resume_account(&by.caller, id).await?.into()))
}
