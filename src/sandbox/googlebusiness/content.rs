//! What a post may be made of: my-business/reference/rest/v4/accounts.locations.localPosts, read
//! 2026-11-21.

use axum::body::Bytes;
use chrono::{NaiveDate, NaiveDateTime};
use serde_json::Value;
use url::Url;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        given::{Flaw, Given, characters},
        kept::fetched,
        ledger::Card,
        shelf::{dimensions, sniff},
    },
};

use super::Call;

/// In the product and in other publishers; the reference has no number.
const SUMMARY_CHARS_MAX: usize = 1_500;
/// "between 10 KB and 5 MB", "at least 250 px" (support.google.com/business/answer/6103862).
const IMAGE_BYTES: std::ops::RangeInclusive<usize> = 10_240..=5_242_880;
const IMAGE_PIXELS_MIN: usize = 250;

pub(super) const NAMES: [&str; 9] = [
    "languageCode",
    "topicType",
    "summary",
    "callToAction",
    "media",
    "event",
    "offer",
    "alertType",
    "scheduledTime",
];

const ACTIONS: [&str; 6] = ["BOOK", "ORDER", "SHOP", "LEARN_MORE", "SIGN_UP", "CALL"];

pub(super) struct Content {
    pub(super) summary: String,
    pub(super) image: Option<Bytes>,
    pub(super) scheduled: Option<Timestamp>,
    pub(super) card: Option<Card>,
    pub(super) marks: Vec<String>,
    pub(super) recurs: bool,
    /// Without one it would say nothing.
    pub(super) needs_image: bool,
}

pub(super) fn addresses(body: &Value) -> Vec<String> {
    let media = body["media"].as_array().cloned().unwrap_or_default();
    media.iter().filter_map(|item| item["sourceUrl"].as_str().map(str::to_owned)).collect()
}

pub(super) fn read(call: &Call, body: &Value) -> Result<Content, Flaw> {
    let given = Given::of(body, &NAMES)?;
    let topics = ["STANDARD", "EVENT", "OFFER", "ALERT"];
    let topic = given.one_of("topicType", &topics)?;
    let topic = topic.ok_or_else(|| given.flaw("topicType", "is required"))?;
    given.text("languageCode")?;
    if (topic == "ALERT") != given.one_of("alertType", &["COVID_19"])?.is_some() {
        return Err(given.flaw("alertType", "belongs to alerts, and they to it"));
    }
    let summary = given.short("summary", SUMMARY_CHARS_MAX, characters)?;
    let image = image(call, &given)?;
    let mut marks = Vec::new();
    let mut recurs = false;
    if let Some(event) = event(&given, topic)? {
        marks.push(event.0);
        recurs = event.1;
    }
    if let Some(offer) = offer(&given, topic)? {
        marks.push(offer);
    }
    let scheduled = given.text("scheduledTime")?;
    let scheduled = scheduled.map(|text| {
        let at = Timestamp::parse(text).filter(|at| *at > call.now);
        at.ok_or_else(|| given.flaw("scheduledTime", "must be a time to come"))
    });
    Ok(Content {
        needs_image: topic == "STANDARD" && summary.is_empty(),
        summary,
        image,
        scheduled: scheduled.transpose()?,
        // "Ignored for topic type OFFER".
        card: action(&given)?.filter(|_| topic != "OFFER"),
        marks,
        recurs,
    })
}

fn action(given: &Given<'_>) -> Result<Option<Card>, Flaw> {
    let Some(action) = given.object("callToAction", &["actionType", "url"])? else {
        return Ok(None);
    };
    let kind = action.one_of("actionType", &ACTIONS)?;
    let kind = kind.ok_or_else(|| action.flaw("actionType", "is missing"))?;
    let url = action.text("url")?.unwrap_or_default();
    match (kind, is_web(url)) {
        ("CALL", _) if !url.is_empty() => Err(action.flaw("url", "must be unset for CALL")),
        ("CALL", _) | (_, true) => {
            let title = kind.replace('_', " ").to_lowercase();
            Ok(Some(Card { url: url.to_owned(), title, description: String::new() }))
        }
        (_, false) => Err(action.flaw("url", "must be an address on the web")),
    }
}

fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| ["http", "https"].contains(&url.scheme()))
}

