//! Who the account is and which boards it has, and taking a pin down. Pinterest has `PATCH` for
//! pins in a beta that apps are admitted to one by one; it is not used.
//!
//! <https://developers.pinterest.com/docs/api/v5/user_account-get> and `/boards-list`, read
//! 2026-11-21.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{API, board, refusal};
use crate::{
    connectors::{Outcome, Progress, Reply, Request, Site, Task},
    domain::{account::Identity, refusal::Refusal},
};

/// - `Person → Boards*`, to identify;
/// - `Remove*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Person,
    Boards { person: Person, names: Vec<String>, bookmark: String },
    Remove { left: Vec<String> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    id: String,
    user: String,
    name: String,
    picture: String,
}

/// The names of boards, one a line, as they were when the account was connected.
pub(super) const BOARDS: &str = "boards";

/// `true`: there were more boards than are kept.
pub(super) const BOARDS_CUT: &str = "boards_cut";

/// More names would make the account's record unwieldy.
const NAMES_MAX: usize = 500;

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Person),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        // People end our access in their settings; only system users can be withdrawn by a call.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Lengthen
        | Task::Discover
        | Task::Refresh
        | Task::Revoke
        | Task::Edit { .. } => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Person => Request::get(site.url(API, "/v5/user_account")),
        Errand::Boards { bookmark, .. } => board::boards(bookmark, site),
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            Request::delete(site.url(API, &format!("/v5/pins/{last}")))
        }
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match errand {
        // 404: it is gone already, which is what was asked for.
        Errand::Remove { mut left } if reply.is_success() || reply.status == 404 => {
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        _ if !reply.is_success() => Err(refusal::of_reply(reply)),
        Errand::Person => {
            let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
            let user = reply.text("/username")?;
            let person = Person {
                // Older answers have no id; the name of a user is unique as well.
                id: if text("id").is_empty() { user.clone() } else { text("id") },
                name: text("business_name"),
                picture: text("profile_image"),
                user,
            };
            let (names, bookmark) = (Vec::new(), String::new());
            Ok(Progress::Go(Errand::Boards { person, names, bookmark }))
        }
        Errand::Boards { person, mut names, .. } => {
            let items = reply.body["items"].as_array().ok_or_else(|| reply.unreadable("/items"))?;
            let found = items.iter().filter_map(|item| item["name"].as_str());
            names.extend(found.map(str::to_owned));
            match board::bookmark(reply) {
                Some(bookmark) if names.len() < NAMES_MAX && !items.is_empty() => {
                    Ok(Progress::Go(Errand::Boards { person, names, bookmark }))
                }
                more => {
                    let is_cut = more.is_some() || names.len() > NAMES_MAX;
                    names.truncate(NAMES_MAX);
                    let identity = identity(person, &names, is_cut, site);
                    Ok(Progress::Done(Outcome::Identified(identity)))
                }
            }
        }
        Errand::Remove { .. } => Err(refusal::of_reply(reply)),
    }
}

fn identity(person: Person, names: &[String], is_cut: bool, site: &Site) -> Identity {
    let url = site.url(super::WEB, &format!("/{}/", person.user));
    Identity {
        remote_id: person.id,
        name: if person.name.is_empty() { person.user.clone() } else { person.name },
        handle: person.user,
        url,
        picture: person.picture,
        traits: BTreeMap::from([
            (BOARDS.to_owned(), names.join("\n")),
            (BOARDS_CUT.to_owned(), is_cut.to_string()),
        ]),
        ..Identity::default()
    }
}
