//! See it work without an account anywhere: the whole of Fanfare and simulated platforms in one
//! process, a robot that connects accounts and plans a minute of posts, and a count at the end.
//!
//! The robot uses the API over HTTP as anybody would, so what it shows is what there is.

mod cast;
mod count;
mod footage;
mod robot;
mod script;
mod watch;

use std::{collections::BTreeMap, env, fs, net::SocketAddr, path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    clock::Clock,
    domain::time::Timestamp,
    engine::{Place, Settings, facade::Founding},
    entropy::Entropy,
};

use self::{
    cast::{Person, Playbill},
    count::{Ended, Passed, Script, Tally, tally},
    robot::{Robot, text},
    script::{Props, Scene, Then, Trial},
    watch::{Caption, Voice, Watch},
};

use super::{
    Common, Failure, output,
    playground::{Playground, furnish},
    server::{self, Outside, Server},
    signals::Signals,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Let the minute pass in seconds, count, and exit: 0 only if every delivery ended as intended.
    #[arg(long)]
    once: bool,
    /// Print the count as JSON, and nothing else.
    #[arg(long, requires = "once")]
    json: bool,
    /// Who plays: `usual`, `classic` (Mastodon, Bluesky, X), `all`, or platforms with commas.
    #[arg(long, value_name = "NAMES", default_value = "usual")]
    platforms: String,
    /// The port of the API; the simulated platforms take the next one. 0: any that are free.
    #[arg(long, default_value_t = 7700)]
    port: u16,
}

/// How much faster the clock runs with `--once`.
const SPEED_ONCE: u32 = 20;

/// From planning until the minute begins, in real time: all is planned by then.
const OVERTURE: Duration = Duration::from_millis(600);

const STOP_DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    let playbill = Playbill::named(&options.platforms)?;
    let mut signals = Signals::listen()?;
    let stage = Stage::build(common, &options, playbill).await?;
    let ended = tokio::select! {
        ended = stage.perform(&options) => ended,
        () = signals.next() => Err(Failure::NotDone("Stopped before the end.".to_owned())),
    };
    let ended = match ended {
        Ok(()) if !options.once => {
            signals.next().await;
            Ok(())
        }
        ended => ended,
    };
    signals.next_ends_the_process();
    stage.clear().await;
    ended
}

/// Everything that runs, on a data directory of its own.
struct Stage {
    server: Server,
    playground: Playground,
    robot: Robot,
    playbill: Playbill,
    clock: Clock,
    directory: PathBuf,
}

impl Stage {
    async fn build(
        common: &Common,
        options: &Options,
        playbill: Playbill,
    ) -> Result<Stage, Failure> {
        let config = common.load(None, None)?;
        let clock = if options.once { Clock::scaled(SPEED_ONCE) } else { Clock::wall() };
        let entropy = Entropy::system();
        // Several may run at once if nobody looks at their addresses.
        let port = if options.once { 0 } else { options.port };
        let next = if port == 0 { 0 } else { port.saturating_add(1) };
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let listener = server::bind(local(port), "--port").await?;
        let beside = server::bind(local(next), "--port").await?;
        let playground = Playground::start(beside, &clock, &entropy)?;
        let base = format!("http://{}", server::address(&listener)?);
        let directory = fresh_directory(&entropy);
        let mut settings = Settings {
            data: Place::Directory(directory.clone()),
            vault_key: None,
            vault_key_file: None,
            public_url: base.clone(),
            posts_per_hour: 100,
            ..config.settings(clock.clone(), entropy)
        };
        furnish(&mut settings, &playground.origin);
        for fault in script::faults(&playbill) {
            playground.sandbox.inject(fault);
        }
        let mut outside = Outside::of(&config);
        outside.requests_per_minute = 0;
        let server = Server::start(settings, outside, listener).await?;
        let founded = server.engine.found(Founding {
            organization: "Harbour Post".to_owned(),
            owner_name: "Robot".to_owned(),
            owner_email: String::new(),
        });
        let founded = founded.await.map_err(|problem| Failure::NotDone(problem.sentence))?;
        let robot = Robot { base, key: founded.key.expose().to_owned() };
        Ok(Stage { server, playground, robot, playbill, clock, directory })
    }

