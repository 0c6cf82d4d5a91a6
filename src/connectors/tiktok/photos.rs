//! A post of photos, and how it is found again among the account's public posts.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-reference-photo-post> and
//! <https://developers.tiktok.com/doc/tiktok-api-v2-video-list>, as of 2026-11-21.
//!
//! Invariants:
//! - *found* is said of one post that says the same, made since we sent it;
//! - *absent* is never said: TikTok lists a post once it has looked at it, which "may take hours",
//!   and does not say whether it lists photos at all;
//! - whatever else was posted since, and what nobody can list, is a person's to judge.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    API, Step,
    creator::Manner,
    draft::{AUTO_ADD_MUSIC, BRAND_CONTENT, BRAND_ORGANIC, TITLE},
    refusal,
    upload::number,
};
use crate::{
    connectors::{Body, Job, Next, Repeat, Reply, Request, Sighting},
    domain::time::Timestamp,
};

/// TikTok fetches the photos first, and looks at them before it lists them: "normally within one
/// minute". Then a look can find it, and later ones keep the account waiting.
const SETTLE: Duration = Duration::from_secs(2 * 60);

/// The most that a page holds.
const COUNT: usize = 20;

/// TikTok's clock may be behind ours by so much.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(60);

/// Times are in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// Of a listed title; the rest is cut off.
const TITLE_CHARS_MAX: usize = 150;

pub(super) fn creation(manner: &Manner, job: &Job) -> Request {
    let part = &job.parts[0];
    let is_set = |option: &str| job.option(option) == "true";
    let mut post = json!({
        "privacy_level": manner.privacy,
        "disable_comment": manner.disable_comment,
        "brand_content_toggle": is_set(BRAND_CONTENT),
        "brand_organic_toggle": is_set(BRAND_ORGANIC),
    });
    for (name, value) in [("title", job.option(TITLE)), ("description", part.text.as_str())] {
        if !value.is_empty() {
            post[name] = json!(value);
        }
    }
    if !job.option(AUTO_ADD_MUSIC).is_empty() {
        post["auto_add_music"] = json!(is_set(AUTO_ADD_MUSIC));
    }
    let photos: Vec<&str> = part.media.iter().map(|photo| photo.url.as_str()).collect();
    let body = json!({
        "post_info": post,
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": photos,
        },
        "post_mode": "DIRECT_POST",
        "media_type": "PHOTO",
    });
    // Where no look can tell, there is nothing to wait for.
    let settle = if manner.is_public() { SETTLE } else { Duration::ZERO };
    let url = job.site.url(API, "/v2/post/publish/content/init/");
    Request::post(url, Body::Json(body), Repeat::Probed { settle })
}

pub(super) fn look(job: &Job) -> Request {
    let path = "/v2/video/list/?fields=id,create_time,title,video_description";
    let body = Body::Json(json!({ "max_count": COUNT }));
    Request::post(job.site.url(API, path), body, Repeat::Harmless)
}

pub(super) fn recognise(manner: &Manner, job: &Job, reply: &Reply) -> Sighting<Step> {
    if !manner.is_public() {
        return Sighting::Unsure(
            "TikTok lists only public posts, and this one is not for everybody".to_owned(),
        );
    }
    let refused = refusal::of_reply(reply);
    let Some(posts) = reply.body["data"]["videos"].as_array().filter(|_| refused.is_none()) else {
        let words = format!("the account's posts could not be listed (HTTP {})", reply.status);
        return Sighting::Unsure(words);
    };
    let since = job.armed.unwrap_or(job.due);
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for post in posts {
        let (Some(id), Some(made)) = (number(&post["id"]), number(&post["create_time"])) else {
            return Sighting::Unsure("a post in the list has no id or no time".to_owned());
        };
        let made = Timestamp(made.saturating_mul(1_000));
        if made < since.before(CLOCKS_APART_MAX) {
            // Newest first.
            break;
        } else if job.is_taken(&id.to_string()) {
            continue;
        } else if says_the_same(job, post) && made >= since.before(ROUNDING) {
            ours.push(id.to_string());
        } else {
            others.push(id);
        }
    }
    match (ours.as_slice(), others.first()) {
        ([only], _) => Sighting::Found(Next::Done(vec![manner.live(Some(only), "", job)])),
        ([first, ..], _) => Sighting::Unsure(format!(
            "{} posts of that moment say the same as this one; the newest is {first}",
            ours.len()
        )),
        ([], Some(other)) => Sighting::Unsure(format!(
            "the post {other} was made at about that moment, and may be this one"
        )),
        ([], None) => Sighting::Unsure(
            "TikTok lists no such post, which proves nothing: it may still be looking at it"
                .to_owned(),
        ),
    }
}

/// A listing has a title and a description, and does not say which of ours became which. A post
/// without words is like any other.
fn says_the_same(job: &Job, post: &Value) -> bool {
    let listed = ["title", "video_description"].map(|name| as_meant(post[name].as_str()));
    let (title, text) = (as_meant(Some(job.option(TITLE))), as_meant(Some(&job.parts[0].text)));
    let both = as_meant(Some(&format!("{title} {text}")));
    let is_it = |wanted: &String| {
        let cut: String = wanted.chars().take(TITLE_CHARS_MAX).collect();
        !wanted.is_empty() && (listed.contains(wanted) || listed[0] == cut.trim_end())
    };
    // With a text, an equal title alone may be another post of a series.
    match text.is_empty() {
        true => is_it(&title),
        false => is_it(&text) || is_it(&both),
    }
}

fn as_meant(text: Option<&str>) -> String {
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
