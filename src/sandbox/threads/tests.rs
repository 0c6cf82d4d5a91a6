//! Threads as a client meets it.

use std::time::Duration;

use axum::{Router, routing::get};
use reqwest::Method;
use serde_json::{Value, json};

use super::parameters::KNOWN;
use crate::sandbox::trial::{BACK, Trial, mp4, png, read, start};

const SCOPE: &str = "threads_basic,threads_content_publish,threads_read_replies,threads_delete";
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn exchange(trial: &Trial, code: &str) -> (u16, Value) {
    let form = [
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", code),
    ];
    trial.form("/threads/oauth/access_token", &form).await
}

async fn long_lived(trial: &Trial, token: &str) -> (u16, Value) {
    let path = "/threads/access_token?grant_type=th_exchange_token&client_secret=sandbox-secret";
    trial.get(path, token).await
}

async fn sign_in_with(trial: &Trial, scope: &str) -> String {
    let code = trial.allow("/threads/oauth/authorize", "app", scope).await;
    let (status, short) = exchange(trial, &code).await;
    assert_eq!(status, 200, "{short}");
    let (status, long) = long_lived(trial, short["access_token"].as_str().unwrap()).await;
    assert_eq!(status, 200, "{long}");
    long["access_token"].as_str().unwrap().to_owned()
}

async fn sign_in(trial: &Trial) -> String {
    sign_in_with(trial, SCOPE).await
}

async fn contain(trial: &Trial, token: &str, body: Value) -> (u16, Value) {
    trial.post("/threads/v1.0/me/threads", token, body).await
}

async fn publish(trial: &Trial, token: &str, id: &Value) -> (u16, Value) {
    let body = json!({ "creation_id": id });
    trial.post("/threads/v1.0/me/threads_publish", token, body).await
}

/// Both steps, and the id of what is to be seen then.
async fn post(trial: &Trial, token: &str, body: Value) -> String {
    let (status, container) = contain(trial, token, body).await;
    assert_eq!(status, 200, "{container}");
    let (status, published) = publish(trial, token, &container["id"]).await;
    assert_eq!(status, 200, "{published}");
    published["id"].as_str().unwrap().to_owned()
}

async fn state(trial: &Trial, token: &str, id: &Value) -> Value {
    let path = format!("/threads/v1.0/{}?fields=status,error_message", id.as_str().unwrap());
    trial.get(&path, token).await.1
}