    async fn perform(&self, options: &Options) -> Result<(), Failure> {
        let voice = if options.json { Voice::Silent } else { Voice::Aloud };
        if voice == Voice::Aloud {
            output::line(&self.programme())?;
        }
        let accounts = self.connect_everybody().await?;
        let props = self.props().await?;
        let scenes = script::scenes(&props, &self.playbill);
        let start = self.clock.now().after(OVERTURE * watch::speed(&self.clock));
        let planned = self.plan(&scenes, &accounts, start).await?;
        let watch = Watch {
            robot: &self.robot,
            sandbox: &self.playground.sandbox,
            clock: &self.clock,
            start,
            captions: &planned.captions,
            voice,
        };
        let deliveries = watch.until_all_have_ended().await?;
        let tally = self.count(&scenes, &planned, &deliveries).await?;
        self.close(options, &scenes, &tally)
    }

    async fn props(&self) -> Result<Props, Failure> {
        Ok(Props {
            picture: self.robot.upload("sunrise.png", &footage::picture()).await?,
            dawn: self.robot.upload("dawn.jpg", &footage::dawn()).await?,
            dusk: self.robot.upload("dusk.jpg", &footage::dusk()).await?,
            film: self.robot.upload("waves.mp4", &footage::film()).await?,
            tide: self.robot.upload("tide.mp4", &footage::tide()).await?,
            document: self.robot.upload("tides.pdf", &footage::document()).await?,
        })
    }

    fn programme(&self) -> String {
        let (base, key, origin) = (&self.robot.base, &self.robot.key, &self.playground.origin);
        let scenes = script::scenes(&Props::default(), &self.playbill).len();
        format!(
            "Fanfare demonstration: {} simulated accounts, {scenes} posts within a minute.\n{}.\n\n  \
             What readers see  {origin}/\n  The API           {base}/api/v1\n  \
             Its description   {base}/openapi.json\n  A key to try it   {key}\n",
            self.playbill.0.len(),
            self.playbill.networks().join(", "),
        )
    }

    /// Account ids by handle.
    async fn connect_everybody(&self) -> Result<BTreeMap<&'static str, String>, Failure> {
        let mut accounts = BTreeMap::new();
        for person in &self.playbill.0 {
            let server = match person.server {
                "" => String::new(),
                name => self.playground.server(name),
            };
            let id = self.robot.connect(person, &server).await?;
            accounts.insert(person.handle, id);
        }
        Ok(accounts)
    }

    async fn plan(
        &self,
        scenes: &[Scene],
        accounts: &BTreeMap<&'static str, String>,
        start: Timestamp,
    ) -> Result<Planned, Failure> {
        let mut planned = Planned::default();
        for (number, scene) in scenes.iter().enumerate() {
            let targets: Vec<&String> = scene.to.iter().map(|handle| &accounts[handle]).collect();
            let body = json!({
                "content": scene.content, "variants": scene.variants, "targets": targets,
                "plan": scene.plan(start),
            });
            let key = format!("scene-{number}");
            let post = self.robot.make("/posts", &key, &body).await?;
            // A client that did not hear the answer asks again; that must change nothing.
            let again = self.robot.make("/posts", &key, &body).await?;
            if text(&again, "/id") != text(&post, "/id") {
                let sentence = "A repeated request made a second post.".to_owned();
                return Err(Failure::NotDone(sentence));
            }
            self.then(scene, &post).await?;
            planned.note(number, scene, &post, &self.playbill, accounts);
        }
        Ok(planned)
    }

    async fn then(&self, scene: &Scene, post: &Value) -> Result<(), Failure> {
        let path = format!("/posts/{}", text(post, "/id"));
        match scene.then {
            Then::Nothing => Ok(()),
            Then::Edits(text) => {
                let etag = format!("\"{}\"", post["revision"]);
                let change = json!({ "content": script::content(&[text]) });
                self.robot.change(&path, &etag, &change).await
            }
            Then::Cancels => {
                self.robot.post(&format!("{path}/cancel"), &Value::Null).await.map(|_| ())
            }
        }
    }

    async fn count(
        &self,
        scenes: &[Scene],
        planned: &Planned,
        deliveries: &[Value],
    ) -> Result<Tally, Failure> {
        let mut ended = Vec::new();
        for delivery in deliveries {
            let id = text(delivery, "/id");
            let Some((number, person)) = planned.roles.get(&id) else { continue };
            let scene = &scenes[*number];
            let path = format!("/posts/{}/timeline", text(delivery, "/post"));
            let timeline = self.robot.get(&path).await?;
            ended.push(self.ended(scene, person, delivery, &timeline));
        }
        Ok(tally(&ended, &self.playground.sandbox.ledger()))
    }

    fn ended(&self, scene: &Scene, person: &Person, delivery: &Value, timeline: &Value) -> Ended {
        let id = text(delivery, "/id");
        let events = timeline["items"].as_array().into_iter().flatten();
        let mine: Vec<&str> = events
            .filter(|event| event["delivery"] == id.as_str())
            .filter_map(|event| event["kind"].as_str())
            .collect();
        let passed = |kinds: &[&str]| match mine.iter().any(|kind| kinds.contains(kind)) {
            true => Passed::Yes,
            false => Passed::No,
        };
        let due = Timestamp::parse(&text(delivery, "/due")).unwrap_or_default();
        let late = Duration::from_millis(delivery["lateness_ms"].as_u64().unwrap_or_default());
        Ended {
            handle: person.handle,
            expected: scene.expected(person),
            state: text(delivery, "/state"),
            due,
            published: Timestamp::parse(&text(delivery, "/published_at")),
            lateness: self.clock.real(late),
            throttled: match scene.trial {
                Trial::Throttled => passed(&["delivery.waiting"]),
                Trial::None | Trial::Unanswered => Passed::No,
            },
            doubted: passed(&["delivery.unanswered", "delivery.in_doubt"]),
        }
    }

    fn close(&self, options: &Options, scenes: &[Scene], tally: &Tally) -> Result<(), Failure> {
        if options.json {
            output::json(tally)?;
        } else {
            output::line(&summary(tally))?;
        }
        let cancels = |scene: &&Scene| scene.then == Then::Cancels;
        let meant = |trial| scenes.iter().filter(|scene| scene.trial == trial).count();
        let script = Script {
            cancelled: scenes.iter().filter(cancels).map(|scene| scene.to.len()).sum(),
            throttled: meant(Trial::Throttled),
            unanswered: meant(Trial::Unanswered),
        };
        if !tally.is_as_intended(&script) {
            return Err(Failure::NotDone("Not every delivery ended as intended.".to_owned()));
        }
        if !options.once {
            let (base, key) = (&self.robot.base, &self.robot.key);
            output::line(&format!(
                "\nIt keeps running. Try it, and Ctrl-C to end:\n\n  \
                 curl -H 'Authorization: Bearer {key}' \\\n    '{base}/api/v1/deliveries?limit=3'"
            ))?;
        }
        Ok(())
    }

    async fn clear(self) {
        self.server.stop(STOP_DEADLINE).await;
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            let directory = self.directory.display();
            tracing::warn!("The demonstration's data stays in {directory}: {error}");
        }
    }
}

