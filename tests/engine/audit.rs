//! The audit of a running engine: linked as it grows, and whole after deaths and retention.

use std::{net::IpAddr, time::Duration};

use fanfare::{
    domain::{delivery::State, event::EventKind, mortality::Mortality, organization::Pause},
    engine::{
        coming_from,
        facade::{Caller, PlanRequest},
    },
};

use crate::world::{World, published};

const DAY: i64 = 24 * 3_600;

impl World {
    /// How many events are linked, all as they were written.
    async fn whole(&self) -> u64 {
        let verdict = self.engine.verify_audit(&self.caller).await.unwrap();
        assert_eq!(verdict.flaw, None);
        verdict.events
    }

    async fn told_of(&self, caller: &Caller, kind: EventKind) {
        for _ in 0..400 {
            let events = self.engine.events(caller, 0, 1_000).unwrap().events;
            if events.iter().any(|event| event.kind == kind) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody tells of {}", kind.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_linked_and_an_act_says_where_it_came_from() {
    let world = World::new().await;
    let account = world.connect("mastodon", "ada").await;
    let home = IpAddr::from([192, 0, 2, 7]);
    let act = world.engine.pause_account(&world.caller, account.id);
    coming_from(Some(home), act).await.unwrap();
    world.engine.resume_account(&world.caller, account.id).await.unwrap();
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    world.until(delivery.id, published).await;
    let entries = world.engine.audit(&world.caller, 0, 1_000).unwrap();
    assert_eq!(world.whole().await, entries.len() as u64);
    for pair in entries.windows(2) {
        assert_eq!(pair[1].before, pair[0].event.hash);
    }
    for entry in &entries {
        let paused = entry.event.kind == EventKind::AccountPaused;
        assert_eq!(entry.event.from, paused.then_some(home), "{:?}", entry.event);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_is_whole_after_a_death_before_any_commit() {
    let mut died = 0;
    for n in 1..=14 {
        let planet = crate::world::Planet::new().await;
        let engine = planet.engine(Mortality::default()).await;
        let caller = crate::world::found(&engine).await;
        let account = crate::world::connect(&planet, &engine, &caller, "mastodon", "ada").await;
        engine.kill().await;
        let mortality = Mortality::mortal();
        mortality.die_at_commit(n);
        if let Ok(engine) = planet.try_engine(mortality.clone()).await {
            let post = fanfare::engine::facade::NewPost {
                content: crate::world::text_content("Hello"),
                variants: Default::default(),
                targets: vec![account.id],
                plan: PlanRequest::Now,
                priority: 5,
            };
            let _ = engine.create_post(&caller, post, None).await;
            let _ = tokio::time::timeout(Duration::from_secs(2), engine.stopped()).await;
            engine.kill().await;
        }
        died += usize::from(mortality.is_dead());
        let engine = planet.engine(Mortality::default()).await;
        let verdict = engine.verify_audit(&caller).await.unwrap();
        assert_eq!(verdict.flaw, None, "death before commit {n}");
    }
    assert!(died >= 4, "only {died} died");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_lets_go_of_the_oldest_with_a_word_and_the_rest_is_whole() {
    let world = World::tuned(|settings| {
        settings.clock = fanfare::clock::Clock::scaled(7_200);
        settings.audit_keep = Some(Duration::from_secs(30 * 24 * 3_600));
    })
    .await;
    let before = world.engine.audit(&world.caller, 0, 1_000).unwrap();
    let first = before.first().unwrap().event.sequence;
    assert_eq!(first, 1);
    // The engine has a clock of its own here, which is a day further each 12 s.
    let pruned = async {
        loop {
            let entries = world.engine.audit(&world.caller, 0, 1_000).unwrap();
            if entries.first().is_none_or(|entry| entry.event.sequence > 1) {
                return entries;
            }
            world.engine.clock().turn(DAY * 1_000);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let entries = tokio::time::timeout(Duration::from_secs(60), pruned).await.unwrap();
    assert!(entries.iter().any(|entry| entry.event.kind == EventKind::AuditPruned));
    assert!(world.whole().await >= 1);
    world.engine.pause_everything(&world.caller).await.unwrap();
    assert!(world.whole().await >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_deleted_organization_is_gone_after_its_grace_and_nothing_before() {
    let world =
        World::tuned(|settings| settings.clock = fanfare::clock::Clock::scaled(7_200)).await;
    let made = world.engine.create_organization(&world.caller, "Client", None).await.unwrap();
    let client = world.engine.authenticate(made.key.expose()).unwrap();
    let id = made.organization;
    let account =
        crate::world::connect(&world.planet, &world.engine, &client, "mastodon", "ada").await;
    let post = fanfare::engine::facade::NewPost {
        content: crate::world::text_content("Never"),
        variants: Default::default(),
        targets: vec![account.id],
        plan: PlanRequest::At(world.engine.clock().now().after(Duration::from_secs(400 * 86_400))),
        priority: 5,
    };
    let (post, _) = world.engine.create_post(&client, post, None).await.unwrap();

    let deleted = world.engine.delete_organization(&world.caller, id).await.unwrap();
    let ends = deleted.ends.unwrap();
    let again = world.engine.delete_organization(&world.caller, id).await.unwrap();
    assert_eq!(again.ends, Some(ends));
    let refused = world.engine.resume_organization(&world.caller, id).await.unwrap_err();
    assert!(refused.remedy.contains("Restore it first"), "{}", refused.remedy);
    let restored = world.engine.restore_organization(&world.caller, id).await.unwrap();
    assert!(restored.ends.is_none() && restored.paused != Pause::Running);
    let held = world.engine.delivery(&client, post.deliveries[0].id).unwrap();
    assert!(matches!(held.state, State::Planned), "{:?}", held.state);

    world.engine.delete_organization(&world.caller, id).await.unwrap();
    world.engine.clock().turn(8 * DAY * 1_000);
    assert!(world.engine.authenticate(made.key.expose()).is_err());
    let over = world.engine.restore_organization(&world.caller, id).await.unwrap_err();
    assert!(over.sentence.contains("grace is over"), "{}", over.sentence);
    world.told_of(&world.caller, EventKind::OrganizationErased).await;
    let (in_keys, in_values) = (id.0.to_be_bytes(), id.0.to_le_bytes());
    for (key, value) in world.planet.memory.copy() {
        assert!(!key.windows(16).any(|part| part == in_keys), "a key is left: {key:?}");
        assert!(!value.windows(16).any(|part| part == in_values), "a record is left: {key:?}");
    }
    let error = world.engine.authenticate(made.key.expose()).unwrap_err();
    assert!(error.sentence.contains("not known"), "{}", error.sentence);
}
