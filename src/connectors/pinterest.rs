//! Pinterest: one pin on a board, of an image, of two to five of them, or of a film.
//!
//! <https://developers.pinterest.com/docs/api/v5/pins-create>, `/media-create`, `/boards-list` and
//! `/boards-list_pins`, description 5.23.0 (2025-12-11), read 2026-11-21.
//!
//! A board is an option of the post and no account: all boards of a person share one refresh token,
//! which each use replaces. There is no key that would keep a pin single, so an unanswered one is
//! looked for on its board.

mod board;
mod check;
mod errand;
mod listing;
mod pin;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{board::Place, pin::Upload};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            self, ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Lengths, Limits,
            Login, OAuth, Pace, PaceCounts, PaceScope, Profile, Proof, RefreshModel,
            ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::errand::Errand;

pub struct Pinterest;

/// `Board* → Section* → (Register → Upload → Process*)? → Publish`.
///
/// `Board` and `Section` look names up, page by page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Board {
        bookmark: String,
        pages: u32,
    },
    Section {
        board: String,
        bookmark: String,
        pages: u32,
    },
    Register {
        place: Place,
    },
    Upload {
        place: Place,
        upload: Upload,
    },
    Process {
        place: Place,
        film: String,
        polls: u32,
    },
    /// `film`: empty where there are images.
    Publish {
        place: Place,
        film: String,
    },
}

const API: &str = "api";
const WEB: &str = "web";

/// With waits of up to 30 s this is half an hour: more is a film that will not be finished.
const POLLS_MAX: u32 = 64;

impl Connector for Pinterest {
    const PROFILE: Profile = Profile {
        platform: "pinterest",
        name: "Pinterest",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "pinterest",
            authorize: platform::Place { endpoint: WEB, path: "/oauth/" },
            token: platform::Place { endpoint: API, path: "/v5/oauth/token" },
            // It exists for system users only.
            revoke: None,
            scopes: SCOPES,
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Basic,
            proof: Proof::StateOnly,
            separator: ScopeSeparator::Comma,
            required: SCOPES,
            refresh: RefreshModel::Rotating,
            first: FirstToken::Lasting,
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://api.pinterest.com") },
            Endpoint { name: WEB, default: Some("https://www.pinterest.com") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Image, Kind::Video, Kind::Carousel],
        formats: &[],
        options: pin::OPTIONS,
        // `org_write`: 100 in a minute for each user of an app with standard access. One with trial
        // access has 300 of them a day, which Pinterest counts.
        paces: &[Pace {
            name: "writes",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 100,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "With trial access, pins are seen by nobody but yourself until Pinterest has \
                 granted standard access.",
        guide: include_str!("../guides/pinterest.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        match board::is_id(job.option(board::BOARD)) {
            true => Step::on_board(job.option(board::BOARD).trim().to_owned(), job),
            false => Step::Board { bookmark: String::new(), pages: 0 },
        }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Board { bookmark, .. } => board::boards(bookmark, &job.site),
            Step::Section { board, bookmark, .. } => board::sections(board, bookmark, &job.site),
            Step::Register { .. } => pin::register(job),
            Step::Upload { upload, .. } => pin::upload(upload, job),
            Step::Process { film, .. } => {
                Request::get(job.site.url(API, &format!("/v5/media/{film}")))
            }
            Step::Publish { place, film } => pin::creation(place, film, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        if !reply.is_success() {
            return Err(refusal::of_step(&step, reply));
        }
        step.after(job, reply)
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { place, .. } => Some(listing::pins(place, &job.site)),
            Step::Board { .. }
            | Step::Section { .. }
            | Step::Register { .. }
            | Step::Upload { .. }
            | Step::Process { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Publish { .. } => listing::search(job, reply),
            Step::Board { .. }
            | Step::Section { .. }
            | Step::Register { .. }
            | Step::Upload { .. }
            | Step::Process { .. } => {
                Sighting::Unsure("this step leaves nothing to look for".to_owned())
            }
        }
    }

    fn live(_step: &Step, _job: &Job) -> Vec<Live> {
        Vec::new()
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

/// What `POST /pins` asks for by itself, and who the account is.
const SCOPES: &[&str] =
    &["boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read"];

/// Title, description, alternative text and link are of the description of the API. What files may
/// be stands on help pages; 20 MB of an image and 2 GB of a film are what publishers found
/// (unconfirmed).
const LIMITS: Limits = Limits {
    text: TextLimit { max: 800, unit: TextUnit::Chars },
    media_min: 1,
    images_max: 5,
    image_bytes_max: 20_000_000,
    image_formats: &["image/jpeg", "image/png"],
    videos_max: 1,
    video_bytes_max: 2_000_000_000,
    video_formats: &["video/mp4", "video/quicktime"],
    video_length: Some(Lengths { min: Duration::from_secs(4), max: Duration::from_secs(15 * 60) }),
    alt_chars_max: 500,
    ..Limits::NONE
};

impl Step {
    fn on_board(board: String, job: &Job) -> Step {
        let section = job.option(board::SECTION).trim();
        if section.is_empty() || board::is_id(section) {
            return Step::at(Place { board, section: section.to_owned() }, job);
        }
        Step::Section { board, bookmark: String::new(), pages: 0 }
    }

    fn at(place: Place, job: &Job) -> Step {
        match pin::film(job) {
            Some(_) => Step::Register { place },
            None => Step::Publish { place, film: String::new() },
        }
    }

    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        Ok(match self {
            Step::Board { pages, .. } => {
                match board::named(job.option(board::BOARD), "board", pages, reply)? {
                    board::Found::Here(board) => Next::Go(Step::on_board(board, job)),
                    board::Found::Further(bookmark) => {
                        Next::Go(Step::Board { bookmark, pages: pages + 1 })
                    }
                }
            }
            Step::Section { board, pages, .. } => {
                match board::named(job.option(board::SECTION), "section", pages, reply)? {
                    board::Found::Here(section) => {
                        Next::Go(Step::at(Place { board, section }, job))
                    }
                    board::Found::Further(bookmark) => {
                        Next::Go(Step::Section { board, bookmark, pages: pages + 1 })
                    }
                }
            }
            Step::Register { place } => {
                Next::Go(Step::Upload { place, upload: Upload::read(reply)? })
            }
            Step::Upload { place, upload } => {
                let film = upload.film;
                Next::Wait(wait(0), Step::Process { place, film, polls: 0 })
            }
            Step::Process { place, film, polls } => match reply.text("/status")?.as_str() {
                "succeeded" => Next::Go(Step::Publish { place, film }),
                "failed" => return Err(unusable("Pinterest could not process it")),
                _ if polls >= POLLS_MAX => {
                    return Err(unusable("Pinterest did not finish processing it"));
                }
                _ => Next::Wait(wait(polls + 1), Step::Process { place, film, polls: polls + 1 }),
            },
            Step::Publish { .. } => Next::Done(vec![pin::live(reply.text("/id")?, &job.site)]),
        })
    }
}

/// 5 s, growing to 30 s.
fn wait(polls: u32) -> Duration {
    Duration::from_secs(5 * u64::from(polls.min(5) + 1))
}

fn unusable(words: &str) -> Refusal {
    Refusal::new(RefusalKind::Media, "failed", format!("the film cannot be used: {words}"))
}
