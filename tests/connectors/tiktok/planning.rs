//! What is said while a post is planned.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{Draft, Finding, JobPart},
    domain::{account::Identity, media::MediaKind, platform::Intake, problem::Code},
};

use super::{connector, owned};
use crate::fake::{media, part, takes};

fn findings(parts: &[JobPart], options: &BTreeMap<String, String>) -> Vec<Finding> {
    let author = Identity::default();
    connector().check(&Draft { parts, options, author: &author })
}

/// Codes and places: errors, then warnings.
type Said = (Vec<(Code, String)>, Vec<String>);

fn said(part: JobPart, options: &[(&str, &str)]) -> Said {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for finding in findings(&[part], &owned(options)) {
        match finding {
            Finding::Error(problem) => errors.push((problem.code, problem.place)),
            Finding::Warning(problem) => warnings.push(problem.place),
        }
    }
    (errors, warnings)
}

fn film(text: &str) -> JobPart {
    part(text, vec![media(2, MediaKind::Video, "video/mp4")])
}

fn photos() -> JobPart {
    part("hi", vec![media(2, MediaKind::Image, "image/jpeg")])
}

fn invalid(option: &str) -> Said {
    (vec![(Code::Invalid, format!("content.options.{option}"))], Vec::new())
}

#[test]
fn who_may_see_it_has_to_be_said() {
    assert_eq!(said(film("hi"), &[]), invalid("privacy"));
    let nothing = findings(&[], &BTreeMap::new());
    assert!(matches!(nothing.as_slice(), [Finding::Error(_)]));
    for privacy in ["public", "followers", "friends", "self"] {
        assert!(takes(connector(), "privacy", privacy));
        assert_eq!(said(film("hi"), &[("privacy", privacy)]), Said::default());
    }
    assert!(!takes(connector(), "privacy", "PUBLIC_TO_EVERYONE"));
}

#[test]
fn a_paid_partnership_is_for_others_to_see() {
    let paid = |privacy| said(film("hi"), &[("privacy", privacy), ("brand_content", "true")]);
    assert_eq!(paid("self"), invalid("brand_content"));
    assert_eq!(paid("friends"), Said::default());
}

#[test]
fn texts_are_counted_as_tiktok_counts() {
    let public = [("privacy", "public")];
    assert_eq!(said(film(&"😀".repeat(1_100)), &public), Said::default());
    let long = said(film(&"😀".repeat(1_101)), &public);
    assert_eq!(long.0, [(Code::TextTooLong, "content.parts[0].text".to_owned())]);
    let photos_say = |text: &str| said(JobPart { text: text.to_owned(), ..photos() }, &public);
    assert_eq!(photos_say(&"a".repeat(2_201)), Said::default());
    let titled = |title: &str| said(photos(), &[("privacy", "public"), ("title", title)]);
    assert_eq!(titled(&"😀".repeat(45)), Said::default());
    assert_eq!(titled(&"😀".repeat(46)), invalid("title"));
}

#[test]
fn a_film_has_a_size_and_a_length() {
    let sized = |width, height| {
        let mut film = film("hi");
        film.media[0].size = Some((width, height));
        said(film, &[("privacy", "public")]).0
    };
    assert_eq!(sized(360, 4_096), []);
    let place = "content.parts[0].media[0]".to_owned();
    assert_eq!(sized(359, 640), [(Code::MediaShape, place.clone())]);
    assert_eq!(sized(360, 4_097), [(Code::MediaShape, place)]);
    let cover = |at| said(film("hi"), &[("privacy", "public"), ("thumb_offset", at)]);
    assert_eq!(cover("20000"), Said::default());
    assert_eq!(cover("20001"), invalid("thumb_offset"));
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let warned = |part, name: &str, value| {
        let (errors, warnings) = said(part, &[("privacy", "public"), (name, value)]);
        assert_eq!(errors, []);
        warnings == [format!("content.options.{name}")]
    };
    for option in ["disable_duet", "disable_stitch"] {
        assert!(warned(photos(), option, "true") && !warned(film("hi"), option, "true"));
    }
    assert!(warned(photos(), "thumb_offset", "1"));
    for (option, value) in [("title", "T"), ("auto_add_music", "true")] {
        assert!(warned(film("hi"), option, value) && !warned(photos(), option, value));
    }
    // A label that would be missing is more than that.
    let label = [("privacy", "public"), ("ai_generated", "true")];
    assert_eq!(said(photos(), &label), invalid("ai_generated"));
    assert_eq!(said(film("hi"), &label), Said::default());
    let described = part("hi", vec![media(1, MediaKind::Image, "image/jpeg")]);
    let place = "content.parts[0].media[0].alt".to_owned();
    assert_eq!(said(described, &[("privacy", "public")]), (Vec::new(), vec![place]));
}

#[test]
fn only_photos_have_to_be_fetched() {
    let limits = connector().profile().limits;
    assert_eq!(limits.intake, Intake::ImagesByUrl);
    assert!(!limits.image_formats.contains(&"image/png"));
    assert_eq!(limits.video_length.unwrap().max, Duration::from_secs(600));
}
