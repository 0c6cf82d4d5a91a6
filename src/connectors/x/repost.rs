//! Passing on somebody's post as it is.
//!
//! <https://docs.x.com/x-api/posts/repost-post>, <https://docs.x.com/x-api/posts/unrepost-post> and
//! the OpenAPI description 2.167, all as of 2026-08-22. An account passes a post on once or not at
//! all, so asking twice is asking once; readers see it all the same.

use std::time::Duration;

use serde_json::json;

use super::{API, WEB};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        refusal::{Refusal, RefusalKind},
    },
};

/// X keeps no key: that it is the same account and the same post is the key. It would hold for
/// ever, but after so long the person may have taken the repost back, and then a look decides.
const VALID_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Before the account and the post in [`Live::id`], which removal needs both.
const MARK: &str = "repost/";

pub(super) fn creation(post: &str, job: &Job) -> Request {
    let user = &job.author.remote_id;
    Request::post(
        job.site.url(API, &format!("/2/users/{user}/retweets")),
        Body::Json(json!({ "tweet_id": post })),
        Repeat::Keyed { key: format!("{MARK}{user}/{post}"), valid_for: VALID_FOR },
    )
}

pub(super) fn accept(post: &str, job: &Job, reply: &Reply) -> Result<Live, Refusal> {
    match reply.body["data"]["retweeted"].as_bool() {
        Some(true) => Ok(live(post, job)),
        Some(false) | None => Err(reply.unreadable("/data/retweeted")),
    }
}

/// What the older API said of a second time (327, unconfirmed of this one): it is there.
pub(super) fn is_there(refusal: &Refusal) -> bool {
    const PHRASES: &[&str] = &["already retweeted", "already reposted"];
    let words = refusal.words.to_lowercase();
    let is_said = refusal.code == "327" || PHRASES.iter().any(|phrase| words.contains(phrase));
    refusal.kind == RefusalKind::Rejected && is_said
}

/// The address is that of the original.
pub(super) fn live(post: &str, job: &Job) -> Live {
    Live {
        id: format!("{MARK}{}/{post}", job.author.remote_id),
        url: job.site.url(WEB, &format!("/i/web/status/{post}")),
    }
}

/// The request that takes down what is live: of a repost, not the original.
pub(super) fn removal(id: &str, site: &Site) -> Request {
    let path = match id.strip_prefix(MARK).and_then(|pair| pair.split_once('/')) {
        Some((user, post)) => format!("/2/users/{user}/retweets/{post}"),
        None => format!("/2/tweets/{id}"),
    };
    Request::delete(site.url(API, &path))
}
