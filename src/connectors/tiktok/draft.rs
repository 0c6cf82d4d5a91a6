//! What a post for TikTok says beyond text and files, and what TikTok would refuse or pass over.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-reference-direct-post>,
//! <https://developers.tiktok.com/doc/content-posting-api-reference-photo-post> and
//! <https://developers.tiktok.com/doc/content-sharing-guidelines>, as of 2026-11-21.

use std::time::Duration;

use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        media::MediaKind,
        platform::{Loss, OptionRule, OptionValue, TextUnit},
        problem::{Code, Problem},
        text,
    },
};

pub(super) const AI_GENERATED: &str = "ai_generated";
pub(super) const AUTO_ADD_MUSIC: &str = "auto_add_music";
pub(super) const BRAND_CONTENT: &str = "brand_content";
pub(super) const BRAND_ORGANIC: &str = "brand_organic";
pub(super) const DISABLE_COMMENT: &str = "disable_comment";
pub(super) const DISABLE_DUET: &str = "disable_duet";
pub(super) const DISABLE_STITCH: &str = "disable_stitch";
pub(super) const PRIVACY: &str = "privacy";
pub(super) const THUMB_OFFSET: &str = "thumb_offset";
pub(super) const TITLE: &str = "title";

/// What people say, and what TikTok calls it.
pub(super) const PRIVACIES: &[(&str, &str)] = &[
    ("public", super::creator::PUBLIC),
    ("followers", "FOLLOWER_OF_CREATOR"),
    ("friends", "MUTUAL_FOLLOW_FRIENDS"),
    (SELF, "SELF_ONLY"),
];

const SELF: &str = "self";

const LABEL: Loss = Loss::Misleads { except: &["false"] };

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: AI_GENERATED,
        value: OptionValue::Flag,
        loss: LABEL,
        about: "Labels a video as made by AI.",
    },
    OptionRule {
        name: AUTO_ADD_MUSIC,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Whether TikTok puts music of its choice to photos.",
    },
    OptionRule {
        name: BRAND_CONTENT,
        value: OptionValue::Flag,
        loss: LABEL,
        about: "Discloses a paid partnership that promotes somebody else's business.",
    },
    OptionRule {
        name: BRAND_ORGANIC,
        value: OptionValue::Flag,
        loss: LABEL,
        about: "Discloses that the post promotes the account's own business.",
    },
    OptionRule {
        name: DISABLE_COMMENT,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Lets nobody comment on the post.",
    },
    OptionRule {
        name: DISABLE_DUET,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Lets nobody make a duet with the video.",
    },
    OptionRule {
        name: DISABLE_STITCH,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Lets nobody stitch the video into another.",
    },
    OptionRule {
        name: PRIVACY,
        value: OptionValue::OneOf(&["public", "followers", "friends", SELF]),
        loss: Loss::Misleads { except: &["public"] },
        about: "Who may see the post; TikTok wants it to be chosen for each.",
    },
    OptionRule {
        name: THUMB_OFFSET,
        value: OptionValue::Number { min: 0, max: 600_000 },
        loss: Loss::Harmless,
        about: "Which moment of a video is its cover, in milliseconds from its beginning.",
    },
    OptionRule {
        name: TITLE,
        value: OptionValue::Text { chars_max: TITLE_MAX },
        loss: Loss::Harmless,
        about: "The title of a post of photos.",
    },
];

/// In UTF-16 code units, as all texts of TikTok.
const TITLE_MAX: u32 = 90;
const CAPTION_MAX: u32 = 2_200;

/// "Minimum 360 pixels for both height and width, maximum 4096 pixels for both".
const SIDE_MIN: u32 = 360;
const SIDE_MAX: u32 = 4_096;

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let media = draft.parts.first().map_or(&[][..], |part| &part.media);
    let film = media.iter().find(|file| file.kind == MediaKind::Video);
    let mut findings = Vec::new();
    findings.extend(unsaid(draft));
    findings.extend(hidden_advertisement(draft));
    findings.extend(long_title(draft));
    findings.extend(untold(media));
    match film {
        Some(film) => {
            findings.extend(long_caption(draft));
            findings.extend(size(film));
            findings.extend(late_cover(draft, film));
            findings.extend(without_effect(draft, &[TITLE, AUTO_ADD_MUSIC], "a video"));
        }
        None if !media.is_empty() => {
            let of_films = [DISABLE_DUET, DISABLE_STITCH, THUMB_OFFSET];
            findings.extend(unlabelled(draft));
            findings.extend(without_effect(draft, &of_films, "photos"));
        }
        None => (),
    }
    findings
}

