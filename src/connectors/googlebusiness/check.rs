//! What a local post needs beyond its limits, and the options that it knows.

use chrono::NaiveDateTime;

use crate::{
    connectors::{Draft, Finding, JobMedia},
    domain::{
        platform::{FORMAT, Loss, OptionRule, OptionValue},
        problem::{Code, Problem},
        time::LocalTime,
    },
};

pub(super) const EVENT: &str = "event";
pub(super) const OFFER: &str = "offer";

pub(super) const EVENT_TITLE: &str = "event_title";
pub(super) const EVENT_START: &str = "event_start";
pub(super) const EVENT_END: &str = "event_end";
pub(super) const COUPON: &str = "coupon";
pub(super) const OFFER_URL: &str = "offer_url";
pub(super) const OFFER_TERMS: &str = "offer_terms";
pub(super) const ACTION: &str = "action";
pub(super) const ACTION_URL: &str = "action_url";

const CALL: &str = "call";

/// From 10 KB and 250 pixels a side (support.google.com/business/answer/6103862, as of 2026).
const IMAGE_BYTES_MIN: u64 = 10 * 1024;
const IMAGE_SIDE_MIN: u32 = 250;

/// The lengths of an event's title and of a coupon are Google's own pages' (unconfirmed).
pub(super) const OPTIONS: &[OptionRule] = &[
    OptionRule {
        name: EVENT_TITLE,
        value: OptionValue::Text { chars_max: 58 },
        loss: Loss::Harmless,
        about: "What the event or the offer is called.",
    },
    OptionRule {
        name: EVENT_START,
        value: OptionValue::Text { chars_max: 19 },
        loss: Loss::Harmless,
        about: "When it begins, in the location's own time: `2026-12-01T18:00`.",
    },
    OptionRule {
        name: EVENT_END,
        value: OptionValue::Text { chars_max: 19 },
        loss: Loss::Harmless,
        about: "When it ends, in the location's own time: `2026-12-01T20:00`.",
    },
    OptionRule {
        name: COUPON,
        value: OptionValue::Text { chars_max: 58 },
        loss: Loss::Harmless,
        about: "The code that an offer is had with.",
    },
    OptionRule {
        name: OFFER_URL,
        value: OptionValue::Url,
        loss: Loss::Harmless,
        about: "Where an offer can be had online.",
    },
    OptionRule {
        name: OFFER_TERMS,
        value: OptionValue::Text { chars_max: 5_000 },
        loss: Loss::Harmless,
        about: "The terms of an offer.",
    },
    OptionRule {
        name: ACTION,
        value: OptionValue::OneOf(&["book", "order", "shop", "learn_more", "sign_up", CALL]),
        loss: Loss::Harmless,
        about: "The button below the post.",
    },
    OptionRule {
        name: ACTION_URL,
        value: OptionValue::Url,
        loss: Loss::Harmless,
        about: "Where the button leads; `call` needs none, it calls the business.",
    },
];

/// A local date and time, without a zone.
pub(super) fn moment(written: &str) -> Option<NaiveDateTime> {
    LocalTime::parse(written, "UTC").ok().map(|local| local.wall)
}

