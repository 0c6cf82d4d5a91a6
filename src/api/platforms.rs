//! The platforms of this build, and what each allows.

mod limits;

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::platform::{
        self, ClientKind, Login, OptionRule, OptionValue, PaceCounts, PaceScope, Profile, Wanted,
    },
    engine,
};

use self::limits::LimitsView;
use super::{Answered, Api, caller::By, paging::Piece};

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
    /// How a person usually connects an account, as in `logins`.
    #[schema(value_type = String, example = "oauth_any_server")]
    login: &'static str,
    /// Every way to connect an account, the usual one first.
    logins: Vec<LoginView>,
    /// The address to enter as the redirect where an app is made; absent if there is no OAuth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://posts.example.org/oauth/mastodon/callback")]
    callback_url: Option<String>,
    /// Absent where requests name no version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<VersionView>,
    /// What the platform gives only to reviewed apps, or where it costs money.
    #[schema(value_type = String)]
    access: &'static str,
    /// `text`, `link`, `image`, `gif`, `video`, `carousel`, `document`, `reel`, `story`, `poll`,
    /// `thread`, `comment`, `quote`, `repost`.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<&'static str>,
    limits: LimitsView,
    /// Other shapes of post, chosen by the option `format`.
    formats: Vec<FormatView>,
    /// What `content.options` may hold.
    options: Vec<OptionView>,
    paces: Vec<PaceView>,
    /// Base URLs that `[platforms.<name>.endpoints]` may replace.
    endpoints: Vec<EndpointView>,
}

/// A way to connect an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Login)]
pub struct LoginView {
    /// What `login` is when an account is connected; empty where there is only one way.
    #[schema(value_type = String)]
    name: &'static str,
    /// `oauth`, `oauth_any_server` (names a server and nothing has to be registered before) or
    /// `pasted` (an identifier and a secret).
    #[schema(value_type = String)]
    kind: &'static str,
    /// What `identifier` is, where something is pasted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "a handle")]
    identifier: Option<&'static str>,
    /// What `password` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "an app password")]
    secret: Option<&'static str>,
}

/// The version of the platform's API that requests name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiVersion)]
pub struct VersionView {
    #[schema(example = "v26.0")]
    used: String,
    /// The day on which it dies, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    ends: Option<&'static str>,
}

/// A shape of post with limits of its own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Format)]
pub struct FormatView {
    /// The value of the option `format`.
    #[schema(value_type = String, example = "story")]
    name: &'static str,
    #[schema(value_type = Vec<String>)]
    kinds: Vec<&'static str>,
    limits: LimitsView,
}

/// Something that a post may say beyond text and files. Values are always text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostOption)]
pub struct OptionView {
    #[schema(value_type = String, example = "visibility")]
    name: &'static str,
    /// One sentence.
    #[schema(value_type = String)]
    about: &'static str,
    #[serde(flatten)]
    value: OptionKind,
}

