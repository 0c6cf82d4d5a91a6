//! Messages: written, changed, taken down, listed.

use serde_json::{Value, json};

use crate::sandbox::{
    Platform,
    ledger::{Face, LedgerEntry},
    text,
    wire::{Answer, Call},
    world::Books,
};

use super::{
    Bot, Given, MESSAGES, Reply, Slack, blocks, fine, no,
    places::{Channel, time},
    signin::bot_id,
    words::shown,
    wrong,
};

/// "Text … truncated above 40,000"; a change is refused above 4,000.
const TEXT_CHARS_MAX: usize = 40_000;
const UPDATE_CHARS_MAX: usize = 4_000;

const METADATA_BYTES_MAX: usize = 8_000;

pub(super) struct Message {
    pub(super) channel: String,
    pub(super) time: u64,
    /// Of the message that it answers.
    thread: Option<u64>,
    is_broadcast: bool,
    /// Empty for a webhook's.
    bot: String,
    team: String,
    text: String,
    blocks: Value,
    metadata: Value,
    pub(super) files: Vec<String>,
    is_edited: bool,
    pub(super) is_gone: bool,
}

/// What a message is to say, read from the arguments of a call or of a webhook.
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) blocks: Value,
    metadata: Value,
    pub(super) buttons: Vec<String>,
    /// Of the blocks, which are what is shown where there are any.
    seen: String,
    unfurls: bool,
}

/// Where it goes, and by whom.
pub(super) struct Place {
    pub(super) channel: String,
    pub(super) team: String,
    /// Empty for a webhook.
    pub(super) bot: String,
    pub(super) account: String,
    pub(super) handle: String,
    pub(super) thread: Option<u64>,
    pub(super) is_broadcast: bool,
}

pub(super) const ARGUMENTS: &[&str] = &[
    "attachments",
    "blocks",
    "channel",
    "link_names",
    "markdown_text",
    "metadata",
    "mrkdwn",
    "parse",
    "reply_broadcast",
    "text",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
];

impl Draft {
    pub(super) fn read(given: &Given) -> Result<Draft, Answer> {
        let markdown = given.text("markdown_text")?;
        let mut text = given.text("text")?.to_owned();
        let blocks = given.value("blocks").cloned().unwrap_or(Value::Null);
        if !markdown.is_empty() {
            if !text.is_empty() || !blocks.is_null() {
                return Err(no("markdown_text_conflict"));
            }
            markdown.clone_into(&mut text);
        }
        let seen = match blocks.is_null() {
            true => blocks::Seen::default(),
            false => blocks::read(&blocks).map_err(|(code, flaw)| wrong(code, &flaw))?,
        };
        let has_attachments = given.value("attachments").is_some();
        if has_attachments {
            return Err(wrong("invalid_arguments", "[ERROR] attachments are unknown here"));
        }
        if text.trim().is_empty() && seen.text.is_empty() {
            return Err(no("no_text"));
        }
        Ok(Draft {
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
            blocks,
            metadata: metadata(given)?,
            buttons: seen.buttons,
            seen: seen.text,
            unfurls: given.flag("unfurl_links")?.or(given.flag("unfurl_media")?) != Some(false),
        })
    }

    /// With files below it.
    pub(super) fn of_comment(text: &str) -> Draft {
        Draft {
            text: text.to_owned(),
            blocks: Value::Null,
            metadata: Value::Null,
            buttons: Vec::new(),
            seen: String::new(),
            unfurls: true,
        }
    }

    fn face(&self) -> (String, Face) {
        let mut marks = self.buttons.clone();
        if !self.unfurls {
            marks.push("without previews".to_owned());
        }
        let (text, links) = match self.seen.is_empty() {
            true => {
                let shown = shown(&self.text);
                (shown.text, shown.links)
            }
            false => (self.seen.clone(), Vec::new()),
        };
        let pieces = text::pieces(&text, &links);
        (text, Face { pieces, marks, ..Face::default() })
    }
}

fn metadata(given: &Given) -> Result<Value, Answer> {
    let Some(metadata) = given.value("metadata") else { return Ok(Value::Null) };
    let is_whole = metadata["event_type"].as_str().is_some_and(|kind| !kind.is_empty())
        && metadata["event_payload"].is_object();
    if !is_whole {
        return Err(no("invalid_metadata_format"));
    }
    match metadata.to_string().len() > METADATA_BYTES_MAX {
        true => Err(no("metadata_too_large")),
        false => Ok(metadata.clone()),
    }
}

pub(super) fn written(time: u64) -> String {
    format!("{:010}.{:06}", time / 1_000_000, time % 1_000_000)
}

impl Message {
    fn told(&self, with_metadata: bool) -> Value {
        let mut told = json!({ "type": "message", "text": self.text, "ts": written(self.time),
            "team": self.team, "bot_id": self.bot, "app_id": "A0FANFARE",
            "user": format!("U{}", self.bot.get(1..).unwrap_or_default()) });
        if let Some(thread) = self.thread {
            told["thread_ts"] = json!(written(thread));
        }
        if self.is_broadcast {
            told["subtype"] = json!("thread_broadcast");
        }
        if !self.blocks.is_null() {
            told["blocks"] = self.blocks.clone();
        }
        if with_metadata && !self.metadata.is_null() {
            told["metadata"] = self.metadata.clone();
        }
        if !self.files.is_empty() {
            told["files"] = self.files.iter().map(|id| json!({ "id": id })).collect();
        }
        if self.is_edited {
            told["edited"] = json!({ "user": told["user"], "ts": told["ts"] });
        }
        told
    }
}

