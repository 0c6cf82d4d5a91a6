//! What the demonstration posts: a minute of varied posts, and what readers should see of each.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{Fault, FaultKind, Operation},
};

/// Handles are different on purpose: each names one account on one platform.
pub(super) const CAST: [Person; 5] = [
    Person { handle: "ada", platform: "mastodon", server: "mastodon" },
    Person { handle: "ben", platform: "mastodon", server: "mastodon" },
    Person { handle: "cleo", platform: "mastodon", server: "gotosocial" },
    Person { handle: "dora.test", platform: "bluesky", server: "" },
    Person { handle: "eli", platform: "x", server: "" },
];

pub(super) struct Person {
    pub(super) handle: &'static str,
    pub(super) platform: &'static str,
    /// Its place in the sandbox, where people name the server.
    pub(super) server: &'static str,
}

pub(super) struct Scene {
    /// For the progress lines.
    pub(super) label: &'static str,
    /// After the curtain rises; `None`: now.
    pub(super) second: Option<u64>,
    pub(super) to: Vec<&'static str>,
    pub(super) content: Value,
    pub(super) variants: BTreeMap<&'static str, Value>,
    pub(super) clock: WhoseClock,
    pub(super) then: Then,
    pub(super) trial: Trial,
}

/// How its time is told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WhoseClock {
    Instant,
    /// The clock on a wall in Kathmandu, a quarter of an hour off from most others.
    Kathmandu,
}

/// What a person does after planning it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Edits(&'static str),
    Cancels,
}

/// What the platform does to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trial {
    None,
    Throttled,
    Unanswered,
}

/// The uploaded files, by id.
pub(super) struct Props {
    pub(super) picture: String,
    pub(super) film: String,
}

impl Scene {
    fn new(label: &'static str, second: u64, to: &[&'static str], texts: &[&str]) -> Scene {
        Scene {
            label,
            second: Some(second),
            to: to.to_vec(),
            content: content(texts),
            variants: BTreeMap::new(),
            clock: WhoseClock::Instant,
            then: Then::Nothing,
            trial: Trial::None,
        }
    }

    fn showing(mut self, media: &str, alt: &str) -> Scene {
        self.content["parts"][0]["media"] = json!([{ "id": media, "alt": alt }]);
        self
    }

    /// The request's plan when the curtain rises at `start`.
    pub(super) fn plan(&self, start: Timestamp) -> Value {
        let Some(second) = self.second else { return json!("now") };
        let at = start.after(Duration::from_secs(second));
        match self.clock {
            WhoseClock::Instant => json!({ "at": at.rfc3339() }),
            WhoseClock::Kathmandu => {
                let wall = at.after(KATHMANDU).rfc3339();
                json!({ "local": { "wall": &wall[..19], "zone": "Asia/Kathmandu" } })
            }
        }
    }

    /// What readers of this account should see, part by part; nothing if it is cancelled.
    pub(super) fn expected(&self, person: &Person) -> Vec<String> {
        let content = self.variants.get(person.platform).unwrap_or(&self.content);
        match self.then {
            Then::Cancels => Vec::new(),
            Then::Edits(text) => vec![text.to_owned()],
            Then::Nothing => {
                let parts = content["parts"].as_array().into_iter().flatten();
                parts.map(|part| part["text"].as_str().unwrap_or_default().to_owned()).collect()
            }
        }
    }
}

const KATHMANDU: Duration = Duration::from_secs(5 * 3_600 + 45 * 60);

pub(super) fn content(texts: &[&str]) -> Value {
    let parts: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
    json!({ "parts": parts })
}

/// The posts, and for each account in the order of their times.
pub(super) fn scenes(props: &Props) -> Vec<Scene> {
    let mut scenes = morning(props);
    scenes.extend(evening());
    scenes
}

