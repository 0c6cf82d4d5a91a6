//! Sleeps until the next timer, fires what is due in batches, and tells whom it concerns.
//!
//! Owns: when to wake, in memory. The timers are in the store.
//! Never: what a timer means; that is read from its record when it fires.

use std::{collections::BTreeMap, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use crate::{
    domain::{
        ids::{AccountId, DeliveryId},
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        directory::{DirectoryMessage, Owner},
        start, tokens,
        transitions::{self, Fired, TIMER_DELIVERY},
    },
    policy::agenda::{self, LATE_AFTER},
    store::{Key, Order, Read, Span},
};

pub(super) struct SchedulerActor;

#[derive(Debug)]
pub(super) enum SchedulerMessage {
    /// From our own timer.
    Tick,
    /// From the façade: there is a new timer, and it may be the next.
    Planned(Timestamp),
}

pub(super) struct SchedulerState {
    core: Core,
    directory: ActorRef<DirectoryMessage>,
    wakes: Timestamp,
    nap: Option<AbortHandle>,
    last_tick: Timestamp,
}

/// The first batch of a pass is small, so that the first post of a herd need not wait for many.
const BATCH_FIRST: usize = 16;
const BATCH: usize = 128;
/// What is late goes behind what is due now, and is taken in pieces so that it never delays it.
const BATCH_LATE: usize = 64;

/// A longer gap between two looks at the clock means that the process, or the machine, stood still.
const GAP_MAX: Duration = Duration::from_secs(20);

impl Actor for SchedulerActor {
    type Msg = SchedulerMessage;
    type State = SchedulerState;
    type Arguments = (Core, ActorRef<DirectoryMessage>);

    async fn pre_start(
        &self,
        myself: ActorRef<SchedulerMessage>,
        (core, directory): (Core, ActorRef<DirectoryMessage>),
    ) -> Result<SchedulerState, ActorProcessingErr> {
        myself.cast(SchedulerMessage::Tick)?;
        let now = core.now();
        Ok(SchedulerState { core, directory, wakes: now, nap: None, last_tick: now })
    }

    async fn handle(
        &self,
        myself: ActorRef<SchedulerMessage>,
        message: SchedulerMessage,
        state: &mut SchedulerState,
    ) -> Result<(), ActorProcessingErr> {
        if let SchedulerMessage::Planned(at) = message
            && at >= state.wakes
        {
            return Ok(());
        }
        state.pass().await?;
        state.sleep(&myself)?;
        Ok(())
    }
}

impl SchedulerState {
    async fn pass(&mut self) -> Result<(), Halt> {
        if self.core.is_stopping() {
            return Ok(());
        }
        let now = self.core.now();
        if self.last_tick.elapsed(now) > GAP_MAX {
            tracing::warn!("the process stood still; looking through what has become late");
            start::sweep_all(&self.core).await?;
            self.core.beat();
            // Accounts that waited for this look again by themselves within a second.
        }
        self.last_tick = now;
        self.core.beat();
        let mut batch = BATCH_FIRST;
        loop {
            let now = self.core.now();
            let fresh = now.before(LATE_AFTER);
            let fired = self.fire(fresh, now, batch).await?;
            if fired < batch {
                let late = self.fire(Timestamp::default(), fresh, BATCH_LATE).await?;
                if late < BATCH_LATE {
                    return Ok(());
                }
            }
            batch = BATCH;
            self.core.beat();
            self.last_tick = self.core.now();
        }
    }

    /// Fires at most `limit` timers with `from <= due <= until`, in one commit.
    async fn fire(
        &self,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<usize, Halt> {
        let span = Span::timers_between(from, until);
        let timers = self.core.store.scan(&span, Order::Ascending, limit)?;
        if timers.is_empty() {
            return Ok(0);
        }
        let keys: Vec<Key> = timers.into_iter().map(|(key, _)| key).collect();
        let count = keys.len();
        let (now, epoch) = (self.core.now(), self.core.epoch);
        let told = self
            .core
            .commit("fire timers", move |view| {
                let mut told = Told::default();
                for key in keys {
                    let Key::Timer { due, organization, id, kind } = key else { continue };
                    if kind != TIMER_DELIVERY {
                        view.delete(&Key::Timer { due, organization, id, kind })?;
                        told.accounts.push(Owner { organization, account: AccountId(id) });
                        continue;
                    }
                    let id = DeliveryId(id);
                    let fired = transitions::fire(view, organization, id, due, epoch, now)?;
                    if let Some(delivery) = view.delivery(organization, id)? {
                        let owner = Owner { organization, account: delivery.account };
                        told.hear(owner, fired);
                    }
                }
                Ok(told)
            })
            .await?;
        self.tell(told);
        Ok(count)
    }

    /// Casts fail only while everything is being stopped.
    fn tell(&self, told: Told) {
        for owner in told.accounts {
            tokens::refresh_in_time(&self.core, &self.directory, owner);
        }
        for (owner, delivery) in told.due {
            let _ = self.directory.cast(DirectoryMessage::Due(owner, delivery));
        }
        if !told.woken.is_empty() {
            let _ = self.directory.cast(DirectoryMessage::Wake(told.woken));
        }
        for (owner, deliveries) in told.approaching {
            let _ = self.directory.cast(DirectoryMessage::Approaching(owner, deliveries));
        }
    }

    fn sleep(&mut self, myself: &ActorRef<SchedulerMessage>) -> Result<(), Halt> {
        let span = Span::timers_between(Timestamp::default(), Timestamp(u64::MAX));
        let next = self.core.store.scan(&span, Order::Ascending, 1)?;
        let next = next.into_iter().find_map(|(key, _)| match key {
            Key::Timer { due, .. } => Some(due),
            _ => None,
        });
        let now = self.core.now();
        let nap = agenda::nap(next, now);
        self.wakes = now.after(nap);
        let timer = myself.send_after(self.core.clock.real(nap), || SchedulerMessage::Tick);
        if let Some(earlier) = self.nap.replace(timer.abort_handle()) {
            earlier.abort();
        }
        Ok(())
    }
}

/// Whom a batch concerns.
#[derive(Default)]
struct Told {
    woken: Vec<Owner>,
    approaching: BTreeMap<Owner, Vec<DeliveryId>>,
    due: Vec<(Owner, DeliveryId)>,
    accounts: Vec<Owner>,
}

impl Told {
    fn hear(&mut self, owner: Owner, fired: Fired) {
        match fired {
            Fired::Woken if self.woken.last() != Some(&owner) => self.woken.push(owner),
            Fired::Woken | Fired::Nothing => (),
            Fired::Approaching(delivery) => {
                self.approaching.entry(owner).or_default().push(delivery);
            }
            Fired::Due(delivery) => self.due.push((owner, delivery)),
        }
    }
}
