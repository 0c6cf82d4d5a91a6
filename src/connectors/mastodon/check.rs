//! What limits as data cannot say: much of it depends on what the account's server is.

use super::{
    LANGUAGE, LIMITS, POLL, POLL_MINUTES, SPOILER, VISIBILITY,
    server::{Polls, Software},
    status,
};
use crate::{
    connectors::{Draft, Finding},
    domain::{
        platform::TextUnit,
        problem::{Code, Problem},
        text,
    },
};

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut problems = Vec::new();
    problems.extend(wrong_language(draft));
    problems.extend(unknown_visibility(draft));
    problems.extend(missing_picture(draft));
    problems.extend(too_long(draft));
    problems.extend(wrong_poll(draft));
    problems.into_iter().map(Finding::Error).collect()
}

fn of_option(name: &str, sentence: String, remedy: &str) -> Problem {
    Problem::new(Code::Invalid, sentence, remedy).at(format!("content.options.{name}"))
}

fn wrong_language(draft: &Draft) -> Option<Problem> {
    let value = draft.options.get(LANGUAGE).filter(|value| !is_language(value))?;
    let sentence = format!("`language` is `{value}`, which is no ISO 639 code.");
    let remedy = "Use a code of two or three letters, such as `en`.";
    Some(Problem::new(Code::UnknownOption, sentence, remedy).at("content.options.language"))
}

fn is_language(value: &str) -> bool {
    let first = value.split('-').next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn unknown_visibility(draft: &Draft) -> Option<Problem> {
    let (value, software) = (draft.option(VISIBILITY), Software::of(draft.author));
    let known = software.visibilities();
    if value.is_empty() || known.contains(&value) {
        return None;
    }
    let sentence = format!("{} has no visibility `{value}`.", software.name());
    Some(of_option(VISIBILITY, sentence, &format!("Use one of: {}.", known.join(", "))))
}

/// "Empty statuses are not allowed", unless they answer another.
fn missing_picture(draft: &Draft) -> Option<Problem> {
    let is_bare = draft.parts.first().is_some_and(|part| part.media.is_empty());
    if Software::of(draft.author) != Software::Pixelfed || !is_bare {
        return None;
    }
    let sentence = "Pixelfed publishes nothing without a picture or a video.";
    let remedy = "Attach one to the first part; those that answer it need none.";
    Some(Problem::new(Code::Invalid, sentence, remedy).at("content.parts[0].media"))
}

/// The warning counts as well, and GoToSocial counts links and mentions as they are written.
fn too_long(draft: &Draft) -> Vec<Problem> {
    let limits = &draft.author.limits;
    let max = limits.text_max.unwrap_or(LIMITS.text.max);
    let unit = match (Software::of(draft.author), limits.url_chars) {
        (Software::GoToSocial, _) => TextUnit::Chars,
        (_, Some(url)) => TextUnit::Mastodon { url },
        (_, None) => LIMITS.text.unit,
    };
    let warning = text::length(draft.option(SPOILER), unit);
    if warning == 0 && unit != TextUnit::Chars {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (index, part) in draft.parts.iter().enumerate() {
        let used = text::length(&part.text, unit).saturating_add(warning);
        if used > max {
            let sentence = format!(
                "The text has {used} characters, a warning before it included; the server allows \
                 {max}."
            );
            let remedy = format!("Shorten one of them by {}.", used - max);
            let problem = Problem::new(Code::TextTooLong, sentence, remedy);
            problems.push(problem.at(format!("content.parts[{index}].text")));
        }
    }
    problems
}

fn wrong_poll(draft: &Draft) -> Vec<Problem> {
    let choices = status::choices(draft.option(POLL));
    if choices.is_empty() {
        return Vec::new();
    }
    let Some(polls) = Polls::of(draft.author) else {
        let sentence = format!("{} has no polls.", Software::of(draft.author).name());
        return vec![of_option(POLL, sentence, "Leave the poll out, here by a variant.")];
    };
    let mut problems = Vec::new();
    let (found, most) = (choices.len() as u64, polls.options_max);
    if found > most {
        let sentence = format!("The poll has {found} choices; the server allows {most}.");
        problems.push(of_option(POLL, sentence, "Leave some out."));
    }
    let long = choices.iter().map(|choice| (choice, choice.chars().count() as u64));
    if let Some((choice, found)) = long.into_iter().find(|(_, found)| *found > polls.chars_max) {
        let most = polls.chars_max;
        let sentence = format!("`{choice}` has {found} characters; the server allows {most}.");
        problems.push(of_option(POLL, sentence, "Shorten it."));
    }
    let seconds = status::poll_seconds(draft.option(POLL_MINUTES));
    if !(polls.seconds_min..=polls.seconds_max).contains(&seconds) {
        let (least, most) = (polls.seconds_min.div_ceil(60), polls.seconds_max / 60);
        let sentence = format!(
            "The poll is open for {} minutes; the server allows {least} to {most}.",
            seconds / 60
        );
        problems.push(of_option(POLL_MINUTES, sentence, "Choose a time in between."));
    }
    if draft.parts.first().is_some_and(|part| !part.media.is_empty()) {
        let sentence = "A poll and files do not go together.";
        let remedy = "Leave out one of them, or move the files to a further part.";
        let problem = Problem::new(Code::MediaMixed, sentence, remedy);
        problems.push(problem.at("content.options.poll"));
    }
    problems
}