fn error(code: Code, place: &str, sentence: String, remedy: &str) -> Option<Finding> {
    Some(Finding::Error(Problem::new(code, sentence, remedy).at(place)))
}

fn of_option(option: &str, sentence: String, remedy: &str) -> Option<Finding> {
    error(Code::Invalid, &format!("content.options.{option}"), sentence, remedy)
}

/// The guidelines: "no default value", and a choice by a person.
fn unsaid(draft: &Draft) -> Option<Finding> {
    if !draft.option(PRIVACY).is_empty() {
        return None;
    }
    let sentence = "TikTok wants to be told who may see the post; nothing is taken for granted.";
    let remedy = "Set the option `privacy` to public, followers, friends or self.";
    of_option(PRIVACY, sentence.to_owned(), remedy)
}

/// "Branded content cannot be private."
fn hidden_advertisement(draft: &Draft) -> Option<Finding> {
    if draft.option(BRAND_CONTENT) != "true" || draft.option(PRIVACY) != SELF {
        return None;
    }
    let sentence = "TikTok shows no paid partnership to oneself alone.".to_owned();
    of_option(BRAND_CONTENT, sentence, "Choose another `privacy`, or leave the option out.")
}

fn long_title(draft: &Draft) -> Option<Finding> {
    let used = text::length(draft.option(TITLE), TextUnit::Utf16);
    if used <= TITLE_MAX {
        return None;
    }
    let sentence = format!("The title has {used} characters; TikTok allows {TITLE_MAX}.");
    of_option(TITLE, sentence, "Shorten it; an emoji counts two or more.")
}

fn long_caption(draft: &Draft) -> Option<Finding> {
    let used = text::length(&draft.parts.first()?.text, TextUnit::Utf16);
    if used <= CAPTION_MAX {
        return None;
    }
    let sentence =
        format!("The text has {used} characters; TikTok allows {CAPTION_MAX} with a video.");
    let remedy = format!("Shorten it by {}.", used - CAPTION_MAX);
    error(Code::TextTooLong, "content.parts[0].text", sentence, &remedy)
}

fn size(film: &JobMedia) -> Option<Finding> {
    let (width, height) = film.size?;
    if [width, height].iter().all(|side| (SIDE_MIN..=SIDE_MAX).contains(side)) {
        return None;
    }
    let sentence = format!(
        "The video is {width} by {height} pixels; TikTok takes {SIDE_MIN} to {SIDE_MAX} on each \
         side."
    );
    let remedy = "Make it larger or smaller.";
    error(Code::MediaShape, "content.parts[0].media[0]", sentence, remedy)
}

fn late_cover(draft: &Draft, film: &JobMedia) -> Option<Finding> {
    let offset = draft.option(THUMB_OFFSET).parse().ok().map(Duration::from_millis)?;
    let length = film.length.filter(|length| offset > *length)?;
    let sentence = format!(
        "The cover is at {} seconds, but the video is {} seconds long.",
        offset.as_secs_f32(),
        length.as_secs_f32()
    );
    of_option(THUMB_OFFSET, sentence, "Choose an earlier moment, in milliseconds.")
}

fn unlabelled(draft: &Draft) -> Option<Finding> {
    if draft.option(AI_GENERATED) != "true" {
        return None;
    }
    let sentence = "By way of apps, TikTok labels videos as made by AI, but no photos.".to_owned();
    of_option(AI_GENERATED, sentence, "Say so in the text, and leave the option out.")
}

fn without_effect(draft: &Draft, options: &[&str], what: &str) -> Vec<Finding> {
    let set = options.iter().filter(|option| !draft.option(option).is_empty());
    set.map(|option| {
        let sentence = format!("On TikTok, `{option}` has no effect on {what}.");
        let problem = Problem::new(Code::Invalid, sentence, "Leave it out.");
        Finding::Warning(problem.at(format!("content.options.{option}")))
    })
    .collect()
}

/// A description that nobody will hear.
fn untold(media: &[JobMedia]) -> Vec<Finding> {
    let files = media.iter().enumerate().filter(|(_, file)| !file.alt.is_empty());
    files
        .map(|(index, _)| {
            let sentence = "TikTok takes no description of files.";
            let remedy = "Say in the text what matters, for people who cannot see it.";
            let problem = Problem::new(Code::Invalid, sentence, remedy);
            Finding::Warning(problem.at(format!("content.parts[0].media[{index}].alt")))
        })
        .collect()
}
