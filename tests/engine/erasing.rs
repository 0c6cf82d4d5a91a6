//! Erasing an organization: its media go with it, a death on the way only means to go on, and
//! nobody else loses anything.

use std::{fs, path::Path, time::Duration};

use fanfare::{
    clock::Clock,
    domain::{event::EventKind, mortality::Mortality, secret::Secret},
    engine::{
        Engine, Place, Settings,
        facade::{AppOf, AppSetting, Caller, Orphans, PlanRequest},
    },
};

use crate::world::{Planet, connect, found, part, png, upload};

const DAY: i64 = 24 * 3_600;

/// What there is to erase of an organization: an account with its tokens, an app with its secret, a
/// file, a post, and a sign-in that was begun.
async fn settle(planet: &Planet, engine: &Engine, client: &Caller) {
    let account = connect(planet, engine, client, "mastodon", "ada").await;
    let client_secret = Some(Secret::new("planted-secret"));
    let app = AppSetting { client_id: "own".to_owned(), client_secret };
    engine.set_app(client, AppOf::Organization, "x", app, Orphans::Refused).await.unwrap();
    let picture = upload(engine, client, &png(1)).await;
    let late = planet.clock.now().after(Duration::from_secs(400 * 86_400));
    let post = fanfare::engine::facade::NewPost {
        content: fanfare::domain::post::Content {
            parts: vec![part("Never", &[picture])],
            ..Default::default()
        },
        variants: Default::default(),
        targets: vec![account.id],
        plan: PlanRequest::At(late),
        priority: 5,
    };
    engine.create_post(client, post, None).await.unwrap();
}

fn files_in(directory: &Path) -> usize {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

async fn becomes(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not so after half a minute");
}

fn has(engine: &Engine, caller: &Caller, kind: EventKind) -> bool {
    let events = engine.events(caller, 0, 1_000).unwrap().events;
    events.iter().any(|event| event.kind == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn media_of_a_deleted_organization_are_gone_after_its_grace_and_nobody_else_s() {
    let mut planet = Planet::new().await;
    planet.clock = Clock::scaled(7_200);
    let data = tempfile::tempdir().unwrap();
    let place = |settings: &mut Settings| {
        settings.data = Place::Directory(data.path().to_owned());
    };
    let engine = planet.engine_with(Mortality::default(), place).await.unwrap();
    let caller = found(&engine).await;
    let made = engine.create_organization(&caller, "Client", None).await.unwrap();
    let client = engine.authenticate(made.key.expose()).unwrap();
    settle(&planet, &engine, &client).await;
    let (shared, own) = (png(1), png(2));
    let shared = upload(&engine, &caller, &shared).await;
    let own = upload(&engine, &caller, &own).await;
    upload(&engine, &client, &png(3)).await;
    let media = data.path().join("media");
    assert_eq!(files_in(&media), 3, "equal files are kept once");

    engine.delete_organization(&caller, made.organization).await.unwrap();
    engine.clock().turn(8 * DAY * 1_000);
    becomes("erased", || has(&engine, &caller, EventKind::OrganizationErased)).await;
    // Whoever is about to name a file has an hour for it.
    engine.clock().turn(DAY * 1_000);
    becomes("only the file of the client alone is gone", || files_in(&media) == 2).await;
    engine.clock().turn(DAY * 1_000);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(files_in(&media), 2);
    for id in [shared, own] {
        assert!(engine.media(&caller, id).is_ok());
    }
    planet.end(engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn death_before_any_commit_of_an_erasure_only_means_to_go_on() {
    let mut died = 0;
    for n in 1..=16 {
        let mut planet = Planet::new().await;
        planet.clock = Clock::scaled(7_200);
        let engine = planet.engine(Mortality::default()).await;
        let caller = found(&engine).await;
        let account = connect(&planet, &engine, &caller, "mastodon", "bob").await;
        let made = engine.create_organization(&caller, "Client", None).await.unwrap();
        let id = made.organization;
        let client = engine.authenticate(made.key.expose()).unwrap();
        settle(&planet, &engine, &client).await;
        engine.delete_organization(&caller, id).await.unwrap();
        planet.end(engine).await;
        planet.turn(8 * DAY);
        let mortality = Mortality::mortal();
        mortality.die_at_commit(n);
        // The start itself may be what dies.
        if let Ok(engine) = planet.try_engine(mortality.clone()).await {
            becomes("dead, or erased", || {
                mortality.is_dead() || has(&engine, &caller, EventKind::OrganizationErased)
            })
            .await;
            planet.end(engine).await;
        }
        died += u32::from(mortality.is_dead());

        let engine = planet.engine(Mortality::default()).await;
        becomes("erased", || has(&engine, &caller, EventKind::OrganizationErased)).await;
        let (in_keys, in_values) = (id.0.to_be_bytes(), id.0.to_le_bytes());
        for (key, value) in planet.memory.copy() {
            assert!(!key.windows(16).any(|part| part == in_keys), "{n}: a key is left: {key:?}");
            assert!(!value.windows(16).any(|part| part == in_values), "{n}: left: {key:?}");
        }
        let told = engine.events(&caller, 0, 1_000).unwrap().events;
        let erased = told.iter().filter(|event| event.kind == EventKind::OrganizationErased);
        assert_eq!(erased.count(), 1, "death before commit {n}");
        assert_eq!(engine.verify_audit(&caller).await.unwrap().flaw, None, "commit {n}");
        assert_eq!(engine.account(&caller, account.id).unwrap().connection, account.connection);
        assert!(engine.contradictions().await.unwrap().is_empty(), "commit {n}");
        planet.end(engine).await;
    }
    assert!(died >= 8, "only {died} died");
}
