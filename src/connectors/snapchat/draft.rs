//! What a story and a Spotlight may hold, and what Snapchat would refuse.
//!
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/ProfileAssetManagement>, as of
//! 2026-03.

use std::time::Duration;

use crate::{
    connectors::{Draft, Finding, Job, JobMedia},
    domain::{
        media::MediaKind,
        platform::{
            FORMAT, Format, Kind, Lengths, Limits, Loss, OptionRule, OptionValue, Ratios,
            TextLimit, TextUnit,
        },
        problem::{Code, Problem},
    },
};

const STORY: &str = "story";
pub(super) const SPOTLIGHT: &str = "spotlight";
const LOCALE: &str = "locale";

const LOCALE_DEFAULT: &str = "en_US";

/// "9:16"; encoders round to multiples of 16.
const UPRIGHT: Ratios = Ratios { min: 550, max: 575 };

/// Pages differ between 500 MB and 1 GB.
pub(super) const STORY_LIMITS: Limits = Limits {
    media_min: 1,
    media_max: Some(1),
    images_max: 1,
    image_bytes_max: 20_000_000,
    image_formats: &["image/jpeg", "image/png"],
    videos_max: 1,
    video_bytes_max: 500_000_000,
    video_formats: &["video/mp4"],
    video_ratio: Some(UPRIGHT),
    video_length: Some(Lengths { min: Duration::from_secs(5), max: Duration::from_secs(60) }),
    // Snapchat takes none; see `check`.
    alt_chars_max: 1_000,
    ..Limits::NONE
};

/// How 160 characters are counted is not said: the larger of the usual counts is taken.
const SPOTLIGHT_LIMITS: Limits = Limits {
    text: TextLimit { max: 160, unit: TextUnit::Utf16 },
    images_max: 0,
    image_bytes_max: 0,
    image_formats: &[],
    ..STORY_LIMITS
};

pub(super) const STORY_KINDS: &[Kind] = &[Kind::Image, Kind::Video, Kind::Story];

pub(super) const FORMATS: &[Format] = &[
    // As without a format; so that one post can be a story on several platforms.
    Format { name: STORY, limits: STORY_LIMITS, kinds: STORY_KINDS },
    Format { name: SPOTLIGHT, limits: SPOTLIGHT_LIMITS, kinds: &[Kind::Video] },
];

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: FORMAT,
        value: OptionValue::OneOf(&[STORY, SPOTLIGHT]),
        loss: Loss::Misleads { except: &[] },
        about: "A story that is gone after a day, as without it, or a Spotlight.",
    },
    OptionRule {
        name: LOCALE,
        value: OptionValue::Text { chars_max: 5 },
        loss: Loss::Harmless,
        about: "The language and country of a Spotlight, such as en_US, which it is without it.",
    },
];

/// "At least 540 by 960 pixels".
const WIDTH_MIN: u32 = 540;
const HEIGHT_MIN: u32 = 960;

pub(super) fn locale(job: &Job) -> &str {
    match job.option(LOCALE) {
        "" => LOCALE_DEFAULT,
        locale => locale,
    }
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let file = draft.parts.first().and_then(|part| part.media.first());
    let mut findings = Vec::new();
    findings.extend(odd_locale(draft));
    findings.extend(without_effect(draft));
    findings.extend(file.and_then(small));
    findings.extend(file.and_then(untold));
    findings
}

fn odd_locale(draft: &Draft) -> Option<Finding> {
    let locale = draft.option(LOCALE);
    let is_one = |locale: &str| {
        let (language, country) = locale.split_once('_')?;
        let is_pair = language.len() == 2 && country.len() == 2;
        let is_lower = language.bytes().all(|letter| letter.is_ascii_lowercase());
        let is_upper = country.bytes().all(|letter| letter.is_ascii_uppercase());
        (is_pair && is_lower && is_upper).then_some(())
    };
    if locale.is_empty() || is_one(locale).is_some() {
        return None;
    }
    let sentence = format!("`locale` is `{locale}`; Snapchat wants one such as `en_US`.");
    let remedy = "Write a language and a country, or leave it out.";
    let problem = Problem::new(Code::UnknownOption, sentence, remedy);
    Some(Finding::Error(problem.at("content.options.locale")))
}

fn without_effect(draft: &Draft) -> Option<Finding> {
    if draft.option(LOCALE).is_empty() || draft.option(FORMAT) == SPOTLIGHT {
        return None;
    }
    let sentence = "On Snapchat, `locale` has no effect on a story.";
    let problem = Problem::new(Code::Invalid, sentence, "Leave it out.");
    Some(Finding::Warning(problem.at("content.options.locale")))
}

fn small(file: &JobMedia) -> Option<Finding> {
    let (width, height) = file.size.filter(|_| file.kind == MediaKind::Video)?;
    if width >= WIDTH_MIN && height >= HEIGHT_MIN {
        return None;
    }
    let sentence = format!(
        "The video is {width} by {height} pixels; Snapchat wants at least {WIDTH_MIN} by \
         {HEIGHT_MIN}."
    );
    let problem = Problem::new(Code::MediaShape, sentence, "Make it larger.");
    Some(Finding::Error(problem.at("content.parts[0].media[0]")))
}

/// A description that nobody will hear.
fn untold(file: &JobMedia) -> Option<Finding> {
    if file.alt.is_empty() {
        return None;
    }
    let sentence = "Snapchat takes no description of files.";
    let remedy = "Leave it if that is fine.";
    let problem = Problem::new(Code::Invalid, sentence, remedy);
    Some(Finding::Warning(problem.at("content.parts[0].media[0].alt")))
}