/// A server with a picture, a film and something else.
async fn files() -> String {
    let router = Router::new()
        .route("/a.png", get(async || png()))
        .route("/a.mp4", get(async || mp4()))
        .route("/a.txt", get(async || "words"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn code(body: &Value) -> (u64, u64) {
    let number = |name: &str| body["error"][name].as_u64().unwrap_or_default();
    (number("code"), number("error_subcode"))
}

#[tokio::test]
async fn a_code_works_once_within_the_hour_and_comes_before_a_fragment() {
    let trial = start().await;
    let form = [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", BACK),
        ("scope", "threads_basic"),
        ("handle", "alice"),
        ("decision", "allow"),
    ];
    let request = trial.request(Method::POST, "/threads/oauth/authorize", "").form(&form);
    let response = request.send().await.unwrap();
    assert!(response.headers()["location"].to_str().unwrap().ends_with("#_"));
    let first = trial.allow("/threads/oauth/authorize", "app", SCOPE).await;
    let (status, token) = exchange(&trial, &first).await;
    assert!(status == 200 && token["user_id"].is_u64(), "{token}");
    assert_eq!(exchange(&trial, &first).await.0, 400);
    let late = trial.allow("/threads/oauth/authorize", "app", SCOPE).await;
    trial.advance(HOUR);
    let (status, refused) = exchange(&trial, &late).await;
    assert_eq!((status, code(&refused)), (400, (100, 0)));
    let (_, expired) = trial.get("/threads/v1.0/me", token["access_token"].as_str().unwrap()).await;
    assert_eq!(code(&expired), (190, 463));
}

#[tokio::test]
async fn unknown_scopes_and_clients_without_the_secret_are_refused() {
    let trial = start().await;
    for scope in ["threads_basic threads_delete", "threads_delete", "read"] {
        let query = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("scope", scope),
        ];
        let request = trial.request(Method::GET, "/threads/oauth/authorize", "").query(&query);
        assert_eq!(request.send().await.unwrap().status(), 400, "{scope}");
    }
    let form = [("client_id", "app"), ("client_secret", "wrong"), ("code", "x")];
    assert_eq!(trial.form("/threads/oauth/access_token", &form).await.0, 400);
}

#[tokio::test]
async fn a_long_token_is_refreshed_after_a_day_and_not_after_its_end() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    // Only a short one can be exchanged.
    assert_eq!(long_lived(&trial, &token).await.0, 400);
    let path = "/threads/refresh_access_token?grant_type=th_refresh_token";
    assert_eq!(trial.get(path, &token).await.0, 400);
    trial.advance(24 * HOUR);
    let (status, fresh) = trial.get(path, &token).await;
    assert_eq!((status, &fresh["expires_in"]), (200, &json!(5_183_944)));
    // The older one keeps its own end.
    assert_eq!(trial.get("/threads/v1.0/me", &token).await.0, 200);
    trial.advance(59 * 24 * HOUR + HOUR);
    assert_eq!(code(&trial.get(path, &token).await.1), (190, 463));
    let fresh = fresh["access_token"].as_str().unwrap();
    assert_eq!(trial.get("/threads/v1.0/me", fresh).await.0, 200);
}

#[tokio::test]
async fn a_text_is_published_once_and_its_container_tells() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let body = json!({ "media_type": "TEXT", "text": "hi https://e.com/a #news",
        "reply_control": "followers_only" });
    let (_, container) = contain(&trial, &token, body).await;
    assert_eq!(state(&trial, &token, &container["id"]).await["status"], "FINISHED");
    let (status, published) = publish(&trial, &token, &container["id"]).await;
    assert_eq!(status, 200, "{published}");
    assert_eq!(state(&trial, &token, &container["id"]).await["status"], "PUBLISHED");
    let (status, again) = publish(&trial, &token, &container["id"]).await;
    assert_eq!((status, code(&again)), (400, (24, 4_279_009)));
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), &json!(ledger[0].id)), (1, &published["id"]));
    assert_eq!(ledger[0].face.marks, ["topic: news", "replies: followers_only"]);
    assert_eq!(ledger[0].face.card.as_ref().unwrap().title, "e.com");
    let path = format!(
        "/threads/v1.0/{}?fields=id,permalink,text,media_type,timestamp,topic_tag",
        published["id"].as_str().unwrap()
    );
    let (_, seen) = trial.get(&path, &token).await;
    assert_eq!((&seen["media_type"], &seen["topic_tag"]), (&json!("TEXT_POST"), &json!("news")));
    assert!(seen["timestamp"].as_str().unwrap().ends_with("+0000"));
    assert_eq!(seen["permalink"], ledger[0].url);
    let answer = trial.client.get(&ledger[0].url).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "/#post-1");
}

