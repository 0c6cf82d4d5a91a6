//! Passwords: whether one is good enough, what it hashes to, and whether it is the right one.
//!
//! Invariants:
//! - a password is never kept, only its argon2id hash;
//! - for somebody who does not exist as much is computed as for somebody who does;
//! - at most two are computed at once, and only so many wait: nobody can use up the machine.

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;
use zxcvbn::{Score, zxcvbn};

use crate::{
    domain::{
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::{Answer, core::unexpected},
};

const CHARS_MIN: usize = 10;
const CHARS_MAX: usize = 200;

/// "Use Argon2id with a minimum configuration of 19 MiB of memory, an iteration count of 2, and 1
/// degree of parallelism" (OWASP Password Storage Cheat Sheet, as known in 2026-11).
const MEMORY_KIB: u32 = 19 * 1024;
const ITERATIONS: u32 = 2;
const LANES: u32 = 1;

const AT_ONCE: usize = 2;
const WAITING_MAX: usize = 30;

/// The hash of nobody's password, computed with the same cost.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(super) struct Passwords {
    computing: Semaphore,
    waiting: Semaphore,
}

impl Passwords {
    pub(super) fn new() -> Passwords {
        Passwords {
            computing: Semaphore::new(AT_ONCE),
            waiting: Semaphore::new(AT_ONCE + WAITING_MAX),
        }
    }

    /// The hash to keep of a new password, if it is good enough. `known`: what an attacker knows of
    /// the person, such as their name.
    pub(super) async fn hash(
        &self,
        password: &Secret,
        known: &[&str],
        salt: [u8; 16],
    ) -> Answer<Secret> {
        let password = normal(password);
        let known: Vec<String> = known.iter().map(|word| (*word).to_owned()).collect();
        self.compute(move || {
            check(&password, &known)?;
            let salt = SaltString::encode_b64(&salt).map_err(|error| failed(&error))?;
            let hash = argon2()?.hash_password(password.expose().as_bytes(), &salt);
            Ok(Secret::new(hash.map_err(|error| failed(&error))?.to_string()))
        })
        .await
    }

    /// Whether it is the password of this hash; with `None` never, after as long.
    pub(super) async fn is_right(&self, password: &Secret, hash: Option<&Secret>) -> Answer<bool> {
        let password = normal(password);
        let too_long = password.expose().chars().count() > CHARS_MAX;
        let hash = hash.filter(|_| !too_long).map_or(NOBODY, Secret::expose).to_owned();
        self.compute(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| failed(&error))?;
            Ok(argon2()?.verify_password(password.expose().as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let waiting = self.waiting.try_acquire().map_err(|_| {
            Problem::new(
                Code::Busy,
                "More passwords are being checked than can be; nothing was changed.",
                "Try again in a few seconds.",
            )
        })?;
        let turn = self.computing.acquire().await;
        let done = tokio::task::spawn_blocking(work).await;
        drop((waiting, turn));
        done.map_err(|error| unexpected(&error.to_string()))?
    }
}

fn argon2() -> Answer<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, ITERATIONS, LANES, None);
    let params = params.map_err(|error| unexpected(&error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: &argon2::password_hash::Error) -> Problem {
    unexpected(&format!("a password could not be hashed: {error}"))
}

/// Keyboards write one letter in several ways.
fn normal(password: &Secret) -> Secret {
    Secret::new(password.expose().nfkc().collect::<String>())
}

fn check(password: &Secret, known: &[String]) -> Answer<()> {
    let chars = password.expose().chars().count();
    let weak = |sentence: String, remedy: &str| {
        Err(Problem::new(Code::PasswordWeak, sentence, remedy).at("password"))
    };
    if chars < CHARS_MIN {
        let sentence = format!("The password has {chars} characters; it needs {CHARS_MIN}.");
        return weak(sentence, "Use several words that do not belong together.");
    }
    if chars > CHARS_MAX {
        let sentence = format!("The password has {chars} characters; the most is {CHARS_MAX}.");
        return weak(sentence, "Use a shorter one.");
    }
    let mut words: Vec<&str> = vec!["fanfare"];
    for known in known {
        words.push(known);
        words.extend(known.split(['@', '.', ' ', '-', '_']).filter(|piece| piece.len() > 2));
    }
    let guessed = zxcvbn(password.expose(), &words);
    if guessed.score() >= Score::Three {
        return Ok(());
    }
    let why = guessed.feedback().and_then(|feedback| feedback.warning());
    let why = why.map_or(String::new(), |why| format!(" {why}"));
    weak(
        format!("The password can be guessed too easily.{why}"),
        "Use several words that do not belong together, or let a password manager make one.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[tokio::test]
    async fn right_password_is_known_again_however_it_was_typed_and_no_other() {
        let passwords = Passwords::new();
        let good = secret("quiet Möwe above lanterns");
        let hash = passwords.hash(&good, &[], [7; 16]).await.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let decomposed = secret("quiet Mo\u{308}we above lanterns");
        assert!(passwords.is_right(&decomposed, Some(&hash)).await.unwrap());
        assert!(!passwords.is_right(&secret("quiet"), Some(&hash)).await.unwrap());
        assert!(!passwords.is_right(&good, None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_ours_cost() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, ITERATIONS, LANES)
        );
        assert_eq!(nobody.hash.unwrap().len(), 32);
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() {
        let known = ["Ada Lovelace".to_owned(), "ada@analytical.example".to_owned()];
        for (text, reason) in [
            ("short", "has 5 characters"),
            ("aaaaaaaaaaaaaaa", "guessed"),
            ("password1234", "guessed"),
            ("ada@analytical.example", "guessed"),
            ("fanfarefanfare", "guessed"),
        ] {
            let problem = check(&secret(text), &known).unwrap_err();
            assert_eq!(problem.code, Code::PasswordWeak, "{text}");
            assert!(problem.sentence.contains(reason), "{text}: {}", problem.sentence);
        }
        let long = check(&secret(&"quiet lantern ".repeat(20)), &known).unwrap_err();
        assert!(long.sentence.contains("the most is 200"), "{}", long.sentence);
        assert_eq!(check(&secret("quiet gull above lanterns"), &known), Ok(()));
    }
}