/// What an option's value has to be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = OptionKind)]
pub enum OptionKind {
    OneOf {
        #[schema(value_type = Vec<String>)]
        values: &'static [&'static str],
    },
    Text {
        chars_max: u32,
    },
    /// One item a line.
    Lines {
        items_min: u32,
        items_max: u32,
        /// Of each item.
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

/// At most so many calls in such a window.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pace)]
pub struct PaceView {
    #[schema(value_type = String)]
    name: &'static str,
    /// `account`, or `app`: shared by all accounts of the same app.
    #[schema(value_type = String)]
    scope: &'static str,
    /// `requests`, `publications`, or `units` that the platform charges by kind of request.
    #[schema(value_type = String)]
    counts: &'static str,
    calls_max: u32,
    window_seconds: u64,
    /// The zone whose midnight makes the budget whole again; absent where any stretch counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "America/Los_Angeles")]
    day_in: Option<&'static str>,
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

impl PlatformView {
    fn of(
        profile: &'static Profile,
        public_url: &str,
        versions: &BTreeMap<String, String>,
    ) -> PlatformView {
        let has_oauth = profile.logins.iter().any(|login| matches!(login, Login::OAuth(_)));
        PlatformView {
            platform: profile.platform,
            name: profile.name,
            login: profile.logins.first().map_or("", kind_of_login),
            logins: profile.logins.iter().map(LoginView::from).collect(),
            callback_url: has_oauth.then(|| engine::callback_url(public_url, profile.platform)),
            version: VersionView::of(profile, versions),
            access: profile.access,
            kinds: profile.kinds.iter().map(|kind| kind.name()).collect(),
            limits: LimitsView::from(&profile.limits),
            formats: profile.formats.iter().map(FormatView::from).collect(),
            options: profile.options.iter().map(OptionView::from).collect(),
            paces: profile.paces.iter().map(PaceView::from).collect(),
            endpoints: profile.endpoints.iter().map(EndpointView::from).collect(),
        }
    }
}

fn kind_of_login(login: &Login) -> &'static str {
    match login {
        Login::OAuth(oauth) => match oauth.client {
            ClientKind::Configured => "oauth",
            ClientKind::Dynamic => "oauth_any_server",
        },
        Login::Pasted(_) => "pasted",
    }
}

impl From<&'static Login> for LoginView {
    fn from(login: &'static Login) -> LoginView {
        let what = |wanted: Wanted| match wanted {
            Wanted::Required(what) | Wanted::Optional(what) | Wanted::Made { what, .. } => {
                Some(what)
            }
            Wanted::Nothing => None,
        };
        let (identifier, secret) = match login {
            Login::Pasted(pasted) => (what(pasted.identifier), what(pasted.secret)),
            Login::OAuth(_) => (None, None),
        };
        LoginView { name: login.name(), kind: kind_of_login(login), identifier, secret }
    }
}

impl VersionView {
    fn of(profile: &'static Profile, versions: &BTreeMap<String, String>) -> Option<VersionView> {
        let known = profile.version.as_ref()?;
        let used = engine::api_version(profile, versions);
        let ends = known.ends.iter().find(|(version, _)| *version == used);
        Some(VersionView { ends: ends.map(|(_, day)| *day), used })
    }
}

impl From<&'static platform::Format> for FormatView {
    fn from(format: &'static platform::Format) -> FormatView {
        FormatView {
            name: format.name,
            kinds: format.kinds.iter().map(|kind| kind.name()).collect(),
            limits: LimitsView::from(&format.limits),
        }
    }
}

impl From<&'static OptionRule> for OptionView {
    fn from(rule: &'static OptionRule) -> OptionView {
        let value = match rule.value {
            OptionValue::OneOf(values) => OptionKind::OneOf { values },
            OptionValue::Text { chars_max } => OptionKind::Text { chars_max },
            OptionValue::Lines { items_min, items_max, chars_max } => {
                OptionKind::Lines { items_min, items_max, chars_max }
            }
            OptionValue::Number { min, max } => OptionKind::Number { min, max },
            OptionValue::Url => OptionKind::Url,
            OptionValue::Flag => OptionKind::Flag,
        };
        OptionView { name: rule.name, about: rule.about, value }
    }
}

impl From<&'static platform::Endpoint> for EndpointView {
    fn from(endpoint: &'static platform::Endpoint) -> EndpointView {
        EndpointView { name: endpoint.name, default: endpoint.default }
    }
}

impl From<&platform::Pace> for PaceView {
    fn from(pace: &platform::Pace) -> PaceView {
        PaceView {
            name: pace.name,
            scope: match pace.scope {
                PaceScope::Account => "account",
                PaceScope::App => "app",
            },
            counts: match pace.counts {
                PaceCounts::Requests => "requests",
                PaceCounts::Publications => "publications",
                PaceCounts::Units => "units",
            },
            calls_max: pace.calls_max,
            window_seconds: pace.window.length().as_secs(),
            day_in: match pace.window {
                platform::Window::Rolling(_) => None,
                platform::Window::Day(zone) => Some(zone),
            },
        }
    }
}

/// Every platform of this build, as the API and the command line show them. `versions`: what the
/// settings name instead of a platform's default.
pub fn all(public_url: &str, versions: &BTreeMap<String, String>) -> Vec<PlatformView> {
    let all = engine::platforms().into_iter();
    all.map(|profile| PlatformView::of(profile, public_url, versions)).collect()
}

/// List platforms
///
/// What this build can publish to, and what each platform allows.
#[utoipa::path(get, path = "/platforms", tag = "platforms",
    responses((status = 200, body = Piece<PlatformView>)))]
