//! The house rules that a machine can check. Runs with every `cargo test`; there is no other linter
//! to install. Each rule has a case below that shows it firing.

use std::{fs, path::Path};

/// What each part of `src/` may name. A part not listed here fails the test.
const MAY_USE: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    // It only lists the parts.
    ("lib", &[]),
    // It opens whatever a subcommand needs and hands it over: the clock and the entropy that the
    // engine runs on, ids as arguments, and for `fanfare platforms` the list of connectors.
    (
        "cli",
        &[
            "config",
            "api",
            "web",
            "sandbox",
            "engine",
            "clock",
            "entropy",
            "telemetry",
            "domain",
            "connectors",
        ],
    ),
    // Settings are checked into types that cannot be wrong, and handed to the engine as its own.
    ("config", &["engine", "clock", "entropy", "domain"]),
    ("telemetry", &["config", "domain"]),
    ("clock", &["domain"]),
    ("entropy", &["domain"]),
    ("domain", &[]),
    ("policy", &["domain"]),
    ("connectors", &["domain"]),
    ("store", &["domain"]),
    // What is sent and what came back is in the words of the connectors. Entropy: the state and the
    // verifier of a login.
    ("net", &["connectors", "clock", "entropy", "domain"]),
    ("engine", &["policy", "connectors", "store", "net", "clock", "entropy", "domain"]),
    // How often a key may ask in a minute, and the ids of requests and incidents.
    ("api", &["engine", "domain", "clock", "entropy"]),
    ("web", &["engine", "domain"]),
    // It must not share code with the connectors that it judges.
    ("sandbox", &["domain"]),
];

/// A text, the only places that may contain it, and what to use instead.
struct OnlyIn(&'static str, &'static [&'static str], &'static str);

const ONLY_IN: &[OnlyIn] = &[
    OnlyIn("sled::", &["store/kv.rs"], "the typed methods of `store`"),
    // The simulated platforms fetch files by themselves, as the real ones do.
    OnlyIn("reqwest", &["net", "sandbox/fetching.rs"], "`net::Client`"),
    OnlyIn("oauth2::", &["net"], "`net::oauth`"),
    // They are given files that nobody looked at before.
    OnlyIn("image::", &["engine/pixels"], "`pixels`"),
    OnlyIn("imagesize::", &["engine/pixels", "sandbox/shelf.rs"], "`pixels`"),
    OnlyIn("infer::", &["engine/probe", "sandbox/shelf.rs"], "`probe`"),
    OnlyIn("SystemTime::now", &["clock.rs"], "the `now` you were given"),
    OnlyIn("Utc::now", &["clock.rs"], "the `now` you were given"),
    OnlyIn("Instant::now", &["clock.rs"], "the `now` you were given, or `Clock::stopwatch`"),
    OnlyIn("tokio::time", &["clock.rs"], "`Clock`, or a message sent later"),
    // The store waits at its door for a process that is about to end, before anything else runs.
    OnlyIn("thread::sleep", &["store/kv.rs"], "`Clock`, or a message sent later"),
    OnlyIn("std::env", &["config.rs"], "the config section you were given"),
    // The sandbox plays a foreign server, with dice of its own.
    OnlyIn("rand::", &["entropy.rs", "sandbox/chance.rs"], "`Entropy`"),
    OnlyIn("dbg!", &[], "a tracing event"),
    OnlyIn("todo!", &[], "the finished code, or an issue"),
    OnlyIn("unimplemented!", &[], "the finished code, or an issue"),
    OnlyIn(".unwrap()", &[], "`?`, or `expect` naming the invariant that holds"),
];

const NAMELESS_MODULES: &[&str] =
    &["utils", "util", "helpers", "common", "misc", "manager", "types"];

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Files that may be longer, and why. One that no longer needs it fails the test.
const LONG_FILES: &[(&str, &str)] = &[
    ("connectors.rs", "The contract is one page for whoever adds a platform."),
    (
        "engine/transitions.rs",
        "Every change of a delivery's state is in one place, so that they can be compared.",
    ),
    ("engine/delivery/attempt.rs", "An attempt is read in one go, from its claim to its end."),
    ("engine/facade/posts.rs", "A post's verbs share its checks, its plan and its deliveries."),
];

/// Functions that may be longer, as `path: name`, and why.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

#[test]
fn source_is_tidy() {
    let files = [("src", ""), ("tests", "tests/"), ("benches", "benches/")]
        .into_iter()
        .flat_map(|(folder, prefix)| read(folder, prefix))
        .collect::<Vec<_>>();
    let test_files = files.iter().flat_map(|(path, text)| test_modules(path, text));
    let test_files = test_files.collect::<Vec<_>>();
    let mut errors = Vec::new();
    for (path, text) in &files {
        let stem = path.trim_end_matches(".rs");
        let is_test = test_files.iter().any(|test| {
            stem.strip_prefix(test).is_some_and(|it| it.is_empty() || it.starts_with('/'))
        });
        errors.extend(check(path, text, if is_test { Nature::Test } else { Nature::of(path) }));
    }
    for (path, _) in LONG_FILES.iter().chain(LONG_FUNCTIONS) {
        let path = path.split(':').next().unwrap();
        if !files.iter().any(|(known, _)| known == path) {
            errors.push(format!("src/{path}: an exception for a file that does not exist"));
        }
    }
    assert!(errors.is_empty(), "\n{}\n", errors.join("\n"));
}

#[test]
fn every_exception_carries_a_reason() {
    for (what, reason) in LONG_FILES.iter().chain(LONG_FUNCTIONS) {
        assert!(reason.ends_with('.') && reason.split(' ').count() > 4, "{what}: {reason}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Nature {
    Production,
    /// Exempt from everything but its looks.
    Test,
}

impl Nature {
    fn of(path: &str) -> Nature {
        match path.starts_with("tests/") || path.starts_with("benches/") {
            true => Nature::Test,
            false => Nature::Production,
        }
    }
}

/// `(path below src, or with the folder's name in front, text)` of every file, in a fixed order.
fn read(folder: &str, prefix: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    visit(&root, &mut |path| {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap();
        files.push((format!("{prefix}{relative}"), fs::read_to_string(path).unwrap()));
    });
    files.sort();
    files
}

fn visit(folder: &Path, each: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() && path.ends_with("node_modules") => (),
            _ if path.is_dir() => visit(&path, each),
            Some(extension) if extension == "rs" => each(&path),
            _ => (),
        }
    }
}

/// Files without `.rs` that `#[cfg(test)] mod x;` in this file declares.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]");
    let names = declared.filter_map(|pair| {
        let (visibility, name) = pair[1].trim().strip_suffix(';')?.split_once("mod ")?;
        (visibility.is_empty() || visibility.starts_with("pub")).then_some(name)
    });
    names.map(|name| format!("{}/{name}", path.trim_end_matches(".rs"))).collect()
}

