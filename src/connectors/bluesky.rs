//! Bluesky, on whatever server of the AT Protocol an account lives. Look up who is mentioned,
//! upload every file, then create one record per part.
//!
//! <https://docs.bsky.app/docs/advanced-guides/posts>, <https://atproto.com/specs/record-key>,
//! <https://docs.bsky.app/docs/advanced-guides/rate-limits> and the lexicons at
//! <https://github.com/bluesky-social/atproto/tree/main/lexicons>, read 2026-11-21.
//!
//! We choose each record's key and time ourselves, from the delivery alone. So a repeated request
//! is the same request, the server cannot keep two of it, and a read of that key tells what
//! happened.
//!
//! A video goes to the account's server like an image and is converted when it is first asked for
//! (<https://docs.bsky.app/docs/tutorials/video>, the simpler of its two ways).

mod errand;
mod facets;
mod key;
mod record;
mod refusal;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    connectors::{
        Auth, Body, Connector, Draft, Finding, Job, JobMedia, Next, Paste, Progress, Repeat, Reply,
        Request, Sighting, Site, Task,
    },
    domain::{
        delivery::Live,
        platform::{
            Endpoint, Kind, Limits, Login, Loss, OptionRule, OptionValue, Pace, PaceCounts,
            PaceScope, Pasted, Profile, TextLimit, TextUnit, Wanted, Window,
        },
        problem::{Code, Problem},
        refusal::Refusal,
    },
};

pub use self::errand::Errand;

pub struct Bluesky;

/// `Resolve* → Upload* → Publish+`. `known` is who the mentioned handles are, `None` for nobody;
/// `blobs` are the uploaded files over all parts in order, `sent` the records that readers can see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Step {
    Resolve { known: Known },
    Upload { known: Known, blobs: Vec<Value> },
    Publish { known: Known, blobs: Vec<Value>, sent: Vec<Sent> },
}

pub type Known = BTreeMap<String, Option<String>>;

/// A record as others refer to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    uri: String,
    cid: String,
}

const ENTRY: &str = "entry";
const PDS: &str = "pds";
const PLC: &str = "plc";
const APP: &str = "app";

const COLLECTION: &str = "app.bsky.feed.post";

/// A record is there once its server has answered; this is for a request that is still at work.
const SETTLE: Duration = Duration::from_secs(1);

impl Connector for Bluesky {
    const PROFILE: Profile = Profile {
        platform: "bluesky",
        name: "Bluesky",
        logins: &[Login::Pasted(Pasted {
            name: "",
            identifier: Wanted::Required("a handle"),
            secret: Wanted::Required("an app password"),
        })],
        endpoints: &[
            Endpoint { name: ENTRY, default: Some("https://bsky.social") },
            // Where the account lives; signing in finds it.
            Endpoint { name: PDS, default: None },
            Endpoint { name: PLC, default: Some("https://plc.directory") },
            Endpoint { name: APP, default: Some("https://bsky.app") },
        ],
        version: None,
        limits: LIMITS,
        kinds: &[Kind::Text, Kind::Link, Kind::Image, Kind::Video, Kind::Thread],
        formats: &[],
        options: OPTIONS,
        // 5,000 points an hour and 35,000 a day, of which creating a record costs 3, and 3,000
        // requests in 5 minutes (advanced-guides/rate-limits, read 2026-11-21).
        paces: &[
            Pace {
                name: "requests",
                scope: PaceScope::Account,
                counts: PaceCounts::Requests,
                calls_max: 3_000,
                window: Window::Rolling(Duration::from_secs(5 * 60)),
            },
            Pace {
                name: "hour",
                scope: PaceScope::Account,
                counts: PaceCounts::Publications,
                calls_max: 1_666,
                window: Window::Rolling(Duration::from_secs(60 * 60)),
            },
            Pace {
                name: "day",
                scope: PaceScope::Account,
                counts: PaceCounts::Publications,
                calls_max: 11_666,
                window: Window::Rolling(Duration::from_secs(24 * 60 * 60)),
            },
        ],
        access: "Free with an app password, without review; a video may be as large as a file on \
                 the account's server: 50 MiB at Bluesky itself, 5 MiB by default elsewhere.",
        guide: include_str!("../guides/bluesky.md"),
    };

