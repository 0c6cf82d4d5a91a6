//! What the demonstration posts: a minute of varied posts, and what readers should see of each.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    domain::time::Timestamp,
    sandbox::{Fault, FaultKind, Operation},
};

use super::cast::{CAST, Person, Playbill};

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
#[derive(Default)]
pub(super) struct Props {
    pub(super) picture: String,
    /// The same harbour in the morning and in the evening, as JPEG.
    pub(super) dawn: String,
    pub(super) dusk: String,
    pub(super) film: String,
    /// Upright, and long enough for a reel.
    pub(super) tide: String,
    pub(super) document: String,
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
        self.content = with_media(self.content, media, alt);
        self
    }

    fn asking(mut self, name: &str, value: &str) -> Scene {
        self.content["options"][name] = json!(value);
        self
    }

    fn on(mut self, platform: &'static str, content: Value) -> Scene {
        self.variants.insert(platform, content);
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
                let said = |part: &Value| {
                    let text = part["text"].as_str().unwrap_or_default();
                    match content["options"][TITLE].as_str() {
                        Some(title) if SHOW_TITLES.contains(&person.platform) => {
                            format!("{title}\n\n{text}")
                        }
                        Some(_) | None => text.to_owned(),
                    }
                };
                parts.map(said).collect()
            }
        }
    }
}

const KATHMANDU: Duration = Duration::from_secs(5 * 3_600 + 45 * 60);

pub(super) fn content(texts: &[&str]) -> Value {
    let parts: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
    json!({ "parts": parts })
}

/// One more file in the first part.
fn with_media(mut content: Value, media: &str, alt: &str) -> Value {
    let file = json!({ "id": media, "alt": alt });
    match content["parts"][0]["media"].as_array_mut() {
        Some(files) => files.push(file),
        None => content["parts"][0]["media"] = json!([file]),
    }
    content
}

fn with_options(mut content: Value, options: &[(&str, &str)]) -> Value {
    for (name, value) in options {
        content["options"][*name] = json!(value);
    }
    content
}

