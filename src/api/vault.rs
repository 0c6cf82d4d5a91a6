//! The vault's keys: never what they are, only how much each has sealed.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::time::Timestamp,
    engine::{Urgency, facade::VaultView},
};

use super::{
    Answered, Api,
    caller::By,
    reading::{Strict, Text},
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(rotate))
}

/// What is sealed: tokens, secrets of apps and of people, steps of deliveries, begun logins.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Vault)]
pub(crate) struct VaultShown {
    /// Tells keys apart, and nothing about them.
    #[schema(example = "8f14e45f")]
    key: String,
    /// How many secrets the current key has sealed.
    sealed: usize,
    /// How many an old key has sealed.
    sealed_with_old: usize,
    /// How many no key opens that we have.
    sealed_strangely: usize,
    /// When the old key may be forgotten, if nothing is sealed with it then; absent if there is no
    /// old key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    old_until: Option<Text<Timestamp>>,
}

impl From<VaultView> for VaultShown {
    fn from(view: VaultView) -> VaultShown {
        VaultShown {
            key: view.key,
            sealed: view.sealed.current,
            sealed_with_old: view.sealed.retired,
            sealed_strangely: view.sealed.strange,
            old_until: view.until.map(Text),
        }
    }
}

/// How the key is to be changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationAsked {
    /// Somebody else may have the old key: it is forgotten within minutes instead of a day, and the
    /// addresses of files that platforms were given end with it.
    #[serde(default)]
    leaked: bool,
}

/// Show the vault
///
/// Needs a key of the instance's owner.
#[utoipa::path(get, path = "/vault", tag = "vault",
    responses((status = 200, body = VaultShown)))]
async fn show(by: By, State(api): State<Api>) -> Answered<VaultShown> {
    Ok(Json(api.engine.vault(&by.caller)?.into()))
}

/// Give the vault a new key
///
/// It is written beside the old one before it seals anything; everything is sealed anew; a day
/// later, when nothing can need it any more, the old one is forgotten. Publishing goes on
/// meanwhile. Needs a key of the instance's owner. A repetition is refused while an old key is
/// kept, and so is a key that comes from where Fanfare cannot write.
#[utoipa::path(post, path = "/vault/rotation", tag = "vault", request_body = RotationAsked,
    responses((status = 200, body = VaultShown)))]
async fn rotate(
    by: By,
    State(api): State<Api>,
    Strict(asked): Strict<RotationAsked>,
) -> Answered<VaultShown> {
    let urgency = if asked.leaked { Urgency::Leaked } else { Urgency::Usual };
    Ok(Json(api.engine.rotate_vault(&by.caller, urgency).await?.into()))
}
