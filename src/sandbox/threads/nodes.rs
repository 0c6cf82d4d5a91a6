//! What can be read: the profile, posts, their lists, and the status of containers. By
//! docs/threads, retrieve and discover posts, read 2026-11-21.

use serde_json::{Value, json};

use crate::{domain::time::Timestamp, sandbox::ledger::LedgerMedia};

use super::{Answer, Call, Caller, Reply, Threads, containers::Container, invalid, missing, stamp};

const PROFILE_FIELDS: [&str; 8] = [
    "id",
    "username",
    "name",
    "is_verified",
    "threads_profile_picture_url",
    "threads_biography",
    "recently_searched_keywords",
    "is_eligible_for_geo_gating",
];

const POST_FIELDS: [&str; 30] = [
    "id",
    "media_product_type",
    "media_type",
    "media_url",
    "gif_url",
    "permalink",
    "owner",
    "username",
    "text",
    "timestamp",
    "shortcode",
    "thumbnail_url",
    "children",
    "is_quote_post",
    "quoted_post",
    "reposted_post",
    "has_replies",
    "alt_text",
    "link_attachment_url",
    "poll_attachment",
    "location_id",
    "topic_tag",
    "is_reply",
    "is_reply_owned_by_me",
    "root_post",
    "replied_to",
    "hide_status",
    "reply_audience",
    "is_spoiler_media",
    "ghost_post_status",
];

const CONTAINER_FIELDS: [&str; 3] = ["id", "status", "error_message"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Text,
    Image,
    Video,
    Carousel,
    Repost { of: u64 },
}

impl Nature {
    fn name(self) -> &'static str {
        match self {
            Nature::Text => "TEXT_POST",
            Nature::Image => "IMAGE",
            Nature::Video => "VIDEO",
            Nature::Carousel => "CAROUSEL_ALBUM",
            Nature::Repost { .. } => "REPOST_FACADE",
        }
    }
}

pub(super) struct Post {
    pub(super) account: usize,
    pub(super) nature: Nature,
    pub(super) text: String,
    pub(super) media: Vec<LedgerMedia>,
    pub(super) alt: String,
    pub(super) poll: Vec<String>,
    pub(super) link: Option<String>,
    pub(super) topic: Option<String>,
    pub(super) audience: String,
    pub(super) reply_to: Option<u64>,
    pub(super) quotes: Option<u64>,
    pub(super) shortcode: String,
    pub(super) at: Timestamp,
    /// Of a ghost post.
    pub(super) ends_at: Option<Timestamp>,
    pub(super) deleted: bool,
}

impl Post {
    pub(super) fn repost(account: usize, of: u64, shortcode: String, now: Timestamp) -> Post {
        Post {
            account,
            nature: Nature::Repost { of },
            text: String::new(),
            media: Vec::new(),
            alt: String::new(),
            poll: Vec::new(),
            link: None,
            topic: None,
            audience: "everyone".to_owned(),
            reply_to: None,
            quotes: None,
            shortcode,
            at: now,
            ends_at: None,
            deleted: false,
        }
    }
}

/// Which of an account's posts a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    Posts,
    Replies,
}

impl Threads {
    pub(super) fn live(&self, id: u64, now: Timestamp) -> Option<&Post> {
        let there = |post: &&Post| !post.deleted && post.ends_at.is_none_or(|end| end > now);
        self.posts.get(&id).filter(there)
    }

    pub(super) fn node(&self, call: &Call, caller: Caller, id: &str) -> Reply {
        if self.own(id, caller).is_ok() {
            return self.profile(call, caller);
        }
        let number: u64 = id.parse().map_err(|_| missing(id))?;
        if let Some(container) = self.containers.get(&number) {
            return match container.account == caller.account {
                true => container_json(call, number, container),
                false => Err(missing(id)),
            };
        }
        let post = self.live(number, call.now).ok_or_else(|| missing(id))?;
        let fields = fields(call, &POST_FIELDS)?;
        Ok(Answer::json(200, &self.post_json(call, caller, number, post, &fields)))
    }

    fn profile(&self, call: &Call, caller: Caller) -> Reply {
        let person = self.people.get(caller.account);
        let mut body = json!({ "id": person.id });
        for field in fields(call, &PROFILE_FIELDS)? {
            let value = match field.as_str() {
                "username" => json!(person.handle),
                "name" => json!(person.handle),
                "is_verified" | "is_eligible_for_geo_gating" => json!(false),
                "threads_biography" => json!(""),
                "recently_searched_keywords" => json!([]),
                // Nobody here has a picture.
                _ => continue,
            };
            body[field] = value;
        }
        Ok(Answer::json(200, &body))
    }

    /// Newest first, in pages.
    pub(super) fn list(&self, call: &Call, caller: Caller, user: &str, listed: Listed) -> Reply {
        self.own(user, caller)?;
        let fields = fields(call, &POST_FIELDS)?;
        let limit = match call.query("limit").map(str::parse::<usize>) {
            None => 25,
            Some(Ok(limit @ 1..=100)) => limit,
            Some(_) => return Err(invalid("limit must be from 1 to 100")),
        };
        let (since, until) = (instant(call, "since")?, instant(call, "until")?);
        let cursor = |name: &str| match call.query(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text.parse::<u64>().map(Some).map_err(|_| invalid("Invalid cursor")),
        };
        let (before, after) = (cursor("before")?, cursor("after")?);
        if before.is_some() && after.is_some() {
            return Err(invalid("Cannot specify both before and after"));
        }
        let wanted = |id: &u64| {
            let Some(post) = self.live(*id, call.now) else {
                return false;
            };
            post.reply_to.is_some() == (listed == Listed::Replies)
                && since.is_none_or(|since| post.at >= since)
                && until.is_none_or(|until| post.at <= until)
                && after.is_none_or(|after| *id < after)
                && before.is_none_or(|before| *id > before)
        };
        let own = self.timelines.get(&caller.account).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<u64> = own.iter().copied().filter(wanted).collect();
        // A page before a cursor is the one next to it.
        match before {
            Some(_) => found.truncate(limit),
            None => found = found.split_off(found.len().saturating_sub(limit)),
        }
        found.reverse();
        let data: Vec<Value> = found
            .iter()
            .filter_map(|id| Some(self.post_json(call, caller, *id, self.posts.get(id)?, &fields)))
            .collect();
        let mut body = json!({ "data": data });
        if let (Some(first), Some(last)) = (found.first(), found.last()) {
            body["paging"] = json!({ "cursors": { "before": first.to_string(),
                "after": last.to_string() } });
        }
        Ok(Answer::json(200, &body))
    }

