//! Whether a request took effect whose answer never came.

use super::*;

fn commented() -> Job {
    let mut job = post(vec![film()]);
    job.parts.push(part("First of\n all!", Vec::new()));
    job
}

fn seen(step: &str, body: Value) -> Sighting<Value> {
    let step = json!({ step: { "video": VIDEO } });
    connector().recognise(&step, &commented(), &reply(200, body)).unwrap()
}

fn is_unsure(seen: &Sighting<Value>) -> bool {
    matches!(seen, Sighting::Unsure(_))
}

#[test]
fn a_release_is_told_by_who_may_see_the_video() {
    let with = |privacy: &str| json!({ "items": [{ "status": { "privacyStatus": privacy } }] });
    let found = Sighting::Found(Next::Go(json!({ "Comment": { "video": VIDEO } })));
    assert_eq!(seen("Release", with("public")), found);
    assert_eq!(seen("Release", with("private")), Sighting::Absent);
    for body in [with("unlisted"), json!({ "items": [] }), json!({ "items": [{}] })] {
        assert!(is_unsure(&seen("Release", body.clone())), "{body}");
    }
}

#[test]
fn a_place_in_a_playlist_is_told_by_the_video_in_it() {
    let job = with_options(FULL, vec![film()]);
    let step = json!({ "Collect": { "video": VIDEO } });
    let probe = connector().probe(&step, &job).unwrap().unwrap();
    let query = "part=snippet&playlistId=PLwalks&videoId=dQw4w9WgXcQ&maxResults=5";
    assert_eq!(probe.url, format!("https://www.googleapis.com/youtube/v3/playlistItems?{query}"));
    let found = Sighting::Found(Next::Go(json!({ "Release": { "video": VIDEO } })));
    assert_eq!(seen("Collect", json!({ "items": [{ "id": "UExi" }] })), found);
    assert_eq!(seen("Collect", json!({ "items": [] })), Sighting::Absent);
}

#[test]
fn a_comment_is_told_by_its_author_its_time_and_its_text() {
    let armed = commented().armed.unwrap();
    let at = |seconds: i64| Timestamp(armed.0.checked_add_signed(seconds * 1_000).unwrap());
    let list = |threads: Value| json!({ "items": threads });
    let ours = comment("UgxC", CHANNEL, at(1), "First of all!");
    let Sighting::Found(Next::Done(live)) = seen("Comment", list(json!([ours]))) else {
        panic!("it is there")
    };
    assert_eq!(live[1], Live { id: "UgxC".to_owned(), url: format!("{WATCH}&lc=UgxC") });
    // Somebody else says the same; we said it an hour ago.
    let theirs = comment("1", "UCbo", at(1), "First of all!");
    let before = comment("2", CHANNEL, at(-3_600), "First of all!");
    assert_eq!(seen("Comment", list(json!([theirs, before]))), Sighting::Absent);
    assert_eq!(seen("Comment", list(json!([]))), Sighting::Absent);
    let other = comment("3", CHANNEL, at(1), "Second!");
    let undated = json!({ "id": "4", "snippet": {} });
    for threads in [json!([other]), json!([undated])] {
        assert!(is_unsure(&seen("Comment", list(threads.clone()))), "{threads}");
    }
    // A page that does not reach back proves nothing.
    let mut page = list(json!([theirs]));
    page["nextPageToken"] = json!("more");
    assert!(is_unsure(&seen("Comment", page.clone())));
    page["items"] = json!([theirs, before]);
    assert_eq!(seen("Comment", page), Sighting::Absent);
}

#[test]
fn an_upload_needs_no_look() {
    for step in ["Process", "Picture"] {
        let step = json!({ step: { "video": VIDEO, "polls": 0 } });
        assert_eq!(connector().probe(&step, &commented()).unwrap(), None);
        let seen = connector().recognise(&step, &commented(), &reply(200, json!({}))).unwrap();
        assert!(is_unsure(&seen));
    }
}
