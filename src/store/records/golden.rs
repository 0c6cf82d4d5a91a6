//! Bytes of records as released versions wrote them, and what they must still mean.
//!
//! `golden/<record>.v<n>.hex` is never changed. Where there is none yet, run the tests once with
//! `FANFARE_WRITE_GOLDEN=1`.

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path, time::Duration};

use super::{Record, decode, encode};
use crate::{
    domain::{
        account::{Account, Connection, Identity, LimitOverrides},
        delivery::{Armed, Delivery, Doubt, Hold, Live, State, Why},
        event::{Event, EventKind},
        ids::{
            AccountId, DeliveryId, InvitationId, KeyId, MediaId, MemberId, OrganizationId, PostId,
            SessionId,
        },
        login::{PendingChoice, PendingLogin, PendingTarget, Remembered},
        media::{Media, MediaKind},
        organization::{
            self, Actor, App, AppHolder, AppUsed, Member, Organization, Pause, Reach, Role, Scope,
        },
        pace::{Budget, Budgets},
        person::{Invitation, Person, Proof, Session, Subject, TwoFactor},
        platform::PaceScope,
        post::{Attachment, ChosenTime, Content, Part, Plan, Post, PostStage, VariantFor},
        refusal::{Refusal, RefusalKind},
        secret::Secret,
        time::Timestamp,
    },
    store::keys::Key,
};

const AT: Timestamp = Timestamp(1_790_000_000_000);
const ORGANIZATION: OrganizationId = OrganizationId(0x01A0_C5B0_E400_0000_0000_0000_0000_0001);
const ACCOUNT: AccountId = AccountId(0x01A0_C5B0_E400_0000_0000_0000_0000_0002);
const POST: PostId = PostId(0x01A0_C5B0_E400_0000_0000_0000_0000_0003);
const DELIVERY: DeliveryId = DeliveryId(0x01A0_C5B0_E400_0000_0000_0000_0000_0004);
const MEDIA: MediaId = MediaId(0x01A0_C5B0_E400_0000_0000_0000_0000_0005);

fn place() -> Key {
    Key::Meta { name: "golden".to_owned() }
}

fn app_used() -> AppUsed {
    AppUsed { holder: AppHolder::Organization, client_id: "client-7".to_owned() }
}

fn check<R: Record + PartialEq + std::fmt::Debug>(name: &str, record: &R) {
    check_version(name, 1, record);
}

/// What was read before version `version`, which is the one that is written, reads as well.
fn check_version<R: Record + PartialEq + std::fmt::Debug>(name: &str, version: u8, record: &R) {
    let written = encode(record);
    assert_eq!(&decode::<R>(&place(), &written).unwrap(), record, "{name}");

    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/store/records/golden")
        .join(format!("{name}.v{version}.hex"));
    if std::env::var_os("FANFARE_WRITE_GOLDEN").is_some() && !path.exists() {
        let digits: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, digits + "\n").unwrap();
    }
    let digits = fs::read_to_string(&path).unwrap();
    let golden: Vec<u8> = (0..digits.trim().len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(&decode::<R>(&place(), &golden).unwrap(), record, "{name}: version {version} reads");

    for length in 0..written.len() {
        assert!(decode::<R>(&place(), &written[..length]).is_err(), "{name}: cut at {length}");
    }
    let longer = [written.as_slice(), &[0]].concat();
    assert!(decode::<R>(&place(), &longer).is_err(), "{name}: more than there is");
    let mut newer = written;
    newer[0] = 250;
    let error = decode::<R>(&place(), &newer).unwrap_err().to_string();
    assert!(error.contains("newer Fanfare"), "{name}: {error}");
}

