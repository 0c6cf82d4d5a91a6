//! Slack: bots by their Web API, and incoming webhooks, as docs.slack.dev has them (August 2026).
//!
//! Invariants: nothing recognises a repetition, so each request that is accepted is a message of
//! its own; nobody can list what a webhook wrote under its own name; a message is only changed by
//! who wrote it.
//!
//! Whoever signs in founds a workspace of that name, with a channel `#<name>` that the bot is in, a
//! public one that it is not in, a private one and an archived one. Tokens of a client whose id
//! contains "rotating" last twelve hours. Any `xoxb-…` of the right shape is a bot, too, in a
//! workspace of its own; there every id of a channel is one: `C…` public, `G…` private, with `AWAY`
//! in it one that the bot is not in, with `GONE` in it one that is archived.

mod channels;
mod files;
mod messages;
mod signin;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use self::{channels::Channel, files::Stored, messages::Message};
use super::{
    Platform,
    consent::Codes,
    faults::Operation,
    grants::{Grants, Worth},
    meter::{Meter, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

/// "generally allows posting one message per second per channel", with "short bursts" beyond it.
const MESSAGES: Rule = Rule::new("messages", 5, 5);
/// "Incoming webhooks: 1 per second".
const HOOKS: Rule = Rule::new("hooks", 5, 5);
/// Tier 3, "50+ per minute".
const READS: Rule = Rule::new("reads", 50, 60);

/// Of bots that were pasted, which are not asked what they may do.
const SCOPES: [&str; 8] = [
    "chat:write",
    "chat:write.public",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "files:read",
    "files:write",
];

pub(crate) struct Slack {
    meter: Meter,
    /// Workspaces, by the name that one signs in with; of a pasted bot by its token.
    teams: People,
    /// Channels and webhooks, by which limits are counted.
    places: People,
    codes: Codes,
    grants: Grants,
    revoked: HashSet<String>,
    messages: Vec<Message>,
    files: HashMap<String, Stored>,
    /// Messages have the time as their name, so no two have the same.
    last_time: u64,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

/// A bot, and what it may do.
struct Bot {
    team: usize,
    scopes: Vec<String>,
}

impl Slack {
    pub(crate) fn new(meter: Meter) -> Slack {
        Slack {
            meter,
            teams: People::default(),
            places: People::default(),
            codes: Codes::default(),
            grants: Grants::default(),
            revoked: HashSet::new(),
            messages: Vec::new(),
            files: HashMap::new(),
            last_time: 0,
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (method, segments) = call.route();
        match (method, segments.as_slice()) {
            (_, ["oauth", "v2", "authorize"]) => Ok(self.consent(call, books)),
            (_, ["archives", _, time]) => Ok(permalink(time, books)),
            (_, ["archives" | "client", ..]) => Ok(Answer::redirect("/#slack")),
            ("POST", ["services", team, hook, secret]) => {
                self.hook(call, (team, hook, secret), books)
            }
            ("POST", ["upload", "v1", place]) => self.receive(call, place, books),
            ("GET" | "POST", ["api", "oauth.v2.access"]) => self.token(call, books),
            ("GET" | "POST", ["api", name]) => {
                let bot = self.bot(call)?;
                let scopes = bot.scopes.join(",");
                let answer = match self.method(name, call, &bot, books) {
                    Ok(answer) | Err(answer) => answer,
                };
                Ok(answer.with("x-oauth-scopes", scopes))
            }
            _ => Err(Answer::new(404, "text/plain", "not found")),
        }
    }

    fn method(&mut self, name: &str, call: &Call, bot: &Bot, books: &mut Books) -> Reply {
        let given = call.parameters();
        match name {
            "auth.test" => Ok(self.who(call, bot)),
            "auth.revoke" => {
                self.revoke(call);
                Ok(ok(json!({ "revoked": true })))
            }
            "conversations.list" => self.list_channels(&given, bot, call),
            "conversations.info" => self.show_channel(&given, bot, call),
            "conversations.history" => self.history(&given, bot, call),
            "conversations.replies" => self.replies(&given, bot, call),
            "chat.postMessage" => self.post(&given, bot, call, books),
            "chat.update" => self.update(&given, bot, call, books),
            "chat.delete" => self.delete(&given, bot, call, books),
            "files.getUploadURLExternal" => self.reserve(&given, bot, call, books),
            "files.completeUploadExternal" => self.complete(&given, bot, call, books),
            "files.info" => self.show_file(&given, bot, call),
            "files.delete" => self.delete_file(&given, bot),
            _ => Err(no("unknown_method")),
        }
    }

    fn bot(&mut self, call: &Call) -> Result<Bot, Answer> {
        let token = call.bearer().ok_or_else(|| no("not_authed"))?;
        if self.revoked.contains(token) {
            return Err(no("token_revoked"));
        }
        match self.grants.judge(token, call.now) {
            Worth::Live { grant, account: Some(team) } => {
                Ok(Bot { team, scopes: self.grants.scopes(grant).to_vec() })
            }
            Worth::Expired => Err(no("token_expired")),
            Worth::Revoked => Err(no("token_revoked")),
            Worth::Unknown if is_token_of_bot(token) => {
                let team = self.teams.welcome(token, call.now, || team_of(token));
                Ok(Bot { team, scopes: SCOPES.map(str::to_owned).to_vec() })
            }
            Worth::Live { account: None, .. } | Worth::Unknown => Err(no("invalid_auth")),
        }
    }

    fn who(&self, call: &Call, bot: &Bot) -> Answer {
        let team = self.teams.get(bot.team);
        ok(json!({
            "url": format!("{}/", call.base), "team": self.name_of(bot), "team_id": team.id,
            "user": "fanfare", "user_id": user_of(&team.id), "bot_id": bot_of(&team.id),
            "is_enterprise_install": false,
        }))
    }

    fn name_of(&self, bot: &Bot) -> String {
        let handle = &self.teams.get(bot.team).handle;
        if handle.starts_with("xoxb-") { "Harbour".to_owned() } else { handle.clone() }
    }

    /// Refuses what the token may not do.
    fn demand(bot: &Bot, scope: &str) -> Result<(), Answer> {
        if bot.scopes.iter().any(|had| had == scope) {
            return Ok(());
        }
        let body = json!({ "ok": false, "error": "missing_scope", "needed": scope,
            "provided": bot.scopes.join(",") });
        Err(Answer::json(200, &body))
    }

    fn spend(&mut self, who: &str, rule: &Rule, call: &Call) -> Result<(), Answer> {
        let place = self.places.welcome(who, call.now, || who.to_owned());
        let reading = self.meter.spend(place, rule, 1, call.now);
        match reading.room {
            Room::Left => Ok(()),
            Room::Exceeded => {
                Err(too_many(Duration::from_millis(reading.reset.0.saturating_sub(call.now.0))))
            }
        }
    }

    /// `1503435956.000247`: seconds and millionths, and no message has another's.
    fn next_time(&mut self, micros: u64) -> String {
        self.last_time = micros.max(self.last_time + 1);
        format!("{}.{:06}", self.last_time / 1_000_000, self.last_time % 1_000_000)
    }
}

impl Simulation for Slack {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (_, segments) = call.route();
        match segments.as_slice() {
            ["services", ..] => Some(Operation::Publish),
            ["upload", ..] => Some(Operation::Upload),
            ["api", "oauth.v2.access" | "auth.test" | "auth.revoke"] => Some(Operation::Token),
            ["api", "chat.postMessage" | "chat.update" | "files.completeUploadExternal"] => {
                Some(Operation::Publish)
            }
            ["api", "files.getUploadURLExternal"] => Some(Operation::Upload),
            ["api", "chat.delete" | "files.delete"] => Some(Operation::Delete),
            ["api", _] => Some(Operation::Read),
            _ => None,
        }
    }

    /// The channel, or the webhook.
    fn caller(&self, call: &Call) -> Option<String> {
        if let ["services", _, hook, _] = call.route().1.as_slice() {
            return Some(format!("hook-{}", last_four(hook)));
        }
        let given = call.parameters();
        let channel = given["channel"].as_str().or(given["channel_id"].as_str())?;
        Some(self.channel_named(channel).handle())
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (_, Some(429)) => too_many(Duration::from_secs(1)),
            (_, Some(status)) if status >= 500 => {
                Answer::json(status, &json!({ "ok": false, "error": "internal_error" }))
            }
            (Operation::Token, _) => no("invalid_auth"),
            (Operation::Upload, Some(status)) => {
                Answer::new(status, "text/plain", "Refused by the sandbox")
            }
            (_, Some(401)) => no("invalid_auth"),
            (_, Some(403)) => no("not_in_channel"),
            (_, Some(404)) => no("channel_not_found"),
            (_, None | Some(_)) => no("invalid_arguments"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        too_many(retry_after.unwrap_or(Duration::from_secs(1)))
    }

    /// Only tokens of an app with rotation expire; the others are revoked.
    fn expire(&mut self, call: &Call) {
        let Some(token) = call.bearer() else { return self.revoke(call) };
        match self.grants.behind(token).filter(|&grant| self.is_rotating(grant)) {
            Some(_) => self.grants.expire(token, call.now),
            None => self.revoke(call),
        }
    }

    fn revoke(&mut self, call: &Call) {
        if let ["services", team, hook, _] = call.route().1.as_slice() {
            self.revoked.insert(format!("{team}/{hook}"));
            return;
        }
        let Some(token) = call.bearer() else { return };
        match self.grants.behind(token) {
            Some(grant) => self.grants.revoke(grant),
            None => {
                self.revoked.insert(token.to_owned());
            }
        }
    }
}

fn ok(mut body: Value) -> Answer {
    body["ok"] = json!(true);
    Answer::json(200, &body)
}

/// Slack says no with HTTP 200.
fn no(code: &str) -> Answer {
    Answer::json(200, &json!({ "ok": false, "error": code }))
}

fn too_many(wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    Answer::json(429, &json!({ "ok": false, "error": "ratelimited" }))
        .with("retry-after", seconds.to_string())
}

/// `xoxb-123-456-abc` (authentication/tokens, August 2026).
fn is_token_of_bot(token: &str) -> bool {
    let is_word =
        |part: &str| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut parts = token.split('-');
    parts.next() == Some("xoxb") && token.split('-').count() >= 3 && parts.all(is_word)
}

fn team_of(token: &str) -> String {
    let number: String = token.bytes().filter(u8::is_ascii_alphanumeric).map(char::from).collect();
    format!("T{}", last(&number.to_ascii_uppercase(), 9))
}

fn user_of(team: &str) -> String {
    format!("U{}", &team[1..])
}

fn bot_of(team: &str) -> String {
    format!("B{}", &team[1..])
}

fn last(text: &str, count: usize) -> &str {
    &text[text.len().saturating_sub(count)..]
}

fn last_four(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(4);
    id.chars().skip(skipped).collect()
}

/// `p1503435956000247`.
fn permalink(time: &str, books: &Books) -> Answer {
    let digits = time.trim_start_matches('p');
    let id = digits.split_at_checked(digits.len().saturating_sub(6));
    let id = id.map(|(seconds, rest)| format!("{seconds}.{rest}")).unwrap_or_default();
    match books.ledger.find(Platform::Slack, &id) {
        Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
        None => Answer::new(404, "text/plain", "Not found"),
    }
}

impl Channel {
    /// As readers know it.
    pub(super) fn handle(&self) -> String {
        format!("#{}", self.name)
    }
}