    type Step = Step;
    type Errand = Errand;

    fn begin(job: &Job) -> Step {
        Step::after_handle(Known::new(), job)
    }

    fn request(step: &Step, job: &Job) -> Request {
        match step {
            Step::Resolve { known } => {
                let handle = unknown(known, job).expect("a handle is left to look up");
                let path = format!("/xrpc/com.atproto.identity.resolveHandle?handle={handle}");
                Request { auth: Auth::None, ..Request::get(job.site.url(PDS, &path)) }
            }
            Step::Upload { blobs, .. } => upload(file(job, blobs.len()), job),
            Step::Publish { known, blobs, sent } => {
                let body = record::creation(known, blobs, sent, job);
                let url = job.site.url(PDS, "/xrpc/com.atproto.repo.createRecord");
                Request::post(url, Body::Json(body), Repeat::Probed { settle: SETTLE })
            }
        }
    }

    fn accept(step: Step, job: &Job, reply: &Reply) -> Result<Next<Step>, Refusal> {
        match (step, reply.status) {
            (Step::Resolve { mut known }, 200) => {
                let handle = unknown(&known, job).expect("a handle was looked up");
                known.insert(handle, Some(reply.text("/did")?));
                Ok(Next::Go(Step::after_handle(known, job)))
            }
            // Nobody has this name, so it is a word like any other.
            (Step::Resolve { mut known }, 400 | 404) if refusal::is_about_the_handle(reply) => {
                let handle = unknown(&known, job).expect("a handle was looked up");
                known.insert(handle, None);
                Ok(Next::Go(Step::after_handle(known, job)))
            }
            (Step::Upload { known, mut blobs }, 200) => {
                let blob = reply.body.get("blob").filter(|blob| blob.is_object());
                blobs.push(blob.ok_or_else(|| reply.unreadable("/blob"))?.clone());
                Ok(Next::Go(Step::after_file(known, blobs, job)))
            }
            (Step::Publish { known, blobs, sent }, 200) => {
                let record = Sent { uri: reply.text("/uri")?, cid: reply.text("/cid")? };
                Ok(Step::after_record(known, blobs, sent, record, job))
            }
            (step, _) => Err(refusal::of_step(&step, reply)),
        }
    }

    fn probe(step: &Step, job: &Job) -> Option<Request> {
        match step {
            Step::Publish { sent, .. } => {
                let path = format!(
                    "/xrpc/com.atproto.repo.getRecord?repo={}&collection={COLLECTION}&rkey={}",
                    job.author.remote_id,
                    key::of_part(job, sent.len())
                );
                // Records are public, so the look does not depend on a token.
                Some(Request { auth: Auth::None, ..Request::get(job.site.url(PDS, &path)) })
            }
            Step::Resolve { .. } | Step::Upload { .. } => None,
        }
    }

    fn recognise(step: Step, job: &Job, reply: &Reply) -> Sighting<Step> {
        let Step::Publish { known, blobs, sent } = step else {
            return Sighting::Unsure("an upload leaves nothing to look for".to_owned());
        };
        let text = |pointer: &str| reply.body.pointer(pointer).and_then(Value::as_str);
        if text("/error") == Some("RecordNotFound") {
            return Sighting::Absent;
        }
        match (reply.status, text("/uri"), text("/cid"), text("/value/text")) {
            (200, Some(uri), Some(cid), Some(found)) if found == job.parts[sent.len()].text => {
                let record = Sent { uri: uri.to_owned(), cid: cid.to_owned() };
                Sighting::Found(Step::after_record(known, blobs, sent, record, job))
            }
            (200, Some(uri), Some(_), Some(_)) => {
                Sighting::Unsure(format!("a post with another text has our key: {uri}"))
            }
            (status, ..) => {
                Sighting::Unsure(format!("the account's server answered the look HTTP {status}"))
            }
        }
    }

    fn live(step: &Step, job: &Job) -> Vec<Live> {
        match step {
            Step::Resolve { .. } | Step::Upload { .. } => Vec::new(),
            Step::Publish { sent, .. } => sent.iter().map(|sent| sent.live(job)).collect(),
        }
    }

