//! Measures what the README promises, on this machine, and prints it with its method.
//!
//! `cargo bench --bench figures -- [name…] [--small]`; names are in [`ALL`], without one all run.
//! The store is real and on the disk beside `target`, the clock is the wall's, publications go over
//! HTTP to a sandbox in the same process that answers at once. So the sandbox's share of the
//! processor is in every figure. Children of this process measure what needs a process of its own.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

#[path = "figures/child.rs"]
mod child;
#[path = "figures/disk.rs"]
mod disk;
#[path = "figures/herd.rs"]
mod herd;
#[path = "figures/house.rs"]
mod house;
#[path = "figures/isolation.rs"]
mod isolation;
#[path = "figures/lateness.rs"]
mod lateness;
#[path = "figures/measure.rs"]
mod measure;
#[path = "figures/memory.rs"]
mod memory;
#[path = "figures/planning.rs"]
mod planning;
#[path = "figures/ready.rs"]
mod ready;

use futures_util::future::{FutureExt, LocalBoxFuture};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Full,
    /// A tenth or less, to see that it works.
    Small,
}

impl Scale {
    fn choose<T>(self, full: T, small: T) -> T {
        match self {
            Scale::Full => full,
            Scale::Small => small,
        }
    }
}

type Bench = fn(Scale) -> LocalBoxFuture<'static, ()>;

const ALL: [(&str, Bench); 7] = [
    ("disk", |scale| disk::measure(scale).boxed_local()),
    ("planning", |scale| planning::measure(scale).boxed_local()),
    ("lateness", |scale| lateness::measure(scale).boxed_local()),
    ("herd", |scale| herd::measure(scale).boxed_local()),
    ("isolation", |scale| isolation::measure(scale).boxed_local()),
    ("memory", |scale| memory::measure(scale).boxed_local()),
    ("ready", |scale| ready::measure(scale).boxed_local()),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    if let Some(role) = child::role(&arguments) {
        runtime.block_on(child::play(role));
        return;
    }
    let scale =
        if arguments.iter().any(|name| name == "--small") { Scale::Small } else { Scale::Full };
    // Cargo adds `--bench` to what it was given.
    let wanted: Vec<&String> = arguments.iter().filter(|name| !name.starts_with("--")).collect();
    if let Some(unknown) = wanted.iter().find(|name| ALL.iter().all(|(known, _)| known != *name)) {
        let known: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        println!("there is no bench `{unknown}`: use {}", known.join(", "));
        std::process::exit(2);
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} processors, load {}, {scale:?}", load.trim());
    for (name, bench) in ALL {
        if wanted.is_empty() || wanted.iter().any(|wanted| *wanted == name) {
            runtime.block_on(bench(scale));
        }
    }
}
