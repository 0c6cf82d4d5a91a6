//! The simulated platforms inside our own process, and an engine that is pointed at them.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::FutureExt;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    clock::Clock,
    domain::secret::Secret,
    engine::{AppCredentials, Settings},
    entropy::Entropy,
    sandbox::{Clockwork, Sandbox},
};

use super::{Failure, server};

pub(super) struct Playground {
    pub(super) sandbox: Sandbox,
    /// `http://127.0.0.1:7701`.
    pub(super) origin: String,
    /// The platforms answer as long as this is held.
    _running: watch::Sender<bool>,
}

impl Playground {
    pub(super) fn start(
        listener: TcpListener,
        clock: &Clock,
        entropy: &Entropy,
    ) -> Result<Playground, Failure> {
        let (reads, waits) = (clock.clone(), clock.clone());
        let sandbox = Sandbox::new(Clockwork {
            now: Arc::new(move || reads.now()),
            wait: Arc::new(move |wait| {
                let clock = waits.clone();
                async move { clock.sleep(wait).await }.boxed()
            }),
            seed: u64::from_be_bytes(entropy.bytes()),
        });
        let origin = format!("http://{}", server::address(&listener)?);
        let (running, asked) = watch::channel(false);
        server::spawn(listener, sandbox.router(), asked);
        Ok(Playground { sandbox, origin, _running: running })
    }

    /// Mastodon has no base URL to replace: there, people name the server.
    pub(super) fn server(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }
}

/// Points every platform with a server of its own at the simulated one at this origin, whichever
/// process it is in.
pub(super) fn furnish(settings: &mut Settings, origin: &str) {
    for (platform, endpoint, path) in ENDPOINTS {
        let endpoints: &mut BTreeMap<_, _> =
            settings.endpoints.entry(platform.to_owned()).or_default();
        endpoints.insert(endpoint.to_owned(), format!("{origin}{path}"));
    }
    for (platform, client_id) in APPS {
        let client = AppCredentials {
            client_id: client_id.to_owned(),
            client_secret: Some(Secret::new(SECRET_OF_THE_SANDBOX)),
        };
        settings.apps.insert(platform.to_owned(), client);
    }
    settings.net.allowed_origins.push(origin.to_owned());
}

const ENDPOINTS: [(&str, &str, &str); 9] = [
    ("bluesky", "entry", "/bluesky"),
    ("bluesky", "plc", "/bluesky/plc"),
    ("bluesky", "app", "/bluesky"),
    ("linkedin", "api", "/linkedin"),
    ("linkedin", "web", "/linkedin"),
    ("threads", "graph", "/threads"),
    ("threads", "web", "/threads"),
    ("x", "api", "/x"),
    ("x", "web", "/x"),
];

/// The simulated LinkedIn gives the rights of an approved app to clients that are named so.
const APPS: [(&str, &str); 4] = [
    ("linkedin", "fanfare"),
    ("linkedin_organization", "fanfare-organization"),
    ("threads", "fanfare"),
    ("x", "fanfare"),
];

/// The same for every client there; it guards nothing.
const SECRET_OF_THE_SANDBOX: &str = "sandbox-secret";
