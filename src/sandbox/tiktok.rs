//! TikTok: Login Kit, Content Posting API and Display API v2, developers.tiktok.com, read
//! 2026-11-21.
//!
//! Invariants: a task is posted at most once, by its last byte or by its init; a refresh token
//! works once.
//!
//! A client whose key contains "audited" has passed the audit; every other one may only post for
//! its owner to private accounts. A handle that contains "private" is a private account, "busy" has
//! posted too much today, "banned" may not post, "capped" is one user too many for the app.

mod listing;
mod photos;
mod post;
mod signin;
mod status;
#[cfg(test)]
mod tests;
mod upload;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::{
    Platform,
    door::{Door, Holder},
    faults::Operation,
    given::Flaw,
    grants::Worth,
    meter::{Meter, Room, Rule},
    shelf::Full,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::status::Task;

const MINUTE: u64 = 60;

/// Per access token and minute (doc/content-posting-api-reference, read 2026-11-21).
const CREATOR: Rule = Rule::new("creator_info", 20, MINUTE);
const INIT: Rule = Rule::new("init", 6, MINUTE);
const STATUS: Rule = Rule::new("status", 30, MINUTE);
/// "600 requests per minute" (doc/tiktok-api-v2-rate-limit, read 2026-11-21).
const DISPLAY: Rule = Rule::new("display", 600, MINUTE);
/// Posts of one creator over all apps; told by publishers, on no page.
const POSTS: Rule = Rule::new("posts", 15, 24 * 60 * MINUTE);

pub(crate) struct Tiktok {
    meter: Meter,
    door: Door,
    /// By publish id.
    tasks: HashMap<String, Task>,
    /// Publish ids, oldest first.
    order: Vec<String>,
    /// Publish ids by the upload id of their address.
    uploads: HashMap<String, String>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Tiktok {
    pub(crate) fn new(meter: Meter) -> Tiktok {
        Tiktok {
            meter,
            door: Door::new(&signin::MANNER),
            tasks: HashMap::new(),
            order: Vec::new(),
            uploads: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET" | "POST", ["v2", "auth", "authorize"]) => Ok(self.door.consent(call, books)),
            ("POST", ["v2", "oauth", "token"]) => Ok(self.token(call, books)),
            ("POST", ["v2", "oauth", "revoke"]) => Ok(self.revoke_token(call)),
            ("PUT", ["video"]) => self.piece(call, books),
            ("GET", [_]) => Ok(Answer::redirect("/#tiktok")),
            ("GET", [_, "video" | "photo", id]) => Ok(permalink(id, books)),
            ("GET", ["v2", "user", "info"]) => {
                let holder = self.authorize(call, &["user.info.basic"], &DISPLAY)?;
                self.user(call, holder)
            }
            ("POST", ["v2", "video", which @ ("list" | "query")]) => {
                let holder = self.authorize(call, &["video.list"], &DISPLAY)?;
                self.videos(call, which, holder.account)
            }
            ("POST", ["v2", "post", "publish", rest @ ..]) => self.publishing(call, rest, books),
            _ => Err(refusal(404, "invalid_param", "Unsupported path")),
        }
    }

    fn publishing(&mut self, call: &Call, rest: &[&str], books: &mut Books) -> Reply {
        let publish = ["video.publish"];
        match rest {
            ["creator_info", "query"] => {
                let holder = self.authorize(call, &publish, &CREATOR)?;
                self.creator_info(call, holder.account)
            }
            ["video", "init"] => {
                let holder = self.authorize(call, &publish, &INIT)?;
                self.video(call, holder, books)
            }
            ["content", "init"] => {
                let holder = self.authorize(call, &publish, &INIT)?;
                self.photos(call, holder, books)
            }
            ["status", "fetch"] => {
                let holder = self.authorize(call, &["video.publish", "video.upload"], &STATUS)?;
                self.status(call, holder.account)
            }
            ["cancel"] => {
                let holder = self.authorize(call, &["video.publish", "video.upload"], &STATUS)?;
                self.cancel(call, holder.account, books)
            }
            _ => Err(refusal(404, "invalid_param", "Unsupported path")),
        }
    }

    /// Any one of the scopes will do.
    fn authorize(&mut self, call: &Call, scopes: &[&str], rule: &Rule) -> Result<Holder, Answer> {
        let holder = self.door.holder(call).map_err(|worth| match worth {
            Worth::Live { .. } | Worth::Expired | Worth::Revoked | Worth::Unknown => {
                invalid_token()
            }
        })?;
        if !scopes.iter().any(|scope| self.door.may(holder.grant, scope)) {
            return Err(unscoped(&scopes.join(" or ")));
        }
        match self.meter.spend(holder.grant, rule, 1, call.now).room {
            Room::Left => Ok(holder),
            Room::Exceeded => Err(too_many()),
        }
    }

    fn is_private(&self, account: usize) -> bool {
        self.has(account, "private")
    }

    fn has(&self, account: usize, trait_word: &str) -> bool {
        self.door.handle(account).to_ascii_lowercase().contains(trait_word)
    }
}

impl Simulation for Tiktok {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            ("GET", [_] | [_, "video" | "photo", _]) | (_, ["v2", "auth", ..]) => None,
            (_, ["v2", "oauth", ..]) => Some(Operation::Token),
            ("PUT", ["video"]) if upload::is_last(call) => Some(Operation::Publish),
            ("PUT", ["video"]) => Some(Operation::Upload),
            ("POST", ["v2", "post", "publish", "content", "init"]) => Some(Operation::Publish),
            ("POST", ["v2", "post", "publish", "video", "init"]) => match post::is_pulled(call) {
                true => Some(Operation::Publish),
                false => Some(Operation::Upload),
            },
            (_, ["v2", "post", "publish", "cancel"]) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let uploading = call.query("upload_id").and_then(|id| self.uploads.get(id));
        match uploading.and_then(|id| self.tasks.get(id)) {
            Some(task) => Some(self.door.handle(task.account).to_owned()),
            None => self.door.caller(call),
        }
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        // Nobody without a token sends the crawler anywhere, and nowhere but to verified places.
        if call.method != axum::http::Method::POST || self.door.holder(call).is_err() {
            return Vec::new();
        }
        let mut urls = post::addresses(call);
        urls.retain(|url| post::is_verified(call, url));
        urls
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (Operation::Token, None | Some(400)) => signin::invalid_grant(),
            (Operation::Upload, None) => Answer::new(400, "text/plain", ""),
            (_, None | Some(403)) => {
                refusal(403, "spam_risk_too_many_posts", "The daily post cap is reached")
            }
            (_, Some(400)) => refusal(400, "invalid_param", "Refused by the sandbox"),
            (_, Some(401)) => invalid_token(),
            (_, Some(404)) => refusal(404, "invalid_publish_id", "Refused by the sandbox"),
            (_, Some(429)) => too_many(),
            (_, Some(status @ 500..)) => {
                refusal(status, "internal_error", "Something is wrong. Please try again later.")
            }
            (_, Some(status)) => refusal(status, "invalid_param", "Refused by the sandbox"),
        }
    }

