//! What goes wrong while something is published, uploads that are cut, and what is done to what is
//! live.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::{Delivery, State as Stand},
        ids::{DeliveryId, MediaId},
        mortality::Mortality,
        post::Content,
        problem::Code,
    },
    engine::facade::{NewPost, PlanRequest},
    sandbox::{Fault, FaultKind, Operation},
};
use futures_util::{StreamExt, stream};

use super::{File, Options, Parts, content, files};
use crate::{
    footage,
    world::{Planet, World, connect, found, part, through, upload},
};

/// A post, and at which of its publications the trouble comes.
struct Subject {
    network: &'static str,
    what: &'static str,
    parts: Parts,
    options: Options,
    /// So many requests that publish pass before.
    after: u64,
    /// The request that can find its token expired: not every one carries a token.
    expires_at: Operation,
}

const fn subject(
    network: &'static str,
    what: &'static str,
    parts: Parts,
    options: Options,
) -> Subject {
    Subject { network, what, parts, options, after: 0, expires_at: Operation::Publish }
}

const FILM: Parts = &[("One", &[File::Film])];
const PHOTO: Parts = &[("One", &[File::Photo])];
const FILM_AND_COMMENT: Parts = &[("One", &[File::Film]), ("Two", &[])];
const OF_YOUTUBE: Options = &[("title", "Waves"), ("made_for_kids", "false")];
const PUBLIC: Options = &[("privacy", "public")];

const SUBJECTS: &[Subject] = &[
    // The address that a film goes to is signed.
    Subject { expires_at: Operation::Upload, ..subject("tiktok", "film", FILM, PUBLIC) },
    subject("tiktok", "photo", PHOTO, PUBLIC),
    subject("youtube", "last bytes", FILM, OF_YOUTUBE),
    Subject { after: 1, ..subject("youtube", "release", FILM, OF_YOUTUBE) },
    Subject { after: 2, ..subject("youtube", "comment", FILM_AND_COMMENT, OF_YOUTUBE) },
    subject("googlebusiness", "text", &[("One", &[])], &[]),
    subject("googlebusiness", "photo", PHOTO, &[]),
    subject("pinterest", "photo", PHOTO, &[("board", "Inspiration")]),
    subject("pinterest", "film", FILM, &[("board", "Inspiration")]),
    subject("snapchat", "story", &[("", &[File::Photo])], &[]),
    subject("snapchat", "spotlight", FILM, &[("format", "spotlight")]),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Dropped,
    /// An error, and yet it was done.
    ErrorAfterwards,
    Unavailable,
    Limit,
    Expired,
}

impl Trouble {
    const ALL: [Trouble; 5] = [
        Trouble::Dropped,
        Trouble::ErrorAfterwards,
        Trouble::Unavailable,
        Trouble::Limit,
        Trouble::Expired,
    ];

    fn fault(self, subject: &Subject) -> Fault {
        let new = |kind| Fault { after: subject.after, ..Fault::new(kind, Operation::Publish) };
        match self {
            Trouble::Dropped => new(FaultKind::DropAnswer),
            Trouble::ErrorAfterwards => Fault { status: Some(500), ..new(FaultKind::DropAnswer) },
            Trouble::Unavailable => new(FaultKind::Unavailable),
            Trouble::Limit => new(FaultKind::Throttle),
            Trouble::Expired => {
                Fault { operation: subject.expires_at, ..new(FaultKind::ExpireToken) }
            }
        }
    }

    /// Snapchat lists nothing that could be looked through, what Google says of a location without
    /// posts is nothing, which proves nothing, and TikTok may list photos hours later.
    fn is_left_to_a_person(self, subject: &Subject) -> bool {
        let answered = matches!(self, Trouble::Limit | Trouble::Expired);
        match subject.network {
            "snapchat" => !answered,
            "googlebusiness" => self == Trouble::Unavailable,
            "tiktok" => self == Trouble::Unavailable && subject.what == "photo",
            _ => false,
        }
    }
}

