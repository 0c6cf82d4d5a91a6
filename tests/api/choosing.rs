//! The page on which a person chooses what a sign-in connects, as a browser without scripts
//! meets it.

use serde_json::json;

use super::world::{Told, World, told};

/// Signed in, and led back to the page with what there is to choose from.
async fn signed_in(world: &World, handle: &str) -> (String, Told) {
    let begun = world.post("/accounts/connect", &json!({ "platform": "facebook" })).await;
    let back = world.agree(&begun.text("/visit_url"), handle).await;
    let page = told(world.bare("GET", &back)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let state = between(&page.body, "name=\"state\" value=\"", "\"").to_owned();
    (state, page)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

async fn choose(world: &World, form: &[(&str, &str)]) -> Told {
    told(world.bare("POST", "/oauth/facebook/choose").form(form)).await
}

/// The field that belongs to a target, up to its name.
fn tick<'a>(page: &'a Told, name: &str) -> &'a str {
    let (before, _) = page.body.split_once(&format!("@{name}</strong>")).unwrap();
    before.rsplit_once("<label>").unwrap().1
}

#[tokio::test]
async fn whoever_chose_nothing_may_choose_again_and_what_is_connected_is_ticked() {
    let world = World::new().await;
    let (state, page) = signed_in(&world, "olga").await;
    assert!(page.headers["content-security-policy"].contains("default-src 'none'"));
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert!(tick(&page, "olga-archive").contains(" disabled"), "{}", page.body);
    let nothing = choose(&world, &[("state", &state)]).await;
    assert_eq!(nothing.status, 422);
    assert!(nothing.body.contains("<p role=\"alert\">Nothing was chosen."), "{}", nothing.body);
    assert_eq!(between(&nothing.body, "name=\"state\" value=\"", "\""), state);
    let target = between(tick(&nothing, "olga-books"), "value=\"", "\"").to_owned();
    let connected = choose(&world, &[("state", &state), ("target", &target)]).await;
    assert_eq!(connected.status, 200, "{}", connected.body);
    assert!(connected.body.contains("@olga-books"), "{}", connected.body);
    let again = choose(&world, &[("state", &state)]).await;
    assert!(tick(&again, "olga-books").contains(" checked"), "{}", again.body);
    assert!(!tick(&again, "olga-bakery").contains(" checked"), "{}", again.body);
}

#[tokio::test]
async fn account_that_is_disconnected_is_not_brought_back_by_the_page_that_connected_it() {
    let world = World::new().await;
    let (state, page) = signed_in(&world, "olga").await;
    let target = between(tick(&page, "olga-books"), "value=\"", "\"").to_owned();
    let connected = choose(&world, &[("state", &state), ("target", &target)]).await;
    assert_eq!(connected.status, 200, "{}", connected.body);
    let account = world.get("/accounts").await.text("/items/0/id");
    let gone = told(world.request("DELETE", &format!("/api/v1/accounts/{account}"))).await;
    assert_eq!(gone.text("/connection"), "disconnected");
    let again = choose(&world, &[("state", &state), ("target", &target)]).await;
    assert_eq!(again.status, 404, "{}", again.body);
    let after = world.get(&format!("/accounts/{account}")).await;
    assert_eq!(after.text("/connection"), "disconnected");
}

#[tokio::test]
async fn a_choice_that_is_over_says_so_and_what_is_sent_is_not_shown() {
    let world = World::new().await;
    let (state, _) = signed_in(&world, "olga").await;
    let sent = "<script>alert(1)</script>";
    for (state, target, status) in [(state.as_str(), sent, 422), (sent, "1", 404)] {
        let page = choose(&world, &[("state", state), ("target", target)]).await;
        assert_eq!(page.status, status, "{}", page.body);
        assert!(!page.body.contains("<script>"), "{}", page.body);
    }
    let over = choose(&world, &[("state", "gone")]).await;
    assert!(over.body.contains("This choice is over"), "{}", over.body);
    assert!(!over.body.contains("visit_url"), "{}", over.body);
}
