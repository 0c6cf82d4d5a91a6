//! Files: a place, the bytes, and then a message that shows them (working-with-files, August 2026).

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Answer, Books, Bot, Call, READS, Reply, Slack,
    messages::{Draft, unescaped},
    no, ok,
};
use crate::{
    domain::time::Timestamp,
    sandbox::{kept::Kept, ledger::LedgerMedia},
};

const BYTES_MAX: u64 = 1_000_000_000;

/// "The file is shared asynchronously": after so long the message is there.
const SHARED_AFTER: Duration = Duration::from_secs(1);

pub(super) struct Stored {
    team: usize,
    place: String,
    name: String,
    alt: String,
    length: u64,
    kept: Option<Kept>,
    /// Where it is shown: channel, whether that is private, message, from when on.
    shares: Vec<(String, bool, String, Timestamp)>,
    is_complete: bool,
    is_gone: bool,
}

impl Stored {
    pub(super) fn media(&self) -> Option<LedgerMedia> {
        let kept = self.kept.as_ref()?;
        let mut media = kept.for_ledger(&self.alt);
        if !kept.mime.starts_with("video/") && !kept.mime.starts_with("image/") {
            media.kind = "document";
        }
        Some(media)
    }
}

impl Slack {
    pub(super) fn reserve(
        &mut self,
        given: &Value,
        bot: &Bot,
        call: &Call,
        books: &mut Books,
    ) -> Reply {
        Slack::demand(bot, "files:write")?;
        self.spend(&format!("reserve {}", bot.team), &READS, call)?;
        let name = given["filename"].as_str().filter(|name| !name.is_empty());
        // A form has it as text.
        let length = given["length"].as_str().and_then(|text| text.parse().ok());
        let length = length.or(given["length"].as_u64());
        let (Some(name), Some(length)) = (name, length) else {
            return Err(no("invalid_arguments"));
        };
        if !(1..=BYTES_MAX).contains(&length) {
            return Err(no("file_upload_size_restricted"));
        }
        let alt = given["alt_txt"].as_str().unwrap_or_default().to_owned();
        let id = format!("F{}", books.chance.word(10).to_ascii_uppercase());
        let place = books.chance.word(80);
        let url = format!("{}/upload/v1/{place}", call.base);
        let (team, name) = (bot.team, name.to_owned());
        let stored = Stored {
            team,
            place,
            name,
            alt,
            length,
            kept: None,
            shares: Vec::new(),
            is_complete: false,
            is_gone: false,
        };
        self.files.insert(id.clone(), stored);
        Ok(ok(json!({ "upload_url": url, "file_id": id })))
    }

    /// "raw bytes or multipart"; whoever has the address may send.
    pub(super) fn receive(&mut self, call: &Call, place: &str, books: &mut Books) -> Reply {
        let wrong = |text: &'static str| Answer::new(400, "text/plain", text);
        let Some(stored) = self.files.values_mut().find(|file| file.place == place) else {
            return Err(Answer::new(404, "text/plain", "no such upload"));
        };
        let bytes = match call.fields.iter().find(|field| field.file_name.is_some()) {
            Some(field) => field.bytes.clone(),
            None => call.body.clone(),
        };
        if bytes.len() as u64 != stored.length {
            return Err(wrong("the length is not the one that was announced"));
        }
        let full = |_| Answer::new(500, "text/plain", "the sandbox is full");
        stored.kept = Some(Kept::keep(books, vec![bytes]).map_err(full)?);
        Ok(Answer::new(200, "text/plain", format!("OK - {}", stored.length)))
    }

    pub(super) fn complete(
        &mut self,
        given: &Value,
        bot: &Bot,
        call: &Call,
        books: &mut Books,
    ) -> Reply {
        Slack::demand(bot, "files:write")?;
        let asked = given["files"].as_array().filter(|files| !files.is_empty());
        let asked = asked.ok_or_else(|| no("invalid_arguments"))?;
        let mut ids = Vec::new();
        for file in asked {
            let id = file["id"].as_str().unwrap_or_default();
            let Some(stored) = self.files.get(id).filter(|it| it.team == bot.team && !it.is_gone)
            else {
                return Err(no("file_not_found"));
            };
            if stored.kept.is_none() {
                return Err(no("missing_file_data"));
            }
            ids.push(id.to_owned());
        }
        let told: Vec<Value> =
            asked.iter().map(|file| json!({ "id": file["id"], "title": file["title"] })).collect();
        if given["channel_id"].is_null() {
            self.finish(&ids);
            return Ok(ok(json!({ "files": told })));
        }
        let channel = self.channel(given, "channel_id")?;
        self.may_write(&channel, bot, call)?;
        let text = given["initial_comment"].as_str().unwrap_or_default();
        let thread = self.thread(given, &channel)?;
        let shown = call.now.after(SHARED_AFTER);
        let media = ids.iter().filter_map(|id| self.files.get(id)?.media()).collect();
        let draft = Draft {
            text: unescaped(text),
            sent: text.to_owned(),
            media,
            files: ids.clone(),
            thread,
            ..Draft::default()
        };
        let time = self.keep(draft, &channel, bot, (call, shown), books);
        for id in &ids {
            if let Some(stored) = self.files.get_mut(id) {
                let share = (channel.id.clone(), channel.is_private, time.clone(), shown);
                stored.shares.push(share);
            }
        }
        self.finish(&ids);
        Ok(ok(json!({ "files": told })))
    }

    fn finish(&mut self, ids: &[String]) {
        for id in ids {
            if let Some(stored) = self.files.get_mut(id) {
                stored.is_complete = true;
            }
        }
    }

    fn file(&self, given: &Value, bot: &Bot) -> Result<(String, &Stored), Answer> {
        let id = given["file"].as_str().unwrap_or_default();
        let found = self.files.get(id).filter(|file| file.team == bot.team && file.is_complete);
        match found {
            Some(file) if file.is_gone => Err(no("file_deleted")),
            Some(file) => Ok((id.to_owned(), file)),
            None => Err(no("file_not_found")),
        }
    }

    pub(super) fn show_file(&mut self, given: &Value, bot: &Bot, call: &Call) -> Reply {
        Slack::demand(bot, "files:read")?;
        self.spend(&format!("file {}", bot.team), &READS, call)?;
        let (id, file) = self.file(given, bot)?;
        let mut shares = json!({});
        for (channel, is_private, time, from) in &file.shares {
            if *from <= call.now && self.message(channel, time).is_some() {
                let kind = if *is_private { "private" } else { "public" };
                shares[kind][channel] = json!([{ "ts": time }]);
            }
        }
        let mime = file.kept.as_ref().map_or("", |kept| kept.mime);
        Ok(ok(json!({ "file": { "id": id, "name": file.name, "title": file.name,
            "mimetype": mime, "size": file.length, "alt_txt": file.alt, "shares": shares } })))
    }

    pub(super) fn delete_file(&mut self, given: &Value, bot: &Bot) -> Reply {
        Slack::demand(bot, "files:write")?;
        let (id, _) = self.file(given, bot)?;
        if let Some(file) = self.files.get_mut(&id) {
            file.is_gone = true;
        }
        Ok(ok(json!({})))
    }
}
