//! What a post on YouTube needs beyond its limits, and the options that it knows.

use crate::{
    connectors::{Draft, Finding},
    domain::{
        media::MediaKind,
        platform::{Loss, OptionRule, OptionValue},
        problem::{Code, Problem},
    },
};

pub(super) const TITLE: &str = "title";
pub(super) const TAGS: &str = "tags";
pub(super) const CATEGORY: &str = "category";
pub(super) const PRIVACY: &str = "privacy";
pub(super) const MADE_FOR_KIDS: &str = "made_for_kids";
pub(super) const NOTIFY: &str = "notify_subscribers";
pub(super) const PLAYLIST: &str = "playlist";
pub(super) const AI_GENERATED: &str = "ai_generated";

const TAGS_MAX: usize = 500;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: TITLE,
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "The video's title; YouTube needs one.",
    },
    OptionRule {
        name: TAGS,
        value: OptionValue::Lines { items_min: 1, items_max: 500, chars_max: 500 },
        loss: Loss::Harmless,
        about: "Words to find the video by, one a line, 500 characters together.",
    },
    OptionRule {
        name: CATEGORY,
        value: OptionValue::Number { min: 1, max: 99 },
        loss: Loss::Harmless,
        about: "The number of YouTube's category; 22, People & Blogs, if it is left out.",
    },
    OptionRule {
        name: PRIVACY,
        value: OptionValue::OneOf(&["public", "unlisted", "private"]),
        loss: Loss::Misleads { except: &["public"] },
        about: "Who may see the video; everybody, if it is left out.",
    },
    OptionRule {
        name: MADE_FOR_KIDS,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Whether the video is made for children; the law wants an answer for each video.",
    },
    OptionRule {
        name: NOTIFY,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Whether subscribers are told of the video; they are, if it is left out.",
    },
    OptionRule {
        name: PLAYLIST,
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "The id of a playlist to put the video into.",
    },
    OptionRule {
        name: AI_GENERATED,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Whether the video shows what looks real and was made or changed by a machine.",
    },
];

pub(super) fn lines(option: &str) -> Vec<&str> {
    option.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// "The limit is 500 characters … commas between items count toward the limit … a tag that contains
/// a space is handled as though it were wrapped in quotation marks" (docs/videos, as of 2026-09).
fn length_of_tags(tags: &[&str]) -> usize {
    let quotes = |tag: &str| if tag.contains(' ') { 2 } else { 0 };
    let own: usize = tags.iter().map(|tag| tag.chars().count() + quotes(tag)).sum();
    own + tags.len().saturating_sub(1)
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut error = |code, place: &str, sentence: &str, remedy: &str| {
        findings.push(Finding::Error(Problem::new(code, sentence, remedy).at(place)));
    };
    let title = draft.option(TITLE);
    if title.trim().is_empty() {
        let sentence = "A video on YouTube needs a title.";
        error(Code::TextMissing, "content.options.title", sentence, "Give the option `title`.");
    }
    let text = draft.parts.first().map_or("", |part| part.text.as_str());
    let tags = draft.option(TAGS);
    for (place, written, name) in [
        ("content.options.title", title, "title"),
        ("content.parts[0].text", text, "description"),
        ("content.options.tags", tags, "list of tags"),
    ] {
        if written.contains(['<', '>']) {
            let sentence = format!("YouTube takes no `<` and no `>` in a {name}.");
            error(Code::Invalid, place, &sentence, "Write it without them.");
        }
    }
    let used = length_of_tags(&lines(tags));
    if used > TAGS_MAX {
        let sentence = format!(
            "The tags have {used} characters as YouTube counts them, which counts commas between \
             them and quotation marks around those with spaces; {TAGS_MAX} are allowed."
        );
        error(Code::TextTooLong, "content.options.tags", &sentence, "Leave some out.");
    }
    let for_kids = draft.option(MADE_FOR_KIDS);
    if for_kids.is_empty() {
        let sentence = "YouTube wants to be told of each video whether it is made for children.";
        let remedy = "Give the option `made_for_kids`, `true` or `false`.";
        error(Code::Invalid, "content.options.made_for_kids", sentence, remedy);
    }
    let files = draft.parts.first().map_or(&[][..], |part| &part.media);
    if !files.is_empty() && !files.iter().any(|media| media.kind == MediaKind::Video) {
        let sentence = "YouTube publishes videos; an image is only the picture of a video.";
        error(Code::Invalid, "content.parts[0].media", sentence, "Attach a video.");
    }
    let reason = match (for_kids, draft.option(PRIVACY)) {
        ("true", _) => Some("a video that is made for children"),
        (_, "private") => Some("a private video"),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| draft.parts.len() > 1) {
        let sentence = format!("YouTube takes no comments below {reason}.");
        error(Code::Invalid, "content.parts[1]", &sentence, "Leave the comment out.");
    }
    if files.iter().any(|media| !media.alt.trim().is_empty()) {
        let sentence = "YouTube has no place for descriptions of files, so nobody will read them.";
        let problem = Problem::new(Code::Invalid, sentence, "Say it in the text.");
        findings.push(Finding::Warning(problem.at("content.parts[0].media")));
    }
    findings
}
