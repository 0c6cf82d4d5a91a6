//! Messages: sent, edited, deleted.

use serde_json::{Value, json};

use crate::sandbox::{
    Platform,
    ledger::{Card, Face, LedgerEntry, LedgerMedia},
    text,
    wire::Answer,
    wire::Call,
    world::Books,
};

use super::{
    Given, Reply, Telegram, bad,
    files::{File, Sort},
    fine,
    markup::{self, Marked},
};

/// "1-4096 characters after entities parsing", "0-1024 characters after entities parsing".
const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;

const COMMON: [&str; 6] = [
    "chat_id",
    "message_thread_id",
    "disable_notification",
    "protect_content",
    "reply_parameters",
    "parse_mode",
];

pub(super) struct Message {
    /// Its publication in the ledger; those of an album share one.
    pub(super) entry: String,
    text: String,
    buttons: Value,
    has_file: bool,
}

/// What is about to be said.
struct Saying {
    chat: usize,
    words: Marked,
    files: Vec<File>,
    face: Face,
    buttons: Value,
    reply_to: Option<u64>,
}

impl Telegram {
    pub(super) fn send_text(
        &mut self,
        call: &Call,
        given: &Given,
        bot: u64,
        books: &mut Books,
    ) -> Reply {
        only(given, &["text", "entities", "link_preview_options", "reply_markup"])?;
        let chat = self.place(call, given, bot, 1)?;
        let words = words(given, "text", "entities", TEXT_MAX, "message is too long")?;
        if words.text.trim().is_empty() {
            return Err(bad("message text is empty"));
        }
        let mut saying = self.saying(given, chat, words)?;
        saying.face.card = preview(given)?;
        Ok(fine(&self.say(call, saying, books).remove(0)))
    }

    pub(super) fn send_file(
        &mut self,
        call: &Call,
        given: &Given,
        bot: u64,
        method: &str,
        books: &mut Books,
    ) -> Reply {
        let name = method.trim_start_matches("send").to_ascii_lowercase();
        let Some(sort) = Sort::named(&name) else { return Err(bad("unknown kind")) };
        let own: &[&str] = match sort {
            Sort::Photo => &["show_caption_above_media", "has_spoiler"],
            Sort::Video => &[
                "duration",
                "width",
                "height",
                "supports_streaming",
                "start_timestamp",
                "show_caption_above_media",
                "has_spoiler",
            ],
            Sort::Animation => {
                &["duration", "width", "height", "show_caption_above_media", "has_spoiler"]
            }
            Sort::Document => &["disable_content_type_detection"],
        };
        only(given, &[own, &[&name, "caption", "caption_entities", "reply_markup"]].concat())?;
        let chat = self.place(call, given, bot, 1)?;
        let words = caption(given)?;
        let mut saying = self.saying(given, chat, words)?;
        if given.flag("has_spoiler")? {
            saying.face.warning = Some("Spoiler".to_owned());
        }
        saying.files = vec![self.file(call, sort, given.text(&name)?, books)?];
        Ok(fine(&self.say(call, saying, books).remove(0)))
    }

    pub(super) fn send_group(
        &mut self,
        call: &Call,
        given: &Given,
        bot: u64,
        books: &mut Books,
    ) -> Reply {
        // "parse_mode" belongs to each item.
        if given.value("parse_mode").is_some() {
            return Err(bad("the sandbox does not know parse_mode"));
        }
        only(given, &["media"])?;
        let items = given.value("media").and_then(Value::as_array).cloned().unwrap_or_default();
        if !(2..=10).contains(&items.len()) {
            return Err(bad("Media group must include 2-10 items"));
        }
        let chat = self.place(call, given, bot, items.len() as u64)?;
        let mut read = Vec::new();
        for item in &items {
            let Value::Object(item) = item else { return Err(bad("can't parse InputMedia")) };
            read.push(item_of(&Given(item.clone()))?);
        }
        let documents = read.iter().filter(|(sort, ..)| *sort == Sort::Document).count();
        if documents > 0 && documents < read.len() {
            return Err(bad("document can't be mixed with other media types"));
        }
        let captions = read.iter().filter(|(_, _, words)| !words.text.is_empty()).count();
        let mut files = Vec::new();
        let mut words = Marked::default();
        for (sort, media, caption) in read {
            if captions == 1 && !caption.text.is_empty() {
                words = caption;
            }
            files.push(self.file(call, sort, Some(&media), books)?);
        }
        let mut saying = self.saying(given, chat, words)?;
        saying.face.label = Some("album");
        saying.files = files;
        Ok(fine(&Value::Array(self.say(call, saying, books))))
    }

