//! Each limit at its value and one above, and what holds for any content.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::domain::{ids::OrganizationId, time::Timestamp};

const ALL_KINDS: &[Kind] =
    &[Kind::Text, Kind::Link, Kind::Image, Kind::Gif, Kind::Video, Kind::Thread];

const LIMITS: Limits = Limits {
    text: TextLimit { max: 10, unit: TextUnit::Graphemes },
    text_bytes_max: Some(40),
    images_max: 4,
    image_bytes_max: 1_000,
    image_formats: &["image/png", "image/jpeg"],
    gif_bytes_max: 500,
    videos_max: 1,
    video_bytes_max: 9_000,
    video_formats: &["video/mp4"],
    alt_chars_max: 5,
    parts_max: 3,
    ..Limits::NONE
};

const PNG: MediaId = MediaId(1);
const GIF: MediaId = MediaId(2);
const MP4: MediaId = MediaId(3);
const BMP: MediaId = MediaId(4);
const LARGE_PNG: MediaId = MediaId(5);
const LARGE_GIF: MediaId = MediaId(6);
const LARGE_MP4: MediaId = MediaId(7);
const MISSING: MediaId = MediaId(8);

fn library() -> BTreeMap<MediaId, Media> {
    let files = [
        (PNG, MediaKind::Image, "image/png", 1_000),
        (GIF, MediaKind::Gif, "image/gif", 500),
        (MP4, MediaKind::Video, "video/mp4", 9_000),
        (BMP, MediaKind::Image, "image/bmp", 1),
        (LARGE_PNG, MediaKind::Image, "image/png", 1_001),
        (LARGE_GIF, MediaKind::Gif, "image/gif", 501),
        (LARGE_MP4, MediaKind::Video, "video/mp4", 9_001),
    ];
    let media = |(id, kind, mime, bytes): (MediaId, MediaKind, &str, u64)| Media {
        id,
        organization: OrganizationId(1),
        kind,
        mime: mime.to_owned(),
        bytes,
        size: None,
        length: None,
        codec: String::new(),
        sha256: [0; 32],
        name: String::new(),
        created: Timestamp(0),
    };
    files.into_iter().map(|file| (file.0, media(file))).collect()
}

fn part(text: &str, media: &[(MediaId, &str)]) -> Part {
    let media = media.iter().map(|&(media, alt)| Attachment { media, alt: alt.to_owned() });
    Part { text: text.to_owned(), media: media.collect() }
}

fn findings(limits: Limits, kinds: &[Kind], parts: &[Part]) -> Findings {
    let content = Content { parts: parts.to_vec(), options: BTreeMap::new() };
    let (content, media) = (&content, &library());
    check(&Candidate { platform: "Testagram", limits, kinds, content, media })
}

/// Code, place and sentence of each error.
fn errors(parts: &[Part]) -> Vec<(Code, String, String)> {
    let findings = findings(LIMITS, ALL_KINDS, parts);
    let brief = |problem: Problem| (problem.code, problem.place, problem.sentence);
    findings.errors.into_iter().map(brief).collect()
}

/// The only error is `code` at `place`, and its sentence holds all of `words`.
fn refused(parts: &[Part], code: Code, place: &str, words: &[&str]) {
    let errors = errors(parts);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!((errors[0].0, errors[0].1.as_str()), (code, place), "{}", errors[0].2);
    for word in words {
        assert!(errors[0].2.contains(word), "`{word}` in `{}`", errors[0].2);
    }
}

fn accepted(parts: &[Part]) {
    assert_eq!(errors(parts), []);
}

fn files(media: &[MediaId]) -> Part {
    let described: Vec<_> = media.iter().map(|&media| (media, "alt")).collect();
    part("", &described)
}

#[test]
fn text_fits_at_its_limit_and_not_above() {
    accepted(&[part("0123456789", &[])]);
    accepted(&[part("👨‍👩‍👧 family", &[])]);
    let text = "content.parts[1].text";
    let parts = [part("one", &[]), part("01234567890", &[])];
    refused(&parts, Code::TextTooLong, text, &["11 characters", "Testagram allows 10"]);
    accepted(&[part(&"🙂".repeat(10), &[])]);
    let bytes = [part("one", &[]), part(&"👨‍👩‍👧".repeat(3), &[])];
    refused(&bytes, Code::TextTooLong, text, &["54 bytes", "allows 40"]);
}

#[test]
fn empty_post_and_empty_part_are_refused() {
    refused(&[], Code::TextMissing, "content", &["empty"]);
    refused(&[part(" \n", &[])], Code::TextMissing, "content.parts[0].text", &["neither"]);
    accepted(&[part(" ", &[(PNG, "alt")])]);
}

