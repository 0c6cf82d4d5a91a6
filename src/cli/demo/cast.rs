//! Who plays in the demonstration: accounts on every platform that the sandbox simulates.

use crate::{cli::Failure, domain::nearest::nearest, engine};

use self::Bill::{Both, Full, Usual};

/// Handles are different on purpose: each names one account on one platform.
pub(super) const CAST: [Person; 22] = [
    Person::new("ada", "mastodon", Both).on("mastodon"),
    Person::new("ben", "mastodon", Both).on("mastodon"),
    Person::new("cleo", "mastodon", Bill::Classic).on("gotosocial"),
    Person::new("dora.test", "bluesky", Both),
    Person::new("eli", "x", Both),
    Person::new("fay-bakery", "facebook", Usual).chosen_by("fay"),
    Person::new("gil.bakery", "instagram", Full).chosen_by("gil").through("facebook"),
    Person::new("iris", "instagram", Usual),
    Person::new("theo", "threads", Usual),
    Person::new("lena-works", "linkedin", Usual).chosen_by("lena").through("organization"),
    Person::new("mia", "linkedin", Full),
    Person::new("nora", "googlebusiness", Full).chosen_by("nora"),
    Person::new("pia", "pinterest", Full),
    Person::new("sam", "snapchat", Full),
    Person::new("tara", "tiktok", Full),
    Person::new("yuri", "youtube", Full),
    Person::new("kiosk", "telegram", Full),
    Person::new("channel-2222", "discord", Full).through("bot"),
    Person::new("#news", "slack", Full).chosen_by("harbour").through("app"),
    Person::new("106540352242922", "whatsapp", Full),
    Person::new("willa", "wordpress", Full).on("wordpress"),
    Person::new("shop", "webhook", Full).on("webhook/shop"),
];

pub(super) struct Person {
    /// What readers see.
    pub(super) handle: &'static str,
    pub(super) platform: &'static str,
    /// Its place in the sandbox, where people name the server.
    pub(super) server: &'static str,
    /// The way to sign in, where there are several; else the first.
    pub(super) login: &'static str,
    /// Who signs in and then chooses this page or organization; nobody where people are accounts.
    pub(super) chosen_by: Option<&'static str>,
    bill: Bill,
}

/// When somebody plays, if nobody names platforms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bill {
    /// With `classic`.
    Classic,
    /// With `usual`.
    Usual,
    Both,
    /// With `all` alone.
    Full,
}

impl Person {
    const fn new(handle: &'static str, platform: &'static str, bill: Bill) -> Person {
        Person { handle, platform, server: "", login: "", chosen_by: None, bill }
    }

    const fn on(self, server: &'static str) -> Person {
        Person { server, ..self }
    }

    const fn chosen_by(self, member: &'static str) -> Person {
        Person { chosen_by: Some(member), ..self }
    }

    const fn through(self, login: &'static str) -> Person {
        Person { login, ..self }
    }

    pub(super) fn signs_in_as(&self) -> &'static str {
        self.chosen_by.unwrap_or(self.handle)
    }
}

/// Those who play this time, in the order of [`CAST`].
pub(super) struct Playbill(pub(super) Vec<&'static Person>);

impl Playbill {
    /// `usual`, `classic`, `all`, or names of platforms with commas between them.
    pub(super) fn named(text: &str) -> Result<Playbill, Failure> {
        let cast = |plays: &dyn Fn(&Person) -> bool| {
            Playbill(CAST.iter().filter(|person| plays(person)).collect())
        };
        match text.trim() {
            "all" => return Ok(cast(&|_| true)),
            "classic" => return Ok(cast(&|it| matches!(it.bill, Bill::Classic | Both))),
            "usual" => return Ok(cast(&|it| matches!(it.bill, Usual | Both))),
            _ => (),
        }
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        if let Some(unknown) = names.iter().find(|name| !known().contains(name)) {
            return Err(nobody_on(unknown));
        }
        Ok(cast(&|person| names.contains(&person.platform)))
    }

    pub(super) fn find(&self, handle: &str) -> Option<&'static Person> {
        self.0.iter().find(|person| person.handle == handle).copied()
    }

    /// The platforms' own names, each once.
    pub(super) fn networks(&self) -> Vec<&'static str> {
        let profiles = engine::platforms().into_iter();
        let played =
            profiles.filter(|profile| self.0.iter().any(|it| it.platform == profile.platform));
        played.map(|profile| profile.name).collect()
    }
}

fn known() -> Vec<&'static str> {
    let mut names: Vec<&str> = CAST.iter().map(|person| person.platform).collect();
    names.dedup();
    names
}

fn nobody_on(unknown: &str) -> Failure {
    let words = ["usual", "classic", "all"];
    let hint = match nearest(unknown, known().into_iter().chain(words)) {
        Some(name) => format!("Did you mean `{name}`?"),
        None => format!("There is {}; or {}.", known().join(", "), words.join(", ")),
    };
    Failure::Settings(format!("Nobody plays on `{unknown}` in the demonstration. {hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_plays_on_every_platform_that_is_simulated() {
        let simulated = crate::sandbox::Wiring::at("http://127.0.0.1:7701").endpoints;
        let mut wanted: Vec<&str> = engine::platforms()
            .iter()
            .map(|profile| profile.platform)
            .filter(|name| {
                matches!(*name, "mastodon" | "webhook" | "wordpress")
                    || simulated.contains_key(*name)
            })
            .collect();
        let mut played = known();
        wanted.sort_unstable();
        played.sort_unstable();
        assert_eq!(played, wanted);
    }

    #[test]
    fn a_bill_is_a_word_or_platforms_and_a_slip_is_understood() {
        let handles = |text: &str| -> Vec<&str> {
            Playbill::named(text).unwrap().0.iter().map(|person| person.handle).collect()
        };
        assert_eq!(handles("x, threads"), ["eli", "theo"]);
        assert_eq!(handles("classic"), ["ada", "ben", "cleo", "dora.test", "eli"]);
        assert_eq!(handles("all").len(), CAST.len());
        let usual = handles("usual");
        assert!(usual.contains(&"fay-bakery") && !usual.contains(&"mia"), "{usual:?}");
        for (text, wanted) in [("mastodn", "`mastodon`"), ("myspace", "There is mastodon")] {
            let Err(Failure::Settings(sentence)) = Playbill::named(text) else { panic!("{text}") };
            assert!(sentence.contains(wanted), "{sentence}");
        }
    }
}
