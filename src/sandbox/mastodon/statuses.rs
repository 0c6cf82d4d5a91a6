//! Statuses: methods/statuses, read 2026-07-02.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        ledger::{Face, LedgerEntry, LedgerMedia},
        text::attention,
    },
};

use super::{
    Answer, Books, Call, Caller, Flavour, Mastodon, Reply, error, id_of, is_set, media::Kind,
    poll::Poll, words,
};

pub(super) use words::URL_CHARS;

/// "Idempotency keys are stored for up to 1 hour" (methods/statuses, read 2026-07-02).
const KEY_LIFE: Duration = Duration::from_secs(60 * 60);

pub(super) struct Status {
    account: usize,
    /// Of the app that posted it; only its author sees the app.
    client: String,
    text: String,
    spoiler: String,
    sensitive: bool,
    visibility: &'static str,
    language: Option<String>,
    reply_to: Option<u64>,
    media: Vec<u64>,
    poll: Option<Poll>,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    deleted: bool,
}

/// What a request wants a status to be, checked.
struct Draft {
    text: String,
    spoiler: String,
    sensitive: bool,
    media: Vec<u64>,
    poll: Option<Poll>,
}

impl Mastodon {
    pub(super) fn create(&mut self, call: &Call, caller: Caller, books: &mut Books) -> Reply {
        let key = call.header("idempotency-key").filter(|_| self.flavour == Flavour::Mastodon);
        if let Some(key) = key
            && let Some((id, at)) = self.keys.get(&(caller.account, key.to_owned()))
            && at.elapsed(call.now) < KEY_LIFE
        {
            // A repeat whose original was deleted finds nothing.
            let first = self.statuses.get(id).filter(|status| !status.deleted);
            let first = first.ok_or_else(|| error(404, "Record not found"))?;
            return Ok(Answer::json(
                200,
                &self.status_json(call, *id, first, Some(caller.account)),
            ));
        }
        let body = call.parameters();
        let reply_to = self.reply_to(&body)?;
        let draft = self.draft(call, &body, caller, None)?;
        let visibility = self.visibility(&body)?;
        if !body["scheduled_at"].is_null() {
            let text = "Validation failed: Scheduled at is not simulated by the sandbox";
            return Err(self.invalid(text));
        }
        let id = books.chance.snowflake(call.now, 0, 16);
        for media in &draft.media {
            if let Some(media) = self.media.get_mut(media) {
                media.attached = Some(id);
            }
        }
        let status = Status {
            account: caller.account,
            client: self.grants.client(caller.grant).to_owned(),
            text: draft.text,
            spoiler: draft.spoiler,
            sensitive: draft.sensitive,
            visibility,
            language: body["language"].as_str().map(str::to_owned),
            reply_to,
            media: draft.media,
            poll: draft.poll,
            created_at: call.now,
            edited_at: None,
            deleted: false,
        };
        self.record(call, id, &status, books);
        if let Some(key) = key {
            let created = (id, call.now);
            self.keys.insert((caller.account, key.to_owned()), created);
        }
        let answer = self.status_json(call, id, &status, Some(caller.account));
        self.timelines.entry(caller.account).or_default().push(id);
        self.statuses.insert(id, status);
        Ok(Answer::json(200, &answer))
    }

    /// Pixelfed remembers a key for an hour before it looks at the request, and refuses it from
    /// then on, whatever became of the first; and it publishes nothing without a picture but
    /// answers.
    pub(super) fn create_pictured(
        &mut self,
        call: &Call,
        caller: Caller,
        books: &mut Books,
    ) -> Reply {
        if let Some(key) = call.header("idempotency-key") {
            let key = (caller.account, key.to_owned());
            let seen = self.keys.get(&key);
            if seen.is_some_and(|(_, at)| at.elapsed(call.now) < KEY_LIFE) {
                return Err(error(400, "Duplicate idempotency key."));
            }
            self.keys.insert(key, (0, call.now));
        }
        let body = call.parameters();
        let has_picture = body["media_ids"].as_array().is_some_and(|ids| !ids.is_empty());
        if !has_picture && body["in_reply_to_id"].is_null() {
            return Err(error(403, "Empty statuses are not allowed"));
        }
        self.create(call, caller, books)
    }

