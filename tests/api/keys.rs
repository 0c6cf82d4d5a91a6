//! Who may do what, and what is open.

use serde_json::{Value, json};

use crate::world::{World, told};

/// Every method and path of the description, with ids that cannot exist filled in.
pub(crate) fn operations() -> Vec<(String, String, Value)> {
    let document = serde_json::to_value(fanfare::api::openapi()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                let path = path.replace("{id}", "nothing").replace("{platform}", "mastodon");
                found.push((method.to_uppercase(), path, operation.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_route_but_the_open_ones_needs_a_key_that_is_known() {
    let world = World::new().await;
    for (method, path, operation) in operations() {
        let open = operation["security"] == json!([{}]);
        let without = told(world.bare(&method, &path)).await;
        if open {
            assert_ne!(without.status, 401, "{method} {path}");
            continue;
        }
        assert_eq!((without.status.as_u16(), without.code()), (401, "unauthorized"), "{path}");
        assert_eq!(without.headers["www-authenticate"], "Bearer");
        let wrong = told(world.bare(&method, &path).bearer_auth("ff_nobody").body("{")).await;
        assert_eq!((wrong.status.as_u16(), wrong.code()), (401, "unauthorized"), "{path}");
    }
}

#[tokio::test]
async fn whatever_is_sent_to_any_route_the_answer_is_described() {
    let world = World::new().await;
    for (method, path, operation) in operations() {
        // Would end this test's own world.
        if path.ends_with("/events") {
            continue;
        }
        for body in ["", "{", "[]", "{\"zebra\": 1}", "null", "\"\\ud800\""] {
            let request = world.request(&method, &path).header("content-type", "application/json");
            let told = told(request.body(body)).await;
            let status = told.status.as_u16().to_string();
            let described = operation["responses"].get(&status).is_some();
            assert!(described, "{method} {path} answered {status}: {}", told.body);
            assert_ne!(told.status, 500, "{method} {path} {body}: {}", told.body);
            let is_page = told.headers.get("content-type").is_some_and(|it| it.contains("html"));
            if told.status.as_u16() >= 400 && !is_page {
                told.code();
            }
        }
    }
}

#[tokio::test]
async fn an_organization_sees_nothing_of_another() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let post = world.post("/posts", &world.post_in_an_hour(&account, "Ours.")).await;
    let made = world.post("/organizations", &json!({ "name": "Other" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.text("/key");
    let ask = |method: &str, path: String| {
        told(world.bare(method, &format!("/api/v1{path}")).bearer_auth(&key))
    };
    for path in [
        format!("/posts/{}", post.text("/id")),
        format!("/posts/{}/timeline", post.text("/id")),
        format!("/deliveries/{}", post.text("/deliveries/0/id")),
        format!("/accounts/{account}"),
        format!("/accounts/{account}/health"),
        format!("/organizations/{}", post.text("/organization")),
    ] {
        assert_eq!(ask("GET", path.clone()).await.code(), "not-found", "{path}");
    }
    assert_eq!(ask("DELETE", format!("/posts/{}", post.text("/id"))).await.code(), "not-found");
    assert_eq!(ask("GET", "/posts".to_owned()).await.json["items"], json!([]));
    assert_eq!(ask("POST", "/pause".to_owned()).await.code(), "forbidden");
    let further = world.bare("POST", "/api/v1/organizations").bearer_auth(&key);
    assert_eq!(told(further.json(&json!({ "name": "Third" }))).await.code(), "forbidden");
}

#[tokio::test]
async fn an_organization_is_made_once_and_its_key_is_shown_once() {
    let world = World::new().await;
    let make = || {
        let request = world.request("POST", "/api/v1/organizations");
        told(request.header("idempotency-key", "other").json(&json!({ "name": "Other" })))
    };
    let (first, again) = (make().await, make().await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(first.text("/id"), again.text("/id"));
    assert!(again.json.get("key").is_none());
}

#[tokio::test]
async fn health_is_open_and_ends_with_the_server() {
    let world = World::new().await;
    assert_eq!(told(world.bare("GET", "/healthz")).await.json, json!({ "alive": true }));
    let ready = told(world.bare("GET", "/readyz")).await;
    assert_eq!((ready.status.as_u16(), &ready.json["ready"]), (200, &json!(true)));
    world.stopping.send_replace(true);
    let stopping = told(world.bare("GET", "/readyz")).await;
    assert_eq!((stopping.status.as_u16(), &stopping.json["ready"]), (503, &json!(false)));
    assert_eq!(stopping.text("/reason"), "Fanfare is stopping.");
}

#[tokio::test]
async fn a_callback_that_nobody_began_is_a_page_that_says_what_to_do() {
    let world = World::new().await;
    let page = told(world.bare("GET", "/oauth/mastodon/callback?state=x&code=y&iss=z")).await;
    assert!(page.status.is_client_error(), "{}", page.body);
    assert!(page.headers["content-type"].starts_with("text/html"));
    assert!(page.body.contains("Not connected") && page.body.contains("role=\"alert\""));
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}

#[tokio::test]
async fn an_account_is_paused_resumed_and_disconnected() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let path = format!("/accounts/{account}");
    let paused = world.post(&format!("{path}/pause"), &Value::Null).await;
    assert!(paused.json["paused_since"].is_string(), "{}", paused.body);
    let resumed = world.post(&format!("{path}/resume"), &Value::Null).await;
    assert!(resumed.json.get("paused_since").is_none(), "{}", resumed.body);
    let health = world.get(&format!("{path}/health")).await;
    assert_eq!(health.json["troubles"], json!([]), "{}", health.body);
    let gone = told(world.request("DELETE", &format!("/api/v1{path}"))).await;
    assert_eq!(gone.text("/connection"), "disconnected");
}
