//! Who is in an organization, and what they are there.
//!
//! Invariants:
//! - nobody gives more than they have, and nobody touches who has more than they;
//! - somebody who can log in stays an admin of each organization that had one, and somebody an
//!   owner of the instance.

use crate::{
    domain::{
        event::EventKind,
        ids::{MemberId, OrganizationId},
        organization::{Actor, Border, Member, Role},
        person::{Person, TwoFactor},
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        facade::{Caller, Listing, Page, listing, sessions},
        journal::{self, Tale},
    },
    policy::permission::{self, Grant, Verb},
    store::{Read, ReadPeople, View},
};

/// A member as others see them.
#[derive(Clone, Debug)]
pub struct Membership {
    pub member: Member,
    /// Whether they have a way in, and may use it.
    pub can_log_in: bool,
    pub disabled: bool,
    pub two_factor: bool,
}

/// What is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberEdit {
    pub role: Option<Role>,
    /// Of the person, in all organizations.
    pub disabled: Option<bool>,
}

impl Engine {
    /// Oldest first.
    pub fn members(&self, caller: &Caller, page: &Page) -> Answer<Listing<Membership>> {
        caller.may(Verb::MembersList)?;
        let (after, limit) = (page.after_id::<MemberId>()?, page.limit());
        let all = self.core.store.organization(caller.organization).members()?;
        let later = all.into_iter().filter(|member| after.is_none_or(|after| member.id > after));
        let shown: Answer<Vec<Membership>> =
            later.take(limit + 1).map(|member| self.shown(member)).collect();
        Ok(listing(shown?, limit, |shown| shown.member.id.to_string()))
    }

    pub fn member(&self, caller: &Caller, id: MemberId) -> Answer<Membership> {
        caller.may(Verb::MembersShow)?;
        let found = self.core.store.organization(caller.organization).member(id)?;
        self.shown(found.ok_or_else(|| no_member(id))?)
    }

    fn shown(&self, member: Member) -> Answer<Membership> {
        let person = self.core.store.person(member.id)?;
        let is = |what: fn(&Person) -> bool| person.as_ref().is_some_and(what);
        Ok(Membership {
            can_log_in: is(Person::can_log_in),
            disabled: is(|person| person.disabled.is_some()),
            two_factor: is(|person| matches!(person.two_factor, TwoFactor::On { .. })),
            member,
        })
    }

    /// From the answer on they may what the new role allows; their browsers are given new secrets.
    pub async fn edit_member(
        &self,
        caller: &Caller,
        id: MemberId,
        edit: MemberEdit,
    ) -> Answer<Membership> {
        caller.may(Verb::MembersEdit)?;
        if edit.disabled.is_some() && caller.reach.border() < Border::Instance {
            return Err(Problem::new(
                Code::Forbidden,
                "A person may be in several organizations, so only the instance's owner disables \
                 one.",
                "Remove them from your organization instead.",
            )
            .at("disabled"));
        }
        let (caller, now) = (caller.clone(), self.core.now());
        let member = self
            .core
            .commit_at_door("edit member", move |view| {
                let mut member = found(view, &caller, id)?;
                if let Some(role) = edit.role.filter(|role| *role != member.role) {
                    may_give(caller.grant(), role)?;
                    somebody_remains(view, &member, Some(role))?;
                    let (name, before) = (&member.name, member.role.name());
                    let text = format!("{name} is {}; they were {before}.", role.name());
                    member.role = role;
                    view.put_member(&member)?;
                    withdraw_invitations(view, &member, Some(role))?;
                    sessions::renew_all(view, id)?;
                    let kind = EventKind::MemberChanged;
                    let tale = Tale::of(caller.organization, now, &caller.actor, kind, text);
                    journal::tell(view, tale)?;
                }
                if let Some(disabled) = edit.disabled {
                    set_disabled(view, &caller, id, disabled, now)?;
                }
                Ok(member)
            })
            .await?;
        self.shown(member)
    }

    /// Who is in no organization any more is forgotten, with their password and sessions.
    pub async fn remove_member(&self, caller: &Caller, id: MemberId) -> Answer<()> {
        caller.may(Verb::MembersRemove)?;
        let (caller, now) = (caller.clone(), self.core.now());
        self.core
            .commit_at_door("remove member", move |view| {
                let member = found(view, &caller, id)?;
                somebody_remains(view, &member, None)?;
                view.delete_member(member.organization, id)?;
                withdraw_invitations(view, &member, None)?;
                sessions::renew_all(view, id)?;
                if let Some(person) = view.person(id)?
                    && view.memberships(id)?.is_empty()
                {
                    view.delete_person(&person)?;
                }
                let text = format!("{} was removed from the organization.", member.name);
                let kind = EventKind::MemberRemoved;
                journal::tell(view, Tale::of(caller.organization, now, &caller.actor, kind, text))?;
                Ok(())
            })
            .await
    }
}

