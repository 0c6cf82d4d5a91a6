//! What is not a delivery on YouTube: which channel this is, giving access back, taking a video
//! down, changing its description or the comment below it.
//!
//! <https://developers.google.com/youtube/v3/docs/channels/list>,
//! <https://developers.google.com/youtube/v3/docs/videos/update> and
//! <https://developers.google.com/identity/protocols/oauth2/web-server>, as of 2026-09.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    API, TOKEN, UPLOADS, WEB, WRITE_UNITS,
    refusal::{self, NO_CHANNEL},
};
use crate::{
    connectors::{
        Auth, Body, Fill, Method, Outcome, Progress, Repeat, Reply, Request, SecretName, Site, Task,
    },
    domain::{
        account::Identity,
        delivery::Live,
        refusal::{Refusal, RefusalKind},
    },
};

/// - `Identify`; `Revoke`; `Remove`; `EditComment`;
/// - `Read → Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Identify,
    Revoke,
    Remove {
        video: String,
    },
    /// `live`: ids and addresses.
    Read {
        live: Vec<(String, String)>,
        text: String,
    },
    /// What the video says now, with another description.
    Edit {
        live: Vec<(String, String)>,
        snippet: Value,
    },
    EditComment {
        live: Vec<(String, String)>,
        text: String,
    },
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::Identify => Some(Errand::Identify),
        Task::Revoke => Some(Errand::Revoke),
        // A comment goes with its video.
        Task::Remove { live } => Some(Errand::Remove { video: live.first()?.id.clone() }),
        Task::Edit { live, index, text } => {
            let known: Vec<_> =
                live.iter().map(|live| (live.id.clone(), live.url.clone())).collect();
            match (index, known.len()) {
                (0, 1..) => Some(Errand::Read { live: known, text: text.clone() }),
                (1, 2..) => Some(Errand::EditComment { live: known, text: text.clone() }),
                _ => None,
            }
        }
        // Apps are made by hand, people sign in on a consent page, and tokens are refreshed as
        // OAuth has it.
        Task::Prepare { .. }
        | Task::SignIn { .. }
        | Task::Lengthen
        | Task::Discover
        | Task::Refresh => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    match errand {
        Errand::Identify => Request::get(
            site.url(API, "/youtube/v3/channels?part=snippet,contentDetails&mine=true"),
        ),
        Errand::Revoke => Request {
            auth: Auth::None,
            fills: vec![Fill { place: "token".to_owned(), secret: SecretName::Refresh }],
            ..Request::post(site.url(TOKEN, "/revoke"), Body::Form(Vec::new()), Repeat::Harmless)
        },
        Errand::Remove { video } => {
            let url = site.url(API, &format!("/youtube/v3/videos?id={video}"));
            Request { units: WRITE_UNITS, ..Request::delete(url) }
        }
        Errand::Read { live, .. } => {
            let path = format!("/youtube/v3/videos?part=snippet&id={}", first(live));
            Request::get(site.url(API, &path))
        }
        Errand::Edit { live, snippet } => {
            let body = json!({ "id": first(live), "snippet": snippet });
            put("/youtube/v3/videos?part=snippet", body, site)
        }
        Errand::EditComment { live, text } => {
            let id = live.get(1).map_or("", |(id, _)| id.as_str());
            let body = json!({ "id": id, "snippet": { "textOriginal": text } });
            put("/youtube/v3/comments?part=snippet", body, site)
        }
    }
}

fn first(live: &[(String, String)]) -> &str {
    live.first().map_or("", |(id, _)| id.as_str())
}

fn put(path: &str, body: Value, site: &Site) -> Request {
    Request {
        method: Method::Put,
        units: WRITE_UNITS,
        ..Request::post(site.url(API, path), Body::Json(body), Repeat::Harmless)
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.is_success()) {
        (Errand::Identify, true) => Ok(Progress::Done(Outcome::Identified(identity(site, reply)?))),
        (Errand::Revoke | Errand::Remove { .. }, true) => Ok(Progress::Done(Outcome::Finished)),
        // It is over already, which is what was asked for.
        (Errand::Revoke, false) if reply.body["error"] == "invalid_token" => {
            Ok(Progress::Done(Outcome::Finished))
        }
        (Errand::Remove { .. }, false) if refusal::reason(reply) == "videoNotFound" => {
            Ok(Progress::Done(Outcome::Finished))
        }
        (Errand::Read { live, text }, true) => {
            let snippet = edited(reply, &text)?;
            Ok(Progress::Go(Errand::Edit { live, snippet }))
        }
        (Errand::Edit { live, .. } | Errand::EditComment { live, .. }, true) => {
            reply.text("/id")?;
            let live = live.into_iter().map(|(id, url)| Live { id, url }).collect();
            Ok(Progress::Done(Outcome::Edited(live)))
        }
        (Errand::Identify, false)
        | (Errand::Revoke, false)
        | (Errand::Remove { .. }, false)
        | (Errand::Read { .. }, false)
        | (Errand::Edit { .. }, false)
        | (Errand::EditComment { .. }, false) => Err(refusal::of_reply(reply)),
    }
}

/// What can be changed of a snippet (docs/videos/update): left out, it would be erased.
const KEPT: &[&str] = &["title", "categoryId", "tags", "defaultLanguage", "defaultAudioLanguage"];

fn edited(reply: &Reply, text: &str) -> Result<Value, Refusal> {
    let items = reply.body["items"].as_array().ok_or_else(|| reply.unreadable("/items"))?;
    let Some(video) = items.first() else {
        let words = "YouTube has no such video any more";
        return Err(Refusal::new(RefusalKind::Rejected, "videoNotFound", words));
    };
    let found = &video["snippet"];
    for needed in ["title", "categoryId"] {
        if !found[needed].is_string() {
            return Err(reply.unreadable(&format!("/items/0/snippet/{needed}")));
        }
    }
    let mut snippet = json!({ "description": text });
    for name in KEPT.iter().filter(|name| !found[**name].is_null()) {
        snippet[*name] = found[*name].clone();
    }
    Ok(snippet)
}

fn identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    // Without a channel there is nothing to list, and the list itself may be left out.
    if reply.body["kind"].is_null() && reply.body["items"].is_null() {
        return Err(reply.unreadable("/items"));
    }
    let Some(channel) = reply.body["items"].as_array().and_then(|items| items.first()) else {
        return Err(Refusal::new(RefusalKind::Rejected, "youtubeSignupRequired", NO_CHANNEL));
    };
    let text = |pointer: &str| {
        channel.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let id = reply.text("/items/0/id")?;
    let (name, handle) = (text("/snippet/title"), text("/snippet/customUrl"));
    let path = match handle.starts_with('@') {
        true => format!("/{handle}"),
        false => format!("/channel/{id}"),
    };
    Ok(Identity {
        handle: if handle.is_empty() { id.clone() } else { handle.replace('@', "") },
        name: if name.is_empty() { id.clone() } else { name },
        url: site.url(WEB, &path),
        picture: text("/snippet/thumbnails/default/url"),
        traits: [(UPLOADS.to_owned(), text("/contentDetails/relatedPlaylists/uploads"))].into(),
        remote_id: id,
        ..Identity::default()
    })
}
