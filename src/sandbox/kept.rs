//! Files that came, by their bytes or by their address: told by their content.

use axum::body::Bytes;
use url::Url;

use super::{
    ledger::LedgerMedia,
    shelf::{self, Full},
    wire::Call,
    world::Books,
};

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) shelf: u64,
    pub(crate) mime: &'static str,
    pub(crate) bytes: usize,
    pub(crate) size: Option<(usize, usize)>,
}

impl Kept {
    pub(crate) fn keep(books: &mut Books, chunks: Vec<Bytes>) -> Result<Kept, Full> {
        let first = chunks.first().cloned().unwrap_or_default();
        let mime = shelf::sniff(&first);
        let bytes = chunks.iter().map(Bytes::len).sum();
        let size = shelf::dimensions(&first);
        let shelf = books.shelf.keep(mime, chunks)?;
        Ok(Kept { shelf, mime, bytes, size })
    }

    pub(crate) fn address(&self, call: &Call) -> String {
        format!("{}/_sandbox/media/{}", call.origin, self.shelf)
    }

    pub(crate) fn for_ledger(&self, alt: &str) -> LedgerMedia {
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
pub(crate) fn fetched(call: &Call, url: &str) -> Result<Bytes, String> {
    match call.fetched.get(url) {
        Some(Ok(bytes)) => Ok(bytes.clone()),
        Some(Err(reason)) => Err(reason.clone()),
        None => Err("the address is not one that can be fetched".to_owned()),
    }
}

/// Whether an address is on the machine through whose name the sandbox was called.
pub(crate) fn is_neighbour(call: &Call, url: &str) -> bool {
    let host = |url: &str| Url::parse(url).ok()?.host_str().map(str::to_owned);
    let own = host(&call.origin);
    own.is_some() && host(url) == own
}