fn found(view: &View, caller: &Caller, id: MemberId) -> Result<Member, Halt> {
    let member = view.member(caller.organization, id)?.ok_or_else(|| no_member(id))?;
    match exceeds(caller.grant(), member.role) {
        false => Ok(member),
        true => Err(Problem::new(
            Code::Forbidden,
            format!("{} may do more here than you.", member.name),
            "Ask the instance's owner.",
        )
        .into()),
    }
}

/// Refuses a role that allows more than `grant`.
pub(super) fn may_give(grant: Grant, role: Role) -> Answer<()> {
    match exceeds(grant, role) {
        false => Ok(()),
        true => Err(Problem::new(
            Code::Forbidden,
            format!("You cannot make somebody {}: that is more than you are.", role.name()),
            "Ask the instance's owner.",
        )
        .at("role")),
    }
}

fn exceeds(grant: Grant, role: Role) -> bool {
    permission::of_role(role)
        .is_some_and(|given| given.scope > grant.scope || given.border > grant.border)
}

fn set_disabled(
    view: &mut View,
    caller: &Caller,
    id: MemberId,
    disabled: bool,
    now: Timestamp,
) -> Result<(), Halt> {
    let mut person = view.person(id)?.ok_or_else(|| {
        Problem::new(
            Code::WrongState,
            "This member has never logged in and cannot.",
            "Remove them instead.",
        )
    })?;
    if person.disabled.is_some() == disabled {
        return Ok(());
    }
    let text = match disabled {
        true => format!("{} cannot log in any more.", person.name),
        false => format!("{} may log in again.", person.name),
    };
    if disabled {
        for member in view.memberships(id)? {
            somebody_remains(view, &member, None)?;
        }
        sessions::end_sessions(view, id, None)?;
    }
    person.disabled = disabled.then_some(now);
    view.put_person(&person)?;
    sessions::tell_by(view, id, &caller.actor, now, EventKind::MemberChanged, &text)
}

/// Those that they have made and could make no more, or they would come back by one. `after`: what
/// they will be; `None` when they go.
fn withdraw_invitations(view: &mut View, by: &Member, after: Option<Role>) -> Result<(), Halt> {
    let grant = after.and_then(permission::of_role);
    for invitation in view.invitations(by.organization)? {
        let may_stand = grant.is_some_and(|grant| !exceeds(grant, invitation.role));
        if invitation.by == Actor::Member(by.id) && !may_stand {
            view.delete_invitation(&invitation)?;
        }
    }
    Ok(())
}

/// `after`: what they will be; `None` when they go.
fn somebody_remains(view: &View, member: &Member, after: Option<Role>) -> Result<(), Halt> {
    let rules = |role: Role| matches!(role, Role::Owner | Role::Admin);
    let lasts = |owes: fn(Role) -> bool| after.is_some_and(owes);
    if member.role == Role::Owner && !lasts(|role| role == Role::Owner) {
        let mut owners = Vec::new();
        for other in view.all_members()? {
            // Who is in nothing but an organization that is deleted goes with it.
            let lasts = view.organization(other.organization)?.is_some_and(|it| it.ends.is_none());
            if other.role == Role::Owner && lasts {
                owners.push(other);
            }
        }
        if !anybody_else(view, member, owners.into_iter())? {
            return Err(last("owner of the instance"));
        }
    }
    if rules(member.role) && !lasts(|role| matches!(role, Role::Owner | Role::Admin)) {
        let admins = view.members(member.organization)?.into_iter();
        if !anybody_else(view, member, admins.filter(|other| rules(other.role)))? {
            return Err(last("admin of the organization"));
        }
    }
    Ok(())
}

fn anybody_else(
    view: &View,
    member: &Member,
    mut others: impl Iterator<Item = Member>,
) -> Result<bool, Halt> {
    others
        .try_fold(false, |found, other| {
            let person = if other.id == member.id { None } else { view.person(other.id)? };
            Ok(found || person.is_some_and(|person| person.can_log_in()))
        })
        .map_err(|error: crate::store::Error| error.into())
}

fn last(what: &str) -> Halt {
    Problem::new(
        Code::Conflict,
        format!("Nobody else who can log in is {what}."),
        "Make somebody else one first.",
    )
    .into()
}

pub(super) fn no_member(id: MemberId) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("There is no member {id}."),
        "List the members to find their id.",
    )
}

/// Somebody joins: their person is there already, or is written with this.
pub(super) fn join(
    view: &mut View,
    person: &Person,
    organization: OrganizationId,
    role: Role,
    now: Timestamp,
) -> Result<(), Halt> {
    if view.member(organization, person.id)?.is_some() {
        return Err(Problem::new(
            Code::Conflict,
            "You are a member of this organization already.",
            "Log in.",
        )
        .into());
    }
    let (name, email) = (person.name.clone(), person.email.clone());
    let member = Member { id: person.id, organization, name, email, role, created: now };
    view.put_person(person)?;
    view.put_member(&member)?;
    Ok(())
}
