//! What Instagram takes, as data.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media>,
//! as of 2026-10.

use std::time::Duration;

use crate::domain::platform::{
    FORMAT, Format, Intake, Kind, Lengths, Limits, Loss, Mixing, OptionRule, OptionValue, Ratios,
    TextLimit, TextUnit,
};

const MEGABYTE: u64 = 1024 * 1024;

/// The unit of "2,200 characters" is not documented: the larger of the usual counts is taken.
const TEXT: TextLimit = TextLimit { max: 2_200, unit: TextUnit::Utf16 };

const FILES: Limits = Limits {
    media_min: 1,
    // The page of errors also speaks of PNG; the reference says "JPEG is the only image format
    // supported".
    image_formats: &["image/jpeg"],
    image_bytes_max: 8 * MEGABYTE,
    video_formats: &["video/mp4", "video/quicktime"],
    video_bytes_max: 300 * MEGABYTE,
    video_ratio: Some(Ratios { min: 10, max: 10_000 }),
    alt_chars_max: 1_000,
    mixing: Mixing::Allowed,
    // Films go up as bytes; of an image Instagram takes the address alone.
    intake: Intake::ImagesByUrl,
    ..Limits::NONE
};

/// An image, a reel, or two to ten of both.
pub(super) const POST: Limits = Limits {
    text: TEXT,
    hashtags_max: Some(30),
    mentions_max: Some(20),
    media_max: Some(10),
    images_max: 10,
    videos_max: 10,
    image_ratio: Some(Ratios { min: 800, max: 1_910 }),
    video_length: Some(REEL_LENGTH),
    parts_max: 2,
    comment: Some(TEXT),
    ..FILES
};

const REEL_LENGTH: Lengths =
    Lengths { min: Duration::from_secs(3), max: Duration::from_secs(15 * 60) };

pub(super) const REEL: &str = "reel";
pub(super) const STORY: &str = "story";

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: REEL,
        limits: Limits { images_max: 0, media_max: Some(1), videos_max: 1, ..POST },
        kinds: &[Kind::Video, Kind::Reel, Kind::Comment],
    },
    Format {
        name: STORY,
        limits: Limits {
            media_max: Some(1),
            images_max: 1,
            videos_max: 1,
            video_bytes_max: 100 * MEGABYTE,
            video_length: Some(Lengths {
                min: Duration::from_secs(3),
                max: Duration::from_secs(60),
            }),
            ..FILES
        },
        kinds: &[Kind::Image, Kind::Video, Kind::Story],
    },
];

pub(super) const SHARE_TO_FEED: &str = "share_to_feed";
pub(super) const THUMB_OFFSET: &str = "thumb_offset";
pub(super) const COLLABORATORS: &str = "collaborators";
pub(super) const LOCATION: &str = "location_id";

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: FORMAT,
        value: OptionValue::OneOf(&[REEL, STORY]),
        // Every video is a reel here, and a post with a video elsewhere.
        loss: Loss::Misleads { except: &[REEL] },
        about: "A story that is gone after a day, or a reel.",
    },
    OptionRule {
        name: SHARE_TO_FEED,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Whether a reel is also shown among the posts of the profile.",
    },
    OptionRule {
        name: THUMB_OFFSET,
        value: OptionValue::Number { min: 0, max: 15 * 60 * 1_000 },
        loss: Loss::Harmless,
        about: "Which moment of a reel is its cover, in milliseconds from its beginning.",
    },
    OptionRule {
        name: COLLABORATORS,
        // A name has at most 30 characters, and perhaps an `@` in front.
        value: OptionValue::Lines { items_min: 1, items_max: 3, chars_max: 31 },
        loss: Loss::Harmless,
        about: "Accounts that are invited to be named as authors too, one a line.",
    },
    OptionRule {
        name: LOCATION,
        value: OptionValue::Text { chars_max: 32 },
        loss: Loss::Harmless,
        about: "The id of a Facebook page that stands for a place.",
    },
];
