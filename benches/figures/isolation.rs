//! One account that hangs, and forty-nine that should not notice.

use std::time::Duration;

use fanfare::{
    domain::{ids::MediaId, time::Timestamp},
    sandbox::{Fault, FaultKind, LedgerEntry, Operation},
};

use crate::{
    Scale,
    house::{House, handle, lateness, ledger, post_with},
    measure::{Samples, heading, line, millis},
};

const ACCOUNTS: usize = 50;
const PER_SECOND: usize = 50;
const AHEAD: Duration = Duration::from_secs(12);

pub(crate) async fn measure(scale: Scale) {
    let seconds = scale.choose(25, 5);
    heading(
        "isolation",
        &format!(
            "{ACCOUNTS} accounts, {PER_SECOND} posts a second for {seconds} s; the lateness of 49 \
             of them, without and with an upload of the fiftieth that hangs; one run each"
        ),
    );
    let house = House::new(ACCOUNTS).await;
    let media = picture(&house).await;
    let calm = run(&house, seconds).await;
    line("nobody hangs", &calm, "");
    house.stage.sandbox.inject(Fault {
        account: Some(handle(0)),
        times: u64::MAX,
        ..Fault::new(FaultKind::Hang, Operation::Upload)
    });
    let due = house.engine.clock().now().after(AHEAD);
    let hanging = post_with(house.accounts[0], due, media);
    house.engine.create_post(&house.caller, hanging, None).await.expect("it is planned");
    let troubled = run(&house, seconds).await;
    line("one hangs", &troubled, "the same");
    house.close().await;
}

/// Everybody publishes in turn but the first account.
async fn run(house: &House, seconds: usize) -> String {
    let before = house.stage.sandbox.ledger().len();
    let first = house.engine.clock().now().after(AHEAD);
    let count = PER_SECOND * seconds;
    let due = |number: usize| -> Timestamp {
        let step = 1_000 / PER_SECOND as u64;
        first.after(Duration::from_millis(step * number as u64))
    };
    house.fill(count, |number| (1 + number % (ACCOUNTS - 1), due(number))).await;
    let patience = AHEAD + Duration::from_secs(seconds as u64 + 10);
    let entries = ledger(&house.stage, before + count, patience).await;
    let others = |entry: &&LedgerEntry| entry.handle != handle(0);
    let mut late = Samples(entries[before..].iter().filter(others).map(lateness).collect());
    format!(
        "{} published, p50 {}, p99 {}, max {}",
        late.0.len(),
        millis(late.at(0.5)),
        millis(late.at(0.99)),
        millis(late.at(1.0))
    )
}

/// A PNG of one pixel.
async fn picture(house: &House) -> MediaId {
    let bytes = [
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0,
        0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A',
        b'T', 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x56, 0xc7, 0x2f,
        0x0d, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
    ];
    let mut upload = house.engine.begin_upload(&house.caller).await.expect("there is room");
    upload.write(&bytes).await.expect("there is room");
    let kept = house.engine.upload(&house.caller, "picture.png", upload, None).await;
    kept.expect("it is a picture").id
}
