//! Posts: create, look up, list, delete.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        ledger::{Face, LedgerEntry, LedgerMedia},
        people::Person,
        text::attention,
    },
};

use super::{
    Answer, Books, Call, EPOCH, Reply, X,
    draft::{Draft, Poll},
    forbidden, invalid,
    media::Stage,
    words,
};

/// X does not say how long it remembers a text; a day is the careful reading.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct Post {
    pub(super) account: usize,
    /// As stored: short links, escaped. Of a long post, its beginning.
    pub(super) text: String,
    /// All of a long post.
    note: Option<String>,
    urls: Vec<Value>,
    media: Vec<u64>,
    /// With an id of its own.
    pub(super) poll: Option<(u64, Poll)>,
    pub(super) reply_to: Option<u64>,
    pub(super) quotes: Option<u64>,
    pub(super) retweets: Option<u64>,
    pub(super) community: Option<u64>,
    repliers: Option<String>,
    is_paid: bool,
    conversation: u64,
    /// The first version of this post; itself, unless it was edited.
    pub(super) first: u64,
    pub(super) at: Timestamp,
    pub(super) deleted: bool,
}

impl Post {
    pub(super) fn new(account: usize, text: String, id: u64, at: Timestamp) -> Post {
        Post {
            account,
            text,
            note: None,
            urls: Vec::new(),
            media: Vec::new(),
            poll: None,
            reply_to: None,
            quotes: None,
            retweets: None,
            community: None,
            repliers: None,
            is_paid: false,
            conversation: id,
            first: id,
            at,
            deleted: false,
        }
    }
}

/// What every entry of this platform has alike.
pub(super) fn entry(
    call: &Call,
    person: &Person,
    id: u64,
    text: String,
    face: Face,
) -> LedgerEntry {
    LedgerEntry {
        sequence: 0,
        at: call.now,
        platform: Platform::X,
        account: person.id.clone(),
        handle: person.handle.clone(),
        id: id.to_string(),
        url: format!("{}/{}/status/{id}", call.base, person.handle),
        text,
        media: Vec::new(),
        reply_to: None,
        idempotency_key: None,
        deleted_at: None,
        face,
    }
}

impl X {
    pub(super) fn create(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let body = call.json().filter(Value::is_object);
        let body = body.ok_or_else(|| invalid("Requests body is not a JSON object", &json!({})))?;
        let mut draft = self.draft(call, account, &body)?;
        if let Some(previous) = draft.edits {
            self.editable(previous, account, &draft, call.now)?;
            // A new version stays where the old one stood.
            draft.reply_to = self.posts.get(&previous).and_then(|post| post.reply_to);
        }
        let said = (account, draft.text.clone(), draft.reply_to);
        if draft.media.is_empty() && self.is_duplicate(&said, call.now) {
            let text = "You are not allowed to create a Tweet with duplicate content.";
            return Err(forbidden(text));
        }
        let id = books.chance.snowflake(call.now, EPOCH, 22);
        let post = self.stored(call, account, id, &mut draft, books);
        let text = post.text.clone();
        match draft.edits {
            Some(previous) => self.supersede(call, previous, id, draft, books),
            None => {
                let person = self.people.get(account);
                let mut made = entry(call, person, id, draft.text, draft.face);
                made.media = self.shown_media(&draft.media);
                made.reply_to = draft.reply_to.map(|id| id.to_string());
                books.ledger.record(made);
            }
        }
        let versions = self.version_names(id, &post);
        self.said.insert(said, id);
        self.timelines.entry(account).or_default().push(id);
        self.posts.insert(id, post);
        let data =
            json!({ "id": id.to_string(), "text": text, "edit_history_tweet_ids": versions });
        Ok(Answer::json(201, &json!({ "data": data })))
    }

    /// The post as it will be kept; the draft learns how its text is shown.
    fn stored(
        &self,
        call: &Call,
        account: usize,
        id: u64,
        draft: &mut Draft,
        books: &mut Books,
    ) -> Post {
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
        draft.face.pieces = stored.pieces;
        let is_long = words::weight(&draft.text) > words::WEIGHT_MAX;
        let answered = draft.reply_to.and_then(|id| self.posts.get(&id));
        let previous = draft.edits.and_then(|id| self.posts.get(&id));
        let mut post = Post::new(account, stored.text, id, call.now);
        if is_long {
            let beginning = words::beginning(&post.text);
            post.note = Some(std::mem::replace(&mut post.text, beginning));
        }
        Post {
            urls: stored.urls,
            media: draft.media.clone(),
            poll: draft
                .poll
                .clone()
                .map(|poll| (books.chance.snowflake(call.now, EPOCH, 22), poll)),
            reply_to: draft.reply_to,
            quotes: draft.quotes,
            community: draft.community,
            repliers: draft.repliers.clone(),
            is_paid: draft.is_paid,
            conversation: previous.or(answered).map_or(id, |other| other.conversation),
            first: previous.map_or(id, |other| other.first),
            ..post
        }
    }

    fn version_names(&self, id: u64, post: &Post) -> Vec<String> {
        self.versions(id, post).iter().map(u64::to_string).collect()
    }

    fn is_duplicate(&self, said: &(usize, String, Option<u64>), now: Timestamp) -> bool {
        let earlier = self.said.get(said).and_then(|id| self.posts.get(id));
        earlier.is_some_and(|post| !post.deleted && post.at.elapsed(now) < DUPLICATE_WINDOW)
    }

