//! What a person does to what readers can see already: taking it down, changing its text.
//!
//! Invariant: both are told before they are asked of the platform and after it answered, and asking
//! twice is the same as asking once.

use crate::{
    connectors::{Outcome, Task},
    domain::{
        account::{Account, Connection},
        delivery::{Delivery, Live, State},
        event::EventKind,
        ids::DeliveryId,
        post::VariantFor,
        problem::{Code, Problem},
        refusal::RefusalKind,
    },
    engine::{
        Answer, Engine,
        core::{connector_named, unexpected},
        errands::{self, Failure},
        facade::{
            Caller,
            deliveries::{missing, wrong_state},
            validation,
        },
        tokens,
        transitions::Change,
    },
    policy::permission::Verb,
    store::Read,
};

impl Engine {
    /// Takes down what is live. Arriving twice, or after it was taken down by hand, it finds
    /// nothing there and is content.
    pub async fn remove_delivery(&self, caller: &Caller, id: DeliveryId) -> Answer<Delivery> {
        caller.may(Verb::DeliveriesRemove)?;
        self.refuse_when_stopping()?;
        let delivery = self.delivery(caller, id)?;
        let removable = matches!(
            delivery.state,
            State::Published { .. } | State::Failed { .. } | State::Cancelled { .. }
        );
        if !removable {
            return Err(wrong_state(&delivery, "be removed").into());
        }
        if delivery.live.is_empty() {
            return Ok(delivery);
        }
        let (live, nameless): (Vec<Live>, Vec<Live>) =
            delivery.live.iter().cloned().partition(|live| !live.id.is_empty());
        let account = self.account(caller, delivery.account)?;
        let connector = connector_named(&account.platform)?;
        let name = connector.profile().name;
        if live.is_empty() {
            return Err(unnamed(name, &nameless));
        }
        check_access(&account, name)?;
        let asked = live.clone();
        let task = Task::Remove { live };
        let site = self.core.account_site(connector, &account);
        if connector.errand(&task, &site).is_none() {
            return Err(Problem::new(
                Code::WrongState,
                format!("{name} lets no program take posts down."),
                format!("Take it down on {name} yourself."),
            ));
        }
        let text = format!("Asked {name} to take it down.");
        self.tell(caller, id, EventKind::DeliveryRemovalAsked, text).await?;
        let outcome = self.with_fresh_token(caller, account, &task).await?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let failure = outcome.err();
        let problem = failure.as_ref().map(|failure| failure.problem(name));
        let stored = self
            .core
            .commit_at_door("remove delivery", move |view| {
                let delivery = view.delivery(organization, id)?.ok_or_else(|| missing(id))?;
                let mut change = Change::of(delivery);
                match failure {
                    None => {
                        take_away(&mut change.after, &asked);
                        let text = match nameless.len() {
                            0 => "Removed from the platform.".to_owned(),
                            left => format!(
                                "Removed from the platform, but for {left} of it whose ids are \
                                 not known."
                            ),
                        };
                        change.tell(view, EventKind::DeliveryRemoved, &actor, now, text)?;
                    }
                    Some(failure) => {
                        let text = format!("Could not be removed: {}.", failure.words());
                        let kind = EventKind::DeliveryRemovalFailed;
                        change.tell(view, kind, &actor, now, text)?;
                    }
                }
                change.write(view)
            })
            .await?;
        problem.map_or(Ok(stored), Err)
    }

