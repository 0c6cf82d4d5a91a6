//! The access to an account: loaded, renewed, withdrawn.
//!
//! Invariants:
//! - a network error is never taken for a revocation;
//! - the old pair stays until the new one is on disk, and both parts change in one commit;
//! - what a platform says of a token is held against that token alone, never against a newer one.

mod lost;
mod shared;

use std::time::Duration;

use crate::{
    connectors::{self, AnyConnector, Grant, Outcome, Site, Task},
    domain::{
        account::{Account, Connection},
        delivery::Hold,
        event::EventKind,
        ids::{AccountId, OrganizationId},
        organization::Actor,
        platform::{Login, Profile, RefreshModel},
        refusal::RefusalKind,
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        apps::{self, Gone, Way},
        core::{Core, Halt},
        errands::{self, Failure},
        journal::{self, Tale},
        transitions,
    },
    net::{Secrets, oauth},
    policy::lane::RefreshOutcome,
    store::{self, Key, Owner, Read, Timer, View},
};

pub(super) use self::{
    lost::{Standing, hold_lane, needs_attention, note_revoked, revoked},
    shared::Renewals,
};

/// After a refresh that reached nobody.
pub(super) const RETRY: Duration = Duration::from_secs(30);

/// A token that ends sooner than this is renewed before anything is sent with it.
const MARGIN: Duration = Duration::from_secs(120);

/// Where a platform does not say how long a refresh token lives, it is used this often.
const REFRESH_AT_LEAST: Duration = Duration::from_secs(30 * 24 * 3600);

pub(super) const ACCESS: &str = "access";
pub(super) const REFRESH: &str = "refresh";

pub(super) fn ends_soon(account: &Account, now: Timestamp) -> bool {
    account.token_ends.is_some_and(|ends| ends < now.after(MARGIN))
}

/// Only a token that ends can be renewed, and only where the platform gave us the means.
pub(super) fn can_refresh(read: &impl Read, account: &Account) -> Result<bool, Halt> {
    Ok(matches!(renewal(read, account)?, Renewal::ByItself(_)))
}

pub(super) fn load(core: &Core, account: &Account) -> Result<Secrets, Halt> {
    let owner = Owner::Account(account.id);
    let (client_id, client_secret) = apps::credentials(core, Way::of(account))?;
    Ok(Secrets {
        access: core.store.secret(account.organization, &owner, ACCESS)?,
        refresh: core.store.secret(account.organization, &owner, REFRESH)?,
        kept: None,
        password: None,
        client_id,
        client_secret,
    })
}

/// Stores a grant with its account, and sets the timer that keeps an idle account's access alive.
pub(super) fn save(
    view: &mut View,
    account: &mut Account,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), Halt> {
    let owner = Owner::Account(account.id);
    view.put_secret(account.organization, &owner, ACCESS, &grant.access)?;
    if let Some(refresh) = &grant.refresh {
        view.put_secret(account.organization, &owner, REFRESH, refresh)?;
    }
    account.token_ends = grant.access_lasts.map(|lasts| now.after(lasts));
    if let Some(lasts) = grant.refresh_lasts {
        account.refresh_ends = Some(now.after(lasts));
    }
    account.revision += 1;
    let second = second_chance(now);
    for spent in [second, second.before(HOUR)] {
        view.delete_timer(timer(account, spent))?;
    }
    let due = match renewal(view, account)? {
        Renewal::NotNeeded => None,
        Renewal::ByItself(Means::Extension) => {
            let half = grant.access_lasts.map_or(REFRESH_AT_LEAST, |lasts| lasts / 2);
            Some(renewal_at(account.id, half.min(REFRESH_AT_LEAST), now))
        }
        Renewal::ByItself(Means::Other) => {
            let half = grant.refresh_lasts.map_or(REFRESH_AT_LEAST, |lasts| lasts / 2);
            Some(renewal_at(account.id, half.min(REFRESH_AT_LEAST), now))
        }
        Renewal::ByPerson { ends } => {
            account.refresh_ends = Some(ends);
            Some(next_warning(ends, now))
        }
    };
    if let Some(due) = due {
        view.put_timer(timer(account, due))?;
    }
    view.put_account(account)?;
    Ok(())
}

/// How an account's access goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// The access token does not end.
    NotNeeded,
    ByItself(Means),
    /// The platform gave nothing to renew it with: the person has to sign in again before it ends.
    ByPerson {
        ends: Timestamp,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// The token is exchanged for a longer one, which works only while it is good.
    Extension,
    Other,
}

