//! YouTube: Data API v3 by its discovery document 20261104, with Google's sign-in.
//! developers.google.com/youtube/v3, read 2026-11-21.
//!
//! Invariants: a session becomes at most one video, with its last byte; what is spent of a day's
//! quota comes back at midnight in California.
//!
//! A client whose id contains "locked" has not passed the audit: whatever it uploads stays private,
//! without a word. A handle that contains "nochannel" has no channel, "unverified" has not given
//! its phone number. A title that contains "reject" is rejected when it has been looked at.

mod comments;
mod metadata;
mod playlists;
mod quota;
mod session;
#[cfg(test)]
mod tests;
mod videos;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::{
    Platform,
    door::{Door, Holder},
    faults::Operation,
    given::Flaw,
    google,
    meter::Limits,
    shelf::Full,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{
    comments::Comment,
    playlists::Item,
    quota::{Cost, Quota},
    session::Session,
    videos::Video,
};

const MANAGE: &str = "https://www.googleapis.com/auth/youtube";
const FORCE: &str = "https://www.googleapis.com/auth/youtube.force-ssl";
const READ: &str = "https://www.googleapis.com/auth/youtube.readonly";
const UPLOAD: &str = "https://www.googleapis.com/auth/youtube.upload";

pub(crate) struct Youtube {
    door: Door,
    quota: Quota,
    /// By upload id.
    sessions: HashMap<String, Session>,
    videos: HashMap<String, Video>,
    /// Video ids, oldest first.
    order: Vec<String>,
    /// Oldest first.
    items: Vec<Item>,
    comments: Vec<Comment>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Youtube {
    pub(crate) fn new(limits: Limits) -> Youtube {
        Youtube {
            door: Door::new(&google::YOUTUBE),
            quota: Quota::new(limits),
            sessions: HashMap::new(),
            videos: HashMap::new(),
            order: Vec::new(),
            items: Vec::new(),
            comments: Vec::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["o", "oauth2", "v2", "auth"]) => {
                Ok(google::authorize(&mut self.door, call, books))
            }
            ("POST", ["token"]) => Ok(google::token(&mut self.door, call, books)),
            ("POST", ["revoke"]) => Ok(google::end(&mut self.door, call)),
            ("GET", ["watch"]) => Ok(permalink(call.query("v").unwrap_or_default(), books)),
            ("GET", ["shorts", id]) => Ok(permalink(id, books)),
            ("GET", [_] | ["channel", _]) => Ok(Answer::redirect("/#youtube")),
            ("POST", ["upload", "youtube", "v3", "videos"]) => self.open(call, books),
            ("PUT", ["upload", "youtube", "v3", "videos"]) => self.piece(call, books),
            ("POST", ["upload", "youtube", "v3", "thumbnails", "set"]) => {
                let holder = self.authorize(call, &[MANAGE, FORCE, UPLOAD], Cost::Units(50))?;
                self.thumbnail(call, holder.account, books)
            }
            (_, ["youtube", "v3", rest @ ..]) => self.data(call, method, rest, books),
            _ => Err(refusal(404, "notFound", "Not Found")),
        }
    }

    fn data(&mut self, call: &Call, method: &str, rest: &[&str], books: &mut Books) -> Reply {
        let (read, write) = ([MANAGE, FORCE, READ], [MANAGE, FORCE]);
        let mut enter = |scopes: &[&str], cost| self.authorize(call, scopes, Cost::Units(cost));
        match (method, rest) {
            ("GET", ["channels"]) => {
                let holder = enter(&read, 1)?;
                self.channels(call, holder.account)
            }
            ("GET", ["videos"]) => {
                let holder = enter(&read, 1)?;
                self.list(call, holder.account)
            }
            ("PUT", ["videos"]) => {
                let holder = enter(&write, 50)?;
                self.update(call, holder.account, books)
            }
            ("DELETE", ["videos"]) => {
                let holder = enter(&write, 50)?;
                self.delete(call, holder.account, books)
            }
            ("GET", ["playlists"]) => {
                let holder = enter(&read, 1)?;
                self.playlists(call, holder.account)
            }
            ("GET", ["playlistItems"]) => {
                let holder = enter(&read, 1)?;
                self.playlist_items(call, holder.account)
            }
            ("POST", ["playlistItems"]) => {
                let holder = enter(&write, 50)?;
                self.add_to_playlist(call, holder.account, books)
            }
            ("GET", ["commentThreads"]) => {
                enter(&[FORCE], 1)?;
                self.threads(call)
            }
            ("POST", ["commentThreads"]) => {
                let holder = enter(&[FORCE], 50)?;
                self.comment(call, holder.account, books)
            }
            ("PUT", ["comments"]) => {
                let holder = enter(&[FORCE], 50)?;
                self.change_comment(call, holder.account, books)
            }
            _ => Err(refusal(404, "notFound", "Not Found")),
        }
    }

    /// Any one of the scopes will do.
    fn authorize(&mut self, call: &Call, scopes: &[&str], cost: Cost) -> Result<Holder, Answer> {
        let holder = self.door.holder(call).map_err(|_| invalid_credentials())?;
        if !scopes.iter().any(|scope| self.door.may(holder.grant, scope)) {
            let text = "Request had insufficient authentication scopes.";
            return Err(refusal(403, "insufficientPermissions", text));
        }
        match self.quota.spend(self.door.grants.client(holder.grant), cost, call.now) {
            true => Ok(holder),
            false => Err(quota_exceeded()),
        }
    }

    fn has(&self, account: usize, trait_word: &str) -> bool {
        self.door.handle(account).to_ascii_lowercase().contains(trait_word)
    }

