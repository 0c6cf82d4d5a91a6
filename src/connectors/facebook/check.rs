//! What Facebook cannot do, and its limits as data do not say.

use super::post::{LINK, REEL, STORY, TITLE};
use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        media::MediaKind,
        platform::FORMAT,
        problem::{Code, Problem},
    },
};

/// "Minimum is 540 x 960 pixels" (video-api/guides/reels-publishing, 2026-07-30).
const UPRIGHT_MIN: (u32, u32) = (540, 960);

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let files = draft.parts.first().map_or(&[][..], |part| &part.media);
    let is_upright = [REEL, STORY].contains(&draft.option(FORMAT));
    let mut findings = Vec::new();
    if !draft.option(LINK).is_empty() && (is_upright || !files.is_empty()) {
        findings.push(Finding::Error(
            Problem::new(
                Code::UnknownOption,
                "Facebook shows the card of a link only with a post that has no files.",
                "Leave out the option, and write the address into the text.",
            )
            .at("content.options.link"),
        ));
    }
    let has_title = !draft.option(TITLE).is_empty();
    let has_film = files.iter().any(|file| file.kind == MediaKind::Video);
    if has_title && (!has_film || draft.option(FORMAT) == STORY) {
        findings.push(Finding::Warning(
            Problem::new(
                Code::UnknownOption,
                "Facebook shows a title only with a video or a reel; here nobody will see it.",
                "Write it into the text, or leave it out.",
            )
            .at("content.options.title"),
        ));
    }
    for (index, file) in files.iter().enumerate() {
        let place = format!("content.parts[0].media[{index}]");
        findings.extend(check_film(file, is_upright, &place));
    }
    findings
}

fn check_film(file: &JobMedia, is_upright: bool, place: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if file.kind != MediaKind::Video {
        return findings;
    }
    let (least_width, least_height) = UPRIGHT_MIN;
    if let Some((width, height)) = file.size
        && is_upright
        && (width < least_width || height < least_height)
    {
        let sentence = format!(
            "This video is {width} by {height} pixels; for reels and stories Facebook takes \
             {least_width} by {least_height} and more."
        );
        let problem = Problem::new(Code::MediaShape, sentence, "Export it larger.");
        findings.push(Finding::Error(problem.at(place)));
    }
    if !file.alt.trim().is_empty() {
        let sentence = "Facebook takes no descriptions of videos; this one is left out.";
        let problem = Problem::new(Code::AltTooLong, sentence, "Describe it in the text.");
        findings.push(Finding::Warning(problem.at(format!("{place}.alt"))));
    }
    findings
}
