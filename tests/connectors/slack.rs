//! Slack: a bot that can look for what it sent, a webhook that cannot, and an app with channels to
//! choose from.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Fill, Finding, Job, Method, Next, Outcome, Paste, Repeat,
        Reply, Request, SecretName, Sighting, Site, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind, secret::Secret,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "slack",
    site: &[
        ("api", "https://slack.com/api"),
        ("app", "https://app.slack.com"),
        ("hooks", "https://hooks.slack.com"),
        ("web", "https://slack.com"),
    ],
    author: || author("C0000000001", "bot"),
    answer,
    // Only when a part with files is live does Slack say which message others can answer.
    prepares: Prepares::BelowLiveParts,
    specialities,
    golden: include_str!("golden/slack.json"),
};

const CHANNEL: &str = "C0000000001";

fn author(remote_id: &str, login: &str) -> Identity {
    let traits = [
        ("login", login),
        ("workspace", "https://acme.slack.com/"),
        ("team", "T0000000001"),
        ("bot", "B0000000001"),
    ];
    let traits = traits.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Identity {
        remote_id: remote_id.to_owned(),
        traits: BTreeMap::from(traits),
        ..Identity::default()
    }
}

fn method_of(request: &Request) -> String {
    path_of(request).rsplit('/').next().unwrap().to_owned()
}

fn time(number: usize) -> String {
    format!("{}.{number:06}", NOW.0 / 1_000)
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    if request.url.starts_with("https://hooks.slack.com/") {
        assert_eq!(request.url, "https://hooks.slack.com/services/{webhook}");
        let webhook = Fill { place: "{webhook}".to_owned(), secret: SecretName::Access };
        assert_eq!((request.auth, request.fills.as_slice()), (Auth::None, &[webhook][..]));
        return reply(200, json!("ok"));
    }
    if request.url.starts_with("https://files.slack.com/") {
        assert_eq!(request.auth, Auth::None);
        assert!(matches!(request.body, Body::File { .. }));
        return reply(200, json!("OK - 20000"));
    }
    assert_eq!(request.auth, Auth::Access);
    let number = memory.posts.len();
    reply(
        200,
        match method_of(request).as_str() {
            "files.getUploadURLExternal" => {
                memory.uploads += 1;
                let url = format!("https://files.slack.com/upload/v1/{}", memory.uploads);
                json!({ "ok": true, "upload_url": url, "file_id": file(memory.uploads) })
            }
            "files.completeUploadExternal" => {
                let files = json_of(request)["files"].clone();
                memory.posts.insert(0, json!({ "ts": time(number), "files": files }));
                json!({ "ok": true, "files": files })
            }
            "files.info" => {
                let id = query_of(request, "file").unwrap();
                let shows = |post: &&Value| {
                    post["files"].as_array().is_some_and(|all| all.iter().any(|it| it["id"] == id))
                };
                match memory.posts.iter().find(shows) {
                    Some(post) => info(&id, post["ts"].as_str()),
                    None => json!({ "ok": false, "error": "file_not_found" }),
                }
            }
            "chat.postMessage" => {
                let asked = json_of(request);
                let message = json!({
                    "ts": time(number), "text": asked["text"], "bot_id": "B0000000001",
                    "metadata": asked["metadata"],
                });
                memory.posts.insert(0, message.clone());
                json!({ "ok": true, "channel": CHANNEL, "ts": time(number), "message": message })
            }
            "conversations.history" | "conversations.replies" => {
                assert_eq!(query_of(request, "include_all_metadata").as_deref(), Some("true"));
                json!({ "ok": true, "messages": memory.posts, "has_more": false })
            }
            other => panic!("no answer for {other}"),
        },
    )
}

fn file(number: u32) -> String {
    format!("F{number:010}")
}

fn info(id: &str, time: Option<&str>) -> Value {
    let shares = match time {
        Some(time) => json!({ "public": { CHANNEL: [{ "ts": time }] } }),
        None => json!({}),
    };
    json!({ "ok": true, "file": { "id": id, "shares": shares } })
}

fn connector() -> &'static dyn AnyConnector {
    find("slack").unwrap()
}

fn plain(text: &str) -> Job {
    job(connector(), &FAKE, vec![part(text, Vec::new())])
}

fn by_webhook(mut job: Job) -> Job {
    job.site.login = "webhook".to_owned();
    job.author = author("T0000000001/B0000000002", "webhook");
    job
}

