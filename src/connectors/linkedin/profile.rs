//! LinkedIn as data: how accounts sign in, and what a post may hold.

use std::time::Duration;

use super::{API, MEMBER, ORGANIZATION, WEB, post};
use crate::domain::platform::{
    ApiVersion, ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Lengths, Limits,
    Login, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof, Ratios, RefreshModel,
    ScopeSeparator, Targets, TextLimit, TextUnit, Window,
};

pub(super) const PROFILE: Profile = Profile {
    platform: "linkedin",
    name: "LinkedIn",
    logins: &[Login::OAuth(OF_MEMBERS), Login::OAuth(OF_ORGANIZATIONS)],
    endpoints: &[
        Endpoint { name: API, default: Some("https://api.linkedin.com") },
        Endpoint { name: WEB, default: Some("https://www.linkedin.com") },
    ],
    version: Some(ApiVersion { default: "202609", ends: SUNSETS, alarm_days: 60 }),
    limits: LIMITS,
    kinds: &[
        Kind::Text,
        Kind::Link,
        Kind::Image,
        Kind::Gif,
        Kind::Video,
        Kind::Document,
        Kind::Poll,
        Kind::Comment,
        Kind::Quote,
    ],
    formats: &[],
    options: post::OPTIONS,
    paces: PACES,
    access: "Posting as a member needs no review; posting as an organization, and comments, need \
             LinkedIn's Community Management API, which it gives to registered companies only.",
    guide: include_str!("../../guides/linkedin.md"),
};

/// The products "Sign In with LinkedIn using OpenID Connect" and "Share on LinkedIn".
const OF_MEMBERS: OAuth = OAuth {
    name: MEMBER,
    app: "linkedin",
    authorize: Place { endpoint: WEB, path: "/oauth/v2/authorization" },
    token: Place { endpoint: WEB, path: "/oauth/v2/accessToken" },
    revoke: Some(Place { endpoint: WEB, path: "/oauth/v2/revoke" }),
    scopes: &["openid", "profile", "w_member_social"],
    client: ClientKind::Configured,
    client_parameter: "client_id",
    authentication: ClientAuthentication::Body,
    proof: Proof::StateOnly,
    separator: ScopeSeparator::Space,
    required: &["openid", "profile", "w_member_social"],
    refresh: RefreshModel::Static,
    first: FirstToken::Lasting,
    targets: Targets::One,
};

/// "Community Management API", which has to be the only product of its app. A scope that the app
/// does not have makes LinkedIn refuse the whole sign-in, so only what is used is asked for.
const OF_ORGANIZATIONS: OAuth = OAuth {
    name: ORGANIZATION,
    app: "linkedin_organization",
    // One token of a person stands for all organizations: nothing ends it in passing.
    revoke: None,
    scopes: &[
        "rw_organization_admin",
        "r_organization_social",
        "w_organization_social",
        "r_organization_social_feed",
        "w_organization_social_feed",
    ],
    required: &["rw_organization_admin", "w_organization_social"],
    targets: Targets::Several,
    ..OF_MEMBERS
};

/// Each version lives for a year at least (learn.microsoft.com, LinkedIn marketing, versioning and
/// migrations, as of 2026-09-16). There was no 202512.
const SUNSETS: &[(&str, &str)] = &[
    ("202511", "2026-11-16"),
    ("202601", "2027-01-15"),
    ("202602", "2027-02-15"),
    ("202603", "2027-03-16"),
    ("202604", "2027-04-15"),
    ("202605", "2027-05-15"),
    ("202606", "2027-06-15"),
    ("202607", "2027-07-15"),
];

const MB: u64 = 1_000_000;

/// posts-api, images-api, videos-api and documents-api, as of 2026-09-16. The pages say nothing of
/// an image's bytes, a comment's length or a description's; those are what others found.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 3_000, unit: TextUnit::LittleText },
    hashtags_advised: Some(5),
    images_max: 20,
    image_bytes_max: 5 * MB,
    image_formats: &["image/jpeg", "image/png"],
    // "Fewer than 36,152,320 pixels".
    image_pixels_max: Some(36_152_319),
    gif_bytes_max: 5 * MB,
    videos_max: 1,
    video_bytes_max: 500 * MB,
    video_formats: &["video/mp4"],
    // 1:2.4 to 2.4:1.
    video_ratio: Some(Ratios { min: 416, max: 2_400 }),
    video_length: Some(Lengths { min: Duration::from_secs(3), max: Duration::from_secs(30 * 60) }),
    documents_max: 1,
    document_bytes_max: 100 * MB,
    document_formats: &[
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 4_086,
    parts_max: 2,
    comment: Some(TextLimit { max: 1_250, unit: TextUnit::Chars }),
    ..Limits::NONE
};

/// "Share on LinkedIn", as of 2026-09-16: 150 calls a day for a member, 100,000 for an app. A post
/// takes more of them the more files it has, and the pieces of a film go elsewhere and do not
/// count. It is one call at least, so these can never be exceeded; of the rest LinkedIn tells.
const PACES: &[Pace] = &[
    Pace {
        name: "posts",
        scope: PaceScope::Account,
        counts: PaceCounts::Publications,
        calls_max: 150,
        window: Window::Rolling(DAY),
    },
    Pace {
        name: "posts_of_app",
        scope: PaceScope::App,
        counts: PaceCounts::Publications,
        calls_max: 100_000,
        window: Window::Rolling(DAY),
    },
];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
