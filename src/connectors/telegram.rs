//! Telegram: a bot that writes in a channel or a group. One call sends one part, with its files.
//!
//! <https://core.telegram.org/bots/api> (Bot API 10.1 of 2026-06-11) and
//! <https://core.telegram.org/bots/faq>, both as of 2026-06.
//!
//! A bot sees nothing of what it wrote, and no call takes a key. So whether a call that was not
//! answered took effect is never guessed: a person looks.

mod draft;
mod errand;
mod markup;
mod message;
mod refusal;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::message::Sent;
use crate::{
    connectors::{
        Connector, Draft, Finding, Job, Next, Paste, Progress, Reply, Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            Endpoint, Kind, Limits, Login, Mixing, Pace, PaceCounts, PaceScope, Pasted, Profile,
            Ratios, TextLimit, TextUnit, Wanted, Window,
        },
        problem::Problem,
        refusal::Refusal,
    },
};

pub use self::errand::Errand;

pub struct Telegram;

/// `Send+`. `chat` is the account's own, until Telegram says that the group has another number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Send { chat: String, sent: Vec<Sent> },
}

const API: &str = "api";
const OFFICIAL: &str = "https://api.telegram.org";
const WEB: &str = "web";

impl Connector for Telegram {
    const PROFILE: Profile = Profile {
        platform: "telegram",
        name: "Telegram",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("a channel or group, as @name or as its number -100…"),
            secret: Wanted::Required("the token of a bot, from @BotFather"),
        })],
        endpoints: &[
            Endpoint { name: API, default: Some(OFFICIAL) },
            Endpoint { name: WEB, default: Some("https://t.me") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Gif,
            Kind::Video,
            Kind::Carousel,
            Kind::Document,
            Kind::Thread,
        ],
        formats: &[],
        options: draft::OPTIONS,
        // bots/faq: "20 messages per minute to the same group", about one a second to one chat;
        // each file of an album is a message. When it is too much, Telegram says until when.
        paces: &[Pace {
            name: "messages",
            scope: PaceScope::Account,
            counts: PaceCounts::Units,
            calls_max: 20,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "Free, without review: a bot of your own, as an administrator of the channel.",
        guide: include_str!("../guides/telegram.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        Step::Send { chat: job.author.remote_id.clone(), sent: Vec::new() }
    }

    fn request(step: &Step, job: &Job) -> Request {
        let Step::Send { chat, sent } = step;
        message::sending(chat, sent, job)
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let Step::Send { chat, mut sent } = step;
        if !refusal::is_success(reply) {
            let is_first = chat == job.author.remote_id;
            return match refusal::moved(reply).filter(|moved| is_first && *moved != chat) {
                // Nothing was sent: the group became a supergroup, which has a number of its own.
                Some(chat) => Ok(Next::Go(Step::Send { chat, sent })),
                None => Err(refusal::of_reply(reply)),
            };
        }
        let part = Sent::read(&chat, sent.len(), job, reply)?;
        sent.push(part);
        Ok(match sent.len() < job.parts.len() {
            true => Next::Go(Step::Send { chat, sent }),
            false => Next::Done(sent.iter().map(Sent::live).collect()),
        })
    }

    fn probe(_step: &Step, _job: &Job) -> Option<Request> {
        None
    }

    fn recognise(_step: Step, _job: &Job, _reply: &Reply) -> Sighting<Step> {
        Sighting::Unsure("Telegram shows a bot nothing of what it sent".to_owned())
    }

    fn live(step: &Step, _job: &Job) -> Vec<Live> {
        let Step::Send { sent, .. } = step;
        sent.iter().map(Sent::live).collect()
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        draft::check(draft)
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        errand::paste(pasted)
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

const MB: u64 = 1_000_000;

/// "10 MB max size for photos, 50 MB for other files", "The photo's width and height must not
/// exceed 10000 in total. Width and height ratio must be at most 20" (bots/api, sending files, as
/// of 2026-06). There are no descriptions of files: they are taken, and said to be lost.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 4_096, unit: TextUnit::Utf16 },
    media_max: Some(ALBUM_MAX),
    images_max: ALBUM_MAX,
    image_bytes_max: 10 * MB,
    image_formats: &["image/jpeg", "image/png", "image/webp"],
    image_ratio: Some(Ratios { min: 50, max: 20_000 }),
    gif_bytes_max: 50 * MB,
    videos_max: ALBUM_MAX,
    video_bytes_max: 50 * MB,
    video_formats: &["video/mp4"],
    documents_max: ALBUM_MAX,
    document_bytes_max: 50 * MB,
    document_formats: &[
        "application/pdf",
        "application/msword",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 10_000,
    parts_max: 25,
    mixing: Mixing::Allowed,
    ..Limits::NONE
};

/// "An array … must include 2-10 items" (bots/api, sendMediaGroup, as of 2026-06).
const ALBUM_MAX: u32 = 10;
