//! Both logins: Facebook's dialog and Instagram's, codes, long-lived tokens, permissions.
//!
//! <https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow> and
//! <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login>,
//! read 2026-11-21. Any client id may be used; a client's secret is `sandbox-secret`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::sandbox::consent::{self, Claim, Code, Decision, Invitation};

use super::{
    Answer, Books, Call, Door, Meta, Reply, SECRET,
    parameters::Parameters,
    refusal::{Lasting, envelope, forbidden, invalid, refuse, unreadable_token},
    tokens::{LONG_LIFE, Span, Subject, Token},
};

/// Facebook does not say how long a code lives; ten minutes is RFC 6749's advice.
const FACEBOOK_CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// "valid 1 hour" (Instagram Login, read 2026-11-21).
const INSTAGRAM_CODE_LIFE: Duration = Duration::from_secs(60 * 60);
/// "may be short (1–2 h)".
const SHORT_FACEBOOK: Duration = Duration::from_secs(5_400);
const SHORT_INSTAGRAM: Duration = Duration::from_secs(3_600);
/// "The token must be at least 24 hours old" (Instagram Login, refresh, read 2026-11-21).
const REFRESHABLE_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// "Data access lapses 90 days after the last activity."
const DATA_ACCESS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

const FACEBOOK_SCOPES: [&str; 19] = [
    "public_profile",
    "email",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
    "read_insights",
    "business_management",
    "publish_video",
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "instagram_manage_contents",
    "instagram_manage_messages",
    "ads_management",
    "ads_read",
];

const INSTAGRAM_SCOPES: [&str; 5] = [
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
    "instagram_business_manage_messages",
];

/// What Instagram makes of a token.
#[derive(Clone, Copy)]
pub(super) enum Exchange {
    /// `GET /access_token`: of a short one, a long one.
    Lengthen,
    /// `GET /refresh_access_token`: of a long one, one that lives longer.
    Refresh,
}

impl Meta {
    pub(super) fn consent(&mut self, call: &Call, door: Door, books: &mut Books) -> Answer {
        let mut invitation = match invitation(call, door) {
            Ok(invitation) => invitation,
            Err(reason) => return consent::refused(door.title(), &reason),
        };
        let is_handle = match door {
            Door::Facebook => is_facebook_name,
            Door::Instagram => is_instagram_name,
        };
        match consent::decision(call, is_handle) {
            Decision::Open { remark } => match door {
                Door::Facebook => {
                    invitation.page_of_choices(call, self.estate.people.handles(), remark)
                }
                Door::Instagram => {
                    invitation.page_of_choices(call, self.estate.usernames(), remark)
                }
            },
            Decision::Deny => invitation.denied(),
            Decision::Allow { handle } => {
                let chance = &mut books.chance;
                let account = match door {
                    Door::Facebook => self.welcome(&handle, call.now, chance),
                    Door::Instagram => {
                        self.estate.profile(&handle, call.now, chance, &mut self.nodes)
                    }
                };
                let refused = consent::refused_scopes(call);
                let text = format!("AQ{}", books.chance.word(160));
                self.codes.issue(text.clone(), invitation.code(account, call.now));
                self.declined.insert(text.clone(), refused);
                // Both products put this at the end, and it is no part of the code.
                invitation.redirect_uri.push_str(match door {
                    Door::Facebook => "#_=_",
                    Door::Instagram => "#_",
                });
                invitation.accepted(&text)
            }
        }
    }

    fn redeem(&mut self, parameters: &Parameters, call: &Call) -> Result<Option<Code>, Answer> {
        let claim = Claim {
            client: parameters.required("client_id")?,
            redirect_uri: parameters.text("redirect_uri")?,
            verifier: None,
        };
        Ok(self.codes.redeem(parameters.required("code")?, &claim, call.now))
    }

    /// What the person granted of what was asked for, and what not.
    fn agreed(&mut self, code: &str, asked: Vec<String>) -> (Vec<String>, Vec<String>) {
        let refused = self.declined.remove(code).unwrap_or_default();
        asked.into_iter().partition(|scope| !refused.contains(scope))
    }