fn with(mut job: Job, options: &[(&str, &str)]) -> Job {
    for (name, value) in options {
        assert!(takes(connector(), name, value), "{name}");
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

/// Files first, and in the middle.
fn thread_of_files() -> Job {
    let image = |number| media(number, MediaKind::Image, "image/png");
    let pdf = media(3, MediaKind::Document, "application/pdf");
    let parts =
        vec![part("one", vec![image(1), image(2)]), part("two", vec![pdf]), part("3", Vec::new())];
    job(connector(), &FAKE, parts)
}

const BUTTONS: (&str, &str) = ("buttons", "Read | https://example.com\nBuy | https://b.example");

fn specialities() -> Vec<Job> {
    let mut thread = plain("a < b & c > d");
    thread.parts.push(part("two", Vec::new()));
    let options = [BUTTONS, ("unfurl", "false"), ("broadcast", "true")];
    vec![
        thread_of_files(),
        with(thread, &options),
        by_webhook(plain("By a webhook")),
        by_webhook(with(plain("With buttons"), &[BUTTONS])),
    ]
}

#[test]
fn a_message_carries_a_key_and_escapes_three_letters() {
    let played = play(connector(), &FAKE, &specialities()[1]);
    let [first, second] = played.sent.as_slice() else { panic!() };
    let Repeat::Probed { settle } = first.repeat else { panic!() };
    assert!(settle >= Duration::from_secs(5));
    let message = json_of(first);
    let key = &message["metadata"]["event_payload"]["key"];
    assert_eq!(key.as_str().map(str::len), Some(32));
    let text = "a &lt; b &amp; c &gt; d";
    let button = |label: &str, url: &str| {
        let label = json!({ "type": "plain_text", "text": label });
        json!({ "type": "button", "text": label, "url": url })
    };
    assert_eq!(
        *message,
        json!({
            "channel": CHANNEL,
            "text": text,
            "unfurl_links": false,
            "unfurl_media": false,
            "metadata": { "event_type": "fanfare_post", "event_payload": { "key": key } },
            "blocks": [
                { "type": "section", "text": { "type": "mrkdwn", "text": text } },
                { "type": "actions", "elements": [
                    button("Read", "https://example.com"), button("Buy", "https://b.example") ] },
            ],
        })
    );
    let answer = json_of(second);
    assert_eq!(answer["thread_ts"], time(0));
    assert_eq!(answer["reply_broadcast"], true);
    assert_eq!(answer.get("blocks"), None);
    assert_ne!(answer["metadata"], message["metadata"]);

    let ids: Vec<&str> = played.live.iter().map(|live| live.id.as_str()).collect();
    let root = time(0);
    assert_eq!(ids, [format!("{CHANNEL}/{root}/buttons"), format!("{CHANNEL}/{}", time(1))]);
    let place = "https://acme.slack.com/archives/C0000000001/p1795251600";
    assert_eq!(played.live[0].url, format!("{place}000000"));
    assert_eq!(played.live[1].url, format!("{place}000001?thread_ts={root}&cid=C0000000001"));
}

#[test]
fn the_key_changes_exactly_when_the_content_does() {
    let key = |job: &Job| {
        let request = connector().request(&connector().begin(job), job).unwrap();
        json_of(&request)["metadata"].clone()
    };
    let before = plain("Hello");
    let mut later = before.clone();
    (later.armed, later.due) = (None, NOW);
    assert_eq!(key(&before), key(&later));
    assert_ne!(key(&before), key(&plain("Hello!")));
    let mut other = before.clone();
    other.delivery.0 += 1;
    assert_ne!(key(&before), key(&other));
}

#[test]
fn files_go_up_first_and_one_call_shows_them() {
    let played = play(connector(), &FAKE, &thread_of_files());
    let methods: Vec<String> = played.sent.iter().map(method_of).collect();
    let expected = [
        "files.getUploadURLExternal",
        "1",
        "files.getUploadURLExternal",
        "2",
        "files.getUploadURLExternal",
        "3",
        "files.completeUploadExternal",
        "files.info",
        "files.completeUploadExternal",
        "chat.postMessage",
    ];
    assert_eq!(methods, expected);
    let Body::Form(fields) = &played.sent[0].body else { panic!() };
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        *fields,
        [
            field("filename", "file-1"),
            field("length", "20000"),
            field("alt_txt", "What picture 1 shows"),
        ]
    );
    assert_eq!(
        *json_of(&played.sent[6]),
        json!({
            "files": [{ "id": file(1), "title": "file-1" }, { "id": file(2), "title": "file-2" }],
            "channel_id": CHANNEL,
            "initial_comment": "one",
        })
    );
    assert_eq!(
        *json_of(&played.sent[8]),
        json!({
            "files": [{ "id": file(3), "title": "file-3" }],
            "channel_id": CHANNEL,
            "initial_comment": "two",
            "thread_ts": time(0),
        })
    );
    assert_eq!(json_of(&played.sent[9])["thread_ts"], time(0));
    assert_eq!(played.live[0].id, format!("{CHANNEL}/files/{},{}", file(1), file(2)));
    let url = "https://acme.slack.com/archives/C0000000001/p1795251600000000";
    assert_eq!(played.live[0].url, url);
    assert_eq!(played.live[1].url, url);
}

fn locate(polls: u32) -> Value {
    json!({ "Locate": {
        "files": [file(1), file(2), file(3)],
        "sent": [{ "time": "", "files": [file(1), file(2)], "has_buttons": false }],
        "polls": polls,
    } })
}

#[test]
fn the_message_of_files_is_waited_for() {
    let job = thread_of_files();
    let not_yet = reply(200, info(&file(1), None));
    let next = connector().accept(&locate(0), &job, &not_yet).unwrap().unwrap();
    assert_eq!(next, Next::Wait(Duration::from_secs(2), locate(1)));
    let live = connector().live(&locate(0), &job).unwrap();
    assert_eq!(live[0].url, "https://acme.slack.com/archives/C0000000001");

    // A thread cannot go on without it; a post alone is published all the same.
    let refused = connector().accept(&locate(30), &job, &not_yet).unwrap().unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Media);
    let mut alone = job.clone();
    alone.parts.truncate(1);
    let done = connector().accept(&locate(30), &alone, &not_yet).unwrap().unwrap();
    assert_eq!(done, Next::Done(live));
}

