//! Google Business Profile. Create one local post, for which Google fetches the image from us; then
//! wait until Google has looked at it.
//!
//! <https://developers.google.com/my-business/reference/rest/v4/accounts.locations.localPosts>,
//! <https://developers.google.com/my-business/content/posts-data> and
//! <https://developers.google.com/my-business/content/limits>, all as of 2026.
//!
//! Google has no key that would keep a post single. One whose answer never came is looked for among
//! the location's own.

mod check;
mod discovery;
mod errand;
mod listing;
mod post;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::post::State;
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Format, Intake, Kind, Limits,
            Login, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof, RefreshModel,
            ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::Refusal,
    },
};

pub use self::errand::Errand;

pub struct GoogleBusiness;

/// - `Publish → Watch*`;
/// - `Watch → Spoilt`: the post was taken, and could not be kept after all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Publish,
    /// `name`: of the post, as Google has it.
    Watch {
        name: String,
        polls: u32,
    },
    Spoilt {
        name: String,
        polls: u32,
    },
}

/// Posts. Accounts, locations and what state they are in live on hosts of their own.
const API: &str = "api";
const MANAGEMENT: &str = "management";
const INFORMATION: &str = "information";
const VERIFICATIONS: &str = "verifications";
const TOKEN: &str = "token";
const ACCOUNTS: &str = "accounts";
const WEB: &str = "web";

/// The trait that says in which language a location is kept.
const LANGUAGE: &str = "language";

const SCOPE: &str = "https://www.googleapis.com/auth/business.manage";

