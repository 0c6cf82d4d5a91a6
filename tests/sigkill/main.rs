//! The real binary under load, killed with SIGKILL again and again. What the platforms' ledger says
//! was published, and what the API says of each delivery, must agree: everything once, in order.

#![expect(clippy::print_stdout, reason = "what was measured belongs in the output")]

use std::{
    collections::HashMap,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use fanfare::{
    clock::Clock,
    entropy::Entropy,
    sandbox::{Clockwork, Limits, Sandbox},
};
use serde_json::{Value, json};

const ACCOUNTS: usize = 50;
const POSTS_PER_ACCOUNT: usize = 20;
const KILLS: usize = 30;

/// Everything is due within this, from a few seconds after the start.
const SPREAD: Duration = Duration::from_secs(45);

struct Server {
    child: Child,
}

impl Server {
    fn start(directory: &Path, port: u16) -> Server {
        let child = Command::new(env!("CARGO_BIN_EXE_fanfare"))
            .arg("serve")
            .arg("--config")
            .arg(directory.join("fanfare.toml"))
            .env("FANFARE_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Server { child }
    }

    /// On Unix this is SIGKILL: nothing is flushed, nobody is asked.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Api {
    client: reqwest::Client,
    base: String,
    key: String,
}

impl Api {
    async fn ready(&self) {
        loop {
            let answer = self.client.get(format!("{}/readyz", self.base)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = request.bearer_auth(&self.key).send().await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{status}: {body}");
        body
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(self.client.post(format!("{}/api/v1{path}", self.base)).json(&body)).await
    }

    async fn get(&self, path: &str) -> Value {
        self.call(self.client.get(format!("{}/api/v1{path}", self.base))).await
    }

    async fn deliveries(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/deliveries?limit=200{after}")).await;
            found.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

async fn sandbox(clock: &Clock) -> (Sandbox, String) {
    let (now, wait) = (clock.clone(), clock.clone());
    let clockwork = Clockwork {
        now: Arc::new(move || now.now()),
        wait: Arc::new(move |duration| {
            let clock = wait.clone();
            Box::pin(async move { clock.sleep(duration).await })
        }),
        seed: 11,
    };
    let sandbox = Sandbox::with_limits(clockwork, Limits::Off);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = sandbox.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (sandbox, origin)
}

fn configure(directory: &Path, origin: &str, port: u16) {
    let settings = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\
         [data]\ndirectory = \"{}\"\n\
         [pacing]\nposts_per_hour = 10000\n\
         [net]\nallowed_origins = [\"{origin}\"]\n\
         [platforms.bluesky.endpoints]\nentry = \"{origin}/bluesky\"\n\
         plc = \"{origin}/bluesky/plc\"\napp = \"{origin}/bluesky\"\n",
        directory.join("data").display()
    );
    std::fs::write(directory.join("fanfare.toml"), settings).unwrap();
}

fn init(directory: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fanfare"))
        .args(["init", "--organization", "Example", "--name", "Ada", "--email", "a@example.org"])
        .arg("--json")
        .arg("--config")
        .arg(directory.join("fanfare.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let founded: Value = serde_json::from_slice(&output.stdout).unwrap();
    founded["key"].as_str().unwrap().to_owned()
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_out_once_and_in_order_though_the_process_is_killed_thirty_times() {
    let clock = Clock::wall();
    let entropy = Entropy::system();
    let (sandbox, origin) = sandbox(&clock).await;
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    configure(directory.path(), &origin, port);
    let key = init(directory.path());
    // An error means that one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let api = Api { client, base: format!("http://127.0.0.1:{port}"), key };
    let mut server = Server::start(directory.path(), port);
    api.ready().await;
    let accounts = connect(&api).await;
    plan(&api, &accounts, &clock).await;

    while sandbox.ledger().is_empty() {
        clock.sleep(Duration::from_millis(5)).await;
    }
    let mut first_after_restart = Vec::new();
    for _ in 0..KILLS {
        // Between a quarter of a second and about a second and a half of work.
        let work = Duration::from_millis(250).mul_f64(1.0 + 5.0 * entropy.fraction());
        clock.sleep(work).await;
        server.kill();
        let before = sandbox.ledger().len();
        let restarted = Instant::now();
        server = Server::start(directory.path(), port);
        if before < ACCOUNTS * POSTS_PER_ACCOUNT {
            while sandbox.ledger().len() == before && restarted.elapsed() < LONG {
                clock.sleep(Duration::from_millis(5)).await;
            }
            first_after_restart.push(restarted.elapsed());
        }
    }
    api.ready().await;
    let deliveries = ended(&api, &clock).await;
    check(&sandbox, &deliveries, &accounts);
    first_after_restart.sort_unstable();
    println!(
        "{KILLS} kills; first publication after a restart: median {:?}, longest {:?}",
        first_after_restart[first_after_restart.len() / 2],
        first_after_restart[first_after_restart.len() - 1]
    );
}

const LONG: Duration = Duration::from_secs(60);

async fn connect(api: &Api) -> HashMap<String, String> {
    let mut accounts = HashMap::new();
    for n in 0..ACCOUNTS {
        let request = json!({
            "platform": "bluesky",
            "identifier": format!("account{n}.test"),
            "password": "abcd-efgh-ijkl-mnop",
        });
        let connected = api.post("/accounts/connect", request).await;
        let account = &connected["account"];
        let id = account["id"].as_str().unwrap().to_owned();
        accounts.insert(id, account["handle"].as_str().unwrap().to_owned());
    }
    accounts
}

async fn plan(api: &Api, accounts: &HashMap<String, String>, clock: &Clock) {
    let start = clock.now().after(Duration::from_secs(8));
    for n in 0..POSTS_PER_ACCOUNT {
        for (m, account) in accounts.keys().enumerate() {
            let share = (n * ACCOUNTS + m) as f64 / (ACCOUNTS * POSTS_PER_ACCOUNT) as f64;
            let at = start.after(SPREAD.mul_f64(share));
            let post = json!({
                "content": { "parts": [{ "text": format!("{account} {n:02}") }] },
                "targets": [account],
                "plan": { "at": at.rfc3339() },
            });
            api.post("/posts", post).await;
        }
    }
}

/// All deliveries, once every one has come to its end.
async fn ended(api: &Api, clock: &Clock) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let deliveries = api.deliveries().await;
        let open = deliveries.iter().filter(|delivery| delivery["state"] != "published").count();
        if open == 0 || begun.elapsed() > 4 * LONG {
            return deliveries;
        }
        clock.sleep(Duration::from_millis(250)).await;
    }
}

fn check(sandbox: &Sandbox, deliveries: &[Value], accounts: &HashMap<String, String>) {
    assert_eq!(deliveries.len(), ACCOUNTS * POSTS_PER_ACCOUNT);
    for delivery in deliveries {
        assert_eq!(delivery["state"], "published", "{delivery}");
    }
    let ledger = sandbox.ledger();
    for (account, handle) in accounts {
        let texts: Vec<&str> = ledger
            .iter()
            .filter(|entry| entry.handle == *handle)
            .map(|entry| entry.text.as_str())
            .collect();
        let expected: Vec<String> =
            (0..POSTS_PER_ACCOUNT).map(|n| format!("{account} {n:02}")).collect();
        assert_eq!(texts, expected, "each once and in order");
    }
}