#[test]
fn a_webhook_says_ok_and_nothing_else() {
    let job = by_webhook(plain("Hello"));
    let played = play(connector(), &FAKE, &job);
    let body = json!({ "text": "Hello", "unfurl_links": true, "unfurl_media": true });
    assert_eq!(*json_of(&played.sent[0]), body);
    assert_eq!(played.sent[0].repeat, Repeat::Duplicates);
    assert_eq!(connector().probe(&connector().begin(&job), &job).unwrap(), None);
    assert_eq!(played.live[0].url, "https://app.slack.com/client/T0000000001");
    let odd = connector().accept(&connector().begin(&job), &job, &reply(200, json!("fine")));
    assert_eq!(odd.unwrap().unwrap_err().kind, RefusalKind::Unreadable);
}

fn seen(job: &Job, step: &Value, body: Value) -> Sighting<Value> {
    connector().recognise(step, job, &reply(200, body)).unwrap()
}

#[test]
fn a_look_finds_our_key_and_nothing_that_is_only_near() {
    let job = plain("Hello & more");
    let step = connector().begin(&job);
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(method_of(&probe), "conversations.history");
    // Armed ten seconds before, and the clocks may differ by a minute.
    assert_eq!(query_of(&probe, "oldest"), Some(format!("{}.000000", NOW.0 / 1_000 - 70)));
    let metadata = json_of(&connector().request(&step, &job).unwrap())["metadata"].clone();
    let message = |text: &str, bot: &str, metadata: Value| {
        let ts = time(7);
        json!({ "ts": ts, "text": text, "bot_id": bot, "metadata": metadata })
    };
    let list = |message: Value| json!({ "ok": true, "messages": [message], "has_more": false });
    let (ours, text) = ("B0000000001", "Hello &amp; more");
    let Sighting::Found(Next::Done(live)) =
        seen(&job, &step, list(message("changed", ours, metadata)))
    else {
        panic!()
    };
    assert_eq!(live[0].id, format!("{CHANNEL}/{}", time(7)));
    let other_key = json!({ "event_type": "fanfare_post", "event_payload": { "key": "x" } });
    for near in [
        message(text, "B0000000009", Value::Null),
        message("Hello", ours, Value::Null),
        message(text, ours, other_key),
    ] {
        assert_eq!(seen(&job, &step, list(near.clone())), Sighting::Absent, "{near}");
    }
    let is_unsure = |body: Value| matches!(seen(&job, &step, body), Sighting::Unsure(_));
    assert!(is_unsure(list(message(text, ours, Value::Null))));
    assert!(is_unsure(json!({ "ok": true, "messages": [], "has_more": true })));
    assert!(is_unsure(json!({ "ok": true })));
    assert!(is_unsure(json!({ "ok": false, "error": "not_in_channel" })));
}

