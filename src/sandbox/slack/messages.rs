//! Messages: posted, listed, changed, deleted (chat.postMessage and conversations.history, August
//! 2026), and those of incoming webhooks.

use serde_json::{Value, json};

use super::{
    Answer, Books, Bot, Call, HOOKS, MESSAGES, READS, Reply, Slack, bot_of, channels::Channel,
    last_four, no, ok,
};
use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::{Face, LedgerEntry, LedgerMedia},
        text,
    },
};

/// "Messages with more than 40,000 characters are truncated"; blocks at most so many.
const CHARS_MAX: usize = 40_000;
const BLOCKS_MAX: usize = 50;
const SECTION_CHARS_MAX: usize = 3_000;
const ELEMENTS_MAX: usize = 25;
const LABEL_CHARS_MAX: usize = 75;
const ADDRESS_CHARS_MAX: usize = 3_000;

pub(super) struct Message {
    team: usize,
    channel: String,
    time: String,
    /// With `&`, `<` and `>` as they were sent.
    text: String,
    blocks: Value,
    metadata: Value,
    files: Vec<String>,
    thread: Option<String>,
    is_broadcast: bool,
    shown: Timestamp,
    is_edited: bool,
    is_gone: bool,
}

#[derive(Default)]
pub(super) struct Draft {
    /// As readers see it.
    pub(super) text: String,
    pub(super) sent: String,
    pub(super) blocks: Value,
    pub(super) buttons: Vec<String>,
    pub(super) metadata: Value,
    pub(super) media: Vec<LedgerMedia>,
    pub(super) files: Vec<String>,
    pub(super) thread: Option<String>,
    pub(super) is_broadcast: bool,
    pub(super) has_no_previews: bool,
}

impl Message {
    fn told(&self, team: &str, with_metadata: bool) -> Value {
        let mut told = json!({ "type": "message", "ts": self.time, "text": self.text,
            "user": super::user_of(team), "bot_id": bot_of(team), "team": team });
        if !self.blocks.is_null() {
            told["blocks"] = self.blocks.clone();
        }
        if with_metadata && !self.metadata.is_null() {
            told["metadata"] = self.metadata.clone();
        }
        if let Some(thread) = &self.thread {
            told["thread_ts"] = json!(thread);
        }
        if !self.files.is_empty() {
            let files = self.files.iter().map(|id| json!({ "id": id }));
            told["files"] = files.collect();
        }
        if self.is_edited {
            told["edited"] = json!({ "user": super::user_of(team), "ts": self.time });
        }
        told
    }
}

impl Slack {
    pub(super) fn message(&self, channel: &str, time: &str) -> Option<&Message> {
        self.messages.iter().find(|it| it.channel == channel && it.time == time && !it.is_gone)
    }

    pub(super) fn may_write(
        &mut self,
        channel: &Channel,
        bot: &Bot,
        call: &Call,
    ) -> Result<(), Answer> {
        Slack::demand(bot, "chat:write")?;
        if channel.is_archived {
            return Err(no("is_archived"));
        }
        if !channel.is_member && !bot.scopes.iter().any(|scope| scope == "chat:write.public") {
            return Err(no("not_in_channel"));
        }
        self.spend(&channel.id, &MESSAGES, call)
    }

    /// The message that is to be answered.
    pub(super) fn thread(
        &self,
        given: &Value,
        channel: &Channel,
    ) -> Result<Option<String>, Answer> {
        let Some(time) = given["thread_ts"].as_str() else { return Ok(None) };
        match self.message(&channel.id, time) {
            Some(root) => Ok(Some(root.thread.clone().unwrap_or_else(|| root.time.clone()))),
            None => Err(no("thread_not_found")),
        }
    }

