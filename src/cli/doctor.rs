//! Looks at the settings and says what is ready, what is missing and what will end. It does not
//! touch the store, so it can be asked while Fanfare runs.

use serde::Serialize;

use crate::{
    clock::Clock,
    config::Config,
    domain::platform::{ClientKind, Intake, Login, Profile},
    engine,
};

use super::{Common, Failure, columns, output};

#[derive(clap::Args)]
pub(super) struct Options {
    /// For programs.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    public_url: String,
    /// Whether platforms that fetch files from us can reach it, as far as the address tells.
    publicly_reachable: bool,
    platforms: Vec<PlatformReport>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct PlatformReport {
    platform: &'static str,
    logins: Vec<LoginReport>,
    /// The version of its API that requests name.
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    /// It fetches files from our public address.
    fetches_files: bool,
}

#[derive(Serialize)]
struct LoginReport {
    #[serde(skip_serializing_if = "str::is_empty")]
    login: &'static str,
    /// To be entered in the platform's developer console; empty where there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    callback_url: String,
    /// The section of the settings that its app belongs into; empty where none is needed.
    #[serde(skip_serializing_if = "String::is_empty")]
    settings: String,
    ready: bool,
}

pub(super) fn run(common: &Common, options: &Options) -> Result<(), Failure> {
    let config = common.load(None, None)?;
    let report = Report::of(&config);
    match options.json {
        true => output::json(&report),
        false => output::line(&report.describe()),
    }
}

impl Report {
    fn of(config: &Config) -> Report {
        let versions = config.versions();
        let public_url = config.server.public_url.clone();
        let mut warnings = engine::version_alarms(&versions, Clock::wall().now());
        let publicly_reachable = engine::is_publicly_reachable(&public_url);
        let platforms: Vec<PlatformReport> = engine::platforms()
            .into_iter()
            .map(|profile| PlatformReport::of(profile, config, &versions))
            .collect();
        let fetching: Vec<&str> = platforms
            .iter()
            .filter(|platform| platform.fetches_files)
            .map(|platform| platform.platform)
            .collect();
        if !publicly_reachable && !fetching.is_empty() {
            warnings.push(format!(
                "`server.public_url` is {public_url}, which platforms cannot reach: those that \
                 fetch files from Fanfare ({}) will not get any. Set it to the https address that \
                 people open.",
                fetching.join(", ")
            ));
        }
        if config.server.distrusts_its_proxy() {
            warnings.push(
                "`server.public_url` is https, so a proxy is in front, and \
                 `server.trusted_proxies` is empty: everybody seems to come from the proxy. Name \
                 its address, such as \"127.0.0.1\"."
                    .to_owned(),
            );
        }
        Report { public_url, publicly_reachable, platforms, warnings }
    }

    fn describe(&self) -> String {
        let mut lines = vec![format!("Public address: {}", self.public_url), String::new()];
        for platform in &self.platforms {
            for login in &platform.logins {
                lines.push(login.describe(platform));
            }
        }
        lines.push(String::new());
        match self.warnings.is_empty() {
            true => lines.push("Nothing to worry about.".to_owned()),
            false => {
                let told = |warning: &String| columns::folded(&format!("! {warning}"), 2);
                lines.extend(self.warnings.iter().map(told));
            }
        }
        lines.push("`fanfare guide <platform>` says how to make an app and connect.".to_owned());
        lines.push(
            "Apps that were set while Fanfare runs are told by `fanfare app list`.".to_owned(),
        );
        lines.join("\n")
    }
}

impl PlatformReport {
    fn of(
        profile: &'static Profile,
        config: &Config,
        versions: &std::collections::BTreeMap<String, String>,
    ) -> PlatformReport {
        let by_url = |intake| intake != Intake::Bytes;
        PlatformReport {
            platform: profile.platform,
            logins: profile
                .logins
                .iter()
                .map(|login| LoginReport::of(login, profile, config))
                .collect(),
            version: engine::api_version(profile, versions),
            fetches_files: by_url(profile.limits.intake)
                || profile.formats.iter().any(|format| by_url(format.limits.intake)),
        }
    }
}

impl LoginReport {
    fn of(login: &'static Login, profile: &Profile, config: &Config) -> LoginReport {
        let nothing_needed = |callback_url| LoginReport {
            login: login.name(),
            callback_url,
            settings: String::new(),
            ready: true,
        };
        let Login::OAuth(oauth) = login else { return nothing_needed(String::new()) };
        let callback_url = engine::callback_url(&config.server.public_url, profile.platform);
        if oauth.client == ClientKind::Dynamic {
            return nothing_needed(callback_url);
        }
        let app = config.platforms.get(oauth.app);
        LoginReport {
            login: oauth.name,
            callback_url,
            settings: format!("platforms.{}", oauth.app),
            ready: app.is_some_and(|app| !app.client_id.is_empty()),
        }
    }

    fn describe(&self, platform: &PlatformReport) -> String {
        let mark = if self.ready { "ready  " } else { "no app " };
        let way = match self.login {
            "" => String::new(),
            login => format!(" ({login})"),
        };
        let mut line = format!("{mark} {}{way}", platform.platform);
        if !platform.version.is_empty() {
            line += &format!(", API {}", platform.version);
        }
        if !self.ready {
            let settings = &self.settings;
            let app = settings.trim_start_matches("platforms.");
            line += &format!(
                "\n        needs client_id and client_secret in [{settings}], or `fanfare app set \
                 {app}`"
            );
        }
        if !self.callback_url.is_empty() {
            line += &format!("\n        callback {}", self.callback_url);
        }
        line
    }
}
