//! What happened, for the live stream and for lists.

use crate::{
    domain::{event::Event, organization::Scope},
    engine::{Answer, Engine, facade::Caller},
    store::Read,
};

impl Engine {
    /// Oldest first, after sequence `after`, at most `limit`.
    pub fn events(&self, caller: &Caller, after: u64, limit: usize) -> Answer<Vec<Event>> {
        caller.may(Scope::Read)?;
        let tenant = self.core.store.organization(caller.organization);
        Ok(tenant.events_after(after, limit.clamp(1, 1_000))?)
    }

    /// The sequence of the newest event; zero before the first.
    pub fn last_event(&self, caller: &Caller) -> Answer<u64> {
        caller.may(Scope::Read)?;
        Ok(self.core.store.last_sequence(caller.organization)?)
    }
}
