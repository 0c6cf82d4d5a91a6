//! One attempt, from its claim to its end.

use std::time::Duration;

use serde_json::Value;

use crate::{
    connectors::{self, AnyConnector, Next, Repeat, Reply, Request},
    domain::{
        account::Account,
        delivery::{Armed, Delivery, Hold, Live, State, Why},
        event::EventKind,
        ids::MediaId,
        media::Media,
        organization::{Actor, Organization},
        platform::PaceScope,
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    engine::{
        addresses::Addresses,
        core::{Core, Halt},
        delivery::{Assignment, doubt, steps},
        errands, jobs,
        paces::{self, Calls},
        tokens,
        transitions::{self, Advance, Arms, Change, Claim, Claimed, Fence, Purpose, Wait},
    },
    net::{self, Files},
    policy::{
        agenda,
        lane::End,
        recovery::Guard,
        retry::{self, Armedness, Reaction, Refreshed, Situation},
    },
    store::{Owner, Read},
};

/// What an attempt knows while it lives.
pub(super) struct Attempt<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) connector: &'static dyn AnyConnector,
    pub(super) account: Account,
    pub(super) delivery: Delivery,
    pub(super) job: connectors::Job,
    pub(super) files: Files,
    pub(super) step: Value,
    pub(super) fence: Fence,
    /// An earlier sending of the same request, with the same key, whose outcome is unknown.
    /// Whatever becomes of its repetition, short of a success, says nothing about it.
    pub(super) doubted: Option<Armed>,
    missing: Option<MediaId>,
    pub(super) absence: Absence,
}

/// Whether the request that is sent was looked for before, and was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    Unknown,
    Proven,
}

/// What comes after one request.
pub(super) enum Course {
    /// The next step, already committed.
    Next,
    End(End),
}

pub(super) async fn carry_out(assignment: &Assignment) -> Result<End, Halt> {
    let Some(mut attempt) = prepare(assignment)? else {
        hold_unreadable(assignment).await?;
        return Ok(End::Settled);
    };
    if let Some(missing) = attempt.missing {
        return attempt.fail_without(missing).await;
    }
    let Ok(request) = attempt.request() else { return attempt.hold_unreadable().await };
    let unanswered = attempt.delivery.armed.clone();
    if assignment.purpose == Purpose::Stage && arms(&request) == Arms::Yes {
        // Nothing harmless to do ahead of time, and nothing to say about it.
        return Ok(End::Settled);
    }
    if let Some(end) = attempt.claim(&request).await? {
        return Ok(end);
    }
    let mut course = match unanswered {
        Some(armed) => doubt::decide(&mut attempt, &request, armed).await?,
        None => attempt.send(request).await?,
    };
    loop {
        match course {
            Course::End(end) => return Ok(end),
            Course::Next => {
                let Ok(request) = attempt.request() else {
                    return attempt.hold_unreadable().await;
                };
                course = attempt.send(request).await?;
            }
        }
    }
}

/// Reads everything. `None`: there is nothing to carry out any more.
fn prepare(assignment: &Assignment) -> Result<Option<Attempt<'_>>, Halt> {
    let Assignment { core, organization, account, delivery, .. } = assignment;
    let store = &core.store;
    let (Some(delivery), Some(account)) =
        (store.delivery(*organization, *delivery)?, store.account(*organization, *account)?)
    else {
        return Ok(None);
    };
    let Some(post) = store.post(*organization, delivery.post)? else { return Ok(None) };
    let Some(connector) = connectors::find(&account.platform) else { return Ok(None) };
    let site = core.account_site(connector, &account);
    let addresses = Addresses {
        vault: store.vault(),
        public_url: &core.public_url,
        planned: delivery.due,
        now: core.now(),
    };
    let url = |media: &Media| addresses.of(media);
    let prepared = jobs::build(store, connector, site, &delivery, &post, &account, url)?;
    let mut files = Files::new();
    for media in prepared.media.values() {
        files.insert(media.id, (core.store.media_files().path(&media.sha256), media.bytes));
    }
    let job = prepared.job;
    let step = if delivery.step.is_empty() {
        connector.begin(&job)
    } else {
        // An unreadable step shows when its request is asked for.
        steps::open(store.vault(), *organization, delivery.id, &delivery.step)
    };
    let fence = Fence {
        organization: *organization,
        delivery: delivery.id,
        attempt: delivery.attempt + 1,
        epoch: core.epoch,
    };
    Ok(Some(Attempt {
        assignment,
        connector,
        account,
        delivery,
        job,
        files,
        step,
        fence,
        absence: Absence::Unknown,
        doubted: None,
        missing: prepared.missing,
    }))
}

