//! Decisions: synchronous, total, and `now` is an argument. No disk, no clock, nothing awaited.

pub mod agenda;
pub mod audit;
pub mod claims;
pub mod fit;
pub mod lane;
pub mod mend;
pub mod pace;
pub mod permission;
pub mod rate;
pub mod reach;
pub mod recovery;
pub mod retry;
pub mod supervision;
pub mod versions;
