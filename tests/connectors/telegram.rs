//! Telegram: a bot that is told what it sent, and never sees it again.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Fill, Finding, Job, Next, Outcome, Paste, Repeat, Reply,
        Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play, reply,
    run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "telegram",
    site: &[("api", "https://api.telegram.org"), ("web", "https://t.me")],
    author: || author("channel"),
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/telegram.json"),
};

fn author(chat: &str) -> Identity {
    Identity {
        remote_id: "-1001234567890".to_owned(),
        handle: "@news_desk".to_owned(),
        traits: BTreeMap::from([("chat".to_owned(), chat.to_owned())]),
        ..Identity::default()
    }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_is_a_bots(request);
    let number = memory.posts.len();
    let album = match &request.body {
        Body::Multipart { fields, .. } => fields.iter().find(|(name, _)| name == "media"),
        _ => None,
    };
    let count = album.map_or(1, |(_, media)| {
        serde_json::from_str::<Vec<Value>>(media).expect("a list in the form").len()
    });
    let message = |index: usize| {
        let id = 45 + number + index;
        json!({ "message_id": id, "date": 1, "chat": {
            "id": -1_001_234_567_890_i64, "type": "channel", "username": "news_desk" } })
    };
    let messages: Vec<Value> = (0..count).map(message).collect();
    memory.posts.extend(messages.clone());
    let result = if album.is_some() { Value::from(messages) } else { messages[0].clone() };
    reply(200, json!({ "ok": true, "result": result }))
}

fn assert_is_a_bots(request: &Request) {
    assert_eq!(request.auth, Auth::None);
    let token = Fill { place: "{token}".to_owned(), secret: SecretName::Access };
    assert_eq!(request.fills, [token]);
    assert!(request.url.starts_with("https://api.telegram.org/bot{token}/"), "{}", request.url);
}

fn method_of(request: &Request) -> String {
    path_of(request).rsplit('/').next().unwrap().to_owned()
}

fn connector() -> &'static dyn AnyConnector {
    find("telegram").unwrap()
}

fn plain(text: &str) -> Job {
    job(connector(), &FAKE, vec![part(text, Vec::new())])
}

