//! Pixels go in and come out as a person would see them.

use image::GenericImageView;

use super::*;
use crate::{
    domain::{
        ids::{MediaId, OrganizationId},
        media::MediaKind,
        platform::{Kind, Limits, Ratios},
        time::Timestamp,
    },
    policy::mend::{self, Place, Shape, Verdict, Work},
};

const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);
const WHITE: Rgba<u8> = Rgba([255; 4]);
const CLEAR: Rgba<u8> = Rgba([0; 4]);

/// One colour on the left, another on the right.
fn flag(size: (u32, u32), left: Rgba<u8>, right: Rgba<u8>) -> DynamicImage {
    let colour = |x, _| if x < size.0 / 2 { left } else { right };
    DynamicImage::ImageRgba8(RgbaImage::from_fn(size.0, size.1, colour))
}

fn red_and_blue(size: (u32, u32)) -> DynamicImage {
    DynamicImage::ImageRgb8(flag(size, RED, BLUE).into_rgb8())
}

/// "Turn it by a quarter to the right", and nothing else.
fn on_its_side() -> Vec<u8> {
    b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec()
}

fn encoded(image: &DynamicImage, format: Format, exif: Option<Vec<u8>>) -> Vec<u8> {
    fn put(mut encoder: impl ImageEncoder, image: &DynamicImage, exif: Option<Vec<u8>>) {
        if let Some(exif) = exif {
            encoder.set_exif_metadata(exif).unwrap();
        }
        let colours = image.color().into();
        encoder.write_image(image.as_bytes(), image.width(), image.height(), colours).unwrap();
    }
    let mut bytes = Vec::new();
    match format {
        Format::Jpeg => put(JpegEncoder::new_with_quality(&mut bytes, 95), image, exif),
        Format::Png => put(PngEncoder::new(&mut bytes), image, exif),
        Format::Webp => put(WebPEncoder::new_lossless(&mut bytes), image, exif),
    }
    bytes
}

fn media(mime: &str, bytes: &[u8]) -> Media {
    Media {
        id: MediaId(1),
        organization: OrganizationId(1),
        kind: MediaKind::Image,
        mime: mime.to_owned(),
        bytes: bytes.len() as u64,
        size: None,
        length: None,
        codec: String::new(),
        sha256: [0; 32],
        name: String::new(),
        created: Timestamp(0),
    }
}

fn work(picture: &Picture, media: &Media, limits: Limits, shape: Shape) -> Work {
    let place = Place { platform: "Testagram", limits, kinds: &[Kind::Image] };
    match mend::decide(&picture.facts(media), &place, shape) {
        Ok(Verdict::Change(work)) => work,
        other => panic!("{other:?}"),
    }
}

const LIMITS: Limits = Limits {
    images_max: 1,
    image_bytes_max: 1_000_000,
    image_formats: &["image/jpeg"],
    ..Limits::NONE
};

/// As it comes out at the first try.
fn mended(format: Format, bytes: Vec<u8>, limits: Limits, shape: Shape) -> (Vec<u8>, DynamicImage) {
    let media = media(format.mime(), &bytes);
    let picture = Picture::open(bytes, &media).unwrap();
    let work = work(&picture, &media, limits, shape);
    let canvas = picture.decode().unwrap().placed(work.first().placing);
    let written = canvas.encode(&work.first()).unwrap();
    let image = image::load_from_memory(&written).unwrap();
    assert_eq!((image.width(), image.height()), canvas.size());
    (written, image)
}

fn near(image: &DynamicImage, (x, y): (u32, u32), expected: Rgba<u8>) {
    let found = image.get_pixel(x, y);
    let differs = found.0.iter().zip(expected.0).any(|(found, it)| found.abs_diff(it) > 40);
    assert!(!differs, "at {x}, {y}: {found:?}, not {expected:?}");
}

#[test]
fn image_on_its_side_is_known_and_written_upright_without_its_metadata() {
    for format in [Format::Jpeg, Format::Png, Format::Webp] {
        let bytes = encoded(&red_and_blue((64, 32)), format, Some(on_its_side()));
        let shown = size(&mut Cursor::new(&bytes), format.mime());
        assert_eq!(shown, Some((32, 64)), "{format:?}");
        let (written, image) = mended(format, bytes, LIMITS, Shape::Pad);
        assert_eq!((image.width(), image.height()), (32, 64));
        near(&image, (16, 8), RED);
        near(&image, (16, 56), BLUE);
        assert!(!metadata::has_any(&written, Encoding::Jpeg), "{format:?}");
    }
}

