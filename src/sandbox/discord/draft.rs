//! What a message is to be, read strictly (docs/resources/message and /poll, read 2026-11-21).

use serde_json::{Value, json};

use crate::sandbox::{
    given::{Flaw, Given, characters},
    wire::{Answer, Call},
};

use super::{invalid, refusal, too_large};

const CONTENT_MAX: usize = 2_000;
const EMBEDS_MAX: usize = 10;
const EMBEDS_TEXT_MAX: usize = 6_000;
const FILES_MAX: usize = 10;
const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
const REQUEST_BYTES_MAX: usize = 25 * 1024 * 1024;

const BOTH: [&str; 9] = [
    "content",
    "embeds",
    "allowed_mentions",
    "flags",
    "components",
    "attachments",
    "poll",
    "tts",
    "username",
];

#[derive(Default)]
pub(super) struct Draft {
    pub(super) content: Option<String>,
    pub(super) embeds: Vec<Value>,
    pub(super) flags: u64,
    pub(super) attachments: Option<Vec<Attached>>,
    pub(super) answers: Vec<String>,
    pub(super) question: String,
    pub(super) nonce: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) thread_name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) buttons: Vec<String>,
}

pub(super) struct Attached {
    /// Of the file in this request, or of an attachment to keep.
    pub(super) id: String,
    pub(super) description: String,
}

/// The JSON of the request: its body, or a part of it.
pub(super) fn body(call: &Call) -> Result<Value, Answer> {
    let malformed = || refusal(400, 50_109, "The request body contains invalid JSON.");
    if call.content_type().starts_with("multipart/form-data") {
        let total: usize = call.fields.iter().map(|field| field.bytes.len()).sum();
        let files = call.fields.iter().filter(|field| field.name.starts_with("files["));
        if files.clone().count() > FILES_MAX {
            return Err(refusal(400, 30_015, "Maximum number of attachments reached (10)"));
        }
        let mut files = files;
        if total > REQUEST_BYTES_MAX || files.any(|file| file.bytes.len() > FILE_BYTES_MAX) {
            return Err(too_large());
        }
        let part = call.file("payload_json").map(|part| part.bytes.as_ref()).unwrap_or(b"{}");
        return serde_json::from_slice(part).map_err(|_| malformed());
    }
    if !call.content_type().starts_with("application/json") {
        return Err(refusal(400, 50_035, "Expected \"Content-Type\" header to be JSON"));
    }
    call.json().ok_or_else(malformed)
}

pub(super) fn read(value: &Value, is_webhook: bool) -> Result<Draft, Answer> {
    let own: &[&str] = match is_webhook {
        true => &["avatar_url", "thread_name", "applied_tags"],
        false => &["nonce", "enforce_nonce", "message_reference", "sticker_ids"],
    };
    drafted(value, &[&BOTH[..], own].concat(), is_webhook).map_err(|flaw| invalid(&flaw))
}

fn drafted(value: &Value, known: &[&str], is_webhook: bool) -> Result<Draft, Flaw> {
    let given = Given::of(value, known)?;
    let mut draft = Draft::default();
    if given.value("content").is_some() {
        draft.content = Some(given.short("content", CONTENT_MAX, characters)?);
    }
    mentions(&given)?;
    given.flag("tts")?;
    draft.flags = given.whole("flags")?.unwrap_or_default();
    if draft.flags & !(4 | 4_096) != 0 {
        return Err(given.flaw("flags", "Only 4 and 4096 may be set here"));
    }
    draft.embeds = embeds(&given)?;
    draft.attachments = attachments(&given)?;
    (draft.question, draft.answers) = poll(&given)?;
    draft.buttons = buttons(&given)?;
    if let Some(name) = given.text("username")? {
        let lower = name.to_lowercase();
        let banned = lower.contains("clyde") || lower.contains("discord");
        if !is_webhook || banned || !(1..=80).contains(&characters(name)) {
            return Err(given.flaw("username", "Username is not allowed"));
        }
        draft.username = Some(name.to_owned());
    }
    if let Some(name) = given.text("thread_name")? {
        draft.thread_name = Some(name.to_owned());
    }
    if let Some(nonce) = given.text("nonce")? {
        if characters(nonce) > 25 {
            return Err(given.flaw("nonce", "Must be 25 or fewer in length."));
        }
        draft.nonce = Some(nonce.to_owned());
        if given.flag("enforce_nonce")? != Some(true) {
            draft.nonce = None;
        }
    }
    let reference = ["message_id", "channel_id", "guild_id", "fail_if_not_exists", "type"];
    if let Some(reference) = given.object("message_reference", &reference)? {
        reference.flag("fail_if_not_exists")?;
        draft.reference = Some(reference.needed("message_id")?.to_owned());
    }
    Ok(draft)
}

fn mentions(given: &Given<'_>) -> Result<(), Flaw> {
    let known = ["parse", "roles", "users", "replied_user"];
    let Some(mentions) = given.object("allowed_mentions", &known)? else { return Ok(()) };
    let parse = mentions.texts("parse")?.unwrap_or_default();
    match parse.iter().all(|kind| ["roles", "users", "everyone"].contains(kind)) {
        true => Ok(()),
        false => Err(mentions.flaw("parse", "Value is not allowed")),
    }
}

