//! The engine as a whole, against the simulated platforms.

#![expect(clippy::print_stdout, reason = "what was killed belongs in the output")]

mod accounts;
mod apps;
mod audit;
mod chats;
mod connecting;
mod downtime;
mod erasing;
mod fetching;
mod fitting;
mod footage;
mod killed;
mod networks;
mod outward;
mod pacing;
mod planning;
mod publishing;
mod recovery;
mod removing;
mod retry;
mod rotation;
mod secrets;
mod sharing;
mod troubles;
mod wide;
mod world;
