//! Instagram: a platform that fetches images itself, processes everything in containers, publishes
//! those, and does not say what became of one.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Fill, Finding, Job, JobMedia, JobPart, Method, Next,
        Outcome, Repeat, Reply, Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        ids::OrganizationId,
        media::{Media, MediaKind},
        platform::{FirstToken, Login, PaceScope, Place, RefreshModel, Targets},
        post::{Attachment, Content, Part},
        refusal::RefusalKind,
        secret::Secret,
    },
    policy::fit::{self, Candidate},
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Ran, Row, check_rows, job, json_of, media, part, path_of, play,
    play_on, query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "instagram",
    site: &[
        ("graph", "https://graph.instagram.com"),
        ("api", "https://api.instagram.com"),
        ("web", "https://www.instagram.com"),
        ("facebook", "https://graph.facebook.com"),
        ("facebook_web", "https://www.facebook.com"),
        ("upload", "https://rupload.facebook.com"),
    ],
    author: || Identity {
        remote_id: "17841400000000001".to_owned(),
        handle: "alice".to_owned(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/instagram.json"),
};

const POST: &str = "18000000000000001";
const PERMALINK: &str = "https://www.instagram.com/p/AbC123/";

fn specialities() -> Vec<Job> {
    let with = |text: &str, file: JobMedia, options: &[(&str, &str)]| {
        let mut job = job(connector(), &FAKE, vec![part(text, vec![file])]);
        for (name, value) in options {
            job.options.insert((*name).to_owned(), (*value).to_owned());
        }
        job
    };
    let story = [("format", "story")];
    let mut by_facebook = commented();
    by_facebook.site.login = "facebook".to_owned();
    by_facebook.site.version = "v26.0".to_owned();
    vec![
        with("A reel", film(1), &[("format", "reel"), ("share_to_feed", "false")]),
        with("", image(1), &story),
        with("", film(1), &story),
        by_facebook,
    ]
}

/// What the fake keeps: containers, posts and comments, told apart by `node`.
fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let path = path_of(request);
    let is_version = |segment: &&str| segment.starts_with("v2");
    let segments: Vec<&str> =
        path.split('/').filter(|it| !it.is_empty() && !is_version(it)).collect();
    let fields = query_of(request, "fields").unwrap_or_default();
    let is_upload = segments[0] == "ig-api-upload";
    assert_eq!(request.auth, if is_upload { Auth::AccessAs("OAuth") } else { Auth::Access });
    match (request.method, segments.as_slice()) {
        (Method::Post, ["17841400000000001", "media"]) => {
            memory.uploads += 1;
            let id = format!("1790000000000000{}", memory.uploads);
            let body = json_of(request).clone();
            for child in body["children"].as_array().into_iter().flatten() {
                assert_eq!(container(memory, child.as_str().unwrap())["state"], "FINISHED");
            }
            let state = match body["image_url"].is_string() {
                true => "FINISHED",
                false => "IN_PROGRESS",
            };
            let made = json!({ "node": "container", "id": id, "state": state, "body": body });
            memory.posts.push(made);
            reply(200, json!({ "id": id, "uri": "https://elsewhere.example/upload" }))
        }
        (Method::Post, ["ig-api-upload", id]) => {
            assert_eq!(container(memory, id)["body"]["upload_type"], "resumable");
            reply(200, json!({ "success": true, "message": "Upload successful." }))
        }
        (Method::Get, [id]) if fields == "status_code,status" => {
            memory.polls += 1;
            let is_done = memory.polls.is_multiple_of(3);
            let container = container(memory, id);
            if is_done && container["state"] == "IN_PROGRESS" {
                container["state"] = json!("FINISHED");
            }
            reply(200, json!({ "status_code": container["state"], "id": id }))
        }
        (Method::Get, [_, "content_publishing_limit"]) => {
            let config = json!({ "quota_total": 100, "quota_duration": 86_400 });
            reply(200, json!({ "data": [{ "quota_usage": 3, "config": config }] }))
        }
        (Method::Post, [_, "media_publish"]) => {
            let id = json_of(request)["creation_id"].as_str().unwrap().to_owned();
            let container = container(memory, &id);
            assert_eq!(container["state"], "FINISHED");
            container["state"] = json!("PUBLISHED");
            let listed = listed(POST, &container["body"].clone());
            memory.posts.push(listed);
            reply(200, json!({ "id": POST }))
        }
        (Method::Get, ["17841400000000001", "media" | "stories"]) => nodes(memory, "post"),
        (Method::Post, [POST, "comments"]) => {
            let text = &json_of(request)["message"];
            let id = "18100000000000001";
            let comment = json!({ "node": "comment", "id": id, "text": text, "username": "alice" });
            memory.posts.push(comment);
            reply(200, json!({ "id": id }))
        }
        (Method::Get, [POST, "comments"]) => nodes(memory, "comment"),
        (Method::Get, [POST]) if fields == "permalink" => {
            reply(200, json!({ "permalink": PERMALINK, "id": POST }))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn container<'a>(memory: &'a mut Memory, id: &str) -> &'a mut Value {
    let mut posts = memory.posts.iter_mut();
    posts.find(|node| node["node"] == "container" && node["id"] == id).expect("it was made")
}

fn nodes(memory: &Memory, kind: &str) -> Reply {
    let nodes: Vec<&Value> = memory.posts.iter().filter(|node| node["node"] == kind).collect();
    reply(200, json!({ "data": nodes }))
}

/// A container as it is shown when it is published.
fn listed(id: &str, body: &Value) -> Value {
    let media_type = match (body["media_type"].as_str(), body["image_url"].as_str()) {
        (Some("CAROUSEL"), _) => "CAROUSEL_ALBUM",
        (_, Some(_)) => "IMAGE",
        (_, None) => "VIDEO",
    };
    json!({
        "node": "post", "id": id, "caption": body["caption"], "media_type": media_type,
        "permalink": PERMALINK, "timestamp": "2026-11-21T09:00:00+0000",
    })
}

fn connector() -> &'static dyn AnyConnector {
    find("instagram").unwrap()
}

fn image(number: u128) -> JobMedia {
    media(number, MediaKind::Image, "image/jpeg")
}

fn film(number: u128) -> JobMedia {
    media(number, MediaKind::Video, "video/mp4")
}

fn of(media: Vec<JobMedia>) -> Job {
    let mut job = job(connector(), &FAKE, vec![part("A picture", media)]);
    job.site.version = "v26.0".to_owned();
    job
}

fn commented() -> Job {
    let parts = vec![part("A picture", vec![image(2)]), part("And a word", Vec::new())];
    let mut job = job(connector(), &FAKE, parts);
    job.site.version = "v26.0".to_owned();
    job
}

fn with(mut job: Job, options: &[(&str, &str)]) -> Job {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    job.options.extend(options);
    job
}

/// Ids and the version are left out.
fn paths(requests: &[Request]) -> Vec<String> {
    let path = |request: &Request| {
        let path = path_of(request).replace("/v26.0/", "/").replace("17841400000000001", "me");
        let path = path.replace("1790000000000000", "c").replace(POST, "post");
        format!("{:?} {}", request.method, path.trim_start_matches('/'))
    };
    requests.iter().map(path).collect()
}

