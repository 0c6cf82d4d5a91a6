//! Links by which somebody becomes a member.
//!
//! Invariants:
//! - a link works once, for some days, and not after it was revoked;
//! - what it says of itself is told to whoever holds it, and to nobody else;
//! - who has an account here already proves that it is theirs.

use std::time::Duration;

use crate::{
    domain::{
        event::EventKind,
        ids::{InvitationId, MemberId, OrganizationId},
        organization::Role,
        person::{Invitation, Person, Proof, TwoFactor, folded, is_email},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        facade::{
            Caller, Listing, Login, Once, Page, Seat, Visitor, hash, listing, members, remembered,
            sessions, tickets,
        },
        journal::{self, Tale},
    },
    policy::permission::Verb,
    store::{ReadPeople, View},
};

const LASTS: Duration = Duration::from_secs(7 * 24 * 3_600);
const LASTS_MAX: Duration = Duration::from_secs(30 * 24 * 3_600);

/// Of one organization, open at a time.
const OPEN_MAX: usize = 1_000;

const NAME_CHARS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub role: Role,
    /// Empty: for any address.
    pub email: String,
    /// `None`: a week.
    pub expires: Option<Timestamp>,
}

/// What somebody who accepts gives.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// Of who has an account already, that account's; empty where the invitation names one.
    pub email: String,
    /// Not asked of who has an account already.
    pub name: String,
    pub password: Secret,
    /// Of the second factor, for an account that has one.
    pub code: Option<String>,
}

/// What an invitation offers.
#[derive(Clone, Debug)]
pub struct Offered {
    pub organization: String,
    pub role: Role,
    pub email: String,
}

impl Engine {
    /// The invitation, and the link that accepts it: shown here and never again. With `once`, a
    /// repetition makes nothing and answers without the link.
    pub async fn invite(
        &self,
        caller: &Caller,
        new: NewInvitation,
        once: Option<Once>,
    ) -> Answer<(Invitation, Option<Secret>)> {
        caller.may(Verb::InvitationsCreate)?;
        self.refuse_when_stopping()?;
        members::may_give(caller.grant(), new.role)?;
        let (organization, now) = (caller.organization, self.core.now());
        let until = check(&new, now)?;
        let id = InvitationId::new(now, self.core.entropy.number());
        let token = tickets::ticket([organization.0, id.0], &self.core.entropy);
        let link = format!("{}/invitations/{}", self.core.public_url, token.expose());
        let invitation = Invitation {
            id,
            organization,
            role: new.role,
            email: new.email.trim().to_owned(),
            proof: Proof { hash: hash(token.expose()), until },
            by: caller.actor.clone(),
            created: now,
        };
        let made = self
            .core
            .commit_at_door("invite", move |view| {
                if let Some(made) = remembered::find(view, organization, once.as_ref())? {
                    return Ok(Err(made));
                }
                write(view, &invitation, now)?;
                remembered::note(view, organization, once.as_ref(), id.to_string(), now)?;
                Ok(Ok(invitation))
            })
            .await?;
        match made {
            Ok(invitation) => Ok((invitation, Some(Secret::new(link)))),
            Err(made) => {
                let known = made.parse().ok();
                let known = known.map(|id| self.core.store.invitation(organization, id));
                let known = known.transpose()?.flatten().ok_or_else(|| {
                    Problem::new(
                        Code::Conflict,
                        "The invitation that this request made is over.",
                        "Use a new Idempotency-Key to make another.",
                    )
                })?;
                Ok((known, None))
            }
        }
    }

    /// Those that can still be accepted, oldest first.
    pub fn invitations(&self, caller: &Caller, page: &Page) -> Answer<Listing<Invitation>> {
        caller.may(Verb::InvitationsList)?;
        let (after, limit, now) = (page.after_id::<InvitationId>()?, page.limit(), self.core.now());
        let mut open = self.core.store.invitations(caller.organization)?;
        open.retain(|it| it.proof.until > now && after.is_none_or(|after| it.id > after));
        open.truncate(limit + 1);
        Ok(listing(open, limit, |invitation| invitation.id.to_string()))
    }

