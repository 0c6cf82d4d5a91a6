//! A whole Fanfare in one process: engine, sandbox, a clock that runs fast, and a robot that agrees
//! on consent pages.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use fanfare::{
    api,
    clock::Clock,
    domain::{
        account::Account,
        delivery::{Delivery, State},
        event::EventKind,
        ids::{AccountId, DeliveryId, MediaId},
        mortality::Mortality,
        organization::Scope,
        post::{Attachment, Content, Part},
        problem::Problem,
        secret::Secret,
    },
    engine::{
        AppCredentials, Engine, NetSettings, Place, PrivateAddresses, Settings,
        facade::{
            Callback, Caller, ConnectRequest, Connected, Connecting, Founding, NewPost,
            OrganizationEdit, Page, PlanRequest, PostView,
        },
    },
    entropy::Entropy,
    sandbox::{Clockwork, Fault, FaultKind, LedgerEntry, Limits, Operation, Sandbox, Wiring},
    store::Memory,
};

pub(crate) const PASSWORD: &str = "abcd-efgh-ijkl-mnop";

pub(crate) const SLACK_BOT: &str = "xoxb-example-exampleExampleExample1234";
pub(crate) const SLACK_WEBHOOK: &str =
    "https://hooks.slack.com/services/T0000EXAMPLE/B0000EXAMPLE/exampleExampleExample1234";

pub(crate) const SPEED: u32 = 40;

/// What outlives a crash: the platforms, the store's rows, and time.
pub(crate) struct Planet {
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: String,
    pub(crate) memory: Memory,
    pub(crate) clock: Clock,
    /// Where platforms reach the engine that runs now, to fetch files; its API too.
    pub(crate) address: String,
    front: std::net::TcpListener,
    tune: fn(&mut Settings),
    servers: Mutex<Vec<tokio::task::JoinHandle<()>>>,
}

