//! LinkedIn: members, who are shown nothing of what they posted, and organizations, who are.

pub(crate) mod errands;
mod looks;
mod planning;
mod refusals;

use std::time::Duration;

use fanfare::{
    connectors::{
        AnyConnector, Auth, Body, ByteRange, Draft, Finding, Job, JobMedia, JobPart, Method, Next,
        Outcome, Repeat, Reply, Request, SecretName, Sighting, Site, Target, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        media::MediaKind,
        platform::{Login, PaceScope},
        refusal::RefusalKind,
        time::Timestamp,
    },
};
use serde_json::{Value, json};

use crate::fake::{
    Fake, Memory, NOW, Played, Prepares, Ran, Row, check_rows, job, json_of, media, part, path_of,
    play, query_of, reply, run_errand, takes,
};

pub(crate) const FAKE: Fake = Fake {
    platform: "linkedin",
    site: &[("api", "https://api.linkedin.com"), ("web", "https://www.linkedin.com")],
    author: || author("organization", PAGE),
    answer,
    prepares: Prepares::Ahead,
    specialities,
    golden: include_str!("golden/linkedin.json"),
};

const PAGE: &str = "urn:li:organization:5515715";
const PERSON: &str = "urn:li:person:782bbtaQ";
const QUOTED: &str = "urn:li:share:7100000000000000000";

fn author(kind: &str, urn: &str) -> Identity {
    Identity {
        remote_id: urn.to_owned(),
        handle: "ada".to_owned(),
        traits: [("kind".to_owned(), kind.to_owned())].into(),
        ..Identity::default()
    }
}

