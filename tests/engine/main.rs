//! The engine as a whole, against the simulated platforms.

mod publishing;
mod world;
