//! Threads: a platform that fetches files from us, publishes containers, and lets a reply be
//! prepared only below a post that is live.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Fill, Finding, Job, JobPart, Method, Next, Outcome,
        Repeat, Reply, Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, media, part, path_of, play, query_of, reply,
    run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "threads",
    site: &[("graph", "https://graph.threads.net"), ("web", "https://threads.net")],
    author: || Identity {
        remote_id: "9007199254740993".to_owned(),
        handle: "ada".to_owned(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::BelowLiveParts,
    specialities,
    golden: include_str!("golden/threads.json"),
};

fn specialities() -> Vec<Job> {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let film = |number| media(number, MediaKind::Video, "video/mp4");
    vec![
        with_options(&[("poll", "Tea\nCoffee\nWater")]),
        with_options(&[("quote", "18000000000000009"), ("reply_control", "followers_only")]),
        with_options(&[("link", "https://example.com/a"), ("topic_tag", "Rust")]),
        job(
            connector(),
            &FAKE,
            vec![
                part("One", vec![image(1)]),
                part("Two", vec![image(2)]),
                part("", vec![film(3), image(4)]),
                part("Four", Vec::new()),
            ],
        ),
    ]
}

fn with_options(options: &[(&str, &str)]) -> Job {
    let mut job = job(connector(), &FAKE, vec![part("What do you think?", Vec::new())]);
    job.options = owned(options);
    job
}

fn owned(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Remembers containers: `{"id","fields","polls","media"}`; `media` once it is published.
fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access);
    let path = path_of(request);
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    let number = memory.posts.len() + 1;
    match (request.method, segments.as_slice()) {
        (Method::Get, ["me", "threads_publishing_limit"]) => reply(200, quota(4, 1)),
        (Method::Post, ["me", "threads"]) => {
            let fields = form(request);
            let known = |id: &str| memory.posts.iter().any(|it| it["media"] == id);
            assert!(fields.get("reply_to_id").is_none_or(|id| known(id)), "{fields:?}");
            let id = format!("179{number:014}");
            let container = json!({ "id": id, "fields": fields, "polls": 0, "media": null });
            memory.posts.push(container);
            reply(200, json!({ "id": id }))
        }
        (Method::Post, ["me", "threads_publish"]) => {
            let wanted = &form(request)["creation_id"];
            let found = memory.posts.iter_mut().find(|it| it["id"] == **wanted).unwrap();
            assert_eq!(status(found), "FINISHED", "{found}");
            let id = found["id"].as_str().unwrap().replacen("179", "181", 1);
            found["media"] = json!(id);
            reply(200, json!({ "id": id }))
        }
        (Method::Get, ["me", edge]) => {
            assert_eq!(query_of(request, "since").as_deref(), Some("1795251530"));
            let posts = memory.posts.iter().rev().filter(|it| it["media"].is_string());
            let is_reply = |it: &&Value| it["fields"]["reply_to_id"].is_string();
            let listed = posts.filter(|it| is_reply(it) == (*edge == "replies")).map(listed);
            reply(200, json!({ "data": listed.collect::<Vec<_>>() }))
        }
        (Method::Get, [id]) if query_of(request, "fields").unwrap().contains("status") => {
            let found = memory.posts.iter_mut().find(|it| it["id"] == *id).unwrap();
            let status = status(found);
            found["polls"] = json!(found["polls"].as_u64().unwrap() + 1);
            reply(200, json!({ "id": id, "status": status }))
        }
        (Method::Get, [id]) => {
            assert!(memory.posts.iter().any(|it| it["media"] == *id), "{id}");
            reply(200, json!({ "id": id, "permalink": permalink(id) }))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

/// A file takes a moment, a text none.
fn status(container: &Value) -> &'static str {
    let is_text = container["fields"]["media_type"] == "TEXT";
    match (container["media"].is_string(), container["polls"].as_u64()) {
        (true, _) => "PUBLISHED",
        (false, Some(0)) if !is_text => "IN_PROGRESS",
        (false, _) => "FINISHED",
    }
}

fn listed(container: &Value) -> Value {
    let fields = &container["fields"];
    let mut post = json!({
        "id": container["media"], "text": fields["text"], "timestamp": "2026-11-21T09:00:00+0000",
    });
    if fields["reply_to_id"].is_string() {
        post["replied_to"] = json!({ "id": fields["reply_to_id"] });
    }
    post
}

fn quota(posts: u64, replies: u64) -> Value {
    let config = |total: u64| json!({ "quota_total": total, "quota_duration": 86_400 });
    json!({ "data": [{
        "quota_usage": posts, "config": config(250),
        "reply_quota_usage": replies, "reply_config": config(1_000),
    }] })
}

fn permalink(id: &str) -> String {
    format!("https://www.threads.com/@ada/post/p{id}")
}

fn connector() -> &'static dyn AnyConnector {
    find("threads").unwrap()
}

fn form(request: &Request) -> BTreeMap<String, String> {
    let Body::Form(fields) = &request.body else { panic!("no form in {request:?}") };
    let map: BTreeMap<_, _> = fields.iter().cloned().collect();
    assert_eq!(map.len(), fields.len(), "a field is there twice: {fields:?}");
    map
}

/// Method, path below the version and the form, with short ids.
fn told(request: &Request) -> String {
    let path = path_of(request).replace("/v1.0/", "");
    let mut told = match (request.method, query_of(request, "fields").unwrap_or_default()) {
        (Method::Get, fields) if fields.contains("status") => format!("status {path}"),
        (Method::Get, fields) if fields.contains("permalink") => format!("address {path}"),
        (method, _) => format!("{method:?} {path}"),
    };
    if let Body::Form(fields) = &request.body {
        let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        told = format!("{told} {}", pairs.join("&"));
    }
    let url = "https://fanfare.example/files/";
    told.replace("17900000000000", "c").replace("18100000000000", "m").replace(url, "url-")
}

fn sent(job: &Job) -> Vec<String> {
    play(connector(), &FAKE, job).sent.iter().map(told).collect()
}

const QUOTA: &str = "Get me/threads_publishing_limit";

#[test]
fn a_text_is_a_container_that_is_published() {
    let job = job(connector(), &FAKE, vec![part("hi", Vec::new())]);
    assert_eq!(
        sent(&job),
        [
            QUOTA,
            "Post me/threads media_type=TEXT&text=hi",
            "status c001",
            "Post me/threads_publish creation_id=c001",
            "address m001",
        ]
    );
    let played = play(connector(), &FAKE, &job);
    let id = "18100000000000001";
    assert_eq!(played.live, [Live { id: id.to_owned(), url: permalink(id) }]);
    assert_eq!(played.sent[3].repeat, Repeat::Probed { settle: Duration::from_secs(60) });
    assert_eq!(played.sent[1].url, "https://graph.threads.net/v1.0/me/threads");
}

#[test]
fn a_single_file_is_named_by_its_address_and_waited_for() {
    let film = media(1, MediaKind::Video, "video/mp4");
    let mut job = job(connector(), &FAKE, vec![part("A film", vec![film])]);
    job.options = owned(&[("sensitive", "true")]);
    assert_eq!(
        sent(&job)[1..4],
        [
            "Post me/threads media_type=VIDEO&video_url=url-1&alt_text=What picture 1 shows\
             &text=A film&is_spoiler_media=true",
            "status c001",
            "status c001",
        ]
    );
}

#[test]
fn children_of_a_carousel_are_made_side_by_side_and_come_first() {
    let image = media(2, MediaKind::Image, "image/png");
    let film = media(4, MediaKind::Video, "video/mp4");
    let job = job(connector(), &FAKE, vec![part("Both", vec![image, film])]);
    assert_eq!(
        sent(&job),
        [
            QUOTA,
            "Post me/threads media_type=IMAGE&image_url=url-2&is_carousel_item=true",
            "Post me/threads media_type=VIDEO&video_url=url-4&is_carousel_item=true",
            "status c001",
            "status c001",
            "status c002",
            "status c002",
            "Post me/threads media_type=CAROUSEL&children=17900000000000001,17900000000000002\
             &text=Both"
                .replace("17900000000000", "c")
                .as_str(),
            "status c003",
            "status c003",
            "Post me/threads_publish creation_id=c003",
            "address m003",
        ]
    );
}

#[test]
fn files_of_later_parts_are_tried_before_anything_is_live() {
    let job = specialities().pop().unwrap();
    let sent = sent(&job);
    let publish = |told: &String| told.contains("threads_publish ");
    let first = sent.iter().position(publish).unwrap();
    let tried: Vec<_> =
        sent[..first].iter().filter(|told| told.contains("is_carousel_item")).collect();
    assert_eq!(
        tried,
        [
            "Post me/threads media_type=IMAGE&image_url=url-2&is_carousel_item=true",
            "Post me/threads media_type=VIDEO&video_url=url-3&alt_text=What picture 3 shows\
             &is_carousel_item=true",
            "Post me/threads media_type=IMAGE&image_url=url-4&is_carousel_item=true",
        ]
    );
    let later: Vec<_> = sent[first..].iter().filter(|told| told.contains("media_type")).collect();
    assert_eq!(
        later,
        [
            "Post me/threads media_type=IMAGE&image_url=url-2&text=Two&reply_to_id=m004",
            "Post me/threads media_type=CAROUSEL&children=c002,c003&reply_to_id=m005",
            "Post me/threads media_type=TEXT&text=Four&reply_to_id=m006",
        ]
    );
    assert_eq!(
        sent[sent.len() - 4..],
        ["address m004", "address m005", "address m006", "address m007"]
    );
}

#[test]
fn options_are_said_of_the_first_part() {
    let body = |options: &[(&str, &str)]| sent(&with_options(options)).swap_remove(1);
    let text = "Post me/threads media_type=TEXT&text=What do you think?";
    assert_eq!(
        body(&[("poll", "Tea\nCoffee ")]),
        format!(r#"{text}&poll_attachment={{"option_a":"Tea","option_b":"Coffee"}}"#)
    );
    assert_eq!(body(&[("quote", "7")]), format!("{text}&quote_post_id=7"));
    assert_eq!(
        body(&[("link", "https://a.b/?c"), ("topic_tag", "Rust"), ("reply_control", "everyone")]),
        format!("{text}&link_attachment=https://a.b/?c&reply_control=everyone&topic_tag=Rust")
    );
    // Without files there is nothing to hide.
    assert_eq!(body(&[("sensitive", "true")]), text);
    let mut thread = with_options(&[("topic_tag", "Rust")]);
    thread.parts.push(part("two", Vec::new()));
    let tagged = sent(&thread).into_iter().filter(|told| told.contains("topic_tag"));
    assert_eq!(tagged.count(), 1);
}

fn earned(items: &[&str], sent: &[&str], making: &str) -> Value {
    json!({ "items": items, "sent": sent, "making": making })
}

fn fresh() -> Value {
    earned(&[], &[], "First")
}

fn ready(polls: u32) -> Value {
    json!({ "Ready": { "earned": fresh(), "container": "5", "polls": polls, "tried": null } })
}

fn publish(polls: u32) -> Value {
    json!({ "Publish": { "earned": fresh(), "container": "5", "polls": polls } })
}

fn find_step(sent: &[&str], looks: u32) -> Value {
    json!({ "Find": {
        "earned": earned(&[], sent, "First"), "container": "5", "since": NOW.0, "looks": looks,
    } })
}

fn refused(code: i64, subcode: i64, message: &str) -> Value {
    let mut error = json!({ "message": message, "type": "OAuthException", "code": code });
    if subcode != 0 {
        error["error_subcode"] = json!(subcode);
    }
    json!({ "error": error })
}

fn text_job() -> Job {
    job(connector(), &FAKE, vec![part("hi", Vec::new())])
}

fn accept(step: &Value, job: &Job, answer: &Reply) -> Result<Next<Value>, RefusalKind> {
    connector().accept(step, job, answer).unwrap().map_err(|refusal| refusal.kind)
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Media, Rejected, Revoked, Unauthorized, Unavailable};
    let throttled = |scope| {
        let until = Some(NOW.after(Duration::from_secs(3_600)));
        RefusalKind::Throttled { until, scope }
    };
    let row = |code, subcode, message: &str, kind| Row {
        status: 400,
        header: None,
        body: refused(code, subcode, message),
        kind,
    };
    let rows = || {
        let mut rows = vec![
            row(190, 0, "Error validating access token", Unauthorized),
            row(190, 463, "Session has expired", Unauthorized),
            row(102, 0, "Session", Unauthorized),
            row(10, 0, "Permission denied", Revoked),
            row(200, 0, "Permissions error", Revoked),
            row(100, 0, "Param text must be at most 500 characters", Rejected),
            row(100, 4_279_071, "This topic tag is not permitted", Rejected),
            row(100, 0, "THREADS_API__LINK_LIMIT_EXCEEDED", Rejected),
            row(100, 0, "The media could not be fetched from this URI", Media),
            row(9_004, 2_207_052, "Media download has failed", Media),
            row(4_279_013, 0, "User is restricted", Revoked),
            row(25, 4_279_013, "User is restricted", Revoked),
            row(4, 2_207_051, "Action is blocked", Rejected),
            row(368, 0, "Blocked for a while", Rejected),
            row(9, 0, "Too many posts", throttled(PaceScope::Account)),
            row(4, 0, "App limit", throttled(PaceScope::App)),
            row(17, 0, "User limit", throttled(PaceScope::Account)),
            row(32, 0, "Limit", throttled(PaceScope::Account)),
            row(613, 0, "Limit", throttled(PaceScope::Account)),
            row(80_014, 0, "Limit", throttled(PaceScope::Account)),
            row(1, 0, "An unknown error occurred", Unavailable),
            row(2, 0, "Service temporarily unavailable", Unavailable),
            Row {
                status: 400,
                header: None,
                body: json!({ "error": { "code": 77, "message": "Odd", "is_transient": true } }),
                kind: Unavailable,
            },
            // Some edges say no with 200.
            Row { status: 200, ..row(2, 0, "Try again", Unavailable) },
            Row { status: 500, ..row(77, 0, "Odd", Unavailable) },
            Row { status: 503, header: None, body: Value::Null, kind: Unavailable },
        ];
        rows.extend([458, 459, 460, 464, 467, 492].map(|sub| row(190, sub, "Over", Revoked)));
        rows
    };
    let job = text_job();
    let container = json!({ "Container": { "earned": fresh(), "tries": 0 } });
    let item = json!({ "Item": { "earned": fresh() } });
    for step in [&item, &container, &ready(0), &publish(0)] {
        check_rows(connector(), &job, step, rows());
    }
    let absent = || row(24, 4_279_009, "The requested resource does not exist", Media);
    check_rows(connector(), &job, &publish(40), vec![absent()]);
    check_rows(connector(), &job, &ready(40), vec![absent()]);
    let gone = || row(100, 33, "Object does not exist", Media);
    check_rows(connector(), &job, &publish(0), vec![gone()]);
    let gathered = json!({ "Container": { "earned": earned(&["1"], &[], "First"), "tries": 0 } });
    check_rows(connector(), &job, &gathered, vec![gone(), absent()]);
    // A quote that is not there, for instance.
    let missing = row(24, 4_279_009, "The requested resource does not exist", Rejected);
    check_rows(connector(), &job, &container, vec![missing]);
    // Reading replies is a permission of its own.
    let unread = vec![row(10, 0, "Permission denied", Rejected), row(190, 458, "Over", Revoked)];
    check_rows(connector(), &job, &find_step(&[], 0), unread);
}

#[test]
fn a_failed_container_is_made_anew_only_if_that_can_help() {
    use RefusalKind::{Media, Rejected, Unreadable};
    let job = text_job();
    for (status, message, kind) in [
        ("ERROR", "FAILED_DOWNLOADING_VIDEO", Media),
        ("ERROR", "FAILED_PROCESSING_AUDIO", Media),
        ("ERROR", "FAILED_PROCESSING_VIDEO", Media),
        ("ERROR", "UNKNOWN", Media),
        ("ERROR", "INVALID_ASPEC_RATIO", Rejected),
        ("ERROR", "INVALID_BIT_RATE", Rejected),
        ("ERROR", "INVALID_DURATION", Rejected),
        ("ERROR", "INVALID_FRAME_RATE", Rejected),
        ("ERROR", "INVALID_AUDIO_CHANNELS", Rejected),
        ("ERROR", "INVALID_AUDIO_CHANNEL_LAYOUT", Rejected),
        ("EXPIRED", "", Media),
        ("MELTED", "", Unreadable),
    ] {
        let body = json!({ "id": "5", "status": status, "error_message": message });
        assert_eq!(accept(&ready(0), &job, &reply(200, body)), Err(kind), "{status} {message}");
    }
}

#[test]
fn a_container_is_asked_for_ever_less_often_and_given_up_in_the_end() {
    let job = text_job();
    let wait = |polls| {
        let body = json!({ "id": "5", "status": "IN_PROGRESS" });
        match accept(&ready(polls), &job, &reply(200, body)) {
            Ok(Next::Wait(wait, next)) => {
                assert_eq!(next, ready(polls + 1));
                Ok(wait.as_secs())
            }
            Ok(other) => panic!("{other:?}"),
            Err(kind) => Err(kind),
        }
    };
    assert_eq!([wait(0), wait(1), wait(5), wait(39)], [Ok(5), Ok(10), Ok(30), Ok(30)]);
    assert_eq!(wait(40), Err(RefusalKind::Media));
}

#[test]
fn a_publication_that_is_too_early_waits_for_the_same_container() {
    let job = text_job();
    let early = reply(400, refused(24, 4_279_009, "The requested resource does not exist"));
    let Ok(Next::Wait(wait, next)) = accept(&publish(3), &job, &early) else { panic!("no wait") };
    assert_eq!(wait, Duration::from_secs(20));
    let tried = job.armed.unwrap().0;
    let again = json!({ "Ready": {
        "earned": fresh(), "container": "5", "polls": 4, "tried": tried,
    } });
    assert_eq!(next, again);
    let finished = reply(200, json!({ "status": "FINISHED" }));
    assert_eq!(accept(&again, &job, &finished), Ok(Next::Go(publish(4))));
    // It was published all the same: never again, but its id has to be found.
    let published = reply(200, json!({ "status": "PUBLISHED" }));
    let Ok(Next::Go(found)) = accept(&again, &job, &published) else { panic!("not found") };
    assert_eq!(found["Find"]["since"], tried);
}

#[test]
fn a_parent_that_is_not_known_yet_is_answered_a_little_later() {
    let mut job = text_job();
    job.parts.push(part("two", Vec::new()));
    let earned = earned(&[], &["7"], "First");
    let below = |tries: u32| json!({ "Container": { "earned": earned, "tries": tries } });
    for body in [refused(24, 0, "The requested resource does not exist"), refused(100, 33, "Gone")]
    {
        let next = accept(&below(0), &job, &reply(400, body.clone()));
        assert_eq!(next, Ok(Next::Wait(Duration::from_secs(5), below(1))));
        let last = accept(&below(12), &job, &reply(400, body));
        assert_eq!(last, Err(RefusalKind::Rejected));
    }
}

#[test]
fn the_days_quota_is_obeyed_for_the_whole_thread() {
    let mut job = text_job();
    let room = |job: &Job, body: Value| accept(&json!("Quota"), job, &reply(200, body));
    let until = Some(NOW.after(Duration::from_secs(600)));
    let full = Err(RefusalKind::Throttled { until, scope: PaceScope::Account });
    assert!(room(&job, quota(249, 1_000)).is_ok());
    assert_eq!(room(&job, quota(250, 0)), full);
    job.parts.extend([part("two", Vec::new()), part("three", Vec::new())]);
    assert!(room(&job, quota(0, 998)).is_ok());
    assert_eq!(room(&job, quota(0, 999)), full);
    // What cannot be read forbids nothing.
    assert!(room(&job, json!({ "data": [] })).is_ok());
    let unknown = reply(400, refused(100, 0, "Tried accessing nonexisting field"));
    assert!(accept(&json!("Quota"), &job, &unknown).is_ok());
}

#[test]
fn a_container_tells_whether_it_was_published() {
    let job = text_job();
    let seen = |status: u16, body: Value| {
        connector().recognise(&publish(1), &job, &reply(status, body)).unwrap()
    };
    let Sighting::Found(Next::Go(step)) = seen(200, json!({ "status": "PUBLISHED" })) else {
        panic!("it is not seen");
    };
    assert_eq!(step["Find"]["since"], job.armed.unwrap().0);
    assert_eq!(seen(200, json!({ "status": "FINISHED" })), Sighting::Absent);
    assert_eq!(seen(200, json!({ "status": "EXPIRED" })), Sighting::Absent);
    for (status, body) in [
        (200, json!({ "status": "IN_PROGRESS" })),
        (200, json!({ "status": "ERROR", "error_message": "UNKNOWN" })),
        (200, refused(2, 0, "Try again")),
        (400, refused(24, 0, "The requested resource does not exist")),
    ] {
        let seen = seen(status, body);
        assert!(matches!(seen, Sighting::Unsure(_)), "{seen:?}");
    }
}

/// What the list shows of it, or nothing.
fn list(post: Option<Value>) -> Reply {
    reply(200, json!({ "data": post.into_iter().collect::<Vec<_>>() }))
}

#[test]
fn the_id_of_a_published_post_is_looked_for_until_it_is_listed() {
    let mut job = text_job();
    let waited = accept(&find_step(&[], 0), &job, &list(None));
    assert_eq!(waited, Ok(Next::Wait(Duration::from_secs(20), find_step(&[], 1))));
    let shown = json!({ "id": "8", "text": "hi", "timestamp": "2026-11-21T09:00:03+0000" });
    let Ok(Next::Go(next)) = accept(&find_step(&[], 1), &job, &list(Some(shown))) else {
        panic!("not found")
    };
    assert_eq!(next["Address"]["earned"]["sent"], json!(["8"]));

    // The last part is live, whatever its id: with the address of the account.
    let live = Live { id: "container:5".to_owned(), url: "https://threads.net/@ada".to_owned() };
    assert_eq!(connector().live(&find_step(&[], 0), &job).unwrap(), std::slice::from_ref(&live));
    assert_eq!(accept(&find_step(&[], 8), &job, &list(None)), Ok(Next::Done(vec![live])));

    // In the middle nothing can go on without it.
    job.parts.push(part("two", Vec::new()));
    let refusal = connector().accept(&find_step(&[], 8), &job, &list(None)).unwrap().unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Rejected);
    assert!(refusal.words.contains("part 1 is published"), "{}", refusal.words);
    assert_eq!(connector().live(&find_step(&[], 8), &job).unwrap().len(), 1);
}

