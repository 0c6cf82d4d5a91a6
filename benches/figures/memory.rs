//! What connected accounts cost in memory.

use crate::{
    Scale,
    child::{self, Ending},
    house::directory,
    measure::{heading, line},
};

pub(crate) async fn measure(scale: Scale) {
    let accounts = scale.choose(10_000, 500);
    heading(
        "memory",
        &format!("VmRSS of a process that has only an engine, {accounts} accounts; one run"),
    );
    let (empty, full) = (directory(), directory());
    let idle = kib(&child::start("start", empty.path())["kib"]);
    line("idle, nothing stored", &mebibytes(idle), "30 MB");
    child::fill(full.path(), accounts, 0, Ending::Stopped);
    let said = child::start("wake", full.path());
    let (resting, awake) = (kib(&said["kib"]), kib(&said["awake_kib"]));
    let each = awake.saturating_sub(resting) / accounts;
    line("all connected, resting", &mebibytes(resting), "");
    line(
        &format!("{} of them awake", said["awake"]),
        &format!("{}, {each} KiB for each", mebibytes(awake)),
        "",
    );
}

fn kib(text: &str) -> usize {
    text.parse().expect("a number")
}

fn mebibytes(kib: usize) -> String {
    format!("{} MiB", kib / 1024)
}
