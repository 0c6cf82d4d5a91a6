//! Lists what this build can publish to.

use crate::{api, domain::platform::Profile, engine};

use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Options {
    /// Everything that is known, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    if options.json {
        return output::json(&api::platforms::all());
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
