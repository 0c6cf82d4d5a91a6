//! Apps, consent and tokens: methods/apps and methods/oauth, read 2026-07-02. Tokens do not expire
//! and are not refreshed, but for Pixelfed's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::{
    consent::{self, Challenge, Claim, Decision, Invitation, OUT_OF_BAND},
    grants::{Pair, RefreshWorth},
    text::attention,
};

use super::{Answer, Books, Call, Caller, Flavour, Mastodon, Reply, carries, error};

pub(super) const SCOPES: [&str; 14] = [
    "profile",
    "read",
    "read:accounts",
    "read:statuses",
    "read:media",
    "read:notifications",
    "write",
    "write:accounts",
    "write:media",
    "write:statuses",
    "follow",
    "push",
    "admin:read",
    "admin:write",
];

/// Doorkeeper's default.
/// Pixelfed's, as Laravel Passport is set up there.
const ACCESS_LIFE: Duration = Duration::from_secs(356 * 24 * 60 * 60);
const REFRESH_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
const CODE_LIFE: Duration = Duration::from_secs(10 * 60);

pub(super) struct App {
    pub(super) name: String,
    pub(super) website: Option<String>,
    secret: String,
    redirect_uris: Vec<String>,
    scopes: Vec<String>,
}

impl Mastodon {
    pub(super) fn register(&mut self, call: &Call, books: &mut Books) -> Reply {
        let body = call.parameters();
        let name = body["client_name"].as_str().unwrap_or_default();
        if name.is_empty() {
            return Err(error(422, "Validation failed: Application name can't be blank"));
        }
        let redirect_uris: Vec<String> = match body["redirect_uris"].as_array() {
            Some(list) => list.iter().filter_map(|uri| uri.as_str()).map(str::to_owned).collect(),
            None => words(body["redirect_uris"].as_str().unwrap_or_default()),
        };
        let is_uri = |uri: &String| uri == OUT_OF_BAND || url::Url::parse(uri).is_ok();
        if redirect_uris.is_empty() || !redirect_uris.iter().all(is_uri) {
            let text = "Validation failed: Redirect URI must be an absolute URI.";
            return Err(error(422, text));
        }
        let scopes = words(body["scopes"].as_str().unwrap_or("read"));
        let known: &[&str] = match self.flavour {
            Flavour::Mastodon | Flavour::Gotosocial | Flavour::Pleroma => &SCOPES,
            Flavour::Pixelfed => &["read", "write", "follow", "push"],
        };
        if scopes.iter().any(|scope| !known.contains(&scope.as_str())) {
            let text = "Validation failed: Scopes doesn't match configured on the server.";
            return Err(error(422, text));
        }
        let id = books.chance.word(43);
        let app = App {
            name: name.to_owned(),
            website: body["website"].as_str().map(str::to_owned),
            secret: books.chance.word(43),
            redirect_uris,
            scopes,
        };
        let answer = json!({
            "id": (self.apps.len() + 1).to_string(), "name": app.name, "website": app.website,
            "scopes": app.scopes, "redirect_uris": app.redirect_uris,
            "redirect_uri": app.redirect_uris.join("\n"), "client_id": id,
            "client_secret": app.secret, "client_secret_expires_at": 0, "vapid_key": "",
        });
        self.apps.insert(id, app);
        Ok(Answer::json(200, &answer))
    }

    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let invitation = match self.invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused("Mastodon", &reason),
        };
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => invitation.page(call, self.people.handles(), remark),
            Decision::Deny => invitation.denied(),
            Decision::Allow { handle } => {
                let chance = &mut books.chance;
                let new_id = || chance.snowflake(call.now, 0, 16).to_string();
                let account = self.people.welcome(&handle, call.now, new_id);
                let code = books.chance.word(43);
                let granted = invitation.code(account, call.now);
                self.codes.issue(code.clone(), granted);
                invitation.accepted(&code)
            }
        }
    }

    fn invitation(&self, call: &Call) -> Result<Invitation, String> {
        let asked = call.parameters();
        let text = |name: &str| asked[name].as_str();
        let client = text("client_id").unwrap_or_default();
        let app = self.apps.get(client).ok_or(
            "Client authentication failed due to unknown client, no client authentication \
             included, or unsupported authentication method.",
        )?;
        let redirect_uri = text("redirect_uri").unwrap_or_default();
        if !app.redirect_uris.iter().any(|known| known == redirect_uri) {
            return Err("The redirect URI included is not valid.".to_owned());
        }
        if text("response_type") != Some("code") {
            return Err("The authorization server does not support this response type.".to_owned());
        }
        let scopes = words(text("scope").unwrap_or("read"));
        if let Some(scope) = scopes.iter().find(|scope| !carries(&app.scopes, scope)) {
            return Err(format!("The requested scope is invalid, unknown, or malformed: {scope}"));
        }
        Ok(Invitation {
            platform: "Mastodon",
            app: app.name.clone(),
            client: client.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: text("state").map(str::to_owned),
            scopes,
            challenge: challenge(&asked)?,
            code_life: CODE_LIFE,
        })
    }

    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let body = call.parameters();
        let (client, app) = self.client(call, &body)?;
        let (account, scopes) = match body["grant_type"].as_str() {
            Some("authorization_code") => {
                let claim = Claim {
                    client: &client,
                    redirect_uri: body["redirect_uri"].as_str(),
                    verifier: body["code_verifier"].as_str(),
                };
                let code = body["code"].as_str().unwrap_or_default();
                let code = self.codes.redeem(code, &claim, call.now);
                let code = code.ok_or_else(invalid_grant)?;
                (Some(code.account), code.scopes)
            }
            Some("refresh_token") if self.flavour == Flavour::Pixelfed => {
                let token = body["refresh_token"].as_str().unwrap_or_default();
                let grant = match self.grants.judge_refresh(token, call.now) {
                    RefreshWorth::Fresh { grant } if self.grants.client(grant) == client => grant,
                    RefreshWorth::Fresh { .. }
                    | RefreshWorth::Spent { .. }
                    | RefreshWorth::Expired
                    | RefreshWorth::Revoked
                    | RefreshWorth::Unknown => return Err(invalid_grant()),
                };
                // Each use gives a new one, and ends the old one.
                let pair = Pair { access: String::new(), refresh: String::new() };
                self.grants.spend(token, call.now, pair);
                (self.grants.account(grant), self.grants.scopes(grant).to_vec())
            }
            Some("client_credentials") => {
                let asked = words(body["scope"].as_str().unwrap_or("read"));
                if !asked.iter().all(|scope| carries(&app.scopes, scope)) {
                    let text = "The requested scope is invalid, unknown, or malformed.";
                    return Err(oauth_error(400, "invalid_scope", text));
                }
                (None, asked)
            }
            Some(_) | None => {
                let text = "The authorization grant type is not supported by the authorization \
                            server.";
                return Err(oauth_error(400, "unsupported_grant_type", text));
            }
        };
        let scope = scopes.join(" ");
        let grant = self.grants.open(account, &client, scopes);
        let token = books.chance.word(43);
        let ends = (self.flavour == Flavour::Pixelfed).then(|| call.now.after(ACCESS_LIFE));
        self.grants.issue_access(grant, &token, ends);
        let mut answer = json!({
            "access_token": token, "token_type": "Bearer", "scope": scope,
            "created_at": call.now.0 / 1_000,
        });
        if ends.is_some() {
            let refresh = books.chance.word(43);
            self.grants.issue_refresh(grant, &refresh, Some(call.now.after(REFRESH_LIFE)));
            answer["expires_in"] = json!(ACCESS_LIFE.as_secs());
            answer["refresh_token"] = json!(refresh);
        }
        Ok(Answer::json(200, &answer).with("cache-control", "no-store"))
    }

    /// The client by its credentials, in the body or as Basic authentication.
    fn client(&self, call: &Call, body: &Value) -> Result<(String, &App), Answer> {
        let in_body = || {
            let id = body["client_id"].as_str()?.to_owned();
            Some((id, body["client_secret"].as_str()?.to_owned()))
        };
        let (id, secret) = call.basic().or_else(in_body).ok_or_else(invalid_client)?;
        match self.apps.get(&id) {
            Some(app) if app.secret == secret => Ok((id, app)),
            Some(_) | None => Err(invalid_client()),
        }
    }

    pub(super) fn revoke_token(&mut self, call: &Call) -> Reply {
        let body = call.parameters();
        let forbidden = || {
            let text = "You are not authorized to revoke this token";
            oauth_error(403, "unauthorized_client", text)
        };
        let (client, _) = self.client(call, &body).map_err(|_| forbidden())?;
        let token = body["token"].as_str().unwrap_or_default();
        // RFC 7009: an unknown token is as good as a revoked one.
        if let Some(grant) = self.grants.behind(token) {
            if self.grants.client(grant) != client {
                return Err(forbidden());
            }
            self.grants.revoke(grant);
        }
        Ok(Answer::json(200, &json!({})))
    }

    pub(super) fn credentials(&self, call: &Call, caller: Caller) -> Answer {
        let mut account = self.account_json(call, caller.account);
        account["source"] = json!({
            "privacy": "public", "sensitive": false, "language": "en", "note": "",
            "fields": [], "follow_requests_count": 0,
        });
        account["role"] = json!({ "id": "-99", "name": "", "permissions": "65536" });
        Answer::json(200, &account)
    }

    pub(super) fn account(&self, call: &Call, id: &str) -> Reply {
        let account = self.people.by_id(id);
        let account = account.ok_or_else(|| error(404, "Record not found"))?;
        Ok(Answer::json(200, &self.account_json(call, account)))
    }

    pub(super) fn account_json(&self, call: &Call, account: usize) -> Value {
        let person = self.people.get(account);
        let url = format!("{}/@{}", call.base, person.handle);
        let crowd = attention(account as u64, person.joined.elapsed(call.now));
        json!({
            "id": person.id, "username": person.handle, "acct": person.handle,
            "display_name": person.handle, "locked": false, "bot": false,
            "discoverable": true, "group": false, "created_at": person.joined.rfc3339(),
            "note": "", "url": url, "uri": url, "avatar": "", "avatar_static": "",
            "header": "", "header_static": "", "followers_count": crowd.likes,
            "following_count": 0, "last_status_at": null, "emojis": [], "fields": [],
            "statuses_count": self.timelines.get(&account).map_or(0, Vec::len),
        })
    }
}

fn challenge(asked: &Value) -> Result<Option<Challenge>, String> {
    let method = asked["code_challenge_method"].as_str();
    let found = Challenge::read(asked["code_challenge"].as_str(), method)?;
    match found {
        // `code_challenge_methods_supported` lists S256 alone.
        Some(Challenge::Plain(_)) => Err("The code challenge method must be S256.".to_owned()),
        Some(Challenge::S256(_)) | None => Ok(found),
    }
}

fn is_handle(text: &str) -> bool {
    (1..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn oauth_error(status: u16, code: &str, text: &str) -> Answer {
    let body = json!({ "error": code, "error_description": text });
    Answer::json(status, &body)
}

pub(super) fn invalid_grant() -> Answer {
    let text = "The provided authorization grant is invalid, expired, revoked, does not match \
                the redirection URI used in the authorization request, or was issued to another \
                client.";
    oauth_error(400, "invalid_grant", text)
}

fn invalid_client() -> Answer {
    let text = "Client authentication failed due to unknown client, no client authentication \
                included, or unsupported authentication method.";
    oauth_error(401, "invalid_client", text)
}
