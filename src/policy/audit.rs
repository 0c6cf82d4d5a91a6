//! Whether a chain of events is whole: nothing changed, taken out, put in, or cut off.

use std::fmt;

use crate::domain::{
    audit::{Ends, Mark, Signed},
    event::Event,
};

/// Looks at an organization's events, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What the next one is linked to.
    upto: Mark,
    /// Older ones are from a version that did not link them.
    begins: u64,
    head: Mark,
    /// How many were linked.
    linked: u64,
}

/// What is wrong with a chain, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    NoEnd,
    ForgedEnd,
    ForgedBeginning,
    /// This one is not there.
    Missing(u64),
    /// This one is not what was written, or what lies before it is not.
    Changed(u64),
    /// This one is more than was written.
    Added(u64),
    /// All after this one is gone.
    CutOff(u64),
}

impl Check {
    pub fn begin(ends: Ends) -> Result<Check, Flaw> {
        let anchor = match ends.anchor {
            None => Mark::GENESIS,
            Some(Signed::Right(mark)) => mark,
            Some(Signed::Bare { .. } | Signed::Wrong { .. }) => return Err(Flaw::ForgedBeginning),
        };
        match ends.head {
            None => Err(Flaw::NoEnd),
            Some(Signed::Wrong { .. }) => Err(Flaw::ForgedEnd),
            Some(Signed::Right(head)) => {
                Ok(Check { upto: anchor, begins: anchor.sequence, head, linked: 0 })
            }
            // Nothing has happened since the version that linked nothing.
            Some(Signed::Bare { sequence }) => {
                let head = Mark { sequence, ..Mark::GENESIS };
                Ok(Check { upto: head, begins: sequence, head, linked: 0 })
            }
        }
    }

    pub fn look(&mut self, event: &Event) -> Result<(), Flaw> {
        let sequence = event.sequence;
        if sequence <= self.begins {
            return event.hash.map_or(Ok(()), |_| Err(Flaw::Added(sequence)));
        }
        // More may have been written since the end was read.
        if self.upto.sequence >= self.head.sequence {
            return Ok(());
        }
        let expected = self.upto.sequence + 1;
        if sequence != expected {
            return Err(Flaw::Missing(expected));
        }
        let hash = event.link(&self.upto.hash);
        if event.hash != Some(hash) {
            return Err(Flaw::Changed(sequence));
        }
        self.upto = Mark { sequence, hash };
        self.linked += 1;
        Ok(())
    }

    /// After the last one; how many were linked.
    pub fn end(self) -> Result<u64, Flaw> {
        if self.upto.sequence < self.head.sequence {
            Err(Flaw::CutOff(self.upto.sequence))
        } else if self.upto.hash != self.head.hash {
            Err(Flaw::Changed(self.upto.sequence))
        } else {
            Ok(self.linked)
        }
    }

    /// How many were linked so far.
    pub fn linked(&self) -> u64 {
        self.linked
    }

