//! The engine as a whole, against the simulated platforms.

#![expect(clippy::print_stdout, reason = "what was killed belongs in the output")]

mod killed;
mod publishing;
mod removing;
mod world;
