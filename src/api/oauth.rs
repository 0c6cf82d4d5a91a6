//! Where a platform leads a person back after they agreed, or did not, and where they choose what
//! to connect. The only pages that people see here.

use std::sync::LazyLock;

use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        account::{Account, Identity},
        problem::{Code, Problem},
    },
    engine::{
        self,
        facade::{Callback, Choice, ChoiceTarget, Connected},
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
    /// The platform's words for it.
    error_description: Option<String>,
}

/// A link that somebody made up could hold a whole story here.
const REASON_CHARS_MAX: usize = 200;

impl CallbackAsked {
    fn reason(&self) -> Option<String> {
        let code = self.error.as_deref()?;
        let words = self.error_description.as_deref().unwrap_or_default().trim();
        let words: String = words.trim_end_matches('.').chars().take(REASON_CHARS_MAX).collect();
        Some(match words.as_str() {
            "" => code.to_owned(),
            words => format!("{words} ({code})"),
        })
    }
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
        (status = 424, description = "The platform refused, or cannot be reached.",
            body = String, content_type = "text/html")))]
async fn callback(
    State(api): State<Api>,
    Path(platform): Path<String>,
    Query(asked): Query<CallbackAsked>,
) -> Response {
    let state = asked.state.clone();
    let error = asked.reason();
    let callback = Callback { state: asked.state, code: asked.code, error };
    match api.engine.connected(&platform, callback).await {
        Ok(Connected::Account(account)) => {
            page(StatusCode::OK, "Connected", connected(&[*account]))
        }
        Ok(Connected::Choice(choice)) => {
            page(StatusCode::OK, CHOOSE, to_choose(&choice, &state, None))
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
        // They are still there, and can choose again.
        Err(problem) if problem.code == Code::Invalid => {
            match api.engine.choice_of_visitor(&platform, &state) {
                Ok(choice) => {
                    let body = to_choose(&choice, &state, Some(&problem));
                    page(status(problem.code), CHOOSE, body)
                }
                Err(over) => not_connected(&platform, &over),
            }
        }
        Err(problem) => not_connected(&platform, &problem),
    }
}

const CHOOSE: &str = "Choose what to connect";

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
                    (shown(&account.identity)) " on " (name_of(&account.platform)) "."
                    @if !account.missing_scopes.is_empty() { (withheld(&account.missing_scopes)) }
                }
            }
        }
        p { "You may close this page." }
    }
}

/// What the person did not allow.
fn withheld(scopes: &[String]) -> Markup {
    html! {
        p class="note" {
            "You did not allow "
            @for (at, scope) in scopes.iter().enumerate() {
                @if at > 0 { ", " }
                code { (scope) }
            }
            "; what needs it will be refused."
        }
    }
}

fn to_choose(choice: &Choice, state: &str, wrong: Option<&Problem>) -> Markup {
    let action = format!("/oauth/{}/choose", choice.platform);
    html! {
        @if let Some(problem) = wrong {
            p role="alert" { (problem.sentence) " " (problem.remedy) }
        }
        form method="post" action=(action) {
            input type="hidden" name="state" value=(state);
            fieldset {
                legend {
                    "You signed in on " (name_of(&choice.platform))
                    ". What shall Fanfare publish to?"
                }
                @for target in &choice.targets { (to_tick(target)) }
            }
            @if !choice.missing_scopes.is_empty() { (withheld(&choice.missing_scopes)) }
            p class="end" { button { "Connect" } }
        }
    }
}

fn to_tick(target: &ChoiceTarget) -> Markup {
    let ChoiceTarget { identity, obstacle, account } = target;
    html! {
        label {
            input type="checkbox" name="target" value=(identity.remote_id)
                disabled[obstacle.is_some()] checked[account.is_some() && obstacle.is_none()];
            span {
                (shown(identity))
                @if let Some(obstacle) = obstacle { small { (obstacle) } }
                @if account.is_some() { small { "Connected already." } }
            }
        }
    }
}

/// The name, and the handle if it says more.
fn shown(identity: &Identity) -> Markup {
    let Identity { name, handle, .. } = identity;
    html! {
        @match (name.is_empty() || name == handle, handle.is_empty()) {
            (true, false) => strong { "@" (handle) },
            (false, false) => { strong { (name) } " " span class="handle" { "@" (handle) } },
            (_, true) => strong { (name) },
        }
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
pub(crate) fn page(status: StatusCode, title: &str, body: Markup) -> Response {
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
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, markup.into_string()).into_response()
}

/// Our own style is allowed by its hash, so that nobody else's is.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'; \
         form-action 'self'"
    )
});

const STYLE: &str = "
:root { color-scheme: light dark; font: 17px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: clamp(.75rem, 4vw, 1.5rem); background: light-dark(#f4f2ee, #17161a);
  color: light-dark(#222, #eee); }
main { max-width: 30rem; margin: 8vh auto; padding: clamp(1.25rem, 6vw, 2rem); border-radius: 14px;
  background: light-dark(#fff, #222127); box-shadow: 0 1px 3px #0003; overflow-wrap: anywhere; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; }
[role=alert] { padding: .6rem .9rem; border-radius: 8px; font-weight: 600;
  background: light-dark(#fde8e6, #4a2320); color: light-dark(#8c1d13, #ffd9d4); }
ul { padding-left: 1.2rem; } code { font-size: .9em; }
.note { margin: .75rem 0 0; font-size: .9rem; color: light-dark(#555, #b9b9c0); }
fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
legend { padding: 0 0 .5rem; }
label { display: flex; gap: .75rem; align-items: flex-start; padding: .6rem .4rem;
  border-bottom: 1px solid light-dark(#0002, #fff2); }
label:hover:has(input:enabled) { background: light-dark(#0000000a, #ffffff0d); }
label:has(input:disabled) strong { color: light-dark(#666, #a5a5ad); }
label input { margin: .3rem 0 0; width: 1.1rem; height: 1.1rem; flex: none; }
label span { min-width: 0; } small { display: block; color: light-dark(#555, #b9b9c0); }
/* In sight however long the list is. */
.end { position: sticky; bottom: 0; margin: .5rem -.4rem 0; padding: .75rem .4rem .3rem;
  background: light-dark(#fff, #222127); } html { scroll-padding-bottom: 6rem; }
.handle { display: inline-block; color: light-dark(#555, #b9b9c0); }
.field { display: block; padding: 0; border: 0; } .field input { display: block; width: 100%;
  height: auto; box-sizing: border-box; font: inherit; padding: .4rem .6rem; }
button { padding: .6rem 1.4rem; font: inherit; font-weight: 600; border: 0;
  border-radius: 8px; background: light-dark(#1d4ed8, #93b4ff); color: light-dark(#fff, #111); }
button:focus-visible, input:focus-visible { outline: 3px solid light-dark(#c2410c, #fbbf24);
  outline-offset: 2px; }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_platform_stand_before_its_code_and_are_no_story() {
        let reason = |error: Option<&str>, words: Option<&str>| {
            let asked = CallbackAsked {
                state: String::new(),
                code: None,
                error: error.map(str::to_owned),
                error_description: words.map(str::to_owned),
            };
            asked.reason()
        };
        let denied = Some("access_denied");
        assert_eq!(reason(denied, None).unwrap(), "access_denied");
        assert_eq!(reason(denied, Some("No. ")).unwrap(), "No (access_denied)");
        assert!(reason(denied, Some(&"a".repeat(5_000))).unwrap().len() < 300);
        assert_eq!(reason(None, Some("Nobody knows why")), None);
    }
}
