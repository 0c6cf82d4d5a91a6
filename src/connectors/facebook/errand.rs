//! What is not a delivery on Facebook: a lasting token, the pages that a person may choose from,
//! taking posts down, changing their text.
//!
//! <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived>,
//! <https://developers.facebook.com/docs/graph-api/reference/user/accounts> and
//! <https://developers.facebook.com/docs/graph-api/reference/business/owned_pages>, as of 2026-10.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    BUSINESS, GRAPH, WEB, post,
    refusal::{self, GONE},
};
use crate::{
    connectors::{
        Auth, Body, Fill, Grant, Outcome, Progress, Repeat, Reply, Request, SecretName, Site,
        Target, Task, meta,
    },
    domain::{
        account::{Identity, LimitOverrides},
        delivery::Live,
        refusal::Refusal,
        secret::Secret,
    },
};

/// - `Lengthen`; `Remove*`; `Edit`;
/// - `Permissions → Discover*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Lengthen,
    Permissions,
    Discover(Search),
    /// The last of `left` goes first.
    Remove {
        left: Vec<String>,
    },
    Edit {
        live: Vec<(String, String)>,
        index: usize,
        text: String,
    },
}

/// How far the search for pages has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    granted: Vec<String>,
    listing: Listing,
    /// Where its next page begins; empty at its first.
    after: String,
    waiting: Vec<Listing>,
    /// Pages of a business are often among a person's own too.
    seen: Vec<String>,
    requests: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Listing {
    Accounts,
    Businesses,
    /// Pages that a business owns.
    Owned(String),
    /// Pages that a business works on for somebody else.
    Clients(String),
}

/// The engine allows an errand 64 requests; who has more pages than that many lists hold finds the
/// rest missing, and not everything.
const REQUESTS_MAX: u32 = 56;

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Lengthen => Some(Errand::Lengthen),
        Task::Discover => Some(Errand::Permissions),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        Task::Edit { live, index, text } if *index < live.len() => Some(Errand::Edit {
            live: live.iter().map(|live| (live.id.clone(), live.url.clone())).collect(),
            index: *index,
            text: text.clone(),
        }),
        // Access is withdrawn for all pages of a person at once, so never by us. Apps are made by
        // hand, people sign in on a consent page, and a page's token does not end.
        Task::Edit { .. }
        | Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Identify
        | Task::Refresh
        | Task::Revoke => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Lengthen => lengthen(site),
        Errand::Permissions => Request::get(site.url(GRAPH, "/{version}/me/permissions?limit=100")),
        Errand::Discover(search) => Request::get(site.url(GRAPH, &search.path())),
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            Request::delete(site.url(GRAPH, &format!("/{{version}}/{last}")))
        }
        Errand::Edit { live, index, text } => {
            let id = live.get(*index).map_or("", |(id, _)| id.as_str());
            // Posts and comments are known by two numbers, films by one.
            let field = if id.contains('_') { "message" } else { "description" };
            let url = site.url(GRAPH, &format!("/{{version}}/{id}"));
            Request::post(url, Body::Json(json!({ field: text })), Repeat::Harmless)
        }
    }
}

/// The secrets are parameters of the query, as the page has it.
fn lengthen(site: &Site) -> Request {
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    let path = "/{version}/oauth/access_token?grant_type=fb_exchange_token";
    Request {
        auth: Auth::None,
        fills: vec![
            fill("client_id", SecretName::ClientId),
            fill("client_secret", SecretName::ClientSecret),
            fill("fb_exchange_token", SecretName::Access),
        ],
        ..Request::get(site.url(GRAPH, path))
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, meta::is_success(reply)) {
        (Errand::Lengthen, true) => {
            let seconds = reply.body["expires_in"].as_u64();
            Ok(Progress::Done(Outcome::Granted(Grant {
                access: Secret::new(reply.text("/access_token")?),
                refresh: None,
                access_lasts: seconds.filter(|&it| it > 0).map(Duration::from_secs),
                refresh_lasts: None,
                scopes: String::new(),
            })))
        }
        (Errand::Permissions, true) => {
            Ok(Progress::Go(Errand::Discover(Search::first(granted(reply)?))))
        }
        (Errand::Discover(search), true) => search.after(site, reply),
        (Errand::Discover(search), false) => match search.listing {
            Listing::Accounts => Err(refusal::of_reply(reply)),
            // Without the scope for it, or a role in the business: that must not spoil the rest.
            Listing::Businesses | Listing::Owned(_) | Listing::Clients(_) => {
                Ok(search.next_listing(Vec::new()))
            }
        },
        (Errand::Remove { left }, true) => match reply.body["success"].as_bool() {
            Some(true) => Ok(without_last(left)),
            Some(false) | None => Err(reply.unreadable("/success")),
        },
        // It is gone already, which is what was asked for.
        (Errand::Remove { left }, false) if meta::code(reply) == Some(GONE) => {
            Ok(without_last(left))
        }
        (Errand::Edit { live, .. }, true) => match reply.body["success"].as_bool() {
            Some(true) => {
                let live = live.into_iter().map(|(id, url)| Live { id, url });
                Ok(Progress::Done(Outcome::Edited(live.collect())))
            }
            Some(false) | None => Err(reply.unreadable("/success")),
        },
        (
            Errand::Lengthen | Errand::Permissions | Errand::Remove { .. } | Errand::Edit { .. },
            false,
        ) => Err(refusal::of_reply(reply)),
    }
}

