//! Deliveries: looked at, and what a person may decide about one.

use serde_json::Value;

use crate::{
    connectors::{self, AnyConnector, Job, Next, Site},
    domain::{
        delivery::{Delivery, Doubt, Live, State, Why},
        event::EventKind,
        ids::{AccountId, DeliveryId},
        media::Media,
        organization::Actor,
        problem::{Code, Problem},
        refusal::{ABANDONED, Refusal, RefusalKind, UNSENT_PARTS},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        delivery::steps,
        facade::{Caller, Listing, Page, Resolution, listing, pieces},
        jobs,
        transitions::{self, Change},
    },
    policy::permission::Verb,
    store::{Read, Vault, View},
};

impl Engine {
    /// `state`: a name as in [`State::name`].
    pub fn deliveries(
        &self,
        caller: &Caller,
        state: Option<&str>,
        account: Option<AccountId>,
        page: &Page,
    ) -> Answer<Listing<Delivery>> {
        caller.may(Verb::DeliveriesList)?;
        let number = match state {
            None => None,
            Some(name) => state_number(name)?,
        };
        let wanted = |delivery: &Delivery| {
            caller.sees(delivery.account)
                && state.is_none_or(|name| delivery.state.name() == name)
                && account.is_none_or(|account| delivery.account == account)
        };
        match number {
            Some(number) => self.marked(caller, number, wanted, page),
            None => self.scanned(caller, wanted, page),
        }
    }

    /// By the marks of the states that somebody looks for.
    fn marked(
        &self,
        caller: &Caller,
        number: u8,
        wanted: impl Fn(&Delivery) -> bool,
        page: &Page,
    ) -> Answer<Listing<Delivery>> {
        let tenant = self.core.store.organization(caller.organization);
        let before = page.after_id::<DeliveryId>()?;
        let mut ids = tenant.attention(number, usize::MAX)?;
        ids.reverse();
        let limit = page.limit();
        let mut found = Vec::new();
        for id in ids.into_iter().filter(|&id| before.is_none_or(|before| id < before)) {
            found.extend(tenant.delivery(id)?.filter(&wanted));
            if found.len() > limit {
                break;
            }
        }
        Ok(listing(found, limit, |delivery| delivery.id.to_string()))
    }

    /// A page may hold fewer than asked for, and still have a next one.
    fn scanned(
        &self,
        caller: &Caller,
        wanted: impl Fn(&Delivery) -> bool,
        page: &Page,
    ) -> Answer<Listing<Delivery>> {
        let tenant = self.core.store.organization(caller.organization);
        pieces::sifted(
            page,
            |before, limit| Ok(tenant.deliveries(before, limit)?),
            |delivery| delivery.id,
            wanted,
        )
    }

