//! Developer apps of the settings, of the instance and of organizations: who signs in through
//! which, and what becomes of the accounts of one that goes.

use fanfare::{
    domain::{
        account::{Account, Connection},
        event::EventKind,
        mortality::Mortality,
        organization::AppHolder,
        problem::{Code, Problem},
        secret::Secret,
    },
    engine::facade::{
        AppOf, AppSetting, AppStanding, Caller, ConnectRequest, Connected, Connecting, Orphans,
        PlanRequest,
    },
};

use crate::world::{World, connect, consent, published};

const SECRET: &str = "sandbox-secret";

fn setting(client_id: &str, client_secret: Option<&str>) -> AppSetting {
    AppSetting { client_id: client_id.to_owned(), client_secret: client_secret.map(Secret::new) }
}

async fn set(world: &World, by: &Caller, of: AppOf, id: &str) -> Result<AppStanding, Problem> {
    let app = setting(id, Some(SECRET));
    world.engine.set_app(by, of, "x", app, Orphans::Refused).await
}

async fn begin(world: &World, by: &Caller) -> String {
    let request = ConnectRequest {
        platform: "x".to_owned(),
        server: String::new(),
        login: String::new(),
        identifier: String::new(),
        password: None,
        reconnect: None,
    };
    match world.engine.connect(by, request).await.unwrap() {
        Connecting::Visit { url, .. } => url,
        Connecting::Connected { account, .. } => panic!("{account:?} without a visit"),
    }
}

/// Which client the platform is told of when somebody signs in now.
async fn client(world: &World, by: &Caller) -> String {
    let url = url::Url::parse(&begin(world, by).await).unwrap();
    url.query_pairs().find(|(name, _)| name == "client_id").unwrap().1.into_owned()
}

async fn other(world: &World) -> Caller {
    let founded = world.engine.create_organization(&world.caller, "Other", None).await.unwrap();
    world.engine.authenticate(founded.key.expose()).unwrap()
}

fn standing(world: &World, by: &Caller, of: AppOf) -> AppStanding {
    let mut apps = world.engine.apps(by, of).unwrap().into_iter();
    apps.find(|app| app.platform == "x").unwrap()
}

fn holder(world: &World, by: &Caller) -> Option<AppHolder> {
    standing(world, by, AppOf::Organization).app.map(|app| app.holder)
}

/// Which client an account was connected through.
fn through(world: &World, account: &Account) -> String {
    world.account(account).app.unwrap().client_id
}

