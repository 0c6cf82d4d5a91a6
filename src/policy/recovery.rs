//! Decides what to do with a request whose answer never came: a crash, a time-out, a dropped
//! connection, or an answer that proves nothing.
//!
//! Invariants:
//! - what would be a second post is sent again only on proof of absence, seen twice;
//! - a request that duplicates, and that no read can find, is a person's to decide;
//! - a key is trusted only inside its time, and not by a clock that was set back;
//! - no look is taken before the platform has settled: it would prove nothing.

use std::time::Duration;

use crate::domain::time::Timestamp;

/// Looks that must find nothing before it counts as proof.
pub const LOOKS: u8 = 2;

/// A delivery that was running each time the process died is set aside after so many.
pub const CRASHES_MAX: u32 = 3;

/// For a request whose key ran out: its platform names no time of its own.
const SETTLE: Duration = Duration::from_secs(20);

/// A clock set back by more than this would have us wait for a time that is far off.
const STEP_BACK_MAX: Duration = Duration::from_secs(15 * 60);

/// What happens if the request arrives twice, as its connector declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    Harmless,
    /// The platform recognises a repetition for so long.
    Keyed {
        valid_for: Duration,
    },
    /// A read tells, once so much time has passed.
    Probed {
        settle: Duration,
    },
    /// A second post, and nothing tells.
    Duplicates,
}