    pub fn delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        caller.may(Verb::DeliveriesShow)?;
        let found = self.core.store.organization(caller.organization).delivery(id)?;
        let found = found.filter(|delivery| caller.sees(delivery.account));
        found.ok_or_else(|| missing(id))
    }

    /// Failed, held or waiting: now, from where it stands. One that is ready already stays as it
    /// is, so a repetition does nothing.
    pub async fn retry_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        self.decide(caller, id, Verb::DeliveriesRetry, |view, delivery, actor, now| {
            if matches!(delivery.state, State::Ready | State::Running) {
                return Ok(delivery);
            }
            let retriable = matches!(
                delivery.state,
                State::Failed { .. }
                    | State::Held { .. }
                    | State::Waiting { why: Why::Backoff { .. } | Why::Limit, .. }
            );
            if !retriable {
                return Err(wrong_state(&delivery, "be retried"));
            }
            if let State::Failed { refusal, .. } = &delivery.state
                && refusal.is_settled()
            {
                // Its next request may be the one that a person has vouched for: it would be a
                // second post.
                return Err(Problem::new(
                    Code::WrongState,
                    format!("It was settled by a person: {}.", refusal.words),
                    "Plan what is still to be said as a new post.",
                )
                .into());
            }
            let mut change = Change::of(delivery);
            again(view, &mut change, now)?;
            let text = "A person asked for another attempt.".to_owned();
            change.tell(view, EventKind::DeliveryRetried, actor, now, text)?;
            change.write(view)
        })
        .await
    }

    /// Refused when it is live, on its way, or when whether it is live is unknown.
    pub async fn cancel_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        self.decide(caller, id, Verb::DeliveriesCancel, |view, delivery, actor, now| {
            if matches!(delivery.state, State::Cancelled { .. }) {
                return Ok(delivery);
            }
            if !transitions::can_cancel(&delivery) {
                return Err(wrong_state(&delivery, "be cancelled"));
            }
            transitions::cancel(view, delivery, actor, now)
        })
        .await
    }

    /// What a person found out about a delivery in doubt.
    pub async fn resolve_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
        resolution: Resolution,
    ) -> Answer<Delivery> {
        if let Resolution::Live { url } = &resolution {
            check_address(url)?;
        }
        let vault = self.core.store.vault().clone();
        self.decide(caller, id, Verb::DeliveriesResolve, move |view, delivery, actor, now| {
            let undecided = is_undecided(&vault, &delivery);
            let held_unanswered =
                matches!(delivery.state, State::Held { .. }) && delivery.armed.is_some();
            if !matches!(delivery.state, State::InDoubt { .. }) && !held_unanswered {
                return Err(wrong_state(&delivery, "be resolved"));
            }
            let mut change = Change::of(delivery);
            let text = match &resolution {
                Resolution::Live { .. } => "A person says that it is live.",
                Resolution::NotLive => "A person says that it is not live, and to send it.",
                Resolution::Abandon => "A person says to leave it as it is.",
            };
            let kind = EventKind::DeliveryResolved;
            change.tell(view, kind, actor, now, text.to_owned())?;
            match resolution {
                Resolution::Live { url } => {
                    // The piece that the platform took is the one that the person speaks of.
                    if undecided {
                        change.after.live.pop();
                    }
                    vouch(&vault, view, &mut change, url, (actor, now))?;
                }
                Resolution::NotLive => {
                    if undecided {
                        // From the beginning: what the platform took, it did not keep.
                        change.after.live.pop();
                        change.after.step.clear();
                    }
                    send_again(view, &mut change, now)?;
                    change.after.armed = None;
                }
                Resolution::Abandon => {
                    let words = "left as it is by a person".to_owned();
                    let refusal = Refusal::new(RefusalKind::Unreadable, ABANDONED, words);
                    change.after.state = State::Failed { at: now, refusal };
                    change.after.armed = None;
                }
            }
            change.write(view)
        })
        .await
    }

    async fn decide<F>(
        &self,
        caller: &Caller,
        id: DeliveryId,
        verb: Verb,
        change: F,
    ) -> Answer<Delivery>
    where
        F: FnOnce(&mut View, Delivery, &Actor, Timestamp) -> Result<Delivery, Halt>
            + Send
            + 'static,
    {
        caller.may(verb)?;
        self.delivery(caller, id)?;
        self.refuse_when_stopping()?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let delivery = self
            .core
            .commit_at_door(verb.name(), move |view| {
                let delivery = view.delivery(organization, id)?.ok_or_else(|| missing(id))?;
                change(view, delivery, &actor, now)
            })
            .await?;
        if let Some(timer) = delivery.timer {
            self.planned(timer);
        }
        self.wake(organization, delivery.account);
        Ok(delivery)
    }
}

/// Whether the platform has taken it and did not say what became of it.
fn is_undecided(vault: &Vault, delivery: &Delivery) -> bool {
    let step = open(vault, delivery);
    connectors::find(&delivery.platform).is_some_and(|connector| connector.is_undecided(&step))
}

const ADDRESS_BYTES_MAX: usize = 2_048;

/// People and programs open it, so it may be nothing but a page. Empty: they do not know it.
fn check_address(url: &str) -> Answer<()> {
    let is_page = |url: url::Url| matches!(url.scheme(), "http" | "https");
    if url.is_empty() || (url.len() <= ADDRESS_BYTES_MAX && url::Url::parse(url).is_ok_and(is_page))
    {
        return Ok(());
    }
    let remedy = "Give it as the browser shows it, with https:// in front, or leave it out.";
    Err(Problem::new(Code::Invalid, "This is not the address of a page.", remedy).at("live.url"))
}

