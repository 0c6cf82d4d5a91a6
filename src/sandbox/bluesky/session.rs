//! Sign-in with app passwords, and sessions: com.atproto.server, lexicons of August 2026.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    domain::time::Timestamp,
    sandbox::grants::{Pair, RefreshWorth},
};

use super::{
    Answer, Bluesky, Books, Call, Reading, Reply, SIGN_INS, SIGN_INS_DAY, error, input, invalid,
    required,
};

/// "accessJwt lives 2 h, refreshJwt 90 d" (observed on the reference server, 2026-11-21).
const ACCESS_LIFE: Duration = Duration::from_secs(2 * 60 * 60);
const REFRESH_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// An exchanged refresh token gives the same successor for this long.
const GRACE: Duration = Duration::from_secs(2 * 60 * 60);

impl Bluesky {
    /// The account of a handle under `.test`, made when it is first asked for; other handles get
    /// theirs by signing in.
    pub(super) fn welcome(&mut self, handle: &str, call: &Call, books: &mut Books) -> usize {
        let chance = &mut books.chance;
        let new_did = || format!("did:plc:{}", chance.base32(24));
        self.people.welcome(&handle.to_ascii_lowercase(), call.now, new_did)
    }

    pub(super) fn create_session(
        &mut self,
        call: &Call,
        books: &mut Books,
        seen: &mut Vec<Reading>,
    ) -> Reply {
        let body = input(call)?;
        let identifier = required(&body, "identifier")?.trim_start_matches('@');
        let password = required(&body, "password")?;
        let wrong = || error(401, "AuthenticationRequired", "Invalid identifier or password");
        let account = match self.find(identifier) {
            Some(account) => account,
            None if is_handle(identifier) && is_app_password(password) => {
                self.welcome(identifier, call, books)
            }
            None => return Err(wrong()),
        };
        self.spend(account, &SIGN_INS, 1, call.now, seen)?;
        self.spend(account, &SIGN_INS_DAY, 1, call.now, seen)?;
        match self.passwords.get(&account) {
            Some(known) if known == password => {}
            Some(_) => return Err(wrong()),
            None if is_app_password(password) => {
                self.passwords.insert(account, password.to_owned());
            }
            None => return Err(wrong()),
        }
        let grant = self.grants.open(Some(account), "app-password", Vec::new());
        let pair = self.new_pair(grant, account, call, books);
        Ok(self.session_answer(call, account, &pair))
    }

    pub(super) fn create_account(&mut self, call: &Call, books: &mut Books) -> Reply {
        let body = input(call)?;
        let handle = required(&body, "handle")?;
        if !is_handle(handle) {
            return Err(error(400, "InvalidHandle", "Input/handle must be a valid handle"));
        }
        let password = required(&body, "password")?;
        let account = self.welcome(handle, call, books);
        if self.passwords.contains_key(&account) {
            let text = format!("Handle already taken: {handle}");
            return Err(error(400, "HandleNotAvailable", &text));
        }
        self.passwords.insert(account, password.to_owned());
        let grant = self.grants.open(Some(account), "password", Vec::new());
        let pair = self.new_pair(grant, account, call, books);
        Ok(self.session_answer(call, account, &pair))
    }

    pub(super) fn refresh_session(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (token, grant, spent) = self.refreshable(call)?;
        let account = self.grants.account(grant).expect("every session has an account");
        let pair = match spent {
            Some(pair) => pair,
            None => {
                let pair = self.new_pair(grant, account, call, books);
                self.grants.spend(&token, call.now, pair.clone());
                pair
            }
        };
        Ok(self.session_answer(call, account, &pair))
    }

    pub(super) fn delete_session(&mut self, call: &Call) -> Reply {
        let (_, grant, _) = self.refreshable(call)?;
        self.grants.revoke(grant);
        Ok(Answer::json(200, &json!({})))
    }

    /// A refresh token that is still good, its session, and its successor if it has one already.
    fn refreshable(&self, call: &Call) -> Result<(String, usize, Option<Pair>), Answer> {
        let token =
            call.bearer().ok_or_else(|| error(401, "AuthMissing", "Authentication Required"))?;
        let revoked = || error(400, "ExpiredToken", "Token has been revoked");
        match self.grants.judge_refresh(token, call.now) {
            RefreshWorth::Fresh { grant } => Ok((token.to_owned(), grant, None)),
            RefreshWorth::Spent { grant, age, pair } if age < GRACE => {
                Ok((token.to_owned(), grant, Some(pair)))
            }
            RefreshWorth::Spent { .. } | RefreshWorth::Revoked => Err(revoked()),
            RefreshWorth::Expired => Err(error(400, "ExpiredToken", "Token has expired")),
            RefreshWorth::Unknown => Err(error(400, "InvalidToken", "Token could not be verified")),
        }
    }

