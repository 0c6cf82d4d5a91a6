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
    sandbox::{Fault, FaultKind, LedgerEntry, Operation},
};

use crate::{
    networks::File,
    world::{
        SLACK_BOT, SLACK_WEBHOOK, World, failed, held, in_doubt, part, published, settled,
        text_content, upload,
    },
};

const TELEGRAM_BOT: &str = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11";

const SLACK_CHANNEL: &str = "C0123456789";

const DISCORD_BOT: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";
const DISCORD_CHANNEL: &str = "222222222222222222";
const DISCORD_WEBHOOK: &str = "https://discord.com/api/webhooks/111111111111111111/\
    abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789_-ABCD";

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
    ("slack/webhook", "#news", SLACK_WEBHOOK),
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

/// Of files, Slack tells later which message they became.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_post_arrives_once_in_a_channel_of_slack() {
    let world = World::new().await;
    let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    assert_eq!(account.identity.handle, "#channel-6789");
    let [photo, other, gif, film, paper] = files(&world).await;
    let rows: [Row; 8] = [
        (vec![part("Hello & <you>", &[])], &[("unfurl", "false")], "Hello & <you>", &[]),
        (vec![part("Read https://example.com", &[])], &[], "Read https://example.com", &[]),
        (vec![part("A guide", &[])], &[("buttons", "Read | https://e.com")], "A guide", &[]),
        (vec![part("A photo", &[photo])], &[], "A photo", &["image"]),
        (vec![part("", &[gif])], &[], "", &["gif"]),
        (vec![part("A film", &[film])], &[], "A film", &["video"]),
        (vec![part("Pages", &[paper])], &[], "Pages", &["document"]),
        (vec![part("Swipe", &[photo, other, film])], &[], "Swipe", &["image", "image", "video"]),
    ];
    for (parts, options, text, kinds) in rows {
        let (delivery, found) = seen(&world, &account, parts, options).await;
        assert_eq!(told(&found), [(text, kinds.to_vec())]);
        assert_eq!((delivery.live.len(), &delivery.live[0].url), (1, &found[0].url));
    }
    let thread = vec![part("One", &[photo]), part("Two", &[]), part("Three", &[other])];
    let (delivery, found) = seen(&world, &account, thread, &[("broadcast", "true")]).await;
    let wanted = [("One", vec!["image"]), ("Two", vec![]), ("Three", vec!["image"])];
    assert_eq!(told(&found), wanted);
    assert_eq!(delivery.live.len(), 3);
    assert!(found[1..].iter().all(|answer| answer.reply_to.as_ref() == Some(&found[0].id)));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_slack_writes_texts_and_buttons_and_takes_nothing_back() {
    let world = World::new().await;
    let account = join(&world, "slack/webhook", "#news", SLACK_WEBHOOK).await;
    let parts = vec![part("Hello & <you>", &[])];
    let (delivery, found) =
        seen(&world, &account, parts, &[("buttons", "Read | https://e.com")]).await;
    assert_eq!(told(&found), [("Hello & <you>", vec![])]);
    let kept = world.engine.remove_delivery(&world.caller, delivery.id).await;
    assert!(kept.is_err(), "{kept:?}");
    assert_eq!(entries(&world, &account)[0].deleted_at, None);
    world.check().await;
}

/// A message by the key in its metadata, a part with files by its first file.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_a_bot_of_slack_is_looked_for_and_published_once() {
    let world = World::new().await;
    world.set_grace(7 * 24 * 3_600).await;
    let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    let [photo, ..] = files(&world).await;
    for parts in [
        vec![part("Hello", &[])],
        vec![part("Hello", &[]), part("again", &[])],
        vec![part("A photo", &[photo])],
        vec![part("A photo", &[photo]), part("again", &[photo])],
    ] {
        for (kind, after) in [(FaultKind::DropAnswer, 0), (FaultKind::Unavailable, 0)]
            .into_iter()
            .chain((parts.len() > 1).then_some((FaultKind::DropAnswer, 1)))
        {
            let before = entries(&world, &account).len();
            let fault = Fault { after, ..Fault::new(kind, Operation::Publish) };
            world.planet.sandbox.inject(fault);
            let content = Content { parts: parts.clone(), ..Content::default() };
            let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
            world.through(&[delivery.id]).await;
            let delivery = world.delivery(delivery.id);
            let story = world.story(&delivery);
            assert!(published(&delivery.state), "{kind:?} {delivery:?}\n{story}");
            let found = entries(&world, &account).split_off(before);
            assert_eq!(found.len(), parts.len(), "{kind:?} {story}");
        }
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_refuses_fails_in_its_words_and_a_withdrawn_token_asks_for_the_person() {
    for (place, identifier, secret) in
        [("slack/bot", SLACK_CHANNEL, SLACK_BOT), ("slack/webhook", "#news", SLACK_WEBHOOK)]
    {
        let world = World::new().await;
        let account = join(&world, place, identifier, secret).await;
        world.planet.fault(FaultKind::Refuse, Operation::Publish, 1);
        let delivery = world.say("Refused", &account, PlanRequest::Now).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(failed(&delivery.state), "{place}: {delivery:?}");
        assert!(world.story(&delivery).contains("invalid_arguments"), "{place}");
        world.planet.fault(FaultKind::Throttle, Operation::Publish, 1);
        let delivery = world.say("Throttled", &account, PlanRequest::Now).await;
        world.through(&[delivery.id]).await;
        assert!(published(&world.delivery(delivery.id).state), "{place}");
        world.planet.fault(FaultKind::RevokeToken, Operation::Publish, 1);
        let delivery = world.say("Withdrawn", &account, PlanRequest::Now).await;
        let delivery = world.until(delivery.id, settled).await;
        assert!(held(&delivery.state), "{place}: {delivery:?}");
        assert_eq!(world.planet.texts(&account), ["Throttled"], "{place}");
        world.check().await;
    }
}

/// Where the platform keeps to one message a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_thread_on_slack_keeps_to_a_message_a_second() {
    let world = World::limited().await;
    let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    let parts = ["1", "2", "3", "4"].map(|text| part(text, &[])).to_vec();
    let content = Content { parts, ..Content::default() };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.through(&[delivery.id]).await;
    assert!(published(&world.delivery(delivery.id).state));
    assert_eq!(world.planet.texts(&account), ["1", "2", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_on_slack_is_changed_and_taken_down_with_its_files() {
    let world = World::new().await;
    let account = join(&world, "slack/bot", SLACK_CHANNEL, SLACK_BOT).await;
    let [photo, ..] = files(&world).await;
    for parts in [vec![part("Before", &[])], vec![part("Before", &[photo]), part("Two", &[])]] {
        let (delivery, found) = seen(&world, &account, parts, &[]).await;
        let changed = world
            .engine
            .revise_delivery(&world.caller, delivery.id, 0, "After & <so>".to_owned())
            .await;
        assert!(changed.is_ok(), "{changed:?}");
        let entry =
            |id: &str| entries(&world, &account).into_iter().find(|it| it.id == id).unwrap();
        assert_eq!(entry(&found[0].id).text, "After & <so>");
        world.planet.fault(FaultKind::DropAnswer, Operation::Delete, 1);
        let lost = world.engine.remove_delivery(&world.caller, delivery.id).await;
        assert!(lost.is_err(), "{lost:?}");
        let removed = world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
        assert!(removed.live.is_empty());
        assert!(found.iter().all(|it| entry(&it.id).deleted_at.is_some()));
    }
    world.check().await;
}
