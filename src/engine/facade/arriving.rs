//! Access was granted: to whom, is it enough, and for which pages.
//!
//! Invariants:
//! - the same profile connected twice stays one account, so that nothing is published twice;
//! - a choice may be made again until it expires: whoever was chosen before stays what it is.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    connectors::{AnyConnector, Grant, Outcome, Site, Target, Task},
    domain::{
        account::{Account, Connection, Identity},
        event::EventKind,
        ids::{AccountId, OrganizationId},
        login::{PendingChoice, PendingTarget},
        organization::{Actor, Pause, Scope},
        platform::{ClientKind, FirstToken, OAuth, Targets},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine, apps,
        core::{Halt, unexpected},
        directory::DirectoryMessage,
        errands,
        facade::{
            Caller, Choice, ChoiceTarget, Connected,
            accounts::release_held,
            connecting::{hash, name_of, state_named},
        },
        journal::{self, Tale},
        tokens,
    },
    net::Secrets,
    store::{Key, Read, View},
};

/// A person has so long to choose.
const CHOICE_LASTS: Duration = Duration::from_secs(60 * 60);

impl Engine {
    /// After a consent page. `state` is where a choice is kept, if there is one to be made.
    pub(super) async fn arrive(
        &self,
        connector: &dyn AnyConnector,
        profile: &OAuth,
        site: Site,
        grant: Grant,
        arrival: Arrival,
        state: [u8; 32],
    ) -> Answer<Connected> {
        let grant = match profile.first {
            FirstToken::Lasting => grant,
            FirstToken::Short => self.lengthen(connector, &site, grant, &arrival).await?,
        };
        match profile.targets {
            Targets::One => {
                let missing = scopes_missing(profile, &grant.scopes)?;
                let account = self.arrive_at(connector, site, grant, arrival, missing).await?;
                Ok(Connected::Account(Box::new(account)))
            }
            Targets::Several => {
                self.discover(connector, profile, site, grant, arrival, state).await
            }
        }
    }

    /// After an app password.
    pub(super) async fn arrive_alone(
        &self,
        connector: &dyn AnyConnector,
        site: Site,
        grant: Grant,
        arrival: Arrival,
    ) -> Answer<Account> {
        self.arrive_at(connector, site, grant, arrival, Vec::new()).await
    }

    async fn arrive_at(
        &self,
        connector: &dyn AnyConnector,
        mut site: Site,
        grant: Grant,
        arrival: Arrival,
        missing_scopes: Vec<String>,
    ) -> Answer<Account> {
        let outcome =
            self.errand_of(connector, &mut site, &grant, &arrival, &Task::Identify).await?;
        let Outcome::Identified(identity) = outcome else {
            return Err(unexpected("identifying did not end in an identity"));
        };
        let endpoints = self.own_endpoints(connector, site, &arrival.login);
        let platform = connector.profile().platform.to_owned();
        let mut kept = self
            .welcome(vec![Newcomer {
                id: self.new_account(),
                platform,
                identity,
                endpoints,
                grant,
                missing_scopes,
                arrival,
            }])
            .await?;
        kept.pop().ok_or_else(|| unexpected("an account was kept and is not there"))
    }

    async fn lengthen(
        &self,
        connector: &dyn AnyConnector,
        site: &Site,
        grant: Grant,
        arrival: &Arrival,
    ) -> Answer<Grant> {
        let mut site = site.clone();
        let outcome =
            self.errand_of(connector, &mut site, &grant, arrival, &Task::Lengthen).await?;
        let Outcome::Granted(lasting) = outcome else {
            return Err(unexpected("lengthening did not end in a token"));
        };
        let scopes = if lasting.scopes.is_empty() { grant.scopes } else { lasting.scopes };
        Ok(Grant { scopes, ..lasting })
    }

