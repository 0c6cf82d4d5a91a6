//! What is not a delivery on LinkedIn: who the member is, which organizations one may post for,
//! giving access back, taking posts down, changing their text.
//!
//! <https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2>,
//! `organization-access-control-by-role` and `organization-lookup-api` below
//! <https://learn.microsoft.com/linkedin/marketing/community-management/organizations/>, and
//! `posts-api`, all as of 2026-09-16.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{API, KIND, MEMBER, ORGANIZATION, WEB, encoded, listing::has_next, refusal, versioned};
use crate::{
    connectors::{
        Auth, Body, Fill, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Target, Task,
    },
    domain::{account::Identity, delivery::Live, refusal::Refusal, text},
};

/// - `Identify`;
/// - `Roles+ → Details*`;
/// - `Revoke`;
/// - `Remove`;
/// - `Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Identify,
    Roles {
        start: usize,
        found: Vec<Organization>,
    },
    /// The last of `left` is asked for; `asked` were before.
    Details {
        left: Vec<Organization>,
        asked: usize,
    },
    Revoke,
    Remove {
        post: String,
    },
    /// `live`: ids and addresses.
    Edit {
        live: Vec<(String, String)>,
        text: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organization {
    urn: String,
    roles: Vec<String>,
}

/// The most that a page holds.
const COUNT: usize = 100;

/// Each is a request of its own. Whoever has more organizations sees the rest by their numbers.
const DETAILS_MAX: usize = 40;

/// posts-api, permissions: the roles that may create posts. One has two names on LinkedIn's pages.
const POSTING: &[&str] =
    &["ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN", "DIRECT_SPONSORED_CONTENT_POSTER"];

pub(super) fn begin(task: &Task, site: &Site) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Identify),
        Task::Discover => Some(Errand::Roles { start: 0, found: Vec::new() }),
        // Revoking one token may end all that the person has granted, and the person's other
        // organizations live on the same grant.
        Task::Revoke if site.login == ORGANIZATION => None,
        Task::Revoke => Some(Errand::Revoke),
        // A comment goes with its post.
        Task::Remove { live } => Some(Errand::Remove { post: live.first()?.id.clone() }),
        // How a comment is edited, no page says for certain.
        Task::Edit { index: 1.., .. } => None,
        Task::Edit { live, index: 0, text } => {
            let live = live.iter().map(|live| (live.id.clone(), live.url.clone())).collect();
            Some(Errand::Edit { live, text: text.clone() })
        }
        // Apps are registered by hand, people sign in on a consent page, and tokens are refreshed
        // as OAuth has it, where LinkedIn gives refresh tokens at all.
        Task::Prepare { .. } | Task::SignIn { .. } | Task::Refresh | Task::Lengthen => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Identify => Request::get(site.url(API, "/v2/userinfo")),
        Errand::Roles { start, .. } => {
            let path = format!(
                "/rest/organizationAcls?q=roleAssignee&state=APPROVED&start={start}&count={COUNT}"
            );
            versioned(Request::get(site.url(API, &path)), site)
        }
        Errand::Details { left, .. } => {
            let number = left.last().map_or("", Organization::number);
            let path = format!("/rest/organizations/{}", encoded(number));
            versioned(Request::get(site.url(API, &path)), site)
        }
        Errand::Revoke => revocation(site),
        Errand::Remove { post } => versioned(Request::delete(post_url(post, site)), site),
        Errand::Edit { live, text } => {
            let post = live.first().map_or("", |(id, _)| id.as_str());
            let body = json!({ "patch": { "$set": { "commentary": text::little(text) } } });
            let edit = Request::post(post_url(post, site), Body::Json(body), Repeat::Harmless);
            let mut edit = versioned(edit, site);
            edit.headers.push(("x-restli-method", "PARTIAL_UPDATE".to_owned()));
            edit
        }
    }
}

fn post_url(urn: &str, site: &Site) -> String {
    site.url(API, &format!("/rest/posts/{}", encoded(urn)))
}

fn revocation(site: &Site) -> Request {
    let url = site.url(WEB, "/oauth/v2/revoke");
    let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
    Request {
        auth: Auth::None,
        fills: vec![
            fill("client_id", SecretName::ClientId),
            fill("client_secret", SecretName::ClientSecret),
            fill("token", SecretName::Access),
        ],
        ..Request::post(url, Body::Form(Vec::new()), Repeat::Harmless)
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.is_success()) {
        (Errand::Identify, true) => Ok(Progress::Done(Outcome::Identified(member(reply)?))),
        (Errand::Roles { start, found }, true) => after_roles(start, found, site, reply),
        (Errand::Details { left, asked }, _) => after_details(left, asked, site, reply),
        (Errand::Revoke, true) => Ok(Progress::Done(Outcome::Finished)),
        // 404: it is gone already, which is what was asked for.
        (Errand::Remove { .. }, is_done) if is_done || reply.status == 404 => {
            Ok(Progress::Done(Outcome::Finished))
        }
        (Errand::Edit { live, .. }, true) => {
            let live = live.into_iter().map(|(id, url)| Live { id, url }).collect();
            Ok(Progress::Done(Outcome::Edited(live)))
        }
        _ => Err(refusal::of_reply(reply)),
    }
}