fn bodies(requests: &[Request]) -> Vec<&Value> {
    let is_json = |request: &&Request| matches!(request.body, Body::Json(_));
    requests.iter().filter(is_json).map(json_of).collect()
}

#[test]
fn an_image_is_fetched_from_its_address_and_published_when_it_is_ready() {
    let sent = play(connector(), &FAKE, &of(vec![image(1)])).sent;
    assert_eq!(
        paths(&sent),
        [
            "Post me/media",
            "Get c1",
            "Get me/content_publishing_limit",
            "Post me/media_publish",
            "Get post",
        ]
    );
    assert_eq!(
        bodies(&sent),
        [
            &json!({
                "image_url": "https://fanfare.example/files/1", "caption": "A picture",
                "alt_text": "What picture 1 shows",
            }),
            &json!({ "creation_id": "17900000000000001" }),
        ]
    );
    assert_eq!(sent[0].url, "https://graph.instagram.com/v26.0/17841400000000001/media");
    assert_eq!(sent[3].repeat, Repeat::Probed { settle: Duration::from_secs(60) });
}

#[test]
fn an_account_that_came_by_facebook_is_spoken_to_there() {
    let mut job = of(vec![image(1)]);
    job.site.login = "facebook".to_owned();
    for request in play(connector(), &FAKE, &job).sent {
        assert!(request.url.starts_with("https://graph.facebook.com/v26.0/"), "{}", request.url);
    }
}

#[test]
fn a_single_film_is_a_reel_and_goes_up_as_bytes() {
    let options = [
        ("share_to_feed", "false"),
        ("thumb_offset", "1500"),
        ("collaborators", "@bob\n carol "),
        ("location_id", "106078429431815"),
    ];
    for format in ["", "reel"] {
        let mut job = with(of(vec![film(1)]), &options);
        if !format.is_empty() {
            job.options.insert("format".to_owned(), format.to_owned());
        }
        let sent = play(connector(), &FAKE, &job).sent;
        assert_eq!(
            paths(&sent),
            [
                "Post me/media",
                "Post ig-api-upload/c1",
                "Get c1",
                "Get c1",
                "Get c1",
                "Get me/content_publishing_limit",
                "Post me/media_publish",
                "Get post",
            ]
        );
        let wanted = json!({
            "media_type": "REELS", "upload_type": "resumable", "caption": "A picture",
            "share_to_feed": false, "thumb_offset": "1500", "collaborators": ["bob", "carol"],
            "location_id": "106078429431815",
        });
        assert_eq!(json_of(&sent[0]), &wanted);
        let upload = &sent[1];
        let url = "https://rupload.facebook.com/ig-api-upload/v26.0/17900000000000001";
        assert_eq!(upload.url, url);
        assert_eq!(upload.auth, Auth::AccessAs("OAuth"));
        let headers = [("offset", "0".to_owned()), ("file_size", "20000".to_owned())];
        assert_eq!(upload.headers, headers);
        assert!(matches!(upload.body, Body::File { range: None, .. }), "{upload:?}");
    }
}

#[test]
fn a_carousel_is_gathered_when_all_its_files_are_ready() {
    let sent = play(connector(), &FAKE, &of(vec![image(1), film(2), image(4)])).sent;
    assert_eq!(
        paths(&sent),
        [
            "Post me/media",
            "Post me/media",
            "Post ig-api-upload/c2",
            "Post me/media",
            "Get c1",
            "Get c2",
            "Get c2",
            "Get c3",
            "Post me/media",
            "Get c4",
            "Get c4",
            "Get me/content_publishing_limit",
            "Post me/media_publish",
            "Get post",
        ]
    );
    let ids = [1, 2, 3].map(|number| format!("1790000000000000{number}"));
    assert_eq!(
        bodies(&sent),
        [
            &json!({
                "image_url": "https://fanfare.example/files/1", "is_carousel_item": true,
                "alt_text": "What picture 1 shows",
            }),
            &json!({
                "media_type": "VIDEO", "upload_type": "resumable", "is_carousel_item": true,
            }),
            &json!({ "image_url": "https://fanfare.example/files/4", "is_carousel_item": true }),
            &json!({ "media_type": "CAROUSEL", "children": ids, "caption": "A picture" }),
            &json!({ "creation_id": "17900000000000004" }),
        ]
    );
}

#[test]
fn a_story_has_a_file_and_nothing_else() {
    let story = |file| {
        let mut job = with(of(vec![file]), &[("format", "story"), ("location_id", "1")]);
        job.parts[0].text = String::new();
        json_of(&play(connector(), &FAKE, &job).sent[0]).clone()
    };
    let url = "https://fanfare.example/files/1";
    assert_eq!(story(image(1)), json!({ "media_type": "STORIES", "image_url": url }));
    assert_eq!(story(film(1)), json!({ "media_type": "STORIES", "upload_type": "resumable" }));
}

#[test]
fn a_comment_comes_right_below_the_post_and_shares_its_address() {
    let played = play(connector(), &FAKE, &commented());
    let sent = &played.sent;
    assert_eq!(paths(&sent[3..]), ["Post me/media_publish", "Post post/comments", "Get post"]);
    // Any field asked for would make a success look like an error.
    assert_eq!(sent[4].url, format!("https://graph.instagram.com/v26.0/{POST}/comments"));
    assert_eq!(json_of(&sent[4]), &json!({ "message": "And a word" }));
    assert_eq!(sent[4].repeat, Repeat::Probed { settle: Duration::from_secs(30) });
    let live = |id: &str| Live { id: id.to_owned(), url: PERMALINK.to_owned() };
    assert_eq!(played.live, [live(POST), live("18100000000000001")]);
}

fn earned(ready: usize, misses: u32) -> Value {
    json!({ "containers": ["7"], "album": null, "ready": ready, "misses": misses })
}

fn publish(misses: u32) -> Value {
    json!({ "Publish": { "earned": earned(1, misses) } })
}

fn process(polls: u32) -> Value {
    json!({ "Process": { "earned": earned(0, 0), "polls": polls } })
}

fn settle(polls: u32, calm: u32) -> Value {
    let since = NOW.before(Duration::from_secs(10));
    json!({ "Settle": { "earned": earned(1, 0), "since": since, "polls": polls, "calm": calm } })
}

fn seek(looks: u32) -> Value {
    let since = NOW.before(Duration::from_secs(10));
    json!({ "Find": { "earned": earned(1, 0), "since": since, "looks": looks } })
}

fn comment(tries: u32) -> Value {
    json!({ "Comment": { "post": POST, "tries": tries } })
}

fn address(comment: Value, tries: u32) -> Value {
    json!({ "Address": { "post": POST, "comment": comment, "tries": tries } })
}

fn accept(step: &Value, job: &Job, status: u16, body: Value) -> Result<Next<Value>, RefusalKind> {
    let next = connector().accept(step, job, &reply(status, body)).unwrap();
    next.map_err(|refusal| refusal.kind)
}

