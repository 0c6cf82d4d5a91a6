//! What a platform allows, as data. Read by validation, the API, pacing and the OAuth code alike,
//! so that no limit is written twice.

use std::time::Duration;

/// A platform, as its connector declares it.
#[derive(Debug)]
pub struct Profile {
    /// The connector's name in settings, keys and the API: `mastodon`.
    pub platform: &'static str,
    /// As people write it: `Mastodon`.
    pub name: &'static str,
    /// The ways to connect an account, the usual one first. Never empty.
    pub logins: &'static [Login],
    /// Base URLs by name, without a trailing slash. `None`: every account brings its own.
    pub endpoints: &'static [Endpoint],
    /// The version of its API, where requests name one.
    pub version: Option<ApiVersion>,
    /// Documented defaults. An account may carry others that its server reported.
    pub limits: Limits,
    pub kinds: &'static [Kind],
    /// Other shapes of post than the usual one, each with limits of its own.
    pub formats: &'static [Format],
    /// What a post may say beyond text and media, by name. Everything else is of other platforms.
    pub options: &'static [OptionRule],
    pub paces: &'static [Pace],
    /// What the platform gives only to reviewed apps, or where it costs money. One sentence.
    pub access: &'static str,
    /// How to make a developer app and connect an account, in Markdown; `{callback}` stands for the
    /// address to enter as the redirect.
    pub guide: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    pub name: &'static str,
    pub default: Option<&'static str>,
}

impl Profile {
    /// The way to sign in of that name; an empty name is the usual one.
    pub fn login(&self, name: &str) -> Option<&'static Login> {
        match name {
            "" => self.logins.first(),
            _ => self.logins.iter().find(|login| login.name() == name),
        }
    }

    /// The limits and kinds of that format; an empty name is the usual shape of a post.
    pub fn format(&self, name: &str) -> Option<(&Limits, &'static [Kind])> {
        match name {
            "" => Some((&self.limits, self.kinds)),
            _ => {
                let found = self.formats.iter().find(|format| format.name == name);
                found.map(|format| (&format.limits, format.kinds))
            }
        }
    }

    pub fn option(&self, name: &str) -> Option<&'static OptionRule> {
        self.options.iter().find(|option| option.name == name)
    }
}

/// The option that chooses a [`Format`], on every platform that has any.
pub const FORMAT: &str = "format";

/// The option that names a post to be passed on as it is; such a post has no text of its own.
pub const REPOST: &str = "repost";

/// A version that every request has to name, and that dies one day.
#[derive(Debug)]
pub struct ApiVersion {
    /// Used unless the settings name another.
    pub default: &'static str,
    /// When each known version dies, as `2027-07-15`; from the platform's calendar.
    pub ends: &'static [(&'static str, &'static str)],
    /// How many days before its end a version is complained of.
    pub alarm_days: u32,
}

/// A shape of post that the option `format` chooses.
#[derive(Debug)]
pub struct Format {
    /// The option's value: `story`.
    pub name: &'static str,
    pub limits: Limits,
    pub kinds: &'static [Kind],
}

/// One option of a post, as text under its name.
#[derive(Debug)]
pub struct OptionRule {
    pub name: &'static str,
    pub value: OptionValue,
    pub loss: Loss,
    /// One sentence for people.
    pub about: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionValue {
    OneOf(&'static [&'static str]),
    Text {
        chars_max: u32,
    },
    /// One item a line.
    Lines {
        items_min: u32,
        items_max: u32,
        chars_max: u32,
    },
    Number {
        min: u64,
        max: u64,
    },
    /// An `http` or `https` address.
    Url,
    /// `true` or `false`.
    Flag,
}

/// What it means if a platform does not know an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Something else would be published than was meant, so a platform without it refuses the post,
    /// except where the value is one of these, which ask for nothing.
    Misleads { except: &'static [&'static str] },
    /// The post says the same without it.
    Harmless,
}

/// How a person connects an account.
#[derive(Debug)]
pub enum Login {
    OAuth(OAuth),
    /// What a person pastes, checked or exchanged for a session by the errand `Task::SignIn`.
    Pasted(Pasted),
}

/// An identifier and a secret: a handle and an app password, a channel and a bot's token.
#[derive(Debug)]
pub struct Pasted {
    /// Names this way among several; empty if it is the only one.
    pub name: &'static str,
    pub identifier: Wanted,
    pub secret: Wanted,
}

