//! Posts, photos, comments; how often, and what happens when it goes wrong.

use super::*;
use crate::sandbox::trial::start_with;
use crate::sandbox::{Limits, Platform};

#[tokio::test]
async fn a_text_is_published_listed_after_a_moment_edited_and_deleted() {
    let alice = Alice::start().await;
    let path = "feed?fields=id,permalink_url";
    let (status, made) = alice.on_page(path, json!({ "message": "Bread https://e.com/x" })).await;
    assert_eq!(status, 200, "{made}");
    let post = id(&made);
    assert!(post.starts_with(&format!("{}_", alice.page)));
    let fields = "id,message,created_time,permalink_url";
    let listed = format!("{}/published_posts?limit=25&fields={fields}", alice.page);
    assert_eq!(alice.get(&listed).await.1["data"], json!([]));
    alice.trial.advance(Duration::from_secs(2));
    let (_, posts) = alice.get(&listed).await;
    assert_eq!(posts["data"][0]["message"], "Bread https://e.com/x");
    assert_eq!(posts["data"][0]["permalink_url"], made["permalink_url"]);
    assert!(posts["data"][0]["created_time"].as_str().unwrap().ends_with("+0000"));
    let answer = alice.trial.client.get(made["permalink_url"].as_str().unwrap()).send().await;
    assert_eq!(answer.unwrap().headers()["location"], "/#post-1");
    let bare = alice.trial.request(Method::GET, &format!("/facebook/{post}"), "").send().await;
    assert_eq!(bare.unwrap().headers()["location"], "/#post-1");

    let (_, edited) = alice.post(&post, json!({ "message": "Cake" })).await;
    assert_eq!(edited["success"], true);
    assert_eq!(alice.trial.sandbox.ledger()[0].text, "Cake");
    assert_eq!(alice.delete(&post).await.1["success"], true);
    assert_eq!(code(&alice.delete(&post).await.1), (100, 33));
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert!(ledger[0].deleted_at.is_some() && ledger[0].platform == Platform::Facebook);
    assert_eq!((ledger[0].handle.as_str(), &ledger[0].id), ("alice-bakery", &post));
}

