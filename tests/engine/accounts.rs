//! Accounts: connected, paused, lost, found again, and let go.

use std::time::Duration;

use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::{Delivery, Hold, State},
        event::EventKind,
        post::Content,
        problem::Code,
        secret::Secret,
    },
    engine::facade::{Callback, ConnectRequest, Connecting, PlanRequest},
    sandbox::{Fault, FaultKind, Operation},
};

use crate::world::{SPEED, World, consent, held, part, published, settled};

#[derive(Clone, Copy, Debug)]
enum Switch {
    Account,
    Organization,
    Everything,
}

async fn pause(world: &World, switch: Switch, account: &Account) {
    let (engine, caller) = (&world.engine, &world.caller);
    match switch {
        Switch::Account => drop(engine.pause_account(caller, account.id).await.unwrap()),
        Switch::Organization => {
            drop(engine.pause_organization(caller, caller.organization).await.unwrap());
        }
        Switch::Everything => engine.pause_everything(caller).await.unwrap(),
    }
}

async fn resume(world: &World, switch: Switch, account: &Account) {
    let (engine, caller) = (&world.engine, &world.caller);
    match switch {
        Switch::Account => drop(engine.resume_account(caller, account.id).await.unwrap()),
        Switch::Organization => {
            drop(engine.resume_organization(caller, caller.organization).await.unwrap());
        }
        Switch::Everything => engine.resume_everything(caller).await.unwrap(),
    }
}

/// Looks at the store until it is so. Not everything that changes there is told.
async fn becomes(what: impl Fn() -> bool) {
    let looking = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it becomes so");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_while_paused_and_the_order_and_the_grace_hold_after() {
    for switch in [Switch::Account, Switch::Organization, Switch::Everything] {
        let mut world = World::new().await;
        world.set_grace(900).await;
        let account = world.connect("mastodon", "alice").await;
        pause(&world, switch, &account).await;
        let mut deliveries = Vec::new();
        for (text, seconds) in [("late", 20), ("1", 1_000), ("2", 1_001), ("3", 1_002)] {
            deliveries.push(world.say(text, &account, world.in_seconds(seconds)).await);
        }
        world.planet.turn(1_010);
        let ready = |delivery: &Delivery| {
            matches!(world.delivery(delivery.id).state, State::Ready | State::Held { .. })
        };
        becomes(|| deliveries.iter().all(ready)).await;
        assert!(world.planet.ledger().is_empty(), "{switch:?}");
        // A pause outlives the process.
        world.restart(fanfare::domain::mortality::Mortality::default()).await;
        let now = world.say("4", &account, PlanRequest::Now).await;
        becomes(|| world.delivery(now.id).state == State::Ready).await;
        assert!(world.planet.ledger().is_empty(), "{switch:?}");
        resume(&world, switch, &account).await;
        world.until(now.id, published).await;
        let late = world.delivery(deliveries[0].id);
        assert!(matches!(late.state, State::Held { why: Hold::Missed, .. }), "{late:?}");
        assert_eq!(world.planet.texts(&account), ["1", "2", "3", "4"], "{switch:?}");
        world.check().await;
    }
}