/// A person says that what was sent last is live at `url`. What is not sent yet follows where it
/// need not name it; else that is all there will be.
fn vouch(
    vault: &Vault,
    view: &mut View,
    change: &mut Change,
    url: String,
    (actor, now): (&Actor, Timestamp),
) -> Result<(), Halt> {
    let mut live = change.after.live.clone();
    live.push(Live { id: String::new(), url });
    let prepared = prepared(view, &change.after)?;
    let all = prepared.as_ref().map_or(0, |(connector, job)| connector.pieces(job));
    let unsent = all.saturating_sub(live.len());
    let step = open(vault, &change.after);
    let next = prepared
        .as_ref()
        .and_then(|(connector, job)| Some((connector.vouched(&step, job).ok()??, connector, job)));
    if unsent == 0 {
        return transitions::settle_published(view, change, live, actor, now);
    }
    if let Some((Next::Go(step) | Next::Wait(_, step), connector, job)) = next {
        change.after.live = connector.live(&step, job).unwrap_or(live);
        let (organization, id) = (change.after.organization, change.after.id);
        change.after.step = steps::seal(vault, organization, id, &step);
        change.after.armed = None;
        return send_again(view, change, now);
    }
    change.after.live = live;
    change.after.armed = None;
    let words = format!("the remaining {unsent} of {all} were not sent");
    let refusal = Refusal::new(RefusalKind::Rejected, UNSENT_PARTS, words);
    let text = format!("Failed: {}.", refusal.words);
    change.after.state = State::Failed { at: now, refusal };
    change.tell(view, EventKind::DeliveryFailed, actor, now, text)?;
    Ok(())
}

fn open(vault: &Vault, delivery: &Delivery) -> Value {
    steps::open(vault, delivery.organization, delivery.id, &delivery.step)
}

/// What its connector would be told; of a post that is gone, nothing.
fn prepared(
    view: &View,
    delivery: &Delivery,
) -> Result<Option<(&'static dyn AnyConnector, Job)>, Halt> {
    let (organization, account) = (delivery.organization, delivery.account);
    let (Some(post), Some(account), Some(connector)) = (
        view.post(organization, delivery.post)?,
        view.account(organization, account)?,
        connectors::find(&delivery.platform),
    ) else {
        return Ok(None);
    };
    let no_url = |_: &Media| String::new();
    let site = Site::default();
    let prepared = jobs::build(view, connector, site, delivery, &post, &account, no_url)?;
    Ok(Some((connector, prepared.job)))
}

/// Now, as a new decision: earlier failures no longer count, and the grace begins anew. What is
/// still unanswered is looked for first.
fn again(view: &mut View, change: &mut Change, now: Timestamp) -> Result<(), Halt> {
    if change.after.armed.is_some() {
        return send_again(view, change, now);
    }
    let delivery = &mut change.after;
    delivery.state = State::Planned;
    delivery.due = delivery.due.max(now);
    delivery.timer = Some(now);
    delivery.failures = 0;
    delivery.crashes = 0;
    delivery.charged = false;
    Ok(())
}

/// The same request as before. Its time stays, because a platform may know the request by it.
fn send_again(view: &mut View, change: &mut Change, now: Timestamp) -> Result<(), Halt> {
    change.after.failures = 0;
    change.after.crashes = 0;
    transitions::wait_over(view, change, now)?;
    Ok(())
}

fn state_number(name: &str) -> Answer<Option<u8>> {
    const NAMES: &[&str] = &[
        "planned",
        "staging",
        "ready",
        "running",
        "waiting",
        "in_doubt",
        "published",
        "failed",
        "held",
        "cancelled",
    ];
    if !NAMES.contains(&name) {
        return Err(Problem::new(
            Code::BadRequest,
            format!("There is no state `{name}`."),
            format!("Use one of: {}.", NAMES.join(", ")),
        )
        .at("state"));
    }
    let at = Timestamp::default();
    let refusal = Refusal::new(RefusalKind::Rejected, "", "");
    let states = [
        State::Waiting { until: at, why: Why::Limit },
        State::InDoubt { since: at, doubt: Doubt { sent: at, evidence: String::new() } },
        State::Failed { at, refusal },
        State::Held { since: at, why: crate::domain::delivery::Hold::Missed },
    ];
    let state = states.iter().find(|state| state.name() == name);
    Ok(state.and_then(transitions::attention_number))
}

pub(super) fn wrong_state(delivery: &Delivery, wish: &str) -> Halt {
    Problem::new(
        Code::WrongState,
        format!("The delivery is {}; it cannot {wish}.", delivery.state.name()),
        "Look at its state and its timeline.",
    )
    .into()
}

pub(super) fn missing(id: DeliveryId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no delivery {id}."),
        "List the deliveries to find its id.",
    )
}