#[tokio::test]
async fn an_image_is_fetched_processed_and_only_then_published() {
    let trial = start().await;
    let (token, files) = (sign_in(&trial).await, files().await);
    let body = json!({ "media_type": "IMAGE", "image_url": format!("{files}/a.png"),
        "alt_text": "a pixel", "text": "look" });
    let (_, container) = contain(&trial, &token, body).await;
    assert_eq!(state(&trial, &token, &container["id"]).await["status"], "IN_PROGRESS");
    let (status, early) = publish(&trial, &token, &container["id"]).await;
    assert_eq!((status, code(&early)), (400, (24, 4_279_009)));
    assert!(trial.sandbox.ledger().is_empty());
    trial.advance(Duration::from_secs(2));
    assert_eq!(publish(&trial, &token, &container["id"]).await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert_eq!(
        (ledger[0].media[0].alt.as_str(), ledger[0].media[0].bytes),
        ("a pixel", png().len())
    );
}

#[tokio::test]
async fn what_cannot_be_fetched_or_shown_is_never_published() {
    let trial = start().await;
    let (token, files) = (sign_in(&trial).await, files().await);
    let missing = json!({ "media_type": "IMAGE", "image_url": format!("{files}/none.png") });
    let (status, refused) = contain(&trial, &token, missing).await;
    assert_eq!((status, code(&refused)), (400, (9_004, 2_207_052)));
    for (kind, file, wanted) in [
        ("VIDEO", "none.mp4", "FAILED_DOWNLOADING_VIDEO"),
        ("VIDEO", "a.png", "FAILED_PROCESSING_VIDEO"),
        ("IMAGE", "a.txt", "UNKNOWN"),
    ] {
        let name = format!("{}_url", kind.to_lowercase());
        let body = json!({ "media_type": kind, name: format!("{files}/{file}") });
        let (_, container) = contain(&trial, &token, body).await;
        trial.advance(Duration::from_secs(8));
        let state = state(&trial, &token, &container["id"]).await;
        assert_eq!((&state["status"], &state["error_message"]), (&json!("ERROR"), &json!(wanted)));
        assert_eq!(publish(&trial, &token, &container["id"]).await.0, 400);
    }
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn nobody_without_a_token_sends_the_crawler_anywhere() {
    let trial = start().await;
    let files = files().await;
    let body = json!({ "media_type": "IMAGE", "image_url": format!("{files}/a.png") });
    assert_eq!(code(&contain(&trial, "stolen", body).await.1), (190, 0));
}

#[tokio::test]
async fn a_carousel_gathers_its_items_once_they_are_finished() {
    let trial = start().await;
    let (token, files) = (sign_in(&trial).await, files().await);
    let mut items = Vec::new();
    for (kind, name, file) in [("IMAGE", "image_url", "a.png"), ("VIDEO", "video_url", "a.mp4")] {
        let body = json!({ "media_type": kind, name: format!("{files}/{file}"),
            "is_carousel_item": true });
        let (_, item) = contain(&trial, &token, body).await;
        items.push(item["id"].as_str().unwrap().to_owned());
    }
    let body = json!({ "media_type": "CAROUSEL", "children": items.join(","), "text": "both" });
    assert_eq!(code(&contain(&trial, &token, body.clone()).await.1).0, 24);
    trial.advance(Duration::from_secs(8));
    let (status, container) = contain(&trial, &token, body).await;
    assert_eq!(status, 200, "{container}");
    // An item by itself is nothing to publish.
    assert_eq!(publish(&trial, &token, &json!(items[0])).await.0, 400);
    trial.advance(Duration::from_secs(2));
    assert_eq!(publish(&trial, &token, &container["id"]).await.0, 200);
    let ledger = trial.sandbox.ledger();
    let kinds: Vec<&str> = ledger[0].media.iter().map(|media| media.kind).collect();
    assert_eq!((ledger.len(), kinds), (1, vec!["image", "video"]));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let text = |text: &str| json!({ "media_type": "TEXT", "text": text });
    let with = |name: &str, value: Value| {
        let mut body = json!({ "media_type": "TEXT", "text": "x" });
        body[name] = value;
        body
    };
    let links: Vec<String> = (0..6).map(|number| format!("https://e.com/{number}")).collect();
    for (body, wanted) in [
        (json!({ "text": "x" }), "media_type"),
        (json!({ "media_type": "TEXT" }), "text is required"),
        (with("color", json!("red")), "Unknown parameter"),
        (text(&"x".repeat(501)), "at most 500"),
        (text(&"🤖".repeat(126)), "at most 500"),
        (text(&links.join(" ")), "LINK_LIMIT_EXCEEDED"),
        (with("reply_control", json!("nobody")), "reply_control"),
        (with("topic_tag", json!("a.b")), "topic_tag"),
        (with("reply_to_id", json!("99")), "does not exist"),
        (with("quote_post_id", json!("99")), "does not exist"),
        (with("image_url", json!("http://e.com/a.png")), "does not fit"),
        (with("children", json!("1,2")), "carousels only"),
        (with("alt_text", json!("x")), "images and videos"),
        (with("is_carousel_item", json!("true")), "no carousel item"),
        (with("is_ghost_post", json!("maybe")), "boolean"),
        (with("link_attachment", json!("e.com")), "not a valid URL"),
        (with("poll_attachment", json!({ "option_a": "one" })), "poll_attachment"),
        (with("poll_attachment", json!({ "option_a": "1", "option_c": "2" })), "poll_attachment"),
        (with("gif_attachment", json!({ "gif_id": "1", "provider": "X" })), "gif_attachment"),
        (with("text_attachment", json!({ "plaintext": "" })), "plaintext"),
        (
            with("text_entities", json!([{ "entity_type": "SPOILER", "offset": 0, "length": 2 }])),
            "text_entities",
        ),
        (json!({ "media_type": "IMAGE", "text": "x" }), "image_url is required"),
        (json!({ "media_type": "CAROUSEL", "children": "1" }), "2 to 20"),
    ] {
        let (status, refused) = contain(&trial, &token, body).await;
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(wanted), "{wanted}: {refused}");
    }
    assert_eq!(contain(&trial, &token, text(&"🤖".repeat(125))).await.0, 200);
    let mut both = with("poll_attachment", json!({ "option_a": "1", "option_b": "2" }));
    both["link_attachment"] = json!("https://e.com");
    assert_eq!(contain(&trial, &token, both).await.0, 400);
}

#[tokio::test]
async fn polls_cards_spoilers_and_long_texts_are_shown() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let poll = r#"{"option_a":"one","option_b":"two"}"#;
    let form = [("media_type", "TEXT"), ("text", "which?"), ("poll_attachment", poll)];
    let request = trial.request(Method::POST, "/threads/v1.0/me/threads", &token).form(&form);
    let (status, container) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{container}");
    assert_eq!(publish(&trial, &token, &container["id"]).await.0, 200);
    post(
        &trial,
        &token,
        json!({ "media_type": "TEXT", "text": "long",
        "text_attachment": { "plaintext": "very long" } }),
    )
    .await;
    post(
        &trial,
        &token,
        json!({ "media_type": "TEXT", "text": "it was him",
        "text_entities": [{ "entity_type": "SPOILER", "offset": 7, "length": 3 }] }),
    )
    .await;
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger[0].face.poll, ["one", "two"]);
    assert_eq!(ledger[1].face.card.as_ref().unwrap().description, "very long");
    assert_eq!(ledger[2].face.warning.as_deref(), Some("Spoiler"));
}

