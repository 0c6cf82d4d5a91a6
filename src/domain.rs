//! Plain values everything else speaks in. No I/O, no async, no clock: `now` always arrives as an
//! argument.

pub mod time;