    pub(super) fn facebook_token(&mut self, call: &Call, books: &mut Books) -> Reply {
        let known = [
            "client_id",
            "client_secret",
            "redirect_uri",
            "code",
            "grant_type",
            "fb_exchange_token",
        ];
        let parameters = Parameters::read(call, &known)?;
        let client = parameters.required("client_id")?.to_owned();
        if parameters.required("client_secret")? != SECRET {
            let message = "Error validating client secret.";
            return Err(envelope(400, 1, None, message, Lasting::Permanent));
        }
        let (consent, person, span, life) = match parameters.text("grant_type")? {
            None | Some("authorization_code") => {
                let code = parameters.required("code")?.to_owned();
                let redeemed = self.redeem(&parameters, call)?;
                let redeemed = redeemed.ok_or_else(|| {
                    refuse(100, 36_009, "This authorization code has been used or is not valid.")
                })?;
                let mut agreed = self.agreed(&code, redeemed.scopes);
                // Everybody grants it, asked or not.
                if !agreed.0.iter().any(|scope| scope == "public_profile") {
                    agreed.0.push("public_profile".to_owned());
                }
                let consent = self.tokens.consent(Door::Facebook, &client, agreed, call.now);
                (consent, redeemed.account, Span::Short, SHORT_FACEBOOK)
            }
            Some("fb_exchange_token") => {
                let token =
                    self.tokens.judge(parameters.required("fb_exchange_token")?, call.now)?;
                let Subject::Person(person) = token.subject else {
                    return Err(unreadable_token());
                };
                if self.tokens.behind(token).client != client {
                    return Err(invalid("The token was issued to another app"));
                }
                (token.consent, person, Span::Long, LONG_LIFE)
            }
            Some(_) => return Err(invalid("Invalid grant_type")),
        };
        let token = self.tokens.issue(Token {
            text: format!("EAA{}", books.chance.word(120)),
            consent,
            subject: Subject::Person(person),
            span,
            issued_at: call.now,
            expires_at: Some(call.now.after(life)),
        });
        let body = json!({ "access_token": token, "token_type": "bearer",
            "expires_in": life.as_secs() });
        Ok(Answer::json(200, &body))
    }

    pub(super) fn debug_token(&mut self, call: &Call) -> Reply {
        let parameters = Parameters::read(call, &["input_token"])?;
        let asker = super::token_of(call).unwrap_or_default();
        let app = asker.split_once('|');
        let client = match app {
            Some((client, SECRET)) => client.to_owned(),
            Some(_) => return Err(unreadable_token()),
            None => self.tokens.behind(self.tokens.judge(&asker, call.now)?).client.clone(),
        };
        let text = parameters.required("input_token")?;
        let Some(token) = self.tokens.get(text) else {
            let error =
                json!({ "code": 190, "message": "The access token could not be decrypted" });
            let data = json!({ "is_valid": false, "scopes": [], "error": error });
            return Ok(Answer::json(200, &json!({ "data": data })));
        };
        let consent = self.tokens.behind(token);
        if consent.client != client || consent.door != Door::Facebook {
            return Err(invalid("The token does not belong to this app"));
        }
        let kind = match token.subject {
            Subject::Person(_) => "USER",
            Subject::Page(_) | Subject::Profile(_) => "PAGE",
        };
        let seconds = |at: crate::domain::time::Timestamp| at.0 / 1_000;
        let granular: Vec<Value> = consent
            .granted
            .iter()
            .map(|scope| json!({ "scope": scope, "target_ids": self.targets(token, scope) }))
            .collect();
        let owner = match token.subject {
            Subject::Person(person) => person,
            Subject::Page(page) => self.estate.pages[page].owner,
            Subject::Profile(_) => return Err(unreadable_token()),
        };
        let mut data = json!({
            "app_id": client, "type": kind, "application": client,
            "expires_at": token.expires_at.map_or(0, seconds),
            "data_access_expires_at": seconds(consent.at.after(DATA_ACCESS)),
            "issued_at": seconds(token.issued_at), "is_valid": true, "scopes": consent.granted,
            "granular_scopes": granular, "user_id": self.estate.people.get(owner).id,
        });
        if let Subject::Page(page) = token.subject {
            data["profile_id"] = json!(self.estate.pages[page].id);
        }
        if self.tokens.judge(text, call.now).is_err() {
            data["is_valid"] = json!(false);
            let ended = token.expires_at.is_some_and(|end| end <= call.now);
            let subcode = if ended { 463 } else { 458 };
            data["error"] = json!({ "code": 190, "subcode": subcode,
                "message": "Error validating access token" });
        }
        Ok(Answer::json(200, &json!({ "data": data })))
    }

