//! Instagram's containers: what is to be published, checked, fetched and processed first.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing>, read 2026-11-21.

use std::{ops::RangeInclusive, time::Duration};

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::shelf};

use super::{
    Answer, Books, Call, DAY, Door, Meta, Node, Reply,
    address::version_used,
    asset::{Asset, fetched},
    film::is_film_of,
    new_id,
    parameters::Parameters,
    refusal::{invalid, not_now, refuse},
};

const IMAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
const REEL_BYTES_MAX: usize = 300 * 1024 * 1024;
const STORY_BYTES_MAX: usize = 100 * 1024 * 1024;
/// "3 s – 15 min", "3–60 s".
const REEL_SECONDS: RangeInclusive<f64> = 3.0..=900.0;
const STORY_SECONDS: RangeInclusive<f64> = 3.0..=60.0;
/// "4:5 … 1.91:1"; whole pixels miss either by a little.
const NARROWEST: f64 = 0.799;
const WIDEST: f64 = 1.911;
const CAPTION_CHARS_MAX: usize = 2_200;
const HASHTAGS_MAX: usize = 30;
const MENTIONS_MAX: usize = 20;
const TAGS_MAX: usize = 20;
const COLLABORATORS_MAX: usize = 3;
const ALT_CHARS_MAX: usize = 1_000;
const CHILDREN: RangeInclusive<usize> = 2..=10;
/// "≤ 400 containers in 24 h".
const CONTAINERS_MAX: usize = 400;
/// A video is looked at for this long.
const PROCESSING: Duration = Duration::from_secs(8);

const KNOWN: [&str; 18] = [
    "media_type",
    "image_url",
    "video_url",
    "upload_type",
    "caption",
    "alt_text",
    "is_carousel_item",
    "children",
    "share_to_feed",
    "cover_url",
    "thumb_offset",
    "audio_name",
    "user_tags",
    "location_id",
    "collaborators",
    "trial_params",
    "is_ai_generated",
    "audio_configuration",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    /// A video within a carousel.
    Video,
    Reel,
    Carousel,
    Story,
}

/// `Waiting → Processing | Failed`, `Processing → Published`. What is processed long enough is
/// finished; what is a day old and not published is expired.
pub(super) enum Stage {
    /// For bytes.
    Waiting {
        total: Option<u64>,
        chunks: Vec<Bytes>,
    },
    Processing {
        until: Timestamp,
    },
    /// With Instagram's number for the reason.
    Failed {
        from: Timestamp,
        subcode: u32,
    },
    Published,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InProgress,
    Finished,
    Failed(u32),
    Expired,
    Published,
}

pub(super) struct Container {
    pub(super) profile: usize,
    pub(super) door: Door,
    id: String,
    pub(super) kind: Kind,
    pub(super) is_child: bool,
    pub(super) caption: String,
    pub(super) alt: String,
    pub(super) is_in_feed: bool,
    pub(super) children: Vec<usize>,
    pub(super) asset: Option<Asset>,
    at: Timestamp,
    pub(super) stage: Stage,
}

impl Container {
    pub(super) fn status(&self, now: Timestamp) -> Status {
        match self.stage {
            Stage::Published => Status::Published,
            _ if self.at.elapsed(now) >= DAY => Status::Expired,
            Stage::Failed { from, subcode } if from <= now => Status::Failed(subcode),
            Stage::Processing { until } if until <= now => Status::Finished,
            Stage::Failed { .. } | Stage::Processing { .. } | Stage::Waiting { .. } => {
                Status::InProgress
            }
        }
    }

    /// Begins to process when all bytes are there.
    pub(super) fn settle(&mut self, now: Timestamp, books: &mut Books) -> Result<(), Answer> {
        if let Stage::Waiting { total: Some(total), chunks } = &mut self.stage
            && *total == chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>()
        {
            let chunks = std::mem::take(chunks);
            self.take_film(chunks, now, books)?;
        }
        Ok(())
    }