    fn reply_to(&self, body: &Value) -> Result<Option<u64>, Answer> {
        let Some(id) = id_of(&body["in_reply_to_id"]) else {
            return Ok(None);
        };
        let known = |id: &u64| self.statuses.get(id).is_some_and(|status| !status.deleted);
        match id.parse().ok().filter(known) {
            Some(id) => Ok(Some(id)),
            None => {
                Err(error(404, "The post you are trying to reply to does not appear to exist."))
            }
        }
    }

    fn visibility(&self, body: &Value) -> Result<&'static str, Answer> {
        match body["visibility"].as_str() {
            None | Some("" | "public") => Ok("public"),
            Some("unlisted") => Ok("unlisted"),
            Some("private") => Ok("private"),
            Some("direct") if self.flavour != Flavour::Pixelfed => Ok("direct"),
            Some("local") if self.flavour == Flavour::Pleroma => Ok("local"),
            Some(_) => {
                Err(self.invalid("Validation failed: Visibility is not included in the list"))
            }
        }
    }

    /// `of` is the status that is edited: its own attachments may stay.
    fn draft(
        &self,
        call: &Call,
        body: &Value,
        caller: Caller,
        of: Option<u64>,
    ) -> Result<Draft, Answer> {
        let poll = self.poll(call, &body["poll"])?;
        let media = self.chosen_media(call, body, caller, of)?;
        if poll.is_some() && !media.is_empty() {
            return Err(self.too_many_files());
        }
        let text = body["status"].as_str().unwrap_or_default().trim_end();
        let spoiler = body["spoiler_text"].as_str().unwrap_or_default();
        if text.is_empty() && media.is_empty() {
            return Err(self.invalid("Validation failed: Text can't be blank"));
        }
        let used = match self.flavour {
            Flavour::Mastodon => words::counted(text) + words::counted(spoiler),
            Flavour::Gotosocial | Flavour::Pleroma | Flavour::Pixelfed => {
                text.chars().count() + spoiler.chars().count()
            }
        };
        let most = self.chars_max();
        if used > most {
            let text = format!("Validation failed: Text character limit of {most} exceeded");
            return Err(self.invalid(&text));
        }
        Ok(Draft {
            text: text.to_owned(),
            spoiler: spoiler.to_owned(),
            sensitive: is_set(&body["sensitive"]) || !spoiler.is_empty(),
            media,
            poll,
        })
    }

    fn chosen_media(
        &self,
        call: &Call,
        body: &Value,
        caller: Caller,
        of: Option<u64>,
    ) -> Result<Vec<u64>, Answer> {
        let empty = Vec::new();
        let wanted = body["media_ids"].as_array().unwrap_or(&empty);
        let wanted: Vec<String> = wanted.iter().filter_map(id_of).collect();
        if wanted.len() > self.attachments_max() {
            return Err(self.too_many_files());
        }
        let mut chosen = Vec::new();
        let mut missing = Vec::new();
        for text in &wanted {
            let id = text.parse().unwrap_or_default();
            match self.media.get(&id) {
                Some(media)
                    if media.account == caller.account
                        && (media.attached.is_none() || media.attached == of) =>
                {
                    chosen.push((id, media));
                }
                Some(_) | None => missing.push(text.as_str()),
            }
        }
        if !missing.is_empty() {
            let ids = missing.join(", ");
            let text = format!("Media {ids} not found or already attached to another post");
            return Err(self.invalid(&text));
        }
        let moving = |kind| matches!(kind, Kind::Video | Kind::Audio);
        if chosen.len() > 1 && chosen.iter().any(|(_, media)| moving(media.kind)) {
            let text = "Cannot attach a video to a post that already contains images";
            return Err(self.invalid(text));
        }
        if chosen.iter().any(|(_, media)| media.ready_at > call.now) {
            let text = "Cannot attach files that have not finished processing. Try again in a \
                        moment!";
            return Err(self.invalid(text));
        }
        Ok(chosen.into_iter().map(|(id, _)| id).collect())
    }

    fn too_many_files(&self) -> Answer {
        let most = self.attachments_max();
        self.invalid(&format!("Cannot attach more than {most} files"))
    }

    fn face(status: &Status) -> Face {
        Face {
            pieces: words::face(&status.text),
            warning: Some(status.spoiler.clone()).filter(|text| !text.is_empty()),
            poll: status.poll.as_ref().map_or(Vec::new(), |poll| poll.options.clone()),
            edited: status.edited_at.is_some(),
            ..Face::default()
        }
    }

    fn record(&self, call: &Call, id: u64, status: &Status, books: &mut Books) {
        let person = self.people.get(status.account);
        let media = status.media.iter().filter_map(|id| self.media.get(id));
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: self.platform(),
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.to_string(),
            url: format!("{}/@{}/{id}", call.base, person.handle),
            text: status.text.clone(),
            media: media
                .map(|media| LedgerMedia {
                    kind: media.kind.plain_name(),
                    mime: media.mime,
                    bytes: media.bytes,
                    alt: media.alt.clone(),
                    shelf: media.shelf,
                })
                .collect(),
            reply_to: status.reply_to.map(|id| id.to_string()),
            idempotency_key: call.header("idempotency-key").map(str::to_owned),
            deleted_at: None,
            face: Mastodon::face(status),
        });
    }

    fn visible(&self, id: &str, viewer: Option<usize>) -> Result<(u64, &Status), Answer> {
        let id = id.parse().unwrap_or_default();
        let status = self.statuses.get(&id).filter(|status| status.is_for(viewer));
        status.map(|status| (id, status)).ok_or_else(|| error(404, "Record not found"))
    }

    fn own(&self, id: &str, caller: Caller) -> Result<u64, Answer> {
        let (id, status) = self.visible(id, Some(caller.account))?;
        match status.account == caller.account {
            true => Ok(id),
            false => Err(error(404, "Record not found")),
        }
    }

    pub(super) fn show(&self, call: &Call, id: &str, viewer: Option<usize>) -> Reply {
        let (id, status) = self.visible(id, viewer)?;
        Ok(Answer::json(200, &self.status_json(call, id, status, viewer)))
    }

    /// Those that exist, of up to 20 asked for.
    pub(super) fn several(&self, call: &Call, viewer: Option<usize>) -> Answer {
        let asked = call.query.iter().filter(|(key, _)| key == "id[]" || key == "id");
        let found: Vec<Value> = asked
            .take(20)
            .filter_map(|(_, id)| self.visible(id, viewer).ok())
            .map(|(id, status)| self.status_json(call, id, status, viewer))
            .collect();
        Answer::json(200, &json!(found))
    }

    pub(super) fn edit(
        &mut self,
        call: &Call,
        id: &str,
        caller: Caller,
        books: &mut Books,
    ) -> Reply {
        let id = self.own(id, caller)?;
        let draft = self.draft(call, &call.parameters(), caller, Some(id))?;
        for media in &draft.media {
            if let Some(media) = self.media.get_mut(media) {
                media.attached = Some(id);
            }
        }
        if let Some(status) = self.statuses.get_mut(&id) {
            status.text = draft.text;
            status.spoiler = draft.spoiler;
            status.sensitive = draft.sensitive;
            status.media = draft.media;
            status.poll = draft.poll;
            status.edited_at = Some(call.now);
            let face = Mastodon::face(status);
            let platform = match self.flavour {
                Flavour::Mastodon => crate::sandbox::Platform::Mastodon,
                Flavour::Gotosocial => crate::sandbox::Platform::Gotosocial,
                Flavour::Pleroma => crate::sandbox::Platform::Pleroma,
                Flavour::Pixelfed => crate::sandbox::Platform::Pixelfed,
            };
            books.ledger.mark_edited(platform, &id.to_string(), &status.text, face);
        }
        self.show(call, &id.to_string(), Some(caller.account))
    }

    /// Answers with the source, so that a person can redraft.
    pub(super) fn remove(
        &mut self,
        call: &Call,
        id: &str,
        caller: Caller,
        books: &mut Books,
    ) -> Reply {
        let id = self.own(id, caller)?;
        let platform = self.platform();
        let mut answer = match self.statuses.get(&id) {
            Some(status) => self.status_json(call, id, status, Some(caller.account)),
            None => Value::Null,
        };
        if let Some(status) = self.statuses.get_mut(&id) {
            answer["text"] = json!(status.text);
            status.deleted = true;
            // Its attachments may be used again.
            for media in &status.media {
                if let Some(media) = self.media.get_mut(media) {
                    media.attached = None;
                }
            }
        }
        books.ledger.mark_deleted(platform, &id.to_string(), call.now);
        Ok(Answer::json(200, &answer))
    }

    /// An account's statuses, newest first; `min_id` pages upwards from its status.
    pub(super) fn list(&self, call: &Call, account: &str, viewer: Option<usize>) -> Reply {
        let account = self.people.by_id(account);
        let account = account.ok_or_else(|| error(404, "Record not found"))?;
        let number = |name| call.query(name).and_then(|text| text.parse::<u64>().ok());
        let limit = number("limit").unwrap_or(20).clamp(1, 40) as usize;
        let asks = |name| call.query(name).is_some_and(|text| is_set(&json!(text)));
        // Pixelfed never lists what answers another status.
        let no_replies = asks("exclude_replies") || self.flavour == Flavour::Pixelfed;
        let empty = Vec::new();
        let ids = self.timelines.get(&account).unwrap_or(&empty);
        let wanted = |id: &u64| {
            let within = number("max_id").is_none_or(|most| *id < most)
                && number("since_id").is_none_or(|least| *id > least)
                && number("min_id").is_none_or(|least| *id > least);
            within
                && self.statuses.get(id).is_some_and(|status| {
                    status.is_for(viewer)
                        && !(no_replies && status.reply_to.is_some())
                        && !(asks("only_media") && status.media.is_empty())
                })
        };
        let mut chosen: Vec<u64> = match number("min_id") {
            Some(_) => ids.iter().copied().filter(wanted).take(limit).collect(),
            None => ids.iter().rev().copied().filter(wanted).take(limit).collect(),
        };
        chosen.sort_unstable_by(|a, b| b.cmp(a));
        let found: Vec<Value> = chosen
            .iter()
            .filter_map(|id| Some(self.status_json(call, *id, self.statuses.get(id)?, viewer)))
            .collect();
        let answer = Answer::json(200, &json!(found));
        let path = format!("{}/api/v1/accounts/{}", call.base, self.people.get(account).id);
        // As the server does: a page that is not full is the last.
        let full = chosen.len() == limit;
        Ok(match (chosen.first(), chosen.last()) {
            (Some(newest), Some(oldest)) if full => answer.with(
                "link",
                format!(
                    "<{path}/statuses?max_id={oldest}>; rel=\"next\", \
                     <{path}/statuses?min_id={newest}>; rel=\"prev\""
                ),
            ),
            _ => answer,
        })
    }

    pub(super) fn permalink(&self, id: &str, books: &Books) -> Answer {
        match books.ledger.find(self.platform(), id) {
            Some(entry) => Answer::redirect(&format!("/#post-{}", entry.sequence)),
            None => error(404, "Record not found"),
        }
    }

    fn status_json(&self, call: &Call, id: u64, status: &Status, viewer: Option<usize>) -> Value {
        let person = self.people.get(status.account);
        let media: Vec<Value> = status
            .media
            .iter()
            .filter_map(|id| Some(self.media.get(id)?.to_json(call, *id)))
            .collect();
        let answered = status.reply_to.and_then(|id| self.statuses.get(&id));
        let answered = answered.map(|status| &self.people.get(status.account).id);
        let crowd = attention(id, status.created_at.elapsed(call.now));
        let mut body = json!({
            "id": id.to_string(), "created_at": status.created_at.rfc3339(),
            "edited_at": status.edited_at.map(Timestamp::rfc3339),
            "in_reply_to_id": status.reply_to.map(|id| id.to_string()),
            "in_reply_to_account_id": answered, "sensitive": status.sensitive,
            "spoiler_text": status.spoiler, "visibility": status.visibility,
            "language": status.language,
            "uri": format!("{}/users/{}/statuses/{id}", call.base, person.handle),
            "url": format!("{}/@{}/{id}", call.base, person.handle),
            "replies_count": crowd.replies, "reblogs_count": crowd.reposts,
            "favourites_count": crowd.likes, "quotes_count": 0, "reblog": null, "quote": null,
            "content": words::html(&status.text, &call.base),
            "account": self.account_json(call, status.account),
            "media_attachments": media, "mentions": [], "tags": [], "emojis": [], "card": null,
            "poll": status.poll.as_ref().map(|poll| poll.to_json(call, id)),
        });
        if viewer == Some(status.account) {
            let app = self.apps.get(&status.client);
            body["application"] =
                json!(app.map(|app| { json!({ "name": app.name, "website": app.website }) }));
            for answer_to_the_viewer in ["favourited", "reblogged", "muted", "bookmarked"] {
                body[answer_to_the_viewer] = json!(false);
            }
        }
        body
    }
}

impl Status {
    fn is_for(&self, viewer: Option<usize>) -> bool {
        let open = ["public", "unlisted"].contains(&self.visibility);
        !self.deleted && (open || viewer == Some(self.account))
    }
}
