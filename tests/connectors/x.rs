//! X: a platform that takes files in pieces, processes films for a while, and rewrites texts.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, ByteRange, Draft, Fill, Finding, Job, JobPart, Method, Next,
        Outcome, Repeat, Reply, Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "x",
    site: &[("api", "https://api.x.com"), ("web", "https://x.com")],
    author: || Identity {
        remote_id: "2244994945".to_owned(),
        handle: "alice".to_owned(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/x.json"),
};

fn specialities() -> Vec<Job> {
    vec![
        with_options("Tea or coffee?", &[("poll", "Tea\nCoffee"), ("poll_minutes", "60")]),
        with_options("So true", &[("quote", "https://x.com/jack/status/20")]),
        with_options("", &[("repost", "https://x.com/jack/status/20?s=46")]),
        with_options("Here", &[("community_id", "1493446837214187523")]),
    ]
}

fn with_options(text: &str, options: &[(&str, &str)]) -> Job {
    let mut job = job(connector(), &FAKE, vec![part(text, Vec::new())]);
    job.options = owned(options);
    job
}

fn owned(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access);
    let path = path_of(request);
    let segments: Vec<&str> = path.split('/').skip(2).collect();
    match (request.method, segments.as_slice()) {
        (Method::Post, ["media", "upload", "initialize"]) => {
            memory.uploads += 1;
            let key = if json_of(request)["media_category"] == "tweet_image" { "3" } else { "7" };
            let id = file_id(memory.uploads);
            let data = json!({ "id": id, "media_key": format!("{key}_{id}") });
            reply(200, json!({ "data": data }))
        }
        (Method::Post, ["media", "upload", _, "append"]) => reply(204, Value::Null),
        (Method::Post, ["media", "upload", id, "finalize"]) => {
            reply(200, json!({ "data": { "id": id, "processing_info": processing("pending") } }))
        }
        (Method::Get, ["media", "upload"]) => {
            memory.polls += 1;
            let state = if memory.polls.is_multiple_of(3) { "succeeded" } else { "in_progress" };
            let id = query_of(request, "media_id");
            reply(200, json!({ "data": { "id": id, "processing_info": processing(state) } }))
        }
        (Method::Post, ["media", "metadata"]) => reply(200, json!({ "data": {} })),
        (Method::Post, ["tweets"]) => {
            let post = post(json_of(request), memory.posts.len());
            memory.posts.insert(0, post.clone());
            reply(201, json!({ "data": { "id": post["id"], "text": post["text"] } }))
        }
        (Method::Post, ["users", "2244994945", "retweets"]) => {
            let original = &json_of(request)["tweet_id"];
            memory.posts.insert(0, passed_on(original));
            reply(200, json!({ "data": { "retweeted": true, "rest_id": original } }))
        }
        (Method::Get, ["users", "2244994945", "tweets"]) => {
            assert_eq!(query_of(request, "start_time").as_deref(), Some("2026-11-21T08:58:50Z"));
            let count = memory.posts.len();
            let mut body = json!({ "meta": { "result_count": count } });
            if count > 0 {
                body["data"] = json!(memory.posts);
            }
            reply(200, body)
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn processing(state: &str) -> Value {
    json!({ "state": state, "check_after_secs": 7 })
}

fn file_id(number: u32) -> String {
    format!("188000000000000000{number}")
}

/// As a list shows it: short links, an escaped text, a link for the files.
fn post(asked: &Value, number: usize) -> Value {
    let id = format!("199000000000000000{number}");
    let url = "https://example.com/a?b=c#d";
    let text = asked["text"].as_str().unwrap().replace('&', "&amp;");
    let mut post = json!({
        "id": id,
        "created_at": NOW.rfc3339(),
        "text": text.replace(url, "https://t.co/linklinkli"),
        "entities": { "urls": [{ "url": "https://t.co/linklinkli", "expanded_url": url }] },
    });
    if let Some(files) = asked["media"]["media_ids"].as_array() {
        let keys = files.iter().map(|id| format!("3_{}", id.as_str().unwrap()));
        post["attachments"] = json!({ "media_keys": keys.collect::<Vec<_>>() });
        post["text"] = json!(format!("{text} https://t.co/filefilefi"));
        let url = format!("https://x.com/alice/status/{id}/photo/1");
        post["entities"]["urls"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "url": "https://t.co/filefilefi", "expanded_url": url }));
    }
    if let Some(quoted) = asked["quote_tweet_id"].as_str() {
        post["text"] = json!(format!("{text} https://t.co/quotequote"));
        let url = format!("https://twitter.com/jack/status/{quoted}");
        post["entities"]["urls"] =
            json!([{ "url": "https://t.co/quotequote", "expanded_url": url }]);
        post["referenced_tweets"] = json!([{ "type": "quoted", "id": quoted }]);
    }
    if let Some(parent) = asked["reply"]["in_reply_to_tweet_id"].as_str() {
        post["referenced_tweets"] = json!([{ "type": "replied_to", "id": parent }]);
    }
    post
}

fn passed_on(original: &Value) -> Value {
    let references = json!([{ "type": "retweeted", "id": original }]);
    json!({ "id": "7", "created_at": NOW.rfc3339(), "referenced_tweets": references })
}

fn connector() -> &'static dyn AnyConnector {
    find("x").unwrap()
}