fn image(call: &Call, given: &Given<'_>) -> Result<Option<Bytes>, Flaw> {
    let items = given.list("media")?.unwrap_or_default();
    let Some(item) = items.first() else { return Ok(None) };
    if items.len() > 1 {
        return Err(given.flaw("media", "must be one item"));
    }
    let item = Given::at("media[0]".to_owned(), item, &["mediaFormat", "sourceUrl"])?;
    if item.one_of("mediaFormat", &["PHOTO"])?.is_none() {
        return Err(item.flaw("mediaFormat", "is missing"));
    }
    let url = item.needed("sourceUrl")?;
    let bytes = fetched(call, url)
        .map_err(|reason| item.flaw("sourceUrl", &format!("Fetching image failed. {reason}")))?;
    if !["image/jpeg", "image/png"].contains(&sniff(&bytes)) {
        return Err(item.flaw("sourceUrl", "Image format not supported. Use JPG or PNG."));
    }
    if !IMAGE_BYTES.contains(&bytes.len()) {
        return Err(item.flaw("sourceUrl", "Image must have between 10 KB and 5 MB."));
    }
    let wide =
        dimensions(&bytes).is_some_and(|(width, height)| width.min(height) >= IMAGE_PIXELS_MIN);
    match wide {
        true => Ok(Some(bytes)),
        false => Err(item.flaw("sourceUrl", "Image too small. Minimum is 250x250 pixels.")),
    }
}

/// The event in words, and whether it comes again.
fn event(given: &Given<'_>, topic: &str) -> Result<Option<(String, bool)>, Flaw> {
    let event = given.object("event", &["title", "schedule", "recurrenceInfo"])?;
    let Some(event) = event else {
        return match topic {
            "EVENT" | "OFFER" => Err(given.flaw("event", "is required")),
            _ => Ok(None),
        };
    };
    if !["EVENT", "OFFER"].contains(&topic) {
        return Err(given.flaw("event", "belongs to events and offers"));
    }
    let title = event.needed("title")?;
    let names = ["startDate", "startTime", "endDate", "endTime"];
    let schedule = event.needed_object("schedule", &names)?;
    let start = moment(&schedule, "startDate", "startTime", (0, 0, 0))?;
    let end = moment(&schedule, "endDate", "endTime", (23, 59, 59))?;
    if end <= start {
        return Err(event.flaw("schedule", "must end after it starts"));
    }
    let patterns = ["seriesEndTime", "dailyPattern", "weeklyPattern", "monthlyPattern"];
    let recurrence = event.object("recurrenceInfo", &patterns)?;
    let recurs = recurrence.is_some();
    if let Some(recurrence) = recurrence {
        let named = patterns[1..].iter().filter(|name| recurrence.value(name).is_some());
        if named.count() != 1 {
            return Err(event.flaw("recurrenceInfo", "must have exactly one pattern"));
        }
    }
    Ok(Some((format!("{title}: {start} – {end}"), recurs)))
}

fn moment(
    schedule: &Given<'_>,
    date: &str,
    time: &str,
    otherwise: (u32, u32, u32),
) -> Result<NaiveDateTime, Flaw> {
    let day = schedule.needed_object(date, &["year", "month", "day"])?;
    let number = |of: &Given<'_>, name: &str| {
        Ok(of.whole(name)?.and_then(|number| u32::try_from(number).ok()).unwrap_or(0))
    };
    let year = i32::try_from(number(&day, "year")?).unwrap_or(0);
    let found = NaiveDate::from_ymd_opt(year, number(&day, "month")?, number(&day, "day")?);
    let clock = schedule.object(time, &["hours", "minutes", "seconds", "nanos"])?;
    let (hours, minutes, seconds) = match clock {
        Some(of) => (number(&of, "hours")?, number(&of, "minutes")?, number(&of, "seconds")?),
        None => otherwise,
    };
    let found = found.filter(|_| year > 0).and_then(|it| it.and_hms_opt(hours, minutes, seconds));
    found.ok_or_else(|| schedule.flaw(date, "is no date and time"))
}

fn offer(given: &Given<'_>, topic: &str) -> Result<Option<String>, Flaw> {
    let names = ["couponCode", "redeemOnlineUrl", "termsConditions"];
    let Some(offer) = given.object("offer", &names)? else { return Ok(None) };
    if topic != "OFFER" {
        return Err(given.flaw("offer", "belongs to offers"));
    }
    let coupon = offer.text("couponCode")?.unwrap_or("none");
    offer.text("termsConditions")?;
    if offer.text("redeemOnlineUrl")?.is_some_and(|url| !is_web(url)) {
        return Err(offer.flaw("redeemOnlineUrl", "must be an address on the web"));
    }
    Ok(Some(format!("offer, coupon: {coupon}")))
}

/// Seven digits or more, with nothing between them but what telephone numbers have: content with
/// one "may be rejected" (support.google.com/business/answer/7213077, read 2026-11-21).
pub(super) fn has_phone_number(text: &str) -> bool {
    let mut digits = 0;
    for letter in text.chars() {
        digits = match letter {
            '0'..='9' => digits + 1,
            ' ' | '-' | '.' | '(' | ')' | '/' | '+' => digits,
            _ => 0,
        };
        if digits >= 7 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_found_and_prices_are_not() {
        for (text, wanted) in [
            ("Call +49 (30) 901820", true),
            ("030-901 820", true),
            ("From 9 to 17, only 12.50", false),
            ("2026 is our 100th year", false),
        ] {
            assert_eq!(has_phone_number(text), wanted, "{text}");
        }
    }
}
