//! Organizations: founded, made, changed, paused; and the panic switch of the whole instance.

use crate::{
    domain::{
        event::EventKind,
        ids::{MemberId, OrganizationId},
        organization::{Actor, Border, Key, Member, Organization, Pause, Reach, Role},
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        directory::DirectoryMessage,
        facade::{
            Caller, Founded, Founding, Listing, Once, OrganizationEdit, Page,
            access::no_organization, invitations, keys, listing, remembered,
        },
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{Read, ReadPeople, View},
};

impl Engine {
    /// Whether there is an organization yet.
    pub fn is_founded(&self) -> bool {
        self.core.store.organizations(None, 1).is_ok_and(|found| !found.is_empty())
    }

    /// The first organization, its owner, and an admin key of the instance. Refused when there is
    /// one already.
    pub async fn found(&self, founding: Founding) -> Answer<Founded> {
        let organization = self.new_organization(&founding.organization)?;
        let (key, secret) = self.first_key(organization.id, Reach::Instance);
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
        caller.may(Verb::OrganizationsCreate)?;
        let organization = self.new_organization(name)?;
        let (key, secret) = self.first_key(organization.id, Reach::Organization);
        let (id, home, actor) = (organization.id, caller.organization, caller.actor.clone());
        let now = self.core.now();
        let repeated = self
            .core
            .commit_at_door("create organization", move |view| {
                if let Some(made) = remembered::find(view, home, once.as_ref())? {
                    return Ok(made.parse::<OrganizationId>().ok());
                }
                establish(view, &organization, &key, &actor)?;
                // Who is logged in would not get into it otherwise.
                if let Actor::Member(id) = actor
                    && let Some(person) = view.person(id)?
                {
                    invitations::enter(view, &person, organization.id, Role::Owner, now)?;
                }
                remembered::note(view, home, once.as_ref(), id.to_string(), now)?;
                Ok(None)
            })
            .await?;
        match repeated {
            Some(organization) => Ok(Founded { organization, key: Secret::new("") }),
            None => Ok(Founded { organization: id, key: secret }),
        }
    }

    pub(super) fn new_organization(&self, name: &str) -> Answer<Organization> {
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
            ends: None,
        })
    }

    /// All for the instance's owner, otherwise one's own. Oldest first.
    pub fn organizations(&self, caller: &Caller, page: &Page) -> Answer<Listing<Organization>> {
        caller.may(Verb::OrganizationsList)?;
        if caller.reach.border() < Border::Instance {
            let own = self.organization(caller, caller.organization)?;
            return Ok(Listing { items: vec![own], next: None });
        }
        let limit = page.limit();
        let found = self.core.store.organizations(page.after_id()?, limit + 1)?;
        Ok(listing(found, limit, |organization| organization.id.to_string()))
    }

    pub fn organization(&self, caller: &Caller, id: OrganizationId) -> Answer<Organization> {
        caller.may(Verb::OrganizationsShow)?;
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
        caller.may(Verb::OrganizationsEdit)?;
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
        let (actor, now) = (caller.actor.clone(), self.core.now());
        self.core
            .commit_at_door("edit organization", move |view| {
                let before = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                let mut organization = before.clone();
                if let Some(name) = edit.name {
                    organization.name = name.trim().to_owned();
                }
                organization.grace = edit.grace.unwrap_or(organization.grace);
                organization.posts_per_hour =
                    edit.posts_per_hour.unwrap_or(organization.posts_per_hour);
                if organization != before {
                    view.put_organization(&organization)?;
                    let kind = EventKind::OrganizationChanged;
                    let text = difference(&before, &organization);
                    journal::tell(view, Tale::of(id, now, &actor, kind, text))?;
                }
                Ok(organization)
            })
            .await
    }

    pub async fn pause_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        caller.may(Verb::OrganizationsPause)?;
        let now = self.core.now();
        self.set_pause(caller, id, Pause::Paused { since: now }).await
    }

    /// What became too late meanwhile is held as missed.
    pub async fn resume_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        caller.may(Verb::OrganizationsResume)?;
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
        caller.may_reach(id)?;
        let (actor, now) = (caller.actor.clone(), self.core.now());
        let organization = self
            .core
            .commit_at_door("pause organization", move |view| {
                let mut organization = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                if organization.ends.is_some() && pause == Pause::Running {
                    return Err(is_deleted().into());
                }
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
        caller.may(Verb::EverythingPause)?;
        let now = self.core.now();
        self.set_everything(caller, Pause::Paused { since: now }).await
    }

    pub async fn resume_everything(&self, caller: &Caller) -> Answer<()> {
        caller.may(Verb::EverythingResume)?;
        crate::engine::start::sweep_all(&self.core).await.map_err(Problem::from)?;
        self.set_everything(caller, Pause::Running).await
    }

    pub fn everything_paused(&self) -> bool {
        self.core.is_everything_paused()
    }

    async fn set_everything(&self, caller: &Caller, pause: Pause) -> Answer<()> {
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

/// What an edit changed, for people.
fn difference(before: &Organization, after: &Organization) -> String {
    let mut changes = Vec::new();
    if before.name != after.name {
        changes.push(format!("it is called {}", after.name));
    }
    if before.grace != after.grace {
        changes.push(format!("a delivery is too late after {} s", after.grace.as_secs()));
    }
    if before.posts_per_hour != after.posts_per_hour {
        changes.push(format!("its accounts publish {} an hour", after.posts_per_hour));
    }
    format!("The organization was changed: {}.", changes.join("; "))
}

fn is_deleted() -> Problem {
    Problem::new(
        Code::WrongState,
        "This organization was deleted and waits to be erased.",
        "Restore it first; then resume it.",
    )
}

fn establish(
    view: &mut View,
    organization: &Organization,
    key: &Key,
    actor: &Actor,
) -> Result<(), Halt> {
    view.put_organization(organization)?;
    let (id, at) = (organization.id, organization.created);
    let text = format!("The organization {} was made.", organization.name);
    journal::tell(view, Tale::of(id, at, actor, EventKind::OrganizationCreated, text))?;
    keys::establish(view, key, actor, at)?;
    Ok(())
}