fn with_image() -> Job {
    let image = media(1, MediaKind::Image, "image/png");
    job(connector(), &FAKE, vec![part("A picture", vec![image])])
}

fn paths(requests: &[Request]) -> Vec<String> {
    let path = |request: &Request| {
        let path = path_of(request).replace("/2/", "").replace(&file_id(1), "1");
        format!("{:?} {path}", request.method)
    };
    requests.iter().map(path).collect()
}

#[test]
fn a_film_goes_up_in_pieces_and_is_waited_for() {
    let mut film = media(1, MediaKind::Video, "video/mp4");
    film.bytes = 9 * 1024 * 1024;
    let job = job(connector(), &FAKE, vec![part("A film", vec![film])]);
    let sent = play(connector(), &FAKE, &job).sent;
    assert_eq!(
        paths(&sent),
        [
            "Post media/upload/initialize",
            "Post media/upload/1/append",
            "Post media/upload/1/append",
            "Post media/upload/1/append",
            "Post media/upload/1/finalize",
            "Get media/upload",
            "Get media/upload",
            "Get media/upload",
            "Post media/metadata",
            "Post tweets",
        ]
    );
    let wanted = json!({
        "media_type": "video/mp4", "media_category": "tweet_video", "total_bytes": 9_437_184,
    });
    assert_eq!(json_of(&sent[0]), &wanted);
    let pieces: Vec<(String, ByteRange)> = sent[1..4]
        .iter()
        .map(|request| match &request.body {
            Body::Multipart { fields, files } => {
                let file = &files[0];
                assert_eq!((file.field.as_str(), fields[0].0.as_str()), ("media", "segment_index"));
                (fields[0].1.clone(), file.range.unwrap())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let range = |start, end| ByteRange { start, end };
    assert_eq!(
        pieces,
        [
            ("0".to_owned(), range(0, 4_194_304)),
            ("1".to_owned(), range(4_194_304, 8_388_608)),
            ("2".to_owned(), range(8_388_608, 9_437_184)),
        ]
    );
    assert_eq!(query_of(&sent[5], "media_id"), Some(file_id(1)));
    let alt = json!({
        "id": file_id(1), "metadata": { "alt_text": { "text": "What picture 1 shows" } },
    });
    assert_eq!(json_of(&sent[8]), &alt);
}

#[test]
fn a_thread_answers_itself_and_each_part_has_its_own_files() {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let parts = vec![
        part("one", vec![image(2), image(4)]),
        part("two", Vec::new()),
        part("", vec![image(6)]),
    ];
    let mut job = job(connector(), &FAKE, parts);
    job.options.insert("reply_settings".to_owned(), "following".to_owned());
    let played = play(connector(), &FAKE, &job);
    let bodies: Vec<&Value> =
        played.sent.iter().filter(|request| path_of(request) == "/2/tweets").map(json_of).collect();
    let [first, second] = ["1990000000000000000", "1990000000000000001"];
    assert_eq!(
        bodies,
        [
            &json!({
                "text": "one", "media": { "media_ids": [file_id(1), file_id(2)] },
                "reply_settings": "following",
            }),
            &json!({ "text": "two", "reply": { "in_reply_to_tweet_id": first } }),
            &json!({
                "text": "", "media": { "media_ids": [file_id(3)] },
                "reply": { "in_reply_to_tweet_id": second },
            }),
        ]
    );
    assert_eq!(played.live[0].url, format!("https://x.com/i/web/status/{first}"));
}

#[test]
fn options_are_said_of_the_first_part_and_marks_of_each() {
    let body = |text: &str, options: &[(&str, &str)]| {
        let job = with_options(text, options);
        json_of(&connector().request(&connector().begin(&job), &job).unwrap()).clone()
    };
    for (options, expected) in [
        (
            vec![("poll", "Tea \nCoffee")],
            json!({ "poll": { "options": ["Tea", "Coffee"], "duration_minutes": 1_440 } }),
        ),
        (
            vec![("poll", "a\nb\nc\nd"), ("poll_minutes", "5")],
            json!({ "poll": { "options": ["a", "b", "c", "d"], "duration_minutes": 5 } }),
        ),
        (vec![("quote", "20")], json!({ "quote_tweet_id": "20" })),
        (vec![("quote", "https://twitter.com/jack/status/20")], json!({ "quote_tweet_id": "20" })),
        (
            vec![("community_id", "1493446837214187523")],
            json!({
                "community_id": "1493446837214187523",
            }),
        ),
        (vec![("paid_partnership", "true")], json!({ "paid_partnership": true })),
        (vec![("paid_partnership", "false"), ("made_with_ai", "false")], json!({})),
    ] {
        let mut expected = expected;
        expected["text"] = json!("hi");
        assert_eq!(body("hi", &options), expected);
    }

    let image = media(2, MediaKind::Image, "image/png");
    let parts = vec![part("one", Vec::new()), part("two", vec![image])];
    let mut job = job(connector(), &FAKE, parts);
    job.options = owned(&[
        ("poll", "a\nb"),
        ("community_id", "5"),
        ("made_with_ai", "true"),
        ("paid_partnership", "true"),
    ]);
    let sent = play(connector(), &FAKE, &job).sent;
    let bodies: Vec<&Value> =
        sent.iter().filter(|request| path_of(request) == "/2/tweets").map(json_of).collect();
    assert_eq!(bodies[0]["poll"]["options"], json!(["a", "b"]));
    assert_eq!(bodies[0]["made_with_ai"], Value::Null);
    assert_eq!(
        bodies[1],
        &json!({
            "text": "two", "media": { "media_ids": [file_id(1)] }, "made_with_ai": true,
            "paid_partnership": true, "reply": { "in_reply_to_tweet_id": "1990000000000000000" },
        })
    );
}

fn repost() -> (Job, Value) {
    let job = with_options("", &[("repost", "https://x.com/jack/status/20")]);
    let step = connector().begin(&job);
    (job, step)
}

#[test]
fn a_post_is_passed_on_with_one_request_that_may_be_repeated() {
    let (job, step) = repost();
    let played = play(connector(), &FAKE, &job);
    assert_eq!(paths(&played.sent), ["Post users/2244994945/retweets"]);
    assert_eq!(json_of(&played.sent[0]), &json!({ "tweet_id": "20" }));
    let Repeat::Keyed { key, valid_for } = &played.sent[0].repeat else { panic!("no key") };
    assert_eq!(key, "repost/2244994945/20");
    assert!(*valid_for >= Duration::from_secs(24 * 60 * 60));
    let live = Live {
        id: "repost/2244994945/20".to_owned(),
        url: "https://x.com/i/web/status/20".to_owned(),
    };
    assert_eq!(played.live, std::slice::from_ref(&live));
    // However a second time is answered, it is there.
    let already = json!({ "errors": [{ "code": 327, "message": "Odd." }] });
    let said = json!({ "title": "Forbidden", "detail": "You have already retweeted this Tweet." });
    for body in [already, said] {
        let next = connector().accept(&step, &job, &reply(403, body)).unwrap();
        assert_eq!(next, Ok(Next::Done(vec![live.clone()])));
    }
    let undone = reply(200, json!({ "data": { "retweeted": false } }));
    let refused = connector().accept(&step, &job, &undone).unwrap().unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Unreadable);
}

#[test]
fn a_repost_is_looked_for_by_its_original() {
    let (job, step) = repost();
    let seen = |body: Value| connector().recognise(&step, &job, &reply(200, body)).unwrap();
    let list = |original: &str| json!({ "data": [passed_on(&json!(original))], "meta": {} });
    assert!(matches!(seen(list("20")), Sighting::Found(Next::Done(_))));
    assert_eq!(seen(list("21")), Sighting::Absent);
    let mut quoted = list("20");
    quoted["data"][0]["referenced_tweets"][0]["type"] = json!("quoted");
    assert_eq!(seen(quoted), Sighting::Absent);
    let mut more = list("21");
    more["meta"]["next_token"] = json!("x");
    assert!(matches!(seen(more), Sighting::Unsure(_)));
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
    let empty = [part(" ", Vec::new())];
    let file = [part("", vec![media(1, MediaKind::Image, "image/png")])];
    let thread = [part("one", Vec::new()), part("", file[0].media.clone())];
    let (poll, repost) = (("poll", "a\nb"), ("repost", "20"));
    for (parts, options, errors, warnings) in [
        (&plain[..], vec![poll], "", ""),
        (&thread, vec![poll], "", ""),
        (&file, vec![poll], "options.poll", ""),
        (&plain, vec![poll, ("quote", "20")], "options.poll", "options.quote"),
        (&plain, vec![("quote", "20")], "", "options.quote"),
        (&plain, vec![("quote", "Jack")], "options.quote", "options.quote"),
        (&plain, vec![("community_id", "rust")], "options.community_id", ""),
        (&plain, vec![("made_with_ai", "true")], "", "options.made_with_ai"),
        (&file, vec![("made_with_ai", "true"), ("paid_partnership", "true")], "", ""),
        (&empty, vec![repost], "", ""),
        (&empty, vec![("repost", "")], "options.repost", ""),
        (&empty, vec![("repost", "https://example.com/20")], "options.repost", ""),
        (&empty, vec![repost, poll], "options.poll", ""),
        (&empty, vec![repost, ("paid_partnership", "true")], "options.paid_partnership", ""),
        (&plain, vec![repost], "parts[0].text", ""),
        (&file, vec![repost], "parts[0].media", ""),
        (&thread, vec![repost], "parts, parts[0].text, parts[1].media", ""),
    ] {
        let places = |named: &str| -> Vec<String> {
            let named = named.split(", ").filter(|place| !place.is_empty());
            named.map(|place| format!("content.{place}")).collect()
        };
        let expected = (places(errors), places(warnings));
        assert_eq!(findings(parts, &options), expected, "{options:?}");
    }
}

#[test]
fn a_second_cashtag_is_refused_in_each_part() {
    let parts = [part("$AAPL", Vec::new()), part("$AAPL, $MSFT and $5", Vec::new())];
    assert_eq!(findings(&parts, &[]), (vec!["content.parts[1].text".to_owned()], Vec::new()));
}

#[test]
fn posts_are_looked_for_after_they_have_settled() {
    let job = with_image();
    let step = play(connector(), &FAKE, &job).steps.pop().unwrap();
    let request = connector().request(&step, &job).unwrap();
    assert_eq!(request.repeat, Repeat::Probed { settle: Duration::from_secs(20) });
    assert_eq!(request.url, "https://api.x.com/2/tweets");
}

#[test]
fn a_success_with_errors_beside_it_is_a_success() {
    let job = job(connector(), &FAKE, vec![part("hi", Vec::new())]);
    let body = json!({ "data": { "id": "5" }, "errors": [{ "message": "odd" }] });
    let next = connector().accept(&connector().begin(&job), &job, &reply(201, body));
    let live = Live { id: "5".to_owned(), url: "https://x.com/i/web/status/5".to_owned() };
    assert_eq!(next.unwrap(), Ok(Next::Done(vec![live])));
}

fn earned(uploads: &str, ready: &[&str], sent: &[&str]) -> Value {
    let ready: Vec<Value> =
        ready.iter().map(|id| json!({ "id": id, "key": format!("3_{id}") })).collect();
    json!({ "ready": ready, "sent": sent, "uploads": uploads })
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Unauthorized, Unavailable};
    let job = with_image();
    let file = json!({ "id": "7", "key": "" });
    let again = earned("Again", &[], &[]);
    let publish = json!({ "Publish": { "earned": earned("Again", &["7"], &[]) } });
    let initialize = json!({ "Initialize": { "earned": again } });
    let finalize = json!({ "Finalize": { "earned": again, "file": file } });
    let process = json!({ "Process": { "earned": again, "file": file, "polls": 0 } });
    let row = |status, body, kind| Row { status, header: None, body, kind };
    let about_blank = |status, detail: &str, kind| {
        let body = json!({
            "title": "Forbidden", "detail": detail, "type": "about:blank", "status": status,
        });
        row(status, body, kind)
    };
    let problem = |status, name: &str, kind| {
        let body = json!({
            "title": "No", "detail": "No.",
            "type": format!("https://api.twitter.com/2/problems/{name}"),
        });
        row(status, body, kind)
    };
    let full = RefusalKind::Throttled { until: None, scope: PaceScope::Account };
    let everywhere = || {
        vec![
            row(401, json!({ "title": "Unauthorized", "type": "about:blank" }), Unauthorized),
            row(402, json!({ "title": "CreditsDepleted", "detail": "No credits." }), Rejected),
            problem(403, "client-forbidden", Revoked),
            problem(403, "oauth1-permissions", Revoked),
            about_blank(403, "Unsupported Authentication", Revoked),
            problem(403, "oauth2-permissions", Revoked),
            problem(403, "unsupported-authentication", Revoked),
            problem(403, "user-suspended", Revoked),
            row(
                403,
                json!({ "errors": [{ "code": 64, "message": "Your account is suspended." }] }),
                Revoked,
            ),
            about_blank(403, "Your account is not permitted to access this feature.", Revoked),
            row(
                403,
                json!({ "errors": [{ "code": 326, "message": "Your account is locked." }] }),
                Revoked,
            ),
            about_blank(403, "Your account is temporarily locked.", Revoked),
            row(409, json!({ "title": "Conflict" }), Unavailable),
            row(413, Value::Null, Media),
            row(429, json!({ "errors": [{ "code": 88, "message": "Rate limit exceeded" }] }), full),
            problem(429, "usage-capped", Rejected),
            problem(500, "internal-error", Unavailable),
            row(502, Value::Null, Unavailable),
            row(503, Value::Null, Unavailable),
            row(504, Value::Null, Unavailable),
        ]
    };
    let append = json!({ "Append": { "earned": again, "file": file, "segment": 0 } });
    let describe = json!({ "Describe": { "earned": again, "file": file } });
    let repost = json!({ "Repost": { "post": "20" } });
    for step in [&publish, &initialize, &append, &finalize, &process, &describe, &repost] {
        check_rows(connector(), &job, step, everywhere());
    }
    let invalid = |message: &str, kind| {
        let body = json!({
            "errors": [{ "parameters": {}, "message": message }], "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        });
        row(400, body, kind)
    };
    let duplicate = "You are not allowed to create a Tweet with duplicate content.";
    check_rows(
        connector(),
        &job,
        &publish,
        vec![
            invalid("$.odd: is not defined in the schema", Rejected),
            invalid("Your media IDs are invalid.", Media),
            about_blank(403, duplicate, Duplicate),
            about_blank(403, "You are not permitted to perform this action.", Rejected),
            about_blank(403, "You can include a maximum of one cashtag in a post.", Rejected),
            about_blank(403, "The Tweet contains an invalid URL.", Rejected),
            about_blank(
                403,
                "This user is not allowed to post a video longer than 2 minutes.",
                Rejected,
            ),
            about_blank(
                403,
                "You attempted to reply to a Tweet that is deleted or not visible to you.",
                Rejected,
            ),
            about_blank(
                403,
                "Reply to this conversation is not allowed because you have not been mentioned.",
                Rejected,
            ),
            problem(404, "resource-not-found", Rejected),
        ],
    );
    check_rows(
        connector(),
        &job,
        &initialize,
        vec![
            invalid("The `media_type` value is not valid", Rejected),
            about_blank(403, "", Revoked),
        ],
    );
    let failed = json!({ "data": { "id": "7", "processing_info": { "state": "failed" } } });
    let original_gone = vec![
        problem(404, "resource-not-found", Rejected),
        about_blank(403, "You are not permitted to perform this action.", Rejected),
        invalid("The `tweet_id` value is not valid", Rejected),
    ];
    check_rows(connector(), &job, &repost, original_gone);
    for step in [&append, &describe] {
        check_rows(connector(), &job, step, vec![problem(404, "resource-not-found", Media)]);
    }
    for step in [&finalize, &process] {
        let lost = vec![
            invalid("Segments do not add up to provided total file size", Media),
            problem(404, "resource-not-found", Media),
            row(200, failed.clone(), Media),
        ];
        check_rows(connector(), &job, step, lost);
    }
}

#[test]
fn the_words_of_a_refusal_say_what_to_do() {
    let job = job(connector(), &FAKE, vec![part("hi", Vec::new())]);
    let refuse = |status, body| {
        let step = connector().begin(&job);
        connector().accept(&step, &job, &reply(status, body)).unwrap().unwrap_err()
    };
    let unpaid = refuse(402, json!({ "title": "CreditsDepleted", "detail": "No credits." }));
    assert_eq!(unpaid.code, "402");
    assert!(unpaid.words.contains("buy credits") && unpaid.words.contains("No credits."));
    let kind = "https://api.x.com/2/problems/usage-capped";
    let capped = refuse(429, json!({ "type": kind, "title": "UsageCapExceeded" }));
    assert_eq!(capped.code, "usage-capped");
    assert!(capped.words.contains("spending limit"), "{}", capped.words);
}

#[test]
fn the_latest_of_the_limits_that_are_used_up_decides() {
    let job = job(connector(), &FAKE, vec![part("hi", Vec::new())]);
    let until = |seconds: u64| Some(Timestamp(seconds * 1_000));
    for (headers, expected, scope) in [
        ("", None, PaceScope::Account),
        (
            "x-rate-limit-remaining: 0, x-rate-limit-reset: 1795252000",
            until(1_795_252_000),
            PaceScope::Account,
        ),
        (
            "x-rate-limit-remaining: 5, x-rate-limit-reset: 1795252000, \
             x-user-limit-24hour-remaining: 0, x-user-limit-24hour-reset: 1795300000, \
             x-app-limit-24hour-remaining: 9, x-app-limit-24hour-reset: 1795310000",
            until(1_795_300_000),
            PaceScope::Account,
        ),
        (
            "x-rate-limit-remaining: 0, x-rate-limit-reset: 1795252000, \
             x-app-limit-24hour-remaining: 0, x-app-limit-24hour-reset: 1795310000",
            until(1_795_310_000),
            PaceScope::App,
        ),
    ] {
        let mut full = reply(429, json!({ "title": "Too Many Requests" }));
        let pairs = headers.split(", ").filter_map(|pair| pair.trim().split_once(": "));
        full.headers = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let refused = connector().accept(&connector().begin(&job), &job, &full).unwrap();
        let wanted = RefusalKind::Throttled { until: expected, scope };
        assert_eq!(refused.unwrap_err().kind, wanted, "{headers}");
    }
}

#[test]
fn a_lost_file_is_uploaded_once_more_and_what_is_live_stays() {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let parts = vec![part("one", vec![image(1)]), part("two", vec![image(2)])];
    let job = job(connector(), &FAKE, parts);
    let lost = json!({ "errors": [{ "message": "Your media IDs are invalid." }] });
    let publish =
        |uploads| json!({ "Publish": { "earned": earned(uploads, &["7", "8"], &["5"]) } });
    let next = connector().accept(&publish("First"), &job, &reply(400, lost.clone())).unwrap();
    let again = json!({ "Initialize": { "earned": earned("Again", &["7"], &["5"]) } });
    assert_eq!(next, Ok(Next::Go(again.clone())));
    assert_eq!(connector().live(&again, &job).unwrap().len(), 1);
    let refused = connector().accept(&publish("Again"), &job, &reply(400, lost)).unwrap();
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Media);
}

#[test]
fn a_file_is_asked_for_when_x_says_and_given_up_in_the_end() {
    let job = with_image();
    let process = |polls| {
        let file = json!({ "id": "7", "key": "" });
        json!({ "Process": { "earned": earned("Again", &[], &[]), "file": file, "polls": polls } })
    };
    let wait = |polls, seconds: Value| {
        let information = json!({ "state": "in_progress", "check_after_secs": seconds });
        let body = json!({ "data": { "id": "7", "processing_info": information } });
        match connector().accept(&process(polls), &job, &reply(200, body)).unwrap() {
            Ok(Next::Wait(wait, _)) => Ok(wait.as_secs()),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => Err(refused.kind),
        }
    };
    assert_eq!(wait(0, json!(11)), Ok(11));
    assert_eq!(wait(0, json!(0)), Ok(1));
    assert_eq!(wait(0, json!(86_400)), Ok(60));
    assert_eq!(wait(0, Value::Null), Ok(5));
    assert_eq!(wait(239, json!(1)), Err(RefusalKind::Media));
}

#[test]
fn only_known_repliers_are_taken() {
    for value in ["everyone", "following", "mentionedUsers", "subscribers", "verified"] {
        assert!(takes(connector(), "reply_settings", value), "{value}");
    }
    for value in ["", "everybody", "mentionedusers"] {
        assert!(!takes(connector(), "reply_settings", value), "{value}");
    }
    let mut job = job(connector(), &FAKE, vec![part("hi", Vec::new())]);
    job.options.insert("reply_settings".to_owned(), "everyone".to_owned());
    let request = connector().request(&connector().begin(&job), &job).unwrap();
    assert_eq!(json_of(&request), &json!({ "text": "hi" }));
}

#[test]
fn a_post_that_only_looks_alike_is_left_to_a_person() {
    let job = job(connector(), &FAKE, vec![part("hi there", Vec::new())]);
    let mut post = post(&json!({ "text": "hi there" }), 1);
    post["referenced_tweets"] = json!([{ "type": "replied_to", "id": "3" }]);
    let answer = reply(200, json!({ "data": [post], "meta": { "result_count": 1 } }));
    let seen = connector().recognise(&connector().begin(&job), &job, &answer).unwrap();
    assert!(matches!(seen, Sighting::Unsure(_)), "{seen:?}");
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    paying_accounts_may_write_more,
    both_tokens_are_given_back_as_the_app,
    posts_are_taken_down_from_the_last_to_the_first,
    a_change_says_anew_what_the_post_said,
    a_change_whose_answer_was_lost_is_found_and_not_made_again,
    what_a_change_could_lose_is_not_changed,
];

fn finish(task: &Task, answers: &[Reply]) -> (Vec<Request>, Outcome) {
    let mut answers = answers.iter();
    let ran = run_errand(connector(), task, site(&FAKE), |_| {
        answers.next().unwrap_or_else(|| panic!("{task:?} wants more answers")).clone()
    });
    (ran.sent, ran.outcome.unwrap())
}

#[test]
fn paying_accounts_may_write_more() {
    for (subscription, expected) in
        [("None", None), ("Basic", None), ("Premium", Some(25_000)), ("PremiumPlus", Some(25_000))]
    {
        let data = json!({
            "id": "1", "username": "alice", "name": "Alice", "subscription_type": subscription,
            "profile_image_url": "https://pbs.example/1.jpg",
        });
        let (sent, outcome) = finish(&Task::Identify, &[reply(200, json!({ "data": data }))]);
        assert_eq!(path_of(&sent[0]), "/2/users/me");
        let Outcome::Identified(identity) = outcome else { panic!("{outcome:?}") };
        assert_eq!((identity.remote_id.as_str(), identity.handle.as_str()), ("1", "alice"));
        assert_eq!(identity.url, "https://x.com/alice");
        assert_eq!(identity.limits.text_max, expected, "{subscription}");
    }
}

#[test]
fn both_tokens_are_given_back_as_the_app() {
    let done = reply(200, json!({ "revoked": true }));
    let (sent, outcome) = finish(&Task::Revoke, &[done.clone(), done]);
    assert_eq!(outcome, Outcome::Finished);
    for (request, secret) in sent.iter().zip([SecretName::Refresh, SecretName::Access]) {
        assert_eq!(request.auth, Auth::App);
        assert_eq!(request.fills, [Fill { place: "token".to_owned(), secret }]);
        assert_eq!(request.body, Body::Form(Vec::new()));
    }
}

#[test]
fn posts_are_taken_down_from_the_last_to_the_first() {
    let live = |id: &str| Live { id: id.to_owned(), url: String::new() };
    let task = Task::Remove { live: vec![live("1"), live("2")] };
    let deleted = reply(200, json!({ "data": { "deleted": true } }));
    let gone = reply(404, json!({ "title": "Not Found" }));
    let (sent, outcome) = finish(&task, &[gone, deleted]);
    assert_eq!(outcome, Outcome::Finished);
    assert_eq!(paths(&sent), ["Delete tweets/2", "Delete tweets/1"]);
    assert_eq!(connector().errand(&Task::Remove { live: Vec::new() }, &Site::default()), None);

    // Of a repost, never the original.
    let undone = reply(200, json!({ "data": { "retweeted": false } }));
    let task = Task::Remove { live: vec![live("repost/2244994945/20")] };
    let (sent, outcome) = finish(&task, &[undone]);
    assert_eq!(outcome, Outcome::Finished);
    assert_eq!(paths(&sent), ["Delete users/2244994945/retweets/20"]);
}

/// As X shows it to its author.
fn own(id: &str, text: &str, versions: &[&str]) -> Value {
    json!({
        "id": id, "text": text, "edit_history_tweet_ids": versions, "reply_settings": "everyone",
        "paid_partnership": false, "edit_controls": {
            "edits_remaining": 4, "is_edit_eligible": true,
            "editable_until": "2100-01-01T00:00:00.000Z",
        },
    })
}

fn change(id: &str) -> Task {
    let live = |id: &str| Live { id: id.to_owned(), url: String::new() };
    Task::Edit { live: vec![live(id), live("9")], index: 0, text: "new & short".to_owned() }
}

fn read(post: &Value) -> Reply {
    reply(200, json!({ "data": post }))
}

fn ids(outcome: Outcome) -> Vec<String> {
    let Outcome::Edited(live) = outcome else { panic!("{outcome:?}") };
    live.into_iter().map(|live| live.id).collect()
}

#[test]
fn a_change_says_anew_what_the_post_said() {
    let mut post = own("1", "old", &["1"]);
    post["reply_settings"] = json!("following");
    post["paid_partnership"] = json!(true);
    let made = reply(201, json!({ "data": { "id": "2", "text": "new" } }));
    let (sent, outcome) = finish(&change("1"), &[read(&post), made]);
    assert_eq!(paths(&sent), ["Get tweets/1", "Post tweets"]);
    let body = json!({ "text": "new & short", "reply_settings": "following",
        "paid_partnership": true, "edit_options": { "previous_post_id": "1" } });
    assert_eq!(sent[1].body, Body::Json(body));
    assert_eq!(ids(outcome), ["2", "9"]);
}

#[test]
fn a_change_whose_answer_was_lost_is_found_and_not_made_again() {
    let newest = own("2", "new &amp; short", &["1", "2"]);
    let first = own("1", "old", &["1", "2"]);
    let (sent, outcome) = finish(&change("1"), &[read(&first), read(&newest)]);
    assert_eq!(paths(&sent), ["Get tweets/1", "Get tweets/2"]);
    assert_eq!(ids(outcome), ["2", "9"]);
    // A server that never comes to an end of versions is not followed.
    let made = reply(201, json!({ "data": { "id": "4", "text": "new" } }));
    let odd = own("2", "other", &["1", "2", "3"]);
    let (sent, _) = finish(&change("1"), &[read(&first), read(&odd), made]);
    assert_eq!(paths(&sent), ["Get tweets/1", "Get tweets/2", "Post tweets"]);
}

#[test]
fn what_a_change_could_lose_is_not_changed() {
    for (field, value, words) in [
        ("attachments", json!({ "media_keys": ["3_1"] }), "has files"),
        ("attachments", json!({ "poll_ids": ["1"] }), "has files"),
        ("referenced_tweets", json!([{ "type": "quoted", "id": "3" }]), "quotes"),
        ("referenced_posts", json!([{ "type": "replied_to", "id": "3" }]), "answers"),
        ("community_id", json!("3"), "community"),
        ("reply_settings", json!("other"), "who may answer"),
        ("edit_controls", json!({}), "Premium"),
        ("edit_controls", json!({ "edits_remaining": 0, "is_edit_eligible": true }), "five times"),
        (
            "edit_controls",
            json!({ "edits_remaining": 3, "is_edit_eligible": true,
                "editable_until": "2020-01-01T00:00:00.000Z" }),
            "first hour",
        ),
    ] {
        let mut post = own("1", "old", &["1"]);
        post[field] = value;
        let ran = run_errand(connector(), &change("1"), site(&FAKE), |_| read(&post));
        let refusal = ran.outcome.unwrap_err();
        assert_eq!((refusal.kind, ran.sent.len()), (RefusalKind::Rejected, 1), "{refusal:?}");
        assert!(refusal.words.contains(words), "{refusal:?}");
    }
    let missing = reply(200, json!({ "errors": [{ "title": "Not Found Error" }] }));
    let ran = run_errand(connector(), &change("1"), site(&FAKE), |_| missing.clone());
    assert!(ran.outcome.unwrap_err().words.contains("not there"));
    assert_eq!(connector().errand(&change("repost/1/20"), &Site::default()), None);
}
