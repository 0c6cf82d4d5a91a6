//! Google's sign-in and errors, as YouTube and Business Profile share them:
//! developers.google.com/identity/protocols/oauth2/web-server, read 2026-11-21.
//!
//! A refresh token comes with a first consent, or where `prompt=consent` asks for another; it does
//! not rotate, and dies after six months without use.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    chance::Chance,
    consent,
    door::{self, Choice, Denial, Door, Manner, Proof, Renewal, Visit},
    wire::{Answer, Call},
    world::Books,
};

const ACCESS_LIFE: Duration = Duration::from_secs(3_599);
const HALF_A_YEAR: Duration = Duration::from_secs(182 * 24 * 60 * 60);

pub(super) const YOUTUBE: Manner = Manner {
    name: "YouTube",
    scopes: &[
        "https://www.googleapis.com/auth/youtube",
        "https://www.googleapis.com/auth/youtube.force-ssl",
        "https://www.googleapis.com/auth/youtube.readonly",
        "https://www.googleapis.com/auth/youtube.upload",
        "https://www.googleapis.com/auth/yt-analytics.readonly",
        "https://www.googleapis.com/auth/yt-analytics-monetary.readonly",
        "openid",
        "email",
        "profile",
    ],
    client: "client_id",
    separator: ' ',
    choice: Choice::EachScope,
    proof: Proof::Taken,
    told: Some("scope"),
    code: |chance| format!("4/0A{}", chance.word(70)),
    code_life: Duration::from_secs(10 * 60),
    access: "ya29.",
    access_life: ACCESS_LIFE,
    refresh: "1//",
    refresh_life: HALF_A_YEAR,
    renewal: Renewal::Stays,
    is_handle,
    identify: |chance, _| format!("UC{}", chance.word(22)),
    lasting,
};

pub(super) const BUSINESS: Manner = Manner {
    name: "Google Business Profile",
    scopes: &["https://www.googleapis.com/auth/business.manage", "openid", "email", "profile"],
    identify: digits,
    ..YOUTUBE
};

fn digits(chance: &mut Chance, now: crate::domain::time::Timestamp) -> String {
    format!("1{}", chance.snowflake(now, 1_288_834_974_657, 22))
}

fn is_handle(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.-@".contains(&b);
    (3..=60).contains(&text.len()) && text.bytes().all(allowed)
}

fn lasting(asked: &Value, visit: Visit) -> bool {
    let asks_again = asked["prompt"].as_str().unwrap_or_default().split(' ');
    let offline = asked["access_type"] == "offline";
    offline && (visit == Visit::First || asks_again.into_iter().any(|it| it == "consent"))
}

pub(super) fn authorize(door: &mut Door, call: &Call, books: &mut Books) -> Answer {
    let asked = call.parameters();
    let fits = |name: &str, allowed: &[&str]| {
        asked[name].as_str().is_none_or(|text| text.split(' ').all(|it| allowed.contains(&it)))
    };
    let wrong = if !fits("access_type", &["offline", "online"]) {
        "access_type must be offline or online"
    } else if !fits("prompt", &["none", "consent", "select_account"]) {
        "prompt must be none, consent or select_account"
    } else if !fits("include_granted_scopes", &["true", "false"]) {
        "include_granted_scopes must be true or false"
    } else {
        return door.consent(call, books);
    };
    consent::refused("Google", &format!("Error 400: invalid_request. {wrong}"))
}

pub(super) fn token(door: &mut Door, call: &Call, books: &mut Books) -> Answer {
    let Some(client) = door::proven(call, "client_id") else {
        return oauth_error(401, "invalid_client", "The provided client secret is invalid.");
    };
    match door.exchange(call, &client, books) {
        Ok(tokens) => {
            let mut body = json!({ "access_token": tokens.access, "token_type": "Bearer",
                "expires_in": ACCESS_LIFE.as_secs(), "scope": tokens.scope });
            if let Some(refresh) = tokens.refresh {
                body["refresh_token"] = json!(refresh);
            }
            Answer::json(200, &body).with("cache-control", "no-store")
        }
        Err(Denial::GrantType) => {
            oauth_error(400, "unsupported_grant_type", "Invalid grant_type: ")
        }
        Err(Denial::Code) => oauth_error(400, "invalid_grant", "Malformed auth code."),
        Err(Denial::Refresh) => revoked(),
    }
}

/// Any token of the grant ends it; nobody has to prove who they are.
pub(super) fn end(door: &mut Door, call: &Call) -> Answer {
    let form = door::form(call);
    let token = form.get("token").map(String::as_str).or(call.query("token")).unwrap_or_default();
    match door.grants.behind(token) {
        Some(grant) => {
            door.grants.revoke(grant);
            Answer::json(200, &json!({}))
        }
        None => oauth_error(400, "invalid_token", "Token expired or revoked"),
    }
}

pub(super) fn revoked() -> Answer {
    oauth_error(400, "invalid_grant", "Token has been expired or revoked.")
}

fn oauth_error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": code, "error_description": text }))
}
