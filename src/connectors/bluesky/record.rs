//! The record of one part: `app.bsky.feed.post` as its lexicon describes it, read 2026-11-21.

use serde_json::{Value, json};

use super::{COLLECTION, Known, Sent, facets, key};
use crate::{
    connectors::{Job, JobMedia},
    domain::media::MediaKind,
};

/// "maxLength": 3.
const LANGUAGES_MAX: usize = 3;

/// The body of `com.atproto.repo.createRecord` for the part after those in `sent`.
pub(super) fn creation(known: &Known, blobs: &[Value], sent: &[Sent], job: &Job) -> Value {
    let number = sent.len();
    let part = &job.parts[number];
    let mut record = json!({
        "$type": COLLECTION,
        "text": part.text,
        "createdAt": key::time_of_part(job, number).rfc3339(),
    });
    let languages = languages(job);
    if !languages.is_empty() {
        record["langs"] = json!(languages);
    }
    let facets: Vec<Value> =
        facets::find(&part.text, known).iter().map(facets::Facet::to_json).collect();
    if !facets.is_empty() {
        record["facets"] = Value::Array(facets);
    }
    let first: usize = job.parts[..number].iter().map(|part| part.media.len()).sum();
    if let Some(embed) = embed(&part.media, &blobs[first..]) {
        record["embed"] = embed;
    }
    if let (Some(root), Some(parent)) = (sent.first(), sent.last()) {
        record["reply"] = json!({ "root": reference(root), "parent": reference(parent) });
    }
    json!({
        "repo": job.author.remote_id,
        "collection": COLLECTION,
        "rkey": key::of_part(job, number),
        "record": record,
    })
}

fn reference(sent: &Sent) -> Value {
    json!({ "uri": sent.uri, "cid": sent.cid })
}

/// A post has one embed. The description is always there: the lexicon requires it of images, and an
/// empty one says that there is none.
fn embed(media: &[JobMedia], blobs: &[Value]) -> Option<Value> {
    let files = || media.iter().zip(blobs);
    if let Some((video, blob)) = files().find(|(media, _)| media.kind == MediaKind::Video) {
        let mut embed = json!({ "$type": "app.bsky.embed.video", "video": blob, "alt": video.alt });
        add_ratio(&mut embed, video);
        return Some(embed);
    }
    let images: Vec<Value> = files()
        .map(|(media, blob)| {
            let mut image = json!({ "image": blob, "alt": media.alt });
            add_ratio(&mut image, media);
            image
        })
        .collect();
    let images = (!images.is_empty()).then_some(images)?;
    Some(json!({ "$type": "app.bsky.embed.images", "images": images }))
}

/// Without it a client shows the picture as a square until it is loaded. Both sides are at least 1.
fn add_ratio(embed: &mut Value, media: &JobMedia) {
    if let Some((width, height)) = media.size.filter(|&(width, height)| width > 0 && height > 0) {
        embed["aspectRatio"] = json!({ "width": width, "height": height });
    }
}

/// `langs` says more than `language`, which other platforms share.
fn languages(job: &Job) -> Vec<&str> {
    let option = |name: &str| job.options.get(name).map(String::as_str);
    split(option("langs").or_else(|| option("language")).unwrap_or_default())
}

fn split(value: &str) -> Vec<&str> {
    let codes = value.split([',', ' ']).filter(|code| !code.is_empty());
    codes.take(LANGUAGES_MAX).collect()
}

pub(super) fn are_languages(value: &str) -> bool {
    let codes: Vec<&str> = value.split([',', ' ']).filter(|code| !code.is_empty()).collect();
    let is_code = |code: &&str| {
        let mut parts = code.split('-');
        let first = parts.next().unwrap_or_default();
        (2..=3).contains(&first.len())
            && first.bytes().all(|byte| byte.is_ascii_lowercase())
            && parts.all(|part| {
                (1..=8).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
    };
    (1..=LANGUAGES_MAX).contains(&codes.len()) && codes.iter().all(is_code)
}
