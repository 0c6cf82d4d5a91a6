//! Simulated platforms that speak the documented wire formats, on one port, for trying out, tests
//! and drills.
//!
//! | under | is |
//! |---|---|
//! | `/mastodon` | a Mastodon server |
//! | `/gotosocial` | the same, ignoring `Idempotency-Key` as GoToSocial does |
//! | `/bluesky` | a Bluesky PDS, its entryway, PLC directory and video service |
//! | `/x` | X's API and consent page |
//! | `/`, `/_sandbox/…` | what was posted, as a page and as JSON; faults |
//!
//! Each platform is a synchronous function from a [`wire::Call`] to a [`wire::Answer`] over its own
//! state; [`world`] runs it and plays the faults around it.
//!
//! Never: shares code with the connectors, which it judges; reads a clock; keeps anything on disk.

mod bluesky;
mod chance;
mod consent;
mod control;
mod faults;
mod grants;
mod ledger;
mod mastodon;
mod meter;
mod page;
mod people;
mod shelf;
mod text;
#[cfg(test)]
mod trial;
mod wire;
mod world;
mod x;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::future::BoxFuture;

use crate::domain::time::Timestamp;

use self::{
    wire::{Call, connection_lost},
    world::{Tail, World},
};

pub use self::{
    faults::{Fault, FaultKind, Operation},
    ledger::{LedgerEntry, LedgerMedia},
    meter::Limits,
};

/// Bytes of one request. A larger one is answered 413.
const BODY_BYTES_MAX: usize = 110 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    Mastodon,
    Gotosocial,
    Bluesky,
    X,
}

impl Platform {
    const NAMES: [(&'static str, Platform); 4] = [
        ("mastodon", Platform::Mastodon),
        ("gotosocial", Platform::Gotosocial),
        ("bluesky", Platform::Bluesky),
        ("x", Platform::X),
    ];

    /// As in base URLs and in the control endpoints' JSON.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Mastodon => "mastodon",
            Platform::Gotosocial => "gotosocial",
            Platform::Bluesky => "bluesky",
            Platform::X => "x",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Platform::Mastodon => "/mastodon",
            Platform::Gotosocial => "/gotosocial",
            Platform::Bluesky => "/bluesky",
            Platform::X => "/x",
        }
    }
}

/// Where time, waiting and chance come from, so that a test can drive them.
#[derive(Clone)]
pub struct Clockwork {
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Used only by the hang and answer-late faults.
    pub wait: Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>,
    /// For tokens and ids.
    pub seed: u64,
}

/// The simulated platforms. Clones share one state.
#[derive(Clone)]
pub struct Sandbox {
    clockwork: Clockwork,
    world: Arc<Mutex<World>>,
}

impl Sandbox {
    /// With the platforms' published rate limits.
    pub fn new(clockwork: Clockwork) -> Sandbox {
        Sandbox::with_limits(clockwork, Limits::Published)
    }

    pub fn with_limits(clockwork: Clockwork, limits: Limits) -> Sandbox {
        let world = Arc::new(Mutex::new(World::new(clockwork.seed, limits)));
        Sandbox { clockwork, world }
    }

    /// All platforms, the control endpoints and the page.
    pub fn router(&self) -> Router {
        let mut router = control::routes();
        for (_, platform) in Platform::NAMES {
            let drive = move |State(sandbox): State<Sandbox>, request: Request| async move {
                sandbox.drive(platform, request).await
            };
            let below = format!("{}/{{*path}}", platform.prefix());
            router = router
                .route(platform.prefix(), any(drive))
                .route(&below, any(drive));
        }
        router
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self.clone())
    }

    /// Every accepted publication so far, oldest first. Also `GET /_sandbox/ledger`.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.world().books.ledger.entries().to_vec()
    }

    /// Also `POST /_sandbox/faults`.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.inject(fault);
    }

    fn now(&self) -> Timestamp {
        (self.clockwork.now)()
    }

    /// A panic while the lock was held is a failed request, not the end of the sandbox.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drive(self, platform: Platform, request: Request) -> Response {
        let call = match Call::read(request, platform.prefix(), self.now()).await {
            Ok(call) => call,
            Err(too_large_or_malformed) => return too_large_or_malformed,
        };
        let tail = self.world().serve(platform, &call);
        match tail {
            Tail::Answer(answer) => answer.into_response(),
            Tail::Late(answer, wait) => {
                (self.clockwork.wait)(wait).await;
                answer.into_response()
            }
            Tail::Lost => connection_lost(),
            Tail::Hang(wait) => {
                (self.clockwork.wait)(wait).await;
                connection_lost()
            }
        }
    }
}
