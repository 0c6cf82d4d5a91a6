//! Decisions: synchronous, total, and `now` is an argument. No disk, no clock, nothing awaited.
