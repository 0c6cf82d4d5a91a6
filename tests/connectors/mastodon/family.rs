//! GoToSocial, Pixelfed, Pleroma and Akkoma: a fake of each, with what it does otherwise.

use std::collections::BTreeMap;

use fanfare::{
    connectors::{
        Body, Draft, Finding, Job, JobPart, Method, Next, Outcome, Repeat, Reply, Request,
        Sighting, Task,
    },
    domain::{
        account::{Identity, LimitOverrides},
        media::MediaKind,
        platform::PaceScope,
        problem::Problem,
        refusal::RefusalKind,
    },
};
use serde_json::{Value, json};

use super::{FAKE, connector, errand};
use crate::fake::{
    Fake, Memory, NOW, Row, check_rows, job, json_of, media, part, path_of, play, reply,
};

/// What a server says of itself, and what it does.
struct Server {
    name: &'static str,
    /// `/api/v2/instance`, and version 1.
    instance: [(u16, fn() -> Value); 2],
    answer: fn(&mut Memory, &Request) -> Reply,
}

fn nothing() -> Value {
    Value::Null
}

const SERVERS: &[Server] = &[GOTOSOCIAL, PIXELFED, PLEROMA, AKKOMA];

const GOTOSOCIAL: Server = Server {
    name: "gotosocial",
    instance: [(200, gotosocial), (200, gotosocial)],
    answer: answer_of_gotosocial,
};

fn gotosocial() -> Value {
    json!({
        "domain": "social.example", "version": "0.20.0+git-9af4f86",
        "configuration": {
            "statuses": {
                "max_characters": 5_000, "max_media_attachments": 6,
                "characters_reserved_per_url": 25,
            },
            "media_attachments": {
                "image_size_limit": 41_943_040, "video_size_limit": 41_943_040,
                "description_limit": 1_500,
            },
            "polls": {
                "max_options": 6, "max_characters_per_option": 50, "min_expiration": 300,
                "max_expiration": 2_629_746,
            },
        },
    })
}

const PIXELFED: Server = Server {
    name: "pixelfed",
    instance: [(404, nothing), (200, pixelfed)],
    answer: answer_of_pixelfed,
};

fn pixelfed() -> Value {
    json!({
        "uri": "social.example", "version": "3.5.3 (compatible; Pixelfed 0.12.3)",
        "configuration": {
            "statuses": { "max_characters": 500, "max_media_attachments": 20 },
            "media_attachments": { "image_size_limit": 15_000_000, "video_size_limit": 15_000_000 },
            "polls": { "max_options": 4, "max_characters_per_option": 50 },
        },
    })
}

const PLEROMA: Server = Server {
    name: "pleroma",
    instance: [(404, nothing), (200, pleroma)],
    answer: answer_of_pleroma,
};

fn pleroma() -> Value {
    json!({
        "uri": "https://social.example", "version": "2.7.2 (compatible; Pleroma 2.6.0)",
        "max_toot_chars": 5_000, "upload_limit": 16_000_000, "description_limit": 5_000,
        "poll_limits": {
            "max_options": 20, "max_option_chars": 200, "min_expiration": 0,
            "max_expiration": 31_536_000,
        },
    })
}

const AKKOMA: Server =
    Server { name: "akkoma", instance: [(404, nothing), (200, akkoma)], ..PLEROMA };

fn akkoma() -> Value {
    let mut instance = pleroma();
    instance["version"] = json!("2.7.2 (compatible; Akkoma 3.10.4)");
    instance
}

/// Who an account on such a server is, as the connector finds out.
fn account(server: &Server) -> Identity {
    let alice = json!({ "id": "9xA", "acct": "alice", "url": "https://social.example/@alice" });
    let links = json!({ "links": [{
        "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": "/nodeinfo/2.1",
    }] });
    let mut answers = vec![(200, alice)];
    let [new, old] = &server.instance;
    answers.push((new.0, (new.1)()));
    if new.0 == 404 {
        answers.push((old.0, (old.1)()));
    }
    answers.push((200, links));
    answers.push((200, json!({ "software": { "name": server.name } })));
    let (sent, outcome) = errand(&Task::Identify, &answers);
    assert_eq!(sent.len(), answers.len());
    match outcome.unwrap() {
        Outcome::Identified(who) => who,
        other => panic!("{other:?}"),
    }
}

