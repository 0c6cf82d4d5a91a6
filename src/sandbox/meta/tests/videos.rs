//! Videos, reels and video stories of a page.

use super::*;

async fn status_of(alice: &Alice, video: &str) -> Value {
    let path = format!("{video}?fields=status,post_id,permalink_url,published");
    alice.get(&path).await.1
}

/// A reel or story with all its bytes, not finished.
async fn uploaded(alice: &Alice, edge: &str) -> String {
    let (_, begun) = alice.on_page(edge, json!({ "upload_phase": "start" })).await;
    let url = begun["upload_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/facebook/video-upload/v26.0/", alice.trial.origin)));
    let film = mp4();
    let (status, sent) = alice.rupload(url, 0, film.len(), &film).await;
    assert_eq!((status, &sent["success"]), (200, &json!(true)), "{sent}");
    begun["video_id"].as_str().unwrap().to_owned()
}

fn finish(video: &str) -> Value {
    json!({ "upload_phase": "finish", "video_id": video, "video_state": "PUBLISHED",
        "description": "a reel" })
}

#[tokio::test]
async fn a_reel_goes_up_is_finished_once_and_is_public_when_it_is_processed() {
    let alice = Alice::start().await;
    let video = uploaded(&alice, "video_reels").await;
    assert_eq!(status_of(&alice, &video).await["status"]["video_status"], "upload_complete");
    alice.trial.advance(Duration::from_secs(3));
    assert!(alice.trial.sandbox.ledger().is_empty());
    let (status, done) = alice.on_page("video_reels", finish(&video)).await;
    assert_eq!((status, &done), (200, &json!({ "success": true })));
    let (status, again) = alice.on_page("video_reels", finish(&video)).await;
    assert_eq!((status, code(&again)), (400, (6_000, 1_363_030)));
    let told = status_of(&alice, &video).await;
    assert_eq!(told["status"]["video_status"], "processing");
    assert_eq!(told["status"]["publishing_phase"]["publish_status"], "draft");
    assert!(told["post_id"].is_null());
    // Until then, comments go to the bare id of the video.
    let comment = alice.post(&format!("{video}/comments"), json!({ "message": "first" })).await;
    assert_eq!(comment.0, 200);
    alice.trial.advance(Duration::from_secs(6));
    let told = status_of(&alice, &video).await;
    assert_eq!(told["status"]["video_status"], "ready");
    assert_eq!(told["status"]["publishing_phase"]["publish_status"], "published");
    assert_eq!(told["permalink_url"], format!("/reel/{video}/"));
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!(ledger.len(), 2);
    assert_eq!(told["post_id"], json!(ledger[0].id));
    assert_eq!((ledger[0].text.as_str(), ledger[0].media[0].kind), ("a reel", "video"));
    assert_eq!(ledger[1].reply_to.as_deref(), Some(ledger[0].id.as_str()));
    assert_eq!(alice.delete(&video).await.0, 200);
    assert!(alice.trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn bytes_for_a_reel_are_judged_by_token_offset_and_size() {
    let alice = Alice::start().await;
    let (_, begun) = alice.on_page("video_reels", json!({ "upload_phase": "start" })).await;
    let (url, video) = (begun["upload_url"].as_str().unwrap(), begun["video_id"].as_str().unwrap());
    let film = mp4();
    let bearer = format!("Bearer {}", alice.token);
    let (status, body) = rupload(&alice.trial, url, &bearer, (0, 10), b"x").await;
    assert_eq!((status, &body["debug_info"]["retriable"]), (400, &json!(false)));
    let user = format!("OAuth {}", alice.user);
    assert_eq!(rupload(&alice.trial, url, &user, (0, 10), b"x").await.0, 400);
    assert_eq!(alice.rupload(url, 5, film.len(), &film[5..]).await.0, 400);
    assert_eq!(alice.rupload(url, 0, 10, &film).await.0, 400);
    assert_eq!(alice.rupload(url, 0, film.len(), &film[..500]).await.0, 200);
    let told = status_of(&alice, video).await;
    assert_eq!(told["status"]["uploading_phase"]["bytes_transferred"], 500);
    assert_eq!(code(&alice.on_page("video_reels", finish(video)).await.1), (6_000, 1_363_030));
    assert_eq!(alice.rupload(url, 500, film.len(), &film[500..]).await.0, 200);
    assert_eq!(alice.rupload(url, 0, film.len(), &film).await.0, 400, "the session has ended");
    assert_eq!(alice.on_page("video_reels", finish(video)).await.0, 200);
}

#[tokio::test]
async fn a_reel_may_come_from_an_address_and_must_be_a_video() {
    let alice = Alice::start().await;
    let files = files().await;
    for (name, status, wanted) in [
        ("film.mp4", 200, (0, 0)),
        ("text.txt", 200, (352, 1_363_024)),
        ("second.mp4", 200, (352, 1_363_024)),
        ("gone", 400, (6_000, 1_363_030)),
    ] {
        let (_, begun) = alice.on_page("video_reels", json!({ "upload_phase": "start" })).await;
        let request = alice.trial.client.post(begun["upload_url"].as_str().unwrap());
        let request = request.header("authorization", format!("OAuth {}", alice.token));
        let answer = request.header("file_url", format!("{files}/{name}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        let finish = finish(begun["video_id"].as_str().unwrap());
        assert_eq!(code(&alice.on_page("video_reels", finish).await.1), wanted, "{name}");
    }
    assert_eq!(alice.trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn a_draft_is_no_publication_and_an_old_upload_expires() {
    let alice = Alice::start().await;
    let video = uploaded(&alice, "video_reels").await;
    let mut draft = finish(&video);
    draft["video_state"] = json!("DRAFT");
    assert_eq!(alice.on_page("video_reels", draft).await.0, 200);
    assert!(alice.trial.sandbox.ledger().is_empty());
    let (_, begun) = alice.on_page("video_reels", json!({ "upload_phase": "start" })).await;
    alice.trial.advance(DAY);
    let told = status_of(&alice, begun["video_id"].as_str().unwrap()).await;
    assert_eq!(told["status"]["video_status"], "expired");
    assert_eq!(code(&alice.on_page("video_reels", finish(&video)).await.1), (6_000, 1_363_030));
    for wrong in
        [json!({}), json!({ "upload_phase": "middle" }), json!({ "upload_phase": "finish" })]
    {
        assert_eq!(code(&alice.on_page("video_reels", wrong).await.1), (100, 0));
    }
}

#[tokio::test]
async fn thirty_reels_a_day_are_enough() {
    let alice = Alice::start().await;
    for _ in 0..30 {
        let video = uploaded(&alice, "video_reels").await;
        assert_eq!(alice.on_page("video_reels", finish(&video)).await.0, 200);
    }
    let video = uploaded(&alice, "video_reels").await;
    let (_, refused) = alice.on_page("video_reels", finish(&video)).await;
    assert_eq!(code(&refused), (368, 1_390_008));
    assert_eq!(alice.trial.sandbox.ledger().len(), 30);
}

#[tokio::test]
async fn a_video_story_answers_with_its_post_and_is_listed_with_its_video() {
    let alice = Alice::start().await;
    let video = uploaded(&alice, "video_stories").await;
    let body = json!({ "upload_phase": "finish", "video_id": video });
    let (status, done) = alice.on_page("video_stories", body).await;
    assert_eq!(status, 200, "{done}");
    let (_, stories) = alice.get(&format!("{}/stories", alice.page)).await;
    assert_eq!(stories["data"][0]["media_id"], json!(video));
    assert_eq!(stories["data"][0]["media_type"], "video");
    assert_eq!(stories["data"][0]["post_id"], done["post_id"]);
    let path = format!("/facebook/stories/{}", done["post_id"].as_str().unwrap());
    let answer = alice.trial.request(Method::GET, &path, "").send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/#post-1");
}

#[tokio::test]
async fn a_video_comes_in_one_request() {
    let alice = Alice::start().await;
    let form = Form::new()
        .text("description", "film")
        .text("title", "Bread")
        .part("source", Part::bytes(mp4()).file_name("film.mp4"));
    let path = format!("/facebook/v26.0/{}/videos", alice.page);
    let request = alice.trial.request(Method::POST, &path, &alice.token).multipart(form);
    let (status, made) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{made}");
    let files = files().await;
    let (status, _) =
        alice.on_page("videos", json!({ "file_url": format!("{files}/film.mp4") })).await;
    assert_eq!(status, 200);
    let body = json!({ "file_url": format!("{files}/text.txt") });
    assert_eq!(code(&alice.on_page("videos", body).await.1), (352, 1_363_024));
    let body = json!({ "file_url": format!("{files}/gone.mp4") });
    assert_eq!(code(&alice.on_page("videos", body).await.1), (389, 2_069_019));
    let fields = "fields=id,created_time,description,title,status";
    let (_, listed) = alice.get(&format!("{}/videos?{fields}", alice.page)).await;
    assert_eq!(listed["data"][1]["id"], made["id"]);
    assert_eq!(listed["data"][1]["title"], "Bread");
    let edit = json!({ "description": "another", "title": "Cake" });
    assert_eq!(alice.post(&id(&made), edit).await.0, 200);
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (2, "another"));
}

#[tokio::test]
async fn a_video_comes_in_pieces_where_facebook_asks_for_them() {
    let alice = Alice::start().await;
    let film = [mp4(), vec![0; 1_500_000]].concat();
    let start = json!({ "upload_phase": "start", "file_size": film.len() });
    let (_, begun) = alice.on_page("videos", start).await;
    let session = begun["upload_session_id"].as_str().unwrap().to_owned();
    let transfer = async |offset: usize, bytes: &[u8]| {
        let form = Form::new()
            .text("upload_phase", "transfer")
            .text("upload_session_id", session.clone())
            .text("start_offset", offset.to_string())
            .part("video_file_chunk", Part::bytes(bytes.to_vec()).file_name("chunk"));
        let path = format!("/facebook/v26.0/{}/videos", alice.page);
        let request = alice.trial.request(Method::POST, &path, &alice.token).multipart(form);
        read(request.send().await.unwrap()).await
    };
    let number = |value: &Value| value.as_str().unwrap().parse::<usize>().unwrap();
    let finish = json!({ "upload_phase": "finish", "upload_session_id": session,
        "description": "long" });
    assert_eq!(code(&transfer(7, &film[7..8]).await.1), (6_001, 1_363_037));
    assert_eq!(code(&alice.on_page("videos", finish.clone()).await.1), (6_000, 1_363_030));
    let (mut from, mut to) = (number(&begun["start_offset"]), number(&begun["end_offset"]));
    let mut pieces = 0;
    while from < to {
        let (status, next) = transfer(from, &film[from..to]).await;
        assert_eq!(status, 200, "{next}");
        (from, to) = (number(&next["start_offset"]), number(&next["end_offset"]));
        pieces += 1;
    }
    assert_eq!((pieces, from), (2, film.len()));
    assert!(alice.trial.sandbox.ledger().is_empty());
    assert_eq!(alice.on_page("videos", finish.clone()).await.1, json!({ "success": true }));
    assert_eq!(code(&alice.on_page("videos", finish).await.1), (6_000, 1_363_030));
    assert_eq!(alice.trial.sandbox.ledger().len(), 1);
    let cancel = json!({ "upload_phase": "cancel", "upload_session_id": "1" });
    assert_eq!(code(&alice.on_page("videos", cancel).await.1), (100, 33));
}
