//! Videos of a page: in one request, in pieces, as reels and as stories; and how far each is.
//!
//! <https://developers.facebook.com/docs/video-api/guides/reels-publishing>, read 2026-11-21.

use std::{ops::RangeInclusive, time::Duration};

use axum::body::Bytes;
use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{
    Answer, Books, Call, DAY, Meta, Node, Reply,
    address::version_used,
    asset::{Asset, fetched},
    film::{is_film, is_film_of},
    listing::Listed,
    new_id,
    parameters::Parameters,
    posts::{Draft, Form, Item, Visibility, check_message, visibility},
    refusal::{invalid, missing_object, refuse},
    stamp,
    tokens::Token,
};

/// From the last byte until it plays.
const PROCESSING: Duration = Duration::from_secs(8);
/// From the last byte until processing begins.
const QUEUE: Duration = Duration::from_secs(2);
/// What Facebook asks for next; real ones vary.
const CHUNK: u64 = 1024 * 1024;
/// "30 API-published reels per Page in 24 h".
const REELS_MAX: usize = 30;
/// "3–90 s via API", "3–60 s", "4 h via chunked".
const REEL_SECONDS: RangeInclusive<f64> = 3.0..=90.0;
const STORY_SECONDS: RangeInclusive<f64> = 3.0..=60.0;
const VIDEO_SECONDS: RangeInclusive<f64> = 0.0..=4.0 * 3_600.0;

pub(super) struct Video {
    pub(super) page: usize,
    pub(super) id: String,
    pub(super) form: Form,
    title: String,
    description: String,
    began: Timestamp,
    pub(super) upload: Upload,
    /// A draft and one that nobody finished have none.
    pub(super) post: Option<usize>,
    pub(super) deleted: bool,
}

/// `Receiving → Kept | Failed | Cancelled`.
pub(super) enum Upload {
    Receiving {
        total: Option<u64>,
        chunks: Vec<Bytes>,
    },
    Kept {
        asset: Asset,
        at: Timestamp,
    },
    /// What came is no video, or of the wrong length.
    Failed,
    Cancelled,
}

impl Video {
    pub(super) fn asset(&self) -> Option<&Asset> {
        match &self.upload {
            Upload::Kept { asset, .. } => Some(asset),
            Upload::Receiving { .. } | Upload::Failed | Upload::Cancelled => None,
        }
    }

    fn is_ready(&self, now: Timestamp) -> bool {
        match &self.upload {
            Upload::Kept { at, .. } => at.elapsed(now) >= PROCESSING,
            Upload::Receiving { .. } | Upload::Failed | Upload::Cancelled => false,
        }
    }

    fn received(&self) -> u64 {
        match &self.upload {
            Upload::Receiving { chunks, .. } => chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            Upload::Kept { .. } | Upload::Failed | Upload::Cancelled => 0,
        }
    }

    /// Ends the upload when all that was announced is there.
    pub(super) fn settle(&mut self, now: Timestamp, books: &mut Books) -> Result<(), Answer> {
        let received = self.received();
        if let Upload::Receiving { total: Some(total), chunks } = &mut self.upload
            && received == *total
        {
            let chunks = std::mem::take(chunks);
            let seconds = match self.form {
                Form::Reel => REEL_SECONDS,
                Form::Story => STORY_SECONDS,
                Form::Feed => VIDEO_SECONDS,
            };
            self.upload = match is_film_of(&chunks, &seconds) {
                true => Upload::Kept { asset: Asset::keep(books, chunks)?, at: now },
                false => Upload::Failed,
            };
        }
        Ok(())
    }

