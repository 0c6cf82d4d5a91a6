//! Discord: webhooks and bots as discord.com/developers/docs has them (API v10, read 2026-11-21).
//!
//! Invariants: a bot's nonce that is to be enforced is one message, for a few minutes; a webhook's
//! repetition is a message of its own, and nobody can list what a webhook wrote.
//!
//! Any id and token of the right shape are a webhook, any token of the right shape is a bot, and
//! any id is a channel, in a server of its own.

mod draft;
mod messages;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    Platform,
    faults::Operation,
    given::Flaw,
    meter::{Meter, Reading, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::messages::Message;

/// Discord names limits in its headers only; these others have met (unconfirmed).
const WEBHOOK: Rule = Rule::new("webhook", 5, 2);
const CHANNEL: Rule = Rule::new("channel", 5, 5);
const READS: Rule = Rule::new("reads", 50, 1);

pub(crate) struct Discord {
    meter: Meter,
    /// Channels by their ids, and webhooks by theirs.
    places: People,
    revoked: HashSet<String>,
    /// Oldest first.
    messages: Vec<Message>,
    /// By author and nonce: which message, and when.
    nonces: HashMap<(String, String), usize>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

/// Who calls, and where it writes.
struct Caller {
    author: String,
    webhook: Option<String>,
    channel: String,
    /// Its place in the list: what its limits are counted by.
    number: usize,
}

impl Discord {
    pub(crate) fn new(meter: Meter) -> Discord {
        Discord {
            meter,
            places: People::default(),
            revoked: HashSet::new(),
            messages: Vec::new(),
            nonces: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        let below = match segments.as_slice() {
            ["api", "v10", rest @ ..] => rest,
            ["channels", _, _] => return Ok(Answer::redirect("/#discord")),
            ["channels", _, _, id] => return Ok(permalink(id, books)),
            _ => return Err(unknown_route()),
        };
        match (method, below) {
            (_, ["webhooks", id, token, rest @ ..]) => {
                let caller = self.webhook(call, id, token)?;
                match (method, rest) {
                    ("GET", []) => self.paced(call, &caller, &READS, webhook_of(&caller, id)),
                    ("POST", []) => self.write(call, &caller, books),
                    ("GET", ["messages", message]) => self.read_one(call, &caller, message),
                    ("PATCH", ["messages", message]) => self.edit(call, &caller, message, books),
                    ("DELETE", ["messages", message]) => self.delete(call, &caller, message, books),
                    _ => Err(unknown_route()),
                }
            }
            ("GET", ["users", "@me"]) => {
                let caller = self.bot(call, "")?;
                let told = user(&caller);
                self.paced(call, &caller, &READS, told)
            }
            (_, ["channels", channel, rest @ ..]) => {
                let caller = self.bot(call, channel)?;
                match (method, rest) {
                    ("GET", []) => self.paced(call, &caller, &READS, channel_of(channel)),
                    ("GET", ["messages"]) => self.list(call, &caller),
                    ("POST", ["messages"]) => self.write(call, &caller, books),
                    ("GET", ["messages", message]) => self.read_one(call, &caller, message),
                    ("PATCH", ["messages", message]) => self.edit(call, &caller, message, books),
                    ("DELETE", ["messages", message]) => self.delete(call, &caller, message, books),
                    _ => Err(unknown_route()),
                }
            }
            ("GET", ["guilds", guild]) => {
                self.bot(call, "")?;
                let told = json!({ "id": guild, "name": "The server" });
                Ok(Answer::json(200, &told))
            }
            _ => Err(unknown_route()),
        }
    }

    fn webhook(&mut self, call: &Call, id: &str, token: &str) -> Result<Caller, Answer> {
        if !is_snowflake(id) {
            return Err(refusal(404, 10_015, "Unknown Webhook"));
        }
        if !(60..=80).contains(&token.len()) || !token.chars().all(is_of_token) {
            return Err(refusal(401, 50_027, "Invalid Webhook Token"));
        }
        if self.revoked.contains(token) {
            return Err(refusal(404, 10_015, "Unknown Webhook"));
        }
        let number = self.places.welcome(id, call.now, || id.to_owned());
        Ok(Caller {
            author: id.to_owned(),
            webhook: Some(id.to_owned()),
            channel: channel_behind(id),
            number,
        })
    }

    /// `channel` is empty where none is asked for.
    fn bot(&mut self, call: &Call, channel: &str) -> Result<Caller, Answer> {
        let token = bot_token(call).ok_or_else(unauthorized)?;
        if !is_token_of_bot(token) || self.revoked.contains(token) {
            return Err(unauthorized());
        }
        if !channel.is_empty() && !is_snowflake(channel) {
            return Err(refusal(404, 10_003, "Unknown Channel"));
        }
        let author = author_of(token);
        let who = if channel.is_empty() { author.as_str() } else { channel };
        let number = self.places.welcome(who, call.now, || who.to_owned());
        Ok(Caller { author, webhook: None, channel: channel.to_owned(), number })
    }

    fn spend(&mut self, call: &Call, caller: &Caller, rule: &Rule) -> Result<Reading, Answer> {
        let reading = self.meter.spend(caller.number, rule, 1, call.now);
        match reading.room {
            Room::Left => Ok(reading),
            Room::Exceeded => {
                let wait = Duration::from_millis(reading.reset.0.saturating_sub(call.now.0));
                Err(told(call, rule, &reading, too_many(wait)))
            }
        }
    }

    fn paced(&mut self, call: &Call, caller: &Caller, rule: &Rule, body: Value) -> Reply {
        let reading = self.spend(call, caller, rule)?;
        Ok(told(call, rule, &reading, Answer::json(200, &body)))
    }
}

impl Simulation for Discord {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["channels", ..]) => None,
            ("POST" | "PATCH", _) => Some(Operation::Publish),
            ("DELETE", _) => Some(Operation::Delete),
            _ => Some(Operation::Read),
        }
    }

    /// The channel's name, or the webhook's.
    fn caller(&self, call: &Call) -> Option<String> {
        match call.segments.as_slice() {
            [_, _, kind, id, ..] if kind == "webhooks" => Some(name("hook", id)),
            [_, _, kind, id, ..] if kind == "channels" => Some(name("channel", id)),
            _ => None,
        }
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        // "Clients … without a valid User-Agent may be blocked" by Cloudflare (reference).
        if call.header("user-agent").is_none_or(str::is_empty) {
            return refusal(403, 40_333, "internal network error");
        }
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, _: Operation, status: Option<u16>) -> Answer {
        match status {
            None | Some(400) => invalid(&Flaw::new("content", "Refused by the sandbox")),
            Some(401) => unauthorized(),
            Some(403) => refusal(403, 50_013, "Missing Permissions"),
            Some(404) => refusal(404, 10_003, "Unknown Channel"),
            Some(413) => too_large(),
            Some(429) => too_many(Duration::from_secs(1)),
            Some(status) => refusal(status, 0, "Internal Server Error"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        too_many(retry_after.unwrap_or(Duration::from_secs(1)))
    }

    /// Neither expires; both can be reset.
    fn expire(&mut self, call: &Call) {
        self.revoke(call);
    }

    fn revoke(&mut self, call: &Call) {
        let token = match call.segments.as_slice() {
            [_, _, kind, _, token, ..] if kind == "webhooks" => Some(token.as_str()),
            _ => bot_token(call),
        };
        self.revoked.extend(token.map(str::to_owned));
    }
}

fn bot_token(call: &Call) -> Option<&str> {
    call.header("authorization")?.strip_prefix("Bot ")
}

fn is_of_token(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_' || it == '-'
}

fn is_snowflake(id: &str) -> bool {
    (17..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// `MTk4…​.Cl2FMQ.ZnCj…`: who, when, and a signature (reference, "Authentication").
fn is_token_of_bot(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.len() >= 6 && part.chars().all(is_of_token))
        && token.len() >= 50
}

/// A number that is the same for the same token.
fn author_of(token: &str) -> String {
    let first = token.split('.').next().unwrap_or_default();
    let mixed = first.bytes().fold(0_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte)) % 900_000_000_000_000_000
    });
    (100_000_000_000_000_000 + mixed).to_string()
}

