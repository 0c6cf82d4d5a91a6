//! A platform that says yes, and the jobs that are played against it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fanfare::{
    connectors::{
        ALL, AnyConnector, Body, Draft, Finding, Job, JobMedia, JobPart, Next, Outcome, Progress,
        Reply, Request, Site, Target, Task, find,
    },
    domain::{
        account::Identity,
        delivery::Live,
        ids::{DeliveryId, MediaId},
        media::MediaKind,
        platform::{FORMAT, Kind, Mixing},
        refusal::{Refusal, RefusalKind},
        time::Timestamp,
    },
    policy::fit,
};
use serde_json::Value;

use crate::specs;

/// When everything happens.
pub(crate) const NOW: Timestamp = Timestamp(1_795_251_600_000);

pub(crate) struct Fake {
    pub(crate) platform: &'static str,
    pub(crate) site: &'static [(&'static str, &'static str)],
    pub(crate) author: fn() -> Identity,
    /// Answers as the platform would, and remembers.
    pub(crate) answer: fn(&mut Memory, &Request) -> Reply,
    pub(crate) prepares: Prepares,
    /// What the platform knows beyond the kinds that every platform has: formats and options.
    pub(crate) specialities: fn() -> Vec<Job>,
    /// Stored steps, as `golden/<platform>.json` has them.
    pub(crate) golden: &'static str,
}

/// When everything that readers do not see is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepares {
    Ahead,
    /// A reply can be prepared only when the part that it answers is live.
    BelowLiveParts,
}

/// What a fake platform has been told.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) uploads: u32,
    pub(crate) polls: u32,
    pub(crate) posts: Vec<Value>,
}

pub(crate) struct Played {
    /// Before each request.
    pub(crate) steps: Vec<Value>,
    pub(crate) sent: Vec<Request>,
    pub(crate) live: Vec<Live>,
}

pub(crate) fn play(connector: &dyn AnyConnector, fake: &Fake, job: &Job) -> Played {
    play_on(connector, fake, job, connector.begin(job), Memory::default())
}

/// From a step in the middle.
pub(crate) fn play_on(
    connector: &dyn AnyConnector,
    fake: &Fake,
    job: &Job,
    mut step: Value,
    mut memory: Memory,
) -> Played {
    let (mut steps, mut sent) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        steps.push(step.clone());
        let request = connector.request(&step, job).unwrap();
        specs::check(fake.platform, &request);
        let answer = (fake.answer)(&mut memory, &request);
        sent.push(request);
        match connector.accept(&step, job, &answer).unwrap().unwrap() {
            Next::Go(next) => step = next,
            Next::Wait(wait, next) => {
                assert!(!wait.is_zero(), "waiting for no time is asking in a circle");
                step = next;
            }
            Next::Done(live) => return Played { steps, sent, live },
        }
    }
    panic!("{} did not finish {job:?}", fake.platform);
}

pub(crate) fn reply(status: u16, body: Value) -> Reply {
    Reply { status, headers: Vec::new(), body, at: NOW }
}

pub(crate) fn json_of(request: &Request) -> &Value {
    match &request.body {
        Body::Json(body) => body,
        Body::Empty
        | Body::Form(_)
        | Body::File { .. }
        | Body::Multipart { .. }
        | Body::JsonWithFiles { .. } => {
            panic!("no JSON in {request:?}")
        }
    }
}

/// The path, without the server and the query.
pub(crate) fn path_of(request: &Request) -> String {
    url::Url::parse(&request.url).expect("an absolute address").path().to_owned()
}

