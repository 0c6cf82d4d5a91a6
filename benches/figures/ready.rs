//! From nothing to ready with a full agenda.

use std::time::Duration;

use crate::{
    Scale,
    child::{self, Ending},
    house::directory,
    measure::{heading, line, median, millis},
};

const RUNS: usize = 3;
const ACCOUNTS: usize = 100;

pub(crate) async fn measure(scale: Scale) {
    let planned = scale.choose(1_000_000, 50_000);
    heading(
        "ready",
        &format!(
            "a new process opens a store with {planned} planned deliveries, until it is ready; its \
             files are in the system's cache"
        ),
    );
    for (ending, what) in
        [(Ending::Stopped, "after a clean stop"), (Ending::Killed, "after kill -9")]
    {
        let directory = directory();
        child::fill(directory.path(), ACCOUNTS, planned, ending);
        // A start ends cleanly, so only the first of several sees what a kill has left.
        let runs = if ending == Ending::Stopped { RUNS } else { 1 };
        let took = (0..runs).map(|_| {
            let said = child::start("start", directory.path());
            let micros = said["ready_micros"].parse().expect("a number");
            (Duration::from_micros(micros), said["kib"].parse::<usize>().expect("a number"))
        });
        let took: Vec<_> = took.collect();
        let ready = median(took.iter().map(|(ready, _)| *ready).collect());
        let kib = median(took.iter().map(|(_, kib)| *kib).collect());
        let found = format!("{}, then {} MiB resident; {runs} runs", millis(ready), kib / 1024);
        line(what, &found, "3 s");
    }
}
