//! Facebook Pages. Photos are staged unpublished and then attached to one post, films go up before
//! the request that publishes them; a comment may follow.
//!
//! <https://developers.facebook.com/docs/graph-api/reference/page/feed>,
//! <https://developers.facebook.com/docs/video-api/guides/reels-publishing>,
//! <https://developers.facebook.com/docs/page-stories-api> and
//! <https://developers.facebook.com/docs/graph-api/changelog/versions>, all as of 2026-10.
//!
//! Facebook has no key that would keep a post single. What was published is recognised by what it
//! was given before: the ids of staged photos, the id of a film; a text alone by itself and its
//! time.

mod check;
mod errand;
mod film;
mod listing;
mod post;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{film::Standing, post::Shape};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task, meta,
    },
    domain::{
        delivery::Live,
        platform::{
            ApiVersion, ClientAuthentication, ClientKind, Endpoint, FirstToken, Format, Kind,
            Lengths, Limits, Login, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof,
            Ratios, RefreshModel, ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::{
    errand::Errand,
    film::{Film, Piece},
    post::Sent,
};

pub struct Facebook;

/// - `Stage* → Publish`: text, a link, photos, a story of one photo;
/// - `Start → Transfer* → Finish → Confirm*`: a film among the posts;
/// - `Start → Send → Process* → Finish → Confirm*`: a reel; a story of a film needs no `Confirm`;
/// - then `Comment?` and `Address?`;
/// - `Confirm → Spoilt`: the film was accepted, and could not be made into a post after all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Stage {
        photos: Vec<String>,
    },
    Start,
    Transfer {
        film: Film,
        piece: Piece,
    },
    Send {
        film: Film,
        address: String,
    },
    Process {
        film: Film,
        polls: u32,
    },
    Publish {
        photos: Vec<String>,
    },
    Finish {
        film: Film,
    },
    Confirm {
        film: Film,
        polls: u32,
    },
    Spoilt {
        film: Film,
        polls: u32,
    },
    /// `below`: what is commented on, which has another id than a film itself.
    Comment {
        post: Sent,
        below: String,
    },
    /// Everything is live; what is left is to read where.
    Address {
        sent: Vec<Sent>,
    },
}

const GRAPH: &str = "graph";
const VIDEO: &str = "video";
const WEB: &str = "web";

/// The scope without which pages of a business are not listed.
const BUSINESS: &str = "business_management";

const HOUR: Duration = Duration::from_secs(60 * 60);

