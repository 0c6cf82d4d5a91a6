//! Throws away what nobody needs any more, and notes how far the store has come.
//!
//! Owns: which media files nobody named an hour ago; one that nobody names now either is deleted. A
//! file is on disk before the record that names it, so one look alone proves nothing. One that is
//! uploaded again between a look and its deletion stays: `store::MediaFiles` sees to that.

use std::{collections::HashSet, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::{
    domain::{event::EventKind, organization, time::Timestamp},
    engine::{
        core::{Core, Halt},
        erasing,
        facade::sessions::is_over,
        journal::{self, Tale},
        keeper,
    },
    store::{Key, Read, ReadPeople},
};

pub(super) struct JanitorActor;

pub(super) enum JanitorMessage {
    /// From our own timer.
    Round,
    /// The vault has a new key: from whoever changed it, and from our own timer.
    Vault,
}

pub(super) struct JanitorState {
    core: Core,
    unnamed: HashSet<[u8; 32]>,
    /// When the log was last told of API versions that end.
    warned: Option<Timestamp>,
}

const ROUND: Duration = Duration::from_secs(3_600);

/// How long a request with an idempotency key is recognised.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3_600);

const WARN_EVERY: Duration = Duration::from_secs(24 * 3_600);

const PRUNE_EVERY: Duration = Duration::from_secs(24 * 3_600);

const AT_ONCE: usize = 200;

impl Actor for JanitorActor {
    type Msg = JanitorMessage;
    type State = JanitorState;
    type Arguments = Core;

    async fn pre_start(
        &self,
        myself: ActorRef<JanitorMessage>,
        core: Core,
    ) -> Result<JanitorState, ActorProcessingErr> {
        next_round(&core, &myself);
        // An old key may be left from the last run, or was put there or taken out by hand.
        myself.cast(JanitorMessage::Vault)?;
        let mut state = JanitorState { core, unnamed: HashSet::new(), warned: None };
        state.warn_of_versions();
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<JanitorMessage>,
        message: JanitorMessage,
        state: &mut JanitorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            JanitorMessage::Round => {}
            JanitorMessage::Vault => {
                tend_vault(&state.core, &myself).await;
                return Ok(());
            }
        }
        // Nobody's post may wait for what is only tidiness: the next round tries again.
        if let Err(error) = state.tidy_up().await {
            tracing::error!(%error, "not everything that is old could be thrown away");
        }
        state.warn_of_versions();
        if let Err(error) = state.core.store.checkpoint().await {
            tracing::warn!(%error, "the hourly checkpoint was not written");
        }
        next_round(&state.core, &myself);
        Ok(())
    }
}

/// Comes back until no old key is left.
async fn tend_vault(core: &Core, myself: &ActorRef<JanitorMessage>) {
    let turn = core.rotating.lock().await;
    let again = match keeper::tend(core, core.key_file.as_deref()).await {
        Ok(again) => again,
        Err(error) => {
            tracing::error!(%error, "not everything could be sealed with the new vault key");
            true
        }
    };
    drop(turn);
    if again {
        myself.send_after(core.clock.real(keeper::AGAIN), || JanitorMessage::Vault);
    }
}

fn next_round(core: &Core, myself: &ActorRef<JanitorMessage>) {
    myself.send_after(core.clock.real(ROUND), || JanitorMessage::Round);
}

/// Begun, and never finished in time.
async fn forget_logins(core: &Core, now: Timestamp) -> Result<(), Halt> {
    let mut stale: Vec<Key> = Vec::new();
    for (state, login) in core.store.logins()? {
        if login.until < now {
            stale.push(Key::OauthLogin { state });
        }
    }
    for (state, choice) in core.store.choices()? {
        if choice.until < now {
            stale.push(Key::OauthChoice { state });
        }
    }
    delete(core, stale).await
}

async fn forget_requests(core: &Core, now: Timestamp) -> Result<(), Halt> {
    let mut after = None;
    loop {
        let page = core.store.all_remembered(after, AT_ONCE)?;
        let ended = page.len() < AT_ONCE;
        after = page.last().map(|(key, _)| key.clone());
        let stale = page
            .into_iter()
            .filter(|(_, remembered)| remembered.at.elapsed(now) > REMEMBERED_FOR)
            .map(|(key, _)| key)
            .collect();
        delete(core, stale).await?;
        if ended {
            return Ok(());
        }
    }
}

