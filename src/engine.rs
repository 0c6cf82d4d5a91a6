//! The running system: actors that carry out what `policy` decides, and the façade by which
//! everything outside reaches them.

pub mod facade;
