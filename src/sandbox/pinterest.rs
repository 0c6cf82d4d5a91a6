//! Pinterest: API v5 by its OpenAPI description 5.23.0, developers.pinterest.com, read 2026-11-21.
//!
//! Invariant: a refresh token works once, and the one that comes lives for another 60 days.
//!
//! Everybody has two boards; one of them is secret, and only seen with the scope for that.

mod boards;
mod media;
mod pins;
mod signin;
mod source;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::{
    Platform,
    door::{Door, Holder},
    faults::Operation,
    given::Flaw,
    meter::{Meter, Reading, Room, Rule},
    shelf::Full,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{boards::Board, media::Media, pins::Pin};

/// Per user, app and minute (docs/reference/rate-limits, read 2026-11-21).
const READS: Rule = Rule::new("org_read", 1_000, 60);
const WRITES: Rule = Rule::new("org_write", 100, 60);

const USER: [&str; 1] = ["user_accounts:read"];
const SEE_BOARDS: [&str; 1] = ["boards:read"];
const MAKE_BOARDS: [&str; 2] = ["boards:read", "boards:write"];
const SEE_PINS: [&str; 2] = ["boards:read", "pins:read"];
const MAKE_PINS: [&str; 4] = ["boards:read", "boards:write", "pins:read", "pins:write"];
const SEE_MEDIA: [&str; 1] = ["pins:read"];
const MAKE_MEDIA: [&str; 2] = ["pins:read", "pins:write"];

pub(crate) struct Pinterest {
    meter: Meter,
    door: Door,
    /// Oldest first, as are the others.
    boards: Vec<Board>,
    pins: Vec<Pin>,
    media: HashMap<u64, Media>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Pinterest {
    pub(crate) fn new(meter: Meter) -> Pinterest {
        Pinterest {
            meter,
            door: Door::new(&signin::MANNER),
            boards: Vec::new(),
            pins: Vec::new(),
            media: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, seen: &mut Option<Reading>) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["oauth"]) => Ok(self.door.consent(call, books)),
            ("POST", ["v5", "oauth", "token"]) => self.token(call, books),
            ("GET", ["pin", id]) => Ok(permalink(id, books)),
            ("GET", [_]) => Ok(Answer::redirect("/#pinterest")),
            ("POST", ["media-upload"]) => self.receive(call, books),
            (_, ["v5", rest @ ..]) => self.api(call, method, rest, books, seen),
            _ => Err(refusal(404, 404, "Not found.")),
        }
    }

    fn api(
        &mut self,
        call: &Call,
        method: &str,
        rest: &[&str],
        books: &mut Books,
        seen: &mut Option<Reading>,
    ) -> Reply {
        let (scopes, rule): (&[&str], &Rule) = match (method, rest) {
            ("GET", ["user_account"]) => (&USER, &READS),
            ("GET", ["boards"] | ["boards", _, "sections"]) => (&SEE_BOARDS, &READS),
            ("POST", ["boards"]) => (&MAKE_BOARDS, &WRITES),
            ("GET", ["pins"] | ["pins", _] | ["boards", _, "pins"]) => (&SEE_PINS, &READS),
            ("POST", ["pins"]) | ("PATCH" | "DELETE", ["pins", _]) => (&MAKE_PINS, &WRITES),
            ("GET", ["media", _]) => (&SEE_MEDIA, &READS),
            ("POST", ["media"]) => (&MAKE_MEDIA, &WRITES),
            _ => return Err(refusal(404, 404, "Not found.")),
        };
        let holder = self.authorize(call, scopes, rule, seen)?;
        self.furnish(holder.account, call.now, books);
        match (method, rest) {
            ("GET", ["user_account"]) => Ok(self.user(call, holder.account)),
            ("GET", ["boards"]) => self.list_boards(call, holder),
            ("GET", ["boards", id, "sections"]) => self.sections(holder, id),
            ("GET", ["boards", id, "pins"]) => {
                let board = self.board(holder, id)?;
                self.list_pins(call, holder.account, Some(board))
            }
            ("GET", ["pins"]) => self.list_pins(call, holder.account, None),
            ("GET", ["pins", id]) => self.pin(call, holder.account, id),
            ("GET", ["media", id]) => self.media_status(call, holder.account, id),
            ("POST", ["boards"]) => self.make_board(call, holder.account, books),
            ("POST", ["media"]) => self.register(call, holder.account, books),
            ("POST", ["pins"]) => self.make_pin(call, holder, books),
            ("PATCH", ["pins", id]) => self.change_pin(call, holder, id, books),
            ("DELETE", ["pins", id]) => self.delete_pin(call, holder.account, id, books),
            _ => Err(refusal(404, 404, "Not found.")),
        }
    }

