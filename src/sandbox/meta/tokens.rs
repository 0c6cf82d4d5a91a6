//! Consents, and the tokens that were given out under them.
//!
//! Invariants: a token acts for one subject through one door; none outlives its consent.

use std::{collections::HashMap, time::Duration};

use sha2::{Digest, Sha256};

use crate::domain::time::Timestamp;

use super::{
    Answer, Door, SECRET,
    refusal::{expired_token, invalid, removed_app, unreadable_token},
};

/// "about 60 days" (Facebook Login, long-lived tokens, read 2026-11-21).
pub(super) const LONG_LIFE: Duration = Duration::from_secs(5_183_944);

/// In whose name a token acts: numbers into the estate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Person(usize),
    Page(usize),
    Profile(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Span {
    Short,
    Long,
}

pub(super) struct Consent {
    pub(super) door: Door,
    pub(super) client: String,
    pub(super) granted: Vec<String>,
    pub(super) declined: Vec<String>,
    pub(super) at: Timestamp,
    revoked: bool,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) consent: usize,
    pub(super) subject: Subject,
    pub(super) span: Span,
    pub(super) issued_at: Timestamp,
    /// `None` for the page tokens that come from long-lived user tokens.
    pub(super) expires_at: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Tokens {
    consents: Vec<Consent>,
    tokens: HashMap<String, Token>,
    /// By the user token that asked: the same page has the same token.
    of_pages: HashMap<(usize, usize, Span), String>,
}

impl Tokens {
    pub(super) fn consent(
        &mut self,
        door: Door,
        client: &str,
        (granted, declined): (Vec<String>, Vec<String>),
        at: Timestamp,
    ) -> usize {
        let client = client.to_owned();
        self.consents.push(Consent { door, client, granted, declined, at, revoked: false });
        self.consents.len() - 1
    }

    pub(super) fn behind(&self, token: &Token) -> &Consent {
        &self.consents[token.consent]
    }

    pub(super) fn issue(&mut self, token: Token) -> String {
        let text = token.text.clone();
        self.tokens.insert(text.clone(), token);
        text
    }

    /// A page's own token, made when it is first asked for.
    pub(super) fn of_page(
        &mut self,
        person: &Token,
        page: usize,
        now: Timestamp,
        text: impl FnOnce() -> String,
    ) -> String {
        let key = (person.consent, page, person.span);
        if let Some(known) = self.of_pages.get(&key)
            && self.judge(known, now).is_ok()
        {
            return known.clone();
        }
        let expires_at = match person.span {
            Span::Short => person.expires_at,
            Span::Long => None,
        };
        let text = self.issue(Token {
            text: text(),
            consent: person.consent,
            subject: Subject::Page(page),
            span: person.span,
            issued_at: now,
            expires_at,
        });
        self.of_pages.insert(key, text.clone());
        text
    }

    pub(super) fn get(&self, text: &str) -> Option<&Token> {
        self.tokens.get(text)
    }

    /// The token, if it may still be used.
    pub(super) fn judge(&self, text: &str, now: Timestamp) -> Result<&Token, Answer> {
        let token = self.tokens.get(text).ok_or_else(unreadable_token)?;
        if self.behind(token).revoked {
            return Err(removed_app());
        }
        match token.expires_at.is_some_and(|end| end <= now) {
            true => Err(expired_token()),
            false => Ok(token),
        }
    }

    pub(super) fn carries(&self, token: &Token, scope: &str) -> bool {
        self.behind(token).granted.iter().any(|granted| granted == scope)
    }

    pub(super) fn revoke(&mut self, consent: usize) {
        self.consents[consent].revoked = true;
    }

    /// Takes one scope back; the rest stays.
    pub(super) fn revoke_scope(&mut self, consent: usize, scope: &str) {
        let consent = &mut self.consents[consent];
        if let Some(place) = consent.granted.iter().position(|granted| granted == scope) {
            let scope = consent.granted.remove(place);
            consent.declined.push(scope);
        }
    }

    pub(super) fn expire(&mut self, text: &str, now: Timestamp) {
        if let Some(token) = self.tokens.get_mut(text) {
            token.expires_at = Some(now);
        }
    }
}

/// `appsecret_proof` may be left out, but must not be wrong.
pub(super) fn check_proof(proof: Option<&str>, token: &str) -> Result<(), Answer> {
    match proof {
        Some(proof) if proof != hmac_hex(SECRET, token) => {
            Err(invalid("Invalid appsecret_proof provided in the API argument"))
        }
        Some(_) | None => Ok(()),
    }
}

/// HMAC-SHA256 (RFC 2104) in lowercase hex.
fn hmac_hex(key: &str, message: &str) -> String {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    block[..key.len()].copy_from_slice(key.as_bytes());
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36), message.as_bytes()].concat());
    let outer = [block.map(|byte| byte ^ 0x5c).as_slice(), inner.as_slice()].concat();
    Sha256::digest(outer).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_standard_one() {
        // RFC 4231, test case 2.
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hmac_hex("Jefe", "what do ya want for nothing?"), wanted);
    }
}
