//! Two organizations on one Fanfare. Whatever the one asks, with whichever ids it has got hold of,
//! it gets nothing of the other's, and nothing of the other's changes.

use std::collections::BTreeSet;

use fanfare::entropy::Entropy;
use serde_json::{Value, json};

use crate::{
    keys::operations,
    world::{Told, World, told},
};

/// Walks, each with a seed of its own, and the steps of each.
const WALKS: u64 = 4;
const STEPS: usize = 250;

/// Of the other organization: what stands in its records, and the ids that name them.
struct Other {
    key: String,
    organization: String,
    ids: Vec<String>,
    words: Vec<&'static str>,
}

const POSTED: &str = "planted-words-of-a-post";
const FILE: &str = "planted-name-of-a-file.png";
const KEY: &str = "planted-name-of-a-key";
const CLIENT: &str = "planted-client-id";
const GUEST: &str = "planted-guest@example.org";

/// A key of an organization with an account, posts, a file, a key, an invitation and an app.
async fn furnished(world: &World, name: &str, handle: &str) -> Other {
    let made = world.post("/organizations", &json!({ "name": name })).await;
    let (key, organization) = (made.text("/key"), made.text("/id"));
    let post = async |path: &str, body: Value| {
        let answer = world.ask(&key, "POST", &format!("/api/v1{path}"), &body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        answer
    };
    let server = format!("{}/mastodon", world.origin);
    let begun =
        post("/accounts/connect", json!({ "platform": "mastodon", "server": server })).await;
    let back = world.agree(&begun.text("/visit_url"), handle).await;
    assert_eq!(told(world.bare("GET", &back)).await.status, 200);
    let accounts = world.ask(&key, "GET", "/api/v1/accounts", &json!({})).await;
    let account = accounts.text("/items/0/id");
    let upload = world.bare("POST", &format!("/api/v1/media?name={FILE}")).bearer_auth(&key);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let media = told(upload.body(png.to_vec())).await.text("/id");
    let planned = post("/posts", world.post_in_an_hour(&account, POSTED)).await;
    let robot = post("/keys", json!({ "name": KEY, "scope": "read" })).await;
    let invitation = post("/invitations", json!({ "email": GUEST, "role": "viewer" })).await;
    let app = json!({ "client_id": CLIENT, "client_secret": "planted-secret" });
    let set = world.ask(&key, "PUT", "/api/v1/apps/x", &app).await;
    assert!(set.status.is_success(), "{}", set.body);
    let ids = vec![
        organization.clone(),
        account,
        media,
        planned.text("/id"),
        planned.text("/deliveries/0/id"),
        robot.text("/id"),
        invitation.text("/id"),
    ];
    Other { key, organization, ids, words: vec![POSTED, FILE, KEY, CLIENT, GUEST] }
}

impl Other {
    /// All that it can read of itself.
    async fn copy(&self, world: &World) -> Vec<(String, Value)> {
        let mut copy = Vec::new();
        for path in [
            "/accounts",
            "/posts",
            "/deliveries",
            "/media",
            "/keys",
            "/invitations",
            "/members",
            "/apps",
            "/organizations",
            "/events?limit=200",
        ] {
            let path = format!("/api/v1{path}");
            let answer = world.ask(&self.key, "GET", &path, &json!({})).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            let mut told = answer.json.clone();
            // Written when a key is used, by whoever has it: here, by this copy.
            for item in told["items"].as_array_mut().into_iter().flatten() {
                item.as_object_mut().unwrap().retain(|name, _| name != "last_used");
            }
            copy.push((path, told));
        }
        copy
    }
}

/// Decides what is asked next.
struct Dice(Entropy);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        usize::try_from(u64::from_be_bytes(self.0.bytes()) % sides as u64).unwrap()
    }

    fn pick<'a, T>(&self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

