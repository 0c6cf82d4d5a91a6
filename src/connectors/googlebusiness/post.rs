//! A local post: what is sent, and what Google says of it afterwards.
//!
//! <https://developers.google.com/my-business/reference/rest/v4/accounts.locations.localPosts>, as
//! of 2026.

use std::time::Duration;

use chrono::{Datelike, NaiveDateTime, Timelike};
use serde_json::{Value, json};

use super::{
    API, LANGUAGE, WEB,
    check::{self, EVENT, OFFER, moment},
};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        platform::FORMAT,
        refusal::{Refusal, RefusalKind},
    },
};

const SETTLE: Duration = Duration::from_secs(30);

/// Where neither the location nor we know better: a post without a language is shown nowhere in
/// Google's examples.
const ENGLISH: &str = "en";

pub(super) fn posts(job: &Job) -> String {
    job.site.url(API, &format!("/v4/{}/localPosts", job.author.remote_id))
}

pub(super) fn creation(job: &Job) -> Request {
    Request::post(posts(job), Body::Json(resource(job)), Repeat::Probed { settle: SETTLE })
}

fn resource(job: &Job) -> Value {
    let part = &job.parts[0];
    let language = job.author.traits.get(LANGUAGE).filter(|language| !language.is_empty());
    let mut post = json!({
        "languageCode": language.map_or(ENGLISH, String::as_str),
        "topicType": topic(job),
        "summary": part.text,
    });
    if let Some(image) = part.media.first() {
        post["media"] = json!([{ "mediaFormat": "PHOTO", "sourceUrl": image.url }]);
    }
    let action = job.option(check::ACTION);
    if !action.is_empty() {
        post["callToAction"] = json!({ "actionType": action.to_uppercase() });
        let url = job.option(check::ACTION_URL);
        if !url.is_empty() {
            post["callToAction"]["url"] = json!(url);
        }
    }
    if topic(job) != STANDARD {
        post["event"] = json!({
            "title": job.option(check::EVENT_TITLE),
            "schedule": schedule(job),
        });
    }
    let offer: serde_json::Map<String, Value> = [
        ("couponCode", check::COUPON),
        ("redeemOnlineUrl", check::OFFER_URL),
        ("termsConditions", check::OFFER_TERMS),
    ]
    .into_iter()
    .filter(|(_, option)| !job.option(option).is_empty())
    .map(|(name, option)| (name.to_owned(), json!(job.option(option))))
    .collect();
    if topic(job) == "OFFER" {
        post["offer"] = Value::Object(offer);
    }
    post
}

const STANDARD: &str = "STANDARD";

pub(super) fn topic(job: &Job) -> &'static str {
    match job.option(FORMAT) {
        EVENT => "EVENT",
        OFFER => "OFFER",
        _ => STANDARD,
    }
}

/// In the location's own time: Google is told no zone.
fn schedule(job: &Job) -> Value {
    let mut schedule = json!({});
    for (option, date, time) in
        [(check::EVENT_START, "startDate", "startTime"), (check::EVENT_END, "endDate", "endTime")]
    {
        if let Some(at) = moment(job.option(option)) {
            schedule[date] = json!({ "year": at.year(), "month": at.month(), "day": at.day() });
            schedule[time] = time_of_day(at);
        }
    }
    schedule
}

fn time_of_day(at: NaiveDateTime) -> Value {
    json!({ "hours": at.hour(), "minutes": at.minute(), "seconds": at.second(), "nanos": 0 })
}

pub(super) fn read(name: &str, site: &Site) -> Request {
    Request::get(site.url(API, &format!("/v4/{name}")))
}

/// Where a post stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Live,
    Rejected,
    /// Or something that we do not know: it is looked at again.
    Processing,
}

impl State {
    pub(super) fn read(reply: &Reply) -> State {
        match reply.body["state"].as_str() {
            Some("LIVE") => State::Live,
            Some("REJECTED") => State::Rejected,
            Some(_) | None => State::Processing,
        }
    }
}

/// Google gives no reason.
pub(super) fn rejected() -> Refusal {
    let words = "Google looked at the post and rejected it, without saying why. It does so for \
                 telephone numbers in the text, text in capitals or without sense, what is not \
                 about the business, regulated goods, and images that it cannot fetch";
    Refusal::new(RefusalKind::Rejected, "REJECTED", words)
}

/// Until Google tells its address, a post is known by the location's.
pub(super) fn live(name: &str, job: &Job, reply: Option<&Reply>) -> Live {
    let told = reply.and_then(|reply| reply.body["searchUrl"].as_str()).unwrap_or_default();
    let url = match (told, job.author.url.as_str()) {
        ("", "") => job.site.url(WEB, "/"),
        ("", location) => location.to_owned(),
        (told, _) => told.to_owned(),
    };
    Live { id: name.to_owned(), url }
}
