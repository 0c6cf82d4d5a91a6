//! YouTube: everything ahead and unseen, then one request that makes the video public.

pub(crate) mod errands;
mod looks;
mod planning;
mod refusals;
mod uploads;

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, ByteRange, Job, JobMedia, Method, Next, Outcome, Repeat, Reply,
        Request, SecretName, Sighting, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        platform::{Login, PaceScope},
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Played, Prepares, Row, check_rows, job, json_of, media, part, path_of, play,
    query_of, reply, run_errand,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "youtube",
    site: &[
        ("api", "https://www.googleapis.com"),
        ("token", "https://oauth2.googleapis.com"),
        ("accounts", "https://accounts.google.com"),
        ("web", "https://www.youtube.com"),
    ],
    author: || Identity {
        remote_id: CHANNEL.to_owned(),
        handle: "ada".to_owned(),
        traits: [("uploads".to_owned(), "UUada".to_owned())].into(),
        ..Identity::default()
    },
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/youtube.json"),
};

const CHANNEL: &str = "UCada";
const VIDEO: &str = "dQw4w9WgXcQ";
const SESSION: &str =
    "https://www.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id=AJx";
const WATCH: &str = "https://www.youtube.com/watch?v=dQw4w9WgXcQ";

/// `memory.posts`: the video, then its places in playlists and the comments below it.
fn answer(memory: &mut Memory, request: &Request) -> Reply {
    assert_eq!(request.auth, Auth::Access, "{request:?}");
    let path = path_of(request);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method, segments.as_slice()) {
        (Method::Post, ["upload", "youtube", "v3", "videos"]) => {
            let mut video = json_of(request).clone();
            video["status"]["uploadStatus"] = json!("uploaded");
            memory.posts = vec![video];
            with_header(reply(200, Value::Null), "location", SESSION)
        }
        (Method::Put, ["upload", "youtube", "v3", "videos"]) => after_piece(memory, request),
        (Method::Get, ["youtube", "v3", "videos"]) => {
            memory.polls += 1;
            let mut video = memory.posts[0].clone();
            assert_eq!(query_of(request, "id").as_deref(), Some(VIDEO));
            if memory.polls > 1 {
                video["status"]["uploadStatus"] = json!("processed");
            }
            reply(200, json!({ "items": [video] }))
        }
        (Method::Post, ["upload", "youtube", "v3", "thumbnails", "set"]) => {
            assert_eq!(memory.posts[0]["status"]["privacyStatus"], "private");
            reply(200, json!({ "items": [{}] }))
        }
        (Method::Post, ["youtube", "v3", "playlistItems"]) => {
            let mut item = json_of(request).clone();
            item["id"] = json!("UExi");
            memory.posts.push(item.clone());
            reply(200, item)
        }
        (Method::Get, ["youtube", "v3", "playlistItems"]) => {
            assert_eq!(query_of(request, "videoId").as_deref(), Some(VIDEO));
            reply(200, json!({ "items": below(memory, "playlistId") }))
        }
        (Method::Put, ["youtube", "v3", "videos"]) => {
            let asked = json_of(request);
            assert_eq!(asked["id"], VIDEO);
            memory.posts[0]["status"]["privacyStatus"] = asked["status"]["privacyStatus"].clone();
            reply(200, json!({ "id": VIDEO, "status": asked["status"] }))
        }
        (Method::Post, ["youtube", "v3", "commentThreads"]) => {
            assert_ne!(memory.posts[0]["status"]["privacyStatus"], "private");
            let text = &json_of(request)["snippet"]["topLevelComment"]["snippet"]["textOriginal"];
            memory.posts.push(comment("UgxC", CHANNEL, NOW, text.as_str().unwrap()));
            reply(200, json!({ "id": "UgxC" }))
        }
        (Method::Get, ["youtube", "v3", "commentThreads"]) => {
            reply(200, json!({ "items": below(memory, "topLevelComment") }))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn after_piece(memory: &mut Memory, request: &Request) -> Reply {
    let (_, range) = request.headers.iter().find(|(name, _)| *name == "content-range").unwrap();
    let (range, total) = range.strip_prefix("bytes ").unwrap().split_once('/').unwrap();
    let (_, last) = range.split_once('-').unwrap();
    if last.parse::<u64>().unwrap() + 1 < total.parse().unwrap() {
        return with_header(reply(308, Value::Null), "range", &format!("bytes=0-{last}"));
    }
    memory.posts[0]["id"] = json!(VIDEO);
    reply(200, memory.posts[0].clone())
}

/// What has such a field in its snippet.
fn below(memory: &Memory, field: &str) -> Vec<Value> {
    let mut all = memory.posts.iter().filter(|post| !post["snippet"][field].is_null());
    all.by_ref().cloned().collect()
}

fn comment(id: &str, author: &str, at: Timestamp, text: &str) -> Value {
    json!({ "id": id, "snippet": { "topLevelComment": { "snippet": {
        "authorChannelId": { "value": author }, "publishedAt": at.rfc3339(), "textDisplay": text,
    } } } })
}

fn with_header(mut reply: Reply, name: &str, value: &str) -> Reply {
    reply.headers.push((name.to_owned(), value.to_owned()));
    reply
}

fn specialities() -> Vec<Job> {
    let mut full = with_options(FULL, vec![picture(), film()]);
    full.parts.push(part("First!", Vec::new()));
    let mut commented = post(vec![film()]);
    commented.parts.push(part("First!", Vec::new()));
    let large = JobMedia { bytes: 40 * 1024 * 1024, ..film() };
    vec![full, commented, with_options(&[("privacy", "unlisted")], vec![large])]
}

const FULL: &[(&str, &str)] = &[
    ("title", "A walk"),
    ("tags", "walks\nlong walks"),
    ("category", "19"),
    ("made_for_kids", "false"),
    ("notify_subscribers", "false"),
    ("playlist", "PLwalks"),
    ("ai_generated", "true"),
];

fn connector() -> &'static dyn AnyConnector {
    find("youtube").unwrap()
}

fn film() -> JobMedia {
    JobMedia { alt: String::new(), ..media(1, MediaKind::Video, "video/mp4") }
}

fn picture() -> JobMedia {
    media(2, MediaKind::Image, "image/png")
}

fn post(media: Vec<JobMedia>) -> Job {
    job(connector(), &FAKE, vec![part("Through the hills", media)])
}

fn with_options(options: &[(&str, &str)], media: Vec<JobMedia>) -> Job {
    let mut job = post(media);
    job.options = options.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    job
}

fn lines(requests: &[Request]) -> Vec<String> {
    let line = |request: &Request| {
        let path = request.url.strip_prefix("https://www.googleapis.com").unwrap();
        let path = path.replace("/youtube/v3", "");
        format!("{:?} {path} {}", request.method, request.units)
    };
    requests.iter().map(line).collect()
}

fn accept(step: Value, job: &Job, reply: &Reply) -> Result<Next<Value>, Refusal> {
    connector().accept(&step, job, reply).unwrap()
}

#[test]
fn all_is_done_unseen_and_the_video_is_made_public_by_one_request() {
    let mut job = with_options(FULL, vec![picture(), film()]);
    job.parts.push(part("First!", Vec::new()));
    let Played { sent, live, .. } = play(connector(), &FAKE, &job);
    let wanted = [
        "Post /upload/videos?uploadType=resumable&part=snippet,status&notifySubscribers=false 1",
        "Put /upload/videos?uploadType=resumable&upload_id=AJx 0",
        "Get /videos?part=status,processingDetails&id=dQw4w9WgXcQ 1",
        "Get /videos?part=status,processingDetails&id=dQw4w9WgXcQ 1",
        "Post /upload/thumbnails/set?videoId=dQw4w9WgXcQ&uploadType=media 50",
        "Post /playlistItems?part=snippet 50",
        "Put /videos?part=status 50",
        "Post /commentThreads?part=snippet 50",
    ];
    assert_eq!(lines(&sent), wanted);
    let armed = |request: &Request| request.repeat != Repeat::Harmless;
    assert_eq!(sent.iter().position(armed), Some(5), "nobody sees anything before");
    let status = |privacy: &str| {
        json!({
            "privacyStatus": privacy, "license": "youtube", "embeddable": true,
            "publicStatsViewable": true, "selfDeclaredMadeForKids": false,
            "containsSyntheticMedia": true,
        })
    };
    let snippet = json!({
        "title": "A walk", "description": "Through the hills", "categoryId": "19",
        "tags": ["walks", "long walks"],
    });
    assert_eq!(json_of(&sent[0]), &json!({ "snippet": snippet, "status": status("private") }));
    let header = |name, value: &str| (name, value.to_owned());
    assert_eq!(
        sent[0].headers,
        [header("x-upload-content-length", "20000"), header("x-upload-content-type", "video/mp4")]
    );
    assert_eq!(sent[1].url, SESSION);
    assert_eq!(sent[1].headers, [header("content-range", "bytes 0-19999/20000")]);
    let file = |media: &JobMedia, range| Body::File {
        media: media.id,
        range,
        content_type: media.mime.clone(),
    };
    assert_eq!(sent[1].body, file(&film(), Some(ByteRange { start: 0, end: 20_000 })));
    assert_eq!(sent[4].body, file(&picture(), None));
    let resource = json!({ "kind": "youtube#video", "videoId": VIDEO });
    let entry = json!({ "playlistId": "PLwalks", "resourceId": resource });
    assert_eq!(json_of(&sent[5]), &json!({ "snippet": entry }));
    assert_eq!(json_of(&sent[6]), &json!({ "id": VIDEO, "status": status("public") }));
    let text = json!({ "snippet": { "textOriginal": "First!" } });
    let comment = json!({ "videoId": VIDEO, "topLevelComment": text });
    assert_eq!(json_of(&sent[7]), &json!({ "snippet": comment }));
    let expected = [
        Live { id: VIDEO.to_owned(), url: WATCH.to_owned() },
        Live { id: "UgxC".to_owned(), url: format!("{WATCH}&lc=UgxC") },
    ];
    assert_eq!(live, expected);
}

#[test]
fn what_is_left_out_is_as_youtube_presets_it() {
    let options = [("title", "A walk"), ("made_for_kids", "true")];
    let Played { sent, live, .. } = play(connector(), &FAKE, &with_options(&options, vec![film()]));
    let body = json_of(&sent[0]);
    assert_eq!(query_of(&sent[0], "notifySubscribers").as_deref(), Some("true"));
    assert_eq!(
        (&body["snippet"]["categoryId"], &body["snippet"]["tags"]),
        (&json!("22"), &Value::Null)
    );
    assert_eq!(body["status"]["selfDeclaredMadeForKids"], true);
    assert_eq!(body["status"]["containsSyntheticMedia"], false);
    assert_eq!(json_of(sent.last().unwrap())["status"]["privacyStatus"], "public");
    assert_eq!(live.len(), 1);
}

#[test]
fn a_video_is_as_private_as_it_was_asked_for() {
    for privacy in ["public", "unlisted", "private"] {
        let job = with_options(&[("title", "A"), ("privacy", privacy)], vec![film()]);
        let Played { sent, .. } = play(connector(), &FAKE, &job);
        assert_eq!(json_of(&sent[0])["status"]["privacyStatus"], "private");
        assert_eq!(json_of(sent.last().unwrap())["status"]["privacyStatus"], privacy);
    }
}

/// Its time is not waited over: a video can be seen while finer pictures of it are made.
#[test]
fn processing_is_waited_for_until_the_time_of_the_post() {
    let status = |polls: u32, job: &Job| {
        let items = json!([{ "id": VIDEO, "status": { "uploadStatus": "uploaded" } }]);
        let step = json!({ "Process": { "video": VIDEO, "polls": polls } });
        accept(step, job, &reply(200, json!({ "items": items }))).unwrap()
    };
    let late = post(vec![film()]);
    assert!(matches!(status(0, &late), Next::Wait(..)));
    assert!(matches!(status(2, &late), Next::Wait(..)));
    assert!(matches!(status(3, &late), Next::Go(..)));
    let early = Job { due: NOW.after(Duration::from_secs(60)), ..late };
    let Next::Wait(_, step) = status(20, &early) else { panic!("its time has not come") };
    assert_eq!(step, json!({ "Process": { "video": VIDEO, "polls": 21 } }));
}

#[test]
fn what_youtube_makes_of_a_film_is_said() {
    use RefusalKind::{Duplicate, Media, Rejected};
    let job = post(vec![film()]);
    let step = || json!({ "Process": { "video": VIDEO, "polls": 0 } });
    for (video, kind, code, words) in [
        (
            json!({ "status": { "uploadStatus": "failed", "failureReason": "codec" } }),
            Media,
            "upload_failed",
            "codec",
        ),
        (json!({ "status": { "uploadStatus": "failed" } }), Media, "upload_failed", "not say why"),
        (
            json!({ "status": { "uploadStatus": "rejected", "rejectionReason": "copyright" } }),
            Rejected,
            "copyright",
            "copyright",
        ),
        (
            json!({ "status": { "uploadStatus": "rejected", "rejectionReason": "duplicate" } }),
            Duplicate,
            "duplicate",
            "duplicate",
        ),
        (json!({ "status": { "uploadStatus": "deleted" } }), Media, "video_gone", "deleted"),
        (
            json!({
                "status": { "uploadStatus": "uploaded" },
                "processingDetails": {
                    "processingStatus": "failed", "processingFailureReason": "transcodeFailed",
                },
            }),
            Media,
            "processing_failed",
            "transcodeFailed",
        ),
        (
            json!({ "status": { "uploadStatus": "odd" } }),
            RefusalKind::Unreadable,
            "200",
            "uploadStatus",
        ),
    ] {
        let answer = reply(200, json!({ "items": [video] }));
        let refused = accept(step(), &job, &answer).unwrap_err();
        assert_eq!((refused.kind, refused.code.as_str()), (kind, code), "{video}");
        assert!(refused.words.contains(words), "{}", refused.words);
    }
    let nothing = reply(200, json!({ "items": [] }));
    assert!(matches!(accept(step(), &job, &nothing), Ok(Next::Wait(..))), "it may be a moment");
    let step = json!({ "Process": { "video": VIDEO, "polls": 12 } });
    assert_eq!(accept(step, &job, &nothing).unwrap_err().kind, Media);
}

/// YouTube says yes, and leaves the video private. Nobody can see it, so it is not published.
#[test]
fn a_video_that_youtube_keeps_private_is_not_called_published() {
    let step = json!({ "Release": { "video": VIDEO } });
    let kept = json!({ "id": VIDEO, "status": { "privacyStatus": "private" } });
    let refused = accept(step.clone(), &post(vec![film()]), &reply(200, kept.clone())).unwrap_err();
    assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Rejected, "kept_private"));
    assert!(refused.words.contains(WATCH) && refused.words.contains("audited"), "{refused:?}");
    let asked_for = with_options(&[("privacy", "private")], vec![film()]);
    let Ok(Next::Done(live)) = accept(step, &asked_for, &reply(200, kept)) else { panic!("done") };
    assert_eq!(live.len(), 1);
}