/// A body with ids of both in all the places where a body has ids, now and then with a mistake.
fn body(dice: &Dice, ids: &[String], at: &str) -> Value {
    let id = || dice.pick(ids).clone();
    let bodies = [
        json!({}),
        json!({ "content": { "parts": [{ "text": "mine", "media": [{ "media": id(), "alt": "a" }] }] },
            "targets": [id(), id()], "plan": { "at": at } }),
        json!({ "content": { "parts": [{ "text": "mine" }] }, "targets": [id()], "plan": "draft" }),
        json!({ "targets": [id()], "revision": dice.roll(3) }),
        json!({ "name": "mine", "scope": "admin", "accounts": [id()] }),
        json!({ "name": "mine", "scope": "read" }),
        json!({ "email": "mine@example.org", "role": "viewer" }),
        json!({ "platform": "x", "reconnect": id() }),
        json!({ "account": id() }),
        json!({ "role": "admin" }),
        json!({ "client_id": "mine", "client_secret": "mine" }),
        json!({ "posts": [id(), id()] }),
        json!({ "verdict": "live" }),
        json!({ "name": "mine" }),
    ];
    dice.pick(&bodies).clone()
}

/// What could end the walk for both, and is the instance's owner's alone or ends this very key.
fn may_be_walked(method: &str, path: &str) -> bool {
    let ends_the_key = method == "DELETE" && path.starts_with("/api/v1/organizations/");
    !ends_the_key && !path.contains("/events/stream")
}

async fn step(world: &World, ours: &Other, dice: &Dice, ids: &[String]) -> (String, Told) {
    let operations: Vec<_> = operations()
        .into_iter()
        .filter(|(method, path, _)| path.starts_with("/api/v1/") && may_be_walked(method, path))
        .collect();
    let (method, path, _) = dice.pick(&operations);
    let path = path
        .replace("nothing", dice.pick::<String>(ids))
        .replace("{code}", dice.pick::<String>(ids));
    let at = world.clock.now().after(std::time::Duration::from_secs(7_200)).rfc3339();
    let body = body(dice, ids, &at);
    let query = match (method.as_str(), dice.roll(4)) {
        ("GET", 0) => format!("?after={}", dice.pick(ids)),
        ("GET", 1) => format!("?account={}", dice.pick(ids)),
        ("GET", 2) => "?limit=200".to_owned(),
        _ => String::new(),
    };
    let mut request = world.bare(method, &format!("{path}{query}")).bearer_auth(&ours.key);
    request = request.header("accept", "application/json");
    match dice.roll(6) {
        0 => request = request.header("fanfare-organization", dice.pick(ids)),
        // The same key as the other has used.
        1 => request = request.header("idempotency-key", "shared"),
        _ => {}
    }
    let asked = format!("{method} {path}{query} {body}");
    let request = if method == "GET" { request } else { request.json(&body) };
    (asked, told(request).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sequence_of_requests_returns_or_changes_anything_of_another_organization() {
    for seed in 0..WALKS {
        let world = World::new().await;
        let theirs = furnished(&world, "Theirs", "ada").await;
        let shared = world.bare("POST", "/api/v1/posts").bearer_auth(&theirs.key);
        let shared = shared.header("idempotency-key", "shared");
        let account = &theirs.ids[1];
        let made = told(shared.json(&world.post_in_an_hour(account, POSTED))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let ours = world.post("/organizations", &json!({ "name": "Ours" })).await;
        let ours = Other {
            key: ours.text("/key"),
            organization: ours.text("/id"),
            ids: Vec::new(),
            words: Vec::new(),
        };
        assert_ne!(ours.organization, theirs.organization);
        let before = theirs.copy(&world).await;
        let dice = Dice(Entropy::seeded(seed));
        let mut ids = [&theirs.ids[..], std::slice::from_ref(&ours.organization)].concat();
        let mut statuses = BTreeSet::new();
        for _ in 0..STEPS {
            let (asked, answer) = step(&world, &ours, &dice, &ids).await;
            let status = answer.status.as_u16();
            assert!(status < 500, "seed {seed}: {asked}: {}", answer.body);
            for word in &theirs.words {
                assert!(!answer.body.contains(word), "seed {seed}: {asked}: {}", answer.body);
            }
            statuses.insert(status);
            // What it made itself is used from then on, too.
            if let Some(id) = answer.json["id"].as_str().filter(|_| answer.status.is_success()) {
                ids.push(id.to_owned());
            }
        }
        let after = theirs.copy(&world).await;
        for ((path, before), (_, after)) in before.iter().zip(&after) {
            assert_eq!(before, after, "seed {seed}: {path} has changed");
        }
        assert!(statuses.contains(&200) && statuses.contains(&404), "{statuses:?}");
    }
}
