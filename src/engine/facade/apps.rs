//! Developer apps that are set at run time: an organization's own, and the instance's.
//!
//! Invariants:
//! - a client's secret is never answered, told in an event, or named in a refusal;
//! - an app's record, its secret and the event that tells of it are one commit;
//! - no account loses its only client unless the caller has said that it may.

use crate::{
    connectors,
    domain::{
        account::{Account, Connection},
        event::EventKind,
        ids::OrganizationId,
        organization::{Actor, App, AppHolder, AppUsed},
        platform::{ClientKind, Login, OAuth, Proof},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        apps::{self, Way},
        core::{Core, Halt},
        facade::Caller,
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{INSTANCE, Read, View},
};

/// No platform's ids or secrets are nearly as long.
const TEXT_BYTES_MAX: usize = 1_024;

/// How accounts of one platform, or of several, get at an app.
#[derive(Clone, Debug)]
pub struct AppStanding {
    /// What the app is called here: `facebook` serves Instagram, too.
    pub platform: &'static str,
    /// Every platform that is signed in to through it, with the address to enter there.
    pub callbacks: Vec<(&'static str, String)>,
    /// What a sign-in goes through that begins now; `None`: nobody has set one.
    pub app: Option<AppUsed>,
    pub has_secret: bool,
    /// When it was set; `None` where the settings hold it, or nobody.
    pub since: Option<Timestamp>,
    /// The accounts that live by it and are not disconnected: the organization's, or of the
    /// instance's list all.
    pub accounts: usize,
}

/// An app as it shall be.
#[derive(Clone, Debug)]
pub struct AppSetting {
    pub client_id: String,
    /// `None` keeps the secret that there is, if the id stays the same.
    pub client_secret: Option<Secret>,
}

/// What becomes of accounts whose access nobody could renew any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// Nothing is changed if there are any.
    Refused,
    /// They go on until their access ends, and then have to be connected again.
    Accepted,
}

/// Whose app is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppOf {
    Organization,
    Instance,
}

impl Engine {
    /// What the caller's organization signs in through, or what the instance offers to all: one for
    /// each app that a platform wants made by hand, by name.
    pub fn apps(&self, caller: &Caller, of: AppOf) -> Answer<Vec<AppStanding>> {
        caller.may(match of {
            AppOf::Organization => Verb::AppsList,
            AppOf::Instance => Verb::AppsListShared,
        })?;
        let whose = Whose::of(caller, of);
        sections().into_iter().map(|section| self.standing(whose, section)).collect()
    }

    /// Says what an app shall be; arriving twice it changes nothing the second time.
    pub async fn set_app(
        &self,
        caller: &Caller,
        of: AppOf,
        platform: &str,
        setting: AppSetting,
        orphans: Orphans,
    ) -> Answer<AppStanding> {
        caller.may(match of {
            AppOf::Organization => Verb::AppsSet,
            AppOf::Instance => Verb::AppsSetShared,
        })?;
        self.refuse_when_stopping()?;
        let section = section_named(platform)?;
        check(&setting)?;
        let (core, whose, now) = (self.core.clone(), Whose::of(caller, of), self.core.now());
        let deed = Deed { whose, section, orphans, actor: caller.actor.clone(), now };
        self.core.commit_at_door("set app", move |view| deed.set(&core, view, &setting)).await?;
        self.standing(whose, section)
    }

    /// Deletes it with its secret. One that is not there is not missed.
    pub async fn remove_app(
        &self,
        caller: &Caller,
        of: AppOf,
        platform: &str,
        orphans: Orphans,
    ) -> Answer<()> {
        caller.may(match of {
            AppOf::Organization => Verb::AppsRemove,
            AppOf::Instance => Verb::AppsRemoveShared,
        })?;
        self.refuse_when_stopping()?;
        let section = section_named(platform)?;
        let (core, whose, now) = (self.core.clone(), Whose::of(caller, of), self.core.now());
        let deed = Deed { whose, section, orphans, actor: caller.actor.clone(), now };
        self.core.commit_at_door("remove app", move |view| deed.remove(&core, view)).await
    }

    fn standing(&self, whose: Whose, section: &'static str) -> Answer<AppStanding> {
        let read = &self.core.store;
        let known = apps::known(&self.core, read, whose.app, section).map_err(Problem::from)?;
        let found = known.into_iter().next();
        let (app, since) = match found {
            Some(found) => (Some(found.used), found.since),
            None => (None, None),
        };
        let (mut has_secret, mut accounts) = (false, 0);
        if let Some(app) = &app {
            has_secret = apps::has_secret(&self.core, read, whose.home, section, app)?;
            let living = living(&self.core, read, whose, section).map_err(Problem::from)?;
            accounts = living.iter().filter(|(_, used)| used.client_id == app.client_id).count();
        }
        let callbacks = users(section)
            .map(|platform| (platform, apps::redirect_uri(&self.core, platform)))
            .collect();
        Ok(AppStanding { platform: section, callbacks, app, has_secret, since, accounts })
    }
}

