//! Single sign-on, as a browser walks through it.

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{domain::secret::Secret, engine::facade::Arrival};

use super::{
    Api,
    refused::Refused,
    seat::{self, Visit},
    welcome,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(depart)).routes(routes!(arrive))
}

fn held_name(api: &Api) -> &'static str {
    match api.engine.public_url().starts_with("https://") {
        true => "__Host-fanfare-sign-on",
        false => "fanfare-sign-on",
    }
}

/// What the provider sends back; it may add more, which is not ours to refuse.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ArrivalAsked {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    /// Who the provider says that it is (RFC 9207).
    iss: Option<String>,
}

const ERROR_CHARS_MAX: usize = 60;

/// Log in elsewhere
///
/// Leads to the provider that the settings name under `[oidc]`.
#[utoipa::path(get, path = "/login/oidc", tag = "welcome", operation_id = "sign_on", security(()),
    responses((status = 303, description = "To the provider."),
        (status = 404, description = "There is no single sign-on."),
        (status = 424, description = "The provider cannot be reached.")))]
async fn depart(State(api): State<Api>) -> Result<Response, Refused> {
    let departure = api.engine.send_to_provider().await?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, departure.url)]).into_response();
    let lasts = departure.lasts.as_secs();
    seat::set_cookie(&api, &mut response, held_name(&api), departure.held.expose(), lasts);
    Ok(response)
}

/// Come back from the provider
///
/// A page that says who is logged in.
#[utoipa::path(get, path = "/login/oidc/callback", tag = "welcome", operation_id = "signed_on",
    security(()), params(ArrivalAsked), responses(
        (status = 200, description = "Logged in.", body = String, content_type = "text/html"),
        (status = 400), (status = 403), (status = 404), (status = 410), (status = 422),
        (status = 424)))]
async fn arrive(
    Visit(visitor): Visit,
    State(api): State<Api>,
    headers: HeaderMap,
    Query(asked): Query<ArrivalAsked>,
) -> Response {
    let error = asked.error.map(|error| error.chars().take(ERROR_CHARS_MAX).collect());
    let arrival = Arrival {
        held: seat::read_cookie(&headers, held_name(&api)),
        state: asked.state,
        code: asked.code.map(Secret::new),
        error,
        issuer: asked.iss,
    };
    let mut response = match api.engine.signed_on(arrival, visitor).await {
        Ok(seat) => welcome::logged_in(&api, &seat),
        Err(problem) => welcome::went_wrong(&problem),
    };
    // Used up, whatever it led to.
    seat::set_cookie(&api, &mut response, held_name(&api), "", 0);
    response
}
