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
