//! Snapchat: a platform that wants files encrypted, names no story, and shows nobody what it has.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, ByteRange, Cipher, Draft, FilePart, Finding, Job, Method, Next,
        Outcome, Repeat, Reply, Request, Sighting, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        ids::DeliveryId,
        media::MediaKind,
        platform::{Kind, PaceScope},
        problem::Code,
        refusal::RefusalKind,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play, reply,
    run_errand, site, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "snapchat",
    site: &[
        ("api", "https://businessapi.snapchat.com"),
        ("web", "https://accounts.snapchat.com"),
        ("site", "https://www.snapchat.com"),
    ],
    author: || Identity {
        remote_id: PROFILE.to_owned(),
        handle: "ada".to_owned(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/snapchat.json"),
};

const PROFILE: &str = "4b8a2e0c-0f5e-4f3f-9d3e-0a5b1c2d3e4f";
const MEDIA: &str = "0e1b0e05-7f2f-4a52-8b4c-2a40a53b2d11";
const SPOTLIGHT: &str = "W7_EDlXWTBiXAEEniNoMPwAAY";

fn specialities() -> Vec<Job> {
    vec![
        with_options(film_job(), &[("format", "spotlight")]),
        with_options(image_job(), &[("format", "story")]),
        large_film(),
    ]
}

fn connector() -> &'static dyn AnyConnector {
    find("snapchat").unwrap()
}

fn film_job() -> Job {
    let film = media(1, MediaKind::Video, "video/mp4");
    job(connector(), &FAKE, vec![part("Look up #sky", vec![film])])
}

fn image_job() -> Job {
    job(connector(), &FAKE, vec![part("", vec![media(1, MediaKind::Image, "image/png")])])
}

/// Three parts, of which the last holds nothing but the padding.
fn large_film() -> Job {
    let mut job = film_job();
    job.parts[0].media[0].bytes = 64_000_000;
    job
}

fn with_options(mut job: Job, options: &[(&str, &str)]) -> Job {
    job.options = owned(options);
    job
}

fn owned(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn ok(mut body: Value) -> Value {
    body["request_status"] = json!("SUCCESS");
    body["request_id"] = json!("5007083c-cef7-4638-bea7-1b8a6d5b7281");
    body
}

fn refused(code: &str) -> Value {
    json!({
        "request_id": "5007083c", "request_status": "ERROR", "error_code": code,
        "debug_message": "debug", "display_message": "No",
    })
}

fn upload_path() -> String {
    format!("/us/v1/public_profiles/{PROFILE}/media/{MEDIA}/multipart-upload")
}

fn announced() -> Value {
    ok(json!({ "media_id": MEDIA, "add_path": upload_path(), "finalize_path": upload_path() }))
}

/// Processes for a moment: the first post comes too early.
fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!((request.method, request.auth), (Method::Post, Auth::Access));
    let path = path_of(request);
    let below = path.strip_prefix(&format!("/v1/public_profiles/{PROFILE}/"));
    match (below, &request.body) {
        (Some("media"), Body::Json(_)) => reply(200, announced()),
        (None, Body::Multipart { fields, files }) if path == upload_path() => {
            match fields[0].1.as_str() {
                "ADD" => {
                    memory.uploads += 1;
                    assert_eq!(fields[1].1, memory.uploads.to_string());
                    assert_eq!(files.len(), 1);
                }
                "FINALIZE" => assert!(memory.uploads > 0 && files.is_empty()),
                other => panic!("no action `{other}`"),
            }
            reply(200, ok(json!({})))
        }
        (Some("stories" | "spotlights"), Body::Json(_)) if memory.polls == 0 => {
            memory.polls += 1;
            reply(400, refused("MEDIA_PROCESSING"))
        }
        (Some("stories"), Body::Json(_)) => reply(200, ok(json!({}))),
        (Some("spotlights"), Body::Json(_)) => reply(200, ok(json!({ "spotlight_id": SPOTLIGHT }))),
        _ => panic!("no answer for {request:?}"),
    }
}

fn publish(waits: u32) -> Value {
    json!({ "Publish": { "media": MEDIA, "waits": waits } })
}

fn add() -> Value {
    let path = upload_path();
    json!({ "Add": { "upload": { "media": MEDIA, "add": path, "finalize": path }, "part": 0 } })
}

fn accept(step: &Value, job: &Job, answer: &Reply) -> Result<Next<Value>, RefusalKind> {
    connector().accept(step, job, answer).unwrap().map_err(|refusal| refusal.kind)
}

