//! The engine as a whole, against the simulated platforms.

mod killed;
mod publishing;
mod world;
