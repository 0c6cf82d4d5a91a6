//! Reading and writing people, their memberships, sessions and invitations.
//!
//! Invariants:
//! - an address, and a name at a provider, leads to one person at most;
//! - a membership's row is written and deleted together with its member.

use crate::{
    domain::{
        ids::{InvitationId, MemberId, OrganizationId, SessionId},
        organization::Member,
        person::{Invitation, Person, Session, Subject, folded},
    },
    store::{
        error::Error,
        keys::{INSTANCE, Key, Owner, Span, Table},
        kv::Order,
        read::{Read, record, records},
        records::{decode, encode},
        view::View,
    },
};

/// Whoever can read records can read these.
pub trait ReadPeople: Read {
    fn person(&self, id: MemberId) -> Result<Option<Person>, Error> {
        record(self, &Key::Person(id))
    }

    /// However the address is written.
    fn person_with_email(&self, email: &str) -> Result<Option<Person>, Error> {
        by_name(self, email_name(email))
    }

    fn person_with_subject(&self, subject: &Subject) -> Result<Option<Person>, Error> {
        by_name(self, subject_name(subject))
    }

    fn people(&self) -> Result<Vec<Person>, Error> {
        records(self, &Span::table(Table::People), Order::Ascending, usize::MAX)
    }

    /// What this person is, in each organization; the oldest organization first.
    fn memberships(&self, person: MemberId) -> Result<Vec<Member>, Error> {
        let span = Span::person(Table::Memberships, person);
        let mut found = Vec::new();
        for (key, _) in self.scan(&span, Order::Ascending, usize::MAX)? {
            if let Key::Membership(person, organization) = key {
                found.extend(self.member(organization, person)?);
            }
        }
        Ok(found)
    }

    /// Of the whole instance.
    fn all_members(&self) -> Result<Vec<Member>, Error> {
        records(self, &Span::table(Table::Members), Order::Ascending, usize::MAX)
    }

    fn session(&self, person: MemberId, id: SessionId) -> Result<Option<Session>, Error> {
        record(self, &Key::Session(person, id))
    }

    /// Oldest first, those that are over included.
    fn sessions(&self, person: MemberId) -> Result<Vec<Session>, Error> {
        let span = Span::person(Table::Sessions, person);
        records(self, &span, Order::Ascending, usize::MAX)
    }

    /// Of the whole instance, after `after`.
    fn all_sessions(&self, after: Option<Key>, limit: usize) -> Result<Vec<(Key, Session)>, Error> {
        pieces(self, Table::Sessions, after, limit)
    }

    fn invitation(
        &self,
        organization: OrganizationId,
        id: InvitationId,
    ) -> Result<Option<Invitation>, Error> {
        record(self, &Key::Invitation(organization, id))
    }

    /// Oldest first, those that are over included.
    fn invitations(&self, organization: OrganizationId) -> Result<Vec<Invitation>, Error> {
        let span = Span::organization(Table::Invitations, organization);
        records(self, &span, Order::Ascending, usize::MAX)
    }

    /// Of the whole instance, after `after`.
    fn all_invitations(
        &self,
        after: Option<Key>,
        limit: usize,
    ) -> Result<Vec<(Key, Invitation)>, Error> {
        pieces(self, Table::Invitations, after, limit)
    }
}

impl<R: Read + ?Sized> ReadPeople for R {}

impl View {
    pub fn put_member(&mut self, member: &Member) -> Result<(), Error> {
        self.put(&Key::Membership(member.id, member.organization), Vec::new())?;
        self.put(&Key::Member(member.organization, member.id), encode(member))
    }

    /// Somebody who is not there is not missed.
    pub fn delete_member(
        &mut self,
        organization: OrganizationId,
        id: MemberId,
    ) -> Result<(), Error> {
        self.delete(&Key::Membership(id, organization))?;
        self.delete(&Key::Member(organization, id))
    }

    /// That nobody else has the address is the caller's to see to, in the same commit.
    pub fn put_person(&mut self, person: &Person) -> Result<(), Error> {
        let names = names(person);
        if let Some(before) = self.person(person.id)? {
            for stale in self::names(&before).into_iter().filter(|name| !names.contains(name)) {
                self.delete(&Key::PersonBy { name: stale })?;
            }
        }
        for name in names {
            self.put(&Key::PersonBy { name }, person.id.0.to_be_bytes().to_vec())?;
        }
        self.put(&Key::Person(person.id), encode(person))
    }

    /// With all that is only theirs: sessions, and what the vault keeps.
    pub fn delete_person(&mut self, person: &Person) -> Result<(), Error> {
        for name in names(person) {
            self.delete(&Key::PersonBy { name })?;
        }
        for session in self.sessions(person.id)? {
            self.delete_session(&session)?;
        }
        self.delete_secrets(INSTANCE, &Owner::Person(person.id))?;
        self.delete(&Key::Person(person.id))
    }

    pub fn put_session(&mut self, session: &Session) -> Result<(), Error> {
        self.put(&Key::Session(session.person, session.id), encode(session))
    }

    pub fn delete_session(&mut self, session: &Session) -> Result<(), Error> {
        self.delete(&Key::Session(session.person, session.id))
    }

    pub fn put_invitation(&mut self, invitation: &Invitation) -> Result<(), Error> {
        self.put(&Key::Invitation(invitation.organization, invitation.id), encode(invitation))
    }

    pub fn delete_invitation(&mut self, invitation: &Invitation) -> Result<(), Error> {
        self.delete(&Key::Invitation(invitation.organization, invitation.id))
    }
}

fn names(person: &Person) -> Vec<String> {
    let subject = person.subject.iter().map(subject_name);
    std::iter::once(email_name(&person.email)).chain(subject).collect()
}

fn email_name(email: &str) -> String {
    format!("email {}", folded(email))
}

fn subject_name(subject: &Subject) -> String {
    // A zero is in neither of the two, so no two pairs are written alike.
    format!("subject {}\0{}", subject.issuer, subject.subject)
}

fn by_name(read: &(impl ReadPeople + ?Sized), name: String) -> Result<Option<Person>, Error> {
    let key = Key::PersonBy { name };
    let Some(id) = read.get(&key)? else { return Ok(None) };
    let id = <[u8; 16]>::try_from(id.as_slice())
        .map_err(|_| Error::unreadable("whose an address is", "it is no id"))?;
    read.person(MemberId(u128::from_be_bytes(id)))
}

fn pieces<R: super::records::Record>(
    read: &(impl Read + ?Sized),
    table: Table,
    after: Option<Key>,
    limit: usize,
) -> Result<Vec<(Key, R)>, Error> {
    let span = Span::table(table);
    let span = after.map_or(span.clone(), |after| span.after(&after));
    let rows = read.scan(&span, Order::Ascending, limit)?;
    rows.into_iter()
        .map(|(key, value)| {
            let record = decode(&key, &value)?;
            Ok((key, record))
        })
        .collect()
}
