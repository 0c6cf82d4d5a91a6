//! What is said while a post is planned.

use fanfare::connectors::{Draft, Finding};

use super::*;

/// Places of the errors, then of the warnings.
fn places(options: &[(&str, &str)], media: Vec<JobMedia>) -> (Vec<String>, Vec<String>) {
    let job = with_options(options, media);
    let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for finding in connector().check(&draft) {
        match finding {
            Finding::Error(problem) => errors.push(problem.place),
            Finding::Warning(problem) => warnings.push(problem.place),
        }
    }
    (errors, warnings)
}

/// Of the options that were complained of.
fn errors(options: &[(&str, &str)]) -> Vec<String> {
    let (errors, warnings) = places(options, Vec::new());
    assert_eq!(warnings, [""; 0]);
    errors.iter().map(|place| place.strip_prefix("content.options.").unwrap().to_owned()).collect()
}

fn without(
    options: &[(&'static str, &'static str)],
    name: &str,
) -> Vec<(&'static str, &'static str)> {
    options.iter().copied().filter(|(known, _)| *known != name).collect()
}

#[test]
fn an_event_and_an_offer_need_a_title_and_a_time() {
    for complete in [EVENT, OFFER] {
        assert_eq!(errors(complete), [""; 0]);
        for name in ["event_title", "event_start", "event_end"] {
            assert_eq!(errors(&without(complete, name)), [name]);
        }
    }
    for written in
        ["tomorrow", "2026-12-01", "2026-12-01 18:00", "2026-12-01T18:00Z", "2026-13-01T18:00"]
    {
        let mut options = without(EVENT, "event_start");
        options.push(("event_start", written));
        assert_eq!(errors(&options), ["event_start"], "{written}");
    }
    for end in ["2026-12-01T18:00", "2026-11-30T20:00"] {
        let mut options = without(EVENT, "event_end");
        options.push(("event_end", end));
        assert_eq!(errors(&options), ["event_end"], "{end}");
    }
}

#[test]
fn what_another_format_would_show_is_not_dropped_in_silence() {
    assert_eq!(errors(&EVENT[1..]), ["event_title", "event_start", "event_end"]);
    let offered = [EVENT, &[("coupon", "HALF")]].concat();
    assert_eq!(errors(&offered), ["coupon"]);
    assert_eq!(errors(&[("offer_url", "https://example.com"), ("offer_terms", "None.")]).len(), 2);
}

#[test]
fn a_button_has_an_address_unless_it_calls() {
    let url = ("action_url", "https://example.com");
    for action in ["book", "order", "shop", "learn_more", "sign_up"] {
        assert_eq!(errors(&[("action", action), url]), [""; 0]);
        assert_eq!(errors(&[("action", action)]), ["action_url"]);
    }
    assert_eq!(errors(&[("action", "call")]), [""; 0]);
    assert_eq!(errors(&[("action", "call"), url]), ["action_url"]);
    assert_eq!(errors(&[url]), ["action_url"]);
    assert_eq!(errors(&[EVENT, BUTTON].concat()), [""; 0]);
    assert_eq!(errors(&[OFFER, BUTTON].concat()), ["action"]);
}

#[test]
fn an_image_can_be_too_small() {
    let place = |image: JobMedia| places(&[], vec![image]);
    assert_eq!(place(image()), (vec![], vec![]));
    let error = (vec!["content.parts[0].media[0]".to_owned()], vec![]);
    assert_eq!(place(JobMedia { bytes: 10 * 1024 - 1, ..image() }), error);
    assert_eq!(place(JobMedia { bytes: 10 * 1024, ..image() }), (vec![], vec![]));
    assert_eq!(place(JobMedia { size: Some((250, 249)), ..image() }), error);
    assert_eq!(place(JobMedia { size: Some((250, 250)), ..image() }), (vec![], vec![]));
    let described = JobMedia { alt: "A loaf".to_owned(), ..image() };
    assert_eq!(place(described), (vec![], vec!["content.parts[0].media[0].alt".to_owned()]));
}

/// It takes them, and rejects them later; they may be something else, so they are no errors.
#[test]
fn what_google_rejects_later_is_warned_of() {
    let warned = |text: &str| {
        let mut job = with_options(&[], Vec::new());
        job.parts[0].text = text.to_owned();
        let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
        connector().check(&draft).len()
    };
    for (text, count) in [
        ("Call +49 731 123-4567 now", 1),
        ("Call (0731) 1234567 now", 1),
        ("From 2026-12-01 to 24.12., 10 to 18, for 1,500 euros", 0),
        ("FRESH BREAD EVERY SINGLE DAY", 1),
        ("GmbH & Co. KG: BREAD", 0),
        ("Fresh bread, every single day", 0),
    ] {
        assert_eq!(warned(text), count, "{text}");
    }
}