/// What was planned, by delivery.
#[derive(Default)]
struct Planned {
    captions: BTreeMap<String, Caption>,
    /// The scene's number, and who plays in it.
    roles: BTreeMap<String, (usize, &'static Person)>,
}

impl Planned {
    fn note(
        &mut self,
        number: usize,
        scene: &Scene,
        post: &Value,
        playbill: &Playbill,
        accounts: &BTreeMap<&'static str, String>,
    ) {
        for delivery in post["deliveries"].as_array().into_iter().flatten() {
            let (id, account) = (text(delivery, "/id"), text(delivery, "/account"));
            let mut cast = playbill.0.iter();
            let person = cast.find(|person| accounts[person.handle] == account).copied();
            let Some(person) = person else { continue };
            let shown = scene.expected(person).first().cloned().unwrap_or_default();
            let caption = Caption { handle: person.handle, label: scene.label, text: shown };
            self.captions.insert(id.clone(), caption);
            self.roles.insert(id, (number, person));
        }
    }
}

fn summary(tally: &Tally) -> String {
    format!(
        "\n{} deliveries: {} published, {} cancelled, {} otherwise.\n{} had been throttled, {} had \
         been in doubt.\nBy the platforms' own ledger: {} duplicates, {} lost, {} out of order.\n\
         p99 lateness of what no platform held up: {} ms.",
        tally.deliveries,
        tally.published,
        tally.cancelled,
        tally.other,
        tally.throttled,
        tally.in_doubt_resolved,
        tally.duplicates,
        tally.lost,
        tally.out_of_order,
        tally.late_p99_ms,
    )
}

/// A name of its own; it is made when the engine starts.
fn fresh_directory(entropy: &Entropy) -> PathBuf {
    env::temp_dir().join(format!("fanfare-demo-{:016x}", u64::from_be_bytes(entropy.bytes())))
}
