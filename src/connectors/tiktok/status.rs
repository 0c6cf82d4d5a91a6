//! What became of a post that TikTok has taken.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-reference-get-video-status>, as of
//! 2026-11-21. The misspelling of `publicaly` is TikTok's.

use std::time::Duration;

use serde_json::{Value, json};

use super::{API, Step, creator::Manner, refusal, upload::number};
use crate::{
    connectors::{Body, Job, Next, Repeat, Reply, Request, Site},
    domain::{
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// Some two hours with the waits of [`pause`]: "4 GB takes more than two minutes".
const POLLS_MAX: u32 = 160;

/// The id of a public post comes "normally within one minute", and may take hours; its address is
/// worth so many questions.
const NAMELESS_MAX: u32 = 9;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// When a ban that TikTok itself no longer knows of counts as lifted.
const CONTRADICTION: Duration = Duration::from_secs(60);

pub(super) fn question(publish: &str, site: &Site) -> Request {
    let url = site.url(API, "/v2/post/publish/status/fetch/");
    Request::post(url, Body::Json(json!({ "publish_id": publish })), Repeat::Harmless)
}

pub(super) fn code(body: &Value) -> Option<&str> {
    body.pointer("/error/code").and_then(Value::as_str)
}

/// By the answer to [`question`], which was a success.
#[derive(Debug, PartialEq)]
pub(super) enum State {
    /// TikTok has it, or is still waiting for some of it.
    Waiting {
        received: Option<u64>,
    },
    /// With its id, once it has one.
    Complete(Option<String>),
    /// Why, as TikTok calls it.
    Failed(String),
    /// Left to the person, which nobody asked for.
    Inbox,
    Unknown,
}

impl State {
    pub(super) fn read(reply: &Reply) -> State {
        let data = &reply.body["data"];
        match data["status"].as_str() {
            Some("PROCESSING_UPLOAD") => {
                State::Waiting { received: number(&data["uploaded_bytes"]) }
            }
            Some("PROCESSING_DOWNLOAD") => State::Waiting { received: None },
            Some("PUBLISH_COMPLETE") => {
                let id = number(&data["publicaly_available_post_id"][0]);
                State::Complete(id.map(|id| id.to_string()))
            }
            Some("FAILED") => {
                let reason = data["fail_reason"].as_str().filter(|reason| !reason.is_empty());
                State::Failed(reason.unwrap_or("unknown").to_owned())
            }
            Some("SEND_TO_USER_INBOX") => State::Inbox,
            Some(_) | None => State::Unknown,
        }
    }
}

/// "Every five to ten seconds at first".
fn pause(polls: u32) -> Duration {
    Duration::from_secs(match polls {
        0..12 => 5,
        12..40 => 15,
        40.. => 60,
    })
}

pub(super) fn after(
    manner: Manner,
    publish: String,
    polls: u32,
    nameless: u32,
    job: &Job,
    reply: &Reply,
) -> Next<Step> {
    match State::read(reply) {
        State::Complete(None) if manner.is_public() && nameless < NAMELESS_MAX => {
            let nameless = nameless + 1;
            let wait = Duration::from_secs(10);
            Next::Wait(wait, Step::Confirm { manner, publish, polls, nameless })
        }
        State::Complete(post) => Next::Done(vec![manner.live(post.as_deref(), &publish, job)]),
        State::Waiting { .. } | State::Unknown if polls < POLLS_MAX => {
            let wait = pause(polls);
            Next::Wait(wait, Step::Confirm { manner, publish, polls: polls + 1, nameless })
        }
        State::Waiting { .. } | State::Unknown | State::Failed(_) | State::Inbox => {
            Next::Go(Step::Spoilt { manner, publish, polls })
        }
    }
}

/// Asked once more, now that nothing counts as live.
pub(super) fn spoilt(
    manner: Manner,
    publish: String,
    polls: u32,
    job: &Job,
    reply: &Reply,
) -> Result<Next<Step>, Refusal> {
    match State::read(reply) {
        State::Complete(post) => Ok(Next::Done(vec![manner.live(post.as_deref(), &publish, job)])),
        State::Failed(reason) => failed(reason, reply),
        State::Inbox => Err(untold(
            &publish,
            "TikTok has put it into the inbox of the account instead, to be posted in the app",
        )),
        State::Waiting { .. } | State::Unknown if polls < POLLS_MAX => {
            let (wait, polls) = (pause(polls), polls + 1);
            Ok(Next::Wait(wait, Step::Confirm { manner, publish, polls, nameless: 0 }))
        }
        State::Waiting { .. } | State::Unknown => {
            Err(untold(&publish, "TikTok does not say what became of it"))
        }
    }
}

/// TikTok has everything it needs to post it, so to begin anew could post it twice.
pub(super) fn untold(publish: &str, why: &str) -> Refusal {
    let words = format!(
        "TikTok took the post ({publish}), and then: {why}; look at the profile before trying again"
    );
    Refusal::new(RefusalKind::Rejected, "untold", words)
}

fn failed(reason: String, reply: &Reply) -> Result<Next<Step>, Refusal> {
    let wait = match refusal::of_failure(&reason) {
        RefusalKind::Throttled { .. } => DAY,
        RefusalKind::Revoked => CONTRADICTION,
        kind @ (RefusalKind::Unavailable
        | RefusalKind::Unauthorized
        | RefusalKind::Rejected
        | RefusalKind::Duplicate
        | RefusalKind::Media
        | RefusalKind::Unreadable) => {
            let words = refusal::words_of_failure(&reason);
            return Err(Refusal::new(kind, reason, words));
        }
    };
    // Its status would say the same for ever, so the account itself is asked whether it may again.
    Ok(Next::Go(Step::Barred { reason, until: reply.at.after(wait) }))
}

/// The account may post, by its own word. `Some`: but that is not to be believed yet.
pub(super) fn barred(reason: &str, until: Timestamp, reply: &Reply) -> Option<Refusal> {
    if reply.at >= until {
        return None;
    }
    let kind = match refusal::of_failure(reason) {
        RefusalKind::Throttled { .. } => {
            RefusalKind::Throttled { until: Some(until), scope: PaceScope::Account }
        }
        RefusalKind::Revoked
        | RefusalKind::Unavailable
        | RefusalKind::Unauthorized
        | RefusalKind::Rejected
        | RefusalKind::Duplicate
        | RefusalKind::Media
        | RefusalKind::Unreadable => RefusalKind::Rejected,
    };
    Some(Refusal::new(kind, reason, refusal::words_of_failure(reason)))
}
