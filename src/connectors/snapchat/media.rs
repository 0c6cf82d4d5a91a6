//! A file on its way to Snapchat, encrypted.
//!
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/ProfileAssetManagement>, as of
//! 2026-03: AES-256-CBC, "part_number 1 to 35", parts of at most 32 MB. Nothing here can be seen by
//! readers, and what no post uses is gone after a day, so everything may be repeated.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::API;
use crate::{
    connectors::{Body, ByteRange, Cipher, FilePart, Job, JobMedia, Repeat, Reply, Request},
    domain::{
        media::MediaKind,
        refusal::{Refusal, RefusalKind},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub(super) media: String,
    /// Below the API's own address.
    add: String,
    finalize: String,
}

/// 32 MB, in the smaller meaning.
const PART: u64 = 32_000_000;

/// Of a path in an answer.
const PATH_CHARS_MAX: usize = 512;

fn file(job: &Job) -> &JobMedia {
    job.parts[0].media.first().expect("a snap has a file")
}

pub(super) fn of_profile(path: &str, job: &Job) -> String {
    job.site.url(API, &format!("/v1/public_profiles/{}/{path}", job.author.remote_id))
}

/// Made from what is known anyway, so that a repeated request is the same request, and no key has
/// to be stored. Snapchat is told the key, and it guards nothing that we know.
fn cipher(job: &Job) -> Cipher {
    // A snap has one file, so its place is the first.
    let made = |what: &str| -> [u8; 32] {
        Sha256::digest(format!("fanfare snapchat {what} {} 0", job.delivery)).into()
    };
    let mut iv = [0; 16];
    iv.copy_from_slice(&made("iv")[..16]);
    Cipher { key: made("key"), iv }
}

pub(super) fn announce(job: &Job) -> Request {
    let (file, cipher) = (file(job), cipher(job));
    let kind = match file.kind {
        MediaKind::Video => "VIDEO",
        MediaKind::Image | MediaKind::Gif | MediaKind::Document => "IMAGE",
    };
    let body = json!({
        "type": kind,
        "name": name(job),
        "key": BASE64_STANDARD.encode(cipher.key),
        "iv": BASE64_STANDARD.encode(cipher.iv),
    });
    Request::post(of_profile("media", job), Body::Json(body), Repeat::Harmless)
}

/// Not as it was uploaded: that name may say more than readers are to know.
fn name(job: &Job) -> String {
    let file = file(job);
    let ending = match file.mime.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        _ => "mp4",
    };
    format!("{}.{ending}", file.id)
}

impl Upload {
    pub(super) fn read(job: &Job, reply: &Reply) -> Result<Upload, Refusal> {
        if count(job) > PARTS_MAX {
            let words = "the file is larger than the 35 parts that Snapchat takes";
            return Err(Refusal::new(RefusalKind::Rejected, "too_many_parts", words));
        }
        Ok(Upload {
            media: reply.text("/media_id")?,
            add: path(reply, "/add_path")?,
            finalize: path(reply, "/finalize_path")?,
        })
    }

    pub(super) fn is_last(&self, part: u64, job: &Job) -> bool {
        part + 1 >= count(job)
    }

    pub(super) fn add(&self, part: u64, job: &Job) -> Request {
        let start = part * PART;
        let end = Cipher::length(file(job).bytes).min(start + PART);
        let body = Body::Multipart {
            fields: fields(&[("action", "ADD"), ("part_number", &(part + 1).to_string())]),
            files: vec![FilePart {
                field: "file".to_owned(),
                media: file(job).id,
                range: Some(ByteRange { start, end }),
                cipher: Some(cipher(job)),
                file_name: format!("{}.{}", file(job).id, part + 1),
                content_type: "application/octet-stream".to_owned(),
            }],
        };
        Request::post(job.site.url(API, &self.add), body, Repeat::Harmless)
    }

    pub(super) fn finalize(&self, job: &Job) -> Request {
        let body = Body::Multipart { fields: fields(&[("action", "FINALIZE")]), files: Vec::new() };
        Request::post(job.site.url(API, &self.finalize), body, Repeat::Harmless)
    }
}

const PARTS_MAX: u64 = 35;

fn count(job: &Job) -> u64 {
    Cipher::length(file(job).bytes).div_ceil(PART)
}

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The account's token goes along, so it has to be a plain path on the API's own host:
/// `/us/v1/public_profiles/{id}/media/{id}/multipart-upload`.
fn path(reply: &Reply, pointer: &str) -> Result<String, Refusal> {
    let path = reply.text(pointer)?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/_.-".contains(letter);
    let is_path = path.starts_with('/')
        && path.len() <= PATH_CHARS_MAX
        && path.chars().all(is_plain)
        && !path.contains("//")
        && !path.contains("..");
    if is_path { Ok(path) } else { Err(reply.unreadable(&format!("plain path at {pointer}"))) }
}