fn without_last(mut left: Vec<String>) -> Progress<Errand> {
    left.pop();
    match left.is_empty() {
        true => Progress::Done(Outcome::Finished),
        false => Progress::Go(Errand::Remove { left }),
    }
}

/// A person may untick any scope in Facebook's dialog.
fn granted(reply: &Reply) -> Result<Vec<String>, Refusal> {
    let data = reply.body["data"].as_array().ok_or_else(|| reply.unreadable("/data"))?;
    let granted = data.iter().filter(|one| one["status"] == "granted");
    Ok(granted.filter_map(|one| one["permission"].as_str()).map(str::to_owned).collect())
}

const PAGE: &str = "id,name,username,link,picture.type(large){url},access_token";

impl Search {
    fn first(granted: Vec<String>) -> Search {
        Search {
            granted,
            listing: Listing::Accounts,
            after: String::new(),
            waiting: Vec::new(),
            seen: Vec::new(),
            requests: 0,
        }
    }

    fn path(&self) -> String {
        let edge = match &self.listing {
            // Only here a page tells what the person may do with it.
            Listing::Accounts => format!("me/accounts?fields={PAGE},tasks"),
            Listing::Businesses => "me/businesses?fields=id".to_owned(),
            Listing::Owned(business) => format!("{business}/owned_pages?fields={PAGE}"),
            Listing::Clients(business) => format!("{business}/client_pages?fields={PAGE}"),
        };
        let mut path = format!("/{{version}}/{edge}&limit=100");
        if !self.after.is_empty() {
            let encoded = url::form_urlencoded::byte_serialize(self.after.as_bytes());
            path.push_str("&after=");
            path.extend(encoded);
        }
        path
    }

    fn after(mut self, site: &Site, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
        let data = reply.body["data"].as_array().ok_or_else(|| reply.unreadable("/data"))?;
        let mut targets = Vec::new();
        match self.listing {
            Listing::Accounts | Listing::Owned(_) | Listing::Clients(_) => {
                for page in data {
                    let id = post::id_of(&page["id"]);
                    if !id.is_empty() && !self.seen.contains(&id) {
                        targets.push(target(&id, page, site));
                        self.seen.push(id);
                    }
                }
            }
            Listing::Businesses => {
                for business in data {
                    let id = post::id_of(&business["id"]);
                    self.waiting.extend([Listing::Owned(id.clone()), Listing::Clients(id)]);
                }
            }
        }
        let paging = &reply.body["paging"];
        let after = paging["cursors"]["after"].as_str().unwrap_or_default();
        if paging["next"].is_null() || after.is_empty() || after == self.after {
            return Ok(self.next_listing(targets));
        }
        after.clone_into(&mut self.after);
        Ok(self.go_on(targets))
    }

    fn next_listing(mut self, targets: Vec<Target>) -> Progress<Errand> {
        if self.listing == Listing::Accounts && self.granted.iter().any(|scope| scope == BUSINESS) {
            self.waiting.push(Listing::Businesses);
        }
        if self.waiting.is_empty() {
            return self.done(targets);
        }
        self.listing = self.waiting.remove(0);
        self.after.clear();
        self.go_on(targets)
    }

    fn go_on(mut self, targets: Vec<Target>) -> Progress<Errand> {
        self.requests += 1;
        match self.requests < REQUESTS_MAX {
            true => Progress::Found(targets, Errand::Discover(self)),
            false => self.done(targets),
        }
    }

    fn done(self, targets: Vec<Target>) -> Progress<Errand> {
        let scopes = Some(self.granted.join(" "));
        Progress::Done(Outcome::Discovered { targets, scopes })
    }
}

fn target(id: &str, page: &Value, site: &Site) -> Target {
    let text = |pointer: &str| {
        page.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (name, url) = (text("/name"), text("/link"));
    let token = text("/access_token");
    let tasks = page["tasks"].as_array();
    let may_create =
        tasks.is_none_or(|tasks| tasks.iter().any(|task| task.as_str() == Some("CREATE_CONTENT")));
    let obstacle = match (token.is_empty(), may_create) {
        (true, _) => Some(
            "Facebook gives no access to this Page: it was left out in Facebook's dialog, or you \
             have no role on it. Connect again and choose it there.",
        ),
        (false, false) => Some(
            "Your role on this Page does not include creating posts. Ask somebody with full \
             control of it for that, then connect again.",
        ),
        (false, true) => None,
    };
    Target {
        identity: Identity {
            remote_id: id.to_owned(),
            handle: text("/username"),
            name: if name.is_empty() { id.to_owned() } else { name },
            url: if url.is_empty() { site.url(WEB, &format!("/{id}")) } else { url },
            picture: text("/picture/data/url"),
            limits: LimitOverrides::default(),
            traits: BTreeMap::new(),
        },
        access: (!token.is_empty()).then(|| Secret::new(token)),
        obstacle: obstacle.map(str::to_owned),
    }
}