#[test]
fn organizations_members_keys_and_apps_of_version_1_read() {
    let organization = Organization {
        id: ORGANIZATION,
        name: "Möwe & Söhne".to_owned(),
        created: AT,
        paused: Pause::Paused { since: AT },
        grace: Duration::from_secs(15 * 60),
        posts_per_hour: 10,
        ends: None,
    };
    check("organization", &organization);
    check_version("organization", 2, &Organization { ends: Some(AT), ..organization });
    check("pause", &Pause::Running);
    let member = Member {
        id: MemberId(6),
        organization: ORGANIZATION,
        name: "Ada".to_owned(),
        email: "ada@example.org".to_owned(),
        role: Role::Editor,
        created: AT,
    };
    check("member", &member);
    let key = organization::Key {
        id: KeyId(7),
        organization: ORGANIZATION,
        name: "continuous integration".to_owned(),
        scope: Scope::Publish,
        hash: std::array::from_fn(|at| u8::try_from(at).unwrap()),
        created: AT,
        reach: Reach::Instance,
        expires: None,
        used: None,
    };
    check("key", &key);
    let reach = Reach::Accounts([ACCOUNT].into());
    check_version("key", 2, &organization::Key { reach, expires: Some(AT), used: Some(AT), ..key });
    let app = App {
        platform: "mastodon".to_owned(),
        server: "https://mastodon.social".to_owned(),
        organization: Some(ORGANIZATION),
        client_id: "client".to_owned(),
        authorize_url: "https://mastodon.social/oauth/authorize".to_owned(),
        token_url: "https://mastodon.social/oauth/token".to_owned(),
        revoke_url: Some("https://mastodon.social/oauth/revoke".to_owned()),
        redirect_uri: "https://fanfare.example/oauth/callback".to_owned(),
        scopes: "profile write:statuses".to_owned(),
        created: AT,
    };
    check("app", &app);
}