impl Slack {
    pub(super) fn post(
        &mut self,
        call: &Call,
        given: &Given,
        bot: &Bot,
        books: &mut Books,
    ) -> Reply {
        given.only(ARGUMENTS)?;
        let channel = self.writable(bot, given.needed("channel")?)?;
        let thread = self.thread(given, &channel)?;
        let is_broadcast = given.flag("reply_broadcast")? == Some(true) && thread.is_some();
        let draft = Draft::read(given)?;
        self.spend(&channel.id, &MESSAGES, call)?;
        let place = self.place(bot, &channel, thread, is_broadcast);
        let message = self.keep(call, &place, draft, Vec::new(), books);
        let told = self.messages[message].told(true);
        Ok(fine(json!({ "channel": channel.id, "ts": told["ts"], "message": told })))
    }

    /// The message that is answered, which has to be the first of its thread.
    pub(super) fn thread(&self, given: &Given, channel: &Channel) -> Result<Option<u64>, Answer> {
        let Some(time) = time(given, "thread_ts", "invalid_arguments")? else { return Ok(None) };
        let answered = self.find(&channel.id, time);
        match answered.is_some_and(|place| self.messages[place].thread.is_none()) {
            true => Ok(Some(time)),
            false => Err(no("cannot_reply_to_message")),
        }
    }

    pub(super) fn place(
        &self,
        bot: &Bot,
        channel: &Channel,
        thread: Option<u64>,
        is_broadcast: bool,
    ) -> Place {
        let team = &self.workspaces[bot.workspace].team;
        Place {
            channel: channel.id.clone(),
            team: team.clone(),
            bot: bot_id(team),
            account: channel.id.clone(),
            handle: format!("#{}", channel.name),
            thread,
            is_broadcast,
        }
    }

