//! MP4 and QuickTime: boxes in boxes (ISO/IEC 14496-12; QuickTime File Format Specification).
//!
//! Only the headers of boxes and a few of their fields are read, wherever the `moov` box is.

use std::{
    io::{Read, Seek},
    time::Duration,
};

use super::{Film, Unplayable, bytes_at};

/// Two hours in fragments of a quarter of a second are 60,000.
const BOXES_MAX: u32 = 200_000;

/// Whether it begins as such a file does, unless it says to be an image or sound.
pub(super) fn is_one(head: &[u8]) -> bool {
    head.get(4..8) == Some(b"ftyp")
}

pub(super) fn read(file: &mut (impl Read + Seek), bytes: u64) -> Result<Film, Unplayable> {
    let mut boxes = Boxes { file, left: BOXES_MAX };
    let mut movie = None;
    let mut has_pictures_somewhere = false;
    let mut at = 0;
    while let Some(found) = boxes.next(at, bytes)? {
        if found.to > bytes {
            return Err(Unplayable::cut_off(bytes));
        }
        match &found.kind {
            b"moov" => movie = movie.or(Some(found)),
            b"mdat" => has_pictures_somewhere = true,
            _ => (),
        }
        at = found.to;
    }
    match movie {
        Some(movie) => boxes.movie(&movie),
        None if has_pictures_somewhere => Err(Unplayable(
            "its index (the box `moov`) is missing, as after a recording that broke off".to_owned(),
        )),
        None => Err(Unplayable("it has neither an index (`moov`) nor pictures".to_owned())),
    }
}

struct Boxes<'a, F> {
    file: &'a mut F,
    left: u32,
}

/// `from` and `to`: where its content lies in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    kind: [u8; 4],
    from: u64,
    to: u64,
}

