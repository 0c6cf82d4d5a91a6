//! Every change of a delivery's state, as functions over one commit.
//!
//! Invariants:
//! - a transition that finds the delivery elsewhere than expected changes nothing
//!   ([`Halt::Fenced`]);
//! - timer, lane and attention rows are a function of the record: [`place`] writes the difference,
//!   in the same batch, so an index never disagrees with what it points to;
//! - an attempt is counted before it starts; a request that must not be repeated is armed before it
//!   leaves.

use crate::{
    domain::{
        account::{Account, Connection},
        delivery::{Armed, Delivery, Doubt, Hold, Live, State, Why},
        event::EventKind,
        ids::{DeliveryId, OrganizationId},
        organization::{Actor, Pause},
        post::PostStage,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    engine::{core::Halt, journal},
    policy::{
        agenda::{self, Lateness},
        recovery::{self, AfterCrash},
    },
    store::{Key, LanePlace, Read, Timer, View},
};

/// What a running delivery shows to make a transition: the attempt and the engine's start that
/// claimed it. A delivery actor that was frozen, or left over, holds an old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) organization: OrganizationId,
    pub(super) delivery: DeliveryId,
    pub(super) attempt: u32,
    pub(super) epoch: u64,
}

/// How a delivery's events are limited: the first ones and the latest are what a person reads.
const EVENTS_MAX: usize = 120;
const EVENTS_FIRST: usize = 20;

pub(super) const TIMER_DELIVERY: u8 = 0;
pub(super) const TIMER_ACCOUNT: u8 = 1;

/// On a lane, what is under way comes before what is ready, so that nothing overtakes it.
const RANK_UNDER_WAY: u8 = 0;
const RANK_READY: u8 = 1;
pub(super) const RANK_STAGING: u8 = 2;

pub(super) fn attention_number(state: &State) -> Option<u8> {
    match state {
        State::Waiting { .. } => Some(1),
        State::InDoubt { .. } => Some(2),
        State::Failed { .. } => Some(3),
        State::Held { .. } => Some(4),
        State::Planned
        | State::Staging
        | State::Ready
        | State::Running
        | State::Published { .. }
        | State::Cancelled { .. } => None,
    }
}

/// Whether nothing else of its account may go out before this one is decided. A wait for a limit,
/// for a look or between the parts of a thread keeps its place; other processing and a backoff
/// leave the lane free.
fn lane_rank(delivery: &Delivery) -> Option<u8> {
    match &delivery.state {
        State::Running => Some(RANK_UNDER_WAY),
        State::Waiting { why: Why::Probe { .. } | Why::Limit | Why::Between, .. } => {
            Some(RANK_UNDER_WAY)
        }
        // One that was only prepared takes its turn; one that readers may have seen goes on first.
        State::Ready if delivery.armed.is_some() || !delivery.live.is_empty() => {
            Some(RANK_UNDER_WAY)
        }
        State::Ready => Some(RANK_READY),
        // Its time came while it was being prepared, so it has its turn.
        State::Staging if delivery.timer.is_none() => Some(RANK_READY),
        State::Staging => Some(RANK_STAGING),
        State::Planned
        | State::Waiting { .. }
        | State::InDoubt { .. }
        | State::Published { .. }
        | State::Failed { .. }
        | State::Held { .. }
        | State::Cancelled { .. } => None,
    }
}

pub(super) fn index_rows(delivery: &Delivery) -> [Option<Key>; 3] {
    let Delivery { organization, account, id, priority, due, .. } = *delivery;
    let timer = delivery
        .timer
        .map(|due| Key::Timer(Timer { due, organization, id: id.0, kind: TIMER_DELIVERY }));
    let lane = lane_rank(delivery).map(|rank| {
        Key::Lane(LanePlace { organization, account, rank, priority, due, delivery: id })
    });
    let attention = attention_number(&delivery.state).map(|state| Key::Attention {
        organization,
        state,
        delivery: id,
    });
    [timer, lane, attention]
}