    fn channel(&self, account: usize) -> &str {
        &self.door.people.get(account).id
    }
}

impl Simulation for Youtube {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", [_] | ["shorts" | "channel", _]) | (_, ["o", ..]) => None,
            ("POST", ["token" | "revoke"]) => Some(Operation::Token),
            ("PUT", ["upload", ..]) => Some(session::operation(call)),
            ("POST", ["upload", ..]) => Some(Operation::Upload),
            ("POST" | "PUT", ["youtube", ..]) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let sending = call.query("upload_id").and_then(|id| self.sessions.get(id));
        match sending {
            Some(session) => Some(self.door.handle(session.account).to_owned()),
            None => self.door.caller(call),
        }
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None | Some(400)) => google::revoked(),
            (_, None | Some(403)) => refusal(403, "forbidden", "Forbidden"),
            (_, Some(400)) => {
                let text = "The user has exceeded the number of videos they may upload.";
                refusal(400, "uploadLimitExceeded", text)
            }
            (_, Some(401)) => invalid_credentials(),
            (_, Some(404)) => refusal(404, "notFound", "Not Found"),
            (_, Some(429)) => too_many(),
            (_, Some(status @ 500..)) => refusal(status, "backendError", "Backend Error"),
            (_, Some(status)) => refusal(status, "forbidden", "Refused by the sandbox"),
        }
    }

    fn broken_off(&mut self, call: &Call) {
        self.keep_half(call);
    }

    /// Without a header that says when: Google sends none.
    fn throttled(&self, _: &Call, _: Option<Duration>) -> Answer {
        too_many()
    }

    fn expire(&mut self, call: &Call) {
        self.door.expire(call);
    }

    fn revoke(&mut self, call: &Call) {
        self.door.revoke(call);
    }
}

/// The older shape, in which the reason is what tells: youtube/v3/docs/errors, read 2026-11-21.
fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let domain = if reason == "quotaExceeded" { "youtube.quota" } else { "youtube" };
    let body = json!({ "error": { "code": status, "message": message,
        "errors": [{ "domain": domain, "reason": reason, "message": message }] } });
    Answer::json(status, &body)
}

fn invalid_credentials() -> Answer {
    let body = json!({ "error": { "code": 401, "message": "Invalid Credentials",
        "errors": [{ "domain": "global", "reason": "authError", "message": "Invalid Credentials",
            "locationType": "header", "location": "Authorization" }],
        "status": "UNAUTHENTICATED" } });
    Answer::json(401, &body)
}

fn quota_exceeded() -> Answer {
    let text = "The request cannot be completed because you have exceeded your quota.";
    refusal(403, "quotaExceeded", text)
}

fn too_many() -> Answer {
    refusal(429, "rateLimitExceeded", "The request rate is too high.")
}

fn invalid(reason: &str, flaw: &Flaw) -> Answer {
    refusal(400, reason, &flaw.sentence())
}

fn full(_: Full) -> Answer {
    refusal(500, "internalError", "the sandbox is full")
}

fn no_such_video() -> Answer {
    refusal(404, "videoNotFound", "The video that you are trying to access cannot be found.")
}

fn body(call: &Call) -> Result<Value, Answer> {
    let declared = call.content_type().starts_with("application/json");
    let body = call.json().filter(|_| declared);
    body.ok_or_else(|| refusal(400, "parseError", "The body must be JSON"))
}

/// What `part` names, each of them one of `known`.
fn parts<'a>(call: &'a Call, known: &[&str]) -> Result<Vec<&'a str>, Answer> {
    let Some(asked) = call.query("part").filter(|part| !part.is_empty()) else {
        return Err(refusal(400, "missingRequiredParameter", "Required parameter: part"));
    };
    let parts: Vec<&str> = asked.split(',').map(str::trim).collect();
    match parts.iter().find(|part| !known.contains(part)) {
        Some(unknown) => Err(refusal(400, "unknownPart", &format!("'{unknown}'"))),
        None => Ok(parts),
    }
}

/// A page of what there is, and the token of the next one.
fn page<T>(call: &Call, all: Vec<T>) -> Result<(Vec<T>, Value), Answer> {
    page_of(call, all, 5, 50)
}

/// `usual`: how many a page has if nobody asks; `largest`: how many can be asked for.
fn page_of<T>(
    call: &Call,
    all: Vec<T>,
    usual: usize,
    largest: usize,
) -> Result<(Vec<T>, Value), Answer> {
    let number = |name: &str, other: usize| match call.query(name) {
        None => Ok(other),
        Some(text) => text.parse::<usize>().map_err(|_| {
            refusal(400, "invalidParameter", &format!("Invalid value for {name}: {text}"))
        }),
    };
    let (most, from) = (number("maxResults", usual)?, number("pageToken", 0)?);
    if most > largest {
        let text =
            format!("Invalid value for maxResults: values must be within the range [0, {largest}]");
        return Err(refusal(400, "invalidParameter", &text));
    }
    let next = match from + most < all.len() {
        true => json!((from + most).to_string()),
        false => Value::Null,
    };
    Ok((all.into_iter().skip(from).take(most).collect(), next))
}

fn listed(kind: &str, items: Vec<Value>, total: usize, next: Value) -> Answer {
    let mut body = json!({ "kind": format!("youtube#{kind}"), "etag": "sandbox",
        "pageInfo": { "totalResults": total, "resultsPerPage": items.len() }, "items": items });
    if !next.is_null() {
        body["nextPageToken"] = next;
    }
    Answer::json(200, &body)
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(Platform::Youtube, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Video unavailable"),
    }
}
