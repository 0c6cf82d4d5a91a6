//! Discord: a bot that can look for what it sent, and a webhook that cannot.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Fill, Finding, Job, Method, Outcome, Paste, Repeat, Reply,
        Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, secret::Secret, time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "discord",
    site: &[
        ("api", "https://discord.com/api/v10"),
        ("cdn", "https://cdn.discordapp.com"),
        ("web", "https://discord.com"),
    ],
    author: bot,
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/discord.json"),
};

const GUILD: &str = "1200000000000000003";
const CHANNEL: &str = "1300000000000000002";
const WEBHOOK: &str = "1400000000000000009";
const BOT: &str = "1100000000000000007";
const FORUM_POST: &str = "1490000000000000004";

fn author(remote_id: &str, login: &str) -> Identity {
    let traits = [("login", login), ("guild", GUILD), ("channel", CHANNEL), ("user", BOT)];
    let traits = traits.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Identity {
        remote_id: remote_id.to_owned(),
        traits: BTreeMap::from(traits),
        ..Identity::default()
    }
}

fn bot() -> Identity {
    author(CHANNEL, "bot")
}

/// An id as Discord makes them, of that time.
fn snowflake(at: Timestamp, number: u64) -> String {
    (((at.0 - 1_420_070_400_000) << 22) + number).to_string()
}

fn day_before() -> Timestamp {
    NOW.before(Duration::from_secs(24 * 60 * 60))
}

fn of_somebody() -> Value {
    json!({ "id": snowflake(day_before(), 0), "channel_id": CHANNEL, "content": "Hello, everybody",
            "author": { "id": "5" }, "attachments": [] })
}

