//! Instagram. Make a container of every file, wait until Instagram has processed it, publish the
//! container; then one comment, and the address.
//!
//! <https://developers.facebook.com/docs/instagram-platform/content-publishing> and the reference
//! pages of IG User, IG Container and IG Media, as of 2026-10.
//!
//! There is no key that would keep a post single; the container is the guard. It can be asked
//! whether it was published, and only its word that it was not allows another try. Its word does
//! not say as what, so the post is then looked for in the account's list.

mod check;
mod container;
mod discovery;
mod errand;
mod limits;
mod publication;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{
    container::State,
    publication::{Published, Seen},
};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Progress, Reply, Request, Sighting, Site, Task, meta,
    },
    domain::{
        delivery::Live,
        platform::{ApiVersion, Endpoint, Kind, Pace, PaceCounts, PaceScope, Profile, Window},
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
};

pub use self::errand::Errand;

pub struct Instagram;

/// - `(Prepare → Upload?)+ → Process+`, each file; of several also `Gather → Process+`;
/// - then `Allowance → Publish → Comment? → Address`;
/// - `Publish → Process`, when Instagram says that it is not ready after all;
/// - after an unanswered `Publish`: `Find+ → Comment? → Address` if it is out, and if Instagram is
///   still at it, `Settle+ → Find | Publish`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Prepare { earned: Earned },
    Upload { earned: Earned },
    Process { earned: Earned, polls: u32 },
    Gather { earned: Earned },
    Allowance { earned: Earned },
    Publish { earned: Earned },
    Settle { earned: Earned, since: Timestamp, polls: u32, calm: u32 },
    Find { earned: Earned, since: Timestamp, looks: u32 },
    Comment { post: String, tries: u32 },
    Address { post: String, comment: Option<String>, tries: u32 },
}

/// What Instagram has given us so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Earned {
    /// One for each file, in order. That of a single file is the post's.
    containers: Vec<String>,
    /// What swipes through them, where there are several.
    album: Option<String>,
    /// So many of these are processed; the album is the last.
    ready: usize,
    /// How often a container that was ready was not there.
    misses: u32,
}

/// With the consent page of Instagram, everything but the upload is on hosts of its own.
const GRAPH: &str = "graph";
const API: &str = "api";
const WEB: &str = "web";
const FACEBOOK: &str = "facebook";
const FACEBOOK_WEB: &str = "facebook_web";
const UPLOAD: &str = "upload";

