//! Logging in, being logged in, logging out.
//!
//! Invariants:
//! - a session begins with a secret of its own, whatever the browser held before;
//! - what a browser holds changes every day and when its person may do more or less than before;
//! - a wrong name and a wrong password are answered alike, after as long.

use std::{net::IpAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    domain::{
        event::EventKind,
        ids::{MemberId, OrganizationId, SessionId},
        organization::{Actor, Member, Reach, Role},
        person::{Person, Proof, Session, TwoFactor, folded},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine, coming_from,
        core::{Core, Halt},
        facade::{Caller, hash, tickets},
        journal::{self, Tale},
        second_factor,
    },
    policy::permission,
    store::{INSTANCE, Owner, Read, ReadPeople, View},
};

/// How long a browser holds one secret.
const RENEWED_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// Requests that were under way when it changed.
const BEFORE_LASTS: Duration = Duration::from_secs(60);

/// How exactly it is known when a session was last used.
const USED_GRAIN: Duration = Duration::from_secs(60);

/// Of one person. The one that was used least recently makes room.
const SESSIONS_MAX: usize = 50;

const AGENT_CHARS_MAX: usize = 200;

/// In the vault, of a person.
pub(super) const TOTP: &str = "totp";

const CSRF: &str = "fanfare requests of a session";

/// Where a request came from, and what its browser says that it is.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub from: Option<IpAddr>,
    pub agent: String,
    /// What the browser held before.
    pub cookie: Option<Secret>,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub email: String,
    pub password: Secret,
    /// Of the second factor, or a recovery code.
    pub code: Option<String>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Seat {
    pub person: Person,
    pub session: Session,
    /// What requests that change something have to carry beside the cookie.
    pub csrf: String,
    /// What the browser shall hold from now on, if that changes.
    pub cookie: Option<Secret>,
    /// When the session ends, whatever happens in it.
    pub until: Timestamp,
}

impl Seat {
    pub(super) fn actor(&self) -> Actor {
        Actor::Member(self.person.id)
    }
}

impl Engine {
    pub async fn login(&self, login: Login, visitor: Visitor) -> Answer<Seat> {
        let known = self.prove(&login, visitor.from).await?;
        let (session, cookie) = self.new_session(known.id, &visitor);
        let (now, begun, replaced) = (self.core.now(), session.clone(), visitor.cookie);
        let (who, with_code) = (known.clone(), login.code.is_some());
        let admitted = self
            .core
            .commit_at_door("log in", move |view| {
                let person = admit(view, &known, login.code.as_deref(), now)?;
                begin(view, &person, &begun, replaced.as_ref())?;
                Ok(person)
            })
            .await;
        // A page asks for the code when it is told that one is needed; that is no failure.
        if admitted.is_err() && with_code {
            self.note_refusal(who, visitor.from, "the code was wrong");
        }
        let person = admitted?;
        self.core.throttle.forgive(hash(&folded(&person.email)));
        Ok(self.seated(person, session, Some(cookie)))
    }

    /// The person of that address, if it is their password. The rest is for [`admit`].
    pub(super) async fn prove(&self, login: &Login, from: Option<IpAddr>) -> Answer<Person> {
        self.refuse_when_stopping()?;
        let email = folded(&login.email);
        self.core.throttle.admit(hash(&email), from, self.core.now())?;
        let person = self.core.store.person_with_email(&email)?;
        let kept = person.as_ref().and_then(|person| person.password.as_ref());
        let is_right = self.core.passwords.is_right(&login.password, kept).await?;
        match person {
            Some(person) if is_right && person.disabled.is_none() => Ok(person),
            somebody => {
                tracing::info!("somebody could not log in: the address or the password is wrong");
                if let Some(person) = somebody {
                    let why = if is_right { "they are disabled" } else { "the password was wrong" };
                    self.note_refusal(person, from, why);
                }
                Err(wrong_login())
            }
        }
    }

    /// Nobody waits for it: how long a refusal takes must not tell whether the address is known.
    fn note_refusal(&self, person: Person, from: Option<IpAddr>, why: &'static str) {
        let (core, now) = (self.core.clone(), self.core.now());
        tokio::spawn(coming_from(from, async move {
            let noted = core.commit_at_door("note a refused login", move |view| {
                let text = format!("Somebody tried to log in as {}: {why}.", person.name);
                tell_by(view, person.id, &Actor::Engine, now, EventKind::SessionRefused, &text)
            });
            if let Err(problem) = noted.await {
                tracing::warn!("a refused login was not noted: {}", problem.sentence);
            }
        }));
    }

