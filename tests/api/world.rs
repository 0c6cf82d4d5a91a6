//! A whole Fanfare in memory with its API on a port, simulated platforms, and somebody who asks.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use fanfare::{
    api,
    clock::Clock,
    domain::{mortality::Mortality, secret::Secret},
    engine::{
        AppCredentials, Engine, LoginSettings, NetSettings, OidcSettings, Place, PrivateAddresses,
        Settings, facade::Founding,
    },
    entropy::Entropy,
    sandbox::{Clockwork, Limits, Sandbox, Wiring},
    store::Memory,
};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

const SPEED: u32 = 20;

pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) key: String,
    pub(crate) origin: String,
    pub(crate) clock: Clock,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) engine: Engine,
    /// All that is stored.
    pub(crate) memory: Memory,
    client: Client,
    /// The gate stays open when `stopping` is told: it would close the connection on which a test
    /// asks what is said meanwhile.
    _gate: watch::Sender<bool>,
    /// Ends with the world.
    _servers: JoinSet<()>,
}

/// What is not as usual.
#[derive(Default)]
pub(crate) struct Outfit {
    pub(crate) requests_per_minute: u32,
    pub(crate) public_url: Option<&'static str>,
    /// Where all requests seem to come from.
    pub(crate) address: Option<IpAddr>,
    pub(crate) oidc: Option<OidcSettings>,
    pub(crate) proxies: api::Proxies,
    pub(crate) cors_origins: Vec<String>,
}

/// An answer as a test looks at it.
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
    pub(crate) json: Value,
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(Outfit::default()).await
    }

    pub(crate) async fn with(outfit: Outfit) -> World {
        let clock = Clock::scaled(SPEED);
        let mut servers = JoinSet::new();
        let (origin, listener) = port().await;
        let sandbox = sandbox(&clock);
        servers.spawn(async move { axum::serve(listener, sandbox.router()).await.unwrap() });
        let (base, listener) = port().await;
        let mut settings = settings(&clock, &base, &origin);
        let memory = Memory::default();
        settings.data = Place::Memory(memory.clone());
        if let Some(public_url) = outfit.public_url {
            settings.public_url = public_url.to_owned();
        }
        if let Some(oidc) = outfit.oidc {
            settings.net.allowed_origins.push(oidc.issuer.clone());
            settings.oidc = Some(oidc);
        }
        let engine = Engine::start(settings).await.unwrap();
        let founded = engine.found(Founding {
            organization: "Example".to_owned(),
            owner_name: "Ada".to_owned(),
            owner_email: String::new(),
        });
        let key = founded.await.unwrap().key.expose().to_owned();
        let (stopping, asked) = watch::channel(false);
        let outside = api::Settings {
            clock: clock.clone(),
            entropy: Entropy::system(),
            requests_per_minute: outfit.requests_per_minute,
            proxies: outfit.proxies,
            cors_origins: outfit.cors_origins,
            stopping: asked.clone(),
        };
        let mut router = api::router(engine.clone(), outside);
        if let Some(address) = outfit.address {
            router = router.layer(axum::Extension(api::ClientAddress(address)));
        }
        let gate = api::Gate::of(512);
        let (gate_open, never_closed) = watch::channel(false);
        servers.spawn(api::serve(listener, router, gate, clock.clone(), never_closed));
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.build().unwrap();
        let (_gate, _servers) = (gate_open, servers);
        World { base, key, origin, clock, stopping, engine, memory, client, _gate, _servers }
    }

    /// A request with the owner's key.
    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.key)
    }

    pub(crate) fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = if path.starts_with("http") { path.to_owned() } else { self.base.clone() + path };
        self.client.request(method, url)
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        told(self.request("GET", &format!("/api/v1{path}"))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Told {
        told(self.request("POST", &format!("/api/v1{path}")).json(body)).await
    }

    /// Through the consent page, as a person would.
    pub(crate) async fn connect(&self, handle: &str) -> String {
        let server = format!("{}/mastodon", self.origin);
        let body = json!({ "platform": "mastodon", "server": server });
        let begun = self.post("/accounts/connect", &body).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let back = self.agree(&begun.text("/visit_url"), handle).await;
        let back = told(self.bare("GET", &back)).await;
        assert!(back.body.contains(&format!("@{handle}")), "{}", back.body);
        let accounts = self.get("/accounts").await;
        let newest = accounts.json["items"].as_array().unwrap().last().unwrap();
        newest["id"].as_str().unwrap().to_owned()
    }

    /// Says yes on the platform's page; where that leads back to.
    pub(crate) async fn agree(&self, page: &str, handle: &str) -> String {
        let page = url::Url::parse(page).unwrap();
        let mut form: Vec<(String, String)> =
            page.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
        form.push(("handle".to_owned(), handle.to_owned()));
        form.push(("decision".to_owned(), "allow".to_owned()));
        let mut target = page.clone();
        target.set_query(None);
        let agreed = told(self.bare("POST", target.as_str()).form(&form)).await;
        agreed.headers["location"].clone()
    }

    /// A post to one account, far enough ahead that nothing happens to it by itself.
    pub(crate) fn post_in_an_hour(&self, account: &str, text: &str) -> Value {
        let at = self.clock.now().after(Duration::from_secs(3_600)).rfc3339();
        json!({ "content": { "parts": [{ "text": text }] }, "targets": [account],
            "plan": { "at": at } })
    }
}