/// Writes the record, and whatever of its index rows has changed. Without `before` it is a new one.
pub(super) fn place(
    view: &mut View,
    before: Option<&Delivery>,
    after: &Delivery,
) -> Result<(), Halt> {
    let old = before.map(index_rows).unwrap_or_default();
    let new = index_rows(after);
    for (old, new) in old.into_iter().zip(new) {
        if old == new {
            continue;
        }
        if let Some(key) = old {
            view.delete(&key)?;
        }
        if let Some(key) = new {
            view.put(&key, Vec::new())?;
        }
    }
    match before {
        Some(_) => view.put_delivery(after)?,
        None => view.put_new_delivery(after),
    }
    Ok(())
}

/// A delivery in the middle of a transition: what it was, and what it becomes.
pub(super) struct Change {
    before: Delivery,
    pub(super) after: Delivery,
}

impl Change {
    pub(super) fn of(delivery: Delivery) -> Change {
        Change { before: delivery.clone(), after: delivery }
    }

    /// Reads a delivery that is claimed, for whoever claimed it.
    pub(super) fn fenced(view: &View, fence: Fence) -> Result<Change, Halt> {
        let delivery = view.delivery(fence.organization, fence.delivery)?.ok_or(Halt::Fenced)?;
        let claimed = matches!(delivery.state, State::Running | State::Staging);
        if !claimed || delivery.attempt != fence.attempt || delivery.epoch != fence.epoch {
            return Err(Halt::Fenced);
        }
        Ok(Change::of(delivery))
    }

    pub(super) fn tell(
        &mut self,
        view: &mut View,
        kind: EventKind,
        actor: &Actor,
        now: Timestamp,
        text: String,
    ) -> Result<(), Halt> {
        let sequence = journal::tell(
            view,
            journal::Tale {
                organization: self.after.organization,
                at: now,
                actor: actor.clone(),
                post: Some(self.after.post),
                delivery: Some(self.after.id),
                account: Some(self.after.account),
                kind,
                text,
            },
        )?;
        let events = &mut self.after.events;
        if events.len() >= EVENTS_MAX {
            events.remove(EVENTS_FIRST);
        }
        events.push(sequence);
        Ok(())
    }

    pub(super) fn write(self, view: &mut View) -> Result<Delivery, Halt> {
        place(view, Some(&self.before), &self.after)?;
        Ok(self.after)
    }
}

/// What a timer that fired made of its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fired {
    /// Its account has something to do.
    Woken,
    /// Its time comes soon: what is harmless can be done now.
    Approaching(DeliveryId),
    /// Its time came while somebody is still doing what is harmless.
    Due(DeliveryId),
    /// Nothing: an old timer, or a record that has moved on.
    Nothing,
}

/// A delivery's timer has fired. What it means is read from the record, never from the timer.
pub(super) fn fire(
    view: &mut View,
    organization: OrganizationId,
    id: DeliveryId,
    due: Timestamp,
    epoch: u64,
    now: Timestamp,
) -> Result<Fired, Halt> {
    let found = view.delivery(organization, id)?;
    let Some(delivery) = found.filter(|delivery| delivery.timer == Some(due)) else {
        view.delete_timer(Timer { due, organization, id: id.0, kind: TIMER_DELIVERY })?;
        return Ok(Fired::Nothing);
    };
    let mut change = Change::of(delivery);
    let fired = match change.after.state.clone() {
        State::Planned => match agenda::firing(change.after.due, now) {
            agenda::Firing::Stage => {
                change.after.timer = Some(change.after.due.max(Timestamp(now.0 + 1)));
                Fired::Approaching(id)
            }
            agenda::Firing::Due => come_due(view, &mut change, now)?,
        },
        State::Staging if change.after.epoch == epoch => {
            change.after.timer = None;
            Fired::Due(id)
        }
        // Whoever staged it is dead.
        State::Staging => come_due(view, &mut change, now)?,
        State::Waiting { .. } if now < change.after.due => {
            change.after.state = State::Planned;
            change.after.timer = Some(change.after.due);
            Fired::Approaching(id)
        }
        State::Waiting { .. } => wait_over(view, &mut change, now)?,
        State::Ready
        | State::Running
        | State::InDoubt { .. }
        | State::Published { .. }
        | State::Failed { .. }
        | State::Held { .. }
        | State::Cancelled { .. } => {
            change.after.timer = None;
            Fired::Nothing
        }
    };
    change.write(view)?;
    Ok(fired)
}

