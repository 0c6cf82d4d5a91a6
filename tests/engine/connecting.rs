//! Signing in where there is something to choose, and access that goes on, ends and is let go.

use std::time::Duration;

use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::{Hold, State},
        event::EventKind,
        ids::AccountId,
        mortality::Mortality,
        post::Content,
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::facade::{Choice, ConnectRequest, Connected, Connecting, Page, PlanRequest},
    sandbox::{Fault, FaultKind, Operation},
    store::{MasterKey, Owner, Store},
};

use crate::world::{World, consent_without, failed, held, part, published};

const DAY: i64 = 24 * 3_600;

/// The address to visit, and what the connection is called.
async fn begin(world: &World, network: &str, reconnect: Option<AccountId>) -> (String, String) {
    let (platform, login) = network.split_once('/').unwrap_or((network, ""));
    let request = ConnectRequest {
        platform: platform.to_owned(),
        server: String::new(),
        login: login.to_owned(),
        identifier: String::new(),
        password: None,
        reconnect,
    };
    match world.engine.connect(&world.caller, request).await.unwrap() {
        Connecting::Visit { url, connection, .. } => (url, connection),
        Connecting::Connected { account, .. } => panic!("{account:?} without a visit"),
    }
}

/// Signs in, and refuses these scopes on the consent page.
async fn sign_in(
    world: &World,
    network: &str,
    handle: &str,
    refused: &[&str],
    reconnect: Option<AccountId>,
) -> Result<Connected, Problem> {
    let (url, _) = begin(world, network, reconnect).await;
    let callback = consent_without(&url, handle, refused).await;
    let platform = network.split('/').next().unwrap();
    world.engine.connected(platform, callback).await
}

async fn choice(world: &World, network: &str, handle: &str) -> Choice {
    match sign_in(world, network, handle, &[], None).await.unwrap() {
        Connected::Choice(choice) => choice,
        Connected::Account(account) => panic!("nothing to choose but {account:?}"),
    }
}

fn accounts(world: &World) -> Vec<Account> {
    world.engine.accounts(&world.caller, &Page::default()).unwrap().items
}

