//! The pages behind links that let somebody in: an invitation, setting up, a new password. All else
//! is for programs.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::facade::{Acceptance, Offered, Seat, SettingUp},
};

use super::{
    Api, oauth,
    refused::{Refused, status},
    seat::{self, Visit},
};

/// Where paths begin whose end is a secret.
pub(crate) const LINKS: [&str; 3] = ["/invitations/", "/setup/", "/reset/"];

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(invitation, accept))
        .routes(routes!(setup, set_up))
        .routes(routes!(reset, set_password))
}

/// Show an invitation
///
/// A page with a form.
#[utoipa::path(get, path = "/invitations/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)), responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 410, description = "Used, revoked or too old.",
            body = String, content_type = "text/html")))]
async fn invitation(State(api): State<Api>, Path(token): Path<String>) -> Response {
    match api.engine.offered(&token) {
        Ok(offered) => page(StatusCode::OK, "Welcome", to_accept(&offered, None)),
        Err(problem) => went_wrong(&problem),
    }
}

/// Accept an invitation by its page
#[utoipa::path(post, path = "/invitations/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Logged in.", body = String, content_type = "text/html"),
        (status = 400), (status = 401), (status = 403), (status = 409), (status = 410),
        (status = 422), (status = 429)))]
async fn accept(
    Visit(visitor): Visit,
    State(api): State<Api>,
    Path(token): Path<String>,
    form: String,
) -> Response {
    let offered = match api.engine.offered(&token) {
        Ok(offered) => offered,
        Err(problem) => return went_wrong(&problem),
    };
    let acceptance = Acceptance {
        email: field(&form, "email"),
        name: field(&form, "name"),
        password: Secret::new(field(&form, "password")),
        code: Some(field(&form, "code")).filter(|code| !code.is_empty()),
    };
    match api.engine.accept_invitation(&token, acceptance, visitor).await {
        Ok(seat) => logged_in(&api, &seat),
        Err(problem) => again(&problem, to_accept(&offered, Some(&problem))),
    }
}

/// Show the set-up
///
/// A page with a form, by the link that `fanfare serve` prints.
#[utoipa::path(get, path = "/setup/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)), responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 410, description = "Used or too old.",
            body = String, content_type = "text/html")))]
async fn setup(State(api): State<Api>, Path(token): Path<String>) -> Response {
    match api.engine.check_setup(&token) {
        Ok(()) => page(StatusCode::OK, "Set up Fanfare", to_set_up(&api, None)),
        Err(problem) => went_wrong(&problem),
    }
}

/// Set up the first person by the page
#[utoipa::path(post, path = "/setup/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Logged in.", body = String, content_type = "text/html"),
        (status = 400), (status = 403), (status = 409), (status = 410), (status = 422)))]
async fn set_up(
    Visit(visitor): Visit,
    State(api): State<Api>,
    Path(token): Path<String>,
    form: String,
) -> Response {
    if let Err(problem) = api.engine.check_setup(&token) {
        return went_wrong(&problem);
    }
    let organization = field(&form, "organization");
    let new = SettingUp {
        organization: if organization.is_empty() { "Home".to_owned() } else { organization },
        name: field(&form, "name"),
        email: field(&form, "email"),
        password: Secret::new(field(&form, "password")),
    };
    match api.engine.set_up(&token, new, visitor).await {
        Ok(seat) => logged_in(&api, &seat),
        Err(problem) => again(&problem, to_set_up(&api, Some(&problem))),
    }
}

/// Show where a new password is set
///
/// A page with a form, by the link of `fanfare member reset`.
#[utoipa::path(get, path = "/reset/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)), responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 410, description = "Used or too old.",
            body = String, content_type = "text/html")))]
async fn reset(State(api): State<Api>, Path(token): Path<String>) -> Response {
    match api.engine.check_reset(&token) {
        Ok(person) => page(StatusCode::OK, "A new password", to_reset(&person.email, None)),
        Err(problem) => went_wrong(&problem),
    }
}

