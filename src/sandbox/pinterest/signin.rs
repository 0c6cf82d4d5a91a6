//! Signing in, and who signed in: docs/getting-started/authentication, read 2026-11-21.

use std::time::Duration;

use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        chance::Chance,
        door::{Choice, Denial, Manner, Proof, Renewal, SECRET, always},
        text::attention,
    },
};

use super::{Answer, Books, Call, Pinterest, Reply, refusal, unauthenticated};

const DAY: u64 = 24 * 60 * 60;

pub(super) static MANNER: Manner = Manner {
    name: "Pinterest",
    client: "client_id",
    separator: ',',
    scopes: &[
        "boards:read",
        "boards:read_secret",
        "boards:write",
        "boards:write_secret",
        "pins:read",
        "pins:read_secret",
        "pins:write",
        "pins:write_secret",
        "user_accounts:read",
    ],
    choice: Choice::Whole,
    proof: Proof::Unknown,
    told: None,
    code: |chance| chance.word(40),
    code_life: Duration::from_secs(10 * 60),
    access: "pina_",
    access_life: Duration::from_secs(30 * DAY),
    refresh: "pinr.",
    refresh_life: Duration::from_secs(60 * DAY),
    renewal: Renewal::Rotates,
    is_handle,
    identify,
    lasting: always,
};

fn is_handle(text: &str) -> bool {
    (3..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn identify(chance: &mut Chance, now: Timestamp) -> String {
    new_id(chance, now).to_string()
}

pub(super) fn new_id(chance: &mut Chance, now: Timestamp) -> u64 {
    chance.snowflake(now, 1_288_834_974_657, 22)
}

impl Pinterest {
    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let client = call.basic().filter(|(id, secret)| !id.is_empty() && secret == SECRET);
        let (client, _) = client.ok_or_else(unauthenticated)?;
        let tokens = self.door.exchange(call, &client, books).map_err(|denial| match denial {
            Denial::GrantType => refusal(400, 1, "Invalid request: grant_type is not valid"),
            Denial::Code | Denial::Refresh => unauthenticated(),
        })?;
        let ends = call.now.after(MANNER.refresh_life);
        let mut body = json!({
            "access_token": tokens.access, "token_type": "bearer",
            "expires_in": MANNER.access_life.as_secs(),
            "scope": tokens.scope.replace(',', " "),
        });
        if let Some(refresh) = tokens.refresh {
            body["refresh_token"] = json!(refresh);
            body["refresh_token_expires_in"] = json!(MANNER.refresh_life.as_secs());
            body["refresh_token_expires_at"] = json!(ends.0 / 1_000);
        }
        Ok(Answer::json(200, &body).with("cache-control", "no-store"))
    }

    pub(super) fn user(&self, call: &Call, account: usize) -> Answer {
        let person = self.door.people.get(account);
        let crowd = attention(account as u64 + 1, person.joined.elapsed(call.now));
        let pins = self.pins.iter().filter(|pin| pin.account == account).count();
        let boards = self.boards.iter().filter(|board| board.account == account).count();
        let body = json!({
            "id": person.id, "username": person.handle, "account_type": "BUSINESS",
            "profile_image": format!("{}/avatar/{}.jpg", call.base, person.handle),
            "business_name": person.handle, "website_url": "", "about": "",
            "follower_count": crowd.likes, "following_count": 0, "monthly_views": crowd.views,
            "pin_count": pins, "board_count": boards,
        });
        Answer::json(200, &body)
    }
}
