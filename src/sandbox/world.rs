//! Everything the sandbox knows, and the one place where faults are played around a request.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Platform,
    bluesky::Bluesky,
    chance::Chance,
    discord::Discord,
    faults::{Fault, FaultBoard, FaultKind, Operation},
    googlebusiness::Googlebusiness,
    ledger::Ledger,
    linkedin::Linkedin,
    mastodon::{Flavour, Mastodon},
    meta::Meta,
    meter::{Limits, Meter},
    pinterest::Pinterest,
    shelf::Shelf,
    slack::Slack,
    snapchat::Snapchat,
    telegram::Telegram,
    threads::Threads,
    tiktok::Tiktok,
    webhook::Webhook,
    whatsapp::Whatsapp,
    wire::{Answer, Call},
    x::X,
    youtube::Youtube,
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

    /// What a request leaves behind that a server's failure broke off: the bytes that had arrived,
    /// where uploads can be resumed.
    fn broken_off(&mut self, _call: &Call) {}

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
    pleroma: Mastodon,
    bluesky: Bluesky,
    linkedin: Linkedin,
    threads: Threads,
    x: X,
    /// Facebook and Instagram.
    meta: Meta,
    tiktok: Tiktok,
    youtube: Youtube,
    googlebusiness: Googlebusiness,
    pinterest: Pinterest,
    snapchat: Snapchat,
    telegram: Telegram,
    discord: Discord,
    slack: Slack,
    pub(crate) webhook: Webhook,
    pub(crate) whatsapp: Whatsapp,
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
            pleroma: Mastodon::new(Flavour::Pleroma, Meter::new(limits)),
            bluesky: Bluesky::new(Meter::new(limits)),
            linkedin: Linkedin::new(Meter::new(limits)),
            threads: Threads::new(Meter::new(limits)),
            x: X::new(Meter::new(limits)),
            meta: Meta::new(Meter::new(limits)),
            tiktok: Tiktok::new(Meter::new(limits)),
            youtube: Youtube::new(limits),
            googlebusiness: Googlebusiness::new(Meter::new(limits)),
            pinterest: Pinterest::new(Meter::new(limits)),
            snapchat: Snapchat::new(Meter::new(limits)),
            telegram: Telegram::new(Meter::new(limits)),
            discord: Discord::new(Meter::new(limits)),
            slack: Slack::new(Meter::new(limits)),
            webhook: Webhook::default(),
            whatsapp: Whatsapp::new(Meter::new(limits)),
        }
    }

    pub(crate) fn fetches(&mut self, platform: Platform, call: &Call) -> Vec<String> {
        self.simulation(platform).fetches(call)
    }

    fn simulation(&mut self, platform: Platform) -> &mut dyn Simulation {
        match platform {
            Platform::Mastodon => &mut self.mastodon,
            Platform::Gotosocial => &mut self.gotosocial,
            Platform::Pleroma => &mut self.pleroma,
            Platform::Bluesky => &mut self.bluesky,
            Platform::Linkedin => &mut self.linkedin,
            Platform::Threads => &mut self.threads,
            Platform::X => &mut self.x,
            Platform::Facebook | Platform::Instagram => &mut self.meta,
            Platform::Tiktok => &mut self.tiktok,
            Platform::Youtube => &mut self.youtube,
            Platform::Googlebusiness => &mut self.googlebusiness,
            Platform::Pinterest => &mut self.pinterest,
            Platform::Snapchat => &mut self.snapchat,
            Platform::Telegram => &mut self.telegram,
            Platform::Discord => &mut self.discord,
            Platform::Slack => &mut self.slack,
            Platform::Webhook => &mut self.webhook,
            Platform::Whatsapp => &mut self.whatsapp,
        }
    }

    pub(crate) fn serve(&mut self, platform: Platform, call: &Call) -> Tail {
        let simulation: &mut dyn Simulation = match platform {
            Platform::Mastodon => &mut self.mastodon,
            Platform::Gotosocial => &mut self.gotosocial,
            Platform::Pleroma => &mut self.pleroma,
            Platform::Bluesky => &mut self.bluesky,
            Platform::Linkedin => &mut self.linkedin,
            Platform::Threads => &mut self.threads,
            Platform::X => &mut self.x,
            Platform::Facebook | Platform::Instagram => &mut self.meta,
            Platform::Tiktok => &mut self.tiktok,
            Platform::Youtube => &mut self.youtube,
            Platform::Googlebusiness => &mut self.googlebusiness,
            Platform::Pinterest => &mut self.pinterest,
            Platform::Snapchat => &mut self.snapchat,
            Platform::Telegram => &mut self.telegram,
            Platform::Discord => &mut self.discord,
            Platform::Slack => &mut self.slack,
            Platform::Webhook => &mut self.webhook,
            Platform::Whatsapp => &mut self.whatsapp,
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
                400 | 403 if is_limit_of_meta(answer) => tally.throttled += 1,
                400.. => tally.refused += 1,
                _ => tally.accepted += 1,
            },
            Tail::Lost | Tail::Hang(_) => {}
        }
        tail
    }
}

/// Meta's networks say a limit in the body of an ordinary refusal: "4, 17, 32, 613", and of use
/// cases "80000" to "80014" (graph-api/overview/rate-limiting, read 2026-11-21); WhatsApp's are
/// 130429 and 131056 (Cloud API, as of 2026-11-21).
fn is_limit_of_meta(answer: &Answer) -> bool {
    let code = answer.said()["error"]["code"].as_i64();
    code.is_some_and(|code| matches!(code, 4 | 17 | 32 | 613 | 80_000..=80_014 | 130_429 | 131_056))
}

fn struck(
    simulation: &mut dyn Simulation,
    fault: &Fault,
    operation: Operation,
    call: &Call,
    books: &mut Books,
) -> Tail {
    match fault.kind {
        FaultKind::Refuse => {
            if fault.status.is_some_and(|status| status >= 500) {
                simulation.broken_off(call);
            }
            Tail::Answer(simulation.refused(operation, fault.status))
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_in_the_words_of_meta_is_told_from_other_refusals() {
        for (code, is_limit) in [(4, true), (613, true), (80_001, true), (100, false), (190, false)]
        {
            let body = serde_json::json!({ "error": { "code": code } });
            assert_eq!(is_limit_of_meta(&Answer::json(400, &body)), is_limit, "{code}");
        }
        assert!(!is_limit_of_meta(&Answer::new(403, "text/plain", "Forbidden")));
    }
}
