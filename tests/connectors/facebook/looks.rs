//! What tells a post of ours from others, on each of the lists that Facebook has.

use fanfare::connectors::{Job, Next, Reply, Sighting};
use serde_json::{Value, json};

use super::{PAGE, at, connector, film, listed, photo, with};
use crate::fake::{part, path_of, query_of, reply};

fn outcome(sighting: Sighting<Value>) -> String {
    match sighting {
        Sighting::Found(Next::Done(live)) => format!("found {}", live[0].id),
        Sighting::Found(Next::Go(step)) => step.as_object().unwrap().keys().next().unwrap().clone(),
        Sighting::Found(other) => panic!("{other:?}"),
        Sighting::Absent => "absent".to_owned(),
        Sighting::Unsure(reason) => {
            assert!(!reason.is_empty());
            "unsure".to_owned()
        }
    }
}

fn seen(job: &Job, step: &Value, answer: &Reply) -> String {
    outcome(connector().recognise(step, job, answer).unwrap())
}

#[test]
fn a_text_is_found_by_itself_and_its_time() {
    let job = with(&[], vec![part("Fresh bread today at  seven", Vec::new())]);
    let step = connector().begin(&job);
    let request = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(path_of(&request), "/v26.0/1234567890/published_posts");
    let post = |id: &str, seconds, text: &str| {
        let mut post = listed(id, &json!({ "message": text }));
        post["created_time"] = json!(at(seconds));
        post
    };
    let same = "Fresh bread today at seven";
    let mut of_photo = post("5", 0, same);
    of_photo["attachments"] = json!({ "data": [{ "media_type": "photo", "target": {} }] });
    let mut no_time = post("6", 0, "Other");
    no_time["created_time"] = json!("yesterday");
    for (posts, expected) in [
        (json!([]), "absent"),
        (json!([post("5", 0, same)]), "found 5"),
        (json!([post("5", -11, same)]), "found 5"),
        // The job was armed ten seconds ago: this one is older, or our clock is wrong.
        (json!([post("5", -12, same)]), "unsure"),
        (json!([post("5", -311, same)]), "absent"),
        (json!([post("6", 0, same), post("5", -12, same)]), "found 6"),
        (json!([post("6", 0, same), post("5", 0, same)]), "unsure"),
        (json!([post("5", 0, "Fresh bread today at eight")]), "unsure"),
        (json!([post("5", -12, "Fresh bread today at eight")]), "absent"),
        (json!([post("5", 0, "Closed on Monday")]), "absent"),
        (json!([of_photo]), "unsure"),
        (json!([no_time]), "unsure"),
    ] {
        let answer = reply(200, json!({ "data": posts, "paging": {} }));
        assert_eq!(seen(&job, &step, &answer), expected, "{posts}");
    }
    let more = |posts: Value| {
        let next = "https://graph.facebook.com/next";
        seen(&job, &step, &reply(200, json!({ "data": posts, "paging": { "next": next } })))
    };
    assert_eq!(more(json!([post("5", 0, "Closed")])), "unsure");
    assert_eq!(more(json!([post("5", 0, "Closed"), post("4", -999, "Open")])), "absent");
    let mut apart = reply(200, json!({ "data": [], "paging": {} }));
    apart.headers.push(("date".to_owned(), "Sat, 21 Nov 2026 08:50:00 GMT".to_owned()));
    assert_eq!(seen(&job, &step, &apart), "unsure");
}

#[test]
fn a_photo_that_was_staged_for_it_proves_a_post() {
    let job = with(&[], vec![part("Bread", vec![photo(1), photo(2)])]);
    let step = json!({ "Publish": { "photos": ["50001", "50002"] } });
    let post = |text: &str, photos: &[&str], seconds| {
        let attached: Vec<Value> =
            photos.iter().map(|photo| json!({ "media_fbid": photo })).collect();
        let mut post = listed("5", &json!({ "message": text, "attached_media": attached }));
        post["created_time"] = json!(at(seconds));
        post
    };
    for (listed, expected) in [
        (post("Bread", &["50001", "50002"], 0), "found 5"),
        // Whatever became of the text, the other photo or the time.
        (post("Cake", &["50002"], -900), "found 5"),
        (post("Bread", &[], 0), "found 5"),
        (post("Bread", &["4", "5"], 0), "unsure"),
        (post("Cake", &["4", "5"], 0), "absent"),
    ] {
        let answer = reply(200, json!({ "data": [listed], "paging": {} }));
        assert_eq!(seen(&job, &step, &answer), expected, "{listed}");
    }
    let wordless = with(&[], vec![part("", vec![photo(1)])]);
    for (listed, expected) in [
        (post("", &[], 0), "unsure"),
        (post("", &["4"], 0), "unsure"),
        (post("x", &[], 0), "absent"),
    ] {
        let answer = reply(200, json!({ "data": [listed], "paging": {} }));
        let step = json!({ "Publish": { "photos": ["50001"] } });
        assert_eq!(seen(&wordless, &step, &answer), expected, "{listed}");
    }
}

