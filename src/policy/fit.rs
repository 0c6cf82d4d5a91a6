//! Decides whether a post fits a platform: the one validation for API, pages, command line and dry
//! run.
//!
//! Invariants:
//! - it answers for any content whatsoever, and finds everything that is wrong in one go;
//! - a limit is met at its value and broken one above, and the sentence names both numbers;
//! - a text alone fits exactly when each part has something to read, in the limit's own unit;
//! - every problem says where it is, and a warning never stops a post.

use std::collections::{BTreeMap, BTreeSet};

mod options;
mod picture;

use crate::domain::{
    account::LimitOverrides,
    ids::MediaId,
    media::{Media, MediaKind},
    platform::{Kind, Limits, Mixing, REPOST, TextLimit, TextUnit},
    post::{Attachment, Content, Part},
    problem::{Code, Problem},
    text,
};

/// What one account would be given.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The platform's name as people write it.
    pub platform: &'a str,
    /// With the account's own: [`limits_of`].
    pub limits: Limits,
    pub kinds: &'a [Kind],
    pub content: &'a Content,
    /// Every file that the content names and that exists.
    pub media: &'a BTreeMap<MediaId, Media>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Empty: it fits.
    pub errors: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// One for each part, in order.
    pub measures: Vec<Measure>,
}

/// How much of its text limit a part uses, in the platform's own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    pub part: usize,
    pub used: u32,
    pub max: u32,
}

/// A server may report anything; lengths are summed, so what it reports is kept within reason.
const URL_CHARS_MAX: u32 = 10_000;

/// The profile's limits with what the account's server says instead.
pub fn limits_of(profile_limits: Limits, overrides: &LimitOverrides) -> Limits {
    let unit = match (profile_limits.text.unit, overrides.url_chars) {
        (TextUnit::Mastodon { .. }, Some(url)) => {
            TextUnit::Mastodon { url: url.min(URL_CHARS_MAX) }
        }
        (unit, _) => unit,
    };
    let max = overrides.text_max.unwrap_or(profile_limits.text.max);
    Limits {
        text: TextLimit { max, unit },
        images_max: overrides.images_max.unwrap_or(profile_limits.images_max),
        image_bytes_max: overrides.image_bytes_max.unwrap_or(profile_limits.image_bytes_max),
        video_bytes_max: overrides.video_bytes_max.unwrap_or(profile_limits.video_bytes_max),
        alt_chars_max: overrides.alt_chars_max.unwrap_or(profile_limits.alt_chars_max),
        ..profile_limits
    }
}

pub use self::options::check as check_options;

pub fn check(candidate: &Candidate) -> Findings {
    let mut findings = Findings::default();
    findings.errors.extend(check_thread(candidate));
    for (index, part) in candidate.content.parts.iter().enumerate() {
        let view = PartView { candidate, part, index, place: format!("content.parts[{index}]") };
        let limit = view.text_limit();
        let used = text::length(&part.text, limit.unit);
        findings.measures.push(Measure { part: index, used, max: limit.max });
        findings.errors.extend(view.check_text(limit, used));
        findings.warnings.extend(view.hashtags_advised());
        findings.errors.extend(view.check_media_together());
        for (index, attachment) in part.media.iter().enumerate() {
            let place = format!("{}.media[{index}]", view.place);
            findings.errors.extend(view.check_file(attachment, &place));
            findings.errors.extend(view.check_alt(attachment, &place));
            let is_shown = view.candidate.limits.alt_chars_max > 0;
            if is_shown && attachment.alt.trim().is_empty() {
                findings.warnings.push(alt_missing(&place));
            }
        }
    }
    findings
}

/// `None`: the priority is one of 1 to 10.
pub fn check_priority(priority: u8) -> Option<Problem> {
    if (1..=10).contains(&priority) {
        return None;
    }
    let sentence = format!("The priority is {priority}; it goes from 1, the most urgent, to 10.");
    Some(Problem::new(Code::Invalid, sentence, "Choose a number from 1 to 10.").at("priority"))
}

