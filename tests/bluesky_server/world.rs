//! An engine whose Bluesky is the reference server.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fanfare::{
    clock::Clock,
    domain::{
        account::Account,
        delivery::{Delivery, State},
        ids::{AccountId, DeliveryId, MediaId},
        mortality::Mortality,
        post::{Attachment, Content, Part},
        problem::Problem,
        secret::Secret,
    },
    engine::{
        Engine, NetSettings, Place, PrivateAddresses, Settings,
        facade::{
            Caller, ConnectRequest, Connecting, Founding, NewPost, OrganizationEdit, PlanRequest,
        },
    },
    entropy::Entropy,
    store::Memory,
};

use crate::server::{Member, Server};

/// Waits pass so much faster; the server and the network do not.
pub(crate) const SPEED: u32 = 40;

/// What outlives a crash of the engine.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) memory: Memory,
    pub(crate) clock: Clock,
    pds: String,
    plc: String,
}

impl Home {
    pub(crate) fn new(server: &Server, clock: Clock) -> Home {
        let (pds, plc) = (server.pds.clone(), server.plc.clone());
        Home { memory: Memory::default(), clock, pds, plc }
    }

    pub(crate) async fn engine(&self, mortality: Mortality) -> Result<Engine, String> {
        let endpoints = BTreeMap::from([
            ("entry".to_owned(), self.pds.clone()),
            ("plc".to_owned(), self.plc.clone()),
        ]);
        Engine::start(Settings {
            data: Place::Memory(self.memory.clone()),
            cache_bytes: 1 << 20,
            vault_key: None,
            vault_key_file: None,
            public_url: "http://127.0.0.1:7700".to_owned(),
            net: NetSettings {
                timeout: Duration::from_secs(20),
                connect_timeout: Duration::from_secs(5),
                reply_bytes_max: 1 << 20,
                private_addresses: PrivateAddresses::Refused,
                allowed_origins: vec![self.pds.clone(), self.plc.clone()],
            },
            endpoints: BTreeMap::from([("bluesky".to_owned(), endpoints)]),
            versions: BTreeMap::new(),
            apps: BTreeMap::new(),
            posts_per_hour: 1_000,
            grace: Duration::from_secs(3_600),
            audit_keep: Some(Duration::from_secs(90 * 24 * 3_600)),
            deletion_grace: Duration::from_secs(7 * 24 * 3_600),
            rest_after: Duration::from_secs(3_600),
            login: fanfare::engine::LoginSettings {
                idle: Duration::from_secs(86_400),
                lasts: Duration::from_secs(30 * 86_400),
            },
            oidc: None,
            quiet: false,
            upload_bytes_max: 1 << 26,
            clock: self.clock.clone(),
            entropy: Entropy::system(),
            mortality,
        })
        .await
    }
}

/// A founded engine with one account on the server.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) engine: Engine,
    /// Counts what the engine sends.
    pub(crate) mortality: Mortality,
    pub(crate) caller: Caller,
    pub(crate) account: Account,
}

impl World {
    pub(crate) async fn new(server: &Server, member: &Member) -> World {
        World::with_clock(server, member, Clock::scaled(SPEED)).await
    }

    pub(crate) async fn with_clock(server: &Server, member: &Member, clock: Clock) -> World {
        let home = Home::new(server, clock);
        let mortality = Mortality::mortal();
        let engine = home.engine(mortality.clone()).await.unwrap();
        let caller = found(&engine).await;
        let password = &member.app_password;
        let account = connect(&engine, &caller, &member.handle, password, None).await.unwrap();
        assert_eq!(account.identity.remote_id, member.did);
        World { home, engine, mortality, caller, account }
    }

    pub(crate) async fn restart(&mut self) {
        self.engine.stop(Duration::from_secs(5)).await;
        self.mortality = Mortality::mortal();
        self.engine = self.home.engine(self.mortality.clone()).await.unwrap();
    }

    pub(crate) fn post(&self, content: Content) -> NewPost {
        post(self.account.id, content)
    }

    pub(crate) async fn plan(&self, content: Content) -> Delivery {
        self.try_plan(content).await.unwrap()
    }

    pub(crate) async fn try_plan(&self, content: Content) -> Result<Delivery, Problem> {
        let made = self.engine.create_post(&self.caller, self.post(content), None).await?;
        Ok(made.0.deliveries[0].clone())
    }

