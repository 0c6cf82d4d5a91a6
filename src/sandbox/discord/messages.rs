//! Messages of webhooks and of bots.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        kept::Kept,
        ledger::{Card, Face, LedgerEntry, LedgerMedia},
        text,
        wire::{Answer, Call},
        world::Books,
    },
};

use super::{
    CHANNEL, Caller, Discord, READS, Reply, WEBHOOK,
    draft::{self, Attached, Draft},
    guild_behind, invalid, name, refusal, told, unknown_message, user,
};
use crate::sandbox::given::Flaw;

const EPOCH_MILLIS: u64 = 1_420_070_400_000;
/// "Can be used to verify a message was sent … in the past few minutes" (message, `nonce`).
const NONCES_LAST: Duration = Duration::from_secs(5 * 60);

pub(super) struct Message {
    id: String,
    channel: String,
    author: Value,
    webhook: Option<String>,
    content: String,
    embeds: Vec<Value>,
    files: Vec<File>,
    poll: Value,
    flags: u64,
    nonce: Option<String>,
    reply_to: Option<String>,
    at: Timestamp,
    edited: bool,
    is_gone: bool,
}

#[derive(Clone)]
struct File {
    id: String,
    name: String,
    description: String,
    kept: Kept,
}

impl File {
    fn media(&self) -> LedgerMedia {
        let kind = match self.kept.mime {
            "image/gif" => "gif",
            mime if mime.starts_with("image/") => "image",
            mime if mime.starts_with("video/") => "video",
            mime if mime.starts_with("audio/") => "audio",
            _ => "document",
        };
        LedgerMedia { kind, ..self.kept.for_ledger(&self.description) }
    }

    fn told(&self, call: &Call) -> Value {
        let url = self.kept.address(call);
        json!({ "id": self.id, "filename": self.name, "description": self.description,
            "size": self.kept.bytes, "content_type": self.kept.mime, "url": url,
            "proxy_url": url })
    }
}

impl Message {
    fn told(&self, call: &Call) -> Value {
        let attachments: Vec<Value> = self.files.iter().map(|file| file.told(call)).collect();
        let mut told = json!({ "id": self.id, "type": 0, "channel_id": self.channel,
            "author": self.author, "content": self.content, "timestamp": self.at.rfc3339(),
            "edited_timestamp": self.edited.then(|| call.now.rfc3339()), "tts": false,
            "mention_everyone": false, "mentions": [], "mention_roles": [], "pinned": false,
            "attachments": attachments, "embeds": self.embeds, "flags": self.flags,
            "components": [] });
        if let Some(webhook) = &self.webhook {
            told["webhook_id"] = json!(webhook);
        }
        if let Some(nonce) = &self.nonce {
            told["nonce"] = json!(nonce);
        }
        if let Some(answered) = &self.reply_to {
            told["message_reference"] =
                json!({ "message_id": answered, "channel_id": self.channel });
        }
        if !self.poll.is_null() {
            told["poll"] = self.poll.clone();
        }
        told
    }
}

impl Discord {
    pub(super) fn write(&mut self, call: &Call, caller: &Caller, books: &mut Books) -> Reply {
        let is_webhook = caller.webhook.is_some();
        let rule = if is_webhook { &WEBHOOK } else { &CHANNEL };
        let reading = self.spend(call, caller, rule)?;
        let known: &[&str] =
            if is_webhook { &["wait", "thread_id", "with_components"] } else { &[] };
        if let Some((unknown, _)) =
            call.query.iter().find(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(invalid(&Flaw::new(unknown.as_str(), "is not known")));
        }
        let mut draft = draft::read(&draft::body(call)?, is_webhook)?;
        // A webhook that no application owns shows no buttons unless it is asked to.
        if is_webhook && call.query("with_components") != Some("true") {
            draft.buttons.clear();
        }
        if let Some(nonce) = &draft.nonce
            && let Some(first) = self.repeated(&caller.author, nonce, call.now)
        {
            return Ok(told(call, rule, &reading, Answer::json(200, &first.told(call))));
        }
        if draft.thread_name.is_some() {
            return Err(refusal(
                400,
                220_003,
                "Webhooks can only create threads in forum channels",
            ));
        }
        let channel = call.query("thread_id").unwrap_or(&caller.channel).to_owned();
        if let Some(answered) = &draft.reference
            && self.place(&channel, answered).is_none()
        {
            return Err(invalid(&Flaw::new("message_reference", "Unknown message")));
        }
        let files = files(call, draft.attachments.as_deref().unwrap_or_default(), books)?;
        if draft.is_empty(files.len()) {
            return Err(refusal(400, 50_006, "Cannot send an empty message"));
        }
        let message = self.keep(call, caller, channel, draft, files, books);
        let body = message.told(call);
        let answer = match is_webhook && call.query("wait") != Some("true") {
            true => Answer::new(204, "application/json", ""),
            false => Answer::json(200, &body),
        };
        Ok(told(call, rule, &reading, answer))
    }