#[test]
fn text_of_a_template_is_kept_elsewhere() {
    let without = Limits { text: TextLimit { max: 0, unit: TextUnit::Chars }, ..LIMITS };
    let of = |kinds: &[Kind]| findings(without, kinds, &[part("", &[])]).errors;
    assert_eq!(of(&[Kind::Template, Kind::Image]), []);
    // Among the kinds of a platform, it is one choice of several.
    assert_eq!(of(&[Kind::Template, Kind::Text])[0].code, Code::TextMissing);
}

#[test]
fn invisible_zero_is_refused_in_text_and_description() {
    refused(&[part("a\0b", &[])], Code::Invalid, "content.parts[0].text", &["U+0000"]);
    let place = "content.parts[0].media[0].alt";
    refused(&[part("", &[(PNG, "\0")])], Code::Invalid, place, &["U+0000"]);
}

#[test]
fn thread_fits_at_its_limit_and_not_above() {
    let thread = |parts| vec![part("x", &[]); parts];
    accepted(&thread(3));
    refused(&thread(4), Code::TooManyParts, "content.parts", &["4 parts", "allows 3"]);
    let no_threads = findings(LIMITS, &[Kind::Text], &thread(2));
    assert_eq!(no_threads.errors[0].code, Code::TooManyParts);
}

#[test]
fn media_fit_at_their_number_and_not_above() {
    let media = "content.parts[0].media";
    accepted(&[files(&[PNG; 4])]);
    refused(&[files(&[PNG; 5])], Code::TooManyMedia, media, &["5 images", "allows 4"]);
    accepted(&[files(&[MP4])]);
    refused(&[files(&[MP4; 2])], Code::TooManyMedia, media, &["2 videos", "allows 1"]);
}

#[test]
fn images_videos_and_gifs_are_not_mixed_unless_the_platform_allows_it() {
    let media = "content.parts[0].media";
    accepted(&[files(&[GIF])]);
    refused(&[files(&[PNG, MP4])], Code::MediaMixed, media, &["not both"]);
    refused(&[files(&[PNG, GIF])], Code::MediaMixed, media, &["GIF only by itself"]);
    refused(&[files(&[GIF, GIF])], Code::MediaMixed, media, &["GIF only by itself"]);
    let mixing = Limits { mixing: Mixing::Allowed, ..LIMITS };
    assert_eq!(findings(mixing, ALL_KINDS, &[files(&[PNG, GIF, MP4])]).errors, []);
}

#[test]
fn file_fits_at_its_size_and_not_above() {
    let place = "content.parts[0].media[0]";
    for (file, words) in [
        (LARGE_PNG, ["image has 1001 bytes", "allows 1000"]),
        (LARGE_GIF, ["GIF has 501 bytes", "allows 500"]),
        (LARGE_MP4, ["video has 9001 bytes", "allows 9000"]),
    ] {
        refused(&[files(&[file])], Code::MediaTooLarge, place, &words);
    }
}

#[test]
fn file_of_another_format_or_kind_or_that_is_missing_is_refused() {
    let place = "content.parts[0].media[0]";
    let formats = ["image/bmp", "image/png, image/jpeg"];
    refused(&[files(&[BMP])], Code::MediaFormat, place, &formats);
    refused(&[files(&[MISSING])], Code::MediaNotFound, place, &[&MISSING.to_string()]);
    let images_only = findings(LIMITS, &[Kind::Image], &[files(&[MP4])]);
    assert_eq!(images_only.errors[0].code, Code::MediaFormat);
    let text_alone = findings(LIMITS, &[Kind::Image], &[part("text", &[])]);
    assert_eq!(text_alone.errors[0].code, Code::Invalid);
}

#[test]
fn description_fits_at_its_limit_and_a_missing_one_is_a_warning() {
    accepted(&[part("", &[(PNG, "12345")])]);
    let place = "content.parts[0].media[1].alt";
    let parts = [part("", &[(PNG, "alt"), (PNG, "123456")])];
    refused(&parts, Code::AltTooLong, place, &["6 characters", "allows 5"]);
    let undescribed = findings(LIMITS, ALL_KINDS, &[part("", &[(PNG, "alt"), (PNG, " ")])]);
    assert_eq!(undescribed.errors, []);
    assert_eq!(undescribed.warnings[0].place, place);
    // Where nobody would be shown it, nobody is asked for it.
    let limits = Limits { alt_chars_max: 0, ..LIMITS };
    let untold = findings(limits, ALL_KINDS, &[part("", &[(PNG, "")])]);
    assert_eq!((untold.errors, untold.warnings), (vec![], vec![]));
}

#[test]
fn a_template_is_told_of_its_text_and_not_of_a_missing_file() {
    let limits = Limits { text: TextLimit { max: 0, unit: TextUnit::Chars }, ..LIMITS };
    let found = findings(limits, &[Kind::Template, Kind::Image], &[part("Hello", &[])]);
    let told: Vec<&str> = found.errors.iter().map(|error| error.sentence.as_str()).collect();
    assert!(told.len() == 1 && told[0].contains("shows no text with this"), "{told:?}");
}

