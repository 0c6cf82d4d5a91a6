//! The whole store on a real disk: opened again, in the wrong hands, damaged, emptied, migrated.

use std::{collections::BTreeMap, fs, ops::Bound, path::Path, sync::Arc};

use proptest::prelude::*;

use crate::{
    domain::{
        audit::Signed,
        event::{Event, EventKind},
        ids::{AccountId, OrganizationId, PostId},
        mortality::Mortality,
        organization::Actor,
        secret::Secret,
        time::Timestamp,
    },
    store::{
        Error, Key, KeyRing, MasterKey, Memory, Opened, Order, Owner, Read, Sealed, Settings, Span,
        Store, Table, View,
        keys::Timer,
        kv::{Kv, Sled},
        migrations::{STEPS, Step, VERSION, version_key},
        shelf::{Shelf, Write},
        vault::Vault,
    },
};

fn settings(directory: &Path) -> Settings {
    Settings {
        directory: directory.to_owned(),
        cache_bytes: 8 << 20,
        vault_keys: keys(1, &[]),
        mortality: Mortality::default(),
    }
}

fn keys(current: u8, retired: &[u8]) -> KeyRing {
    let key = |byte: u8| MasterKey::from_bytes([byte; 32]);
    KeyRing { current: key(current), retired: retired.iter().copied().map(key).collect() }
}

fn open(directory: &Path) -> Result<Opened, Error> {
    Store::open(settings(directory))
}

fn refusal(directory: &Path) -> Error {
    open(directory).err().expect("it is refused")
}

fn post(number: u128) -> Key {
    Key::Post(OrganizationId(1), PostId(number))
}

async fn put(store: &Store, number: u128, length: usize) {
    store.commit("put", move |view| view.put(&post(number), vec![7; length])).await.unwrap();
}

#[tokio::test]
async fn what_was_answered_is_there_after_opening_again_in_a_later_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    for (number, length) in [(1, 0), (2, 4_096), (3, 1 << 20)] {
        put(&first.store, number, length).await;
    }
    drop(first.store);
    let second = open(directory.path()).unwrap();
    assert_eq!(second.epoch, first.epoch + 1);
    for (number, length) in [(1, 0), (2, 4_096), (3, 1 << 20)] {
        assert_eq!(second.store.get(&post(number)).unwrap(), Some(vec![7; length]));
    }
}

#[tokio::test]
async fn second_opening_of_a_directory_in_use_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    assert!(matches!(refusal(directory.path()), Error::InUse { .. }));
    put(&first.store, 1, 1).await;
}

#[tokio::test]
async fn wrong_vault_key_is_refused_and_a_rotated_one_opens_what_the_old_one_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let owner = Owner::Account(AccountId(2));
    let organization = OrganizationId(1);
    let store = open(directory.path()).unwrap().store;
    let its = owner.clone();
    store
        .commit("connect", move |view| {
            view.put_secret(organization, &its, "access", &Secret::new("token"))
        })
        .await
        .unwrap();
    drop(store);

    let strange = Settings { vault_keys: keys(2, &[]), ..settings(directory.path()) };
    let error = Store::open(strange.clone()).err().unwrap();
    assert!(matches!(error, Error::WrongKey));
    assert!(error.to_string().contains("Give the key that this store was made with"));

    let rotated = Settings { vault_keys: keys(2, &[1]), ..strange.clone() };
    let store = Store::open(rotated.clone()).unwrap().store;
    let secret = store.secret(organization, &owner, "access").unwrap().unwrap();
    assert_eq!(secret.expose(), "token");
    drop(store);
    // The old key is still needed, so it may not be left out.
    assert!(matches!(Store::open(strange.clone()).err(), Some(Error::WrongKey)));

    let store = Store::open(rotated).unwrap().store;
    let look = store.sealed(Table::Secrets, None, 9).unwrap();
    assert_eq!(look.sealed, Sealed { retired: 1, ..Sealed::default() });
    store
        .commit("seal anew", move |view| {
            look.due.iter().try_for_each(|key| view.reseal(key))?;
            view.adopt_key()
        })
        .await
        .unwrap();
    let look = store.sealed(Table::Secrets, None, 9).unwrap();
    assert_eq!((look.sealed, look.due), (Sealed { current: 1, ..Sealed::default() }, vec![]));
    drop(store);
    let store = Store::open(strange).unwrap().store;
    assert_eq!(store.secret(organization, &owner, "access").unwrap().unwrap().expose(), "token");
    drop(store);
    assert!(matches!(open(directory.path()).err(), Some(Error::WrongKey)));
}

