//! Logging in and staying logged in.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    people::{Browser, HOUR, OWNER, PASSWORD, pair},
    world::{Outfit, World, told},
};

#[tokio::test]
async fn cookie_is_for_this_host_alone_and_no_script_reads_it() {
    let world = World::new().await;
    world.owner().await;
    let plain = world.login(OWNER, PASSWORD).await.headers["set-cookie"].clone();
    assert!(plain.starts_with("fanfare="), "{plain}");
    for part in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age="] {
        assert!(plain.contains(part), "{plain}");
    }
    assert!(!plain.contains("Secure") && !plain.contains("Domain"), "{plain}");

    let public_url = Some("https://posts.example.org");
    let world = World::with(Outfit { public_url, ..Outfit::default() }).await;
    let owner = world.owner().await;
    assert!(owner.cookie.starts_with("__Host-fanfare="), "{}", owner.cookie);
    let secure = world.login(OWNER, PASSWORD).await.headers["set-cookie"].clone();
    assert!(secure.contains("; Path=/") && secure.ends_with("; Secure"), "{secure}");
    assert!(owner.is_in().await);
}

#[tokio::test]
async fn wrong_name_and_wrong_password_cannot_be_told_apart() {
    let world = World::new().await;
    world.owner().await;
    let (mut name, mut password) = (Duration::MAX, Duration::MAX);
    let shown = |told: &crate::world::Told| {
        let mut problem = told.json.clone();
        problem.as_object_mut().unwrap().remove("request_id");
        (told.status, problem)
    };
    for _ in 0..4 {
        let begun = Instant::now();
        let wrong_password = world.login(OWNER, "not the right one").await;
        password = password.min(begun.elapsed());
        let begun = Instant::now();
        let wrong_name = world.login("nobody@example.org", "not the right one").await;
        name = name.min(begun.elapsed());
        assert_eq!((wrong_name.status.as_u16(), wrong_name.code()), (401, "unauthorized"));
        assert_eq!(shown(&wrong_name), shown(&wrong_password));
    }
    // Without the computation for nobody it would be a hundredth.
    assert!(name * 2 > password && password * 2 > name, "{name:?} {password:?}");
}

#[tokio::test]
async fn whatever_the_browser_held_before_a_session_begins_with_a_new_secret() {
    let world = World::new().await;
    let owner = world.owner().await;
    let with = |cookie: String| {
        let request = world.bare("POST", "/api/v1/session").header("cookie", cookie);
        told(request.json(&json!({ "email": OWNER, "password": PASSWORD })))
    };
    let planted = with("fanfare=chosen-by-somebody-else".to_owned()).await;
    let given = pair(&planted.headers["set-cookie"]);
    assert_ne!(given, "fanfare=chosen-by-somebody-else");
    let planted = world.bare("GET", "/api/v1/session");
    let planted = told(planted.header("cookie", "fanfare=chosen-by-somebody-else")).await;
    assert_eq!(planted.status, 401);

    // The same browser logs in again: what it held is worth nothing afterwards.
    let again = with(owner.cookie.clone()).await;
    assert_ne!(pair(&again.headers["set-cookie"]), owner.cookie);
    assert!(!owner.is_in().await);
    // Somebody else's was not touched by it.
    assert!(world.browser(&again).is_in().await);
}

