//! Instants as stored, and the wall time plus zone that a person meant.
//!
//! Invariant: a planned local time always has an instant. A local time that a clock change skips
//! means the first instant after the gap; one that a clock change repeats means its first
//! occurrence.

use std::{fmt, time::Duration};

use chrono::{DateTime, LocalResult, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

/// The calendar day of `zone` that `now` is in. A zone that nobody knows counts as UTC.
pub fn day_in(zone: &str, now: Timestamp) -> std::ops::Range<Timestamp> {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
    let local = chrono::DateTime::from_timestamp_millis(millis).map(|at| at.with_timezone(&zone));
    let Some(date) = local.map(|local| local.date_naive()) else { return now..now };
    let begins = |date: chrono::NaiveDate| {
        // Where clocks go forward at midnight, the day begins with its first hour that there is.
        let midnight = (0..24).find_map(|hour| {
            let time = date.and_hms_opt(hour, 0, 0)?;
            time.and_local_timezone(zone).earliest()
        });
        midnight.and_then(|at| u64::try_from(at.timestamp_millis()).ok()).map(Timestamp)
    };
    let (start, end) = (begins(date), date.succ_opt().and_then(begins));
    start.unwrap_or(now)..end.unwrap_or(now)
}

impl Timestamp {
    pub fn after(self, wait: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(whole_millis(wait)))
    }

    pub fn before(self, lead: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(whole_millis(lead)))
    }

    /// How long until `self`; zero when it has passed.
    pub fn remaining(self, now: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }

    /// How long ago `self` was; zero when it is still to come.
    pub fn elapsed(self, now: Timestamp) -> Duration {
        Duration::from_millis(now.0.saturating_sub(self.0))
    }

    /// Reads RFC 3339 with any offset. `None` for anything else, and for years before 1970.
    pub fn parse(text: &str) -> Option<Timestamp> {
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        u64::try_from(parsed.timestamp_millis()).ok().map(Timestamp)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-21T09:00:00.000Z`.
    pub fn rfc3339(self) -> String {
        match i64::try_from(self.0).ok().and_then(DateTime::from_timestamp_millis) {
            Some(date) => date.to_rfc3339_opts(SecondsFormat::Millis, true),
            None => format!("{} ms after 1970", self.0),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A time as a person chose it: what the clock on the wall shows, and where that wall is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    pub wall: NaiveDateTime,
    pub zone: Tz,
}

impl std::str::FromStr for Timestamp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Timestamp, &'static str> {
        Timestamp::parse(text).ok_or("it is not a time such as 2026-11-21T09:00:00Z")
    }
}

impl LocalTime {
    /// Reads `2026-11-21T09:00` or `2026-11-21T09:00:30`, and an IANA zone name.
    pub fn parse(wall: &str, zone: &str) -> Result<LocalTime, LocalTimeError> {
        let wall = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(wall, format).ok())
            .ok_or(LocalTimeError::Wall)?;
        let zone = zone.parse().map_err(|_| LocalTimeError::Zone)?;
        Ok(LocalTime { wall, zone })
    }

    /// The instant that this wall time means. `None` only before 1970 or past the calendar's end.
    pub fn instant(self) -> Option<Timestamp> {
        let found = match self.zone.from_local_datetime(&self.wall) {
            LocalResult::Single(instant) => Some(instant.with_timezone(&Utc)),
            LocalResult::Ambiguous(first, _) => Some(first.with_timezone(&Utc)),
            LocalResult::None => self.first_instant_after_the_gap(),
        };
        u64::try_from(found?.timestamp_millis()).ok().map(Timestamp)
    }

    /// Clocks are changed by whole minutes, so a minute's step cannot overshoot.
    fn first_instant_after_the_gap(self) -> Option<DateTime<Utc>> {
        let mut wall = self.wall.with_time_rounded_down();
        for _ in 0..MINUTES_IN_THE_LONGEST_GAP {
            wall = wall.checked_add_signed(TimeDelta::minutes(1))?;
            if let Some(instant) = self.zone.from_local_datetime(&wall).earliest() {
                return Some(instant.with_timezone(&Utc));
            }
        }
        None
    }
}

/// Samoa left out a whole day in 2011; no zone has ever left out more.
const MINUTES_IN_THE_LONGEST_GAP: u32 = 25 * 60;

trait WholeMinute {
    fn with_time_rounded_down(self) -> Self;
}

impl WholeMinute for NaiveDateTime {
    fn with_time_rounded_down(self) -> Self {
        let past = self.and_utc().timestamp().rem_euclid(60);
        self - TimeDelta::seconds(past)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    #[error("the local time must look like `2026-11-21T09:00`")]
    Wall,
    #[error("the zone must be an IANA name such as `Europe/Berlin`")]
    Zone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(wall: &str, zone: &str) -> String {
        LocalTime::parse(wall, zone).unwrap().instant().unwrap().rfc3339()
    }

    #[test]
    fn local_time_follows_summer_time() {
        assert_eq!(instant("2026-01-10T09:00", "Europe/Berlin"), "2026-01-10T08:00:00.000Z");
        assert_eq!(instant("2026-07-10T09:00", "Europe/Berlin"), "2026-07-10T07:00:00.000Z");
        assert_eq!(instant("2026-07-10T09:00", "Asia/Kathmandu"), "2026-07-10T03:15:00.000Z");
    }

    #[test]
    fn skipped_local_time_means_the_first_instant_after_the_gap() {
        assert_eq!(instant("2026-03-29T02:30:15", "Europe/Berlin"), "2026-03-29T01:00:00.000Z");
        assert_eq!(instant("2011-12-30T09:00", "Pacific/Apia"), "2011-12-30T10:00:00.000Z");
    }

    #[test]
    fn repeated_local_time_means_its_first_occurrence() {
        assert_eq!(instant("2026-10-25T02:30", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
    }

    #[test]
    fn instants_are_read_with_any_offset_and_nothing_else() {
        assert_eq!(Timestamp::parse("1970-01-01T01:00:00+01:00"), Some(Timestamp(0)));
        for text in ["", "2026-11-21", "2026-11-21T09:00:00", "1969-12-31T23:59:59Z", "now"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