    fn saying(&self, given: &Given, chat: usize, words: Marked) -> Result<Saying, Answer> {
        let mut marks = Vec::new();
        if given.flag("disable_notification")? {
            marks.push("silent".to_owned());
        }
        if given.flag("protect_content")? {
            marks.push("protected".to_owned());
        }
        if let Some(thread) = given.whole("message_thread_id")? {
            if !self.is_group(chat) {
                return Err(bad("message thread not found"));
            }
            marks.push(format!("in topic {thread}"));
        }
        let buttons = buttons(given, &mut marks)?;
        let reply_to = self.answered(given, chat)?;
        let links = text::http_links(&words.text);
        let address = |range: std::ops::Range<usize>| {
            let url = words.text[range.clone()].to_owned();
            (range, url)
        };
        let links: Vec<_> = links.into_iter().map(address).collect();
        let face = Face { pieces: text::pieces(&words.text, &links), marks, ..Face::default() };
        Ok(Saying { chat, words, files: Vec::new(), face, buttons, reply_to })
    }

    fn answered(&self, given: &Given, chat: usize) -> Result<Option<u64>, Answer> {
        let Some(value) = given.value("reply_parameters") else { return Ok(None) };
        let Value::Object(value) = value else { return Err(bad("can't parse reply parameters")) };
        let reply = Given(value.clone());
        reply.only(&["message_id", "allow_sending_without_reply"])?;
        let id = reply.whole("message_id")?.ok_or_else(|| bad("message identifier is missing"))?;
        let known = self.messages.contains_key(&(chat, id));
        match (known, reply.flag("allow_sending_without_reply")?) {
            (true, _) => Ok(Some(id)),
            (false, true) => Ok(None),
            (false, false) => Err(bad("message to be replied not found")),
        }
    }