/// So many sign in at the same time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_ends_as_published_once_or_in_doubt() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let media = files(&world).await;
    let all = Trouble::ALL.iter().flat_map(|trouble| SUBJECTS.iter().map(move |it| (it, *trouble)));
    let begun = stream::iter(all.enumerate()).map(|(number, (subject, trouble))| {
        let (world, media) = (&world, &media);
        async move {
            let handle = format!("person{number}");
            let account = world.connect(subject.network, &handle).await;
            let fault = Fault { account: Some(handle), ..trouble.fault(subject) };
            world.planet.sandbox.inject(fault);
            let content = content(subject.parts, subject.options, &account, media);
            let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
            Case { subject, trouble, account, delivery }
        }
    });
    let cases: Vec<Case> = begun.buffer_unordered(AT_ONCE).collect().await;
    let ids: Vec<_> = cases.iter().map(|case| case.delivery.id).collect();
    world.through(&ids).await;
    let ledger = world.planet.ledger();
    let mut wrong = Vec::new();
    for case in &cases {
        let seen = ledger.iter().filter(|it| it.account == case.account.identity.remote_id).count();
        if let Some(found) = case.differs(&world, seen) {
            let Subject { network, what, .. } = case.subject;
            wrong.push(format!("{network} {what}, {:?}: {found}", case.trouble));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    all_struck(&world).await;
    world.check().await;
}

/// A trouble that never came proves nothing.
async fn all_struck(world: &World) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/_sandbox/faults", world.planet.origin);
    let answer = client.get(url).send().await.unwrap().text().await.unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let faults = answer["faults"].as_array().unwrap();
    let missed: Vec<_> = faults.iter().filter(|fault| fault["fired"] != 1).collect();
    assert!(!faults.is_empty() && missed.is_empty(), "{missed:?}");
}

struct Case {
    subject: &'static Subject,
    trouble: Trouble,
    account: Account,
    delivery: Delivery,
}

impl Case {
    /// `seen`: how many publications the platform has of it.
    fn differs(&self, world: &World, seen: usize) -> Option<String> {
        let delivery = world.delivery(self.delivery.id);
        let parts = self.subject.parts.len();
        let connection = world.account(&self.account).connection;
        let is_right = match (self.trouble.is_left_to_a_person(self.subject), &delivery.state) {
            (false, Stand::Published { .. }) => delivery.live.len() == parts && seen == parts,
            (true, Stand::InDoubt { doubt, .. }) => seen <= 1 && !doubt.evidence.is_empty(),
            _ => false,
        };
        let is_right = is_right && connection == Connection::Connected;
        (!is_right).then(|| {
            let story = world.story(&delivery);
            format!("{:?}, {seen} seen, {connection:?}\n{story}", delivery.state)
        })
    }
}

/// Two pieces for TikTok, of 10 MB and the rest, and for YouTube, of 16 MiB and the rest.
const ROOM: usize = 21_000_000;

fn large() -> Vec<u8> {
    footage::roomy(footage::film(1, 8), 1, ROOM)
}

const LARGE: [(&str, Options); 2] = [("tiktok", PUBLIC), ("youtube", OF_YOUTUBE)];

fn of_film(film: MediaId, options: Options) -> Content {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Content { parts: vec![part("One", &[film])], options: options.collect() }
}

#[tokio::test(flavor = "multi_thread")]
async fn piece_of_which_half_was_stored_spoils_no_film() {
    for (network, options) in LARGE {
        let world = World::new().await;
        let film = upload(&world.engine, &world.caller, &large()).await;
        // What begins an upload is one as well; the last piece publishes.
        for (n, operation, after) in [(0, Operation::Upload, 1), (1, Operation::Publish, 0)] {
            let account = world.connect(network, &format!("torn{n}")).await;
            let fault = Fault::new(FaultKind::Refuse, operation);
            world.planet.sandbox.inject(Fault { after, status: Some(503), ..fault });
            let content = of_film(film, options);
            let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
            world.through(&[delivery.id]).await;
            only_whole(
                &world.planet,
                &account,
                &world.delivery(delivery.id),
                &world.story(&delivery),
            );
        }
        all_struck(&world).await;
        world.check().await;
    }
}

