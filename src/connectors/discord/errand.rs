//! What is not a delivery on Discord: whether a bot or a webhook is good, taking messages down,
//! changing their text.
//!
//! <https://docs.discord.com/developers/resources/webhook#get-webhook-with-token>,
//! <https://docs.discord.com/developers/resources/channel#get-channel> and
//! <https://docs.discord.com/developers/resources/message#edit-message>, as of 2026-08.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::{
    BOT, CDN, WEB, WEBHOOK,
    draft::{CHANNEL, GUILD, LOGIN, USER},
    is_webhook,
    message::{call, call_webhook},
    refusal::{self, UNKNOWN_MESSAGE},
};
use crate::{
    connectors::{Body, Method, Outcome, Paste, Progress, Reply, Request, Site, Task},
    domain::{
        account::Identity,
        delivery::Live,
        problem::{Code, Problem},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// - `Webhook`, or `Bot → Channel`, to sign in;
/// - `Remove*`; `Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Webhook {
        id: String,
    },
    Bot {
        channel: String,
    },
    Channel {
        channel: String,
        bot: String,
    },
    /// As [`Live::id`] has them; the last one goes first.
    Remove {
        left: Vec<String>,
    },
    Edit {
        live: Vec<(String, String)>,
        index: usize,
        text: String,
    },
}

/// Text, announcements, and the three kinds of threads.
const WRITABLE: &[u64] = &[0, 5, 10, 11, 12];

const FORUM: u64 = 15;
const GALLERY: u64 = 16;

const HOSTS: &[&str] = &["discord.com", "discordapp.com"];
const EARLY: &[&str] = &["ptb.", "canary."];

/// A webhook's address becomes its id and its token.
pub(super) fn paste(pasted: Paste) -> Result<Paste, Problem> {
    let wrong = |place: &str, sentence: &str, remedy: &str| {
        Err(Problem::new(Code::Invalid, sentence, remedy).at(place))
    };
    if pasted.login != WEBHOOK {
        let identifier = pasted.identifier.trim().to_owned();
        let secret = pasted.secret.expose().trim();
        let secret = Secret::new(secret.strip_prefix("Bot ").unwrap_or(secret));
        return match is_id(&identifier) {
            true => Ok(Paste { identifier, secret, ..pasted }),
            false => wrong(
                "identifier",
                "This is not the id of a channel, which is a number.",
                "Switch on Discord's developer mode, and choose `Copy Channel ID` on the channel.",
            ),
        };
    }
    let address = Url::parse(pasted.secret.expose().trim()).ok();
    let in_thread =
        address.as_ref().is_some_and(|it| it.query_pairs().any(|(name, _)| name == "thread_id"));
    if in_thread {
        let sentence = "The webhook's address names a thread, and Fanfare posts to channels only.";
        return wrong("password", sentence, "Paste the address without `thread_id`.");
    }
    match address.as_ref().and_then(pieces) {
        Some((id, token)) => Ok(Paste { identifier: id, secret: Secret::new(token), ..pasted }),
        None => wrong(
            "password",
            "This is not the address of a webhook of Discord's.",
            "Copy it in the channel's settings under Integrations: \
             https://discord.com/api/webhooks/….",
        ),
    }
}

