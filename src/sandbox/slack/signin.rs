//! OAuth as Slack speaks it: docs.slack.dev/authentication/installing-with-oauth and
//! using-token-rotation, August 2026. Any client id may be used; the secret is `sandbox-secret`.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Books, Call, Reply, Slack, bot_of, no, ok, user_of};
use crate::sandbox::{
    consent::{self, Claim, Decision, Invitation},
    grants::{Pair, RefreshWorth},
};

const SECRET: &str = "sandbox-secret";
const CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// "Access tokens expire every 12 hours".
const ACCESS_LIFE: Duration = Duration::from_secs(43_200);

/// What a bot may be given here; Slack has many more.
const KNOWN: [&str; 11] = [
    "chat:write",
    "chat:write.public",
    "chat:write.customize",
    "channels:read",
    "channels:join",
    "channels:history",
    "groups:read",
    "groups:history",
    "files:read",
    "files:write",
    "incoming-webhook",
];

impl Slack {
    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let invitation = match invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused("Slack", &reason),
        };
        if let Some(wrong) = invitation.scopes.iter().find(|it| !KNOWN.contains(&it.as_str())) {
            return consent::refused("Slack", &format!("Invalid permissions requested: {wrong}"));
        }
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => {
                let known = self.teams.handles().filter(|handle| is_handle(handle));
                invitation.page(call, known, remark)
            }
            Decision::Deny => invitation.back(&[("error", "access_denied")]),
            Decision::Allow { handle } => {
                let chance = &mut books.chance;
                let id = || format!("T{}", chance.word(9).to_ascii_uppercase());
                let team = self.teams.welcome(&handle, call.now, id);
                let code = books.chance.word(60);
                self.codes.issue(code.clone(), invitation.code(team, call.now));
                invitation.accepted(&code)
            }
        }
    }

    /// Rotation is switched on for an app, and cannot be switched off.
    pub(super) fn is_rotating(&self, grant: usize) -> bool {
        self.grants.client(grant).contains("rotating")
    }

    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let given = call.parameters();
        let client = client(call, &given)?;
        let text = |name: &str| given[name].as_str().unwrap_or_default();
        match text("grant_type") {
            "" | "authorization_code" => {
                let redirect_uri = given["redirect_uri"].as_str();
                let claim = Claim { client: &client, redirect_uri, verifier: None };
                let code = self.codes.redeem(text("code"), &claim, call.now);
                let code = code.ok_or_else(|| no("invalid_code"))?;
                let grant = self.grants.open(Some(code.account), &client, code.scopes);
                Ok(self.tokens(grant, None, call, books))
            }
            "refresh_token" => {
                let token = text("refresh_token");
                match self.grants.judge_refresh(token, call.now) {
                    RefreshWorth::Fresh { grant } if self.grants.client(grant) == client => {
                        Ok(self.tokens(grant, Some(token), call, books))
                    }
                    // "Each refresh token can be used once".
                    RefreshWorth::Fresh { .. }
                    | RefreshWorth::Spent { .. }
                    | RefreshWorth::Expired
                    | RefreshWorth::Revoked
                    | RefreshWorth::Unknown => Err(no("invalid_refresh_token")),
                }
            }
            _ => Err(no("invalid_grant_type")),
        }
    }

    fn tokens(
        &mut self,
        grant: usize,
        refresh: Option<&str>,
        call: &Call,
        books: &mut Books,
    ) -> Answer {
        let team = self.grants.account(grant).unwrap_or_default();
        let team = self.teams.get(team);
        let mut body = json!({
            "token_type": "bot", "scope": self.grants.scopes(grant).join(","),
            "bot_user_id": user_of(&team.id), "bot_id": bot_of(&team.id), "app_id": "A0SANDBOX",
            "team": { "id": team.id, "name": team.handle }, "enterprise": null,
            "is_enterprise_install": false, "authed_user": { "id": user_of(&team.id) },
        });
        let access = match self.is_rotating(grant) {
            false => {
                let access = format!("xoxb-{}", books.chance.word(48));
                self.grants.issue_access(grant, &access, None);
                access
            }
            true => {
                let access = format!("xoxe.xoxb-1-{}", books.chance.word(120));
                let new = format!("xoxe-1-{}", books.chance.word(120));
                self.grants.issue_access(grant, &access, Some(call.now.after(ACCESS_LIFE)));
                self.grants.issue_refresh(grant, &new, None);
                if let Some(used) = refresh {
                    let pair = Pair { access: access.clone(), refresh: new.clone() };
                    self.grants.spend(used, call.now, pair);
                }
                body["expires_in"] = json!(ACCESS_LIFE.as_secs());
                body["refresh_token"] = json!(new);
                access
            }
        };
        body["access_token"] = json!(access);
        ok(body)
    }
}

fn invitation(call: &Call) -> Result<Invitation, String> {
    let asked = call.parameters();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("client_id").is_empty() {
        return Err("client_id is missing".to_owned());
    }
    if url::Url::parse(text("redirect_uri")).is_err() {
        return Err("redirect_uri did not match any configured URIs".to_owned());
    }
    if !text("code_challenge").is_empty() {
        return Err("pkce_not_allowed".to_owned());
    }
    let scopes: Vec<String> =
        text("scope").split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err("Invalid permissions requested: none".to_owned());
    }
    Ok(Invitation {
        platform: "Slack",
        app: text("client_id").to_owned(),
        client: text("client_id").to_owned(),
        redirect_uri: text("redirect_uri").to_owned(),
        state: Some(text("state").to_owned()).filter(|state| !state.is_empty()),
        scopes,
        challenge: None,
        code_life: CODE_LIFE,
    })
}

/// By Basic authentication, or in the body.
fn client(call: &Call, given: &Value) -> Result<String, Answer> {
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let (id, secret) = call.basic().unwrap_or_else(|| (text("client_id"), text("client_secret")));
    match (id.is_empty(), secret == SECRET) {
        (true, _) => Err(no("invalid_client_id")),
        (false, false) => Err(no("bad_client_secret")),
        (false, true) => Ok(id),
    }
}

/// A workspace is named as its address is: `acme` in `acme.slack.com`.
fn is_handle(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (2..=21).contains(&text.len()) && !text.starts_with("xoxb") && text.bytes().all(is_of_name)
}