    /// Connects at once where there is nothing to choose, and asks otherwise.
    async fn discover(
        &self,
        connector: &dyn AnyConnector,
        profile: &OAuth,
        mut site: Site,
        grant: Grant,
        arrival: Arrival,
        state: [u8; 32],
    ) -> Answer<Connected> {
        let outcome =
            self.errand_of(connector, &mut site, &grant, &arrival, &Task::Discover).await?;
        let Outcome::Discovered { targets, scopes } = outcome else {
            return Err(unexpected("discovering did not end in targets"));
        };
        let missing_scopes = scopes_missing(profile, scopes.as_deref().unwrap_or(&grant.scopes))?;
        let endpoints = self.own_endpoints(connector, site, &arrival.login);
        let wanted = self.wanted(&arrival)?;
        let usable = targets.iter().filter(|target| target.obstacle.is_none());
        let only = match (&wanted, usable.clone().count(), targets.len()) {
            (Some(remote_id), ..) => {
                targets.iter().find(|target| target.identity.remote_id == *remote_id)
            }
            (None, 1, 1) => targets.first(),
            (None, ..) => None,
        };
        if usable.count() == 0 {
            return Err(nobody_there(connector, &targets));
        }
        let choice = self.pending(connector, &targets, &grant, &arrival, missing_scopes, endpoints);
        let sealed = {
            let place = Key::OauthChoice { state };
            self.core.store.vault().seal(&place, &tokens_of(&targets, &grant)?)
        };
        let choice = PendingChoice { sealed, ..choice };
        let stored = choice.clone();
        self.core
            .commit_at_door("keep choice", move |view| Ok(view.put_choice(state, &stored)?))
            .await?;
        if let Some(target) = only {
            let chosen = vec![target.identity.remote_id.clone()];
            let mut accounts = self.take_chosen(state, choice, &chosen).await?;
            let account = accounts.pop().ok_or_else(|| unexpected("nobody was kept"))?;
            return Ok(Connected::Account(Box::new(account)));
        }
        if wanted.is_some() {
            return Err(Problem::new(
                Code::Conflict,
                "You signed in, but not as somebody who may publish to the account to reconnect.",
                "Sign in as somebody who manages it, or connect the others as new accounts.",
            ));
        }
        Ok(Connected::Choice(self.choice_of(state, &choice)?))
    }

    fn pending(
        &self,
        connector: &dyn AnyConnector,
        targets: &[Target],
        grant: &Grant,
        arrival: &Arrival,
        missing_scopes: Vec<String>,
        endpoints: BTreeMap<String, String>,
    ) -> PendingChoice {
        let now = self.core.now();
        let ends = |lasts: Option<Duration>| lasts.map(|lasts| now.after(lasts));
        PendingChoice {
            organization: arrival.organization,
            actor: arrival.actor.clone(),
            platform: connector.profile().platform.to_owned(),
            server: arrival.server.clone(),
            login: arrival.login.clone(),
            endpoints,
            reconnect: arrival.reconnect,
            missing_scopes,
            access_ends: ends(grant.access_lasts),
            refresh_ends: ends(grant.refresh_lasts),
            targets: targets
                .iter()
                .map(|target| PendingTarget {
                    identity: target.identity.clone(),
                    obstacle: target.obstacle.clone(),
                })
                .collect(),
            sealed: Vec::new(),
            until: now.after(CHOICE_LASTS),
        }
    }

    /// The profile that is to be reconnected, by its platform's id.
    fn wanted(&self, arrival: &Arrival) -> Answer<Option<String>> {
        let Some(id) = arrival.reconnect else { return Ok(None) };
        let account = self.core.store.account(arrival.organization, id)?;
        Ok(account.map(|account| account.identity.remote_id))
    }

    /// A connection that was begun, with what there is to choose from; for programs.
    pub fn connection(&self, caller: &Caller, name: &str) -> Answer<Choice> {
        caller.may(Scope::Admin)?;
        let state = state_named(name).ok_or_else(unknown_connection)?;
        let choice = self.choice_at(state)?;
        if choice.organization != caller.organization {
            return Err(unknown_connection());
        }
        self.choice_of(state, &choice)
    }

