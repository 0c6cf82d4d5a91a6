//! Pieces of a video, and what is known when an answer about them is lost.

use std::path::Path;

use fanfare::connectors::{Job, Next, Repeat, Reply, Sighting};
use fanfare::domain::refusal::RefusalKind;
use serde_json::{Value, json};

use super::{
    LARGE, accept, address, confirm, connector, content_range, film_job, large_film, listed,
    manner, ok, photo_job, public, sent, with_options,
};
use crate::fake::{json_of, path_of, reply};

fn piece(name: &str, piece: u64, corrections: u32) -> Value {
    json!({ name: {
        "manner": public(), "piece": piece, "corrections": corrections,
        "upload": {
            "publish": "v_pub_file~v2-1.1", "address": address(1), "chunk": 10_000_000,
        },
    } })
}

fn at(status: u16, range: &str) -> Reply {
    let mut answer = reply(status, Value::Null);
    if !range.is_empty() {
        answer.headers.push(("content-range".to_owned(), range.to_owned()));
    }
    answer
}

fn waiting(received: &Value) -> Reply {
    reply(200, ok(json!({ "status": "PROCESSING_UPLOAD", "uploaded_bytes": received })))
}

/// `(range, bytes, status)` of every piece, after what TikTok was told about them.
fn pieces(job: &Job) -> (Value, Vec<(String, u64)>) {
    let sent = sent(job);
    let mut told = Vec::new();
    for request in sent.iter().filter(|request| path_of(request) == "/video/") {
        let (first, last, total) = content_range(request);
        told.push((format!("bytes {first}-{last}/{total}"), last + 1 - first));
    }
    (json_of(&sent[1])["source_info"].clone(), told)
}

#[test]
fn pieces_are_as_in_the_examples_of_the_platform() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/specs/tiktok/upload-chunk-vectors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: no vectors at ../shared/specs");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let mut job = film_job();
        job.parts[0].media[0].bytes = vector["source_info"]["video_size"].as_u64().unwrap();
        let (source, told) = pieces(&job);
        assert_eq!(source, vector["source_info"]);
        let wanted = vector["requests"].as_array().unwrap().iter().map(|it| {
            let range = it["content_range"].as_str().unwrap().to_owned();
            (range, it["content_length"].as_u64().unwrap())
        });
        assert_eq!(told, wanted.collect::<Vec<_>>());
    }
}

#[test]
fn pieces_of_any_size_keep_to_the_rules() {
    const MEGABYTE: u64 = 1_000_000;
    for bytes in [
        1,
        4_999_999,
        5_000_000,
        5_242_880,
        19_999_999,
        20_000_000,
        29_999_999,
        64_000_001,
        499_999_999,
        500_000_000,
        4_000_000_000,
    ] {
        let mut job = film_job();
        job.parts[0].media[0].bytes = bytes;
        let (source, told) = pieces(&job);
        let chunk = source["chunk_size"].as_u64().unwrap();
        let count = source["total_chunk_count"].as_u64().unwrap();
        assert_eq!(count, bytes / chunk, "{bytes}");
        assert_eq!(usize::try_from(count).unwrap(), told.len(), "{bytes}");
        assert!((1..=1_000).contains(&count), "{bytes}");
        assert!(bytes <= 64 * MEGABYTE || count > 1, "{bytes}");
        assert!(chunk <= 64 * MEGABYTE && (chunk >= 5_242_880 || chunk == bytes), "{bytes}");
        let (last, before) = told.split_last().unwrap();
        assert!(before.iter().all(|(_, length)| *length == chunk), "{bytes}");
        assert!(last.1 >= chunk && last.1 <= 128 * MEGABYTE, "{bytes}");
        assert_eq!(told.iter().map(|(_, length)| length).sum::<u64>(), bytes);
    }
}

#[test]
fn only_the_last_piece_is_armed() {
    let sent = sent(&large_film());
    let keyed = |request: &&_| {
        matches!(request, fanfare::connectors::Request { repeat: Repeat::Keyed { .. }, .. })
    };
    assert_eq!(sent.iter().filter(keyed).count(), 1);
    let last = sent.iter().position(|request| keyed(&request)).unwrap();
    assert_eq!(content_range(&sent[last]), (40_000_000, LARGE - 1, LARGE));
}

