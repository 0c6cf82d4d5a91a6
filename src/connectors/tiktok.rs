//! TikTok. Ask what the account may do now; of a video, begin an upload and send it in pieces, the
//! last of which posts it; of photos, name their addresses, which posts them; then wait until
//! TikTok says what became of it.
//!
//! <https://developers.tiktok.com/doc/content-posting-api-reference-direct-post>,
//! <https://developers.tiktok.com/doc/content-posting-api-reference-photo-post>,
//! <https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide> and
//! <https://developers.tiktok.com/doc/content-sharing-guidelines>, all as of 2026-11-21.
//!
//! A video's upload has an id from the first, by which TikTok tells what became of it, so a lost
//! answer is always found out. Photos have none before they are accepted, and only public posts can
//! be listed; without that, a person has to look.

mod creator;
mod draft;
mod errand;
mod photos;
mod refusal;
mod status;
mod upload;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{creator::Manner, upload::Upload};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Intake, Kind, Lengths, Limits,
            Login, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof, RefreshModel,
            ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::Refusal,
        time::Timestamp,
    },
};

pub use self::errand::Errand;

pub struct TikTok;

/// - `Creator → Start → Send+ → Confirm+`, of a video;
/// - `Creator → Photos → Confirm+`, of photos;
/// - `Send → Ask → Send | Confirm` when it is not clear how much has arrived;
/// - `Ask → Start`, once, when what has arrived ends within a piece: pieces begin where they do;
/// - `Confirm → Spoilt` when it will not be seen after all, or TikTok does not say;
/// - `Spoilt → Confirm` when it may be seen yet;
/// - `Spoilt → Barred → Start | Photos` when that was for a reason that may pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Creator,
    Start {
        manner: Manner,
        /// How often an upload was given up for a new one.
        #[serde(default, skip_serializing_if = "is_none")]
        restarts: u32,
    },
    /// `corrections`: how often TikTok said that it stands elsewhere.
    Send {
        manner: Manner,
        upload: Upload,
        piece: u64,
        corrections: u32,
    },
    Ask {
        manner: Manner,
        upload: Upload,
        piece: u64,
        corrections: u32,
    },
    Photos {
        manner: Manner,
    },
    /// `nameless`: how often it was complete and had no id yet.
    Confirm {
        manner: Manner,
        publish: String,
        polls: u32,
        nameless: u32,
    },
    /// As far as is known, nothing is live.
    Spoilt {
        manner: Manner,
        publish: String,
        polls: u32,
    },
    /// `reason`: as TikTok calls it. Not tried again before `until`.
    Barred {
        reason: String,
        until: Timestamp,
    },
}

const API: &str = "api";
const WEB: &str = "web";

const MINUTE: Duration = Duration::from_secs(60);

