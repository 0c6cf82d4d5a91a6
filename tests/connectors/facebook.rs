//! Facebook: a platform that holds photos back until a post names them, takes films in pieces or at
//! an address of its own, and goes on processing them after it has said yes.

pub(crate) mod errands;
mod looks;
mod refusals;

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, ByteRange, Draft, Finding, Job, JobMedia, JobPart, Method, Next,
        Repeat, Reply, Request, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Prepares, job, json_of, media, part, path_of, play, reply, takes,
};

const PAGE: &str = "1234567890";

pub(crate) const FAKE: Fake = Fake {
    platform: "facebook",
    site: &[
        ("graph", "https://graph.facebook.com"),
        ("video", "https://graph-video.facebook.com"),
        ("web", "https://www.facebook.com"),
    ],
    author: || Identity {
        remote_id: PAGE.to_owned(),
        name: "Bakery".to_owned(),
        ..Identity::default()
    },
    answer,
    // A film has to be published before it can be commented on.
    prepares: Prepares::BelowLiveParts,
    specialities,
    golden: include_str!("golden/facebook.json"),
};

fn specialities() -> Vec<Job> {
    let comment = || part("And a comment", Vec::new());
    vec![
        with(&[("link", "https://example.com/card")], vec![part("Read this", Vec::new())]),
        with(&[("title", "A title")], vec![part("A film", vec![film()]), comment()]),
        with(&[("format", "reel")], vec![part("A reel", vec![film()])]),
        with(&[("format", "reel")], vec![part("A reel", vec![film()]), comment()]),
        with(&[("format", "story")], vec![part("", vec![film()])]),
        with(&[("format", "story")], vec![part("", vec![photo(1)])]),
    ]
}

fn connector() -> &'static dyn AnyConnector {
    find("facebook").unwrap()
}

fn photo(number: u128) -> JobMedia {
    media(number, MediaKind::Image, "image/jpeg")
}

fn film() -> JobMedia {
    JobMedia { alt: String::new(), ..media(9, MediaKind::Video, "video/mp4") }
}

fn with(options: &[(&str, &str)], parts: Vec<JobPart>) -> Job {
    let mut job = job(connector(), &FAKE, parts);
    let option = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    job.options = options.iter().map(option).collect();
    job.site.version = "v26.0".to_owned();
    job
}

/// What the fake does is told apart by the path without the version, which may be empty.
fn segments(request: &Request) -> Vec<String> {
    let path = path_of(request);
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != "v26.0");
    parts.map(str::to_owned).collect()
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let segments = segments(request);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let expected =
        if segments[0] == "video-upload" { Auth::AccessAs("OAuth") } else { Auth::Access };
    assert_eq!(request.auth, expected);
    match (request.method, segments.as_slice()) {
        (Method::Post, [PAGE, "photos"]) => {
            memory.uploads += 1;
            reply(200, json!({ "id": format!("5000{}", memory.uploads) }))
        }
        (Method::Post, [PAGE, "feed"]) => {
            let post = listed("1234567890_9001", json_of(request));
            memory.posts.push(post.clone());
            reply(200, json!({ "id": post["id"], "permalink_url": post["permalink_url"] }))
        }
        (Method::Post, [PAGE, "videos" | "video_reels" | "video_stories"]) => {
            upload(memory, request, segments[1])
        }
        (Method::Post, ["video-upload", "70001"]) => {
            memory.polls = 0;
            reply(200, json!({ "success": true }))
        }
        (Method::Post, [PAGE, "photo_stories"]) => {
            tell_story(memory, &json_of(request)["photo_id"])
        }
        (Method::Post, [below, "comments"]) => {
            assert_eq!(*below, "1234567890_9001");
            memory.posts.push(json!({
                "id": "9001_7", "message": json_of(request)["message"], "from": { "id": PAGE },
                "created_time": at(0), "comment": true,
                "permalink_url": "https://www.facebook.com/1234567890/posts/9001?comment_id=7",
            }));
            match request.url.contains("fields=") {
                true => {
                    let error = json!({ "code": 20, "error_subcode": 1_772_107 });
                    reply(400, json!({ "error": error }))
                }
                false => reply(200, json!({ "id": "9001_7" })),
            }
        }
        (Method::Get, [PAGE, "published_posts"]) => list(memory, "created_time"),
        (Method::Get, [PAGE, "stories"]) => list(memory, "media_id"),
        (Method::Get, [_, "comments"]) => list(memory, "comment"),
        (Method::Get, ["70001"]) => status_of_film(memory),
        _ => panic!("no answer for {request:?}"),
    }
}