/// One film of the account, with each of its bytes.
fn only_whole(planet: &Planet, account: &Account, delivery: &Delivery, story: &str) {
    assert!(matches!(delivery.state, Stand::Published { .. }), "{delivery:?}\n{story}");
    let ledger = planet.ledger();
    let own = ledger.iter().filter(|entry| entry.account == account.identity.remote_id);
    let bytes: Vec<usize> = own.flat_map(|entry| &entry.media).map(|file| file.bytes).collect();
    assert_eq!(bytes, [large().len()], "{}\n{story}", account.platform);
}

/// Kills the process as a piece of a film arrives.
#[derive(Clone)]
struct Killer {
    mortality: Mortality,
    seen: Arc<AtomicU64>,
    strikes: Strikes,
}

#[derive(Clone, Copy, Debug)]
enum Strikes {
    /// It has left, and does not arrive.
    Before(u64),
    /// It has arrived, and the answer does not.
    After(u64),
}

async fn guard(State(killer): State<Killer>, request: Request, next: Next) -> Response {
    if request.method() != Method::PUT {
        return next.run(request).await;
    }
    let piece = killer.seen.fetch_add(1, Relaxed) + 1;
    match killer.strikes {
        Strikes::Before(wanted) if wanted == piece => {
            killer.mortality.die();
            StatusCode::BAD_GATEWAY.into_response()
        }
        Strikes::After(wanted) if wanted == piece => {
            let answer = next.run(request).await;
            killer.mortality.die();
            answer
        }
        Strikes::Before(_) | Strikes::After(_) => next.run(request).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn process_that_dies_between_two_pieces_goes_on_with_the_film() {
    let deaths = [Strikes::Before(1), Strikes::After(1), Strikes::Before(2), Strikes::After(2)];
    for (network, options) in LARGE {
        for strikes in deaths {
            die_and_go_on(network, options, strikes).await;
        }
    }
}

async fn die_and_go_on(network: &str, options: Options, strikes: Strikes) {
    let mortality = Mortality::mortal();
    let seen = Arc::new(AtomicU64::new(0));
    let killer = Killer { mortality: mortality.clone(), seen: seen.clone(), strikes };
    let planet =
        Planet::watched(|_| (), |platforms, _| platforms.layer(from_fn_with_state(killer, guard)));
    let planet = planet.await;
    let engine = planet.engine(mortality.clone()).await;
    let caller = found(&engine).await;
    let account = connect(&planet, &engine, &caller, network, "mortal").await;
    let film = upload(&engine, &caller, &large()).await;
    let post = NewPost {
        content: of_film(film, options),
        variants: std::collections::BTreeMap::new(),
        targets: vec![account.id],
        plan: PlanRequest::Now,
        priority: 5,
    };
    let id: DeliveryId = engine.create_post(&caller, post, None).await.unwrap().0.deliveries[0].id;
    tokio::time::timeout(Duration::from_secs(20), engine.stopped()).await.expect("it dies");
    engine.kill().await;
    assert!(mortality.is_dead(), "{network} {strikes:?}");
    let engine = planet.engine(Mortality::default()).await;
    through(&planet, &engine, &caller, &[id]).await;
    let delivery = engine.delivery(&caller, id).unwrap();
    let events = engine.timeline(&caller, delivery.post).unwrap();
    let story: Vec<String> = events.iter().map(|event| event.text.clone()).collect();
    only_whole(&planet, &account, &delivery, &format!("{strikes:?}\n{}", story.join("\n")));
    engine.kill().await;
}

/// `live`: how many publications go with it.
const REMOVABLE: &[(&str, Parts, Options, usize)] = &[
    ("youtube", FILM_AND_COMMENT, OF_YOUTUBE, 1),
    ("googlebusiness", PHOTO, &[], 1),
    ("pinterest", PHOTO, &[("board", "Inspiration")], 1),
];

async fn published(world: &World, network: &str, parts: Parts, options: Options) -> Delivery {
    let media = files(world).await;
    let account = world.connect(network, "robin").await;
    let content = content(parts, options, &account, &media);
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.through(&[delivery.id]).await;
    let delivery = world.delivery(delivery.id);
    assert!(matches!(delivery.state, Stand::Published { .. }), "{delivery:?}");
    delivery
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_down_is_gone_even_if_the_answer_is_lost() {
    for (network, parts, options, gone) in REMOVABLE {
        let world = World::new().await;
        let delivery = published(&world, network, parts, options).await;
        world.planet.fault(FaultKind::DropAnswer, Operation::Delete, 1);
        let lost = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap_err();
        assert_eq!(lost.code, Code::ServerUnreachable, "{network}: {lost:?}");
        for _ in 0..2 {
            let removed = world.engine.remove_delivery(&world.caller, delivery.id).await;
            let removed = removed.unwrap_or_else(|error| panic!("{network}: {error:?}"));
            assert!(removed.live.is_empty(), "{network}: {removed:?}");
        }
        let ledger = world.planet.ledger();
        let deleted = ledger.iter().filter(|entry| entry.deleted_at.is_some()).count();
        assert_eq!(deleted, *gone, "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_down_or_changed_by_programs_says_so_and_stays() {
    let story: Parts = &[("", &[File::Photo])];
    let cases: [(&str, Parts, Options, bool); 3] = [
        ("tiktok", FILM, PUBLIC, false),
        ("snapchat", story, &[], false),
        ("pinterest", PHOTO, &[("board", "Inspiration")], true),
    ];
    for (network, parts, options, can_be_removed) in cases {
        let world = World::new().await;
        let delivery = published(&world, network, parts, options).await;
        let (engine, caller) = (&world.engine, &world.caller);
        let refused = engine.revise_delivery(caller, delivery.id, 0, "Changed".to_owned()).await;
        let refused = refused.unwrap_err();
        // A story has no text at all.
        let words = match network {
            "snapchat" => "shows no text",
            _ => "lets no program change",
        };
        assert!(refused.sentence.contains(words), "{network}: {refused:?}");
        if !can_be_removed {
            let refused = engine.remove_delivery(caller, delivery.id).await.unwrap_err();
            assert!(
                refused.sentence.contains("lets no program take posts down"),
                "{network}: {refused:?}"
            );
        }
        assert_eq!(world.delivery(delivery.id).live, delivery.live, "{network}");
        let entry = &world.planet.ledger()[0];
        assert_eq!((entry.text.as_str(), entry.deleted_at), (parts[0].0, None), "{network}");
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_text_is_what_readers_see_even_if_the_answer_is_lost() {
    let cases: [(&str, Parts, Options, usize, &[&str]); 3] = [
        ("youtube", FILM_AND_COMMENT, OF_YOUTUBE, 0, &["Waves\n\nChanged", "Two"]),
        ("youtube", FILM_AND_COMMENT, OF_YOUTUBE, 1, &["Waves\n\nOne", "Changed"]),
        ("googlebusiness", PHOTO, &[], 0, &["Changed"]),
    ];
    for (network, parts, options, index, wanted) in cases {
        let world = World::new().await;
        let delivery = published(&world, network, parts, options).await;
        world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
        let (engine, caller, id) = (&world.engine, &world.caller, delivery.id);
        let text = || "Changed".to_owned();
        let lost = engine.revise_delivery(caller, id, index, text()).await.unwrap_err();
        assert_eq!(lost.code, Code::ServerUnreachable, "{network}: {lost:?}");
        for _ in 0..2 {
            let revised = engine.revise_delivery(caller, id, index, text()).await;
            let revised = revised.unwrap_or_else(|error| panic!("{network} {index}: {error:?}"));
            assert_eq!(revised.live, delivery.live, "{network}");
        }
        let ledger = world.planet.ledger();
        let seen: Vec<&str> = ledger.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(seen, wanted, "{network}");
        world.check().await;
    }
}
