//! What is not a delivery on Telegram: whether the bot may write in a chat, taking messages down,
//! changing their text.
//!
//! <https://core.telegram.org/bots/api#getme>, `#getchat`, `#getchatmember`, `#deletemessage` and
//! `#editmessagetext`, as of 2026-06.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    API, OFFICIAL,
    draft::{CHANNEL, CHAT},
    message::{Marks, address, call, read_live},
    refusal,
};
use crate::{
    connectors::{Body, Outcome, Paste, Progress, Repeat, Reply, Request, Site, Task},
    domain::{
        account::{Identity, LimitOverrides},
        delivery::Live,
        problem::{Code, Problem},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
    },
};

/// - `Bot → Chat → Member`, to sign in;
/// - `Remove*`; `Edit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Errand {
    Bot {
        chat: String,
    },
    Chat {
        chat: String,
        bot: i64,
    },
    Member {
        bot: i64,
        chat: Value,
    },
    /// Chat and message, the last one first to go.
    Remove {
        left: Vec<(String, i64)>,
    },
    Edit {
        live: Vec<(String, String)>,
        index: usize,
        text: String,
    },
}

/// Files up to 2,000 MB go through a Bot API server of one's own (bots/api, "Using a Local Bot API
/// Server", as of 2026-06).
const OWN_SERVER_BYTES_MAX: u64 = 2_000_000_000;

/// A channel may be pasted as its address.
pub(super) fn paste(pasted: Paste) -> Result<Paste, Problem> {
    let wrong = |place: &str, sentence: &str, remedy: &str| {
        Err(Problem::new(Code::Invalid, sentence, remedy).at(place))
    };
    let token = pasted.secret.expose().trim();
    let is_token = token.split_once(':').is_some_and(|(id, rest)| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_digit())
            && rest.len() >= 20
            && rest.bytes().all(is_letter)
    });
    if !is_token {
        let sentence = "This is not the token of a bot.";
        let remedy = "Paste what @BotFather gave you: a number, a colon and some forty letters.";
        return wrong("password", sentence, remedy);
    }
    match chat_of(&pasted.identifier) {
        Some(identifier) => {
            let secret = Secret::new(token);
            Ok(Paste { identifier, secret, ..pasted })
        }
        None => wrong(
            "identifier",
            "This names no channel or group.",
            "Enter `@name`, the address `https://t.me/name`, or the number of the channel, which \
             begins with -100.",
        ),
    }
}