#[tokio::test]
async fn emptied_store_is_not_taken_for_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    fs::remove_dir_all(directory.path().join("store")).unwrap();
    let error = refusal(directory.path());
    assert!(matches!(error, Error::Emptied { .. }));
    assert!(error.to_string().contains("from a backup"), "{error}");
}

#[tokio::test]
async fn older_copy_of_the_store_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy");
    let (live, born) = (directory.path().join("data"), directory.path().join("data/born"));
    drop(open(&live).unwrap());
    copy_files(&live.join("store"), &copy);
    let store = open(&live).unwrap().store;
    put(&store, 1, 1).await;
    store.checkpoint().await.unwrap();
    drop(store);
    fs::remove_dir_all(live.join("store")).unwrap();
    copy_files(&copy, &live.join("store"));
    let error = refusal(&live);
    assert!(matches!(error, Error::Older { found: 1, expected: 3, .. }), "{error}");
    fs::remove_file(born).unwrap();
    open(&live).unwrap();
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Wherever the damage is, there is an answer: a sentence, or a store that opens and reads.
#[tokio::test]
async fn damaged_file_is_answered_with_a_sentence_and_never_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let live = directory.path().join("data");
    let store = open(&live).unwrap().store;
    for number in 0..300 {
        put(&store, number, 700).await;
    }
    drop(store);
    let whole = fs::read(live.join("store/db")).unwrap();
    let mut refused = 0;
    for part in 0..8 {
        let mut damaged = whole.clone();
        let from = part * (250_000.min(whole.len()) / 8);
        for (at, byte) in damaged[from..].iter_mut().take(2_000).enumerate() {
            *byte ^= u8::try_from(at * 31 % 251).unwrap() | 1;
        }
        let target = directory.path().join(format!("damaged-{part}"));
        copy_files(&live, &target);
        fs::write(target.join("store/db"), damaged).unwrap();
        match open(&target) {
            Ok(opened) => {
                let span = Span::table(Table::Posts);
                let _ = opened.store.scan(&span, Order::Ascending, usize::MAX);
            }
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains("backup") || text.contains("copy"), "{text}");
            }
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn newer_store_is_refused_by_an_older_program() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    set_version(directory.path(), VERSION + 1);
    let error = refusal(directory.path());
    assert!(matches!(error, Error::Newer { .. }));
    assert!(error.to_string().contains("backups"), "{error}");
}

fn set_version(directory: &Path, version: u32) {
    let shelf = raw(directory);
    let value = Some(version.to_be_bytes().to_vec());
    apply(&shelf, version_key(), value);
}

fn raw(directory: &Path) -> Shelf {
    Shelf::new(Arc::new(Sled::open(&directory.join("store"), 8 << 20).unwrap()))
}

fn apply(shelf: &Shelf, key: Key, value: Option<Vec<u8>>) {
    shelf.apply(std::iter::once((key.encode(), Write { value, stale: 0 }))).unwrap();
    shelf.sync().unwrap();
}

/// Doubles every post that is not doubled yet.
const DOUBLING: Step = Step {
    to: 1,
    run: |shelf| {
        for (key, value) in Read::scan(shelf, &Span::table(Table::Posts), Order::Ascending, 99)? {
            if value.len() == 1 {
                let value = Some(vec![value[0], value[0]]);
                shelf.apply(std::iter::once((key.encode(), Write { value, stale: 0 })))?;
            }
        }
        Ok(())
    },
};

#[tokio::test]
async fn older_store_is_copied_and_then_brought_forward_step_by_step() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    set_version(directory.path(), 0);
    let old = raw(directory.path());
    apply(&old, post(1), Some(vec![1]));
    // As an upgrade that was cut short would have left it.
    apply(&old, post(2), Some(vec![2, 2]));
    drop(old);

    let opened = Store::open_with(settings(directory.path()), &[DOUBLING]).unwrap();
    for number in [1, 2] {
        assert_eq!(opened.store.get(&post(number)).unwrap().unwrap().len(), 2);
    }
    drop(opened);
    let failing = Step { to: 1, run: |_| panic!("it is current already") };
    Store::open_with(settings(directory.path()), &[failing]).unwrap();

    let copies: Vec<_> = fs::read_dir(directory.path().join("backups")).unwrap().collect();
    assert_eq!(copies.len(), 1);
    let copy =
        Shelf::new(Arc::new(Sled::open(&copies[0].as_ref().unwrap().path(), 1 << 20).unwrap()));
    assert_eq!(Read::get(&copy, &post(1)).unwrap(), Some(vec![1]));
    assert_eq!(Read::get(&copy, &version_key()).unwrap(), Some(vec![0; 4]));
}