#[test]
fn answers_are_looked_for_among_the_replies() {
    let mut job = text_job();
    job.parts.push(part("two", Vec::new()));
    let request = connector().request(&find_step(&["7"], 0), &job).unwrap();
    assert_eq!(path_of(&request), "/v1.0/me/replies");
    let shown = json!({
        "id": "8", "text": "two", "timestamp": "2026-11-21T09:00:03+0000",
        "replied_to": { "id": "7" },
    });
    let Ok(Next::Go(next)) = accept(&find_step(&["7"], 0), &job, &list(Some(shown.clone()))) else {
        panic!("not found")
    };
    assert_eq!(next["Address"]["earned"]["sent"], json!(["7", "8"]));
    let mut elsewhere = shown;
    elsewhere["replied_to"]["id"] = json!("9");
    let waited = accept(&find_step(&["7"], 0), &job, &list(Some(elsewhere)));
    assert!(matches!(waited, Ok(Next::Wait(..))), "{waited:?}");
}

#[test]
fn an_address_that_is_not_told_holds_nothing_up() {
    let job = text_job();
    let step = json!({ "Address": { "earned": earned(&[], &["7"], "First"), "addresses": [] } });
    let fallback = Live { id: "7".to_owned(), url: "https://threads.net/@ada".to_owned() };
    for answer in [
        reply(200, json!({ "id": "7" })),
        reply(200, json!({ "id": "7", "permalink": "javascript:alert(1)" })),
        reply(400, refused(100, 33, "Gone")),
    ] {
        assert_eq!(accept(&step, &job, &answer), Ok(Next::Done(vec![fallback.clone()])));
    }
}