    pub async fn revoke_invitation(&self, caller: &Caller, id: InvitationId) -> Answer<()> {
        caller.may(Verb::InvitationsRevoke)?;
        let (organization, actor, now) =
            (caller.organization, caller.actor.clone(), self.core.now());
        self.core
            .commit_at_door("revoke invitation", move |view| {
                let found = view.invitation(organization, id)?.ok_or_else(|| {
                    Problem::new(
                        Code::NotFound,
                        format!("There is no invitation {id}."),
                        "List the invitations; one that was accepted or revoked is gone.",
                    )
                })?;
                view.delete_invitation(&found)?;
                let text = format!("The invitation {id} was revoked.");
                let kind = EventKind::InvitationRevoked;
                journal::tell(view, Tale::of(organization, now, &actor, kind, text))?;
                Ok(())
            })
            .await
    }

    /// What the link of this token offers.
    pub fn offered(&self, token: &str) -> Answer<Offered> {
        let invitation = open(&self.core.store, token, self.core.now())?;
        let organization = self
            .core
            .store
            .organization(invitation.organization)
            .organization()?
            .ok_or_else(over)?;
        let Invitation { role, email, .. } = invitation;
        Ok(Offered { organization: organization.name, role, email })
    }

    /// Makes a person, or takes the one who proves that the address is theirs, and logs them in.
    pub async fn accept_invitation(
        &self,
        token: &str,
        acceptance: Acceptance,
        visitor: Visitor,
    ) -> Answer<Seat> {
        let invitation = open(&self.core.store, token, self.core.now())?;
        let email = chosen_email(&invitation, &acceptance.email)?;
        let joining = self.joining(&email, &acceptance, &visitor).await?;
        let (session, cookie) = self.new_session(joining.person().id, &visitor);
        let (token, now, begun) = (token.to_owned(), self.core.now(), session.clone());
        let person = self
            .core
            .commit_at_door("accept invitation", move |view| {
                let invitation = open(view, &token, now)?;
                let person = match joining {
                    Joining::New(person) => {
                        refuse_taken(view, &person.email)?;
                        person
                    }
                    Joining::Known(person) => {
                        sessions::admit(view, &person, acceptance.code.as_deref(), now)?
                    }
                };
                accept(view, &invitation, &person, now)?;
                sessions::begin(view, &person, &begun, visitor.cookie.as_ref())?;
                Ok(person)
            })
            .await?;
        self.core.throttle.forgive(hash(&folded(&email)));
        Ok(self.seated(person, session, Some(cookie)))
    }

    async fn joining(
        &self,
        email: &str,
        acceptance: &Acceptance,
        visitor: &Visitor,
    ) -> Answer<Joining> {
        let Acceptance { name, password, code, .. } = acceptance;
        if self.core.store.person_with_email(email)?.is_some() {
            let login =
                Login { email: email.to_owned(), password: password.clone(), code: code.clone() };
            return Ok(Joining::Known(self.prove(&login, visitor.from).await?));
        }
        self.refuse_when_stopping()?;
        // Each costs a computation of its own.
        self.core.throttle.admit(hash(&folded(email)), visitor.from, self.core.now())?;
        let kept = self.new_password(check_name(name)?, email, password).await?;
        Ok(Joining::New(self.new_person(name, email, Some(kept))))
    }

    pub(super) fn new_person(&self, name: &str, email: &str, password: Option<Secret>) -> Person {
        let now = self.core.now();
        Person {
            id: MemberId::new(now, self.core.entropy.number()),
            name: name.trim().to_owned(),
            email: email.trim().to_owned(),
            password,
            two_factor: TwoFactor::Off,
            recovery: Vec::new(),
            subject: None,
            reset: None,
            created: now,
            disabled: None,
        }
    }
}

enum Joining {
    New(Person),
    Known(Person),
}

impl Joining {
    fn person(&self) -> &Person {
        match self {
            Joining::New(person) | Joining::Known(person) => person,
        }
    }
}

