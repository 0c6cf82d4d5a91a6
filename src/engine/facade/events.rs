//! What happened, for the live stream and for lists.

use crate::{
    domain::{event::Event, organization::Reach},
    engine::{Answer, Engine, facade::Caller},
    policy::permission::Verb,
    store::{Read, Tenant},
};

/// How many events one piece looks at, at most.
const SCAN_MAX: usize = 5_000;

/// A piece of what happened, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct Told {
    pub events: Vec<Event>,
    /// Everything up to this sequence has been looked at: go on after it.
    pub upto: u64,
    /// Whether there may be more already.
    pub more: bool,
}

impl Engine {
    /// Oldest first, after sequence `after`, at most `limit`.
    pub fn events(&self, caller: &Caller, after: u64, limit: usize) -> Answer<Told> {
        caller.may(Verb::EventsList)?;
        let tenant = self.core.store.organization(caller.organization);
        let limit = limit.clamp(1, 1_000);
        let mut told = Told { events: Vec::new(), upto: after, more: true };
        let mut looked = 0;
        while looked < SCAN_MAX && told.events.len() < limit {
            let wanted = limit - told.events.len();
            let piece = tenant.events_after(told.upto, wanted)?;
            looked += piece.len();
            told.more = piece.len() == wanted;
            for event in piece {
                told.upto = event.sequence;
                if sees(&tenant, caller, &event)? {
                    told.events.push(event);
                }
            }
            if !told.more {
                break;
            }
        }
        Ok(told)
    }

    /// The sequence of the newest event; zero before the first.
    pub fn last_event(&self, caller: &Caller) -> Answer<u64> {
        caller.may(Verb::EventsList)?;
        Ok(self.core.store.last_sequence(caller.organization)?)
    }
}

/// Who is bound to accounts hears of these, of posts that go to none but these, and of what they
/// did themselves.
fn sees(tenant: &Tenant, caller: &Caller, event: &Event) -> Answer<bool> {
    match &caller.reach {
        Reach::Organization | Reach::Instance => Ok(true),
        Reach::Accounts(_) => match (event.account, event.post) {
            (Some(account), _) => Ok(caller.sees(account)),
            (None, Some(post)) => {
                Ok(tenant.post(post)?.is_some_and(|post| caller.sees_post(&post)))
            }
            (None, None) => Ok(event.actor == caller.actor),
        },
    }
}
