//! What is published can be taken down again.

use fanfare::{
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};

use crate::world::{World, published};

#[tokio::test(flavor = "multi_thread")]
async fn token_that_ends_before_its_time_is_renewed_for_a_removal() {
    let world = World::new().await;
    let account = world.connect("bluesky", "alice.test").await;
    let post = world.plan("Hello", &[account.id], PlanRequest::Now).await;
    let delivery = world.until(post.deliveries[0].id, published).await;
    world.planet.sandbox.inject(Fault::new(FaultKind::ExpireToken, Operation::Delete));
    let removed = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    assert!(removed.live.is_empty());
    assert!(world.planet.ledger()[0].deleted_at.is_some());
}
