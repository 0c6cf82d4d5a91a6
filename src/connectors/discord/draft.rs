//! What a post for Discord may say beyond text and files, and what cannot go together.
//!
//! <https://docs.discord.com/developers/resources/message>,
//! <https://docs.discord.com/developers/resources/poll> and
//! <https://docs.discord.com/developers/components/reference>, as of 2026-08.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{MIB, WEBHOOK, message::QUESTION};
use crate::{
    connectors::{Draft, Finding},
    domain::{
        button::Button,
        platform::{Loss, OptionRule, OptionValue},
        problem::{Code, Problem},
        text,
    },
};

pub(super) const AVATAR_URL: &str = "avatar_url";
pub(super) const BUTTONS: &str = "buttons";
pub(super) const EMBED_DESCRIPTION: &str = "embed_description";
pub(super) const EMBED_TITLE: &str = "embed_title";
pub(super) const MENTIONS: &str = "mentions";
const POLL: &str = "poll";
const POLL_MINUTES: &str = "poll_minutes";
const POLL_QUESTION: &str = "poll_question";
pub(super) const SILENT: &str = "silent";
pub(super) const SUPPRESS_EMBEDS: &str = "suppress_embeds";
pub(super) const THREAD_NAME: &str = "thread_name";
pub(super) const USERNAME: &str = "username";

/// Names in [`crate::domain::account::Identity::traits`]: the way of signing in, the server, the
/// channel, and the bot's own id.
pub(super) const LOGIN: &str = "login";
pub(super) const GUILD: &str = "guild";
pub(super) const CHANNEL: &str = "channel";
pub(super) const USER: &str = "user";

/// Only a webhook writes under a name of one's choice, or opens a post in a forum with its message.
const OF_WEBHOOKS: &[&str] = &[AVATAR_URL, THREAD_NAME, USERNAME];

/// "The maximum request size is 25 MiB".
const REQUEST_BYTES_MAX: u64 = 25 * MIB;

const LABEL_CHARS_MAX: usize = 80;
const ADDRESS_CHARS_MAX: usize = 512;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: AVATAR_URL,
        value: OptionValue::Url,
        loss: Loss::Harmless,
        about: "With a webhook: the picture that the post is shown with.",
    },
    OptionRule {
        name: BUTTONS,
        value: OptionValue::Lines { items_min: 1, items_max: 25, chars_max: 600 },
        loss: Loss::Misleads { except: &[] },
        about: "Buttons below the post, one a line: `Label | https://…`.",
    },
    OptionRule {
        name: EMBED_DESCRIPTION,
        value: OptionValue::Text { chars_max: 4_096 },
        loss: Loss::Misleads { except: &[""] },
        about: "The text of a card below the post.",
    },
    OptionRule {
        name: EMBED_TITLE,
        value: OptionValue::Text { chars_max: 256 },
        loss: Loss::Misleads { except: &[""] },
        about: "The title of a card below the post.",
    },
    OptionRule {
        name: MENTIONS,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "`true` lets the text call the people, roles and everyone it mentions.",
    },
    OptionRule {
        name: POLL,
        value: OptionValue::Lines { items_min: 1, items_max: 10, chars_max: 55 },
        loss: Loss::Misleads { except: &[] },
        about: "The choices of a poll, one a line.",
    },
    OptionRule {
        name: POLL_MINUTES,
        value: OptionValue::Number { min: 1, max: 46_080 },
        loss: Loss::Harmless,
        about: "How long the poll is open, in whole hours at last; a day if it is left out.",
    },
    OptionRule {
        name: POLL_QUESTION,
        value: OptionValue::Text { chars_max: QUESTION.max },
        loss: Loss::Harmless,
        about: "What the poll asks; the text of the post if it is left out.",
    },
    OptionRule {
        name: SILENT,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Readers are not told of the post.",
    },
    OptionRule {
        name: SUPPRESS_EMBEDS,
        value: OptionValue::Flag,
        loss: Loss::Harmless,
        about: "Links are shown without a preview.",
    },
    OptionRule {
        name: THREAD_NAME,
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "With a webhook of a forum: the title of the post that is opened there.",
    },
    OptionRule {
        name: USERNAME,
        value: OptionValue::Text { chars_max: 80 },
        loss: Loss::Harmless,
        about: "With a webhook: the name that the post is shown under.",
    },
];

pub(super) struct Poll {
    question: String,
    answers: Vec<String>,
    hours: u64,
    /// The text of the post is the question, and is not said twice.
    pub(super) asks_text: bool,
}