    /// The pages or accounts that a scope was granted for.
    fn targets(&self, token: &Token, scope: &str) -> Vec<String> {
        let pages = match token.subject {
            Subject::Person(person) => self.accounts_of(person),
            Subject::Page(page) => vec![page],
            Subject::Profile(_) => Vec::new(),
        };
        let pages = pages.into_iter().map(|page| &self.estate.pages[page]);
        if scope.starts_with("instagram_") {
            let profiles = pages.filter_map(|page| page.profile);
            return profiles.map(|it| self.estate.profiles[it].id.clone()).collect();
        }
        match scope.starts_with("pages_") {
            true => pages.map(|page| page.id.clone()).collect(),
            false => Vec::new(),
        }
    }

    pub(super) fn permissions(&self, token: &Token) -> Reply {
        let consent = self.tokens.behind(token);
        let of = |scopes: &[String], status: &str| -> Vec<Value> {
            let row = |scope: &String| json!({ "permission": scope, "status": status });
            scopes.iter().map(row).collect()
        };
        let rows = [of(&consent.granted, "granted"), of(&consent.declined, "declined")].concat();
        Ok(Answer::json(200, &json!({ "data": rows })))
    }

    /// Of one scope, or of the whole app.
    pub(super) fn withdraw(&mut self, token: &Token, scope: Option<&str>) -> Reply {
        if !matches!(token.subject, Subject::Person(_)) {
            return Err(forbidden("A user access token is required to withdraw permissions"));
        }
        match scope {
            None => self.tokens.revoke(token.consent),
            Some(scope) if self.tokens.carries(token, scope) => {
                self.tokens.revoke_scope(token.consent, scope);
            }
            Some(_) => return Err(invalid("This permission has not been granted")),
        }
        Ok(Answer::json(200, &json!({ "success": true })))
    }

    pub(super) fn instagram_code(&mut self, call: &Call, books: &mut Books) -> Reply {
        let refused = |text: &str| {
            let body = json!({ "error_type": "OAuthException", "code": 400,
                "error_message": text });
            Answer::json(400, &body)
        };
        let known = ["client_id", "client_secret", "redirect_uri", "code", "grant_type"];
        let parameters = Parameters::read(call, &known)
            .map_err(|_| refused("Invalid platform app: an unknown parameter"))?;
        let text = |name: &str| parameters.words(name).unwrap_or_default();
        if text("client_secret") != SECRET || text("client_id").is_empty() {
            return Err(refused("Error validating client secret."));
        }
        if text("grant_type") != "authorization_code" {
            return Err(refused("Invalid grant_type"));
        }
        let redeemed = self.redeem(&parameters, call).ok().flatten();
        let redeemed = redeemed.ok_or_else(|| {
            refused("Matching code was not found or was already used or has expired")
        })?;
        let agreed = self.agreed(&text("code"), redeemed.scopes);
        let permissions = agreed.0.clone();
        let consent = self.tokens.consent(Door::Instagram, &text("client_id"), agreed, call.now);
        let token = self.instagram_token(consent, redeemed.account, Span::Short, call, books);
        let user_id = &self.estate.profiles[redeemed.account].user_id;
        // Both forms are documented; every second login gets the other.
        let body = match consent % 2 {
            0 => json!({ "access_token": token, "user_id": user_id.parse::<u64>().unwrap_or(0),
                "permissions": permissions.join(",") }),
            _ => json!({ "data": [{ "access_token": token, "user_id": user_id,
                "permissions": permissions }] }),
        };
        Ok(Answer::json(200, &body))
    }

    fn instagram_token(
        &mut self,
        consent: usize,
        profile: usize,
        span: Span,
        call: &Call,
        books: &mut Books,
    ) -> String {
        let life = match span {
            Span::Short => SHORT_INSTAGRAM,
            Span::Long => LONG_LIFE,
        };
        self.tokens.issue(Token {
            text: format!("IGAA{}", books.chance.word(120)),
            consent,
            subject: Subject::Profile(profile),
            span,
            issued_at: call.now,
            expires_at: Some(call.now.after(life)),
        })
    }