/// What is asked for, in words that follow "needs": `a handle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Required(&'static str),
    Optional(&'static str),
    /// Made by us if it is not given, and shown once: 32 random bytes in base64 after `prefix`.
    Made {
        what: &'static str,
        prefix: &'static str,
    },
    /// Not asked for.
    Nothing,
}

impl Login {
    /// As in the API; empty where there is only one way.
    pub fn name(&self) -> &'static str {
        match self {
            Login::OAuth(oauth) => oauth.name,
            Login::Pasted(pasted) => pasted.name,
        }
    }
}

/// What the one OAuth implementation needs to know. URLs are relative to an endpoint of the
/// profile.
#[derive(Debug)]
pub struct OAuth {
    /// Names this way among several; empty if it is the only one.
    pub name: &'static str,
    /// The section of the settings that holds its app: `facebook` for `platforms.facebook`.
    pub app: &'static str,
    pub authorize: Place,
    pub token: Place,
    pub revoke: Option<Place>,
    pub scopes: &'static [&'static str],
    pub client: ClientKind,
    /// What the platform calls the client's id in requests: `client_id` nearly everywhere.
    pub client_parameter: &'static str,
    pub authentication: ClientAuthentication,
    pub proof: Proof,
    pub separator: ScopeSeparator,
    /// Scopes without which something is missing; the rest of `scopes` is only wished for.
    pub required: &'static [&'static str],
    pub refresh: RefreshModel,
    /// What the code is exchanged for.
    pub first: FirstToken,
    pub targets: Targets,
}

/// Whether a login is proven to be ours by PKCE (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Pkce,
    /// The platform documents no PKCE for this flow; state and client secret stand alone.
    StateOnly,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeSeparator {
    Space,
    Comma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstToken {
    Lasting,
    /// It lives an hour or so; the errand `Task::Lengthen` turns it into one that lasts.
    Short,
}

/// What a login gives access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// The one profile that signed in; the errand `Task::Identify` says which.
    One,
    /// Several pages or organizations, of which the person chooses; the errand `Task::Discover`
    /// lists them.
    Several,
}

/// A path below a named endpoint; `{version}` in it stands for the version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub endpoint: &'static str,
    pub path: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// Credentials from the settings or from the organization's own app.
    Configured,
    /// Registered on the spot with whatever server the person names.
    Dynamic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    Basic,
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshModel {
    /// The access token does not end.
    Never,
    /// Each refresh gives a new refresh token and ends the old one.
    Rotating,
    /// The refresh token stays; only access tokens are renewed.
    Static,
    /// There is no refresh token: the access token itself is exchanged for one that lasts longer,
    /// by the errand `Task::Refresh`, while it is still good.
    Extended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Link,
    Image,
    Gif,
    Video,
    /// Several images, and videos where the platform mixes them, to swipe through.
    Carousel,
    Document,
    Reel,
    Story,
    Poll,
    /// Further parts that answer the one before.
    Thread,
    /// A further part as a comment below the post.
    Comment,
    Quote,
    Repost,
    /// Something that happens at a time.
    Event,
    /// Something that can be had for less.
    Offer,
    /// A text that the platform approved before.
    Template,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Link => "link",
            Kind::Image => "image",
            Kind::Gif => "gif",
            Kind::Video => "video",
            Kind::Carousel => "carousel",
            Kind::Document => "document",
            Kind::Reel => "reel",
            Kind::Story => "story",
            Kind::Poll => "poll",
            Kind::Thread => "thread",
            Kind::Comment => "comment",
            Kind::Quote => "quote",
            Kind::Repost => "repost",
            Kind::Event => "event",
            Kind::Offer => "offer",
            Kind::Template => "template",
        }
    }
}

