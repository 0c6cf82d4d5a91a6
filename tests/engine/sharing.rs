//! Channels of one workspace live by one grant of Slack's: it is renewed once for all of them, and
//! what is said of an old token is not held against a new one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::Delivery,
        event::EventKind,
        mortality::Mortality,
        secret::Secret,
    },
    engine::{
        AppCredentials, Engine, Settings,
        facade::{Caller, Choice, ConnectRequest, Connected, Connecting, PlanRequest},
    },
    sandbox::{Fault, FaultKind, Operation, Wiring},
};

use crate::world::{Planet, World, consent, found, held, published, settled, text_content};

const HOUR: i64 = 3_600;

/// Slack takes an app that is named so for one with token rotation.
pub(crate) fn rotating(settings: &mut Settings) {
    let client_secret = Some(Secret::new(Wiring::SECRET));
    let client_id = "fanfare-rotating".to_owned();
    settings.apps.insert("slack".to_owned(), AppCredentials { client_id, client_secret });
}

/// Also counts how often a token was asked for.
async fn planet() -> (Planet, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let planet = Planet::watched(rotating, move |platforms, _| {
        let counting = axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                if request.uri().path().ends_with("/oauth.v2.access") {
                    count.fetch_add(1, SeqCst);
                }
                next.run(request)
            },
        );
        platforms.layer(counting)
    })
    .await;
    (planet, asked)
}

async fn world() -> (World, Arc<AtomicU64>) {
    let (planet, asked) = planet().await;
    let engine = planet.engine(Mortality::default()).await;
    let caller = found(&engine).await;
    (World { planet, engine, caller }, asked)
}

/// Signed in to a workspace, where nothing is chosen yet.
async fn offered(engine: &Engine, caller: &Caller) -> Choice {
    let request = ConnectRequest {
        platform: "slack".to_owned(),
        server: String::new(),
        login: "app".to_owned(),
        identifier: String::new(),
        password: None,
        reconnect: None,
    };
    let url = match engine.connect(caller, request).await.unwrap() {
        Connecting::Visit { url, .. } => url,
        Connecting::Connected { account, .. } => panic!("{account:?} without a visit"),
    };
    let callback = consent(&url, "acme").await;
    match engine.connected("slack", callback).await.unwrap() {
        Connected::Choice(choice) => choice,
        Connected::Account(account) => panic!("nothing to choose but {account:?}"),
    }
}

fn named(choice: &Choice, name: &str) -> String {
    let mut all = choice.targets.iter();
    all.find(|target| target.identity.handle == name).unwrap().identity.remote_id.clone()
}