    fn broken_off(&mut self, call: &Call) {
        self.keep_half(call);
    }

    /// Without a header that says when: TikTok sends none.
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

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "data": {},
        "error": { "code": code, "message": message, "log_id": "20261121SANDBOX" } });
    Answer::json(status, &body)
}

fn fine(data: &Value) -> Answer {
    let body = json!({ "data": data,
        "error": { "code": "ok", "message": "", "log_id": "20261121SANDBOX" } });
    Answer::json(200, &body)
}

fn invalid_token() -> Answer {
    let text = "The access token is invalid or not found in the request.";
    refusal(401, "access_token_invalid", text)
}

fn unscoped(scope: &str) -> Answer {
    let text = format!("The user did not authorize the scope required: {scope}");
    refusal(401, "scope_not_authorized", &text)
}

fn too_many() -> Answer {
    refusal(429, "rate_limit_exceeded", "The API rate limit was exceeded. Please try again later.")
}

fn invalid(flaw: &Flaw) -> Answer {
    refusal(400, "invalid_param", &flaw.sentence())
}

fn full(_: Full) -> Answer {
    refusal(500, "internal_error", "the sandbox is full")
}

/// The body of a request to a POST endpoint, which is JSON.
fn body(call: &Call) -> Result<Value, Answer> {
    let declared = call.content_type().starts_with("application/json");
    let body = call.json().filter(|_| declared);
    body.ok_or_else(|| refusal(400, "invalid_param", "The body must be JSON"))
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(Platform::Tiktok, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Couldn't find this video"),
    }
}
