//! The pixels of images: their size, and what `policy::mend` decides to do with them.
//!
//! The only place that names the crates which know image formats. They are given damaged and
//! hostile files: the number of pixels is looked at before any is decoded, and a panic in them is
//! an image that cannot be read.

mod metadata;

use std::{
    io::{Cursor, Read, Seek},
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    AnimationDecoder, DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError,
    ImageResult, Rgb, RgbImage, Rgba, RgbaImage,
    codecs::{
        gif::GifDecoder,
        jpeg::{JpegDecoder, JpegEncoder},
        png::{PngDecoder, PngEncoder},
        webp::{WebPDecoder, WebPEncoder},
    },
    imageops::{self, FilterType},
    metadata::Orientation,
};

use crate::{
    domain::{
        media::Media,
        problem::{Code, Problem},
    },
    engine::core::unexpected,
    policy::mend::{Format, Image, PIXELS_MAX, Placing, Try},
};

/// Of what is opened, still encoded.
pub(super) const BYTES_MAX: u64 = 128 * 1024 * 1024;

/// More than stands before the pixels of any JPEG; its decoder wants all it is given in memory.
const HEAD_BYTES: u64 = 4 * 1024 * 1024;

/// Four channels of 16 bits.
const ALLOCATION_MAX: u64 = 8 * PIXELS_MAX;

/// What we can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Gif,
    Jpeg,
    Png,
    Webp,
}

impl Encoding {
    fn of(mime: &str) -> Option<Encoding> {
        match mime {
            "image/gif" => Some(Encoding::Gif),
            "image/jpeg" => Some(Encoding::Jpeg),
            "image/png" => Some(Encoding::Png),
            "image/webp" => Some(Encoding::Webp),
            _ => None,
        }
    }
}

/// As the image is shown: turned upright, where the file says how. `None`: it is not understood.
pub(super) fn size(file: &mut (impl Read + Seek), mime: &str) -> Option<(u32, u32)> {
    let looked = catch_unwind(AssertUnwindSafe(|| shown_size(file, mime)));
    looked.ok().flatten()
}

fn shown_size(file: &mut (impl Read + Seek), mime: &str) -> Option<(u32, u32)> {
    file.rewind().ok()?;
    let mut head = Vec::new();
    file.take(HEAD_BYTES).read_to_end(&mut head).ok()?;
    let known = Encoding::of(mime).and_then(|encoding| {
        let (decoder, _) = decoder(encoding, &head).ok()?;
        upright_size(decoder).ok()
    });
    known.or_else(|| {
        let size = imagesize::blob_size(&head).ok()?;
        Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
    })
}

fn upright_size(mut decoder: impl ImageDecoder) -> ImageResult<(u32, u32)> {
    let (width, height) = decoder.dimensions();
    Ok(match decoder.orientation()? {
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moves {
    Yes,
    No,
}

fn decoder(encoding: Encoding, bytes: &[u8]) -> ImageResult<(Box<dyn ImageDecoder + '_>, Moves)> {
    let source = Cursor::new(bytes);
    let moves = |several: bool| if several { Moves::Yes } else { Moves::No };
    Ok(match encoding {
        Encoding::Jpeg => (Box::new(JpegDecoder::new(source)?), Moves::No),
        Encoding::Png => {
            // A colour profile is unpacked while the head is read.
            let decoder = PngDecoder::with_limits(source, limits())?;
            let several = decoder.is_apng()?;
            (Box::new(decoder), moves(several))
        }
        Encoding::Webp => {
            let decoder = WebPDecoder::new(source)?;
            let several = decoder.has_animation();
            (Box::new(decoder), moves(several))
        }
        // Whether it moves shows only further on: see `frames`.
        Encoding::Gif => (Box::new(GifDecoder::new(source)?), Moves::No),
    })
}

fn limits() -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(ALLOCATION_MAX);
    limits
}

/// An image that is to be changed, still encoded.
pub(super) struct Picture {
    bytes: Vec<u8>,
    encoding: Encoding,
    size: (u32, u32),
    turned: bool,
    moves: Moves,
}

impl Picture {
    /// Refuses what is too large to be opened, before any pixel is decoded.
    pub(super) fn open(bytes: Vec<u8>, media: &Media) -> Result<Picture, Problem> {
        let encoding = Encoding::of(&media.mime).ok_or_else(|| {
            let mime = &media.mime;
            Problem::new(
                Code::MediaFormat,
                format!("This image is {mime}, which can be published but not changed here."),
                "Convert it to JPEG or PNG before you upload it.",
            )
        })?;
        let (mut decoder, moves) =
            decoder(encoding, &bytes).map_err(|error| unreadable(&error.to_string()))?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels > PIXELS_MAX {
            return Err(Problem::new(
                Code::MediaTooLarge,
                format!(
                    "This image has {width} by {height} pixels; at most {PIXELS_MAX} in all are \
                     opened here."
                ),
                "Make it smaller before you upload it.",
            ));
        }
        let orientation = decoder.orientation().map_err(|error| unreadable(&error.to_string()))?;
        let turned = orientation != Orientation::NoTransforms;
        let size = upright_size(decoder).map_err(|error| unreadable(&error.to_string()))?;
        let moves = match encoding {
            Encoding::Gif if frames(&bytes) > 1 => Moves::Yes,
            Encoding::Gif | Encoding::Jpeg | Encoding::Png | Encoding::Webp => moves,
        };
        Ok(Picture { bytes, encoding, size, turned, moves })
    }

    pub(super) fn facts<'a>(&self, media: &'a Media) -> Image<'a> {
        Image {
            kind: media.kind,
            mime: &media.mime,
            bytes: media.bytes,
            size: self.size,
            turned: self.turned,
            talkative: metadata::has_any(&self.bytes, self.encoding),
            moving: self.moves == Moves::Yes,
        }
    }

    /// Upright, and with nothing but its pixels and what their colours mean.
    pub(super) fn decode(self) -> Result<Canvas, Problem> {
        let read = || -> ImageResult<Canvas> {
            let (mut decoder, _) = decoder(self.encoding, &self.bytes)?;
            let orientation = decoder.orientation()?;
            let profile = decoder.icc_profile()?.filter(|profile| is_of_rgb(profile));
            let mut image = DynamicImage::from_decoder(decoder)?;
            image.apply_orientation(orientation);
            let image = match image.color().has_alpha() {
                true => DynamicImage::ImageRgba8(image.into_rgba8()),
                false => DynamicImage::ImageRgb8(image.into_rgb8()),
            };
            Ok(Canvas { image, profile })
        };
        read().map_err(|error| unreadable(&error.to_string()))
    }
}

