//! What is published can be taken down again, and on some networks its text changed.

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        account::Account, delivery::Delivery, event::EventKind, mortality::Mortality,
        post::Content, problem::Code,
    },
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, LedgerEntry, Operation},
};

use crate::{
    networks::File,
    world::{World, part, published, upload},
};

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

type Parts = &'static [(&'static str, &'static [File])];

const TEXT: Parts = &[("One", &[])];
const PHOTO: Parts = &[("One", &[File::Photo])];
const PHOTO_AND_COMMENT: Parts = &[("One", &[File::Photo]), ("Two", &[])];
const FILM: Parts = &[("One", &[File::Film])];
const TWO: Parts = &[("One", &[]), ("Two", &[])];

async fn publish(world: &World, account: &Account, parts: Parts, format: &str) -> Delivery {
    let mut content = Content::default();
    for (text, files) in parts {
        let mut media = Vec::new();
        for file in *files {
            media.push(upload(&world.engine, &world.caller, &file.bytes()).await);
        }
        let text = if format == "story" { "" } else { *text };
        content.parts.push(part(text, &media));
    }
    if !format.is_empty() {
        content.options = BTreeMap::from([("format".to_owned(), format.to_owned())]);
    }
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.until(delivery.id, published).await
}

/// X lets only those who pay change what they wrote.
fn handle(network: &str) -> &'static str {
    if network == "x" { "robin_premium" } else { "robin" }
}