fn check_thread(candidate: &Candidate) -> Option<Problem> {
    let (platform, parts) = (candidate.platform, candidate.content.parts.len());
    let has = |kind| candidate.kinds.contains(&kind);
    let parts_max = match has(Kind::Thread) || has(Kind::Comment) {
        true => candidate.limits.parts_max,
        false => candidate.limits.parts_max.min(1),
    };
    if parts == 0 {
        let remedy = "Write a text, or attach a file.";
        return Some(Problem::new(Code::TextMissing, "The post is empty.", remedy).at("content"));
    }
    if exceeds(parts, parts_max) {
        let sentence = match parts_max {
            0 | 1 => format!("The post has {parts} parts; {platform} allows 1, so no threads."),
            _ if !has(Kind::Thread) => format!(
                "The post has {parts} parts; {platform} has no threads, and allows {parts_max}: a \
                 post and a comment below it."
            ),
            _ => format!("The thread has {parts} parts; {platform} allows {parts_max}."),
        };
        let remedy = "Leave out parts, or join some of them.";
        return Some(Problem::new(Code::TooManyParts, sentence, remedy).at("content.parts"));
    }
    None
}

/// What to do about an image that does not fit.
const FIT: &str = "Make a copy that fits with POST /api/v1/media/{id}/fit, and use that.";

/// One part and where it is.
struct PartView<'a> {
    candidate: &'a Candidate<'a>,
    part: &'a Part,
    index: usize,
    place: String,
}