    /// Changes the text of a live part, the first being 0. Arriving twice it changes it to the same
    /// text; the platform's answer to the first may have been lost.
    pub async fn revise_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
        part: usize,
        text: String,
    ) -> Answer<Delivery> {
        caller.may(Verb::DeliveriesRevise)?;
        self.refuse_when_stopping()?;
        let delivery = self.delivery(caller, id)?;
        let account = self.account(caller, delivery.account)?;
        self.check_revision(caller, &delivery, &account, part, &text)?;
        let connector = connector_named(&account.platform)?;
        let name = connector.profile().name;
        let site = self.core.account_site(connector, &account);
        let edit = |index| Task::Edit { live: delivery.live.clone(), index, text: text.clone() };
        let task = edit(part);
        if connector.errand(&task, &site).is_none() {
            let what = match connector.errand(&edit(0), &site) {
                Some(_) => format!("part {}", part + 1),
                None => "what is published".to_owned(),
            };
            return Err(Problem::new(
                Code::WrongState,
                format!("{name} lets no program change {what}."),
                "Take it down and publish it anew, if that is worth it.",
            ));
        }
        check_access(&account, name)?;
        let asked = format!("Asked {name} to change the text of part {}.", part + 1);
        self.tell(caller, id, EventKind::DeliveryRevisionAsked, asked).await?;
        let outcome = self.with_fresh_token(caller, account, &task).await?;
        let live = match outcome {
            Ok(Outcome::Edited(live)) => Ok(live),
            Ok(_) => return Err(unexpected("an edit did not end in what is live")),
            Err(failure) => Err(failure),
        };
        self.settle_revision(caller, id, (part, text), live, name).await
    }

    async fn settle_revision(
        &self,
        caller: &Caller,
        id: DeliveryId,
        (part, wanted): (usize, String),
        live: Result<Vec<Live>, Failure>,
        name: &str,
    ) -> Answer<Delivery> {
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let problem = live.as_ref().err().map(|failure| failure.problem(name));
        let stored = self
            .core
            .commit_at_door("revise delivery", move |view| {
                let delivery = view.delivery(organization, id)?.ok_or_else(|| missing(id))?;
                let mut change = Change::of(delivery);
                match live {
                    Ok(live) => {
                        // The record says what readers see; other accounts keep their text.
                        let post = view.post(organization, change.after.post)?;
                        if let Some(mut post) = post {
                            let (account, platform) =
                                (change.after.account, &change.after.platform);
                            let mut content = post.content_for(account, platform).clone();
                            if let Some(part) = content.parts.get_mut(part) {
                                part.text = wanted;
                            }
                            post.variants.insert(VariantFor::Account(account), content);
                            post.revision += 1;
                            view.put_post(&post)?;
                        }
                        // What was added or taken down meanwhile stays so.
                        for (stored, revised) in change.after.live.iter_mut().zip(live) {
                            *stored = revised;
                        }
                        let text = format!("The text of part {} was changed.", part + 1);
                        change.tell(view, EventKind::DeliveryRevised, &actor, now, text)?;
                    }
                    Err(failure) => {
                        let text = match &failure {
                            Failure::Refused(refusal) => {
                                format!("The text was not changed: {}.", refusal.words)
                            }
                            Failure::Unreachable(reason) => format!(
                                "Whether the text was changed is not known: {reason}. Asking \
                                 again does no harm."
                            ),
                        };
                        let kind = EventKind::DeliveryRevisionFailed;
                        change.tell(view, kind, &actor, now, text)?;
                    }
                }
                change.write(view)
            })
            .await?;
        problem.map_or(Ok(stored), Err)
    }

    /// Whether that part is live, and the platform allows the text.
    fn check_revision(
        &self,
        caller: &Caller,
        delivery: &Delivery,
        account: &Account,
        part: usize,
        text: &str,
    ) -> Answer<()> {
        if part >= delivery.live.len() {
            let parts = delivery.live.len();
            return Err(Problem::new(
                Code::WrongState,
                format!("Part {part} is not live: the delivery has {parts} live parts."),
                "The first part is 0. What is not published yet is edited as a post.",
            )
            .at("part"));
        }
        let tenant = self.core.store.organization(caller.organization);
        let post = tenant.post(delivery.post)?.ok_or_else(|| {
            let sentence = "The post of this delivery is gone.";
            Problem::new(Code::NotFound, sentence, "Change the text on the platform itself.")
        })?;
        let mut content = post.content_for(account.id, &account.platform).clone();
        if let Some(part) = content.parts.get_mut(part) {
            part.text = text.to_owned();
        }
        let found =
            validation::fits_content(&self.core, &content, account).map_err(Problem::from)?;
        match found.errors.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    async fn tell(
        &self,
        caller: &Caller,
        id: DeliveryId,
        kind: EventKind,
        text: String,
    ) -> Answer<()> {
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        self.core
            .commit_at_door("tell of a wish", move |view| {
                let delivery = view.delivery(organization, id)?.ok_or_else(|| missing(id))?;
                let mut change = Change::of(delivery);
                change.tell(view, kind, &actor, now, text)?;
                change.write(view)?;
                Ok(())
            })
            .await
    }

    /// With a token that is renewed when it ends soon, or when the platform says that it has ended:
    /// some end before the time that they were given.
    async fn with_fresh_token(
        &self,
        caller: &Caller,
        mut account: Account,
        task: &Task,
    ) -> Answer<Result<Outcome, Failure>> {
        let can_refresh = tokens::can_refresh(&self.core.store, &account).map_err(Problem::from)?;
        if can_refresh && tokens::ends_soon(&account, self.core.now()) {
            self.renew(&account).await?;
            account = self.account(caller, account.id)?;
        }
        let outcome = self.errand(&account, task).await?;
        if can_refresh
            && let Err(Failure::Refused(refusal)) = &outcome
            && refusal.kind == RefusalKind::Unauthorized
        {
            self.renew(&account).await?;
            return self.errand(&account, task).await;
        }
        Ok(outcome)
    }

    async fn errand(&self, account: &Account, task: &Task) -> Answer<Result<Outcome, Failure>> {
        let connector = connector_named(&account.platform)?;
        let mut site = self.core.account_site(connector, account);
        let mut secrets = tokens::load(&self.core, account).map_err(Problem::from)?;
        Ok(errands::run(&self.core, connector, &mut site, task, &mut secrets).await)
    }

    /// By the account's actor, so that a refresh stays single.
    async fn renew(&self, account: &Account) -> Answer<()> {
        let home = crate::engine::directory::Home {
            organization: account.organization,
            account: account.id,
        };
        let mut changed = self.changed();
        if let Some(directory) = self.directory() {
            let _ = directory.cast(crate::engine::directory::DirectoryMessage::RefreshDue(home));
        }
        let limit = std::time::Duration::from_secs(30);
        let renewed = async {
            loop {
                let fresh = self.core.store.account(account.organization, account.id)?;
                if fresh.is_none_or(|fresh| fresh.revision != account.revision) {
                    return Ok(());
                }
                if changed.changed().await.is_err() {
                    return Ok(());
                }
            }
        };
        self.core.clock.within(limit, renewed).await.unwrap_or(Ok(()))
    }
}