fn created(asked: &Value, memory: &Memory, content: String, application: Value) -> Value {
    let ids = asked["media_ids"].as_array().cloned().unwrap_or_default();
    let files: Vec<Value> = ids.into_iter().map(|id| json!({ "id": id })).collect();
    let id = format!("ASK{}", memory.posts.len());
    json!({
        "id": id, "url": format!("https://social.example/notice/{id}"),
        "created_at": NOW.rfc3339(), "content": content,
        "in_reply_to_id": asked["in_reply_to_id"], "media_attachments": files,
        "application": application,
    })
}

/// Uploads by one version of the path, done at once.
fn uploaded(memory: &mut Memory, request: &Request, version: &str) -> Option<Reply> {
    let path = path_of(request);
    if request.method != Method::Post || !path.ends_with("/media") {
        return None;
    }
    assert!(matches!(request.body, Body::Multipart { .. }));
    if path != format!("/api/{version}/media") {
        return Some(reply(404, json!({ "error": "Not Found" })));
    }
    memory.uploads += 1;
    let id = format!("AmX7{}", memory.uploads);
    Some(reply(200, json!({ "id": id, "url": "https://social.example/1.png" })))
}

fn listed(memory: &Memory, request: &Request) -> Option<Reply> {
    let is_list = path_of(request) == "/api/v1/accounts/9xA/statuses";
    is_list.then(|| reply(200, json!(memory.posts)))
}

fn kept(memory: &mut Memory, status: Value) -> Reply {
    memory.posts.insert(0, status.clone());
    reply(200, status)
}

fn status_of(request: &Request) -> &Value {
    assert_eq!((request.method, path_of(request).as_str()), (Method::Post, "/api/v1/statuses"));
    let has_key = request.headers.iter().any(|(name, _)| *name == "idempotency-key");
    assert!(!has_key, "a key is not for this server");
    json_of(request)
}

/// Ignores keys; takes files by both versions of the path; writes plain paragraphs.
fn answer_of_gotosocial(memory: &mut Memory, request: &Request) -> Reply {
    if let Some(reply) = uploaded(memory, request, "v2").or_else(|| listed(memory, request)) {
        return reply;
    }
    let asked = status_of(request);
    let text = asked["status"].as_str().unwrap().replace('&', "&amp;");
    let application = json!({ "name": "Fanfare" });
    let status = created(asked, memory, format!("<p>{text}</p>"), application);
    kept(memory, status)
}

/// Refuses text alone unless it answers something; has the old path for files only.
fn answer_of_pixelfed(memory: &mut Memory, request: &Request) -> Reply {
    if let Some(reply) = uploaded(memory, request, "v1").or_else(|| listed(memory, request)) {
        return reply;
    }
    let asked = status_of(request);
    if asked.get("media_ids").is_none() && asked.get("in_reply_to_id").is_none() {
        return reply(403, json!({ "error": "Empty statuses are not allowed" }));
    }
    assert!(["public", "unlisted", "private"].contains(&asked["visibility"].as_str().unwrap()));
    let text = asked["status"].as_str().unwrap().to_owned();
    let status = created(asked, memory, text, Value::Null);
    kept(memory, status)
}

/// Has ids that are no numbers, and says nothing of the application.
fn answer_of_pleroma(memory: &mut Memory, request: &Request) -> Reply {
    if let Some(reply) = uploaded(memory, request, "v1").or_else(|| listed(memory, request)) {
        return reply;
    }
    let asked = status_of(request);
    let text = asked["status"].as_str().unwrap().replace('\n', "<br/>");
    let status = created(asked, memory, text, Value::Null);
    kept(memory, status)
}

fn fake(server: &Server) -> Fake {
    Fake { answer: server.answer, ..FAKE }
}

fn album(server: &Server) -> Job {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let parts = vec![part("one", vec![image(1), image(2)]), part("two", Vec::new())];
    Job { author: account(server), ..job(connector(), &FAKE, parts) }
}

