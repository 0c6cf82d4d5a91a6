//! Where credentials are pasted: programs that receive signed events, and WhatsApp's recipients.

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        account::{Account, Connection},
        delivery::{Delivery, State},
        event::EventKind,
        post::Content,
        secret::Secret,
    },
    engine::facade::{ConnectRequest, Connecting, NewPost, PlanRequest, Resolution},
    sandbox::{Fault, FaultKind, LedgerEntry, Operation},
};

use crate::{
    networks::File,
    world::{World, failed, held, in_doubt, part, published, upload},
};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// With credentials that a person pasted.
async fn paste(world: &World, platform: &str, identifier: String, password: &str) -> Account {
    let request = ConnectRequest {
        platform: platform.to_owned(),
        server: String::new(),
        login: String::new(),
        identifier,
        password: Some(Secret::new(password)),
        reconnect: None,
    };
    let connecting = world.engine.connect(&world.caller, request).await.unwrap();
    let Connecting::Connected { account, .. } = connecting else { panic!("{connecting:?}") };
    *account
}

fn shop(world: &World) -> String {
    format!("{}/webhook/shop", world.planet.origin)
}

/// A program that knows the secret and checks every signature.
async fn connect_shop(world: &World) -> Account {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/_sandbox/webhooks/shop", world.planet.origin);
    let body = format!(r#"{{ "secret": "{SECRET}" }}"#);
    let told = client.post(url).body(body).send().await.unwrap();
    assert_eq!(told.status().as_u16(), 201);
    paste(world, "webhook", shop(world), SECRET).await
}

/// What readers see of one platform.
fn entries(world: &World, platform: &str) -> Vec<LedgerEntry> {
    let mut entries = world.planet.ledger();
    entries.retain(|entry| entry.platform.name() == platform);
    entries
}

async fn thread(world: &World, account: &Account, texts: &[&str]) -> Delivery {
    let parts = texts.iter().map(|text| part(text, &[])).collect();
    let content = Content { parts, ..Content::default() };
    world.post(content, account.id, PlanRequest::Now, 5).await
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_has_each_part_once_though_an_answer_is_lost() {
    let world = World::new().await;
    let account = connect_shop(&world).await;
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    let delivery = thread(&world, &account, &["One", "Two"]).await;
    world.through(&[delivery.id]).await;
    let delivery = world.until(delivery.id, published).await;
    let seen = entries(&world, "webhook");
    let texts: Vec<&str> = seen.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["One", "Two"]);
    assert_eq!(seen[1].reply_to.as_ref(), Some(&seen[0].id));
    assert_eq!(delivery.live.len(), 2);
    for (live, entry) in delivery.live.iter().zip(&seen) {
        assert!(live.id.ends_with(&format!("/{}", entry.id)), "{live:?}");
        assert_eq!(live.url, entry.url);
    }
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_is_told_of_what_was_changed_and_removed() {
    let world = World::new().await;
    let account = connect_shop(&world).await;
    let delivery = thread(&world, &account, &["One"]).await;
    world.until(delivery.id, published).await;
    let revised =
        world.engine.revise_delivery(&world.caller, delivery.id, 0, "Other".to_owned()).await;
    revised.unwrap();
    world.engine.remove_delivery(&world.caller, delivery.id).await.unwrap();
    let seen = entries(&world, "webhook");
    assert!(seen.len() == 1 && seen[0].text == "Other" && seen[0].deleted_at.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_that_is_gone_or_has_another_secret_is_set_aside_with_words() {
    for (fault, status) in
        [(FaultKind::RevokeToken, 410), (FaultKind::ExpireToken, 401), (FaultKind::Refuse, 410)]
    {
        let world = World::new().await;
        let account = connect_shop(&world).await;
        let fault = Fault::new(fault, Operation::Publish);
        world.planet.sandbox.inject(Fault { status: Some(status), ..fault });
        let delivery = thread(&world, &account, &["One"]).await;
        world.until(delivery.id, held).await;
        let Connection::NeedsReconnection { reason, .. } = world.account(&account).connection
        else {
            panic!("{status}: {:?}", world.account(&account).connection)
        };
        assert!(!reason.is_empty(), "{status}");
        world.until_events(EventKind::AccountNeedsReconnection, 1).await;
        assert!(entries(&world, "webhook").is_empty());
        // Connected again with the secret, what was held goes on.
        let again = connect_shop(&world).await;
        assert_eq!(again.id, account.id);
        world.until(delivery.id, published).await;
        assert_eq!(entries(&world, "webhook").len(), 1);
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_that_is_busy_is_waited_for_and_one_that_refuses_ends_the_delivery() {
    let world = World::new().await;
    let account = connect_shop(&world).await;
    world.planet.fault(FaultKind::Throttle, Operation::Publish, 1);
    let waited = thread(&world, &account, &["One"]).await;
    world.through(&[waited.id]).await;
    world.until(waited.id, published).await;
    world.planet.fault(FaultKind::Refuse, Operation::Publish, 1);
    let refused = thread(&world, &account, &["Two"]).await;
    let refused = world.until(refused.id, failed).await;
    let State::Failed { refusal, .. } = &refused.state else { panic!("{refused:?}") };
    assert!(refusal.words.contains("not taken"), "{refusal:?}");
    world.engine.retry_delivery(&world.caller, refused.id).await.unwrap();
    world.until(refused.id, published).await;
    assert_eq!(entries(&world, "webhook").len(), 2);
}

const PHONE: &str = "106540352242922";
const TOKEN: &str = "EAAabcdefghijklmnopqrstuvwxyz0123456789";
const ADA: &str = "4915112345678";
const BEN: &str = "4915112345679";
/// Wrote nothing for a day, as the sandbox has it.
const SILENT: &str = "4915112340024";
const ABSENT: &str = "4915112340000";

async fn connect_number(world: &World) -> Account {
    paste(world, "whatsapp", PHONE.to_owned(), TOKEN).await
}

async fn message(
    world: &World,
    account: &Account,
    files: &[File],
    options: &[(&str, &str)],
    to: &[&str],
) -> Delivery {
    let mut media = Vec::new();
    for file in files {
        media.push(upload(&world.engine, &world.caller, &file.bytes()).await);
    }
    let is_template = options.iter().any(|(name, _)| *name == "template");
    let parts = vec![part(if is_template { "" } else { "Hello" }, &media)];
    let mut options: BTreeMap<String, String> =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let lines: Vec<String> = to.iter().map(|number| format!("+{number}")).collect();
    options.insert("recipients".to_owned(), lines.join("\n"));
    let content = Content { parts, options };
    world.post(content, account.id, PlanRequest::Now, 5).await
}

/// Who got something, in order.
fn reached(world: &World) -> Vec<String> {
    let all = entries(world, "whatsapp").into_iter();
    all.map(|entry| entry.url.trim_start_matches("https://wa.me/").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn recipient_who_refuses_is_named_and_alone_tried_again() {
    let world = World::new().await;
    let account = connect_number(&world).await;
    let delivery = message(&world, &account, &[], &[], &[ADA, SILENT, BEN]).await;
    let refused = world.until(delivery.id, failed).await;
    let State::Failed { refusal, .. } = &refused.state else { panic!("{refused:?}") };
    assert!(refusal.words.contains(SILENT), "{refusal:?}");
    assert!(!refusal.words.contains(ADA) && !refusal.words.contains(BEN), "{refusal:?}");
    assert_eq!((reached(&world), refused.live.len()), (vec![ADA.to_owned(), BEN.to_owned()], 2));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/_sandbox/whatsapp/{SILENT}", world.planet.origin);
    client.post(url).send().await.unwrap();
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    let sent = world.until(delivery.id, published).await;
    assert_eq!(
        (reached(&world), sent.live.len()),
        ([ADA, BEN, SILENT].map(str::to_owned).to_vec(), 3)
    );
    world.check().await;
}

/// The doubt is about one person. Whatever is said of it, the others get theirs.
#[tokio::test(flavor = "multi_thread")]
async fn message_whose_answer_is_lost_is_in_doubt_and_goes_on_when_a_person_has_looked() {
    let live = Resolution::Live { url: "https://wa.me/4915112345678".to_owned() };
    for (resolution, has_it) in [(live, vec![ADA, BEN]), (Resolution::NotLive, vec![ADA, ADA, BEN])]
    {
        let world = World::new().await;
        let account = connect_number(&world).await;
        world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
        let delivery = message(&world, &account, &[File::Photo], &[], &[ADA, BEN]).await;
        world.through(&[delivery.id]).await;
        let doubted = world.until(delivery.id, in_doubt).await;
        let State::InDoubt { doubt, .. } = &doubted.state else { panic!("{doubted:?}") };
        assert!(doubt.evidence.contains(&format!("the message to +{ADA}")), "{doubt:?}");
        assert_eq!(reached(&world), [ADA]);
        let (engine, caller) = (&world.engine, &world.caller);
        engine.resolve_delivery(caller, delivery.id, resolution).await.unwrap();
        let ended = world.until(delivery.id, published).await;
        assert_eq!(
            (reached(&world), ended.live.len()),
            (has_it.iter().map(|it| (*it).to_owned()).collect(), 2)
        );
        world.check().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_taken_and_held_back_is_not_called_published() {
    const HELD: &str = "4915112340011";
    let world = World::new().await;
    let account = connect_number(&world).await;
    let hello = [("format", "template"), ("template", "hello_world"), ("language", "en_US")];
    let delivery = message(&world, &account, &[], &hello, &[ADA, HELD]).await;
    let ended = world.until(delivery.id, failed).await;
    let State::Failed { refusal, .. } = &ended.state else { panic!("{ended:?}") };
    assert!(refusal.words.starts_with("1 of 2 have it."), "{refusal:?}");
    assert!(refusal.words.contains(&format!("+{HELD} (held_for_quality_assessment)")));
    // A retry sends nothing a second time: whoever asks for it takes it as it is.
    world.engine.retry_delivery(&world.caller, delivery.id).await.unwrap();
    let taken = world.until(delivery.id, published).await;
    assert_eq!((reached(&world).len(), taken.live.len()), (2, 2));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_with_files_and_templates_reach_everybody_once() {
    let world = World::new().await;
    let account = connect_number(&world).await;
    let sale = [
        ("format", "template"),
        ("template", "autumn_sale"),
        ("language", "en_US"),
        ("template_parameters", "Ada\n20 %"),
    ];
    for (files, options, kind) in [
        (&[File::Photo], &[][..], "image"),
        (&[File::Film], &[][..], "video"),
        (&[File::Paper], &[][..], "document"),
        (&[File::Photo], &sale[..], "image"),
    ] {
        let delivery = message(&world, &account, files, options, &[ADA, BEN]).await;
        world.through(&[delivery.id]).await;
        world.until(delivery.id, published).await;
        let seen = entries(&world, "whatsapp");
        for entry in &seen[seen.len() - 2..] {
            let kinds: Vec<&str> = entry.media.iter().map(|media| media.kind).collect();
            assert_eq!(kinds, [kind]);
        }
    }
    assert_eq!(reached(&world).len(), 8);
    // Who is not reached by what is free is reached by a template; who is absent, by nothing.
    let hello = [("format", "template"), ("template", "hello_world"), ("language", "en_US")];
    let delivery = message(&world, &account, &[], &hello, &[ABSENT, SILENT]).await;
    let refused = world.until(delivery.id, failed).await;
    let State::Failed { refusal, .. } = &refused.state else { panic!("{refused:?}") };
    assert!(refusal.words.contains(ABSENT), "{refusal:?}");
    assert_eq!(reached(&world).last().map(String::as_str), Some(SILENT));
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn number_whose_token_is_taken_back_is_set_aside_until_it_has_another() {
    let world = World::new().await;
    let account = connect_number(&world).await;
    let fault = Fault::new(FaultKind::RevokeToken, Operation::Publish);
    world.planet.sandbox.inject(fault);
    let delivery = message(&world, &account, &[], &[], &[ADA]).await;
    world.until(delivery.id, held).await;
    let connection = world.account(&account).connection;
    assert!(matches!(connection, Connection::NeedsReconnection { .. }), "{connection:?}");
    let another = format!("{TOKEN}another");
    let again = paste(&world, "whatsapp", PHONE.to_owned(), &another).await;
    assert_eq!(again.id, account.id);
    world.until(delivery.id, published).await;
    assert_eq!(reached(&world), [ADA]);
}

/// Its keys are not trusted: it would repeat a refusal as well.
#[tokio::test(flavor = "multi_thread")]
async fn pleroma_has_each_part_once_though_an_answer_is_lost() {
    let world = World::new().await;
    let account = world.connect("pleroma", "robin").await;
    assert_eq!(account.identity.traits["software"], "pleroma");
    world.planet.fault(FaultKind::DropAnswer, Operation::Publish, 1);
    let delivery = thread(&world, &account, &["One", "Two"]).await;
    world.through(&[delivery.id]).await;
    world.until(delivery.id, published).await;
    let seen = entries(&world, "pleroma");
    let texts: Vec<&str> = seen.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["One", "Two"]);
    world.check().await;
}

/// It refuses a key that it has seen, and shows no status for it; so keys are not used, and a look
/// tells. A status without a picture is refused while it is planned.
#[tokio::test(flavor = "multi_thread")]
async fn pixelfed_has_each_part_once_though_an_answer_is_lost() {
    let world = World::new().await;
    let account = world.connect("pixelfed", "robin").await;
    assert_eq!(account.identity.traits["software"], "pixelfed");
    let photo = upload(&world.engine, &world.caller, &File::Photo.bytes()).await;
    for kind in [FaultKind::DropAnswer, FaultKind::Unavailable] {
        world.planet.fault(kind, Operation::Publish, 1);
        let parts = vec![part("One", &[photo]), part("Two", &[photo])];
        let content = Content { parts, ..Content::default() };
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        world.through(&[delivery.id]).await;
        world.until(delivery.id, published).await;
    }
    let seen = entries(&world, "pixelfed");
    let texts: Vec<&str> = seen.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(texts, ["One", "Two", "One", "Two"]);
    let post = NewPost {
        content: crate::world::text_content("No picture"),
        variants: BTreeMap::new(),
        targets: vec![account.id],
        plan: PlanRequest::Now,
        priority: 5,
    };
    let refused = world.engine.create_post(&world.caller, post, None).await.unwrap_err();
    assert!(format!("{refused:?}").contains("nothing without a picture"), "{refused:?}");
    world.check().await;
}

/// What answers another status is in no list of Pixelfed's, so a look proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn comment_on_pixelfed_whose_answer_is_lost_is_a_persons_to_decide_and_sent_once() {
    let world = World::new().await;
    let account = world.connect("pixelfed", "robin").await;
    let photo = upload(&world.engine, &world.caller, &File::Photo.bytes()).await;
    let parts = vec![part("One", &[photo]), part("Two", &[])];
    let content = Content { parts, ..Content::default() };
    let second = Fault { after: 1, ..Fault::new(FaultKind::DropAnswer, Operation::Publish) };
    world.planet.sandbox.inject(second);
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.through(&[delivery.id]).await;
    world.until(delivery.id, in_doubt).await;
    let seen = entries(&world, "pixelfed");
    assert_eq!(seen.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["One", "Two"]);
    world.check().await;
}

/// Unlike Mastodon's, its tokens end; each refresh token is good once.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_pixelfed_are_renewed_before_they_end() {
    let world = World::new().await;
    let account = world.connect("pixelfed", "robin").await;
    let photo = upload(&world.engine, &world.caller, &File::Photo.bytes()).await;
    for _ in 0..2 {
        world.planet.turn(356 * 24 * 3_600);
        let parts = vec![part("Still here", &[photo])];
        let content = Content { parts, ..Content::default() };
        let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
        world.until(delivery.id, published).await;
    }
    assert!(world.events(EventKind::TokenRefreshed) >= 2);
    assert_eq!(entries(&world, "pixelfed").len(), 2);
    world.check().await;
}

/// A plugin keeps back what it was told to publish: it is there, and nobody sees it.
#[tokio::test(flavor = "multi_thread")]
async fn article_that_a_site_keeps_back_is_a_persons_to_decide_and_sent_once() {
    let world = World::new().await;
    let account = world.connect("wordpress", "moderated").await;
    let options = [("title".to_owned(), "Dawn".to_owned())].into();
    let content = Content { parts: vec![part("Hello", &[])], options };
    let delivery = world.post(content, account.id, PlanRequest::Now, 5).await;
    world.through(&[delivery.id]).await;
    let doubted = world.until(delivery.id, in_doubt).await;
    let State::InDoubt { doubt, .. } = &doubted.state else { panic!("{doubted:?}") };
    assert!(doubt.evidence.contains("the site has the article as `pending`"), "{doubt:?}");
    let script = Resolution::Live { url: "javascript:alert(1)".to_owned() };
    let refused = world.engine.resolve_delivery(&world.caller, delivery.id, script).await;
    assert_eq!(refused.unwrap_err().place, "live.url");
    let live = Resolution::Live { url: "https://example.org/dawn".to_owned() };
    world.engine.resolve_delivery(&world.caller, delivery.id, live).await.unwrap();
    let settled = world.until(delivery.id, published).await;
    assert_eq!((settled.live.len(), world.planet.ledger().len()), (1, 0));
    world.check().await;
}
