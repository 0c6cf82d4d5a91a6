//! The engine as a whole, against the simulated platforms.

#![expect(clippy::print_stdout, reason = "what was killed belongs in the output")]

mod accounts;
mod downtime;
mod footage;
mod killed;
mod pacing;
mod planning;
mod publishing;
mod recovery;
mod removing;
mod retry;
mod secrets;
mod world;
