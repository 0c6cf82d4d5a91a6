//! What a post for Telegram may say beyond text and files, and what cannot go together.
//!
//! <https://core.telegram.org/bots/api#formatting-options> and the calls that send, as of 2026-06.

use super::markup;
use crate::{
    connectors::{Draft, Finding, JobPart},
    domain::{
        button::Button,
        media::MediaKind,
        platform::{Loss, OptionRule, OptionValue, TextUnit},
        problem::{Code, Problem},
        text,
    },
};

pub(super) const BUTTONS: &str = "buttons";
pub(super) const FORMATTING: &str = "formatting";
pub(super) const LINK_PREVIEW: &str = "link_preview";
pub(super) const PROTECT: &str = "protect";
pub(super) const SILENT: &str = "silent";
pub(super) const TOPIC: &str = "topic";

/// The option's value, and Telegram's name for it.
pub(super) const MODES: &[(&str, &str)] = &[(HTML, "HTML"), (MARKDOWN, "MarkdownV2")];
const HTML: &str = "html";
const MARKDOWN: &str = "markdown";

/// The name in [`crate::domain::account::Identity::traits`] of what kind of chat it is.
pub(super) const CHAT: &str = "chat";
pub(super) const CHANNEL: &str = "channel";

/// "0-1024 characters after entities parsing".
const CAPTION_MAX: u32 = 1_024;

/// "Width and height must not exceed 10000 in total".
const SIDES_MAX: u32 = 10_000;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: BUTTONS,
        value: OptionValue::Lines { items_min: 1, items_max: 20, chars_max: 600 },
        loss: Loss::Misleads { except: &[] },
        about: "Buttons below the post, one a line: `Label | https://…`.",
    },
    OptionRule {
        name: FORMATTING,
        value: OptionValue::OneOf(&["none", HTML, MARKDOWN]),
        loss: Loss::Misleads { except: &["none"] },
        about: "Whether the text is plain (`none`), Telegram's HTML or its MarkdownV2.",
    },
    OptionRule {
        name: LINK_PREVIEW,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "`false` leaves out the preview of the first link.",
    },
    OptionRule {
        name: PROTECT,
        value: OptionValue::Flag,
        loss: Loss::Misleads { except: &["false"] },
        about: "Readers can neither pass the post on nor save it.",
    },
    OptionRule {
        name: SILENT,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Readers are told without a sound.",
    },
    OptionRule {
        name: TOPIC,
        value: OptionValue::Number { min: 1, max: 2_147_483_647 },
        loss: Loss::Harmless,
        about: "The number of the topic of a group, as its address ends: `t.me/c/1234567890/17`.",
    },
];

pub(super) fn parse_mode(formatting: &str) -> Option<&'static str> {
    MODES.iter().find(|(name, _)| *name == formatting).map(|(_, mode)| *mode)
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, part) in draft.parts.iter().enumerate() {
        let place = format!("content.parts[{index}]");
        findings.extend(check_text(part, &format!("{place}.text"), draft));
        findings.extend(check_files(part, &format!("{place}.media")));
    }
    findings.extend(check_buttons(draft));
    let is_channel = draft.author.traits.get(CHAT).is_some_and(|chat| chat == CHANNEL);
    if is_channel && !draft.option(TOPIC).is_empty() {
        let sentence = "`topic` is set, and a channel has no topics; only groups have.";
        let remedy = "Leave it out for this channel.";
        findings.push(error(Code::UnknownOption, &option(TOPIC), sentence, remedy));
    }
    findings
}

fn check_text(part: &JobPart, place: &str, draft: &Draft) -> Option<Finding> {
    let used = text::length(&part.text, TextUnit::Utf16);
    if !part.media.is_empty() && used > CAPTION_MAX {
        let sentence =
            format!("The text has {used} characters; with files, Telegram allows {CAPTION_MAX}.");
        let remedy = "Shorten it, or put the rest into a further part.";
        return Some(error(Code::TextTooLong, place, sentence, remedy));
    }
    let fault = match draft.option(FORMATTING) {
        HTML => markup::fault_of_html(&part.text),
        MARKDOWN => markup::fault_of_markdown(&part.text),
        _ => None,
    };
    let remedy = "Mend it, or set `formatting` to `none`.";
    fault.map(|fault| error(Code::Invalid, place, fault, remedy))
}

fn check_files(part: &JobPart, place: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_gif = part.media.iter().any(|media| media.kind == MediaKind::Gif);
    if has_gif && part.media.len() > 1 {
        let sentence = "Telegram sends a GIF only by itself; an album has images and videos.";
        let remedy = "Remove the GIF, or everything else.";
        findings.push(error(Code::MediaMixed, place, sentence, remedy));
    }
    for (index, media) in part.media.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let sides = media.size.map_or(0, |(width, height)| width.saturating_add(height));
        if media.kind == MediaKind::Image && sides > SIDES_MAX {
            let sentence = format!(
                "The image's width and height are {sides} together; Telegram allows {SIDES_MAX}."
            );
            findings.push(error(Code::MediaShape, &place, sentence, "Make it smaller."));
        }
        if !media.alt.trim().is_empty() {
            let sentence = "Telegram has no descriptions of files; this one is left out.";
            let problem = Problem::new(Code::Invalid, sentence, "Say it in the text as well.");
            findings.push(Finding::Warning(problem.at(format!("{place}.alt"))));
        }
    }
    findings
}

fn check_buttons(draft: &Draft) -> Option<Finding> {
    let lines = draft.option(BUTTONS);
    let place = option(BUTTONS);
    if let Some(line) = lines.lines().find(|line| Button::parse(line).is_none()) {
        let sentence = format!("`{BUTTONS}` has the line `{line}`, which is no button.");
        let remedy = "Write a label, a bar and an address: `Read more | https://example.com`.";
        return Some(error(Code::UnknownOption, &place, sentence, remedy));
    }
    let is_album = draft.parts.first().is_some_and(|part| part.media.len() > 1);
    (is_album && !lines.is_empty()).then(|| {
        let sentence = "Telegram shows no buttons below several files.";
        error(Code::Invalid, &place, sentence, "Leave out the buttons, or all files but one.")
    })
}

fn option(name: &str) -> String {
    format!("content.options.{name}")
}

fn error(code: Code, place: &str, sentence: impl Into<String>, remedy: &str) -> Finding {
    Finding::Error(Problem::new(code, sentence, remedy).at(place))
}
