//! What may be posted: the body of `POST /2/tweets`, by the OpenAPI description 2.167.

use serde_json::{Value, json};

use crate::sandbox::ledger::Face;

use super::{Answer, Call, X, forbidden, invalid, media::Kind, not_permitted, words};

pub(super) const BODY_KEYS: [&str; 16] = [
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

/// Yes or no, and what a reader sees of a yes.
const FLAGS: [(&str, &str); 5] = [
    ("share_with_followers", "shared with followers"),
    ("for_super_followers_only", "for subscribers"),
    ("nullcast", "not in timelines"),
    ("made_with_ai", "made with AI"),
    ("paid_partnership", "paid partnership"),
];

/// What a request wants to post, checked.
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) media: Vec<u64>,
    pub(super) poll: Option<Poll>,
    pub(super) reply_to: Option<u64>,
    pub(super) quotes: Option<u64>,
    pub(super) community: Option<u64>,
    /// The version that this one is to replace.
    pub(super) edits: Option<u64>,
    /// Who may answer; `everyone` is not said.
    pub(super) repliers: Option<String>,
    pub(super) is_paid: bool,
    /// Without the pieces of the text, which are only known once its links are short.
    pub(super) face: Face,
}

#[derive(Clone)]
pub(super) struct Poll {
    pub(super) options: Vec<String>,
    pub(super) minutes: u64,
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
        let text = match body["text"].as_str() {
            None if body["text"].is_null() => String::new(),
            Some(text) => text.to_owned(),
            None => return Err(invalid("$.text: must be a string", &json!({ "text": [] }))),
        };
        let media = self.chosen_media(call, account, &body["media"])?;
        let poll = poll(&body["poll"])?;
        if text.trim().is_empty() && media.is_empty() {
            return Err(invalid("Missing required `text` or `media`", &json!({ "text": [] })));
        }
        let quotes = self.quoted(call, body)?;
        let attached = [!media.is_empty(), quotes.is_some(), !body["card_uri"].is_null()];
        if poll.is_some() && attached.contains(&true) {
            let message = "A post has either a poll or media, a quote or a card";
            return Err(invalid(message, &json!({ "poll": [] })));
        }
        let most = match self.is_premium(account) {
            true => words::PREMIUM_WEIGHT_MAX,
            false => words::WEIGHT_MAX,
        };
        if words::weight(&text) > most {
            return Err(not_permitted());
        }
        if words::cashtags(&text) > 1 && !self.is_enterprise(call) {
            return Err(forbidden("You can include a maximum of one cashtag in a post."));
        }
        let mut draft = Draft {
            reply_to: self.reply_to(call, account, &body["reply"])?,
            community: id(body, "community_id")?,
            edits: edited(&body["edit_options"])?,
            repliers: reply_settings(body, "reply_settings")?.map(str::to_owned),
            is_paid: body["paid_partnership"] == true,
            face: Face { marks: marks(body, quotes)?, ..Face::default() },
            text,
            media,
            poll,
            quotes,
        };
        draft.face.poll = draft.poll.clone().map_or(Vec::new(), |poll| poll.options);
        Ok(draft)
    }

    /// For enterprise clients only, since 2026-04-20.
    fn quoted(&self, call: &Call, body: &Value) -> Result<Option<u64>, Answer> {
        let Some(quoted) = id(body, "quote_tweet_id")? else {
            return Ok(None);
        };
        if !self.is_enterprise(call) {
            return Err(not_permitted());
        }
        match self.posts.get(&quoted).filter(|post| !post.deleted) {
            Some(_) => Ok(Some(quoted)),
            None => Err(forbidden(
                "You attempted to quote a Tweet that is deleted or not visible to you.",
            )),
        }
    }

    fn reply_to(&self, call: &Call, account: usize, reply: &Value) -> Result<Option<u64>, Answer> {
        if reply.is_null() {
            return Ok(None);
        }
        let id = reply["in_reply_to_tweet_id"].as_str().unwrap_or_default();
        let id: u64 = id.parse().map_err(|_| {
            let parameters = json!({ "reply.in_reply_to_tweet_id": [id] });
            invalid("$.reply.in_reply_to_tweet_id: is not an id", &parameters)
        })?;
        let Some(post) = self.posts.get(&id).filter(|post| !post.deleted) else {
            return Err(forbidden(
                "You attempted to reply to a Tweet that is deleted or not visible to you.",
            ));
        };
        // Since 2026-02-23 others are only answered when they mentioned or quoted who answers.
        let handle = self.people.get(account).handle.to_lowercase();
        let quoted = post.quotes.and_then(|id| self.posts.get(&id));
        let summoned = post.account == account
            || self.is_enterprise(call)
            || post.text.to_lowercase().contains(&format!("@{handle}"))
            || quoted.is_some_and(|quoted| quoted.account == account);
        if summoned { Ok(Some(id)) } else { Err(not_permitted()) }
    }

    fn chosen_media(&self, call: &Call, account: usize, media: &Value) -> Result<Vec<u64>, Answer> {
        if media.is_null() {
            return Ok(Vec::new());
        }
        let ids = media["media_ids"].as_array().map_or(&[][..], Vec::as_slice);
        let refuse = || {
            let parameters = json!({ "media.media_ids": ids });
            invalid("Your media IDs are invalid.", &parameters)
        };
        if ids.is_empty() || ids.len() > 4 {
            return Err(refuse());
        }
        if media["tagged_user_ids"].as_array().is_some_and(|tagged| tagged.len() > 10) {
            let text = "$.media.tagged_user_ids: must have at most 10 items";
            return Err(invalid(text, &json!({ "media.tagged_user_ids": [] })));
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
        .or_else(|| inside("geo", &["place_id"]))
        .or_else(|| inside("edit_options", &["previous_post_id"]))
}

fn poll(poll: &Value) -> Result<Option<Poll>, Answer> {
    if poll.is_null() {
        return Ok(None);
    }
    let refuse = |text: &str| Err(invalid(text, &json!({ "poll": [] })));
    let options = poll["options"].as_array().map_or(&[][..], Vec::as_slice);
    let read: Vec<String> =
        options.iter().filter_map(|option| option.as_str()).map(str::to_owned).collect();
    let fits = |option: &String| (1..=25).contains(&option.chars().count());
    let complete = read.len() == options.len() && (2..=4).contains(&read.len());
    if !complete || !read.iter().all(fits) {
        return refuse("$.poll.options: 2 to 4 options of 1 to 25 characters");
    }
    reply_settings(poll, "poll.reply_settings")?;
    match poll["duration_minutes"].as_u64() {
        Some(minutes @ 5..=10_080) => Ok(Some(Poll { options: read, minutes })),
        Some(_) | None => refuse("$.poll.duration_minutes: must be from 5 to 10080"),
    }
}

/// "^[0-9]{1,19}$".
fn id(within: &Value, name: &str) -> Result<Option<u64>, Answer> {
    let value = &within[name];
    let plain = |text: &&str| text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit());
    match value.as_str().filter(plain).and_then(|text| text.parse().ok()) {
        Some(id) => Ok(Some(id)),
        None if value.is_null() => Ok(None),
        None => {
            let text = format!("$.{name}: does not match the regex pattern ^[0-9]{{1,19}}$");
            Err(invalid(&text, &json!({ name: [value] })))
        }
    }
}