    fn repeated(&self, author: &str, nonce: &str, now: Timestamp) -> Option<&Message> {
        let place = self.nonces.get(&(author.to_owned(), nonce.to_owned()))?;
        let first = self.messages.get(*place)?;
        (first.at.after(NONCES_LAST) > now).then_some(first)
    }

    fn keep(
        &mut self,
        call: &Call,
        caller: &Caller,
        channel: String,
        draft: Draft,
        files: Vec<File>,
        books: &mut Books,
    ) -> &Message {
        let id = books.chance.snowflake(call.now, EPOCH_MILLIS, 22).to_string();
        let (account, handle) = match &caller.webhook {
            Some(webhook) => (webhook.clone(), name("hook", webhook)),
            None => (caller.channel.clone(), name("channel", &caller.channel)),
        };
        let content = draft.content.clone().unwrap_or_default();
        let mut author = user(caller);
        if let Some(name) = &draft.username {
            author["username"] = json!(name);
        }
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Discord,
            account,
            handle,
            id: id.clone(),
            url: format!("{}/channels/{}/{channel}/{id}", call.base, guild_behind(&channel)),
            text: content.clone(),
            media: files.iter().map(File::media).collect(),
            reply_to: draft.reference.clone(),
            idempotency_key: draft.nonce.clone(),
            deleted_at: None,
            face: face(&draft, &content),
        });
        if let Some(nonce) = &draft.nonce {
            self.nonces.insert((caller.author.clone(), nonce.clone()), self.messages.len());
        }
        let poll = draft.poll();
        self.messages.push(Message {
            id,
            channel,
            author,
            webhook: caller.webhook.clone(),
            content,
            embeds: draft.embeds,
            files,
            poll,
            flags: draft.flags,
            nonce: draft.nonce,
            reply_to: draft.reference,
            at: call.now,
            edited: false,
            is_gone: false,
        });
        &self.messages[self.messages.len() - 1]
    }

    fn place(&self, channel: &str, id: &str) -> Option<usize> {
        let is_it = |it: &Message| it.id == id && it.channel == channel && !it.is_gone;
        self.messages.iter().position(is_it)
    }

    /// What the caller may see there: a webhook only what it wrote.
    fn visible(&self, call: &Call, caller: &Caller, id: &str) -> Result<usize, Answer> {
        let channel = call.query("thread_id").unwrap_or(&caller.channel);
        let place = self.place(channel, id).ok_or_else(unknown_message)?;
        match caller.webhook.is_none() || self.messages[place].webhook == caller.webhook {
            true => Ok(place),
            false => Err(unknown_message()),
        }
    }

    /// The same, where only the author may change it.
    fn own(&self, call: &Call, caller: &Caller, id: &str) -> Result<usize, Answer> {
        let place = self.visible(call, caller, id)?;
        match self.messages[place].author["id"] == *caller.author {
            true => Ok(place),
            false => Err(refusal(403, 50_005, "Cannot edit a message authored by another user")),
        }
    }

    pub(super) fn read_one(&mut self, call: &Call, caller: &Caller, id: &str) -> Reply {
        let place = self.visible(call, caller, id)?;
        let body = self.messages[place].told(call);
        self.paced(call, caller, &READS, body)
    }

    /// The newest first.
    pub(super) fn list(&mut self, call: &Call, caller: &Caller) -> Reply {
        let known = ["limit", "after", "before"];
        if let Some((unknown, _)) =
            call.query.iter().find(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(invalid(&Flaw::new(unknown.as_str(), "is not known")));
        }
        let limit = call.query("limit").unwrap_or("50").parse::<usize>().ok();
        let limit = limit.filter(|limit| (1..=100).contains(limit));
        let limit = limit
            .ok_or_else(|| invalid(&Flaw::new("limit", "int value should be from 1 to 100")))?;
        let number = |name: &str| call.query(name).and_then(|id| id.parse::<u64>().ok());
        let (after, before) = (number("after"), number("before"));
        let is_within = |message: &&Message| {
            let id: u64 = message.id.parse().unwrap_or_default();
            after.is_none_or(|after| id > after) && before.is_none_or(|before| id < before)
        };
        let there = self.messages.iter().filter(|it| it.channel == caller.channel && !it.is_gone);
        let within: Vec<&Message> = there.filter(is_within).collect();
        // After an id those that follow it are given, else the last ones.
        let skipped = if after.is_some() { 0 } else { within.len().saturating_sub(limit) };
        let page = within.into_iter().skip(skipped).take(limit).rev();
        let body: Value = page.map(|message| message.told(call)).collect();
        self.paced(call, caller, &READS, body)
    }

    pub(super) fn edit(
        &mut self,
        call: &Call,
        caller: &Caller,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let rule = if caller.webhook.is_some() { &WEBHOOK } else { &CHANNEL };
        let reading = self.spend(call, caller, rule)?;
        let place = self.own(call, caller, id)?;
        let body = draft::body(call)?;
        let draft = draft::read(&body, caller.webhook.is_some())?;
        let listed = draft.attachments.as_deref();
        let added = files(call, listed.unwrap_or_default(), books)?;
        let message = &mut self.messages[place];
        // "the attachments array must contain all attachments that should be present after edit".
        if let Some(listed) = listed {
            message.files.retain(|file| listed.iter().any(|it| it.id == file.id));
        }
        message.files.extend(added);
        if let Some(content) = &draft.content {
            message.content = content.clone();
        }
        if body.get("embeds").is_some() {
            message.embeds.clone_from(&draft.embeds);
        }
        message.edited = true;
        let before = books.ledger.find(Platform::Discord, id).map(|entry| entry.face.clone());
        let new = face(&draft, &message.content);
        let face = Face { pieces: new.pieces, ..before.unwrap_or_default() };
        books.ledger.mark_edited(Platform::Discord, id, &message.content, face);
        let media = message.files.iter().map(File::media).collect();
        books.ledger.replace_media(Platform::Discord, id, media);
        let answer = Answer::json(200, &message.told(call));
        Ok(told(call, rule, &reading, answer))
    }

    pub(super) fn delete(
        &mut self,
        call: &Call,
        caller: &Caller,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let rule = if caller.webhook.is_some() { &WEBHOOK } else { &CHANNEL };
        let reading = self.spend(call, caller, rule)?;
        let place = self.own(call, caller, id)?;
        self.messages[place].is_gone = true;
        books.ledger.mark_deleted(Platform::Discord, id, call.now);
        Ok(told(call, rule, &reading, Answer::new(204, "application/json", "")))
    }
}

