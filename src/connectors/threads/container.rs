//! Requests about containers, and what their answers say. Nothing but the publication can be seen
//! by readers: a container that nobody publishes is gone after a day.
//!
//! <https://developers.facebook.com/docs/threads/posts>,
//! <https://developers.facebook.com/docs/threads/reference/publishing> and
//! <https://developers.facebook.com/docs/threads/troubleshooting>, all as of 2026-10.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Earned, GRAPH, course, draft};
use crate::{
    connectors::{Body, Job, JobMedia, Repeat, Reply, Request, Site},
    domain::{
        media::MediaKind,
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
    },
};

/// A publication that was cut off may still be at work inside Threads.
const SETTLE: Duration = Duration::from_secs(60);

/// Some eighteen minutes: more is a file that Threads will not finish.
pub(super) const POLLS_MAX: u32 = 40;

/// Threads says how much of a limit is used, not when there is room again.
const QUOTA_AGAIN: Duration = Duration::from_secs(10 * 60);

pub(super) enum Status {
    Wait(Duration),
    Ready,
    Published,
}

pub(super) fn quota(site: &Site) -> Request {
    let path = "/v1.0/me/threads_publishing_limit?fields=quota_usage,config,reply_quota_usage,\
                reply_config";
    Request::get(site.url(GRAPH, path))
}

/// The container of one file: a child of a carousel, or a trial.
pub(super) fn item(media: &JobMedia, site: &Site) -> Request {
    let mut fields = file(media);
    fields.push(field("is_carousel_item", "true"));
    harmless(site, fields)
}

/// The container of the part after those in `earned.sent`.
pub(super) fn creation(earned: &Earned, job: &Job) -> Request {
    let number = earned.sent.len();
    let part = &job.parts[number];
    let mut fields = match part.media.as_slice() {
        [] => vec![field("media_type", "TEXT")],
        [only] => file(only),
        several => {
            let first = course::items_before(number, job);
            let children = earned.items[first..first + several.len()].join(",");
            vec![field("media_type", "CAROUSEL"), field("children", &children)]
        }
    };
    if !part.text.is_empty() {
        fields.push(field("text", &part.text));
    }
    if !part.media.is_empty() && job.option(draft::SENSITIVE) == "true" {
        fields.push(field("is_spoiler_media", "true"));
    }
    match earned.sent.last() {
        Some(parent) => fields.push(field("reply_to_id", parent)),
        None => fields.extend(of_first_part(job)),
    }
    harmless(&job.site, fields)
}

/// What the options say is said of the post that the thread begins with.
fn of_first_part(job: &Job) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for (option, name) in [
        (draft::LINK, "link_attachment"),
        (draft::QUOTE, "quote_post_id"),
        (draft::REPLY_CONTROL, "reply_control"),
        (draft::TOPIC_TAG, "topic_tag"),
    ] {
        if !job.option(option).is_empty() {
            fields.push(field(name, job.option(option)));
        }
    }
    if !job.option(draft::POLL).is_empty() {
        let names = ["option_a", "option_b", "option_c", "option_d"];
        let choices = job.option(draft::POLL).lines().map(|choice| json!(choice.trim()));
        let poll: serde_json::Map<String, Value> =
            names.into_iter().map(str::to_owned).zip(choices).collect();
        fields.push(field("poll_attachment", &Value::Object(poll).to_string()));
    }
    fields
}

fn file(media: &JobMedia) -> Vec<(String, String)> {
    let mut fields = match media.kind {
        MediaKind::Image | MediaKind::Gif | MediaKind::Document => {
            vec![field("media_type", "IMAGE"), field("image_url", &media.url)]
        }
        MediaKind::Video => vec![field("media_type", "VIDEO"), field("video_url", &media.url)],
    };
    if !media.alt.is_empty() {
        fields.push(field("alt_text", &media.alt));
    }
    fields
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn harmless(site: &Site, fields: Vec<(String, String)>) -> Request {
    Request::post(site.url(GRAPH, "/v1.0/me/threads"), Body::Form(fields), Repeat::Harmless)
}

pub(super) fn status(container: &str, site: &Site) -> Request {
    let path = format!("/v1.0/{container}?fields=id,status,error_message");
    Request::get(site.url(GRAPH, &path))
}

pub(super) fn publication(container: &str, site: &Site) -> Request {
    Request::post(
        site.url(GRAPH, "/v1.0/me/threads_publish"),
        Body::Form(vec![field("creation_id", container)]),
        Repeat::Probed { settle: SETTLE },
    )
}

pub(super) fn address(id: &str, site: &Site) -> Request {
    Request::get(site.url(GRAPH, &format!("/v1.0/{id}?fields=id,permalink")))
}

/// Some of Meta's answers have ids as numbers, beyond what a floating point number holds.
pub(super) fn id(reply: &Reply) -> Result<String, Refusal> {
    match reply.body.get("id").and_then(Value::as_u64) {
        Some(number) => Ok(number.to_string()),
        None => reply.text("/id"),
    }
}

/// Whether all parts may still be published today. What cannot be read forbids nothing: Threads
/// keeps the limit itself.
pub(super) fn room(parts: usize, reply: &Reply) -> Result<(), Refusal> {
    let limits = &reply.body["data"][0];
    let replies = u64::try_from(parts.saturating_sub(1)).unwrap_or(u64::MAX);
    for (name, usage, config, wanted) in [
        ("posts", "quota_usage", "config", 1),
        ("replies", "reply_quota_usage", "reply_config", replies),
    ] {
        let (Some(used), Some(total)) =
            (limits[usage].as_u64(), limits[config]["quota_total"].as_u64())
        else {
            continue;
        };
        if wanted > 0 && used.saturating_add(wanted) > total {
            let until = Some(reply.at.after(QUOTA_AGAIN));
            let words = format!(
                "Threads allows {total} {name} by programs in 24 hours, and {used} are used; this \
                 needs {wanted}"
            );
            let kind = RefusalKind::Throttled { until, scope: PaceScope::Account };
            return Err(Refusal::new(kind, "quota", words));
        }
    }
    Ok(())
}

/// Reads a container's status, after it was asked for `polls` times before.
pub(super) fn progress(reply: &Reply, polls: u32) -> Result<Status, Refusal> {
    let message = reply.body["error_message"].as_str().unwrap_or("Threads does not say why");
    match reply.text("/status")?.as_str() {
        "FINISHED" => Ok(Status::Ready),
        "PUBLISHED" => Ok(Status::Published),
        "IN_PROGRESS" if polls < POLLS_MAX => Ok(Status::Wait(wait(polls))),
        "IN_PROGRESS" => Err(unusable(RefusalKind::Media, "it was not ready in time")),
        "EXPIRED" => Err(unusable(RefusalKind::Media, "its container has expired")),
        // `INVALID_BIT_RATE` and the like are of the file itself, and will be of it again.
        "ERROR" if message.starts_with("INVALID_") => Err(unusable(RefusalKind::Rejected, message)),
        "ERROR" => Err(unusable(RefusalKind::Media, message)),
        _ => Err(reply.unreadable("/status")),
    }
}

fn unusable(kind: RefusalKind, reason: &str) -> Refusal {
    let words = format!("Threads could not prepare the post: {reason}");
    Refusal::new(kind, "container_failed", words)
}

/// 5 s, growing to 30 s. "Once per minute, for no more than 5 minutes" is what the page advises;
/// images are ready within seconds, long videos need more.
pub(super) fn wait(polls: u32) -> Duration {
    Duration::from_secs(5 * (u64::from(polls.min(5)) + 1))
}