#[test]
fn where_it_stands_elsewhere_is_asked_and_gone_on_from_there() {
    let job = large_film();
    for range in ["bytes 0-9999999/50000123", "bytes 0-10000000/50000123", ""] {
        let next = accept(&piece("Send", 0, 2), &job, &at(206, range)).unwrap();
        assert_eq!(next, Next::Go(piece("Send", 1, 2)), "{range}");
    }
    for answer in [
        at(206, "bytes 0-29999999/50000123"),
        at(206, "bytes 0-0/50000123"),
        at(206, "odd"),
        at(201, ""),
        at(416, "bytes 0-9999999/50000123"),
    ] {
        let next = accept(&piece("Send", 0, 0), &job, &answer).unwrap();
        assert_eq!(next, Next::Go(piece("Ask", 0, 0)), "{answer:?}");
    }
    for answer in [at(206, ""), at(416, "")] {
        let next = accept(&piece("Send", 4, 0), &job, &answer).unwrap();
        assert_eq!(next, Next::Go(piece("Ask", 4, 0)), "{answer:?}");
    }
    let next = accept(&piece("Ask", 0, 0), &job, &waiting(&json!(20_000_000))).unwrap();
    assert_eq!(next, Next::Go(piece("Send", 2, 1)));
    let next = accept(&piece("Ask", 4, 0), &job, &waiting(&json!(LARGE))).unwrap();
    assert_eq!(next, Next::Go(confirm(public(), 0, 0)));
    let complete = reply(200, ok(json!({ "status": "PUBLISH_COMPLETE" })));
    let next = accept(&piece("Ask", 4, 5), &job, &complete).unwrap();
    assert_eq!(next, Next::Go(confirm(public(), 0, 0)));
}

#[test]
fn a_server_that_lies_about_where_it_stands_is_given_up() {
    let job = large_film();
    let ask = |corrections, received: Value| {
        accept(&piece("Ask", 4, corrections), &job, &waiting(&received))
    };
    for received in [json!(LARGE + 1), json!(60_000_000)] {
        assert_eq!(ask(0, received.clone()), Err(RefusalKind::Media), "{received}");
    }
    assert_eq!(ask(0, Value::Null), Err(RefusalKind::Unreadable));
    // The same place again and again.
    let (mut step, mut rounds) = (piece("Send", 4, 0), 0);
    let end = loop {
        rounds += 1;
        assert!(rounds < 20, "it goes in a circle");
        let answer = match step.get("Send").is_some() {
            true => at(416, ""),
            false => waiting(&json!(40_000_000)),
        };
        match accept(&step, &job, &answer) {
            Ok(Next::Go(next)) => step = next,
            other => break other,
        }
    };
    assert_eq!(end, Err(RefusalKind::Media));
}

#[test]
fn an_upload_that_ends_within_a_piece_is_begun_anew_once() {
    let job = large_film();
    for received in [json!(123), json!(50_000_000)] {
        let next = accept(&piece("Ask", 4, 0), &job, &waiting(&received)).unwrap();
        assert_eq!(next, Next::Go(json!({ "Start": { "manner": public(), "restarts": 1 } })));
        let mut again = piece("Ask", 4, 0);
        again["Ask"]["upload"]["restarts"] = json!(1);
        assert_eq!(accept(&again, &job, &waiting(&received)), Err(RefusalKind::Media));
    }
}

#[test]
fn an_upload_that_is_over_begins_anew_unless_all_had_arrived() {
    let job = large_film();
    for status in [403, 404] {
        let refused = accept(&piece("Send", 1, 0), &job, &at(status, ""));
        assert_eq!(refused, Err(RefusalKind::Media));
        // The last piece may have come before.
        let next = accept(&piece("Send", 4, 0), &job, &at(status, "")).unwrap();
        assert_eq!(next, Next::Go(piece("Ask", 4, 5)));
    }
    let refused = accept(&piece("Ask", 4, 5), &job, &waiting(&json!(40_000_000)));
    assert_eq!(refused, Err(RefusalKind::Media));
    let next = accept(&piece("Ask", 4, 5), &job, &waiting(&json!(LARGE))).unwrap();
    assert_eq!(next, Next::Go(confirm(public(), 0, 0)));
}

#[test]
fn an_address_that_is_none_is_not_followed() {
    let job = film_job();
    let step = json!({ "Start": { "manner": public() } });
    for address in ["", "/video/?upload_id=1", "file:///etc/passwd", "open-upload.tiktokapis.com"] {
        let data = json!({ "publish_id": "v_pub_file~v2-1.1", "upload_url": address });
        let refused = accept(&step, &job, &reply(200, ok(data)));
        assert_eq!(refused, Err(RefusalKind::Unreadable), "{address}");
    }
}