/// What is left of it stays on record. With nothing left, another attempt begins at the first part:
/// what would follow has nothing that it could answer to.
fn take_away(delivery: &mut Delivery, removed: &[Live]) {
    delivery.live.retain(|live| !removed.iter().any(|removed| removed.id == live.id));
    let at_rest = matches!(delivery.state, State::Failed { .. } | State::Cancelled { .. });
    if at_rest && delivery.live.is_empty() {
        delivery.step.clear();
    }
}

/// A person has said that it is live, and nobody knows by what name.
fn unnamed(platform: &str, live: &[Live]) -> Problem {
    let place = match live.iter().find(|live| !live.url.is_empty()) {
        Some(live) => format!(": {}", live.url),
        None => String::new(),
    };
    Problem::new(
        Code::WrongState,
        format!("What is live has no id here, because {platform} never answered with one."),
        format!("Take it down on {platform} yourself{place}."),
    )
}

/// With an account its tokens go, and without them nothing can be asked of the platform.
fn check_access(account: &Account, platform: &str) -> Answer<()> {
    match account.connection {
        Connection::Disconnected { .. } => Err(Problem::new(
            Code::AccountNotConnected,
            format!("{} on {platform} is disconnected.", account.identity.handle),
            format!("Connect the account again first, or do it on {platform} yourself."),
        )),
        Connection::Connected
        | Connection::NeedsReconnection { .. }
        | Connection::NeedsAttention { .. } => Ok(()),
    }
}
