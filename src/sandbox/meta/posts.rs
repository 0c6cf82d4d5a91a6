//! A page's posts: text, links, photos together; what they look like; edit and delete.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/page/feed>, read 2026-11-21.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::{Card, Face, LedgerMedia},
        text::{attention, http_links, pieces},
    },
};

use super::{
    Answer, Books, Call, DAY, Meta, Node, Public, Reply,
    fields::shown,
    listing::Listed,
    new_id,
    parameters::{Parameters, is_address},
    refusal::{Lasting, envelope, invalid, refuse},
    stamp,
    tokens::{Subject, Token},
};

/// "63,206 characters".
const MESSAGE_CHARS_MAX: usize = 63_206;
const PHOTOS_MAX: usize = 10;
/// Of a carousel of links.
const CHILDREN: std::ops::RangeInclusive<usize> = 2..=5;
/// "≤ ~130 characters" on a coloured background.
const COLOURED_CHARS_MAX: usize = 130;
/// Facebook does not say how long it compares; ten minutes stand for "shortly after".
const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);
/// "Allow a few seconds of read-after-write lag": lists do not know a post before.
const LAG: Duration = Duration::from_secs(2);
/// Backgrounds that exist; and one that did.
const BACKGROUNDS: [&str; 3] = ["106018623298955", "1903718606535395", "217321755510854"];
const RETIRED_BACKGROUND: &str = "433967226963128";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Feed,
    Reel,
    Story,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Visibility {
    Public,
    Hidden,
}

/// What a post holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Photo(usize),
    Video(usize),
}

pub(super) struct Post {
    pub(super) page: usize,
    /// `PAGE_POST`.
    pub(super) id: String,
    pub(super) message: String,
    link: Option<String>,
    pub(super) attached: Vec<Item>,
    pub(super) form: Form,
    pub(super) at: Timestamp,
    edited_at: Option<Timestamp>,
    visibility: Visibility,
    pub(super) deleted: bool,
}

pub(super) struct Draft {
    pub(super) message: String,
    pub(super) link: Option<String>,
    pub(super) attached: Vec<Item>,
    pub(super) form: Form,
    pub(super) visibility: Visibility,
}

impl Meta {
    pub(super) fn create_post(&mut self, call: &Call, page: usize, books: &mut Books) -> Reply {
        let known = [
            "message",
            "link",
            "published",
            "attached_media",
            "targeting",
            "feed_targeting",
            "backdated_time",
            "backdated_time_granularity",
            "place",
            "tags",
            "text_format_preset_id",
            "call_to_action",
            "child_attachments",
        ];
        let parameters = Parameters::read(call, &known)?;
        let draft = self.draft(call, page, &parameters)?;
        let said = (page, draft.message.trim().to_owned(), draft.link.clone());
        let is_plain = draft.attached.is_empty() && draft.visibility == Visibility::Public;
        if is_plain && self.was_said(&said, call.now) {
            return Err(refuse(506, 1_455_006, "(#506) Duplicate status message"));
        }
        let post = self.publish(call, page, draft, books);
        if is_plain {
            self.said.insert(said, post);
        }
        let body = self.post_json(call, post);
        Ok(Answer::json(200, &shown(call, &body, "PagePost", "id")?))
    }

    fn was_said(&self, said: &(usize, String, Option<String>), now: Timestamp) -> bool {
        let earlier = self.said.get(said).map(|post| &self.posts[*post]);
        earlier.is_some_and(|post| !post.deleted && post.at.elapsed(now) < DUPLICATE_WINDOW)
    }