fn message_of(request: &Request) -> Value {
    match &request.body {
        Body::Multipart { fields, .. } => {
            assert_eq!(fields[0].0, "payload_json");
            serde_json::from_str(&fields[0].1).unwrap()
        }
        _ => json_of(request).clone(),
    }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let agent = request.headers.iter().find(|(name, _)| *name == "user-agent");
    assert!(agent.is_some_and(|(_, agent)| agent.starts_with("DiscordBot (https://")));
    let is_bots = path_of(request) == format!("/api/v10/channels/{CHANNEL}/messages");
    match request.method {
        Method::Get if is_bots => {
            let mut all = memory.posts.clone();
            all.push(of_somebody());
            reply(200, Value::from(all))
        }
        Method::Post => {
            let asked = message_of(request);
            let in_forum =
                asked.get("thread_name").is_some() || query_of(request, "thread_id").is_some();
            if is_bots {
                assert_eq!(request.auth, Auth::AccessAs("Bot"));
            } else {
                assert_eq!(path_of(request), format!("/api/v10/webhooks/{WEBHOOK}/%7Btoken%7D"));
                let token = Fill { place: "{token}".to_owned(), secret: SecretName::Access };
                assert_eq!((request.auth, request.fills.as_slice()), (Auth::None, &[token][..]));
                assert_eq!(query_of(request, "wait").as_deref(), Some("true"));
            }
            let message = json!({
                "id": snowflake(NOW, memory.posts.len() as u64),
                "channel_id": if in_forum { FORUM_POST } else { CHANNEL },
                "author": { "id": BOT },
                "content": asked["content"].as_str().unwrap_or_default(),
                "nonce": asked["nonce"],
                "poll": asked["poll"],
                "attachments": asked["attachments"].as_array().cloned().unwrap_or_default(),
            });
            memory.posts.insert(0, message.clone());
            reply(200, message)
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn connector() -> &'static dyn AnyConnector {
    find("discord").unwrap()
}

fn plain(text: &str) -> Job {
    job(connector(), &FAKE, vec![part(text, Vec::new())])
}

fn by_webhook(mut job: Job) -> Job {
    job.site.login = "webhook".to_owned();
    job.author = author(WEBHOOK, "webhook");
    job
}

fn with(mut job: Job, options: &[(&str, &str)]) -> Job {
    for (name, value) in options {
        assert!(takes(connector(), name, value), "{name}");
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

fn thread() -> Job {
    let (image, film) =
        (media(1, MediaKind::Image, "image/jpeg"), media(2, MediaKind::Video, "video/mp4"));
    job(connector(), &FAKE, vec![part("one", Vec::new()), part("two", vec![image, film])])
}

const POLL: &[(&str, &str)] =
    &[("poll", "Tea\nCoffee"), ("poll_minutes", "90"), ("poll_question", "What shall it be?")];

fn specialities() -> Vec<Job> {
    let rich = [
        ("buttons", "A | https://a.example\nB | https://b.example"),
        ("embed_title", "The card"),
        ("embed_description", "What it says"),
        ("silent", "true"),
        ("suppress_embeds", "true"),
        ("mentions", "true"),
    ];
    let named = [
        ("username", "Town Crier"),
        ("avatar_url", "https://example.com/crier.png"),
        ("thread_name", "News of the day"),
    ];
    vec![
        with(plain("Choose"), POLL),
        with(plain("What shall it be?"), &POLL[..2]),
        with(plain("Rich"), &rich),
        by_webhook(plain("By a webhook")),
        by_webhook(with(thread(), &rich)),
        by_webhook(with(thread(), &named)),
        by_webhook(with(plain("Choose"), POLL)),
    ]
}

#[test]
fn a_bot_s_message_carries_a_nonce_and_calls_nobody() {
    let played = play(connector(), &FAKE, &plain("Hi @everyone"));
    let request = &played.sent[0];
    let Repeat::Keyed { key, valid_for } = &request.repeat else { panic!("{request:?}") };
    assert_eq!((key.len(), *valid_for), (24, Duration::from_secs(120)));
    assert_eq!(
        *json_of(request),
        json!({ "content": "Hi @everyone", "allowed_mentions": { "parse": [] },
                "nonce": key, "enforce_nonce": true })
    );
    let id = snowflake(NOW, 0);
    let url = format!("https://discord.com/channels/{GUILD}/{CHANNEL}/{id}");
    assert_eq!(played.live, [Live { id: format!("{CHANNEL}/{id}"), url }]);
}

#[test]
fn the_nonce_changes_exactly_when_the_content_does() {
    let key = |job: &Job| {
        let request = connector().request(&connector().begin(job), job).unwrap();
        json_of(&request)["nonce"].clone()
    };
    let before = plain("Hello");
    let mut later = before.clone();
    (later.armed, later.due) = (None, NOW);
    assert_eq!(key(&before), key(&later));
    assert_ne!(key(&before), key(&plain("Hello!")));
    assert_ne!(key(&before), key(&with(before.clone(), &[("silent", "true")])));
    let mut other = before.clone();
    other.delivery.0 += 1;
    assert_ne!(key(&before), key(&other));
}

#[test]
fn files_go_with_their_descriptions_and_parts_answer_the_one_before() {
    let played = play(connector(), &FAKE, &thread());
    let second = message_of(&played.sent[1]);
    assert_eq!(second["message_reference"], json!({ "message_id": snowflake(NOW, 0) }));
    assert_eq!(
        second["attachments"],
        json!([
            { "id": "0", "filename": format!("{}.jpg", fanfare::domain::ids::MediaId(1)),
              "description": "What picture 1 shows" },
            { "id": "1", "filename": format!("{}.mp4", fanfare::domain::ids::MediaId(2)) },
        ])
    );
    let Body::Multipart { files, .. } = &played.sent[1].body else { panic!() };
    let names: Vec<&str> = files.iter().map(|file| file.field.as_str()).collect();
    assert_eq!(names, ["files[0]", "files[1]"]);
}

#[test]
fn options_go_with_the_first_part() {
    let jobs = specialities();
    let request = &play(connector(), &FAKE, &jobs[2]).sent[0];
    let message = message_of(request);
    assert_eq!(message["flags"], 4 + 4_096);
    assert_eq!(message["allowed_mentions"], json!({ "parse": ["users", "roles", "everyone"] }));
    assert_eq!(message["embeds"], json!([{ "title": "The card", "description": "What it says" }]));
    let button =
        |label: &str, url: &str| json!({ "type": 2, "style": 5, "label": label, "url": url });
    assert_eq!(
        message["components"],
        json!([{ "type": 1, "components": [
            button("A", "https://a.example"), button("B", "https://b.example") ] }])
    );

    let played = play(connector(), &FAKE, &jobs[4]);
    assert_eq!(query_of(&played.sent[0], "with_components").as_deref(), Some("true"));
    assert_eq!(query_of(&played.sent[1], "with_components"), None);
    let second = message_of(&played.sent[1]);
    assert!(second.get("embeds").is_none() && second.get("message_reference").is_none());
    assert_eq!(second["flags"], 4 + 4_096);
    assert!(played.sent.iter().all(|request| request.repeat == Repeat::Duplicates));
}

#[test]
fn a_webhook_of_a_forum_opens_a_post_and_stays_in_it() {
    let played = play(connector(), &FAKE, &specialities()[5]);
    let [first, second] = [&played.sent[0], &played.sent[1]].map(message_of);
    assert_eq!(first["thread_name"], "News of the day");
    assert_eq!(first["username"], "Town Crier");
    assert_eq!(first["avatar_url"], "https://example.com/crier.png");
    assert_eq!(query_of(&played.sent[0], "thread_id"), None);
    assert_eq!(second.get("thread_name"), None);
    assert_eq!(query_of(&played.sent[1], "thread_id").as_deref(), Some(FORUM_POST));
    assert_eq!(second["username"], "Town Crier");
    let id = snowflake(NOW, 1);
    assert_eq!(played.live[1].id, format!("{WEBHOOK}/{id}/{FORUM_POST}"));
    let url = format!("https://discord.com/channels/{GUILD}/{FORUM_POST}/{id}");
    assert_eq!(played.live[1].url, url);
}

#[test]
fn a_poll_asks_its_question_or_the_text() {
    let of = |index: usize| message_of(&play(connector(), &FAKE, &specialities()[index]).sent[0]);
    let message = of(0);
    assert_eq!(message["content"], "Choose");
    assert_eq!(
        message["poll"],
        json!({
            "question": { "text": "What shall it be?" },
            "answers": [{ "poll_media": { "text": "Tea" } }, { "poll_media": { "text": "Coffee" } }],
            "duration": 2, "allow_multiselect": false, "layout_type": 1,
        })
    );
    let message = of(1);
    assert_eq!(message.get("content"), None);
    assert_eq!(message["poll"]["question"]["text"], "What shall it be?");
}

fn seen(job: &Job, status: u16, body: Value) -> Sighting<Value> {
    connector().recognise(&connector().begin(job), job, &reply(status, body)).unwrap()
}

#[test]
fn a_look_finds_ours_and_nothing_that_is_only_near() {
    let job = plain("Hello");
    let sent = connector().request(&connector().begin(&job), &job).unwrap();
    let ours = |at: Timestamp| {
        json!({ "id": snowflake(at, 1), "channel_id": CHANNEL, "author": { "id": BOT },
                "content": "Hello", "attachments": [] })
    };
    let with = |name: &str, value: Value| {
        let mut message = ours(NOW);
        message[name] = value;
        message
    };
    let list = |message: Value| json!([message, of_somebody()]);
    let is_found = |body: Value| matches!(seen(&job, 200, body), Sighting::Found(_));
    assert!(is_found(list(ours(NOW))));
    // Discord may have changed the text; the nonce is proof.
    let mut by_nonce = with("content", json!("Hello <:wave:1>"));
    by_nonce["nonce"] = json_of(&sent)["nonce"].clone();
    assert!(is_found(list(by_nonce)));
    for near in [
        with("content", json!("Hello!")),
        with("author", json!({ "id": "5" })),
        with("attachments", json!([{ "id": "1" }])),
        ours(day_before()),
    ] {
        assert_eq!(seen(&job, 200, list(near.clone())), Sighting::Absent, "{near}");
    }
    let is_unsure = |body: Value| matches!(seen(&job, 200, body), Sighting::Unsure(_));
    // Without the right to read the history, Discord shows an empty list.
    assert!(is_unsure(json!([])));
    assert!(is_unsure(json!([{ "content": "Hello" }])));
    let full = (0..100).map(|_| with("content", json!("Something else"))).collect::<Vec<_>>();
    assert!(is_unsure(json!(full)));
}

#[test]
fn a_look_does_not_take_the_part_before_for_this_one() {
    let twice = vec![part("Again", Vec::new()), part("Again", Vec::new())];
    let job = job(connector(), &FAKE, twice);
    let mut memory = Memory::default();
    let begin = connector().begin(&job);
    let first = answer(&mut memory, &connector().request(&begin, &job).unwrap());
    let next = connector().accept(&begin, &job, &first).unwrap().unwrap();
    let fanfare::connectors::Next::Go(step) = next else { panic!("{next:?}") };
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(query_of(&probe, "limit").as_deref(), Some("100"));
    let list = answer(&mut memory, &probe);
    assert_eq!(connector().recognise(&step, &job, &list).unwrap(), Sighting::Absent);
}

#[test]
fn a_webhook_s_message_is_left_to_a_person() {
    let job = by_webhook(plain("Hello"));
    assert_eq!(connector().probe(&connector().begin(&job), &job).unwrap(), None);
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Throttled, Unavailable};
    let row = |status: u16, code: u64, kind| Row {
        status,
        header: None,
        body: json!({ "code": code, "message": "Something is wrong" }),
        kind,
    };
    let scope = PaceScope::Account;
    let rows = || {
        let until = Some(NOW.after(Duration::from_millis(650)));
        let limited = |code: u64| Row {
            status: 429,
            header: Some(("retry-after", "1")),
            body: json!({ "message": "You are being rate limited.", "retry_after": 0.65,
                          "global": false, "code": code }),
            kind: Throttled { until, scope },
        };
        vec![
            row(401, 0, Revoked),
            row(401, 50_027, Revoked),
            row(404, 10_015, Revoked),
            row(404, 10_003, Revoked),
            row(404, 10_004, Revoked),
            row(404, 10_008, Rejected),
            row(403, 50_001, Revoked),
            row(403, 50_013, Revoked),
            row(403, 40_333, Revoked),
            Row {
                status: 403,
                header: None,
                body: Value::Null,
                kind: Throttled { until: None, scope: PaceScope::App },
            },
            limited(0),
            limited(40_062),
            limited(20_016),
            limited(20_028),
            limited(20_029),
            limited(30_046),
            row(403, 20_016, Throttled { until: None, scope }),
            row(400, 50_035, Rejected),
            row(400, 50_006, Rejected),
            row(400, 50_109, Rejected),
            row(400, 220_001, Rejected),
            row(400, 30_015, Rejected),
            row(413, 40_005, Media),
            row(400, 40_005, Media),
            row(413, 0, Media),
            row(400, 200_000, Rejected),
            row(400, 200_001, Rejected),
            row(400, 240_000, Rejected),
            row(400, 40_033, Duplicate),
            row(400, 160_004, Duplicate),
            row(403, 40_004, Unavailable),
            row(503, 130_000, Unavailable),
            row(500, 0, Unavailable),
            row(400, 999_999, Rejected),
            Row { status: 403, header: None, body: json!("error code: 1020"), kind: Rejected },
        ]
    };
    for job in [plain("Hello"), by_webhook(plain("Hello"))] {
        check_rows(connector(), &job, &connector().begin(&job), rows());
    }
    let detail = json!({ "code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer." });
    let errors = json!({ "embeds": { "0": { "title": { "_errors": [detail] } } } });
    let body = json!({ "code": 50_035, "message": "Invalid Form Body", "errors": errors });
    let job = plain("Hello");
    let step = connector().begin(&job);
    let refused = connector().accept(&step, &job, &reply(400, body)).unwrap().unwrap_err();
    let words = "Invalid Form Body: embeds.0.title: Must be 256 or fewer.";
    assert_eq!((refused.code.as_str(), refused.words.as_str()), ("50035", words));
}

fn findings(job: &Job) -> Vec<(bool, String, String)> {
    let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
    let told = |finding: Finding| match finding {
        Finding::Error(problem) => (true, problem.place, problem.sentence),
        Finding::Warning(problem) => (false, problem.place, problem.sentence),
    };
    connector().check(&draft).into_iter().map(told).collect()
}

#[test]
fn what_cannot_go_together_is_found_while_planning() {
    let complained = |job: &Job, place: &str, words: &str| {
        let findings = findings(job);
        let is_it = |(is_error, at, sentence): &(bool, String, String)| {
            *is_error && at == place && sentence.contains(words)
        };
        assert!(findings.iter().any(is_it), "{words}: {findings:?}");
    };
    let option = |name: &str, value: &str| {
        let mut job = plain("Hello");
        job.options.insert(name.to_owned(), value.to_owned());
        job
    };
    assert_eq!(findings(&plain("Hello")), []);
    let named = option("username", "Town Crier");
    complained(&named, "content.options.username", "works with a webhook");
    assert_eq!(findings(&by_webhook(named)), []);
    let named = by_webhook(option("username", "My Discord"));
    complained(&named, "content.options.username", "contains `discord`");
    for line in ["Read", "Read | ftp://a", &format!("{} | https://a.b", "x".repeat(81))] {
        complained(&option("buttons", line), "content.options.buttons", "no button");
    }
    let mut asked = option("poll", "a\nb");
    assert_eq!(findings(&asked), []);
    asked.parts[0].text = "x".repeat(301);
    complained(&asked, "content.options.poll", "has 301 characters");
    asked.options.insert("poll_question".to_owned(), "What?".to_owned());
    asked.options.insert("poll_minutes".to_owned(), "90".to_owned());
    let told = findings(&asked);
    let [(false, place, sentence)] = told.as_slice() else { panic!("{told:?}") };
    assert!(place == "content.options.poll_minutes" && sentence.contains("open for 2"));
    let told = findings(&option("poll_question", "What?"));
    assert!(!told[0].0 && told[0].2.contains("without the option `poll`"), "{told:?}");
    let mut large = plain("Hello");
    large.parts[0].media = (1..=3).map(|it| media(it, MediaKind::Video, "video/mp4")).collect();
    large.parts[0].media.iter_mut().for_each(|media| media.bytes = 9 * 1_024 * 1_024);
    complained(&large, "content.parts[0].media", "allows 26214400");
}

#[test]
fn what_is_pasted_is_taken_apart_or_complained_of() {
    let paste = |login: &str, identifier: &str, secret: &str| {
        let pasted = Paste {
            login: login.to_owned(),
            identifier: identifier.to_owned(),
            secret: Secret::new(secret),
        };
        connector().paste(pasted)
    };
    let token = "aB3-_x".repeat(11);
    for host in ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"] {
        for version in ["", "/v10", "/v9"] {
            let address = format!("https://{host}/api{version}/webhooks/{WEBHOOK}/{token}");
            let pasted = paste("webhook", "", &address).unwrap();
            assert_eq!((pasted.identifier.as_str(), pasted.secret.expose()), (WEBHOOK, &*token));
        }
    }
    for wrong in [
        "https://discord.example/api/webhooks/1400000000000000009/abc",
        "http://discord.com/api/webhooks/1400000000000000009/abc",
        "https://discord.com/api/webhooks/1400000000000000009",
        "https://discord.com/api/webhooks/1400000000000000009/abc/slack",
        "https://discord.com/api/webhooks/1400000000000000009/a%2Fb",
        "https://discord.com/api/webhooks/1400000000000000009/abc?thread_id=5",
        "1400000000000000009",
        "",
    ] {
        assert_eq!(paste("webhook", "", wrong).unwrap_err().place, "password", "{wrong}");
    }
    let pasted = paste("bot", &format!(" {CHANNEL} "), "Bot abc.def").unwrap();
    assert_eq!((pasted.identifier.as_str(), pasted.secret.expose()), (CHANNEL, "abc.def"));
    assert_eq!(paste("", "#general", "abc").unwrap_err().place, "identifier");
}

pub(crate) const ERRANDS: &[fn()] = &[
    a_bot_is_admitted_to_channels_that_it_can_write_in,
    a_webhook_says_where_it_writes,
    messages_are_taken_down_last_first_and_gone_is_gone,
    an_edit_changes_the_text_alone,
];

fn webhook_site() -> Site {
    Site { login: "webhook".to_owned(), ..site(&FAKE) }
}

#[test]
fn a_bot_is_admitted_to_channels_that_it_can_write_in() {
    let sign_in = |channel: Reply| {
        let task = Task::SignIn { identifier: CHANNEL.to_owned() };
        let ran = run_errand(connector(), &task, site(&FAKE), |request| {
            assert_eq!(request.auth, Auth::AccessAs("Bot"));
            match path_of(request).trim_start_matches("/api/v10") {
                "/users/@me" => reply(200, json!({ "id": BOT, "username": "crier" })),
                path => {
                    assert_eq!(path, format!("/channels/{CHANNEL}"));
                    channel.clone()
                }
            }
        });
        ran.outcome
    };
    let channel = |kind: u64| {
        reply(200, json!({ "id": CHANNEL, "type": kind, "name": "news", "guild_id": GUILD }))
    };
    let Ok(Outcome::Admitted(identity)) = sign_in(channel(0)) else { panic!() };
    let expected = Identity {
        handle: "#news".to_owned(),
        name: "#news".to_owned(),
        url: format!("https://discord.com/channels/{GUILD}/{CHANNEL}"),
        ..bot()
    };
    assert_eq!(identity, expected);
    for (answer, words) in [
        (channel(15), "this is a forum"),
        (channel(4), "no channel that texts are written in"),
        (reply(403, json!({ "code": 50_001, "message": "Missing Access" })), "does not see"),
        (reply(404, json!({ "code": 10_003, "message": "Unknown Channel" })), "does not see"),
    ] {
        let refused = sign_in(answer).unwrap_err();
        assert!(refused.kind == RefusalKind::Rejected && refused.words.contains(words));
    }
    let refused = sign_in(reply(401, json!({ "code": 0, "message": "401: Unauthorized" })));
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Revoked);
}

#[test]
fn a_webhook_says_where_it_writes() {
    let task = Task::SignIn { identifier: WEBHOOK.to_owned() };
    let ran = run_errand(connector(), &task, webhook_site(), |request| {
        assert_eq!((request.method, request.auth), (Method::Get, Auth::None));
        assert_eq!(path_of(request), format!("/api/v10/webhooks/{WEBHOOK}/%7Btoken%7D"));
        let webhook = json!({ "id": WEBHOOK, "type": 1, "name": "Crier", "avatar": "a1b2",
                              "channel_id": CHANNEL, "guild_id": GUILD });
        reply(200, webhook)
    });
    let Ok(Outcome::Admitted(identity)) = ran.outcome else { panic!() };
    let mut expected = Identity {
        handle: "Crier".to_owned(),
        name: "Crier".to_owned(),
        url: format!("https://discord.com/channels/{GUILD}/{CHANNEL}"),
        picture: format!("https://cdn.discordapp.com/avatars/{WEBHOOK}/a1b2.png"),
        ..author(WEBHOOK, "webhook")
    };
    expected.traits.remove("user");
    assert_eq!(identity, expected);
    let gone = json!({ "code": 10_015, "message": "Unknown Webhook" });
    let ran = run_errand(connector(), &task, webhook_site(), |_| reply(404, gone.clone()));
    assert!(ran.outcome.unwrap_err().words.contains("not there any more"));
}

fn live(ids: &[&str]) -> Vec<Live> {
    let part = |id: &&str| Live { id: (*id).to_owned(), url: "https://discord.com/1".into() };
    ids.iter().map(part).collect()
}

#[test]
fn messages_are_taken_down_last_first_and_gone_is_gone() {
    let answer = |request: &Request| match path_of(request).ends_with("/6") {
        true => reply(404, json!({ "code": 10_008, "message": "Unknown Message" })),
        false => reply(204, Value::Null),
    };
    let task = Task::Remove { live: live(&["13/5", "13/6"]) };
    let ran = run_errand(connector(), &task, site(&FAKE), answer);
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    let asked: Vec<_> = ran.sent.iter().map(|it| (it.method, path_of(it))).collect();
    let message = |id: u32| (Method::Delete, format!("/api/v10/channels/13/messages/{id}"));
    assert_eq!(asked, [message(6), message(5)]);

    let task = Task::Remove { live: live(&["14/5", "14/6/99"]) };
    let ran = run_errand(connector(), &task, webhook_site(), answer);
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    assert_eq!(path_of(&ran.sent[0]), "/api/v10/webhooks/14/%7Btoken%7D/messages/6");
    assert_eq!(query_of(&ran.sent[0], "thread_id").as_deref(), Some("99"));
    assert_eq!(path_of(&ran.sent[1]), "/api/v10/webhooks/14/%7Btoken%7D/messages/5");
    assert_eq!(query_of(&ran.sent[1], "thread_id"), None);

    let refused = |_: &Request| reply(403, json!({ "code": 50_013, "message": "No" }));
    let ran = run_errand(connector(), &task, webhook_site(), refused);
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Revoked);
}

#[test]
fn an_edit_changes_the_text_alone() {
    for (site, id, path) in [
        (site(&FAKE), "13/5", "/api/v10/channels/13/messages/5"),
        (webhook_site(), "14/5", "/api/v10/webhooks/14/%7Btoken%7D/messages/5"),
    ] {
        let live = live(&["1/2", id]);
        let task = Task::Edit { live: live.clone(), index: 1, text: "new".to_owned() };
        let ran = run_errand(connector(), &task, site, |_| reply(200, json!({ "id": "5" })));
        assert_eq!(ran.outcome, Ok(Outcome::Edited(live)));
        assert_eq!((ran.sent[0].method, path_of(&ran.sent[0]).as_str()), (Method::Patch, path));
        let body = json!({ "content": "new", "allowed_mentions": { "parse": [] } });
        assert_eq!(*json_of(&ran.sent[0]), body);
    }
}
