//! A post: the request that creates it, and where readers find it.
//!
//! <https://docs.x.com/x-api/posts/create-post>, read 2026-08-22.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    API, Earned, WEB,
    draft::{self, EVERYONE, REPLY_SETTINGS},
};
use crate::{
    connectors::{Body, Job, Repeat, Request, Site},
    domain::delivery::Live,
};

/// A request that was cut off may still be at work inside X, and a timeline lags behind.
const SETTLE: Duration = Duration::from_secs(20);

/// The request for the part after those in `earned.sent`.
pub(super) fn creation(earned: &Earned, job: &Job) -> Request {
    // Always with a text: "the backend's `tweet_text` variable is non-null" (the description).
    let mut body = json!({ "text": job.parts[earned.sent.len()].text });
    let files = earned.files_of_next_part(job);
    if !files.is_empty() {
        let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
        body["media"] = json!({ "media_ids": ids });
        if job.option(draft::MADE_WITH_AI) == "true" {
            body["made_with_ai"] = json!(true);
        }
    }
    // Each part can be read and passed on without the others.
    if job.option(draft::PAID_PARTNERSHIP) == "true" {
        body["paid_partnership"] = json!(true);
    }
    match earned.sent.last() {
        Some(parent) => body["reply"] = json!({ "in_reply_to_tweet_id": parent }),
        None => add_options(&mut body, job),
    }
    Request::post(
        job.site.url(API, "/2/tweets"),
        Body::Json(body),
        Repeat::Probed { settle: SETTLE },
    )
}

/// What is said of the first part: of a thread, who may answer it and where it is hold for all.
fn add_options(body: &mut Value, job: &Job) {
    let repliers = job.option(REPLY_SETTINGS);
    if !["", EVERYONE].contains(&repliers) {
        body[REPLY_SETTINGS] = json!(repliers);
    }
    if !job.option(draft::COMMUNITY_ID).is_empty() {
        body["community_id"] = json!(job.option(draft::COMMUNITY_ID));
    }
    if let Some(quoted) = quoted(job) {
        body["quote_tweet_id"] = json!(quoted);
    }
    if !job.option(draft::POLL).is_empty() {
        let choices: Vec<&str> = job.option(draft::POLL).lines().map(str::trim).collect();
        let minutes = job.option(draft::POLL_MINUTES).parse().ok();
        let minutes: u64 = minutes.unwrap_or(draft::POLL_MINUTES_USUAL);
        body["poll"] = json!({ "options": choices, "duration_minutes": minutes });
    }
}

/// The post that the first part quotes.
pub(super) fn quoted(job: &Job) -> Option<&str> {
    draft::id_of(job.option(draft::QUOTE))
}

/// Addresses without the user's name, which may change.
pub(super) fn live(sent: &[String], site: &Site) -> Vec<Live> {
    let url = |id: &String| site.url(WEB, &format!("/i/web/status/{id}"));
    sent.iter().map(|id| Live { id: id.clone(), url: url(id) }).collect()
}