/// Why an account can publish nothing before a person has mended it.
pub(super) fn lost(account: &Account) -> Option<Hold> {
    match account.connection {
        Connection::Connected => None,
        Connection::NeedsReconnection { .. } | Connection::NeedsAttention { .. } => {
            Some(Hold::Reconnection)
        }
        Connection::Disconnected { .. } => Some(Hold::Disconnected),
    }
}

/// Why its account cannot publish now, if it cannot.
fn obstacle(view: &View, delivery: &Delivery) -> Result<Option<Hold>, Halt> {
    let account = view.account(delivery.organization, delivery.account)?;
    Ok(account.map_or(Some(Hold::Disconnected), |account| lost(&account)))
}

/// Its account is lost. One that may have been sent is looked for when the account is back, and
/// nobody can look if it is gone for good.
fn strand(view: &mut View, change: &mut Change, why: Hold, now: Timestamp) -> Result<(), Halt> {
    match (why, change.after.armed.clone()) {
        (Hold::Disconnected, Some(armed)) => {
            let evidence = "The account was disconnected before it could be found out whether the \
                            request took effect."
                .to_owned();
            doubt(view, change, armed.since, evidence, now)
        }
        (why, _) => hold(view, change, why, &Actor::Engine, now),
    }
}

/// What it waited for is over, or what carried it out gave it back: onto the lane, unless its
/// account was lost meanwhile. How late it is does not matter here: it had begun.
pub(super) fn wait_over(
    view: &mut View,
    change: &mut Change,
    now: Timestamp,
) -> Result<Fired, Halt> {
    change.after.timer = None;
    if let Some(why) = obstacle(view, &change.after)? {
        strand(view, change, why, now)?;
        return Ok(Fired::Nothing);
    }
    change.after.state = State::Ready;
    Ok(Fired::Woken)
}

fn come_due(view: &mut View, change: &mut Change, now: Timestamp) -> Result<Fired, Halt> {
    change.after.timer = None;
    if let Some(why) = obstacle(view, &change.after)? {
        strand(view, change, why, now)?;
        return Ok(Fired::Nothing);
    }
    let unsent = change.after.armed.is_none();
    if unsent && is_missed(view, change.after.organization, change.after.due, now)? {
        hold(view, change, Hold::Missed, &Actor::Engine, now)?;
        return Ok(Fired::Nothing);
    }
    change.after.state = State::Ready;
    Ok(Fired::Woken)
}

fn is_missed(
    view: &View,
    organization: OrganizationId,
    due: Timestamp,
    now: Timestamp,
) -> Result<bool, Halt> {
    if agenda::lateness(due, std::time::Duration::ZERO, now) == Lateness::OnTime {
        return Ok(false);
    }
    let Some(organization) = view.organization(organization)? else { return Ok(true) };
    Ok(agenda::lateness(due, organization.grace, now) == Lateness::Missed)
}

