//! The simulated platforms inside our own process, and an engine that is pointed at them.

use std::sync::Arc;

use futures_util::FutureExt;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    api::{self, Gate},
    clock::Clock,
    domain::secret::Secret,
    engine::{AppCredentials, Settings},
    entropy::Entropy,
    sandbox::{Clockwork, Sandbox, Wiring},
};

use super::{Failure, server};

/// Far more than an engine opens.
const CONNECTIONS: usize = 4_096;

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
        let gate = Gate::of(CONNECTIONS);
        tokio::spawn(api::serve(listener, sandbox.router(), gate, clock.clone(), asked));
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
    let Wiring { endpoints, clients } = Wiring::at(origin);
    for (platform, urls) in endpoints {
        settings.endpoints.entry(platform).or_default().extend(urls);
    }
    for (platform, client_id) in clients {
        let client_secret = Some(Secret::new(Wiring::SECRET));
        settings.apps.insert(platform, AppCredentials { client_id, client_secret });
    }
    settings.net.allowed_origins.push(origin.to_owned());
}