fn no(code: i64, subcode: i64) -> Value {
    json!({ "error": {
        "message": "No.", "type": "OAuthException", "code": code, "error_subcode": subcode,
        "is_transient": false, "error_user_title": "No", "error_user_msg": "It is not possible.",
        "fbtrace_id": "A6",
    } })
}

/// <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes>.
fn documented() -> Vec<(i64, i64, RefusalKind)> {
    use RefusalKind::{Media, Rejected, Revoked, Unauthorized, Unavailable};
    let in_an_hour = Some(NOW.after(Duration::from_secs(3_600)));
    let full = |scope| RefusalKind::Throttled { until: in_an_hour, scope };
    vec![
        (-2, 2_207_003, Media),
        (-2, 2_207_020, Media),
        (-1, 2_207_001, Unavailable),
        (-1, 2_207_032, Unavailable),
        (-1, 2_207_053, Media),
        (-1, 2_207_073, Rejected),
        (1, 2_207_057, Rejected),
        (4, 2_207_051, Rejected),
        (9, 2_207_042, full(PaceScope::Account)),
        (24, 2_207_006, Rejected),
        (24, 2_207_008, Media),
        (25, 2_207_050, Revoked),
        (100, 2_207_023, Rejected),
        (100, 2_207_028, Rejected),
        (100, 2_207_035, Rejected),
        (100, 2_207_036, Rejected),
        (100, 2_207_037, Rejected),
        (100, 2_207_040, Rejected),
        (352, 2_207_026, Media),
        (9_004, 2_207_052, Media),
        (9_007, 2_207_027, Unavailable),
        (36_000, 2_207_004, Media),
        (36_001, 2_207_005, Media),
        (36_003, 2_207_009, Media),
        (36_004, 2_207_010, Rejected),
        (2_207_077, 0, Media),
        (2_207_082, 0, Media),
        (2_207_081, 0, Rejected),
        // By the code alone.
        (-2, 0, Media),
        (-1, 0, Unavailable),
        (9, 0, full(PaceScope::Account)),
        (24, 0, Rejected),
        (25, 0, Revoked),
        (352, 0, Media),
        (9_004, 0, Media),
        (9_007, 0, Unavailable),
        (36_000, 0, Media),
        (36_001, 0, Media),
        (36_003, 0, Media),
        (36_004, 0, Rejected),
        // What all of Meta shares.
        (1, 0, Unavailable),
        (2, 0, Unavailable),
        (3, 0, Revoked),
        (4, 0, full(PaceScope::App)),
        (10, 0, Revoked),
        (17, 2_446_079, full(PaceScope::Account)),
        (32, 0, full(PaceScope::Account)),
        (100, 0, Rejected),
        (102, 0, Unauthorized),
        (190, 0, Unauthorized),
        (190, 458, Revoked),
        (190, 459, Revoked),
        (190, 460, Revoked),
        (190, 463, Unauthorized),
        (190, 464, Revoked),
        (190, 467, Revoked),
        (200, 0, Revoked),
        (299, 0, Revoked),
        (368, 0, Rejected),
        (613, 1_996, full(PaceScope::Account)),
        (80_002, 0, full(PaceScope::Account)),
    ]
}

#[test]
fn refusals_are_read_as_documented() {
    let job = of(vec![image(1)]);
    let row = |status, body, kind| Row { status, header: None, body, kind };
    let prepare = connector().begin(&job);
    let rows =
        documented().into_iter().map(|(code, subcode, kind)| row(400, no(code, subcode), kind));
    check_rows(connector(), &job, &prepare, rows.collect());
    // When it is published, two of them are no refusals yet: see the test below.
    let is_final = |&(_, subcode, _): &(i64, i64, RefusalKind)| {
        ![2_207_006, 2_207_008, 2_207_027].contains(&subcode)
    };
    let rows = documented().into_iter().filter(is_final).filter(|(code, ..)| *code != 9_007);
    let rows = rows.map(|(code, subcode, kind)| row(400, no(code, subcode), kind));
    check_rows(connector(), &job, &publish(0), rows.collect());
    // "A few edges return it with HTTP 200".
    let anywhere = || {
        vec![
            row(200, no(190, 463), RefusalKind::Unauthorized),
            row(400, json!({ "error": { "message": "odd" } }), RefusalKind::Rejected),
            row(413, Value::Null, RefusalKind::Media),
            row(500, no(2, 0), RefusalKind::Unavailable),
        ]
    };
    for step in [&prepare, &process(0), &publish(0), &comment(0), &address(Value::Null, 0)] {
        check_rows(connector(), &job, step, anywhere());
    }
}

#[test]
fn a_limit_lasts_as_long_as_meta_says() {
    let job = of(vec![image(1)]);
    let usage = r#"{"17841400000000001":[{"type":"instagram","call_count":100,
        "total_cputime":20,"total_time":20,"estimated_time_to_regain_access":7}]}"#;
    let until = Some(NOW.after(Duration::from_secs(7 * 60)));
    let full = Row {
        status: 400,
        header: Some(("x-business-use-case-usage", usage)),
        body: no(80_002, 0),
        kind: RefusalKind::Throttled { until, scope: PaceScope::Account },
    };
    check_rows(connector(), &job, &publish(0), vec![full]);
}

#[test]
fn an_upload_that_cannot_be_retried_begins_with_another_container() {
    let job = of(vec![film(1)]);
    let upload = json!({ "Upload": { "earned": earned(0, 0) } });
    let trouble = |retriable: Value| {
        json!({ "debug_info": {
            "retriable": retriable, "type": "ProcessingFailedError", "message": "Request failed",
        } })
    };
    let row = |status, body, kind| Row { status, header: None, body, kind };
    let rows = vec![
        row(400, trouble(json!(false)), RefusalKind::Media),
        row(500, trouble(json!(false)), RefusalKind::Media),
        row(400, trouble(json!(true)), RefusalKind::Unavailable),
        row(200, trouble(json!(false)), RefusalKind::Media),
        row(401, trouble(json!(false)), RefusalKind::Unauthorized),
        row(400, no(190, 460), RefusalKind::Revoked),
        row(404, json!({ "odd": 1 }), RefusalKind::Media),
        row(200, json!({ "success": false }), RefusalKind::Unreadable),
        row(200, json!({}), RefusalKind::Unreadable),
    ];
    check_rows(connector(), &job, &upload, rows);
    let refused = connector().accept(&upload, &job, &reply(400, trouble(json!(false)))).unwrap();
    let refused = refused.unwrap_err();
    assert_eq!((&*refused.code, &*refused.words), ("ProcessingFailedError", "Request failed"));
}

