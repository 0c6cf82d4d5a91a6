//! Secrets reach their platform and the vault, and nobody else: everything that passes between us
//! and the platforms is watched, platforms repeat in their refusals what they were sent, and then
//! every secret is looked for wherever anybody could read.

mod search;
mod witness;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use fanfare::{
    domain::{
        account::Account,
        delivery::{Delivery, State, Why},
        mortality::Mortality,
        post::Content,
        problem::Problem,
        secret::Secret,
    },
    engine::{
        Place, Settings, Urgency,
        facade::{
            AppOf, AppSetting, ConnectRequest, Connected, Connecting, Founding, OrganizationEdit,
            Orphans, PlanRequest,
        },
    },
    sandbox::{Fault, FaultKind, Operation},
};

use self::{search::Search, witness::Witness};
use crate::{
    footage,
    world::{PASSWORD, Planet, World, consent, part, pasted, settled, upload},
};

/// Somebody on a platform, by one of the ways to sign in, and what can be published there.
struct Role {
    login: &'static str,
    handle: &'static str,
    /// Snapchat's stories have no text.
    has_text: bool,
    file: fn(u8) -> Option<Vec<u8>>,
    options: &'static [(&'static str, &'static str)],
}

const fn role(login: &'static str, handle: &'static str) -> Role {
    Role { login, handle, has_text: true, file: small, options: &[] }
}

fn small(salt: u8) -> Option<Vec<u8>> {
    Some(footage::jpeg(salt))
}

/// For those who take no picture of a few bytes.
fn large(salt: u8) -> Option<Vec<u8>> {
    Some(footage::grain(salt))
}

fn film(salt: u8) -> Option<Vec<u8>> {
    Some(footage::film(salt, 8))
}

fn nothing(_: u8) -> Option<Vec<u8>> {
    None
}

/// Everybody and the ways to sign in; but for TikTok, whose refusals make an account rest for a
/// day, and webhooks, which send no secret.
const ROLES: &[Role] = &[
    role("bluesky", "alice.test"),
    role("mastodon", "alice"),
    role("x", "alice"),
    role("threads", "alice"),
    role("instagram/instagram", "alice.bakery"),
    role("instagram/facebook", "bob"),
    role("facebook", "carol"),
    role("linkedin/member", "alice"),
    role("linkedin/organization", "bob"),
    Role {
        file: film,
        options: &[("title", "Waves"), ("made_for_kids", "false")],
        ..role("youtube", "yuri")
    },
    Role { file: large, ..role("googlebusiness", "gina") },
    Role { file: large, options: &[("board", "Inspiration")], ..role("pinterest", "pia") },
    Role { file: large, has_text: false, ..role("snapchat", "sam") },
    role("slack/app", "harbour"),
    role("slack/bot", "C0123456789"),
    Role { file: nothing, ..role("slack/webhook", "") },
    role("telegram", "@kiosk"),
    role("discord/bot", "222222222222222222"),
    role("discord/webhook", ""),
    Role { options: &[("recipients", "+4915112345678")], ..role("whatsapp", "106540352242922") },
    Role { options: &[("title", "Waves")], ..role("wordpress", "willa") },
];