    pub(super) fn post(
        &mut self,
        given: &Value,
        bot: &Bot,
        call: &Call,
        books: &mut Books,
    ) -> Reply {
        let channel = self.channel(given, "channel")?;
        let mut draft = draft(given)?;
        if let Some(metadata) = given.get("metadata") {
            let is_right =
                metadata["event_type"].is_string() && metadata["event_payload"].is_object();
            if !is_right {
                return Err(no("invalid_metadata_format"));
            }
            draft.metadata = metadata.clone();
        }
        draft.thread = self.thread(given, &channel)?;
        draft.is_broadcast = draft.thread.is_some() && given["reply_broadcast"] == true;
        self.may_write(&channel, bot, call)?;
        let time = self.keep(draft, &channel, bot, (call, call.now), books);
        let team = &self.teams.get(bot.team).id;
        let message = self.message(&channel.id, &time).map(|message| message.told(team, true));
        Ok(ok(json!({ "channel": channel.id, "ts": time, "message": message })))
    }

    /// The message's time, which is its name.
    pub(super) fn keep(
        &mut self,
        draft: Draft,
        channel: &Channel,
        bot: &Bot,
        (call, shown): (&Call, Timestamp),
        books: &mut Books,
    ) -> String {
        let time = self.next_time(shown.0.saturating_mul(1_000));
        let key = draft.metadata["event_payload"]["key"].as_str().map(str::to_owned);
        let place = format!("{}/archives/{}", call.base, channel.id);
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Slack,
            account: channel.id.clone(),
            handle: channel.handle(),
            id: time.clone(),
            url: format!("{place}/p{}", time.replace('.', "")),
            text: draft.text.clone(),
            media: draft.media.clone(),
            reply_to: draft.thread.clone(),
            idempotency_key: key,
            deleted_at: None,
            face: face(&draft),
        });
        self.messages.push(Message {
            team: bot.team,
            channel: channel.id.clone(),
            time: time.clone(),
            text: draft.sent,
            blocks: draft.blocks,
            metadata: draft.metadata,
            files: draft.files,
            thread: draft.thread,
            is_broadcast: draft.is_broadcast,
            shown,
            is_edited: false,
            is_gone: false,
        });
        time
    }

    pub(super) fn history(&mut self, given: &Value, bot: &Bot, call: &Call) -> Reply {
        let channel = self.readable(given, bot, call)?;
        let is_in =
            |it: &&Message| it.channel == channel.id && (it.thread.is_none() || it.is_broadcast);
        let mut found = self.within(given, call, is_in)?;
        found.reverse();
        self.page(given, found, bot)
    }

    pub(super) fn replies(&mut self, given: &Value, bot: &Bot, call: &Call) -> Reply {
        let channel = self.readable(given, bot, call)?;
        let root = given["ts"].as_str().unwrap_or_default().to_owned();
        if self.message(&channel.id, &root).is_none() {
            return Err(no("thread_not_found"));
        }
        let is_in = |it: &&Message| {
            it.channel == channel.id && (it.time == root || it.thread.as_ref() == Some(&root))
        };
        let found = self.within(given, call, is_in)?;
        self.page(given, found, bot)
    }

    fn readable(&mut self, given: &Value, bot: &Bot, call: &Call) -> Result<Channel, Answer> {
        let channel = self.channel(given, "channel")?;
        let scope = if channel.is_private { "groups:history" } else { "channels:history" };
        Slack::demand(bot, scope)?;
        if !channel.is_member {
            return Err(no("not_in_channel"));
        }
        self.spend(&format!("history {}", bot.team), &READS, call)?;
        Ok(channel)
    }

    /// Oldest first.
    fn within(
        &self,
        given: &Value,
        call: &Call,
        is_in: impl Fn(&&Message) -> bool,
    ) -> Result<Vec<&Message>, Answer> {
        let bound = |name: &str, otherwise: u64| match given[name].as_str() {
            None => Ok(otherwise),
            Some(text) => micros(text).ok_or_else(|| no("invalid_arguments")),
        };
        let (oldest, latest) = (bound("oldest", 0)?, bound("latest", u64::MAX)?);
        let inclusive = given["inclusive"] == "true";
        let mut found: Vec<&Message> = self
            .messages
            .iter()
            .filter(|it| !it.is_gone && it.shown <= call.now)
            .filter(is_in)
            .filter(|it| {
                let time = micros(&it.time).unwrap_or_default();
                let is_edge = time == oldest || time == latest;
                if is_edge { inclusive } else { oldest < time && time < latest }
            })
            .collect();
        found.sort_by(|one, other| one.time.cmp(&other.time));
        Ok(found)
    }

    fn page(&self, given: &Value, found: Vec<&Message>, bot: &Bot) -> Reply {
        let limit = given["limit"].as_str().map_or(Ok(100), str::parse::<usize>);
        let limit = limit.ok().filter(|limit| (1..=999).contains(limit));
        let limit = limit.ok_or_else(|| no("invalid_limit"))?;
        let with_metadata = given["include_all_metadata"] == "true";
        let team = &self.teams.get(bot.team).id;
        let has_more = found.len() > limit;
        let page = found.into_iter().take(limit);
        let messages: Vec<Value> = page.map(|it| it.told(team, with_metadata)).collect();
        Ok(ok(json!({ "messages": messages, "has_more": has_more })))
    }

    fn own(&mut self, given: &Value, bot: &Bot, wrong: &str) -> Result<usize, Answer> {
        let channel = self.channel(given, "channel")?;
        let time = given["ts"].as_str().unwrap_or_default();
        let place = self
            .messages
            .iter()
            .position(|it| it.channel == channel.id && it.time == time && !it.is_gone)
            .ok_or_else(|| no("message_not_found"))?;
        match self.messages[place].team == bot.team {
            true => Ok(place),
            false => Err(no(wrong)),
        }
    }

    pub(super) fn update(
        &mut self,
        given: &Value,
        bot: &Bot,
        call: &Call,
        books: &mut Books,
    ) -> Reply {
        Slack::demand(bot, "chat:write")?;
        let place = self.own(given, bot, "cant_update_message")?;
        let draft = draft(given)?;
        let channel = self.messages[place].channel.clone();
        self.spend(&format!("update {channel}"), &READS, call)?;
        let message = &mut self.messages[place];
        message.text.clone_from(&draft.sent);
        message.is_edited = true;
        if !draft.blocks.is_null() {
            message.blocks = draft.blocks.clone();
        }
        let (time, has_blocks) = (message.time.clone(), !message.blocks.is_null());
        // Where there are blocks, they are what is shown.
        if !has_blocks || !draft.blocks.is_null() {
            books.ledger.mark_edited(Platform::Slack, &time, &draft.text, face(&draft));
        }
        Ok(ok(json!({ "channel": channel, "ts": time, "text": draft.sent })))
    }

    pub(super) fn delete(
        &mut self,
        given: &Value,
        bot: &Bot,
        call: &Call,
        books: &mut Books,
    ) -> Reply {
        Slack::demand(bot, "chat:write")?;
        let place = self.own(given, bot, "cant_delete_message")?;
        let message = &mut self.messages[place];
        message.is_gone = true;
        books.ledger.mark_deleted(Platform::Slack, &message.time, call.now);
        Ok(ok(json!({ "channel": message.channel, "ts": message.time })))
    }

    /// `T…/B…/secret`: a text, and nothing that could be found again.
    pub(super) fn hook(
        &mut self,
        call: &Call,
        (team, hook, secret): (&str, &str, &str),
        books: &mut Books,
    ) -> Reply {
        let said = |status: u16, text: &'static str| Answer::new(status, "text/html", text);
        let is_word =
            |text: &str| text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_one = team.starts_with('T') && hook.starts_with('B');
        if !is_one || !is_word(team) || !is_word(hook) || !is_word(secret) {
            return Err(said(403, "invalid_token"));
        }
        if self.revoked.contains(&format!("{team}/{hook}")) {
            return Err(said(404, "no_service"));
        }
        if hook.contains("GONE") {
            return Err(said(410, "channel_is_archived"));
        }
        let given = call.json().filter(Value::is_object);
        let given = given.ok_or_else(|| said(400, "invalid_payload"))?;
        let draft = draft(&given).map_err(|refused| match refused.said()["error"].as_str() {
            Some("no_text") => said(400, "no_text"),
            _ => said(400, "invalid_blocks"),
        })?;
        self.spend(hook, &HOOKS, call)?;
        let time = self.next_time(call.now.0.saturating_mul(1_000));
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Slack,
            account: format!("{team}/{hook}"),
            handle: format!("hook-{}", last_four(hook)),
            id: time,
            url: format!("{}/client/{team}", call.base),
            text: draft.text.clone(),
            media: Vec::new(),
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
            face: face(&draft),
        });
        Ok(said(200, "ok"))
    }
}