/// The files in this request, with what is said of them.
fn files(call: &Call, said: &[Attached], books: &mut Books) -> Result<Vec<File>, Answer> {
    let mut found = Vec::new();
    for field in call.fields.iter().filter(|field| field.name.starts_with("files[")) {
        let number = field.name["files[".len()..].trim_end_matches(']');
        let said = said.iter().find(|it| it.id == number);
        let full = |_| refusal(500, 0, "the sandbox is full");
        let kept = Kept::keep(books, vec![field.bytes.clone()]).map_err(full)?;
        found.push(File {
            id: books.chance.snowflake(call.now, EPOCH_MILLIS, 22).to_string(),
            name: field.file_name.clone().unwrap_or_default(),
            description: said.map(|it| it.description.clone()).unwrap_or_default(),
            kept,
        });
    }
    Ok(found)
}

fn face(draft: &Draft, content: &str) -> Face {
    let address = |range: std::ops::Range<usize>| {
        let url = content[range.clone()].to_owned();
        (range, url)
    };
    let links: Vec<_> = text::http_links(content).into_iter().map(address).collect();
    let mut marks = draft.buttons.clone();
    if draft.flags & 4_096 != 0 {
        marks.push("silent".to_owned());
    }
    if draft.flags & 4 != 0 {
        marks.push("without previews".to_owned());
    }
    if !draft.question.is_empty() {
        marks.push(format!("poll: {}", draft.question));
    }
    if let Some(name) = &draft.username {
        marks.push(format!("as {name}"));
    }
    let card = draft.embeds.first().map(|embed| {
        let text = |name: &str| embed[name].as_str().unwrap_or_default().to_owned();
        Card { url: text("url"), title: text("title"), description: text("description") }
    });
    let poll = draft.answers.clone();
    Face { pieces: text::pieces(content, &links), marks, card, poll, ..Face::default() }
}
