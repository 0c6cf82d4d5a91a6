//! What is planned goes out, as planned.

use fanfare::engine::facade::PlanRequest;

use crate::world::{World, published};

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