fn answer(memory: &mut Memory, request: &Request) -> Reply {
    let path = path_of(request);
    if path.starts_with("/rest/") {
        assert_eq!(request.auth, Auth::Access, "{path}");
        let version = ("x-restli-protocol-version", "2.0.0".to_owned());
        assert!(request.headers.contains(&version), "{request:?}");
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (request.method, segments.as_slice()) {
        (Method::Post, ["rest", "videos"]) if path_ends(request, "finalizeUpload") => {
            assert_eq!(json_of(request)["finalizeUploadRequest"]["uploadedPartIds"][0], "tag-0");
            reply(200, Value::Null)
        }
        (Method::Post, ["rest", collection]) if path_ends(request, "initializeUpload") => {
            memory.uploads += 1;
            let wanted = &json_of(request)["initializeUploadRequest"];
            initialized(collection, memory.uploads, wanted["fileSizeBytes"].as_u64())
        }
        (Method::Put, ["dms-uploads", _, piece]) => {
            let tag = format!("\"tag-{piece}\"");
            with_header(reply(201, Value::Null), "etag", &tag)
        }
        (Method::Get, ["rest", "images" | "videos" | "documents", urn]) => {
            memory.polls += 1;
            let is_ready = memory.polls.is_multiple_of(3);
            let status = if is_ready { "AVAILABLE" } else { "PROCESSING" };
            reply(200, json!({ "id": decoded(urn), "status": status }))
        }
        (Method::Post, ["rest", "posts"]) => {
            let urn = format!("urn:li:share:684478552359313408{}", memory.posts.len());
            let mut post = json_of(request).clone();
            post["id"] = json!(urn);
            post["createdAt"] = json!(NOW.0);
            post["lastModifiedAt"] = json!(NOW.0);
            memory.posts.insert(0, post);
            created(&urn)
        }
        (Method::Get, ["rest", "posts"]) => {
            assert_eq!(query_of(request, "author").as_deref(), Some(PAGE));
            reply(200, listed(&memory.posts))
        }
        (Method::Post, ["rest", "socialActions", urn, "comments"]) => {
            let body = json_of(request);
            assert_eq!(
                (body["object"].as_str(), &body["actor"]),
                (Some(&*decoded(urn)), &json!(PAGE))
            );
            let comment = json!({ "id": "66360", "actor": PAGE, "message": body["message"] });
            memory.posts[0]["comments"] = json!([comment]);
            created("66360")
        }
        (Method::Get, ["rest", "socialActions", urn, "comments"]) => {
            assert_eq!(memory.posts[0]["id"], decoded(urn));
            let comments = memory.posts[0]["comments"].as_array().cloned().unwrap_or_default();
            reply(200, listed(&comments))
        }
        _ => panic!("no answer for {request:?}"),
    }
}

fn path_ends(request: &Request, action: &str) -> bool {
    query_of(request, "action").as_deref() == Some(action)
}

fn decoded(urn: &str) -> String {
    assert!(!urn.contains(':'), "{urn} is to be encoded");
    urn.replace("%3A", ":")
}

fn initialized(collection: &str, number: u32, bytes: Option<u64>) -> Reply {
    const PIECE: u64 = 4_194_304;
    let name = collection.strip_suffix('s').unwrap();
    let url =
        |piece: u64| format!("https://www.linkedin.com/dms-uploads/file-{number}/{piece}?v=1");
    let mut value = json!({ name: format!("urn:li:{name}:C4E10AQ{number}") });
    match bytes {
        Some(bytes) => {
            let pieces = (0..bytes.div_ceil(PIECE)).map(|piece| {
                let (first, next) = (piece * PIECE, bytes.min((piece + 1) * PIECE));
                json!({ "uploadUrl": url(piece), "firstByte": first, "lastByte": next - 1 })
            });
            value["uploadInstructions"] = pieces.collect();
            value["uploadToken"] = json!("AQtoken");
        }
        None => value["uploadUrl"] = json!(url(0)),
    }
    reply(200, json!({ "value": value }))
}

fn with_header(mut reply: Reply, name: &str, value: &str) -> Reply {
    reply.headers.push((name.to_owned(), value.to_owned()));
    reply
}

fn created(id: &str) -> Reply {
    with_header(reply(201, Value::Null), "x-restli-id", id)
}

fn listed(elements: &[Value]) -> Value {
    json!({ "paging": { "start": 0, "count": 100, "links": [] }, "elements": elements })
}

fn specialities() -> Vec<Job> {
    let mut jobs = vec![
        with_options(&[("link", "https://example.com/a"), ("link_title", "A")], vec![image(1)]),
        with_options(&[("poll", "yes\nno"), ("poll_question", "Well?")], Vec::new()),
        with_options(&[("quote", QUOTED)], Vec::new()),
    ];
    let of_member = |media: Vec<JobMedia>| as_member(post("Hello, from a person", media));
    jobs.extend([
        of_member(Vec::new()),
        of_member(vec![image(1), image(2)]),
        of_member(vec![film()]),
        of_member(vec![document("report.pdf")]),
    ]);
    jobs
}

fn connector() -> &'static dyn AnyConnector {
    find("linkedin").unwrap()
}

fn image(number: u128) -> JobMedia {
    media(number, MediaKind::Image, "image/png")
}

fn film() -> JobMedia {
    JobMedia { bytes: 9 * 1024 * 1024, ..media(1, MediaKind::Video, "video/mp4") }
}

fn document(name: &str) -> JobMedia {
    let name = name.to_owned();
    JobMedia { name, ..media(2, MediaKind::Document, "application/pdf") }
}

fn post(text: &str, media: Vec<JobMedia>) -> Job {
    job(connector(), &FAKE, vec![part(text, media)])
}

fn as_member(job: Job) -> Job {
    Job { author: author("member", PERSON), ..job }
}

fn with_options(options: &[(&str, &str)], media: Vec<JobMedia>) -> Job {
    let mut job = post("Read (this) #now", media);
    job.options = options.iter().map(|&(name, value)| (name.into(), value.into())).collect();
    job
}

fn with_comment() -> Job {
    job(connector(), &FAKE, vec![part("The post", Vec::new()), part("The (comment)", Vec::new())])
}

/// The body of the request that creates the post.
fn body_of(job: &Job) -> Value {
    let Played { sent, .. } = play(connector(), &FAKE, job);
    let creation = sent.iter().find(|request| path_of(request) == "/rest/posts");
    json_of(creation.expect("a post is created")).clone()
}

