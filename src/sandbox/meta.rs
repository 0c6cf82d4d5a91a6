//! Facebook pages and Instagram by Meta's Graph API v26.0: developers.facebook.com, read
//! 2026-11-21, and the node specs of facebook-business-sdk-codegen of 2026-04-15.
//!
//! One world behind two doors: `/facebook` is graph.facebook.com, graph-video, rupload and
//! www.facebook.com; `/instagram` is graph.instagram.com, api.instagram.com and www.instagram.com.
//!
//! Invariants: a token opens its own door and reaches only what its consent covers; a container is
//! published at most once.
//!
//! Left out, and so refused: Meta's own scheduling, insights, shopping tags, the Resumable Upload
//! API (`/{app}/uploads`), webhooks.

mod address;
mod asset;
mod comments;
mod containers;
mod estate;
mod fields;
pub(super) mod film;
mod gallery;
mod graph;
mod listing;
mod parameters;
mod photos;
mod posts;
mod refusal;
mod rupload;
mod signin;
#[cfg(test)]
mod tests;
mod tokens;
mod usage;
mod videos;

use std::{collections::HashMap, time::Duration};

use crate::domain::time::Timestamp;
use chrono::DateTime;

use super::{
    Platform,
    chance::Chance,
    consent::Codes,
    faults::Operation,
    ledger::{Card, Face, LedgerEntry, LedgerMedia},
    meter::Meter,
    text::{http_links, pieces},
    wire::{Answer, Call},
    world::{Books, Simulation},
};

use self::{
    address::{is_for_readers, path, token_of, version_used},
    comments::Comment,
    containers::Container,
    estate::Estate,
    gallery::Media,
    photos::Photo,
    posts::Post,
    refusal::{missing_object, of_status, refuse},
    signin::Exchange,
    tokens::{Subject, Tokens},
    usage::{Usage, dressed},
    videos::Video,
};

/// Milliseconds between 1970 and the beginning of Meta's ids, roughly as long as real ones.
const EPOCH: u64 = 1_000_000_000_000;
/// The same for every app.
const SECRET: &str = "sandbox-secret";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Either arm is sent; `Err` only ends the handling early.
type Reply = Result<Answer, Answer>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Door {
    Facebook,
    Instagram,
}

impl Door {
    fn of(call: &Call) -> Door {
        match call.base.ends_with("/instagram") {
            true => Door::Instagram,
            false => Door::Facebook,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Door::Facebook => "Facebook",
            Door::Instagram => "Instagram",
        }
    }
}

/// What an id stands for: numbers into the lists of [`Meta`] and [`Estate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Person(usize),
    Business(usize),
    Page(usize),
    Post(usize),
    Photo(usize),
    Video(usize),
    Comment(usize),
    Profile(usize),
    Container(usize),
    Media(usize),
}

pub(crate) struct Meta {
    meter: Meter,
    codes: Codes,
    /// By code: the scopes that were refused with it.
    declined: HashMap<String, Vec<String>>,
    tokens: Tokens,
    estate: Estate,
    nodes: HashMap<String, Node>,
    posts: Vec<Post>,
    photos: Vec<Photo>,
    videos: Vec<Video>,
    comments: Vec<Comment>,
    containers: Vec<Container>,
    media: Vec<Media>,
    /// By page, text and link: the last post that said so.
    said: HashMap<(usize, String, Option<String>), usize>,
}

impl Meta {
    pub(crate) fn new(meter: Meter) -> Meta {
        Meta {
            meter,
            codes: Codes::default(),
            declined: HashMap::new(),
            tokens: Tokens::default(),
            estate: Estate::default(),
            nodes: HashMap::new(),
            posts: Vec::new(),
            photos: Vec::new(),
            videos: Vec::new(),
            comments: Vec::new(),
            containers: Vec::new(),
            media: Vec::new(),
            said: HashMap::new(),
        }
    }

    fn route(&mut self, call: &Call, books: &mut Books, usage: &mut Option<Usage>) -> Reply {
        let (door, method) = (Door::of(call), call.method.as_str());
        let (version, path) = path(call)?;
        match (door, method, path.as_slice()) {
            (Door::Facebook, "GET" | "POST", ["dialog", "oauth"])
            | (Door::Instagram, "GET" | "POST", ["oauth", "authorize"]) => {
                Ok(self.consent(call, door, books))
            }
            (Door::Facebook, "GET" | "POST", ["oauth", "access_token"]) => {
                self.facebook_token(call, books)
            }
            (Door::Facebook, "GET", ["debug_token"]) => self.debug_token(call),
            (Door::Instagram, "POST", ["oauth", "access_token"]) => {
                self.instagram_code(call, books)
            }
            (Door::Instagram, "GET", ["access_token"]) => {
                self.instagram_exchange(call, Exchange::Lengthen, books)
            }
            (Door::Instagram, "GET", ["refresh_access_token"]) => {
                self.instagram_exchange(call, Exchange::Refresh, books)
            }
            (Door::Facebook, "POST", ["video-upload", _, id]) => {
                self.receive_video(call, id, books)
            }
            (_, "POST", ["ig-api-upload", _, id]) => self.receive_for_container(call, id, books),
            (_, "GET", [_, "picture"]) => estate::silhouette(),
            (_, "GET", _) if is_for_readers(call, version) => self.permalink(door, &path, books),
            _ => self.graph(call, &path, books, usage),
        }
    }

