//! Carries a new vault key through the store: everything that the old one sealed is sealed anew,
//! piece by piece, while everybody works on; then the old one is forgotten.
//!
//! Invariants:
//! - both keys are written down before the new one seals anything, and the old one is written down
//!   until nothing is sealed with it: a death at any commit only means to go on;
//! - the store says that it is the new key's only when nothing needs the old one.

use std::{path::Path, time::Duration};

use crate::{
    domain::{
        event::EventKind, ids::OrganizationId, organization::Actor, problem::Problem,
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        journal::{self, Tale},
        origin,
    },
    store::{Key, KeyRing, MasterKey, Read, Sealed, Store, View},
};

/// What the old key has signed, such as an address from which a platform fetches a film, is good as
/// long as this.
const SIGNATURES_LAST: Duration = Duration::from_secs(24 * 3_600);

/// What is being sealed when the key changes is committed by then.
const SEALING_LASTS: Duration = Duration::from_secs(120);

/// How soon to look again while an old key is to be forgotten.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

const AT_ONCE: usize = 200;

/// How urgent it is that an old key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    Usual,
    /// Somebody else may have it. Addresses of files that are out end with it.
    Leaked,
}

/// Writes a new key down and lets it seal from now on. `file` is where the keys are.
pub(super) async fn rotate(
    core: &Core,
    file: &Path,
    home: OrganizationId,
    actor: &Actor,
    urgency: Urgency,
) -> Result<(), Problem> {
    let vault = core.store.vault();
    let KeyRing { current, mut retired } = vault.ring();
    retired.insert(0, current);
    let ring = KeyRing { current: MasterKey::generate(), retired };
    let (file, written) = (file.to_owned(), ring.clone());
    blocking(move || written.replace(&file)).await?;
    vault.rotate(ring.current);
    let now = core.now();
    let lasts = if urgency == Urgency::Leaked { SEALING_LASTS } else { SIGNATURES_LAST };
    let (actor, until) = (actor.clone(), now.after(lasts));
    let origin = origin::current();
    // Waits for room: the key is changed already, so it may not be answered that nothing was.
    let noted = core.commit("rotate the vault's key", move |view| {
        view.comes_from(origin);
        view.put(&until_key(), until.0.to_be_bytes().to_vec())?;
        let text = "The vault has a new key; everything is being sealed anew with it.";
        journal::tell(view, Tale::of(home, now, &actor, EventKind::VaultRotated, text))?;
        Ok(())
    });
    noted.await.map_err(Problem::from)
}

/// Seals anew what is left, and forgets the old keys when their time has come. Whether there is
/// more to do later.
pub(super) async fn tend(core: &Core, file: Option<&Path>) -> Result<bool, Halt> {
    if !core.store.vault().has_retired() {
        // Left by a death after the old key was, or by whoever took it out by hand; the next old
        // key has a time of its own.
        if until(core)?.is_some() {
            core.commit("no old vault key is left", |view| Ok(view.delete(&until_key())?)).await?;
        }
        return Ok(false);
    }
    reseal(core).await?;
    let sealed = count(core)?;
    let now = core.now();
    let until = match until(core)? {
        Some(until) => until,
        // Somebody put a new key before the old one by hand.
        None => {
            let until = now.after(SIGNATURES_LAST);
            core.commit("a new vault key was found", move |view| {
                Ok(view.put(&until_key(), until.0.to_be_bytes().to_vec())?)
            })
            .await?;
            until
        }
    };
    if sealed.retired > 0 || now < until {
        return Ok(true);
    }
    core.commit("the vault's new key is the store's", |view| Ok(view.adopt_key()?)).await?;
    forget(core, file).await
}

/// How much is sealed with which key.
pub(super) fn count(core: &Core) -> Result<Sealed, Halt> {
    let mut sealed = Sealed::default();
    for table in Store::SEALED {
        let mut after = None;
        loop {
            let look = core.store.sealed(table, after.as_ref(), AT_ONCE)?;
            sealed = sealed.and(look.sealed);
            after = look.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(sealed)
}

/// When old keys may be forgotten, if there are any.
pub(super) fn until(core: &Core) -> Result<Option<Timestamp>, Halt> {
    let row = core.store.get(&until_key())?;
    let until = row.and_then(|row| <[u8; 8]>::try_from(row).ok());
    Ok(until.map(|until| Timestamp(u64::from_be_bytes(until))))
}

async fn reseal(core: &Core) -> Result<(), Halt> {
    for table in Store::SEALED {
        let mut after = None;
        loop {
            let look = core.store.sealed(table, after.as_ref(), AT_ONCE)?;
            if !look.due.is_empty() {
                let due = look.due;
                core.commit("seal anew", move |view| {
                    due.iter().try_for_each(|key| Ok(view.reseal(key)?))
                })
                .await?;
            }
            after = look.next;
            if after.is_none() {
                break;
            }
        }
    }
    for organization in core.store.organizations(None, usize::MAX)? {
        let id = organization.id;
        core.commit("sign the audit anew", move |view| Ok(view.sign_again(id)?)).await?;
    }
    Ok(())
}

/// Keys that somebody else keeps are theirs to remove.
async fn forget(core: &Core, file: Option<&Path>) -> Result<bool, Halt> {
    let Some(file) = file.map(Path::to_owned) else {
        tracing::info!("nothing needs the old vault key any more: remove it from the settings");
        return Ok(false);
    };
    let KeyRing { current, .. } = core.store.vault().ring();
    let alone = KeyRing { current, retired: Vec::new() };
    let path = file.clone();
    if let Err(problem) = blocking(move || alone.replace(&path)).await {
        let (file, why) = (file.display(), problem.sentence);
        tracing::warn!("nothing needs the old vault key any more: remove it from {file} ({why})");
        return Ok(false);
    }
    core.store.vault().forget_retired();
    let now = core.now();
    core.commit("the old vault key is forgotten", move |view: &mut View| {
        view.delete(&until_key())?;
        let Some(home) = view.organizations(None, 1)?.pop() else { return Ok(()) };
        let text = "Everything is sealed with the new vault key; the old one is forgotten.";
        let kind = EventKind::VaultRotated;
        journal::tell(view, Tale::of(home.id, now, &Actor::Engine, kind, text))?;
        Ok(())
    })
    .await?;
    tracing::info!("everything is sealed with the new vault key; the old one is forgotten");
    Ok(false)
}

fn until_key() -> Key {
    Key::Meta { name: "vault-until".to_owned() }
}

async fn blocking(
    work: impl FnOnce() -> Result<(), crate::store::Error> + Send + 'static,
) -> Result<(), Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| not_written(&error.to_string())),
        Err(error) => Err(not_written(&error.to_string())),
    }
}

fn not_written(cause: &str) -> Problem {
    Problem::new(
        crate::domain::problem::Code::Conflict,
        format!("The vault's key cannot be changed where it is kept: {cause}."),
        BY_HAND,
    )
}

/// Where Fanfare cannot write.
pub(super) const BY_HAND: &str = "Put a new key before the old one, with white space between them, \
     where the key comes from, and start Fanfare again: it seals everything anew, and `fanfare \
     vault status` says when the old one may go.";
