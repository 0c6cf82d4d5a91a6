//! A Mastodon server: docs.joinmastodon.org as of 4.5, read 2026-07-02. Also plays GoToSocial,
//! which looks alike but ignores `Idempotency-Key`, processes media at once, and answers 400 where
//! Mastodon answers 422; and Pleroma, which gives the first answer to a key again, whatever it was.
//!
//! Invariant: a key repeated by its account within the hour gives the first status again, and
//! the ledger stays as it is.

mod instance;
mod media;
mod pleroma;
mod poll;
mod signin;
mod statuses;
mod words;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    Platform,
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{media::Media, signin::App, statuses::Status};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    Mastodon,
    Gotosocial,
    Pleroma,
    Pixelfed,
}

/// "Each user account can call all endpoints 300 times within a 5 minute time period"
/// (api/rate-limits, read 2026-07-02), and the narrower ones of the same page.
const ALL: Rule = Rule::new("all", 300, 5 * 60);
const MEDIA: Rule = Rule::new("media", 30, 30 * 60);
const DELETES: Rule = Rule::new("deletes", 30, 30 * 60);
const STATUSES: Rule = Rule::new("statuses", 300, 3 * 60 * 60);

pub(crate) struct Mastodon {
    flavour: Flavour,
    meter: Meter,
    people: People,
    apps: HashMap<String, App>,
    codes: Codes,
    grants: Grants,
    media: HashMap<u64, Media>,
    statuses: HashMap<u64, Status>,
    /// Status ids of an account, oldest first.
    timelines: HashMap<usize, Vec<u64>>,
    /// By account and key: the status, and when it was created.
    keys: HashMap<(usize, String), (u64, Timestamp)>,
    /// Pleroma's: the first answer to each key of anybody, and when it was given.
    answers: HashMap<String, (u16, Value, Timestamp)>,
}