fn paths(requests: &[Request]) -> Vec<String> {
    let path = |request: &Request| {
        let action =
            query_of(request, "action").map_or(String::new(), |action| format!(" {action}"));
        format!("{:?} {}{action}", request.method, path_of(request))
    };
    requests.iter().map(path).collect()
}

#[test]
fn a_text_is_one_request_that_names_the_version() {
    let mut job = post("We (all) say_so #now, @[Möwe](urn:li:organization:12)", Vec::new());
    job.site.version = "202609".to_owned();
    let Played { sent, live, .. } = play(connector(), &FAKE, &job);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, "https://api.linkedin.com/rest/posts");
    let header = |name: &'static str, value: &str| (name, value.to_owned());
    let headers =
        [header("linkedin-version", "202609"), header("x-restli-protocol-version", "2.0.0")];
    assert_eq!(sent[0].headers, headers);
    assert_eq!(sent[0].repeat, Repeat::Probed { settle: Duration::from_secs(30) });
    let commentary = r"We \(all\) say\_so {hashtag|\#|now}, @[Möwe](urn:li:organization:12)";
    let wanted = json!({
        "author": PAGE,
        "commentary": commentary,
        "visibility": "PUBLIC",
        "distribution": {
            "feedDistribution": "MAIN_FEED",
            "targetEntities": [],
            "thirdPartyDistributionChannels": [],
        },
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": false,
    });
    assert_eq!(json_of(&sent[0]), &wanted);
    let urn = "urn:li:share:6844785523593134080";
    let url = format!("https://www.linkedin.com/feed/update/{urn}/");
    assert_eq!(live, [Live { id: urn.to_owned(), url }]);
}

#[test]
fn each_kind_has_its_own_content() {
    let alt = "What picture 1 shows";
    let poll = [("poll", "yes \nno"), ("poll_question", "Well?"), ("poll_minutes", "20160")];
    let card =
        [("link", "https://example.com/a?b=c"), ("link_title", "A"), ("link_description", "Of b")];
    let of =
        |options: &[(&str, &str)], media| body_of(&with_options(options, media))["content"].clone();
    for (content, expected) in [
        (
            of(&[], vec![image(1)]),
            json!({ "media": { "id": "urn:li:image:C4E10AQ1", "altText": alt } }),
        ),
        (
            of(&[], vec![image(1), image(2)]),
            json!({ "multiImage": { "images": [
                { "id": "urn:li:image:C4E10AQ1", "altText": alt },
                { "id": "urn:li:image:C4E10AQ2" },
            ] } }),
        ),
        (
            of(&[], vec![media(2, MediaKind::Gif, "image/gif")]),
            json!({ "media": { "id": "urn:li:image:C4E10AQ1" } }),
        ),
        (of(&[], vec![film()]), json!({ "media": { "id": "urn:li:video:C4E10AQ1" } })),
        (
            of(&[("title", "Film")], vec![film()]),
            json!({ "media": { "id": "urn:li:video:C4E10AQ1", "title": "Film" } }),
        ),
        (
            of(&[], vec![document("report.pdf")]),
            json!({ "media": { "id": "urn:li:document:C4E10AQ1", "title": "report.pdf" } }),
        ),
        (
            of(&[("title", "Report")], vec![document("report.pdf")]),
            json!({ "media": { "id": "urn:li:document:C4E10AQ1", "title": "Report" } }),
        ),
        (
            of(&[], vec![document("")]),
            json!({ "media": { "id": "urn:li:document:C4E10AQ1", "title": "Document" } }),
        ),
        (
            of(&card[..2], Vec::new()),
            json!({ "article": { "source": "https://example.com/a?b=c", "title": "A" } }),
        ),
        (
            of(&card, vec![image(1)]),
            json!({ "article": {
                "source": "https://example.com/a?b=c", "title": "A", "description": "Of b",
                "thumbnail": "urn:li:image:C4E10AQ1",
            } }),
        ),
        (
            of(&poll, Vec::new()),
            json!({ "poll": {
                "question": "Well?", "options": [{ "text": "yes" }, { "text": "no" }],
                "settings": { "duration": "FOURTEEN_DAYS" },
            } }),
        ),
    ] {
        assert_eq!(content, expected);
    }
    let quote = body_of(&with_options(&[("quote", QUOTED)], Vec::new()));
    assert_eq!(quote["reshareContext"], json!({ "parent": QUOTED }));
    assert_eq!(quote["content"], Value::Null);
}

