//! Prints a platform's guide: how to make a developer app and connect an account.

use crate::{
    domain::{
        nearest::nearest,
        platform::{ClientKind, Login, Profile},
    },
    engine,
};

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
    let guide = profile.guide.replace(CALLBACK, &callback) + &without_a_restart(profile);
    output::line(columns::markdown(&guide).trim_end())
}

/// What is the same for every platform that wants an app made by hand.
fn without_a_restart(profile: &Profile) -> String {
    let made_by_hand = |login: &Login| match login {
        Login::OAuth(oauth) if oauth.client == ClientKind::Configured => Some(oauth.app),
        Login::OAuth(_) | Login::Pasted(_) => None,
    };
    let mut apps: Vec<&str> = profile.logins.iter().filter_map(made_by_hand).collect();
    apps.dedup();
    if apps.is_empty() {
        return String::new();
    }
    let lines: Vec<String> =
        apps.iter().map(|app| format!("fanfare app set {app} --client-id ID < secret")).collect();
    format!(
        "\n## The app without the settings\n\nWhile Fanfare runs, for one organization \
         (`--organization`) or for all (`--instance`); `secret` is a file with the client \
         secret:\n\n```sh\n{}\n```\n",
        lines.join("\n")
    )
}

fn unknown(platform: &str, known: &[&Profile]) -> Failure {
    let names: Vec<&str> = known.iter().map(|profile| profile.platform).collect();
    let hint = match nearest(platform, names.iter().copied()) {
        Some(name) => format!("Did you mean `{name}`?"),
        None => format!("There is {}.", names.join(", ")),
    };
    Failure::Settings(format!("There is no platform `{platform}` in this build. {hint}"))
}
