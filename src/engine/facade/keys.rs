//! API keys: made, listed, used, revoked.
//!
//! Invariants:
//! - the text of a key is shown once and kept nowhere; what is kept is its hash;
//! - no key reaches further than the caller who made it;
//! - a key that is revoked or expired is as unknown as one that never was, from then on.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    domain::{
        event::EventKind,
        ids::{AccountId, KeyId, OrganizationId},
        organization::{Actor, Border, Key, Reach, Scope},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::{Halt, unexpected},
        facade::{Caller, Listing, Once, Page, hash, letters, listing, remembered},
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{Read, View},
};

const KEY_PREFIX: &str = "ff_";

/// Of one organization. More are a mistake in a program, and each is a way in.
const KEYS_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 100;
const LASTS_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

/// How exactly it is known when a key was last used.
const USED_GRAIN: Duration = Duration::from_secs(60);

/// A key to make, in the caller's organization.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub name: String,
    pub scope: Scope,
    pub reach: NewReach,
    /// `None`: it lasts until it is revoked.
    pub expires: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub enum NewReach {
    Accounts(Vec<AccountId>),
    Organization,
    Instance,
}

impl Engine {
    /// Who an API key belongs to.
    pub fn authenticate(&self, text: &str) -> Answer<Caller> {
        let found =
            if text.starts_with(KEY_PREFIX) { self.core.store.api_key(hash(text))? } else { None };
        let Some(key) = found else {
            return Err(Problem::new(
                Code::Unauthorized,
                "This API key is not known.",
                "Send `Authorization: Bearer ff_…` with a key that `fanfare init` or an admin gave \
                 you.",
            ));
        };
        let now = self.core.now();
        if let Some(expires) = key.expires.filter(|&expires| expires <= now) {
            return Err(Problem::new(
                Code::Unauthorized,
                format!("This API key expired at {expires}."),
                "Ask an admin of the organization for a new one.",
            ));
        }
        self.refuse_erased(key.organization)?;
        self.note_use(&key, now);
        Ok(Caller {
            organization: key.organization,
            scope: key.scope,
            reach: key.reach,
            actor: Actor::Key(key.id),
            session: None,
        })
    }

    /// Whether what opened a stream would still open it.
    pub fn is_still(&self, caller: &Caller) -> bool {
        let id = match caller.actor {
            Actor::Key(id) => id,
            Actor::Member(person) => return self.is_still_seated(caller, person).unwrap_or(false),
            Actor::Operator | Actor::Engine => return true,
        };
        let now = self.core.now();
        let key = self.core.store.api_key_named(caller.organization, id);
        key.is_ok_and(|key| key.is_some_and(|key| key.expires.is_none_or(|end| end > now)))
    }

    /// At most once a minute and key, and nobody waits for it. Lost with the process it is only
    /// less exact.
    fn note_use(&self, key: &Key, now: Timestamp) {
        let is_known = |used: Timestamp| used.elapsed(now) < USED_GRAIN;
        {
            let mut used = self.core.keys_used.lock().unwrap_or_else(|broken| broken.into_inner());
            let last = used.get(&key.id).copied().max(key.used);
            if last.is_some_and(is_known) {
                return;
            }
            used.insert(key.id, now);
        }
        let (core, hash) = (self.core.clone(), key.hash);
        tokio::spawn(async move {
            let noted = core.commit_at_door("note the use of a key", move |view| {
                // One that was revoked meanwhile does not come back.
                if let Some(mut key) = view.api_key(hash)? {
                    key.used = Some(now);
                    view.put_api_key(&key)?;
                }
                Ok(())
            });
            if let Err(problem) = noted.await {
                tracing::debug!("the use of a key was not noted: {}", problem.sentence);
            }
        });
    }

    /// Oldest first.
    pub fn keys(&self, caller: &Caller, page: &Page) -> Answer<Listing<Key>> {
        caller.may(Verb::KeysList)?;
        let after = page.after_id::<KeyId>()?;
        let limit = page.limit();
        let all = self.core.store.organization(caller.organization).api_keys()?;
        let later = all.into_iter().filter(|key| after.is_none_or(|after| key.id > after));
        Ok(listing(later.take(limit + 1).collect(), limit, |key| key.id.to_string()))
    }

    /// The key, and its text: shown here and never again. With `once`, a repetition makes nothing
    /// and answers without the text.
    pub async fn create_key(
        &self,
        caller: &Caller,
        new: NewKey,
        once: Option<Once>,
    ) -> Answer<(Key, Option<Secret>)> {
        caller.may(Verb::KeysCreate)?;
        self.refuse_when_stopping()?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let reach = self.reach_of(caller, &new)?;
        check(caller, &new, now)?;
        let (mut key, text) = self.new_key(organization, new.name.trim(), reach);
        key.scope = new.scope;
        key.expires = new.expires;
        let made = self
            .core
            .commit_at_door("create key", move |view| {
                if let Some(made) = remembered::find(view, organization, once.as_ref())? {
                    return Ok(Err(made));
                }
                if view.api_keys(organization)?.len() >= KEYS_MAX {
                    return Err(Problem::new(
                        Code::Conflict,
                        format!("The organization has {KEYS_MAX} keys, which is the most."),
                        "Revoke those that are not used any more.",
                    )
                    .into());
                }
                establish(view, &key, &actor, now)?;
                remembered::note(view, organization, once.as_ref(), key.id.to_string(), now)?;
                Ok(Ok(key))
            })
            .await?;
        match made {
            Ok(key) => Ok((key, Some(text))),
            Err(made) => {
                let id = made.parse().map_err(|_| unexpected("a remembered id is none"))?;
                let known = self.core.store.api_key_named(organization, id)?;
                known.map(|key| (key, None)).ok_or_else(|| {
                    Problem::new(
                        Code::Conflict,
                        "The key that this request made has been revoked.",
                        "Use a new Idempotency-Key to make another.",
                    )
                })
            }
        }
    }

