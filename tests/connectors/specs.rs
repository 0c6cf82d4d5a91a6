//! Every request that a connector makes in this suite, held against what its network publishes.
//!
//! [`check`] is called wherever a test plays a delivery or runs an errand, so a request that no
//! description knows fails the test that made it. The descriptions lie beside the checkout, in
//! `../shared/specs`; where they are not, nothing is checked, and the run says so.
//!
//! Where a description is silent or mistaken, [`exceptions`] says so with a reason; an exception
//! that nothing needs fails. [`samples`] and [`wrong`] are requests by hand.

mod bot_api;
mod discovery;
mod exceptions;
mod lexicon;
mod meta_graph;
mod openapi;
mod postman;
mod samples;
mod schema;
mod sent;
mod slack_methods;
mod wrong;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    path::Path,
    sync::OnceLock,
};

use fanfare::connectors::{AnyConnector, Request, Site, Task};
use serde_json::Value;

use self::{
    bot_api::BotApi,
    discovery::Discovery,
    exceptions::{MISTAKEN, UNDESCRIBED},
    lexicon::Lexicons,
    meta_graph::{FACEBOOK, Graph, INSTAGRAM},
    openapi::{Forms, OpenApi},
    postman::Collection,
    sent::Sent,
    slack_methods::SlackMethods,
};
use crate::{each, fake, fake::Fake};

/// What a platform publishes about its API, and what of it this suite has to reach.
struct Described {
    platform: &'static str,
    read: fn(&Path) -> Option<Description>,
    /// The tests that run errands; counted once more on the thread that counts.
    errands: &'static [fn()],
    /// How many requests were held against the description when this was written: fewer would mean
    /// that something is passed over in silence.
    at_least: usize,
}

