//! Twin of what is known of a media file.

use serde::{Deserialize, Serialize};

use super::{Record, twin};
use crate::domain::{
    ids::{MediaId, OrganizationId},
    media::{Media, MediaKind},
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredMedia {
    V1(MediaV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct MediaV1 {
    id: u128,
    organization: u128,
    kind: MediaKindV1,
    mime: String,
    bytes: u64,
    size: Option<(u32, u32)>,
    sha256: [u8; 32],
    name: String,
    created: Timestamp,
}

twin!(MediaKindV1 = MediaKind { Image, Gif, Video });

impl Record for Media {
    type Stored = StoredMedia;

    fn store(&self) -> StoredMedia {
        StoredMedia::V1(MediaV1 {
            id: self.id.0,
            organization: self.organization.0,
            kind: self.kind.into(),
            mime: self.mime.clone(),
            bytes: self.bytes,
            size: self.size,
            sha256: self.sha256,
            name: self.name.clone(),
            created: self.created,
        })
    }

    fn restore(stored: StoredMedia) -> Result<Media, &'static str> {
        let StoredMedia::V1(twin) = stored;
        Ok(Media {
            id: MediaId(twin.id),
            organization: OrganizationId(twin.organization),
            kind: twin.kind.into(),
            mime: twin.mime,
            bytes: twin.bytes,
            size: twin.size,
            sha256: twin.sha256,
            name: twin.name,
            created: twin.created,
        })
    }
}
