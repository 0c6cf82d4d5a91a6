//! Whether an image says more than its pixels: where and with what it was taken, by whom, what it
//! was called. What colours mean is not counted, and neither is what only a decoder needs.
//!
//! What cannot be followed to its end counts as talkative: such a file is written anew.

use super::Encoding;

pub(super) fn has_any(bytes: &[u8], encoding: Encoding) -> bool {
    let silent = match encoding {
        Encoding::Jpeg => jpeg_is_silent(bytes),
        Encoding::Png => png_is_silent(bytes),
        Encoding::Webp => webp_is_silent(bytes),
        // A comment in a GIF is not looked for: what a platform takes as a GIF stays as it is.
        Encoding::Gif => Some(true),
    };
    silent != Some(true)
}

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Segments up to the pixels (ITU-T T.81, B.1), and nothing behind the end of the image, where
/// telephones put previews and films.
fn jpeg_is_silent(bytes: &[u8]) -> Option<bool> {
    let mut at = 2;
    loop {
        let marker = match bytes.get(at..at + 2)? {
            [0xff, 0xff] => {
                at += 1;
                continue;
            }
            [0xff, marker] => *marker,
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        let content = bytes.get(at + 4..at + 2 + length)?;
        let is_silent = match marker {
            // JFIF, colour profiles, and Adobe's note on how colours are stored.
            0xe0 => content.starts_with(b"JFIF\0"),
            0xe2 => content.starts_with(b"ICC_PROFILE\0"),
            0xee => content.starts_with(b"Adobe"),
            // The other applications' segments, and comments.
            0xe1..=0xef | 0xfe => false,
            START_OF_SCAN => return Some(bytes.ends_with(&[0xff, END_OF_IMAGE])),
            _ => true,
        };
        if !is_silent {
            return Some(false);
        }
        at += 2 + length;
    }
}

/// Chunks that change how the pixels look, or hold them (PNG 3, 11; the last three are of moving
/// ones).
const PNG_SILENT: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"mDCV", b"cLLI", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

fn png_is_silent(bytes: &[u8]) -> Option<bool> {
    let mut at = 8;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        let kind: &[u8; 4] = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        if !PNG_SILENT.contains(&kind) {
            return Some(false);
        }
        at = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        if kind == b"IEND" {
            return Some(at == bytes.len());
        }
    }
    None
}

const WEBP_SILENT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP", b"ANIM", b"ANMF"];

/// Chunks of RIFF (RFC 9649, 2).
fn webp_is_silent(bytes: &[u8]) -> Option<bool> {
    let mut at = 12;
    while at < bytes.len() {
        let kind: &[u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
        if !WEBP_SILENT.contains(&kind) {
            return Some(false);
        }
        let length = usize::try_from(length).ok()?;
        at = at.checked_add(8)?.checked_add(length)?.checked_add(length % 2)?;
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker], length.as_slice(), content].concat()
    }

    fn jpeg(segments: &[Vec<u8>], end: &[u8]) -> Vec<u8> {
        let scan = segment(START_OF_SCAN, b"\x01\x01\0\0\x3f\0");
        [&[0xff, 0xd8], segments.concat().as_slice(), &scan, b"pixels", end].concat()
    }

    #[test]
    fn talk_in_a_jpeg_is_noticed() {
        let end = [0xff, END_OF_IMAGE];
        for (segments, end, talks) in [
            (vec![], end.as_slice(), false),
            (vec![segment(0xe0, b"JFIF\0\x01"), segment(0xdb, b"table")], &end, false),
            (vec![segment(0xe2, b"ICC_PROFILE\0\x01\x01")], &end, false),
            (vec![segment(0xe1, b"Exif\0\0")], &end, true),
            (vec![segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0")], &end, true),
            (vec![segment(0xe2, b"MPF\0")], &end, true),
            (vec![segment(0xed, b"Photoshop 3.0\0")], &end, true),
            (vec![segment(0xfe, b"made by me")], &end, true),
            (vec![], b"\xff\xd9ftypmp42", true),
            (vec![vec![0xff, 0xe0, 0xff, 0xff]], &end, true),
        ] {
            let bytes = jpeg(&segments, end);
            assert_eq!(has_any(&bytes, Encoding::Jpeg), talks, "{segments:?}");
        }
    }

    fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length, kind.as_slice(), content, b"sum!"].concat()
    }

    #[test]
    fn talk_in_a_png_is_noticed() {
        let png = |chunks: &[Vec<u8>]| [b"\x89PNG\r\n\x1a\n", chunks.concat().as_slice()].concat();
        let [head, end] = [png_chunk(b"IHDR", b"head"), png_chunk(b"IEND", b"")];
        for (chunks, talks) in [
            (vec![head.clone(), end.clone()], false),
            (vec![head.clone(), png_chunk(b"iCCP", b"x"), end.clone()], false),
            (vec![head.clone(), png_chunk(b"eXIf", b"x"), end.clone()], true),
            (vec![head.clone(), png_chunk(b"tEXt", b"Author\0me"), end.clone()], true),
            (vec![head.clone(), png_chunk(b"tIME", b"x"), end.clone()], true),
            (vec![head.clone(), end.clone(), b"more".to_vec()], true),
            (vec![head.clone()], true),
            (vec![vec![0xff; 9]], true),
        ] {
            assert_eq!(has_any(&png(&chunks), Encoding::Png), talks, "{chunks:?}");
        }
    }

    #[test]
    fn talk_in_a_webp_is_noticed() {
        let chunk = |kind: &[u8; 4], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            let padding = vec![0; content.len() % 2];
            [kind.as_slice(), &length, content, &padding].concat()
        };
        let webp = |chunks: &[Vec<u8>]| [b"RIFF\0\0\0\0WEBP", chunks.concat().as_slice()].concat();
        let pixels = chunk(b"VP8L", b"odd");
        for (chunks, talks) in [
            (vec![pixels.clone()], false),
            (vec![chunk(b"ICCP", b"even"), pixels.clone()], false),
            (vec![pixels.clone(), chunk(b"EXIF", b"x")], true),
            (vec![pixels.clone(), chunk(b"XMP ", b"x")], true),
            (vec![pixels.clone(), b"VP".to_vec()], true),
        ] {
            assert_eq!(has_any(&webp(&chunks), Encoding::Webp), talks, "{chunks:?}");
        }
    }
}
