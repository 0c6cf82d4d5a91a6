//! API keys: what programs act by.

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
        ids::{AccountId, KeyId, OrganizationId},
        organization::{Key, Reach, Scope},
        problem::Code,
        time::Timestamp,
    },
    engine::facade::{NewKey, NewReach},
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
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// An API key. Its text is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyView {
    #[schema(value_type = String, example = "key_01jd3v9p0c8k5t2m7q4x6y1z0n")]
    id: Text<KeyId>,
    #[schema(value_type = String)]
    organization: Text<OrganizationId>,
    #[schema(example = "newsletter robot")]
    name: String,
    /// `read`, `draft`, `publish` or `admin`; each includes the ones before it.
    #[schema(value_type = String, example = "publish")]
    scope: &'static str,
    /// `accounts`, `organization` or `instance`.
    #[schema(value_type = String, example = "organization")]
    reach: &'static str,
    /// The accounts that it is bound to; absent if it is bound to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    accounts: Option<Vec<Text<AccountId>>>,
    #[schema(value_type = String, format = DateTime)]
    created: Text<Timestamp>,
    /// Absent: it lasts until it is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Text<Timestamp>>,
    /// To the minute; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used: Option<Text<Timestamp>>,
}

impl From<Key> for KeyView {
    fn from(key: Key) -> KeyView {
        let (reach, accounts) = match key.reach {
            Reach::Accounts(accounts) => {
                ("accounts", Some(accounts.into_iter().map(Text).collect()))
            }
            Reach::Organization => ("organization", None),
            Reach::Instance => ("instance", None),
        };
        KeyView {
            id: Text(key.id),
            organization: Text(key.organization),
            name: key.name,
            scope: key.scope.name(),
            reach,
            accounts,
            created: Text(key.created),
            expires: key.expires.map(Text),
            last_used: key.used.map(Text),
        }
    }
}

/// A key to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyAsked {
    /// What it is for.
    #[schema(example = "newsletter robot", min_length = 1, max_length = 100)]
    name: String,
    /// `read`, `draft`, `publish` or `admin`.
    #[schema(example = "publish")]
    scope: String,
    /// Binds it to these accounts: it sees and does nothing else. Left out: it is bound to none.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    accounts: Option<Vec<Text<AccountId>>>,
    /// Whether it may also make organizations and switch everything off. Only a key that may can
    /// make one.
    #[serde(default)]
    instance: bool,
    /// When it ends; left out, it lasts until it is revoked.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Text<Timestamp>>,
}

/// The key that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeKey {
    #[serde(flatten)]
    key: KeyView,
    /// What programs send as `Authorization: Bearer <text>`. Shown once: absent in the answer to a
    /// repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ff_…")]
    text: Option<String>,
}

/// List keys
///
/// Those of the organization, oldest first. Nobody can see the text of a key again.
#[utoipa::path(get, path = "/keys", tag = "keys", params(PageAsked),
    responses((status = 200, body = Piece<KeyView>)))]
async fn list(
    by: By,
    State(api): State<Api>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Piece<KeyView>> {
    let listing = api.engine.keys(&by.caller, &asked.page()?)?;
    Ok(Json(Piece::of(listing, KeyView::from)))
}

/// Make a key
///
/// Answers with its text, which is shown once.
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = KeyAsked,
    responses((status = 201, description = "Made.", body = MadeKey)))]
async fn create(
    by: By,
    State(api): State<Api>,
    headers: HeaderMap,
    Strict(asked): Strict<KeyAsked>,
) -> Result<Response, Refused> {
    let once = once::of(&headers, "POST /api/v1/keys", &asked)?;
    let (key, text) = api.engine.create_key(&by.caller, new_key(asked)?, once).await?;
    let replay = if text.is_none() { Replay::Repeated } else { Replay::First };
    let view = MadeKey { key: key.into(), text: text.map(|text| text.expose().to_owned()) };
    Ok(once::answer(replay, Json(view).into_response()))
}

fn new_key(asked: KeyAsked) -> Result<NewKey, Refused> {
    let scope = Scope::named(&asked.scope).ok_or_else(|| {
        let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
        let sentence = format!("There is no scope `{}`.", asked.scope);
        let remedy = format!("Use one of: {}.", names.join(", "));
        Refused::new(Code::Invalid, sentence, remedy).at("scope")
    })?;
    let reach = match (asked.accounts, asked.instance) {
        (None, false) => NewReach::Organization,
        (None, true) => NewReach::Instance,
        (Some(accounts), false) => {
            NewReach::Accounts(accounts.into_iter().map(|Text(account)| account).collect())
        }
        (Some(_), true) => {
            let sentence = "A key is bound to accounts or reaches the instance, not both.";
            let remedy = "Leave out `accounts` or `instance`.";
            return Err(Refused::new(Code::Invalid, sentence, remedy).at("instance"));
        }
    };
    let expires = asked.expires.map(|Text(expires)| expires);
    Ok(NewKey { name: asked.name, scope, reach, expires })
}

/// Revoke a key
///
/// From then on it opens nothing.
#[utoipa::path(delete, path = "/keys/{id}", tag = "keys", params(("id" = String, Path)),
    responses((status = 204, description = "Revoked.")))]
async fn revoke(by: By, State(api): State<Api>, Id(id): Id<KeyId>) -> Result<StatusCode, Refused> {
    api.engine.revoke_key(&by.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
