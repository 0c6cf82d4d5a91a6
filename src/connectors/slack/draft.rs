//! What a post for Slack may say beyond text and files, and what cannot go together.
//!
//! <https://docs.slack.dev/reference/methods/chat.postMessage> and
//! <https://docs.slack.dev/reference/block-kit/block-elements/button-element>, as of 2026-08.

use super::{WEBHOOK, message::mrkdwn};
use crate::{
    connectors::{Draft, Finding},
    domain::{
        button::Button,
        platform::{Loss, OptionRule, OptionValue},
        problem::{Code, Problem},
    },
};

pub(super) const BROADCAST: &str = "broadcast";
pub(super) const BUTTONS: &str = "buttons";
pub(super) const UNFURL: &str = "unfurl";

/// Names in [`crate::domain::account::Identity::traits`]: the way of signing in, the address of the
/// workspace and its id, and the bot's id.
pub(super) const LOGIN: &str = "login";
pub(super) const WORKSPACE: &str = "workspace";
pub(super) const TEAM: &str = "team";
pub(super) const BOT_ID: &str = "bot";

const LABEL_CHARS_MAX: usize = 75;
const ADDRESS_CHARS_MAX: usize = 3_000;
const SECTION_CHARS_MAX: usize = 3_000;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: BROADCAST,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Further parts without files are shown in the channel as well.",
    },
    OptionRule {
        name: BUTTONS,
        value: OptionValue::Lines { items_min: 1, items_max: 25, chars_max: 3_100 },
        loss: Loss::Misleads { except: &[] },
        about: "Buttons below the post, one a line: `Label | https://…`.",
    },
    OptionRule {
        name: UNFURL,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "`false` shows links without a preview.",
    },
];

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(check_webhook(draft));
    findings.extend(check_buttons(draft));
    findings
}

fn check_webhook(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    if draft.author.traits.get(LOGIN).is_none_or(|login| login != WEBHOOK) {
        return findings;
    }
    if draft.parts.len() > 1 {
        let sentence = "A webhook of Slack's cannot answer its own message, so it has no threads.";
        let remedy = "Join the parts, or connect the channel by a bot.";
        findings.push(error(Code::TooManyParts, "content.parts", sentence, remedy));
    }
    for (index, _) in draft.parts.iter().enumerate().filter(|(_, part)| !part.media.is_empty()) {
        let sentence = "A webhook of Slack's takes no files.";
        let remedy = "Remove them, or connect the channel by a bot.";
        let place = format!("content.parts[{index}].media");
        findings.push(error(Code::TooManyMedia, &place, sentence, remedy));
    }
    findings
}

fn check_buttons(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = format!("content.options.{BUTTONS}");
    let fits = |line: &str| {
        Button::parse(line).is_some_and(|button| {
            button.label.chars().count() <= LABEL_CHARS_MAX
                && button.url.chars().count() <= ADDRESS_CHARS_MAX
        })
    };
    let lines = draft.option(BUTTONS);
    if let Some(line) = lines.lines().find(|line| !fits(line)) {
        let sentence = format!("`{BUTTONS}` has the line `{line}`, which is no button of Slack's.");
        let remedy = "Write a label of at most 75 characters, a bar and an address: \
                      `Read more | https://example.com`.";
        findings.push(error(Code::UnknownOption, &place, sentence, remedy));
    }
    let Some(first) = draft.parts.first().filter(|_| !lines.is_empty()) else { return findings };
    if !first.media.is_empty() {
        let sentence = "Slack shows no buttons below a message with files.";
        findings.push(error(Code::Invalid, &place, sentence, "Leave out one of them."));
    }
    let used = mrkdwn(&first.text).chars().count();
    if used > SECTION_CHARS_MAX {
        let sentence = format!(
            "The text has {used} characters, `&`, `<` and `>` escaped; with buttons, Slack allows \
             {SECTION_CHARS_MAX}."
        );
        let place = "content.parts[0].text";
        findings.push(error(Code::TextTooLong, place, sentence, "Shorten it."));
    }
    findings
}

fn error(code: Code, place: &str, sentence: impl Into<String>, remedy: &str) -> Finding {
    Finding::Error(Problem::new(code, sentence, remedy).at(place))
}
