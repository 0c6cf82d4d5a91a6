//! Changing the text of a post that readers see already.
//!
//! <https://docs.x.com/x-api/posts/edit-post>, <https://docs.x.com/x-api/fundamentals/edit-posts>
//! and the OpenAPI description 2.167, all as of 2026-08-22: Premium accounts, within the hour, five
//! times. Each change is a post of its own, which has to say anew all that the one before said.
//!
//! Invariants:
//! - the newest version is read before anything is changed, and one that says the text already is
//!   left alone: asking twice is asking once;
//! - a post is changed only if what was read says everything that the new version has to say anew.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    API,
    draft::{EVERYONE, PAID_PARTNERSHIP, REPLIERS, REPLY_SETTINGS},
    errand::Errand,
    post, refusal,
    timeline::{either, says},
};
use crate::{
    connectors::{Body, Outcome, Progress, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

/// What the first of the posts is to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    posts: Vec<String>,
    text: String,
}

/// - `Read → Read` at most once, from the version that we know to the newest;
/// - `Read → Write`, or done when it says so already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    Read(Version),
    Write { marks: Value },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    Known,
    Newest,
}

/// `None` where there is no text that could change.
pub(super) fn begin(live: &[Live], index: usize, text: &str) -> Option<Errand> {
    // What answers another post would have to say so anew, and X's pages do not say how.
    let is_ours = live.first().is_some_and(|first| first.id.parse::<u64>().is_ok());
    let posts = live.iter().map(|live| live.id.clone()).collect();
    let edit = Edit { posts, text: text.to_owned() };
    (index == 0 && is_ours).then_some(Errand::Edit { edit, stage: Stage::Read(Version::Known) })
}

impl Edit {
    fn ended(&self, site: &Site) -> Progress<Errand> {
        Progress::Done(Outcome::Edited(post::live(&self.posts, site)))
    }

    pub(super) fn request(&self, stage: &Stage, site: &Site) -> Request {
        match stage {
            Stage::Read(_) => Request::get(site.url(
                API,
                &format!(
                    "/2/tweets/{}?tweet.fields=text,note_tweet,entities,attachments,\
                     referenced_tweets,community_id,reply_settings,paid_partnership,edit_controls,\
                     edit_history_tweet_ids",
                    self.posts[0]
                ),
            )),
            Stage::Write { marks } => {
                let mut body = marks.clone();
                body["text"] = json!(self.text);
                body["edit_options"] = json!({ "previous_post_id": self.posts[0] });
                // Once more would be the same text again, and is not done: it is read before.
                Request::post(site.url(API, "/2/tweets"), Body::Json(body), Repeat::Harmless)
            }
        }
    }

    pub(super) fn accept(
        mut self,
        stage: &Stage,
        site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        match (stage, reply.status) {
            (Stage::Read(version), 200) => self.after_reading(*version, site, reply),
            (Stage::Write { .. }, 201) => {
                self.posts[0] = reply.text("/data/id")?;
                Ok(self.ended(site))
            }
            (Stage::Read(_) | Stage::Write { .. }, _) => Err(refusal::of_reply(reply)),
        }
    }

    fn after_reading(
        mut self,
        version: Version,
        site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        let read = &reply.body["data"];
        if !read.is_object() {
            return Err(refused("gone", "the post is not there any more"));
        }
        let versions = either(read, "edit_history_tweet_ids", "edit_history_post_ids");
        let versions = versions.as_array().map_or(&[][..], Vec::as_slice);
        let Some(newest) = versions.last().and_then(Value::as_str) else {
            return Err(reply.unreadable("/data/edit_history_tweet_ids"));
        };
        match version {
            Version::Known if newest != self.posts[0] => {
                newest.clone_into(&mut self.posts[0]);
                let stage = Stage::Read(Version::Newest);
                return Ok(Progress::Go(Errand::Edit { edit: self, stage }));
            }
            Version::Known | Version::Newest => {}
        }
        if says(read, &self.text) {
            return Ok(self.ended(site));
        }
        let marks = marks(read, reply.date().unwrap_or(reply.at))?;
        Ok(Progress::Go(Errand::Edit { edit: self, stage: Stage::Write { marks } }))
    }
}

/// What the next version has to say anew, or why there can be none.
fn marks(read: &Value, now: Timestamp) -> Result<Value, Refusal> {
    let controls = &read["edit_controls"];
    let until = controls["editable_until"].as_str().and_then(Timestamp::parse);
    let has = |name: &str, other: &str| !either(read, name, other).is_null();
    let obstacle = if controls["is_edit_eligible"] != true {
        Some("X lets Premium accounts change posts, and not polls, answers or posts in communities")
    } else if controls["edits_remaining"] == 0 {
        Some("X lets a post be changed five times, and this one was")
    } else if until.is_none_or(|until| until <= now) {
        Some("X lets a post be changed within its first hour, and that is over")
    } else if has("attachments", "attachments") {
        Some("the post has files, and X does not say what becomes of them when the text changes")
    } else if has("referenced_tweets", "referenced_posts") || has("community_id", "community_id") {
        Some(
            "the post quotes or answers another one, or is in a community, and a change could \
              lose that",
        )
    } else {
        None
    };
    if let Some(words) = obstacle {
        return Err(refused("not_editable", words));
    }
    let mut marks = json!({});
    match read[REPLY_SETTINGS].as_str() {
        Some(EVERYONE) | None => {}
        Some(repliers) if REPLIERS.contains(&repliers) => marks[REPLY_SETTINGS] = json!(repliers),
        Some(_) => {
            let words = "who may answer the post cannot be said anew, so a change could lose it";
            return Err(refused("not_editable", words));
        }
    }
    if read[PAID_PARTNERSHIP] == true {
        marks[PAID_PARTNERSHIP] = json!(true);
    }
    Ok(marks)
}

fn refused(code: &str, words: &str) -> Refusal {
    Refusal::new(RefusalKind::Rejected, code, words)
}
