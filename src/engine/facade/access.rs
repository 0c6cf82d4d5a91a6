//! Who may call, and the organizations that they belong to.

use sha2::{Digest, Sha256};

use crate::{
    domain::{
        event::EventKind,
        ids::{KeyId, MemberId, OrganizationId},
        organization::{Actor, Key, Member, Organization, Pause, Reach, Role, Scope},
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        directory::DirectoryMessage,
        facade::{
            Caller, Founded, Founding, Listing, Once, OrganizationEdit, Page, listing, remembered,
        },
        journal::{self, Tale},
    },
    store::{Read, View},
};

const KEY_PREFIX: &str = "ff_";

impl Caller {
    /// Refuses what the caller's key does not reach.
    pub fn may(&self, scope: Scope) -> Answer<()> {
        if self.scope >= scope {
            return Ok(());
        }
        Err(Problem::new(
            Code::Forbidden,
            format!(
                "This needs a key with the scope {}; yours has {}.",
                scope.name(),
                self.scope.name()
            ),
            "Use another key, or ask an admin of the organization for one.",
        ))
    }

    fn may_reach(&self, organization: OrganizationId) -> Answer<()> {
        if self.organization == organization || self.reach == Reach::Instance {
            return Ok(());
        }
        // The same words as for one that does not exist: nothing is told of others.
        Err(no_organization(organization))
    }
}

impl Engine {
    /// Who an API key belongs to.
    pub fn authenticate(&self, key: &str) -> Answer<Caller> {
        let found =
            if key.starts_with(KEY_PREFIX) { self.core.store.api_key(hash(key))? } else { None };
        let Some(key) = found else {
            return Err(Problem::new(
                Code::Unauthorized,
                "This API key is not known.",
                "Send `Authorization: Bearer ff_…` with a key that `fanfare init` or an admin gave \
                 you.",
            ));
        };
        Ok(Caller {
            organization: key.organization,
            scope: key.scope,
            reach: key.reach,
            actor: Actor::Key(key.id),
        })
    }

    /// For the command line, which needs no key: whoever may read the data directory.
    pub fn operator(&self, organization: OrganizationId) -> Caller {
        Caller { organization, scope: Scope::Admin, reach: Reach::Instance, actor: Actor::Operator }
    }

    /// Whether there is an organization yet.
    pub fn is_founded(&self) -> bool {
        self.core.store.organizations(None, 1).is_ok_and(|found| !found.is_empty())
    }

    /// The first organization, its owner, and an admin key of the instance. Refused when there is
    /// one already.
    pub async fn found(&self, founding: Founding) -> Answer<Founded> {
        let organization = self.new_organization(&founding.organization)?;
        let (key, secret) = self.new_key(organization.id, "first key", Reach::Instance);
        let member = Member {
            id: MemberId::new(self.core.now(), self.core.entropy.number()),
            organization: organization.id,
            name: founding.owner_name,
            email: founding.owner_email,
            role: Role::Owner,
            created: self.core.now(),
        };
        let id = organization.id;
        self.core
            .commit_at_door("found", move |view| {
                if !view.organizations(None, 1)?.is_empty() {
                    return Err(Problem::new(
                        Code::Conflict,
                        "There is an organization already.",
                        "Use its admin key; further organizations are made through the API.",
                    )
                    .into());
                }
                view.put_member(&member)?;
                establish(view, &organization, &key, &Actor::Operator)
            })
            .await?;
        Ok(Founded { organization: id, key: secret })
    }

    /// A further tenant with an admin key of its own. With `once`, a repetition makes nothing; its
    /// key was shown the first time and is not shown again.
    pub async fn create_organization(
        &self,
        caller: &Caller,
        name: &str,
        once: Option<Once>,
    ) -> Answer<Founded> {
        caller.may(Scope::Admin)?;
        if caller.reach != Reach::Instance {
            return Err(Problem::new(
                Code::Forbidden,
                "Only the instance's owner can make organizations.",
                "Use the key that `fanfare init` gave.",
            ));
        }
        let organization = self.new_organization(name)?;
        let (key, secret) = self.new_key(organization.id, "first key", Reach::Organization);
        let (id, home, actor) = (organization.id, caller.organization, caller.actor.clone());
        let now = self.core.now();
        let repeated = self
            .core
            .commit_at_door("create organization", move |view| {
                if let Some(made) = remembered::find(view, home, once.as_ref())? {
                    return Ok(made.parse::<OrganizationId>().ok());
                }
                establish(view, &organization, &key, &actor)?;
                remembered::note(view, home, once.as_ref(), id.to_string(), now)?;
                Ok(None)
            })
            .await?;
        match repeated {
            Some(organization) => Ok(Founded { organization, key: Secret::new("") }),
            None => Ok(Founded { organization: id, key: secret }),
        }
    }