#[test]
fn what_a_later_part_has_lost_is_made_once_more_and_what_is_live_stays() {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let parts = vec![part("one", vec![image(1), image(2)]), part("two", vec![image(3), image(4)])];
    let job = job(connector(), &FAKE, parts);
    let items = ["1", "2", "3", "4"];
    let container = |making: &str| {
        let earned = earned(&items, &["7"], making);
        json!({ "Container": { "earned": earned, "tries": 0 } })
    };
    let again = json!({ "Item": { "earned": earned(&["1", "2"], &["7"], "Again") } });
    let gone = reply(400, refused(100, 0, "Invalid parameter"));
    assert_eq!(accept(&container("First"), &job, &gone), Ok(Next::Go(again.clone())));
    assert_eq!(accept(&container("Again"), &job, &gone), Err(RefusalKind::Rejected));
    assert_eq!(connector().live(&again, &job).unwrap().len(), 1);

    let waiting = |making: &str| {
        let earned = earned(&items, &["7"], making);
        json!({ "Ready": { "earned": earned, "container": "5", "polls": 0, "tried": null } })
    };
    let expired = reply(200, json!({ "status": "EXPIRED" }));
    assert_eq!(accept(&waiting("First"), &job, &expired), Ok(Next::Go(again)));
    assert_eq!(accept(&waiting("Again"), &job, &expired), Err(RefusalKind::Media));
    // Before anything is live the delivery begins anew by itself.
    assert_eq!(accept(&ready(0), &job, &expired), Err(RefusalKind::Media));
}