/// Whether the connector has a probe for this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanLook {
    Yes,
    No,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    SendAgain,
    /// Not before this instant; when it is `now`, at once.
    LookAt(Timestamp),
    /// In doubt. Why, as evidence for the person who decides.
    Ask(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterCrash {
    Resume,
    SetAside,
}

/// `since`: when the request was first armed. `looks`: those so far that found nothing.
pub fn decide(
    guard: &Guard,
    can_look: CanLook,
    since: Timestamp,
    looks: u8,
    now: Timestamp,
) -> Decision {
    match (*guard, can_look) {
        (Guard::Harmless, _) => Decision::SendAgain,
        (Guard::Keyed { valid_for }, _) if is_valid(since, valid_for, now) => Decision::SendAgain,
        (Guard::Keyed { .. }, CanLook::Yes) => look(SETTLE, since, looks, now),
        (Guard::Keyed { .. }, CanLook::No) => Decision::Ask(
            "The request was sent with a key that the platform no longer recognises, and the \
             platform offers no way to look.",
        ),
        (Guard::Probed { settle }, CanLook::Yes) => look(settle, since, looks, now),
        (Guard::Probed { .. }, CanLook::No) | (Guard::Duplicates, _) => Decision::Ask(
            "The request was sent, its answer never came, and the platform offers no way to tell \
             whether it took effect.",
        ),
    }
}

/// The same, to be asked right after a look that found nothing and that `looks` includes: the next
/// look is far enough from this one to be worth as much.
pub fn after_absence(
    guard: &Guard,
    can_look: CanLook,
    since: Timestamp,
    looks: u8,
    now: Timestamp,
) -> Decision {
    let settle = match *guard {
        Guard::Probed { settle } => settle,
        Guard::Harmless | Guard::Keyed { .. } | Guard::Duplicates => SETTLE,
    };
    match decide(guard, can_look, since, looks, now) {
        Decision::LookAt(at) => Decision::LookAt(at.max(now.after(settle))),
        other @ (Decision::SendAgain | Decision::Ask(_)) => other,
    }
}

/// `crashes`: starts of this delivery that ended with the process dying.
pub fn after_crash(crashes: u32) -> AfterCrash {
    if crashes < CRASHES_MAX { AfterCrash::Resume } else { AfterCrash::SetAside }
}

/// A clock that shows a time before `since` was set back; how long ago the key was first used is
/// then unknown, and the key is not trusted.
fn is_valid(since: Timestamp, valid_for: Duration, now: Timestamp) -> bool {
    since <= now && now < since.after(valid_for)
}

fn look(settle: Duration, since: Timestamp, looks: u8, now: Timestamp) -> Decision {
    if looks >= LOOKS {
        return Decision::SendAgain;
    }
    if since.remaining(now) > STEP_BACK_MAX {
        return Decision::Ask(
            "The request was sent and its answer never came. The machine's clock was set back \
             since, so a look now could miss what the platform has not shown yet.",
        );
    }
    let settled = since.after(settle.saturating_mul(u32::from(looks) + 1));
    Decision::LookAt(settled.max(now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SENT: Timestamp = Timestamp(1_000_000_000);
    const KEYED: Guard = Guard::Keyed { valid_for: Duration::from_secs(1_800) };
    const PROBED: Guard = Guard::Probed { settle: Duration::from_secs(30) };

    fn after(seconds: u64) -> Timestamp {
        SENT.after(Duration::from_secs(seconds))
    }

    fn look_at(seconds: u64) -> Decision {
        Decision::LookAt(after(seconds))
    }

    #[test]
    fn harmless_request_is_sent_again_at_any_time() {
        for now in [Timestamp(0), SENT, after(1_000_000)] {
            let decision = decide(&Guard::Harmless, CanLook::No, SENT, 0, now);
            assert_eq!(decision, Decision::SendAgain);
        }
    }

    #[test]
    fn key_is_trusted_inside_its_time_alone() {
        let keyed = |can_look, now| decide(&KEYED, can_look, SENT, 0, now);
        assert_eq!(keyed(CanLook::No, SENT), Decision::SendAgain);
        assert_eq!(keyed(CanLook::No, after(1_799)), Decision::SendAgain);
        assert!(matches!(keyed(CanLook::No, after(1_800)), Decision::Ask(_)));
        assert_eq!(keyed(CanLook::Yes, after(1_800)), look_at(1_800));
    }

    #[test]
    fn key_is_not_trusted_by_a_clock_that_was_set_back() {
        let earlier = SENT.before(Duration::from_secs(1));
        assert_eq!(decide(&KEYED, CanLook::Yes, SENT, 0, earlier), look_at(20));
        assert!(matches!(decide(&KEYED, CanLook::No, SENT, 0, earlier), Decision::Ask(_)));
        let yesterday = SENT.before(Duration::from_secs(86_400));
        assert!(matches!(decide(&KEYED, CanLook::Yes, SENT, 0, yesterday), Decision::Ask(_)));
    }

    #[test]
    fn two_looks_that_find_nothing_are_proof() {
        let look = |looks, now| decide(&PROBED, CanLook::Yes, SENT, looks, after(now));
        assert_eq!(look(0, 2), look_at(30));
        assert_eq!(look(0, 31), look_at(31));
        assert_eq!(look(1, 31), look_at(60));
        assert_eq!(look(2, 60), Decision::SendAgain);
    }

    #[test]
    fn second_look_keeps_its_distance_from_a_first_that_was_late() {
        let absent = |looks, now| after_absence(&PROBED, CanLook::Yes, SENT, looks, after(now));
        assert_eq!(absent(1, 5_000), look_at(5_030));
        assert_eq!(absent(2, 5_030), Decision::SendAgain);
    }

    #[test]
    fn what_no_read_can_tell_is_asked() {
        for guard in [Guard::Duplicates, PROBED] {
            let decision = decide(&guard, CanLook::No, SENT, 9, after(9));
            assert!(matches!(decision, Decision::Ask(why) if why.ends_with('.')), "{guard:?}");
        }
    }

    #[test]
    fn third_crash_sets_a_delivery_aside() {
        assert_eq!(after_crash(2), AfterCrash::Resume);
        assert_eq!(after_crash(3), AfterCrash::SetAside);
    }

    fn duration() -> impl Strategy<Value = Duration> {
        prop_oneof![
            (0..100_000_u64).prop_map(Duration::from_millis),
            Just(Duration::MAX),
            any::<u64>().prop_map(Duration::from_millis),
        ]
    }

    fn instant() -> impl Strategy<Value = Timestamp> {
        prop_oneof![0..200_000_u64, any::<u64>()].prop_map(Timestamp)
    }

    fn can_look() -> impl Strategy<Value = CanLook> {
        prop_oneof![Just(CanLook::Yes), Just(CanLook::No)]
    }

    proptest! {
        #[test]
        fn duplicating_request_is_never_sent_again(
            can_look in can_look(), since in instant(), looks in any::<u8>(), now in instant(),
        ) {
            let decision = decide(&Guard::Duplicates, can_look, since, looks, now);
            prop_assert!(matches!(decision, Decision::Ask(_)));
        }

        #[test]
        fn without_a_valid_key_only_two_looks_lead_to_sending_again(
            valid_for in duration(), settle in duration(), can_look in can_look(),
            since in instant(), looks in any::<u8>(), now in instant(),
        ) {
            let in_time = since <= now && now < since.after(valid_for);
            for (guard, valid) in
                [(Guard::Keyed { valid_for }, in_time), (Guard::Probed { settle }, false)]
            {
                let decision = decide(&guard, can_look, since, looks, now);
                let proven = looks >= LOOKS && can_look == CanLook::Yes;
                prop_assert_eq!(decision == Decision::SendAgain, valid || proven);
            }
        }

        #[test]
        fn no_look_is_early_or_in_the_past(
            settle in duration(), since in instant(), looks in 0..LOOKS, now in instant(),
        ) {
            let guard = Guard::Probed { settle };
            if let Decision::LookAt(at) = decide(&guard, CanLook::Yes, since, looks, now) {
                prop_assert!(at >= now && at >= since.after(settle));
            }
            if let Decision::LookAt(at) = after_absence(&guard, CanLook::Yes, since, looks, now) {
                prop_assert!(at >= now.after(settle) && at >= since.after(settle));
            }
        }
    }
}