    fn new_organization(&self, name: &str) -> Answer<Organization> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(Problem::new(
                Code::Invalid,
                "An organization needs a name of 1 to 100 characters.",
                "Give it a name.",
            )
            .at("name"));
        }
        Ok(Organization {
            id: OrganizationId::new(self.core.now(), self.core.entropy.number()),
            name: name.to_owned(),
            created: self.core.now(),
            paused: Pause::Running,
            grace: self.core.grace,
            posts_per_hour: self.core.posts_per_hour,
        })
    }

    fn new_key(&self, organization: OrganizationId, name: &str, reach: Reach) -> (Key, Secret) {
        let text = format!("{KEY_PREFIX}{}", letters(self.core.entropy.bytes::<40>()));
        let key = Key {
            id: KeyId::new(self.core.now(), self.core.entropy.number()),
            organization,
            name: name.to_owned(),
            scope: Scope::Admin,
            hash: hash(&text),
            created: self.core.now(),
            reach,
        };
        (key, Secret::new(text))
    }

    /// All for the instance's owner, otherwise one's own. Oldest first.
    pub fn organizations(&self, caller: &Caller, page: &Page) -> Answer<Listing<Organization>> {
        caller.may(Scope::Read)?;
        if caller.reach != Reach::Instance {
            let own = self.organization(caller, caller.organization)?;
            return Ok(Listing { items: vec![own], next: None });
        }
        let limit = page.limit();
        let found = self.core.store.organizations(page.after_id()?, limit + 1)?;
        Ok(listing(found, limit, |organization| organization.id.to_string()))
    }

    pub fn organization(&self, caller: &Caller, id: OrganizationId) -> Answer<Organization> {
        caller.may(Scope::Read)?;
        caller.may_reach(id)?;
        let found = self.core.store.organization(id).organization()?;
        found.ok_or_else(|| no_organization(id))
    }

    pub async fn edit_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
        edit: OrganizationEdit,
    ) -> Answer<Organization> {
        caller.may(Scope::Admin)?;
        caller.may_reach(id)?;
        if let Some(name) = &edit.name {
            self.new_organization(name)?;
        }
        if edit.posts_per_hour == Some(0) {
            return Err(Problem::new(
                Code::Invalid,
                "A pace of 0 posts an hour would never publish.",
                "Pause the organization instead.",
            )
            .at("posts_per_hour"));
        }
        self.core
            .commit_at_door("edit organization", move |view| {
                let mut organization = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                if let Some(name) = edit.name {
                    organization.name = name.trim().to_owned();
                }
                organization.grace = edit.grace.unwrap_or(organization.grace);
                organization.posts_per_hour =
                    edit.posts_per_hour.unwrap_or(organization.posts_per_hour);
                view.put_organization(&organization)?;
                Ok(organization)
            })
            .await
    }

    pub async fn pause_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        let now = self.core.now();
        self.set_pause(caller, id, Pause::Paused { since: now }).await
    }

    /// What became too late meanwhile is held as missed.
    pub async fn resume_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        caller.may(Scope::Publish)?;
        caller.may_reach(id)?;
        self.sweep_organization(id).await?;
        self.set_pause(caller, id, Pause::Running).await
    }

    async fn set_pause(
        &self,
        caller: &Caller,
        id: OrganizationId,
        pause: Pause,
    ) -> Answer<Organization> {
        caller.may(Scope::Publish)?;
        caller.may_reach(id)?;
        let (actor, now) = (caller.actor.clone(), self.core.now());
        let organization = self
            .core
            .commit_at_door("pause organization", move |view| {
                let mut organization = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                let (kind, text) = match (organization.paused, pause) {
                    (Pause::Running, Pause::Paused { .. }) => (
                        EventKind::OrganizationPaused,
                        "The organization is paused; nothing of it is published.",
                    ),
                    (Pause::Paused { .. }, Pause::Running) => {
                        (EventKind::OrganizationResumed, "The organization is resumed.")
                    }
                    (Pause::Running, Pause::Running)
                    | (Pause::Paused { .. }, Pause::Paused { .. }) => return Ok(organization),
                };
                organization.paused = pause;
                view.put_organization(&organization)?;
                journal::tell(view, Tale::of(id, now, &actor, kind, text))?;
                Ok(organization)
            })
            .await?;
        self.changed_in(id);
        self.wake_lanes(Some(id))?;
        Ok(organization)
    }

    /// The panic switch of the whole instance.
    pub async fn pause_everything(&self, caller: &Caller) -> Answer<()> {
        let now = self.core.now();
        self.set_everything(caller, Pause::Paused { since: now }).await
    }

    pub async fn resume_everything(&self, caller: &Caller) -> Answer<()> {
        may_switch_everything(caller)?;
        crate::engine::start::sweep_all(&self.core).await.map_err(Problem::from)?;
        self.set_everything(caller, Pause::Running).await
    }

    pub fn everything_paused(&self) -> bool {
        self.core.is_everything_paused()
    }

    async fn set_everything(&self, caller: &Caller, pause: Pause) -> Answer<()> {
        may_switch_everything(caller)?;
        let paused = pause != Pause::Running;
        let (home, actor, now) = (caller.organization, caller.actor.clone(), self.core.now());
        let core = self.core.clone();
        self.core
            .commit_at_door("pause everything", move |view| {
                view.put_pause(pause)?;
                // Inside the commit, so that two of these cannot end in disagreement.
                core.everything_paused.store(paused, std::sync::atomic::Ordering::SeqCst);
                let (kind, text) = if paused {
                    (EventKind::EverythingPaused, "Everything is paused.")
                } else {
                    (EventKind::EverythingResumed, "Everything is resumed.")
                };
                journal::tell(view, Tale::of(home, now, &actor, kind, text))?;
                Ok(())
            })
            .await?;
        if let Some(directory) = self.directory() {
            let _ = directory.cast(DirectoryMessage::Changed(None));
        }
        self.wake_lanes(None)
    }

    async fn sweep_organization(&self, id: OrganizationId) -> Answer<()> {
        for account in self.core.store.accounts(id, None, usize::MAX)? {
            self.sweep(&account).await?;
        }
        Ok(())
    }

    /// Those who sleep with something on their lane have to hear that they may go on.
    fn wake_lanes(&self, only: Option<OrganizationId>) -> Answer<()> {
        let homes = crate::engine::start::homes(&self.core, only).map_err(Problem::from)?;
        if let Some(directory) = self.directory() {
            let _ = directory.cast(DirectoryMessage::Wake(homes));
        }
        Ok(())
    }
}

fn may_switch_everything(caller: &Caller) -> Answer<()> {
    caller.may(Scope::Admin)?;
    if caller.reach == Reach::Instance {
        return Ok(());
    }
    Err(Problem::new(
        Code::Forbidden,
        "Only the instance's owner can pause or resume everything.",
        "Pause your organization instead.",
    ))
}

fn establish(
    view: &mut View,
    organization: &Organization,
    key: &Key,
    actor: &Actor,
) -> Result<(), Halt> {
    view.put_organization(organization)?;
    view.put_api_key(key)?;
    let (id, at) = (organization.id, organization.created);
    let text = format!("The organization {} was made.", organization.name);
    journal::tell(view, Tale::of(id, at, actor, EventKind::OrganizationCreated, text))?;
    let text = format!("The API key {} was made.", key.id);
    journal::tell(view, Tale::of(id, at, actor, EventKind::KeyCreated, text))?;
    Ok(())
}

fn no_organization(id: OrganizationId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no organization {id}."),
        "List the organizations to find its id.",
    )
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// 5 bits of each byte: 40 letters are 200 bits.
fn letters(bytes: [u8; 40]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}
