//! Keys: what each reaches, how long it lasts, how often it may ask.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Outfit, World, told};

/// Two accounts, a key that is bound to the first, and a post to each and to both.
struct Bound {
    world: World,
    key: String,
    ours: String,
    theirs: String,
    /// To ours, to theirs, to both.
    posts: [Value; 3],
}

impl Bound {
    async fn new(scope: &str) -> Bound {
        let world = World::new().await;
        let (ours, theirs) = (world.connect("ada").await, world.connect("bob").await);
        let key = world.key(json!({ "name": "k", "scope": scope, "accounts": [ours] })).await;
        let plan = |text: &str, targets: Value| {
            let mut post = world.post_in_an_hour(&ours, text);
            post["targets"] = targets;
            post
        };
        let mut posts = Vec::new();
        for asked in [
            plan("To ours.", json!([ours])),
            plan("To theirs.", json!([theirs])),
            plan("To both.", json!([ours, theirs])),
        ] {
            let made = world.post("/posts", &asked).await;
            assert_eq!(made.status, 201, "{}", made.body);
            posts.push(made.json);
        }
        let posts = posts.try_into().unwrap();
        Bound { world, key, ours, theirs, posts }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> crate::world::Told {
        self.world.ask(&self.key, method, &format!("/api/v1{path}"), &body).await
    }
}

#[tokio::test]
async fn a_key_that_is_bound_to_an_account_sees_nothing_of_another() {
    let bound = Bound::new("read").await;
    let accounts = bound.ask("GET", "/accounts", json!({})).await;
    assert_eq!(accounts.json["items"].as_array().unwrap().len(), 1, "{}", accounts.body);
    assert_eq!(accounts.text("/items/0/id"), bound.ours);
    let theirs = format!("/accounts/{}", bound.theirs);
    assert_eq!(bound.ask("GET", &theirs, json!({})).await.code(), "not-found");
    assert_eq!(bound.ask("GET", &format!("{theirs}/health"), json!({})).await.code(), "not-found");

    let posts = bound.ask("GET", "/posts", json!({})).await;
    assert_eq!(posts.json["items"].as_array().unwrap().len(), 1, "{}", posts.body);
    assert!(posts.body.contains("To ours.") && !posts.body.contains("To theirs."));
    for (post, is_seen) in bound.posts.iter().zip([true, false, false]) {
        let id = post["id"].as_str().unwrap();
        for path in [format!("/posts/{id}"), format!("/posts/{id}/timeline")] {
            let shown = bound.ask("GET", &path, json!({})).await;
            assert_eq!(shown.status == 200, is_seen, "{path}: {}", shown.body);
        }
        for delivery in post["deliveries"].as_array().unwrap() {
            let path = format!("/deliveries/{}", delivery["id"].as_str().unwrap());
            let is_ours = delivery["account"] == bound.ours.as_str();
            let shown = bound.ask("GET", &path, json!({})).await;
            assert_eq!(shown.status == 200, is_ours, "{path}: {}", shown.body);
        }
    }
    let deliveries = bound.ask("GET", "/deliveries", json!({})).await;
    assert_eq!(deliveries.json["items"].as_array().unwrap().len(), 2, "{}", deliveries.body);
    let events = bound.ask("GET", "/events", json!({})).await;
    let hidden = [bound.theirs.as_str(), bound.posts[1]["id"].as_str().unwrap()];
    assert!(!hidden.iter().any(|id| events.body.contains(id)), "{}", events.body);
    assert!(events.body.contains(&bound.ours), "{}", events.body);
}

#[tokio::test]
async fn a_key_that_is_bound_to_an_account_does_nothing_to_another() {
    let bound = Bound::new("admin").await;
    let mut asked = bound.world.post_in_an_hour(&bound.theirs, "Not mine.");
    assert_eq!(bound.ask("POST", "/posts", asked.clone()).await.code(), "unknown-account");
    asked["targets"] = json!([bound.ours, bound.theirs]);
    let both = bound.ask("POST", "/posts/validate", asked.clone()).await;
    assert!(both.body.contains("unknown-account"), "{}", both.body);
    let before = bound.world.get("/deliveries").await.body;
    let edit = json!({ "targets": [bound.ours, bound.theirs] });
    let first = format!("/posts/{}", bound.posts[0]["id"].as_str().unwrap());
    assert_eq!(bound.ask("PATCH", &first, edit).await.code(), "unknown-account");
    for post in &bound.posts[1..] {
        let path = format!("/posts/{}", post["id"].as_str().unwrap());
        for (method, path) in
            [("PATCH", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/cancel"))]
        {
            let answer = bound.ask(method, &path, json!({ "priority": 9 })).await;
            assert_eq!(answer.code(), "not-found", "{method} {path}");
        }
    }
    let theirs = bound.posts[1]["deliveries"][0]["id"].as_str().unwrap();
    for act in ["cancel", "retry", "remove"] {
        let path = format!("/deliveries/{theirs}/{act}");
        assert_eq!(bound.ask("POST", &path, json!({})).await.code(), "not-found", "{act}");
    }
    for act in ["pause", "resume"] {
        let path = format!("/accounts/{}/{act}", bound.theirs);
        assert_eq!(bound.ask("POST", &path, json!({})).await.code(), "not-found", "{act}");
    }
    let theirs = format!("/accounts/{}", bound.theirs);
    assert_eq!(bound.ask("DELETE", &theirs, json!({})).await.code(), "not-found");
    assert_eq!(bound.world.get("/deliveries").await.body, before);
    // And what is its own it may.
    let mine = bound.world.post_in_an_hour(&bound.ours, "Mine.");
    assert_eq!(bound.ask("POST", "/posts", mine).await.status, 201);
    assert_eq!(bound.ask("DELETE", &first, json!({})).await.status, 200);
}

#[tokio::test]
async fn a_repeated_request_does_not_show_a_bound_key_what_another_key_made() {
    let bound = Bound::new("publish").await;
    let asked = bound.world.post_in_an_hour(&bound.theirs, "With a key.");
    let send = |key: &str| {
        let request = bound.world.bare("POST", "/api/v1/posts").bearer_auth(key);
        told(request.header("idempotency-key", "same").json(&asked))
    };
    assert_eq!(send(&bound.world.key).await.status, 201);
    let answer = send(&bound.key).await;
    assert!(answer.status.is_client_error() && !answer.body.contains("With a key."));
}

#[tokio::test]
async fn a_draft_without_accounts_is_seen_by_the_bound_key_that_wrote_it() {
    let bound = Bound::new("draft").await;
    let draft = json!({ "content": { "parts": [{ "text": "Some day." }] }, "targets": [],
        "plan": "draft" });
    let theirs = bound.world.post("/posts", &draft).await.text("/id");
    let ours = bound.ask("POST", "/posts", draft).await.text("/id");
    assert_eq!(bound.ask("GET", &format!("/posts/{ours}"), json!({})).await.status, 200);
    assert_eq!(bound.ask("GET", &format!("/posts/{theirs}"), json!({})).await.status, 404);
}

#[tokio::test]
async fn a_key_is_made_once_and_its_text_is_shown_once() {
    let world = World::new().await;
    let make = || {
        let request = world.request("POST", "/api/v1/keys").header("idempotency-key", "one");
        told(request.json(&json!({ "name": "robot", "scope": "publish" })))
    };
    let (first, again) = (make().await, make().await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert_eq!(first.text("/id"), again.text("/id"));
    assert!(again.json.get("text").is_none());
    let text = first.text("/text");
    let listed = world.get("/keys").await;
    assert!(listed.body.contains("robot") && !listed.body.contains(&text));
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 2);
    let events = world.ask(&world.key, "GET", "/api/v1/events", &json!({})).await;
    assert!(events.body.contains("key.created") && !events.body.contains(&text));
}

#[tokio::test]
async fn a_wrong_wish_for_a_key_is_refused_with_its_place() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let (past, far) = ("2020-01-01T00:00:00Z", "2200-01-01T00:00:00Z");
    for (asked, code, place) in [
        (json!({ "name": " ", "scope": "read" }), "invalid", "name"),
        (json!({ "name": "n".repeat(101), "scope": "read" }), "invalid", "name"),
        (json!({ "name": "k", "scope": "root" }), "invalid", "scope"),
        (json!({ "name": "k", "scope": "read", "accounts": [] }), "invalid", "accounts"),
        (json!({ "name": "k", "scope": "read", "expires": past }), "invalid", "expires"),
        (json!({ "name": "k", "scope": "read", "expires": far }), "invalid", "expires"),
        (
            json!({ "name": "k", "scope": "read", "accounts": [account], "instance": true }),
            "invalid",
            "instance",
        ),
        (
            json!({ "name": "k", "scope": "read",
                "accounts": [account, "acc_01jd3v9p0c8k5t2m7q4x6y1z0n"] }),
            "unknown-account",
            "accounts[1]",
        ),
    ] {
        let refused = world.post("/keys", &asked).await;
        assert_eq!((refused.code(), refused.text("/place").as_str()), (code, place), "{asked}");
    }
    let admin = world.key(json!({ "name": "k", "scope": "admin" })).await;
    let asked = json!({ "name": "k", "scope": "admin", "instance": true });
    let refused = world.ask(&admin, "POST", "/api/v1/keys", &asked).await;
    assert_eq!((refused.code(), refused.text("/place").as_str()), ("forbidden", "reach"));
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_only_the_owner_revokes_the_owners() {
    let world = World::new().await;
    let made = world.post("/keys", &json!({ "name": "k", "scope": "admin" })).await;
    let (id, key) = (made.text("/id"), made.text("/text"));
    let owners = world.get("/keys").await.text("/items/0/id");
    let path = |id: &str| format!("/api/v1/keys/{id}");
    assert_eq!(world.ask(&key, "DELETE", &path(&owners), &json!({})).await.code(), "forbidden");
    assert_eq!(world.ask(&key, "GET", "/api/v1/posts", &json!({})).await.status, 200);
    assert_eq!(told(world.request("DELETE", &path(&id))).await.status, 204);
    assert_eq!(world.ask(&key, "GET", "/api/v1/posts", &json!({})).await.code(), "unauthorized");
    assert_eq!(told(world.request("DELETE", &path(&id))).await.code(), "not-found");
}

#[tokio::test]
async fn the_stream_of_a_revoked_key_ends() {
    let world = World::new().await;
    let made = world.post("/keys", &json!({ "name": "k", "scope": "read" })).await;
    let (id, key) = (made.text("/id"), made.text("/text"));
    let stream = world.bare("GET", "/api/v1/events").bearer_auth(&key).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let path = format!("/api/v1/keys/{id}");
    assert_eq!(told(world.request("DELETE", &path)).await.status, 204);
    let rest = tokio::time::timeout(Duration::from_secs(10), stream.text()).await;
    assert!(!rest.expect("it goes on").unwrap().contains("key.revoked"));
}

#[tokio::test]
async fn a_key_ends_when_it_was_to_end_and_its_use_is_noted() {
    let world = World::new().await;
    let expires = world.clock.now().after(Duration::from_secs(40));
    let asked = json!({ "name": "k", "scope": "read", "expires": expires.rfc3339() });
    let key = world.key(asked).await;
    let nothing = json!({});
    let ask = || world.ask(&key, "GET", "/api/v1/posts", &nothing);
    assert_eq!(ask().await.status, 200);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while world.get("/keys").await.json["items"][1].get("last_used").is_none() {
        assert!(std::time::Instant::now() < deadline, "its use was not noted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.clock.sleep(Duration::from_secs(41)).await;
    let ended = ask().await;
    assert_eq!(ended.code(), "unauthorized");
    assert!(ended.text("/detail").contains("expired"), "{}", ended.body);
}

#[tokio::test]
async fn whoever_asks_too_fast_is_told_when_to_come_back() {
    let world = World::with(Outfit { requests_per_minute: 3, ..Outfit::default() }).await;
    let key = world.key(json!({ "name": "k", "scope": "read" })).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let told = world.ask(&key, "GET", "/api/v1/posts", &json!({})).await;
        assert_eq!(told.status, 200);
        assert_eq!(told.headers["ratelimit-policy"], "\"key\";q=3;w=60");
        left.push(told.headers["ratelimit"].clone());
    }
    assert!(left[0].starts_with("\"key\";r=2;t=") && left[2].starts_with("\"key\";r=0;t="));
    let told = world.ask(&key, "GET", "/api/v1/posts", &json!({})).await;
    assert_eq!((told.status.as_u16(), told.code()), (429, "too-many-requests"));
    let wait: u64 = told.headers["retry-after"].parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    // Others are not slowed down by it.
    assert_eq!(world.get("/posts").await.status, 200);
    world.clock.sleep(Duration::from_secs(wait)).await;
    assert_eq!(world.ask(&key, "GET", "/api/v1/posts", &json!({})).await.status, 200);
}
