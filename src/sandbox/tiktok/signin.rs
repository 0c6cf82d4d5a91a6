//! Signing in, and who signed in: doc/oauth-user-access-token-management and
//! doc/tiktok-api-v2-get-user-info, read 2026-11-21.

use std::time::Duration;

use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        chance::Chance,
        door::{self, Choice, Denial, Holder, Manner, Proof, Renewal, always},
        text::attention,
    },
};

use super::{Answer, Books, Call, Reply, Tiktok, fine, refusal, unscoped};

const DAY: u64 = 24 * 60 * 60;

pub(super) static MANNER: Manner = Manner {
    name: "TikTok",
    client: "client_key",
    separator: ',',
    scopes: &[
        "user.info.basic",
        "user.info.profile",
        "user.info.stats",
        "video.list",
        "video.publish",
        "video.upload",
    ],
    choice: Choice::EachScope,
    // Apps on the web have none (doc/login-kit-web, read 2026-11-21).
    proof: Proof::Unknown,
    told: Some("scopes"),
    // Whoever does not decode it sends another code.
    code: |chance| format!("{}*2!4711.e1", chance.word(60)),
    code_life: Duration::from_secs(10 * 60),
    access: "act.",
    access_life: Duration::from_secs(2 * 60 * 60),
    refresh: "rft.",
    refresh_life: Duration::from_secs(180 * DAY),
    renewal: Renewal::Rotates,
    is_handle,
    identify,
    lasting: always,
};

fn is_handle(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
    (2..=24).contains(&text.len()) && text.bytes().all(allowed)
}

fn identify(chance: &mut Chance, _: Timestamp) -> String {
    format!("-000{}", chance.word(32))
}

/// Each field with the scope that it takes.
const FIELDS: [(&str, &str); 14] = [
    ("open_id", "user.info.basic"),
    ("union_id", "user.info.basic"),
    ("avatar_url", "user.info.basic"),
    ("avatar_url_100", "user.info.basic"),
    ("avatar_large_url", "user.info.basic"),
    ("display_name", "user.info.basic"),
    ("bio_description", "user.info.profile"),
    ("profile_deep_link", "user.info.profile"),
    ("is_verified", "user.info.profile"),
    ("username", "user.info.profile"),
    ("follower_count", "user.info.stats"),
    ("following_count", "user.info.stats"),
    ("likes_count", "user.info.stats"),
    ("video_count", "user.info.stats"),
];

impl Tiktok {
    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Answer {
        let Some(client) = door::proven(call, "client_key") else {
            return oauth_error("invalid_client", "Client key or secret is incorrect.");
        };
        match self.door.exchange(call, &client, books) {
            Ok(tokens) => {
                let person = self.door.people.get(tokens.account);
                let body = json!({
                    "open_id": person.id, "scope": tokens.scope, "access_token": tokens.access,
                    "expires_in": MANNER.access_life.as_secs(), "token_type": "Bearer",
                    "refresh_token": tokens.refresh,
                    "refresh_expires_in": MANNER.refresh_life.as_secs(),
                });
                Answer::json(200, &body).with("cache-control", "no-store")
            }
            Err(Denial::GrantType) => {
                oauth_error("unsupported_grant_type", "The grant type is not supported.")
            }
            Err(Denial::Code) => {
                oauth_error("invalid_grant", "Authorization code is expired or invalid.")
            }
            Err(Denial::Refresh) => invalid_grant(),
        }
    }

    pub(super) fn revoke_token(&mut self, call: &Call) -> Answer {
        let Some(client) = door::proven(call, "client_key") else {
            return oauth_error("invalid_client", "Client key or secret is incorrect.");
        };
        let form = door::form(call);
        let token = form.get("token").map(String::as_str).unwrap_or_default();
        match self.door.end(token, &client) {
            true => Answer::new(200, "application/json", ""),
            false => oauth_error("invalid_request", "The token is not known."),
        }
    }

    pub(super) fn user(&self, call: &Call, holder: Holder) -> Reply {
        let person = self.door.people.get(holder.account);
        let crowd = attention(holder.account as u64 + 1, person.joined.elapsed(call.now));
        let fields = call.query("fields").unwrap_or_default();
        let mut user = json!({});
        for field in fields.split(',') {
            let Some((_, scope)) = FIELDS.iter().find(|(name, _)| *name == field) else {
                let text = format!("Fields is required and must hold known names: {field}");
                return Err(refusal(400, "invalid_params", &text));
            };
            if !self.door.may(holder.grant, scope) {
                return Err(unscoped(scope));
            }
            user[field] = match field {
                "open_id" => json!(person.id),
                "union_id" => json!(format!("u{}", person.id)),
                "display_name" | "username" => json!(person.handle),
                "profile_deep_link" => json!(format!("{}/@{}", call.base, person.handle)),
                "is_verified" => json!(false),
                "follower_count" => json!(crowd.likes),
                "following_count" => json!(0),
                "likes_count" => json!(crowd.views),
                "video_count" => json!(self.public(holder.account, call.now).len()),
                _ => json!(""),
            };
        }
        Ok(fine(&json!({ "user": user })))
    }
}

pub(super) fn invalid_grant() -> Answer {
    oauth_error("invalid_grant", "Refresh token is invalid or expired.")
}

/// "an error body may come instead" of tokens, and then with 200: the same page.
fn oauth_error(code: &str, text: &str) -> Answer {
    let body = json!({ "error": code, "error_description": text, "log_id": "20261121SANDBOX" });
    Answer::json(200, &body)
}
