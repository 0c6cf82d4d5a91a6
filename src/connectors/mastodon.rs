//! Mastodon and servers that speak its API. Upload every file, wait until the server has processed
//! it, then create one status per part.
//!
//! <https://docs.joinmastodon.org/methods/statuses/#create>,
//! <https://docs.joinmastodon.org/methods/media/#v2>,
//! <https://docs.joinmastodon.org/api/rate-limits/> and
//! <https://docs.joinmastodon.org/methods/instance/#v2>, all read 2026-07-02.
//!
//! All files of all parts come first: a file that is refused must not break a thread in the middle,
//! and on its time a post has only its statuses left to create.

mod check;
mod errand;
mod listing;
mod refusal;
mod server;
mod status;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{
    listing::{Listing, Sought},
    server::Software,
};
use crate::{
    connectors::{
        Body, Connector, Draft, FilePart, Finding, Job, JobMedia, Next, Progress, Repeat, Reply,
        Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Limits, Login, Loss,
            OAuth, OptionRule, OptionValue, Pace, PaceCounts, PaceScope, Place, Profile, Proof,
            RefreshModel, ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::Refusal,
    },
};

pub use self::{errand::Errand, status::Status};

pub struct Mastodon;

/// `(Upload → Process*)* → Publish+`, and `Upload → UploadOfOld*` where the server has no second
/// version of uploads. `ready` holds the ids of processed files, over all parts in order; `sent`
/// the statuses that readers can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Upload { ready: Vec<String> },
    UploadOfOld { ready: Vec<String> },
    Process { ready: Vec<String>, pending: String, polls: u32 },
    Publish { ready: Vec<String>, sent: Vec<Status> },
}

/// The name under which we register with servers, and which they show below a status.
const APPLICATION: &str = "Fanfare";

const SERVER: &str = "server";

/// Some five minutes: more is a file that the server will not finish.
const POLLS_MAX: u32 = 60;

