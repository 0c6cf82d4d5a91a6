//! What is not a delivery on Instagram: signing in, in either way, and taking posts down.
//!
//! <https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login>,
//! <https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived> and
//! <https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media>,
//! as of 2026-10.
//!
//! The two ways do not know each other's ids or tokens. An errand asks its site which it is.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    API, BY_FACEBOOK, BY_INSTAGRAM, DAY, FACEBOOK, FACEBOOK_WEB, GRAPH, WEB, discovery::Search,
    graph, is_by_facebook, publication::CONTAINER, refusal,
};
use crate::{
    connectors::{
        Auth, Fill, Grant, Outcome, Progress, Reply, Request, SecretName, Site, Task, meta,
    },
    domain::{
        account::{Identity, LimitOverrides},
        platform::{
            ClientAuthentication, ClientKind, FirstToken, Login, OAuth, Place, Proof, RefreshModel,
            ScopeSeparator, Targets,
        },
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

pub(super) const LOGINS: &[Login] = &[
    Login::OAuth(OAuth {
        name: BY_INSTAGRAM,
        app: "instagram",
        authorize: Place { endpoint: WEB, path: "/oauth/authorize" },
        token: Place { endpoint: API, path: "/oauth/access_token" },
        revoke: None,
        scopes: &[
            "instagram_business_basic",
            "instagram_business_content_publish",
            "instagram_business_manage_comments",
        ],
        client: ClientKind::Configured,
        client_parameter: "client_id",
        authentication: ClientAuthentication::Body,
        proof: Proof::StateOnly,
        separator: ScopeSeparator::Comma,
        required: &["instagram_business_basic", "instagram_business_content_publish"],
        refresh: RefreshModel::Extended,
        first: FirstToken::Short,
        targets: Targets::One,
    }),
    Login::OAuth(OAuth {
        name: BY_FACEBOOK,
        app: "facebook",
        authorize: Place { endpoint: FACEBOOK_WEB, path: "/{version}/dialog/oauth" },
        token: Place { endpoint: FACEBOOK, path: "/{version}/oauth/access_token" },
        revoke: None,
        scopes: &[
            "instagram_basic",
            "instagram_content_publish",
            "instagram_manage_comments",
            "instagram_manage_contents",
            "pages_show_list",
            "pages_read_engagement",
            "business_management",
        ],
        client: ClientKind::Configured,
        client_parameter: "client_id",
        authentication: ClientAuthentication::Body,
        proof: Proof::StateOnly,
        separator: ScopeSeparator::Comma,
        required: &[
            "instagram_basic",
            "instagram_content_publish",
            "pages_show_list",
            "pages_read_engagement",
        ],
        refresh: RefreshModel::Never,
        first: FirstToken::Short,
        targets: Targets::Several,
    }),
];

/// - `Lengthen`, `Refresh` and `Identify` are one request each;
/// - `Discover+`;
/// - `(Remove → Confirm?)+`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Lengthen,
    Refresh,
    Identify,
    Discover {
        search: Search,
    },
    /// The last of `left` goes first.
    Remove {
        left: Vec<String>,
    },
    /// "Not found" is also said of what we may not see, so it is looked at.
    Confirm {
        left: Vec<String>,
    },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Lengthen => Some(Errand::Lengthen),
        Task::Refresh => Some(Errand::Refresh),
        Task::Identify => Some(Errand::Identify),
        Task::Discover => Some(Errand::Discover { search: Search::default() }),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        // Apps are made by hand, and no page says how one account is withdrawn from: its owner
        // removes the app in the settings. A caption cannot be changed.
        Task::Prepare { .. } | Task::SignIn { .. } | Task::Revoke | Task::Edit { .. } => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Lengthen if is_by_facebook(site) => {
            let path = "/{version}/oauth/access_token?grant_type=fb_exchange_token";
            let secrets = [
                ("client_id", SecretName::ClientId),
                ("client_secret", SecretName::ClientSecret),
                ("fb_exchange_token", SecretName::Access),
            ];
            exchange(site.url(FACEBOOK, path), &secrets)
        }
        Errand::Lengthen => {
            let url = site.url(GRAPH, "/access_token?grant_type=ig_exchange_token");
            let secrets =
                [("client_secret", SecretName::ClientSecret), ("access_token", SecretName::Access)];
            exchange(url, &secrets)
        }
        Errand::Refresh => {
            let url = site.url(GRAPH, "/refresh_access_token?grant_type=ig_refresh_token");
            exchange(url, &[("access_token", SecretName::Access)])
        }
        Errand::Identify => {
            let fields = "user_id,username,name,account_type,profile_picture_url";
            Request::get(graph(site, &format!("/me?fields={fields}")))
        }
        Errand::Discover { search } => search.request(site),
        // What cannot be removed is not asked for. A request there has to be, so it is a read.
        Errand::Remove { left } if obstacle(left, site).is_some() => {
            Request::get(graph(site, "/me?fields=id"))
        }
        Errand::Remove { left } => Request::delete(graph(site, &format!("/{}", last(left)))),
        Errand::Confirm { left } => {
            Request::get(graph(site, &format!("/{}?fields=id", last(left))))
        }
    }
}