/// Whose app, and whose events tell of it.
#[derive(Clone, Copy)]
struct Whose {
    app: Option<OrganizationId>,
    home: OrganizationId,
}

impl Whose {
    fn of(caller: &Caller, of: AppOf) -> Whose {
        let home = caller.organization;
        Whose { app: (of == AppOf::Organization).then_some(home), home }
    }

    fn words(self) -> &'static str {
        match self.app {
            Some(_) => "The organization's own app",
            None => "The instance's app",
        }
    }
}

/// A change to one app.
struct Deed {
    whose: Whose,
    section: &'static str,
    orphans: Orphans,
    actor: Actor,
    now: Timestamp,
}

impl Deed {
    fn set(&self, core: &Core, view: &mut View, setting: &AppSetting) -> Result<(), Halt> {
        let section = self.section;
        let (place, owner) = (self.whose.app.unwrap_or(INSTANCE), apps::owner(section));
        let field = apps::secret_field(&setting.client_id);
        let known = view.app(self.whose.app, section, "")?;
        let same = known.as_ref().filter(|app| app.client_id == setting.client_id);
        let stored = match same {
            Some(_) => view.secret(place, &owner, &field)?,
            None => None,
        };
        if setting.client_secret.is_none() && stored.is_none() && needs_secret(section) {
            return Err(secret_missing(section, known.as_ref()).into());
        }
        let is_new = |secret: &&Secret| Some(*secret) != stored.as_ref();
        let secret = setting.client_secret.as_ref().filter(is_new);
        if same.is_some() && secret.is_none() {
            return Ok(());
        }
        let before = living(core, view, self.whose, section)?;
        let created = same.map_or(self.now, |app| app.created);
        if same.is_none() {
            view.delete_secrets(place, &owner)?;
        }
        view.put_app(&record(self.whose.app, section, &setting.client_id, created))?;
        if let Some(secret) = secret {
            view.put_secret(place, &owner, &field, secret)?;
        }
        let orphaned = self.orphaned(core, view, &before, known.as_ref())?;
        let (whose, id) = (self.whose.words(), &setting.client_id);
        let (kind, text) = match (&known, same) {
            (None, _) => {
                (EventKind::AppSet, format!("{whose} for {section} was set: client id {id}."))
            }
            (Some(_), Some(_)) => (
                EventKind::AppChanged,
                format!("{whose} for {section}, client id {id}, got another secret."),
            ),
            (Some(old), None) => (
                EventKind::AppChanged,
                format!(
                    "{whose} for {section} was changed from client id {} to {id}.{}",
                    old.client_id,
                    told(orphaned)
                ),
            ),
        };
        self.tell(view, kind, text)
    }

    fn remove(&self, core: &Core, view: &mut View) -> Result<(), Halt> {
        let section = self.section;
        let place = self.whose.app.unwrap_or(INSTANCE);
        let Some(known) = view.app(self.whose.app, section, "")? else { return Ok(()) };
        let before = living(core, view, self.whose, section)?;
        view.delete_app(self.whose.app, section, "")?;
        view.delete_secrets(place, &apps::owner(section))?;
        let orphaned = self.orphaned(core, view, &before, Some(&known))?;
        let text = format!(
            "{} for {section}, client id {}, was removed with its secret.{}",
            self.whose.words(),
            known.client_id,
            told(orphaned)
        );
        self.tell(view, EventKind::AppRemoved, text)
    }

    /// How many of the accounts that had a client `before` have lost it by what this commit has
    /// changed so far; undone by a refusal unless that is accepted.
    fn orphaned(
        &self,
        core: &Core,
        view: &View,
        before: &[(Account, AppUsed)],
        old: Option<&App>,
    ) -> Result<usize, Halt> {
        let mut orphaned = 0;
        for (account, used) in before {
            let way = Way::of(account);
            let after = apps::kept(core, view, way.organization, self.section, way.used)?;
            if after.is_none_or(|after| after.used.client_id != used.client_id) {
                orphaned += 1;
            }
        }
        if orphaned == 0 || self.orphans == Orphans::Accepted {
            return Ok(orphaned);
        }
        let id = old.map_or("", |app| app.client_id.as_str());
        let accounts = counted(orphaned);
        Err(Problem::new(
            Code::Conflict,
            format!(
                "{accounts} connected through the app with the client id {id}, and no other app \
                 can renew such access. Nothing was changed."
            ),
            "Keep this app, or repeat with `force=true`: they then go on until their access ends, \
             and have to be connected again.",
        )
        .at("force")
        .into())
    }

    fn tell(&self, view: &mut View, kind: EventKind, text: String) -> Result<(), Halt> {
        journal::tell(view, Tale::of(self.whose.home, self.now, &self.actor, kind, text))?;
        Ok(())
    }
}

fn counted(accounts: usize) -> String {
    match accounts {
        1 => "1 account is".to_owned(),
        count => format!("{count} accounts are"),
    }
}

fn told(orphaned: usize) -> String {
    match orphaned {
        0 => String::new(),
        1 => " 1 account was connected through it, and has to be connected again when its access \
              ends."
            .to_owned(),
        count => format!(
            " {count} accounts were connected through it, and have to be connected again when \
             their access ends."
        ),
    }
}

