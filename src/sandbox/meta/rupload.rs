//! rupload.facebook.com: the bytes of reels, video stories and Instagram's resumable containers.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing/resumable-uploads>,
//! read 2026-11-21. The token is said as `OAuth`, and the parameters are headers.

use axum::body::Bytes;
use serde_json::json;

use super::{
    Answer, Books, Call, Meta, Node, Reply, asset::fetched, containers::Stage, posts::Form,
    refusal::missing_object, tokens::Subject, videos::Upload,
};

/// What a call brings.
enum Load {
    /// All of it, from an address.
    Whole(Result<Bytes, String>),
    Piece {
        offset: u64,
        total: u64,
        bytes: Bytes,
    },
}

impl Meta {
    pub(super) fn receive_video(&mut self, call: &Call, id: &str, books: &mut Books) -> Reply {
        let subject = self.uploader(call)?;
        let Some(Node::Video(video)) = self.nodes.get(id).copied() else {
            return Err(missing_object("post", id));
        };
        let video = &mut self.videos[video];
        if subject != Subject::Page(video.page) || video.form == Form::Feed {
            return Err(missing_object("post", id));
        }
        let load = load(call)?;
        let Upload::Receiving { total, chunks } = &mut video.upload else {
            return Err(failed("InvalidSession", "The upload session has ended"));
        };
        receive(load, total, chunks)?;
        video.settle(call.now, books)?;
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    pub(super) fn receive_for_container(
        &mut self,
        call: &Call,
        id: &str,
        books: &mut Books,
    ) -> Reply {
        let subject = self.uploader(call)?;
        let Some(Node::Container(number)) = self.nodes.get(id).copied() else {
            return Err(missing_object("post", id));
        };
        let profile = self.containers[number].profile;
        let is_own = match subject {
            Subject::Profile(own) => own == profile,
            Subject::Page(page) => self.estate.pages[page].profile == Some(profile),
            Subject::Person(person) => self.estate.owner_of_profile(profile) == Some(person),
        };
        if !is_own {
            return Err(missing_object("post", id));
        }
        let load = load(call)?;
        let container = &mut self.containers[number];
        let Stage::Waiting { total, chunks } = &mut container.stage else {
            return Err(failed("InvalidSession", "The container waits for no bytes"));
        };
        receive(load, total, chunks)?;
        container.settle(call.now, books)?;
        let body = json!({ "success": true, "message": "Upload successful." });
        Ok(Answer::json(200, &body))
    }

    fn uploader(&self, call: &Call) -> Result<Subject, Answer> {
        let scheme = call.header("authorization").and_then(|text| text.split_once(' '));
        match scheme {
            Some(("OAuth", _)) => Ok(self.authenticate(call)?.subject),
            Some(_) | None => {
                let message = "The header Authorization must be OAuth and the token";
                Err(failed("NotAuthorizedError", message))
            }
        }
    }
}

fn load(call: &Call) -> Result<Load, Answer> {
    if let Some(url) = call.header("file_url") {
        return Ok(Load::Whole(fetched(call, url)));
    }
    let number = |name: &'static str| {
        let value = call.header(name).and_then(|text| text.parse::<u64>().ok());
        value.ok_or_else(|| failed("InvalidHeaderError", &format!("The header {name} is missing")))
    };
    Ok(Load::Piece {
        offset: number("offset")?,
        total: number("file_size")?,
        bytes: call.body.clone(),
    })
}

/// Adds what was brought to what is there.
fn receive(load: Load, total: &mut Option<u64>, chunks: &mut Vec<Bytes>) -> Result<(), Answer> {
    let received: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
    match load {
        Load::Whole(Err(reason)) => {
            let text = format!("The file could not be fetched: {reason}");
            Err(failed("ProcessingFailedError", &text))
        }
        Load::Whole(Ok(bytes)) => {
            *total = Some(bytes.len() as u64);
            *chunks = vec![bytes];
            Ok(())
        }
        Load::Piece { offset, .. } if offset != received => {
            let text = format!("The offset must be {received}");
            Err(failed("OffsetInvalidError", &text))
        }
        Load::Piece { total: said, bytes, .. } => {
            let after = received + bytes.len() as u64;
            let is_steady = total.is_none_or(|before| before == said);
            if bytes.is_empty() || after > said || !is_steady {
                let text = "The body and the header file_size do not fit";
                return Err(failed("PartialRequestError", text));
            }
            *total = Some(said);
            chunks.push(bytes);
            Ok(())
        }
    }
}

fn failed(kind: &str, message: &str) -> Answer {
    let body = json!({ "debug_info": { "retriable": false, "type": kind, "message": message } });
    Answer::json(400, &body)
}
