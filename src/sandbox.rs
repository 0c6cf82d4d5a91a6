//! Simulated platforms that speak the documented wire formats.