async fn list(_by: By, State(api): State<Api>) -> Answered<Piece<PlatformView>> {
    let items = all(api.engine.public_url(), api.engine.versions());
    Ok(Json(Piece { items, next: None }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::platform::{
        ApiVersion, Format, Kind, Lengths, Limits, Loss, Pasted, Ratios, TextLimit, TextUnit,
    };

    const LIMITS: Limits = Limits {
        text: TextLimit { max: 2_200, unit: TextUnit::Utf16 },
        hashtags_max: Some(30),
        media_min: 1,
        media_max: Some(10),
        images_max: 10,
        image_bytes_max: 8_000_000,
        image_formats: &["image/jpeg"],
        image_ratio: Some(Ratios { min: 800, max: 1_910 }),
        video_length: Some(Lengths {
            min: std::time::Duration::from_secs(3),
            max: std::time::Duration::from_secs(900),
        }),
        comment: Some(TextLimit { max: 300, unit: TextUnit::Chars }),
        parts_max: 2,
        ..Limits::NONE
    };

    static PROFILE: Profile = Profile {
        platform: "invented",
        name: "Invented",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("a handle"),
            secret: Wanted::Required("an app password"),
        })],
        endpoints: &[],
        version: Some(ApiVersion {
            default: "v26.0",
            ends: &[("v25.0", "2028-07-29")],
            alarm_days: 90,
        }),
        limits: LIMITS,
        kinds: &[Kind::Image, Kind::Comment],
        formats: &[Format { name: "story", limits: Limits::NONE, kinds: &[Kind::Story] }],
        options: &[
            OptionRule {
                name: "format",
                value: OptionValue::OneOf(&["story"]),
                loss: Loss::Harmless,
                about: "Which shape it has.",
            },
            OptionRule {
                name: "poll",
                value: OptionValue::Lines { items_min: 2, items_max: 4, chars_max: 25 },
                loss: Loss::Harmless,
                about: "The choices.",
            },
        ],
        paces: &[],
        access: "",
        guide: "",
    };

    #[test]
    fn everything_that_is_limited_is_shown_and_nothing_else() {
        let versions = BTreeMap::from([("invented".to_owned(), "v25.0".to_owned())]);
        let shown = serde_json::to_value(PlatformView::of(&PROFILE, "https://a.b", &versions));
        let shown = shown.unwrap();
        assert_eq!(
            shown["logins"],
            json!([{
                "name": "", "kind": "pasted", "identifier": "a handle", "secret": "an app password",
            }])
        );
        assert_eq!(shown["version"], json!({ "used": "v25.0", "ends": "2028-07-29" }));
        assert_eq!(
            shown["options"],
            json!([
                {
                    "name": "format", "kind": "one_of", "values": ["story"],
                    "about": "Which shape it has.",
                },
                {
                    "name": "poll", "kind": "lines", "items_min": 2, "items_max": 4,
                    "chars_max": 25, "about": "The choices.",
                },
            ])
        );
        assert_eq!(shown["formats"][0]["kinds"], json!(["story"]));
        assert!(shown.get("callback_url").is_none(), "nobody is sent back without OAuth");
        assert_eq!(
            shown["limits"],
            json!({
                "text_max": 2_200, "text_unit": "utf16", "hashtags_max": 30, "media_min": 1,
                "media_max": 10, "images_max": 10, "image_bytes_max": 8_000_000,
                "image_formats": ["image/jpeg"], "image_ratio": { "min": 0.8, "max": 1.91 },
                "gif_bytes_max": 0, "videos_max": 0, "video_bytes_max": 0, "video_formats": [],
                "video_length": { "seconds_min": 3.0, "seconds_max": 900.0 },
                "documents_max": 0, "document_bytes_max": 0, "document_formats": [],
                "alt_chars_max": 0, "parts_max": 2,
                "comment": { "max": 300, "unit": "characters" },
                "mixing_allowed": false, "intake": "bytes",
            })
        );
    }

    #[test]
    fn a_version_that_nobody_set_is_the_default() {
        let shown = VersionView::of(&PROFILE, &BTreeMap::new()).unwrap();
        assert_eq!((shown.used.as_str(), shown.ends), ("v26.0", None));
    }
}
