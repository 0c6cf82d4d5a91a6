//! Pinterest as a client meets it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::sandbox::trial::{
    BACK, Trial, film_of, jpeg_of, mp4, png, png_of, read, serve, start, told,
};

const SCOPE: &str = "boards:read,boards:write,pins:read,pins:write,user_accounts:read";
const PINS: &str = "/pinterest/v5/pins";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn code(trial: &Trial, scope: &str, handle: &str) -> String {
    let form = [
        ("client_id", "app"),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", scope),
        ("state", "s1"),
        ("handle", handle),
        ("decision", "allow"),
    ];
    told(&trial.answer_consent("/pinterest/oauth/", &form).await, "code").unwrap()
}

async fn token(trial: &Trial, form: &[(&str, &str)]) -> (u16, Value) {
    let request = trial.request(Method::POST, "/pinterest/v5/oauth/token", "");
    let request = request.basic_auth("app", Some("sandbox-secret")).form(form);
    read(request.send().await.unwrap()).await
}

async fn redeem(trial: &Trial, scope: &str, handle: &str) -> Value {
    let code = code(trial, scope, handle).await;
    let form = [("grant_type", "authorization_code"), ("redirect_uri", BACK), ("code", &code)];
    let (status, tokens) = token(trial, &form).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

async fn sign_in(trial: &Trial) -> String {
    redeem(trial, SCOPE, "alice").await["access_token"].as_str().unwrap().to_owned()
}

async fn board(trial: &Trial, token: &str) -> String {
    let (_, boards) = trial.get("/pinterest/v5/boards?page_size=250", token).await;
    boards["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{boards}")).to_owned()
}

fn pin(board: &str, source: Value) -> Value {
    json!({ "board_id": board, "title": "Dog", "description": "On a walk",
        "alt_text": "A brown dog", "link": "https://e.com/dog", "media_source": source })
}

fn inline(bytes: &[u8]) -> Value {
    json!({ "source_type": "image_base64", "content_type": "image/png",
        "data": STANDARD.encode(bytes) })
}

/// Sends a film, and gives its media id.
async fn film(trial: &Trial, token: &str, bytes: Vec<u8>) -> String {
    let body = json!({ "media_type": "video" });
    let (status, media) = trial.post("/pinterest/v5/media", token, body).await;
    assert_eq!(status, 201, "{media}");
    let mut form = Form::new();
    for (name, value) in media["upload_parameters"].as_object().unwrap() {
        form = form.text(name.clone(), value.as_str().unwrap().to_owned());
    }
    let form = form.part("file", Part::bytes(bytes).file_name("a.mp4"));
    let url = media["upload_url"].as_str().unwrap();
    let sent = trial.client.post(url).multipart(form).send().await.unwrap();
    assert_eq!(sent.status(), 204);
    media["media_id"].as_str().unwrap().to_owned()
}

fn refusal(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["code"].as_u64().unwrap_or_default())
}

#[tokio::test]
async fn each_refresh_gives_another_token_for_sixty_days() {
    let trial = start().await;
    let first = redeem(&trial, SCOPE, "alice").await;
    assert_eq!(first["refresh_token_expires_in"], 5_184_000);
    assert!(first["access_token"].as_str().unwrap().starts_with("pina_"));
    trial.advance(DAY * 40);
    let old = first["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", old)];
    let (_, second) = token(&trial, &form).await;
    assert_eq!(refusal(&token(&trial, &form).await), (401, 2));
    trial.advance(DAY * 40);
    let kept = second["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", kept)];
    let (status, third) = token(&trial, &form).await;
    assert_eq!(status, 200);
    let path = "/pinterest/v5/user_account";
    let late = trial.get(path, second["access_token"].as_str().unwrap()).await;
    assert_eq!(refusal(&late), (401, 2));
    let (_, user) = trial.get(path, third["access_token"].as_str().unwrap()).await;
    assert_eq!(user["username"], "alice");
    trial.advance(DAY * 60);
    let last = third["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", last)];
    assert_eq!(token(&trial, &form).await.0, 401);
}

#[tokio::test]
async fn clients_prove_themselves_with_basic_alone() {
    let trial = start().await;
    let code = code(&trial, SCOPE, "alice").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", &code),
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
    ];
    let refused = trial.form("/pinterest/v5/oauth/token", &form).await;
    assert_eq!(refusal(&refused), (401, 2));
    assert_eq!(token(&trial, &form[..3]).await.0, 200);
}

