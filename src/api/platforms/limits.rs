//! What one post may hold, as it is shown. A number of files that is 0 means that there may be
//! none; a limit that is absent means that the platform has none of that sort.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::platform::{Intake, Lengths, Limits, Mixing, Ratios, TextLimit, TextUnit};

/// What one post may hold, unless an account's server says otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limits)]
pub(super) struct LimitsView {
    text_max: u32,
    /// How the platform counts: `characters`, `graphemes`, `mastodon` (a link has a fixed length),
    /// `weighted` (as X does), `utf16`, `emoji_bytes` (an emoji counts its bytes) or `little_text`
    /// (as LinkedIn does, escapes included).
    #[schema(value_type = String)]
    text_unit: &'static str,
    /// In bytes of UTF-8, beside `text_max`.
    #[serde(skip_serializing_if = "Option::is_none")]
    text_bytes_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hashtags_max: Option<u32>,
    /// More than this are advised against.
    #[serde(skip_serializing_if = "Option::is_none")]
    hashtags_advised: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mentions_max: Option<u32>,
    /// Different addresses in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    links_max: Option<u32>,
    /// 1 where a post cannot be without a file.
    media_min: u32,
    /// Files of all kinds together.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_max: Option<u32>,
    images_max: u32,
    image_bytes_max: u64,
    #[schema(value_type = Vec<String>)]
    image_formats: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    image_ratio: Option<RatiosView>,
    /// Width times height.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_pixels_max: Option<u64>,
    gif_bytes_max: u64,
    videos_max: u32,
    video_bytes_max: u64,
    #[schema(value_type = Vec<String>)]
    video_formats: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    video_ratio: Option<RatiosView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video_length: Option<LengthsView>,
    documents_max: u32,
    document_bytes_max: u64,
    #[schema(value_type = Vec<String>)]
    document_formats: &'static [&'static str],
    alt_chars_max: u32,
    /// In a thread, the first part included.
    parts_max: u32,
    /// Parts after the first are comments with a text of at most this, and no files.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<TextLimitView>,
    /// Whether images and a video may share a post.
    mixing_allowed: bool,
    /// Which files the platform fetches from Fanfare's public address instead of taking their
    /// bytes: `bytes` (none), `images_by_url` or `all_by_url`.
    #[schema(value_type = String)]
    intake: &'static str,
}

/// Width divided by height.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ratios)]
pub(super) struct RatiosView {
    min: f64,
    max: f64,
}

/// How long a video may be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lengths)]
pub(super) struct LengthsView {
    seconds_min: f64,
    seconds_max: f64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TextLimit)]
pub(super) struct TextLimitView {
    max: u32,
    /// As `text_unit`.
    #[schema(value_type = String)]
    unit: &'static str,
}

impl From<&Limits> for LimitsView {
    fn from(limits: &Limits) -> LimitsView {
        LimitsView {
            text_max: limits.text.max,
            text_unit: name_of_unit(limits.text.unit),
            text_bytes_max: limits.text_bytes_max,
            hashtags_max: limits.hashtags_max,
            hashtags_advised: limits.hashtags_advised,
            mentions_max: limits.mentions_max,
            links_max: limits.links_max,
            media_min: limits.media_min,
            media_max: limits.media_max,
            images_max: limits.images_max,
            image_bytes_max: limits.image_bytes_max,
            image_formats: limits.image_formats,
            image_ratio: limits.image_ratio.map(RatiosView::from),
            image_pixels_max: limits.image_pixels_max,
            gif_bytes_max: limits.gif_bytes_max,
            videos_max: limits.videos_max,
            video_bytes_max: limits.video_bytes_max,
            video_formats: limits.video_formats,
            video_ratio: limits.video_ratio.map(RatiosView::from),
            video_length: limits.video_length.map(LengthsView::from),
            documents_max: limits.documents_max,
            document_bytes_max: limits.document_bytes_max,
            document_formats: limits.document_formats,
            alt_chars_max: limits.alt_chars_max,
            parts_max: limits.parts_max,
            comment: limits.comment.map(TextLimitView::from),
            mixing_allowed: limits.mixing == Mixing::Allowed,
            intake: match limits.intake {
                Intake::Bytes => "bytes",
                Intake::ImagesByUrl => "images_by_url",
                Intake::AllByUrl => "all_by_url",
            },
        }
    }
}

fn name_of_unit(unit: TextUnit) -> &'static str {
    match unit {
        TextUnit::Graphemes => "graphemes",
        TextUnit::Mastodon { .. } => "mastodon",
        TextUnit::Weighted => "weighted",
        TextUnit::Chars => "characters",
        TextUnit::Utf16 => "utf16",
        TextUnit::EmojiBytes => "emoji_bytes",
        TextUnit::LittleText => "little_text",
    }
}

impl From<Ratios> for RatiosView {
    fn from(ratios: Ratios) -> RatiosView {
        let in_thousandths = |ratio: u32| f64::from(ratio) / 1_000.0;
        RatiosView { min: in_thousandths(ratios.min), max: in_thousandths(ratios.max) }
    }
}

impl From<Lengths> for LengthsView {
    fn from(lengths: Lengths) -> LengthsView {
        LengthsView {
            seconds_min: lengths.min.as_secs_f64(),
            seconds_max: lengths.max.as_secs_f64(),
        }
    }
}

impl From<TextLimit> for TextLimitView {
    fn from(limit: TextLimit) -> TextLimitView {
        TextLimitView { max: limit.max, unit: name_of_unit(limit.unit) }
    }
}
