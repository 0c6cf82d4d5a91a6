//! The reference server as a process: one for all tests, which may be killed and started again.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Read by whoever needs the server to stay up, written by whoever kills it.
static SERVER: OnceCell<Option<RwLock<Server>>> = OnceCell::const_new();

/// `None`, having said why, where it cannot be run.
pub(crate) async fn shared() -> Option<RwLockReadGuard<'static, Server>> {
    Some(lock().await?.read().await)
}

/// For a test that kills it.
pub(crate) async fn alone() -> Option<RwLockWriteGuard<'static, Server>> {
    Some(lock().await?.write().await)
}

async fn lock() -> Option<&'static RwLock<Server>> {
    SERVER.get_or_init(first_start).await.as_ref()
}

async fn first_start() -> Option<RwLock<Server>> {
    let started = tokio::task::spawn_blocking(|| match install() {
        Ok(()) => Some(RwLock::new(Server::start())),
        Err(why) => {
            // Not `eprintln!`, which the test harness swallows when a test passes.
            let mut stderr = std::io::stderr().lock();
            writeln!(stderr, "\nNothing was tested against a real Bluesky server: {why}").unwrap();
            None
        }
    });
    started.await.unwrap()
}

/// Downloads nothing unless it was asked to, by an installation before this one or by
/// `FANFARE_TEST_BLUESKY=1`.
fn install() -> Result<(), String> {
    let here = here();
    let asked = env::var_os("FANFARE_TEST_BLUESKY").is_some_and(|asked| asked == "1");
    // The script's last mark; without it, an installation was never finished.
    if !asked && !here.join("node_modules/.fanfare-installed").exists() {
        return Err("it is not installed. `tests/bluesky_pds/run.sh --install-only` installs it \
                    (Node 20.11 or newer, 250 MB, a minute or two)."
            .to_owned());
    }
    for program in ["node", "npm"] {
        let found = Command::new(program).arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            return Err(format!("it needs `{program}`, which does not run here."));
        }
    }
    let output = Command::new(here.join("run.sh")).arg("--install-only").output();
    let output = output.map_err(|error| format!("its run.sh cannot be run: {error}."))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(format!("it cannot be installed here, perhaps without a registry:\n{words}"));
    }
    Ok(())
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bluesky_pds")
}

/// Who can sign in.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) handle: String,
    pub(crate) did: String,
    pub(crate) password: String,
    pub(crate) app_password: String,
}

/// A record as the server lists it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) uri: String,
    pub(crate) cid: String,
    pub(crate) value: Value,
}

impl Record {
    pub(crate) fn text(&self) -> &str {
        self.value["text"].as_str().unwrap()
    }

    pub(crate) fn key(&self) -> &str {
        self.uri.rsplit('/').next().unwrap()
    }

    /// As another record refers to it.
    pub(crate) fn reference(&self) -> Value {
        json!({ "uri": self.uri, "cid": self.cid })
    }
}

pub(crate) const POSTS: &str = "app.bsky.feed.post";

/// Ends itself, and deletes its data, when the test process ends and its standard input with it.
pub(crate) struct Server {
    child: Child,
    data: PathBuf,
    pub(crate) pds: String,
    pub(crate) plc: String,
    pub(crate) alice: Member,
    pub(crate) bob: Member,
}

