//! Signing in: docs/threads, get started, read 2026-11-21. Any client id may be used; the secret is
//! `sandbox-secret`.

use std::time::Duration;

use serde_json::json;

use crate::{
    domain::time::Timestamp,
    sandbox::{
        consent::{self, Claim, Decision, Invitation},
        grants::Worth,
    },
};

use super::{
    Answer, Books, Call, EPOCH, ID_BITS, Reply, Threads, bad_token, invalid,
    parameters::{self, text},
    refusal,
};

const SECRET: &str = "sandbox-secret";
const CODE_LIFE: Duration = Duration::from_secs(60 * 60);
const SHORT_LIFE: Duration = Duration::from_secs(60 * 60);
const LONG_LIFE: Duration = Duration::from_secs(5_183_944);
/// At least a day old (docs/threads, long-lived tokens, read 2026-11-21).
const REFRESH_AGE_MIN: Duration = Duration::from_secs(24 * 60 * 60);

const SCOPES: [&str; 10] = [
    "threads_basic",
    "threads_content_publish",
    "threads_manage_replies",
    "threads_read_replies",
    "threads_manage_insights",
    "threads_delete",
    "threads_location_tagging",
    "threads_keyword_search",
    "threads_manage_mentions",
    "threads_profile_discovery",
];

/// What is known of a token beyond its grant.
pub(super) struct Minted {
    span: Span,
    at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    Short,
    Long,
}

impl Threads {
    pub(super) fn consent(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut invitation = match invitation(call) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused("Threads", &reason),
        };
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => invitation.page(call, self.people.handles(), remark),
            Decision::Deny => invitation.denied(),
            Decision::Allow { handle } => {
                let chance = &mut books.chance;
                let new_id = || chance.snowflake(call.now, EPOCH, ID_BITS).to_string();
                let account = self.people.welcome(&handle, call.now, new_id);
                let code = format!("AQ{}", books.chance.word(180));
                self.codes.issue(code.clone(), invitation.code(account, call.now));
                // Meta appends it to the redirect URI, and it is no part of the code.
                invitation.redirect_uri.push_str("#_");
                invitation.accepted(&code)
            }
        }
    }

    /// The code for a token of an hour.
    pub(super) fn token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let given = call.parameters();
        let needed = |name: &str| {
            text(&given, name).ok_or_else(|| invalid(&format!("Missing parameter {name}")))
        };
        let (client, secret) = (needed("client_id")?, needed("client_secret")?);
        if secret != SECRET {
            return Err(wrong_secret());
        }
        if needed("grant_type")? != "authorization_code" {
            return Err(invalid("Invalid grant_type"));
        }
        let redirect_uri = needed("redirect_uri")?;
        let claim = Claim { client: &client, redirect_uri: Some(&redirect_uri), verifier: None };
        let code = self.codes.redeem(&needed("code")?, &claim, call.now).ok_or_else(|| {
            refusal(400, 100, None, "Matching code was not found or was already used")
        })?;
        let grant = self.grants.open(Some(code.account), &client, code.scopes);
        let token = self.mint(grant, Span::Short, call.now, books);
        let id: Option<u64> = self.people.get(code.account).id.parse().ok();
        Ok(Answer::json(200, &json!({ "access_token": token, "user_id": id })))
    }

    /// The token of an hour for one of 60 days.
    pub(super) fn exchange(&mut self, call: &Call, books: &mut Books) -> Reply {
        if call.query("grant_type") != Some("th_exchange_token") {
            return Err(invalid("Invalid grant_type"));
        }
        if call.query("client_secret") != Some(SECRET) {
            return Err(wrong_secret());
        }
        let (grant, minted) = self.held(call)?;
        if minted.span == Span::Long {
            // No page says how this is refused.
            return Err(invalid("The access token is not a short-lived token"));
        }
        Ok(self.long_lived(grant, call, books))
    }

    /// A token of 60 days for another 60 days. The older one keeps its own end.
    pub(super) fn refresh(&mut self, call: &Call, books: &mut Books) -> Reply {
        if call.query("grant_type") != Some("th_refresh_token") {
            return Err(invalid("Invalid grant_type"));
        }
        let (grant, minted) = self.held(call)?;
        // No page says how these two are refused.
        if minted.span == Span::Short {
            return Err(invalid("The access token is not a long-lived token"));
        }
        if minted.at.elapsed(call.now) < REFRESH_AGE_MIN {
            return Err(invalid("The access token must be at least 24 hours old"));
        }
        Ok(self.long_lived(grant, call, books))
    }

    fn held(&self, call: &Call) -> Result<(usize, &Minted), Answer> {
        let token = super::token_of(call).unwrap_or_default();
        match (self.grants.judge(&token, call.now), self.tokens.get(&token)) {
            (Worth::Live { grant, .. }, Some(minted)) => Ok((grant, minted)),
            (Worth::Expired, _) => Err(bad_token(Some(463), "Session has expired.")),
            (Worth::Revoked, _) => {
                Err(bad_token(Some(458), "The user has not authorized application."))
            }
            (Worth::Live { .. } | Worth::Unknown, _) => {
                Err(bad_token(None, "Cannot parse access token"))
            }
        }
    }

    fn long_lived(&mut self, grant: usize, call: &Call, books: &mut Books) -> Answer {
        let token = self.mint(grant, Span::Long, call.now, books);
        let body = json!({ "access_token": token, "token_type": "bearer",
            "expires_in": LONG_LIFE.as_secs() });
        Answer::json(200, &body)
    }

    fn mint(&mut self, grant: usize, span: Span, now: Timestamp, books: &mut Books) -> String {
        let token = format!("TH{}", books.chance.word(160));
        let life = match span {
            Span::Short => SHORT_LIFE,
            Span::Long => LONG_LIFE,
        };
        self.grants.issue_access(grant, &token, Some(now.after(life)));
        self.tokens.insert(token.clone(), Minted { span, at: now });
        token
    }
}

fn wrong_secret() -> Answer {
    refusal(400, 1, None, "Error validating client secret.")
}

fn invitation(call: &Call) -> Result<Invitation, String> {
    let given = call.parameters();
    let asked = |name: &str| parameters::text(&given, name).unwrap_or_default();
    if asked("response_type") != "code" {
        return Err("response_type must be code".to_owned());
    }
    if asked("client_id").is_empty() {
        return Err("client_id is missing".to_owned());
    }
    if url::Url::parse(&asked("redirect_uri")).is_err() {
        return Err("redirect_uri is not an absolute URL".to_owned());
    }
    let scopes: Vec<String> = asked("scope").split(',').map(str::to_owned).collect();
    if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(format!("Invalid Scopes: {unknown}"));
    }
    if !scopes.iter().any(|scope| scope == "threads_basic") {
        return Err("threads_basic is required".to_owned());
    }
    Ok(Invitation {
        platform: "Threads",
        app: asked("client_id"),
        client: asked("client_id"),
        redirect_uri: asked("redirect_uri"),
        state: Some(asked("state")).filter(|state| !state.is_empty()),
        scopes,
        challenge: None,
        code_life: CODE_LIFE,
    })
}

fn is_handle(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
    (1..=30).contains(&text.len()) && text.bytes().all(allowed)
}
