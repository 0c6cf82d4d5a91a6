//! Decides how an image is changed so that a platform takes it: which format, which size, what of
//! it is shown. The pixels are somebody else's work.
//!
//! Invariants:
//! - what comes out keeps to the limits that it was made for, ratio and pixels exactly;
//! - every further try is smaller than the one before, so trying ends;
//! - nothing becomes larger than it was, but for the border that padding adds.

use crate::domain::{
    media::MediaKind,
    platform::{Kind, Limits, Ratios},
    problem::{Code, Problem},
};

/// An image as it was found.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    pub kind: MediaKind,
    pub mime: &'a str,
    pub bytes: u64,
    /// In pixels, as it is shown.
    pub size: (u32, u32),
    /// Its pixels are stored in another position, and a note in the file says how to turn them.
    pub turned: bool,
    /// It says more than its pixels: where it was taken, with what, by whom.
    pub talkative: bool,
    /// More than one frame.
    pub moving: bool,
}

/// Where an image is to be used.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The platform's name as people write it.
    pub platform: &'a str,
    pub limits: Limits,
    pub kinds: &'a [Kind],
}

/// How an image gets another ratio of width to height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// All of it stays, with a border.
    Pad,
    /// Its middle stays.
    Crop,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It can be used as it is.
    Fits,
    Change(Work),
}

/// What has to be done, and how far it may go.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    size: (u32, u32),
    ratio: Option<Ratios>,
    pixels_max: u64,
    shape: Shape,
    /// In the order in which they are tried. Never empty.
    formats: Vec<Format>,
    pub bytes_max: u64,
}

/// What we can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Webp,
}

/// One way to do the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Try {
    pub format: Format,
    /// 1 to 100; means nothing to a format that loses nothing.
    pub quality: u8,
    pub placing: Placing,
    scale: f64,
}

/// The whole image is scaled, and its middle is put into the middle of the frame: a larger frame
/// has a border, a smaller one cuts something off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placing {
    pub scaled: (u32, u32),
    pub frame: (u32, u32),
}

/// From where nobody sees a difference to where one begins to; then a smaller picture looks better
/// than a worse one.
const QUALITIES: [u8; 3] = [90, 82, 74];

/// Smaller would be no picture any more.
const SIDE_MIN: u32 = 32;

/// The most that WebP can hold; JPEG holds more.
const SIDE_MAX: u32 = 16_383;

/// What is opened, and what comes out, the border included: each needs three or four bytes of
/// memory, two or three times over. Cameras of telephones make 12 to 50 million.
pub const PIXELS_MAX: u64 = 64_000_000;

impl Format {
    const ALL: [Format; 3] = [Format::Jpeg, Format::Png, Format::Webp];

    pub fn mime(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
            Format::Webp => "image/webp",
        }
    }

    fn of(mime: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.mime() == mime)
    }
}

/// The refusal says what stands in the way, and what a person can do.
pub fn decide(image: &Image, place: &Place, shape: Shape) -> Result<Verdict, Problem> {
    let Place { platform, limits, kinds } = place;
    let (width, height) = image.size;
    let in_shape = limits.image_ratio.is_none_or(|ratios| is_within(image.size, ratios));
    let is_gif = image.kind == MediaKind::Gif;
    if is_gif && kinds.contains(&Kind::Gif) && in_shape && image.bytes <= limits.gif_bytes_max {
        return Ok(Verdict::Fits);
    }
    if !kinds.contains(&Kind::Image) {
        let sentence = format!("{platform} takes no images here.");
        return Err(Problem::new(Code::MediaFormat, sentence, "Choose another format."));
    }
    let few_enough =
        limits.image_pixels_max.is_none_or(|max| u64::from(width) * u64::from(height) <= max);
    let is_known = !is_gif && limits.image_formats.contains(&image.mime);
    let fits = is_known && in_shape && few_enough && image.bytes <= limits.image_bytes_max;
    if fits && !image.turned && !image.talkative {
        return Ok(Verdict::Fits);
    }
    if image.moving {
        let sentence = format!(
            "This image moves; it would have to be changed for {platform}, and would stand still."
        );
        let remedy = "Upload one frame of it as an image, or all of it as a video.";
        return Err(Problem::new(Code::MediaFormat, sentence, remedy));
    }
    let formats = formats(image, limits);
    if formats.is_empty() {
        let known = limits.image_formats.join(", ");
        let sentence = format!("{platform} takes {known}, none of which can be made here.");
        return Err(Problem::new(Code::MediaFormat, sentence, "Convert it before you upload it."));
    }
    Ok(Verdict::Change(Work {
        size: image.size,
        ratio: limits.image_ratio,
        pixels_max: limits.image_pixels_max.unwrap_or(PIXELS_MAX).min(PIXELS_MAX),
        shape,
        formats,
        bytes_max: limits.image_bytes_max,
    }))
}