impl Connector for GoogleBusiness {
    const PROFILE: Profile = Profile {
        platform: "googlebusiness",
        name: "Google Business Profile",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "googlebusiness",
            authorize: Place {
                endpoint: ACCOUNTS,
                path: "/o/oauth2/v2/auth?access_type=offline&prompt=consent",
            },
            token: Place { endpoint: TOKEN, path: "/token" },
            revoke: Some(Place { endpoint: TOKEN, path: "/revoke" }),
            scopes: &[SCOPE],
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Body,
            proof: Proof::Pkce,
            separator: ScopeSeparator::Space,
            required: &[SCOPE],
            refresh: RefreshModel::Static,
            first: FirstToken::Lasting,
            targets: Targets::Several,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://mybusiness.googleapis.com") },
            Endpoint {
                name: MANAGEMENT,
                default: Some("https://mybusinessaccountmanagement.googleapis.com"),
            },
            Endpoint {
                name: INFORMATION,
                default: Some("https://mybusinessbusinessinformation.googleapis.com"),
            },
            Endpoint {
                name: VERIFICATIONS,
                default: Some("https://mybusinessverifications.googleapis.com"),
            },
            Endpoint { name: TOKEN, default: Some("https://oauth2.googleapis.com") },
            Endpoint { name: ACCOUNTS, default: Some("https://accounts.google.com") },
            Endpoint { name: WEB, default: Some("https://business.google.com") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Text, Kind::Image, Kind::Event, Kind::Offer],
        formats: &[
            Format {
                name: check::EVENT,
                limits: LIMITS,
                kinds: &[Kind::Text, Kind::Image, Kind::Event],
            },
            Format {
                name: check::OFFER,
                limits: LIMITS,
                kinds: &[Kind::Text, Kind::Image, Kind::Offer],
            },
        ],
        options: check::OPTIONS,
        paces: PACES,
        access: "Google gives the API only to approved Cloud projects, on request, to whoever has \
                 kept a verified profile for 60 days; before that every call is refused.",
        guide: include_str!("../guides/googlebusiness.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_job: &Job) -> Step {
        Step::Publish
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Publish => post::creation(job),
            Step::Watch { name, .. } | Step::Spoilt { name, .. } => post::read(name, &job.site),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match step {
            Step::Publish => {
                if !reply.is_success() {
                    return Err(refusal::of_reply(reply));
                }
                let name = reply.text("/name")?;
                match State::read(reply) {
                    State::Rejected => Err(post::rejected()),
                    State::Live | State::Processing => Ok(Step::after_look(name, 0, job, reply)),
                }
            }
            Step::Watch { name, polls } => Step::after_watch(name, polls, job, reply),
            Step::Spoilt { name, polls } => match (reply.is_success(), State::read(reply)) {
                (true, State::Rejected) => Err(post::rejected()),
                (true, State::Live | State::Processing) => {
                    Ok(Step::after_look(name, polls, job, reply))
                }
                (false, _) => Err(refusal::of_reply(reply)),
            },
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish => Some(listing::look(job)),
            Step::Watch { .. } | Step::Spoilt { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Publish => listing::search(job, reply),
            Step::Watch { .. } | Step::Spoilt { .. } => {
                Sighting::Unsure("a look leaves nothing to look for".to_owned())
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Watch { name, .. } => vec![post::live(name, job, None)],
            Step::Publish | Step::Spoilt { .. } => Vec::new(),
        }
    }

    fn is_undecided(step: &Step) -> bool {
        matches!(step, Step::Watch { .. })
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        check::check(draft)
    }

    fn errand(task: &Task, _site: &Site) -> Option<Errand> {
        errand::begin(task)
    }

    fn errand_request(errand: &Errand, site: &Site) -> Request {
        errand::request(errand, site)
    }

    fn errand_accept(
        errand: Errand,
        site: &Site,
        reply: &Reply,
    ) -> Result<Progress<Errand>, Refusal> {
        errand::accept(errand, site, reply)
    }
}

/// 1,500 characters is what Google's own pages take, and every publisher; the reference names no
/// number. Images: JPG or PNG of 10 KB to 5 MB (support.google.com/business/answer/6103862, as of
/// 2026). One of them: the field is a list, but more than one is nowhere shown to work.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 1_500, unit: TextUnit::Chars },
    images_max: 1,
    image_bytes_max: 5 * 1024 * 1024,
    image_formats: &["image/jpeg", "image/png"],
    alt_chars_max: 1_500,
    intake: Intake::ImagesByUrl,
    ..Limits::NONE
};

const MINUTE: Duration = Duration::from_secs(60);

/// "10 edits per minute per individual Google Business Profile … cannot be increased", "300 QPM"
/// (content/limits, as of 2026).
const PACES: &[Pace] = &[
    Pace {
        name: "edits",
        scope: PaceScope::Account,
        counts: PaceCounts::Publications,
        calls_max: 10,
        window: Window::Rolling(MINUTE),
    },
    Pace {
        name: "requests_of_app",
        scope: PaceScope::App,
        counts: PaceCounts::Requests,
        calls_max: 300,
        window: Window::Rolling(MINUTE),
    },
];

/// Two minutes of ten seconds, then half an hour of minutes.
const POLLS_MAX: u32 = 42;

/// A post may be unknown for a moment after it was created.
const UNKNOWN_MAX: u32 = 3;

fn pause(polls: u32) -> Duration {
    Duration::from_secs(if polls < 12 { 10 } else { 60 })
}

impl Step {
    fn after_look(name: String, polls: u32, job: &Job, reply: &Reply) -> Next<Step> {
        match State::read(reply) {
            State::Live => Next::Done(vec![post::live(&name, job, Some(reply))]),
            // Google may take hours over it, and rejects few.
            State::Processing if polls >= POLLS_MAX => {
                Next::Done(vec![post::live(&name, job, Some(reply))])
            }
            State::Processing => Next::Wait(pause(polls), Step::Watch { name, polls: polls + 1 }),
            State::Rejected => Next::Go(Step::Spoilt { name, polls }),
        }
    }

    fn after_watch(
        name: String,
        polls: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        if reply.is_success() {
            return Ok(Step::after_look(name, polls, job, reply));
        }
        match reply.status {
            404 if polls < UNKNOWN_MAX => {
                Ok(Next::Wait(pause(polls), Step::Watch { name, polls: polls + 1 }))
            }
            404 => Ok(Next::Go(Step::Spoilt { name, polls })),
            _ => Err(refusal::of_reply(reply)),
        }
    }
}
