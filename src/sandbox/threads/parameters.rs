//! What a container may be made of: docs/threads, reference, publishing, read 2026-11-21. Unknown
//! parameters are refused, which Meta does not do: a misspelt one must not pass here unseen.

use serde_json::Value;
use url::Url;

use crate::sandbox::ledger::Card;

use super::{Answer, Call, invalid, refusal, words};

pub(super) const KNOWN: [&str; 22] = [
    "access_token",
    "media_type",
    "text",
    "image_url",
    "video_url",
    "alt_text",
    "is_carousel_item",
    "children",
    "reply_to_id",
    "quote_post_id",
    "poll_attachment",
    "link_attachment",
    "gif_attachment",
    "text_attachment",
    "reply_control",
    "topic_tag",
    "location_id",
    "auto_publish_text",
    "is_spoiler_media",
    "text_entities",
    "is_ghost_post",
    "enable_reply_approvals",
];

const AUDIENCES: [&str; 5] = [
    "everyone",
    "accounts_you_follow",
    "mentioned_only",
    "parent_post_author_only",
    "followers_only",
];

const ALT_CHARS_MAX: usize = 1_000;
const ATTACHED_TEXT_CHARS_MAX: usize = 10_000;
const SPOILERS_MAX: usize = 10;

/// Forms send text and JSON bodies send values: both are read alike. Empty is absent.
pub(super) fn text(given: &Value, name: &str) -> Option<String> {
    let value = &given[name];
    match value.as_str() {
        Some(text) => Some(text.to_owned()).filter(|text| !text.is_empty()),
        None if value.is_null() => None,
        None => Some(value.to_string()),
    }
}

pub(super) fn publishes_at_once(call: &Call) -> bool {
    text(&call.parameters(), "auto_publish_text").as_deref() == Some("true")
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Image,
    Video,
    Carousel,
}

/// Whether it is to stand alone or in a carousel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Post,
    Item,
}

/// The parameters of a container, checked as far as they can be alone.
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) role: Role,
    pub(super) text: String,
    pub(super) url: Option<String>,
    pub(super) alt: String,
    pub(super) children: Vec<u64>,
    pub(super) reply_to: Option<u64>,
    pub(super) quotes: Option<u64>,
    pub(super) poll: Vec<String>,
    pub(super) card: Option<Card>,
    pub(super) audience: String,
    pub(super) location: Option<u64>,
    pub(super) topic: Option<String>,
    pub(super) spoiler: bool,
    pub(super) ghost: bool,
    pub(super) marks: Vec<String>,
}

impl Wanted {
    pub(super) fn read(call: &Call) -> Result<Wanted, Answer> {
        let given = call.parameters();
        let names = given.as_object().into_iter().flat_map(|object| object.keys());
        if let Some(unknown) = names.into_iter().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(invalid(&format!("Unknown parameter {unknown}")));
        }
        let kind = kind(&given)?;
        let role = match flag(&given, "is_carousel_item")? {
            true => Role::Item,
            false => Role::Post,
        };
        let body = text(&given, "text").unwrap_or_default();
        let audience = text(&given, "reply_control").unwrap_or_else(|| "everyone".to_owned());
        if !AUDIENCES.contains(&audience.as_str()) {
            return Err(invalid("reply_control is not one of the allowed values"));
        }
        let poll = poll(&given)?;
        let card = attached_text(&given)?;
        let mut wanted = Wanted {
            kind,
            role,
            topic: topic(&given, &body)?,
            card: card.or(link_card(&given, kind, &body, &poll)?),
            url: None,
            alt: text(&given, "alt_text").unwrap_or_default(),
            children: children(&given, kind)?,
            reply_to: number(&given, "reply_to_id")?,
            quotes: number(&given, "quote_post_id")?,
            location: number(&given, "location_id")?,
            poll,
            spoiler: flag(&given, "is_spoiler_media")? || has_spoilers(&given, &body)?,
            ghost: flag(&given, "is_ghost_post")?,
            marks: Vec::new(),
            text: body,
            audience,
        };
        wanted.url = media_url(&given, kind)?;
        wanted.marks = marks(&given, &wanted)?;
        wanted.check(&given)?;
        Ok(wanted)
    }

    /// What fits together.
    fn check(&self, given: &Value) -> Result<(), Answer> {
        let has = |name: &str| text(given, name).is_some();
        let attachments = ["poll_attachment", "link_attachment", "gif_attachment"];
        let attachments = attachments.into_iter().filter(|name| has(name)).count();
        let attached = attachments + usize::from(has("text_attachment"));
        let is_text = self.kind == Kind::Text;
        let is_media = matches!(self.kind, Kind::Image | Kind::Video);
        let is_item = self.role == Role::Item;
        let is_empty = self.text.is_empty() && attached == 0 && self.quotes.is_none();
        let rules = [
            (is_item && !is_media, "This media_type is no carousel item"),
            (is_item && !self.text.is_empty(), "A carousel item has no text"),
            (is_text && is_empty, "text is required"),
            (!is_text && attached > 0, "Attachments are for text posts only"),
            (!is_text && self.ghost, "Ghost posts are text posts"),
            (!is_text && has("auto_publish_text"), "auto_publish_text is for text posts only"),
            (attached > 1 && !self.poll.is_empty(), "A poll stands alone"),
            (attachments > 1, "Only one attachment is allowed"),
            (self.ghost && self.reply_to.is_some(), "A ghost post is no reply"),
            (!is_media && !self.alt.is_empty(), "alt_text is for images and videos"),
            (words::length(&self.text) > words::LENGTH_MAX, "text must be at most 500 characters"),
            (self.alt.chars().count() > ALT_CHARS_MAX, "alt_text must be at most 1000 characters"),
        ];
        if let Some((_, message)) = rules.into_iter().find(|(broken, _)| *broken) {
            return Err(invalid(message));
        }
        let link = text(given, "link_attachment");
        match words::links(&self.text, link.as_deref()).len() > words::LINKS_MAX {
            true => Err(refusal(400, 100, None, "THREADS_API__LINK_LIMIT_EXCEEDED")),
            false => Ok(()),
        }
    }
}

