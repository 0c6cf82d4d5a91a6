//! Google Business Profile: one request, then Google's own look at the post.

mod discovery;
mod planning;
mod refusals;

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Job, JobMedia, Method, Next, Outcome, Repeat, Reply, Request, Sighting,
        Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        platform::{Kind, PaceCounts, PaceScope, Targets},
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Played, Prepares, Ran, Row, check_rows, job, json_of, media, part, path_of,
    play, reply, run_errand,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "googlebusiness",
    site: &[
        ("api", "https://mybusiness.googleapis.com"),
        ("management", "https://mybusinessaccountmanagement.googleapis.com"),
        ("information", "https://mybusinessbusinessinformation.googleapis.com"),
        ("verifications", "https://mybusinessverifications.googleapis.com"),
        ("token", "https://oauth2.googleapis.com"),
        ("accounts", "https://accounts.google.com"),
        ("web", "https://business.google.com"),
    ],
    author: || Identity {
        remote_id: LOCATION.to_owned(),
        handle: "Hill Street 1".to_owned(),
        url: "https://maps.google.com/maps?cid=2".to_owned(),
        traits: [("language".to_owned(), "de".to_owned())].into(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/googlebusiness.json"),
};

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    discovery::locations_are_listed_account_by_account_and_page_by_page,
    discovery::a_location_that_cannot_post_says_why,
    discovery::many_locations_do_not_make_too_many_requests,
    discovery::who_has_more_locations_than_can_be_listed_is_told_so,
    a_post_is_taken_down_once,
    the_text_of_a_post_is_changed_alone,
];

const LOCATION: &str = "accounts/1/locations/2";
const POST: &str = "accounts/1/locations/2/localPosts/30";
const SEARCH: &str = "https://local.google.com/place?id=2&use=posts&lpsid=30";

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access, "{request:?}");
    let path = path_of(request);
    match (request.method, path.strip_prefix("/v4/accounts/1/locations/2/localPosts")) {
        (Method::Post, Some("")) => {
            let mut post = json_of(request).clone();
            post["name"] = json!(format!("{LOCATION}/localPosts/3{}", memory.posts.len()));
            post["createTime"] = json!(NOW.rfc3339());
            post["state"] = json!("PROCESSING");
            memory.posts.insert(0, post.clone());
            reply(200, post)
        }
        (Method::Get, Some("")) => {
            let mut posts = memory.posts.clone();
            posts.push(listed("Hello, everybody", -3_600));
            reply(200, json!({ "localPosts": posts }))
        }
        (Method::Get, Some(_)) => {
            memory.polls += 1;
            let mut post = memory.posts[0].clone();
            assert_eq!(path.strip_prefix("/v4/"), post["name"].as_str());
            if memory.polls > 1 {
                post["state"] = json!("LIVE");
                post["searchUrl"] = json!(SEARCH);
            }
            reply(200, post)
        }
        _ => panic!("no answer for {request:?}"),
    }
}

/// A standard post, so many seconds after it was armed.
fn listed(summary: &str, after: i64) -> Value {
    let armed = NOW.before(Duration::from_secs(10));
    let at = Timestamp(armed.0.checked_add_signed(after * 1_000).unwrap());
    json!({
        "name": POST, "summary": summary, "topicType": "STANDARD", "createTime": at.rfc3339(),
        "state": "LIVE",
    })
}

const EVENT: &[(&str, &str)] = &[
    ("format", "event"),
    ("event_title", "Open day"),
    ("event_start", "2026-12-01T18:00"),
    ("event_end", "2026-12-02T01:30:15"),
];

const OFFER: &[(&str, &str)] = &[
    ("format", "offer"),
    ("event_title", "Half price"),
    ("event_start", "2026-12-01T00:00"),
    ("event_end", "2026-12-24T23:59"),
    ("coupon", "HALF"),
    ("offer_url", "https://example.com/half"),
    ("offer_terms", "While it lasts."),
];

const BUTTON: &[(&str, &str)] =
    &[("action", "learn_more"), ("action_url", "https://example.com/a")];

