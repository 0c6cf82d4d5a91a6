//! What is not a delivery on Bluesky: signing in with an app password, staying signed in, who the
//! account is and what its server allows, signing out, taking records down.
//!
//! <https://atproto.com/specs/handle>, <https://atproto.com/specs/did> and the lexicons
//! `com.atproto.server.*`, read 2026-11-21.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APP, COLLECTION, ENTRY, LIMITS, PDS, PLC, facets, refusal};
use crate::{
    connectors::{
        Auth, Body, Fill, Grant, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Task,
    },
    domain::{
        account::{Identity, LimitOverrides},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// - `(Resolve →) Document → Session`, to sign in;
/// - `Refresh`;
/// - `Whoami → Portrait → Server`, to identify;
/// - `Leave`; `Remove*`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Resolve {
        handle: String,
    },
    /// `handle` is what the person gave; the document has to agree that it is this account's.
    Document {
        did: String,
        handle: Option<String>,
    },
    Session {
        did: String,
    },
    Refresh,
    Whoami,
    Portrait {
        did: String,
        handle: String,
    },
    Server {
        did: String,
        handle: String,
        name: String,
        picture: String,
    },
    Leave,
    /// At-URIs.
    Remove {
        left: Vec<String>,
    },
}

/// As the reference server makes them (packages/pds/src/account-manager, read 2026-11-21).
const ACCESS_LASTS: Duration = Duration::from_secs(120 * 60);
const REFRESH_LASTS: Duration = Duration::from_secs(90 * 24 * 60 * 60);

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } => Some(sign_in(identifier)),
        Task::Refresh => Some(Errand::Refresh),
        Task::Identify => Some(Errand::Whoami),
        Task::Revoke => Some(Errand::Leave),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        Task::Prepare { .. } | Task::Lengthen | Task::Discover | Task::Edit { .. } => None,
    }
}

