//! Workspaces and their channels.

use serde_json::{Value, json};

use crate::sandbox::wire::Answer;

use super::{Bot, Given, Reply, Slack, fine, no, wrong};

pub(super) struct Workspace {
    pub(super) name: String,
    pub(super) team: String,
    /// Every id of a channel is one.
    is_open: bool,
    pub(super) channels: Vec<Channel>,
}

#[derive(Clone)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) is_member: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    ReadOnly,
    Archived,
}

impl Channel {
    fn told(&self, team: &str) -> Value {
        json!({ "id": self.id, "name": self.name, "name_normalized": self.name,
            "is_channel": !self.is_private, "is_group": self.is_private, "is_im": false,
            "is_mpim": false, "is_private": self.is_private, "is_archived": self.state == State::Archived,
            "is_member": self.is_member, "is_general": self.name == "general",
            "context_team_id": team })
    }
}

impl Slack {
    /// The workspace of that name; a handle that signs in gets one.
    pub(super) fn workspace(&mut self, name: &str, is_open: bool) -> usize {
        let known = |it: &Workspace| it.name == name && it.is_open == is_open;
        if let Some(number) = self.workspaces.iter().position(known) {
            return number;
        }
        let number = self.workspaces.len();
        let team = format!("T{:08}", number + 1);
        let channels = if is_open { Vec::new() } else { furnished(number) };
        self.workspaces.push(Workspace { name: name.to_owned(), team, is_open, channels });
        number
    }

    /// The channel that is named, as far as the bot knows of it.
    pub(super) fn channel(&mut self, bot: &Bot, id: &str) -> Result<Channel, Answer> {
        let workspace = &mut self.workspaces[bot.workspace];
        let known = workspace.channels.iter().find(|channel| channel.id == id).cloned();
        let found = match known {
            Some(channel) => channel,
            None if workspace.is_open && is_id(id) => {
                let channel = made_from(id);
                workspace.channels.push(channel.clone());
                channel
            }
            None => return Err(no("channel_not_found")),
        };
        match found.is_private && !found.is_member {
            true => Err(no("channel_not_found")),
            false => Ok(found),
        }
    }

    /// The same, where messages of a bot are taken.
    pub(super) fn writable(&mut self, bot: &Bot, id: &str) -> Result<Channel, Answer> {
        let channel = self.channel(bot, id)?;
        match &channel {
            it if it.state == State::Archived => Err(no("is_archived")),
            it if it.state == State::ReadOnly => Err(no("restricted_action_read_only_channel")),
            it if !it.is_member && !bot.may("chat:write.public") => Err(no("not_in_channel")),
            _ => Ok(channel),
        }
    }

    /// The same, where the bot may read what was written.
    pub(super) fn readable(&mut self, bot: &Bot, id: &str) -> Result<Channel, Answer> {
        let channel = self.channel(bot, id)?;
        bot.needs(if channel.is_private { "groups:history" } else { "channels:history" })?;
        match channel.is_member {
            true => Ok(channel),
            false => Err(no("not_in_channel")),
        }
    }

    /// As accounts are called: `#news`.
    pub(super) fn channel_named(&self, id: &str) -> Option<String> {
        let channels = self.workspaces.iter().flat_map(|workspace| &workspace.channels);
        let name = channels.into_iter().find(|channel| channel.id == id).map(|it| it.name.clone());
        name.or_else(|| is_id(id).then(|| made_from(id).name)).map(|name| format!("#{name}"))
    }

    pub(super) fn told_channel(&mut self, given: &Given, bot: &Bot) -> Reply {
        given.only(&["channel", "include_locale", "include_num_members"])?;
        let channel = self.channel(bot, given.needed("channel")?)?;
        bot.needs(if channel.is_private { "groups:read" } else { "channels:read" })?;
        let team = &self.workspaces[bot.workspace].team;
        Ok(fine(json!({ "channel": channel.told(team) })))
    }

