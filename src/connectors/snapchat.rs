//! Snapchat. Announce the file with a key, send it encrypted in parts, say that it is whole; then
//! post it as a story or a Spotlight.
//!
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/ProfileAssetManagement> and
//! <https://developers.snap.com/api/marketing-api/Public-Profile-API/GetStarted>, as of 2026-03.
//!
//! A story has no id, and no page that we trust lists stories or Spotlights, so a post whose answer
//! was lost is a person's to look for. Its file can be posted once at a time, which Snapchat says
//! if it is told twice at once; what it says later, no page tells.

mod draft;
mod errand;
mod media;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{draft::SPOTLIGHT, media::Upload};
use crate::{
    connectors::{
        Body, Connector, Draft, Finding, Job, Next, Progress, Repeat, Reply, Request, Sighting,
        Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FORMAT, FirstToken, Login, OAuth, Pace,
            PaceCounts, PaceScope, Place, Profile, Proof, RefreshModel, ScopeSeparator, Targets,
            Window,
        },
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::errand::Errand;

pub struct Snapchat;

/// `Announce → Add+ → Finalize → Publish+`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Announce,
    /// `part`: the first is 0.
    Add {
        upload: Upload,
        part: u64,
    },
    Finalize {
        upload: Upload,
    },
    /// `waits`: how often the file was still being processed.
    Publish {
        media: String,
        waits: u32,
    },
}

const API: &str = "api";
const SITE: &str = "site";
const WEB: &str = "web";

/// Before the id of the file of a post that has no id of its own.
const NAMELESS: &str = "media:";

/// Ten minutes or so, with the waits of [`pause`]: more is a file that is never done.
const WAITS_MAX: u32 = 15;

impl Connector for Snapchat {
    const PROFILE: Profile = Profile {
        platform: "snapchat",
        name: "Snapchat",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "snapchat",
            authorize: Place { endpoint: WEB, path: "/login/oauth2/authorize" },
            token: Place { endpoint: WEB, path: "/login/oauth2/access_token" },
            // No page that we trust names a place for it.
            revoke: None,
            scopes: &["snapchat-profile-api"],
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Body,
            proof: Proof::StateOnly,
            separator: ScopeSeparator::Space,
            required: &["snapchat-profile-api"],
            refresh: RefreshModel::Rotating,
            first: FirstToken::Lasting,
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://businessapi.snapchat.com") },
            Endpoint { name: WEB, default: Some("https://accounts.snapchat.com") },
            Endpoint { name: SITE, default: Some("https://www.snapchat.com") },
        ],
        version: None,
        limits: draft::STORY_LIMITS,
        kinds: draft::STORY_KINDS,
        formats: draft::FORMATS,
        options: draft::OPTIONS,
        paces: PACES,
        access: "Snap opens its Public Profile API to each OAuth app by hand, on request; all \
                 other apps are refused with AUTHORIZATION_PERMISSION_DENIED.",
        guide: include_str!("../guides/snapchat.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_: &Job) -> Step {
        Step::Announce
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Announce => media::announce(job),
            Step::Add { upload, part } => upload.add(*part, job),
            Step::Finalize { upload } => upload.finalize(job),
            Step::Publish { media, .. } => publish(media, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match refusal::of_reply(reply) {
            None => step.after(job, reply),
            Some(refusal) => step.after_refusal(refusal, job, reply),
        }
    }

    fn probe(_: &Step, _: &Job) -> Option<Request> {
        None
    }

    fn recognise(_: Step, _: &Job, _: &Reply) -> Sighting<Step> {
        Sighting::Unsure("Snapchat offers no way to look for a post".to_owned())
    }

    fn live(step: &Step, _: &Job) -> Vec<Live> {
        match step {
            Step::Announce | Step::Add { .. } | Step::Finalize { .. } | Step::Publish { .. } => {
                Vec::new()
            }
        }
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        draft::check(draft)
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

/// Nothing is published about limits; this is ten calls a second.
const PACES: &[Pace] = &[Pace {
    name: "requests",
    scope: PaceScope::Account,
    counts: PaceCounts::Requests,
    calls_max: 600,
    window: Window::Rolling(Duration::from_secs(60)),
}];

impl Step {
    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Announce => {
                Ok(Next::Go(Step::Add { upload: Upload::read(job, reply)?, part: 0 }))
            }
            Step::Add { upload, part } => Ok(Next::Go(match upload.is_last(part, job) {
                true => Step::Finalize { upload },
                false => Step::Add { upload, part: part + 1 },
            })),
            Step::Finalize { upload } => {
                Ok(Next::Go(Step::Publish { media: upload.media, waits: 0 }))
            }
            Step::Publish { media, .. } => Ok(Next::Done(vec![match is_spotlight(job) {
                true => {
                    let id = reply.text("/spotlight_id")?;
                    let url = job.site.url(SITE, &format!("/spotlight/{id}"));
                    Live { id, url }
                }
                false => nameless(&media, job),
            }])),
        }
    }

    fn after_refusal(
        self,
        refusal: Refusal,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        match (self, refusal.code.as_str()) {
            // Nothing was posted yet.
            (Step::Publish { media, waits }, refusal::PROCESSING) if waits < WAITS_MAX => {
                Ok(Next::Wait(pause(waits), Step::Publish { media, waits: waits + 1 }))
            }
            // It was accepted before, which only we can have asked for.
            (Step::Publish { media, .. }, refusal::POSTING) => {
                Ok(Next::Done(vec![nameless(&media, job)]))
            }
            // What was announced is kept for a day.
            (Step::Add { .. } | Step::Finalize { .. }, _) if reply.status == 404 => {
                Err(Refusal { kind: RefusalKind::Media, ..refusal })
            }
            (
                Step::Announce | Step::Add { .. } | Step::Finalize { .. } | Step::Publish { .. },
                _,
            ) => Err(refusal),
        }
    }
}

fn is_spotlight(job: &Job) -> bool {
    job.option(FORMAT) == SPOTLIGHT
}

fn pause(waits: u32) -> Duration {
    Duration::from_secs(match waits {
        0..3 => 5,
        3..6 => 20,
        6.. => 60,
    })
}

fn publish(media: &str, job: &Job) -> Request {
    let (path, mut body) = match is_spotlight(job) {
        true => ("spotlights", json!({ "media_id": media, "locale": draft::locale(job) })),
        false => ("stories", json!({ "media_id": media })),
    };
    let text = &job.parts[0].text;
    if is_spotlight(job) && !text.is_empty() {
        body["description"] = json!(text);
    }
    Request::post(media::of_profile(path, job), Body::Json(body), Repeat::Duplicates)
}

/// A story has neither id nor address.
fn nameless(media: &str, job: &Job) -> Live {
    Live {
        id: format!("{NAMELESS}{media}"),
        url: job.site.url(SITE, &format!("/add/{}", job.author.handle)),
    }
}