/// Puts a delivery aside with a reason, and says so.
pub(super) fn hold(
    view: &mut View,
    change: &mut Change,
    why: Hold,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Halt> {
    change.after.state = State::Held { since: now, why };
    change.after.timer = None;
    let text = match why {
        Hold::Reconnection => "Held: the account must be connected again first.".to_owned(),
        Hold::Missed => format!(
            "Held: its time was {}, which is longer ago than the organization's grace. Publish it \
             now or cancel it.",
            change.after.due
        ),
        Hold::Crashes => "Held: it was running each time the process died.".to_owned(),
        Hold::Disconnected => "Held: its account is disconnected.".to_owned(),
        Hold::Unreadable => "Held: what is stored of its progress cannot be read by this version.\
                             "
        .to_owned(),
    };
    change.tell(view, EventKind::DeliveryHeld, actor, now, text)
}

/// Holds everything on an account's lane that has become too late while nothing was running: after
/// downtime, a pause, a reconnection, or a frozen process. At most `limit` a commit.
pub(super) fn sweep(
    view: &mut View,
    account: &Account,
    now: Timestamp,
    limit: usize,
) -> Result<usize, Halt> {
    let late: Vec<DeliveryId> = view
        .lane(account.organization, account.id, usize::MAX)?
        .into_iter()
        .filter(|place| may_be_missed(place, now))
        .map(|place| place.delivery)
        .collect();
    let mut held = 0;
    for id in late {
        let Some(delivery) = view.delivery(account.organization, id)? else { continue };
        if is_missed(view, account.organization, delivery.due, now)? {
            let mut change = Change::of(delivery);
            hold(view, &mut change, Hold::Missed, &Actor::Engine, now)?;
            change.write(view)?;
            held += 1;
        }
        if held == limit {
            break;
        }
    }
    Ok(held)
}

/// Its time has come, and nothing of it can have been seen by anybody; it may have been prepared,
/// or refused.
pub(super) fn may_be_missed(place: &LanePlace, now: Timestamp) -> bool {
    place.rank == RANK_READY
        && agenda::lateness(place.due, std::time::Duration::ZERO, now) != Lateness::OnTime
}

/// The deliveries on an account's lane, in order.
pub(super) fn lane(
    read: &impl Read,
    account: &Account,
    limit: usize,
) -> Result<Vec<Delivery>, Halt> {
    let rows = read.lane(account.organization, account.id, limit)?;
    let mut deliveries = Vec::with_capacity(rows.len());
    for place in rows {
        deliveries.extend(read.delivery(account.organization, place.delivery)?);
    }
    Ok(deliveries)
}

/// Whether an account may publish at all, as stored.
pub(super) fn may_publish(
    read: &impl Read,
    account: &Account,
) -> Result<Result<(), &'static str>, Halt> {
    if account.connection != Connection::Connected {
        return Ok(Err("the account is not connected"));
    }
    if account.paused != Pause::Running {
        return Ok(Err("the account is paused"));
    }
    if read.pause()? != Pause::Running {
        return Ok(Err("everything is paused"));
    }
    let organization = read.organization(account.organization)?;
    Ok(match organization {
        Some(organization) if organization.paused == Pause::Running => Ok(()),
        Some(_) => Err("the organization is paused"),
        None => Err("the organization is gone"),
    })
}

