//! Snapchat as a client meets it.

use std::time::Duration;

use aes::Aes256;
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::{
    Encryptor,
    cipher::{
        BlockEncryptMut, KeyIvInit,
        block_padding::{NoPadding, Pkcs7},
    },
};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::sandbox::trial::{BACK, Trial, film_of, png, read, start, told};

const KEY: [u8; 32] = [7; 32];
const VECTOR: [u8; 16] = [9; 16];
const PROCESSED: Duration = Duration::from_secs(12);

async fn redeem(trial: &Trial, client: &str, handle: &str) -> Value {
    let form = [
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", "snapchat-profile-api"),
        ("state", "s1"),
        ("handle", handle),
        ("decision", "allow"),
    ];
    let url = trial.answer_consent("/snapchat/login/oauth2/authorize", &form).await;
    let code = told(&url, "code").unwrap();
    let form = [
        ("client_id", client),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", &code),
    ];
    let (status, tokens) = trial.form("/snapchat/login/oauth2/access_token", &form).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// A token, and the path of the profile behind it.
async fn enter_as(trial: &Trial, client: &str, handle: &str) -> (String, String) {
    let tokens = redeem(trial, client, handle).await;
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    let (_, mine) = trial.get("/snapchat/v1/public_profiles/my_profile", &token).await;
    let id = mine["public_profile"]["id"].as_str().unwrap_or_default();
    (token, format!("/snapchat/v1/public_profiles/{id}"))
}

async fn enter(trial: &Trial) -> (String, String) {
    enter_as(trial, "app", "alice").await
}

fn encrypted(bytes: &[u8]) -> Vec<u8> {
    let encryptor = Encryptor::<Aes256>::new(&KEY.into(), &VECTOR.into());
    encryptor.encrypt_padded_vec_mut::<Pkcs7>(bytes)
}

async fn created(trial: &Trial, token: &str, profile: &str, kind: &str) -> Value {
    let body = json!({ "type": kind, "name": "clip", "key": STANDARD.encode(KEY),
        "iv": STANDARD.encode(VECTOR) });
    let (status, media) = trial.post(&format!("{profile}/media"), token, body).await;
    assert_eq!(status, 200, "{media}");
    media
}

async fn step(trial: &Trial, token: &str, path: &Value, form: Form) -> (u16, Value) {
    let url = format!("{}/snapchat{}", trial.origin, path.as_str().unwrap());
    let request = trial.client.post(url).bearer_auth(token).multipart(form);
    read(request.send().await.unwrap()).await
}

fn part(number: usize, bytes: &[u8]) -> Form {
    let file = Part::bytes(bytes.to_vec()).file_name("blob");
    Form::new().text("action", "ADD").text("part_number", number.to_string()).part("file", file)
}

/// Sends what is encrypted already, in parts of so many bytes.
async fn send(trial: &Trial, token: &str, media: &Value, cipher: &[u8], size: usize) -> String {
    for (index, bytes) in cipher.chunks(size).enumerate() {
        let added = step(trial, token, &media["add_path"], part(index + 1, bytes)).await;
        assert_eq!(added.0, 200, "{}", added.1);
    }
    let form = Form::new().text("action", "FINALIZE");
    assert_eq!(step(trial, token, &media["finalize_path"], form).await.0, 200);
    media["media_id"].as_str().unwrap().to_owned()
}

async fn film(trial: &Trial, token: &str, profile: &str) -> String {
    let media = created(trial, token, profile, "VIDEO").await;
    send(trial, token, &media, &encrypted(&film_of(9, 3_000)), 1_000).await
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error_code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_refresh_token_stops_as_soon_as_it_was_used() {
    let trial = start().await;
    let first = redeem(&trial, "app", "alice").await;
    assert_eq!(first["expires_in"], 3_600);
    trial.advance(Duration::from_secs(3_600));
    let path = "/snapchat/v1/public_profiles/my_profile";
    assert_eq!(trial.get(path, first["access_token"].as_str().unwrap()).await.0, 401);
    let form = [
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "refresh_token"),
        ("refresh_token", first["refresh_token"].as_str().unwrap()),
    ];
    let (_, second) = trial.form("/snapchat/login/oauth2/access_token", &form).await;
    let (_, mine) = trial.get(path, second["access_token"].as_str().unwrap()).await;
    assert_eq!(mine["public_profile"]["snap_user_name"], "alice");
    let (status, refused) = trial.form("/snapchat/login/oauth2/access_token", &form).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn apps_that_are_not_listed_and_profiles_that_are_not_public_may_nothing() {
    let trial = start().await;
    let (token, _) = enter_as(&trial, "unlisted", "alice").await;
    let refused = trial.get("/snapchat/v1/public_profiles/my_profile", &token).await;
    assert_eq!(code(&refused), (403, "AUTHORIZATION_PERMISSION_DENIED"));
    let (token, profile) = enter_as(&trial, "app", "basic-bob").await;
    let story = trial.post(&format!("{profile}/stories"), &token, json!({})).await;
    assert_eq!(code(&story), (403, "AUTHORIZATION_PERMISSION_DENIED"));
    let (_, alice) = enter(&trial).await;
    assert_eq!(trial.get(&alice, &token).await.0, 403);
}

#[tokio::test]
async fn a_film_is_decrypted_processed_and_posted_once() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    let media = film(&trial, &token, &profile).await;
    let path = format!("{profile}/stories");
    let post = async || trial.post(&path, &token, json!({ "media_id": media })).await;
    assert_eq!(code(&post().await), (400, "MEDIA_PROCESSING"));
    assert!(trial.sandbox.ledger().is_empty());
    trial.advance(PROCESSED);
    let (status, posted) = post().await;
    assert_eq!((status, &posted["request_status"]), (200, &json!("SUCCESS")));
    assert_eq!(posted.as_object().unwrap().len(), 2);
    assert_eq!(code(&post().await), (400, "MEDIA_POSTING_ALREADY_IN_PROGRESS"));
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media[0].bytes), (1, 3_000));
    assert_eq!((ledger[0].face.label, ledger[0].media[0].kind), (Some("story"), "video"));
}