/// These calls are documented with their secrets in the query and nowhere else.
fn exchange(url: String, secrets: &[(&str, SecretName)]) -> Request {
    let fill = |&(place, secret): &(&str, SecretName)| Fill { place: place.to_owned(), secret };
    Request { auth: Auth::None, fills: secrets.iter().map(fill).collect(), ..Request::get(url) }
}

fn last(left: &[String]) -> &str {
    left.last().map_or("", String::as_str)
}

/// Why this cannot be taken down, whatever Instagram would say.
fn obstacle(left: &[String], site: &Site) -> Option<&'static str> {
    if !is_by_facebook(site) {
        return Some(
            "Instagram lets posts be taken down only where the account was connected by way of \
             Facebook; delete it in the Instagram app",
        );
    }
    last(left).starts_with(CONTAINER).then_some(
        "which of the account's posts it is was never told by Instagram; delete it in the \
         Instagram app",
    )
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let is_success = meta::is_success(reply);
    match errand {
        Errand::Remove { left } => match obstacle(&left, site) {
            Some(words) => Err(Refusal::new(RefusalKind::Rejected, "not_removable", words)),
            None => removed(left, reply),
        },
        Errand::Confirm { .. } if is_success => {
            let words = "Instagram did not find it to delete it, and still shows it; delete it in \
                         the Instagram app";
            reply.text("/id")?;
            Err(Refusal::new(RefusalKind::Rejected, "still_there", words))
        }
        Errand::Confirm { left } if meta::code(reply).is_some_and(refusal::is_missing) => {
            Ok(next_removal(left))
        }
        Errand::Discover { search } => search.accept(site, reply),
        Errand::Lengthen | Errand::Refresh if is_success => {
            Ok(Progress::Done(Outcome::Granted(grant(site, reply)?)))
        }
        Errand::Identify if is_success => {
            Ok(Progress::Done(Outcome::Identified(identity(site, reply)?)))
        }
        Errand::Lengthen | Errand::Refresh | Errand::Identify | Errand::Confirm { .. } => {
            Err(refusal::of_reply(reply))
        }
    }
}

fn removed(left: Vec<String>, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    match meta::is_success(reply) {
        true if reply.body["success"] == true => Ok(next_removal(left)),
        true => Err(reply.unreadable("success")),
        false if meta::code(reply).is_some_and(refusal::is_missing) => {
            Ok(Progress::Go(Errand::Confirm { left }))
        }
        false => Err(refusal::of_reply(reply)),
    }
}

fn next_removal(mut left: Vec<String>) -> Progress<Errand> {
    left.pop();
    match left.is_empty() {
        true => Progress::Done(Outcome::Finished),
        false => Progress::Go(Errand::Remove { left }),
    }
}

/// A long-lived token of Instagram is "valid for 60 days". Of Facebook's none is kept: a page has
/// a token of its own.
fn grant(site: &Site, reply: &Reply) -> Result<Grant, Refusal> {
    let usual = (!is_by_facebook(site)).then_some(DAY * 60);
    let lasts = reply.body["expires_in"].as_u64().map(Duration::from_secs);
    let scopes = match &reply.body["permissions"] {
        Value::String(text) => text.replace(',', " "),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    };
    Ok(Grant {
        access: Secret::new(reply.text("/access_token")?),
        refresh: None,
        access_lasts: lasts.or(usual),
        refresh_lasts: None,
        scopes,
    })
}

/// The pages show the answer bare and as the only item of `data`.
fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let body = reply.body.pointer("/data/0").unwrap_or(&reply.body);
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    // "Business" and "Media_Creator" are the professional ones.
    if text("account_type").eq_ignore_ascii_case("personal") {
        let words = format!(
            "{} is a personal account, and Instagram lets only professional ones be published to; \
             switch it to a business or creator account in the Instagram app, then connect it \
             again",
            text("username")
        );
        return Err(Refusal::new(RefusalKind::Rejected, "personal_account", words));
    }
    // `id` is another one, which is good for nothing but this app.
    let id = id(&body["user_id"]).ok_or_else(|| reply.unreadable("user_id"))?;
    let handle = Some(text("username")).filter(|handle| !handle.is_empty());
    let handle = handle.ok_or_else(|| reply.unreadable("username"))?;
    Ok(person(id, &handle, &text("name"), &text("profile_picture_url"), site))
}

/// Ids are numbers too large for some, and come as text or as number.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

pub(super) fn person(
    remote_id: String,
    handle: &str,
    name: &str,
    picture: &str,
    site: &Site,
) -> Identity {
    Identity {
        remote_id,
        url: site.url(WEB, &format!("/{handle}/")),
        name: if name.is_empty() { handle } else { name }.to_owned(),
        handle: handle.to_owned(),
        picture: picture.to_owned(),
        limits: LimitOverrides::default(),
        traits: BTreeMap::new(),
    }
}