/// Whoever a request's token stands for.
#[derive(Clone, Copy)]
struct Caller {
    account: usize,
    grant: usize,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Mastodon {
    pub(crate) fn new(flavour: Flavour, meter: Meter) -> Mastodon {
        Mastodon {
            flavour,
            meter,
            people: People::default(),
            apps: HashMap::new(),
            codes: Codes::default(),
            grants: Grants::default(),
            media: HashMap::new(),
            statuses: HashMap::new(),
            timelines: HashMap::new(),
            keys: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    fn platform(&self) -> Platform {
        match self.flavour {
            Flavour::Mastodon => Platform::Mastodon,
            Flavour::Gotosocial => Platform::Gotosocial,
            Flavour::Pleroma => Platform::Pleroma,
            Flavour::Pixelfed => Platform::Pixelfed,
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Vec<Reading>) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", ["api", "v2", "instance"]) if self.flavour != Flavour::Pixelfed => {
                Ok(self.instance_v2(call))
            }
            ("GET", ["api", "v1", "instance"]) => Ok(self.instance_v1(call)),
            ("GET", [".well-known", "oauth-authorization-server"])
                if !matches!(self.flavour, Flavour::Pleroma | Flavour::Pixelfed) =>
            {
                Ok(self.metadata(call))
            }
            ("GET", [".well-known", "nodeinfo"]) => Ok(self.nodeinfo_links(call)),
            ("GET", ["nodeinfo", "2.0"]) => Ok(self.nodeinfo()),
            ("POST", ["api", "v1", "apps"]) => self.register(call, books),
            ("GET" | "POST", ["oauth", "authorize"]) => Ok(self.consent(call, books)),
            ("POST", ["oauth", "token"]) => self.token(call, books),
            ("POST", ["oauth", "revoke"]) => self.revoke_token(call),
            ("GET", ["api", "v1", "accounts", "verify_credentials"]) => {
                let scopes = ["profile", "read:accounts"];
                let caller = self.authorize(call, &scopes, &[], seen)?;
                Ok(self.credentials(call, caller))
            }
            ("GET", ["api", "v1", "accounts", id]) => self.account(call, id),
            ("GET", ["api", "v1", "accounts", id, "statuses"]) => {
                let viewer = self.viewer(call, seen)?;
                self.list(call, id, viewer)
            }
            ("POST", ["api", "v1" | "v2", "media"]) => {
                let caller = self.authorize(call, &["write:media"], &[&MEDIA], seen)?;
                self.upload(call, caller, books)
            }
            (_, ["api", "v1", "media", id]) => {
                let caller = self.authorize(call, &["write:media"], &[], seen)?;
                self.attachment(call, id, caller, books)
            }
            ("POST", ["api", "v1", "statuses"]) => {
                let caller = self.authorize(call, &["write:statuses"], &[&STATUSES], seen)?;
                match self.flavour {
                    Flavour::Mastodon | Flavour::Gotosocial => self.create(call, caller, books),
                    Flavour::Pleroma => Ok(self.create_or_repeat(call, caller, books)),
                    Flavour::Pixelfed => self.create_pictured(call, caller, books),
                }
            }
            ("GET", ["api", "v1", "statuses"]) => {
                let viewer = self.viewer(call, seen)?;
                Ok(self.several(call, viewer))
            }
            ("GET", ["api", "v1", "statuses", id]) => {
                let viewer = self.viewer(call, seen)?;
                self.show(call, id, viewer)
            }
            ("PUT", ["api", "v1", "statuses", id]) => {
                let caller = self.authorize(call, &["write:statuses"], &[], seen)?;
                self.edit(call, id, caller, books)
            }
            ("DELETE", ["api", "v1", "statuses", id]) => {
                let caller = self.authorize(call, &["write:statuses"], &[&DELETES], seen)?;
                self.remove(call, id, caller, books)
            }
            ("GET", [author]) if author.starts_with('@') => {
                Ok(Answer::redirect(&format!("/#{}", self.platform().name())))
            }
            ("GET", [author, id]) if author.starts_with('@') => Ok(self.permalink(id, books)),
            _ => Err(error(404, "Not Found")),
        }
    }

    /// A token that stands for a person and carries one of the scopes. Takes from the rate limits.
    fn authorize(
        &mut self,
        call: &Call,
        scopes: &[&str],
        rules: &[&Rule],
        seen: &mut Vec<Reading>,
    ) -> Result<Caller, Answer> {
        let token = call.bearer().unwrap_or_default();
        let (grant, account) = match self.grants.judge(token, call.now) {
            Worth::Live { grant, account } => (grant, account),
            Worth::Expired => return Err(unauthorized("The access token expired")),
            Worth::Revoked => return Err(unauthorized("The access token was revoked")),
            Worth::Unknown => return Err(unauthorized("The access token is invalid")),
        };
        let account =
            account.ok_or_else(|| error(422, "This method requires an authenticated user"))?;
        for rule in [&ALL].iter().chain(rules) {
            let reading = self.meter.spend(account, rule, 1, call.now);
            seen.push(reading);
            if reading.room == Room::Exceeded {
                return Err(error(429, "Too many requests"));
            }
        }
        let granted = self.grants.scopes(grant);
        if !scopes.iter().any(|scope| carries(granted, scope)) {
            let text = "This action is outside the authorized scopes";
            return Err(error(403, text));
        }
        Ok(Caller { account, grant })
    }

    /// Public reads need no token, but one that is sent must be good.
    fn viewer(&mut self, call: &Call, seen: &mut Vec<Reading>) -> Result<Option<usize>, Answer> {
        match call.bearer() {
            None => Ok(None),
            Some(_) => {
                let caller = self.authorize(call, &["read:statuses"], &[], seen)?;
                Ok(Some(caller.account))
            }
        }
    }

    /// A request that the server understood and will not follow.
    fn invalid(&self, text: &str) -> Answer {
        match self.flavour {
            Flavour::Mastodon | Flavour::Pleroma | Flavour::Pixelfed => error(422, text),
            Flavour::Gotosocial => error(400, &format!("Bad Request: {text}")),
        }
    }

    fn token_of(call: &Call) -> Option<String> {
        if let Some(token) = call.bearer() {
            return Some(token.to_owned());
        }
        let parameters = call.parameters();
        let token = parameters["token"].as_str();
        token.or(parameters["refresh_token"].as_str()).map(str::to_owned)
    }
}

impl Simulation for Mastodon {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["oauth", "authorize"]) => None,
            (_, [author] | [author, _]) if author.starts_with('@') => None,
            (_, ["oauth", ..] | ["api", "v1", "apps"]) => Some(Operation::Token),
            ("POST" | "PUT", ["api", "v1", "statuses", ..]) => Some(Operation::Publish),
            ("POST" | "PUT", ["api", _, "media", ..]) => Some(Operation::Upload),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let account = match Mastodon::token_of(call) {
            Some(token) => self.grants.account(self.grants.behind(&token)?)?,
            None => self.codes.account(call.parameters()["code"].as_str()?)?,
        };
        Some(self.people.get(account).handle.clone())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = Vec::new();
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        // "the headers describe the limit nearest to exhaustion"
        match seen.iter().min_by_key(|reading| reading.remaining) {
            Some(reading) => with_limit(answer, reading.limit, reading.remaining, reading.reset),
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) => signin::invalid_grant(),
            (_, None) => self.invalid("Validation failed: Text was refused by the sandbox"),
            (_, Some(401)) => unauthorized("The access token is invalid"),
            (_, Some(403)) => error(403, "This action is not allowed"),
            (_, Some(404)) => error(404, "Record not found"),
            (_, Some(429)) => error(429, "Too many requests"),
            (_, Some(503)) => {
                let page = "<!DOCTYPE html><title>503</title><h1>Service Unavailable</h1>";
                Answer::new(503, "text/html", page)
            }
            (_, Some(status @ 500..)) => {
                error(status, "We're sorry, but something went wrong on our end.")
            }
            (_, Some(status)) => error(status, "Validation failed: refused by the sandbox"),
        }
    }

    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(ALL.window);
        let answer = error(429, "Too many requests");
        with_limit(answer, ALL.most, 0, call.now.after(wait))
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = Mastodon::token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = Mastodon::token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