    /// What the call is about, whether or not it may be.
    fn addressed(&self, call: &Call) -> Option<Node> {
        let (_, path) = path(call).ok()?;
        match path.as_slice() {
            ["video-upload" | "ig-api-upload", _, id] | [id, ..] => self.nodes.get(*id).copied(),
            [] => None,
        }
    }

    /// The web addresses of what was published, for readers without a token.
    fn permalink(&self, door: Door, path: &[&str], books: &Books) -> Reply {
        let found = |platform: Platform, id: &str| {
            let entry = books.ledger.find(platform, id)?;
            Some(Answer::redirect(&format!("/#post-{}", entry.sequence)))
        };
        let by_node = |id: &str| match self.nodes.get(id)? {
            Node::Post(post) => Some(self.posts[*post].id.clone()),
            Node::Photo(photo) => self.photos[*photo].post.map(|post| self.posts[post].id.clone()),
            Node::Video(video) => self.videos[*video].post.map(|post| self.posts[post].id.clone()),
            Node::Media(media) => Some(self.media[*media].id.clone()),
            Node::Comment(comment) => Some(self.comments[*comment].id.clone()),
            Node::Person(_)
            | Node::Business(_)
            | Node::Page(_)
            | Node::Profile(_)
            | Node::Container(_) => None,
        };
        let answer = match (door, path) {
            (Door::Facebook, [page, "posts", number]) => {
                found(Platform::Facebook, &format!("{page}_{number}"))
            }
            (Door::Facebook, ["reel" | "videos" | "stories", id] | [id]) => {
                by_node(id).and_then(|id| found(Platform::Facebook, &id))
            }
            (Door::Instagram, ["p" | "reel", shortcode]) => {
                let mut media = self.media.iter();
                let media = media.find(|media| media.shortcode == **shortcode);
                media.and_then(|media| found(Platform::Instagram, &media.id))
            }
            (Door::Instagram, ["stories", _, id] | [id]) => {
                by_node(id).and_then(|id| found(Platform::Instagram, &id))
            }
            _ => None,
        };
        answer.ok_or_else(|| match path {
            // A page or a profile as a whole.
            [_] if door == Door::Facebook => Answer::redirect("/#facebook"),
            [_] => Answer::redirect("/#instagram"),
            _ => missing_object("get", &path.join("/")),
        })
    }
}

impl Simulation for Meta {
    fn operation(&self, call: &Call) -> Option<Operation> {
        let Ok((version, path)) = path(call) else {
            return Some(Operation::Read);
        };
        match (call.method.as_str(), path.as_slice()) {
            (_, ["dialog", "oauth"] | ["oauth", "authorize"] | [_, "picture"]) => None,
            (_, ["oauth", "access_token"] | ["debug_token" | "access_token"])
            | (_, ["refresh_access_token"]) => Some(Operation::Token),
            ("DELETE", [_, "permissions", ..]) => Some(Operation::Token),
            ("DELETE", _) => Some(Operation::Delete),
            ("GET", _) if is_for_readers(call, version) => None,
            ("GET", _) => Some(Operation::Read),
            (_, ["video-upload" | "ig-api-upload", ..] | [_, "media"]) => Some(Operation::Upload),
            (_, [_, "feed" | "photos" | "videos" | "video_reels" | "video_stories"])
                if is_staging(call) =>
            {
                Some(Operation::Upload)
            }
            _ => Some(Operation::Publish),
        }
    }

    /// What is done to an Instagram account is Instagram's, whichever door it came through.
    fn platform(&self, call: &Call, entered: Platform) -> Platform {
        match self.addressed(call).map(|node| self.holder(node)) {
            Some(Subject::Profile(_)) => Platform::Instagram,
            Some(Subject::Person(_) | Subject::Page(_)) | None => entered,
        }
    }

    fn caller(&self, call: &Call) -> Option<String> {
        let Some(token) = token_of(call) else {
            let account = self.codes.account(call.parameters()["code"].as_str()?)?;
            let subject = match Door::of(call) {
                Door::Facebook => Subject::Person(account),
                Door::Instagram => Subject::Profile(account),
            };
            return Some(self.estate.handle(subject).to_owned());
        };
        let subject = self.tokens.get(&token)?.subject;
        // What a page's token does for its Instagram account is that account's doing.
        let holder = self.addressed(call).map(|node| self.holder(node));
        let subject = match holder {
            Some(Subject::Profile(profile)) => Subject::Profile(profile),
            Some(Subject::Person(_) | Subject::Page(_)) | None => subject,
        };
        Some(self.estate.handle(subject).to_owned())
    }

