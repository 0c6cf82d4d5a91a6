//! Developer apps: what people sign in to platforms through.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{secret::Secret, time::Timestamp},
    engine::facade::{AppOf, AppSetting, AppStanding, Orphans},
};

use super::{
    Answered, Api,
    caller::By,
    paging::Piece,
    reading::{Asked, Id, Strict, Text},
    refused::Refused,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set, remove))
        .routes(routes!(list_shared))
        .routes(routes!(set_shared, remove_shared))
}

/// The app that accounts of a platform are connected through. Its secret is never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App)]
pub(crate) struct AppView {
    /// What the app is called here. Some serve several platforms: `facebook` serves Instagram, too.
    #[schema(value_type = String, example = "linkedin")]
    platform: &'static str,
    /// Whose app a sign-in goes through that begins now: the organization's `own`, the
    /// `instance`'s, that of the `settings` file, or `none`.
    #[schema(value_type = String, example = "own")]
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "77abc0def1ghij")]
    client_id: Option<String>,
    /// Whether there is a secret.
    client_secret: bool,
    /// When this client id was set; absent for one of the settings file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Text<Timestamp>>,
    /// How many accounts were connected through it and are not disconnected.
    accounts: usize,
    /// What to enter at the platform as the redirect or callback address.
    callbacks: Vec<CallbackAddress>,
}

/// Where a platform sends people back to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallbackAddress {
    #[schema(value_type = String, example = "linkedin")]
    platform: &'static str,
    #[schema(example = "https://fanfare.example.org/oauth/callback/linkedin")]
    url: String,
}

impl From<AppStanding> for AppView {
    fn from(standing: AppStanding) -> AppView {
        let callbacks = standing.callbacks.into_iter();
        AppView {
            platform: standing.platform,
            source: standing.app.as_ref().map_or("none", |app| app.holder.name()),
            client_id: standing.app.map(|app| app.client_id),
            client_secret: standing.has_secret,
            since: standing.since.map(Text),
            accounts: standing.accounts,
            callbacks: callbacks.map(|(platform, url)| CallbackAddress { platform, url }).collect(),
        }
    }
}

/// An app as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AppAsked {
    #[schema(example = "77abc0def1ghij", min_length = 1, max_length = 1024)]
    client_id: String,
    /// Left out, it stays what it is if the client id does. A public client has none.
    #[serde(default)]
    #[schema(format = Password)]
    client_secret: Option<String>,
}

impl From<AppAsked> for AppSetting {
    fn from(asked: AppAsked) -> AppSetting {
        AppSetting {
            client_id: asked.client_id,
            client_secret: asked.client_secret.map(Secret::new),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AppForce {
    /// Does it although accounts live by the client that it takes away: they go on until their
    /// access ends, and then have to be connected again.
    #[serde(default)]
    force: bool,
}

impl AppForce {
    fn orphans(&self) -> Orphans {
        match self.force {
            true => Orphans::Accepted,
            false => Orphans::Refused,
        }
    }
}

fn whole(standings: Vec<AppStanding>) -> Json<Piece<AppView>> {
    Json(Piece { items: standings.into_iter().map(AppView::from).collect(), next: None })
}

/// List apps
///
/// What the organization connects accounts through, for each platform that wants a developer app:
/// its own, or else the instance's, or else that of the settings file.
#[utoipa::path(get, path = "/apps", tag = "apps", responses((status = 200, body = Piece<AppView>)))]
async fn list(by: By, State(api): State<Api>) -> Answered<Piece<AppView>> {
    Ok(whole(api.engine.apps(&by.caller, AppOf::Organization)?))
}

/// Set an app
///
/// The organization's own, for accounts that are connected from now on. Those that are connected
/// already are renewed through the app that they were connected through. Taking a client away from
/// accounts that live by it is refused without `force`.
#[utoipa::path(put, path = "/apps/{platform}", tag = "apps",
    params(("platform" = String, Path), AppForce),
    request_body = AppAsked, responses((status = 200, body = AppView)))]
async fn set(
    by: By,
    State(api): State<Api>,
    Id(platform): Id<String>,
    Asked(force): Asked<AppForce>,
    Strict(asked): Strict<AppAsked>,
) -> Answered<AppView> {
    let (of, orphans) = (AppOf::Organization, force.orphans());
    let set = api.engine.set_app(&by.caller, of, &platform, asked.into(), orphans).await?;
    Ok(Json(set.into()))
}

/// Remove an app
///
/// The organization's own, with its secret. Accounts are then connected through the instance's, or
/// that of the settings file. Refused without `force` while accounts live by it.
#[utoipa::path(delete, path = "/apps/{platform}", tag = "apps",
    params(("platform" = String, Path), AppForce),
    responses((status = 204, description = "Removed.")))]
async fn remove(
    by: By,
    State(api): State<Api>,
    Id(platform): Id<String>,
    Asked(force): Asked<AppForce>,
) -> Result<StatusCode, Refused> {
    let orphans = force.orphans();
    api.engine.remove_app(&by.caller, AppOf::Organization, &platform, orphans).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the instance's apps
///
/// What every organization without an app of its own connects accounts through. Needs a key of the
/// instance's owner.
#[utoipa::path(get, path = "/instance/apps", tag = "apps",
    responses((status = 200, body = Piece<AppView>)))]
async fn list_shared(by: By, State(api): State<Api>) -> Answered<Piece<AppView>> {
    Ok(whole(api.engine.apps(&by.caller, AppOf::Instance)?))
}

/// Set an app of the instance
///
/// It comes before that of the settings file. Needs a key of the instance's owner.
#[utoipa::path(put, path = "/instance/apps/{platform}", tag = "apps",
    params(("platform" = String, Path), AppForce),
    request_body = AppAsked, responses((status = 200, body = AppView)))]
async fn set_shared(
    by: By,
    State(api): State<Api>,
    Id(platform): Id<String>,
    Asked(force): Asked<AppForce>,
    Strict(asked): Strict<AppAsked>,
) -> Answered<AppView> {
    let (of, orphans) = (AppOf::Instance, force.orphans());
    let set = api.engine.set_app(&by.caller, of, &platform, asked.into(), orphans).await?;
    Ok(Json(set.into()))
}

/// Remove an app of the instance
///
/// With its secret. Refused without `force` while accounts of any organization live by it. Needs a
/// key of the instance's owner.
#[utoipa::path(delete, path = "/instance/apps/{platform}", tag = "apps",
    params(("platform" = String, Path), AppForce),
    responses((status = 204, description = "Removed.")))]
async fn remove_shared(
    by: By,
    State(api): State<Api>,
    Id(platform): Id<String>,
    Asked(force): Asked<AppForce>,
) -> Result<StatusCode, Refused> {
    let orphans = force.orphans();
    api.engine.remove_app(&by.caller, AppOf::Instance, &platform, orphans).await?;
    Ok(StatusCode::NO_CONTENT)
}
