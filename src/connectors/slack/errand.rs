//! What is not a delivery on Slack: whether a bot or a webhook is good, which channels there are,
//! taking messages down, changing their text.
//!
//! <https://docs.slack.dev/reference/methods/auth.test>, `conversations.info`,
//! `conversations.list`, `chat.delete`, `chat.update` and `files.delete`, as of 2026-08.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    API, APP, BOT, HOOKS, OAUTH, WEBHOOK,
    draft::{BOT_ID, LOGIN, TEAM, WORKSPACE},
    is_webhook,
    message::{BUTTONS, FILES, escaped, info, mrkdwn, time_in},
    refusal,
};
use crate::{
    connectors::{
        Auth, Body, Fill, Outcome, Paste, Progress, Repeat, Reply, Request, SecretName, Site,
        Target, Task,
    },
    domain::{
        account::Identity,
        delivery::Live,
        problem::{Code, Problem},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// - `Bot → Channel`, or `Webhook`, to sign in;
/// - `Team → Channels+`, to discover;
/// - `Remove+`; `Find? → Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Bot {
        channel: String,
    },
    Channel {
        channel: String,
        team: Team,
    },
    Webhook {
        id: String,
        name: String,
    },
    Team,
    Channels {
        team: Team,
        cursor: String,
    },
    /// The last one goes first.
    Remove {
        left: Vec<Piece>,
    },
    Find {
        file: String,
        edit: Edit,
    },
    Edit {
        time: String,
        edit: Edit,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Piece {
    Message {
        channel: String,
        time: String,
    },
    /// The message that shows this file, whichever it is.
    Shown {
        channel: String,
        file: String,
    },
    File {
        file: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    live: Vec<(String, String)>,
    channel: String,
    text: String,
}

/// Who the bot is, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Team {
    id: String,
    name: String,
    address: String,
    bot: String,
}

const PUBLIC: &str = "chat:write.public";

/// A webhook's address becomes what stands behind `/services/`; what was typed as its name goes
/// with its ids.
pub(super) fn paste(pasted: Paste) -> Result<Paste, Problem> {
    let wrong = |place: &str, sentence: &str, remedy: &str| {
        Err(Problem::new(Code::Invalid, sentence, remedy).at(place))
    };
    let secret = pasted.secret.expose().trim();
    let identifier = pasted.identifier.trim();
    if pasted.login == WEBHOOK {
        return match services(secret) {
            Some((id, whole)) => {
                let identifier = format!("{id} {identifier}").trim().to_owned();
                let secret = Secret::new(whole);
                Ok(Paste { identifier, secret, ..pasted })
            }
            None => wrong(
                "password",
                "This is not the address of an incoming webhook of Slack's.",
                "Copy it from your app's page under Incoming Webhooks: \
                 https://hooks.slack.com/services/….",
            ),
        };
    }
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if identifier.len() < 8 || !identifier.starts_with(['C', 'G']) || !letters(identifier) {
        let sentence = "This is not the id of a channel, which begins with C or G.";
        let remedy = "Open the channel's details in Slack; the id stands at the end.";
        return wrong("identifier", sentence, remedy);
    }
    if !secret.starts_with("xoxb-") {
        let sentence = "This is not the token of a bot, which begins with xoxb-.";
        let remedy = "Copy the `Bot User OAuth Token` from your app's page.";
        return wrong("password", sentence, remedy);
    }
    let (identifier, secret) = (identifier.to_owned(), Secret::new(secret));
    Ok(Paste { identifier, secret, ..pasted })
}

/// `T…/B…`, and that with the secret behind it.
fn services(address: &str) -> Option<(String, String)> {
    let whole = address.strip_prefix("https://hooks.slack.com/services/")?;
    let whole = whole.trim_end_matches('/');
    let pieces: Vec<&str> = whole.split('/').collect();
    let is_word =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match pieces.as_slice() {
        [team, hook, secret] if [team, hook, secret].into_iter().all(is_word) => {
            Some((format!("{team}/{hook}"), whole.to_owned()))
        }
        _ => None,
    }
}

pub(super) fn begin(task: &Task, site: &Site) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } if is_webhook(site) => {
            let (id, name) = identifier.split_once(' ').unwrap_or((identifier, ""));
            Some(Errand::Webhook { id: id.to_owned(), name: name.to_owned() })
        }
        Task::SignIn { identifier } if site.login != OAUTH => {
            Some(Errand::Bot { channel: identifier.clone() })
        }
        Task::Discover if site.login == OAUTH => Some(Errand::Team),
        Task::Remove { live } if !is_webhook(site) => {
            let left: Vec<Piece> = live.iter().flat_map(pieces).collect();
            (!left.is_empty()).then_some(Errand::Remove { left })
        }
        Task::Edit { live, index, text } if !is_webhook(site) => {
            let mut id = live.get(*index)?.id.split('/');
            let (channel, time, rest) = (id.next()?.to_owned(), id.next()?, id.next());
            let text = text.clone();
            let live = live.iter().map(|part| (part.id.clone(), part.url.clone())).collect();
            let edit = Edit { live, channel, text };
            match (time, rest) {
                // An edit of the text alone leaves the blocks as they are, which are what is shown.
                (_, Some(BUTTONS)) => None,
                (FILES, Some(files)) => {
                    let file = files.split(',').next()?.to_owned();
                    Some(Errand::Find { file, edit })
                }
                (time, _) => Some(Errand::Edit { time: time.to_owned(), edit }),
            }
        }
        // A bot's token does not end, and stands for all its channels; of a webhook's messages
        // nothing is known.
        Task::SignIn { .. }
        | Task::Discover
        | Task::Remove { .. }
        | Task::Edit { .. }
        | Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Refresh
        | Task::Revoke => None,
    }
}