fn embeds(given: &Given<'_>) -> Result<Vec<Value>, Flaw> {
    let list = given.list("embeds")?.unwrap_or_default();
    if list.len() > EMBEDS_MAX {
        return Err(given.flaw("embeds", "Must be 10 or fewer in length."));
    }
    let known = [
        "title",
        "type",
        "description",
        "url",
        "timestamp",
        "color",
        "footer",
        "image",
        "thumbnail",
        "author",
        "fields",
    ];
    let mut total = 0;
    for (place, embed) in list.iter().enumerate() {
        let embed = Given::at(format!("embeds.{place}"), embed, &known)?;
        total += characters(&embed.short("title", 256, characters)?);
        total += characters(&embed.short("description", 4_096, characters)?);
        if let Some(url) = embed.text("url")?
            && !url.starts_with("http")
        {
            return Err(embed.flaw("url", "Not a well formed URL."));
        }
    }
    match total > EMBEDS_TEXT_MAX {
        true => Err(given.flaw("embeds", "Embed size exceeds maximum size of 6000")),
        false => Ok(list.to_vec()),
    }
}

fn attachments(given: &Given<'_>) -> Result<Option<Vec<Attached>>, Flaw> {
    let Some(list) = given.list("attachments")? else { return Ok(None) };
    let known = ["id", "filename", "description", "title", "is_spoiler"];
    let mut found = Vec::new();
    for (place, item) in list.iter().enumerate() {
        let item = Given::at(format!("attachments.{place}"), item, &known)?;
        item.text("filename")?;
        let id = match item.value("id") {
            Some(Value::String(id)) => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            Some(_) | None => return Err(item.flaw("id", "This field is required")),
        };
        let description = item.short("description", 1_024, characters)?;
        found.push(Attached { id, description });
    }
    Ok(Some(found))
}

fn poll(given: &Given<'_>) -> Result<(String, Vec<String>), Flaw> {
    let known = ["question", "answers", "duration", "allow_multiselect", "layout_type"];
    let Some(poll) = given.object("poll", &known)? else { return Ok(Default::default()) };
    let question = poll.needed_object("question", &["text"])?;
    question.needed("text")?;
    let question = question.short("text", 300, characters)?;
    let list = poll.list("answers")?.unwrap_or_default();
    if !(1..=10).contains(&list.len()) {
        return Err(poll.flaw("answers", "Must be between 1 and 10 in length."));
    }
    let mut answers = Vec::new();
    for (place, answer) in list.iter().enumerate() {
        let answer = Given::at(format!("poll.answers.{place}"), answer, &["poll_media"])?;
        let media = answer.needed_object("poll_media", &["text", "emoji"])?;
        media.needed("text")?;
        answers.push(media.short("text", 55, characters)?);
    }
    if !(1..=768).contains(&poll.whole("duration")?.unwrap_or(24)) {
        return Err(poll.flaw("duration", "Must be between 1 and 768."));
    }
    poll.flag("allow_multiselect")?;
    match poll.whole("layout_type")?.unwrap_or(1) {
        1 => Ok((question, answers)),
        _ => Err(poll.flaw("layout_type", "Value is not allowed")),
    }
}

/// Rows of buttons that lead to addresses.
fn buttons(given: &Given<'_>) -> Result<Vec<String>, Flaw> {
    let mut found = Vec::new();
    let rows = given.list("components")?.unwrap_or_default();
    if rows.len() > 5 {
        return Err(given.flaw("components", "Must be 5 or fewer in length."));
    }
    for (place, row) in rows.iter().enumerate() {
        let row = Given::at(format!("components.{place}"), row, &["type", "components", "id"])?;
        let buttons = row.list("components")?.unwrap_or_default();
        if row.whole("type")? != Some(1) || !(1..=5).contains(&buttons.len()) {
            return Err(row.flaw("type", "Only rows of one to five buttons are simulated"));
        }
        for button in buttons {
            let known = ["type", "style", "label", "url", "id", "disabled", "emoji"];
            let button = Given::at(row.path_of("components"), button, &known)?;
            if (button.whole("type")?, button.whole("style")?) != (Some(2), Some(5)) {
                return Err(button.flaw("style", "Only buttons that lead somewhere are simulated"));
            }
            button.needed("label")?;
            let (label, url) =
                (button.short("label", 80, characters)?, button.short("url", 512, characters)?);
            if !url.starts_with("http") {
                return Err(button.flaw("url", "Not a well formed URL."));
            }
            found.push(format!("button {label}: {url}"));
        }
    }
    Ok(found)
}

impl Draft {
    pub(super) fn is_empty(&self, files: usize) -> bool {
        let says = self.content.as_ref().is_some_and(|text| !text.trim().is_empty());
        !says && self.embeds.is_empty() && self.answers.is_empty() && files == 0
    }

    pub(super) fn poll(&self) -> Value {
        match self.answers.is_empty() {
            true => Value::Null,
            false => json!({ "question": { "text": self.question }, "answers": self.answers }),
        }
    }
}
