//! The command line: one file per subcommand.
//!
//! Standard output carries results, and nothing else; logs and complaints go to the standard error
//! stream. [`Failure`] lists the exit codes.

mod app;
mod audit;
mod columns;
mod control;
mod demo;
mod doctor;
mod guide;
mod healthcheck;
mod init;
mod key;
mod loopback;
mod member;
mod openapi;
mod organization;
mod output;
mod platforms;
mod playground;
mod sandbox;
mod serve;
mod server;
mod signals;
mod vault;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{self, Config},
    domain::platform::{Login, Profile},
    engine, telemetry,
};

#[derive(Parser)]
#[command(name = "fanfare", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
struct CommandLine {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 not done, or not as intended; 2 wrong usage or \
    settings; 3 the data directory cannot be used (held by another Fanfare, wrong key, damaged); \
    4 a port is in use; 130 stopped by a second signal.";

/// Flags that override settings, for every subcommand.
#[derive(Args)]
struct Common {
    /// The settings file, instead of the usual places.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept: overrides `data.directory`.
    #[arg(long, global = true, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// What is logged: overrides `log.level`.
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Publish what is planned, and answer the API.
    Serve(serve::Options),
    /// See it work: simulated platforms, an account on each, a minute of varied posts.
    Demo(demo::Options),
    /// Run the simulated platforms alone.
    Sandbox(sandbox::Options),
    /// Make the first organization, its owner, and an admin key.
    Init(init::Options),
    /// Make, list and revoke API keys.
    Key(key::Options),
    /// Set, list and remove the developer apps that accounts are connected through.
    App(app::Options),
    /// List and invite members; let one set a new password.
    Member(member::Options),
    /// List, make, delete and restore organizations.
    Organization(organization::Options),
    /// Look at the vault, or give it a new key.
    Vault(vault::Options),
    /// Verify and export what happened, who did it and from where.
    Audit(audit::Options),
    /// List the platforms of this build and what they allow.
    Platforms(platforms::Options),
    /// Print how to make a developer app on a platform and connect an account.
    Guide(guide::Options),
    /// Look at the settings: which platforms are ready, which callback to enter, what will end.
    Doctor(doctor::Options),
    /// Print the API's OpenAPI 3.1 description.
    Openapi,
    /// Ask a running Fanfare whether it does its work.
    Healthcheck(healthcheck::Options),
}

/// Why a command did not do what it was asked for, as a sentence; its kind is the exit code.
#[derive(Debug)]
enum Failure {
    /// 1.
    NotDone(String),
    /// 2.
    Settings(String),
    /// 3.
    Data(String),
    /// 4.
    Port(String),
}

impl Failure {
    fn parts(&self) -> (u8, &str) {
        match self {
            Failure::NotDone(sentence) => (1, sentence),
            Failure::Settings(sentence) => (2, sentence),
            Failure::Data(sentence) => (3, sentence),
            Failure::Port(sentence) => (4, sentence),
        }
    }
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    let line = CommandLine::parse();
    match dispatch(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (code, sentence) = failure.parts();
            eprintln!("{sentence}");
            ExitCode::from(code)
        }
    }
}

fn dispatch(line: CommandLine) -> Result<(), Failure> {
    let common = &line.common;
    match line.command {
        Command::Serve(options) => wait_for(serve::run(common, options)),
        Command::Demo(options) => wait_for(demo::run(common, options)),
        Command::Sandbox(options) => wait_for(sandbox::run(common, options)),
        Command::Init(options) => wait_for(init::run(common, options)),
        Command::App(options) => wait_for(app::run(common, options)),
        Command::Key(options) => wait_for(key::run(common, options)),
        Command::Member(options) => wait_for(member::run(common, options)),
        Command::Organization(options) => wait_for(organization::run(common, options)),
        Command::Vault(options) => wait_for(vault::run(common, options)),
        Command::Audit(options) => wait_for(audit::run(common, options)),
        Command::Platforms(options) => platforms::run(common, &options),
        Command::Guide(options) => guide::run(common, &options),
        Command::Doctor(options) => doctor::run(common, &options),
        Command::Openapi => openapi::run(),
        Command::Healthcheck(options) => wait_for(healthcheck::run(common, options)),
    }
}

fn wait_for(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::NotDone(format!("The operating system gives no threads to work with: {error}."))
    })?;
    runtime.block_on(work)
}

impl Common {
    /// Settings with these flags and those of a server, checked; logs begin.
    fn load(
        &self,
        listen: Option<SocketAddr>,
        public_url: Option<String>,
    ) -> Result<Config, Failure> {
        let flags = config::Flags {
            config: self.config.clone(),
            data: self.data.clone(),
            log_level: self.log_level.clone(),
            listen: listen.map(|address| address.to_string()),
            public_url,
        };
        let config = config::load(&flags).map_err(|error| Failure::Settings(error.to_string()))?;
        let known = sections(&engine::platforms());
        config
            .check_platforms(known.into_iter())
            .map_err(|fault| Failure::Settings(fault.to_string()))?;
        telemetry::start(&config.log).map_err(Failure::Settings)?;
        Ok(config)
    }
}

/// The sections below `platforms` in the settings, with the endpoints that each may name. A way to
/// sign in may have an app of its own, whose section has no endpoints.
fn sections(profiles: &[&'static Profile]) -> Vec<(&'static str, Vec<&'static str>)> {
    let logins = profiles.iter().flat_map(|profile| profile.logins);
    let apps = logins.filter_map(|login| match login {
        Login::OAuth(oauth) => Some((oauth.app, Vec::new())),
        Login::Pasted(_) => None,
    });
    let platforms = profiles.iter().map(|profile| {
        let endpoints = profile.endpoints.iter().map(|endpoint| endpoint.name).collect();
        (profile.platform, endpoints)
    });
    // Of two with one name, the last is taken: an app of the same name has these endpoints.
    apps.chain(platforms).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn app_of_one_way_to_sign_in_has_a_section_and_no_endpoints() {
        let mut config = Config::default();
        let known = || sections(&engine::platforms()).into_iter();
        let mut app = config::Platform { client_id: "a".to_owned(), ..Default::default() };
        for section in ["linkedin_organization", "linkedin"] {
            config.platforms.insert(section.to_owned(), app.clone());
        }
        assert_eq!(config.check_platforms(known()), Ok(()));
        app.endpoints.insert("api".to_owned(), "http://127.0.0.1:1".to_owned());
        config.platforms.insert("linkedin".to_owned(), app.clone());
        assert_eq!(config.check_platforms(known()), Ok(()));
        config.platforms.insert("linkedin_organization".to_owned(), app);
        let fault = config.check_platforms(known()).unwrap_err();
        assert_eq!(fault.key, "platforms.linkedin_organization.endpoints.api");
    }
}