impl Connector for Mastodon {
    const PROFILE: Profile = Profile {
        platform: "mastodon",
        name: "Mastodon",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "mastodon",
            authorize: Place { endpoint: SERVER, path: "/oauth/authorize" },
            token: Place { endpoint: SERVER, path: "/oauth/token" },
            revoke: Some(Place { endpoint: SERVER, path: "/oauth/revoke" }),
            scopes: errand::SCOPES,
            client: ClientKind::Dynamic,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Body,
            proof: Proof::Pkce,
            separator: ScopeSeparator::Space,
            required: &[],
            // Mastodon's do not end. Where a server gives a refresh token all the same, as Pixelfed
            // does, it is used.
            refresh: RefreshModel::Never,
            first: FirstToken::Lasting,
            targets: Targets::One,
        })],
        endpoints: &[Endpoint { name: SERVER, default: None }],
        version: None,
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Gif,
            Kind::Video,
            Kind::Poll,
            Kind::Thread,
        ],
        formats: &[],
        options: OPTIONS,
        // Uploads have a limit of their own (30 in 30 minutes); a server that is full says until
        // when.
        paces: &[
            Pace {
                name: "requests",
                scope: PaceScope::Account,
                counts: PaceCounts::Requests,
                calls_max: 300,
                window: Window::Rolling(Duration::from_secs(5 * 60)),
            },
            // Not on the page; as the server's source has it (lib/rate_limiter, unconfirmed).
            Pace {
                name: "statuses",
                scope: PaceScope::Account,
                counts: PaceCounts::Publications,
                calls_max: 300,
                window: Window::Rolling(Duration::from_secs(3 * 60 * 60)),
            },
        ],
        access: "Free on every server, without review: we register with the server while you \
                 connect.",
        guide: include_str!("../guides/mastodon.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        Step::after_file(Vec::new(), job)
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Upload { ready } => upload("/api/v2/media", file(job, ready.len()), job),
            Step::UploadOfOld { ready } => upload("/api/v1/media", file(job, ready.len()), job),
            Step::Process { pending, .. } => {
                Request::get(job.site.url(SERVER, &format!("/api/v1/media/{pending}")))
            }
            Step::Publish { ready, sent } => status::creation(ready, sent, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match (step, reply.status) {
            (Step::Upload { mut ready }, 200) => {
                ready.push(reply.text("/id")?);
                Ok(Next::Go(Step::after_file(ready, job)))
            }
            (Step::Upload { ready }, 202) => {
                let pending = reply.text("/id")?;
                Ok(Next::Wait(wait(0), Step::Process { ready, pending, polls: 0 }))
            }
            // There is nothing of the kind; files were never taken otherwise before 3.1.3.
            (Step::Upload { ready }, 404 | 405) => Ok(Next::Go(Step::UploadOfOld { ready })),
            (Step::UploadOfOld { mut ready }, 200) => {
                ready.push(reply.text("/id")?);
                Ok(Next::Go(match Step::after_file(ready, job) {
                    Step::Upload { ready } => Step::UploadOfOld { ready },
                    next @ (Step::UploadOfOld { .. }
                    | Step::Process { .. }
                    | Step::Publish { .. }) => next,
                }))
            }
            (Step::Process { ready, pending, polls }, 206) if polls < POLLS_MAX => {
                let polls = polls + 1;
                Ok(Next::Wait(wait(polls), Step::Process { ready, pending, polls }))
            }
            (Step::Process { mut ready, pending, .. }, 200) => {
                ready.push(pending);
                Ok(Next::Go(Step::after_file(ready, job)))
            }
            (Step::Publish { ready, sent }, 200) => {
                Ok(Step::after_status(ready, sent, Status::read(reply)?, job))
            }
            (step, _) => Err(refusal::of_step(&step, job, reply)),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { .. } => {
                let path = format!(
                    "/api/v1/accounts/{}/statuses?limit={}&exclude_reblogs=true",
                    job.author.remote_id,
                    listing::LIMIT
                );
                Some(Request::get(job.site.url(SERVER, &path)))
            }
            Step::Upload { .. } | Step::UploadOfOld { .. } | Step::Process { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let Step::Publish { ready, sent } = step else {
            return Sighting::Unsure("an upload leaves nothing to look for".to_owned());
        };
        let number = sent.len();
        let sought = Sought {
            text: &job.parts[number].text,
            media: files_of(&ready, number, job),
            sent: &sent,
            since: job.armed.unwrap_or(job.due),
            taken: &job.taken,
        };
        match listing::search(&sought, reply) {
            Listing::Found(status) => Sighting::Found(Step::after_status(ready, sent, status, job)),
            // Pixelfed's list leaves out what answers another status (`accountStatusesById` of
            // ApiV1Controller, 0.12), so it proves nothing of a comment.
            Listing::Absent if number > 0 && Software::of(&job.author) == Software::Pixelfed => {
                Sighting::Unsure("Pixelfed lists no comments".to_owned())
            }
            Listing::Absent => Sighting::Absent,
            Listing::Unsure(reason) => Sighting::Unsure(reason),
        }
    }

    fn live(step: &Step, _job: &Job) -> Vec<Live> {
        match step {
            Step::Upload { .. } | Step::UploadOfOld { .. } | Step::Process { .. } => Vec::new(),
            Step::Publish { sent, .. } => sent.iter().map(Status::live).collect(),
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

/// What `/api/v2/instance` reports by default (read 2026-07-02); a server's own values override it.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 500, unit: TextUnit::Mastodon { url: 23 } },
    images_max: 4,
    image_bytes_max: 16_777_216,
    image_formats: &["image/jpeg", "image/png", "image/webp"],
    gif_bytes_max: 16_777_216,
    videos_max: 1,
    video_bytes_max: 103_809_024,
    video_formats: &["video/mp4", "video/webm", "video/quicktime"],
    alt_chars_max: 1_500,
    parts_max: 25,
    ..Limits::NONE
};

const LANGUAGE: &str = "language";
const POLL: &str = "poll";
const POLL_MINUTES: &str = "poll_minutes";
const SPOILER: &str = "spoiler";
const VISIBILITY: &str = "visibility";

const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: VISIBILITY,
        value: OptionValue::OneOf(&[
            "public",
            "unlisted",
            "private",
            "direct",
            "local",
            "mutuals_only",
        ]),
        loss: Loss::Misleads { except: &["public"] },
        about: "Who sees the post; `local` is of Pleroma and `mutuals_only` of GoToSocial.",
    },
    OptionRule {
        name: LANGUAGE,
        value: OptionValue::Text { chars_max: 20 },
        loss: Loss::Harmless,
        about: "The language of the text, as an ISO 639 code such as `en`.",
    },
    OptionRule {
        name: POLL,
        value: OptionValue::Lines { items_min: 2, items_max: 20, chars_max: 200 },
        loss: Loss::Misleads { except: &[] },
        about: "The choices of a poll, one a line; most servers allow four of 50 characters.",
    },
    OptionRule {
        name: POLL_MINUTES,
        value: OptionValue::Number { min: 5, max: 525_600 },
        loss: Loss::Harmless,
        about: "How long the poll is open; a day if it is left out.",
    },
    OptionRule {
        name: "sensitive",
        value: OptionValue::Flag,
        loss: Loss::Misleads { except: &["false"] },
        about: "Hides the files until the reader wants to see them.",
    },
    OptionRule {
        name: SPOILER,
        value: OptionValue::Text { chars_max: 500 },
        loss: Loss::Misleads { except: &[""] },
        about: "A warning that stands in front of the text, which is folded away.",
    },
];

impl Step {
    fn after_file(ready: Vec<String>, job: &Job) -> Step {
        if ready.len() < job.parts.iter().map(|part| part.media.len()).sum() {
            Step::Upload { ready }
        } else {
            Step::Publish { ready, sent: Vec::new() }
        }
    }

    fn after_status(
        ready: Vec<String>,
        mut sent: Vec<Status>,
        status: Status,
        job: &Job,
    ) -> Next<Step> {
        sent.push(status);
        if sent.len() < job.parts.len() {
            Next::Go(Step::Publish { ready, sent })
        } else {
            Next::Done(sent.iter().map(Status::live).collect())
        }
    }
}

fn upload(path: &str, media: &JobMedia, job: &Job) -> Request {
    let description = ("description".to_owned(), media.alt.clone());
    let body = Body::Multipart {
        fields: if media.alt.is_empty() { Vec::new() } else { vec![description] },
        files: vec![FilePart {
            field: "file".to_owned(),
            media: media.id,
            range: None,
            cipher: None,
            file_name: format!("{}.{}", media.id, extension(&media.mime)),
            content_type: media.mime.clone(),
        }],
    };
    // A second upload is an unattached file that no reader ever sees; the server sweeps it up.
    Request::post(job.site.url(SERVER, path), body, Repeat::Harmless)
}

fn file(job: &Job, number: usize) -> &JobMedia {
    let file = job.parts.iter().flat_map(|part| &part.media).nth(number);
    file.expect("an upload step has a file left")
}

/// The processed files of one part.
fn files_of<'a>(ready: &'a [String], part: usize, job: &Job) -> &'a [String] {
    let first: usize = job.parts[..part].iter().map(|part| part.media.len()).sum();
    &ready[first..first + job.parts[part].media.len()]
}

/// 1 s, growing to 5 s.
fn wait(polls: u32) -> Duration {
    Duration::from_secs(u64::from(polls.min(4)) + 1)
}

fn extension(mime: &str) -> &str {
    match mime.split_once('/').map_or("", |(_, subtype)| subtype) {
        "jpeg" => "jpg",
        "quicktime" => "mov",
        subtype => subtype,
    }
}
