//! Google Business Profile: account management v1, business information v1 and the posts of v4, by
//! their discovery documents, with Google's sign-in. developers.google.com/my-business, read
//! 2026-11-21.
//!
//! Everybody manages two locations; the second may not have posts. A text with a telephone number
//! in it is rejected when it has been looked at.

mod content;
mod locations;
mod posts;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Platform,
    door::{Door, Holder},
    faults::Operation,
    given::Flaw,
    google,
    meter::{Meter, Room, Rule},
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::posts::Post;

const SCOPE: &str = "https://www.googleapis.com/auth/business.manage";

/// "300 QPM" of each project, and "10 edits per minute per Google Business Profile" which cannot be
/// raised (my-business/content/limits, read 2026-11-21).
const QUERIES: Rule = Rule::new("queries", 300, 60);
const EDITS: Rule = Rule::new("edits", 10, 60);

pub(crate) struct Googlebusiness {
    meter: Meter,
    door: Door,
    /// Oldest first.
    posts: Vec<Post>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Googlebusiness {
    pub(crate) fn new(meter: Meter) -> Googlebusiness {
        Googlebusiness { meter, door: Door::new(&google::BUSINESS), posts: Vec::new() }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["o", "oauth2", "v2", "auth"]) => {
                Ok(google::authorize(&mut self.door, call, books))
            }
            ("POST", ["token"]) => Ok(google::token(&mut self.door, call, books)),
            ("POST", ["revoke"]) => Ok(google::end(&mut self.door, call)),
            ("GET", ["local", id]) => Ok(permalink(id, books)),
            ("GET", ["maps", ..]) => Ok(Answer::redirect("/#googlebusiness")),
            ("GET", ["v1", "accounts"]) => {
                let holder = self.authorize(call)?;
                self.accounts(call, holder.account)
            }
            ("GET", ["v1", "accounts", id, "locations"]) => {
                let holder = self.authorize(call)?;
                self.locations(call, holder.account, id)
            }
            ("GET", ["v1", "locations", id, "VoiceOfMerchantState"]) => {
                let holder = self.authorize(call)?;
                self.voice(holder.account, id)
            }
            (_, ["v4", "accounts", account, "locations", location, "localPosts", rest @ ..]) => {
                let holder = self.authorize(call)?;
                let place = self.place(holder.account, account, location)?;
                match (method, rest) {
                    ("GET", []) => self.list(call, &place),
                    ("GET", [id]) => self.get(call, &place, id),
                    ("POST", []) => self.create(call, &place, books),
                    ("PATCH", [id]) => self.patch(call, &place, id, books),
                    ("DELETE", [id]) => self.delete(call, &place, id, books),
                    _ => Err(not_found()),
                }
            }
            _ => Err(not_found()),
        }
    }

    fn authorize(&mut self, call: &Call) -> Result<Holder, Answer> {
        let holder = self.door.holder(call).map_err(|_| unauthenticated())?;
        if !self.door.may(holder.grant, SCOPE) {
            let text = "Request had insufficient authentication scopes.";
            let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com" }]);
            return Err(refusal(403, "PERMISSION_DENIED", text, Some(details)));
        }
        // One project, whoever signs in.
        match self.meter.spend(usize::MAX, &QUERIES, 1, call.now).room {
            Room::Left => Ok(holder),
            Room::Exceeded => Err(exhausted()),
        }
    }

    fn count_edit(&mut self, call: &Call, place: &locations::Place) -> Result<(), Answer> {
        match self.meter.spend(place.number, &EDITS, 1, call.now).room {
            Room::Left => Ok(()),
            Room::Exceeded => Err(exhausted()),
        }
    }
}