    fn status(&self, now: Timestamp) -> Value {
        let phase = |status: &str| json!({ "status": status });
        let (video, uploading, mut processing) = match &self.upload {
            Upload::Receiving { .. } | Upload::Cancelled if self.began.elapsed(now) >= DAY => {
                ("expired", phase("error"), phase("not_started"))
            }
            Upload::Receiving { .. } => {
                let mut uploading = phase("in_progress");
                uploading["bytes_transferred"] = json!(self.received());
                ("uploading", uploading, phase("not_started"))
            }
            Upload::Cancelled => ("error", phase("error"), phase("not_started")),
            Upload::Failed => ("error", phase("complete"), phase("error")),
            Upload::Kept { at, .. } => match at.elapsed(now) {
                waited if waited < QUEUE => {
                    ("upload_complete", phase("complete"), phase("not_started"))
                }
                waited if waited < PROCESSING => {
                    ("processing", phase("complete"), phase("in_progress"))
                }
                _ => ("ready", phase("complete"), phase("complete")),
            },
        };
        if matches!(self.upload, Upload::Failed) {
            processing["errors"] = json!([{ "code": 1_363_024,
                "message": "The video file is in a format that is not supported." }]);
        }
        let publishing = match (self.post, self.is_ready(now)) {
            (None, _) => json!({ "status": "not_started", "publish_status": "draft" }),
            (Some(_), false) => json!({ "status": "in_progress", "publish_status": "draft" }),
            (Some(_), true) => json!({ "status": "complete", "publish_status": "published" }),
        };
        json!({ "video_status": video, "uploading_phase": uploading,
            "processing_phase": processing, "publishing_phase": publishing })
    }
}

impl Meta {
    pub(super) fn create_video(&mut self, call: &Call, page: usize, books: &mut Books) -> Reply {
        let known = [
            "source",
            "file_url",
            "title",
            "description",
            "thumb",
            "published",
            "targeting",
            "feed_targeting",
            "upload_phase",
            "file_size",
            "upload_session_id",
            "start_offset",
            "video_file_chunk",
        ];
        let parameters = Parameters::read(call, &known)?;
        check_message(&parameters.words("description")?)?;
        let phases = ["start", "transfer", "finish", "cancel"];
        match parameters.choice("upload_phase", &phases)? {
            Some("start") => self.start_session(call, page, &parameters, books),
            Some("transfer") => self.transfer(call, page, &parameters, books),
            Some("finish") => self.finish_session(call, page, &parameters, books),
            Some(_) => {
                let video = self.session(page, &parameters)?;
                self.videos[video].upload = Upload::Cancelled;
                Ok(Answer::json(200, &json!({ "success": true })))
            }
            None => self.one_shot(call, page, &parameters, books),
        }
    }