/// What was prepared before the pause is no exception.
#[tokio::test(flavor = "multi_thread")]
async fn prepared_post_that_a_pause_makes_too_late_is_missed() {
    use fanfare::domain::post::Content;
    let world = World::new().await;
    world.set_grace(900).await;
    let account = world.connect("mastodon", "alice").await;
    let picture = crate::world::upload(&world.engine, &world.caller, &crate::world::png(1)).await;
    let content =
        Content { parts: vec![crate::world::part("Look", &[picture])], ..Content::default() };
    let delivery = world.post(content, account.id, world.in_seconds(100), 5).await;
    world.told(&delivery, "Everything is prepared").await;
    world.engine.pause_account(&world.caller, account.id).await.unwrap();
    world.planet.turn(100);
    becomes(|| world.delivery(delivery.id).state == State::Ready).await;
    world.planet.turn(3_000);
    world.engine.resume_account(&world.caller, account.id).await.unwrap();
    let delivery = world.until(delivery.id, settled).await;
    assert!(matches!(delivery.state, State::Held { why: Hold::Missed, .. }), "{delivery:?}");
    assert!(world.planet.ledger().is_empty());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_access_holds_and_a_reconnection_releases_what_is_not_too_late() {
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let world = World::new().await;
        world.set_grace(900).await;
        let account = world.connect(platform, handle).await;
        world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
        let missed = world.say("Missed", &account, PlanRequest::Now).await;
        world.until_events(EventKind::AccountNeedsReconnection, 1).await;
        world.until(missed.id, held).await;
        let connection = world.account(&account).connection;
        assert!(matches!(connection, Connection::NeedsReconnection { .. }), "{platform}");
        let late = world.say("Late", &account, world.in_seconds(1_200)).await;
        world.planet.turn(1_300);
        world.until(late.id, held).await;
        let ahead = world.say("Ahead", &account, world.in_seconds(300)).await;
        assert_eq!(world.connect(platform, handle).await.id, account.id);
        world.until(late.id, published).await;
        let missed = world.delivery(missed.id);
        assert!(matches!(missed.state, State::Held { why: Hold::Missed, .. }), "{missed:?}");
        world.planet.turn(300);
        world.until(ahead.id, published).await;
        assert_eq!(world.planet.texts(&account), ["Late", "Ahead"], "{platform}");
        assert_eq!(world.events(EventKind::AccountNeedsReconnection), 1);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deliveries_and_an_expired_token_make_one_refresh() {
    for (platform, handle) in [("bluesky", "alice.test"), ("x", "carol")] {
        let world = World::new().await;
        let account = world.connect(platform, handle).await;
        world.planet.fault(FaultKind::ExpireToken, Operation::Publish, 1);
        let plan = world.in_seconds(30);
        let mut deliveries = Vec::new();
        for n in 0..8 {
            deliveries.push(world.say(&n.to_string(), &account, plan.clone()).await);
        }
        for delivery in &deliveries {
            let delivery = world.until(delivery.id, settled).await;
            assert!(published(&delivery.state) && delivery.failures == 0, "{delivery:?}");
        }
        assert_eq!(world.events(EventKind::TokenRefreshed), 1, "{platform}");
        assert_eq!(world.planet.texts(&account).len(), 8);
        // The next pair works too: the new refresh token was kept, not the old one.
        world.planet.turn(3 * 3_600);
        let next = world.say("Next", &account, PlanRequest::Now).await;
        world.until(next.id, published).await;
        assert_eq!(world.events(EventKind::TokenRefreshed), 2, "{platform}");
        assert_eq!(world.events(EventKind::AccountNeedsReconnection), 0);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_that_reaches_nobody_is_no_revocation() {
    for (platform, handle) in [("bluesky", "alice.test"), ("x", "carol")] {
        let world = World::new().await;
        let account = world.connect(platform, handle).await;
        world.planet.fault(FaultKind::Unavailable, Operation::Token, 3);
        world.planet.turn(3 * 3_600);
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        for refused in 1..=3 {
            world.until_events(EventKind::TokenRefreshFailed, refused).await;
            assert_eq!(world.account(&account).connection, Connection::Connected, "{platform}");
            world.planet.turn(30);
        }
        world.until(delivery.id, published).await;
        assert_eq!(world.events(EventKind::AccountNeedsReconnection), 0);
        assert_eq!(world.planet.texts(&account), ["Hello"]);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_of_an_idle_account_is_kept_alive_even_if_the_platform_is_away_for_an_hour() {
    let world = World::new().await;
    let account = world.connect("bluesky", "alice.test").await;
    world.planet.fault(FaultKind::Unavailable, Operation::Token, 1);
    world.planet.turn(31 * 24 * 3_600);
    world.until_events(EventKind::TokenRefreshFailed, 1).await;
    world.planet.turn(2 * 3_600);
    world.until_events(EventKind::TokenRefreshed, 1).await;
    assert_eq!(world.account(&account).connection, Connection::Connected);
    // A success leaves nothing behind that would renew it every hour.
    world.planet.turn(24 * 3_600);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.until(delivery.id, published).await;
    assert_eq!(world.events(EventKind::TokenRefreshed), 2);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnected_account_has_no_tokens_and_publishes_nothing() {
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let world = World::new().await;
        let account = world.connect(platform, handle).await;
        let ahead = world.say("Ahead", &account, world.in_seconds(600)).await;
        world.engine.pause_account(&world.caller, account.id).await.unwrap();
        let ready = world.say("Ready", &account, PlanRequest::Now).await;
        becomes(|| world.delivery(ready.id).state == State::Ready).await;
        for _ in 0..2 {
            world.engine.disconnect(&world.caller, account.id).await.unwrap();
        }
        assert_eq!(world.events(EventKind::AccountDisconnected), 1);
        world.engine.resume_account(&world.caller, account.id).await.unwrap();
        world.planet.turn(700);
        for delivery in [&ahead, &ready] {
            let delivery = world.until(delivery.id, held).await;
            let State::Held { why, .. } = delivery.state else { panic!("{delivery:?}") };
            assert_eq!(why, Hold::Disconnected, "{platform}");
        }
        let events = world.engine.events(&world.caller, 0, 1_000).unwrap().events;
        let told = events.iter().find(|event| event.kind == EventKind::AccountDisconnected);
        assert!(told.unwrap().text.contains("was revoked"), "{platform}: {told:?}");
        let request = fanfare::engine::facade::NewPost {
            content: crate::world::text_content("x"),
            variants: std::collections::BTreeMap::new(),
            targets: vec![account.id],
            plan: PlanRequest::Now,
            priority: 5,
        };
        let refused = world.engine.create_post(&world.caller, request, None).await.unwrap_err();
        assert_eq!(refused.code, Code::AccountNotConnected);
        assert!(world.planet.ledger().is_empty());
        world.check().await;
    }
}

/// It waits for another attempt when its account is let go.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_delivery_of_a_disconnected_account_is_held() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let limit = Some(Duration::from_secs(600));
    let fault = Fault::new(FaultKind::Throttle, Operation::Publish);
    world.planet.sandbox.inject(Fault { retry_after: limit, ..fault });
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "A limit is reached").await;
    world.engine.disconnect(&world.caller, account.id).await.unwrap();
    world.planet.turn(700);
    let delivery = world.until(delivery.id, held).await;
    assert!(matches!(delivery.state, State::Held { why: Hold::Disconnected, .. }), "{delivery:?}");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn same_profile_connected_twice_is_one_account() {
    let world = World::new().await;
    for (platform, handle) in
        [("mastodon", "alice"), ("gotosocial", "alice"), ("bluesky", "alice.test"), ("x", "carol")]
    {
        let one = world.connect(platform, handle).await;
        let two = world.connect(platform, handle).await;
        assert_eq!(one.id, two.id, "{platform}");
    }
    let page = fanfare::engine::facade::Page::default();
    let accounts = world.engine.accounts(&world.caller, &page).unwrap().items;
    assert_eq!(accounts.len(), 4, "and the same name on two servers is two accounts");
    world.check().await;
}

async fn begin(world: &World, platform: &str) -> String {
    let request = ConnectRequest {
        platform: platform.to_owned(),
        server: String::new(),
        login: String::new(),
        identifier: String::new(),
        password: None,
        reconnect: None,
    };
    match world.engine.connect(&world.caller, request).await.unwrap() {
        Connecting::Visit { url, .. } => url,
        Connecting::Connected { account, .. } => panic!("{account:?} without a visit"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_once_within_ten_minutes_and_only_if_we_began_it() {
    let world = World::new().await;
    let url = begin(&world, "x").await;
    let callback = consent(&url, "carol").await;
    world.engine.connected("x", callback.clone()).await.unwrap();
    let again = world.engine.connected("x", callback).await.unwrap_err();
    assert_eq!(again.code, Code::LoginExpired);

    let late = consent(&begin(&world, "x").await, "carol").await;
    world.planet.turn(601);
    assert_eq!(world.engine.connected("x", late).await.unwrap_err().code, Code::LoginExpired);

    let forged =
        Callback { state: "forged".to_owned(), code: Some("code".to_owned()), error: None };
    assert_eq!(world.engine.connected("x", forged).await.unwrap_err().code, Code::LoginExpired);

    let elsewhere = consent(&begin(&world, "x").await, "carol").await;
    let refused = world.engine.connected("mastodon", elsewhere).await.unwrap_err();
    assert_eq!(refused.code, Code::LoginExpired);

    let url = url::Url::parse(&begin(&world, "x").await).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let denied = Callback { state, code: None, error: Some("access_denied".to_owned()) };
    let refused = world.engine.connected("x", denied).await.unwrap_err();
    assert_eq!(refused.code, Code::LoginDenied);
    let page = fanfare::engine::facade::Page::default();
    assert_eq!(world.engine.accounts(&world.caller, &page).unwrap().items.len(), 1);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reconnecting_as_somebody_else_is_refused() {
    let world = World::new().await;
    let account = world.connect("bluesky", "alice.test").await;
    let request = ConnectRequest {
        platform: "bluesky".to_owned(),
        server: String::new(),
        login: String::new(),
        identifier: "bob.test".to_owned(),
        password: Some(Secret::new(crate::world::PASSWORD)),
        reconnect: Some(account.id),
    };
    let refused = world.engine.connect(&world.caller, request).await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
    assert_eq!(world.account(&account).identity.handle, "alice.test");
    let page = fanfare::engine::facade::Page::default();
    assert_eq!(world.engine.accounts(&world.caller, &page).unwrap().items.len(), 1);
    world.check().await;
}

/// Its first part is being sent when the account is let go; the second is refused.
#[tokio::test(flavor = "multi_thread")]
async fn thread_that_a_disconnection_cuts_short_is_held_with_its_reason() {
    let world = World::new().await;
    let account = world.connect("x", "carol").await;
    answer_late(&world);
    let delivery = thread(&world, &account).await;
    becomes(|| !world.planet.ledger().is_empty()).await;
    world.engine.disconnect(&world.caller, account.id).await.unwrap();
    let delivery = world.until(delivery.id, settled).await;
    assert!(matches!(delivery.state, State::Held { why: Hold::Disconnected, .. }), "{delivery:?}");
    assert_eq!(world.planet.texts(&account), ["one"]);
    world.check().await;
}

/// The person signs in again while a request with the old token is under way.
#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_an_old_token_is_not_held_against_a_new_one() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    answer_late(&world);
    let delivery = thread(&world, &account).await;
    becomes(|| !world.planet.ledger().is_empty()).await;
    world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
    world.connect("mastodon", "alice").await;
    let delivery = world.until(delivery.id, settled).await;
    assert!(matches!(delivery.state, State::Published { .. }), "{delivery:?}");
    assert_eq!(world.account(&account).connection, Connection::Connected);
    assert_eq!(world.events(EventKind::AccountNeedsReconnection), 0);
    assert_eq!(world.planet.texts(&account), ["one", "two"]);
    world.check().await;
}

/// The next part that is published is answered after a second of real time.
fn answer_late(world: &World) {
    let wait = Some(Duration::from_secs(u64::from(SPEED)));
    let fault = Fault::new(FaultKind::AnswerLate, Operation::Publish);
    world.planet.sandbox.inject(Fault { wait, ..fault });
}

async fn thread(world: &World, account: &Account) -> Delivery {
    let parts = vec![part("one", &[]), part("two", &[])];
    let content = Content { parts, ..Content::default() };
    world.post(content, account.id, PlanRequest::Now, 5).await
}
