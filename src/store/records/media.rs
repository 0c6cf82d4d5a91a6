//! Twin of what is known of a media file.

use std::time::Duration;

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
    V2(MediaV2),
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

/// With what is known of a video.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct MediaV2 {
    basis: MediaV1,
    length_millis: Option<u64>,
    codec: String,
}

twin!(MediaKindV1 = MediaKind { Image, Gif, Video, Document });

impl Record for Media {
    type Stored = StoredMedia;

    fn store(&self) -> StoredMedia {
        let basis = MediaV1 {
            id: self.id.0,
            organization: self.organization.0,
            kind: self.kind.into(),
            mime: self.mime.clone(),
            bytes: self.bytes,
            size: self.size,
            sha256: self.sha256,
            name: self.name.clone(),
            created: self.created,
        };
        let length_millis =
            self.length.map(|length| u64::try_from(length.as_millis()).unwrap_or(u64::MAX));
        StoredMedia::V2(MediaV2 { basis, length_millis, codec: self.codec.clone() })
    }

    fn restore(stored: StoredMedia) -> Result<Media, &'static str> {
        let (twin, length_millis, codec) = match stored {
            StoredMedia::V1(twin) => (twin, None, String::new()),
            StoredMedia::V2(twin) => (twin.basis, twin.length_millis, twin.codec),
        };
        Ok(Media {
            id: MediaId(twin.id),
            organization: OrganizationId(twin.organization),
            kind: twin.kind.into(),
            mime: twin.mime,
            bytes: twin.bytes,
            size: twin.size,
            length: length_millis.map(Duration::from_millis),
            codec,
            sha256: twin.sha256,
            name: twin.name,
            created: twin.created,
        })
    }
}