fn kind(given: &Value) -> Result<Kind, Answer> {
    match text(given, "media_type").as_deref() {
        Some("TEXT") => Ok(Kind::Text),
        Some("IMAGE") => Ok(Kind::Image),
        Some("VIDEO") => Ok(Kind::Video),
        Some("CAROUSEL") => Ok(Kind::Carousel),
        Some(_) | None => Err(invalid("media_type must be TEXT, IMAGE, VIDEO or CAROUSEL")),
    }
}

fn flag(given: &Value, name: &str) -> Result<bool, Answer> {
    match text(given, name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(&format!("{name} must be a boolean"))),
    }
}

fn number(given: &Value, name: &str) -> Result<Option<u64>, Answer> {
    let Some(text) = text(given, name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| invalid(&format!("{name} must be an id")))
}

/// JSON, whether it was sent as text in a form or as itself.
fn object(given: &Value, name: &str) -> Result<Option<Value>, Answer> {
    let Some(text) = text(given, name) else {
        return Ok(None);
    };
    let read = serde_json::from_str::<Value>(&text).ok();
    let refuse = || invalid(&format!("{name} must be JSON"));
    read.filter(|value| value.is_object() || value.is_array()).map(Some).ok_or_else(refuse)
}

fn media_url(given: &Value, kind: Kind) -> Result<Option<String>, Answer> {
    let (needed, other) = match kind {
        Kind::Image => (Some("image_url"), vec!["video_url"]),
        Kind::Video => (Some("video_url"), vec!["image_url"]),
        Kind::Text | Kind::Carousel => (None, vec!["image_url", "video_url"]),
    };
    if let Some(wrong) = other.into_iter().find(|name| text(given, name).is_some()) {
        return Err(invalid(&format!("{wrong} does not fit the media_type")));
    }
    let Some(name) = needed else {
        return Ok(None);
    };
    let url = text(given, name).ok_or_else(|| invalid(&format!("{name} is required")))?;
    match url.starts_with("http://") || url.starts_with("https://") {
        true => Ok(Some(url)),
        false => Err(invalid(&format!("{name} is not a valid URL"))),
    }
}

fn children(given: &Value, kind: Kind) -> Result<Vec<u64>, Answer> {
    let named = text(given, "children");
    match (kind, named) {
        (Kind::Carousel, Some(named)) => {
            let ids: Result<Vec<u64>, _> = named.split(',').map(str::parse).collect();
            let ids = ids.map_err(|_| invalid("children must be ids between commas"))?;
            match (2..=20).contains(&ids.len()) {
                true => Ok(ids),
                false => Err(invalid("children must be 2 to 20 ids")),
            }
        }
        (Kind::Carousel, None) => Err(invalid("children is required")),
        (Kind::Text | Kind::Image | Kind::Video, Some(_)) => {
            Err(invalid("children is for carousels only"))
        }
        (Kind::Text | Kind::Image | Kind::Video, None) => Ok(Vec::new()),
    }
}

