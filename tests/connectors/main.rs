//! The contract, exercised on every connector we ship. A new connector adds a fake of its platform
//! to [`FAKES`] and its stored steps to `golden/`, and inherits every test here.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test that meets another variant than it expects has failed, whichever it is"
)]

mod bluesky;
mod discord;
mod facebook;
mod fake;
mod googlebusiness;
mod instagram;
mod linkedin;
mod mastodon;
mod pinterest;
mod slack;
mod snapchat;
mod specs;
mod telegram;
mod threads;
mod tiktok;
mod webhook;
mod whatsapp;
mod wordpress;
mod x;
mod youtube;

use std::{collections::BTreeSet, time::Duration};

use fanfare::{
    connectors::{ALL, AnyConnector, Job, Method, Next, Repeat, Reply, Request, Sighting},
    domain::{
        delivery::Live,
        platform::{FORMAT, Kind, Login, Place},
        refusal::RefusalKind,
    },
};
use serde_json::{Value, json};

use crate::fake::{Fake, Memory, NOW, Played, Prepares, jobs, play, play_on, reply};

/// One per platform.
const FAKES: &[&Fake] = &[
    &bluesky::FAKE,
    &discord::FAKE,
    &facebook::FAKE,
    &googlebusiness::FAKE,
    &instagram::FAKE,
    &linkedin::FAKE,
    &mastodon::FAKE,
    &pinterest::FAKE,
    &slack::FAKE,
    &snapchat::FAKE,
    &telegram::FAKE,
    &threads::FAKE,
    &tiktok::FAKE,
    &webhook::FAKE,
    &whatsapp::FAKE,
    &wordpress::FAKE,
    &x::FAKE,
    &youtube::FAKE,
];

fn each(mut check: impl FnMut(&dyn AnyConnector, &Fake)) {
    for connector in ALL {
        let name = connector.profile().platform;
        let fake = FAKES.iter().find(|fake| fake.platform == name);
        check(*connector, fake.unwrap_or_else(|| panic!("`{name}` has no fake in FAKES")));
    }
}

/// Every step that any kind of content passes through, with the job it belongs to.
fn each_step(check: impl Fn(&dyn AnyConnector, &Fake, &Job, &Value)) {
    each(|connector, fake| {
        for job in jobs(connector, fake) {
            for step in play(connector, fake, &job).steps {
                check(connector, fake, &job, &step);
            }
        }
    });
}

#[test]
fn every_kind_of_content_finishes() {
    each(|connector, fake| {
        for job in jobs(connector, fake) {
            let Played { sent, live, .. } = play(connector, fake, &job);
            let commits = sent.iter().filter(|request| request.repeat != Repeat::Harmless).count();
            assert_eq!(live.len(), connector.pieces(&job), "{}: {job:?}", fake.platform);
            assert!(commits >= live.len(), "{}: something must be armed", fake.platform);
            assert!(live.iter().all(|live| !live.id.is_empty() && !live.url.is_empty()));
        }
    });
}

/// Files come first: afterwards nothing that can be refused breaks a thread. Where a reply can only
/// be prepared below a live part, no file of the first part is left, and what is prepared below it
/// is no more than that.
#[test]
fn the_first_request_that_readers_see_comes_after_every_upload() {
    each(|connector, fake| {
        for job in jobs(connector, fake) {
            let Played { sent, steps, live } = play(connector, fake, &job);
            let is_harmless = |request: &Request| request.repeat == Repeat::Harmless;
            let first = sent.iter().position(|request| !is_harmless(request)).unwrap();
            for (request, step) in sent.iter().zip(&steps).skip(first) {
                let ended = connector.live(step, &job).unwrap().len() == live.len();
                let prepared = fake.prepares == Prepares::BelowLiveParts && job.parts.len() > 1;
                assert!(
                    !is_harmless(request) || ended || prepared,
                    "{}: {request:?} comes late",
                    fake.platform
                );
                let reads = request.method == Method::Get || READS_BY_POST.contains(&fake.platform);
                assert!(!ended || reads, "{}: {request:?}", fake.platform);
            }
        }
    });
}

/// Platforms whose questions are POSTs.
const READS_BY_POST: &[&str] = &["tiktok"];

