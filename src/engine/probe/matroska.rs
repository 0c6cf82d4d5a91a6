//! WebM and Matroska: elements in elements (RFC 8794 and RFC 9559).

use std::{
    io::{Read, Seek},
    time::Duration,
};

use super::{Film, Unplayable, bytes_at};

/// More than a player would read before it shows something.
const ELEMENTS_MAX: u32 = 200_000;

/// Names and codecs are short.
const TEXT_BYTES_MAX: u64 = 64;

const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
const DURATION: u32 = 0x4489;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const TRACK_TYPE: u32 = 0x83;
const CODEC: u32 = 0x86;
const VIDEO: u32 = 0xe0;
const PIXEL_WIDTH: u32 = 0xb0;
const PIXEL_HEIGHT: u32 = 0xba;
const DISPLAY_WIDTH: u32 = 0x54b0;
const DISPLAY_HEIGHT: u32 = 0x54ba;
const DISPLAY_UNIT: u32 = 0x54b2;

const TRACK_TYPE_VIDEO: u64 = 1;
const NANOS_DEFAULT: u64 = 1_000_000;

pub(super) fn read(file: &mut (impl Read + Seek), bytes: u64) -> Result<Film, Unplayable> {
    let mut elements = Elements { file, left: ELEMENTS_MAX };
    let whole = Part { id: 0, from: 0, to: bytes, is_open: false };
    let Some(segment) = elements.child(&whole, SEGMENT)? else {
        return Err(Unplayable::damaged("it has no `Segment`, which holds everything"));
    };
    if segment.to > bytes {
        return Err(Unplayable::cut_off(bytes));
    }
    let (mut info, mut tracks) = (None, None);
    let mut at = segment.from;
    while let Some(found) = elements.next(at, segment.to)? {
        if found.to > bytes {
            return Err(Unplayable::cut_off(bytes));
        }
        match found.id {
            INFO => info = Some(found),
            TRACKS => tracks = Some(found),
            _ => (),
        }
        // What is open, as in a live recording, is the pictures, and the rest of the file.
        if found.is_open || (info.is_some() && tracks.is_some()) {
            break;
        }
        at = found.to;
    }
    let Some(tracks) = tracks else { return Err(Unplayable::without_pictures()) };
    let length = match info {
        Some(info) => elements.length(&info)?,
        None => None,
    };
    let (size, codec) = elements.pictures(&tracks)?.ok_or_else(Unplayable::without_pictures)?;
    Ok(Film { size, length, codec })
}

struct Elements<'a, F> {
    file: &'a mut F,
    left: u32,
}

/// `from` and `to`: where its content lies in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    id: u32,
    from: u64,
    to: u64,
    /// Its size is unknown; it goes on to the end of what is around it.
    is_open: bool,
}

