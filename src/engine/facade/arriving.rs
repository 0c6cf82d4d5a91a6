//! Access was granted: to whom, is it enough, and for which pages.
//!
//! Invariant: the same profile connected twice stays one account, so that nothing is published
//! twice.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    connectors::{AnyConnector, Grant, Outcome, Site, Target, Task},
    domain::{
        account::{Account, Connection, Identity},
        event::EventKind,
        ids::{AccountId, OrganizationId},
        login::{PendingChoice, PendingTarget},
        organization::{Actor, AppUsed, Pause},
        platform::{ClientKind, FirstToken, OAuth, Targets},
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        apps::{self, Way},
        core::{Core, Halt, unexpected},
        directory::DirectoryMessage,
        errands,
        facade::{Connected, accounts::release_held, choosing::tokens_of},
        journal::{self, Tale},
        tokens,
    },
    net::Secrets,
    store::{Key, Owner, Read, View},
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

    /// After a secret that gives access by itself, to an identity that is known already.
    pub(super) async fn arrive_as(
        &self,
        connector: &dyn AnyConnector,
        site: Site,
        grant: Grant,
        arrival: Arrival,
        identity: Identity,
    ) -> Answer<Account> {
        let endpoints = self.own_endpoints(connector, site, &arrival.login);
        let newcomer = Newcomer {
            id: self.new_account(),
            platform: connector.profile().platform.to_owned(),
            identity,
            endpoints,
            grant,
            missing_scopes: Vec::new(),
            arrival,
        };
        self.welcome_one(newcomer).await
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
        let kept = Newcomer {
            id: self.new_account(),
            platform: connector.profile().platform.to_owned(),
            identity,
            endpoints: self.own_endpoints(connector, site, &arrival.login),
            grant,
            missing_scopes,
            arrival,
        };
        self.welcome_one(kept).await
    }

    async fn welcome_one(&self, newcomer: Newcomer) -> Answer<Account> {
        let mut kept = self.welcome(vec![newcomer]).await?;
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
            app: arrival.app.clone(),
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

    /// All in one commit: a choice is made as a whole or not at all.
    pub(super) async fn welcome(&self, newcomers: Vec<Newcomer>) -> Answer<Vec<Account>> {
        let (core, now) = (self.core.clone(), self.core.now());
        let accounts = self
            .core
            .commit_at_door("connect accounts", move |view| {
                let mut accounts = Vec::with_capacity(newcomers.len());
                for newcomer in newcomers {
                    refuse_without_app(&core, view, &newcomer)?;
                    accounts.push(keep(view, newcomer, now)?);
                }
                Ok(accounts)
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

    pub(super) fn new_account(&self) -> AccountId {
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
        let way = Way {
            organization: arrival.organization,
            platform: profile.platform,
            login: &arrival.login,
            server: &arrival.server,
            used: arrival.app.as_ref(),
        };
        let (client_id, client_secret) =
            apps::credentials(&self.core, way).map_err(Problem::from)?;
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

/// Who asked for an account to be connected, and how.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) organization: OrganizationId,
    pub(super) actor: Actor,
    pub(super) server: String,
    pub(super) login: String,
    pub(super) app: Option<AppUsed>,
    pub(super) reconnect: Option<AccountId>,
}

pub(super) struct Newcomer {
    pub(super) id: AccountId,
    pub(super) platform: String,
    pub(super) identity: Identity,
    pub(super) endpoints: BTreeMap<String, String>,
    pub(super) grant: Grant,
    pub(super) missing_scopes: Vec<String>,
    pub(super) arrival: Arrival,
}

/// Looked at inside the commit, so that whoever removes an app has counted every account of it.
fn refuse_without_app(core: &Core, view: &View, newcomer: &Newcomer) -> Result<(), Halt> {
    let Newcomer { platform, arrival, .. } = newcomer;
    let way = Way {
        organization: arrival.organization,
        platform,
        login: &arrival.login,
        server: &arrival.server,
        used: arrival.app.as_ref(),
    };
    let Some(section) = way.section() else { return Ok(()) };
    match apps::kept(core, view, way.organization, section, way.used)? {
        Some(_) => Ok(()),
        None => Err(apps::begun_with_is_gone().into()),
    }
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
        app: None,
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
    account.app = arrival.app.clone();
    account.endpoints = endpoints;
    account.missing_scopes = missing_scopes;
    account.refresh_ends = None;
    account.connection = Connection::Connected;
    // Not every sign-in gives something to renew access with; what an earlier one gave, perhaps to
    // somebody else, must not stand in for it.
    view.delete_secrets(organization, &Owner::Account(account.id))?;
    tokens::save(view, &mut account, &grant, now)?;
    let text = format!("Connected as {} on {}.", account.identity.handle, account.platform);
    let tale = Tale::of(organization, now, &arrival.actor, kind, text);
    journal::tell(view, tale.about_account(account.id))?;
    release_held(view, &account, now)?;
    Ok(account)
}
