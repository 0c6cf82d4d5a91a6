//! Everything the sandbox knows, and the one place where faults are played around a request.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Platform,
    bluesky::Bluesky,
    chance::Chance,
    faults::{Fault, FaultBoard, FaultKind, Operation},
    ledger::Ledger,
    linkedin::Linkedin,
    mastodon::{Flavour, Mastodon},
    meta::Meta,
    meter::{Limits, Meter},
    shelf::Shelf,
    threads::Threads,
    wire::{Answer, Call},
    x::X,
};

const HANG: Duration = Duration::from_secs(10 * 60);
const LATE: Duration = Duration::from_secs(10);

/// One platform as a function of its calls.
pub(crate) trait Simulation {
    /// `None` for consent pages and permalinks, which faults never strike.
    fn operation(&self, call: &Call) -> Option<Operation>;

    /// Whose call it is, where one simulation plays several platforms behind one another's doors.
    fn platform(&self, _call: &Call, entered: Platform) -> Platform {
        entered
    }

    /// The handle on whose behalf the call is made, if that can be told.
    fn caller(&self, call: &Call) -> Option<String>;

    /// Addresses in the call that the platform's servers fetch before they answer it.
    fn fetches(&self, _call: &Call) -> Vec<String> {
        Vec::new()
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer;

    /// The platform's error body for that status; without one, its usual refusal.
    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer;

    /// 429 as the platform says it. `None` means its usual window.
    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer;

    /// Makes the token that the call carries an expired one.
    fn expire(&mut self, call: &Call);

    /// Revokes the grant behind the token that the call carries.
    fn revoke(&mut self, call: &Call);
}

/// What all platforms write to.
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) shelf: Shelf,
    pub(crate) chance: Chance,
}

/// Requests of one platform, by how they were answered.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) throttled: u64,
    pub(crate) struck: u64,
}

pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) faults: FaultBoard,
    pub(crate) tallies: BTreeMap<&'static str, Tally>,
    mastodon: Mastodon,
    gotosocial: Mastodon,
    bluesky: Bluesky,
    linkedin: Linkedin,
    threads: Threads,
    x: X,
    /// Facebook and Instagram.
    meta: Meta,
}

/// How an exchange ends.
pub(crate) enum Tail {
    Answer(Answer),
    Late(Answer, Duration),
    /// The connection is closed without an answer.
    Lost,
    /// Held open, then closed without an answer.
    Hang(Duration),
}

impl World {
    pub(crate) fn new(seed: u64, limits: Limits) -> World {
        World {
            books: Books {
                ledger: Ledger::default(),
                shelf: Shelf::default(),
                chance: Chance::new(seed),
            },
            faults: FaultBoard::default(),
            tallies: BTreeMap::new(),
            mastodon: Mastodon::new(Flavour::Mastodon, Meter::new(limits)),
            gotosocial: Mastodon::new(Flavour::Gotosocial, Meter::new(limits)),
            bluesky: Bluesky::new(Meter::new(limits)),
            linkedin: Linkedin::new(Meter::new(limits)),
            threads: Threads::new(Meter::new(limits)),
            x: X::new(Meter::new(limits)),
            meta: Meta::new(Meter::new(limits)),
        }
    }

    pub(crate) fn fetches(&mut self, platform: Platform, call: &Call) -> Vec<String> {
        self.simulation(platform).fetches(call)
    }

    fn simulation(&mut self, platform: Platform) -> &mut dyn Simulation {
        match platform {
            Platform::Mastodon => &mut self.mastodon,
            Platform::Gotosocial => &mut self.gotosocial,
            Platform::Bluesky => &mut self.bluesky,
            Platform::Linkedin => &mut self.linkedin,
            Platform::Threads => &mut self.threads,
            Platform::X => &mut self.x,
            Platform::Facebook | Platform::Instagram => &mut self.meta,
        }
    }

    pub(crate) fn serve(&mut self, platform: Platform, call: &Call) -> Tail {
        let simulation: &mut dyn Simulation = match platform {
            Platform::Mastodon => &mut self.mastodon,
            Platform::Gotosocial => &mut self.gotosocial,
            Platform::Bluesky => &mut self.bluesky,
            Platform::Linkedin => &mut self.linkedin,
            Platform::Threads => &mut self.threads,
            Platform::X => &mut self.x,
            Platform::Facebook | Platform::Instagram => &mut self.meta,
        };
        let platform = simulation.platform(call, platform);
        let operation = simulation.operation(call);
        let fault = match operation {
            // Who calls is only looked up while a fault could ask for it: herds come through here.
            Some(operation) if !self.faults.is_idle() => {
                let handle = simulation.caller(call);
                self.faults.strike(platform, operation, handle.as_deref())
            }
            Some(_) | None => None,
        };
        let tally = self.tallies.entry(platform.name()).or_default();
        tally.struck += u64::from(fault.is_some());
        let tail = match (fault, operation) {
            (Some(fault), Some(operation)) => {
                struck(simulation, &fault, operation, call, &mut self.books)
            }
            (Some(_) | None, _) => Tail::Answer(simulation.answer(call, &mut self.books)),
        };
        match &tail {
            Tail::Answer(answer) | Tail::Late(answer, _) => match answer.status.as_u16() {
                429 => tally.throttled += 1,
                400.. => tally.refused += 1,
                _ => tally.accepted += 1,
            },
            Tail::Lost | Tail::Hang(_) => {}
        }
        tail
    }
}

fn struck(
    simulation: &mut dyn Simulation,
    fault: &Fault,
    operation: Operation,
    call: &Call,
    books: &mut Books,
) -> Tail {
    match fault.kind {
        FaultKind::Refuse => Tail::Answer(simulation.refused(operation, fault.status)),
        FaultKind::Echo => {
            let refused = simulation.refused(operation, fault.status);
            Tail::Answer(refused.repeating(&call.secrets()))
        }
        FaultKind::Unavailable => {
            let status = fault.status.unwrap_or(503);
            Tail::Answer(simulation.refused(operation, Some(status)))
        }
        FaultKind::Throttle => Tail::Answer(simulation.throttled(call, fault.retry_after)),
        FaultKind::Hang => Tail::Hang(fault.wait.unwrap_or(HANG)),
        FaultKind::AnswerLate => {
            let answer = simulation.answer(call, books);
            Tail::Late(answer, fault.wait.unwrap_or(LATE))
        }
        FaultKind::DropAnswer => {
            simulation.answer(call, books);
            match fault.status {
                Some(_) => Tail::Answer(simulation.refused(operation, fault.status)),
                None => Tail::Lost,
            }
        }
        FaultKind::ExpireToken => {
            simulation.expire(call);
            Tail::Answer(simulation.answer(call, books))
        }
        FaultKind::RevokeToken => {
            simulation.revoke(call);
            Tail::Answer(simulation.answer(call, books))
        }
    }
}
