//! Slack: the Web API, sign-in and incoming webhooks as docs.slack.dev has them (2026-08).
//!
//! Invariants: nothing recognises a repetition, so each message that is accepted is one of its own;
//! a message of a webhook can neither be read, changed nor taken down by who wrote it; a refresh
//! token works once.
//!
//! A workspace is made for each handle that signs in, with channels that differ in what a bot may
//! do there. Any token that begins with `xoxb-` and has two more pieces is a bot of one further
//! workspace, where every id of a channel is one: `GUEST` in it means that the bot is no member,
//! `ARCHIVED` and `READONLY` say themselves, and ids that begin with `G` are private. An incoming
//! webhook is any `/services/T…/B…/…`: `GONE` in its second piece means an archived channel,
//! `DENIED` that an administrator forbade it. Clients whose id contains "rotating" have token
//! rotation switched on.

mod blocks;
mod files;
mod given;
mod hooks;
mod messages;
mod places;
mod signin;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Platform,
    door::Door,
    faults::Operation,
    meter::{Meter, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{files::File, given::Given, messages::Message, places::Workspace};

/// "chat.postMessage … generally allows posting one message per second per channel", and incoming
/// webhooks "1 per second" (apis/web-api/rate-limits).
const MESSAGES: Rule = Rule::new("messages", 1, 1);

/// A method with what it asks for, and its tier: calls a minute and workspace. Those that only ask
/// take no JSON.
struct Method {
    name: &'static str,
    scopes: Scopes,
    tier: Rule,
    takes_json: bool,
}

#[derive(Clone, Copy)]
enum Scopes {
    None,
    One(&'static str),
    /// By the kind of channel: the first for public ones, the second for private ones.
    Either(&'static str, &'static str),
}

const fn method(name: &'static str, scopes: Scopes, a_minute: u64, takes_json: bool) -> Method {
    Method { name, scopes, tier: Rule::new(name, a_minute, 60), takes_json }
}

const WRITE: Scopes = Scopes::One("chat:write");
const READ: Scopes = Scopes::Either("channels:read", "groups:read");
const HISTORY: Scopes = Scopes::Either("channels:history", "groups:history");
const FILES_READ: Scopes = Scopes::One("files:read");
const FILES_WRITE: Scopes = Scopes::One("files:write");

const METHODS: &[Method] = &[
    method("auth.revoke", Scopes::None, 50, false),
    // "Special": hundreds a minute.
    method("auth.test", Scopes::None, 600, true),
    method("chat.delete", WRITE, 50, true),
    method("chat.getPermalink", Scopes::None, 600, false),
    method("chat.postMessage", WRITE, 600, true),
    method("chat.update", WRITE, 50, true),
    method("conversations.history", HISTORY, 50, false),
    method("conversations.info", READ, 50, false),
    method("conversations.list", READ, 20, false),
    method("conversations.replies", HISTORY, 50, false),
    method("files.completeUploadExternal", FILES_WRITE, 100, true),
    method("files.delete", FILES_WRITE, 50, true),
    method("files.getUploadURLExternal", FILES_WRITE, 100, false),
    method("files.info", FILES_READ, 100, false),
];

pub(crate) struct Slack {
    meter: Meter,
    /// For apps without token rotation, and for those with it.
    doors: [Door; 2],
    workspaces: Vec<Workspace>,
    /// What limits are counted by: workspaces and channels.
    counted: People,
    /// Pasted tokens, and addresses of webhooks.
    revoked: HashSet<String>,
    /// Oldest first.
    messages: Vec<Message>,
    files: HashMap<String, File>,
    /// Of the last message, in microseconds.
    last: u64,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

/// A bot that calls.
struct Bot {
    workspace: usize,
    scopes: Vec<String>,
}

impl Bot {
    fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held == scope)
    }

    fn needs(&self, scope: &str) -> Result<(), Answer> {
        if self.may(scope) {
            return Ok(());
        }
        let body = json!({ "ok": false, "error": "missing_scope", "needed": scope,
            "provided": self.scopes.join(",") });
        Err(Answer::json(200, &body))
    }
}

impl Slack {
    pub(crate) fn new(meter: Meter) -> Slack {
        Slack {
            meter,
            doors: [Door::new(&signin::LASTING), Door::new(&signin::ROTATING)],
            workspaces: Vec::new(),
            counted: People::default(),
            revoked: HashSet::new(),
            messages: Vec::new(),
            files: HashMap::new(),
            last: 0,
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (verb, segments) = call.route();
        match (verb, segments.as_slice()) {
            ("GET" | "POST", ["oauth", "v2", "authorize"]) => Ok(self.consent(call, books)),
            ("GET" | "POST", ["api", "oauth.v2.access"]) => self.token(call, books),
            ("GET" | "POST", ["api", name]) => self.method(call, name, books),
            ("POST", ["services", team, hook, secret]) => {
                self.hook(call, [team, hook, secret], books)
            }
            ("POST", ["upload", "v1", place]) => self.upload(call, place, books),
            ("GET", ["archives", channel, time]) => Ok(permalink(channel, time, books)),
            ("GET", ["archives", _] | ["client", ..]) => Ok(Answer::redirect("/#slack")),
            _ => Ok(Answer::new(404, "text/plain", "Not Found")),
        }
    }

    fn method(&mut self, call: &Call, name: &str, books: &mut Books) -> Reply {
        let Some(method) = METHODS.iter().find(|method| method.name == name) else {
            return Err(no("unknown_method"));
        };
        let bot = self.bot(call)?;
        let scopes = bot.scopes.join(",");
        let answer = match self.answered(call, method, &bot, books) {
            Ok(answer) | Err(answer) => answer,
        };
        Ok(answer.with("x-oauth-scopes", scopes))
    }

    fn answered(&mut self, call: &Call, method: &Method, bot: &Bot, books: &mut Books) -> Reply {
        let workspace = format!("workspace {}", bot.workspace);
        self.spend(&workspace, &method.tier, call)?;
        match method.scopes {
            Scopes::None => (),
            Scopes::One(scope) => bot.needs(scope)?,
            Scopes::Either(public, private) => {
                if !bot.may(private) {
                    bot.needs(public)?;
                }
            }
        }
        let given = Given::read(call, method.takes_json)?;
        match method.name {
            "auth.revoke" => self.end(call, &given),
            "auth.test" => self.myself(call, &given, bot),
            "chat.delete" => self.delete(call, &given, bot, books),
            "chat.getPermalink" => self.link(call, &given, bot),
            "chat.postMessage" => self.post(call, &given, bot, books),
            "chat.update" => self.update(&given, bot, books),
            "conversations.history" => self.history(&given, bot),
            "conversations.info" => self.told_channel(&given, bot),
            "conversations.list" => self.list(&given, bot),
            "conversations.replies" => self.replies(&given, bot),
            "files.completeUploadExternal" => self.complete(call, &given, bot, books),
            "files.delete" => self.delete_file(&given, bot, books),
            "files.getUploadURLExternal" => self.reserve(call, &given, bot, books),
            "files.info" => self.told_file(call, &given, bot),
            _ => Err(no("unknown_method")),
        }
    }

    fn spend(&mut self, who: &str, rule: &Rule, call: &Call) -> Result<(), Answer> {
        let number = self.counted.welcome(who, call.now, || who.to_owned());
        let reading = self.meter.spend(number, rule, 1, call.now);
        match reading.room {
            Room::Left => Ok(()),
            Room::Exceeded => {
                let millis = reading.reset.0.saturating_sub(call.now.0);
                Err(too_many(Duration::from_millis(millis)))
            }
        }
    }
}

impl Simulation for Slack {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (_, segments) = call.route();
        match segments.as_slice() {
            ["api", "oauth.v2.access"] => Some(Operation::Token),
            ["services", ..]
            | ["api", "chat.postMessage" | "chat.update" | "files.completeUploadExternal"] => {
                Some(Operation::Publish)
            }
            ["api", "chat.delete" | "files.delete"] => Some(Operation::Delete),
            ["api", "files.getUploadURLExternal"] | ["upload", ..] => Some(Operation::Upload),
            ["api", _] => Some(Operation::Read),
            _ => None,
        }
    }

    /// The channel's name, or the webhook's.
    fn caller(&self, call: &Call) -> Option<String> {
        if let [services, _, hook, _] = call.segments.as_slice()
            && services == "services"
        {
            return Some(hooks::name(hook));
        }
        let given = call.parameters();
        let channel = given["channel"].as_str().or(given["channel_id"].as_str())?;
        self.channel_named(channel)
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    /// Failures of the Web API come with HTTP 200.
    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        let flaw = "[ERROR] refused by the sandbox";
        match (operation, status) {
            (Operation::Token, None | Some(400)) => no("invalid_code"),
            (_, None | Some(400)) => wrong("invalid_arguments", flaw),
            (_, Some(401)) => wrong("invalid_auth", flaw),
            (_, Some(403)) => wrong("restricted_action", flaw),
            (_, Some(404)) => wrong("channel_not_found", flaw),
            (_, Some(413)) => wrong("file_upload_size_restricted", flaw),
            (_, Some(429)) => too_many(Duration::from_secs(1)),
            (_, Some(503)) => failed(503, "service_unavailable"),
            (_, Some(status)) => failed(status, "internal_error"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        too_many(retry_after.unwrap_or(Duration::from_secs(30)))
    }

    /// Only what an app with token rotation was given expires.
    fn expire(&mut self, call: &Call) {
        match self.is_rotating(call) {
            true => self.doors[signin::ROTATES].expire(call),
            false => self.revoke(call),
        }
    }

    fn revoke(&mut self, call: &Call) {
        self.doors.iter_mut().for_each(|door| door.revoke(call));
        self.revoked.extend(signin::pasted(call).map(str::to_owned));
        if let [services, rest @ ..] = call.segments.as_slice()
            && services == "services"
        {
            self.revoked.insert(rest.join("/"));
        }
    }
}

fn fine(mut body: Value) -> Answer {
    body["ok"] = json!(true);
    Answer::json(200, &body)
}

fn failed(status: u16, code: &str) -> Answer {
    Answer::json(status, &json!({ "ok": false, "error": code }))
}

fn no(code: &str) -> Answer {
    failed(200, code)
}

/// With what Slack says of an argument.
fn wrong(code: &str, flaw: &str) -> Answer {
    let body = json!({ "ok": false, "error": code, "response_metadata": { "messages": [flaw] } });
    Answer::json(200, &body)
}

fn too_many(wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    failed(429, "ratelimited").with("retry-after", seconds.to_string())
}

/// `/archives/C1/p1503435956000247`.
fn permalink(channel: &str, time: &str, books: &Books) -> Answer {
    let digits = time.trim_start_matches('p');
    let (seconds, micros) = digits.split_at_checked(10).unwrap_or((digits, ""));
    let id = format!("{channel}/{seconds}.{micros}");
    match books.ledger.find(Platform::Slack, &id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not Found"),
    }
}
