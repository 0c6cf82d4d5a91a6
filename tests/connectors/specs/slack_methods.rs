//! Requests against the list of Slack's methods: each with its arguments, which of them have to be
//! there, and of what type they are.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    Verdict, read_json,
    sent::{Content, Sent},
};

pub(crate) struct SlackMethods {
    methods: Value,
}

impl SlackMethods {
    pub(crate) fn at(path: &Path) -> Option<SlackMethods> {
        let mut document = read_json(path)?;
        Some(SlackMethods { methods: document["methods"].take() })
    }

    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let segments = sent.segments();
        let ["api", method] = segments.as_slice() else { return Verdict::Undescribed };
        let described = &self.methods[method];
        if !described.is_object() || sent.host != "slack.com" {
            return Verdict::Undescribed;
        }
        let mut complaints = Vec::new();
        let mut given = Map::new();
        let texts = |texts: &[(String, String)]| -> Map<String, Value> {
            texts.iter().map(|(name, text)| (name.clone(), Value::from(text.clone()))).collect()
        };
        given.extend(texts(&sent.query));
        match &sent.content {
            Content::Empty => (),
            Content::Json(Value::Object(body)) => given.extend(body.clone()),
            Content::Form(fields) => given.extend(texts(fields)),
            Content::Json(_) | Content::Bytes | Content::Multipart { .. } => {
                complaints.push("the body is neither an object nor a form".to_owned());
            }
        }
        let arguments = described["args"].as_object().expect("a method has arguments");
        for (name, argument) in arguments {
            match given.get(name) {
                None if argument["required"] == true => {
                    complaints.push(format!("{method} lacks `{name}`"));
                }
                None => (),
                Some(value) if fits(argument, value) => (),
                Some(value) => {
                    complaints.push(format!("{name} is {value}, which is no {}", argument["type"]));
                }
            }
        }
        let unknown = given.keys().filter(|name| !arguments.contains_key(*name));
        complaints.extend(unknown.map(|name| format!("{method} does not know `{name}`")));
        Verdict::of(complaints)
    }
}

/// In a form and in a query everything is text. What is described as a text of JSON may be JSON.
fn fits(argument: &Value, value: &Value) -> bool {
    let text = value.as_str();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_json = argument["format"] == "json"
        || argument["example"].as_str().is_some_and(|shown| shown.starts_with(['{', '[']));
    match argument["type"].as_str() {
        Some("boolean") => value.is_boolean() || matches!(text, Some("true" | "false")),
        Some("integer" | "number") => value.is_u64() || text.is_some_and(is_digits),
        Some("array") => value.is_array(),
        Some("timestamp") => text
            .and_then(|text| text.split_once('.'))
            .is_some_and(|(one, two)| is_digits(one) && is_digits(two) && two.len() == 6),
        Some("channel") => text.is_some_and(|text| text.starts_with(['C', 'G', 'D'])),
        Some("string") if is_json => !value.is_boolean() && !value.is_number(),
        Some("string") => value.is_string(),
        Some(_) | None => true,
    }
}
