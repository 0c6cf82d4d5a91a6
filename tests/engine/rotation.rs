//! The vault's key is changed while the engine works, and whoever dies meanwhile goes on.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use fanfare::{
    domain::{event::EventKind, mortality::Mortality, organization::Actor, secret::Secret},
    engine::{Engine, Place, Settings, Urgency},
};

use crate::world::{Planet, connect, found, post_now, published, until};

async fn engine_in(planet: &Planet, data: &Path, mortality: Mortality) -> Result<Engine, String> {
    start(planet, data, mortality, None).await
}

/// What the engine before held is let go of when the last of its tasks has ended.
async fn start(
    planet: &Planet,
    data: &Path,
    mortality: Mortality,
    key: Option<&str>,
) -> Result<Engine, String> {
    for _ in 0..100 {
        let tune = |settings: &mut Settings| {
            settings.data = Place::Directory(data.to_owned());
            settings.vault_key = key.map(Secret::new);
        };
        match planet.engine_with(mortality.clone(), tune).await {
            Err(cause) if cause.starts_with("another Fanfare") => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
    Err("the engine before does not let go".to_owned())
}

fn keys(data: &Path) -> Vec<String> {
    let text = fs::read_to_string(data.join("vault.key")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_seals_everything_and_the_old_one_is_forgotten_a_day_later() {
    let (planet, data) = (Planet::new().await, tempfile::tempdir().unwrap());
    let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
    let caller = found(&engine).await;
    let account = connect(&planet, &engine, &caller, "mastodon", "ada").await;
    let before = engine.vault(&caller).unwrap();
    assert!(before.sealed.current > 0 && before.until.is_none());
    let old = keys(data.path());

    let rotated = engine.rotate_vault(&caller, Urgency::Usual).await.unwrap();
    assert_ne!(rotated.key, before.key);
    assert_eq!(rotated.sealed.current, before.sealed.current);
    assert_eq!((rotated.sealed.retired, rotated.sealed.strange), (0, 0));
    let both = keys(data.path());
    assert_eq!((both.len(), &both[1]), (2, &old[0]));
    let again = engine.rotate_vault(&caller, Urgency::Usual).await.unwrap_err();
    assert!(again.sentence.contains("still kept"), "{}", again.sentence);
    assert_eq!(keys(data.path()), both);
    // Tokens are used, and the audit is whole, with the new key.
    let post = post_now(&engine, &caller, account.id, "With the new key").await;
    until(&engine, &caller, post, published).await;
    assert_eq!(engine.verify_audit(&caller).await.unwrap().flaw, None);

    planet.turn(25 * 3_600);
    planet.end(engine).await;
    let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
    for _ in 0..400 {
        if keys(data.path()).len() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(keys(data.path()), both[..1]);
    assert!(engine.vault(&caller).unwrap().until.is_none());
    planet.end(engine).await;
    // The old key alone opens nothing any more.
    fs::write(data.path().join("vault.key"), &old[0]).unwrap();
    let refused = engine_in(&planet, data.path(), Mortality::default()).await.err().unwrap();
    assert!(refused.contains("Give the key that this store was made with"), "{refused}");
    fs::write(data.path().join("vault.key"), &both[0]).unwrap();
    let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
    let post = post_now(&engine, &caller, account.id, "And after that").await;
    until(&engine, &caller, post, published).await;
    assert_eq!(engine.verify_audit(&caller).await.unwrap().flaw, None);
    let told = engine.events(&caller, 0, 1_000).unwrap().events;
    let told = told.iter().filter(|event| event.kind == EventKind::VaultRotated);
    let actors: Vec<_> = told.map(|event| &event.actor).collect();
    assert!(matches!(actors[..], [Actor::Key(_), Actor::Engine]), "{actors:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_before_any_commit_of_a_rotation_loses_no_token() {
    let (mut died, mut finished) = (0, BTreeSet::new());
    for n in 1..=8 {
        let (planet, data) = (Planet::new().await, tempfile::tempdir().unwrap());
        let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
        let caller = found(&engine).await;
        let account = connect(&planet, &engine, &caller, "mastodon", "ada").await;
        planet.end(engine).await;
        let mortality = Mortality::mortal();
        let engine = engine_in(&planet, data.path(), mortality.clone()).await.unwrap();
        mortality.die_at_commit(n);
        let _ = engine.rotate_vault(&caller, Urgency::Leaked).await;
        died += usize::from(mortality.is_dead());
        planet.end(engine).await;
        let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
        let post = post_now(&engine, &caller, account.id, "Still here").await;
        until(&engine, &caller, post, published).await;
        let vault = engine.vault(&caller).unwrap();
        assert_eq!(vault.sealed.strange, 0, "death before commit {n}");
        assert_eq!(engine.verify_audit(&caller).await.unwrap().flaw, None, "commit {n}");
        planet.turn(3_600);
        planet.end(engine).await;
        let engine = engine_in(&planet, data.path(), Mortality::default()).await.unwrap();
        for _ in 0..400 {
            let view = engine.vault(&caller).unwrap();
            if view.until.is_none() || view.sealed.retired == 0 && keys(data.path()).len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let view = engine.vault(&caller).unwrap();
        assert_eq!((view.sealed.retired, view.sealed.strange), (0, 0), "commit {n}");
        finished.insert(view.until.is_none());
        planet.end(engine).await;
    }
    assert!(died >= 3, "only {died} died");
    assert!(finished.contains(&true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_fanfare_cannot_write_is_changed_by_hand_and_sealed_anew_at_the_start() {
    let (planet, data) = (Planet::new().await, tempfile::tempdir().unwrap());
    let [one, two] = [1_u8, 2].map(|byte| format!("{byte:02x}").repeat(32));
    let start =
        async |key: &str| start(&planet, data.path(), Mortality::default(), Some(key)).await;
    let engine = start(&one).await.unwrap();
    let caller = found(&engine).await;
    let account = connect(&planet, &engine, &caller, "mastodon", "ada").await;
    let refused = engine.rotate_vault(&caller, Urgency::Usual).await.unwrap_err();
    assert!(refused.remedy.contains("Put a new key before the old one"), "{}", refused.remedy);
    planet.end(engine).await;

    let engine = start(&format!("{two} {one}")).await.unwrap();
    for _ in 0..400 {
        if engine.vault(&caller).unwrap().sealed.retired == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let post = post_now(&engine, &caller, account.id, "Hello").await;
    until(&engine, &caller, post, published).await;
    planet.end(engine).await;
    // Too early: what is signed with the old key may still be needed for a day.
    assert!(start(&two).await.is_err());
    planet.turn(25 * 3_600);
    let mut opened = None;
    for _ in 0..20 {
        let engine = start(&format!("{two} {one}")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        planet.end(engine).await;
        // Refused until nothing needs the old key.
        opened = start(&two).await.ok();
        if opened.is_some() {
            break;
        }
    }
    let engine = opened.expect("the new key is the store's");
    assert_eq!(engine.vault(&caller).unwrap().sealed.retired, 0);
}