#[test]
fn border_is_white_and_a_cut_keeps_the_middle() {
    let limits = Limits { image_ratio: Some(Ratios { min: 1_000, max: 1_000 }), ..LIMITS };
    let bytes = encoded(&red_and_blue((128, 64)), Format::Jpeg, None);
    let (_, padded) = mended(Format::Jpeg, bytes.clone(), limits, Shape::Pad);
    assert_eq!((padded.width(), padded.height()), (128, 128));
    near(&padded, (8, 8), WHITE);
    near(&padded, (8, 120), WHITE);
    near(&padded, (8, 64), RED);
    near(&padded, (120, 64), BLUE);
    let (_, cut) = mended(Format::Jpeg, bytes, limits, Shape::Crop);
    assert_eq!((cut.width(), cut.height()), (64, 64));
    near(&cut, (8, 32), RED);
    near(&cut, (56, 32), BLUE);
}

#[test]
fn what_is_clear_becomes_white_where_there_is_nothing_clear() {
    let bytes = encoded(&flag((64, 32), RED, CLEAR), Format::Png, None);
    let (_, image) = mended(Format::Png, bytes, LIMITS, Shape::Pad);
    near(&image, (8, 16), RED);
    near(&image, (56, 16), WHITE);
}

#[test]
fn profile_of_its_colours_stays_with_an_image() {
    let mut profile = vec![0; 128];
    profile[16..20].copy_from_slice(b"RGB ");
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile.clone()).unwrap();
    let image = red_and_blue((8, 8));
    encoder.write_image(image.as_bytes(), 8, 8, ExtendedColorType::Rgb8).unwrap();
    let (written, _) = mended(Format::Png, bytes, LIMITS, Shape::Pad);
    let mut decoder = JpegDecoder::new(Cursor::new(&written)).unwrap();
    assert_eq!(decoder.icc_profile().unwrap(), Some(profile));
}

#[test]
fn image_with_too_many_pixels_is_refused_unopened() {
    let mut png = encoded(&red_and_blue((2, 2)), Format::Png, None);
    png[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&20_000_u32.to_be_bytes());
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    let problem = Picture::open(png.clone(), &media("image/png", &png)).err().unwrap();
    assert_eq!(problem.code, Code::MediaTooLarge);
    assert!(problem.sentence.contains("20000 by 20000"), "{}", problem.sentence);
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 }
        })
    })
}

#[test]
fn damaged_image_is_refused_in_words_and_one_that_we_cannot_change_too() {
    let whole = encoded(&red_and_blue((64, 64)), Format::Png, None);
    let half = whole[..whole.len() / 2].to_vec();
    let problem = match Picture::open(half.clone(), &media("image/png", &half)) {
        Ok(picture) => picture.decode().err().unwrap(),
        Err(problem) => problem,
    };
    assert!(problem.sentence.contains("cannot be read"), "{}", problem.sentence);
    for mime in ["image/heif", "image/avif", "image/bmp"] {
        let problem = Picture::open(whole.clone(), &media(mime, &whole)).err().unwrap();
        assert!(problem.sentence.contains(mime), "{}", problem.sentence);
    }
}

#[test]
fn size_is_known_even_of_an_image_that_has_only_its_head() {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x02\0\0\0";
    assert_eq!(size(&mut Cursor::new(head), "image/png"), Some((2, 3)));
    assert_eq!(size(&mut Cursor::new(b"nothing"), "image/png"), None);
    let bmp = b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x05\0\0\0\x07\0\0\0\x01\0\x18\0";
    assert_eq!(size(&mut Cursor::new(bmp), "image/bmp"), Some((5, 7)));
}

#[test]
fn gif_that_moves_is_told_from_one_that_stands_still() {
    for (frames, moving) in [(1, false), (2, true)] {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        for _ in 0..frames {
            let frame = image::Frame::new(flag((4, 4), RED, BLUE).into_rgba8());
            encoder.encode_frame(frame).unwrap();
        }
        drop(encoder);
        let media = Media { kind: MediaKind::Gif, ..media("image/gif", &bytes) };
        let picture = Picture::open(bytes, &media).unwrap();
        assert_eq!(picture.facts(&media).moving, moving);
    }
}
