//! The second factor, from its first code to its last recovery code.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};

use crate::{
    people::{Browser, OWNER, PASSWORD, token},
    world::{Told, World},
};

fn code(world: &World, secret: &str) -> String {
    let bytes = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
    let totp = TOTP::new(Algorithm::SHA1, 6, 0, 30, bytes).unwrap();
    totp.generate(world.clock.now().0 / 1_000)
}

/// The secret, and the recovery codes.
async fn turn_on(owner: &mut Browser<'_>) -> (String, Vec<String>) {
    let offer = owner.post("/session/two-factor", json!({ "password": PASSWORD })).await;
    assert_eq!(offer.status, 200, "{}", offer.body);
    let secret = offer.text("/secret");
    assert!(offer.text("/url").contains(&format!("?secret={secret}&")), "{}", offer.body);
    let code = code(owner.world, &secret);
    let on = owner.post("/session/two-factor/confirm", json!({ "code": code })).await;
    assert_eq!(on.status, 200, "{}", on.body);
    let codes = on.json["recovery_codes"].as_array().unwrap();
    let codes: Vec<_> = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (secret, codes)
}

async fn login(world: &World, code: &str) -> Told {
    let body: Value = json!({ "email": OWNER, "password": PASSWORD, "code": code });
    world.open("/session", body).await
}

/// Past the codes that were used, whatever they were.
fn wait(world: &World) {
    world.turn(Duration::from_secs(90));
}

#[tokio::test]
async fn secret_is_asked_for_once_a_code_has_proven_that_it_was_kept() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let elsewhere = world.browser(&world.login(OWNER, PASSWORD).await);
    let wrong = owner.post("/session/two-factor", json!({ "password": "not it" })).await;
    assert_eq!(wrong.code(), "forbidden");
    let early = owner.post("/session/two-factor/confirm", json!({ "code": "123456" })).await;
    assert_eq!(early.code(), "wrong-state");
    owner.post("/session/two-factor", json!({ "password": PASSWORD })).await;
    let wrong = owner.post("/session/two-factor/confirm", json!({ "code": "12345" })).await;
    assert_eq!((wrong.code(), wrong.text("/place").as_str()), ("invalid", "code"));
    assert_eq!(world.login(OWNER, PASSWORD).await.status, 200);

    let (_, codes) = turn_on(&mut owner).await;
    assert_eq!(codes.len(), 10);
    assert!(owner.is_in().await && !elsewhere.is_in().await);
    let needed = world.login(OWNER, PASSWORD).await;
    assert_eq!((needed.status.as_u16(), needed.code()), (401, "code-needed"));
    // Nobody without the password learns of it.
    assert_eq!(world.login(OWNER, "not the right one").await.code(), "unauthorized");
    let again = owner.post("/session/two-factor", json!({ "password": PASSWORD })).await;
    assert_eq!(again.code(), "wrong-state");
    let shown = owner.get("/session").await;
    assert_eq!(
        (&shown.json["two_factor"], &shown.json["recovery_codes_left"]),
        (&json!(true), &json!(10))
    );
    let members = world.get("/members").await;
    assert_eq!(members.json["items"][0]["two_factor"], true, "{}", members.body);
    let happened = world.happened().await;
    assert!(happened.contains(&("two_factor.enabled".to_owned(), owner.person.clone())));
}

#[tokio::test]
async fn a_code_logs_in_once() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let (secret, _) = turn_on(&mut owner).await;
    wait(&world);
    let code = code(&world, &secret);
    let both = tokio::join!(login(&world, &code), login(&world, &code));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(login(&world, &code).await.code(), "code-needed");
    assert_eq!(login(&world, "000000").await.code(), "code-needed");
    wait(&world);
    assert_eq!(login(&world, &self::code(&world, &secret)).await.status, 200);
}

#[tokio::test]
async fn the_code_that_turned_it_on_does_not_log_in() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let offer = owner.post("/session/two-factor", json!({ "password": PASSWORD })).await;
    let code = code(&world, &offer.text("/secret"));
    let on = owner.post("/session/two-factor/confirm", json!({ "code": code })).await;
    assert_eq!(on.status, 200, "{}", on.body);
    assert_eq!(login(&world, &code).await.code(), "code-needed");
}

