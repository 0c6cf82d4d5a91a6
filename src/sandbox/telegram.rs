//! Telegram: the Bot API as core.telegram.org/bots/api has it (10.1 of June 2026, read 2026-11-21).
//!
//! Invariants: a bot sees no message that it did not just send; nothing recognises a repetition, so
//! each request that is accepted is a message of its own.
//!
//! Any token of the right shape is a bot. A chat exists once a bot asks for it: `@name` is a
//! channel, or a group where its name contains "group"; `-100…` is a channel without a name. A bot
//! is an administrator unless the name contains "guest". Messages may be marked by HTML or by
//! entities; Markdown is refused.

mod files;
mod markup;
mod messages;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::{
    Platform,
    faults::Operation,
    meter::{Meter, Room, Rule},
    people::People,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{files::File, messages::Message};

/// "avoid sending more than one message per second" to one chat, "20 messages per minute to the
/// same group", "no more than about 30 messages per second" (bots/faq, read 2026-11-21). Each file
/// of an album is a message. Bursts to a channel are tolerated.
const CHAT: Rule = Rule::new("chat", 60, 60);
const GROUP: Rule = Rule::new("group", 20, 60);
const BOT: Rule = Rule::new("bot", 30, 1);

/// A token's second half: those in the documentation have 34, those of today 35.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 34..=35;

pub(crate) struct Telegram {
    meter: Meter,
    chats: People,
    revoked: HashSet<String>,
    files: HashMap<String, File>,
    messages: HashMap<(usize, u64), Message>,
    last: HashMap<usize, u64>,
}

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

impl Telegram {
    pub(crate) fn new(meter: Meter) -> Telegram {
        Telegram {
            meter,
            chats: People::default(),
            revoked: HashSet::new(),
            files: HashMap::new(),
            messages: HashMap::new(),
            last: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books) -> Reply {
        let (_, segments) = call.route();
        let (token, method) = match segments.as_slice() {
            [token, method] if token.starts_with("bot") && token.contains(':') => (token, *method),
            [name] if self.chats.by_handle(name).is_some() => {
                return Ok(Answer::redirect("/#telegram"));
            }
            [place @ .., id] => return Ok(self.permalink(place, id, books)),
            [] => return Err(refusal(404, "Not Found")),
        };
        let Some(bot) = bot(token) else { return Err(refusal(404, "Not Found")) };
        if self.revoked.contains(*token) {
            return Err(refusal(401, "Unauthorized"));
        }
        if !matches!(call.method.as_str(), "GET" | "POST") {
            return Err(refusal(404, "Not Found"));
        }
        let given = Given::read(call)?;
        match method {
            "getMe" => {
                given.only(&[])?;
                Ok(fine(&myself(bot)))
            }
            "getChat" => {
                given.only(&["chat_id"])?;
                let chat = self.chat(&given, call)?;
                Ok(fine(&self.told_chat(chat)))
            }
            "getChatMember" => self.member(call, &given, bot),
            "sendMessage" => self.send_text(call, &given, bot, books),
            "sendPhoto" | "sendVideo" | "sendAnimation" | "sendDocument" => {
                self.send_file(call, &given, bot, method, books)
            }
            "sendMediaGroup" => self.send_group(call, &given, bot, books),
            "editMessageText" => self.edit_text(call, &given, books),
            "editMessageCaption" => self.edit_caption(call, &given, books),
            "deleteMessage" => self.delete(call, &given, books),
            "deleteMessages" => self.delete_many(call, &given, books),
            _ => Err(refusal(404, "Not Found")),
        }
    }

    /// The chat that the call names; new ones are made.
    fn chat(&mut self, given: &Given, call: &Call) -> Result<usize, Answer> {
        let named = match given.value("chat_id") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) | None => return Err(bad("chat_id is empty")),
        };
        if let Some(known) = self.chats.by_id(&named) {
            return Ok(known);
        }
        if is_number_of_a_chat(&named) {
            return Ok(self.chats.welcome(&named, call.now, || named.clone()));
        }
        let name = named.strip_prefix('@').filter(|name| is_name(name));
        let name = name.ok_or_else(|| bad("chat not found"))?;
        let next = 1_500_000_000 + self.chats.handles().count();
        Ok(self.chats.welcome(name, call.now, || format!("-100{next}")))
    }

