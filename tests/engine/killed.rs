//! The promise, at every point where a process can die: each play is killed before each of its
//! commits, and before and after each of its sends, started again, and counted against the
//! platforms' ledger.

mod platforms;
mod wide;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use fanfare::{
    domain::{
        account::Account,
        delivery::{Delivery, State},
        ids::{AccountId, MediaId},
        mortality::Mortality,
        post::{Attachment, Content, Part},
    },
    engine::{
        Engine,
        facade::{Caller, NewPost, Once, PlanRequest},
    },
    sandbox::LedgerEntry,
};
use futures_util::{StreamExt, stream};

use crate::{
    footage,
    world::{Planet, connect, found, settled, until, upload},
};

/// Lives that run at the same time; they mostly wait.
const AT_ONCE: usize = 12;

/// What is planned, and for whom. Small, because all of it is played once for each death.
struct Play {
    name: &'static str,
    accounts: &'static [Role],
    /// Each for every account.
    posts: &'static [Piece],
    ending: Ending,
}

/// Its platform, and behind a `/` the way to sign in; and its handle.
type Role = (&'static str, &'static str);

struct Piece {
    /// In seconds from the beginning.
    at: u64,
    parts: &'static [(&'static str, &'static [File])],
    options: &'static [(&'static str, &'static str)],
    /// What readers see, where it is not the text and the files of each part.
    seen: &'static [(&'static str, &'static [File])],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum File {
    Picture(u8),
    /// Large enough for those who do not take small ones.
    Large(u8),
    Film,
    /// Larger than one piece of an upload.
    Long,
    Document,
}

impl File {
    fn bytes(self) -> Vec<u8> {
        match self {
            File::Picture(salt) => footage::jpeg(salt),
            File::Large(salt) => footage::grain(salt),
            File::Film => footage::film(1, 4),
            File::Long => footage::film(1, 8),
            File::Document => footage::pdf(),
        }
    }

    /// As in the ledger.
    fn kind(self) -> &'static str {
        match self {
            File::Picture(_) | File::Large(_) => "image",
            File::Film | File::Long => "video",
            File::Document => "document",
        }
    }
}

/// What may have become of a delivery at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Everything is out, once.
    Published,
    /// Where the platform shows nothing of what it has: out once, or in doubt and out once at most.
    PublishedOrInDoubt,
}

#[derive(Clone, Copy, Debug)]
enum Death {
    Never,
    BeforeCommit(u64),
    BeforeSend(u64),
    AfterSend(u64),
}

/// How a play ended after a death.
struct Ended {
    deliveries: Vec<Delivery>,
    commits: u64,
    sends: u64,
    died: bool,
}

struct Scenario {
    play: &'static Play,
    planet: Planet,
    accounts: Vec<Account>,
    posts: Vec<NewPost>,
    caller: Caller,
}

impl Scenario {
    /// Accounts, and what is to go to them; nothing is planned yet.
    async fn new(play: &'static Play) -> Scenario {
        let planet = Planet::new().await;
        let engine = planet.engine(Mortality::default()).await;
        let caller = found(&engine).await;
        let mut accounts = Vec::new();
        for (platform, handle) in play.accounts {
            accounts.push(connect(&planet, &engine, &caller, platform, handle).await);
        }
        let parts = play.posts.iter().flat_map(|piece| piece.parts);
        let mut files = BTreeMap::new();
        for file in parts.flat_map(|(_, files)| *files) {
            files.insert(*file, upload(&engine, &caller, &file.bytes()).await);
        }
        let everyone: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let start = planet.clock.now();
        let posts = play.posts.iter().map(|piece| NewPost {
            content: piece.content(&files),
            variants: BTreeMap::new(),
            targets: everyone.clone(),
            plan: PlanRequest::At(start.after(Duration::from_secs(piece.at))),
            priority: 5,
        });
        let posts = posts.collect();
        engine.kill().await;
        Scenario { play, planet, accounts, posts, caller }
    }

    /// Plans everything; what was planned in an earlier life is not planned again.
    async fn plan(&self, engine: &Engine) -> Result<Vec<Delivery>, String> {
        let mut deliveries = Vec::new();
        for (n, post) in self.posts.iter().enumerate() {
            let once = Once { key: format!("post {n}"), fingerprint: [1; 32] };
            let made = engine.create_post(&self.caller, post.clone(), Some(once)).await;
            deliveries.extend(made.map_err(|problem| format!("{problem:?}"))?.0.deliveries);
        }
        Ok(deliveries)
    }