fn story() -> Vec<Live> {
    vec![Live { id: format!("media:{MEDIA}"), url: "https://www.snapchat.com/add/ada".to_owned() }]
}

fn parts_of(request: &Request) -> (&[(String, String)], &[FilePart]) {
    let Body::Multipart { fields, files } = &request.body else { panic!("no form: {request:?}") };
    (fields, files)
}

#[test]
fn a_story_is_announced_sent_in_parts_and_posted() {
    let job = image_job();
    let played = play(connector(), &FAKE, &job);
    let paths: Vec<_> = played.sent.iter().map(path_of).collect();
    let profile = |path: &str| format!("/v1/public_profiles/{PROFILE}/{path}");
    assert_eq!(
        paths,
        [profile("media"), upload_path(), upload_path(), profile("stories"), profile("stories"),]
    );
    let announcement = json_of(&played.sent[0]);
    assert_eq!(announcement["type"], "IMAGE");
    // Its name at home is nobody's business.
    let name = announcement["name"].as_str().unwrap();
    assert!(name.starts_with("med_") && name.ends_with(".png"), "{name}");
    assert_eq!(*json_of(&played.sent[3]), json!({ "media_id": MEDIA }));
    assert_eq!(played.sent[3].repeat, Repeat::Duplicates);
    assert_eq!(played.live, story());
    let film = play(connector(), &FAKE, &film_job());
    assert_eq!(json_of(&film.sent[0])["type"], "VIDEO");
}

#[test]
fn a_spotlight_has_a_description_a_locale_and_an_id() {
    let body = |job: &Job| json_of(&play(connector(), &FAKE, job).sent[3]).clone();
    let spotlight = with_options(film_job(), &[("format", "spotlight")]);
    assert_eq!(
        body(&spotlight),
        json!({ "media_id": MEDIA, "locale": "en_US", "description": "Look up #sky" })
    );
    let mut mute = with_options(film_job(), &[("format", "spotlight"), ("locale", "de_DE")]);
    mute.parts[0].text.clear();
    assert_eq!(body(&mute), json!({ "media_id": MEDIA, "locale": "de_DE" }));
    let url = format!("https://www.snapchat.com/spotlight/{SPOTLIGHT}");
    let live = vec![Live { id: SPOTLIGHT.to_owned(), url }];
    assert_eq!(play(connector(), &FAKE, &spotlight).live, live);
    // Accepted, but as what?
    let nameless = accept(&publish(0), &spotlight, &reply(200, ok(json!({}))));
    assert_eq!(nameless, Err(RefusalKind::Unreadable));
}

#[test]
fn a_file_is_encrypted_whole_and_cut_after_that() {
    let played = play(connector(), &FAKE, &large_film());
    let ciphers: Vec<&Cipher> = played.sent[1..4]
        .iter()
        .map(|request| parts_of(request).1[0].cipher.as_ref().unwrap())
        .collect();
    assert!(ciphers.iter().all(|cipher| *cipher == ciphers[0]));
    let told = |name: &str| json_of(&played.sent[0])[name].as_str().unwrap().to_owned();
    let base64 = |bytes: &[u8]| {
        use base64::prelude::{BASE64_STANDARD, Engine};
        BASE64_STANDARD.encode(bytes)
    };
    assert_eq!(told("key"), base64(&ciphers[0].key));
    assert_eq!(told("iv"), base64(&ciphers[0].iv));
    let ranges: Vec<_> = played.sent[1..4]
        .iter()
        .map(|request| {
            let (fields, files) = parts_of(request);
            assert_eq!((files[0].field.as_str(), fields[0].1.as_str()), ("file", "ADD"));
            (fields[1].1.clone(), files[0].range.unwrap())
        })
        .collect();
    let range = |part: &str, start, end| (part.to_owned(), ByteRange { start, end });
    assert_eq!(
        ranges,
        [
            range("1", 0, 32_000_000),
            range("2", 32_000_000, 64_000_000),
            range("3", 64_000_000, 64_000_016),
        ]
    );
    let (fields, files) = parts_of(&played.sent[4]);
    assert_eq!(fields, [("action".to_owned(), "FINALIZE".to_owned())]);
    assert!(files.is_empty());
}

#[test]
fn each_delivery_has_a_key_of_its_own_and_keeps_it() {
    let key = |job: &Job| {
        let request = connector().request(&json!("Announce"), job).unwrap();
        let body = json_of(&request);
        (body["key"].clone(), body["iv"].clone())
    };
    let job = film_job();
    let other = Job { delivery: DeliveryId::new(NOW, 7), ..job.clone() };
    assert_eq!(key(&job), key(&job));
    assert_ne!(key(&job).0, key(&other).0);
    assert_ne!(key(&job).1, key(&other).1);
}

