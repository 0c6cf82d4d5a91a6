//! What is found while a post is planned.

use super::*;

/// Places, those of errors with a `!` in front.
fn findings(job: &Job) -> Vec<String> {
    let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
    let place = |finding| match finding {
        Finding::Error(problem) => format!("!{}", problem.place),
        Finding::Warning(problem) => problem.place,
    };
    connector().check(&draft).into_iter().map(place).collect()
}

#[test]
fn what_linkedin_cannot_do_is_found_while_it_is_planned() {
    let link = [("link", "https://example.com"), ("link_title", "A")];
    let poll = [("poll", "a\nb"), ("poll_question", "?")];
    let plain = || JobMedia { alt: String::new(), ..film() };
    let (files, options) = ("content.parts[0].media", "content.options");
    let small = JobMedia { bytes: 76_799, ..plain() };
    let pdf = document("a.pdf");
    for (given, media, expected) in [
        (&[][..], vec![], vec![]),
        (&link[..], vec![image(2)], vec![]),
        (&poll[..], vec![], vec![]),
        (&[("title", "T")], vec![pdf.clone()], vec![]),
        (&[("quote", QUOTED)], vec![], vec![]),
        (&link[..1], vec![], vec![format!("!{options}.link_title")]),
        (&link, vec![image(2), image(4)], vec![format!("!{files}")]),
        (&link, vec![pdf.clone()], vec![format!("!{files}")]),
        (&poll[..1], vec![], vec![format!("!{options}.poll_question")]),
        (&poll, vec![image(2)], vec![format!("!{files}")]),
        (&[link, poll].concat(), vec![], vec![format!("!{options}.poll")]),
        (&[("quote", QUOTED)], vec![image(2)], vec![format!("!{files}")]),
        (&[("quote", QUOTED), link[0], link[1]], vec![], vec![format!("!{options}.quote")]),
        (&[("quote", "urn:li:activity:7")], vec![], vec![format!("!{options}.quote")]),
        (&[("visibility", "connections")], vec![], vec![format!("!{options}.visibility")]),
        (&[("visibility", "logged_in")], vec![], vec![]),
        (&[], vec![small], vec![format!("!{files}[0]")]),
        // Warnings.
        (&[], vec![film()], vec![format!("{files}[0].alt")]),
        (&link, vec![image(1)], vec![format!("{files}[0].alt")]),
        (&link[1..], vec![], vec![format!("{options}.link_title")]),
        (&poll[1..], vec![], vec![format!("{options}.poll_question")]),
        (&[("title", "T")], vec![image(2)], vec![format!("{options}.title")]),
    ] {
        assert_eq!(findings(&with_options(given, media)), expected, "{given:?}");
    }
    let bare = post("See https://example.com/a", Vec::new());
    assert_eq!(findings(&bare), ["content.parts[0].text"]);
    let connections = as_member(with_options(&[("visibility", "connections")], Vec::new()));
    assert_eq!(findings(&connections), [""; 0]);
}

#[test]
fn a_comment_is_for_organizations() {
    assert_eq!(findings(&with_comment()), [""; 0]);
    assert_eq!(findings(&as_member(with_comment())), ["!content.parts[1]"]);
    let mut job = with_comment();
    job.parts[1] = JobPart { text: "@[A](urn:li:organization:1)".to_owned(), media: Vec::new() };
    assert_eq!(findings(&job), ["content.parts[1].text"]);
}

#[test]
fn a_quoted_post_is_named_by_itself_or_by_its_address() {
    for (named, parent) in [
        (QUOTED, QUOTED),
        ("urn:li:ugcPost:7", "urn:li:ugcPost:7"),
        ("https://www.linkedin.com/feed/update/urn:li:share:7/", "urn:li:share:7"),
        ("https://www.linkedin.com/feed/update/urn%3Ali%3AugcPost%3A7?x=1", "urn:li:ugcPost:7"),
        ("https://www.linkedin.com/posts/ada_my-share-of-it-share-7012-Xy_z", "urn:li:share:7012"),
        ("https://www.linkedin.com/posts/ada_my-words-ugcPost-7012-Xy_z", "urn:li:ugcPost:7012"),
    ] {
        let body = body_of(&with_options(&[("quote", named)], Vec::new()));
        assert_eq!(body["reshareContext"]["parent"], parent, "{named}");
    }
    for named in [
        "urn:li:activity:7",
        "urn:li:share:",
        "7",
        "https://www.linkedin.com/posts/ada_my-words-activity-7012-Xy_z",
        "https://www.linkedin.com/feed/update/urn:li:activity:7?from=urn:li:share:8",
        "https://example.com/-share-7",
    ] {
        let found = findings(&with_options(&[("quote", named)], Vec::new()));
        assert_eq!(found, ["!content.options.quote"], "{named}");
    }
}
