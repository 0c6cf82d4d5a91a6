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
    pub login: Login,
    /// Base URLs by name, without a trailing slash. `None`: every account brings its own.
    pub endpoints: &'static [Endpoint],
    /// Documented defaults. An account may carry others that its server reported.
    pub limits: Limits,
    pub kinds: &'static [Kind],
    pub paces: &'static [Pace],
    /// What the platform gives only to reviewed apps, or where it costs money. One sentence.
    pub access: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    pub name: &'static str,
    pub default: Option<&'static str>,
}

/// How a person connects an account.
#[derive(Debug)]
pub enum Login {
    OAuth(OAuth),
    /// An identifier and an app password, exchanged for a session by the connector's errand.
    AppPassword,
}

/// What the one OAuth implementation needs to know. URLs are relative to an endpoint of the
/// profile.
#[derive(Debug)]
pub struct OAuth {
    pub authorize: Place,
    pub token: Place,
    pub revoke: Option<Place>,
    pub scopes: &'static [&'static str],
    pub client: ClientKind,
    pub authentication: ClientAuthentication,
    pub refresh: RefreshModel,
}

/// A path below a named endpoint.
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Link,
    Image,
    Gif,
    Video,
    Thread,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Link => "link",
            Kind::Image => "image",
            Kind::Gif => "gif",
            Kind::Video => "video",
            Kind::Thread => "thread",
        }
    }
}

/// What one post may hold. Each part of a thread is held to the same limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub text: TextLimit,
    /// In bytes of UTF-8, where a platform counts those too.
    pub text_bytes_max: Option<u32>,
    pub images_max: u32,
    pub image_bytes_max: u64,
    pub image_formats: &'static [&'static str],
    pub gif_bytes_max: u64,
    pub videos_max: u32,
    pub video_bytes_max: u64,
    pub video_formats: &'static [&'static str],
    /// In Unicode scalar values.
    pub alt_chars_max: u32,
    /// Parts in a thread, the first included.
    pub parts_max: u32,
    pub mixing: Mixing,
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
    pub window: Duration,
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
}
