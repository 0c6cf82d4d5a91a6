//! Channels and playlists: youtube/v3/docs/channels, playlists, playlistItems, read 2026-11-21.
//! Every channel has two playlists besides its uploads.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{
        given::{Flaw, Given},
        text::attention,
    },
};

use super::{
    Answer, Books, Call, Reply, Youtube, body, invalid, listed, no_such_video, page, parts, refusal,
};

/// Uploads are listed a little later than they are there.
const LAG: Duration = Duration::from_secs(8);
const TITLES: [(char, &str); 2] = [('A', "Talks"), ('B', "Walks")];

/// A video in a playlist.
pub(super) struct Item {
    id: String,
    playlist: String,
    video: String,
    at: Timestamp,
}

impl Youtube {
    pub(super) fn channels(&self, call: &Call, account: usize) -> Reply {
        let known = ["snippet", "contentDetails", "statistics", "status", "id", "brandingSettings"];
        let wanted = parts(call, &known)?;
        if call.query("mine") != Some("true") {
            let text = "No filter selected. Expected one of: mine, id, forHandle";
            return Err(refusal(400, "missingRequiredParameter", text));
        }
        if self.has(account, "nochannel") {
            // Without `items`, as Google says it.
            let body = json!({ "kind": "youtube#channelListResponse", "etag": "sandbox",
                "pageInfo": { "totalResults": 0, "resultsPerPage": 5 } });
            return Ok(Answer::json(200, &body));
        }
        let person = self.door.people.get(account);
        let crowd = attention(account as u64 + 1, person.joined.elapsed(call.now));
        let own = self.order.iter().filter(|id| self.videos[*id].account == account).count();
        let mut channel = json!({ "kind": "youtube#channel", "etag": "sandbox",
            "id": person.id });
        for part in wanted {
            channel[part] = match part {
                "snippet" => json!({ "title": person.handle,
                    "customUrl": format!("@{}", person.handle.to_lowercase()), "description": "",
                    "publishedAt": person.joined.rfc3339(),
                    "thumbnails": { "default": { "url": format!("{}/avatar", call.base) } } }),
                "contentDetails" => json!({ "relatedPlaylists": { "likes": "LL",
                    "uploads": uploads(&person.id) } }),
                "statistics" => json!({ "viewCount": crowd.views.to_string(),
                    "subscriberCount": crowd.likes.to_string(),
                    "hiddenSubscriberCount": false, "videoCount": own.to_string() }),
                "status" => json!({ "privacyStatus": "public", "isLinked": true,
                    "longUploadsStatus": "allowed" }),
                _ => continue,
            };
        }
        Ok(listed("channelListResponse", vec![channel], 1, Value::Null))
    }

    pub(super) fn playlists(&self, call: &Call, account: usize) -> Reply {
        parts(call, &["snippet", "status", "contentDetails", "id"])?;
        if call.query("mine") != Some("true") {
            let text = "No filter selected. Expected one of: mine, id, channelId";
            return Err(refusal(400, "missingRequiredParameter", text));
        }
        let channel = self.channel(account);
        let all = TITLES.iter().map(|(letter, title)| {
            json!({ "kind": "youtube#playlist", "id": own_playlist(channel, *letter),
                "snippet": { "title": title, "channelId": channel },
                "status": { "privacyStatus": "public" } })
        });
        let (items, next) = page(call, all.collect())?;
        Ok(listed("playlistListResponse", items, TITLES.len(), next))
    }

    pub(super) fn playlist_items(&self, call: &Call, account: usize) -> Reply {
        parts(call, &["snippet", "contentDetails", "status", "id"])?;
        let playlist = call.query("playlistId").unwrap_or_default();
        let found: Vec<Value> = if playlist == uploads(self.channel(account)) {
            let own = self.order.iter().rev().filter(|id| {
                let video = &self.videos[*id];
                video.account == account && video.published_at.after(LAG) <= call.now
            });
            let at = |id: &String| self.videos[id].published_at;
            own.map(|id| self.item(call, &format!("UI{id}"), playlist, id, at(id))).collect()
        } else if self.owns(account, playlist) {
            let items = self.items.iter().filter(|item| item.playlist == playlist);
            let there = items.filter(|item| self.videos.contains_key(&item.video));
            there.map(|it| self.item(call, &it.id, playlist, &it.video, it.at)).collect()
        } else {
            return Err(no_such_playlist());
        };
        let total = found.len();
        let (items, next) = page(call, found)?;
        Ok(listed("playlistItemListResponse", items, total, next))
    }

    fn item(&self, call: &Call, id: &str, playlist: &str, video: &str, at: Timestamp) -> Value {
        let found = &self.videos[video];
        let channel = self.channel(found.account);
        json!({
            "kind": "youtube#playlistItem", "etag": "sandbox", "id": id,
            "snippet": { "publishedAt": at.rfc3339(), "channelId": channel,
                "title": found.snippet.title, "description": found.snippet.description,
                "playlistId": playlist,
                "resourceId": { "kind": "youtube#video", "videoId": video } },
            "contentDetails": { "videoId": video,
                "videoPublishedAt": found.published_at.rfc3339() },
            "status": { "privacyStatus": found.status.privacy(call.now) },
        })
    }

    fn owns(&self, account: usize, playlist: &str) -> bool {
        let channel = self.channel(account);
        TITLES.iter().any(|(letter, _)| own_playlist(channel, *letter) == playlist)
    }

    /// Said twice, it is there twice.
    pub(super) fn add_to_playlist(
        &mut self,
        call: &Call,
        account: usize,
        books: &mut Books,
    ) -> Reply {
        let written = parts(call, &["snippet", "contentDetails", "status", "id"])?;
        let given = body(call)?;
        let (playlist, video) =
            named(&given, &written).map_err(|flaw| invalid("invalidPlaylistItem", &flaw))?;
        if !self.owns(account, &playlist) {
            return Err(no_such_playlist());
        }
        if !self.videos.contains_key(&video) {
            return Err(no_such_video());
        }
        let id = format!("UEx{}", books.chance.word(40));
        let shown = self.item(call, &id, &playlist, &video, call.now);
        self.items.push(Item { id, playlist, video, at: call.now });
        Ok(Answer::json(200, &shown))
    }
}

fn named(given: &Value, written: &[&str]) -> Result<(String, String), Flaw> {
    let whole = Given::of(given, written)?;
    let snippet = whole.needed_object("snippet", &["playlistId", "resourceId", "position"])?;
    let resource = snippet.needed_object("resourceId", &["kind", "videoId"])?;
    if resource.one_of("kind", &["youtube#video"])?.is_none() {
        return Err(resource.flaw("kind", "is missing"));
    }
    Ok((snippet.needed("playlistId")?.to_owned(), resource.needed("videoId")?.to_owned()))
}

fn uploads(channel: &str) -> String {
    format!("UU{}", &channel[2..])
}

fn own_playlist(channel: &str, letter: char) -> String {
    format!("PL{}{letter}", &channel[2..])
}

fn no_such_playlist() -> Answer {
    let text = "The playlist identified with the request's playlistId parameter cannot be found.";
    refusal(404, "playlistNotFound", text)
}