    fn new_pair(&mut self, grant: usize, account: usize, call: &Call, books: &mut Books) -> Pair {
        let did = self.people.get(account).id.clone();
        let mut token = |scope: &str, life| {
            let expires_at = call.now.after(life);
            let claims = json!({
                "scope": scope, "sub": did, "aud": host_did(call), "jti": books.chance.word(22),
                "iat": call.now.0 / 1_000, "exp": expires_at.0 / 1_000,
            });
            (jwt("at+jwt", &claims), expires_at)
        };
        let (access, access_end) = token("com.atproto.appPass", ACCESS_LIFE);
        let (refresh, refresh_end) = token("com.atproto.refresh", REFRESH_LIFE);
        self.grants.issue_access(grant, &access, Some(access_end));
        self.grants.issue_refresh(grant, &refresh, Some(refresh_end));
        Pair { access, refresh }
    }

    fn session_answer(&self, call: &Call, account: usize, pair: &Pair) -> Answer {
        let mut body = self.session_body(call, account);
        body["accessJwt"] = json!(pair.access);
        body["refreshJwt"] = json!(pair.refresh);
        Answer::json(200, &body)
    }

    pub(super) fn session_json(&self, call: &Call, account: usize) -> Answer {
        Answer::json(200, &self.session_body(call, account))
    }

    fn session_body(&self, call: &Call, account: usize) -> Value {
        let person = self.people.get(account);
        json!({
            "did": person.id, "handle": person.handle, "active": true,
            "email": format!("{}@example.test", person.handle), "emailConfirmed": true,
            "didDoc": self.document(call, account),
        })
    }

    pub(super) fn resolve_handle(&mut self, call: &Call, books: &mut Books) -> Reply {
        let handle = super::parameter(call, "handle")?;
        if !is_handle(handle) {
            return Err(invalid("Error: Params/handle must be a valid handle"));
        }
        let account = match self.people.by_handle(handle) {
            Some(account) => account,
            // Clients look a handle up before they sign in, and here signing in makes the account.
            None if handle.ends_with(".test") => self.welcome(handle, call, books),
            None => return Err(invalid("Unable to resolve handle")),
        };
        let did = &self.people.get(account).id;
        Ok(Answer::json(200, &json!({ "did": did })))
    }
}

/// The server's own DID: `did:web` with the port's colon escaped.
pub(super) fn host_did(call: &Call) -> String {
    let host = call.header("host").unwrap_or("localhost");
    format!("did:web:{}", host.replace(':', "%3A"))
}

/// Three parts as in a real token; the last proves nothing, for tokens are looked up here.
pub(super) fn jwt(kind: &str, claims: &Value) -> String {
    let header = json!({ "typ": kind, "alg": "HS256" }).to_string();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let seal = URL_SAFE_NO_PAD.encode(Sha256::digest(signed.as_bytes()));
    format!("{signed}.{seal}")
}

/// An app password: four groups of four, as the app's settings show them.
fn is_app_password(text: &str) -> bool {
    let group = |group: &str| {
        group.len() == 4 && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.split('-').count() == 4 && text.split('-').all(group)
}

/// A domain name of at least two labels: atproto.com/specs/handle, read 2026-07-02.
pub(super) fn is_handle(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Seconds since 1970, which is how the token service counts.
pub(super) fn from_seconds(seconds: u64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::*;
    use crate::sandbox::trial::{Trial, read, start};

    fn access(session: &Value) -> &str {
        session["accessJwt"].as_str().unwrap()
    }

    async fn refresh(trial: &Trial, token: &Value) -> (u16, Value) {
        let path = "/bluesky/xrpc/com.atproto.server.refreshSession";
        let request = trial.request(Method::POST, path, token.as_str().unwrap());
        read(request.send().await.unwrap()).await
    }

    #[tokio::test]
    async fn expired_access_is_400_and_an_old_refresh_token_gives_the_same_successor() {
        let trial = start().await;
        let session = trial.bluesky().await;
        trial.advance(Duration::from_secs(2 * 60 * 60));
        let path = "/bluesky/xrpc/com.atproto.server.getSession";
        let (status, body) = trial.get(path, access(&session)).await;
        assert_eq!((status, &body["error"]), (400, &json!("ExpiredToken")));
        let (status, first) = refresh(&trial, &session["refreshJwt"]).await;
        assert_eq!(status, 200);
        let (_, again) = refresh(&trial, &session["refreshJwt"]).await;
        assert_eq!(first["refreshJwt"], again["refreshJwt"]);
        assert_eq!(trial.get(path, access(&first)).await.0, 200);
        trial.advance(Duration::from_secs(2 * 60 * 60));
        let (status, body) = refresh(&trial, &session["refreshJwt"]).await;
        assert_eq!((status, &body["error"]), (400, &json!("ExpiredToken")));
    }

    #[tokio::test]
    async fn a_handle_keeps_its_first_password() {
        let trial = start().await;
        let session = trial.bluesky().await;
        let login = json!({ "identifier": "alice.test", "password": "zzzz-bbbb-cccc-dddd" });
        let path = "/bluesky/xrpc/com.atproto.server.createSession";
        let (status, body) = trial.post(path, "", login).await;
        assert_eq!((status, &body["error"]), (401, &json!("AuthenticationRequired")));
        let plc = format!("/bluesky/plc/{}", session["did"].as_str().unwrap());
        let (_, document) = trial.get(&plc, "").await;
        let endpoint = format!("{}/bluesky", trial.origin);
        assert_eq!(document["service"][0]["serviceEndpoint"], json!(endpoint));
        assert_eq!(document["alsoKnownAs"][0], "at://alice.test");
    }
}
