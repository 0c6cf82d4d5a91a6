//! TikTok as a client meets it.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::sandbox::trial::{
    BACK, Trial, film_of, jpeg_of, png_of, read, serve, start, start_with, told,
};
use crate::sandbox::{Limits, trial::mp4};

const SCOPE: &str = "user.info.basic,user.info.profile,user.info.stats,video.publish,video.list";
const MINUTE: Duration = Duration::from_secs(60);
const INIT: &str = "/tiktok/v2/post/publish/video/init/";
const STATUS: &str = "/tiktok/v2/post/publish/status/fetch/";
const PHOTOS: &str = "/tiktok/v2/post/publish/content/init/";

async fn back(trial: &Trial, key: &str, handle: &str, more: &[(&str, &str)]) -> url::Url {
    let mut form = vec![
        ("client_key", key),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
        ("state", "s1"),
        ("handle", handle),
        ("decision", "allow"),
    ];
    form.extend_from_slice(more);
    trial.answer_consent("/tiktok/v2/auth/authorize/", &form).await
}

async fn redeem(trial: &Trial, key: &str, code: &str) -> (u16, Value) {
    let form = [
        ("client_key", key),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", code),
    ];
    trial.form("/tiktok/v2/oauth/token/", &form).await
}

async fn refresh(trial: &Trial, token: &str) -> Value {
    let form = [
        ("client_key", "audited"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    trial.form("/tiktok/v2/oauth/token/", &form).await.1
}

async fn sign_in_as(trial: &Trial, key: &str, handle: &str) -> Value {
    let url = back(trial, key, handle, &[]).await;
    let (status, tokens) = redeem(trial, key, &told(&url, "code").unwrap()).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn sign_in(trial: &Trial) -> String {
    access(&sign_in_as(trial, "audited", "alice").await)
}

fn access(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
}

fn upload(size: usize, chunk: usize, count: usize) -> Value {
    json!({
        "post_info": { "title": "A walk #dog", "privacy_level": "PUBLIC_TO_EVERYONE" },
        "source_info": { "source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk,
            "total_chunk_count": count },
    })
}

fn pull(url: &str) -> Value {
    json!({
        "post_info": { "title": "A walk", "privacy_level": "PUBLIC_TO_EVERYONE" },
        "source_info": { "source": "PULL_FROM_URL", "video_url": url },
    })
}

fn photos(urls: &[String]) -> Value {
    json!({
        "post_info": { "title": "Dogs", "description": "on walks",
            "privacy_level": "PUBLIC_TO_EVERYONE", "auto_add_music": true },
        "source_info": { "source": "PULL_FROM_URL", "photo_cover_index": 0,
            "photo_images": urls },
        "post_mode": "DIRECT_POST", "media_type": "PHOTO",
    })
}

async fn put(trial: &Trial, url: &Value, range: &str, bytes: &[u8]) -> Response {
    let request = trial.client.put(url.as_str().unwrap()).header("content-type", "video/mp4");
    request.header("content-range", range).body(bytes.to_vec()).send().await.unwrap()
}

async fn status(trial: &Trial, token: &str, id: &Value) -> Value {
    trial.post(STATUS, token, json!({ "publish_id": id })).await.1["data"].clone()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_code_works_once_and_tells_what_was_granted() {
    let trial = start().await;
    let url = back(&trial, "audited", "alice", &[("refused[]", "video.list")]).await;
    assert_eq!(told(&url, "state").as_deref(), Some("s1"));
    let granted = told(&url, "scopes").unwrap();
    assert!(granted.contains("video.publish") && !granted.contains("video.list"), "{granted}");
    let text = told(&url, "code").unwrap();
    let (_, tokens) = redeem(&trial, "audited", &text).await;
    assert_eq!(tokens["scope"], granted);
    assert_eq!(
        (&tokens["expires_in"], &tokens["refresh_expires_in"]),
        (&json!(7_200), &json!(15_552_000))
    );
    let (status, refused) = redeem(&trial, "audited", &text).await;
    assert_eq!((status, &refused["error"]), (200, &json!("invalid_grant")));
    let path = "/tiktok/v2/video/list/?fields=id";
    let listed = trial.post(path, &access(&tokens), json!({})).await;
    assert_eq!(code(&listed), (401, "scope_not_authorized"));
}

#[tokio::test]
async fn proof_keys_and_unknown_scopes_are_no_part_of_it() {
    let trial = start().await;
    for (name, value) in [
        ("scope", "video.publish video.list"),
        ("client_key", ""),
        ("code_challenge", "0123456789012345678901234567890123456789012"),
        ("redirect_uri", "back"),
        ("response_type", "token"),
    ] {
        let mut query = vec![
            ("client_key", "k"),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("scope", "video.publish"),
            ("code_challenge_method", "S256"),
        ];
        query.retain(|(known, _)| *known != name);
        query.push((name, value));
        let request = trial.request(Method::GET, "/tiktok/v2/auth/authorize/", "").query(&query);
        assert_eq!(request.send().await.unwrap().status(), 400, "{name}");
    }
}

#[tokio::test]
async fn a_refresh_token_stops_as_soon_as_it_was_used() {
    let trial = start().await;
    let first = sign_in_as(&trial, "audited", "alice").await;
    let old = first["refresh_token"].as_str().unwrap();
    trial.advance(2 * 60 * MINUTE);
    let path = "/tiktok/v2/user/info/?fields=open_id";
    let late = trial.get(path, &access(&first)).await;
    assert_eq!(code(&late), (401, "access_token_invalid"));
    let second = refresh(&trial, old).await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(trial.get(path, &access(&second)).await.0, 200);
    assert_eq!(refresh(&trial, old).await["error"], "invalid_grant");
    let form = [
        ("client_key", "audited"),
        ("client_secret", "sandbox-secret"),
        ("token", second["access_token"].as_str().unwrap()),
    ];
    assert_eq!(trial.form("/tiktok/v2/oauth/revoke/", &form).await.0, 200);
    assert_eq!(trial.get(path, &access(&second)).await.0, 401);
    let refresh_token = second["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&trial, refresh_token).await["error"], "invalid_grant");
}

#[tokio::test]
async fn the_profile_has_the_fields_that_were_asked_for() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let path = "/tiktok/v2/user/info/?fields=open_id,username,video_count";
    let (_, body) = trial.get(path, &token).await;
    assert_eq!(body["error"]["code"], "ok");
    assert_eq!(body["data"]["user"]["username"], "alice");
    assert_eq!(body["data"]["user"]["video_count"], 0);
    let unknown = trial.get("/tiktok/v2/user/info/?fields=shoe_size", &token).await;
    assert_eq!(code(&unknown), (400, "invalid_params"));
}

#[tokio::test]
async fn the_creator_decides_what_may_be_chosen() {
    let trial = start().await;
    let path = "/tiktok/v2/post/publish/creator_info/query/";
    for (handle, first, refused) in [
        ("alice", "PUBLIC_TO_EVERYONE", "ok"),
        ("private.alice", "FOLLOWER_OF_CREATOR", "ok"),
        ("busy_alice", "", "spam_risk_too_many_posts"),
        ("banned_alice", "", "spam_risk_user_banned_from_posting"),
        ("capped_alice", "", "reached_active_user_cap"),
    ] {
        let token = access(&sign_in_as(&trial, "audited", handle).await);
        let answer = trial.post(path, &token, json!({})).await;
        assert_eq!(code(&answer), (200, refused), "{handle}");
        let options = &answer.1["data"]["privacy_level_options"];
        assert_eq!(options[0].as_str().unwrap_or_default(), first, "{handle}");
        let init = trial.post(INIT, &token, upload(2_000, 2_000, 1)).await;
        let wanted = match handle {
            "private.alice" => "privacy_level_option_mismatch",
            _ => refused,
        };
        assert_eq!(code(&init).1, wanted, "{handle}");
    }
}

#[tokio::test]
async fn a_client_without_the_audit_posts_privately_to_private_accounts() {
    let trial = start().await;
    for (handle, level, fits) in [
        ("alice", "PUBLIC_TO_EVERYONE", false),
        ("alice", "SELF_ONLY", false),
        ("private.alice", "FOLLOWER_OF_CREATOR", false),
        ("private.alice", "SELF_ONLY", true),
    ] {
        let token = access(&sign_in_as(&trial, "fresh", handle).await);
        let mut body = upload(2_000, 2_000, 1);
        body["post_info"]["privacy_level"] = json!(level);
        let answer = trial.post(INIT, &token, body).await;
        let wanted = match fits {
            true => (200, "ok"),
            false => (403, "unaudited_client_can_only_post_to_private_accounts"),
        };
        assert_eq!(code(&answer), wanted, "{handle} {level}");
    }
}

#[tokio::test]
async fn a_film_goes_up_in_chunks_and_its_last_byte_posts_it() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let chunk = 5 * 1024 * 1024;
    let film = film_of(9, 2 * chunk + 123);
    let total = film.len();
    let (_, begun) = trial.post(INIT, &token, upload(total, chunk, 2)).await;
    let (id, url) = (&begun["data"]["publish_id"], &begun["data"]["upload_url"]);
    assert!(id.as_str().unwrap().starts_with("v_pub_file~"), "{begun}");
    let range = format!("bytes 0-{}/{total}", chunk - 1);
    let first = put(&trial, url, &range, &film[..chunk]).await;
    assert_eq!(first.status(), 206);
    assert_eq!(first.headers()["content-range"], format!("bytes 0-{chunk}/{total}"));
    let again = put(&trial, url, &range, &film[..chunk]).await;
    assert_eq!(again.status(), 416);
    assert_eq!(again.headers()["content-range"], format!("bytes 0-{chunk}/{total}"));
    let waiting = status(&trial, &token, id).await;
    assert_eq!(waiting["status"], "PROCESSING_UPLOAD");
    assert_eq!(waiting["uploaded_bytes"], chunk);
    assert!(trial.sandbox.ledger().is_empty());
    let range = format!("bytes {chunk}-{}/{total}", total - 1);
    assert_eq!(put(&trial, url, &range, &film[chunk..]).await.status(), 201);
    assert_eq!(put(&trial, url, &range, &film[chunk..]).await.status(), 416);
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!((ledger[0].text.as_str(), ledger[0].media[0].bytes), ("A walk #dog", total));
    assert_eq!(status(&trial, &token, id).await["status"], "PROCESSING_UPLOAD");
    trial.advance(Duration::from_secs(15));
    let done = status(&trial, &token, id).await;
    assert_eq!(done["status"], "PUBLISH_COMPLETE");
    assert_eq!(done["publicaly_available_post_id"], json!([]));
    trial.advance(MINUTE);
    let seen = status(&trial, &token, id).await;
    let post = seen["publicaly_available_post_id"][0].as_u64().unwrap().to_string();
    assert_eq!(post, ledger[0].id);
    let path = "/tiktok/v2/video/list/?fields=id,title,share_url,create_time";
    let (_, listed) = trial.post(path, &token, json!({ "max_count": 20 })).await;
    assert_eq!(listed["data"]["videos"][0]["id"], post);
    assert_eq!(listed["data"]["videos"][0]["share_url"], ledger[0].url);
    assert_eq!(listed["data"]["has_more"], false);
    let path = "/tiktok/v2/video/query/?fields=id,view_count";
    let body = json!({ "filters": { "video_ids": [post, "1"] } });
    let (_, found) = trial.post(path, &token, body).await;
    assert_eq!(found["data"]["videos"].as_array().unwrap().len(), 1);
    let page = trial.client.get(&ledger[0].url).send().await.unwrap();
    assert_eq!(page.headers()["location"], "/#post-1");
}

#[tokio::test]
async fn chunks_that_do_not_fit_are_refused_each_in_its_way() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let film = mp4();
    let (_, begun) = trial.post(INIT, &token, upload(2_000, 2_000, 1)).await;
    let url = &begun["data"]["upload_url"];
    for (range, length, wanted) in [
        ("bytes 0-1998/2000", 2_000, 400),
        ("bytes 0-1999/3000", 2_000, 400),
        ("bytes=0-1999/2000", 2_000, 400),
        ("bytes 0-999/2000", 1_000, 400),
        ("bytes 1000-1999/2000", 1_000, 416),
    ] {
        let answer = put(&trial, url, range, &film[..length]).await;
        assert_eq!(answer.status(), wanted, "{range}");
    }
    let bare = trial.client.put(url.as_str().unwrap()).header("content-range", "bytes 0-1999/2000");
    assert_eq!(bare.body(film.clone()).send().await.unwrap().status(), 400);
    let other = json!(url.as_str().unwrap().replace("upload_token=", "upload_token=x"));
    assert_eq!(put(&trial, &other, "bytes 0-1999/2000", &film).await.status(), 404);
    trial.advance(60 * MINUTE);
    assert_eq!(put(&trial, url, "bytes 0-1999/2000", &film).await.status(), 403);
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn films_are_pulled_from_verified_places_alone() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let elsewhere = trial.post(INIT, &token, pull("https://other.example/a.mp4")).await;
    assert_eq!(code(&elsewhere), (403, "url_ownership_unverified"));
    let files = serve(&[("/a.mp4", mp4()), ("/a.txt", b"words".to_vec())]).await;
    let mut ids = Vec::new();
    for name in ["a.mp4", "a.txt", "gone.mp4"] {
        let (_, begun) = trial.post(INIT, &token, pull(&format!("{files}/{name}"))).await;
        ids.push(begun["data"]["publish_id"].clone());
    }
    assert_eq!(trial.sandbox.ledger().len(), 1);
    assert_eq!(status(&trial, &token, &ids[0]).await["status"], "PROCESSING_DOWNLOAD");
    trial.advance(MINUTE);
    let mut ends = Vec::new();
    for id in &ids {
        let found = status(&trial, &token, id).await;
        ends.push(found["fail_reason"].as_str().unwrap_or("none").to_owned());
    }
    assert_eq!(ends, ["none", "file_format_check_failed", "video_pull_failed"]);
}

#[tokio::test]
async fn photos_are_fetched_and_looked_at() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let files = serve(&[
        ("/a.jpg", jpeg_of(1_080, 1_920)),
        ("/b.jpg", jpeg_of(4_000, 3_000)),
        ("/c.png", png_of(100, 100, 0)),
    ])
    .await;
    let at = |names: &[&str]| -> Vec<String> {
        names.iter().map(|name| format!("{files}/{name}")).collect()
    };
    for (names, wanted) in [
        (&["a.jpg", "a.jpg"][..], "none"),
        (&["b.jpg"][..], "picture_size_check_failed"),
        (&["a.jpg", "c.png"][..], "file_format_check_failed"),
        (&["a.jpg", "gone.jpg"][..], "photo_pull_failed"),
    ] {
        let (_, begun) = trial.post(PHOTOS, &token, photos(&at(names))).await;
        trial.advance(MINUTE);
        let found = status(&trial, &token, &begun["data"]["publish_id"]).await;
        assert_eq!(found["fail_reason"].as_str().unwrap_or("none"), wanted, "{begun}");
    }
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0].media.len(), 2);
    assert!(ledger[0].url.contains("/photo/") && ledger[0].text == "Dogs\n\non walks");
}

