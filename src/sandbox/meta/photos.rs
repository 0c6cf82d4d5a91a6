//! Photos: published at once, or staged for a post or a story.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/page/photos>, read 2026-11-21.

use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::shelf};

use super::{
    Answer, Books, Call, Meta, Node, Reply,
    asset::{Asset, fetched},
    new_id,
    parameters::Parameters,
    posts::{Draft, Form, Item, Visibility, check_message, visibility},
    refusal::{invalid, missing_object, refuse},
    stamp,
};

/// "JPEG, BMP, PNG, GIF, TIFF; up to 10 MB".
const TYPES: [&str; 5] = ["image/jpeg", "image/bmp", "image/png", "image/gif", "image/tiff"];
const BYTES_MAX: usize = 10 * 1024 * 1024;
const ALT_CHARS_MAX: usize = 1_000;

pub(super) struct Photo {
    pub(super) page: usize,
    pub(super) id: String,
    pub(super) asset: Asset,
    pub(super) alt: String,
    caption: String,
    at: Timestamp,
    /// `None` while it is only staged.
    pub(super) post: Option<usize>,
    pub(super) deleted: bool,
}

impl Meta {
    pub(super) fn create_photo(&mut self, call: &Call, page: usize, books: &mut Books) -> Reply {
        let known = [
            "url",
            "source",
            "message",
            "caption",
            "alt_text_custom",
            "published",
            "temporary",
            "no_story",
            "targeting",
            "feed_targeting",
            "place",
        ];
        let parameters = Parameters::read(call, &known)?;
        let caption = match parameters.has("message") {
            true => parameters.words("message")?,
            false => parameters.words("caption")?,
        };
        check_message(&caption)?;
        let alt = parameters.words("alt_text_custom")?;
        if alt.chars().count() > ALT_CHARS_MAX {
            return Err(invalid("Param alt_text_custom is too long"));
        }
        let visibility = visibility(&parameters)?;
        let temporary = parameters.flag("temporary")?.unwrap_or(false);
        if temporary && visibility == Visibility::Public {
            return Err(invalid("temporary needs published to be false"));
        }
        parameters.flag("no_story")?;
        parameters.object("targeting")?;
        parameters.object("feed_targeting")?;
        let asset = self.photo_asset(call, &parameters, books)?;
        let photo = self.add_photo(call, page, (asset, alt, caption.clone()), books);
        let id = self.photos[photo].id.clone();
        if visibility == Visibility::Hidden {
            return Ok(Answer::json(200, &json!({ "id": id })));
        }
        let attached = vec![Item::Photo(photo)];
        let draft = Draft { message: caption, link: None, attached, form: Form::Feed, visibility };
        let post = self.publish(call, page, draft, books);
        Ok(Answer::json(200, &json!({ "id": id, "post_id": self.posts[post].id })))
    }

    fn photo_asset(
        &self,
        call: &Call,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Result<Asset, Answer> {
        let bytes = match (call.file("source"), parameters.text("url")?) {
            (Some(file), None) if file.file_name.is_some() => file.bytes.clone(),
            (None, Some(url)) => fetched(call, url).map_err(|_| no_image())?,
            (Some(_), _) | (None, None) => {
                return Err(invalid("Exactly one of source (a file) and url is required"));
            }
        };
        if !TYPES.contains(&shelf::sniff(&bytes)) {
            return Err(no_image());
        }
        if bytes.len() > BYTES_MAX {
            return Err(refuse(1, 1_366_046, "(#1) Photos should be smaller than 10 MB"));
        }
        Asset::keep(books, vec![bytes])
    }

    /// Of a comment, or of the page.
    pub(super) fn add_photo(
        &mut self,
        call: &Call,
        page: usize,
        (asset, alt, caption): (Asset, String, String),
        books: &mut Books,
    ) -> usize {
        let number = self.photos.len();
        let id = new_id(&mut books.chance, call.now);
        self.nodes.insert(id.clone(), Node::Photo(number));
        let at = call.now;
        self.photos.push(Photo { page, id, asset, alt, caption, at, post: None, deleted: false });
        number
    }

    pub(super) fn create_photo_story(
        &mut self,
        call: &Call,
        page: usize,
        books: &mut Books,
    ) -> Reply {
        let parameters = Parameters::read(call, &["photo_id"])?;
        let id = parameters.id("photo_id")?;
        let Some(Node::Photo(photo)) = self.nodes.get(&id).copied() else {
            return Err(missing_object("post", &id));
        };
        let known = &self.photos[photo];
        if known.page != page || known.deleted {
            return Err(missing_object("post", &id));
        }
        if known.post.is_some() {
            return Err(refuse(100, 1_366_051, "(#100) These photos were already posted."));
        }
        let draft = Draft {
            message: String::new(),
            link: None,
            attached: vec![Item::Photo(photo)],
            form: Form::Story,
            visibility: Visibility::Public,
        };
        let post = self.publish(call, page, draft, books);
        Ok(Answer::json(200, &json!({ "success": true, "post_id": self.posts[post].id })))
    }

    pub(super) fn photo_json(&self, call: &Call, number: usize) -> Value {
        let photo = &self.photos[number];
        let page = &self.estate.pages[photo.page];
        let address = photo.asset.address(call);
        let (width, height) = photo.asset.size.unwrap_or_default();
        let own = Some(&photo.alt).filter(|alt| !alt.is_empty());
        json!({
            "id": photo.id, "created_time": stamp(photo.at), "updated_time": stamp(photo.at),
            "name": Some(&photo.caption).filter(|text| !text.is_empty()),
            "alt_text": own, "alt_text_custom": own, "width": width, "height": height,
            "images": [{ "source": address, "width": width, "height": height }],
            "source": address, "picture": address, "link": format!("{}/{}", call.base, photo.id),
            "from": { "id": page.id, "name": page.username }, "album": null,
            "page_story_id": photo.post.map(|post| &self.posts[post].id),
        })
    }

    /// The post whose only content it was goes with it.
    pub(super) fn delete_photo(&mut self, call: &Call, number: usize, books: &mut Books) {
        self.photos[number].deleted = true;
        let post = self.photos[number].post;
        match post.filter(|post| self.posts[*post].attached.len() == 1) {
            Some(post) => self.delete_post(call, post, books),
            None if post.is_none() && !self.is_in_a_comment(number) => {
                books.shelf.drop(self.photos[number].asset.shelf);
            }
            // It, or the others of its post, are still to be seen.
            None => {}
        }
    }
}

fn no_image() -> Answer {
    refuse(324, 2_069_019, "(#324) Missing or invalid image file")
}