/// A DID or a handle, however it was copied.
fn sign_in(identifier: &str) -> Errand {
    let identifier = identifier.trim();
    let identifier = identifier.strip_prefix("at://").unwrap_or(identifier);
    if document_url(identifier, "").is_some() {
        return Errand::Document { did: identifier.to_owned(), handle: None };
    }
    let handle = identifier.trim_start_matches('@').to_ascii_lowercase();
    Errand::Resolve { handle }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let pds = |path: &str| site.url(PDS, &format!("/xrpc/{path}"));
    let open = |url: String| Request { auth: Auth::None, ..Request::get(url) };
    match errand {
        Errand::Resolve { handle } => {
            // What is no handle is not sent: it may be anything, such as a password in the wrong
            // field.
            let handle = if facets::is_handle(handle) { handle } else { "handle.invalid" };
            let path = format!("/xrpc/com.atproto.identity.resolveHandle?handle={handle}");
            open(site.url(ENTRY, &path))
        }
        Errand::Document { did, .. } => {
            open(document_url(did, &site.url(PLC, "")).unwrap_or_default())
        }
        Errand::Session { did } => {
            let body = Body::Json(json!({ "identifier": did, "password": "" }));
            let url = pds("com.atproto.server.createSession");
            // A second session is one that nobody uses.
            Request {
                auth: Auth::None,
                fills: vec![Fill { place: "/password".to_owned(), secret: SecretName::Password }],
                ..Request::post(url, body, Repeat::Harmless)
            }
        }
        // For two hours the old token gives the same successor, so a lost answer can be asked for
        // again.
        Errand::Refresh => Request {
            auth: Auth::Refresh,
            ..Request::post(pds("com.atproto.server.refreshSession"), Body::Empty, Repeat::Harmless)
        },
        Errand::Whoami => Request::get(pds("com.atproto.server.getSession")),
        Errand::Portrait { did, .. } => open(pds(&format!(
            "com.atproto.repo.getRecord?repo={did}&collection=app.bsky.actor.profile&rkey=self"
        ))),
        Errand::Server { .. } => open(pds("com.atproto.server.describeServer")),
        Errand::Leave => Request {
            auth: Auth::Refresh,
            ..Request::post(pds("com.atproto.server.deleteSession"), Body::Empty, Repeat::Harmless)
        },
        Errand::Remove { left } => {
            // Deleting what is not there succeeds.
            let body = Body::Json(place(left.last().map_or("", String::as_str)));
            Request::post(pds("com.atproto.repo.deleteRecord"), body, Repeat::Harmless)
        }
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.status) {
        (Errand::Resolve { handle }, 200) => {
            let did = reply.text("/did")?;
            match document_url(&did, "") {
                Some(_) => Ok(Progress::Go(Errand::Document { did, handle: Some(handle) })),
                None => Err(rejected("UnsupportedDid", format!("`{did}` cannot be looked up"))),
            }
        }
        (Errand::Document { did, handle }, 200) => {
            let base = home(&did, handle.as_deref(), reply)?;
            Ok(Progress::Move { endpoint: PDS, base, errand: Errand::Session { did } })
        }
        (Errand::Session { did }, 200) if reply.text("/did")? != did => {
            Err(rejected("WrongAccount", format!("the server signed in somebody else than {did}")))
        }
        (Errand::Session { .. } | Errand::Refresh, 200) => granted(reply),
        (Errand::Refresh, 400 | 401) if is_over(reply) => {
            Err(Refusal { kind: RefusalKind::Revoked, ..refusal::of_reply(reply) })
        }
        (Errand::Whoami, 200) => {
            let (did, handle) = (reply.text("/did")?, reply.text("/handle")?);
            Ok(Progress::Go(Errand::Portrait { did, handle }))
        }
        // Many accounts never filled in a profile.
        (Errand::Portrait { did, handle }, 200 | 400 | 404) => {
            let text = |at: &str| reply.body.pointer(at).and_then(Value::as_str);
            let name = text("/value/displayName").unwrap_or_default().to_owned();
            let picture = match text("/value/avatar/ref/$link") {
                Some(cid) => {
                    site.url(PDS, &format!("/xrpc/com.atproto.sync.getBlob?did={did}&cid={cid}"))
                }
                None => String::new(),
            };
            Ok(Progress::Go(Errand::Server { did, handle, name, picture }))
        }
        (Errand::Server { did, handle, name, picture }, 200) => {
            Ok(Progress::Done(Outcome::Identified(Identity {
                name: if name.is_empty() { handle.clone() } else { name },
                url: site.url(APP, &format!("/profile/{did}")),
                picture,
                limits: limits(site, reply),
                traits: BTreeMap::new(),
                remote_id: did,
                handle,
            })))
        }
        (Errand::Leave, 200) => Ok(Progress::Done(Outcome::Finished)),
        // It had ended by itself.
        (Errand::Leave, 400 | 401) if is_over(reply) => Ok(Progress::Done(Outcome::Finished)),
        (Errand::Remove { mut left }, 200) => {
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        _ => Err(refusal::of_reply(reply)),
    }
}

/// Where the document of a DID is. `None` for what is no DID that Bluesky allows.
fn document_url(did: &str, directory: &str) -> Option<String> {
    if let Some(id) = did.strip_prefix("did:plc:") {
        let is_id = id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'));
        let is_id = is_id && !id.is_empty();
        return is_id.then(|| format!("{directory}/{did}"));
    }
    // A path after the host is not allowed in the AT Protocol, a port only for development.
    let host = did.strip_prefix("did:web:")?;
    let (name, port) = host.split_once("%3A").unwrap_or((host, ""));
    let is_host = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
        && port.bytes().all(|byte| byte.is_ascii_digit());
    let colon = if port.is_empty() { "" } else { ":" };
    is_host.then(|| format!("https://{name}{colon}{port}/.well-known/did.json"))
}

/// The server that the document names, if the document is this account's and knows the handle.
fn home(did: &str, handle: Option<&str>, reply: &Reply) -> Result<String, Refusal> {
    if reply.text("/id")? != did {
        return Err(rejected("WrongDocument", format!("the document is not that of {did}")));
    }
    let names = reply.body["alsoKnownAs"].as_array().map_or(&[][..], Vec::as_slice);
    let is_named = |handle: &str| {
        names.iter().filter_map(Value::as_str).any(|name| {
            name.strip_prefix("at://").is_some_and(|name| name.eq_ignore_ascii_case(handle))
        })
    };
    if let Some(handle) = handle.filter(|handle| !is_named(handle)) {
        return Err(rejected(
            "HandleMismatch",
            format!("`{handle}` points to {did}, but that account does not claim this handle"),
        ));
    }
    let services = reply.body["service"].as_array().map_or(&[][..], Vec::as_slice);
    let home = services.iter().find(|service| {
        service["id"]
            .as_str()
            .is_some_and(|id| id.strip_prefix(did).unwrap_or(id) == "#atproto_pds")
    });
    let base = home.and_then(|service| service["serviceEndpoint"].as_str()).unwrap_or_default();
    match base.starts_with("https://") || base.starts_with("http://") {
        true => Ok(base.trim_end_matches('/').to_owned()),
        false => Err(rejected("NoServer", format!("the document of {did} names no server"))),
    }
}

fn granted(reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    if reply.body["active"] == json!(false) {
        let status = reply.body["status"].as_str().unwrap_or("not active");
        let words = format!("the account is {status}");
        return Err(Refusal::new(RefusalKind::Revoked, "AccountInactive", words));
    }
    Ok(Progress::Done(Outcome::Granted(Grant {
        access: Secret::new(reply.text("/accessJwt")?),
        refresh: Some(Secret::new(reply.text("/refreshJwt")?)),
        access_lasts: Some(ACCESS_LASTS),
        refresh_lasts: Some(REFRESH_LASTS),
        scopes: String::new(),
    })))
}

/// The refresh token itself was refused, so there is nothing left to mend it with.
fn is_over(reply: &Reply) -> bool {
    reply.status == 401 || matches!(refusal::name(reply), "ExpiredToken" | "InvalidToken")
}

fn rejected(code: &str, words: String) -> Refusal {
    Refusal::new(RefusalKind::Rejected, code, words)
}

/// Bluesky's own servers are up to date, others are taken at the older, smaller limit for images;
/// and whatever a server says that a file may have, no image or video may have more.
fn limits(site: &Site, reply: &Reply) -> LimitOverrides {
    let base = site.url(PDS, "");
    let host = base.split_once("://").map_or("", |(_, host)| host);
    let host = host.split([':', '/']).next().unwrap_or_default();
    let is_their_own = host == "bsky.social" || host.ends_with(".bsky.network");
    let (image, file) = match is_their_own {
        true => (2_000_000, 50 * 1024 * 1024),
        false => (LIMITS.image_bytes_max, LIMITS.video_bytes_max),
    };
    let file = reply.body["blobUploadLimit"].as_u64().unwrap_or(file);
    LimitOverrides {
        image_bytes_max: Some(file.min(image)),
        video_bytes_max: Some(file.min(VIDEO_BYTES_MAX)),
        ..LimitOverrides::default()
    }
}

/// "The mp4 video file. May be up to 300mb" (`app.bsky.embed.video`).
const VIDEO_BYTES_MAX: u64 = 300_000_000;

/// Where a record is: `at://did/collection/key`.
fn place(uri: &str) -> Value {
    let mut parts = uri.trim_start_matches("at://").splitn(3, '/');
    let repo = parts.next().unwrap_or_default();
    let collection = parts.next().unwrap_or(COLLECTION);
    json!({ "repo": repo, "collection": collection, "rkey": parts.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_where_the_did_says_and_nowhere_else() {
        let plc = "did:plc:z72i7hdynmk6r22z27h6tvur";
        let cases = [
            (plc, Some("https://plc/did:plc:z72i7hdynmk6r22z27h6tvur")),
            ("did:web:example.com", Some("https://example.com/.well-known/did.json")),
            ("did:web:localhost%3A8080", Some("https://localhost:8080/.well-known/did.json")),
            ("did:plc:", None),
            ("did:plc:../x", None),
            ("did:web:example.com:path", None),
            ("did:web:evil.com/x?", None),
            ("did:key:abc", None),
            ("alice.bsky.social", None),
        ];
        for (did, expected) in cases {
            assert_eq!(document_url(did, "https://plc").as_deref(), expected, "{did}");
        }
    }

    #[test]
    fn identifiers_are_read_however_they_were_copied() {
        let handle = Errand::Resolve { handle: "alice.test".to_owned() };
        for text in ["alice.test", " @Alice.test ", "at://alice.test", "@alice.test"] {
            assert_eq!(sign_in(text), handle, "{text}");
        }
        let site = Site::default();
        for text in ["not a handle", "xxxx-xxxx-xxxx-xxxx", "a@b.example.com"] {
            let url = request(&sign_in(text), &site).url;
            assert!(url.ends_with("handle=handle.invalid"), "{url}");
        }
    }
}
