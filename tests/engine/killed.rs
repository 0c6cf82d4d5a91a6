//! The promise, at every point where a process can die: one scenario, killed before each of its
//! commits, and before and after each of its sends, started again, and counted against the
//! platforms' ledger.

use std::collections::BTreeMap;

use fanfare::{
    domain::{
        account::Account,
        delivery::{Delivery, State},
        ids::{AccountId, MediaId},
        mortality::Mortality,
        post::Content,
        time::Timestamp,
    },
    engine::{
        Engine,
        facade::{Caller, NewPost, Once, PlanRequest},
    },
};
use futures_util::{StreamExt, stream};

use crate::world::{Planet, connect, found, part, png, text_content, through, upload};

/// Scenarios that run at the same time; they mostly wait.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy, Debug)]
enum Death {
    Never,
    BeforeCommit(u64),
    BeforeSend(u64),
    AfterSend(u64),
}

struct Scenario {
    planet: Planet,
    accounts: Vec<Account>,
    posts: Vec<NewPost>,
    caller: Caller,
}

impl Scenario {
    /// Accounts on each of these, and what is to go to them; nothing is planned yet.
    async fn new(cast: &Cast) -> Scenario {
        let planet = Planet::new().await;
        let engine = planet.engine(Mortality::default()).await;
        let caller = found(&engine).await;
        let mut accounts = Vec::new();
        for (platform, handle) in cast.accounts {
            accounts.push(connect(&planet, &engine, &caller, platform, handle).await);
        }
        let picture = upload(&engine, &caller, &(cast.picture)()).await;
        let start = planet.clock.now();
        let posts = (cast.posts)(&accounts, picture, start);
        engine.kill().await;
        Scenario { planet, accounts, posts, caller }
    }

    /// Plans everything; what was planned in an earlier life is not planned again.
    async fn plan(&self, engine: &Engine) -> Option<Vec<Delivery>> {
        let mut deliveries = Vec::new();
        for (n, post) in self.posts.iter().enumerate() {
            let once = Once { key: format!("post {n}"), fingerprint: [1; 32] };
            match engine.create_post(&self.caller, post.clone(), Some(once)).await {
                Ok((view, _)) => deliveries.extend(view.deliveries),
                Err(_) => return None,
            }
        }
        Some(deliveries)
    }

    async fn all_settled(&self, engine: &Engine, deliveries: &[Delivery]) -> Vec<Delivery> {
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id).collect();
        through(&self.planet, engine, &self.caller, &ids).await;
        ids.iter().map(|&id| engine.delivery(&self.caller, id).unwrap()).collect()
    }

    /// One life that may end early, then one that carries everything to its end.
    async fn run(&self, death: Death) -> (Vec<Delivery>, (u64, u64)) {
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
                let planned = self.plan(&engine).await?;
                Some(self.all_settled(&engine, &planned).await)
            };
            tokio::select! {
                _ = life => (),
                _ = engine.stopped() => (),
            }
            engine.kill().await;
        }
        let counts = mortality.counts();
        let engine = self.planet.engine(Mortality::default()).await;
        let planned = self.plan(&engine).await.unwrap();
        let ended = self.all_settled(&engine, &planned).await;
        let wrong = engine.contradictions().await.unwrap();
        assert!(wrong.is_empty(), "{death:?}: {}", wrong.join("\n"));
        engine.kill().await;
        (ended, counts)
    }

    fn check(&self, ended: &[Delivery], death: Death) {
        for delivery in ended {
            assert!(matches!(delivery.state, State::Published { .. }), "{death:?}: {delivery:?}");
        }
        let ledger = self.planet.ledger();
        for account in &self.accounts {
            let texts: Vec<&str> = ledger
                .iter()
                .filter(|entry| entry.account == account.identity.remote_id)
                .map(|entry| entry.text.as_str())
                .collect();
            assert_eq!(
                texts,
                expected(&self.posts, account.id),
                "{death:?}: each part once and in order, on {}",
                account.platform
            );
        }
        let pictures =
            ledger.iter().filter(|entry| entry.text.contains("picture")).collect::<Vec<_>>();
        assert!(pictures.iter().all(|entry| entry.media.len() == 1), "{death:?}");
    }
}

/// Who plays, and what.
struct Cast {
    accounts: &'static [(&'static str, &'static str)],
    picture: fn() -> Vec<u8>,
    posts: fn(&[Account], MediaId, Timestamp) -> Vec<NewPost>,
}

const SHORT: Cast = Cast {
    accounts: &[
        ("bluesky", "alice.test"),
        ("mastodon", "alice"),
        ("gotosocial", "bob"),
        ("x", "carol"),
    ],
    picture: || png(1),
    posts,
};

/// Those that process what they are given, and show it afterwards.
const SLOW: Cast = Cast {
    accounts: &[
        ("facebook", "alice"),
        ("instagram", "insta"),
        ("linkedin/organization", "lena"),
        ("threads", "tina"),
    ],
    picture: || crate::networks::File::Photo.bytes(),
    posts: |accounts, picture, start| {
        let parts = vec![part("a picture", &[picture]), part("below", &[])];
        vec![NewPost {
            content: Content { parts, options: BTreeMap::new() },
            variants: BTreeMap::new(),
            targets: accounts.iter().map(|account| account.id).collect(),
            plan: PlanRequest::At(start.after(std::time::Duration::from_secs(8))),
            priority: 5,
        }]
    },
};

fn posts(accounts: &[Account], picture: MediaId, start: Timestamp) -> Vec<NewPost> {
    let everyone: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
    let post = |content: Content, seconds: u64| NewPost {
        content,
        variants: BTreeMap::new(),
        targets: everyone.clone(),
        plan: PlanRequest::At(start.after(std::time::Duration::from_secs(seconds))),
        priority: 5,
    };
    let thread = Content {
        parts: vec![part("one", &[]), part("two", &[]), part("three", &[])],
        options: BTreeMap::new(),
    };
    let pictured = Content { parts: vec![part("a picture", &[picture])], options: BTreeMap::new() };
    vec![
        post(text_content("first"), 12),
        post(thread, 13),
        post(pictured, 30),
        post(text_content("last"), 31),
    ]
}

fn expected(posts: &[NewPost], account: AccountId) -> Vec<&str> {
    posts
        .iter()
        .filter(|post| post.targets.contains(&account))
        .flat_map(|post| post.content.parts.iter().map(|part| part.text.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_goes_out_once_and_in_order_wherever_the_process_dies() {
    die_everywhere(&SHORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_processed_first_goes_out_once_wherever_the_process_dies() {
    die_everywhere(&SLOW).await;
}

async fn die_everywhere(cast: &Cast) {
    let scenario = Scenario::new(cast).await;
    let (ended, (commits, sends)) = scenario.run(Death::Never).await;
    scenario.check(&ended, Death::Never);
    assert!(commits > 20 && sends > 20, "{commits} commits and {sends} sends");
    let deaths = (1..=commits)
        .map(Death::BeforeCommit)
        .chain((1..=sends).flat_map(|n| [Death::BeforeSend(n), Death::AfterSend(n)]));
    stream::iter(deaths)
        .map(|death| async move {
            let scenario = Scenario::new(cast).await;
            let (ended, _) = scenario.run(death).await;
            scenario.check(&ended, death);
        })
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    println!("killed at {commits} commits and {sends} sends");
}
