//! Mastodon: a server that processes every file for a while, and what only Mastodon does.

mod family;

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Fill, Job, Method, Next, Outcome, Repeat, Reply, Request,
        SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "mastodon",
    site: &[("server", "https://social.example")],
    author: mastodon_proper,
    answer,
    prepares: Prepares::Ahead,
    specialities: || vec![poll()],
    golden: include_str!("golden/mastodon.json"),
};

fn mastodon_proper() -> Identity {
    author("mastodon")
}

fn author(software: &str) -> Identity {
    Identity {
        remote_id: "1001".to_owned(),
        handle: "alice@social.example".to_owned(),
        traits: BTreeMap::from([("software".to_owned(), software.to_owned())]),
        ..Identity::default()
    }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access);
    let path = path_of(request);
    match (request.method, path.as_str()) {
        (Method::Post, "/api/v2/media") => {
            assert!(matches!(request.body, Body::Multipart { .. }));
            memory.uploads += 1;
            reply(202, json!({ "id": file_id(memory.uploads), "url": null }))
        }
        (Method::Get, path) if path.starts_with("/api/v1/media/") => {
            memory.polls += 1;
            let status = if memory.polls.is_multiple_of(3) { 200 } else { 206 };
            reply(status, json!({ "id": path.rsplit('/').next() }))
        }
        (Method::Post, "/api/v1/statuses") => {
            let status = status(json_of(request), memory.posts.len());
            memory.posts.insert(0, status.clone());
            reply(200, status)
        }
        (Method::Get, "/api/v1/accounts/1001/statuses") => {
            assert_eq!(query_of(request, "exclude_reblogs").as_deref(), Some("true"));
            reply(200, json!(memory.posts))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn file_id(number: u32) -> String {
    format!("11000000000000000{number}")
}

fn status(asked: &Value, number: usize) -> Value {
    let text = asked["status"].as_str().unwrap().replace('&', "&amp;");
    let files: Vec<Value> = match asked["media_ids"].as_array() {
        Some(ids) => ids.iter().map(|id| json!({ "id": id })).collect(),
        None => Vec::new(),
    };
    json!({
        "id": format!("{}", 90 + number),
        "url": format!("https://social.example/@alice/{}", 90 + number),
        "created_at": NOW.rfc3339(),
        "content": format!("<p>{text}</p>"),
        "in_reply_to_id": asked["in_reply_to_id"],
        "media_attachments": files,
        "application": { "name": "Fanfare" },
    })
}

fn connector() -> &'static dyn AnyConnector {
    find("mastodon").unwrap()
}

fn thread() -> Job {
    let image = media(1, MediaKind::Image, "image/png");
    job(connector(), &FAKE, vec![part("one", Vec::new()), part("two", vec![image])])
}

fn poll() -> Job {
    let parts = vec![part("Tea or coffee?", Vec::new()), part("Say why", Vec::new())];
    let mut job = job(connector(), &FAKE, parts);
    job.options.insert("poll".to_owned(), "Tea\nCoffee".to_owned());
    job
}

fn publish_step() -> Value {
    json!({ "Publish": { "ready": ["110000000000000001"], "sent": [] } })
}

#[test]
fn refusals_are_read_as_documented() {
    let row = |status, words: &str, kind| Row {
        status,
        header: None,
        body: json!({ "error": words }),
        kind,
    };
    let (publish, upload) = (publish_step(), json!({ "Upload": { "ready": [] } }));
    let process = json!({ "Process": { "ready": [], "pending": "7", "polls": 0 } });
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Throttled, Unauthorized, Unavailable};
    let everywhere = || {
        let until = Timestamp::parse("2026-11-21T09:05:00.123Z");
        let scope = PaceScope::Account;
        let full =
            |header, body| Row { status: 429, header, body, kind: Throttled { until, scope } };
        vec![
            row(401, "The access token is invalid", Unauthorized),
            row(401, "The access token was revoked", Unauthorized),
            row(401, "This method requires an authenticated user", Unauthorized),
            row(403, "This action is outside the authorized scopes", Revoked),
            row(403, "Your login is currently disabled", Revoked),
            row(451, "This media is blocked", Rejected),
            full(
                Some(("x-ratelimit-reset", "2026-11-21T09:05:00.123456Z")),
                json!({ "error": "Too many requests" }),
            ),
            Row {
                status: 429,
                header: Some(("x-ratelimit-reset", "1795251900")),
                body: json!({ "error": "Throttled" }),
                kind: Throttled { until: Some(NOW.after(Duration::from_secs(300))), scope },
            },
            row(429, "Too many requests", Throttled { until: None, scope }),
            row(500, "", Unavailable),
            row(502, "", Unavailable),
            row(503, "", Unavailable),
            row(504, "", Unavailable),
        ]
    };
    for step in [&publish, &upload, &process] {
        check_rows(connector(), &thread(), step, everywhere());
    }
    check_rows(
        connector(),
        &thread(),
        &publish,
        vec![
            row(404, "Record not found", Rejected),
            row(422, "Validation failed: Text character limit of 500 exceeded", Rejected),
            row(422, "Cannot attach more than 4 files", Rejected),
            row(422, "Cannot attach a video to a post that already contains images", Rejected),
            row(
                422,
                "Cannot attach files that have not finished processing. Try again in a moment!",
                Unavailable,
            ),
            row(
                422,
                "Media 110000000000000001 not found or already attached to another post",
                Duplicate,
            ),
            row(422, "Medien 110000000000000001 nicht gefunden oder bereits angehängt", Duplicate),
            row(400, "Duplicate idempotency key.", Duplicate),
            row(400, "Bad Request: status too long", Rejected),
            Row {
                status: 422,
                header: None,
                body: json!({ "message": "The given data was invalid.", "errors": {} }),
                kind: Rejected,
            },
        ],
    );
    check_rows(
        connector(),
        &thread(),
        &upload,
        vec![
            row(422, "Validation failed: File content type is not supported", Media),
            row(413, "", Media),
        ],
    );
    check_rows(
        connector(),
        &thread(),
        &process,
        vec![row(422, "Error processing thumbnail", Media), row(404, "Record not found", Media)],
    );
    let mut pixelfed = thread();
    pixelfed.author = author("pixelfed");
    check_rows(
        connector(),
        &pixelfed,
        &publish,
        vec![row(403, "Empty statuses are not allowed", Rejected)],
    );
}

