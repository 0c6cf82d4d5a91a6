//! The contract every platform keeps, and the list of platforms we ship.