    fn one_shot(
        &mut self,
        call: &Call,
        page: usize,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Reply {
        let bytes = match (call.file("source"), parameters.text("file_url")?) {
            (Some(file), None) if file.file_name.is_some() => file.bytes.clone(),
            (None, Some(url)) => fetched(call, url).map_err(|_| {
                refuse(389, 2_069_019, "(#389) Unable to fetch video file from URL.")
            })?,
            (Some(_), _) | (None, None) => {
                return Err(invalid("Exactly one of source (a file) and file_url is required"));
            }
        };
        if !is_film(&bytes) {
            return Err(unsupported());
        }
        let visibility = visibility(parameters)?;
        let asset = Asset::keep(books, vec![bytes])?;
        let video = self.add_video(call, page, Form::Feed, books);
        self.videos[video].upload = Upload::Kept { asset, at: call.now };
        self.show(call, video, parameters, visibility, books)?;
        Ok(Answer::json(200, &json!({ "id": self.videos[video].id })))
    }

    fn add_video(&mut self, call: &Call, page: usize, form: Form, books: &mut Books) -> usize {
        let number = self.videos.len();
        let id = new_id(&mut books.chance, call.now);
        self.nodes.insert(id.clone(), Node::Video(number));
        self.videos.push(Video {
            page,
            id,
            form,
            title: String::new(),
            description: String::new(),
            began: call.now,
            upload: Upload::Receiving { total: None, chunks: Vec::new() },
            post: None,
            deleted: false,
        });
        number
    }

    /// Gives it its words, and to readers if it is for them. The number of its post.
    fn show(
        &mut self,
        call: &Call,
        video: usize,
        parameters: &Parameters,
        visibility: Visibility,
        books: &mut Books,
    ) -> Result<Option<usize>, Answer> {
        let known = &mut self.videos[video];
        known.title = parameters.words("title")?;
        known.description = parameters.words("description")?;
        if visibility == Visibility::Hidden {
            return Ok(None);
        }
        let draft = Draft {
            message: known.description.clone(),
            link: None,
            attached: vec![Item::Video(video)],
            form: known.form,
            visibility,
        };
        let page = known.page;
        Ok(Some(self.publish(call, page, draft, books)))
    }

    fn start_session(
        &mut self,
        call: &Call,
        page: usize,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Reply {
        let Some(total @ 1..) = parameters.number("file_size")? else {
            return Err(invalid("The parameter file_size is required"));
        };
        let video = self.add_video(call, page, Form::Feed, books);
        let known = &mut self.videos[video];
        known.upload = Upload::Receiving { total: Some(total), chunks: Vec::new() };
        // The session is known by the id of its video.
        let body = json!({ "upload_session_id": known.id, "video_id": known.id,
            "start_offset": "0", "end_offset": total.min(CHUNK).to_string() });
        Ok(Answer::json(200, &body))
    }

    fn session(&self, page: usize, parameters: &Parameters) -> Result<usize, Answer> {
        let id = parameters.id("upload_session_id")?;
        match self.nodes.get(&id) {
            Some(Node::Video(video))
                if self.videos[*video].page == page && self.videos[*video].form == Form::Feed =>
            {
                Ok(*video)
            }
            Some(_) | None => Err(missing_object("post", &id)),
        }
    }

    fn transfer(
        &mut self,
        call: &Call,
        page: usize,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Reply {
        let video = self.session(page, parameters)?;
        let offset = parameters.number("start_offset")?;
        let Some(chunk) = call.file("video_file_chunk") else {
            return Err(invalid("The parameter video_file_chunk is required"));
        };
        let known = &mut self.videos[video];
        let at = known.received();
        let Upload::Receiving { total: Some(total), chunks } = &mut known.upload else {
            return Err(no_session());
        };
        let (total, length) = (*total, chunk.bytes.len() as u64);
        if offset != Some(at) || length == 0 || length > CHUNK.min(total - at) {
            let end = total.min(at + CHUNK);
            let text = format!("(#6001) Expected the bytes from {at} to {end}");
            return Err(refuse(6_001, 1_363_037, &text));
        }
        chunks.push(chunk.bytes.clone());
        let next = at + length;
        known.settle(call.now, books)?;
        let body = json!({ "start_offset": next.to_string(),
            "end_offset": total.min(next + CHUNK).to_string() });
        Ok(Answer::json(200, &body))
    }

    fn finish_session(
        &mut self,
        call: &Call,
        page: usize,
        parameters: &Parameters,
        books: &mut Books,
    ) -> Reply {
        let video = self.session(page, parameters)?;
        self.check_finishable(video, call.now)?;
        let visibility = visibility(parameters)?;
        self.show(call, video, parameters, visibility, books)?;
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    /// All bytes are there and are a video, and nobody has published it yet. Facebook does not
    /// document what a second finish does; that it is refused is an assumption.
    fn check_finishable(&self, video: usize, now: Timestamp) -> Result<(), Answer> {
        let video = &self.videos[video];
        match &video.upload {
            _ if video.deleted || video.post.is_some() || video.began.elapsed(now) >= DAY => {
                Err(no_session())
            }
            Upload::Kept { .. } => Ok(()),
            Upload::Failed => Err(unsupported()),
            Upload::Receiving { .. } | Upload::Cancelled => Err(no_session()),
        }
    }

    /// Reels and stories: `start`, bytes to the address that it gives, `finish`.
    pub(super) fn create_in_phases(
        &mut self,
        call: &Call,
        page: usize,
        edge: &str,
        books: &mut Books,
    ) -> Reply {
        let known = [
            "upload_phase",
            "video_id",
            "video_state",
            "title",
            "description",
            "targeting",
            "feed_targeting",
            "place",
        ];
        let parameters = Parameters::read(call, &known)?;
        let form = if edge == "video_reels" { Form::Reel } else { Form::Story };
        parameters.required("upload_phase")?;
        if parameters.choice("upload_phase", &["start", "finish"])? == Some("start") {
            let video = self.add_video(call, page, form, books);
            let id = &self.videos[video].id;
            let address = format!("{}/video-upload/{}/{id}", call.base, version_used(call));
            let body = json!({ "video_id": id, "upload_url": address });
            return Ok(Answer::json(200, &body));
        }
        let id = parameters.id("video_id")?;
        let Some(Node::Video(video)) = self.nodes.get(&id).copied() else {
            return Err(missing_object("post", &id));
        };
        if self.videos[video].page != page || self.videos[video].form != form {
            return Err(missing_object("post", &id));
        }
        let visibility = match parameters.choice("video_state", &["PUBLISHED", "DRAFT"])? {
            Some("DRAFT") => Visibility::Hidden,
            None if form == Form::Reel => {
                return Err(invalid("The parameter video_state is required"));
            }
            Some(_) | None => Visibility::Public,
        };
        check_message(&parameters.words("description")?)?;
        self.check_finishable(video, call.now)?;
        if form == Form::Reel && self.reels_today(page, call.now) >= REELS_MAX {
            let text = "(#368) The action attempted has been deemed abusive or is otherwise \
                        disallowed";
            return Err(refuse(368, 1_390_008, text));
        }
        let post = self.show(call, video, &parameters, visibility, books)?;
        let mut body = json!({ "success": true });
        // For a reel, the post's id is read from the video.
        if let Some(post) = post.filter(|_| form == Form::Story) {
            body["post_id"] = json!(self.posts[post].id);
        }
        Ok(Answer::json(200, &body))
    }

    fn reels_today(&self, page: usize, now: Timestamp) -> usize {
        let posts = self.posts.iter();
        let reels = posts.filter(|post| post.page == page && post.form == Form::Reel);
        reels.filter(|post| post.at.elapsed(now) < DAY).count()
    }

    pub(super) fn video_json(&self, call: &Call, number: usize) -> Value {
        let video = &self.videos[number];
        let page = &self.estate.pages[video.page];
        let post = video.post.filter(|_| video.is_ready(call.now));
        // Only the path: whoever links to it puts the host before it.
        let permalink = video.post.map(|_| format!("/reel/{}/", video.id));
        json!({
            "id": video.id, "status": video.status(call.now), "created_time": stamp(video.began),
            "updated_time": stamp(video.began), "permalink_url": permalink,
            "title": Some(&video.title).filter(|text| !text.is_empty()),
            "description": Some(&video.description).filter(|text| !text.is_empty()),
            "post_id": post.map(|post| &self.posts[post].id), "published": post.is_some(),
            "from": { "id": page.id, "name": page.username }, "length": null, "picture": null,
            "source": video.asset().map(|asset| asset.address(call)), "views": null,
        })
    }

    pub(super) fn videos_of(&self, call: &Call, page: usize, edge: &str) -> Listed {
        let is_listed = |video: &Video| {
            let fits = match edge {
                "video_reels" => video.form == Form::Reel,
                _ => video.form == Form::Feed,
            };
            fits && video.page == page && !video.deleted && video.post.is_some()
        };
        let newest_first = self.videos.iter().enumerate().rev();
        let own = newest_first.filter(|(_, video)| is_listed(video));
        let nodes = own.map(|(number, video)| (video.began, self.video_json(call, number)));
        Listed { kind: "Video", usual: "id,description,updated_time", nodes: nodes.collect() }
    }

    pub(super) fn edit_video(
        &mut self,
        call: &Call,
        token: &Token,
        number: usize,
        books: &mut Books,
    ) -> Reply {
        self.may_post(token, self.videos[number].page)?;
        let parameters = Parameters::read(call, &["title", "description"])?;
        if let Some(title) = parameters.text("title")? {
            self.videos[number].title = title.to_owned();
        }
        if let Some(description) = parameters.text("description")? {
            check_message(description)?;
            self.videos[number].description = description.to_owned();
            if let Some(post) = self.videos[number].post {
                self.rewrite(call, post, description.to_owned(), books);
            }
        }
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    pub(super) fn delete_video(&mut self, call: &Call, number: usize, books: &mut Books) {
        self.videos[number].deleted = true;
        if let Some(post) = self.videos[number].post {
            self.delete_post(call, post, books);
        }
    }
}

fn unsupported() -> Answer {
    let text = "(#352) The video file you selected is in a format that we don't support.";
    refuse(352, 1_363_024, text)
}

fn no_session() -> Answer {
    let text = "(#6000) There was a problem uploading your video file. Please try again.";
    refuse(6_000, 1_363_030, text)
}
