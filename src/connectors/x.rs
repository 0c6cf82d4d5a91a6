//! X. Upload every file in chunks, wait until it is processed, describe it; then create one post
//! per part, each answering the one before. Or pass a post on, which is one request.
//!
//! <https://docs.x.com/x-api/posts/create-post>,
//! <https://docs.x.com/x-api/media/quickstart/media-upload-chunked>,
//! <https://docs.x.com/x-api/fundamentals/rate-limits>,
//! <https://docs.x.com/x-api/getting-started/pricing> and the OpenAPI description 2.167, all as of
//! 2026-08-22.
//!
//! X has no key that would keep a post single. A post whose answer never came is looked for among
//! the account's own, and only their proof of absence allows another try.

mod draft;
mod edit;
mod errand;
mod post;
mod refusal;
mod repost;
mod timeline;
mod upload;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::timeline::{Sought, Timeline};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, JobMedia, Next, Progress, Reply, Request, Sighting, Site,
        Task,
    },
    domain::{
        delivery::Live,
        platform::{
            ClientAuthentication, ClientKind, Endpoint, FirstToken, Kind, Limits, Login, OAuth,
            Pace, PaceCounts, PaceScope, Place, Profile, Proof, REPOST, RefreshModel,
            ScopeSeparator, Targets, TextLimit, TextUnit, Window,
        },
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::{errand::Errand, upload::File};

pub struct X;

/// - `(Initialize → Append+ → Finalize → Process* → Describe?)* → Publish+`;
/// - `Publish → Initialize`, once, when X has lost the files of a thread's later parts;
/// - `Repost`, of the post with that id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Initialize { earned: Earned },
    Append { earned: Earned, file: File, segment: u32 },
    Finalize { earned: Earned, file: File },
    Process { earned: Earned, file: File, polls: u32 },
    Describe { earned: Earned, file: File },
    Publish { earned: Earned },
    Repost { post: String },
}

/// What X has given us so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Earned {
    /// Uploaded files, over all parts in order.
    ready: Vec<File>,
    /// Ids of the posts that readers can see.
    sent: Vec<String>,
    uploads: Uploads,
}

/// `First → Again` when a thread's files have to be uploaded once more. A second loss is final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uploads {
    #[default]
    First,
    Again,
}

const API: &str = "api";
const WEB: &str = "web";