fn write(view: &mut View, invitation: &Invitation, now: Timestamp) -> Result<(), Halt> {
    let organization = invitation.organization;
    let open = view.invitations(organization)?;
    if open.iter().filter(|known| known.proof.until > now).count() >= OPEN_MAX {
        return Err(Problem::new(
            Code::Conflict,
            format!("{OPEN_MAX} invitations are open, which is the most."),
            "Revoke those that nobody will accept.",
        )
        .into());
    }
    view.put_invitation(invitation)?;
    // Not for whom: an address is nobody else's business.
    let text = format!("Somebody was invited as {}.", invitation.role.name());
    let kind = EventKind::InvitationCreated;
    journal::tell(view, Tale::of(organization, now, &invitation.by, kind, text))?;
    Ok(())
}

/// Uses the invitation up.
pub(super) fn accept(
    view: &mut View,
    invitation: &Invitation,
    person: &Person,
    now: Timestamp,
) -> Result<(), Halt> {
    view.delete_invitation(invitation)?;
    enter(view, person, invitation.organization, invitation.role, now)
}

/// Somebody becomes a member, and it is told.
pub(super) fn enter(
    view: &mut View,
    person: &Person,
    organization: OrganizationId,
    role: Role,
    now: Timestamp,
) -> Result<(), Halt> {
    members::join(view, person, organization, role, now)?;
    // They may do more than before.
    sessions::renew_all(view, person.id)?;
    let text = format!("{} joined as {}.", person.name, role.name());
    let actor = crate::domain::organization::Actor::Member(person.id);
    journal::tell(view, Tale::of(organization, now, &actor, EventKind::MemberJoined, text))?;
    Ok(())
}

fn open(read: &impl ReadPeople, token: &str, now: Timestamp) -> Answer<Invitation> {
    let Some([organization, id]) = tickets::read(token) else { return Err(over()) };
    let found = read.invitation(OrganizationId(organization), InvitationId(id))?;
    let fits = |it: &Invitation| it.proof.hash == hash(token) && it.proof.until > now;
    found.filter(fits).ok_or_else(over)
}

fn over() -> Problem {
    Problem::new(
        Code::LinkExpired,
        "This invitation was accepted or revoked, or it is too old.",
        "Ask who invited you for another one.",
    )
}

fn chosen_email(invitation: &Invitation, given: &str) -> Answer<String> {
    let email = if given.trim().is_empty() { &invitation.email } else { given };
    let is_theirs = invitation.email.is_empty() || folded(&invitation.email) == folded(email);
    if !is_theirs {
        return Err(Problem::new(
            Code::Invalid,
            "This invitation is for another address.",
            "Leave the address out, or ask for an invitation for this one.",
        )
        .at("email"));
    }
    check_email(email).map(str::to_owned)
}

pub(super) fn check_email(email: &str) -> Answer<&str> {
    let email = email.trim();
    if is_email(email) {
        return Ok(email);
    }
    let remedy = "Write one such as `ada@example.org`.";
    Err(Problem::new(Code::Invalid, "This is not an email address.", remedy).at("email"))
}

pub(super) fn check_name(name: &str) -> Answer<&str> {
    let name = name.trim();
    // Terminals would obey what is no letter.
    let is_plain = !name.chars().any(char::is_control);
    if is_plain && (1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
        return Ok(name);
    }
    let sentence = format!("A person needs a name of 1 to {NAME_CHARS_MAX} letters.");
    Err(Problem::new(Code::Invalid, sentence, "Write how others shall call you.").at("name"))
}

pub(super) fn refuse_taken(view: &View, email: &str) -> Result<(), Halt> {
    if view.person_with_email(email)?.is_none() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Conflict,
        "Somebody with this address has an account here.",
        "Use that account's password, or another address.",
    )
    .at("email")
    .into())
}

fn check(new: &NewInvitation, now: Timestamp) -> Answer<Timestamp> {
    if !new.email.trim().is_empty() {
        check_email(&new.email)?;
    }
    let until = new.expires.unwrap_or_else(|| now.after(LASTS));
    if until <= now || now.elapsed(until) > LASTS_MAX {
        return Err(Problem::new(
            Code::Invalid,
            format!("The invitation would expire at {until}; it is {now}."),
            "Choose a time within the next thirty days, or leave `expires` out for a week.",
        )
        .at("expires"));
    }
    Ok(until)
}