/// Two are enough to know that it moves.
fn frames(gif: &[u8]) -> usize {
    let frames = GifDecoder::new(Cursor::new(gif)).map(AnimationDecoder::into_frames);
    frames.map_or(0, |frames| frames.take(2).filter(Result::is_ok).count())
}

/// A profile for another kind of colours would be wrong for what is written (ICC.1, 7.2.6).
fn is_of_rgb(profile: &[u8]) -> bool {
    profile.get(16..20) == Some(b"RGB ")
}

/// Pixels in memory.
pub(super) struct Canvas {
    image: DynamicImage,
    /// What its colours mean, where the file said so.
    profile: Option<Vec<u8>>,
}

impl Canvas {
    pub(super) fn placed(&self, Placing { scaled, frame }: Placing) -> Canvas {
        let mut image = match (self.image.width(), self.image.height()) == scaled {
            true => self.image.clone(),
            false => self.image.resize_exact(scaled.0, scaled.1, FilterType::CatmullRom),
        };
        let beside = |large: u32, small: u32| large.saturating_sub(small) / 2;
        let cut = (scaled.0.min(frame.0), scaled.1.min(frame.1));
        if cut != scaled {
            let (x, y) = (beside(scaled.0, cut.0), beside(scaled.1, cut.1));
            image = image.crop_imm(x, y, cut.0, cut.1);
        }
        if cut != frame {
            let (x, y) = (beside(frame.0, cut.0), beside(frame.1, cut.1));
            image = on_white(&image, frame, (x, y));
        }
        Canvas { image, profile: self.profile.clone() }
    }

    pub(super) fn encode(&self, attempt: &Try) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let written = match attempt.format {
            Format::Jpeg => {
                let encoder = JpegEncoder::new_with_quality(&mut bytes, attempt.quality);
                match self.image.color().has_alpha() {
                    true => self.write(encoder, &on_white(&self.image, self.size(), (0, 0))),
                    false => self.write(encoder, &self.image),
                }
            }
            Format::Png => self.write(PngEncoder::new(&mut bytes), &self.image),
            Format::Webp => self.write(WebPEncoder::new_lossless(&mut bytes), &self.image),
        };
        written.map_err(|error| unexpected(&format!("an image was not written: {error}")))?;
        Ok(bytes)
    }

    pub(super) fn size(&self) -> (u32, u32) {
        (self.image.width(), self.image.height())
    }

    fn write(&self, mut encoder: impl ImageEncoder, image: &DynamicImage) -> ImageResult<()> {
        if let Some(profile) = &self.profile {
            encoder.set_icc_profile(profile.clone()).map_err(ImageError::Unsupported)?;
        }
        let colours = ExtendedColorType::from(image.color());
        encoder.write_image(image.as_bytes(), image.width(), image.height(), colours)
    }
}

fn on_white(image: &DynamicImage, frame: (u32, u32), (x, y): (u32, u32)) -> DynamicImage {
    let (x, y) = (x.into(), y.into());
    match image.as_rgb8() {
        Some(opaque) => {
            let mut white = RgbImage::from_pixel(frame.0, frame.1, Rgb([255; 3]));
            imageops::replace(&mut white, opaque, x, y);
            DynamicImage::ImageRgb8(white)
        }
        None => {
            let mut white = RgbaImage::from_pixel(frame.0, frame.1, Rgba([255; 4]));
            imageops::overlay(&mut white, image, x, y);
            DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(white).into_rgb8())
        }
    }
}

fn unreadable(why: &str) -> Problem {
    Problem::new(
        Code::MediaFormat,
        format!("This image cannot be read: {why}."),
        "Look whether it opens on your device, and export and upload it again.",
    )
}

#[cfg(test)]
mod tests;