fn poll(given: &Value) -> Result<Vec<String>, Answer> {
    let Some(poll) = object(given, "poll_attachment")? else {
        return Ok(Vec::new());
    };
    let names = ["option_a", "option_b", "option_c", "option_d"];
    let object = poll.as_object().ok_or_else(|| invalid("poll_attachment must be an object"))?;
    let options: Vec<String> =
        names.iter().map_while(|name| object.get(*name)?.as_str()).map(str::to_owned).collect();
    let fits = |option: &String| (1..=25).contains(&option.chars().count());
    let complete = options.len() == object.len() && options.len() >= 2;
    match complete && options.iter().all(fits) {
        true => Ok(options),
        false => Err(invalid("poll_attachment must have option_a to option_d, 1 to 25 characters")),
    }
}

/// The card of a text post: its attached link, or the first one in its text.
fn link_card(
    given: &Value,
    kind: Kind,
    body: &str,
    poll: &[String],
) -> Result<Option<Card>, Answer> {
    let attached = text(given, "link_attachment");
    let card = |url: &str| {
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.map(|host| Card { url: url.to_owned(), title: host, description: String::new() })
    };
    if let Some(url) = attached {
        let web = url.starts_with("http://") || url.starts_with("https://");
        let card = card(&url).filter(|_| web);
        return card.map(Some).ok_or_else(|| invalid("link_attachment is not a valid URL"));
    }
    let bare = kind == Kind::Text && poll.is_empty() && text(given, "gif_attachment").is_none();
    let first = crate::sandbox::text::http_links(body).into_iter().next();
    Ok(first.filter(|_| bare).and_then(|range| card(&body[range])))
}

/// A long text, shown as a card below the short one.
fn attached_text(given: &Value) -> Result<Option<Card>, Answer> {
    let Some(attached) = object(given, "text_attachment")? else {
        return Ok(None);
    };
    let plain = attached["plaintext"].as_str().unwrap_or_default();
    if !(1..=ATTACHED_TEXT_CHARS_MAX).contains(&plain.chars().count()) {
        return Err(invalid("text_attachment.plaintext must have 1 to 10000 characters"));
    }
    Ok(Some(Card {
        url: attached["link_attachment_url"].as_str().unwrap_or_default().to_owned(),
        title: "Attached text".to_owned(),
        description: plain.to_owned(),
    }))
}

fn topic(given: &Value, body: &str) -> Result<Option<String>, Answer> {
    let Some(tag) = text(given, "topic_tag") else {
        return Ok(words::first_tag(body).map(str::to_owned));
    };
    match (1..=50).contains(&tag.chars().count()) && !tag.contains(['.', '&']) {
        true => Ok(Some(tag)),
        false => {
            let message = "topic_tag must have 1 to 50 characters, without periods and ampersands";
            Err(refusal(400, 100, Some(4_279_071), message))
        }
    }
}

fn has_spoilers(given: &Value, body: &str) -> Result<bool, Answer> {
    let Some(entities) = object(given, "text_entities")? else {
        return Ok(false);
    };
    let entities = entities.as_array().cloned().unwrap_or_default();
    let length = body.chars().count() as u64;
    let fits = |entity: &Value| {
        let ends = entity["offset"].as_u64().zip(entity["length"].as_u64());
        entity["entity_type"] == "SPOILER"
            && ends.is_some_and(|(from, of)| of > 0 && from.saturating_add(of) <= length)
    };
    match (1..=SPOILERS_MAX).contains(&entities.len()) && entities.iter().all(fits) {
        true => Ok(true),
        false => Err(invalid("text_entities must be 1 to 10 SPOILER ranges within the text")),
    }
}

fn marks(given: &Value, wanted: &Wanted) -> Result<Vec<String>, Answer> {
    let mut marks = Vec::new();
    if let Some(topic) = &wanted.topic {
        marks.push(format!("topic: {topic}"));
    }
    if wanted.audience != "everyone" {
        marks.push(format!("replies: {}", wanted.audience));
    }
    if let Some(id) = wanted.quotes {
        marks.push(format!("quotes {id}"));
    }
    if let Some(gif) = object(given, "gif_attachment")? {
        let (id, provider) = (gif["gif_id"].as_str(), gif["provider"].as_str());
        let (Some(id), Some(provider @ ("TENOR" | "GIPHY"))) = (id, provider) else {
            return Err(invalid("gif_attachment must have a gif_id and a provider"));
        };
        marks.push(format!("GIF {id} of {provider}"));
    }
    marks.extend(wanted.location.map(|id| format!("at location {id}")));
    if wanted.ghost {
        marks.push("ghost post, for 24 hours".to_owned());
    }
    if flag(given, "enable_reply_approvals")? {
        marks.push("replies are approved first".to_owned());
    }
    Ok(marks)
}
