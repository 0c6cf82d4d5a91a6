//! A webhook: a receiver that takes two events with the same id for one.

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Method, Outcome, Paste, Repeat, Reply, Request, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Ran, Row, check_rows, job, json_of, media, part, play, reply,
    run_errand, site,
};

/// With a slash at its end, and a query: it has to be kept as it is.
const ADDRESS: &str = "https://hooks.example/in/8f3a/?tenant=7";

pub(crate) const FAKE: Fake = Fake {
    platform: "webhook",
    site: &[("hook", ADDRESS)],
    author,
    answer,
    prepares: Prepares::Ahead,
    specialities: Vec::new,
    golden: include_str!("golden/webhook.json"),
};

fn author() -> Identity {
    Identity {
        remote_id: "5d41402abc4b2a76".to_owned(),
        name: "hooks.example".to_owned(),
        ..Identity::default()
    }
}

fn id_of(request: &Request) -> &str {
    let header = request.headers.iter().find(|(name, _)| *name == "webhook-id");
    &header.expect("every event has an id").1
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!((request.method, request.auth), (Method::Post, Auth::Signed));
    assert_eq!(request.url, ADDRESS);
    let id = id_of(request);
    assert!(!id.contains('.'), "a dot parts what is signed");
    let known = memory.posts.iter().position(|post| post["data"]["id"] == id);
    let number = known.unwrap_or_else(|| {
        memory.posts.push(json_of(request).clone());
        memory.posts.len() - 1
    });
    reply(200, json!({ "id": 40 + number, "url": format!("https://hooks.example/p/{number}") }))
}

fn connector() -> &'static dyn AnyConnector {
    find("webhook").unwrap()
}

fn begun() -> Value {
    json!({ "Deliver": { "sent": [] } })
}

#[test]
fn each_part_is_an_event_in_order_that_names_the_one_before() {
    let picture = media(1, MediaKind::Image, "image/png");
    let film = media(2, MediaKind::Video, "video/mp4");
    let parts = vec![part("one", vec![picture, film]), part("two", Vec::new())];
    let mut job = job(connector(), &FAKE, parts);
    job.options.insert("title".to_owned(), "Cats".to_owned());
    let played = play(connector(), &FAKE, &job);
    let first = json_of(&played.sent[0]);
    let id = format!("msg_{}_1", job.delivery);
    assert_eq!(
        first,
        &json!({
            "type": "post.published",
            "timestamp": job.due.rfc3339(),
            "data": {
                "id": id,
                "delivery": job.delivery.to_string(),
                "account": { "id": "5d41402abc4b2a76", "name": "hooks.example" },
                "part": 1, "parts": 2, "previous": null, "text": "one",
                "media": [
                    {
                        "kind": "image", "type": "image/png", "bytes": 20_000, "width": 640,
                        "height": 480, "milliseconds": null, "name": "file-1",
                        "alt": "What picture 1 shows", "url": "https://fanfare.example/files/1",
                    },
                    {
                        "kind": "video", "type": "video/mp4", "bytes": 20_000, "width": 640,
                        "height": 480, "milliseconds": 20_000, "name": "file-2", "alt": "",
                        "url": "https://fanfare.example/files/2",
                    },
                ],
                "options": { "title": "Cats" },
                "planned": job.due.rfc3339(),
            },
        })
    );
    let second = &json_of(&played.sent[1])["data"];
    assert_eq!(second["previous"], json!({ "event": id, "id": "40" }));
    assert_eq!((&second["part"], &second["text"]), (&json!(2), &json!("two")));
    assert_eq!(played.live[0].id, format!("{id}/0/40"));
    assert_eq!(played.live[1].url, "https://hooks.example/p/1");
}