    fn check(draft: &Draft) -> Vec<Finding> {
        let wrong = |name: &&str| {
            draft.options.get(*name).is_some_and(|value| !record::are_languages(value))
        };
        let complain = |name: &str| {
            let value = draft.option(name);
            let sentence = format!("`{name}` is `{value}`, which is no list of languages.");
            let remedy = "Give one to three BCP 47 codes, such as `en, pt-BR`.";
            let problem = Problem::new(Code::UnknownOption, sentence, remedy);
            Finding::Error(problem.at(format!("content.options.{name}")))
        };
        LANGUAGES.iter().copied().filter(wrong).map(complain).collect()
    }

    fn paste(pasted: Paste) -> Result<Paste, Problem> {
        let identifier = pasted.identifier.trim_start_matches('@').to_owned();
        Ok(Paste { identifier, ..pasted })
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

/// The lexicons `app.bsky.feed.post` and `app.bsky.embed.*`, read 2026-11-21. Images may have 2 MB
/// there, "formerly limited to 1 MB": servers that were not updated still refuse more.
const LIMITS: Limits = Limits {
    text: TextLimit { max: 300, unit: TextUnit::Graphemes },
    text_bytes_max: Some(3_000),
    images_max: 4,
    image_bytes_max: 1_000_000,
    image_formats: &["image/jpeg", "image/png", "image/webp"],
    videos_max: 1,
    video_bytes_max: 5 * 1024 * 1024,
    video_formats: &["video/mp4"],
    // None in the lexicon; the app stops at this (unconfirmed).
    alt_chars_max: 2_000,
    parts_max: 25,
    ..Limits::NONE
};

/// `language` is what other platforms call it.
const LANGUAGES: &[&str] = &["langs", "language"];

const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: "langs",
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "The languages of the text on Bluesky, as one to three BCP 47 codes.",
    },
    OptionRule {
        name: "language",
        value: OptionValue::Text { chars_max: 100 },
        loss: Loss::Harmless,
        about: "The language of the text, as a code such as `en`.",
    },
];

impl Step {
    fn after_handle(known: Known, job: &Job) -> Step {
        match unknown(&known, job) {
            Some(_) => Step::Resolve { known },
            None => Step::after_file(known, Vec::new(), job),
        }
    }

    fn after_file(known: Known, blobs: Vec<Value>, job: &Job) -> Step {
        if blobs.len() < job.parts.iter().map(|part| part.media.len()).sum() {
            Step::Upload { known, blobs }
        } else {
            Step::Publish { known, blobs, sent: Vec::new() }
        }
    }

    fn after_record(
        known: Known,
        blobs: Vec<Value>,
        mut sent: Vec<Sent>,
        record: Sent,
        job: &Job,
    ) -> Next<Step> {
        sent.push(record);
        if sent.len() < job.parts.len() {
            Next::Go(Step::Publish { known, blobs, sent })
        } else {
            Next::Done(sent.iter().map(|sent| sent.live(job)).collect())
        }
    }
}

impl Sent {
    /// The address by DID survives a change of handle.
    fn live(&self, job: &Job) -> Live {
        let key = self.uri.rsplit('/').next().unwrap_or_default();
        let path = format!("/profile/{}/post/{key}", job.author.remote_id);
        Live { id: self.uri.clone(), url: job.site.url(APP, &path) }
    }
}

/// Bytes that are uploaded again have the same name, and what nothing refers to is swept up.
fn upload(media: &JobMedia, job: &Job) -> Request {
    let content_type = media.mime.clone();
    let body = Body::File { media: media.id, range: None, content_type };
    Request::post(job.site.url(PDS, "/xrpc/com.atproto.repo.uploadBlob"), body, Repeat::Harmless)
}

/// The first mentioned handle that nobody has looked up yet.
fn unknown(known: &Known, job: &Job) -> Option<String> {
    let mentioned = job.parts.iter().flat_map(|part| facets::handles(&part.text));
    mentioned.into_iter().find(|handle| !known.contains_key(handle))
}

fn file(job: &Job, number: usize) -> &JobMedia {
    let file = job.parts.iter().flat_map(|part| &part.media).nth(number);
    file.expect("an upload step has a file left")
}
