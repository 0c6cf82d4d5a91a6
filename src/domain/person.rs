//! People, the sessions in which they are logged in, and the links that let them in.
//!
//! A person belongs to the whole instance; a [`Member`](super::organization::Member) with the same
//! id says what they are in one organization.

use std::net::IpAddr;

use crate::domain::{
    ids::{InvitationId, MemberId, OrganizationId, SessionId},
    organization::{Actor, Role},
    secret::Secret,
    time::Timestamp,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The same in every organization that they are a member of.
    pub id: MemberId,
    pub name: String,
    /// As they wrote it; [`folded`] is what must be theirs alone.
    pub email: String,
    /// The password's hash as a PHC string. `None`: they log in elsewhere, or not at all.
    pub password: Option<Secret>,
    pub two_factor: TwoFactor,
    /// SHA-256 of each recovery code that is left.
    pub recovery: Vec<[u8; 32]>,
    /// Who they are at the provider of single sign-on.
    pub subject: Option<Subject>,
    /// A link by which they may set a new password.
    pub reset: Option<Proof>,
    pub created: Timestamp,
    /// From then on they cannot log in.
    pub disabled: Option<Timestamp>,
}

impl Person {
    pub fn can_log_in(&self) -> bool {
        self.disabled.is_none() && (self.password.is_some() || self.subject.is_some())
    }
}

/// `Off → Offered` when a secret is shown, `Offered → On` by a code that proves it was kept,
/// `Offered | On → Off` by the password and a code, or by a reset. The secret is in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoFactor {
    Off,
    Offered,
    On {
        /// The last step of time whose code was taken: neither it nor an earlier one is taken
        /// again.
        step: u64,
    },
}

/// How a provider of single sign-on names a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub issuer: String,
    pub subject: String,
}

/// What a text that was given out hashes to, and until when that text is worth anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    pub hash: [u8; 32],
    pub until: Timestamp,
}

/// A browser in which a person is logged in.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    pub id: SessionId,
    pub person: MemberId,
    /// SHA-256 of the secret that the browser holds.
    pub hash: [u8; 32],
    /// The secret before that: requests that were under way when it changed still carry it.
    pub before: Option<Proof>,
    pub created: Timestamp,
    /// When it was last used, to the minute.
    pub used: Timestamp,
    /// When the browser was given the secret that it holds.
    pub renewed: Timestamp,
    /// Where it was last used from.
    pub from: Option<IpAddr>,
    /// What the browser said that it is.
    pub agent: String,
}

/// A place in an organization for whoever holds the link, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    pub id: InvitationId,
    pub organization: OrganizationId,
    pub role: Role,
    /// Empty: for any address.
    pub email: String,
    pub proof: Proof,
    pub by: Actor,
    pub created: Timestamp,
}

/// Addresses that differ in this form belong to different people.
pub fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether mail could go there, as far as its form tells.
pub fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let fine = |letter: char| !letter.is_whitespace() && !letter.is_control();
    !name.is_empty()
        && host.contains(|letter: char| letter.is_alphanumeric())
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !name.contains('@')
        && text.len() <= 254
        && text.chars().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_person_however_it_is_written() {
        assert_eq!(folded(" Ada@Example.ORG "), folded("ada@example.org"));
        assert_ne!(folded("ada@example.org"), folded("ada+x@example.org"));
    }

    #[test]
    fn what_cannot_be_an_address_is_none() {
        for fine in ["ada@example.org", "a.b+c@localhost", "möwe@bücher.example"] {
            assert!(is_email(fine), "{fine}");
        }
        for wrong in ["", "ada", "@example.org", "ada@", "a b@c.d", "a@b@c.d", "a@.b", "a@b.\n"] {
            assert!(!is_email(wrong), "{wrong}");
        }
    }
}
