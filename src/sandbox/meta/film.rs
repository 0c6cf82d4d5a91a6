//! What a video is, and how long: as much of ISO 14496-12 as that takes.

use std::{borrow::Cow, ops::RangeInclusive};

use axum::body::Bytes;

use crate::sandbox::shelf;

/// MPEG-4 and QuickTime are what both products recommend; the many others that Facebook also
/// takes are left out.
pub(crate) fn is_film(bytes: &[u8]) -> bool {
    ["video/mp4", "video/quicktime"].contains(&shelf::sniff(bytes))
}

/// A film, and not one that is known to be too short or too long.
pub(crate) fn is_film_of(chunks: &[Bytes], seconds_allowed: &RangeInclusive<f64>) -> bool {
    let is_one = chunks.first().is_some_and(|first| is_film(first));
    is_one && seconds(chunks).is_none_or(|seconds| seconds_allowed.contains(&seconds))
}

/// By the movie header; `None` where there is none.
pub(crate) fn seconds(chunks: &[Bytes]) -> Option<f64> {
    let whole: Cow<'_, [u8]> = match chunks {
        [single] => Cow::Borrowed(single),
        chunks => Cow::Owned(chunks.concat()),
    };
    let header = inside(inside(&whole, b"moov")?, b"mvhd")?;
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    // Version, flags, two times, then the ticks of a second and how many the film has.
    let (scale, ticks) = match header.first()? {
        0 => (number(12)?, f64::from(number(16)?)),
        _ => {
            let high = f64::from(number(24)?) * f64::from(u32::MAX);
            (number(20)?, high + f64::from(number(28)?))
        }
    };
    (scale > 0).then(|| ticks / f64::from(scale))
}

/// What the first box of that kind holds.
fn inside<'a>(mut bytes: &'a [u8], wanted: &[u8; 4]) -> Option<&'a [u8]> {
    loop {
        let size = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let kind = bytes.get(4..8)?;
        let (head, size) = match size {
            // To the end of the file.
            0 => (8, bytes.len()),
            1 => {
                let long = u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?);
                (16, usize::try_from(long).ok()?)
            }
            size => (8, usize::try_from(size).ok()?),
        };
        let held = bytes.get(head..size.min(bytes.len()))?;
        if kind == wanted {
            return Some(held);
        }
        bytes = bytes.get(size.max(head)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_tells_its_length_wherever_its_header_is() {
        let waves = Bytes::from_static(include_bytes!("../../cli/demo/waves.mp4"));
        assert_eq!(seconds(std::slice::from_ref(&waves)), Some(1.0));
        let halves = [waves.slice(..100), waves.slice(100..)];
        assert_eq!(seconds(&halves), Some(1.0));
        for (allowed, wanted) in [(0.5..=2.0, true), (3.0..=90.0, false)] {
            assert_eq!(is_film_of(&halves, &allowed), wanted);
        }
        assert_eq!(seconds(&[waves.slice(..60)]), None);
        assert_eq!(seconds(&[Bytes::from_static(b"\0\0\0\x01moov")]), None);
        assert_eq!(seconds(&[]), None);
    }
}
