//! Files: a place is reserved, the bytes are sent there, and all of a message are completed at once
//! (<https://docs.slack.dev/messaging/working-with-files>, 2026-08).
//!
//! A file that is not completed is known to nobody. "The file is shared asynchronously": its
//! message is there at once, and the file tells of it some moments later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        kept::Kept,
        ledger::LedgerMedia,
        wire::{Answer, Call},
        world::Books,
    },
};

use super::{Bot, Given, MESSAGES, Reply, Slack, fine, messages, messages::Draft, no, wrong};

const BYTES_MAX: u64 = 1_000_000_000;
const ALT_CHARS_MAX: usize = 1_000;

const SHARES_AFTER: Duration = Duration::from_secs(2);

pub(super) struct File {
    workspace: usize,
    /// The last part of the address that its bytes go to.
    place: String,
    name: String,
    title: String,
    alt: String,
    length: u64,
    kept: Option<Kept>,
    completed: Option<Timestamp>,
    is_gone: bool,
}

impl Slack {
    pub(super) fn reserve(
        &mut self,
        call: &Call,
        given: &Given,
        bot: &Bot,
        books: &mut Books,
    ) -> Reply {
        given.only(&["alt_txt", "filename", "length", "snippet_type"])?;
        let (name, alt) = (given.text("filename")?, given.text("alt_txt")?);
        let length = given.whole("length")?.unwrap_or(0);
        if name.is_empty() || length == 0 {
            return Err(wrong("missing_argument", "[ERROR] filename and length are needed"));
        }
        if length > BYTES_MAX {
            return Err(no("file_upload_size_restricted"));
        }
        if alt.chars().count() > ALT_CHARS_MAX {
            return Err(no("alt_txt_too_large"));
        }
        let id = format!("F{}", books.chance.base32(10).to_ascii_uppercase());
        let place = books.chance.word(40);
        let url = format!("{}/upload/v1/{place}", call.base);
        let file = File {
            workspace: bot.workspace,
            place,
            name: name.to_owned(),
            title: String::new(),
            alt: alt.to_owned(),
            length,
            kept: None,
            completed: None,
            is_gone: false,
        };
        self.files.insert(id.clone(), file);
        Ok(fine(json!({ "upload_url": url, "file_id": id })))
    }

    /// Raw bytes, or a form with one file in it.
    pub(super) fn upload(&mut self, call: &Call, place: &str, books: &mut Books) -> Reply {
        let said = |status: u16, words: String| Answer::new(status, "text/plain", words);
        let file = self.files.values_mut().find(|it| it.place == place && it.completed.is_none());
        let Some(file) = file else { return Err(said(404, "Not Found".to_owned())) };
        let bytes = call.fields.first().map_or(&call.body, |field| &field.bytes).clone();
        if bytes.len() as u64 != file.length {
            return Err(said(400, "the length is not the one that was announced".to_owned()));
        }
        let size = bytes.len();
        let kept = Kept::keep(books, vec![bytes]);
        file.kept = Some(kept.map_err(|_| said(500, "the sandbox is full".to_owned()))?);
        Ok(said(200, format!("OK - {size}")))
    }

