//! Who is in an organization, how they came in, and what they may do.

use std::time::Duration;

use serde_json::json;

use crate::{
    people::{HOUR, OWNER, PASSWORD, token},
    world::{World, told},
};

#[tokio::test]
async fn first_person_takes_the_place_that_was_noted_and_then_registration_is_closed() {
    let world = World::new().await;
    let noted = world.get("/members").await;
    assert_eq!(noted.json["items"][0]["can_log_in"], false, "{}", noted.body);
    let replaced = world.engine.open_setup().unwrap().unwrap();
    let link = world.engine.open_setup().unwrap().unwrap();
    let set_up = |link: &str, password: &str| {
        let token = token(link).to_owned();
        let body = json!({ "token": token, "name": "Ada", "email": OWNER, "password": password });
        world.open("/setup", body)
    };
    for wrong in [replaced.expose(), "x/nonsense"] {
        assert_eq!(set_up(wrong, PASSWORD).await.code(), "link-expired");
    }
    // What is refused does not use it up.
    assert_eq!(set_up(link.expose(), "password12").await.code(), "password-weak");
    let page = told(world.bare("GET", link.expose())).await;
    assert!(page.status == 200 && page.body.contains("<form method=\"post\">"), "{}", page.body);
    let both = tokio::join!(set_up(link.expose(), PASSWORD), set_up(link.expose(), PASSWORD));
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410]);
    assert_eq!(told(world.bare("GET", link.expose())).await.status, 410);
    assert!(world.engine.open_setup().unwrap().is_none());
    let members = world.get("/members").await;
    assert_eq!(members.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(members.text("/items/0/id"), noted.text("/items/0/id"));
    assert_eq!(members.text("/items/0/email"), OWNER);
    let seated = world.login(OWNER, PASSWORD).await;
    assert_eq!(seated.text("/organizations/0/role"), "owner");
}

#[tokio::test]
async fn link_for_setting_up_ends_after_an_hour() {
    let world = World::new().await;
    let link = world.engine.open_setup().unwrap().unwrap();
    world.turn(HOUR);
    assert_eq!(told(world.bare("GET", link.expose())).await.status, 410);
}

#[tokio::test]
async fn invitation_is_shown_once_accepted_once_and_logs_in() {
    let world = World::new().await;
    world.owner().await;
    let invite = || {
        let request = world.request("POST", "/api/v1/invitations").header("idempotency-key", "one");
        told(request.json(&json!({ "role": "editor", "email": "bob@example.org" })))
    };
    let (made, again) = (invite().await, invite().await);
    assert_eq!((made.status.as_u16(), again.status.as_u16()), (201, 200), "{}", again.body);
    assert_eq!(made.text("/id"), again.text("/id"));
    assert!(again.json.get("link").is_none());
    let link = made.text("/link");
    assert!(link.starts_with(&format!("{}/invitations/", world.base)), "{link}");
    let listed = world.get("/invitations").await;
    assert_eq!(listed.json["items"].as_array().unwrap().len(), 1);
    assert!(!listed.body.contains(token(&link)));

    let page = told(world.bare("GET", &link)).await;
    assert!(page.body.contains("Example") && page.body.contains("bob@example.org"));
    let accept = |email: &str, name: &str, password: &str| {
        let body = json!({ "token": token(&link), "email": email, "name": name,
            "password": password });
        world.open("/invitations/accept", body)
    };
    let other = accept("eve@example.org", "Eve", PASSWORD).await;
    assert_eq!((other.code(), other.text("/place").as_str()), ("invalid", "email"));
    for name in ["", "\u{1b}[2J"] {
        assert_eq!(accept("", name, PASSWORD).await.text("/place"), "name");
    }
    assert_eq!(accept("", "Bob", "password12").await.code(), "password-weak");
    let seated = accept("Bob@Example.org", "Bob", PASSWORD).await;
    let bob = world.browser(&seated);
    assert_eq!(seated.text("/organizations/0/role"), "editor");
    assert!(bob.is_in().await);
    assert_eq!(accept("", "Bob", PASSWORD).await.code(), "link-expired");
    assert_eq!(told(world.bare("GET", &link)).await.status, 410);
    let happened = world.happened().await;
    for kind in ["member.joined", "session.started"] {
        assert!(happened.contains(&(kind.to_owned(), bob.person.clone())), "{happened:?}");
    }
    assert!(happened.iter().any(|(kind, _)| kind == "invitation.created"));
}

