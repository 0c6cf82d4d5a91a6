//! Polls: methods/statuses, read 2026-07-02. Nobody votes here.

use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::time::Timestamp;

use super::{Answer, Call, Mastodon, is_set, whole_number};

pub(super) const OPTION_CHARS_MAX: usize = 50;
pub(super) const POLL_SECONDS_MIN: u64 = 300;
pub(super) const POLL_SECONDS_MAX: u64 = 2_629_746;

pub(super) struct Poll {
    pub(super) options: Vec<String>,
    ends_at: Timestamp,
    multiple: bool,
}

impl Mastodon {
    pub(super) fn poll(&self, call: &Call, body: &Value) -> Result<Option<Poll>, Answer> {
        if !body.is_object() {
            return Ok(None);
        }
        let refuse = |text: &str| Err(self.invalid(&format!("Validation failed: {text}")));
        let empty = Vec::new();
        let options = body["options"].as_array().unwrap_or(&empty);
        let options: Vec<String> =
            options.iter().filter_map(|option| option.as_str()).map(str::to_owned).collect();
        let most = self.poll_options_max();
        if options.len() < 2 {
            return refuse("Options must be more than one item");
        }
        if options.len() > most {
            return refuse(&format!("Options can't contain more than {most} items"));
        }
        if options.iter().any(|option| option.chars().count() > OPTION_CHARS_MAX) {
            return refuse(&format!(
                "Options can't be longer than {OPTION_CHARS_MAX} characters each"
            ));
        }
        let repeated = |(at, option): (usize, &String)| options[..at].contains(option);
        if options.iter().enumerate().any(repeated) {
            return refuse("Options contain duplicate items");
        }
        match whole_number(&body["expires_in"]) {
            None => refuse("Expires at can't be blank"),
            Some(seconds) if seconds < POLL_SECONDS_MIN => refuse("Expires at is too soon"),
            Some(seconds) if seconds > POLL_SECONDS_MAX => {
                refuse("Expires at is too far into the future")
            }
            Some(seconds) => Ok(Some(Poll {
                options,
                ends_at: call.now.after(Duration::from_secs(seconds)),
                multiple: is_set(&body["multiple"]),
            })),
        }
    }
}

impl Poll {
    pub(super) fn to_json(&self, call: &Call, id: u64) -> Value {
        let options: Vec<Value> = self
            .options
            .iter()
            .map(|option| json!({ "title": option, "votes_count": 0 }))
            .collect();
        json!({
            "id": id.to_string(), "expires_at": self.ends_at.rfc3339(),
            "expired": self.ends_at <= call.now, "multiple": self.multiple, "votes_count": 0,
            "voters_count": 0, "voted": false, "own_votes": [], "options": options, "emojis": [],
        })
    }
}