async fn forget_sessions(core: &Core, now: Timestamp) -> Result<(), Halt> {
    let mut after = None;
    loop {
        let page = core.store.all_sessions(after, AT_ONCE)?;
        let ended = page.len() < AT_ONCE;
        after = page.last().map(|(key, _)| key.clone());
        let over = page.into_iter().filter(|(_, session)| is_over(core, session, now));
        delete(core, over.map(|(key, _)| key).collect()).await?;
        if ended {
            return Ok(());
        }
    }
}

async fn forget_invitations(core: &Core, now: Timestamp) -> Result<(), Halt> {
    let mut after = None;
    loop {
        let page = core.store.all_invitations(after, AT_ONCE)?;
        let ended = page.len() < AT_ONCE;
        after = page.last().map(|(key, _)| key.clone());
        let over = page.into_iter().filter(|(_, invitation)| invitation.proof.until < now);
        delete(core, over.map(|(key, _)| key).collect()).await?;
        if ended {
            return Ok(());
        }
    }
}

/// What retention lets go of, once a day, and never without a word.
async fn prune_events(core: &Core, now: Timestamp) -> Result<(), Halt> {
    let Some(keep) = core.audit_keep else { return Ok(()) };
    let since = now.before(keep);
    for organization in core.store.organizations(None, usize::MAX)? {
        let id = organization.id;
        let oldest = core.store.events_after(id, 0, 1)?;
        if oldest.first().is_none_or(|oldest| oldest.at >= since.before(PRUNE_EVERY)) {
            continue;
        }
        // Told with the first piece: a death between two of them leaves nothing unsaid.
        let text = format!("Events from before {since} are thrown away.");
        let actor = &organization::Actor::Engine;
        let tale = Tale::of(id, now, actor, EventKind::AuditPruned, text);
        let mut pruned = core
            .commit("begin to prune events", move |view| {
                journal::tell(view, tale)?;
                Ok(view.prune_events(id, since, AT_ONCE)?)
            })
            .await?;
        while pruned == AT_ONCE {
            let piece =
                core.commit("prune events", move |view| Ok(view.prune_events(id, since, AT_ONCE)?));
            pruned = piece.await?;
        }
    }
    Ok(())
}

async fn delete(core: &Core, keys: Vec<Key>) -> Result<(), Halt> {
    for piece in keys.chunks(AT_ONCE) {
        let piece = piece.to_vec();
        core.commit("tidy up", move |view| {
            for key in &piece {
                view.delete(key)?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

impl JanitorState {
    /// At the start and once a day; `/readyz` and `fanfare doctor` say the same.
    fn warn_of_versions(&mut self) {
        let now = self.core.now();
        if self.warned.is_some_and(|at| at.elapsed(now) < WARN_EVERY) {
            return;
        }
        self.warned = Some(now);
        for alarm in self.core.version_alarms() {
            tracing::warn!("{alarm}");
        }
    }

    async fn tidy_up(&mut self) -> Result<(), Halt> {
        let now = self.core.now();
        forget_logins(&self.core, now).await?;
        forget_requests(&self.core, now).await?;
        forget_sessions(&self.core, now).await?;
        forget_invitations(&self.core, now).await?;
        erasing::erase_ended(&self.core, now).await?;
        prune_events(&self.core, now).await?;
        self.delete_unnamed_media().await
    }

    async fn delete_unnamed_media(&mut self) -> Result<(), Halt> {
        let files = self.core.store.media_files().clone();
        let kept = blocking(move || files.kept()).await?;
        let mut unnamed: HashSet<[u8; 32]> = kept.into_iter().collect();
        let mut after = None;
        loop {
            let page = self.core.store.all_media(after, AT_ONCE)?;
            for (_, media) in &page {
                unnamed.remove(&media.sha256);
            }
            let ended = page.len() < AT_ONCE;
            after = page.last().map(|(key, _)| key.clone());
            if ended {
                break;
            }
        }
        let gone: Vec<[u8; 32]> = unnamed.intersection(&self.unnamed).copied().collect();
        let files = self.core.store.media_files().clone();
        for sha256 in &gone {
            unnamed.remove(sha256);
        }
        self.unnamed = unnamed;
        blocking(move || gone.iter().try_for_each(|sha256| files.delete(sha256))).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, crate::store::Error> + Send + 'static,
) -> Result<T, Halt> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(Halt::Bug(error.to_string())),
    }
}
