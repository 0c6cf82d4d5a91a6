//! Programs of people who receive signed events, one under each name: `/webhook/{name}`.
//!
//! Standard Webhooks (specification 1.0, as of August 2026) says how an event is signed and
//! repeated; what is in it, the guide to webhooks.
//!
//! Invariants: two events with one `webhook-id` are one; what is not signed as it should be changes
//! nothing.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::domain::time::Timestamp;

use super::{
    Platform,
    faults::Operation,
    given::Flaw,
    wire::{Answer, Call},
    world::{Books, Simulation},
};

mod event;
#[cfg(test)]
mod tests;

/// The guide to webhooks tells people to refuse what is older.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
const PREFIX: &str = "whsec_";

#[derive(Default)]
pub(crate) struct Webhook {
    receivers: BTreeMap<String, Receiver>,
}

#[derive(Default)]
struct Receiver {
    standing: Standing,
    received: Vec<Received>,
    /// What each `webhook-id` was answered with the first time.
    answers: HashMap<String, Value>,
    /// What readers see, by the `webhook-id` that brought it.
    posts: HashMap<String, String>,
}

#[derive(Default)]
enum Standing {
    /// Signatures are wanted, and not checked.
    #[default]
    Untold,
    Told(Vec<u8>),
    /// The secret is not the one that events are signed with any more.
    Changed,
    /// Nothing is wanted any more.
    Gone,
}

struct Received {
    id: String,
    at: Timestamp,
    body: Value,
    /// How often it came again.
    repeats: u64,
}

/// A status and why.
pub(super) struct No(u16, String);

impl From<Flaw> for No {
    fn from(flaw: Flaw) -> No {
        No(422, flaw.sentence())
    }
}

impl No {
    fn answer(&self) -> Answer {
        Answer::json(self.0, &json!({ "error": self.1 }))
    }
}

/// An event whose headers are as they should be.
struct Signed {
    id: String,
    body: Value,
}

impl Webhook {
    /// From now on the receiver checks what comes. The error says what is wrong with the secret.
    pub(crate) fn tell(&mut self, name: &str, secret: &str) -> Result<(), &'static str> {
        let key = secret.strip_prefix(PREFIX).and_then(|rest| STANDARD.decode(rest).ok());
        let key = key.filter(|key| (24..=64).contains(&key.len()));
        let key = key.ok_or("`secret` must be whsec_ and 24 to 64 bytes in base 64")?;
        self.receivers.entry(name.to_owned()).or_default().standing = Standing::Told(key);
        Ok(())
    }

    /// Each event that was taken, oldest first.
    pub(crate) fn received(&self, name: &str) -> Vec<Value> {
        let all = self.receivers.get(name).into_iter().flat_map(|it| &it.received);
        all.map(|it| {
            json!({ "id": it.id, "at": it.at.rfc3339(), "body": it.body, "repeats": it.repeats })
        })
        .collect()
    }

    fn judge(&self, call: &Call) -> Result<Signed, No> {
        let name = name(call).ok_or_else(|| No(404, "nobody receives here".to_owned()))?;
        if call.method.as_str() != "POST" {
            return Err(No(405, "events are sent by POST".to_owned()));
        }
        let untold = Standing::Untold;
        let standing = self.receivers.get(name).map_or(&untold, |it| &it.standing);
        if let Standing::Gone = standing {
            return Err(No(410, "nothing is wanted here any more".to_owned()));
        }
        let id = verified(call, standing).map_err(|why| No(401, why.to_owned()))?;
        if !call.content_type().starts_with("application/json") {
            return Err(No(415, "an event is application/json".to_owned()));
        }
        let body = call.json().ok_or_else(|| No(400, "the body is not JSON".to_owned()))?;
        Ok(Signed { id, body })
    }

    fn take(&mut self, call: &Call, books: &mut Books) -> Result<Value, No> {
        let signed = self.judge(call)?;
        let name = name(call).unwrap_or_default();
        let receiver = self.receivers.entry(name.to_owned()).or_default();
        if let Some(answer) = receiver.answers.get(&signed.id).cloned() {
            let known = receiver.received.iter_mut().find(|it| it.id == signed.id);
            if let Some(known) = known {
                known.repeats += 1;
            }
            return Ok(answer);
        }
        let answer = receiver.act(call, name, &signed, books)?;
        receiver.answers.insert(signed.id.clone(), answer.clone());
        let Signed { id, body } = signed;
        receiver.received.push(Received { id, at: call.now, body, repeats: 0 });
        Ok(answer)
    }

    fn receiver(&mut self, call: &Call) -> Option<&mut Receiver> {
        name(call).map(|name| self.receivers.entry(name.to_owned()).or_default())
    }
}

