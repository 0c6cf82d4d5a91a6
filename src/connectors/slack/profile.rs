//! What Slack allows.
//!
//! <https://docs.slack.dev/authentication/installing-with-oauth>,
//! <https://docs.slack.dev/apis/web-api/rate-limits> and
//! <https://docs.slack.dev/reference/methods/chat.postMessage>, as of 2026-08.

use std::time::Duration;

use super::{API, APP, BOT, HOOKS, OAUTH, WEB, WEBHOOK, draft};
use crate::domain::platform::{
    ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Limits, Login, Mixing, OAuth,
    Pace, PaceCounts, PaceScope, Pasted, Place, Profile, Proof, RefreshModel, ScopeSeparator,
    Targets, TextLimit, TextUnit, Wanted, Window,
};

pub(super) const PROFILE: Profile = Profile {
    platform: "slack",
    name: "Slack",
    logins: &[
        Login::Pasted(Pasted {
            name: BOT,
            identifier: Wanted::Required("the id of a channel"),
            secret: Wanted::Required("the token of a bot, which begins with xoxb-"),
        }),
        Login::Pasted(Pasted {
            name: WEBHOOK,
            identifier: Wanted::Optional("a name for the webhook, such as its channel"),
            secret: Wanted::Required("the address of an incoming webhook"),
        }),
        Login::OAuth(OF_APPS),
    ],
    endpoints: &[
        Endpoint { name: API, default: Some("https://slack.com/api") },
        Endpoint { name: APP, default: Some("https://app.slack.com") },
        Endpoint { name: HOOKS, default: Some("https://hooks.slack.com") },
        Endpoint { name: WEB, default: Some("https://slack.com") },
    ],
    version: None,
    limits: LIMITS,
    kinds: &[
        Kind::Text,
        Kind::Link,
        Kind::Image,
        Kind::Gif,
        Kind::Video,
        Kind::Document,
        Kind::Thread,
    ],
    formats: &[],
    options: draft::OPTIONS,
    paces: &[
        // "chat.postMessage … generally allows posting one message per second per channel, while
        // also maintaining a workspace-wide limit".
        Pace {
            name: "messages",
            scope: PaceScope::Account,
            counts: PaceCounts::Publications,
            calls_max: 1,
            window: Window::Rolling(Duration::from_secs(1)),
        },
        // Tier 3, which most of what we call is in.
        Pace {
            name: "requests",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 50,
            window: Window::Rolling(Duration::from_secs(60)),
        },
    ],
    access: "Free, without review: an app of your own in your workspace, or a webhook of it.",
    guide: include_str!("../../guides/slack.md"),
};

/// One grant of the bot stands for all channels, so nothing ends it in passing. An app may take
/// PKCE, but only if it was switched on (`pkce_not_allowed`).
const OF_APPS: OAuth = OAuth {
    name: OAUTH,
    app: "slack",
    authorize: Place { endpoint: WEB, path: "/oauth/v2/authorize" },
    token: Place { endpoint: API, path: "/oauth.v2.access" },
    revoke: None,
    scopes: &[
        "chat:write",
        "chat:write.public",
        "channels:read",
        "groups:read",
        "channels:history",
        "groups:history",
        "files:read",
        "files:write",
    ],
    client: ClientKind::Configured,
    client_parameter: "client_id",
    authentication: ClientAuthentication::Basic,
    proof: Proof::StateOnly,
    separator: ScopeSeparator::Comma,
    required: &["chat:write", "channels:read"],
    // Only if rotation is switched on in the app, which cannot be undone; else no token ends.
    refresh: RefreshModel::Rotating,
    first: FirstToken::Lasting,
    targets: Targets::Several,
};

const GB: u64 = 1_000_000_000;

/// "Keep `text` … to 4,000 characters", files of up to 1 GB. Neither how many files go together nor
/// how long a file's description may be is on a page (unconfirmed).
const LIMITS: Limits = Limits {
    text: TextLimit { max: 4_000, unit: TextUnit::Chars },
    media_max: Some(10),
    images_max: 10,
    image_bytes_max: GB,
    image_formats: &["image/png", "image/jpeg", "image/webp"],
    gif_bytes_max: GB,
    videos_max: 10,
    video_bytes_max: GB,
    video_formats: &["video/mp4", "video/webm", "video/quicktime"],
    documents_max: 10,
    document_bytes_max: GB,
    document_formats: &[
        "application/pdf",
        "application/msword",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 1_000,
    parts_max: 25,
    mixing: Mixing::Allowed,
    ..Limits::NONE
};
