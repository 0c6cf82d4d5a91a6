//! The events that we send, and what is kept of each.
//!
//! Invariant: an event says the same whenever it is sent again, and has the same `webhook-id`; what
//! says something else has another.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{address, origin};
use crate::{
    connectors::{Auth, Body, Job, JobMedia, Repeat, Reply, Request, Site},
    domain::delivery::Live,
};

/// One part that was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// The `webhook-id` of `post.published`: our name of the part for good.
    event: String,
    /// How often its text was changed.
    revision: u32,
    /// What the receiver calls it; empty where it does not say.
    id: String,
    url: String,
}

/// How long a receiver has to know an id again, as our guide asks of it: "store the id for a day
/// or longer". The specification names no time.
const KEY_VALID_FOR: Duration = Duration::from_secs(24 * 60 * 60);

const WEBHOOK_ID: &str = "webhook-id";

/// More of what a receiver says of itself is not kept.
const ANSWER_CHARS_MAX: usize = 500;

impl Sent {
    /// The answer may name what was made of it: `{"id": …, "url": …}`.
    pub(super) fn read(event: String, reply: &Reply) -> Sent {
        Sent { event, revision: 0, id: String::new(), url: String::new() }.renamed(reply)
    }

    /// With whatever this answer says; what it is silent of stays.
    pub(super) fn renamed(self, reply: &Reply) -> Sent {
        let said = &reply.body["id"];
        let number = || said.as_number().map(ToString::to_string);
        let id = said.as_str().map(str::to_owned).or_else(number);
        let id = id.filter(|id| id.chars().count() <= ANSWER_CHARS_MAX).unwrap_or(self.id);
        let url = reply.body["url"].as_str().filter(|url| is_address(url));
        Sent { id, url: url.map_or(self.url, str::to_owned), ..self }
    }

    pub(super) fn revised(self) -> Sent {
        Sent { revision: self.revision.saturating_add(1), ..self }
    }

    pub(super) fn live(&self, site: &Site) -> Live {
        let Sent { event, revision, id, url } = self;
        Live {
            id: format!("{event}/{revision}/{id}"),
            url: if url.is_empty() { origin(site) } else { url.clone() },
        }
    }

    pub(super) fn of_live(live: &Live) -> Sent {
        let mut pieces = live.id.splitn(3, '/');
        let mut piece = || pieces.next().unwrap_or_default();
        Sent {
            event: piece().to_owned(),
            revision: piece().parse().unwrap_or_default(),
            id: piece().to_owned(),
            url: live.url.clone(),
        }
    }

    fn named(&self) -> Value {
        json!({ "event": self.event, "id": self.id })
    }
}

fn is_address(text: &str) -> bool {
    text.len() <= ANSWER_CHARS_MAX
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The `webhook-id` of a part, the first being 0. No dots: they part what is signed.
pub(super) fn id(number: usize, job: &Job) -> String {
    format!("msg_{}_{}", job.delivery, number + 1)
}

/// The event for the part after those in `sent`.
pub(super) fn published(sent: &[Sent], job: &Job) -> Request {
    let (number, id) = (sent.len(), id(sent.len(), job));
    let part = &job.parts[number];
    let media: Vec<Value> = part.media.iter().map(file).collect();
    let event = json!({
        "type": "post.published",
        "timestamp": job.due.rfc3339(),
        "data": {
            "id": id,
            "delivery": job.delivery.to_string(),
            "account": { "id": job.author.remote_id, "name": job.author.name },
            "part": number + 1,
            "parts": job.parts.len(),
            "previous": sent.last().map(Sent::named),
            "text": part.text,
            "media": media,
            "options": job.options,
            "planned": job.due.rfc3339(),
        },
    });
    let repeat = Repeat::Keyed { key: id.clone(), valid_for: KEY_VALID_FOR };
    signed(address(&job.site), id, event, repeat)
}

fn file(media: &JobMedia) -> Value {
    json!({
        "kind": media.kind.name(),
        "type": media.mime,
        "bytes": media.bytes,
        "width": media.size.map(|(width, _)| width),
        "height": media.size.map(|(_, height)| height),
        "milliseconds": media.length.map(|length| u64::try_from(length.as_millis()).ok()),
        "name": media.name,
        "alt": media.alt,
        "url": media.url,
    })
}

/// To try an address out; it says nothing of any post.
pub(super) fn test(address: String, id: String) -> Request {
    let event = json!({ "type": "webhook.test", "data": { "id": id } });
    signed(address, id, event, Repeat::Harmless)
}

pub(super) fn deleted(sent: &Sent, site: &Site) -> Request {
    let event = json!({ "type": "post.deleted", "data": sent.named() });
    signed(address(site), format!("{}_deleted", sent.event), event, Repeat::Harmless)
}

/// The id has the revision and the text in it: a text that comes back later is a change again, and
/// one whose answer was lost may be followed by another.
pub(super) fn updated(sent: &Sent, text: &str, site: &Site) -> Request {
    let mut data = sent.named();
    data["text"] = json!(text);
    let event = json!({ "type": "post.updated", "data": data });
    let id = format!("{}_{}_{}", sent.event, sent.revision + 1, super::errand::digest(text));
    signed(address(site), id, event, Repeat::Harmless)
}

fn signed(address: String, id: String, event: Value, repeat: Repeat) -> Request {
    Request {
        auth: Auth::Signed,
        headers: vec![(WEBHOOK_ID, id)],
        ..Request::post(address, Body::Json(event), repeat)
    }
}