/// Set a new password by the page
#[utoipa::path(post, path = "/reset/{token}", tag = "welcome", security(()),
    params(("token" = String, Path)),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Set.", body = String, content_type = "text/html"),
        (status = 400), (status = 403), (status = 410), (status = 422)))]
async fn set_password(
    Visit(_): Visit,
    State(api): State<Api>,
    Path(token): Path<String>,
    form: String,
) -> Response {
    let person = match api.engine.check_reset(&token) {
        Ok(person) => person,
        Err(problem) => return went_wrong(&problem),
    };
    match api.engine.reset(&token, &Secret::new(field(&form, "password"))).await {
        Ok(()) => page(StatusCode::OK, "Done", html! { p { "Log in with the new password." } }),
        Err(problem) => again(&problem, to_reset(&person.email, Some(&problem))),
    }
}

fn field(form: &str, wanted: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn to_accept(offered: &Offered, wrong: Option<&Problem>) -> Markup {
    let Offered { organization, role, email } = offered;
    html! {
        p { "You are invited to " strong { (organization) } " as " (role.name()) "." }
        (form(wrong, html! {
            (input("Email", "email", "email", email, "username"))
            (input("Name", "name", "text", "", "name"))
            (input("Password", "password", "password", "", "new-password"))
            @if wrong.is_some_and(|problem| problem.code == Code::CodeNeeded) {
                (input("Code of your authenticator app", "code", "text", "", "one-time-code"))
            }
            p class="note" {
                "If you have an account here already, give its password; the name is not needed."
            }
        }))
    }
}

fn to_set_up(api: &Api, wrong: Option<&Problem>) -> Markup {
    form(
        wrong,
        html! {
            @if !api.engine.is_founded() {
                (input("Organization", "organization", "text", "Home", "organization"))
            }
            (input("Your name", "name", "text", "", "name"))
            (input("Email", "email", "email", "", "username"))
            (input("Password", "password", "password", "", "new-password"))
        },
    )
}

fn to_reset(email: &str, wrong: Option<&Problem>) -> Markup {
    form(
        wrong,
        html! {
            p { "For " strong { (email) } ". Your second factor is turned off, and you are logged \
                out everywhere." }
            (input("New password", "password", "password", "", "new-password"))
        },
    )
}

/// Sent to where it came from.
fn form(wrong: Option<&Problem>, fields: Markup) -> Markup {
    html! {
        @if let Some(problem) = wrong {
            p role="alert" { (problem.sentence) " " (problem.remedy) }
        }
        form method="post" { (fields) p class="end" { button { "Go on" } } }
    }
}

fn input(label: &str, name: &str, kind: &str, value: &str, fills: &str) -> Markup {
    html! {
        p { label class="field" {
            span { (label) }
            input name=(name) type=(kind) value=(value) autocomplete=(fills);
        } }
    }
}

pub(crate) fn logged_in(api: &Api, seat: &Seat) -> Response {
    let body = html! { p { "You are logged in as " strong { (seat.person.name) } "." } };
    let mut response = page(StatusCode::OK, "Welcome", body);
    seat::hand_over(api, seat, &mut response);
    response
}

fn again(problem: &Problem, body: Markup) -> Response {
    if problem.code == Code::Internal || problem.code == Code::LinkExpired {
        return went_wrong(problem);
    }
    if problem.code == Code::TooManyRequests {
        // With how long to wait.
        return Refused::from(problem.clone()).into_response();
    }
    page(status(problem.code), "Not yet", body)
}

pub(crate) fn went_wrong(problem: &Problem) -> Response {
    if problem.code == Code::Internal {
        return Refused::from(problem.clone()).into_response();
    }
    let body = html! { p role="alert" { (problem.sentence) } p { (problem.remedy) } };
    page(status(problem.code), "This does not work", body)
}

/// The address holds a secret, which no other site may learn; our own has to see where the form
/// comes from.
fn page(status: StatusCode, title: &str, body: Markup) -> Response {
    let mut response = oauth::page(status, title, body);
    let policy = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(header::REFERRER_POLICY, policy);
    response
}