#[tokio::test]
async fn boards_are_listed_made_once_and_secret_ones_take_a_scope() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let path = "/pinterest/v5/boards";
    let (_, boards) = trial.get(path, &token).await;
    assert_eq!(boards["items"].as_array().unwrap().len(), 1);
    assert!(boards["bookmark"].is_null());
    let all = redeem(&trial, &format!("{SCOPE},boards:read_secret"), "alice").await;
    let (_, boards) = trial.get(path, all["access_token"].as_str().unwrap()).await;
    assert_eq!(boards["items"][1]["privacy"], "SECRET");
    let (_, page) =
        trial.get(&format!("{path}?page_size=1"), all["access_token"].as_str().unwrap()).await;
    assert_eq!(page["bookmark"], "1");
    let body = json!({ "name": "Dogs" });
    assert_eq!(trial.post(path, &token, body.clone()).await.0, 201);
    assert_eq!(refusal(&trial.post(path, &token, body).await), (409, 58));
    let reader = redeem(&trial, "boards:read", "alice").await;
    let reader = reader["access_token"].as_str().unwrap();
    let refused = trial.post(path, reader, json!({ "name": "Cats" })).await;
    assert_eq!(refusal(&refused), (401, 3));
}

#[tokio::test]
async fn a_picture_becomes_a_pin_that_is_listed_changed_and_removed() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let board = board(&trial, &token).await;
    let request = trial.request(Method::POST, PINS, &token).json(&pin(&board, inline(&png())));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-ratelimit-limit"], "100");
    assert_eq!(response.headers()["x-ratelimit-remaining"], "99");
    let (status, made) = read(response).await;
    assert_eq!((status, &made["creative_type"]), (201, &json!("REGULAR")), "{made}");
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "Dog\n\nOn a walk"));
    assert_eq!(ledger[0].media[0].alt, "A brown dog");
    trial.post(PINS, &token, pin(&board, inline(&png()))).await;
    let path = format!("/pinterest/v5/boards/{board}/pins?page_size=1");
    let (_, listed) = trial.get(&path, &token).await;
    assert_ne!(listed["items"][0]["id"], made["id"]);
    let (_, older) = trial.get(&format!("{PINS}?page_size=1&bookmark=1"), &token).await;
    assert_eq!(older["items"][0]["id"], made["id"]);
    let path = format!("{PINS}/{}", made["id"].as_str().unwrap());
    let change = trial.request(Method::PATCH, &path, &token).json(&json!({ "title": "Cat" }));
    let (_, changed) = read(change.send().await.unwrap()).await;
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Cat"), &json!("On a walk")));
    assert_eq!(trial.sandbox.ledger()[0].text, "Cat\n\nOn a walk");
    let delete = trial.request(Method::DELETE, &path, &token);
    assert_eq!(delete.send().await.unwrap().status(), 204);
    assert_eq!(refusal(&trial.get(&path, &token).await), (404, 50));
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
    let bob = redeem(&trial, SCOPE, "bob").await["access_token"].as_str().unwrap().to_owned();
    let foreign = trial.post(PINS, &bob, pin(&board, inline(&png()))).await;
    assert_eq!(refusal(&foreign), (404, 40));
}

#[tokio::test]
async fn pictures_are_reached_and_those_of_a_carousel_are_alike() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let board = board(&trial, &token).await;
    let files = serve(&[
        ("/a.jpg", jpeg_of(600, 900)),
        ("/b.jpg", jpeg_of(600, 900)),
        ("/wide.jpg", jpeg_of(900, 600)),
        ("/a.txt", b"words".to_vec()),
    ])
    .await;
    let one = |name: &str| json!({ "source_type": "image_url", "url": format!("{files}/{name}") });
    let many = |names: &[&str]| {
        let items: Vec<Value> = names
            .iter()
            .map(|name| json!({ "url": format!("{files}/{name}"), "title": name }))
            .collect();
        json!({ "source_type": "multiple_image_urls", "items": items, "index": 0 })
    };
    let inlined = json!({ "content_type": "image/png", "data": STANDARD.encode(png()) });
    for (source, wanted) in [
        (one("a.jpg"), 201),
        (one("a.txt"), 400),
        (one("gone.jpg"), 400),
        (many(&["a.jpg", "b.jpg"]), 201),
        (many(&["a.jpg", "wide.jpg"]), 400),
        (many(&["a.jpg"]), 400),
        (many(&["a.jpg"; 6]), 400),
        (json!({ "source_type": "multiple_image_base64", "items": [inlined, inlined] }), 201),
        (
            json!({ "source_type": "image_base64", "content_type": "image/jpeg",
            "data": STANDARD.encode(png()) }),
            400,
        ),
        (json!({ "source_type": "image_base64", "content_type": "image/png", "data": "?" }), 400),
        (json!({ "source_type": "pin_url", "url": "https://e.com" }), 400),
        (Value::Null, 400),
    ] {
        let answer = trial.post(PINS, &token, pin(&board, source.clone())).await;
        assert_eq!(answer.0, wanted, "{source}: {}", answer.1);
    }
    let counts: Vec<usize> = trial.sandbox.ledger().iter().map(|it| it.media.len()).collect();
    assert_eq!(counts, [1, 2, 2]);
}