pub(super) fn renewal(read: &impl Read, account: &Account) -> Result<Renewal, Halt> {
    let Some(ends) = account.token_ends else { return Ok(Renewal::NotNeeded) };
    let profile = connectors::find(&account.platform).map(AnyConnector::profile);
    let model = match profile.and_then(|profile| profile.login(&account.login)) {
        Some(Login::OAuth(oauth)) => oauth.refresh,
        Some(Login::Pasted(_)) | None => return Ok(Renewal::ByItself(Means::Other)),
    };
    if model == RefreshModel::Extended {
        return Ok(Renewal::ByItself(Means::Extension));
    }
    let (organization, owner) = (account.organization, Owner::Account(account.id));
    Ok(match read.get(&Key::Secret { organization, owner, field: REFRESH.to_owned() })? {
        Some(_) => Renewal::ByItself(Means::Other),
        None => Renewal::ByPerson { ends },
    })
}

/// How long before access ends the person is told, if only they can renew it.
const WARNINGS: [Duration; 2] = [DAY.saturating_mul(7), DAY];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The next instant at which to tell, or the end itself.
fn next_warning(ends: Timestamp, now: Timestamp) -> Timestamp {
    let warnings = WARNINGS.iter().map(|&ahead| ends.before(ahead));
    warnings.filter(|&at| at > now).min().unwrap_or(ends)
}

fn timer(account: &Account, due: Timestamp) -> Timer {
    let (organization, id) = (account.organization, account.id.0);
    Timer { due, organization, id, kind: transitions::TIMER_ACCOUNT }
}

/// Nearly `interval` from now. Renewals that follow each other share a timer, or a busy account
/// would leave one behind with each.
fn renewal_at(account: AccountId, interval: Duration, now: Timestamp) -> Timestamp {
    let slot = u64::try_from(interval.as_millis() / 8).unwrap_or(u64::MAX).max(1);
    // Accounts do not all come in the same instant.
    let offset = u64::try_from(account.0 % u128::from(slot)).unwrap_or_default();
    let at = now.after(interval).0.saturating_sub(offset);
    Timestamp(at / slot * slot + offset)
}

const HOUR: Duration = Duration::from_secs(3600);

/// One to two hours from now, on the hour, so that it is found again to be deleted.
fn second_chance(now: Timestamp) -> Timestamp {
    Timestamp(now.0 - now.0 % 3_600_000).after(HOUR * 2)
}

/// An account's timer has fired: whether its token is to be renewed. It is tried again later unless
/// that succeeds: whoever is told of it may die, and the platform may not be there.
pub(super) fn renewal_due(
    view: &mut View,
    organization: OrganizationId,
    id: AccountId,
    now: Timestamp,
) -> Result<bool, Halt> {
    let Some(account) = view.account(organization, id)? else { return Ok(false) };
    let lost = matches!(
        account.connection,
        Connection::Disconnected { .. } | Connection::NeedsReconnection { .. }
    );
    if lost {
        return Ok(false);
    }
    match renewal(view, &account)? {
        Renewal::NotNeeded => Ok(false),
        Renewal::ByItself(_) => {
            view.put_timer(timer(&account, second_chance(now)))?;
            Ok(true)
        }
        Renewal::ByPerson { ends } if ends <= now => Ok(true),
        Renewal::ByPerson { ends } => {
            let next = next_warning(ends, now);
            // A timer that an earlier connection left behind has nothing to tell.
            if WARNINGS.iter().any(|&ahead| ends.before(ahead) <= now) {
                let text = format!(
                    "The access ends at {ends}, and the platform lets nobody but you renew it. \
                     Connect the account again before; what is planned is kept."
                );
                let kind = EventKind::AccountExpires;
                let tale = Tale::of(organization, now, &Actor::Engine, kind, text);
                journal::tell(view, tale.about_account(id))?;
            }
            view.put_timer(timer(&account, next))?;
            Ok(false)
        }
    }
}

/// The access token and the refresh token, by which a newer connection is noticed.
type Pair = [Option<Secret>; 2];

fn pair(
    secret: impl Fn(&Owner, &str) -> Result<Option<Secret>, store::Error>,
    id: AccountId,
) -> Result<Pair, Halt> {
    let owner = Owner::Account(id);
    Ok([secret(&owner, ACCESS)?, secret(&owner, REFRESH)?])
}

/// Whether an account still has the access that was sent. Somebody may have signed in, or the
/// token may have been renewed, while an answer to the old one was under way.
pub(super) fn is_current(
    secret: impl Fn(&Owner, &str) -> Result<Option<Secret>, store::Error>,
    id: AccountId,
    sent: Option<&Secret>,
) -> Result<bool, Halt> {
    Ok(secret(&Owner::Account(id), ACCESS)?.as_ref() == sent)
}