#[test]
fn a_look_for_files_asks_where_they_are_shown() {
    let job = thread_of_files();
    let step = json!({ "Publish": { "files": [file(1), file(2), file(3)], "sent": [] } });
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!((method_of(&probe), query_of(&probe, "file")), ("files.info".into(), Some(file(1))));
    let gone = json!({ "ok": false, "error": "file_not_found" });
    assert_eq!(seen(&job, &step, gone), Sighting::Absent);
    let found = seen(&job, &step, info(&file(1), Some(&time(4))));
    let Sighting::Found(Next::Go(next)) = found else { panic!("{found:?}") };
    assert_eq!(next["Publish"]["sent"][0]["time"], time(4));
    let elsewhere = json!({ "ok": true, "file": { "id": file(1), "shares": {
        "public": { "C0000000009": [{ "ts": time(4) }] } } } });
    for odd in [elsewhere, info(&file(1), None), info(&file(2), Some(&time(4)))] {
        assert!(matches!(seen(&job, &step, odd.clone()), Sighting::Unsure(_)), "{odd}");
    }

    let below = json!({ "Publish": { "files": [file(1), file(2), file(3)], "sent": [
        { "time": time(0), "files": [file(1), file(2)], "has_buttons": false },
        { "time": "", "files": [file(3)], "has_buttons": false } ] } });
    let probe = connector().probe(&below, &job).unwrap().unwrap();
    assert_eq!(method_of(&probe), "conversations.replies");
    assert_eq!(query_of(&probe, "ts"), Some(time(0)));
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Throttled, Unauthorized, Unavailable};
    let full = Throttled { until: None, scope: PaceScope::Account };
    let table: &[(&[&str], RefusalKind)] = &[
        (&["token_expired"], Unauthorized),
        (
            &[
                "invalid_auth",
                "not_authed",
                "token_revoked",
                "account_inactive",
                "org_login_required",
                "team_access_not_granted",
                "invalid_refresh_token",
                "missing_scope",
                "no_permission",
                "ekm_access_denied",
                "app_access_restricted",
                "restricted_action",
                "restricted_action_read_only_channel",
                "restricted_action_thread_only_channel",
                "restricted_action_thread_locked",
                "restricted_action_non_threadable_channel",
                "not_in_channel",
                "posting_to_channel_denied",
                "channel_not_found",
                "is_archived",
            ],
            Revoked,
        ),
        (&["ratelimited", "rate_limited", "message_limit_exceeded"], full),
        (&["thread_not_found", "message_not_found"], Rejected),
        (
            &[
                "no_text",
                "msg_too_long",
                "invalid_blocks",
                "invalid_blocks_format",
                "msg_blocks_too_long",
                "too_many_attachments",
                "attachment_payload_limit_exceeded",
                "markdown_text_conflict",
                "invalid_metadata_format",
                "invalid_metadata_schema",
                "metadata_too_large",
                "invalid_arguments",
                "something_new",
            ],
            Rejected,
        ),
        (&["file_not_found", "file_update_failed", "missing_file_data"], Media),
        (
            &[
                "file_type_not_allowed",
                "file_uploads_disabled",
                "file_upload_size_restricted",
                "storage_limit_reached",
            ],
            Rejected,
        ),
        (&["duplicate_message_not_found", "duplicate_channel_not_found"], Duplicate),
        (
            &[
                "internal_error",
                "fatal_error",
                "service_unavailable",
                "request_timeout",
                "team_added_to_org",
            ],
            Unavailable,
        ),
    ];
    let rows = || {
        let row = |code: &&str, kind| Row {
            status: 200,
            header: None,
            body: json!({ "ok": false, "error": code }),
            kind,
        };
        let mut rows: Vec<Row> = Vec::new();
        for (codes, kind) in table {
            rows.extend(codes.iter().map(|code| row(code, *kind)));
        }
        let until = Some(NOW.after(Duration::from_secs(30)));
        rows.push(Row {
            status: 429,
            header: Some(("retry-after", "30")),
            body: json!({ "ok": false, "error": "ratelimited" }),
            kind: Throttled { until, scope: PaceScope::Account },
        });
        rows
    };
    let job = thread_of_files();
    let publish = json!({ "Publish": { "files": [file(1), file(2), file(3)], "sent": [] } });
    for step in [connector().begin(&job), publish, locate(0)] {
        check_rows(connector(), &job, &step, rows());
    }
    let upload = json!({ "Upload": { "files": [], "file": file(1), "url": "https://f.example" } });
    let text = |status, body: &str, kind| Row { status, header: None, body: json!(body), kind };
    let rows = vec![text(400, "", Media), text(410, "gone", Media), text(500, "", Unavailable)];
    check_rows(connector(), &job, &upload, rows);

    let job = by_webhook(plain("Hello"));
    let rows = vec![
        text(400, "invalid_payload", Rejected),
        text(400, "no_text", Rejected),
        text(400, "too_many_attachments", Rejected),
        text(403, "action_prohibited", Revoked),
        text(403, "invalid_token", Revoked),
        text(404, "channel_not_found", Revoked),
        text(404, "no_service", Revoked),
        text(410, "channel_is_archived", Revoked),
        text(500, "rollup_error", Unavailable),
        text(404, "<html>not here</html>", Rejected),
    ];
    check_rows(connector(), &job, &connector().begin(&job), rows);
}