    /// Connects the chosen pages. Arriving twice, or with more of them, it connects what is not
    /// connected yet; the others stay as they are.
    pub async fn choose(
        &self,
        caller: &Caller,
        name: &str,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        caller.may(Scope::Admin)?;
        self.refuse_when_stopping()?;
        let state = state_named(name).ok_or_else(unknown_connection)?;
        let choice = self.choice_at(state)?;
        if choice.organization != caller.organization {
            return Err(unknown_connection());
        }
        self.take_chosen(state, choice, chosen).await
    }

    /// The same from the page that the platform led the person back to: they prove who they are by
    /// the state, which nobody else was ever given.
    pub async fn choose_as_visitor(
        &self,
        platform: &str,
        state: &str,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        self.refuse_when_stopping()?;
        let state = hash(state);
        let choice = self.choice_at(state)?;
        if choice.platform != platform {
            return Err(unknown_connection());
        }
        self.take_chosen(state, choice, chosen).await
    }

    fn choice_at(&self, state: [u8; 32]) -> Answer<PendingChoice> {
        let now = self.core.now();
        let choice = self.core.store.choice(state)?;
        choice.filter(|choice| choice.until > now).ok_or_else(unknown_connection)
    }

    fn choice_of(&self, state: [u8; 32], choice: &PendingChoice) -> Answer<Choice> {
        let accounts = self.core.store.accounts(choice.organization, None, usize::MAX)?;
        let connected = |identity: &Identity| {
            let same = accounts.iter().find(|account| {
                account.platform == choice.platform
                    && account.server == choice.server
                    && account.identity.remote_id == identity.remote_id
                    && account.connection == Connection::Connected
            });
            same.map(|account| account.id)
        };
        Ok(Choice {
            connection: name_of(state),
            platform: choice.platform.clone(),
            until: choice.until,
            missing_scopes: choice.missing_scopes.clone(),
            targets: choice
                .targets
                .iter()
                .map(|target| ChoiceTarget {
                    identity: target.identity.clone(),
                    obstacle: target.obstacle.clone(),
                    account: connected(&target.identity),
                })
                .collect(),
        })
    }

    async fn take_chosen(
        &self,
        state: [u8; 32],
        choice: PendingChoice,
        chosen: &[String],
    ) -> Answer<Vec<Account>> {
        if chosen.is_empty() {
            let sentence = "Nothing was chosen.";
            let remedy = "Go back, or name at least one of the `targets`.";
            return Err(Problem::new(Code::Invalid, sentence, remedy).at("targets"));
        }
        let kept = self
            .core
            .store
            .vault()
            .open(&Key::OauthChoice { state }, &choice.sealed)
            .map_err(Problem::from)?;
        let kept: Tokens = serde_json::from_str(kept.expose())
            .map_err(|_| unexpected("the tokens of a choice cannot be read"))?;
        let now = self.core.now();
        let mut newcomers = Vec::with_capacity(chosen.len());
        for (at, remote_id) in chosen.iter().enumerate() {
            let target = target_named(&choice, remote_id, at)?;
            newcomers.push(Newcomer {
                id: self.new_account(),
                platform: choice.platform.clone(),
                identity: target.identity.clone(),
                endpoints: choice.endpoints.clone(),
                grant: kept.grant_for(remote_id, &choice, now),
                missing_scopes: choice.missing_scopes.clone(),
                arrival: Arrival {
                    organization: choice.organization,
                    actor: choice.actor.clone(),
                    server: choice.server.clone(),
                    login: choice.login.clone(),
                    reconnect: choice.reconnect,
                },
            });
        }
        self.welcome(newcomers).await
    }

    /// All in one commit: a choice is made as a whole or not at all.
    async fn welcome(&self, newcomers: Vec<Newcomer>) -> Answer<Vec<Account>> {
        let now = self.core.now();
        let accounts = self
            .core
            .commit_at_door("connect accounts", move |view| {
                newcomers.into_iter().map(|newcomer| keep(view, newcomer, now)).collect()
            })
            .await?;
        let accounts: Vec<Account> = accounts;
        for account in &accounts {
            if let Some(directory) = self.directory() {
                let _ = directory.cast(DirectoryMessage::Forgive(account.id));
            }
            self.wake(account.organization, account.id);
        }
        Ok(accounts)
    }