enum Refused {
    /// The platform has said that it is over.
    Revoked(String),
    /// It cannot be renewed any more, for a reason of our own; a whole sentence.
    Impossible(String),
    /// Anything else; tried again.
    Unreachable(String),
}

/// Renews an account's access, unless `refused`, the token that somebody could not use, was
/// replaced before we began.
pub(super) async fn refresh(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
    refused: Option<&Secret>,
) -> Result<RefreshOutcome, Halt> {
    let Some(account) = core.store.account(organization, id)? else {
        return Ok(RefreshOutcome::Fresh);
    };
    let Some(connector) = connectors::find(&account.platform) else {
        return unknown_platform(core, organization, id).await;
    };
    let site = core.account_site(connector, &account);
    let stored = || pair(|owner, field| core.store.secret(organization, owner, field), id);
    let used = stored()?;
    if refused.is_some() && used[0].as_ref() != refused {
        return Ok(RefreshOutcome::Fresh);
    }
    let turn = shared::turn(core, &account, used[1].as_ref()).await;
    if turn.is_some() {
        // Whoever shares the grant has renewed it for us meanwhile, or heard that it is over.
        if stored()? != used {
            return Ok(RefreshOutcome::Fresh);
        }
        let account = core.store.account(organization, id)?;
        let is_lost =
            |account: &Account| matches!(account.connection, Connection::NeedsReconnection { .. });
        if account.as_ref().is_some_and(is_lost) {
            return Ok(RefreshOutcome::Revoked);
        }
    }
    let answer = ask(core, connector, site, &account).await?;
    match answer {
        Ok(grant) => {
            renewed(core, organization, id, used, grant).await?;
            Ok(RefreshOutcome::Fresh)
        }
        // The person signed in meanwhile: what is said of the old token is not about the new one.
        Err(_) if stored()? != used => Ok(RefreshOutcome::Fresh),
        Err(Refused::Revoked(reason)) => {
            let reason = format!("{} refuses our access: {reason}.", connector.profile().name);
            tell_lost(core, organization, id, used, reason).await
        }
        Err(Refused::Impossible(sentence)) => {
            tell_lost(core, organization, id, used, sentence).await
        }
        Err(Refused::Unreachable(reason)) => {
            let tale = failed(core, organization, id, &format!("{reason}."));
            core.commit("tell of a failed refresh", move |view| journal::tell(view, tale)).await?;
            Ok(RefreshOutcome::Unreachable { again_at: core.now().after(RETRY) })
        }
    }
}

async fn unknown_platform(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
) -> Result<RefreshOutcome, Halt> {
    let now = core.now();
    let reason = "This version does not know the platform.".to_owned();
    core.commit("platform is unknown", move |view| {
        if let Some(account) = view.account(organization, id)? {
            note_revoked(view, account, reason, now)?;
        }
        Ok(RefreshOutcome::Revoked)
    })
    .await
}

/// X answers `invalid_request` for a refresh token that it no longer knows, Slack the third.
const GRANT_IS_OVER: [&str; 3] = ["invalid_grant", "invalid_request", "invalid_refresh_token"];

async fn ask(
    core: &Core,
    connector: &dyn AnyConnector,
    mut site: Site,
    account: &Account,
) -> Result<Result<Grant, Refused>, Halt> {
    match apps::gone(core, account)? {
        None => {}
        Some(Gone::Removed(sentence)) => return Ok(Err(Refused::Impossible(sentence))),
        Some(Gone::Missing(reason)) => return Ok(Err(Refused::Unreachable(reason))),
    }
    let mut secrets = load(core, account)?;
    let by_errand = async |site: &mut Site, secrets: &mut Secrets| {
        let outcome = errands::run(core, connector, site, &Task::Refresh, secrets).await;
        match outcome {
            Ok(Outcome::Granted(grant)) => Ok(grant),
            Ok(_) => Err(Refused::Unreachable("there was no new token".to_owned())),
            Err(failure) => Err(read_failure(&failure, connector.profile())),
        }
    };
    match connector.profile().login(&account.login) {
        None => Ok(Err(Refused::Unreachable("its way of signing in is gone".to_owned()))),
        Some(Login::Pasted(_)) => Ok(by_errand(&mut site, &mut secrets).await),
        Some(Login::OAuth(profile)) if profile.refresh == RefreshModel::Extended => {
            Ok(by_errand(&mut site, &mut secrets).await)
        }
        Some(Login::OAuth(profile)) => {
            let Some(client) = apps::client(core, profile, &site, account)? else {
                let reason = "the app's credentials are gone".to_owned();
                return Ok(Err(Refused::Unreachable(reason)));
            };
            let Some(token) = secrets.refresh else {
                let reason = "it has ended, and nothing was given to renew it with".to_owned();
                return Ok(Err(Refused::Revoked(reason)));
            };
            let granted = oauth::refresh(&core.client, &client, &token).await;
            // What is wrong with the app, or a proxy's refusal, is no word about the account.
            Ok(granted.map_err(|error| {
                if let oauth::Error::Refused { code, words, .. } = &error
                    && GRANT_IS_OVER.contains(&code.as_str())
                {
                    return Refused::Revoked(format!("{words} ({code})").trim().to_owned());
                }
                Refused::Unreachable(error.to_string())
            }))
        }
    }
}

