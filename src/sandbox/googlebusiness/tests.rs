//! Google Business Profile as a client meets it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::trial::{BACK, Trial, VERIFIER, png_of, read, serve, start, told};

const SCOPE: &str = "https://www.googleapis.com/auth/business.manage";
const PROCESSED: Duration = Duration::from_secs(12);

async fn sign_in_with(trial: &Trial, scope: &str) -> String {
    let form = [
        ("client_id", "app"),
        ("response_type", "code"),
        ("redirect_uri", BACK),
        ("scope", scope),
        ("access_type", "offline"),
        ("handle", "alice"),
        ("decision", "allow"),
    ];
    let url = trial.answer_consent("/googlebusiness/o/oauth2/v2/auth", &form).await;
    let code = told(&url, "code").unwrap();
    let form = [
        ("client_id", "app"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", BACK),
        ("code", &code),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens) = trial.form("/googlebusiness/token", &form).await;
    assert_eq!(status, 200, "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// A token, and the paths of the posts of both locations.
async fn enter(trial: &Trial) -> (String, String, String) {
    let token = sign_in_with(trial, SCOPE).await;
    let (_, accounts) = trial.get("/googlebusiness/v1/accounts?pageSize=20", &token).await;
    let account = accounts["accounts"][0]["name"].as_str().unwrap();
    let path = format!("/googlebusiness/v1/{account}/locations?readMask=name,title,metadata");
    let (_, found) = trial.get(&path, &token).await;
    let posts = |number: usize| {
        let name = found["locations"][number]["name"].as_str().unwrap();
        format!("/googlebusiness/v4/{account}/{name}/localPosts")
    };
    assert_eq!(found["locations"][0]["metadata"]["canOperateLocalPost"], true);
    assert!(found["locations"][1]["metadata"]["canOperateLocalPost"].is_null());
    assert!(found["locations"][0]["websiteUri"].is_null());
    (token.clone(), posts(0), posts(1))
}

fn standard(summary: &str) -> Value {
    json!({ "languageCode": "en", "topicType": "STANDARD", "summary": summary,
        "callToAction": { "actionType": "LEARN_MORE", "url": "https://bakery.example/" } })
}

fn event() -> Value {
    json!({ "title": "Fair", "schedule": {
        "startDate": { "year": 2026, "month": 12, "day": 1 }, "startTime": { "hours": 9 },
        "endDate": { "year": 2026, "month": 12, "day": 1 }, "endTime": { "hours": 17 } } })
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["status"].as_str().unwrap_or_default())
}

fn field(answer: &(u16, Value)) -> &str {
    let details = &answer.1["error"]["details"][0]["errorDetails"][0];
    details["field"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn locations_take_a_mask_and_another_scope_sees_nothing() {
    let trial = start().await;
    let (token, ..) = enter(&trial).await;
    for mask in ["", "?readMask=colour"] {
        let path = format!("/googlebusiness/v1/accounts/-/locations{mask}");
        assert_eq!(code(&trial.get(&path, &token).await), (400, "INVALID_ARGUMENT"));
    }
    let other = sign_in_with(&trial, "openid email").await;
    let refused = trial.get("/googlebusiness/v1/accounts", &other).await;
    assert_eq!(code(&refused), (403, "PERMISSION_DENIED"));
    trial.advance(Duration::from_secs(3_600));
    let late = trial.get("/googlebusiness/v1/accounts", &token).await;
    assert_eq!(code(&late), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn a_post_is_processed_and_then_live() {
    let trial = start().await;
    let (token, posts, closed) = enter(&trial).await;
    let (status, post) = trial.post(&posts, &token, standard("Fresh bread")).await;
    assert_eq!((status, &post["state"]), (200, &json!("PROCESSING")));
    assert!(post["searchUrl"].is_null());
    trial.advance(PROCESSED);
    let path = format!("/googlebusiness/v4/{}", post["name"].as_str().unwrap());
    let (_, live) = trial.get(&path, &token).await;
    assert_eq!(live["state"], "LIVE");
    let ledger = trial.sandbox.ledger();
    assert_eq!(ledger.len(), 1);
    assert_eq!((&live["name"], &live["searchUrl"]), (&json!(ledger[0].id), &json!(ledger[0].url)));
    let page = trial.client.get(&ledger[0].url).send().await.unwrap();
    assert_eq!(page.headers()["location"], "/#post-1");
    let refused = trial.post(&closed, &token, standard("Fresh bread")).await;
    assert_eq!(code(&refused), (403, "PERMISSION_DENIED"));
}

#[tokio::test]
async fn a_telephone_number_is_rejected_until_it_is_gone() {
    let trial = start().await;
    let (token, posts, _) = enter(&trial).await;
    let (_, post) = trial.post(&posts, &token, standard("Call 030 901820")).await;
    trial.advance(PROCESSED);
    let path = format!("/googlebusiness/v4/{}", post["name"].as_str().unwrap());
    assert_eq!(trial.get(&path, &token).await.1["state"], "REJECTED");
    assert!(trial.sandbox.ledger().is_empty());
    let patch = async |mask: &str, body: Value| {
        let path = format!("{path}?updateMask={mask}");
        read(trial.request(Method::PATCH, &path, &token).json(&body).send().await.unwrap()).await
    };
    let (status, changed) = patch("summary", json!({ "summary": "Come in" })).await;
    assert_eq!((status, &changed["state"]), (200, &json!("PROCESSING")));
    assert_eq!(changed["callToAction"]["actionType"], "LEARN_MORE");
    patch("summary", json!({ "summary": "Come in today" })).await;
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "Come in today"));
    assert_eq!(patch("colour", json!({})).await.0, 400);
    let request = trial.request(Method::DELETE, &path, &token);
    assert_eq!(read(request.send().await.unwrap()).await, (200, json!({})));
    assert_eq!(code(&trial.get(&path, &token).await), (404, "NOT_FOUND"));
    assert!(trial.sandbox.ledger()[0].deleted_at.is_some());
}

#[tokio::test]
async fn pictures_are_fetched_and_measured() {
    let trial = start().await;
    let (token, posts, _) = enter(&trial).await;
    let files = serve(&[
        ("/a.png", png_of(480, 270, 12_000)),
        ("/thin.png", png_of(480, 200, 12_000)),
        ("/light.png", png_of(480, 270, 9_000)),
        ("/a.txt", vec![b'a'; 12_000]),
    ])
    .await;
    for (name, fits) in
        [("a.png", true), ("thin.png", false), ("light.png", false), ("a.txt", false), ("x", false)]
    {
        let body = json!({ "topicType": "STANDARD",
            "media": [{ "mediaFormat": "PHOTO", "sourceUrl": format!("{files}/{name}") }] });
        let answer = trial.post(&posts, &token, body).await;
        match fits {
            true => assert!(answer.1["media"][0]["googleUrl"].is_string(), "{}", answer.1),
            false => assert_eq!(field(&answer), "media[0].sourceUrl", "{name}"),
        }
    }
    let ledger = trial.sandbox.ledger();
    assert_eq!((ledger.len(), ledger[0].media.len()), (1, 1));
}

#[tokio::test]
async fn what_a_post_may_not_be_is_told_by_its_field() {
    let trial = start().await;
    let (token, posts, _) = enter(&trial).await;
    let with = |name: &str, value: Value| {
        let mut body = standard("Fresh bread");
        body[name] = value;
        body
    };
    let mut backwards = with("topicType", json!("EVENT"));
    backwards["event"] = event();
    backwards["event"]["schedule"]["endTime"] = json!({ "hours": 8 });
    for (number, (body, wanted)) in [
        (with("summary", json!("a".repeat(1_501))), "summary"),
        (with("topicType", Value::Null), "topicType"),
        (with("topicType", json!("EVENT")), "event"),
        (backwards, "event.schedule"),
        (with("event", event()), "event"),
        (with("offer", json!({ "couponCode": "X" })), "offer"),
        (with("callToAction", json!({ "actionType": "GET_OFFER" })), "callToAction.actionType"),
        (
            with("callToAction", json!({ "actionType": "CALL", "url": "https://e.com" })),
            "callToAction.url",
        ),
        (with("callToAction", json!({ "actionType": "BOOK" })), "callToAction.url"),
        (with("scheduledTime", json!("2020-01-01T00:00:00Z")), "scheduledTime"),
        (with("colour", json!("red")), "colour"),
        (json!({ "topicType": "STANDARD" }), "summary"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = trial.post(&posts, &token, body.clone()).await;
        assert_eq!((answer.0, field(&answer)), (400, wanted), "{number}: {body}");
        trial.advance(Duration::from_secs(10));
    }
    assert!(trial.sandbox.ledger().is_empty());
}

#[tokio::test]
async fn events_offers_and_plans_are_posts_of_their_own_kind() {
    let trial = start().await;
    let (token, posts, _) = enter(&trial).await;
    let offer = json!({ "topicType": "OFFER", "summary": "Half price", "event": event(),
        "offer": { "couponCode": "BREAD" } });
    assert_eq!(trial.post(&posts, &token, offer).await.0, 200);
    let mut weekly = json!({ "topicType": "EVENT", "summary": "Fair", "event": event() });
    weekly["event"]["recurrenceInfo"] = json!({ "weeklyPattern": { "daysOfWeek": ["MONDAY"] } });
    let (_, weekly) = trial.post(&posts, &token, weekly).await;
    let mut later = standard("Later");
    later["scheduledTime"] = json!("2026-11-25T00:00:00Z");
    let (_, later) = trial.post(&posts, &token, later).await;
    assert_eq!(later["state"], "SCHEDULED");
    trial.advance(PROCESSED);
    let (_, listed) = trial.get(&format!("{posts}?pageSize=2"), &token).await;
    assert_eq!(listed["localPosts"][0]["name"], later["name"]);
    assert_eq!(listed["localPosts"][1]["state"], "RECURRING", "{weekly}");
    let (_, rest) = trial.get(&format!("{posts}?pageSize=2&pageToken=2"), &token).await;
    assert_eq!(rest["localPosts"][0]["summary"], "Half price");
    assert!(rest["nextPageToken"].is_null());
    assert_eq!(trial.sandbox.ledger().len(), 3);
}

#[tokio::test]
async fn ten_edits_in_a_minute_are_all() {
    let trial = start().await;
    let (token, posts, _) = enter(&trial).await;
    for _ in 0..10 {
        assert_eq!(trial.post(&posts, &token, standard("Fresh bread")).await.0, 200);
    }
    let refused = trial.post(&posts, &token, standard("Fresh bread")).await;
    assert_eq!(code(&refused), (429, "RESOURCE_EXHAUSTED"));
    trial.advance(Duration::from_secs(60));
    assert_eq!(trial.post(&posts, &token, standard("Fresh bread")).await.0, 200);
    let fault = json!({ "kind": "throttle", "retry_after_seconds": 90, "operation": "publish" });
    trial.fault(fault).await;
    let told = trial.post(&posts, &token, standard("Fresh bread")).await;
    assert_eq!(told.1["error"]["details"][0]["retryDelay"], "90s");
    assert_eq!(trial.sandbox.ledger().len(), 11);
}
