//! The API as programs meet it, over HTTP against a running engine.

mod choosing;
mod crossing;
mod events;
mod keys;
mod login;
mod media;
mod members;
mod outside;
mod people;
mod permissions;
mod platforms;
mod posts;
mod reach;
mod second_factor;
mod sign_on;
mod world;