impl<F: Read + Seek> Boxes<'_, F> {
    /// The box at `at`; it may go beyond `end`, which is the caller's to judge.
    fn next(&mut self, at: u64, end: u64) -> Result<Option<Part>, Unplayable> {
        // Less than a header at the end is padding.
        if end.saturating_sub(at) < 8 {
            return Ok(None);
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Unplayable(format!("it is in more than {BOXES_MAX} pieces, which no camera makes"))
        })?;
        let unreadable = || Unplayable::damaged("it ends within the head of a box");
        let [size, kind] = split(bytes_at::<8>(self.file, at).ok_or_else(unreadable)?);
        let (from, to) = match u32::from_be_bytes(size) {
            0 => (at + 8, end),
            1 => {
                let size = bytes_at::<8>(self.file, at + 8).ok_or_else(unreadable)?;
                (at + 16, at.saturating_add(u64::from_be_bytes(size)))
            }
            size => (at + 8, at + u64::from(size)),
        };
        if to < from {
            return Err(Unplayable::damaged("a box is smaller than its head"));
        }
        Ok(Some(Part { kind, from, to }))
    }

    fn children(&mut self, of: &Part) -> Result<Vec<Part>, Unplayable> {
        let mut found = Vec::new();
        let mut at = of.from;
        while let Some(part) = self.next(at, of.to)? {
            if part.to > of.to {
                return Err(Unplayable::damaged("a box is larger than the one around it"));
            }
            found.push(part);
            at = part.to;
        }
        Ok(found)
    }

    fn child(&mut self, of: &Part, kind: &[u8; 4]) -> Result<Option<Part>, Unplayable> {
        Ok(self.children(of)?.into_iter().find(|part| part.kind == *kind))
    }

    /// The box at the end of this way down.
    fn below(&mut self, of: &Part, way: &[&[u8; 4]]) -> Result<Option<Part>, Unplayable> {
        let mut part = *of;
        for kind in way {
            let Some(found) = self.child(&part, kind)? else { return Ok(None) };
            part = found;
        }
        Ok(Some(part))
    }

    /// `None` where the box is too short for it.
    fn field<const N: usize>(&mut self, of: &Part, offset: u64) -> Option<[u8; N]> {
        let at = of.from + offset;
        if at + N as u64 > of.to { None } else { bytes_at(self.file, at) }
    }

    fn number(&mut self, of: &Part, offset: u64) -> Option<u32> {
        self.field(of, offset).map(u32::from_be_bytes)
    }

    fn movie(&mut self, movie: &Part) -> Result<Film, Unplayable> {
        let parts = self.children(movie)?;
        for track in parts.iter().filter(|part| part.kind == *b"trak") {
            let Some(handler) = self.below(track, &[b"mdia", b"hdlr"])? else { continue };
            if self.field(&handler, 8) != Some(*b"vide") {
                continue;
            }
            let entry = self.below(track, &[b"mdia", b"minf", b"stbl", b"stsd"])?;
            let coded = entry.and_then(|entry| self.coded_size(&entry));
            let header = parts.iter().find(|part| part.kind == *b"mvhd").copied();
            let media = self.below(track, &[b"mdia", b"mdhd"])?;
            let length = match self.length(header.as_ref()) {
                Some(length) => Some(length),
                None => match self.fragments_length(&parts, header.as_ref())? {
                    Some(length) => Some(length),
                    None => self.length(media.as_ref()),
                },
            };
            return Ok(Film {
                size: self.shown_size(track)?.or(coded),
                length,
                codec: entry.and_then(|entry| self.codec(&entry)).unwrap_or_default(),
            });
        }
        Err(Unplayable::without_pictures())
    }

    /// Of `mvhd` and `mdhd`, which begin alike.
    fn length(&mut self, header: Option<&Part>) -> Option<Duration> {
        let header = header?;
        let (scale, length) = match self.field(header, 0)? {
            [0] => (self.number(header, 12)?, short(self.number(header, 16)?)?),
            [1] => (self.number(header, 20)?, u64::from_be_bytes(self.field(header, 24)?)),
            _ => return None,
        };
        duration(length, scale)
    }

    /// Of a film in fragments, where its maker knew it beforehand.
    fn fragments_length(
        &mut self,
        parts: &[Part],
        header: Option<&Part>,
    ) -> Result<Option<Duration>, Unplayable> {
        let (Some(header), Some(extends)) =
            (header, parts.iter().find(|part| part.kind == *b"mvex"))
        else {
            return Ok(None);
        };
        let Some(told) = self.child(extends, b"mehd")? else { return Ok(None) };
        let scale = match self.field(header, 0) {
            Some([0]) => self.number(header, 12),
            Some(_) => self.number(header, 20),
            None => None,
        };
        let length = match self.field(&told, 0) {
            Some([0]) => self.number(&told, 4).and_then(short),
            Some(_) => self.field(&told, 4).map(u64::from_be_bytes),
            None => None,
        };
        Ok(length.zip(scale).and_then(|(length, scale)| duration(length, scale)))
    }

    /// From the track's header, which says how its pictures are turned.
    fn shown_size(&mut self, track: &Part) -> Result<Option<(u32, u32)>, Unplayable> {
        let Some(header) = self.child(track, b"tkhd")? else { return Ok(None) };
        let matrix = match self.field(&header, 0) {
            Some([0]) => 40,
            Some([1]) => 52,
            Some(_) | None => return Ok(None),
        };
        let read = |boxes: &mut Self, offset: u64| boxes.number(&header, matrix + offset);
        let sides = read(self, 36).zip(read(self, 40));
        // Numbers with 16 bits behind the point.
        let sides = sides.map(|(width, height)| (width >> 16, height >> 16));
        let Some((width, height)) = sides.filter(|&(width, height)| width > 0 && height > 0) else {
            return Ok(None);
        };
        let [a, b, c, d] = [0, 4, 12, 16].map(|offset| read(self, offset).unwrap_or_default());
        let lies_on_its_side = a == 0 && d == 0 && b != 0 && c != 0;
        Ok(Some(if lies_on_its_side { (height, width) } else { (width, height) }))
    }

    /// As it is stored.
    fn coded_size(&mut self, entry: &Part) -> Option<(u32, u32)> {
        let [width, height] = split(self.field::<4>(entry, 40)?);
        let (width, height) = (u16::from_be_bytes(width), u16::from_be_bytes(height));
        (width > 0 && height > 0).then(|| (width.into(), height.into()))
    }

    /// Of the first way in which the track is encoded.
    fn codec(&mut self, entry: &Part) -> Option<String> {
        let name = match &self.field::<4>(entry, 12)? {
            b"avc1" | b"avc2" | b"avc3" | b"avc4" => "h264",
            b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => "hevc",
            b"av01" => "av1",
            b"vp08" => "vp8",
            b"vp09" => "vp9",
            b"mp4v" => "mpeg4",
            b"apch" | b"apcn" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => "prores",
            b"encv" => "encrypted",
            other => {
                let name = std::str::from_utf8(other).ok()?.trim().to_ascii_lowercase();
                return name.bytes().all(|byte| byte.is_ascii_graphic()).then_some(name);
            }
        };
        Some(name.to_owned())
    }
}