fn edited(options: &Value) -> Result<Option<u64>, Answer> {
    match (options.is_null(), id(options, "previous_post_id")?) {
        (true, _) => Ok(None),
        (false, Some(id)) => Ok(Some(id)),
        (false, None) => {
            let text = "$.edit_options.previous_post_id: is missing but it is required";
            Err(invalid(text, &json!({ "edit_options": [] })))
        }
    }
}

fn reply_settings<'a>(within: &'a Value, name: &str) -> Result<Option<&'a str>, Answer> {
    let value = &within["reply_settings"];
    match value.as_str() {
        Some(who @ ("following" | "mentionedUsers" | "subscribers" | "verified")) => Ok(Some(who)),
        None if value.is_null() => Ok(None),
        Some(_) | None => {
            let text = format!("$.{name}: does not have a value in the enumeration");
            Err(invalid(&text, &json!({ name: [value] })))
        }
    }
}

/// What a reader sees beside the text, from fields of the right types.
fn marks(body: &Value, quotes: Option<u64>) -> Result<Vec<String>, Answer> {
    let wrong = |name: &str, kind: &str| {
        invalid(&format!("$.{name}: must be {kind}"), &json!({ name: [body[name]] }))
    };
    let mut marks = Vec::new();
    for (name, shown) in FLAGS {
        match body[name].as_bool() {
            Some(true) => marks.push(shown.to_owned()),
            Some(false) => {}
            None if body[name].is_null() => {}
            None => return Err(wrong(name, "a boolean")),
        }
    }
    for name in ["card_uri", "direct_message_deep_link"] {
        match body[name].as_str() {
            Some(text) => marks.push(format!("{name}: {text}")),
            None if body[name].is_null() => {}
            None => return Err(wrong(name, "a string")),
        }
    }
    if !body["geo"].is_null() {
        let place = body["geo"]["place_id"].as_str();
        marks.push(format!("at {}", place.ok_or_else(|| wrong("geo", "a place"))?));
    }
    if let Some(who) = reply_settings(body, "reply_settings")? {
        marks.push(format!("replies: {who}"));
    }
    if let Some(id) = id(body, "community_id")? {
        marks.push(format!("in community {id}"));
    }
    marks.extend(quotes.map(|id| format!("quotes {id}")));
    Ok(marks)
}
