//! One actor per connected account with anything to do. Carries out what `policy::lane` decides.
//!
//! Owns: the lane's two slots and the account's tokens, in memory only. The store is the truth.
//! Children: a delivery that is published, one that is staged, and a refresh of the token.
//! Never: HTTP. A child that hangs leaves the mailbox awake.

use std::{collections::VecDeque, sync::Arc};

use ractor::{
    Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent,
};
use tokio::task::AbortHandle;

use crate::{
    domain::{
        account::{Account, Connection},
        delivery::State,
        ids::{AccountId, DeliveryId, OrganizationId},
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        delivery::{Assignment, DeliveryActor},
        directory::DirectoryMessage,
        refresh::{RefreshActor, Refreshing},
        tokens::{self, Standing},
        transitions::{self, Purpose},
    },
    net::Secrets,
    policy::{
        lane::{Action, End, Event, Flow, Lane, RefreshOutcome, Stage},
        retry::Refreshed,
    },
    store::Read,
};

pub(super) struct AccountActor;

pub(super) struct Place {
    pub(super) core: Core,
    pub(super) organization: OrganizationId,
    pub(super) account: AccountId,
    pub(super) directory: ActorRef<DirectoryMessage>,
}

#[derive(Debug)]
pub(super) enum AccountMessage {
    /// From the directory: something may be on the lane, or the account has changed.
    Woke,
    /// From the directory: these are due soon.
    Approaching(Vec<DeliveryId>),
    /// From the directory: their time came while they were being staged.
    Due(DeliveryId),
    /// From the directory: the token is to be renewed, whether anything is due or not.
    RefreshDue,
    /// From a child, as its last act.
    Ended { delivery: DeliveryId, end: End },
    /// From the refreshing child, as its last act.
    Refreshed(RefreshOutcome),
    /// From our own timer.
    TimerFired,
    /// From our own timer: perhaps there is nothing to do any more.
    MayRest,
    /// From the façade.
    Inspect(RpcReplyPort<Stage>),
}

pub(super) struct AccountState {
    place: Place,
    lane: Lane,
    approaching: VecDeque<DeliveryId>,
    /// As of the account's revision: whoever shares the grant may have renewed it.
    secrets: Option<(u32, Arc<Secrets>)>,
    /// The delivery that asked for a refresh; if the new token is refused too, it is revoked.
    refreshed_for: Option<DeliveryId>,
    children: Vec<(ActorId, Child)>,
    wake: Option<AbortHandle>,
    last_busy: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Delivery(DeliveryId),
    Refresh,
}

impl Actor for AccountActor {
    type Msg = AccountMessage;
    type State = AccountState;
    type Arguments = Place;

