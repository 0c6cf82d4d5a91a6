//! Pinterest: boards that are found by name, films that go up elsewhere, pins that are looked for.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, Draft, Finding, Job, JobMedia, Method, Next, Outcome, Repeat,
        Reply, Request, Sighting, Task, find,
    },
    domain::{
        account::Identity, delivery::Live, media::MediaKind, platform::PaceScope,
        refusal::RefusalKind,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand, site,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "pinterest",
    site: &[("api", "https://api.pinterest.com"), ("web", "https://www.pinterest.com")],
    author: Identity::default,
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/pinterest.json"),
};

const BOARD: &str = "549755885175";
const SECTION: &str = "5627854392845";

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let path = path_of(request);
    if path == "/uploads" {
        assert_eq!(request.auth, Auth::None, "the storage gets no token of ours");
        memory.uploads += 1;
        return reply(204, Value::Null);
    }
    assert_eq!(request.auth, Auth::Access);
    match (request.method, path.as_str()) {
        (Method::Get, "/v5/boards") => match query_of(request, "bookmark").as_deref() {
            None => reply(200, page(&[("1", "Boats")], json!("a b+c="))),
            Some("a b+c=") => reply(200, page(&[(BOARD, "Cats & dogs")], Value::Null)),
            Some(other) => panic!("{other}"),
        },
        (Method::Get, "/v5/boards/549755885175/sections") => {
            reply(200, page(&[(SECTION, "Old ones")], Value::Null))
        }
        (Method::Post, "/v5/media") => reply(
            201,
            json!({
                "media_id": "12345", "media_type": "video",
                "upload_url": "https://uploads.example/uploads",
                "upload_parameters": { "key": "uploads/1", "policy": "ZXg=" },
            }),
        ),
        (Method::Get, "/v5/media/12345") => {
            memory.polls += 1;
            let status = ["registered", "processing", "succeeded"][memory.polls as usize - 1];
            reply(200, json!({ "media_id": "12345", "status": status }))
        }
        (Method::Post, "/v5/pins") => {
            let pin = shown(body_of(request), &format!("80{}", memory.posts.len()));
            memory.posts.insert(0, pin.clone());
            reply(201, pin)
        }
        (Method::Get, path) if path.ends_with("/pins") => {
            assert!(path.starts_with("/v5/boards/549755885175/"));
            reply(200, json!({ "items": memory.posts, "bookmark": null }))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn page(boards: &[(&str, &str)], bookmark: Value) -> Value {
    let items: Vec<Value> =
        boards.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    json!({ "items": items, "bookmark": bookmark })
}

fn body_of(request: &Request) -> &Value {
    match &request.body {
        Body::JsonWithFiles { value, .. } => value,
        _ => json_of(request),
    }
}

fn shown(asked: &Value, id: &str) -> Value {
    let is_film = asked["media_source"]["source_type"] == "video_id";
    json!({
        "id": id,
        // As the API writes it: without a zone.
        "created_at": NOW.rfc3339().split('.').next(),
        "title": asked["title"], "description": asked["description"], "link": asked["link"],
        "board_id": asked["board_id"],
        "media": { "media_type": if is_film { "video" } else { "image" } },
    })
}

fn connector() -> &'static dyn AnyConnector {
    find("pinterest").unwrap()
}

fn image(number: u128) -> JobMedia {
    media(number, MediaKind::Image, "image/png")
}

fn with(options: &[(&str, &str)], media: Vec<JobMedia>) -> Job {
    let mut job = job(connector(), &FAKE, vec![part("All of them", media)]);
    for (name, value) in options {
        job.options.insert((*name).to_owned(), (*value).to_owned());
    }
    job
}

fn specialities() -> Vec<Job> {
    let film = media(1, MediaKind::Video, "video/mp4");
    vec![
        with(&[("board_section", "Old ones"), ("title", "Cats")], vec![image(1)]),
        with(&[("board", BOARD), ("link", "https://example.com/cats")], vec![image(1), image(2)]),
        with(&[("board", BOARD), ("board_section", SECTION), ("thumb_offset", "2999")], vec![film]),
    ]
}

fn publish(film: &str) -> Value {
    json!({ "Publish": { "place": { "board": BOARD, "section": "" }, "film": film } })
}

#[test]
fn a_board_is_found_by_its_exact_name_page_by_page() {
    let job = with(&[("board_section", "Old ones")], vec![image(1)]);
    let sent = play(connector(), &FAKE, &job).sent;
    let urls: Vec<_> = sent.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "https://api.pinterest.com/v5/boards?page_size=250",
            "https://api.pinterest.com/v5/boards?page_size=250&bookmark=a+b%2Bc%3D",
            "https://api.pinterest.com/v5/boards/549755885175/sections?page_size=250",
            "https://api.pinterest.com/v5/pins",
        ]
    );
    assert_eq!(body_of(&sent[3])["board_id"], BOARD);
    assert_eq!(body_of(&sent[3])["board_section_id"], SECTION);
    let by_id = with(&[("board", BOARD)], vec![image(1)]);
    assert_eq!(play(connector(), &FAKE, &by_id).sent.len(), 1);
}

