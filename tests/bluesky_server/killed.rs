//! The promise against a real server: wherever the engine or the server dies, each part of a thread
//! is there once, and answers the part before it.

use std::time::Duration;

use fanfare::{
    clock::Clock,
    domain::{
        account::Account,
        delivery::{Delivery, State},
        ids::MediaId,
        mortality::Mortality,
        post::Content,
    },
    engine::{
        Engine,
        facade::{Caller, NewPost, Once, PlanRequest},
    },
};
use serde_json::json;

use crate::{
    server::{self, Record, Server},
    world::{
        Home, SPEED, World, connect, found, part, picture, post, published, settled, thread, told,
        until, upload,
    },
};

const PARTS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Death {
    Never,
    BeforeCommit(u64),
    BeforeSend(u64),
    AfterSend(u64),
}

/// One account, whose threads are killed one after the other.
struct Scenario {
    home: Home,
    account: Account,
    caller: Caller,
    picture: MediaId,
}

impl Scenario {
    async fn new(server: &Server, name: &str) -> Scenario {
        let member = server.register(name).await;
        let home = Home::new(server, Clock::scaled(SPEED));
        let engine = home.engine(Mortality::default()).await.unwrap();
        let caller = found(&engine).await;
        let account = connect(&engine, &caller, &member.handle, &member.app_password, None).await;
        let picture = upload(&engine, &caller, &picture()).await;
        engine.kill().await;
        Scenario { home, account: account.unwrap(), caller, picture }
    }

    /// Someone to look up, a file to upload, and parts to create: every kind of step.
    fn thread(&self, death: Death) -> NewPost {
        let parts = vec![
            part(&text(death, 0), &[]),
            part(&text(death, 1), &[(self.picture, "a picture")]),
            part(&text(death, 2), &[]),
        ];
        let content = Content { parts, options: Default::default() };
        // Far enough ahead for what is harmless to be done before its time.
        let due = self.home.clock.now().after(Duration::from_secs(11));
        NewPost { plan: PlanRequest::At(due), ..post(self.account.id, content) }
    }

    /// What was planned in an earlier life is not planned again.
    async fn carry_out(&self, engine: &Engine, death: Death) -> Option<Delivery> {
        let once = Once { key: format!("{death:?}"), fingerprint: [1; 32] };
        let planned = engine.create_post(&self.caller, self.thread(death), Some(once)).await;
        let delivery = planned.ok()?.0.deliveries[0].id;
        Some(until(engine, &self.caller, delivery, settled).await)
    }

    /// One life that may end early, then one that carries everything to its end.
    async fn run(&self, death: Death) -> Mortality {
        let mortality = Mortality::mortal();
        match death {
            Death::Never => (),
            Death::BeforeCommit(n) => mortality.die_at_commit(n),
            Death::BeforeSend(n) => mortality.die_before_send(n),
            Death::AfterSend(n) => mortality.die_at_send(n),
        }
        // Dying in the middle of starting is dying too.
        if let Ok(engine) = self.home.engine(mortality.clone()).await {
            tokio::select! {
                _ = self.carry_out(&engine, death) => (),
                _ = engine.stopped() => (),
            }
            engine.kill().await;
        }
        let engine = self.home.engine(Mortality::default()).await.unwrap();
        let delivery = self.carry_out(&engine, death).await.unwrap();
        assert!(
            published(&delivery) && delivery.live.len() == PARTS,
            "{death:?}: {delivery:?}\n{}",
            told(&engine, &self.caller, &delivery)
        );
        engine.kill().await;
        mortality
    }
}

fn text(death: Death, number: usize) -> String {
    format!("{death:?}, part {number}, for @bob.test")
}

/// By key, as the server lists them: each thread is `PARTS` neighbours.
fn check_threads(posts: &[Record], expected: usize) {
    assert_eq!(posts.len(), expected * PARTS, "each part once");
    for thread in posts.chunks(PARTS) {
        let name = thread[0].text().split(", part").next().unwrap();
        for (n, post) in thread.iter().enumerate() {
            assert!(post.text().starts_with(&format!("{name}, part {n},")), "{}", post.text());
            assert_eq!(post.value["embed"].is_object(), n == 1, "{}", post.text());
            assert!(post.value["facets"].is_array(), "{}", post.text());
        }
        check_replies(thread);
    }
    let mut texts: Vec<&str> = posts.iter().map(Record::text).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), posts.len(), "no part twice");
}

fn check_replies(thread: &[Record]) {
    assert_eq!(thread[0].value.get("reply"), None);
    for (parent, post) in thread.iter().zip(&thread[1..]) {
        let expected = json!({ "root": thread[0].reference(), "parent": parent.reference() });
        assert_eq!(post.value["reply"], expected, "{}", post.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_part_is_there_once_and_in_order_wherever_the_engine_dies() {
    let Some(server) = server::shared().await else { return };
    let scenario = Scenario::new(&server, "lives").await;
    let did = scenario.account.identity.remote_id.as_str();
    let (commits, sends) = scenario.run(Death::Never).await.counts();
    check_threads(&server.posts(did).await, 1);
    assert!(sends >= 5, "a look-up, an upload and three records are more than {sends} sends");

    let deaths = (1..=commits)
        .map(Death::BeforeCommit)
        .chain((1..=sends).flat_map(|n| [Death::BeforeSend(n), Death::AfterSend(n)]));
    let mut died = 0;
    for death in deaths {
        let mortality = scenario.run(death).await;
        assert!(mortality.is_dead(), "{death:?} never came: {:?}", mortality.counts());
        died += 1;
    }
    check_threads(&server.posts(did).await, died + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn thread_is_finished_once_when_the_server_dies_in_the_middle_of_it() {
    let Some(mut server) = server::alone().await else { return };
    let member = server.register("outage").await;
    // Hardly any time passes while the server is away, so that it is not given up meanwhile.
    let world = World::with_clock(&server, &member, Clock::scaled(1)).await;
    let mut expected = Vec::new();
    for number in 1..=TRIES_MAX {
        let texts: Vec<String> = (1..=25).map(|part| format!("{number}, part {part}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let planned = world.plan(thread(&texts)).await;
        while server.posts(&member.did).await.len() < expected.len() + 3 {}
        server.kill();
        let stopped = |delivery: &Delivery| {
            matches!(delivery.state, State::Waiting { .. }) || settled(delivery)
        };
        let interrupted = world.until(planned.id, stopped).await;

        server.restart().await;
        // Whatever it waits for has come.
        world.home.clock.turn(5 * 60_000);
        let delivery = world.until(planned.id, settled).await;
        let told = told(&world.engine, &world.caller, &delivery);
        assert!(published(&delivery) && delivery.live.len() == texts.len(), "{told}");
        let posts = server.posts(&member.did).await;
        check_replies(&posts[expected.len()..]);
        expected.extend(texts.into_iter().map(str::to_owned));
        assert_eq!(posts.iter().map(Record::text).collect::<Vec<_>>(), expected);
        if !settled(&interrupted) {
            return;
        }
    }
    panic!("each of {TRIES_MAX} threads was published before the server could be killed");
}

/// A thread may be quicker than the kill, on a machine that has much else to do.
const TRIES_MAX: usize = 5;
