//! The running system: actors that carry out what `policy` decides.