#[tokio::test]
async fn what_is_too_long_unknown_or_of_another_type_is_no_post() {
    let trial = start_with(Limits::Off).await;
    let token = sign_in(&trial).await;
    // The second unit of the last letter does not fit any more.
    let long = format!("{}\u{1F415}", "a".repeat(2_199));
    let film = |pointer: &str, value: Value| {
        let mut body = upload(2_000, 2_000, 1);
        *body.pointer_mut(pointer).unwrap() = value;
        (INIT, body)
    };
    let album = |pointer: &str, value: Value| {
        let mut body = photos(&["http://127.0.0.1/a.jpg".to_owned()]);
        *body.pointer_mut(pointer).unwrap() = value;
        (PHOTOS, body)
    };
    let info = |name: &str, value: Value| {
        let mut body = upload(2_000, 2_000, 1);
        body["post_info"][name] = value;
        (INIT, body)
    };
    for ((path, body), wanted) in [
        (film("/post_info/title", json!(long)), "invalid_param"),
        (film("/post_info/privacy_level", json!("EVERYBODY")), "invalid_param"),
        (
            film("/post_info/privacy_level", json!("FOLLOWER_OF_CREATOR")),
            "privacy_level_option_mismatch",
        ),
        (film("/post_info/privacy_level", Value::Null), "invalid_param"),
        (film("/source_info/video_size", json!("2000")), "invalid_param"),
        (film("/source_info/source", json!("UPLOAD")), "invalid_param"),
        (info("colour", json!("red")), "invalid_param"),
        (info("disable_duet", json!("true")), "invalid_param"),
        (album("/post_info/title", json!("a".repeat(91))), "invalid_param"),
        (album("/source_info/photo_cover_index", json!(1)), "invalid_param"),
        (album("/source_info/photo_images", json!([])), "invalid_param"),
        (album("/source_info/photo_images", json!(vec!["http://127.0.0.1/"; 36])), "invalid_param"),
        (album("/post_mode", json!("DIRECT POST")), "invalid_param"),
    ] {
        let answer = trial.post(path, &token, body.clone()).await;
        assert_eq!(code(&answer).1, wanted, "{body}");
    }
    let mut branded = upload(2_000, 2_000, 1);
    branded["post_info"] = json!({ "privacy_level": "SELF_ONLY", "brand_content_toggle": true });
    assert_eq!(code(&trial.post(INIT, &token, branded).await).1, "invalid_param");
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_post_is_known_to_its_own_account_and_can_be_cancelled_in_time() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let (_, begun) = trial.post(INIT, &token, upload(2_000, 2_000, 1)).await;
    let (id, url) = (&begun["data"]["publish_id"], &begun["data"]["upload_url"]);
    let body = json!({ "publish_id": id });
    let bob = access(&sign_in_as(&trial, "audited", "bob").await);
    let foreign = trial.post(STATUS, &bob, body.clone()).await;
    assert_eq!(code(&foreign), (400, "token_not_authorized_for_specified_publish_id"));
    let unknown = trial.post(STATUS, &token, json!({ "publish_id": "v_pub_file~1" })).await;
    assert_eq!(code(&unknown), (400, "invalid_publish_id"));
    let cancel = "/tiktok/v2/post/publish/cancel/";
    assert_eq!(code(&trial.post(cancel, &token, body.clone()).await), (200, "ok"));
    let found = status(&trial, &token, id).await;
    assert_eq!(found["fail_reason"], "publish_cancelled");
    assert_eq!(put(&trial, url, "bytes 0-1999/2000", &mp4()).await.status(), 404);
    let late = trial.post(cancel, &token, body).await;
    assert_eq!(code(&late), (400, "publish_not_cancellable"));
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn too_many_in_a_minute_or_a_day_are_too_many() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let mut seen = Vec::new();
    for _ in 0..7 {
        seen.push(trial.post(INIT, &token, upload(2_000, 2_000, 1)).await.0);
    }
    assert_eq!(seen, [200, 200, 200, 200, 200, 200, 429]);
    for _ in 0..2 {
        trial.advance(MINUTE);
        for _ in 0..6 {
            seen.push(trial.post(INIT, &token, upload(2_000, 2_000, 1)).await.0);
        }
    }
    assert_eq!(seen.iter().filter(|status| **status == 200).count(), 15);
    trial.advance(MINUTE);
    let answer = trial.post(INIT, &token, upload(2_000, 2_000, 1)).await;
    assert_eq!(code(&answer), (403, "spam_risk_too_many_posts"));
}

