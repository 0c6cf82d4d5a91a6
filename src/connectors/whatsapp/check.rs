//! What limits as data cannot say: who gets it, and what belongs to a template.

use std::collections::BTreeSet;

use super::message::{CAPTION_CHARS_MAX, LANGUAGE, PARAMETERS, RECIPIENTS, TEMPLATE, lines};
use crate::{
    connectors::{Draft, Finding},
    domain::{
        platform::FORMAT,
        problem::{Code, Problem},
    },
};

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = recipients(draft);
    match draft.option(FORMAT) == TEMPLATE {
        true => findings.extend(template(draft)),
        false => findings.extend(session(draft)),
    }
    findings
}

fn error(option: &str, sentence: String, remedy: &str) -> Finding {
    let problem = Problem::new(Code::Invalid, sentence, remedy);
    Finding::Error(problem.at(format!("content.options.{option}")))
}

fn recipients(draft: &Draft) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for line in lines(draft.option(RECIPIENTS)) {
        if !is_number(line) {
            let sentence = format!("`{line}` is no international phone number.");
            let remedy = "Write a plus, the country and the number, in digits: `+4915112345678`.";
            findings.push(error(RECIPIENTS, sentence, remedy));
        } else if !seen.insert(line) {
            let sentence = format!("`{line}` is there twice.");
            findings.push(error(RECIPIENTS, sentence, "Name everybody once."));
        }
    }
    if seen.is_empty() && findings.is_empty() {
        let sentence = "WhatsApp needs recipients: it has no feed.".to_owned();
        let remedy = "Set `recipients` to the numbers of those who agreed, one a line.";
        findings.push(error(RECIPIENTS, sentence, remedy));
    }
    findings
}

/// "E.164": at most fifteen digits, the first not 0.
fn is_number(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn template(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = draft.option(TEMPLATE);
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || !name.bytes().all(is_name) {
        let sentence = format!("`{name}` is no name of a template.");
        let remedy = "Set `template` to its name in WhatsApp Manager: a to z, digits, underscores.";
        findings.push(error(TEMPLATE, sentence, remedy));
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let language = draft.option(LANGUAGE);
    if language.len() < 2 || !language.bytes().all(is_letter) {
        let sentence = format!("`{language}` is no language of a template.");
        let remedy = "Set `language` as WhatsApp Manager has it, such as `de` or `en_US`.";
        findings.push(error(LANGUAGE, sentence, remedy));
    }
    findings
}

fn session(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in [TEMPLATE, PARAMETERS] {
        if !draft.option(name).is_empty() {
            let sentence = format!("`{name}` means nothing without a template.");
            let remedy = "Set `format` to `template`, or leave it out.";
            findings.push(error(name, sentence, remedy));
        }
    }
    if let Some(part) = draft.parts.first()
        && !part.media.is_empty()
        && part.text.chars().count() > CAPTION_CHARS_MAX
    {
        let found = part.text.chars().count();
        let sentence =
            format!("The text has {found} characters; WhatsApp allows 1024 below a file.");
        let problem = Problem::new(Code::TextTooLong, sentence, "Shorten it.");
        findings.push(Finding::Error(problem.at("content.parts[0].text")));
    }
    let sentence = "WhatsApp gives this only to people who wrote to the number in the 24 hours \
                    before; to all others it is refused.";
    let remedy = "Use an approved template: `format` is `template`.";
    let problem = Problem::new(Code::Invalid, sentence, remedy);
    findings.push(Finding::Warning(problem.at("content.options.format")));
    findings
}
