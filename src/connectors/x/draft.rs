//! What a post for X may say beyond text and files, and what cannot go together.
//!
//! <https://docs.x.com/x-api/posts/create-post>, the OpenAPI description 2.167 and
//! <https://docs.x.com/changelog>, all as of 2026-08-22.

use crate::{
    connectors::{Draft, Finding},
    domain::{
        platform::{Loss, OptionRule, OptionValue, REPOST},
        problem::{Code, Problem},
    },
};

pub(super) const COMMUNITY_ID: &str = "community_id";
pub(super) const MADE_WITH_AI: &str = "made_with_ai";
pub(super) const PAID_PARTNERSHIP: &str = "paid_partnership";
pub(super) const POLL: &str = "poll";
pub(super) const POLL_MINUTES: &str = "poll_minutes";
pub(super) const QUOTE: &str = "quote";
/// Who may answer. X has no word for everyone: then nothing is sent.
pub(super) const REPLY_SETTINGS: &str = "reply_settings";
pub(super) const EVERYONE: &str = "everyone";
pub(super) const REPLIERS: &[&str] =
    &[EVERYONE, "following", "mentionedUsers", "subscribers", "verified"];

/// How long a poll is open if nothing is said.
pub(super) const POLL_MINUTES_USUAL: u64 = 24 * 60;

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: COMMUNITY_ID,
        value: OptionValue::Text { chars_max: 19 },
        loss: Loss::Misleads { except: &[""] },
        about: "The id of the community to post in.",
    },
    OptionRule {
        name: MADE_WITH_AI,
        value: OptionValue::Flag,
        loss: Loss::Misleads { except: &["false"] },
        about: "Marks the files as made with AI.",
    },
    OptionRule {
        name: PAID_PARTNERSHIP,
        value: OptionValue::Flag,
        loss: Loss::Misleads { except: &["false"] },
        about: "Marks the post as a paid partnership.",
    },
    OptionRule {
        name: POLL,
        value: OptionValue::Lines { items_min: 2, items_max: 4, chars_max: 25 },
        loss: Loss::Misleads { except: &[] },
        about: "The choices of a poll, one a line.",
    },
    OptionRule {
        name: POLL_MINUTES,
        value: OptionValue::Number { min: 5, max: 10_080 },
        loss: Loss::Harmless,
        about: "How long the poll is open; a day if it is left out.",
    },
    OptionRule {
        name: QUOTE,
        value: OptionValue::Text { chars_max: 200 },
        loss: Loss::Misleads { except: &[""] },
        about: "The id or the address of the post to quote; since 2026-04-20 X allows that only to \
                apps on its Enterprise plan.",
    },
    OptionRule {
        name: REPLY_SETTINGS,
        value: OptionValue::OneOf(REPLIERS),
        loss: Loss::Harmless,
        about: "Who may answer on X.",
    },
    OptionRule {
        name: REPOST,
        value: OptionValue::Text { chars_max: 200 },
        loss: Loss::Misleads { except: &[] },
        about: "The id or the address of a post to pass on as it is; such a post has no text.",
    },
];

/// The id in `1990000000000000000`, or in the address of a post.
pub(super) fn id_of(reference: &str) -> Option<&str> {
    const HOSTS: &[&str] = &["x.com", "www.x.com", "mobile.x.com", "twitter.com"];
    const OLD_HOSTS: &[&str] = &["www.twitter.com", "mobile.twitter.com"];
    let reference = reference.trim();
    if is_id(reference) {
        return Some(reference);
    }
    let (_, rest) = reference.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let is_host = |known: &&str| host.eq_ignore_ascii_case(known);
    if !HOSTS.iter().chain(OLD_HOSTS).any(is_host) {
        return None;
    }
    let path = path.split(['?', '#']).next()?;
    let (_, id) = path.split_once("status/")?;
    id.split('/').next().filter(|id| is_id(id))
}

/// "`^[0-9]{1,19}$`".
fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in [QUOTE, REPOST] {
        let given = draft.option(name);
        // A repost of nothing would be a post without a text.
        let asks = !given.is_empty() || (name == REPOST && draft.options.contains_key(name));
        if asks && id_of(given).is_none() {
            let sentence = format!("`{name}` is `{given}`, which names no post of X.");
            let remedy = "Use its id, or its address: https://x.com/…/status/….";
            findings.push(error(Code::UnknownOption, option(name), sentence, remedy));
        }
    }
    let community = draft.option(COMMUNITY_ID);
    if !community.is_empty() && !is_id(community) {
        let sentence = format!("`{COMMUNITY_ID}` is `{community}`, which is no number.");
        let remedy = "Use the number in the community's address.";
        findings.push(error(Code::UnknownOption, option(COMMUNITY_ID), sentence, remedy));
    }
    findings.extend(check_poll(draft));
    findings.extend(check_repost(draft));
    findings.extend(check_cashtags(draft));
    findings.extend(check_marks(draft));
    findings
}

