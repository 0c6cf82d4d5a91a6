//! Uploaded bytes, kept once in memory and shared by whoever shows them.

use std::collections::HashMap;

use axum::body::Bytes;

/// More than this in total is refused: the sandbox must not eat the machine.
const BYTES_MAX: usize = 512 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) mime: &'static str,
    /// In order; platforms with chunked uploads never join them.
    pub(crate) chunks: Vec<Bytes>,
}

pub(crate) struct Full;

#[derive(Default)]
pub(crate) struct Shelf {
    items: HashMap<u64, Item>,
    last: u64,
    total: usize,
}

impl Shelf {
    pub(crate) fn keep(&mut self, mime: &'static str, chunks: Vec<Bytes>) -> Result<u64, Full> {
        let size: usize = chunks.iter().map(Bytes::len).sum();
        if self.total + size > BYTES_MAX {
            return Err(Full);
        }
        self.total += size;
        self.last += 1;
        self.items.insert(self.last, Item { mime, chunks });
        Ok(self.last)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Item> {
        self.items.get(&id)
    }

    /// Used when nothing can show the bytes any more.
    pub(crate) fn drop(&mut self, id: u64) {
        if let Some(item) = self.items.remove(&id) {
            self.total -= item.chunks.iter().map(Bytes::len).sum::<usize>();
        }
    }
}

/// What bytes are, by their content; a declared type is never believed.
pub(crate) fn sniff(bytes: &[u8]) -> &'static str {
    match infer::get(bytes).map(|kind| kind.mime_type()) {
        // `infer` tells QuickTime and MPEG-4 variants apart more finely than platforms do.
        Some("video/x-m4v") => "video/mp4",
        Some(mime) => mime,
        None => "application/octet-stream",
    }
}

/// Width and height of an image in pixels.
pub(crate) fn dimensions(bytes: &[u8]) -> Option<(usize, usize)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((size.width, size.height))
}