pub(crate) fn query_of(request: &Request, name: &str) -> Option<String> {
    let url = url::Url::parse(&request.url).expect("an absolute address");
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// One job of each kind that the platform knows.
pub(crate) fn jobs(connector: &dyn AnyConnector, fake: &Fake) -> Vec<Job> {
    let profile = connector.profile();
    let image = |number| media(number, MediaKind::Image, profile.limits.image_formats[0]);
    let mut jobs = vec![
        job(connector, fake, vec![part("Hello, everybody", Vec::new())]),
        job(connector, fake, vec![part("See https://example.com/a?b=c#d", Vec::new())]),
    ];
    for kind in profile.kinds {
        let parts = match kind {
            Kind::Text | Kind::Link => continue,
            Kind::Image => {
                let most = (1..=u128::from(profile.limits.images_max)).map(image).collect();
                jobs.push(job(connector, fake, vec![part("A picture", vec![image(1)])]));
                vec![part("Many pictures", most)]
            }
            Kind::Gif => vec![part("It moves", vec![media(1, MediaKind::Gif, "image/gif")])],
            Kind::Video => {
                let video = media(1, MediaKind::Video, profile.limits.video_formats[0]);
                vec![part("A film", vec![video])]
            }
            // Formats and options bring these about; each platform plays them itself.
            Kind::Reel
            | Kind::Story
            | Kind::Poll
            | Kind::Quote
            | Kind::Repost
            | Kind::Event
            | Kind::Offer
            | Kind::Template => continue,
            Kind::Carousel => {
                let second = match profile.limits.mixing {
                    Mixing::Allowed => media(2, MediaKind::Video, profile.limits.video_formats[0]),
                    Mixing::Forbidden => image(2),
                };
                vec![part("To swipe through", vec![image(1), second, image(3)])]
            }
            Kind::Document => {
                let format = profile.limits.document_formats[0];
                vec![part("To read", vec![media(1, MediaKind::Document, format)])]
            }
            Kind::Comment => {
                vec![part("A picture", vec![image(1)]), part("And a comment", Vec::new())]
            }
            Kind::Thread => vec![
                part("The thread, part 1 of 3", Vec::new()),
                part("The thread, part 2 of 3", vec![image(1), image(2)]),
                part("The thread, part 3 of 3", Vec::new()),
            ],
        };
        jobs.push(job(connector, fake, parts));
    }
    jobs.extend((fake.specialities)());
    jobs.retain(|job| has_what_it_needs(connector, job));
    jobs
}

/// Some platforms publish nothing without a file.
fn has_what_it_needs(connector: &dyn AnyConnector, job: &Job) -> bool {
    let profile = connector.profile();
    let (_, kinds) = profile.format(job.option(FORMAT)).expect("a format of the platform");
    let has_text_elsewhere = kinds.contains(&Kind::Template);
    kinds.contains(&Kind::Text) || has_text_elsewhere || !job.parts[0].media.is_empty()
}

/// What an errand sent, and how it ended.
pub(crate) struct Ran {
    pub(crate) sent: Vec<Request>,
    pub(crate) outcome: Result<Outcome, Refusal>,
    /// Of `Discover`, those that came before the last ones.
    pub(crate) found: Vec<Target>,
}

/// Carries out an errand as the engine does.
pub(crate) fn run_errand(
    connector: &dyn AnyConnector,
    task: &Task,
    mut site: Site,
    mut answer: impl FnMut(&Request) -> Reply,
) -> Ran {
    let (mut sent, mut found) = (Vec::new(), Vec::new());
    let mut errand = connector.errand(task, &site).expect("there is such an errand");
    for _ in 0..256 {
        let request = connector.errand_request(&errand, &site).unwrap();
        specs::check_of_errand(connector.profile().platform, task, &request);
        let reply = answer(&request);
        sent.push(request);
        match connector.errand_accept(&errand, &site, &reply).unwrap() {
            Ok(Progress::Go(next) | Progress::Keep(_, next)) => errand = next,
            Ok(Progress::Found(targets, next)) => {
                found.extend(targets);
                errand = next;
            }
            Ok(Progress::Move { endpoint, base, errand: next }) => {
                site.endpoints.insert(endpoint.to_owned(), base);
                errand = next;
            }
            Ok(Progress::Done(outcome)) => return Ran { sent, outcome: Ok(outcome), found },
            Err(refusal) => return Ran { sent, outcome: Err(refusal), found },
        }
    }
    panic!("the errand {task:?} did not end");
}

pub(crate) fn job(connector: &dyn AnyConnector, fake: &Fake, parts: Vec<JobPart>) -> Job {
    Job {
        delivery: DeliveryId::new(NOW.before(Duration::from_secs(3_600)), 0x1234_5678_9abc),
        due: NOW.before(Duration::from_secs(20)),
        site: site(fake),
        author: (fake.author)(),
        limits: connector.profile().limits,
        parts,
        options: needed(fake.platform),
        armed: Some(NOW.before(Duration::from_secs(10))),
        taken: BTreeSet::new(),
    }
}

/// Options without which a platform publishes nothing: `(platform, option, value)`.
const NEEDED: &[(&str, &str, &str)] = &[
    ("pinterest", "board", "Cats & dogs"),
    ("tiktok", "privacy", "public"),
    ("whatsapp", "recipients", "+4915112345678\n+4915112345679"),
    ("wordpress", "title", "Dawn"),
];

fn needed(platform: &str) -> BTreeMap<String, String> {
    let needed = NEEDED.iter().filter(|(of, ..)| *of == platform);
    needed.map(|(_, name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn site(fake: &Fake) -> Site {
    let endpoint = |&(name, base): &(&str, &str)| (name.to_owned(), base.to_owned());
    let profile = find(fake.platform).expect("a fake of a platform").profile();
    let version = profile.version.as_ref().map_or("", |version| version.default);
    Site {
        endpoints: fake.site.iter().map(endpoint).collect(),
        version: version.to_owned(),
        ..Site::default()
    }
}

/// Whether a post with this option alone is accepted.
pub(crate) fn takes(connector: &dyn AnyConnector, name: &str, value: &str) -> bool {
    let options = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let profiles: Vec<_> = ALL.iter().map(|connector| connector.profile()).collect();
    let author = Identity::default();
    let draft = Draft { parts: &[], options: &options, author: &author };
    fit::check_options(&options, connector.profile(), &profiles).is_empty()
        && !connector.check(&draft).iter().any(|found| matches!(found, Finding::Error(_)))
}

pub(crate) fn part(text: &str, media: Vec<JobMedia>) -> JobPart {
    JobPart { text: text.to_owned(), media }
}

pub(crate) fn media(number: u128, kind: MediaKind, mime: &str) -> JobMedia {
    JobMedia {
        id: MediaId(number),
        kind,
        mime: mime.to_owned(),
        bytes: 20_000,
        size: Some((640, 480)),
        length: (kind == MediaKind::Video).then_some(Duration::from_secs(20)),
        name: format!("file-{number}"),
        url: format!("https://fanfare.example/files/{number}"),
        alt: if number % 2 == 1 { format!("What picture {number} shows") } else { String::new() },
    }
}

/// One row of a platform's table of refusals: the answer, and how it is to be read.
pub(crate) struct Row {
    pub(crate) status: u16,
    pub(crate) header: Option<(&'static str, &'static str)>,
    pub(crate) body: Value,
    pub(crate) kind: RefusalKind,
}

pub(crate) fn check_rows(connector: &dyn AnyConnector, job: &Job, step: &Value, rows: Vec<Row>) {
    for row in rows {
        let mut answer = reply(row.status, row.body.clone());
        answer.headers.extend(row.header.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let refused = connector.accept(step, job, &answer).unwrap().unwrap_err();
        assert_eq!(refused.kind, row.kind, "HTTP {} {} at {step}", row.status, row.body);
        assert!(!refused.words.is_empty() && !refused.code.is_empty());
    }
}