fn entries(world: &World, account: &Account) -> Vec<LedgerEntry> {
    let mut entries = world.planet.ledger();
    entries.retain(|entry| entry.account == account.identity.remote_id);
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_down_is_gone_even_if_the_answer_is_lost() {
    // How many of the publications go by themselves; what belongs to one goes with it.
    for (network, parts, format, gone) in [
        ("facebook", PHOTO_AND_COMMENT, "", 2),
        ("facebook", FILM, "", 1),
        ("facebook", FILM, "reel", 1),
        ("facebook", PHOTO, "story", 1),
        ("facebook", FILM, "story", 1),
        ("instagram/facebook", PHOTO_AND_COMMENT, "", 2),
        ("instagram/facebook", FILM, "", 1),
        ("threads", TWO, "", 2),
        ("linkedin", TEXT, "", 1),
        ("linkedin/organization", PHOTO_AND_COMMENT, "", 1),
        ("x", TWO, "", 2),
    ] {
        let world = World::new().await;
        let account = world.connect(network, "robin").await;
        let delivery = publish(&world, &account, parts, format).await;
        world.planet.fault(FaultKind::DropAnswer, Operation::Delete, 1);
        let what = format!("{network} {format} {:?}", delivery.live);
        let lost = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap_err();
        assert_eq!(lost.code, Code::ServerUnreachable, "{what}: {lost:?}");
        assert_eq!(world.delivery(delivery.id).live, delivery.live, "{what}");
        for _ in 0..2 {
            let removed = world.engine.remove_delivery(&world.caller, delivery.id).await;
            let removed = removed.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert!(removed.live.is_empty(), "{what}: {removed:?}");
        }
        let deleted = entries(&world, &account);
        let deleted = deleted.iter().filter(|entry| entry.deleted_at.is_some()).count();
        assert_eq!(deleted, gone, "{what}");
        assert_eq!(world.events(EventKind::DeliveryRemovalFailed), 1, "{what}");
        assert_eq!(world.events(EventKind::DeliveryRemoved), 1, "{what}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_down_by_programs_says_so_and_stays() {
    let world = World::new().await;
    let account = world.connect("instagram", "robin").await;
    let delivery = publish(&world, &account, PHOTO, "").await;
    let refused = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap_err();
    assert!(refused.sentence.contains("delete it in the Instagram app"), "{refused:?}");
    assert_eq!(world.delivery(delivery.id).live, delivery.live);
    assert!(entries(&world, &account)[0].deleted_at.is_none());
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_text_is_what_readers_see_even_if_the_answer_is_lost() {
    for (network, parts, format, index) in [
        ("facebook", TEXT, "", 0),
        ("facebook", PHOTO_AND_COMMENT, "", 0),
        ("facebook", PHOTO_AND_COMMENT, "", 1),
        ("facebook", FILM, "", 0),
        ("facebook", FILM, "reel", 0),
        ("linkedin", TEXT, "", 0),
        ("linkedin/organization", PHOTO_AND_COMMENT, "", 0),
        ("x", TEXT, "", 0),
        ("x", TWO, "", 0),
    ] {
        let world = World::new().await;
        let account = world.connect(network, handle(network)).await;
        let delivery = publish(&world, &account, parts, format).await;
        let what = format!("{network} {format} {index} {:?}", delivery.live);
        world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
        let (engine, caller, id) = (&world.engine, &world.caller, delivery.id);
        let text = || "Changed (a little)".to_owned();
        let lost = engine.revise_delivery(caller, id, index, text()).await.unwrap_err();
        assert_eq!(lost.code, Code::ServerUnreachable, "{what}: {lost:?}");
        assert!(world.story(&delivery).contains("Asking again does no harm"), "{what}");
        for _ in 0..2 {
            let revised = engine.revise_delivery(caller, id, index, text()).await;
            let revised = revised.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            // On X each change has an id of its own.
            let renamed = usize::from(network == "x");
            assert_eq!(revised.live.len(), delivery.live.len(), "{what}");
            assert_eq!(revised.live[renamed..], delivery.live[renamed..], "{what}");
            assert_eq!(revised.live[0] == delivery.live[0], renamed == 0, "{what}");
        }
        let seen: Vec<String> =
            entries(&world, &account).into_iter().map(|entry| entry.text).collect();
        let mut wanted: Vec<String> = parts.iter().map(|(text, _)| (*text).to_owned()).collect();
        wanted[index] = text();
        assert_eq!(seen, wanted, "{what}");
        let post = engine.post(caller, delivery.post).unwrap().post;
        let content = post.content_for(account.id, &account.platform);
        assert_eq!(content.parts[index].text, text(), "{what}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_cannot_be_changed_says_so_and_stays() {
    let never = "lets no program change what is published";
    for (network, parts, index, words) in [
        ("instagram", PHOTO, 0, never),
        ("instagram/facebook", PHOTO, 0, never),
        ("threads", TEXT, 0, never),
        ("x", TWO, 1, "lets no program change part 2"),
        ("linkedin/organization", PHOTO_AND_COMMENT, 1, "lets no program change part 2"),
    ] {
        let world = World::new().await;
        let account = world.connect(network, "robin").await;
        let delivery = publish(&world, &account, parts, "").await;
        let (engine, caller) = (&world.engine, &world.caller);
        let refused = engine.revise_delivery(caller, delivery.id, index, "Changed".to_owned());
        let refused = refused.await.unwrap_err();
        assert_eq!(refused.code, Code::WrongState, "{network}: {refused:?}");
        assert!(refused.sentence.contains(words), "{network}: {refused:?}");
        assert_eq!(entries(&world, &account)[index].text, parts[index].0, "{network}");
        assert_eq!(world.events(EventKind::DeliveryRevisionAsked), 0, "{network}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_that_is_disconnected_published_is_left_to_the_person() {
    let world = World::new().await;
    let account = world.connect("facebook", "robin").await;
    let delivery = publish(&world, &account, TEXT, "").await;
    let (engine, caller, id) = (&world.engine, &world.caller, delivery.id);
    engine.disconnect(caller, account.id).await.unwrap();
    let removed = engine.remove_delivery(caller, id).await.unwrap_err();
    let revised = engine.revise_delivery(caller, id, 0, "Changed".to_owned()).await.unwrap_err();
    for refused in [removed, revised] {
        assert_eq!(refused.code, Code::AccountNotConnected, "{refused:?}");
    }
    assert_eq!(world.delivery(id).live, delivery.live);
    world.check().await;
}

#[derive(Clone, Copy, Debug)]
enum Death {
    Never,
    AtCommit(u64),
    BeforeSend(u64),
    AfterSend(u64),
}

#[derive(Clone, Copy, Debug)]
enum Wish {
    Remove,
    Revise,
}

const CHANGED: &str = "Changed";

/// Asks in a life that may end meanwhile, then in another one. The commits and sends of the first.
async fn asked_twice(
    network: &str,
    parts: Parts,
    gone: usize,
    wish: Wish,
    death: Death,
) -> (u64, u64) {
    let mut world = World::new().await;
    let account = world.connect(network, handle(network)).await;
    let delivery = publish(&world, &account, parts, "").await;
    let before = entries(&world, &account).len();
    let mortality = Mortality::mortal();
    world.restart(mortality.clone()).await;
    let (commits, sends) = mortality.counts();
    match death {
        Death::Never => (),
        Death::AtCommit(n) => mortality.die_at_commit(commits + n),
        Death::BeforeSend(n) => mortality.die_before_send(sends + n),
        Death::AfterSend(n) => mortality.die_at_send(sends + n),
    }
    let ask = async |world: &World| match wish {
        Wish::Remove => world.engine.remove_delivery(&world.caller, delivery.id).await,
        Wish::Revise => {
            let text = CHANGED.to_owned();
            world.engine.revise_delivery(&world.caller, delivery.id, 0, text).await
        }
    };
    tokio::select! {
        _ = ask(&world) => (),
        _ = world.engine.stopped() => (),
    }
    let after = mortality.counts();
    let what = format!("{network} {wish:?} {death:?}");
    assert_eq!(mortality.is_dead(), !matches!(death, Death::Never), "{what}");
    world.engine.clone().kill().await;
    world.engine = world.planet.engine(Mortality::default()).await;

    let ledger = entries(&world, &account);
    let is_touched = ledger.iter().any(|it| it.deleted_at.is_some() || it.text == CHANGED);
    let kind = match wish {
        Wish::Remove => EventKind::DeliveryRemovalAsked,
        Wish::Revise => EventKind::DeliveryRevisionAsked,
    };
    assert!(!is_touched || world.events(kind) == 1, "{what}: the timeline does not tell of it");
    let ended = ask(&world).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let ledger = entries(&world, &account);
    assert_eq!(ledger.len(), before, "{what}: something was published");
    match wish {
        Wish::Remove => {
            assert!(ended.live.is_empty(), "{what}: {ended:?}");
            let deleted = ledger.iter().filter(|entry| entry.deleted_at.is_some()).count();
            assert_eq!(deleted, gone, "{what}");
        }
        Wish::Revise => {
            assert_eq!(ended.live == delivery.live, network != "x", "{what}: {ended:?}");
            assert_eq!(ledger[0].text, CHANGED, "{what}");
        }
    }
    world.check().await;
    (after.0 - commits, after.1 - sends)
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_process_dies_in_a_removal_or_a_revision_asking_again_ends_it() {
    for (network, parts, gone, wish) in [
        ("mastodon", TWO, 2, Wish::Remove),
        ("facebook", PHOTO_AND_COMMENT, 2, Wish::Remove),
        ("threads", TWO, 2, Wish::Remove),
        ("linkedin", TEXT, 1, Wish::Remove),
        ("x", TWO, 2, Wish::Remove),
        ("facebook", PHOTO_AND_COMMENT, 0, Wish::Revise),
        ("linkedin", TEXT, 0, Wish::Revise),
        ("x", TEXT, 0, Wish::Revise),
    ] {
        let (commits, sends) = asked_twice(network, parts, gone, wish, Death::Never).await;
        assert!(commits >= 2 && sends >= 1, "{network} {wish:?}: {commits} {sends}");
        let at_commits = (1..=commits).map(Death::AtCommit);
        let around_sends = (1..=sends).flat_map(|n| [Death::BeforeSend(n), Death::AfterSend(n)]);
        for death in at_commits.chain(around_sends) {
            asked_twice(network, parts, gone, wish, death).await;
        }
    }
}