fn specialities() -> Vec<Job> {
    let with_button = [EVENT, BUTTON].concat();
    vec![
        with_options(EVENT, Vec::new()),
        with_options(&with_button, vec![image()]),
        with_options(OFFER, vec![image()]),
        with_options(BUTTON, Vec::new()),
        with_options(&[("action", "call")], Vec::new()),
    ]
}

fn connector() -> &'static dyn AnyConnector {
    find("googlebusiness").unwrap()
}

fn image() -> JobMedia {
    JobMedia { alt: String::new(), ..media(1, MediaKind::Image, "image/jpeg") }
}

fn with_options(options: &[(&str, &str)], media: Vec<JobMedia>) -> Job {
    let mut job = job(connector(), &FAKE, vec![part("We are open", media)]);
    job.options = options.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    job
}

fn body_of(job: &Job) -> Value {
    let request = connector().request(&json!("Publish"), job).unwrap();
    crate::specs::check("googlebusiness", &request);
    assert_eq!(request.url, format!("https://mybusiness.googleapis.com/v4/{LOCATION}/localPosts"));
    json_of(&request).clone()
}

fn accept(step: Value, answer: &Reply) -> Result<Next<Value>, Refusal> {
    connector().accept(&step, &with_options(&[], Vec::new()), answer).unwrap()
}

#[test]
fn each_kind_of_post_has_its_own_body() {
    let common = json!({ "languageCode": "de", "topicType": "STANDARD", "summary": "We are open" });
    let with = |more: Value| {
        let mut body = common.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let date =
        |year: u32, month: u32, day: u32| json!({ "year": year, "month": month, "day": day });
    let time = |hours: u32, minutes: u32, seconds: u32| {
        let mut time = json!({ "hours": hours, "minutes": minutes, "nanos": 0 });
        time["seconds"] = json!(seconds);
        time
    };
    let photo = json!([{
        "mediaFormat": "PHOTO", "sourceUrl": "https://fanfare.example/files/1",
    }]);
    let event = json!({ "title": "Open day", "schedule": {
        "startDate": date(2026, 12, 1), "startTime": time(18, 0, 0),
        "endDate": date(2026, 12, 2), "endTime": time(1, 30, 15),
    } });
    let sale = json!({ "title": "Half price", "schedule": {
        "startDate": date(2026, 12, 1), "startTime": time(0, 0, 0),
        "endDate": date(2026, 12, 24), "endTime": time(23, 59, 0),
    } });
    let offer = json!({
        "couponCode": "HALF", "redeemOnlineUrl": "https://example.com/half",
        "termsConditions": "While it lasts.",
    });
    let button = json!({ "actionType": "LEARN_MORE", "url": "https://example.com/a" });
    for (options, media, expected) in [
        (&[][..], vec![], common.clone()),
        (&[], vec![image()], with(json!({ "media": photo }))),
        (BUTTON, vec![], with(json!({ "callToAction": button }))),
        (&[("action", "call")], vec![], with(json!({ "callToAction": { "actionType": "CALL" } }))),
        (EVENT, vec![], with(json!({ "topicType": "EVENT", "event": event }))),
        (
            OFFER,
            vec![image()],
            with(json!({ "topicType": "OFFER", "event": sale, "offer": offer, "media": photo })),
        ),
    ] {
        assert_eq!(body_of(&with_options(options, media)), expected);
    }
    let mut elsewhere = with_options(&[], Vec::new());
    elsewhere.author.traits.clear();
    assert_eq!(body_of(&elsewhere)["languageCode"], "en");
}

#[test]
fn a_post_is_watched_until_google_shows_it() {
    let Played { sent, live, .. } = play(connector(), &FAKE, &with_options(&[], Vec::new()));
    let lines: Vec<_> =
        sent.iter().map(|request| format!("{:?} {}", request.method, path_of(request))).collect();
    let posts = format!("/v4/{LOCATION}/localPosts");
    let read = format!("Get {posts}/30");
    assert_eq!(lines, [format!("Post {posts}"), read.clone(), read]);
    assert_eq!(sent[0].repeat, Repeat::Probed { settle: Duration::from_secs(30) });
    assert_eq!(live, [Live { id: POST.to_owned(), url: SEARCH.to_owned() }]);
}

fn state(state: &str) -> Reply {
    reply(200, json!({ "name": POST, "state": state }))
}

fn watch(polls: u32) -> Value {
    json!({ "Watch": { "name": POST, "polls": polls } })
}

#[test]
fn what_google_shows_at_once_is_not_asked_for_again() {
    let Ok(Next::Done(live)) = accept(json!("Publish"), &state("LIVE")) else { panic!("live") };
    // Until Google tells the address, the location's stands for it.
    let url = "https://maps.google.com/maps?cid=2".to_owned();
    assert_eq!(live, [Live { id: POST.to_owned(), url }]);
}

/// Nothing of a rejected post is live, although it was taken for live while Google looked at it.
#[test]
fn a_post_that_google_rejects_is_not_published() {
    let refused = accept(json!("Publish"), &state("REJECTED")).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Rejected, "REJECTED"));
    let job = with_options(&[], Vec::new());
    let live = |step: &Value| connector().live(step, &job).unwrap().len();
    assert_eq!(live(&watch(3)), 1);
    let Ok(Next::Go(spoilt)) = accept(watch(3), &state("REJECTED")) else { panic!("it is spoilt") };
    assert_eq!(spoilt, json!({ "Spoilt": { "name": POST, "polls": 3 } }));
    assert_eq!(live(&spoilt), 0);
    let refused = accept(spoilt.clone(), &state("REJECTED")).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("rejected it"), "{}", refused.words);
    // Google may think again.
    assert!(matches!(accept(spoilt.clone(), &state("LIVE")), Ok(Next::Done(_))));
    let Ok(Next::Wait(_, again)) = accept(spoilt, &state("PROCESSING")) else { panic!("again") };
    assert_eq!(again, watch(4));
}