/// Places of errors and of warnings.
fn findings(parts: &[JobPart], options: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let (options, author) = (owned(options), Identity::default());
    for finding in connector().check(&Draft { parts, options: &options, author: &author }) {
        match finding {
            Finding::Error(problem) => errors.push(problem.place),
            Finding::Warning(problem) => warnings.push(problem.place),
        }
    }
    (errors, warnings)
}

#[test]
fn what_cannot_go_together_is_found_while_planning() {
    let plain = [part("hi", Vec::new())];
    let file = [part("hi", vec![media(1, MediaKind::Image, "image/png")])];
    let five = "https://a.b https://c.d https://e.f https://g.h https://i.j";
    let linked = [part(five, Vec::new())];
    let options = |name: &str| vec![format!("content.options.{name}")];
    let (poll, card) = (("poll", "a\nb"), ("link", "https://k.l"));
    for (parts, given, errors) in [
        (&plain, poll, vec![]),
        (&file, poll, options("poll")),
        (&plain, card, vec![]),
        (&file, card, options("link")),
        (&linked, card, options("link")),
        (&linked, ("link", "https://a.b"), vec![]),
        (&plain, ("quote", "17900000000000001"), vec![]),
        (&plain, ("quote", "https://www.threads.com/@ada/post/abc"), options("quote")),
        (&plain, ("topic_tag", "Rust & co"), options("topic_tag")),
        (&plain, ("topic_tag", "v1.0"), options("topic_tag")),
        (&plain, ("topic_tag", ""), options("topic_tag")),
        (&file, ("sensitive", "true"), vec![]),
    ] {
        assert_eq!(findings(parts, &[given]), (errors, vec![]), "{given:?}");
    }
    assert_eq!(findings(&plain, &[poll, card]).0, options("link"));
    let (_, warned) = findings(&plain, &[("sensitive", "true")]);
    assert_eq!(warned, options("sensitive"));
    let tagged = [part("#a #b", Vec::new())];
    assert_eq!(findings(&tagged, &[]).1, ["content.parts[0].text"]);
    assert_eq!(findings(&tagged, &[("topic_tag", "a")]).1, Vec::<String>::new());
}