#[tokio::test]
async fn a_picture_is_a_story_and_no_spotlight() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    let media = created(&trial, &token, &profile, "IMAGE").await;
    let media = send(&trial, &token, &media, &encrypted(&png()), 9_999).await;
    trial.advance(PROCESSED);
    let body = json!({ "media_id": media, "locale": "en_US" });
    assert_eq!(code(&trial.post(&format!("{profile}/spotlights"), &token, body).await).0, 400);
    let body = json!({ "media_id": media, "customized_ttl": { "ttl": "ONE_YEAR" } });
    assert_eq!(trial.post(&format!("{profile}/stories"), &token, body).await.0, 400);
    let body = json!({ "media_id": media, "customized_ttl": { "ttl": "ONE_WEEK" } });
    assert_eq!(trial.post(&format!("{profile}/stories"), &token, body).await.0, 200);
    assert_eq!(trial.sandbox.ledger()[0].face.marks, ["one week"]);
}

#[tokio::test]
async fn a_spotlight_is_looked_at_and_then_live_or_rejected() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    let path = format!("{profile}/spotlights");
    let mut ids = Vec::new();
    for text in ["A dog #walk", "Reject this"] {
        let media = film(&trial, &token, &profile).await;
        trial.advance(PROCESSED);
        for flawed in [
            json!({ "media_id": media, "description": text }),
            json!({ "media_id": media, "locale": "english" }),
            json!({ "media_id": media, "locale": "en_US", "description": "a".repeat(161) }),
            json!({ "media_id": media, "locale": "en_US", "title": text }),
        ] {
            assert_eq!(trial.post(&path, &token, flawed).await.0, 400);
        }
        let body = json!({ "media_id": media, "locale": "en_US", "description": text,
            "skip_save_to_profile": false });
        let (status, posted) = trial.post(&path, &token, body).await;
        assert_eq!(status, 200, "{posted}");
        ids.push(posted["spotlight_id"].as_str().unwrap().to_owned());
    }
    let state = async |id: &str| {
        trial.get(&format!("{path}/{id}"), &token).await.1["spotlight"]["status"].clone()
    };
    assert_eq!(state(&ids[1]).await, "SUBMITTED");
    trial.advance(Duration::from_secs(20));
    assert_eq!([state(&ids[0]).await, state(&ids[1]).await], ["LIVE", "REJECTED"]);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), &ledger[0].id), (1, &ids[0]));
}

