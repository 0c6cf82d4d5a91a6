//! Videos once they are there: youtube/v3/docs/videos and thumbnails, read 2026-11-21.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        Platform,
        given::Flaw,
        kept::Kept,
        ledger::{Face, LedgerEntry},
        shelf, text,
    },
};

use super::{
    Answer, Books, Call, Reply, Youtube, body, full, invalid, listed,
    metadata::{self, PARTS, Snippet, Status},
    no_such_video, parts, refusal,
};

const PROCESSING: Duration = Duration::from_secs(20);
/// 50 MB since 2026-09-14 (youtube/v3/revision_history, read 2026-11-21).
const THUMBNAIL_BYTES_MAX: usize = 50_000_000;

pub(super) struct Video {
    pub(super) account: usize,
    pub(super) snippet: Snippet,
    pub(super) status: Status,
    pub(super) published_at: Timestamp,
    verdict: Verdict,
    bytes: u64,
    thumbnail: Option<Kept>,
}

/// What processing will find.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Processed,
    Rejected(&'static str),
    Failed(&'static str),
}

impl Youtube {
    /// All bytes are there.
    pub(super) fn become_video(
        &mut self,
        call: &Call,
        session: &str,
        chunks: Vec<Bytes>,
        books: &mut Books,
    ) -> Result<String, Answer> {
        let session = self.sessions.get(session).ok_or_else(no_such_video)?;
        let (account, snippet) = (session.account, session.snippet.clone());
        let (mut status, bytes) = (session.status.clone(), session.total);
        // Projects without the compliance audit: private, and nothing is said about it.
        if self.door.grants.client(session.grant).contains("locked") {
            (status.privacy, status.publish_at) = ("private".to_owned(), None);
        }
        let is_film = chunks.first().is_some_and(|it| shelf::sniff(it).starts_with("video/"));
        let verdict = match snippet.title.to_lowercase().contains("reject") {
            _ if !is_film => Verdict::Failed("invalidFile"),
            true => Verdict::Rejected("inappropriate"),
            false => Verdict::Processed,
        };
        let id = books.chance.word(11);
        let video = Video {
            account,
            snippet,
            status,
            published_at: call.now,
            verdict,
            bytes,
            thumbnail: None,
        };
        if verdict == Verdict::Processed {
            let media = vec![Kept::keep(books, chunks).map_err(full)?.for_ledger("")];
            let person = self.door.people.get(account);
            let said = said(&video.snippet);
            books.ledger.record(LedgerEntry {
                sequence: 0,
                at: call.now,
                platform: Platform::Youtube,
                account: person.id.clone(),
                handle: person.handle.clone(),
                id: id.clone(),
                url: format!("{}/watch?v={id}", call.base),
                face: face(&said, &video.status, call.now),
                text: said,
                media,
                reply_to: None,
                idempotency_key: None,
                deleted_at: None,
            });
        }
        self.videos.insert(id.clone(), video);
        self.order.push(id.clone());
        Ok(id)
    }

    pub(super) fn resource(&self, call: &Call, id: &str, wanted: &[&str]) -> Value {
        let mut found = json!({ "kind": "youtube#video", "etag": "sandbox", "id": id });
        let Some(video) = self.videos.get(id) else { return found };
        for part in wanted {
            found[*part] = match *part {
                "snippet" => self.snippet(call, id, video),
                "status" => status(video, call.now),
                "processingDetails" => processing(video, call.now),
                "statistics" => {
                    let age = video.published_at.elapsed(call.now);
                    let crowd = text::attention(id.len() as u64 + video.bytes, age);
                    json!({ "viewCount": crowd.views.to_string(),
                        "likeCount": crowd.likes.to_string(), "favoriteCount": "0",
                        "commentCount": crowd.replies.to_string() })
                }
                "fileDetails" => json!({ "fileSize": video.bytes.to_string() }),
                _ => continue,
            };
        }
        found
    }

    fn snippet(&self, call: &Call, id: &str, video: &Video) -> Value {
        let Snippet { title, description, tags, category, language } = &video.snippet;
        let picture = video.thumbnail.as_ref().map(|kept| kept.address(call));
        let picture = picture.unwrap_or_else(|| format!("{}/vi/{id}/default.jpg", call.base));
        json!({
            "publishedAt": video.published_at.rfc3339(), "title": title,
            "description": description, "tags": tags, "categoryId": category,
            "channelId": self.channel(video.account),
            "channelTitle": self.door.handle(video.account), "defaultLanguage": language,
            "liveBroadcastContent": "none",
            "localized": { "title": title, "description": description },
            "thumbnails": { "default": { "url": picture, "width": 120, "height": 90 } },
        })
    }

    pub(super) fn list(&self, call: &Call, account: usize) -> Reply {
        let wanted = parts(call, &PARTS)?;
        let Some(ids) = call.query("id").filter(|ids| !ids.is_empty()) else {
            let text = "No filter selected. Expected one of: id, chart, myRating";
            return Err(refusal(400, "missingRequiredParameter", text));
        };
        let own_only = wanted.iter().any(|it| ["processingDetails", "fileDetails"].contains(it));
        let mut items = Vec::new();
        for id in ids.split(',') {
            let Some(video) = self.videos.get(id) else { continue };
            let own = video.account == account;
            if own_only && !own {
                return Err(refusal(403, "forbidden", "Only the owner may see these parts."));
            }
            if own || video.status.privacy(call.now) != "private" {
                items.push(self.resource(call, id, &wanted));
            }
        }
        let total = items.len();
        Ok(listed("videoListResponse", items, total, Value::Null))
    }

    /// Each part that is sent is replaced as a whole.
    pub(super) fn update(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let written = parts(call, &PARTS[..4])?;
        let given = body(call)?;
        let whole = metadata::whole(&given, &written, &["id", "kind", "etag"])?;
        let flawed = |flaw: Flaw| invalid("invalidVideoMetadata", &flaw);
        let id = whole.needed("id").map_err(flawed)?;
        let video = self.videos.get_mut(id).ok_or_else(no_such_video)?;
        if video.account != account {
            return Err(refusal(403, "forbidden", "Forbidden"));
        }
        let snippet = match written.contains(&"snippet") {
            true => Some(metadata::snippet(&whole)?),
            false => None,
        };
        if snippet.as_ref().is_some_and(|snippet| snippet.category.is_empty()) {
            let flaw = Flaw::new("snippet.categoryId", "is missing");
            return Err(invalid("invalidCategoryId", &flaw));
        }
        if written.contains(&"status") {
            let status = metadata::status(&whole)?;
            if status.publish_at.is_some() && video.status.privacy(call.now) == "public" {
                let flaw = Flaw::new("status.publishAt", "takes a video that never was public");
                return Err(invalid("invalidPublishAt", &flaw));
            }
            video.status = status;
        }
        if let Some(snippet) = snippet {
            video.snippet = snippet;
        }
        let said = said(&video.snippet);
        let face = face(&said, &video.status, call.now);
        books.ledger.mark_edited(Platform::Youtube, id, &said, face);
        Ok(Answer::json(200, &self.resource(call, id, &written)))
    }

    pub(super) fn delete(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let id = call.query("id").unwrap_or_default();
        let video = self.videos.get(id).ok_or_else(no_such_video)?;
        if video.account != account {
            return Err(refusal(403, "forbidden", "The video cannot be deleted."));
        }
        self.videos.remove(id);
        self.order.retain(|known| known != id);
        books.ledger.mark_deleted(Platform::Youtube, id, call.now);
        Ok(Answer::new(204, "text/plain", ""))
    }

    pub(super) fn thumbnail(&mut self, call: &Call, account: usize, books: &mut Books) -> Reply {
        let id = call.query("videoId").unwrap_or_default();
        let owner = self.videos.get(id).map(|video| video.account);
        if owner.is_none() {
            return Err(no_such_video());
        }
        if owner != Some(account) || self.has(account, "unverified") {
            let text = "The authenticated user doesn't have permissions to upload and set custom \
                        video thumbnails.";
            return Err(refusal(403, "forbidden", text));
        }
        if call.query("uploadType") != Some("media") {
            return Err(refusal(400, "uploadTypeInvalid", "uploadType must be media"));
        }
        let types = ["image/jpeg", "image/png"];
        if call.body.is_empty() {
            return Err(refusal(400, "mediaBodyRequired", "The request has no image."));
        }
        if !types.contains(&call.content_type()) || !types.contains(&shelf::sniff(&call.body)) {
            return Err(refusal(400, "invalidImage", "The provided image content is invalid."));
        }
        if call.body.len() > THUMBNAIL_BYTES_MAX {
            return Err(refusal(413, "uploadTooLarge", "The image is larger than 50 MB."));
        }
        let kept = Kept::keep(books, vec![call.body.clone()]).map_err(full)?;
        let url = kept.address(call);
        if let Some(video) = self.videos.get_mut(id)
            && let Some(before) = video.thumbnail.replace(kept)
        {
            books.shelf.drop(before.shelf);
        }
        let body = json!({ "kind": "youtube#thumbnailSetResponse", "etag": "sandbox",
            "items": [{ "default": { "url": url, "width": 120, "height": 90 } }] });
        Ok(Answer::json(200, &body))
    }
}

fn status(video: &Video, now: Timestamp) -> Value {
    let mut found = video.status.rest.clone();
    let done = video.published_at.after(PROCESSING) <= now;
    found["privacyStatus"] = json!(video.status.privacy(now));
    found["madeForKids"] = json!(video.status.is_for_kids());
    if let Some(at) = video.status.publish_at.filter(|at| *at > now) {
        found["publishAt"] = json!(at.rfc3339());
    }
    found["uploadStatus"] = match video.verdict {
        _ if !done => json!("uploaded"),
        Verdict::Processed => json!("processed"),
        Verdict::Rejected(reason) => {
            found["rejectionReason"] = json!(reason);
            json!("rejected")
        }
        Verdict::Failed(reason) => {
            found["failureReason"] = json!(reason);
            json!("failed")
        }
    };
    found
}

fn processing(video: &Video, now: Timestamp) -> Value {
    let status = match video.verdict {
        _ if video.published_at.after(PROCESSING) > now => "processing",
        Verdict::Processed | Verdict::Rejected(_) => "succeeded",
        Verdict::Failed(_) => "failed",
    };
    json!({ "processingStatus": status })
}

fn said(snippet: &Snippet) -> String {
    match snippet.description.as_str() {
        "" => snippet.title.clone(),
        description => format!("{}\n\n{description}", snippet.title),
    }
}

fn face(said: &str, status: &Status, now: Timestamp) -> Face {
    let links = text::http_links(said).into_iter().map(|at| (at.clone(), said[at].to_owned()));
    let links: Vec<_> = links.collect();
    Face { pieces: text::pieces(said, &links), marks: status.marks(now), ..Face::default() }
}
