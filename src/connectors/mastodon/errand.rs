//! What is not a delivery on Mastodon: registering with a server, who the account is and what its
//! server allows, giving access back, taking statuses down.
//!
//! <https://docs.joinmastodon.org/methods/oauth/>, <https://docs.joinmastodon.org/methods/apps/>
//! and <https://docs.joinmastodon.org/methods/instance/>, read 2026-07-02.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    APPLICATION, SERVER,
    refusal::{self, text},
    server,
};
use crate::{
    connectors::{
        Auth, Body, Fill, Method, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Task,
    },
    domain::{account::Identity, refusal::Refusal, secret::Secret},
};

/// As little as publishing and looking back need. `profile` exists since 4.3, like the metadata.
pub(super) const SCOPES: &[&str] = &["profile", "read:statuses", "write:statuses", "write:media"];

/// Every server has known these two since the beginning; Pixelfed knows no finer ones.
const SCOPES_OF_OLD: &str = "read write";

/// - `Discover → Register`, to register;
/// - `Verify → Instance → (InstanceOfOld) → NodeInfo → (NodeInfoAt)`, to identify;
/// - `Revoke`; `Remove*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Discover {
        redirect_uri: String,
    },
    Register {
        redirect_uri: String,
        places: Places,
    },
    Verify,
    Instance {
        person: Person,
    },
    InstanceOfOld {
        person: Person,
    },
    /// `instance`: what the server said of itself.
    NodeInfo {
        person: Person,
        instance: Value,
    },
    NodeInfoAt {
        person: Person,
        instance: Value,
        path: String,
    },
    Revoke,
    Remove {
        left: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Places {
    authorize: String,
    token: String,
    revoke: Option<String>,
    scopes: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    id: String,
    account: String,
    name: String,
    url: String,
    picture: String,
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Prepare { redirect_uri } => {
            Some(Errand::Discover { redirect_uri: redirect_uri.clone() })
        }
        Task::Identify => Some(Errand::Verify),
        Task::Revoke => Some(Errand::Revoke),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        // People sign in on a consent page, and access does not end.
        Task::SignIn { .. }
        | Task::Refresh
        | Task::Lengthen
        | Task::Discover
        | Task::Edit { .. } => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let url = |path: &str| site.url(SERVER, path);
    match errand {
        Errand::Discover { .. } => public(url("/.well-known/oauth-authorization-server")),
        Errand::Register { redirect_uri, places } => {
            let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let form = Body::Form(vec![
                field("client_name", APPLICATION),
                field("redirect_uris", redirect_uri),
                field("scopes", &places.scopes),
            ]);
            // A second registration is a second pair of credentials, of which we use one.
            let request = Request::post(url("/api/v1/apps"), form, Repeat::Harmless);
            Request { auth: Auth::None, ..request }
        }
        Errand::Verify => Request::get(url("/api/v1/accounts/verify_credentials")),
        Errand::Instance { .. } => Request::get(url("/api/v2/instance")),
        Errand::InstanceOfOld { .. } => Request::get(url("/api/v1/instance")),
        Errand::NodeInfo { .. } => public(url("/.well-known/nodeinfo")),
        Errand::NodeInfoAt { path, .. } => public(url(path)),
        Errand::Revoke => {
            let fill = |place: &str, secret| Fill { place: place.to_owned(), secret };
            let form = Body::Form(Vec::new());
            Request {
                auth: Auth::None,
                fills: vec![
                    fill("client_id", SecretName::ClientId),
                    fill("client_secret", SecretName::ClientSecret),
                    fill("token", SecretName::Access),
                ],
                ..Request::post(url("/oauth/revoke"), form, Repeat::Harmless)
            }
        }
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            let get = Request::get(url(&format!("/api/v1/statuses/{last}")));
            Request { method: Method::Delete, ..get }
        }
    }
}