#[test]
fn a_refusal_names_the_scope_that_is_missing() {
    let body = json!({ "ok": false, "error": "missing_scope", "needed": "files:write",
                       "response_metadata": { "messages": ["[ERROR] more"] } });
    let job = plain("Hello");
    let step = connector().begin(&job);
    let refused = connector().accept(&step, &job, &reply(200, body)).unwrap().unwrap_err();
    let words = "Slack says `missing_scope`: it needs the scope files:write: [ERROR] more";
    assert_eq!((refused.code.as_str(), refused.words.as_str()), ("missing_scope", words));
}

#[test]
fn what_cannot_go_together_is_found_while_planning() {
    let complained = |job: &Job, place: &str, words: &str| {
        let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
        let findings = connector().check(&draft);
        let is_it = |finding: &Finding| match finding {
            Finding::Error(problem) => problem.place == place && problem.sentence.contains(words),
            Finding::Warning(_) => false,
        };
        assert!(findings.iter().any(is_it), "{words}: {findings:?}");
    };
    let fits = |job: &Job| {
        let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
        connector().check(&draft).is_empty()
    };
    assert!(fits(&plain("Hello")) && fits(&thread_of_files()) && fits(&specialities()[1]));
    let hooked = by_webhook(thread_of_files());
    complained(&hooked, "content.parts", "no threads");
    complained(&hooked, "content.parts[0].media", "takes no files");
    let buttons = |text: &str, lines: &str| {
        let mut job = plain(text);
        job.options.insert("buttons".to_owned(), lines.to_owned());
        job
    };
    complained(&buttons("Hello", "Read"), "content.options.buttons", "no button");
    let label = format!("{} | https://a.b", "x".repeat(76));
    complained(&buttons("Hello", &label), "content.options.buttons", "no button");
    complained(&buttons(&"&".repeat(601), BUTTONS.1), "content.parts[0].text", "has 3005");
    assert!(fits(&buttons(&"&".repeat(600), BUTTONS.1)));
    let mut filed = thread_of_files();
    filed.options.insert("buttons".to_owned(), BUTTONS.1.to_owned());
    complained(&filed, "content.options.buttons", "below a message with files");
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
    let address = "https://hooks.slack.com/services/T0000000001/B0000000002/abcDEF123";
    let pasted = paste("webhook", "#news", address).unwrap();
    assert_eq!(pasted.identifier, "T0000000001/B0000000002 #news");
    assert_eq!(pasted.secret.expose(), "T0000000001/B0000000002/abcDEF123");
    for wrong in [
        "https://hooks.slack.com/services/T0000000001/B0000000002",
        "https://hooks.slack.com/workflows/T0000000001/A1/2/3",
        "https://hooks.slack.example/services/T1/B1/x",
        "https://hooks.slack.com/services/T1/../x",
        "",
    ] {
        assert_eq!(paste("webhook", "", wrong).unwrap_err().place, "password", "{wrong}");
    }
    assert!(paste("bot", CHANNEL, "xoxb-1-2-abc").is_ok());
    assert_eq!(paste("", "#news", "xoxb-1-2-abc").unwrap_err().place, "identifier");
    assert_eq!(paste("", CHANNEL, "xoxp-1-2-abc").unwrap_err().place, "password");
}

