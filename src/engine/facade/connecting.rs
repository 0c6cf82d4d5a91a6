//! Connecting an account: signing in on the platform, finding out who that is, and keeping it.
//!
//! Every way ends in [`arriving`](super::arriving).

use std::{collections::BTreeMap, time::Duration};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest, Sha256};

use crate::{
    connectors::{AnyConnector, Grant, Outcome, Paste, Site, Task},
    domain::{
        login::PendingLogin,
        organization::{App, AppUsed},
        platform::{ClientKind, Login, OAuth, Pasted, Wanted},
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::{
        Answer, Engine,
        apps::{self, Way},
        core::{connector_named, unexpected},
        errands,
        facade::{Callback, Caller, ConnectRequest, Connected, Connecting, arriving::Arrival},
    },
    net::{
        Secrets,
        oauth::{self, OAuthClient},
    },
    policy::permission::Verb,
    store::{INSTANCE, Key, Owner, Read},
};

/// A person has so long to agree on the platform's page.
const LOGIN_LASTS: Duration = Duration::from_secs(10 * 60);

impl Engine {
    /// Begins to connect an account. Arriving twice it begins twice; only what the person agrees to
    /// is connected, and an account that is there already is connected anew, never doubled.
    pub async fn connect(&self, caller: &Caller, request: ConnectRequest) -> Answer<Connecting> {
        caller.may(Verb::AccountsConnect)?;
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
            Login::Pasted(pasted) => {
                self.sign_in(caller, connector, pasted, site, server, request).await
            }
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
            if typed.is_empty() {
                return Ok((site, String::new()));
            }
            if !matches!(profile.login(&request.login), Some(Login::Pasted(_))) {
                return Err(Problem::new(
                    Code::Invalid,
                    format!("{} is one place; no server of it can be named.", profile.name),
                    "Leave `server` out.",
                )
                .at("server"));
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
                "Name the server that the account is on, such as `example.org`.",
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
        let (client, app) = match profile.client {
            ClientKind::Configured => self.chosen(caller, connector, profile, &site, request)?,
            ClientKind::Dynamic => {
                (self.registered(connector, profile, &site, &server).await?, None)
            }
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
            app,
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
        Ok(Connecting::Visit { url: begun.url, until, connection: name_of(state) })
    }

    /// The first of the apps that the caller's organization may use.
    fn chosen(
        &self,
        caller: &Caller,
        connector: &dyn AnyConnector,
        profile: &OAuth,
        site: &Site,
        request: &ConnectRequest,
    ) -> Answer<(OAuthClient, Option<AppUsed>)> {
        let (organization, platform) = (caller.organization, request.platform.as_str());
        let known = apps::known(&self.core, &self.core.store, Some(organization), profile.app)
            .map_err(Problem::from)?;
        let app = known.into_iter().next().map(|found| found.used);
        let way =
            Way { organization, platform, login: &request.login, server: "", used: app.as_ref() };
        let client = match app {
            Some(_) => apps::configured(&self.core, profile, site, way).map_err(Problem::from)?,
            None => None,
        };
        let client = client.ok_or_else(|| {
            let section = profile.app;
            Problem::new(
                Code::AppMissing,
                format!("There is no developer app for {}.", connector.profile().name),
                format!(
                    "Register one with the platform, with the callback {}; `fanfare guide \
                     {platform}` says how. Then set it for this organization with PUT \
                     /api/v1/apps/{section} or `fanfare app set {section}`, or for everybody under \
                     `platforms.{section}` in the settings.",
                    apps::redirect_uri(&self.core, platform),
                ),
            )
        })?;
        Ok((client, app))
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
        pasted: &Pasted,
        mut site: Site,
        server: String,
        request: ConnectRequest,
    ) -> Answer<Connecting> {
        let name = connector.profile().name;
        let (paste, made) = self.paste(name, pasted, &request)?;
        let paste = connector.paste(paste)?;
        let secret = paste.secret.clone();
        let mut secrets = Secrets {
            // For the few that speak with what was pasted from the first request on.
            access: Some(secret.clone()),
            password: Some(secret.clone()),
            ..Secrets::default()
        };
        let task = Task::SignIn { identifier: paste.identifier };
        let outcome = errands::run(&self.core, connector, &mut site, &task, &mut secrets)
            .await
            .map_err(|failure| failure.problem(name))?;
        let arrival = Arrival {
            organization: caller.organization,
            actor: caller.actor.clone(),
            server,
            login: request.login.clone(),
            app: None,
            reconnect: request.reconnect,
        };
        let account = match outcome {
            Outcome::Granted(grant) => self.arrive_alone(connector, site, grant, arrival).await?,
            Outcome::Admitted(identity) => {
                self.arrive_as(connector, site, lasting(secret), arrival, identity).await?
            }
            Outcome::Registered { .. }
            | Outcome::Identified(_)
            | Outcome::Discovered { .. }
            | Outcome::Edited(_)
            | Outcome::Finished => {
                return Err(unexpected("signing in did not end in access"));
            }
        };
        Ok(Connecting::Connected { account: Box::new(account), made })
    }

    /// What was typed in, complete. The second is a secret that was made here, to be shown once.
    fn paste(
        &self,
        platform: &str,
        pasted: &Pasted,
        request: &ConnectRequest,
    ) -> Answer<(Paste, Option<Secret>)> {
        let missing = |what: &str, place: &str| {
            Problem::new(Code::Invalid, format!("{platform} needs {what}."), "Enter it.").at(place)
        };
        let identifier = request.identifier.trim().to_owned();
        let secret = request.password.clone();
        match pasted.identifier {
            Wanted::Required(what) if identifier.is_empty() => {
                return Err(missing(what, "identifier"));
            }
            Wanted::Required(_) | Wanted::Optional(_) | Wanted::Made { .. } | Wanted::Nothing => (),
        }
        let (secret, made) = match (pasted.secret, secret) {
            (_, Some(secret)) => (secret, None),
            (Wanted::Required(what), None) => return Err(missing(what, "password")),
            (Wanted::Optional(_) | Wanted::Nothing, None) => (Secret::new(""), None),
            (Wanted::Made { prefix, .. }, None) => {
                let random = BASE64_STANDARD.encode(self.core.entropy.bytes::<32>());
                let secret = Secret::new(format!("{prefix}{random}"));
                (secret.clone(), Some(secret))
            }
        };
        Ok((Paste { login: request.login.clone(), identifier, secret }, made))
    }

    /// The platform's redirect. Its state names who asked, so it needs no key; it works once.
    pub async fn connected(&self, platform: &str, callback: Callback) -> Answer<Connected> {
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
                    format!(
                        "{} did not exchange the sign-in: {}.",
                        connector.profile().name,
                        error.to_string().trim_end_matches('.')
                    ),
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
            app: login.app,
            reconnect: login.reconnect,
        };
        self.arrive(connector, profile, site, grant, arrival, state).await
    }

    fn client_of(&self, login: &PendingLogin, profile: &OAuth) -> Answer<OAuthClient> {
        let way = Way {
            organization: login.organization,
            platform: &login.platform,
            login: &login.login,
            server: &login.server,
            used: login.app.as_ref(),
        };
        let (client_id, client_secret) =
            apps::credentials(&self.core, way).map_err(Problem::from)?;
        let client_id = client_id.ok_or_else(apps::begun_with_is_gone)?;
        Ok(OAuthClient {
            client_id,
            client_secret,
            authorize_url: login.authorize_url.clone(),
            token_url: login.token_url.clone(),
            revoke_url: login.revoke_url.clone(),
            redirect_uri: login.redirect_uri.clone(),
            client_parameter: profile.client_parameter,
            authentication: profile.authentication,
            proof: profile.proof,
            separator: profile.separator,
            scopes: login.scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// What was pasted is the access itself.
fn lasting(access: Secret) -> Grant {
    Grant { access, refresh: None, access_lasts: None, refresh_lasts: None, scopes: String::new() }
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

/// What a begun connection is called outside: it tells nothing of the state that it is a hash of.
pub(super) fn name_of(state: [u8; 32]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(state)
}

/// `None`: no connection was ever called that.
pub(super) fn state_named(name: &str) -> Option<[u8; 32]> {
    BASE64_URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok()
}

pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
