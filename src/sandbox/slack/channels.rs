//! Channels: `conversations.list` and `conversations.info`.

use serde_json::{Value, json};

use super::{Answer, Bot, Call, READS, Reply, Slack, last_four, no, ok};

pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_private: bool,
    pub(super) is_member: bool,
    pub(super) is_archived: bool,
}

/// What stands in the id of a channel of a workspace that was founded by signing in, behind its
/// number, and behind the name of the workspace in its own.
const FOUNDED: [(&str, &str, &str); 4] =
    [("C", "MAIN", ""), ("C", "AWAY", "-else"), ("G", "TEAM", "-team"), ("C", "GONE", "-old")];

impl Slack {
    pub(super) fn founded(&self, team: usize) -> Vec<Channel> {
        FOUNDED.iter().map(|(kind, mark, _)| self.channel_named(&id(kind, team, mark))).collect()
    }

    /// Whatever the id says.
    pub(super) fn channel_named(&self, id: &str) -> Channel {
        Channel {
            id: id.to_owned(),
            name: self.name_of_channel(id),
            is_private: id.starts_with('G'),
            is_member: !id.contains("AWAY"),
            is_archived: id.contains("GONE"),
        }
    }

    fn name_of_channel(&self, channel: &str) -> String {
        let team = channel.get(1..6).and_then(|digits| digits.parse::<usize>().ok());
        let team = team.filter(|&team| team < self.teams.handles().count());
        let ending = FOUNDED
            .iter()
            .find(|(kind, mark, _)| team.is_some_and(|team| channel == id(kind, team, mark)));
        match (team, ending) {
            (Some(team), Some((_, _, ending))) => {
                format!("{}{ending}", self.teams.get(team).handle)
            }
            _ => format!("channel-{}", last_four(channel).to_ascii_lowercase()),
        }
    }

    /// One that this bot can see.
    pub(super) fn channel(&self, given: &Value, field: &str) -> Result<Channel, Answer> {
        let id = given[field].as_str().unwrap_or_default();
        let is_id = id.len() >= 8
            && id.starts_with(['C', 'G'])
            && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        let channel = self.channel_named(id);
        // "bot not in private channel gives channel_not_found".
        match is_id && (channel.is_member || !channel.is_private) {
            true => Ok(channel),
            false => Err(no("channel_not_found")),
        }
    }

    pub(super) fn list_channels(&mut self, given: &Value, bot: &Bot, call: &Call) -> Reply {
        Slack::demand(bot, "channels:read")?;
        self.spend(&format!("list {}", bot.team), &READS, call)?;
        let types = given["types"].as_str().unwrap_or("public_channel");
        let types: Vec<&str> = types.split(',').collect();
        if types.iter().any(|kind| !KINDS.contains(kind)) {
            return Err(no("invalid_types"));
        }
        let is_wanted = |channel: &Channel| {
            let kind = if channel.is_private { "private_channel" } else { "public_channel" };
            let hidden = given["exclude_archived"] == "true" && channel.is_archived;
            types.contains(&kind) && !hidden
        };
        let from: usize = match given["cursor"].as_str().unwrap_or_default() {
            "" => 0,
            cursor => cursor.parse().map_err(|_| no("invalid_cursor"))?,
        };
        let limit = given["limit"].as_str().map_or(Ok(100), str::parse::<usize>);
        let limit = limit.ok().filter(|limit| (1..=1_000).contains(limit));
        let limit = limit.ok_or_else(|| no("invalid_limit"))?;
        let all: Vec<Channel> = self.founded(bot.team).into_iter().filter(is_wanted).collect();
        // Slack may give fewer than were asked for: two at a time, so that there is a second page.
        let page = all.iter().skip(from).take(limit.min(2));
        let channels: Vec<Value> = page.map(Channel::told).collect();
        let next = from + channels.len();
        let next = if next < all.len() { next.to_string() } else { String::new() };
        Ok(ok(json!({ "channels": channels, "response_metadata": { "next_cursor": next } })))
    }

    pub(super) fn show_channel(&mut self, given: &Value, bot: &Bot, call: &Call) -> Reply {
        Slack::demand(bot, "channels:read")?;
        self.spend(&format!("info {}", bot.team), &READS, call)?;
        let channel = self.channel(given, "channel")?;
        Ok(ok(json!({ "channel": channel.told() })))
    }
}

const KINDS: [&str; 4] = ["public_channel", "private_channel", "mpim", "im"];

impl Channel {
    fn told(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "is_channel": true,
            "is_private": self.is_private, "is_member": self.is_member,
            "is_archived": self.is_archived })
    }
}

fn id(kind: &str, team: usize, mark: &str) -> String {
    format!("{kind}{team:05}{mark}")
}