impl Server {
    fn start() -> Server {
        // An error means that one is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let name = format!("bluesky-{}", std::process::id());
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&data).unwrap();
        let (child, ready) = spawn(&data);
        let member = |n: usize| {
            let text = |name: &str| ready["accounts"][n][name].as_str().unwrap().to_owned();
            Member {
                handle: text("handle"),
                did: text("did"),
                password: text("password"),
                app_password: text("appPassword"),
            }
        };
        Server {
            child,
            data,
            pds: ready["pds"].as_str().unwrap().to_owned(),
            plc: ready["plc"].as_str().unwrap().to_owned(),
            alice: member(0),
            bob: member(1),
        }
    }

    /// SIGKILL, and no answer to anybody.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same server again, with all that it had on its disk.
    pub(crate) async fn restart(&mut self) {
        let data = self.data.clone();
        let (child, ready) = tokio::task::spawn_blocking(move || spawn(&data)).await.unwrap();
        self.child = child;
        assert_eq!(ready["pds"], self.pds.as_str());
    }

    /// Somebody new with an empty repository, so that a test may count all of it.
    pub(crate) async fn register(&self, name: &str) -> Member {
        // Some plain words are reserved.
        let handle = format!("x-{name}.test");
        let password = "correct-horse-battery".to_owned();
        let body = json!({
            "handle": handle,
            "email": format!("{name}@example.com"),
            "password": password,
        });
        let session = self.post("com.atproto.server.createAccount", None, body).await.unwrap();
        let did = session["did"].as_str().unwrap().to_owned();
        let mut member = Member { handle, did, password, app_password: String::new() };
        member.app_password = self.app_password(&member, "fanfare").await;
        member
    }

    pub(crate) async fn app_password(&self, member: &Member, name: &str) -> String {
        let token = self.session(member).await;
        let body = json!({ "name": name });
        let made = self.post("com.atproto.server.createAppPassword", Some(&token), body).await;
        made.unwrap()["password"].as_str().unwrap().to_owned()
    }

    /// Its access token, with the rights of the account's own password.
    pub(crate) async fn session(&self, member: &Member) -> String {
        let body = json!({ "identifier": member.did, "password": member.password });
        let session = self.post("com.atproto.server.createSession", None, body).await.unwrap();
        session["accessJwt"].as_str().unwrap().to_owned()
    }

    /// Every post of a repository, by key; that is, in the order of publication.
    pub(crate) async fn posts(&self, did: &str) -> Vec<Record> {
        let mut posts = Vec::new();
        let mut cursor = String::new();
        loop {
            let method = "com.atproto.repo.listRecords";
            let query = [
                ("repo", did),
                ("collection", POSTS),
                ("limit", "100"),
                ("reverse", "true"),
                ("cursor", &cursor),
            ];
            let asked = if cursor.is_empty() { &query[..4] } else { &query[..] };
            let page = self.get(method, asked).await;
            for record in page["records"].as_array().unwrap() {
                posts.push(Record {
                    uri: record["uri"].as_str().unwrap().to_owned(),
                    cid: record["cid"].as_str().unwrap().to_owned(),
                    value: record["value"].clone(),
                });
            }
            match page["cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return posts,
            }
        }
    }

    /// What the server says of a record by its own lexicons, which it is given once more for that.
    pub(crate) async fn validation(&self, member: &Member, record: &Record) -> String {
        let token = self.session(member).await;
        let body = json!({
            "repo": member.did,
            "collection": POSTS,
            "rkey": record.key(),
            "validate": true,
            "record": record.value,
        });
        let put = self.post("com.atproto.repo.putRecord", Some(&token), body).await.unwrap();
        assert_eq!(put["cid"], record.cid.as_str(), "the same record");
        assert!(put.get("commit").is_none(), "nothing was changed");
        put["validationStatus"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) async fn get(&self, method: &str, query: &[(&str, &str)]) -> Value {
        let url = format!("{}/xrpc/{method}", self.pds);
        client().get(url).query(query).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn blob(&self, did: &str, cid: &str) -> Vec<u8> {
        let url = format!("{}/xrpc/com.atproto.sync.getBlob", self.pds);
        let request = client().get(url).query(&[("did", did), ("cid", cid)]);
        request.send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn post(
        &self,
        method: &str,
        token: Option<&str>,
        body: Value,
    ) -> Result<Value, String> {
        let mut request = client().post(format!("{}/xrpc/{method}", self.pds)).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let (is_success, text) = (answer.status().is_success(), answer.text().await.unwrap());
        match is_success {
            true => Ok(serde_json::from_str(&text).unwrap_or_default()),
            false => Err(format!("{method}: {text}")),
        }
    }
}

/// A new one each time: a connection belongs to the runtime of the test that opened it.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Returns when it serves, with what it says of itself.
fn spawn(data: &Path) -> (Child, Value) {
    let mut child = Command::new(here().join("run.sh"))
        .arg("--throwaway")
        .arg("--data")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line);
    (child, ready.unwrap_or_else(|_| panic!("the server did not start; it printed `{line}`")))
}
