//! Encrypted files: AES-256-CBC with PKCS#7, its key and vector told beforehand, sent in parts.
//! Public-Profile-API, media, read 2026-11-21.

use std::{collections::BTreeMap, time::Duration};

use aes::Aes256;
use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Decryptor,
    cipher::{BlockDecryptMut, KeyIvInit, block_padding::Pkcs7},
};
use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        door,
        given::{Flaw, Given},
        kept::Kept,
        meta::film,
        shelf::sniff,
    },
};

use super::{
    Answer, Books, Call, Reply, Snapchat, body, fine, full, invalid, not_found, refusal,
    signin::new_id,
};

/// "A media object lives 24 hours".
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
const PARTS: std::ops::RangeInclusive<u64> = 1..=35;
const PART_BYTES_MAX: usize = 32 * 1024 * 1024;
const IMAGE_BYTES_MAX: usize = 20 * 1024 * 1024;
const SECONDS: std::ops::RangeInclusive<f64> = 5.0..=60.0;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Film,
}

impl Kind {
    fn processing(self) -> Duration {
        match self {
            Kind::Image => Duration::from_secs(4),
            Kind::Film => Duration::from_secs(12),
        }
    }

    fn accepts(self, bytes: &Bytes) -> bool {
        match self {
            Kind::Image => {
                let known = ["image/jpeg", "image/png"].contains(&sniff(bytes));
                known && bytes.len() <= IMAGE_BYTES_MAX
            }
            Kind::Film => {
                sniff(bytes) == "video/mp4"
                    && film::is_film_of(std::slice::from_ref(bytes), &SECONDS)
            }
        }
    }
}

pub(super) struct Media {
    account: usize,
    pub(super) kind: Kind,
    key: [u8; 32],
    vector: [u8; 16],
    began: Timestamp,
    stage: Stage,
}

/// `Adding → Finalized → Posted`.
enum Stage {
    Adding { parts: BTreeMap<u64, Bytes> },
    Finalized { ready_at: Timestamp, outcome: Outcome },
    Posted,
}

enum Outcome {
    Ready(Kept),
    WrongType,
    /// It could not be decrypted: processing never ends.
    Stuck,
}

impl Snapchat {
    pub(super) fn create(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let sent = body(call)?;
        let (kind, key, vector) = read(&sent).map_err(|flaw| invalid(&flaw))?;
        let id = new_id(&mut books.chance, call.now);
        let profile = &self.door.people.get(account).id;
        let path = format!("/us/v1/public_profiles/{profile}/media/{id}/multipart-upload");
        let stage = Stage::Adding { parts: BTreeMap::new() };
        let media = Media { account, kind, key, vector, began: call.now, stage };
        self.media.insert(id.clone(), media);
        Ok(fine(json!({ "media_id": id, "finalize_path": format!("{path}-finalize"),
            "add_path": path })))
    }

    pub(super) fn add(&mut self, call: &Call, account: usize, id: &str) -> Reply {
        let wrong = |name: &str, text: &str| invalid(&Flaw::new(name, text));
        let media = own(&mut self.media, call, account, id)?;
        let Stage::Adding { parts } = &mut media.stage else {
            return Err(wrong("media_id", "is finalized already"));
        };
        let form = call.parameters();
        if form["action"] != "ADD" {
            return Err(wrong("action", "must be ADD"));
        }
        let number = form["part_number"].as_str().and_then(|text| text.parse().ok());
        let number = number.filter(|number| PARTS.contains(number));
        let number = number.ok_or_else(|| wrong("part_number", "must be 1 to 35"))?;
        let file = call.file("file").map(|file| file.bytes.clone()).unwrap_or_default();
        if file.is_empty() || file.len() > PART_BYTES_MAX {
            return Err(wrong("file", "must have at most 32 MB, and not nothing"));
        }
        parts.insert(number, file);
        Ok(fine(json!({})))
    }