/// `write:statuses` is carried by itself and by `write`.
fn carries(granted: &[String], wanted: &str) -> bool {
    let umbrella = wanted.split(':').next().unwrap_or(wanted);
    granted.iter().any(|scope| scope == wanted || scope == umbrella)
}

fn with_limit(answer: Answer, limit: u64, remaining: u64, reset: Timestamp) -> Answer {
    // Microseconds, as real servers send them.
    let reset = reset.rfc3339().replace('Z', "000Z");
    answer
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", remaining.to_string())
        .with("x-ratelimit-reset", reset)
}

fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({ "error": text }))
}

fn unauthorized(text: &str) -> Answer {
    let challenge = format!(
        "Bearer realm=\"Doorkeeper\", error=\"invalid_token\", error_description=\"{text}\""
    );
    error(401, text).with("www-authenticate", challenge)
}

/// Forms carry `"true"` and `"1"`, JSON carries `true`.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Bool(set) => *set,
        Value::String(text) => ["true", "1", "on"].contains(&text.as_str()),
        Value::Number(number) => number.as_u64() == Some(1),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Ids are strings; numbers are taken too, as Rails does.
fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::{
        Method,
        multipart::{Form, Part},
    };

    use super::*;
    use crate::sandbox::trial::{BACK, Trial, VERIFIER, mp4, png, read, start};

    const STATUSES_PATH: &str = "/mastodon/api/v1/statuses";

    async fn publish(trial: &Trial, token: &str, key: &str, text: &str) -> (u16, Value) {
        let request = trial.request(Method::POST, STATUSES_PATH, token);
        let request = request.header("Idempotency-Key", key).json(&json!({ "status": text }));
        read(request.send().await.unwrap()).await
    }

    async fn upload(trial: &Trial, token: &str, bytes: Vec<u8>) -> (u16, Value) {
        let form = Form::new()
            .part("file", Part::bytes(bytes).file_name("a.bin"))
            .text("description", "a dot");
        let request = trial.request(Method::POST, "/mastodon/api/v2/media", token);
        read(request.multipart(form).send().await.unwrap()).await
    }

    #[tokio::test]
    async fn sign_in_needs_the_verifier_and_takes_a_code_once() {
        let trial = start().await;
        let (id, secret) = trial.mastodon_app().await;
        let code = trial.allow("/mastodon/oauth/authorize", &id, "read write").await;
        let exchange = async |verifier: &str| {
            let form = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("client_id", &id),
                ("client_secret", &secret),
                ("redirect_uri", BACK),
                ("code_verifier", verifier),
            ];
            trial.form("/mastodon/oauth/token", &form).await
        };
        let (status, body) = exchange("wrong").await;
        assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
        let (status, body) = exchange(VERIFIER).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(exchange(VERIFIER).await.0, 400);
        let token = body["access_token"].as_str().unwrap();
        let path = "/mastodon/api/v1/accounts/verify_credentials";
        let (_, me) = trial.get(path, token).await;
        assert_eq!(me["acct"], "alice");
        let revoke = [("client_id", &*id), ("client_secret", &secret), ("token", token)];
        assert_eq!(trial.form("/mastodon/oauth/revoke", &revoke).await.0, 200);
        let (status, body) = trial.get(path, token).await;
        let wanted = json!("The access token was revoked");
        assert_eq!((status, &body["error"]), (401, &wanted));
    }

    #[tokio::test]
    async fn denial_is_told_to_the_client() {
        let trial = start().await;
        let (id, _) = trial.mastodon_app().await;
        let query = format!("response_type=code&client_id={id}&redirect_uri={BACK}&scope=read");
        let path = format!("/mastodon/oauth/authorize?{query}");
        let (status, page) = trial.get(&path, "").await;
        assert!(status == 200 && page.as_str().unwrap().contains("Allow"));
        let request = trial.request(Method::POST, &path, "").form(&[("decision", "deny")]);
        let response = request.send().await.unwrap();
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.contains("error=access_denied"), "{location}");
    }

    #[tokio::test]
    async fn a_repeated_key_gives_the_first_status_and_one_entry_for_an_hour() {
        let trial = start().await;
        let token = trial.mastodon().await;
        let (_, first) = publish(&trial, &token, "k1", "hello").await;
        let (status, second) = publish(&trial, &token, "k1", "hello").await;
        assert_eq!((status, &second["id"]), (200, &first["id"]));
        assert_eq!(trial.sandbox.ledger().len(), 1);
        trial.advance(Duration::from_secs(3_600));
        publish(&trial, &token, "k1", "hello").await;
        assert_eq!(trial.sandbox.ledger().len(), 2);
    }

    #[tokio::test]
    async fn media_is_used_once_and_not_before_it_is_processed() {
        let trial = start().await;
        let token = trial.mastodon().await;
        let (status, image) = upload(&trial, &token, png()).await;
        assert_eq!(status, 200, "{image}");
        let (status, video) = upload(&trial, &token, mp4()).await;
        assert_eq!((status, &video["url"]), (202, &Value::Null));
        let post = async |ids: &[&Value]| {
            let body = json!({ "status": "look", "media_ids": ids });
            trial.post(STATUSES_PATH, &token, body).await
        };
        let poll = format!("/mastodon/api/v1/media/{}", video["id"].as_str().unwrap());
        assert_eq!(trial.get(&poll, &token).await.0, 206);
        let (status, body) = post(&[&video["id"]]).await;
        assert!(status == 422 && body["error"].as_str().unwrap().contains("finished processing"));
        trial.advance(Duration::from_secs(2));
        assert_eq!(trial.get(&poll, &token).await.0, 200);
        assert_eq!(post(&[&image["id"], &video["id"]]).await.0, 422);
        assert_eq!(post(&[&image["id"]]).await.0, 200);
        let (status, body) = post(&[&image["id"]]).await;
        assert!(status == 422 && body["error"].as_str().unwrap().contains("already attached"));
        assert_eq!(trial.sandbox.ledger()[0].media[0].alt, "a dot");
    }

    #[tokio::test]
    async fn too_long_text_is_refused_and_a_bad_token_is_401() {
        let trial = start().await;
        let token = trial.mastodon().await;
        let (status, body) = publish(&trial, &token, "k", &"x".repeat(501)).await;
        let wanted = "Validation failed: Text character limit of 500 exceeded";
        assert_eq!((status, &body["error"]), (422, &json!(wanted)));
        assert_eq!(publish(&trial, "nonsense", "k", "x").await.0, 401);
    }

    #[tokio::test]
    async fn the_301st_call_in_five_minutes_is_throttled_until_the_reset() {
        let trial = start().await;
        let token = trial.mastodon().await;
        for number in 0..300 {
            let (status, _) = publish(&trial, &token, &format!("k{number}"), "x").await;
            assert_eq!(status, 200);
        }
        let request = trial.request(Method::POST, STATUSES_PATH, &token);
        let response = request.json(&json!({ "status": "y" })).send().await.unwrap();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["x-ratelimit-remaining"], "0");
        assert!(response.headers()["x-ratelimit-reset"].to_str().unwrap().ends_with("000Z"));
    }
}
