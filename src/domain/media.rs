//! One uploaded file and what is known of it.

use std::time::Duration;

use crate::domain::{
    ids::{MediaId, OrganizationId},
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    pub id: MediaId,
    pub organization: OrganizationId,
    pub kind: MediaKind,
    /// From the content, never from the name: `image/png`.
    pub mime: String,
    pub bytes: u64,
    /// In pixels, as it is shown; `None` where the format was not understood.
    pub size: Option<(u32, u32)>,
    /// Of a video, where it is known.
    pub length: Option<Duration>,
    /// How its pictures are encoded, such as `h264`; empty where that is unknown or goes without
    /// saying.
    pub codec: String,
    /// Names the file in the media store.
    pub sha256: [u8; 32],
    /// As uploaded, for people only.
    pub name: String,
    pub created: Timestamp,
}

impl Media {
    /// As file names end, without a dot.
    pub fn extension(&self) -> &'static str {
        match self.mime.as_str() {
            "application/msword" => "doc",
            "application/pdf" => "pdf",
            "application/vnd.ms-powerpoint" => "ppt",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
            "image/gif" => "gif",
            "image/jpeg" => "jpg",
            "image/png" => "png",
            "image/webp" => "webp",
            "video/mp4" => "mp4",
            "video/quicktime" => "mov",
            "video/webm" => "webm",
            _ => "bin",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Gif,
    Video,
    Document,
}

impl MediaKind {
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Gif => "gif",
            MediaKind::Video => "video",
            MediaKind::Document => "document",
        }
    }
}
