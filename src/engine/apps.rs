//! The OAuth clients that we have: an organization's own, the instance's, those of the settings, or
//! registered with a server on the spot.
//!
//! Invariants:
//! - what was given to one client is never renewed with another;
//! - no organization's app serves another organization.

use crate::{
    connectors::{self, AnyConnector, Site},
    domain::{
        account::Account,
        ids::OrganizationId,
        organization::{App, AppHolder, AppUsed},
        platform::{ClientKind, Login, OAuth},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        callback_url,
        core::{Core, Halt},
    },
    net::oauth::OAuthClient,
    store::{self, INSTANCE, Key, Owner, Read},
};

pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// How somebody signs in or has signed in: what decides which app speaks for them.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) organization: OrganizationId,
    pub(super) platform: &'a str,
    pub(super) login: &'a str,
    pub(super) server: &'a str,
    pub(super) used: Option<&'a AppUsed>,
}

impl<'a> Way<'a> {
    pub(super) fn of(account: &'a Account) -> Way<'a> {
        Way {
            organization: account.organization,
            platform: &account.platform,
            login: &account.login,
            server: &account.server,
            used: account.app.as_ref(),
        }
    }

    /// `None`: this way needs no app that somebody made by hand.
    pub(super) fn section(&self) -> Option<&'static str> {
        let profile = connectors::find(self.platform).map(AnyConnector::profile)?;
        match profile.login(self.login) {
            Some(Login::OAuth(oauth)) if oauth.client == ClientKind::Configured => Some(oauth.app),
            Some(Login::OAuth(_) | Login::Pasted(_)) | None => None,
        }
    }
}

/// An app that can be signed in through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) used: AppUsed,
    /// `None`: it stands in the settings.
    pub(super) since: Option<Timestamp>,
}

/// All that an organization could use, the one to sign in through first. What was set at run time
/// comes before the settings, or the settings' owner would have to edit a file for it to count.
pub(super) fn known(
    core: &Core,
    read: &impl Read,
    organization: Option<OrganizationId>,
    section: &str,
) -> Result<Vec<Found>, Halt> {
    let mut known = Vec::new();
    let holders = organization.map(Some).into_iter().chain([None]);
    for holder in holders {
        known.extend(read.app(holder, section, "")?.map(|app| Found {
            used: AppUsed {
                holder: match holder {
                    Some(_) => AppHolder::Organization,
                    None => AppHolder::Instance,
                },
                client_id: app.client_id,
            },
            since: Some(app.created),
        }));
    }
    known.extend(core.apps.get(section).map(|app| Found {
        used: AppUsed { holder: AppHolder::Settings, client_id: app.client_id.clone() },
        since: None,
    }));
    Ok(known)
}

/// The app that was signed in through, if it is still there; it may have been moved meanwhile, such
/// as from the settings to the instance. Never another client: a platform renews a grant only for
/// the client that it was given to.
pub(super) fn kept(
    core: &Core,
    read: &impl Read,
    organization: OrganizationId,
    section: &str,
    used: Option<&AppUsed>,
) -> Result<Option<Found>, Halt> {
    let known = known(core, read, Some(organization), section)?;
    let Some(used) = used else {
        // From when there were only the settings.
        let is_shared = |found: &Found| found.used.holder != AppHolder::Organization;
        return Ok(known.into_iter().rev().find(is_shared));
    };
    let same = |found: &&Found| found.used.client_id == used.client_id;
    let at_home = known.iter().filter(same).find(|found| found.used.holder == used.holder);
    Ok(at_home.or_else(|| known.iter().find(same)).cloned())
}

/// Where the secret of an app lies.
pub(super) fn owner(section: &str) -> Owner {
    Owner::App { platform: section.to_owned(), server: String::new() }
}

/// Which secret belongs to which id is in its name, so that a reader between two commits cannot
/// send one client's id with another's secret.
pub(super) fn secret_field(client_id: &str) -> String {
    format!("{CLIENT_SECRET} {client_id}")
}

fn secret_of(
    core: &Core,
    organization: OrganizationId,
    section: &str,
    found: &AppUsed,
) -> Result<Option<Secret>, Halt> {
    let at = match found.holder {
        AppHolder::Settings => {
            return Ok(core.apps.get(section).and_then(|app| app.client_secret.clone()));
        }
        AppHolder::Organization => organization,
        AppHolder::Instance => INSTANCE,
    };
    Ok(core.store.secret(at, &owner(section), &secret_field(&found.client_id))?)
}

/// Whether there is a secret, without opening it.
pub(super) fn has_secret(
    core: &Core,
    read: &impl Read,
    organization: OrganizationId,
    section: &str,
    found: &AppUsed,
) -> Result<bool, store::Error> {
    let organization = match found.holder {
        AppHolder::Settings => {
            return Ok(core.apps.get(section).is_some_and(|app| app.client_secret.is_some()));
        }
        AppHolder::Organization => organization,
        AppHolder::Instance => INSTANCE,
    };
    let field = secret_field(&found.client_id);
    Ok(read.get(&Key::Secret { organization, owner: owner(section), field })?.is_some())
}

