//! Rate budgets: they spread, they survive, and they keep the order.

use fanfare::{
    domain::mortality::Mortality,
    engine::facade::{OrganizationEdit, PlanRequest},
};

use crate::world::{World, published, waiting};

async fn pace(world: &World, posts_per_hour: u32) {
    let posts_per_hour = Some(posts_per_hour);
    let edit = OrganizationEdit { name: None, grace: None, posts_per_hour };
    let organization = world.caller.organization;
    world.engine.edit_organization(&world.caller, organization, edit).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_an_hour_are_spread_and_keep_their_order() {
    let world = World::new().await;
    pace(&world, 4).await;
    let account = world.connect("mastodon", "alice").await;
    let other = world.connect("bluesky", "alice.test").await;
    let mut deliveries = Vec::new();
    for text in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        deliveries.push(world.say(text, &account, PlanRequest::Now).await);
    }
    // An account's own pace is nobody else's.
    let beside = world.say("Beside", &other, PlanRequest::Now).await;
    world.until(beside.id, published).await;
    for delivery in &deliveries {
        // Turned step by step, or what is late would be missed.
        while !published(&world.delivery(delivery.id).state) {
            let waits = world.until(delivery.id, |state| published(state) || waiting(state)).await;
            let left =
                waits.timer.map_or(0, |timer| timer.remaining(world.planet.clock.now()).as_secs());
            world.planet.turn(i64::try_from(left).unwrap());
            world.until(delivery.id, published).await;
        }
    }
    assert_eq!(world.planet.texts(&account), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let entries = world.planet.ledger();
    let times: Vec<u64> = entries
        .iter()
        .filter(|entry| entry.account == account.identity.remote_id)
        .map(|entry| entry.at.0)
        .collect();
    // Some at once, and then four an hour.
    assert!(times[6] - times[5] >= 899_000 && times[7] - times[6] >= 899_000, "{times:?}");
    for (n, at) in times.iter().enumerate() {
        let within = times[n..].iter().filter(|later| *later - at < 3_600_000).count();
        assert!(within <= 8, "{within} within an hour: {times:?}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn budget_that_was_spent_stays_spent_after_a_restart() {
    let mut world = World::new().await;
    pace(&world, 1).await;
    let account = world.connect("mastodon", "alice").await;
    for text in ["1", "2"] {
        let delivery = world.say(text, &account, PlanRequest::Now).await;
        world.until(delivery.id, published).await;
    }
    world.restart(Mortality::default()).await;
    let second = world.say("Second", &account, PlanRequest::Now).await;
    let second = world.until(second.id, waiting).await;
    let until = second.timer.unwrap();
    let left = until.remaining(world.planet.clock.now()).as_secs();
    assert!(left > 1_800, "{left} s");
    world.restart(Mortality::default()).await;
    assert_eq!(world.delivery(second.id).timer, Some(until));
    world.planet.turn(i64::try_from(left).unwrap());
    world.until(second.id, published).await;
    assert_eq!(world.planet.texts(&account), ["1", "2", "Second"]);
    world.check().await;
}
