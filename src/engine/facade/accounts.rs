//! Everything that a person does to a connected account.

use crate::{
    connectors::Task,
    domain::{
        account::{Account, Connection},
        delivery::{Hold, State},
        event::EventKind,
        ids::{AccountId, OrganizationId},
        organization::{Actor, Pause, Reach},
        problem::{Code, Problem},
    },
    engine::{
        Answer, Engine,
        core::{Halt, connector_named},
        directory::{DirectoryMessage, Home},
        errands::{self, Failure},
        facade::{Caller, Health, Listing, Page, listing},
        journal::{self, Tale},
        tokens, transitions,
    },
    policy::{
        lane::{Access, Flow, Refresh, Stage},
        permission::Verb,
    },
    store::{Key, Order, Owner, Read, Span, Table, View},
};

impl Engine {
    pub fn accounts(&self, caller: &Caller, page: &Page) -> Answer<Listing<Account>> {
        caller.may(Verb::AccountsList)?;
        let tenant = self.core.store.organization(caller.organization);
        let after = page.after_id::<AccountId>()?;
        let limit = page.limit();
        let found = match &caller.reach {
            Reach::Accounts(bound) => {
                let mut found = Vec::new();
                for &id in bound.iter().filter(|&&id| after.is_none_or(|after| id > after)) {
                    found.extend(tenant.account(id)?);
                }
                found.truncate(limit + 1);
                found
            }
            Reach::Organization | Reach::Instance => tenant.accounts(after, limit + 1)?,
        };
        Ok(listing(found, limit, |account| account.id.to_string()))
    }

