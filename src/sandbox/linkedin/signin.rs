//! OAuth as LinkedIn speaks it: learn.microsoft.com/linkedin/shared/authentication, read
//! 2026-11-21. Any client id may be used; the secret is `sandbox-secret`.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::sandbox::{
    consent::{self, Claim, Decision, Invitation},
    grants::RefreshWorth,
};

use super::{Answer, Books, Call, Caller, Linkedin, Reply, bare};

const SECRET: &str = "sandbox-secret";
const CODE_LIFE: Duration = Duration::from_secs(30 * 60);
const ACCESS_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);
const REFRESH_LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Of the products "Sign In with LinkedIn using OpenID Connect" and "Share on LinkedIn".
const SELF_SERVE_SCOPES: [&str; 4] = ["openid", "profile", "email", "w_member_social"];

/// Of the Community Management product, which must be the only one of its app.
const APPROVED_SCOPES: [&str; 11] = [
    "r_basicprofile",
    "w_member_social",
    "w_member_social_feed",
    "w_organization_social",
    "w_organization_social_feed",
    "r_organization_social",
    "r_organization_social_feed",
    "rw_organization_admin",
    "r_organization_admin",
    "r_member_postAnalytics",
    "r_member_profileAnalytics",
];

/// Whether the client's app was approved for the Community Management product.
pub(super) fn is_approved(client: &str) -> bool {
    client.contains("organization")
}