impl<F: Read + Seek> Elements<'_, F> {
    /// The element at `at`; it may go beyond `end`, which is the caller's to judge.
    fn next(&mut self, at: u64, end: u64) -> Result<Option<Part>, Unplayable> {
        if at >= end {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Unplayable(format!("it is in more than {ELEMENTS_MAX} pieces, which no camera makes"))
        })?;
        let unreadable = || Unplayable::damaged("an element has no readable head");
        let (id, id_bytes) = self.number(at, 4).ok_or_else(unreadable)?;
        let (size, size_bytes) = self.number(at + id_bytes, 8).ok_or_else(unreadable)?;
        let id = u32::try_from(id).map_err(|_| unreadable())?;
        let from = at + id_bytes + size_bytes;
        let marker = 1 << (7 * size_bytes);
        // All bits of the value are set where the size is unknown.
        let is_open = size == 2 * marker - 1;
        let to = if is_open { end } else { from.saturating_add(size - marker) };
        Ok(Some(Part { id, from, to, is_open }))
    }

    /// A number that says by its leading bits how long it is, those bits included; and its length.
    fn number(&mut self, at: u64, bytes_max: u32) -> Option<(u64, u64)> {
        let [first] = bytes_at::<1>(self.file, at)?;
        let length = first.leading_zeros() + 1;
        if length > bytes_max {
            return None;
        }
        let mut value = u64::from(first);
        for offset in 1..u64::from(length) {
            let [byte] = bytes_at::<1>(self.file, at + offset)?;
            value = value << 8 | u64::from(byte);
        }
        Some((value, length.into()))
    }

    fn children(&mut self, of: &Part) -> Result<Vec<Part>, Unplayable> {
        let mut found = Vec::new();
        let mut at = of.from;
        while let Some(part) = self.next(at, of.to)? {
            found.push(part);
            at = part.to;
        }
        Ok(found)
    }

    fn child(&mut self, of: &Part, id: u32) -> Result<Option<Part>, Unplayable> {
        let mut at = of.from;
        while let Some(part) = self.next(at, of.to)? {
            if part.id == id {
                return Ok(Some(part));
            }
            at = part.to;
        }
        Ok(None)
    }

    fn content(&mut self, of: &Part, bytes_max: u64) -> Option<Vec<u8>> {
        let length = of.to - of.from;
        if of.is_open || length > bytes_max {
            return None;
        }
        (of.from..of.to).map(|at| bytes_at::<1>(self.file, at).map(|[byte]| byte)).collect()
    }

    fn unsigned(&mut self, of: Option<&Part>) -> Option<u64> {
        let bytes = self.content(of?, 8)?;
        Some(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    fn float(&mut self, of: Option<&Part>) -> Option<f64> {
        let bytes = self.content(of?, 8)?;
        match bytes.len() {
            4 => Some(f32::from_be_bytes(bytes.try_into().ok()?).into()),
            8 => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    fn length(&mut self, info: &Part) -> Result<Option<Duration>, Unplayable> {
        let parts = self.children(info)?;
        let scale = self.unsigned(one(&parts, TIMESTAMP_SCALE)).unwrap_or(NANOS_DEFAULT);
        let units = self.float(one(&parts, DURATION)).filter(|&units| units > 0.0);
        let seconds = units.map(|units| units * scale as f64 / 1e9);
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }

    /// Of the first track that has any.
    fn pictures(&mut self, tracks: &Part) -> Result<Option<Pictures>, Unplayable> {
        for track in self.children(tracks)?.iter().filter(|part| part.id == TRACK) {
            let parts = self.children(track)?;
            if self.unsigned(one(&parts, TRACK_TYPE)) != Some(TRACK_TYPE_VIDEO) {
                continue;
            }
            let codec = one(&parts, CODEC).and_then(|part| self.content(part, TEXT_BYTES_MAX));
            let size = match one(&parts, VIDEO) {
                Some(video) => {
                    let fields = self.children(video)?;
                    self.size(&fields)
                }
                None => None,
            };
            return Ok(Some((size, codec_name(&codec.unwrap_or_default()))));
        }
        Ok(None)
    }

    /// As it is shown: for that the file may name a size of its own.
    fn size(&mut self, video: &[Part]) -> Option<(u32, u32)> {
        let mut read = |id| {
            let side = self.unsigned(one(video, id)).filter(|&side| side > 0)?;
            u32::try_from(side).ok()
        };
        let stored = read(PIXEL_WIDTH).zip(read(PIXEL_HEIGHT));
        // Any other unit than pixels says only the ratio.
        let shown = match read(DISPLAY_UNIT) {
            None => read(DISPLAY_WIDTH).zip(read(DISPLAY_HEIGHT)),
            Some(_) => None,
        };
        shown.or(stored)
    }
}

type Pictures = (Option<(u32, u32)>, String);

fn one(parts: &[Part], id: u32) -> Option<&Part> {
    parts.iter().find(|part| part.id == id)
}

fn codec_name(id: &[u8]) -> String {
    let id = String::from_utf8_lossy(id);
    let id = id.trim_end_matches('\0');
    match id {
        "V_MPEG4/ISO/AVC" => "h264".to_owned(),
        "V_MPEGH/ISO/HEVC" => "hevc".to_owned(),
        _ => {
            let name = id.strip_prefix("V_").unwrap_or(id).to_ascii_lowercase();
            let is_fine = name.bytes().all(|byte| byte.is_ascii_graphic());
            if is_fine { name } else { String::new() }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn probed(bytes: &[u8]) -> Result<Film, String> {
        read(&mut Cursor::new(bytes), bytes.len() as u64).map_err(|why| why.0)
    }

    fn named(id: u32) -> Vec<u8> {
        id.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect()
    }

    fn element(id: u32, content: &[u8]) -> Vec<u8> {
        let size = 0x0100_0000_0000_0000 | content.len() as u64;
        [&named(id), size.to_be_bytes().as_slice(), content].concat()
    }

    fn open(id: u32, content: &[u8]) -> Vec<u8> {
        [&named(id), [0xff].as_slice(), content].concat()
    }

    const HEAD: u32 = 0x1a45_dfa3;
    const CLUSTER: u32 = 0x1f43_b675;

    fn info() -> Vec<u8> {
        element(INFO, &element(DURATION, &2_500_f64.to_be_bytes()))
    }

    fn track(kind: u8, video: &[u8]) -> Vec<u8> {
        let parts = [element(TRACK_TYPE, &[kind]), element(CODEC, b"V_VP9"), element(VIDEO, video)];
        element(TRACK, &parts.concat())
    }

    fn stored() -> Vec<u8> {
        [element(PIXEL_WIDTH, &[1, 64]), element(PIXEL_HEIGHT, &[180])].concat()
    }

    fn webm(parts: &[&[u8]]) -> Vec<u8> {
        [element(HEAD, b""), element(SEGMENT, &parts.concat())].concat()
    }

    fn film() -> Film {
        Film {
            size: Some((320, 180)),
            length: Some(Duration::from_millis(2_500)),
            codec: "vp9".to_owned(),
        }
    }

    #[test]
    fn film_is_known_wherever_its_tracks_are() {
        let tracks = element(TRACKS, &[track(2, b""), track(1, &stored())].concat());
        let cluster = element(CLUSTER, b"pictures");
        assert_eq!(probed(&webm(&[&info(), &tracks, &cluster])), Ok(film()));
        assert_eq!(probed(&webm(&[&cluster, &tracks, &info()])), Ok(film()));
        let live = [tracks, open(CLUSTER, b"pictures")].concat();
        let live = [element(HEAD, b""), open(SEGMENT, &live)].concat();
        assert_eq!(probed(&live), Ok(Film { length: None, ..film() }));
    }

    #[test]
    fn size_is_the_one_that_is_shown() {
        let shown = [element(DISPLAY_WIDTH, &[200]), element(DISPLAY_HEIGHT, &[100])].concat();
        let size =
            |video: &[u8]| probed(&webm(&[&element(TRACKS, &track(1, video))])).unwrap().size;
        assert_eq!(size(&[stored(), shown.clone()].concat()), Some((200, 100)));
        let ratio = [stored(), shown, element(DISPLAY_UNIT, &[3])].concat();
        assert_eq!(size(&ratio), Some((320, 180)));
        assert_eq!(size(b""), None);
    }

    #[test]
    fn film_that_nobody_can_play_says_what_is_wrong() {
        let whole = webm(&[&info(), &element(TRACKS, &track(1, &stored()))]);
        let sound = webm(&[&info(), &element(TRACKS, &track(2, b""))]);
        for (bytes, said) in [
            (&whole[..whole.len() - 1], "cut off"),
            (&sound, "no video track"),
            (&webm(&[&info()]), "no video track"),
            (&element(HEAD, b""), "no `Segment`"),
            (&[0x1a, 0x45, 0xdf, 0xa3], "no readable head"),
            (&webm(&[&[0; 9]]), "no readable head"),
        ] {
            let why = probed(bytes).unwrap_err();
            assert!(why.contains(said), "{said}: {why}");
        }
        let many = webm(&[&[0xec, 0x80].repeat(200_001)]);
        assert!(probed(&many).unwrap_err().contains("more than 200000 pieces"));
    }

    proptest! {
        #[test]
        fn damage_is_survived(
            changes in prop::collection::vec((0_usize..200, any::<u8>()), 1..20),
        ) {
            let mut damaged = webm(&[&info(), &element(TRACKS, &track(1, &stored()))]);
            for (at, byte) in changes {
                let at = at % damaged.len();
                damaged[at] = byte;
            }
            let _ = probed(&damaged);
        }
    }
}