#[test]
fn a_post_that_disappears_is_not_published() {
    let gone = reply(404, json!({ "error": { "status": "NOT_FOUND", "message": "No." } }));
    assert!(matches!(accept(watch(0), &gone), Ok(Next::Wait(..))), "it may be a moment");
    let Ok(Next::Go(spoilt)) = accept(watch(3), &gone) else { panic!("it is gone") };
    let refused = accept(spoilt, &gone).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Rejected, "NOT_FOUND"));
}

/// Google's look can take hours.
#[test]
fn a_post_that_google_keeps_looking_at_is_published_in_the_end() {
    let (mut step, mut waited) = (watch(0), Duration::ZERO);
    let live = loop {
        match accept(step, &state("PROCESSING")).unwrap() {
            Next::Wait(wait, next) => (step, waited) = (next, waited + wait),
            Next::Done(live) => break live,
            Next::Go(step) => panic!("{step}"),
        }
    };
    assert_eq!(live.len(), 1);
    assert_eq!(waited, Duration::from_secs(12 * 10 + 30 * 60));
}

fn seen(job: &Job, body: Value) -> Sighting<Value> {
    connector().recognise(&json!("Publish"), job, &reply(200, body)).unwrap()
}

#[test]
fn a_post_is_told_by_its_text_its_time_and_its_button() {
    let job = with_options(BUTTON, Vec::new());
    let probe = connector().probe(&json!("Publish"), &job).unwrap().unwrap();
    let url = format!("https://mybusiness.googleapis.com/v4/{LOCATION}/localPosts?pageSize=100");
    assert_eq!(probe.url, url);
    let button = |url: &str, mut post: Value| {
        post["callToAction"] = json!({ "actionType": "LEARN_MORE", "url": url });
        post
    };
    let list = |posts: Value| json!({ "localPosts": posts });
    let ours = button("https://example.com/a", listed("We are  open\n", 2));
    let found = Sighting::Found(Next::Go(watch(0)));
    assert_eq!(seen(&job, list(json!([listed("Other", 3), ours]))), found);
    // The same an hour ago, by hand or by us.
    let before = button("https://example.com/a", listed("We are open", -3_600));
    assert_eq!(seen(&job, list(json!([before]))), Sighting::Absent);
    let elsewhere = button("https://example.com/b", listed("We are open", 2));
    let mut event = ours.clone();
    event["topicType"] = json!("EVENT");
    for posts in [
        json!([elsewhere]),
        json!([event]),
        json!([listed("We are open", 2)]),
        json!([listed("We are closed", 2), before]),
        json!([{ "name": POST }]),
    ] {
        let seen = seen(&job, list(posts.clone()));
        assert!(matches!(seen, Sighting::Unsure(_)), "{posts}: {seen:?}");
    }
}

