//! What a post for Threads may say beyond text and files, and what cannot go together.
//!
//! <https://developers.facebook.com/docs/threads/posts>, `/create-posts/polls`, `/link-attachments`
//! and `/reply-management`, as of 2026-10.

use std::collections::BTreeSet;

use crate::{
    connectors::{Draft, Finding},
    domain::{
        platform::{Loss, OptionRule, OptionValue},
        problem::{Code, Problem},
        text,
    },
};

pub(super) const LINK: &str = "link";
pub(super) const POLL: &str = "poll";
pub(super) const QUOTE: &str = "quote";
pub(super) const REPLY_CONTROL: &str = "reply_control";
pub(super) const SENSITIVE: &str = "sensitive";
pub(super) const TOPIC_TAG: &str = "topic_tag";

/// "Posts will be limited to 5 or fewer links" (changelog, 2025-12-22).
pub(super) const LINKS_MAX: u32 = 5;

/// `parent_post_author_only` is for answers to others, which we do not write.
const REPLIERS: &[&str] = &["everyone", "accounts_you_follow", "followers_only", "mentioned_only"];

pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: LINK,
        value: OptionValue::Url,
        loss: Loss::Misleads { except: &[] },
        about: "An address to show as a card below the text, of a post without files.",
    },
    OptionRule {
        name: POLL,
        value: OptionValue::Lines { items_min: 2, items_max: 4, chars_max: 25 },
        loss: Loss::Misleads { except: &[] },
        about: "The choices of a poll, one a line; Threads keeps it open for a day.",
    },
    OptionRule {
        name: QUOTE,
        value: OptionValue::Text { chars_max: 200 },
        loss: Loss::Misleads { except: &[""] },
        about: "The id of the post to quote, as the API of Threads has it.",
    },
    OptionRule {
        name: REPLY_CONTROL,
        value: OptionValue::OneOf(REPLIERS),
        loss: Loss::Harmless,
        about: "Who may answer; of a thread, its first post.",
    },
    OptionRule {
        name: SENSITIVE,
        value: OptionValue::Flag,
        loss: Loss::Misleads { except: &["false"] },
        about: "Hides the files, as spoilers, until the reader wants to see them.",
    },
    OptionRule {
        name: TOPIC_TAG,
        value: OptionValue::Text { chars_max: 50 },
        loss: Loss::Harmless,
        about: "The topic of the post; without it, the first hashtag of the text becomes it.",
    },
];

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let checks = [together, link, quote, topic, spoiler, hashtags];
    checks.into_iter().filter_map(|check| check(draft)).collect()
}

fn error(code: Code, place: &str, sentence: String, remedy: &str) -> Option<Finding> {
    Some(Finding::Error(Problem::new(code, sentence, remedy).at(place)))
}

fn warning(code: Code, place: &str, sentence: &str, remedy: &str) -> Option<Finding> {
    Some(Finding::Warning(Problem::new(code, sentence, remedy).at(place)))
}

/// "Only available for text-only posts" holds for cards and for polls; that they exclude each other
/// is how the app has it.
fn together(draft: &Draft) -> Option<Finding> {
    let has_files = draft.parts.first().is_some_and(|part| !part.media.is_empty());
    let is_set = |name: &&&str| !draft.option(name).is_empty();
    let set: Vec<&&str> = [POLL, LINK].iter().filter(is_set).collect();
    if set.len() > 1 {
        let sentence = "Threads allows a poll or a card in a post, not both.".to_owned();
        let remedy = "Put the address into the text, or leave out the poll.";
        return error(Code::Invalid, "content.options.link", sentence, remedy);
    }
    let name = set.first().filter(|_| has_files)?;
    let sentence = format!("Threads allows a {name} only in a post without files.");
    let remedy = format!("Leave out the {name} or the files, for Threads by a variant.");
    error(Code::MediaMixed, &format!("content.options.{name}"), sentence, &remedy)
}

fn link(draft: &Draft) -> Option<Finding> {
    let card = draft.option(LINK);
    let written = draft.parts.first().map_or("", |part| part.text.as_str());
    let mut links: BTreeSet<&str> =
        text::links(written).into_iter().map(|link| &written[link]).collect();
    if card.is_empty() || !links.insert(card) {
        return None;
    }
    let found = u32::try_from(links.len()).unwrap_or(u32::MAX);
    if found <= LINKS_MAX {
        return None;
    }
    let sentence =
        format!("With the card, the post has {found} links; Threads allows {LINKS_MAX}.");
    error(Code::TooManyTags, "content.options.link", sentence, "Leave some out.")
}

fn quote(draft: &Draft) -> Option<Finding> {
    let id = draft.option(QUOTE);
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let sentence = format!("`quote` is `{id}`; Threads quotes by the number of a post.");
    let remedy = "Use the id of a published delivery, or ask the API of Threads for that of the \
                  post; its address does not tell.";
    error(Code::UnknownOption, "content.options.quote", sentence, remedy)
}

fn topic(draft: &Draft) -> Option<Finding> {
    let given = draft.options.get(TOPIC_TAG)?;
    if !given.trim().is_empty() && !given.contains(['.', '&']) {
        return None;
    }
    let sentence = format!("`topic_tag` is `{given}`; a topic has letters, but no `.` and no `&`.");
    error(Code::UnknownOption, "content.options.topic_tag", sentence, "Change it, or leave it out.")
}

fn spoiler(draft: &Draft) -> Option<Finding> {
    let has_files = draft.parts.iter().any(|part| !part.media.is_empty());
    if draft.option(SENSITIVE) != "true" || has_files {
        return None;
    }
    warning(
        Code::UnknownOption,
        "content.options.sensitive",
        "Threads hides files, and this post has none: its text is shown to everybody.",
        "Leave it out if that is fine.",
    )
}

fn hashtags(draft: &Draft) -> Option<Finding> {
    let written = draft.parts.first().map_or("", |part| part.text.as_str());
    if text::hashtags(written) <= 1 || !draft.option(TOPIC_TAG).is_empty() {
        return None;
    }
    warning(
        Code::TooManyTags,
        "content.parts[0].text",
        "Threads makes the first hashtag the topic of the post; the others stay plain text.",
        "Leave it if that is fine, or name the topic with `topic_tag`.",
    )
}