    async fn all_settled(&self, engine: &Engine, deliveries: &[Delivery]) -> Vec<Delivery> {
        let mut ended = Vec::new();
        for delivery in deliveries {
            ended.push(until(engine, &self.caller, delivery.id, settled).await);
        }
        ended
    }

    /// One life that may end early, then one that carries everything to its end.
    async fn run(&self, death: Death) -> Ended {
        let mortality = Mortality::mortal();
        match death {
            Death::Never => (),
            Death::BeforeCommit(n) => mortality.die_at_commit(n),
            Death::BeforeSend(n) => mortality.die_before_send(n),
            Death::AfterSend(n) => mortality.die_at_send(n),
        }
        // Dying in the middle of starting is dying too.
        if let Ok(engine) = self.planet.try_engine(mortality.clone()).await {
            let life = async {
                // What cannot be planned for another reason than death, cannot be planned below.
                let planned = self.plan(&engine).await.ok()?;
                Some(self.all_settled(&engine, &planned).await)
            };
            tokio::select! {
                _ = life => (),
                _ = engine.stopped() => (),
            }
            engine.kill().await;
        }
        let (commits, sends) = mortality.counts();
        let engine = self.planet.engine(Mortality::default()).await;
        let planned = self.plan(&engine).await.unwrap();
        let deliveries = self.all_settled(&engine, &planned).await;
        let wrong = engine.contradictions().await.unwrap();
        assert!(wrong.is_empty(), "{} {death:?}: {}", self.play.name, wrong.join("\n"));
        engine.kill().await;
        Ended { deliveries, commits, sends, died: mortality.is_dead() }
    }

    /// Each part once and in order, with its files; what is in doubt, once at most.
    fn check(&self, ended: &[Delivery], death: Death) {
        let ledger = self.planet.ledger();
        let name = self.play.name;
        for account in &self.accounts {
            let is_of_account = |entry: &&LedgerEntry| entry.account == known_as(account);
            let mut seen = ledger.iter().filter(is_of_account).map(shown).peekable();
            for (delivery, piece) in self.deliveries_of(account, ended) {
                let doubted = match (&delivery.state, self.play.ending, death) {
                    (State::Published { .. }, _, _) => false,
                    (State::InDoubt { .. }, Ending::PublishedOrInDoubt, Death::Never) => false,
                    (State::InDoubt { .. }, Ending::PublishedOrInDoubt, _) => true,
                    _ => panic!("{name}, {death:?}: {delivery:?}"),
                };
                for part in piece.shown() {
                    let found = seen.next_if_eq(&part);
                    assert!(
                        found.is_some() || doubted,
                        "{name}, {death:?}: {part:?} is missing on {} where {:?} comes next",
                        account.platform,
                        seen.peek()
                    );
                }
            }
            let more: Vec<_> = seen.collect();
            assert!(more.is_empty(), "{name}, {death:?}: {more:?} too, on {}", account.platform);
        }
        let everyone = |entry: &LedgerEntry| {
            self.accounts.iter().any(|account| known_as(account) == entry.account)
        };
        assert!(ledger.iter().all(everyone), "{name}, {death:?}: somebody else posts");
    }

    /// With what they were to bring, in their order.
    fn deliveries_of<'a>(
        &'a self,
        account: &'a Account,
        ended: &'a [Delivery],
    ) -> impl Iterator<Item = (&'a Delivery, &'static Piece)> {
        let of_account = ended.iter().filter(|delivery| delivery.account == account.id);
        of_account.zip(self.play.posts)
    }
}

/// A receiver of events is known to itself by its place, and to us by its address.
fn known_as(account: &Account) -> &str {
    match account.platform.as_str() {
        "webhook" => "shop",
        _ => &account.identity.remote_id,
    }
}

impl Piece {
    fn content(&self, files: &BTreeMap<File, MediaId>) -> Content {
        let part = |(text, wanted): &(&str, &[File])| {
            let attach = |file: &File| Attachment { media: files[file], alt: "a thing".to_owned() };
            Part { text: (*text).to_owned(), media: wanted.iter().map(attach).collect() }
        };
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Content {
            parts: self.parts.iter().map(part).collect(),
            options: self.options.iter().map(option).collect(),
        }
    }

