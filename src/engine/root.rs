//! The top of the tree: keeps the scheduler and the directory running.
//!
//! Owns: how often they have been restarted lately. Too often stops the process with a reason: a
//! process that only restarts is a silent one.
//! Children: [`SchedulerActor`], [`DirectoryActor`] and [`JanitorActor`], restarted together
//! because the first tells the second.

use std::{collections::VecDeque, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::watch;

use crate::{
    domain::time::Timestamp,
    engine::{
        core::Core,
        directory::{DirectoryActor, DirectoryMessage},
        janitor::{JanitorActor, JanitorMessage},
        scheduler::{SchedulerActor, SchedulerMessage},
        start,
    },
};

pub(super) struct RootActor;

/// By which the façade reaches the actors; replaced when they are.
#[derive(Clone)]
pub(super) struct Doors {
    pub(super) directory: ActorRef<DirectoryMessage>,
    pub(super) scheduler: ActorRef<SchedulerMessage>,
    pub(super) janitor: ActorRef<JanitorMessage>,
}

pub(super) struct House {
    pub(super) core: Core,
    pub(super) doors: watch::Sender<Option<Doors>>,
    pub(super) fatal: watch::Sender<Option<String>>,
}

#[derive(Debug)]
pub(super) enum RootMessage {
    /// From ourselves, after a child failed.
    Restart,
}

pub(super) struct RootState {
    house: House,
    restarts: VecDeque<Timestamp>,
}

const RESTARTS_MAX: usize = 5;
const RESTARTS_WINDOW: Duration = Duration::from_secs(60);

impl Actor for RootActor {
    type Msg = RootMessage;
    type State = RootState;
    type Arguments = House;

    async fn pre_start(
        &self,
        myself: ActorRef<RootMessage>,
        house: House,
    ) -> Result<RootState, ActorProcessingErr> {
        let state = RootState { house, restarts: VecDeque::new() };
        state.open(&myself).await?;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<RootMessage>,
        RootMessage::Restart: RootMessage,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        if let Err(cause) = state.open(&myself).await {
            let reason = format!(
                "Fanfare stops because it could not begin again after a failure: {cause}. Nothing \
                 that was confirmed is lost; see the log."
            );
            state.house.fatal.send_replace(Some(reason));
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<RootMessage>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        let SupervisionEvent::ActorFailed(who, cause) = event else { return Ok(()) };
        let Some(doors) = state.house.doors.send_replace(None) else { return Ok(()) };
        tracing::error!(%cause, "the scheduler or the directory failed");
        let children =
            [doors.directory.get_cell(), doors.scheduler.get_cell(), doors.janitor.get_cell()];
        for child in children {
            if child.get_id() != who.get_id() {
                child.kill();
            }
        }
        let now = state.house.core.now();
        state.restarts.push_back(now);
        while state.restarts.front().is_some_and(|at| at.elapsed(now) > RESTARTS_WINDOW) {
            state.restarts.pop_front();
        }
        if state.restarts.len() > RESTARTS_MAX {
            let reason = format!(
                "Fanfare stops because its scheduler failed {RESTARTS_MAX} times within a minute; \
                 the last cause was: {cause}. Nothing that was confirmed is lost; see the log."
            );
            state.house.fatal.send_replace(Some(reason));
            return Ok(());
        }
        myself.cast(RootMessage::Restart)?;
        Ok(())
    }
}

impl RootState {
    async fn open(&self, myself: &ActorRef<RootMessage>) -> Result<(), ActorProcessingErr> {
        let core = self.house.core.clone();
        let cell = myself.get_cell();
        let (directory, _) =
            Actor::spawn_linked(None, DirectoryActor, core.clone(), cell.clone()).await?;
        start::recover(&core, &directory).await?;
        core.beat();
        let (janitor, _) =
            Actor::spawn_linked(None, JanitorActor, core.clone(), cell.clone()).await?;
        let arguments = (core, directory.clone());
        let (scheduler, _) = Actor::spawn_linked(None, SchedulerActor, arguments, cell).await?;
        self.house.doors.send_replace(Some(Doors { directory, scheduler, janitor }));
        Ok(())
    }
}