#[test]
fn a_container_that_failed_says_why_in_its_status() {
    use RefusalKind::{Media, Rejected, Revoked};
    let job = of(vec![image(1)]);
    for (status, kind, code) in [
        ("Error: Media upload has failed with error code 2207026", Media, "2207026"),
        ("Error: 2207003", Media, "2207003"),
        ("Error: 2207001", Media, "2207001"),
        ("Error: 2207042", Media, "2207042"),
        ("Error: 2207010 caption", Rejected, "2207010"),
        ("Error: 2207051", Rejected, "2207051"),
        ("Error: 2207050", Revoked, "2207050"),
        ("Error: 2207999", Media, "2207999"),
        ("Error 12345678 of 1234567", Media, "container_error"),
        ("", Media, "container_error"),
    ] {
        let body = json!({ "status_code": "ERROR", "status": status, "id": "7" });
        let refused = connector().accept(&process(0), &job, &reply(200, body)).unwrap();
        let refused = refused.unwrap_err();
        assert_eq!((refused.kind, &*refused.code), (kind, code), "{status}");
        assert!(refused.words.contains(status) && !refused.words.is_empty());
    }
    let expired = json!({ "status_code": "EXPIRED", "id": "7" });
    assert_eq!(accept(&process(0), &job, 200, expired), Err(Media));
    for odd in [json!({}), json!({ "status_code": "DREAMING" }), Value::Null] {
        assert_eq!(accept(&process(0), &job, 200, odd), Err(RefusalKind::Unreadable));
    }
}

#[test]
fn a_container_is_asked_often_at_first_and_given_up_after_half_an_hour() {
    let job = of(vec![image(1)]);
    let working = || json!({ "status_code": "IN_PROGRESS", "id": "7" });
    let (mut step, mut waited) = (process(0), Duration::ZERO);
    for polls in 0..36 {
        match accept(&step, &job, 200, working()).unwrap() {
            Next::Wait(wait, next) => (waited, step) = (waited + wait, next),
            other => panic!("{polls}: {other:?}"),
        }
        if polls == 3 {
            assert_eq!(waited, Duration::from_secs(20));
        }
    }
    assert!((1_500..=1_800).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(accept(&step, &job, 200, working()), Err(RefusalKind::Media));
}

#[test]
fn what_is_not_ready_after_all_is_waited_for_and_in_the_end_made_anew() {
    let job = of(vec![image(1)]);
    let wait = Duration::from_secs(30);
    for said in [no(9_007, 2_207_027), no(9_007, 0), no(24, 2_207_008), no(100, 33)] {
        let again = json!({ "Process": { "earned": earned(0, 2), "polls": 0 } });
        let next = accept(&publish(1), &job, 400, said.clone());
        assert_eq!(next, Ok(Next::Wait(wait, again)), "{said}");
        assert_eq!(accept(&publish(3), &job, 400, said), Err(RefusalKind::Media));
    }
    // While it is waited for, it may be missing on one machine.
    let again = json!({ "Process": { "earned": earned(0, 1), "polls": 5 } });
    let next = accept(&process(5), &job, 400, no(24, 2_207_008));
    assert_eq!(next, Ok(Next::Wait(wait, again)));
    // It was refused, and took effect all the same.
    let published = json!({ "status_code": "PUBLISHED", "id": "7" });
    let Ok(Next::Go(found)) = accept(&process(0), &job, 200, published.clone()) else {
        panic!("it is out")
    };
    assert_eq!(found["Find"]["earned"], earned(0, 0));
    assert_eq!(found["Find"]["since"], json!(job.due));
    let mut child = json!({ "Process": { "earned": earned(0, 0), "polls": 0 } });
    child["Process"]["earned"]["containers"] = json!(["7", "8"]);
    let next = accept(&child, &of(vec![image(1), image(2)]), 200, published);
    assert_eq!(next, Err(RefusalKind::Unreadable));
}

#[test]
fn an_account_that_has_used_up_its_posts_is_asked_again_in_an_hour() {
    let job = of(vec![image(1)]);
    let step = json!({ "Allowance": { "earned": earned(1, 0) } });
    let used = |used: u32, total: u32| {
        let config = json!({ "quota_total": total, "quota_duration": 86_400 });
        accept(&step, &job, 200, json!({ "data": [{ "quota_usage": used, "config": config }] }))
    };
    let until = Some(NOW.after(Duration::from_secs(3_600)));
    let full = Err(RefusalKind::Throttled { until, scope: PaceScope::Account });
    assert_eq!(used(25, 25), full);
    assert_eq!(used(26, 25), full);
    let go = Ok(Next::Go(publish(0)));
    assert_eq!(used(24, 25), go);
    // What it does not say keeps nothing back.
    assert_eq!(used(0, 0), go);
    assert_eq!(accept(&step, &job, 200, json!({ "data": [] })), go);
    assert_eq!(accept(&step, &job, 400, no(100, 0)), go);
    assert_eq!(accept(&step, &job, 400, no(190, 463)), Err(RefusalKind::Unauthorized));
}

fn recognise(step: &Value, job: &Job, status: u16, body: Value) -> Sighting<Value> {
    connector().recognise(step, job, &reply(status, body)).unwrap()
}

fn is_unsure(seen: &Sighting<Value>) -> bool {
    matches!(seen, Sighting::Unsure(_))
}

#[test]
fn the_container_tells_whether_it_was_published() {
    let job = of(vec![image(1)]);
    let probe = connector().probe(&publish(0), &job).unwrap().unwrap();
    assert_eq!(paths(std::slice::from_ref(&probe)), ["Get 7"]);
    let seen =
        |code: &str| recognise(&publish(0), &job, 200, json!({ "status_code": code, "id": "7" }));
    assert_eq!(seen("PUBLISHED"), Sighting::Found(Next::Go(seek(0))));
    for absent in ["FINISHED", "ERROR", "EXPIRED"] {
        assert_eq!(seen(absent), Sighting::Absent, "{absent}");
    }
    let minute = Duration::from_secs(60);
    assert_eq!(seen("IN_PROGRESS"), Sighting::Found(Next::Wait(minute, settle(0, 0))));
    assert!(is_unsure(&seen("DREAMING")));
    assert!(is_unsure(&recognise(&publish(0), &job, 400, no(24, 2_207_008))));
    assert!(is_unsure(&recognise(&publish(0), &job, 200, no(1, 0))));
}

#[test]
fn what_is_still_being_published_is_never_published_again_before_it_is_calm() {
    let job = of(vec![image(1)]);
    let state = |step: &Value, code: &str| {
        accept(step, &job, 200, json!({ "status_code": code, "id": "7" }))
    };
    let minute = Duration::from_secs(60);
    assert_eq!(state(&settle(3, 1), "IN_PROGRESS"), Ok(Next::Wait(minute, settle(4, 0))));
    assert_eq!(state(&settle(3, 0), "FINISHED"), Ok(Next::Wait(minute, settle(3, 1))));
    assert_eq!(state(&settle(3, 1), "FINISHED"), Ok(Next::Go(publish(0))));
    assert_eq!(state(&settle(3, 0), "ERROR"), Ok(Next::Wait(minute, settle(3, 1))));
    assert_eq!(state(&settle(3, 1), "ERROR"), Err(RefusalKind::Media));
    assert_eq!(state(&settle(3, 0), "PUBLISHED"), Ok(Next::Go(seek(0))));
    // It is not begun anew while it may be out.
    assert_eq!(state(&settle(36, 0), "IN_PROGRESS"), Err(RefusalKind::Rejected));
    let missing = accept(&settle(3, 0), &job, 400, no(24, 2_207_008));
    assert_eq!(missing, Err(RefusalKind::Unavailable));
}

fn shown(id: &str, caption: &str, at: &str) -> Value {
    json!({
        "id": id, "caption": caption, "media_type": "IMAGE", "permalink": PERMALINK,
        "timestamp": at,
    })
}

const AFTER: &str = "2026-11-21T09:00:01+0000";

#[test]
fn a_published_container_is_found_by_text_time_and_kind() {
    let mut job = of(vec![image(1)]);
    job.parts[0].text = "Café  tonight\n".to_owned();
    let look = |posts: Value| accept(&seek(0), &job, 200, json!({ "data": posts }));
    let again = Ok(Next::Wait(Duration::from_secs(15), seek(1)));
    let found = Ok(Next::Go(address(Value::Null, 0)));
    assert_eq!(look(json!([shown(POST, "Cafe\u{301} tonight", AFTER)])), found);
    // Instagram's clock may be behind.
    assert_eq!(look(json!([shown(POST, "Café tonight", "2026-11-21T08:58:00+0000")])), found);
    let mut film = shown("1", "Café tonight", AFTER);
    film["media_type"] = json!("VIDEO");
    for other in [
        json!([]),
        Value::Null,
        json!([shown("1", "Café", AFTER)]),
        json!([shown("1", "Café tonight", "2026-11-21T08:50:00+0000")]),
        json!([shown("1", "Café tonight", "yesterday")]),
        json!([film]),
        // Either could be it.
        json!([shown("1", "Café tonight", AFTER), shown("2", "Café tonight", AFTER)]),
    ] {
        assert_eq!(look(other.clone()), again, "{other}");
    }
}

#[test]
fn a_story_is_found_in_its_own_list_by_time_and_kind() {
    let mut job = with(of(vec![image(1)]), &[("format", "story")]);
    job.parts[0].text = String::new();
    let request = connector().request(&seek(0), &job).unwrap();
    assert_eq!(paths(std::slice::from_ref(&request)), ["Get me/stories"]);
    let mut story = shown(POST, "", AFTER);
    story["caption"] = Value::Null;
    let next = accept(&seek(0), &job, 200, json!({ "data": [story] }));
    assert_eq!(next, Ok(Next::Go(address(Value::Null, 0))));
}

#[test]
fn a_post_that_is_out_and_not_found_is_published_and_its_comment_left_out() {
    let live =
        Live { id: "container:7".to_owned(), url: "https://www.instagram.com/alice/".to_owned() };
    let nothing = || json!({ "data": [] });
    let job = of(vec![image(1)]);
    assert_eq!(connector().live(&seek(7), &job).unwrap(), std::slice::from_ref(&live));
    assert_eq!(accept(&seek(7), &job, 200, nothing()), Ok(Next::Done(vec![live])));
    let refused = connector().accept(&seek(7), &commented(), &reply(200, nothing())).unwrap();
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("the post is out"), "{}", refused.words);
    let found = json!({ "data": [shown(POST, "A picture", AFTER)] });
    assert_eq!(accept(&seek(7), &commented(), 200, found), Ok(Next::Go(comment(0))));
}

