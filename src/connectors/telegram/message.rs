//! One part as one call, and what is kept of the messages that it became.
//!
//! <https://core.telegram.org/bots/api#sendmessage> to `#sendmediagroup`, as of 2026-06.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{API, WEB, draft};
use crate::{
    connectors::{
        Auth, Body, FilePart, Fill, Job, JobMedia, JobPart, Repeat, Reply, Request, SecretName,
        Site,
    },
    domain::{button::Button, delivery::Live, media::MediaKind, refusal::Refusal},
};

/// What one part became: one message, or one for each file of an album.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    chat: String,
    ids: Vec<i64>,
    /// What has to be known to edit it, as [`Marks::text`] writes it.
    marks: String,
    url: String,
}

/// How a message was sent, as far as changing its text has to repeat it: Telegram forgets what an
/// edit does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    pub(super) is_caption: bool,
    pub(super) has_buttons: bool,
    pub(super) has_no_preview: bool,
    pub(super) mode: Option<&'static str>,
}

impl Sent {
    pub(super) fn read(
        chat: &str,
        number: usize,
        job: &Job,
        reply: &Reply,
    ) -> Result<Sent, Refusal> {
        let result = &reply.body["result"];
        let messages = match result {
            Value::Array(all) => all.as_slice(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => std::slice::from_ref(result),
        };
        let ids: Option<Vec<i64>> =
            messages.iter().map(|message| message["message_id"].as_i64()).collect();
        let ids = ids.filter(|ids| !ids.is_empty());
        let ids = ids.ok_or_else(|| reply.unreadable("/result/message_id"))?;
        let name = messages[0]["chat"]["username"].as_str();
        let url = address(chat, name, Some(ids[0]), &job.site);
        let marks = Marks::of(&job.parts[number], number, job).text();
        Ok(Sent { chat: chat.to_owned(), ids, marks, url })
    }

    pub(super) fn live(&self) -> Live {
        let ids: Vec<String> = self.ids.iter().map(i64::to_string).collect();
        let id = format!("{}/{}/{}", self.chat, ids.join(","), self.marks);
        Live { id, url: self.url.clone() }
    }
}

/// The chat, the messages and the marks that stand in [`Live::id`].
pub(super) fn read_live(id: &str) -> Option<(String, Vec<i64>, Marks)> {
    let mut pieces = id.splitn(3, '/');
    let (chat, ids, marks) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let ids: Option<Vec<i64>> = ids.split(',').map(|id| id.parse().ok()).collect();
    Some((chat.to_owned(), ids?, Marks::read(marks)))
}

impl Marks {
    fn of(part: &JobPart, number: usize, job: &Job) -> Marks {
        Marks {
            is_caption: !part.media.is_empty(),
            has_buttons: number == 0 && !job.option(draft::BUTTONS).is_empty(),
            has_no_preview: job.option(draft::LINK_PREVIEW) == "false",
            mode: draft::parse_mode(job.option(draft::FORMATTING)),
        }
    }

    fn text(self) -> String {
        let mut names = Vec::new();
        if self.is_caption {
            names.push("caption");
        }
        if self.has_buttons {
            names.push("buttons");
        }
        if self.has_no_preview {
            names.push("bare");
        }
        names.extend(self.mode);
        names.join(",")
    }

