//! Files that platforms fetch from us by their address.

use std::{path::PathBuf, time::Duration};

use fanfare::{
    domain::{delivery::State, ids::MediaId, post::Content},
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};

use crate::{
    networks::File,
    world::{World, part, published, upload},
};

/// A file that no other test has.
async fn own(world: &World, file: File, name: &str) -> (MediaId, Vec<u8>) {
    let mut bytes = file.bytes();
    if file == File::Film {
        // Its last box is nothing but padding.
        let at = bytes.len() - name.len();
        bytes.truncate(at);
    }
    bytes.extend_from_slice(name.as_bytes());
    (upload(&world.engine, &world.caller, &bytes).await, bytes)
}

fn look(media: MediaId) -> Content {
    Content { parts: vec![part("Look", &[media])], ..Content::default() }
}

const FETCHED: [(&str, File); 3] =
    [("instagram", File::Photo), ("threads", File::Photo), ("threads", File::Film)];

#[tokio::test(flavor = "multi_thread")]
async fn platform_that_fetches_a_file_has_it_byte_by_byte() {
    let world = World::new().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (network, file) in FETCHED {
        let account = world.connect(network, "robin").await;
        let (media, bytes) = own(&world, file, network).await;
        let delivery = world.post(look(media), account.id, PlanRequest::Now, 5).await;
        world.until(delivery.id, published).await;
        let told = world.planet.told().await;
        let path = told.last().unwrap()["media"][0]["path"].as_str().unwrap().to_owned();
        let url = format!("{}{path}", world.planet.origin);
        let found = client.get(url).send().await.unwrap().bytes().await.unwrap();
        assert!(found == bytes, "{network} {file:?}: {} bytes", found.len());
    }
    world.check().await;
}

/// As when a disk was restored without it.
fn lose(sha256: &[u8; 32]) {
    let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let own = format!("fanfare-media-{}-", std::process::id());
    let all = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let all = all
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&own)));
    let files: Vec<PathBuf> = all
        .map(|entry| entry.path().join(&name[..2]).join(&name))
        .filter(|path| path.exists())
        .collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    std::fs::remove_file(file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_lost_meanwhile_fails_in_the_platforms_words_without_its_address() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    for ((network, file), words) in FETCHED.into_iter().zip([
        "(9004/2207052)",
        "could not be fetched from this URI (9004/2207052)",
        "FAILED_DOWNLOADING_VIDEO (container_failed)",
    ]) {
        let account = world.connect(network, "robin").await;
        let (media, _) = own(&world, file, &format!("lost {network}")).await;
        let plan = world.in_seconds(600);
        let delivery = world.post(look(media), account.id, plan, 5).await;
        lose(&world.engine.media(&world.caller, media).unwrap().sha256);
        world.planet.turn(601);
        world.through(&[delivery.id]).await;
        let delivery = world.delivery(delivery.id);
        let State::Failed { refusal, .. } = &delivery.state else { panic!("{delivery:?}") };
        let told = format!("{} ({})", refusal.words, refusal.code);
        assert!(told.ends_with(words), "{network} {file:?}: {told}");
        let story = world.story(&delivery);
        assert!(!told.contains("/files/") && !story.contains("/files/"), "{told}\n{story}");
    }
    assert!(world.planet.ledger().is_empty());
    world.check().await;
}

/// An address lasts a week from the planned time; what is still under way then has a new one.
#[tokio::test(flavor = "multi_thread")]
async fn post_that_waits_longer_than_its_address_lasts_gives_another() {
    let world = World::new().await;
    world.set_grace(30 * 24 * 3_600).await;
    for (network, file) in FETCHED {
        let account = world.connect(network, "robin").await;
        let (media, _) = own(&world, file, network).await;
        let wait = Some(Duration::from_secs(9 * 24 * 3_600));
        let fault = Fault::new(FaultKind::Throttle, Operation::Upload);
        world.planet.sandbox.inject(Fault { retry_after: wait, ..fault });
        let delivery = world.post(look(media), account.id, PlanRequest::Now, 5).await;
        world.told(&delivery, "A limit is reached").await;
        world.planet.turn(9 * 24 * 3_600);
        world.until(delivery.id, published).await;
        assert_eq!(world.planet.texts(&account).last().map(String::as_str), Some("Look"));
    }
    world.check().await;
}