#[test]
fn a_comment_is_recognised_and_an_alike_one_left_to_a_person() {
    let job = commented();
    let listed = |text: &str, more: Value| {
        let mut comment = json!({ "id": "5", "text": text });
        comment.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "data": [comment] })
    };
    let see = |body: Value| recognise(&comment(0), &job, 200, body);
    let found = Sighting::Found(Next::Go(address(json!("5"), 0)));
    for ours in [
        listed("And a word", json!({ "username": "alice" })),
        listed(" And  a word", json!({ "username": "Alice" })),
        listed(
            "And a word",
            json!({ "username": "renamed", "from": {
            "id": "17841400000000001", "username": "renamed" } }),
        ),
        listed("And a word", json!({})),
    ] {
        assert_eq!(see(ours.clone()), found, "{ours}");
    }
    assert!(is_unsure(&see(listed("And a word", json!({ "username": "bob" })))));
    for other in [
        json!({ "data": [] }),
        listed("And a word more", json!({ "username": "alice" })),
        listed("Nice", json!({ "username": "bob" })),
    ] {
        assert_eq!(see(other.clone()), Sighting::Absent, "{other}");
    }
    let mut page = listed("Nice", json!({ "username": "bob" }));
    page["paging"] = json!({ "next": "https://graph.instagram.com/next" });
    assert!(is_unsure(&see(page)));
}

#[test]
fn a_comment_that_fails_leaves_the_account_and_the_post_alone() {
    let job = commented();
    for (code, subcode, kind) in [
        (10, 0, RefusalKind::Rejected),
        (200, 0, RefusalKind::Rejected),
        (3, 0, RefusalKind::Rejected),
        (190, 460, RefusalKind::Revoked),
        (4, 2_207_051, RefusalKind::Rejected),
        // It was made all the same.
        (20, 1_772_107, RefusalKind::Unreadable),
        (2, 0, RefusalKind::Unavailable),
    ] {
        assert_eq!(accept(&comment(0), &job, 400, no(code, subcode)), Err(kind), "{code}");
    }
    let live = connector().live(&comment(0), &job).unwrap();
    assert_eq!((live.len(), live[0].id.as_str()), (1, POST));
    // The post is so new that it is not everywhere.
    let wait = Duration::from_secs(30);
    let missing = || no(24, 2_207_006);
    assert_eq!(accept(&comment(0), &job, 400, missing()), Ok(Next::Wait(wait, comment(1))));
    assert_eq!(accept(&comment(3), &job, 400, missing()), Err(RefusalKind::Rejected));
}

#[test]
fn the_address_is_asked_for_and_nothing_hangs_on_it() {
    let job = of(vec![image(1)]);
    let step = |tries| address(Value::Null, tries);
    let live = |url: &str| vec![Live { id: POST.to_owned(), url: url.to_owned() }];
    let profile = live("https://www.instagram.com/alice/");
    assert_eq!(connector().live(&step(0), &job).unwrap(), profile);
    let permalink = json!({ "permalink": PERMALINK });
    assert_eq!(accept(&step(0), &job, 200, permalink), Ok(Next::Done(live(PERMALINK))));
    assert_eq!(accept(&step(0), &job, 200, json!({ "id": POST })), Ok(Next::Done(profile)));
    let wait = Duration::from_secs(30);
    assert_eq!(accept(&step(0), &job, 400, no(100, 33)), Ok(Next::Wait(wait, step(1))));
    assert_eq!(accept(&step(3), &job, 400, no(100, 33)), Err(RefusalKind::Rejected));
}