/// `/api/webhooks/{id}/{token}`, with or without a version.
fn pieces(address: &Url) -> Option<(String, String)> {
    let host = address.host_str()?;
    let bare = EARLY.iter().find_map(|early| host.strip_prefix(early)).unwrap_or(host);
    let mut path = address.path().trim_matches('/').split('/').peekable();
    let is_api = path.next() == Some("api") && HOSTS.contains(&bare);
    let is_version = |piece: &&str| {
        let number = piece.strip_prefix('v');
        number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    path.next_if(is_version);
    let is_webhook = path.next() == Some("webhooks");
    let (id, token) = (path.next()?, path.next()?);
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = is_id(id) && !token.is_empty() && token.bytes().all(is_token);
    let is_all = path.next().is_none() && address.scheme() == "https";
    (is_api && is_webhook && fits && is_all).then(|| (id.to_owned(), token.to_owned()))
}

fn is_id(text: &str) -> bool {
    (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn begin(task: &Task, site: &Site) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } if is_webhook(site) => {
            Some(Errand::Webhook { id: identifier.clone() })
        }
        Task::SignIn { identifier } => Some(Errand::Bot { channel: identifier.clone() }),
        Task::Remove { live } if live.is_empty() => None,
        Task::Remove { live } => {
            Some(Errand::Remove { left: live.iter().map(|live| live.id.clone()).collect() })
        }
        Task::Edit { live, index, text } => {
            live.get(*index)?;
            let live = live.iter().map(|part| (part.id.clone(), part.url.clone())).collect();
            Some(Errand::Edit { live, index: *index, text: text.clone() })
        }
        // Tokens do not end, and the bot or webhook is a person's own.
        Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Discover
        | Task::Refresh
        | Task::Revoke => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let get = |path: &str| call(Method::Get, path, Body::Empty, site);
    match errand {
        Errand::Webhook { id } => call_webhook(Method::Get, id, "", Body::Empty, site),
        Errand::Bot { .. } => get("/users/@me"),
        Errand::Channel { channel, .. } => get(&format!("/channels/{channel}")),
        Errand::Remove { left } => {
            let last = left.last().map_or("", String::as_str);
            to_message(Method::Delete, last, Body::Empty, site)
        }
        Errand::Edit { live, index, text } => {
            let id = live.get(*index).map_or("", |(id, _)| id);
            // Without `attachments`, the files stay; nobody is called anew.
            let body = json!({ "content": text, "allowed_mentions": { "parse": [] } });
            to_message(Method::Patch, id, Body::Json(body), site)
        }
    }
}

/// By [`Live::id`]: `channel/message` of a bot, `webhook/message` of a webhook, and there perhaps
/// the thread that it is in.
fn to_message(method: Method, id: &str, body: Body, site: &Site) -> Request {
    let mut pieces = id.split('/');
    let mut next = || pieces.next().unwrap_or_default();
    let (place, message, thread) = (next(), next(), next());
    if !is_webhook(site) {
        return call(method, &format!("/channels/{place}/messages/{message}"), body, site);
    }
    let query = if thread.is_empty() { String::new() } else { format!("?thread_id={thread}") };
    call_webhook(method, place, &format!("/messages/{message}{query}"), body, site)
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    match (errand, reply.status) {
        (Errand::Webhook { .. }, 200) => {
            Ok(Progress::Done(Outcome::Admitted(webhook_identity(site, reply)?)))
        }
        (Errand::Bot { channel }, 200) => {
            let bot = reply.text("/id")?;
            Ok(Progress::Go(Errand::Channel { channel, bot }))
        }
        (Errand::Channel { bot, .. }, 200) => {
            Ok(Progress::Done(Outcome::Admitted(channel_identity(bot, site, reply)?)))
        }
        (Errand::Channel { .. }, 403 | 404) => {
            let words = "the bot does not see this channel. Invite it to the server, and allow it \
                         to view the channel and to send messages in it";
            Err(Refusal::new(RefusalKind::Rejected, refusal::of_reply(reply).code, words))
        }
        (Errand::Webhook { .. }, 401 | 404) => {
            let words =
                "the webhook is not there any more. Make another one, and paste its address";
            Err(Refusal::new(RefusalKind::Rejected, refusal::of_reply(reply).code, words))
        }
        (Errand::Remove { mut left }, status)
            if status == 204 || refusal::code(reply) == UNKNOWN_MESSAGE =>
        {
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        (Errand::Edit { live, .. }, 200) => {
            let live = live.into_iter().map(|(id, url)| Live { id, url }).collect();
            Ok(Progress::Done(Outcome::Edited(live)))
        }
        (
            Errand::Webhook { .. }
            | Errand::Bot { .. }
            | Errand::Channel { .. }
            | Errand::Remove { .. }
            | Errand::Edit { .. },
            _,
        ) => Err(refusal::of_reply(reply)),
    }
}

fn webhook_identity(site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let id = reply.text("/id")?;
    let (channel, guild) = (reply.text("/channel_id")?, reply.text("/guild_id")?);
    let name = text(&reply.body, "name");
    let picture = match text(&reply.body, "avatar").as_str() {
        "" => String::new(),
        avatar => site.url(CDN, &format!("/avatars/{id}/{avatar}.png")),
    };
    Ok(Identity {
        url: site.url(WEB, &format!("/channels/{guild}/{channel}")),
        handle: name.clone(),
        name,
        picture,
        remote_id: id,
        traits: traits(WEBHOOK, &guild, &channel, ""),
        ..Identity::default()
    })
}

fn channel_identity(bot: String, site: &Site, reply: &Reply) -> Result<Identity, Refusal> {
    let id = reply.text("/id")?;
    let refused = |words: &str| Err(Refusal::new(RefusalKind::Rejected, "channel", words));
    let kind = reply.body["type"].as_u64().ok_or_else(|| reply.unreadable("/type"))?;
    match kind {
        FORUM | GALLERY => {
            return refused(
                "this is a forum, in which a bot cannot simply write. Connect a webhook of it, and \
                 set the option `thread_name`",
            );
        }
        kind if !WRITABLE.contains(&kind) => {
            return refused("this is no channel that texts are written in");
        }
        _ => (),
    }
    let (guild, name) = (reply.text("/guild_id")?, format!("#{}", text(&reply.body, "name")));
    Ok(Identity {
        url: site.url(WEB, &format!("/channels/{guild}/{id}")),
        handle: name.clone(),
        name,
        traits: traits(BOT, &guild, &id, &bot),
        remote_id: id,
        ..Identity::default()
    })
}

fn traits(login: &str, guild: &str, channel: &str, user: &str) -> BTreeMap<String, String> {
    let all = [(LOGIN, login), (GUILD, guild), (CHANNEL, channel), (USER, user)];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}