/// What an attempt begins with.
pub(super) struct Claim {
    pub(super) organization: OrganizationId,
    pub(super) delivery: DeliveryId,
    /// As read when the request was built; somebody else may have been quicker.
    pub(super) attempt: u32,
    pub(super) epoch: u64,
    pub(super) step: Vec<u8>,
    /// The next request must not be repeated blindly.
    pub(super) arms: Arms,
    pub(super) purpose: Purpose,
    pub(super) now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arms {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Stage,
    Publish,
}

pub(super) enum Claimed {
    Go(Box<Delivery>),
    /// It was set aside instead.
    SetAside,
}

/// Starts an attempt: counted, fenced and armed, before anything is sent.
pub(super) fn claim(view: &mut View, claim: &Claim) -> Result<Claimed, Halt> {
    let delivery = view.delivery(claim.organization, claim.delivery)?.ok_or(Halt::Fenced)?;
    let crashed = match (&delivery.state, claim.purpose) {
        (State::Ready, Purpose::Publish) | (State::Planned, Purpose::Stage) => false,
        // Left over by a process, or by a child, that died.
        (State::Running, Purpose::Publish) | (State::Staging, _) => true,
        _ => return Err(Halt::Fenced),
    };
    if delivery.attempt != claim.attempt {
        return Err(Halt::Fenced);
    }
    if claim.purpose == Purpose::Publish
        && delivery.armed.is_none()
        && is_cancelled(view, &delivery)?
    {
        cancel(view, delivery, &Actor::Engine, claim.now)?;
        return Ok(Claimed::SetAside);
    }
    let mut change = Change::of(delivery);
    if crashed {
        change.after.crashes += 1;
        if recovery::after_crash(change.after.crashes) == AfterCrash::SetAside {
            set_aside(view, &mut change, claim.now)?;
            change.write(view)?;
            return Ok(Claimed::SetAside);
        }
        let text = "Taken up again where it stood when the process stopped.".to_owned();
        change.tell(view, EventKind::DeliveryRecovered, &Actor::Engine, claim.now, text)?;
    }
    change.after.attempt += 1;
    change.after.epoch = claim.epoch;
    change.after.step.clone_from(&claim.step);
    match claim.purpose {
        Purpose::Stage => change.after.state = State::Staging,
        Purpose::Publish => {
            change.after.state = State::Running;
            change.after.timer = None;
            change.after.charged = true;
        }
    }
    if claim.arms == Arms::Yes && change.after.armed.is_none() {
        change.after.armed = Some(Armed { since: claim.now, looks: 0 });
    }
    if claim.purpose == Purpose::Publish && !crashed {
        let late = change.after.due.elapsed(claim.now).as_millis();
        let text = format!("Attempt {} began, {late} ms after its time.", change.after.attempt);
        change.tell(view, EventKind::DeliveryStarted, &Actor::Engine, claim.now, text)?;
    }
    Ok(Claimed::Go(Box::new(change.write(view)?)))
}

/// Its post was cancelled while it was on its way, and another attempt would be needed.
fn is_cancelled(view: &View, delivery: &Delivery) -> Result<bool, Halt> {
    let post = view.post(delivery.organization, delivery.post)?;
    Ok(post.is_some_and(|post| post.stage == PostStage::Cancelled))
}

/// Whoever carried it out has failed. One that was claimed is counted when it is taken up again.
pub(super) fn crashed(
    view: &mut View,
    organization: OrganizationId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<(), Halt> {
    let Some(delivery) = view.delivery(organization, id)? else { return Ok(()) };
    if !matches!(delivery.state, State::Ready | State::Planned) {
        return Ok(());
    }
    let mut change = Change::of(delivery);
    change.after.crashes += 1;
    if recovery::after_crash(change.after.crashes) == AfterCrash::SetAside {
        set_aside(view, &mut change, now)?;
    }
    change.write(view)?;
    Ok(())
}

fn set_aside(view: &mut View, change: &mut Change, now: Timestamp) -> Result<(), Halt> {
    match change.after.armed.clone() {
        Some(armed) => {
            let evidence = "The process died again and again while this was being sent. Whether a \
                            request took effect is not known."
                .to_owned();
            doubt(view, change, armed.since, evidence, now)
        }
        None => hold(view, change, Hold::Crashes, &Actor::Engine, now),
    }
}

/// A file of it is gone. What was to be published with it is not published without.
pub(super) fn fail_without_file(
    view: &mut View,
    delivery: Delivery,
    attempt: u32,
    words: String,
    live: Vec<Live>,
    now: Timestamp,
) -> Result<(), Halt> {
    if delivery.attempt != attempt || delivery.state.is_settled() {
        return Err(Halt::Fenced);
    }
    let mut change = Change::of(delivery);
    match change.after.armed.clone() {
        Some(armed) => {
            let evidence = format!("The request was sent, its answer never came, and {words}.");
            doubt(view, &mut change, armed.since, evidence, now)?;
        }
        None => {
            let refusal = Refusal::new(RefusalKind::Media, "file_missing", words);
            settle_failed(view, &mut change, refusal, live, now)?;
        }
    }
    change.write(view)?;
    Ok(())
}

/// A person has to decide; says what is known.
pub(super) fn doubt(
    view: &mut View,
    change: &mut Change,
    sent: Timestamp,
    evidence: String,
    now: Timestamp,
) -> Result<(), Halt> {
    let text = format!("In doubt: {evidence}");
    change.after.state = State::InDoubt { since: now, doubt: Doubt { sent, evidence } };
    change.after.timer = None;
    change.tell(view, EventKind::DeliveryInDoubt, &Actor::Engine, now, text)
}

/// Where a delivery stands after an answer.
pub(super) struct Advance {
    pub(super) step: Vec<u8>,
    pub(super) live: Vec<Live>,
    /// The platform that took the last of `live` and has not decided on it.
    pub(super) taken_by: Option<&'static str>,
    pub(super) arms: Arms,
}

/// The platform answered and there is more to do: the next step, armed if it has to be.
pub(super) fn advance(
    view: &mut View,
    fence: Fence,
    next: Advance,
    now: Timestamp,
) -> Result<(), Halt> {
    let Advance { step, live, taken_by, arms } = next;
    let mut change = Change::fenced(view, fence)?;
    change.after.step = step;
    if live.len() > change.after.live.len() {
        let url = live.last().map(|last| last.url.clone()).unwrap_or_default();
        let text = match taken_by {
            Some(platform) => format!("{platform} has taken it, and decides what becomes of it."),
            None => format!("Part {} is live: {url}", live.len()),
        };
        change.tell(view, EventKind::DeliveryAdvanced, &Actor::Engine, now, text)?;
    }
    change.after.live = live;
    change.after.armed = match arms {
        Arms::Yes => Some(Armed { since: now, looks: 0 }),
        Arms::No => None,
    };
    change.write(view)?;
    Ok(())
}

/// All that is harmless is done. It goes back to waiting for its time, or onto the lane if that has
/// come meanwhile.
pub(super) fn park(
    view: &mut View,
    fence: Fence,
    step: Vec<u8>,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    change.after.step = step;
    change.after.armed = None;
    if now < change.after.due {
        change.after.state = State::Planned;
        change.after.timer = Some(change.after.due);
    }
    let text = "Everything is prepared; only the publication itself is left.".to_owned();
    change.tell(view, EventKind::DeliveryStaged, &Actor::Engine, now, text)?;
    if now >= change.after.due {
        wait_over(view, &mut change, now)?;
    }
    change.write(view)?;
    Ok(())
}

pub(super) fn publish(
    view: &mut View,
    fence: Fence,
    live: Vec<Live>,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    settle_published(view, &mut change, live, &Actor::Engine, now)?;
    change.write(view)?;
    Ok(())
}

pub(super) fn settle_published(
    view: &mut View,
    change: &mut Change,
    live: Vec<Live>,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Halt> {
    let url = live.first().map(|first| first.url.clone()).unwrap_or_default();
    change.after.state = State::Published { at: now };
    change.after.armed = None;
    change.after.timer = None;
    change.after.live = live;
    let text = if url.is_empty() { "Published.".to_owned() } else { format!("Published: {url}") };
    change.tell(view, EventKind::DeliveryPublished, actor, now, text)
}

/// What a wait keeps of the request that came before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    pub(super) until: Timestamp,
    pub(super) why: Why,
    /// `None`: as stored.
    pub(super) step: Option<Vec<u8>>,
    /// Still unanswered, or known not to have taken effect.
    pub(super) armed: Option<Armed>,
    pub(super) failures: u32,
    pub(super) text: String,
}

pub(super) fn wait(view: &mut View, fence: Fence, wait: Wait, now: Timestamp) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    if let Some(step) = wait.step {
        change.after.step = step;
    }
    let kind = match wait.why {
        Why::Probe { .. } => EventKind::DeliveryUnanswered,
        Why::Processing | Why::Limit | Why::Backoff { .. } | Why::Between => {
            EventKind::DeliveryWaiting
        }
    };
    change.after.armed = wait.armed;
    change.after.failures = wait.failures;
    change.after.state = State::Waiting { until: wait.until, why: wait.why };
    change.after.timer = Some(wait.until);
    if !wait.text.is_empty() {
        change.tell(view, kind, &Actor::Engine, now, wait.text)?;
    }
    change.write(view)?;
    Ok(())
}

/// Back to the front of the lane: nothing was sent that took effect.
pub(super) fn step_back(view: &mut View, fence: Fence, now: Timestamp) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    change.after.armed = None;
    if change.after.state == State::Staging && now < change.after.due {
        change.after.state = State::Planned;
        change.after.timer = Some(change.after.due);
    } else {
        wait_over(view, &mut change, now)?;
    }
    change.write(view)?;
    Ok(())
}

