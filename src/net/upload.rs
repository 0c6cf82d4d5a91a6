//! A file, or a range of it, on its way from the disk to a server. Never whole in memory.

use std::{
    io::{self, SeekFrom},
    path::Path,
};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, Take},
};

use crate::{connectors::ByteRange, net::Error};

const CHUNK_BYTES: usize = 64 * 1024;

/// An open file that stands at the first byte to send.
pub(super) struct Upload {
    file: File,
    pub(super) length: u64,
}

impl Upload {
    /// Fails before anything is sent if the file is not what it is believed to be.
    pub(super) async fn open(
        path: &Path,
        expected: u64,
        range: Option<ByteRange>,
    ) -> Result<Upload, Error> {
        let unreadable = |error: io::Error| Error::not_sent(format!("a file is missing: {error}"));
        let mut file = File::open(path).await.map_err(unreadable)?;
        let found = file.metadata().await.map_err(unreadable)?.len();
        if found != expected {
            let reason = format!("a file has {found} bytes where {expected} were stored");
            return Err(Error::not_sent(reason));
        }
        let ByteRange { start, end } = range.unwrap_or(ByteRange { start: 0, end: found });
        if start > end || end > found {
            let reason = format!("bytes {start} to {end} of a file of {found} were asked for");
            return Err(Error::not_sent(reason));
        }
        file.seek(SeekFrom::Start(start)).await.map_err(unreadable)?;
        Ok(Upload { file, length: end - start })
    }

    /// Ends in an error, not early, if the file has become shorter meanwhile: the server must not
    /// take a part for the whole.
    pub(super) fn into_body(self) -> reqwest::Body {
        reqwest::Body::wrap_stream(chunks(self.file.take(self.length)))
    }
}

fn chunks(file: Take<File>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold(file, |mut file| async move {
        if file.limit() == 0 {
            return Ok(None);
        }
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        match file.read_buf(&mut chunk).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(Some((chunk.freeze(), file))),
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn file_that_becomes_shorter_on_the_way_is_an_error_not_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.png");
        std::fs::write(&path, vec![7; 3 * CHUNK_BYTES]).unwrap();
        let length = 3 * CHUNK_BYTES as u64;
        let whole = Upload::open(&path, length, None).await.unwrap();
        let sizes: Vec<usize> = chunks(whole.file.take(length))
            .map_ok(|chunk| chunk.len())
            .try_collect()
            .await
            .unwrap();
        assert_eq!(sizes.iter().sum::<usize>(), 3 * CHUNK_BYTES);
        assert!(sizes.iter().all(|&size| size <= CHUNK_BYTES));

        let cut = Upload::open(&path, length, None).await.unwrap();
        std::fs::write(&path, vec![7; CHUNK_BYTES]).unwrap();
        let sent: io::Result<Vec<Bytes>> = chunks(cut.file.take(length)).try_collect().await;
        assert_eq!(sent.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