fn check(path: &str, text: &str, nature: Nature) -> Vec<String> {
    let mut errors = check_looks(path, text);
    if nature == Nature::Production {
        let production = without_tests(text);
        errors.extend(check_names(path, &production));
        errors.extend(check_uses(path, &production));
        errors.extend(check_lengths(path, text, &production));
    }
    let folder =
        if path.starts_with("tests/") || path.starts_with("benches/") { "" } else { "src/" };
    errors.into_iter().map(|error| format!("{folder}{path}: {error}")).collect()
}

fn check_looks(path: &str, text: &str) -> Vec<String> {
    let mut errors = Vec::new();
    if !text.starts_with("//!") {
        errors.push("must open with `//!` saying what lives here and what never does".to_owned());
    }
    if NAMELESS_MODULES.contains(&path.trim_end_matches(".rs").rsplit('/').next().unwrap()) {
        errors.push("name the module after what it holds".to_owned());
    }
    // In two halves, or this file would find itself.
    if text.contains(concat!("FIX", "ME")) {
        errors.push("mend it, or open an issue".to_owned());
    }
    for (index, line) in text.lines().enumerate() {
        // Nobody can break an address, and rustfmt breaks no text.
        let is_one_piece =
            line.contains("://") || line.trim_start().starts_with('"') || line.contains("r#\"");
        if line.chars().count() > COLUMNS_MAX && !is_one_piece {
            errors.push(format!("line {} is wider than {COLUMNS_MAX} columns", index + 1));
        }
    }
    errors
}

/// What may be named only in certain places.
fn check_names(path: &str, production: &str) -> Vec<String> {
    let mut errors = Vec::new();
    for OnlyIn(text, homes, instead) in ONLY_IN {
        let at_home = homes.iter().any(|home| {
            path == *home || path.starts_with(&format!("{home}/")) || path == format!("{home}.rs")
        });
        if !at_home && is_named(production, text) {
            errors.push(format!("`{text}` is not for here, use {instead}"));
        }
    }
    errors
}