    /// The end that the chain was found to lead to, or should.
    pub fn head(&self) -> Mark {
        self.head
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::NoEnd => f.write_str("the mark of the last event is gone"),
            Flaw::ForgedEnd => {
                f.write_str("the mark of the last event is not signed with the vault's key")
            }
            Flaw::ForgedBeginning => {
                f.write_str("the mark of the first event is not signed with the vault's key")
            }
            Flaw::Missing(sequence) => write!(f, "event {sequence} is missing"),
            Flaw::Changed(sequence) => {
                write!(
                    f,
                    "event {sequence} is not what was written, or what it is linked to is not"
                )
            }
            Flaw::Added(sequence) => {
                write!(f, "event {sequence} lies before the beginning of the chain")
            }
            Flaw::CutOff(sequence) => write!(f, "what happened after event {sequence} is gone"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        event::EventKind, ids::OrganizationId, organization::Actor, time::Timestamp,
    };

    fn event(sequence: u64, text: &str) -> Event {
        Event {
            organization: OrganizationId(1),
            sequence,
            at: Timestamp(1_000 * sequence),
            actor: Actor::Engine,
            from: None,
            post: None,
            delivery: None,
            account: None,
            kind: EventKind::PostCreated,
            text: text.to_owned(),
            hash: None,
        }
    }

    /// A chain of five after `anchor`.
    fn chain(anchor: Mark) -> (Vec<Event>, Ends) {
        let mut upto = anchor;
        let mut events = Vec::new();
        for sequence in anchor.sequence + 1..=anchor.sequence + 5 {
            let mut event = event(sequence, &format!("number {sequence}"));
            let hash = event.link(&upto.hash);
            event.hash = Some(hash);
            upto = Mark { sequence, hash };
            events.push(event);
        }
        let anchor = (anchor != Mark::GENESIS).then_some(Signed::Right(anchor));
        (events, Ends { anchor, head: Some(Signed::Right(upto)) })
    }

    fn check(events: &[Event], ends: Ends) -> Result<u64, Flaw> {
        let mut check = Check::begin(ends)?;
        events.iter().try_for_each(|event| check.look(event))?;
        check.end()
    }

    #[test]
    fn what_was_written_is_whole_from_the_first_event_and_from_where_retention_left_it() {
        for anchor in [Mark::GENESIS, Mark { sequence: 40, hash: [7; 32] }] {
            let (events, ends) = chain(anchor);
            assert_eq!(check(&events, ends), Ok(5));
        }
    }

    #[test]
    fn every_field_that_is_changed_is_noticed() {
        let (events, ends) = chain(Mark::GENESIS);
        let changes: [fn(&mut Event); 9] = [
            |event| event.organization = OrganizationId(2),
            |event| event.at = Timestamp(1),
            |event| event.actor = Actor::Operator,
            |event| event.from = Some([192, 0, 2, 1].into()),
            |event| event.post = Some(crate::domain::ids::PostId(1)),
            |event| event.delivery = Some(crate::domain::ids::DeliveryId(1)),
            |event| event.account = Some(crate::domain::ids::AccountId(1)),
            |event| event.kind = EventKind::PostEdited,
            |event| event.text.push('!'),
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut changed = events.clone();
            change(&mut changed[2]);
            assert_eq!(check(&changed, ends), Err(Flaw::Changed(3)), "change {at}");
            // And linked anew, it no longer fits what comes after it.
            let link = changed[2].link(&changed[1].hash.unwrap());
            changed[2].hash = Some(link);
            assert_eq!(check(&changed, ends), Err(Flaw::Changed(4)), "change {at}");
        }
    }

    #[test]
    fn what_was_taken_out_swapped_or_cut_off_is_noticed() {
        let (events, ends) = chain(Mark::GENESIS);
        for at in 0..4 {
            let mut fewer = events.clone();
            fewer.remove(at);
            assert_eq!(check(&fewer, ends), Err(Flaw::Missing(at as u64 + 1)));
        }
        for left in 0..5 {
            assert_eq!(check(&events[..left], ends), Err(Flaw::CutOff(left as u64)));
        }
        let mut swapped = events.clone();
        swapped.swap(1, 2);
        assert_eq!(check(&swapped, ends), Err(Flaw::Missing(2)));
    }

    #[test]
    fn a_chain_that_was_made_anew_does_not_lead_to_the_signed_end() {
        let (_, ends) = chain(Mark::GENESIS);
        let (mut other, _) = chain(Mark::GENESIS);
        let mut before = Mark::GENESIS.hash;
        for event in &mut other {
            event.text = "nothing happened".to_owned();
            before = event.link(&before);
            event.hash = Some(before);
        }
        assert_eq!(check(&other, ends), Err(Flaw::Changed(5)));
        let unsigned = Ends { head: Some(Signed::Wrong { sequence: 5 }), ..ends };
        assert_eq!(check(&other, unsigned), Err(Flaw::ForgedEnd));
        assert_eq!(check(&other, Ends { head: None, ..ends }), Err(Flaw::NoEnd));
        let anchor = Some(Signed::Wrong { sequence: 0 });
        assert_eq!(check(&other, Ends { anchor, ..ends }), Err(Flaw::ForgedBeginning));
    }

    #[test]
    fn an_event_before_the_beginning_was_added_unless_an_earlier_version_wrote_it() {
        let (mut events, ends) = chain(Mark { sequence: 1, ..Mark::GENESIS });
        events.insert(0, event(1, "from an earlier version"));
        assert_eq!(check(&events, ends), Ok(5));
        events[0].hash = Some([1; 32]);
        assert_eq!(check(&events, ends), Err(Flaw::Added(1)));
        // One that lost its link is none of an earlier version.
        let (mut events, ends) = chain(Mark::GENESIS);
        events[3].hash = None;
        assert_eq!(check(&events, ends), Err(Flaw::Changed(4)));
    }

    #[test]
    fn before_the_first_link_there_is_nothing_to_check_and_later_events_wait_for_the_next_look() {
        let bare = Ends { anchor: None, head: Some(Signed::Bare { sequence: 2 }) };
        assert_eq!(check(&[event(1, "old"), event(2, "old")], bare), Ok(0));
        let (events, ends) = chain(Mark::GENESIS);
        let earlier = events[2].hash.map(|hash| Signed::Right(Mark { sequence: 3, hash }));
        assert_eq!(check(&events, Ends { head: earlier, ..ends }), Ok(3));
    }

    #[test]
    fn the_statement_that_is_hashed_is_as_documented() {
        let event = Event { from: Some([192, 0, 2, 1].into()), ..event(7, "\"Gulls\" & möwen") };
        let organization = event.organization;
        let statement = format!(
            "[\"{organization}\",7,\"1970-01-01T00:00:07.000Z\",\"engine\",\"192.0.2.1\",\
             \"post.created\",\"\\\"Gulls\\\" & möwen\",null,null,null]"
        );
        assert_eq!(event.statement(), statement);
    }
}