fn read_failure(failure: &Failure, profile: &Profile) -> Refused {
    // What is extended is still good: a request that is turned down says nothing about it.
    let is_final = profile.login("").is_some_and(|login| matches!(login, Login::Pasted(_)));
    match failure {
        Failure::Refused(refusal) => match refusal.kind {
            RefusalKind::Rejected if !is_final => Refused::Unreachable(refusal.words.clone()),
            RefusalKind::Unauthorized | RefusalKind::Revoked | RefusalKind::Rejected => {
                Refused::Revoked(format!("{} ({})", refusal.words, refusal.code))
            }
            RefusalKind::Unavailable
            | RefusalKind::Throttled { .. }
            | RefusalKind::Duplicate
            | RefusalKind::Media
            | RefusalKind::Unreadable => Refused::Unreachable(refusal.words.clone()),
        },
        Failure::Unreachable(reason) => Refused::Unreachable(reason.clone()),
    }
}

async fn renewed(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
    used: Pair,
    grant: Grant,
) -> Result<(), Halt> {
    let now = core.now();
    core.commit("store renewed token", move |view| {
        let Some(account) = view.account(organization, id)? else { return Ok(()) };
        // All in one commit: whoever kept the old refresh token could only be told that it is over.
        // Also if it was asked for by one that needs it no more.
        let sharers = shared::sharers(view, &account, &used)?;
        // Disconnected meanwhile: its tokens are gone and stay gone. Or connected anew: the newer
        // ones stay.
        let is_current = !matches!(account.connection, Connection::Disconnected { .. })
            && pair(|owner, field| view.secret(organization, owner, field), id)? == used;
        for mut account in Some(account).filter(|_| is_current).into_iter().chain(sharers) {
            save(view, &mut account, &grant, now)?;
            let text = "The access token was renewed.";
            let kind = EventKind::TokenRefreshed;
            let tale = Tale::of(organization, now, &Actor::Engine, kind, text);
            journal::tell(view, tale.about_account(account.id))?;
        }
        Ok(())
    })
    .await
}

fn failed(core: &Core, organization: OrganizationId, id: AccountId, reason: &str) -> Tale {
    let kind = EventKind::TokenRefreshFailed;
    let text = format!("The access token could not be renewed: {reason}");
    Tale::of(organization, core.now(), &Actor::Engine, kind, text).about_account(id)
}

/// Unless the person signed in meanwhile. With the platform's reason, which they are told.
async fn tell_lost(
    core: &Core,
    organization: OrganizationId,
    id: AccountId,
    used: Pair,
    reason: String,
) -> Result<RefreshOutcome, Halt> {
    let now = core.now();
    let tale = failed(core, organization, id, &reason);
    let lost = core
        .commit("access is over", move |view| {
            if pair(|owner, field| view.secret(organization, owner, field), id)? != used {
                return Ok(None);
            }
            journal::tell(view, tale)?;
            let Some(account) = view.account(organization, id)? else {
                return Ok(Some(Vec::new()));
            };
            let sharers = shared::sharers(view, &account, &used)?;
            note_revoked(view, account, reason.clone(), now)?;
            for sharer in &sharers {
                note_revoked(view, sharer.clone(), reason.clone(), now)?;
            }
            Ok(Some(sharers))
        })
        .await?;
    let Some(sharers) = lost else { return Ok(RefreshOutcome::Fresh) };
    // Our own lane is held by whoever asked for this.
    for sharer in sharers {
        hold_lane(core, sharer, Hold::Reconnection).await?;
    }
    Ok(RefreshOutcome::Revoked)
}