/// Whether `text` stands there as a word of its own: `rand::` is not in `Errand::`.
fn is_named(production: &str, text: &str) -> bool {
    production.match_indices(text).any(|(at, _)| {
        let before = production[..at].chars().next_back();
        text.starts_with('.') || before.is_none_or(|it| !it.is_alphanumeric() && it != '_')
    })
}

/// Which parts may be named.
fn check_uses(path: &str, production: &str) -> Vec<String> {
    let part = path.split(['/', '.']).next().unwrap();
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == part) else {
        return vec![format!("`{part}` is not in the map of who may name whom")];
    };
    let mut errors = Vec::new();
    let root = if part == "main" { "fanfare::" } else { "crate::" };
    for used in named_parts(production, root) {
        if used != part && !allowed.contains(&used) {
            errors.push(format!("`{part}` may not use `{used}`"));
        }
    }
    if path == "engine.rs" {
        let public = production.lines().filter_map(|line| line.strip_prefix("pub mod "));
        for module in public.filter(|module| !module.starts_with("facade")) {
            errors.push(format!("`{module}` must be private: others see the façade alone"));
        }
    }
    if let Some(connector) = path.strip_prefix("connectors/") {
        let own = connector.split(['/', '.']).next().unwrap();
        let others = named_parts(production, "connectors::");
        for other in others.into_iter().filter(|it| it.starts_with(char::is_lowercase)) {
            if other != own && other != "self" && other != "meta" {
                errors.push(format!("the connector `{own}` may not use `{other}`"));
            }
        }
    }
    errors
}

/// Every `x` in `root::x` and in `root::{x::…, y::…}`.
fn named_parts<'a>(text: &'a str, root: &str) -> Vec<&'a str> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let first_word = |text: &'a str| text.split(|letter| !is_word(letter)).next().unwrap();
    let mut parts = Vec::new();
    for (at, _) in text.match_indices(root) {
        if text[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let rest = &text[at + root.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            parts.push(first_word(rest));
            continue;
        };
        let (mut depth, mut begins) = (0, true);
        for (index, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                _ if begins && is_word(letter) => {
                    parts.push(first_word(&group[index..]));
                    begins = false;
                }
                _ => (),
            }
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn check_lengths(path: &str, text: &str, production: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let lines = text.lines().count();
    let may_be_long = LONG_FILES.iter().any(|(known, _)| *known == path);
    match (lines > FILE_LINES_MAX, may_be_long) {
        (true, false) => errors.push(format!("{lines} lines, the limit is {FILE_LINES_MAX}")),
        (false, true) => errors.push("needs no exception for its length any more".to_owned()),
        (true, true) | (false, false) => (),
    }
    for (line, name, length) in long_functions(production) {
        let function = format!("{path}: {name}");
        if !LONG_FUNCTIONS.iter().any(|(known, _)| *known == function) {
            errors.push(format!(
                "line {line}: `{name}` has {length} lines, the limit is {FUNCTION_LINES_MAX}"
            ));
        }
    }
    errors
}

/// The text with comments and everything behind `#[cfg(test)]` blanked, so that line numbers stay.
/// rustfmt closes an item at the indentation at which it began.
fn without_tests(text: &str) -> String {
    let mut production = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        if code == "#[cfg(test)]" {
            let indent = &line[..line.len() - code.len()];
            production.push('\n');
            for line in lines.by_ref() {
                production.push('\n');
                let inside = line.strip_prefix(indent).unwrap_or(line);
                let is_attribute = inside.starts_with("#[");
                let closes = inside.starts_with('}') || inside.ends_with(';');
                if !inside.starts_with(' ') && !is_attribute && closes {
                    break;
                }
            }
            continue;
        }
        if !code.starts_with("//") {
            production.push_str(line);
        }
        production.push('\n');
    }
    production
}

/// `(line, name, length)` of each function that is too long.
fn long_functions(text: &str) -> Vec<(usize, &str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let close = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let ends = lines[start..].iter().find_map(|line| match line.chars().last() {
            Some('{') => Some(true),
            Some(';') => Some(false),
            _ => None,
        });
        if ends == Some(false) {
            continue;
        }
        let length = lines[start..].iter().position(|&it| it == close).map_or(1, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            long.push((start + 1, name, length));
        }
    }
    long
}

