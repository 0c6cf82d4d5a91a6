//! Signing in where it is plain OAuth (RFC 6749): one consent page, one token endpoint, and what
//! the platforms do differently as data.
//!
//! Invariants: a code works once; where refresh tokens rotate, the one before stops at once.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde_json::Value;
use url::form_urlencoded;

use crate::domain::time::Timestamp;

use super::{
    chance::Chance,
    consent::{self, Challenge, Claim, Codes, Decision, Invitation},
    grants::{Grants, Pair, RefreshWorth, Worth},
    people::People,
    wire::{Answer, Call},
    world::Books,
};

/// The same for every client; it guards nothing.
pub(crate) const SECRET: &str = "sandbox-secret";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// Each use gives another refresh token, and the one before stops.
    Rotates,
    /// It stays the same, and lives on from each use.
    Stays,
}

/// Whether the person may refuse single scopes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Whole,
    EachScope,
}

/// Whether proof of possession (RFC 7636) is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Taken,
    Unknown,
}

/// How one platform signs people in.
pub(crate) struct Manner {
    pub(crate) name: &'static str,
    /// What the client is called in requests.
    pub(crate) client: &'static str,
    pub(crate) separator: char,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) choice: Choice,
    pub(crate) proof: Proof,
    /// The parameter of the way back that tells what was granted.
    pub(crate) told: Option<&'static str>,
    pub(crate) code: fn(&mut Chance) -> String,
    pub(crate) code_life: Duration,
    pub(crate) access: &'static str,
    pub(crate) access_life: Duration,
    pub(crate) refresh: &'static str,
    pub(crate) refresh_life: Duration,
    pub(crate) renewal: Renewal,
    pub(crate) is_handle: fn(&str) -> bool,
    pub(crate) identify: fn(&mut Chance, Timestamp) -> String,
    /// Whether a refresh token comes with it.
    pub(crate) lasting: fn(&Value, Visit) -> bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    First,
    Again,
}

/// Everybody's: with each sign-in comes a refresh token.
pub(crate) fn always(_: &Value, _: Visit) -> bool {
    true
}

pub(crate) struct Door {
    manner: &'static Manner,
    pub(crate) people: People,
    pub(crate) grants: Grants,
    codes: Codes,
    /// Codes that lead to no refresh token.
    brief: HashSet<String>,
    consented: HashSet<(usize, String)>,
}

#[derive(Clone, Copy)]
pub(crate) struct Holder {
    pub(crate) grant: usize,
    pub(crate) account: usize,
}

pub(crate) struct Tokens {
    pub(crate) account: usize,
    pub(crate) access: String,
    /// Only where another one was made.
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    GrantType,
    Code,
    Refresh,
}

impl Door {
    pub(crate) fn new(manner: &'static Manner) -> Door {
        Door {
            manner,
            people: People::default(),
            grants: Grants::default(),
            codes: Codes::default(),
            brief: HashSet::new(),
            consented: HashSet::new(),
        }
    }

