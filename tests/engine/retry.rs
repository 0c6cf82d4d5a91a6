//! A platform's no: what is tried again, when, and what ends.

use std::time::Duration;

use fanfare::{
    domain::{
        delivery::{State, Why},
        post::Content,
        refusal::RefusalKind,
    },
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};

use crate::world::{World, failed, part, png, published, settled, text_content, upload, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn upload_that_fails_three_times_is_given_up_with_the_platforms_words() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::Unavailable, Operation::Upload, 3);
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    for (failures, seconds) in [(1, 60), (2, 120)] {
        world.told(&delivery, &format!("Attempt {failures} did not succeed")).await;
        let delivery = world.delivery(delivery.id);
        let State::Waiting { until, why: Why::Backoff { .. } } = delivery.state else {
            panic!("{delivery:?}")
        };
        // A tenth of jitter, and what has passed since.
        let left = until.remaining(world.planet.clock.now()).as_secs();
        assert!(left <= seconds * 11 / 10 && left > seconds / 2, "{left} of {seconds}");
        assert_eq!(delivery.failures, failures);
        world.planet.turn(i64::try_from(left).unwrap() - 5);
    }
    let delivery = world.until(delivery.id, settled).await;
    let State::Failed { refusal, .. } = &delivery.state else { panic!("{delivery:?}") };
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
    assert!(!refusal.words.is_empty());
    assert_eq!(delivery.failures, 3);
    assert!(world.planet.ledger().is_empty());
    // By hand it goes on, and earlier failures count no more.
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    world.until(delivery.id, published).await;
    assert_eq!(world.planet.ledger()[0].media.len(), 1);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lane_is_free_while_a_failure_backs_off() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::Unavailable, Operation::Upload, 1);
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let first = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.until(first.id, waiting).await;
    let second = world.say("Second", &account, PlanRequest::Now).await;
    world.until(second.id, published).await;
    world.planet.turn(60);
    world.until(first.id, published).await;
    assert_eq!(world.planet.texts(&account), ["Second", "Look"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_is_waited_for_is_no_failure_and_keeps_the_order() {
    let world = World::new().await;
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let account = world.connect(platform, handle).await;
        let fault = Fault::new(FaultKind::Throttle, Operation::Publish);
        let retry_after = Some(Duration::from_secs(300));
        world.planet.sandbox.inject(Fault { retry_after, ..fault });
        let before = world.planet.clock.now();
        let first = world.say("First", &account, PlanRequest::Now).await;
        let first = world.until(first.id, waiting).await;
        let State::Waiting { until, why: Why::Limit } = first.state else { panic!("{first:?}") };
        assert!(until.elapsed(before).is_zero() && until >= before.after(Duration::from_secs(299)));
        let second = world.say("Second", &account, PlanRequest::Now).await;
        world.planet.turn(200);
        assert!(world.planet.texts(&account).is_empty());
        world.planet.turn(100);
        world.until(second.id, published).await;
        let first = world.delivery(first.id);
        assert!(published(&first.state) && first.failures == 0, "{first:?}");
        assert_eq!(world.planet.texts(&account), ["First", "Second"]);
        let entries = world.planet.ledger();
        assert!(entries.iter().filter(|entry| entry.at < until).all(|entry| entry.at < before));
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_ends_at_once_and_the_next_goes_out() {
    let world = World::new().await;
    for (platform, handle) in [("mastodon", "alice"), ("bluesky", "alice.test"), ("x", "carol")] {
        let account = world.connect(platform, handle).await;
        world.planet.fault(FaultKind::Refuse, Operation::Publish, 1);
        let first = world.say("First", &account, PlanRequest::Now).await;
        let first = world.until(first.id, settled).await;
        let State::Failed { refusal, .. } = &first.state else { panic!("{first:?}") };
        assert_eq!((refusal.kind, first.attempt), (RefusalKind::Rejected, 1), "{platform}");
        assert!(!refusal.words.is_empty());
        let second = world.say("Second", &account, PlanRequest::Now).await;
        world.until(second.id, published).await;
        assert_eq!(world.planet.texts(&account), ["Second"]);
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thread_that_breaks_keeps_what_is_live_and_goes_on_there() {
    let world = World::new().await;
    for (platform, handle) in
        [("mastodon", "alice"), ("gotosocial", "bob"), ("bluesky", "alice.test"), ("x", "carol")]
    {
        let account = world.connect(platform, handle).await;
        let fault = Fault::new(FaultKind::Refuse, Operation::Publish);
        world.planet.sandbox.inject(Fault { after: 1, ..fault });
        let parts = vec![part("one", &[]), part("two", &[]), part("three", &[])];
        let thread = Content { parts, ..Content::default() };
        let delivery = world.post(thread, account.id, PlanRequest::Now, 5).await;
        let delivery = world.until(delivery.id, failed).await;
        assert_eq!(delivery.live.len(), 1, "{delivery:?}");
        assert!(world.story(&delivery).contains("are live"), "{}", world.story(&delivery));
        // What readers see is not changed under them.
        let edit = fanfare::engine::facade::PostEdit {
            content: Some(text_content("other")),
            ..Default::default()
        };
        assert!(world.engine.edit_post(&world.caller, delivery.post, edit).await.is_err());
        world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
        let delivery = world.until(delivery.id, published).await;
        assert_eq!(delivery.live.len(), 3);
        assert_eq!(world.planet.texts(&account), ["one", "two", "three"], "{platform}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thread_whose_beginning_was_taken_down_begins_anew() {
    let world = World::new().await;
    // Mastodon knows the first part by its key for an hour, and says that it is gone.
    for (platform, handle) in
        [("gotosocial", "bob"), ("bluesky", "alice.test"), ("x", "carol"), ("threads", "tara")]
    {
        let account = world.connect(platform, handle).await;
        let fault = Fault::new(FaultKind::Refuse, Operation::Publish);
        world.planet.sandbox.inject(Fault { after: 1, ..fault });
        let parts = vec![part("one", &[]), part("two", &[])];
        let thread = Content { parts, ..Content::default() };
        let delivery = world.post(thread, account.id, PlanRequest::Now, 5).await;
        let delivery = world.until(delivery.id, failed).await;
        assert_eq!(delivery.live.len(), 1, "{delivery:?}");
        let removed = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
        assert!(removed.live.is_empty(), "{removed:?}");
        world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
        let delivery = world.until(delivery.id, settled).await;
        assert!(published(&delivery.state), "{platform}: {}", world.story(&delivery));
        let mut entries = world.planet.ledger();
        entries.retain(|it| it.account == account.identity.remote_id && it.deleted_at.is_none());
        let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"], "{platform}");
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn post_cancelled_between_two_attempts_does_not_go_out() {
    let world = World::tuned(|settings| settings.net.timeout = Duration::from_millis(500)).await;
    let account = world.connect("mastodon", "alice").await;
    let fault = Fault::new(FaultKind::Hang, Operation::Upload);
    world.planet.sandbox.inject(fault);
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.told(&delivery, "Attempt 1 began").await;
    let view = world.engine.cancel_post(&world.caller, delivery.post).await.unwrap();
    assert_eq!(view.deliveries[0].state, State::Running, "it cannot be called back");
    world.told(&delivery, "Next attempt at").await;
    world.planet.turn(70);
    let ended = world.until(delivery.id, |state| matches!(state, State::Cancelled { .. })).await;
    assert!(ended.live.is_empty() && world.planet.ledger().is_empty());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_post_that_had_failed_has_all_its_attempts_again() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::Unavailable, Operation::Upload, 4);
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let delivery = world.post(content.clone(), account.id, PlanRequest::Now, 5).await;
    world.until(delivery.id, failed).await;
    let edit = fanfare::engine::facade::PostEdit {
        content: Some(content),
        plan: Some(PlanRequest::Now),
        ..Default::default()
    };
    world.engine.edit_post(&world.caller, delivery.post, edit).await.unwrap();
    let delivery = world.until(delivery.id, settled).await;
    assert!(matches!(delivery.state, State::Published { .. }), "{delivery:?}");
    assert_eq!(world.planet.texts(&account), ["Look"]);
    world.check().await;
}
