//! Slack: a bot that writes in a channel, or a channel's incoming webhook. Upload every file, then
//! send one message for each part.
//!
//! <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/messaging/working-with-files> and
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, as of 2026-08.
//!
//! A bot's messages carry a key in their metadata, and can be looked for. A part with files becomes
//! a message some moments later, of which Slack tells by the files. A webhook sees nothing of what
//! it sent, so there a person looks.

mod draft;
mod errand;
mod listing;
mod message;
mod profile;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::{listing::Listing, message::Sent};
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Paste, Progress, Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::Profile,
        problem::Problem,
        refusal::{Refusal, RefusalKind},
    },
};

pub use self::errand::Errand;

pub struct Slack;

/// `(Reserve → Upload)* → (Publish → Locate*)+`. `files` are the ids of what is uploaded, over all
/// parts in order; `sent` is what readers can see. Only a first part with files is located: the
/// parts that answer it have to name its message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Reserve { files: Vec<String> },
    Upload { files: Vec<String>, file: String, url: String },
    Publish { files: Vec<String>, sent: Vec<Sent> },
    Locate { files: Vec<String>, sent: Vec<Sent>, polls: u32 },
}

const API: &str = "api";
const APP: &str = "app";
const HOOKS: &str = "hooks";
const WEB: &str = "web";

/// The ways of signing in; an empty name is the bot.
const BOT: &str = "bot";
const WEBHOOK: &str = "webhook";
const OAUTH: &str = "app";

const POLL: Duration = Duration::from_secs(2);

/// A minute.
const POLLS_MAX: u32 = 30;

impl Connector for Slack {
    const PROFILE: Profile = profile::PROFILE;

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        Step::after_file(Vec::new(), job)
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Reserve { files } => message::reservation(files.len(), job),
            Step::Upload { files, url, .. } => message::upload(files.len(), url, job),
            Step::Publish { files, sent } => message::sending(files, sent, job),
            Step::Locate { sent, .. } => {
                message::info(sent.first().map_or("", Sent::file), &job.site)
            }
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match step {
            Step::Reserve { files } if refusal::is_success(reply) => {
                let (file, url) = (reply.text("/file_id")?, reply.text("/upload_url")?);
                Ok(Next::Go(Step::Upload { files, file, url }))
            }
            Step::Upload { mut files, file, .. } if reply.status == 200 => {
                files.push(file);
                Ok(Next::Go(Step::after_file(files, job)))
            }
            Step::Publish { files, sent } if refusal::is_sent(job, reply) => {
                let part = Sent::read(&files, &sent, job, reply)?;
                Ok(Step::after_part(files, sent, part, job))
            }
            Step::Locate { files, mut sent, polls } if refusal::is_success(reply) => {
                match (message::time_of_file(&reply.body, job), polls < POLLS_MAX) {
                    (Some(time), _) => {
                        if let Some(first) = sent.first_mut() {
                            first.locate(time);
                        }
                        Ok(Step::go_on(files, sent, job))
                    }
                    (None, true) => {
                        Ok(Next::Wait(POLL, Step::Locate { files, sent, polls: polls + 1 }))
                    }
                    (None, false) if job.parts.len() == 1 => Ok(Step::go_on(files, sent, job)),
                    (None, false) => Err(Refusal::new(
                        RefusalKind::Media,
                        "not_shown",
                        "Slack did not say which message the files became, so nothing can answer it",
                    )),
                }
            }
            step @ (Step::Reserve { .. }
            | Step::Upload { .. }
            | Step::Publish { .. }
            | Step::Locate { .. }) => Err(refusal::of_step(&step, reply)),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { files, sent } if !is_webhook(&job.site) => {
                Some(listing::request(files, sent, job))
            }
            Step::Reserve { .. }
            | Step::Upload { .. }
            | Step::Publish { .. }
            | Step::Locate { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let Step::Publish { files, sent } = step else {
            return Sighting::Unsure("an upload leaves nothing to look for".to_owned());
        };
        match listing::search(&files, &sent, job, reply) {
            Listing::Found(part) => Sighting::Found(Step::after_part(files, sent, part, job)),
            Listing::Absent => Sighting::Absent,
            Listing::Unsure(reason) => Sighting::Unsure(reason),
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Reserve { .. } | Step::Upload { .. } => Vec::new(),
            Step::Publish { sent, .. } | Step::Locate { sent, .. } => Sent::live(sent, job),
        }
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        draft::check(draft)
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        errand::paste(pasted)
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
    fn after_file(files: Vec<String>, job: &Job) -> Step {
        if files.len() < job.parts.iter().map(|part| part.media.len()).sum() {
            Step::Reserve { files }
        } else {
            Step::Publish { files, sent: Vec::new() }
        }
    }

    fn after_part(files: Vec<String>, mut sent: Vec<Sent>, part: Sent, job: &Job) -> Next<Step> {
        let is_to_be_located = sent.is_empty() && part.is_not_located();
        sent.push(part);
        match is_to_be_located {
            true => Next::Go(Step::Locate { files, sent, polls: 0 }),
            false => Step::go_on(files, sent, job),
        }
    }

    fn go_on(files: Vec<String>, sent: Vec<Sent>, job: &Job) -> Next<Step> {
        match sent.len() < job.parts.len() {
            true => Next::Go(Step::Publish { files, sent }),
            false => Next::Done(Sent::live(&sent, job)),
        }
    }
}

fn is_webhook(site: &Site) -> bool {
    site.login == WEBHOOK
}