    pub(super) fn instagram_exchange(
        &mut self,
        call: &Call,
        exchange: Exchange,
        books: &mut Books,
    ) -> Reply {
        let parameters = Parameters::read(call, &["grant_type", "client_secret"])?;
        let text = super::token_of(call).unwrap_or_default();
        let token = self.tokens.judge(&text, call.now)?.clone();
        let Subject::Profile(profile) = token.subject else {
            return Err(unreadable_token());
        };
        match exchange {
            Exchange::Lengthen => {
                if parameters.required("grant_type")? != "ig_exchange_token" {
                    return Err(invalid("grant_type must be ig_exchange_token"));
                }
                if parameters.required("client_secret")? != SECRET {
                    let message = "Error validating client secret.";
                    return Err(envelope(400, 1, None, message, Lasting::Permanent));
                }
                if token.span == Span::Long {
                    let message = "Session key invalid. This could be because the session key \
                                   has an incorrect format, or because the user has revoked this \
                                   session";
                    return Err(envelope(400, 452, None, message, Lasting::Permanent));
                }
            }
            Exchange::Refresh => {
                if parameters.required("grant_type")? != "ig_refresh_token" {
                    return Err(invalid("grant_type must be ig_refresh_token"));
                }
                if token.span == Span::Short {
                    return Err(invalid("Only a long-lived access token can be refreshed"));
                }
                if token.issued_at.elapsed(call.now) < REFRESHABLE_AGE {
                    return Err(invalid("The access token must be at least 24 hours old"));
                }
                self.need(&token, &["instagram_business_basic"])?;
            }
        }
        // The one before stays valid until its own end.
        let text = self.instagram_token(token.consent, profile, Span::Long, call, books);
        let body = json!({ "access_token": text, "token_type": "bearer",
            "expires_in": LONG_LIFE.as_secs() });
        Ok(Answer::json(200, &body))
    }
}

fn invitation(call: &Call, door: Door) -> Result<Invitation, String> {
    let asked = call.parameters();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    if text("client_id").is_empty() {
        return Err("Invalid app id: client_id is missing".to_owned());
    }
    if url::Url::parse(text("redirect_uri")).is_err() {
        return Err("redirect_uri is not an absolute URL".to_owned());
    }
    let allowed: &[&str] = match door {
        Door::Facebook => &FACEBOOK_SCOPES,
        Door::Instagram => &INSTAGRAM_SCOPES,
    };
    let responds = text("response_type");
    let is_default = door == Door::Facebook && responds.is_empty();
    if responds != "code" && !is_default {
        return Err("response_type must be code".to_owned());
    }
    let divided = text("scope").split([',', ' ']).filter(|scope| !scope.is_empty());
    let mut scopes: Vec<String> = divided.map(str::to_owned).collect();
    // "pass `config_id` in place of `scope`" (Facebook Login for Business, read 2026-11-21).
    if door == Door::Facebook && scopes.is_empty() && !text("config_id").is_empty() {
        scopes = allowed.iter().map(|scope| (*scope).to_owned()).collect();
    }
    if let Some(unknown) = scopes.iter().find(|scope| !allowed.contains(&scope.as_str())) {
        return Err(format!("Invalid Scopes: {unknown}"));
    }
    if door == Door::Instagram && scopes.is_empty() {
        return Err("Invalid request: scope is missing".to_owned());
    }
    let state = Some(text("state").to_owned()).filter(|state| !state.is_empty());
    Ok(Invitation {
        platform: door.title(),
        app: text("client_id").to_owned(),
        client: text("client_id").to_owned(),
        redirect_uri: text("redirect_uri").to_owned(),
        state,
        scopes,
        challenge: None,
        code_life: match door {
            Door::Facebook => FACEBOOK_CODE_LIFE,
            Door::Instagram => INSTAGRAM_CODE_LIFE,
        },
    })
}

fn is_facebook_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

fn is_instagram_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._".contains(&byte);
    (1..=30).contains(&text.len()) && text.bytes().all(plain)
}