    pub(super) fn new_session(&self, person: MemberId, visitor: &Visitor) -> (Session, Secret) {
        let now = self.core.now();
        let id = SessionId::new(now, self.core.entropy.number());
        let cookie = tickets::ticket([person.0, id.0], &self.core.entropy);
        let session = Session {
            id,
            person,
            hash: hash(cookie.expose()),
            before: None,
            created: now,
            used: now,
            renewed: now,
            from: visitor.from,
            agent: visitor.agent.chars().take(AGENT_CHARS_MAX).collect(),
        };
        (session, cookie)
    }

    /// The same session under another secret; the one before is worth nothing at once.
    pub(super) fn renewed(&self, session: &Session) -> (Session, Secret) {
        let cookie = tickets::ticket([session.person.0, session.id.0], &self.core.entropy);
        let (hash, renewed) = (hash(cookie.expose()), self.core.now());
        (Session { hash, before: None, renewed, used: renewed, ..session.clone() }, cookie)
    }

    pub(super) fn seated(&self, person: Person, session: Session, cookie: Option<Secret>) -> Seat {
        let names = [session.person.0.to_be_bytes(), session.id.0.to_be_bytes()].concat();
        let csrf = URL_SAFE_NO_PAD.encode(self.core.store.vault().sign(CSRF, &names));
        let until = session.created.after(self.core.login.lasts);
        Seat { person, session, csrf, cookie, until }
    }

    /// Who holds this cookie.
    pub async fn seat(&self, cookie: &str, from: Option<IpAddr>) -> Answer<Seat> {
        let now = self.core.now();
        let (mut session, person) = self.seat_of(cookie, now)?.ok_or_else(session_over)?;
        let is_newest = session.hash == hash(cookie);
        if is_newest && session.renewed.elapsed(now) >= RENEWED_EVERY {
            let (session, cookie) = self.renew_session(&session, from).await?;
            return Ok(self.seated(person, session, cookie));
        }
        if session.used.elapsed(now) >= USED_GRAIN {
            self.note_session(&session, from, now);
        }
        session.from = from;
        Ok(self.seated(person, session, None))
    }

    fn seat_of(&self, cookie: &str, now: Timestamp) -> Answer<Option<(Session, Person)>> {
        let Some([person, session]) = tickets::read(cookie) else { return Ok(None) };
        let store = &self.core.store;
        let found = store.session(MemberId(person), SessionId(session))?;
        let Some(session) = found.filter(|session| opens(session, &hash(cookie), now)) else {
            return Ok(None);
        };
        if is_over(&self.core, &session, now) {
            return Ok(None);
        }
        let person = store.person(session.person)?;
        let person = person.filter(|person| person.disabled.is_none());
        Ok(person.map(|person| (session, person)))
    }

    /// Gives the browser another secret. `None` if another request was first.
    async fn renew_session(
        &self,
        session: &Session,
        from: Option<IpAddr>,
    ) -> Answer<(Session, Option<Secret>)> {
        let now = self.core.now();
        let cookie = tickets::ticket([session.person.0, session.id.0], &self.core.entropy);
        let (held, next) = (session.clone(), hash(cookie.expose()));
        self.core
            .commit_at_door("renew a session", move |view| {
                let found = view.session(held.person, held.id)?.ok_or_else(session_over)?;
                if found.hash != held.hash {
                    return Ok((found, None));
                }
                let before = Some(Proof { hash: found.hash, until: now.after(BEFORE_LASTS) });
                let renewed =
                    Session { hash: next, before, renewed: now, used: now, from, ..found };
                view.put_session(&renewed)?;
                Ok((renewed, Some(cookie)))
            })
            .await
    }

    /// Nobody waits for it. Lost with the process, the session is only over a minute earlier.
    fn note_session(&self, session: &Session, from: Option<IpAddr>, now: Timestamp) {
        let (core, person, id) = (self.core.clone(), session.person, session.id);
        tokio::spawn(async move {
            let noted = core.commit_at_door("note the use of a session", move |view| {
                // One that ended meanwhile does not come back.
                if let Some(session) = view.session(person, id)?
                    && session.used.elapsed(now) >= USED_GRAIN
                {
                    view.put_session(&Session { used: now, from, ..session })?;
                }
                Ok(())
            });
            if let Err(problem) = noted.await {
                tracing::debug!("the use of a session was not noted: {}", problem.sentence);
            }
        });
    }

