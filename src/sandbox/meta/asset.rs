//! Files as Meta keeps them: told by their content, checked by what they are for.

use axum::body::Bytes;

use crate::sandbox::{ledger::LedgerMedia, shelf};

use super::{Answer, Books, Call, refusal::full};

#[derive(Clone)]
pub(super) struct Asset {
    pub(super) shelf: u64,
    pub(super) mime: &'static str,
    bytes: usize,
    pub(super) size: Option<(usize, usize)>,
}

impl Asset {
    pub(super) fn keep(books: &mut Books, chunks: Vec<Bytes>) -> Result<Asset, Answer> {
        let first = chunks.first().cloned().unwrap_or_default();
        let mime = shelf::sniff(&first);
        let bytes = chunks.iter().map(Bytes::len).sum();
        let size = shelf::dimensions(&first);
        let shelf = books.shelf.keep(mime, chunks).map_err(|_| full())?;
        Ok(Asset { shelf, mime, bytes, size })
    }

    pub(super) fn address(&self, call: &Call) -> String {
        format!("{}/_sandbox/media/{}", call.origin, self.shelf)
    }

    pub(super) fn for_ledger(&self, alt: &str) -> LedgerMedia {
        LedgerMedia {
            kind: if self.mime.starts_with("video/") { "video" } else { "image" },
            mime: self.mime,
            bytes: self.bytes,
            alt: alt.to_owned(),
            shelf: self.shelf,
        }
    }
}

/// What was found at an address that the call named; the error says why nothing was.
pub(super) fn fetched(call: &Call, url: &str) -> Result<Bytes, String> {
    match call.fetched.get(url) {
        Some(Ok(bytes)) => Ok(bytes.clone()),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err("the address is not one that can be fetched".to_owned()),
    }
}
