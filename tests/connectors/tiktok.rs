//! TikTok: a platform that says no with 200, posts when the last byte has arrived, names a post
//! late, and shows only public ones.

mod errands;
mod planning;
mod refusals;
mod uploads;

use std::collections::BTreeMap;

use fanfare::{
    connectors::{AnyConnector, Auth, Body, Job, Method, Next, Repeat, Reply, Request, find},
    domain::{account::Identity, delivery::Live, media::MediaKind, refusal::RefusalKind},
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, Prepares, job, json_of, media, part, path_of, play, query_of, reply,
};

pub(crate) use self::errands::ERRANDS;

pub(crate) const FAKE: Fake = Fake {
    platform: "tiktok",
    site: &[("api", "https://open.tiktokapis.com"), ("web", "https://www.tiktok.com")],
    author: || Identity {
        remote_id: "afd97af1-b87b-48b9-ac98-410aghda5344".to_owned(),
        handle: "ada.before".to_owned(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/tiktok.json"),
};

/// More than a double can tell apart.
const POST: u64 = 7_500_000_000_000_000_001;

/// As in TikTok's example.
const LARGE: u64 = 50_000_123;

fn specialities() -> Vec<Job> {
    vec![large_film(), with_options(film_job(), &[("privacy", "self"), ("ai_generated", "true")])]
}

fn connector() -> &'static dyn AnyConnector {
    find("tiktok").unwrap()
}

fn film_job() -> Job {
    let film = media(1, MediaKind::Video, "video/mp4");
    job(connector(), &FAKE, vec![part("A film #fyp", vec![film])])
}

fn large_film() -> Job {
    let mut job = film_job();
    job.parts[0].media[0].bytes = LARGE;
    job
}

fn photo_job() -> Job {
    let photo = |number| media(number, MediaKind::Image, "image/jpeg");
    job(connector(), &FAKE, vec![part("What we saw", vec![photo(1), photo(2)])])
}

fn with_options(mut job: Job, options: &[(&str, &str)]) -> Job {
    job.options.extend(owned(options));
    job
}

fn owned(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    options.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn ok(data: Value) -> Value {
    json!({ "data": data, "error": { "code": "ok", "message": "", "log_id": "20261121" } })
}

fn creator() -> Value {
    json!({
        "creator_avatar_url": "https://cdn.example/a.webp", "creator_username": "ada",
        "creator_nickname": "Ada", "comment_disabled": false, "duet_disabled": false,
        "stitch_disabled": true, "max_video_post_duration_sec": 300,
        "privacy_level_options": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
    })
}

/// Remembers publications: `{"id","init","received","polls"}`.
fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let path = path_of(request);
    if path == "/video/" {
        return take(memory, request);
    }
    assert_eq!((request.method, request.auth), (Method::Post, Auth::Access));
    let number = memory.posts.len() + 1;
    let mut remember = |prefix: &str| {
        let id = format!("{prefix}~v2-1.{number}");
        let init = json_of(request);
        memory.posts.push(json!({ "id": id, "init": init, "received": 0, "polls": 0 }));
        id
    };
    match path.as_str() {
        "/v2/post/publish/creator_info/query/" => reply(200, ok(creator())),
        "/v2/post/publish/video/init/" => {
            let publish_id = remember("v_pub_file");
            reply(200, ok(json!({ "publish_id": publish_id, "upload_url": address(number) })))
        }
        "/v2/post/publish/content/init/" => {
            let publish_id = remember("p_pub_url");
            reply(200, ok(json!({ "publish_id": publish_id })))
        }
        "/v2/post/publish/status/fetch/" => {
            let wanted = &json_of(request)["publish_id"];
            let found = memory.posts.iter_mut().find(|it| it["id"] == *wanted).unwrap();
            found["polls"] = json!(found["polls"].as_u64().unwrap() + 1);
            reply(200, ok(status(found)))
        }
        "/v2/video/list/" => {
            assert_eq!(
                query_of(request, "fields").as_deref(),
                Some("id,create_time,title,video_description")
            );
            let posts = memory.posts.iter().filter(|it| it["init"]["media_type"] == "PHOTO");
            let listed = posts.map(|it| listed(&POST.to_string(), 1, &it["init"]["post_info"]));
            let videos: Vec<_> = listed.collect();
            reply(200, ok(json!({ "videos": videos, "cursor": 0, "has_more": false })))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn address(number: usize) -> String {
    format!("https://open-upload.tiktokapis.com/video/?upload_id={number}&upload_token=Xza123")
}

/// A piece, which has to be the next.
fn take(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!((request.method, request.auth), (Method::Put, Auth::None));
    let number: usize = query_of(request, "upload_id").unwrap().parse().unwrap();
    let found = &mut memory.posts[number - 1];
    let (first, last, total) = content_range(request);
    assert_eq!(found["init"]["source_info"]["video_size"], json!(total));
    assert_eq!(found["received"], json!(first));
    found["received"] = json!(last + 1);
    let mut answer = reply(if last + 1 == total { 201 } else { 206 }, Value::Null);
    answer.headers.push(("content-range".to_owned(), format!("bytes 0-{last}/{total}")));
    answer
}

/// First and last byte, and how many there are; as the body has them too.
fn content_range(request: &Request) -> (u64, u64, u64) {
    let (_, header) = &request.headers[0];
    let numbers = header.strip_prefix("bytes ").unwrap().split(['-', '/']);
    let numbers: Vec<u64> = numbers.map(|number| number.parse().unwrap()).collect();
    let Body::File { range: Some(range), content_type, .. } = &request.body else {
        panic!("no piece in {request:?}")
    };
    assert_eq!((range.start, range.end), (numbers[0], numbers[1] + 1));
    assert_eq!(content_type, "video/mp4");
    (numbers[0], numbers[1], numbers[2])
}

/// Complete at the second question, named at the third.
fn status(publication: &Value) -> Value {
    let received = publication["received"].as_u64().unwrap();
    let size = publication["init"]["source_info"]["video_size"].as_u64().unwrap_or(0);
    let is_public = publication["init"]["post_info"]["privacy_level"] == "PUBLIC_TO_EVERYONE";
    match publication["polls"].as_u64().unwrap() {
        _ if received < size => {
            json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": received })
        }
        1 => json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": received }),
        3.. if is_public => {
            json!({ "status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [POST] })
        }
        _ => json!({ "status": "PUBLISH_COMPLETE", "publicaly_available_post_id": [] }),
    }
}

/// A listed post, `after` seconds after arming.
fn listed(id: &str, after: i64, post: &Value) -> Value {
    json!({
        "id": id, "create_time": 1_795_251_590_i64 + after,
        "title": post["title"].as_str().unwrap_or_default(),
        "video_description": post["description"].as_str().unwrap_or_default(),
    })
}

fn manner(privacy: &str) -> Value {
    json!({
        "privacy": privacy, "username": "ada", "disable_comment": false, "disable_duet": false,
        "disable_stitch": false,
    })
}

fn public() -> Value {
    manner("PUBLIC_TO_EVERYONE")
}

fn confirm(manner: Value, polls: u32, nameless: u32) -> Value {
    json!({ "Confirm": {
        "manner": manner, "publish": "v_pub_file~v2-1.1", "polls": polls, "nameless": nameless,
    } })
}

fn spoilt(polls: u32) -> Value {
    json!({ "Spoilt": { "manner": public(), "publish": "v_pub_file~v2-1.1", "polls": polls } })
}

fn accept(step: &Value, job: &Job, answer: &Reply) -> Result<Next<Value>, RefusalKind> {
    connector().accept(step, job, answer).unwrap().map_err(|refusal| refusal.kind)
}

fn sent(job: &Job) -> Vec<Request> {
    play(connector(), &FAKE, job).sent
}

#[test]
fn a_film_is_announced_sent_and_waited_for() {
    let job = with_options(
        film_job(),
        &[("thumb_offset", "1500"), ("disable_duet", "true"), ("brand_organic", "true")],
    );
    let played = play(connector(), &FAKE, &job);
    let paths: Vec<_> = played.sent.iter().map(path_of).collect();
    assert_eq!(
        paths,
        [
            "/v2/post/publish/creator_info/query/",
            "/v2/post/publish/video/init/",
            "/video/",
            "/v2/post/publish/status/fetch/",
            "/v2/post/publish/status/fetch/",
            "/v2/post/publish/status/fetch/",
        ]
    );
    assert_eq!(played.sent[0].body, Body::Empty);
    assert_eq!(
        *json_of(&played.sent[1]),
        json!({
            "post_info": {
                "title": "A film #fyp", "privacy_level": "PUBLIC_TO_EVERYONE",
                "disable_comment": false, "disable_duet": true,
                // The account has no stitches, whatever is asked for.
                "disable_stitch": true,
                "brand_content_toggle": false, "brand_organic_toggle": true, "is_aigc": false,
                "video_cover_timestamp_ms": 1_500,
            },
            "source_info": {
                "source": "FILE_UPLOAD", "video_size": 20_000, "chunk_size": 20_000,
                "total_chunk_count": 1,
            },
        })
    );
    let Repeat::Keyed { key, valid_for } = &played.sent[2].repeat else { panic!("not keyed") };
    assert_eq!(*key, address(1));
    assert!(valid_for.as_secs() < 3_600);
    assert_eq!(*json_of(&played.sent[3]), json!({ "publish_id": "v_pub_file~v2-1.1" }));
    let url = format!("https://www.tiktok.com/@ada/video/{POST}");
    assert_eq!(played.live, [Live { id: POST.to_string(), url }]);
}

#[test]
fn photos_are_named_by_their_addresses_and_posted_at_once() {
    let job = with_options(
        photo_job(),
        &[("title", "A day out"), ("auto_add_music", "true"), ("brand_content", "true")],
    );
    let played = play(connector(), &FAKE, &job);
    assert_eq!(
        *json_of(&played.sent[1]),
        json!({
            "post_info": {
                "title": "A day out", "description": "What we saw",
                "privacy_level": "PUBLIC_TO_EVERYONE", "disable_comment": false,
                "auto_add_music": true, "brand_content_toggle": true,
                "brand_organic_toggle": false,
            },
            "source_info": {
                "source": "PULL_FROM_URL", "photo_cover_index": 0,
                "photo_images": [
                    "https://fanfare.example/files/1", "https://fanfare.example/files/2",
                ],
            },
            "post_mode": "DIRECT_POST", "media_type": "PHOTO",
        })
    );
    assert!(matches!(played.sent[1].repeat, Repeat::Probed { settle } if settle.as_secs() == 120));
    let url = format!("https://www.tiktok.com/@ada/photo/{POST}");
    assert_eq!(played.live, [Live { id: POST.to_string(), url }]);
    let plain = sent(&photo_job());
    let post = &json_of(&plain[1])["post_info"];
    assert!(post.get("title").is_none() && post.get("auto_add_music").is_none());
}

#[test]
fn a_post_without_an_id_has_the_address_of_the_profile() {
    let profile =
        |id: &str| vec![Live { id: id.to_owned(), url: "https://www.tiktok.com/@ada".to_owned() }];
    let played = play(connector(), &FAKE, &with_options(film_job(), &[("privacy", "self")]));
    assert_eq!(played.live, profile("v_pub_file~v2-1.1"));
    let nameless = reply(200, ok(json!({ "status": "PUBLISH_COMPLETE" })));
    let job = film_job();
    let next = accept(&confirm(public(), 0, 8), &job, &nameless).unwrap();
    assert!(matches!(&next, Next::Wait(_, step) if *step == confirm(public(), 0, 9)), "{next:?}");
    let next = accept(&confirm(public(), 0, 9), &job, &nameless).unwrap();
    assert_eq!(next, Next::Done(profile("v_pub_file~v2-1.1")));
    assert_eq!(
        connector().live(&confirm(public(), 0, 0), &job).unwrap(),
        profile("v_pub_file~v2-1.1")
    );
    assert_eq!(connector().live(&spoilt(0), &job).unwrap(), []);
}
