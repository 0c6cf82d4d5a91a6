//! What the simulated Discord accepts, refuses and records, asked over the wire.

use std::time::Duration;

use reqwest::{
    Method,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use crate::sandbox::{
    Limits,
    trial::{Trial, mp4, png, read, start, start_with},
};

const HOOK: &str = "/discord/api/v10/webhooks/111111111111111111/\
                    abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789_-ABCD";
const PLACE: &str = "/discord/api/v10/channels/222222222222222222";
const BOT: &str = "Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";

async fn ask(trial: &Trial, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = trial.request(method, path, "").header("user-agent", "DiscordBot (e.com, 1)");
    let request = match path.starts_with(HOOK) {
        true => request,
        false => request.header("authorization", BOT),
    };
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    read(request.send().await.unwrap()).await
}

async fn post(trial: &Trial, path: &str, body: Value) -> (u16, Value) {
    ask(trial, Method::POST, path, Some(body)).await
}

#[tokio::test]
async fn a_webhook_says_where_it_leads_and_each_request_is_a_message() {
    let trial = start().await;
    let (status, hook) = ask(&trial, Method::GET, HOOK, None).await;
    assert_eq!((status, &hook["channel_id"]), (200, &json!("211111111111111111")));
    let path = format!("{HOOK}?wait=true");
    for _ in 0..2 {
        let (status, sent) = post(&trial, &path, json!({ "content": "x" })).await;
        assert_eq!((status, &sent["webhook_id"]), (200, &json!("111111111111111111")));
    }
    assert_eq!(post(&trial, HOOK, json!({ "content": "x" })).await.0, 204);
    assert_eq!(trial.sandbox.ledger().len(), 3);
    let short = "/discord/api/v10/webhooks/111111111111111111/short";
    assert_eq!(ask(&trial, Method::GET, short, None).await.1["code"], 50_027);
}

#[tokio::test]
async fn a_nonce_of_a_bot_is_one_message_for_a_few_minutes_and_listed() {
    let trial = start().await;
    let path = format!("{PLACE}/messages");
    let body = json!({ "content": "x", "nonce": "one", "enforce_nonce": true });
    let (_, first) = post(&trial, &path, body.clone()).await;
    let (_, second) = post(&trial, &path, body.clone()).await;
    assert_eq!((&first["id"], trial.sandbox.ledger().len()), (&second["id"], 1));
    trial.advance(Duration::from_secs(301));
    let (_, third) = post(&trial, &path, body).await;
    assert_ne!(first["id"], third["id"]);
    let (_, all) = ask(&trial, Method::GET, &format!("{path}?limit=10"), None).await;
    assert_eq!((&all[0]["id"], &all[1]["id"]), (&third["id"], &first["id"]));
    let after = format!("{path}?after={}", first["id"].as_str().unwrap());
    let (_, later) = ask(&trial, Method::GET, &after, None).await;
    assert_eq!(later.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_discord_would_refuse_is_refused_and_leaves_nothing() {
    let trial = start().await;
    let answers: Vec<Value> = (0..11).map(|_| json!({ "poll_media": { "text": "a" } })).collect();
    for (body, code) in [
        (json!({}), 50_006),
        (json!({ "content": "x".repeat(2_001) }), 50_035),
        (json!({ "content": "x", "colour": 1 }), 50_035),
        (json!({ "content": "x", "username": "my discord" }), 50_035),
        (json!({ "content": "x", "nonce": "n" }), 50_035),
        (json!({ "content": "x", "flags": 64 }), 50_035),
        (json!({ "poll": { "question": { "text": "q" }, "answers": answers } }), 50_035),
        (json!({ "embeds": [{ "title": "x".repeat(257) }] }), 50_035),
    ] {
        trial.advance(Duration::from_secs(2));
        let (status, told) = post(&trial, HOOK, body).await;
        assert_eq!((status, &told["code"]), (400, &json!(code)), "{told}");
    }
    let (_, told) = post(&trial, HOOK, json!({ "content": 1 })).await;
    assert!(told["errors"]["content"]["_errors"].is_array(), "{told}");
    let request = trial.request(Method::GET, PLACE, "").header("user-agent", "a");
    assert_eq!(read(request.send().await.unwrap()).await.0, 401);
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn files_are_described_kept_by_an_edit_that_lists_them_and_deleted() {
    let trial = start().await;
    let said = json!({ "content": "Look", "attachments": [{ "id": 0, "description": "alt" }] });
    let part = |bytes: Vec<u8>, name: &'static str| Part::bytes(bytes).file_name(name);
    let form = Form::new()
        .text("payload_json", said.to_string())
        .part("files[0]", part(png(), "a.png"))
        .part("files[1]", part(mp4(), "b.mp4"));
    let request = trial.request(Method::POST, &format!("{HOOK}?wait=true"), "");
    let request = request.header("user-agent", "a").multipart(form);
    let (status, sent) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{sent}");
    let entry = trial.sandbox.ledger().remove(0);
    let media: Vec<_> = entry.media.iter().map(|it| (it.kind, it.alt.as_str())).collect();
    assert_eq!(media, [("image", "alt"), ("video", "")]);
    let own = format!("{HOOK}/messages/{}", sent["id"].as_str().unwrap());
    let keep = json!({ "content": "new", "attachments": [{ "id": sent["attachments"][0]["id"] }] });
    assert_eq!(ask(&trial, Method::PATCH, &own, Some(keep)).await.0, 200);
    let entry = trial.sandbox.ledger().remove(0);
    assert_eq!((entry.text.as_str(), entry.media.len()), ("new", 1));
    assert_eq!(ask(&trial, Method::DELETE, &own, None).await.0, 204);
    assert_eq!(ask(&trial, Method::DELETE, &own, None).await.1["code"], 10_008);
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn limits_stand_in_headers_and_are_kept() {
    let trial = start_with(Limits::Published).await;
    for _ in 0..5 {
        assert_eq!(post(&trial, HOOK, json!({ "content": "x" })).await.0, 204);
    }
    let request = trial.request(Method::POST, HOOK, "").header("user-agent", "a");
    let answer = request.json(&json!({ "content": "x" })).send().await.unwrap();
    assert_eq!(answer.headers()["x-ratelimit-remaining"], "0");
    assert_eq!(answer.headers()["retry-after"], "2");
    let (status, body) = read(answer).await;
    assert_eq!((status, &body["retry_after"]), (429, &json!(2.0)));
    trial.advance(Duration::from_secs(2));
    assert_eq!(post(&trial, HOOK, json!({ "content": "x" })).await.0, 204);
}

#[tokio::test]
async fn a_webhook_that_was_deleted_and_a_token_that_was_reset_are_unknown() {
    let trial = start().await;
    for (path, status) in [(HOOK, 404), (PLACE, 401)] {
        trial.fault(json!({ "kind": "revoke_token", "platform": "discord" })).await;
        assert_eq!(ask(&trial, Method::GET, path, None).await.0, status);
        assert_eq!(ask(&trial, Method::GET, path, None).await.0, status);
    }
}
