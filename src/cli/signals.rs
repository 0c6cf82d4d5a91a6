//! The signals by which a person or a supervisor asks the process to stop.

use std::{io, process};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

const STOPPED_AT_ONCE: i32 = 130;

/// SIGTERM and SIGINT; elsewhere than on Unix, Ctrl-C.
pub(super) struct Signals {
    #[cfg(unix)]
    term: Signal,
    #[cfg(unix)]
    interrupt: Signal,
}

impl Signals {
    /// From now on the signals no longer end the process by themselves.
    pub(super) fn listen() -> Result<Signals, Failure> {
        Signals::register().map_err(|error| {
            Failure::NotDone(format!("The operating system gives no signals: {error}."))
        })
    }

    #[cfg(unix)]
    fn register() -> io::Result<Signals> {
        let term = signal(SignalKind::terminate())?;
        Ok(Signals { term, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn register() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) {
        // Without the handler there is nothing to wait for, and the process ends by itself.
        drop(tokio::signal::ctrl_c().await);
    }

    /// Whoever asks twice does not want to wait. The store is safe at any moment.
    pub(super) fn next_ends_the_process(mut self) {
        tokio::spawn(async move {
            self.next().await;
            process::exit(STOPPED_AT_ONCE);
        });
    }
}
