//! The running system: actors that carry out what `policy` decides, and the façade by which
//! everything outside reaches them.
//!
//! Invariants:
//! - no actor waits for another inside `handle`; only the façade asks;
//! - mailboxes carry wake-ups, the store carries work: killing the process at any line loses
//!   nothing.

pub mod facade;

mod account;
mod addresses;
mod apps;
mod core;
mod delivery;
mod directory;
mod doctor;
mod erasing;
mod errands;
mod janitor;
mod jobs;
mod journal;
mod keeper;
mod origin;
mod paces;
mod passwords;
mod pixels;
mod probe;
mod refresh;
mod root;
mod scheduler;
mod second_factor;
mod settings;
mod start;
mod throttle;
mod tokens;
mod transitions;

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use ractor::ActorRef;
use tokio::sync::watch;

pub use self::settings::{
    AppCredentials, LoginSettings, NetSettings, OidcSettings, Place, PrivateAddresses, Settings,
};
use self::{
    core::Core,
    directory::DirectoryMessage,
    facade::Readiness,
    root::{Doors, RootMessage},
    scheduler::SchedulerMessage,
};
pub use self::{keeper::Urgency, origin::coming_from};
use crate::{
    clock::Clock,
    connectors,
    domain::{
        platform::Profile,
        problem::{Code, Problem},
        time::Timestamp,
    },
    net::guard,
    policy::reach,
    store::Read,
};

pub type Answer<T> = Result<T, Problem>;

/// The façade. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    core: Core,
    root: ActorRef<RootMessage>,
    doors: watch::Receiver<Option<Doors>>,
    fatal: watch::Receiver<Option<String>>,
}

impl Engine {
    /// Opens the store, decides what every interrupted delivery comes to, and begins. The error is
    /// a sentence that says what happened and what to do.
    pub async fn start(settings: Settings) -> Result<Engine, String> {
        start::engine(settings).await
    }

    /// Starts nothing new, lets what runs end for at most `deadline`, and stops. What has not ended
    /// by then is taken up at the next start.
    pub async fn stop(&self, deadline: Duration) {
        self.core.stopping.store(true, Ordering::SeqCst);
        let mut busy = self.core.busy.subscribe();
        let ended = self.core.clock.within(deadline, busy.wait_for(|busy| *busy == 0)).await;
        if ended.is_none() {
            tracing::warn!(
                deliveries = *self.core.busy.borrow(),
                "the deadline has passed; what is under way is taken up at the next start"
            );
        }
        // The root ends its children, and they theirs.
        let _ = self.root.stop_and_wait(None, Some(STOP_MAX)).await;
        if let Err(error) = self.core.store.checkpoint().await {
            tracing::warn!(%error, "the last checkpoint was not written");
        }
    }

    /// Ends everything at once, in the middle of whatever it does, as a crash would.
    pub async fn kill(self) {
        self.core.stopping.store(true, Ordering::SeqCst);
        let _ = self.root.kill_and_wait(Some(STOP_MAX)).await;
        let mut busy = self.core.busy.subscribe();
        let _ = self.core.clock.within(STOP_MAX, busy.wait_for(|busy| *busy == 0)).await;
    }

    /// Resolves, with the reason as a sentence, when the engine had to stop by itself.
    pub async fn stopped(&self) -> String {
        let mut store = self.core.store.stopped();
        let mut fatal = self.fatal.clone();
        tokio::select! {
            Ok(error) = store.wait_for(Option::is_some) => {
                error.as_ref().map_or_else(String::new, ToString::to_string)
            }
            Ok(reason) = fatal.wait_for(Option::is_some) => reason.clone().unwrap_or_default(),
        }
    }

    /// Whether the scheduler runs and the store takes changes; and what is late.
    pub fn readiness(&self) -> Readiness {
        let (late_deliveries, oldest_late) = self.late().unwrap_or_default();
        let reason = if let Some(error) = self.core.store.stopped().borrow().as_ref() {
            error.to_string()
        } else if self.core.is_stopping() {
            "Fanfare is stopping.".to_owned()
        } else if self.core.is_thawing() {
            "The scheduler has not looked at the clock lately.".to_owned()
        } else {
            String::new()
        };
        Readiness {
            ready: reason.is_empty(),
            reason,
            version: env!("CARGO_PKG_VERSION"),
            late_deliveries,
            oldest_late,
            warnings: self.core.version_alarms(),
        }
    }

    /// Timers that should have fired more than a few seconds ago.
    fn late(&self) -> Result<(usize, Option<Timestamp>), crate::store::Error> {
        let until = self.core.now().before(LATE_AFTER);
        let late = self.core.store.timers_due(until, LATE_COUNT_MAX)?;
        Ok((late.len(), late.first().map(|timer| timer.due)))
    }

    /// The address under which browsers and platforms reach this instance, without a slash.
    pub fn public_url(&self) -> &str {
        &self.core.public_url
    }

    /// API versions that replace a platform's default, by platform.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.core.versions
    }

    pub fn clock(&self) -> &Clock {
        &self.core.clock
    }

    /// Changes whenever new events are on disk.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.core.store.changed()
    }

    /// How many accounts are awake, for benches and tests.
    pub async fn awake(&self) -> usize {
        let Some(directory) = self.directory() else { return 0 };
        match directory.call(DirectoryMessage::Awake, Some(STOP_MAX)).await {
            Ok(ractor::rpc::CallResult::Success(count)) => count,
            Ok(_) | Err(_) => 0,
        }
    }

    fn directory(&self) -> Option<ActorRef<DirectoryMessage>> {
        self.doors.borrow().as_ref().map(|doors| doors.directory.clone())
    }

    /// There is a new timer, which may be the next.
    fn planned(&self, at: Timestamp) {
        if let Some(doors) = self.doors.borrow().as_ref() {
            // While everything is being stopped nobody listens, and the store has it.
            let _ = doors.scheduler.cast(SchedulerMessage::Planned(at));
        }
    }

    fn refuse_when_stopping(&self) -> Answer<()> {
        if self.core.is_stopping() {
            return Err(Problem::new(
                Code::Stopping,
                "Fanfare is stopping; nothing was changed.",
                "Try again when it has started.",
            ));
        }
        Ok(())
    }
}

const STOP_MAX: Duration = Duration::from_secs(10);

const LATE_AFTER: Duration = Duration::from_secs(5);

const LATE_COUNT_MAX: usize = 1_000;

/// What whoever runs Fanfare should know of the platforms' API versions, with these from the
/// settings in place of the defaults.
pub fn version_alarms(versions: &BTreeMap<String, String>, now: Timestamp) -> Vec<String> {
    core::version_alarms(versions, now)
}

/// Whether platforms can fetch files from this address of ours, as far as it tells.
pub fn is_publicly_reachable(public_url: &str) -> bool {
    reach::is_reachable(public_url, guard::is_public)
}

/// The platforms that this build has, for listings.
pub fn platforms() -> Vec<&'static Profile> {
    connectors::ALL.iter().map(|connector| connector.profile()).collect()
}

/// Where a platform sends people back to; to be entered in its developer console.
pub fn callback_url(public_url: &str, platform: &str) -> String {
    format!("{public_url}/oauth/{platform}/callback")
}

/// The API version that requests to this platform name; empty if they name none. `configured`: what
/// the settings say, by platform.
pub fn api_version(profile: &Profile, configured: &BTreeMap<String, String>) -> String {
    let Some(version) = &profile.version else { return String::new() };
    let configured = configured.get(profile.platform).map(String::as_str);
    configured.unwrap_or(version.default).to_owned()
}