#[test]
fn a_file_that_is_never_processed_is_given_up() {
    let late = json!({ "Process": { "ready": [], "pending": "7", "polls": 60 } });
    let refused = connector().accept(&late, &thread(), &reply(206, json!({}))).unwrap();
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Media);
}

#[test]
fn waits_between_looks_grow_to_five_seconds() {
    let mut step = json!({ "Process": { "ready": [], "pending": "7", "polls": 0 } });
    let mut waits = Vec::new();
    for _ in 0..6 {
        match connector().accept(&step, &thread(), &reply(206, Value::Null)).unwrap().unwrap() {
            Next::Wait(wait, next) => {
                waits.push(wait.as_secs());
                step = next;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [2, 3, 4, 5, 5, 5]);
}

fn key_of(job: &Job, step: &Value) -> String {
    let request = connector().request(step, job).unwrap();
    match request.repeat {
        Repeat::Keyed { key, valid_for } => {
            assert_eq!(valid_for, Duration::from_secs(30 * 60));
            assert!(request.headers.contains(&("idempotency-key", key.clone())));
            key
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_key_changes_exactly_when_the_content_does() {
    let (before, step) = (thread(), publish_step());
    let key = key_of(&before, &step);
    let shape: Vec<usize> = key.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12]);

    // What may differ between two attempts at the same content.
    let mut later = before.clone();
    later.armed = None;
    later.due = NOW.after(Duration::from_secs(60));
    assert_eq!(key_of(&later, &step), key);

    let edits: [fn(&mut Job); 4] = [
        |job| job.parts[0].text.push('!'),
        |job| job.parts[0].media.push(media(3, MediaKind::Image, "image/png")),
        |job| drop(job.options.insert("spoiler".to_owned(), "soup".to_owned())),
        |job| job.delivery.0 += 1,
    ];
    for edit in edits {
        let mut edited = before.clone();
        edit(&mut edited);
        assert_ne!(key_of(&edited, &step), key);
    }
    let second = |parent: &str| {
        json!({ "Publish": {
            "ready": ["110000000000000001"],
            "sent": [{ "id": parent, "url": "https://social.example/1" }],
        } })
    };
    assert_ne!(key_of(&before, &second("1")), key);
    assert_ne!(key_of(&before, &second("1")), key_of(&before, &second("2")));
}

#[test]
fn only_mastodon_itself_is_trusted_with_a_key() {
    for software in ["gotosocial", "pixelfed", "pleroma", "akkoma", "other", ""] {
        let mut job = thread();
        job.author = author(software);
        let request = connector().request(&publish_step(), &job).unwrap();
        assert!(matches!(request.repeat, Repeat::Probed { .. }), "{software}");
        assert!(request.headers.is_empty(), "{software}");
    }
    let mut unknown = thread();
    unknown.author = Identity::default();
    let request = connector().request(&publish_step(), &unknown).unwrap();
    assert!(matches!(request.repeat, Repeat::Probed { .. }));
}

#[test]
fn options_and_descriptions_reach_the_server() {
    let mut job = thread();
    for (name, value) in
        [("visibility", "unlisted"), ("language", "de"), ("sensitive", "true"), ("spoiler", "soup")]
    {
        assert!(takes(connector(), name, value));
        job.options.insert(name.to_owned(), value.to_owned());
    }
    let sent = play(connector(), &FAKE, &job).sent;
    match &sent[0].body {
        Body::Multipart { fields, files } => {
            let file = &files[0];
            let alt = ("description".to_owned(), "What picture 1 shows".to_owned());
            assert_eq!(fields, &[alt]);
            assert_eq!((file.field.as_str(), file.content_type.as_str()), ("file", "image/png"));
            assert!(file.file_name.ends_with(".png"));
        }
        other => panic!("{other:?}"),
    }
    let second = json_of(sent.last().unwrap());
    assert_eq!(
        second,
        &json!({
            "status": "two", "visibility": "unlisted", "language": "de", "sensitive": true,
            "spoiler_text": "soup", "media_ids": [file_id(1)], "in_reply_to_id": "90",
        })
    );
    for (name, value) in [("visibility", "everyone"), ("sensitive", "yes"), ("language", "german!")]
    {
        assert!(!takes(connector(), name, value), "{name}={value}");
    }
}

#[test]
fn a_poll_belongs_to_the_first_part_and_is_open_for_a_day_or_as_long_as_is_said() {
    let mut job = poll();
    let of =
        |job: &Job| play(connector(), &FAKE, job).sent.into_iter().map(|it| json_of(&it).clone());
    let sent: Vec<Value> = of(&job).collect();
    let choices = ["Tea", "Coffee"];
    let expected =
        |seconds: u64| json!({ "options": choices, "expires_in": seconds, "multiple": false });
    assert_eq!(sent[0]["poll"], expected(86_400));
    assert_eq!(sent[1].get("poll"), None);
    let key = key_of(&job, &connector().begin(&job));
    job.options.insert("poll_minutes".to_owned(), "30".to_owned());
    assert_eq!(of(&job).next().unwrap()["poll"], expected(1_800));
    assert_ne!(key_of(&job, &connector().begin(&job)), key);
    for (value, fits) in [("a\nb", true), ("a\nb\nc\nd\ne", false)] {
        let options = BTreeMap::from([("poll".to_owned(), value.to_owned())]);
        let found = family::problems(&author("mastodon"), &options, &[part("Which?", Vec::new())]);
        assert_eq!(found.is_empty(), fits, "{value}: {found:?}");
    }
}

#[test]
fn a_look_that_finds_something_alike_asks_a_person() {
    let mut alike = status(&json!({ "status": "one" }), 0);
    alike["application"]["name"] = json!("Another");
    let job = thread();
    let seen = connector().recognise(&publish_step(), &job, &reply(200, json!([alike]))).unwrap();
    assert!(matches!(seen, Sighting::Unsure(why) if why.contains("social.example/@alice/90")));
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] = &[
    registering_uses_what_the_server_publishes,
    a_server_without_the_document_has_the_usual_places,
    identifying_reads_the_limits_and_what_the_server_runs,
    access_is_given_back_with_secrets_that_never_pass_through_here,
    statuses_are_taken_down_last_first_and_gone_is_gone,
];

/// Answers an errand's requests from a list, and returns the requests with the outcome.
fn errand(task: &Task, answers: &[(u16, Value)]) -> (Vec<Request>, Result<Outcome, Refusal>) {
    let mut answers = answers.iter();
    let ran = run_errand(connector(), task, site(&FAKE), |request| {
        assert_eq!(request.repeat, Repeat::Harmless);
        let answer = answers.next();
        let (status, body) = answer.unwrap_or_else(|| panic!("{task:?} wants more answers"));
        reply(*status, body.clone())
    });
    (ran.sent, ran.outcome)
}

fn registration(discovery: (u16, Value)) -> (Vec<Request>, Outcome) {
    let credentials = json!({ "client_id": 12, "client_secret": "hush" });
    let task = Task::Prepare { redirect_uri: "https://fanfare.example/back".to_owned() };
    let (sent, outcome) = errand(&task, &[discovery, (200, credentials)]);
    (sent, outcome.unwrap())
}

#[test]
fn registering_uses_what_the_server_publishes() {
    let scopes = ["profile", "read", "write", "read:statuses", "write:statuses", "write:media"];
    let metadata = json!({
        "authorization_endpoint": "https://sso.example/authorize",
        "token_endpoint": "https://sso.example/token",
        "scopes_supported": scopes,
    });
    let (sent, outcome) = registration((200, metadata.clone()));
    assert_eq!(path_of(&sent[0]), "/.well-known/oauth-authorization-server");
    assert!(sent.iter().all(|request| request.auth == Auth::None));
    match outcome {
        Outcome::Registered { client_id, authorize_url, token_url, scopes, .. } => {
            assert_eq!(client_id.expose(), "12");
            assert_eq!(authorize_url, "https://sso.example/authorize");
            assert_eq!(token_url, "https://sso.example/token");
            assert_eq!(scopes, "profile read:statuses write:statuses write:media");
        }
        other => panic!("{other:?}"),
    }

    let mut coarse = metadata;
    coarse["scopes_supported"] = json!(["read", "write"]);
    let (sent, _) = registration((200, coarse));
    let form = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        sent[1].body,
        Body::Form(vec![
            form("client_name", "Fanfare"),
            form("redirect_uris", "https://fanfare.example/back"),
            form("scopes", "read write"),
        ])
    );
}

#[test]
fn a_server_without_the_document_has_the_usual_places() {
    for answer in [(404, Value::Null), (403, json!({})), (200, Value::Null)] {
        match registration(answer).1 {
            Outcome::Registered { authorize_url, token_url, revoke_url, scopes, .. } => {
                assert_eq!(authorize_url, "https://social.example/oauth/authorize");
                assert_eq!(token_url, "https://social.example/oauth/token");
                assert_eq!(revoke_url.as_deref(), Some("https://social.example/oauth/revoke"));
                assert_eq!(scopes, "read write");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn identifying_reads_the_limits_and_what_the_server_runs() {
    let alice = json!({
        "id": "1001", "acct": "alice", "display_name": "Alice",
        "url": "https://social.example/@alice", "avatar": "https://social.example/a.png",
    });
    let configuration = json!({
        "statuses": { "max_characters": 5000, "max_media_attachments": 6 },
        "media_attachments": { "image_size_limit": 1, "video_size_limit": 2 },
    });
    let new = json!({
        "domain": "social.example", "version": "4.5.0", "configuration": configuration,
    });
    let links = json!({ "links": [{
        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.0",
        "href": "https://social.example/nodeinfo/2.0",
    }] });
    let named = json!({ "version": "2.0", "software": { "name": "mastodon", "version": "4.5.0" } });
    let (sent, outcome) =
        errand(&Task::Identify, &[(200, alice.clone()), (200, new), (200, links), (200, named)]);
    assert_eq!(path_of(&sent[3]), "/nodeinfo/2.0");
    assert!(sent[2].auth == Auth::None && sent[3].auth == Auth::None);
    match outcome.unwrap() {
        Outcome::Identified(who) => {
            assert_eq!((who.handle.as_str(), who.name.as_str()), ("alice@social.example", "Alice"));
            assert_eq!((who.limits.text_max, who.limits.images_max), (Some(5000), Some(6)));
            assert_eq!((who.limits.image_bytes_max, who.limits.alt_chars_max), (Some(1), None));
            assert_eq!(who.traits["software"], "mastodon");
        }
        other => panic!("{other:?}"),
    }

    let old = json!({
        "uri": "https://social.example/", "version": "2.7.2 (compatible; Pleroma 2.6.0)",
        "max_toot_chars": 7000, "upload_limit": 9,
    });
    let (sent, outcome) = errand(
        &Task::Identify,
        &[(200, alice), (404, Value::Null), (200, old), (404, Value::Null)],
    );
    assert_eq!(path_of(&sent[2]), "/api/v1/instance");
    match outcome.unwrap() {
        Outcome::Identified(who) => {
            assert_eq!(who.handle, "alice@social.example");
            assert_eq!((who.limits.text_max, who.limits.video_bytes_max), (Some(7000), Some(9)));
            assert_eq!(who.traits["software"], "pleroma");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn access_is_given_back_with_secrets_that_never_pass_through_here() {
    let (sent, outcome) = errand(&Task::Revoke, &[(200, json!({}))]);
    assert_eq!(outcome, Ok(Outcome::Finished));
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    assert_eq!(
        sent[0].fills,
        [
            fill("client_id", SecretName::ClientId),
            fill("client_secret", SecretName::ClientSecret),
            fill("token", SecretName::Access),
        ]
    );
}

#[test]
fn statuses_are_taken_down_last_first_and_gone_is_gone() {
    let live = |id: &str| Live { id: id.to_owned(), url: String::new() };
    let task = Task::Remove { live: vec![live("1"), live("2")] };
    let (sent, outcome) = errand(&task, &[(404, json!({})), (200, json!({}))]);
    assert_eq!(outcome, Ok(Outcome::Finished));
    let paths: Vec<String> = sent.iter().map(path_of).collect();
    assert_eq!(paths, ["/api/v1/statuses/2", "/api/v1/statuses/1"]);
    assert!(sent.iter().all(|request| request.method == Method::Delete));
    let (_, refused) = errand(&task, &[(500, Value::Null)]);
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Unavailable);
    assert_eq!(connector().errand(&Task::Remove { live: Vec::new() }, &Site::default()), None);
    assert_eq!(connector().errand(&Task::Refresh, &Site::default()), None);
}