#[tokio::test]
async fn what_the_browser_holds_changes_every_day_and_the_old_one_ends_soon_after() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let first = owner.cookie.clone();
    let used = owner.get("/sessions").await.text("/items/0/last_used");
    world.turn(13 * HOUR);
    assert!(!owner.get("/session").await.headers.contains_key("set-cookie"));
    noted(&mut owner, &used).await;
    world.turn(13 * HOUR);
    let renewed = owner.get("/members").await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert!(renewed.headers.contains_key("set-cookie"));
    assert_ne!(owner.cookie, first);
    let with_first = || told(world.bare("GET", "/api/v1/session").header("cookie", &first));
    // Requests that were under way.
    let late = with_first().await;
    assert_eq!((late.status.as_u16(), late.headers.get("set-cookie")), (200, None));
    world.turn(Duration::from_secs(61));
    assert_eq!(with_first().await.code(), "unauthorized");
    // The token of its requests has stayed.
    let made = owner.post("/keys", json!({ "name": "k", "scope": "read" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

/// That a session was used is noted beside the answer.
async fn noted(browser: &mut Browser<'_>, before: &str) {
    while browser.get("/sessions").await.text("/items/0/last_used").as_str() <= before {}
}

#[tokio::test]
async fn a_session_ends_when_nothing_is_done_and_when_it_is_too_old() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let used = owner.get("/sessions").await.text("/items/0/last_used");
    world.turn(23 * HOUR);
    assert!(owner.is_in().await);
    noted(&mut owner, &used).await;
    world.turn(23 * HOUR);
    assert_eq!(owner.get("/session").await.status, 200);
    world.turn(25 * HOUR);
    assert_eq!(owner.get("/session").await.code(), "unauthorized");

    let mut owner = world.browser(&world.login(OWNER, PASSWORD).await);
    for day in 0..31 {
        let used = owner.get("/sessions").await.text("/items/0/last_used");
        world.turn(23 * HOUR);
        assert_eq!(owner.get("/session").await.status, 200, "{day}");
        noted(&mut owner, &used).await;
    }
    world.turn(23 * HOUR);
    assert_eq!(owner.get("/session").await.code(), "unauthorized");
}

#[tokio::test]
async fn a_change_by_a_cookie_comes_from_our_own_pages_or_not_at_all() {
    let world = World::new().await;
    let owner = world.owner().await;
    let other = world.browser(&world.login(OWNER, PASSWORD).await);
    let body = json!({ "name": "k", "scope": "read" });
    let bare = || world.bare("POST", "/api/v1/keys").header("cookie", &owner.cookie).json(&body);
    let refused = told(bare()).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "forbidden"));
    assert_eq!(refused.text("/place"), "header.fanfare-csrf");
    for token in ["", "wrong", &other.csrf] {
        let refused = told(bare().header("fanfare-csrf", token)).await;
        assert_eq!(refused.text("/place"), "header.fanfare-csrf", "{token}");
    }
    let ours = || bare().header("fanfare-csrf", &owner.csrf);
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let refused = told(ours().header(name, value)).await;
        assert_eq!(refused.text("/place"), "header.origin", "{name}: {value}");
    }
    for (name, value) in [("origin", world.base.as_str()), ("sec-fetch-site", "same-origin")] {
        assert_eq!(told(ours().header(name, value)).await.status, 201, "{name}: {value}");
    }
    assert_eq!(told(ours()).await.status, 201);
    // A key is no cookie: nobody's browser sends it by itself. It goes first where there are both.
    let keyed = bare().bearer_auth(&world.key).header("origin", "https://evil.example");
    assert_eq!(told(keyed).await.status, 201);
    let wrong = bare().bearer_auth("ff_wrong").header("fanfare-csrf", &owner.csrf);
    assert_eq!(told(wrong).await.code(), "unauthorized");
    // Nobody is logged in as somebody else by a page of theirs.
    let login = world.bare("POST", "/api/v1/session").header("origin", "https://evil.example");
    let login = told(login.json(&json!({ "email": OWNER, "password": PASSWORD }))).await;
    assert_eq!((login.status.as_u16(), login.headers.get("set-cookie")), (403, None));
}

#[tokio::test]
async fn new_password_has_to_be_good_and_ends_all_other_sessions() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let elsewhere = world.browser(&world.login(OWNER, PASSWORD).await);
    let before = owner.cookie.clone();
    let new = "seven ferries under snow";
    let wrong = owner.post("/session/password", json!({ "old": "not it", "new": new })).await;
    assert_eq!((wrong.status.as_u16(), wrong.text("/place")), (403, "password".to_owned()));
    let weak = json!({ "old": PASSWORD, "new": "password12" });
    let weak = owner.post("/session/password", weak).await;
    assert_eq!((weak.status.as_u16(), weak.code()), (422, "password-weak"));
    assert!(elsewhere.is_in().await);
    let changed = owner.post("/session/password", json!({ "old": PASSWORD, "new": new })).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_ne!(owner.cookie, before);
    assert!(owner.is_in().await);
    assert!(!elsewhere.is_in().await);
    let old = told(world.bare("GET", "/api/v1/session").header("cookie", before)).await;
    assert_eq!(old.status, 401);
    assert_eq!(world.login(OWNER, PASSWORD).await.status, 401);
    assert_eq!(world.login("  ADA@Example.org ", new).await.status, 200);
    let happened = world.happened().await;
    assert!(happened.contains(&("password.changed".to_owned(), owner.person.clone())));
}