    pub(super) fn finalize(
        &mut self,
        call: &Call,
        account: usize,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let wrong = |name: &str, text: &str| invalid(&Flaw::new(name, text));
        let media = own(&mut self.media, call, account, id)?;
        let in_form = door::form(call).get("action").is_some_and(|action| action == "FINALIZE");
        if !in_form && call.parameters()["action"] != "FINALIZE" {
            return Err(wrong("action", "must be FINALIZE"));
        }
        let Stage::Adding { parts } = &media.stage else {
            // Said twice, it is still finalized.
            return Ok(fine(json!({})));
        };
        let complete = parts.keys().copied().eq(1..=parts.len() as u64);
        if parts.is_empty() || !complete {
            return Err(wrong("part_number", "parts are missing"));
        }
        let mut cipher = Vec::new();
        for part in parts.values() {
            cipher.extend_from_slice(part);
        }
        let outcome = match decrypted(&cipher, &media.key, &media.vector) {
            None => Outcome::Stuck,
            Some(bytes) if !media.kind.accepts(&bytes) => Outcome::WrongType,
            Some(bytes) => Outcome::Ready(Kept::keep(books, vec![bytes]).map_err(full)?),
        };
        let ready_at = call.now.after(media.kind.processing());
        media.stage = Stage::Finalized { ready_at, outcome };
        Ok(fine(json!({})))
    }

    /// The file, if it may be posted as one of these. It stays so until [`Snapchat::use_up`].
    pub(super) fn postable(
        &mut self,
        call: &Call,
        account: usize,
        id: &str,
        kinds: &[Kind],
    ) -> Result<Kept, Answer> {
        let media = own(&mut self.media, call, account, id)?;
        let processing = || refusal(400, "MEDIA_PROCESSING", "The media is still processing");
        match &media.stage {
            Stage::Adding { .. } => Err(invalid(&Flaw::new("media_id", "is not finalized"))),
            Stage::Posted => {
                let text = "This media is being posted already";
                Err(refusal(400, "MEDIA_POSTING_ALREADY_IN_PROGRESS", text))
            }
            Stage::Finalized { ready_at, .. } if *ready_at > call.now => Err(processing()),
            Stage::Finalized { outcome: Outcome::Stuck, .. } => Err(processing()),
            Stage::Finalized { outcome: Outcome::WrongType, .. } => {
                Err(invalid(&Flaw::new("media_id", "the media is not of a supported type")))
            }
            Stage::Finalized { .. } if !kinds.contains(&media.kind) => {
                Err(invalid(&Flaw::new("media_id", "must be a video")))
            }
            Stage::Finalized { outcome: Outcome::Ready(kept), .. } => Ok(kept.clone()),
        }
    }

    pub(super) fn use_up(&mut self, id: &str) {
        if let Some(media) = self.media.get_mut(id) {
            media.stage = Stage::Posted;
        }
    }
}

fn own<'a>(
    media: &'a mut std::collections::HashMap<String, Media>,
    call: &Call,
    account: usize,
    id: &str,
) -> Result<&'a mut Media, Answer> {
    let found = media.get_mut(id).filter(|media| media.account == account);
    let found = found.ok_or_else(not_found)?;
    match found.began.elapsed(call.now) >= LIFE {
        true => Err(refusal(400, "MEDIA_EXPIRED", "The media has expired")),
        false => Ok(found),
    }
}

fn read(sent: &serde_json::Value) -> Result<(Kind, [u8; 32], [u8; 16]), Flaw> {
    let given = Given::of(sent, &["type", "name", "key", "iv"])?;
    let kind = match given.one_of("type", &["VIDEO", "IMAGE"])? {
        Some("VIDEO") => Kind::Film,
        Some(_) => Kind::Image,
        None => return Err(given.flaw("type", "is missing")),
    };
    given.needed("name")?;
    let decoded = |name: &str| {
        let bytes = STANDARD.decode(given.needed(name)?);
        bytes.map_err(|_| given.flaw(name, "must be base64"))
    };
    let key = decoded("key")?.try_into().map_err(|_| given.flaw("key", "must be 32 bytes"))?;
    let vector = decoded("iv")?.try_into().map_err(|_| given.flaw("iv", "must be 16 bytes"))?;
    Ok((kind, key, vector))
}

fn decrypted(cipher: &[u8], key: &[u8; 32], vector: &[u8; 16]) -> Option<Bytes> {
    let decryptor = Decryptor::<Aes256>::new(key.into(), vector.into());
    decryptor.decrypt_padded_vec_mut::<Pkcs7>(cipher).ok().map(Bytes::from)
}
