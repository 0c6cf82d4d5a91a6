//! Finding a post among those of its location.
//!
//! <https://developers.google.com/my-business/reference/rest/v4/accounts.locations.localPosts/list>,
//! as of 2026. Newest first, a hundred a page.

use std::time::Duration;

use serde_json::Value;

use super::{Step, check, post};
use crate::{
    connectors::{Job, Next, Reply, Request, Sighting},
    domain::time::Timestamp,
};

/// How far Google's clock may be behind ours.
const SKEW: Duration = Duration::from_secs(10);

pub(super) fn look(job: &Job) -> Request {
    Request::get(format!("{}?pageSize=100", post::posts(job)))
}

/// The post that is ours. A location without any post is answered with `{}`, which
/// proves nothing: then a person is asked.
pub(super) fn search(job: &Job, reply: &Reply) -> Sighting<Step> {
    let Some(posts) = reply.body["localPosts"].as_array().filter(|_| reply.is_success()) else {
        let status = reply.status;
        return Sighting::Unsure(format!("Google listed no posts (HTTP {status})"));
    };
    let since = job.armed.unwrap_or(job.due);
    let (mut ours, mut near) = (Vec::new(), None);
    let mut reaches_back = reply.body["nextPageToken"].is_null();
    for post in posts {
        let created = post["createTime"].as_str().and_then(Timestamp::parse);
        let (Some(name), Some(created)) = (post["name"].as_str(), created) else {
            return Sighting::Unsure("a post is listed without its name or time".to_owned());
        };
        if created < since.before(SKEW) {
            reaches_back = true;
            continue;
        }
        if job.is_taken(name) {
            continue;
        }
        if is_same(post, job) {
            ours.push(name);
        } else if created >= since {
            near = Some(name);
        }
    }
    match ours.as_slice() {
        [only] => {
            let name = (*only).to_owned();
            return Sighting::Found(Next::Go(Step::Watch { name, polls: 0 }));
        }
        [first, ..] => {
            let words = "several posts of that moment say the same as this one; the newest is";
            return Sighting::Unsure(format!("{words} {first}"));
        }
        [] => {}
    }
    match (near, reaches_back) {
        (Some(name), _) => Sighting::Unsure(format!(
            "a post was created since whose text or button is another ({name})"
        )),
        (None, true) => Sighting::Absent,
        (None, false) => {
            Sighting::Unsure("there are more posts since than one page shows".to_owned())
        }
    }
}

/// Google may move white space, and keeps no button of an offer.
fn is_same(post: &Value, job: &Job) -> bool {
    let text = |pointer: &str| post.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (written, wanted) = (text("/summary"), job.parts[0].text.as_str());
    let topic = text("/topicType");
    wanted.split_whitespace().eq(written.split_whitespace())
        && (topic.is_empty() || topic == post::topic(job))
        && text("/callToAction/url") == job.option(check::ACTION_URL)
        && text("/event/title").trim() == job.option(check::EVENT_TITLE).trim()
}
