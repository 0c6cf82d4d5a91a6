//! The consent page and authorization codes, as the OAuth platforms share them: RFC 6749 with
//! PKCE (RFC 7636).

use std::{collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use url::Url;

use crate::domain::time::Timestamp;

use super::wire::{Answer, Call};

/// What the client promised to be able to prove.
#[derive(Clone, PartialEq)]
pub(crate) enum Challenge {
    S256(String),
    Plain(String),
}

impl Challenge {
    /// Reads the authorization request's two parameters. `Ok(None)` when there is no challenge.
    pub(crate) fn read(
        challenge: Option<&str>,
        method: Option<&str>,
    ) -> Result<Option<Challenge>, &'static str> {
        let Some(challenge) = challenge.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match method {
            Some("S256") if challenge.len() == 43 => {
                Ok(Some(Challenge::S256(challenge.to_owned())))
            }
            Some("S256") => Err("code_challenge must be 43 characters of base64url"),
            Some("plain") | None => Ok(Some(Challenge::Plain(challenge.to_owned()))),
            Some(_) => Err("code_challenge_method must be S256"),
        }
    }

    fn is_met_by(&self, verifier: &str) -> bool {
        match self {
            Challenge::S256(wanted) => {
                URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) == *wanted
            }
            Challenge::Plain(wanted) => verifier == wanted,
        }
    }
}

pub(crate) struct Code {
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) scopes: Vec<String>,
    pub(crate) account: usize,
    pub(crate) expires_at: Timestamp,
}

/// What the token request says about a code.
pub(crate) struct Claim<'a> {
    pub(crate) client: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
}

#[derive(Default)]
pub(crate) struct Codes {
    open: HashMap<String, Code>,
}

impl Codes {
    pub(crate) fn issue(&mut self, text: String, code: Code) {
        self.open.insert(text, code);
    }

    pub(crate) fn account(&self, text: &str) -> Option<usize> {
        self.open.get(text).map(|code| code.account)
    }

    /// Takes the code if everything fits. A wrong verifier leaves it, as reference servers do:
    /// whoever guesses must not be able to lock the rightful client out.
    pub(crate) fn redeem(&mut self, text: &str, claim: &Claim<'_>, now: Timestamp) -> Option<Code> {
        let code = self.open.get(text)?;
        let proven = match &code.challenge {
            None => true,
            Some(challenge) => challenge.is_met_by(claim.verifier?),
        };
        let fits = code.client == claim.client
            && claim.redirect_uri == Some(code.redirect_uri.as_str())
            && code.expires_at > now
            && proven;
        if fits { self.open.remove(text) } else { None }
    }
}

/// A checked authorization request, ready to be shown or answered.
pub(crate) struct Invitation {
    pub(crate) platform: &'static str,
    pub(crate) app: String,
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) code_life: Duration,
}

pub(crate) enum Decision {
    Allow {
        handle: String,
    },
    Deny,
    /// Nothing chosen yet, or a handle that cannot be one: show the page, with a remark.
    Open {
        remark: Option<&'static str>,
    },
}

/// Reads the form of the page. `is_handle` knows the platform's own rules.
pub(crate) fn decision(call: &Call, is_handle: fn(&str) -> bool) -> Decision {
    if call.method != axum::http::Method::POST {
        return Decision::Open { remark: None };
    }
    let form = call.parameters();
    let text = |name: &str| form[name].as_str().unwrap_or_default().trim().to_owned();
    match text("decision").as_str() {
        "deny" => Decision::Deny,
        "allow" => {
            let handle = text("handle").trim_start_matches('@').to_owned();
            match is_handle(&handle) {
                true => Decision::Allow { handle },
                false => Decision::Open {
                    remark: Some("That is not a possible handle on this platform."),
                },
            }
        }
        _ => Decision::Open { remark: Some("Please choose Allow or Deny.") },
    }
}

/// The scopes that were ticked on [`Invitation::page_of_choices`].
pub(crate) fn refused_scopes(call: &Call) -> Vec<String> {
    let ticked = url::form_urlencoded::parse(&call.body);
    ticked.filter(|(name, _)| name == REFUSED).map(|(_, scope)| scope.into_owned()).collect()
}

const REFUSED: &str = "refused[]";

impl Invitation {
    pub(crate) fn code(&self, account: usize, now: Timestamp) -> Code {
        Code {
            client: self.client.clone(),
            redirect_uri: self.redirect_uri.clone(),
            challenge: self.challenge.clone(),
            scopes: self.scopes.clone(),
            account,
            expires_at: now.after(self.code_life),
        }
    }

    /// Back to the client with a code.
    pub(crate) fn accepted(&self, code: &str) -> Answer {
        if self.redirect_uri == OUT_OF_BAND {
            let body = html! { p { "Authorization code" } p { code { (code) } } };
            return Answer::html(200, page(self.platform, body));
        }
        self.back(&[("code", code)])
    }

