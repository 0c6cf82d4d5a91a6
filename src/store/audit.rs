//! The chain of an organization's events: each carries a hash of itself and of the one before.
//!
//! Invariants:
//! - an event, its link and the new end of the chain are one commit;
//! - where the chain begins and ends is signed with the vault's key, so that who can write to the
//!   store but has no key cannot make another chain;
//! - what retention removes is removed from the beginning, and the hash of the last one stays;
//! - an end that is not signed with our key stays so: what comes later does not make it right.

use crate::{
    domain::{
        audit::{Ends, Hash, Mark, Signed},
        event::Event,
        ids::OrganizationId,
        time::Timestamp,
    },
    store::{
        Store,
        error::Error,
        keys::{Key, Span, Table},
        kv::Order,
        read::Read,
        records::encode,
        vault::Vault,
        view::View,
    },
};

const PURPOSE: &str = "fanfare marks of the audit";

const SEQUENCE_BYTES: usize = 8;
const MARK_BYTES: usize = SEQUENCE_BYTES + 2 * size_of::<Hash>();

impl View {
    /// Gives the event the next sequence of its organization, where the request came from, and its
    /// link, whatever it says of them; returns the sequence.
    pub fn append_event(&mut self, mut event: Event) -> Result<u64, Error> {
        let organization = event.organization;
        let (mut before, mut is_ours) = (Mark::GENESIS, true);
        match stored(self, &self.vault, &Key::Sequence(organization))? {
            None => {}
            Some(Signed::Right(mark)) => before = mark,
            Some(Signed::Bare { sequence }) => {
                let begins = Mark { sequence, ..Mark::GENESIS };
                self.put_mark(&Key::Anchor(organization), begins)?;
                before = begins;
            }
            // Signing it now would hide that it was wrong; not going on would stop everybody.
            Some(Signed::Wrong { sequence }) => {
                let found = self.event(organization, sequence)?;
                let hash = found.and_then(|event| event.hash).unwrap_or_default();
                let words = "the end of the audit is not signed with our key";
                tracing::error!(%organization, sequence, "{words}");
                (before, is_ours) = (Mark { sequence, hash }, false);
            }
        }
        let sequence = before.sequence + 1;
        event.sequence = sequence;
        event.from = self.origin;
        let hash = event.link(&before.hash);
        event.hash = Some(hash);
        let (key, end) = (Key::Sequence(organization), Mark { sequence, hash });
        match is_ours {
            true => self.put_mark(&key, end)?,
            false => self.put(&key, [claim(end), [0; size_of::<Hash>()].to_vec()].concat())?,
        }
        self.put_new(&Key::Event { organization, sequence }, encode(&event));
        Ok(sequence)
    }

    /// Removes events from before `since`, oldest first, at most `limit` of them; how many it were.
    pub fn prune_events(
        &mut self,
        organization: OrganizationId,
        since: Timestamp,
        limit: usize,
    ) -> Result<usize, Error> {
        let span = Span::organization(Table::Events, organization);
        let mut pruned = 0;
        let mut last = None;
        for (key, value) in self.scan(&span, Order::Ascending, limit)? {
            let event: Event = super::records::decode(&key, &value)?;
            if event.at >= since {
                break;
            }
            self.delete(&key)?;
            pruned += 1;
            last = Some(event);
        }
        // What an earlier version wrote lies before the chain, and before its anchor.
        let anchor = Key::Anchor(organization);
        let is_wrong = matches!(stored(self, &self.vault, &anchor)?, Some(Signed::Wrong { .. }));
        if let Some(Event { sequence, hash: Some(hash), .. }) = last
            && !is_wrong
        {
            self.put_mark(&anchor, Mark { sequence, hash })?;
        }
        Ok(pruned)
    }

    /// Signs both ends with the vault's current key, if they are ours.
    pub fn sign_again(&mut self, organization: OrganizationId) -> Result<(), Error> {
        for key in [Key::Sequence(organization), Key::Anchor(organization)] {
            if let Some(Signed::Right(mark)) = stored(self, &self.vault, &key)? {
                self.put_mark(&key, mark)?;
            }
        }
        Ok(())
    }

    fn put_mark(&mut self, key: &Key, mark: Mark) -> Result<(), Error> {
        let claim = claim(mark);
        let signature = self.vault.sign(PURPOSE, &[key.encode().as_slice(), &claim].concat());
        self.put(key, [claim.as_slice(), &signature].concat())
    }
}

impl Store {
    /// Read before the events between them are.
    pub fn audit_ends(&self, organization: OrganizationId) -> Result<Ends, Error> {
        let anchor = stored(self, self.vault(), &Key::Anchor(organization))?;
        let head = stored(self, self.vault(), &Key::Sequence(organization))?;
        Ok(Ends { anchor, head })
    }
}

fn claim(mark: Mark) -> Vec<u8> {
    [mark.sequence.to_be_bytes().as_slice(), &mark.hash].concat()
}

fn stored(read: &impl Read, vault: &Vault, key: &Key) -> Result<Option<Signed>, Error> {
    let Some(row) = read.get(key)? else { return Ok(None) };
    let sequence = sequence_of(key, &row)?;
    if row.len() == SEQUENCE_BYTES {
        return Ok(Some(Signed::Bare { sequence }));
    }
    let (claim, signature) = row.split_at(row.len().min(MARK_BYTES - size_of::<Hash>()));
    let hash = claim.get(SEQUENCE_BYTES..).and_then(|hash| Hash::try_from(hash).ok());
    let signature = <[u8; 32]>::try_from(signature).ok();
    let message = [key.encode().as_slice(), claim].concat();
    Ok(Some(match (hash, signature) {
        (Some(hash), Some(signature)) if vault.has_signed(PURPOSE, &message, &signature) => {
            Signed::Right(Mark { sequence, hash })
        }
        _ => Signed::Wrong { sequence },
    }))
}

/// Of the row of a mark.
pub(super) fn sequence_of(key: &Key, row: &[u8]) -> Result<u64, Error> {
    let (sequence, _) = row
        .split_first_chunk::<SEQUENCE_BYTES>()
        .ok_or_else(|| Error::unreadable(format!("the record {key:?}"), "it is too short"))?;
    Ok(u64::from_be_bytes(*sequence))
}