/// What has to have passed, or the test has looked for nothing.
const KINDS: &[&str] = &[
    "access token",
    "address of a file",
    "app password",
    "client secret",
    "code",
    "key",
    "page token",
    "pasted secret",
    "refresh token",
    "state",
    "upload address",
    "verifier",
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Trial {
    world: World,
    witness: Arc<Witness>,
    key: String,
    /// Where, and what people were told or could read there since the beginning.
    told: Mutex<BTreeSet<(String, String)>>,
    client: reqwest::Client,
    /// How many secrets were pasted.
    pasted: AtomicU64,
}

impl Trial {
    /// `data`: a directory to store in, else memory.
    async fn new(data: Option<&Path>) -> Trial {
        let mut witness = None;
        let planet = Planet::watched(
            |_| (),
            |platforms, memory| {
                let watching = Witness::new(memory.clone());
                witness = Some(watching.clone());
                watching.around(platforms)
            },
        )
        .await;
        let witness = witness.unwrap();
        let place = data.map(|data| Place::Directory(data.to_owned()));
        let tune = |settings: &mut Settings| {
            if let Some(place) = place {
                settings.data = place;
            }
        };
        let engine = planet.engine_with(Mortality::default(), tune).await.unwrap();
        let founding = Founding {
            organization: "Example".to_owned(),
            owner_name: "Ada".to_owned(),
            owner_email: "ada@example.org".to_owned(),
        };
        let key = engine.found(founding).await.unwrap().key.expose().to_owned();
        witness.learn(&key, "key");
        let caller = engine.authenticate(&key).unwrap();
        let edit = OrganizationEdit { name: None, grace: None, posts_per_hour: Some(1_000) };
        engine.edit_organization(&caller, caller.organization, edit).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let world = World { planet, engine, caller };
        Trial { world, witness, key, told: Mutex::default(), client, pasted: AtomicU64::new(1) }
    }

    fn echo(&self, operation: Operation) {
        self.world.planet.sandbox.inject(Fault::new(FaultKind::Echo, operation));
    }

    /// Faults that found nothing to strike must not strike what comes later.
    async fn calm(&self) {
        let url = format!("{}/_sandbox/faults", self.world.planet.origin);
        self.client.delete(url).send().await.unwrap();
    }

    fn hear<T>(&self, answer: Result<T, Problem>) -> Option<T> {
        match answer {
            Ok(made) => Some(made),
            Err(problem) => {
                self.told.lock().unwrap().insert(("problem".to_owned(), format!("{problem:?}")));
                None
            }
        }
    }

    async fn get(&self, path: &str) -> serde_json::Value {
        let url = format!("{}{path}", self.world.planet.address);
        let answer = self.client.get(url).bearer_auth(&self.key).send().await.unwrap();
        let body = answer.text().await.unwrap();
        // Without ids, which would make every place a place of its own.
        let plain = |part: &&str| !part.contains(['_', '=']) && part.len() < 20;
        let place: Vec<&str> = path.split(['/', '?']).filter(plain).collect();
        self.told.lock().unwrap().insert((place.join("/"), body.clone()));
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// Everything that can be read.
    async fn read(&self) {
        for list in ["accounts", "posts", "deliveries", "media", "organizations"] {
            let page = self.get(&format!("/api/v1/{list}?limit=100")).await;
            for item in page["items"].as_array().unwrap_or_else(|| panic!("{list}: {page}")) {
                let one = format!("/api/v1/{list}/{}", item["id"].as_str().unwrap());
                self.get(&one).await;
                match list {
                    "accounts" => _ = self.get(&format!("{one}/health")).await,
                    "posts" => _ = self.get(&format!("{one}/timeline")).await,
                    _ => (),
                }
            }
        }
        for path in ["/api/v1/platforms", "/api/v1/events", "/healthz", "/readyz", "/openapi.json"]
        {
            self.get(path).await;
        }
        let events = self.world.engine.events(&self.world.caller, 0, 10_000).unwrap().events;
        self.told.lock().unwrap().insert(("events".to_owned(), format!("{events:?}")));
    }

    async fn connect(&self, platform: &str, handle: &str) -> Option<Account> {
        let World { planet, engine, caller } = &self.world;
        let server = match platform {
            "mastodon" | "wordpress" => format!("{}/{platform}", planet.origin),
            _ => String::new(),
        };
        let mut secret = pasted(platform).to_owned();
        if secret != PASSWORD {
            // What was withdrawn is never good again, so another one is pasted each time.
            let count = self.pasted.fetch_add(1, Relaxed);
            secret = match platform {
                "telegram" => format!("{}{count:04}", &secret[..secret.len() - 4]),
                "wordpress" => format!("abcdEFGHijklMNOPqrst{count:04}"),
                _ => format!("{secret}{count}"),
            };
            // Of an address, and of a bot's token, the end is what nobody can guess.
            for part in [&*secret, secret.rsplit(['/', ':']).next().unwrap_or_default()] {
                self.witness.learn(part, "pasted secret");
            }
        }
        let (platform, login) = platform.split_once('/').unwrap_or((platform, ""));
        let request = ConnectRequest {
            platform: platform.to_owned(),
            server,
            login: login.to_owned(),
            identifier: handle.to_owned(),
            password: Some(Secret::new(secret.as_str())),
            reconnect: None,
        };
        let url = match self.hear(engine.connect(caller, request).await)? {
            Connecting::Connected { account, .. } => return Some(*account),
            Connecting::Visit { url, .. } => url,
        };
        let callback = consent(&url, handle).await;
        match self.hear(engine.connected(platform, callback).await)? {
            Connected::Account(account) => Some(*account),
            Connected::Choice(choice) => {
                self.get(&format!("/api/v1/connections/{}", choice.connection)).await;
                let usable = choice.targets.iter().find(|target| target.obstacle.is_none());
                let chosen = [usable.unwrap().identity.remote_id.clone()];
                let made = engine.choose(caller, &choice.connection, &chosen).await;
                self.hear(made).map(|mut made| made.remove(0))
            }
        }
    }

    async fn begin(
        &self,
        role: &Role,
        account: &Account,
        text: &str,
        file: Option<Vec<u8>>,
    ) -> Delivery {
        let World { engine, caller, .. } = &self.world;
        let media = match file {
            Some(file) => vec![upload(engine, caller, &file).await],
            None => Vec::new(),
        };
        let text = if role.has_text { text } else { "" };
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let options = role.options.iter().map(option).collect();
        let content = Content { parts: vec![part(text, &media)], options };
        self.world.post(content, account.id, PlanRequest::Now, 5).await
    }

    /// Publishes something, and waits until it is out, or waits itself.
    async fn publish(&self, role: &Role, account: &Account, text: &str, file: Option<Vec<u8>>) {
        let delivery = self.begin(role, account, text, file).await;
        let rests = |state: &State| {
            !matches!(state, State::Planned | State::Ready | State::Running | State::Staging)
        };
        self.world.until(delivery.id, rests).await;
        // What is said while it waits is said only then.
        self.get("/api/v1/deliveries?limit=100").await;
    }

    /// The answer of a publication is lost, and the look is refused.
    async fn doubt(&self, role: &Role, account: &Account, file: Option<Vec<u8>>) {
        let lost = Fault::new(FaultKind::DropAnswer, Operation::Publish);
        self.world.planet.sandbox.inject(lost);
        let delivery = self.begin(role, account, "lost", file).await;
        let is_looked_for = |state: &State| {
            settled(state) || matches!(state, State::Waiting { why: Why::Probe { .. }, .. })
        };
        self.world.until(delivery.id, is_looked_for).await;
        self.echo(Operation::Read);
        self.world.until(delivery.id, settled).await;
        self.calm().await;
    }

    /// A whole life of an account, in which everything is refused once with all that was sent.
    async fn live(&self, role: &Role) {
        let (platform, handle) = (role.login, role.handle);
        for operation in [Operation::Token, Operation::Read] {
            self.echo(operation);
            self.connect(platform, handle).await;
            self.calm().await;
        }
        let account = self.connect(platform, handle).await.unwrap();
        let name = account.platform.as_str();
        let picture = role.file;
        self.publish(role, &account, "as it should be", picture(1)).await;
        if name == "linkedin" || name == "facebook" {
            self.publish(role, &account, "a film", Some(footage::film(1, 4))).await;
        }
        for (n, operation) in (2..).zip([Operation::Upload, Operation::Publish, Operation::Any]) {
            self.echo(operation);
            self.publish(role, &account, &format!("refused {n}"), picture(n)).await;
            self.calm().await;
        }
        self.doubt(role, &account, picture(5)).await;
        let sandbox = &self.world.planet.sandbox;
        // Renewing the token is refused, then works; then the grant is over.
        for kind in [FaultKind::ExpireToken, FaultKind::ExpireToken, FaultKind::RevokeToken] {
            sandbox.inject(Fault::new(kind, Operation::Any));
            self.echo(Operation::Token);
            self.publish(role, &account, &format!("{kind:?}"), picture(6)).await;
            self.calm().await;
        }
        self.read().await;
        self.connect(platform, handle).await.unwrap();
        self.publish(role, &account, "again", picture(7)).await;
        self.echo(Operation::Token);
        self.hear(self.world.engine.disconnect(&self.world.caller, account.id).await);
        self.calm().await;
        self.read().await;
    }
}

/// On one thread, so that what is logged anywhere is logged here.
#[tokio::test]
async fn no_secret_is_in_a_log_an_event_an_answer_a_problem_or_in_clear_in_the_store() {
    let log = Log::default();
    let lines = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || lines.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    // Where there is one subscriber only, tracing asks whichever thread comes to a line first
    // whether anybody wants it, and a no from another test's thread would count for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let trial = Trial::new(None).await;
    for role in ROLES {
        trial.live(role).await;
    }
    let World { engine, .. } = &trial.world;
    engine.stop(Duration::from_secs(5)).await;

    let secrets = trial.witness.secrets();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    secrets.values().for_each(|kind| *counts.entry(kind).or_default() += 1);
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), KINDS, "{counts:?}");
    let (log, told) = (log.0.lock().unwrap().clone(), trial.told.lock().unwrap().clone());
    let rows = trial.witness.rows();
    println!(
        "{counts:?}, looked for in {} bytes of logs, {} texts and {} rows",
        log.len(),
        told.len(),
        rows.len()
    );
    let (search, mut found) = (Search::of(&secrets), BTreeMap::new());
    search.look("log", &log, &mut found);
    for (place, text) in &told {
        search.look(place, text.as_bytes(), &mut found);
    }
    for row in &rows {
        search.look("store", row, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(told.iter().any(|(_, text)| text.contains("[secret]")), "no platform repeats any");
    assert!(log.windows(9).any(|part| part == b"fanfare::"), "nothing of ours is logged");
}

/// What a backup made now would hold, without the key that belongs elsewhere. A file that goes
/// while it is copied is not missed.
fn backup(data: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.ends_with("vault.key") => (),
                false => bytes.extend(fs::read(path).unwrap_or_default()),
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_without_the_key_holds_no_secret_at_any_time() {
    const LIVED: [&str; 5] = ["bluesky", "mastodon", "x", "slack/app", "wordpress"];
    let data = tempfile::tempdir().unwrap();
    let trial = Trial::new(Some(data.path())).await;
    let World { engine, caller, planet } = &trial.world;
    let client_secret = Some(Secret::new("sandbox-secret"));
    let app = AppSetting { client_id: "sandbox-own".to_owned(), client_secret };
    let (of, orphans) = (AppOf::Organization, Orphans::Refused);
    engine.set_app(caller, of, "x", app, orphans).await.unwrap();
    let mut backups = Vec::new();
    for role in ROLES.iter().filter(|role| LIVED.contains(&role.login)) {
        trial.live(role).await;
        backups.push(backup(data.path()));
        engine.rotate_vault(caller, Urgency::Leaked).await.ok();
    }
    let keys = fs::read_to_string(data.path().join("vault.key")).unwrap();
    planet.end(engine.clone()).await;
    backups.push(backup(data.path()));

    let mut secrets = trial.witness.secrets();
    for key in keys.lines() {
        secrets.insert(key.to_owned(), "vault's key");
        let byte = |n: usize| u8::from_str_radix(&key[2 * n..][..2], 16).unwrap();
        let raw: Vec<u8> = (0..32).map(byte).collect();
        let holds = |backup: &Vec<u8>| backup.windows(raw.len()).any(|part| part == raw);
        assert!(!backups.iter().any(holds), "the vault's key is in a backup");
    }
    let (search, mut found) = (Search::of(&secrets), BTreeMap::new());
    for (n, backup) in backups.iter().enumerate() {
        search.look(&format!("backup {n}"), backup, &mut found);
        // Nothing is hidden from the search by being compressed.
        assert!(String::from_utf8_lossy(backup).contains("as it should be"), "backup {n}");
    }
    assert!(found.is_empty(), "{found:#?}");
    let sizes: Vec<usize> = backups.iter().map(Vec::len).collect();
    println!("{} secrets, looked for in backups of {sizes:?} bytes", secrets.len());
}
