//! What every actor and verb of one running engine shares.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Semaphore, watch};

use crate::{
    clock::Clock,
    connectors::{self, AnyConnector, Site},
    domain::{
        account::Account,
        ids::KeyId,
        person::Proof,
        platform::Profile,
        problem::{Code, Problem},
        time::Timestamp,
    },
    engine::{
        self, origin,
        passwords::Passwords,
        settings::{AppCredentials, LoginSettings, OidcSettings},
        throttle::Throttle,
    },
    entropy::Entropy,
    net::{Client, oidc::Provider},
    policy::versions,
    store::{self, CommitError, Store, View},
};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Core(Arc<Parts>);

pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    /// Grows at each start; every transition carries it.
    pub(super) epoch: u64,
    pub(super) public_url: String,
    pub(super) endpoints: BTreeMap<String, BTreeMap<String, String>>,
    /// API versions that replace a platform's default.
    pub(super) versions: BTreeMap<String, String>,
    pub(super) apps: BTreeMap<String, AppCredentials>,
    pub(super) posts_per_hour: u32,
    pub(super) grace: Duration,
    pub(super) audit_keep: Option<Duration>,
    pub(super) deletion_grace: Duration,
    pub(super) rest_after: Duration,
    pub(super) upload_bytes_max: u64,
    /// An image that is being changed may need several hundred MiB, so there is one at a time.
    pub(super) fitting: Semaphore,
    pub(super) login: LoginSettings,
    pub(super) oidc: Option<OidcSettings>,
    /// What the provider of single sign-on last said of itself, and when.
    pub(super) provider: Mutex<Option<(Timestamp, Provider)>>,
    pub(super) passwords: Passwords,
    pub(super) throttle: Throttle,
    /// What the link for setting up hashes to, while there is one.
    pub(super) setup: Mutex<Option<Proof>>,
    /// Where the vault's keys are kept; `None`: where we cannot write.
    pub(super) key_file: Option<PathBuf>,
    /// Held by whoever changes the vault's key.
    pub(super) rotating: tokio::sync::Mutex<()>,
    pub(super) everything_paused: AtomicBool,
    pub(super) stopping: AtomicBool,
    /// When the scheduler last looked at the clock; see [`Core::is_thawing`].
    pub(super) pulse: AtomicU64,
    /// When each key was last used, as far as this process knows.
    pub(super) keys_used: Mutex<BTreeMap<KeyId, Timestamp>>,
    pub(super) renewals: crate::engine::tokens::Renewals,
    /// Deliveries and errands that are under way.
    pub(super) busy: watch::Sender<usize>,
}

impl std::ops::Deref for Core {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Longer than the scheduler ever sleeps, shorter than anybody's grace.
const PULSE_MAX: Duration = Duration::from_secs(20);

impl Core {
    pub(super) fn new(parts: Parts) -> Core {
        Core(Arc::new(parts))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub(super) fn is_everything_paused(&self) -> bool {
        self.everything_paused.load(Ordering::SeqCst)
    }

    pub(super) fn beat(&self) {
        self.pulse.store(self.now().0, Ordering::SeqCst);
    }

    /// The process was stopped or the machine suspended, and what has become late meanwhile has not
    /// been looked through yet. Nothing is started before that.
    pub(super) fn is_thawing(&self) -> bool {
        let pulse = Timestamp(self.pulse.load(Ordering::SeqCst));
        pulse.elapsed(self.now()) > PULSE_MAX
    }

    /// Counts something under way until the answer is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.busy.send_modify(|count| *count += 1);
        Busy(self.clone())
    }