impl Connector for TikTok {
    const PROFILE: Profile = Profile {
        platform: "tiktok",
        name: "TikTok",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "tiktok",
            authorize: Place { endpoint: WEB, path: "/v2/auth/authorize/" },
            token: Place { endpoint: API, path: "/v2/oauth/token/" },
            revoke: Some(Place { endpoint: API, path: "/v2/oauth/revoke/" }),
            scopes: &["user.info.basic", "user.info.profile", "video.publish", "video.list"],
            client: ClientKind::Configured,
            client_parameter: "client_key",
            authentication: ClientAuthentication::Body,
            proof: Proof::StateOnly,
            separator: ScopeSeparator::Comma,
            required: &["user.info.basic", "video.publish"],
            refresh: RefreshModel::Rotating,
            first: FirstToken::Lasting,
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://open.tiktokapis.com") },
            Endpoint { name: WEB, default: Some("https://www.tiktok.com") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Image, Kind::Video],
        formats: &[],
        options: draft::OPTIONS,
        paces: PACES,
        access: "Until TikTok has audited your app, it posts only with `privacy` `self`, and only \
                 to accounts that are set to private, five people a day at most.",
        guide: include_str!("../guides/tiktok.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_: &Job) -> Step {
        Step::Creator
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Creator | Step::Barred { .. } => creator::question(&job.site),
            Step::Start { manner, .. } => upload::start(manner, job),
            Step::Send { upload, piece, .. } => upload.send(*piece, job),
            Step::Ask { upload, .. } => status::question(&upload.publish, &job.site),
            Step::Photos { manner } => photos::creation(manner, job),
            Step::Confirm { publish, .. } | Step::Spoilt { publish, .. } => {
                status::question(publish, &job.site)
            }
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        if let Step::Send { manner, upload, piece, corrections } = step {
            return Step::after_piece(manner, upload, piece, corrections, job, reply);
        }
        match refusal::of_reply(reply) {
            None => step.after(job, reply),
            Some(refusal) => step.after_refusal(refusal),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Send { upload, piece, .. } if upload.is_last(*piece, job) => {
                Some(status::question(&upload.publish, &job.site))
            }
            Step::Photos { .. } => Some(photos::look(job)),
            Step::Creator
            | Step::Start { .. }
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Confirm { .. }
            | Step::Spoilt { .. }
            | Step::Barred { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Send { manner, upload, .. } => {
                upload.sighting(job, reply).then(|| Step::confirm(manner, upload.publish.clone()))
            }
            Step::Photos { manner } => photos::recognise(&manner, job, reply),
            Step::Creator
            | Step::Start { .. }
            | Step::Ask { .. }
            | Step::Confirm { .. }
            | Step::Spoilt { .. }
            | Step::Barred { .. } => {
                Sighting::Unsure("this request leaves nothing to look for".to_owned())
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Confirm { manner, publish, .. } => vec![manner.live(None, publish, job)],
            Step::Creator
            | Step::Start { .. }
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Photos { .. }
            | Step::Spoilt { .. }
            | Step::Barred { .. } => Vec::new(),
        }
    }

    fn is_undecided(step: &Step) -> bool {
        matches!(step, Step::Confirm { .. })
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

/// developers.tiktok.com/doc/content-posting-api-media-transfer-guide and the two references, as of
/// 2026-11-21. The text is the caption of a video, of which [`draft::check`] allows less, or the
/// description of photos. Where a page says MB and GB, the smaller meaning is taken.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 4_000, unit: TextUnit::Utf16 },
    media_min: 1,
    images_max: 35,
    image_bytes_max: 20_000_000,
    image_formats: &["image/jpeg", "image/webp"],
    // "picture size: 1080p".
    image_pixels_max: Some(1_920 * 1_080),
    videos_max: 1,
    video_bytes_max: 4_000_000_000,
    video_formats: &["video/mp4", "video/quicktime", "video/webm"],
    video_length: Some(Lengths { min: Duration::from_millis(1), max: Duration::from_secs(600) }),
    // TikTok takes none; see `draft::check`.
    alt_chars_max: 1_000,
    // Films go up as bytes; photos TikTok fetches.
    intake: Intake::ImagesByUrl,
    ..Limits::NONE
};

/// "6 requests per minute per user access_token" to begin a post. Of other calls the budgets are
/// 20, 30 and 600 a minute, each by itself; what is asked for too often is answered with 429. How
/// many posts a day an account may have TikTok tells as they are used up.
const PACES: &[Pace] = &[
    Pace {
        name: "posts",
        scope: PaceScope::Account,
        counts: PaceCounts::Publications,
        calls_max: 6,
        window: Window::Rolling(MINUTE),
    },
    Pace {
        name: "requests",
        scope: PaceScope::Account,
        counts: PaceCounts::Requests,
        calls_max: 600,
        window: Window::Rolling(MINUTE),
    },
];

fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Step {
    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Creator => Ok(Next::Go(Step::after_creator(Manner::read(job, reply)?, job))),
            Step::Start { manner, restarts } => {
                let upload = Upload::read(restarts, job, reply)?;
                Ok(Next::Go(Step::Send { manner, upload, piece: 0, corrections: 0 }))
            }
            Step::Photos { manner } => {
                Ok(Next::Go(Step::confirm(manner, reply.text("/data/publish_id")?)))
            }
            Step::Ask { manner, upload, piece, corrections } => {
                Step::after_answer(manner, upload, piece, corrections, job, reply)
            }
            Step::Confirm { manner, publish, polls, nameless } => {
                Ok(status::after(manner, publish, polls, nameless, job, reply))
            }
            Step::Spoilt { manner, publish, polls } => {
                status::spoilt(manner, publish, polls, job, reply)
            }
            Step::Barred { reason, until } => match status::barred(&reason, until, reply) {
                Some(refusal) => Err(refusal),
                None => Ok(Next::Go(Step::after_creator(Manner::read(job, reply)?, job))),
            },
            Step::Send { .. } => Err(reply.unreadable("answer to a piece")),
        }
    }

    fn after_refusal(self, refusal: Refusal) -> Result<Next<Step>, Refusal> {
        match self {
            // It was accepted, and only what became of it cannot be read. What counts as live would
            // count as published without more ado.
            Step::Confirm { manner, publish, polls, .. }
                if refusal::is_final(&refusal) || refusal.code == refusal::TOKEN =>
            {
                Ok(Next::Go(Step::Spoilt { manner, publish, polls }))
            }
            Step::Spoilt { publish, .. } if refusal::is_final(&refusal) => {
                Err(status::untold(&publish, &refusal.words))
            }
            Step::Creator
            | Step::Start { .. }
            | Step::Send { .. }
            | Step::Ask { .. }
            | Step::Photos { .. }
            | Step::Confirm { .. }
            | Step::Spoilt { .. }
            | Step::Barred { .. } => Err(refusal),
        }
    }

    fn after_creator(manner: Manner, job: &Job) -> Step {
        match upload::is_video(job) {
            true => Step::Start { manner, restarts: 0 },
            false => Step::Photos { manner },
        }
    }

    fn confirm(manner: Manner, publish: String) -> Step {
        Step::Confirm { manner, publish, polls: 0, nameless: 0 }
    }

    fn after_piece(
        manner: Manner,
        upload: Upload,
        piece: u64,
        corrections: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        let is_last = upload.is_last(piece, job);
        Ok(Next::Go(match upload.standing(piece, job, reply)? {
            upload::Standing::Next => Step::Send { manner, upload, piece: piece + 1, corrections },
            upload::Standing::Whole => Step::confirm(manner, upload.publish),
            upload::Standing::Elsewhere => Step::Ask { manner, upload, piece, corrections },
            // Only of the last piece it matters whether it came before that.
            upload::Standing::Gone if is_last => {
                Step::Ask { manner, upload, piece, corrections: upload::CORRECTIONS_MAX }
            }
            upload::Standing::Gone => return Err(upload::gone(reply)),
        }))
    }

    fn after_answer(
        manner: Manner,
        upload: Upload,
        piece: u64,
        corrections: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        let Some(received) = upload.received(job, reply)? else {
            return Ok(Next::Go(Step::confirm(manner, upload.publish)));
        };
        let corrections = corrections + 1;
        let is_torn = received < upload::bytes(job) && upload.restarts < upload::RESTARTS_MAX;
        match upload.piece_at(received, job) {
            _ if corrections > upload::CORRECTIONS_MAX => Err(upload::astray(piece, received, job)),
            Some(piece) => Ok(Next::Go(Step::Send { manner, upload, piece, corrections })),
            // Nothing is posted without the last byte, so there is nothing to lose.
            None if is_torn => Ok(Next::Go(Step::Start { manner, restarts: upload.restarts + 1 })),
            None => Err(upload::astray(piece, received, job)),
        }
    }
}
