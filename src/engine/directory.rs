//! Starts accounts, restarts them with backoff, and puts them to rest.
//!
//! Owns: who is awake, and how often each has failed lately.
//! Children: one [`AccountActor`] per account that has something to do.
//! Never: one account's failure touching another.

use std::{collections::HashMap, time::Duration};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};

use crate::{
    domain::{
        ids::{AccountId, DeliveryId, OrganizationId},
        time::Timestamp,
    },
    engine::{
        account::{AccountActor, AccountMessage, Place},
        core::{Core, Halt},
        tokens, transitions,
    },
    policy::{lane::Stage, supervision},
    store::Read,
};

pub(super) struct DirectoryActor;

/// An account, with the organization that its records lie under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Home {
    pub(super) organization: OrganizationId,
    pub(super) account: AccountId,
}

#[derive(Debug)]
pub(super) enum DirectoryMessage {
    /// From the scheduler and the façade: these may have something to do.
    Wake(Vec<Home>),
    /// From the scheduler.
    Approaching(Home, Vec<DeliveryId>),
    /// From the scheduler: its time came while it was being staged.
    Due(Home, DeliveryId),
    /// From the scheduler and the façade: its token is to be renewed.
    RefreshDue(Home),
    /// From the façade: only those who are awake need to hear of a change.
    Changed(Option<OrganizationId>),
    /// From an account that has nothing to do.
    Resting(AccountId),
    /// From our own timer: a failed account may start again.
    Revive(Home),
    /// From the façade: somebody looked at it and wants it to go on.
    Forgive(AccountId),
    /// From the façade. `None`: it is asleep.
    Inspect(AccountId, RpcReplyPort<Option<Stage>>),
    /// From benches and tests.
    Awake(RpcReplyPort<usize>),
}

pub(super) struct DirectoryState {
    core: Core,
    awake: HashMap<AccountId, (Home, ActorRef<AccountMessage>)>,
    homes: HashMap<ActorId, Home>,
    failures: HashMap<AccountId, Failures>,
}

struct Failures {
    count: u32,
    last: Timestamp,
    /// Woken while backing off; the wake-up is not lost, only later.
    backing_off: Backoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backoff {
    Over,
    Waiting,
    SetAside,
}

impl Actor for DirectoryActor {
    type Msg = DirectoryMessage;
    type State = DirectoryState;
    type Arguments = Core;

    async fn pre_start(
        &self,
        _: ActorRef<DirectoryMessage>,
        core: Core,
    ) -> Result<DirectoryState, ActorProcessingErr> {
        Ok(DirectoryState {
            core,
            awake: HashMap::new(),
            homes: HashMap::new(),
            failures: HashMap::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<DirectoryMessage>,
        message: DirectoryMessage,
        state: &mut DirectoryState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DirectoryMessage::Wake(homes) => {
                for home in homes {
                    state.tell(home, AccountMessage::Woke, &myself).await;
                }
            }
            DirectoryMessage::Approaching(home, deliveries) => {
                state.tell(home, AccountMessage::Approaching(deliveries), &myself).await;
            }
            DirectoryMessage::Due(home, delivery) => {
                state.tell(home, AccountMessage::Due(delivery), &myself).await;
                state.tell(home, AccountMessage::Woke, &myself).await;
            }
            DirectoryMessage::RefreshDue(home) => {
                state.tell(home, AccountMessage::RefreshDue, &myself).await;
            }
            DirectoryMessage::Changed(organization) => {
                for (home, account) in state.awake.values() {
                    if organization.is_none_or(|changed| changed == home.organization) {
                        // One that is just ending is started anew by its next wake-up.
                        let _ = account.cast(AccountMessage::Woke);
                    }
                }
            }
            DirectoryMessage::Resting(account) => {
                if let Some((home, actor)) = state.awake.remove(&account) {
                    state.homes.remove(&actor.get_id());
                    actor.stop(None);
                    // What it was told since it asked to rest dies with it; the store has it.
                    if state.has_work(home)? {
                        state.tell(home, AccountMessage::Woke, &myself).await;
                    }
                }
            }
            DirectoryMessage::Revive(home) => {
                if let Some(failures) = state.failures.get_mut(&home.account)
                    && failures.backing_off == Backoff::Waiting
                {
                    failures.backing_off = Backoff::Over;
                    state.tell(home, AccountMessage::Woke, &myself).await;
                }
            }
            DirectoryMessage::Forgive(account) => {
                state.failures.remove(&account);
            }
            DirectoryMessage::Inspect(account, reply) => state.inspect(account, reply),
            DirectoryMessage::Awake(reply) => {
                // The asker may have stopped waiting. That is not our failure.
                let _ = reply.send(state.awake.len());
            }
        }
        Ok(())
    }

    /// One for one: only who failed is started again, later each time, and set aside in the end.
    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<DirectoryMessage>,
        event: SupervisionEvent,
        state: &mut DirectoryState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(who, cause) => {
                let Some(home) = state.forget(who.get_id()) else { return Ok(()) };
                let account = home.account;
                tracing::error!(account.id = %account, %cause, "an account's actor failed");
                state.failed(home, cause.to_string(), &myself).await?;
            }
            SupervisionEvent::ActorTerminated(who, ..) => {
                state.forget(who.get_id());
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => (),
        }
        Ok(())
    }
}

impl DirectoryState {
    /// Whose actor has ended. Another may have taken its place before we heard of it.
    fn forget(&mut self, ended: ActorId) -> Option<Home> {
        let home = self.homes.remove(&ended)?;
        if self.awake.get(&home.account).is_some_and(|(_, actor)| actor.get_id() == ended) {
            self.awake.remove(&home.account);
        }
        Some(home)
    }