fn draft(given: &Value) -> Result<Draft, Answer> {
    let sent = given["text"].as_str().unwrap_or_default().to_owned();
    let blocks = given["blocks"].clone();
    if sent.is_empty() && blocks.as_array().is_none_or(Vec::is_empty) {
        return Err(no("no_text"));
    }
    if sent.chars().count() > CHARS_MAX {
        return Err(no("msg_too_long"));
    }
    let (mut shown, mut buttons) = (sent.clone(), Vec::new());
    if !blocks.is_null() {
        let list = blocks.as_array().filter(|list| list.len() <= BLOCKS_MAX);
        let list = list.ok_or_else(|| no("invalid_blocks_format"))?;
        shown.clear();
        for block in list {
            read_block(block, &mut shown, &mut buttons).ok_or_else(|| no("invalid_blocks"))?;
        }
    }
    let has_no_previews = given["unfurl_links"] == false;
    Ok(Draft {
        text: unescaped(&shown),
        sent,
        blocks,
        buttons,
        has_no_previews,
        ..Draft::default()
    })
}

/// Sections and buttons; Slack has more.
fn read_block(block: &Value, shown: &mut String, buttons: &mut Vec<String>) -> Option<()> {
    match block["type"].as_str()? {
        "section" => {
            let text = &block["text"];
            text["type"].as_str().filter(|kind| ["mrkdwn", "plain_text"].contains(kind))?;
            let text = text["text"].as_str().filter(|text| !text.is_empty())?;
            if text.chars().count() > SECTION_CHARS_MAX {
                return None;
            }
            shown.push_str(text);
        }
        "actions" => {
            let elements = block["elements"].as_array()?;
            if elements.is_empty() || elements.len() > ELEMENTS_MAX {
                return None;
            }
            for element in elements {
                (element["type"] == "button" && element["text"]["type"] == "plain_text")
                    .then_some(())?;
                let label = element["text"]["text"].as_str()?;
                let url = element["url"].as_str()?;
                let fits = (1..=LABEL_CHARS_MAX).contains(&label.chars().count())
                    && url.chars().count() <= ADDRESS_CHARS_MAX;
                fits.then_some(())?;
                buttons.push(format!("[{label}] {url}"));
            }
        }
        _ => return None,
    }
    Some(())
}

/// "Replace the ampersand, less-than and greater-than": what stands there unreplaced would be taken
/// for a mention or a link.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn face(draft: &Draft) -> Face {
    let address = |range: std::ops::Range<usize>| {
        let url = draft.text[range.clone()].to_owned();
        (range, url)
    };
    let links: Vec<_> = text::http_links(&draft.text).into_iter().map(address).collect();
    let mut marks = draft.buttons.clone();
    if draft.has_no_previews {
        marks.push("without previews".to_owned());
    }
    if draft.is_broadcast {
        marks.push("also in the channel".to_owned());
    }
    Face { pieces: text::pieces(&draft.text, &links), marks, ..Face::default() }
}

/// `1503435956.000247` in millionths.
fn micros(time: &str) -> Option<u64> {
    let (seconds, rest) = time.split_once('.').unwrap_or((time, "0"));
    let rest = format!("{rest:0<6}");
    let rest: u64 = rest.get(..6)?.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(rest)
}
