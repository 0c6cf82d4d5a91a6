//! Whether a pin of ours is on its board.
//!
//! Invariant: *absent* is said only of a list that is whole, or that is sorted by time and reaches
//! back beyond the first attempt: a person may sort a board by hand.

use std::time::Duration;

use serde_json::Value;

use super::{
    API, Step,
    board::{self, Place},
    pin::{self, LINK, TITLE},
};
use crate::{
    connectors::{Job, Next, Reply, Request, Sighting, Site},
    domain::time::Timestamp,
};

const PAGE: u32 = 250;

pub(super) fn pins(place: &Place, site: &Site) -> Request {
    let Place { board, section } = place;
    let path = match section.as_str() {
        "" => format!("/v5/boards/{board}/pins?page_size={PAGE}"),
        section => format!("/v5/boards/{board}/sections/{section}/pins?page_size={PAGE}"),
    };
    Request::get(site.url(API, &path))
}

pub(super) fn search(job: &Job, reply: &Reply) -> Sighting<Step> {
    let Some(pins) = reply.body["items"].as_array().filter(|_| reply.is_success()) else {
        let words = format!("the pins of the board could not be read (HTTP {})", reply.status);
        return Sighting::Unsure(words);
    };
    let start = start(job.armed.unwrap_or(job.due), reply);
    let (mut times, mut ours, mut alike) = (Vec::new(), Vec::new(), None);
    for pin in pins {
        let Some(created) = pin["created_at"].as_str().and_then(time) else {
            return Sighting::Unsure("a pin of the board has no readable time".to_owned());
        };
        times.push(created);
        if created < start || pin["id"].as_str().is_some_and(|id| job.is_taken(id)) {
            continue;
        }
        match (likeness(job, pin), pin["id"].as_str()) {
            (Likeness::Ours, Some(id)) => ours.push(id),
            (Likeness::Ours | Likeness::Alike, id) => alike = alike.or(Some(id.unwrap_or("?"))),
            (Likeness::Other, _) => (),
        }
    }
    match ours.as_slice() {
        [only] => {
            let live = pin::live((*only).to_owned(), &job.site);
            return Sighting::Found(Next::Done(vec![live]));
        }
        [first, ..] => {
            let words = "several pins of that moment say the same as this one; the newest is";
            return Sighting::Unsure(format!("{words} {first}"));
        }
        [] => {}
    }
    if let Some(id) = alike {
        let url = pin::live(id.to_owned(), &job.site).url;
        let words = format!("a pin of the same moment looks like this one, but not surely: {url}");
        return Sighting::Unsure(words);
    }
    let is_whole = board::bookmark(reply).is_none();
    let is_sorted = times.is_sorted_by(|newer, older| newer >= older);
    let reaches_back = is_sorted && times.last().is_some_and(|oldest| *oldest < start);
    match is_whole || reaches_back {
        true => Sighting::Absent,
        false => Sighting::Unsure(
            "the board has more pins than are listed at once, and it may be among them".to_owned(),
        ),
    }
}

/// A minute before the first attempt, by Pinterest's clock where its answer shows it.
fn start(since: Timestamp, reply: &Reply) -> Timestamp {
    let behind = reply.date().map_or(Duration::ZERO, |shown| shown.elapsed(reply.at));
    since.before(Duration::from_secs(60)).before(behind)
}

/// Written without a zone in some answers, where UTC is meant.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))
}

enum Likeness {
    Ours,
    /// Equal in part. A person can tell, we cannot.
    Alike,
    Other,
}

/// What is shown may be trimmed, and a link may have been given a slash.
fn likeness(job: &Job, pin: &Value) -> Likeness {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = |name: &str| words(pin[name].as_str().unwrap_or_default());
    let ours = [
        ("title", words(job.option(TITLE))),
        ("description", words(&job.parts[0].text)),
        ("link", words(job.option(LINK))),
    ];
    let is_same = |(name, text): &(&str, String)| match *name {
        "link" => shown(name).trim_end_matches('/') == text.trim_end_matches('/'),
        _ => shown(name) == *text,
    };
    let is_film = pin::film(job).is_some();
    let kind = pin["media"]["media_type"].as_str().or(pin["creative_type"].as_str());
    let is_shown_as_film = kind.map(|kind| kind.eq_ignore_ascii_case("video"));
    if is_shown_as_film.is_some_and(|shown| shown != is_film) {
        return Likeness::Other;
    }
    if ours.iter().all(is_same) {
        return Likeness::Ours;
    }
    match ours.iter().any(|it| !it.1.is_empty() && is_same(it)) {
        true => Likeness::Alike,
        false => Likeness::Other,
    }
}