impl Receiver {
    fn act(
        &mut self,
        call: &Call,
        name: &str,
        signed: &Signed,
        books: &mut Books,
    ) -> Result<Value, No> {
        match signed.body["type"].as_str() {
            Some("webhook.test") => Ok(json!({})),
            Some("post.published") => {
                let published = event::published(&signed.body, &signed.id)?;
                let previous = match &published.previous {
                    Some(event) => Some(self.post(event)?.to_owned()),
                    None => None,
                };
                let made = event::record(call, name, published, previous, books)?;
                self.posts.insert(signed.id.clone(), made.id.clone());
                Ok(json!({ "id": made.id, "url": made.url }))
            }
            Some("post.updated") => {
                let updated = event::updated(&signed.body)?;
                let id = self.named(updated.event, updated.id)?;
                event::edit(id, updated.text, books);
                Ok(json!({}))
            }
            Some("post.deleted") => {
                let deleted = event::deleted(&signed.body)?;
                let id = self.named(deleted.event, deleted.id)?;
                books.ledger.mark_deleted(Platform::Webhook, id, call.now);
                Ok(json!({}))
            }
            Some(other) => Err(No(422, format!("type: {other} is not known"))),
            None => Err(No(422, "type: is missing".to_owned())),
        }
    }

    fn post(&self, event: &str) -> Result<&str, No> {
        let found = self.posts.get(event).map(String::as_str);
        found.ok_or_else(|| No(404, format!("no post came as {event}")))
    }

    /// The post of an event, if that is what we called it.
    fn named(&self, event: &str, id: Option<&str>) -> Result<&str, No> {
        let post = self.post(event)?;
        match id {
            Some(id) if id != post => Err(No(422, format!("id: {event} was not called {id}"))),
            Some(_) | None => Ok(post),
        }
    }
}

fn name(call: &Call) -> Option<&str> {
    match call.segments.as_slice() {
        [name] => Some(name),
        [] | [_, ..] => None,
    }
}

/// The event's id, once its headers are in order and its signature is right.
fn verified(call: &Call, standing: &Standing) -> Result<String, &'static str> {
    let header = |name| call.header(name).filter(|text| !text.is_empty());
    let id = header("webhook-id").ok_or("webhook-id is missing")?;
    let told = header("webhook-timestamp").ok_or("webhook-timestamp is missing")?;
    let seconds: u64 = told.parse().map_err(|_| "webhook-timestamp is not in whole seconds")?;
    if seconds.abs_diff(call.now.0 / 1_000) > TOLERANCE.as_secs() {
        return Err("webhook-timestamp is not of the last five minutes");
    }
    let signatures = header("webhook-signature").ok_or("webhook-signature is missing")?;
    let signatures: Vec<Vec<u8>> = signatures
        .split(' ')
        .filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok())
        .filter(|bytes| bytes.len() == 32)
        .collect();
    if signatures.is_empty() {
        return Err("webhook-signature holds none of version v1");
    }
    let right = match standing {
        Standing::Untold => true,
        Standing::Told(key) => {
            signatures.iter().any(|one| is_right(key, id, told, &call.body, one))
        }
        Standing::Changed | Standing::Gone => false,
    };
    match right {
        true => Ok(id.to_owned()),
        false => Err("webhook-signature is not of our secret"),
    }
}

/// HMAC-SHA256 of id, timestamp and payload with dots between them (Standard Webhooks 1.0).
fn is_right(key: &[u8], id: &str, timestamp: &str, body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

impl Simulation for Webhook {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let body = call.json()?;
        match body["type"].as_str() {
            Some("post.deleted") => Some(Operation::Delete),
            Some("post.published" | "post.updated") => Some(Operation::Publish),
            Some(_) | None => Some(Operation::Token),
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        name(call).map(str::to_owned)
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        // As a careful program does: nothing is fetched for strangers, and nothing twice.
        let Ok(signed) = self.judge(call) else { return Vec::new() };
        let receiver = name(call).and_then(|name| self.receivers.get(name));
        match receiver.is_some_and(|it| it.answers.contains_key(&signed.id)) {
            true => Vec::new(),
            false => event::addresses(&signed.body),
        }
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        match self.take(call, books) {
            Ok(answer) => Answer::json(200, &answer),
            Err(no) => no.answer(),
        }
    }

    fn refused(&self, _operation: Operation, status: Option<u16>) -> Answer {
        let status = status.unwrap_or(400);
        let words = match status {
            401 | 403 => "The signature is not taken any more",
            410 => "Nothing is wanted here any more",
            500.. => "Something went wrong here",
            _ => "This event is not taken",
        };
        No(status, words.to_owned()).answer()
    }

    fn throttled(&self, _call: &Call, retry_after: Option<Duration>) -> Answer {
        let wait = retry_after.unwrap_or(Duration::from_secs(60)).as_secs();
        No(429, "Too many events".to_owned()).answer().with("retry-after", wait.to_string())
    }

    /// The program has another secret, and was not told ours.
    fn expire(&mut self, call: &Call) {
        if let Some(receiver) = self.receiver(call) {
            receiver.standing = Standing::Changed;
        }
    }

    /// It is gone until it is told a secret again.
    fn revoke(&mut self, call: &Call) {
        if let Some(receiver) = self.receiver(call) {
            receiver.standing = Standing::Gone;
        }
    }
}
