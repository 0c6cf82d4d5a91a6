//! A film's way up: pieces, cuts at any byte, and a session that is gone.

use super::*;

const PIECE: u64 = 16 * 1024 * 1024;
const TOTAL: u64 = 2 * PIECE + 7;

fn job() -> Job {
    let film = JobMedia { bytes: TOTAL, ..film() };
    with_options(&[("title", "A walk"), ("made_for_kids", "false")], vec![film])
}

fn upload(rounds: u32) -> Value {
    json!({ "address": SESSION, "opened": NOW, "rounds": rounds })
}

fn send(from: u64) -> Value {
    json!({ "Send": { "upload": upload(0), "from": from } })
}

fn ask(rounds: u32) -> Value {
    json!({ "Ask": { "upload": upload(rounds) } })
}

fn stored(last: Option<u64>) -> Reply {
    match last {
        Some(last) => with_header(reply(308, Value::Null), "range", &format!("bytes=0-{last}")),
        None => reply(308, Value::Null),
    }
}

fn range_of(step: &Value) -> String {
    let request = connector().request(step, &job()).unwrap();
    assert_eq!((request.url.as_str(), request.repeat), (SESSION, Repeat::Harmless));
    request.headers.into_iter().find(|(name, _)| *name == "content-range").unwrap().1
}

#[test]
fn a_film_goes_up_in_pieces_of_whole_quarter_megabytes() {
    let Played { sent, .. } = play(connector(), &FAKE, &job());
    let ranges: Vec<&str> = sent
        .iter()
        .flat_map(|request| &request.headers)
        .filter(|(name, _)| *name == "content-range")
        .map(|(_, range)| range.as_str())
        .collect();
    let total = TOTAL;
    let wanted = [
        format!("bytes 0-{}/{total}", PIECE - 1),
        format!("bytes {PIECE}-{}/{total}", 2 * PIECE - 1),
        format!("bytes {}-{}/{total}", 2 * PIECE, total - 1),
    ];
    assert_eq!(ranges, wanted);
    assert_eq!(PIECE % (256 * 1024), 0);
}

/// The answer names how much is there, and from that byte it goes on.
#[test]
fn after_a_cut_it_goes_on_at_the_byte_that_youtube_names() {
    for last in [0, 1, 255, 4_711, PIECE - 2, PIECE - 1, PIECE, TOTAL - 2] {
        let next = accept(ask(1), &job(), &stored(Some(last))).unwrap();
        let Next::Go(step) = next else { panic!("{next:?}") };
        assert_eq!(step["Send"]["from"], last + 1);
        let end = TOTAL.min(last + 1 + PIECE) - 1;
        assert_eq!(range_of(&step), format!("bytes {}-{end}/{TOTAL}", last + 1));
    }
    let nothing = accept(ask(1), &job(), &stored(None)).unwrap();
    assert_eq!(nothing, Next::Go(json!({ "Send": { "upload": upload(1), "from": 0 } })));
    // It was all there, and only the answer was lost.
    let done = reply(201, json!({ "id": VIDEO }));
    let process = Next::Go(json!({ "Process": { "video": VIDEO, "polls": 0 } }));
    assert_eq!(accept(ask(1), &job(), &done).unwrap(), process);
    assert_eq!(accept(send(0), &job(), &done).unwrap(), process);
}

#[test]
fn asking_how_much_is_there_sends_nothing() {
    assert_eq!(range_of(&ask(0)), format!("bytes */{TOTAL}"));
    let request = connector().request(&ask(0), &job()).unwrap();
    assert_eq!((request.method, request.body, request.units), (Method::Put, Body::Empty, 0));
}

