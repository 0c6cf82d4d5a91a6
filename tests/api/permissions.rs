//! The table of permissions against every route of the description, for everybody there is.

use fanfare::domain::organization::{Border, Role, Scope};
use fanfare::engine::facade::{
    Verb,
    permission::{Grant, judge, of_role},
};
use serde_json::{Value, json};

use crate::{
    keys::operations,
    media,
    world::{Told, World, told},
};

/// What anybody may ask: they carry a proof of their own, or tell nothing of anybody.
const OPEN: &[&str] = &[
    "accounts_callback",
    "accounts_choose",
    "invitations_accept",
    "session_login",
    "session_reset",
    "session_set_up",
    "welcome_accept",
    "welcome_invitation",
    "welcome_reset",
    "welcome_sign_on",
    "welcome_signed_on",
    "welcome_set_password",
    "welcome_set_up",
    "welcome_setup",
    "health_describe",
    "health_live",
    "health_ready",
    "media_fetch",
];

/// What concerns nobody but the person who is logged in, whatever their role.
const OWN: &[&str] = &[
    "session_disable_two_factor",
    "session_enable_two_factor",
    "session_end",
    "session_end_others",
    "session_list",
    "session_logout",
    "session_offer_two_factor",
    "session_password",
    "session_show",
];

#[test]
fn every_route_has_its_line_in_the_table_and_every_line_its_route() {
    let mut seen = Vec::new();
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let is_open = operation["security"] == json!([{}]);
        match Verb::named(id) {
            Some(verb) => {
                assert!(!is_open, "{method} {path} is open, and in the table");
                assert_eq!(operation["security"][0]["key"][0], verb.needs().scope.name());
                seen.push(verb);
            }
            None => assert!(
                (is_open && OPEN.contains(&id))
                    || (operation["security"] == json!([{ "session": [] }]) && OWN.contains(&id)),
                "{method} {path} ({id}) has no line in policy/permission.rs"
            ),
        }
    }
    for verb in Verb::ALL {
        let has_a_route = seen.contains(verb) || *verb == Verb::PostsPlan;
        assert!(has_a_route, "{} has no route", verb.name());
    }
}

impl World {
    /// A key of the owner's organization.
    pub(crate) async fn key(&self, asked: Value) -> String {
        let made = self.post("/keys", &asked).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.text("/text")
    }

    pub(crate) async fn ask(&self, key: &str, method: &str, path: &str, body: &Value) -> Told {
        let request = self.bare(method, path).header("accept", "application/json");
        told(request.bearer_auth(key).json(body)).await
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let mut keys = vec![(
        Grant { scope: Scope::Admin, border: Border::Instance },
        world.key(json!({ "name": "k", "scope": "admin", "instance": true })).await,
    )];
    for &scope in Scope::ALL {
        let whole = json!({ "name": "k", "scope": scope.name() });
        let bound = json!({ "name": "k", "scope": scope.name(), "accounts": [account] });
        keys.push((Grant { scope, border: Border::Organization }, world.key(whole).await));
        keys.push((Grant { scope, border: Border::Accounts }, world.key(bound).await));
    }
    for (method, path, operation) in operations() {
        let Some(verb) = Verb::named(operation["operationId"].as_str().unwrap()) else { continue };
        for (grant, key) in &keys {
            let answer = world.ask(key, &method, &path, &json!({})).await;
            let refused = answer.status == 403;
            assert_eq!(refused, judge(*grant, verb).is_err(), "{method} {path} {grant:?}");
            assert!(answer.status != 401 && answer.status != 500, "{path}: {}", answer.body);
        }
        let nobody = told(world.bare(&method, &path)).await;
        assert_eq!(nobody.status, 401, "{method} {path}");
    }
}

#[tokio::test]
async fn every_route_lets_in_whose_role_the_table_names_over_a_session_and_nobody_else() {
    let world = World::new().await;
    world.connect("ada").await;
    let mut people = vec![(Role::Owner, world.owner().await)];
    for &role in &Role::ALL[1..] {
        let email = format!("{}@example.org", role.name());
        people.push((role, world.member(role.name(), &email).await));
    }
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        for (role, browser) in &mut people {
            let path = path.strip_prefix("/api/v1").unwrap_or("/session");
            let request = browser.request(&method, path).header("accept", "application/json");
            let may = match Verb::named(id) {
                Some(verb) => of_role(*role).is_some_and(|grant| judge(grant, verb).is_ok()),
                // Before it ends what we ask by.
                None if OWN.contains(&id) && id != "session_logout" && method != "DELETE" => true,
                None => continue,
            };
            let answer = browser.send(request.json(&json!({}))).await;
            let refused = answer.status == 403;
            assert_eq!(refused, !may, "{method} {path} {}: {}", role.name(), answer.body);
            assert!(answer.status != 401 && answer.status != 500, "{path}: {}", answer.body);
            if id == "organizations_pause_everything" && may {
                assert_eq!(answer.json["paused"], true, "{}", answer.body);
            }
        }
    }
}

