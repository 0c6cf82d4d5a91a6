//! Events as a sender would send them: right, repeated, forged, and not as the guide has them.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sandbox::trial::{Trial, png, read, serve, start};

const KEY: [u8; 32] = [7; 32];
const NOW: u64 = 1_795_000_000;

fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

async fn told() -> Trial {
    let trial = start().await;
    let path = "/_sandbox/webhooks/shop";
    assert_eq!(trial.post(path, "", json!({ "secret": secret() })).await.0, 201);
    trial
}

fn signature(key: &[u8], id: &str, at: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn send_at(trial: &Trial, id: &str, at: u64, key: &[u8], body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let request = trial.request(Method::POST, "/webhook/shop", "");
    let request = request
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at)
        .header("webhook-signature", format!("v1,AAAA {}", signature(key, id, at, &body)))
        .body(body);
    read(request.send().await.unwrap()).await
}

async fn send(trial: &Trial, id: &str, body: &Value) -> (u16, Value) {
    send_at(trial, id, NOW, &KEY, body).await
}

fn published(id: &str, text: &str) -> Value {
    json!({ "type": "post.published", "timestamp": "2026-11-18T09:00:00.000Z", "data": {
        "id": id, "delivery": "dlv_1", "account": { "id": "acc_1", "name": "shop" },
        "part": 1, "parts": 1, "previous": null, "text": text, "media": [],
        "options": { "title": "Cats" }, "planned": "2026-11-18T09:00:00.000Z" } })
}

#[tokio::test]
async fn an_event_that_comes_again_is_published_once_and_answered_alike() {
    let trial = told().await;
    let first = send(&trial, "msg_1", &published("msg_1", "Hello")).await;
    let again = send(&trial, "msg_1", &published("msg_1", "Hello")).await;
    assert!(first.0 == 200 && first == again, "{first:?} {again:?}");
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "Hello"));
    assert_eq!((&ledger[0].id, &ledger[0].url), (&text(&first.1, "id"), &text(&first.1, "url")));
    let (_, kept) = trial.get("/_sandbox/webhooks/shop", "").await;
    assert_eq!(
        (&kept["events"][0]["id"], &kept["events"][0]["repeats"]),
        (&json!("msg_1"), &json!(1))
    );
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_signed_wrongly_or_too_old_is_refused_and_changes_nothing() {
    let trial = told().await;
    let body = published("msg_1", "Hello");
    assert_eq!(send_at(&trial, "msg_1", NOW, &[8; 32], &body).await.0, 401);
    for at in [NOW - 301, NOW + 301] {
        assert_eq!(send_at(&trial, "msg_1", at, &KEY, &body).await.0, 401);
    }
    assert_eq!(send_at(&trial, "", NOW, &KEY, &body).await.0, 401);
    assert_eq!(trial.post("/webhook/shop", "", body.clone()).await.0, 401);
    assert!(trial.sandbox.ledger().is_empty());
    assert_eq!(send_at(&trial, "msg_1", NOW - 299, &KEY, &body).await.0, 200);
}

#[tokio::test]
async fn without_a_secret_any_signature_is_taken_but_none_is_not() {
    let trial = start().await;
    let body = json!({ "type": "webhook.test", "data": {} });
    assert_eq!(send_at(&trial, "msg_1", NOW, &[8; 32], &body).await.0, 200);
    assert_eq!(trial.post("/webhook/shop", "", body).await.0, 401);
    let wrong = json!({ "secret": "whsec_short" });
    assert_eq!(trial.post("/_sandbox/webhooks/shop", "", wrong).await.0, 400);
}