    pub fn account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        caller.may(Verb::AccountsShow)?;
        let tenant = self.core.store.organization(caller.organization);
        let found = tenant.account(id)?.filter(|_| caller.sees(id));
        found.ok_or_else(|| missing(id))
    }

    /// How an account is doing, from its actor and from the store.
    pub async fn health(&self, caller: &Caller, id: AccountId) -> Answer<Health> {
        caller.may(Verb::AccountsHealth)?;
        let account = self.account(caller, id)?;
        let stage = self.stage(id).await;
        let store = &self.core.store;
        let organization = caller.organization;
        let in_state = |state: &State| -> Answer<usize> {
            let Some(number) = transitions::attention_number(state) else { return Ok(0) };
            let mut count = 0;
            for delivery in store.attention(organization, number, COUNT_MAX)? {
                let delivery = store.delivery(organization, delivery)?;
                count += usize::from(delivery.is_some_and(|found| found.account == id));
            }
            Ok(count)
        };
        let held = State::Held { since: self.core.now(), why: Hold::Missed };
        let doubt =
            crate::domain::delivery::Doubt { sent: self.core.now(), evidence: String::new() };
        let in_doubt = State::InDoubt { since: self.core.now(), doubt };
        let blocked =
            crate::engine::paces::blocked_until(store, &account).map_err(Problem::from)?;
        let rests_until = stage
            .and_then(|stage| stage.resting_until)
            .max((blocked > self.core.now()).then_some(blocked));
        Ok(Health {
            stage: stage_name(&account, stage),
            rests_until,
            on_lane: store.lane(organization, id, COUNT_MAX)?.len(),
            in_doubt: in_state(&in_doubt)?,
            held: in_state(&held)?,
            troubles: troubles(&account, self.core.now()),
            account,
        })
    }

    async fn stage(&self, id: AccountId) -> Option<Stage> {
        let directory = self.directory()?;
        let asked = directory.call(
            |reply| DirectoryMessage::Inspect(id, reply),
            Some(std::time::Duration::from_secs(5)),
        );
        match asked.await {
            Ok(ractor::rpc::CallResult::Success(stage)) => stage,
            Ok(_) | Err(_) => None,
        }
    }

    pub async fn pause_account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        caller.may(Verb::AccountsPause)?;
        self.account(caller, id)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let account = self
            .core
            .commit_at_door("pause account", move |view| {
                let mut account = view.account(organization, id)?.ok_or_else(|| missing(id))?;
                if account.paused == Pause::Running {
                    account.paused = Pause::Paused { since: now };
                    account.revision += 1;
                    view.put_account(&account)?;
                    let text = "The account is paused; nothing of it is published.";
                    let kind = EventKind::AccountPaused;
                    let tale = Tale::of(organization, now, &actor, kind, text);
                    journal::tell(view, tale.about_account(id))?;
                }
                Ok(account)
            })
            .await?;
        self.changed_in(organization);
        Ok(account)
    }

    /// Ends a pause, and takes up an account that was set aside. What became too late meanwhile is
    /// held as missed.
    pub async fn resume_account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        caller.may(Verb::AccountsResume)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let account = self.account(caller, id)?;
        self.sweep(&account).await?;
        let account = self
            .core
            .commit_at_door("resume account", move |view| {
                let mut account = view.account(organization, id)?.ok_or_else(|| missing(id))?;
                let aside = matches!(account.connection, Connection::NeedsAttention { .. });
                if account.paused != Pause::Running || aside {
                    account.paused = Pause::Running;
                    if aside {
                        account.connection = Connection::Connected;
                    }
                    account.revision += 1;
                    view.put_account(&account)?;
                    let kind = EventKind::AccountResumed;
                    let tale = Tale::of(organization, now, &actor, kind, "The account is resumed.");
                    journal::tell(view, tale.about_account(id))?;
                    if aside {
                        release_held(view, &account, now)?;
                    }
                }
                Ok(account)
            })
            .await?;
        if let Some(directory) = self.directory() {
            let _ = directory.cast(DirectoryMessage::Forgive(id));
        }
        self.wake(organization, id);
        Ok(account)
    }

    /// Revokes our access at the platform, deletes the tokens at once, and holds what was ready.
    /// Arriving twice changes nothing the second time.
    pub async fn disconnect(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        caller.may(Verb::AccountsDisconnect)?;
        let account = self.account(caller, id)?;
        if matches!(account.connection, Connection::Disconnected { .. }) {
            return Ok(account);
        }
        let revocation = self.revoke(&account).await;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let text = match &revocation {
            Ok(Revoked::Yes) => "The account is disconnected; our access was revoked.".to_owned(),
            Ok(Revoked::Impossible(name)) => format!(
                "The account is disconnected and its tokens are deleted. {name} has no way to \
                 withdraw access to one account alone; remove Fanfare in its settings if nothing \
                 else of yours is connected."
            ),
            Err(reason) => format!(
                "The account is disconnected and its tokens are deleted, but the platform did not \
                 confirm the revocation ({reason}). Remove Fanfare in the platform's settings."
            ),
        };
        let account = self
            .core
            .commit_at_door("disconnect account", move |view| {
                let mut account = view.account(organization, id)?.ok_or_else(|| missing(id))?;
                account.connection = Connection::Disconnected { since: now };
                account.token_ends = None;
                account.refresh_ends = None;
                account.revision += 1;
                view.delete_secrets(organization, &Owner::Account(id))?;
                delete_choices(view, &account)?;
                view.put_account(&account)?;
                let kind = EventKind::AccountDisconnected;
                let tale = Tale::of(organization, now, &actor, kind, text);
                journal::tell(view, tale.about_account(id))?;
                Ok(account)
            })
            .await?;
        tokens::hold_lane(&self.core, account.clone(), Hold::Disconnected)
            .await
            .map_err(Problem::from)?;
        self.changed_in(organization);
        Ok(account)
    }

    async fn revoke(&self, account: &Account) -> Result<Revoked, String> {
        let connector = connector_named(&account.platform).map_err(|problem| problem.sentence)?;
        let mut site = self.core.account_site(connector, account);
        if connector.errand(&Task::Revoke, &site).is_none() {
            return Ok(Revoked::Impossible(connector.profile().name));
        }
        let mut secrets = tokens::load(&self.core, account).map_err(|halt| halt.to_string())?;
        errands::run(&self.core, connector, &mut site, &Task::Revoke, &mut secrets)
            .await
            .map(|_| Revoked::Yes)
            .map_err(|failure: Failure| failure.words().to_owned())
    }

    /// Holds what has become too late on this lane.
    pub(in crate::engine) async fn sweep(&self, account: &Account) -> Answer<()> {
        crate::engine::start::sweep_account(&self.core, account).await.map_err(Problem::from)
    }

    pub(in crate::engine) fn wake(&self, organization: OrganizationId, account: AccountId) {
        if let Some(directory) = self.directory() {
            // While everything is being stopped nobody listens, and the store has it.
            let _ = directory.cast(DirectoryMessage::Wake(vec![Home { organization, account }]));
        }
    }

    pub(in crate::engine) fn changed_in(&self, organization: OrganizationId) {
        if let Some(directory) = self.directory() {
            let _ = directory.cast(DirectoryMessage::Changed(Some(organization)));
        }
    }
}

