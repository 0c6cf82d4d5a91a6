//! OAuth 2.0 with PKCE: docs.x.com, authentication, read 2026-07-02. Any client id may be used; a
//! confidential client's secret is `sandbox-secret`.

use std::time::Duration;

use serde_json::json;

use crate::sandbox::{
    consent::{self, Challenge, Claim, Decision, Invitation},
    grants::{Pair, RefreshWorth},
    text::attention,
};

use super::{Answer, Books, Call, EPOCH, Reply, X};

const SECRET: &str = "sandbox-secret";
/// "authorization codes … 30 seconds" (docs.x.com, OAuth 2.0, read 2026-07-02).
const CODE_LIFE: Duration = Duration::from_secs(30);
const ACCESS_LIFE: Duration = Duration::from_secs(7_200);

const SCOPES: [&str; 16] = [
    "tweet.read",
    "tweet.write",
    "tweet.moderate.write",
    "users.read",
    "users.email",
    "follows.read",
    "follows.write",
    "offline.access",
    "space.read",
    "like.read",
    "like.write",
    "list.read",
    "bookmark.read",
    "dm.read",
    "dm.write",
    "media.write",
];

impl X {
    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let invitation = match invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused("X", &reason),
        };
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => invitation.page(call, self.people.handles(), remark),
            Decision::Deny => invitation.denied(),
            Decision::Allow { handle } => {
                let chance = &mut books.chance;
                let new_id = || chance.snowflake(call.now, EPOCH, 22).to_string();
                let account = self.people.welcome(&handle, call.now, new_id);
                let code = books.chance.word(91);
                let granted = invitation.code(account, call.now);
                self.codes.issue(code.clone(), granted);
                invitation.accepted(&code)
            }
        }
    }

    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let client = client(call)?;
        let body = call.parameters();
        let text = |name: &str| body[name].as_str();
        let grant = match text("grant_type") {
            Some("authorization_code") => {
                let claim = Claim {
                    client: &client,
                    redirect_uri: text("redirect_uri"),
                    verifier: text("code_verifier"),
                };
                let code = text("code").unwrap_or_default();
                let code = self.codes.redeem(code, &claim, call.now);
                let code = code.ok_or_else(|| {
                    oauth_error(
                        400,
                        "invalid_request",
                        "Value passed for the authorization code was invalid.",
                    )
                })?;
                self.grants.open(Some(code.account), &client, code.scopes)
            }
            Some("refresh_token") => {
                let token = text("refresh_token").unwrap_or_default();
                let grant = self.refreshable(token, &client, call)?;
                return Ok(self.tokens(grant, call, books, Some(token)));
            }
            Some(_) | None => {
                let text = "Missing or unknown grant_type";
                return Err(oauth_error(400, "unsupported_grant_type", text));
            }
        };
        Ok(self.tokens(grant, call, books, None))
    }

    fn refreshable(&mut self, token: &str, client: &str, call: &Call) -> Result<usize, Answer> {
        match self.grants.judge_refresh(token, call.now) {
            RefreshWorth::Fresh { grant } if self.grants.client(grant) == client => Ok(grant),
            RefreshWorth::Spent { grant, .. } => {
                // Somebody holds a stolen or stale copy: nobody may go on.
                self.grants.revoke(grant);
                Err(invalid_token())
            }
            RefreshWorth::Fresh { .. }
            | RefreshWorth::Expired
            | RefreshWorth::Revoked
            | RefreshWorth::Unknown => Err(invalid_token()),
        }
    }

    fn tokens(
        &mut self,
        grant: usize,
        call: &Call,
        books: &mut Books,
        spent: Option<&str>,
    ) -> Answer {
        let scopes = self.grants.scopes(grant);
        let scope = scopes.join(" ");
        let lasting = scopes.iter().any(|scope| scope == "offline.access");
        let access = books.chance.word(91);
        let end = call.now.after(ACCESS_LIFE);
        self.grants.issue_access(grant, &access, Some(end));
        let mut body = json!({
            "token_type": "bearer", "expires_in": ACCESS_LIFE.as_secs(), "access_token": access,
            "scope": scope,
        });
        if lasting {
            let refresh = books.chance.word(91);
            self.grants.issue_refresh(grant, &refresh, None);
            body["refresh_token"] = json!(refresh);
            if let Some(spent) = spent {
                let pair = Pair { access, refresh };
                self.grants.spend(spent, call.now, pair);
            }
        }
        Answer::json(200, &body).with("cache-control", "no-store")
    }

    pub(super) fn revoke_token(&mut self, call: &Call) -> Reply {
        let client = client(call)?;
        let body = call.parameters();
        let token = body["token"].as_str().ok_or_else(invalid_token)?;
        if let Some(grant) = self.grants.behind(token)
            && self.grants.client(grant) == client
        {
            self.grants.revoke(grant);
        }
        Ok(Answer::json(200, &json!({ "revoked": true })))
    }

    pub(super) fn me(&self, call: &Call, account: usize) -> Answer {
        let person = self.people.get(account);
        let mut data = json!({ "id": person.id, "name": person.handle,
            "username": person.handle });
        let fields = call.query("user.fields").unwrap_or_default();
        for field in fields.split(',') {
            data[field] = match field {
                "created_at" => json!(person.joined.rfc3339()),
                "profile_image_url" => json!(""),
                "protected" => json!(false),
                "verified" => json!(self.is_premium(account)),
                "verified_type" if self.is_premium(account) => json!("blue"),
                "verified_type" => json!("none"),
                "subscription_type" if self.is_premium(account) => json!("Premium"),
                "subscription_type" => json!("None"),
                "public_metrics" => {
                    let crowd = attention(account as u64, person.joined.elapsed(call.now));
                    json!({ "followers_count": crowd.likes, "following_count": 0,
                        "tweet_count": self.timelines.get(&account).map_or(0, Vec::len),
                        "listed_count": 0, "like_count": 0 })
                }
                _ => continue,
            };
        }
        Answer::json(200, &json!({ "data": data }))
    }
}