#[test]
fn each_server_is_known_by_what_it_says_with_its_own_limits() {
    let limits = |server| account(server).limits;
    let gotosocial = LimitOverrides {
        text_max: Some(5_000),
        url_chars: Some(25),
        images_max: Some(6),
        image_bytes_max: Some(41_943_040),
        video_bytes_max: Some(41_943_040),
        alt_chars_max: Some(1_500),
    };
    assert_eq!(limits(&GOTOSOCIAL), gotosocial);
    let pixelfed = limits(&PIXELFED);
    assert_eq!((pixelfed.images_max, pixelfed.text_max), (Some(20), Some(500)), "its own albums");
    let pleroma = limits(&PLEROMA);
    assert_eq!((pleroma.text_max, pleroma.alt_chars_max), (Some(5_000), Some(5_000)));
    for server in SERVERS {
        assert_eq!(account(server).traits["software"], server.name);
    }
}

#[test]
fn an_album_and_its_answer_go_out_on_each_server_without_a_key() {
    for server in SERVERS {
        let job = album(server);
        let played = play(connector(), &fake(server), &job);
        assert_eq!(played.live.len(), 2, "{}", server.name);
        let paths: Vec<String> = played.sent.iter().map(path_of).collect();
        let (v1, v2) = ("/api/v1/media", "/api/v2/media");
        let uploads = &paths[..paths.len() - 2];
        match server.name {
            "gotosocial" => assert_eq!(uploads, [v2, v2]),
            // It is asked for the new path once.
            _ => assert_eq!(uploads, [v2, v1, v1]),
        }
        for request in &played.sent[paths.len() - 2..] {
            assert!(matches!(request.repeat, Repeat::Probed { .. }), "{}", server.name);
        }
    }
}

#[test]
fn what_was_sent_is_found_again_on_each_server() {
    for server in SERVERS {
        let (mut memory, job) = (Memory::default(), album(server));
        let mut step = connector().begin(&job);
        for _ in 0..9 {
            let request = connector().request(&step, &job).unwrap();
            let probe = connector().probe(&step, &job).unwrap();
            let look = |memory: &mut Memory| {
                let seen = (server.answer)(memory, probe.as_ref().unwrap());
                connector().recognise(&step, &job, &seen).unwrap()
            };
            // Pixelfed lists no comments, so there is no proof that one is missing.
            let is_comment = !connector().live(&step, &job).unwrap().is_empty();
            if probe.is_some() && server.name == "pixelfed" && is_comment {
                assert!(matches!(look(&mut memory), Sighting::Unsure(_)));
            } else if probe.is_some() {
                assert_eq!(look(&mut memory), Sighting::Absent, "{}", server.name);
            }
            let answer = (server.answer)(&mut memory, &request);
            let next = connector().accept(&step, &job, &answer).unwrap().unwrap();
            if probe.is_some() {
                assert_eq!(look(&mut memory), Sighting::Found(next.clone()), "{}", server.name);
            }
            match next {
                Next::Go(next) | Next::Wait(_, next) => step = next,
                Next::Done(_) => break,
            }
        }
        assert_eq!(memory.posts.len(), 2, "{}", server.name);
    }
}

#[test]
fn refusals_that_only_some_servers_have() {
    use RefusalKind::{Duplicate, Rejected, Throttled, Unavailable};
    let row = |status, header, words: &str, kind| Row {
        status,
        header,
        body: json!({ "error": words }),
        kind,
    };
    let until = Some(NOW.after(std::time::Duration::from_secs(30)));
    let busy = Some(("retry-after", "30"));
    let throttled = Throttled { until, scope: PaceScope::Account };
    let step = json!({ "Publish": { "ready": ["AmX71", "AmX72"], "sent": [] } });
    let check = |server, rows| check_rows(connector(), &album(server), &step, rows);
    check(
        &GOTOSOCIAL,
        vec![
            row(503, busy, "Service Unavailable", throttled),
            row(503, None, "Service Unavailable", Unavailable),
            row(400, None, "Bad Request: status too long", Rejected),
            row(406, None, "Not Acceptable", Rejected),
        ],
    );
    check(
        &PIXELFED,
        vec![
            row(400, None, "Duplicate idempotency key.", Duplicate),
            row(403, None, "Empty statuses are not allowed", Rejected),
            row(451, None, "Media is blocked", Rejected),
            row(503, busy, "", Unavailable),
        ],
    );
    check(&PLEROMA, vec![row(503, busy, "", Unavailable), row(422, None, "No", Rejected)]);
}

