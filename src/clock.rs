//! The only source of time, and the only place that sleeps.
//!
//! Wall-clock time decides when posts are due, so it is read anew each time: a clock that is set,
//! or a machine that was suspended, is noticed. A scaled clock runs faster than the wall's, so that
//! a demonstration or a test sees a minute pass in a second.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::domain::time::Timestamp;

#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Wall,
    Scaled { wall: Timestamp, since: Instant, speed: u32, turned: AtomicI64 },
}

impl Clock {
    pub fn wall() -> Clock {
        Clock(Arc::new(Kind::Wall))
    }

    /// Starts at the wall's time and passes `speed` times as fast.
    pub fn scaled(speed: u32) -> Clock {
        Clock::scaled_from(wall_now(), speed)
    }

    /// Starts at `start`, so that an engine that starts again goes on where its clock stood.
    pub fn scaled_from(start: Timestamp, speed: u32) -> Clock {
        let since = Instant::now();
        let turned = AtomicI64::new(0);
        Clock(Arc::new(Kind::Scaled { wall: start, since, speed: speed.max(1), turned }))
    }

    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Kind::Wall => wall_now(),
            Kind::Scaled { wall, since, speed, turned } => {
                let passed = since.elapsed() * *speed;
                Timestamp(wall.after(passed).0.saturating_add_signed(turned.load(Ordering::SeqCst)))
            }
        }
    }

    /// Sets a scaled clock forward or back, as an administrator would set the wall's. Does nothing
    /// to the wall's clock.
    pub fn turn(&self, by_millis: i64) {
        if let Kind::Scaled { turned, .. } = &*self.0 {
            turned.fetch_add(by_millis, Ordering::SeqCst);
        }
    }

    /// Sleeps for `wait` on this clock. A reminder, never a promise: look at [`Clock::now`] after.
    pub async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(self.real(wait)).await;
    }

    /// `None` when `work` took longer than `limit`. Networks do not run faster on a scaled clock,
    /// so `limit` is real time.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(limit, work).await.ok()
    }

    /// How long `wait` on this clock really takes.
    pub fn real(&self, wait: Duration) -> Duration {
        match &*self.0 {
            Kind::Wall => wait,
            Kind::Scaled { speed, .. } => wait / *speed,
        }
    }

    /// For measuring how long something took, unmoved by a clock that is set.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { since: Instant::now() }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    since: Instant,
}

impl Stopwatch {
    /// Real time, on any clock.
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }
}

fn wall_now() -> Timestamp {
    // A clock before 1970 is a machine without a battery; everything is then overdue by nothing.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_clock_starts_where_it_is_told_and_can_be_turned_back() {
        let clock = Clock::scaled_from(Timestamp(1_000_000), 1_000);
        assert!(clock.now() >= Timestamp(1_000_000));
        clock.turn(-900_000);
        assert!(clock.now() < Timestamp(1_000_000));
        assert_eq!(clock.real(Duration::from_secs(5)), Duration::from_millis(5));
    }
}
