//! Images, documents and videos: community-management/shares, images, documents and videos API,
//! read 2026-11-21.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        ledger::LedgerMedia,
        shelf::{dimensions, sniff},
    },
};

use super::{
    Answer, Books, Call, Caller, Linkedin, Reply, bad_request, bare, denied, input_error,
    not_found, refusal,
};

const PART_BYTES: u64 = 4 * 1024 * 1024;
const VIDEO_BYTES: std::ops::RangeInclusive<u64> = 75 * 1024..=500 * 1024 * 1024;
const DOCUMENT_BYTES_MAX: usize = 100 * 1024 * 1024;
/// An image has fewer.
const PIXELS: usize = 36_152_320;
/// How long an upload address is good for is told in each answer, and on no page.
const ADDRESS_LIFE: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Document,
    Video,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Document => "document",
            Kind::Video => "video",
        }
    }

    fn processing(self) -> Duration {
        match self {
            Kind::Image => Duration::from_secs(1),
            Kind::Document => Duration::from_secs(3),
            Kind::Video => Duration::from_secs(6),
        }
    }

    fn accepts(self, mime: &str) -> bool {
        match self {
            Kind::Image => ["image/jpeg", "image/png", "image/gif"].contains(&mime),
            Kind::Video => mime == "video/mp4",
            Kind::Document => [
                "application/pdf",
                "application/msword",
                "application/vnd.ms-powerpoint",
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            ]
            .contains(&mime),
        }
    }
}

pub(super) struct Asset {
    pub(super) kind: Kind,
    owner: String,
    pub(super) account: usize,
    ends_at: Timestamp,
    token: String,
    parts: Vec<Part>,
    stage: Stage,
}

/// One upload address.
struct Part {
    /// First and last byte; the size of images and documents is not announced.
    range: Option<(u64, u64)>,
    sent: Option<(String, Bytes)>,
}

/// `Waiting → Sent`, which is processing until `ready_at`.
enum Stage {
    Waiting,
    Sent { ready_at: Timestamp, outcome: Result<Kept, &'static str> },
}

struct Kept {
    mime: &'static str,
    bytes: usize,
    shelf: u64,
}

impl Asset {
    fn status(&self, now: Timestamp) -> &'static str {
        match &self.stage {
            Stage::Waiting => "WAITING_UPLOAD",
            Stage::Sent { ready_at, .. } if *ready_at > now => "PROCESSING",
            Stage::Sent { outcome: Ok(_), .. } => "AVAILABLE",
            Stage::Sent { outcome: Err(_), .. } => "PROCESSING_FAILED",
        }
    }

    /// What came: put on the shelf, or the reason of its failure.
    fn process(&mut self, now: Timestamp, books: &mut Books) -> Result<(), Answer> {
        let sent = self.parts.iter().filter_map(|part| part.sent.as_ref());
        let chunks: Vec<Bytes> = sent.map(|(_, bytes)| bytes.clone()).collect();
        let bytes = chunks.iter().map(Bytes::len).sum();
        let first = chunks.first().cloned().unwrap_or_default();
        let mime = sniff(&first);
        let pixels = dimensions(&first).map_or(usize::MAX, |(width, height)| width * height);
        let outcome = if !self.kind.accepts(mime) {
            Err("The format of the file is not supported")
        } else if self.kind == Kind::Image && pixels >= PIXELS {
            Err("The image has too many pixels, or none")
        } else if self.kind == Kind::Document && bytes > DOCUMENT_BYTES_MAX {
            Err("The document is too large")
        } else {
            let kept = books.shelf.keep(mime, chunks);
            let shelf = kept
                .map_err(|_| refusal(500, None, "INTERNAL_SERVER_ERROR", "the sandbox is full"))?;
            Ok(Kept { mime, bytes, shelf })
        };
        let ready_at = now.after(self.kind.processing());
        let before = std::mem::replace(&mut self.stage, Stage::Sent { ready_at, outcome });
        if let Stage::Sent { outcome: Ok(replaced), .. } = before {
            books.shelf.drop(replaced.shelf);
        }
        Ok(())
    }
}