#[test]
fn a_publication_whose_answer_was_lost_ends_as_if_it_had_come() {
    for job in [of(vec![image(1)]), of(vec![image(1), film(2)]), commented()] {
        let (mut memory, mut step) = (Memory::default(), connector().begin(&job));
        while step.get("Publish").is_none() {
            let answer = answer(&mut memory, &connector().request(&step, &job).unwrap());
            match connector().accept(&step, &job, &answer).unwrap().unwrap() {
                Next::Go(next) | Next::Wait(_, next) => step = next,
                Next::Done(live) => panic!("{live:?} without a publication"),
            }
        }
        answer(&mut memory, &connector().request(&step, &job).unwrap());
        let probe = connector().probe(&step, &job).unwrap().unwrap();
        let seen = answer(&mut memory, &probe);
        let Sighting::Found(Next::Go(found)) = connector().recognise(&step, &job, &seen).unwrap()
        else {
            panic!("it is out")
        };
        let rest = play_on(connector(), &FAKE, &job, found, memory);
        let publications = |sent: &[Request]| {
            paths(sent).iter().filter(|path| path.ends_with("media_publish")).count()
        };
        assert_eq!(publications(&rest.sent), 0);
        assert_eq!(rest.live, play(connector(), &FAKE, &job).live);
    }
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    tokens_are_lengthened_and_renewed_as_each_way_has_it,
    professional_accounts_are_welcome_and_personal_ones_told_what_to_do,
    linked_accounts_are_found_page_by_page_and_in_businesses,
    a_search_ends_when_the_token_is_bad_and_goes_on_without_businesses,
    posts_are_taken_down_by_way_of_facebook_alone,
];

fn site_by(login: &str) -> Site {
    Site { login: login.to_owned(), version: "v26.0".to_owned(), ..site(&FAKE) }
}

fn once(task: &Task, login: &str, answer: Reply) -> Ran {
    run_errand(connector(), task, site_by(login), |_| answer.clone())
}

fn fills(request: &Request) -> Vec<(&str, SecretName)> {
    request.fills.iter().map(|Fill { place, secret }| (place.as_str(), *secret)).collect()
}

#[test]
fn tokens_are_lengthened_and_renewed_as_each_way_has_it() {
    let long = || {
        reply(
            200,
            json!({
                "access_token": "long", "token_type": "bearer", "expires_in": 5_183_944,
                "permissions": "instagram_business_basic,instagram_business_content_publish",
            }),
        )
    };
    let granted = |ran: &Ran| match &ran.outcome {
        Ok(Outcome::Granted(grant)) => grant.clone(),
        other => panic!("{other:?}"),
    };
    for login in ["", "instagram"] {
        let ran = once(&Task::Lengthen, login, long());
        let url = "https://graph.instagram.com/access_token?grant_type=ig_exchange_token";
        assert_eq!((ran.sent[0].url.as_str(), ran.sent[0].auth), (url, Auth::None));
        let wanted =
            [("client_secret", SecretName::ClientSecret), ("access_token", SecretName::Access)];
        assert_eq!(fills(&ran.sent[0]), wanted);
        let grant = granted(&ran);
        assert_eq!(grant.access, Secret::new("long"));
        assert_eq!(grant.access_lasts, Some(Duration::from_secs(5_183_944)));
        let scopes = "instagram_business_basic instagram_business_content_publish";
        assert_eq!(grant.scopes, scopes);
    }
    let ran = once(&Task::Refresh, "instagram", reply(200, json!({ "access_token": "new" })));
    let url = "https://graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token";
    assert_eq!(ran.sent[0].url, url);
    assert_eq!(fills(&ran.sent[0]), [("access_token", SecretName::Access)]);
    // Where nothing is said, the documented 60 days.
    assert_eq!(granted(&ran).access_lasts, Some(Duration::from_secs(60 * 86_400)));

    let ran = once(&Task::Lengthen, "facebook", reply(200, json!({ "access_token": "long" })));
    assert_eq!(
        ran.sent[0].url,
        "https://graph.facebook.com/v26.0/oauth/access_token?grant_type=fb_exchange_token"
    );
    let wanted = [
        ("client_id", SecretName::ClientId),
        ("client_secret", SecretName::ClientSecret),
        ("fb_exchange_token", SecretName::Access),
    ];
    assert_eq!(fills(&ran.sent[0]), wanted);
    assert_eq!(granted(&ran).access_lasts, None);

    let refused = once(&Task::Refresh, "instagram", reply(400, no(190, 463))).outcome;
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Unauthorized);
    let odd = once(&Task::Lengthen, "instagram", reply(200, json!({}))).outcome;
    assert_eq!(odd.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn professional_accounts_are_welcome_and_personal_ones_told_what_to_do() {
    let me = |kind: &str| {
        json!({
            "user_id": "17841400000000001", "id": "9", "username": "alice", "name": "Alice",
            "account_type": kind, "profile_picture_url": "https://cdn.example/1.jpg",
        })
    };
    for kind in ["Business", "BUSINESS", "Media_Creator", ""] {
        for body in [me(kind), json!({ "data": [me(kind)] })] {
            let ran = once(&Task::Identify, "instagram", reply(200, body));
            assert_eq!(paths(&ran.sent), ["Get me"]);
            let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("{kind}") };
            assert_eq!(identity.remote_id, "17841400000000001");
            assert_eq!((&*identity.handle, &*identity.name), ("alice", "Alice"));
            assert_eq!(identity.url, "https://www.instagram.com/alice/");
        }
    }
    let refused = once(&Task::Identify, "instagram", reply(200, me("PERSONAL"))).outcome;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Rejected);
    assert!(refused.words.contains("switch it to a business or creator account"));
    for missing in ["user_id", "username"] {
        let mut body = me("Business");
        body.as_object_mut().unwrap().remove(missing);
        let refused = once(&Task::Identify, "instagram", reply(200, body)).outcome;
        assert_eq!(refused.unwrap_err().kind, RefusalKind::Unreadable, "{missing}");
    }
}

fn page(id: &str, account: Option<&str>, more: Value) -> Value {
    let mut page = json!({
        "id": id, "name": format!("Page {id}"), "access_token": format!("token-{id}"),
        "tasks": ["ANALYZE", "CREATE_CONTENT"],
    });
    if let Some(account) = account {
        page["instagram_business_account"] = json!({
            "id": account, "username": format!("user{account}"),
            "profile_picture_url": "https://cdn.example/1.jpg",
        });
    }
    page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    page
}