    fn draft(&self, call: &Call, page: usize, asked: &Parameters) -> Result<Draft, Answer> {
        let message = asked.words("message")?;
        check_message(&message)?;
        let link = asked.text("link")?.filter(|link| !link.is_empty()).map(str::to_owned);
        if let Some(link) = &link {
            check_link(link)?;
        }
        for name in ["targeting", "feed_targeting", "call_to_action"] {
            asked.object(name)?;
        }
        if asked.has("call_to_action") && link.is_none() {
            return Err(invalid("call_to_action needs a link"));
        }
        if asked.has("child_attachments") {
            let children = asked.list("child_attachments")?;
            let leads = |child: &Value| child["link"].as_str().is_some_and(is_address);
            let fits = CHILDREN.contains(&children.len()) && children.iter().all(leads);
            if link.is_none() || !fits {
                return Err(invalid("child_attachments needs a link, and 2 to 5 with links"));
            }
        }
        if asked.instant("backdated_time")?.is_some_and(|time| time > call.now) {
            return Err(invalid("backdated_time must be in the past"));
        }
        asked.choice("backdated_time_granularity", &["year", "month", "day", "hour", "min"])?;
        if asked.has("place") {
            asked.id("place")?;
        } else if asked.has("tags") {
            return Err(invalid("tags need a place"));
        }
        asked.texts("tags")?;
        let attached = self.attached(page, asked)?;
        if !attached.is_empty() && link.is_some() {
            return Err(invalid("A post has either a link or attached_media"));
        }
        if message.trim().is_empty() && link.is_none() && attached.is_empty() {
            return Err(invalid("One of message, link or attached_media is required"));
        }
        if let Some(background) = asked.text("text_format_preset_id")? {
            let is_bare = link.is_none() && attached.is_empty();
            check_background(background, &message, is_bare)?;
        }
        let visibility = visibility(asked)?;
        Ok(Draft { message, link, attached, form: Form::Feed, visibility })
    }

    fn attached(&self, page: usize, asked: &Parameters) -> Result<Vec<Item>, Answer> {
        let mut found = Vec::new();
        for item in asked.list("attached_media")? {
            let id = item["media_fbid"].as_str().map(str::to_owned);
            let id = id.or_else(|| item["media_fbid"].as_u64().map(|id| id.to_string()));
            let node = id.as_deref().and_then(|id| self.nodes.get(id)).copied();
            let Some(Node::Photo(photo)) = node else {
                return Err(invalid("attached_media must name photos as media_fbid"));
            };
            let known = &self.photos[photo];
            if known.page != page || known.deleted || found.contains(&Item::Photo(photo)) {
                return Err(invalid("attached_media names a photo that is not there"));
            }
            if known.post.is_some() {
                return Err(refuse(100, 1_366_051, "(#100) These photos were already posted."));
            }
            found.push(Item::Photo(photo));
        }
        match found.len() > PHOTOS_MAX {
            true => Err(invalid("Too many photos in attached_media")),
            false => Ok(found),
        }
    }

    /// Makes a post of it, tells readers if it is for them, and gives its number.
    pub(super) fn publish(
        &mut self,
        call: &Call,
        page: usize,
        draft: Draft,
        books: &mut Books,
    ) -> usize {
        let number = self.posts.len();
        let own = new_id(&mut books.chance, call.now);
        let id = format!("{}_{own}", self.estate.pages[page].id);
        for item in &draft.attached {
            match item {
                Item::Photo(photo) => self.photos[*photo].post = Some(number),
                Item::Video(video) => self.videos[*video].post = Some(number),
            }
        }
        self.nodes.insert(id.clone(), Node::Post(number));
        self.posts.push(Post {
            page,
            id,
            message: draft.message,
            link: draft.link,
            attached: draft.attached,
            form: draft.form,
            at: call.now,
            edited_at: None,
            visibility: draft.visibility,
            deleted: false,
        });
        if draft.visibility == Visibility::Public {
            self.tell(call, number, books);
        }
        number
    }

    fn tell(&self, call: &Call, number: usize, books: &mut Books) {
        let post = &self.posts[number];
        let card = post.link.as_ref().map(|link| Card {
            url: link.clone(),
            title: host_of(link),
            description: String::new(),
        });
        let public = Public {
            subject: Subject::Page(post.page),
            account: self.estate.pages[post.page].id.clone(),
            id: post.id.clone(),
            url: self.post_address(call, number),
            text: post.message.clone(),
            media: self.media_in(post),
            reply_to: None,
            label: match post.form {
                Form::Feed => None,
                Form::Reel => Some("reel"),
                Form::Story => Some("story"),
            },
            card,
        };
        self.record(call, books, public);
    }

    fn media_in(&self, post: &Post) -> Vec<LedgerMedia> {
        let item = |item: &Item| match item {
            Item::Photo(photo) => {
                let photo = &self.photos[*photo];
                Some(photo.asset.for_ledger(&photo.alt))
            }
            Item::Video(video) => self.videos[*video].asset().map(|asset| asset.for_ledger("")),
        };
        post.attached.iter().filter_map(item).collect()
    }