/// All bits are set where the length is unknown.
fn short(length: u32) -> Option<u64> {
    (length != u32::MAX).then(|| length.into())
}

fn duration(length: u64, scale: u32) -> Option<Duration> {
    if length == 0 || length == u64::MAX || scale == 0 {
        return None;
    }
    let scale = u64::from(scale);
    let millis = u128::from(length % scale) * 1_000 / u128::from(scale);
    Some(Duration::from_secs(length / scale) + Duration::from_millis(u64::try_from(millis).ok()?))
}

fn split<const N: usize, const HALF: usize>(bytes: [u8; N]) -> [[u8; HALF]; 2] {
    let mut halves = [[0; HALF]; 2];
    for (half, bytes) in halves.iter_mut().zip(bytes.chunks_exact(HALF)) {
        half.copy_from_slice(bytes);
    }
    halves
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const WAVES: &[u8] = include_bytes!("../../cli/demo/waves.mp4");

    fn probed(bytes: &[u8]) -> Result<Film, String> {
        read(&mut Cursor::new(bytes), bytes.len() as u64).map_err(|why| why.0)
    }

    /// Where the content of the first box of this kind begins.
    fn content_of(bytes: &[u8], kind: &[u8; 4]) -> usize {
        bytes.windows(4).position(|window| window == kind).unwrap() + 4
    }

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), content].concat()
    }

    fn film() -> Film {
        Film {
            size: Some((160, 90)),
            length: Some(Duration::from_secs(1)),
            codec: "h264".to_owned(),
        }
    }

    #[test]
    fn index_is_found_at_the_beginning_and_at_the_end() {
        assert_eq!(probed(WAVES), Ok(film()));
        let index = content_of(WAVES, b"moov") - 8;
        let size = u32::from_be_bytes(WAVES[index..index + 4].try_into().unwrap()) as usize;
        let (before, rest) = WAVES.split_at(index);
        let (index, after) = rest.split_at(size);
        assert_eq!(probed(&[before, after, index].concat()), Ok(film()));
        assert_eq!(probed(&[before, index, after].concat()), Ok(film()));
        let mut long = [before, index].concat();
        long.extend_from_slice(&[0, 0, 0, 1]);
        long.extend_from_slice(b"mdat");
        long.extend_from_slice(&20_u64.to_be_bytes());
        long.extend_from_slice(b"wave");
        assert_eq!(probed(&long), Ok(film()));
        assert_eq!(probed(&[before, index, b"\0\0\0\0mdatwaves"].concat()), Ok(film()));
    }

    #[test]
    fn film_on_its_side_is_as_large_as_it_is_shown() {
        let mut turned = WAVES.to_vec();
        let matrix = content_of(WAVES, b"tkhd") + 40;
        for (offset, value) in [(0, 0_i32), (4, 0x1_0000), (12, -0x1_0000), (16, 0)] {
            let at = matrix + offset;
            turned[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
        assert_eq!(probed(&turned).unwrap().size, Some((90, 160)));
        let mut upside_down = WAVES.to_vec();
        for offset in [0, 16] {
            let at = matrix + offset;
            upside_down[at..at + 4].copy_from_slice(&(-0x1_0000_i32).to_be_bytes());
        }
        assert_eq!(probed(&upside_down).unwrap().size, Some((160, 90)));
    }

    #[test]
    fn what_is_unknown_stays_unknown() {
        let mut odd = WAVES.to_vec();
        let entry = content_of(WAVES, b"stsd") + 12;
        odd[entry..entry + 4].copy_from_slice(b"QX7 ");
        let header = content_of(WAVES, b"mvhd") + 16;
        odd[header..header + 4].copy_from_slice(&[0xff; 4]);
        let media = content_of(WAVES, b"mdhd") + 16;
        odd[media..media + 4].copy_from_slice(&[0; 4]);
        let size = content_of(WAVES, b"tkhd") + 76;
        odd[size..size + 8].copy_from_slice(&[0; 8]);
        let coded = Film { size: Some((160, 90)), length: None, codec: "qx7".to_owned() };
        assert_eq!(probed(&odd), Ok(coded));
        odd[entry..entry + 4].copy_from_slice(&[0, 1, 2, 3]);
        assert_eq!(probed(&odd).unwrap().codec, "");
    }

    #[test]
    fn length_of_fragments_is_taken_where_it_is_told() {
        let mut header = vec![0; 100];
        header[12..16].copy_from_slice(&1_000_u32.to_be_bytes());
        let told = boxed(b"mehd", &[[0; 4], 2_500_u32.to_be_bytes()].concat());
        let handler = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0");
        let track = boxed(b"trak", &boxed(b"mdia", &handler));
        let movie = [boxed(b"mvhd", &header), boxed(b"mvex", &told), track].concat();
        let film = probed(&boxed(b"moov", &movie)).unwrap();
        let expected = Film { length: Some(Duration::from_millis(2_500)), ..Film::default() };
        assert_eq!(film, expected);
    }

    #[test]
    fn film_that_nobody_can_play_says_what_is_wrong() {
        let sound = {
            let mut sound = WAVES.to_vec();
            let handler = content_of(WAVES, b"hdlr") + 8;
            sound[handler..handler + 4].copy_from_slice(b"soun");
            sound
        };
        let broken_off = [boxed(b"ftyp", b"isom"), boxed(b"mdat", b"waves")].concat();
        let too_large_inside = boxed(b"moov", b"\0\0\x10\0trak");
        let too_small = boxed(b"moov", b"\0\0\0\x03trak");
        for (bytes, said) in [
            (sound.as_slice(), "no video track"),
            (&WAVES[..WAVES.len() - 1], "cut off"),
            (&broken_off, "`moov`) is missing"),
            (&boxed(b"ftyp", b"isom"), "neither an index"),
            (&too_large_inside, "larger than the one around it"),
            (&too_small, "smaller than its head"),
            (&boxed(b"moov", b""), "no video track"),
            (&boxed(b"free", b"").repeat(200_001), "more than 200000 pieces"),
        ] {
            let why = probed(bytes).unwrap_err();
            assert!(why.contains(said), "{said}: {why}");
        }
    }

    proptest! {
        #[test]
        fn damage_is_survived(
            changes in prop::collection::vec((0..WAVES.len(), any::<u8>()), 1..20),
        ) {
            let mut damaged = WAVES.to_vec();
            for (at, byte) in changes {
                damaged[at] = byte;
            }
            let _ = probed(&damaged);
        }
    }
}