#[test]
fn only_known_values_of_options_are_taken() {
    for (name, value, expected) in [
        ("reply_control", "accounts_you_follow", true),
        ("reply_control", "parent_post_author_only", false),
        ("topic_tag", "a topic of fifty letters, which is the most allowed", false),
        ("poll", "one", false),
        ("poll", "a\nb\nc\nd", true),
        ("poll", "a\nb\nc\nd\ne", false),
        ("poll", "this has twenty-six letters\nb", false),
        ("sensitive", "yes", false),
    ] {
        assert_eq!(takes(connector(), name, value), expected, "{name}={value}");
    }
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    tokens_are_exchanged_in_the_query_for_ones_that_last,
    only_a_no_to_the_token_itself_ends_the_account,
    an_account_is_known_by_its_id_as_text_or_as_a_number,
    posts_are_taken_down_from_the_last_to_the_first,
];

#[test]
fn tokens_are_exchanged_in_the_query_for_ones_that_last() {
    let answer = json!({ "access_token": "TH1", "token_type": "bearer", "expires_in": 5_183_944 });
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    let access = fill("access_token", SecretName::Access);
    let app = fill("client_secret", SecretName::ClientSecret);
    for (task, url, fills) in [
        (
            Task::Lengthen,
            "https://graph.threads.net/access_token?grant_type=th_exchange_token",
            vec![app, access.clone()],
        ),
        (
            Task::Refresh,
            "https://graph.threads.net/refresh_access_token?grant_type=th_refresh_token",
            vec![access],
        ),
    ] {
        let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(200, answer.clone()));
        assert_eq!((ran.sent[0].url.as_str(), ran.sent[0].auth), (url, Auth::None));
        assert_eq!((&ran.sent[0].fills, &ran.sent[0].body), (&fills, &Body::Empty));
        let Ok(Outcome::Granted(grant)) = ran.outcome else { panic!("no grant") };
        assert_eq!(grant.access.expose(), "TH1");
        assert_eq!(grant.access_lasts, Some(Duration::from_secs(5_183_944)));
        assert!(grant.refresh.is_none());
    }
}

