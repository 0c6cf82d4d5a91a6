//! Calls and records against the lexicons of the AT Protocol.
//!
//! <https://atproto.com/specs/lexicon> and <https://atproto.com/specs/xrpc>, read 2026-11-21. As in
//! [`super::schema`], an object has no fields but those that are described.

use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Verdict,
    sent::{Content, Sent},
};

pub(crate) struct Lexicons {
    folder: PathBuf,
    read: Mutex<BTreeMap<String, Value>>,
}

/// Calls whose body holds a record, which has a lexicon of its own.
const WRITES: &[&str] = &["com.atproto.repo.createRecord", "com.atproto.repo.putRecord"];

impl Lexicons {
    pub(crate) fn at(folder: PathBuf) -> Lexicons {
        Lexicons { folder, read: Mutex::default() }
    }

    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let Some(call) = sent.path.strip_prefix("/xrpc/") else { return Verdict::Undescribed };
        let Some(main) = self.definition(call, "main") else { return Verdict::Undescribed };
        let mut complaints = Vec::new();
        let method = if main["type"] == "query" { "GET" } else { "POST" };
        if sent.method != method {
            return Verdict::Undescribed;
        }
        self.check_parameters(call, &main["parameters"], sent, &mut complaints);
        self.check_input(call, &main["input"], sent, &mut complaints);
        Verdict::of(complaints)
    }

    fn check_parameters(&self, call: &str, schema: &Value, sent: &Sent, wrong: &mut Vec<String>) {
        let mut object = serde_json::Map::new();
        for (name, value) in &sent.query {
            let typed = match schema["properties"][name]["type"].as_str() {
                Some("integer") => value.parse().map_or(Value::from(&**value), Value::Number),
                Some("boolean") => value.parse::<bool>().map_or(Value::from(&**value), Value::from),
                Some("array") => {
                    let items = sent.query.iter().filter(|(known, _)| known == name);
                    Value::from_iter(items.map(|(_, value)| value.as_str()))
                }
                _ => Value::from(value.as_str()),
            };
            object.insert(name.clone(), typed);
        }
        self.check_object(call, schema, &Value::Object(object), "the query", wrong);
    }

    fn check_input(&self, call: &str, input: &Value, sent: &Sent, wrong: &mut Vec<String>) {
        let body = match (&sent.content, input["encoding"].as_str()) {
            (Content::Empty, None) | (Content::Bytes, Some("*/*")) => return,
            (Content::Json(body), Some("application/json")) => body,
            (_, encoding) => {
                wrong.push(format!("the body is not {}", encoding.unwrap_or("empty")));
                return;
            }
        };
        self.check(call, &input["schema"], body, "the body", wrong);
        if WRITES.contains(&call) {
            let name = body["collection"].as_str().unwrap_or_default();
            self.check_record(name, &body["record"], wrong);
        }
    }

    fn check_record(&self, name: &str, record: &Value, wrong: &mut Vec<String>) {
        if record["$type"] != name {
            wrong.push(format!("the record is a {}, not a {name}", record["$type"]));
        }
        match self.definition(name, "main") {
            Some(main) => self.check(name, &main["record"], record, "the record", wrong),
            None => wrong.push(format!("there is no lexicon of `{name}`")),
        }
    }

    fn definition(&self, lexicon: &str, name: &str) -> Option<Value> {
        let mut read = self.read.lock().unwrap();
        if !read.contains_key(lexicon) {
            let path = self.folder.join(format!("{}.json", lexicon.replace('.', "/")));
            let text = std::fs::read_to_string(path).ok()?;
            read.insert(lexicon.to_owned(), serde_json::from_str(&text).unwrap());
        }
        Some(read[lexicon]["defs"][name].clone())
    }

    /// `home` is the lexicon that `schema` stands in, `place` is where we are, for people.
    fn check(
        &self,
        home: &str,
        schema: &Value,
        value: &Value,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        let kind = schema["type"].as_str().unwrap_or_else(|| panic!("no schema for {place}"));
        let is_one = match kind {
            "object" | "unknown" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "blob" => value["$type"] == "blob" && value["ref"]["$link"].is_string(),
            "ref" => {
                return self.follow(home, schema["ref"].as_str().unwrap(), value, place, wrong);
            }
            "union" => return self.choose(home, schema, value, place, wrong),
            other => panic!("{place}: no check for `{other}`"),
        };
        if !is_one {
            wrong.push(format!("{place} is {value}, not {kind}"));
            return;
        }
        match value {
            Value::Array(items) => {
                if !within(items.len(), &schema["maxLength"]) {
                    wrong.push(format!("{place} has too many"));
                }
                for item in items {
                    self.check(home, &schema["items"], item, place, wrong);
                }
            }
            Value::String(text) => check_text(schema, text, place, wrong),
            Value::Number(number) => {
                let least = schema["minimum"].as_i64();
                if number.as_i64() < least {
                    wrong.push(format!("{place} is too small"));
                }
            }
            Value::Object(_) if kind == "blob" => check_blob(schema, value, place, wrong),
            Value::Object(_) if kind == "object" => {
                self.check_object(home, schema, value, place, wrong);
            }
            Value::Null | Value::Bool(_) | Value::Object(_) => (),
        }
    }

    fn check_object(
        &self,
        home: &str,
        schema: &Value,
        value: &Value,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        let fields = value.as_object().expect("it is an object");
        for required in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(required.as_str().unwrap()) {
                wrong.push(format!("{place} lacks {required}"));
            }
        }
        for (name, field) in fields.iter().filter(|(name, _)| *name != "$type") {
            match schema["properties"].get(name) {
                Some(schema) => {
                    self.check(home, schema, field, &format!("{place}.{name}"), wrong);
                }
                None => wrong.push(format!("{place} does not know `{name}`")),
            }
        }
    }

    fn choose(
        &self,
        home: &str,
        schema: &Value,
        value: &Value,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        let name = value["$type"].as_str().unwrap_or_default();
        let known = schema["refs"].as_array().unwrap().iter().filter_map(Value::as_str);
        let mut known = known.map(|known| absolute(home, known));
        match known.find(|known| known.trim_end_matches("#main") == name) {
            Some(reference) => self.follow(home, &reference, value, place, wrong),
            None => wrong.push(format!("{place} cannot be a `{name}`")),
        }
    }

    fn follow(
        &self,
        home: &str,
        reference: &str,
        value: &Value,
        place: &str,
        wrong: &mut Vec<String>,
    ) {
        let absolute = absolute(home, reference);
        let (lexicon, name) = absolute.split_once('#').unwrap();
        let schema = self.definition(lexicon, name);
        let schema = schema.unwrap_or_else(|| panic!("{place}: no lexicon for {absolute}"));
        self.check(lexicon, &schema, value, place, wrong);
    }
}