    fn new_account(&self) -> AccountId {
        AccountId::new(self.core.now(), self.core.entropy.number())
    }

    /// What is configured or the profile's is looked up anew each time; only what is the account's
    /// own is kept.
    fn own_endpoints(
        &self,
        connector: &dyn AnyConnector,
        site: Site,
        login: &str,
    ) -> BTreeMap<String, String> {
        let usual = self.core.site(connector, &BTreeMap::new(), login).endpoints;
        site.endpoints.into_iter().filter(|(name, url)| usual.get(name) != Some(url)).collect()
    }

    async fn errand_of(
        &self,
        connector: &dyn AnyConnector,
        site: &mut Site,
        grant: &Grant,
        arrival: &Arrival,
        task: &Task,
    ) -> Answer<Outcome> {
        let profile = connector.profile();
        let (client_id, client_secret) =
            apps::credentials(&self.core, profile.platform, &arrival.login, &arrival.server)
                .map_err(Problem::from)?;
        let mut secrets = Secrets {
            access: Some(grant.access.clone()),
            refresh: grant.refresh.clone(),
            client_id,
            client_secret,
            ..Secrets::default()
        };
        errands::run(&self.core, connector, site, task, &mut secrets)
            .await
            .map_err(|failure| failure.problem(profile.name))
    }
}

fn target_named<'a>(
    choice: &'a PendingChoice,
    remote_id: &str,
    at: usize,
) -> Answer<&'a PendingTarget> {
    let place = format!("targets[{at}]");
    let found = choice.targets.iter().find(|target| target.identity.remote_id == remote_id);
    let target = found.ok_or_else(|| {
        let sentence = format!("`{remote_id}` is none of the targets of this connection.");
        Problem::new(Code::Invalid, sentence, "Use an `id` from its `targets`.").at(&*place)
    })?;
    match &target.obstacle {
        None => Ok(target),
        Some(obstacle) => {
            let sentence = format!("{} cannot be connected: {obstacle}", target.identity.name);
            let remedy = "Mend that on the platform and sign in again, or leave it out.";
            Err(Problem::new(Code::Invalid, sentence, remedy).at(&*place))
        }
    }
}

fn unknown_connection() -> Problem {
    Problem::new(
        Code::NotFound,
        "There is no such connection to choose for: it has not been agreed to yet, or is over.",
        "Open its `visit_url` first; after an hour, begin to connect again.",
    )
}

fn nobody_there(connector: &dyn AnyConnector, targets: &[Target]) -> Problem {
    let name = connector.profile().name;
    let sentence = match targets.first() {
        None => format!("{name} gave access to nothing that can be published to."),
        Some(first) => format!(
            "{name} gave access to nothing that can be published to; {}: {}",
            first.identity.name,
            first.obstacle.as_deref().unwrap_or_default()
        ),
    };
    let remedy = "Sign in again and tick what is to be published to, as somebody who manages it.";
    Problem::new(Code::LoginDenied, sentence, remedy)
}

/// Those that were wished for and not given. Without the required ones there is no account.
fn scopes_missing(profile: &OAuth, granted: &str) -> Answer<Vec<String>> {
    // Servers that register anybody grant in their own words, and some platforms do not say.
    if profile.client == ClientKind::Dynamic || granted.trim().is_empty() {
        return Ok(Vec::new());
    }
    let granted: Vec<&str> = granted.split([' ', ',']).collect();
    let missing = |scope: &&&str| !granted.contains(*scope);
    let required: Vec<&str> = profile.required.iter().filter(missing).copied().collect();
    if !required.is_empty() {
        return Err(Problem::new(
            Code::LoginDenied,
            format!("You did not allow what publishing needs: {}.", required.join(", ")),
            "Begin to connect the account again, and leave everything ticked.",
        ));
    }
    Ok(profile.scopes.iter().filter(missing).map(|&scope| scope.to_owned()).collect())
}

