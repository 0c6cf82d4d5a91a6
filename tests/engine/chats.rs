//! Channels that bots and webhooks write in: every kind of post, and answers that never came.

use fanfare::{
    domain::{
        account::Account,
        delivery::Delivery,
        ids::MediaId,
        post::{Content, Part},
        secret::Secret,
    },
    engine::facade::{ConnectRequest, Connecting, PlanRequest},
    sandbox::{FaultKind, LedgerEntry, Operation},
};

use crate::{
    networks::File,
    world::{World, in_doubt, part, published, settled, text_content, upload},
};

const TELEGRAM_BOT: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

const DISCORD_BOT: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";
const DISCORD_CHANNEL: &str = "222222222222222222";
const DISCORD_WEBHOOK: &str = "https://discord.com/api/webhooks/111111111111111111/\
    abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789_-ABCD";

const SLACK_BOT: &str = "xoxb-1234567890-abcdefghijklmnop";
const SLACK_CHANNEL: &str = "C0123456789";
const SLACK_WEBHOOK: &str =
    "https://hooks.slack.com/services/T0123456789/B0123456789/abcdefghijklmnop";

/// What is published with which options; the text that is seen, and the kinds of the files.
type Row =
    (Vec<Part>, &'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);

async fn join(world: &World, place: &str, identifier: &str, secret: &str) -> Account {
    let (platform, login) = place.split_once('/').unwrap_or((place, ""));
    let request = ConnectRequest {
        platform: platform.to_owned(),
        server: String::new(),
        login: login.to_owned(),
        identifier: identifier.to_owned(),
        password: Some(Secret::new(secret)),
        reconnect: None,
    };
    match world.engine.connect(&world.caller, request).await.unwrap() {
        Connecting::Connected { account, .. } => *account,
        Connecting::Visit { url, .. } => panic!("{place} sends people to {url}"),
    }
}

fn entries(world: &World, account: &Account) -> Vec<LedgerEntry> {
    let mut all = world.planet.ledger();
    all.retain(|entry| entry.account == account.identity.remote_id);
    all
}

/// Publishes it, and gives what readers see of it.
async fn seen(
    world: &World,
    account: &Account,
    parts: Vec<Part>,
    options: &[(&str, &str)],
) -> (Delivery, Vec<LedgerEntry>) {
    let before = entries(world, account).len();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let content = Content { parts, options: options.iter().map(owned).collect() };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    let delivery = world.until(delivery.id, settled).await;
    assert!(published(&delivery.state), "{:?}", delivery.state);
    (delivery, entries(world, account).split_off(before))
}

/// Texts, and the kinds of the files below them.
fn told(entries: &[LedgerEntry]) -> Vec<(&str, Vec<&'static str>)> {
    let media = |entry: &LedgerEntry| entry.media.iter().map(|file| file.kind).collect();
    entries.iter().map(|entry| (entry.text.as_str(), media(entry))).collect()
}

async fn files(world: &World) -> [MediaId; 5] {
    let mut all = Vec::new();
    for file in [File::Photo, File::Other, File::Gif, File::Film, File::Paper] {
        all.push(upload(&world.engine, &world.caller, &file.bytes()).await);
    }
    all.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_arrives_once_in_a_channel_of_telegram() {
    let world = World::new().await;
    let account = join(&world, "telegram", "@kiosk", TELEGRAM_BOT).await;
    let [photo, other, gif, film, paper] = files(&world).await;
    let rows: [Row; 9] = [
        (vec![part("Hello & <you>", &[])], &[], "Hello & <you>", &[]),
        (vec![part("<b>1</b> &lt; 2", &[])], &[("formatting", "html")], "1 < 2", &[]),
        (vec![part("Read https://example.com", &[])], &[], "Read https://example.com", &[]),
        (vec![part("A photo", &[photo])], &[("silent", "true")], "A photo", &["image"]),
        (vec![part("", &[gif])], &[], "", &["gif"]),
        (vec![part("A film", &[film])], &[], "A film", &["video"]),
        (vec![part("Pages", &[paper])], &[], "Pages", &["document"]),
        (vec![part("Swipe", &[photo, film])], &[], "Swipe", &["image", "video"]),
        (vec![part("Photos", &[photo, other])], &[], "Photos", &["image", "image"]),
    ];
    for (parts, options, text, kinds) in rows {
        let (delivery, found) = seen(&world, &account, parts, options).await;
        assert_eq!(told(&found), [(text, kinds.to_vec())]);
        assert_eq!((delivery.live.len(), &delivery.live[0].url), (1, &found[0].url));
    }
    let thread = vec![part("One", &[]), part("Two", &[photo]), part("Three", &[])];
    let (delivery, found) = seen(&world, &account, thread, &[]).await;
    assert_eq!(told(&found), [("One", vec![]), ("Two", vec!["image"]), ("Three", vec![])]);
    assert_eq!(delivery.live.len(), 3);
    assert_eq!(found[1].reply_to.as_ref(), Some(&found[0].id));
    world.check().await;
}

/// A bot's parts answer each other, which webhooks cannot.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_arrives_once_in_a_channel_of_discord() {
    let world = World::new().await;
    let [photo, other, gif, film, paper] = files(&world).await;
    let places =
        [("discord/bot", DISCORD_CHANNEL, DISCORD_BOT), ("discord/webhook", "", DISCORD_WEBHOOK)];
    for (place, identifier, secret) in places {
        let account = join(&world, place, identifier, secret).await;
        let rows: [Row; 7] = [
            (vec![part("Hello & <you>", &[])], &[("silent", "true")], "Hello & <you>", &[]),
            (vec![part("Read https://example.com", &[])], &[], "Read https://example.com", &[]),
            (vec![part("Photos", &[photo, other])], &[], "Photos", &["image", "image"]),
            (vec![part("", &[gif])], &[], "", &["gif"]),
            (vec![part("A film", &[film])], &[], "A film", &["video"]),
            (vec![part("Pages", &[paper])], &[], "Pages", &["document"]),
            (
                vec![part("Have a say", &[])],
                &[("poll", "This\nThat"), ("poll_question", "Which?"), ("poll_minutes", "60")],
                "Have a say",
                &[],
            ),
        ];
        for (parts, options, text, kinds) in rows {
            let (delivery, found) = seen(&world, &account, parts, options).await;
            assert_eq!(told(&found), [(text, kinds.to_vec())], "{place}");
            assert_eq!((delivery.live.len(), &delivery.live[0].url), (1, &found[0].url), "{place}");
        }
        let thread = vec![part("One", &[]), part("Two", &[photo]), part("Three", &[])];
        let (delivery, found) = seen(&world, &account, thread, &[]).await;
        assert_eq!(told(&found), [("One", vec![]), ("Two", vec!["image"]), ("Three", vec![])]);
        assert_eq!(delivery.live.len(), 3, "{place}");
        let answered = (place == "discord/bot").then(|| found[0].id.clone());
        assert_eq!(found[1].reply_to, answered, "{place}");
    }
    world.check().await;
}

/// A part with files becomes a message a moment later, and is answered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_arrives_once_in_a_channel_of_slack() {
    let world = World::new().await;
    let [photo, other, gif, film, paper] = files(&world).await;
    let pasted = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    let chosen = world.connect("slack/app", "harbour").await;
    assert_eq!(chosen.identity.handle, "#harbour");
    for account in [pasted, chosen] {
        let rows: [Row; 8] = [
            (vec![part("Hello & <you>", &[])], &[], "Hello & <you>", &[]),
            (
                vec![part("Read https://e.com", &[])],
                &[("unfurl", "false")],
                "Read https://e.com",
                &[],
            ),
            (vec![part("A photo", &[photo])], &[], "A photo", &["image"]),
            (vec![part("Photos", &[photo, other])], &[], "Photos", &["image", "image"]),
            (vec![part("", &[gif])], &[], "", &["image"]),
            (vec![part("A film", &[film])], &[], "A film", &["video"]),
            (vec![part("Pages", &[paper])], &[], "Pages", &["document"]),
            (vec![part("Go <on>", &[])], &[("buttons", "On | https://e.com")], "Go <on>", &[]),
        ];
        for (parts, options, text, kinds) in rows {
            let (delivery, found) = seen(&world, &account, parts, options).await;
            assert_eq!(told(&found), [(text, kinds.to_vec())]);
            assert_eq!((delivery.live.len(), &delivery.live[0].url), (1, &found[0].url));
        }
        for first in [vec![], vec![photo]] {
            let thread = vec![part("One", &first), part("Two", &[photo]), part("Three", &[])];
            let (delivery, found) = seen(&world, &account, thread, &[]).await;
            let texts: Vec<_> = found.iter().map(|entry| entry.text.as_str()).collect();
            assert_eq!(texts, ["One", "Two", "Three"]);
            assert_eq!(delivery.live.len(), 3);
            for answer in &found[1..] {
                assert_eq!(answer.reply_to.as_ref(), Some(&found[0].id));
            }
        }
    }
    let hook = join(&world, "slack/webhook", "news", SLACK_WEBHOOK).await;
    let (delivery, found) = seen(&world, &hook, vec![part("Hello & <you>", &[])], &[]).await;
    assert_eq!(told(&found), [("Hello & <you>", vec![])]);
    assert_eq!(delivery.live.len(), 1);
    world.check().await;
}

