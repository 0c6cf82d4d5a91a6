//! Twins of a person, of a session and of an invitation.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{
    Record,
    organization::{ActorV1, RoleV1},
};
use crate::domain::{
    ids::{InvitationId, MemberId, OrganizationId, SessionId},
    person::{Invitation, Person, Proof, Session, Subject, TwoFactor},
    secret::Secret,
    time::Timestamp,
};

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredPerson {
    V1(PersonV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct PersonV1 {
    id: u128,
    name: String,
    email: String,
    password: Option<String>,
    two_factor: TwoFactorV1,
    recovery: Vec<[u8; 32]>,
    subject: Option<(String, String)>,
    reset: Option<ProofV1>,
    created: Timestamp,
    disabled: Option<Timestamp>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::store) enum TwoFactorV1 {
    Off,
    Offered,
    On { step: u64 },
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::store) struct ProofV1 {
    hash: [u8; 32],
    until: Timestamp,
}

impl From<Proof> for ProofV1 {
    fn from(Proof { hash, until }: Proof) -> ProofV1 {
        ProofV1 { hash, until }
    }
}

impl From<ProofV1> for Proof {
    fn from(ProofV1 { hash, until }: ProofV1) -> Proof {
        Proof { hash, until }
    }
}

impl Record for Person {
    type Stored = StoredPerson;

    fn store(&self) -> StoredPerson {
        StoredPerson::V1(PersonV1 {
            id: self.id.0,
            name: self.name.clone(),
            email: self.email.clone(),
            password: self.password.as_ref().map(|hash| hash.expose().to_owned()),
            two_factor: match self.two_factor {
                TwoFactor::Off => TwoFactorV1::Off,
                TwoFactor::Offered => TwoFactorV1::Offered,
                TwoFactor::On { step } => TwoFactorV1::On { step },
            },
            recovery: self.recovery.clone(),
            subject: self.subject.clone().map(|Subject { issuer, subject }| (issuer, subject)),
            reset: self.reset.map(ProofV1::from),
            created: self.created,
            disabled: self.disabled,
        })
    }

    fn restore(stored: StoredPerson) -> Result<Person, &'static str> {
        let StoredPerson::V1(twin) = stored;
        Ok(Person {
            id: MemberId(twin.id),
            name: twin.name,
            email: twin.email,
            password: twin.password.map(Secret::new),
            two_factor: match twin.two_factor {
                TwoFactorV1::Off => TwoFactor::Off,
                TwoFactorV1::Offered => TwoFactor::Offered,
                TwoFactorV1::On { step } => TwoFactor::On { step },
            },
            recovery: twin.recovery,
            subject: twin.subject.map(|(issuer, subject)| Subject { issuer, subject }),
            reset: twin.reset.map(Proof::from),
            created: twin.created,
            disabled: twin.disabled,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredSession {
    V1(SessionV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct SessionV1 {
    id: u128,
    person: u128,
    hash: [u8; 32],
    before: Option<ProofV1>,
    created: Timestamp,
    used: Timestamp,
    renewed: Timestamp,
    from: Option<IpAddr>,
    agent: String,
}

impl Record for Session {
    type Stored = StoredSession;

    fn store(&self) -> StoredSession {
        StoredSession::V1(SessionV1 {
            id: self.id.0,
            person: self.person.0,
            hash: self.hash,
            before: self.before.map(ProofV1::from),
            created: self.created,
            used: self.used,
            renewed: self.renewed,
            from: self.from,
            agent: self.agent.clone(),
        })
    }

    fn restore(stored: StoredSession) -> Result<Session, &'static str> {
        let StoredSession::V1(twin) = stored;
        Ok(Session {
            id: SessionId(twin.id),
            person: MemberId(twin.person),
            hash: twin.hash,
            before: twin.before.map(Proof::from),
            created: twin.created,
            used: twin.used,
            renewed: twin.renewed,
            from: twin.from,
            agent: twin.agent,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) enum StoredInvitation {
    V1(InvitationV1),
}

#[derive(Serialize, Deserialize)]
pub(in crate::store) struct InvitationV1 {
    id: u128,
    organization: u128,
    role: RoleV1,
    email: String,
    proof: ProofV1,
    by: ActorV1,
    created: Timestamp,
}

impl Record for Invitation {
    type Stored = StoredInvitation;

    fn store(&self) -> StoredInvitation {
        StoredInvitation::V1(InvitationV1 {
            id: self.id.0,
            organization: self.organization.0,
            role: self.role.into(),
            email: self.email.clone(),
            proof: self.proof.into(),
            by: (&self.by).into(),
            created: self.created,
        })
    }

    fn restore(stored: StoredInvitation) -> Result<Invitation, &'static str> {
        let StoredInvitation::V1(twin) = stored;
        Ok(Invitation {
            id: InvitationId(twin.id),
            organization: OrganizationId(twin.organization),
            role: twin.role.into(),
            email: twin.email,
            proof: twin.proof.into(),
            by: twin.by.into(),
            created: twin.created,
        })
    }
}
