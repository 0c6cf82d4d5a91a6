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
    let profiles = engine::platforms();
    let width = profiles.iter().map(|profile| profile.platform.len() + 2).max().unwrap_or(0);
    let lines: Vec<String> = profiles.into_iter().map(|it| describe(it, width)).collect();
    output::line(&lines.join("\n"))
}

/// `width`: of the column that its name stands in.
fn describe(profile: &Profile, width: usize) -> String {
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
    let line = format!("{:width$}{name}: {kinds}; {text} characters. {}", "", profile.access);
    format!("{:<width$}{}", profile.platform, columns::folded(&line, width).trim_start())
}