    pub(crate) async fn publish(&self, content: Content) -> Delivery {
        let planned = self.plan(content).await;
        self.until(planned.id, published).await
    }

    pub(crate) async fn until(
        &self,
        id: DeliveryId,
        wanted: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        until(&self.engine, &self.caller, id, wanted).await
    }

    pub(crate) async fn upload(&self, bytes: &[u8]) -> MediaId {
        upload(&self.engine, &self.caller, bytes).await
    }
}

pub(crate) async fn found(engine: &Engine) -> Caller {
    let founding = Founding {
        organization: "Example".to_owned(),
        owner_name: "Ada".to_owned(),
        owner_email: "ada@example.org".to_owned(),
    };
    let founded = engine.found(founding).await.unwrap();
    let caller = engine.authenticate(founded.key.expose()).unwrap();
    let edit = OrganizationEdit { name: None, grace: None, posts_per_hour: Some(1_000) };
    engine.edit_organization(&caller, caller.organization, edit).await.unwrap();
    caller
}

pub(crate) async fn connect(
    engine: &Engine,
    caller: &Caller,
    identifier: &str,
    password: &str,
    reconnect: Option<AccountId>,
) -> Result<Account, Problem> {
    let request = ConnectRequest {
        platform: "bluesky".to_owned(),
        server: String::new(),
        login: String::new(),
        identifier: identifier.to_owned(),
        password: Some(Secret::new(password)),
        reconnect,
    };
    match engine.connect(caller, request).await? {
        Connecting::Connected { account, .. } => Ok(*account),
        Connecting::Visit { url, .. } => panic!("an app password needs no visit to {url}"),
    }
}

pub(crate) async fn until(
    engine: &Engine,
    caller: &Caller,
    id: DeliveryId,
    wanted: impl Fn(&Delivery) -> bool,
) -> Delivery {
    let mut changed = engine.changed();
    let looking = async {
        loop {
            let delivery = engine.delivery(caller, id).unwrap();
            if wanted(&delivery) {
                return delivery;
            }
            // The store of an engine that died changes no more, and whoever killed it stops us.
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    match tokio::time::timeout(Duration::from_secs(30), looking).await {
        Ok(delivery) => delivery,
        Err(_) => {
            let delivery = engine.delivery(caller, id).unwrap();
            panic!("still {delivery:?}\n{}", told(engine, caller, &delivery));
        }
    }
}

/// A delivery's timeline, for a test that fails.
pub(crate) fn told(engine: &Engine, caller: &Caller, delivery: &Delivery) -> String {
    let events = engine.timeline(caller, delivery.post).unwrap();
    events.iter().map(|event| format!("{} {}\n", event.at, event.text)).collect()
}

pub(crate) fn post(account: AccountId, content: Content) -> NewPost {
    NewPost {
        content,
        variants: BTreeMap::new(),
        targets: vec![account],
        plan: PlanRequest::Now,
        priority: 5,
    }
}

pub(crate) fn thread(texts: &[&str]) -> Content {
    let parts = texts.iter().map(|&text| part(text, &[])).collect();
    Content { parts, options: BTreeMap::new() }
}

pub(crate) fn part(text: &str, media: &[(MediaId, &str)]) -> Part {
    let attachment = |&(media, alt): &(MediaId, &str)| Attachment { media, alt: alt.to_owned() };
    Part { text: text.to_owned(), media: media.iter().map(attachment).collect() }
}

pub(crate) fn published(delivery: &Delivery) -> bool {
    matches!(delivery.state, State::Published { .. })
}

/// Nothing happens any more, or a person has to do something.
pub(crate) fn settled(delivery: &Delivery) -> bool {
    let state = &delivery.state;
    state.is_settled() || matches!(state, State::InDoubt { .. } | State::Held { .. })
}

pub(crate) async fn upload(engine: &Engine, caller: &Caller, bytes: &[u8]) -> MediaId {
    let mut upload = engine.begin_upload(caller).await.unwrap();
    upload.write(bytes).await.unwrap();
    engine.upload(caller, "picture.png", upload, None).await.unwrap().id
}

/// Three pixels wide and two high.
pub(crate) fn picture() -> Vec<u8> {
    let text = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAHElEQVR42mM4wRB1QiPqREAU\
                wwm5qBNuUSfyogBP4ggXtgQbjQAAAABJRU5ErkJggg==";
    BASE64_STANDARD.decode(text).unwrap()
}