#[test]
fn a_film_is_looked_for_by_its_own_state() {
    let job = with(&[("format", "reel")], vec![part("A reel", vec![film()])]);
    let step = json!({ "Finish": { "film": { "video": "70001", "session": "", "post": "" } } });
    let request = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(path_of(&request), "/v26.0/70001");
    let phases = |whole: &str, publishing: &str, publish_status: &str| {
        json!({ "status": {
            "video_status": whole,
            "publishing_phase": { "status": publishing, "publish_status": publish_status },
        } })
    };
    let bare =
        |published: Value| json!({ "status": { "video_status": "ready" }, "published": published });
    for (body, expected) in [
        (phases("ready", "complete", "published"), "Confirm"),
        (phases("processing", "in_progress", "published"), "Confirm"),
        (phases("processing", "not_started", "published"), "Confirm"),
        (phases("error", "error", "draft"), "Confirm"),
        (phases("ready", "not_started", "draft"), "absent"),
        (phases("upload_complete", "not_started", "draft"), "absent"),
        (phases("uploading", "not_started", "draft"), "absent"),
        (phases("processing", "not_started", "draft"), "unsure"),
        (phases("pondering", "not_started", "draft"), "unsure"),
        (bare(json!(true)), "Confirm"),
        (bare(json!(false)), "absent"),
        (bare(Value::Null), "unsure"),
        (json!({ "id": "70001" }), "unsure"),
    ] {
        assert_eq!(seen(&job, &step, &reply(200, body.clone())), expected, "{body}");
    }
}

#[test]
fn a_story_is_found_by_what_it_was_made_of() {
    let of_photo = with(&[("format", "story")], vec![part("", vec![photo(1)])]);
    let of_film = with(&[("format", "story")], vec![part("", vec![film()])]);
    let publish = json!({ "Publish": { "photos": ["50001"] } });
    let finish = json!({ "Finish": { "film": { "video": "50001", "session": "", "post": "" } } });
    for (job, step) in [(of_photo, publish), (of_film, finish)] {
        for (stories, expected) in [
            (json!([]), "absent"),
            (json!([{ "post_id": "9", "media_id": "50001" }]), "Address"),
            (json!([{ "post_id": "9", "media_id": 50001 }]), "Address"),
            (json!([{ "post_id": "9", "media_id": "50002" }]), "absent"),
            (json!([{ "post_id": "9" }]), "unsure"),
            (json!([{ "media_id": "50001" }]), "unsure"),
        ] {
            let answer = reply(200, json!({ "data": stories }));
            assert_eq!(seen(&job, &step, &answer), expected, "{stories}");
        }
        let more = json!({ "data": [], "paging": { "next": "https://g.example" } });
        assert_eq!(seen(&job, &step, &reply(200, more)), "unsure");
        // Some accounts are said to have no such list.
        let none = json!({ "error": { "message": "No.", "code": 100 } });
        assert_eq!(seen(&job, &step, &reply(400, none)), "unsure");
    }
}

#[test]
fn a_comment_is_found_among_those_of_the_page() {
    let parts = vec![part("A post", Vec::new()), part("The recipe is below", Vec::new())];
    let job = with(&[], parts);
    let post = json!({ "id": "1234567890_9001", "url": "https://f.example/1" });
    let step = json!({ "Comment": { "post": post, "below": "1234567890_9001" } });
    let request = connector().probe(&step, &job).unwrap().unwrap();
    assert_eq!(path_of(&request), "/v26.0/1234567890_9001/comments");
    assert_eq!(query_of(&request, "filter").as_deref(), Some("stream"));
    let comment = |from: Value, text: &str, seconds| {
        let created = at(seconds);
        json!({ "id": "9001_7", "message": text, "from": from, "created_time": created })
    };
    let same = "The recipe is below";
    let (page, visitor) = (json!({ "id": PAGE }), json!({ "id": "77" }));
    for (comments, expected) in [
        (json!([]), "absent"),
        (json!([comment(page.clone(), same, 0)]), "found 1234567890_9001"),
        (json!([comment(Value::Null, same, 0)]), "found 1234567890_9001"),
        (json!([comment(visitor, same, 0)]), "absent"),
        (json!([comment(page.clone(), "The recipe is here below", 0)]), "unsure"),
        (json!([comment(page.clone(), "Thank you all", 0)]), "absent"),
    ] {
        let answer = reply(200, json!({ "data": comments, "paging": {} }));
        assert_eq!(seen(&job, &step, &answer), expected, "{comments}");
    }
    let more = |seconds| {
        let comments = json!([comment(page.clone(), "Thank you all", seconds)]);
        let paging = json!({ "next": "https://graph.facebook.com/next" });
        seen(&job, &step, &reply(200, json!({ "data": comments, "paging": paging })))
    };
    assert_eq!((more(0), more(-999)), ("unsure".to_owned(), "absent".to_owned()));
}