    /// Whether there is something on its lane that it may go on with.
    fn has_work(&self, home: Home) -> Result<bool, Halt> {
        let store = &self.core.store;
        let Some(account) = store.account(home.organization, home.account)? else {
            return Ok(false);
        };
        Ok(transitions::may_publish(store, &account)?.is_ok()
            && !store.lane(home.organization, home.account, 1)?.is_empty())
    }

    async fn tell(
        &mut self,
        home: Home,
        message: AccountMessage,
        myself: &ActorRef<DirectoryMessage>,
    ) {
        if self.core.is_stopping() {
            return;
        }
        let held_back = self
            .failures
            .get(&home.account)
            .is_some_and(|failures| failures.backing_off != Backoff::Over);
        if held_back {
            return;
        }
        let mut message = message;
        if let Some((_, account)) = self.awake.get(&home.account) {
            match account.cast(message) {
                Ok(()) => return,
                // It is just ending. What it was told is in the store; a new one reads it there.
                Err(_) => message = AccountMessage::Woke,
            }
        }
        match self.start(home, myself).await {
            // A new actor cannot have ended yet; and if it has, its supervisor hears of it.
            Ok(account) => drop(account.cast(message)),
            Err(cause) => {
                tracing::error!(account.id = %home.account, %cause, "an account did not start");
            }
        }
    }

    async fn start(
        &mut self,
        home: Home,
        myself: &ActorRef<DirectoryMessage>,
    ) -> Result<ActorRef<AccountMessage>, ractor::SpawnErr> {
        let Home { organization, account } = home;
        let place =
            Place { core: self.core.clone(), organization, account, directory: myself.clone() };
        let (actor, _) = Actor::spawn_linked(None, AccountActor, place, myself.get_cell()).await?;
        self.homes.insert(actor.get_id(), home);
        self.awake.insert(account, (home, actor.clone()));
        Ok(actor)
    }

    async fn failed(
        &mut self,
        home: Home,
        cause: String,
        myself: &ActorRef<DirectoryMessage>,
    ) -> Result<(), Halt> {
        let now = self.core.now();
        let failures = self.failures.entry(home.account).or_insert(Failures {
            count: 0,
            last: now,
            backing_off: Backoff::Over,
        });
        failures.count = supervision::count(failures.count, failures.last, now);
        failures.last = now;
        match supervision::after_failure(failures.count) {
            supervision::Verdict::RestartAfter(wait) => {
                failures.backing_off = Backoff::Waiting;
                let wait: Duration = self.core.clock.real(wait);
                myself.send_after(wait, move || DirectoryMessage::Revive(home));
                Ok(())
            }
            supervision::Verdict::SetAside => {
                failures.backing_off = Backoff::SetAside;
                tokens::needs_attention(&self.core, home.organization, home.account, cause).await
            }
        }
    }

    fn inspect(&self, account: AccountId, reply: RpcReplyPort<Option<Stage>>) {
        match self.awake.get(&account) {
            // Forwarded, so that we wait for nobody.
            Some((_, actor)) => {
                let forward = ForwardInspect { reply };
                forward.to(actor);
            }
            None => drop(reply.send(None)),
        }
    }
}

struct ForwardInspect {
    reply: RpcReplyPort<Option<Stage>>,
}

impl ForwardInspect {
    fn to(self, actor: &ActorRef<AccountMessage>) {
        let actor = actor.clone();
        tokio::spawn(async move {
            let stage = actor.call(AccountMessage::Inspect, None).await;
            let stage = match stage {
                Ok(ractor::rpc::CallResult::Success(stage)) => Some(stage),
                Ok(_) | Err(_) => None,
            };
            // The asker may have stopped waiting. That is not our failure.
            let _ = self.reply.send(stage);
        });
    }
}
