//! A request left, or may have left, and nobody knows whether it took effect.
//!
//! Invariant: nothing here sends a request again unless `policy::recovery` says so.

use std::time::Duration;

use crate::{
    connectors::{Repeat, Reply, Request, Sighting},
    domain::{
        delivery::{Armed, Why},
        event::EventKind,
        organization::Actor,
        time::Timestamp,
    },
    engine::{
        core::Halt,
        delivery::attempt::{Absence, Attempt, Course, ECHO, guard},
        transitions::{self, Change, Rearmed, Wait},
    },
    policy::{
        lane::End,
        recovery::{self, CanLook, Decision},
        retry::{BACKOFF, UNSURE},
    },
};

/// A platform that cannot be asked for so long leaves the decision to a person.
const LOOKING_MAX: Duration = Duration::from_secs(60 * 60);

/// A platform that never answers clearly, and never has what was sent, is a person's to look at.
const UNANSWERED_MAX: u32 = 6;

/// A request with a key does no harm however often it is sent, but what is sent much later than it
/// was meant to be is a person's to decide.
const RESENDING_MAX: Duration = Duration::from_secs(15 * 60);

/// The answer has just failed to come. Never decided on at once: the platform may still be at it.
pub(super) async fn unanswered(
    attempt: &mut Attempt<'_>,
    request: &Request,
    reason: String,
) -> Result<Course, Halt> {
    let now = attempt.core().now();
    let armed = attempt.delivery.armed.clone().unwrap_or(Armed { since: now, looks: 0 });
    attempt.delivery.failures += 1;
    let can_look = can_look(attempt);
    let decision = recovery::decide(&guard(request), can_look, armed.since, armed.looks, now);
    let is_over = match decision {
        Decision::SendAgain => armed.since.elapsed(now) >= RESENDING_MAX,
        Decision::LookAt(_) | Decision::Ask(_) => attempt.delivery.failures >= UNANSWERED_MAX,
    };
    if is_over {
        let evidence =
            format!("It was sent several times, each time without a clear answer ({reason}).");
        return ask(attempt, &evidence).await;
    }
    let until = match decision {
        Decision::SendAgain => now.after(ECHO.max(armed.since.elapsed(now))),
        Decision::LookAt(at) => at,
        Decision::Ask(why) => return ask(attempt, &format!("{why} ({reason})")).await,
    };
    let text = format!("No answer ({reason}). Whether it took effect is found out at {until}.");
    pause(attempt, armed, until, text).await
}

/// A delivery was found with an unanswered request: after a crash, or after [`unanswered`].
pub(super) async fn decide(
    attempt: &mut Attempt<'_>,
    request: &Request,
    armed: Armed,
) -> Result<Course, Halt> {
    let now = attempt.core().now();
    let decision =
        recovery::decide(&guard(request), can_look(attempt), armed.since, armed.looks, now);
    match decision {
        Decision::Ask(why) => ask(attempt, why).await,
        Decision::LookAt(at) if at > now => {
            let text = format!("No answer was recorded. It is looked for at {at}.");
            pause(attempt, armed, at, text).await
        }
        Decision::LookAt(_) => look(attempt, request, armed).await,
        Decision::SendAgain => send_again(attempt, request, armed, now).await,
    }
}

async fn send_again(
    attempt: &mut Attempt<'_>,
    request: &Request,
    armed: Armed,
    now: Timestamp,
) -> Result<Course, Halt> {
    if let Repeat::Keyed { .. } = request.repeat
        && armed.looks == 0
    {
        let echo = armed.since.after(ECHO);
        if now < echo {
            let text = "No answer was recorded. It is sent again with the same key.".to_owned();
            return pause(attempt, armed, echo, text).await;
        }
        attempt.doubted = Some(armed);
        return attempt.send_decided(request.clone()).await;
    }
    // Absence is proven: from here on it is a first time.
    let fence = attempt.fence;
    let rearmed = attempt
        .core()
        .commit("arm again", move |view| transitions::rearm(view, fence, now))
        .await?;
    if rearmed == Rearmed::Missed {
        return Ok(Course::End(End::Settled));
    }
    attempt.delivery.armed = Some(Armed { since: now, looks: 0 });
    attempt.job.armed = Some(now);
    attempt.absence = Absence::Proven;
    let Ok(request) = attempt.request() else {
        return ask(attempt, "its step is unreadable").await;
    };
    attempt.send(request).await
}

fn can_look(attempt: &Attempt<'_>) -> CanLook {
    match attempt.connector.probe(&attempt.step, &attempt.job) {
        Ok(Some(_)) => CanLook::Yes,
        Ok(None) | Err(_) => CanLook::No,
    }
}