fn with(mut job: Job, options: &[(&str, &str)]) -> Job {
    for (name, value) in options {
        assert!(takes(connector(), name, value), "{name}");
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

fn specialities() -> Vec<Job> {
    let pdf = |number| media(number, MediaKind::Document, "application/pdf");
    let mut thread = plain("one");
    thread.parts.push(part("two", vec![pdf(1), pdf(2)]));
    let options = [
        ("buttons", "Read more | https://example.com\nBuy | https://example.com/shop"),
        ("formatting", "html"),
        ("silent", "true"),
        ("protect", "true"),
        ("link_preview", "false"),
        ("topic", "17"),
    ];
    vec![with(thread, &options)]
}

fn field<'a>(request: &'a Request, name: &str) -> &'a str {
    let Body::Multipart { fields, .. } = &request.body else { panic!("{request:?}") };
    &fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn files(request: &Request) -> Vec<&str> {
    let Body::Multipart { files, .. } = &request.body else { panic!("{request:?}") };
    files.iter().map(|file| file.field.as_str()).collect()
}

#[test]
fn a_text_goes_out_as_it_is() {
    let played = play(connector(), &FAKE, &plain("5 < 6 & *so*."));
    let [request] = played.sent.as_slice() else { panic!("{played:?}", played = played.sent) };
    assert_eq!(method_of(request), "sendMessage");
    assert_eq!(*json_of(request), json!({ "chat_id": "-1001234567890", "text": "5 < 6 & *so*." }));
    assert_eq!(request.repeat, Repeat::Duplicates);
    let live = Live { id: "-1001234567890/45/".into(), url: "https://t.me/news_desk/45".into() };
    assert_eq!(played.live, [live]);
}

#[test]
fn options_reach_every_part_and_buttons_the_first() {
    let played = play(connector(), &FAKE, &specialities()[0]);
    assert_eq!(
        *json_of(&played.sent[0]),
        json!({
            "chat_id": "-1001234567890",
            "text": "one",
            "message_thread_id": 17,
            "disable_notification": true,
            "protect_content": true,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
            "reply_markup": { "inline_keyboard": [
                [{ "text": "Read more", "url": "https://example.com" }],
                [{ "text": "Buy", "url": "https://example.com/shop" }],
            ] },
        })
    );
    let second = &played.sent[1];
    assert_eq!(method_of(second), "sendMediaGroup");
    assert_eq!(field(second, "reply_parameters"), r#"{"message_id":45}"#);
    assert_eq!(field(second, "message_thread_id"), "17");
    assert_eq!(
        serde_json::from_str::<Value>(field(second, "media")).unwrap(),
        json!([
            { "type": "document", "media": "attach://file0", "caption": "two",
              "parse_mode": "HTML" },
            { "type": "document", "media": "attach://file1" },
        ])
    );
    assert_eq!(files(second), ["file0", "file1"]);
    assert_eq!(second.units, 2);
    let ids: Vec<&str> = played.live.iter().map(|live| live.id.as_str()).collect();
    let first = "-1001234567890/45/buttons,bare,HTML";
    assert_eq!(ids, [first, "-1001234567890/46,47/caption,bare,HTML"]);
}

#[test]
fn each_file_has_a_call_of_its_kind() {
    for (kind, mime, method, name) in [
        (MediaKind::Image, "image/jpeg", "sendPhoto", "photo"),
        (MediaKind::Gif, "image/gif", "sendAnimation", "animation"),
        (MediaKind::Video, "video/mp4", "sendVideo", "video"),
        (MediaKind::Document, "application/pdf", "sendDocument", "document"),
    ] {
        let job = job(connector(), &FAKE, vec![part("A file", vec![media(1, kind, mime)])]);
        let request = connector().request(&connector().begin(&job), &job).unwrap();
        assert_eq!((method_of(&request).as_str(), files(&request)), (method, vec![name]));
        assert_eq!(field(&request, "caption"), "A file");
        if kind == MediaKind::Video {
            assert_eq!(field(&request, "width"), "640");
            assert_eq!(field(&request, "duration"), "20");
            assert_eq!(field(&request, "supports_streaming"), "true");
        }
        let played = play(connector(), &FAKE, &job);
        assert_eq!(played.live[0].id, "-1001234567890/45/caption");
    }
}

#[test]
fn a_chat_without_a_name_has_an_address_inside() {
    let job = plain("Hello");
    for (chat, url) in [("-1001234567890", "https://t.me/c/1234567890/7"), ("-4012345", "")] {
        let step = json!({ "Send": { "chat": chat, "sent": [] } });
        let sent = json!({ "ok": true, "result": { "message_id": 7, "chat": {} } });
        let next = connector().accept(&step, &job, &reply(200, sent)).unwrap().unwrap();
        let live = Live { id: format!("{chat}/7/"), url: url.to_owned() };
        assert_eq!(next, Next::Done(vec![live]));
    }
}

#[test]
fn a_group_that_became_a_supergroup_is_followed_once() {
    let moved = |chat: i64| {
        reply(
            400,
            json!({
                "ok": false, "error_code": 400,
                "description": "Bad Request: group chat was upgraded to a supergroup chat",
                "parameters": { "migrate_to_chat_id": chat },
            }),
        )
    };
    let job = plain("Hello");
    let begin = connector().begin(&job);
    let next = connector().accept(&begin, &job, &moved(-1_009_876_543_210)).unwrap().unwrap();
    let Next::Go(step) = next else { panic!("{next:?}") };
    let request = connector().request(&step, &job).unwrap();
    assert_eq!(json_of(&request)["chat_id"], "-1009876543210");
    let again = connector().accept(&step, &job, &moved(-1_007)).unwrap().unwrap_err();
    assert_eq!(again.kind, RefusalKind::Rejected);
    // What was sent before the move has another number now, and cannot be answered.
    let mut thread = plain("one");
    thread.parts.push(part("two", Vec::new()));
    let part = json!({ "chat": "-1001234567890", "ids": [45], "marks": "", "url": "" });
    let step = json!({ "Send": { "chat": "-1009876543210", "sent": [part] } });
    let request = connector().request(&step, &thread).unwrap();
    assert_eq!(json_of(&request), &json!({ "chat_id": "-1009876543210", "text": "two" }));
    let same = connector().accept(&begin, &job, &moved(-1_001_234_567_890)).unwrap();
    assert_eq!(same.unwrap_err().kind, RefusalKind::Rejected);
}

#[test]
fn an_unanswered_message_is_left_to_a_person() {
    let job = plain("Hello");
    let step = connector().begin(&job);
    assert_eq!(connector().probe(&step, &job).unwrap(), None);
    let seen = connector().recognise(&step, &job, &reply(200, json!({ "ok": true }))).unwrap();
    assert!(matches!(seen, Sighting::Unsure(_)));
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Media, Rejected, Revoked, Throttled, Unavailable};
    let row = |status: u16, words: &str, kind| Row {
        status,
        header: None,
        body: json!({ "ok": false, "error_code": status, "description": words }),
        kind,
    };
    let until = Some(NOW.after(Duration::from_secs(35)));
    let mut rows = vec![
        row(401, "Unauthorized", Revoked),
        row(404, "Not Found", Revoked),
        row(403, "Forbidden: bot was kicked from the channel chat", Revoked),
        row(403, "Forbidden: bot is not a member of the channel chat", Revoked),
        row(400, "Bad Request: chat not found", Revoked),
        row(400, "Bad Request: group chat was upgraded to a supergroup chat", Rejected),
        Row {
            status: 429,
            header: None,
            body: json!({
                "ok": false, "error_code": 429,
                "description": "Too Many Requests: retry after 35",
                "parameters": { "retry_after": 35 },
            }),
            kind: Throttled { until, scope: PaceScope::Account },
        },
        row(429, "Too Many Requests", Throttled { until: None, scope: PaceScope::Account }),
        row(413, "Request Entity Too Large", Media),
        row(409, "Conflict: terminated by other getUpdates request", Rejected),
        row(500, "Internal Server Error", Unavailable),
        row(502, "Bad Gateway", Unavailable),
        Row { status: 404, header: None, body: json!("no such page"), kind: Rejected },
        // The status of the answer may be of a server in between.
        Row {
            status: 200,
            header: None,
            body: json!({ "ok": false, "error_code": 401, "description": "Unauthorized" }),
            kind: Revoked,
        },
    ];
    let of_400 = |texts: &[&str], kind: RefusalKind| {
        let of = |text: &&str| row(400, &format!("Bad Request: {text}"), kind);
        texts.iter().map(of).collect::<Vec<_>>()
    };
    rows.extend(of_400(
        &[
            "need administrator rights in the channel chat",
            "not enough rights to send text messages to the chat",
            "CHAT_WRITE_FORBIDDEN",
            "CHAT_ADMIN_REQUIRED",
        ],
        Revoked,
    ));
    rows.extend(of_400(
        &[
            "message is too long",
            "message caption is too long",
            "message text is empty",
            "can't parse entities: Character '.' is reserved",
            "BUTTON_URL_INVALID",
            "POLL_OPTION_INVALID",
            "message is not modified",
            "message to edit not found",
            "message to delete not found",
            "message to be replied not found",
            "something that nobody has seen before",
        ],
        Rejected,
    ));
    rows.extend(of_400(
        &[
            "wrong file identifier/HTTP URL specified",
            "failed to get HTTP URL content",
            "wrong type of the web page content",
            "PHOTO_INVALID_DIMENSIONS",
            "IMAGE_PROCESS_FAILED",
            "WEBPAGE_CURL_FAILED",
            "WEBPAGE_MEDIA_EMPTY",
        ],
        Media,
    ));
    let job = plain("Hello");
    check_rows(connector(), &job, &connector().begin(&job), rows);
}

fn findings(job: &Job) -> Vec<(bool, String, String)> {
    let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
    let told = |finding: Finding| match finding {
        Finding::Error(problem) => (true, problem.place, problem.sentence),
        Finding::Warning(problem) => (false, problem.place, problem.sentence),
    };
    connector().check(&draft).into_iter().map(told).collect()
}

fn complained(job: &Job, place: &str, words: &str) {
    let findings = findings(job);
    let is_it = |(is_error, at, sentence): &(bool, String, String)| {
        *is_error && at == place && sentence.contains(words)
    };
    assert!(findings.iter().any(is_it), "{words}: {findings:?}");
}

#[test]
fn what_cannot_go_together_is_found_while_planning() {
    let image = |number| media(number, MediaKind::Image, "image/jpeg");
    let gif = media(2, MediaKind::Gif, "image/gif");
    let of = |text: &str, media| job(connector(), &FAKE, vec![part(text, media)]);
    assert_eq!(findings(&plain("Just a text.")), []);

    complained(&of(&"ä".repeat(1_025), vec![image(2)]), "content.parts[0].text", "allows 1024");
    assert_eq!(findings(&of(&"ä".repeat(1_024), vec![image(2)])), []);
    complained(&of("", vec![gif, image(4)]), "content.parts[0].media", "GIF only by itself");
    let mut long = image(2);
    long.size = Some((9_000, 1_001));
    complained(&of("", vec![long]), "content.parts[0].media[0]", "10001 together");

    let described = findings(&of("", vec![image(1)]));
    assert_eq!(described.len(), 1);
    assert!(!described[0].0 && described[0].1 == "content.parts[0].media[0].alt");

    let options = |options: &[(&str, &str)]| {
        let mut job = of("a.b <b>c", vec![image(2), image(4)]);
        for (name, value) in options {
            job.options.insert((*name).to_owned(), (*value).to_owned());
        }
        job
    };
    let buttons = options(&[("buttons", "Read | https://example.com")]);
    complained(&buttons, "content.options.buttons", "no buttons below several files");
    complained(&options(&[("buttons", "Read")]), "content.options.buttons", "is no button");
    complained(&options(&[("topic", "5")]), "content.options.topic", "no topics");
    complained(&options(&[("formatting", "html")]), "content.parts[0].text", "not closed");
    complained(&options(&[("formatting", "markdown")]), "content.parts[0].text", r"`\.`");
    let mut group = options(&[("topic", "5")]);
    group.author = author("supergroup");
    assert_eq!(findings(&group), []);
}

#[test]
fn what_is_pasted_is_read_or_complained_of() {
    let paste = |identifier: &str, secret: &str| {
        connector().paste(Paste {
            login: String::new(),
            identifier: identifier.to_owned(),
            secret: Secret::new(secret),
        })
    };
    let token = "123456:AAabcdefghijklmnopqrstuvwxyz-_01234";
    assert_eq!(paste("https://t.me/news_desk", token).unwrap().identifier, "@news_desk");
    assert_eq!(paste("@news_desk", &format!(" {token}\n")).unwrap().secret.expose(), token);
    assert_eq!(paste("t.me/+secret", token).unwrap_err().place, "identifier");
    for wrong in ["", "123456", "abc:AAabcdefghijklmnopqrstuvwxyz", "1:../getMe?a=bbbbbbbbbbbbbbb"]
    {
        assert_eq!(paste("@news_desk", wrong).unwrap_err().place, "password", "{wrong}");
    }
}

pub(crate) const ERRANDS: &[fn()] = &[
    a_bot_that_may_write_is_admitted,
    messages_are_taken_down_last_first,
    text_and_caption_are_changed_as_they_were_written,
];

fn sign_in(chat: Value, member: Value, site: Site) -> Result<Identity, (RefusalKind, String)> {
    let task = Task::SignIn { identifier: "@news_desk".to_owned() };
    let ran = run_errand(connector(), &task, site, |request| {
        let result = match method_of(request).as_str() {
            "getMe" => json!({ "id": 77, "is_bot": true, "username": "news_bot" }),
            "getChat" => {
                assert_eq!(*json_of(request), json!({ "chat_id": "@news_desk" }));
                chat.clone()
            }
            "getChatMember" => {
                assert_eq!(*json_of(request), json!({ "chat_id": chat["id"], "user_id": 77 }));
                member.clone()
            }
            other => panic!("{other}"),
        };
        match result {
            Value::String(words) => {
                reply(400, json!({ "ok": false, "error_code": 400, "description": words }))
            }
            result => reply(200, json!({ "ok": true, "result": result })),
        }
    });
    match ran.outcome {
        Ok(Outcome::Admitted(identity)) => Ok(identity),
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => Err((refusal.kind, refusal.words)),
    }
}

#[test]
fn a_bot_that_may_write_is_admitted() {
    let chat = |kind: &str| {
        let id = -1_001_234_567_890_i64;
        json!({ "id": id, "type": kind, "title": "News", "username": "news_desk" })
    };
    let poster = json!({ "status": "administrator", "can_post_messages": true });
    let identity = sign_in(chat("channel"), poster.clone(), site(&FAKE)).unwrap();
    assert_eq!(identity.remote_id, "-1001234567890");
    assert_eq!((identity.handle.as_str(), identity.name.as_str()), ("@news_desk", "News"));
    assert_eq!(identity.url, "https://t.me/news_desk");
    assert_eq!(identity.traits["chat"], "channel");
    assert_eq!(identity.limits.video_bytes_max, None);

    let mut own_server = site(&FAKE);
    own_server.endpoints.insert("api".to_owned(), "https://bots.example".to_owned());
    let identity = sign_in(chat("channel"), poster, own_server).unwrap();
    assert_eq!(identity.limits.video_bytes_max, Some(2_000_000_000));

    for (kind, member, words) in [
        ("channel", json!({ "status": "administrator" }), "may not post"),
        ("channel", json!({ "status": "member" }), "no administrator of the channel"),
        ("supergroup", json!({ "status": "left" }), "not in the group"),
        ("supergroup", json!({ "status": "restricted" }), "may not send messages"),
        ("private", json!({ "status": "member" }), "neither a channel nor a group"),
        ("channel", json!("Bad Request: user not found"), "no such chat"),
    ] {
        let (kind, said) = sign_in(chat(kind), member, site(&FAKE)).unwrap_err();
        assert_eq!(kind, RefusalKind::Rejected);
        assert!(said.contains(words), "{said}");
    }
    assert!(sign_in(chat("supergroup"), json!({ "status": "member" }), site(&FAKE)).is_ok());
    let mut closed = chat("supergroup");
    closed["permissions"] = json!({ "can_send_messages": false });
    assert!(sign_in(closed, json!({ "status": "member" }), site(&FAKE)).is_err());
    let unknown = sign_in(json!("Bad Request: chat not found"), Value::Null, site(&FAKE));
    assert!(unknown.unwrap_err().1.contains("Add the bot to the channel"));
}

fn live(ids: &[&str]) -> Vec<Live> {
    let part = |id: &&str| Live { id: (*id).to_owned(), url: "https://t.me/news_desk/1".into() };
    ids.iter().map(part).collect()
}

#[test]
fn messages_are_taken_down_last_first() {
    let task = Task::Remove { live: live(&["-100123/45/buttons", "-100123/46,47/caption"]) };
    let ran = run_errand(connector(), &task, site(&FAKE), |request| {
        assert_eq!(method_of(request), "deleteMessage");
        let is_gone = json_of(request)["message_id"] == 46;
        let gone = json!({ "ok": false, "error_code": 400,
            "description": "Bad Request: message to delete not found" });
        if is_gone { reply(400, gone) } else { reply(200, json!({ "ok": true, "result": true })) }
    });
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    let ids: Vec<&Value> = ran.sent.iter().map(|it| &json_of(it)["message_id"]).collect();
    assert_eq!(ids, [47, 46, 45]);
    let kept = |_: &Request| {
        let words = "Bad Request: message can't be deleted for everyone";
        reply(400, json!({ "ok": false, "error_code": 400, "description": words }))
    };
    let ran = run_errand(connector(), &task, site(&FAKE), kept);
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Rejected);
}