#[tokio::test]
async fn an_invitation_ends_after_a_week_or_when_it_is_revoked() {
    let world = World::new().await;
    world.owner().await;
    let made = world.post("/invitations", &json!({ "role": "viewer" })).await;
    let revoked = world.request("DELETE", &format!("/api/v1/invitations/{}", made.text("/id")));
    assert_eq!(told(revoked).await.status, 204);
    assert_eq!(told(world.bare("GET", &made.text("/link"))).await.status, 410);
    let old = world.post("/invitations", &json!({ "role": "viewer" })).await;
    world.turn(7 * 24 * HOUR - Duration::from_secs(600));
    assert_eq!(told(world.bare("GET", &old.text("/link"))).await.status, 200);
    world.turn(Duration::from_secs(600));
    assert_eq!(told(world.bare("GET", &old.text("/link"))).await.status, 410);
    assert_eq!(world.get("/invitations").await.json["items"], json!([]));
    for expires in ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z"] {
        let body = json!({ "role": "viewer", "expires": expires });
        assert_eq!(world.post("/invitations", &body).await.text("/place"), "expires");
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_by_its_page() {
    let world = World::new().await;
    world.owner().await;
    let link = world.post("/invitations", &json!({ "role": "viewer" })).await.text("/link");
    let send = |password: &str| {
        let form = [("name", "Bob"), ("email", "bob@example.org"), ("password", password)];
        told(world.bare("POST", &link).header("origin", &world.base).form(&form))
    };
    let weak = send("password12").await;
    assert!(weak.status == 422 && weak.body.contains("role=\"alert\""), "{}", weak.body);
    assert_eq!(weak.headers["referrer-policy"], "same-origin");
    let welcome = send(PASSWORD).await;
    assert!(welcome.status == 200 && welcome.body.contains("logged in as"), "{}", welcome.body);
    assert!(welcome.headers["set-cookie"].starts_with("fanfare="));
    assert_eq!(send(PASSWORD).await.status, 410);
    let link = world.post("/invitations", &json!({ "role": "viewer" })).await.text("/link");
    let foreign = world.bare("POST", &link).header("origin", "https://evil.example");
    assert_eq!(told(foreign.form(&[("name", "Eve")])).await.status, 403);
}

#[tokio::test]
async fn one_person_in_two_organizations_says_in_which_they_act() {
    let world = World::new().await;
    world.owner().await;
    let mut bob = world.member("viewer", "bob@example.org").await;
    let made = world.post("/organizations", &json!({ "name": "Other" })).await;
    let (other, key) = (made.text("/id"), made.text("/key"));
    let invited = world.ask(&key, "POST", "/api/v1/invitations", &json!({ "role": "admin" })).await;
    let token = token(&invited.text("/link")).to_owned();
    let accept = |password: &str| {
        let body = json!({ "token": token, "email": "bob@example.org", "password": password });
        world.open("/invitations/accept", body)
    };
    // Who has an account proves that it is theirs.
    assert_eq!(accept("quiet gulls above chimneys").await.code(), "unauthorized");
    let seated = accept(PASSWORD).await;
    assert_eq!(seated.status, 200, "{}", seated.body);
    assert_eq!(seated.json["organizations"].as_array().unwrap().len(), 2);
    assert_eq!(seated.text("/person"), bob.person);

    assert_eq!(bob.post("/keys", json!({ "name": "k", "scope": "read" })).await.status, 403);
    let elsewhere = |id: &str| {
        let request = bob.request("POST", "/keys").header("fanfare-organization", id);
        told(request.json(&json!({ "name": "k", "scope": "read" })))
    };
    let key = elsewhere(&other).await;
    assert_eq!((key.status.as_u16(), key.text("/organization")), (201, other));
    let strange = elsewhere("org_01jd3v9p0c8k5t2m7q4x6y1z0n").await;
    assert_eq!(strange.text("/place"), "header.fanfare-organization");
    assert_eq!(strange.status, 403);
}

#[tokio::test]
async fn who_makes_an_organization_is_in_it() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let made = owner.post("/organizations", json!({ "name": "Other" })).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let request = owner.request("GET", "/members").header("fanfare-organization", made.text("/id"));
    let members = told(request).await;
    assert_eq!(members.text("/items/0/id"), owner.person, "{}", members.body);
    assert_eq!(owner.get("/session").await.json["organizations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_guest_sees_nothing_and_may_log_out() {
    let world = World::new().await;
    world.owner().await;
    let mut guest = world.member("guest", "guest@example.org").await;
    for path in ["/posts", "/events", "/members", "/organizations", "/platforms"] {
        assert_eq!(guest.get(path).await.code(), "forbidden", "{path}");
    }
    assert_eq!(guest.get("/session").await.text("/organizations/0/role"), "guest");
    assert_eq!(guest.delete("/session").await.status, 204);
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_nor_touches_who_has_more() {
    let world = World::new().await;
    let owner = world.owner().await;
    let mut admin = world.member("admin", "admin@example.org").await;
    let bob = world.member("viewer", "bob@example.org").await;
    let path = |person: &str| format!("/members/{person}");
    let above = admin.post("/invitations", json!({ "role": "owner" })).await;
    assert_eq!((above.code(), above.text("/place").as_str()), ("forbidden", "role"));
    assert_eq!(admin.patch(&path(&bob.person), json!({ "role": "owner" })).await.status, 403);
    assert_eq!(admin.patch(&path(&owner.person), json!({ "role": "viewer" })).await.status, 403);
    assert_eq!(admin.delete(&path(&owner.person)).await.status, 403);
    assert_eq!(admin.patch(&path(&bob.person), json!({ "disabled": true })).await.status, 403);
    assert_eq!(admin.post(&format!("/members/{}/reset", bob.person), json!({})).await.status, 403);
    let raised = admin.patch(&path(&bob.person), json!({ "role": "admin" })).await;
    assert_eq!(raised.text("/role"), "admin", "{}", raised.body);
    let none = admin.patch(&path(&bob.person), json!({ "role": "king" })).await;
    assert_eq!(none.text("/place"), "role");
}

#[tokio::test]
async fn what_somebody_may_do_changes_at_once_and_their_browser_is_given_a_new_secret() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let mut bob = world.member("viewer", "bob@example.org").await;
    let before = bob.cookie.clone();
    let body = json!({ "name": "k", "scope": "read" });
    assert_eq!(bob.post("/keys", body.clone()).await.status, 403);
    let path = format!("/members/{}", bob.person);
    assert_eq!(owner.patch(&path, json!({ "role": "admin" })).await.status, 200);
    assert_eq!(bob.post("/keys", body.clone()).await.status, 201);
    assert_ne!(bob.cookie, before);
    world.turn(Duration::from_secs(61));
    let old = told(world.bare("GET", "/api/v1/session").header("cookie", before)).await;
    assert_eq!(old.status, 401);
    assert_eq!(owner.patch(&path, json!({ "role": "viewer" })).await.status, 200);
    assert_eq!(bob.post("/keys", body).await.status, 403);
    let changed = ("member.changed".to_owned(), owner.person.clone());
    assert_eq!(world.happened().await.into_iter().filter(|told| *told == changed).count(), 2);
}

#[tokio::test]
async fn the_last_owner_and_the_last_admin_stay() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let own = format!("/members/{}", owner.person);
    for body in
        [json!({ "role": "admin" }), json!({ "role": "guest" }), json!({ "disabled": true })]
    {
        assert_eq!(owner.patch(&own, body.clone()).await.code(), "conflict", "{body}");
    }
    assert_eq!(owner.delete(&own).await.code(), "conflict");
    let mut second = world.member("owner", "second@example.org").await;
    let other = format!("/members/{}", second.person);
    // One who cannot log in does not count.
    assert_eq!(owner.patch(&other, json!({ "disabled": true })).await.status, 200);
    assert!(!second.is_in().await);
    assert_eq!(world.login("second@example.org", PASSWORD).await.code(), "unauthorized");
    assert_eq!(owner.delete(&own).await.code(), "conflict");
    assert_eq!(owner.patch(&other, json!({ "disabled": false })).await.status, 200);
    assert_eq!(owner.delete(&own).await.status, 204);
    assert!(!owner.is_in().await);
    second = world.browser(&world.login("second@example.org", PASSWORD).await);

    // Of an organization of its own, the last admin.
    let made = world.post("/organizations", &json!({ "name": "Other" })).await;
    let key = made.text("/key");
    let invited = world.ask(&key, "POST", "/api/v1/invitations", &json!({ "role": "admin" })).await;
    let body = json!({ "token": token(&invited.text("/link")), "name": "Eve",
        "email": "eve@example.org", "password": PASSWORD });
    let mut eve = world.browser(&world.open("/invitations/accept", body).await);
    let path = format!("/members/{}", eve.person);
    assert_eq!(eve.patch(&path, json!({ "role": "editor" })).await.code(), "conflict");
    assert_eq!(eve.delete(&path).await.code(), "conflict");
    // Not even the instance's owner leaves it without one.
    let disabled = second.patch(&path, json!({ "disabled": true })).await;
    assert_eq!(disabled.code(), "not-found");
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_forgotten_and_can_be_invited_again() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let bob = world.member("editor", "bob@example.org").await;
    let path = format!("/members/{}", bob.person);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert!(!bob.is_in().await);
    assert_eq!(owner.get(&path).await.code(), "not-found");
    assert_eq!(world.login("bob@example.org", PASSWORD).await.code(), "unauthorized");
    let again = world.member("viewer", "bob@example.org").await;
    assert_ne!(again.person, bob.person);
    let happened = world.happened().await;
    assert!(happened.contains(&("member.removed".to_owned(), owner.person.clone())));
}

#[tokio::test]
async fn who_is_removed_or_may_do_less_does_not_come_back_by_an_invitation_of_their_own() {
    let world = World::new().await;
    let mut owner = world.owner().await;
    let mut bob = world.member("admin", "bob@example.org").await;
    let invited = async |bob: &mut crate::people::Browser<'_>, role: &str| {
        let made = bob.post("/invitations", json!({ "role": role })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.text("/link")
    };
    let (admin, viewer) = (invited(&mut bob, "admin").await, invited(&mut bob, "viewer").await);
    let path = format!("/members/{}", bob.person);
    assert_eq!(owner.patch(&path, json!({ "role": "editor" })).await.status, 200);
    let open = async |link: &str| told(world.bare("GET", link)).await.status.as_u16();
    assert_eq!((open(&admin).await, open(&viewer).await), (410, 200));
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(open(&viewer).await, 410);
}

#[tokio::test]
async fn reset_link_sets_a_password_once_and_ends_what_was() {
    let world = World::new().await;
    world.owner().await;
    let bob = world.member("editor", "bob@example.org").await;
    let path = format!("/members/{}/reset", bob.person);
    let replaced = world.post(&path, &json!({})).await.text("/link");
    let link = world.post(&path, &json!({})).await.text("/link");
    assert_eq!(told(world.bare("GET", &replaced)).await.status, 410);
    assert!(told(world.bare("GET", &link)).await.body.contains("bob@example.org"));
    assert!(bob.is_in().await);
    let new = "seven ferries under snow";
    let reset = |password: &str| {
        world.open("/reset", json!({ "token": token(&link), "password": password }))
    };
    assert_eq!(reset("password12").await.code(), "password-weak");
    assert_eq!(reset(new).await.status, 204);
    assert_eq!(reset(new).await.code(), "link-expired");
    assert!(!bob.is_in().await);
    assert_eq!(world.login("bob@example.org", PASSWORD).await.status, 401);
    assert_eq!(world.login("bob@example.org", new).await.status, 200);
    let link = world.post(&path, &json!({})).await.text("/link");
    world.turn(HOUR);
    assert_eq!(told(world.bare("GET", &link)).await.status, 410);
    let happened = world.happened().await;
    assert!(happened.iter().any(|(kind, _)| kind == "member.reset"));
    assert!(happened.contains(&("password.changed".to_owned(), bob.person.clone())));
}
