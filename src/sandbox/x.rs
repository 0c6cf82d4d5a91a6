//! X: API v2 by its OpenAPI description 2.167 (August 2026) and docs.x.com, read 2026-07-02.
//!
//! Invariants: a refresh token works once, and using it again ends the grant; the same text is not
//! accepted twice from one account in one place within the duplicate window; an edit is no new
//! publication.
//!
//! A client whose id contains "enterprise" has that plan, every other one is self-serve. A handle
//! that contains "premium" belongs to somebody who pays for it.

mod draft;
mod edits;
mod media;
mod posts;
mod retweets;
mod signin;
#[cfg(test)]
mod tests;
mod words;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{media::Media, posts::Post};

/// Milliseconds between 1970 and the beginning of X's ids.
const EPOCH: u64 = 1_288_834_974_657;
const QUARTER: u64 = 15 * 60;

/// Per user and 15 minutes: docs.x.com, fundamentals, rate limits, read 2026-07-02.
const POST: Rule = Rule::new("POST /2/tweets", 100, QUARTER);
const DELETE: Rule = Rule::new("DELETE /2/tweets/:id", 50, QUARTER);
const RETWEET: Rule = Rule::new("POST /2/users/:id/retweets", 50, QUARTER);
const UNRETWEET: Rule = Rule::new("DELETE /2/users/:id/retweets/:id", 50, QUARTER);
const LOOKUP: Rule = Rule::new("GET /2/tweets/:id", 900, QUARTER);
const LOOKUPS: Rule = Rule::new("GET /2/tweets", 5_000, QUARTER);
const TIMELINE: Rule = Rule::new("GET /2/users/:id/tweets", 900, QUARTER);
const ME: Rule = Rule::new("GET /2/users/me", 75, QUARTER);
const UPLOAD: Rule = Rule::new("POST /2/media/upload", 500, QUARTER);
const STATUS: Rule = Rule::new("GET /2/media/upload", 1_000, QUARTER);
const INITIALIZE: Rule = Rule::new("POST /2/media/upload/initialize", 1_875, QUARTER);
const APPEND: Rule = Rule::new("POST /2/media/upload/:id/append", 1_875, QUARTER);
const FINALIZE: Rule = Rule::new("POST /2/media/upload/:id/finalize", 1_875, QUARTER);
const METADATA: Rule = Rule::new("POST /2/media/metadata", 500, QUARTER);

pub(crate) struct X {
    meter: Meter,
    people: People,
    codes: Codes,
    grants: Grants,
    media: HashMap<u64, Media>,
    posts: HashMap<u64, Post>,
    /// Post ids of an account, oldest first.
    timelines: HashMap<usize, Vec<u64>>,
    /// By account, text and the post that is answered: the last post that said so.
    said: HashMap<(usize, String, Option<u64>), u64>,
    /// By a post's first version: all of them, oldest first.
    chains: HashMap<u64, Vec<u64>>,
    /// By account and the post that was passed on.
    retweets: HashMap<(usize, u64), u64>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;
type MediaCall = fn(&mut X, &Call, &str, usize, &mut Books) -> Reply;

impl X {
    pub(crate) fn new(meter: Meter) -> X {
        X {
            meter,
            people: People::default(),
            codes: Codes::default(),
            grants: Grants::default(),
            media: HashMap::new(),
            posts: HashMap::new(),
            timelines: HashMap::new(),
            said: HashMap::new(),
            chains: HashMap::new(),
            retweets: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        let read = ["tweet.read", "users.read"];
        let write = ["tweet.write", "tweet.read", "users.read"];
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["i", "oauth2", "authorize"]) => Ok(self.consent(call, books)),
            ("POST", ["2", "oauth2", "token"]) => self.token(call, books),
            ("POST", ["2", "oauth2", "revoke"]) => self.revoke_token(call),
            ("GET", [_]) => Ok(Answer::redirect("/#x")),
            ("GET", [_, "status", id] | ["i", "web", "status", id]) => Ok(permalink(id, books)),
            ("GET", ["2", "users", "me"]) => {
                let account = self.authorize(call, &read, &ME, seen)?;
                Ok(self.me(call, account))
            }
            ("GET", ["2", "users", id, "tweets"]) => {
                self.authorize(call, &read, &TIMELINE, seen)?;
                self.timeline(call, id)
            }
            ("POST", ["2", "tweets"]) => {
                let account = self.authorize(call, &write, &POST, seen)?;
                self.create(call, account, books)
            }
            ("POST", ["2", "users", id, "retweets"]) => {
                let account = self.authorize(call, &write, &RETWEET, seen)?;
                self.retweet(call, id, account, books)
            }
            ("DELETE", ["2", "users", id, "retweets", source]) => {
                let account = self.authorize(call, &write, &UNRETWEET, seen)?;
                self.unretweet(call, id, account, source, books)
            }
            ("GET", ["2", "tweets"]) => {
                self.authorize(call, &read, &LOOKUPS, seen)?;
                self.several(call)
            }
            ("GET", ["2", "tweets", id]) => {
                self.authorize(call, &read, &LOOKUP, seen)?;
                self.single(call, id)
            }
            ("DELETE", ["2", "tweets", id]) => {
                let account = self.authorize(call, &["tweet.write"], &DELETE, seen)?;
                self.delete(call, id, account, books)
            }
            (_, ["2", "media", ..]) => self.media_route(call, books, seen),
            _ => Err(not_found()),
        }
    }

