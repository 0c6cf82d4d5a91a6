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
