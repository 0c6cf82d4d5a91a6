//! Connecting accounts, and everything a person does to one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{
    connectors::{AnyConnector, Grant, Outcome, Site, Task},
    domain::{
        account::{Account, Connection, Identity},
        delivery::{Hold, State},
        event::EventKind,
        ids::{AccountId, OrganizationId},
        login::PendingLogin,
        organization::{Actor, App, Pause, Scope},
        platform::{ClientKind, Login, OAuth},
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::{
        Answer, Engine, apps,
        core::{Halt, connector_named, unexpected},
        directory::{DirectoryMessage, Home},
        errands::{self, Failure},
        facade::{Callback, Caller, ConnectRequest, Connecting, Health, Listing, Page, listing},
        journal::{self, Tale},
        tokens, transitions,
    },
    net::{
        Secrets,
        oauth::{self, OAuthClient},
    },
    policy::lane::{Access, Flow, Refresh, Stage},
    store::{INSTANCE, Key, Owner, Read, View},
};

/// A person has so long to agree on the platform's page.
const LOGIN_LASTS: std::time::Duration = std::time::Duration::from_secs(10 * 60);

impl Engine {
    /// Begins to connect an account. Arriving twice it begins twice; only what the person agrees to
    /// is connected, and an account that is there already is connected anew, never doubled.
    pub async fn connect(&self, caller: &Caller, request: ConnectRequest) -> Answer<Connecting> {
        caller.may(Scope::Admin)?;
        let connector = connector_named(&request.platform)?;
        if let Some(id) = request.reconnect {
            let account = self.account(caller, id)?;
            if account.platform != request.platform {
                return Err(Problem::new(
                    Code::Invalid,
                    format!("That account is on {}, not {}.", account.platform, request.platform),
                    "Name the account's own platform.",
                )
                .at("reconnect"));
            }
        }
        let login = login_named(connector, &request.login)?;
        let (site, server) = self.site_named(connector, &request)?;
        match login {
            Login::OAuth(profile) => {
                self.begin_oauth(caller, connector, profile, site, server, &request).await
            }
            Login::AppPassword => self.sign_in(caller, connector, site, server, request).await,
        }
    }

    /// Where the account is said to live.
    fn site_named(
        &self,
        connector: &dyn AnyConnector,
        request: &ConnectRequest,
    ) -> Answer<(Site, String)> {
        let profile = connector.profile();
        let mut site = self.core.site(connector, &BTreeMap::new(), &request.login);
        let open = profile.endpoints.iter().find(|endpoint| endpoint.name == "server");
        let typed = request.server.trim();
        let Some(endpoint) = open else {
            if typed.is_empty() || !matches!(profile.login(""), Some(Login::AppPassword)) {
                return Ok((site, String::new()));
            }
            let base = self.server_named(typed)?;
            for endpoint in ["entry", "pds"] {
                site.endpoints.insert(endpoint.to_owned(), base.clone());
            }
            return Ok((site, String::new()));
        };
        if typed.is_empty() {
            if let Some(configured) = site.endpoints.get(endpoint.name) {
                let server = configured.clone();
                return Ok((site, server));
            }
            return Err(Problem::new(
                Code::Invalid,
                format!("{} has many servers, and none was named.", profile.name),
                "Name the server that the account is on, such as `mastodon.social`.",
            )
            .at("server"));
        }
        let base = self.server_named(typed)?;
        site.endpoints.insert(endpoint.name.to_owned(), base.clone());
        Ok((site, base))
    }

    fn server_named(&self, typed: &str) -> Answer<String> {
        self.core.client.server(typed).map_err(|unclear| {
            Problem::new(
                Code::Invalid,
                format!("`{typed}` is not a server that can be used: {unclear}."),
                "Name it as in its address, such as `mastodon.social`.",
            )
            .at("server")
        })
    }