#[test]
fn people_sessions_and_invitations_of_version_1_read() {
    let proof = |byte| Proof { hash: [byte; 32], until: AT };
    let person = Person {
        id: MemberId(6),
        name: "Ada".to_owned(),
        email: "Ada@example.org".to_owned(),
        password: Some(Secret::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA")),
        two_factor: TwoFactor::On { step: 59_666_666 },
        recovery: vec![[1; 32], [2; 32]],
        subject: Some(Subject {
            issuer: "https://id.example.org".to_owned(),
            subject: "248289761001".to_owned(),
        }),
        reset: Some(proof(3)),
        created: AT,
        disabled: Some(AT),
    };
    check("person", &person);
    for (name, two_factor) in
        [("person-off", TwoFactor::Off), ("person-offered", TwoFactor::Offered)]
    {
        let bare = Person {
            two_factor,
            password: None,
            recovery: Vec::new(),
            subject: None,
            reset: None,
            disabled: None,
            ..person.clone()
        };
        check(name, &bare);
    }
    let session = Session {
        id: SessionId(8),
        person: MemberId(6),
        hash: [4; 32],
        before: Some(proof(5)),
        created: AT,
        used: AT.after(Duration::from_secs(60)),
        renewed: AT,
        from: Some("2001:db8::1".parse().unwrap()),
        agent: "Mozilla/5.0".to_owned(),
    };
    check("session", &session);
    let from = Some("192.0.2.1".parse().unwrap());
    check("session-v4", &Session { before: None, from, ..session });
    let invitation = Invitation {
        id: InvitationId(9),
        organization: ORGANIZATION,
        role: Role::Viewer,
        email: "bob@example.org".to_owned(),
        proof: proof(6),
        by: Actor::Operator,
        created: AT,
    };
    check("invitation", &invitation);
}

#[test]
fn accounts_and_budgets_of_version_1_read() {
    let account = Account {
        id: ACCOUNT,
        organization: ORGANIZATION,
        platform: "bluesky".to_owned(),
        server: "https://pds.example".to_owned(),
        login: String::new(),
        app: None,
        identity: Identity {
            remote_id: "did:plc:abc".to_owned(),
            handle: "ada.example".to_owned(),
            name: "Ada".to_owned(),
            url: "https://bsky.app/profile/ada.example".to_owned(),
            picture: String::new(),
            limits: LimitOverrides {
                text_max: Some(5_000),
                url_chars: None,
                images_max: Some(4),
                image_bytes_max: Some(2_000_000),
                video_bytes_max: None,
                alt_chars_max: Some(1_500),
            },
            traits: BTreeMap::from([("software".to_owned(), "mastodon".to_owned())]),
        },
        connection: Connection::NeedsReconnection { since: AT, reason: "revoked".to_owned() },
        paused: Pause::Running,
        created: AT,
        token_ends: Some(AT.after(Duration::from_secs(7_200))),
        refresh_ends: None,
        endpoints: BTreeMap::from([("api".to_owned(), "http://127.0.0.1:9".to_owned())]),
        missing_scopes: Vec::new(),
        revision: 3,
    };
    check("account", &account);
    let login = "facebook".to_owned();
    let missing_scopes = vec!["pages_manage_engagement".to_owned()];
    let connected = Account { login, missing_scopes, ..account.clone() };
    check_version("account", 2, &connected);
    check_version("account", 3, &Account { app: Some(app_used()), ..connected });
    let connections = [
        ("account-connected", Connection::Connected),
        ("account-attention", Connection::NeedsAttention { since: AT, reason: "5".to_owned() }),
        ("account-disconnected", Connection::Disconnected { since: AT }),
    ];
    for (name, connection) in connections {
        check(name, &Account { connection, ..account.clone() });
    }
    let budget = Budget { theoretical_arrival: AT, blocked_until: Timestamp(0) };
    check("budgets", &Budgets::from([("posts".to_owned(), budget)]));
}

#[test]
fn posts_of_version_1_read() {
    let part = |text: &str| Part {
        text: text.to_owned(),
        media: vec![Attachment { media: MEDIA, alt: "a gull".to_owned() }],
    };
    let content = Content {
        parts: vec![part("first 🎺"), part("second")],
        options: BTreeMap::from([("visibility".to_owned(), "unlisted".to_owned())]),
    };
    let post = Post {
        id: POST,
        organization: ORGANIZATION,
        content: content.clone(),
        variants: BTreeMap::from([
            (VariantFor::Platform("x".to_owned()), content),
            (VariantFor::Account(ACCOUNT), Content::default()),
        ]),
        targets: vec![ACCOUNT],
        plan: Plan::At {
            at: AT,
            local: Some(ChosenTime {
                wall: "2026-09-21T16:13".to_owned(),
                zone: "Europe/Berlin".to_owned(),
            }),
        },
        priority: 5,
        stage: PostStage::Planned,
        created: AT,
        author: Actor::Key(KeyId(7)),
        deliveries: vec![DELIVERY],
        events: vec![1, 300],
        revision: 2,
    };
    check("post", &post);
    let plans = [
        ("post-draft", Plan::Draft, PostStage::Draft, Actor::Member(MemberId(6))),
        ("post-now", Plan::Now, PostStage::Cancelled, Actor::Operator),
        ("post-at", Plan::At { at: AT, local: None }, PostStage::Planned, Actor::Engine),
    ];
    for (name, plan, stage, author) in plans {
        check(name, &Post { plan, stage, author, ..post.clone() });
    }
}

#[test]
fn deliveries_read_in_every_state() {
    let delivery = Delivery {
        id: DELIVERY,
        organization: ORGANIZATION,
        post: POST,
        account: ACCOUNT,
        platform: "mastodon".to_owned(),
        due: AT,
        priority: 5,
        state: State::Planned,
        attempt: 2,
        epoch: 9,
        failures: 1,
        crashes: 0,
        charged: false,
        step: vec![1, 2, 3],
        armed: Some(Armed { since: AT, looks: 1 }),
        timer: Some(AT),
        live: vec![Live { id: "110".to_owned(), url: "https://mastodon.social/@a/110".to_owned() }],
        events: vec![1, 2],
        created: AT,
    };
    let refusal = |kind| Refusal::new(kind, "E1", "no");
    let failed = |kind| State::Failed { at: AT, refusal: refusal(kind) };
    let waiting = |why| State::Waiting { until: AT, why };
    let held = |why| State::Held { since: AT, why };
    let throttled = |scope| RefusalKind::Throttled { until: Some(AT), scope };
    let states = [
        ("planned", State::Planned),
        ("staging", State::Staging),
        ("ready", State::Ready),
        ("running", State::Running),
        ("waiting-processing", waiting(Why::Processing)),
        ("waiting-limit", waiting(Why::Limit)),
        ("waiting-backoff", waiting(Why::Backoff { refusal: refusal(RefusalKind::Unavailable) })),
        ("waiting-probe", waiting(Why::Probe { looks: 1 })),
        ("waiting-between", waiting(Why::Between)),
        (
            "in-doubt",
            State::InDoubt { since: AT, doubt: Doubt { sent: AT, evidence: "sent".into() } },
        ),
        ("published", State::Published { at: AT }),
        ("failed-throttled-account", failed(throttled(PaceScope::Account))),
        ("failed-throttled-app", failed(throttled(PaceScope::App))),
        ("failed-unauthorized", failed(RefusalKind::Unauthorized)),
        ("failed-revoked", failed(RefusalKind::Revoked)),
        ("failed-rejected", failed(RefusalKind::Rejected)),
        ("failed-duplicate", failed(RefusalKind::Duplicate)),
        ("failed-media", failed(RefusalKind::Media)),
        ("failed-unreadable", failed(RefusalKind::Unreadable)),
        ("held-reconnection", held(Hold::Reconnection)),
        ("held-missed", held(Hold::Missed)),
        ("held-crashes", held(Hold::Crashes)),
        ("held-disconnected", held(Hold::Disconnected)),
        ("held-unreadable", held(Hold::Unreadable)),
        ("cancelled", State::Cancelled { at: AT }),
    ];
    for (name, state) in states {
        check(&format!("delivery-{name}"), &Delivery { state, ..delivery.clone() });
    }
    check_version("delivery", 2, &Delivery { charged: true, ..delivery });
}

#[test]
fn media_events_and_logins_of_version_1_read() {
    let media = Media {
        id: MEDIA,
        organization: ORGANIZATION,
        kind: MediaKind::Video,
        mime: "video/mp4".to_owned(),
        bytes: 12_345_678,
        size: Some((1_920, 1_080)),
        length: None,
        codec: String::new(),
        sha256: [0xAB; 32],
        name: "gulls.mp4".to_owned(),
        created: AT,
    };
    check("media", &media);
    let (length, codec) = (Some(Duration::from_millis(12_345)), "h264".to_owned());
    let kind = MediaKind::Document;
    check_version("media", 2, &Media { kind, length, codec, ..media.clone() });
    let event = Event {
        organization: ORGANIZATION,
        sequence: 300,
        at: AT,
        actor: Actor::Engine,
        from: None,
        post: Some(POST),
        delivery: Some(DELIVERY),
        account: None,
        kind: EventKind::DeliveryPublished,
        text: "Published on Mastodon.".to_owned(),
        hash: None,
    };
    check("event", &event);
    let from = Some(IpAddr::from([192, 0, 2, 7]));
    let actor = Actor::Member(MemberId(9));
    check_version("event", 2, &Event { from, actor, hash: Some([0xCD; 32]), ..event });
    let login = PendingLogin {
        organization: ORGANIZATION,
        actor: Actor::Key(KeyId(7)),
        platform: "linkedin".to_owned(),
        server: String::new(),
        login: String::new(),
        app: None,
        endpoints: BTreeMap::new(),
        reconnect: Some(ACCOUNT),
        authorize_url: "https://www.linkedin.com/oauth/v2/authorization".to_owned(),
        token_url: "https://www.linkedin.com/oauth/v2/accessToken".to_owned(),
        revoke_url: None,
        redirect_uri: "https://fanfare.example/oauth/callback".to_owned(),
        scopes: "w_member_social".to_owned(),
        verifier: vec![9; 40],
        until: AT,
    };
    check("login", &login);
    let choice = PendingChoice {
        organization: login.organization,
        actor: login.actor.clone(),
        platform: "facebook".to_owned(),
        server: String::new(),
        login: "facebook".to_owned(),
        app: None,
        endpoints: login.endpoints.clone(),
        reconnect: login.reconnect,
        missing_scopes: vec!["read_insights".to_owned()],
        access_ends: Some(AT),
        refresh_ends: None,
        targets: vec![PendingTarget {
            identity: Identity { remote_id: "1".to_owned(), ..Identity::default() },
            obstacle: Some("You may not post there.".to_owned()),
        }],
        sealed: vec![1, 2, 3],
        until: AT,
    };
    check("choice", &choice);
    check_version("choice", 2, &PendingChoice { app: Some(app_used()), ..choice });
    let login = PendingLogin { login: "facebook".to_owned(), ..login };
    check_version("login", 2, &login);
    check_version("login", 3, &PendingLogin { app: Some(app_used()), ..login });
    let remembered = Remembered { fingerprint: [7; 32], made: "pst_0".to_owned(), at: AT };
    check("remembered", &remembered);
}

/// A kind that loses its name, or shares it, could not be read again.
#[test]
fn every_kind_of_event_reads_back_from_its_name() {
    for &kind in EventKind::ALL {
        let event = Event {
            organization: ORGANIZATION,
            sequence: 1,
            at: AT,
            actor: Actor::Engine,
            from: None,
            post: None,
            delivery: None,
            account: None,
            kind,
            text: String::new(),
            hash: Some([1; 32]),
        };
        assert_eq!(decode::<Event>(&place(), &encode(&event)).unwrap(), event);
    }
}
