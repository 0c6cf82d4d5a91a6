//! Asking a provider of single sign-on: where its endpoints are, for a token, and who somebody is.
//!
//! Invariant: what it answers with came from the provider itself, over TLS but for an origin that
//! the operator allows; the check of claims relies on that.

use serde_json::Value;

use crate::{
    connectors::{Auth, Body, Fill, Repeat, Reply, Request, SecretName},
    domain::secret::Secret,
    net::{
        Client, Files, Secrets,
        oauth::{Error, OAuthClient},
    },
};

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub authorize_url: String,
    pub token_url: String,
    pub userinfo_url: Option<String>,
    /// Takes the client's secret in the body alone.
    pub secret_in_body: bool,
}

/// What the code was exchanged for.
pub struct Tokens {
    pub id_token: Secret,
    pub access: Option<Secret>,
}

/// OpenID Connect Discovery 1.0, section 4.
pub async fn discover(client: &Client, issuer: &str) -> Result<Provider, Error> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let request = Request { auth: Auth::None, ..Request::get(url) };
    let reply = client.send(&request, &Secrets::default(), &Files::new()).await?;
    let document = read(&reply, &Secrets::default())?;
    if document["issuer"].as_str() != Some(issuer) {
        let reason = "it says that it is another issuer";
        return Err(Error::Unreadable { status: reply.status, reason: reason.to_owned() });
    }
    let methods = document["token_endpoint_auth_methods_supported"].as_array();
    let takes = |method: &str| {
        methods.is_some_and(|all| all.iter().any(|known| known.as_str() == Some(method)))
    };
    Ok(Provider {
        authorize_url: text(&reply, "authorization_endpoint")?,
        token_url: text(&reply, "token_endpoint")?,
        userinfo_url: document["userinfo_endpoint"].as_str().map(str::to_owned),
        secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
    })
}

/// Turns the code that somebody came back with into tokens.
pub async fn exchange(
    client: &Client,
    app: &OAuthClient,
    provider: &Provider,
    code: &Secret,
    verifier: &Secret,
) -> Result<Tokens, Error> {
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    // Code and verifier go by names that there are for secrets.
    let mut fills =
        vec![fill("code", SecretName::Access), fill("code_verifier", SecretName::Password)];
    let mut auth = Auth::None;
    if app.client_secret.is_some() && !provider.secret_in_body {
        auth = Auth::App;
    } else {
        fills.push(fill("client_id", SecretName::ClientId));
        if app.client_secret.is_some() {
            fills.push(fill("client_secret", SecretName::ClientSecret));
        }
    }
    let form = vec![
        ("grant_type".to_owned(), "authorization_code".to_owned()),
        ("redirect_uri".to_owned(), app.redirect_uri.clone()),
    ];
    let request = Request::post(provider.token_url.clone(), Body::Form(form), Repeat::Duplicates);
    let request = Request { auth, fills, ..request };
    let secrets = Secrets {
        access: Some(code.clone()),
        password: Some(verifier.clone()),
        client_id: Some(app.client_id.clone()),
        client_secret: app.client_secret.clone(),
        ..Secrets::default()
    };
    let reply = client.send(&request, &secrets, &Files::new()).await?;
    let body = read(&reply, &secrets)?;
    let access = body["access_token"].as_str().map(Secret::new);
    Ok(Tokens { id_token: Secret::new(text(&reply, "id_token")?), access })
}

pub async fn userinfo(client: &Client, url: &str, access: &Secret) -> Result<Value, Error> {
    let secrets = Secrets { access: Some(access.clone()), ..Secrets::default() };
    let reply = client.send(&Request::get(url.to_owned()), &secrets, &Files::new()).await?;
    read(&reply, &secrets).cloned()
}

fn read<'a>(reply: &'a Reply, secrets: &Secrets) -> Result<&'a Value, Error> {
    match reply.status {
        200..300 if reply.body.is_object() => Ok(&reply.body),
        200..300 => {
            let reason = "it is no JSON object".to_owned();
            Err(Error::Unreadable { status: reply.status, reason })
        }
        status @ (429 | 500..) => Err(Error::Unavailable { status, until: reply.retry_after() }),
        status => {
            let said = |field: &str| reply.body[field].as_str().unwrap_or_default();
            let code = match said("error") {
                "" => status.to_string(),
                code => secrets.redact(code),
            };
            Err(Error::Refused { status, code, words: secrets.redact(said("error_description")) })
        }
    }
}

fn text(reply: &Reply, field: &str) -> Result<String, Error> {
    reply.body[field].as_str().map(str::to_owned).ok_or_else(|| Error::Unreadable {
        status: reply.status,
        reason: format!("it has no `{field}`"),
    })
}
