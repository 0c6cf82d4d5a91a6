//! What the account may do at this moment, which TikTok wants to be asked before each post.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-reference-query-creator-info>, as of
//! 2026-11-21.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    API, WEB,
    draft::{DISABLE_COMMENT, DISABLE_DUET, DISABLE_STITCH, PRIVACIES, PRIVACY},
    upload,
};
use crate::{
    connectors::{Body, Job, Repeat, Reply, Request, Site},
    domain::{
        delivery::Live,
        refusal::{Refusal, RefusalKind},
    },
};

/// How this post goes out: what was asked for, as far as TikTok lets the account have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manner {
    /// As TikTok calls it.
    pub(super) privacy: String,
    /// The account's name at this moment; it may have been changed since it was connected.
    pub(super) username: String,
    pub(super) disable_comment: bool,
    pub(super) disable_duet: bool,
    pub(super) disable_stitch: bool,
}

pub(super) const PUBLIC: &str = "PUBLIC_TO_EVERYONE";

pub(super) fn question(site: &Site) -> Request {
    let url = site.url(API, "/v2/post/publish/creator_info/query/");
    Request {
        headers: vec![("content-type", "application/json; charset=UTF-8".to_owned())],
        ..Request::post(url, Body::Empty, Repeat::Harmless)
    }
}

impl Manner {
    /// "The privacy_level has to match one of the privacy_level_options": what the account is not
    /// offered is refused here, rather than after an upload.
    pub(super) fn read(job: &Job, reply: &Reply) -> Result<Manner, Refusal> {
        const OPTIONS: &str = "/data/privacy_level_options";
        let data = &reply.body["data"];
        let offered = data["privacy_level_options"].as_array();
        let offered = offered.ok_or_else(|| reply.unreadable(OPTIONS))?;
        let privacy = privacy(job.option(PRIVACY), offered)?;
        if let Some(max) = data["max_video_post_duration_sec"].as_u64()
            && upload::is_video(job)
        {
            check_length(job, Duration::from_secs(max))?;
        }
        let username = data["creator_username"].as_str().filter(|name| !name.is_empty());
        let is_disabled = |option: &str, name: &str| {
            job.option(option) == "true" || data[name].as_bool() == Some(true)
        };
        Ok(Manner {
            privacy: privacy.to_owned(),
            username: username.unwrap_or(&job.author.handle).to_owned(),
            disable_comment: is_disabled(DISABLE_COMMENT, "comment_disabled"),
            disable_duet: is_disabled(DISABLE_DUET, "duet_disabled"),
            disable_stitch: is_disabled(DISABLE_STITCH, "stitch_disabled"),
        })
    }

    pub(super) fn is_public(&self) -> bool {
        self.privacy == PUBLIC
    }

    /// TikTok names a post only when it is public and has passed moderation. Until then it goes by
    /// the id of its publication, and its address is the profile's.
    pub(super) fn live(&self, post: Option<&str>, publish: &str, job: &Job) -> Live {
        let profile = job.site.url(WEB, &format!("/@{}", self.username));
        match post {
            // Of photos (unconfirmed); TikTok leads one to the other.
            Some(post) => {
                let kind = if upload::is_video(job) { "video" } else { "photo" };
                Live { id: post.to_owned(), url: format!("{profile}/{kind}/{post}") }
            }
            None => Live { id: publish.to_owned(), url: profile },
        }
    }
}

fn privacy(wanted: &str, offered: &[Value]) -> Result<&'static str, Refusal> {
    let known = PRIVACIES.iter().find(|(name, _)| *name == wanted);
    if let Some((_, level)) = known
        && offered.iter().any(|offer| offer == level)
    {
        return Ok(level);
    }
    let names = PRIVACIES.iter().filter(|(_, level)| offered.iter().any(|offer| offer == level));
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    let why = match wanted {
        "" => "the post does not say who may see it".to_owned(),
        "public" => "TikTok does not offer `public` to this account, which is private".to_owned(),
        "followers" => {
            "TikTok offers `followers` to private accounts only, and this one is public".to_owned()
        }
        wanted => format!("TikTok does not offer `{wanted}` to this account"),
    };
    let words = format!("{why}; `privacy` can now be {}", names.join(", "));
    Err(Refusal::new(RefusalKind::Rejected, "privacy_level_option_mismatch", words))
}

fn check_length(job: &Job, max: Duration) -> Result<(), Refusal> {
    let length = job.parts[0].media.first().and_then(|film| film.length);
    match length.filter(|length| *length > max) {
        None => Ok(()),
        Some(length) => {
            let words = format!(
                "the video is {} seconds long, and TikTok allows this account {}",
                length.as_secs_f32(),
                max.as_secs()
            );
            Err(Refusal::new(RefusalKind::Rejected, "max_video_post_duration_sec", words))
        }
    }
}
