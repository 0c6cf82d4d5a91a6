//! Requests that carry a key so that they can safely arrive twice.

use sha2::{Digest, Sha256};

use crate::{
    domain::{
        ids::OrganizationId,
        login::Remembered,
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{core::Halt, facade::Once},
    store::{Read, View},
};

/// What the request made when it first arrived.
pub(in crate::engine) fn find(
    read: &impl Read,
    organization: OrganizationId,
    once: Option<&Once>,
) -> Result<Option<String>, Halt> {
    let Some(once) = once else { return Ok(None) };
    match read.remembered(organization, hash(&once.key))? {
        Some(known) if known.fingerprint == once.fingerprint => Ok(Some(known.made)),
        Some(_) => Err(Problem::new(
            Code::IdempotencyConflict,
            "This Idempotency-Key was used before, for a different request.",
            "Use a new key for a new request, and the same key only to repeat one.",
        )
        .into()),
        None => Ok(None),
    }
}

/// In the same commit as what it made.
pub(in crate::engine) fn note(
    view: &mut View,
    organization: OrganizationId,
    once: Option<&Once>,
    made: String,
    at: Timestamp,
) -> Result<(), Halt> {
    let Some(once) = once else { return Ok(()) };
    let remembered = Remembered { fingerprint: once.fingerprint, made, at };
    view.put_remembered(organization, hash(&once.key), &remembered)?;
    Ok(())
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
