//! The API as programs meet it, over HTTP against a running engine.

mod choosing;
mod events;
mod keys;
mod media;
mod permissions;
mod platforms;
mod posts;
mod reach;
mod world;
