//! The platforms of this build, and what each allows.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::platform::{ClientKind, Login, Mixing, PaceCounts, PaceScope, Profile, TextUnit},
    engine,
};

use super::{
    Answered, Api,
    caller::{May, Read},
    paging::Piece,
};

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A social network as a kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Platform)]
pub struct PlatformView {
    /// In settings and requests.
    #[schema(value_type = String, example = "mastodon")]
    platform: &'static str,
    /// As people write it.
    #[schema(value_type = String, example = "Mastodon")]
    name: &'static str,
    /// How a person connects an account: `oauth`, `oauth_any_server` (names a server and nothing
    /// has to be registered before) or `app_password`.
    #[schema(value_type = String, example = "oauth_any_server")]
    login: &'static str,
    /// What the platform gives only to reviewed apps, or where it costs money.
    #[schema(value_type = String)]
    access: &'static str,
    /// `text`, `link`, `image`, `gif`, `video`, `thread`.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<&'static str>,
    limits: LimitsView,
    paces: Vec<PaceView>,
    /// Base URLs that `[platforms.<name>.endpoints]` may replace.
    endpoints: Vec<EndpointView>,
}

/// What one post may hold, unless an account's server says otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Limits)]
pub struct LimitsView {
    text_max: u32,
    /// How the platform counts: `graphemes`, `mastodon` (a link has a fixed length) or `weighted`.
    #[schema(value_type = String)]
    text_unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_bytes_max: Option<u32>,
    images_max: u32,
    image_bytes_max: u64,
    #[schema(value_type = Vec<String>)]
    image_formats: &'static [&'static str],
    gif_bytes_max: u64,
    videos_max: u32,
    video_bytes_max: u64,
    #[schema(value_type = Vec<String>)]
    video_formats: &'static [&'static str],
    alt_chars_max: u32,
    /// In a thread, the first part included.
    parts_max: u32,
    /// Whether images and a video may share a post.
    mixing_allowed: bool,
}

/// At most so many calls in such a window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pace)]
pub struct PaceView {
    #[schema(value_type = String)]
    name: &'static str,
    /// `account`, or `app`: shared by all accounts of the same app.
    #[schema(value_type = String)]
    scope: &'static str,
    /// `requests` or `publications`.
    #[schema(value_type = String)]
    counts: &'static str,
    calls_max: u32,
    window_seconds: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub struct EndpointView {
    #[schema(value_type = String)]
    name: &'static str,
    /// Absent: every account brings its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    default: Option<&'static str>,
}

impl From<&'static Profile> for PlatformView {
    fn from(profile: &'static Profile) -> PlatformView {
        let login = match profile.logins.first() {
            Some(Login::OAuth(oauth)) => match oauth.client {
                ClientKind::Configured => "oauth",
                ClientKind::Dynamic => "oauth_any_server",
            },
            Some(Login::AppPassword) | None => "app_password",
        };
        let endpoint = |endpoint: &crate::domain::platform::Endpoint| EndpointView {
            name: endpoint.name,
            default: endpoint.default,
        };
        PlatformView {
            platform: profile.platform,
            name: profile.name,
            login,
            access: profile.access,
            kinds: profile.kinds.iter().map(|kind| kind.name()).collect(),
            limits: LimitsView::of(profile),
            paces: profile.paces.iter().map(PaceView::from).collect(),
            endpoints: profile.endpoints.iter().map(endpoint).collect(),
        }
    }
}

impl LimitsView {
    fn of(profile: &Profile) -> LimitsView {
        let limits = &profile.limits;
        LimitsView {
            text_max: limits.text.max,
            text_unit: match limits.text.unit {
                TextUnit::Graphemes => "graphemes",
                TextUnit::Mastodon { .. } => "mastodon",
                TextUnit::Weighted => "weighted",
                TextUnit::Chars => "characters",
                TextUnit::Utf16 => "utf16",
                TextUnit::EmojiBytes => "emoji_bytes",
                TextUnit::LittleText => "little_text",
            },
            text_bytes_max: limits.text_bytes_max,
            images_max: limits.images_max,
            image_bytes_max: limits.image_bytes_max,
            image_formats: limits.image_formats,
            gif_bytes_max: limits.gif_bytes_max,
            videos_max: limits.videos_max,
            video_bytes_max: limits.video_bytes_max,
            video_formats: limits.video_formats,
            alt_chars_max: limits.alt_chars_max,
            parts_max: limits.parts_max,
            mixing_allowed: limits.mixing == Mixing::Allowed,
        }
    }
}

impl From<&crate::domain::platform::Pace> for PaceView {
    fn from(pace: &crate::domain::platform::Pace) -> PaceView {
        PaceView {
            name: pace.name,
            scope: match pace.scope {
                PaceScope::Account => "account",
                PaceScope::App => "app",
            },
            counts: match pace.counts {
                PaceCounts::Requests => "requests",
                PaceCounts::Publications => "publications",
            },
            calls_max: pace.calls_max,
            window_seconds: pace.window.as_secs(),
        }
    }
}

/// Every platform of this build, as the API and the command line show them.
pub fn all() -> Vec<PlatformView> {
    engine::platforms().into_iter().map(PlatformView::from).collect()
}

/// List platforms
///
/// What this build can publish to, and what each platform allows.
#[utoipa::path(get, path = "/platforms", tag = "platforms",
    security(("key" = ["read"])), responses((status = 200, body = Piece<PlatformView>)))]
async fn list(_by: May<Read>) -> Answered<Piece<PlatformView>> {
    Ok(Json(Piece { items: all(), next: None }))
}