pub(super) fn fail(
    view: &mut View,
    fence: Fence,
    refusal: Refusal,
    live: Vec<Live>,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    settle_failed(view, &mut change, refusal, live, now)?;
    change.write(view)?;
    Ok(())
}

fn settle_failed(
    view: &mut View,
    change: &mut Change,
    refusal: Refusal,
    live: Vec<Live>,
    now: Timestamp,
) -> Result<(), Halt> {
    change.after.failures += 1;
    change.after.armed = None;
    change.after.live = live;
    change.after.timer = None;
    let partly = match change.after.live.len() {
        0 => String::new(),
        count => format!(" The first {count} of its pieces are live."),
    };
    let text = format!("Failed ({}): {}{partly}", refusal.kind.name(), refusal.words);
    change.after.state = State::Failed { at: now, refusal };
    change.tell(view, EventKind::DeliveryFailed, &Actor::Engine, now, text)
}

pub(super) fn in_doubt(
    view: &mut View,
    fence: Fence,
    live: Vec<Live>,
    evidence: String,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    change.after.live = live;
    let sent = change.after.armed.as_ref().map_or(now, |armed| armed.since);
    doubt(view, &mut change, sent, evidence, now)?;
    change.write(view)?;
    Ok(())
}

/// A look found nothing; remembered, so that a restart does not begin to count anew.
pub(super) fn looked(
    view: &mut View,
    fence: Fence,
    armed: Armed,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    let text = format!("Looked at the platform: it is not there (look {}).", armed.looks);
    change.after.armed = Some(armed);
    change.tell(view, EventKind::DeliveryProbed, &Actor::Engine, now, text)?;
    change.write(view)?;
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rearmed {
    Armed,
    /// Finding out took longer than the organization's grace, so it is held instead.
    Missed,
}

/// The request is certainly not there and will be sent again: armed anew from now.
pub(super) fn rearm(view: &mut View, fence: Fence, now: Timestamp) -> Result<Rearmed, Halt> {
    let mut change = Change::fenced(view, fence)?;
    change.after.armed = Some(Armed { since: now, looks: 0 });
    let rearmed = if change.after.live.is_empty()
        && is_missed(view, change.after.organization, change.after.due, now)?
    {
        change.after.armed = None;
        hold(view, &mut change, Hold::Missed, &Actor::Engine, now)?;
        Rearmed::Missed
    } else {
        Rearmed::Armed
    };
    change.write(view)?;
    Ok(rearmed)
}

/// Back to the lane, still unanswered: whoever takes it next goes on finding out.
pub(super) fn hand_back(view: &mut View, fence: Fence, now: Timestamp) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    wait_over(view, &mut change, now)?;
    change.write(view)?;
    Ok(())
}

