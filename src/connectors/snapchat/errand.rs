//! What is not a delivery on Snapchat: who the account is. Posts are taken down in Snapchat itself:
//! no page that we trust names a call for it.
//!
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/GetStarted>, as of 2026-03.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{API, SITE, refusal};
use crate::{
    connectors::{Outcome, Progress, Reply, Request, Site, Task},
    domain::{
        account::{Identity, LimitOverrides},
        refusal::{Refusal, RefusalKind},
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Identify,
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Identify),
        // Apps are registered by hand, people sign in on a consent page, and tokens are refreshed
        // as OAuth has it.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Lengthen
        | Task::Discover
        | Task::Refresh
        | Task::Revoke
        | Task::Remove { .. }
        | Task::Edit { .. } => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Identify => Request::get(site.url(API, "/v1/public_profiles/my_profile")),
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, refusal::of_reply(reply)) {
        (Errand::Identify, Some(refusal)) if reply.status == 404 => {
            let words = format!("{NO_PROFILE} ({})", refusal.words);
            Err(Refusal { words, ..refusal })
        }
        (Errand::Identify, Some(refusal)) => Err(refusal),
        (Errand::Identify, None) => Ok(Progress::Done(Outcome::Identified(identity(site, reply)?))),
    }
}

const NO_PROFILE: &str = "this account has no public profile, and only such may be posted to; \
                          make one in the Snapchat app, then connect again";

fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let profile = &reply.body["public_profile"];
    let text = |name: &str| profile[name].as_str().unwrap_or_default().to_owned();
    let remote_id = reply.text("/public_profile/id")?;
    // "TIER_PUBLIC or above".
    let tier = text("profile_tier");
    if tier == "TIER_STANDARD" {
        return Err(Refusal::new(RefusalKind::Rejected, tier, NO_PROFILE));
    }
    let handle = reply.text("/public_profile/snap_user_name")?;
    let name = text("display_name");
    let picture = profile.pointer("/logo_urls/original_logo_url").and_then(|url| url.as_str());
    Ok(Identity {
        remote_id,
        url: site.url(SITE, &format!("/add/{handle}")),
        name: if name.is_empty() { handle.clone() } else { name },
        handle,
        picture: picture.unwrap_or_default().to_owned(),
        limits: LimitOverrides::default(),
        traits: BTreeMap::new(),
    })
}