pub(super) fn check(draft: &Draft) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.event(draft);
    findings.strays(draft);
    findings.action(draft);
    findings.words(draft);
    for (index, image) in draft.parts.first().map_or(&[][..], |part| &part.media).iter().enumerate()
    {
        findings.image(index, image);
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, code: Code, option: &str, sentence: &str, remedy: &str) {
        let place = format!("content.options.{option}");
        self.0.push(Finding::Error(Problem::new(code, sentence, remedy).at(place)));
    }

    /// Both formats have a title and a time.
    fn event(&mut self, draft: &Draft) {
        let format = draft.option(FORMAT);
        if format.is_empty() {
            return;
        }
        if draft.option(EVENT_TITLE).trim().is_empty() {
            let sentence = format!("An {format} on Google needs a title.");
            let remedy = "Give it as the option `event_title`.";
            self.error(Code::TextMissing, EVENT_TITLE, &sentence, remedy);
        }
        let [start, end] = [EVENT_START, EVENT_END].map(|name| {
            let (written, read) = (draft.option(name), moment(draft.option(name)));
            if read.is_none() {
                let sentence = match written {
                    "" => format!("An {format} on Google needs a beginning and an end."),
                    written => format!("`{written}` is no date and time."),
                };
                let remedy = "Write it like `2026-12-01T18:00`, in the location's own time.";
                self.error(Code::Invalid, name, &sentence, remedy);
            }
            read
        });
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            let sentence = format!("The {format} ends at {end}, which is not after {start}.");
            self.error(Code::Invalid, EVENT_END, &sentence, "Let it end later.");
        }
    }

    /// What Google takes, and then rejects ("Phone numbers … get posts rejected; likewise … all
    /// caps"): it can be a mistake, so it is no error.
    fn words(&mut self, draft: &Draft) {
        let text = draft.parts.first().map_or("", |part| part.text.as_str());
        let mut warn = |sentence: &str, remedy: &str| {
            let problem = Problem::new(Code::Invalid, sentence, remedy);
            self.0.push(Finding::Warning(problem.at("content.parts[0].text")));
        };
        if has_phone_number(text) {
            let sentence = "The text seems to hold a phone number; Google rejects such posts.";
            warn(sentence, "Leave it out, and use the option `action` with `call`.");
        }
        let letters: Vec<char> = text.chars().filter(|it| it.is_alphabetic()).collect();
        let capitals = letters.iter().filter(|it| it.is_uppercase()).count();
        if letters.len() >= 20 && capitals * 10 >= letters.len() * 8 {
            let sentence = "The text is in capitals; Google rejects such posts.";
            warn(sentence, "Write it as a sentence.");
        }
    }

    /// What would be left out without a word.
    fn strays(&mut self, draft: &Draft) {
        let format = draft.option(FORMAT);
        let of_events = [EVENT_TITLE, EVENT_START, EVENT_END].map(|name| (name, ""));
        let of_offers = [COUPON, OFFER_URL, OFFER_TERMS].map(|name| (name, OFFER));
        for (name, wanted) in of_events.into_iter().chain(of_offers) {
            let fits = if wanted.is_empty() { !format.is_empty() } else { format == wanted };
            if !fits && !draft.option(name).is_empty() {
                let (sentence, remedy) = match wanted {
                    "" => (
                        format!("`{name}` belongs to an event or an offer, and this is neither."),
                        "Add the option `format`, `event` or `offer`.",
                    ),
                    _ => (
                        format!("`{name}` belongs to an offer, and this is none."),
                        "Add the option `format`, `offer`.",
                    ),
                };
                self.error(Code::Invalid, name, &sentence, remedy);
            }
        }
    }

    fn action(&mut self, draft: &Draft) {
        let (action, url) = (draft.option(ACTION), draft.option(ACTION_URL));
        let is_offer = draft.option(FORMAT) == OFFER;
        match (action, url) {
            ("", "") => (),
            (_, _) if is_offer => {
                let sentence = "Google shows no button of its own with an offer.";
                let remedy = "Leave it out, and give the address as the option `offer_url`.";
                let place = if action.is_empty() { ACTION_URL } else { ACTION };
                self.error(Code::Invalid, place, sentence, remedy);
            }
            ("", _) => {
                let sentence = "There is an address for a button, and no button.";
                let remedy = "Give the option `action`, such as `learn_more`.";
                self.error(Code::Invalid, ACTION_URL, sentence, remedy);
            }
            (CALL, "") => (),
            (CALL, _) => {
                let sentence = "The button `call` calls the business, and leads to no address.";
                self.error(Code::Invalid, ACTION_URL, sentence, "Leave the address out.");
            }
            (_, "") => {
                let sentence = format!("The button `{action}` needs an address.");
                let remedy = "Give it as the option `action_url`.";
                self.error(Code::Invalid, ACTION_URL, &sentence, remedy);
            }
            (_, _) => (),
        }
    }

    fn image(&mut self, index: usize, image: &JobMedia) {
        let place = format!("content.parts[0].media[{index}]");
        if image.bytes < IMAGE_BYTES_MIN {
            let sentence = format!(
                "This image has {} bytes; Google wants {IMAGE_BYTES_MIN} or more.",
                image.bytes
            );
            let problem = Problem::new(Code::MediaShape, sentence, "Use a larger one.");
            self.0.push(Finding::Error(problem.at(place.clone())));
        }
        if let Some((width, height)) = image.size
            && width.min(height) < IMAGE_SIDE_MIN
        {
            let sentence = format!(
                "This image is {width} × {height} pixels; Google wants {IMAGE_SIDE_MIN} or more \
                 each way."
            );
            let problem = Problem::new(Code::MediaShape, sentence, "Use a larger one.");
            self.0.push(Finding::Error(problem.at(place.clone())));
        }
        if !image.alt.trim().is_empty() {
            let sentence = "Google has no place for the description of an image, so nobody will \
                            read it.";
            let problem = Problem::new(Code::Invalid, sentence, "Say it in the text.");
            self.0.push(Finding::Warning(problem.at(format!("{place}.alt"))));
        }
    }
}

/// Nine digits or more in a row, with nothing between them but what stands in phone numbers. Dates
/// and prices have fewer.
fn has_phone_number(text: &str) -> bool {
    let mut digits = 0;
    for letter in text.chars() {
        match letter {
            '0'..='9' => digits += 1,
            ' ' | '-' | '/' | '(' | ')' | '+' | '.' if digits > 0 => (),
            _ => digits = 0,
        }
        if digits >= 9 {
            return true;
        }
    }
    false
}