    fn post_json(
        &self,
        call: &Call,
        caller: Caller,
        id: u64,
        post: &Post,
        fields: &[String],
    ) -> Value {
        let mut body = json!({ "id": id.to_string() });
        for field in fields {
            if let Some(value) = self.field(call, caller, id, post, field) {
                body[field.as_str()] = value;
            }
        }
        body
    }

    /// `None` where the platform leaves the field out.
    fn field(
        &self,
        call: &Call,
        caller: Caller,
        id: u64,
        post: &Post,
        field: &str,
    ) -> Option<Value> {
        let person = self.people.get(post.account);
        let node = |id: u64| json!({ "id": id.to_string() });
        let value = match field {
            "media_product_type" => json!("THREADS"),
            "media_type" => json!(post.nature.name()),
            "media_url" => {
                let media = post.media.first().filter(|_| post.nature != Nature::Carousel)?;
                json!(format!("{}/_sandbox/media/{}", call.origin, media.shelf))
            }
            "permalink" => {
                json!(format!("{}/@{}/post/{}", call.base, person.handle, post.shortcode))
            }
            "owner" => json!({ "id": person.id }),
            "username" => json!(person.handle),
            "text" if !post.text.is_empty() => json!(post.text),
            "timestamp" => json!(stamp(post.at)),
            "shortcode" => json!(post.shortcode),
            "children" if post.nature == Nature::Carousel => {
                let items = post.media.iter().map(|media| node(media.shelf));
                json!({ "data": items.collect::<Vec<_>>() })
            }
            "is_quote_post" => json!(post.quotes.is_some()),
            "quoted_post" => node(post.quotes?),
            "reposted_post" => match post.nature {
                Nature::Repost { of } => node(of),
                Nature::Text | Nature::Image | Nature::Video | Nature::Carousel => return None,
            },
            "has_replies" => json!(
                self.posts.values().any(|other| { other.reply_to == Some(id) && !other.deleted })
            ),
            "alt_text" if !post.alt.is_empty() => json!(post.alt),
            "link_attachment_url" => json!(post.link.as_ref()?),
            "poll_attachment" if !post.poll.is_empty() => {
                let names = ["option_a", "option_b", "option_c", "option_d"];
                names.iter().zip(&post.poll).map(|(name, option)| (*name, json!(option))).collect()
            }
            "topic_tag" => json!(post.topic.as_ref()?),
            "is_reply" => json!(post.reply_to.is_some()),
            "is_reply_owned_by_me" => {
                json!(post.reply_to.is_some() && post.account == caller.account)
            }
            "root_post" => node(self.root(post.reply_to?)),
            "replied_to" => node(post.reply_to?),
            "hide_status" if post.reply_to.is_some() => json!("NOT_HUSHED"),
            "reply_audience" => json!(post.audience.to_uppercase()),
            "ghost_post_status" => post.ends_at.map(|_| json!("active"))?,
            _ => return None,
        };
        Some(value)
    }

    fn root(&self, mut id: u64) -> u64 {
        // Answers are newer than what they answer, so this ends.
        while let Some(parent) = self.posts.get(&id).and_then(|post| post.reply_to) {
            id = parent;
        }
        id
    }
}

fn container_json(call: &Call, id: u64, container: &Container) -> Reply {
    let mut body = json!({ "id": id.to_string() });
    for field in fields(call, &CONTAINER_FIELDS)? {
        match field.as_str() {
            "status" => body["status"] = json!(container.status(call.now).name()),
            "error_message" => {
                if let Some(message) = container.error_message(call.now) {
                    body["error_message"] = json!(message);
                }
            }
            _ => {}
        }
    }
    Ok(Answer::json(200, &body))
}

/// The asked fields without what they ask in turn in braces. Only `id` when nothing is asked.
fn fields(call: &Call, known: &[&str]) -> Result<Vec<String>, Answer> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut name = String::new();
    for letter in call.query("fields").unwrap_or("id").chars().chain([',']) {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => found.push(std::mem::take(&mut name)),
            letter if depth == 0 => name.push(letter),
            _ => {}
        }
    }
    match found.iter().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(no_field(unknown)),
        None => Ok(found),
    }
}

pub(super) fn no_field(name: &str) -> Answer {
    invalid(&format!("Tried accessing nonexisting field ({name})"))
}

/// Seconds since 1970, a day, or an instant.
fn instant(call: &Call, name: &str) -> Result<Option<Timestamp>, Answer> {
    let Some(text) = call.query(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let seconds = text.parse::<u64>().ok().map(|seconds| Timestamp(seconds.saturating_mul(1_000)));
    let found = seconds.or_else(|| Timestamp::parse(text));
    let found = found.or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    found.map(Some).ok_or_else(|| invalid(&format!("{name} is not a time")))
}