    fn told_chat(&self, chat: usize) -> Value {
        let person = self.chats.get(chat);
        let number: i64 = person.id.parse().unwrap_or_default();
        let kind = if self.is_group(chat) { "supergroup" } else { "channel" };
        let mut told =
            json!({ "id": number, "type": kind, "title": format!("{}'s", person.handle) });
        if person.handle != person.id {
            told["username"] = json!(person.handle);
        }
        told
    }

    fn is_group(&self, chat: usize) -> bool {
        self.chats.get(chat).handle.to_ascii_lowercase().contains("group")
    }

    fn is_guest(&self, chat: usize) -> bool {
        self.chats.get(chat).handle.to_ascii_lowercase().contains("guest")
    }

    fn member(&mut self, call: &Call, given: &Given, bot: u64) -> Reply {
        given.only(&["chat_id", "user_id"])?;
        let chat = self.chat(given, call)?;
        if given.whole("user_id")? != Some(bot) {
            return Err(bad("PARTICIPANT_ID_INVALID"));
        }
        if self.is_guest(chat) {
            return Ok(fine(&json!({ "status": "left", "user": myself(bot) })));
        }
        let mut told = json!({ "status": "administrator", "user": myself(bot),
            "can_be_edited": false, "is_anonymous": false, "can_manage_chat": true,
            "can_delete_messages": true, "can_manage_video_chats": false,
            "can_restrict_members": false, "can_promote_members": false, "can_change_info": false,
            "can_invite_users": false });
        if !self.is_group(chat) {
            told["can_post_messages"] = json!(true);
            told["can_edit_messages"] = json!(true);
        }
        Ok(fine(&told))
    }

    /// The chat, where the bot may write in it, and room for so many messages is left.
    fn place(
        &mut self,
        call: &Call,
        given: &Given,
        bot: u64,
        messages: u64,
    ) -> Result<usize, Answer> {
        let chat = self.chat(given, call)?;
        if self.is_guest(chat) {
            let kind = if self.is_group(chat) { "supergroup" } else { "channel" };
            let words = format!("Forbidden: bot is not a member of the {kind} chat");
            return Err(refusal(403, &words));
        }
        let rule = if self.is_group(chat) { &GROUP } else { &CHAT };
        let who = usize::try_from(bot).unwrap_or_default();
        for reading in [
            self.meter.spend(chat, rule, messages, call.now),
            self.meter.spend(who, &BOT, messages, call.now),
        ] {
            if reading.room == Room::Exceeded {
                let millis = reading.reset.0.saturating_sub(call.now.0);
                return Err(too_many(Duration::from_millis(millis)));
            }
        }
        Ok(chat)
    }

    fn permalink(&self, place: &[&str], id: &str, books: &Books) -> Answer {
        let chat = match place {
            ["c", number] => self.chats.by_id(&format!("-100{number}")),
            [name] => self.chats.by_handle(name),
            _ => None,
        };
        let id = id.parse().ok();
        let message = chat.zip(id).and_then(|place| self.messages.get(&place));
        match message.and_then(|it| books.ledger.find(Platform::Telegram, &it.entry)) {
            Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
            None => Answer::new(404, "text/plain", "Not found"),
        }
    }
}

impl Simulation for Telegram {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let (_, segments) = call.route();
        match segments.as_slice() {
            [token, method] if token.starts_with("bot") && token.contains(':') => match *method {
                "deleteMessage" | "deleteMessages" => Some(Operation::Delete),
                method if method.starts_with("send") || method.starts_with("edit") => {
                    Some(Operation::Publish)
                }
                _ => Some(Operation::Read),
            },
            _ => None,
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let parameters = call.parameters();
        let named = match &parameters["chat_id"] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        match self.chats.by_id(&named) {
            Some(chat) => Some(self.chats.get(chat).handle.clone()),
            None => Some(named.trim_start_matches('@').to_owned()),
        }
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        let given = Given::read(call);
        given.map(|given| files::addresses(&Value::Object(given.0))).unwrap_or_default()
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.route(call, books) {
            Ok(answer) | Err(answer) => answer,
        }
    }

