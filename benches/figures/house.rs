//! A founded engine on the disk, a sandbox on a port, and connected accounts.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use fanfare::{
    clock::Clock,
    domain::{
        ids::{AccountId, MediaId},
        mortality::Mortality,
        post::{Attachment, Content, Part},
        time::Timestamp,
    },
    engine::{
        Engine, NetSettings, Place, PrivateAddresses, Settings,
        facade::{
            Callback, Caller, ConnectRequest, Connected, Connecting, Founding, NewPost,
            OrganizationEdit, PlanRequest,
        },
    },
    entropy::Entropy,
    sandbox::{Clockwork, LedgerEntry, Limits, Sandbox},
    store::CACHE_BYTES,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Removed when dropped; on the disk that `target` is on.
pub(crate) fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory beside target")
}

/// The simulated platforms, on threads of their own.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: String,
    runtime: Option<Runtime>,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let runtime = Runtime::new().expect("a runtime starts");
        let clock = Clock::wall();
        let clockwork = Clockwork {
            now: Arc::new(move || clock.now()),
            wait: Arc::new(|duration| Box::pin(tokio::time::sleep(duration))),
            seed: 7,
        };
        let sandbox = Sandbox::with_limits(clockwork, Limits::Off);
        let listener = runtime
            .block_on_elsewhere(async { tokio::net::TcpListener::bind("127.0.0.1:0").await })
            .expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let router = sandbox.router();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Stage { sandbox, origin, runtime: Some(runtime) }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

trait BlockOnElsewhere {
    /// Like `block_on`, from inside another runtime.
    fn block_on_elsewhere<F>(&self, work: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send;
}

impl BlockOnElsewhere for Runtime {
    fn block_on_elsewhere<F>(&self, work: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        std::thread::scope(|scope| {
            scope.spawn(|| self.block_on(work)).join().expect("the work does not panic")
        })
    }
}

pub(crate) async fn engine(directory: &Path, origin: &str) -> Engine {
    Engine::start(Settings {
        data: Place::Directory(directory.to_owned()),
        cache_bytes: CACHE_BYTES,
        vault_key: None,
        vault_key_file: None,
        public_url: "http://127.0.0.1:7700".to_owned(),
        net: NetSettings {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            reply_bytes_max: 1 << 20,
            private_addresses: PrivateAddresses::Refused,
            allowed_origins: vec![origin.to_owned()],
        },
        endpoints: BTreeMap::new(),
        versions: BTreeMap::new(),
        apps: BTreeMap::new(),
        posts_per_hour: 10,
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
        clock: Clock::wall(),
        entropy: Entropy::system(),
        mortality: Mortality::default(),
    })
    .await
    .expect("the engine starts")
}

/// The first organization, and somebody who may do everything in it at any pace.
pub(crate) async fn found(engine: &Engine) -> Caller {
    let founding = Founding {
        organization: "Example".to_owned(),
        owner_name: "Ada".to_owned(),
        owner_email: "ada@example.org".to_owned(),
    };
    let founded = engine.found(founding).await.expect("nothing was founded before");
    let caller = engine.authenticate(founded.key.expose()).expect("the key is known");
    let edit = OrganizationEdit { name: None, grace: None, posts_per_hour: Some(1_000) };
    engine.edit_organization(&caller, caller.organization, edit).await.expect("it is allowed");
    caller
}

/// A founded engine with a sandbox and accounts on its Mastodon server.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) caller: Caller,
    pub(crate) accounts: Arc<[AccountId]>,
    pub(crate) stage: Stage,
    _directory: TempDir,
}

impl House {
    pub(crate) async fn new(accounts: usize) -> House {
        let (stage, directory) = (Stage::new(), directory());
        let engine = engine(directory.path(), &stage.origin).await;
        let caller = found(&engine).await;
        let accounts = connect(&engine, &caller, &stage.origin, accounts).await;
        House { engine, caller, accounts, stage, _directory: directory }
    }

    /// Plans `count` posts with 64 callers at a time. `of` says to which account and when.
    pub(crate) async fn fill(&self, count: usize, of: impl Fn(usize) -> (usize, Timestamp)) {
        let posts: Vec<(AccountId, Timestamp)> = (0..count)
            .map(&of)
            .map(|(at, due)| (self.accounts[at % self.accounts.len()], due))
            .collect();
        fill(&self.engine, &self.caller, posts.into()).await;
    }

    pub(crate) async fn close(self) {
        self.engine.stop(Duration::from_secs(5)).await;
    }
}

const CALLERS: usize = 64;