/// Those that have such a field.
fn list(memory: &Memory, field: &str) -> Reply {
    let found = memory.posts.iter().filter(|post| !post[field].is_null());
    reply(200, json!({ "data": found.collect::<Vec<_>>(), "paging": { "cursors": {} } }))
}

fn tell_story(memory: &mut Memory, media: &Value) -> Reply {
    let url = "https://www.facebook.com/stories/1234567890/UzpfSVNDOjkwMDE=";
    memory.posts.push(json!({
        "post_id": "9001", "media_id": media, "status": "PUBLISHED", "media_type": "photo",
        "creation_time": "1795251600", "url": url,
    }));
    reply(200, json!({ "success": true, "post_id": "9001" }))
}

fn upload(memory: &mut Memory, request: &Request, edge: &str) -> Reply {
    let phase = match &request.body {
        Body::Multipart { fields, files } => {
            let file = &files[0];
            let range = file.range.unwrap();
            assert_eq!(fields[2], ("start_offset".to_owned(), range.start.to_string()));
            memory.polls = 10;
            let next = json!({ "start_offset": range.end.to_string(), "end_offset": "20000" });
            return reply(200, next);
        }
        _ => json_of(request)["upload_phase"].as_str().unwrap(),
    };
    match (phase, edge) {
        ("start", "videos") => reply(
            200,
            json!({
                "upload_session_id": "60001", "video_id": "70001",
                "start_offset": "0", "end_offset": "12000",
            }),
        ),
        ("start", _) => {
            let url = "https://rupload.facebook.com/video-upload/v26.0/70001";
            reply(200, json!({ "video_id": "70001", "upload_url": url }))
        }
        ("finish", "video_stories") => tell_story(memory, &json_of(request)["video_id"]),
        ("finish", _) => {
            memory.posts.push(json!({ "film": true }));
            memory.polls = 0;
            reply(200, json!({ "success": true }))
        }
        other => panic!("{other:?}"),
    }
}

/// Before it is finished a draft, first processed, then there; after it the same once more.
fn status_of_film(memory: &mut Memory) -> Reply {
    memory.polls += 1;
    let is_finished = memory.posts.iter().any(|post| post["film"] == true);
    let (whole, publishing) = match (is_finished, memory.polls) {
        (false, 1) => ("processing", json!({ "status": "not_started", "publish_status": "draft" })),
        (false, _) => {
            ("upload_complete", json!({ "status": "not_started", "publish_status": "draft" }))
        }
        (true, 1) => ("processing", json!({ "status": "in_progress" })),
        (true, _) => ("ready", json!({ "status": "complete", "publish_status": "published" })),
    };
    let mut body = json!({
        "id": "70001",
        "status": {
            "video_status": whole, "uploading_phase": { "status": "complete" },
            "publishing_phase": publishing,
        },
    });
    if whole == "ready" {
        body["permalink_url"] = json!("/reel/70001/");
        body["post_id"] = json!("9001");
    }
    reply(200, body)
}

/// Seconds after now, as Facebook writes it.
fn at(seconds: i64) -> String {
    let at = Timestamp(NOW.0.checked_add_signed(seconds * 1_000).unwrap());
    at.rfc3339().replace(".000Z", "+0000")
}

/// As a list shows what `asked` created.
fn listed(id: &str, asked: &Value) -> Value {
    let mut post = json!({
        "id": id, "created_time": at(0),
        "permalink_url": format!("https://www.facebook.com/1234567890/posts/{id}"),
    });
    if asked["message"].is_string() {
        post["message"] = asked["message"].clone();
    }
    if asked["link"].is_string() {
        post["attachments"] =
            json!({ "data": [{ "media_type": "link", "target": { "url": "" } }] });
    }
    let photos: Vec<Value> = asked["attached_media"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|photo| json!({ "media_type": "photo", "target": { "id": photo["media_fbid"] } }))
        .collect();
    match photos.len() {
        0 => {}
        1 => post["attachments"] = json!({ "data": photos }),
        _ => {
            let album = json!({ "media_type": "album", "subattachments": { "data": photos } });
            post["attachments"] = json!({ "data": [album] });
        }
    }
    post
}

fn sent(job: &Job) -> Vec<Request> {
    play(connector(), &FAKE, job).sent
}