    /// A bad video is noticed while it is processed, not when it arrives.
    fn take_film(
        &mut self,
        chunks: Vec<Bytes>,
        now: Timestamp,
        books: &mut Books,
    ) -> Result<(), Answer> {
        let bytes: usize = chunks.iter().map(Bytes::len).sum();
        let (most, seconds) = match self.kind {
            Kind::Story => (STORY_BYTES_MAX, STORY_SECONDS),
            Kind::Image | Kind::Video | Kind::Reel | Kind::Carousel => {
                (REEL_BYTES_MAX, REEL_SECONDS)
            }
        };
        let is_film = is_film_of(&chunks, &seconds);
        let until = now.after(PROCESSING);
        self.stage = match is_film && bytes <= most {
            true => {
                self.asset = Some(Asset::keep(books, chunks)?);
                Stage::Processing { until }
            }
            false => Stage::Failed { from: until, subcode: 2_207_026 },
        };
        Ok(())
    }
}

impl Meta {
    pub(super) fn create_container(
        &mut self,
        call: &Call,
        profile: usize,
        books: &mut Books,
    ) -> Reply {
        let parameters = Parameters::read(call, &KNOWN)?;
        let day = self.containers.iter().filter(|it| it.profile == profile);
        if day.filter(|it| it.at.elapsed(call.now) < DAY).count() >= CONTAINERS_MAX {
            return Err(not_now(80_002, 2_446_079, "Too many containers in 24 hours"));
        }
        let is_child = parameters.flag("is_carousel_item")?.unwrap_or(false);
        let kind = kind(&parameters, is_child)?;
        check_words(&parameters, kind, is_child)?;
        check_tags(&parameters, kind)?;
        // "A only": music is not for Instagram's own login.
        let sings = parameters.object("audio_configuration")?.is_some();
        if sings && (kind != Kind::Reel || Door::of(call) == Door::Instagram) {
            return Err(invalid("audio_configuration is not known here"));
        }
        let id = new_id(&mut books.chance, call.now);
        let mut container = Container {
            profile,
            door: Door::of(call),
            id: id.clone(),
            kind,
            is_child,
            caption: parameters.words("caption")?,
            alt: parameters.words("alt_text")?,
            is_in_feed: parameters.flag("share_to_feed")?.unwrap_or(true),
            children: Vec::new(),
            asset: None,
            at: call.now,
            stage: Stage::Processing { until: call.now },
        };
        match kind {
            Kind::Carousel => container.children = self.children(&parameters, profile, call)?,
            Kind::Image | Kind::Video | Kind::Reel | Kind::Story => {
                fill(&mut container, call, &parameters, books)?;
            }
        }
        let mut body = json!({ "id": id });
        if matches!(container.stage, Stage::Waiting { .. }) {
            // The host for bytes is Facebook's, whichever login it was.
            let version = version_used(call);
            let uri = format!("{}/facebook/ig-api-upload/{version}/{id}", call.origin);
            body["uri"] = json!(uri);
        }
        self.nodes.insert(id, Node::Container(self.containers.len()));
        self.containers.push(container);
        Ok(Answer::json(200, &body))
    }

    fn children(
        &self,
        parameters: &Parameters,
        profile: usize,
        call: &Call,
    ) -> Result<Vec<usize>, Answer> {
        for name in ["image_url", "video_url", "upload_type", "alt_text"] {
            if parameters.has(name) {
                return Err(invalid(&format!("A carousel has no {name}")));
            }
        }
        let ids = parameters.texts("children")?;
        if !CHILDREN.contains(&ids.len()) {
            return Err(refuse(100, 2_207_028, "A carousel needs 2 to 10 children"));
        }
        let mut found = Vec::new();
        for id in ids {
            let Some(Node::Container(number)) = self.nodes.get(&id).copied() else {
                return Err(no_container(&id));
            };
            let child = &self.containers[number];
            if child.profile != profile || child.door != Door::of(call) || found.contains(&number) {
                return Err(no_container(&id));
            }
            if !child.is_child {
                return Err(invalid("A child of a carousel needs is_carousel_item"));
            }
            match child.status(call.now) {
                Status::Finished => found.push(number),
                Status::InProgress => return Err(not_ready()),
                Status::Failed(_) | Status::Expired | Status::Published => {
                    return Err(no_container(&id));
                }
            }
        }
        Ok(found)
    }

