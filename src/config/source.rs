//! Where settings come from, and what is said when they cannot be used.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use figment::{
    Figment, Metadata, Profile, Provider,
    error::{Actual, Kind},
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};

use crate::domain::nearest::nearest;

use super::{Config, Fault};

const PREFIX: &str = "FANFARE_";
const FILE_HERE: &str = "fanfare.toml";
const FILE_OF_THE_MACHINE: &str = "/etc/fanfare/fanfare.toml";
const CREDENTIAL: &str = "vault-key";

/// What the command line overrides. `None`: not given.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub listen: Option<String>,
    pub public_url: Option<String>,
    pub data: Option<PathBuf>,
    pub log_level: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "The settings file {} cannot be read: {source}. Check the path given by {named_by}.",
        path.display()
    )]
    Unreadable { path: PathBuf, named_by: &'static str, source: io::Error },
    #[error("The settings in {place} cannot be understood: {source}")]
    Malformed { place: String, source: Box<figment::Error> },
    #[error("`{key}` in {place} is not an option. {remedy}")]
    Unknown { key: String, place: String, remedy: String },
    #[error("`{}` in {place} {}. {}", fault.key, fault.wrong, fault.remedy)]
    Invalid { fault: Fault, place: String },
}

/// Reads everything and checks it.
pub fn load(flags: &Flags) -> Result<Config, Error> {
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Sources { flags, variables: variables.collect(), machine: Path::new(FILE_OF_THE_MACHINE) }
        .load()
}

struct Sources<'a> {
    flags: &'a Flags,
    variables: Vec<(String, String)>,
    machine: &'a Path,
}