#[tokio::test]
async fn posts_and_replies_are_listed_apart_and_deleted_ones_not_at_all() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let first = post(&trial, &token, json!({ "media_type": "TEXT", "text": "one" })).await;
    trial.advance(Duration::from_secs(10));
    let reply = json!({ "media_type": "TEXT", "text": "two", "reply_to_id": first });
    let second = post(&trial, &token, reply).await;
    let reply = json!({ "media_type": "TEXT", "text": "three", "reply_to_id": second });
    post(&trial, &token, reply).await;
    let quote = json!({ "media_type": "TEXT", "text": "four", "quote_post_id": first });
    let quote = post(&trial, &token, quote).await;
    let (_, posts) =
        trial.get("/threads/v1.0/me/threads?fields=id,text,is_quote_post&limit=1", &token).await;
    assert_eq!(
        (&posts["data"][0]["id"], &posts["data"][0]["is_quote_post"]),
        (&json!(quote), &json!(true))
    );
    let after = posts["paging"]["cursors"]["after"].as_str().unwrap();
    let path = format!("/threads/v1.0/me/threads?fields=text&after={after}");
    let (_, rest) = trial.get(&path, &token).await;
    assert_eq!(
        (rest["data"].as_array().unwrap().len(), &rest["data"][0]["text"]),
        (1, &json!("one"))
    );
    let path = "/threads/v1.0/me/replies?fields=text,replied_to,root_post,is_reply_owned_by_me";
    let (_, replies) = trial.get(path, &token).await;
    let newest = &replies["data"][0];
    assert_eq!(
        (&newest["replied_to"]["id"], &newest["root_post"]["id"]),
        (&json!(second), &json!(first))
    );
    assert_eq!(trial.sandbox.ledger()[1].reply_to.as_deref(), Some(first.as_str()));
    let path = format!("/threads/v1.0/{first}");
    let delete = || trial.request(Method::DELETE, &path, &token).send();
    let (status, gone) = read(delete().await.unwrap()).await;
    assert_eq!((status, &gone["deleted_id"]), (200, &json!(first)));
    assert_eq!(code(&read(delete().await.unwrap()).await.1), (100, 33));
    let (_, left) = trial.get("/threads/v1.0/me/threads", &token).await;
    assert_eq!(left["data"].as_array().unwrap().len(), 1);
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
    let unknown = trial.get("/threads/v1.0/me/threads?fields=color", &token).await;
    assert_eq!(code(&unknown.1).0, 100);
}

#[tokio::test]
async fn a_repost_and_a_text_published_at_once_are_in_the_ledger() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let body = json!({ "media_type": "TEXT", "text": "now", "auto_publish_text": true });
    let (_, first) = contain(&trial, &token, body).await;
    let id = first["id"].as_str().unwrap();
    let path = format!("/threads/v1.0/{id}/repost");
    assert_eq!(trial.post(&path, &token, json!({})).await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].id.as_str()), (2, id));
    assert_eq!(ledger[1].face.marks, [format!("reposts {id}")]);
}

#[tokio::test]
async fn the_251st_post_of_a_day_is_refused_and_the_quota_tells_it_before() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    for number in 0..250 {
        let body = json!({ "media_type": "TEXT", "text": number.to_string() });
        post(&trial, &token, body).await;
    }
    let path = "/threads/v1.0/me/threads_publishing_limit?fields=quota_usage,config,\
                reply_quota_usage,reply_config";
    let (_, quota) = trial.get(path, &token).await;
    let row = &quota["data"][0];
    assert_eq!((&row["quota_usage"], &row["config"]["quota_total"]), (&json!(250), &json!(250)));
    assert_eq!(
        (&row["reply_quota_usage"], &row["reply_config"]["quota_total"]),
        (&json!(0), &json!(1_000))
    );
    let (_, more) = contain(&trial, &token, json!({ "media_type": "TEXT", "text": "more" })).await;
    let (status, refused) = publish(&trial, &token, &more["id"]).await;
    assert_eq!((status, code(&refused).0), (403, 9));
    assert_eq!(trial.sandbox.ledger().len(), 250);
    trial.advance(24 * HOUR - Duration::from_secs(1));
    assert_eq!(publish(&trial, &token, &more["id"]).await.0, 403);
    trial.advance(Duration::from_secs(1));
    // By then the container has expired, and another is needed.
    assert_eq!(state(&trial, &token, &more["id"]).await["status"], "EXPIRED");
    post(&trial, &token, json!({ "media_type": "TEXT", "text": "more" })).await;
}