/// Publishes when all access that there was has ended long ago.
async fn publishes_later(world: &World, account: &Account) {
    world.planet.turn(3 * 3_600);
    let text = format!("It is {}", world.planet.clock.now());
    let delivery = world.say(&text, account, PlanRequest::Now).await;
    world.until(delivery.id, published).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_app_comes_before_the_instance_s_and_that_before_the_settings() {
    let world = World::new().await;
    let (owner, other) = (&world.caller, other(&world).await);
    let of_settings = client(&world, owner).await;
    assert_eq!(holder(&world, owner), Some(AppHolder::Settings));
    assert_eq!(client(&world, &other).await, of_settings);

    set(&world, owner, AppOf::Instance, "shared").await.unwrap();
    assert_eq!(client(&world, owner).await, "shared");
    assert_eq!(client(&world, &other).await, "shared");
    assert_eq!(holder(&world, &other), Some(AppHolder::Instance));

    set(&world, &other, AppOf::Organization, "theirs").await.unwrap();
    assert_eq!(client(&world, &other).await, "theirs");
    assert_eq!(holder(&world, &other), Some(AppHolder::Organization));
    // Nobody else is told of it, or signs in through it.
    assert_eq!(client(&world, owner).await, "shared");
    for of in [AppOf::Organization, AppOf::Instance] {
        let told = format!("{:?}", world.engine.apps(owner, of).unwrap());
        assert!(!told.contains("theirs"), "{told}");
    }
    let events = world.engine.events(owner, 0, 1_000).unwrap().events;
    assert!(!format!("{events:?}").contains("theirs"));
    let refused = set(&world, &other, AppOf::Instance, "mine").await.unwrap_err();
    assert_eq!(refused.code, Code::Forbidden);

    let engine = &world.engine;
    let gone = engine.remove_app(&other, AppOf::Organization, "x", Orphans::Refused).await;
    gone.unwrap();
    assert_eq!(client(&world, &other).await, "shared");
    engine.remove_app(owner, AppOf::Instance, "x", Orphans::Refused).await.unwrap();
    assert_eq!(client(&world, &other).await, of_settings);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_to_one_client_is_renewed_through_it_when_another_is_set() {
    let mut world = World::new().await;
    let by_settings = world.connect("x", "alice").await;
    set(&world, &world.caller, AppOf::Instance, "shared").await.unwrap();
    let by_instance = world.connect("x", "bob").await;
    set(&world, &world.caller, AppOf::Organization, "own").await.unwrap();
    let by_own = world.connect("x", "carol").await;
    assert_ne!(through(&world, &by_settings), "shared");
    assert_eq!(through(&world, &by_instance), "shared");
    assert_eq!(through(&world, &by_own), "own");
    // The platform renews a grant for no other client than the one that it was given to.
    for account in [&by_settings, &by_instance, &by_own] {
        publishes_later(&world, account).await;
    }
    assert!(world.events(EventKind::TokenRefreshed) >= 3);
    world.restart(Mortality::default()).await;
    for account in [&by_settings, &by_instance, &by_own] {
        publishes_later(&world, account).await;
    }
    let own = standing(&world, &world.caller, AppOf::Organization);
    assert_eq!((own.accounts, own.has_secret), (1, true));
    assert_eq!(standing(&world, &world.caller, AppOf::Instance).accounts, 1);
    // Connected again, an account goes over to the app that is in use.
    assert_eq!(world.connect("x", "alice").await.id, by_settings.id);
    assert_eq!(through(&world, &by_settings), "own");
    publishes_later(&world, &by_settings).await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn app_that_accounts_live_by_goes_only_by_force_and_then_they_ask_for_attention() {
    let world = World::new().await;
    let (engine, caller) = (&world.engine, &world.caller);
    set(&world, caller, AppOf::Organization, "own").await.unwrap();
    let account = world.connect("x", "alice").await;

    let changed = set(&world, caller, AppOf::Organization, "another").await.unwrap_err();
    let removed = engine.remove_app(caller, AppOf::Organization, "x", Orphans::Refused).await;
    for refused in [changed, removed.unwrap_err()] {
        assert_eq!((refused.code, refused.place.as_str()), (Code::Conflict, "force"));
        assert!(refused.sentence.starts_with("1 account is"), "{}", refused.sentence);
    }
    publishes_later(&world, &account).await;

    // The same client may move to the instance: its accounts go with it.
    set(&world, caller, AppOf::Instance, "own").await.unwrap();
    engine.remove_app(caller, AppOf::Organization, "x", Orphans::Refused).await.unwrap();
    publishes_later(&world, &account).await;

    engine.remove_app(caller, AppOf::Instance, "x", Orphans::Accepted).await.unwrap();
    world.planet.turn(3 * 3_600);
    let delivery = world.say("held", &account, PlanRequest::Now).await;
    world.until_events(EventKind::AccountNeedsReconnection, 1).await;
    let Connection::NeedsReconnection { reason, .. } = world.account(&account).connection else {
        panic!("{:?}", world.account(&account).connection)
    };
    assert!(reason.contains("client id own") && reason.contains("removed"), "{reason}");
    // Nothing is lost: what waits goes out when somebody has connected the account again.
    assert_eq!(world.connect("x", "alice").await.id, account.id);
    world.until(delivery.id, published).await;
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_finished_with_the_client_that_it_was_begun_with_or_not_at_all() {
    let world = World::new().await;
    let (engine, caller) = (&world.engine, &world.caller);
    set(&world, caller, AppOf::Organization, "first").await.unwrap();
    let url = begin(&world, caller).await;
    let callback = consent(&url, "alice").await;
    set(&world, caller, AppOf::Organization, "second").await.unwrap();
    let refused = engine.connected("x", callback).await.unwrap_err();
    assert_eq!(refused.code, Code::AppMissing);
    assert!(refused.sentence.contains("begun with"), "{}", refused.sentence);

    let url = begin(&world, caller).await;
    set(&world, caller, AppOf::Instance, "shared").await.unwrap();
    let Connected::Account(account) =
        engine.connected("x", consent(&url, "alice").await).await.unwrap()
    else {
        panic!("X has nothing to choose")
    };
    assert_eq!(account.app.unwrap().client_id, "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn same_app_set_twice_is_told_once_and_its_secret_is_told_nowhere() {
    let world = World::new().await;
    let (engine, caller) = (&world.engine, &world.caller);
    let first = set(&world, caller, AppOf::Organization, "own").await.unwrap();
    world.planet.turn(60);
    let second = set(&world, caller, AppOf::Organization, "own").await.unwrap();
    assert_eq!(first.since, second.since);
    assert_eq!((world.events(EventKind::AppSet), world.events(EventKind::AppChanged)), (1, 0));
    // Without a secret, the one that there is stays.
    let orphans = Orphans::Refused;
    let own = AppOf::Organization;
    let kept = engine.set_app(caller, own, "x", setting("own", None), orphans).await.unwrap();
    assert!(kept.has_secret);
    let changed = setting("own", Some("planted-other-secret"));
    engine.set_app(caller, own, "x", changed, orphans).await.unwrap();
    assert_eq!(world.events(EventKind::AppChanged), 1);
    // Another id does not inherit it.
    let other = engine.set_app(caller, own, "x", setting("other", None), orphans).await.unwrap();
    assert!(!other.has_secret);
    let events = engine.events(caller, 0, 1_000).unwrap().events;
    let told = format!("{events:?} {:?}", engine.apps(caller, own).unwrap());
    for secret in [SECRET, "planted-other-secret"] {
        assert!(!told.contains(secret), "{told}");
    }
    engine.remove_app(caller, own, "x", orphans).await.unwrap();
    engine.remove_app(caller, own, "x", orphans).await.unwrap();
    assert_eq!(world.events(EventKind::AppRemoved), 1);
    world.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_an_app_is_refused_with_its_place_and_without_the_secret() {
    let world = World::new().await;
    let long = "x".repeat(1_025);
    for (platform, app, code, place) in [
        ("myspace", setting("id", Some(SECRET)), Code::UnknownPlatform, "platform"),
        ("bluesky", setting("id", Some(SECRET)), Code::Invalid, "platform"),
        ("mastodon", setting("id", Some(SECRET)), Code::Invalid, "platform"),
        ("x", setting("", Some(SECRET)), Code::Invalid, "client_id"),
        ("x", setting("id", Some("")), Code::Invalid, "client_secret"),
        ("x", setting("id", Some(" with-space")), Code::Invalid, "client_secret"),
        ("x", setting(&long, Some(SECRET)), Code::Invalid, "client_id"),
        ("linkedin", setting("id", None), Code::Invalid, "client_secret"),
    ] {
        let told = format!("{platform} {app:?}");
        let refused = world.engine.set_app(
            &world.caller,
            AppOf::Organization,
            platform,
            app,
            Orphans::Refused,
        );
        let refused = refused.await.unwrap_err();
        assert_eq!((refused.code, refused.place.as_str()), (code, place), "{told}");
        let words = format!("{refused:?} {told}");
        assert!(!words.contains(SECRET) && !words.contains("with-space"), "{words}");
    }
    assert_eq!(world.events(EventKind::AppSet), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_another_organization_do_not_count_even_with_the_same_client() {
    let world = World::new().await;
    let (engine, caller, other) = (&world.engine, &world.caller, other(&world).await);
    set(&world, caller, AppOf::Organization, "same-id").await.unwrap();
    set(&world, &other, AppOf::Organization, "same-id").await.unwrap();
    let account = world.connect("x", "alice").await;
    assert_eq!(standing(&world, caller, AppOf::Organization).accounts, 1);
    assert_eq!(standing(&world, &other, AppOf::Organization).accounts, 0);
    let theirs = connect(&world.planet, engine, &other, "x", "bob").await;
    let (own, lost) = (AppOf::Organization, Orphans::Accepted);
    engine.remove_app(&other, own, "x", lost).await.unwrap();
    publishes_later(&world, &account).await;
    assert_eq!(engine.account(caller, theirs.id).unwrap_err().code, Code::NotFound);
    world.check().await;
}