#[test]
fn an_event_has_one_id_however_often_it_is_sent() {
    let parts = vec![part("one", Vec::new()), part("two", Vec::new())];
    let mut job = job(connector(), &FAKE, parts);
    let before = connector().request(&begun(), &job).unwrap();
    job.armed = None;
    let again = connector().request(&begun(), &job).unwrap();
    assert_eq!(before, again);
    let valid_for = Duration::from_secs(24 * 60 * 60);
    assert_eq!(before.repeat, Repeat::Keyed { key: id_of(&before).to_owned(), valid_for });
    let sent = play(connector(), &FAKE, &job).sent;
    assert_ne!(id_of(&sent[0]), id_of(&sent[1]), "parts are told apart");
    job.delivery.0 += 1;
    let other = connector().request(&begun(), &job).unwrap();
    assert_ne!(id_of(&other), id_of(&before), "and deliveries");
    assert_eq!(connector().probe(&begun(), &job).unwrap(), None);
}

#[test]
fn an_answer_without_words_is_taken_and_the_address_is_not_shown() {
    let job = job(connector(), &FAKE, vec![part("one", Vec::new())]);
    for (status, body) in [
        (200, Value::Null),
        (204, Value::Null),
        (202, json!({ "ok": true })),
        (200, json!({ "id": { "odd": 1 }, "url": "javascript:alert(1)" })),
    ] {
        let next = connector().accept(&begun(), &job, &reply(status, body)).unwrap().unwrap();
        let fanfare::connectors::Next::Done(live) = next else { panic!("{next:?}") };
        assert_eq!(live[0].url, "https://hooks.example/");
        assert_eq!(live[0].id, format!("msg_{}_1/0/", job.delivery));
    }
}

#[test]
fn refusals_are_read_by_their_status() {
    use RefusalKind::{Rejected, Revoked, Throttled, Unavailable};
    let scope = PaceScope::Account;
    let until = Some(NOW.after(Duration::from_secs(120)));
    let row = |status, kind| Row { status, header: None, body: json!({ "error": "No." }), kind };
    let later = |status, kind| Row {
        status,
        header: Some(("retry-after", "120")),
        body: Value::Null,
        kind,
    };
    let dated = Row {
        status: 503,
        header: Some(("retry-after", "Sat, 21 Nov 2026 09:02:00 GMT")),
        body: Value::Null,
        kind: Throttled { until: reply_date(), scope },
    };
    let rows = vec![
        row(301, Rejected),
        row(302, Rejected),
        row(307, Rejected),
        row(308, Rejected),
        row(400, Rejected),
        row(404, Unavailable),
        row(409, Rejected),
        row(413, Rejected),
        row(415, Rejected),
        row(422, Rejected),
        row(401, Revoked),
        row(403, Revoked),
        row(410, Revoked),
        row(429, Throttled { until: None, scope }),
        later(429, Throttled { until, scope }),
        later(503, Throttled { until, scope }),
        dated,
        row(500, Unavailable),
        row(502, Unavailable),
        row(503, Unavailable),
        row(504, Unavailable),
        later(500, Unavailable),
    ];
    let job = job(connector(), &FAKE, vec![part("one", Vec::new())]);
    check_rows(connector(), &job, &begun(), rows);
    let gone = connector().accept(&begun(), &job, &reply(410, json!({ "error": "moved out" })));
    let words = gone.unwrap().unwrap_err().words;
    assert!(words.contains("is gone") && words.contains("moved out"), "{words}");
}

fn reply_date() -> Option<fanfare::domain::time::Timestamp> {
    fanfare::domain::time::Timestamp::parse("2026-11-21T09:02:00Z")
}

