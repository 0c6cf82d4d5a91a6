//! A webhook: whatever listens at an address that a person gives. It is told of every part of a
//! post by a signed event of our own shape, as Standard Webhooks has it.
//!
//! <https://www.standardwebhooks.com>, specification 1.0, as of 2026-08.
//!
//! There is nothing to look at afterwards, and nothing needs to be: whoever listens takes two
//! events with the same `webhook-id` for one. Connecting tries that out.

mod errand;
mod event;
mod refusal;

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    connectors::{Connector, Job, Next, Paste, Progress, Reply, Request, Sighting, Site, Task},
    domain::{
        delivery::Live,
        platform::{
            Endpoint, Intake, Kind, Limits, Login, Loss, Mixing, OptionRule, OptionValue, Pace,
            PaceCounts, PaceScope, Pasted, Profile, TextLimit, TextUnit, Wanted, Window,
        },
        problem::{Code, Problem},
        refusal::Refusal,
    },
};

pub use self::{errand::Errand, event::Sent};

pub struct Webhook;

/// `Deliver+`, one for each part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Deliver { sent: Vec<Sent> },
}

/// The address itself; it is kept as the account's own.
const HOOK: &str = "hook";

/// How the secrets of symmetric signatures begin.
const PREFIX: &str = "whsec_";

impl Connector for Webhook {
    const PROFILE: Profile = Profile {
        platform: "webhook",
        name: "Webhook",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("the address that events are sent to"),
            secret: Wanted::Made { what: "a secret that events are signed with", prefix: PREFIX },
        })],
        endpoints: &[Endpoint { name: HOOK, default: None }],
        version: None,
        limits: LIMITS,
        kinds: &[
            Kind::Text,
            Kind::Link,
            Kind::Image,
            Kind::Gif,
            Kind::Video,
            Kind::Document,
            Kind::Thread,
        ],
        formats: &[],
        options: OPTIONS,
        // So that a backlog does not become a flood; whoever wants less of it answers 429.
        paces: &[Pace {
            name: "events",
            scope: PaceScope::Account,
            counts: PaceCounts::Requests,
            calls_max: 60,
            window: Window::Rolling(Duration::from_secs(60)),
        }],
        access: "Any https address that answers a signed test event with a 2xx status.",
        guide: include_str!("../guides/webhook.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(_job: &Job) -> Step {
        Step::Deliver { sent: Vec::new() }
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Deliver { sent } => event::published(sent, job),
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        let Step::Deliver { mut sent } = step;
        if !reply.is_success() {
            return Err(refusal::of(reply, &address(&job.site)));
        }
        sent.push(Sent::read(event::id(sent.len(), job), reply));
        Ok(match sent.len() < job.parts.len() {
            true => Next::Go(Step::Deliver { sent }),
            false => Next::Done(live(&sent, job)),
        })
    }

    fn probe(_step: &Step, _job: &Job) -> Option<Request> {
        None
    }

    fn recognise(_step: Step, _job: &Job, _reply: &Reply) -> Sighting<Step> {
        Sighting::Unsure("a webhook shows nothing of what it was sent".to_owned())
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Deliver { sent } => live(sent, job),
        }
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        let url = Url::parse(&pasted.identifier).ok();
        let url = url.filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        let Some(mut url) = url else {
            let sentence = "A webhook needs a whole address, such as `https://example.com/hook`.";
            let remedy = "Enter the address as your program answers to it.";
            return Err(Problem::new(Code::Invalid, sentence, remedy).at("identifier"));
        };
        if !url.username().is_empty() || url.password().is_some() {
            let sentence = "The address holds a user name or a password.";
            let remedy =
                "Leave them out: events are signed, and that is how they prove themselves.";
            return Err(Problem::new(Code::Invalid, sentence, remedy).at("identifier"));
        }
        // Of no meaning to a server, which never sees it.
        url.set_fragment(None);
        if !is_usable(pasted.secret.expose()) {
            let sentence = "The secret is not `whsec_` and 24 to 64 bytes in base 64.";
            let remedy = "Leave it out: then one is made, and shown to you once.";
            return Err(Problem::new(Code::Invalid, sentence, remedy).at("password"));
        }
        Ok(Paste { identifier: url.into(), ..pasted })
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

/// "Keep < 20 KB": a long text, and files by their addresses.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 10_000, unit: TextUnit::Chars },
    images_max: 10,
    image_bytes_max: 100_000_000,
    image_formats: &["image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff"],
    gif_bytes_max: 100_000_000,
    videos_max: 10,
    video_bytes_max: 10_000_000_000,
    video_formats: &["video/mp4", "video/quicktime", "video/webm"],
    documents_max: 10,
    document_bytes_max: 100_000_000,
    document_formats: &[
        "application/pdf",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
    alt_chars_max: 2_000,
    parts_max: 25,
    mixing: Mixing::Allowed,
    intake: Intake::AllByUrl,
    ..Limits::NONE
};

const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: "link",
        value: OptionValue::Url,
        loss: Loss::Misleads { except: &[] },
        about: "An address that belongs to the post.",
    },
    OptionRule {
        name: "link_description",
        value: OptionValue::Text { chars_max: 1_000 },
        loss: Loss::Harmless,
        about: "What is behind the link.",
    },
    OptionRule {
        name: "link_title",
        value: OptionValue::Text { chars_max: 300 },
        loss: Loss::Harmless,
        about: "The title of the link.",
    },
    OptionRule {
        name: "title",
        value: OptionValue::Text { chars_max: 300 },
        loss: Loss::Harmless,
        about: "The title of the post.",
    },
];

/// As it was pasted. [`Site::url`] would take a slash from its end, which some servers answer to
/// with a redirect.
fn address(site: &Site) -> String {
    site.endpoints.get(HOOK).cloned().unwrap_or_default()
}

/// All of the address that may be shown: its path is often as good as a password.
fn origin(site: &Site) -> String {
    Url::parse(&address(site)).map_or_else(
        |_| "https://unknown.invalid/".to_owned(),
        |url| format!("{}/", url.origin().ascii_serialization()),
    )
}

fn live(sent: &[Sent], job: &Job) -> Vec<Live> {
    sent.iter().map(|sent| sent.live(&job.site)).collect()
}

/// "24 to 64 bytes" of randomness, in base 64 behind the prefix.
fn is_usable(secret: &str) -> bool {
    let key = secret.strip_prefix(PREFIX).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
    key.is_some_and(|key| (24..=64).contains(&key.len()))
}