/// `@name`, `t.me/name`, `t.me/c/1234567890/5`, `-1001234567890`.
fn chat_of(identifier: &str) -> Option<String> {
    let bare = identifier.trim();
    let bare = bare.strip_prefix("https://").or(bare.strip_prefix("http://")).unwrap_or(bare);
    let is_number = |text: &str| {
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_name = |text: &str| {
        (4..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some(path) = bare.strip_prefix("t.me/") {
        let mut pieces = path.split(['/', '?']);
        return match (pieces.next()?, pieces.next()) {
            ("c", Some(number)) if is_number(number) => Some(format!("-100{number}")),
            (name, _) if is_name(name) => Some(format!("@{name}")),
            (_, _) => None,
        };
    }
    let is_chat = bare.strip_prefix('-').is_some_and(is_number);
    match bare.strip_prefix('@') {
        Some(name) if is_name(name) => Some(bare.to_owned()),
        Some(_) => None,
        None if is_chat => Some(bare.to_owned()),
        None => is_name(bare).then(|| format!("@{bare}")).filter(|_| !is_number(bare)),
    }
}

pub(super) fn begin(task: &Task) -> Option<Errand> {
    match task {
        Task::SignIn { identifier } => Some(Errand::Bot { chat: identifier.clone() }),
        Task::Remove { live } => {
            let mut left = Vec::new();
            for part in live {
                let (chat, ids, _) = read_live(&part.id)?;
                left.extend(ids.into_iter().map(|id| (chat.clone(), id)));
            }
            (!left.is_empty()).then_some(Errand::Remove { left })
        }
        Task::Edit { live, index, text } => {
            let (_, _, marks) = read_live(&live.get(*index)?.id)?;
            // An edit that does not repeat the buttons takes them away, and nobody asked for that.
            let live = live.iter().map(|part| (part.id.clone(), part.url.clone())).collect();
            (!marks.has_buttons).then(|| Errand::Edit { live, index: *index, text: text.clone() })
        }
        // The bot is a person's own; its token does not end and is not ours to take back.
        Task::Prepare { .. }
        | Task::Lengthen
        | Task::Identify
        | Task::Discover
        | Task::Refresh
        | Task::Revoke => None,
    }
}

pub(super) fn request(errand: &Errand, site: &Site) -> Request {
    let ask = |method, body: Value| call(method, Body::Json(body), Repeat::Harmless, site);
    match errand {
        Errand::Bot { .. } => call("getMe", Body::Empty, Repeat::Harmless, site),
        Errand::Chat { chat, .. } => ask("getChat", json!({ "chat_id": chat })),
        Errand::Member { bot, chat } => {
            ask("getChatMember", json!({ "chat_id": chat["id"], "user_id": bot }))
        }
        Errand::Remove { left } => {
            let (chat, id) = left.last().cloned().unwrap_or_default();
            ask("deleteMessage", json!({ "chat_id": chat, "message_id": id }))
        }
        Errand::Edit { live, index, text } => {
            let read = live.get(*index).and_then(|(id, _)| read_live(id));
            let (chat, ids, marks) = read.unwrap_or_default();
            let (method, fields) = edition(&chat, &ids, marks, text);
            ask(method, Value::Object(fields))
        }
    }
}

fn edition(
    chat: &str,
    ids: &[i64],
    marks: Marks,
    text: &str,
) -> (&'static str, Map<String, Value>) {
    let (method, name) = match marks.is_caption {
        true => ("editMessageCaption", "caption"),
        false => ("editMessageText", "text"),
    };
    let mut fields = Map::new();
    fields.insert("chat_id".to_owned(), json!(chat));
    fields.insert("message_id".to_owned(), json!(ids.first()));
    fields.insert(name.to_owned(), json!(text));
    if let Some(mode) = marks.mode {
        fields.insert("parse_mode".to_owned(), json!(mode));
    }
    if marks.has_no_preview && !marks.is_caption {
        fields.insert("link_preview_options".to_owned(), json!({ "is_disabled": true }));
    }
    (method, fields)
}

pub(super) fn accept(
    errand: Errand,
    site: &Site,
    reply: &Reply,
) -> Result<Progress<Errand>, Refusal> {
    let is_success = refusal::is_success(reply);
    let result = &reply.body["result"];
    match errand {
        Errand::Bot { chat } if is_success => {
            let bot = result["id"].as_i64().ok_or_else(|| reply.unreadable("/result/id"))?;
            Ok(Progress::Go(Errand::Chat { chat, bot }))
        }
        Errand::Chat { bot, .. } if is_success => {
            result["id"].as_i64().ok_or_else(|| reply.unreadable("/result/id"))?;
            reply.text("/result/type")?;
            Ok(Progress::Go(Errand::Member { bot, chat: result.clone() }))
        }
        Errand::Member { chat, .. } if is_success => {
            reply.text("/result/status")?;
            match obstacle(&chat, result) {
                Some(words) => Err(Refusal::new(RefusalKind::Rejected, "rights", words)),
                None => Ok(Progress::Done(Outcome::Admitted(identity(&chat, site)))),
            }
        }
        Errand::Chat { .. } | Errand::Member { .. } if refusal::says(reply, "not found") => {
            let words = "it knows no such chat, or the bot is not in it. Add the bot to the \
                         channel as an administrator, or to the group as a member";
            Err(Refusal::new(RefusalKind::Rejected, "chat not found", words))
        }
        Errand::Remove { mut left } if is_success || is_gone(reply) => {
            left.pop();
            Ok(match left.is_empty() {
                true => Progress::Done(Outcome::Finished),
                false => Progress::Go(Errand::Remove { left }),
            })
        }
        Errand::Edit { live, .. } if is_success || is_the_same(reply) => {
            let live = live.into_iter().map(|(id, url)| Live { id, url }).collect();
            Ok(Progress::Done(Outcome::Edited(live)))
        }
        Errand::Bot { .. }
        | Errand::Chat { .. }
        | Errand::Member { .. }
        | Errand::Remove { .. }
        | Errand::Edit { .. } => Err(refusal::of_reply(reply)),
    }
}

fn is_gone(reply: &Reply) -> bool {
    refusal::says(reply, "message to delete not found")
}

fn is_the_same(reply: &Reply) -> bool {
    refusal::says(reply, "message is not modified")
}

/// Why the bot cannot publish there, in words that follow "refused:".
fn obstacle(chat: &Value, member: &Value) -> Option<&'static str> {
    let status = member["status"].as_str().unwrap_or_default();
    let kind = chat["type"].as_str().unwrap_or_default();
    let everybody_may = chat["permissions"]["can_send_messages"] != false;
    match (kind, status) {
        (CHANNEL, "administrator") if member["can_post_messages"] == true => None,
        (CHANNEL, "administrator") => Some(
            "the bot is an administrator of the channel, but may not post. Allow it `Post \
             messages` under the channel's administrators",
        ),
        (CHANNEL, _) => Some(
            "the bot is no administrator of the channel. Add it under the channel's \
             administrators, with the right to post messages",
        ),
        ("group" | "supergroup", "administrator" | "creator") => None,
        ("group" | "supergroup", "member") if everybody_may => None,
        ("group" | "supergroup", "restricted") if member["can_send_messages"] == true => None,
        ("group" | "supergroup", "left" | "kicked") => {
            Some("the bot is not in the group. Add it as a member")
        }
        ("group" | "supergroup", _) => Some(
            "the bot may not send messages in the group. Make it an administrator, or allow \
             members to write",
        ),
        (_, _) => Some("this is neither a channel nor a group"),
    }
}

fn identity(chat: &Value, site: &Site) -> Identity {
    let text = |name: &str| chat[name].as_str().unwrap_or_default().to_owned();
    let id = chat["id"].as_i64().unwrap_or_default().to_string();
    let name = text("username");
    let is_own_server = site.url(API, "") != OFFICIAL;
    Identity {
        url: address(&id, Some(&name), None, site),
        handle: if name.is_empty() { text("title") } else { format!("@{name}") },
        name: text("title"),
        remote_id: id,
        picture: String::new(),
        limits: LimitOverrides {
            video_bytes_max: is_own_server.then_some(OWN_SERVER_BYTES_MAX),
            ..LimitOverrides::default()
        },
        traits: BTreeMap::from([(CHAT.to_owned(), text("type"))]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_named_in_many_ways() {
        for (typed, chat) in [
            ("@news_desk", Some("@news_desk")),
            (" news_desk ", Some("@news_desk")),
            ("https://t.me/news_desk", Some("@news_desk")),
            ("t.me/news_desk/15", Some("@news_desk")),
            ("https://t.me/c/1234567890/15", Some("-1001234567890")),
            ("-1001234567890", Some("-1001234567890")),
            ("-4012345", Some("-4012345")),
            ("https://t.me/+AbCdEfGh", None),
            ("12345678", None),
            ("@a b", None),
            ("", None),
        ] {
            assert_eq!(chat_of(typed).as_deref(), chat, "{typed}");
        }
    }
}
