//! What is not a delivery on Google Business Profile: the locations that a person may choose from,
//! taking a post down, changing its text.
//!
//! <https://developers.google.com/my-business/reference/rest/v4/accounts.locations.localPosts>, as
//! of 2026.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{API, discovery::Search, refusal};
use crate::{
    connectors::{Body, Method, Outcome, Progress, Repeat, Reply, Request, Site, Task},
    domain::{delivery::Live, refusal::Refusal},
};

/// `Discover*`; `Remove`; `Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Discover(Search),
    Remove { post: String },
    Edit { post: String, url: String, text: String },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Discover => Some(Errand::Discover(Search::first())),
        Task::Remove { live } => Some(Errand::Remove { post: live.first()?.id.clone() }),
        Task::Edit { live, index, text } => {
            let Live { id, url } = live.get(*index)?.clone();
            Some(Errand::Edit { post: id, url, text: text.clone() })
        }
        // Access is withdrawn for all locations of a person at once, so never by us. Apps are made
        // by hand, people sign in on a consent page, and tokens are refreshed as OAuth has it.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Refresh
        | Task::Revoke => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Discover(search) => search.request(site),
        Errand::Remove { post } => Request::delete(site.url(API, &format!("/v4/{post}"))),
        Errand::Edit { post, text, .. } => {
            let url = site.url(API, &format!("/v4/{post}?updateMask=summary"));
            let body = Body::Json(json!({ "summary": text }));
            Request { method: Method::Patch, ..Request::post(url, body, Repeat::Harmless) }
        }
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.is_success()) {
        (Errand::Discover(search), _) => search.after(site, reply),
        // 404: it is gone already, which is what was asked for.
        (Errand::Remove { .. }, is_done) if is_done || reply.status == 404 => {
            Ok(Progress::Done(Outcome::Finished))
        }
        (Errand::Edit { post, url, .. }, true) => {
            reply.text("/name")?;
            Ok(Progress::Done(Outcome::Edited(vec![Live { id: post, url }])))
        }
        (Errand::Remove { .. } | Errand::Edit { .. }, _) => Err(refusal::of_reply(reply)),
    }
}
