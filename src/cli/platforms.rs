//! Lists what this build can publish to.

use crate::{api, domain::platform::Profile, engine};

use super::{Common, Failure, columns, output};

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

/// The longest name of a platform, and a space.
const INDENT: usize = 15;

fn describe(profile: &Profile) -> String {
    // What only a format allows is possible too.
    let of_formats = profile.formats.iter().flat_map(|format| format.kinds);
    let mut kinds: Vec<&str> = Vec::new();
    for kind in profile.kinds.iter().chain(of_formats) {
        if !kinds.contains(&kind.name()) {
            kinds.push(kind.name());
        }
    }
    let texts = profile.formats.iter().map(|format| format.limits.text.max);
    let text = texts.fold(profile.limits.text.max, u32::max);
    let (name, kinds) = (profile.name, kinds.join(", "));
    let line = format!("{:INDENT$}{name}: {kinds}; {text} characters. {}", "", profile.access);
    format!("{:<INDENT$}{}", profile.platform, columns::folded(&line, INDENT).trim_start())
}