impl Linkedin {
    pub(super) fn initialize(
        &mut self,
        call: &Call,
        caller: Caller,
        kind: Kind,
        books: &mut Books,
    ) -> Reply {
        if call.query("action") != Some("initializeUpload") {
            return Err(bad_request("action must be initializeUpload"));
        }
        let asked = request(call, "initializeUploadRequest")?;
        let known: &[&str] = match kind {
            Kind::Image | Kind::Document => &["owner"],
            Kind::Video => &["owner", "fileSizeBytes", "uploadCaptions", "uploadThumbnail"],
        };
        no_others(&asked, known)?;
        let owner = asked["owner"].as_str().unwrap_or_default();
        let what = format!("{}s.ACTION-initializeUpload", kind.name());
        self.acts_as(call, caller, owner, ["w_member_social", "w_organization_social"], &what)?;
        let ranges = match kind {
            Kind::Image | Kind::Document => vec![None],
            Kind::Video => ranges(&asked)?,
        };
        let ends_at = call.now.after(ADDRESS_LIFE);
        let urn = format!("urn:li:{}:C4E{}", kind.name(), books.chance.word(16));
        let mut places = Vec::new();
        for (part, range) in ranges.iter().enumerate() {
            let address = books.chance.word(40);
            self.addresses.insert(address.clone(), (urn.clone(), part));
            places.push((format!("{}/dms-uploads/{address}", call.base), *range));
        }
        let token = if places.len() > 1 { books.chance.word(24) } else { String::new() };
        let value = match kind {
            Kind::Image | Kind::Document => {
                json!({ "uploadUrlExpiresAt": ends_at.0, "uploadUrl": places[0].0,
                    kind.name(): urn })
            }
            Kind::Video => {
                let instructions = places.iter().filter_map(|(url, range)| {
                    let (first, last) = (*range)?;
                    Some(json!({ "uploadUrl": url, "firstByte": first, "lastByte": last }))
                });
                json!({ "uploadUrlsExpireAt": ends_at.0, "video": urn, "uploadToken": token,
                    "uploadInstructions": instructions.collect::<Vec<_>>() })
            }
        };
        let parts = ranges.into_iter().map(|range| Part { range, sent: None }).collect();
        let asset = Asset {
            kind,
            owner: owner.to_owned(),
            account: caller.account,
            ends_at,
            token,
            parts,
            stage: Stage::Waiting,
        };
        self.assets.insert(urn, asset);
        Ok(Answer::json(200, &json!({ "value": value })))
    }

    /// Bytes for an upload address. Those of videos are signed, the others want the token again.
    pub(super) fn receive(&mut self, call: &Call, address: &str, books: &mut Books) -> Reply {
        let place = self.addresses.get(address).cloned();
        let (urn, part) = place.ok_or_else(|| not_found("No such upload"))?;
        let kind = self.assets.get(&urn).map(|asset| asset.kind);
        let caller = match kind {
            Some(Kind::Video) | None => None,
            Some(Kind::Image | Kind::Document) => Some(self.authorize(call)?),
        };
        let asset = self.assets.get_mut(&urn).ok_or_else(|| not_found("No such upload"))?;
        if caller.is_some_and(|caller| caller.account != asset.account) {
            return Err(denied(call, "uploads.PUT"));
        }
        if asset.ends_at <= call.now {
            return Err(refusal(403, None, "EXPIRED_UPLOAD_URL", "The upload URL has expired"));
        }
        if asset.kind == Kind::Video && !matches!(asset.stage, Stage::Waiting) {
            return Err(bad_request("The upload has been finalized"));
        }
        let slot = &mut asset.parts[part];
        let length = call.body.len() as u64;
        let fits = match slot.range {
            None => length > 0,
            Some((first, last)) => length == last - first + 1,
        };
        if !fits {
            return Err(bad_request("The number of bytes is not the one that was announced"));
        }
        let etag = format!("/ambry-video/signedId/{}", books.chance.word(24));
        slot.sent = Some((etag.clone(), call.body.clone()));
        match asset.kind {
            Kind::Video => Ok(bare(200).with("etag", format!("\"{etag}\""))),
            Kind::Image | Kind::Document => {
                // A second file for the same address takes the first one's place.
                asset.process(call.now, books)?;
                Ok(bare(201))
            }
        }
    }

    pub(super) fn finalize(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let asked = request(call, "finalizeUploadRequest")?;
        no_others(&asked, &["video", "uploadToken", "uploadedPartIds"])?;
        let urn = asked["video"].as_str().unwrap_or_default();
        let asset = self.assets.get_mut(urn).filter(|asset| asset.account == caller.account);
        let asset = asset.ok_or_else(|| not_found("No such video"))?;
        let sent: Option<Vec<&str>> = asset
            .parts
            .iter()
            .map(|part| part.sent.as_ref().map(|(etag, _)| etag.as_str()))
            .collect();
        let named = asked["uploadedPartIds"].as_array();
        let named: Option<Vec<&str>> =
            named.and_then(|ids| ids.iter().map(Value::as_str).collect());
        if asset.kind != Kind::Video || sent.is_none() || named != sent {
            return Err(bad_request("uploadedPartIds must be the ETag of every part, in order"));
        }
        if asked["uploadToken"].as_str() != Some(&asset.token) {
            return Err(bad_request("uploadToken is not the one that was given"));
        }
        // Finalizing again changes nothing; no page says how it is answered.
        if matches!(asset.stage, Stage::Waiting) {
            asset.process(call.now, books)?;
        }
        Ok(bare(200))
    }

