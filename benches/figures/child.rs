//! What runs in a process of its own: so that it can be killed, or so that its memory is its own.
//!
//! A child prints `key=value` lines; its parent reads them.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fanfare::{
    engine::{Engine, facade::Page},
    store::INSTANCE,
};

use crate::house::{self, Stage};

/// What a child does, in the directory that it is given.
pub(crate) enum Role {
    /// Makes a store with so many accounts and planned deliveries.
    Fill { directory: PathBuf, accounts: usize, planned: usize, ending: Ending },
    /// Starts on what is there, and says how long that took and how much memory it has.
    Start { directory: PathBuf },
    /// The same, then wakes every account.
    Wake { directory: PathBuf },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Stopped,
    /// Waits to be killed.
    Killed,
}

const MARK: &str = "--child";

pub(crate) fn role(arguments: &[String]) -> Option<Role> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("a number");
    match arguments.as_slice() {
        [MARK, "fill", directory, accounts, planned, ending] => Some(Role::Fill {
            directory: directory.into(),
            accounts: number(accounts),
            planned: number(planned),
            ending: if *ending == "stopped" { Ending::Stopped } else { Ending::Killed },
        }),
        [MARK, "start", directory] => Some(Role::Start { directory: directory.into() }),
        [MARK, "wake", directory] => Some(Role::Wake { directory: directory.into() }),
        _ => None,
    }
}

/// A store with so many accounts and planned deliveries, made by a child that has ended.
pub(crate) fn fill(directory: &Path, accounts: usize, planned: usize, ending: Ending) {
    let ended = if ending == Ending::Stopped { "stopped" } else { "killed" };
    let (accounts, planned) = (accounts.to_string(), planned.to_string());
    let mut child = begin(&["fill", &text(directory), &accounts, &planned, ended]);
    read(&mut child);
    if ending == Ending::Killed {
        child.kill().expect("it is ours");
    }
    child.wait().expect("it is ours");
}

/// What a child that starts on `directory` says.
pub(crate) fn start(role: &str, directory: &Path) -> BTreeMap<String, String> {
    let mut child = begin(&[role, &text(directory)]);
    let said = read(&mut child);
    child.wait().expect("it is ours");
    said
}

fn text(directory: &Path) -> String {
    directory.to_str().expect("the path is text").to_owned()
}

fn begin(arguments: &[&str]) -> Child {
    let program = std::env::current_exe().expect("we run from a file");
    let mut command = Command::new(program);
    command.arg(MARK).args(arguments).stdout(Stdio::piped());
    command.spawn().expect("a child starts")
}

/// Until it says `done`.
fn read(child: &mut Child) -> BTreeMap<String, String> {
    let output = child.stdout.take().expect("it is piped");
    let mut said = BTreeMap::new();
    for line in BufReader::new(output).lines() {
        let line = line.expect("it is text");
        if line == "done" {
            return said;
        }
        if let Some((key, value)) = line.split_once('=') {
            said.insert(key.to_owned(), value.to_owned());
        }
    }
    panic!("the child ended before it was done");
}

pub(crate) async fn play(role: Role) {
    match role {
        Role::Fill { directory, accounts, planned, ending } => {
            let stage = Stage::new();
            let engine = house::engine(&directory, &stage.origin).await;
            let caller = house::found(&engine).await;
            let accounts = house::connect(&engine, &caller, &stage.origin, accounts).await;
            let far = house::in_a_year(&engine);
            let posts = (0..planned).map(|number| {
                let due = far.after(Duration::from_millis(number as u64));
                (accounts[number % accounts.len()], due)
            });
            house::fill(&engine, &caller, posts.collect()).await;
            if ending == Ending::Stopped {
                engine.stop(Duration::from_secs(5)).await;
                // The last clone of the store closes it.
                drop(engine);
            }
            println!("done");
            if ending == Ending::Killed {
                std::future::pending::<()>().await;
            }
        }
        Role::Start { directory } => {
            start_and_say(&directory).await.stop(Duration::from_secs(5)).await;
            println!("done");
        }
        Role::Wake { directory } => {
            let engine = start_and_say(&directory).await;
            wake_all(&engine).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            println!("awake={}", engine.awake().await);
            println!("awake_kib={}", resident_kib());
            engine.stop(Duration::from_secs(5)).await;
            println!("done");
        }
    }
}

async fn start_and_say(directory: &Path) -> Engine {
    let began = Instant::now();
    let engine = house::engine(directory, "http://127.0.0.1:1").await;
    while !engine.readiness().ready {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("ready_micros={}", began.elapsed().as_micros());
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("kib={}", resident_kib());
    engine
}

/// Resuming an account wakes its actor, and changes nothing if it was not paused.
async fn wake_all(engine: &Engine) {
    let instance = engine.operator(INSTANCE);
    let organizations = engine.organizations(&instance, &Page::default()).expect("it may look");
    let caller = engine.operator(organizations.items[0].id);
    let mut page = Page { after: None, limit: 200 };
    loop {
        let accounts = engine.accounts(&caller, &page).expect("it may look");
        for account in accounts.items {
            engine.resume_account(&caller, account.id).await.expect("it may");
        }
        page.after = accounts.next;
        if page.after.is_none() {
            return;
        }
    }
}

/// `VmRSS` of this process.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it is there");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}
