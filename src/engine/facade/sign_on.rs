//! Single sign-on: away to the provider, and back.
//!
//! Invariants:
//! - who comes back is the browser that was sent, once, within minutes: it holds what was asked;
//! - somebody is let in by an address only if the provider has verified it;
//! - nobody becomes a member who is not one, was not invited, and is not meant by the settings.

use std::{sync::PoisonError, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::Url;

use crate::{
    domain::{
        organization::Role,
        person::{Invitation, Person, Subject, folded},
        platform::{ClientAuthentication, Proof as Proven, ScopeSeparator},
        problem::{Code, Problem},
        secret::Secret,
        time::Timestamp,
    },
    engine::{
        Answer, Engine, OidcSettings,
        core::{Halt, unexpected},
        facade::{
            Seat, Visitor,
            invitations::{accept, check_email, check_name, enter},
            sessions, tickets,
        },
    },
    net::{
        oauth::{self, OAuthClient},
        oidc::{self, Provider},
    },
    policy::claims::{self, Claimed, Expected},
    store::{Key, Read, ReadPeople, View},
};

/// How long somebody may take at the provider.
const LASTS: Duration = Duration::from_secs(600);

/// How long what a provider says of itself is believed.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// Where the provider sends people back to.
const BACK: &str = "/login/oidc/callback";

/// Somebody is sent to the provider.
pub struct Departure {
    pub url: String,
    /// For their browser to hold until they come back.
    pub held: Secret,
    pub lasts: Duration,
}

/// What they came back with.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// What the browser held.
    pub held: Option<Secret>,
    pub state: String,
    pub code: Option<Secret>,
    pub error: Option<String>,
    pub issuer: Option<String>,
}

impl Engine {
    pub async fn send_to_provider(&self) -> Answer<Departure> {
        self.refuse_when_stopping()?;
        let settings = self.sign_on()?;
        let provider = self.provider(settings).await?;
        let app = self.provider_client(settings, &provider);
        let begun = oauth::begin(&app, &self.core.entropy).map_err(|error| failed(&error))?;
        let nonce = URL_SAFE_NO_PAD.encode(self.core.entropy.bytes::<32>());
        let mut url = Url::parse(&begun.url).map_err(|error| unexpected(&error.to_string()))?;
        url.query_pairs_mut().append_pair("nonce", &nonce);
        let asked = json!({
            "state": begun.state.expose(),
            "verifier": begun.verifier.expose(),
            "nonce": nonce,
            "until": self.core.now().after(LASTS).0,
        });
        let sealed = self.core.store.vault().seal(&place(), &Secret::new(asked.to_string()));
        let held = Secret::new(URL_SAFE_NO_PAD.encode(sealed));
        Ok(Departure { url: url.into(), held, lasts: LASTS })
    }

    /// Logs in who comes back.
    pub async fn signed_on(&self, arrival: Arrival, visitor: Visitor) -> Answer<Seat> {
        self.refuse_when_stopping()?;
        let settings = self.sign_on()?;
        let asked = self.asked(&arrival)?;
        if arrival.issuer.as_ref().is_some_and(|issuer| *issuer != settings.issuer) {
            return Err(not_believed("it comes from another provider"));
        }
        let code = match (&arrival.code, &arrival.error) {
            (Some(code), None) => code,
            (_, error) => {
                let why = error.as_deref().unwrap_or("no reason was given");
                let sentence = format!("The provider did not log you in ({why}).");
                return Err(Problem::new(Code::LoginDenied, sentence, AGAIN));
            }
        };
        let claimed = self.claimed(settings, code, &asked).await?;
        let email = match claimed.email {
            Some((email, true)) => check_email(&email)?.to_owned(),
            Some((_, false)) | None => {
                return Err(Problem::new(
                    Code::LoginDenied,
                    "The provider has not verified your address.",
                    "Let it verify the address there, then try again.",
                ));
            }
        };
        let subject = Subject { issuer: settings.issuer.clone(), subject: claimed.subject };
        let name = check_name(&claimed.name).unwrap_or(&email).to_owned();
        let newcomer = Person { subject: Some(subject), ..self.new_person(&name, &email, None) };
        let (session, _) = self.new_session(newcomer.id, &visitor);
        let (core, now, role) = (self.core.clone(), self.core.now(), settings.role);
        let (person, session, cookie) = self
            .core
            .commit_at_door("sign on", move |view| {
                let person = recognise(view, newcomer, role, now)?;
                let cookie = tickets::ticket([person.id.0, session.id.0], &core.entropy);
                let hash = tickets::hash(cookie.expose());
                let session = crate::domain::person::Session { person: person.id, hash, ..session };
                sessions::begin(view, &person, &session, visitor.cookie.as_ref())?;
                Ok((person, session, cookie))
            })
            .await?;
        Ok(self.seated(person, session, Some(cookie)))
    }

