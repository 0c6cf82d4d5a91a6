//! Posts: create, read, find, change, delete. By community-management/shares/posts-api, read
//! 2026-11-21.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{Platform, ledger::LedgerEntry},
};

use super::{
    Answer, Books, Call, Caller, Linkedin, Reply, bad_request, bare,
    content::{Commentary, Draft, Form, linked, only},
    input_error, not_found, page,
};

/// LinkedIn does not say how long it remembers a post; a day is the careful reading. Deleting the
/// post does not make it forget.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

const WRITING: [&str; 2] = ["w_member_social", "w_organization_social"];
/// The member's half is closed to new apps.
const READING: [&str; 2] = ["r_member_social", "r_organization_social"];

pub(super) struct Post {
    pub(super) author: String,
    /// As comments name it.
    pub(super) activity: String,
    /// The body it was created with, in which changes are noted.
    body: Value,
    created: Timestamp,
    modified: Timestamp,
    pub(super) deleted: bool,
}

impl Linkedin {
    pub(super) fn create(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let mut body = json_object(call)?;
        let draft = self.draft(call, caller, &body)?;
        let key = [&body["author"], &body["commentary"], &body["content"], &body["reshareContext"]]
            .map(Value::to_string)
            .join("\n");
        if let Some((urn, at)) = self.said.get(&key)
            && at.elapsed(call.now) < DUPLICATE_WINDOW
        {
            let text = format!("Duplicate post is detected. Content is a duplicate of {urn}");
            let description = "Duplicate post is detected";
            return Err(input_error(422, "DUPLICATE_POST", &text, description));
        }
        let number = number(call.now, books);
        let urn = match draft.form {
            Form::Share => format!("urn:li:share:{number}"),
            Form::UgcPost => format!("urn:li:ugcPost:{number}"),
        };
        body["commentary"] = json!(draft.commentary.source);
        let post = Post {
            author: draft.author.clone(),
            activity: format!("urn:li:activity:{}", self::number(call.now, books)),
            body,
            created: call.now,
            modified: call.now,
            deleted: false,
        };
        self.said.insert(key, (urn.clone(), call.now));
        self.timelines.entry(post.author.clone()).or_default().push(urn.clone());
        self.posts.insert(urn.clone(), post);
        self.note(call, &urn, draft, books);
        Ok(bare(201).with("x-restli-id", urn))
    }