    /// Absolute, on the web's side of this door.
    fn post_address(&self, call: &Call, number: usize) -> String {
        let post = &self.posts[number];
        match post.form {
            Form::Story => format!("{}/stories/{}", call.base, post.id),
            Form::Feed | Form::Reel => {
                let (page, own) = post.id.split_once('_').unwrap_or(("", &post.id));
                format!("{}/{page}/posts/{own}", call.base)
            }
        }
    }

    pub(super) fn post_json(&self, call: &Call, number: usize) -> Value {
        let post = &self.posts[number];
        let page = &self.estate.pages[post.page];
        let from = json!({ "id": page.id, "name": page.username });
        let comments = self
            .comments
            .iter()
            .filter(|comment| !comment.deleted && comment.on == Node::Post(number));
        let comments: Vec<Value> =
            comments.map(|comment| json!({ "id": comment.id, "message": comment.text })).collect();
        let crowd = attention(number as u64, post.at.elapsed(call.now));
        let status = match (post.attached.first(), &post.link) {
            (Some(Item::Video(_)), _) => "added_video",
            (Some(Item::Photo(_)), _) => "added_photos",
            (None, Some(_)) => "shared_story",
            (None, None) => "mobile_status_update",
        };
        let picture = self
            .media_in(post)
            .first()
            .map(|media| format!("{}/_sandbox/media/{}", call.origin, media.shelf));
        json!({
            "id": post.id, "created_time": stamp(post.at),
            "updated_time": stamp(post.edited_at.unwrap_or(post.at)),
            "message": Some(&post.message).filter(|text| !text.is_empty()),
            "permalink_url": self.post_address(call, number), "from": from,
            "is_published": post.visibility == Visibility::Public, "is_hidden": false,
            "is_expired": false, "status_type": status, "story": null, "parent_id": null,
            "full_picture": picture, "scheduled_publish_time": null,
            "attachments": self.attachments(call, number),
            "shares": Some(crowd.reposts).filter(|count| *count > 0)
                .map(|count| json!({ "count": count })),
            "comments": { "summary": { "order": "chronological",
                "total_count": comments.len(), "can_comment": true }, "data": comments },
            "reactions": { "data": [], "summary": { "total_count": crowd.likes,
                "viewer_reaction": "NONE" } },
        })
    }

    fn attachments(&self, call: &Call, number: usize) -> Value {
        let post = &self.posts[number];
        let item = |media: &str, kind: &str, id: Option<&String>, url: &str| {
            json!({ "media_type": media, "type": kind, "target": { "id": id, "url": url },
                "url": url, "title": null, "description": null, "media": null,
                "subattachments": null })
        };
        let one = |it: &Item| match it {
            Item::Photo(photo) => {
                let photo = &self.photos[*photo];
                item("photo", "photo", Some(&photo.id), &photo.asset.address(call))
            }
            Item::Video(video) => {
                let id = &self.videos[*video].id;
                item("video", "video_inline", Some(id), &format!("{}/reel/{id}/", call.base))
            }
        };
        let all: Vec<Value> = post.attached.iter().map(one).collect();
        match (all.len(), &post.link) {
            (0, None) => Value::Null,
            (0, Some(link)) => json!({ "data": [item("link", "share", None, link)] }),
            (1, _) => json!({ "data": all }),
            (2.., _) => {
                let mut album = item("album", "album", None, &self.post_address(call, number));
                album["subattachments"] = json!({ "data": all });
                json!({ "data": [album] })
            }
        }
    }

    pub(super) fn posts_of(&self, call: &Call, page: usize) -> Listed {
        let is_listed = |post: &Post| {
            post.page == page
                && !post.deleted
                && post.visibility == Visibility::Public
                && post.form != Form::Story
                && post.at.elapsed(call.now) >= LAG
        };
        let newest_first = self.posts.iter().enumerate().rev();
        let own = newest_first.filter(|(_, post)| is_listed(post));
        let nodes = own.map(|(number, post)| (post.at, self.post_json(call, number))).collect();
        Listed { kind: "PagePost", usual: "id,created_time,message", nodes }
    }

