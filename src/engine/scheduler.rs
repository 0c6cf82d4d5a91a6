//! Sleeps until the next timer, fires what is due in batches, and tells whom it concerns.
//!
//! Owns: when to wake, in memory. The timers are in the store.
//! Never: what a timer means; that is read from its record when it fires.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use crate::{
    domain::{
        ids::{AccountId, DeliveryId},
        time::Timestamp,
    },
    engine::{
        core::{Core, Halt},
        directory::{DirectoryMessage, Home},
        start, tokens,
        transitions::{self, Fired, TIMER_DELIVERY},
    },
    policy::agenda::{self, LATE_AFTER},
    store::{Read, Timer, View},
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
/// As many as that are looked through for what belongs before something that is due now.
const LATE_MAX: usize = 2_048;
const OLDEST: Timestamp = Timestamp(0);
const UNREADABLE_AGAIN: Duration = Duration::from_secs(3_600);

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
            self.thin_out(fresh).await?;
            let timers = self.core.store.timers_between(fresh, now, batch)?;
            let fired = timers.len();
            let mut told = Told::default();
            for piece in self.late_before(&timers, fresh)?.chunks(BATCH) {
                told = self.fire(piece.to_vec(), told).await?;
            }
            self.tell(self.fire(timers, told).await?);
            if fired < batch {
                let late = self.core.store.timers_between(OLDEST, fresh, BATCH_LATE)?;
                let is_last = late.len() < BATCH_LATE;
                self.tell(self.fire(late, Told::default()).await?);
                if is_last {
                    return Ok(());
                }
            }
            batch = BATCH;
            self.core.beat();
            self.last_tick = self.core.now();
        }
    }

    /// After a long downtime so much may be late that looking through it before each batch would
    /// cost more than firing it, so the oldest are fired until little enough is left.
    async fn thin_out(&self, fresh: Timestamp) -> Result<(), Halt> {
        while self.core.store.timers_between(OLDEST, fresh, LATE_MAX + 1)?.len() > LATE_MAX {
            let oldest = self.core.store.timers_between(OLDEST, fresh, LATE_MAX)?;
            for piece in oldest.chunks(BATCH) {
                self.tell(self.fire(piece.to_vec(), Told::default()).await?);
            }
            self.core.beat();
        }
        Ok(())
    }

    /// What is late on the accounts that these timers are of: their order stands above all, so it
    /// has to be on their lanes first. Usually nothing is late, and then nothing is read.
    fn late_before(&self, timers: &[Timer], fresh: Timestamp) -> Result<Vec<Timer>, Halt> {
        if timers.is_empty() || self.core.store.timers_between(OLDEST, fresh, 1)?.is_empty() {
            return Ok(Vec::new());
        }
        let mut accounts = BTreeSet::new();
        for timer in timers {
            accounts.extend(self.account_of(timer)?);
        }
        let mut late = Vec::new();
        for timer in self.core.store.timers_between(OLDEST, fresh, LATE_MAX)? {
            if self.account_of(&timer)?.is_some_and(|account| accounts.contains(&account)) {
                late.push(timer);
            }
        }
        Ok(late)
    }

    /// `None` for other timers than a delivery's, and for a record that is damaged: firing it will
    /// complain.
    fn account_of(&self, timer: &Timer) -> Result<Option<AccountId>, Halt> {
        if timer.kind != TIMER_DELIVERY {
            return Ok(None);
        }
        match self.core.store.delivery(timer.organization, DeliveryId(timer.id)).map_err(Halt::from)
        {
            Ok(delivery) => Ok(delivery.map(|delivery| delivery.account)),
            Err(halt) if halt.is_unreadable() => Ok(None),
            Err(halt) => Err(halt),
        }
    }

    /// Fires these in one commit. Whom it concerns is added to `told`, and told by the caller.
    async fn fire(&self, timers: Vec<Timer>, mut told: Told) -> Result<Told, Halt> {
        if timers.is_empty() {
            return Ok(told);
        }
        let (now, epoch) = (self.core.now(), self.core.epoch);
        self.core
            .commit("fire timers", move |view| {
                for timer in timers {
                    let Timer { due, organization, id, kind } = timer;
                    if kind != TIMER_DELIVERY {
                        view.delete_timer(timer)?;
                        let account = AccountId(id);
                        let is_due = match tokens::renewal_due(view, organization, account, now) {
                            Err(halt) if halt.is_unreadable() => {
                                put_off(view, timer, &halt, now)?;
                                false
                            }
                            is_due => is_due?,
                        };
                        if is_due {
                            told.accounts.push(Home { organization, account });
                        }
                        continue;
                    }
                    let id = DeliveryId(id);
                    let fired = match transitions::fire(view, organization, id, due, epoch, now) {
                        Err(halt) if halt.is_unreadable() => {
                            put_off(view, timer, &halt, now)?;
                            continue;
                        }
                        fired => fired?,
                    };
                    if let Some(delivery) = view.delivery(organization, id)? {
                        let home = Home { organization, account: delivery.account };
                        told.hear(home, fired);
                    }
                }
                Ok(told)
            })
            .await
    }

    /// Casts fail only while everything is being stopped.
    fn tell(&self, told: Told) {
        for home in told.accounts {
            let _ = self.directory.cast(DirectoryMessage::RefreshDue(home));
        }
        for (home, delivery) in told.due {
            let _ = self.directory.cast(DirectoryMessage::Due(home, delivery));
        }
        if !told.woken.is_empty() {
            let _ = self.directory.cast(DirectoryMessage::Wake(told.woken));
        }
        for (home, deliveries) in told.approaching {
            let _ = self.directory.cast(DirectoryMessage::Approaching(home, deliveries));
        }
    }

    fn sleep(&mut self, myself: &ActorRef<SchedulerMessage>) -> Result<(), Halt> {
        let next = self.core.store.next_timer()?.map(|timer| timer.due);
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

/// One damaged record holds nobody else up; it is complained about hourly.
fn put_off(view: &mut View, timer: Timer, halt: &Halt, now: Timestamp) -> Result<(), Halt> {
    if timer.kind == TIMER_DELIVERY {
        let id = DeliveryId(timer.id);
        tracing::error!(delivery.id = %id, %halt, "a delivery cannot be read");
    } else {
        let id = AccountId(timer.id);
        tracing::error!(account.id = %id, %halt, "an account cannot be read");
    }
    view.delete_timer(timer)?;
    view.put_timer(Timer { due: now.after(UNREADABLE_AGAIN), ..timer })?;
    Ok(())
}

/// Whom a batch concerns.
#[derive(Default)]
struct Told {
    woken: Vec<Home>,
    approaching: BTreeMap<Home, Vec<DeliveryId>>,
    due: Vec<(Home, DeliveryId)>,
    accounts: Vec<Home>,
}

impl Told {
    fn hear(&mut self, home: Home, fired: Fired) {
        match fired {
            Fired::Woken if self.woken.last() != Some(&home) => self.woken.push(home),
            Fired::Woken | Fired::Nothing => (),
            Fired::Approaching(delivery) => {
                self.approaching.entry(home).or_default().push(delivery);
            }
            Fired::Due(delivery) => self.due.push((home, delivery)),
        }
    }
}