    fn note(&self, call: &Call, urn: &str, draft: Draft, books: &mut Books) {
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Linkedin,
            handle: self.shown(&draft.author),
            account: draft.author,
            id: urn.to_owned(),
            url: format!("{}/feed/update/{urn}/", call.base),
            text: draft.commentary.text,
            media: draft.media,
            reply_to: None,
            idempotency_key: None,
            deleted_at: None,
            face: draft.face,
        });
    }

    fn live(&self, urn: &str) -> Result<&Post, Answer> {
        let post = self.posts.get(urn).filter(|post| !post.deleted);
        post.ok_or_else(|| not_found(&format!("Could not find entity {urn}")))
    }

    pub(super) fn single(&self, call: &Call, caller: Caller, urn: &str) -> Reply {
        let post = self.live(urn);
        // Who may not read at all does not learn what is there.
        let author = match &post {
            Ok(post) => post.author.clone(),
            Err(_) => self.person_urn(caller.account),
        };
        if post.is_ok() || !self.has(caller, READING[1]) {
            self.acts_as(call, caller, &author, READING, "posts.GET")?;
        }
        Ok(Answer::json(200, &post_json(urn, post?)))
    }

    /// `q=author`, newest first.
    pub(super) fn find(&self, call: &Call, caller: Caller) -> Reply {
        if call.header("x-restli-method") != Some("FINDER") {
            return Err(bad_request("X-RestLi-Method must be FINDER"));
        }
        let known = ["q", "author", "start", "count", "sortBy", "viewContext"];
        if let Some((unknown, _)) =
            call.query.iter().find(|(name, _)| !known.contains(&name.as_str()))
        {
            return Err(bad_request(&format!("Unexpected query parameter {unknown}")));
        }
        if call.query("q") != Some("author") {
            return Err(bad_request("q must be author"));
        }
        let author = call.query("author").unwrap_or_default();
        self.acts_as(call, caller, author, READING, "posts.FINDER-author")?;
        let urns = self.timelines.get(author).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<(&String, &Post)> = urns
            .iter()
            .rev()
            .filter_map(|urn| Some((urn, self.posts.get(urn)?)))
            .filter(|(_, post)| !post.deleted)
            .collect();
        match call.query("sortBy").unwrap_or("LAST_MODIFIED") {
            "LAST_MODIFIED" => found.sort_by_key(|(_, post)| std::cmp::Reverse(post.modified)),
            "CREATED" => {}
            _ => return Err(bad_request("sortBy must be LAST_MODIFIED or CREATED")),
        }
        page(call, "posts", found.into_iter().map(|(urn, post)| post_json(urn, post)).collect())
    }

    /// Only the words can be changed here: nothing else of a post is shown.
    pub(super) fn update(
        &mut self,
        call: &Call,
        caller: Caller,
        urn: &str,
        books: &mut Books,
    ) -> Reply {
        let author = self.live(urn)?.author.clone();
        self.acts_as(call, caller, &author, WRITING, "posts.PARTIAL_UPDATE")?;
        let body = json_object(call)?;
        only(&body, "", &["patch"])?;
        only(&body["patch"], "/patch", &["$set"])?;
        let set = &body["patch"]["$set"];
        only(set, "/patch/$set", &["commentary"])?;
        let commentary = Commentary::read(&set["commentary"])?;
        if let Some(post) = self.posts.get_mut(urn) {
            post.body["commentary"] = json!(commentary.source);
            post.modified = call.now;
        }
        if let Some(entry) = books.ledger.find(Platform::Linkedin, urn) {
            let mut face = entry.face.clone();
            face.pieces = linked(&commentary.text);
            books.ledger.mark_edited(Platform::Linkedin, urn, &commentary.text, face);
        }
        Ok(bare(204))
    }

    /// Deleting what is gone already succeeds.
    pub(super) fn delete(
        &mut self,
        call: &Call,
        caller: Caller,
        urn: &str,
        books: &mut Books,
    ) -> Reply {
        let post = self.posts.get(urn);
        let post = post.ok_or_else(|| not_found(&format!("Could not find entity {urn}")))?;
        let author = post.author.clone();
        self.acts_as(call, caller, &author, WRITING, "posts.DELETE")?;
        if let Some(post) = self.posts.get_mut(urn) {
            post.deleted = true;
        }
        books.ledger.mark_deleted(Platform::Linkedin, urn, call.now);
        Ok(bare(204))
    }

    /// A post by any of its names: share, ugcPost or activity.
    pub(super) fn commented(&self, urn: &str) -> Result<(&str, &Post), Answer> {
        let named = |(known, post): &(&String, &Post)| *known == urn || post.activity == urn;
        let found = self.posts.iter().find(named).filter(|(_, post)| !post.deleted);
        match found {
            Some((urn, post)) => Ok((urn, post)),
            None if urn.starts_with("urn:li:") => {
                Err(not_found(&format!("Could not find entity {urn}")))
            }
            None => Err(bad_request("Syntax exception in path variables")),
        }
    }
}

pub(super) fn json_object(call: &Call) -> Result<Value, Answer> {
    let body = call.json().filter(Value::is_object);
    body.ok_or_else(|| bad_request("The body is not a JSON object"))
}

/// Milliseconds in the upper 41 bits, as LinkedIn's.
pub(super) fn number(now: Timestamp, books: &mut Books) -> u64 {
    books.chance.snowflake(now, 0, 21) << 1
}

fn post_json(urn: &str, post: &Post) -> Value {
    let mut body = post.body.clone();
    body["id"] = json!(urn);
    body["createdAt"] = json!(post.created.0);
    body["publishedAt"] = json!(post.created.0);
    body["lastModifiedAt"] = json!(post.modified.0);
    body["lifecycleStateInfo"] = json!({ "isEditedByAuthor": post.modified > post.created });
    body
}