/// What a choice keeps sealed.
#[derive(Serialize, Deserialize)]
struct Tokens {
    access: String,
    refresh: Option<String>,
    /// Targets with tokens of their own, which do not end.
    own: BTreeMap<String, String>,
}

fn tokens_of(targets: &[Target], grant: &Grant) -> Answer<Secret> {
    let own = targets.iter().filter_map(|target| {
        let access = target.access.as_ref()?.expose().to_owned();
        Some((target.identity.remote_id.clone(), access))
    });
    let tokens = Tokens {
        access: grant.access.expose().to_owned(),
        refresh: grant.refresh.as_ref().map(|refresh| refresh.expose().to_owned()),
        own: own.collect(),
    };
    let written = serde_json::to_string(&tokens);
    written.map(Secret::new).map_err(|_| unexpected("the tokens of a choice cannot be written"))
}

impl Tokens {
    fn grant_for(&self, remote_id: &str, choice: &PendingChoice, now: Timestamp) -> Grant {
        let lasts = |ends: Option<Timestamp>| ends.map(|ends| now.elapsed(ends));
        match self.own.get(remote_id) {
            Some(own) => Grant {
                access: Secret::new(own.as_str()),
                refresh: None,
                access_lasts: None,
                refresh_lasts: None,
                scopes: String::new(),
            },
            None => Grant {
                access: Secret::new(self.access.as_str()),
                refresh: self.refresh.as_deref().map(Secret::new),
                access_lasts: lasts(choice.access_ends),
                refresh_lasts: lasts(choice.refresh_ends),
                scopes: String::new(),
            },
        }
    }
}

/// Who asked for an account to be connected, and how.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) organization: OrganizationId,
    pub(super) actor: Actor,
    pub(super) server: String,
    pub(super) login: String,
    pub(super) reconnect: Option<AccountId>,
}

struct Newcomer {
    id: AccountId,
    platform: String,
    identity: Identity,
    endpoints: BTreeMap<String, String>,
    grant: Grant,
    missing_scopes: Vec<String>,
    arrival: Arrival,
}

/// The same profile connected twice stays one account, so that nothing is published twice.
fn keep(view: &mut View, newcomer: Newcomer, now: Timestamp) -> Result<Account, Halt> {
    let Newcomer { id, platform, identity, endpoints, grant, missing_scopes, arrival } = newcomer;
    let organization = arrival.organization;
    let same = |account: &Account| {
        account.platform == platform
            && account.server == arrival.server
            && account.identity.remote_id == identity.remote_id
    };
    let known = view.accounts(organization, None, usize::MAX)?.into_iter().find(same);
    if let Some(wanted) = arrival.reconnect
        && known.as_ref().is_none_or(|known| known.id != wanted)
    {
        return Err(Problem::new(
            Code::Conflict,
            format!("You signed in as {}, which is not the account to reconnect.", identity.handle),
            "Sign in on the platform as that account, or connect this one as a new account.",
        )
        .into());
    }
    let kind = match known {
        Some(_) => EventKind::AccountReconnected,
        None => EventKind::AccountConnected,
    };
    let mut account = known.unwrap_or_else(|| Account {
        id,
        organization,
        platform: platform.clone(),
        server: arrival.server.clone(),
        login: String::new(),
        identity: Identity::default(),
        connection: Connection::Connected,
        paused: Pause::Running,
        created: now,
        token_ends: None,
        refresh_ends: None,
        endpoints: BTreeMap::new(),
        missing_scopes: Vec::new(),
        revision: 0,
    });
    account.identity = identity;
    account.login = arrival.login.clone();
    account.endpoints = endpoints;
    account.missing_scopes = missing_scopes;
    account.connection = Connection::Connected;
    tokens::save(view, &mut account, &grant, now)?;
    let text = format!("Connected as {} on {}.", account.identity.handle, account.platform);
    let tale = Tale::of(organization, now, &arrival.actor, kind, text);
    journal::tell(view, tale.about_account(account.id))?;
    release_held(view, &account, now)?;
    Ok(account)
}
