//! What goes wrong while something is published on Meta's networks, LinkedIn and X, one table of
//! posts against one of troubles.

use std::{collections::BTreeMap, time::Duration};

use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::{Delivery, Hold, State},
        ids::MediaId,
        post::{Content, Part},
    },
    engine::facade::PlanRequest,
    sandbox::{Fault, FaultKind, Operation},
};
use futures_util::{StreamExt, future::join_all, stream};

use crate::{
    networks::File,
    world::{SPEED, World, consent, part, published, upload},
};

/// So many sign in at the same time.
const AT_ONCE: usize = 12;

/// A post, and at which of its publications the trouble comes.
struct Subject {
    network: &'static str,
    what: &'static str,
    parts: &'static [(&'static str, &'static [File])],
    format: &'static str,
    after: u64,
}

const fn subject(
    network: &'static str,
    what: &'static str,
    parts: &'static [(&'static str, &'static [File])],
) -> Subject {
    Subject { network, what, parts, format: "", after: 0 }
}

const TWO: &[(&str, &[File])] = &[("One", &[]), ("Two", &[])];
const PHOTO_AND_COMMENT: &[(&str, &[File])] = &[("One", &[File::Photo]), ("Two", &[])];

const SUBJECTS: &[Subject] = &[
    subject("facebook", "text", &[("One", &[])]),
    subject("facebook", "photo", &[("One", &[File::Photo])]),
    Subject { after: 1, ..subject("facebook", "comment", TWO) },
    subject("facebook", "film", &[("One", &[File::Film])]),
    Subject { format: "reel", ..subject("facebook", "reel", &[("One", &[File::Film])]) },
    Subject { format: "story", ..subject("facebook", "story", &[("", &[File::Photo])]) },
    Subject { format: "story", ..subject("facebook", "film story", &[("", &[File::Film])]) },
    subject("instagram", "photo", &[("One", &[File::Photo])]),
    Subject { after: 1, ..subject("instagram", "comment", PHOTO_AND_COMMENT) },
    subject("instagram/facebook", "reel", &[("One", &[File::Film])]),
    subject("threads", "text", &[("One", &[])]),
    Subject { after: 1, ..subject("threads", "thread", TWO) },
    subject("linkedin", "text", &[("One", &[])]),
    subject("linkedin/organization", "photo", &[("One", &[File::Photo])]),
    Subject { after: 1, ..subject("linkedin/organization", "comment", PHOTO_AND_COMMENT) },
    subject("x", "text", &[("One", &[])]),
    Subject { after: 1, ..subject("x", "thread", TWO) },
];

/// Some more than [`World`] waits for an answer, which is five seconds on no clock of ours.
const TOO_LONG: Duration = Duration::from_secs(6 * SPEED as u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Dropped,
    /// An error, and yet it was done.
    ErrorAfterwards,
    /// An answer that nobody waits for any more.
    TooLate,
    Unavailable,
    Limit,
    Refused,
    Expired,
    Revoked,
}

impl Trouble {
    const ALL: [Trouble; 8] = [
        Trouble::Dropped,
        Trouble::ErrorAfterwards,
        Trouble::TooLate,
        Trouble::Unavailable,
        Trouble::Limit,
        Trouble::Refused,
        Trouble::Expired,
        Trouble::Revoked,
    ];

    fn fault(self) -> Fault {
        let new = |kind| Fault::new(kind, Operation::Publish);
        match self {
            Trouble::Dropped => new(FaultKind::DropAnswer),
            Trouble::ErrorAfterwards => Fault { status: Some(500), ..new(FaultKind::DropAnswer) },
            Trouble::TooLate => Fault { wait: Some(TOO_LONG), ..new(FaultKind::AnswerLate) },
            Trouble::Unavailable => new(FaultKind::Unavailable),
            Trouble::Limit => new(FaultKind::Throttle),
            Trouble::Refused => new(FaultKind::Refuse),
            Trouble::Expired => new(FaultKind::ExpireToken),
            Trouble::Revoked => new(FaultKind::RevokeToken),
        }
    }

