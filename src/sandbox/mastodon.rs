//! A Mastodon server: docs.joinmastodon.org as of 4.5, read 2026-07-02. Also plays GoToSocial,
//! which looks alike but ignores `Idempotency-Key`, processes media at once, and answers 400 where
//! Mastodon answers 422.
//!
//! Invariant: a key repeated by its account within the hour gives the first status again, and
//! the ledger stays as it is.

mod instance;
mod media;
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
        }
    }

    fn platform(&self) -> Platform {
        match self.flavour {
            Flavour::Mastodon => Platform::Mastodon,
            Flavour::Gotosocial => Platform::Gotosocial,
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Vec<Reading>) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", ["api", "v2", "instance"]) => Ok(self.instance_v2(call)),
            ("GET", ["api", "v1", "instance"]) => Ok(self.instance_v1(call)),
            ("GET", [".well-known", "oauth-authorization-server"]) => Ok(self.metadata(call)),
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
                self.create(call, caller, books)
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
            Flavour::Mastodon => error(422, text),
            Flavour::Gotosocial => error(400, &format!("Bad Request: {text}")),
        }
    }

    fn token_of(call: &Call) -> Option<String> {
        if let Some(token) = call.bearer() {
            return Some(token.to_owned());
        }
        let parameters = call.parameters();
        let token = parameters["token"].as_str();
        token
            .or(parameters["refresh_token"].as_str())
            .map(str::to_owned)
    }
}

impl Simulation for Mastodon {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["oauth", "authorize"]) => None,
            (_, [author, _]) if author.starts_with('@') => None,
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
    granted
        .iter()
        .any(|scope| scope == wanted || scope == umbrella)
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