impl Connector for Facebook {
    const PROFILE: Profile = Profile {
        platform: "facebook",
        name: "Facebook",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "facebook",
            authorize: Place { endpoint: WEB, path: "/{version}/dialog/oauth" },
            token: Place { endpoint: GRAPH, path: "/{version}/oauth/access_token" },
            // It would take the app away from every page of that person.
            revoke: None,
            scopes: &[
                "pages_show_list",
                "pages_read_engagement",
                "pages_manage_posts",
                "pages_manage_engagement",
                BUSINESS,
            ],
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Body,
            proof: Proof::StateOnly,
            separator: ScopeSeparator::Comma,
            required: &["pages_show_list", "pages_read_engagement", "pages_manage_posts"],
            refresh: RefreshModel::Never,
            first: FirstToken::Short,
            targets: Targets::Several,
        })],
        endpoints: &[
            Endpoint { name: GRAPH, default: Some("https://graph.facebook.com") },
            Endpoint { name: VIDEO, default: Some("https://graph-video.facebook.com") },
            Endpoint { name: WEB, default: Some("https://www.facebook.com") },
        ],
        version: Some(VERSION),
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Video,
            Kind::Reel,
            Kind::Story,
            Kind::Comment,
        ],
        formats: &[
            Format {
                name: post::REEL,
                limits: REEL,
                kinds: &[Kind::Video, Kind::Reel, Kind::Comment],
            },
            Format {
                name: post::STORY,
                limits: STORY,
                kinds: &[Kind::Image, Kind::Video, Kind::Story],
            },
        ],
        options: post::OPTIONS,
        paces: PACES,
        access: "Pages of people with a role on your Meta app need no review; for those of others \
                 Meta asks for App Review and Business Verification.",
        guide: include_str!("../guides/facebook.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        match Shape::of(job) {
            Shape::Feed if job.parts[0].media.is_empty() => Step::Publish { photos: Vec::new() },
            Shape::Feed | Shape::PhotoStory => Step::Stage { photos: Vec::new() },
            Shape::Film | Shape::Reel | Shape::FilmStory => Step::Start,
        }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Stage { photos } => post::stage(photos.len(), job),
            Step::Start => film::start(job),
            Step::Transfer { film, piece } => film::transfer(film, piece, job),
            Step::Send { address, .. } => film::send(address, job),
            Step::Process { film, .. } | Step::Confirm { film, .. } | Step::Spoilt { film, .. } => {
                film::status(film, job)
            }
            Step::Publish { photos } => post::publish(photos, job),
            Step::Finish { film } => film::finish(film, job),
            Step::Comment { below, .. } => post::comment(below, job),
            Step::Address { sent } => post::address(sent, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        if meta::is_success(reply) {
            return step.after(job, reply);
        }
        if let Step::Transfer { film, piece } = &step
            && let Some(next) = film::corrected(film, piece, job, reply)
        {
            return Ok(Next::Go(next));
        }
        let refusal = refusal::of_step(&step, reply);
        match (step, refusal.kind) {
            // It was accepted for publishing, and only its progress cannot be read.
            (Step::Confirm { film, .. }, RefusalKind::Rejected) => {
                Ok(Step::after_film(film, String::new(), job))
            }
            _ => Err(refusal),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match (step, Shape::of(job)) {
            (Step::Publish { .. }, Shape::PhotoStory) | (Step::Finish { .. }, Shape::FilmStory) => {
                Some(listing::stories(job))
            }
            (Step::Publish { .. }, _) => Some(listing::posts(job)),
            (Step::Finish { film }, _) => Some(film::status(film, job)),
            (Step::Comment { below, .. }, _) => Some(listing::comments(below, job)),
            (
                Step::Stage { .. }
                | Step::Start
                | Step::Transfer { .. }
                | Step::Send { .. }
                | Step::Process { .. }
                | Step::Confirm { .. }
                | Step::Spoilt { .. }
                | Step::Address { .. },
                _,
            ) => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match (step, Shape::of(job)) {
            (Step::Publish { photos }, Shape::PhotoStory) => {
                let photo = photos.first().map_or("", String::as_str);
                listing::story(photo, reply).then(|post| Step::after_post(post, job))
            }
            (Step::Finish { film }, Shape::FilmStory) => {
                listing::story(&film.video, reply).then(|post| Step::after_post(post, job))
            }
            (Step::Publish { photos }, _) => {
                listing::post(&photos, job, reply).then(|post| Step::after_post(post, job))
            }
            (Step::Finish { film }, _) => film.sighting(reply),
            (Step::Comment { post, .. }, _) => {
                listing::comment(job, reply).then(|comment| Step::ending(vec![post, comment], job))
            }
            _ => Sighting::Unsure("this step leaves nothing to look for".to_owned()),
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Stage { .. }
            | Step::Start
            | Step::Transfer { .. }
            | Step::Send { .. }
            | Step::Process { .. }
            | Step::Publish { .. }
            | Step::Finish { .. }
            | Step::Spoilt { .. } => Vec::new(),
            Step::Confirm { film, .. } => post::live(&[film.sent(String::new())], job),
            Step::Comment { post, .. } => post::live(std::slice::from_ref(post), job),
            Step::Address { sent } => post::live(sent, job),
        }
    }

    fn is_undecided(step: &Step) -> bool {
        matches!(step, Step::Confirm { .. })
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

/// The calendar of the changelog, as of 2026-10. "A dead version is not an error": the oldest
/// living one answers instead, so only the calendar tells.
const VERSION: ApiVersion = ApiVersion {
    default: "v26.0",
    ends: &[
        ("v20.0", "2026-09-24"),
        ("v21.0", "2027-01-21"),
        ("v22.0", "2027-05-20"),
        ("v23.0", "2027-10-08"),
        ("v24.0", "2028-02-18"),
        ("v25.0", "2028-07-29"),
    ],
    alarm_days: 90,
};

/// Photos: "Files can not exceed 10MB" (page-stories-api, as of 2026-10). Videos: "up to 10GB and 4
/// hours long" (graph-api/video-uploads). Ten photos is what publishers found. No page limits a
/// description or a comment; the numbers here are cautious.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 63_206, unit: TextUnit::Chars },
    images_max: 10,
    image_bytes_max: 10_000_000,
    image_formats: &["image/jpeg", "image/png", "image/bmp", "image/tiff"],
    videos_max: 1,
    video_bytes_max: 10_000_000_000,
    video_formats: &["video/mp4", "video/quicktime"],
    video_length: Some(Lengths { min: Duration::ZERO, max: Duration::from_secs(4 * 60 * 60) }),
    alt_chars_max: 1_000,
    parts_max: 2,
    comment: Some(TextLimit { max: 8_000, unit: TextUnit::Chars }),
    ..Limits::NONE
};

/// "3 to 90 seconds", "9 x 16" (reels-publishing, 2026-07-30). Encoders round to multiples of 16,
/// so a little more and a little less is let through.
const REEL: Limits = Limits {
    media_min: 1,
    media_max: Some(1),
    images_max: 0,
    image_bytes_max: 0,
    image_formats: &[],
    video_ratio: Some(UPRIGHT),
    video_length: Some(Lengths { min: Duration::from_secs(3), max: Duration::from_secs(90) }),
    ..LIMITS
};

const UPRIGHT: Ratios = Ratios { min: 550, max: 575 };

/// "A reel published as a story on a Facebook Page can not exceed 60 seconds" (page-stories-api).
const STORY: Limits = Limits {
    text: TextLimit { max: 0, unit: TextUnit::Chars },
    media_min: 1,
    media_max: Some(1),
    images_max: 1,
    video_ratio: Some(UPRIGHT),
    video_length: Some(Lengths { min: Duration::from_secs(3), max: Duration::from_secs(60) }),
    parts_max: 1,
    comment: None,
    ..LIMITS
};

/// A page has 4,800 calls a day for each person who engages with it (overview/rate-limiting), which
/// is not known here, and of a new page it is little; 200 an hour is what each person who uses an
/// app adds to its budget. The 30 reels a day are left to Facebook, which counts them by itself.
const PACES: &[Pace] = &[Pace {
    name: "requests",
    scope: PaceScope::Account,
    counts: PaceCounts::Requests,
    calls_max: 200,
    window: Window::Rolling(HOUR),
}];

impl Step {
    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Stage { mut photos } => {
                photos.push(post::id(reply, "/id")?);
                Ok(Next::Go(match photos.len() < job.parts[0].media.len() {
                    true => Step::Stage { photos },
                    false => Step::Publish { photos },
                }))
            }
            Step::Start => film::started(job, reply).map(Next::Go),
            Step::Transfer { film, piece } => Ok(Next::Go(match piece.next(job, reply)? {
                Some(piece) => Step::Transfer { film, piece },
                None => Step::Finish { film },
            })),
            Step::Send { film, .. } => match reply.body["success"].as_bool() {
                Some(false) => Err(film::unusable("it did not take the file")),
                Some(true) | None => Ok(Next::Go(Step::Process { film, polls: 0 })),
            },
            Step::Process { film, polls } => Ok(match film::processing(reply, polls)? {
                Some(wait) => Next::Wait(wait, Step::Process { film, polls: polls + 1 }),
                None => Next::Go(Step::Finish { film }),
            }),
            Step::Publish { .. } => {
                let post = match Shape::of(job) {
                    Shape::PhotoStory => post::story(reply)?,
                    Shape::Feed | Shape::Film | Shape::Reel | Shape::FilmStory => {
                        post::sent(reply, job)?
                    }
                };
                Ok(Step::after_post(post, job))
            }
            Step::Finish { film } => match Shape::of(job) {
                Shape::FilmStory => Ok(Step::after_post(post::story(reply)?, job)),
                Shape::Feed | Shape::PhotoStory | Shape::Film | Shape::Reel => {
                    Ok(Next::Go(Step::Confirm { film: film.finished(job, reply)?, polls: 0 }))
                }
            },
            Step::Confirm { film, polls } => Ok(Step::after_confirmation(film, polls, job, reply)),
            Step::Spoilt { film, polls } => match Standing::read(reply) {
                Standing::Failed(reason) => Err(film::unusable(&reason)),
                Standing::Published
                | Standing::Publishing
                | Standing::Processing
                | Standing::Idle
                | Standing::Unknown => Ok(Step::confirm_later(film, polls, job)),
            },
            Step::Comment { post, .. } => {
                Ok(Step::ending(vec![post, post::sent(reply, job)?], job))
            }
            Step::Address { mut sent } => {
                let url = post::read_address(&sent, job, reply);
                if let Some(first) = sent.first_mut() {
                    first.url = url;
                }
                Ok(Next::Done(post::live(&sent, job)))
            }
        }
    }

    /// What was promised counts as published if Facebook takes too long to say more; only its own
    /// word that the film failed takes that back.
    fn after_confirmation(film: Film, polls: u32, job: &Job, reply: &Reply) -> Next<Step> {
        match Standing::read(reply) {
            Standing::Published => {
                let url = post::url_in(&reply.body, job);
                Step::after_film(film.known_by(job, reply), url, job)
            }
            Standing::Failed(_) => Next::Go(Step::Spoilt { film, polls }),
            Standing::Publishing | Standing::Processing | Standing::Idle | Standing::Unknown => {
                Step::confirm_later(film.known_by(job, reply), polls, job)
            }
        }
    }

    fn confirm_later(film: Film, polls: u32, job: &Job) -> Next<Step> {
        match polls < film::POLLS_MAX {
            true => Next::Wait(film::pause(polls), Step::Confirm { film, polls: polls + 1 }),
            false => Step::after_film(film, String::new(), job),
        }
    }

    fn after_film(film: Film, url: String, job: &Job) -> Next<Step> {
        let post = film.sent(url);
        match job.parts.len() {
            0 | 1 => Step::ending(vec![post], job),
            _ => Next::Go(Step::Comment { post, below: film.post_or_video() }),
        }
    }

    fn after_post(post: Sent, job: &Job) -> Next<Step> {
        match job.parts.len() {
            0 | 1 => Step::ending(vec![post], job),
            _ => Next::Go(Step::Comment { below: post.id.clone(), post }),
        }
    }

    fn ending(sent: Vec<Sent>, job: &Job) -> Next<Step> {
        match sent.first().is_some_and(|first| first.url.is_empty()) {
            true => Next::Go(Step::Address { sent }),
            false => Next::Done(post::live(&sent, job)),
        }
    }
}
