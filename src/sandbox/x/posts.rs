//! Posts: create, look up, list, delete.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::{Face, LedgerEntry, LedgerMedia, Piece},
        text::attention,
    },
};

use super::{
    Answer, Books, Call, EPOCH, Reply, X, draft::Draft, forbidden, invalid, media::Stage, words,
};

/// X does not say how long it remembers a text; a day is the careful reading.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Post {
    account: usize,
    /// As stored: short links, escaped.
    text: String,
    urls: Vec<Value>,
    media: Vec<u64>,
    reply_to: Option<u64>,
    conversation: u64,
    at: Timestamp,
    pub(super) deleted: bool,
}

impl X {
    pub(super) fn create(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let body = call.json().filter(Value::is_object);
        let body = body.ok_or_else(|| invalid("Requests body is not a JSON object", &json!({})))?;
        let draft = self.draft(call, account, &body)?;
        let said = (account, draft.text.clone(), draft.reply_to);
        if draft.media.is_empty() && self.is_duplicate(&said, call.now) {
            let text = "You are not allowed to create a Tweet with duplicate content.";
            return Err(forbidden(text));
        }
        let id = books.chance.snowflake(call.now, EPOCH, 22);
        let handle = &self.people.get(account).handle;
        let tails: Vec<(String, String)> = draft
            .media
            .iter()
            .enumerate()
            .filter_map(|(at, media)| {
                let media_key = self.media.get(media)?.media_key(*media);
                let kind = if media_key.starts_with('3') { "photo" } else { "video" };
                let url = format!("https://x.com/{handle}/status/{id}/{kind}/{}", at + 1);
                Some((url, media_key))
            })
            .collect();
        let stored = words::stored(&draft.text, &tails, || books.chance.word(10));
        let answered = draft.reply_to.and_then(|id| self.posts.get(&id));
        let post = Post {
            account,
            text: stored.text,
            urls: stored.urls,
            conversation: answered.map_or(id, |post| post.conversation),
            media: draft.media.clone(),
            reply_to: draft.reply_to,
            at: call.now,
            deleted: false,
        };
        let data = json!({ "id": id.to_string(), "text": post.text,
            "edit_history_tweet_ids": [id.to_string()] });
        self.note(call, id, account, draft, stored.pieces, books);
        self.said.insert(said, id);
        self.timelines.entry(account).or_default().push(id);
        self.posts.insert(id, post);
        Ok(Answer::json(201, &json!({ "data": data })))
    }

    fn is_duplicate(&self, said: &(usize, String, Option<u64>), now: Timestamp) -> bool {
        let earlier = self.said.get(said).and_then(|id| self.posts.get(id));
        earlier.is_some_and(|post| !post.deleted && post.at.elapsed(now) < DUPLICATE_WINDOW)
    }