/// Back to the lane, to be tried with whatever access the account has now. `doubted`: as for
/// [`hold_claimed`].
pub(super) fn return_claimed(
    view: &mut View,
    fence: Fence,
    doubted: Option<Armed>,
    now: Timestamp,
) -> Result<(), Halt> {
    match doubted {
        Some(_) => hand_back(view, fence, now),
        None => step_back(view, fence, now),
    }
}

/// The account can no longer publish: what is claimed, and all that is ready, is held.
/// `doubted`: an earlier request whose outcome is unknown still.
pub(super) fn hold_claimed(
    view: &mut View,
    fence: Fence,
    doubted: Option<Armed>,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut change = Change::fenced(view, fence)?;
    change.after.armed = doubted;
    hold(view, &mut change, Hold::Reconnection, &Actor::Engine, now)?;
    change.write(view)?;
    Ok(())
}

/// The account is lost: what is on its lane, and not being carried out by this engine, is held. At
/// most `limit` a commit; nothing if the account is back.
pub(super) fn hold_lane(
    view: &mut View,
    account: &Account,
    why: Hold,
    epoch: u64,
    now: Timestamp,
    limit: usize,
) -> Result<usize, Halt> {
    let stored = view.account(account.organization, account.id)?;
    if stored.is_some_and(|account| lost(&account).is_none()) {
        return Ok(0);
    }
    let mut held = 0;
    for delivery in lane(view, account, limit)? {
        let idle = match delivery.state {
            State::Ready => true,
            // Left over by a process that died.
            State::Running | State::Staging => delivery.epoch != epoch,
            State::Planned
            | State::Waiting { .. }
            | State::InDoubt { .. }
            | State::Published { .. }
            | State::Failed { .. }
            | State::Held { .. }
            | State::Cancelled { .. } => false,
        };
        if idle {
            let mut change = Change::of(delivery);
            strand(view, &mut change, why, now)?;
            change.write(view)?;
            held += 1;
        }
    }
    Ok(held)
}