pub(crate) async fn told(request: RequestBuilder) -> Told {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let headers = answer.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = answer.text().await.unwrap();
    let json = serde_json::from_str(&body).unwrap_or(Value::Null);
    Told { status, headers, body, json }
}

impl Told {
    /// The problem's code, and that it is a problem in full.
    pub(crate) fn code(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!(self.json["status"], self.status.as_u16());
        assert_eq!(self.json["request_id"], self.headers["x-request-id"].as_str());
        assert!(self.json["remedy"].as_str().is_some_and(|text| !text.is_empty()), "{}", self.body);
        self.json["code"].as_str().unwrap()
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.json.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no {pointer} in {}", self.body)).to_owned()
    }
}

async fn port() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (format!("http://{}", listener.local_addr().unwrap()), listener)
}

fn sandbox(clock: &Clock) -> Sandbox {
    let (reads, waits) = (clock.clone(), clock.clone());
    let wait = move |wait| -> futures_util::future::BoxFuture<'static, ()> {
        let clock = waits.clone();
        Box::pin(async move { clock.sleep(wait).await })
    };
    let now = Arc::new(move || reads.now());
    Sandbox::with_limits(Clockwork { now, wait: Arc::new(wait), seed: 7 }, Limits::Off)
}

fn settings(clock: &Clock, base: &str, origin: &str) -> Settings {
    let Wiring { endpoints, clients } = Wiring::at(origin);
    let app = |(section, client_id)| {
        let client_secret = Some(Secret::new(Wiring::SECRET));
        (section, AppCredentials { client_id, client_secret })
    };
    Settings {
        data: Place::Memory(Memory::default()),
        cache_bytes: 1 << 20,
        vault_key: None,
        vault_key_file: None,
        public_url: base.to_owned(),
        net: NetSettings {
            timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            reply_bytes_max: 1 << 20,
            private_addresses: PrivateAddresses::Refused,
            allowed_origins: vec![origin.to_owned()],
        },
        endpoints,
        versions: BTreeMap::new(),
        apps: clients.into_iter().map(app).collect(),
        posts_per_hour: 1_000,
        grace: Duration::from_secs(900),
        audit_keep: Some(Duration::from_secs(90 * 24 * 3_600)),
        deletion_grace: Duration::from_secs(7 * 24 * 3_600),
        rest_after: Duration::from_secs(3_600),
        login: LoginSettings {
            idle: Duration::from_secs(86_400),
            lasts: Duration::from_secs(30 * 86_400),
        },
        oidc: None,
        quiet: false,
        upload_bytes_max: 1 << 16,
        clock: clock.clone(),
        entropy: Entropy::system(),
        mortality: Mortality::default(),
    }
}
