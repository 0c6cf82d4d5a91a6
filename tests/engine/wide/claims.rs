//! What is said to be published, and to be ours, is.

use fanfare::{
    domain::delivery::State,
    engine::facade::{OrganizationEdit, PlanRequest, Resolution},
    sandbox::{Fault, FaultKind, Operation},
};

use super::{File, Options, Parts, content, entries, files};
use crate::world::World;

const TEXT: Parts = &[("The same", &[])];
const PHOTO: Parts = &[("The same", &[File::Photo])];
const FILM: Parts = &[("The same", &[File::Film])];
const PUBLIC: Options = &[("privacy", "public")];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_platform_took_and_has_not_decided_on_is_not_called_published() {
    for (network, parts, options, asked_before) in
        [("tiktok", FILM, PUBLIC, 1), ("googlebusiness", TEXT, &[], 0)]
    {
        let world = World::new().await;
        let media = files(&world).await;
        let account = world.connect(network, "robin").await;
        let silent = Fault::new(FaultKind::Unavailable, Operation::Read);
        world.planet.sandbox.inject(Fault { after: asked_before, times: 3, ..silent });
        let content = content(parts, options, &account, &media);
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        world.through(&[delivery.id]).await;
        let doubted = world.delivery(delivery.id);
        let story = world.story(&delivery);
        let State::InDoubt { doubt, .. } = &doubted.state else { panic!("{doubted:?}\n{story}") };
        assert!(doubt.evidence.contains("took it, and what became of it"), "{doubt:?}");
        assert!(!story.contains("is live"), "{story}");

        // It is known what the person speaks of, so that it counts once.
        let (engine, caller) = (&world.engine, &world.caller);
        let live = Resolution::Live { url: "https://example.com/it".to_owned() };
        let settled = engine.resolve_delivery(caller, delivery.id, live).await.unwrap();
        assert!(matches!(settled.state, State::Published { .. }), "{settled:?}");
        assert_eq!(settled.live.len(), 1, "{settled:?}");
        assert_eq!(entries(&world, &account).await.len(), 1, "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_platform_took_and_did_not_keep_is_sent_anew_when_a_person_says_so() {
    let world = World::new().await;
    let media = files(&world).await;
    let account = world.connect("googlebusiness", "robin").await;
    let silent = Fault::new(FaultKind::Unavailable, Operation::Read);
    world.planet.sandbox.inject(Fault { times: 3, ..silent });
    let content = content(TEXT, &[], &account, &media);
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.through(&[delivery.id]).await;
    let (engine, caller) = (&world.engine, &world.caller);
    engine.resolve_delivery(caller, delivery.id, Resolution::NotLive).await.unwrap();
    world.through(&[delivery.id]).await;
    let ended = world.delivery(delivery.id);
    assert!(matches!(ended.state, State::Published { .. }), "{ended:?}");
    assert_eq!(ended.live.len(), 1, "{ended:?}");
    // The person was wrong, and it is theirs to say.
    assert_eq!(entries(&world, &account).await.len(), 2);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_what_became_of_a_post_is_no_publication() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let edit = OrganizationEdit { name: None, grace: None, posts_per_hour: Some(2) };
    let organization = world.caller.organization;
    world.engine.edit_organization(&world.caller, organization, edit).await.unwrap();
    let media = files(&world).await;
    let film: Options = &[("title", "Waves"), ("made_for_kids", "false")];
    for (network, options) in [("tiktok", PUBLIC), ("youtube", film)] {
        let account = world.connect(network, "robin").await;
        let mut deliveries = Vec::new();
        for _ in 0..2 {
            let content = content(FILM, options, &account, &media);
            deliveries.push(world.post(content, account.id, PlanRequest::Now, 5).await);
        }
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id).collect();
        world.through(&ids).await;
        for delivery in &deliveries {
            let story = world.story(delivery);
            let ended = world.delivery(delivery.id);
            assert!(matches!(ended.state, State::Published { .. }), "{ended:?}\n{story}");
            assert!(story.contains("Attempt 4"), "{network} was not asked often: {story}");
            assert!(!story.contains("A limit is reached"), "{network}: {story}");
        }
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_not_taken_for_an_earlier_one_that_says_the_same() {
    for (network, parts, options) in [
        ("pinterest", PHOTO, &[("board", "Inspiration")] as Options),
        ("googlebusiness", PHOTO, &[]),
        ("gotosocial", TEXT, &[]),
    ] {
        let world = World::new().await;
        world.set_grace(7 * 24 * 3_600).await;
        let media = files(&world).await;
        let account = world.connect(network, "robin").await;
        let post = async || {
            let content = content(parts, options, &account, &media);
            let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
            world.through(&[delivery.id]).await;
            world.delivery(delivery.id)
        };
        let first = post().await;
        assert!(matches!(first.state, State::Published { .. }), "{network}: {first:?}");
        world.planet.fault(FaultKind::Unavailable, Operation::Publish, 1);
        let second = post().await;
        let story = world.story(&second);
        assert!(matches!(second.state, State::Published { .. }), "{network}: {second:?}\n{story}");
        assert_ne!(first.live[0].id, second.live[0].id, "{network}: {story}");
        assert_eq!(entries(&world, &account).await.len(), 2, "{network}: {story}");
        world.check().await;
    }
}