    fn fetches(&self, call: &Call) -> Vec<String> {
        if call.method != axum::http::Method::POST {
            return Vec::new();
        }
        let Ok((_, path)) = path(call) else {
            return Vec::new();
        };
        let names: &[&str] = match path.as_slice() {
            [_, "photos"] => &["url"],
            [_, "videos"] => &["file_url"],
            [_, "media"] => &["image_url", "video_url", "cover_url"],
            [_, "comments"] => &["attachment_url"],
            _ => &[],
        };
        let mut found: Vec<String> = match names {
            // Bytes that are no form would be read as one.
            [] => Vec::new(),
            names => {
                let parameters = call.parameters();
                let texts = names.iter().filter_map(|name| parameters[*name].as_str());
                texts.map(str::to_owned).collect()
            }
        };
        if let ["video-upload" | "ig-api-upload", ..] = path.as_slice() {
            found.extend(call.header("file_url").map(str::to_owned));
        }
        found.retain(|url| parameters::is_address(url));
        found
    }

    fn answer(&mut self, call: &Call, books: &mut Books) -> Answer {
        let mut usage = None;
        let answer = match self.route(call, books, &mut usage) {
            Ok(answer) | Err(answer) => answer,
        };
        let answer = answer.with("facebook-api-version", version_used(call));
        match usage {
            Some(usage) => dressed(answer, &usage, call.now),
            None => answer,
        }
    }

    fn refused(&self, operation: Operation, status: Option<u16>) -> Answer {
        match (operation, status) {
            (_, Some(status)) => of_status(status),
            (Operation::Token, None) => {
                refuse(100, 36_009, "This authorization code has been used or is not valid.")
            }
            (_, None) => of_status(400),
        }
    }

    fn throttled(&self, call: &Call, retry_after: Option<Duration>) -> Answer {
        self.throttled_for(call, retry_after)
    }

    fn expire(&mut self, call: &Call) {
        if let Some(token) = token_of(call) {
            self.tokens.expire(&token, call.now);
        }
    }

    fn revoke(&mut self, call: &Call) {
        let token = token_of(call).and_then(|token| self.tokens.get(&token));
        if let Some(consent) = token.map(|token| token.consent) {
            self.tokens.revoke(consent);
        }
    }
}

/// Whether readers will see nothing of it yet.
fn is_staging(call: &Call) -> bool {
    let parameters = call.parameters();
    let says = |name: &str, text: &str| parameters[name].as_str() == Some(text);
    let is_early = ["start", "transfer", "cancel"].iter().any(|it| says("upload_phase", it));
    let is_hidden = says("published", "false") || parameters["published"] == false;
    is_early || is_hidden || says("video_state", "DRAFT")
}

fn new_id(chance: &mut Chance, now: Timestamp) -> String {
    const LOW_BITS: u32 = 10;
    chance.snowflake(now, EPOCH, LOW_BITS).to_string()
}

/// `2026-11-21T09:00:00+0000`, as Meta writes times.
fn stamp(at: Timestamp) -> String {
    let date = i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis);
    date.map(|date| date.format("%Y-%m-%dT%H:%M:%S+0000").to_string()).unwrap_or_default()
}

/// What readers get to see.
struct Public {
    subject: Subject,
    /// As the one who published calls the account.
    account: String,
    id: String,
    url: String,
    text: String,
    media: Vec<LedgerMedia>,
    reply_to: Option<String>,
    label: Option<&'static str>,
    card: Option<Card>,
}

impl Meta {
    fn record(&self, call: &Call, books: &mut Books, public: Public) {
        // Links in Instagram's texts lead nowhere.
        let (platform, links) = match public.subject {
            Subject::Profile(_) => (Platform::Instagram, Vec::new()),
            Subject::Page(_) | Subject::Person(_) => {
                let links = http_links(&public.text).into_iter();
                let led = links.map(|range| (range.clone(), public.text[range].to_owned()));
                (Platform::Facebook, led.collect())
            }
        };
        let face = Face {
            pieces: pieces(&public.text, &links),
            card: public.card,
            label: public.label,
            ..Face::default()
        };
        books.ledger.record(LedgerEntry {
            sequence: 0,
            at: call.now,
            platform,
            account: public.account,
            handle: self.estate.handle(public.subject).to_owned(),
            id: public.id,
            url: public.url,
            text: public.text,
            media: public.media,
            reply_to: public.reply_to,
            idempotency_key: None,
            deleted_at: None,
            face,
        });
    }
}