/// This version cannot go on with it: its step, its post or its platform is gone.
async fn hold_unreadable(assignment: &Assignment) -> Result<(), Halt> {
    let (organization, id) = (assignment.organization, assignment.delivery);
    let now = assignment.core.now();
    assignment
        .core
        .commit("hold unreadable", move |view| {
            let delivery = view.delivery(organization, id)?.ok_or(Halt::Fenced)?;
            let mut change = Change::of(delivery);
            match (&change.after.state, change.after.armed.clone()) {
                (State::Ready | State::Running | State::Staging | State::Planned, None) => {
                    let why = Hold::Unreadable;
                    transitions::hold(view, &mut change, why, &Actor::Engine, now)?;
                }
                (State::Ready | State::Running, Some(armed)) => {
                    let evidence =
                        "What is stored of its progress cannot be read by this version, \
                                    and a request may have been sent."
                            .to_owned();
                    transitions::doubt(view, &mut change, armed.since, evidence, now)?;
                }
                _ => return Err(Halt::Fenced),
            }
            change.write(view)?;
            Ok(())
        })
        .await
}

pub(super) fn arms(request: &Request) -> Arms {
    match request.repeat {
        Repeat::Harmless => Arms::No,
        Repeat::Keyed { .. } | Repeat::Probed { .. } | Repeat::Duplicates => Arms::Yes,
    }
}

fn armedness(request: &Request) -> Armedness {
    match arms(request) {
        Arms::Yes => Armedness::Armed,
        Arms::No => Armedness::Harmless,
    }
}

pub(super) fn guard(request: &Request) -> Guard {
    match &request.repeat {
        Repeat::Harmless => Guard::Harmless,
        Repeat::Keyed { valid_for, .. } => Guard::Keyed { valid_for: *valid_for },
        Repeat::Probed { settle } => Guard::Probed { settle: *settle },
        Repeat::Duplicates => Guard::Duplicates,
    }
}

