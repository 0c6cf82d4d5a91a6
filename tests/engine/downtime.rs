//! Time that passes without us, clocks that are set, and work that is done ahead.

use std::time::Duration;

use fanfare::{
    domain::{
        account::Connection,
        delivery::{Hold, State},
        event::EventKind,
        mortality::Mortality,
        post::Content,
    },
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};

use crate::world::{World, held, part, png, published, settled, upload};

#[tokio::test(flavor = "multi_thread")]
async fn what_came_due_while_nobody_was_there_goes_out_within_the_grace_and_is_missed_beyond() {
    let mut world = World::new().await;
    world.set_grace(900).await;
    let account = world.connect("mastodon", "alice").await;
    let missed = world.say("Missed", &account, world.in_seconds(200)).await;
    let late = world.say("Late", &account, world.in_seconds(1_000)).await;
    let later = world.say("Later", &account, world.in_seconds(1_100)).await;
    world.engine.stop(Duration::from_secs(5)).await;
    world.planet.turn(1_200);
    world.engine = world.planet.engine(Mortality::default()).await;
    world.until(later.id, published).await;
    world.until(late.id, published).await;
    let missed = world.until(missed.id, settled).await;
    assert!(matches!(missed.state, State::Held { why: Hold::Missed, .. }), "{missed:?}");
    assert_eq!(world.planet.texts(&account), ["Late", "Later"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_but_not_begun_when_the_process_ended_is_missed_beyond_the_grace() {
    let mut world = World::new().await;
    world.set_grace(900).await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::Hang, Operation::Publish, 1);
    let first = world.say("First", &account, PlanRequest::Now).await;
    world.told(&first, "Attempt 1 began").await;
    let second = world.say("Second", &account, PlanRequest::Now).await;
    world.engine.clone().kill().await;
    world.planet.turn(7_200);
    world.engine = world.planet.engine(Mortality::default()).await;
    // It may be there: it is looked for, however late, and then it is too late to send it.
    for delivery in [&first, &second] {
        let delivery = world.until(delivery.id, held).await;
        assert!(matches!(delivery.state, State::Held { why: Hold::Missed, .. }), "{delivery:?}");
    }
    assert!(world.planet.ledger().is_empty());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_that_is_set_fires_nothing_early_and_nothing_twice() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let done = world.say("Done", &account, world.in_seconds(60)).await;
    world.planet.turn(90);
    world.until(done.id, published).await;
    // Its time comes once more.
    world.planet.turn(-600);
    let soon = world.say("Soon", &account, world.in_seconds(20)).await;
    world.until(soon.id, published).await;
    let ahead = world.say("Ahead", &account, world.in_seconds(700)).await;
    world.planet.turn(600);
    let next = world.say("Next", &account, world.in_seconds(20)).await;
    world.until(next.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Done", "Soon", "Next"]);
    world.planet.turn(100);
    world.until(ahead.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Done", "Soon", "Next", "Ahead"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_that_is_set_back_while_a_post_is_being_prepared_lets_nothing_out_early() {
    let world = World::new().await;
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let account = world.connect(platform, handle).await;
        let picture = upload(&world.engine, &world.caller, &png(1)).await;
        let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
        let delivery = world.post(content, account.id, world.in_seconds(110), 5).await;
        world.told(&delivery, "Everything is prepared").await;
        world.planet.turn(-300);
        world.planet.turn(410);
        let delivery = world.until(delivery.id, published).await;
        let entry = world.planet.ledger().pop().unwrap();
        assert!(entry.at >= delivery.due, "{platform}");
        assert_eq!(world.planet.texts(&account), ["Look"], "{platform}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_uploaded_ahead_and_only_the_last_call_waits_for_its_time() {
    let mut world = World::new().await;
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let account = world.connect(platform, handle).await;
        let picture = upload(&world.engine, &world.caller, &png(1)).await;
        let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
        let delivery = world.post(content, account.id, world.in_seconds(100), 5).await;
        world.told(&delivery, "Everything is prepared").await;
        assert_eq!(world.delivery(delivery.id).state, State::Planned);
        // No upload works any more, and none is needed, even after a crash.
        world.planet.fault(FaultKind::Refuse, Operation::Upload, 1_000);
        world.engine.clone().kill().await;
        world.engine = world.planet.engine(Mortality::default()).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{delivery:?}");
        let entry = world.planet.ledger().pop().unwrap();
        assert!(entry.at >= delivery.due && entry.media.len() == 1, "{platform}");
        assert_eq!(delivery.failures, 0);
        clear_faults(&world).await;
    }
    world.check().await;
}

async fn clear_faults(world: &World) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/_sandbox/faults", world.planet.origin);
    assert!(client.delete(url).send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_in_the_middle_of_an_upload_ahead_of_time_is_made_good() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    world.planet.fault(FaultKind::Hang, Operation::Upload, 1);
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let delivery = world.post(content, account.id, world.in_seconds(100), 5).await;
    let staging = async {
        while world.delivery(delivery.id).state != State::Staging {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), staging).await.unwrap();
    world.engine.clone().kill().await;
    world.engine = world.planet.engine(Mortality::default()).await;
    let delivery = world.until(delivery.id, published).await;
    assert!(world.planet.ledger()[0].at >= delivery.due);
    assert_eq!(world.planet.texts(&account), ["Look"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_at_its_deadline_and_the_next_start_takes_up_what_was_left() {
    let mut world = World::tuned(|settings| settings.net.timeout = Duration::from_secs(30)).await;
    let places = [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")];
    let mut deliveries = Vec::new();
    for (platform, handle) in places {
        let account = world.connect(platform, handle).await;
        let late = Fault::new(FaultKind::AnswerLate, Operation::Publish);
        let wait = Some(Duration::from_secs(3_600));
        world.planet.sandbox.inject(Fault { wait, ..late });
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        world.told(&delivery, "Attempt 1 began").await;
        deliveries.push((account, delivery));
    }
    while world.planet.ledger().len() < places.len() {
        tokio::task::yield_now().await;
    }
    let stopwatch = std::time::Instant::now();
    world.engine.stop(Duration::from_millis(300)).await;
    assert!(stopwatch.elapsed() < Duration::from_secs(3), "{:?}", stopwatch.elapsed());
    let refused = world.engine.create_post(
        &world.caller,
        fanfare::engine::facade::NewPost {
            content: crate::world::text_content("x"),
            variants: std::collections::BTreeMap::new(),
            targets: vec![deliveries[0].0.id],
            plan: PlanRequest::Now,
            priority: 5,
        },
        None,
    );
    assert_eq!(refused.await.unwrap_err().code, fanfare::domain::problem::Code::Stopping);
    world.engine = world.planet.engine(Mortality::default()).await;
    for (account, delivery) in deliveries {
        world.until(delivery.id, published).await;
        assert_eq!(world.planet.texts(&account), ["Hello"], "{}", account.platform);
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_waits_for_what_is_under_way() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::AnswerLate, Operation::Publish, 1);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "Attempt 1 began").await;
    world.engine.stop(Duration::from_secs(10)).await;
    assert!(published(&world.delivery(delivery.id).state));
}

#[tokio::test(flavor = "multi_thread")]
async fn account_that_rests_is_woken_by_its_next_delivery() {
    let world = World::tuned(|settings| settings.rest_after = Duration::from_millis(400)).await;
    let account = world.connect("mastodon", "alice").await;
    let mut texts = Vec::new();
    // Again and again at about the moment at which it goes to rest.
    for n in 0..60 {
        let delivery = world.say(&n.to_string(), &account, PlanRequest::Now).await;
        world.until(delivery.id, published).await;
        texts.push(n.to_string());
        if n % 3 == 0 {
            while world.engine.awake().await > 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    assert_eq!(world.planet.texts(&account), texts);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_whose_actor_fails_again_and_again_is_set_aside_alone() {
    use fanfare::{
        domain::account::Account,
        store::{Key, MasterKey, Store},
    };
    let mut world = World::new().await;
    let broken = world.connect("mastodon", "alice").await;
    let neighbour = world.connect("bluesky", "alice.test").await;
    let post = world.plan("Hello", &[broken.id, neighbour.id], world.in_seconds(60)).await;
    let of = |account: &Account| {
        post.deliveries.iter().find(|delivery| delivery.account == account.id).unwrap().id
    };
    // A sealed token that cannot be opened fails whoever loads it.
    world.engine.clone().kill().await;
    let opened = Store::in_memory(
        world.planet.memory.clone(),
        MasterKey::from_bytes([7; 32]),
        Mortality::default(),
    );
    let store = opened.unwrap().store;
    let key = Key::Secret {
        organization: broken.organization,
        owner: fanfare::store::Owner::Account(broken.id),
        field: "access".to_owned(),
    };
    store.commit("spoil", move |view| view.put(&key, vec![1, 2, 3])).await.unwrap();
    drop(store);
    world.engine = world.planet.engine(Mortality::default()).await;
    world.until(of(&neighbour), published).await;
    world.until_events(EventKind::AccountNeedsAttention, 1).await;
    assert!(matches!(world.account(&broken).connection, Connection::NeedsAttention { .. }));
    world.until(of(&broken), held).await;
    let next = world.say("Next", &neighbour, PlanRequest::Now).await;
    world.until(next.id, published).await;
    // Signing in anew mends it, and what was held goes out.
    world.connect("mastodon", "alice").await;
    world.until(of(&broken), published).await;
    let next = world.say("Next", &broken, PlanRequest::Now).await;
    world.until(next.id, published).await;
    assert_eq!(world.planet.texts(&broken), ["Hello", "Next"]);
    world.check().await;
}

/// One was being prepared when the process died, one is late by more than people notice, and one is
/// due just now.
#[tokio::test(flavor = "multi_thread")]
async fn order_holds_among_what_came_due_while_nobody_was_there() {
    let mut world = World::new().await;
    let account = world.connect("x", "carol").await;
    let fault = Fault::new(FaultKind::AnswerLate, Operation::Upload);
    let wait = Some(Duration::from_secs(100));
    world.planet.sandbox.inject(Fault { wait, ..fault });
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("prepared", &[picture])], ..Content::default() };
    let mut deliveries = vec![world.say("late", &account, world.in_seconds(100)).await];
    deliveries.push(world.post(content, account.id, world.in_seconds(110), 5).await);
    deliveries.push(world.say("now", &account, world.in_seconds(160)).await);
    world.until(deliveries[1].id, |state| *state == State::Staging).await;
    world.engine.kill().await;
    world.planet.turn(160);
    world.engine = world.planet.engine(Mortality::default()).await;
    for delivery in &deliveries {
        world.until(delivery.id, published).await;
    }
    assert_eq!(world.planet.texts(&account), ["late", "prepared", "now"]);
    world.check().await;
}

/// What is late waits for what is due now, but not where it is of the same account.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_due_first_on_an_account_goes_first_when_the_next_comes_due_at_a_start() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let mut deliveries = Vec::new();
    for (text, seconds) in [("first", 60), ("second", 100)] {
        let parts = vec![part(text, &[picture])];
        let content = Content { parts, options: std::collections::BTreeMap::new() };
        let plan = world.in_seconds(seconds);
        let delivery = world.post(content, account.id, plan, 5).await;
        // Its picture is up, and its timer is at its time.
        world.told(&delivery, "Everything is prepared").await;
        deliveries.push(delivery);
    }
    world.engine.stop(Duration::from_secs(5)).await;
    world.planet.turn(100);
    world.engine = world.planet.engine(Mortality::default()).await;
    for delivery in deliveries {
        world.until(delivery.id, published).await;
    }
    assert_eq!(world.planet.texts(&account), ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_being_prepared_when_the_process_died_overtakes_nothing_that_was_due_before_it() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let mortality = Mortality::mortal();
    mortality.die_before_send(1);
    world.restart(mortality).await;
    let first = world.say("first", &account, world.in_seconds(60)).await;
    let parts = vec![part("second", &[picture])];
    let content = Content { parts, options: std::collections::BTreeMap::new() };
    let second = world.post(content, account.id, world.in_seconds(61), 5).await;
    world.engine.stopped().await;
    world.engine.clone().kill().await;
    world.planet.turn(70);
    world.engine = world.planet.engine(Mortality::default()).await;
    for delivery in [first, second] {
        world.until(delivery.id, published).await;
    }
    assert_eq!(world.planet.texts(&account), ["first", "second"]);
}
