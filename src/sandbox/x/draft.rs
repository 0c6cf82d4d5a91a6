//! What may be posted: the body of `POST /2/tweets`, by the OpenAPI description 2.167.

use serde_json::{Value, json};

use super::{Answer, Call, X, forbidden, invalid, media::Kind, not_permitted, words};

const BODY_KEYS: [&str; 16] = [
    "text",
    "media",
    "poll",
    "reply",
    "quote_tweet_id",
    "reply_settings",
    "community_id",
    "share_with_followers",
    "for_super_followers_only",
    "geo",
    "card_uri",
    "nullcast",
    "direct_message_deep_link",
    "made_with_ai",
    "paid_partnership",
    "edit_options",
];

/// What a request wants to post, checked.
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) media: Vec<u64>,
    pub(super) poll: Vec<String>,
    pub(super) reply_to: Option<u64>,
}

impl X {
    pub(super) fn draft(&self, call: &Call, account: usize, body: &Value) -> Result<Draft, Answer> {
        if let Some(unknown) = unknown_key(body) {
            let text = format!(
                "Requests validation failed: [$.{unknown}: is not defined in the schema and the \
                 schema does not allow additional properties]"
            );
            return Err(invalid(&text, &json!({})));
        }
        if !body["quote_tweet_id"].is_null() {
            // "Enterprise only since 2026-04-20"
            return Err(not_permitted());
        }
        let text = match body["text"].as_str() {
            None if body["text"].is_null() => String::new(),
            Some(text) => text.to_owned(),
            None => return Err(invalid("$.text: must be a string", &json!({ "text": [] }))),
        };
        let media = self.chosen_media(call, account, &body["media"]["media_ids"])?;
        let poll = poll(&body["poll"])?;
        if text.trim().is_empty() && media.is_empty() {
            return Err(invalid("Missing required `text` or `media`", &json!({ "text": [] })));
        }
        if !poll.is_empty() && !media.is_empty() {
            return Err(invalid("A post has either a poll or media", &json!({ "poll": [] })));
        }
        if words::weight(&text) > words::WEIGHT_MAX {
            return Err(not_permitted());
        }
        if cashtags(&text) > 1 {
            return Err(forbidden("You can include a maximum of one cashtag in a post."));
        }
        let reply_to = self.reply_to(&body["reply"])?;
        Ok(Draft { text, media, poll, reply_to })
    }

    fn reply_to(&self, reply: &Value) -> Result<Option<u64>, Answer> {
        if reply.is_null() {
            return Ok(None);
        }
        let id = reply["in_reply_to_tweet_id"].as_str().unwrap_or_default();
        let id: u64 = id.parse().map_err(|_| {
            let parameters = json!({ "reply.in_reply_to_tweet_id": [id] });
            invalid("$.reply.in_reply_to_tweet_id: is not an id", &parameters)
        })?;
        match self.posts.get(&id) {
            Some(post) if !post.deleted => Ok(Some(id)),
            Some(_) | None => Err(forbidden(
                "You attempted to reply to a Tweet that is deleted or not visible to you.",
            )),
        }
    }

    fn chosen_media(&self, call: &Call, account: usize, ids: &Value) -> Result<Vec<u64>, Answer> {
        let Some(ids) = ids.as_array() else {
            return Ok(Vec::new());
        };
        let refuse = || {
            let parameters = json!({ "media.media_ids": ids });
            invalid("Your media IDs are invalid.", &parameters)
        };
        if ids.is_empty() || ids.len() > 4 {
            return Err(refuse());
        }
        let mut chosen = Vec::new();
        let mut moving = 0;
        for id in ids {
            let id: u64 = id.as_str().and_then(|id| id.parse().ok()).ok_or_else(refuse)?;
            let media = self.media.get(&id).ok_or_else(refuse)?;
            if media.account != account || !media.is_usable(call.now) || chosen.contains(&id) {
                return Err(refuse());
            }
            moving += usize::from(media.kind != Kind::Image);
            chosen.push(id);
        }
        match moving > 0 && chosen.len() > 1 {
            true => Err(refuse()),
            false => Ok(chosen),
        }
    }
}

/// "additionalProperties: false" holds for the body and for its objects.
fn unknown_key(body: &Value) -> Option<String> {
    let media = [
        "media_ids",
        "tagged_user_ids",
        "title",
        "description",
        "preview_media_id",
        "embeddable",
        "call_to_actions",
    ];
    let poll = ["options", "duration_minutes", "reply_settings"];
    let reply = ["in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"];
    let unknown = |value: &Value, allowed: &[&str]| {
        let mut keys = value.as_object()?.keys();
        keys.find(|key| !allowed.contains(&key.as_str())).cloned()
    };
    let inside = |name: &str, allowed: &[&str]| {
        unknown(&body[name], allowed).map(|key| format!("{name}.{key}"))
    };
    unknown(body, &BODY_KEYS)
        .or_else(|| inside("media", &media))
        .or_else(|| inside("poll", &poll))
        .or_else(|| inside("reply", &reply))
}

fn poll(poll: &Value) -> Result<Vec<String>, Answer> {
    if poll.is_null() {
        return Ok(Vec::new());
    }
    let refuse = |text: &str| Err(invalid(text, &json!({ "poll": [] })));
    let options: Vec<String> = match poll["options"].as_array() {
        Some(options) => {
            options.iter().filter_map(|option| option.as_str()).map(str::to_owned).collect()
        }
        None => Vec::new(),
    };
    let fits = |option: &String| (1..=25).contains(&option.chars().count());
    if !(2..=4).contains(&options.len()) || !options.iter().all(fits) {
        return refuse("$.poll.options: 2 to 4 options of 1 to 25 characters");
    }
    match poll["duration_minutes"].as_u64() {
        Some(5..=10_080) => Ok(options),
        Some(_) | None => refuse("$.poll.duration_minutes: must be from 5 to 10080"),
    }
}

fn cashtags(text: &str) -> usize {
    text.split_whitespace()
        .filter_map(|word| word.strip_prefix('$'))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        .count()
}
