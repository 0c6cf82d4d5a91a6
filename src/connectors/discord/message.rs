//! One part as one message, and what is kept of it.
//!
//! <https://docs.discord.com/developers/resources/message#create-message> and
//! <https://docs.discord.com/developers/resources/webhook#execute-webhook>, as of 2026-08.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    API, BOT, WEB,
    draft::{self, CHANNEL, GUILD},
    is_webhook,
};
use crate::{
    connectors::{
        Auth, Body, FilePart, Fill, Job, JobMedia, Method, Repeat, Request, SecretName, Site,
    },
    domain::{
        button::Button,
        delivery::Live,
        media::MediaKind,
        platform::{TextLimit, TextUnit},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub(super) id: String,
    /// The webhook that sent it, or the channel that a bot sent it in.
    place: String,
    /// The post of a forum that a webhook sent it in, which is a channel of its own; else empty.
    thread: String,
    url: String,
}

/// "It will be checked for uniqueness in the past few minutes" (create-message, as of 2026-08); how
/// few, nobody says. Later, a look at the channel decides.
const NONCE_VALID_FOR: Duration = Duration::from_secs(2 * 60);

/// "Requests must have a valid user agent": `DiscordBot ($url, $versionNumber)` (reference, as of
/// 2026-08). Without one, Cloudflare may keep us out. There is no page of Fanfare's to name.
const USER_AGENT: &str =
    concat!("DiscordBot (https://fanfare.invalid, ", env!("CARGO_PKG_VERSION"), ")");

const SUPPRESS_EMBEDS: u32 = 4;
const SUPPRESS_NOTIFICATIONS: u32 = 4_096;

/// "Action Row": at most five buttons in each.
const BUTTONS_IN_ROW: usize = 5;

impl Sent {
    pub(super) fn find(body: &Value, job: &Job) -> Option<Sent> {
        let id = body["id"].as_str()?.to_owned();
        let channel = body["channel_id"].as_str()?.to_owned();
        let guild = job.author.traits.get(GUILD).map_or("@me", String::as_str);
        let url = job.site.url(WEB, &format!("/channels/{guild}/{channel}/{id}"));
        let (place, thread) = match is_webhook(&job.site) {
            true if job.author.traits.get(CHANNEL) == Some(&channel) => {
                (job.author.remote_id.clone(), String::new())
            }
            true => (job.author.remote_id.clone(), channel),
            false => (channel, String::new()),
        };
        Some(Sent { id, place, thread, url })
    }

    /// `channel/message` of a bot, `webhook/message` or `webhook/message/thread` of a webhook.
    pub(super) fn live(&self) -> Live {
        let Sent { id, place, thread, url } = self;
        let thread = if thread.is_empty() { String::new() } else { format!("/{thread}") };
        Live { id: format!("{place}/{id}{thread}"), url: url.clone() }
    }
}

/// A call of a bot's.
pub(super) fn call(method: Method, path: &str, body: Body, site: &Site) -> Request {
    Request {
        method,
        headers: vec![("user-agent", USER_AGENT.to_owned())],
        auth: Auth::AccessAs("Bot"),
        ..Request::post(site.url(API, path), body, Repeat::Harmless)
    }
}

/// A call to a webhook. Its token is a piece of the address, which the engine puts there.
pub(super) fn call_webhook(
    method: Method,
    webhook: &str,
    rest: &str,
    body: Body,
    site: &Site,
) -> Request {
    let path = format!("/webhooks/{webhook}/{{token}}{rest}");
    let fill = Fill { place: "{token}".to_owned(), secret: SecretName::Access };
    Request { auth: Auth::None, fills: vec![fill], ..call(method, &path, body, site) }
}

/// The request for the part after those in `sent`.
pub(super) fn sending(sent: &[Sent], job: &Job) -> Request {
    let (number, part) = (sent.len(), &job.parts[sent.len()]);
    let mut message = content(number, job);
    if is_webhook(&job.site) {
        // Without `wait` a failure is never told.
        let mut query = "?wait=true".to_owned();
        if message.get("components").is_some() {
            query.push_str("&with_components=true");
        }
        let opens_thread = !job.option(draft::THREAD_NAME).is_empty();
        // The first message opened it; the others go into it.
        if let Some(first) = sent.first().filter(|first| !first.thread.is_empty()) {
            query.push_str(&format!("&thread_id={}", first.thread));
        }
        for (name, option) in [("username", draft::USERNAME), ("avatar_url", draft::AVATAR_URL)] {
            if !job.option(option).is_empty() {
                message[name] = json!(job.option(option));
            }
        }
        if opens_thread && number == 0 {
            message["thread_name"] = json!(job.option(draft::THREAD_NAME));
        }
        let (webhook, body) = (&job.author.remote_id, body(message, &part.media));
        let request = call_webhook(Method::Post, webhook, &query, body, &job.site);
        return Request { repeat: Repeat::Duplicates, ..request };
    }
    if let Some(before) = sent.last() {
        message["message_reference"] = json!({ "message_id": before.id });
    }
    let key = nonce(number, job);
    message["nonce"] = json!(key);
    message["enforce_nonce"] = json!(true);
    let path = format!("/channels/{}/messages", channel(job));
    let request = call(Method::Post, &path, body(message, &part.media), &job.site);
    Request { repeat: Repeat::Keyed { key, valid_for: NONCE_VALID_FOR }, ..request }
}

/// What a bot and a webhook say alike. Options that are of the post go with its first part.
fn content(number: usize, job: &Job) -> Value {
    // Unless somebody wants it, a text calls nobody, whatever it says.
    let mentions = match job.option(draft::MENTIONS) {
        "true" => json!({ "parse": ["users", "roles", "everyone"] }),
        _ => json!({ "parse": [] }),
    };
    let mut message = json!({ "allowed_mentions": mentions });
    let mut flags = 0;
    if job.option(draft::SILENT) == "true" {
        flags |= SUPPRESS_NOTIFICATIONS;
    }
    if job.option(draft::SUPPRESS_EMBEDS) == "true" {
        flags |= SUPPRESS_EMBEDS;
    }
    if flags > 0 {
        message["flags"] = json!(flags);
    }
    let mut text = job.parts[number].text.as_str();
    if number == 0 {
        let buttons = Button::all(job.option(draft::BUTTONS));
        if !buttons.is_empty() {
            message["components"] = buttons.chunks(BUTTONS_IN_ROW).map(row).collect();
        }
        if let Some(poll) = draft::Poll::of(&job.options, text) {
            text = if poll.asks_text { "" } else { text };
            message["poll"] = poll.value();
        }
        if let Some(embed) = embed(job) {
            message["embeds"] = json!([embed]);
        }
    }
    if !text.is_empty() {
        message["content"] = json!(text);
    }
    message
}

/// Type 1 is a row, type 2 a button, style 5 one that opens an address.
fn row(buttons: &[Button]) -> Value {
    let button = |it: &Button| json!({ "type": 2, "style": 5, "label": it.label, "url": it.url });
    json!({ "type": 1, "components": buttons.iter().map(button).collect::<Vec<_>>() })
}

fn embed(job: &Job) -> Option<Value> {
    let mut embed = json!({});
    for (name, option) in [("title", draft::EMBED_TITLE), ("description", draft::EMBED_DESCRIPTION)]
    {
        if !job.option(option).is_empty() {
            embed[name] = json!(job.option(option));
        }
    }
    (embed != json!({})).then_some(embed)
}

/// With files, the message is the part `payload_json` of a form (reference, "Uploading files").
fn body(mut message: Value, media: &[JobMedia]) -> Body {
    if media.is_empty() {
        return Body::Json(message);
    }
    let attachment = |(index, media): (usize, &JobMedia)| {
        let mut attachment = json!({ "id": index.to_string(), "filename": file_name(media) });
        if !media.alt.is_empty() {
            attachment["description"] = json!(media.alt);
        }
        attachment
    };
    message["attachments"] = media.iter().enumerate().map(attachment).collect();
    let file = |(index, media): (usize, &JobMedia)| FilePart {
        field: format!("files[{index}]"),
        media: media.id,
        range: None,
        cipher: None,
        file_name: file_name(media),
        content_type: media.mime.clone(),
    };
    Body::Multipart {
        fields: vec![("payload_json".to_owned(), message.to_string())],
        files: media.iter().enumerate().map(file).collect(),
    }
}

/// Readers see the name of a document. Of other files it decides only whether they are shown.
fn file_name(media: &JobMedia) -> String {
    match media.kind {
        MediaKind::Document if !media.name.is_empty() => media.name.clone(),
        MediaKind::Document | MediaKind::Image | MediaKind::Gif | MediaKind::Video => {
            let ending = match media.mime.as_str() {
                "image/jpeg" => "jpg",
                "video/quicktime" => "mov",
                mime => mime.split_once('/').map_or("bin", |(_, subtype)| subtype),
            };
            format!("{}.{ending}", media.id)
        }
    }
}

pub(super) fn channel(job: &Job) -> &str {
    let channel = job.author.traits.get(CHANNEL).map(String::as_str);
    channel.unwrap_or(&job.author.remote_id)
}

/// At most 25 characters; the same for every repetition, another one as soon as anything changes.
pub(super) fn nonce(number: usize, job: &Job) -> String {
    let part = &job.parts[number];
    let files = part.media.iter().map(|media| json!([media.id.to_string(), media.alt]));
    let files: Vec<Value> = files.collect();
    let content = json!([BOT, job.delivery.to_string(), number, part.text, files, job.options]);
    let digest = Sha256::digest(content.to_string());
    digest[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a poll's question may have.
pub(super) const QUESTION: TextLimit = TextLimit { max: 300, unit: TextUnit::Chars };