fn id_of<'a>(choice: &'a Choice, handle: &str) -> &'a str {
    let mut targets = choice.targets.iter();
    let target = targets.find(|target| target.identity.handle.trim_start_matches('@') == handle);
    &target.unwrap_or_else(|| panic!("no {handle} in {choice:?}")).identity.remote_id
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_chosen_is_connected_once_and_nothing_else_is() {
    // Who signs in, what may be chosen, and what may not.
    for (network, handle, good, bad) in [
        ("facebook", "alice", ["alice-bakery", "alice-books"], "alice-archive"),
        ("linkedin/organization", "lena", ["lena-works", "lena-studio"], "lena-partners"),
    ] {
        let world = World::new().await;
        let (engine, caller) = (&world.engine, &world.caller);
        let choice = choice(&world, network, handle).await;
        assert_eq!(choice.targets.len(), 3, "{choice:?}");
        let [first, second] = good.map(|handle| id_of(&choice, handle).to_owned());
        let barred = id_of(&choice, bad).to_owned();
        let name = choice.connection.as_str();

        let founded = engine.create_organization(caller, "Other", None).await.unwrap();
        let stranger = engine.authenticate(founded.key.expose()).unwrap();
        assert_eq!(engine.connection(&stranger, name).unwrap_err().code, Code::NotFound);
        let taken = engine.choose(&stranger, name, std::slice::from_ref(&first)).await;
        assert_eq!(taken.unwrap_err().code, Code::NotFound, "{network}");
        for (chosen, place, words) in [
            (vec![], "targets", "Nothing was chosen"),
            (vec![first.clone(), "17".to_owned()], "targets[1]", "none of the targets"),
            (vec![first.clone(), barred.clone()], "targets[1]", "cannot be connected: "),
        ] {
            let refused = engine.choose(caller, name, &chosen).await.unwrap_err();
            assert_eq!((refused.code, refused.place.as_str()), (Code::Invalid, place));
            assert!(refused.sentence.contains(words), "{refused:?}");
        }
        assert!(accounts(&world).is_empty(), "a choice is made as a whole or not at all");

        let one = engine.choose(caller, name, std::slice::from_ref(&first)).await.unwrap();
        let again = engine.choose(caller, name, &[first.clone(), second.clone()]).await.unwrap();
        assert_eq!(one[0].id, again[0].id, "{network}");
        let known = engine.connection(caller, name).unwrap();
        for target in &known.targets {
            let is_barred = target.identity.remote_id == barred;
            assert_eq!(target.account.is_some(), !is_barred, "{network}: {target:?}");
            assert_eq!(target.obstacle.is_some(), is_barred, "{network}: {target:?}");
        }
        assert_eq!(accounts(&world).len(), 2, "{network}");
        for account in &again {
            let delivery = world.say(&account.identity.handle, account, PlanRequest::Now).await;
            world.until(delivery.id, published).await;
            assert_eq!(world.planet.texts(account), [account.identity.handle.as_str()]);
        }
        world.planet.turn(3_601);
        assert_eq!(engine.connection(caller, name).unwrap_err().code, Code::NotFound);
        let late = engine.choose(caller, name, &[first]).await.unwrap_err();
        assert_eq!(late.code, Code::NotFound, "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_is_reconnected_by_whoever_manages_it() {
    for (network, handle) in
        [("facebook", "alice"), ("instagram/facebook", "alice"), ("linkedin/organization", "lena")]
    {
        let world = World::new().await;
        let account = world.connect(network, handle).await;
        let picture = crate::networks::File::Photo.bytes();
        let picture = crate::world::upload(&world.engine, &world.caller, &picture).await;
        world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
        let content = Content { parts: vec![part("Hello", &[picture])], ..Content::default() };
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        world.until(delivery.id, held).await;
        let stranger =
            sign_in(&world, network, "mallory", &[], Some(account.id)).await.unwrap_err();
        assert_eq!(stranger.code, Code::Conflict, "{network}");
        assert!(matches!(world.account(&account).connection, Connection::NeedsReconnection { .. }));
        let back = sign_in(&world, network, handle, &[], Some(account.id)).await.unwrap();
        let Connected::Account(back) = back else { panic!("{network}: {back:?}") };
        assert_eq!((back.id, back.connection), (account.id, Connection::Connected), "{network}");
        world.until(delivery.id, published).await;
        assert_eq!(world.planet.texts(&account), ["Hello"], "{network}");
        assert_eq!(accounts(&world).len(), 1, "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_nothing_is_told_so() {
    let world = World::new().await;
    for network in ["facebook", "instagram/facebook", "linkedin/organization"] {
        let refused = sign_in(&world, network, "nobody", &[], None).await.unwrap_err();
        assert_eq!(refused.code, Code::LoginDenied, "{network}: {refused:?}");
        assert!(refused.sentence.contains("nothing that can be published to"), "{refused:?}");
    }
    assert!(accounts(&world).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_scopes_are_named_and_only_the_needed_ones_end_the_sign_in() {
    for (network, needed, wished) in [
        ("facebook", "pages_manage_posts", "pages_manage_engagement"),
        ("instagram", "instagram_business_content_publish", "instagram_business_manage_comments"),
        ("instagram/facebook", "instagram_content_publish", "instagram_manage_comments"),
    ] {
        let world = World::new().await;
        let refused = sign_in(&world, network, "alice", &[needed, wished], None).await.unwrap_err();
        assert_eq!(refused.code, Code::LoginDenied, "{network}: {refused:?}");
        let is_named = |scope| refused.sentence.contains(scope);
        assert!(is_named(needed) && !is_named(wished), "{network}: {refused:?}");
        assert!(accounts(&world).is_empty(), "{network}");

        let connected = sign_in(&world, network, "alice", &[wished], None).await.unwrap();
        let account = match connected {
            Connected::Account(account) => *account,
            Connected::Choice(choice) => {
                assert_eq!(choice.missing_scopes, [wished], "{network}");
                let usable = choice.targets.iter().find(|target| target.obstacle.is_none());
                let chosen = [usable.unwrap().identity.remote_id.clone()];
                let (engine, caller) = (&world.engine, &world.caller);
                engine.choose(caller, &choice.connection, &chosen).await.unwrap().remove(0)
            }
        };
        assert_eq!(account.missing_scopes, [wished], "{network}");
        // What is missing is missed by the comment alone.
        let picture = crate::networks::File::Photo.bytes();
        let picture = crate::world::upload(&world.engine, &world.caller, &picture).await;
        let parts = vec![part("Look", &[picture]), part("And read", &[])];
        let content = Content { parts, ..Content::default() };
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        let delivery = world.until(delivery.id, crate::world::settled).await;
        assert!(failed(&delivery.state), "{network}: {delivery:?}\n{}", world.story(&delivery));
        assert_eq!(delivery.live.len(), 1, "{network}: {delivery:?}");
        assert_eq!(world.account(&account).connection, Connection::Connected, "{network}");
        let whole = sign_in(&world, network, "alice", &[], Some(account.id)).await.unwrap();
        let Connected::Account(whole) = whole else { panic!("{network}: {whole:?}") };
        assert!(whole.missing_scopes.is_empty(), "{network}: {whole:?}");
        world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
        world.until(delivery.id, published).await;
        assert_eq!(world.planet.texts(&account), ["Look", "And read"], "{network}");
        world.check().await;
    }
}

async fn say(world: &World, account: &Account, text: &str) {
    let content = match account.platform.as_str() {
        "instagram" => {
            let picture = crate::networks::File::Photo.bytes();
            let picture = crate::world::upload(&world.engine, &world.caller, &picture).await;
            Content { parts: vec![part(text, &[picture])], ..Content::default() }
        }
        _ => crate::world::text_content(text),
    };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.until(delivery.id, published).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_tokens_are_made_long_and_long_ones_are_extended_before_they_end() {
    for network in ["instagram", "threads"] {
        let world = World::new().await;
        let account = world.connect(network, "nina").await;
        let lasts = account.token_ends.unwrap().remaining(world.planet.clock.now());
        assert!(lasts > Duration::from_secs(50 * 24 * 3_600), "{network}: {lasts:?}");
        for round in 1..=3 {
            let before = world.account(&account).token_ends;
            world.planet.turn(35 * DAY);
            world.until_events(EventKind::TokenRefreshed, round).await;
            assert!(world.account(&account).token_ends > before, "{network}");
            say(&world, &account, &format!("Round {round}")).await;
        }
        assert_eq!(world.events(EventKind::TokenRefreshFailed), 0, "{network}");
        assert_eq!(world.planet.texts(&account).len(), 3, "{network}");
        world.check().await;
    }
}

/// Nobody could extend it: Fanfare did not run for two months.
#[tokio::test(flavor = "multi_thread")]
async fn token_that_ended_unextended_asks_for_the_person_in_the_platforms_words() {
    for network in ["instagram", "threads"] {
        let world = World::new().await;
        let account = world.connect(network, "nina").await;
        world.planet.turn(61 * DAY);
        world.until_events(EventKind::AccountNeedsReconnection, 1).await;
        let connection = world.account(&account).connection;
        let Connection::NeedsReconnection { reason, .. } = connection else { panic!("{network}") };
        assert!(reason.contains("(190"), "{network}: {reason}");
        assert_eq!(world.connect(network, "nina").await.id, account.id, "{network}");
        say(&world, &account, "Back again").await;
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_pages_do_not_end_and_are_never_refreshed() {
    for network in ["facebook", "instagram/facebook"] {
        let world = World::new().await;
        let account = world.connect(network, "alice").await;
        assert_eq!((account.token_ends, account.refresh_ends), (None, None), "{network}");
        world.planet.turn(100 * DAY);
        say(&world, &account, "Still here").await;
        assert_eq!(world.events(EventKind::TokenRefreshed), 0, "{network}");
        assert_eq!(world.events(EventKind::TokenRefreshFailed), 0, "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_only_the_person_can_renew_is_forecast_and_ends_and_comes_back() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let account = world.connect("linkedin", "lena").await;
    let planned = world.say("After the end", &account, world.in_seconds(61 * 24 * 3_600)).await;
    world.planet.turn(52 * DAY);
    assert_eq!(world.events(EventKind::AccountExpires), 0);
    for (days, told) in [(2, 1), (5, 2)] {
        world.planet.turn(days * DAY);
        world.until_events(EventKind::AccountExpires, told).await;
        assert_eq!(world.account(&account).connection, Connection::Connected);
        assert_eq!(world.events(EventKind::AccountExpires), told);
    }
    world.planet.turn(DAY);
    world.until_events(EventKind::AccountNeedsReconnection, 1).await;
    world.planet.turn(DAY + 60);
    let delivery = world.until(planned.id, held).await;
    assert!(matches!(delivery.state, State::Held { why: Hold::Reconnection, .. }), "{delivery:?}");
    assert_eq!(world.connect("linkedin", "lena").await.id, account.id);
    world.until(planned.id, published).await;
    assert_eq!(world.planet.texts(&account), ["After the end"]);
    assert_eq!(world.events(EventKind::AccountExpires), 2);
    world.check().await;
}

/// An app may lose what lets it renew access, and another person may sign in for the same page.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_sign_in_gave_to_renew_access_with_is_not_kept() {
    let mut world = World::new().await;
    let account = world.connect("linkedin", "lena").await;
    assert!(account.refresh_ends.is_some(), "{account:?}");
    let engine = world.engine.clone();
    engine.kill().await;
    let (memory, key) = (world.planet.memory.clone(), MasterKey::from_bytes([7; 32]));
    let store = Store::in_memory(memory, key, Mortality::default()).unwrap().store;
    let (organization, owner) = (account.organization, Owner::Account(account.id));
    let earlier = Secret::new("somebody else's");
    store
        .commit("earlier", move |view| view.put_secret(organization, &owner, "refresh", &earlier))
        .await
        .unwrap();
    drop(store);
    world.engine = world.planet.engine(Mortality::default()).await;
    let again = world.connect("linkedin", "lena").await;
    assert_eq!(again.id, account.id);
    assert!(again.refresh_ends.is_some(), "the person is not told that access ends: {again:?}");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_named_for_a_platform_that_is_one_place_is_refused() {
    let world = World::new().await;
    for platform in ["facebook", "instagram", "threads", "linkedin", "x"] {
        let request = ConnectRequest {
            platform: platform.to_owned(),
            server: "example.org".to_owned(),
            login: String::new(),
            identifier: String::new(),
            password: None,
            reconnect: None,
        };
        let refused = world.engine.connect(&world.caller, request).await.unwrap_err();
        assert_eq!(refused.code, Code::Invalid, "{platform}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_of_an_organization_is_renewed_without_the_person() {
    let world = World::new().await;
    let account = world.connect("linkedin/organization", "lena").await;
    world.planet.turn(61 * DAY);
    say(&world, &account, "Two months later").await;
    assert!(world.events(EventKind::TokenRefreshed) >= 1);
    assert_eq!(world.events(EventKind::AccountExpires), 0);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letting_an_account_go_says_whether_its_access_was_withdrawn() {
    let world = World::new().await;
    for (network, words) in [
        ("facebook", "Facebook has no way to withdraw access to one account alone"),
        ("instagram", "Instagram has no way to withdraw access to one account alone"),
        ("instagram/facebook", "Instagram has no way to withdraw access to one account alone"),
        ("threads", "Threads has no way to withdraw access to one account alone"),
        ("linkedin", "our access was revoked"),
        ("linkedin/organization", "LinkedIn has no way to withdraw access to one account alone"),
        ("x", "our access was revoked"),
    ] {
        let account = world.connect(network, "robin").await;
        let gone = world.engine.disconnect(&world.caller, account.id).await.unwrap();
        assert!(matches!(gone.connection, Connection::Disconnected { .. }), "{network}");
        let events = world.engine.events(&world.caller, 0, 1_000).unwrap().events;
        let told = events.iter().rfind(|event| event.kind == EventKind::AccountDisconnected);
        assert!(told.unwrap().text.contains(words), "{network}: {told:?}");
    }
    let account = world.connect("linkedin", "lena").await;
    world.planet.sandbox.inject(Fault::new(FaultKind::DropAnswer, Operation::Token));
    world.engine.disconnect(&world.caller, account.id).await.unwrap();
    let events = world.engine.events(&world.caller, 0, 1_000).unwrap().events;
    let told = events.last().unwrap();
    assert!(told.text.contains("did not confirm the revocation"), "{told:?}");
    world.check().await;
}
