//! Comments below videos: youtube/v3/docs/commentThreads and comments, read 2026-11-21.

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        given::{Flaw, Given, characters},
        ledger::{Face, LedgerEntry},
        text,
    },
};

use super::{
    Answer, Books, Call, Reply, Youtube, body, invalid, listed, no_such_video, page_of, parts,
    refusal,
};

const COMMENT_CHARS_MAX: usize = 10_000;

pub(super) struct Comment {
    id: String,
    account: usize,
    video: String,
    text: String,
    at: Timestamp,
}

impl Youtube {
    pub(super) fn comment(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let written = parts(call, &["snippet", "id", "replies"])?;
        let given = body(call)?;
        let (video, text) = read(&given, &written)
            .map_err(|flaw| invalid("invalidCommentThreadMetadata", &flaw))?;
        fits(&text)?;
        let found = self.videos.get(&video).ok_or_else(no_such_video)?;
        if found.status.is_for_kids() {
            let text = "The video identified by the videoId parameter has disabled comments.";
            return Err(refusal(403, "commentsDisabled", text));
        }
        let id = format!("Ug{}", books.chance.word(24));
        let person = self.door.people.get(account);
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform: Platform::Youtube,
            account: person.id.clone(),
            handle: person.handle.clone(),
            id: id.clone(),
            url: format!("{}/watch?v={video}&lc={id}", call.base),
            face: face(&text),
            text: text.clone(),
            media: Vec::new(),
            reply_to: Some(video.clone()),
            idempotency_key: None,
            deleted_at: None,
        });
        let comment = Comment { id, account, video, text, at: call.now };
        let shown = self.shown(&comment);
        self.comments.push(comment);
        Ok(Answer::json(200, &shown))
    }

    /// By whoever wrote it.
    pub(super) fn change_comment(
        &mut self,
        call: &Call,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let written = parts(call, &["snippet", "id"])?;
        let given = body(call)?;
        let read = || {
            let whole = Given::of(&given, &[written.as_slice(), &["id"]].concat())?;
            let snippet = whole.needed_object("snippet", &["textOriginal"])?;
            let text = snippet.text("textOriginal")?.unwrap_or_default().to_owned();
            Ok((whole.needed("id")?, text))
        };
        let (id, text) = read().map_err(|flaw: Flaw| invalid("invalidCommentMetadata", &flaw))?;
        fits(&text)?;
        let found = self.comments.iter().position(|comment| comment.id == id);
        let found =
            found.ok_or_else(|| refusal(404, "commentNotFound", "There is no such one."))?;
        if self.comments[found].account != account {
            return Err(refusal(403, "forbidden", "The comment is somebody else's."));
        }
        books.ledger.mark_edited(Platform::Youtube, id, &text, face(&text));
        self.comments[found].text = text;
        let thread = self.shown(&self.comments[found]);
        Ok(Answer::json(200, &thread["snippet"]["topLevelComment"]))
    }

    /// Newest first.
    pub(super) fn threads(&self, call: &Call) -> Reply {
        parts(call, &["snippet", "id", "replies"])?;
        let video = call.query("videoId").unwrap_or_default();
        if !self.videos.contains_key(video) {
            return Err(no_such_video());
        }
        let found = self.comments.iter().rev().filter(|comment| comment.video == video);
        let all: Vec<Value> = found.map(|comment| self.shown(comment)).collect();
        let total = all.len();
        // "1 to 100, inclusive. The default value is 20" (docs/commentThreads/list).
        let (items, next) = page_of(call, all, 20, 100)?;
        Ok(listed("commentThreadListResponse", items, total, next))
    }

    fn shown(&self, comment: &Comment) -> Value {
        let Comment { id, account, video, text, at } = comment;
        let channel = self.channel(*account);
        json!({
            "kind": "youtube#commentThread", "etag": "sandbox", "id": id,
            "snippet": { "videoId": video, "channelId": channel, "canReply": true,
                "totalReplyCount": 0, "isPublic": true,
                "topLevelComment": { "kind": "youtube#comment", "id": id,
                    "snippet": { "videoId": video, "textOriginal": text, "textDisplay": text,
                        "authorDisplayName": format!("@{}", self.door.handle(*account)),
                        "authorChannelId": { "value": channel }, "likeCount": 0,
                        "publishedAt": at.rfc3339(), "updatedAt": at.rfc3339() } } },
        })
    }
}

fn fits(text: &str) -> Result<(), Answer> {
    if text.is_empty() {
        return Err(refusal(400, "commentTextRequired", "The comment has no text."));
    }
    if characters(text) > COMMENT_CHARS_MAX {
        return Err(refusal(400, "commentTextTooLong", "The comment is too long."));
    }
    Ok(())
}

fn face(text: &str) -> Face {
    Face { pieces: text::pieces(text, &[]), label: Some("comment"), ..Face::default() }
}

fn read(given: &Value, written: &[&str]) -> Result<(String, String), Flaw> {
    let whole = Given::of(given, written)?;
    let snippet = whole.needed_object("snippet", &["videoId", "channelId", "topLevelComment"])?;
    let comment = snippet.needed_object("topLevelComment", &["snippet"])?;
    let inner = comment.needed_object("snippet", &["textOriginal"])?;
    let text = inner.text("textOriginal")?.unwrap_or_default();
    Ok((snippet.needed("videoId")?.to_owned(), text.to_owned()))
}
