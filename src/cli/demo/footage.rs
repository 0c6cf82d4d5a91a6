//! Pictures, films and a document of our own making. The PNG is drawn here; how the embedded files
//! were made stands with each.

const WIDTH: u32 = 160;
const HEIGHT: u32 = 90;

/// A PNG: the sun behind a sea.
pub(super) fn picture() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut head = Vec::new();
    head.extend_from_slice(&WIDTH.to_be_bytes());
    head.extend_from_slice(&HEIGHT.to_be_bytes());
    // Eight bits a channel, red, green and blue.
    head.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(&mut png, b"IHDR", &head);
    chunk(&mut png, b"IDAT", &stored(&pixels()));
    chunk(&mut png, b"IEND", b"");
    png
}

/// Each row begins with the number of its filter: none.
fn pixels() -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..HEIGHT {
        rows.push(0);
        for x in 0..WIDTH {
            rows.extend_from_slice(&colour(x, y));
        }
    }
    rows
}

fn colour(x: u32, y: u32) -> [u8; 3] {
    let horizon = HEIGHT * 2 / 3;
    let (across, down) = (x.abs_diff(WIDTH / 2), y.abs_diff(horizon));
    let shade = u8::try_from(y * 2).unwrap_or(u8::MAX);
    if y < horizon && across * across + down * down < 24 * 24 {
        [255, 214, 120]
    } else if y < horizon {
        [70 + shade, 60 + shade / 2, 120 - shade / 4]
    } else if across < 26 && y % 4 < 2 {
        [240, 170, 110]
    } else {
        [24, 46, 88]
    }
}

fn chunk(png: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or_default();
    png.extend_from_slice(&length.to_be_bytes());
    let from = png.len();
    png.extend_from_slice(kind);
    png.extend_from_slice(data);
    let sum = crc32(&png[from..]);
    png.extend_from_slice(&sum.to_be_bytes());
}

/// A zlib stream of one block that is not compressed; the pixels fit into 65,535 bytes.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(&(!length).to_le_bytes());
    stream.extend_from_slice(data);
    stream.extend_from_slice(&adler32(data).to_be_bytes());
    stream
}

/// As PNG has it.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 }
        })
    })
}

/// As zlib has it.
fn adler32(data: &[u8]) -> u32 {
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), &byte| {
        let low = (low + u32::from(byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    (high << 16) | low
}

/// An MP4 that browsers play: a second of waves, H.264, 160 by 90, without sound.
pub(super) fn film() -> Vec<u8> {
    include_bytes!("waves.mp4").to_vec()
}

/// A sky, a sea and a sun, computed pixel by pixel as a PPM of 600 by 480 and written by
/// `ffmpeg -pix_fmt yuvj420p -q:v 9 -map_metadata -1`.
pub(super) fn dawn() -> Vec<u8> {
    include_bytes!("dawn.jpg").to_vec()
}

/// As [`dawn`], with other colours.
pub(super) fn dusk() -> Vec<u8> {
    include_bytes!("dusk.jpg").to_vec()
}

/// Four seconds, upright, 540 by 960, without sound. Each row of a frame has one colour, which
/// follows a sine; raw frames went through `ffmpeg -r 12 -c:v libx264 -preset veryslow -crf 34
/// -pix_fmt yuv420p -movflags +faststart -map_metadata -1`.
pub(super) fn tide() -> Vec<u8> {
    include_bytes!("tide.mp4").to_vec()
}

/// One page of text in Helvetica: a PDF 1.4 of five objects, put together by a script that wrote
/// them out and counted their offsets.
pub(super) fn document() -> Vec<u8> {
    include_bytes!("tides.pdf").to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn files_are_taken_for_what_they_are() {
        let picture = picture();
        let size = imagesize::blob_size(&picture).unwrap();
        assert_eq!((size.width, size.height), (160, 90));
        assert_eq!(infer::get(&picture).unwrap().mime_type(), "image/png");
        let kinds = [
            (film(), "video/mp4"),
            (tide(), "video/mp4"),
            (dawn(), "image/jpeg"),
            (dusk(), "image/jpeg"),
            (document(), "application/pdf"),
        ];
        for (bytes, wanted) in kinds {
            assert_eq!(infer::get(&bytes).unwrap().mime_type(), wanted);
        }
    }
}