#[test]
fn linked_accounts_are_found_page_by_page_and_in_businesses() {
    let ran = run_errand(connector(), &Task::Discover, site_by("facebook"), |request| {
        assert!(request.url.starts_with("https://graph.facebook.com/v26.0/"));
        let path = path_of(request).replace("/v26.0/", "");
        let after = query_of(request, "after").unwrap_or_default();
        // The token is in `next`, so it is not followed.
        let more = json!({
            "cursors": { "after": "c1" }, "next": "https://elsewhere.example/?access_token=t",
        });
        let end = json!({ "cursors": { "after": "c9" } });
        let body = match (path.as_str(), after.as_str()) {
            ("me/accounts", "") => json!({
                "data": [page("1", Some("11"), json!({})), page("2", None, json!({}))],
                "paging": more,
            }),
            ("me/accounts", "c1") => json!({
                "data": [page("3", Some("13"), json!({ "tasks": ["ANALYZE"] }))], "paging": end,
            }),
            ("me/businesses", "") => json!({ "data": [{ "id": "90" }, { "id": "91" }] }),
            ("91/owned_pages", "") => json!({
                "data": [page("1", Some("11"), json!({})), page("4", Some("14"), json!({}))],
            }),
            ("91/client_pages", "") => json!({
                "data": [page("5", Some("15"), json!({ "access_token": null }))],
            }),
            // Of one business nothing may be seen.
            ("90/owned_pages" | "90/client_pages", "") => return reply(403, no(200, 0)),
            ("me/permissions", "") => json!({ "data": [
                { "permission": "instagram_basic", "status": "granted" },
                { "permission": "business_management", "status": "declined" },
                { "permission": "pages_show_list", "status": "granted" },
            ] }),
            other => panic!("{other:?}"),
        };
        reply(200, body)
    });
    let scopes = Some("instagram_basic pages_show_list".to_owned());
    assert_eq!(ran.outcome, Ok(Outcome::Discovered { targets: Vec::new(), scopes }));
    let found: Vec<_> = ran
        .found
        .iter()
        .map(|target| {
            let access = target.access.as_ref().map(Secret::expose);
            (target.identity.remote_id.as_str(), access, target.obstacle.is_none())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("11", Some("token-1"), true),
            ("2", None, false),
            ("13", Some("token-3"), false),
            ("14", Some("token-4"), true),
            ("15", None, false),
        ]
    );
    let obstacle = |index: usize| ran.found[index].obstacle.clone().unwrap();
    assert!(obstacle(1).contains("No professional Instagram account is linked to the page Page 2"));
    assert!(obstacle(2).contains("may not create content"));
    assert!(obstacle(4).contains("gives no access to the page"));
    assert_eq!(ran.found[0].identity.handle, "user11");
    assert_eq!(ran.found[0].identity.url, "https://www.instagram.com/user11/");
    let fields = query_of(&ran.sent[0], "fields").unwrap();
    assert!(fields.ends_with("instagram_business_account{id,username,name,profile_picture_url}"));
}

#[test]
fn a_search_ends_when_the_token_is_bad_and_goes_on_without_businesses() {
    let run =
        |businesses: Reply| {
            run_errand(connector(), &Task::Discover, site_by("facebook"), move |request| {
                match path_of(request).as_str() {
                    "/v26.0/me/businesses" => businesses.clone(),
                    _ => reply(200, json!({ "data": [] })),
                }
            })
        };
    let nothing = Outcome::Discovered { targets: Vec::new(), scopes: Some(String::new()) };
    for withheld in [no(10, 0), no(200, 0), no(100, 0)] {
        assert_eq!(run(reply(400, withheld)).outcome, Ok(nothing.clone()));
    }
    let lost = run(reply(400, no(190, 460))).outcome.unwrap_err();
    assert_eq!(lost.kind, RefusalKind::Revoked);
    let away = run(reply(503, Value::Null)).outcome.unwrap_err();
    assert_eq!(away.kind, RefusalKind::Unavailable);
}

fn live(ids: &[&str]) -> Vec<Live> {
    ids.iter().map(|id| Live { id: (*id).to_owned(), url: String::new() }).collect()
}

#[test]
fn posts_are_taken_down_by_way_of_facebook_alone() {
    let task = Task::Remove { live: live(&["1", "2"]) };
    let deleted = || reply(200, json!({ "success": true, "deleted_id": "2" }));
    let ran = run_errand(connector(), &task, site_by("facebook"), |request| {
        match (request.method, path_of(request).as_str()) {
            (Method::Delete, "/v26.0/2") => reply(400, no(100, 33)),
            (Method::Get, "/v26.0/2") => reply(400, no(24, 2_207_006)),
            (Method::Delete, "/v26.0/1") => deleted(),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    assert_eq!(paths(&ran.sent), ["Delete 2", "Get 2", "Delete 1"]);

    // Not found when it is to go, and there when it is looked at.
    let ran = run_errand(connector(), &task, site_by("facebook"), |request| match request.method {
        Method::Get => reply(200, json!({ "id": "2" })),
        _ => reply(400, no(100, 33)),
    });
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Rejected);

    for (task, login, words) in [
        (&task, "instagram", "by way of Facebook"),
        (&task, "", "by way of Facebook"),
        (&Task::Remove { live: live(&["container:7"]) }, "facebook", "never told by Instagram"),
    ] {
        let ran = once(task, login, reply(200, json!({ "id": "9", "success": true })));
        assert!(ran.sent.iter().all(|request| request.method == Method::Get), "{login}");
        let refused = ran.outcome.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Rejected);
        assert!(refused.words.contains(words), "{}", refused.words);
    }
    let kept = once(&task, "facebook", reply(400, no(-1, 2_207_073))).outcome.unwrap_err();
    assert_eq!((kept.kind, &*kept.code), (RefusalKind::Rejected, "-1/2207073"));
    let odd = once(&task, "facebook", reply(200, json!({}))).outcome.unwrap_err();
    assert_eq!(odd.kind, RefusalKind::Unreadable);
}

#[test]
fn what_instagram_cannot_do_is_no_errand() {
    let edit = Task::Edit { live: live(&["1"]), index: 0, text: "new".to_owned() };
    for task in [Task::Revoke, edit, Task::Remove { live: Vec::new() }] {
        assert_eq!(connector().errand(&task, &Site::default()), None, "{task:?}");
    }
}

fn checked(parts: &[JobPart], options: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let options: BTreeMap<String, String> =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let author = Identity::default();
    let draft = Draft { parts, options: &options, author: &author };
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for finding in connector().check(&draft) {
        match finding {
            Finding::Error(problem) => errors.push(problem.place),
            Finding::Warning(problem) => warnings.push(problem.place),
        }
    }
    (errors, warnings)
}

#[test]
fn options_are_checked_for_their_meaning_and_their_effect() {
    let one = |file| vec![part("hi", vec![file])];
    let option = |name: &str| vec![format!("content.options.{name}")];
    let none = Vec::<String>::new();
    for (file, options, errors, warnings) in [
        (film(2), vec![("thumb_offset", "20000"), ("share_to_feed", "true")], &none, &none),
        (film(2), vec![("thumb_offset", "20001")], &option("thumb_offset"), &none),
        (image(2), vec![("thumb_offset", "5")], &none, &option("thumb_offset")),
        (image(2), vec![("share_to_feed", "true")], &none, &option("share_to_feed")),
        (image(2), vec![("location_id", "123"), ("collaborators", "@a.b_1\nc")], &none, &none),
        (image(2), vec![("location_id", "Paris")], &option("location_id"), &none),
        (image(2), vec![("collaborators", "bob\nnot him")], &option("collaborators"), &none),
        (image(2), vec![("format", "story"), ("location_id", "1")], &none, &option("location_id")),
    ] {
        let found = checked(&one(file), &options);
        assert_eq!((&found.0, &found.1), (errors, warnings), "{options:?}");
    }
    // Without its files nothing can be said of its options.
    assert_eq!(checked(&[], &[("thumb_offset", "5")]), (none.clone(), none));
}

#[test]
fn one_is_told_what_is_cropped_and_which_description_is_lost() {
    let mut wide = image(4);
    wide.size = Some((1_080, 566));
    let (errors, warnings) = checked(&[part("", vec![image(2), wide, film(3)])], &[]);
    assert!(errors.is_empty());
    assert_eq!(warnings, ["content.parts[0].media[1]", "content.parts[0].media[2].alt"]);
    let (_, warnings) = checked(&[part("", vec![image(1)])], &[("format", "story")]);
    assert_eq!(warnings, ["content.parts[0].media[0].alt"]);
    assert_eq!(checked(&[part("", vec![image(1), image(3)])], &[]).1, Vec::<String>::new());
}

#[test]
fn only_values_that_instagram_knows_are_taken() {
    for (name, value, is_taken) in [
        ("format", "reel", true),
        ("format", "story", true),
        ("format", "post", false),
        ("share_to_feed", "yes", false),
        ("thumb_offset", "900000", true),
        ("thumb_offset", "900001", false),
        ("collaborators", "a\nb\nc", true),
        ("collaborators", "a\nb\nc\nd", false),
        ("location_id", "106078429431815", true),
        // Of Threads: the post says the same without it. A poll would be missed.
        ("topic_tag", "rust", true),
        ("poll", "a\nb", false),
    ] {
        assert_eq!(takes(connector(), name, value), is_taken, "{name}={value}");
    }
}

/// The codes of what does not fit, in order.
fn misfits(format: &str, parts: &[JobPart]) -> Vec<&'static str> {
    let (limits, kinds) = connector().profile().format(format).unwrap();
    let file = |file: &JobMedia| Media {
        id: file.id,
        organization: OrganizationId(1),
        kind: file.kind,
        mime: file.mime.clone(),
        bytes: file.bytes,
        size: file.size,
        length: file.length,
        codec: String::new(),
        sha256: [0; 32],
        name: String::new(),
        created: NOW,
    };
    let files = parts.iter().flat_map(|part| &part.media);
    let attachment = |file: &JobMedia| Attachment { media: file.id, alt: file.alt.clone() };
    let part = |part: &JobPart| Part {
        text: part.text.clone(),
        media: part.media.iter().map(attachment).collect(),
    };
    let candidate = Candidate {
        platform: "Instagram",
        limits: *limits,
        kinds,
        content: &Content { parts: parts.iter().map(part).collect(), options: BTreeMap::new() },
        media: &files.map(|media| (media.id, file(media))).collect(),
    };
    fit::check(&candidate).errors.iter().map(|problem| problem.code.name()).collect()
}