    /// What somebody who is logged in may do, in the organization that they wish or in their first.
    pub fn caller_in(&self, seat: &Seat, wished: Option<OrganizationId>) -> Answer<Caller> {
        let memberships = self.core.store.memberships(seat.person.id)?;
        let sees = |member: &&Member| permission::of_role(member.role).is_some();
        let member = match wished {
            Some(wished) => memberships.iter().find(|member| member.organization == wished),
            None => memberships.iter().find(sees).or(memberships.first()),
        };
        let Some(member) = member else {
            return Err(Problem::new(
                Code::Forbidden,
                "You are not a member of that organization.",
                "Leave the header `Fanfare-Organization` out, or name one of yours.",
            )
            .at("header.fanfare-organization"));
        };
        let grant = permission::of_role(member.role).ok_or_else(|| {
            Problem::new(
                Code::Forbidden,
                "A guest sees nothing of an organization.",
                "Ask an admin of the organization for another role.",
            )
        })?;
        self.refuse_erased(member.organization)?;
        Ok(Caller {
            organization: member.organization,
            scope: grant.scope,
            reach: if member.role == Role::Owner { Reach::Instance } else { Reach::Organization },
            actor: seat.actor(),
            session: Some(seat.session.id),
        })
    }

    /// Whether the session that a caller acts in is not over, and its person may do what they
    /// could.
    pub(super) fn is_still_seated(&self, caller: &Caller, person: MemberId) -> Answer<bool> {
        let store = &self.core.store;
        let Some(id) = caller.session else { return Ok(false) };
        let session = store.session(person, id)?;
        let lasts = session.is_some_and(|session| !is_over(&self.core, &session, self.core.now()));
        let allowed = store.person(person)?.is_some_and(|person| person.disabled.is_none());
        let member = store.member(caller.organization, person)?;
        let grant = member.and_then(|member| permission::of_role(member.role));
        Ok(lasts && allowed && grant == Some(caller.grant()))
    }

    /// What this person is, in each of their organizations.
    pub fn memberships(&self, seat: &Seat) -> Answer<Vec<Member>> {
        Ok(self.core.store.memberships(seat.person.id)?)
    }

    /// One's own that are not over, oldest first.
    pub fn sessions(&self, seat: &Seat) -> Answer<Vec<Session>> {
        let now = self.core.now();
        let mut sessions = self.core.store.sessions(seat.person.id)?;
        sessions.retain(|session| !is_over(&self.core, session, now));
        Ok(sessions)
    }

    /// One of one's own, the one that asks included.
    pub async fn end_session(&self, seat: &Seat, id: SessionId) -> Answer<()> {
        let (person, now) = (seat.person.clone(), self.core.now());
        self.core
            .commit_at_door("end a session", move |view| {
                let session = view.session(person.id, id)?.ok_or_else(|| {
                    Problem::new(
                        Code::NotFound,
                        format!("There is no session {id}."),
                        "List your sessions; one that is over is gone.",
                    )
                })?;
                view.delete_session(&session)?;
                tell_ended(view, &person, 1, now)
            })
            .await
    }

    /// All of one's own but the one that asks; how many those were.
    pub async fn end_other_sessions(&self, seat: &Seat) -> Answer<usize> {
        let (person, kept, now) = (seat.person.clone(), seat.session.id, self.core.now());
        self.core
            .commit_at_door("end other sessions", move |view| {
                let ended = end_sessions(view, person.id, Some(kept))?;
                if ended > 0 {
                    tell_ended(view, &person, ended, now)?;
                }
                Ok(ended)
            })
            .await
    }
}

