//! Threads. Make a container for each post and wait until Threads has fetched its files; publish
//! it; then the next one below it.
//!
//! <https://developers.facebook.com/docs/threads/posts>,
//! <https://developers.facebook.com/docs/threads/retrieve-and-manage-replies/create-replies>,
//! <https://developers.facebook.com/docs/threads/troubleshooting> and
//! <https://developers.facebook.com/docs/threads/overview>, all as of 2026-10.
//!
//! A container is published once: after a lost answer its own status tells whether it was. Only the
//! id of the post is then unknown, and is looked for among the account's posts.

mod container;
mod course;
mod draft;
mod errand;
mod listing;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::course::{live, next_item, with_nameless};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task, meta,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Intake, Kind, Lengths, Limits,
            Login, Mixing, OAuth, Pace, PaceCounts, PaceScope, Place, Profile, Proof, Ratios,
            RefreshModel, ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::Refusal,
        time::Timestamp,
    },
};

pub use self::errand::Errand;

pub struct Threads;

/// - `Quota → Item* → ItemReady* → (Container → Ready+ → Publish)+ → Address+`;
/// - `Publish → Ready` while Threads says that it is not ready after all;
/// - `Publish | Ready → Find+` when it is published and its id is not known;
/// - `Container | Ready → Item | Container`, once, when what a later part needs is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Quota,
    Item {
        earned: Earned,
    },
    /// `ready`: how many of the items are.
    ItemReady {
        earned: Earned,
        ready: usize,
        polls: u32,
    },
    Container {
        earned: Earned,
        tries: u32,
    },
    /// `tried`: when publishing it was, if Threads said that it was too early.
    Ready {
        earned: Earned,
        container: String,
        polls: u32,
        tried: Option<Timestamp>,
    },
    Publish {
        earned: Earned,
        container: String,
        polls: u32,
    },
    /// `since`: when publishing it was first tried.
    Find {
        earned: Earned,
        container: String,
        since: Timestamp,
        looks: u32,
    },
    /// `addresses`: of the first parts; empty where Threads did not say.
    Address {
        earned: Earned,
        addresses: Vec<String>,
    },
}

/// What Threads has given us so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Earned {
    /// Containers of single files, over all parts in order: see `items_of`.
    items: Vec<String>,
    /// Ids of the posts that readers can see; see [`NAMELESS`].
    sent: Vec<String>,
    making: Making,
}

/// `First → Again` when the containers of a thread's later parts have to be made once more. A
/// second loss is final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Making {
    #[default]
    First,
    Again,
}

const GRAPH: &str = "graph";
const WEB: &str = "web";

