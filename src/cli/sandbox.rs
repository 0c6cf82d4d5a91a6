//! The simulated platforms alone, for trying out other clients.

use std::net::SocketAddr;

use crate::{clock::Clock, entropy::Entropy, sandbox::Sandbox};

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
        "Simulated platforms. What was posted: {origin}/\n\n{}\n\n\
         Use them: fanfare serve --sandbox-at {origin}\n\
         Faults:   POST {origin}/_sandbox/faults\n\
         Any handle signs in; a Bluesky app password looks like abcd-efgh-ijkl-mnop.\n\
         Slack takes any bot token like xoxb-example-example, with any channel like C0123456789,\n\
         and any webhook like https://hooks.slack.com/services/T0000EXAMPLE/B0000EXAMPLE/example1\n\
         Ctrl-C ends it.",
        addresses(origin)
    ))?;
    signals.next().await;
    Ok(())
}

/// In two columns, so that the list stays short.
fn addresses(origin: &str) -> String {
    let column = |name: &&str| format!("{:<38}", format!("{origin}/{name}"));
    let rows = Sandbox::PLATFORMS.chunks(2).map(|pair| {
        let row: String = pair.iter().map(column).collect();
        format!("  {}", row.trim_end())
    });
    rows.collect::<Vec<_>>().join("\n")
}
