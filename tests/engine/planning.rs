//! What people plan, change and call off.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    domain::{
        delivery::State,
        post::{Content, PostStage, VariantFor},
        problem::{Code, Problem},
        time::LocalTime,
    },
    engine::{
        Answer,
        facade::{Caller, NewPost, Once, PlanRequest, PostEdit, PostView, Repeated, Resolution},
    },
    sandbox::{FaultKind, Operation},
};

use crate::world::{World, held, part, png, published, text_content, upload};

fn new_post(text: &str, world: &World, target: fanfare::domain::ids::AccountId) -> NewPost {
    NewPost {
        content: text_content(text),
        variants: BTreeMap::new(),
        targets: vec![target],
        plan: world.in_seconds(30),
        priority: 5,
    }
}

fn code<T: std::fmt::Debug>(answer: Answer<T>) -> Code {
    answer.unwrap_err().code
}

fn codes(problem: &Problem) -> Vec<Code> {
    match problem.details.is_empty() {
        true => vec![problem.code],
        false => problem.details.iter().map(|detail| detail.code).collect(),
    }
}

/// Somebody else on the same instance.
async fn stranger(world: &World) -> Caller {
    let founded = world.engine.create_organization(&world.caller, "Other", None).await.unwrap();
    world.engine.authenticate(founded.key.expose()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_before_its_time_is_honoured_and_the_old_time_does_nothing() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let post = world.plan("Old", &[account.id], world.in_seconds(20)).await;
    let PlanRequest::At(later) = world.in_seconds(60) else { panic!("an instant") };
    let edit = PostEdit {
        content: Some(text_content("New")),
        plan: Some(PlanRequest::At(later)),
        ..PostEdit::default()
    };
    let view = world.engine.edit_post(&world.caller, post.post.id, edit).await.unwrap();
    assert_eq!((view.post.revision, view.deliveries[0].due), (2, later));
    assert_eq!(view.deliveries[0].id, post.deliveries[0].id);
    let delivery = world.until(post.deliveries[0].id, published).await;
    let ledger = world.planet.ledger();
    assert_eq!(world.planet.texts(&account), ["New"]);
    assert!(ledger[0].at >= later && delivery.due == later);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_while_it_is_being_prepared_is_published_as_edited() {
    let world = World::tuned(|settings| settings.net.timeout = Duration::from_secs(1)).await;
    let account = world.connect("mastodon", "alice").await;
    world.planet.fault(FaultKind::AnswerLate, Operation::Upload, 1);
    let old = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Old", &[old])], ..Content::default() };
    let delivery = world.post(content, account.id, world.in_seconds(60), 5).await;
    let new = upload(&world.engine, &world.caller, &png(2)).await;
    let mut content = Content { parts: vec![part("New", &[new])], ..Content::default() };
    content.parts[0].media[0].alt = "the new one".to_owned();
    let edit = PostEdit { content: Some(content), ..PostEdit::default() };
    world.engine.edit_post(&world.caller, delivery.post, edit).await.unwrap();
    world.until(delivery.id, published).await;
    let ledger = world.planet.ledger();
    assert_eq!((ledger.len(), ledger[0].text.as_str()), (1, "New"));
    assert_eq!(ledger[0].media[0].alt, "the new one");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edit_of_something_that_has_changed_is_refused() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let post = world.plan("One", &[account.id], world.in_seconds(3_600)).await;
    let edit = |text: &str| PostEdit {
        content: Some(text_content(text)),
        revision: Some(1),
        ..PostEdit::default()
    };
    world.engine.edit_post(&world.caller, post.post.id, edit("Two")).await.unwrap();
    let stale = world.engine.edit_post(&world.caller, post.post.id, edit("Three")).await;
    assert_eq!(code(stale), Code::Conflict);
    let view = world.engine.post(&world.caller, post.post.id).unwrap();
    assert_eq!(view.post.content.parts[0].text, "Two");
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_is_cancelled_whatever_is_edited_later() {
    let world = World::new().await;
    let one = world.connect("mastodon", "alice").await;
    let two = world.connect("bluesky", "alice.test").await;
    let post = world.plan("Hello", &[one.id, two.id], world.in_seconds(30)).await;
    let cancelled = post.deliveries.iter().find(|delivery| delivery.account == one.id).unwrap();
    world.engine.cancel_delivery(&world.caller, cancelled.id).await.unwrap();
    let edit = || PostEdit { content: Some(text_content("Edited")), ..PostEdit::default() };
    world.engine.edit_post(&world.caller, post.post.id, edit()).await.unwrap();
    let other = post.deliveries.iter().find(|delivery| delivery.account == two.id).unwrap();
    world.until(other.id, published).await;
    assert!(matches!(world.delivery(cancelled.id).state, State::Cancelled { .. }));
    assert!(world.planet.texts(&one).is_empty());
    assert_eq!(world.planet.texts(&two), ["Edited"]);

    let whole = world.plan("Whole", &[one.id], world.in_seconds(30)).await;
    for _ in 0..2 {
        let view = world.engine.cancel_post(&world.caller, whole.post.id).await.unwrap();
        assert_eq!((view.post.stage, view.post.revision), (PostStage::Cancelled, 2));
    }
    let revived = world.engine.edit_post(&world.caller, whole.post.id, edit()).await;
    assert_eq!(code(revived), Code::WrongState);
    let after = world.plan("After", &[one.id], world.in_seconds(40)).await;
    world.until(after.deliveries[0].id, published).await;
    assert_eq!(world.planet.texts(&one), ["After"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_arrives_twice_is_done_once_and_its_key_serves_nothing_else() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let once = |print: u8| Some(Once { key: "k".to_owned(), fingerprint: [print; 32] });
    let post = new_post("Hello", &world, account.id);
    let create = |once| world.engine.create_post(&world.caller, post.clone(), once);
    // At the same moment, and again.
    let (one, two) = tokio::join!(create(once(1)), create(once(1)));
    let ((one, first), (two, second)) = (one.unwrap(), two.unwrap());
    assert_eq!(one.post.id, two.post.id);
    assert_ne!(first, second);
    let (three, repeated) = create(once(1)).await.unwrap();
    assert_eq!((three.post.id, repeated), (one.post.id, Repeated::Yes));
    assert_eq!(code(create(once(2)).await), Code::IdempotencyConflict);
    world.until(one.deliveries[0].id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urgent_goes_first_of_what_is_due_whether_or_not_it_was_prepared() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let PlanRequest::At(due) = world.in_seconds(120) else { panic!("an instant") };
    let prepared = Content { parts: vec![part("10", &[picture])], ..Content::default() };
    let last = world.post(prepared, account.id, PlanRequest::At(due), 10).await;
    for priority in [5, 1, 9, 3] {
        let content = text_content(&priority.to_string());
        world.post(content, account.id, PlanRequest::At(due), priority).await;
    }
    world.told(&last, "Everything is prepared").await;
    world.engine.pause_account(&world.caller, account.id).await.unwrap();
    world.planet.turn(130);
    let mut changed = world.engine.changed();
    while world.engine.health(&world.caller, account.id).await.unwrap().on_lane < 5 {
        let _ = tokio::time::timeout(Duration::from_millis(50), changed.changed()).await;
    }
    world.engine.resume_account(&world.caller, account.id).await.unwrap();
    world.until(last.id, published).await;
    assert_eq!(world.planet.texts(&account), ["1", "3", "5", "9", "10"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_stay_and_plans_must_be_readable_and_ahead() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let create = async |plan: PlanRequest| -> Answer<PostView> {
        let post = NewPost { plan, ..new_post("Hello", &world, account.id) };
        Ok(world.engine.create_post(&world.caller, post, None).await?.0)
    };
    let draft = create(PlanRequest::Draft).await.unwrap();
    assert_eq!((draft.post.stage, draft.deliveries.len()), (PostStage::Draft, 0));
    let past = PlanRequest::At(world.planet.clock.now().before(Duration::from_secs(3_600)));
    assert_eq!(code(create(past).await), Code::PlanInThePast);
    let local = |wall: &str, zone: &str| PlanRequest::Local {
        wall: wall.to_owned(),
        zone: zone.to_owned(),
    };
    for (wall, zone) in [("tomorrow", "Europe/Berlin"), ("2033-01-10T09:00", "Mars/Olympus")] {
        assert_eq!(code(create(local(wall, zone)).await), Code::PlanUnreadable, "{wall} {zone}");
    }
    assert_eq!(code(create(local("2001-01-10T09:00", "Europe/Berlin")).await), Code::PlanInThePast);
    let view = create(local("2033-01-10T09:00", "Europe/Berlin")).await.unwrap();
    let meant = LocalTime::parse("2033-01-10T08:00", "UTC").unwrap().instant().unwrap();
    assert_eq!(view.deliveries[0].due, meant);
    // A draft becomes planned, and a planned post a draft again.
    let plan = |plan| PostEdit { plan: Some(plan), ..PostEdit::default() };
    let id = view.post.id;
    let view = world.engine.edit_post(&world.caller, id, plan(PlanRequest::Draft)).await.unwrap();
    assert_eq!((view.post.stage, view.deliveries.len()), (PostStage::Draft, 0));
    let id = draft.post.id;
    let view = world.engine.edit_post(&world.caller, id, plan(PlanRequest::Now)).await.unwrap();
    world.until(view.deliveries[0].id, published).await;
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_target_gets_its_own_variant() {
    let world = World::new().await;
    let one = world.connect("mastodon", "alice").await;
    let two = world.connect("mastodon", "bob").await;
    let three = world.connect("bluesky", "alice.test").await;
    let mut post = new_post("Everybody", &world, one.id);
    post.targets = vec![one.id, two.id, three.id];
    post.variants = BTreeMap::from([
        (VariantFor::Platform("mastodon".to_owned()), text_content("Mastodon")),
        (VariantFor::Account(two.id), text_content("Bob")),
    ]);
    let view = world.engine.create_post(&world.caller, post, None).await.unwrap().0;
    for delivery in &view.deliveries {
        world.until(delivery.id, published).await;
    }
    assert_eq!(world.planet.texts(&one), ["Mastodon"]);
    assert_eq!(world.planet.texts(&two), ["Bob"]);
    assert_eq!(world.planet.texts(&three), ["Everybody"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_organization_is_reached_or_used() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let delivery = world.say("Hello", &account, world.in_seconds(3_600)).await;
    let other = stranger(&world).await;
    let engine = &world.engine;
    let post = new_post("Theirs", &world, account.id);
    let refused = engine.create_post(&other, post.clone(), None).await.unwrap_err();
    assert!(codes(&refused).contains(&Code::UnknownAccount), "{refused:?}");
    assert_eq!(code(engine.post(&other, delivery.post)), Code::NotFound);
    assert_eq!(code(engine.delivery(&other, delivery.id)), Code::NotFound);
    assert_eq!(code(engine.cancel_delivery(&other, delivery.id).await), Code::NotFound);
    assert_eq!(code(engine.retry_delivery(&other, delivery.id).await), Code::NotFound);
    let abandon = engine.resolve_delivery(&other, delivery.id, Resolution::Abandon).await;
    assert_eq!(code(abandon), Code::NotFound);
    assert_eq!(code(engine.cancel_post(&other, delivery.post).await), Code::NotFound);
    let edit = engine.edit_post(&other, delivery.post, PostEdit::default()).await;
    assert_eq!(code(edit), Code::NotFound);
    assert_eq!(code(engine.pause_account(&other, account.id).await), Code::NotFound);
    assert_eq!(code(engine.disconnect(&other, account.id).await), Code::NotFound);
    assert_eq!(code(engine.media(&other, picture)), Code::NotFound);
    assert_eq!(code(engine.delete_media(&other, picture).await), Code::NotFound);
    let home = world.caller.organization;
    assert_eq!(code(engine.pause_organization(&other, home).await), Code::NotFound);
    assert_eq!(code(engine.resume_organization(&other, home).await), Code::NotFound);
    assert_eq!(code(engine.pause_everything(&other).await), Code::Forbidden);
    assert_eq!(code(engine.resume_everything(&other).await), Code::Forbidden);
    // Their own account, our file.
    let theirs = crate::world::connect(&world.planet, engine, &other, "mastodon", "eve").await;
    let content = Content { parts: vec![part("Stolen", &[picture])], ..Content::default() };
    let post = NewPost { content, targets: vec![theirs.id], ..post };
    let refused = engine.create_post(&other, post, None).await.unwrap_err();
    assert!(codes(&refused).contains(&Code::MediaNotFound), "{refused:?}");
    assert!(
        engine.posts(&other, &fanfare::engine::facade::Page::default()).unwrap().items.is_empty()
    );
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_needed_is_not_deleted_not_even_if_the_post_is_older() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let delivery = world.say("Hello", &account, world.in_seconds(3_600)).await;
    let picture = upload(&world.engine, &world.caller, &png(1)).await;
    let content = Content { parts: vec![part("Look", &[picture])], ..Content::default() };
    let edit = PostEdit { content: Some(content), ..PostEdit::default() };
    world.engine.edit_post(&world.caller, delivery.post, edit).await.unwrap();
    let refused = world.engine.delete_media(&world.caller, picture).await;
    assert_eq!(code(refused), Code::WrongState);
    world.engine.cancel_post(&world.caller, delivery.post).await.unwrap();
    world.engine.delete_media(&world.caller, picture).await.unwrap();
    assert_eq!(code(world.engine.media(&world.caller, picture)), Code::NotFound);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_is_held_and_a_person_can_send_it_after_all() {
    let world = World::new().await;
    world.set_grace(60).await;
    let account = world.connect("bluesky", "alice.test").await;
    let delivery = world.say("Hello", &account, world.in_seconds(600)).await;
    world.planet.turn(700);
    world.until(delivery.id, held).await;
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    world.until(delivery.id, published).await;
    let again = world.engine.retry_delivery(&world.caller, delivery.id).await;
    assert_eq!(code(again), Code::WrongState);
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_cannot_be_cancelled_and_stays_as_it_is() {
    let world = World::new().await;
    let account = world.connect("mastodon", "alice").await;
    let post = world.plan("Live", &[account.id], PlanRequest::Now).await;
    world.until(post.deliveries[0].id, published).await;
    let refused = world.engine.cancel_post(&world.caller, post.post.id).await;
    assert_eq!(code(refused), Code::WrongState);
    let view = world.engine.post(&world.caller, post.post.id).unwrap();
    assert_eq!(view.post.stage, PostStage::Planned);
    world.check().await;
}
