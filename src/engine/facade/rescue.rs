//! Ways in for when there is none: the first person, and who has lost their password.
//!
//! Invariants:
//! - both links work once, for an hour;
//! - the first person is set up only while nobody can log in; afterwards there are invitations
//!   alone.

use std::{sync::PoisonError, time::Duration};

use crate::{
    domain::{
        event::EventKind,
        ids::MemberId,
        organization::{Actor, Member, Organization, Role},
        person::{Person, Proof, folded},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        facade::{
            Caller, Seat, Visitor, credentials, hash,
            invitations::{check_email, check_name, enter},
            members, sessions, tickets,
        },
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{Read, ReadPeople, View},
};

const LASTS: Duration = Duration::from_secs(3_600);

/// The first person.
#[derive(Clone, Debug)]
pub struct SettingUp {
    /// Of the organization that is founded if there is none.
    pub organization: String,
    pub name: String,
    pub email: String,
    pub password: Secret,
}

impl Engine {
    /// A link that makes the first person; it replaces the one before. `None` if somebody can log
    /// in. Kept in memory alone, so that it ends with the process.
    pub fn open_setup(&self) -> Answer<Option<Secret>> {
        if anybody_can_log_in(&self.core.store)? {
            return Ok(None);
        }
        let token = tickets::ticket::<0>([], &self.core.entropy);
        let until = self.core.now().after(LASTS);
        let proof = Proof { hash: hash(token.expose()), until };
        *self.core.setup.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
        Ok(Some(Secret::new(format!("{}/setup/{}", self.core.public_url, token.expose()))))
    }

    /// Whether a token still opens the set-up.
    pub fn check_setup(&self, token: &str) -> Answer<()> {
        let open = *self.core.setup.lock().unwrap_or_else(PoisonError::into_inner);
        let (hash, now) = (hash(token), self.core.now());
        let fits = open.is_some_and(|open| open.hash == hash && open.until > now);
        if !fits || anybody_can_log_in(&self.core.store)? {
            return Err(setup_over());
        }
        Ok(())
    }

    /// An owner of the instance, logged in. They take the place of the owner whom `fanfare init`
    /// noted, and found the organization if there is none.
    pub async fn set_up(&self, token: &str, new: SettingUp, visitor: Visitor) -> Answer<Seat> {
        self.refuse_when_stopping()?;
        self.check_setup(token)?;
        let (name, email) = (check_name(&new.name)?, check_email(&new.email)?);
        let organization = self.new_organization(&new.organization)?;
        let kept = self.new_password(name, email, &new.password).await?;
        let person = self.new_person(name, email, Some(kept));
        let (mut session, _) = self.new_session(person.id, &visitor);
        let (core, now) = (self.core.clone(), self.core.now());
        let (person, session, cookie) = self
            .core
            .commit_at_door("set up", move |view| {
                // Of two that come at once, one is first.
                if anybody_can_log_in(view)? {
                    return Err(setup_over().into());
                }
                let person = first_person(view, person, &organization, now)?;
                let cookie = tickets::ticket([person.id.0, session.id.0], &core.entropy);
                session.person = person.id;
                session.hash = hash(cookie.expose());
                sessions::begin(view, &person, &session, visitor.cookie.as_ref())?;
                Ok((person, session, cookie))
            })
            .await?;
        *self.core.setup.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(self.seated(person, session, Some(cookie)))
    }

    /// A link by which a member sets a new password; it replaces the one before.
    pub async fn reset_member(&self, caller: &Caller, id: MemberId) -> Answer<(Secret, Timestamp)> {
        caller.may(Verb::MembersReset)?;
        let (caller, now) = (caller.clone(), self.core.now());
        let token = tickets::ticket([id.0], &self.core.entropy);
        let until = now.after(LASTS);
        let proof = Proof { hash: hash(token.expose()), until };
        self.core
            .commit_at_door("reset member", move |view| {
                let member = view.member(caller.organization, id)?;
                let member = member.ok_or_else(|| members::no_member(id))?;
                let mut person = view.person(id)?.ok_or_else(|| {
                    Problem::new(
                        Code::WrongState,
                        format!(
                            "{} has no account yet, so there is nothing to reset.",
                            member.name
                        ),
                        "Start `fanfare serve` and use the link for setting up that it prints, or \
                         invite them.",
                    )
                })?;
                person.reset = Some(proof);
                view.put_person(&person)?;
                let text = format!("{} was given a link to set a new password.", person.name);
                let kind = EventKind::MemberReset;
                sessions::tell_by(view, id, &caller.actor, now, kind, &text)
            })
            .await?;
        let link = format!("{}/reset/{}", self.core.public_url, token.expose());
        Ok((Secret::new(link), until))
    }

    /// Whose password a token resets.
    pub fn check_reset(&self, token: &str) -> Answer<Person> {
        resettable(&self.core.store, token, self.core.now())
    }

    /// Sets the password, drops the second factor and ends all sessions. Whoever holds the link
    /// proves nothing else, so they are not logged in by it.
    pub async fn reset(&self, token: &str, password: &Secret) -> Answer<()> {
        self.refuse_when_stopping()?;
        let now = self.core.now();
        let person = self.check_reset(token)?;
        let kept = self.new_password(&person.name, &person.email, password).await?;
        let token = token.to_owned();
        self.core
            .commit_at_door("reset", move |view| {
                let mut person = resettable(view, &token, now)?;
                credentials::drop_two_factor(view, &mut person)?;
                person.password = Some(kept);
                person.reset = None;
                sessions::end_sessions(view, person.id, None)?;
                view.put_person(&person)?;
                let text = format!("{} set a new password by a link.", person.name);
                sessions::tell(view, &person, now, EventKind::PasswordChanged, &text)
            })
            .await?;
        self.core.throttle.forgive(hash(&folded(&person.email)));
        Ok(())
    }
}

fn anybody_can_log_in(read: &impl ReadPeople) -> Answer<bool> {
    Ok(read.people()?.iter().any(Person::can_log_in))
}

fn first_person(
    view: &mut View,
    mut person: Person,
    organization: &Organization,
    now: Timestamp,
) -> Result<Person, Halt> {
    // An account that cannot be used is in nobody's way.
    if let Some(mut known) = view.person_with_email(&person.email)? {
        let Person { name, password, .. } = person;
        known = Person { name, password, disabled: None, reset: None, ..known };
        credentials::drop_two_factor(view, &mut known)?;
        person = known;
    }
    let home = match view.organizations(None, 1)?.pop() {
        Some(first) => first.id,
        None => {
            view.put_organization(organization)?;
            let text = format!("The organization {} was made.", organization.name);
            let (id, kind) = (organization.id, EventKind::OrganizationCreated);
            journal::tell(view, Tale::of(id, now, &Actor::Operator, kind, text))?;
            organization.id
        }
    };
    let mut noted = None;
    for member in view.members(home)? {
        if member.role == Role::Owner && view.person(member.id)?.is_none() {
            noted = noted.or(Some(member));
        }
    }
    if let Some(noted) = noted.filter(|_| view.person(person.id).is_ok_and(|it| it.is_none())) {
        person.id = noted.id;
        let (name, email) = (person.name.clone(), person.email.clone());
        view.put_person(&person)?;
        view.put_member(&Member { name, email, ..noted })?;
        let text = format!("{} set up their account.", person.name);
        let kind = EventKind::MemberJoined;
        journal::tell(view, Tale::of(home, now, &Actor::Member(person.id), kind, text))?;
        return Ok(person);
    }
    match view.member(home, person.id)? {
        Some(member) => {
            let (name, role) = (person.name.clone(), Role::Owner);
            view.put_person(&person)?;
            view.put_member(&Member { name, role, ..member })?;
        }
        None => enter(view, &person, home, Role::Owner, now)?,
    }
    Ok(person)
}

fn resettable(read: &impl ReadPeople, token: &str, now: Timestamp) -> Answer<Person> {
    let over = || {
        Problem::new(
            Code::LinkExpired,
            "This link was used or replaced, or it is older than an hour.",
            "Ask whoever runs this instance for another one.",
        )
    };
    let Some([id]) = tickets::read(token) else { return Err(over()) };
    let hash = hash(token);
    let fits = |reset: Proof| reset.hash == hash && reset.until > now;
    let person = read.person(MemberId(id))?;
    person.filter(|person| person.reset.is_some_and(fits)).ok_or_else(over)
}

fn setup_over() -> Problem {
    Problem::new(
        Code::LinkExpired,
        "This link was used, or it is older than an hour or than the running process.",
        "Start Fanfare again for another one; if somebody can log in already, ask them to invite \
         you.",
    )
}