#[test]
fn text_and_caption_are_changed_as_they_were_written() {
    let edit = |index: usize, answer: Reply| {
        let live = live(&["-100123/45/bare,HTML", "-100123/46,47/caption", "-100123/48/buttons"]);
        let task = Task::Edit { live: live.clone(), index, text: "new".to_owned() };
        let ran = run_errand(connector(), &task, site(&FAKE), |_| answer.clone());
        assert_eq!(ran.outcome, Ok(Outcome::Edited(live)));
        (method_of(&ran.sent[0]), json_of(&ran.sent[0]).clone())
    };
    let done = reply(200, json!({ "ok": true, "result": true }));
    let (method, body) = edit(0, done);
    assert_eq!(method, "editMessageText");
    assert_eq!(
        body,
        json!({ "chat_id": "-100123", "message_id": 45, "text": "new", "parse_mode": "HTML",
                "link_preview_options": { "is_disabled": true } })
    );
    // Doing it twice is doing it once.
    let again = json!({ "ok": false, "error_code": 400,
        "description": "Bad Request: message is not modified: specified new message content" });
    let (method, body) = edit(1, reply(400, again));
    assert_eq!(method, "editMessageCaption");
    assert_eq!(body, json!({ "chat_id": "-100123", "message_id": 46, "caption": "new" }));
    let buttons =
        Task::Edit { live: live(&["-100123/48/buttons"]), index: 0, text: "new".to_owned() };
    assert_eq!(connector().errand(&buttons, &site(&FAKE)), None);
}
