//! Signing in with OAuth 2: the authorization code grant with PKCE (S256) and state, renewing, and
//! ending access.
//!
//! The `oauth2` crate makes the requests. Their answers are read here, because platforms keep to
//! the standard less than the crate does; see [`answer`].
//!
//! Invariants:
//! - only the platform's own no is [`Error::Refused`]; a network that fails is none;
//! - a grant without a refresh token never means that the old one is gone.

use std::{
    fmt,
    future::{self, Ready},
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use bytes::Bytes;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, TokenUrl, basic::BasicClient,
};
use reqwest::header::AUTHORIZATION;
use url::Url;

use crate::{
    connectors::{Auth, Body, Fill, Grant, Method, Repeat, Reply, Request, SecretName},
    domain::{
        platform::{ClientAuthentication, Proof, ScopeSeparator},
        secret::Secret,
        time::Timestamp,
    },
    entropy::Entropy,
    net::{
        self, Client, Files, Secrets,
        outgoing::{self, Content, Outgoing},
    },
};

mod answer;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The platform said no. `code` is its own (`invalid_grant`), or else the status.
    #[error("refused (HTTP {status}) as `{code}`: {words}")]
    Refused { status: u16, code: String, words: String },
    #[error("not sent: {reason}")]
    NotSent { reason: String, until: Option<Timestamp> },
    /// It may have taken effect: a code is then used up, and a rotating refresh token renewed.
    #[error("sent, but not answered: {reason}")]
    Unanswered { reason: String },
    /// The platform cannot or will not answer now.
    #[error("not available (HTTP {status})")]
    Unavailable { status: u16, until: Option<Timestamp> },
    #[error("the answer (HTTP {status}) cannot be read: {reason}")]
    Unreadable { status: u16, reason: String },
}

impl From<net::Error> for Error {
    fn from(error: net::Error) -> Error {
        match error {
            net::Error::NotSent { reason, until } => Error::NotSent { reason, until },
            net::Error::Unanswered { reason } => Error::Unanswered { reason },
        }
    }
}

/// An app at a platform, and where that platform is asked for what.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub client_id: Secret,
    /// `None` for a public client, which has PKCE alone.
    pub client_secret: Option<Secret>,
    /// May carry a query of its own, such as `?access_type=offline`; it is kept.
    pub authorize_url: String,
    pub token_url: String,
    pub revoke_url: Option<String>,
    pub redirect_uri: String,
    /// What requests call the client's id.
    pub client_parameter: &'static str,
    pub authentication: ClientAuthentication,
    pub proof: Proof,
    pub separator: ScopeSeparator,
    pub scopes: Vec<String>,
}

/// A sign-in that has begun. `state` and `verifier` are kept until the person comes back; whoever
/// comes with another state is turned away. Where the platform takes no proof, no verifier is sent.
pub struct Begun {
    /// Where to send the person. It holds the state, so it is for their browser only.
    pub url: String,
    pub state: Secret,
    pub verifier: Secret,
}

/// Fails only if an address of the app is no URL.
pub fn begin(app: &OAuthClient, entropy: &Entropy) -> Result<Begun, Error> {
    let state = random(entropy);
    let verifier = random(entropy);
    let scopes = match app.separator {
        ScopeSeparator::Space => app.scopes.clone(),
        ScopeSeparator::Comma => vec![app.scopes.join(",")],
    };
    let client = crate_client(app)?;
    let asked = client
        .authorize_url(|| CsrfToken::new(state.expose().to_owned()))
        .add_scopes(scopes.into_iter().map(Scope::new));
    let (url, _) = match app.proof {
        Proof::StateOnly => asked.url(),
        Proof::Pkce => {
            let verifier = spoken(&verifier);
            asked.set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier)).url()
        }
    };
    Ok(Begun { url: renamed_in_url(url, app.client_parameter).into(), state, verifier })
}

/// Turns the code that the person came back with into access.
pub async fn exchange(
    client: &Client,
    app: &OAuthClient,
    code: &Secret,
    verifier: &Secret,
) -> Result<Grant, Error> {
    let secrets = secrets(app, Some(code), Some(verifier));
    let app_client = crate_client(app)?;
    let asked = app_client.exchange_code(AuthorizationCode::new(code.expose().to_owned()));
    let asked = match app.proof {
        Proof::StateOnly => asked,
        Proof::Pkce => asked.set_pkce_verifier(spoken(verifier)),
    };
    let unsent = asked.request_async(&hand_over).await;
    let reply = ask(client, app, handed_over(unsent)?, &secrets).await?;
    answer::grant(&reply, &secrets)
}

/// Renews access. A grant without `refresh` means: keep the refresh token that was used.
pub async fn refresh(client: &Client, app: &OAuthClient, refresh: &Secret) -> Result<Grant, Error> {
    let secrets = secrets(app, Some(refresh), None);
    let unsent = crate_client(app)?
        .exchange_refresh_token(&RefreshToken::new(refresh.expose().to_owned()))
        .request_async(&hand_over)
        .await;
    let reply = ask(client, app, handed_over(unsent)?, &secrets).await?;
    answer::grant(&reply, &secrets)
}

