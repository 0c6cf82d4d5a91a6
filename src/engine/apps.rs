//! The OAuth clients that we have: from the settings, or registered with a server on the spot.

use crate::{
    connectors::{self, AnyConnector, Site},
    domain::{
        account::Account,
        organization::App,
        platform::{ClientKind, Login, OAuth},
        secret::Secret,
    },
    engine::{
        callback_url,
        core::{Core, Halt},
    },
    net::oauth::OAuthClient,
    store::{INSTANCE, Owner, Read},
};

pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";

/// Id and secret for requests that an app makes in its own name.
pub(super) fn credentials(
    core: &Core,
    platform: &str,
    login: &str,
    server: &str,
) -> Result<(Option<Secret>, Option<Secret>), Halt> {
    if let Some(app) = core.apps.get(section(platform, login)) {
        return Ok((Some(Secret::new(app.client_id.as_str())), app.client_secret.clone()));
    }
    let owner = Owner::App { platform: platform.to_owned(), server: server.to_owned() };
    Ok((
        core.store.secret(INSTANCE, &owner, CLIENT_ID)?,
        core.store.secret(INSTANCE, &owner, CLIENT_SECRET)?,
    ))
}

/// The section of the settings that holds the app of a way of signing in.
fn section<'a>(platform: &'a str, login: &str) -> &'a str {
    let profile = connectors::find(platform).map(AnyConnector::profile);
    match profile.and_then(|profile| profile.login(login)) {
        Some(Login::OAuth(oauth)) => oauth.app,
        Some(Login::Pasted(_)) | None => platform,
    }
}

/// Everything to speak OAuth for an account. `None`: there is no such client any more.
pub(super) fn client(
    core: &Core,
    profile: &OAuth,
    site: &Site,
    account: &Account,
) -> Result<Option<OAuthClient>, Halt> {
    match profile.client {
        ClientKind::Configured => Ok(configured(core, profile, site, &account.platform)),
        ClientKind::Dynamic => {
            let Some(app) = core.store.app(None, &account.platform, &account.server)? else {
                return Ok(None);
            };
            registered(core, profile, &app)
        }
    }
}

pub(super) fn configured(
    core: &Core,
    profile: &OAuth,
    site: &Site,
    platform: &str,
) -> Option<OAuthClient> {
    let app = core.apps.get(profile.app)?;
    Some(OAuthClient {
        client_id: Secret::new(app.client_id.as_str()),
        client_secret: app.client_secret.clone(),
        authorize_url: site.url(profile.authorize.endpoint, profile.authorize.path),
        token_url: site.url(profile.token.endpoint, profile.token.path),
        revoke_url: profile.revoke.map(|place| site.url(place.endpoint, place.path)),
        redirect_uri: redirect_uri(core, platform),
        client_parameter: profile.client_parameter,
        authentication: profile.authentication,
        proof: profile.proof,
        separator: profile.separator,
        scopes: profile.scopes.iter().map(|&scope| scope.to_owned()).collect(),
    })
}

pub(super) fn registered(
    core: &Core,
    profile: &OAuth,
    app: &App,
) -> Result<Option<OAuthClient>, Halt> {
    let (Some(client_id), client_secret) = credentials(core, &app.platform, "", &app.server)?
    else {
        return Ok(None);
    };
    Ok(Some(OAuthClient {
        client_id,
        client_secret,
        authorize_url: app.authorize_url.clone(),
        token_url: app.token_url.clone(),
        revoke_url: app.revoke_url.clone(),
        redirect_uri: app.redirect_uri.clone(),
        client_parameter: profile.client_parameter,
        authentication: profile.authentication,
        proof: profile.proof,
        separator: profile.separator,
        scopes: app.scopes.split_whitespace().map(str::to_owned).collect(),
    }))
}

pub(super) fn redirect_uri(core: &Core, platform: &str) -> String {
    callback_url(&core.public_url, platform)
}
