//! What is not a delivery on TikTok: who the account is, and giving access back. Posts can be
//! neither changed nor taken down by way of apps.
//!
//! <https://developers.tiktok.com/doc/tiktok-api-v2-get-user-info> and
//! <https://developers.tiktok.com/doc/oauth-user-access-token-management>, as of 2026-11-21.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{API, WEB, refusal};
use crate::{
    connectors::{
        Auth, Body, Fill, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Task,
    },
    domain::{
        account::{Identity, LimitOverrides},
        refusal::{Refusal, RefusalKind},
    },
};

/// - `Identify → IdentifyBasically?`, as the name of the account is a permission of its own;
/// - `Revoke`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Identify,
    IdentifyBasically,
    Revoke,
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Identify),
        Task::Revoke => Some(Errand::Revoke),
        // Apps are registered by hand, people sign in on a consent page, and tokens are refreshed
        // as OAuth has it.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Lengthen
        | Task::Discover
        | Task::Refresh
        | Task::Remove { .. }
        | Task::Edit { .. } => None,
    }
}

const BASIC: &str = "/v2/user/info/?fields=open_id,avatar_url,display_name";
const PROFILE: &str = "/v2/user/info/?fields=open_id,avatar_url,display_name,username";

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Identify => Request::get(site.url(API, PROFILE)),
        Errand::IdentifyBasically => Request::get(site.url(API, BASIC)),
        Errand::Revoke => {
            let url = site.url(API, "/v2/oauth/revoke/");
            let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
            Request {
                auth: Auth::None,
                fills: vec![
                    fill("client_key", SecretName::ClientId),
                    fill("client_secret", SecretName::ClientSecret),
                    fill("token", SecretName::Access),
                ],
                ..Request::post(url, Body::Form(Vec::new()), Repeat::Harmless)
            }
        }
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match errand {
        Errand::Revoke => revoked(reply),
        Errand::Identify | Errand::IdentifyBasically => match (refusal::of_reply(reply), errand) {
            (None, _) => Ok(Progress::Done(Outcome::Identified(identity(site, reply)?))),
            // "Asking for a field without its scope" fails the whole question.
            (Some(refusal), Errand::Identify) if refusal.code == "scope_not_authorized" => {
                Ok(Progress::Go(Errand::IdentifyBasically))
            }
            (Some(refusal), _) => Err(refusal),
        },
    }
}

/// A success has no body. A no has OAuth's form, and may come with HTTP 200.
fn revoked(reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    let code = reply.body["error"].as_str().unwrap_or_default();
    if reply.is_success() && code.is_empty() {
        return Ok(Progress::Done(Outcome::Finished));
    }
    let words = reply.body["error_description"].as_str().unwrap_or("TikTok does not say why");
    let refusal = reply.refusal(code, words);
    let kind = if reply.is_success() { RefusalKind::Rejected } else { refusal.kind };
    Err(Refusal { kind, ..refusal })
}

fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let user = &reply.body["data"]["user"];
    let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    let (username, name) = (text("username"), text("display_name"));
    let url = match username.is_empty() {
        true => site.url(WEB, "/"),
        false => site.url(WEB, &format!("/@{username}")),
    };
    Ok(Identity {
        remote_id: reply.text("/data/user/open_id")?,
        url,
        handle: if username.is_empty() { name.clone() } else { username.clone() },
        name: if name.is_empty() { username } else { name },
        picture: text("avatar_url"),
        limits: LimitOverrides::default(),
        traits: BTreeMap::new(),
    })
}
