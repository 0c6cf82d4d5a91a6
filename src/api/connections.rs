//! Connections that were begun: what there is to choose from after signing in.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{ids::AccountId, time::Timestamp},
    engine::facade::{Choice, ChoiceTarget},
};

use super::{
    Answered, Api,
    accounts::AccountView,
    caller::By,
    reading::{Id, Strict, Text},
    refused::ProblemView,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show, choose))
}

/// A sign-in that gives access to several pages or organizations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Connection {
    connection: String,
    #[schema(example = "facebook")]
    platform: String,
    /// Until when targets can be chosen.
    #[schema(value_type = String, format = DateTime)]
    until: Text<Timestamp>,
    /// Permissions that were wished for and not given: what needs them will be refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing_scopes: Vec<String>,
    targets: Vec<ConnectionTarget>,
}

/// A page or an organization that can become an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionTarget {
    /// The platform's own id; this is what is chosen by.
    id: String,
    name: String,
    handle: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    picture: String,
    /// Why it cannot be chosen; absent where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<String>,
    /// The account that it is already.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    account: Option<Text<AccountId>>,
}

/// Which targets become accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    /// Their ids.
    #[schema(min_items = 1)]
    targets: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChosenAccounts {
    accounts: Vec<AccountView>,
}

impl From<Choice> for Connection {
    fn from(choice: Choice) -> Connection {
        Connection {
            connection: choice.connection,
            platform: choice.platform,
            until: Text(choice.until),
            missing_scopes: choice.missing_scopes,
            targets: choice.targets.into_iter().map(ConnectionTarget::from).collect(),
        }
    }
}

impl From<ChoiceTarget> for ConnectionTarget {
    fn from(target: ChoiceTarget) -> ConnectionTarget {
        let ChoiceTarget { identity, obstacle, account } = target;
        ConnectionTarget {
            id: identity.remote_id,
            name: identity.name,
            handle: identity.handle,
            url: identity.url,
            picture: identity.picture,
            obstacle,
            account: account.map(Text),
        }
    }
}

/// Show a connection
///
/// What there is to choose from, once the person has agreed on the platform's page; 404 before
/// that, and an hour after.
#[utoipa::path(get, path = "/connections/{id}", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Connection)))]
async fn show(by: By, State(api): State<Api>, Id(id): Id<String>) -> Answered<Connection> {
    Ok(Json(api.engine.connection(&by.caller, &id)?.into()))
}

/// Choose what becomes accounts
///
/// Asking twice, or again with more, connects what is not connected yet and changes nothing else.
/// All of them are connected, or none.
#[utoipa::path(post, path = "/connections/{id}", tag = "connections", params(("id" = String, Path)),
    request_body = Chosen, responses(
        (status = 200, body = ChosenAccounts),
        (status = 422, description = "None of the targets, or one that cannot be chosen.",
            body = ProblemView, content_type = "application/problem+json")))]
async fn choose(
    by: By,
    State(api): State<Api>,
    Id(id): Id<String>,
    Strict(chosen): Strict<Chosen>,
) -> Answered<ChosenAccounts> {
    let accounts = api.engine.choose(&by.caller, &id, &chosen.targets).await?;
    Ok(Json(ChosenAccounts { accounts: accounts.into_iter().map(AccountView::from).collect() }))
}