    pub(super) fn container_json(&self, number: usize, now: Timestamp) -> Value {
        let container = &self.containers[number];
        let (code, text) = match container.status(now) {
            Status::InProgress => {
                ("IN_PROGRESS", "In Progress: Media is still being processed.".to_owned())
            }
            Status::Finished => (
                "FINISHED",
                "Finished: Media has been uploaded and it is ready to be published.".to_owned(),
            ),
            Status::Failed(subcode) => {
                ("ERROR", format!("Error: Media upload has failed with error code {subcode}"))
            }
            Status::Expired => {
                ("EXPIRED", "Expired: The container was not published within 24 hours.".to_owned())
            }
            Status::Published => {
                ("PUBLISHED", "Published: Media has been successfully published.".to_owned())
            }
        };
        json!({ "id": container.id, "status_code": code, "status": text,
            "copyright_check_status": { "status": "completed", "matches_found": false } })
    }
}

fn kind(parameters: &Parameters, is_child: bool) -> Result<Kind, Answer> {
    let kind = match parameters.text("media_type")? {
        None | Some("IMAGE") => Kind::Image,
        Some("VIDEO") if is_child => Kind::Video,
        Some("VIDEO") => {
            return Err(refuse(
                100,
                2_207_067,
                "The VIDEO value for media_type is no longer \
                supported. Use the REELS media_type to publish a video.",
            ));
        }
        Some("REELS") => Kind::Reel,
        Some("STORIES") => Kind::Story,
        Some("CAROUSEL") => Kind::Carousel,
        Some(_) => return Err(refuse(100, 2_207_023, "The media type is unknown")),
    };
    match is_child && !matches!(kind, Kind::Image | Kind::Video) {
        true => Err(invalid("A child of a carousel is an image or a video")),
        false => Ok(kind),
    }
}

fn check_words(parameters: &Parameters, kind: Kind, is_child: bool) -> Result<(), Answer> {
    let caption = parameters.words("caption")?;
    if !caption.is_empty() && (is_child || kind == Kind::Story) {
        return Err(invalid("Stories and the children of a carousel have no caption"));
    }
    // The unit is not documented: neither count may be exceeded.
    let longest = caption.chars().count().max(caption.encode_utf16().count());
    // What glues a mention to a word makes it an address of mail; hashtags may touch.
    let marked = |mark: char| {
        let followed = caption.match_indices(mark).filter(|(at, _)| {
            let before = caption[..*at].chars().next_back().is_some_and(char::is_alphanumeric);
            let after = caption[at + 1..].chars().next().is_some_and(char::is_alphanumeric);
            after && (mark == '#' || !before)
        });
        followed.count()
    };
    if longest > CAPTION_CHARS_MAX || marked('#') > HASHTAGS_MAX || marked('@') > MENTIONS_MAX {
        return Err(refuse(36_004, 2_207_010, "The caption was too long."));
    }
    let alt = parameters.words("alt_text")?;
    if !alt.is_empty() && kind != Kind::Image {
        return Err(invalid("alt_text is only for images"));
    }
    match alt.chars().count() > ALT_CHARS_MAX {
        true => Err(invalid("Param alt_text is too long")),
        false => Ok(()),
    }
}

fn check_tags(parameters: &Parameters, kind: Kind) -> Result<(), Answer> {
    let tags = parameters.list("user_tags")?;
    if tags.len() > TAGS_MAX {
        return Err(refuse(100, 2_207_040, "Cannot use more than 20 tags"));
    }
    for tag in &tags {
        let is_placed = ["x", "y"]
            .iter()
            .all(|axis| tag[*axis].as_f64().is_some_and(|at| (0.0..=1.0).contains(&at)));
        let is_named = tag["username"].as_str().is_some_and(|name| !name.is_empty());
        if !is_named || (kind == Kind::Image && !is_placed) {
            return Err(refuse(100, 2_207_035, "A tag needs a username, and x and y in an image"));
        }
    }
    if parameters.texts("collaborators")?.len() > COLLABORATORS_MAX {
        return Err(invalid("There can be 3 collaborators at most"));
    }
    if parameters.has("location_id") {
        parameters.id("location_id")?;
    }
    parameters.flag("is_ai_generated")?;
    let only_reels = ["share_to_feed", "cover_url", "thumb_offset", "audio_name", "trial_params"];
    let shares = |name: &&str| *name == "share_to_feed" && kind == Kind::Carousel;
    if kind != Kind::Reel
        && let Some(name) = only_reels.iter().find(|it| parameters.has(it) && !shares(it))
    {
        return Err(invalid(&format!("{name} is only for reels")));
    }
    parameters.number("thumb_offset")?;
    parameters.text("audio_name")?;
    if let Some(trial) = parameters.object("trial_params")?
        && !["MANUAL", "SS_PERFORMANCE"].iter().any(|it| trial["graduation_strategy"] == *it)
    {
        return Err(invalid("trial_params needs a graduation_strategy"));
    }
    match parameters.has("children") && kind != Kind::Carousel {
        true => Err(invalid("Only a carousel has children")),
        false => Ok(()),
    }
}