#[tokio::test]
async fn a_film_is_sent_to_the_bucket_processed_and_pinned_with_a_cover() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let board = board(&trial, &token).await;
    let media = film(&trial, &token, film_of(9, 0)).await;
    let short = film(&trial, &token, film_of(2, 0)).await;
    let covered = |media: &str, name: &str, value: Value| {
        let mut source = json!({ "source_type": "video_id", "media_id": media });
        source[name] = value;
        pin(&board, source)
    };
    let early = covered(&media, "cover_image_key_frame_time", json!(1));
    assert_eq!(trial.post(PINS, &token, early.clone()).await.0, 400);
    let path = format!("/pinterest/v5/media/{media}");
    assert_eq!(trial.get(&path, &token).await.1["status"], "processing");
    trial.advance(Duration::from_secs(10));
    assert_eq!(trial.get(&path, &token).await.1["status"], "succeeded");
    let path = format!("/pinterest/v5/media/{short}");
    assert_eq!(trial.get(&path, &token).await.1["status"], "failed");
    let bare = covered(&media, "is_standard", json!(true));
    assert_eq!(refusal(&trial.post(PINS, &token, bare).await), (400, 1));
    let failed = covered(&short, "cover_image_key_frame_time", json!(1));
    assert_eq!(trial.post(PINS, &token, failed).await.0, 400);
    let (status, made) = trial.post(PINS, &token, early).await;
    assert_eq!((status, &made["creative_type"]), (201, &json!("VIDEO")), "{made}");
    let mut cover = covered(&media, "cover_image_data", json!(STANDARD.encode(png())));
    cover["media_source"]["cover_image_content_type"] = json!("image/png");
    assert_eq!(trial.post(PINS, &token, cover).await.0, 201);
    assert_eq!(trial.sandbox.ledger()[0].media[0].kind, "video");
}

#[tokio::test]
async fn the_bucket_wants_what_was_told_and_the_file_last() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let body = json!({ "media_type": "video" });
    let (_, media) = trial.post("/pinterest/v5/media", &token, body).await;
    let parameters = media["upload_parameters"].as_object().unwrap();
    let form = |changed: &str, without: &str, file_first: bool| {
        let file = || Part::bytes(mp4()).file_name("a.mp4");
        let mut form = Form::new();
        if file_first {
            form = form.part("file", file());
        }
        for (name, value) in parameters.iter().filter(|(name, _)| *name != without) {
            let value = value.as_str().unwrap();
            let value = if name == changed { format!("{value}x") } else { value.to_owned() };
            form = form.text(name.clone(), value);
        }
        if file_first { form } else { form.part("file", file()) }
    };
    let url = media["upload_url"].as_str().unwrap();
    for (form, wanted) in [
        (form("policy", "", false), 403),
        (form("", "x-amz-signature", false), 403),
        (form("", "", true), 400),
        (form("", "", false), 204),
    ] {
        let sent = trial.client.post(url).multipart(form).send().await.unwrap();
        assert_eq!(sent.status(), wanted);
    }
    let signed = trial.client.post(url).bearer_auth(&token).multipart(form("", "", false));
    assert_eq!(signed.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn words_have_their_limits_and_unknown_names_are_told() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let board = board(&trial, &token).await;
    for (name, value) in [
        ("title", json!("a".repeat(101))),
        ("description", json!("a".repeat(801))),
        ("alt_text", json!("a".repeat(501))),
        ("link", json!(format!("https://e.com/{}", "a".repeat(2_048)))),
        ("link", json!("e.com")),
        ("title", json!(7)),
        ("colour", json!("red")),
        ("board_id", Value::Null),
    ] {
        let mut body = pin(&board, inline(&png_of(10, 10, 0)));
        body[name] = value;
        let answer = trial.post(PINS, &token, body).await;
        assert_eq!(refusal(&answer), (400, 1), "{name}");
    }
    let mut body = pin(&board, inline(&png()));
    body["board_section_id"] = json!("1");
    assert_eq!(trial.post(PINS, &token, body.clone()).await.0, 404);
    let sections = format!("/pinterest/v5/boards/{board}/sections");
    let (_, found) = trial.get(&sections, &token).await;
    body["board_section_id"] = found["items"][0]["id"].clone();
    assert_eq!(trial.post(PINS, &token, body).await.0, 201);
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn a_hundred_writes_in_a_minute_are_all_and_the_wait_is_told() {
    let trial = start().await;
    let token = sign_in(&trial).await;
    let board = board(&trial, &token).await;
    for _ in 0..100 {
        trial.post(PINS, &token, json!({})).await;
    }
    trial.advance(Duration::from_secs(20));
    let request = trial.request(Method::POST, PINS, &token).json(&pin(&board, inline(&png())));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["x-ratelimit-reset"], "40");
    assert_eq!(refusal(&read(response).await), (429, 8));
    assert_eq!(trial.get("/pinterest/v5/user_account", &token).await.0, 200);
    assert!(trial.sandbox.ledger().is_empty());
}