    /// What people call the provider, if there is one.
    pub fn sign_on_name(&self) -> Option<&str> {
        self.core.oidc.as_ref().map(|settings| settings.name.as_str())
    }

    fn sign_on(&self) -> Answer<&OidcSettings> {
        self.core.oidc.as_ref().ok_or_else(|| {
            Problem::new(
                Code::NotFound,
                "This instance has no single sign-on.",
                "Log in with your password, or name a provider in the settings under [oidc].",
            )
        })
    }

    async fn provider(&self, settings: &OidcSettings) -> Answer<Provider> {
        let now = self.core.now();
        let known = self.core.provider.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, provider)) = known.filter(|(at, _)| at.elapsed(now) < KNOWN_FOR) {
            return Ok(provider);
        }
        let found = oidc::discover(&self.core.client, &settings.issuer).await;
        let provider = found.map_err(|error| failed(&error))?;
        let kept = Some((now, provider.clone()));
        *self.core.provider.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(provider)
    }

    fn provider_client(&self, settings: &OidcSettings, provider: &Provider) -> OAuthClient {
        let scopes = ["openid", "email", "profile"].map(str::to_owned);
        OAuthClient {
            client_id: Secret::new(settings.app.client_id.clone()),
            client_secret: settings.app.client_secret.clone(),
            authorize_url: provider.authorize_url.clone(),
            token_url: provider.token_url.clone(),
            revoke_url: None,
            redirect_uri: format!("{}{BACK}", self.core.public_url),
            client_parameter: "client_id",
            authentication: ClientAuthentication::Basic,
            proof: Proven::Pkce,
            separator: ScopeSeparator::Space,
            scopes: scopes.into(),
        }
    }

    /// What this browser was sent away with, if that is what it comes back about.
    fn asked(&self, arrival: &Arrival) -> Answer<Value> {
        let over = || {
            Problem::new(
                Code::LoginExpired,
                "This log-in was not begun in this browser, or it took too long.",
                AGAIN,
            )
        };
        let sealed = arrival.held.as_ref().and_then(|it| URL_SAFE_NO_PAD.decode(it.expose()).ok());
        let opened = self.core.store.vault().open(&place(), &sealed.ok_or_else(over)?);
        let opened = opened.map_err(|_| over())?;
        let asked: Value = serde_json::from_str(opened.expose()).map_err(|_| over())?;
        let until = Timestamp(asked["until"].as_u64().unwrap_or_default());
        let is_ours = asked["state"].as_str() == Some(arrival.state.as_str());
        if is_ours && until > self.core.now() { Ok(asked) } else { Err(over()) }
    }

    async fn claimed(
        &self,
        settings: &OidcSettings,
        code: &Secret,
        asked: &Value,
    ) -> Answer<Claimed> {
        let provider = self.provider(settings).await?;
        let app = self.provider_client(settings, &provider);
        let verifier = Secret::new(asked["verifier"].as_str().unwrap_or_default());
        let exchanged = oidc::exchange(&self.core.client, &app, &provider, code, &verifier).await;
        let tokens = exchanged.map_err(|error| failed(&error))?;
        let payload = payload(&tokens.id_token).ok_or_else(|| not_believed("it is no ID token"))?;
        let expected = Expected {
            issuer: &settings.issuer,
            client_id: &settings.app.client_id,
            nonce: asked["nonce"].as_str().unwrap_or_default(),
        };
        let judged = claims::judge(&payload, &expected, self.core.now());
        let claimed = judged.map_err(|wrong| not_believed(&wrong.to_string()))?;
        let (None, Some(url), Some(access)) =
            (&claimed.email, &provider.userinfo_url, &tokens.access)
        else {
            return Ok(claimed);
        };
        let told = oidc::userinfo(&self.core.client, url, access).await;
        let told = told.map_err(|error| failed(&error))?;
        claims::complete(claimed, &told).map_err(|wrong| not_believed(&wrong.to_string()))
    }
}