#[test]
fn absence_needs_a_list_that_reaches_back() {
    let job = with_options(&[], Vec::new());
    // Google leaves an empty list out: nothing can be read from that.
    for body in [json!({}), json!({ "nextPageToken": "1" })] {
        assert!(matches!(seen(&job, body), Sighting::Unsure(_)));
    }
    assert_eq!(seen(&job, json!({ "localPosts": [] })), Sighting::Absent);
    let mut page = json!({ "localPosts": [listed("Other", -5)], "nextPageToken": "1" });
    assert!(matches!(seen(&job, page.clone()), Sighting::Unsure(_)));
    page["localPosts"] = json!([listed("Other", -5), listed("Other", -3_600)]);
    assert_eq!(seen(&job, page), Sighting::Absent);
}

fn run(task: &Task, answer: impl FnMut(&Request) -> Reply) -> Ran {
    run_errand(connector(), task, crate::fake::site(&FAKE), answer)
}

fn live() -> Vec<Live> {
    vec![Live { id: POST.to_owned(), url: SEARCH.to_owned() }]
}

#[test]
fn a_post_is_taken_down_once() {
    for status in [200, 404] {
        let ran = run(&Task::Remove { live: live() }, |_| reply(status, json!({})));
        assert_eq!(ran.outcome, Ok(Outcome::Finished));
        let [request] = ran.sent.as_slice() else { panic!("{:?}", ran.sent) };
        assert_eq!((request.method, path_of(request)), (Method::Delete, format!("/v4/{POST}")));
    }
    let ran = run(&Task::Remove { live: live() }, |_| reply(503, Value::Null));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unavailable);
}

#[test]
fn the_text_of_a_post_is_changed_alone() {
    let task = Task::Edit { live: live(), index: 0, text: "We are closed".to_owned() };
    let ran = run(&task, |_| reply(200, json!({ "name": POST, "state": "PROCESSING" })));
    assert_eq!(ran.outcome, Ok(Outcome::Edited(live())));
    let [request] = ran.sent.as_slice() else { panic!("{:?}", ran.sent) };
    assert_eq!(request.method, Method::Patch);
    let url = format!("https://mybusiness.googleapis.com/v4/{POST}?updateMask=summary");
    assert_eq!(request.url, url);
    assert_eq!(json_of(request), &json!({ "summary": "We are closed" }));
    let ran = run(&task, |_| reply(200, json!({})));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

/// One grant serves all locations of a person.
#[test]
fn access_is_never_given_back_for_one_location() {
    assert_eq!(connector().errand(&Task::Revoke, &crate::fake::site(&FAKE)), None);
    let fanfare::domain::platform::Login::OAuth(oauth) = &connector().profile().logins[0] else {
        panic!("people sign in")
    };
    assert_eq!(oauth.targets, Targets::Several);
}

#[test]
fn a_profile_takes_ten_edits_a_minute() {
    let paces = connector().profile().paces;
    let edits = paces.iter().find(|pace| pace.scope == PaceScope::Account).unwrap();
    assert_eq!((edits.counts, edits.calls_max), (PaceCounts::Publications, 10));
    assert_eq!(edits.window.length(), Duration::from_secs(60));
    let (_, kinds) = connector().profile().format("offer").unwrap();
    assert!(kinds.contains(&Kind::Offer));
}