const DESCRIBED: &[Described] = &[
    Described {
        platform: "bluesky",
        read: |specs| {
            let folder = specs.join("atproto/lexicons");
            folder.exists().then(|| Description::Lexicons(Lexicons::at(folder)))
        },
        errands: crate::bluesky::ERRANDS,
        at_least: 50,
    },
    Described {
        platform: "discord",
        read: |specs| {
            let document = read_json(&specs.join("discord/openapi.json"))?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::discord::ERRANDS,
        at_least: 53,
    },
    Described {
        platform: "facebook",
        read: |specs| Graph::at(&specs.join("meta-graph"), FACEBOOK).map(Description::Graph),
        errands: crate::facebook::errands::ERRANDS,
        at_least: 91,
    },
    Described {
        platform: "googlebusiness",
        read: |specs| {
            let folder = specs.join("google");
            let documents = [
                "mybusiness.v4.derived-discovery.json",
                "mybusinessaccountmanagement.v1.json",
                "mybusinessbusinessinformation.v1.json",
                "mybusinessverifications.v1.json",
            ];
            let read = |name: &&str| Some((read_json(&folder.join(name))?, &[][..]));
            let documents = documents.iter().map(read).collect::<Option<Vec<_>>>()?;
            Some(Description::Discovery(Discovery::new(documents)))
        },
        errands: crate::googlebusiness::ERRANDS,
        at_least: 119,
    },
    Described {
        platform: "instagram",
        read: |specs| Graph::at(&specs.join("meta-graph"), INSTAGRAM).map(Description::Graph),
        errands: crate::instagram::ERRANDS,
        at_least: 140,
    },
    Described {
        platform: "linkedin",
        read: |specs| {
            let path = specs.join("linkedin/linkedin.transcribed-openapi.json");
            let document = read_json(&path)?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::linkedin::errands::ERRANDS,
        at_least: 150,
    },
    Described {
        platform: "mastodon",
        read: |specs| {
            let document = read_json(&specs.join("mastodon/openapi.json"))?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::LikeJson)))
        },
        errands: crate::mastodon::ERRANDS,
        at_least: 77,
    },
    Described {
        platform: "pinterest",
        read: |specs| {
            let document = read_json(&specs.join("pinterest/openapi.json"))?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::pinterest::ERRANDS,
        at_least: 44,
    },
    Described {
        platform: "slack",
        read: |specs| {
            SlackMethods::at(&specs.join("slack/web-api-methods-2026.json"))
                .map(Description::SlackMethods)
        },
        errands: crate::slack::ERRANDS,
        at_least: 83,
    },
    Described {
        platform: "telegram",
        read: |specs| BotApi::at(&specs.join("telegram/bot-api.json")).map(Description::BotApi),
        errands: crate::telegram::ERRANDS,
        at_least: 51,
    },
    Described {
        platform: "threads",
        read: |specs| {
            let path = specs.join("meta-threads/threads-api.postman_collection.json");
            read_json(&path).map(|document| Description::Collection(Collection::new(&document)))
        },
        errands: crate::threads::ERRANDS,
        at_least: 195,
    },
    Described {
        platform: "tiktok",
        read: |specs| {
            let path = specs.join("tiktok/tiktok-v2.transcribed-openapi.json");
            let document = read_json(&path)?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::tiktok::ERRANDS,
        at_least: 39,
    },
    Described {
        platform: "whatsapp",
        read: |specs| {
            let document = read_json(&specs.join("meta-whatsapp/openapi-v23.json"))?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::whatsapp::ERRANDS,
        at_least: 24,
    },
    Described {
        platform: "x",
        read: |specs| {
            let document = read_json(&specs.join("x/openapi-v2.json"))?;
            Some(Description::OpenApi(OpenApi::new(document, Forms::AsDescribed)))
        },
        errands: crate::x::ERRANDS,
        at_least: 93,
    },
    Described {
        platform: "youtube",
        read: |specs| {
            let document = read_json(&specs.join("google/youtube.v3.json"))?;
            let documents = vec![(document, &["www.googleapis.com"][..])];
            Some(Description::Discovery(Discovery::new(documents)))
        },
        errands: crate::youtube::errands::ERRANDS,
        at_least: 56,
    },
];

enum Description {
    OpenApi(OpenApi),
    Lexicons(Lexicons),
    Graph(Graph),
    Collection(Collection),
    Discovery(Discovery),
    BotApi(BotApi),
    SlackMethods(SlackMethods),
}

pub(crate) enum Verdict {
    Fits,
    /// There is no such call in the description.
    Undescribed,
    Wrong(Vec<String>),
}

/// What this thread has checked.
#[derive(Default)]
struct Tally {
    validated: usize,
    /// The exceptions that were needed, by their operation.
    undescribed: BTreeMap<&'static str, usize>,
    /// By their place in [`MISTAKEN`].
    mistaken: BTreeSet<usize>,
    /// The kinds of errands that were run.
    errands: BTreeSet<String>,
}

thread_local! {
    static TALLY: RefCell<Tally> = RefCell::default();
}

/// Fails if the platform's description does not know this request, or knows it otherwise.
#[track_caller]
pub(crate) fn check(platform: &str, request: &Request) {
    if let Err(complaint) = judge(platform, request) {
        panic!("{complaint}");
    }
}

#[track_caller]
pub(crate) fn check_of_errand(platform: &str, task: &Task, request: &Request) {
    TALLY.with_borrow_mut(|tally| tally.errands.insert(name_of(task)));
    check(platform, request);
}

fn name_of(task: &Task) -> String {
    let shown = format!("{task:?}");
    shown.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

fn judge(platform: &str, request: &Request) -> Result<(), String> {
    let Some(description) = description(platform) else { return Ok(()) };
    let sent = Sent::of(request);
    let operation = format!("{platform}: {} {}{}", sent.method, sent.host, sent.path);
    match description.judge(&sent) {
        Verdict::Fits => {
            TALLY.with_borrow_mut(|tally| tally.validated += 1);
            Ok(())
        }
        Verdict::Undescribed => {
            let mut known = UNDESCRIBED.iter().filter(|it| it.platform == platform);
            let known = known.find(|it| sent.is_of(it.operation));
            let known = known.ok_or_else(|| format!("{operation} is not in the description"))?;
            TALLY.with_borrow_mut(|tally| {
                *tally.undescribed.entry(known.operation).or_default() += 1;
            });
            Ok(())
        }
        Verdict::Wrong(mut complaints) => {
            complaints.retain(|complaint| !is_excused(platform, &sent, complaint));
            if !complaints.is_empty() {
                return Err(format!("{operation}: {}", complaints.join("; ")));
            }
            TALLY.with_borrow_mut(|tally| tally.validated += 1);
            Ok(())
        }
    }
}

fn is_excused(platform: &str, sent: &Sent, complaint: &str) -> bool {
    let index = MISTAKEN.iter().position(|it| {
        it.platform == platform && sent.is_of(it.operation) && complaint.starts_with(it.complaint)
    });
    TALLY.with_borrow_mut(|tally| tally.mistaken.extend(index));
    index.is_some()
}

/// Read once. `None`: nothing is published, or it is not beside this checkout.
fn description(platform: &str) -> Option<&'static Description> {
    static READ: [OnceLock<Option<Description>>; DESCRIBED.len()] =
        [const { OnceLock::new() }; DESCRIBED.len()];
    let index = DESCRIBED.iter().position(|it| it.platform == platform)?;
    let read = READ[index].get_or_init(|| {
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/specs");
        let read = (DESCRIBED[index].read)(&specs);
        if read.is_none() {
            say(&format!("{platform}: skipped, its description is not at ../shared/specs"));
        }
        read
    });
    read.as_ref()
}

/// `None` where there is no such file; one that is no JSON is damaged.
fn read_json(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}")))
}

/// Past the harness, which would keep it for failing tests.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("somebody listens");
}

