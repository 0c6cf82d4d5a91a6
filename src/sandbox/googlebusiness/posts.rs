//! Local posts from creation to deletion: my-business/reference/rest/v4, read 2026-11-21.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        given::Flaw,
        kept::Kept,
        ledger::{Face, LedgerEntry},
        text,
    },
};

use super::{
    Answer, Books, Call, Googlebusiness, Reply,
    content::{self, Content, NAMES, has_phone_number},
    denied, invalid, listed,
    locations::Place,
    not_found, page, refusal,
};

const PROCESSING: Duration = Duration::from_secs(12);

pub(super) struct Post {
    place: String,
    id: String,
    /// As it was sent.
    body: Value,
    created: Timestamp,
    updated: Timestamp,
    scheduled: Option<Timestamp>,
    recurs: bool,
    rejected: bool,
    image: Option<Kept>,
}

impl Post {
    fn state(&self, now: Timestamp) -> &'static str {
        let begins = self.scheduled.unwrap_or(self.updated).max(self.updated);
        if begins > now {
            return "SCHEDULED";
        }
        match begins.after(PROCESSING) <= now {
            false => "PROCESSING",
            true if self.rejected => "REJECTED",
            true if self.recurs => "RECURRING",
            true => "LIVE",
        }
    }

    fn name(&self) -> String {
        format!("{}/localPosts/{}", self.place, self.id)
    }

    fn to_json(&self, call: &Call) -> Value {
        let mut found = self.body.clone();
        let state = self.state(call.now);
        found["name"] = json!(self.name());
        found["state"] = json!(state);
        found["createTime"] = json!(self.created.rfc3339());
        found["updateTime"] = json!(self.updated.rfc3339());
        if ["LIVE", "RECURRING"].contains(&state) {
            found["searchUrl"] = json!(format!("{}/local/{}", call.base, self.id));
        }
        if let Some(image) = &self.image {
            found["media"][0]["googleUrl"] = json!(image.address(call));
        }
        found
    }
}

impl Googlebusiness {
    pub(super) fn create(&mut self, call: &Call, place: &Place, books: &mut Books) -> Reply {
        if !place.takes_posts {
            return Err(denied("This location is not eligible for local posts."));
        }
        self.count_edit(call, place)?;
        let body = call.json().ok_or_else(|| invalid(&Flaw::new("", "The body must be JSON")))?;
        let content = content::read(call, &body).map_err(|flaw| invalid(&flaw))?;
        let image = keep(&content, books)?;
        let id = books.chance.snowflake(call.now, 0, 22).to_string();
        let post = Post {
            place: place.name.clone(),
            id,
            body,
            created: call.now,
            updated: call.now,
            scheduled: content.scheduled,
            recurs: content.recurs,
            rejected: has_phone_number(&content.summary),
            image,
        };
        if content.needs_image && post.image.is_none() {
            return Err(says_nothing());
        }
        self.record(call, place.account, &post, &content, books);
        let answer = Answer::json(200, &post.to_json(call));
        self.posts.push(post);
        Ok(answer)
    }

    /// What is rejected no reader ever sees.
    fn record(
        &self,
        call: &Call,
        account: usize,
        post: &Post,
        content: &Content,
        books: &mut Books,
    ) {
        if post.rejected {
            return;
        }
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Googlebusiness,
            account: post.place.clone(),
            handle: self.door.handle(account).to_owned(),
            id: post.name(),
            url: format!("{}/local/{}", call.base, post.id),
            text: content.summary.clone(),
            face: face(content),
            media: post.image.iter().map(|image| image.for_ledger("")).collect(),
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
        });
    }

    pub(super) fn list(&self, call: &Call, place: &Place) -> Reply {
        let own = self.posts.iter().rev().filter(|post| post.place == place.name);
        let all: Vec<Value> = own.map(|post| post.to_json(call)).collect();
        let (items, next) = page(call, all, 20, 100)?;
        Ok(listed("localPosts", items, next))
    }

    fn find(&self, place: &Place, id: &str) -> Result<usize, Answer> {
        let mut posts = self.posts.iter();
        let found = posts.position(|post| post.place == place.name && post.id == id);
        found.ok_or_else(not_found)
    }

    pub(super) fn get(&self, call: &Call, place: &Place, id: &str) -> Reply {
        let found = self.find(place, id)?;
        Ok(Answer::json(200, &self.posts[found].to_json(call)))
    }

    /// What the mask names is replaced, and all of it looked at again.
    pub(super) fn patch(
        &mut self,
        call: &Call,
        place: &Place,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let found = self.find(place, id)?;
        self.count_edit(call, place)?;
        let mask = call.query("updateMask").unwrap_or_default();
        let fields: Vec<&str> = mask.split(',').map(str::trim).collect();
        if fields.iter().any(|field| !NAMES.contains(field)) {
            return Err(invalid(&Flaw::new("update_mask", "Invalid field mask provided")));
        }
        let sent = call.json().ok_or_else(|| invalid(&Flaw::new("", "The body must be JSON")))?;
        let mut body = self.posts[found].body.clone();
        for field in &fields {
            body[*field] = sent[*field].clone();
        }
        // The picture that stays is not fetched again.
        let mut judged = body.clone();
        let stays = !fields.contains(&"media");
        if stays && let Some(object) = judged.as_object_mut() {
            object.remove("media");
        }
        let content = content::read(call, &judged).map_err(|flaw| invalid(&flaw))?;
        let image = match stays {
            true => self.posts[found].image.clone(),
            false => keep(&content, books)?,
        };
        if content.needs_image && image.is_none() {
            return Err(says_nothing());
        }
        let post = &mut self.posts[found];
        post.image = image;
        post.body = body;
        (post.updated, post.scheduled) = (call.now, content.scheduled);
        (post.recurs, post.rejected) = (content.recurs, has_phone_number(&content.summary));
        let (name, ours) = (post.name(), Platform::Googlebusiness);
        let post = &self.posts[found];
        match books.ledger.find(ours, &name).is_some() {
            true => {
                let media = post.image.iter().map(|image| image.for_ledger("")).collect();
                books.ledger.replace_media(ours, &name, media);
                books.ledger.mark_edited(ours, &name, &content.summary, face(&content));
            }
            // It was rejected before.
            false => self.record(call, place.account, post, &content, books),
        }
        Ok(Answer::json(200, &post.to_json(call)))
    }

    pub(super) fn delete(
        &mut self,
        call: &Call,
        place: &Place,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let found = self.find(place, id)?;
        self.count_edit(call, place)?;
        let post = self.posts.remove(found);
        books.ledger.mark_deleted(Platform::Googlebusiness, &post.name(), call.now);
        Ok(Answer::json(200, &json!({})))
    }
}

fn says_nothing() -> Answer {
    invalid(&Flaw::new("summary", "is empty, and there is no media"))
}

fn keep(content: &Content, books: &mut Books) -> Result<Option<Kept>, Answer> {
    let Some(bytes) = content.image.clone() else { return Ok(None) };
    let kept = Kept::keep(books, vec![bytes]);
    kept.map(Some).map_err(|_| refusal(500, "INTERNAL", "the sandbox is full", None))
}

fn face(content: &Content) -> Face {
    let mut marks = content.marks.clone();
    if let Some(at) = content.scheduled {
        marks.push(format!("goes out {}", at.rfc3339()));
    }
    Face {
        pieces: text::pieces(&content.summary, &[]),
        card: content.card.clone(),
        marks,
        ..Face::default()
    }
}
