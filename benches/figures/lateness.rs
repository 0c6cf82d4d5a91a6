//! How late posts go out beside a full agenda.

use std::time::{Duration, Instant};

use crate::{
    Scale,
    house::{House, in_a_year, lateness, ledger},
    measure::{Samples, heading, line, millis},
};

const PER_SECOND: u64 = 50;
const ACCOUNTS: usize = 200;
/// Between planning and the first: enough to be prepared ahead of its time.
const AHEAD: Duration = Duration::from_secs(15);

pub(crate) async fn measure(scale: Scale) {
    let (seconds, planned) = scale.choose((60, 1_000_000), (10, 50_000));
    heading(
        "lateness",
        &format!(
            "{PER_SECOND} posts a second for {seconds} s over {ACCOUNTS} accounts, with {planned} \
             planned far ahead; from the planned time to the sandbox's receipt; one run"
        ),
    );
    let house = House::new(ACCOUNTS).await;
    let far = in_a_year(&house.engine);
    house.fill(planned, |number| (number, far.after(Duration::from_millis(number as u64)))).await;
    let first = house.engine.clock().now().after(AHEAD);
    let count = PER_SECOND * seconds;
    let step = Duration::from_millis(1_000 / PER_SECOND);
    let due = |number: usize| first.after(step * u32::try_from(number).expect("a few thousand"));
    let count = usize::try_from(count).expect("a few thousand");
    house.fill(count, |number| (number, due(number))).await;
    let sleeper = std::thread::spawn(move || oversleep(Duration::from_secs(seconds)));
    let patience = AHEAD + Duration::from_secs(seconds + 30);
    let entries = ledger(&house.stage, count, patience).await;
    let mut late = Samples(entries.iter().map(lateness).collect());
    let found = format!(
        "p50 {}, p99 {}, max {}",
        millis(late.at(0.5)),
        millis(late.at(0.99)),
        millis(late.at(1.0))
    );
    line(&format!("{} of {count} published", entries.len()), &found, "p99 20 ms");
    let mut overslept = sleeper.join().expect("sleeping does not panic");
    let found = format!(
        "p50 {}, p99 {}, max {}",
        millis(overslept.at(0.5)),
        millis(overslept.at(0.99)),
        millis(overslept.at(1.0))
    );
    line("a thread that only sleeps", &found, "");
    house.close().await;
}

/// How late the system wakes a thread that sleeps for 20 ms at a time: what the machine adds by
/// itself, several times over, to every post.
fn oversleep(lasts: Duration) -> Samples {
    const NAP: Duration = Duration::from_millis(20);
    let (began, mut samples) = (Instant::now(), Samples::default());
    while began.elapsed() < lasts {
        let asleep = Instant::now();
        std::thread::sleep(NAP);
        samples.0.push(asleep.elapsed().saturating_sub(NAP));
    }
    samples
}