#[test]
fn a_board_that_is_not_there_ends_it_and_an_endless_list_does_too() {
    let job = with(&[("board", "2026")], vec![image(1)]);
    let look = |pages: u32, bookmark: Value| {
        let step = json!({ "Board": { "bookmark": "", "pages": pages } });
        let answer = reply(200, page(&[("1", "cats & dogs")], bookmark));
        connector().accept(&step, &job, &answer).unwrap()
    };
    let refusal = look(0, Value::Null).unwrap_err();
    assert_eq!((refusal.kind, refusal.code.as_str()), (RefusalKind::Rejected, "no_board"));
    assert!(refusal.words.contains("2026"));
    assert!(matches!(look(0, json!("more")), Ok(Next::Go(_))));
    assert_eq!(look(20, json!("more")).unwrap_err().kind, RefusalKind::Rejected);
    let odd = connector().accept(&connector().begin(&job), &job, &reply(200, json!({}))).unwrap();
    assert_eq!(odd.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn images_go_as_they_are_each_in_its_place() {
    let options = [("board", BOARD), ("title", "Cats"), ("link", "https://example.com/cats")];
    let one = play(connector(), &FAKE, &with(&options, vec![image(1)])).sent;
    let Body::JsonWithFiles { value, files } = &one[0].body else { panic!("{:?}", one[0]) };
    assert_eq!(
        value,
        &json!({
            "board_id": BOARD, "title": "Cats", "description": "All of them",
            "link": "https://example.com/cats", "alt_text": "What picture 1 shows",
            "media_source": {
                "source_type": "image_base64", "content_type": "image/png", "data": "",
            },
        })
    );
    assert_eq!(files, &[("/media_source/data".to_owned(), image(1).id)]);
    assert!(matches!(one[0].repeat, Repeat::Probed { .. }));

    let two = play(connector(), &FAKE, &with(&options, vec![image(2), image(3)])).sent;
    let Body::JsonWithFiles { value, files } = &two[0].body else { panic!("{:?}", two[0]) };
    let item = json!({
        "content_type": "image/png", "data": "", "link": "https://example.com/cats",
    });
    assert_eq!(
        value["media_source"],
        json!({ "source_type": "multiple_image_base64", "items": [item, item], "index": 0 })
    );
    assert_eq!(value["alt_text"], "What picture 3 shows", "the first that there is");
    let places: Vec<_> = files.iter().map(|(place, media)| (place.as_str(), *media)).collect();
    assert_eq!(
        places,
        [("/media_source/items/0/data", image(2).id), ("/media_source/items/1/data", image(3).id),]
    );
}

#[test]
fn a_film_goes_up_to_the_storage_and_is_waited_for() {
    let film = media(1, MediaKind::Video, "video/mp4");
    let job = with(&[("board", BOARD), ("thumb_offset", "2999")], vec![film]);
    let played = play(connector(), &FAKE, &job);
    assert_eq!(json_of(&played.sent[0]), &json!({ "media_type": "video" }));
    let Body::Multipart { fields, files } = &played.sent[1].body else { panic!("no form") };
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(fields, &[field("key", "uploads/1"), field("policy", "ZXg=")]);
    assert_eq!((files.len(), files[0].field.as_str()), (1, "file"));
    let pin = json_of(played.sent.last().unwrap());
    assert_eq!(
        pin["media_source"],
        json!({
            "source_type": "video_id", "media_id": "12345", "cover_image_key_frame_time": 2,
        })
    );
    let harmless = |request: &&Request| request.repeat == Repeat::Harmless;
    assert_eq!(played.sent.iter().filter(harmless).count(), played.sent.len() - 1);
    assert_eq!(played.live[0].url, "https://www.pinterest.com/pin/800/");
}

#[test]
fn a_film_that_is_not_finished_is_given_up() {
    let job = with(&[("board", BOARD)], vec![media(1, MediaKind::Video, "video/mp4")]);
    let place = json!({ "board": BOARD, "section": "" });
    let look = |polls: u32, status: &str| {
        let step = json!({ "Process": { "place": place, "film": "1", "polls": polls } });
        connector().accept(&step, &job, &reply(200, json!({ "status": status }))).unwrap()
    };
    let mut waits = Vec::new();
    for polls in 0..7 {
        let Ok(Next::Wait(wait, _)) = look(polls, "processing") else { panic!("no wait") };
        waits.push(wait.as_secs());
    }
    assert_eq!(waits, [10, 15, 20, 25, 30, 30, 30]);
    assert_eq!(look(64, "processing").unwrap_err().kind, RefusalKind::Media);
    assert_eq!(look(0, "failed").unwrap_err().kind, RefusalKind::Media);
}

fn recognise(job: &Job, body: Value) -> Sighting<Value> {
    connector().recognise(&publish(""), job, &reply(200, body)).unwrap()
}

#[test]
fn a_pin_is_looked_for_on_its_board() {
    let options = [("board", BOARD), ("title", "Cats"), ("link", "https://example.com")];
    let job = with(&options, vec![image(1)]);
    let mut seen = shown(
        &json!({ "title": "Cats", "description": "All  of them ", "link": "https://example.com/" }),
        "7",
    );
    let probe = connector().probe(&publish(""), &job).unwrap().unwrap();
    assert_eq!(path_of(&probe), "/v5/boards/549755885175/pins");
    let found = recognise(&job, json!({ "items": [seen], "bookmark": "more" }));
    let live = Live { id: "7".to_owned(), url: "https://www.pinterest.com/pin/7/".to_owned() };
    assert_eq!(found, Sighting::Found(Next::Done(vec![live])));

    // The same of yesterday is another.
    let mut old = seen.clone();
    old["created_at"] = json!("2026-11-20T09:00:00");
    let board = |pins: &[&Value], bookmark: Value| json!({ "items": pins, "bookmark": bookmark });
    assert_eq!(recognise(&job, board(&[&old], Value::Null)), Sighting::Absent);
    assert_eq!(recognise(&job, board(&[], Value::Null)), Sighting::Absent);
    // In order, and back beyond the first attempt.
    let mut other = seen.clone();
    for name in ["title", "description", "link"] {
        other[name] = json!("something else");
    }
    assert_eq!(recognise(&job, board(&[&other, &old], json!("more"))), Sighting::Absent);
    // A board that was sorted by hand, or a list that ends too early.
    for pins in [&[&old, &other][..], &[&other], &[]] {
        let unsure = recognise(&job, board(pins, json!("more")));
        assert!(matches!(unsure, Sighting::Unsure(_)), "{unsure:?}");
    }
    // Somebody's film of the same words is no image of ours.
    let mut film = seen.clone();
    film["media"]["media_type"] = json!("video");
    assert_eq!(recognise(&job, board(&[&film], Value::Null)), Sighting::Absent);
    // Another title, and still alike.
    seen["title"] = json!("Dogs");
    let alike = recognise(&job, board(&[&seen], Value::Null));
    assert!(matches!(alike, Sighting::Unsure(why) if why.contains("/pin/7/")));
    other["created_at"] = json!("yesterday");
    let unreadable = recognise(&job, board(&[&other], Value::Null));
    assert!(matches!(unreadable, Sighting::Unsure(_)));
}

#[test]
fn a_section_has_pins_of_its_own() {
    let job = with(&[("board", BOARD), ("board_section", SECTION)], vec![image(1)]);
    let step = connector().begin(&job);
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(path_of(&probe), "/v5/boards/549755885175/sections/5627854392845/pins");
}

#[test]
fn refusals_are_read_as_documented() {
    use RefusalKind::{Duplicate, Media, Rejected, Revoked, Throttled, Unauthorized, Unavailable};
    let row = |status, code: i64, words: &str, kind| Row {
        status,
        header: None,
        body: json!({ "code": code, "message": words }),
        kind,
    };
    let scope = PaceScope::Account;
    let until = Some(NOW.after(Duration::from_secs(40)));
    let everywhere = || {
        vec![
            row(401, 2, "Authentication failed.", Unauthorized),
            row(401, 3, "Missing: ['pins:write']", Revoked),
            row(403, 3, "Your application consumer type is not supported", Revoked),
            row(403, 29, "You are not permitted to access that resource.", Revoked),
            row(404, 40, "Board not found.", Rejected),
            row(429, 8, "You have exceeded your rate limit.", Throttled { until: None, scope }),
            Row {
                status: 429,
                header: Some(("x-ratelimit-reset", "40")),
                body: json!({ "code": 8, "message": "You have exceeded your rate limit." }),
                kind: Throttled { until, scope },
            },
            row(429, 9, "You have been blocked for spam.", Rejected),
            row(403, 9, "Blocked for spam", Rejected),
            row(409, 58, "Conflict", Duplicate),
            row(500, 12, "Something went wrong on our end.", Unavailable),
            row(503, 12, "Unexpected", Unavailable),
        ]
    };
    let job = with(&[("board", BOARD)], vec![image(1)]);
    check_rows(connector(), &job, &publish(""), everywhere());
    check_rows(
        connector(),
        &job,
        &json!({ "Board": { "bookmark": "", "pages": 0 } }),
        everywhere(),
    );
    check_rows(
        connector(),
        &job,
        &publish(""),
        vec![
            row(400, 1, "Invalid request: 'x' is too long", Rejected),
            row(404, 50, "Pin not found.", Rejected),
            row(400, 1, "Unable to reach the URL. Please check the URL is correct.", Media),
            row(400, 235, "The media is not ready", Media),
            row(400, 236, "Sorry, this image is broken", Media),
        ],
    );
    let film = with(&[("board", BOARD)], vec![media(1, MediaKind::Video, "video/mp4")]);
    let place = json!({ "board": BOARD, "section": "" });
    let upload = json!({ "Upload": { "place": place, "upload": {
        "film": "1", "address": "https://uploads.example/uploads", "parameters": [],
    } } });
    let storage = |status, kind| Row { status, header: None, body: Value::Null, kind };
    let rows = vec![storage(400, Media), storage(403, Media), storage(503, Unavailable)];
    check_rows(connector(), &film, &upload, rows);
    let process = json!({ "Process": { "place": place, "film": "1", "polls": 0 } });
    check_rows(connector(), &film, &process, vec![row(404, 50, "Media not found", Media)]);
}

fn found(options: &[(&str, &str)], media: Vec<JobMedia>, boards: &[(&str, &str)]) -> Vec<String> {
    let options: BTreeMap<String, String> =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let traits = boards.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let author = Identity { traits: traits.collect(), ..Identity::default() };
    let parts = [part("Hi", media)];
    let draft = Draft { parts: &parts, options: &options, author: &author };
    let show = |finding| match finding {
        Finding::Error(problem) => format!("error at {}: {}", problem.place, problem.remedy),
        Finding::Warning(problem) => format!("warning at {}: {}", problem.place, problem.remedy),
    };
    connector().check(&draft).into_iter().map(show).collect()
}

#[test]
fn boards_and_carousels_are_checked_while_planning() {
    let known = [("boards", "Boats\nCats"), ("boards_cut", "false")];
    assert_eq!(found(&[("board", "Cats")], vec![image(1)], &known), [""; 0]);
    assert_eq!(found(&[("board", BOARD)], vec![image(1)], &known), [""; 0]);
    let missing = found(&[], vec![image(1)], &known);
    assert!(missing[0].starts_with("error at content.options.board"), "{missing:?}");
    assert!(missing[0].contains("Boats, Cats"), "{missing:?}");
    let new = found(&[("board", "cats")], vec![image(1)], &known);
    assert!(new[0].starts_with("warning at content.options.board"), "{new:?}");
    let cut = [("boards", "Boats"), ("boards_cut", "true")];
    assert_eq!(found(&[("board", "cats")], vec![image(1)], &cut), [""; 0]);
    assert_eq!(found(&[("board", "cats")], vec![image(1)], &[]), [""; 0]);

    let link = format!("https://example.com/{}", "x".repeat(2_029));
    let long = found(&[("board", "Cats"), ("link", &link)], vec![image(1)], &known);
    assert!(long[0].starts_with("error at content.options.link"), "{long:?}");
    for (link, is_short) in [
        ("https://bit.ly/3abc", true),
        ("http://www.T.co/x", true),
        ("https://notbit.ly/x", false),
        ("https://example.com/bit.ly", false),
    ] {
        let told = found(&[("board", "Cats"), ("link", link)], vec![image(1)], &known);
        assert_eq!(told.iter().any(|told| told.contains("own address")), is_short, "{link}");
    }
    let film = media(1, MediaKind::Video, "video/mp4");
    let late =
        |offset| found(&[("board", "Cats"), ("thumb_offset", offset)], vec![film.clone()], &[]);
    assert_eq!(late("19999"), [""; 0]);
    assert!(late("20000")[0].starts_with("error at content.options.thumb_offset"));

    let pair = |change: fn(&mut JobMedia)| {
        let mut second = image(2);
        change(&mut second);
        found(&[("board", "Cats")], vec![image(1), second], &known)
    };
    assert_eq!(pair(|_| ()), [""; 0]);
    assert!(pair(|media| media.size = Some((640, 481)))[0].starts_with("error at content.parts"));
    assert!(pair(|media| media.bytes = 33_554_432)[0].contains("smaller"));
    assert!(pair(|media| media.alt = "too".to_owned())[0].starts_with("warning at"));
}

/// The tests that run errands.
pub(crate) const ERRANDS: &[fn()] =
    &[an_account_is_known_with_its_boards, pins_are_taken_down_and_gone_is_gone];

#[test]
fn an_account_is_known_with_its_boards() {
    let person = json!({
        "id": "42", "username": "ada", "business_name": "Ada's", "profile_image": "https://i/a",
    });
    let run = |person: Value, pages: u32| {
        let mut number = 0;
        run_errand(connector(), &Task::Identify, site(&FAKE), |request| {
            if path_of(request) == "/v5/user_account" {
                return reply(200, person.clone());
            }
            number += 1;
            let names: Vec<String> = (0..200).map(|index| format!("{number}/{index}")).collect();
            let boards: Vec<_> = names.iter().map(|name| ("1", name.as_str())).collect();
            let more = if number < pages { json!("more") } else { Value::Null };
            reply(200, page(&boards, more))
        })
    };
    let ran = run(person, 2);
    assert_eq!(query_of(&ran.sent[2], "bookmark").as_deref(), Some("more"));
    let Outcome::Identified(who) = ran.outcome.unwrap() else { panic!("nobody") };
    assert_eq!((who.remote_id.as_str(), who.name.as_str()), ("42", "Ada's"));
    assert_eq!(who.url, "https://www.pinterest.com/ada/");
    assert_eq!(who.traits["boards"].lines().count(), 400);
    assert_eq!(who.traits["boards_cut"], "false");

    let ran = run(json!({ "username": "ada" }), 9);
    assert_eq!(ran.sent.len(), 4, "as far as is reasonable");
    let Outcome::Identified(who) = ran.outcome.unwrap() else { panic!("nobody") };
    assert_eq!((who.remote_id.as_str(), who.name.as_str()), ("ada", "ada"));
    assert_eq!(who.traits["boards"].lines().count(), 500);
    assert_eq!(who.traits["boards_cut"], "true");
    let odd = run_errand(connector(), &Task::Identify, site(&FAKE), |_| reply(200, json!({})));
    assert_eq!(odd.outcome.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn pins_are_taken_down_and_gone_is_gone() {
    let live = Live { id: "7".to_owned(), url: String::new() };
    let task = Task::Remove { live: vec![live] };
    for status in [204, 404] {
        let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(status, Value::Null));
        assert_eq!(ran.outcome, Ok(Outcome::Finished));
        assert_eq!(
            (path_of(&ran.sent[0]).as_str(), ran.sent[0].method),
            ("/v5/pins/7", Method::Delete,)
        );
    }
    let ran = run_errand(connector(), &task, site(&FAKE), |_| reply(500, Value::Null));
    assert_eq!(ran.outcome.unwrap_err().kind, RefusalKind::Unavailable);
    let edit = Task::Edit { live: Vec::new(), index: 0, text: "new".to_owned() };
    assert_eq!(connector().errand(&edit, &site(&FAKE)), None);
    assert_eq!(connector().errand(&Task::Revoke, &site(&FAKE)), None);
}