/// Ends the access that `token` gives, by RFC 7009. Does nothing where the platform has no place
/// to ask for it. Made by hand because the crate refuses plain http, which a sandbox speaks.
pub async fn revoke(client: &Client, app: &OAuthClient, token: &Secret) -> Result<(), Error> {
    let Some(url) = &app.revoke_url else { return Ok(()) };
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    let mut fills = vec![fill("token", SecretName::Access)];
    let mut auth = Auth::None;
    match (app.authentication, &app.client_secret) {
        (ClientAuthentication::Basic, Some(_)) => auth = Auth::App,
        (ClientAuthentication::Body, Some(_)) => {
            fills.push(fill(app.client_parameter, SecretName::ClientId));
            fills.push(fill("client_secret", SecretName::ClientSecret));
        }
        (ClientAuthentication::Basic | ClientAuthentication::Body, None) => {
            fills.push(fill(app.client_parameter, SecretName::ClientId));
        }
    }
    let request = Request {
        method: Method::Post,
        url: url.clone(),
        headers: vec![("accept", "application/json".to_owned())],
        auth,
        body: Body::Form(Vec::new()),
        fills,
        units: 1,
        repeat: Repeat::Harmless,
    };
    let secrets = secrets(app, Some(token), None);
    let reply = client.send(&request, &secrets, &Files::new()).await?;
    answer::accepted(&reply, &secrets)
}

type Crate = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn crate_client(app: &OAuthClient) -> Result<Crate, Error> {
    let wrong = |which: &'static str| {
        move |error| Error::NotSent {
            reason: format!("the {which} address is no URL: {error}"),
            until: None,
        }
    };
    let mut made = BasicClient::new(ClientId::new(app.client_id.expose().to_owned()))
        .set_auth_uri(AuthUrl::new(app.authorize_url.clone()).map_err(wrong("authorization"))?)
        .set_token_uri(TokenUrl::new(app.token_url.clone()).map_err(wrong("token"))?)
        .set_redirect_uri(RedirectUrl::new(app.redirect_uri.clone()).map_err(wrong("redirect"))?)
        .set_auth_type(match app.authentication {
            ClientAuthentication::Basic => AuthType::BasicAuth,
            ClientAuthentication::Body => AuthType::RequestBody,
        });
    if let Some(secret) = &app.client_secret {
        made = made.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
    }
    Ok(made)
}

/// 32 random bytes in 43 letters: as many as RFC 7636 asks for, and none that it forbids.
fn random(entropy: &Entropy) -> Secret {
    Secret::new(BASE64_URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()))
}

fn spoken(verifier: &Secret) -> PkceCodeVerifier {
    PkceCodeVerifier::new(verifier.expose().to_owned())
}

/// What must not be seen in an answer's words, under whatever name.
fn secrets(app: &OAuthClient, token: Option<&Secret>, verifier: Option<&Secret>) -> Secrets {
    Secrets {
        access: token.cloned(),
        kept: verifier.cloned(),
        client_id: Some(app.client_id.clone()),
        client_secret: app.client_secret.clone(),
        ..Secrets::default()
    }
}

/// A request that the crate made, handed over unsent as the error of a client that never sends.
struct HandedOver(HttpRequest);

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedOver")
    }
}

impl fmt::Display for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("handed over")
    }
}

impl std::error::Error for HandedOver {}

/// The HTTP client that the crate sees.
fn hand_over(request: HttpRequest) -> Ready<Result<HttpResponse, HandedOver>> {
    future::ready(Err(HandedOver(request)))
}

fn handed_over<T, E: oauth2::ErrorResponse + 'static>(
    unsent: Result<T, RequestTokenError<HandedOver, E>>,
) -> Result<HttpRequest, Error> {
    match unsent {
        Err(RequestTokenError::Request(HandedOver(request))) => Ok(request),
        Ok(_)
        | Err(
            RequestTokenError::ServerResponse(_)
            | RequestTokenError::Parse(..)
            | RequestTokenError::Other(_),
        ) => Err(Error::NotSent {
            reason: "the request for a token cannot be built".to_owned(),
            until: None,
        }),
    }
}

const CLIENT_ID: &str = "client_id";

/// The crate knows only the standard's name for the client's id.
fn renamed_in_url(mut url: Url, parameter: &str) -> Url {
    if parameter != CLIENT_ID {
        let pairs = renamed(url.query().unwrap_or_default().as_bytes(), parameter);
        url.set_query(Some(&pairs));
    }
    url
}

fn renamed(pairs: &[u8], parameter: &str) -> String {
    let named = url::form_urlencoded::parse(pairs)
        .map(|(name, value)| (if name == CLIENT_ID { parameter.into() } else { name }, value));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(named).finish()
}

/// Being a POST, it follows no redirect.
async fn ask(
    client: &Client,
    app: &OAuthClient,
    request: HttpRequest,
    secrets: &Secrets,
) -> Result<Reply, Error> {
    let (parts, mut body) = request.into_parts();
    if app.client_parameter != CLIENT_ID {
        body = renamed(&body, app.client_parameter).into_bytes();
    }
    let mut headers = parts.headers;
    if let Some(value) = headers.get_mut(AUTHORIZATION) {
        value.set_sensitive(true);
    }
    let url = outgoing::parse(&parts.uri.to_string())?;
    let content = Content::Bytes(Bytes::from(body));
    let outgoing = Outgoing { method: parts.method, url, headers, content };
    Ok(client.perform(outgoing).await?.into_reply(secrets))
}

#[cfg(test)]
mod tests;
