//! What is planned goes out, as planned.

use std::time::Duration;

use fanfare::{
    domain::post::Content,
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};

use crate::world::{World, part, png, published, upload};

#[tokio::test(flavor = "multi_thread")]
async fn planned_post_goes_out_at_its_time_and_once() {
    let world = World::new().await;
    let bluesky = world.connect("bluesky", "alice.test").await;
    let mastodon = world.connect("mastodon", "alice").await;
    let post = world.plan("Hello", &[bluesky.id, mastodon.id], world.in_seconds(20)).await;
    for delivery in &post.deliveries {
        let delivery = world.until(delivery.id, published).await;
        assert!(!delivery.live.is_empty());
    }
    let ledger = world.planet.ledger();
    assert_eq!(ledger.len(), 2);
    assert!(ledger.iter().all(|entry| entry.at >= post.deliveries[0].due));
}

#[tokio::test(flavor = "multi_thread")]
async fn post_for_now_goes_out_now() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let post = world.plan("Now", &[account.id], PlanRequest::Now).await;
    world.until(post.deliveries[0].id, published).await;
    assert_eq!(world.planet.ledger().len(), 1);
}

/// Its file is slow, its time comes while another post is on its way, and the next one is ready.
#[tokio::test(flavor = "multi_thread")]
async fn post_whose_preparation_takes_too_long_keeps_its_turn() {
    let world = World::new().await;
    let account = world.connect("x", "carol").await;
    let late = |operation, seconds| Fault {
        wait: Some(Duration::from_secs(seconds)),
        ..Fault::new(FaultKind::AnswerLate, operation)
    };
    world.planet.sandbox.inject(late(Operation::Upload, 100));
    world.planet.sandbox.inject(late(Operation::Publish, 60));
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("slow", &[picture])], ..Content::default() };
    let first = world.say("first", &account, world.in_seconds(10)).await;
    let slow = world.post(content, account.id, world.in_seconds(20), 5).await;
    let last = world.say("last", &account, world.in_seconds(21)).await;
    for delivery in [first, slow, last] {
        let delivery = world.until(delivery.id, published).await;
        assert_eq!(delivery.failures, 0, "{delivery:?}");
    }
    assert_eq!(world.planet.texts(&account), ["first", "slow", "last"]);
    world.check().await;
}