impl Sources<'_> {
    fn load(&self) -> Result<Config, Error> {
        let mut figment = Figment::new();
        if let Some((path, named_by)) = self.file() {
            // Read once for a clear sentence; figment takes a missing file for an empty one.
            fs::read_to_string(&path).map_err(|source| Error::Unreadable {
                path: path.clone(),
                named_by,
                source,
            })?;
            figment = figment.merge(Toml::file_exact(path));
        }
        figment = figment.merge(Named::environment(&self.variables)).merge(self.flags.named());
        // Lossy: a number or a switch may come as text, as all variables do.
        let mut config: Config =
            figment.extract_lossy().map_err(|error| explain(&figment, error))?;
        self.fill_from_systemd(&figment, &mut config);
        config.settle().map_err(|fault| {
            let place = place(figment.find_metadata(&fault.key));
            Error::Invalid { fault, place }
        })?;
        Ok(config)
    }

    fn file(&self) -> Option<(PathBuf, &'static str)> {
        if let Some(path) = &self.flags.config {
            return Some((path.clone(), "--config"));
        }
        if let Some(path) = self.variable("FANFARE_CONFIG") {
            return Some((PathBuf::from(path), "FANFARE_CONFIG"));
        }
        let usual = [Path::new(FILE_HERE), self.machine];
        let found = usual.into_iter().find(|path| path.exists())?;
        Some((found.to_owned(), "its usual place"))
    }

    /// systemd names directories of its own for a service's state and secrets.
    fn fill_from_systemd(&self, figment: &Figment, config: &mut Config) {
        let state = self.variable("STATE_DIRECTORY").and_then(|all| all.split(':').next());
        if let Some(state) = state.filter(|_| !figment.contains("data.directory")) {
            config.data.directory = PathBuf::from(state);
        }
        let unnamed = config.vault.key.0.is_none() && config.vault.key_file.as_os_str().is_empty();
        if let Some(directory) = self.variable("CREDENTIALS_DIRECTORY").filter(|_| unnamed) {
            let credential = Path::new(directory).join(CREDENTIAL);
            if credential.exists() {
                config.vault.key_file = credential;
            }
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// Values with one origin, all of them text: figment's own reader of the environment would take a
/// secret of digits for a number.
struct Named {
    origin: &'static str,
    values: Dict,
}

impl Named {
    fn environment(variables: &[(String, String)]) -> Named {
        let mut values = Dict::new();
        for (name, value) in variables {
            let key = name.strip_prefix(PREFIX).filter(|key| key.contains("__"));
            if let Some(key) = key {
                let key = key.to_ascii_lowercase();
                plant(&mut values, &key.split("__").collect::<Vec<_>>(), value);
            }
        }
        Named { origin: "the environment", values }
    }
}

impl Flags {
    fn named(&self) -> Named {
        let mut values = Dict::new();
        let data = self.data.as_ref().map(|path| path.to_string_lossy().into_owned());
        for (section, name, value) in [
            ("server", "listen", &self.listen),
            ("server", "public_url", &self.public_url),
            ("data", "directory", &data),
            ("log", "level", &self.log_level),
        ] {
            if let Some(value) = value {
                plant(&mut values, &[section, name], value);
            }
        }
        Named { origin: "the command line", values }
    }
}

fn plant(values: &mut Dict, path: &[&str], value: &str) {
    match path {
        [] => {}
        [name] => {
            values.insert((*name).to_owned(), Value::from(value));
        }
        [name, rest @ ..] => {
            let below = values.entry((*name).to_owned()).or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, below) = below {
                plant(below, rest, value);
            }
        }
    }
}

impl Provider for Named {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin)
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn place(metadata: Option<&Metadata>) -> String {
    match metadata {
        Some(metadata) => match metadata.source.as_ref().and_then(|source| source.file_path()) {
            Some(path) => path.display().to_string(),
            None => metadata.name.to_string(),
        },
        None => "the defaults".to_owned(),
    }
}

fn explain(figment: &Figment, error: figment::Error) -> Error {
    let key = error.path.join(".");
    let place = place(error.metadata.as_ref().or_else(|| figment.find_metadata(&key)));
    if let Kind::UnknownField(meant, known) = &error.kind {
        return unknown(&key, meant, known, place);
    }
    let Some((wrong, remedy)) = fault_in(&error.kind).filter(|_| !key.is_empty()) else {
        let source = Box::new(figment::Error::from(error.kind));
        return Error::Malformed { place, source };
    };
    Error::Invalid { fault: Fault { key, wrong, remedy }, place }
}

fn unknown(key: &str, meant: &str, known: &[&str], place: String) -> Error {
    let section = key.strip_suffix(meant).unwrap_or(key).trim_end_matches('.');
    let full = |name: &str| format!("{section}.{name}").trim_start_matches('.').to_owned();
    let remedy = match nearest(meant, known.iter().copied()) {
        Some(near) => format!("Did you mean `{}`?", full(near)),
        None => format!("Known here are: {}.", known.join(", ")),
    };
    Error::Unknown { key: full(meant), place, remedy }
}

/// What is wrong and what to do, where figment names a single value.
fn fault_in(kind: &Kind) -> Option<(String, String)> {
    let manual = "The manual is config/fanfare.toml.".to_owned();
    if let Kind::UnknownVariant(meant, known) = kind {
        let wrong = format!("is `{meant}`, which is not among its values");
        return Some((wrong, format!("Choose one of: {}.", known.join(", "))));
    }
    if let Kind::Message(wrong) = kind {
        let wrong = match wrong.as_str() {
            NO_SOCKET => "must be an address and a port, such as \"127.0.0.1:7700\"".to_owned(),
            wrong => format!("is wrong: {wrong}"),
        };
        return Some((wrong, manual));
    }
    let (Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted)) = kind else {
        return None;
    };
    let wanted = plain(wanted);
    // A text may be a secret that was put in the wrong place.
    if matches!(found, Actual::Str(_)) {
        return Some((format!("must be {wanted}"), manual));
    }
    if let Actual::Signed(found) = found {
        return Some((format!("is {found}, and must be {wanted}"), manual));
    }
    Some((format!("is {found}, and must be {wanted}"), manual))
}

/// As the standard library has it, which reads addresses for us.
const NO_SOCKET: &str = "invalid socket address syntax";

/// What kind of value is wanted, for people who do not write Rust.
fn plain(wanted: &str) -> &str {
    match wanted {
        "u32" | "u64" => "a whole number from 0",
        other => other,
    }
}

