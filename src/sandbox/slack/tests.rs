//! What the simulated Slack accepts, refuses and records, asked over the wire.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::{
    Limits,
    trial::{BACK, Trial, png, read, start, start_with},
};

const BOT: &str = "xoxb-example-example";
const HOOK: &str = "/slack/services/T0000EXAMPLE/B0000EXAMPLE/ExampleExampleExample123";
const NEWS: &str = "C0123456789";

async fn call(trial: &Trial, method: &str, body: Value) -> Value {
    let (status, answer) = trial.post(&format!("/slack/api/{method}"), BOT, body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn ask(trial: &Trial, path: &str) -> Value {
    trial.get(&format!("/slack/api/{path}"), BOT).await.1
}

async fn say(trial: &Trial, text: &str) -> Value {
    call(trial, "chat.postMessage", json!({ "channel": NEWS, "text": text })).await
}

#[tokio::test]
async fn each_request_is_a_message_and_the_list_tells_its_metadata() {
    let trial = start_with(Limits::Off).await;
    let metadata = json!({ "event_type": "e", "event_payload": { "key": "1" } });
    let body = json!({ "channel": NEWS, "text": "1 &lt; 2", "metadata": metadata });
    let first = call(&trial, "chat.postMessage", body.clone()).await;
    let second = call(&trial, "chat.postMessage", body).await;
    assert_ne!(first["ts"], second["ts"]);
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (2, "1 < 2"));
    let reply = json!({ "channel": NEWS, "text": "3", "thread_ts": first["ts"] });
    let reply = call(&trial, "chat.postMessage", reply).await;
    let page = ask(&trial, &format!("conversations.history?channel={NEWS}&limit=1")).await;
    assert_eq!((&page["messages"][0]["ts"], &page["has_more"]), (&second["ts"], &json!(true)));
    assert_eq!(page["messages"][0]["metadata"], Value::Null);
    let root = first["ts"].as_str().unwrap();
    let thread =
        format!("conversations.replies?channel={NEWS}&ts={root}&include_all_metadata=true");
    let page = ask(&trial, &thread).await;
    assert_eq!(page["messages"][0]["metadata"], metadata);
    assert_eq!(page["messages"][1]["ts"], reply["ts"]);
    let link = format!("chat.getPermalink?channel={NEWS}&message_ts={root}");
    assert_eq!(ask(&trial, &link).await["permalink"], json!(ledger[0].url));
    assert_eq!(trial.client.get(&ledger[0].url).send().await.unwrap().status(), 302);
}

#[tokio::test]
async fn what_slack_would_refuse_is_refused_with_success_and_leaves_nothing() {
    let trial = start_with(Limits::Off).await;
    let long = "x".repeat(3_001);
    let section = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": long } }]);
    for (body, code) in [
        (json!({ "channel": NEWS }), "no_text"),
        (json!({ "text": "x" }), "invalid_arguments"),
        (json!({ "channel": "#news", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "G00000GUEST1", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C000ARCHIVED", "text": "x" }), "is_archived"),
        (json!({ "channel": "C000READONLY", "text": "x" }), "restricted_action_read_only_channel"),
        (json!({ "channel": NEWS, "text": "x", "thread_ts": "1.2" }), "cannot_reply_to_message"),
        (json!({ "channel": NEWS, "text": "x", "blocks": section }), "invalid_blocks"),
        (json!({ "channel": NEWS, "text": "x", "blocks": 1 }), "invalid_blocks_format"),
        (json!({ "channel": NEWS, "text": "x", "metadata": {} }), "invalid_metadata_format"),
        (json!({ "channel": NEWS, "text": "x", "colour": 1 }), "invalid_arg_name"),
    ] {
        assert_eq!(call(&trial, "chat.postMessage", body).await["error"], code);
    }
    assert!(trial.sandbox.ledger().is_empty());
    let (_, nobody) = trial.post("/slack/api/auth.test", "", json!({})).await;
    let (_, unknown) = trial.post("/slack/api/auth.test", "xoxp-1", json!({})).await;
    assert_eq!(
        (&nobody["error"], &unknown["error"]),
        (&json!("not_authed"), &json!("invalid_auth"))
    );
    // Those that only ask take no JSON.
    let deaf = call(&trial, "conversations.info", json!({ "channel": NEWS })).await;
    assert_eq!(deaf["error"], "invalid_arguments");
}

#[tokio::test]
async fn a_channel_takes_a_message_a_second_and_a_method_its_tier() {
    let trial = start().await;
    assert_eq!(say(&trial, "1").await["ok"], true);
    let body = json!({ "channel": NEWS, "text": "2" });
    let request = trial.request(Method::POST, "/slack/api/chat.postMessage", BOT).json(&body);
    let refused = request.send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "1");
    let (status, refused) = read(refused).await;
    assert_eq!((status, &refused["error"]), (429, &json!("ratelimited")));
    trial.advance(Duration::from_secs(1));
    assert_eq!(say(&trial, "2").await["ok"], true);
    for _ in 0..20 {
        assert_eq!(ask(&trial, "conversations.list").await["ok"], true);
    }
    assert_eq!(ask(&trial, "conversations.list").await["error"], "ratelimited");
}

async fn uploaded(trial: &Trial) -> Value {
    let bytes = png();
    let path = format!("files.getUploadURLExternal?filename=a.png&length={}", bytes.len());
    let place = ask(trial, &path).await;
    let url = place["upload_url"].as_str().unwrap();
    let short = trial.client.post(url).body("x").send().await.unwrap();
    assert_eq!(short.status(), 400);
    assert_eq!(trial.client.post(url).body(bytes).send().await.unwrap().status(), 200);
    place["file_id"].clone()
}

#[tokio::test]
async fn a_file_is_unknown_until_it_is_completed_and_tells_later_where_it_is_shown() {
    let trial = start_with(Limits::Off).await;
    let file = uploaded(&trial).await;
    let info = format!("files.info?file={}", file.as_str().unwrap());
    assert_eq!(ask(&trial, &info).await["error"], "file_not_found");
    let body = json!({ "files": [{ "id": file }], "channel_id": NEWS, "initial_comment": "Look" });
    let done = call(&trial, "files.completeUploadExternal", body.clone()).await;
    assert_eq!(done["files"][0]["id"], file);
    assert_eq!(call(&trial, "files.completeUploadExternal", body).await["error"], "file_not_found");
    assert_eq!(ask(&trial, &info).await["file"]["shares"], json!({}));
    trial.advance(Duration::from_secs(2));
    let shares = &ask(&trial, &info).await["file"]["shares"];
    let time = &shares["public"][NEWS][0]["ts"];
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str(), ledger[0].media.len()), (1, "Look", 1));
    assert_eq!(ledger[0].id, format!("{NEWS}/{}", time.as_str().unwrap()));
    assert_eq!(call(&trial, "files.delete", json!({ "file": file })).await["ok"], true);
    assert_eq!(
        call(&trial, "files.delete", json!({ "file": file })).await["error"],
        "file_deleted"
    );
    assert!(trial.sandbox.ledger()[0].media.is_empty());
}

#[tokio::test]
async fn a_message_is_changed_and_taken_down_by_its_author_alone() {
    let trial = start_with(Limits::Off).await;
    let sent = say(&trial, "Hello").await;
    let change = json!({ "channel": NEWS, "ts": sent["ts"], "text": "Goodbye" });
    assert_eq!(call(&trial, "chat.update", change).await["ok"], true);
    assert_eq!(trial.sandbox.ledger()[0].text, "Goodbye");
    let which = json!({ "channel": NEWS, "ts": sent["ts"] });
    assert_eq!(call(&trial, "chat.delete", which.clone()).await["ok"], true);
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
    assert_eq!(call(&trial, "chat.delete", which).await["error"], "message_not_found");
}

#[tokio::test]
async fn a_webhook_answers_in_a_word_and_says_what_is_wrong_by_status() {
    let trial = start_with(Limits::Off).await;
    let fine = trial.post(HOOK, "", json!({ "text": "Hello" })).await;
    assert_eq!(fine, (200, json!("ok")));
    let form = trial.form(HOOK, &[("payload", r#"{"text":"Again"}"#)]).await;
    assert_eq!(form, (200, json!("ok")));
    let services = "/slack/services/T0000EXAMPLE";
    let secret = "ExampleExampleExample123";
    for (path, body, status, word) in [
        (HOOK.to_owned(), json!({ "text": "" }), 400, "no_text"),
        (HOOK.to_owned(), json!([]), 400, "invalid_payload"),
        (format!("{services}/X0000EXAMPLE/{secret}"), json!({ "text": "x" }), 404, "no_service"),
        (format!("{services}/B0000EXAMPLE/x"), json!({ "text": "x" }), 403, "invalid_token"),
        (
            format!("{services}/B000DENIED/{secret}"),
            json!({ "text": "x" }),
            403,
            "action_prohibited",
        ),
        (
            format!("{services}/B0000GONE/{secret}"),
            json!({ "text": "x" }),
            410,
            "channel_is_archived",
        ),
    ] {
        assert_eq!(trial.post(&path, "", body).await, (status, json!(word)), "{path}");
    }
    assert_eq!(trial.sandbox.ledger().len(), 2);
}

async fn signed_in(trial: &Trial, client: &str) -> Value {
    let form = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", BACK),
        ("scope", "chat:write,channels:read"),
        ("state", "s1"),
        ("handle", "acme"),
        ("decision", "allow"),
    ];
    let back = trial.answer_consent("/slack/oauth/v2/authorize", &form).await;
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [("code", code.as_str()), ("redirect_uri", BACK)];
    token(trial, client, &form).await
}

async fn token(trial: &Trial, client: &str, form: &[(&str, &str)]) -> Value {
    let request = trial.request(Method::POST, "/slack/api/oauth.v2.access", "");
    let request = request.basic_auth(client, Some("sandbox-secret")).form(form);
    read(request.send().await.unwrap()).await.1
}

#[tokio::test]
async fn a_rotated_token_ends_after_twelve_hours_and_a_refresh_token_works_once() {
    let trial = start().await;
    let lasting = signed_in(&trial, "fanfare").await;
    assert_eq!((&lasting["expires_in"], &lasting["refresh_token"]), (&Value::Null, &Value::Null));
    let granted = signed_in(&trial, "fanfare-rotating").await;
    assert_eq!(
        (&granted["team"]["name"], &granted["expires_in"]),
        (&json!("acme"), &json!(43_200))
    );
    let of = |granted: &Value, name: &str| granted[name].as_str().unwrap().to_owned();
    trial.advance(Duration::from_secs(43_200));
    let test = "/slack/api/auth.test";
    let (_, ended) = trial.post(test, &of(&granted, "access_token"), json!({})).await;
    assert_eq!(ended["error"], "token_expired");
    let (_, lasts) = trial.post(test, &of(&lasting, "access_token"), json!({})).await;
    assert_eq!(lasts["ok"], true);
    let refresh = of(&granted, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let renewed = token(&trial, "fanfare-rotating", &form).await;
    let (_, works) = trial.post(test, &of(&renewed, "access_token"), json!({})).await;
    assert_eq!(works["ok"], true);
    let again = token(&trial, "fanfare-rotating", &form).await;
    assert_eq!(again["error"], "invalid_refresh_token");
    let list = "/slack/api/conversations.list?types=public_channel,private_channel";
    let (_, missing) = trial.get(list, &of(&renewed, "access_token")).await;
    assert_eq!(
        (&missing["error"], &missing["needed"]),
        (&json!("missing_scope"), &json!("groups:read"))
    );
}