fn look(step: &Value, job: &Job, answer: &Reply) -> Sighting<Value> {
    connector().recognise(step, job, answer).unwrap()
}

#[test]
fn a_lost_last_piece_is_known_by_the_upload() {
    let job = large_film();
    let step = piece("Send", 4, 0);
    assert!(connector().probe(&piece("Send", 3, 0), &job).unwrap().is_none());
    let found = Sighting::Found(Next::Go(confirm(public(), 0, 0)));
    assert_eq!(look(&step, &job, &waiting(&json!(LARGE))), found);
    for status in ["PUBLISH_COMPLETE", "FAILED", "SEND_TO_USER_INBOX"] {
        let answer = reply(200, ok(json!({ "status": status })));
        assert_eq!(look(&step, &job, &answer), found, "{status}");
    }
    assert_eq!(look(&step, &job, &waiting(&json!(40_000_000))), Sighting::Absent);
    for answer in [
        waiting(&Value::Null),
        waiting(&json!(LARGE + 1)),
        reply(200, ok(json!({ "status": "NEW_WORD" }))),
        reply(400, json!({ "error": { "code": "invalid_publish_id", "message": "no" } })),
    ] {
        let seen = look(&step, &job, &answer);
        assert!(matches!(seen, Sighting::Unsure(_)), "{answer:?}: {seen:?}");
    }
}

#[test]
fn lost_photos_are_found_among_public_posts_by_what_they_say() {
    let job = with_options(photo_job(), &[("title", "A day out")]);
    let step = json!({ "Photos": { "manner": public() } });
    let list = |posts: Value, has_more: bool| {
        reply(200, ok(json!({ "videos": posts, "cursor": 0, "has_more": has_more })))
    };
    let post = |id: &str, after, title: &str, text: &str| {
        listed(id, after, &json!({ "title": title, "description": text }))
    };
    let is_found = |job: &Job, posts: Value| match look(&step, job, &list(posts, true)) {
        Sighting::Found(Next::Done(live)) => {
            assert_eq!(live[0].url, "https://www.tiktok.com/@ada/photo/7");
            live[0].id == "7"
        }
        _ => false,
    };
    assert!(is_found(&job, json!([post("7", 1, "A day out", "What we  saw")])));
    assert!(is_found(&job, json!([post("7", 0, "A day out What we saw", "")])));
    assert!(is_found(&job, json!([post("7", 1, "", "A day out What we saw")])));
    // Something else of that moment does not hide it.
    let other = post("8", 5, "Another", "film");
    assert!(is_found(&job, json!([other, post("7", 1, "", "What we saw")])));
    let mut long = job.clone();
    long.parts[0].text = "word ".repeat(60);
    assert!(is_found(&long, json!([post("7", 1, &"word ".repeat(60)[..150], "")])));

    let older = post("3", -3_600, "A day out", "What we saw");
    let unsure = |posts: Value, has_more| {
        let seen = look(&step, &job, &list(posts.clone(), has_more));
        assert!(matches!(seen, Sighting::Unsure(_)), "{posts}: {seen:?}");
    };
    // The same text in an older post is not this one.
    unsure(json!([older]), true);
    // Nothing is no proof: a post appears in the list only once it was reviewed.
    unsure(json!([]), false);
    unsure(json!([]), true);
    unsure(json!([post("7", -30, "A day out", "What we saw")]), false);
    unsure(json!([post("7", 9, "A day out", "Another")]), false);
    let twice = [post("7", 9, "", "What we saw"), post("6", 1, "", "What we saw")];
    unsure(json!(twice), false);
    unsure(json!([{ "id": "7" }]), false);
    // A post without words is like any other.
    let mut mute = photo_job();
    mute.parts[0].text.clear();
    let seen = look(&step, &mute, &list(json!([post("7", 1, "", "")]), false));
    assert!(matches!(seen, Sighting::Unsure(_)), "{seen:?}");
}

#[test]
fn what_is_not_for_everybody_cannot_be_looked_for() {
    let job = photo_job();
    let step = json!({ "Photos": { "manner": manner("FOLLOWER_OF_CREATOR") } });
    let none = reply(200, ok(json!({ "videos": [], "has_more": false })));
    let Sighting::Unsure(why) = look(&step, &job, &none) else { panic!("it cannot be known") };
    assert!(why.contains("only public posts"), "{why}");
    let request = connector().request(&step, &job).unwrap();
    assert!(matches!(request.repeat, Repeat::Probed { settle } if settle.is_zero()));
}