/// Takes the code of the second factor, where there is one: each works once. Whoever is let in is
/// who they were when their password was looked at.
pub(super) fn admit(
    view: &mut View,
    known: &Person,
    code: Option<&str>,
    now: Timestamp,
) -> Result<Person, Halt> {
    let person = view.person(known.id)?;
    let same = |person: &Person| person.password == known.password && person.disabled.is_none();
    let mut person = person.filter(same).ok_or_else(wrong_login)?;
    let TwoFactor::On { step } = person.two_factor else { return Ok(person) };
    let Some(code) = code else {
        return Err(Problem::new(
            Code::CodeNeeded,
            "This account has a second factor.",
            "Send the code of the authenticator app as `code`, or one of the recovery codes.",
        )
        .at("code")
        .into());
    };
    let secret = view.secret(INSTANCE, &Owner::Person(person.id), TOTP)?;
    let used = secret.and_then(|secret| second_factor::step(&secret, code, Some(step), now));
    let recovery = second_factor::recovery_hash(code);
    if let Some(step) = used {
        person.two_factor = TwoFactor::On { step };
    } else if let Some(at) = person.recovery.iter().position(|known| *known == recovery) {
        person.recovery.remove(at);
        let left = person.recovery.len();
        let text = format!("{} used a recovery code; {left} are left.", person.name);
        tell(view, &person, now, EventKind::RecoveryCodeUsed, &text)?;
    } else {
        return Err(Problem::new(
            Code::CodeNeeded,
            "This code is not the one of now, or it was used already.",
            "Wait for the next code of the app, or use a recovery code that is left.",
        )
        .at("code")
        .into());
    }
    view.put_person(&person)?;
    Ok(person)
}

/// The session that the browser held before ends: it is the same browser.
pub(super) fn begin(
    view: &mut View,
    person: &Person,
    session: &Session,
    replaced: Option<&Secret>,
) -> Result<(), Halt> {
    let now = session.created;
    if let Some(cookie) = replaced
        && let Some([owner, id]) = tickets::read(cookie.expose())
        && let Some(old) = view.session(MemberId(owner), SessionId(id))?
        && opens(&old, &hash(cookie.expose()), now)
    {
        view.delete_session(&old)?;
    }
    let mut others = view.sessions(person.id)?;
    others.sort_by_key(|other| std::cmp::Reverse(other.used));
    for other in others.iter().skip(SESSIONS_MAX - 1) {
        view.delete_session(other)?;
    }
    view.put_session(session)?;
    let text = format!("{} logged in.", person.name);
    tell(view, person, now, EventKind::SessionStarted, &text)
}

/// What somebody did with their own account is told in each of their organizations.
pub(super) fn tell(
    view: &mut View,
    person: &Person,
    now: Timestamp,
    kind: EventKind,
    text: &str,
) -> Result<(), Halt> {
    tell_by(view, person.id, &Actor::Member(person.id), now, kind, text)
}

pub(super) fn tell_by(
    view: &mut View,
    about: MemberId,
    actor: &Actor,
    now: Timestamp,
    kind: EventKind,
    text: &str,
) -> Result<(), Halt> {
    for member in view.memberships(about)? {
        journal::tell(view, Tale::of(member.organization, now, actor, kind, text))?;
    }
    Ok(())
}

fn tell_ended(view: &mut View, person: &Person, count: usize, now: Timestamp) -> Result<(), Halt> {
    let what = if count == 1 { "a session".to_owned() } else { format!("{count} sessions") };
    let text = format!("{} ended {what}.", person.name);
    tell(view, person, now, EventKind::SessionEnded, &text)
}

/// All of a person but one; how many those were.
pub(super) fn end_sessions(
    view: &mut View,
    person: MemberId,
    kept: Option<SessionId>,
) -> Result<usize, Halt> {
    let mut sessions = view.sessions(person)?;
    sessions.retain(|session| Some(session.id) != kept);
    for session in &sessions {
        view.delete_session(session)?;
    }
    Ok(sessions.len())
}

/// Each of a person's browsers is given another secret when it next asks.
pub(super) fn renew_all(view: &mut View, person: MemberId) -> Result<(), Halt> {
    for session in view.sessions(person)? {
        view.put_session(&Session { renewed: Timestamp(0), ..session })?;
    }
    Ok(())
}

fn opens(session: &Session, hash: &[u8; 32], now: Timestamp) -> bool {
    let is_before = |before: Proof| before.hash == *hash && before.until > now;
    session.hash == *hash || session.before.is_some_and(is_before)
}

pub(in crate::engine) fn is_over(core: &Core, session: &Session, now: Timestamp) -> bool {
    session.used.elapsed(now) >= core.login.idle || session.created.elapsed(now) >= core.login.lasts
}

fn session_over() -> Problem {
    Problem::new(Code::Unauthorized, "This session is over.", "Log in again.").at("cookie")
}

pub(super) fn wrong_login() -> Problem {
    Problem::new(
        Code::Unauthorized,
        "The address or the password is wrong.",
        "Try again; whoever runs this instance can let you set a new password with `fanfare member \
         reset`.",
    )
}