/// Two channels of a workspace, by one sign-in.
async fn channels(engine: &Engine, caller: &Caller) -> [Account; 2] {
    let choice = offered(engine, caller).await;
    let chosen = ["#news", "#shop"].map(|name| named(&choice, name));
    let connected = engine.choose(caller, &choice.connection, &chosen).await.unwrap();
    connected.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_offers_the_channels_that_its_bot_may_write_in() {
    let (world, _) = world().await;
    let choice = offered(&world.engine, &world.caller).await;
    let shown = choice.targets.iter().map(|target| {
        (target.identity.handle.as_str(), target.obstacle.as_deref().unwrap_or_default())
    });
    let wanted = [
        ("#news", ""),
        ("#shop", ""),
        // A bot that may write in public channels needs not be a member.
        ("#lounge", ""),
        ("#board", ""),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), wanted);
    let chosen = wanted.map(|(name, _)| named(&choice, name));
    let accounts = world.engine.choose(&world.caller, &choice.connection, &chosen).await.unwrap();
    assert!(accounts.iter().all(|account| account.token_ends.is_some()));
    for account in &accounts {
        let delivery = world.say("Hello", account, PlanRequest::Now).await;
        world.until(delivery.id, published).await;
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_share_a_grant_are_renewed_together_and_once() {
    let (world, asked) = world().await;
    let accounts = channels(&world.engine, &world.caller).await;
    assert_eq!(asked.load(SeqCst), 1);
    for round in 1..=3_u64 {
        world.planet.turn(13 * HOUR);
        let mut deliveries: Vec<Delivery> = Vec::new();
        for account in &accounts {
            let plan = world.in_seconds(5);
            deliveries.push(world.say(&format!("Round {round}"), account, plan).await);
        }
        for delivery in &deliveries {
            let delivery = world.until(delivery.id, settled).await;
            assert!(published(&delivery.state), "{delivery:?}\n{}", world.story(&delivery));
        }
        assert_eq!(asked.load(SeqCst), 1 + round);
        let [one, other] = accounts.each_ref().map(|account| world.account(account).token_ends);
        assert_eq!(one, other);
    }
    assert_eq!(world.events(EventKind::TokenRefreshed), 6);
    assert_eq!(world.events(EventKind::AccountNeedsReconnection), 0);
    world.check().await;
}

/// The platform ends the token of both before its time, while both publish.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_to_both_is_renewed_once() {
    let (world, asked) = world().await;
    let accounts = channels(&world.engine, &world.caller).await;
    world.planet.fault(FaultKind::ExpireToken, Operation::Publish, 1);
    let mut deliveries = Vec::new();
    for account in &accounts {
        deliveries.push(world.say("Hello", account, world.in_seconds(20)).await);
    }
    for delivery in deliveries {
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{}", world.story(&delivery));
    }
    assert_eq!(asked.load(SeqCst), 2);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_over_is_over_for_all_who_share_it_and_each_is_told() {
    let (world, asked) = world().await;
    let accounts = channels(&world.engine, &world.caller).await;
    let waits = world.say("Waits", &accounts[1], world.in_seconds(3_000)).await;
    world.planet.fault(FaultKind::RevokeToken, Operation::Token, 1);
    world.planet.turn(13 * HOUR);
    let first = world.say("First", &accounts[0], PlanRequest::Now).await;
    world.until(first.id, held).await;
    world.until(waits.id, held).await;
    world.until_events(EventKind::AccountNeedsReconnection, 2).await;
    for account in &accounts {
        let connection = world.account(account).connection;
        assert!(matches!(connection, Connection::NeedsReconnection { .. }), "{connection:?}");
    }
    assert_eq!(asked.load(SeqCst), 2);
    assert!(world.planet.ledger().is_empty());
    world.check().await;
    // Signing in once more brings both back.
    channels(&world.engine, &world.caller).await;
    let again = world.say("Again", &accounts[1], PlanRequest::Now).await;
    world.until(again.id, published).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_let_go_keeps_nothing_and_the_other_goes_on() {
    let (world, _) = world().await;
    let accounts = channels(&world.engine, &world.caller).await;
    world.engine.disconnect(&world.caller, accounts[0].id).await.unwrap();
    world.planet.turn(13 * HOUR);
    let delivery = world.say("Alone", &accounts[1], PlanRequest::Now).await;
    world.until(delivery.id, published).await;
    let connection = world.account(&accounts[0]).connection;
    assert!(matches!(connection, Connection::Disconnected { .. }), "{connection:?}");
    assert_eq!(world.events(EventKind::TokenRefreshed), 1);
    world.check().await;
}

/// The platform has ended the old refresh token for both, and only the answer is missing when the
/// account that asked is let go.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_serves_the_others_though_its_own_account_is_let_go_meanwhile() {
    let (world, asked) = world().await;
    let accounts = channels(&world.engine, &world.caller).await;
    world.planet.turn(13 * HOUR);
    // Four seconds of the world's are a tenth of one here.
    let late = Fault::new(FaultKind::AnswerLate, Operation::Token);
    world.planet.sandbox.inject(Fault { wait: Some(Duration::from_secs(4)), ..late });
    world.say("Hardly", &accounts[0], PlanRequest::Now).await;
    while asked.load(SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.engine.disconnect(&world.caller, accounts[0].id).await.unwrap();
    let delivery = world.say("Still here", &accounts[1], PlanRequest::Now).await;
    world.until(delivery.id, published).await;
    assert_eq!(world.events(EventKind::AccountNeedsReconnection), 0);
    let connection = world.account(&accounts[0]).connection;
    assert!(matches!(connection, Connection::Disconnected { .. }), "{connection:?}");
    assert_eq!(asked.load(SeqCst), 2);
    world.check().await;
}

/// Killed before and after each send and before each commit of a renewal: either both accounts go
/// on, or both persons are told; nobody is left with a token that works for one alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_during_a_renewal_leaves_both_accounts_alike_and_nobody_untold() {
    #[derive(Clone, Copy, Debug)]
    enum Death {
        BeforeCommit(u64),
        BeforeSend(u64),
        AfterSend(u64),
    }
    let points = (1..=12_u64).map(Death::BeforeCommit);
    let points = points.chain((1..=4).flat_map(|n| [Death::BeforeSend(n), Death::AfterSend(n)]));
    let (mut died, mut lost, mut went_on) = (0, 0, 0);
    for death in points {
        let (planet, asked) = planet().await;
        let engine = planet.engine(Mortality::default()).await;
        let caller = found(&engine).await;
        let accounts = channels(&engine, &caller).await;
        engine.kill().await;
        planet.turn(13 * HOUR);
        let mortality = Mortality::mortal();
        match death {
            Death::BeforeCommit(n) => mortality.die_at_commit(n),
            Death::BeforeSend(n) => mortality.die_before_send(n),
            Death::AfterSend(n) => mortality.die_at_send(n),
        }
        if let Ok(engine) = planet.try_engine(mortality.clone()).await {
            for account in &accounts {
                let post = fanfare::engine::facade::NewPost {
                    content: text_content("Hello"),
                    variants: std::collections::BTreeMap::new(),
                    targets: vec![account.id],
                    plan: PlanRequest::Now,
                    priority: 5,
                };
                let _ = engine.create_post(&caller, post, None).await;
            }
            let _ = tokio::time::timeout(Duration::from_secs(3), engine.stopped()).await;
            engine.kill().await;
        }
        died += u64::from(mortality.is_dead());
        let engine = planet.engine(Mortality::default()).await;
        let world = World { planet, engine, caller };
        for account in &accounts {
            let delivery = world.say("After", account, PlanRequest::Now).await;
            world.until(delivery.id, settled).await;
        }
        let states = accounts.each_ref().map(|account| world.account(account).connection);
        match states.each_ref() {
            [Connection::Connected, Connection::Connected] => {
                went_on += 1;
                for account in &accounts {
                    let texts = world.planet.texts(account);
                    assert_eq!(texts.iter().filter(|it| *it == "After").count(), 1, "{death:?}");
                }
            }
            [Connection::NeedsReconnection { .. }, Connection::NeedsReconnection { .. }] => {
                lost += 1;
                assert_eq!(world.events(EventKind::AccountNeedsReconnection), 2, "{death:?}");
                // The one that signed in, the one whose answer was lost, and the one that told.
                assert_eq!(asked.load(SeqCst), 3, "{death:?}");
            }
            _ => panic!("{death:?}: {states:?}"),
        }
        world.check().await;
    }
    println!("a renewal: {died} deaths, {lost} asked for the person, {went_on} went on");
    assert!(died >= 10 && lost >= 1 && went_on >= 10, "{died} {lost} {went_on}");
}

/// The person has agreed and only has to choose, and does so in the moment in which the old token
/// turns out to be withdrawn. Which comes first is left to chance, many times.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_of_an_old_token_does_not_undo_a_new_sign_in() {
    let (world, _) = world().await;
    let mut account = channels(&world.engine, &world.caller).await[0].clone();
    let refused = || world.events(EventKind::AccountNeedsReconnection);
    for round in 1..=25 {
        let choice = offered(&world.engine, &world.caller).await;
        world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
        let delivery = world.say(&format!("{round}"), &account, PlanRequest::Now).await;
        let mut changed = world.engine.changed();
        while refused() < round {
            changed.changed().await.unwrap();
        }
        let chosen = [account.identity.remote_id.clone()];
        let connected = world.engine.choose(&world.caller, &choice.connection, &chosen).await;
        account = connected.unwrap().remove(0);
        let delivery = world.until(delivery.id, published).await;
        assert_eq!(world.account(&account).connection, Connection::Connected, "{delivery:?}");
        assert_eq!(refused(), round);
    }
    assert_eq!(world.planet.texts(&account).len(), 25);
    world.check().await;
}