async fn look(attempt: &mut Attempt<'_>, request: &Request, armed: Armed) -> Result<Course, Halt> {
    let Ok(Some(probe)) = attempt.connector.probe(&attempt.step, &attempt.job) else {
        return ask(attempt, "The platform offers no way to look.").await;
    };
    let answer =
        attempt.core().client.send(&probe, &attempt.assignment.secrets, &attempt.files).await;
    let reply = match answer {
        Ok(reply) => reply,
        Err(error) => return look_later(attempt, armed, error.to_string()).await,
    };
    if reply.status == 401 && attempt.refreshable() {
        let end = attempt.end_of_old_token()?;
        return hand_back(attempt, end).await;
    }
    if matches!(reply.status, 408 | 425 | 429 | 500..) {
        let reason = format!("the platform answered HTTP {}", reply.status);
        return look_later(attempt, armed, reason).await;
    }
    match attempt.connector.recognise(&attempt.step, &attempt.job, &reply) {
        Ok(Sighting::Found(next)) if attempt.is_of_others(&next) => {
            let evidence = "What was found at the platform is another post of this account.";
            ask(attempt, evidence).await
        }
        Ok(Sighting::Found(next)) => {
            tell_found(attempt).await?;
            attempt.proceed(next, None).await
        }
        Ok(Sighting::Absent) => absent(attempt, request, armed, &reply).await,
        // It may hold words of the platform, and those what it was sent.
        Ok(Sighting::Unsure(reason)) => {
            let reason = attempt.assignment.secrets.redact(&reason);
            ask(attempt, &reason).await
        }
        Err(_) => ask(attempt, "its stored step cannot be read").await,
    }
}

async fn tell_found(attempt: &Attempt<'_>) -> Result<(), Halt> {
    let (fence, now) = (attempt.fence, attempt.core().now());
    attempt
        .core()
        .commit("found", move |view| {
            let mut change = Change::fenced(view, fence)?;
            let text = "Looked at the platform: it is there.".to_owned();
            change.tell(view, EventKind::DeliveryProbed, &Actor::Engine, now, text)?;
            change.write(view)?;
            Ok(())
        })
        .await
}

async fn absent(
    attempt: &mut Attempt<'_>,
    request: &Request,
    armed: Armed,
    reply: &Reply,
) -> Result<Course, Halt> {
    let (fence, now) = (attempt.fence, reply.at.max(attempt.core().now()));
    let armed = Armed { looks: armed.looks.saturating_add(1), ..armed };
    let stored = armed.clone();
    attempt
        .core()
        .commit("looked", move |view| transitions::looked(view, fence, stored, now))
        .await?;
    attempt.delivery.armed = Some(armed.clone());
    let guard = guard(request);
    match recovery::after_absence(&guard, CanLook::Yes, armed.since, armed.looks, now) {
        Decision::Ask(why) => ask(attempt, why).await,
        Decision::LookAt(at) => {
            let at = at.max(backed_off(&armed, attempt.delivery.failures));
            pause(attempt, armed, at, String::new()).await
        }
        Decision::SendAgain => send_again(attempt, request, armed, now).await,
    }
}

/// The last look is taken just before it would be sent again, and that is no sooner than after any
/// other failure: a platform that is away for some minutes does not use up all tries in one.
fn backed_off(armed: &Armed, failures: u32) -> Timestamp {
    let Some(last) = failures.checked_sub(1) else { return armed.since };
    let wait = usize::try_from(last).map_or(UNSURE, |last| *BACKOFF.get(last).unwrap_or(&UNSURE));
    armed.since.after(wait)
}

/// The platform could not be asked. Asked again after a while, but not for ever.
async fn look_later(
    attempt: &mut Attempt<'_>,
    armed: Armed,
    reason: String,
) -> Result<Course, Halt> {
    let now = attempt.core().now();
    if armed.since.elapsed(now) > LOOKING_MAX {
        let evidence = format!("The platform could not be asked whether it took effect: {reason}.");
        return ask(attempt, &evidence).await;
    }
    let until = now.after(armed.since.elapsed(now).clamp(ECHO, UNSURE));
    let text = format!("Could not look whether it took effect ({reason}); again at {until}.");
    pause(attempt, armed, until, text).await
}

/// Keeps the lane: what comes after it on this account must not overtake it.
async fn pause(
    attempt: &mut Attempt<'_>,
    armed: Armed,
    until: Timestamp,
    text: String,
) -> Result<Course, Halt> {
    let (fence, now) = (attempt.fence, attempt.core().now());
    let wait = Wait {
        until,
        why: Why::Probe { looks: armed.looks },
        step: None,
        armed: Some(armed),
        failures: attempt.delivery.failures,
        text,
    };
    attempt.end_with(End::Settled, move |view| transitions::wait(view, fence, wait, now)).await
}

/// Back to the lane as it is: still unanswered.
pub(super) async fn hand_back(attempt: &mut Attempt<'_>, end: End) -> Result<Course, Halt> {
    let (fence, now) = (attempt.fence, attempt.core().now());
    attempt.end_with(end, move |view| transitions::hand_back(view, fence, now)).await
}

pub(super) async fn ask(attempt: &mut Attempt<'_>, evidence: &str) -> Result<Course, Halt> {
    let (fence, now, live) = (attempt.fence, attempt.core().now(), attempt.live());
    let sought = attempt.connector.sought(&attempt.step, &attempt.job);
    let evidence = match sought {
        Ok(Some(what)) => format!("{evidence} It is about {what}."),
        Ok(None) | Err(_) => evidence.to_owned(),
    };
    attempt
        .end_with(End::Settled, move |view| transitions::in_doubt(view, fence, live, evidence, now))
        .await
}