    /// Says it, and gives each message that came of it.
    fn say(&mut self, call: &Call, saying: Saying, books: &mut Books) -> Vec<Value> {
        let Saying { chat, words, files, face, buttons, reply_to } = saying;
        let person = self.chats.get(chat);
        let (account, handle) = (person.id.clone(), person.handle.clone());
        let last = self.last.entry(chat).or_default();
        let first = *last + 1;
        *last += files.len().max(1) as u64;
        let ids = first..=*last;
        let entry = format!("{account}/{first}");
        let place = match account == handle {
            true => format!("c/{}", &account["-100".len()..]),
            false => handle.clone(),
        };
        let answered = reply_to.and_then(|id| self.messages.get(&(chat, id)));
        let media = files
            .iter()
            .map(|file| LedgerMedia { kind: file.sort.kind(), ..file.kept.for_ledger("") });
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Telegram,
            account: account.clone(),
            handle,
            id: entry.clone(),
            url: format!("{}/{place}/{first}", call.base),
            text: words.text.clone(),
            media: media.collect(),
            reply_to: answered.map(|message| message.entry.clone()),
            idempotency_key: None,
            deleted_at: None,
            face,
        });
        let group = (files.len() > 1).then(|| format!("{first}{}", call.now.0));
        let mut told = Vec::new();
        for (place, id) in ids.enumerate() {
            let has_words = place == 0;
            let file = files.get(place);
            let said = Message {
                entry: entry.clone(),
                text: if has_words { words.text.clone() } else { String::new() },
                buttons: buttons.clone(),
                has_file: file.is_some(),
            };
            let mut message = json!({ "message_id": id, "date": call.now.0 / 1_000,
                "chat": self.told_chat(chat) });
            if !self.is_group(chat) {
                message["sender_chat"] = self.told_chat(chat);
            }
            if has_words {
                tell_words(&mut message, &words, file.is_some());
            }
            if let Some(file) = file {
                message[file.sort.name()] = file.told();
            }
            if let Some(group) = &group {
                message["media_group_id"] = json!(group);
            }
            if let Some(id) = reply_to {
                message["reply_to_message"] = json!({ "message_id": id });
            }
            if !buttons.is_null() {
                message["reply_markup"] = buttons.clone();
            }
            self.messages.insert((chat, id), said);
            told.push(message);
        }
        told
    }

    pub(super) fn edit_text(&mut self, call: &Call, given: &Given, books: &mut Books) -> Reply {
        let known = ["chat_id", "message_id", "text", "parse_mode", "entities"];
        given.only(&[&known[..], &["link_preview_options", "reply_markup"]].concat())?;
        let new = words(given, "text", "entities", TEXT_MAX, "message is too long")?;
        if new.text.trim().is_empty() {
            return Err(bad("message text is empty"));
        }
        let card = preview(given)?;
        self.edit(call, given, new, card, books)
    }

    pub(super) fn edit_caption(&mut self, call: &Call, given: &Given, books: &mut Books) -> Reply {
        let known = ["chat_id", "message_id", "caption", "parse_mode", "caption_entities"];
        given.only(&[&known[..], &["show_caption_above_media", "reply_markup"]].concat())?;
        let new = caption(given)?;
        self.edit(call, given, new, None, books)
    }

    fn edit(
        &mut self,
        call: &Call,
        given: &Given,
        new: Marked,
        card: Option<Card>,
        books: &mut Books,
    ) -> Reply {
        let wants_text = given.value("text").is_some();
        let place = self.existing(call, given, "message to edit not found")?;
        let told = self.told_chat(place.0);
        let mut marks = Vec::new();
        let buttons = buttons(given, &mut marks)?;
        let Some(message) = self.messages.get_mut(&place) else {
            return Err(bad("message to edit not found"));
        };
        match (wants_text, message.has_file) {
            (true, true) => return Err(bad("there is no text in the message to edit")),
            (false, false) => return Err(bad("there is no caption in the message to edit")),
            (true, false) | (false, true) => (),
        }
        if message.text == new.text && message.buttons == buttons {
            return Err(bad("message is not modified: specified new message content and reply \
                markup are exactly the same as a current content and reply markup of the message"));
        }
        (message.text, message.buttons) = (new.text.clone(), buttons);
        let before = books.ledger.find(Platform::Telegram, &message.entry);
        let mut face = before.map(|entry| entry.face.clone()).unwrap_or_default();
        face.pieces = text::pieces(&new.text, &[]);
        face.marks.retain(|mark| !mark.starts_with("button "));
        face.marks.extend(marks);
        face.card = card;
        books.ledger.mark_edited(Platform::Telegram, &message.entry, &new.text, face);
        let mut told = json!({ "message_id": place.1, "date": call.now.0 / 1_000,
            "edit_date": call.now.0 / 1_000, "chat": told });
        told[if wants_text { "text" } else { "caption" }] = json!(new.text);
        Ok(fine(&told))
    }

    fn existing(
        &mut self,
        call: &Call,
        given: &Given,
        words: &str,
    ) -> Result<(usize, u64), Answer> {
        let chat = self.chat(given, call)?;
        let id = given.whole("message_id")?.ok_or_else(|| bad("message identifier is missing"))?;
        match self.messages.contains_key(&(chat, id)) {
            true => Ok((chat, id)),
            false => Err(bad(words)),
        }
    }

    pub(super) fn delete(&mut self, call: &Call, given: &Given, books: &mut Books) -> Reply {
        given.only(&["chat_id", "message_id"])?;
        let place = self.existing(call, given, "message to delete not found")?;
        self.remove(call, place, books);
        Ok(fine(&json!(true)))
    }

    /// "If some of the specified messages can't be found, they are skipped."
    pub(super) fn delete_many(&mut self, call: &Call, given: &Given, books: &mut Books) -> Reply {
        given.only(&["chat_id", "message_ids"])?;
        let ids = given.value("message_ids").and_then(Value::as_array);
        let ids: Option<Vec<u64>> =
            ids.and_then(|ids| ids.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>());
        let ids = ids.filter(|ids| (1..=100).contains(&ids.len()));
        let ids = ids.ok_or_else(|| bad("message identifiers are not specified"))?;
        let chat = self.chat(given, call)?;
        for id in ids {
            self.remove(call, (chat, id), books);
        }
        Ok(fine(&json!(true)))
    }

    /// An album is gone with the last of its messages.
    fn remove(&mut self, call: &Call, place: (usize, u64), books: &mut Books) {
        let Some(gone) = self.messages.remove(&place) else { return };
        if !self.messages.values().any(|other| other.entry == gone.entry) {
            books.ledger.mark_deleted(Platform::Telegram, &gone.entry, call.now);
        }
    }
}