    fn refused(&self, _: Operation, status: Option<u16>) -> Answer {
        match status {
            None | Some(400) => bad("refused by the sandbox"),
            Some(401) => refusal(401, "Unauthorized"),
            Some(403) => refusal(403, "Forbidden: bot was kicked from the channel chat"),
            Some(404) => refusal(404, "Not Found"),
            Some(413) => refusal(413, "Request Entity Too Large"),
            Some(429) => too_many(Duration::from_secs(30)),
            Some(502) => refusal(502, "Bad Gateway"),
            Some(status) => refusal(status, "Internal Server Error"),
        }
    }

    fn throttled(&self, _: &Call, retry_after: Option<Duration>) -> Answer {
        too_many(retry_after.unwrap_or(Duration::from_secs(30)))
    }

    /// A bot's token does not expire; it can only be revoked.
    fn expire(&mut self, call: &Call) {
        self.revoke(call);
    }

    fn revoke(&mut self, call: &Call) {
        self.revoked.extend(call.segments.first().cloned());
    }
}

/// What was given, in any of the four ways: "URL query string, application/x-www-form-urlencoded,
/// application/json, multipart/form-data" (making-requests). Outside of JSON, objects and lists are
/// JSON in strings.
struct Given(Map<String, Value>);

const SERIALIZED: [&str; 7] = [
    "caption_entities",
    "entities",
    "link_preview_options",
    "media",
    "message_ids",
    "reply_markup",
    "reply_parameters",
];

impl Given {
    fn read(call: &Call) -> Result<Given, Answer> {
        let is_json = call.content_type().starts_with("application/json");
        if is_json && !call.body.is_empty() && !matches!(call.json(), Some(Value::Object(_))) {
            return Err(bad("can't parse JSON object"));
        }
        let Value::Object(mut found) = call.parameters() else { return Err(bad("no parameters")) };
        for name in SERIALIZED {
            let Some(Value::String(text)) = found.get(name) else { continue };
            let value = serde_json::from_str(text);
            let value = value.map_err(|_| bad(&format!("can't parse {name} JSON object")))?;
            found.insert(name.to_owned(), value);
        }
        Ok(Given(found))
    }

    /// Telegram would pass over what it does not know; here it is a mistake.
    fn only(&self, known: &[&str]) -> Result<(), Answer> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(unknown) => Err(bad(&format!("the sandbox does not know {unknown}"))),
            None => Ok(()),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Answer> {
        match self.value(name) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad(&format!("{name} must be a string"))),
            None => Ok(None),
        }
    }

    fn whole(&self, name: &str) -> Result<Option<u64>, Answer> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.map(Some).ok_or_else(|| bad(&format!("{name} must be a number")))
    }

    fn flag(&self, name: &str) -> Result<bool, Answer> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
            Some(_) => Err(bad(&format!("{name} must be true or false"))),
        }
    }
}

/// The number of the bot whose token it is, if it has the right shape.
fn bot(segment: &str) -> Option<u64> {
    let (number, secret) = segment.strip_prefix("bot")?.split_once(':')?;
    let is_secret = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    let shaped = TOKEN_LENGTHS.contains(&secret.len()) && secret.chars().all(is_secret);
    number.parse().ok().filter(|_| shaped)
}

fn myself(bot: u64) -> Value {
    json!({ "id": bot, "is_bot": true, "first_name": "Fanfare", "username": format!("b{bot}_bot") })
}

fn is_number_of_a_chat(text: &str) -> bool {
    let digits = text.strip_prefix("-100").unwrap_or_default();
    (8..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(name: &str) -> bool {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    (4..=32).contains(&name.len())
        && name.starts_with(|it: char| it.is_ascii_alphabetic())
        && name.chars().all(is_part)
}

fn fine(result: &Value) -> Answer {
    Answer::json(200, &json!({ "ok": true, "result": result }))
}

fn refusal(status: u16, description: &str) -> Answer {
    let body = json!({ "ok": false, "error_code": status, "description": description });
    Answer::json(status, &body)
}

fn bad(words: &str) -> Answer {
    refusal(400, &format!("Bad Request: {words}"))
}

fn too_many(wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    let body = json!({ "ok": false, "error_code": 429,
        "description": format!("Too Many Requests: retry after {seconds}"),
        "parameters": { "retry_after": seconds } });
    Answer::json(429, &body)
}