/// Its own format if that is taken, else the first that is; JPEG at last, because only there bytes
/// can be bargained with.
fn formats(image: &Image, limits: &Limits) -> Vec<Format> {
    let taken: Vec<Format> =
        limits.image_formats.iter().filter_map(|mime| Format::of(mime)).collect();
    let own = Format::of(image.mime).filter(|own| taken.contains(own));
    let mut formats: Vec<Format> = own.or(taken.first().copied()).into_iter().collect();
    if taken.contains(&Format::Jpeg) && !formats.contains(&Format::Jpeg) {
        formats.push(Format::Jpeg);
    }
    formats
}

impl Work {
    pub fn first(&self) -> Try {
        self.at(self.formats[0], QUALITIES[0], 1.0)
    }

    /// After a try that came to `bytes`, which is too much. `None`: it cannot be made so small.
    pub fn next(&self, last: &Try, bytes: u64) -> Option<Try> {
        let later = self.formats.iter().skip_while(|&&format| format != last.format).nth(1);
        if let Some(&format) = later {
            return Some(self.at(format, QUALITIES[0], last.scale));
        }
        // All that quality has to give is about a half.
        let is_near = bytes / 2 <= self.bytes_max;
        let lower = QUALITIES.into_iter().find(|&quality| quality < last.quality);
        if let (Format::Jpeg, true, Some(quality)) = (last.format, is_near, lower) {
            return Some(Try { quality, ..*last });
        }
        // Bytes grow about as pixels do; a little less, so that few tries are needed.
        let ratio = self.bytes_max as f64 / bytes.max(1) as f64;
        let scale = last.scale * (ratio.sqrt() * 0.95).clamp(0.25, 0.9);
        let next = self.at(last.format, last.quality.min(QUALITIES[1]), scale);
        let (width, height) = next.placing.frame;
        (width.min(height) >= SIDE_MIN).then_some(next)
    }

    fn at(&self, format: Format, quality: u8, wished: f64) -> Try {
        let mut scale = wished;
        loop {
            let placing = self.placing(scale);
            let (width, height) = placing.frame;
            let pixels = u64::from(width) * u64::from(height);
            let too_many = (self.pixels_max.max(1) as f64 / pixels as f64).sqrt();
            let too_long = f64::from(SIDE_MAX) / f64::from(width.max(height));
            let over = too_many.min(too_long);
            if over >= 1.0 || placing.scaled == (1, 1) {
                return Try { format, quality, placing, scale };
            }
            // Sides are whole, so the first guess may miss by a little.
            scale *= over.clamp(0.01, 0.999);
        }
    }

    fn placing(&self, scale: f64) -> Placing {
        let side = |side: u32| ((f64::from(side) * scale) as u32).max(1);
        let scaled = (side(self.size.0), side(self.size.1));
        let frame = match self.ratio {
            Some(ratios) => framed(scaled, ratios, self.shape),
            None => scaled,
        };
        Placing { scaled, frame }
    }
}

fn is_within((width, height): (u32, u32), Ratios { min, max }: Ratios) -> bool {
    let [width, height, min, max] = [width, height, min, max].map(u64::from);
    width * 1_000 >= height * min && width * 1_000 <= height * max
}

