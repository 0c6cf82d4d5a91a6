//! What a post may hold: app.bsky.feed.post, app.bsky.embed.* and app.bsky.richtext.facet, lexicons
//! of August 2026.
//!
//! Stricter than a PDS in two places, where readers would see the damage later: facets must lie
//! within the text, and replies must answer posts that exist here.

use serde_json::Value;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        ledger::{Card, Face, LedgerMedia},
        text::{graphemes, pieces},
    },
};

use super::{Answer, Bluesky, error, invalid};

const TEXT_BYTES_MAX: usize = 3_000;
const TEXT_GRAPHEMES_MAX: usize = 300;
const IMAGE_BYTES_MAX: usize = 2_000_000;
const VIDEO_BYTES_MAX: usize = 300_000_000;
const THUMB_BYTES_MAX: usize = 1_000_000;
const CAPTION_BYTES_MAX: usize = 20_000;

/// What a blob must be where it is used.
struct Slot {
    accept: &'static str,
    bytes_max: usize,
}

const IMAGE: Slot = Slot { accept: "image/", bytes_max: IMAGE_BYTES_MAX };

type Check = Result<(), Answer>;

impl Bluesky {
    pub(super) fn check_post(&self, account: usize, record: &Value) -> Check {
        let text = record["text"]
            .as_str()
            .ok_or_else(|| objection("Record must have the property \"text\""))?;
        if text.len() > TEXT_BYTES_MAX {
            return Err(too_long("Record/text", TEXT_BYTES_MAX, ""));
        }
        if graphemes(text) > TEXT_GRAPHEMES_MAX {
            return Err(too_long("Record/text", TEXT_GRAPHEMES_MAX, " graphemes"));
        }
        match record["createdAt"].as_str() {
            None => return Err(objection("Record must have the property \"createdAt\"")),
            Some(text) if !is_datetime(text) => {
                let text = "Record/createdAt must be an valid atproto datetime (both RFC-3339 \
                            and ISO-8601)";
                return Err(objection(text));
            }
            Some(_) => {}
        }
        check_strings(record, "langs", 3, 100)?;
        check_strings(record, "tags", 8, 64)?;
        check_facets(text, &record["facets"])?;
        check_labels(&record["labels"])?;
        if !record["reply"].is_null() {
            self.check_reference(&record["reply"]["root"], "Record/reply/root")?;
            self.check_reference(&record["reply"]["parent"], "Record/reply/parent")?;
        }
        match record["embed"].is_null() {
            true => Ok(()),
            false => self.check_embed(account, &record["embed"]),
        }
    }

    fn check_embed(&self, account: usize, embed: &Value) -> Check {
        match embed["$type"].as_str() {
            Some("app.bsky.embed.record") => {
                self.check_reference(&embed["record"], "Record/embed/record")
            }
            Some("app.bsky.embed.recordWithMedia") => {
                let quoted = &embed["record"]["record"];
                self.check_reference(quoted, "Record/embed/record/record")?;
                self.check_media(account, &embed["media"])
            }
            Some(_) => self.check_media(account, embed),
            None => Err(objection("Record/embed must have the property \"$type\"")),
        }
    }