fn invitation(call: &Call) -> Result<Invitation, String> {
    let asked = call.parameters();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("response_type") != "code" {
        return Err("response_type must be code".to_owned());
    }
    if text("client_id").is_empty() {
        return Err("client_id is missing".to_owned());
    }
    if url::Url::parse(text("redirect_uri")).is_err() {
        return Err("redirect_uri is not an absolute URL".to_owned());
    }
    if text("state").is_empty() || text("state").len() > 500 {
        return Err("state must have 1 to 500 characters".to_owned());
    }
    let scopes: Vec<String> = text("scope").split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err("scope holds something that is no scope".to_owned());
    }
    let method = asked["code_challenge_method"].as_str();
    let challenge = Challenge::read(asked["code_challenge"].as_str(), method)?;
    if challenge.is_none() {
        return Err("code_challenge is missing: PKCE is required".to_owned());
    }
    Ok(Invitation {
        platform: "X",
        app: text("client_id").to_owned(),
        client: text("client_id").to_owned(),
        redirect_uri: text("redirect_uri").to_owned(),
        state: Some(text("state").to_owned()),
        scopes,
        challenge,
        code_life: CODE_LIFE,
    })
}

/// Confidential clients prove themselves with Basic authentication, public ones only say who they
/// are.
fn client(call: &Call) -> Result<String, Answer> {
    let missing = || {
        let text = "Missing valid authorization header";
        oauth_error(401, "unauthorized_client", text)
    };
    if call.header("authorization").is_some() {
        return match call.basic() {
            Some((id, secret)) if secret == SECRET && !id.is_empty() => Ok(id),
            Some(_) | None => Err(missing()),
        };
    }
    let body = call.parameters();
    let id = body["client_id"].as_str().filter(|id| !id.is_empty());
    id.map(str::to_owned).ok_or_else(missing)
}

fn is_handle(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn oauth_error(status: u16, code: &str, text: &str) -> Answer {
    let body = json!({ "error": code, "error_description": text });
    Answer::json(status, &body)
}

pub(super) fn invalid_token() -> Answer {
    oauth_error(400, "invalid_request", "Value passed for the token was invalid.")
}