/// What belongs to the first organization, by the tag of the routes that take its id.
async fn belongings(world: &World, account: &str) -> Vec<(&'static str, String)> {
    let post = world.post("/posts", &world.post_in_an_hour(account, "Ours alone.")).await;
    let key = world.post("/keys", &json!({ "name": "ours", "scope": "read" })).await;
    let members = world.get("/members").await;
    let invitation = world.post("/invitations", &json!({ "role": "viewer" })).await;
    let media = media::upload(world, "ours.png", &media::png(100)).await;
    vec![
        ("posts", post.text("/id")),
        ("deliveries", post.text("/deliveries/0/id")),
        ("accounts", account.to_owned()),
        ("organizations", post.text("/organization")),
        ("keys", key.text("/id")),
        ("members", members.text("/items/0/id")),
        ("invitations", invitation.text("/id")),
        ("media", media.text("/id")),
    ]
}

/// Everything that the first organization can read of its own.
async fn snapshot(world: &World) -> Vec<String> {
    let mut pages = Vec::new();
    for path in ["/posts", "/deliveries", "/accounts", "/media", "/members", "/invitations"] {
        pages.push(world.get(path).await.body);
    }
    let events =
        told(world.request("GET", "/api/v1/events?limit=200").header("accept", "application/json"));
    pages.push(events.await.body);
    // When a key was used is noted when it is used.
    let mut keys = world.get("/keys").await.json;
    for key in keys["items"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().remove("last_used");
    }
    pages.push(keys.to_string());
    pages
}

#[tokio::test]
async fn nothing_that_another_organization_asks_tells_or_changes_what_is_ours() {
    let world = World::new().await;
    let account = world.connect("ada").await;
    let ours = belongings(&world, &account).await;
    let made = world.post("/organizations", &json!({ "name": "Other" })).await;
    let stranger = made.text("/key");
    let before = snapshot(&world).await;
    let told_of_us = |answer: &Told, path: &str| {
        for (_, id) in &ours {
            // A refusal may repeat what was asked.
            let is_told = answer.status.is_success() && answer.body.contains(id.as_str());
            assert!(!is_told, "{path}: {}", answer.body);
        }
        assert!(!answer.body.contains("Ours alone"), "{path}: {}", answer.body);
    };
    let bodies = |account: &str, media: &str| {
        let part = json!({ "text": "Theirs.", "media": [{ "media": media }] });
        let plan = json!({ "content": { "parts": [part] }, "targets": [account], "plan": "now" });
        vec![
            json!({}),
            plan,
            json!({ "name": "Taken over" }),
            json!({ "name": "k", "scope": "admin", "accounts": [account] }),
            json!({ "text": "Changed.", "part": 0 }),
            json!({ "role": "viewer" }),
            json!({ "resolution": "not_live" }),
            json!({ "platform": "mastodon", "reconnect": account }),
        ]
    };
    let id_of = |tag: &str| ours.iter().find(|(of, _)| *of == tag).map(|(_, id)| id.clone());
    let bodies = bodies(&account, &id_of("media").unwrap());
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        if Verb::named(id).is_none() {
            continue;
        }
        let ours = id_of(operation["tags"][0].as_str().unwrap());
        let is_named = path.contains("nothing");
        let path = path.replace("nothing", ours.as_deref().unwrap_or("nothing"));
        for body in &bodies {
            let answer = world.ask(&stranger, &method, &path, body).await;
            told_of_us(&answer, &path);
            assert!(!(is_named && answer.status.is_success()), "{method} {path}: {}", answer.body);
        }
    }
    for path in [
        "/posts",
        "/deliveries",
        "/accounts",
        "/media",
        "/keys",
        "/events",
        "/members",
        "/invitations",
    ] {
        let answer = world.ask(&stranger, "GET", &format!("/api/v1{path}"), &json!({})).await;
        told_of_us(&answer, path);
    }
    assert_eq!(snapshot(&world).await, before);
}
