//! Comments: community-management/shares/comments-api, read 2026-11-21. Their text is plain.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::{Face, LedgerEntry},
    },
};

use super::{
    Answer, Books, Call, Caller, Linkedin, Reply,
    content::{linked, only, text, too_long, wrong},
    not_found, page,
    posts::{json_object, number},
};

const TEXT_CHARS_MAX: usize = 1_250;

const WRITING: [&str; 2] = ["w_member_social_feed", "w_organization_social_feed"];
const READING: [&str; 2] = ["r_member_social_feed", "r_organization_social_feed"];

pub(super) struct Comment {
    /// The URN of the post below which it stands.
    post: String,
    actor: String,
    text: String,
    parent: Option<String>,
    at: Timestamp,
    deleted: bool,
}

impl Linkedin {
    pub(super) fn comment(
        &mut self,
        call: &Call,
        caller: Caller,
        urn: &str,
        books: &mut Books,
    ) -> Reply {
        let body = json_object(call)?;
        only(&body, "", &["actor", "object", "message", "parentComment"])?;
        let actor = text(&body, "", "actor")?;
        self.acts_as(call, caller, actor, WRITING, "socialActions/comments.CREATE")?;
        let (post_urn, post) = self.commented(urn)?;
        let object = text(&body, "", "object")?;
        if object != post_urn && object != post.activity {
            return Err(wrong("/object", "is not the entity of the path"));
        }
        let message = &body["message"];
        only(message, "/message", &["text", "attributes"])?;
        let said = text(message, "/message", "text")?;
        if said.chars().count() > TEXT_CHARS_MAX {
            return Err(too_long("text", TEXT_CHARS_MAX));
        }
        check_attributes(message, said)?;
        let parent = self.parent_comment(&body, post_urn)?;
        let (post_urn, activity) = (post_urn.to_owned(), post.activity.clone());
        let id = number(call.now, books);
        let comment = Comment {
            post: post_urn.clone(),
            actor: actor.to_owned(),
            text: said.to_owned(),
            parent: parent.map(|id| id.to_string()),
            at: call.now,
            deleted: false,
        };
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Linkedin,
            account: actor.to_owned(),
            handle: self.shown(actor),
            id: id.to_string(),
            url: format!("{}/feed/update/{post_urn}/", call.base),
            text: said.to_owned(),
            media: Vec::new(),
            reply_to: Some(comment.parent.clone().unwrap_or(post_urn)),
            idempotency_key: None,
            deleted_at: None,
            face: Face {
                pieces: linked(said),
                marks: vec!["comment".to_owned()],
                ..Face::default()
            },
        });
        let answer = comment_json(id, &activity, &comment);
        self.comments.insert(id, comment);
        Ok(Answer::json(201, &answer).with("x-restli-id", id.to_string()))
    }

    /// `urn:li:comment:(urn:li:activity:1,2)`, below the same post.
    fn parent_comment(&self, body: &Value, post: &str) -> Result<Option<u64>, Answer> {
        let Some(urn) = body["parentComment"].as_str() else {
            return Ok(None);
        };
        let id = urn.trim_end_matches(')').rsplit(',').next().and_then(|id| id.parse().ok());
        let comment = id.and_then(|id: u64| self.comments.get(&id));
        match comment.is_some_and(|comment| comment.post == post && !comment.deleted) {
            true => Ok(id),
            false => Err(not_found(&format!("Could not find entity {urn}"))),
        }
    }

    pub(super) fn comments(&self, call: &Call, caller: Caller, urn: &str) -> Reply {
        let (post_urn, post) = self.commented(urn)?;
        self.acts_as(call, caller, &post.author, READING, "socialActions/comments.GET_ALL")?;
        let below = self.comments.iter().rev();
        let below = below.filter(|(_, comment)| comment.post == post_urn && !comment.deleted);
        let rows = below.map(|(id, comment)| comment_json(*id, &post.activity, comment));
        page(call, "socialActions", rows.collect())
    }

    pub(super) fn delete_comment(
        &mut self,
        call: &Call,
        caller: Caller,
        urn: &str,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let (post_urn, _) = self.commented(urn)?;
        let post_urn = post_urn.to_owned();
        let number: u64 = id.parse().unwrap_or_default();
        let there = self.comments.get(&number).filter(|comment| comment.post == post_urn);
        let there = there.ok_or_else(|| not_found(&format!("Could not find comment {id}")))?;
        let actor = there.actor.clone();
        let named = call.query("actor").unwrap_or(&actor);
        if named != actor {
            return Err(wrong("/actor", "did not write the comment"));
        }
        self.acts_as(call, caller, &actor, WRITING, "socialActions/comments.DELETE")?;
        if let Some(comment) = self.comments.get_mut(&number) {
            comment.deleted = true;
        }
        books.ledger.mark_deleted(Platform::Linkedin, id, call.now);
        Ok(super::bare(204))
    }
}

/// Mentions: where they are in the text, and whom they mean.
fn check_attributes(message: &Value, text: &str) -> Result<(), Answer> {
    let attributes = message["attributes"].as_array().map_or(&[][..], Vec::as_slice);
    let length = text.encode_utf16().count() as u64;
    for attribute in attributes {
        only(attribute, "/message/attributes", &["start", "length", "value"])?;
        let range = attribute["start"].as_u64().zip(attribute["length"].as_u64());
        let fits = range.is_some_and(|(start, of)| of > 0 && start.saturating_add(of) <= length);
        if !fits || !attribute["value"].is_object() {
            return Err(wrong("/message/attributes", "is not within the text"));
        }
    }
    Ok(())
}

fn comment_json(id: u64, activity: &str, comment: &Comment) -> Value {
    let urn = format!("urn:li:comment:({activity},{id})");
    let stamp = json!({ "actor": comment.actor, "time": comment.at.0 });
    let mut body = json!({
        "id": id.to_string(), "$URN": urn, "commentUrn": urn, "actor": comment.actor,
        "object": activity, "message": { "text": comment.text, "attributes": [] },
        "created": stamp, "lastModified": stamp,
    });
    if let Some(parent) = &comment.parent {
        body["parentComment"] = json!(format!("urn:li:comment:({activity},{parent})"));
    }
    body
}
