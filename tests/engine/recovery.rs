//! Requests whose answer never came: found out about, never guessed.

use std::time::Duration;

use fanfare::{
    domain::{
        account::Account,
        delivery::{Delivery, Hold, State},
        mortality::Mortality,
        post::Content,
    },
    engine::facade::{PlanRequest, Resolution},
    sandbox::{Fault, FaultKind, Operation},
    store::{Key, MasterKey, Read, Store},
};

use crate::world::{World, failed, held, in_doubt, part, published, settled, waiting};

const PLACES: &[(&str, &str)] =
    &[("mastodon", "alice"), ("bluesky", "alice.test"), ("gotosocial", "bob"), ("x", "carol")];

#[tokio::test(flavor = "multi_thread")]
async fn dropped_answer_ends_published_once_by_key_by_probe_and_by_listing() {
    let world = World::new().await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, PLACES.len() as u64);
    let mut deliveries = Vec::new();
    for (platform, handle) in PLACES {
        let account = world.connect(platform, handle).await;
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        deliveries.push((account, delivery));
    }
    for (account, delivery) in deliveries {
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{delivery:?}");
        assert_eq!(delivery.live.len(), 1, "{}", account.platform);
        assert_eq!(world.planet.texts(&account), ["Hello"], "{}", account.platform);
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_hangs_and_did_nothing_is_published_once() {
    let world = World::tuned(|settings| settings.net.timeout = Duration::from_secs(1)).await;
    world.planet.fault(FaultKind::Hang, Operation::Publish, PLACES.len() as u64);
    let mut deliveries = Vec::new();
    for (platform, handle) in PLACES {
        let account = world.connect(platform, handle).await;
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        deliveries.push((account, delivery));
    }
    for (account, delivery) in deliveries {
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{delivery:?}");
        assert_eq!(world.planet.texts(&account), ["Hello"], "{}", account.platform);
    }
    world.check().await;
}

/// A key is recognised for an hour; this limit ends later.
#[tokio::test(flavor = "multi_thread")]
async fn repetition_that_is_throttled_beyond_the_life_of_its_key_is_not_a_second_post() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    let limit = Some(Duration::from_secs(3 * 3_600));
    let throttle = Fault::new(FaultKind::Throttle, Operation::Publish);
    world.planet.sandbox.inject(Fault { retry_after: limit, ..throttle });
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "A limit is reached").await;
    assert!(world.delivery(delivery.id).armed.is_some(), "the first request is still unanswered");
    world.planet.turn(3 * 3_600);
    world.until(delivery.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repetition_by_hand_during_a_limit_still_looks_first() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    let limit = Some(Duration::from_secs(3 * 3_600));
    let throttle = Fault::new(FaultKind::Throttle, Operation::Publish);
    world.planet.sandbox.inject(Fault { retry_after: limit, ..throttle });
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "A limit is reached").await;
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    assert!(world.engine.cancel_delivery(&world.caller, delivery.id).await.is_err());
    world.planet.turn(3 * 3_600);
    world.until(delivery.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
}

/// Its platform knows the request by its time, so a repetition must not have another.
#[tokio::test(flavor = "multi_thread")]
async fn unanswered_post_that_is_held_and_sent_again_by_hand_is_recognised() {
    let world = World::new().await;
    let account = world.connect("bluesky", "alice.test").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    world.planet.fault(FaultKind::Unavailable, Operation::Read, 1);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "Could not look").await;
    // Nobody can look without a new token, and there is none.
    world.planet.fault(FaultKind::RevokeToken, Operation::Token, 1);
    world.planet.turn(3 * 3_600);
    let delivery = world.until(delivery.id, held).await;
    assert!(delivery.armed.is_some());
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    world.connect("bluesky", "alice.test").await;
    world.until(delivery.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repetition_that_is_refused_is_a_persons_to_decide() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    world.planet.fault(FaultKind::Refuse, Operation::Publish, 1);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    let delivery = world.until(delivery.id, settled).await;
    assert!(in_doubt(&delivery.state), "{delivery:?}");
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

/// The answer is dropped, and then nobody can be asked for more than an hour.
async fn doubtful(world: &World) -> (Account, Delivery) {
    let account = world.connect("bluesky", "alice.test").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    world.planet.fault(FaultKind::Unavailable, Operation::Read, 2);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "Could not look").await;
    world.planet.turn(3_700);
    let delivery = world.until(delivery.id, in_doubt).await;
    let State::InDoubt { doubt, .. } = &delivery.state else { panic!("{delivery:?}") };
    assert!(doubt.evidence.contains("could not be asked"), "{}", doubt.evidence);
    assert!(delivery.timer.is_none() && delivery.armed.is_some());
    (account, delivery)
}

