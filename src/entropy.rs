//! The only source of randomness. A seeded one makes a test's ids and jitter the same each time.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};

#[derive(Clone, Debug)]
pub struct Entropy(Arc<Mutex<StdRng>>);

impl Entropy {
    /// From the operating system.
    pub fn system() -> Entropy {
        Entropy(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    pub fn seeded(seed: u64) -> Entropy {
        Entropy(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Enough for an id.
    pub fn number(&self) -> u128 {
        self.with(|random| random.random())
    }

    /// At least 0, less than 1.
    pub fn fraction(&self) -> f64 {
        self.with(|random| random.random())
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|random| random.fill_bytes(&mut bytes));
        bytes
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