    async fn begin_oauth(
        &self,
        caller: &Caller,
        connector: &dyn AnyConnector,
        profile: &OAuth,
        site: Site,
        server: String,
        request: &ConnectRequest,
    ) -> Answer<Connecting> {
        let client = match profile.client {
            ClientKind::Configured => apps::configured(
                &self.core,
                profile,
                &site,
                &request.platform,
            )
            .ok_or_else(|| {
                Problem::new(
                    Code::AppMissing,
                    format!("There is no developer app for {}.", connector.profile().name),
                    format!(
                        "Register one with the platform, with the callback {}, and put its id \
                             and secret under `platforms.{}` in the settings; `fanfare guide {}` \
                             says how.",
                        apps::redirect_uri(&self.core, &request.platform),
                        profile.app,
                        request.platform
                    ),
                )
            })?,
            ClientKind::Dynamic => self.registered(connector, profile, &site, &server).await?,
        };
        let begun = oauth::begin(&client, &self.core.entropy).map_err(|error| {
            Problem::new(Code::ServerRefused, error.to_string(), "Check the server's address.")
        })?;
        let now = self.core.now();
        let (state, until) = (hash(begun.state.expose()), now.after(LOGIN_LASTS));
        let verifier = self.core.store.vault().seal(&Key::OauthLogin { state }, &begun.verifier);
        let login = PendingLogin {
            organization: caller.organization,
            actor: caller.actor.clone(),
            platform: request.platform.clone(),
            server,
            login: request.login.clone(),
            endpoints: site.endpoints,
            reconnect: request.reconnect,
            authorize_url: client.authorize_url.clone(),
            token_url: client.token_url.clone(),
            revoke_url: client.revoke_url.clone(),
            redirect_uri: client.redirect_uri.clone(),
            scopes: client.scopes.join(" "),
            verifier,
            until,
        };
        self.core
            .commit_at_door("begin login", move |view| Ok(view.put_login(state, &login)?))
            .await?;
        Ok(Connecting::Visit { url: begun.url, until })
    }

    /// Our client on a server that lets anyone register; kept, so that it is registered once.
    async fn registered(
        &self,
        connector: &dyn AnyConnector,
        profile: &OAuth,
        site: &Site,
        server: &str,
    ) -> Answer<OAuthClient> {
        let platform = connector.profile().platform;
        let redirect_uri = apps::redirect_uri(&self.core, platform);
        let known = self.core.store.app(None, platform, server)?;
        if let Some(app) = known.filter(|app| app.redirect_uri == redirect_uri)
            && let Some(client) =
                apps::registered(&self.core, profile, &app).map_err(Problem::from)?
        {
            return Ok(client);
        }
        let mut site = site.clone();
        let task = Task::Prepare { redirect_uri: redirect_uri.clone() };
        let mut secrets = Secrets::default();
        let outcome = errands::run(&self.core, connector, &mut site, &task, &mut secrets)
            .await
            .map_err(|failure| failure.problem(connector.profile().name).at("server"))?;
        let Outcome::Registered {
            client_id,
            client_secret,
            authorize_url,
            token_url,
            revoke_url,
            scopes,
        } = outcome
        else {
            return Err(unexpected("registering did not end in a registration"));
        };
        let app = App {
            platform: platform.to_owned(),
            server: server.to_owned(),
            organization: None,
            client_id: client_id.expose().to_owned(),
            authorize_url,
            token_url,
            revoke_url,
            redirect_uri,
            scopes,
            created: self.core.now(),
        };
        let stored = app.clone();
        self.core
            .commit_at_door("store app", move |view| {
                let (platform, server) = (stored.platform.clone(), stored.server.clone());
                let owner = Owner::App { platform, server };
                view.put_secret(INSTANCE, &owner, apps::CLIENT_ID, &client_id)?;
                view.put_secret(INSTANCE, &owner, apps::CLIENT_SECRET, &client_secret)?;
                view.put_app(&stored)?;
                Ok(())
            })
            .await?;
        apps::registered(&self.core, profile, &app)
            .map_err(Problem::from)?
            .ok_or_else(|| unexpected("a registered app is not there"))
    }

