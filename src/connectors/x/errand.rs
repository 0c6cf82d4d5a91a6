//! What is not a delivery on X: who the account is and what it may write, giving access back,
//! taking posts down, and the way to changing them.
//!
//! <https://docs.x.com/x-api/users/get-my-user>, <https://docs.x.com/x-api/posts/delete-post> and
//! <https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code>, read 2026-08-22.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    API, WEB,
    edit::{self, Edit, Stage},
    refusal, repost,
};
use crate::{
    connectors::{
        Auth, Body, Fill, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Task,
    },
    domain::{
        account::{Identity, LimitOverrides},
        refusal::Refusal,
    },
};

/// - `Identify`;
/// - `RevokeRefresh → RevokeAccess`: the pages do not say that one ends the other;
/// - `Remove*`;
/// - `Edit*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Identify,
    RevokeRefresh,
    RevokeAccess,
    /// The last of `left` goes first.
    Remove {
        left: Vec<String>,
    },
    Edit {
        edit: Edit,
        stage: Stage,
    },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Identify),
        Task::Revoke => Some(Errand::RevokeRefresh),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        Task::Edit { live, index, text } => edit::begin(live, *index, text),
        // Apps are registered by hand, people sign in on a consent page, and tokens are refreshed
        // as OAuth has it.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Refresh
        | Task::Lengthen
        | Task::Discover => None,
    }
}

const ME: &str = "/2/users/me?user.fields=profile_image_url,username,name,verified,verified_type,\
                  subscription_type";

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Identify => Request::get(site.url(API, ME)),
        Errand::RevokeRefresh => revoke(SecretName::Refresh, site),
        Errand::RevokeAccess => revoke(SecretName::Access, site),
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            repost::removal(last, site)
        }
        Errand::Edit { edit, stage } => edit.request(stage, site),
    }
}

fn revoke(secret: SecretName, site: &Site) -> Request {
    let url = site.url(API, "/2/oauth2/revoke");
    Request {
        auth: Auth::App,
        fills: vec![Fill { place: "token".to_owned(), secret }],
        ..Request::post(url, Body::Form(Vec::new()), Repeat::Harmless)
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.status) {
        (Errand::Edit { edit, stage }, _) => edit.accept(&stage, site, reply),
        (Errand::Identify, 200) => Ok(Progress::Done(Outcome::Identified(identity(site, reply)?))),
        (Errand::RevokeRefresh, 200) => Ok(Progress::Go(Errand::RevokeAccess)),
        (Errand::RevokeAccess, 200) => Ok(Progress::Done(Outcome::Finished)),
        // 404: it is gone already, which is what was asked for.
        (Errand::Remove { mut left }, 200 | 404) => {
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        _ => Err(refusal::of_reply(reply)),
    }
}

fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let handle = reply.text("/data/username")?;
    let text = |name: &str| reply.body["data"][name].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    Ok(Identity {
        remote_id: reply.text("/data/id")?,
        url: site.url(WEB, &format!("/{handle}")),
        name: if name.is_empty() { handle.clone() } else { name },
        handle,
        picture: text("profile_image_url"),
        limits: LimitOverrides {
            text_max: text_max(&text("subscription_type")),
            ..LimitOverrides::default()
        },
        traits: BTreeMap::new(),
    })
}

/// "Premium subscribers can post up to 25,000 characters" (help.x.com, X Premium, as of 2026-08).
/// `Basic` is left at the common limit: the pages do not agree on it.
fn text_max(subscription: &str) -> Option<u32> {
    matches!(subscription, "Premium" | "PremiumPlus").then_some(25_000)
}