#[cfg(test)]
pub(super) fn read_manual<T: serde::de::DeserializeOwned>(manual: &str) -> T {
    Figment::from(Toml::string(manual)).extract().unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.toml");
        fs::write(&path, file).unwrap();
        let flags = Flags { config: Some(path.clone()), ..flags };
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables = variables.iter().map(own).collect();
        Sources { flags: &flags, variables, machine: Path::new("/nowhere") }
            .load()
            .map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file() {
        let file = "server.listen = '1.1.1.1:1'\nserver.public_url = 'http://file'\n\
            pacing.grace = '1h'\nlog.level = 'warn'";
        let variables = [
            ("FANFARE_SERVER__LISTEN", "2.2.2.2:2"),
            ("FANFARE_LOG__LEVEL", "debug"),
            ("FANFARE_PACING__POSTS_PER_HOUR", "7"),
            ("FANFARE_PLATFORMS__X__CLIENT_ID", "0123"),
            ("FANFARE_CONFIG", "/ignored/because/of/the/flag"),
        ];
        let flags = Flags { listen: Some("3.3.3.3:3".to_owned()), ..Flags::default() };
        let config = read(file, &variables, flags).unwrap();
        assert_eq!(config.server.listen.to_string(), "3.3.3.3:3");
        assert_eq!(config.server.public_url, "http://file");
        assert_eq!(config.log.level, "debug");
        assert_eq!(config.pacing.posts_per_hour, 7);
        assert_eq!(config.pacing.grace, super::super::Span::seconds(3_600));
        assert_eq!(config.platforms["x"].client_id, "0123");
    }

    #[test]
    fn every_mistake_is_answered_with_its_key_and_place() {
        for (file, variable, said) in [
            (
                "server.listne = ''",
                ("A", ""),
                "`server.listne` in FILE is not an option. Did you mean `server.listen`?",
            ),
            (
                "sevrer.listen = ''",
                ("A", ""),
                "`sevrer` in FILE is not an option. Did you mean `server`?",
            ),
            (
                "",
                ("FANFARE_LOG__COLOUR", "x"),
                "`log.colour` in the environment is not an option. Known here are: format, level.",
            ),
            (
                "pacing.grace = 'soon'",
                ("A", ""),
                "`pacing.grace` in FILE is wrong: `soon` is not a duration",
            ),
            (
                "pacing.posts_per_hour = 'many'",
                ("A", ""),
                "`pacing.posts_per_hour` in FILE must be",
            ),
            (
                "pacing.posts_per_hour = 0",
                ("A", ""),
                "`pacing.posts_per_hour` in FILE is less than 1",
            ),
            ("log.format = 'xml'", ("A", ""), "`log.format` in FILE"),
            (
                "pacing.posts_per_hour = -3",
                ("A", ""),
                "`pacing.posts_per_hour` in FILE is -3, and must be a whole number from 0",
            ),
            (
                "server.listen = 'here'",
                ("A", ""),
                "`server.listen` in FILE must be an address and a port",
            ),
            (
                "vault.key = 'a'\nvault.key_file = 'b'",
                ("A", ""),
                "`vault.key_file` in FILE is set, and so is",
            ),
            (
                "platforms.x.client_secret_file = '/no'\nplatforms.x.client_id = 'a'",
                ("A", ""),
                "`platforms.x.client_secret_file` in FILE names /no, which cannot be read",
            ),
            (
                "platforms.x.endpoints.api = 'x'",
                ("A", ""),
                "`platforms.x.endpoints.api` in FILE is not a URL",
            ),
            ("[server", ("A", ""), "FILE"),
        ] {
            let error = read(file, &[variable], Flags::default()).unwrap_err();
            assert!(error.contains(said), "{file}: {error}");
        }
    }

    #[test]
    fn systemd_names_the_data_directory_unless_somebody_else_does() {
        let state = [("STATE_DIRECTORY", "/var/lib/fanfare:/other")];
        let named = |file| read(file, &state, Flags::default()).unwrap().data.directory;
        assert_eq!(named(""), Path::new("/var/lib/fanfare"));
        assert_eq!(named("data.directory = '/mine'"), Path::new("/mine"));
    }

    #[test]
    fn named_file_that_is_missing_is_an_error() {
        let flags = Flags { config: Some("/no/such.toml".into()), ..Flags::default() };
        let sources = Sources { flags: &flags, variables: Vec::new(), machine: Path::new("/no") };
        let said = sources.load().unwrap_err().to_string();
        assert!(said.contains("/no/such.toml") && said.contains("--config"), "{said}");
    }
}
