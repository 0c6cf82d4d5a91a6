//! Decides whether the version of a platform's API that is used will last.
//!
//! Some platforms answer a dead version silently with another one, so an error would come too late:
//! what is told here is told before.

use chrono::NaiveDate;

use crate::domain::{platform::ApiVersion, time::Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It lives for longer than the platform's own notice.
    Fine {
        ends: Timestamp,
    },
    Ending {
        ends: Timestamp,
        days: u64,
    },
    Dead {
        ends: Timestamp,
    },
    /// Of the newest version the end is not announced yet.
    Open,
    /// This build has never heard of it.
    Unknown,
}

/// How `used` stands at `now`.
pub fn standing(version: &ApiVersion, used: &str, now: Timestamp) -> Standing {
    let Some((_, date)) = version.ends.iter().find(|(known, _)| *known == used) else {
        return if used == version.default { Standing::Open } else { Standing::Unknown };
    };
    let Some(ends) = midnight(date) else { return Standing::Unknown };
    if ends <= now {
        return Standing::Dead { ends };
    }
    let days = now.elapsed(ends).as_secs() / DAY;
    match days < u64::from(version.alarm_days) {
        true => Standing::Ending { ends, days },
        false => Standing::Fine { ends },
    }
}

const DAY: u64 = 24 * 60 * 60;

/// The beginning of a day such as `2027-07-15`, in UTC.
fn midnight(date: &str) -> Option<Timestamp> {
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    let millis = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
    u64::try_from(millis).ok().map(Timestamp)
}

/// A sentence for whoever runs Fanfare; `None`: nothing has to be done.
pub fn alarm(platform: &str, name: &str, used: &str, standing: Standing) -> Option<String> {
    let remedy = format!("Set `platforms.{platform}.version` to a newer one, or update Fanfare");
    match standing {
        Standing::Fine { .. } | Standing::Open => None,
        Standing::Ending { ends, days } => Some(format!(
            "Version {used} of {name}'s API ends at {ends}, in {days} days. {remedy} before."
        )),
        Standing::Dead { ends } => {
            Some(format!("Version {used} of {name}'s API ended at {ends}. {remedy}."))
        }
        Standing::Unknown => Some(format!(
            "Version {used} of {name}'s API, from the settings, is not known to this build, so it \
             cannot tell when it ends."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: ApiVersion = ApiVersion {
        default: "v3",
        ends: &[("v1", "2026-01-01"), ("v2", "2027-01-01")],
        alarm_days: 90,
    };

    fn at(date: &str) -> Timestamp {
        midnight(date).unwrap()
    }

    #[test]
    fn version_is_complained_of_before_it_dies_and_after() {
        let ends = at("2027-01-01");
        for (used, now, expected) in [
            ("v2", "2026-10-03", Standing::Fine { ends }),
            ("v2", "2026-10-04", Standing::Ending { ends, days: 89 }),
            ("v2", "2026-12-31", Standing::Ending { ends, days: 1 }),
            ("v2", "2027-01-01", Standing::Dead { ends }),
            ("v1", "2026-10-04", Standing::Dead { ends: at("2026-01-01") }),
            ("v3", "2030-01-01", Standing::Open),
            ("v9", "2026-01-01", Standing::Unknown),
        ] {
            let found = standing(&VERSION, used, at(now));
            assert_eq!(found, expected, "{used} on {now}");
            let quiet = matches!(found, Standing::Fine { .. } | Standing::Open);
            assert_eq!(alarm("t", "Test", used, found).is_none(), quiet);
        }
    }

    #[test]
    fn every_end_that_a_profile_names_is_a_date() {
        for (_, date) in VERSION.ends {
            assert!(midnight(date).is_some());
        }
        assert_eq!(midnight("2027-13-01"), None);
    }
}
