//! Files that every platform takes: pictures, upright films of some seconds, a document.

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};

/// A square, of one shade, so that each `salt` is a file of its own.
pub(crate) fn jpeg(salt: u8) -> Vec<u8> {
    const SIDE: u32 = 320;
    let pixels = vec![salt; (SIDE * SIDE) as usize];
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new(&mut bytes);
    encoder.write_image(&pixels, SIDE, SIDE, ExtendedColorType::L8).unwrap();
    bytes
}

/// A square that does not compress: networks that show pictures large take none of a few bytes.
pub(crate) fn grain(salt: u8) -> Vec<u8> {
    const SIDE: u32 = 320;
    let mut state = u32::from(salt) + 1;
    let shade = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    let pixels: Vec<u8> = (0..SIDE * SIDE).map(shade).collect();
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new(&mut bytes);
    encoder.write_image(&pixels, SIDE, SIDE, ExtendedColorType::L8).unwrap();
    bytes
}

const WAVES: &[u8] = include_bytes!("../../src/cli/demo/waves.mp4");

/// Below this LinkedIn takes no film.
const FILM_BYTES_MIN: usize = 75 * 1024;

/// A film that says to last `seconds` and to be upright, 9 to 16.
pub(crate) fn film(salt: u8, seconds: u32) -> Vec<u8> {
    let mut bytes = WAVES.to_vec();
    // Version and flags, two times; then the ticks of a second, and how many it lasts.
    let header = content(&bytes, b"mvhd");
    let scale = u32::from_be_bytes(bytes[header + 12..header + 16].try_into().unwrap());
    bytes[header + 16..header + 20].copy_from_slice(&(scale * seconds).to_be_bytes());
    // The last two fields of a track's header are its sides, with 16 bits behind the point.
    let track = content(&bytes, b"tkhd");
    for (at, side) in [(76, 540_u32), (80, 960)] {
        bytes[track + at..track + at + 4].copy_from_slice(&(side << 16).to_be_bytes());
    }
    roomy(bytes, salt, FILM_BYTES_MIN)
}

/// The same film with so many bytes more that nobody looks at.
pub(crate) fn roomy(mut bytes: Vec<u8>, salt: u8, room: usize) -> Vec<u8> {
    let room = vec![salt; room];
    bytes.extend(u32::try_from(room.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"free");
    bytes.extend(room);
    bytes
}

/// Where the first box of that kind has its content.
fn content(bytes: &[u8], kind: &[u8; 4]) -> usize {
    bytes.windows(4).position(|window| window == kind).unwrap() + 4
}

pub(crate) fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
      2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
        .to_vec()
}
