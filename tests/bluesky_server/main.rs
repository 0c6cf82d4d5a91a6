//! The engine against the Bluesky reference server: a real one, which nobody of Fanfare wrote.
//!
//! What is true is what the server lists. Skipped, with a sentence, where the server cannot be run;
//! `tests/bluesky_pds/run.sh --install-only` installs it once.

mod access;
mod killed;
mod publishing;
mod server;
mod world;