fn check_text(schema: &Value, text: &str, place: &str, wrong: &mut Vec<String>) {
    let graphemes = text.graphemes(true).count();
    if !within(text.len(), &schema["maxLength"]) || !within(graphemes, &schema["maxGraphemes"]) {
        wrong.push(format!("{place} is too long"));
    }
    let fits = match schema["format"].as_str() {
        Some("did") => text.starts_with("did:"),
        Some("at-uri") => text.starts_with("at://"),
        Some("datetime") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        Some("uri") => url::Url::parse(text).is_ok(),
        Some("nsid") => text.split('.').count() >= 3,
        _ => true,
    };
    if !fits {
        wrong.push(format!("{place} is `{text}`, which is no {}", schema["format"]));
    }
}

fn check_blob(schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    let mime = value["mimeType"].as_str().unwrap_or_default();
    let accepted = schema["accept"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fits = |pattern: &str| mime.starts_with(pattern.trim_end_matches('*'));
    if !accepted.clone().any(fits) && accepted.count() > 0 {
        wrong.push(format!("{place} cannot be {mime}"));
    }
    let most = schema["maxSize"].as_u64().unwrap_or(u64::MAX);
    if value["size"].as_u64().is_none_or(|size| size > most) {
        wrong.push(format!("{place} is too large"));
    }
}

/// `#name`, `lexicon` or `lexicon#name`, as `lexicon#name`.
fn absolute(home: &str, reference: &str) -> String {
    match reference.split_once('#') {
        Some(("", name)) => format!("{home}#{name}"),
        Some(_) => reference.to_owned(),
        None => format!("{reference}#main"),
    }
}

fn within(length: usize, most: &Value) -> bool {
    most.as_u64().is_none_or(|most| length as u64 <= most)
}