#[tokio::test]
async fn what_was_not_encrypted_as_announced_never_leaves_processing() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    let path = format!("{profile}/stories");
    let film = film_of(9, 3_200);
    let unpadded = Encryptor::<Aes256>::new(&KEY.into(), &VECTOR.into())
        .encrypt_padded_vec_mut::<NoPadding>(&film);
    for cipher in [film, unpadded] {
        let media = created(&trial, &token, &profile, "VIDEO").await;
        let media = send(&trial, &token, &media, &cipher, 9_999).await;
        trial.advance(Duration::from_secs(600));
        let body = json!({ "media_id": media });
        let answer = trial.post(&path, &token, body).await;
        assert_eq!(code(&answer), (400, "MEDIA_PROCESSING"));
    }
    // Well encrypted, but too short a film.
    let media = created(&trial, &token, &profile, "VIDEO").await;
    let media = send(&trial, &token, &media, &encrypted(&film_of(2, 0)), 9_999).await;
    trial.advance(PROCESSED);
    let answer = trial.post(&path, &token, json!({ "media_id": media })).await;
    assert_eq!(code(&answer), (400, "E1001"));
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn parts_have_their_rules_and_a_file_its_day() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    for (name, value) in [("key", "AAAA"), ("iv", "?"), ("type", "AUDIO"), ("name", "")] {
        let mut body = json!({ "type": "VIDEO", "name": "clip", "key": STANDARD.encode(KEY),
            "iv": STANDARD.encode(VECTOR) });
        body[name] = json!(value);
        assert_eq!(trial.post(&format!("{profile}/media"), &token, body).await.0, 400, "{name}");
    }
    let media = created(&trial, &token, &profile, "VIDEO").await;
    let add = &media["add_path"];
    for number in [0, 36] {
        assert_eq!(step(&trial, &token, add, part(number, b"a")).await.0, 400);
    }
    assert_eq!(step(&trial, &token, add, part(1, b"")).await.0, 400);
    let finalize = async || {
        let form = Form::new().text("action", "FINALIZE");
        step(&trial, &token, &media["finalize_path"], form).await.0
    };
    assert_eq!(finalize().await, 400);
    step(&trial, &token, add, part(2, b"bb")).await;
    assert_eq!(finalize().await, 400);
    trial.advance(Duration::from_secs(24 * 60 * 60));
    let (token, _) = enter(&trial).await;
    let late = step(&trial, &token, add, part(1, b"a")).await;
    assert_eq!(code(&late), (400, "MEDIA_EXPIRED"));
}

#[tokio::test]
async fn faults_speak_as_snapchat_does() {
    let trial = start().await;
    let (token, profile) = enter(&trial).await;
    let media = film(&trial, &token, &profile).await;
    trial.advance(PROCESSED);
    let path = format!("{profile}/stories");
    let body = json!({ "media_id": media });
    trial.fault(json!({ "kind": "throttle", "operation": "publish" })).await;
    assert_eq!(code(&trial.post(&path, &token, body.clone()).await), (429, "E1429"));
    trial.fault(json!({ "kind": "drop_answer", "operation": "publish" })).await;
    let request = trial.request(reqwest::Method::POST, &path, &token).json(&body);
    assert!(request.send().await.is_err());
    let again = trial.post(&path, &token, body).await;
    assert_eq!(code(&again), (400, "MEDIA_POSTING_ALREADY_IN_PROGRESS"));
    assert_eq!(trial.sandbox.ledger().len(), 1);
    trial.fault(json!({ "kind": "revoke_token", "operation": "read" })).await;
    assert_eq!(trial.get(&profile, &token).await.0, 401);
}
