//! What a person proves themselves with: their password, and the second factor.
//!
//! Invariants:
//! - each change needs the password again: an open browser is not enough;
//! - a secret and a recovery code are shown once.

use crate::{
    domain::{
        event::EventKind,
        person::{Person, TwoFactor, folded},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine,
        core::Halt,
        facade::{Seat, hash, sessions},
        second_factor,
    },
    store::{INSTANCE, Owner, ReadPeople, View},
};

/// What an authenticator app is given.
#[derive(Clone, Debug)]
pub struct Offer {
    /// In base 32, for typing.
    pub secret: Secret,
    /// `otpauth://…`
    pub url: Secret,
}

impl Engine {
    /// Ends all other sessions.
    pub async fn change_password(&self, seat: &Seat, old: &Secret, new: &Secret) -> Answer<Seat> {
        self.prove_again(seat, old).await?;
        let kept = self.new_password(&seat.person.name, &seat.person.email, new).await?;
        self.change(seat, "change password", move |view, person, now| {
            person.password = Some(kept);
            // A link to set another one would undo it.
            person.reset = None;
            let text = format!("{} changed their password.", person.name);
            sessions::tell(view, person, now, EventKind::PasswordChanged, &text)
        })
        .await
    }

    /// Changes nothing about how one logs in until a code has proven that the secret was kept.
    pub async fn offer_two_factor(&self, seat: &Seat, password: &Secret) -> Answer<Offer> {
        self.prove_again(seat, password).await?;
        let secret = second_factor::new_secret(&self.core.entropy);
        let url = second_factor::url(&secret, &seat.person.email, "Fanfare");
        let (id, kept) = (seat.person.id, secret.clone());
        self.core
            .commit_at_door("offer a second factor", move |view| {
                let mut person = view.person(id)?.ok_or_else(sessions::wrong_login)?;
                if matches!(person.two_factor, TwoFactor::On { .. }) {
                    return Err(wrong_state("The second factor is on already.").into());
                }
                person.two_factor = TwoFactor::Offered;
                view.put_secret(INSTANCE, &Owner::Person(id), sessions::TOTP, &kept)?;
                view.put_person(&person)?;
                Ok(())
            })
            .await?;
        self.core.throttle.forgive(hash(&folded(&seat.person.email)));
        Ok(Offer { secret, url })
    }

    /// Ends all other sessions, which began without it. Answers with the recovery codes.
    pub async fn enable_two_factor(&self, seat: &Seat, code: &str) -> Answer<(Seat, Vec<Secret>)> {
        let account = hash(&folded(&seat.person.email));
        self.core.throttle.admit(account, seat.session.from, self.core.now())?;
        let codes = second_factor::recovery_codes(&self.core.entropy);
        let hashes: Vec<_> =
            codes.iter().map(|code| second_factor::recovery_hash(code.expose())).collect();
        let code = code.to_owned();
        let seat = self
            .change(seat, "enable the second factor", move |view, person, now| {
                if person.two_factor != TwoFactor::Offered {
                    return Err(wrong_state("No second factor is waiting for a code.").into());
                }
                let secret = view.secret(INSTANCE, &Owner::Person(person.id), sessions::TOTP)?;
                let step = secret.and_then(|it| second_factor::step(&it, &code, None, now));
                let step = step.ok_or_else(|| {
                    Problem::new(
                        Code::Invalid,
                        "This code is not the one that belongs to the secret now.",
                        "Look whether the clock of the phone is right, and send the next code.",
                    )
                    .at("code")
                })?;
                person.two_factor = TwoFactor::On { step };
                person.recovery = hashes;
                let text = format!("{} turned the second factor on.", person.name);
                sessions::tell(view, person, now, EventKind::TwoFactorEnabled, &text)
            })
            .await?;
        Ok((seat, codes))
    }

    /// Takes a code of the app, or a recovery code.
    pub async fn disable_two_factor(
        &self,
        seat: &Seat,
        password: &Secret,
        code: &str,
    ) -> Answer<Seat> {
        self.prove_again(seat, password).await?;
        let code = code.to_owned();
        self.change(seat, "disable the second factor", move |view, person, now| {
            if !matches!(person.two_factor, TwoFactor::On { .. }) {
                return Err(wrong_state("The second factor is not on.").into());
            }
            *person = sessions::admit(view, person, Some(&code), now)?;
            drop_two_factor(view, person)?;
            let text = format!("{} turned the second factor off.", person.name);
            sessions::tell(view, person, now, EventKind::TwoFactorDisabled, &text)
        })
        .await
    }

    async fn prove_again(&self, seat: &Seat, password: &Secret) -> Answer<()> {
        self.refuse_when_stopping()?;
        let Person { email, password: kept, .. } = &seat.person;
        let account = hash(&folded(email));
        self.core.throttle.admit(account, seat.session.from, self.core.now())?;
        if self.core.passwords.is_right(password, kept.as_ref()).await? {
            return Ok(());
        }
        let remedy = "Send the one that you log in with.";
        Err(Problem::new(Code::Forbidden, "The password is wrong.", remedy).at("password"))
    }

    pub(super) async fn new_password(
        &self,
        name: &str,
        email: &str,
        password: &Secret,
    ) -> Answer<Secret> {
        self.core.passwords.hash(password, &[name, email], self.core.entropy.bytes()).await
    }

    /// Changes the person; other sessions end, and this one goes on under a new secret.
    async fn change(
        &self,
        seat: &Seat,
        label: &'static str,
        change: impl FnOnce(&mut View, &mut Person, Timestamp) -> Result<(), Halt> + Send + 'static,
    ) -> Answer<Seat> {
        let now = self.core.now();
        let known = seat.person.clone();
        let (session, cookie) = self.renewed(&seat.session);
        let next = session.clone();
        let person = self
            .core
            .commit_at_door(label, move |view| {
                let mut person = view.person(known.id)?.ok_or_else(sessions::wrong_login)?;
                // What was proven was the password that it had then.
                if person.password != known.password || view.session(known.id, next.id)?.is_none() {
                    return Err(Halt::Fenced);
                }
                change(view, &mut person, now)?;
                sessions::end_sessions(view, person.id, Some(next.id))?;
                view.put_session(&next)?;
                view.put_person(&person)?;
                Ok(person)
            })
            .await?;
        // Not before: a right password does not make guesses at a code free.
        self.core.throttle.forgive(hash(&folded(&person.email)));
        Ok(self.seated(person, session, Some(cookie)))
    }
}

pub(super) fn drop_two_factor(view: &mut View, person: &mut Person) -> Result<(), Halt> {
    person.two_factor = TwoFactor::Off;
    person.recovery.clear();
    view.delete_secrets(INSTANCE, &Owner::Person(person.id))?;
    Ok(())
}

fn wrong_state(sentence: &str) -> Problem {
    Problem::new(Code::WrongState, sentence, "Look at your session to see what is on.")
}