impl PartView<'_> {
    fn check_text(&self, limit: TextLimit, used: u32) -> Vec<Problem> {
        let Candidate { platform, limits, kinds, content, .. } = self.candidate;
        let text = &self.part.text;
        let place = format!("{}.text", self.place);
        let mut problems = Vec::new();
        let mut complain = |code, sentence: String, remedy: &str| {
            problems.push(Problem::new(code, sentence, remedy).at(place.clone()));
        };
        if self.part.media.is_empty() {
            let passes_on = kinds.contains(&Kind::Repost) && content.options.contains_key(REPOST);
            // The text of a template is kept by the platform.
            let has_text_elsewhere =
                kinds.contains(&Kind::Template) && !kinds.contains(&Kind::Text);
            if text.trim().is_empty() && !passes_on && !has_text_elsewhere {
                let sentence = "This part has neither text nor media.".to_owned();
                complain(Code::TextMissing, sentence, "Write a text, or attach a file.");
            } else if !text.trim().is_empty()
                && !kinds.contains(&Kind::Text)
                && !has_text_elsewhere
                && !self.is_comment()
            {
                let sentence = format!("{platform} takes no such post without a file.");
                complain(Code::Invalid, sentence, "Attach an image or a video.");
            }
        }
        if text.contains('\0') {
            let sentence = "The text has a character that no platform takes (U+0000).".to_owned();
            complain(Code::Invalid, sentence, "Remove it; it is invisible.");
        }
        let max = limit.max;
        if max == 0 && used > 0 {
            let sentence = format!("{platform} shows no text with this; it has {used} characters.");
            complain(Code::TextTooLong, sentence, "Leave the text out, or choose another format.");
        } else if used > max {
            let unit = unit_name(limit.unit);
            let sentence = format!("The text has {used} {unit}; {platform} allows {max}.");
            let remedy = format!("Shorten it by {}, or continue in a further part.", used - max);
            complain(Code::TextTooLong, sentence, &remedy);
        }
        let bytes_max = limits.text_bytes_max.filter(|_| !self.is_comment());
        if let Some(bytes_max) = bytes_max.filter(|&max| exceeds(text.len(), max)) {
            let bytes = text.len();
            let sentence = format!("The text has {bytes} bytes; {platform} allows {bytes_max}.");
            let remedy = "Shorten it; emoji and many scripts take several bytes a character.";
            complain(Code::TextTooLong, sentence, remedy);
        }
        for (found, name, max) in self.counts() {
            if let Some(max) = max.filter(|&max| exceeds(found, max)) {
                let sentence = format!("The text has {found} {name}; {platform} allows {max}.");
                complain(Code::TooManyTags, sentence, "Leave some out.");
            }
        }
        problems
    }

    fn counts(&self) -> [(usize, &'static str, Option<u32>); 3] {
        let (limits, text) = (self.candidate.limits, &self.part.text);
        let addresses: BTreeSet<&str> =
            text::links(text).into_iter().map(|link| &text[link]).collect();
        [
            (text::hashtags(text), "hashtags", limits.hashtags_max),
            (text::mentions(text), "mentions", limits.mentions_max),
            (addresses.len(), "links", limits.links_max),
        ]
    }

    /// A warning: the platform would take it.
    fn hashtags_advised(&self) -> Option<Problem> {
        let max = self.candidate.limits.hashtags_advised?;
        let found = text::hashtags(&self.part.text);
        if !exceeds(found, max) {
            return None;
        }
        let platform = self.candidate.platform;
        let sentence =
            format!("The text has {found} hashtags; on {platform}, more than {max} harm.");
        let problem = Problem::new(Code::TooManyTags, sentence, "Leave some out.");
        Some(problem.at(format!("{}.text", self.place)))
    }

    /// Below a post, and no post itself.
    fn is_comment(&self) -> bool {
        self.index > 0 && self.candidate.limits.comment.is_some()
    }

    fn text_limit(&self) -> TextLimit {
        match self.candidate.limits.comment {
            Some(limit) if self.index > 0 => limit,
            Some(_) | None => self.candidate.limits.text,
        }
    }

    /// The kinds of the files that exist; one that is missing is complained of by itself.
    fn count(&self, kind: MediaKind) -> usize {
        let found = self.part.media.iter().filter_map(|it| self.candidate.media.get(&it.media));
        found.filter(|media| media.kind == kind).count()
    }

    fn check_media_together(&self) -> Vec<Problem> {
        let Candidate { platform, limits, .. } = self.candidate;
        let place = format!("{}.media", self.place);
        let mut problems = Vec::new();
        let mut complain = |code, sentence: String, remedy: &str| {
            problems.push(Problem::new(code, sentence, remedy).at(place.clone()));
        };
        if self.is_comment() {
            if !self.part.media.is_empty() {
                let sentence = format!("On {platform} this part is a comment, which has no files.");
                complain(Code::TooManyMedia, sentence, "Move the files to the first part.");
            }
            return problems;
        }
        let [images, gifs, videos, documents] =
            [MediaKind::Image, MediaKind::Gif, MediaKind::Video, MediaKind::Document]
                .map(|kind| self.count(kind));
        let pictures = images + gifs;
        for (found, name, max) in [
            (pictures, "images", limits.images_max),
            (videos, "videos", limits.videos_max),
            (documents, "documents", limits.documents_max),
        ] {
            if exceeds(found, max) && max > 0 {
                let sentence = format!("This part has {found} {name}; {platform} allows {max}.");
                let remedy = "Remove some, or continue in a further part.";
                complain(Code::TooManyMedia, sentence, remedy);
            }
        }
        let all = self.part.media.len();
        if let Some(max) = limits.media_max.filter(|&max| exceeds(all, max)) {
            let sentence = format!("This part has {all} files; {platform} allows {max}.");
            complain(Code::TooManyMedia, sentence, "Remove some, or continue in a further part.");
        }
        if all > 0 && u32::try_from(all).unwrap_or(u32::MAX) < limits.media_min {
            let min = limits.media_min;
            let sentence = format!("This part has {all} files; {platform} needs {min} for this.");
            complain(Code::TooManyMedia, sentence, "Attach more, or choose another format.");
        }
        if documents > 0 && all > documents {
            let sentence = format!("{platform} allows a document only by itself.");
            complain(Code::MediaMixed, sentence, "Remove the document, or everything else.");
        }
        if limits.mixing == Mixing::Forbidden {
            if videos > 0 && pictures > 0 {
                let sentence = format!("{platform} allows images or a video in a post, not both.");
                complain(Code::MediaMixed, sentence, "Remove one kind.");
            } else if gifs > 0 && pictures > 1 {
                let sentence = format!("{platform} allows a GIF only by itself.");
                complain(Code::MediaMixed, sentence, "Remove the GIF, or everything else.");
            }
        }
        problems
    }

    fn check_file(&self, attachment: &Attachment, place: &str) -> Vec<Problem> {
        let Candidate { platform, limits, kinds, .. } = self.candidate;
        let Some(media) = self.candidate.media.get(&attachment.media) else {
            let sentence = format!("There is no file `{}`.", attachment.media);
            let remedy = "Upload it, and use the id in the answer.";
            return vec![Problem::new(Code::MediaNotFound, sentence, remedy).at(place)];
        };
        let (kind, formats, bytes_max): (Kind, &[&str], u64) = match media.kind {
            MediaKind::Image => (Kind::Image, limits.image_formats, limits.image_bytes_max),
            MediaKind::Gif => (Kind::Gif, &["image/gif"], limits.gif_bytes_max),
            MediaKind::Video => (Kind::Video, limits.video_formats, limits.video_bytes_max),
            MediaKind::Document => {
                (Kind::Document, limits.document_formats, limits.document_bytes_max)
            }
        };
        let name = match media.kind {
            MediaKind::Gif => "GIF",
            kind @ (MediaKind::Image | MediaKind::Video | MediaKind::Document) => kind.name(),
        };
        if !kinds.contains(&kind) {
            let sentence = format!("{platform} takes no {name}s, and this file is one.");
            return vec![Problem::new(Code::MediaFormat, sentence, "Remove the file.").at(place)];
        }
        let mut problems = Vec::new();
        if !formats.contains(&media.mime.as_str()) {
            let (known, found) = (formats.join(", "), &media.mime);
            let sentence = format!("This {name} is {found}; {platform} takes {known}.");
            let remedy = match media.kind {
                MediaKind::Image => FIT,
                MediaKind::Gif | MediaKind::Video | MediaKind::Document => {
                    "Convert it to one of these formats."
                }
            };
            problems.push(Problem::new(Code::MediaFormat, sentence, remedy).at(place));
        }
        if media.bytes > bytes_max {
            let bytes = media.bytes;
            let sentence = format!("This {name} has {bytes} bytes; {platform} allows {bytes_max}.");
            let remedy = match media.kind {
                MediaKind::Image => FIT,
                MediaKind::Gif | MediaKind::Video | MediaKind::Document => "Make it smaller.",
            };
            problems.push(Problem::new(Code::MediaTooLarge, sentence, remedy).at(place));
        }
        problems.extend(picture::check(media, platform, limits, place));
        problems
    }

    fn check_alt(&self, attachment: &Attachment, place: &str) -> Option<Problem> {
        let (platform, max) = (self.candidate.platform, self.candidate.limits.alt_chars_max);
        let used = attachment.alt.chars().count();
        if attachment.alt.contains('\0') {
            let sentence = "The description has a character that no platform takes (U+0000).";
            let problem = Problem::new(Code::Invalid, sentence, "Remove it; it is invisible.");
            return Some(problem.at(format!("{place}.alt")));
        }
        if exceeds(used, max) {
            let sentence =
                format!("The description has {used} characters; {platform} allows {max}.");
            let problem = Problem::new(Code::AltTooLong, sentence, "Shorten the description.");
            return Some(problem.at(format!("{place}.alt")));
        }
        None
    }
}

/// A warning: it shares the code of a missing text, and its place says which one.
fn alt_missing(place: &str) -> Problem {
    let sentence = "This file has no description, so people who cannot see it miss it.";
    let remedy = "Describe in a sentence what it shows.";
    Problem::new(Code::TextMissing, sentence, remedy).at(format!("{place}.alt"))
}

fn unit_name(unit: TextUnit) -> &'static str {
    match unit {
        TextUnit::Graphemes | TextUnit::Mastodon { .. } => "characters",
        TextUnit::Weighted => "weighted characters",
        TextUnit::Chars | TextUnit::Utf16 | TextUnit::EmojiBytes => "characters",
        TextUnit::LittleText => "characters, escapes included,",
    }
}

fn exceeds(found: usize, max: u32) -> bool {
    u64::try_from(found).unwrap_or(u64::MAX) > u64::from(max)
}

#[cfg(test)]
mod tests;