/// "`poll`: mutually exclusive with media and quote".
fn check_poll(draft: &Draft) -> Vec<Finding> {
    if draft.option(POLL).is_empty() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if draft.parts.first().is_some_and(|part| !part.media.is_empty()) {
        let sentence = "X allows a poll or files in a post, not both.".to_owned();
        let remedy = "Leave out the poll, or move the files to a further part.";
        findings.push(error(Code::MediaMixed, option(POLL), sentence, remedy));
    }
    if !draft.option(QUOTE).is_empty() {
        let sentence = "X allows a poll or a quote in a post, not both.".to_owned();
        findings.push(error(Code::Invalid, option(POLL), sentence, "Leave out one of them."));
    }
    findings
}

/// What is passed on is shown as it is.
fn check_repost(draft: &Draft) -> Vec<Finding> {
    if !draft.options.contains_key(REPOST) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut complain = |place: String, what: &str| {
        let sentence = format!("X passes a post on as it is, and this one has {what}.");
        let remedy = "Leave that out, or quote the post instead of passing it on.";
        findings.push(error(Code::Invalid, place, sentence, remedy));
    };
    if draft.parts.len() > 1 {
        complain("content.parts".to_owned(), "several parts");
    }
    for (number, part) in draft.parts.iter().enumerate() {
        if !part.text.trim().is_empty() {
            complain(format!("content.parts[{number}].text"), "a text");
        }
        if !part.media.is_empty() {
            complain(format!("content.parts[{number}].media"), "files");
        }
    }
    for name in [POLL, QUOTE, COMMUNITY_ID, MADE_WITH_AI, PAID_PARTNERSHIP] {
        if !["", "false"].contains(&draft.option(name)) {
            complain(option(name), &format!("the option `{name}`"));
        }
    }
    findings
}

/// "You can include a maximum of one cashtag in a post", for every app that is not on the
/// Enterprise plan (as of 2026-08).
fn check_cashtags(draft: &Draft) -> Vec<Finding> {
    let too_many = |(number, text): (usize, &str)| {
        let found = cashtags(text);
        let sentence = format!("The text has {found} cashtags such as `$ABC`; X allows 1.");
        let place = format!("content.parts[{number}].text");
        let remedy = "Write the others without their `$`.";
        (found > 1).then(|| error(Code::TooManyTags, place, sentence, remedy))
    };
    let texts = draft.parts.iter().map(|part| part.text.as_str());
    texts.enumerate().filter_map(too_many).collect()
}

/// As twitter-text finds them: up to six letters behind a `$` that begins a word.
fn cashtags(text: &str) -> usize {
    let is_cashtag = |word: &&str| {
        let Some(name) = word.strip_prefix('$') else { return false };
        let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
        let next = name.as_bytes().get(letters);
        (1..=6).contains(&letters) && next.is_none_or(u8::is_ascii_punctuation)
    };
    text.split_whitespace().filter(is_cashtag).count()
}

fn check_marks(draft: &Draft) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut warn = |name: &str, sentence: &str, remedy: &str| {
        let problem = Problem::new(Code::UnknownOption, sentence, remedy).at(option(name));
        findings.push(Finding::Warning(problem));
    };
    if !draft.option(QUOTE).is_empty() {
        warn(
            QUOTE,
            "Since 2026-04-20 X lets only apps on its Enterprise plan quote, and refuses all \
             others.",
            "Put the address of the post into the text instead, if your app is on another plan.",
        );
    }
    let has_files = draft.parts.iter().any(|part| !part.media.is_empty());
    if draft.option(MADE_WITH_AI) == "true" && !has_files {
        warn(
            MADE_WITH_AI,
            "X marks files as made with AI, and this post has none: nothing is marked.",
            "Leave it out if that is fine.",
        );
    }
    findings
}

fn option(name: &str) -> String {
    format!("content.options.{name}")
}

fn error(code: Code, place: String, sentence: String, remedy: &str) -> Finding {
    Finding::Error(Problem::new(code, sentence, remedy).at(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cashtags_are_found_as_twitter_text_finds_them() {
        for (text, expected) in [
            ("Example cashtags: $TEST $Stock   $symbol", 3),
            ("Example cashtags: $TEST.T $test.tt $Stock_X $symbol_ab", 4),
            ("$123 $test123 $TE123ST", 0),
            ("$ストック $株", 0),
            ("$ $. $- $@ $! $() $+", 0),
            ("$TEST. $TEST_", 2),
            ("$OK$NG$BAD text$NO .$NG $$NG", 1),
            ("$CashtagMustBeLessThanSixCharacter", 0),
        ] {
            assert_eq!(cashtags(text), expected, "{text}");
        }
    }

    #[test]
    fn a_post_is_named_by_its_id_or_its_address() {
        for (reference, expected) in [
            ("1990000000000000000", Some("1990000000000000000")),
            (" 20 ", Some("20")),
            ("https://x.com/jack/status/20", Some("20")),
            ("https://twitter.com/jack/status/20?s=46&t=abc", Some("20")),
            ("https://X.com/i/web/status/20/photo/1#a", Some("20")),
            ("https://x.com/jack", None),
            ("https://x.com/jack/status/", None),
            ("https://x.com/jack/status/20a", None),
            ("https://example.com/jack/status/20", None),
            ("https://x.com.example.com/jack/status/20", None),
            ("12345678901234567890", None),
            ("", None),
        ] {
            assert_eq!(id_of(reference), expected, "{reference}");
        }
    }
}