#[test]
fn everything_wrong_is_found_in_one_go() {
    let parts = [part("01234567890", &[(MISSING, "123456")]), part("", &[])];
    let codes: Vec<Code> = errors(&parts).into_iter().map(|error| error.0).collect();
    let expected = [Code::TextTooLong, Code::MediaNotFound, Code::AltTooLong, Code::TextMissing];
    assert_eq!(codes, expected);
}

#[test]
fn servers_limits_replace_the_profiles() {
    let profile =
        Limits { text: TextLimit { max: 500, unit: TextUnit::Mastodon { url: 23 } }, ..LIMITS };
    assert_eq!(limits_of(profile, &LimitOverrides::default()), profile);
    let overrides = LimitOverrides {
        text_max: Some(5_000),
        url_chars: Some(30),
        images_max: Some(16),
        image_bytes_max: Some(7),
        video_bytes_max: Some(8),
        alt_chars_max: Some(9),
    };
    let expected = Limits {
        text: TextLimit { max: 5_000, unit: TextUnit::Mastodon { url: 30 } },
        images_max: 16,
        image_bytes_max: 7,
        video_bytes_max: 8,
        alt_chars_max: 9,
        ..profile
    };
    assert_eq!(limits_of(profile, &overrides), expected);
    assert_eq!(limits_of(LIMITS, &overrides).text.unit, TextUnit::Graphemes);
    let absurd = LimitOverrides { url_chars: Some(u32::MAX), ..LimitOverrides::default() };
    assert_eq!(limits_of(profile, &absurd).text.unit, TextUnit::Mastodon { url: 10_000 });
}

#[test]
fn priority_goes_from_one_to_ten() {
    let refused: Vec<u8> = (0..=255).filter(|&it| check_priority(it).is_some()).collect();
    assert_eq!(refused.len(), 246);
    assert!(check_priority(1).is_none() && check_priority(10).is_none());
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z ]{0,14}", "(https://x.y/[a-z]{0,9} ?|@a@b.c ?|👨‍👩‍👧|é){0,6}"]
}

fn any_unit() -> impl Strategy<Value = TextUnit> {
    prop_oneof![
        Just(TextUnit::Graphemes),
        (0..40_u32).prop_map(|url| TextUnit::Mastodon { url }),
        Just(TextUnit::Weighted),
    ]
}

fn any_part() -> impl Strategy<Value = Part> {
    let attachment = (1..9_u128, "[a-z ]{0,7}");
    (any_text(), vec(attachment, 0..6)).prop_map(|(text, media)| Part {
        text,
        media: media.into_iter().map(|(id, alt)| Attachment { media: MediaId(id), alt }).collect(),
    })
}

#[test]
fn bytes_are_counted_of_a_post_and_not_of_its_comment() {
    let comment = Some(TextLimit { max: 100, unit: TextUnit::Chars });
    let text = TextLimit { max: 100, unit: TextUnit::Chars };
    let limits = Limits { text, comment, parts_max: 2, ..LIMITS };
    let kinds = &[Kind::Text, Kind::Comment];
    let long = "a".repeat(41);
    assert_eq!(findings(limits, kinds, &[part("short", &[]), part(&long, &[])]).errors, []);
    let errors = findings(limits, kinds, &[part(&long, &[]), part("short", &[])]).errors;
    let places: Vec<_> = errors.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["content.parts[0].text"]);
}

proptest! {
    #[test]
    fn any_content_gets_an_answer_with_places_and_remedies(
        parts in vec(any_part(), 0..5),
        unit in any_unit(),
        kinds in proptest::sample::subsequence(ALL_KINDS, 0..=ALL_KINDS.len()),
    ) {
        let limits = Limits { text: TextLimit { max: 10, unit }, ..LIMITS };
        let findings = findings(limits, &kinds, &parts);
        prop_assert_eq!(findings.measures.len(), parts.len());
        for problem in findings.errors.iter().chain(&findings.warnings) {
            prop_assert!(problem.place.starts_with("content"), "{problem:?}");
            prop_assert!(problem.sentence.ends_with('.') && problem.remedy.ends_with('.'));
        }
    }

    #[test]
    fn text_alone_fits_exactly_within_its_limits(
        texts in vec(any_text(), 0..5),
        unit in any_unit(),
        max in 0..30_u32,
        bytes_max in proptest::option::of(0..60_u32),
    ) {
        let limits =
            Limits { text: TextLimit { max, unit }, text_bytes_max: bytes_max, ..LIMITS };
        let parts: Vec<Part> = texts.iter().map(|text| part(text, &[])).collect();
        let findings = findings(limits, ALL_KINDS, &parts);
        let fits = (1..=3).contains(&texts.len())
            && texts.iter().all(|it| {
                !it.trim().is_empty()
                    && !it.contains('\0')
                    && text::length(it, unit) <= max
                    && bytes_max.is_none_or(|most| it.len() <= most as usize)
            });
        prop_assert_eq!(findings.errors.is_empty(), fits, "{:?}", findings.errors);
    }
}