    fn check_media(&self, account: usize, embed: &Value) -> Check {
        match embed["$type"].as_str() {
            Some("app.bsky.embed.images") => {
                let images = list(&embed["images"], "Record/embed/images", 4)?;
                images.iter().try_for_each(|image| self.check_image(account, image))
            }
            Some("app.bsky.embed.gallery") => {
                let items = list(&embed["items"], "Record/embed/items", 20)?;
                for item in items {
                    if item["aspectRatio"].is_null() {
                        let text = "Record/embed/items must have the property \"aspectRatio\"";
                        return Err(objection(text));
                    }
                    self.check_image(account, item)?;
                }
                Ok(())
            }
            Some("app.bsky.embed.video") => self.check_video(account, embed),
            Some("app.bsky.embed.external") => {
                let card = &embed["external"];
                for name in ["uri", "title", "description"] {
                    if !card[name].is_string() {
                        let text =
                            format!("Record/embed/external must have the property \"{name}\"");
                        return Err(objection(&text));
                    }
                }
                if !is_uri(&card["uri"]) {
                    return Err(objection("Record/embed/external/uri must be a uri"));
                }
                let slot = Slot { accept: "image/", bytes_max: THUMB_BYTES_MAX };
                match card["thumb"].is_null() {
                    true => Ok(()),
                    false => self.check_blob(account, &card["thumb"], &slot),
                }
            }
            Some(other) => Err(objection(&format!(
                "Record/embed $type must be one of the known embeds, got {other}"
            ))),
            None => Err(objection("Record/embed must have the property \"$type\"")),
        }
    }

    fn check_image(&self, account: usize, image: &Value) -> Check {
        if !image["alt"].is_string() {
            let text = "Record/embed/images/0 must have the property \"alt\"";
            return Err(objection(text));
        }
        check_ratio(&image["aspectRatio"])?;
        self.check_blob(account, &image["image"], &IMAGE)
    }

    fn check_video(&self, account: usize, embed: &Value) -> Check {
        check_ratio(&embed["aspectRatio"])?;
        if !embed["captions"].is_null() {
            let slot = Slot { accept: "text/vtt", bytes_max: CAPTION_BYTES_MAX };
            for caption in list(&embed["captions"], "Record/embed/captions", 20)? {
                self.check_blob(account, &caption["file"], &slot)?;
            }
        }
        let slot = Slot { accept: "video/mp4", bytes_max: VIDEO_BYTES_MAX };
        self.check_blob(account, &embed["video"], &slot)
    }

    fn check_blob(&self, account: usize, blob: &Value, slot: &Slot) -> Check {
        let cid = blob["ref"]["$link"].as_str();
        let shape = (blob["$type"].as_str(), cid, blob["mimeType"].as_str());
        let (Some("blob"), Some(cid), Some(mime)) = shape else {
            return Err(objection("Record/embed should be a blob ref"));
        };
        let found = self.blobs.get(&(account, cid.to_owned())).ok_or_else(|| {
            let text = format!("Could not find blob: {cid}");
            error(400, "BlobNotFound", &text)
        })?;
        if found.mime != mime {
            let text = format!(
                "Referenced Mimetype does not match stored blob. Expected: {}, Got: {mime}",
                found.mime
            );
            return Err(error(400, "InvalidMimeType", &text));
        }
        if !mime.starts_with(slot.accept) {
            let text =
                format!("Wrong type of file. It is {mime} but it must match {}.", slot.accept);
            return Err(error(400, "InvalidMimeType", &text));
        }
        if blob["size"].as_u64() != Some(found.size as u64) {
            let text = "Referenced Size does not match stored blob";
            return Err(error(400, "InvalidSize", text));
        }
        if found.size > slot.bytes_max {
            let text = format!(
                "This file is too large. It is {} but the maximum size is {}.",
                found.size, slot.bytes_max
            );
            return Err(error(400, "BlobTooLarge", &text));
        }
        Ok(())
    }

    fn check_reference(&self, reference: &Value, path: &str) -> Check {
        let (Some(uri), Some(cid)) = (reference["uri"].as_str(), reference["cid"].as_str()) else {
            let text = format!("{path} must have the properties \"uri\" and \"cid\"");
            return Err(objection(&text));
        };
        match self.at_uri(uri) {
            Some((_, record)) if record.cid == cid => Ok(()),
            Some(_) => Err(objection(&format!("{path} has another cid than {uri}"))),
            None => Err(objection(&format!("{path} is not known here: {uri}"))),
        }
    }