pub(crate) async fn fill(engine: &Engine, caller: &Caller, posts: Arc<[(AccountId, Timestamp)]>) {
    let next = Arc::new(AtomicUsize::new(0));
    let callers = (0..CALLERS).map(|_| {
        let (engine, caller, posts, next) =
            (engine.clone(), caller.clone(), posts.clone(), next.clone());
        tokio::spawn(async move {
            while let Some(&(account, due)) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
                engine.create_post(&caller, post(account, due), None).await.expect("it is planned");
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("planning does not panic");
    }
}

/// Signs in on the sandbox's consent page, many at a time.
pub(crate) async fn connect(
    engine: &Engine,
    caller: &Caller,
    origin: &str,
    count: usize,
) -> Arc<[AccountId]> {
    let browser = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let mut accounts = Vec::with_capacity(count);
    // The first registers our app with the server.
    let first = connect_one(engine.clone(), caller.clone(), origin.to_owned(), browser.clone(), 0);
    accounts.push(first.await);
    let mut number = 1;
    while number < count {
        let piece = (number..count.min(number + 32)).map(|number| {
            let (engine, caller) = (engine.clone(), caller.clone());
            tokio::spawn(connect_one(engine, caller, origin.to_owned(), browser.clone(), number))
        });
        for account in piece.collect::<Vec<_>>() {
            accounts.push(account.await.expect("connecting does not panic"));
            number += 1;
        }
    }
    accounts.into()
}

async fn connect_one(
    engine: Engine,
    caller: Caller,
    origin: String,
    browser: reqwest::Client,
    number: usize,
) -> AccountId {
    let request = ConnectRequest {
        platform: "mastodon".to_owned(),
        server: format!("{origin}/mastodon"),
        login: String::new(),
        identifier: String::new(),
        password: None,
        reconnect: None,
    };
    let begun = engine.connect(&caller, request).await.expect("the sandbox lets everybody in");
    let Connecting::Visit { url, .. } = begun else { panic!("Mastodon has a consent page") };
    let callback = agree(&browser, &url, &handle(number)).await;
    match engine.connected("mastodon", callback).await.expect("it was agreed to") {
        Connected::Account(account) => account.id,
        Connected::Choice(_) => panic!("Mastodon has nothing to choose"),
    }
}

/// What account `number` is called on the sandbox.
pub(crate) fn handle(number: usize) -> String {
    format!("person{number}")
}

/// What a person's browser does on the consent page.
async fn agree(browser: &reqwest::Client, url: &str, handle: &str) -> Callback {
    let mut page = url::Url::parse(url).expect("a page");
    let mut form: Vec<(String, String)> = page.query_pairs().into_owned().collect();
    form.push(("handle".to_owned(), handle.to_owned()));
    form.push(("decision".to_owned(), "allow".to_owned()));
    page.set_query(None);
    let answer = browser.post(page).form(&form).send().await.expect("the sandbox answers");
    let location = answer.headers()["location"].to_str().expect("a URL");
    let back = url::Url::parse(location).expect("a URL");
    let mut found: BTreeMap<String, String> = back.query_pairs().into_owned().collect();
    Callback {
        state: found.remove("state").expect("our state comes back"),
        code: found.remove("code"),
        error: found.remove("error"),
    }
}

/// 500 bytes of text that begin with when it is due, for [`lateness`].
pub(crate) fn post(account: AccountId, due: Timestamp) -> NewPost {
    let mut text = format!("{} ", due.0);
    let words = "lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy ";
    text.extend(words.chars().cycle().take(500 - text.len() - 1));
    text.push('.');
    new_post(account, due, text, Vec::new())
}

pub(crate) fn post_with(account: AccountId, due: Timestamp, media: MediaId) -> NewPost {
    let attachment = Attachment { media, alt: "a small picture".to_owned() };
    new_post(account, due, due.0.to_string(), vec![attachment])
}

fn new_post(account: AccountId, due: Timestamp, text: String, media: Vec<Attachment>) -> NewPost {
    NewPost {
        content: Content { parts: vec![Part { text, media }], options: BTreeMap::new() },
        variants: BTreeMap::new(),
        targets: vec![account],
        plan: PlanRequest::At(due),
        priority: 5,
    }
}

/// How long after its time the platform was asked to publish it.
pub(crate) fn lateness(entry: &LedgerEntry) -> Duration {
    let due = entry.text.split(' ').next().and_then(|due| due.parse().ok());
    Timestamp(due.expect("posts begin with when they are due")).elapsed(entry.at)
}

/// Waits until the sandbox has taken `count` publications, for at most `patience`.
pub(crate) async fn ledger(stage: &Stage, count: usize, patience: Duration) -> Vec<LedgerEntry> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let ledger = stage.sandbox.ledger();
        if ledger.len() >= count || tokio::time::Instant::now() > deadline {
            return ledger;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

pub(crate) fn in_a_year(engine: &Engine) -> Timestamp {
    engine.clock().now().after(Duration::from_secs(365 * 86_400))
}