fn tell_words(message: &mut Value, words: &Marked, has_file: bool) {
    if words.text.is_empty() {
        return;
    }
    let (text, entities) = match has_file {
        true => ("caption", "caption_entities"),
        false => ("text", "entities"),
    };
    message[text] = json!(words.text);
    if !words.entities.is_empty() {
        message[entities] = json!(words.entities);
    }
}

fn only(given: &Given, own: &[&str]) -> Result<(), Answer> {
    given.only(&[&COMMON, own].concat())
}

fn caption(given: &Given) -> Result<Marked, Answer> {
    words(given, "caption", "caption_entities", CAPTION_MAX, "message caption is too long")
}

fn words(
    given: &Given,
    name: &str,
    entities: &str,
    most: usize,
    too_long: &str,
) -> Result<Marked, Answer> {
    let text = given.text(name)?.unwrap_or_default();
    let found = match (given.text("parse_mode")?, given.value(entities)) {
        (Some("HTML"), _) => markup::html(text),
        (Some(_), _) => return Err(bad("unsupported parse_mode")),
        (None, Some(entities)) => markup::given(text, entities),
        (None, None) => Ok(Marked { text: text.to_owned(), entities: Vec::new() }),
    };
    let found = found.map_err(|words| bad(&format!("can't parse entities: {words}")))?;
    match found.units() > most {
        true => Err(bad(too_long)),
        false => Ok(found),
    }
}

/// The preview that is asked for by its address.
fn preview(given: &Given) -> Result<Option<Card>, Answer> {
    let Some(value) = given.value("link_preview_options") else { return Ok(None) };
    let Value::Object(value) = value else { return Err(bad("can't parse link preview options")) };
    let options = Given(value.clone());
    let flags = ["is_disabled", "prefer_small_media", "prefer_large_media", "show_above_text"];
    options.only(&[&flags[..], &["url"]].concat())?;
    for name in flags {
        options.flag(name)?;
    }
    let url = options.text("url")?.filter(|_| !options.flag("is_disabled").unwrap_or_default());
    Ok(url.map(|url| Card {
        url: url.to_owned(),
        title: url.to_owned(),
        description: String::new(),
    }))
}

/// Rows of buttons that lead to addresses.
fn buttons(given: &Given, marks: &mut Vec<String>) -> Result<Value, Answer> {
    let Some(value) = given.value("reply_markup") else { return Ok(Value::Null) };
    let rows = value["inline_keyboard"].as_array();
    let rows = rows.ok_or_else(|| bad("can't parse reply keyboard markup JSON object"))?;
    for row in rows {
        let row = row.as_array().ok_or_else(|| bad("can't parse inline keyboard row"))?;
        for button in row {
            let text = button["text"].as_str().filter(|text| !text.is_empty());
            let text =
                text.ok_or_else(|| bad("text buttons are unallowed in the inline keyboard"))?;
            let url = button["url"].as_str().unwrap_or_default();
            let shaped =
                url::Url::parse(url).is_ok_and(|it| matches!(it.scheme(), "http" | "https" | "tg"));
            if !shaped {
                return Err(bad("BUTTON_URL_INVALID"));
            }
            marks.push(format!("button {text}: {url}"));
        }
    }
    Ok(value.clone())
}

/// One file of an album: what it is, where it is, and what is said of it.
fn item_of(item: &Given) -> Result<(Sort, String, Marked), Answer> {
    let sort = item.text("type")?.and_then(Sort::named).filter(|sort| *sort != Sort::Animation);
    let sort = sort.ok_or_else(|| bad("media type is not allowed in a group"))?;
    let own: &[&str] = match sort {
        Sort::Photo => &["show_caption_above_media", "has_spoiler"],
        Sort::Video | Sort::Animation => &[
            "show_caption_above_media",
            "width",
            "height",
            "duration",
            "supports_streaming",
            "has_spoiler",
        ],
        Sort::Document => &["disable_content_type_detection"],
    };
    item.only(&[own, &["type", "media", "caption", "parse_mode", "caption_entities"]].concat())?;
    let media = item.text("media")?.ok_or_else(|| bad("media is missing"))?.to_owned();
    Ok((sort, media, caption(item)?))
}