impl Linkedin {
    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let invitation = match invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused("LinkedIn", &reason),
        };
        let allowed: &[&str] = match is_approved(&invitation.client) {
            true => &APPROVED_SCOPES,
            false => &SELF_SERVE_SCOPES,
        };
        let wrong = invitation.scopes.iter().find(|scope| !allowed.contains(&scope.as_str()));
        if let Some(wrong) = wrong {
            let text = format!("Scope \"{wrong}\" is not authorized for your application");
            return invitation
                .back(&[("error", "unauthorized_scope_error"), ("error_description", &text)]);
        }
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => invitation.page(call, self.people.handles(), remark),
            Decision::Deny => invitation.back(&[
                ("error", "user_cancelled_authorize"),
                ("error_description", "The user cancelled the authorization"),
            ]),
            Decision::Allow { handle } => {
                let is_new = self.people.by_handle(&handle).is_none();
                let chance = &mut books.chance;
                let account = self.people.welcome(&handle, call.now, || chance.word(10));
                if is_new {
                    self.found_organizations(account);
                }
                let code = format!("AQ{}", books.chance.word(120));
                self.codes.issue(code.clone(), invitation.code(account, call.now));
                invitation.accepted(&code)
            }
        }
    }

    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let given = call.parameters();
        let client = client(&given)?;
        match needed(&given, "grant_type")? {
            "authorization_code" => {
                let claim = Claim {
                    client: &client,
                    redirect_uri: Some(needed(&given, "redirect_uri")?),
                    verifier: None,
                };
                let code = self.codes.redeem(needed(&given, "code")?, &claim, call.now);
                let code = code.ok_or_else(|| {
                    let text = "Unable to retrieve access token: appid/redirect uri/code verifier \
                                does not match authorization code. Or authorization code expired.";
                    oauth_error(400, "invalid_request", text)
                })?;
                let grant = self.open(code.account, &client, code.scopes);
                Ok(self.tokens(grant, None, call, books))
            }
            "refresh_token" => {
                let token = needed(&given, "refresh_token")?;
                match self.grants.judge_refresh(token, call.now) {
                    RefreshWorth::Fresh { grant } if self.grants.client(grant) == client => {
                        Ok(self.tokens(grant, Some(token), call, books))
                    }
                    RefreshWorth::Fresh { .. }
                    | RefreshWorth::Spent { .. }
                    | RefreshWorth::Expired
                    | RefreshWorth::Revoked
                    | RefreshWorth::Unknown => Err(invalid_grant()),
                }
            }
            _ => Err(oauth_error(400, "unsupported_grant_type", "Unknown grant_type")),
        }
    }

    /// A new authorization with other scopes invalidates older tokens.
    fn open(&mut self, account: usize, client: &str, scopes: Vec<String>) -> usize {
        let asked: BTreeSet<&String> = scopes.iter().collect();
        let given = self.given.entry((account, client.to_owned())).or_default();
        for earlier in given.iter() {
            let had: BTreeSet<&String> = self.grants.scopes(*earlier).iter().collect();
            if had != asked {
                self.grants.revoke(*earlier);
            }
        }
        let grant = self.grants.open(Some(account), client, scopes);
        given.push(grant);
        grant
    }

    /// The same refresh token comes back, with what is left of its life.
    fn tokens(
        &mut self,
        grant: usize,
        refresh: Option<&str>,
        call: &Call,
        books: &mut Books,
    ) -> Answer {
        let access = format!("AQ{}", books.chance.word(340));
        self.grants.issue_access(grant, &access, Some(call.now.after(ACCESS_LIFE)));
        let mut body = json!({ "access_token": access, "expires_in": ACCESS_LIFE.as_secs(),
            "scope": self.grants.scopes(grant).join(",") });
        let refresh = match refresh {
            Some(known) => Some(known.to_owned()),
            None if is_approved(self.grants.client(grant)) => {
                let new = format!("AQ{}", books.chance.word(340));
                let end = call.now.after(REFRESH_LIFE);
                self.grants.issue_refresh(grant, &new, Some(end));
                self.refresh_ends.insert(new.clone(), end);
                Some(new)
            }
            None => None,
        };
        if let Some(refresh) = refresh {
            let end = self.refresh_ends.get(&refresh).copied().unwrap_or_default();
            body["refresh_token_expires_in"] = json!(end.remaining(call.now).as_secs());
            body["refresh_token"] = json!(refresh);
        }
        Answer::json(200, &body).with("cache-control", "no-store")
    }

    pub(super) fn revoke_token(&mut self, call: &Call) -> Reply {
        let given = call.parameters();
        let client = client(&given)?;
        let token = needed(&given, "token")?;
        if let Some(grant) = self.grants.behind(token)
            && self.grants.client(grant) == client
        {
            self.grants.revoke(grant);
        }
        Ok(bare(200))
    }

    pub(super) fn userinfo(&self, call: &Call, caller: Caller) -> Reply {
        self.demand(call, caller, &["openid"], "userinfo.GET.NO_VERSION")?;
        let person = self.people.get(caller.account);
        let mut body = json!({ "sub": person.id });
        if self.has(caller, "profile") {
            body["name"] = json!(format!("{} Sandbox", person.handle));
            body["given_name"] = json!(person.handle);
            body["family_name"] = json!("Sandbox");
            body["locale"] = json!({ "country": "US", "language": "en" });
        }
        if self.has(caller, "email") {
            body["email"] = json!(format!("{}@sandbox.example", person.handle));
            body["email_verified"] = json!(true);
        }
        Ok(Answer::json(200, &body))
    }

    pub(super) fn me(&self, call: &Call, caller: Caller) -> Reply {
        self.demand(call, caller, &["r_basicprofile"], "me.GET.NO_VERSION")?;
        let person = self.people.get(caller.account);
        let localized = |text: &str| {
            json!({ "localized": { "en_US": text },
                "preferredLocale": { "country": "US", "language": "en" } })
        };
        let body = json!({
            "id": person.id, "vanityName": person.handle,
            "localizedFirstName": person.handle, "localizedLastName": "Sandbox",
            "localizedHeadline": "Lives in the sandbox",
            "firstName": localized(&person.handle), "lastName": localized("Sandbox"),
        });
        Ok(Answer::json(200, &body))
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
    let scopes: Vec<String> = text("scope").split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err("scope is missing".to_owned());
    }
    Ok(Invitation {
        platform: "LinkedIn",
        app: text("client_id").to_owned(),
        client: text("client_id").to_owned(),
        redirect_uri: text("redirect_uri").to_owned(),
        state: Some(text("state").to_owned()).filter(|state| !state.is_empty()),
        scopes,
        challenge: None,
        code_life: CODE_LIFE,
    })
}

/// Clients prove themselves in the body; Basic authentication is not documented here.
fn client(given: &Value) -> Result<String, Answer> {
    let id = needed(given, "client_id")?;
    match needed(given, "client_secret")? == SECRET {
        true => Ok(id.to_owned()),
        false => Err(oauth_error(401, "invalid_client", "Client authentication failed")),
    }
}

fn needed<'a>(given: &'a Value, name: &str) -> Result<&'a str, Answer> {
    given[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
        let text = format!("A required parameter \"{name}\" is missing");
        oauth_error(400, "invalid_request", &text)
    })
}

fn is_handle(text: &str) -> bool {
    (3..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn oauth_error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": code, "error_description": text }))
}

pub(super) fn invalid_grant() -> Answer {
    let text = "The provided authorization grant or refresh token is invalid, expired or revoked.";
    oauth_error(400, "invalid_grant", text)
}
