//! The simulated platforms alone, for trying out other clients.

use std::net::SocketAddr;

use crate::{clock::Clock, entropy::Entropy};

use super::{Common, Failure, output, playground::Playground, server, signals::Signals};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The address and port to answer on.
    #[arg(long, default_value = "127.0.0.1:7701")]
    listen: SocketAddr,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    common.load(None, None)?;
    let mut signals = Signals::listen()?;
    let listener = server::bind(options.listen, "--listen").await?;
    let playground = Playground::start(listener, &Clock::wall(), &Entropy::system())?;
    let origin = &playground.origin;
    output::line(&format!(
        "Simulated platforms:\n  Mastodon   {origin}/mastodon\n  GoToSocial {origin}/gotosocial\n  \
         Bluesky    {origin}/bluesky\n  X          {origin}/x\n\
         What was posted: {origin}/   Faults: POST {origin}/_sandbox/faults\n\
         Any handle signs in; a Bluesky app password looks like abcd-efgh-ijkl-mnop. Ctrl-C ends \
         it."
    ))?;
    signals.next().await;
    Ok(())
}