fn morning(props: &Props) -> Vec<Scene> {
    vec![
        Scene {
            second: None,
            ..Scene::new("now", 0, &["ada"], &["Good morning! This one could not wait."])
        },
        Scene::new("an image", 4, &["ada", "dora.test"], &["First light over the harbour."])
            .showing(&props.picture, "The sun, half risen from a dark blue sea"),
        Scene::new(
            "a thread",
            8,
            &["dora.test"],
            &[
                "How a lighthouse keeps time, in three parts.",
                "Two: every lens turns once a minute, and every minute is the same.",
                "Three: that is all. It never asks whether somebody is looking.",
            ],
        ),
        Scene::new(
            "to everybody",
            12,
            &["ada", "ben", "cleo", "dora.test", "eli"],
            &["One post, five accounts, three networks. Hello from all of us!"],
        ),
        Scene {
            trial: Trial::Throttled,
            ..Scene::new(
                "throttled",
                16,
                &["ben"],
                &["The server says: not so fast. Then it goes."],
            )
        },
        Scene {
            trial: Trial::Unanswered,
            ..Scene::new("unanswered", 20, &["eli"], &["Did it arrive? Nobody said. It did, once."])
        },
        Scene::new("a video", 24, &["ben"], &["Waves, for a second."])
            .showing(&props.film, "A film of waves"),
    ]
}

fn evening() -> Vec<Scene> {
    vec![
        Scene {
            variants: BTreeMap::from([("x", content(&["Tide tables are in. Short, for X."]))]),
            ..Scene::new(
                "a variant",
                28,
                &["ada", "eli"],
                &["Tide tables for the week are in, with the long version for those who read on."],
            )
        },
        Scene {
            then: Then::Edits("The ferry leaves at ten past nine."),
            ..Scene::new("edited", 32, &["dora.test"], &["The ferry leaves at nine."])
        },
        Scene {
            then: Then::Cancels,
            ..Scene::new("cancelled", 36, &["ada"], &["The ferry is late. No, it is not."])
        },
        Scene::new(
            "links and tags",
            40,
            &["cleo", "dora.test"],
            &["Charts: https://example.org/charts?sheet=7 #harbour #sailing"],
        ),
        Scene {
            clock: WhoseClock::Kathmandu,
            ..Scene::new("by the wall", 44, &["ada"], &["Planned by a clock in Kathmandu."])
        },
        Scene {
            trial: Trial::Unanswered,
            ..Scene::new("unanswered", 48, &["ben"], &["Asked twice with one key, posted once."])
        },
        Scene::new("good night", 52, &["cleo", "eli"], &["Good night from the harbour."]),
    ]
}

/// Injected before the curtain rises. Each lets pass what its account publishes before.
pub(super) fn faults() -> Vec<Fault> {
    let of = |kind, account: &str, after| {
        let mut fault = Fault::new(kind, Operation::Publish);
        (fault.account, fault.after) = (Some(account.to_owned()), after);
        fault
    };
    let mut throttle = of(FaultKind::Throttle, "ben", 1);
    throttle.retry_after = Some(Duration::from_secs(4));
    // The throttled request counts for nobody else; its repetition does.
    vec![throttle, of(FaultKind::DropAnswer, "ben", 3), of(FaultKind::DropAnswer, "eli", 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_posts_of_an_account_read_alike() {
        let props = Props { picture: String::new(), film: String::new() };
        let mut seen = std::collections::BTreeSet::new();
        for scene in scenes(&props) {
            for person in CAST.iter().filter(|person| scene.to.contains(&person.handle)) {
                for text in scene.expected(person) {
                    assert!(seen.insert((person.handle, text)), "{}", scene.label);
                }
            }
        }
    }

    #[test]
    fn kathmandu_is_five_hours_and_three_quarters_ahead() {
        let props = Props { picture: String::new(), film: String::new() };
        let scenes = scenes(&props);
        let scene = scenes.iter().find(|scene| scene.clock == WhoseClock::Kathmandu).unwrap();
        assert_eq!(scene.plan(Timestamp(0))["local"]["wall"], "1970-01-01T05:45:44");
    }
}
