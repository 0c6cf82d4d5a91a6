//! Discord: a bot that writes in a channel, or a channel's webhook. One call sends one part, with
//! its files.
//!
//! <https://docs.discord.com/developers/resources/message> and
//! <https://docs.discord.com/developers/resources/webhook>, API v10, as of 2026-08.
//!
//! A bot's messages carry a nonce that Discord recognises, and can be looked for. A webhook sees
//! nothing of what it sent, so there a person looks.

mod draft;
mod errand;
mod listing;
mod message;
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
        platform::{
            Endpoint, Kind, Limits, Login, Mixing, Pace, PaceCounts, PaceScope, Pasted, Profile,
            TextLimit, TextUnit, Wanted, Window,
        },
        problem::Problem,
        refusal::Refusal,
    },
};

pub use self::errand::Errand;

pub struct Discord;

/// `Send+`. `sent` holds the messages that readers can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Send { sent: Vec<Sent> },
}

const API: &str = "api";
const CDN: &str = "cdn";
const WEB: &str = "web";

/// The ways of signing in; an empty name is the bot.
const BOT: &str = "bot";
const WEBHOOK: &str = "webhook";

impl Connector for Discord {
    const PROFILE: Profile = Profile {
        platform: "discord",
        name: "Discord",
        logins: &[
            Login::Pasted(Pasted {
                name: BOT,
                identifier: Wanted::Required("the id of a channel"),
                secret: Wanted::Required("the token of a bot"),
            }),
            Login::Pasted(Pasted {
                name: WEBHOOK,
                identifier: Wanted::Nothing,
                secret: Wanted::Required("the address of a webhook"),
            }),
        ],
        endpoints: &[
            Endpoint { name: API, default: Some("https://discord.com/api/v10") },
            Endpoint { name: CDN, default: Some("https://cdn.discordapp.com") },
            Endpoint { name: WEB, default: Some("https://discord.com") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Gif,
            Kind::Video,
            Kind::Document,
            Kind::Poll,
            Kind::Thread,
        ],
        formats: &[],
        options: draft::OPTIONS,
        // Discord names its limits in its answers only; this one others have met (unconfirmed). A
        // channel that is full says until when.
        paces: &[Pace {
            name: "requests",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 30,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "Free, without review: a webhook of a channel, or a bot of your own.",
        guide: include_str!("../guides/discord.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_job: &Job) -> Step {
        Step::Send { sent: Vec::new() }
    }

    fn request(step: &Step, job: &Job) -> Request {
        let Step::Send { sent } = step;
        message::sending(sent, job)
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let Step::Send { sent } = step;
        if reply.status != 200 {
            return Err(refusal::of_reply(reply));
        }
        let message = Sent::find(&reply.body, job).ok_or_else(|| reply.unreadable("/id"))?;
        Ok(Step::after(sent, message, job))
    }

    fn probe(_step: &Step, job: &Job) -> Option<Request> {
        (!is_webhook(&job.site)).then(|| listing::request(job))
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let Step::Send { sent } = step;
        match listing::search(&sent, job, reply) {
            Listing::Found(message) => Sighting::Found(Step::after(sent, message, job)),
            Listing::Absent => Sighting::Absent,
            Listing::Unsure(reason) => Sighting::Unsure(reason),
        }
    }

    fn live(step: &Step, _job: &Job) -> Vec<Live> {
        let Step::Send { sent } = step;
        sent.iter().map(Sent::live).collect()
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
    fn after(mut sent: Vec<Sent>, message: Sent, job: &Job) -> Next<Step> {
        sent.push(message);
        match sent.len() < job.parts.len() {
            true => Next::Go(Step::Send { sent }),
            false => Next::Done(sent.iter().map(Sent::live).collect()),
        }
    }
}

fn is_webhook(site: &Site) -> bool {
    site.login == WEBHOOK
}

const MIB: u64 = 1_024 * 1_024;

/// resources/message and reference, "Uploading files", as of 2026-08: 2,000 characters, ten files
/// of 10 MiB, more on a server that is boosted, which nobody tells us of.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 2_000, unit: TextUnit::Chars },
    media_max: Some(10),
    images_max: 10,
    image_bytes_max: 10 * MIB,
    image_formats: &["image/png", "image/jpeg", "image/webp"],
    gif_bytes_max: 10 * MIB,
    videos_max: 10,
    video_bytes_max: 10 * MIB,
    video_formats: &["video/mp4", "video/webm", "video/quicktime"],
    documents_max: 10,
    document_bytes_max: 10 * MIB,
    document_formats: &[
        "application/pdf",
        "application/msword",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 1_024,
    parts_max: 25,
    mixing: Mixing::Allowed,
    ..Limits::NONE
};
