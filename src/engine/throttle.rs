//! How often somebody may try to log in. In memory: nothing is lost when it is forgotten.
//!
//! Invariant: however many addresses and names are tried, what is remembered is bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    domain::{
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::Answer,
    policy::rate::{self, Rate},
};

const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Of one account, from wherever. A person mistypes a few times; a guesser gets a thousand a day.
const OF_ACCOUNT: Rate = Rate { calls: 10, window: WINDOW };

/// From one address, for whomever: an office shares one.
const OF_ADDRESS: Rate = Rate { calls: 60, window: WINDOW };

const REMEMBERED_MAX: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    /// By the hash of its name, which may belong to nobody.
    Account([u8; 32]),
    Address(IpAddr),
}

#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<Subject, Timestamp>>);

impl Throttle {
    /// Before the try: whoever tries a hundred times at once is counted a hundred times.
    pub(super) fn admit(
        &self,
        account: [u8; 32],
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Answer<()> {
        if let Some(from) = from.and_then(counted) {
            self.take(Subject::Address(from), OF_ADDRESS, now)?;
        }
        self.take(Subject::Account(account), OF_ACCOUNT, now)
    }

    /// After a try that was right.
    pub(super) fn forgive(&self, account: [u8; 32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&Subject::Account(account));
    }

    fn take(&self, subject: Subject, rate: Rate, now: Timestamp) -> Answer<()> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rate::take(rate, spent.get(&subject).copied(), now);
        if spent.len() >= REMEMBERED_MAX && !spent.contains_key(&subject) {
            make_room(&mut spent, now);
        }
        spent.insert(subject, taken.spent);
        match taken.wait {
            None => Ok(()),
            Some(wait) => Err(Problem::new(
                Code::TooManyRequests,
                "There were too many tries to log in.",
                "Wait as long as `Retry-After` says; whoever runs this instance can set a new \
                 password with `fanfare member reset`.",
            )
            .retry_after(wait)),
        }
    }
}

/// Who has waited long enough is not missed; if everybody has to wait, who has to wait least.
fn make_room(spent: &mut HashMap<Subject, Timestamp>, now: Timestamp) {
    spent.retain(|_, spent| *spent > now);
    if spent.len() >= REMEMBERED_MAX {
        let least = spent.iter().min_by_key(|(_, spent)| **spent);
        if let Some(least) = least.map(|(subject, _)| subject.clone()) {
            spent.remove(&least);
        }
    }
}

/// A provider gives each customer a whole /64 of IPv6. What comes from this machine comes from a
/// proxy in front, and stands for everybody.
fn counted(from: IpAddr) -> Option<IpAddr> {
    match from.to_canonical() {
        from if from.is_loopback() => None,
        IpAddr::V6(from) => {
            let [a, b, c, d, ..] = from.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
        from => Some(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn account(number: u64) -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn tenth_try_goes_and_the_next_one_is_told_how_long_to_wait() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(throttle.admit(account(1), None, NOW), Ok(()));
        }
        let refused = throttle.admit(account(1), None, NOW).unwrap_err();
        assert_eq!(refused.code, Code::TooManyRequests);
        assert_eq!(refused.retry_after, Some(Duration::from_secs(90)));
        assert_eq!(throttle.admit(account(2), None, NOW), Ok(()));
        assert_eq!(throttle.admit(account(1), None, NOW.after(Duration::from_secs(90))), Ok(()));
        throttle.forgive(account(1));
        assert_eq!(throttle.admit(account(1), None, NOW), Ok(()));
    }

    #[test]
    fn neighbours_in_a_network_count_as_one_and_this_machine_not_at_all() {
        let throttle = Throttle::default();
        let tries = |prefix: &str| {
            (0..100)
                .filter(|at| {
                    let from = format!("{prefix}{at}").parse().unwrap();
                    throttle.admit(account(*at), Some(from), NOW).is_ok()
                })
                .count()
        };
        assert_eq!(tries("2001:db8::"), 60);
        assert_eq!(tries("192.0.2."), 100);
        assert_eq!(tries("127.0.0."), 100);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..(u64::try_from(REMEMBERED_MAX).unwrap() + 50) {
            assert_eq!(throttle.admit(account(number), None, NOW), Ok(()));
        }
        assert_eq!(throttle.0.lock().unwrap().len(), REMEMBERED_MAX);
    }
}
