//! What Instagram has published: the publishing itself, its quota, lists, deletion.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing>, read 2026-11-21.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{Platform, ledger::LedgerMedia, text::attention},
};

use super::{
    Answer, Books, Call, DAY, Door, Meta, Node, Public, Reply,
    asset::Asset,
    containers::{Kind, Stage, Status, no_container, not_ready},
    fields::shown,
    listing::Listed,
    new_id,
    parameters::Parameters,
    refusal::{Lasting, envelope, invalid, missing_object, refuse},
    stamp,
    tokens::{Subject, Token},
};

/// "100 posts per rolling 24 h (a carousel counts once)".
const QUOTA: usize = 100;

pub(super) struct Media {
    pub(super) profile: usize,
    pub(super) id: String,
    pub(super) shortcode: String,
    kind: Kind,
    caption: String,
    is_in_feed: bool,
    items: Vec<Item>,
    can_be_commented: bool,
    at: Timestamp,
    pub(super) deleted: bool,
}

/// A picture or a film; a carousel has several.
struct Item {
    id: String,
    asset: Asset,
    alt: String,
}

impl Media {
    fn kinds(&self) -> (&'static str, &'static str) {
        let is_film = self.items.first().is_some_and(|it| it.asset.mime.starts_with("video/"));
        match (self.kind, is_film) {
            (Kind::Reel, _) => ("VIDEO", "REELS"),
            (Kind::Carousel, _) => ("CAROUSEL_ALBUM", "FEED"),
            (Kind::Story, true) => ("VIDEO", "STORY"),
            (Kind::Story, false) => ("IMAGE", "STORY"),
            (Kind::Image | Kind::Video, true) => ("VIDEO", "FEED"),
            (Kind::Image | Kind::Video, false) => ("IMAGE", "FEED"),
        }
    }

    fn permalink(&self, base: &str, username: &str) -> String {
        match self.kind {
            Kind::Story => format!("{base}/stories/{username}/{}/", self.id),
            Kind::Reel => format!("{base}/reel/{}/", self.shortcode),
            Kind::Image | Kind::Video | Kind::Carousel => format!("{base}/p/{}/", self.shortcode),
        }
    }
}

impl Meta {
    /// Once for each container. Meta does not document what a second publish answers; here the
    /// container is gone for publishing, so whoever makes a new one without asking posts twice.
    pub(super) fn publish_container(
        &mut self,
        call: &Call,
        profile: usize,
        books: &mut Books,
    ) -> Reply {
        let parameters = Parameters::read(call, &["creation_id"])?;
        let id = parameters.id("creation_id")?;
        let Some(Node::Container(number)) = self.nodes.get(&id).copied() else {
            return Err(no_container(&id));
        };
        let container = &self.containers[number];
        if container.profile != profile || container.door != Door::of(call) {
            return Err(no_container(&id));
        }
        if container.is_child {
            return Err(invalid("The child of a carousel cannot be published by itself"));
        }
        match container.status(call.now) {
            Status::Finished => {}
            Status::InProgress => return Err(not_ready()),
            Status::Published => return Err(no_container(&id)),
            Status::Expired => {
                return Err(refuse(-2, 2_207_020, "The media has expired"));
            }
            Status::Failed(subcode) => {
                let text = "The media could not be created";
                return Err(envelope(400, -1, Some(subcode), text, Lasting::Permanent));
            }
        }
        if self.published_since(profile, call.now, DAY) >= QUOTA {
            return Err(refuse(9, 2_207_042, "You reached maximum number of posts in a day"));
        }
        let media = self.publish_media(call, number, books);
        Ok(Answer::json(200, &json!({ "id": self.media[media].id })))
    }

    fn publish_media(&mut self, call: &Call, number: usize, books: &mut Books) -> usize {
        let container = &self.containers[number];
        let mut parts = container.children.clone();
        if parts.is_empty() {
            parts.push(number);
        }
        let mut items = Vec::new();
        for part in &parts {
            let known = &mut self.containers[*part];
            known.stage = Stage::Published;
            let id = new_id(&mut books.chance, call.now);
            let asset = known.asset.clone();
            items.extend(asset.map(|asset| Item { id, asset, alt: known.alt.clone() }));
        }
        let container = &mut self.containers[number];
        container.stage = Stage::Published;
        let media = Media {
            profile: container.profile,
            id: new_id(&mut books.chance, call.now),
            shortcode: books.chance.word(11),
            kind: container.kind,
            caption: container.caption.clone(),
            is_in_feed: container.is_in_feed,
            items,
            can_be_commented: true,
            at: call.now,
            deleted: false,
        };
        let place = self.media.len();
        self.nodes.insert(media.id.clone(), Node::Media(place));
        self.tell_of_media(call, &media, books);
        self.media.push(media);
        place
    }

    fn tell_of_media(&self, call: &Call, media: &Media, books: &mut Books) {
        let profile = &self.estate.profiles[media.profile];
        let shown: Vec<LedgerMedia> =
            media.items.iter().map(|item| item.asset.for_ledger(&item.alt)).collect();
        let public = Public {
            subject: Subject::Profile(media.profile),
            account: profile.id_at(Door::of(call)).to_owned(),
            id: media.id.clone(),
            url: media.permalink(&web(call), &profile.username),
            text: media.caption.clone(),
            media: shown,
            reply_to: None,
            label: match media.kind {
                Kind::Image | Kind::Video => None,
                Kind::Reel => Some("reel"),
                Kind::Carousel => Some("carousel"),
                Kind::Story => Some("story"),
            },
            card: None,
        };
        self.record(call, books, public);
    }