    /// Commits for the engine itself: waits for room, and its errors are the store's.
    pub(super) async fn commit<T, F>(&self, label: &'static str, change: F) -> Result<T, Halt>
    where
        T: Send + 'static,
        F: FnOnce(&mut View) -> Result<T, Halt> + Send + 'static,
    {
        self.store.commit(label, change).await.map_err(Halt::from)
    }

    /// Commits for somebody at the door: a full queue is said at once.
    pub(super) async fn commit_at_door<T, F>(
        &self,
        label: &'static str,
        change: F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut View) -> Result<T, Halt> + Send + 'static,
    {
        let origin = origin::current();
        let change = move |view: &mut View| {
            view.comes_from(origin);
            change(view)
        };
        self.store.try_commit(label, change).await.map_err(|error| Halt::from(error).into())
    }

    /// Base URLs for an account: its own, else the settings', else the profile's.
    pub(super) fn site(
        &self,
        connector: &dyn AnyConnector,
        own: &BTreeMap<String, String>,
        login: &str,
    ) -> Site {
        let profile = connector.profile();
        let configured = self.endpoints.get(profile.platform);
        let mut endpoints = own.clone();
        for endpoint in profile.endpoints {
            if endpoints.contains_key(endpoint.name) {
                continue;
            }
            let chosen = configured
                .and_then(|urls| urls.get(endpoint.name).map(String::as_str))
                .or(endpoint.default);
            if let Some(url) = chosen {
                endpoints.insert(endpoint.name.to_owned(), url.to_owned());
            }
        }
        Site { endpoints, login: login.to_owned(), version: self.version(profile) }
    }

    /// The API version that requests to this platform name; empty if they name none.
    pub(super) fn version(&self, profile: &Profile) -> String {
        engine::api_version(profile, &self.versions)
    }

    /// What whoever runs this should know of the versions in use, as sentences.
    pub(super) fn version_alarms(&self) -> Vec<String> {
        version_alarms(&self.versions, self.now())
    }

    pub(super) fn account_site(&self, connector: &dyn AnyConnector, account: &Account) -> Site {
        self.site(connector, &account.endpoints, &account.login)
    }
}

/// What whoever runs Fanfare with these settings should know of the platforms' API versions.
pub(super) fn version_alarms(versions: &BTreeMap<String, String>, now: Timestamp) -> Vec<String> {
    let alarm = |connector: &&dyn AnyConnector| {
        let Profile { platform, name, version, .. } = connector.profile();
        let version = version.as_ref()?;
        let used = versions.get(*platform).map_or(version.default, String::as_str);
        versions::alarm(platform, name, used, versions::standing(version, used, now))
    };
    connectors::ALL.iter().filter_map(alarm).collect()
}

/// Something is under way while this lives.
pub(super) struct Busy(Core);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.send_modify(|count| *count -= 1);
    }
}

/// Why a commit did nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    /// The record is not where the transition expected it: somebody else was first.
    #[error("the record has moved on")]
    Fenced,
    #[error("{}", .0.sentence)]
    Problem(Box<Problem>),
    #[error("too many requests are waiting for the disk")]
    Busy,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("{0}")]
    Bug(String),
}

impl Halt {
    /// One record is damaged; the others are not.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self, Halt::Store(store::Error::Unreadable { .. }))
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Halt {
        Halt::Problem(Box::new(problem))
    }
}

impl From<CommitError<Halt>> for Halt {
    fn from(error: CommitError<Halt>) -> Halt {
        match error {
            CommitError::Refused(halt) => halt,
            CommitError::Busy => Halt::Busy,
            CommitError::Stopped(cause) => Halt::Store(cause),
            panicked @ CommitError::Panicked { .. } => Halt::Bug(panicked.to_string()),
        }
    }
}

impl From<Halt> for Problem {
    fn from(halt: Halt) -> Problem {
        match halt {
            Halt::Problem(problem) => *problem,
            Halt::Fenced => Problem::new(
                Code::Conflict,
                "This changed while you were looking at it.",
                "Read it again and decide anew.",
            ),
            Halt::Busy => Problem::new(
                Code::Busy,
                "More changes are waiting than can be taken in; nothing was changed.",
                "Try again in a second.",
            ),
            Halt::Store(cause) => unexpected(&cause.to_string()),
            Halt::Bug(cause) => unexpected(&cause),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        unexpected(&error.to_string())
    }
}

/// What is not the caller's doing: the cause goes to the log, the person gets a remedy.
pub(super) fn unexpected(cause: &str) -> Problem {
    tracing::error!(cause, "a request could not be carried out");
    Problem::new(
        Code::Internal,
        "Something in Fanfare failed; nothing was confirmed.",
        "Look at the log of the server; if the store has stopped, mend what it names and start \
         Fanfare again.",
    )
}

/// The connector of a platform that somebody named.
pub(super) fn connector_named(platform: &str) -> Result<&'static dyn AnyConnector, Problem> {
    connectors::find(platform).ok_or_else(|| {
        let known: Vec<&str> =
            connectors::ALL.iter().map(|connector| connector.profile().platform).collect();
        Problem::new(
            Code::UnknownPlatform,
            format!("There is no platform `{platform}`."),
            format!("Use one of: {}.", known.join(", ")),
        )
        .at("platform")
    })
}