pub(crate) const ERRANDS: &[fn()] = &[
    a_bot_is_admitted_to_its_channel,
    a_webhook_is_asked_without_writing,
    channels_come_page_by_page_with_what_stands_against_them,
    messages_go_before_their_files_and_gone_is_gone,
    an_edit_finds_the_message_of_files,
];

fn site_of(login: &str) -> Site {
    Site { login: login.to_owned(), ..site(&FAKE) }
}

fn who_am_i() -> Reply {
    reply(
        200,
        json!({ "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "bot_id":
                "B0000000001", "team_id": "T0000000001", "user_id": "U1" }),
    )
}

#[test]
fn a_bot_is_admitted_to_its_channel() {
    let sign_in = |channel: Value, scopes: Option<&str>| {
        let task = Task::SignIn { identifier: CHANNEL.to_owned() };
        let ran = run_errand(connector(), &task, site_of("bot"), |request| {
            if method_of(request) == "auth.test" {
                return who_am_i();
            }
            assert_eq!(query_of(request, "channel").as_deref(), Some(CHANNEL));
            let mut answer = reply(200, channel.clone());
            let scopes = scopes.map(|it| ("x-oauth-scopes".to_owned(), it.to_owned()));
            answer.headers.extend(scopes);
            answer
        });
        ran.outcome
    };
    let channel = |is_member: bool, is_private: bool| {
        json!({ "ok": true, "channel": { "id": CHANNEL, "name": "news", "is_member": is_member,
                "is_private": is_private, "is_archived": false } })
    };
    let Ok(Outcome::Admitted(identity)) = sign_in(channel(true, true), None) else { panic!() };
    let expected = Identity {
        handle: "#news".to_owned(),
        name: "#news (Acme)".to_owned(),
        url: "https://acme.slack.com/archives/C0000000001".to_owned(),
        ..author(CHANNEL, "bot")
    };
    assert_eq!(identity, expected);
    assert!(sign_in(channel(false, false), None).is_ok());
    assert!(sign_in(channel(false, false), Some("chat:write,chat:write.public")).is_ok());
    let mut archived = channel(true, false);
    archived["channel"]["is_archived"] = json!(true);
    for (answer, words) in [
        (channel(false, false), "scope chat:write.public"),
        (channel(false, true), "is private"),
        (archived, "archived"),
        (json!({ "ok": false, "error": "channel_not_found" }), "/invite"),
    ] {
        let refused = sign_in(answer, Some("chat:write")).unwrap_err();
        assert!(refused.kind == RefusalKind::Rejected && refused.words.contains(words));
    }
    let refused = sign_in(json!({ "ok": false, "error": "missing_scope" }), None).unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Revoked);
}

#[test]
fn a_webhook_is_asked_without_writing() {
    let sign_in = |identifier: &str, answer: Reply| {
        let task = Task::SignIn { identifier: identifier.to_owned() };
        let ran = run_errand(connector(), &task, site_of("webhook"), |request| {
            assert_eq!(*json_of(request), json!({ "text": "" }));
            answer.clone()
        });
        ran.outcome
    };
    let good = || reply(400, json!("no_text"));
    let Ok(Outcome::Admitted(identity)) = sign_in("T1/B2 #news", good()) else { panic!() };
    assert_eq!((identity.remote_id.as_str(), identity.name.as_str()), ("T1/B2", "#news"));
    assert_eq!(identity.traits["login"], "webhook");
    let Ok(Outcome::Admitted(identity)) = sign_in("T1/B2", good()) else { panic!() };
    assert_eq!(identity.name, "Webhook B2");
    for (answer, kind) in [
        (reply(404, json!("no_service")), RefusalKind::Revoked),
        (reply(403, json!("invalid_token")), RefusalKind::Revoked),
        (reply(400, json!("something_new")), RefusalKind::Rejected),
    ] {
        assert_eq!(sign_in("T1/B2", answer).unwrap_err().kind, kind);
    }
}