    /// Which message it became.
    pub(super) fn keep(
        &mut self,
        call: &Call,
        place: &Place,
        draft: Draft,
        files: Vec<String>,
        books: &mut Books,
    ) -> usize {
        self.last = (call.now.0 * 1_000).max(self.last + 1);
        let time = self.last;
        let (text, face) = draft.face();
        let id = |time: u64| format!("{}/{}", place.channel, written(time));
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Slack,
            account: place.account.clone(),
            handle: place.handle.clone(),
            id: id(time),
            url: address(call, &place.channel, time, place.thread),
            text,
            media: files.iter().filter_map(|file| self.media(file)).collect(),
            reply_to: place.thread.map(id),
            idempotency_key: None,
            deleted_at: None,
            face,
        });
        self.messages.push(Message {
            channel: place.channel.clone(),
            time,
            thread: place.thread,
            is_broadcast: place.is_broadcast,
            bot: place.bot.clone(),
            team: place.team.clone(),
            text: draft.text,
            blocks: draft.blocks,
            metadata: draft.metadata,
            files,
            is_edited: false,
            is_gone: false,
        });
        self.messages.len() - 1
    }

    fn find(&self, channel: &str, time: u64) -> Option<usize> {
        let is_it = |it: &Message| it.channel == channel && it.time == time && !it.is_gone;
        self.messages.iter().position(is_it)
    }

    /// The message that is named, if this bot wrote it.
    fn own(&mut self, given: &Given, bot: &Bot, code: &str) -> Result<usize, Answer> {
        let channel = self.channel(bot, given.needed("channel")?)?;
        let found = time(given, "ts", "message_not_found")?;
        let found = found.and_then(|time| self.find(&channel.id, time));
        let found = found.ok_or_else(|| no("message_not_found"))?;
        let own = bot_id(&self.workspaces[bot.workspace].team);
        match self.messages[found].bot == own {
            true => Ok(found),
            false => Err(no(code)),
        }
    }

    /// "If you don't include `blocks`, the message's previous blocks will be retained"; they are
    /// what is shown.
    pub(super) fn update(&mut self, given: &Given, bot: &Bot, books: &mut Books) -> Reply {
        given.only(&["blocks", "channel", "link_names", "metadata", "parse", "text", "ts"])?;
        let found = self.own(given, bot, "cant_update_message")?;
        let mut draft = Draft::read(given)?;
        if draft.text.chars().count() > UPDATE_CHARS_MAX {
            return Err(no("msg_too_long"));
        }
        let message = &mut self.messages[found];
        if draft.blocks.is_null() && !message.blocks.is_null() {
            draft.blocks = message.blocks.clone();
            let seen = blocks::read(&draft.blocks).map_err(|(code, flaw)| wrong(code, &flaw))?;
            (draft.seen, draft.buttons) = (seen.text, seen.buttons);
        }
        message.text.clone_from(&draft.text);
        message.blocks.clone_from(&draft.blocks);
        if given.value("metadata").is_some() {
            message.metadata.clone_from(&draft.metadata);
        }
        message.is_edited = true;
        let (text, face) = draft.face();
        let id = format!("{}/{}", message.channel, written(message.time));
        books.ledger.mark_edited(Platform::Slack, &id, &text, face);
        let told = message.told(true);
        let body = json!({ "channel": message.channel, "ts": told["ts"], "text": told["text"],
            "message": told });
        Ok(fine(body))
    }

    pub(super) fn delete(
        &mut self,
        call: &Call,
        given: &Given,
        bot: &Bot,
        books: &mut Books,
    ) -> Reply {
        given.only(&["channel", "ts"])?;
        let found = self.own(given, bot, "cant_delete_message")?;
        let message = &mut self.messages[found];
        message.is_gone = true;
        let (channel, time) = (message.channel.clone(), written(message.time));
        let id = format!("{channel}/{time}");
        books.ledger.mark_deleted(Platform::Slack, &id, call.now);
        Ok(fine(json!({ "channel": channel, "ts": time })))
    }

    pub(super) fn link(&mut self, call: &Call, given: &Given, bot: &Bot) -> Reply {
        given.only(&["channel", "message_ts"])?;
        let channel = self.channel(bot, given.needed("channel")?)?;
        let found = time(given, "message_ts", "message_not_found")?;
        let found = found.and_then(|time| self.find(&channel.id, time));
        let message = &self.messages[found.ok_or_else(|| no("message_not_found"))?];
        let link = address(call, &channel.id, message.time, message.thread);
        Ok(fine(json!({ "channel": channel.id, "permalink": link })))
    }

    /// The newest first; of threads, only what was shown in the channel too.
    pub(super) fn history(&mut self, given: &Given, bot: &Bot) -> Reply {
        given.only(LISTING)?;
        let channel = self.readable(bot, given.needed("channel")?)?;
        let range = Range::read(given)?;
        let is_there = |it: &&Message| {
            it.channel == channel.id
                && !it.is_gone
                && (it.thread.is_none() || it.is_broadcast)
                && range.holds(it.time)
        };
        let all: Vec<&Message> = self.messages.iter().filter(is_there).rev().collect();
        Ok(range.page(&all))
    }

    /// The first message of the thread, then its answers, oldest first.
    pub(super) fn replies(&mut self, given: &Given, bot: &Bot) -> Reply {
        let mut known = LISTING.to_vec();
        known.push("ts");
        given.only(&known)?;
        let channel = self.readable(bot, given.needed("channel")?)?;
        let range = Range::read(given)?;
        let root = time(given, "ts", "thread_not_found")?;
        let root = root.and_then(|time| self.find(&channel.id, time));
        let root = &self.messages[root.ok_or_else(|| no("thread_not_found"))?];
        let is_there = |it: &&Message| {
            it.channel == channel.id
                && !it.is_gone
                && (it.time == root.time || it.thread == Some(root.time) && range.holds(it.time))
        };
        let all: Vec<&Message> = self.messages.iter().filter(is_there).collect();
        Ok(range.page(&all))
    }
}

const LISTING: &[&str] =
    &["channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"];

struct Range {
    oldest: u64,
    latest: u64,
    is_inclusive: bool,
    limit: usize,
    with_metadata: bool,
}

impl Range {
    fn read(given: &Given) -> Result<Range, Answer> {
        if !given.text("cursor")?.is_empty() {
            return Err(no("invalid_cursor"));
        }
        let limit = given.whole("limit")?.unwrap_or(100);
        if !(1..1_000).contains(&limit) {
            return Err(wrong("invalid_arguments", "[ERROR] limit must be 1 to 999"));
        }
        Ok(Range {
            oldest: time(given, "oldest", "invalid_ts_oldest")?.unwrap_or(0),
            latest: time(given, "latest", "invalid_ts_latest")?.unwrap_or(u64::MAX),
            is_inclusive: given.flag("inclusive")? == Some(true),
            limit: usize::try_from(limit).unwrap_or_default(),
            with_metadata: given.flag("include_all_metadata")? == Some(true),
        })
    }

    /// "Include messages with oldest or latest timestamps in results."
    fn holds(&self, time: u64) -> bool {
        (self.oldest < time && time < self.latest)
            || self.is_inclusive && (time == self.oldest || time == self.latest)
    }

    fn page(&self, all: &[&Message]) -> Answer {
        let page: Vec<Value> =
            all.iter().take(self.limit).map(|it| it.told(self.with_metadata)).collect();
        fine(json!({ "messages": page, "has_more": all.len() > self.limit, "pin_count": 0 }))
    }
}

/// As `chat.getPermalink` answers it.
fn address(call: &Call, channel: &str, time: u64, thread: Option<u64>) -> String {
    let digits = written(time).replace('.', "");
    let place = format!("{}/archives/{channel}/p{digits}", call.base);
    match thread {
        Some(root) => format!("{place}?thread_ts={}&cid={channel}", written(root)),
        None => place,
    }
}