    /// What a reader sees. Only facets make links: the platform never finds them by itself.
    pub(super) fn post_face(&self, record: &Value) -> Face {
        let text = record["text"].as_str().unwrap_or_default();
        let empty = Vec::new();
        let facets = record["facets"].as_array().unwrap_or(&empty).iter();
        let mut links: Vec<_> = facets
            .filter_map(|facet| {
                let range = index(facet)?;
                let feature = facet["features"].get(0)?;
                let url = match feature["$type"].as_str()? {
                    "app.bsky.richtext.facet#link" => feature["uri"].as_str()?.to_owned(),
                    "app.bsky.richtext.facet#tag" => {
                        format!("https://bsky.app/hashtag/{}", feature["tag"].as_str()?)
                    }
                    _ => format!("https://bsky.app/profile/{}", feature["did"].as_str()?),
                };
                Some((range, url))
            })
            .collect();
        links.sort_by_key(|(range, _)| range.start);
        let card = &record["embed"]["external"];
        let words = |name: &str| card[name].as_str().unwrap_or_default().to_owned();
        Face {
            pieces: pieces(text, &links),
            card: card["uri"].as_str().map(|url| Card {
                url: url.to_owned(),
                title: words("title"),
                description: words("description"),
            }),
            ..Face::default()
        }
    }

    pub(super) fn post_media(&self, account: usize, record: &Value) -> Vec<LedgerMedia> {
        let embed = match record["embed"]["media"].is_object() {
            true => &record["embed"]["media"],
            false => &record["embed"],
        };
        let mut found: Vec<(&Value, &Value)> = Vec::new();
        for item in
            [&embed["images"], &embed["items"]].into_iter().filter_map(Value::as_array).flatten()
        {
            found.push((&item["image"], &item["alt"]));
        }
        if embed["video"].is_object() {
            found.push((&embed["video"], &embed["alt"]));
        }
        let stored = |(blob, alt): (&Value, &Value)| {
            let cid = blob["ref"]["$link"].as_str()?;
            let blob = self.blobs.get(&(account, cid.to_owned()))?;
            let is_video = blob.mime.starts_with("video/");
            Some(LedgerMedia {
                kind: if is_video { "video" } else { "image" },
                mime: blob.known_mime(),
                bytes: blob.size,
                alt: alt.as_str().unwrap_or_default().to_owned(),
                shelf: blob.shelf,
            })
        };
        found.into_iter().filter_map(stored).collect()
    }
}

fn objection(text: &str) -> Answer {
    invalid(&format!("Invalid app.bsky.feed.post record: {text}"))
}

fn too_long(path: &str, most: usize, unit: &str) -> Answer {
    objection(&format!("{path} must not be longer than {most}{unit}"))
}

fn list<'a>(value: &'a Value, path: &str, most: usize) -> Result<&'a Vec<Value>, Answer> {
    match value.as_array() {
        None => Err(objection(&format!("{path} must be an array"))),
        Some(items) if items.len() > most => {
            let text = format!("{path} must not have more than {most} elements");
            Err(objection(&text))
        }
        Some(items) => Ok(items),
    }
}

fn check_strings(record: &Value, name: &str, items_max: usize, graphemes_max: usize) -> Check {
    if record[name].is_null() {
        return Ok(());
    }
    let path = format!("Record/{name}");
    for item in list(&record[name], &path, items_max)? {
        match item.as_str() {
            Some(text) if graphemes(text) <= graphemes_max && text.len() <= 640 => {}
            Some(_) => return Err(too_long(&path, graphemes_max, " graphemes")),
            None => return Err(objection(&format!("{path}/0 must be a string"))),
        }
    }
    Ok(())
}

fn check_ratio(ratio: &Value) -> Check {
    let side = |name: &str| ratio[name].as_u64().is_some_and(|pixels| pixels > 0);
    match ratio.is_null() || (side("width") && side("height")) {
        true => Ok(()),
        false => Err(objection("Record/embed/aspectRatio/width can not be less than 1")),
    }
}