/// The posts of those who play, and for each account in the order of their times.
pub(super) fn scenes(props: &Props, playbill: &Playbill) -> Vec<Scene> {
    let mut scenes = morning(props);
    scenes.extend(networks(props));
    scenes.extend(evening());
    for scene in &mut scenes {
        scene.to.retain(|handle| playbill.find(handle).is_some());
    }
    scenes.retain(|scene| !scene.to.is_empty());
    scenes.sort_by_key(|scene| scene.second);
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
        to_everybody(props),
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

/// One text. Some networks have no post without a picture or a film, so there it comes with one; a
/// story on Snapchat is nothing but its picture; on WhatsApp it needs somebody to go to.
fn to_everybody(props: &Props) -> Scene {
    const TEXT: &str = "One text for every network. Hello from all of us!";
    let everybody: Vec<&str> = CAST.iter().map(|person| person.handle).collect();
    let picture = |text| with_media(content(&[text]), &props.dawn, DAWN);
    let film = || with_media(content(&[TEXT]), &props.tide, "");
    Scene::new("to everybody", 12, &everybody, &[TEXT])
        .on("instagram", picture(TEXT))
        .on("pinterest", with_options(picture(TEXT), &[("board", "Inspiration")]))
        .on("snapchat", picture(""))
        .on("tiktok", with_options(film(), &[("privacy", "public")]))
        .on("youtube", with_options(film(), &[(TITLE, "The tide"), ("made_for_kids", "false")]))
        .on("wordpress", with_options(content(&[TEXT]), &[(TITLE, "Hello")]))
        .on("whatsapp", with_options(content(&[TEXT]), &[("recipients", "+4915112345678")]))
}

const TITLE: &str = "title";

/// Who shows the title above the text.
const SHOW_TITLES: &[&str] = &["wordpress", "youtube"];

const DAWN: &str = "The sun above a pale sea, early in the morning";
const DUSK: &str = "The sun, large and red, above a dark sea";

/// What is special about the large networks.
fn networks(props: &Props) -> Vec<Scene> {
    vec![
        Scene::new("a story", 6, &["iris"], &[""])
            .showing(&props.dusk, "")
            .asking("format", "story"),
        Scene::new(
            "first comment",
            10,
            &["fay-bakery"],
            &["The harbour before anybody is up.", "Taken from the north pier, at six."],
        )
        .showing(&props.dawn, DAWN),
        Scene {
            trial: Trial::Unanswered,
            ..Scene::new("a document", 15, &["lena-works"], &["The tide table, to print."])
                .showing(&props.document, "")
                .asking("title", "Tide table")
        },
        Scene::new("a carousel", 18, &["iris", "gil.bakery"], &["Dawn and dusk, one day apart."])
            .showing(&props.dawn, DAWN)
            .showing(&props.dusk, DUSK),
        Scene::new(
            "a thread",
            22,
            &["theo"],
            &["What a harbour looks like at dusk:", "And now imagine the gulls."],
        )
        .showing(&props.dusk, DUSK),
        Scene::new("a reel", 30, &["iris"], &["The tide, for four seconds."])
            .showing(&props.tide, "")
            .asking("format", "reel"),
        Scene::new("a poll", 34, &["eli"], &["When is the harbour at its best?"])
            .asking("poll", "Dawn\nDusk"),
        Scene::new("a poll", 50, &["lena-works"], &["Help us to plan the opening hours."])
            .asking("poll", "Morning\nEvening")
            .asking("poll_question", "When will you come?"),
    ]
}

fn evening() -> Vec<Scene> {
    vec![
        Scene::new(
            "a variant",
            28,
            &["ada", "eli"],
            &["Tide tables for the week are in, with the long version for those who read on."],
        )
        .on("x", content(&["Tide tables are in. Short, for X."])),
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
pub(super) fn faults(playbill: &Playbill) -> Vec<Fault> {
    let of = |kind, handle: &str, after| {
        let person = playbill.find(handle)?;
        let mut fault = Fault::new(kind, Operation::Publish);
        (fault.account, fault.after) = (Some(person.signs_in_as().to_owned()), after);
        Some(fault)
    };
    let throttle = of(FaultKind::Throttle, "ben", 1).map(|mut throttle| {
        throttle.retry_after = Some(Duration::from_secs(4));
        throttle
    });
    // The throttled request counts for nobody else; its repetition does.
    let dropped = [("ben", 3), ("eli", 1), ("lena-works", 1)];
    let dropped = dropped.map(|(handle, after)| of(FaultKind::DropAnswer, handle, after));
    throttle.into_iter().chain(dropped.into_iter().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_scenes() -> Vec<Scene> {
        scenes(&Props::default(), &Playbill::named("all").unwrap())
    }

    #[test]
    fn no_two_posts_of_an_account_read_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for scene in all_scenes() {
            for person in CAST.iter().filter(|person| scene.to.contains(&person.handle)) {
                for text in scene.expected(person) {
                    assert!(seen.insert((person.handle, text)), "{}", scene.label);
                }
            }
        }
    }

    #[test]
    fn kathmandu_is_five_hours_and_three_quarters_ahead() {
        let scenes = all_scenes();
        let scene = scenes.iter().find(|scene| scene.clock == WhoseClock::Kathmandu).unwrap();
        assert_eq!(scene.plan(Timestamp(0))["local"]["wall"], "1970-01-01T05:45:44");
    }

    #[test]
    fn whoever_does_not_play_has_no_scene_and_no_fault() {
        let playbill = Playbill::named("threads").unwrap();
        let scenes = scenes(&Props::default(), &playbill);
        assert!(!scenes.is_empty() && scenes.iter().all(|scene| scene.to == ["theo"]));
        assert!(faults(&playbill).is_empty());
    }
}