#[tokio::test]
async fn ones_sessions_are_listed_and_ended_one_by_one_or_all_but_this() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let member = world.member("viewer", "bob@example.org").await;
    let agent = world.bare("POST", "/api/v1/session").header("user-agent", "Netscape/4.0");
    let login = json!({ "email": OWNER, "password": PASSWORD });
    let second = world.browser(&told(agent.json(&login)).await);
    let third = world.browser(&world.login(OWNER, PASSWORD).await);
    let listed = owner.get("/sessions").await;
    let items = listed.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "{}", listed.body);
    assert_eq!((&items[0]["this"], &items[1]["this"]), (&json!(true), &json!(false)));
    assert_eq!(items[1]["agent"], "Netscape/4.0");
    let secret = second.cookie.split('=').nth(1).unwrap();
    assert!(!listed.body.contains(secret));
    let path = format!("/sessions/{}", items[1]["id"].as_str().unwrap());
    // Of somebody else it is nothing that there is.
    let mut stranger = member;
    assert_eq!(stranger.delete(&path).await.code(), "not-found");
    assert!(second.is_in().await);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert!(!second.is_in().await && third.is_in().await);
    assert_eq!(owner.delete("/sessions").await.json["ended"], 1);
    assert!(owner.is_in().await && !third.is_in().await && stranger.is_in().await);
    let gone = owner.delete("/session").await;
    assert_eq!(gone.status, 204);
    assert!(gone.headers["set-cookie"].starts_with("fanfare=;"), "{:?}", gone.headers);
    assert!(gone.headers["set-cookie"].contains("Max-Age=0"));
}

#[tokio::test]
async fn live_stream_ends_with_the_session_and_when_its_person_may_do_less() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let mut editor = world.member("editor", "bob@example.org").await;
    let ended = |mut stream: reqwest::Response| async move {
        while let Some(piece) = stream.chunk().await.unwrap() {
            let text = String::from_utf8_lossy(&piece).into_owned();
            assert!(!text.contains("member.changed"), "{text}");
        }
    };
    let patience = Duration::from_secs(20);
    let stream = editor.request("GET", "/events").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let path = format!("/members/{}", editor.person);
    assert_eq!(owner.patch(&path, json!({ "role": "viewer" })).await.status, 200);
    tokio::time::timeout(patience, ended(stream)).await.unwrap();

    let stream = editor.request("GET", "/events").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_eq!(editor.delete("/session").await.status, 204);
    tokio::time::timeout(patience, ended(stream)).await.unwrap();
}

#[tokio::test]
async fn a_guesser_is_slowed_down_and_others_are_not() {
    let world = World::new().await;
    world.owner().await;
    world.member("viewer", "bob@example.org").await;
    for _ in 0..10 {
        assert_eq!(world.login(OWNER, "not the right one").await.code(), "unauthorized");
    }
    for password in ["not the right one", PASSWORD] {
        let slowed = world.login(OWNER, password).await;
        assert_eq!((slowed.status.as_u16(), slowed.code()), (429, "too-many-requests"));
        let wait: u64 = slowed.headers["retry-after"].parse().unwrap();
        assert!((1..=90).contains(&wait), "{wait}");
    }
    assert_eq!(world.login("bob@example.org", PASSWORD).await.status, 200);
    world.turn(Duration::from_secs(91));
    assert_eq!(world.login(OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_slowed_down() {
    let address = Some("192.0.2.7".parse().unwrap());
    let world = World::with(Outfit { address, ..Outfit::default() }).await;
    world.owner().await;
    let mut refused = 0;
    for at in 0..70 {
        let told = world.login(&format!("nobody{at}@example.org"), "a").await;
        refused += if told.status == 429 { 1 } else { 0 };
    }
    // The clock of this world is fast, so that some come back meanwhile.
    assert!((1..=10).contains(&refused), "{refused}");
}