/// Before the id of the container of a post whose own id Threads did not tell.
const NAMELESS: &str = "container:";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Connector for Threads {
    const PROFILE: Profile = Profile {
        platform: "threads",
        name: "Threads",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "threads",
            authorize: Place { endpoint: WEB, path: "/oauth/authorize" },
            token: Place { endpoint: GRAPH, path: "/oauth/access_token" },
            revoke: None,
            scopes: errand::SCOPES,
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Body,
            proof: Proof::StateOnly,
            separator: ScopeSeparator::Comma,
            required: &["threads_basic", "threads_content_publish"],
            refresh: RefreshModel::Extended,
            first: FirstToken::Short,
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: GRAPH, default: Some("https://graph.threads.net") },
            Endpoint { name: WEB, default: Some("https://threads.net") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Video,
            Kind::Carousel,
            Kind::Poll,
            Kind::Thread,
            Kind::Quote,
        ],
        formats: &[],
        options: draft::OPTIONS,
        paces: PACES,
        access: "Free, with a Meta app of the use case Threads: accounts with a role on the app \
                 need no review, all others need App Review and a verified business.",
        guide: include_str!("../guides/threads.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_job: &Job) -> Step {
        Step::Quota
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Quota => container::quota(&job.site),
            Step::Item { earned } => container::item(next_item(earned, job), &job.site),
            Step::ItemReady { earned, ready, .. } => {
                container::status(&earned.items[*ready], &job.site)
            }
            Step::Container { earned, .. } => container::creation(earned, job),
            Step::Ready { container, .. } => container::status(container, &job.site),
            Step::Publish { container, .. } => container::publication(container, &job.site),
            Step::Find { earned, since, .. } => listing::look(&earned.sent, *since, &job.site),
            Step::Address { earned, addresses } => {
                container::address(&earned.sent[addresses.len()], &job.site)
            }
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let answer = match meta::is_success(reply) {
            true => step.clone().after(job, reply),
            false => step.clone().after_refusal(job, reply),
        };
        answer.or_else(|refusal| match step.again(&refusal, job) {
            Some(step) => Ok(Next::Go(step)),
            None => Err(refusal),
        })
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { container, .. } => Some(container::status(container, &job.site)),
            Step::Quota
            | Step::Item { .. }
            | Step::ItemReady { .. }
            | Step::Container { .. }
            | Step::Ready { .. }
            | Step::Find { .. }
            | Step::Address { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let Step::Publish { earned, container, .. } = step else {
            return Sighting::Unsure("a container leaves nothing to look for".to_owned());
        };
        if !meta::is_success(reply) {
            let words = format!("the container could not be read (HTTP {})", reply.status);
            return Sighting::Unsure(words);
        }
        match reply.body["status"].as_str() {
            Some("PUBLISHED") => {
                let since = job.armed.unwrap_or(job.due);
                Sighting::Found(Next::Go(Step::Find { earned, container, since, looks: 0 }))
            }
            // "The container was not published within 24 hours and has expired."
            Some("FINISHED" | "EXPIRED") => Sighting::Absent,
            Some(status) => {
                let words = format!("its container is {status}, which tells neither");
                Sighting::Unsure(words)
            }
            None => Sighting::Unsure("the container's status was not told".to_owned()),
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Quota => Vec::new(),
            Step::Item { earned }
            | Step::ItemReady { earned, .. }
            | Step::Container { earned, .. }
            | Step::Ready { earned, .. }
            | Step::Publish { earned, .. } => live(&earned.sent, &[], job),
            Step::Find { earned, container, .. } => {
                live(&with_nameless(earned.clone(), container).sent, &[], job)
            }
            Step::Address { earned, addresses } => live(&earned.sent, addresses, job),
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

/// developers.facebook.com/docs/threads/overview, as of 2026-10. That images may be ten times as
/// high as they are wide is not said, only the other way round.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 500, unit: TextUnit::EmojiBytes },
    links_max: Some(draft::LINKS_MAX),
    media_max: Some(20),
    images_max: 20,
    image_bytes_max: 8 * 1024 * 1024,
    image_formats: &["image/jpeg", "image/png"],
    image_ratio: Some(Ratios { min: 100, max: 10_000 }),
    videos_max: 20,
    video_bytes_max: 1024 * 1024 * 1024,
    video_formats: &["video/mp4", "video/quicktime"],
    video_ratio: Some(Ratios { min: 10, max: 10_000 }),
    video_length: Some(Lengths { min: Duration::from_millis(1), max: Duration::from_secs(300) }),
    alt_chars_max: 1_000,
    parts_max: 25,
    mixing: Mixing::Allowed,
    intake: Intake::AllByUrl,
    ..Limits::NONE
};

/// "250 API-published posts" and "1,000 replies within a 24-hour moving period": a part is one or
/// the other, so here is their sum, and how much is left of each is read before a post begins.
/// Calls: 4,800 for each impression of the day, of which at least 10 are reckoned.
const PACES: &[Pace] = &[
    pace("publications", PaceCounts::Publications, 1_250),
    pace("requests", PaceCounts::Requests, 48_000),
];

const fn pace(name: &'static str, counts: PaceCounts, calls_max: u32) -> Pace {
    Pace { name, scope: PaceScope::Account, counts, calls_max, window: Window::Rolling(DAY) }
}
