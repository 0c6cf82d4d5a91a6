//! Makes the first organization, its owner, and an admin key, in the data directory itself.

use std::time::Duration;

use serde_json::json;

use crate::{clock::Clock, engine::facade::Founding, entropy::Entropy};

use super::{Common, Failure, output, server};

#[derive(clap::Args)]
pub(super) struct Options {
    /// The organization's name.
    #[arg(long, default_value = "Home")]
    organization: String,
    /// The owner's name.
    #[arg(long, default_value = "Owner")]
    name: String,
    /// The owner's address.
    #[arg(long, default_value = "")]
    email: String,
    /// For programs.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(common: &Common, options: Options) -> Result<(), Failure> {
    let config = common.load(None, None)?;
    let settings = config.settings(Clock::wall(), Entropy::system());
    let engine = server::start_engine(settings).await?;
    let founding = Founding {
        organization: options.organization,
        owner_name: options.name,
        owner_email: options.email,
    };
    let founded = engine.found(founding).await;
    engine.stop(Duration::ZERO).await;
    let founded = founded
        .map_err(|problem| Failure::NotDone(format!("{} {}", problem.sentence, problem.remedy)))?;
    let (organization, key) = (founded.organization.to_string(), founded.key.expose());
    if options.json {
        return output::json(&json!({ "organization": organization, "key": key }));
    }
    let directory = config.data.directory.display();
    output::line(&format!(
        "Organization {organization} is made, in {directory}. Its admin key, shown here and never \
         again:\n\n  {key}\n\nStart Fanfare with `fanfare serve` and the same settings and flags."
    ))
}