/// Id and secret for requests that an app makes in its own name.
pub(super) fn credentials(
    core: &Core,
    way: Way<'_>,
) -> Result<(Option<Secret>, Option<Secret>), Halt> {
    if let Some(section) = way.section() {
        let Some(found) = kept(core, &core.store, way.organization, section, way.used)? else {
            return Ok((None, None));
        };
        let secret = secret_of(core, way.organization, section, &found.used)?;
        // Read twice: a removal between the two reads would send the id without its secret.
        if kept(core, &core.store, way.organization, section, way.used)?.as_ref() != Some(&found) {
            return Ok((None, None));
        }
        return Ok((Some(Secret::new(found.used.client_id)), secret));
    }
    if let Some(app) = core.apps.get(way.platform) {
        return Ok((Some(Secret::new(app.client_id.as_str())), app.client_secret.clone()));
    }
    let owner = Owner::App { platform: way.platform.to_owned(), server: way.server.to_owned() };
    Ok((
        core.store.secret(INSTANCE, &owner, CLIENT_ID)?,
        core.store.secret(INSTANCE, &owner, CLIENT_SECRET)?,
    ))
}

/// Whether the app that an account was connected through is gone, and if so, what to tell.
pub(super) fn gone(core: &Core, account: &Account) -> Result<Option<Gone>, Halt> {
    let way = Way::of(account);
    let Some(section) = way.section() else { return Ok(None) };
    if kept(core, &core.store, way.organization, section, way.used)?.is_some() {
        return Ok(None);
    }
    Ok(Some(match &account.app {
        Some(used) if used.holder != AppHolder::Settings => Gone::Removed(format!(
            "The developer app that it was connected through (client id {}) was removed here.",
            used.client_id
        )),
        Some(used) => Gone::Missing(format!(
            "the app that it was connected through (client id {}) is gone from the settings",
            used.client_id
        )),
        None => Gone::Missing("the app's credentials are gone from the settings".to_owned()),
    }))
}

pub(super) enum Gone {
    /// Somebody removed it, and confirmed that this would end the access of accounts.
    Removed(String),
    /// Perhaps by a mistake in a file, which is mended with the next start.
    Missing(String),
}

/// Everything to speak OAuth for an account. `None`: there is no such client any more.
pub(super) fn client(
    core: &Core,
    profile: &OAuth,
    site: &Site,
    account: &Account,
) -> Result<Option<OAuthClient>, Halt> {
    match profile.client {
        ClientKind::Configured => configured(core, profile, site, Way::of(account)),
        ClientKind::Dynamic => {
            let Some(app) = core.store.app(None, &account.platform, &account.server)? else {
                return Ok(None);
            };
            registered(core, profile, &app)
        }
    }
}

pub(super) fn configured(
    core: &Core,
    profile: &OAuth,
    site: &Site,
    way: Way<'_>,
) -> Result<Option<OAuthClient>, Halt> {
    let (Some(client_id), client_secret) = credentials(core, way)? else { return Ok(None) };
    Ok(Some(OAuthClient {
        client_id,
        client_secret,
        authorize_url: site.url(profile.authorize.endpoint, profile.authorize.path),
        token_url: site.url(profile.token.endpoint, profile.token.path),
        revoke_url: profile.revoke.map(|place| site.url(place.endpoint, place.path)),
        redirect_uri: redirect_uri(core, way.platform),
        client_parameter: profile.client_parameter,
        authentication: profile.authentication,
        proof: profile.proof,
        separator: profile.separator,
        scopes: profile.scopes.iter().map(|&scope| scope.to_owned()).collect(),
    }))
}

pub(super) fn registered(
    core: &Core,
    profile: &OAuth,
    app: &App,
) -> Result<Option<OAuthClient>, Halt> {
    let way = Way {
        organization: INSTANCE,
        platform: &app.platform,
        login: "",
        server: &app.server,
        used: None,
    };
    let (Some(client_id), client_secret) = credentials(core, way)? else { return Ok(None) };
    Ok(Some(OAuthClient {
        client_id,
        client_secret,
        authorize_url: app.authorize_url.clone(),
        token_url: app.token_url.clone(),
        revoke_url: app.revoke_url.clone(),
        redirect_uri: app.redirect_uri.clone(),
        client_parameter: profile.client_parameter,
        authentication: profile.authentication,
        proof: profile.proof,
        separator: profile.separator,
        scopes: app.scopes.split_whitespace().map(str::to_owned).collect(),
    }))
}

pub(super) fn redirect_uri(core: &Core, platform: &str) -> String {
    callback_url(&core.public_url, platform)
}

/// What a sign-in is told that cannot be finished.
pub(super) fn begun_with_is_gone() -> Problem {
    Problem::new(
        Code::AppMissing,
        "The developer app that this sign-in was begun with is gone, or is another one by now.",
        "Begin to connect the account again; it then goes through the app that is in use.",
    )
}
