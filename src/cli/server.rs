//! A port, what answers on it, and a graceful end.

use std::{fs, io, net::SocketAddr, path::Path, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use crate::{
    api,
    clock::Clock,
    config::Config,
    engine::{Engine, Place, Settings},
};

use super::{Failure, control};

/// `flag` is what would choose another port.
pub(super) async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let (port, ip) = (address.port(), address.ip());
        let kind = error.kind();
        if kind == io::ErrorKind::AddrInUse {
            return Failure::Port(format!(
                "Port {port} on {ip} is in use by another program: stop that, or choose another \
                 port with {flag}."
            ));
        }
        if kind == io::ErrorKind::PermissionDenied {
            return Failure::Port(format!(
                "Port {port} on {ip} may not be used by this user: choose one above 1023 with \
                 {flag}, or give the process CAP_NET_BIND_SERVICE."
            ));
        }
        Failure::Port(format!(
            "{address} cannot be listened on ({error}): choose another with {flag}."
        ))
    })
}

/// Opens the data directory, which is made if need be, and begins.
pub(super) async fn start_engine(settings: Settings) -> Result<Engine, Failure> {
    if let Place::Directory(directory) = &settings.data {
        make_private(directory).map_err(|error| {
            let place = directory.display();
            Failure::Data(format!(
                "The data directory {place} cannot be made: {error}. Make it for the user that \
                 Fanfare runs as, or choose another with --data or `data.directory`."
            ))
        })?;
    }
    Engine::start(settings).await.map_err(|reason| {
        Failure::Data(format!("Fanfare cannot start: {}.", reason.trim_end_matches('.')))
    })
}

/// What is in it is nobody else's business. One that is there already is left as it is.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Where a bound port really is.
pub(super) fn address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::NotDone(format!("A port has no address: {error}.")))
}

/// How Fanfare meets whoever comes by the network.
pub(super) struct Outside {
    /// 0: any number.
    pub(super) requests_per_minute: u32,
    proxies: api::Proxies,
    cors_origins: Vec<String>,
    gate: api::Gate,
}

impl Outside {
    pub(super) fn of(config: &Config) -> Outside {
        let usual = api::Proxies::default();
        let header = config.server.forwarded_header.parse().unwrap_or(usual.header);
        let connections = usize::try_from(config.limits.connections).unwrap_or(usize::MAX);
        Outside {
            requests_per_minute: config.limits.requests_per_minute,
            proxies: api::Proxies { trusted: config.server.proxies(), header },
            cors_origins: config.server.cors_origins.clone(),
            gate: api::Gate::of(connections.min(Semaphore::MAX_PERMITS)),
        }
    }
}

/// Engine and API, running.
pub(super) struct Server {
    pub(super) engine: Engine,
    clock: Clock,
    stopping: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(
        settings: Settings,
        outside: Outside,
        listener: TcpListener,
    ) -> Result<Server, Failure> {
        let (clock, entropy) = (settings.clock.clone(), settings.entropy.clone());
        let directory = match &settings.data {
            Place::Directory(directory) => Some(directory.clone()),
            Place::Memory(_) => None,
        };
        let engine = start_engine(settings).await?;
        let (stopping, asked) = watch::channel(false);
        let Outside { requests_per_minute, proxies, cors_origins, gate } = outside;
        let settings = api::Settings {
            clock: clock.clone(),
            entropy,
            requests_per_minute,
            proxies,
            cors_origins,
            stopping: asked.clone(),
        };
        let router = api::router(engine.clone(), settings);
        if let Some(directory) = directory {
            control::listen(&directory, router.clone(), asked.clone());
        }
        let task = tokio::spawn(api::serve(listener, router, gate, clock.clone(), asked));
        Ok(Server { engine, clock, stopping, task })
    }

    /// Takes no new requests, lets what runs end, and stops within about `deadline`.
    pub(super) async fn stop(self, deadline: Duration) {
        let Server { engine, clock, stopping, task } = self;
        stopping.send_replace(true);
        engine.stop(deadline).await;
        let ending = task.abort_handle();
        if clock.within(CONNECTIONS_END, task).await.is_none() {
            ending.abort();
        }
    }
}

/// Requests see the engine stop, so they end soon; a client that does not read is cut off.
const CONNECTIONS_END: Duration = Duration::from_secs(2);
