//! The service: engine and API in one process, until it is asked to stop.

use std::net::SocketAddr;

use url::Url;

use crate::{clock::Clock, config::Config, entropy::Entropy};

use super::{
    Common, Failure, output,
    playground::{Playground, furnish},
    server::{self, Outside, Server},
    signals::Signals,
};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The address and port to answer on: overrides `server.listen`.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Where browsers and platforms reach Fanfare: overrides `server.public_url`.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Simulate all platforms inside, instead of reaching the real ones. They forget everything
    /// when this ends.
    #[arg(long)]
    sandbox: bool,
    /// The address and port of the simulated platforms.
    #[arg(long, default_value = "127.0.0.1:7701", requires = "sandbox")]
    sandbox_listen: SocketAddr,
    /// Use the simulated platforms of a `fanfare sandbox` that runs there, and outlives this.
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    sandbox_at: Option<Url>,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    let config = common.load(options.listen, options.public_url)?;
    let mut signals = Signals::listen()?;
    let listener = server::bind(config.server.listen, "--listen or `server.listen`").await?;
    let (clock, entropy) = (Clock::wall(), Entropy::system());
    let mut settings = config.settings(clock.clone(), entropy.clone());
    let mut playground = None;
    if options.sandbox {
        let listener = server::bind(options.sandbox_listen, "--sandbox-listen").await?;
        let inside = Playground::start(listener, &clock, &entropy)?;
        furnish(&mut settings, &inside.origin);
        tell_about(&inside.origin);
        playground = Some(inside);
    }
    if let Some(url) = &options.sandbox_at {
        let origin = url.origin().ascii_serialization();
        furnish(&mut settings, &origin);
        tell_about(&origin);
    }
    let server = Server::start(settings, Outside::of(&config), listener).await?;
    greet(&server, &config);
    let ended = tokio::select! {
        () = signals.next() => {
            tracing::info!("Stopping; a second signal ends the process at once.");
            Ok(())
        }
        reason = server.engine.stopped() => {
            tracing::error!("Fanfare had to stop: {reason}");
            Err(Failure::NotDone(format!("Fanfare had to stop: {reason}")))
        }
    };
    signals.next_ends_the_process();
    server.stop(config.engine.stop_deadline.0).await;
    drop(playground);
    tracing::info!("Stopped.");
    ended
}

fn greet(server: &Server, config: &Config) {
    let directory = config.data.directory.display();
    tracing::info!("Fanfare answers at {}; its data is in {directory}.", config.server.public_url);
    if config.server.distrusts_its_proxy() {
        tracing::warn!(
            "`server.public_url` is https, so a proxy is in front, and `server.trusted_proxies` is \
             empty: everybody seems to come from the proxy, in the audit and where logging in is \
             slowed down."
        );
    }
    if !server.engine.is_founded() {
        tracing::warn!(
            "There is no organization yet, so there is no key either. Use the link for setting up, \
             or stop this, run `fanfare init` with the same settings, and start again."
        );
    }
    // Not into the log: whoever has it owns the instance.
    if let Ok(Some(link)) = server.engine.open_setup() {
        let told = output::line(&format!(
            "Nobody can log in yet. Whoever opens this link within an hour becomes the owner, \
             once:\n\n  {}\n",
            link.expose()
        ));
        if told.is_err() {
            tracing::warn!("The link for setting up could not be printed.");
        }
    }
}

fn tell_about(origin: &str) {
    tracing::info!(
        "All platforms are simulated; what is posted shows at {origin}/. Mastodon is connected by \
         the server {origin}/mastodon, what one signs in to by its name alone, and the rest by any \
         token of the right shape, as the README shows."
    );
}
