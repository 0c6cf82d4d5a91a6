//! What is not a delivery on Threads: tokens that last, who the account is, taking posts down.
//!
//! <https://developers.facebook.com/docs/threads/get-started/long-lived-tokens>,
//! <https://developers.facebook.com/docs/threads/threads-profiles> and
//! <https://developers.facebook.com/docs/threads/posts/delete-posts>, all as of 2026-10.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{GRAPH, NAMELESS, WEB, container, refusal};
use crate::{
    connectors::{
        Auth, Fill, Grant, Outcome, Progress, Reply, Request, SecretName, Site, Task, meta,
    },
    domain::{
        account::{Identity, LimitOverrides},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// The third lets a part whose answer was lost be found among the replies, the last takes posts
/// down.
pub(super) const SCOPES: &[&str] =
    &["threads_basic", "threads_content_publish", "threads_read_replies", "threads_delete"];

/// "Long-lived tokens are valid for 60 days", if an answer should not say so itself.
const LASTS: Duration = Duration::from_secs(60 * 24 * 60 * 60);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Lengthen,
    Refresh,
    Identify,
    /// The last of `left` goes first.
    Remove {
        left: Vec<String>,
    },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Lengthen => Some(Errand::Lengthen),
        Task::Refresh => Some(Errand::Refresh),
        Task::Identify => Some(Errand::Identify),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        // Threads documents no way to give a token back, and no way to edit.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Discover
        | Task::Revoke
        | Task::Edit { .. } => None,
    }
}

const ME: &str = "/v1.0/me?fields=id,username,name,threads_profile_picture_url";

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Lengthen => exchange(
            site.url(GRAPH, "/access_token?grant_type=th_exchange_token"),
            &[("client_secret", SecretName::ClientSecret), ("access_token", SecretName::Access)],
        ),
        Errand::Refresh => exchange(
            site.url(GRAPH, "/refresh_access_token?grant_type=th_refresh_token"),
            &[("access_token", SecretName::Access)],
        ),
        Errand::Identify => Request::get(site.url(GRAPH, ME)),
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            let id = last.strip_prefix(NAMELESS).unwrap_or(last);
            Request::delete(site.url(GRAPH, &format!("/v1.0/{id}")))
        }
    }
}

/// These two calls take what is secret only in their query.
fn exchange(url: String, secrets: &[(&str, SecretName)]) -> Request {
    let fill = |&(place, secret): &(&str, SecretName)| Fill { place: place.to_owned(), secret };
    Request { auth: Auth::None, fills: secrets.iter().map(fill).collect(), ..Request::get(url) }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let is_success = meta::is_success(reply);
    match errand {
        Errand::Lengthen | Errand::Refresh if is_success => {
            Ok(Progress::Done(Outcome::Granted(grant(reply)?)))
        }
        Errand::Refresh => Err(as_refresh(refusal::of_reply(reply))),
        Errand::Identify if is_success => {
            Ok(Progress::Done(Outcome::Identified(identity(site, reply)?)))
        }
        Errand::Remove { mut left } if is_success || is_gone(&left, reply) => {
            if is_success && reply.body["success"].as_bool() != Some(true) {
                return Err(reply.unreadable("/success"));
            }
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        Errand::Remove { left } if is_nameless(&left) => {
            let refusal = refusal::of_reply(reply);
            let words = format!(
                "Threads never told the id of this post; delete it in Threads itself ({})",
                refusal.words
            );
            Err(Refusal { words, ..refusal })
        }
        Errand::Lengthen | Errand::Identify | Errand::Remove { .. } => {
            Err(refusal::of_reply(reply))
        }
    }
}

/// What was asked for, if the post itself was named.
fn is_gone(left: &[String], reply: &Reply) -> bool {
    let is_absent = refusal::says_absent(reply) || reply.status == 404;
    is_absent && !is_nameless(left)
}

fn is_nameless(left: &[String]) -> bool {
    left.last().is_some_and(|id| id.starts_with(NAMELESS))
}

/// A token younger than a day is refused, and is good all the same: only a no to the token itself
/// is a word about the account.
fn as_refresh(refusal: Refusal) -> Refusal {
    match refusal.kind {
        RefusalKind::Rejected => Refusal { kind: RefusalKind::Unavailable, ..refusal },
        RefusalKind::Unavailable
        | RefusalKind::Throttled { .. }
        | RefusalKind::Unauthorized
        | RefusalKind::Revoked
        | RefusalKind::Duplicate
        | RefusalKind::Media
        | RefusalKind::Unreadable => refusal,
    }
}

fn grant(reply: &Reply) -> Result<Grant, Refusal> {
    let lasts = reply.body["expires_in"].as_u64().map(Duration::from_secs);
    Ok(Grant {
        access: Secret::new(reply.text("/access_token")?),
        refresh: None,
        access_lasts: Some(lasts.unwrap_or(LASTS)),
        refresh_lasts: None,
        scopes: String::new(),
    })
}

fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let handle = reply.text("/username")?;
    let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    Ok(Identity {
        remote_id: container::id(reply)?,
        url: site.url(WEB, &format!("/@{handle}")),
        name: if name.is_empty() { handle.clone() } else { name },
        handle,
        picture: text("threads_profile_picture_url"),
        limits: LimitOverrides::default(),
        traits: BTreeMap::new(),
    })
}
