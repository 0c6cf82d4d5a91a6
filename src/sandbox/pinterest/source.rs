//! Where a pin's pictures or film come from: `PinMediaSource` of the description.

use axum::body::Bytes;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::sandbox::{
    given::{Flaw, Given},
    kept::fetched,
    shelf::{dimensions, sniff},
};

use super::Call;

const IMAGE_BYTES_MAX: usize = 20 * 1024 * 1024;
const SLOTS: std::ops::RangeInclusive<usize> = 2..=5;

pub(super) enum Source {
    Images(Vec<Bytes>),
    /// The media id. Its cover has been checked.
    Film(u64),
}

pub(super) fn addresses(body: &Value) -> Vec<String> {
    let source = &body["media_source"];
    let items = source["items"].as_array().cloned().unwrap_or_default();
    let slots = items.iter().map(|item| item["url"].clone());
    let urls = slots.chain([source["url"].clone(), source["cover_image_url"].clone()]);
    urls.filter_map(|url| url.as_str().map(str::to_owned)).collect()
}

pub(super) fn read(call: &Call, whole: &Given<'_>) -> Result<Source, Flaw> {
    let Some(source) = whole.value("media_source") else {
        return Err(whole.flaw("media_source", "is missing"));
    };
    let at = |names: &[&str]| whole.needed_object("media_source", names);
    match source["source_type"].as_str() {
        Some("image_url") => {
            let given = at(&["source_type", "url", "is_standard"])?;
            given.flag("is_standard")?;
            Ok(Source::Images(vec![pictured(call, &given)?]))
        }
        Some("image_base64") => {
            let given = at(&["source_type", "content_type", "data", "is_standard"])?;
            given.flag("is_standard")?;
            Ok(Source::Images(vec![decoded(&given, "content_type", "data")?]))
        }
        Some("multiple_image_urls") => {
            let given = at(&["source_type", "items", "index"])?;
            slots(&given, &["url", "title", "description", "link"], |item| pictured(call, item))
        }
        Some("multiple_image_base64") => {
            let given = at(&["source_type", "items", "index"])?;
            let names = ["content_type", "data", "title", "description", "link"];
            slots(&given, &names, |item| decoded(item, "content_type", "data"))
        }
        Some("video_id") => film(call, whole),
        Some(_) | None => Err(whole.flaw("media_source.source_type", "is not valid")),
    }
}

fn slots(
    given: &Given<'_>,
    names: &[&str],
    picture: impl Fn(&Given<'_>) -> Result<Bytes, Flaw>,
) -> Result<Source, Flaw> {
    let items = given.list("items")?.unwrap_or_default();
    if !SLOTS.contains(&items.len()) {
        return Err(given.flaw("items", "must be 2 to 5"));
    }
    if given.whole("index")?.is_some_and(|index| index >= items.len() as u64) {
        return Err(given.flaw("index", "must be one of the items"));
    }
    let mut images = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let item = Given::at(format!("media_source.items[{number}]"), item, names)?;
        for name in ["title", "description", "link"] {
            item.text(name)?;
        }
        images.push(picture(&item)?);
    }
    let size = |bytes: &Bytes| dimensions(bytes);
    match images.windows(2).all(|pair| size(&pair[0]) == size(&pair[1])) {
        true => Ok(Source::Images(images)),
        false => Err(given.flaw("items", "must have the same dimensions")),
    }
}

/// A film with exactly one kind of cover.
fn film(call: &Call, whole: &Given<'_>) -> Result<Source, Flaw> {
    let names = [
        "source_type",
        "media_id",
        "cover_image_url",
        "cover_image_content_type",
        "cover_image_data",
        "cover_image_key_frame_time",
        "is_standard",
    ];
    let given = whole.needed_object("media_source", &names)?;
    given.flag("is_standard")?;
    let id = given.needed("media_id")?;
    let id = id.parse().map_err(|_| given.flaw("media_id", "must be digits"))?;
    let url = given.text("cover_image_url")?;
    let data = given.text("cover_image_data")?;
    let moment = given.whole("cover_image_key_frame_time")?;
    match (url, data, moment) {
        (Some(url), None, None) => {
            image(&given, "cover_image_url", reached(call, &given, "cover_image_url", url)?)?;
        }
        (None, Some(_), None) => {
            decoded(&given, "cover_image_content_type", "cover_image_data")?;
        }
        (None, None, Some(_)) => {}
        _ => return Err(given.flaw("cover_image_url", "one cover of a video is required")),
    }
    Ok(Source::Film(id))
}

fn pictured(call: &Call, given: &Given<'_>) -> Result<Bytes, Flaw> {
    let url = given.needed("url")?;
    image(given, "url", reached(call, given, "url", url)?)
}

fn reached(call: &Call, given: &Given<'_>, name: &str, url: &str) -> Result<Bytes, Flaw> {
    fetched(call, url).map_err(|reason| {
        given.flaw(name, &format!("Unable to reach the URL. Please check the URL. ({reason})"))
    })
}

fn decoded(given: &Given<'_>, kind: &str, data: &str) -> Result<Bytes, Flaw> {
    let declared = given.one_of(kind, &["image/jpeg", "image/png"])?;
    let declared = declared.ok_or_else(|| given.flaw(kind, "is missing"))?;
    let bytes = STANDARD.decode(given.needed(data)?).ok().map(Bytes::from);
    let bytes = bytes.ok_or_else(|| given.flaw(data, "must be base64"))?;
    match sniff(&bytes) == declared {
        true => image(given, data, bytes),
        false => Err(given.flaw(data, "is not of the declared type")),
    }
}

fn image(given: &Given<'_>, name: &str, bytes: Bytes) -> Result<Bytes, Flaw> {
    let types = ["image/jpeg", "image/png", "image/webp", "image/gif"];
    if !types.contains(&sniff(&bytes)) || dimensions(&bytes).is_none() {
        return Err(given.flaw(name, "is no image that can be read"));
    }
    match bytes.len() > IMAGE_BYTES_MAX {
        true => Err(given.flaw(name, "is larger than 20 MB")),
        false => Ok(bytes),
    }
}
