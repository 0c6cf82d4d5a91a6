//! What LinkedIn cannot do although each limit is kept, and what it does otherwise than one may
//! think.

use super::{
    is_organization,
    post::{
        self, CONNECTIONS, LINK, LINK_DESCRIPTION, LINK_TITLE, POLL, POLL_MINUTES, POLL_QUESTION,
        QUOTE, TITLE, VISIBILITY,
    },
};
use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        media::MediaKind,
        problem::{Code, Problem},
        text,
    },
};

/// "75 KB to 500 MB" (videos-api, as of 2026-09-16), whichever kilobytes those are.
const VIDEO_BYTES_MIN: u64 = 75 * 1_024;

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.alone(draft);
    findings.link(draft);
    findings.poll(draft);
    findings.quote(draft);
    findings.author(draft);
    findings.files(draft);
    findings.idle(draft);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, code: Code, place: &str, sentence: &str, remedy: &str) {
        self.0.push(Finding::Error(Problem::new(code, sentence, remedy).at(place)));
    }

    fn warning(&mut self, code: Code, place: &str, sentence: &str, remedy: &str) {
        self.0.push(Finding::Warning(Problem::new(code, sentence, remedy).at(place)));
    }

    /// A post holds one thing: files, a card, a poll, or another post.
    fn alone(&mut self, draft: &Draft) {
        let named = [LINK, POLL, QUOTE].into_iter().filter(|name| !draft.option(name).is_empty());
        let named: Vec<&str> = named.collect();
        if let [_, second, ..] = named.as_slice() {
            let sentence = format!(
                "A post on LinkedIn holds a card, a poll or another post; this one has {}.",
                named.join(" and ")
            );
            let place = format!("content.options.{second}");
            self.error(Code::Invalid, &place, &sentence, "Leave all but one out.");
        }
        let takes_files = named.iter().all(|name| *name == LINK);
        if !takes_files && !files(draft).is_empty() {
            let sentence = "On LinkedIn, a post with a poll or a quoted post has no files.";
            self.error(Code::MediaMixed, FILES, sentence, "Remove the files, or make two posts.");
        }
    }

    fn link(&mut self, draft: &Draft) {
        if draft.option(LINK).is_empty() {
            let is_plain = [POLL, QUOTE].iter().all(|name| draft.option(name).is_empty())
                && files(draft).is_empty();
            let has_address =
                draft.parts.first().is_some_and(|part| !text::links(&part.text).is_empty());
            if is_plain && has_address {
                let sentence = "LinkedIn makes no card of an address in the text of a post.";
                let remedy =
                    "For a card, give the address as the option `link`, with `link_title`.";
                self.warning(Code::Invalid, "content.parts[0].text", sentence, remedy);
            }
            return;
        }
        if draft.option(LINK_TITLE).trim().is_empty() {
            let sentence =
                "A card needs a title on LinkedIn, which reads nothing from the page itself.";
            let place = "content.options.link_title";
            self.error(Code::TextMissing, place, sentence, "Give it as the option `link_title`.");
        }
        let is_image = |media: &JobMedia| media.kind == MediaKind::Image;
        if files(draft).len() > 1 || !files(draft).iter().all(is_image) {
            let sentence = "A card on LinkedIn takes one image, as its picture, and no other file.";
            self.error(Code::MediaMixed, FILES, sentence, "Keep one image, or none.");
        }
    }

    fn poll(&mut self, draft: &Draft) {
        if !draft.option(POLL).is_empty() && draft.option(POLL_QUESTION).trim().is_empty() {
            let sentence = "A poll on LinkedIn needs a question of its own, besides the text.";
            let place = "content.options.poll_question";
            let remedy = "Give it as the option `poll_question`.";
            self.error(Code::TextMissing, place, sentence, remedy);
        }
    }

    fn quote(&mut self, draft: &Draft) {
        let quoted = draft.option(QUOTE);
        if !quoted.is_empty() && post::parent(quoted).is_none() {
            let sentence = format!(
                "`{quoted}` names no post that LinkedIn lets one quote; an address with \
                 `activity` in it does not say which post it is of."
            );
            let remedy = "Give its `urn:li:share:…` or `urn:li:ugcPost:…`, or an address with one.";
            self.error(Code::Invalid, "content.options.quote", &sentence, remedy);
        }
    }

    fn author(&mut self, draft: &Draft) {
        let is_organization = is_organization(draft.author);
        if is_organization && draft.option(VISIBILITY) == CONNECTIONS {
            let sentence = "An organization has no connections on LinkedIn.";
            let remedy = "Choose `public` or `logged_in`.";
            self.error(Code::Invalid, "content.options.visibility", sentence, remedy);
        }
        let Some(comment) = draft.parts.get(1) else { return };
        if !is_organization {
            let sentence = "For a member, LinkedIn lets the app write posts and no comments.";
            let remedy = "Leave the comment out for this account by a variant.";
            self.error(Code::TooManyParts, "content.parts[1]", sentence, remedy);
        }
        if comment.text.contains("](urn:li:") {
            let sentence = "A comment on LinkedIn shows a mention as it is written, as plain text.";
            let remedy = "Write the name alone, or mention it in the post.";
            self.warning(Code::Invalid, "content.parts[1].text", sentence, remedy);
        }
    }

    fn files(&mut self, draft: &Draft) {
        for (index, media) in files(draft).iter().enumerate() {
            let place = format!("content.parts[0].media[{index}]");
            let is_image = matches!(media.kind, MediaKind::Image | MediaKind::Gif);
            if !media.alt.is_empty() && (!is_image || !draft.option(LINK).is_empty()) {
                let sentence =
                    "LinkedIn takes descriptions of images in a post, and of nothing else.";
                let place = format!("{place}.alt");
                self.warning(Code::Invalid, &place, sentence, "Say it in the text, if it matters.");
            }
            if media.kind == MediaKind::Video && media.bytes < VIDEO_BYTES_MIN {
                let bytes = media.bytes;
                let sentence =
                    format!("This video has {bytes} bytes; LinkedIn takes none below 75 KB.");
                let remedy = "Make it longer, or encode it better.";
                self.error(Code::MediaShape, &place, &sentence, remedy);
            }
        }
    }

    /// Options that say something about a thing that is not there.
    fn idle(&mut self, draft: &Draft) {
        let has = |name: &str| !draft.option(name).is_empty();
        let is_titled =
            |media: &JobMedia| matches!(media.kind, MediaKind::Video | MediaKind::Document);
        let has_titled = files(draft).iter().any(is_titled);
        for (name, is_of, what) in [
            (LINK_TITLE, has(LINK), "without the option `link`"),
            (LINK_DESCRIPTION, has(LINK), "without the option `link`"),
            (POLL_QUESTION, has(POLL), "without the option `poll`"),
            (POLL_MINUTES, has(POLL), "without the option `poll`"),
            (TITLE, has_titled, "on a post without a video and without a document"),
        ] {
            if has(name) && !is_of {
                let sentence = format!("The option `{name}` does nothing on LinkedIn {what}.");
                let place = format!("content.options.{name}");
                self.warning(Code::UnknownOption, &place, &sentence, "Leave it out.");
            }
        }
    }
}

const FILES: &str = "content.parts[0].media";

fn files<'a>(draft: &Draft<'a>) -> &'a [JobMedia] {
    draft.parts.first().map_or(&[], |part| part.media.as_slice())
}
