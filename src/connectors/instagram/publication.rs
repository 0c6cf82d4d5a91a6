//! What readers see: publishing a container, finding it again, the comment below it, its address.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media_publish>,
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/content_publishing_limit>
//! and <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments>,
//! as of 2026-10.

use std::time::Duration;

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::{WEB, container::Shape, graph, limits};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request, Site, meta},
    domain::{
        account::Identity,
        delivery::Live,
        platform::{FORMAT, PaceScope},
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// A container is read twice, so far apart, before its word that it is unpublished counts.
const SETTLE: Duration = Duration::from_secs(60);

/// A comment shows in its list within seconds.
const COMMENT_SETTLE: Duration = Duration::from_secs(30);

/// When an account that has used up its posts is asked about again.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Instagram's clock may be behind ours by so much, and it counts in whole seconds.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(120);

pub(super) fn allowance(job: &Job) -> Request {
    let path =
        format!("/{}/content_publishing_limit?fields=quota_usage,config", job.author.remote_id);
    Request::get(graph(&job.site, &path))
}

/// `Some`: the account has published all that it may "in a 24 hour moving period". What cannot be
/// read says nothing.
pub(super) fn used_up(reply: &Reply) -> Option<Refusal> {
    let number = |pointer| reply.body.pointer(pointer).and_then(Value::as_u64);
    let used = number("/data/0/quota_usage")?;
    let total = number("/data/0/config/quota_total").filter(|&total| total > 0)?;
    (used >= total).then(|| {
        let until = Some(reply.at.after(HOUR));
        let words = format!(
            "the account has published {used} of the {total} posts that Instagram allows it in 24 \
             hours"
        );
        let kind = RefusalKind::Throttled { until, scope: PaceScope::Account };
        Refusal::new(kind, "content_publishing_limit", words)
    })
}

pub(super) fn publish(container: &str, job: &Job) -> Request {
    let url = graph(&job.site, &format!("/{}/media_publish", job.author.remote_id));
    let body = Body::Json(json!({ "creation_id": container }));
    Request::post(url, body, Repeat::Probed { settle: SETTLE })
}

/// The account's newest, stories in a list of their own.
pub(super) fn listing(job: &Job) -> Request {
    let (list, fields) = match job.option(FORMAT) == limits::STORY {
        true => ("stories", "id,media_type,permalink,timestamp"),
        false => ("media", "id,caption,media_type,media_product_type,permalink,timestamp"),
    };
    let path = format!("/{}/{list}?fields={fields}&limit=25", job.author.remote_id);
    Request::get(graph(&job.site, &path))
}

/// The post that a container became, which was first about to be published at `since`. That it is
/// out is known; if two could be it, neither is taken: a comment below the wrong one could be read
/// by everybody.
pub(super) fn find(job: &Job, since: Timestamp, reply: &Reply) -> Option<String> {
    let start = since.before(CLOCKS_APART_MAX);
    let is_story = job.option(FORMAT) == limits::STORY;
    let is_ours = |post: &&Value| {
        let published = post["timestamp"].as_str().and_then(instant);
        let caption = post["caption"].as_str().unwrap_or_default();
        published.is_some_and(|published| published >= start)
            && post["media_type"] == Shape::media_type(job)
            && (is_story || plain(caption) == plain(&job.parts[0].text))
    };
    let mut ours = reply.body["data"].as_array()?.iter().filter(is_ours);
    match (ours.next(), ours.next()) {
        (Some(only), None) => only["id"].as_str().map(str::to_owned),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Meta writes `2026-11-21T09:00:00+0000`, without the colon that RFC 3339 asks for.
fn instant(text: &str) -> Option<Timestamp> {
    match text.strip_suffix("+0000") {
        Some(utc) => Timestamp::parse(&format!("{utc}Z")),
        None => Timestamp::parse(text),
    }
}

/// Composed letters and single spaces: whatever else Instagram may change in a text, that it may.
fn plain(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without `fields`: with them Meta answers with error 20/1772107, "although the comment was
/// created".
pub(super) fn comment(post: &str, job: &Job) -> Request {
    let url = graph(&job.site, &format!("/{post}/comments"));
    let body = Body::Json(json!({ "message": job.parts[1].text }));
    Request::post(url, body, Repeat::Probed { settle: COMMENT_SETTLE })
}

pub(super) fn comments(post: &str, site: &Site) -> Request {
    let path = format!("/{post}/comments?fields=id,text,username,from,timestamp&limit=50");
    Request::get(graph(site, &path))
}

#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// The id of the comment.
    Found(String),
    Absent,
    Unsure(String),
}

/// Whether our comment is below the post. An equal text from who knows whom counts as ours: then
/// at most a comment is left out, where the other error would show one twice.
pub(super) fn seen(text: &str, author: &Identity, reply: &Reply) -> Seen {
    let comments = match (meta::is_success(reply), &reply.body["data"]) {
        (true, Value::Array(comments)) => comments,
        (true | false, _) => {
            let words = format!("the comments could not be read (HTTP {})", reply.status);
            return Seen::Unsure(words);
        }
    };
    let alike =
        comments.iter().filter(|it| plain(it["text"].as_str().unwrap_or("")) == plain(text));
    let (ours, others): (Vec<&Value>, Vec<&Value>) = alike.partition(|it| may_be_by(author, it));
    let id = |comment: &Value| comment["id"].as_str().map(str::to_owned);
    match (ours.first(), others.first()) {
        (Some(ours), _) => match id(ours) {
            Some(id) => Seen::Found(id),
            None => Seen::Unsure("a comment like ours has no id in the list".to_owned()),
        },
        (None, Some(other)) => Seen::Unsure(format!(
            "the comment {} says the same, and seems to be somebody else's",
            id(other).unwrap_or_default()
        )),
        (None, None) if reply.body["paging"]["next"].is_string() => {
            Seen::Unsure("there are more comments than one look shows".to_owned())
        }
        (None, None) => Seen::Absent,
    }
}

fn may_be_by(author: &Identity, comment: &Value) -> bool {
    let names = [&comment["username"], &comment["from"]["username"]];
    let mut names = names.into_iter().filter_map(Value::as_str).peekable();
    comment["from"]["id"] == *author.remote_id
        || names.peek().is_none()
        || names.any(|name| name.eq_ignore_ascii_case(&author.handle))
}

pub(super) fn address(post: &str, site: &Site) -> Request {
    Request::get(graph(site, &format!("/{post}?fields=permalink")))
}

/// Marks the id of a container where that of the post is not known.
pub(super) const CONTAINER: &str = "container:";

/// What readers can see.
pub(super) enum Published<'a> {
    /// It is out, but Instagram did not say as what.
    Unfound(&'a str),
    Found {
        post: &'a str,
        comment: Option<&'a str>,
    },
}

impl Published<'_> {
    /// Before the address is known, the profile stands for it: a post's id is not part of it.
    pub(super) fn live(&self, job: &Job) -> Vec<Live> {
        self.live_at(None, job)
    }

    /// A comment has no address of its own.
    pub(super) fn live_at(&self, permalink: Option<&str>, job: &Job) -> Vec<Live> {
        let profile = || job.site.url(WEB, &format!("/{}/", job.author.handle));
        let url = permalink.map_or_else(profile, str::to_owned);
        let live = |id: String| Live { id, url: url.clone() };
        match *self {
            Published::Unfound(container) => vec![live(format!("{CONTAINER}{container}"))],
            Published::Found { post, comment } => {
                let ids = std::iter::once(post).chain(comment);
                ids.map(|id| live(id.to_owned())).collect()
            }
        }
    }
}