#[test]
fn limits_are_those_of_the_reference() {
    let one = |text: &str, file: JobMedia| vec![part(text, vec![file])];
    let changed = |mut file: JobMedia, change: fn(&mut JobMedia)| {
        change(&mut file);
        file
    };
    let high = || changed(image(1), |file| file.size = Some((1_080, 1_920)));
    let png = changed(image(1), |file| file.mime = "image/png".to_owned());
    let heavy = |bytes| JobMedia { bytes, ..film(1) };
    let lasting = |seconds| JobMedia { length: Some(Duration::from_secs(seconds)), ..film(1) };
    let many = |count: u128| vec![part("", (1..=count).map(image).collect())];
    let with_comment = |comment: JobPart| vec![part("", vec![image(1)]), comment];
    let mentions = "@somebody ".repeat(21);
    for (format, parts, expected) in [
        ("", one(&"a".repeat(2_200), image(1)), vec![]),
        ("", one(&"a".repeat(2_201), image(1)), vec!["text-too-long"]),
        ("", one(&"\u{1F600}".repeat(1_101), image(1)), vec!["text-too-long"]),
        ("", one(&mentions, image(1)), vec!["too-many-tags"]),
        ("", vec![part("a text alone", Vec::new())], vec!["invalid"]),
        ("", one("", png), vec!["media-format"]),
        ("", one("", high()), vec!["media-shape"]),
        ("", one("", changed(image(1), |file| file.bytes = 8_388_609)), vec!["media-too-large"]),
        ("", many(10), vec![]),
        ("", many(11), vec!["too-many-media", "too-many-media"]),
        ("", vec![part("", vec![image(1), film(2), image(3)])], vec![]),
        ("", one("", lasting(2)), vec!["media-shape"]),
        ("", one("", lasting(900)), vec![]),
        ("", one("", lasting(901)), vec!["media-shape"]),
        ("", one("", heavy(314_572_801)), vec!["media-too-large"]),
        ("", with_comment(part(&"a".repeat(2_200), Vec::new())), vec![]),
        ("", with_comment(part(&"a".repeat(2_201), Vec::new())), vec!["text-too-long"]),
        ("", with_comment(part("", vec![image(2)])), vec!["too-many-media"]),
        ("reel", one("", film(1)), vec![]),
        ("reel", one("", image(1)), vec!["media-format"]),
        ("reel", vec![part("", vec![film(1), film(2)])], vec!["too-many-media", "too-many-media"]),
        ("story", one("", high()), vec![]),
        ("story", one("", lasting(60)), vec![]),
        ("story", one("", lasting(61)), vec!["media-shape"]),
        ("story", one("", heavy(104_857_601)), vec!["media-too-large"]),
        ("story", one("hi", image(1)), vec!["text-too-long"]),
    ] {
        let shown = parts.first().map_or("", |part| &part.text);
        assert_eq!(misfits(format, &parts), expected, "`{format}` {shown:.20} {parts:.0?}");
    }
    assert!(!misfits("story", &with_comment(part("a comment", Vec::new()))).is_empty());
}

#[test]
fn both_ways_to_sign_in_are_described_as_meta_has_them() {
    let profile = connector().profile();
    let names: Vec<_> = profile.logins.iter().map(Login::name).collect();
    assert_eq!(names, ["instagram", "facebook"]);
    assert_eq!(profile.login("").map(Login::name), Some("instagram"));
    for (login, app, authorize, token, refresh, targets) in [
        (
            "instagram",
            "instagram",
            "https://www.instagram.com/oauth/authorize",
            "https://api.instagram.com/oauth/access_token",
            RefreshModel::Extended,
            Targets::One,
        ),
        (
            "facebook",
            "facebook",
            "https://www.facebook.com/v26.0/dialog/oauth",
            "https://graph.facebook.com/v26.0/oauth/access_token",
            RefreshModel::Never,
            Targets::Several,
        ),
    ] {
        let Some(Login::OAuth(oauth)) = profile.login(login) else { panic!("{login}") };
        let url = |place: Place| site_by(login).url(place.endpoint, place.path);
        assert_eq!(oauth.app, app);
        assert_eq!((&*url(oauth.authorize), &*url(oauth.token)), (authorize, token));
        assert_eq!((oauth.refresh, oauth.targets), (refresh, targets));
        assert_eq!(oauth.first, FirstToken::Short);
        assert!(oauth.required.iter().all(|scope| oauth.scopes.contains(scope)));
    }
}
