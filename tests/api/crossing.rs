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

/// An organization: what stands in its records, and the ids that name them.
struct Tenant {
    key: String,
    ids: Vec<String>,
    words: Vec<String>,
}

/// A key of an organization with an account, a post, a file, a key, an invitation and an app, all
/// of them with `word` in them.
async fn furnished(world: &World, word: &str) -> Tenant {
    let of = |what: &str| format!("{word}-{what}");
    let (posted, file, client) = (of("post"), of("file.png"), of("client"));
    let (name, guest) = (of("key"), of("guest@example.org"));
    let made = world.post("/organizations", &json!({ "name": of("organization") })).await;
    let (key, organization) = (made.text("/key"), made.text("/id"));
    let post = async |path: &str, body: Value| {
        let answer = world.ask(&key, "POST", &format!("/api/v1{path}"), &body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        answer
    };
    let server = format!("{}/mastodon", world.origin);
    let begun =
        post("/accounts/connect", json!({ "platform": "mastodon", "server": server })).await;
    let back = world.agree(&begun.text("/visit_url"), word).await;
    assert_eq!(told(world.bare("GET", &back)).await.status, 200);
    let accounts = world.ask(&key, "GET", "/api/v1/accounts", &json!({})).await;
    let account = accounts.text("/items/0/id");
    let upload = world.bare("POST", &format!("/api/v1/media?name={file}")).bearer_auth(&key);
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let media = told(upload.body(png.to_vec())).await.text("/id");
    let planned = post("/posts", world.post_in_an_hour(&account, &posted)).await;
    let robot = post("/keys", json!({ "name": name, "scope": "read" })).await;
    let invitation = post("/invitations", json!({ "email": guest, "role": "viewer" })).await;
    let app = json!({ "client_id": client, "client_secret": of("secret") });
    let set = world.ask(&key, "PUT", "/api/v1/apps/x", &app).await;
    assert!(set.status.is_success(), "{}", set.body);
    let (post, delivery) = (planned.text("/id"), planned.text("/deliveries/0/id"));
    let ids = vec![
        organization,
        account,
        media,
        post,
        delivery,
        robot.text("/id"),
        invitation.text("/id"),
    ];
    Tenant { key, ids, words: vec![posted, file, name, client, guest] }
}

impl Tenant {
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

impl Dice {
    /// One of this kind, if there is any; now and then of another.
    fn id(&self, ids: &[String], kind: &str) -> String {
        let fitting: Vec<&String> = ids.iter().filter(|id| id.starts_with(kind)).collect();
        match fitting.is_empty() || self.roll(6) == 0 {
            true => self.pick(ids).clone(),
            false => (*self.pick(&fitting)).clone(),
        }
    }
}

/// A body with ids of both wherever a body has ids; now and then one of another route.
fn body(dice: &Dice, path: &str, ids: &[String], at: &str) -> Value {
    let id = |kind| dice.id(ids, kind);
    let content = match dice.roll(3) {
        0 => json!({ "parts": [{ "text": "mine", "media": [{ "id": id("med"), "alt": "a" }] }] }),
        _ => json!({ "parts": [{ "text": "mine" }] }),
    };
    let post = json!({ "content": content, "targets": [id("acc")], "plan": { "at": at } });
    let fitting = [
        ("/posts", post.clone()),
        ("/posts/validate", post),
        ("/posts/", json!({ "content": content, "targets": [id("acc")] })),
        ("/posts/", json!({ "variants": { id("acc"): content } })),
        ("/keys", json!({ "name": "mine", "scope": "admin", "accounts": [id("acc")] })),
        ("/keys", json!({ "name": "mine", "scope": "read" })),
        ("/invitations", json!({ "email": "mine@example.org", "role": "viewer" })),
        ("/connect", json!({ "platform": "x", "reconnect": id("acc") })),
        ("/fit", json!({ "account": id("acc") })),
        ("/resolve", json!({ "live": {} })),
        ("/resolve", json!("not_live")),
        ("/revise", json!({ "part": 0, "text": "mine" })),
        ("/members/", json!({ "role": "admin" })),
        ("/organizations/", json!({ "name": "mine" })),
        ("/apps/", json!({ "client_id": "mine", "client_secret": "mine" })),
        ("/connections/", json!({ "targets": [id("acc")] })),
    ];
    let is_meant = |end: &str| match end.ends_with('/') {
        true => path.contains(end),
        false => path.ends_with(end),
    };
    let meant: Vec<_> = fitting.iter().filter(|(end, _)| is_meant(end)).collect();
    match meant.is_empty() || dice.roll(6) == 0 {
        true => dice.pick(&fitting).1.clone(),
        false => dice.pick(&meant).1.clone(),
    }
}

/// Which ids stand behind the name of a list.
const KINDS: [(&str, &str); 8] = [
    ("/accounts/", "acc"),
    ("/deliveries/", "dlv"),
    ("/invitations/", "inv"),
    ("/keys/", "key"),
    ("/media/", "med"),
    ("/members/", "mem"),
    ("/organizations/", "org"),
    ("/posts/", "pst"),
];

/// What could end the walk for both, and is the instance's owner's alone or ends this very key.
fn may_be_walked(method: &str, path: &str) -> bool {
    let ends_the_key = method == "DELETE" && path.starts_with("/api/v1/organizations/");
    !ends_the_key && !path.contains("/events/stream")
}

/// What was asked, by whose route, and the answer.
async fn step(world: &World, ours: &Tenant, dice: &Dice, ids: &[String]) -> (String, Told) {
    let operations: Vec<_> = operations()
        .into_iter()
        .filter(|(method, path, _)| path.starts_with("/api/v1/") && may_be_walked(method, path))
        .collect();
    let (method, route, _) = dice.pick(&operations);
    let kind = KINDS.iter().find(|(list, _)| route.contains(list)).map_or("", |(_, kind)| kind);
    let path = route.replace("nothing", &dice.id(ids, kind)).replace("/apps/mastodon", "/apps/x");
    let at = world.clock.now().after(std::time::Duration::from_secs(7_200)).rfc3339();
    let body = body(dice, route, ids, &at);
    let query = match (method.as_str(), dice.roll(4)) {
        ("GET", 0) => format!("?after={}", dice.id(ids, kind)),
        ("GET", 1) => format!("?account={}", dice.id(ids, "acc")),
        ("GET", 2) => "?limit=200".to_owned(),
        _ => String::new(),
    };
    let mut request = world.bare(method, &format!("{path}{query}")).bearer_auth(&ours.key);
    request = request.header("accept", "application/json");
    match dice.roll(6) {
        0 => request = request.header("fanfare-organization", dice.id(ids, "org")),
        // The same key as the other has used.
        1 => request = request.header("idempotency-key", "shared"),
        _ => {}
    }
    let request = if method == "GET" { request } else { request.json(&body) };
    let answer = told(request).await;
    let asked = format!("{method} {route}");
    assert!(answer.status.as_u16() < 500, "{asked} {path}{query} {body}: {}", answer.body);
    (asked, answer)
}

/// What has to have worked with what is ours, or the walks have asked for nothing real.
const DONE: [&str; 12] = [
    "DELETE /api/v1/accounts/nothing",
    "DELETE /api/v1/invitations/nothing",
    "DELETE /api/v1/keys/nothing",
    "DELETE /api/v1/media/nothing",
    "GET /api/v1/deliveries/nothing",
    "GET /api/v1/posts/nothing/timeline",
    "PATCH /api/v1/organizations/nothing",
    "PATCH /api/v1/posts/nothing",
    "POST /api/v1/accounts/nothing/pause",
    "POST /api/v1/keys",
    "POST /api/v1/posts",
    "PUT /api/v1/apps/mastodon",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_sequence_of_requests_returns_or_changes_anything_of_another_organization() {
    let mut done = BTreeSet::new();
    for seed in 0..WALKS {
        let world = World::new().await;
        let theirs = furnished(&world, "theirs").await;
        let shared = world.bare("POST", "/api/v1/posts").bearer_auth(&theirs.key);
        let shared = shared.header("idempotency-key", "shared");
        let made = told(shared.json(&world.post_in_an_hour(&theirs.ids[1], "theirs-post"))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let ours = furnished(&world, "ours").await;
        let before = theirs.copy(&world).await;
        let dice = Dice(Entropy::seeded(seed));
        let mut ids = [&theirs.ids[..], &ours.ids[..]].concat();
        for _ in 0..STEPS {
            let (asked, answer) = step(&world, &ours, &dice, &ids).await;
            for word in &theirs.words {
                assert!(!answer.body.contains(word), "seed {seed}: {asked}: {}", answer.body);
            }
            if !answer.status.is_success() {
                continue;
            }
            done.insert(asked);
            // What it made itself is used from then on, too.
            for place in ["/id", "/deliveries/0/id"] {
                let made = answer.json.pointer(place).and_then(Value::as_str);
                ids.extend(
                    made.filter(|id| !ids.iter().any(|known| known == id)).map(str::to_owned),
                );
            }
        }
        let after = theirs.copy(&world).await;
        for ((path, before), (_, after)) in before.iter().zip(&after) {
            assert_eq!(before, after, "seed {seed}: {path} has changed");
        }
    }
    let missing: Vec<_> = DONE.iter().filter(|asked| !done.contains(**asked)).collect();
    assert!(missing.is_empty(), "never done: {missing:?} of {done:#?}");
}