/// What is wrong with it on that account's server.
pub(super) fn problems(
    author: &Identity,
    options: &BTreeMap<String, String>,
    parts: &[JobPart],
) -> Vec<Problem> {
    let draft = Draft { parts, options, author };
    let problem = |finding| match finding {
        Finding::Error(problem) | Finding::Warning(problem) => problem,
    };
    connector().check(&draft).into_iter().map(problem).collect()
}

fn places(server: &Server, options: &[(&str, &str)], parts: &[JobPart]) -> Vec<String> {
    let options =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let problems = problems(&account(server), &options, parts);
    problems.into_iter().map(|problem| problem.place).collect()
}

#[test]
fn who_may_see_it_is_said_in_the_servers_own_words() {
    let picture = [part("Hi", vec![media(1, MediaKind::Image, "image/png")])];
    let known: &[(&Server, &[&str])] = &[
        (&GOTOSOCIAL, &["public", "unlisted", "private", "direct", "mutuals_only"]),
        (&PIXELFED, &["public", "unlisted", "private"]),
        (&PLEROMA, &["public", "unlisted", "private", "direct", "local"]),
        (&AKKOMA, &["public", "unlisted", "private", "direct", "local"]),
    ];
    for (server, known) in known {
        for value in ["public", "unlisted", "private", "direct", "local", "mutuals_only"] {
            let found = places(server, &[("visibility", value)], &picture);
            assert_eq!(found.is_empty(), known.contains(&value), "{} {value}", server.name);
        }
    }
}

#[test]
fn pixelfed_wants_a_picture_first_and_has_no_polls() {
    let picture = || vec![media(1, MediaKind::Image, "image/png")];
    assert_eq!(places(&PIXELFED, &[], &[part("Hi", Vec::new())]), ["content.parts[0].media"]);
    let thread = [part("Hi", picture()), part("and more", Vec::new())];
    assert_eq!(places(&PIXELFED, &[], &thread), [""; 0]);
    assert_eq!(places(&GOTOSOCIAL, &[], &[part("Hi", Vec::new())]), [""; 0]);
    let poll = [("poll", "a\nb")];
    assert_eq!(places(&PIXELFED, &poll, &thread), ["content.options.poll"]);
}

#[test]
fn polls_are_held_to_the_servers_limits() {
    let text = [part("Which?", Vec::new())];
    let seven = "a\nb\nc\nd\ne\nf\ng";
    let long = format!("a\n{}", "x".repeat(51));
    for (poll, minutes, gotosocial, pleroma) in [
        ("a\nb", "5", "", ""),
        (seven, "5", "poll", ""),
        (long.as_str(), "5", "poll", ""),
        ("a\nb", "43830", "poll_minutes", ""),
        ("a\nb", "525601", "poll_minutes", "poll_minutes"),
    ] {
        let options = [("poll", poll), ("poll_minutes", minutes)];
        let expected = |name: &str| match name {
            "" => Vec::new(),
            name => vec![format!("content.options.{name}")],
        };
        assert_eq!(places(&GOTOSOCIAL, &options, &text), expected(gotosocial), "{poll} {minutes}");
        assert_eq!(places(&PLEROMA, &options, &text), expected(pleroma), "{poll} {minutes}");
    }
    let both = [part("Which?", vec![media(1, MediaKind::Image, "image/png")])];
    assert_eq!(places(&PLEROMA, &[("poll", "a\nb")], &both), ["content.options.poll"]);
    // A server that says nothing of polls, and is not Mastodon, has none.
    let other = Identity::default();
    let options = BTreeMap::from([("poll".to_owned(), "a\nb".to_owned())]);
    assert_eq!(problems(&other, &options, &text).len(), 1);
}

#[test]
fn a_warning_counts_and_gotosocial_counts_what_is_written() {
    let text = |length: usize| [part(&"x".repeat(length), Vec::new())];
    let spoiler = [("spoiler", "soup")];
    assert_eq!(places(&PLEROMA, &spoiler, &text(4_996)), [""; 0]);
    assert_eq!(places(&PLEROMA, &spoiler, &text(4_997)), ["content.parts[0].text"]);
    let link = format!("https://example.com/{} {}", "y".repeat(100), "x".repeat(4_900));
    let link = [part(&link, Vec::new())];
    assert_eq!(places(&GOTOSOCIAL, &[], &link), ["content.parts[0].text"]);
    assert_eq!(places(&PLEROMA, &spoiler, &link), [""; 0], "a link counts 23");
}
