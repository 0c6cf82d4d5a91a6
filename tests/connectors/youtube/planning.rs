//! What is said while a post is planned.

use fanfare::connectors::{Draft, Finding};

use super::*;

/// Places of the errors, then of the warnings.
fn places(options: &[(&str, &str)], parts: &[(&str, Vec<JobMedia>)]) -> (Vec<String>, Vec<String>) {
    let job = with_options(options, Vec::new());
    let parts: Vec<_> = parts.iter().map(|(text, media)| part(text, media.clone())).collect();
    let draft = Draft { parts: &parts, options: &job.options, author: &job.author };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for finding in connector().check(&draft) {
        match finding {
            Finding::Error(problem) => errors.push(problem.place),
            Finding::Warning(problem) => warnings.push(problem.place),
        }
    }
    (errors, warnings)
}

const KNOWN: [(&str, &str); 2] = [("title", "A walk"), ("made_for_kids", "false")];

fn errors_with(more: &[(&str, &str)], parts: &[(&str, Vec<JobMedia>)]) -> Vec<String> {
    let options: Vec<_> = KNOWN.into_iter().chain(more.iter().copied()).collect();
    places(&options, parts).0
}

#[test]
fn a_title_and_the_word_about_children_are_needed() {
    let parts = [("Text", vec![film()])];
    assert_eq!(places(&KNOWN, &parts), (vec![], vec![]));
    let (errors, _) = places(&[], &parts);
    assert_eq!(errors, ["content.options.title", "content.options.made_for_kids"]);
    assert_eq!(places(&[("title", " "), KNOWN[1]], &parts).0, ["content.options.title"]);
}

#[test]
fn angle_brackets_are_refused_wherever_youtube_refuses_them() {
    let film = || vec![film()];
    let title = [("title", "a < b"), KNOWN[1]];
    assert_eq!(places(&title, &[("", film())]).0, ["content.options.title"]);
    assert_eq!(errors_with(&[], &[("a > b", film())]), ["content.parts[0].text"]);
    assert_eq!(errors_with(&[("tags", "<a>")], &[("", film())]), ["content.options.tags"]);
    assert_eq!(errors_with(&[], &[("", film()), ("a > b", vec![])]), [""; 0]);
}

/// 500, with a comma between two and quotation marks around what has a space.
#[test]
fn tags_are_counted_as_youtube_counts_them() {
    let parts = [("", vec![film()])];
    let fits = |tags: &str| errors_with(&[("tags", tags)], &parts).is_empty();
    let tag = |length: usize| "t".repeat(length);
    assert!(fits(&tag(500)));
    assert!(!fits(&tag(501)));
    assert!(fits(&format!("{}\n{}", tag(249), tag(250))));
    assert!(!fits(&format!("{}\n{}", tag(250), tag(250))));
    assert!(fits(&format!("a {}", tag(496))));
    assert!(!fits(&format!("a {}", tag(497))));
}

#[test]
fn a_picture_without_a_film_is_no_post() {
    assert_eq!(errors_with(&[], &[("", vec![picture()])]), ["content.parts[0].media"]);
    assert_eq!(errors_with(&[], &[("", vec![picture(), film()])]), [""; 0]);
    // What is wrong with a post that has no files at all is said by its limits.
    assert_eq!(errors_with(&[], &[("", vec![])]), [""; 0]);
    let (_, warnings) =
        places(&KNOWN, &[("", vec![film(), JobMedia { alt: "A hill".into(), ..picture() }])]);
    assert_eq!(warnings, ["content.parts[0].media"]);
}

#[test]
fn a_comment_needs_a_video_that_takes_some() {
    let parts = [("", vec![film()]), ("First!", vec![])];
    assert_eq!(errors_with(&[], &parts), [""; 0]);
    assert_eq!(errors_with(&[("privacy", "unlisted")], &parts), [""; 0]);
    assert_eq!(errors_with(&[("privacy", "private")], &parts), ["content.parts[1]"]);
    let for_kids = [KNOWN[0], ("made_for_kids", "true")];
    assert_eq!(places(&for_kids, &parts).0, ["content.parts[1]"]);
    assert_eq!(places(&for_kids, &parts[..1]).0, [""; 0]);
}

#[test]
fn a_day_is_californias_and_a_video_costs_of_two_budgets() {
    let paces: Vec<_> = connector()
        .profile()
        .paces
        .iter()
        .map(|pace| (pace.calls_max, pace.scope, format!("{:?}", pace.window)))
        .collect();
    let day = "Day(\"America/Los_Angeles\")".to_owned();
    assert_eq!(paces, [(100, PaceScope::App, day.clone()), (10_000, PaceScope::App, day)]);
}

#[test]
fn signing_in_asks_for_access_that_lasts() {
    let [Login::OAuth(oauth)] = connector().profile().logins else { panic!("one way to sign in") };
    assert!(oauth.authorize.path.contains("access_type=offline&prompt=consent"));
    assert_eq!(oauth.scopes, oauth.required);
}
