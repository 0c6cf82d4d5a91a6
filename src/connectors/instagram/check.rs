//! What limits as data cannot say: options that have no effect or no meaning, and what Instagram
//! does otherwise than one may think.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media>,
//! as of 2026-10.

use std::time::Duration;

use super::{
    container::{self, Shape, is_film},
    limits::{COLLABORATORS, LOCATION, SHARE_TO_FEED, THUMB_OFFSET},
};
use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        platform::FORMAT,
        problem::{Code, Problem},
    },
};

pub(super) fn of(draft: &Draft) -> Vec<Finding> {
    let media = draft.parts.first().map_or(&[][..], |part| &part.media);
    let shape = Shape::of(draft.option(FORMAT), media);
    let mut findings = Vec::new();
    findings.extend(wrong_collaborator(draft));
    findings.extend(wrong_location(draft));
    findings.extend(late_cover(draft, media));
    findings.extend(without_effect(draft, media, shape));
    if shape == Shape::Album {
        findings.extend(cropped(media));
    }
    findings.extend(untold(media, shape));
    findings
}

fn error(place: &str, sentence: String, remedy: &str) -> Finding {
    Finding::Error(Problem::new(Code::Invalid, sentence, remedy).at(place))
}

fn warning(place: &str, sentence: String, remedy: &str) -> Finding {
    Finding::Warning(Problem::new(Code::Invalid, sentence, remedy).at(place))
}

fn place(option: &str) -> String {
    format!("content.options.{option}")
}

fn wrong_collaborator(draft: &Draft) -> Option<Finding> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
    let mut names = draft.option(COLLABORATORS).lines().map(container::username);
    let wrong = names.find(|name| {
        name.is_empty() || name.chars().count() > 30 || !name.chars().all(is_allowed)
    })?;
    let sentence = format!("`{wrong}` is no name of an Instagram account.");
    let remedy = "Write names as in the app, one a line: letters, digits, dots and underscores.";
    Some(error(&place(COLLABORATORS), sentence, remedy))
}

fn wrong_location(draft: &Draft) -> Option<Finding> {
    let location = draft.option(LOCATION);
    if location.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sentence = format!("`{location}` is no id of a place; such an id is a number.");
    let remedy = "Use the id of the Facebook page that stands for the place.";
    Some(error(&place(LOCATION), sentence, remedy))
}

fn late_cover(draft: &Draft, media: &[JobMedia]) -> Option<Finding> {
    let offset = draft.option(THUMB_OFFSET).parse().ok().map(Duration::from_millis)?;
    let length = media.first().and_then(|film| film.length).filter(|length| offset > *length)?;
    let (offset, length) = (offset.as_secs_f32(), length.as_secs_f32());
    let sentence =
        format!("The cover is at {offset} seconds, but the video is {length} seconds long.");
    let remedy = "Choose an earlier moment, in milliseconds.";
    Some(error(&place(THUMB_OFFSET), sentence, remedy))
}

fn without_effect(draft: &Draft, media: &[JobMedia], shape: Shape) -> Vec<Finding> {
    // Without its files nothing can be said of it.
    if media.is_empty() {
        return Vec::new();
    }
    let has_effect = |option: &str| match option {
        THUMB_OFFSET => shape == Shape::Reel,
        SHARE_TO_FEED => matches!(shape, Shape::Reel | Shape::Album),
        _ => shape != Shape::Story,
    };
    let name = match shape {
        Shape::Image => "an image",
        Shape::Reel => "a reel",
        Shape::Album => "a carousel",
        Shape::Story => "a story",
    };
    [THUMB_OFFSET, SHARE_TO_FEED, COLLABORATORS, LOCATION]
        .into_iter()
        .filter(|option| !draft.option(option).is_empty() && !has_effect(option))
        .map(|option| {
            let sentence = format!("On Instagram, `{option}` has no effect on {name}.");
            warning(&place(option), sentence, "Leave it out.")
        })
        .collect()
}

/// "Carousel images are all cropped based on the first image in the carousel".
fn cropped(media: &[JobMedia]) -> Option<Finding> {
    let ratio = |file: &JobMedia| {
        file.size.map(|(width, height)| f64::from(width) / f64::from(height.max(1)))
    };
    let first = ratio(media.first()?)?;
    let differs = |file: &JobMedia| ratio(file).is_some_and(|it| (it / first - 1.0).abs() > 0.01);
    let other = media.iter().position(differs)?;
    let sentence = format!(
        "File {} has another shape than the first; Instagram crops all to the shape of the first.",
        other + 1
    );
    let remedy = "Use files of one shape, or check what is cut off.";
    Some(warning(&format!("content.parts[0].media[{other}]"), sentence, remedy))
}

/// A description that nobody will hear.
fn untold(media: &[JobMedia], shape: Shape) -> Vec<Finding> {
    let is_untold =
        |file: &JobMedia| !file.alt.is_empty() && (is_film(file) || shape == Shape::Story);
    let files = media.iter().enumerate().filter(|(_, file)| is_untold(file));
    files
        .map(|(index, _)| {
            let sentence = "Instagram takes no description of videos and stories.".to_owned();
            let remedy = "Say in the text what matters, for people who cannot see it.";
            warning(&format!("content.parts[0].media[{index}].alt"), sentence, remedy)
        })
        .collect()
}