#[test]
fn a_path_that_leads_elsewhere_is_not_followed() {
    let job = film_job();
    for wrong in [
        "https://evil.example/upload",
        "//evil.example/upload",
        "us/v1/upload",
        "/us/../admin",
        "/us/v1?x=https://a",
        "@evil.example/",
        "",
    ] {
        for place in ["add_path", "finalize_path"] {
            let mut body = announced();
            body[place] = json!(wrong);
            let refused = accept(&json!("Announce"), &job, &reply(200, body));
            assert_eq!(refused, Err(RefusalKind::Unreadable), "{place} {wrong}");
        }
    }
}

#[test]
fn a_file_of_more_parts_than_there_may_be_is_refused_at_once() {
    let mut job = film_job();
    job.parts[0].media[0].bytes = 35 * 32_000_000 - 1;
    assert!(accept(&json!("Announce"), &job, &reply(200, announced())).is_ok());
    job.parts[0].media[0].bytes += 1;
    let refused = accept(&json!("Announce"), &job, &reply(200, announced()));
    assert_eq!(refused, Err(RefusalKind::Rejected));
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Media, Rejected, Revoked, Unauthorized, Unavailable, Unreadable};
    let row = |status, code: &str, kind| Row { status, header: None, body: refused(code), kind };
    let rows = || {
        vec![
            row(403, "AUTHORIZATION_PERMISSION_DENIED", Revoked),
            row(200, "AUTHORIZATION_PERMISSION_DENIED", Revoked),
            row(400, "E1001", Rejected),
            row(200, "E1001", Rejected),
            row(400, "MEDIA_EXPIRED", Media),
            row(200, "MEDIA_EXPIRED", Media),
            row(404, "E1003", Rejected),
            row(401, "E1002", Unauthorized),
            row(500, "E2001", Unavailable),
            Row { status: 403, header: None, body: Value::Null, kind: Rejected },
            Row {
                status: 200,
                header: None,
                body: json!({ "sub_request_status": "ERROR", "sub_request_error_reason": "No" }),
                kind: Rejected,
            },
            Row {
                status: 200,
                header: None,
                body: json!({ "request_status": "PARTIAL" }),
                kind: Unreadable,
            },
            Row {
                status: 429,
                header: Some(("retry-after", "60")),
                body: refused("E1429"),
                kind: RefusalKind::Throttled {
                    until: Some(NOW.after(Duration::from_secs(60))),
                    scope: PaceScope::Account,
                },
            },
        ]
    };
    let job = film_job();
    for step in [json!("Announce"), publish(0)] {
        check_rows(connector(), &job, &step, rows());
    }
    let mut of_upload = rows();
    of_upload.retain(|row| row.status != 404);
    // What was announced is kept for a day.
    of_upload.push(row(404, "E1003", Media));
    check_rows(connector(), &job, &add(), of_upload);
    let words = |code: &str| {
        let answer = reply(403, refused(code));
        connector().accept(&json!("Announce"), &job, &answer).unwrap().unwrap_err().words
    };
    assert!(words("AUTHORIZATION_PERMISSION_DENIED").contains("allow-list"));
}

#[test]
fn a_file_that_is_still_processed_is_waited_for_and_not_for_ever() {
    let job = film_job();
    for status in [400, 200] {
        let early = reply(status, refused("MEDIA_PROCESSING"));
        let (mut waits, mut waited) = (0, Duration::ZERO);
        let end = loop {
            match accept(&publish(waits), &job, &early) {
                Ok(Next::Wait(wait, step)) => {
                    assert!((5..=60).contains(&wait.as_secs()));
                    waits += 1;
                    waited += wait;
                    assert_eq!(step, publish(waits));
                }
                end => break end,
            }
        };
        assert_eq!(end, Err(RefusalKind::Media));
        assert!((540..=660).contains(&waited.as_secs()), "{waited:?}");
    }
}

#[test]
fn what_is_being_posted_already_was_accepted() {
    let already = reply(400, refused("MEDIA_POSTING_ALREADY_IN_PROGRESS"));
    assert_eq!(accept(&publish(3), &film_job(), &already), Ok(Next::Done(story())));
    // Its id nobody tells any more.
    let spotlight = with_options(film_job(), &[("format", "spotlight")]);
    assert_eq!(accept(&publish(0), &spotlight, &already), Ok(Next::Done(story())));
}