    /// Stories that are alive, or, as archived, those that were.
    pub(super) fn stories_of(
        &self,
        call: &Call,
        page: usize,
        asked: &Parameters,
    ) -> Result<Listed, Answer> {
        let statuses = asked.texts("status")?;
        let status = |post: &Post| match post.at.elapsed(call.now) < DAY {
            true => "PUBLISHED",
            false => "ARCHIVED",
        };
        if statuses.iter().any(|it| !["PUBLISHED", "ARCHIVED"].contains(&it.as_str())) {
            return Err(invalid("Param status must be one of {ARCHIVED, PUBLISHED}"));
        }
        let is_listed = |post: &Post| {
            let own = post.page == page && post.form == Form::Story && !post.deleted;
            own && (statuses.is_empty() || statuses.iter().any(|it| it == status(post)))
        };
        let newest_first = self.posts.iter().enumerate().rev();
        let own = newest_first.filter(|(_, post)| is_listed(post));
        let node = |(number, post): (usize, &Post)| {
            let (kind, media) = match post.attached.first() {
                Some(Item::Video(video)) => ("video", Some(&self.videos[*video].id)),
                Some(Item::Photo(photo)) => ("photo", Some(&self.photos[*photo].id)),
                None => ("photo", None),
            };
            let body = json!({ "post_id": post.id, "status": status(post),
                "creation_time": (post.at.0 / 1_000).to_string(), "media_type": kind,
                "media_id": media, "url": self.post_address(call, number) });
            (post.at, body)
        };
        let usual = "post_id,status,creation_time,media_type,media_id,url";
        Ok(Listed { kind: "Stories", usual, nodes: own.map(node).collect() })
    }

    pub(super) fn edit_post(
        &mut self,
        call: &Call,
        token: &Token,
        number: usize,
        books: &mut Books,
    ) -> Reply {
        self.may_post(token, self.posts[number].page)?;
        let parameters = Parameters::read(call, &["message"])?;
        let message = parameters.required("message")?.to_owned();
        check_message(&message)?;
        if self.posts[number].form == Form::Story {
            return Err(invalid("A story cannot be edited"));
        }
        self.rewrite(call, number, message, books);
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    pub(super) fn rewrite(
        &mut self,
        call: &Call,
        number: usize,
        message: String,
        books: &mut Books,
    ) {
        let post = &mut self.posts[number];
        let links = http_links(&message).into_iter();
        let links: Vec<_> = links.map(|it| (it.clone(), message[it].to_owned())).collect();
        // Only the words change.
        let known = books.ledger.find(Platform::Facebook, &post.id);
        let face = known.map(|entry| entry.face.clone()).unwrap_or_default();
        let face = Face { pieces: pieces(&message, &links), ..face };
        books.ledger.mark_edited(Platform::Facebook, &post.id, &message, face);
        post.message = message;
        post.edited_at = Some(call.now);
    }

    pub(super) fn delete_post(&mut self, call: &Call, number: usize, books: &mut Books) {
        let post = &mut self.posts[number];
        post.deleted = true;
        books.ledger.mark_deleted(Platform::Facebook, &post.id, call.now);
        for item in post.attached.clone() {
            match item {
                Item::Photo(photo) => self.photos[photo].deleted = true,
                Item::Video(video) => self.videos[video].deleted = true,
            }
        }
    }
}

pub(super) fn visibility(asked: &Parameters) -> Result<Visibility, Answer> {
    Ok(match asked.flag("published")? {
        Some(false) => Visibility::Hidden,
        Some(true) | None => Visibility::Public,
    })
}

pub(super) fn check_message(message: &str) -> Result<(), Answer> {
    match message.chars().count() > MESSAGE_CHARS_MAX {
        true => Err(invalid("Name parameter too long")),
        false => Ok(()),
    }
}

fn check_link(link: &str) -> Result<(), Answer> {
    if !is_address(link) {
        return Err(refuse(100, 2_061_006, "(#100) The url you supplied is invalid"));
    }
    let host = host_of(link);
    match host == "facebook.com" || host.ends_with(".facebook.com") {
        true => Err(refuse(100, 1_609_008, "(#100) Links to facebook.com are not allowed")),
        false => Ok(()),
    }
}

fn host_of(link: &str) -> String {
    let url = url::Url::parse(link).ok();
    url.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn check_background(background: &str, message: &str, is_bare: bool) -> Result<(), Answer> {
    if background == RETIRED_BACKGROUND {
        let message = "An unknown error occurred";
        return Err(envelope(500, 1, None, message, Lasting::Permanent));
    }
    let fits = is_bare && message.chars().count() <= COLOURED_CHARS_MAX;
    match BACKGROUNDS.contains(&background) && fits {
        true => Ok(()),
        false => Err(invalid("Param text_format_preset_id is not valid for this post")),
    }
}