    pub(crate) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut invitation = match self.invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused(self.manner.name, &reason),
        };
        let handle = match consent::decision(call, self.manner.is_handle) {
            Decision::Open { remark } => {
                let known = self.people.handles();
                return match self.manner.choice {
                    Choice::Whole => invitation.page(call, known, remark),
                    Choice::EachScope => invitation.page_of_choices(call, known, remark),
                };
            }
            Decision::Deny => return invitation.denied(),
            Decision::Allow { handle } => handle,
        };
        let refused = consent::refused_scopes(call);
        invitation.scopes.retain(|scope| !refused.contains(scope));
        let chance = &mut books.chance;
        let identify = || (self.manner.identify)(chance, call.now);
        let account = self.people.welcome(&handle, call.now, identify);
        let code = (self.manner.code)(&mut books.chance);
        self.codes.issue(code.clone(), invitation.code(account, call.now));
        let visit = match self.consented.insert((account, invitation.client.clone())) {
            true => Visit::First,
            false => Visit::Again,
        };
        if !(self.manner.lasting)(&call.parameters(), visit) {
            self.brief.insert(code.clone());
        }
        let scopes = self.listed(&invitation.scopes);
        match self.manner.told {
            Some(told) => invitation.back(&[("code", &code), (told, &scopes)]),
            None => invitation.accepted(&code),
        }
    }

    fn invitation(&self, call: &Call) -> Result<Invitation, String> {
        let asked = call.parameters();
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let client = text(self.manner.client);
        if text("response_type") != "code" {
            return Err("response_type must be code".to_owned());
        }
        if client.is_empty() {
            return Err(format!("{} is missing", self.manner.client));
        }
        if url::Url::parse(&text("redirect_uri")).is_err() {
            return Err("redirect_uri is not an absolute URL".to_owned());
        }
        let scope = text("scope");
        let scopes: Vec<String> = scope.split(self.manner.separator).map(str::to_owned).collect();
        let known = |scope: &String| self.manner.scopes.contains(&scope.as_str());
        if let Some(unknown) = scopes.iter().find(|scope| !known(scope)) {
            return Err(format!("scope holds something that is no scope: {unknown}"));
        }
        let method = asked["code_challenge_method"].as_str();
        let challenge = Challenge::read(asked["code_challenge"].as_str(), method)?;
        if challenge.is_some() && self.manner.proof == Proof::Unknown {
            return Err("code_challenge is not known here".to_owned());
        }
        Ok(Invitation {
            platform: self.manner.name,
            app: client.clone(),
            client,
            redirect_uri: text("redirect_uri"),
            state: Some(text("state")).filter(|state| !state.is_empty()),
            scopes,
            challenge,
            code_life: self.manner.code_life,
        })
    }

    fn listed(&self, scopes: &[String]) -> String {
        scopes.join(&self.manner.separator.to_string())
    }

    /// What the token endpoint gives this client, which has proven itself.
    pub(crate) fn exchange(
        &mut self,
        call: &Call,
        client: &str,
        books: &mut Books,
    ) -> Result<Tokens, Denial> {
        let form = form(call);
        let text = |name: &str| form.get(name).map(String::as_str);
        match text("grant_type") {
            Some("authorization_code") => self.redeemed(&form, client, call.now, books),
            Some("refresh_token") => {
                let token = text("refresh_token").unwrap_or_default();
                self.renewed(token, client, call.now, books).ok_or(Denial::Refresh)
            }
            Some(_) | None => Err(Denial::GrantType),
        }
    }

    /// For a code, whatever the client calls that grant.
    pub(crate) fn redeemed(
        &mut self,
        form: &HashMap<String, String>,
        client: &str,
        now: Timestamp,
        books: &mut Books,
    ) -> Result<Tokens, Denial> {
        let text = |name: &str| form.get(name).map(String::as_str);
        let claim =
            Claim { client, redirect_uri: text("redirect_uri"), verifier: text("code_verifier") };
        let given = text("code").unwrap_or_default();
        let code = self.codes.redeem(given, &claim, now).ok_or(Denial::Code)?;
        let grant = self.grants.open(Some(code.account), client, code.scopes);
        let mut tokens = self.tokens(grant, code.account, now, books);
        if !self.brief.remove(given) {
            tokens.refresh = Some(self.new_refresh(grant, now, books));
        }
        Ok(tokens)
    }

    pub(crate) fn renewed(
        &mut self,
        token: &str,
        client: &str,
        now: Timestamp,
        books: &mut Books,
    ) -> Option<Tokens> {
        let RefreshWorth::Fresh { grant } = self.grants.judge_refresh(token, now) else {
            return None;
        };
        if self.grants.client(grant) != client {
            return None;
        }
        let account = self.grants.account(grant)?;
        let mut tokens = self.tokens(grant, account, now, books);
        match self.manner.renewal {
            Renewal::Rotates => {
                let refresh = self.new_refresh(grant, now, books);
                let pair = Pair { access: tokens.access.clone(), refresh: refresh.clone() };
                self.grants.spend(token, now, pair);
                tokens.refresh = Some(refresh);
            }
            Renewal::Stays => {
                let end = now.after(self.manner.refresh_life);
                self.grants.issue_refresh(grant, token, Some(end));
            }
        }
        Some(tokens)
    }

    fn tokens(
        &mut self,
        grant: usize,
        account: usize,
        now: Timestamp,
        books: &mut Books,
    ) -> Tokens {
        let access = format!("{}{}", self.manner.access, books.chance.word(64));
        let end = now.after(self.manner.access_life);
        self.grants.issue_access(grant, &access, Some(end));
        let scope = self.listed(self.grants.scopes(grant));
        Tokens { account, access, refresh: None, scope }
    }

    fn new_refresh(&mut self, grant: usize, now: Timestamp, books: &mut Books) -> String {
        let token = format!("{}{}", self.manner.refresh, books.chance.word(64));
        let end = now.after(self.manner.refresh_life);
        self.grants.issue_refresh(grant, &token, Some(end));
        token
    }

    /// Whoever the bearer token belongs to; otherwise what it is worth.
    pub(crate) fn holder(&self, call: &Call) -> Result<Holder, Worth> {
        let token = call.bearer().unwrap_or_default();
        match self.grants.judge(token, call.now) {
            Worth::Live { grant, account: Some(account) } => Ok(Holder { grant, account }),
            Worth::Live { account: None, .. } | Worth::Unknown => Err(Worth::Unknown),
            worth @ (Worth::Expired | Worth::Revoked) => Err(worth),
        }
    }

    pub(crate) fn may(&self, grant: usize, scope: &str) -> bool {
        self.grants.scopes(grant).iter().any(|held| held == scope)
    }

    pub(crate) fn handle(&self, account: usize) -> &str {
        &self.people.get(account).handle
    }

    /// Ends the grant behind a token, if it is this client's.
    pub(crate) fn end(&mut self, token: &str, client: &str) -> bool {
        let grant = self.grants.behind(token);
        let own = grant.filter(|grant| self.grants.client(*grant) == client);
        if let Some(grant) = own {
            self.grants.revoke(grant);
        }
        own.is_some()
    }

    pub(crate) fn caller(&self, call: &Call) -> Option<String> {
        let account = match token_of(call) {
            Some(token) => self.grants.account(self.grants.behind(&token)?)?,
            None => self.codes.account(form(call).get("code")?)?,
        };
        Some(self.handle(account).to_owned())
    }

    pub(crate) fn expire(&mut self, call: &Call) {
        if let Some(token) = token_of(call) {
            self.grants.expire(&token, call.now);
        }
    }

    pub(crate) fn revoke(&mut self, call: &Call) {
        let token = token_of(call);
        if let Some(grant) = token.and_then(|token| self.grants.behind(&token)) {
            self.grants.revoke(grant);
        }
    }
}

fn token_of(call: &Call) -> Option<String> {
    if let Some(token) = call.bearer() {
        return Some(token.to_owned());
    }
    let mut form = form(call);
    form.remove("refresh_token").or_else(|| form.remove("token"))
}

/// The body alone: secrets do not belong into a query.
pub(crate) fn form(call: &Call) -> HashMap<String, String> {
    match call.content_type().starts_with("application/x-www-form-urlencoded") {
        true => form_urlencoded::parse(&call.body).into_owned().collect(),
        false => HashMap::new(),
    }
}

/// The client, proven by its secret in the form.
pub(crate) fn proven(call: &Call, client: &str) -> Option<String> {
    let mut form = form(call);
    let secret = form.remove("client_secret")?;
    let id = form.remove(client).filter(|id| !id.is_empty())?;
    (secret == SECRET).then_some(id)
}
