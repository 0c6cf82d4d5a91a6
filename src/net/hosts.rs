//! What is kept per host: free places for requests, and the circuit breaker.
//!
//! Uploads have places of their own: however many of them hang, calls still find room.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};
use url::Url;

use crate::{
    clock::Clock,
    domain::time::Timestamp,
    net::{
        Settings,
        breaker::{Breaker, Ending, Ticket},
    },
};

/// Beyond this many, hosts of which nothing need be remembered are forgotten.
const HOSTS_MAX: usize = 1_024;

pub(super) struct Hosts {
    known: Mutex<HashMap<String, Arc<Host>>>,
    calls_max: usize,
    uploads_max: usize,
}

pub(super) struct Host {
    calls: Semaphore,
    uploads: Semaphore,
    breaker: Mutex<Breaker>,
}

impl Hosts {
    pub(super) fn new(settings: &Settings) -> Hosts {
        let Settings { calls_max, uploads_max, .. } = *settings;
        Hosts { known: Mutex::default(), calls_max, uploads_max }
    }

    /// By scheme, name and port.
    pub(super) fn of(&self, url: &Url) -> Arc<Host> {
        let origin = url.origin().ascii_serialization();
        let mut known = lock(&self.known);
        if let Some(host) = known.get(&origin) {
            return host.clone();
        }
        if known.len() >= HOSTS_MAX {
            known.retain(|_, host| Arc::strong_count(host) > 1 || !lock(&host.breaker).is_calm());
        }
        let host = Arc::new(Host {
            calls: Semaphore::new(self.calls_max),
            uploads: Semaphore::new(self.uploads_max),
            breaker: Mutex::new(Breaker::closed()),
        });
        known.insert(origin, host.clone());
        host
    }
}

impl Host {
    /// First come, first served.
    pub(super) async fn place(&self, is_upload: bool) -> Result<SemaphorePermit<'_>, AcquireError> {
        if is_upload { self.uploads.acquire().await } else { self.calls.acquire().await }
    }

    /// `Err` with the time before which nothing goes through.
    pub(super) fn pass(self: &Arc<Host>, clock: &Clock) -> Result<Pass, Timestamp> {
        let ticket = lock(&self.breaker).admit(clock.now())?;
        Ok(Pass { host: self.clone(), clock: clock.clone(), ticket, ending: Ending::Unknown })
    }
}

/// One request's leave to go out. Reports how it ended when dropped, so that a request that is
/// given up half-way does not leave the breaker waiting for it.
pub(super) struct Pass {
    host: Arc<Host>,
    clock: Clock,
    ticket: Ticket,
    ending: Ending,
}

impl Pass {
    pub(super) fn ended(mut self, ending: Ending) {
        self.ending = ending;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        lock(&self.host.breaker).ended(self.ticket, self.ending, self.clock.now());
    }
}

/// What is behind these locks is whole at every moment, whoever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