    async fn pre_start(
        &self,
        myself: ActorRef<AccountMessage>,
        place: Place,
    ) -> Result<AccountState, ActorProcessingErr> {
        let last_busy = place.core.now();
        ask_to_rest(&place, &myself);
        Ok(AccountState {
            place,
            lane: Lane::default(),
            approaching: VecDeque::new(),
            secrets: None,
            refreshed_for: None,
            children: Vec::new(),
            wake: None,
            last_busy,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<AccountMessage>,
        message: AccountMessage,
        state: &mut AccountState,
    ) -> Result<(), ActorProcessingErr> {
        let event = match message {
            AccountMessage::Woke | AccountMessage::TimerFired => {
                // Whatever changed about the account is read, never told.
                state.secrets = None;
                state.observe(&myself).await?;
                Event::Woke
            }
            AccountMessage::Approaching(deliveries) => {
                state.approaching.extend(deliveries);
                state.observe(&myself).await?;
                Event::Woke
            }
            // Whoever staged it has died: it is found on the lane.
            AccountMessage::Due(delivery) if state.left_over(delivery) => Event::Woke,
            AccountMessage::Due(delivery) => Event::Due(delivery),
            AccountMessage::Ended { delivery, end } => {
                state.ended(delivery, end);
                Event::Ended { delivery, end }
            }
            AccountMessage::Refreshed(outcome) => {
                state.children.retain(|(_, child)| *child != Child::Refresh);
                state.refresh_ended(outcome);
                Event::RefreshEnded { outcome }
            }
            AccountMessage::RefreshDue => {
                if state.lane.inspect().refresh != crate::policy::lane::Refresh::Idle {
                    return Ok(());
                }
                state.refresh(&myself).await?;
                Event::RefreshStarted
            }
            AccountMessage::MayRest => {
                state.rest_if_idle(&myself)?;
                return Ok(());
            }
            AccountMessage::Inspect(reply) => {
                // The asker may have stopped waiting. That is not our failure.
                let _ = reply.send(state.lane.inspect());
                return Ok(());
            }
        };
        state.drive(event, &myself).await?;
        Ok(())
    }

    /// Overridden because ractor stops a parent when any child stops, and ours always do. A child
    /// that crashed left its step in the store, so its delivery is found there again.
    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<AccountMessage>,
        event: SupervisionEvent,
        state: &mut AccountState,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(who, cause) = event {
            let id = who.get_id();
            let Some(at) = state.children.iter().position(|(child, _)| *child == id) else {
                return Ok(());
            };
            let (_, child) = state.children.swap_remove(at);
            let account = state.place.account;
            tracing::error!(account.id = %account, %cause, "a child of an account failed");
            let event = match child {
                Child::Delivery(delivery) => {
                    state.crashed(delivery).await?;
                    Event::Ended { delivery, end: End::Crashed }
                }
                Child::Refresh => {
                    let again_at = state.place.core.now().after(tokens::RETRY);
                    let outcome = RefreshOutcome::Unreachable { again_at };
                    state.refresh_ended(outcome);
                    Event::RefreshEnded { outcome }
                }
            };
            state.drive(event, &myself).await?;
        }
        Ok(())
    }
}

impl AccountState {
    /// Feeds the lane until it wants nothing more.
    async fn drive(&mut self, event: Event, myself: &ActorRef<AccountMessage>) -> Result<(), Halt> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let now = self.place.core.now();
            for action in self.lane.decide(event, now) {
                events.extend(self.perform(action, myself).await?);
            }
        }
        Ok(())
    }

    async fn perform(
        &mut self,
        action: Action,
        myself: &ActorRef<AccountMessage>,
    ) -> Result<Option<Event>, Halt> {
        match action {
            Action::ReadHead => Ok(Some(Event::Head(self.head(myself)?))),
            Action::ReadStageable => Ok(Some(Event::Stageable(self.stageable()?))),
            Action::Publish(delivery) => self.start(delivery, Purpose::Publish, myself).await,
            Action::Stage(delivery) => self.start(delivery, Purpose::Stage, myself).await,
            Action::WakeAt(at) => {
                self.wake_at(at, myself);
                Ok(None)
            }
            Action::Refresh => {
                self.refresh(myself).await?;
                Ok(None)
            }
            Action::AskToReconnect => self.ask_to_reconnect().await,
        }
    }

    fn account(&self) -> Result<Option<Account>, Halt> {
        Ok(self.place.core.store.account(self.place.organization, self.place.account)?)
    }

    /// Tells the lane what the store says of the account.
    async fn observe(&mut self, myself: &ActorRef<AccountMessage>) -> Result<(), Halt> {
        let Some(account) = self.account()? else { return Ok(()) };
        let paused = self.place.core.is_everything_paused()
            || transitions::may_publish(&self.place.core.store, &account)?.is_err();
        let flow = self.lane.inspect().flow;
        match (paused, flow) {
            (true, Flow::Running) => self.drive(Event::Paused, myself).await?,
            (false, Flow::Paused) => self.drive(Event::Resumed, myself).await?,
            (true, Flow::Paused) | (false, Flow::Running) => (),
        }
        let revoked = self.lane.inspect().access == crate::policy::lane::Access::Revoked;
        match account.connection {
            Connection::Connected if revoked => {
                self.refreshed_for = None;
                self.drive(Event::Reconnected, myself).await
            }
            Connection::NeedsReconnection { .. } | Connection::Disconnected { .. } if !revoked => {
                self.drive(Event::Revoked, myself).await
            }
            Connection::Connected
            | Connection::NeedsReconnection { .. }
            | Connection::NeedsAttention { .. }
            | Connection::Disconnected { .. } => Ok(()),
        }
    }

    fn head(&mut self, myself: &ActorRef<AccountMessage>) -> Result<Option<DeliveryId>, Halt> {
        let core = self.place.core.clone();
        if core.is_stopping() {
            return Ok(None);
        }
        if core.is_thawing() {
            self.wake_at(core.now().after(std::time::Duration::from_secs(1)), myself);
            return Ok(None);
        }
        let lane = core.store.lane(self.place.organization, self.place.account, READ_AHEAD)?;
        for place in lane {
            let id = place.delivery;
            let Some(delivery) = core.store.delivery(self.place.organization, id)? else {
                continue;
            };
            return Ok(match delivery.state {
                State::Ready => Some(id),
                State::Running => self.left_over(id).then_some(id),
                // It keeps its place until its timer fires.
                State::Waiting { .. } => None,
                // Until its timer has fired, others may come before it.
                State::Staging => delivery.timer.is_none().then_some(id),
                State::Planned
                | State::InDoubt { .. }
                | State::Published { .. }
                | State::Failed { .. }
                | State::Held { .. }
                | State::Cancelled { .. } => None,
            });
        }
        Ok(None)
    }

    /// Claimed, but not by a child of ours: a process, or a child, died.
    fn left_over(&self, delivery: DeliveryId) -> bool {
        !self.children.iter().any(|(_, child)| *child == Child::Delivery(delivery))
    }

    fn stageable(&mut self) -> Result<Option<DeliveryId>, Halt> {
        let core = self.place.core.clone();
        if core.is_stopping() {
            return Ok(None);
        }
        while let Some(id) = self.approaching.pop_front() {
            let Some(delivery) = core.store.delivery(self.place.organization, id)? else {
                continue;
            };
            // Once its time has come, it waits for its timer, behind what was due before it.
            let is_ahead = core.now() < delivery.due;
            let stageable = match delivery.state {
                State::Planned => is_ahead,
                State::Staging => is_ahead && self.left_over(id),
                State::Ready
                | State::Running
                | State::Waiting { .. }
                | State::InDoubt { .. }
                | State::Published { .. }
                | State::Failed { .. }
                | State::Held { .. }
                | State::Cancelled { .. } => false,
            };
            if stageable {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Starts a child, or first a refresh if the token ends too soon to begin with it.
    async fn start(
        &mut self,
        delivery: DeliveryId,
        purpose: Purpose,
        myself: &ActorRef<AccountMessage>,
    ) -> Result<Option<Event>, Halt> {
        let core = self.place.core.clone();
        self.last_busy = core.now();
        let Some(account) = self.account()? else {
            return Ok(Some(Event::Ended { delivery, end: End::Settled }));
        };
        let tried = self.refreshed_for == Some(delivery);
        let can_refresh = tokens::can_refresh(&core.store, &account)?;
        if tokens::ends_soon(&account, core.now()) && can_refresh && !tried {
            self.refreshed_for = Some(delivery);
            // What ends is the stored one, whichever was used before.
            self.secrets = None;
            self.put_back(delivery, purpose);
            return Ok(Some(Event::Ended { delivery, end: End::NeedsRefresh }));
        }
        let secrets = match &self.secrets {
            Some((revision, secrets)) if *revision == account.revision => secrets.clone(),
            Some(_) | None => {
                let secrets = Arc::new(tokens::load(&core, &account)?);
                self.secrets = Some((account.revision, secrets.clone()));
                secrets
            }
        };
        let refreshed = match (can_refresh, tried) {
            (false, _) => Refreshed::Impossible,
            (true, true) => Refreshed::AlreadyThisAttempt,
            (true, false) => Refreshed::NotYet,
        };
        let assignment = Assignment {
            core,
            organization: self.place.organization,
            account: self.place.account,
            delivery,
            purpose,
            secrets,
            refreshed,
            parent: myself.clone(),
        };
        let child = spawn(DeliveryActor, assignment, myself.get_cell()).await?;
        self.children.push((child, Child::Delivery(delivery)));
        Ok(None)
    }

    fn put_back(&mut self, delivery: DeliveryId, purpose: Purpose) {
        if purpose == Purpose::Stage {
            self.approaching.push_front(delivery);
        }
    }

    fn ended(&mut self, delivery: DeliveryId, end: End) {
        self.last_busy = self.place.core.now();
        self.children.retain(|(_, child)| *child != Child::Delivery(delivery));
        match end {
            End::NeedsRefresh => self.refreshed_for = Some(delivery),
            End::Settled | End::Rest { .. } | End::NeedsReconnection | End::Crashed => {
                if self.refreshed_for == Some(delivery) {
                    self.refreshed_for = None;
                }
            }
        }
    }

    fn refresh_ended(&mut self, outcome: RefreshOutcome) {
        self.secrets = None;
        if let RefreshOutcome::Unreachable { .. } = outcome {
            // Nobody has said anything about the token: the next attempt may ask again.
            self.refreshed_for = None;
        }
    }

    /// One that fails before it is claimed would be found and fail again, for ever.
    async fn crashed(&mut self, delivery: DeliveryId) -> Result<(), Halt> {
        let (organization, now) = (self.place.organization, self.place.core.now());
        self.place
            .core
            .commit("crashed", move |view| transitions::crashed(view, organization, delivery, now))
            .await
    }

    fn wake_at(&mut self, at: Timestamp, myself: &ActorRef<AccountMessage>) {
        let core = &self.place.core;
        // A timer measures real time and the wall may be set meanwhile, so it looks again often.
        let wait = at.remaining(core.now()).min(LONGEST_SLEEP);
        let timer = myself.send_after(core.clock.real(wait), || AccountMessage::TimerFired);
        if let Some(earlier) = self.wake.replace(timer.abort_handle()) {
            earlier.abort();
        }
    }

    async fn refresh(&mut self, myself: &ActorRef<AccountMessage>) -> Result<(), Halt> {
        let refreshing = Refreshing {
            core: self.place.core.clone(),
            organization: self.place.organization,
            account: self.place.account,
            refused: self.secrets.as_ref().and_then(|(_, secrets)| secrets.access.clone()),
            parent: myself.clone(),
        };
        let child = spawn(RefreshActor, refreshing, myself.get_cell()).await?;
        self.children.push((child, Child::Refresh));
        Ok(())
    }

    /// The platform has withdrawn our access: everything that is ready is held, unless the person
    /// was faster.
    async fn ask_to_reconnect(&mut self) -> Result<Option<Event>, Halt> {
        self.secrets = None;
        let (organization, account) = (self.place.organization, self.place.account);
        Ok(match tokens::revoked(&self.place.core, organization, account).await? {
            Standing::Lost => None,
            Standing::Regained => {
                self.refreshed_for = None;
                Some(Event::Reconnected)
            }
        })
    }

    /// An account with nothing to do costs memory for nothing.
    fn rest_if_idle(&mut self, myself: &ActorRef<AccountMessage>) -> Result<(), Halt> {
        let core = &self.place.core;
        let idle = self.children.is_empty()
            && self.approaching.is_empty()
            && self.lane.inspect().resting_until.is_none()
            && self.last_busy.elapsed(core.now()) >= core.rest_after;
        let lane = core.store.lane(self.place.organization, self.place.account, 1)?;
        if idle && (lane.is_empty() || self.lane.inspect().flow == Flow::Paused) {
            // The directory forgets us first, so that a wake-up meanwhile starts a new actor.
            let _ = self.place.directory.cast(DirectoryMessage::Resting(self.place.account));
        } else {
            ask_to_rest(&self.place, myself);
        }
        Ok(())
    }
}

const READ_AHEAD: usize = 4;

const LONGEST_SLEEP: std::time::Duration = std::time::Duration::from_secs(30);

fn ask_to_rest(place: &Place, myself: &ActorRef<AccountMessage>) {
    let wait = place.core.clock.real(place.core.rest_after);
    myself.send_after(wait, || AccountMessage::MayRest);
}

async fn spawn<A>(actor: A, arguments: A::Arguments, parent: ActorCell) -> Result<ActorId, Halt>
where
    A: Actor,
{
    match Actor::spawn_linked(None, actor, arguments, parent).await {
        Ok((child, _)) => Ok(child.get_id()),
        Err(error) => Err(Halt::Bug(format!("could not start a child: {error}"))),
    }
}