/// The frame with a ratio that is allowed, which changes one side only.
fn framed(size: (u32, u32), ratios: Ratios, shape: Shape) -> (u32, u32) {
    if is_within(size, ratios) {
        return size;
    }
    let [width, height, min, max] = [size.0, size.1, ratios.min, ratios.max.max(1)].map(u64::from);
    let is_narrow = width * 1_000 < height * min;
    let (width, height) = match (shape, is_narrow) {
        (Shape::Pad, true) => ((height * min).div_ceil(1_000), height),
        (Shape::Pad, false) => (width, (width * 1_000).div_ceil(max)),
        (Shape::Crop, true) => (width, width * 1_000 / min),
        (Shape::Crop, false) => (height * max / 1_000, height),
    };
    let side = |side: u64| u32::try_from(side.max(1)).unwrap_or(u32::MAX);
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        images_max: 1,
        image_bytes_max: 8_000_000,
        image_formats: &["image/jpeg", "image/png"],
        image_ratio: Some(Ratios { min: 800, max: 1_910 }),
        image_pixels_max: Some(4_000_000),
        ..Limits::NONE
    };

    const PHOTO: Image = Image {
        kind: MediaKind::Image,
        mime: "image/jpeg",
        bytes: 1_000_000,
        size: (1_000, 1_000),
        turned: false,
        talkative: false,
        moving: false,
    };

    fn decided(image: &Image, limits: Limits, shape: Shape) -> Result<Verdict, Problem> {
        decide(image, &Place { platform: "Testagram", limits, kinds: &[Kind::Image] }, shape)
    }

    fn work(image: &Image, limits: Limits, shape: Shape) -> Work {
        match decided(image, limits, shape) {
            Ok(Verdict::Change(work)) => work,
            other => panic!("{image:?}: {other:?}"),
        }
    }

    #[test]
    fn what_fits_and_says_nothing_is_left_alone() {
        assert_eq!(decided(&PHOTO, LIMITS, Shape::Pad), Ok(Verdict::Fits));
        for changed in [
            Image { mime: "image/webp", ..PHOTO },
            Image { bytes: 8_000_001, ..PHOTO },
            Image { size: (1_000, 1_251), ..PHOTO },
            Image { size: (2_001, 2_000), ..PHOTO },
            Image { turned: true, ..PHOTO },
            Image { talkative: true, ..PHOTO },
        ] {
            work(&changed, LIMITS, Shape::Pad);
        }
    }

    #[test]
    fn what_moves_is_not_made_to_stand_still() {
        let moving = Image { moving: true, ..PHOTO };
        assert_eq!(decided(&moving, LIMITS, Shape::Pad), Ok(Verdict::Fits));
        let refused = decided(&Image { talkative: true, ..moving }, LIMITS, Shape::Pad);
        assert!(refused.unwrap_err().sentence.contains("stand still"));
        let gif = Image { kind: MediaKind::Gif, mime: "image/gif", ..moving };
        assert!(decided(&gif, LIMITS, Shape::Pad).is_err());
        let limits = Limits { gif_bytes_max: 1_000_000, ..LIMITS };
        let place = Place { platform: "Testagram", limits, kinds: &[Kind::Image, Kind::Gif] };
        assert_eq!(decide(&gif, &place, Shape::Pad), Ok(Verdict::Fits));
        let still = Image { moving: false, ..gif };
        assert_eq!(work(&still, LIMITS, Shape::Pad).first().format, Format::Jpeg);
    }

    #[test]
    fn a_place_without_images_and_formats_that_nobody_writes_are_refused_in_words() {
        let place = Place { platform: "Testagram", limits: LIMITS, kinds: &[Kind::Video] };
        assert!(decide(&PHOTO, &place, Shape::Pad).is_err());
        let limits = Limits { image_formats: &["image/avif"], ..LIMITS };
        let refused = decided(&PHOTO, limits, Shape::Pad).unwrap_err();
        assert!(refused.sentence.contains("image/avif"), "{}", refused.sentence);
    }

    #[test]
    fn own_format_is_kept_where_it_is_taken_else_the_first_that_is() {
        for (mime, taken, expected) in [
            ("image/png", ["image/jpeg", "image/png"], [Format::Png, Format::Jpeg].as_slice()),
            ("image/webp", ["image/png", "image/jpeg"], &[Format::Png, Format::Jpeg]),
            ("image/webp", ["image/jpeg", "image/png"], &[Format::Jpeg]),
            ("image/jpeg", ["image/avif", "image/webp"], &[Format::Webp]),
        ] {
            let limits = Limits { image_formats: taken.to_vec().leak(), ..LIMITS };
            assert_eq!(formats(&Image { mime, ..PHOTO }, &limits), expected, "{mime} {taken:?}");
        }
    }

    #[test]
    fn ratio_is_mended_by_a_border_or_by_a_cut() {
        for (size, shape, frame) in [
            ((600, 1_000), Shape::Pad, (800, 1_000)),
            ((600, 1_000), Shape::Crop, (600, 750)),
            ((2_000, 1_000), Shape::Pad, (2_000, 1_048)),
            ((2_000, 1_000), Shape::Crop, (1_910, 1_000)),
        ] {
            let placing = work(&Image { size, ..PHOTO }, LIMITS, shape).first().placing;
            assert_eq!(placing, Placing { scaled: size, frame }, "{size:?} {shape:?}");
        }
    }

    #[test]
    fn border_of_a_thin_image_does_not_fill_the_memory() {
        let limits = Limits { image_pixels_max: None, ..LIMITS };
        for size in [(64_000_000, 1), (1, 64_000_000), (64_000, 1_000), (1_000, 64_000)] {
            let (width, height) =
                work(&Image { size, ..PHOTO }, limits, Shape::Pad).first().placing.frame;
            assert!(width.max(height) <= SIDE_MAX, "{size:?}: {width} by {height}");
            assert!(u64::from(width) * u64::from(height) <= PIXELS_MAX, "{size:?}");
            assert!(is_within((width, height), LIMITS.image_ratio.unwrap()), "{size:?}");
        }
    }

    #[test]
    fn bytes_are_bargained_for_by_format_then_quality_then_size() {
        let large = Image { mime: "image/png", bytes: 9_000_000, ..PHOTO };
        let work = work(&large, LIMITS, Shape::Pad);
        let mut tries = vec![work.first()];
        while let Some(next) = work.next(tries.last().unwrap(), 16_000_000) {
            tries.push(next);
        }
        let seen: Vec<_> =
            tries.iter().take(6).map(|it| (it.format, it.quality, it.placing.frame.0)).collect();
        assert_eq!(
            seen,
            [
                (Format::Png, 90, 1_000),
                (Format::Jpeg, 90, 1_000),
                (Format::Jpeg, 82, 1_000),
                (Format::Jpeg, 74, 1_000),
                (Format::Jpeg, 74, 671),
                (Format::Jpeg, 74, 451),
            ]
        );
        let far_off = work.next(&tries[1], 80_000_000).unwrap();
        assert_eq!((far_off.quality, far_off.placing.frame.0), (82, 300));
        assert!(tries.len() < 20, "{}", tries.len());
        assert!(tries.last().unwrap().placing.frame.0 >= SIDE_MIN);
    }

    proptest! {
        #[test]
        fn every_try_keeps_to_ratio_and_pixels(
            width in 1_u32..20_000,
            height in 1_u32..20_000,
            pixels_max in 10_000_u64..50_000_000,
            crop in any::<bool>(),
            bytes in 8_000_001_u64..900_000_000,
        ) {
            let shape = if crop { Shape::Crop } else { Shape::Pad };
            let limits = Limits { image_pixels_max: Some(pixels_max), ..LIMITS };
            let image = Image { size: (width, height), talkative: true, ..PHOTO };
            let work = work(&image, limits, shape);
            let mut last = work.first();
            for _ in 0..80 {
                let Placing { scaled, frame } = last.placing;
                let extreme = frame.0 == 1 || frame.1 == 1;
                prop_assert!(extreme || is_within(frame, LIMITS.image_ratio.unwrap()));
                prop_assert!(u64::from(frame.0) * u64::from(frame.1) <= pixels_max);
                prop_assert!(frame.0.max(frame.1) <= SIDE_MAX);
                prop_assert!(scaled.0 <= width && scaled.1 <= height);
                match work.next(&last, bytes) {
                    Some(next) => last = next,
                    None => return Ok(()),
                }
            }
            prop_assert!(false, "it does not end");
        }
    }
}