fn member(reply: &Reply) -> Result<Identity, Refusal> {
    let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
    let subject = reply.text("/sub")?;
    let name = text("name");
    Ok(Identity {
        remote_id: format!("urn:li:person:{subject}"),
        // What members are called in addresses is told to approved apps only.
        handle: if name.is_empty() { subject } else { name.clone() },
        name,
        picture: text("picture"),
        traits: [(KIND.to_owned(), MEMBER.to_owned())].into(),
        ..Identity::default()
    })
}

fn after_roles(
    start: usize,
    mut found: Vec<Organization>,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let Some(elements) = reply.body["elements"].as_array() else {
        return Err(reply.unreadable("/elements"));
    };
    for element in elements {
        // Older versions have another name for it.
        let urn = element["organization"].as_str().or(element["organizationTarget"].as_str());
        let (Some(urn), Some(role)) = (urn, element["role"].as_str()) else {
            return Err(reply.unreadable("/elements/organization"));
        };
        if element["state"].as_str().is_some_and(|state| state != "APPROVED") {
            continue;
        }
        match found.iter_mut().find(|known| known.urn == urn) {
            Some(known) => known.roles.push(role.to_owned()),
            None => {
                found.push(Organization { urn: urn.to_owned(), roles: vec![role.to_owned()] });
            }
        }
    }
    if !elements.is_empty() && (elements.len() >= COUNT || has_next(reply)) {
        return Ok(Progress::Go(Errand::Roles { start: start + COUNT, found }));
    }
    // The last is asked for first: those that can be used.
    found.reverse();
    found.sort_by_key(Organization::may_post);
    Ok(details(found, 0, Vec::new(), site))
}

/// `targets`: what is known and not yet told.
fn details(
    left: Vec<Organization>,
    asked: usize,
    mut targets: Vec<Target>,
    site: &Site,
) -> Progress<Errand> {
    if !left.is_empty() && asked < DETAILS_MAX {
        let errand = Errand::Details { left, asked };
        return match targets.is_empty() {
            true => Progress::Go(errand),
            false => Progress::Found(targets, errand),
        };
    }
    targets.extend(left.iter().rev().map(|organization| {
        let name = format!("Organization {}", organization.number());
        organization.target(name, organization.number(), site)
    }));
    Progress::Done(Outcome::Discovered { targets, scopes: None })
}

fn after_details(
    mut left: Vec<Organization>,
    asked: usize,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let organization = left.pop().ok_or_else(|| reply.unreadable("/id"))?;
    let number = organization.number();
    let target = match reply.status {
        200..=299 => {
            let vanity = reply.body["vanityName"].as_str().unwrap_or(number);
            organization.target(reply.text("/localizedName")?, vanity, site)
        }
        // Of one organization; the others may well be readable.
        403 | 404 => {
            let words = refusal::of_reply(reply).words;
            let target = organization.target(format!("Organization {number}"), number, site);
            let obstacle = format!("LinkedIn shows the app nothing of this page ({words}).");
            Target { obstacle: Some(target.obstacle.unwrap_or(obstacle)), ..target }
        }
        _ => return Err(refusal::of_reply(reply)),
    };
    Ok(details(left, asked + 1, vec![target], site))
}

impl Organization {
    fn number(&self) -> &str {
        self.urn.rsplit(':').next().unwrap_or_default()
    }

    fn may_post(&self) -> bool {
        self.roles.iter().any(|role| POSTING.contains(&role.as_str()))
    }

    fn target(&self, name: String, handle: &str, site: &Site) -> Target {
        let obstacle = (!self.may_post()).then(|| {
            format!(
                "Your role on this page ({}) may not post; an administrator of the page can make \
                 you a content administrator.",
                self.roles.join(", ")
            )
        });
        Target {
            identity: Identity {
                remote_id: self.urn.clone(),
                handle: handle.to_owned(),
                name,
                url: site.url(WEB, &format!("/company/{handle}/")),
                traits: [(KIND.to_owned(), ORGANIZATION.to_owned())].into(),
                ..Identity::default()
            },
            access: None,
            obstacle,
        }
    }
}
