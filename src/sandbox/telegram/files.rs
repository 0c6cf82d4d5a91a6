//! Files of messages: uploaded, fetched by their address, or known from an earlier message.

use serde_json::{Value, json};

use crate::sandbox::{
    kept::{self, Kept},
    wire::{Answer, Call},
    world::Books,
};

use super::{Telegram, bad, refusal};

const MEGABYTE: usize = 1024 * 1024;
/// Width and height in sum, and the longer in the shorter ("sendPhoto").
const SIDES_MAX: usize = 10_000;
const RATIO_MAX: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Photo,
    Video,
    Animation,
    Document,
}

impl Sort {
    pub(super) fn named(name: &str) -> Option<Sort> {
        match name {
            "photo" => Some(Sort::Photo),
            "video" => Some(Sort::Video),
            "animation" => Some(Sort::Animation),
            "document" => Some(Sort::Document),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Photo => "photo",
            Sort::Video => "video",
            Sort::Animation => "animation",
            Sort::Document => "document",
        }
    }

    /// As the ledger has it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Sort::Photo => "image",
            Sort::Video => "video",
            Sort::Animation => "gif",
            Sort::Document => "document",
        }
    }

    /// "10 MB max size for photos, 50 MB for other types of content" as uploads, "5 MB max size
    /// for photos and 20 MB max for other types of content" by address (sending-files).
    fn most(self, by_address: bool) -> usize {
        MEGABYTE
            * match (self, by_address) {
                (Sort::Photo, true) => 5,
                (Sort::Photo, false) => 10,
                (Sort::Video | Sort::Animation | Sort::Document, true) => 20,
                (Sort::Video | Sort::Animation | Sort::Document, false) => 50,
            }
    }
}

#[derive(Clone)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) sort: Sort,
    pub(super) kept: Kept,
}

impl File {
    /// As a message has it.
    pub(super) fn told(&self) -> Value {
        let (width, height) = self.kept.size.unwrap_or((0, 0));
        let file = json!({ "file_id": self.id, "file_unique_id": format!("u{}", self.id),
            "file_size": self.kept.bytes, "width": width, "height": height });
        match self.sort {
            Sort::Photo => json!([file]),
            Sort::Video | Sort::Animation | Sort::Document => file,
        }
    }
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Every address that a call names as a file.
pub(super) fn addresses(parameters: &Value) -> Vec<String> {
    let single = ["photo", "video", "animation", "document"].map(|name| &parameters[name]);
    let items = parameters["media"].as_array().map(Vec::as_slice).unwrap_or_default();
    let listed = items.iter().map(|item| &item["media"]);
    let texts = single.into_iter().chain(listed).filter_map(Value::as_str);
    texts.filter(|text| is_address(text)).map(str::to_owned).collect()
}

impl Telegram {
    /// `given` is what stands in the field; `None` where the field is a part of its own.
    pub(super) fn file(
        &mut self,
        call: &Call,
        sort: Sort,
        given: Option<&str>,
        books: &mut Books,
    ) -> Result<File, Answer> {
        let by_address = given.is_some_and(is_address);
        let bytes = match given {
            Some(url) if by_address => {
                kept::fetched(call, url).map_err(|_| bad("failed to get HTTP URL content"))?
            }
            Some(attached) if attached.starts_with("attach://") => {
                let part = call.file(&attached["attach://".len()..]);
                part.ok_or_else(|| bad("file to send not found"))?.bytes.clone()
            }
            Some(id) => {
                let known = self.files.get(id).filter(|file| file.sort == sort).cloned();
                return known.ok_or_else(|| bad("wrong file identifier/HTTP URL specified"));
            }
            None => {
                let part = call.file(sort.name()).filter(|part| part.file_name.is_some());
                let missing = || bad(&format!("there is no {} in the request", sort.name()));
                part.ok_or_else(missing)?.bytes.clone()
            }
        };
        if bytes.len() > sort.most(by_address) {
            return Err(match by_address {
                true => bad("failed to get HTTP URL content"),
                false => refusal(413, "Request Entity Too Large"),
            });
        }
        if bytes.is_empty() {
            return Err(bad("file must be non-empty"));
        }
        let full = |_| refusal(500, "Internal Server Error: the sandbox is full");
        let kept = Kept::keep(books, vec![bytes]).map_err(full)?;
        judge(sort, &kept, by_address)?;
        let id = format!("AgAC{}", books.chance.word(40));
        // "Other formats may be sent as Document" (sendVideo).
        let sort = match sort {
            Sort::Video if kept.mime != "video/mp4" => Sort::Document,
            Sort::Animation if !matches!(kept.mime, "video/mp4" | "image/gif") => Sort::Document,
            Sort::Photo | Sort::Video | Sort::Animation | Sort::Document => sort,
        };
        let file = File { id, sort, kept };
        self.files.insert(file.id.clone(), file.clone());
        Ok(file)
    }
}

fn judge(sort: Sort, kept: &Kept, by_address: bool) -> Result<(), Answer> {
    match sort {
        Sort::Photo => {
            let Some((width, height)) = kept.size.filter(|_| kept.mime.starts_with("image/"))
            else {
                return Err(bad("IMAGE_PROCESS_FAILED"));
            };
            let ratio = width.max(height) / width.min(height).max(1);
            match width + height > SIDES_MAX || ratio > RATIO_MAX {
                true => Err(bad("PHOTO_INVALID_DIMENSIONS")),
                false => Ok(()),
            }
        }
        Sort::Video if by_address && kept.mime != "video/mp4" => {
            Err(bad("wrong type of the web page content"))
        }
        Sort::Video | Sort::Animation | Sort::Document => Ok(()),
    }
}
