//! The pin, and the film that goes up before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    API, WEB,
    board::{BOARD, Place, SECTION},
};
use crate::{
    connectors::{Auth, Body, FilePart, Job, JobMedia, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        media::MediaKind,
        platform::{Loss, OptionRule, OptionValue},
        refusal::Refusal,
    },
};

pub(super) const LINK: &str = "link";
pub(super) const THUMB_OFFSET: &str = "thumb_offset";
pub(super) const TITLE: &str = "title";

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: BOARD,
        value: OptionValue::Text { chars_max: 180 },
        loss: Loss::Harmless,
        about: "The board, by its id or its exact name.",
    },
    OptionRule {
        name: SECTION,
        value: OptionValue::Text { chars_max: 180 },
        loss: Loss::Harmless,
        about: "A section of the board, by its id or its exact name.",
    },
    OptionRule {
        name: LINK,
        value: OptionValue::Url,
        loss: Loss::Misleads { except: &[] },
        about: "Where a click on the pin leads.",
    },
    OptionRule {
        name: THUMB_OFFSET,
        value: OptionValue::Number { min: 0, max: 900_000 },
        loss: Loss::Harmless,
        about: "Which moment of a video is its cover, in milliseconds from its start.",
    },
    OptionRule {
        name: TITLE,
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "The title of the pin.",
    },
];

/// Lists may lag behind (unconfirmed), and a request that was cut off may still be at work.
const SETTLE: Duration = Duration::from_secs(60);

/// Where a film goes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub(super) film: String,
    address: String,
    parameters: Vec<(String, String)>,
}

impl Upload {
    pub(super) fn read(reply: &Reply) -> Result<Upload, Refusal> {
        let parameters = reply.body["upload_parameters"].as_object();
        let parameters = parameters.ok_or_else(|| reply.unreadable("/upload_parameters"))?;
        let text = |(name, value): (&String, &Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), value)
        };
        Ok(Upload {
            film: reply.text("/media_id")?,
            address: reply.text("/upload_url")?,
            parameters: parameters.iter().map(text).collect(),
        })
    }
}

pub(super) fn film(job: &Job) -> Option<&JobMedia> {
    job.parts[0].media.iter().find(|media| media.kind == MediaKind::Video)
}

/// An upload that is registered and never used is seen by nobody.
pub(super) fn register(job: &Job) -> Request {
    let body = Body::Json(json!({ "media_type": "video" }));
    Request::post(job.site.url(API, "/v5/media"), body, Repeat::Harmless)
}

/// "The parameters, then the file"; the address is not Pinterest's, and gets no token of ours.
pub(super) fn upload(upload: &Upload, job: &Job) -> Request {
    let film = film(job).expect("an upload is of a film");
    let body = Body::Multipart {
        fields: upload.parameters.clone(),
        files: vec![FilePart {
            field: "file".to_owned(),
            media: film.id,
            range: None,
            cipher: None,
            file_name: film.name.clone(),
            content_type: film.mime.clone(),
        }],
    };
    let request = Request::post(upload.address.clone(), body, Repeat::Harmless);
    Request { auth: Auth::None, ..request }
}

pub(super) fn creation(place: &Place, film: &str, job: &Job) -> Request {
    let (source, files) = source(film, job);
    let part = &job.parts[0];
    let mut value = json!({ "board_id": place.board, "media_source": source });
    let mut put = |name: &str, text: &str| {
        if !text.trim().is_empty() {
            value[name] = json!(text);
        }
    };
    put("board_section_id", &place.section);
    put("title", job.option(TITLE));
    put("description", &part.text);
    put("link", job.option(LINK));
    // One for the pin, however many images it has.
    let alt = part.media.iter().map(|media| media.alt.as_str()).find(|alt| !alt.is_empty());
    put("alt_text", alt.unwrap_or_default());
    let body = match files.is_empty() {
        true => Body::Json(value),
        false => Body::JsonWithFiles { value, files },
    };
    Request::post(job.site.url(API, "/v5/pins"), body, Repeat::Probed { settle: SETTLE })
}

/// By bytes: what is fetched by an address can be hindered on the way.
fn source(film: &str, job: &Job) -> (Value, Vec<(String, crate::domain::ids::MediaId)>) {
    let media = &job.parts[0].media;
    if !film.is_empty() {
        let milliseconds: u64 = job.option(THUMB_OFFSET).parse().unwrap_or_default();
        // "One cover form is required"; a frame is named in whole seconds.
        let source = json!({
            "source_type": "video_id",
            "media_id": film,
            "cover_image_key_frame_time": milliseconds / 1_000,
        });
        return (source, Vec::new());
    }
    if let [image] = media.as_slice() {
        let source = json!({
            "source_type": "image_base64", "content_type": image.mime, "data": "",
        });
        return (source, vec![("/media_source/data".to_owned(), image.id)]);
    }
    let item = |image: &JobMedia| {
        let mut item = json!({ "content_type": image.mime, "data": "" });
        if !job.option(LINK).is_empty() {
            item["link"] = json!(job.option(LINK));
        }
        item
    };
    let items: Vec<Value> = media.iter().map(item).collect();
    let files = media.iter().enumerate();
    let files = files.map(|(index, image)| (format!("/media_source/items/{index}/data"), image.id));
    let source = json!({ "source_type": "multiple_image_base64", "items": items, "index": 0 });
    (source, files.collect())
}

pub(super) fn live(id: String, site: &Site) -> Live {
    let url = site.url(WEB, &format!("/pin/{id}/"));
    Live { id, url }
}