/// By the key in its metadata, and by its files.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_a_bot_of_slack_is_published_once() {
    for has_file in [false, true] {
        let world = World::new().await;
        world.set_grace(7 * 24 * 3_600).await;
        let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
        let [photo, ..] = files(&world).await;
        let media = if has_file { vec![photo] } else { Vec::new() };
        // Another message says the same.
        let parts = vec![part("Hello", &media)];
        seen(&world, &account, parts.clone(), &[]).await;
        for kind in [FaultKind::DropAnswer, FaultKind::Unavailable] {
            world.planet.fault(kind, Operation::Publish, 1);
            let content = Content { parts: parts.clone(), ..Content::default() };
            let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
            world.through(&[delivery.id]).await;
            let delivery = world.delivery(delivery.id);
            assert!(published(&delivery.state), "{delivery:?}\n{}", world.story(&delivery));
            assert_eq!(delivery.live.len(), 1);
        }
        assert_eq!(world.planet.texts(&account), ["Hello"; 3]);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_published_is_changed_and_taken_down() {
    let world = World::new().await;
    let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    let [photo, ..] = files(&world).await;
    for media in [vec![], vec![photo]] {
        let (delivery, found) = seen(&world, &account, vec![part("Helo", &media)], &[]).await;
        let (engine, caller) = (&world.engine, &world.caller);
        engine.revise_delivery(caller, delivery.id, 0, "Hello & you".to_owned()).await.unwrap();
        let now = |id: &str| entries(&world, &account).into_iter().find(|entry| entry.id == id);
        assert_eq!(now(&found[0].id).unwrap().text, "Hello & you");
        for _ in 0..2 {
            engine.remove_delivery(caller, delivery.id).await.unwrap();
        }
        assert!(now(&found[0].id).unwrap().deleted_at.is_some());
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_of_slack_that_cannot_be_written_in_is_refused_when_it_is_connected() {
    let world = World::new().await;
    for (channel, words) in [
        ("C0123GONE00", "The channel is archived"),
        ("G0123AWAY00", "the bot sees no such channel"),
    ] {
        let request = ConnectRequest {
            platform: "slack".to_owned(),
            server: String::new(),
            login: "bot".to_owned(),
            identifier: channel.to_owned(),
            password: Some(Secret::new(SLACK_BOT)),
            reconnect: None,
        };
        let problem = world.engine.connect(&world.caller, request).await.unwrap_err();
        assert!(problem.sentence.contains(words), "{problem:?}");
    }
    // One that it is not in, and may write in.
    let account = join(&world, "slack/bot", "C0123AWAY00", SLACK_BOT).await;
    let (_, found) = seen(&world, &account, vec![part("Hello", &[])], &[]).await;
    assert_eq!(told(&found), [("Hello", vec![])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_slack_that_is_revoked_sets_the_account_aside() {
    let world = World::new().await;
    for (place, identifier, secret) in
        [("slack/bot", SLACK_CHANNEL, SLACK_BOT), ("slack/webhook", "", SLACK_WEBHOOK)]
    {
        let account = join(&world, place, identifier, secret).await;
        world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
        let delivery = world.say("Hello", &account, PlanRequest::Now).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(crate::world::held(&delivery.state), "{place}: {:?}", delivery.state);
        assert!(world.planet.texts(&account).is_empty());
    }
}

/// The nonce recognises a repetition, and the channel's listing tells the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_a_bot_of_discord_is_published_once() {
    let world = World::new().await;
    let account = join(&world, "discord/bot", DISCORD_CHANNEL, DISCORD_BOT).await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    let delivery = world.say("Hello", &account, PlanRequest::Now).await;
    let delivery = world.until(delivery.id, settled).await;
    assert!(published(&delivery.state), "{:?}", delivery.state);
    assert_eq!(delivery.live.len(), 1);
    assert_eq!(world.planet.texts(&account), ["Hello"]);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_discord_is_not_taken_for_an_earlier_one_that_says_the_same() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let account = join(&world, "discord/bot", DISCORD_CHANNEL, DISCORD_BOT).await;
    let first = world.say("Hello", &account, PlanRequest::Now).await;
    let first = world.until(first.id, published).await;
    world.planet.fault(FaultKind::Unavailable, Operation::Publish, 1);
    let second = world.say("Hello", &account, PlanRequest::Now).await;
    world.through(&[second.id]).await;
    let second = world.delivery(second.id);
    assert!(published(&second.state), "{second:?}\n{}", world.story(&second));
    assert_ne!(first.live[0].id, second.live[0].id);
    assert_eq!(world.planet.texts(&account), ["Hello", "Hello"]);
    world.check().await;
}

/// Neither takes a key, and neither tells what it wrote.
const MUTE: &[(&str, &str, &str)] = &[
    ("telegram", "@kiosk", TELEGRAM_BOT),
    ("discord/webhook", "", DISCORD_WEBHOOK),
    ("slack/webhook", "", SLACK_WEBHOOK),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_in_doubt_where_nothing_can_be_looked_up() {
    for (place, identifier, secret) in MUTE {
        let world = World::new().await;
        let account = join(&world, place, identifier, secret).await;
        world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
        let content = text_content("Hello");
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(in_doubt(&delivery.state), "{place}: {:?}", delivery.state);
        assert_eq!(world.planet.texts(&account), ["Hello"], "{place}");
        world.check().await;
    }
}
