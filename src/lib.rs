//! Fanfare publishes what people plan for their social accounts: on time, once, in order.
//!
//! The parts, in reading order; `ARCHITECTURE.md` says who may name whom, `tests/tidy.rs` checks
//! it.
//!
//! - [`domain`]: plain values that everything else speaks in;
//! - [`policy`]: decisions, as pure functions of values and `now`;
//! - [`connectors`]: one pure file per platform;
//! - [`store`]: the one place where things are kept, and the only one that knows sled;
//! - [`net`]: the only HTTP client;
//! - [`engine`]: the actors, and the façade that API and command line call;
//! - [`api`]: JSON over HTTP for programs;
//! - [`sandbox`]: simulated platforms for trying out, tests and drills;
//! - [`cli`]: one file per subcommand.

pub mod domain;

pub mod policy;

pub mod connectors;

pub mod store;

pub mod net;

pub mod engine;

pub mod api;

pub mod sandbox;

pub mod cli;

pub mod clock;
pub mod config;
pub mod entropy;
pub mod telemetry;
