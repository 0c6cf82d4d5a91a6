//! Simulated platforms that speak the documented wire formats, on one port, for trying out, tests
//! and drills.
//!
//! | under | is |
//! |---|---|
//! | `/mastodon` | a Mastodon server |
//! | `/gotosocial` | the same, ignoring `Idempotency-Key` as GoToSocial does |
//! | `/pleroma` | the same, repeating with a key its first answer, as Pleroma does |
//! | `/bluesky` | a Bluesky PDS, its entryway, PLC directory and video service |
//! | `/linkedin` | LinkedIn's API, consent page and upload servers |
//! | `/threads` | the Threads API and consent page |
//! | `/x` | X's API and consent page |
//! | `/facebook` | Facebook pages: Graph API, its hosts for bytes, and the web |
//! | `/instagram` | Instagram with its own login, in the same world as `/facebook` |
//! | `/tiktok` | TikTok's API, consent page and upload server |
//! | `/youtube` | YouTube's API, its uploads, and Google's sign-in |
//! | `/googlebusiness` | Google Business Profile's APIs, and Google's sign-in |
//! | `/pinterest` | Pinterest's API, consent page and upload server |
//! | `/snapchat` | Snapchat's Public Profile API and consent page |
//! | `/telegram` | Telegram's Bot API, and the web |
//! | `/discord` | Discord's API for webhooks and bots, and the web |
//! | `/slack` | Slack's Web API, consent page, upload server, incoming webhooks, and the web |
//! | `/webhook/{name}` | programs that receive signed events |
//! | `/whatsapp` | WhatsApp's Cloud API |
//! | `/`, `/_sandbox/…` | what was posted, as a page and as JSON; faults |
//!
//! Each platform is a synchronous function from a [`wire::Call`] to a [`wire::Answer`] over its own
//! state; [`world`] runs it and plays the faults around it.
//!
//! Never: shares code with the connectors, which it judges; reads a clock; keeps anything on disk.

mod bluesky;
mod chance;
mod consent;
mod control;
mod discord;
mod door;
mod faults;
mod fetching;
mod given;
mod google;
mod googlebusiness;
mod grants;
mod kept;
mod ledger;
mod linkedin;
mod mastodon;
mod meta;
mod meter;
mod page;
mod people;
mod pinterest;
mod shelf;
mod slack;
mod snapchat;
mod telegram;
mod text;
mod threads;
mod tiktok;
#[cfg(test)]
mod trial;
mod webhook;
mod whatsapp;
mod wire;
mod wiring;
mod world;
mod x;
mod youtube;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, header::DATE},
    response::{IntoResponse, Response},
    routing::any,
};
use chrono::DateTime;
use futures_util::future::BoxFuture;

use crate::domain::time::Timestamp;

use self::{
    fetching::Fetcher,
    wire::{Call, connection_lost},
    world::{Tail, World},
};

pub use self::{
    faults::{Fault, FaultKind, Operation},
    ledger::{LedgerEntry, LedgerMedia},
    meter::Limits,
    wiring::Wiring,
};

/// Bytes of one request. A larger one is answered 413.
const BODY_BYTES_MAX: usize = 110 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    Mastodon,
    Gotosocial,
    Bluesky,
    Linkedin,
    Threads,
    X,
    Facebook,
    Instagram,
    Tiktok,
    Youtube,
    Googlebusiness,
    Pinterest,
    Snapchat,
    Telegram,
    Discord,
    Slack,
    Webhook,
    Whatsapp,
    Pleroma,
}

impl Platform {
    const NAMES: [(&'static str, Platform); 19] = [
        ("mastodon", Platform::Mastodon),
        ("gotosocial", Platform::Gotosocial),
        ("bluesky", Platform::Bluesky),
        ("linkedin", Platform::Linkedin),
        ("threads", Platform::Threads),
        ("x", Platform::X),
        ("facebook", Platform::Facebook),
        ("instagram", Platform::Instagram),
        ("tiktok", Platform::Tiktok),
        ("youtube", Platform::Youtube),
        ("googlebusiness", Platform::Googlebusiness),
        ("pinterest", Platform::Pinterest),
        ("snapchat", Platform::Snapchat),
        ("telegram", Platform::Telegram),
        ("discord", Platform::Discord),
        ("slack", Platform::Slack),
        ("webhook", Platform::Webhook),
        ("whatsapp", Platform::Whatsapp),
        ("pleroma", Platform::Pleroma),
    ];

    /// As in base URLs and in the control endpoints' JSON.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Mastodon => "mastodon",
            Platform::Gotosocial => "gotosocial",
            Platform::Bluesky => "bluesky",
            Platform::Linkedin => "linkedin",
            Platform::Threads => "threads",
            Platform::X => "x",
            Platform::Facebook => "facebook",
            Platform::Instagram => "instagram",
            Platform::Tiktok => "tiktok",
            Platform::Youtube => "youtube",
            Platform::Googlebusiness => "googlebusiness",
            Platform::Pinterest => "pinterest",
            Platform::Snapchat => "snapchat",
            Platform::Telegram => "telegram",
            Platform::Discord => "discord",
            Platform::Slack => "slack",
            Platform::Webhook => "webhook",
            Platform::Whatsapp => "whatsapp",
            Platform::Pleroma => "pleroma",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Platform::Mastodon => "/mastodon",
            Platform::Gotosocial => "/gotosocial",
            Platform::Bluesky => "/bluesky",
            Platform::Linkedin => "/linkedin",
            Platform::Threads => "/threads",
            Platform::X => "/x",
            Platform::Facebook => "/facebook",
            Platform::Instagram => "/instagram",
            Platform::Tiktok => "/tiktok",
            Platform::Youtube => "/youtube",
            Platform::Googlebusiness => "/googlebusiness",
            Platform::Pinterest => "/pinterest",
            Platform::Snapchat => "/snapchat",
            Platform::Telegram => "/telegram",
            Platform::Discord => "/discord",
            Platform::Slack => "/slack",
            Platform::Webhook => "/webhook",
            Platform::Whatsapp => "/whatsapp",
            Platform::Pleroma => "/pleroma",
        }
    }
}