    /// "Fewer than the requested number of items may be returned": two at most, here.
    pub(super) fn list(&mut self, given: &Given, bot: &Bot) -> Reply {
        given.only(&["cursor", "exclude_archived", "limit", "team_id", "types"])?;
        let types = match given.text("types")? {
            "" => "public_channel",
            types => types,
        };
        let known = ["public_channel", "private_channel", "mpim", "im"];
        let types: Vec<&str> = types.split(',').map(str::trim).collect();
        if types.iter().any(|kind| !known.contains(kind)) {
            return Err(no("invalid_types"));
        }
        for (kind, scope) in
            [("public_channel", "channels:read"), ("private_channel", "groups:read")]
        {
            if types.contains(&kind) {
                bot.needs(scope)?;
            }
        }
        let limit = given.whole("limit")?.unwrap_or(100);
        if !(1..1_000).contains(&limit) {
            return Err(no("invalid_limit"));
        }
        let from = match given.text("cursor")? {
            "" => 0,
            cursor => {
                let number = cursor.strip_prefix("dGVhbTpD").and_then(|it| it.parse().ok());
                number.ok_or_else(|| no("invalid_cursor"))?
            }
        };
        let without_archived = given.flag("exclude_archived")? == Some(true);
        let workspace = &self.workspaces[bot.workspace];
        let is_asked_for = |it: &&Channel| {
            let kind = if it.is_private { "private_channel" } else { "public_channel" };
            types.contains(&kind)
                && (it.is_member || !it.is_private)
                && !(it.state == State::Archived && without_archived)
        };
        let all: Vec<&Channel> = workspace.channels.iter().filter(is_asked_for).collect();
        let most = usize::try_from(limit).unwrap_or(PAGE).min(PAGE);
        let page: Vec<Value> =
            all.iter().skip(from).take(most).map(|it| it.told(&workspace.team)).collect();
        let next = from + page.len();
        let cursor = if next < all.len() { format!("dGVhbTpD{next}") } else { String::new() };
        let metadata = json!({ "next_cursor": cursor });
        Ok(fine(json!({ "channels": page, "response_metadata": metadata })))
    }
}

const PAGE: usize = 2;

/// What a workspace has that somebody signed in to.
fn furnished(number: usize) -> Vec<Channel> {
    let channel = |letter: char, name: &str| Channel {
        id: format!("{letter}{:04}{:0>6}", number + 1, name.to_ascii_uppercase()),
        name: name.to_owned(),
        is_private: letter == 'G',
        is_member: true,
        state: State::Open,
    };
    vec![
        channel('C', "news"),
        channel('C', "shop"),
        Channel { is_member: false, ..channel('C', "lounge") },
        channel('G', "board"),
        Channel { is_member: false, ..channel('G', "hidden") },
        Channel { state: State::Archived, ..channel('C', "old") },
    ]
}

fn is_id(id: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_uppercase() || it.is_ascii_digit();
    (9..=20).contains(&id.len()) && id.starts_with(['C', 'G']) && id.bytes().all(is_part)
}

fn made_from(id: &str) -> Channel {
    Channel {
        id: id.to_owned(),
        name: format!("channel-{}", id[id.len() - 4..].to_ascii_lowercase()),
        is_private: id.starts_with('G'),
        is_member: !id.contains("GUEST"),
        state: match id {
            id if id.contains("ARCHIVED") => State::Archived,
            id if id.contains("READONLY") => State::ReadOnly,
            _ => State::Open,
        },
    }
}

/// What is wrong with a time, which names a message.
pub(super) fn time(given: &Given, name: &str, code: &str) -> Result<Option<u64>, Answer> {
    let text = given.text(name)?;
    if text.is_empty() {
        return Ok(None);
    }
    let micros = micros(text).ok_or_else(|| wrong(code, &format!("[ERROR] invalid {name}")))?;
    Ok(Some(micros))
}

/// `1503435956.000247`, exact to its digits; fewer of them where a range is asked for.
fn micros(text: &str) -> Option<u64> {
    let (seconds, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 6 {
        return None;
    }
    let rest: u64 = format!("{rest:0<6}").parse().ok()?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + rest)
}