/// By [`Live::id`]: `channel/time`, or `channel/files/F1,F2`. The message goes before its files.
fn pieces(live: &Live) -> Vec<Piece> {
    let mut id = live.id.split('/');
    let mut next = || id.next().unwrap_or_default();
    let (channel, time, files) = (next().to_owned(), next(), next());
    if time != FILES {
        return vec![Piece::Message { channel, time: time.to_owned() }];
    }
    let mut pieces: Vec<Piece> =
        files.split(',').map(|file| Piece::File { file: file.to_owned() }).collect();
    let file = files.split(',').next().unwrap_or_default().to_owned();
    pieces.push(Piece::Shown { channel, file });
    pieces
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let post = |method: &str, body: Value| {
        let url = site.url(API, &format!("/{method}"));
        Request::post(url, Body::Json(body), Repeat::Harmless)
    };
    match errand {
        Errand::Bot { .. } | Errand::Team => {
            Request::post(site.url(API, "/auth.test"), Body::Empty, Repeat::Harmless)
        }
        Errand::Channel { channel, .. } => {
            let path = format!("/conversations.info?channel={}", escaped(channel));
            Request::get(site.url(API, &path))
        }
        // Without a text nothing is written, but a webhook that is gone says so (unconfirmed).
        Errand::Webhook { .. } => {
            let fill = Fill { place: "{webhook}".to_owned(), secret: SecretName::Access };
            let url = site.url(HOOKS, "/services/{webhook}");
            let request = Request::post(url, Body::Json(json!({ "text": "" })), Repeat::Harmless);
            Request { auth: Auth::None, fills: vec![fill], ..request }
        }
        Errand::Channels { cursor, .. } => {
            let cursor = match cursor.as_str() {
                "" => String::new(),
                cursor => format!("&cursor={}", escaped(cursor)),
            };
            let path = format!(
                "/conversations.list?types=public_channel,private_channel&exclude_archived=true\
                 &limit=200{cursor}"
            );
            Request::get(site.url(API, &path))
        }
        Errand::Remove { left } => match left.last() {
            Some(Piece::Message { channel, time }) => {
                post("chat.delete", json!({ "channel": channel, "ts": time }))
            }
            Some(Piece::Shown { file, .. }) => info(file, site),
            Some(Piece::File { file }) => post("files.delete", json!({ "file": file })),
            None => post("files.delete", json!({})),
        },
        Errand::Find { file, .. } => info(file, site),
        Errand::Edit { time, edit } => {
            let text = mrkdwn(&edit.text);
            post("chat.update", json!({ "channel": edit.channel, "ts": time, "text": text }))
        }
    }
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let is_success = refusal::is_success(reply);
    match errand {
        Errand::Webhook { id, name } => webhook(&id, name, site, reply),
        Errand::Remove { mut left } if is_success || is_gone(reply) => {
            if let Some(Piece::Shown { channel, .. }) = left.pop()
                && let Some(time) = time_in(&reply.body, &channel)
            {
                left.push(Piece::Message { channel, time });
            }
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        Errand::Bot { channel } if is_success => {
            Ok(Progress::Go(Errand::Channel { channel, team: Team::read(reply)? }))
        }
        Errand::Channel { team, .. } if is_success => {
            reply.text("/channel/id")?;
            let channel = &reply.body["channel"];
            match obstacle(channel, reply) {
                Some(words) => Err(Refusal::new(RefusalKind::Rejected, "channel", words)),
                None => Ok(Progress::Done(Outcome::Admitted(identity(channel, BOT, &team)))),
            }
        }
        Errand::Channel { .. } if refusal::code(reply) == "channel_not_found" => {
            let words = "the bot sees no such channel. Invite it there with /invite, and check the \
                         id";
            Err(Refusal::new(RefusalKind::Rejected, "channel_not_found", words))
        }
        Errand::Team if is_success => {
            let (team, cursor) = (Team::read(reply)?, String::new());
            Ok(Progress::Go(Errand::Channels { team, cursor }))
        }
        Errand::Channels { team, .. } if is_success => channels(team, reply),
        Errand::Find { edit, .. } if is_success => match time_in(&reply.body, &edit.channel) {
            Some(time) => Ok(Progress::Go(Errand::Edit { time, edit })),
            None => Err(reply.unreadable("/file/shares")),
        },
        Errand::Edit { edit, .. } if is_success => {
            let live = edit.live.into_iter().map(|(id, url)| Live { id, url }).collect();
            Ok(Progress::Done(Outcome::Edited(live)))
        }
        Errand::Bot { .. }
        | Errand::Channel { .. }
        | Errand::Team
        | Errand::Channels { .. }
        | Errand::Remove { .. }
        | Errand::Find { .. }
        | Errand::Edit { .. } => Err(refusal::of_reply(reply)),
    }
}

/// Gone already, which is what was asked for.
fn is_gone(reply: &Reply) -> bool {
    matches!(refusal::code(reply), "message_not_found" | "file_not_found" | "file_deleted")
}

/// "400 no_text" is what a webhook that is good says to a message without a text.
fn webhook(
    id: &str,
    name: String,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let is_there = reply.status == 400
        && matches!(
            refusal::code(reply),
            "no_text" | "invalid_payload" | "missing_text_or_fallback_or_attachments"
        );
    if !is_there {
        return Err(refusal::of_reply(reply));
    }
    let (team, hook) = id.split_once('/').unwrap_or((id, ""));
    let name = if name.is_empty() { format!("Webhook {hook}") } else { name };
    Ok(Progress::Done(Outcome::Admitted(Identity {
        remote_id: id.to_owned(),
        handle: name.clone(),
        name,
        url: site.url(APP, &format!("/client/{team}")),
        traits: traits(&[(LOGIN, WEBHOOK), (TEAM, team)]),
        ..Identity::default()
    })))
}

fn channels(team: Team, reply: &Reply) -> Result<Progress<Errand>, Refusal> {
    let Some(channels) = reply.body["channels"].as_array() else {
        return Err(reply.unreadable("/channels"));
    };
    let target = |channel: &Value| Target {
        identity: identity(channel, OAUTH, &team),
        access: None,
        obstacle: obstacle(channel, reply).map(str::to_owned),
    };
    let targets = channels.iter().map(target).collect();
    let cursor = reply.body["response_metadata"]["next_cursor"].as_str().unwrap_or_default();
    Ok(match cursor {
        "" => Progress::Done(Outcome::Discovered { targets, scopes: None }),
        cursor => {
            let cursor = cursor.to_owned();
            Progress::Found(targets, Errand::Channels { team, cursor })
        }
    })
}

/// Why the bot cannot write there.
fn obstacle(channel: &Value, reply: &Reply) -> Option<&'static str> {
    // What a token may do stands in every answer (unconfirmed); where it does not, the first
    // message will tell.
    let scopes = reply.header("x-oauth-scopes");
    let may_write_anywhere =
        scopes.is_none_or(|scopes| scopes.split(',').any(|scope| scope.trim() == PUBLIC));
    match (channel["is_member"] == true, channel["is_private"] == true) {
        _ if channel["is_archived"] == true => Some("The channel is archived."),
        (true, _) => None,
        (false, true) => Some("The channel is private: invite the bot there with /invite."),
        (false, false) if may_write_anywhere => None,
        (false, false) => Some(
            "The bot is not in the channel: invite it there with /invite, or give the app the \
             scope chat:write.public.",
        ),
    }
}

impl Team {
    fn read(reply: &Reply) -> Result<Team, Refusal> {
        let text = |name: &str| reply.body[name].as_str().unwrap_or_default().to_owned();
        let id = reply.text("/team_id")?;
        Ok(Team { id, name: text("team"), address: text("url"), bot: text("bot_id") })
    }
}

fn identity(channel: &Value, login: &str, team: &Team) -> Identity {
    let text = |name: &str| channel[name].as_str().unwrap_or_default().to_owned();
    let (id, name) = (text("id"), format!("#{}", text("name")));
    let all = [(LOGIN, login), (WORKSPACE, &team.address), (TEAM, &team.id), (BOT_ID, &team.bot)];
    Identity {
        url: format!("{}/archives/{id}", team.address.trim_end_matches('/')),
        name: format!("{name} ({})", team.name),
        handle: name,
        remote_id: id,
        traits: traits(&all),
        ..Identity::default()
    }
}

fn traits(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    let given = all.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
