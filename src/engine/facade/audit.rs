//! The audit: every event of an organization with where it came from, and whether their chain is
//! whole.

use crate::{
    domain::{
        audit::{Ends, Hash, Mark, Signed},
        event::Event,
        ids::OrganizationId,
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{Answer, Engine, facade::Caller},
    policy::{
        audit::{Check, Flaw},
        permission::Verb,
    },
    store::Read,
};

/// How many events are read at once.
const PIECE: usize = 500;

/// Retention may move the beginning while its events are looked at.
const TRIES_MAX: u32 = 5;

/// An event and the hash that it is linked to, where it is linked.
#[derive(Clone, Debug)]
pub struct Entry {
    pub event: Event,
    pub before: Option<Hash>,
}

/// Whether a chain is whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub organization: OrganizationId,
    /// How many linked events were looked at.
    pub events: u64,
    /// The sequence and the hash of the last one.
    pub head: Mark,
    pub flaw: Option<Flaw>,
}

impl Engine {
    /// Oldest first, after sequence `after`, at most `limit` (up to 1,000).
    pub fn audit(&self, caller: &Caller, after: u64, limit: usize) -> Answer<Vec<Entry>> {
        caller.may(Verb::AuditExport)?;
        let organization = caller.organization;
        let store = &self.core.store;
        let ends = store.audit_ends(organization)?;
        let events = store.events_after(organization, after, limit.clamp(1, 1_000))?;
        let Some(first) = events.first() else { return Ok(Vec::new()) };
        let mut before = match first.sequence.checked_sub(1) {
            Some(earlier) => store.event(organization, earlier)?.and_then(|event| event.hash),
            None => None,
        };
        if before.is_none() && first.hash.is_some() {
            before = Some(anchor(ends).hash);
        }
        let entries = events.into_iter().map(|event| {
            let linked_to = before.filter(|_| event.hash.is_some());
            before = event.hash.or(before);
            Entry { event, before: linked_to }
        });
        Ok(entries.collect())
    }

    /// The sequence of the last event from before `since`; zero if there is none.
    pub fn audit_before(&self, caller: &Caller, since: Timestamp) -> Answer<u64> {
        caller.may(Verb::AuditExport)?;
        let (store, organization) = (&self.core.store, caller.organization);
        let first = store.events_after(organization, 0, 1)?;
        let Some(first) = first.first().map(|event| event.sequence) else { return Ok(0) };
        // Events are told in the order of their times, but for a clock that was set back.
        let (mut before, mut upto) = (first - 1, store.last_sequence(organization)?);
        while before < upto {
            let middle = before + (upto - before).div_ceil(2);
            match store.event(organization, middle)? {
                Some(event) if event.at >= since => upto = middle - 1,
                Some(_) | None => before = middle,
            }
        }
        Ok(before)
    }

    /// Looks at every event of the caller's organization.
    pub async fn verify_audit(&self, caller: &Caller) -> Answer<Verdict> {
        caller.may(Verb::AuditVerify)?;
        let organization = caller.organization;
        for _ in 0..TRIES_MAX {
            let ends = self.core.store.audit_ends(organization)?;
            let verdict = self.check(organization, ends).await?;
            let moved = self.core.store.audit_ends(organization)?.anchor != ends.anchor;
            if verdict.flaw.is_none() || !moved {
                return Ok(verdict);
            }
        }
        Err(Problem::new(
            Code::Busy,
            "Old events were thrown away again and again while they were looked at.",
            "Try again in a minute.",
        ))
    }

    async fn check(&self, organization: OrganizationId, ends: Ends) -> Answer<Verdict> {
        let mut check = match Check::begin(ends) {
            Ok(check) => check,
            Err(flaw) => {
                let head = Mark::GENESIS;
                return Ok(Verdict { organization, events: 0, head, flaw: Some(flaw) });
            }
        };
        let (mut after, head) = (0, check.head());
        let verdict = |events, flaw: Option<Flaw>| Verdict { organization, events, head, flaw };
        loop {
            let piece = self.core.store.events_after(organization, after, PIECE)?;
            for event in &piece {
                if let Err(flaw) = check.look(event) {
                    return Ok(verdict(check.linked(), Some(flaw)));
                }
                after = event.sequence;
            }
            if piece.len() < PIECE {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(match check.end() {
            Ok(events) => verdict(events, None),
            Err(flaw) => verdict(check.linked(), Some(flaw)),
        })
    }
}

fn anchor(ends: Ends) -> Mark {
    match ends.anchor {
        Some(Signed::Right(mark)) => mark,
        Some(Signed::Bare { .. } | Signed::Wrong { .. }) | None => Mark::GENESIS,
    }
}
