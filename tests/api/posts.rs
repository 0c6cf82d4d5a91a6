//! Posts and deliveries over their life.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Told, World, told};

#[tokio::test]
async fn a_request_that_arrives_twice_makes_one_post() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let body = world.post_in_an_hour(&account, "Once.");
    let send = |body: &Value| {
        let request = world.request("POST", "/api/v1/posts").header("idempotency-key", "k1");
        told(request.json(body))
    };
    let (first, again) = (send(&body).await, send(&body).await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.text("/id"), again.text("/id"));
    // The same request, written differently.
    let spaced = serde_json::to_string_pretty(&body).unwrap();
    let request = world.request("POST", "/api/v1/posts").header("idempotency-key", "k1");
    let spaced = told(request.header("content-type", "application/json").body(spaced)).await;
    assert_eq!(spaced.text("/id"), first.text("/id"));
    let other = send(&world.post_in_an_hour(&account, "Twice.")).await;
    assert_eq!((other.status.as_u16(), other.code()), (409, "idempotency-conflict"));
    let listed = world.get("/posts").await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_edit_of_what_somebody_else_changed_is_refused() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let made = world.post("/posts", &world.post_in_an_hour(&account, "One.")).await;
    let etag = made.headers["etag"].clone();
    let path = format!("/api/v1/posts/{}", made.text("/id"));
    let edit = |etag: String, text: &str| {
        let body = json!({ "content": { "parts": [{ "text": text }] } });
        told(world.request("PATCH", &path).header("if-match", etag).json(&body))
    };
    let edited = edit(etag.clone(), "Two.").await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    assert_eq!(edited.text("/content/parts/0/text"), "Two.");
    assert_ne!(edited.headers["etag"], etag);
    let outdated = edit(etag, "Three.").await;
    assert_eq!((outdated.status.as_u16(), outdated.code()), (412, "conflict"));
    assert_eq!(edit("three".to_owned(), "Three.").await.code(), "bad-request");
    assert_eq!(world.get(&path["/api/v1".len()..]).await.text("/content/parts/0/text"), "Two.");
}

#[tokio::test]
async fn a_post_goes_out_and_tells_how() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let body = json!({ "content": { "parts": [{ "text": "Hello." }] }, "targets": [account],
        "plan": "now" });
    let made = world.post("/posts", &body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let delivery = until(&world, &made.text("/deliveries/0/id"), "published").await;
    assert!(delivery.text("/live/0/url").starts_with(&world.origin), "{}", delivery.body);
    assert!(delivery.json["lateness_ms"].is_u64() && delivery.json["published_at"].is_string());
    assert_eq!(delivery.text("/next"), "Done.");
    let timeline = world.get(&format!("/posts/{}/timeline", made.text("/id"))).await;
    let kinds: Vec<&str> = timeline.json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds.first(), Some(&"post.created"));
    assert_eq!(kinds.last(), Some(&"delivery.published"));
    let path = format!("/deliveries/{}/retry", delivery.text("/id"));
    let retried = world.post(&path, &Value::Null).await;
    assert_eq!(retried.code(), "wrong-state");
}

async fn until(world: &World, delivery: &str, state: &str) -> Told {
    for _ in 0..200 {
        let told = world.get(&format!("/deliveries/{delivery}")).await;
        if told.json["state"] == state {
            return told;
        }
        world.clock.sleep(Duration::from_secs(1)).await;
    }
    panic!("{delivery} never came to be {state}");
}

#[tokio::test]
async fn a_cancelled_post_is_listed_as_cancelled() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let made = world.post("/posts", &world.post_in_an_hour(&account, "Never.")).await;
    let path = format!("/posts/{}/cancel", made.text("/id"));
    let cancelled = world.post(&path, &Value::Null).await;
    assert_eq!(cancelled.text("/stage"), "cancelled", "{}", cancelled.body);
    let found = world.get(&format!("/deliveries?state=cancelled&account={account}")).await;
    assert_eq!(found.text("/items/0/post"), made.text("/id"));
    let none = world.get("/deliveries?state=published").await;
    assert_eq!(none.json["items"], json!([]));
    let slip = world.get("/deliveries?state=publishd").await;
    assert_eq!(
        (slip.code(), slip.text("/remedy").as_str()),
        ("invalid", "Did you mean `published`?")
    );
}

#[tokio::test]
async fn a_dry_run_says_all_that_is_wrong_and_makes_nothing() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let mut body = world.post_in_an_hour(&account, &"long ".repeat(200));
    body["priority"] = json!(11);
    let told = world.post("/posts/validate", &body).await;
    assert_eq!((told.status.as_u16(), &told.json["acceptable"]), (200, &json!(false)));
    assert_eq!(told.text("/targets/0/errors/0/code"), "text-too-long");
    assert!(told.json["errors"].as_array().is_some_and(|errors| !errors.is_empty()));
    let refused = world.post("/posts", &body).await;
    assert_eq!(refused.status, 422);
    refused.code();
    assert_eq!(world.get("/posts").await.json["items"], json!([]));
}

#[tokio::test]
async fn lists_come_in_pieces_that_fit_together() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    for number in 0..5 {
        let body = world.post_in_an_hour(&account, &format!("Number {number}."));
        assert_eq!(world.post("/posts", &body).await.status, 201);
    }
    let (mut seen, mut path) = (Vec::new(), "/posts?limit=2".to_owned());
    loop {
        let piece = world.get(&path).await;
        for post in piece.json["items"].as_array().unwrap() {
            seen.push(post["content"]["parts"][0]["text"].as_str().unwrap().to_owned());
        }
        match piece.json["next"].as_str() {
            Some(next) => path = format!("/posts?limit=2&cursor={next}"),
            None => break,
        }
    }
    let newest_first: Vec<String> =
        (0..5).rev().map(|number| format!("Number {number}.")).collect();
    assert_eq!(seen, newest_first);
    assert_eq!(world.get("/posts?limit=0").await.code(), "invalid");
    assert_eq!(world.get("/posts?limit=many").await.code(), "invalid");
    assert_eq!(world.get("/posts?page=2").await.code(), "invalid");
    assert_eq!(world.get("/posts?cursor=zebra").await.code(), "bad-request");
}
