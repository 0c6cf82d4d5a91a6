//! Signing in: <https://docs.slack.dev/authentication/installing-with-oauth> and
//! <https://docs.slack.dev/authentication/using-token-rotation>, 2026-08.
//!
//! Where token rotation is on, an access token lasts twelve hours; the one before a renewal lasts
//! to its end (unconfirmed), while the refresh token that was used is over at once.

use std::time::Duration;

use serde_json::json;

use crate::sandbox::{
    consent,
    door::{self, Choice, Denial, Manner, Proof, Renewal, Tokens},
    grants::Worth,
    wire::{Answer, Call},
    world::Books,
};

use super::{Bot, Given, Reply, Slack, fine, no};

/// Which of the doors it is.
pub(super) const LASTS: usize = 0;
pub(super) const ROTATES: usize = 1;

/// The workspace of tokens that nobody signed in for.
const OPEN: &str = "workshop";

const SCOPES: &[&str] = &[
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "chat:write.public",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "incoming-webhook",
];

pub(super) static LASTING: Manner = MANNER;

pub(super) static ROTATING: Manner = Manner {
    access: "xoxe.xoxb-1-",
    access_life: Duration::from_secs(43_200),
    lasting: |_, _| true,
    ..MANNER
};

/// Of an app without token rotation.
const MANNER: Manner = Manner {
    name: "Slack",
    client: "client_id",
    separator: ',',
    scopes: SCOPES,
    choice: Choice::Whole,
    // "pkce_not_allowed": an app has to switch it on.
    proof: Proof::Unknown,
    told: None,
    code: |chance| format!("1.2.{}", chance.word(64)),
    code_life: Duration::from_secs(10 * 60),
    access: "xoxb-1-1-",
    // It does not end.
    access_life: Duration::from_secs(100 * 365 * 24 * 3_600),
    refresh: "xoxe-1-",
    refresh_life: Duration::from_secs(100 * 365 * 24 * 3_600),
    renewal: Renewal::Rotates,
    is_handle,
    identify: |chance, _| format!("U{}", chance.base32(10).to_ascii_uppercase()),
    lasting: |_, _| false,
};

/// Of a workspace: `acme.slack.com`.
fn is_handle(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (2..=21).contains(&text.len()) && text.bytes().all(allowed)
}

/// A bot's token that was copied from an app's page.
pub(super) fn pasted(call: &Call) -> Option<&str> {
    let pieces: Vec<&str> = call.bearer()?.strip_prefix("xoxb-")?.split('-').collect();
    let is_word = |it: &&str| it.len() >= 4 && it.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (pieces.len() >= 2 && pieces.iter().all(is_word)).then(|| call.bearer()).flatten()
}

impl Slack {
    fn door_of(client: &str) -> usize {
        if client.contains("rotating") { ROTATES } else { LASTS }
    }

    pub(super) fn is_rotating(&self, call: &Call) -> bool {
        let behind = |token: &str| self.doors[ROTATES].grants.behind(token).is_some();
        let form = door::form(call);
        call.bearer().is_some_and(behind)
            || form.get("refresh_token").is_some_and(|token| behind(token))
    }

    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let asked = call.parameters();
        let client = asked["client_id"].as_str().unwrap_or_default();
        if asked["scope"].as_str().is_none_or(str::is_empty) {
            return consent::refused("Slack", "no_scopes");
        }
        self.doors[Slack::door_of(client)].consent(call, books)
    }

    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let form = door::form(call);
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        let (client, secret) =
            call.basic().unwrap_or_else(|| (text("client_id"), text("client_secret")));
        if client.is_empty() {
            return Err(no("invalid_client_id"));
        }
        if secret != door::SECRET {
            return Err(no("bad_client_secret"));
        }
        let door = &mut self.doors[Slack::door_of(&client)];
        let given = match text("grant_type").as_str() {
            "" | "authorization_code" => door.redeemed(&form, &client, call.now, books),
            "refresh_token" => {
                let token = text("refresh_token");
                door.renewed(&token, &client, call.now, books).ok_or(Denial::Refresh)
            }
            _ => Err(Denial::GrantType),
        };
        match given {
            Ok(tokens) => Ok(self.granted(&client, tokens)),
            Err(Denial::Code) => Err(no("invalid_code")),
            Err(Denial::Refresh) => Err(no("invalid_refresh_token")),
            Err(Denial::GrantType) => Err(no("invalid_grant_type")),
        }
    }

    fn granted(&mut self, client: &str, tokens: Tokens) -> Answer {
        let number = Slack::door_of(client);
        let name = self.doors[number].handle(tokens.account).to_owned();
        let person = self.doors[number].people.get(tokens.account).id.clone();
        let workspace = self.workspace(&name, false);
        let team = &self.workspaces[workspace].team;
        let mut body = json!({ "access_token": tokens.access, "token_type": "bot",
            "scope": tokens.scope, "bot_user_id": format!("U{}", &team[1..]), "app_id": "A0FANFARE",
            "team": { "id": team, "name": name }, "enterprise": null,
            "is_enterprise_install": false, "authed_user": { "id": person } });
        if number == ROTATES {
            body["refresh_token"] = json!(tokens.refresh);
            body["expires_in"] = json!(ROTATING.access_life.as_secs());
        }
        fine(body)
    }

    pub(super) fn bot(&mut self, call: &Call) -> Result<Bot, Answer> {
        let Some(token) = call.bearer() else { return Err(no("not_authed")) };
        for number in [LASTS, ROTATES] {
            let door = &self.doors[number];
            match door.holder(call) {
                Ok(holder) => {
                    let scopes = door.grants.scopes(holder.grant).to_vec();
                    let name = door.handle(holder.account).to_owned();
                    return Ok(Bot { workspace: self.workspace(&name, false), scopes });
                }
                Err(Worth::Expired) => return Err(no("token_expired")),
                Err(Worth::Revoked) => return Err(no("token_revoked")),
                Err(Worth::Unknown | Worth::Live { .. }) => (),
            }
        }
        if self.revoked.contains(token) {
            return Err(no("token_revoked"));
        }
        match pasted(call) {
            Some(_) => {
                let scopes = SCOPES.iter().map(|&scope| scope.to_owned()).collect();
                Ok(Bot { workspace: self.workspace(OPEN, true), scopes })
            }
            None => Err(no("invalid_auth")),
        }
    }

    /// The address of a workspace is a host of its own on the real Slack.
    pub(super) fn myself(&self, call: &Call, given: &Given, bot: &Bot) -> Reply {
        given.only(&[])?;
        let workspace = &self.workspaces[bot.workspace];
        let number = &workspace.team[1..];
        Ok(fine(json!({ "url": format!("{}/", call.base), "team": workspace.name,
            "user": "fanfare", "team_id": workspace.team, "user_id": format!("U{number}"),
            "bot_id": bot_id(&workspace.team), "is_enterprise_install": false })))
    }

    pub(super) fn end(&mut self, call: &Call, given: &Given) -> Reply {
        given.only(&["test"])?;
        if given.flag("test")? != Some(true) {
            self.doors.iter_mut().for_each(|door| door.revoke(call));
            self.revoked.extend(pasted(call).map(str::to_owned));
        }
        Ok(fine(json!({ "revoked": given.flag("test")? != Some(true) })))
    }
}

pub(super) fn bot_id(team: &str) -> String {
    format!("B{}", &team[1..])
}