impl Simulation for Googlebusiness {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", ["local" | "maps", ..]) | (_, ["o", ..]) => None,
            ("POST", ["token" | "revoke"]) => Some(Operation::Token),
            ("POST" | "PATCH", ["v4", ..]) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        self.door.caller(call)
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        let writes = ["POST", "PATCH"].contains(&call.method.as_str());
        // Nobody without a token sends the crawler anywhere.
        if !writes || self.door.holder(call).is_err() {
            return Vec::new();
        }
        content::addresses(&call.json().unwrap_or_default())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None | Some(400)) => google::revoked(),
            (_, None | Some(400)) => invalid(&Flaw::new("summary", "Refused by the sandbox")),
            (_, Some(401)) => unauthenticated(),
            (_, Some(403)) => denied("The caller does not have permission"),
            (_, Some(404)) => not_found(),
            (_, Some(429)) => exhausted(),
            (_, Some(503)) => {
                refusal(503, "UNAVAILABLE", "The service is currently unavailable.", None)
            }
            (_, Some(status @ 500..)) => {
                refusal(status, "INTERNAL", "Internal error encountered.", None)
            }
            (_, Some(status)) => refusal(status, "ABORTED", "Refused by the sandbox", None),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        match retry_after {
            None => exhausted(),
            Some(wait) => {
                let delay = format!("{}s", wait.as_secs());
                let details = json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": delay }]);
                refusal(429, "RESOURCE_EXHAUSTED", QUOTA, Some(details))
            }
        }
    }

    fn expire(&mut self, call: &Call) {
        self.door.expire(call);
    }

    fn revoke(&mut self, call: &Call) {
        self.door.revoke(call);
    }
}

const QUOTA: &str = "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute'";

/// A `google.rpc.Status` as HTTP has it.
fn refusal(status: u16, code: &str, message: &str, details: Option<Value>) -> Answer {
    let mut error = json!({ "code": status, "message": message, "status": code });
    if let Some(details) = details {
        error["details"] = details;
    }
    Answer::json(status, &json!({ "error": error }))
}

fn unauthenticated() -> Answer {
    let text = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                login cookie or other valid authentication credential.";
    refusal(401, "UNAUTHENTICATED", text, None)
}

fn denied(text: &str) -> Answer {
    refusal(403, "PERMISSION_DENIED", text, None)
}

fn exhausted() -> Answer {
    refusal(429, "RESOURCE_EXHAUSTED", QUOTA, None)
}

fn not_found() -> Answer {
    refusal(404, "NOT_FOUND", "Requested entity was not found.", None)
}

fn invalid(flaw: &Flaw) -> Answer {
    let details = json!([{
        "@type": "type.googleapis.com/google.mybusiness.v4.ValidationError",
        "errorDetails": [{ "code": 3, "field": flaw.field, "message": flaw.message }],
    }]);
    let text = "Request contains an invalid argument.";
    refusal(400, "INVALID_ARGUMENT", text, Some(details))
}

/// A page of what there is, and the token of the next one.
fn page<T>(call: &Call, all: Vec<T>, usual: usize, most: usize) -> Result<(Vec<T>, Value), Answer> {
    let number = |name: &str, other: usize| match call.query(name).filter(|text| !text.is_empty()) {
        None => Ok(other),
        Some(text) => text.parse::<usize>().map_err(|_| invalid(&Flaw::new(name, "is no number"))),
    };
    let (size, from) = (number("pageSize", usual)?, number("pageToken", 0)?);
    if !(1..=most).contains(&size) {
        return Err(invalid(&Flaw::new("pageSize", format!("must be 1 to {most}"))));
    }
    let next = match from + size < all.len() {
        true => json!((from + size).to_string()),
        false => Value::Null,
    };
    Ok((all.into_iter().skip(from).take(size).collect(), next))
}

/// What is empty is left out, as in all of Google's lists.
fn listed(name: &str, items: Vec<Value>, next: Value) -> Answer {
    let mut body = json!({});
    if !items.is_empty() {
        body[name] = json!(items);
    }
    if !next.is_null() {
        body["nextPageToken"] = next;
    }
    Answer::json(200, &body)
}

fn permalink(id: &str, books: &Books) -> Answer {
    let entries = books.ledger.entries().iter();
    let mut own = entries.filter(|entry| entry.platform == Platform::Googlebusiness);
    match own.find(|entry| entry.id.ends_with(&format!("/{id}"))) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not found"),
    }
}