#[test]
fn only_a_no_to_the_token_itself_ends_the_account() {
    for (body, kind) in [
        (refused(190, 463, "Session has expired"), RefusalKind::Unauthorized),
        (refused(190, 458, "Removed"), RefusalKind::Revoked),
        (refused(100, 0, "The token is not 24 hours old"), RefusalKind::Unavailable),
    ] {
        let answer = reply(400, body);
        let ran = run_errand(connector(), &Task::Refresh, site(&FAKE), |_| answer.clone());
        assert_eq!(ran.outcome.unwrap_err().kind, kind);
    }
}

#[test]
fn an_account_is_known_by_its_id_as_text_or_as_a_number() {
    for id in [json!("9007199254740993"), json!(9_007_199_254_740_993_u64)] {
        let me = json!({
            "id": id, "username": "ada", "threads_profile_picture_url": "https://cdn.example/a.jpg",
        });
        let ran = run_errand(connector(), &Task::Identify, site(&FAKE), |_| reply(200, me.clone()));
        assert_eq!(path_of(&ran.sent[0]), "/v1.0/me");
        let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("nobody") };
        assert_eq!(identity.remote_id, "9007199254740993");
        assert_eq!((identity.handle.as_str(), identity.name.as_str()), ("ada", "ada"));
        assert_eq!(identity.url, "https://threads.net/@ada");
    }
}