    pub(crate) fn denied(&self) -> Answer {
        self.back(&[
            ("error", "access_denied"),
            ("error_description", "The resource owner or authorization server denied the request."),
        ])
    }

    /// Back to the client with whatever else the platform says there.
    pub(crate) fn back(&self, parameters: &[(&str, &str)]) -> Answer {
        let Ok(mut url) = Url::parse(&self.redirect_uri) else {
            return refused(self.platform, "The redirect URI is not a URL.");
        };
        url.query_pairs_mut().extend_pairs(parameters);
        if let Some(state) = &self.state {
            url.query_pairs_mut().append_pair("state", state);
        }
        Answer::redirect(url.as_str())
    }

    /// The page itself. It posts back to its own address, so the request travels in the query.
    pub(crate) fn page<'a>(
        &self,
        call: &Call,
        known: impl Iterator<Item = &'a str>,
        remark: Option<&str>,
    ) -> Answer {
        let scopes = html! { ul { @for scope in &self.scopes { li { code { (scope) } } } } };
        self.page_with(&scopes, call, known, remark)
    }

    /// The page of a platform where each scope may be refused by itself: [`refused_scopes`].
    pub(crate) fn page_of_choices<'a>(
        &self,
        call: &Call,
        known: impl Iterator<Item = &'a str>,
        remark: Option<&str>,
    ) -> Answer {
        let scopes = html! {
            p { "Tick what you refuse:" }
            @for scope in &self.scopes {
                label class="choice" {
                    input type="checkbox" form="consent" name=(REFUSED) value=(scope);
                    code { (scope) }
                }
            }
        };
        self.page_with(&scopes, call, known, remark)
    }

    fn page_with<'a>(
        &self,
        scopes: &Markup,
        call: &Call,
        known: impl Iterator<Item = &'a str>,
        remark: Option<&str>,
    ) -> Answer {
        let carried = call
            .query
            .iter()
            .cloned()
            .chain(self.form_pairs(call))
            .filter(|(name, _)| !["handle", "decision", REFUSED].contains(&name.as_str()));
        let body = html! {
            p { strong { (self.app) } " asks to use your " (self.platform) " account." }
            (scopes)
            @if let Some(remark) = remark { p role="alert" { (remark) } }
            form method="post" id="consent" {
                @for (name, value) in carried { input type="hidden" name=(name) value=(value); }
                label for="handle" { "Sign in as" }
                input id="handle" name="handle" list="known" autocomplete="off" autofocus
                    autocapitalize="none" placeholder="handle";
                datalist id="known" { @for handle in known.take(50) { option value=(handle); } }
                p {
                    button name="decision" value="allow" { "Allow" } " "
                    button name="decision" value="deny" { "Deny" }
                }
            }
            small { "A simulated platform: any handle may be used, and becomes an account." }
        };
        Answer::html(200, page(self.platform, body))
    }

    fn form_pairs(&self, call: &Call) -> Vec<(String, String)> {
        if !call.query.is_empty() {
            return Vec::new();
        }
        url::form_urlencoded::parse(&call.body).into_owned().collect()
    }
}

/// A request that must not be sent back to its client: there is no redirect URI to trust.
pub(crate) fn refused(platform: &str, reason: &str) -> Answer {
    let body = html! { p role="alert" { "This request cannot be shown." } p { (reason) } };
    Answer::html(400, page(platform, body))
}

/// The address that asks for the code to be shown instead of sent.
pub(crate) const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

fn page(platform: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Sign in · " (platform) " sandbox" }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (platform) " " small { "sandbox" } } (body) } }
        }
    }
}

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1.5rem; background: light-dark(#eef0f4, #14161b);
  color: light-dark(#1b1e24, #e6e8ec); }
main { max-width: 26rem; margin: 6vh auto; padding: 1.5rem 2rem; border-radius: 14px;
  background: light-dark(#fff, #1f2229); border: 1px solid light-dark(#dde0e6, #32363f); }
h1 { margin: 0 0 1rem; font-size: 1.4rem; } h1 small, small { opacity: .65; font-weight: 400; }
label { display: block; font-weight: 600; margin-top: 1rem; }
.choice { display: flex; gap: .5rem; margin: 0; font-weight: 400; overflow-wrap: anywhere; }
.choice input { width: auto; } code { min-width: 0; font-size: .85em; }
input { width: 100%; box-sizing: border-box;
  font: inherit; padding: .55rem .7rem; border-radius: 8px; border: 1px solid #8a90a0; }
button { font: inherit; padding: .5rem 1.2rem; border-radius: 8px; border: 1px solid #8a90a0; }
button[value=allow] { background: #2f5fd0; border-color: #2f5fd0; color: #fff; }
[role=alert] { color: light-dark(#a5261b, #ff9d92); }
";