#[test]
fn options_become_linkedins_words() {
    for (minutes, duration) in
        [("", "THREE_DAYS"), ("1440", "ONE_DAY"), ("4320", "THREE_DAYS"), ("10080", "SEVEN_DAYS")]
    {
        let options = [("poll", "a\nb"), ("poll_question", "?"), ("poll_minutes", minutes)];
        let body = body_of(&with_options(&options, Vec::new()));
        assert_eq!(body["content"]["poll"]["settings"]["duration"], duration, "{minutes}");
    }
    for (visibility, word) in
        [("public", "PUBLIC"), ("connections", "CONNECTIONS"), ("logged_in", "LOGGED_IN")]
    {
        assert!(takes(connector(), "visibility", visibility), "{visibility}");
        let job = as_member(with_options(&[("visibility", visibility)], Vec::new()));
        assert_eq!(body_of(&job)["visibility"], word);
    }
    for visibility in ["unlisted", "private", "direct", "", "PUBLIC"] {
        assert!(!takes(connector(), "visibility", visibility), "{visibility}");
    }
    for minutes in ["60", "5000", "THREE_DAYS"] {
        assert!(!takes(connector(), "poll_minutes", minutes), "{minutes}");
    }
}

#[test]
fn a_film_goes_up_in_pieces_to_an_address_each_and_is_waited_for() {
    for job in [post("A film", vec![film()]), as_member(post("A film", vec![film()]))] {
        let sent = play(connector(), &FAKE, &job).sent;
        assert_eq!(
            paths(&sent),
            [
                "Post /rest/videos initializeUpload",
                "Put /dms-uploads/file-1/0",
                "Put /dms-uploads/file-1/1",
                "Put /dms-uploads/file-1/2",
                "Post /rest/videos finalizeUpload",
                "Get /rest/videos/urn%3Ali%3Avideo%3AC4E10AQ1",
                "Get /rest/videos/urn%3Ali%3Avideo%3AC4E10AQ1",
                "Get /rest/videos/urn%3Ali%3Avideo%3AC4E10AQ1",
                "Post /rest/posts",
            ]
        );
        let wanted = json!({ "initializeUploadRequest": {
            "owner": job.author.remote_id, "fileSizeBytes": 9_437_184,
            "uploadCaptions": false, "uploadThumbnail": false,
        } });
        assert_eq!(json_of(&sent[0]), &wanted);
        let ranges = [(0, 4_194_304), (4_194_304, 8_388_608), (8_388_608, 9_437_184)];
        for (request, (start, end)) in sent[1..4].iter().zip(ranges) {
            let range = Some(ByteRange { start, end });
            let content_type = "application/octet-stream".to_owned();
            let media = job.parts[0].media[0].id;
            assert_eq!(request.body, Body::File { media, range, content_type });
            assert_eq!(request.auth, Auth::None, "the address is signed");
            assert!(request.headers.is_empty());
        }
        let wanted = json!({ "finalizeUploadRequest": {
            "video": "urn:li:video:C4E10AQ1", "uploadToken": "AQtoken",
            "uploadedPartIds": ["tag-0", "tag-1", "tag-2"],
        } });
        assert_eq!(json_of(&sent[4]), &wanted);
    }
}

