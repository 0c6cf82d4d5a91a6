//! What an uploaded file is, by its content. Its name, and what it was sent as, are not believed.
//!
//! Invariants:
//! - whatever the bytes are, looking at them ends soon, holds little in memory and does not panic;
//! - what is merely unknown stays unknown, but a video that nobody could play is refused here, not
//!   by a platform at its time.
//!
//! Films are read by hand, because the crates that know them trust what they read: a film of three
//! kilobytes that claims four thousand million samples makes `re_mp4` 0.5 ask for memory until the
//! process ends, a seek head of 29 bytes that names itself keeps `matroska` 0.30 busy for ever, and
//! `mp4parse` 0.17 does not name H.265. What we want to know is in a dozen fields.

mod boxes;
mod documents;
mod matroska;

use std::{
    io::{Read, Seek, SeekFrom},
    time::Duration,
};

use crate::{
    domain::{
        media::MediaKind,
        problem::{Code, Problem},
    },
    engine::{core::unexpected, pixels},
};

/// Enough of a file to know what it is.
const HEAD_BYTES: u64 = 64 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) kind: MediaKind,
    pub(super) mime: String,
    pub(super) size: Option<(u32, u32)>,
    pub(super) length: Option<Duration>,
    pub(super) codec: String,
}

/// What is known of a video; each of it may be unknown.
#[derive(Clone, Debug, Default, PartialEq)]
struct Film {
    /// As it is shown.
    size: Option<(u32, u32)>,
    length: Option<Duration>,
    codec: String,
}

/// Why nobody can play a video, as the end of a sentence.
#[derive(Clone, Debug, PartialEq)]
struct Unplayable(String);

impl Unplayable {
    fn damaged(what: &str) -> Unplayable {
        Unplayable(format!("it is damaged: {what}"))
    }

    fn cut_off(bytes: u64) -> Unplayable {
        Unplayable(format!("it is cut off: it goes on behind the {bytes} bytes that arrived"))
    }

    fn without_pictures() -> Unplayable {
        Unplayable("it has no video track, so at most sound".to_owned())
    }
}

/// May wait for the disk: call from where blocking is allowed.
pub(super) fn look(file: &mut (impl Read + Seek)) -> Result<Found, Problem> {
    let (head, bytes) = head(file).map_err(|error| unexpected(&error.to_string()))?;
    if let Some(mime) = documents::recognise(file, &head, bytes) {
        return Ok(plain(MediaKind::Document, mime));
    }
    let known = infer::get(&head).map(|kind| kind.mime_type());
    match known.or_else(|| boxes::is_one(&head).then_some("video/mp4")) {
        Some(mime @ "image/gif") => {
            Ok(Found { size: pixels::size(file, mime), ..plain(MediaKind::Gif, mime) })
        }
        Some(mime) if mime.starts_with("image/") => {
            Ok(Found { size: pixels::size(file, mime), ..plain(MediaKind::Image, mime) })
        }
        Some(mime) if mime.starts_with("video/") => {
            let film = match mime {
                "video/mp4" | "video/x-m4v" | "video/quicktime" => boxes::read(file, bytes),
                "video/webm" | "video/x-matroska" => matroska::read(file, bytes),
                // No platform takes these; the validation of a post says so.
                _ => Ok(Film::default()),
            };
            let Film { size, length, codec } = film.map_err(|why| unplayable(mime, &why))?;
            // Apple's name for the same thing.
            let mime = if mime == "video/x-m4v" { "video/mp4" } else { mime };
            Ok(Found { size, length, codec, ..plain(MediaKind::Video, mime) })
        }
        found => Err(unusable(found)),
    }
}

fn head(file: &mut (impl Read + Seek)) -> std::io::Result<(Vec<u8>, u64)> {
    let bytes = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok((head, bytes))
}

/// `None` at the end of the file, and where it cannot be read.
fn bytes_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn plain(kind: MediaKind, mime: &str) -> Found {
    Found { kind, mime: mime.to_owned(), size: None, length: None, codec: String::new() }
}

fn unplayable(mime: &str, Unplayable(why): &Unplayable) -> Problem {
    Problem::new(
        Code::MediaFormat,
        format!("This video ({mime}) cannot be played: {why}."),
        "Look whether it plays on your device; if so, export it as MP4 (H.264) and upload that. If \
         not, download or copy it again, whole.",
    )
    .at("file")
}

fn unusable(found: Option<&str>) -> Problem {
    let found = found.unwrap_or("of no known type");
    Problem::new(
        Code::MediaFormat,
        format!(
            "The file is no image, video or document that we know; by its content it is {found}."
        ),
        "Upload a PNG, JPEG, WebP, GIF, MP4, MOV, WebM, PDF, DOC, DOCX, PPT or PPTX file.",
    )
    .at("file")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn looked(bytes: &[u8]) -> Result<Found, Problem> {
        look(&mut Cursor::new(bytes))
    }

    #[test]
    fn file_that_is_nothing_we_know_is_refused_with_what_it_is() {
        for (bytes, said) in [
            (b"".as_slice(), "of no known type"),
            (b"a text", "of no known type"),
            (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
            (b"PK\x03\x04\x14\0\0\0\0\0", "application/zip"),
        ] {
            let problem = looked(bytes).unwrap_err();
            assert!(problem.sentence.contains(said), "{}", problem.sentence);
            assert_eq!((problem.code, problem.place.as_str()), (Code::MediaFormat, "file"));
        }
    }

    #[test]
    fn video_that_nobody_can_play_is_refused_and_one_that_we_do_not_know_is_kept() {
        let problem = looked(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom").unwrap_err();
        assert!(problem.sentence.contains("(video/mp4) cannot be played"), "{}", problem.sentence);
        let found = looked(b"RIFF\0\0\0\0AVI LIST").unwrap();
        assert_eq!((found.mime.as_str(), found.size), ("video/x-msvideo", None));
    }

    #[test]
    fn film_is_known_with_its_size_its_length_and_its_codec() {
        let waves = include_bytes!("../cli/demo/waves.mp4");
        let found = looked(waves).unwrap();
        let expected = Found {
            kind: MediaKind::Video,
            mime: "video/mp4".to_owned(),
            size: Some((160, 90)),
            length: Some(Duration::from_secs(1)),
            codec: "h264".to_owned(),
        };
        assert_eq!(found, expected);
        // A brand that nobody listed is MP4 all the same.
        let mut other = waves.to_vec();
        other[8..12].copy_from_slice(b"zzzz");
        assert_eq!(looked(&other).unwrap(), expected);
    }
}
