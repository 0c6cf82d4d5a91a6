//! Everybody at nine o'clock.

use std::time::Duration;

use crate::{
    Scale,
    house::{House, lateness, ledger},
    measure::{Samples, heading, line, middle, millis},
};

const EACH: usize = 5;
/// Between planning and the instant: enough to be prepared ahead of it.
const AHEAD: Duration = Duration::from_secs(20);
const RUNS: usize = 3;

struct Run {
    published: usize,
    first: Duration,
    p50: Duration,
    p99: Duration,
    last: Duration,
}

pub(crate) async fn measure(scale: Scale) {
    let accounts = scale.choose(2_000, 200);
    let count = accounts * EACH;
    heading(
        "herd",
        &format!(
            "{count} deliveries due in one instant over {accounts} accounts; from that instant to \
             the sandbox's receipt; medians of {RUNS} runs"
        ),
    );
    let house = House::new(accounts).await;
    let mut runs = Vec::with_capacity(RUNS);
    for number in 1..=RUNS {
        runs.push(run(&house, count, number).await);
    }
    let of = |pick: fn(&Run) -> Duration| millis(middle(&runs, pick));
    line("published", &format!("{}", middle(&runs, |run| run.published)), "");
    line("first", &of(|run| run.first), "20 ms");
    line("p50", &of(|run| run.p50), "");
    line("p99", &of(|run| run.p99), "");
    line("last", &of(|run| run.last), "2 s");
    house.close().await;
}

async fn run(house: &House, count: usize, number: usize) -> Run {
    let before = house.stage.sandbox.ledger().len();
    let due = house.engine.clock().now().after(AHEAD);
    house.fill(count, |number| (number, due)).await;
    let patience = AHEAD + Duration::from_secs(60);
    let entries = ledger(&house.stage, count * number, patience).await;
    let mut late = Samples(entries[before..].iter().map(lateness).collect());
    Run {
        published: entries.len() - before,
        first: late.at(0.0),
        p50: late.at(0.5),
        p99: late.at(0.99),
        last: late.at(1.0),
    }
}