#[test]
fn pieces_that_are_not_the_file_are_not_sent() {
    let job = post("A film", vec![film()]);
    let piece = |first: u64, last: u64| json!({ "uploadUrl": "https://www.linkedin.com/dms-uploads/a/0", "firstByte": first, "lastByte": last });
    let end = 9 * 1024 * 1024 - 1;
    for pieces in [
        json!([]),
        json!([piece(0, end - 1)]),
        json!([piece(0, end + 1)]),
        json!([piece(1, end)]),
        json!([piece(0, 9), piece(11, end)]),
        json!([piece(0, 9), piece(9, end)]),
        json!([{ "firstByte": 0, "lastByte": end }]),
        Value::Null,
    ] {
        let value = json!({ "video": "urn:li:video:C", "uploadInstructions": pieces });
        let answer = reply(200, json!({ "value": value }));
        let refused = connector().accept(&connector().begin(&job), &job, &answer).unwrap();
        assert_eq!(refused.unwrap_err().kind, RefusalKind::Unreadable, "{pieces}");
    }
}

#[test]
fn a_piece_without_a_tag_cannot_be_put_together() {
    let job = post("A film", vec![film()]);
    let upload = play(connector(), &FAKE, &job).steps[1].clone();
    let refused = connector().accept(&upload, &job, &reply(200, Value::Null)).unwrap();
    assert_eq!(refused.unwrap_err().kind, RefusalKind::Unreadable);
}

#[test]
fn files_of_a_member_are_given_time_and_those_of_an_organization_are_asked_for() {
    for (file, kind) in [(image(1), "image"), (document("a.pdf"), "document")] {
        let ours = play(connector(), &FAKE, &post("One", vec![file.clone()])).sent;
        let look = format!("Get /rest/{kind}s/urn%3Ali%3A{kind}%3AC4E10AQ1");
        assert_eq!(
            paths(&ours),
            [
                format!("Post /rest/{kind}s initializeUpload"),
                "Put /dms-uploads/file-1/0".to_owned(),
                look.clone(),
                look.clone(),
                look,
                "Post /rest/posts".to_owned(),
            ]
        );
        let job = as_member(post("One", vec![file]));
        let Played { sent, steps, .. } = play(connector(), &FAKE, &job);
        assert_eq!(paths(&sent), [&paths(&ours)[..2], &paths(&ours)[5..]].concat());
        assert_eq!(sent[2].repeat, Repeat::Duplicates);
        let next = connector().accept(&steps[1], &job, &reply(201, Value::Null)).unwrap();
        assert_eq!(next, Ok(Next::Wait(Duration::from_secs(8), steps[2].clone())));
    }
}

#[test]
fn the_token_goes_to_linkedin_alone() {
    let mut job = post("A picture", vec![image(1)]);
    for (address, auth) in [
        ("https://www.linkedin.com/dms-uploads/a", Auth::Access),
        ("https://eu.media.linkedin.com/a", Auth::Access),
        ("https://api.linkedin.com/a", Auth::Access),
        ("http://www.linkedin.com/a", Auth::None),
        ("https://linkedin.com.example/a", Auth::None),
        ("https://evil-linkedin.com/a", Auth::None),
        ("http://127.0.0.1:7701/linkedin/a", Auth::None),
    ] {
        let value = json!({ "image": "urn:li:image:C", "uploadUrl": address });
        let answer = reply(200, json!({ "value": value }));
        let next = connector().accept(&connector().begin(&job), &job, &answer).unwrap();
        let Ok(Next::Go(upload)) = next else { panic!("{next:?}") };
        let request = connector().request(&upload, &job).unwrap();
        assert_eq!((request.url.as_str(), request.auth), (address, auth));
        assert_eq!(request.method, Method::Put);
    }
    // A sandbox names itself.
    job.site.endpoints.insert("web".to_owned(), "http://127.0.0.1:7701/linkedin".to_owned());
    let value = json!({ "image": "urn:li:image:C", "uploadUrl": "http://127.0.0.1:7701/up/1" });
    let answer = reply(200, json!({ "value": value }));
    let next = connector().accept(&connector().begin(&job), &job, &answer).unwrap();
    let Ok(Next::Go(upload)) = next else { panic!("{next:?}") };
    assert_eq!(connector().request(&upload, &job).unwrap().auth, Auth::Access);
}