impl Description {
    fn judge(&self, sent: &Sent) -> Verdict {
        match self {
            Description::OpenApi(api) => api.judge(sent),
            Description::Lexicons(lexicons) => lexicons.judge(sent),
            Description::Graph(graph) => graph.judge(sent),
            Description::Collection(collection) => collection.judge(sent),
            Description::Discovery(discovery) => discovery.judge(sent),
            Description::BotApi(api) => api.judge(sent),
            Description::SlackMethods(methods) => methods.judge(sent),
        }
    }
}

impl Verdict {
    fn of(complaints: Vec<String>) -> Verdict {
        if complaints.is_empty() { Verdict::Fits } else { Verdict::Wrong(complaints) }
    }
}

impl Tally {
    /// `x: 214 requests validated, 12 without a description (POST /2/oauth2/revoke)`.
    fn line(&self, platform: &str) -> String {
        let mut line = format!("{platform}: {} requests validated", self.validated);
        let without: usize = self.undescribed.values().sum();
        if without > 0 {
            let operations: Vec<&str> = self.undescribed.keys().copied().collect();
            let operations = operations.join(", ");
            write!(line, ", {without} without a description ({operations})").unwrap();
        }
        line
    }
}

/// What is sent by every job of the suite, by every probe, and by the errands.
fn walk(connector: &dyn AnyConnector, fake: &Fake, errands: &[fn()]) -> Tally {
    TALLY.take();
    for job in fake::jobs(connector, fake) {
        for step in fake::play(connector, fake, &job).steps {
            if let Some(probe) = connector.probe(&step, &job).unwrap() {
                check(fake.platform, &probe);
            }
        }
    }
    for errand in errands {
        errand();
    }
    TALLY.take()
}

#[test]
fn every_request_is_as_its_network_describes_it() {
    let mut faults = Vec::new();
    each(|connector, fake| {
        let Some(row) = DESCRIBED.iter().find(|it| it.platform == fake.platform) else { return };
        let tally = walk(connector, fake, row.errands);
        if description(fake.platform).is_none() {
            return;
        }
        say(&tally.line(fake.platform));
        if row.at_least == 0 || tally.validated < row.at_least {
            let (line, least) = (tally.line(fake.platform), row.at_least);
            faults.push(format!("{line}, but `at_least` is {least}"));
        }
        for task in samples::tasks() {
            let name = name_of(&task);
            let has_it = connector.profile().logins.iter().any(|login| {
                let site = Site { login: login.name().to_owned(), ..fake::site(fake) };
                connector.errand(&task, &site).is_some()
            });
            if has_it && !tally.errands.contains(&name) {
                faults.push(format!("{}: no test in `errands` runs {name}", fake.platform));
            }
        }
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn samples_of_every_kind_fit_and_wrong_ones_do_not() {
    let mut faults = Vec::new();
    for (platform, requests) in samples::right() {
        faults.extend(requests.iter().filter_map(|request| judge(platform, request).err()));
    }
    for (platform, request, words) in wrong::requests() {
        match judge(platform, &request) {
            _ if description(platform).is_none() => (),
            Err(complaint) if complaint.contains(words) => (),
            Err(complaint) => faults.push(format!("not `{words}`, but: {complaint}")),
            Ok(()) => faults.push(format!("not `{words}`, but nothing: {request:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Needed is what a connector's requests or the samples need.
#[test]
fn every_exception_is_needed_and_has_a_reason() {
    let mut tallies: BTreeMap<&str, Vec<Tally>> = BTreeMap::new();
    each(|connector, fake| {
        if let Some(row) = DESCRIBED.iter().find(|it| it.platform == fake.platform) {
            tallies.entry(fake.platform).or_default().push(walk(connector, fake, row.errands));
        }
    });
    for (platform, requests) in samples::right() {
        TALLY.take();
        for request in requests {
            check(platform, &request);
        }
        tallies.entry(platform).or_default().push(TALLY.take());
    }
    let is_read = |platform: &str| description(platform).is_some();
    for it in UNDESCRIBED.iter().filter(|it| is_read(it.platform)) {
        let mut tallies = tallies[it.platform].iter();
        let is_needed = tallies.any(|tally| tally.undescribed.contains_key(it.operation));
        assert!(is_needed, "{}: {} needs no exception", it.platform, it.operation);
        assert!(it.reason.ends_with('.'), "{}", it.reason);
    }
    for (index, it) in MISTAKEN.iter().enumerate().filter(|(_, it)| is_read(it.platform)) {
        let is_needed = tallies[it.platform].iter().any(|tally| tally.mistaken.contains(&index));
        assert!(is_needed, "{}: {} needs no exception", it.platform, it.complaint);
        assert!(it.reason.ends_with('.'), "{}", it.reason);
    }
}