#[tokio::test]
async fn permissions_are_needed_and_nobody_acts_for_others() {
    let trial = start().await;
    let token = sign_in_with(&trial, "threads_basic").await;
    let body = json!({ "media_type": "TEXT", "text": "x" });
    let (status, refused) = contain(&trial, &token, body.clone()).await;
    assert_eq!((status, code(&refused).0), (403, 10));
    assert_eq!(trial.get("/threads/v1.0/me/replies", &token).await.0, 403);
    let (_, me) = trial.get("/threads/v1.0/me?fields=id,username,name,is_verified", &token).await;
    assert_eq!((&me["username"], &me["is_verified"]), (&json!("alice"), &json!(false)));
    let token = sign_in(&trial).await;
    let (_, refused) = trial.post("/threads/v1.0/77/threads", &token, body).await;
    assert_eq!(code(&refused), (100, 33));
}

#[tokio::test]
async fn faults_are_told_in_metas_words() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let throttle = json!({ "kind": "throttle", "platform": "threads", "operation": "upload",
        "retry_after_seconds": 90 });
    trial.fault(throttle).await;
    let request = trial.request(Method::POST, "/threads/v1.0/me/threads", &token);
    let body = json!({ "media_type": "TEXT", "text": "x" });
    let response = request.json(&body).send().await.unwrap();
    let business = response.headers()["x-business-use-case-usage"].to_str().unwrap().to_owned();
    assert!(business.contains(r#""estimated_time_to_regain_access":2"#), "{business}");
    assert!(response.headers().get("retry-after").is_none());
    assert_eq!(code(&read(response).await.1).0, 4);
    trial.fault(json!({ "kind": "drop_answer", "operation": "publish" })).await;
    let (_, container) = contain(&trial, &token, body).await;
    let path = "/threads/v1.0/me/threads_publish";
    let lost = trial.request(Method::POST, path, &token);
    let lost = lost.json(&json!({ "creation_id": container["id"] })).send().await;
    assert!(lost.is_err());
    assert_eq!(state(&trial, &token, &container["id"]).await["status"], "PUBLISHED");
    assert_eq!(trial.sandbox.ledger().len(), 1);
    trial.fault(json!({ "kind": "revoke_token", "platform": "threads" })).await;
    assert_eq!(code(&trial.get("/threads/v1.0/me", &token).await.1), (190, 458));
}

/// The queries of every request below one of the collection's folders.
fn queries<'a>(folder: &'a Value, found: &mut Vec<&'a Value>) {
    for item in folder["item"].as_array().into_iter().flatten() {
        let path = &item["request"]["url"]["path"];
        if item["request"]["method"] == "POST"
            && path.as_array().is_some_and(|path| path.last().is_some_and(|last| last == "threads"))
        {
            found.extend(item["request"]["url"]["query"].as_array().into_iter().flatten());
        }
        queries(item, found);
    }
}

#[test]
fn every_parameter_of_the_published_collection_is_known() {
    let path = "../shared/specs/meta-threads/threads-api.postman_collection.json";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: Meta's collection is not beside this repository");
        return;
    };
    let collection: Value = serde_json::from_slice(&bytes).unwrap();
    let mut found = Vec::new();
    queries(&collection, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    for query in found {
        let name = query["key"].as_str().unwrap();
        assert!(KNOWN.contains(&name), "{name}");
    }
}

#[tokio::test]
async fn naming_a_place_needs_a_permission_of_its_own() {
    let trial = start().await;
    let body = json!({ "media_type": "TEXT", "text": "here", "location_id": "77" });
    let token = sign_in(&trial).await;
    assert_eq!(code(&contain(&trial, &token, body.clone()).await.1).0, 10);
    let scope = format!("{SCOPE},threads_location_tagging");
    post(&trial, &sign_in_with(&trial, &scope).await, body).await;
    assert_eq!(trial.sandbox.ledger()[0].face.marks, ["at location 77"]);
}