#[test]
fn a_file_is_asked_for_ever_more_slowly_and_given_up_in_the_end() {
    let job = post("A picture", vec![image(1)]);
    let ready = ["urn:li:image:C"];
    let process = |polls: u32| json!({ "Process": { "ready": ready, "seen": 0, "polls": polls } });
    let wait = |polls, status: &str| {
        let answer = reply(200, json!({ "status": status, "processingFailureReason": "Odd." }));
        match connector().accept(&process(polls), &job, &answer).unwrap() {
            Ok(Next::Wait(wait, step)) => {
                assert_eq!(step, process(polls + 1));
                Ok(wait.as_secs())
            }
            Ok(other) => panic!("{other:?}"),
            Err(refused) => Err(refused.kind),
        }
    };
    assert_eq!(wait(0, "PROCESSING"), Ok(5));
    assert_eq!(wait(0, "WAITING_UPLOAD"), Ok(5));
    assert_eq!(wait(6, "PROCESSING"), Ok(15));
    assert_eq!(wait(46, "PROCESSING"), Err(RefusalKind::Media));
    assert_eq!(wait(0, "PROCESSING_FAILED"), Err(RefusalKind::Media));
    assert_eq!(wait(0, "SOMETHING_NEW"), Err(RefusalKind::Unreadable));
    // A read that is refused does not hold the post up: creating it will tell.
    let denied = reply(403, json!({ "message": "resource is forbidden" }));
    let next = connector().accept(&process(0), &job, &denied).unwrap();
    let publish = json!({ "Publish": { "ready": ["urn:li:image:C"], "waits": 0 } });
    assert_eq!(next, Ok(Next::Wait(Duration::from_secs(8), publish)));
}

#[test]
fn a_post_waits_for_a_file_that_was_not_ready_after_all() {
    let job = as_member(post("A picture", vec![image(1)]));
    let publish =
        |waits: u32| json!({ "Publish": { "ready": ["urn:li:image:C"], "waits": waits } });
    for body in [
        json!({ "code": "MEDIA_ASSET_WAITING_UPLOAD", "message": "Media asset is waiting upload" }),
        json!({ "errorDetails": { "inputErrors": [{ "code": "MEDIA_ASSET_WAITING_UPLOAD" }] } }),
    ] {
        let next = connector().accept(&publish(0), &job, &reply(400, body.clone())).unwrap();
        assert_eq!(next, Ok(Next::Wait(Duration::from_secs(15), publish(1))));
        let refused = connector().accept(&publish(40), &job, &reply(400, body)).unwrap();
        assert_eq!(refused.unwrap_err().kind, RefusalKind::Media);
    }
}

#[test]
fn the_id_is_in_a_header_and_a_success_without_it_is_unreadable() {
    let job = post("hi", Vec::new());
    let publish = connector().begin(&job);
    let accept = |reply: &Reply| connector().accept(&publish, &job, reply).unwrap();
    for id in ["urn:li:ugcPost:7", "urn%3Ali%3AugcPost%3A7"] {
        let Ok(Next::Done(live)) = accept(&created(id)) else { panic!("{id}") };
        assert_eq!(live[0].id, "urn:li:ugcPost:7");
        assert_eq!(live[0].url, "https://www.linkedin.com/feed/update/urn:li:ugcPost:7/");
    }
    for answer in [created(""), created("7"), reply(201, json!({ "id": "urn:li:share:7" }))] {
        assert_eq!(accept(&answer).unwrap_err().kind, RefusalKind::Unreadable, "{answer:?}");
    }
}

#[test]
fn a_comment_is_plain_text_below_the_post() {
    let Played { sent, live, .. } = play(connector(), &FAKE, &with_comment());
    let urn = "urn:li:share:6844785523593134080";
    assert_eq!(
        sent[1].url,
        "https://api.linkedin.com/rest/socialActions/urn%3Ali%3Ashare%3A6844785523593134080/comments"
    );
    let wanted = json!({ "actor": PAGE, "object": urn, "message": { "text": "The (comment)" } });
    assert_eq!(json_of(&sent[1]), &wanted);
    assert_eq!(live[1], Live { id: "66360".to_owned(), url: live[0].url.clone() });
}