    async fn sign_in(
        &self,
        caller: &Caller,
        connector: &dyn AnyConnector,
        mut site: Site,
        server: String,
        request: ConnectRequest,
    ) -> Answer<Connecting> {
        let missing = |what: &str, place: &str| {
            let name = connector.profile().name;
            Problem::new(Code::Invalid, format!("{name} needs {what}."), "Enter it and try again.")
                .at(place)
        };
        let identifier = request.identifier.trim().trim_start_matches('@').to_owned();
        if identifier.is_empty() {
            return Err(missing("a handle", "identifier"));
        }
        let password = request.password.ok_or_else(|| missing("an app password", "password"))?;
        let mut secrets = Secrets { password: Some(password), ..Secrets::default() };
        let task = Task::SignIn { identifier };
        let name = connector.profile().name;
        let outcome = errands::run(&self.core, connector, &mut site, &task, &mut secrets)
            .await
            .map_err(|failure| failure.problem(name))?;
        let Outcome::Granted(grant) = outcome else {
            return Err(unexpected("signing in did not end in a session"));
        };
        let arrival = Arrival {
            organization: caller.organization,
            actor: caller.actor.clone(),
            server,
            login: String::new(),
            reconnect: request.reconnect,
        };
        let account = self.arrive(connector, site, grant, arrival).await?;
        Ok(Connecting::Connected(Box::new(account)))
    }

    /// The platform's redirect. Its state names who asked, so it needs no key; it works once.
    pub async fn connected(&self, platform: &str, callback: Callback) -> Answer<Account> {
        let (state, now) = (hash(&callback.state), self.core.now());
        let login = self
            .core
            .commit_at_door("take login", move |view| Ok(view.take_login(state)?))
            .await?
            .filter(|login| login.until > now && login.platform == platform)
            .ok_or_else(|| {
                Problem::new(
                    Code::LoginExpired,
                    "This sign-in is not known: it was used already, or took longer than ten \
                     minutes.",
                    "Begin to connect the account again.",
                )
            })?;
        let Some(code) = callback.code else {
            let reason = callback.error.unwrap_or_else(|| "no reason given".to_owned());
            return Err(Problem::new(
                Code::LoginDenied,
                format!("The platform did not give access: {reason}."),
                "Begin to connect the account again, and agree on the platform's page.",
            ));
        };
        let connector = connector_named(platform)?;
        let Some(Login::OAuth(profile)) = connector.profile().login(&login.login) else {
            return Err(unexpected("a callback for a platform without OAuth"));
        };
        let client = self.client_of(&login, profile)?;
        let verifier = self
            .core
            .store
            .vault()
            .open(&Key::OauthLogin { state }, &login.verifier)
            .map_err(Problem::from)?;
        let grant = oauth::exchange(&self.core.client, &client, &Secret::new(code), &verifier)
            .await
            .map_err(|error| {
                Problem::new(
                    Code::ServerRefused,
                    format!("{} did not exchange the sign-in: {error}.", connector.profile().name),
                    "Begin to connect the account again.",
                )
            })?;
        let version = self.core.version(connector.profile());
        let site = Site { endpoints: login.endpoints, login: login.login.clone(), version };
        let arrival = Arrival {
            organization: login.organization,
            actor: login.actor,
            server: login.server,
            login: login.login,
            reconnect: login.reconnect,
        };
        self.arrive(connector, site, grant, arrival).await
    }