    fn end(self, subject: &Subject) -> End {
        // Nobody can look at what a member has posted.
        let is_unseen = subject.network == "linkedin";
        let renews = ["linkedin/organization", "x"].contains(&subject.network);
        match self {
            Trouble::Dropped
            | Trouble::ErrorAfterwards
            | Trouble::TooLate
            | Trouble::Unavailable => match is_unseen {
                true => End::Doubt,
                false => End::Once,
            },
            Trouble::Limit => End::Once,
            // LinkedIn's own no is that the access is not enough; without comments it still is.
            Trouble::Refused if subject.network.starts_with("linkedin") && subject.after == 0 => {
                End::Held
            }
            Trouble::Refused => End::Failed,
            Trouble::Expired if renews => End::Once,
            Trouble::Expired | Trouble::Revoked => End::Held,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Once,
    Doubt,
    Held,
    Failed,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_ends_as_published_once_or_in_doubt_or_with_the_platforms_words() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let mut media = BTreeMap::new();
    for file in [File::Photo, File::Film] {
        media.insert(file, upload(&world.engine, &world.caller, &file.bytes()).await);
    }
    let all = Trouble::ALL.iter().flat_map(|trouble| SUBJECTS.iter().map(move |it| (it, *trouble)));
    let begun = stream::iter(all.enumerate()).map(|(number, (subject, trouble))| {
        let (world, media) = (&world, &media);
        async move {
            let handle = format!("p{number}");
            let account = world.connect(subject.network, &handle).await;
            let delivery = begin(world, media, subject, trouble, &account, &handle).await;
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
            let (what, trouble) = (case.subject.what, case.trouble);
            wrong.push(format!("{} {what}, {trouble:?}: {found}", case.subject.network));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    world.check().await;
}

async fn begin(
    world: &World,
    media: &BTreeMap<File, MediaId>,
    subject: &Subject,
    trouble: Trouble,
    account: &Account,
    handle: &str,
) -> Delivery {
    // LinkedIn's calls are the person's, whoever they speak for.
    let caller = match subject.network.starts_with("linkedin") {
        true => handle,
        false => &account.identity.handle,
    };
    let caller = Some(caller.trim_start_matches('@').to_owned());
    let fault = Fault { account: caller, after: subject.after, ..trouble.fault() };
    world.planet.sandbox.inject(fault);
    let parts = subject.parts.iter().map(|(text, files)| {
        let files: Vec<MediaId> = files.iter().map(|file| media[file]).collect();
        part(text, &files)
    });
    let parts: Vec<Part> = parts.collect();
    let mut options = BTreeMap::new();
    if !subject.format.is_empty() {
        options.insert("format".to_owned(), subject.format.to_owned());
    }
    let content = Content { parts, options };
    world.post(content, account.id, PlanRequest::Now, 5).await
}

struct Case {
    subject: &'static Subject,
    trouble: Trouble,
    account: Account,
    delivery: Delivery,
}

impl Case {
    /// `seen`: how many publications readers see of it.
    fn differs(&self, world: &World, seen: usize) -> Option<String> {
        let delivery = world.delivery(self.delivery.id);
        let before = usize::try_from(self.subject.after).unwrap();
        let parts = self.subject.parts.len();
        let connection = world.account(&self.account).connection;
        let is_live = |count: usize| delivery.live.len() == count && seen == count;
        let is_right = match (self.trouble.end(self.subject), &delivery.state) {
            (End::Once, State::Published { .. }) => {
                is_live(parts) && connection == Connection::Connected
            }
            (End::Doubt, State::InDoubt { doubt, .. }) => {
                delivery.live.len() == before && !doubt.evidence.is_empty()
            }
            (End::Held, State::Held { why: Hold::Reconnection, .. }) => {
                is_live(before) && tells_why(&connection)
            }
            (End::Failed, State::Failed { refusal, .. }) => {
                is_live(before) && !refusal.code.is_empty() && refusal.words.contains(' ')
            }
            _ => false,
        };
        (!is_right).then(|| {
            format!(
                "{:?}, {seen} seen, live {:?}, {connection:?}\n{}",
                delivery.state,
                delivery.live,
                world.story(&delivery)
            )
        })
    }
}

/// In the platform's words, with its code.
fn tells_why(connection: &Connection) -> bool {
    let Connection::NeedsReconnection { reason, .. } = connection else { return false };
    let code = reason.rsplit_once(" (").and_then(|(_, code)| code.strip_suffix(")."));
    code.is_some_and(|code| !code.is_empty()) && reason.contains(": ")
}

/// A film by its form, and of no kind that a platform knows: seen only when it is processed.
fn odd() -> Vec<u8> {
    let mut film = File::Film.bytes();
    film[8..12].copy_from_slice(b"oddb");
    film[16..24].copy_from_slice(b"oddboddb");
    film
}

#[tokio::test(flavor = "multi_thread")]
async fn film_that_cannot_be_processed_fails_with_what_the_platform_says_of_it() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let odd = upload(&world.engine, &world.caller, &odd()).await;
    let networks = [
        ("facebook", "", "a format that we don't support (352/1363024)"),
        ("facebook", "reel", "in a format that is not supported (video_failed)"),
        ("instagram", "", "failed with error code 2207026 (2207026)"),
        ("instagram/facebook", "story", "failed with error code 2207026 (2207026)"),
        ("threads", "", "FAILED_PROCESSING_VIDEO (container_failed)"),
        ("linkedin", "", "The format of the file is not supported (PROCESSING_FAILED)"),
        ("linkedin/organization", "", "is not supported (PROCESSING_FAILED)"),
        ("x", "", "[application/octet-stream] is not valid (invalid-request)"),
    ];
    let failed = networks.map(|(network, format, words)| {
        let world = &world;
        async move {
            let handle = format!("{}{format}", network.replace('/', ""));
            let account = world.connect(network, &handle).await;
            let text = if format == "story" { "" } else { "Look" };
            let mut content = Content { parts: vec![part(text, &[odd])], ..Content::default() };
            if !format.is_empty() {
                content.options.insert("format".to_owned(), format.to_owned());
            }
            (network, words, world.post(content, account.id, PlanRequest::Now, 5).await)
        }
    });
    let failed = join_all(failed).await;
    let ids: Vec<_> = failed.iter().map(|(_, _, delivery)| delivery.id).collect();
    world.through(&ids).await;
    for (network, words, delivery) in &failed {
        let delivery = world.delivery(delivery.id);
        let story = world.story(&delivery);
        let State::Failed { refusal, .. } = &delivery.state else { panic!("{delivery:?} {story}") };
        let told = format!("{} ({})", refusal.words, refusal.code);
        assert!(told.ends_with(words), "{network}: {told}\n{story}");
        // A file may have been lost, so it is sent again as often as anything else that fails.
        assert_eq!(story.matches("did not succeed (media)").count(), 2, "{network}:\n{story}");
        assert!(delivery.live.is_empty(), "{delivery:?}");
    }
    assert!(world.planet.ledger().is_empty());
    world.check().await;
}

/// The person uses up what the platform allows to programs, through another one.
async fn use_up(world: &World, network: &str, handle: &str, posts: usize) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let origin = &world.planet.origin;
    let (base, token, scope) = match network {
        "threads" => (
            format!("{origin}/threads"),
            "/oauth/access_token",
            "threads_basic,threads_content_publish",
        ),
        _ => (
            format!("{origin}/instagram"),
            "/oauth/access_token",
            "instagram_business_basic,instagram_business_content_publish",
        ),
    };
    let back = "https://other.example/back";
    let visit = format!(
        "{base}/oauth/authorize?client_id=other&redirect_uri={back}&response_type=code&state=s\
         &scope={scope}"
    );
    let code = consent(&visit, handle).await.code.unwrap();
    let code = code.trim_end_matches("#_").to_owned();
    let form = [
        ("client_id", "other"),
        ("client_secret", "sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", back),
        ("code", &code),
    ];
    let ask = async |url: String, form: &[(&str, &str)]| -> serde_json::Value {
        let answer = client.post(url).form(form).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    let granted = ask(format!("{base}{token}"), &form).await;
    let token = [&granted["access_token"], &granted["data"][0]["access_token"]];
    let token = token.iter().find_map(|token| token.as_str()).unwrap();
    let picture = format!("{origin}/_sandbox/media/1");
    for number in 0..posts {
        let text = number.to_string();
        let made = match network {
            "threads" => {
                let form = [
                    ("access_token", token),
                    ("media_type", "TEXT"),
                    ("text", &text),
                    ("auto_publish_text", "true"),
                ];
                ask(format!("{base}/v1.0/me/threads"), &form).await
            }
            _ => {
                let form = [("access_token", token), ("image_url", &picture), ("caption", &text)];
                let container = ask(format!("{base}/v26.0/me/media"), &form).await;
                let container = container["id"].as_str().unwrap_or_else(|| panic!("{container}"));
                let form = [("access_token", token), ("creation_id", container)];
                ask(format!("{base}/v26.0/me/media_publish"), &form).await
            }
        };
        assert!(made["id"].is_string(), "{made}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn used_up_quota_rests_the_account_and_loses_nothing() {
    for (network, quota) in [("threads", 250), ("instagram", 100)] {
        let world = World::limited().await;
        world.set_grace(7 * 24 * 3_600).await;
        let picture = upload(&world.engine, &world.caller, &File::Photo.bytes()).await;
        let account = world.connect(network, "nina").await;
        let say = async |text: &str| {
            let content = Content { parts: vec![part(text, &[picture])], ..Content::default() };
            world.post(content, account.id, PlanRequest::Now, 5).await
        };
        let first = say("First").await;
        world.until(first.id, published).await;
        use_up(&world, network, "nina", quota - 1).await;
        let (second, third) = (say("Second").await, say("Third").await);
        world.told(&second, "A limit is reached").await;
        let resting = async {
            loop {
                let health = world.engine.health(&world.caller, account.id).await.unwrap();
                if health.stage == "resting" && health.rests_until.is_some() {
                    return health.on_lane;
                }
                tokio::task::yield_now().await;
            }
        };
        let waiting = tokio::time::timeout(Duration::from_secs(20), resting).await;
        assert_eq!(waiting.expect("it rests"), 2, "{network}");
        assert_eq!(world.planet.ledger().len(), quota);
        world.planet.turn(24 * 3_600);
        world.through(&[second.id, third.id]).await;
        let texts = world.planet.texts(&account);
        // The account rests, not the order: what is processed first may be overtaken.
        let mut rest = texts[quota..].to_vec();
        rest.sort();
        assert_eq!(rest, ["Second", "Third"], "{network}");
        world.check().await;
    }
}