/// Where time, waiting and chance come from, so that a test can drive them.
#[derive(Clone)]
pub struct Clockwork {
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Used only by the hang and answer-late faults.
    pub wait: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
    /// For tokens and ids: the same seed gives the same ones. Use a new one for each run that is
    /// not a test, or a token kept from an earlier run may belong to somebody else.
    pub seed: u64,
}

/// The simulated platforms. Clones share one state.
#[derive(Clone)]
pub struct Sandbox {
    clockwork: Clockwork,
    world: Arc<Mutex<World>>,
    fetcher: Fetcher,
}

impl Sandbox {
    /// The paths below which they answer.
    pub const PLATFORMS: [&str; Platform::NAMES.len()] = {
        let mut names = [""; Platform::NAMES.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Platform::NAMES[at].0;
            at += 1;
        }
        names
    };

    /// With the platforms' published rate limits.
    pub fn new(clockwork: Clockwork) -> Sandbox {
        Sandbox::with_limits(clockwork, Limits::Published)
    }

    pub fn with_limits(clockwork: Clockwork, limits: Limits) -> Sandbox {
        let world = Arc::new(Mutex::new(World::new(clockwork.seed, limits)));
        Sandbox { clockwork, world, fetcher: Fetcher::new() }
    }

    /// All platforms, the control endpoints and the page.
    pub fn router(&self) -> Router {
        let mut router = control::routes();
        for (_, platform) in Platform::NAMES {
            let drive = move |State(sandbox): State<Sandbox>, request: Request| async move {
                sandbox.drive(platform, request).await
            };
            let below = format!("{}/{{*path}}", platform.prefix());
            router = router.route(platform.prefix(), any(drive)).route(&below, any(drive));
        }
        router.layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(self.clone())
    }