impl Drop for Planet {
    fn drop(&mut self) {
        self.servers.lock().unwrap().iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Planet {
    pub(crate) async fn new() -> Planet {
        Planet::tuned(|_| ()).await
    }

    /// Every engine of this planet starts with settings that `tune` has changed.
    pub(crate) async fn tuned(tune: fn(&mut Settings)) -> Planet {
        Planet::made(tune, Limits::Off, |platforms, _| platforms).await
    }

    /// `watch` goes around the platforms, and may look into the store.
    pub(crate) async fn watched(
        tune: fn(&mut Settings),
        watch: impl FnOnce(axum::Router, &Memory) -> axum::Router,
    ) -> Planet {
        Planet::made(tune, Limits::Off, watch).await
    }

    async fn made(
        tune: fn(&mut Settings),
        limits: Limits,
        watch: impl FnOnce(axum::Router, &Memory) -> axum::Router,
    ) -> Planet {
        let clock = Clock::scaled(SPEED);
        let (now, wait) = (clock.clone(), clock.clone());
        let sandbox = Sandbox::with_limits(
            Clockwork {
                now: Arc::new(move || now.now()),
                wait: Arc::new(move |duration| {
                    let clock = wait.clone();
                    Box::pin(async move { clock.sleep(duration).await })
                }),
                seed: 7,
            },
            limits,
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let memory = Memory::default();
        let router = watch(sandbox.router(), &memory);
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let front = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        front.set_nonblocking(true).unwrap();
        let address = format!("http://{}", front.local_addr().unwrap());
        let servers = Mutex::new(vec![server]);
        Planet { sandbox, origin, address, memory, clock, tune, front, servers }
    }

    /// Starts an engine on what is stored; again after each crash.
    pub(crate) async fn engine(&self, mortality: Mortality) -> Engine {
        self.try_engine(mortality).await.unwrap()
    }

    pub(crate) async fn try_engine(&self, mortality: Mortality) -> Result<Engine, String> {
        self.engine_with(mortality, |_| ()).await
    }

    /// `tune` changes the settings of this one alone.
    pub(crate) async fn engine_with(
        &self,
        mortality: Mortality,
        tune: impl FnOnce(&mut Settings),
    ) -> Result<Engine, String> {
        let wiring = Wiring::at(&self.origin);
        let mut settings = Settings {
            data: Place::Memory(self.memory.clone()),
            cache_bytes: 1 << 20,
            vault_key: None,
            vault_key_file: None,
            public_url: self.address.clone(),
            net: NetSettings {
                timeout: Duration::from_secs(5),
                connect_timeout: Duration::from_secs(5),
                reply_bytes_max: 1 << 20,
                private_addresses: PrivateAddresses::Refused,
                allowed_origins: vec![self.origin.clone()],
            },
            endpoints: wiring.endpoints,
            versions: BTreeMap::new(),
            apps: wiring.clients.into_iter().map(app).collect(),
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
        };
        (self.tune)(&mut settings);
        tune(&mut settings);
        // Whoever comes from here on waits for the new one; the old one would hang up on them.
        self.close().await;
        let engine = Engine::start(settings).await?;
        let api = api::Settings {
            clock: self.clock.clone(),
            entropy: Entropy::system(),
            requests_per_minute: 0,
            proxies: api::Proxies::default(),
            cors_origins: Vec::new(),
            stopping: tokio::sync::watch::channel(false).1,
        };
        let router = api::router(engine.clone(), api);
        let front = tokio::net::TcpListener::from_std(self.front.try_clone().unwrap()).unwrap();
        let door = tokio::spawn(async move { axum::serve(front, router).await.unwrap() });
        self.servers.lock().unwrap().push(door);
        Ok(engine)
    }

    /// Kills an engine and lets go of what it held, so that its directory can be opened again.
    pub(crate) async fn end(&self, engine: Engine) {
        engine.kill().await;
        self.close().await;
    }

    /// The sandbox stays; what served an engine goes with it.
    async fn close(&self) {
        let doors: Vec<_> = self.servers.lock().unwrap().drain(1..).collect();
        for door in doors {
            door.abort();
            let _ = door.await;
        }
    }

    /// As an administrator sets a clock; back, if less than nothing.
    pub(crate) fn turn(&self, seconds: i64) {
        self.clock.turn(seconds * 1_000);
    }

    pub(crate) fn fault(&self, kind: FaultKind, operation: Operation, times: u64) {
        self.sandbox.inject(Fault { times, ..Fault::new(kind, operation) });
    }

    /// What readers of an account see, in the order of its making.
    pub(crate) fn texts(&self, account: &Account) -> Vec<String> {
        let entries = self.ledger();
        let of_account =
            entries.into_iter().filter(|entry| entry.account == account.identity.remote_id);
        of_account.map(|entry| entry.text).collect()
    }

    pub(crate) fn ledger(&self) -> Vec<LedgerEntry> {
        self.sandbox.ledger()
    }

    /// The ledger as the sandbox tells it, with what else readers see.
    pub(crate) async fn told(&self) -> Vec<serde_json::Value> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_sandbox/ledger", self.origin);
        let answer = client.get(url).send().await.unwrap().text().await.unwrap();
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        answer["entries"].as_array().unwrap().clone()
    }
}

fn app((platform, client_id): (String, String)) -> (String, AppCredentials) {
    let client_secret = Some(Secret::new(Wiring::SECRET));
    (platform, AppCredentials { client_id, client_secret })
}

/// Plans a text for now.
pub(crate) async fn post_now(
    engine: &Engine,
    caller: &Caller,
    account: AccountId,
    text: &str,
) -> DeliveryId {
    let post = NewPost {
        content: text_content(text),
        variants: BTreeMap::new(),
        targets: vec![account],
        plan: PlanRequest::Now,
        priority: 5,
    };
    engine.create_post(caller, post, None).await.unwrap().0.deliveries[0].id
}

/// A founded engine with somebody who may do everything.
pub(crate) struct World {
    pub(crate) planet: Planet,
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
}

impl World {
    pub(crate) async fn new() -> World {
        World::tuned(|_| ()).await
    }

    pub(crate) async fn tuned(tune: fn(&mut Settings)) -> World {
        World::on(Planet::tuned(tune).await).await
    }

    /// Where platforms keep to their published limits.
    pub(crate) async fn limited() -> World {
        World::on(Planet::made(|_| (), Limits::Published, |platforms, _| platforms).await).await
    }

    async fn on(planet: Planet) -> World {
        let engine = planet.engine(Mortality::default()).await;
        let caller = found(&engine).await;
        World { planet, engine, caller }
    }

    pub(crate) async fn connect(&self, platform: &str, handle: &str) -> Account {
        connect(&self.planet, &self.engine, &self.caller, platform, handle).await
    }

    pub(crate) async fn plan(
        &self,
        text: &str,
        targets: &[AccountId],
        plan: PlanRequest,
    ) -> PostView {
        let post = NewPost {
            content: text_content(text),
            variants: BTreeMap::new(),
            targets: targets.to_vec(),
            plan,
            priority: 5,
        };
        self.engine.create_post(&self.caller, post, None).await.unwrap().0
    }

    pub(crate) fn delivery(&self, id: DeliveryId) -> Delivery {
        self.engine.delivery(&self.caller, id).unwrap()
    }

    pub(crate) async fn until(&self, id: DeliveryId, wanted: fn(&State) -> bool) -> Delivery {
        until(&self.engine, &self.caller, id, wanted).await
    }

    /// See [`through`].
    pub(crate) async fn through(&self, deliveries: &[DeliveryId]) {
        through(&self.planet, &self.engine, &self.caller, deliveries).await;
    }

    pub(crate) fn in_seconds(&self, seconds: u64) -> PlanRequest {
        PlanRequest::At(self.planet.clock.now().after(Duration::from_secs(seconds)))
    }

    /// Like [`World::plan`], for more than a text.
    pub(crate) async fn post(
        &self,
        content: Content,
        target: AccountId,
        plan: PlanRequest,
        priority: u8,
    ) -> Delivery {
        let targets = vec![target];
        let post = NewPost { content, variants: BTreeMap::new(), targets, plan, priority };
        let mut made = self.engine.create_post(&self.caller, post, None).await.unwrap().0;
        made.deliveries.remove(0)
    }

    pub(crate) async fn say(&self, text: &str, account: &Account, plan: PlanRequest) -> Delivery {
        self.post(text_content(text), account.id, plan, 5).await
    }

    /// Waits until something is told of this delivery that has `words` in it.
    pub(crate) async fn told(&self, delivery: &Delivery, words: &str) {
        let mut changed = self.engine.changed();
        let heard = async {
            while !self.story(delivery).contains(words) {
                changed.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), heard).await.is_err() {
            panic!("nobody tells of `{words}`:\n{}", self.story(delivery));
        }
    }

    /// The timeline of its post.
    pub(crate) fn story(&self, delivery: &Delivery) -> String {
        let events = self.engine.timeline(&self.caller, delivery.post).unwrap();
        let lines: Vec<String> =
            events.iter().map(|event| format!("{} {}", event.at, event.text)).collect();
        lines.join("\n")
    }

    /// The names of all that has happened in the organization.
    pub(crate) fn events(&self, kind: EventKind) -> usize {
        let events = self.engine.events(&self.caller, 0, 1_000).unwrap().events;
        events.iter().filter(|event| event.kind == kind).count()
    }

    /// Waits until so many events of a kind have happened.
    pub(crate) async fn until_events(&self, kind: EventKind, count: usize) {
        let mut changed = self.engine.changed();
        let heard = async {
            while self.events(kind) < count {
                changed.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), heard).await.expect("it happens");
    }

    pub(crate) fn account(&self, account: &Account) -> Account {
        self.engine.account(&self.caller, account.id).unwrap()
    }

    pub(crate) async fn set_grace(&self, seconds: u64) {
        let grace = Some(Duration::from_secs(seconds));
        let edit = OrganizationEdit { name: None, grace, posts_per_hour: None };
        self.engine.edit_organization(&self.caller, self.caller.organization, edit).await.unwrap();
    }

    /// Every index row agrees with its record, and no secret is told anywhere.
    pub(crate) async fn check(&self) {
        let wrong = self.engine.contradictions().await.unwrap();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let events = self.engine.events(&self.caller, 0, 1_000).unwrap().events;
        let page = Page::default();
        let told = format!(
            "{events:?} {:?} {:?} {:?}",
            self.engine.posts(&self.caller, &page).unwrap(),
            self.engine.accounts(&self.caller, &page).unwrap(),
            self.engine.deliveries(&self.caller, None, None, &page).unwrap(),
        );
        for secret in [PASSWORD, "sandbox-secret", "eyJ", "ff_"] {
            assert!(!told.contains(secret), "{secret} is told in {told}");
        }
    }

    pub(crate) async fn restart(&mut self, mortality: Mortality) {
        self.engine.stop(Duration::from_secs(5)).await;
        self.engine = self.planet.engine(mortality).await;
    }
}

pub(crate) async fn found(engine: &Engine) -> Caller {
    let founded = engine
        .found(Founding {
            organization: "Example".to_owned(),
            owner_name: "Ada".to_owned(),
            owner_email: "ada@example.org".to_owned(),
        })
        .await
        .unwrap();
    let caller = engine.authenticate(founded.key.expose()).unwrap();
    assert_eq!(caller.scope, Scope::Admin);
    let edit = OrganizationEdit { name: None, grace: None, posts_per_hour: Some(1_000) };
    engine.edit_organization(&caller, caller.organization, edit).await.unwrap();
    caller
}

/// Through the platform's own way of signing in; of several, the one behind a `/`. On a busy
/// machine a code may end before it is exchanged: it lives half a minute of a clock that runs fast.
pub(crate) async fn connect(
    planet: &Planet,
    engine: &Engine,
    caller: &Caller,
    platform: &str,
    handle: &str,
) -> Account {
    let mut made = try_to_connect(planet, engine, caller, platform, handle).await;
    for _ in 0..2 {
        if made.is_err() {
            made = try_to_connect(planet, engine, caller, platform, handle).await;
        }
    }
    made.unwrap()
}

async fn try_to_connect(
    planet: &Planet,
    engine: &Engine,
    caller: &Caller,
    platform: &str,
    handle: &str,
) -> Result<Account, Problem> {
    let server = match platform {
        "mastodon" => format!("{}/mastodon", planet.origin),
        "gotosocial" | "pleroma" | "pixelfed" | "wordpress" => {
            format!("{}/{platform}", planet.origin)
        }
        _ => String::new(),
    };
    let platform = match platform {
        "gotosocial" | "pleroma" | "pixelfed" => "mastodon",
        platform => platform,
    };
    let secret = pasted(platform);
    let identifier = match platform {
        "webhook" => format!("{}/webhook/{handle}", planet.origin),
        _ => handle.to_owned(),
    };
    let (platform, login) = platform.split_once('/').unwrap_or((platform, ""));
    let request = ConnectRequest {
        platform: platform.to_owned(),
        server,
        login: login.to_owned(),
        identifier,
        password: Some(Secret::new(secret)),
        reconnect: None,
    };
    match engine.connect(caller, request).await? {
        Connecting::Connected { account, .. } => Ok(*account),
        Connecting::Visit { url, .. } => {
            let callback = consent(&url, handle).await;
            match engine.connected(platform, callback).await? {
                Connected::Account(account) => Ok(*account),
                Connected::Choice(choice) => {
                    let usable = choice.targets.iter().find(|target| target.obstacle.is_none());
                    let chosen = [usable.unwrap().identity.remote_id.clone()];
                    let mut made = engine.choose(caller, &choice.connection, &chosen).await?;
                    Ok(made.remove(0))
                }
            }
        }
    }
}

/// What a person pastes, where there is no page to sign in on. The simulated platforms take
/// whatever has the right shape.
pub(crate) fn pasted(platform: &str) -> &'static str {
    match platform {
        "telegram" => "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
        "discord/bot" => "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
        "discord/webhook" => {
            "https://discord.com/api/webhooks/111111111111111111/\
             abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789_-ABCD"
        }
        "wordpress" => "abcd EFGH 1234 ijkl MNOP 5678",
        "slack/bot" => SLACK_BOT,
        "slack/webhook" => SLACK_WEBHOOK,
        "whatsapp" => "EAAabcdefghijklmnopqrstuvwxyz0123456789",
        "webhook" => "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        _ => PASSWORD,
    }
}

/// What a person's browser would do on the consent page.
pub(crate) async fn consent(url: &str, handle: &str) -> Callback {
    consent_without(url, handle, &[]).await
}

/// The same, with these scopes refused.
pub(crate) async fn consent_without(url: &str, handle: &str, refused: &[&str]) -> Callback {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.no_proxy().build().unwrap();
    let url = url::Url::parse(url).unwrap();
    let mut form: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    form.push(("handle".to_owned(), handle.to_owned()));
    form.push(("decision".to_owned(), "allow".to_owned()));
    form.extend(refused.iter().map(|&scope| ("refused[]".to_owned(), scope.to_owned())));
    let mut target = url.clone();
    target.set_query(None);
    let answer = client.post(target).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
    let location = answer.headers()["location"].to_str().unwrap();
    let back = url::Url::parse(location).unwrap();
    let found: HashMap<String, String> =
        back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    Callback {
        state: found["state"].clone(),
        code: found.get("code").cloned(),
        error: found.get("error").cloned(),
    }
}

pub(crate) async fn until(
    engine: &Engine,
    caller: &Caller,
    id: DeliveryId,
    wanted: fn(&State) -> bool,
) -> Delivery {
    let mut changed = engine.changed();
    let looking = async {
        loop {
            let delivery = engine.delivery(caller, id).unwrap();
            if wanted(&delivery.state) {
                return delivery;
            }
            changed.changed().await.unwrap();
        }
    };
    match tokio::time::timeout(Duration::from_secs(30), looking).await {
        Ok(delivery) => delivery,
        Err(_) => {
            let delivery = engine.delivery(caller, id).unwrap();
            let events = engine.timeline(caller, delivery.post).unwrap();
            let told: Vec<String> =
                events.iter().map(|event| format!("{} {}", event.at, event.text)).collect();
            panic!("still {:?} at {}\n{}", delivery, engine.clock().now(), told.join("\n"));
        }
    }
}

/// Lets time pass until these deliveries need nothing but a person: whenever all that is left of
/// them waits, the clock is turned to the first that goes on.
pub(crate) async fn through(
    planet: &Planet,
    engine: &Engine,
    caller: &Caller,
    deliveries: &[DeliveryId],
) {
    let mut changed = engine.changed();
    let open = || {
        let all = deliveries.iter().map(|&id| engine.delivery(caller, id).unwrap());
        all.filter(|delivery| !settled(&delivery.state)).collect::<Vec<Delivery>>()
    };
    let passing = async {
        loop {
            let open = open();
            let until = open.iter().map(|delivery| match delivery.state {
                State::Waiting { until, .. } => Some(until),
                State::Planned
                | State::Staging
                | State::Ready
                | State::Running
                | State::InDoubt { .. }
                | State::Published { .. }
                | State::Failed { .. }
                | State::Held { .. }
                | State::Cancelled { .. } => None,
            });
            match until.collect::<Option<Vec<_>>>().map(|all| all.into_iter().min()) {
                Some(None) => return,
                Some(Some(first)) => {
                    let left = first.remaining(planet.clock.now());
                    planet.turn(i64::try_from(left.as_secs()).unwrap());
                }
                None => (),
            }
            changed.changed().await.unwrap();
        }
    };
    if tokio::time::timeout(Duration::from_secs(60), passing).await.is_err() {
        let now = planet.clock.now();
        panic!("still open at {now}: {:#?}", open());
    }
}

pub(crate) fn text_content(text: &str) -> Content {
    Content { parts: vec![part(text, &[])], options: BTreeMap::new() }
}

pub(crate) fn part(text: &str, media: &[MediaId]) -> Part {
    Part {
        text: text.to_owned(),
        media: media
            .iter()
            .map(|&media| Attachment { media, alt: "a small picture".to_owned() })
            .collect(),
    }
}

pub(crate) fn published(state: &State) -> bool {
    matches!(state, State::Published { .. })
}

pub(crate) fn failed(state: &State) -> bool {
    matches!(state, State::Failed { .. })
}

pub(crate) fn held(state: &State) -> bool {
    matches!(state, State::Held { .. })
}

pub(crate) fn in_doubt(state: &State) -> bool {
    matches!(state, State::InDoubt { .. })
}

pub(crate) fn waiting(state: &State) -> bool {
    matches!(state, State::Waiting { .. })
}

pub(crate) fn settled(state: &State) -> bool {
    state.is_settled() || matches!(state, State::InDoubt { .. } | State::Held { .. })
}

/// A PNG of one pixel, with `salt` so that each is a file of its own.
pub(crate) fn png(salt: u8) -> Vec<u8> {
    let mut bytes = vec![
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0,
        0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A',
        b'T', 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x56, 0xc7, 0x2f,
        0x0d, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
    ];
    bytes.push(salt);
    bytes
}

pub(crate) async fn upload(engine: &Engine, caller: &Caller, bytes: &[u8]) -> MediaId {
    let mut upload = engine.begin_upload(caller).await.unwrap();
    upload.write(bytes).await.unwrap();
    engine.upload(caller, "file", upload, None).await.unwrap().id
}