    /// From the moment of the answer it opens nothing. Streams that it opened end with their next
    /// event.
    pub async fn revoke_key(&self, caller: &Caller, id: KeyId) -> Answer<()> {
        caller.may(Verb::KeysRevoke)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        let border = caller.reach.border();
        self.core
            .commit_at_door("revoke key", move |view| {
                let key = view.api_key_named(organization, id)?.ok_or_else(|| missing(id))?;
                if key.reach.border() > border {
                    return Err(Problem::new(
                        Code::Forbidden,
                        "This key reaches the whole instance, and yours does not.",
                        "Ask the instance's owner to revoke it.",
                    )
                    .into());
                }
                view.delete_api_key(organization, id)?;
                let text = format!("The API key {id} ({}) was revoked.", key.name);
                journal::tell(
                    view,
                    Tale::of(organization, now, &actor, EventKind::KeyRevoked, text),
                )?;
                Ok(())
            })
            .await
    }

    fn reach_of(&self, caller: &Caller, new: &NewKey) -> Answer<Reach> {
        match &new.reach {
            NewReach::Organization => Ok(Reach::Organization),
            NewReach::Instance if caller.reach.border() == Border::Instance => Ok(Reach::Instance),
            NewReach::Instance => Err(Problem::new(
                Code::Forbidden,
                "A key cannot reach further than the one that makes it.",
                "Ask the instance's owner for such a key.",
            )
            .at("reach")),
            NewReach::Accounts(accounts) => {
                let tenant = self.core.store.organization(caller.organization);
                for (at, &account) in accounts.iter().enumerate() {
                    if tenant.account(account)?.is_none() {
                        return Err(Problem::new(
                            Code::UnknownAccount,
                            format!("There is no account {account}."),
                            "List the accounts to find its id.",
                        )
                        .at(format!("accounts[{at}]")));
                    }
                }
                let bound: BTreeSet<AccountId> = accounts.iter().copied().collect();
                if bound.is_empty() {
                    return Err(Problem::new(
                        Code::Invalid,
                        "The key is bound to no account at all, so it could do nothing.",
                        "Name at least one account, or leave `accounts` out for all of them.",
                    )
                    .at("accounts"));
                }
                Ok(Reach::Accounts(bound))
            }
        }
    }

    /// An admin key of a new organization.
    pub(super) fn first_key(&self, organization: OrganizationId, reach: Reach) -> (Key, Secret) {
        self.new_key(organization, "first key", reach)
    }

    fn new_key(&self, organization: OrganizationId, name: &str, reach: Reach) -> (Key, Secret) {
        let text = format!("{KEY_PREFIX}{}", letters(&self.core.entropy.bytes::<40>()));
        let key = Key {
            id: KeyId::new(self.core.now(), self.core.entropy.number()),
            organization,
            name: name.to_owned(),
            scope: Scope::Admin,
            hash: hash(&text),
            created: self.core.now(),
            reach,
            expires: None,
            used: None,
        };
        (key, Secret::new(text))
    }
}

/// Writes the key, and says so.
pub(super) fn establish(
    view: &mut View,
    key: &Key,
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Halt> {
    view.put_api_key(key)?;
    let what = match &key.reach {
        Reach::Accounts(accounts) => format!("{} of the accounts", accounts.len()),
        Reach::Organization => "the organization".to_owned(),
        Reach::Instance => "the instance".to_owned(),
    };
    let (id, name, scope) = (key.id, &key.name, key.scope.name());
    let text = format!("The API key {id} ({name}) was made: {scope}, for {what}.");
    journal::tell(view, Tale::of(key.organization, now, actor, EventKind::KeyCreated, text))?;
    Ok(())
}

fn check(caller: &Caller, new: &NewKey, now: Timestamp) -> Answer<()> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Problem::new(
            Code::Invalid,
            format!("A key needs a name of 1 to {NAME_CHARS_MAX} characters."),
            "Name it after the program that will use it.",
        )
        .at("name"));
    }
    if new.scope > caller.scope {
        return Err(Problem::new(
            Code::Forbidden,
            "A key cannot have a wider scope than the one that makes it.",
            format!("Ask for the scope `{}` or less.", caller.scope.name()),
        )
        .at("scope"));
    }
    let Some(expires) = new.expires else { return Ok(()) };
    if expires <= now || now.elapsed(expires) > LASTS_MAX {
        return Err(Problem::new(
            Code::Invalid,
            format!("The key would expire at {expires}; it is {now}."),
            "Choose a time within the next ten years, or leave `expires` out.",
        )
        .at("expires"));
    }
    Ok(())
}

fn missing(id: KeyId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no key {id}."),
        "List the keys to find its id; one that was revoked is gone.",
    )
}