    /// As it has to stand in the ledger.
    fn shown(&self) -> impl Iterator<Item = (String, Vec<&'static str>)> {
        let kinds = |files: &[File]| files.iter().map(|file| file.kind()).collect();
        let seen = if self.seen.is_empty() { self.parts } else { self.seen };
        seen.iter().map(move |(text, files)| ((*text).to_owned(), kinds(files)))
    }
}

fn shown(entry: &LedgerEntry) -> (String, Vec<&'static str>) {
    (entry.text.clone(), entry.media.iter().map(|media| media.kind).collect())
}

/// How often a play was killed, and what came of it.
#[derive(Default)]
struct Count {
    /// By kind: commits, sends that never left, sends whose answer was lost.
    deaths: [AtomicU64; 3],
    /// The life was over before it came so far: it had less to do than the one that was counted.
    outlived: AtomicU64,
    doubts: Mutex<Vec<Death>>,
}

/// Plays it to its end once, and then once for each point where it can be killed.
async fn kill_everywhere(play: &'static Play) {
    let scenario = Scenario::new(play).await;
    let ended = scenario.run(Death::Never).await;
    scenario.check(&ended.deliveries, Death::Never);
    let (commits, sends) = (ended.commits, ended.sends);
    let deaths = (1..=commits)
        .map(Death::BeforeCommit)
        .chain((1..=sends).flat_map(|n| [Death::BeforeSend(n), Death::AfterSend(n)]));
    let count = Count::default();
    let counted = &count;
    stream::iter(deaths)
        .map(|death| async move {
            let scenario = Scenario::new(play).await;
            let ended = scenario.run(death).await;
            scenario.check(&ended.deliveries, death);
            counted.note(death, &ended);
        })
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    count.tell(play, commits, sends);
}

impl Count {
    fn note(&self, death: Death, ended: &Ended) {
        let kind = match death {
            Death::Never => return,
            Death::BeforeCommit(_) => 0,
            Death::BeforeSend(_) => 1,
            Death::AfterSend(_) => 2,
        };
        let died = if ended.died { &self.deaths[kind] } else { &self.outlived };
        died.fetch_add(1, Relaxed);
        let in_doubt = |delivery: &&Delivery| matches!(delivery.state, State::InDoubt { .. });
        let doubts = ended.deliveries.iter().filter(in_doubt).count();
        assert!(doubts <= 1, "{death:?}: only one was under way: {:?}", ended.deliveries);
        if doubts > 0 {
            self.doubts.lock().unwrap().push(death);
        }
    }

    fn tell(&self, play: &Play, commits: u64, sends: u64) {
        let [at_commits, before, after] = [0, 1, 2].map(|kind| self.deaths[kind].load(Relaxed));
        let (outlived, doubts) = (self.outlived.load(Relaxed), self.doubts.lock().unwrap());
        println!(
            "{}: killed before {at_commits} of {commits} commits, before {before} and after \
             {after} of {sends} sends; {outlived} outlived their death, {} are in doubt",
            play.name,
            doubts.len(),
        );
        assert!(at_commits > 0 && before > 0 && after > 0, "{}", play.name);
        assert!(outlived * 4 <= commits + sends, "{}: {outlived} were not killed", play.name);
        match play.ending {
            Ending::Published => assert!(doubts.is_empty(), "{}: {doubts:?}", play.name),
            Ending::PublishedOrInDoubt => {
                // Only what readers see is in doubt after a send. Another post's commits may fall
                // between a send and the commit of its answer, so they are not counted so exactly.
                let is_commit = |death: &&Death| matches!(death, Death::BeforeCommit(_));
                let of_commits = doubts.iter().filter(is_commit).count();
                let parts = play.posts.iter().map(|piece| piece.shown().count()).sum::<usize>();
                let seen = parts * play.accounts.len();
                assert!((1..=2 * seen).contains(&(doubts.len() - of_commits)), "{doubts:?}");
                assert!(of_commits * 2 <= usize::try_from(commits).unwrap(), "{doubts:?}");
            }
        }
    }
}

async fn kill_all(plays: &'static [Play]) {
    for play in plays {
        kill_everywhere(play).await;
    }
}