/// What one post may hold. Each part of a thread is held to the same limits; a part that becomes a
/// comment has those of `comment`. A profile is written as what differs from [`Limits::NONE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A `max` of 0: no text is shown with it.
    pub text: TextLimit,
    /// In bytes of UTF-8, where a platform counts those too; not of a comment.
    pub text_bytes_max: Option<u32>,
    /// More `#tags` than this are refused.
    pub hashtags_max: Option<u32>,
    /// More than this are advised against: a warning.
    pub hashtags_advised: Option<u32>,
    /// `@mentions`.
    pub mentions_max: Option<u32>,
    /// Different `http` and `https` addresses in the text.
    pub links_max: Option<u32>,
    /// Files of any kind; 1 where a post cannot be without one.
    pub media_min: u32,
    /// Files of all kinds together, where that is limited by itself.
    pub media_max: Option<u32>,
    pub images_max: u32,
    pub image_bytes_max: u64,
    pub image_formats: &'static [&'static str],
    /// Width to height.
    pub image_ratio: Option<Ratios>,
    /// Width times height.
    pub image_pixels_max: Option<u64>,
    pub gif_bytes_max: u64,
    pub videos_max: u32,
    pub video_bytes_max: u64,
    pub video_formats: &'static [&'static str],
    pub video_ratio: Option<Ratios>,
    pub video_length: Option<Lengths>,
    pub documents_max: u32,
    pub document_bytes_max: u64,
    pub document_formats: &'static [&'static str],
    /// In Unicode scalar values.
    pub alt_chars_max: u32,
    /// Parts in a thread, the first included.
    pub parts_max: u32,
    /// Parts after the first are comments: a text of at most this, and no files.
    pub comment: Option<TextLimit>,
    pub mixing: Mixing,
    /// How the platform takes a file: by its bytes, or from an address that it can reach.
    pub intake: Intake,
}

impl Limits {
    /// A single text of no length, and nothing else.
    pub const NONE: Limits = Limits {
        text: TextLimit { max: 0, unit: TextUnit::Chars },
        text_bytes_max: None,
        hashtags_max: None,
        hashtags_advised: None,
        mentions_max: None,
        links_max: None,
        media_min: 0,
        media_max: None,
        images_max: 0,
        image_bytes_max: 0,
        image_formats: &[],
        image_ratio: None,
        image_pixels_max: None,
        gif_bytes_max: 0,
        videos_max: 0,
        video_bytes_max: 0,
        video_formats: &[],
        video_ratio: None,
        video_length: None,
        documents_max: 0,
        document_bytes_max: 0,
        document_formats: &[],
        alt_chars_max: 0,
        parts_max: 1,
        comment: None,
        mixing: Mixing::Forbidden,
        intake: Intake::Bytes,
    };
}

/// Width divided by height, in thousandths: `min: 800, max: 1_910` is 4:5 to 1.91:1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratios {
    pub min: u32,
    pub max: u32,
}

/// How long a video may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    pub min: Duration,
    pub max: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intake {
    Bytes,
    /// The platform's servers fetch images from us, so our public address has to be reachable.
    ImagesByUrl,
    /// They fetch every file from us.
    AllByUrl,
}

/// A length as the platform counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    pub max: u32,
    pub unit: TextUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    /// Extended grapheme clusters.
    Graphemes,
    /// Extended grapheme clusters; a URL counts `url`, `@user@server` counts as `@user`.
    Mastodon { url: u32 },
    /// X's weighted count: most of Latin 1, everything else 2, a URL 23, an emoji sequence 2.
    Weighted,
    /// Unicode scalar values.
    Chars,
    /// UTF-16 code units: an emoji outside the basic plane counts 2.
    Utf16,
    /// Unicode scalar values, but an emoji counts its bytes of UTF-8, as Threads has it.
    EmojiBytes,
    /// Characters of LinkedIn's little text, its escapes included.
    LittleText,
}

/// Whether images and a video may share a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mixing {
    Allowed,
    Forbidden,
}

/// At most `calls_max` in any `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Names the stored budget: lower case, no spaces.
    pub name: &'static str,
    pub scope: PaceScope,
    pub counts: PaceCounts,
    pub calls_max: u32,
    pub window: Window,
}

/// What a pace is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Any stretch of so long.
    Rolling(Duration),
    /// A day that begins at midnight in this IANA zone.
    Day(&'static str),
}

impl Window {
    /// About how long; a day is not always 24 hours.
    pub fn length(self) -> Duration {
        match self {
            Window::Rolling(length) => length,
            Window::Day(_) => Duration::from_secs(24 * 60 * 60),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceScope {
    Account,
    /// Shared by all accounts that use the same app.
    App,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceCounts {
    /// Every request.
    Requests,
    /// Publications only: each part of a thread is one.
    Publications,
    /// What the platform charges for a request: `Request::units`.
    Units,
}