#[test]
fn steps_are_numbered_without_gaps_up_to_the_version_that_is_written() {
    let numbers: Vec<u32> = STEPS.iter().map(|step| step.to).collect();
    let first = VERSION + 1 - u32::try_from(STEPS.len()).unwrap();
    assert_eq!(numbers, (first..=VERSION).collect::<Vec<_>>());
}

fn event(organization: u128) -> Event {
    Event {
        organization: OrganizationId(organization),
        sequence: 0,
        at: Timestamp(1),
        actor: Actor::Engine,
        from: None,
        post: None,
        delivery: None,
        account: None,
        kind: EventKind::PostCreated,
        text: "planned".to_owned(),
        hash: None,
    }
}

#[tokio::test]
async fn events_are_counted_from_one_without_gaps_in_each_organization() {
    let memory = Memory::default();
    let opened =
        Store::in_memory(memory, MasterKey::from_bytes([1; 32]), Mortality::default()).unwrap();
    let append = |view: &mut View| {
        Ok::<_, Error>([view.append_event(event(1))?, view.append_event(event(2))?])
    };
    assert_eq!(opened.store.commit("first", append).await.unwrap(), [1, 1]);
    let refused: Result<(), _> = opened
        .store
        .commit("refused", move |view| {
            append(view)?;
            Err(Error::WrongKey)
        })
        .await;
    refused.unwrap_err();
    assert_eq!(opened.store.commit("second", append).await.unwrap(), [2, 2]);

    let tenant = opened.store.organization(OrganizationId(1));
    let sequences =
        |events: Vec<Event>| events.iter().map(|event| event.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(tenant.events_before(None, 9).unwrap()), [2, 1]);
    assert_eq!(sequences(tenant.events_before(Some(2), 9).unwrap()), [1]);
    assert_eq!(sequences(tenant.events_after(1, 9).unwrap()), [2]);
    assert!(tenant.events_after(2, 9).unwrap().is_empty());
    assert!(tenant.events_after(0, 9).unwrap().iter().all(|event| event.organization.0 == 1));
}

#[tokio::test]
async fn ends_of_the_audit_that_are_not_signed_are_not_made_right_by_what_comes_later() {
    let memory = Memory::default();
    let opened =
        Store::in_memory(memory, MasterKey::from_bytes([1; 32]), Mortality::default()).unwrap();
    let (store, id) = (opened.store, OrganizationId(1));
    let append = |view: &mut View| view.append_event(event(1));
    for _ in 0..3 {
        store.commit("append", append).await.unwrap();
    }
    assert!(matches!(store.audit_ends(id).unwrap().head, Some(Signed::Right(_))));
    // By whoever can write to the store, and has no key.
    let forge = move |view: &mut View| {
        for key in [Key::Sequence(id), Key::Anchor(id)] {
            let mut mark = view.get(&Key::Sequence(id))?.unwrap();
            *mark.last_mut().unwrap() ^= 1;
            view.put(&key, mark)?;
        }
        Ok::<_, Error>(())
    };
    store.commit("forge", forge).await.unwrap();
    assert_eq!(store.commit("append", append).await.unwrap(), 4);
    assert_eq!(store.commit("append", append).await.unwrap(), 5);
    let prune = move |view: &mut View| view.prune_events(id, Timestamp(2), 2);
    assert_eq!(store.commit("prune", prune).await.unwrap(), 2);
    let ends = store.audit_ends(id).unwrap();
    assert!(matches!(ends.head, Some(Signed::Wrong { sequence: 5 })), "{ends:?}");
    assert!(matches!(ends.anchor, Some(Signed::Wrong { .. })), "{ends:?}");
}