/// The ways to sign in; an empty name means the first.
const BY_INSTAGRAM: &str = "instagram";
const BY_FACEBOOK: &str = "facebook";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Connector for Instagram {
    const PROFILE: Profile = Profile {
        platform: "instagram",
        name: "Instagram",
        logins: errand::LOGINS,
        endpoints: &[
            Endpoint { name: GRAPH, default: Some("https://graph.instagram.com") },
            Endpoint { name: API, default: Some("https://api.instagram.com") },
            Endpoint { name: WEB, default: Some("https://www.instagram.com") },
            Endpoint { name: FACEBOOK, default: Some("https://graph.facebook.com") },
            Endpoint { name: FACEBOOK_WEB, default: Some("https://www.facebook.com") },
            Endpoint { name: UPLOAD, default: Some("https://rupload.facebook.com") },
        ],
        version: Some(ApiVersion { default: "v26.0", ends: VERSION_ENDS, alarm_days: 90 }),
        limits: limits::POST,
        kinds: &[Kind::Image, Kind::Video, Kind::Carousel, Kind::Reel, Kind::Comment],
        formats: limits::FORMATS,
        options: limits::OPTIONS,
        paces: PACES,
        access: "Meta lets your own app publish for accounts of people who have a role in it \
                 without a review; for anybody else's it asks for App Review and Business \
                 Verification.",
        guide: include_str!("../guides/instagram.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_: &Job) -> Step {
        Step::Prepare { earned: Earned::default() }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Prepare { earned } => container::of_file(earned.containers.len(), job),
            Step::Upload { earned } => container::upload(&earned.containers, job),
            Step::Process { earned, .. } => container::status(earned.pending(), &job.site),
            Step::Settle { earned, .. } => container::status(earned.own(), &job.site),
            Step::Gather { earned } => container::of_album(&earned.containers, job),
            Step::Allowance { .. } => publication::allowance(job),
            Step::Publish { earned } => publication::publish(earned.own(), job),
            Step::Find { .. } => publication::listing(job),
            Step::Comment { post, .. } => publication::comment(post, job),
            Step::Address { post, .. } => publication::address(post, &job.site),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match meta::is_success(reply) {
            true => step.after(job, reply),
            false => step.refused(reply),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { earned } => Some(container::status(earned.own(), &job.site)),
            Step::Comment { post, .. } => Some(publication::comments(post, &job.site)),
            Step::Prepare { .. }
            | Step::Upload { .. }
            | Step::Process { .. }
            | Step::Gather { .. }
            | Step::Allowance { .. }
            | Step::Settle { .. }
            | Step::Find { .. }
            | Step::Address { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Publish { earned } => Step::recognise_post(earned, job, reply),
            Step::Comment { post, .. } => {
                match publication::seen(&job.parts[1].text, &job.author, reply) {
                    Seen::Found(id) => Sighting::Found(Next::Go(Step::Address {
                        post,
                        comment: Some(id),
                        tries: 0,
                    })),
                    Seen::Absent => Sighting::Absent,
                    Seen::Unsure(reason) => Sighting::Unsure(reason),
                }
            }
            Step::Prepare { .. }
            | Step::Upload { .. }
            | Step::Process { .. }
            | Step::Gather { .. }
            | Step::Allowance { .. }
            | Step::Settle { .. }
            | Step::Find { .. }
            | Step::Address { .. } => {
                Sighting::Unsure("this request leaves nothing to look for".to_owned())
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Prepare { .. }
            | Step::Upload { .. }
            | Step::Process { .. }
            | Step::Gather { .. }
            | Step::Allowance { .. }
            | Step::Publish { .. }
            | Step::Settle { .. } => Vec::new(),
            Step::Find { earned, .. } => Published::Unfound(earned.own()).live(job),
            Step::Comment { post, .. } => Published::Found { post, comment: None }.live(job),
            Step::Address { post, comment, .. } => {
                Published::Found { post, comment: comment.as_deref() }.live(job)
            }
        }
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        check::of(draft)
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

/// developers.facebook.com/docs/graph-api/changelog, as of 2026-10. The end of v26.0 is not
/// announced. "A dead version is not an error": calls are then answered by the oldest living one.
const VERSION_ENDS: &[(&str, &str)] = &[
    ("v20.0", "2026-09-24"),
    ("v21.0", "2027-01-21"),
    ("v22.0", "2027-05-20"),
    ("v23.0", "2027-10-08"),
    ("v24.0", "2028-02-18"),
    ("v25.0", "2028-07-29"),
];

/// "4,800 × impressions" in 24 hours, of which even a new account has one. How many posts are
/// allowed differs by account (25, 50 and 100 are documented), so that is asked before each.
const PACES: &[Pace] = &[Pace {
    name: "requests",
    scope: PaceScope::Account,
    counts: PaceCounts::Requests,
    calls_max: 4_800,
    window: Window::Rolling(DAY),
}];

/// The guide says "once per minute, for no more than 5 minutes", but a long reel takes longer.
/// About half an hour with the waits of [`poll_wait`].
const POLLS_MAX: u32 = 36;

/// A short film is ready within the two minutes before its time.
fn poll_wait(polls: u32) -> Duration {
    Duration::from_secs(match polls {
        0..=3 => 5,
        4..=7 => 15,
        8..=10 => 30,
        _ => 60,
    })
}

/// A container may be missing on one of Instagram's machines while it is there on others.
const MISSES_MAX: u32 = 3;
const AFTER_MISS: Duration = Duration::from_secs(30);

/// So long a container that seemed unpublished has to stay so, and so often it is seen.
const CALM: Duration = Duration::from_secs(60);
const CALM_LOOKS: u32 = 2;

/// The list of posts may lag behind the container.
const FIND_LOOKS: u32 = 8;
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);

/// A post that was just published may not be there yet for its comment, or to be read.
const POST_TRIES: u32 = 4;

impl Step {
    fn after(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Prepare { mut earned } => {
                earned.containers.push(reply.text("/id")?);
                let is_film = container::is_film(&job.parts[0].media[earned.containers.len() - 1]);
                Ok(Next::Go(match is_film {
                    true => Step::Upload { earned },
                    false => Step::after_file(earned, job),
                }))
            }
            Step::Upload { earned } if reply.body["success"] == true => {
                Ok(Next::Go(Step::after_file(earned, job)))
            }
            step @ Step::Upload { .. } => Err(refusal::of_step(&step, reply)),
            Step::Process { earned, polls } => Step::after_poll(earned, polls, job, reply),
            Step::Gather { mut earned } => {
                earned.album = Some(reply.text("/id")?);
                Ok(Next::Go(Step::after_file(earned, job)))
            }
            // What cannot be read here does not keep a post back: publishing is refused anyway
            // where nothing is left.
            Step::Allowance { earned } => match publication::used_up(reply) {
                Some(refusal) => Err(refusal),
                None => Ok(Next::Go(Step::Publish { earned })),
            },
            Step::Publish { .. } => Ok(Next::Go(Step::after_post(reply.text("/id")?, job))),
            Step::Settle { earned, since, polls, calm } => match container::state(reply)? {
                State::Published => Ok(Next::Go(Step::Find { earned, since, looks: 0 })),
                State::Working if polls < POLLS_MAX => {
                    let polls = polls + 1;
                    Ok(Next::Wait(CALM, Step::Settle { earned, since, polls, calm: 0 }))
                }
                State::Working => Err(refusal::never_settled()),
                State::Ready | State::Failed(_) if calm + 1 < CALM_LOOKS => {
                    Ok(Next::Wait(CALM, Step::Settle { earned, since, polls, calm: calm + 1 }))
                }
                State::Ready => Ok(Next::Go(Step::Publish { earned })),
                State::Failed(refusal) => Err(refusal),
            },
            Step::Find { earned, since, looks } => match publication::find(job, since, reply) {
                Some(post) => Ok(Next::Go(Step::after_post(post, job))),
                None if looks + 1 < FIND_LOOKS => {
                    let looks = looks + 1;
                    Ok(Next::Wait(BETWEEN_LOOKS, Step::Find { earned, since, looks }))
                }
                None if job.parts.len() == 1 => {
                    Ok(Next::Done(Published::Unfound(earned.own()).live(job)))
                }
                None => Err(refusal::not_listed()),
            },
            Step::Comment { post, .. } => {
                let comment = Some(reply.text("/id")?);
                Ok(Next::Go(Step::Address { post, comment, tries: 0 }))
            }
            Step::Address { post, comment, .. } => {
                let found = Published::Found { post: &post, comment: comment.as_deref() };
                Ok(Next::Done(found.live_at(reply.body["permalink"].as_str(), job)))
            }
        }
    }

    fn refused(self, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let refusal = refusal::of_step(&self, reply);
        let is_missing = meta::code(reply).is_some_and(refusal::is_missing);
        let is_early = meta::code(reply).is_some_and(refusal::is_early);
        match self {
            Step::Publish { mut earned } if is_missing || is_early => {
                earned.ready = earned.ready.saturating_sub(1);
                Step::after_miss(earned, 0, refusal)
            }
            Step::Process { earned, polls } if is_missing => {
                Step::after_miss(earned, polls, refusal)
            }
            Step::Allowance { earned } if refusal.kind == RefusalKind::Rejected => {
                Ok(Next::Go(Step::Publish { earned }))
            }
            Step::Comment { post, tries } if is_missing && tries + 1 < POST_TRIES => {
                Ok(Next::Wait(AFTER_MISS, Step::Comment { post, tries: tries + 1 }))
            }
            Step::Address { post, comment, tries } if is_missing && tries + 1 < POST_TRIES => {
                let tries = tries + 1;
                Ok(Next::Wait(AFTER_MISS, Step::Address { post, comment, tries }))
            }
            Step::Prepare { .. }
            | Step::Upload { .. }
            | Step::Process { .. }
            | Step::Gather { .. }
            | Step::Allowance { .. }
            | Step::Publish { .. }
            | Step::Settle { .. }
            | Step::Find { .. }
            | Step::Comment { .. }
            | Step::Address { .. } => Err(refusal),
        }
    }

    /// All containers are asked for before the first is waited for, so that Instagram works on
    /// them at the same time.
    fn after_file(earned: Earned, job: &Job) -> Step {
        let files = job.parts[0].media.len();
        if earned.containers.len() < files {
            Step::Prepare { earned }
        } else if earned.ready < files {
            Step::Process { earned, polls: 0 }
        } else if files > 1 && earned.album.is_none() {
            Step::Gather { earned }
        } else if files > 1 && earned.ready == files {
            Step::Process { earned, polls: 0 }
        } else {
            Step::Allowance { earned }
        }
    }

    fn after_poll(
        mut earned: Earned,
        polls: u32,
        job: &Job,
        reply: &Reply,
    ) -> Result<Next<Step>, Refusal> {
        match container::state(reply)? {
            State::Ready => {
                earned.ready += 1;
                Ok(Next::Go(Step::after_file(earned, job)))
            }
            State::Working if polls < POLLS_MAX => {
                Ok(Next::Wait(poll_wait(polls), Step::Process { earned, polls: polls + 1 }))
            }
            State::Working => Err(refusal::never_ready()),
            State::Failed(refusal) => Err(refusal),
            // A publication was refused as too early, and took effect all the same.
            State::Published if earned.awaits_the_post(job) => {
                Ok(Next::Go(Step::Find { earned, since: job.due, looks: 0 }))
            }
            State::Published => Err(reply.unreadable("status_code")),
        }
    }

    /// Whatever was published of it, it was not by this request: it may be tried again.
    fn after_miss(mut earned: Earned, polls: u32, refusal: Refusal) -> Result<Next<Step>, Refusal> {
        earned.misses += 1;
        match earned.misses > MISSES_MAX {
            true => Err(Refusal { kind: RefusalKind::Media, ..refusal }),
            false => Ok(Next::Wait(AFTER_MISS, Step::Process { earned, polls })),
        }
    }

    fn after_post(post: String, job: &Job) -> Step {
        match job.parts.len() {
            1 => Step::Address { post, comment: None, tries: 0 },
            _ => Step::Comment { post, tries: 0 },
        }
    }

    /// `FINISHED` means "ready to be published", so it was not; `ERROR` and `EXPIRED` that it
    /// never will be. If that stays so, Instagram is asked once more and says which.
    fn recognise_post(earned: Earned, job: &Job, reply: &Reply) -> Sighting<Step> {
        let since = job.armed.unwrap_or(job.due);
        let state = match meta::is_success(reply) {
            true => container::state(reply),
            false => Err(refusal::of_reply(reply)),
        };
        match state {
            Ok(State::Published) => {
                Sighting::Found(Next::Go(Step::Find { earned, since, looks: 0 }))
            }
            Ok(State::Ready | State::Failed(_)) => Sighting::Absent,
            Ok(State::Working) => {
                let settle = Step::Settle { earned, since, polls: 0, calm: 0 };
                Sighting::Found(Next::Wait(CALM, settle))
            }
            Err(refusal) => Sighting::Unsure(format!(
                "Instagram could not be asked what became of the container: {}",
                refusal.words
            )),
        }
    }
}

impl Earned {
    /// The container that is waited for.
    fn pending(&self) -> &str {
        match self.containers.get(self.ready) {
            Some(container) => container,
            None => self.own(),
        }
    }

    /// Of several files each has a container that is never published by itself.
    fn awaits_the_post(&self, job: &Job) -> bool {
        let files = job.parts[0].media.len();
        files == 1 || self.ready == files
    }

    /// The container of the post itself.
    fn own(&self) -> &str {
        let own = self.album.as_ref().or(self.containers.first());
        own.expect("a container is waited for and published after it was made")
    }
}

fn is_by_facebook(site: &Site) -> bool {
    site.login == BY_FACEBOOK
}

/// An address of the Graph API, on the host that the account's token is for.
fn graph(site: &Site, path: &str) -> String {
    let host = if is_by_facebook(site) { FACEBOOK } else { GRAPH };
    site.url(host, &format!("/{{version}}{path}"))
}
