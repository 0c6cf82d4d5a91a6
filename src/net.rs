//! The only HTTP client: sending, time-outs, size limits, the private-address guard, circuit breakers, OAuth.