#[test]
fn restart_repeats_the_same_request_and_never_a_duplicating_one() {
    each_step(|connector, fake, job, step| {
        let request = connector.request(step, job).unwrap();
        let stored: Value = serde_json::from_str(&step.to_string()).unwrap();
        assert_eq!(connector.request(&stored, job).unwrap(), request, "{}", fake.platform);
        let is_known = WITHOUT_A_LOOK.contains(&fake.platform);
        assert!(request.repeat != Repeat::Duplicates || is_known, "{}: {step}", fake.platform);
        let has_probe = connector.probe(step, job).unwrap().is_some();
        let is_probed = matches!(request.repeat, Repeat::Probed { .. });
        assert!(has_probe || !is_probed, "{}: {step}", fake.platform);
    });
}

/// Platforms that show some accounts nothing of what they posted: there a person decides.
const WITHOUT_A_LOOK: &[&str] =
    &["discord", "linkedin", "slack", "snapchat", "telegram", "whatsapp"];

/// Platforms that promise to know a repetition by its key, and show nothing.
const BY_KEY_ALONE: &[&str] = &["webhook"];

/// Whether the platform lists what this step posts only after a time that nobody knows.
fn shows_late(platform: &str, step: &Value) -> bool {
    platform == "tiktok" && step.get("Photos").is_some()
}

#[test]
fn a_probe_sees_what_was_sent_and_nothing_before() {
    each(|connector, fake| {
        for job in jobs(connector, fake) {
            let (mut memory, mut step) = (Memory::default(), connector.begin(&job));
            for _ in 0..100 {
                let request = connector.request(&step, &job).unwrap();
                let probe = connector.probe(&step, &job).unwrap();
                let look = |memory: &mut Memory| {
                    let probe = probe.clone().expect("what is not harmless has a probe");
                    assert_eq!(probe.repeat, Repeat::Harmless, "a look changes nothing");
                    let seen = (fake.answer)(memory, &probe);
                    connector.recognise(&step, &job, &seen).unwrap()
                };
                let is_armed = match request.repeat {
                    Repeat::Harmless | Repeat::Duplicates => false,
                    Repeat::Keyed { .. } => !BY_KEY_ALONE.contains(&fake.platform),
                    Repeat::Probed { .. } => true,
                };
                if is_armed && shows_late(fake.platform, &step) {
                    let before = look(&mut memory);
                    assert!(matches!(before, Sighting::Unsure(_)), "{step}: {before:?}");
                } else if is_armed {
                    assert_eq!(look(&mut memory), Sighting::Absent, "{}: {step}", fake.platform);
                }
                let answer = (fake.answer)(&mut memory, &request);
                let next = connector.accept(&step, &job, &answer).unwrap().unwrap();
                if is_armed {
                    let Sighting::Found(found) = look(&mut memory) else {
                        panic!("{}: it is not seen at {step}", fake.platform);
                    };
                    let ending = |next| ending(connector, fake, &job, next, memory.clone());
                    assert_eq!(ending(found), ending(next.clone()), "{}", fake.platform);
                }
                match next {
                    Next::Go(next) | Next::Wait(_, next) => step = next,
                    Next::Done(_) => break,
                }
            }
        }
    });
}

/// What is live in the end, if it goes on from here.
fn ending(
    connector: &dyn AnyConnector,
    fake: &Fake,
    job: &Job,
    next: Next<Value>,
    memory: Memory,
) -> Vec<Live> {
    match next {
        Next::Done(live) => live,
        Next::Go(step) | Next::Wait(_, step) => play_on(connector, fake, job, step, memory).live,
    }
}

#[test]
fn a_look_that_failed_proves_nothing() {
    each_step(|connector, fake, job, step| {
        if connector.probe(step, job).unwrap().is_none() {
            return;
        }
        for (status, body) in [
            (500, Value::Null),
            (503, json!({ "error": "unavailable" })),
            (401, json!({})),
            (200, Value::Null),
            (200, json!({})),
        ] {
            let seen = connector.recognise(step, job, &reply(status, body)).unwrap();
            assert!(matches!(seen, Sighting::Unsure(_)), "{} {status}: {seen:?}", fake.platform);
        }
    });
}