fn lines(requests: &[Request]) -> Vec<String> {
    let line = |request: &Request| format!("{:?} {}", request.method, request.url);
    requests.iter().map(line).collect()
}

#[test]
fn text_and_link_are_one_request() {
    let url = "https://graph.facebook.com/v26.0/1234567890/feed?fields=id,permalink_url";
    let link = [("link", "https://example.com/card")];
    for (options, text, body) in [
        (&[][..], "Hello", json!({ "message": "Hello" })),
        (
            &[],
            "See https://a.example/b?c=d, or http://e.example",
            json!({
                "message": "See https://a.example/b?c=d, or http://e.example",
                "link": "https://a.example/b?c=d",
            }),
        ),
        (
            &link,
            "See https://a.example",
            json!({ "message": "See https://a.example", "link": "https://example.com/card" }),
        ),
    ] {
        let requests = sent(&with(options, vec![part(text, Vec::new())]));
        assert_eq!(lines(&requests), [format!("Post {url}")]);
        assert_eq!(json_of(&requests[0]), &body);
        let settle = Duration::from_secs(60);
        assert_eq!(requests[0].repeat, Repeat::Probed { settle });
    }
}

#[test]
fn photos_are_held_back_until_one_post_names_them_all() {
    let text = "Three, and https://example.com";
    let job = with(&[], vec![part(text, vec![photo(1), photo(2), photo(3)])]);
    let requests = sent(&job);
    let photos = "Post https://graph.facebook.com/v26.0/1234567890/photos";
    let feed = "Post https://graph.facebook.com/v26.0/1234567890/feed?fields=id,permalink_url";
    assert_eq!(lines(&requests), [photos, photos, photos, feed]);
    let fields = |request: &Request| match &request.body {
        Body::Multipart { fields, files } => {
            let file = &files[0];
            assert_eq!((file.field.as_str(), file.content_type.as_str()), ("source", "image/jpeg"));
            assert_eq!((file.range, &request.repeat), (None, &Repeat::Harmless));
            let field = |(name, value): &(String, String)| format!("{name}={value}");
            (file.media.0, fields.iter().map(field).collect::<Vec<_>>().join("&"))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        requests[..3].iter().map(fields).collect::<Vec<_>>(),
        [
            (1, "published=false&alt_text_custom=What picture 1 shows".to_owned()),
            (2, "published=false".to_owned()),
            (3, "published=false&alt_text_custom=What picture 3 shows".to_owned()),
        ]
    );
    let attached = [50001, 50002, 50003].map(|id| json!({ "media_fbid": id.to_string() }));
    assert_eq!(json_of(&requests[3]), &json!({ "message": text, "attached_media": attached }));
    let wordless = sent(&with(&[], vec![part("", vec![photo(1)])]));
    assert_eq!(
        json_of(&wordless[1]),
        &json!({ "attached_media": [{ "media_fbid": "50001" }] }),
        "one photo goes the same way, and an empty text is none"
    );
}

#[test]
fn a_film_goes_up_in_the_pieces_that_facebook_asks_for_and_is_waited_for() {
    let played = play(
        connector(),
        &FAKE,
        &with(&[("title", "Bread")], vec![part("How it is made", vec![film()])]),
    );
    let videos = "Post https://graph-video.facebook.com/v26.0/1234567890/videos";
    let status = "Get https://graph.facebook.com/v26.0/70001?fields=status,post_id,permalink_url,\
                  published";
    assert_eq!(lines(&played.sent), [videos, videos, videos, videos, status, status]);
    assert_eq!(json_of(&played.sent[0]), &json!({ "upload_phase": "start", "file_size": 20_000 }));
    let pieces = played.sent[1..3].iter().map(|request| match &request.body {
        Body::Multipart { fields, files } => {
            let file = &files[0];
            assert_eq!(fields[0], ("upload_phase".to_owned(), "transfer".to_owned()));
            assert_eq!(fields[1], ("upload_session_id".to_owned(), "60001".to_owned()));
            assert_eq!(
                (file.field.as_str(), &request.repeat),
                ("video_file_chunk", &Repeat::Harmless)
            );
            (fields[2].1.clone(), file.range.unwrap())
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(
        pieces.collect::<Vec<_>>(),
        [
            ("0".to_owned(), ByteRange { start: 0, end: 12_000 }),
            ("12000".to_owned(), ByteRange { start: 12_000, end: 20_000 }),
        ]
    );
    let finish = json!({
        "upload_phase": "finish", "upload_session_id": "60001",
        "description": "How it is made", "title": "Bread",
    });
    assert_eq!(json_of(&played.sent[3]), &finish);
    let live =
        Live { id: "70001".to_owned(), url: "https://www.facebook.com/reel/70001/".to_owned() };
    assert_eq!(played.live, [live]);
}

#[test]
fn a_reel_is_sent_to_the_address_that_facebook_names() {
    let options = [("format", "reel"), ("title", "Bread")];
    let requests = sent(&with(&options, vec![part("How it is made", vec![film()])]));
    let reels = "Post https://graph.facebook.com/v26.0/1234567890/video_reels";
    let status = "Get https://graph.facebook.com/v26.0/70001?fields=status,post_id,permalink_url,\
                  published";
    assert_eq!(
        lines(&requests),
        [
            reels,
            "Post https://rupload.facebook.com/video-upload/v26.0/70001",
            status,
            status,
            reels,
            status,
            status,
        ]
    );
    assert_eq!(json_of(&requests[0]), &json!({ "upload_phase": "start" }));
    let headers = [("offset", "0".to_owned()), ("file_size", "20000".to_owned())];
    assert_eq!(requests[1].headers, headers);
    assert!(matches!(&requests[1].body, Body::File { media, range: None, .. } if media.0 == 9));
    let finish = json!({
        "upload_phase": "finish", "video_id": "70001", "video_state": "PUBLISHED",
        "description": "How it is made", "title": "Bread",
    });
    assert_eq!(json_of(&requests[4]), &finish);
    assert_eq!(requests[4].repeat, Repeat::Probed { settle: Duration::from_secs(120) });
}

#[test]
fn the_token_goes_to_no_address_but_facebooks() {
    let mut job = with(&[("format", "reel")], vec![part("", vec![film()])]);
    let start = |job: &Job, url: &str| {
        let body = json!({ "video_id": 70001, "upload_url": url });
        connector().accept(&json!("Start"), job, &reply(200, body)).unwrap()
    };
    for url in [
        "https://rupload.facebook.com.evil.example/v",
        "https://facebook.com.example/v",
        "https://evilfacebook.com/v",
        "no address",
    ] {
        assert_eq!(start(&job, url).unwrap_err().kind, RefusalKind::Unreadable, "{url}");
    }
    assert!(start(&job, "https://rupload.facebook.com/v").is_ok());
    // Where the settings put the platform elsewhere, it is that host too.
    job.site.endpoints.insert("graph".to_owned(), "http://127.0.0.1:8099/facebook".to_owned());
    assert!(start(&job, "http://127.0.0.1:8099/facebook/upload/7").is_ok());
}

#[test]
fn stories_are_made_of_what_was_uploaded_and_their_address_is_read_afterwards() {
    let stories = "Get https://graph.facebook.com/v26.0/1234567890/stories?status=PUBLISHED\
                   &since=1795251290&limit=100";
    let of_photo =
        play(connector(), &FAKE, &with(&[("format", "story")], vec![part("", vec![photo(1)])]));
    assert_eq!(
        lines(&of_photo.sent),
        [
            "Post https://graph.facebook.com/v26.0/1234567890/photos",
            "Post https://graph.facebook.com/v26.0/1234567890/photo_stories",
            stories,
        ]
    );
    assert_eq!(json_of(&of_photo.sent[1]), &json!({ "photo_id": "50001" }));
    let of_film =
        play(connector(), &FAKE, &with(&[("format", "story")], vec![part("", vec![film()])]));
    let videos = "Post https://graph.facebook.com/v26.0/1234567890/video_stories";
    let status = "Get https://graph.facebook.com/v26.0/70001?fields=status,post_id,permalink_url,\
                  published";
    let upload = "Post https://rupload.facebook.com/video-upload/v26.0/70001";
    assert_eq!(lines(&of_film.sent), [videos, upload, status, status, videos, stories]);
    let finish = json!({ "upload_phase": "finish", "video_id": "70001" });
    assert_eq!(json_of(&of_film.sent[4]), &finish);
    let live = Live {
        id: "9001".to_owned(),
        url: "https://www.facebook.com/stories/1234567890/UzpfSVNDOjkwMDE=".to_owned(),
    };
    assert_eq!((of_photo.live, of_film.live), (vec![live.clone()], vec![live]));
}

#[test]
fn a_comment_goes_below_the_post_even_of_a_film() {
    let comment = "Post https://graph.facebook.com/v26.0/1234567890_9001/comments";
    for (file, requests) in [(photo(1), 3), (film(), 7)] {
        let parts = vec![part("A post", vec![file]), part("The recipe", Vec::new())];
        let played = play(connector(), &FAKE, &with(&[], parts));
        assert_eq!(played.sent.len(), requests, "a photo first, then the post, and this last");
        let last = played.sent.last().unwrap();
        assert_eq!(lines(std::slice::from_ref(last)), [comment]);
        assert_eq!(json_of(last), &json!({ "message": "The recipe" }));
        assert_eq!(played.live[1].id, "9001_7");
    }
    // Where its post never became known, the film itself is commented on.
    let parts = vec![part("A film", vec![film()]), part("The recipe", Vec::new())];
    let job = with(&[], parts);
    let step = confirm(60);
    let body = json!({ "status": { "video_status": "processing" } });
    let next = connector().accept(&step, &job, &reply(200, body)).unwrap().unwrap();
    let Next::Go(next) = next else { panic!("{next:?}") };
    let request = connector().request(&next, &job).unwrap();
    assert!(request.url.contains("/v26.0/70001/comments"), "{}", request.url);
}

#[test]
fn an_address_that_is_not_said_is_read_and_else_made() {
    let job = with(&[], vec![part("Hello", Vec::new())]);
    let begin = connector().begin(&job);
    let answer = reply(200, json!({ "id": "1234567890_9001" }));
    let next = connector().accept(&begin, &job, &answer).unwrap().unwrap();
    let Next::Go(step) = next else { panic!("{next:?}") };
    let request = connector().request(&step, &job).unwrap();
    let url = "https://graph.facebook.com/v26.0/1234567890_9001?fields=permalink_url";
    assert_eq!((request.url.as_str(), request.repeat), (url, Repeat::Harmless));
    let made = "https://www.facebook.com/1234567890_9001";
    assert_eq!(connector().live(&step, &job).unwrap()[0].url, made);
    for (body, expected) in [
        (json!({ "permalink_url": "https://f.example/7" }), "https://f.example/7"),
        (json!({}), made),
    ] {
        let done = connector().accept(&step, &job, &reply(200, body)).unwrap().unwrap();
        let live = Live { id: "1234567890_9001".to_owned(), url: expected.to_owned() };
        assert_eq!(done, Next::Done(vec![live]));
    }
}

fn transfer(start: u64, corrections: u32) -> Value {
    json!({ "Transfer": {
        "film": { "video": "70001", "session": "60001", "post": "" },
        "piece": { "start": start, "end": 12_000, "corrections": corrections },
    } })
}

#[test]
fn facebook_corrects_where_a_piece_begins_and_not_for_ever() {
    let job = with(&[], vec![part("A film", vec![film()])]);
    let corrected = |corrections, data: Value| {
        let error = json!({
            "message": "Try again.", "code": 6001, "error_subcode": 1_363_037, "error_data": data,
        });
        let answer = reply(400, json!({ "error": error }));
        connector().accept(&transfer(0, corrections), &job, &answer).unwrap()
    };
    let next = json!({ "Transfer": {
        "film": { "video": "70001", "session": "60001", "post": "" },
        "piece": { "start": 12_000, "end": 20_000, "corrections": 1 },
    } });
    for data in [
        json!({ "start_offset": 12_000, "end_offset": 24_000 }),
        json!({ "start_offset": "12000", "end_offset": "20000" }),
        json!("{\"start_offset\":12000,\"end_offset\":20000}"),
        json!({ "start_offset": 12_000 }),
    ] {
        assert_eq!(corrected(0, data.clone()), Ok(Next::Go(next.clone())), "{data}");
    }
    for (corrections, data) in [
        (5, json!({ "start_offset": 12_000, "end_offset": 20_000 })),
        (0, json!({ "start_offset": 12_000, "end_offset": 12_000 })),
        (0, Value::Null),
    ] {
        let refused = corrected(corrections, data).unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Media);
    }
    let all = corrected(0, json!({ "start_offset": 20_000, "end_offset": 20_000 }));
    let film = json!({ "video": "70001", "session": "60001", "post": "" });
    assert_eq!(all, Ok(Next::Go(json!({ "Finish": { "film": film } }))), "nothing is left to send");
}

#[test]
fn a_piece_leads_to_the_next_to_the_end_or_nowhere() {
    let job = with(&[], vec![part("A film", vec![film()])]);
    let after = |body| connector().accept(&transfer(0, 0), &job, &reply(200, body)).unwrap();
    let begins = |next: Result<Next<Value>, Refusal>| match next {
        Ok(Next::Go(step)) => match &step["Transfer"]["piece"] {
            Value::Null => step.as_object().unwrap().keys().next().unwrap().clone(),
            piece => format!("{}-{}", piece["start"], piece["end"]),
        },
        Ok(other) => panic!("{other:?}"),
        Err(refused) => format!("{:?}", refused.kind),
    };
    for (body, expected) in [
        (json!({ "start_offset": "12000", "end_offset": "20000" }), "12000-20000"),
        (json!({ "start_offset": 12_000, "end_offset": 99_999 }), "12000-20000"),
        (json!({}), "12000-20000"),
        (json!({ "start_offset": "20000", "end_offset": "20000" }), "Finish"),
        (json!({ "start_offset": "0", "end_offset": "12000" }), "Unreadable"),
    ] {
        assert_eq!(begins(after(body.clone())), expected, "{body}");
    }
}

fn process(polls: u32) -> Value {
    json!({ "Process": {
        "film": { "video": "70001", "session": "", "post": "" }, "polls": polls,
    } })
}

fn confirm(polls: u32) -> Value {
    json!({ "Confirm": {
        "film": { "video": "70001", "session": "", "post": "" }, "polls": polls,
    } })
}

#[test]
fn an_unseen_film_is_waited_for_as_long_as_that_can_help() {
    let job = with(&[("format", "reel")], vec![part("A reel", vec![film()])]);
    let after = |polls, status: Value| {
        let body = json!({ "status": status });
        match connector().accept(&process(polls), &job, &reply(200, body)).unwrap() {
            Ok(Next::Wait(wait, _)) => format!("{} s", wait.as_secs()),
            Ok(Next::Go(step)) => step.as_object().unwrap().keys().next().unwrap().clone(),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => format!("{:?}: {}", refused.kind, refused.words),
        }
    };
    let uploading = json!({ "video_status": "uploading" });
    let processing =
        json!({ "video_status": "processing", "uploading_phase": { "status": "complete" } });
    let broken = json!({
        "video_status": "processing",
        "processing_phase": { "status": "error", "errors": [{ "message": "No picture." }] },
    });
    for (polls, status, expected) in [
        (0, json!({ "video_status": "ready" }), "Finish"),
        (0, json!({ "video_status": "upload_complete" }), "Finish"),
        (0, processing.clone(), "5 s"),
        (12, processing.clone(), "15 s"),
        (18, processing, "Finish"),
        (18, uploading.clone(), "15 s"),
        (59, uploading.clone(), "35 s"),
        (59, Value::Null, "35 s"),
        (60, uploading, "Media: Facebook could not use the video: it was not ready in time"),
        (0, broken, "Media: Facebook could not use the video: No picture."),
        (
            0,
            json!({ "video_status": "expired" }),
            "Media: Facebook could not use the video: it expired",
        ),
    ] {
        assert_eq!(after(polls, status.clone()), expected, "{polls} {status}");
    }
    let not_taken = json!({ "success": false });
    let send = json!({ "Send": {
        "film": { "video": "70001", "session": "", "post": "" }, "address": "https://r.example",
    } });
    let refused = connector().accept(&send, &job, &reply(200, not_taken)).unwrap().unwrap_err();
    assert_eq!(refused.kind, RefusalKind::Media);
}

/// Begun anew, which nothing that is live may be; before that word it counts as published.
#[test]
fn only_facebooks_own_word_takes_an_accepted_film_back() {
    let job = with(&[("format", "reel")], vec![part("A reel", vec![film()])]);
    let after = |step: &Value, status: Value| {
        let body = json!({ "status": status });
        connector().accept(step, &job, &reply(200, body)).unwrap()
    };
    let failed = json!({
        "video_status": "error", "publishing_phase": { "status": "not_started" },
        "processing_phase": { "status": "error", "error": { "message": "Too dark." } },
    });
    assert_eq!(connector().live(&confirm(3), &job).unwrap().len(), 1);
    let Ok(Next::Go(spoilt)) = after(&confirm(3), failed.clone()) else { panic!() };
    assert_eq!(connector().live(&spoilt, &job).unwrap(), []);
    let refused = after(&spoilt, failed.clone()).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Media, "video_failed"));
    assert!(refused.words.ends_with("Too dark."), "{}", refused.words);
    let processing = json!({ "video_status": "processing" });
    assert_eq!(
        after(&spoilt, processing.clone()),
        Ok(Next::Wait(Duration::from_secs(5), confirm(4)))
    );
    let wait = Next::Wait(Duration::from_secs(35), confirm(60));
    assert_eq!(after(&confirm(59), processing.clone()), Ok(wait));
    let Ok(Next::Go(step)) = after(&confirm(60), processing.clone()) else { panic!() };
    let Ok(Next::Go(spoilt)) = after(&confirm(60), failed) else { panic!() };
    assert_eq!(after(&spoilt, processing), Ok(Next::Go(step.clone())), "nor is it asked for ever");
    assert_eq!(step["Address"]["sent"][0]["id"], "70001");
    // Its state may not be shown; it was accepted all the same.
    let gone = json!({ "error": { "message": "No.", "code": 100, "error_subcode": 33 } });
    let next = connector().accept(&confirm(3), &job, &reply(400, gone)).unwrap().unwrap();
    assert_eq!(next, Next::Go(step));
}

#[test]
fn a_finish_is_a_success_only_if_it_says_so() {
    let job = with(&[], vec![part("hi", vec![film()])]);
    let finish = json!({ "Finish": { "film": { "video": "70001", "session": "6", "post": "" } } });
    let after = |body| connector().accept(&finish, &job, &reply(200, body)).unwrap();
    let post = |body| match after(body).unwrap() {
        Next::Go(step) => step["Confirm"]["film"]["post"].as_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(post(json!({ "success": true })), "");
    assert_eq!(post(json!({ "success": true, "post_id": 9001 })), "1234567890_9001");
    assert_eq!(post(json!({ "post_id": "1234567890_9001" })), "1234567890_9001");
    for body in [json!({ "success": false }), json!({ "id": "70001" }), json!({})] {
        assert_eq!(after(body.clone()).unwrap_err().kind, RefusalKind::Unreadable, "{body}");
    }
}

fn places(options: &[(&str, &str)], files: Vec<JobMedia>) -> Vec<String> {
    let job = with(options, vec![part("hi", files)]);
    let draft = Draft { parts: &job.parts, options: &job.options, author: &job.author };
    let place = |finding: &Finding| match finding {
        Finding::Error(problem) => format!("error {}", problem.place),
        Finding::Warning(problem) => format!("warning {}", problem.place),
    };
    connector().check(&draft).iter().map(place).collect()
}

#[test]
fn what_facebook_cannot_show_is_said_while_planning() {
    let sized = |width, height| JobMedia { size: Some((width, height)), ..film() };
    let none: &[&str] = &[];
    let link = ("link", "https://example.com");
    for (options, files, expected) in [
        (&[link][..], vec![], none),
        (&[link], vec![photo(1)], &["error content.options.link"]),
        (&[("format", "reel"), link], vec![sized(1080, 1920)], &["error content.options.link"]),
        (&[("title", "T")], vec![film()], none),
        (&[("title", "T")], vec![photo(1)], &["warning content.options.title"]),
        (
            &[("title", "T"), ("format", "story")],
            vec![sized(540, 960)],
            &["warning content.options.title"],
        ),
        (&[("format", "reel")], vec![sized(540, 960)], none),
        (&[("format", "reel")], vec![sized(539, 960)], &["error content.parts[0].media[0]"]),
        (&[("format", "story")], vec![sized(540, 959)], &["error content.parts[0].media[0]"]),
        (&[], vec![sized(320, 240)], none),
        (
            &[],
            vec![JobMedia { alt: "A loaf".to_owned(), ..film() }],
            &["warning content.parts[0].media[0].alt"],
        ),
    ] {
        assert_eq!(places(options, files), expected, "{options:?}");
    }
}

#[test]
fn options_and_formats_are_those_that_facebook_has() {
    for (name, value, fits) in [
        ("format", "reel", true),
        ("format", "story", true),
        ("format", "poll", false),
        ("link", "https://example.com", true),
        ("link", "example.com", false),
        ("title", "A title", true),
    ] {
        assert_eq!(takes(connector(), name, value), fits, "{name}: {value}");
    }
}