#[test]
fn a_server_that_does_not_get_on_is_asked_and_given_up_after_a_few_rounds() {
    let odd = |range: &str| with_header(reply(308, Value::Null), "range", range);
    // It stands still, goes back, claims all without a video, or calls the piece misplaced.
    for answer in [
        stored(Some(PIECE - 1)),
        stored(Some(7)),
        stored(None),
        stored(Some(TOTAL - 1)),
        stored(Some(TOTAL + 5)),
        reply(400, Value::Null),
        reply(416, Value::Null),
    ] {
        let next = accept(send(PIECE), &job(), &answer).unwrap();
        assert!(
            matches!(&next, Next::Wait(wait, step) if !wait.is_zero() && *step == ask(1)),
            "{next:?}"
        );
    }
    for range in ["bytes=5-9", "bytes=0-", "0-9", "bytes=0-18446744073709551615"] {
        let refused = accept(send(PIECE), &job(), &odd(range)).unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Unreadable, "{range}");
    }
    // Whatever it says, it comes to an end.
    let (mut step, mut requests) = (send(PIECE), 0);
    let refused = loop {
        requests += 1;
        match accept(step, &job(), &stored(Some(7))) {
            Ok(Next::Go(next) | Next::Wait(_, next)) => step = next,
            Ok(Next::Done(live)) => panic!("{live:?}"),
            Err(refused) => break refused,
        }
        assert!(requests < 30, "it asks in a circle");
    };
    assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Media, "upload_stuck"));
}

fn listed(title: &str, text: &str, privacy: &str, after: i64) -> Value {
    let at = Timestamp(NOW.0.checked_add_signed(after * 1_000).unwrap());
    json!({
        "snippet": { "title": title, "description": text, "publishedAt": at.rfc3339() },
        "status": { "privacyStatus": privacy },
        "contentDetails": { "videoId": format!("v{after}") },
    })
}

#[test]
fn a_session_that_is_gone_leads_to_the_video_or_to_another_upload() {
    let search = |looks: u32| json!({ "Search": { "upload": upload(0), "looks": looks } });
    for status in [404, 410] {
        for step in [send(PIECE), ask(0)] {
            assert_eq!(accept(step, &job(), &reply(status, Value::Null)), Ok(Next::Go(search(0))));
        }
    }
    let request = connector().request(&search(0), &job()).unwrap();
    crate::specs::check("youtube", &request);
    let query = "part=snippet,contentDetails,status&playlistId=UUada&maxResults=50";
    assert_eq!(request.url, format!("https://www.googleapis.com/youtube/v3/playlistItems?{query}"));
    let look =
        |looks, items: Value| accept(search(looks), &job(), &reply(200, json!({ "items": items })));
    let ours = listed("A walk", "Through the hills", "private", 5);
    let others = json!([
        listed("A walk", "Through the hills", "public", 5),
        listed("A walk", "Through the hills", "private", -61),
        listed("A walk", "Through the woods", "private", 5),
        listed("Another", "Through the hills", "private", 5),
    ]);
    let found = Next::Go(json!({ "Process": { "video": "v5", "polls": 0 } }));
    assert_eq!(look(0, json!([others[0], ours, others[1]])), Ok(found));
    for looks in 0..2 {
        let next = look(looks, others.clone()).unwrap();
        assert!(matches!(&next, Next::Wait(_, step) if *step == search(looks + 1)), "{next:?}");
    }
    // Another upload does no harm; somebody else's video would.
    for items in [others, json!([ours, ours])] {
        let refused = look(2, items).unwrap_err();
        assert_eq!((refused.kind, refused.code.as_str()), (RefusalKind::Media, "upload_gone"));
    }
    let unreadable = accept(search(0), &job(), &reply(200, json!({}))).unwrap_err();
    assert_eq!(unreadable.kind, RefusalKind::Unreadable);
}

/// The channel's token goes along.
#[test]
fn the_address_of_a_session_has_to_be_googles() {
    let opened = |address: &str| {
        let answer = with_header(reply(200, Value::Null), "location", address);
        accept(json!("Open"), &job(), &answer).map_err(|refused| refused.kind)
    };
    assert!(opened(SESSION).is_ok());
    assert!(opened("https://youtube.googleapis.com/upload?upload_id=1").is_ok());
    for address in [
        "http://www.googleapis.com/upload?upload_id=1",
        "https://www.googleapis.com.example/upload",
        "https://googleapis.example/upload",
        "/upload?upload_id=1",
        "",
    ] {
        assert_eq!(opened(address), Err(RefusalKind::Unreadable), "{address}");
    }
    let without = accept(json!("Open"), &job(), &reply(200, Value::Null)).unwrap_err();
    assert_eq!(without.kind, RefusalKind::Unreadable);
}