/// With the file, or the place for its bytes.
fn fill(
    container: &mut Container,
    call: &Call,
    parameters: &Parameters,
    books: &mut Books,
) -> Result<(), Answer> {
    let image = parameters.text("image_url")?;
    let video = parameters.text("video_url")?;
    let resumable = match parameters.choice("upload_type", &["resumable"])? {
        Some(_) if container.kind == Kind::Image => {
            return Err(invalid("upload_type is only for videos"));
        }
        found => found.is_some(),
    };
    if let Some(cover) = parameters.text("cover_url")? {
        let bytes = fetched(call, cover).map_err(|_| unfetchable(cover))?;
        if shelf::sniff(&bytes) != "image/jpeg" || bytes.len() > IMAGE_BYTES_MAX {
            return Err(refuse(36_001, 2_207_005, "The cover is not a JPEG of 8 MiB at most"));
        }
    }
    match (container.kind, image, video, resumable) {
        (Kind::Image | Kind::Story, Some(url), None, false) => {
            let bytes = fetched(call, url).map_err(|_| unfetchable(url))?;
            check_image(&bytes, container.kind)?;
            container.asset = Some(Asset::keep(books, vec![bytes])?);
            Ok(())
        }
        (Kind::Video | Kind::Reel | Kind::Story, None, Some(url), false) => {
            match fetched(call, url) {
                Ok(bytes) => container.take_film(vec![bytes], call.now, books),
                Err(_) => {
                    let from = call.now.after(PROCESSING);
                    container.stage = Stage::Failed { from, subcode: 2_207_077 };
                    Ok(())
                }
            }
        }
        (Kind::Video | Kind::Reel | Kind::Story, None, None, true) => {
            container.stage = Stage::Waiting { total: None, chunks: Vec::new() };
            Ok(())
        }
        _ => Err(invalid("Exactly one source that fits the media_type is required")),
    }
}

/// "JPEG only", "≤ 8 MB", "4:5 … 1.91:1"; a story may have any shape.
fn check_image(bytes: &Bytes, kind: Kind) -> Result<(), Answer> {
    if bytes.len() > IMAGE_BYTES_MAX {
        return Err(refuse(36_000, 2_207_004, "The image size is too large."));
    }
    let size = shelf::dimensions(bytes).filter(|_| shelf::sniff(bytes) == "image/jpeg");
    let Some((width, height)) = size else {
        return Err(refuse(36_001, 2_207_005, "The image format is not supported."));
    };
    let ratio = width as f64 / height.max(1) as f64;
    match kind == Kind::Story || (NARROWEST..=WIDEST).contains(&ratio) {
        true => Ok(()),
        false => Err(refuse(36_003, 2_207_009, "The aspect ratio is not supported.")),
    }
}

fn unfetchable(url: &str) -> Answer {
    let text = format!("Only photo or video can be accepted as media type: {url}");
    refuse(9_004, 2_207_052, &text)
}

pub(super) fn no_container(id: &str) -> Answer {
    let text = format!("The media builder with creation id = {id} does not exist or has expired");
    refuse(24, 2_207_008, &text)
}

pub(super) fn not_ready() -> Answer {
    refuse(9_007, 2_207_027, "Media ID is not available")
}