    /// Members may only write images and documents, and may read videos.
    pub(super) fn status(&self, call: &Call, caller: Caller, urn: &str) -> Reply {
        let (_, segments) = call.route();
        let collection = segments.get(1).copied().unwrap_or_default();
        let what = format!("{collection}.GET");
        let asset = self.assets.get(urn);
        let asset = asset
            .filter(|asset| format!("{}s", asset.kind.name()) == collection)
            .ok_or_else(|| not_found(&format!("Could not find entity with urn {urn}")))?;
        let scopes = ["w_member_social", "w_organization_social"];
        self.acts_as(call, caller, &asset.owner, scopes, &what)?;
        let of_member = asset.owner.starts_with("urn:li:person:");
        if of_member && asset.kind != Kind::Video {
            return Err(denied(call, &what));
        }
        let mut body = json!({ "id": urn, "owner": asset.owner,
            "status": asset.status(call.now) });
        if let Stage::Sent { outcome, ready_at } = &asset.stage
            && *ready_at <= call.now
        {
            match outcome {
                Ok(kept) => {
                    let url = format!("{}/_sandbox/media/{}", call.origin, kept.shelf);
                    body["downloadUrl"] = json!(url);
                }
                Err(reason) => body["processingFailureReason"] = json!(reason),
            }
        }
        Ok(Answer::json(200, &body))
    }

    /// An asset that its author may show now.
    pub(super) fn usable(
        &self,
        call: &Call,
        author: &str,
        urn: &str,
        alt: &str,
    ) -> Result<(Kind, LedgerMedia), Answer> {
        let asset = self.assets.get(urn).ok_or_else(|| {
            input_error(400, "INVALID_URN_ID", "Invalid media", &format!("{urn} does not exist"))
        })?;
        if asset.owner != author {
            let text = format!("{author} is not the owner of {urn}");
            return Err(input_error(400, "INVALID_OWNER", "Invalid media", &text));
        }
        let state = asset.status(call.now);
        let not_yet = |code: &str| {
            let text = format!("Media asset {urn} is in state {state}");
            input_error(400, code, "Media asset error", &text)
        };
        match &asset.stage {
            // The pages name no code of its own for one that is being processed.
            Stage::Waiting => Err(not_yet("MEDIA_ASSET_WAITING_UPLOAD")),
            Stage::Sent { ready_at, .. } if *ready_at > call.now => {
                Err(not_yet("MEDIA_ASSET_WAITING_UPLOAD"))
            }
            Stage::Sent { outcome: Err(_), .. } => Err(not_yet("MEDIA_ASSET_PROCESSING_FAILED")),
            Stage::Sent { outcome: Ok(kept), .. } => Ok((
                asset.kind,
                LedgerMedia {
                    kind: asset.kind.name(),
                    mime: kept.mime,
                    bytes: kept.bytes,
                    alt: alt.to_owned(),
                    shelf: kept.shelf,
                },
            )),
        }
    }
}

/// The one object that the body of an action holds.
fn request(call: &Call, name: &str) -> Result<Value, Answer> {
    let body = call.json().filter(Value::is_object);
    let body = body.ok_or_else(|| bad_request("The body is not a JSON object"))?;
    no_others(&body, &[name])?;
    match body[name].is_object() {
        true => Ok(body[name].clone()),
        false => Err(bad_request(&format!("Parameter \"{name}\" is required"))),
    }
}

fn no_others(value: &Value, known: &[&str]) -> Result<(), Answer> {
    let names = value.as_object().into_iter().flat_map(|object| object.keys());
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(bad_request(&format!("Parameter \"{unknown}\" is not known"))),
        None => Ok(()),
    }
}

type Range = Option<(u64, u64)>;

/// Parts of 4 MiB, the last one shorter.
fn ranges(asked: &Value) -> Result<Vec<Range>, Answer> {
    let size = asked["fileSizeBytes"].as_u64().filter(|size| VIDEO_BYTES.contains(size));
    let size = size.ok_or_else(|| bad_request("fileSizeBytes must be from 75 KB to 500 MB"))?;
    for flag in ["uploadCaptions", "uploadThumbnail"] {
        if asked[flag].as_bool().unwrap_or_default() {
            return Err(bad_request(&format!("{flag} is not simulated")));
        }
    }
    let starts = (0..size).step_by(PART_BYTES as usize);
    Ok(starts.map(|first| Some((first, (first + PART_BYTES).min(size) - 1))).collect())
}