#[tokio::test]
async fn each_recovery_code_logs_in_once_and_is_told_of() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let (_, codes) = turn_on(&mut owner).await;
    let typed = codes[3].replace('-', " ").to_uppercase();
    let used = login(&world, &typed).await;
    assert_eq!(used.status, 200, "{}", used.body);
    assert_eq!(used.json["recovery_codes_left"], 9);
    assert_eq!(login(&world, &codes[3]).await.code(), "code-needed");
    assert_eq!(login(&world, &codes[4]).await.status, 200);
    let happened = world.happened().await;
    let told = happened.iter().filter(|(kind, _)| kind == "two_factor.recovery_code_used");
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn nothing_that_lets_somebody_in_is_kept_or_told_as_it_is() {
    let world = World::new().await;
    let link = world.engine.open_setup().unwrap().unwrap();
    let mut owner = world.owner().await;
    let bob = world.member("viewer", "bob@example.org").await;
    let invited = world.invited("editor").await;
    let reset = world.post(&format!("/members/{}/reset", bob.person), &json!({})).await;
    let reset = reset.text("/link");
    let (secret, codes) = turn_on(&mut owner).await;
    let held = [&owner.cookie, &bob.cookie].map(|cookie| cookie.split_once('=').unwrap().1);
    let texts = [PASSWORD, &secret, token(link.expose()), &invited, token(&reset)];
    let texts = texts.iter().copied().chain(held).chain(codes.iter().map(String::as_str));
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        secrets.push(text.as_bytes().to_vec());
        // The random end of a ticket, without the ids before it.
        if let Ok(bytes) = URL_SAFE_NO_PAD.decode(text) {
            secrets.push(bytes[bytes.len().saturating_sub(32)..].to_vec());
        }
    }
    secrets.push(Secret::Encoded(secret).to_bytes().unwrap());
    assert!(secrets.len() > 20);
    let mut places: Vec<Vec<u8>> = Vec::new();
    for (key, value) in world.memory.copy() {
        places.extend([key, value]);
    }
    for path in ["/members", "/invitations", "/session", "/sessions", "/events?limit=200"] {
        places.push(owner.get(path).await.body.into_bytes());
    }
    let is_there = |wanted: &[u8], place: &[u8]| place.windows(wanted.len()).any(|it| it == wanted);
    // What is looked for can be found.
    assert!(places.iter().any(|place| is_there(OWNER.as_bytes(), place)));
    for secret in &secrets {
        let found = places.iter().find(|place| is_there(secret, place));
        let shown = String::from_utf8_lossy(secret);
        assert!(found.is_none(), "{shown} in {}", String::from_utf8_lossy(found.unwrap()));
    }
}

#[tokio::test]
async fn guesses_at_a_code_are_slowed_down_like_guesses_at_a_password() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    turn_on(&mut owner).await;
    let mut statuses = Vec::new();
    for _ in 0..11 {
        statuses.push(login(&world, "000000").await.status.as_u16());
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10], 429);
    // From inside as well.
    let body = json!({ "password": PASSWORD, "code": "000000" });
    assert_eq!(owner.post("/session/two-factor/disable", body).await.status, 429);
}

#[tokio::test]
async fn it_is_turned_off_by_password_and_code_alone() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let (_, codes) = turn_on(&mut owner).await;
    let off = |password: &str, code: &str| json!({ "password": password, "code": code });
    let path = "/session/two-factor/disable";
    assert_eq!(owner.post(path, off("not it", &codes[0])).await.code(), "forbidden");
    assert_eq!(owner.post(path, off(PASSWORD, "000000")).await.code(), "code-needed");
    assert_eq!(world.login(OWNER, PASSWORD).await.code(), "code-needed");
    let done = owner.post(path, off(PASSWORD, &codes[0])).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        (&done.json["two_factor"], &done.json["recovery_codes_left"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(world.login(OWNER, PASSWORD).await.status, 200);
    let happened = world.happened().await;
    assert!(happened.contains(&("two_factor.disabled".to_owned(), owner.person.clone())));
}
