//! Lists what this build can publish to.

use crate::{api, domain::platform::Profile, engine};

use super::{Common, Failure, output};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Everything that is known, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(common: &Common, options: &Options) -> Result<(), Failure> {
    if options.json {
        let config = common.load(None, None)?;
        return output::json(&api::platforms::all(&config.server.public_url, &config.versions()));
    }
    let lines: Vec<String> = engine::platforms().into_iter().map(describe).collect();
    output::line(&lines.join("\n"))
}

fn describe(profile: &Profile) -> String {
    let kinds: Vec<&str> = profile.kinds.iter().map(|kind| kind.name()).collect();
    let (name, text) = (profile.name, profile.limits.text.max);
    let kinds = kinds.join(", ");
    format!("{:<10} {name}: {kinds}; {text} characters. {}", profile.platform, profile.access)
}
