//! The program as people start it: what it prints, what it refuses, and its exit codes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Knows nothing of the machine's settings.
fn fanfare(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    command.current_dir(folder).env_clear().env("TMPDIR", folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    fanfare(folder).args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn printed(output: &Output) -> String {
    assert_eq!(code(output), 0, "{}", said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// With something on the standard input.
fn told(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = fanfare(folder);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A service on some free port, ended with the test.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(folder: &Path) -> Serving {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = fanfare(folder);
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let begun = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("answers at")));
        assert!(begun.is_some(), "the service ended before it answered");
        // Read on, or the service would block when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_demonstration_ends_as_its_script_wants() {
    let folder = TempDir::new().unwrap();
    let tally = json(&run(folder.path(), &["demo", "--once", "--json"]));
    for nothing in ["duplicates", "lost", "out_of_order", "other"] {
        assert_eq!(tally[nothing], 0, "{tally}");
    }
    assert_eq!((&tally["deliveries"], &tally["cancelled"]), (&31.into(), &1.into()));
    let classic = ["demo", "--once", "--json", "--platforms", "classic"];
    assert_eq!(json(&run(folder.path(), &classic))["deliveries"], 23);
    let slip = run(folder.path(), &["demo", "--once", "--platforms", "treads"]);
    assert_eq!(code(&slip), 2);
    assert!(said(&slip).contains("Did you mean `threads`?"), "{}", said(&slip));
    // It leaves nothing behind.
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn platforms_and_the_description_are_printed_for_programs() {
    let folder = TempDir::new().unwrap();
    let platforms = json(&run(folder.path(), &["platforms", "--json"]));
    let names: Vec<&str> =
        platforms.as_array().unwrap().iter().filter_map(|one| one["platform"].as_str()).collect();
    let known: Vec<&str> =
        fanfare::connectors::ALL.iter().map(|connector| connector.profile().platform).collect();
    assert_eq!(names, known);
    let mastodon = &platforms[names.iter().position(|name| *name == "mastodon").unwrap()];
    let callback = "http://127.0.0.1:7700/oauth/mastodon/callback";
    assert_eq!(mastodon["callback_url"], callback);
    assert_eq!(mastodon["logins"][0]["kind"], "oauth_any_server");
    assert_eq!(mastodon["options"][0]["values"][0], "public");
    assert_eq!(json(&run(folder.path(), &["openapi"]))["openapi"], "3.1.0");
}

#[test]
fn guides_name_the_redirect_of_this_instance() {
    let folder = TempDir::new().unwrap();
    let list = printed(&run(folder.path(), &["guide"]));
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(["bluesky", "mastodon", "x"].iter().all(|name| names.contains(name)), "{list}");
    for name in names {
        let guide = printed(&run(folder.path(), &["guide", name]));
        assert!(guide.starts_with("# Connecting ") && !guide.contains("{callback}"), "{guide}");
    }
    let mut command = fanfare(folder.path());
    command.args(["guide", "mastodon"]).env("FANFARE_SERVER__PUBLIC_URL", "https://posts.example");
    let guide = printed(&command.output().unwrap());
    assert!(guide.contains("`https://posts.example/oauth/mastodon/callback`"), "{guide}");
    let unknown = run(folder.path(), &["guide", "mastodn"]);
    assert_eq!(code(&unknown), 2);
    let sentence = "There is no platform `mastodn` in this build. Did you mean `mastodon`?";
    assert!(said(&unknown).contains(sentence), "{}", said(&unknown));
}

#[test]
fn the_first_key_is_made_once_and_not_beside_a_running_service() {
    let folder = TempDir::new().unwrap();
    let made = json(&run(folder.path(), &["init", "--json"]));
    assert!(made["key"].as_str().is_some_and(|key| key.starts_with("ff_")), "{made}");
    let again = run(folder.path(), &["init"]);
    assert_eq!(code(&again), 1);
    assert!(said(&again).contains("There is an organization already."), "{}", said(&again));
    let serving = Serving::start(folder.path());
    let held = run(folder.path(), &["init"]);
    assert_eq!(code(&held), 3);
    assert!(said(&held).contains("another Fanfare is running"), "{}", said(&held));
    drop(serving);
}

#[test]
fn keys_are_made_listed_and_revoked_with_and_without_a_running_service() {
    let folder = TempDir::new().unwrap();
    let none = run(folder.path(), &["key", "list"]);
    assert_eq!(code(&none), 1);
    assert!(said(&none).contains("Run `fanfare init` first."), "{}", said(&none));
    json(&run(folder.path(), &["init", "--json"]));
    let make = |name: &str| {
        json(&run(folder.path(), &["key", "create", "--name", name, "--scope", "read", "--json"]))
    };
    let without = make("without");
    let serving = Serving::start(folder.path());
    let with = make("with");
    for made in [&without, &with] {
        assert!(made["text"].as_str().unwrap().starts_with("ff_"), "{made}");
    }
    let listed = json(&run(folder.path(), &["key", "list", "--json"]));
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["first key", "without", "with"]);
    let table = printed(&run(folder.path(), &["key", "list"]));
    assert!(table.contains("organization  never      never    without"), "{table}");
    let id = with["id"].as_str().unwrap();
    assert!(printed(&run(folder.path(), &["key", "revoke", id])).contains("is revoked"));
    let again = run(folder.path(), &["key", "revoke", id]);
    assert_eq!(code(&again), 1);
    assert!(said(&again).contains("There is no key"), "{}", said(&again));
    let wrong = run(folder.path(), &["key", "create", "--name", "k", "--scope", "root"]);
    assert!(said(&wrong).contains("Use one of: read, draft, publish, admin."), "{}", said(&wrong));
    drop(serving);
    // Killed, it left its socket behind.
    let listed = json(&run(folder.path(), &["key", "list", "--json"]));
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn the_control_socket_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    json(&run(folder.path(), &["init", "--json", "--data", "d"]));
    let made = run(folder.path(), &["key", "list", "--data", "d"]);
    assert_eq!(code(&made), 0, "{}", said(&made));
    for place in ["d", "d/control"] {
        let mode = std::fs::metadata(folder.path().join(place)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{place}");
    }
    assert!(!folder.path().join("d/control/socket").exists());
}

#[test]
fn the_first_person_is_set_up_by_a_link_and_members_are_invited_and_rescued() {
    let folder = TempDir::new().unwrap();
    let mut serving = Serving::start(folder.path());
    let mut printed = BufReader::new(serving.child.stdout.take().unwrap()).lines();
    let line = printed.find(|line| line.as_ref().unwrap().contains("/setup/")).unwrap().unwrap();
    let link = line.trim();
    assert!(link.starts_with(&serving.url), "{link}");
    let token = link.rsplit('/').next().unwrap();
    let body = format!(
        "{{\"token\":\"{token}\",\"organization\":\"Home\",\"name\":\"Ada\",\
         \"email\":\"ada@example.org\",\"password\":\"quiet gulls above lanterns\"}}"
    );
    let seated = post(&serving.url, "/api/v1/setup", &body);
    assert!(seated.starts_with("HTTP/1.1 200"), "{seated}");
    assert!(seated.contains("set-cookie: fanfare="), "{seated}");

    let listed = run(folder.path(), &["member", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("ada@example.org") && listed.contains("owner"), "{listed}");
    let invited = json(&run(folder.path(), &["member", "invite", "--role", "viewer", "--json"]));
    let link = invited["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/invitations/", serving.url)), "{invited}");
    let unknown = run(folder.path(), &["member", "reset", "bob@example.org"]);
    assert_eq!(code(&unknown), 1);
    assert!(said(&unknown).contains("No member has the address"), "{}", said(&unknown));

    // Nobody has to run for it; but whose link it is says `server.public_url`.
    drop(serving);
    let reset = run(folder.path(), &["member", "reset", "ADA@example.org"]);
    let reset = String::from_utf8(reset.stdout).unwrap();
    assert!(reset.contains("http://127.0.0.1:7700/reset/"), "{reset}");
    let mut serving = Serving::start(folder.path());
    let mut printed = serving.child.stdout.take().unwrap();
    drop(serving);
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "somebody can log in");
}

/// The answer as it comes.
fn post(url: &str, path: &str, body: &str) -> String {
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_app_is_set_from_the_standard_input_listed_without_its_secret_and_removed() {
    let folder = TempDir::new().unwrap();
    json(&run(folder.path(), &["init", "--json"]));
    let serving = Serving::start(folder.path());
    let set = told(folder.path(), &["app", "set", "linkedin", "--client-id", "ours"], "hidden\n");
    let callback = format!("{}/oauth/linkedin/callback", serving.url);
    assert!(printed(&set).contains(&callback), "{}", said(&set));
    let listed = run(folder.path(), &["app", "list", "--json"]);
    let apps = json(&listed);
    let of = |platform: &str| {
        apps.as_array().unwrap().iter().find(|app| app["platform"] == platform).unwrap().clone()
    };
    assert_eq!(of("linkedin")["client_id"], "ours");
    assert_eq!(of("linkedin")["client_secret"], true);
    assert!(of("x")["client_id"].is_null());
    assert!(!printed(&listed).contains("hidden"));
    let table = printed(&run(folder.path(), &["app", "list"]));
    assert!(table.contains("linkedin") && table.contains(&callback), "{table}");
    let wrong = told(folder.path(), &["app", "set", "linkedn", "--client-id", "ours"], "\n");
    assert_eq!(code(&wrong), 1);
    assert!(said(&wrong).contains("linkedin"), "{}", said(&wrong));
    let removed = run(folder.path(), &["app", "remove", "linkedin"]);
    assert!(printed(&removed).contains("removed with its secret"));
    assert!(!printed(&run(folder.path(), &["app", "list"])).contains("ours"));
}

#[test]
fn an_organization_is_made_deleted_and_restored_from_the_command_line() {
    let folder = TempDir::new().unwrap();
    json(&run(folder.path(), &["init", "--json"]));
    let made = json(&run(folder.path(), &["organization", "create", "Bakery", "--json"]));
    let id = made["id"].as_str().unwrap();
    let deleted = printed(&run(folder.path(), &["organization", "delete", id]));
    assert!(deleted.contains("(Bakery) is deleted"), "{deleted}");
    let table = printed(&run(folder.path(), &["organization", "list"]));
    assert!(table.contains("erased from") && table.contains("runs"), "{table}");
    let restored = printed(&run(folder.path(), &["organization", "restore", id]));
    assert!(restored.contains("(Bakery) is restored"), "{restored}");
    assert!(!printed(&run(folder.path(), &["organization", "list"])).contains("erased from"));
    let unknown = run(folder.path(), &["organization", "delete", "org_nobody"]);
    assert_eq!(code(&unknown), 1);
}

#[test]
fn the_vault_gets_a_new_key_and_the_audit_is_exported_and_verified_from_the_command_line() {
    let folder = TempDir::new().unwrap();
    json(&run(folder.path(), &["init", "--json"]));
    let before = json(&run(folder.path(), &["vault", "status", "--json"]));
    let serving = Serving::start(folder.path());
    let rotated = json(&run(folder.path(), &["vault", "rotate", "--json"]));
    assert_ne!(rotated["key"], before["key"]);
    assert_eq!(json(&run(folder.path(), &["vault", "status", "--json"]))["key"], rotated["key"]);
    let again = run(folder.path(), &["vault", "rotate"]);
    assert!(code(&again) == 1 && said(&again).contains("still kept"), "{}", said(&again));
    assert!(printed(&run(folder.path(), &["audit", "verify"])).contains("whole"));
    let export = printed(&run(folder.path(), &["audit", "export"]));
    drop(serving);
    let file = folder.path().join("audit.jsonl");
    std::fs::write(&file, &export).unwrap();
    let verify = ["audit", "verify", "audit.jsonl"];
    assert!(json(&run(folder.path(), &[&verify[..], &["--json"]].concat()))["intact"] == true);
    std::fs::write(&file, export.replacen("first key", "other key", 1)).unwrap();
    let changed = run(folder.path(), &verify);
    assert!(code(&changed) == 1 && said(&changed).contains("line "), "{}", said(&changed));
}

#[test]
fn health_is_the_exit_code() {
    let folder = TempDir::new().unwrap();
    let serving = Serving::start(folder.path());
    let url = format!("{}/readyz", serving.url);
    assert_eq!(code(&run(folder.path(), &["healthcheck", "--url", &url])), 0);
    drop(serving);
    let gone = run(folder.path(), &["healthcheck", "--url", &url]);
    assert_eq!(code(&gone), 1);
    assert!(said(&gone).contains("Nobody answers at"), "{}", said(&gone));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_service_in_order() {
    let folder = TempDir::new().unwrap();
    let mut serving = Serving::start(folder.path());
    let process = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let folder = TempDir::new().unwrap();
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap().to_string();
    let port = address.split(':').next_back().unwrap();
    for (arguments, variable, expected, sentence) in [
        (
            ["serve", "--listen", &address],
            ("A", ""),
            4,
            format!("Port {port} on 127.0.0.1 is in use"),
        ),
        (["serve", "--config", "no.toml"], ("A", ""), 2, "no.toml cannot be read".to_owned()),
        (
            ["serve", "--data", "d"],
            ("FANFARE_SERVER__LISTNE", "x"),
            2,
            "Did you mean `server.listen`?".to_owned(),
        ),
        (["init", "--data", "d"], ("FANFARE_VAULT__KEY", "abc"), 3, "is not a key".to_owned()),
        (["init", "--data", "/proc/d"], ("A", ""), 3, "/proc/d cannot be made".to_owned()),
    ] {
        let (name, value) = variable;
        let output = fanfare(folder.path()).args(arguments).env(name, value).output().unwrap();
        assert_eq!(code(&output), expected, "{}", said(&output));
        assert!(said(&output).contains(&sentence), "{}", said(&output));
    }
}

#[test]
fn a_store_is_opened_only_with_its_own_key() {
    let folder = TempDir::new().unwrap();
    let with = |digit: &str| {
        let mut command = fanfare(folder.path());
        command.arg("init").env("FANFARE_VAULT__KEY", digit.repeat(64)).output().unwrap()
    };
    assert_eq!(code(&with("1")), 0);
    let wrong = with("2");
    assert_eq!(code(&wrong), 3);
    assert!(said(&wrong).contains("the vault key does not fit this store"), "{}", said(&wrong));
}