fn public(url: String) -> Request {
    Request { auth: Auth::None, ..Request::get(url) }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.status) {
        (Errand::Discover { redirect_uri }, 200) => {
            let places = discovered(&reply.body).unwrap_or_else(|| places_of_old(site));
            Ok(Progress::Go(Errand::Register { redirect_uri, places }))
        }
        // Before 4.3 there was no such document, and some servers forbid what they do not know.
        (Errand::Discover { redirect_uri }, 400..=499) if reply.status != 429 => {
            let places = places_of_old(site);
            Ok(Progress::Go(Errand::Register { redirect_uri, places }))
        }
        (Errand::Register { places, .. }, 200 | 201) => {
            Ok(Progress::Done(registered(places, reply)?))
        }
        (Errand::Verify, 200) => {
            let body = &reply.body;
            let person = Person {
                id: reply.text("/id")?,
                account: text(body, "acct"),
                name: text(body, "display_name"),
                url: text(body, "url"),
                picture: text(body, "avatar"),
            };
            Ok(Progress::Go(Errand::Instance { person }))
        }
        (Errand::Instance { person }, 404) => Ok(Progress::Go(Errand::InstanceOfOld { person })),
        (Errand::Instance { person } | Errand::InstanceOfOld { person }, 200) => {
            Ok(Progress::Go(Errand::NodeInfo { person, instance: reply.body.clone() }))
        }
        // Whatever comes of it, the account is known; without a name its version has to do.
        (Errand::NodeInfo { person, instance }, status) => {
            let links = (status == 200).then_some(&reply.body);
            match links.and_then(|links| server::place_of_node_info(links, site)) {
                Some(path) => Ok(Progress::Go(Errand::NodeInfoAt { person, instance, path })),
                None => Ok(identified(person, &instance, None)),
            }
        }
        (Errand::NodeInfoAt { person, instance, .. }, status) => {
            let name = reply.body.pointer("/software/name").and_then(Value::as_str);
            Ok(identified(person, &instance, name.filter(|_| status == 200)))
        }
        (Errand::Revoke, 200) => Ok(Progress::Done(Outcome::Finished)),
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

/// `None` where the document lacks what we need: then it is treated as if it did not exist.
fn discovered(body: &Value) -> Option<Places> {
    let known: Vec<&str> =
        body["scopes_supported"].as_array()?.iter().filter_map(Value::as_str).collect();
    let all = SCOPES.iter().all(|scope| known.contains(scope));
    Some(Places {
        authorize: body["authorization_endpoint"].as_str()?.to_owned(),
        token: body["token_endpoint"].as_str()?.to_owned(),
        revoke: body["revocation_endpoint"].as_str().map(str::to_owned),
        scopes: if all { SCOPES.join(" ") } else { SCOPES_OF_OLD.to_owned() },
    })
}

fn places_of_old(site: &Site) -> Places {
    Places {
        authorize: site.url(SERVER, "/oauth/authorize"),
        token: site.url(SERVER, "/oauth/token"),
        revoke: Some(site.url(SERVER, "/oauth/revoke")),
        scopes: SCOPES_OF_OLD.to_owned(),
    }
}

fn registered(places: Places, reply: &Reply) -> Result<Outcome, Refusal> {
    // Pixelfed's ids are numbers.
    let client_id = match reply.body["client_id"].as_u64() {
        Some(number) => number.to_string(),
        None => reply.text("/client_id")?,
    };
    Ok(Outcome::Registered {
        client_id: Secret::new(client_id),
        client_secret: Secret::new(reply.text("/client_secret")?),
        authorize_url: places.authorize,
        token_url: places.token,
        revoke_url: places.revoke,
        scopes: places.scopes,
    })
}

fn identified(person: Person, instance: &Value, name: Option<&str>) -> Progress<Errand> {
    Progress::Done(Outcome::Identified(identity(person, instance, name)))
}

fn identity(person: Person, instance: &Value, name: Option<&str>) -> Identity {
    // `uri` is the domain in version 1 of the answer, and a whole URL on some servers.
    let domain = match instance["domain"].as_str() {
        Some(domain) => domain.to_owned(),
        None => {
            let uri = text(instance, "uri");
            uri.split_once("://").map_or(uri.as_str(), |(_, host)| host).to_owned()
        }
    };
    let is_whole = person.account.contains('@') || domain.is_empty();
    let handle = match is_whole {
        true => person.account,
        false => format!("{}@{}", person.account, domain.trim_end_matches('/')),
    };
    Identity {
        remote_id: person.id,
        name: if person.name.is_empty() { handle.clone() } else { person.name },
        handle,
        url: person.url,
        picture: person.picture,
        limits: server::limits(instance),
        traits: server::traits(instance, name),
    }
}