    fn media_route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        let (rule, done): (&Rule, MediaCall) = match (method, &segments[2..]) {
            ("POST", ["upload"]) => (&UPLOAD, X::one_shot),
            ("GET", ["upload"]) => (&STATUS, X::status),
            ("POST", ["upload", "initialize"]) => (&INITIALIZE, X::initialize),
            ("POST", ["upload", _, "append"]) => (&APPEND, X::append),
            ("POST", ["upload", _, "finalize"]) => (&FINALIZE, X::finalize),
            ("POST", ["metadata"]) => (&METADATA, X::metadata),
            _ => return Err(not_found()),
        };
        let account = self.authorize(call, &["media.write"], rule, seen)?;
        let id = segments.get(3).copied().unwrap_or_default();
        done(self, call, id, account, books)
    }

    /// The account of a live token that carries all of the scopes. Takes from the rate limit.
    fn authorize(
        &mut self,
        call: &Call,
        scopes: &[&str],
        rule: &Rule,
        seen: &mut Option<Reading>,
    ) -> Result<usize, Answer> {
        let token = call.bearer().unwrap_or_default();
        let (grant, account) = match self.grants.judge(token, call.now) {
            Worth::Live { grant, account: Some(account) } => (grant, account),
            Worth::Live { account: None, .. }
            | Worth::Expired
            | Worth::Revoked
            | Worth::Unknown => return Err(unauthorized()),
        };
        let reading = self.meter.spend(account, rule, 1, call.now);
        *seen = Some(reading);
        if reading.room == Room::Exceeded {
            return Err(too_many());
        }
        let granted = self.grants.scopes(grant);
        let carries = |scope: &&str| granted.iter().any(|granted| granted == scope);
        match scopes.iter().all(carries) {
            true => Ok(account),
            false => Err(forbidden(
                "Your client app is not configured with the appropriate oauth2 scopes for this \
                 endpoint.",
            )),
        }
    }

    fn is_enterprise(&self, call: &Call) -> bool {
        let grant = call.bearer().and_then(|token| self.grants.behind(token));
        grant.is_some_and(|grant| self.grants.client(grant).contains("enterprise"))
    }

    fn is_premium(&self, account: usize) -> bool {
        self.people.get(account).handle.to_ascii_lowercase().contains("premium")
    }

    fn token_of(call: &Call) -> Option<String> {
        if let Some(token) = call.bearer() {
            return Some(token.to_owned());
        }
        let parameters = call.parameters();
        let token = parameters["refresh_token"].as_str();
        token.or(parameters["token"].as_str()).map(str::to_owned)
    }
}

impl Simulation for X {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, [_] | ["i", ..] | [_, "status", _]) => None,
            (_, ["2", "oauth2", ..]) => Some(Operation::Token),
            ("POST", ["2", "tweets"] | ["2", "users", _, "retweets"]) => Some(Operation::Publish),
            ("POST", ["2", "media", ..]) => Some(Operation::Upload),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let account = match X::token_of(call) {
            Some(token) => self.grants.account(self.grants.behind(&token)?)?,
            None => self.codes.account(call.parameters()["code"].as_str()?)?,
        };
        Some(self.people.get(account).handle.clone())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = None;
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        match seen {
            Some(reading) => with_limit(answer, reading.limit, reading.remaining, reading.reset),
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) => signin::invalid_token(),
            (_, None | Some(403)) => not_permitted(),
            (_, Some(400)) => invalid("Refused by the sandbox", &json!({})),
            (_, Some(401)) => unauthorized(),
            (_, Some(402)) => {
                let text = "Your enrolled account does not have any credits to fulfill this \
                            request.";
                plain_problem(402, "CreditsDepleted", text)
            }
            (_, Some(404)) => not_found(),
            (_, Some(429)) => too_many(),
            (_, Some(503)) => plain_problem(503, "Service Unavailable", "Service Unavailable"),
            (_, Some(status @ 500..)) => {
                plain_problem(status, "Internal Server Error", "Internal Server Error")
            }
            (_, Some(status)) => plain_problem(status, "Refused", "Refused by the sandbox"),
        }
    }

    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(POST.window);
        with_limit(too_many(), POST.most, 0, call.now.after(wait))
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = X::token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = X::token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

/// Never with a Retry-After: X sends none.
fn with_limit(answer: Answer, limit: u64, remaining: u64, reset: Timestamp) -> Answer {
    answer
        .with("x-rate-limit-limit", limit.to_string())
        .with("x-rate-limit-remaining", remaining.to_string())
        .with("x-rate-limit-reset", reset.0.div_ceil(1_000).to_string())
}

fn problem(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/problem+json", body.to_string())
}

fn plain_problem(status: u16, title: &str, detail: &str) -> Answer {
    let body = json!({ "title": title, "detail": detail, "type": "about:blank",
        "status": status });
    problem(status, &body)
}

fn forbidden(detail: &str) -> Answer {
    plain_problem(403, "Forbidden", detail)
}

fn not_permitted() -> Answer {
    forbidden("You are not permitted to perform this action.")
}

fn unauthorized() -> Answer {
    plain_problem(401, "Unauthorized", "Unauthorized")
}

fn too_many() -> Answer {
    plain_problem(429, "Too Many Requests", "Too Many Requests")
}

fn not_found() -> Answer {
    plain_problem(404, "Not Found", "Not Found")
}

/// The type's host is the old one on the wire, whatever the description says.
fn invalid(message: &str, parameters: &Value) -> Answer {
    let body = json!({
        "errors": [{ "parameters": parameters, "message": message }],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    });
    problem(400, &body)
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(super::Platform::X, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => not_found(),
    }
}
