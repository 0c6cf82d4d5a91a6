//! YouTube. Upload the film as a private video, wait until it is processed, set its picture; at its
//! time put it into a playlist and make it public; then comment below it.
//!
//! <https://developers.google.com/youtube/v3/guides/using_resumable_upload_protocol>,
//! <https://developers.google.com/youtube/v3/docs/videos>,
//! <https://developers.google.com/youtube/v3/determine_quota_cost>, all as of 2026-09, and the
//! discovery document of revision 20261104.
//!
//! Nothing that an upload leaves can be seen by anybody but the channel, so all of it is done ahead
//! and may be done twice. What readers see comes about by one small request that makes the video
//! public, and making it public twice is making it public once: a video cannot appear twice.
//!
//! Never: `publishAt`. A video that YouTube itself publishes would appear although its post was
//! cancelled, changed or paused in the last minutes.

mod check;
mod comment;
mod errand;
mod playlist;
mod refusal;
mod upload;
mod video;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    connectors::{
        Connector, Draft, Finding, Job, JobMedia, Next, Progress, Reply, Request, Sighting, Site,
        Task,
    },
    domain::{
        delivery::Live,
        media::MediaKind,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Lengths, Limits, Login,
            Mixing, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof, RefreshModel,
            ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::Refusal,
    },
};

pub use self::{errand::Errand, upload::Upload};

pub struct YouTube;

/// - `Open → Send+ → Process* → Picture? → Collect? → Release → Comment?`;
/// - `Send → Ask → Send`, when YouTube did not go on where we did;
/// - `Send | Ask → Search* → Process`, when the session is gone and the video is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Open,
    Send {
        upload: Upload,
        from: u64,
    },
    Ask {
        upload: Upload,
    },
    Search {
        upload: Upload,
        looks: u32,
    },
    Process {
        video: String,
        polls: u32,
    },
    Picture {
        video: String,
    },
    /// Into a playlist.
    Collect {
        video: String,
    },
    Release {
        video: String,
    },
    Comment {
        video: String,
    },
}

const API: &str = "api";
const TOKEN: &str = "token";
const ACCOUNTS: &str = "accounts";
const WEB: &str = "web";

/// The trait that names the playlist of all that the channel has uploaded.
const UPLOADS: &str = "uploads";

/// What a write costs of the day's units; a read costs 1 (determine_quota_cost, as of 2026-09).
const WRITE_UNITS: u32 = 50;

/// Of all that is used here, only comments need this scope and take no other; it serves for the
/// rest too.
const SCOPE: &str = "https://www.googleapis.com/auth/youtube.force-ssl";

