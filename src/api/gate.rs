//! Takes connections, and keeps them from being taken hostage: a limit of how many there are, and
//! of how long each may be silent.
//!
//! Invariants:
//! - what is beyond the limit waits in the system's queue, and is not refused;
//! - a client that neither sends nor takes anything loses its connection, not its change: what a
//!   request began goes on to its end;
//! - told to stop, no new connection is taken, and what runs is answered.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::{server::conn::http1, service::Service};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutStream;

use crate::clock::Clock;

/// How much of it strangers may take.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// At once.
    pub connections: usize,
    /// A connection that has not brought a whole request by then is closed.
    pub first_request: Duration,
    /// Between two requests, and for the head of each: longer than proxies keep a connection idle
    /// (Caddy 2.8: two minutes; nginx 1.27: one), because one that is closed just as a proxy uses
    /// it again is an error to whoever asked.
    pub idle: Duration,
    /// A client that takes nothing of an answer for so long has gone away.
    pub stalled: Duration,
}

impl Gate {
    pub fn of(connections: usize) -> Gate {
        Gate {
            connections,
            first_request: Duration::from_secs(30),
            idle: Duration::from_secs(130),
            stalled: Duration::from_secs(60),
        }
    }
}

/// Complaints of the same kind are told again after so long.
const QUIET: Duration = Duration::from_secs(60);

/// After a connection could not be taken, such as for want of file descriptors.
const BREATH: Duration = Duration::from_secs(1);

/// Serves until told to stop, and then until what runs has been answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    gate: Gate,
    clock: Clock,
    mut stopping: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(gate.connections));
    let mut full = Complaint::default();
    // A sender that is gone has stopped as well.
    let mut stopped = std::pin::pin!(stopping.wait_for(|stopping| *stopping));
    loop {
        if room.available_permits() == 0 && full.is_due(&clock) {
            tracing::warn!(
                "All {} connections are in use (`limits.connections`); more of them wait.",
                gate.connections
            );
        }
        let next = async {
            let seat = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((listener.accept().await, seat))
        };
        let taken = tokio::select! {
            taken = next => taken,
            _ = &mut stopped => break,
        };
        match taken {
            Some((Ok((stream, peer)), seat)) => {
                let line = Line { gate, peer, clock: clock.clone(), seat };
                tokio::spawn(line.hold(stream, router.clone(), graceful.watcher()));
            }
            Some((Err(error), _)) if is_the_peers(&error) => {}
            Some((Err(error), _)) => {
                tracing::warn!("A connection cannot be taken: {error}.");
                clock.sleep(BREATH).await;
            }
            None => break,
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

/// It was gone before it was taken.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// Told at most once in [`QUIET`].
#[derive(Default)]
struct Complaint(Option<crate::domain::time::Timestamp>);

impl Complaint {
    fn is_due(&mut self, clock: &Clock) -> bool {
        let now = clock.now();
        let due = self.0.is_none_or(|last| last.elapsed(now) >= QUIET);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

/// One connection.
struct Line {
    gate: Gate,
    peer: SocketAddr,
    clock: Clock,
    seat: OwnedSemaphorePermit,
}

impl Line {
    async fn hold(self, stream: TcpStream, router: Router, watcher: Watcher) {
        let Line { gate, peer, clock, seat } = self;
        // An answer is written as a whole; waiting to fill a packet would only delay it.
        drop(stream.set_nodelay(true));
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(gate.stalled));
        let asked = Arc::new(AtomicBool::new(false));
        let (seen, inner) = (Arc::clone(&asked), TowerToHyperService::new(router));
        let service = hyper::service::service_fn(move |mut request: hyper::Request<_>| {
            seen.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            inner.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(gate.idle);
        let connection = http.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let mut connection = std::pin::pin!(watcher.watch(connection));
        let early = clock.within(gate.first_request, &mut connection).await;
        let ended = match early {
            Some(ended) => ended,
            None if asked.load(Ordering::Relaxed) => connection.await,
            None => Ok(()),
        };
        if let Err(error) = ended {
            tracing::debug!("The connection of {peer} broke off: {error}.");
        }
        drop(seat);
    }
}