#[test]
fn common_statuses_are_read_alike() {
    let refuse = |connector: &dyn AnyConnector, job: &Job, step: &Value, reply: &Reply| {
        connector.accept(step, job, reply).unwrap().unwrap_err().kind
    };
    each_step(|connector, fake, job, step| {
        let name = fake.platform;
        let kind = refuse(connector, job, step, &reply(401, json!({})));
        assert!(
            matches!(kind, RefusalKind::Unauthorized | RefusalKind::Revoked),
            "{name}: {kind:?}"
        );
        let mut full = reply(429, Value::Null);
        full.headers.push(("retry-after".to_owned(), "60".to_owned()));
        let until = Some(NOW.after(Duration::from_secs(60)));
        let kind = refuse(connector, job, step, &full);
        assert!(
            matches!(kind, RefusalKind::Throttled { until: said, .. } if said == until),
            "{name}: {kind:?}"
        );
        for status in [500, 502, 503, 504] {
            let kind = refuse(connector, job, step, &reply(status, Value::Null));
            assert_eq!(kind, RefusalKind::Unavailable, "{name}: HTTP {status} at {step}");
        }
    });
}

/// Platforms whose success is a status, whatever the body says.
const BY_STATUS_ALONE: &[&str] = &["webhook"];

#[test]
fn a_success_that_cannot_be_read_is_not_taken_for_a_no() {
    each_step(|connector, fake, job, step| {
        let is_harmless = connector.request(step, job).unwrap().repeat == Repeat::Harmless;
        if is_harmless || BY_STATUS_ALONE.contains(&fake.platform) {
            return;
        }
        for (status, body) in [(200, Value::Null), (200, json!({ "odd": 1 })), (204, Value::Null)] {
            let refused = connector.accept(step, job, &reply(status, body)).unwrap().unwrap_err();
            assert_eq!(refused.kind, RefusalKind::Unreadable, "{}: {step}", fake.platform);
        }
    });
}

#[test]
fn what_is_live_grows_with_the_thread() {
    let ids = |live: &[Live]| live.iter().map(|live| live.id.clone()).collect::<Vec<_>>();
    each(|connector, fake| {
        for job in jobs(connector, fake) {
            let Played { steps, sent, live } = play(connector, fake, &job);
            let mut before = 0;
            for (step, request) in steps.iter().zip(&sent) {
                let now = connector.live(step, &job).unwrap();
                assert!(before <= now.len() && now.len() <= live.len(), "{}", fake.platform);
                let is_same = ids(&now) == ids(&live)[..now.len()];
                assert!(is_same || NAMED_LATE.contains(&fake.platform), "{}", fake.platform);
                // What is left then is to read the address; nothing may hang on it.
                let ended = now.len() == live.len();
                assert!(!ended || request.repeat == Repeat::Harmless, "{}", fake.platform);
                before = now.len();
            }
            assert!(before + 1 >= live.len(), "{}: the last part ends it", fake.platform);
        }
    });
}

/// Platforms that name a post only some time after they took it.
const NAMED_LATE: &[&str] = &["tiktok"];

#[test]
fn no_request_carries_a_secret_in_its_address() {
    const NAMES: &[&str] = &["access_token", "token", "key", "api_key", "secret", "password"];
    each_step(|connector, fake, job, step| {
        let request = connector.request(step, job).unwrap();
        let probe = connector.probe(step, job).unwrap();
        for request in [Some(request), probe].into_iter().flatten() {
            let url = url::Url::parse(&request.url).expect("an absolute address");
            assert!(url.username().is_empty() && url.password().is_none(), "{}", fake.platform);
            for (name, _) in url.query_pairs() {
                assert!(!NAMES.contains(&&*name), "{}: {}", fake.platform, request.url);
            }
            for (name, _) in &request.headers {
                assert_eq!(*name, name.to_lowercase());
                assert!(!["authorization", "cookie"].contains(name), "{}", fake.platform);
            }
        }
    });
}

