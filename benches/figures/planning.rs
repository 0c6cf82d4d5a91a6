//! Durable planning through the façade.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Scale,
    house::{House, in_a_year, post},
    measure::{Samples, heading, line, middle, millis, processor_time},
};

const RUNS: usize = 5;

struct Run {
    per_second: f64,
    p50: Duration,
    p99: Duration,
    /// Of the processors, for one post.
    micros_each: f64,
}

pub(crate) async fn measure(scale: Scale) {
    let lasts = scale.choose(Duration::from_secs(4), Duration::from_secs(1));
    heading(
        "planning",
        &format!(
            "posts of 500 bytes with one delivery each, through the façade, answered when synced; \
             medians of {RUNS} runs of {} s",
            lasts.as_secs()
        ),
    );
    let house = Arc::new(House::new(100).await);
    for (callers, target) in [(1, "3,000/s"), (64, "20,000/s, p99 12 ms"), (256, "")] {
        let mut runs = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            runs.push(run(&house, callers, lasts).await);
        }
        let found = format!(
            "{:.0}/s, p50 {}, p99 {}, {:.0} µs of processor each",
            middle(&runs, |run| run.per_second),
            millis(middle(&runs, |run| run.p50)),
            millis(middle(&runs, |run| run.p99)),
            middle(&runs, |run| run.micros_each),
        );
        line(&format!("{callers} callers"), &found, target);
    }
    if let Ok(house) = Arc::try_unwrap(house) {
        house.close().await;
    }
}

async fn run(house: &Arc<House>, callers: usize, lasts: Duration) -> Run {
    let (began, processor_began) = (Instant::now(), processor_time());
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            let house = house.clone();
            tokio::spawn(async move {
                let (mut took, due) = (Vec::new(), in_a_year(&house.engine));
                let mut number = caller;
                while began.elapsed() < lasts {
                    let account = house.accounts[number % house.accounts.len()];
                    number += 1;
                    let asked = Instant::now();
                    let post = post(account, due.after(Duration::from_millis(number as u64)));
                    let made = house.engine.create_post(&house.caller, post, None).await;
                    made.expect("it is planned");
                    took.push(asked.elapsed());
                }
                took
            })
        })
        .collect();
    let mut samples = Samples::default();
    for caller in callers {
        let took: Vec<Duration> = caller.await.expect("planning does not panic");
        samples.0.extend(took);
    }
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^52")]
    let count = samples.0.len() as f64;
    let processor = processor_time().saturating_sub(processor_began);
    Run {
        per_second: count / began.elapsed().as_secs_f64(),
        p50: samples.at(0.5),
        p99: samples.at(0.99),
        micros_each: processor.as_secs_f64() * 1e6 / count,
    }
}
