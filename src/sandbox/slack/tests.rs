//! What the simulated Slack accepts, refuses and records, asked over the wire.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::trial::{Trial, png, read, start};

const BOT: &str = "xoxb-1234567890-abcdefghijklmnop";
const CHANNEL: &str = "C0123456789";
const HOOK: &str = "/slack/services/T0123456789/B0123456789/abcdefghijklmnop";

async fn call(trial: &Trial, method: &str, body: Value) -> Value {
    let (status, said) = trial.post(&format!("/slack/api/{method}"), BOT, body).await;
    assert_eq!(status, 200, "{said}");
    said
}

async fn look(trial: &Trial, path: &str) -> Value {
    trial.get(&format!("/slack/api/{path}"), BOT).await.1
}

#[tokio::test]
async fn each_request_is_a_message_and_its_metadata_are_told_if_asked_for() {
    let trial = start().await;
    let payload = json!({ "event_type": "x", "event_payload": { "key": "k" } });
    let body = json!({ "channel": CHANNEL, "text": "a &amp; b", "metadata": payload });
    let first = call(&trial, "chat.postMessage", body.clone()).await;
    let second = call(&trial, "chat.postMessage", body).await;
    assert_ne!(first["ts"], second["ts"]);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (2, "a & b"));
    let path = format!("conversations.history?channel={CHANNEL}");
    assert!(look(&trial, &path).await["messages"][0].get("metadata").is_none());
    let told = look(&trial, &format!("{path}&include_all_metadata=true&limit=1")).await;
    assert_eq!(told["messages"][0]["ts"], second["ts"]);
    assert_eq!(told["messages"][0]["metadata"]["event_payload"]["key"], "k");
    assert_eq!(told["has_more"], true);
}

#[tokio::test]
async fn what_slack_would_refuse_is_refused_and_leaves_nothing() {
    let trial = start().await;
    let section = |text: &str| {
        json!([{ "type": "section",
        "text": { "type": "mrkdwn", "text": text } }])
    };
    for (body, code) in [
        (json!({ "channel": CHANNEL }), "no_text"),
        (json!({ "channel": "#news", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "G0123AWAY00", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C0123GONE00", "text": "x" }), "is_archived"),
        (json!({ "channel": CHANNEL, "text": "x", "thread_ts": "1.2" }), "thread_not_found"),
        (json!({ "channel": CHANNEL, "text": "x".repeat(40_001) }), "msg_too_long"),
        (json!({ "channel": CHANNEL, "blocks": section(&"x".repeat(3_001)) }), "invalid_blocks"),
        (json!({ "channel": CHANNEL, "text": "x", "metadata": {} }), "invalid_metadata_format"),
    ] {
        assert_eq!(call(&trial, "chat.postMessage", body).await["error"], code);
    }
    let (_, said) = trial.post("/slack/api/auth.test", "", json!({})).await;
    assert_eq!(said["error"], "not_authed");
    let (_, said) = trial.post("/slack/api/auth.test", "xoxp-1", json!({})).await;
    assert_eq!(said["error"], "invalid_auth");
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn a_file_is_shown_a_moment_after_it_was_completed() {
    let trial = start().await;
    let bytes = png();
    let asked = json!({ "filename": "a.png", "length": bytes.len(), "alt_txt": "a thing" });
    let place = call(&trial, "files.getUploadURLExternal", asked).await;
    let (id, url) = (place["file_id"].as_str().unwrap(), place["upload_url"].as_str().unwrap());
    let done = json!({ "files": [{ "id": id }], "channel_id": CHANNEL, "initial_comment": "x" });
    let early = call(&trial, "files.completeUploadExternal", done.clone()).await;
    assert_eq!(early["error"], "missing_file_data");
    let info = format!("files.info?file={id}");
    assert_eq!(look(&trial, &info).await["error"], "file_not_found");
    let short = trial.client.post(url).body("x").send().await.unwrap();
    assert_eq!(short.status(), 400);
    assert_eq!(trial.client.post(url).body(bytes).send().await.unwrap().status(), 200);
    assert_eq!(call(&trial, "files.completeUploadExternal", done).await["ok"], true);
    assert_eq!(look(&trial, &info).await["file"]["shares"], json!({}));
    trial.advance(Duration::from_secs(1));
    let shown = look(&trial, &info).await;
    let entry = &trial.sandbox.ledger()[0];
    assert_eq!(shown["file"]["shares"]["public"][CHANNEL][0]["ts"], entry.id.as_str());
    assert_eq!(entry.media[0].alt, "a thing");
}

#[tokio::test]
async fn a_webhook_answers_in_a_word() {
    let trial = start().await;
    let send = |path: &'static str, body: Value| {
        let request = trial.request(Method::POST, path, "").json(&body);
        async { read(request.send().await.unwrap()).await }
    };
    assert_eq!(send(HOOK, json!({ "text": "x" })).await, (200, json!("ok")));
    assert_eq!(send(HOOK, json!({ "text": "" })).await, (400, json!("no_text")));
    assert_eq!(send(HOOK, json!("x")).await, (400, json!("invalid_payload")));
    let gone = "/slack/services/T0123456789/B01GONE6789/abcdefghijklmnop";
    assert_eq!(send(gone, json!({ "text": "x" })).await, (410, json!("channel_is_archived")));
    trial.fault(json!({ "kind": "revoke_token", "platform": "slack" })).await;
    assert_eq!(send(HOOK, json!({ "text": "x" })).await, (404, json!("no_service")));
    assert_eq!(trial.sandbox.ledger().len(), 1);
}

#[tokio::test]
async fn too_many_messages_in_a_channel_wait_and_another_channel_does_not() {
    let trial = start().await;
    let said = |channel: &str| json!({ "channel": channel, "text": "x" });
    for _ in 0..5 {
        call(&trial, "chat.postMessage", said(CHANNEL)).await;
    }
    let path = "/slack/api/chat.postMessage";
    let (status, refused) = trial.post(path, BOT, said(CHANNEL)).await;
    assert_eq!((status, &refused["error"]), (429, &json!("ratelimited")));
    assert_eq!(call(&trial, "chat.postMessage", said("C0123450000")).await["ok"], true);
}