#[test]
fn channels_come_page_by_page_with_what_stands_against_them() {
    let channel = |id: &str, is_member: bool, is_private: bool| {
        json!({ "id": id, "name": id.to_lowercase(), "is_member": is_member,
                "is_private": is_private })
    };
    let ran = run_errand(connector(), &Task::Discover, site_of("app"), |request| {
        match (method_of(request).as_str(), query_of(request, "cursor").as_deref()) {
            ("auth.test", _) => who_am_i(),
            ("conversations.list", None) => {
                assert_eq!(query_of(request, "exclude_archived").as_deref(), Some("true"));
                let channels = [channel("C1", true, false), channel("C2", false, true)];
                let more = json!({ "next_cursor": "dGVhbTpD=" });
                reply(200, json!({ "ok": true, "channels": channels, "response_metadata": more }))
            }
            ("conversations.list", Some("dGVhbTpD=")) => {
                let channels = [channel("C3", false, false)];
                let end = json!({ "next_cursor": "" });
                reply(200, json!({ "ok": true, "channels": channels, "response_metadata": end }))
            }
            other => panic!("{other:?}"),
        }
    });
    let Ok(Outcome::Discovered { targets, scopes: None }) = ran.outcome else { panic!() };
    let found: Vec<_> = ran
        .found
        .iter()
        .chain(&targets)
        .map(|target| (target.identity.remote_id.as_str(), target.obstacle.is_some()))
        .collect();
    assert_eq!(found, [("C1", false), ("C2", true), ("C3", false)]);
    assert!(targets.iter().all(|it| it.access.is_none() && it.identity.traits["login"] == "app"));
}

fn live(ids: &[&str]) -> Vec<Live> {
    let part = |id: &&str| Live { id: (*id).to_owned(), url: "https://acme.slack.com/".into() };
    ids.iter().map(part).collect()
}

#[test]
fn messages_go_before_their_files_and_gone_is_gone() {
    let task =
        Task::Remove { live: live(&["C0000000001/1.000001/buttons", "C0000000001/files/F1,F2"]) };
    let ran = run_errand(connector(), &task, site_of("bot"), |request| {
        reply(
            200,
            match method_of(request).as_str() {
                "files.info" => info("F1", Some("2.000002")),
                "chat.delete" if json_of(request)["ts"] == "1.000001" => {
                    json!({ "ok": false, "error": "message_not_found" })
                }
                _ => json!({ "ok": true }),
            },
        )
    });
    assert_eq!(ran.outcome, Ok(Outcome::Finished));
    let asked: Vec<_> = ran.sent.iter().map(method_of).collect();
    let expected = ["files.info", "chat.delete", "files.delete", "files.delete", "chat.delete"];
    assert_eq!(asked, expected);
    assert_eq!(*json_of(&ran.sent[1]), json!({ "channel": CHANNEL, "ts": "2.000002" }));
    assert_eq!(*json_of(&ran.sent[2]), json!({ "file": "F2" }));
    assert_eq!(*json_of(&ran.sent[4]), json!({ "channel": CHANNEL, "ts": "1.000001" }));
    let refused = |_: &Request| reply(200, json!({ "ok": false, "error": "cant_delete_message" }));
    let ran = run_errand(connector(), &task, site_of("bot"), refused);
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Rejected);
    assert_eq!(connector().errand(&task, &site_of("webhook")), None);
}

#[test]
fn an_edit_finds_the_message_of_files() {
    let edit = |index: usize| {
        let live = live(&["C0000000001/1.000001", "C0000000001/files/F1,F2"]);
        let task = Task::Edit { live: live.clone(), index, text: "a < b".to_owned() };
        let ran = run_errand(connector(), &task, site_of("bot"), |request| {
            match method_of(request).as_str() {
                "files.info" => reply(200, info("F1", Some("2.000002"))),
                _ => reply(200, json!({ "ok": true })),
            }
        });
        assert_eq!(ran.outcome, Ok(Outcome::Edited(live)));
        let last = ran.sent.last().unwrap();
        assert_eq!((last.method, method_of(last).as_str()), (Method::Post, "chat.update"));
        json_of(last).clone()
    };
    let body = |time: &str| json!({ "channel": CHANNEL, "ts": time, "text": "a &lt; b" });
    assert_eq!(edit(0), body("1.000001"));
    assert_eq!(edit(1), body("2.000002"));
    let buttons = live(&["C0000000001/1.000001/buttons"]);
    let task = Task::Edit { live: buttons, index: 0, text: "new".to_owned() };
    assert_eq!(connector().errand(&task, &site_of("bot")), None);
}