impl Connector for YouTube {
    const PROFILE: Profile = Profile {
        platform: "youtube",
        name: "YouTube",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "youtube",
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
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://www.googleapis.com") },
            Endpoint { name: TOKEN, default: Some("https://oauth2.googleapis.com") },
            Endpoint { name: ACCOUNTS, default: Some("https://accounts.google.com") },
            Endpoint { name: WEB, default: Some("https://www.youtube.com") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Image, Kind::Video, Kind::Comment],
        formats: &[],
        options: check::OPTIONS,
        paces: PACES,
        access: "Until Google has audited your Cloud project, YouTube may keep every video private \
                 that it uploads; Fanfare then says so, and the video is there to be made public \
                 by hand.",
        guide: include_str!("../guides/youtube.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_job: &Job) -> Step {
        Step::Open
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Open => upload::open(job),
            Step::Send { upload, from } => upload::send(upload, *from, job),
            Step::Ask { upload } => upload::ask(upload, job),
            Step::Search { .. } => upload::search(job),
            Step::Process { video, .. } => video::standing(video, &job.site),
            Step::Picture { video } => video::set_picture(video, picture(job), &job.site),
            Step::Collect { video } => playlist::add(video, job),
            Step::Release { video } => video::release(video, job),
            Step::Comment { video } => comment::creation(video, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match step {
            Step::Open => {
                let upload = Upload::read(job, reply)?;
                Ok(Next::Go(Step::Send { upload, from: 0 }))
            }
            Step::Send { upload, from } => upload::after_send(upload, from, job, reply),
            Step::Ask { upload } => upload::after_ask(upload, job, reply),
            Step::Search { upload, looks } => upload::after_search(upload, looks, job, reply),
            Step::Process { video, polls } => Ok(match video::processing(polls, job, reply)? {
                Some(wait) => Next::Wait(wait, Step::Process { video, polls: polls + 1 }),
                None => Next::Go(Step::after_processing(video, job)),
            }),
            Step::Picture { video } => {
                if !reply.is_success() {
                    return Err(refusal::of_addition(reply));
                }
                Ok(Next::Go(Step::after_picture(video, job)))
            }
            Step::Collect { video } => {
                playlist::added(reply)?;
                Ok(Next::Go(Step::Release { video }))
            }
            Step::Release { video } => {
                video::released(&video, job, reply)?;
                Ok(Step::after_release(video, job))
            }
            Step::Comment { video } => {
                let id = comment::created(reply)?;
                Ok(Step::after_comment(&video, &id, job))
            }
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Collect { video } => Some(playlist::look(video, job)),
            Step::Release { video } => Some(video::standing(video, &job.site)),
            Step::Comment { video } => Some(comment::look(video, &job.site)),
            Step::Open
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Search { .. }
            | Step::Process { .. }
            | Step::Picture { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Collect { video } => {
                playlist::sighting(reply).then(|()| Next::Go(Step::Release { video }))
            }
            Step::Release { video } => {
                video::sighting(job, reply).then(|()| Step::after_release(video, job))
            }
            Step::Comment { video } => {
                let look = comment::sighting(job, reply);
                look.then(|id| Step::after_comment(&video, &id, job))
            }
            Step::Open
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Search { .. }
            | Step::Process { .. }
            | Step::Picture { .. } => {
                Sighting::Unsure("an upload leaves nothing that readers see".to_owned())
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Comment { video } => vec![video::live(video, &job.site)],
            Step::Open
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Search { .. }
            | Step::Process { .. }
            | Step::Picture { .. }
            | Step::Collect { .. }
            | Step::Release { .. } => Vec::new(),
        }
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

/// "title … maximum length of 100 characters", "description … maximum length of 5000 bytes"
/// (docs/videos), "256GB or 12 hours" (support.google.com/youtube/answer/71673), "50 MB"
/// (docs/thumbnails/set), all as of 2026-09. An image is the picture of the video beside it.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 5_000, unit: TextUnit::Chars },
    text_bytes_max: Some(5_000),
    media_min: 1,
    media_max: Some(2),
    images_max: 1,
    image_bytes_max: 50 * 1024 * 1024,
    image_formats: &["image/jpeg", "image/png"],
    videos_max: 1,
    video_bytes_max: 256 * 1024 * 1024 * 1024,
    video_formats: &["video/mp4", "video/quicktime", "video/webm", "video/x-matroska"],
    video_length: Some(Lengths {
        min: Duration::from_secs(1),
        max: Duration::from_secs(12 * 60 * 60),
    }),
    alt_chars_max: 1_500,
    parts_max: 2,
    comment: Some(TextLimit { max: 10_000, unit: TextUnit::Chars }),
    mixing: Mixing::Allowed,
    ..Limits::NONE
};

/// "videos.insert … 100 calls per day" in a bucket of its own, "10,000 units per day" for the rest,
/// and "daily quotas reset at midnight Pacific Time" (determine_quota_cost, as of 2026-09).
const PACES: &[Pace] = &[
    pace("uploads_of_app", PaceCounts::Publications, 100),
    pace("units_of_app", PaceCounts::Units, 10_000),
];

const PACIFIC: &str = "America/Los_Angeles";

const fn pace(name: &'static str, counts: PaceCounts, calls_max: u32) -> Pace {
    Pace { name, scope: PaceScope::App, counts, calls_max, window: Window::Day(PACIFIC) }
}

impl Step {
    fn after_processing(video: String, job: &Job) -> Step {
        match picture(job) {
            Some(_) => Step::Picture { video },
            None => Step::after_picture(video, job),
        }
    }

    fn after_picture(video: String, job: &Job) -> Step {
        match job.option(check::PLAYLIST) {
            "" => Step::Release { video },
            _ => Step::Collect { video },
        }
    }

    fn after_release(video: String, job: &Job) -> Next<Step> {
        match job.parts.len() {
            0 | 1 => Next::Done(vec![video::live(&video, &job.site)]),
            _ => Next::Go(Step::Comment { video }),
        }
    }

    fn after_comment(video: &str, id: &str, job: &Job) -> Next<Step> {
        Next::Done(vec![video::live(video, &job.site), comment::live(video, id, &job.site)])
    }
}

/// What a look saw.
enum Look<T> {
    Found(T),
    Absent,
    Unsure(String),
}

impl<T> Look<T> {
    fn then(self, next: impl FnOnce(T) -> Next<Step>) -> Sighting<Step> {
        match self {
            Look::Found(found) => Sighting::Found(next(found)),
            Look::Absent => Sighting::Absent,
            Look::Unsure(reason) => Sighting::Unsure(reason),
        }
    }
}

/// What is uploaded. That there is a video was found out while it was planned.
fn film(job: &Job) -> &JobMedia {
    let files = &job.parts[0].media;
    let film = files.iter().find(|media| media.kind == MediaKind::Video);
    film.or(files.first()).expect("a post on YouTube has a file")
}

/// The image beside the film.
fn picture(job: &Job) -> Option<&JobMedia> {
    let film = film(job).id;
    let is_picture = |media: &&JobMedia| media.kind == MediaKind::Image && media.id != film;
    job.parts[0].media.iter().find(is_picture)
}