/// The person of that name at the provider, or of that address here, or somebody new who was
/// invited or whom the settings mean.
fn recognise(
    view: &mut View,
    newcomer: Person,
    role: Option<Role>,
    now: Timestamp,
) -> Result<Person, Halt> {
    let refused = |sentence: &str, remedy: &str| {
        Err(Problem::new(Code::LoginDenied, sentence, remedy).into())
    };
    let subject = newcomer.subject.as_ref();
    let known = subject.map(|subject| view.person_with_subject(subject)).transpose()?.flatten();
    let known = known.map_or_else(|| view.person_with_email(&newcomer.email), |it| Ok(Some(it)))?;
    if let Some(mut person) = known {
        if person.disabled.is_some() {
            return refused("You cannot log in here.", "Ask whoever runs this instance.");
        }
        match (&person.subject, subject) {
            (Some(theirs), Some(given)) if theirs == given => return Ok(person),
            // Addresses are given to other people in time; names at a provider are not.
            (Some(theirs), Some(given)) if theirs.issuer == given.issuer => {
                return refused(
                    "Somebody else at the provider had this address before.",
                    "Ask an admin to remove the old account and to invite you.",
                );
            }
            _ => {
                person.subject = newcomer.subject;
                view.put_person(&person)?;
                return Ok(person);
            }
        }
    }
    let invitations = invitations_for(view, &newcomer.email, now)?;
    for invitation in &invitations {
        accept(view, invitation, &newcomer, now)?;
    }
    if invitations.is_empty() {
        let home = view.organizations(None, 1)?.pop();
        let (Some(home), Some(role)) = (home, role) else {
            return refused(
                "Nobody has invited you here.",
                "Ask an admin for an invitation for the address that you have at the provider.",
            );
        };
        enter(view, &newcomer, home.id, role, now)?;
    }
    Ok(newcomer)
}

/// One of each organization: the first that was made.
fn invitations_for(view: &View, email: &str, now: Timestamp) -> Result<Vec<Invitation>, Halt> {
    let wanted = folded(email);
    let mut found: Vec<Invitation> = Vec::new();
    for (_, invitation) in view.all_invitations(None, usize::MAX)? {
        let fits = folded(&invitation.email) == wanted && invitation.proof.until > now;
        if fits && found.last().is_none_or(|it| it.organization != invitation.organization) {
            found.push(invitation);
        }
    }
    Ok(found)
}

/// What seals what a browser holds; nothing is stored there.
fn place() -> Key {
    Key::Meta { name: "sign on".to_owned() }
}

fn payload(id_token: &Secret) -> Option<Value> {
    let mut parts = id_token.expose().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

const AGAIN: &str = "Log in again.";

fn not_believed(why: &str) -> Problem {
    tracing::warn!("what the provider of single sign-on answered is not believed: {why}");
    let sentence = format!("What the provider answered is not believed: {why}.");
    Problem::new(Code::LoginDenied, sentence, AGAIN)
}

fn failed(error: &oauth::Error) -> Problem {
    tracing::warn!(%error, "the provider of single sign-on");
    let (code, what) = match error {
        oauth::Error::Refused { .. } | oauth::Error::Unreadable { .. } => {
            (Code::ServerRefused, "The provider refused, or its answer cannot be read")
        }
        oauth::Error::NotSent { .. }
        | oauth::Error::Unanswered { .. }
        | oauth::Error::Unavailable { .. } => {
            (Code::ServerUnreachable, "The provider cannot be reached")
        }
    };
    Problem::new(
        code,
        format!("{what}: {error}."),
        "Try again later; whoever runs this instance finds the settings under [oidc].",
    )
}