/// What was held for its account's sake goes on, unless its time has passed by too much: then a
/// person decides.
pub(super) fn release(
    view: &mut View,
    delivery: Delivery,
    actor: &Actor,
    now: Timestamp,
) -> Result<Delivery, Halt> {
    let mut change = Change::of(delivery);
    let unsent = change.after.armed.is_none();
    if unsent && is_missed(view, change.after.organization, change.after.due, now)? {
        hold(view, &mut change, Hold::Missed, actor, now)?;
        return change.write(view);
    }
    plan(&mut change.after, now);
    let text = "Released: its account is back.".to_owned();
    change.tell(view, EventKind::DeliveryReleased, actor, now, text)?;
    change.write(view)
}

/// Sets a delivery to wait for its time.
pub(super) fn plan(delivery: &mut Delivery, now: Timestamp) {
    delivery.state = State::Planned;
    delivery.timer = Some(agenda::first_timer(delivery.due, now));
}

/// Not what is live, nor what is on its way or may have arrived.
pub(super) fn can_cancel(delivery: &Delivery) -> bool {
    if delivery.armed.is_some() {
        return false;
    }
    match delivery.state {
        State::Planned
        | State::Staging
        | State::Ready
        | State::Waiting { .. }
        | State::Failed { .. }
        | State::Held { .. } => true,
        State::Running
        | State::InDoubt { .. }
        | State::Published { .. }
        | State::Cancelled { .. } => false,
    }
}

pub(super) fn cancel(
    view: &mut View,
    delivery: Delivery,
    actor: &Actor,
    now: Timestamp,
) -> Result<Delivery, Halt> {
    let mut change = Change::of(delivery);
    change.after.state = State::Cancelled { at: now };
    change.after.timer = None;
    // Whoever is staging it holds an older attempt, and is turned away.
    change.after.attempt += 1;
    change.tell(view, EventKind::DeliveryCancelled, actor, now, "Cancelled.".to_owned())?;
    change.write(view)
}