    /// All of the scopes are needed.
    fn authorize(
        &mut self,
        call: &Call,
        scopes: &[&str],
        rule: &Rule,
        seen: &mut Option<Reading>,
    ) -> Result<Holder, Answer> {
        let holder = self.door.holder(call).map_err(|_| unauthenticated())?;
        let missing = scopes.iter().find(|scope| !self.door.may(holder.grant, scope));
        if missing.is_some() {
            let text = format!("Missing scopes. The required scopes are: {}", scopes.join(", "));
            return Err(refusal(401, 3, &text));
        }
        let reading = self.meter.spend(holder.account, rule, 1, call.now);
        *seen = Some(reading);
        match reading.room {
            Room::Left => Ok(holder),
            Room::Exceeded => Err(too_many()),
        }
    }
}

impl Simulation for Pinterest {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", [_] | ["pin", _]) | ("POST", ["oauth"]) => None,
            (_, ["v5", "oauth", ..]) => Some(Operation::Token),
            ("POST", ["media-upload"] | ["v5", "media"]) => Some(Operation::Upload),
            ("POST" | "PATCH", ["v5", ..]) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        match media::key(call).and_then(|key| self.media.values().find(|it| it.key == key)) {
            Some(media) => Some(self.door.handle(media.account).to_owned()),
            None => self.door.caller(call),
        }
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        let (method, segments) = call.route();
        // Nobody without a token sends the crawler anywhere.
        match (method, segments.as_slice()) {
            ("POST", ["v5", "pins"]) if self.door.holder(call).is_ok() => {
                source::addresses(&call.json().unwrap_or_default())
            }
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut seen = None;
        let answer = match self.route(call, books, &mut seen) {
            Ok(answer) | Err(answer) => answer,
        };
        match seen {
            Some(Reading { limit, remaining, reset, .. }) => {
                with_limit(answer, limit, remaining, reset.remaining(call.now))
            }
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None) | (_, Some(401)) => unauthenticated(),
            (_, None | Some(403)) => {
                refusal(403, 29, "You are not permitted to access that resource.")
            }
            (_, Some(400)) => refusal(400, 1, "Invalid request: refused by the sandbox"),
            (_, Some(404)) => no_such_pin(),
            (_, Some(429)) => too_many(),
            (_, Some(status @ 500..)) => refusal(status, 12, "Something went wrong on our end."),
            (_, Some(status)) => refusal(status, u64::from(status), "Refused by the sandbox"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        with_limit(too_many(), WRITES.most, 0, retry_after.unwrap_or(WRITES.window))
    }

    fn expire(&mut self, call: &Call) {
        self.door.expire(call);
    }

    fn revoke(&mut self, call: &Call) {
        self.door.revoke(call);
    }
}

/// The reset is told in seconds to wait.
fn with_limit(answer: Answer, limit: u64, remaining: u64, reset: Duration) -> Answer {
    answer
        .with("x-ratelimit-limit", limit.to_string())
        .with("x-ratelimit-remaining", remaining.to_string())
        .with("x-ratelimit-reset", reset.as_millis().div_ceil(1_000).to_string())
}

fn refusal(status: u16, code: u64, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "message": message }))
}

fn unauthenticated() -> Answer {
    refusal(401, 2, "Authentication failed.")
}

fn too_many() -> Answer {
    refusal(429, 8, "You have exceeded your rate limit. Try again later.")
}

fn no_such_pin() -> Answer {
    refusal(404, 50, "Pin not found.")
}

fn invalid(flaw: &Flaw) -> Answer {
    refusal(400, 1, &format!("Invalid request: {}", flaw.sentence()))
}

fn full(_: Full) -> Answer {
    refusal(500, 12, "the sandbox is full")
}

fn body(call: &Call) -> Result<Value, Answer> {
    let declared = call.content_type().starts_with("application/json");
    let body = call.json().filter(|_| declared);
    body.ok_or_else(|| refusal(400, 1, "Invalid request: the body must be JSON"))
}

/// A page of what there is, and where the next one begins.
fn page(call: &Call, all: Vec<Value>) -> Reply {
    let wrong = |name: &str| invalid(&Flaw::new(name, "is not valid"));
    let size = call.query("page_size").unwrap_or("25").parse::<usize>();
    let size = size.ok().filter(|size| (1..=250).contains(size));
    let size = size.ok_or_else(|| wrong("page_size"))?;
    let from = match call.query("bookmark").filter(|text| !text.is_empty()) {
        None => 0,
        Some(text) => text.parse::<usize>().map_err(|_| wrong("bookmark"))?,
    };
    let bookmark = (from + size < all.len()).then(|| (from + size).to_string());
    let items: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    Ok(Answer::json(200, &json!({ "items": items, "bookmark": bookmark })))
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(Platform::Pinterest, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not found"),
    }
}