#[test]
fn profiles_are_complete() {
    let mut names = Vec::new();
    each(|connector, _| {
        let profile = connector.profile();
        let name = profile.platform;
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
        assert!(!profile.name.is_empty() && !profile.endpoints.is_empty(), "{name}");
        assert!(profile.access.ends_with('.') && !profile.access.contains("  "), "{name}");
        assert!(!profile.kinds.is_empty() && !profile.logins.is_empty(), "{name}");
        assert!(!profile.paces.is_empty(), "{name}");
        let paces: BTreeSet<_> = profile.paces.iter().map(|pace| pace.name).collect();
        assert_eq!(paces.len(), profile.paces.len(), "{name}: paces have names of their own");
        assert!(
            profile.paces.iter().all(|pace| pace.calls_max > 0 && !pace.window.length().is_zero())
        );
        for endpoint in profile.endpoints.iter().filter_map(|endpoint| endpoint.default) {
            assert!(endpoint.starts_with("https://") && !endpoint.ends_with('/'), "{name}");
        }
        let (limits, has) = (profile.limits, |kind| profile.kinds.contains(&kind));
        let mut all = profile.formats.iter().map(|format| format.limits).chain([limits]);
        assert!(all.any(|limits| limits.text.max > 0) && limits.parts_max > 0, "{name}");
        assert_eq!(has(Kind::Image), limits.images_max > 0 && limits.image_bytes_max > 0, "{name}");
        assert_eq!(has(Kind::Gif), limits.gif_bytes_max > 0, "{name}");
        assert_eq!(has(Kind::Video), limits.videos_max > 0 && limits.video_bytes_max > 0, "{name}");
        assert_eq!(has(Kind::Document), limits.documents_max > 0, "{name}");
        assert_eq!(has(Kind::Thread) || has(Kind::Comment), limits.parts_max > 1, "{name}");
        assert_eq!(has(Kind::Comment), limits.comment.is_some(), "{name}");
        assert_eq!(has(Kind::Text), limits.media_min == 0, "{name}");
        let names: BTreeSet<_> = profile.options.iter().map(|option| option.name).collect();
        assert_eq!(names.len(), profile.options.len(), "{name}: an option is there twice");
        assert!(profile.options.iter().all(|option| option.about.ends_with('.')), "{name}");
        for login in profile.logins {
            let Login::OAuth(oauth) = login else { continue };
            assert!(!oauth.scopes.is_empty(), "{name}");
            let known = |place: &Place| {
                profile.endpoints.iter().any(|endpoint| endpoint.name == place.endpoint)
            };
            assert!(known(&oauth.authorize) && known(&oauth.token), "{name}");
        }
    });
    names.extend(ALL.iter().map(|connector| connector.profile().platform));
    assert!(names.is_sorted_by(|one, next| one < next), "ALL is alphabetical: {names:?}");
}

#[test]
fn examples_in_guides_are_of_the_platform() {
    each(|connector, _| {
        let profile = connector.profile();
        for block in profile.guide.split("```json").skip(1) {
            let block = block.split("```").next().unwrap();
            // The call may stand above it.
            let example = &block[block.find('{').unwrap_or_default()..];
            let example: Value = serde_json::from_str(example)
                .unwrap_or_else(|error| panic!("{}: {error}: {block}", profile.platform));
            let platform = example.get("platform").unwrap_or(&Value::Null);
            assert!(platform.is_null() || *platform == profile.platform, "{block}");
            for (name, value) in example["options"].as_object().into_iter().flatten() {
                let is_format = name == FORMAT && profile.format(value.as_str().unwrap()).is_some();
                let is_known = is_format || profile.option(name).is_some();
                assert!(is_known, "{}: {name}", profile.platform);
            }
        }
    });
}

/// `golden/<platform>.json` holds one stored step of each variant, from every version that wrote it
/// differently. Lines are added, never changed.
#[test]
fn stored_steps_of_every_released_version_still_parse() {
    each(|connector, fake| {
        let job = jobs(connector, fake).pop().unwrap();
        let steps: Vec<Value> = serde_json::from_str(fake.golden).unwrap();
        let variant = |step: &Value| match step {
            Value::Object(fields) => fields.keys().next().cloned(),
            step => step.as_str().map(str::to_owned),
        };
        let golden: BTreeSet<_> = steps.iter().map(variant).collect();
        for step in &steps {
            let live = connector.live(step, &job);
            assert!(live.is_ok(), "{}: {step}: {live:?}", fake.platform);
        }
        for job in jobs(connector, fake) {
            for step in play(connector, fake, &job).steps {
                assert!(golden.contains(&variant(&step)), "{}: add {step}", fake.platform);
            }
        }
    });
}
