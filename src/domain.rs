//! Plain values everything else speaks in. No I/O, no async, no clock: `now` always arrives as an
//! argument.

pub mod ids;
pub mod time;

pub mod organization;

pub mod person;

pub mod platform;

pub mod account;

pub mod audit;

pub mod button;

pub mod login;

pub mod pace;

pub mod post;

pub mod media;

pub mod delivery;

pub mod refusal;

pub mod event;

pub mod secret;

pub mod problem;

pub mod mortality;

pub mod text;

pub mod nearest;