const QUARTER: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Connector for X {
    const PROFILE: Profile = Profile {
        platform: "x",
        name: "X",
        logins: &[Login::OAuth(OAuth {
            name: "",
            app: "x",
            authorize: Place { endpoint: WEB, path: "/i/oauth2/authorize" },
            token: Place { endpoint: API, path: "/2/oauth2/token" },
            revoke: Some(Place { endpoint: API, path: "/2/oauth2/revoke" }),
            scopes: &["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"],
            client: ClientKind::Configured,
            client_parameter: "client_id",
            authentication: ClientAuthentication::Basic,
            proof: Proof::Pkce,
            separator: ScopeSeparator::Space,
            required: &["tweet.read", "tweet.write", "users.read"],
            refresh: RefreshModel::Rotating,
            first: FirstToken::Lasting,
            targets: Targets::One,
        })],
        endpoints: &[
            Endpoint { name: API, default: Some("https://api.x.com") },
            Endpoint { name: WEB, default: Some("https://x.com") },
        ],
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
            Kind::Quote,
            Kind::Repost,
        ],
        formats: &[],
        options: draft::OPTIONS,
        paces: PACES,
        access: "X charges your developer app for each call and needs no review: $0.015 for a \
                 post, $0.200 for a post with a link (August 2026); without credits it refuses.",
        guide: include_str!("../guides/x.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        match job.option(REPOST) {
            "" => Step::after_file(Earned::default(), job),
            // Whatever names no post was refused while it was planned.
            given => Step::Repost { post: draft::id_of(given).unwrap_or(given).to_owned() },
        }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Initialize { earned } => upload::initialize(media(job, earned), &job.site),
            Step::Append { earned, file, segment } => {
                upload::append(file, *segment, media(job, earned), &job.site)
            }
            Step::Finalize { file, .. } => upload::finalize(file, &job.site),
            Step::Process { file, .. } => upload::status(file, &job.site),
            Step::Describe { earned, file } => {
                upload::describe(file, &media(job, earned).alt, &job.site)
            }
            Step::Publish { earned } => post::creation(earned, job),
            Step::Repost { post } => repost::creation(post, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match step.clone().after(job, reply) {
            Err(refusal) if refusal.kind == RefusalKind::Media => match step.upload_again(job) {
                Some(step) => Ok(Next::Go(step)),
                None => Err(refusal),
            },
            answer => answer,
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { .. } => Some(timeline::look(job)),
            Step::Repost { .. } => Some(timeline::look_for_repost(job)),
            Step::Initialize { .. }
            | Step::Append { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Describe { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let earned = match step {
            Step::Publish { earned } => earned,
            Step::Repost { post } => return recognise_repost(&post, job, reply),
            Step::Initialize { .. }
            | Step::Append { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Describe { .. } => {
                return Sighting::Unsure("an upload leaves nothing to look for".to_owned());
            }
        };
        let sought = Sought {
            text: &job.parts[earned.sent.len()].text,
            media: earned.files_of_next_part(job),
            sent: &earned.sent,
            quoted: post::quoted(job).filter(|_| earned.sent.is_empty()),
            since: job.armed.unwrap_or(job.due),
            taken: &job.taken,
        };
        match timeline::search(&sought, reply) {
            Timeline::Found(id) => Sighting::Found(Step::after_post(earned, id, job)),
            Timeline::Absent => Sighting::Absent,
            Timeline::Unsure(reason) => Sighting::Unsure(reason),
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        step.earned().map_or_else(Vec::new, |earned| post::live(&earned.sent, &job.site))
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

/// docs.x.com/x-api/media/quickstart/best-practices, read 2026-08-22. Paying accounts may write
/// more; their own limit overrides this.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 280, unit: TextUnit::Weighted },
    images_max: 4,
    image_bytes_max: 5 * 1024 * 1024,
    image_formats: &["image/jpeg", "image/png", "image/webp"],
    gif_bytes_max: 15 * 1024 * 1024,
    videos_max: 1,
    video_bytes_max: 512 * 1024 * 1024,
    video_formats: &["video/mp4", "video/quicktime"],
    alt_chars_max: 1_000,
    parts_max: 25,
    ..Limits::NONE
};

/// Where X's own pages disagree, both numbers are kept. Files have budgets of their own (1,875 of
/// each upload call and 500 descriptions in 15 minutes); the smallest stands for every request.
const PACES: &[Pace] = &[
    pace("posts", PaceScope::Account, PaceCounts::Publications, 100, QUARTER),
    pace("posts_of_three_hours", PaceScope::Account, PaceCounts::Publications, 300, THREE_HOURS),
    pace("posts_of_app", PaceScope::App, PaceCounts::Publications, 10_000, DAY),
    pace("requests", PaceScope::Account, PaceCounts::Requests, 500, QUARTER),
    pace("requests_of_app", PaceScope::App, PaceCounts::Requests, 50_000, DAY),
];

const THREE_HOURS: Duration = Duration::from_secs(3 * 60 * 60);

const fn pace(
    name: &'static str,
    scope: PaceScope,
    counts: PaceCounts,
    calls_max: u32,
    window: Duration,
) -> Pace {
    Pace { name, scope, counts, calls_max, window: Window::Rolling(window) }
}

impl Step {
    /// `None`: nothing is earned on the way to a repost.
    fn earned(&self) -> Option<&Earned> {
        match self {
            Step::Initialize { earned }
            | Step::Append { earned, .. }
            | Step::Finalize { earned, .. }
            | Step::Process { earned, .. }
            | Step::Describe { earned, .. }
            | Step::Publish { earned } => Some(earned),
            Step::Repost { .. } => None,
        }
    }

    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match (self, reply.is_success()) {
            (Step::Initialize { earned }, true) => {
                let file = File::read(reply)?;
                Ok(Next::Go(Step::Append { earned, file, segment: 0 }))
            }
            // Nothing is promised about the body of this answer.
            (Step::Append { earned, file, segment }, true) => {
                let segment = segment + 1;
                Ok(Next::Go(match segment < upload::segments(media(job, &earned)) {
                    true => Step::Append { earned, file, segment },
                    false => Step::Finalize { earned, file },
                }))
            }
            (Step::Finalize { earned, file }, true) => {
                Step::after_look(earned, file, 0, job, reply)
            }
            (Step::Process { earned, file, polls }, true) => {
                Step::after_look(earned, file, polls + 1, job, reply)
            }
            (Step::Describe { mut earned, file }, true) => {
                earned.ready.push(file);
                Ok(Next::Go(Step::after_file(earned, job)))
            }
            // A success may have `errors` beside its data: the post exists all the same.
            (Step::Publish { earned }, true) => {
                Ok(Step::after_post(earned, reply.text("/data/id")?, job))
            }
            (Step::Repost { post }, true) => {
                Ok(Next::Done(vec![repost::accept(&post, job, reply)?]))
            }
            (step, false) => {
                let refusal = refusal::of_step(&step, reply);
                match &step {
                    Step::Repost { post } if repost::is_there(&refusal) => {
                        Ok(Next::Done(vec![repost::live(post, job)]))
                    }
                    Step::Repost { .. }
                    | Step::Initialize { .. }
                    | Step::Append { .. }
                    | Step::Finalize { .. }
                    | Step::Process { .. }
                    | Step::Describe { .. }
                    | Step::Publish { .. } => Err(refusal),
                }
            }
        }
    }

    /// All files of all parts come first: a file that is refused must not break a thread in the
    /// middle, and on its time a post has only its parts left to create.
    fn after_file(earned: Earned, job: &Job) -> Step {
        if earned.ready.len() < job.parts.iter().map(|part| part.media.len()).sum() {
            Step::Initialize { earned }
        } else {
            Step::Publish { earned }
        }
    }

    fn after_look(
        mut earned: Earned,
        file: File,
        polls: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        if let Some(wait) = upload::processing(reply, polls)? {
            return Ok(Next::Wait(wait, Step::Process { earned, file, polls }));
        }
        if media(job, &earned).alt.is_empty() {
            earned.ready.push(file);
            return Ok(Next::Go(Step::after_file(earned, job)));
        }
        Ok(Next::Go(Step::Describe { earned, file }))
    }

    fn after_post(mut earned: Earned, id: String, job: &Job) -> Next<Step> {
        earned.sent.push(id);
        if earned.sent.len() < job.parts.len() {
            Next::Go(Step::Publish { earned })
        } else {
            Next::Done(post::live(&earned.sent, &job.site))
        }
    }

    /// Files are kept for a day, so a thread that was held back half-way may find its last ones
    /// gone. They are uploaded once more, and what has been posted stays. Before that nothing is
    /// done here: a delivery without a live part begins anew by itself.
    fn upload_again(&self, job: &Job) -> Option<Step> {
        let mut earned = self.earned()?.clone();
        if earned.sent.is_empty() || earned.uploads == Uploads::Again {
            return None;
        }
        earned.uploads = Uploads::Again;
        earned.ready.truncate(files_before(earned.sent.len(), job));
        Some(Step::after_file(earned, job)).filter(|step| matches!(step, Step::Initialize { .. }))
    }
}

impl Earned {
    fn files_of_next_part(&self, job: &Job) -> &[File] {
        let number = self.sent.len();
        let first = files_before(number, job);
        &self.ready[first..first + job.parts[number].media.len()]
    }
}

fn recognise_repost(post: &str, job: &Job, reply: &Reply) -> Sighting<Step> {
    match timeline::search_repost(post, reply) {
        Timeline::Found(_) => Sighting::Found(Next::Done(vec![repost::live(post, job)])),
        Timeline::Absent => Sighting::Absent,
        Timeline::Unsure(reason) => Sighting::Unsure(reason),
    }
}

fn files_before(part: usize, job: &Job) -> usize {
    job.parts[..part].iter().map(|part| part.media.len()).sum()
}

/// The file that is on its way.
fn media<'a>(job: &'a Job, earned: &Earned) -> &'a JobMedia {
    let file = job.parts.iter().flat_map(|part| &part.media).nth(earned.ready.len());
    file.expect("an upload step has a file left")
}
