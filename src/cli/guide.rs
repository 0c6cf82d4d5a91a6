//! Prints a platform's guide: how to make a developer app and connect an account.

use crate::{domain::nearest::nearest, domain::platform::Profile, engine};

use super::{Common, Failure, columns, output};

#[derive(clap::Args)]
pub(super) struct Options {
    /// A name as `fanfare platforms` lists it; without one, the platforms are listed.
    platform: Option<String>,
}

/// What stands in a guide for the address to enter as the redirect.
const CALLBACK: &str = "{callback}";

pub(super) fn run(common: &Common, options: &Options) -> Result<(), Failure> {
    let known = engine::platforms();
    let Some(platform) = &options.platform else {
        let line = |profile: &&Profile| format!("{:<10} {}", profile.platform, profile.name);
        let lines: Vec<String> = known.iter().map(line).collect();
        return output::line(&lines.join("\n"));
    };
    let Some(profile) = known.iter().find(|profile| profile.platform == platform) else {
        return Err(unknown(platform, &known));
    };
    let config = common.load(None, None)?;
    let callback = engine::callback_url(&config.server.public_url, profile.platform);
    output::line(columns::markdown(&profile.guide.replace(CALLBACK, &callback)).trim_end())
}

fn unknown(platform: &str, known: &[&Profile]) -> Failure {
    let names: Vec<&str> = known.iter().map(|profile| profile.platform).collect();
    let hint = match nearest(platform, names.iter().copied()) {
        Some(name) => format!("Did you mean `{name}`?"),
        None => format!("There is {}.", names.join(", ")),
    };
    Failure::Settings(format!("There is no platform `{platform}` in this build. {hint}"))
}
