//! Every accepted publication, in order. Crash tests count this: a repeat that a platform
//! recognised as such adds nothing.
//!
//! Invariant: entries are never removed and never change their sequence; deletion is a mark.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::Platform;

/// One publication as the platform accepted it.
#[derive(Clone, Debug)]
pub struct LedgerEntry {
    /// From 1, without gaps, over all platforms.
    pub sequence: u64,
    pub at: Timestamp,
    pub platform: Platform,
    /// The account's id on the platform.
    pub account: String,
    pub handle: String,
    pub id: String,
    pub url: String,
    /// As it was sent, before links are rewritten or marked up.
    pub text: String,
    pub media: Vec<LedgerMedia>,
    /// The id of the publication that this one answers.
    pub reply_to: Option<String>,
    /// What the client sent so that repeats are recognised: Mastodon's header, Bluesky's rkey.
    pub idempotency_key: Option<String>,
    pub deleted_at: Option<Timestamp>,
    pub(crate) face: Face,
}

#[derive(Clone, Debug)]
pub struct LedgerMedia {
    /// `image`, `video`, `gif`, `audio` or `document`.
    pub kind: &'static str,
    pub mime: &'static str,
    /// Size in bytes.
    pub bytes: usize,
    pub alt: String,
    pub(crate) shelf: u64,
}

/// What a reader sees beyond the plain text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Face {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) warning: Option<String>,
    pub(crate) card: Option<Card>,
    pub(crate) poll: Vec<String>,
    /// What else the platform shows beside the post, in words: "made with AI".
    pub(crate) marks: Vec<String>,
    /// What kind of publication it is, where it is not a plain post: `story`, `reel`.
    pub(crate) label: Option<&'static str>,
    pub(crate) edited: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Plain(String),
    Link { shown: String, url: String },
}

#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) description: String,
}

impl LedgerEntry {
    pub(crate) fn to_json(&self) -> Value {
        let media: Vec<Value> = self
            .media
            .iter()
            .map(|media| {
                json!({ "kind": media.kind, "mime": media.mime, "bytes": media.bytes,
                    "alt": media.alt, "path": format!("/_sandbox/media/{}", media.shelf) })
            })
            .collect();
        json!({
            "sequence": self.sequence, "at": self.at.rfc3339(), "platform": self.platform.name(),
            "account": self.account, "handle": self.handle, "id": self.id, "url": self.url,
            "text": self.text, "media": media, "reply_to": self.reply_to,
            "idempotency_key": self.idempotency_key, "poll": self.face.poll,
            "marks": self.face.marks, "label": self.face.label, "edited": self.face.edited,
            "warning": self.face.warning,
            "deleted_at": self.deleted_at.map(Timestamp::rfc3339),
        })
    }
}

#[derive(Default)]
pub(crate) struct Ledger {
    entries: Vec<LedgerEntry>,
    places: HashMap<(Platform, String), usize>,
}

impl Ledger {
    /// Gives the entry its sequence and keeps it.
    pub(crate) fn record(&mut self, mut entry: LedgerEntry) {
        entry.sequence = self.entries.len() as u64 + 1;
        let key = (entry.platform, entry.id.clone());
        self.places.insert(key, self.entries.len());
        self.entries.push(entry);
    }

    pub(crate) fn mark_deleted(&mut self, platform: Platform, id: &str, now: Timestamp) {
        if let Some(entry) = self.find_mut(platform, id) {
            entry.deleted_at.get_or_insert(now);
        }
    }

    /// For platforms where an edit may bring other files.
    pub(crate) fn replace_media(&mut self, platform: Platform, id: &str, media: Vec<LedgerMedia>) {
        if let Some(entry) = self.find_mut(platform, id) {
            entry.media = media;
        }
    }

    pub(crate) fn mark_edited(&mut self, platform: Platform, id: &str, text: &str, face: Face) {
        if let Some(entry) = self.find_mut(platform, id) {
            entry.text = text.to_owned();
            entry.face = face;
            entry.face.edited = true;
        }
    }

    /// An edit under an id of its own leads to the same entry.
    pub(crate) fn also_known_as(&mut self, platform: Platform, id: &str, other: &str) {
        if let Some(place) = self.places.get(&(platform, id.to_owned())).copied() {
            self.places.insert((platform, other.to_owned()), place);
        }
    }

    pub(crate) fn find(&self, platform: Platform, id: &str) -> Option<&LedgerEntry> {
        let place = self.places.get(&(platform, id.to_owned()))?;
        self.entries.get(*place)
    }

    fn find_mut(&mut self, platform: Platform, id: &str) -> Option<&mut LedgerEntry> {
        let place = self.places.get(&(platform, id.to_owned()))?;
        self.entries.get_mut(*place)
    }

    pub(crate) fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }
}