    pub(super) fn complete(
        &mut self,
        call: &Call,
        given: &Given,
        bot: &Bot,
        books: &mut Books,
    ) -> Reply {
        given.only(&["channel_id", "files", "initial_comment", "thread_ts"])?;
        let files = given.value("files").and_then(Value::as_array).filter(|all| !all.is_empty());
        let Some(files) = files else {
            return Err(wrong("invalid_arguments", "[ERROR] missing required field: files"));
        };
        let mut ids: Vec<String> = Vec::new();
        for file in files {
            let id = file["id"].as_str().unwrap_or_default();
            let is_ready = |it: &&File| {
                it.workspace == bot.workspace && it.kept.is_some() && it.completed.is_none()
            };
            if self.files.get(id).filter(is_ready).is_none() || ids.iter().any(|it| it == id) {
                return Err(no("file_not_found"));
            }
            ids.push(id.to_owned());
        }
        let channel = match given.text("channel_id")? {
            "" => None,
            id => Some(self.writable(bot, id)?),
        };
        // A file is shared by members only, whatever else a bot may do in public channels.
        if channel.as_ref().is_some_and(|channel| !channel.is_member) {
            return Err(no("not_in_channel"));
        }
        let thread = match &channel {
            Some(channel) => self.thread(given, channel)?,
            None => None,
        };
        if let Some(channel) = &channel {
            self.spend(&channel.id, &MESSAGES, call)?;
        }
        for (id, said) in ids.iter().zip(files) {
            let Some(file) = self.files.get_mut(id) else { continue };
            let title = said["title"].as_str().filter(|title| !title.is_empty());
            file.title = title.unwrap_or(&file.name).to_owned();
            file.completed = Some(call.now);
        }
        if let Some(channel) = &channel {
            let place = self.place(bot, channel, thread, false);
            let draft = Draft::of_comment(given.text("initial_comment")?);
            self.keep(call, &place, draft, ids.clone(), books);
        }
        let told = |id: &String| json!({ "id": id, "title": self.files[id].title });
        Ok(fine(json!({ "files": ids.iter().map(told).collect::<Vec<_>>() })))
    }

    fn completed(&self, given: &Given, bot: &Bot) -> Result<String, Answer> {
        let id = given.needed("file")?;
        let known = |it: &&File| it.workspace == bot.workspace && it.completed.is_some();
        match self.files.get(id).filter(known) {
            Some(file) if file.is_gone => Err(no("file_deleted")),
            Some(_) => Ok(id.to_owned()),
            None => Err(no("file_not_found")),
        }
    }

    pub(super) fn told_file(&mut self, call: &Call, given: &Given, bot: &Bot) -> Reply {
        given.only(&["cursor", "file", "limit"])?;
        let id = self.completed(given, bot)?;
        let file = &self.files[&id];
        let mut shares = json!({});
        if file.completed.is_some_and(|at| at.after(SHARES_AFTER) <= call.now) {
            for message in self.messages.iter().filter(|it| it.files.contains(&id) && !it.is_gone) {
                let kind = if message.channel.starts_with('G') { "private" } else { "public" };
                let share = json!({ "ts": messages::written(message.time) });
                shares[kind][&message.channel] = json!([share]);
            }
        }
        let kept = file.kept.as_ref();
        let told = json!({ "id": id, "name": file.name, "title": file.title,
            "mimetype": kept.map(|kept| kept.mime), "size": file.length, "alt_txt": file.alt,
            "url_private": kept.map(|kept| kept.address(call)), "shares": shares });
        Ok(fine(json!({ "file": told })))
    }

    /// Gone from the messages that showed it, which stay.
    pub(super) fn delete_file(&mut self, given: &Given, bot: &Bot, books: &mut Books) -> Reply {
        given.only(&["file"])?;
        let id = self.completed(given, bot)?;
        if let Some(file) = self.files.get_mut(&id) {
            file.is_gone = true;
        }
        for at in 0..self.messages.len() {
            if !self.messages[at].files.contains(&id) {
                continue;
            }
            self.messages[at].files.retain(|file| *file != id);
            let message = &self.messages[at];
            let media = message.files.iter().filter_map(|file| self.media(file)).collect();
            let entry = format!("{}/{}", message.channel, messages::written(message.time));
            books.ledger.replace_media(Platform::Slack, &entry, media);
        }
        Ok(fine(json!({})))
    }

    pub(super) fn media(&self, id: &str) -> Option<LedgerMedia> {
        let file = self.files.get(id)?;
        let kept = file.kept.as_ref()?;
        let kind = match kept.mime {
            "image/gif" => "gif",
            mime if mime.starts_with("image/") => "image",
            mime if mime.starts_with("video/") => "video",
            mime if mime.starts_with("audio/") => "audio",
            _ => "document",
        };
        Some(LedgerMedia { kind, ..kept.for_ledger(&file.alt) })
    }
}