    fn read(text: &str) -> Marks {
        let has = |name: &str| text.split(',').any(|it| it == name);
        Marks {
            is_caption: has("caption"),
            has_buttons: has("buttons"),
            has_no_preview: has("bare"),
            mode: draft::MODES.iter().map(|(_, mode)| *mode).find(|mode| has(mode)),
        }
    }
}

/// A call of the bot's. The token is a piece of the address, which the engine puts there.
pub(super) fn call(method: &str, body: Body, repeat: Repeat, site: &Site) -> Request {
    let url = site.url(API, &format!("/bot{{token}}/{method}"));
    let fill = Fill { place: "{token}".to_owned(), secret: SecretName::Access };
    Request { auth: Auth::None, fills: vec![fill], ..Request::post(url, body, repeat) }
}

/// The request for the part after those in `sent`.
pub(super) fn sending(chat: &str, sent: &[Sent], job: &Job) -> Request {
    let number = sent.len();
    let part = &job.parts[number];
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("chat_id", json!(chat));
    if let Ok(topic) = job.option(draft::TOPIC).parse::<u64>() {
        set("message_thread_id", json!(topic));
    }
    // Messages from before a group moved have other numbers now.
    if let Some(before) = sent.last().filter(|before| before.chat == chat) {
        set("reply_parameters", json!({ "message_id": before.ids[0] }));
    }
    if job.option(draft::SILENT) == "true" {
        set("disable_notification", json!(true));
    }
    if job.option(draft::PROTECT) == "true" {
        set("protect_content", json!(true));
    }
    let buttons = Button::all(job.option(draft::BUTTONS));
    if number == 0 && !buttons.is_empty() {
        let row = |it: &Button| json!([{ "text": it.label, "url": it.url }]);
        let rows: Vec<Value> = buttons.iter().map(row).collect();
        set("reply_markup", json!({ "inline_keyboard": rows }));
    }
    let mode = draft::parse_mode(job.option(draft::FORMATTING));
    let method = match part.media.as_slice() {
        [] => {
            set("text", json!(part.text));
            if job.option(draft::LINK_PREVIEW) == "false" {
                set("link_preview_options", json!({ "is_disabled": true }));
            }
            set_mode(&mut fields, mode);
            "sendMessage"
        }
        [media] => {
            describe(&mut fields, media);
            caption(&mut fields, &part.text, mode);
            method_of(media.kind)
        }
        files => {
            fields.insert("media".to_owned(), album(files, &part.text, mode));
            "sendMediaGroup"
        }
    };
    let units = u32::try_from(part.media.len()).unwrap_or(u32::MAX).max(1);
    let request = call(method, body(fields, &part.media), Repeat::Duplicates, &job.site);
    Request { units, ..request }
}

fn album(files: &[JobMedia], text: &str, mode: Option<&str>) -> Value {
    let item = |(index, media): (usize, &JobMedia)| {
        let mut item = Map::new();
        item.insert("type".to_owned(), json!(field_of(media.kind)));
        item.insert("media".to_owned(), json!(format!("attach://{}", attached(index))));
        describe(&mut item, media);
        // What stands below the first is shown below the whole album.
        if index == 0 {
            caption(&mut item, text, mode);
        }
        Value::Object(item)
    };
    files.iter().enumerate().map(item).collect()
}

fn caption(fields: &mut Map<String, Value>, text: &str, mode: Option<&str>) {
    if !text.is_empty() {
        fields.insert("caption".to_owned(), json!(text));
        set_mode(fields, mode);
    }
}

fn set_mode(fields: &mut Map<String, Value>, mode: Option<&str>) {
    if let Some(mode) = mode {
        fields.insert("parse_mode".to_owned(), json!(mode));
    }
}

/// What a film is shown in before it is there.
fn describe(fields: &mut Map<String, Value>, media: &JobMedia) {
    if media.kind != MediaKind::Video {
        return;
    }
    fields.insert("supports_streaming".to_owned(), json!(true));
    if let Some((width, height)) = media.size {
        fields.insert("width".to_owned(), json!(width));
        fields.insert("height".to_owned(), json!(height));
    }
    if let Some(length) = media.length {
        fields.insert("duration".to_owned(), json!(length.as_secs()));
    }
}

fn body(fields: Map<String, Value>, media: &[JobMedia]) -> Body {
    if media.is_empty() {
        return Body::Json(Value::Object(fields));
    }
    // "Nested objects have to be JSON-serialized" in a form.
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let name_of = |index: usize, media: &JobMedia| match index {
        _ if is_album(&fields) => attached(index),
        _ => field_of(media.kind).to_owned(),
    };
    let part = |(index, media): (usize, &JobMedia)| FilePart {
        field: name_of(index, media),
        media: media.id,
        range: None,
        cipher: None,
        file_name: file_name(media),
        content_type: media.mime.clone(),
    };
    let files = media.iter().enumerate().map(part).collect();
    Body::Multipart {
        fields: fields.into_iter().map(|(name, value)| (name, text(value))).collect(),
        files,
    }
}

fn is_album(fields: &Map<String, Value>) -> bool {
    fields.contains_key("media")
}

fn attached(index: usize) -> String {
    format!("file{index}")
}

/// Readers see the name of a document; of everything else nobody does.
fn file_name(media: &JobMedia) -> String {
    match media.kind {
        MediaKind::Document if !media.name.is_empty() => media.name.clone(),
        MediaKind::Document | MediaKind::Image | MediaKind::Gif | MediaKind::Video => {
            let subtype = media.mime.split_once('/').map_or("bin", |(_, subtype)| subtype);
            format!("{}.{subtype}", media.id)
        }
    }
}

fn method_of(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "sendPhoto",
        MediaKind::Gif => "sendAnimation",
        MediaKind::Video => "sendVideo",
        MediaKind::Document => "sendDocument",
    }
}

fn field_of(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "photo",
        MediaKind::Gif => "animation",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}

/// Of a chat, or of a message in it: `t.me/name/5`, and `t.me/c/1234567890/5` for those inside.
/// Groups that are no supergroups have no address.
pub(super) fn address(chat: &str, name: Option<&str>, message: Option<i64>, site: &Site) -> String {
    let place = match (name.filter(|name| !name.is_empty()), chat.strip_prefix("-100")) {
        (Some(name), _) => format!("/{name}"),
        (None, Some(number)) => format!("/c/{number}"),
        (None, None) => return String::new(),
    };
    let message = message.map_or(String::new(), |id| format!("/{id}"));
    site.url(WEB, &format!("{place}{message}"))
}