#[tokio::test]
async fn a_lost_answer_to_the_last_chunk_is_one_post() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let (_, begun) = trial.post(INIT, &token, upload(2_000, 2_000, 1)).await;
    let url = begun["data"]["upload_url"].as_str().unwrap();
    trial
        .fault(json!({ "kind": "drop_answer", "operation": "publish", "account": "alice",
            "platform": "tiktok" }))
        .await;
    let request = trial.client.put(url).header("content-type", "video/mp4");
    let request = request.header("content-range", "bytes 0-1999/2000").body(mp4());
    assert!(request.send().await.is_err());
    let again = put(&trial, &json!(url), "bytes 0-1999/2000", &mp4()).await;
    assert_eq!(again.status(), 416);
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn words_that_are_rejected_are_never_seen() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let mut body = upload(2_000, 2_000, 1);
    body["post_info"]["title"] = json!("Reject this");
    let (_, begun) = trial.post(INIT, &token, body).await;
    let url = &begun["data"]["upload_url"];
    assert_eq!(put(&trial, url, "bytes 0-1999/2000", &mp4()).await.status(), 201);
    trial.advance(MINUTE);
    let found = status(&trial, &token, &begun["data"]["publish_id"]).await;
    assert_eq!(found["fail_reason"], "spam_risk_text");
    assert!(trial.sandbox.ledger().is_empty());
    let (_, begun) = trial.post(INIT, &token, upload(601, 601, 1)).await;
    let url = &begun["data"]["upload_url"];
    put(&trial, url, "bytes 0-600/601", &film_of(601, 601)).await;
    trial.advance(MINUTE);
    let found = status(&trial, &token, &begun["data"]["publish_id"]).await;
    assert_eq!(found["fail_reason"], "duration_check_failed");
    let (_, wrong) = read(trial.request(Method::POST, STATUS, &token).send().await.unwrap()).await;
    assert_eq!(wrong["error"]["code"], "invalid_param");
}
