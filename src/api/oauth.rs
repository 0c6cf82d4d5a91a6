//! Where a platform leads a person back after they agreed, or did not, and where they choose what
//! to connect. The only pages that people see here.

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
        account::{Account, Identity},
        problem::{Code, Problem},
    },
    engine::{
        self,
        facade::{Callback, Choice, Connected},
    },
};

use super::{Api, refused::status};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(callback)).routes(routes!(choose))
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
    let state = asked.state.clone();
    let callback = Callback { state: asked.state, code: asked.code, error: asked.error };
    match api.engine.connected(&platform, callback).await {
        Ok(Connected::Account(account)) => {
            page(StatusCode::OK, "Connected", connected(&[*account]))
        }
        Ok(Connected::Choice(choice)) => {
            page(StatusCode::OK, "Choose what to connect", to_choose(&choice, &state))
        }
        Err(problem) => not_connected(&platform, &problem),
    }
}

/// Connect what a person chose
///
/// The form of the page that a platform led them back to. `state` stands for a key; sending it
/// again connects what is not connected yet.
#[utoipa::path(post, path = "/oauth/{platform}/choose", tag = "accounts", security(()),
    params(("platform" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Connected.", body = String, content_type = "text/html"),
        (status = 404, description = "Too late, or never begun.",
            body = String, content_type = "text/html"),
        (status = 422, description = "Nothing that can be connected was chosen.",
            body = String, content_type = "text/html")))]
async fn choose(State(api): State<Api>, Path(platform): Path<String>, form: String) -> Response {
    let mut state = String::new();
    let mut chosen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
        match &*name {
            "state" => state = value.into_owned(),
            "target" => chosen.push(value.into_owned()),
            _ => (),
        }
    }
    match api.engine.choose_as_visitor(&platform, &state, &chosen).await {
        Ok(accounts) => page(StatusCode::OK, "Connected", connected(&accounts)),
        Err(problem) => not_connected(&platform, &problem),
    }
}

fn not_connected(platform: &str, problem: &Problem) -> Response {
    if problem.code == Code::Internal {
        tracing::error!(platform, "a login failed inside: {}", problem.sentence);
    }
    page(status(problem.code), "Not connected", went_wrong(problem))
}

fn connected(accounts: &[Account]) -> Markup {
    html! {
        p { "Fanfare can now publish as" }
        ul {
            @for account in accounts {
                li {
                    strong { (shown(&account.identity)) } " on " (name_of(&account.platform))
                    @if !account.missing_scopes.is_empty() {
                        ". You did not allow " (account.missing_scopes.join(", "))
                        ", so what needs it will be refused"
                    }
                    "."
                }
            }
        }
        p { "You may close this page." }
    }
}

fn to_choose(choice: &Choice, state: &str) -> Markup {
    let action = format!("/oauth/{}/choose", choice.platform);
    html! {
        p { "You signed in on " (name_of(&choice.platform)) ". What shall Fanfare publish to?" }
        form method="post" action=(action) {
            input type="hidden" name="state" value=(state);
            @for target in &choice.targets {
                label {
                    input type="checkbox" name="target" value=(target.identity.remote_id)
                        disabled[target.obstacle.is_some()]
                        checked[target.account.is_some()];
                    span {
                        strong { (target.identity.name) }
                        @if !target.identity.handle.is_empty() {
                            small { (target.identity.handle) }
                        }
                        @if let Some(obstacle) = &target.obstacle { small { (obstacle) } }
                        @if target.account.is_some() { small { "Connected already." } }
                    }
                }
            }
            @if !choice.missing_scopes.is_empty() {
                p { "You did not allow " (choice.missing_scopes.join(", "))
                    "; what needs it will be refused." }
            }
            button { "Connect" }
        }
    }
}

fn shown(identity: &Identity) -> String {
    match identity.handle.as_str() {
        "" => identity.name.clone(),
        handle => format!("@{handle}"),
    }
}

fn name_of(platform: &str) -> &str {
    let known = engine::platforms().into_iter().find(|known| known.platform == platform);
    known.map_or(platform, |profile| profile.name)
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
    base-uri 'none'; form-action 'self'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1.5rem; background: light-dark(#f4f2ee, #17161a);
  color: light-dark(#222, #eee); }
main { max-width: 30rem; margin: 12vh auto; padding: 2rem; border-radius: 14px;
  background: light-dark(#fff, #222127); box-shadow: 0 1px 3px #0003; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
[role=alert] { font-weight: 600; }
ul { padding-left: 1.2rem; }
label { display: flex; gap: .75rem; align-items: flex-start; padding: .6rem 0;
  border-bottom: 1px solid light-dark(#0002, #fff2); }
label:has(input:disabled) { opacity: .65; }
label input { margin-top: .35rem; width: 1.1rem; height: 1.1rem; flex: none; }
small { display: block; overflow-wrap: anywhere; }
button { margin-top: 1.25rem; padding: .6rem 1.4rem; font: inherit; font-weight: 600; border: 0;
  border-radius: 8px; background: light-dark(#1d4ed8, #93b4ff); color: light-dark(#fff, #111); }
button:focus-visible, input:focus-visible { outline: 3px solid light-dark(#f59e0b, #fbbf24);
  outline-offset: 2px; }
";
