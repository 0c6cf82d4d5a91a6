//! Signing in, and who signed in: developers.snap.com/api/marketing-api/Ads-API/authentication,
//! read 2026-11-21.

use std::time::Duration;

use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        chance::Chance,
        door::{self, Choice, Denial, Manner, Proof, Renewal, always},
        text::attention,
    },
};

use super::{Answer, Books, Call, Snapchat, fine};

pub(super) static MANNER: Manner = Manner {
    name: "Snapchat",
    client: "client_id",
    separator: ' ',
    scopes: &["snapchat-profile-api", "snapchat-marketing-api", "snapchat-offline-conversions-api"],
    choice: Choice::Whole,
    proof: Proof::Unknown,
    told: None,
    code: |chance| chance.word(43),
    code_life: Duration::from_secs(10 * 60),
    access: "hCgwKCj",
    access_life: Duration::from_secs(3_600),
    refresh: "hCgsKCz",
    refresh_life: Duration::from_secs(365 * 24 * 60 * 60),
    renewal: Renewal::Rotates,
    is_handle,
    identify: new_id,
    lasting: always,
};

fn is_handle(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (3..=15).contains(&text.len()) && text.bytes().all(allowed)
}

/// A UUID; the same in every run.
pub(super) fn new_id(chance: &mut Chance, now: Timestamp) -> String {
    let number = chance.snowflake(now, 0, 20);
    let (high, middle, low) = (number >> 32, (number >> 16) & 0xffff, number & 0xffff);
    format!("{high:08x}-{middle:04x}-4000-8000-{low:012x}")
}

impl Snapchat {
    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Answer {
        let Some(client) = door::proven(call, "client_id") else {
            return oauth_error(401, "invalid_client", "Client authentication failed");
        };
        match self.door.exchange(call, &client, books) {
            Ok(tokens) => {
                let body = json!({ "access_token": tokens.access, "token_type": "Bearer",
                    "expires_in": MANNER.access_life.as_secs(), "scope": tokens.scope,
                    "refresh_token": tokens.refresh });
                Answer::json(200, &body).with("cache-control", "no-store")
            }
            Err(Denial::GrantType) => {
                oauth_error(400, "unsupported_grant_type", "Unsupported grant type")
            }
            Err(Denial::Code | Denial::Refresh) => invalid_grant(),
        }
    }

    pub(super) fn my_profile(&self, call: &Call, account: usize) -> Answer {
        let person = self.door.people.get(account);
        let crowd = attention(account as u64 + 1, person.joined.elapsed(call.now));
        let tier = if self.is_basic(account) { "TIER_STANDARD" } else { "TIER_PUBLIC" };
        fine(json!({ "public_profile": {
            "id": person.id, "organization_id": format!("0{}", &person.id[1..]),
            "display_name": person.handle, "snap_user_name": person.handle,
            "profile_type": "PUBLIC_PROFILE", "profile_tier": tier,
            "logo_urls": { "original_logo_url": format!("{}/logo/{}", call.base, person.handle) },
            "subscriber_count": crowd.likes.to_string(),
        } }))
    }
}

pub(super) fn invalid_grant() -> Answer {
    oauth_error(400, "invalid_grant", "The code or refresh token is invalid or has expired")
}

fn oauth_error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": code, "error_description": text }))
}