    fn note(
        &self,
        call: &Call,
        id: u64,
        account: usize,
        draft: Draft,
        pieces: Vec<Piece>,
        books: &mut Books,
    ) {
        let person = self.people.get(account);
        let media = draft.media.iter().filter_map(|id| {
            let media = self.media.get(id)?;
            match media.stage {
                Stage::Sending { .. } => None,
                Stage::Kept { shelf, mime, bytes, .. } => Some(LedgerMedia {
                    kind: media.kind.name(),
                    mime,
                    bytes,
                    alt: media.alt.clone(),
                    shelf,
                }),
            }
        });
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::X,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.to_string(),
            url: format!("{}/{}/status/{id}", call.base, person.handle),
            text: draft.text,
            media: media.collect(),
            reply_to: draft.reply_to.map(|id| id.to_string()),
            idempotency_key: None,
            deleted_at: None,
            face: Face { pieces, poll: draft.poll, ..Face::default() },
        });
    }

    /// Deleting what is gone already succeeds; what belongs to others does not.
    pub(super) fn delete(
        &mut self,
        call: &Call,
        id: &str,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let number = id.parse().unwrap_or_default();
        if let Some(post) = self.posts.get_mut(&number) {
            if post.account != account {
                return Err(forbidden("You are not authorized to delete this Tweet."));
            }
            post.deleted = true;
            books.ledger.mark_deleted(Platform::X, id, call.now);
        }
        Ok(Answer::json(200, &json!({ "data": { "deleted": true } })))
    }

    fn live(&self, id: &str) -> Option<(u64, &Post)> {
        let id = id.parse().ok()?;
        let post = self.posts.get(&id).filter(|post| !post.deleted)?;
        Some((id, post))
    }

    pub(super) fn single(&self, call: &Call, id: &str) -> Reply {
        // A post that is not there is a success without data, with the reason beside it.
        Ok(match self.live(id) {
            Some((id, post)) => {
                let mut body = json!({ "data": self.post_json(call, id, post) });
                self.include(call, &[id], &mut body);
                Answer::json(200, &body)
            }
            None => Answer::json(200, &json!({ "errors": [missing(id)] })),
        })
    }

    pub(super) fn several(&self, call: &Call) -> Reply {
        let ids: Vec<&str> = call.query("ids").unwrap_or_default().split(',').collect();
        if ids.len() > 100 || ids.iter().any(|id| id.parse::<u64>().is_err()) {
            let text = "The `ids` query parameter value is not valid";
            return Err(invalid(text, &json!({ "ids": ids })));
        }
        let found: Vec<(u64, &Post)> = ids.iter().filter_map(|id| self.live(id)).collect();
        let gone = ids.iter().filter(|id| self.live(id).is_none());
        let gone: Vec<Value> = gone.map(|id| missing(id)).collect();
        let mut body = json!({});
        if !found.is_empty() {
            body["data"] = found.iter().map(|(id, post)| self.post_json(call, *id, post)).collect();
            let ids: Vec<u64> = found.iter().map(|(id, _)| *id).collect();
            self.include(call, &ids, &mut body);
        }
        if !gone.is_empty() {
            body["errors"] = json!(gone);
        }
        Ok(Answer::json(200, &body))
    }

    /// An account's posts, newest first.
    pub(super) fn timeline(&self, call: &Call, id: &str) -> Reply {
        let Some(account) = self.people.by_id(id) else {
            return Ok(Answer::json(200, &json!({ "errors": [missing(id)] })));
        };
        let limit = match call.query("max_results").map(str::parse::<usize>) {
            None => 10,
            Some(Ok(limit @ 5..=100)) => limit,
            Some(_) => {
                let text = "The `max_results` query parameter value is not between 5 and 100";
                return Err(invalid(text, &json!({ "max_results": [] })));
            }
        };
        let instant = |name| match call.query(name) {
            None => Ok(None),
            Some(text) => Timestamp::parse(text).map(Some).ok_or_else(|| {
                let message = format!("Invalid '{name}': '{text}' is not a valid date-time");
                invalid(&message, &json!({ name: [text] }))
            }),
        };
        let (start, end) = (instant("start_time")?, instant("end_time")?);
        let number = |name| call.query(name).and_then(|text| text.parse::<u64>().ok());
        let exclude = call.query("exclude").unwrap_or_default();
        let no_replies = exclude.split(',').any(|kind| kind == "replies");
        let wanted = |id: &u64| {
            let Some(post) = self.posts.get(id).filter(|post| !post.deleted) else {
                return false;
            };
            start.is_none_or(|start| post.at >= start)
                && end.is_none_or(|end| post.at < end)
                && number("since_id").is_none_or(|least| *id > least)
                && number("until_id").is_none_or(|most| *id < most)
                && number("pagination_token").is_none_or(|most| *id < most)
                && !(no_replies && post.reply_to.is_some())
        };
        let ids = self.timelines.get(&account).into_iter().flatten().rev().copied();
        let chosen: Vec<u64> = ids.filter(wanted).take(limit).collect();
        Ok(Answer::json(200, &self.page_json(call, &chosen, limit)))
    }

    fn page_json(&self, call: &Call, chosen: &[u64], limit: usize) -> Value {
        let mut body = json!({ "meta": { "result_count": chosen.len() } });
        if let (Some(newest), Some(oldest)) = (chosen.first(), chosen.last()) {
            body["meta"]["newest_id"] = json!(newest.to_string());
            body["meta"]["oldest_id"] = json!(oldest.to_string());
            if chosen.len() == limit {
                body["meta"]["next_token"] = json!(oldest.to_string());
            }
            body["data"] = chosen
                .iter()
                .filter_map(|id| Some(self.post_json(call, *id, self.posts.get(id)?)))
                .collect();
        }
        self.include(call, chosen, &mut body);
        body
    }

    fn include(&self, call: &Call, ids: &[u64], body: &mut Value) {
        let expansions = call.query("expansions").unwrap_or_default();
        if !expansions.split(',').any(|name| name == "attachments.media_keys") {
            return;
        }
        let posts = ids.iter().filter_map(|id| self.posts.get(id));
        let media: Vec<Value> = posts
            .flat_map(|post| &post.media)
            .filter_map(|id| Some(self.media.get(id)?.object(call, *id)))
            .collect();
        if !media.is_empty() {
            body["includes"] = json!({ "media": media });
        }
    }

    /// Only what is asked for is told, as X does.
    fn post_json(&self, call: &Call, id: u64, post: &Post) -> Value {
        let mut body = json!({ "id": id.to_string(), "text": post.text,
            "edit_history_tweet_ids": [id.to_string()] });
        let asked = call.query("tweet.fields").or(call.query("post.fields"));
        for field in asked.unwrap_or_default().split(',') {
            let value = match field {
                "created_at" => json!(post.at.rfc3339()),
                "author_id" => json!(self.people.get(post.account).id),
                "conversation_id" => json!(post.conversation.to_string()),
                "referenced_tweets" => match post.reply_to {
                    Some(id) => json!([{ "type": "replied_to", "id": id.to_string() }]),
                    None => continue,
                },
                "in_reply_to_user_id" => match post.reply_to.and_then(|id| self.posts.get(&id)) {
                    Some(other) => json!(self.people.get(other.account).id),
                    None => continue,
                },
                "attachments" if !post.media.is_empty() => {
                    let keys = post.media.iter();
                    let keys = keys.filter_map(|id| Some(self.media.get(id)?.media_key(*id)));
                    json!({ "media_keys": keys.collect::<Vec<_>>() })
                }
                "entities" if !post.urls.is_empty() => json!({ "urls": post.urls }),
                "public_metrics" => {
                    let crowd = attention(id >> 22, post.at.elapsed(call.now));
                    json!({ "retweet_count": crowd.reposts, "reply_count": crowd.replies,
                        "like_count": crowd.likes, "quote_count": 0, "bookmark_count": 0,
                        "impression_count": crowd.views })
                }
                _ => continue,
            };
            body[field] = value;
        }
        body
    }
}

fn missing(id: &str) -> Value {
    json!({
        "value": id, "resource_id": id, "resource_type": "tweet", "parameter": "id",
        "title": "Not Found Error", "detail": format!("Could not find tweet with id: [{id}]."),
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    })
}
