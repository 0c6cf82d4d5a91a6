//! A post: the request that creates it, and where readers find it.
//!
//! <https://docs.x.com/x-api/posts/create-post>, read 2026-08-22.

use std::time::Duration;

use serde_json::json;

use super::{API, Earned, WEB};
use crate::{
    connectors::{Body, Job, Repeat, Request, Site},
    domain::{
        delivery::Live,
        platform::{Loss, OptionRule, OptionValue},
    },
};

/// A request that was cut off may still be at work inside X, and a timeline lags behind.
const SETTLE: Duration = Duration::from_secs(20);

/// Who may answer. X has no word for everyone: then nothing is sent.
const REPLY_SETTINGS: &str = "reply_settings";
const EVERYONE: &str = "everyone";
const REPLIERS: &[&str] = &[EVERYONE, "following", "mentionedUsers", "subscribers", "verified"];

pub(super) const OPTIONS: &[OptionRule] = &[OptionRule {
    name: REPLY_SETTINGS,
    value: OptionValue::OneOf(REPLIERS),
    loss: Loss::Harmless,
    about: "Who may answer on X.",
}];

/// The request for the part after those in `earned.sent`.
pub(super) fn creation(earned: &Earned, job: &Job) -> Request {
    // Always with a text: "the backend's `tweet_text` variable is non-null" (the description).
    let mut body = json!({ "text": job.parts[earned.sent.len()].text });
    let files = earned.files_of_next_part(job);
    if !files.is_empty() {
        let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
        body["media"] = json!({ "media_ids": ids });
    }
    match earned.sent.last() {
        Some(parent) => body["reply"] = json!({ "in_reply_to_tweet_id": parent }),
        // What the first part says holds for the whole conversation.
        None => {
            let repliers = job.options.get(REPLY_SETTINGS).map(String::as_str);
            if let Some(repliers) = repliers.filter(|value| !["", EVERYONE].contains(value)) {
                body[REPLY_SETTINGS] = json!(repliers);
            }
        }
    }
    Request::post(
        job.site.url(API, "/2/tweets"),
        Body::Json(body),
        Repeat::Probed { settle: SETTLE },
    )
}

/// Addresses without the user's name, which may change.
pub(super) fn live(sent: &[String], site: &Site) -> Vec<Live> {
    let url = |id: &String| site.url(WEB, &format!("/i/web/status/{id}"));
    sent.iter().map(|id| Live { id: id.clone(), url: url(id) }).collect()
}