impl Poll {
    pub(super) fn of(options: &BTreeMap<String, String>, text: &str) -> Option<Poll> {
        let option = |name: &str| options.get(name).map_or("", String::as_str);
        let answers = option(POLL).lines().map(|line| line.trim().to_owned());
        let answers: Vec<String> = answers.filter(|line| !line.is_empty()).collect();
        let asks_text = option(POLL_QUESTION).is_empty();
        let question = if asks_text { text.trim() } else { option(POLL_QUESTION) }.to_owned();
        let minutes: u64 = option(POLL_MINUTES).parse().unwrap_or(24 * 60);
        let hours = minutes.div_ceil(60);
        (!answers.is_empty()).then_some(Poll { question, answers, hours, asks_text })
    }

    pub(super) fn value(&self) -> Value {
        let answer = |text: &String| json!({ "poll_media": { "text": text } });
        json!({
            "question": { "text": self.question },
            "answers": self.answers.iter().map(answer).collect::<Vec<_>>(),
            "duration": self.hours,
            "allow_multiselect": false,
            "layout_type": 1,
        })
    }
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, part) in draft.parts.iter().enumerate() {
        let bytes: u64 = part.media.iter().map(|media| media.bytes).sum();
        if bytes > REQUEST_BYTES_MAX {
            let sentence = format!(
                "The files of this part have {bytes} bytes together; Discord allows \
                 {REQUEST_BYTES_MAX}."
            );
            let place = format!("content.parts[{index}].media");
            let remedy = "Make them smaller, or continue in a further part.";
            findings.push(error(Code::MediaTooLarge, &place, sentence, remedy));
        }
    }
    findings.extend(check_login(draft));
    findings.extend(check_buttons(draft));
    findings.extend(check_poll(draft));
    let name = draft.option(USERNAME).to_lowercase();
    // "Cannot contain the substrings `clyde` or `discord`".
    if let Some(word) = ["clyde", "discord"].into_iter().find(|word| name.contains(word)) {
        let sentence = format!("`{USERNAME}` contains `{word}`, which Discord allows nobody.");
        findings.push(error(Code::UnknownOption, &option(USERNAME), sentence, "Choose another."));
    }
    findings
}

fn check_login(draft: &Draft) -> Vec<Finding> {
    let login = draft.author.traits.get(LOGIN).map_or("", String::as_str);
    if login.is_empty() || login == WEBHOOK {
        return Vec::new();
    }
    let given = OF_WEBHOOKS.iter().filter(|name| !draft.option(name).is_empty());
    let complain = |name: &&str| {
        let sentence = format!("`{name}` works with a webhook; this account is a bot.");
        let remedy = "Leave it out, or connect a webhook of the channel.";
        error(Code::UnknownOption, &option(name), sentence, remedy)
    };
    given.map(complain).collect()
}

fn check_buttons(draft: &Draft) -> Option<Finding> {
    let fits = |line: &str| {
        Button::parse(line).is_some_and(|button| {
            button.label.chars().count() <= LABEL_CHARS_MAX
                && button.url.chars().count() <= ADDRESS_CHARS_MAX
        })
    };
    let line = draft.option(BUTTONS).lines().find(|line| !fits(line))?;
    let sentence = format!("`{BUTTONS}` has the line `{line}`, which is no button of Discord's.");
    let remedy = "Write a label of at most 80 characters, a bar and an address of at most 512: \
                  `Read more | https://example.com`.";
    Some(error(Code::UnknownOption, &option(BUTTONS), sentence, remedy))
}

fn check_poll(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(first) = draft.parts.first() else { return findings };
    let Some(poll) = Poll::of(draft.options, &first.text) else {
        let given = [POLL_MINUTES, POLL_QUESTION].into_iter();
        findings.extend(given.filter(|name| !draft.option(name).is_empty()).map(|name| {
            let sentence = format!("`{name}` does nothing on Discord without the option `{POLL}`.");
            let problem = Problem::new(Code::Invalid, sentence, "Leave it out, or add choices.");
            Finding::Warning(problem.at(option(name)))
        }));
        return findings;
    };
    let used = text::length(&poll.question, QUESTION.unit);
    if poll.question.is_empty() || used > QUESTION.max {
        let sentence = format!(
            "The poll's question is the text of the post, and has {used} characters; Discord \
             wants 1 to {}.",
            QUESTION.max
        );
        let remedy = "Say with `poll_question` what the poll asks.";
        findings.push(error(Code::Invalid, &option(POLL), sentence, remedy));
    }
    let minutes = draft.option(POLL_MINUTES).parse::<u64>().unwrap_or_default();
    if minutes % 60 != 0 {
        let sentence = format!("Discord counts hours: the poll is open for {}.", poll.hours);
        let problem = Problem::new(Code::Invalid, sentence, "Choose a multiple of 60.");
        findings.push(Finding::Warning(problem.at(option(POLL_MINUTES))));
    }
    findings
}

fn option(name: &str) -> String {
    format!("content.options.{name}")
}

fn error(code: Code, place: &str, sentence: impl Into<String>, remedy: &str) -> Finding {
    Finding::Error(Problem::new(code, sentence, remedy).at(place))
}