fn live(ids: &[&str]) -> Vec<Live> {
    ids.iter().map(|id| Live { id: (*id).to_owned(), url: String::new() }).collect()
}

#[test]
fn posts_are_taken_down_from_the_last_to_the_first() {
    let task = Task::Remove { live: live(&["1", "2", "3"]) };
    let ran =
        run_errand(connector(), &task, site(&FAKE), |request| match path_of(request).as_str() {
            "/v1.0/2" => reply(400, refused(100, 33, "Object does not exist")),
            _ => reply(200, json!({ "success": true, "deleted_id": "x" })),
        });
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    let sent: Vec<_> = ran.sent.iter().map(told).collect();
    assert_eq!(sent, ["Delete 3", "Delete 2", "Delete 1"]);
    assert_eq!(connector().errand(&Task::Remove { live: Vec::new() }, &Site::default()), None);
    assert_eq!(connector().errand(&Task::Revoke, &Site::default()), None);

    let refuse = |answer: Reply, ids: &[&str]| {
        let task = Task::Remove { live: live(ids) };
        run_errand(connector(), &task, site(&FAKE), |_| answer.clone()).outcome.unwrap_err()
    };
    let odd = refuse(reply(200, json!({ "success": false })), &["1"]);
    assert_eq!(odd.kind, RefusalKind::Unreadable);
    // Of a post without an id, "does not exist" is not what was asked for.
    let gone = reply(400, refused(100, 33, "Object does not exist"));
    let unknown = refuse(gone, &["container:5"]);
    assert!(unknown.words.contains("delete it in Threads itself"), "{}", unknown.words);
}