    /// Every accepted publication so far, oldest first. Also `GET /_sandbox/ledger`.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.world().books.ledger.entries().to_vec()
    }

    /// Also `POST /_sandbox/faults`.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.inject(fault);
    }

    fn now(&self) -> Timestamp {
        (self.clockwork.now)()
    }

    /// By our own clock: clients compare it with the times in the body.
    fn dated(&self, mut response: Response) -> Response {
        let millis = i64::try_from(self.now().0).unwrap_or(i64::MAX);
        let date = DateTime::from_timestamp_millis(millis)
            .map(|date| date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
            .and_then(|date| HeaderValue::try_from(date).ok());
        if let Some(date) = date {
            response.headers_mut().insert(DATE, date);
        }
        response
    }

    /// A panic while the lock was held is a failed request, not the end of the sandbox.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drive(self, platform: Platform, request: Request) -> Response {
        let mut call = match Call::read(request, platform.prefix(), self.now()).await {
            Ok(call) => call,
            Err(too_large_or_malformed) => return too_large_or_malformed,
        };
        let wanted = self.world().fetches(platform, &call);
        for url in wanted {
            let fetched = self.fetcher.fetch(&url).await;
            call.fetched.insert(url, fetched);
        }
        let tail = self.world().serve(platform, &call);
        match tail {
            Tail::Answer(answer) => self.dated(answer.into_response()),
            Tail::Late(answer, wait) => {
                (self.clockwork.wait)(wait).await;
                self.dated(answer.into_response())
            }
            Tail::Lost => connection_lost(),
            Tail::Hang(wait) => {
                (self.clockwork.wait)(wait).await;
                connection_lost()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::trial::{Trial, read, start};

    async fn publish(trial: &Trial, token: &str, text: &str) -> Option<u16> {
        let path = "/mastodon/api/v1/statuses";
        let request = trial.request(reqwest::Method::POST, path, token);
        let request = request.header("Idempotency-Key", text).json(&json!({ "status": text }));
        request.send().await.ok().map(|response| response.status().as_u16())
    }

    #[tokio::test]
    async fn a_dropped_answer_is_a_publication_and_an_error_at_the_client() {
        let trial = start().await;
        let token = trial.mastodon().await;
        let fault = json!({ "kind": "drop_answer", "operation": "publish", "account": "alice" });
        trial.fault(fault).await;
        assert_eq!(publish(&trial, &token, "one").await, None);
        assert_eq!(trial.sandbox.ledger().len(), 1);
        // The repeat is recognised, so the count stays.
        assert_eq!(publish(&trial, &token, "one").await, Some(200));
        assert_eq!(trial.sandbox.ledger().len(), 1);
        let (_, faults) = trial.get("/_sandbox/faults", "").await;
        assert_eq!(faults["faults"][0]["fired"], 1);
    }

    #[tokio::test]
    async fn a_hanging_request_does_nothing_and_ends_without_an_answer() {
        let trial = start().await;
        let token = trial.mastodon().await;
        trial.fault(json!({ "kind": "hang", "operation": "publish", "millis": 1 })).await;
        assert_eq!(publish(&trial, &token, "one").await, None);
        assert!(trial.sandbox.ledger().is_empty());
    }

    #[tokio::test]
    async fn each_platform_throttles_refuses_and_expires_in_its_own_words() {
        let trial = start().await;
        let mastodon = trial.mastodon().await;
        let x = trial.x().await["access_token"].as_str().unwrap().to_owned();
        let bluesky = trial.bluesky().await["accessJwt"].as_str().unwrap().to_owned();
        let reads = [
            ("mastodon", "/mastodon/api/v1/accounts/verify_credentials", mastodon),
            ("x", "/x/2/users/me", x),
            ("bluesky", "/bluesky/xrpc/com.atproto.server.getSession", bluesky),
        ];
        let mut seen = Vec::new();
        for kind in ["throttle", "unavailable", "expire_token", "revoke_token"] {
            for (platform, path, token) in &reads {
                trial.fault(json!({ "kind": kind, "platform": platform })).await;
                let request = trial.request(reqwest::Method::GET, path, token);
                let response = request.send().await.unwrap();
                let limited = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];
                let limited = limited.iter().any(|name| response.headers().contains_key(*name));
                let (status, body) = read(response).await;
                assert!(kind != "throttle" || limited, "{platform}");
                seen.push((status, body["error"].as_str().map(str::to_owned)));
            }
        }
        let statuses: Vec<u16> = seen.iter().map(|(status, _)| *status).collect();
        let wanted = [429, 429, 429, 503, 503, 503, 401, 401, 400, 401, 401, 400];
        assert_eq!(statuses, wanted);
        assert_eq!(seen[8].1.as_deref(), Some("ExpiredToken"));
        assert_eq!(seen[11].1.as_deref(), Some("InvalidToken"));
    }

    #[tokio::test]
    async fn controls_tell_what_is_wrong_and_the_page_escapes_what_was_posted() {
        let trial = start().await;
        let (status, body) = trial.post("/_sandbox/faults", "", json!({ "kind": "x" })).await;
        assert!(status == 400 && body["error"].as_str().unwrap().contains("allowed are"));
        let token = trial.mastodon().await;
        publish(&trial, &token, "<script>alert(1)</script> https://e.com/x").await;
        let (_, page) = trial.get("/", "").await;
        let page = page.as_str().unwrap();
        assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("https://e.com/x"));
        let (_, ledger) = trial.get("/_sandbox/ledger?platform=mastodon&account=alice", "").await;
        assert_eq!(ledger["entries"][0]["sequence"], 1);
        assert_eq!(trial.get("/_sandbox/ledger?platform=y", "").await.0, 400);
        let (_, none) = trial.get("/_sandbox/ledger?platform=x", "").await;
        assert_eq!(none["entries"], Value::Array(Vec::new()));
    }

    #[tokio::test]
    async fn the_page_shows_the_platforms_in_use_and_the_busiest_first() {
        let trial = start().await;
        let page = async || trial.get("/", "").await.1.as_str().unwrap().to_owned();
        assert!(page().await.contains("Nobody has connected an account yet."));
        let x = trial.x().await["access_token"].as_str().unwrap().to_owned();
        let poll = json!({ "options": ["Dawn", "Dusk"], "duration_minutes": 60 });
        let body = json!({ "text": "When?", "poll": poll });
        assert_eq!(trial.post("/x/2/tweets", &x, body).await.0, 201);
        let mastodon = trial.mastodon().await;
        for text in ["one", "two"] {
            publish(&trial, &mastodon, text).await;
        }
        let page = page().await;
        let at = |id: &str| page.find(&format!("<section class=\"{id}\" id=\"{id}\">"));
        assert!(at("mastodon").unwrap() < at("x").unwrap(), "{page}");
        assert_eq!((at("threads"), at("gotosocial")), (None, None));
        assert!(page.contains("<span class=\"mark kind\">poll</span>"), "{page}");
    }
}