/// One digit away from the webhook's own.
fn channel_behind(webhook: &str) -> String {
    format!("2{}", &webhook[1..])
}

fn guild_behind(channel: &str) -> String {
    format!("3{}", &channel[1..])
}

fn name(kind: &str, id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(4);
    format!("{kind}-{}", id.chars().skip(skipped).collect::<String>())
}

fn channel_of(channel: &str) -> Value {
    json!({ "id": channel, "type": 0, "guild_id": guild_behind(channel),
        "name": name("channel", channel) })
}

fn webhook_of(caller: &Caller, id: &str) -> Value {
    json!({ "id": id, "type": 1, "name": name("hook", id), "avatar": null,
        "channel_id": caller.channel, "guild_id": guild_behind(&caller.channel),
        "application_id": null })
}

fn user(caller: &Caller) -> Value {
    json!({ "id": caller.author, "username": "fanfare", "discriminator": "0000",
        "avatar": null, "bot": caller.webhook.is_none() })
}

fn told(call: &Call, rule: &Rule, reading: &Reading, answer: Answer) -> Answer {
    let millis = |at: u64| format!("{}.{:03}", at / 1_000, at % 1_000);
    let left = reading.reset.0.saturating_sub(call.now.0);
    answer
        .with("x-ratelimit-limit", reading.limit.to_string())
        .with("x-ratelimit-remaining", reading.remaining.to_string())
        .with("x-ratelimit-reset", millis(reading.reset.0))
        .with("x-ratelimit-reset-after", millis(left))
        .with("x-ratelimit-bucket", rule.name)
}

fn refusal(status: u16, code: u64, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message, "code": code }))
}

fn unauthorized() -> Answer {
    refusal(401, 0, "401: Unauthorized")
}

fn unknown_route() -> Answer {
    refusal(404, 0, "404: Not Found")
}

fn unknown_message() -> Answer {
    refusal(404, 10_008, "Unknown Message")
}

fn too_large() -> Answer {
    refusal(413, 40_005, "Request entity too large")
}

fn too_many(wait: Duration) -> Answer {
    let body = json!({ "message": "You are being rate limited.", "global": false,
        "retry_after": wait.as_secs_f64() });
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    Answer::json(429, &body)
        .with("retry-after", seconds.to_string())
        .with("x-ratelimit-scope", "user")
}

/// The flaw stands at its place in a tree of the body's shape.
fn invalid(flaw: &Flaw) -> Answer {
    let leaf = json!({ "_errors": [{ "code": "BASE_TYPE_BAD", "message": flaw.message }] });
    let names = flaw.field.split('.').rev().filter(|name| !name.is_empty());
    let errors = names.fold(leaf, |inner, name| json!({ name: inner }));
    let body = json!({ "code": 50_035, "message": "Invalid Form Body", "errors": errors });
    Answer::json(400, &body)
}

fn permalink(id: &str, books: &Books) -> Answer {
    match books.ledger.find(Platform::Discord, id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not found"),
    }
}