#[tokio::test]
async fn what_is_not_published_is_hidden_from_readers_and_lists() {
    let alice = Alice::start().await;
    let hidden = json!({ "message": "x", "published": false });
    let (status, made) = alice.on_page("feed", hidden).await;
    assert_eq!(status, 200, "{made}");
    alice.trial.advance(MINUTE);
    let (_, posts) = alice.get(&format!("{}/published_posts", alice.page)).await;
    assert_eq!(posts["data"], json!([]));
    let (_, post) = alice.get(&format!("{}?fields=is_published", id(&made))).await;
    assert_eq!(post["is_published"], false);
    assert!(alice.trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn every_answer_to_a_token_tells_how_much_is_used() {
    let alice = Alice::start().await;
    let path = format!("/facebook/v26.0/{}", alice.page);
    for (token, is_business) in [(&alice.user, false), (&alice.token, true)] {
        let answer = alice.trial.request(Method::GET, &path, token).send().await.unwrap();
        let app: Value =
            serde_json::from_slice(answer.headers()["x-app-usage"].as_bytes()).unwrap();
        assert!(app["call_count"].is_u64() && app["total_cputime"].is_u64());
        let business = answer.headers().get("x-business-use-case-usage");
        assert_eq!(business.is_some(), is_business);
    }
}

#[tokio::test]
async fn the_same_text_shortly_after_is_a_duplicate() {
    let alice = Alice::start().await;
    let body = json!({ "message": "same" });
    assert_eq!(alice.on_page("feed", body.clone()).await.0, 200);
    let (status, again) = alice.on_page("feed", body.clone()).await;
    assert_eq!((status, code(&again)), (400, (506, 1_455_006)));
    assert_eq!(again["error"]["error_user_title"], "Duplicate Status Update");
    assert_eq!(again["error"]["is_transient"], false);
    let with_link = json!({ "message": "same", "link": "https://e.com/" });
    assert_eq!(alice.on_page("feed", with_link).await.0, 200);
    alice.trial.advance(11 * MINUTE);
    assert_eq!(alice.on_page("feed", body).await.0, 200);
    assert_eq!(alice.trial.sandbox.ledger().len(), 3);
}

#[tokio::test]
async fn what_a_post_may_not_be_is_refused() {
    let alice = Alice::start().await;
    let long = "x".repeat(63_207);
    for (body, wanted) in [
        (json!({}), (100, 0)),
        (json!({ "message": 5 }), (100, 0)),
        (json!({ "message": "x", "color": "red" }), (100, 0)),
        (json!({ "message": "x", "published": "maybe" }), (100, 0)),
        (json!({ "message": long }), (100, 0)),
        (json!({ "link": "nowhere" }), (100, 2_061_006)),
        (json!({ "link": "https://www.facebook.com/x" }), (100, 1_609_008)),
        (json!({ "message": "x", "attached_media": [{ "media_fbid": "1" }] }), (100, 0)),
        (json!({ "message": "x", "text_format_preset_id": "7" }), (100, 0)),
        (json!({ "message": "x", "text_format_preset_id": "433967226963128" }), (1, 0)),
        (json!({ "message": "x", "targeting": "everyone" }), (100, 0)),
        (json!({ "message": "x", "scheduled_publish_time": 1 }), (100, 0)),
        (json!({ "link": "https://e.com", "child_attachments": [{ "name": "a" }] }), (100, 0)),
        (json!({ "message": "x", "backdated_time": "2099-01-01T00:00:00Z" }), (100, 0)),
    ] {
        let (_, answer) = alice.on_page("feed", body.clone()).await;
        assert_eq!(code(&answer), wanted, "{body} {answer}");
    }
    let coloured = json!({ "message": "x", "text_format_preset_id": "106018623298955" });
    assert_eq!(alice.on_page("feed", coloured).await.0, 200);
    let children = json!([{ "link": "https://e.com/1" }, { "link": "https://e.com/2" }]);
    let carousel = json!({ "link": "https://e.com", "child_attachments": children });
    assert_eq!(alice.on_page("feed", carousel).await.0, 200);
    assert_eq!(alice.trial.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn staged_photos_become_one_post_and_are_used_once() {
    let alice = Alice::start().await;
    let photos = [alice.staged().await, alice.staged().await];
    assert!(alice.trial.sandbox.ledger().is_empty());
    let attached = json!([{ "media_fbid": photos[0] }, { "media_fbid": photos[1] }]);
    let body = json!({ "message": "two", "attached_media": attached });
    let (status, made) = alice.on_page("feed", body.clone()).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(code(&alice.on_page("feed", body).await.1), (100, 1_366_051));
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media.len()), (1, 2));

    alice.trial.advance(MINUTE);
    let fields = "id,attachments{media_type,target{id},subattachments{target{id}}}";
    let (_, posts) = alice.get(&format!("{}/published_posts?fields={fields}", alice.page)).await;
    let album = &posts["data"][0]["attachments"]["data"][0];
    assert_eq!(album["media_type"], "album");
    let found: Vec<&Value> = album["subattachments"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|photo| &photo["target"]["id"])
        .collect();
    assert_eq!(found, [&photos[0], &photos[1]]);
    // Forms write the list as numbered keys.
    let one = alice.staged().await;
    let form = [
        ("attached_media[0]", format!(r#"{{"media_fbid":"{one}"}}"#)),
        ("access_token", alice.token.clone()),
    ];
    let path = format!("{}/facebook/v26.0/{}/feed", alice.trial.origin, alice.page);
    let answer = alice.trial.client.post(path).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_photo_comes_as_a_file_or_from_an_address_and_is_checked() {
    let alice = Alice::start().await;
    let said = [("message", "bread"), ("alt_text_custom", "a loaf")];
    let (status, made) = alice.photo(jpeg(10, 10), &said).await;
    assert_eq!(status, 200, "{made}");
    assert!(made["post_id"].as_str().unwrap().starts_with(&alice.page));
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!((ledger[0].text.as_str(), ledger[0].media[0].alt.as_str()), ("bread", "a loaf"));
    let files = files().await;
    let (status, _) = alice.on_page("photos", json!({ "url": format!("{files}/image.png") })).await;
    assert_eq!(status, 200);
    for name in ["text.txt", "gone.jpg"] {
        let body = json!({ "url": format!("{files}/{name}") });
        assert_eq!(code(&alice.on_page("photos", body).await.1), (324, 2_069_019));
    }
    assert_eq!(code(&alice.photo(mp4(), &[]).await.1), (324, 2_069_019));
    let huge = [jpeg(10, 10), vec![0; 10 * 1024 * 1024]].concat();
    assert_eq!(code(&alice.photo(huge, &[]).await.1), (1, 1_366_046));
    assert_eq!(code(&alice.on_page("photos", json!({ "message": "x" })).await.1), (100, 0));
    assert_eq!(alice.trial.sandbox.ledger().len(), 2);
}

#[tokio::test]
async fn a_photo_story_is_a_staged_photo_and_is_listed_for_a_day() {
    let alice = Alice::start().await;
    let photo = alice.staged().await;
    let (_, made) = alice.on_page("photo_stories", json!({ "photo_id": photo })).await;
    assert_eq!(made["success"], true, "{made}");
    let stories = format!("{}/stories?status=PUBLISHED", alice.page);
    let (_, listed) = alice.get(&stories).await;
    assert_eq!(listed["data"][0]["media_id"], json!(photo));
    assert_eq!(listed["data"][0]["post_id"], made["post_id"]);
    let (_, page) = alice.trial.get("/", "").await;
    assert!(page.as_str().unwrap().contains(r#"<span class="mark kind">story</span>"#));
    let again = alice.on_page("photo_stories", json!({ "photo_id": photo })).await.1;
    assert_eq!(code(&again), (100, 1_366_051));
    alice.trial.advance(DAY);
    assert_eq!(alice.get(&stories).await.1["data"], json!([]));
    let (_, posts) = alice.get(&format!("{}/published_posts", alice.page)).await;
    assert_eq!(posts["data"], json!([]), "a story is no post");
    assert_eq!(alice.trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn comments_stand_below_what_they_answer() {
    let alice = Alice::start().await;
    let post = id(&alice.on_page("feed", json!({ "message": "x" })).await.1);
    let comments = format!("{post}/comments");
    let (status, first) = alice.post(&comments, json!({ "message": "first" })).await;
    assert_eq!(status, 200, "{first}");
    let answer = format!("{}/comments", id(&first));
    let second = alice.post(&answer, json!({ "message": "second" })).await.1;
    let path = format!("{comments}?filter=stream&fields=id,message,from,created_time,parent{{id}}");
    let (_, listed) = alice.get(&path).await;
    assert_eq!(listed["data"][0]["from"]["id"], json!(alice.page));
    assert_eq!(listed["data"][1]["parent"]["id"], first["id"]);
    let (_, top) = alice.get(&comments).await;
    assert_eq!(top["data"].as_array().unwrap().len(), 1);
    let ledger = alice.trial.sandbox.ledger();
    assert_eq!(ledger[1].reply_to.as_deref(), Some(post.as_str()));
    assert_eq!(ledger[2].reply_to.as_deref(), first["id"].as_str());
    assert_eq!(ledger[2].id, id(&second));
    // Asked for fields, Facebook makes the comment and then fails.
    let (status, body) =
        alice.post(&format!("{comments}?fields=id"), json!({ "message": "third" })).await;
    assert_eq!((status, code(&body)), (400, (20, 1_772_107)));
    assert_eq!(alice.trial.sandbox.ledger().len(), 4);
    assert_eq!(code(&alice.post(&comments, json!({})).await.1), (100, 0));
    assert_eq!(alice.delete(&id(&first)).await.0, 200);
    assert!(alice.trial.sandbox.ledger()[1].deleted_at.is_some());
}

#[tokio::test]
async fn an_old_version_is_answered_by_the_oldest_living_one() {
    let alice = Alice::start().await;
    for (version, wanted) in [("v26.0/", "v26.0"), ("v3.1/", "v21.0"), ("", "v21.0")] {
        let path = format!("/facebook/{version}me");
        let answer = alice.trial.request(Method::GET, &path, &alice.token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["facebook-api-version"], wanted);
    }
    assert_eq!(code(&alice.trial.get("/facebook/v99.0/me", &alice.token).await.1), (2_500, 0));
}

#[tokio::test]
async fn a_limit_says_minutes_in_its_header_and_no_retry_after() {
    let alice = Alice::start().await;
    let path = format!("/facebook/v26.0/{}/feed", alice.page);
    let body = json!({ "kind": "throttle", "platform": "facebook", "retry_after_seconds": 90 });
    alice.trial.fault(body).await;
    let answer = struck(&alice.trial, &path, &alice.token).await;
    assert!(answer.headers().get("retry-after").is_none());
    let header = answer.headers()["x-business-use-case-usage"].to_str().unwrap().to_owned();
    let usage: Value = serde_json::from_str(&header).unwrap();
    assert_eq!(usage[&alice.page][0]["type"], "pages");
    assert_eq!(usage[&alice.page][0]["estimated_time_to_regain_access"], 2);
    let (status, body) = read(answer).await;
    assert_eq!((status, code(&body).0), (400, 80_001));
    assert_eq!(body["error"]["is_transient"], true);
}

#[tokio::test]
async fn the_201st_call_of_a_user_within_an_hour_is_throttled_unless_limits_are_off() {
    for (limits, wanted) in [(Limits::Published, 403), (Limits::Off, 200)] {
        let trial = start_with(limits).await;
        let user = short_lived(&trial, ALL).await;
        for _ in 0..200 {
            assert_eq!(trial.get("/facebook/v26.0/me", &user).await.0, 200);
        }
        let (status, body) = trial.get("/facebook/v26.0/me", &user).await;
        assert_eq!(status, wanted, "{body}");
        trial.advance(60 * MINUTE);
        assert_eq!(trial.get("/facebook/v26.0/me", &user).await.0, 200);
    }
}

#[tokio::test]
async fn an_unavailable_platform_answers_500_with_code_2_and_may_have_published() {
    let alice = Alice::start().await;
    let path = format!("/facebook/v26.0/{}/feed", alice.page);
    alice.trial.fault(json!({ "kind": "unavailable", "operation": "publish" })).await;
    let (status, body) = read(struck(&alice.trial, &path, &alice.token).await).await;
    assert_eq!((status, code(&body)), (500, (2, 0)));
    assert_eq!(body["error"]["is_transient"], true);
    assert!(alice.trial.sandbox.ledger().is_empty());
    let fault = json!({ "kind": "drop_answer", "operation": "publish", "status": 500,
        "account": "alice-bakery" });
    alice.trial.fault(fault).await;
    let (status, body) = read(struck(&alice.trial, &path, &alice.token).await).await;
    assert_eq!((status, code(&body)), (500, (1, 0)));
    assert_eq!(alice.trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn faults_end_tokens_in_metas_words() {
    for (kind, wanted) in [("expire_token", (190, 463)), ("revoke_token", (190, 458))] {
        let alice = Alice::start().await;
        let path = format!("/facebook/v26.0/{}/feed", alice.page);
        alice.trial.fault(json!({ "kind": kind, "platform": "facebook" })).await;
        let (status, body) = read(struck(&alice.trial, &path, &alice.token).await).await;
        assert_eq!((status, code(&body)), (400, wanted));
    }
}

#[tokio::test]
async fn staging_is_an_upload_and_not_a_publication_for_faults() {
    let alice = Alice::start().await;
    alice.trial.fault(json!({ "kind": "refuse", "operation": "publish" })).await;
    let photo = alice.staged().await;
    assert_eq!(alice.on_page("video_reels", json!({ "upload_phase": "start" })).await.0, 200);
    let body = json!({ "attached_media": [{ "media_fbid": photo }] });
    assert_eq!(code(&alice.on_page("feed", body.clone()).await.1), (100, 1_349_125));
    assert_eq!(alice.on_page("feed", body).await.0, 200);
}