    fn client_of(&self, login: &PendingLogin, profile: &OAuth) -> Answer<OAuthClient> {
        let (client_id, client_secret) =
            apps::credentials(&self.core, &login.platform, &login.login, &login.server)
                .map_err(Problem::from)?;
        let client_id = client_id.ok_or_else(|| {
            Problem::new(
                Code::AppMissing,
                "The developer app that this sign-in was begun with is gone.",
                "Put its id and secret back into the settings, and begin again.",
            )
        })?;
        Ok(OAuthClient {
            client_id,
            client_secret,
            authorize_url: login.authorize_url.clone(),
            token_url: login.token_url.clone(),
            revoke_url: login.revoke_url.clone(),
            redirect_uri: login.redirect_uri.clone(),
            authentication: profile.authentication,
            proof: profile.proof,
            separator: profile.separator,
            scopes: login.scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Access was granted: find out to whom, and keep it.
    async fn arrive(
        &self,
        connector: &dyn AnyConnector,
        mut site: Site,
        grant: Grant,
        arrival: Arrival,
    ) -> Answer<Account> {
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
        let outcome = errands::run(&self.core, connector, &mut site, &Task::Identify, &mut secrets)
            .await
            .map_err(|failure| failure.problem(profile.name))?;
        let Outcome::Identified(identity) = outcome else {
            return Err(unexpected("identifying did not end in an identity"));
        };
        // What is configured or the profile's is looked up anew each time; only what is the
        // account's own is kept.
        let usual = self.core.site(connector, &BTreeMap::new(), &arrival.login).endpoints;
        let endpoints =
            site.endpoints.into_iter().filter(|(name, url)| usual.get(name) != Some(url)).collect();
        let (now, id) =
            (self.core.now(), AccountId::new(self.core.now(), self.core.entropy.number()));
        let platform = profile.platform.to_owned();
        let organization = arrival.organization;
        let account = self
            .core
            .commit_at_door("connect account", move |view| {
                keep(view, Newcomer { id, platform, identity, endpoints, grant, arrival }, now)
            })
            .await?;
        if let Some(directory) = self.directory() {
            let _ = directory.cast(DirectoryMessage::Forgive(account.id));
        }
        self.wake(organization, account.id);
        Ok(account)
    }

    pub fn accounts(&self, caller: &Caller, page: &Page) -> Answer<Listing<Account>> {
        caller.may(Scope::Read)?;
        let tenant = self.core.store.organization(caller.organization);
        let after = page.after_id::<AccountId>()?;
        let limit = page.limit();
        let found = tenant.accounts(after, limit + 1)?;
        Ok(listing(found, limit, |account| account.id.to_string()))
    }

    pub fn account(&self, caller: &Caller, id: AccountId) -> Answer<Account> {
        caller.may(Scope::Read)?;
        let tenant = self.core.store.organization(caller.organization);
        tenant.account(id)?.ok_or_else(|| missing(id))
    }

    /// How an account is doing, from its actor and from the store.
    pub async fn health(&self, caller: &Caller, id: AccountId) -> Answer<Health> {
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
        caller.may(Scope::Publish)?;
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
        caller.may(Scope::Publish)?;
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
        caller.may(Scope::Admin)?;
        let account = self.account(caller, id)?;
        if matches!(account.connection, Connection::Disconnected { .. }) {
            return Ok(account);
        }
        let revocation = self.revoke(&account).await;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let text = match &revocation {
            Ok(()) => "The account is disconnected; our access was revoked.".to_owned(),
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

    async fn revoke(&self, account: &Account) -> Result<(), String> {
        let connector = connector_named(&account.platform).map_err(|problem| problem.sentence)?;
        let mut site = self.core.account_site(connector, account);
        let mut secrets = tokens::load(&self.core, account).map_err(|halt| halt.to_string())?;
        errands::run(&self.core, connector, &mut site, &Task::Revoke, &mut secrets)
            .await
            .map(|_| ())
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

fn login_named(connector: &dyn AnyConnector, name: &str) -> Answer<&'static Login> {
    let profile = connector.profile();
    profile.login(name).ok_or_else(|| {
        let known: Vec<&str> = profile.logins.iter().map(Login::name).collect();
        let remedy = match known.iter().any(|name| !name.is_empty()) {
            true => format!("Use one of: {}; or leave it out for the first.", known.join(", ")),
            false => "Leave it out: there is only one.".to_owned(),
        };
        let sentence = format!("{} has no way to sign in named `{name}`.", profile.name);
        Problem::new(Code::Invalid, sentence, remedy).at("login")
    })
}

/// How far a count for a page goes.
const COUNT_MAX: usize = 1_000;

/// Who asked for an account to be connected, and how.
struct Arrival {
    organization: OrganizationId,
    actor: Actor,
    server: String,
    login: String,
    reconnect: Option<AccountId>,
}

struct Newcomer {
    id: AccountId,
    platform: String,
    identity: Identity,
    endpoints: BTreeMap<String, String>,
    grant: Grant,
    arrival: Arrival,
}

/// The same profile connected twice stays one account, so that nothing is published twice.
fn keep(
    view: &mut View,
    newcomer: Newcomer,
    now: crate::domain::time::Timestamp,
) -> Result<Account, Halt> {
    let Newcomer { id, platform, identity, endpoints, grant, arrival } = newcomer;
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
    account.connection = Connection::Connected;
    tokens::save(view, &mut account, &grant, now)?;
    let text = format!("Connected as {} on {}.", account.identity.handle, account.platform);
    let tale = Tale::of(organization, now, &arrival.actor, kind, text);
    journal::tell(view, tale.about_account(account.id))?;
    release_held(view, &account, now)?;
    Ok(account)
}

/// The account is back: what was held for its sake goes on, if it is not too late for it.
fn release_held(
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

fn missing(id: AccountId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no account {id}."),
        "List the accounts to find its id.",
    )
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
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
