//! Asks a running Fanfare whether it does its work, so that a container image needs no curl.

use std::time::Duration;

use serde_json::Value;

use crate::{clock::Clock, config};

use super::{Common, Failure, loopback, output};

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Options {
    /// What to ask, instead of /readyz at `server.listen`.
    #[arg(long)]
    url: Option<String>,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    let url = match options.url {
        Some(url) => url,
        None => {
            let config = common.load(None, None)?;
            format!("http://{}/readyz", config::reachable(config.server.listen))
        }
    };
    let asked = Clock::wall().within(PATIENCE, loopback::get(&url)).await;
    let answer = match asked {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => {
            return Err(Failure::NotDone(format!("Nobody answers at {url}: {error}.")));
        }
        None => {
            let seconds = PATIENCE.as_secs();
            return Err(Failure::NotDone(format!("No answer from {url} in {seconds} seconds.")));
        }
    };
    if answer.status == 200 {
        return output::line("ready");
    }
    let reason = answer.json()["reason"].as_str().map(str::to_owned);
    let reason = reason.unwrap_or_else(|| format!("it answered {}", answer.status));
    Err(Failure::NotDone(format!("Not ready: {reason}")))
}

impl loopback::Answer {
    /// `Null` where the body is no JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}