impl Attempt<'_> {
    pub(super) fn core(&self) -> &Core {
        &self.assignment.core
    }

    pub(super) fn request(&self) -> serde_json::Result<Request> {
        self.connector.request(&self.step, &self.job)
    }

    fn sealed(&self, step: &Value) -> Vec<u8> {
        let vault = self.core().store.vault();
        steps::seal(vault, self.delivery.organization, self.delivery.id, step)
    }

    /// What readers can see so far.
    pub(super) fn live(&self) -> Vec<Live> {
        self.connector.live(&self.step, &self.job).unwrap_or_default()
    }

    /// Readers can see all of it: only a read about it is left, such as the one for its address,
    /// and whatever becomes of that, the delivery is published.
    fn is_all_live(&self) -> bool {
        !self.connector.is_undecided(&self.step)
            && self.live().len() == self.connector.pieces(&self.job)
    }

    /// Whether what a look found belongs to another delivery.
    pub(super) fn is_of_others(&self, next: &Next<Value>) -> bool {
        let live = match next {
            Next::Go(step) | Next::Wait(_, step) => {
                self.connector.live(step, &self.job).unwrap_or_default()
            }
            Next::Done(live) => live.clone(),
        };
        live.iter().any(|live| self.job.is_taken(&live.id))
    }

    async fn fail_without(&self, missing: MediaId) -> Result<End, Halt> {
        let Delivery { organization, id, attempt, .. } = self.delivery;
        let (now, live) = (self.core().now(), self.live());
        let words = format!("its file {missing} was deleted");
        self.core()
            .commit("file missing", move |view| {
                let delivery = view.delivery(organization, id)?.ok_or(Halt::Fenced)?;
                transitions::fail_without_file(view, delivery, attempt, words, live, now)
            })
            .await?;
        Ok(End::Settled)
    }

    async fn hold_unreadable(&self) -> Result<End, Halt> {
        hold_unreadable(self.assignment).await?;
        Ok(End::Settled)
    }

    /// `Some`: the attempt is over before it began.
    async fn claim(&mut self, request: &Request) -> Result<Option<End>, Halt> {
        let now = self.core().now();
        let claim = Claim {
            organization: self.fence.organization,
            delivery: self.delivery.id,
            attempt: self.delivery.attempt,
            epoch: self.core().epoch,
            step: self.sealed(&self.step),
            arms: arms(request),
            purpose: self.assignment.purpose,
            now,
        };
        let account = self.account.clone();
        let (profile, units) = (self.connector.profile(), request.units);
        let parts = u32::try_from(self.job.parts.len()).unwrap_or(u32::MAX);
        let claimed = self
            .core()
            .commit("claim", move |view| {
                // Read again: a pause or a disconnection may have come first.
                let account =
                    view.account(account.organization, account.id)?.ok_or(Halt::Fenced)?;
                if transitions::may_publish(view, &account)?.is_err() {
                    return Err(Halt::Fenced);
                }
                let organization: Organization =
                    view.organization(account.organization)?.ok_or(Halt::Fenced)?;
                let stored =
                    view.delivery(claim.organization, claim.delivery)?.ok_or(Halt::Fenced)?;
                let publications = match claim.purpose {
                    Purpose::Publish if !stored.charged && stored.armed.is_none() => parts,
                    // To ask what became of it, or to try again, is no further publication.
                    Purpose::Publish | Purpose::Stage => 0,
                };
                let calls = Calls { requests: 1, publications, units };
                let wait = paces::take(view, profile, &account, &organization, calls, now)?;
                if let Some(until) = wait {
                    return rest(view, stored, until, now);
                }
                Ok(match transitions::claim(view, &claim)? {
                    Claimed::Go(delivery) => Ok(delivery),
                    Claimed::SetAside => Err(End::Settled),
                })
            })
            .await?;
        match claimed {
            Ok(delivery) => {
                self.job.armed = delivery.armed.as_ref().map(|armed| armed.since);
                self.delivery = *delivery;
                Ok(None)
            }
            Err(end) => Ok(Some(end)),
        }
    }

    /// One request and what follows from its answer.
    pub(super) async fn send(&mut self, request: Request) -> Result<Course, Halt> {
        if let Some(since) = self.job.armed
            && agenda::is_stale(since, self.core().now())
        {
            // The process stood still between arming and sending: what was decided then may be
            // wrong now, so it is decided again.
            return self.step_back(End::Settled).await;
        }
        self.send_decided(request).await
    }

    /// For a request that was armed longer ago and whose repetition was decided on just now.
    pub(super) async fn send_decided(&mut self, request: Request) -> Result<Course, Halt> {
        let answer = self.core().client.send(&request, &self.assignment.secrets, &self.files).await;
        match answer {
            Ok(reply) => self.answered(&request, &reply).await,
            Err(net::Error::NotSent { reason, until }) => {
                self.not_sent(&request, reason, until).await
            }
            Err(net::Error::Unanswered { reason }) => self.unanswered(&request, reason).await,
        }
    }

    async fn answered(&mut self, request: &Request, reply: &Reply) -> Result<Course, Halt> {
        match self.connector.accept(&self.step, &self.job, reply) {
            Ok(Ok(next)) => self.proceed(next, paces::exhausted(reply)).await,
            Ok(Err(refusal)) => {
                let refusal = errands::redacted(refusal, &self.assignment.secrets);
                let refusal = retry::proven(refusal, reply.status, armedness(request));
                self.refused(request, self.without_addresses(refusal)).await
            }
            Err(_) => self.hold_unreadable().await.map(Course::End),
        }
    }

    /// Whoever has the address of a file may fetch it, and a platform may repeat it in its words.
    fn without_addresses(&self, mut refusal: Refusal) -> Refusal {
        let files = self.job.parts.iter().flat_map(|part| &part.media);
        for media in files.filter(|media| !media.url.is_empty()) {
            let name = format!("(the address of {})", media.id);
            refusal.words = refusal.words.replace(&media.url, &name);
        }
        refusal
    }

    /// The platform did what was asked. `exhausted`: and will do no more before then.
    pub(super) async fn proceed(
        &mut self,
        next: Next<Value>,
        exhausted: Option<Timestamp>,
    ) -> Result<Course, Halt> {
        let (fence, now) = (self.fence, self.core().now());
        let account = self.account.clone();
        match next {
            Next::Go(step) => self.go(step, exhausted).await,
            Next::Wait(wait, step) => {
                let wait = Wait {
                    until: now.after(wait),
                    why: if self.is_between(&step) { Why::Between } else { Why::Processing },
                    step: Some(self.sealed(&step)),
                    armed: None,
                    failures: self.delivery.failures,
                    text: self.waiting_text(&step),
                };
                self.end_with(End::Settled, move |view| transitions::wait(view, fence, wait, now))
                    .await
            }
            Next::Done(live) => {
                self.end_with(End::Settled, move |view| {
                    if let Some(until) = exhausted {
                        paces::block(view, &account, PaceScope::Account, until)?;
                    }
                    transitions::publish(view, fence, live, now)
                })
                .await
            }
        }
    }

    /// At that step some parts of a thread are live and others are not. What belongs below a post
    /// as a comment is no part of a thread: it may come whenever it is ready.
    fn is_between(&self, step: &Value) -> bool {
        let live = self.connector.live(step, &self.job).unwrap_or_default().len();
        let has_comments = self.connector.profile().limits.comment.is_some();
        !has_comments && live > 0 && live < self.job.parts.len()
    }

    /// Polling is told once, not at every look.
    fn waiting_text(&self, next: &Value) -> String {
        if std::mem::discriminant(&self.step) == std::mem::discriminant(next)
            && step_name(&self.step) == step_name(next)
        {
            return String::new();
        }
        format!("{} is still processing.", self.connector.profile().name)
    }

    async fn go(&mut self, step: Value, exhausted: Option<Timestamp>) -> Result<Course, Halt> {
        self.step = step;
        self.doubted = None;
        let Ok(request) = self.request() else {
            return self.hold_unreadable().await.map(Course::End);
        };
        let (fence, now, bytes) = (self.fence, self.core().now(), self.sealed(&self.step));
        if self.assignment.purpose == Purpose::Stage && arms(&request) == Arms::Yes {
            return self
                .end_with(End::Settled, move |view| transitions::park(view, fence, bytes, now))
                .await;
        }
        let (live, arms, units) = (self.live(), arms(&request), request.units);
        let account = self.account.clone();
        let profile = self.connector.profile();
        let taken_by = self.connector.is_undecided(&self.step).then_some(profile.name);
        let wait = self
            .core()
            .commit("advance", move |view| {
                let organization = view.organization(account.organization)?.ok_or(Halt::Fenced)?;
                if let Some(until) = exhausted {
                    paces::block(view, &account, PaceScope::Account, until)?;
                }
                let calls = Calls { requests: 1, publications: 0, units };
                let wait = paces::take(view, profile, &account, &organization, calls, now)?;
                let next = Advance { step: bytes, live, taken_by, arms };
                match wait {
                    None => transitions::advance(view, fence, next, now)?,
                    Some(until) => {
                        let next = Advance { arms: Arms::No, ..next };
                        transitions::advance(view, fence, next, now)?;
                        let change = Change::fenced(view, fence)?;
                        let wait = limit_wait(until, change.after.failures);
                        transitions::wait(view, fence, wait, now)?;
                    }
                }
                Ok(wait)
            })
            .await?;
        if let Some(until) = wait {
            return Ok(Course::End(End::Rest { until }));
        }
        self.job.armed = (arms == Arms::Yes).then_some(now);
        self.delivery.armed = self.job.armed.map(|since| Armed { since, looks: 0 });
        Ok(Course::Next)
    }

    fn situation(&self, armed: Armedness) -> Situation {
        let core = self.core();
        Situation {
            failures: self.delivery.failures,
            armed,
            refreshed: self.assignment.refreshed,
            now: core.now(),
            jitter: core.entropy.fraction(),
        }
    }

    async fn refused(&mut self, request: &Request, refusal: Refusal) -> Result<Course, Halt> {
        let situation = self.situation(armedness(request));
        let (fence, now, failures) = (self.fence, situation.now, self.delivery.failures);
        let doubted = self.doubted.clone();
        match retry::react(&refusal, &situation) {
            Reaction::Refresh | Reaction::Reconnect if self.is_all_live() => {
                self.give_up(refusal).await
            }
            Reaction::Rest { until, scope } => {
                let account = self.account.clone();
                let text = format!(
                    "A limit is reached ({}); it goes on at {until}. This does not count as a \
                     failure.",
                    refusal.words
                );
                let wait = Wait { armed: doubted, text, ..limit_wait(until, failures) };
                self.end_with(End::Rest { until }, move |view| {
                    paces::block(view, &account, scope, until)?;
                    transitions::wait(view, fence, wait, now)
                })
                .await
            }
            Reaction::Refresh if doubted.is_some() => {
                let end = self.end_of_old_token()?;
                doubt::hand_back(self, end).await
            }
            Reaction::Refresh => {
                let end = self.end_of_old_token()?;
                self.step_back(end).await
            }
            Reaction::Reconnect => self.access_refused(doubted, &refusal).await,
            Reaction::Again { at } if doubted.is_none() => self.again(at, refusal).await,
            // It is not there, and still the platform says that it has the like: an older post.
            Reaction::Look
                if refusal.kind == RefusalKind::Duplicate && self.absence == Absence::Proven =>
            {
                self.give_up(refusal).await
            }
            Reaction::Again { .. } | Reaction::Look => {
                let reason = format!("the answer was: {}", refusal.words);
                doubt::unanswered(self, request, reason).await
            }
            Reaction::GiveUp if doubted.is_some() => {
                let evidence = format!(
                    "It was sent and not answered. When it was sent again with the same key, the \
                     answer was: {}",
                    refusal.words
                );
                doubt::ask(self, &evidence).await
            }
            Reaction::GiveUp => self.give_up(refusal).await,
        }
    }

    /// What was refused may have been renewed already, by whoever shares the grant.
    pub(super) fn end_of_old_token(&self) -> Result<End, Halt> {
        let (store, sent) = (&self.core().store, self.assignment.secrets.access.as_ref());
        let (organization, id) = (self.account.organization, self.account.id);
        let stored = |owner: &Owner, field: &str| store.secret(organization, owner, field);
        Ok(match tokens::is_current(stored, id, sent)? {
            true => End::NeedsRefresh,
            false => End::Settled,
        })
    }

    async fn access_refused(
        &self,
        doubted: Option<Armed>,
        refusal: &Refusal,
    ) -> Result<Course, Halt> {
        let (fence, now) = (self.fence, self.core().now());
        let (id, secrets) = (self.account.id, self.assignment.secrets.clone());
        let platform = self.connector.profile().name;
        let reason = match refusal.words.as_str() {
            "" => format!("{platform} no longer accepts our access."),
            words => format!("{platform} refuses our access: {words} ({}).", refusal.code),
        };
        let end = self
            .core()
            .commit("access refused", move |view| {
                let sent = secrets.access.as_ref();
                // The person signed in while the request was under way with the old token.
                let stored =
                    |owner: &Owner, field: &str| view.secret(fence.organization, owner, field);
                if !tokens::is_current(stored, id, sent)? {
                    transitions::return_claimed(view, fence, doubted, now)?;
                    return Ok(End::Settled);
                }
                if let Some(account) = view.account(fence.organization, id)? {
                    tokens::note_revoked(view, account, reason, now)?;
                }
                transitions::hold_claimed(view, fence, doubted, now)?;
                Ok(End::NeedsReconnection)
            })
            .await?;
        Ok(Course::End(end))
    }

    async fn not_sent(
        &mut self,
        request: &Request,
        reason: String,
        until: Option<Timestamp>,
    ) -> Result<Course, Halt> {
        if self.doubted.is_some() {
            return doubt::unanswered(self, request, reason).await;
        }
        let refusal = Refusal::new(RefusalKind::Unavailable, "not_sent", reason);
        if let Reaction::Again { at } = retry::not_sent(&self.situation(armedness(request))) {
            return self.again(at.max(until.unwrap_or_default()), refusal).await;
        }
        self.give_up(refusal).await
    }

    async fn unanswered(&mut self, request: &Request, reason: String) -> Result<Course, Halt> {
        if arms(request) == Arms::Yes {
            return doubt::unanswered(self, request, reason).await;
        }
        let refusal = Refusal::new(RefusalKind::Unavailable, "unanswered", reason);
        let situation = self.situation(Armedness::Harmless);
        if let Reaction::Again { at } = retry::react(&refusal, &situation) {
            return self.again(at, refusal).await;
        }
        self.give_up(refusal).await
    }

    async fn again(&mut self, at: Timestamp, refusal: Refusal) -> Result<Course, Halt> {
        let (fence, now) = (self.fence, self.core().now());
        let text = format!(
            "Attempt {} did not succeed ({}): {}. Next attempt at {at}.",
            self.delivery.attempt,
            refusal.kind.name(),
            refusal.words
        );
        // A file that the platform lost is uploaded again, as long as nothing is live yet.
        let anew = refusal.kind == RefusalKind::Media && self.live().is_empty();
        let wait = Wait {
            until: at,
            why: Why::Backoff { refusal },
            step: anew.then(Vec::new),
            armed: None,
            failures: self.delivery.failures + 1,
            text,
        };
        self.end_with(End::Settled, move |view| transitions::wait(view, fence, wait, now)).await
    }

    async fn give_up(&mut self, refusal: Refusal) -> Result<Course, Halt> {
        let (fence, now, live) = (self.fence, self.core().now(), self.live());
        if self.connector.is_undecided(&self.step) {
            let name = self.connector.profile().name;
            let evidence = format!(
                "{name} took it, and what became of it could not be read: {}.",
                refusal.words
            );
            return doubt::ask(self, &evidence).await;
        }
        if self.is_all_live() {
            return self
                .end_with(End::Settled, move |view| transitions::publish(view, fence, live, now))
                .await;
        }
        self.end_with(End::Settled, move |view| transitions::fail(view, fence, refusal, live, now))
            .await
    }

    /// Nothing took effect: back to the front of the lane.
    async fn step_back(&mut self, end: End) -> Result<Course, Halt> {
        let (fence, now) = (self.fence, self.core().now());
        self.end_with(end, move |view| transitions::step_back(view, fence, now)).await
    }

    pub(super) async fn end_with<F>(&self, end: End, change: F) -> Result<Course, Halt>
    where
        F: FnOnce(&mut crate::store::View) -> Result<(), Halt> + Send + 'static,
    {
        self.core().commit("end of attempt", change).await?;
        Ok(Course::End(end))
    }

    pub(super) fn refreshable(&self) -> bool {
        self.assignment.refreshed == Refreshed::NotYet
    }
}

fn step_name(step: &Value) -> Option<&str> {
    match step {
        Value::String(name) => Some(name),
        Value::Object(fields) => fields.keys().next().map(String::as_str),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

pub(super) fn limit_wait(until: Timestamp, failures: u32) -> Wait {
    Wait {
        until,
        why: Why::Limit,
        step: None,
        armed: None,
        failures,
        text: format!(
            "A limit is reached; it goes on at {until}. This does not count as a failure."
        ),
    }
}

/// The account may not send before `until`. Told on the delivery that stands first.
fn rest(
    view: &mut crate::store::View,
    stored: Delivery,
    until: Timestamp,
    now: Timestamp,
) -> Result<Result<Box<Delivery>, End>, Halt> {
    let is_first = stored.state == State::Ready;
    if is_first {
        let mut change = Change::of(stored);
        change.after.state = State::Waiting { until, why: Why::Limit };
        change.after.timer = Some(until);
        let text = limit_wait(until, 0).text;
        change.tell(view, EventKind::DeliveryWaiting, &Actor::Engine, now, text)?;
        change.write(view)?;
    }
    Ok(Err(End::Rest { until }))
}

/// Two requests with one key at the same moment may both be carried out.
pub(super) const ECHO: Duration = Duration::from_secs(5);
