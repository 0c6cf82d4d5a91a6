//! The message that every recipient gets, and what is kept of each.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>, as of 2026-10.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::GRAPH;
use crate::{
    connectors::{Body, FilePart, Job, Repeat, Request},
    domain::{
        delivery::Live,
        media::MediaKind,
        platform::{FORMAT, Loss, OptionRule, OptionValue},
    },
};

/// Somebody who has it, as far as Meta has said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub(super) to: String,
    /// Empty: a person says that it is there.
    pub(super) id: String,
    /// Why Meta has taken it and not sent it yet; empty: it has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) held: String,
}

/// Somebody to whom it surely was not sent, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    pub(super) to: String,
    pub(super) words: String,
}

/// A format, and the option that names the template.
pub(super) const TEMPLATE: &str = "template";
pub(super) const LANGUAGE: &str = "language";
pub(super) const PARAMETERS: &str = "template_parameters";
pub(super) const RECIPIENTS: &str = "recipients";

/// "Caption: 1024".
pub(super) const CAPTION_CHARS_MAX: usize = 1_024;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: LANGUAGE,
        value: OptionValue::Text { chars_max: 20 },
        loss: Loss::Harmless,
        about: "The language of the template, as WhatsApp Manager has it, such as `en_US`.",
    },
    OptionRule {
        name: RECIPIENTS,
        value: OptionValue::Lines { items_min: 1, items_max: 200, chars_max: 16 },
        loss: Loss::Harmless,
        about: "Phone numbers of people who agreed to get messages, one a line, such as \
                `+4915112345678`.",
    },
    OptionRule {
        name: TEMPLATE,
        value: OptionValue::Text { chars_max: 512 },
        loss: Loss::Harmless,
        about: "The name of an approved template.",
    },
    OptionRule {
        name: PARAMETERS,
        value: OptionValue::Lines { items_min: 1, items_max: 50, chars_max: 1_024 },
        loss: Loss::Harmless,
        about: "What stands for {{1}}, {{2}} and so on in the template's text, one a line.",
    },
];

impl Message {
    /// A message has no address; the nearest is the chat.
    pub(super) fn live(&self) -> Live {
        let url = format!("https://wa.me/{}", self.to.trim_start_matches('+'));
        Live { id: self.id.clone(), url }
    }
}

/// "`message_status`: `accepted`, `held_for_quality_assessment` or `paused`": the last two are of
/// templates whose quality Meta is not sure of, and may never be sent.
pub(super) fn held(body: &Value) -> &str {
    match body["messages"][0]["message_status"].as_str() {
        None | Some("accepted") => "",
        Some(status) => status,
    }
}

/// In order, each once.
pub(super) fn recipients(job: &Job) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    lines(job.option(RECIPIENTS)).filter(|line| seen.insert(*line)).collect()
}

pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Nobody sees a file that is not sent; after 30 days it is gone.
pub(super) fn upload(job: &Job) -> Request {
    let media = &job.parts[0].media[0];
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let body = Body::Multipart {
        fields: vec![field("messaging_product", "whatsapp"), field("type", &media.mime)],
        files: vec![FilePart {
            field: "file".to_owned(),
            media: media.id,
            range: None,
            cipher: None,
            file_name: media.name.clone(),
            content_type: media.mime.clone(),
        }],
    };
    Request::post(at("media", job), body, Repeat::Harmless)
}

/// "No key, no duplicate rule": a second one is a second message.
pub(super) fn send(to: &str, file: &str, job: &Job) -> Request {
    let (kind, content) = content(file, job);
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        // Comes back in every webhook about this message.
        "biz_opaque_callback_data": job.delivery.to_string(),
    });
    body[kind] = content;
    Request::post(at("messages", job), Body::Json(body), Repeat::Duplicates)
}

fn at(edge: &str, job: &Job) -> String {
    job.site.url(GRAPH, &format!("/{{version}}/{}/{edge}", job.author.remote_id))
}

fn content(file: &str, job: &Job) -> (&'static str, Value) {
    let part = &job.parts[0];
    if job.option(FORMAT) == TEMPLATE {
        return (TEMPLATE, template(file, job));
    }
    let Some(media) = part.media.first() else {
        return ("text", json!({ "body": part.text, "preview_url": true }));
    };
    let mut content = json!({ "id": file });
    if !part.text.trim().is_empty() {
        content["caption"] = json!(part.text);
    }
    match media.kind {
        MediaKind::Image | MediaKind::Gif => ("image", content),
        MediaKind::Video => ("video", content),
        MediaKind::Document => {
            content["filename"] = json!(media.name);
            ("document", content)
        }
    }
}

fn template(file: &str, job: &Job) -> Value {
    let mut components = Vec::new();
    if !file.is_empty() {
        let image = json!({ "type": "image", "image": { "id": file } });
        components.push(json!({ "type": "header", "parameters": [image] }));
    }
    let parameters = lines(job.option(PARAMETERS));
    let parameters: Vec<Value> =
        parameters.map(|text| json!({ "type": "text", "text": text })).collect();
    if !parameters.is_empty() {
        components.push(json!({ "type": "body", "parameters": parameters }));
    }
    let mut template = json!({
        "name": job.option(TEMPLATE),
        "language": { "policy": "deterministic", "code": job.option(LANGUAGE) },
    });
    if !components.is_empty() {
        template["components"] = json!(components);
    }
    template
}