#[tokio::test(flavor = "multi_thread")]
async fn person_says_that_it_is_live() {
    let world = World::new().await;
    let (account, delivery) = doubtful(&world).await;
    assert!(world.engine.cancel_delivery(&world.caller, delivery.id).await.is_err());
    assert!(world.engine.retry_delivery(&world.caller, delivery.id).await.is_err());
    let url = "https://example.org/1".to_owned();
    let resolution = Resolution::Live { url: url.clone() };
    let ended = world.engine.resolve_delivery(&world.caller, delivery.id, resolution).await;
    let ended = ended.unwrap();
    assert!(published(&ended.state) && ended.live[0].url == url);
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    let again = world.engine.resolve_delivery(&world.caller, delivery.id, Resolution::NotLive);
    assert!(again.await.is_err());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn person_says_that_it_is_not_live_and_is_wrong() {
    let world = World::new().await;
    let (account, delivery) = doubtful(&world).await;
    let resolve = world.engine.resolve_delivery(&world.caller, delivery.id, Resolution::NotLive);
    resolve.await.unwrap();
    // Its record key names one record, so even this does no harm.
    world.until(delivery.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vouched_middle_of_a_thread_is_neither_the_whole_nor_sent_again() {
    let world = World::new().await;
    let account = world.connect("bluesky", "alice.test").await;
    // The first part passes, the answer to the second is dropped.
    let mut fault = Fault::new(FaultKind::DropAnswer, Operation::Publish);
    fault.after = 1;
    world.planet.sandbox.inject(fault);
    world.planet.fault(FaultKind::Unavailable, Operation::Read, 2);
    let thread = Content {
        parts: vec![part("one", &[]), part("two", &[]), part("three", &[])],
        ..Content::default()
    };
    let delivery = world.post(thread, account.id, PlanRequest::Now, 5).await;
    world.told(&delivery, "Could not look").await;
    world.planet.turn(3_700);
    world.until(delivery.id, in_doubt).await;
    let resolution = Resolution::Live { url: "https://example.org/2".to_owned() };
    let resolve = world.engine.resolve_delivery(&world.caller, delivery.id, resolution);
    let ended = resolve.await.unwrap();
    assert!(failed(&ended.state) && ended.live.len() == 2, "{ended:?}");
    assert!(world.engine.retry_delivery(&world.caller, delivery.id).await.is_err());
    assert_eq!(world.planet.texts(&account), ["one", "two"]);
    // What has no id here cannot be taken down from here, and that is said.
    let removed = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    assert_eq!(removed.live.len(), 1, "{removed:?}");
    assert!(world.story(&removed).contains("but for 1 of it"), "{}", world.story(&removed));
    let refused = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap_err();
    assert!(refused.remedy.contains("https://example.org/2"), "{refused:?}");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn person_leaves_it_as_it_is() {
    let world = World::new().await;
    let (account, delivery) = doubtful(&world).await;
    let resolve = world.engine.resolve_delivery(&world.caller, delivery.id, Resolution::Abandon);
    assert!(failed(&resolve.await.unwrap().state));
    assert!(world.engine.retry_delivery(&world.caller, delivery.id).await.is_err());
    let next = world.say("Next", &account, PlanRequest::Now).await;
    world.until(next.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello", "Next"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_after_an_unanswered_post_waits_until_it_is_found_out() {
    let world = World::new().await;
    let account = world.connect("gotosocial", "bob").await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    world.planet.fault(FaultKind::Unavailable, Operation::Read, 2);
    let first = world.say("First", &account, PlanRequest::Now).await;
    world.until(first.id, waiting).await;
    let second = world.say("Second", &account, PlanRequest::Now).await;
    world.until(second.id, published).await;
    assert!(published(&world.delivery(first.id).state));
    assert_eq!(world.planet.texts(&account), ["First", "Second"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absence_that_is_found_out_after_the_grace_is_missed() {
    let world = World::new().await;
    world.set_grace(600).await;
    let account = world.connect("bluesky", "alice.test").await;
    world.planet.fault(FaultKind::Unavailable, Operation::Publish, 1);
    world.planet.fault(FaultKind::Unavailable, Operation::Read, 1);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.told(&delivery, "Could not look").await;
    world.planet.turn(1_200);
    let delivery = world.until(delivery.id, settled).await;
    assert!(matches!(delivery.state, State::Held { why: Hold::Missed, .. }), "{delivery:?}");
    assert!(world.planet.ledger().is_empty());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_that_runs_each_time_the_process_dies_is_set_aside() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::Hang, Operation::Publish, 9);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    let doomed = |state: &State| *state == State::Running || in_doubt(state);
    while !in_doubt(&world.until(delivery.id, doomed).await.state) {
        world.engine.clone().kill().await;
        world.engine = world.planet.engine(Mortality::default()).await;
    }
    let delivery = world.delivery(delivery.id);
    assert_eq!(delivery.crashes, 3);
    assert!(in_doubt(&delivery.state), "{delivery:?}");
    world.check().await;
}

/// What a step says that no version of its connector has written makes the connector panic.
#[tokio::test(flavor = "multi_thread")]
async fn delivery_that_panics_is_set_aside_and_its_lane_and_neighbours_go_on() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let neighbour = world.connect("bluesky", "alice.test").await;
    let poisoned = world.say("Poisoned", &account, world.in_seconds(60)).await;
    let after = world.say("After", &account, world.in_seconds(61)).await;
    let beside = world.say("Beside", &neighbour, world.in_seconds(60)).await;
    let engine = world.engine.clone();
    engine.kill().await;
    let opened = Store::in_memory(
        world.planet.memory.clone(),
        MasterKey::from_bytes([7; 32]),
        Mortality::default(),
    );
    let store = opened.unwrap().store;
    let found = store.delivery(poisoned.organization, poisoned.id).unwrap();
    let mut record = found.unwrap();
    record.step = br#"{"Upload":{"ready":["1","2"]}}"#.to_vec();
    store.commit("poison", move |view| view.put_delivery(&record)).await.unwrap();
    drop(store);
    world.engine = world.planet.engine(Mortality::default()).await;
    world.until(beside.id, published).await;
    world.until(poisoned.id, held).await;
    let delivery = world.delivery(poisoned.id);
    assert!(matches!(delivery.state, State::Held { why: Hold::Crashes, .. }), "{delivery:?}");
    world.until(after.id, published).await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_record_holds_nobody_else_up() {
    let mut world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let neighbour = world.connect("bluesky", "alice.test").await;
    let damaged = world.say("Damaged", &account, world.in_seconds(60)).await;
    let beside = world.say("Beside", &neighbour, world.in_seconds(61)).await;
    let engine = world.engine.clone();
    engine.kill().await;
    let opened = Store::in_memory(
        world.planet.memory.clone(),
        MasterKey::from_bytes([7; 32]),
        Mortality::default(),
    );
    let store = opened.unwrap().store;
    let place = Key::Delivery(damaged.organization, damaged.id);
    store.commit("damage", move |view| view.put(&place, vec![0xff; 3])).await.unwrap();
    drop(store);
    world.engine = world.planet.engine(Mortality::default()).await;
    world.until(beside.id, published).await;
    assert!(world.planet.texts(&account).is_empty());
    assert!(world.engine.readiness().ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_account_whose_access_is_to_be_renewed_holds_nobody_else_up() {
    let mut world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let damaged = world.connect("threads", "tara").await;
    let neighbour = world.connect("mastodon", "alice").await;
    let beside = world.say("Beside", &neighbour, world.in_seconds(31 * 24 * 3_600)).await;
    let engine = world.engine.clone();
    engine.kill().await;
    let (memory, key) = (world.planet.memory.clone(), MasterKey::from_bytes([7; 32]));
    let store = Store::in_memory(memory, key, Mortality::default()).unwrap().store;
    let place = Key::Account(damaged.organization, damaged.id);
    store.commit("damage", move |view| view.put(&place, vec![0xff; 3])).await.unwrap();
    drop(store);
    world.engine = world.planet.engine(Mortality::default()).await;
    world.planet.turn(31 * 24 * 3_600 + 60);
    world.until(beside.id, published).await;
    assert!(world.engine.readiness().ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn thread_whose_second_answer_is_dropped_has_each_part_once() {
    let world = World::new().await;
    for (platform, handle) in PLACES {
        let account = world.connect(platform, handle).await;
        let fault = Fault::new(FaultKind::DropAnswer, Operation::Publish);
        world.planet.sandbox.inject(Fault { after: 1, ..fault });
        let parts = vec![part("one", &[]), part("two", &[]), part("three", &[])];
        let thread = Content { parts, ..Content::default() };
        let delivery = world.post(thread, account.id, PlanRequest::Now, 5).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{delivery:?}");
        assert_eq!(world.planet.texts(&account), ["one", "two", "three"], "{platform}");
    }
    world.check().await;
}

/// It says 503 to what would publish, and answers those who look.
#[tokio::test(flavor = "multi_thread")]
async fn platform_that_is_away_is_sent_to_again_after_one_and_two_minutes() {
    for (platform, handle) in [("bluesky", "alice.test"), ("x", "carol")] {
        let world = World::new().await;
        let account = world.connect(platform, handle).await;
        world.planet.fault(FaultKind::Unavailable, Operation::Publish, 2);
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        let delivery = world.until(delivery.id, published).await;
        let entries = world.planet.ledger();
        assert_eq!(entries.len(), 1);
        let waited = delivery.due.elapsed(entries[0].at).as_secs();
        assert!(waited >= 180, "{platform}: {waited} s\n{}", world.story(&delivery));
        world.check().await;
    }
}
