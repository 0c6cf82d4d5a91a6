//! LinkedIn, for members and for organizations. Upload every file and wait until it is ready; then
//! create the post, and perhaps a comment below it.
//!
//! <https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api> with its
//! neighbours `images-api`, `videos-api`, `documents-api`, `poll-post-api` and `comments-api`, and
//! <https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow>, all as of
//! 2026-09-16.
//!
//! LinkedIn has no key that would keep a post single, and shows members nothing of what they have
//! posted. An organization's post whose answer never came is looked for in its list; about a
//! member's, a person decides.

mod check;
mod errand;
mod listing;
mod post;
mod profile;
mod refusal;
mod upload;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::{
    connectors::{
        Connector, Draft, Finding, Job, JobMedia, Next, Progress, Reply, Request, Sighting, Site,
        Task,
    },
    domain::{
        account::Identity,
        delivery::Live,
        platform::Profile,
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::{errand::Errand, upload::File};

pub struct LinkedIn;

/// `(Initialize → Upload+ → Finalize?)* → Process* → Publish+ → Comment?`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// `ready`: the URNs of the files that are uploaded, in order.
    Initialize {
        ready: Vec<String>,
    },
    Upload {
        ready: Vec<String>,
        file: File,
    },
    /// Of a video: its pieces become one.
    Finalize {
        ready: Vec<String>,
        file: File,
    },
    /// Is the file at `seen` processed?
    Process {
        ready: Vec<String>,
        seen: usize,
        polls: u32,
    },
    /// `waits`: how often a file was not processed yet, after all.
    Publish {
        ready: Vec<String>,
        waits: u32,
    },
    /// `post`: the URN of what readers can see.
    Comment {
        post: String,
    },
}

const API: &str = "api";
const WEB: &str = "web";

/// The trait that says what an account is: a [`MEMBER`] or an [`ORGANIZATION`]. The ways to sign in
/// have the same names.
const KIND: &str = "kind";
const MEMBER: &str = "member";
const ORGANIZATION: &str = "organization";

/// "Member tokens cannot read images or documents": what LinkedIn makes of them takes some seconds.
const GRACE: Duration = Duration::from_secs(8);

/// For a file that LinkedIn still works on when its post is created.
const NOT_YET: Duration = Duration::from_secs(15);

/// Ten minutes of [`NOT_YET`]: more is a file that LinkedIn will not finish.
const WAITS_MAX: u32 = 40;

impl Connector for LinkedIn {
    const PROFILE: Profile = profile::PROFILE;

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        let ready = Vec::new();
        match job.parts[0].media.is_empty() {
            true => Step::Publish { ready, waits: 0 },
            false => Step::Initialize { ready },
        }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Initialize { ready } => upload::initialize(media(job, ready.len()), job),
            Step::Upload { ready, file } => upload::piece(file, media(job, ready.len()), &job.site),
            Step::Finalize { file, .. } => upload::finalize(file, &job.site),
            Step::Process { ready, seen, .. } => {
                upload::status(&ready[*seen], media(job, *seen), &job.site)
            }
            Step::Publish { ready, .. } => post::creation(ready, job),
            Step::Comment { post } => post::comment(post, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match reply.is_success() {
            true => step.after_yes(job, reply),
            false => step.after_no(job, reply),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        if !is_organization(&job.author) {
            return None;
        }
        match step {
            Step::Publish { .. } => Some(listing::look(job)),
            Step::Comment { post } => Some(listing::look_below(post, job)),
            Step::Initialize { .. }
            | Step::Upload { .. }
            | Step::Finalize { .. }
            | Step::Process { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        match step {
            Step::Publish { ready, .. } => {
                listing::search(&ready, job, reply).then(|urn| Step::after_post(urn, job))
            }
            Step::Comment { post } => {
                listing::search_below(job, reply).then(|id| Step::after_comment(&post, id, job))
            }
            Step::Initialize { .. }
            | Step::Upload { .. }
            | Step::Finalize { .. }
            | Step::Process { .. } => {
                Sighting::Unsure("an upload leaves nothing to look for".to_owned())
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Comment { post } => vec![post::live(post, &job.site)],
            Step::Initialize { .. }
            | Step::Upload { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Publish { .. } => Vec::new(),
        }
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        check::check(draft)
    }

    fn errand(task: &Task, site: &Site) -> Option<Errand> {
        errand::begin(task, site)
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

impl Step {
    fn after_yes(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match self {
            Step::Initialize { ready } => {
                let file = File::read(media(job, ready.len()), reply)?;
                Ok(Next::Go(Step::Upload { ready, file }))
            }
            Step::Upload { ready, mut file } => {
                let is_video = upload::is_video(media(job, ready.len()));
                file.take(is_video, reply)?;
                Ok(match (file.is_sent(), is_video) {
                    (false, _) => Next::Go(Step::Upload { ready, file }),
                    (true, true) => Next::Go(Step::Finalize { ready, file }),
                    (true, false) => Step::after_file(ready, file, job),
                })
            }
            Step::Finalize { ready, file } => Ok(Step::after_file(ready, file, job)),
            Step::Process { ready, seen, polls } => Ok(match upload::processing(reply, polls)? {
                None => Next::Go(Step::look_from(seen + 1, ready, job)),
                Some(wait) => Next::Wait(wait, Step::Process { ready, seen, polls: polls + 1 }),
            }),
            Step::Publish { .. } => Ok(Step::after_post(post::created(reply)?, job)),
            Step::Comment { post } => Ok(Step::after_comment(&post, post::commented(reply)?, job)),
        }
    }

    fn after_no(self, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let refusal = refusal::of_step(&self, reply);
        match self {
            // Reading a file's status is refused now and then; creating the post will tell.
            Step::Process { ready, seen, .. } if reply.status == 403 => {
                Ok(Next::Wait(GRACE, Step::look_from(seen + 1, ready, job)))
            }
            // Nothing was created: the post waits for its file.
            Step::Publish { ready, waits } if refusal::is_not_yet(reply) => {
                if waits < WAITS_MAX {
                    return Ok(Next::Wait(NOT_YET, Step::Publish { ready, waits: waits + 1 }));
                }
                Err(Refusal { kind: RefusalKind::Media, ..refusal })
            }
            Step::Initialize { .. }
            | Step::Upload { .. }
            | Step::Finalize { .. }
            | Step::Process { .. }
            | Step::Publish { .. }
            | Step::Comment { .. } => Err(refusal),
        }
    }

    fn after_file(mut ready: Vec<String>, file: File, job: &Job) -> Next<Step> {
        ready.push(file.urn);
        if ready.len() < job.parts[0].media.len() {
            return Next::Go(Step::Initialize { ready });
        }
        let next = Step::look_from(0, ready, job);
        match matches!(next, Step::Publish { .. }) {
            true => Next::Wait(GRACE, next),
            false => Next::Go(next),
        }
    }

    /// The next file whose status this account may read; else the post itself.
    fn look_from(from: usize, ready: Vec<String>, job: &Job) -> Step {
        let is_readable =
            |media: &JobMedia| is_organization(&job.author) || upload::is_video(media);
        let files = job.parts[0].media.iter().enumerate().skip(from);
        match files.filter(|(_, media)| is_readable(media)).map(|(index, _)| index).next() {
            Some(seen) => Step::Process { ready, seen, polls: 0 },
            None => Step::Publish { ready, waits: 0 },
        }
    }

    fn after_post(urn: String, job: &Job) -> Next<Step> {
        match job.parts.len() {
            1 => Next::Done(vec![post::live(&urn, &job.site)]),
            _ => Next::Go(Step::Comment { post: urn }),
        }
    }

    /// A comment has no address of its own that is documented; readers find it below the post.
    fn after_comment(post: &str, id: String, job: &Job) -> Next<Step> {
        let post = post::live(post, &job.site);
        let comment = Live { id, url: post.url.clone() };
        Next::Done(vec![post, comment])
    }
}

fn media(job: &Job, index: usize) -> &JobMedia {
    job.parts[0].media.get(index).expect("a step of an upload has a file")
}

fn is_organization(author: &Identity) -> bool {
    author.traits.get(KIND).is_some_and(|kind| kind == ORGANIZATION)
}

/// What every call below `/rest` has to say.
fn versioned(mut request: Request, site: &Site) -> Request {
    request.headers.push(("linkedin-version", site.version.clone()));
    request.headers.push(("x-restli-protocol-version", "2.0.0".to_owned()));
    request
}

/// "All URNs must be URL encoded", which Rest.li's own punctuation around them must not be.
fn encoded(urn: &str) -> String {
    form_urlencoded::byte_serialize(urn.as_bytes()).collect()
}
