//! A file, or a range of it, on its way from the disk to a server. Never whole in memory.

use std::{
    io::{self, SeekFrom},
    path::Path,
};

use bytes::{Bytes, BytesMut};
use cbc::cipher::{BlockEncryptMut, KeyIvInit};
use futures_util::stream::{self, Stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, Take},
};

use crate::{
    connectors::{ByteRange, Cipher},
    net::Error,
};

const CHUNK_BYTES: usize = 64 * 1024;

/// More is not held in memory.
const WHOLE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// An open file that stands at the first byte to send.
pub(super) struct Upload {
    file: File,
    pub(super) length: u64,
    cipher: Option<Box<Ciphering>>,
}

/// Where an encrypted upload begins: each block depends on the one before, so all of them are made,
/// and the first ones are not sent.
struct Ciphering {
    encryptor: Encryptor,
    skip: u64,
}

type Encryptor = cbc::Encryptor<aes::Aes256>;

const BLOCK_BYTES: usize = 16;

/// All of a small file.
pub(super) async fn whole(path: &Path, expected: u64) -> Result<Vec<u8>, Error> {
    if expected > WHOLE_BYTES_MAX {
        let reason = format!("a file of {expected} bytes is too large to be sent in one piece");
        return Err(Error::not_sent(reason));
    }
    let mut upload = Upload::open(path, expected, None).await?;
    let mut bytes = Vec::new();
    let read = upload.file.read_to_end(&mut bytes).await;
    read.map_err(|error| Error::not_sent(format!("a file cannot be read: {error}")))?;
    Ok(bytes)
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
        Ok(Upload { file, length: end - start, cipher: None })
    }

    /// `range` is of the encrypted bytes.
    pub(super) async fn encrypted(
        path: &Path,
        expected: u64,
        range: Option<ByteRange>,
        cipher: &Cipher,
    ) -> Result<Upload, Error> {
        let whole = Upload::open(path, expected, None).await?;
        let total = Cipher::length(expected);
        let ByteRange { start, end } = range.unwrap_or(ByteRange { start: 0, end: total });
        if start > end || end > total {
            let reason = format!("bytes {start} to {end} of {total} were asked for");
            return Err(Error::not_sent(reason));
        }
        let encryptor = Encryptor::new(&cipher.key.into(), &cipher.iv.into());
        let cipher = Some(Box::new(Ciphering { encryptor, skip: start }));
        Ok(Upload { length: end - start, cipher, ..whole })
    }

    /// Ends in an error, not early, if the file has become shorter meanwhile: the server must not
    /// take a part for the whole.
    pub(super) fn into_body(self) -> reqwest::Body {
        match self.cipher {
            None => reqwest::Body::wrap_stream(chunks(self.file.take(self.length))),
            Some(cipher) => reqwest::Body::wrap_stream(encrypted(self.file, cipher, self.length)),
        }
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

/// `length` bytes of the cipher's, after those that are skipped.
fn encrypted(
    file: File,
    cipher: Box<Ciphering>,
    length: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let state = (file, cipher, length);
    stream::try_unfold(state, |(mut file, mut cipher, mut left)| async move {
        while left > 0 {
            let mut block = vec![0; CHUNK_BYTES];
            let read = fill(&mut file, &mut block).await?;
            let is_last = read < block.len();
            block.truncate(read);
            if is_last {
                // PKCS #7: as many bytes as are missing, each saying how many; a block if none is.
                let missing = BLOCK_BYTES - read % BLOCK_BYTES;
                let padding = u8::try_from(missing).expect("a block is shorter than 256 bytes");
                block.resize(read + missing, padding);
            }
            for piece in block.chunks_exact_mut(BLOCK_BYTES) {
                cipher.encryptor.encrypt_block_mut(piece.into());
            }
            let made = block.len() as u64;
            let skipped = cipher.skip.min(made);
            cipher.skip -= skipped;
            let taken = (made - skipped).min(left);
            left -= taken;
            if is_last && left > 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if taken > 0 {
                let from = usize::try_from(skipped).unwrap_or(usize::MAX);
                let until = usize::try_from(skipped + taken).unwrap_or(usize::MAX);
                let sent = Bytes::from(block).slice(from..until);
                return Ok(Some((sent, (file, cipher, left))));
            }
        }
        Ok(None)
    })
}

/// As much as there is; less than asked for only at the end.
async fn fill(file: &mut File, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match file.read(&mut room[filled..]).await? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn sent(upload: Upload) -> Vec<u8> {
        let Upload { file, length, cipher } = upload;
        let chunks: Vec<Bytes> =
            encrypted(file, cipher.unwrap(), length).try_collect().await.unwrap();
        chunks.concat()
    }

    #[tokio::test]
    async fn encrypted_file_can_be_sent_in_any_pieces_and_decrypted_by_whoever_has_the_key() {
        use cbc::cipher::{BlockDecryptMut, block_padding::Pkcs7};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("film.mp4");
        let cipher = Cipher { key: [7; 32], iv: [9; 16] };
        for bytes in [0, 15, 16, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 5]
        {
            let plain: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &plain).unwrap();
            let (length, total) = (bytes as u64, Cipher::length(bytes as u64));
            let whole = sent(Upload::encrypted(&path, length, None, &cipher).await.unwrap()).await;
            assert_eq!(whole.len() as u64, total);
            let cut = total / 3;
            let mut pieces = Vec::new();
            for (start, end) in [(0, cut), (cut, total)] {
                let range = Some(ByteRange { start, end });
                let part = Upload::encrypted(&path, length, range, &cipher).await.unwrap();
                pieces.extend(sent(part).await);
            }
            assert_eq!(pieces, whole, "{bytes}");
            let decryptor = cbc::Decryptor::<aes::Aes256>::new(&[7; 32].into(), &[9; 16].into());
            let opened = decryptor.decrypt_padded_vec_mut::<Pkcs7>(&whole).unwrap();
            assert_eq!(opened, plain, "{bytes}");
        }
    }

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