fn paste(address: &str, secret: &str) -> Result<Paste, String> {
    let pasted =
        Paste { login: String::new(), identifier: address.to_owned(), secret: Secret::new(secret) };
    connector().paste(pasted).map_err(|problem| problem.place)
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[test]
fn what_is_pasted_is_an_address_and_a_secret_that_can_sign() {
    assert_eq!(paste(ADDRESS, SECRET).unwrap().identifier, ADDRESS);
    assert_eq!(paste("https://a.example/x#y", SECRET).unwrap().identifier, "https://a.example/x");
    let user = "https://me:pw@a.example/x";
    for address in ["", "example.com/hook", "ftp://example.com/", "mailto:a@example.com", user] {
        assert_eq!(paste(address, SECRET).unwrap_err(), "identifier", "{address}");
    }
    let short = "whsec_c2hvcnQ=";
    for secret in ["", "whsec_", "secret", "whsec_!!", short, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert_eq!(paste(ADDRESS, secret).unwrap_err(), "password", "{secret}");
    }
}

fn run(task: &Task, site: Site, status: u16, body: Value) -> Ran {
    run_errand(connector(), task, site, |request| {
        assert_eq!((request.auth, request.url.as_str()), (Auth::Signed, ADDRESS));
        reply(status, body.clone())
    })
}

#[test]
fn connecting_sends_a_test_twice_under_one_id_and_keeps_the_address_as_it_is() {
    let task = Task::SignIn { identifier: ADDRESS.to_owned() };
    let ran = run(&task, Site::default(), 204, Value::Null);
    assert_eq!(ran.sent.len(), 2);
    assert_eq!(ran.sent[0], ran.sent[1]);
    assert_eq!(json_of(&ran.sent[0])["type"], "webhook.test");
    let Outcome::Admitted(who) = ran.outcome.unwrap() else { panic!("it is not admitted") };
    assert_eq!((who.name.as_str(), who.url.as_str()), ("hooks.example", "https://hooks.example/"));
    assert!(!format!("{who:?}").contains("8f3a"), "the path may be as good as a password");
    for status in [301, 400, 401, 404, 410] {
        let refused = run(&task, Site::default(), status, Value::Null).outcome.unwrap_err();
        assert!(!refused.words.is_empty(), "{status}");
    }
}

fn live(number: usize) -> Live {
    Live {
        id: format!("msg_dlv_A_{number}/0/4{number}"),
        url: format!("https://hooks.example/p/{number}"),
    }
}

#[test]
fn what_is_removed_is_told_last_first() {
    let task = Task::Remove { live: vec![live(1), live(2)] };
    let ran = run(&task, site(&FAKE), 200, Value::Null);
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    assert_eq!(
        ran.sent.iter().map(json_of).collect::<Vec<_>>(),
        [
            &json!({ "type": "post.deleted", "data": { "event": "msg_dlv_A_2", "id": "42" } }),
            &json!({ "type": "post.deleted", "data": { "event": "msg_dlv_A_1", "id": "41" } }),
        ]
    );
    assert_ne!(id_of(&ran.sent[0]), "msg_dlv_A_2", "another event has another id");
    let refused = run(&task, site(&FAKE), 500, Value::Null).outcome.unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Unavailable);
}

#[test]
fn a_text_that_comes_back_is_a_change_again() {
    let edit = |live: Vec<Live>, text: &str| {
        let task = Task::Edit { live, index: 1, text: text.to_owned() };
        let ran = run(&task, site(&FAKE), 200, json!({ "url": "https://hooks.example/new" }));
        let Outcome::Edited(live) = ran.outcome.unwrap() else { panic!("it is not edited") };
        (id_of(&ran.sent[0]).to_owned(), json_of(&ran.sent[0]).clone(), live)
    };
    let (first, event, after) = edit(vec![live(1), live(2)], "new");
    let data = json!({ "event": "msg_dlv_A_2", "id": "42", "text": "new" });
    assert_eq!(event, json!({ "type": "post.updated", "data": data }));
    assert_eq!(after[0], live(1));
    assert_eq!(
        (after[1].id.as_str(), after[1].url.as_str()),
        ("msg_dlv_A_2/1/42", "https://hooks.example/new",)
    );
    assert_eq!(edit(vec![live(1), live(2)], "new").0, first, "its answer was lost");
    assert_ne!(edit(vec![live(1), live(2)], "other").0, first);
    let (second, _, after) = edit(after, "old");
    let (third, _, _) = edit(after, "new");
    assert!(first != second && second != third && third != first);
}

#[test]
fn events_hold_no_secret_and_carry_json() {
    let job = job(connector(), &FAKE, vec![part("one", Vec::new())]);
    let request = connector().request(&begun(), &job).unwrap();
    assert!(request.fills.is_empty() && matches!(request.body, Body::Json(_)));
}
