//! What is in an event, read strictly, and what becomes of it in the ledger.

use serde_json::Value;

use crate::sandbox::{
    Platform,
    given::{Flaw, Given, characters},
    kept::{Kept, fetched},
    ledger::{Face, LedgerEntry, LedgerMedia},
    text,
    wire::Call,
    world::Books,
};

use super::No;

const TEXT_CHARS_MAX: usize = 10_000;
const MEDIA_KINDS: [&str; 4] = ["image", "gif", "video", "document"];
const WHOLE: [&str; 3] = ["type", "timestamp", "data"];

pub(super) struct Published {
    text: String,
    media: Vec<Told>,
    /// The event of the part before.
    pub(super) previous: Option<String>,
    marks: Vec<String>,
    key: String,
}

/// A file as the event tells of it.
struct Told {
    kind: &'static str,
    bytes: u64,
    alt: String,
    url: String,
}

pub(super) struct Made {
    pub(super) id: String,
    pub(super) url: String,
}

pub(super) struct Updated<'a> {
    pub(super) event: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) text: &'a str,
}

pub(super) struct Deleted<'a> {
    pub(super) event: &'a str,
    pub(super) id: Option<&'a str>,
}

/// Where the files of an event are.
pub(super) fn addresses(body: &Value) -> Vec<String> {
    if body["type"] != "post.published" {
        return Vec::new();
    }
    let files = body["data"]["media"].as_array().into_iter().flatten();
    let urls = files.filter_map(|file| file["url"].as_str());
    urls.filter(|url| url.starts_with("http")).map(str::to_owned).collect()
}

pub(super) fn published(body: &Value, webhook_id: &str) -> Result<Published, Flaw> {
    let whole = Given::of(body, &WHOLE)?;
    whole.needed("timestamp")?;
    let data = whole.needed_object(
        "data",
        &[
            "id", "delivery", "account", "part", "parts", "previous", "text", "media", "options",
            "planned",
        ],
    )?;
    if data.needed("id")? != webhook_id {
        return Err(data.flaw("id", "is not the webhook-id"));
    }
    data.needed("delivery")?;
    data.needed("planned")?;
    let account = data.needed_object("account", &["id", "name"])?;
    account.needed("id")?;
    account.needed("name")?;
    let number = |name| data.whole(name)?.ok_or_else(|| data.flaw(name, "is missing"));
    let (part, parts) = (number("part")?, number("parts")?);
    if part == 0 || part > parts {
        return Err(data.flaw("part", "must be from 1 to parts"));
    }
    let previous = data.object("previous", &["event", "id"])?;
    let previous = match (part, previous) {
        (1, None) => None,
        (1, Some(_)) => return Err(data.flaw("previous", "is nothing of a first part")),
        (_, None) => return Err(data.flaw("previous", "is missing")),
        (_, Some(previous)) => Some(previous.needed("event")?.to_owned()),
    };
    let options = data.value("options").and_then(Value::as_object);
    let options = options.ok_or_else(|| data.flaw("options", "must be an object"))?;
    let files = data.list("media")?.ok_or_else(|| data.flaw("media", "is missing"))?;
    let numbered = files.iter().enumerate();
    let media: Result<Vec<Told>, Flaw> = numbered.map(|(at, file)| told(at, file)).collect();
    let said = data.short("text", TEXT_CHARS_MAX, characters)?;
    let media = media?;
    if said.is_empty() && media.is_empty() {
        return Err(data.flaw("text", "is missing, and there is no file"));
    }
    let marks = options.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}: {text}"),
        None => format!("{name}: {value}"),
    });
    let marks = marks.collect();
    Ok(Published { text: said, media, previous, marks, key: webhook_id.to_owned() })
}

fn told(at: usize, file: &Value) -> Result<Told, Flaw> {
    let given = Given::at(
        format!("data.media[{at}]"),
        file,
        &["kind", "type", "bytes", "width", "height", "milliseconds", "name", "alt", "url"],
    )?;
    given.needed("type")?;
    let found = given.needed("kind")?;
    let kind = MEDIA_KINDS.iter().find(|kind| **kind == found);
    let kind = kind.ok_or_else(|| given.flaw("kind", "is not known"))?;
    let bytes = given.whole("bytes")?.ok_or_else(|| given.flaw("bytes", "is missing"))?;
    let alt = given.text("alt")?.unwrap_or_default().to_owned();
    Ok(Told { kind, bytes, alt, url: given.needed("url")?.to_owned() })
}

pub(super) fn updated(body: &Value) -> Result<Updated<'_>, Flaw> {
    let whole = Given::of(body, &["type", "data"])?;
    let data = whole.needed_object("data", &["event", "id", "text"])?;
    let event = data.needed("event")?;
    data.short("text", TEXT_CHARS_MAX, characters)?;
    Ok(Updated { event, id: data.text("id")?, text: data.needed("text")? })
}

pub(super) fn deleted(body: &Value) -> Result<Deleted<'_>, Flaw> {
    let whole = Given::of(body, &["type", "data"])?;
    let data = whole.needed_object("data", &["event", "id"])?;
    Ok(Deleted { event: data.needed("event")?, id: data.text("id")? })
}

/// Fetches what belongs to it, and shows it.
pub(super) fn record(
    call: &Call,
    name: &str,
    published: Published,
    reply_to: Option<String>,
    books: &mut Books,
) -> Result<Made, No> {
    let mut media = Vec::new();
    for told in &published.media {
        media.push(fetch(call, told, books)?);
    }
    let id = books.chance.snowflake(call.now, 1_700_000_000_000, 4).to_string();
    let url = format!("{}/{name}/posts/{id}", call.base);
    books.ledger.record(LedgerEntry {
        sequence: 0,
        at: call.now,
        platform: Platform::Webhook,
        account: name.to_owned(),
        handle: name.to_owned(),
        id: id.clone(),
        url: url.clone(),
        face: Face {
            pieces: text::pieces(&published.text, &[]),
            marks: published.marks,
            ..Face::default()
        },
        text: published.text,
        media,
        reply_to,
        idempotency_key: Some(published.key),
        deleted_at: None,
    });
    Ok(Made { id, url })
}

fn fetch(call: &Call, told: &Told, books: &mut Books) -> Result<LedgerMedia, No> {
    let found = fetched(call, &told.url);
    let bytes = found.map_err(|why| No(422, format!("a file could not be fetched: {why}")))?;
    if bytes.len() as u64 != told.bytes {
        let words = format!("a file has {} bytes and not {}", bytes.len(), told.bytes);
        return Err(No(422, words));
    }
    let kept = Kept::keep(books, vec![bytes]);
    let kept = kept.map_err(|_| No(507, "there is no room for more files".to_owned()))?;
    Ok(LedgerMedia { kind: told.kind, ..kept.for_ledger(&told.alt) })
}

pub(super) fn edit(id: &str, words: &str, books: &mut Books) {
    let shown = books.ledger.find(Platform::Webhook, id).map(|entry| entry.face.clone());
    let face = Face { pieces: text::pieces(words, &[]), ..shown.unwrap_or_default() };
    books.ledger.mark_edited(Platform::Webhook, id, words, face);
}
