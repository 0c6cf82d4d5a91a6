//! What limits as data cannot say: the board, and what images of one pin have to have in common.

use super::{
    board::{self, BOARD},
    errand::{BOARDS, BOARDS_CUT},
    pin::{LINK, THUMB_OFFSET},
};
use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        media::MediaKind,
        problem::{Code, Problem},
    },
};

/// What is sent in one request is held in memory while it is made.
const BYTES_TOGETHER_MAX: u64 = 32 * 1_024 * 1_024;

/// "At most 2,048".
const LINK_CHARS_MAX: usize = 2_048;

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let media = draft.parts.first().map_or(&[][..], |part| &part.media);
    let mut findings = Vec::new();
    findings.extend(missing_board(draft));
    findings.extend(unknown_board(draft));
    findings.extend(long_link(draft));
    findings.extend(short_link(draft));
    findings.extend(late_cover(draft, media));
    if media.iter().filter(|media| media.kind == MediaKind::Image).count() > 1 {
        findings.extend(carousel(media));
    }
    findings
}

fn at(place: &str, sentence: String, remedy: &str) -> Problem {
    Problem::new(Code::Invalid, sentence, remedy).at(place)
}

fn known(draft: &Draft) -> Vec<String> {
    let names = draft.author.traits.get(BOARDS).map_or("", String::as_str);
    names.lines().map(str::to_owned).collect()
}

fn missing_board(draft: &Draft) -> Option<Finding> {
    if !draft.option(BOARD).trim().is_empty() {
        return None;
    }
    let names: Vec<String> = known(draft).into_iter().take(10).collect();
    let remedy = match names.is_empty() {
        true => "Set `board` to its id or its exact name.".to_owned(),
        false => format!("Set `board` to its id or its exact name, such as: {}.", names.join(", ")),
    };
    let problem = at("content.options.board", "A pin needs a board.".to_owned(), &remedy);
    Some(Finding::Error(problem))
}

/// A warning: the board may be younger than what we know.
fn unknown_board(draft: &Draft) -> Option<Finding> {
    let (wanted, known) = (draft.option(BOARD).trim(), known(draft));
    let is_cut = draft.author.traits.get(BOARDS_CUT).is_none_or(|cut| cut == "true");
    let is_known = known.iter().any(|name| name.trim() == wanted);
    if wanted.is_empty() || board::is_id(wanted) || is_cut || is_known {
        return None;
    }
    let sentence = format!("When the account was connected, it had no board `{wanted}`.");
    let remedy = "If it is new, all is well; names have to be exact, capitals included.";
    Some(Finding::Warning(at("content.options.board", sentence, remedy)))
}

fn long_link(draft: &Draft) -> Option<Finding> {
    let found = draft.option(LINK).chars().count();
    if found <= LINK_CHARS_MAX {
        return None;
    }
    let sentence = format!("The link has {found} characters; Pinterest allows {LINK_CHARS_MAX}.");
    Some(Finding::Error(at("content.options.link", sentence, "Use a shorter address of the page.")))
}

/// "No shorteners": such a pin is refused, or taken down later as spam.
const SHORTENERS: &[&str] = &[
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "goo.gl",
    "is.gd",
    "lnkd.in",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "shorturl.at",
    "t.co",
    "t.ly",
    "tinyurl.com",
];

fn short_link(draft: &Draft) -> Option<Finding> {
    let link = draft.option(LINK);
    let (_, rest) = link.split_once("://")?;
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    if !SHORTENERS.contains(&host) {
        return None;
    }
    let sentence = format!("Pinterest takes no links that were shortened; this one is at {host}.");
    let remedy = "Use the page's own address.";
    Some(Finding::Error(at("content.options.link", sentence, remedy)))
}

fn late_cover(draft: &Draft, media: &[JobMedia]) -> Option<Finding> {
    let offset: u128 = draft.option(THUMB_OFFSET).parse().ok()?;
    let length = media.iter().find_map(|media| media.length)?.as_millis();
    if offset < length {
        return None;
    }
    let sentence = format!("The cover is at {offset} ms, and the video has {length} ms.");
    let remedy = "Choose a moment of the video.";
    Some(Finding::Error(at("content.options.thumb_offset", sentence, remedy)))
}

fn carousel(media: &[JobMedia]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = "content.parts[0].media";
    let mut sizes = media.iter().filter_map(|media| media.size);
    if let Some(first) = sizes.next()
        && let Some(other) = sizes.find(|size| *size != first)
    {
        let shown = |(width, height): (u32, u32)| format!("{width} × {height}");
        let sentence = format!(
            "Images of one pin have to have the same size; these have {} and {}.",
            shown(first),
            shown(other)
        );
        let problem = Problem::new(Code::MediaShape, sentence, "Crop them to one size.");
        findings.push(Finding::Error(problem.at(place)));
    }
    let bytes: u64 = media.iter().map(|media| media.bytes).sum();
    if bytes > BYTES_TOGETHER_MAX {
        let sentence = format!(
            "The images have {bytes} bytes together; {BYTES_TOGETHER_MAX} can be sent at once."
        );
        let problem = Problem::new(Code::MediaTooLarge, sentence, "Make them smaller.");
        findings.push(Finding::Error(problem.at(place)));
    }
    if media.iter().filter(|media| !media.alt.is_empty()).count() > 1 {
        let sentence =
            "Pinterest has one description for a pin: that of the first image which has \
                        one is used."
                .to_owned();
        let remedy = "Describe all images there.";
        findings.push(Finding::Warning(at(place, sentence, remedy)));
    }
    findings
}
