//! Looks among the newest messages of a channel for one that a bot sent.
//!
//! <https://docs.discord.com/developers/resources/message#get-channel-messages>, as of 2026-08:
//! "If the current user is missing the `READ_MESSAGE_HISTORY` permission in the channel, then no
//! messages will be returned". So an empty list proves nothing.

use std::time::Duration;

use serde_json::Value;

use super::{
    draft::USER,
    message::{Sent, call, channel, nonce},
};
use crate::{
    connectors::{Body, Job, Method, Reply, Request},
    domain::time::Timestamp,
};

const LIMIT: usize = 100;

/// How far Discord's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(60);

/// "Milliseconds since Discord Epoch, the first second of 2015", in the upper bits of each id.
const EPOCH_MILLIS: u64 = 1_420_070_400_000;

pub(super) enum Listing {
    Found(Sent),
    Absent,
    Unsure(String),
}

pub(super) fn request(job: &Job) -> Request {
    let path = format!("/channels/{}/messages?limit={LIMIT}", channel(job));
    call(Method::Get, &path, Body::Empty, &job.site)
}

pub(super) fn search(sent: &[Sent], job: &Job, reply: &Reply) -> Listing {
    let unsure = |reason: &str| Listing::Unsure(reason.to_owned());
    let messages = match (&reply.body, reply.status) {
        (Value::Array(messages), 200) => messages,
        (_, status) => {
            return Listing::Unsure(format!("Discord did not list the messages (HTTP {status})"));
        }
    };
    let since = job.armed.unwrap_or(job.due).before(SKEW);
    let Some(times) = messages.iter().map(time_of).collect::<Option<Vec<Timestamp>>>() else {
        return unsure("Discord's list of messages could not be read");
    };
    let bot = job.author.traits.get(USER).map_or("", String::as_str);
    let is_new = |message: &Value| sent.iter().all(|sent| message["id"] != sent.id);
    let is_of_others = |message: &Value| {
        Sent::find(message, job).is_some_and(|sent| job.is_taken(&sent.live().id))
    };
    let ours: Vec<&Value> = messages
        .iter()
        .zip(&times)
        .filter(|(message, at)| **at >= since && message["author"]["id"] == bot)
        .map(|(message, _)| message)
        .filter(|message| is_new(message) && !is_of_others(message))
        .collect();
    let key = nonce(sent.len(), job);
    let by_key = ours.iter().find(|message| message["nonce"] == key);
    let alike: Vec<&&Value> =
        ours.iter().filter(|message| is_alike(message, sent.len(), job)).collect();
    if by_key.is_none() && alike.len() > 1 {
        return unsure("several messages of that moment say the same as this one");
    }
    let found = by_key.or_else(|| alike.first().copied());
    if let Some(message) = found.and_then(|message| Sent::find(message, job)) {
        return Listing::Found(message);
    }
    match times.last() {
        None => unsure(
            "Discord shows no messages of the channel; perhaps the bot may not read its history",
        ),
        Some(oldest) if messages.len() >= LIMIT && *oldest >= since => {
            unsure("so much was written since that the list does not reach back far enough")
        }
        Some(_) => Listing::Absent,
    }
}

/// The same text, and as many files.
fn is_alike(message: &Value, number: usize, job: &Job) -> bool {
    let part = &job.parts[number];
    let files = message["attachments"].as_array().map_or(0, Vec::len);
    let text = message["content"].as_str().unwrap_or_default();
    let asked = message["poll"]["question"]["text"].as_str().unwrap_or_default();
    let is_text = text.trim() == part.text.trim();
    files == part.media.len() && (is_text || (text.is_empty() && asked == part.text.trim()))
}

fn time_of(message: &Value) -> Option<Timestamp> {
    let id: u64 = message["id"].as_str()?.parse().ok()?;
    Some(Timestamp((id >> 22) + EPOCH_MILLIS))
}
