//! Snapchat: the Public Profile API as developers.snap.com/api/marketing-api/Public-Profile-API has
//! it, read 2026-11-21.
//!
//! Invariants: a file is posted at most once; what was not encrypted as announced never leaves
//! processing; a refresh token works once.
//!
//! A client whose id contains "unlisted" is not on Snapchat's list. A handle that contains "basic"
//! has no public profile.

mod media;
mod posts;
mod signin;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::{
    Platform,
    door::{Door, Holder},
    faults::Operation,
    given::Flaw,
    meter::{Meter, Room, Rule},
    shelf::Full,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{media::Media, posts::Spotlight};

/// Not published: a cautious guess.
const CALLS: Rule = Rule::new("calls", 600, 60);

pub(crate) struct Snapchat {
    meter: Meter,
    door: Door,
    media: HashMap<String, Media>,
    spotlights: HashMap<String, Spotlight>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Snapchat {
    pub(crate) fn new(meter: Meter) -> Snapchat {
        Snapchat {
            meter,
            door: Door::new(&signin::MANNER),
            media: HashMap::new(),
            spotlights: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["login", "oauth2", "authorize"]) => {
                Ok(self.door.consent(call, books))
            }
            ("POST", ["login", "oauth2", "access_token"]) => Ok(self.token(call, books)),
            ("GET", ["add", _]) => Ok(Answer::redirect("/#snapchat")),
            ("GET", ["spotlight", id]) => Ok(permalink(id, books)),
            ("GET", ["v1", "public_profiles", "my_profile"]) => {
                let holder = self.authorize(call)?;
                Ok(self.my_profile(call, holder.account))
            }
            (_, ["v1", "public_profiles", profile, rest @ ..]) => {
                let account = self.owner(call, profile)?;
                match (method, rest) {
                    ("GET", []) => Ok(self.my_profile(call, account)),
                    ("POST", ["media"]) => self.create(call, account, books),
                    ("POST", ["stories"]) => self.story(call, account, books),
                    ("POST", ["spotlights"]) => self.spotlight(call, account, books),
                    ("GET", ["spotlights", id]) => self.spotlight_status(call, account, id),
                    _ => Err(not_found()),
                }
            }
            ("POST", ["us", "v1", "public_profiles", profile, "media", id, step]) => {
                let account = self.owner(call, profile)?;
                match *step {
                    "multipart-upload" => self.add(call, account, id),
                    "multipart-upload-finalize" => self.finalize(call, account, id, books),
                    _ => Err(not_found()),
                }
            }
            _ => Err(not_found()),
        }
    }

    fn authorize(&mut self, call: &Call) -> Result<Holder, Answer> {
        let holder = self.door.holder(call).map_err(|_| unauthorized())?;
        let listed = !self.door.grants.client(holder.grant).contains("unlisted");
        if !listed || !self.door.may(holder.grant, "snapchat-profile-api") {
            return Err(denied());
        }
        match self.meter.spend(holder.account, &CALLS, 1, call.now).room {
            Room::Left => Ok(holder),
            Room::Exceeded => Err(too_many(Duration::from_secs(60))),
        }
    }

    /// Whoever calls, if the profile is theirs and a public one.
    fn owner(&mut self, call: &Call, profile: &str) -> Result<usize, Answer> {
        let account = self.authorize(call)?.account;
        let person = self.door.people.get(account);
        match person.id == profile && !self.is_basic(account) {
            true => Ok(account),
            false => Err(denied()),
        }
    }

    fn is_basic(&self, account: usize) -> bool {
        self.door.handle(account).to_ascii_lowercase().contains("basic")
    }
}

impl Simulation for Snapchat {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", ["add" | "spotlight", _]) | (_, ["login", "oauth2", "authorize"]) => None,
            (_, ["login", ..]) => Some(Operation::Token),
            ("POST", [.., "stories" | "spotlights"]) => Some(Operation::Publish),
            ("POST", _) => Some(Operation::Upload),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        self.door.caller(call)
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None | Some(400)) => signin::invalid_grant(),
            (_, None | Some(400)) => refusal(400, "E1001", "Refused by the sandbox"),
            (_, Some(401)) => unauthorized(),
            (_, Some(403)) => denied(),
            (_, Some(404)) => not_found(),
            (_, Some(429)) => too_many(Duration::from_secs(60)),
            (_, Some(status)) => refusal(status, "E1000", "Something went wrong"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        too_many(retry_after.unwrap_or(CALLS.window))
    }

    fn expire(&mut self, call: &Call) {
        self.door.expire(call);
    }

    fn revoke(&mut self, call: &Call) {
        self.door.revoke(call);
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "request_id": "sandbox", "request_status": "ERROR", "error_code": code,
        "debug_message": message, "display_message": message });
    Answer::json(status, &body)
}

fn fine(mut body: Value) -> Answer {
    body["request_id"] = json!("sandbox");
    body["request_status"] = json!("SUCCESS");
    Answer::json(200, &body)
}

fn unauthorized() -> Answer {
    refusal(401, "E1401", "The access token is invalid or has expired")
}

fn denied() -> Answer {
    refusal(403, "AUTHORIZATION_PERMISSION_DENIED", "You do not have access to this resource")
}

fn not_found() -> Answer {
    refusal(404, "E1404", "Resource not found")
}

fn too_many(wait: Duration) -> Answer {
    refusal(429, "E1429", "Too many requests").with("retry-after", wait.as_secs().to_string())
}

fn invalid(flaw: &Flaw) -> Answer {
    refusal(400, "E1001", &flaw.sentence())
}

fn full(_: Full) -> Answer {
    refusal(500, "E1000", "the sandbox is full")
}

fn body(call: &Call) -> Result<Value, Answer> {
    let declared = call.content_type().starts_with("application/json");
    let body = call.json().filter(|_| declared);
    body.ok_or_else(|| refusal(400, "E1001", "The body must be JSON"))
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(Platform::Snapchat, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not found"),
    }
}