/// Its addresses and scopes are the profile's, which a new version may change.
fn record(
    organization: Option<OrganizationId>,
    section: &str,
    client_id: &str,
    created: Timestamp,
) -> App {
    App {
        platform: section.to_owned(),
        server: String::new(),
        organization,
        client_id: client_id.to_owned(),
        authorize_url: String::new(),
        token_url: String::new(),
        revoke_url: None,
        redirect_uri: String::new(),
        scopes: String::new(),
        created,
    }
}

/// The accounts that a change may concern, each with the client that renews it now.
fn living(
    core: &Core,
    read: &impl Read,
    whose: Whose,
    section: &str,
) -> Result<Vec<(Account, AppUsed)>, Halt> {
    let organizations = match whose.app {
        Some(organization) => vec![organization],
        None => {
            let all = read.organizations(None, usize::MAX)?;
            all.into_iter().map(|organization| organization.id).collect()
        }
    };
    let mut living = Vec::new();
    for organization in organizations {
        for account in read.accounts(organization, None, usize::MAX)? {
            let way = Way::of(&account);
            if way.section() != Some(section)
                || matches!(account.connection, Connection::Disconnected { .. })
            {
                continue;
            }
            if let Some(found) = apps::kept(core, read, organization, section, way.used)? {
                // Who has an app of its own does not live by what the instance has.
                let is_other = whose.app.is_none() && found.used.holder == AppHolder::Organization;
                if !is_other {
                    living.push((account, found.used));
                }
            }
        }
    }
    Ok(living)
}

/// Every way of signing in that wants an app made by hand, with its platform.
fn ways() -> impl Iterator<Item = (&'static str, &'static OAuth)> {
    connectors::ALL.iter().flat_map(|connector| {
        let profile = connector.profile();
        profile.logins.iter().filter_map(|login| match login {
            Login::OAuth(oauth) if oauth.client == ClientKind::Configured => {
                Some((profile.platform, oauth))
            }
            Login::OAuth(_) | Login::Pasted(_) => None,
        })
    })
}

fn sections() -> Vec<&'static str> {
    let mut sections: Vec<&str> = ways().map(|(_, oauth)| oauth.app).collect();
    sections.sort_unstable();
    sections.dedup();
    sections
}

fn users(section: &str) -> impl Iterator<Item = &'static str> {
    let mut users: Vec<&str> =
        ways().filter(|(_, oauth)| oauth.app == section).map(|(platform, _)| platform).collect();
    users.dedup();
    users.into_iter()
}

fn section_named(platform: &str) -> Answer<&'static str> {
    let sections = sections();
    if let Some(section) = sections.iter().find(|section| **section == platform) {
        return Ok(section);
    }
    let apps = format!("Apps can be set for: {}.", sections.join(", "));
    let profile = connectors::find(platform).map(|connector| connector.profile());
    let Some(profile) = profile else {
        let sentence = format!("There is no platform `{platform}`.");
        return Err(Problem::new(Code::UnknownPlatform, sentence, apps).at("platform"));
    };
    let registers = profile.logins.iter().any(|login| matches!(login, Login::OAuth(_)));
    let sentence = match registers {
        true => format!("For {}, Fanfare registers an app by itself.", profile.name),
        false => format!("{} is signed in to without an app.", profile.name),
    };
    let remedy = format!("Connect the account; there is nothing to set before. {apps}");
    Err(Problem::new(Code::Invalid, sentence, remedy).at("platform"))
}

/// A login that is not proven by PKCE rests on the secret alone.
fn needs_secret(section: &str) -> bool {
    ways().any(|(_, oauth)| oauth.app == section && oauth.proof == Proof::StateOnly)
}

fn secret_missing(section: &str, known: Option<&App>) -> Problem {
    let sentence = match known {
        Some(app) => format!(
            "The secret is missing: the one that is kept belongs to the client id {}.",
            app.client_id
        ),
        None => format!("The secret is missing, and an app for {section} needs one."),
    };
    let remedy = "Send the `client_secret` that the platform shows beside this client id.";
    Problem::new(Code::Invalid, sentence, remedy).at("client_secret")
}

fn check(setting: &AppSetting) -> Answer<()> {
    let secret = setting.client_secret.as_ref().map(Secret::expose);
    let given = [("client_id", Some(setting.client_id.as_str())), ("client_secret", secret)];
    for (place, text) in given {
        let Some(text) = text else { continue };
        // The text itself is not repeated: it may be the secret, entered in the wrong place.
        let wrong = if text.is_empty() {
            "is empty"
        } else if text.len() > TEXT_BYTES_MAX {
            "is longer than 1,024 bytes"
        } else if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            "has white space in it"
        } else {
            continue;
        };
        let remedy = "Copy it from the app's page at the platform, and nothing around it.";
        let sentence = format!("The `{place}` {wrong}.");
        return Err(Problem::new(Code::Invalid, sentence, remedy).at(place));
    }
    Ok(())
}