fn check_labels(labels: &Value) -> Check {
    if labels.is_null() {
        return Ok(());
    }
    let typed = labels["$type"] == "com.atproto.label.defs#selfLabels";
    let values = list(&labels["values"], "Record/labels/values", 10)?;
    match typed && values.iter().all(|value| value["val"].is_string()) {
        true => Ok(()),
        false => Err(objection("Record/labels must be com.atproto.label.defs#selfLabels")),
    }
}

fn index(facet: &Value) -> Option<std::ops::Range<usize>> {
    let at = |name: &str| usize::try_from(facet["index"][name].as_u64()?).ok();
    Some(at("byteStart")?..at("byteEnd")?)
}

fn check_facets(text: &str, facets: &Value) -> Check {
    if facets.is_null() {
        return Ok(());
    }
    let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
    for facet in list(facets, "Record/facets", usize::MAX)? {
        let range = index(facet).ok_or_else(|| {
            objection("Record/facets/0/index must have \"byteStart\" and \"byteEnd\"")
        })?;
        let whole = range.start < range.end
            && range.end <= text.len()
            && text.is_char_boundary(range.start)
            && text.is_char_boundary(range.end);
        if !whole {
            let text = "Record/facets/0/index must lie within the text, in UTF-8 bytes, at the \
                        borders of characters";
            return Err(objection(text));
        }
        if taken.iter().any(|other| range.start < other.end && other.start < range.end) {
            return Err(objection("Record/facets must not overlap"));
        }
        taken.push(range);
        let features = list(&facet["features"], "Record/facets/0/features", usize::MAX)?;
        features.iter().try_for_each(check_feature)?;
    }
    Ok(())
}

fn check_feature(feature: &Value) -> Check {
    let good = match feature["$type"].as_str() {
        Some("app.bsky.richtext.facet#link") => is_uri(&feature["uri"]),
        Some("app.bsky.richtext.facet#mention") => {
            feature["did"].as_str().is_some_and(|did| did.starts_with("did:"))
        }
        Some("app.bsky.richtext.facet#tag") => feature["tag"].as_str().is_some_and(|tag| {
            !tag.is_empty() && tag.len() <= 640 && graphemes(tag) <= 64 && !tag.starts_with('#')
        }),
        Some(_) | None => false,
    };
    match good {
        true => Ok(()),
        false => Err(objection("Record/facets/0/features/0 must be a link, mention or tag")),
    }
}

fn is_uri(value: &Value) -> bool {
    value.as_str().is_some_and(|text| url::Url::parse(text).is_ok())
}

/// RFC 3339 with capital `T` and `Z`, and never `-00:00`: atproto.com/specs/lexicon, read
/// 2026-07-02.
fn is_datetime(text: &str) -> bool {
    Timestamp::parse(text).is_some()
        && text.as_bytes().get(10) == Some(&b'T')
        && !text.ends_with('z')
        && !text.ends_with("-00:00")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn link(start: usize, end: usize) -> Value {
        json!({
            "index": { "byteStart": start, "byteEnd": end },
            "features": [{ "$type": "app.bsky.richtext.facet#link", "uri": "https://e.com" }],
        })
    }

    #[test]
    fn facets_must_fit_the_text_in_bytes_and_not_overlap() {
        let text = "zażółć";
        for (facets, good) in [
            (json!([link(0, 2)]), true),
            (json!([link(0, 3)]), false),
            (json!([link(0, 99)]), false),
            (json!([link(2, 2)]), false),
            (json!([link(0, 2), link(1, 2)]), false),
        ] {
            assert_eq!(check_facets(text, &facets).is_ok(), good, "{facets}");
        }
    }

    #[test]
    fn datetimes_are_strict() {
        assert!(is_datetime("2026-11-21T09:00:00.000Z"));
        for text in ["2026-11-21", "2026-11-21 09:00:00Z", "2026-11-21T09:00:00-00:00"] {
            assert!(!is_datetime(text), "{text}");
        }
    }
}
