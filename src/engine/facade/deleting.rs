//! Deleting an organization, and taking that back while it can be.

use crate::{
    domain::{
        event::EventKind,
        ids::OrganizationId,
        organization::{Actor, Organization, Pause},
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        erasing,
        facade::{Caller, access::no_organization},
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{Read, View},
};

impl Engine {
    /// Pauses it at once and erases it after the grace of the settings. Arriving twice changes
    /// nothing the second time.
    pub async fn delete_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        caller.may(Verb::OrganizationsDelete)?;
        caller.may_reach(id)?;
        let (actor, home, now) = (caller.actor.clone(), caller.organization, self.core.now());
        let ends = now.after(self.core.deletion_grace);
        let organization = self
            .core
            .commit_at_door("delete organization", move |view| {
                let mut organization = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                if organization.ends.is_some() {
                    return Ok(organization);
                }
                if view.organizations(None, 1)?.first().is_some_and(|first| first.id == id) {
                    return Err(is_home().into());
                }
                organization.ends = Some(ends);
                if organization.paused == Pause::Running {
                    organization.paused = Pause::Paused { since: now };
                }
                view.put_organization(&organization)?;
                let kind = EventKind::OrganizationDeleted;
                let text = format!(
                    "The organization {id} was deleted. Nothing of it is published; until {ends} \
                     it can be restored, then all of it is erased."
                );
                tell(view, id, home, &actor, now, kind, &text)?;
                Ok(organization)
            })
            .await?;
        self.changed_in(id);
        Ok(organization)
    }

    /// It stays paused, so that nothing goes out before somebody has looked.
    pub async fn restore_organization(
        &self,
        caller: &Caller,
        id: OrganizationId,
    ) -> Answer<Organization> {
        caller.may(Verb::OrganizationsRestore)?;
        caller.may_reach(id)?;
        let (actor, home, now) = (caller.actor.clone(), caller.organization, self.core.now());
        self.core
            .commit_at_door("restore organization", move |view| {
                let mut organization = view.organization(id)?.ok_or_else(|| no_organization(id))?;
                if organization.ends.is_none() {
                    return Ok(organization);
                }
                if erasing::is_over(&organization, now) {
                    return Err(is_erased().into());
                }
                organization.ends = None;
                view.put_organization(&organization)?;
                let kind = EventKind::OrganizationRestored;
                let text = format!("The organization {id} was restored; it is still paused.");
                tell(view, id, home, &actor, now, kind, &text)?;
                Ok(organization)
            })
            .await
    }

    /// Nobody acts in an organization whose grace is over.
    pub(super) fn refuse_erased(&self, id: OrganizationId) -> Answer<()> {
        match Read::organization(&self.core.store, id)? {
            Some(organization) if erasing::is_over(&organization, self.core.now()) => {
                Err(is_erased())
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// In the organization itself, and where whoever did it is at home.
fn tell(
    view: &mut View,
    id: OrganizationId,
    home: OrganizationId,
    actor: &Actor,
    now: Timestamp,
    kind: EventKind,
    text: &str,
) -> Result<(), Halt> {
    journal::tell(view, Tale::of(id, now, actor, kind, text))?;
    if home != id {
        journal::tell(view, Tale::of(home, now, actor, kind, text))?;
    }
    Ok(())
}

fn is_home() -> Problem {
    Problem::new(
        Code::Conflict,
        "This is the instance's own organization, where its owner is at home.",
        "Pause it instead, or remove Fanfare and its data directory to be rid of everything.",
    )
}

fn is_erased() -> Problem {
    Problem::new(
        Code::Forbidden,
        "This organization was deleted, and its grace is over: it is being erased.",
        "Make a new one; nothing of this one comes back.",
    )
}