#[test]
fn a_lost_post_is_a_persons_to_look_for() {
    let job = film_job();
    assert!(connector().probe(&publish(0), &job).unwrap().is_none());
    let seen = connector().recognise(&publish(0), &job, &reply(200, ok(json!({})))).unwrap();
    assert!(matches!(seen, Sighting::Unsure(_)));
}

#[test]
fn an_account_is_known_by_its_public_profile() {
    let profile = |tier: &str| {
        ok(json!({ "public_profile": {
            "id": PROFILE, "organization_id": "o", "display_name": "Ada L.",
            "snap_user_name": "ada", "profile_tier": tier,
            "logo_urls": { "original_logo_url": "https://cdn.example/a.jpg" },
        } }))
    };
    let identify =
        |answer: Reply| run_errand(connector(), &Task::Identify, site(&FAKE), |_| answer.clone());
    let ran = identify(reply(200, profile("TIER_PUBLIC")));
    assert_eq!(path_of(&ran.sent[0]), "/v1/public_profiles/my_profile");
    let Ok(Outcome::Identified(identity)) = ran.outcome else { panic!("nobody") };
    assert_eq!((identity.remote_id.as_str(), identity.handle.as_str()), (PROFILE, "ada"));
    assert_eq!(
        (identity.name.as_str(), identity.url.as_str()),
        ("Ada L.", "https://www.snapchat.com/add/ada",)
    );
    assert_eq!(identity.picture, "https://cdn.example/a.jpg");
    for answer in [reply(200, profile("TIER_STANDARD")), reply(404, refused("E1003"))] {
        let refusal = identify(answer).outcome.unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Rejected);
        assert!(refusal.words.contains("no public profile"), "{}", refusal.words);
    }
    let denied = identify(reply(403, refused("AUTHORIZATION_PERMISSION_DENIED")));
    assert_eq!(denied.outcome.unwrap_err().kind, RefusalKind::Revoked);
    let odd = identify(reply(200, ok(json!({ "public_profile": {} }))));
    assert_eq!(odd.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn posts_can_be_neither_taken_down_nor_changed() {
    let site = site(&FAKE);
    let edit = Task::Edit { live: story(), index: 0, text: "new".to_owned() };
    for task in [Task::Remove { live: story() }, edit, Task::Revoke] {
        assert_eq!(connector().errand(&task, &site), None);
    }
}

#[test]
fn what_snapchat_would_refuse_is_said_while_planning() {
    let author = Identity::default();
    let said = |job: &Job| {
        let draft = Draft { parts: &job.parts, options: &job.options, author: &author };
        let found = connector().check(&draft).into_iter().map(|finding| match finding {
            Finding::Error(problem) => (problem.code, problem.place, true),
            Finding::Warning(problem) => (problem.code, problem.place, false),
        });
        found.collect::<Vec<_>>()
    };
    let mut job = with_options(film_job(), &[("format", "spotlight"), ("locale", "pt_BR")]);
    job.parts[0].media[0].alt.clear();
    job.parts[0].media[0].size = Some((540, 960));
    assert_eq!(said(&job), []);
    job.parts[0].media[0].size = Some((539, 960));
    assert_eq!(said(&job), [(Code::MediaShape, "content.parts[0].media[0]".to_owned(), true)]);
    job.parts[0].media[0].size = None;
    job.parts[0].media[0].alt = "The sky".to_owned();
    let alt = "content.parts[0].media[0].alt".to_owned();
    assert_eq!(said(&job), [(Code::Invalid, alt.clone(), false)]);
    job.options.remove("format");
    let locale = "content.options.locale".to_owned();
    assert_eq!(said(&job), [(Code::Invalid, locale, false), (Code::Invalid, alt, false)]);
    for (locale, is_one) in
        [("de_DE", true), ("de", false), ("de-DE", false), ("DE_de", false), ("d1_DE", false)]
    {
        assert_eq!(takes(connector(), "locale", locale), is_one, "{locale}");
    }
}

#[test]
fn a_story_has_no_text_and_a_spotlight_no_image() {
    let profile = connector().profile();
    for name in ["", "story"] {
        let (limits, kinds) = profile.format(name).unwrap();
        assert_eq!(limits.text.max, 0);
        assert!(kinds.contains(&Kind::Image) && kinds.contains(&Kind::Video));
    }
    let (limits, kinds) = profile.format("spotlight").unwrap();
    assert_eq!((limits.text.max, limits.images_max), (160, 0));
    assert_eq!(kinds, [Kind::Video]);
}
