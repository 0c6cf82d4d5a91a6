//! Where a platform leads a person back after they agreed, or did not. The only page that people
//! see here.

use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        account::Account,
        problem::{Code, Problem},
    },
    engine::{self, facade::Callback},
};

use super::{Api, refused::status};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(callback))
}

/// What platforms send; they may add more, which is not ours to refuse.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CallbackAsked {
    /// Names who asked; it works once.
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// Take a person back from a platform
///
/// Platforms redirect here; the answer is a page that says which account was connected, or what
/// went wrong and what to do. `state` stands for a key.
#[utoipa::path(get, path = "/oauth/{platform}/callback", tag = "accounts", security(()),
    params(("platform" = String, Path), CallbackAsked), responses(
        (status = 200, description = "Connected.", body = String, content_type = "text/html"),
        (status = 403, description = "The person, or the platform, did not agree.",
            body = String, content_type = "text/html"),
        (status = 410, description = "Too late, or already used.",
            body = String, content_type = "text/html"),
        (status = 502, description = "The platform refused, or cannot be reached.",
            body = String, content_type = "text/html")))]
async fn callback(
    State(api): State<Api>,
    Path(platform): Path<String>,
    Query(asked): Query<CallbackAsked>,
) -> Response {
    let callback = Callback { state: asked.state, code: asked.code, error: asked.error };
    match api.engine.connected(&platform, callback).await {
        Ok(account) => page(StatusCode::OK, "Connected", connected(&account)),
        Err(problem) => {
            if problem.code == Code::Internal {
                tracing::error!(platform, "a login failed inside: {}", problem.sentence);
            }
            page(status(problem.code), "Not connected", went_wrong(&problem))
        }
    }
}

fn connected(account: &Account) -> Markup {
    let known = engine::platforms().into_iter().find(|known| known.platform == account.platform);
    let platform = known.map_or(account.platform.as_str(), |profile| profile.name);
    html! {
        p { "Fanfare can now publish as " strong { "@" (account.identity.handle) }
            " on " (platform) "." }
        p { "You may close this page." }
    }
}

fn went_wrong(problem: &Problem) -> Markup {
    if problem.code == Code::Internal {
        return html! { p { "Fanfare met a fault of its own; its log tells about it." } };
    }
    html! {
        p role="alert" { (problem.sentence) }
        p { (problem.remedy) }
    }
}

/// The address holds a login's code, so nothing may learn it from this page.
fn page(status: StatusCode, title: &str, body: Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Fanfare" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (body) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, markup.into_string()).into_response()
}

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1.5rem; background: light-dark(#f4f2ee, #17161a);
  color: light-dark(#222, #eee); }
main { max-width: 30rem; margin: 12vh auto; padding: 2rem; border-radius: 14px;
  background: light-dark(#fff, #222127); box-shadow: 0 1px 3px #0003; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
[role=alert] { font-weight: 600; }
";