    pub(super) fn shown_media(&self, chosen: &[u64]) -> Vec<LedgerMedia> {
        let media = chosen.iter().filter_map(|id| {
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
        media.collect()
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
        let owner = self.posts.get(&number).map(|post| post.account);
        if owner.is_some_and(|owner| owner != account) {
            return Err(forbidden("You are not authorized to delete this Tweet."));
        }
        self.remove(number, call.now, books);
        Ok(Answer::json(200, &json!({ "data": { "deleted": true } })))
    }

    /// Deleting one version of a post deletes all of them.
    pub(super) fn remove(&mut self, id: u64, now: Timestamp, books: &mut Books) {
        let Some(post) = self.posts.get(&id) else { return };
        for version in self.versions(id, post) {
            if let Some(post) = self.posts.get_mut(&version) {
                post.deleted = true;
            }
        }
        books.ledger.mark_deleted(Platform::X, &id.to_string(), now);
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
        let excludes = |wanted: &str| exclude.split(',').any(|kind| kind == wanted);
        let wanted = |id: &u64| {
            let Some(post) = self.posts.get(id).filter(|post| !post.deleted) else {
                return false;
            };
            start.is_none_or(|start| post.at >= start)
                && end.is_none_or(|end| post.at < end)
                && number("since_id").is_none_or(|least| *id > least)
                && number("until_id").is_none_or(|most| *id < most)
                && number("pagination_token").is_none_or(|most| *id < most)
                && !(excludes("replies") && post.reply_to.is_some())
                && !(excludes("retweets") && post.retweets.is_some())
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
        let asked = |wanted: &str| expansions.split(',').any(|name| name == wanted);
        let posts = || ids.iter().filter_map(|id| self.posts.get(id));
        let media: Vec<Value> = posts()
            .flat_map(|post| &post.media)
            .filter_map(|id| Some(self.media.get(id)?.object(call, *id)))
            .collect();
        if asked("attachments.media_keys") && !media.is_empty() {
            body["includes"]["media"] = json!(media);
        }
        let polls = posts().filter_map(|post| Some(poll_json(post, call.now, post.poll.as_ref()?)));
        let polls: Vec<Value> = polls.collect();
        if asked("attachments.poll_ids") && !polls.is_empty() {
            body["includes"]["polls"] = json!(polls);
        }
    }

    /// Only what is asked for is told, as X does.
    fn post_json(&self, call: &Call, id: u64, post: &Post) -> Value {
        let mut body = json!({ "id": id.to_string(), "text": post.text,
            "edit_history_tweet_ids": self.version_names(id, post) });
        let asked = call.query("tweet.fields").or(call.query("post.fields"));
        for field in asked.unwrap_or_default().split(',') {
            let value = match field {
                "created_at" => json!(post.at.rfc3339()),
                "author_id" => json!(self.people.get(post.account).id),
                "conversation_id" => json!(post.conversation.to_string()),
                "referenced_tweets" => match references(post) {
                    references if references.is_empty() => continue,
                    references => json!(references),
                },
                "edit_controls" => self.edit_controls(id, post),
                "reply_settings" => json!(post.repliers.as_deref().unwrap_or("everyone")),
                "paid_partnership" => json!(post.is_paid),
                "community_id" if post.community.is_some() => {
                    json!(post.community.map(|id| id.to_string()))
                }
                "note_tweet" => match &post.note {
                    Some(note) => json!({ "text": note, "entities": { "urls": post.urls } }),
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
                "attachments" => match &post.poll {
                    Some((id, _)) => json!({ "poll_ids": [id.to_string()] }),
                    None => continue,
                },
                "entities" => match within(&post.urls, &post.text) {
                    urls if urls.is_empty() => continue,
                    urls => json!({ "urls": urls }),
                },
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

fn references(post: &Post) -> Vec<Value> {
    let kinds =
        [("retweeted", post.retweets), ("quoted", post.quotes), ("replied_to", post.reply_to)];
    let there = kinds.into_iter().filter_map(|(kind, id)| Some((kind, id?)));
    there.map(|(kind, id)| json!({ "type": kind, "id": id.to_string() })).collect()
}

/// Those that a shortened text still holds.
fn within(urls: &[Value], text: &str) -> Vec<Value> {
    let held = |url: &&Value| url["url"].as_str().is_some_and(|short| text.contains(short));
    urls.iter().filter(held).cloned().collect()
}

fn poll_json(post: &Post, now: Timestamp, (id, poll): &(u64, Poll)) -> Value {
    let end = post.at.after(Duration::from_secs(poll.minutes * 60));
    let options = poll
        .options
        .iter()
        .enumerate()
        .map(|(at, label)| json!({ "position": at + 1, "label": label, "votes": 0 }));
    json!({
        "id": id.to_string(), "options": options.collect::<Vec<_>>(),
        "duration_minutes": poll.minutes, "end_datetime": end.rfc3339(),
        "voting_status": if end > now { "open" } else { "closed" },
    })
}

fn missing(id: &str) -> Value {
    json!({
        "value": id, "resource_id": id, "resource_type": "tweet", "parameter": "id",
        "title": "Not Found Error", "detail": format!("Could not find tweet with id: [{id}]."),
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    })
}