    /// Deleting gives nothing back.
    fn published_since(
        &self,
        profile: usize,
        now: Timestamp,
        window: std::time::Duration,
    ) -> usize {
        let own = self.media.iter().filter(|media| media.profile == profile);
        own.filter(|media| media.at.elapsed(now) < window).count()
    }

    pub(super) fn quota(&self, call: &Call, profile: usize, asked: &Parameters) -> Reply {
        let window = match asked.instant("since")? {
            None => DAY,
            Some(since) if since <= call.now && since.elapsed(call.now) <= DAY => {
                since.elapsed(call.now)
            }
            Some(_) => return Err(invalid("since must be within the last 24 hours")),
        };
        let body = json!({ "quota_usage": self.published_since(profile, call.now, window),
            "config": { "quota_total": QUOTA, "quota_duration": DAY.as_secs() } });
        let shown = shown(call, &body, "ContentPublishingLimitResponse", "quota_usage")?;
        Ok(Answer::json(200, &json!({ "data": [shown] })))
    }

    pub(super) fn media_json(&self, call: &Call, number: usize) -> Value {
        let media = &self.media[number];
        let profile = &self.estate.profiles[media.profile];
        let (media_type, product) = media.kinds();
        let crowd = attention(number as u64, media.at.elapsed(call.now));
        let first = media.items.first();
        let address = first.map(|item| item.asset.address(call));
        let comments =
            self.comments.iter().filter(|it| it.on == Node::Media(number) && !it.deleted);
        let is_carousel = media.kind == Kind::Carousel;
        let children: Vec<Value> = media.items.iter().map(|item| item_json(call, item)).collect();
        let mut body = json!({
            "id": media.id, "caption": Some(&media.caption).filter(|text| !text.is_empty()),
            "media_type": media_type, "media_product_type": product,
            "permalink": media.permalink(&web(call), &profile.username),
            "shortcode": media.shortcode, "timestamp": stamp(media.at),
            "username": profile.username, "owner": { "id": profile.id_at(Door::of(call)) },
            "alt_text": first.map(|item| &item.alt).filter(|alt| !alt.is_empty() && !is_carousel),
            "media_url": address, "thumbnail_url": address.as_ref().filter(|_| {
                media_type == "VIDEO"
            }),
            "like_count": crowd.likes, "comments_count": comments.count(),
            "is_comment_enabled": media.can_be_commented,
            "is_shared_to_feed": (media.kind == Kind::Reel).then_some(media.is_in_feed),
            "children": is_carousel.then(|| json!({ "data": children })),
        });
        // Of views, only Facebook's door tells.
        if Door::of(call) == Door::Facebook {
            body["view_count"] = json!(crowd.views);
        }
        body
    }

    pub(super) fn children_of(&self, call: &Call, number: usize) -> Listed {
        let media = &self.media[number];
        let items = media.items.iter().filter(|_| media.kind == Kind::Carousel);
        let nodes = items.map(|item| (media.at, item_json(call, item))).collect();
        Listed { kind: "IGMedia", usual: "id", nodes }
    }

    /// Stories are only among the stories, and only for a day.
    pub(super) fn media_of(&self, call: &Call, profile: usize, edge: &str) -> Listed {
        let is_listed = |media: &Media| {
            let is_story = media.kind == Kind::Story;
            let fits = match edge {
                "stories" => is_story && media.at.elapsed(call.now) < DAY,
                _ => !is_story,
            };
            fits && media.profile == profile && !media.deleted
        };
        let newest_first = self.media.iter().enumerate().rev();
        let own = newest_first.filter(|(_, media)| is_listed(media));
        let nodes = own.map(|(number, media)| (media.at, self.media_json(call, number))).collect();
        Listed { kind: "IGMedia", usual: "id", nodes }
    }

    pub(super) fn edit_media(&mut self, call: &Call, token: &Token, number: usize) -> Reply {
        self.need_on_instagram(call, token, "manage_comments")?;
        let parameters = Parameters::read(call, &["comment_enabled"])?;
        let Some(enabled) = parameters.flag("comment_enabled")? else {
            return Err(invalid("The parameter comment_enabled is required"));
        };
        self.media[number].can_be_commented = enabled;
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    /// Through Facebook's door alone.
    pub(super) fn delete_media(
        &mut self,
        call: &Call,
        token: &Token,
        number: usize,
        books: &mut Books,
    ) -> Reply {
        let media = &mut self.media[number];
        let id = media.id.clone();
        if Door::of(call) == Door::Instagram {
            return Err(missing_object("delete", &id));
        }
        self.need_on_instagram(call, token, "manage_contents")?;
        self.media[number].deleted = true;
        books.ledger.mark_deleted(Platform::Instagram, &id, call.now);
        Ok(Answer::json(200, &json!({ "success": true, "deleted_id": id })))
    }

    pub(super) fn takes_comments(&self, number: usize) -> bool {
        self.media[number].can_be_commented
    }
}

fn item_json(call: &Call, item: &Item) -> Value {
    let is_film = item.asset.mime.starts_with("video/");
    json!({ "id": item.id, "media_type": if is_film { "VIDEO" } else { "IMAGE" },
        "media_url": item.asset.address(call), "permalink": null, "timestamp": null,
        "alt_text": Some(&item.alt).filter(|alt| !alt.is_empty()) })
}

/// Links to Instagram lead through its own door, whichever was used.
fn web(call: &Call) -> String {
    format!("{}/instagram", call.origin)
}