fn function_name(line: &str) -> Option<&str> {
    let (head, rest) = line.trim_start().split_once("fn ")?;
    let is_head = head.split_whitespace().all(|word| {
        word.starts_with("pub") || matches!(word, "async" | "const" | "in" | "unsafe" | "super)")
    });
    let name = rest.split(|it: char| !it.is_alphanumeric() && it != '_').next()?;
    (is_head && !name.is_empty()).then_some(name)
}

/// `check` complains of `text` at `path` with these words.
fn fires(path: &str, text: &str, words: &str) {
    let errors = check(path, &format!("//! x\n{text}"), Nature::of(path));
    assert!(errors.iter().any(|error| error.contains(words)), "{path}: {errors:?}");
}

fn passes(path: &str, text: &str) {
    assert_eq!(check(path, &format!("//! x\n{text}"), Nature::of(path)), [""; 0], "{path}");
}

#[test]
fn rules_fire() {
    assert!(check("domain/a.rs", "struct A;", Nature::Production)[0].contains("must open with"));
    fires("engine/utils.rs", "", "name the module");
    fires("tests/engine/helpers.rs", "", "name the module");
    fires("connectors/x.rs", "reqwest::get()", "use `net::Client`");
    fires("connectors/x.rs", "tokio::time::sleep(wait)", "or a message sent later");
    fires("engine/x.rs", "std::env::var(NAME)", "the config section");
    fires("engine/x.rs", "use oauth2::Client;", "use `net::oauth`");
    fires("engine/x.rs", "image::open(path)", "use `pixels`");
    fires("store/view.rs", "use sled::Db;", "the typed methods");
    fires("store/vault.rs", "rand::random()", "use `Entropy`");
    fires("policy/due.rs", "let now = SystemTime::now();", "the `now` you were given");
    fires("policy/due.rs", "now.unwrap()", "naming the invariant");
    fires("api/x.rs", "#[cfg(test)]\nmod tests {\n    dbg!(1);\n}\ndbg!(2);", "a tracing event");
    fires("domain/a.rs", concat!("// FIX", "ME"), "mend it");
    fires("tests/a.rs", &"x".repeat(101), "line 2 is wider");
    fires("domain/a.rs", &"x\n".repeat(500), "501 lines");
    let long = |head: &str| format!("{head} long() {{\n{}}}", "    x();\n".repeat(69));
    fires("domain/a.rs", &long("pub(super) async fn"), "`long` has 71 lines");
}

#[test]
fn borders_hold() {
    fires("policy/due.rs", "use crate::store::Store;", "`policy` may not use `store`");
    fires("domain/a.rs", "crate::engine::start()", "`domain` may not use `engine`");
    fires("sandbox/x.rs", "use crate::connectors::Reply;", "`sandbox` may not use `connectors`");
    fires("main.rs", "fanfare::engine::run()", "`main` may not use `engine`");
    let group = "use crate::{\n    domain::{a, b},\n    store::{self, Store},\n};";
    fires("api/posts.rs", group, "`api` may not use `store`");
    fires("api/posts.rs", "use crate::{domain, net};", "`api` may not use `net`");
    fires("plugins/x.rs", "", "not in the map");
    fires("engine.rs", "pub mod scheduler;", "must be private");
    fires("connectors/x.rs", "use crate::connectors::bluesky::At;", "may not use `bluesky`");
    fires("connectors/x/y.rs", "use crate::connectors::{Reply, bluesky};", "may not use `bluesky`");
}

#[test]
fn what_is_allowed_passes() {
    passes("engine/a.rs", "use crate::{\n    domain::{a, b::c},\n    policy::b,\n};");
    passes("engine.rs", "pub mod facade;\nmod scheduler;");
    passes("connectors/x/y.rs", "use crate::connectors::{Reply, x::Step};");
    passes("connectors/x.rs", "Errand::deserialize(it);\n// std::env, crate::engine");
    passes("store/kv.rs", "sled::open(path)");
    passes("net.rs", "reqwest::get()");
    passes(
        "domain/a.rs",
        "#[cfg(test)]\nmod conformance;\n\n/// See [`crate::engine`].\nfn a() {}",
    );
    passes("domain/a.rs", "#[cfg(test)]\nmod tests {\n    fn a() { b().unwrap(); }\n}");
    passes("domain/a.rs", &format!("// https://{}", "x".repeat(101)));
    passes("tests/a.rs", "std::env::var(NAME).unwrap()");
    passes("domain/a.rs", "trait A {\n    fn declared(&self);\n}\n\nfn short() {}");
    assert_eq!(test_modules("net/a.rs", "#[cfg(test)]\nmod tests;\nmod b;"), ["net/a/tests"]);
}