#[tokio::test]
async fn later_parts_changes_and_removals_are_of_what_came_before() {
    let trial = told().await;
    let mut second = published("msg_2", "And more");
    second["data"]["part"] = json!(2);
    second["data"]["parts"] = json!(2);
    second["data"]["previous"] = json!({ "event": "msg_1", "id": null });
    assert_eq!(send(&trial, "msg_2", &second).await.0, 404);
    let (_, made) = send(&trial, "msg_1", &published("msg_1", "Hello")).await;
    assert_eq!(send(&trial, "msg_2", &second).await.0, 200);
    assert_eq!(trial.sandbox.ledger()[1].reply_to, Some(text(&made, "id")));
    let data = json!({ "event": "msg_1", "id": made["id"], "text": "Hello again" });
    let updated = json!({ "type": "post.updated", "data": data });
    assert_eq!(send(&trial, "msg_3", &updated).await.0, 200);
    let other = json!({ "type": "post.deleted", "data": { "event": "msg_1", "id": "1" } });
    assert_eq!(send(&trial, "msg_4", &other).await.0, 422);
    let deleted = json!({ "type": "post.deleted", "data": { "event": "msg_1", "id": made["id"] } });
    assert_eq!(send(&trial, "msg_5", &deleted).await.0, 200);
    let ledger = trial.sandbox.ledger();
    assert!(ledger[0].text == "Hello again" && ledger[0].deleted_at.is_some());
    assert!(ledger.len() == 2 && ledger[1].deleted_at.is_none());
}

#[tokio::test]
async fn files_are_fetched_and_have_to_be_what_the_event_says() {
    let trial = told().await;
    let origin = serve(&[("/cat.png", png())]).await;
    let file = |bytes: usize, path: &str| {
        json!([{ "kind": "image", "type": "image/png", "bytes": bytes, "width": 1, "height": 1,
            "milliseconds": null, "name": "cat.png", "alt": "A cat",
            "url": format!("{origin}/{path}") }])
    };
    let mut body = published("msg_1", "Look");
    for (bytes, path) in [(png().len(), "dog.png"), (1, "cat.png")] {
        body["data"]["media"] = file(bytes, path);
        assert_eq!(send(&trial, "msg_1", &body).await.0, 422, "{path}");
    }
    body["data"]["media"] = file(png().len(), "cat.png");
    assert_eq!(send(&trial, "msg_1", &body).await.0, 200);
    let media = &trial.sandbox.ledger()[0].media;
    assert_eq!((media[0].bytes, media[0].alt.as_str()), (png().len(), "A cat"));
}

#[tokio::test]
async fn what_is_not_as_the_guide_says_is_refused() {
    let trial = told().await;
    for (name, value) in [
        ("id", json!("msg_2")),
        ("part", json!(2)),
        ("previous", json!({ "event": "msg_0" })),
        ("colour", json!("red")),
        ("text", json!("")),
        ("options", json!([])),
        ("media", json!([{ "kind": "sound" }])),
    ] {
        let mut body = published("msg_1", "Hello");
        body["data"][name] = value;
        assert_eq!(send(&trial, "msg_1", &body).await.0, 422, "{name}");
    }
    assert_eq!(send(&trial, "msg_1", &json!({ "type": "post.liked" })).await.0, 422);
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_program_that_is_gone_has_forgotten_or_is_busy_says_so() {
    let trial = told().await;
    let body = published("msg_1", "Hello");
    let fault = |kind: &str| json!({ "kind": kind, "platform": "webhook", "account": "shop" });
    trial.fault(json!({ "kind": "refuse", "status": 410, "operation": "publish" })).await;
    assert_eq!(send(&trial, "msg_1", &body).await.0, 410);
    trial.fault(fault("throttle")).await;
    assert_eq!(send(&trial, "msg_1", &body).await.0, 429);
    for (kind, status) in [("revoke_token", 410), ("expire_token", 401)] {
        trial.fault(fault(kind)).await;
        for _ in 0..2 {
            assert_eq!(send(&trial, "msg_1", &body).await.0, status);
        }
        let secret = json!({ "secret": secret() });
        trial.post("/_sandbox/webhooks/shop", "", secret).await;
    }
    assert!(trial.sandbox.ledger().is_empty());
    assert_eq!(send(&trial, "msg_1", &body).await.0, 200);
}