enum Revoked {
    Yes,
    /// This platform does not know of it.
    Impossible(&'static str),
}

/// How far a count for a page goes.
const COUNT_MAX: usize = 1_000;

/// The account is back: what was held for its sake goes on, if it is not too late for it.
pub(super) fn release_held(
    view: &mut View,
    account: &Account,
    now: crate::domain::time::Timestamp,
) -> Result<(), Halt> {
    let held = State::Held { since: now, why: Hold::Reconnection };
    let Some(number) = transitions::attention_number(&held) else { return Ok(()) };
    for id in view.attention(account.organization, number, usize::MAX)? {
        let Some(delivery) = view.delivery(account.organization, id)? else { continue };
        if delivery.account == account.id
            && matches!(
                delivery.state,
                State::Held { why: Hold::Reconnection | Hold::Disconnected, .. }
            )
        {
            transitions::release(view, delivery, &Actor::Engine, now)?;
        }
    }
    Ok(())
}

pub(super) fn missing(id: AccountId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no account {id}."),
        "List the accounts to find its id.",
    )
}

/// What was signed in with stays good for an hour, to choose once more: for this account no longer.
fn delete_choices(view: &mut View, account: &Account) -> Result<(), Halt> {
    for (key, _) in view.scan(&Span::table(Table::OauthChoices), Order::Ascending, usize::MAX)? {
        let Key::OauthChoice { state } = key else { continue };
        let Some(choice) = view.choice(state)? else { continue };
        let leads_there = choice.organization == account.organization
            && choice.platform == account.platform
            && choice.server == account.server
            && choice.targets.iter().any(|it| it.identity.remote_id == account.identity.remote_id);
        if leads_there {
            view.delete(&Key::OauthChoice { state })?;
        }
    }
    Ok(())
}

fn stage_name(account: &Account, stage: Option<Stage>) -> &'static str {
    match (&account.connection, account.paused, stage) {
        (Connection::Disconnected { .. }, ..) => "disconnected",
        (Connection::NeedsReconnection { .. }, ..) => "needs_reconnection",
        (Connection::NeedsAttention { .. }, ..) => "needs_attention",
        (Connection::Connected, Pause::Paused { .. }, _) => "paused",
        (Connection::Connected, Pause::Running, None) => "asleep",
        (Connection::Connected, Pause::Running, Some(stage)) => match stage {
            Stage { access: Access::Revoked, .. } => "needs_reconnection",
            Stage { flow: Flow::Paused, .. } => "paused",
            Stage { refresh: Refresh::InFlight | Refresh::Outdated, .. } => "refreshing",
            Stage { publishing: Some(_), .. } => "publishing",
            Stage { resting_until: Some(_), .. } => "resting",
            Stage { staging: Some(_), .. } => "staging",
            _ => "idle",
        },
    }
}

fn troubles(account: &Account, now: crate::domain::time::Timestamp) -> Vec<String> {
    let mut troubles = Vec::new();
    match &account.connection {
        Connection::Connected => (),
        Connection::NeedsReconnection { since, reason } => {
            troubles.push(format!("Since {since}: {reason} Connect the account again."));
        }
        Connection::NeedsAttention { since, reason } => {
            troubles.push(format!("Since {since}: {reason} Resume the account to try again."));
        }
        Connection::Disconnected { since } => {
            troubles.push(format!("Disconnected since {since}."));
        }
    }
    if let Some(ends) = account.refresh_ends
        && ends < now.after(std::time::Duration::from_secs(7 * 24 * 3600))
    {
        troubles.push(format!("Its access ends at {ends}. Connect the account again before."));
    }
    troubles
}
