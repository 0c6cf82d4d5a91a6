//! Rate budgets of an account and of its app: taken, and blocked, in the batch of the change that
//! they allow.
//!
//! Invariant: what a platform reports wins over what we reckon.

use std::time::Duration;

use crate::{
    connectors::Reply,
    domain::{
        account::Account,
        ids::OrganizationId,
        organization::{AppHolder, AppUsed, Organization},
        pace::{Budget, Budgets},
        platform::{Pace, PaceCounts, PaceScope, Profile, Window},
        time::{Timestamp, day_in},
    },
    engine::core::Halt,
    policy::pace::{self, Verdict},
    store::{INSTANCE, Owner, Read, View},
};

/// Our own pace, so that a mistake in a plan does not look like spam.
const SAFETY: &str = "safety";
/// Where a platform's own word is kept.
const REPORTED: &str = "reported";

/// Whose budgets these are. An app of the instance or the settings is the instance's: accounts of
/// one app on one server share it, whichever organization they belong to. What goes through an
/// organization's own app uses up none of that.
struct Subject {
    organization: OrganizationId,
    owner: Owner,
}

impl Subject {
    fn account(account: &Account) -> Subject {
        Subject { organization: account.organization, owner: Owner::Account(account.id) }
    }

    fn app(account: &Account) -> Subject {
        let (platform, server) = (account.platform.clone(), account.server.clone());
        let is_own = |used: &AppUsed| used.holder == AppHolder::Organization;
        let organization = match account.app.as_ref().is_some_and(is_own) {
            true => account.organization,
            false => INSTANCE,
        };
        Subject { organization, owner: Owner::App { platform, server } }
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calls {
    pub(super) requests: u32,
    pub(super) publications: u32,
    /// What the platform charges for the request.
    pub(super) units: u32,
}

/// Takes from every budget that applies, or from none: `Some` is when to ask again.
pub(super) fn take(
    view: &mut View,
    profile: &Profile,
    account: &Account,
    organization: &Organization,
    calls: Calls,
    now: Timestamp,
) -> Result<Option<Timestamp>, Halt> {
    let safety = Pace {
        name: SAFETY,
        scope: PaceScope::Account,
        counts: PaceCounts::Publications,
        // `policy::pace` keeps any window below its maximum, which costs half of the steady rate.
        // This pace is our own, not a platform's: as many as it says may go at once, and then as
        // many an hour.
        calls_max: organization.posts_per_hour.saturating_mul(2),
        window: Window::Rolling(Duration::from_secs(3600)),
    };
    let mut rows = Vec::with_capacity(2);
    for scope in [PaceScope::Account, PaceScope::App] {
        let paces: Vec<&Pace> = profile.paces.iter().filter(|pace| pace.scope == scope).collect();
        let subject = match scope {
            PaceScope::Account => Subject::account(account),
            PaceScope::App if paces.is_empty() => continue,
            PaceScope::App => Subject::app(account),
        };
        let mut budgets = view.budgets(subject.organization, &subject.owner)?;
        let own = (scope == PaceScope::Account).then_some(&safety);
        if let Some(until) = take_all(&mut budgets, paces.into_iter().chain(own), calls, now) {
            return Ok(Some(until));
        }
        rows.push((subject, budgets));
    }
    for (subject, budgets) in rows {
        view.put_budgets(subject.organization, &subject.owner, &budgets)?;
    }
    Ok(None)
}

fn take_all<'a>(
    budgets: &mut Budgets,
    paces: impl Iterator<Item = &'a Pace>,
    calls: Calls,
    now: Timestamp,
) -> Option<Timestamp> {
    let reported = budgets.get(REPORTED).map(|budget| budget.blocked_until);
    let mut wait = reported.filter(|&until| until > now);
    for pace in paces {
        let wanted = match pace.counts {
            PaceCounts::Requests => calls.requests,
            PaceCounts::Publications => calls.publications,
            PaceCounts::Units => calls.units,
        };
        if wanted == 0 {
            continue;
        }
        let budget = budgets.get(pace.name).copied().unwrap_or_default();
        let verdict = match pace.window {
            Window::Rolling(window) => pace::take(budget, pace.calls_max, window, wanted, now),
            Window::Day(zone) => {
                pace::take_of_day(budget, pace.calls_max, &day_in(zone, now), wanted, now)
            }
        };
        match verdict {
            Verdict::Go(after) => {
                budgets.insert(pace.name.to_owned(), after);
            }
            Verdict::WaitUntil(until) => wait = wait.max(Some(until)),
        }
    }
    wait
}

/// The platform says that nothing is accepted before `until`.
pub(super) fn block(
    view: &mut View,
    account: &Account,
    scope: PaceScope,
    until: Timestamp,
) -> Result<(), Halt> {
    let subject = match scope {
        PaceScope::Account => Subject::account(account),
        PaceScope::App => Subject::app(account),
    };
    let mut budgets = view.budgets(subject.organization, &subject.owner)?;
    let budget = budgets.get(REPORTED).copied().unwrap_or_default();
    budgets.insert(REPORTED.to_owned(), pace::block(budget, until));
    view.put_budgets(subject.organization, &subject.owner, &budgets)?;
    Ok(())
}

/// Until when an account, or its app, is blocked by its platform's word.
pub(super) fn blocked_until(read: &impl Read, account: &Account) -> Result<Timestamp, Halt> {
    let mut until = Timestamp::default();
    for subject in [Subject::account(account), Subject::app(account)] {
        let budgets = read.budgets(subject.organization, &subject.owner)?;
        let budget: Budget = budgets.get(REPORTED).copied().unwrap_or_default();
        until = until.max(budget.blocked_until);
    }
    Ok(until)
}

/// A success can say that it was the last one for a while. The header families of the platforms
/// that we ship; the reset is in Unix seconds or RFC 3339.
pub(super) fn exhausted(reply: &Reply) -> Option<Timestamp> {
    const FAMILIES: &[(&str, &str)] = &[
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("x-rate-limit-remaining", "x-rate-limit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
    ];
    for (remaining, reset) in FAMILIES {
        if reply.header(remaining).is_none_or(|left| left.trim() != "0") {
            continue;
        }
        let reset = reply.header(reset)?.trim();
        let until = match reset.parse::<u64>() {
            Ok(seconds) => Timestamp(seconds.saturating_mul(1000)),
            Err(_) => Timestamp::parse(reset)?,
        };
        return (until > reply.at).then(|| until.min(reply.at.after(pace::BLOCK_MAX)));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn reply(headers: &[(&str, &str)]) -> Reply {
        let headers =
            headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Reply { status: 200, headers, body: Value::Null, at: Timestamp(1_000) }
    }

    #[test]
    fn last_call_of_a_window_is_noticed_in_every_header_family() {
        let exhausted_at = |headers: &[(&str, &str)]| exhausted(&reply(headers));
        let unix = [("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", "9")];
        assert_eq!(exhausted_at(&unix), Some(Timestamp(9_000)));
        let date =
            [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1970-01-01T00:00:09.5Z")];
        assert_eq!(exhausted_at(&date), Some(Timestamp(9_500)));
        let past = [("ratelimit-remaining", "0"), ("ratelimit-reset", "1")];
        assert_eq!(exhausted_at(&past), None);
        assert_eq!(exhausted_at(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "9")]), None);
    }
}
