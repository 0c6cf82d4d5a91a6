//! Whether the picture of an image or a video has the shape and the length that a platform takes.

use crate::domain::{
    media::{Media, MediaKind},
    platform::{Lengths, Limits, Ratios},
    problem::{Code, Problem},
};

use super::FIT;

/// What is not known of a file is not complained of: the platform looks at it anyway.
pub(super) fn check(media: &Media, platform: &str, limits: &Limits, place: &str) -> Vec<Problem> {
    let (ratios, remedy) = match media.kind {
        MediaKind::Image | MediaKind::Gif => (limits.image_ratio, FIT),
        MediaKind::Video => (limits.video_ratio, "Cut or convert the video."),
        MediaKind::Document => return Vec::new(),
    };
    let name = media.kind.name();
    let mut problems = Vec::new();
    let mut complain = |sentence: String, remedy: &str| {
        problems.push(Problem::new(Code::MediaShape, sentence, remedy).at(place));
    };
    if let (Some(ratios), Some((width, height))) = (ratios, media.size)
        && !fits(width, height, ratios)
    {
        let (least, most) = (decimal(ratios.min), decimal(ratios.max));
        let found = decimal(thousandths(width, height));
        complain(
            format!(
                "This {name} is {width} by {height} pixels, {found} times as wide as it is high; \
                 {platform} takes {least} to {most}."
            ),
            remedy,
        );
    }
    if let (MediaKind::Image, Some(max), Some((width, height))) =
        (media.kind, limits.image_pixels_max, media.size)
        && u64::from(width) * u64::from(height) > max
    {
        let sentence =
            format!("This image has {width} by {height} pixels; {platform} allows {max} in all.");
        complain(sentence, FIT);
    }
    if let (MediaKind::Video, Some(Lengths { min, max }), Some(length)) =
        (media.kind, limits.video_length, media.length)
        && (length < min || length > max)
    {
        let (found, least, most) = (length.as_secs_f32(), min.as_secs_f32(), max.as_secs_f32());
        complain(
            format!("This video is {found} seconds long; {platform} takes {least} to {most}."),
            "Cut the video.",
        );
    }
    problems
}

/// Pixels are whole, so a picture that was made for a limit may miss it by one.
fn fits(width: u32, height: u32, ratios: Ratios) -> bool {
    let (widest, narrowest) = (thousandths(width + 1, height), thousandths(width, height + 1));
    widest >= ratios.min && narrowest <= ratios.max
}

fn thousandths(width: u32, height: u32) -> u32 {
    let ratio = u64::from(width) * 1_000 / u64::from(height.max(1));
    u32::try_from(ratio).unwrap_or(u32::MAX)
}

fn decimal(thousandths: u32) -> String {
    let text = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{
        ids::{MediaId, OrganizationId},
        time::Timestamp,
    };

    fn media(kind: MediaKind, size: (u32, u32), seconds: u64) -> Media {
        Media {
            id: MediaId(1),
            organization: OrganizationId(1),
            kind,
            mime: String::new(),
            bytes: 1,
            size: Some(size),
            length: Some(Duration::from_secs(seconds)),
            codec: String::new(),
            sha256: [0; 32],
            name: String::new(),
            created: Timestamp(0),
        }
    }

    const LIMITS: Limits = Limits {
        image_ratio: Some(Ratios { min: 800, max: 1_910 }),
        image_pixels_max: Some(4_000_000),
        video_length: Some(Lengths { min: Duration::from_secs(3), max: Duration::from_secs(90) }),
        ..Limits::NONE
    };

    fn sentences(media: &Media) -> Vec<String> {
        let found = check(media, "Testagram", &LIMITS, "here");
        found.into_iter().map(|problem| problem.sentence).collect()
    }

    #[test]
    fn picture_fits_at_its_ratios_and_not_beyond() {
        for (size, fits) in
            [((1080, 1350), true), ((1080, 1352), false), ((1080, 566), true), ((1080, 560), false)]
        {
            let found = sentences(&media(MediaKind::Image, size, 0));
            assert_eq!(found.is_empty(), fits, "{size:?}: {found:?}");
        }
        let found = sentences(&media(MediaKind::Image, (100, 200), 0));
        assert!(found[0].contains("100 by 200") && found[0].contains("0.5 times"), "{found:?}");
        assert!(found[0].contains("0.8 to 1.91"), "{found:?}");
    }

    #[test]
    fn picture_with_too_many_pixels_and_video_of_wrong_length_are_refused() {
        assert!(sentences(&media(MediaKind::Image, (2000, 2000), 0)).is_empty());
        assert_eq!(sentences(&media(MediaKind::Image, (2001, 2000), 0)).len(), 1);
        for (seconds, fits) in [(2, false), (3, true), (90, true), (91, false)] {
            let found = sentences(&media(MediaKind::Video, (9, 16), seconds));
            assert_eq!(found.is_empty(), fits, "{seconds}: {found:?}");
        }
    }
}