#[tokio::test]
async fn timers_come_earliest_first_whoever_they_belong_to() {
    let memory = Memory::default();
    let store = Store::in_memory(memory, MasterKey::from_bytes([1; 32]), Mortality::default());
    let store = store.unwrap().store;
    let timer = |due, organization| Timer {
        due: Timestamp(due),
        organization: OrganizationId(organization),
        id: 7,
        kind: 1,
    };
    assert_eq!(store.next_timer().unwrap(), None);
    store
        .commit("plan", move |view| {
            view.put_timer(timer(30, 1))?;
            view.put_timer(timer(10, 9))?;
            view.put_timer(timer(20, 5))
        })
        .await
        .unwrap();
    assert_eq!(store.next_timer().unwrap(), Some(timer(10, 9)));
    assert_eq!(store.timers_due(Timestamp(20), 9).unwrap(), [timer(10, 9), timer(20, 5)]);
    assert_eq!(store.timers_due(Timestamp(20), 1).unwrap(), [timer(10, 9)]);
    store.commit("fire", move |view| view.delete_timer(timer(10, 9))).await.unwrap();
    assert_eq!(store.timers_due(Timestamp(29), 9).unwrap(), [timer(20, 5)]);
}

/// Writes of one batch, by the number of a key; `None` deletes.
type Batch = Vec<(u8, Option<usize>)>;

fn any_batches() -> impl Strategy<Value = Vec<Batch>> {
    let length = prop_oneof![0..20_usize, 4_090..4_100_usize, 0..20_000_usize];
    let write = (0..24_u8, prop::option::weighted(0.7, length));
    prop::collection::vec(prop::collection::vec(write, 1..12), 1..12)
}

fn play(kv: Arc<dyn Kv>, batches: &[Batch]) -> Shelf {
    let shelf = Shelf::new(kv);
    let vault = Arc::new(Vault::new(MasterKey::from_bytes([1; 32]), Vec::new()));
    let mut view = View::new(shelf.clone(), vault);
    for batch in batches {
        for (number, length) in batch {
            let value = length.map(|length| vec![*number; length]);
            match value {
                Some(value) => view.put(&post((*number).into()), value).unwrap(),
                None => view.delete(&post((*number).into())).unwrap(),
            }
        }
        view.keep();
        view.apply().unwrap();
    }
    shelf.sync().unwrap();
    shelf
}

fn all(shelf: &Shelf, span: &Span, order: Order, limit: usize) -> Vec<(Key, Vec<u8>)> {
    Read::scan(shelf, span, order, limit).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn sled_and_memory_agree_with_a_plain_map_also_after_opening_again(
        batches in any_batches(),
        from in 0..24_u128,
        until in 0..24_u128,
        limit in 0..30_usize,
    ) {
        let mut model = BTreeMap::new();
        for (number, length) in batches.iter().flatten() {
            match length {
                Some(length) => model.insert(post((*number).into()), vec![*number; *length]),
                None => model.remove(&post((*number).into())),
            };
        }
        let span = Span::organization(Table::Posts, OrganizationId(1))
            .after(&post(from))
            .before(&post(until));
        let inside: Vec<_> = if from < until {
            let range = (Bound::Excluded(post(from)), Bound::Excluded(post(until)));
            model.range(range).map(|(key, value)| (key.clone(), value.clone())).collect()
        } else {
            Vec::new()
        };
        let forward: Vec<_> = inside.iter().take(limit).cloned().collect();
        let backward: Vec<_> = inside.iter().rev().take(limit).cloned().collect();
        let everything: Vec<_> = model.clone().into_iter().collect();
        let check = |shelf: &Shelf| {
            assert_eq!(all(shelf, &Span::everything(), Order::Ascending, usize::MAX), everything);
            assert_eq!(all(shelf, &span, Order::Ascending, limit), forward);
            assert_eq!(all(shelf, &span, Order::Descending, limit), backward);
        };

        let memory = Memory::default();
        check(&play(Arc::new(memory.clone()), &batches));
        let long = |value: &Vec<u8>| 1 + value.len().saturating_sub(3).saturating_sub(1) / 4_096;
        prop_assert!(memory.rows() <= model.values().map(long).sum::<usize>() + model.len());

        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("store")).unwrap();
        let shelf = play(raw_kv(directory.path()), &batches);
        check(&shelf);
        drop(shelf);
        check(&raw(directory.path()));
    }
}

fn raw_kv(directory: &Path) -> Arc<dyn Kv> {
    Arc::new(Sled::open(&directory.join("store"), 8 << 20).unwrap())
}
