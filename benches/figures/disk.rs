//! What the disk itself takes for a sync, to read the other figures by.

use std::{io::Write, time::Instant};

use crate::{
    Scale,
    house::directory,
    measure::{Samples, heading, line, millis},
};

const APPENDS: usize = 500;

pub(crate) async fn measure(_: Scale) {
    heading("disk", "500 appends of 512 bytes to one file, each with sync_data");
    let directory = directory();
    let mut file = std::fs::File::create(directory.path().join("appended")).expect("a file");
    let mut samples = Samples::default();
    for _ in 0..APPENDS {
        let began = Instant::now();
        file.write_all(&[7; 512]).and_then(|()| file.sync_data()).expect("the disk takes it");
        samples.0.push(began.elapsed());
    }
    let (half, most) = (samples.at(0.5), samples.at(0.99));
    line("append and sync", &format!("p50 {}, p99 {}", millis(half), millis(most)), "");
}
