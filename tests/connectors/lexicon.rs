//! As much of the lexicon language as the records and calls of one connector need.
//!
//! <https://atproto.com/specs/lexicon>, read 2026-11-21.

use std::path::PathBuf;

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

pub(crate) struct Lexicons {
    folder: PathBuf,
}

impl Lexicons {
    pub(crate) fn at(folder: PathBuf) -> Lexicons {
        Lexicons { folder }
    }

    /// The body of a call.
    pub(crate) fn check_input(&self, call: &str, body: &Value) {
        let main = self.definition(call, "main");
        self.check(call, &main["input"]["schema"], body, call);
    }

    pub(crate) fn check_record(&self, name: &str, record: &Value) {
        assert_eq!(record["$type"], name);
        let main = self.definition(name, "main");
        self.check(name, &main["record"], record, name);
    }

    fn definition(&self, lexicon: &str, name: &str) -> Value {
        let path = self.folder.join(format!("{}.json", lexicon.replace('.', "/")));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let lexicon: Value = serde_json::from_str(&text).unwrap();
        lexicon["defs"][name].clone()
    }

    /// `home` is the lexicon that `schema` stands in, `place` is where we are, for people.
    fn check(&self, home: &str, schema: &Value, value: &Value, place: &str) {
        match schema["type"].as_str().unwrap_or_else(|| panic!("no schema for {place}")) {
            "object" => self.check_object(home, schema, value, place),
            "array" => {
                let items = value.as_array().unwrap_or_else(|| panic!("{place} is no array"));
                assert!(within(items.len(), &schema["maxLength"]), "{place} has too many");
                for item in items {
                    self.check(home, &schema["items"], item, place);
                }
            }
            "string" => {
                let text = value.as_str().unwrap_or_else(|| panic!("{place} is no text"));
                let graphemes = text.graphemes(true).count();
                assert!(within(text.len(), &schema["maxLength"]), "{place} is too long");
                assert!(within(graphemes, &schema["maxGraphemes"]), "{place} is too long");
            }
            "integer" => {
                let number = value.as_i64().unwrap_or_else(|| panic!("{place} is no number"));
                assert!(schema["minimum"].as_i64().is_none_or(|least| number >= least), "{place}");
            }
            "blob" => {
                assert_eq!(value["$type"], "blob", "{place}");
                assert!(value["ref"]["$link"].is_string(), "{place}");
                let mime = value["mimeType"].as_str().unwrap();
                let is_accepted = schema["accept"].as_array().unwrap().iter().any(|pattern| {
                    let pattern = pattern.as_str().unwrap();
                    mime.starts_with(pattern.trim_end_matches('*'))
                });
                assert!(is_accepted && value["size"].as_u64() <= schema["maxSize"].as_u64());
            }
            "ref" => self.follow(home, schema["ref"].as_str().unwrap(), value, place),
            "union" => {
                let name = value["$type"].as_str().unwrap_or_else(|| panic!("{place}: no $type"));
                let known = schema["refs"].as_array().unwrap().iter().filter_map(Value::as_str);
                let chosen = known.map(|known| (known, absolute(home, known)));
                let mut chosen =
                    chosen.filter(|(_, known)| known.trim_end_matches("#main") == name);
                let (reference, _) = chosen.next().unwrap_or_else(|| panic!("{place}: {name}"));
                self.follow(home, reference, value, place);
            }
            "boolean" => assert!(value.is_boolean(), "{place}"),
            "unknown" => assert!(value.is_object(), "{place}"),
            other => panic!("{place}: no check for `{other}`"),
        }
    }

    fn check_object(&self, home: &str, schema: &Value, value: &Value, place: &str) {
        let fields = value.as_object().unwrap_or_else(|| panic!("{place} is no object"));
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().unwrap()), "{place} lacks {required}");
        }
        for (name, field) in fields.iter().filter(|(name, _)| *name != "$type") {
            let known = &schema["properties"][name];
            assert!(!known.is_null(), "{place} does not know `{name}`");
            self.check(home, known, field, &format!("{place}.{name}"));
        }
    }

    fn follow(&self, home: &str, reference: &str, value: &Value, place: &str) {
        let absolute = absolute(home, reference);
        let (lexicon, name) = absolute.split_once('#').unwrap();
        self.check(lexicon, &self.definition(lexicon, name), value, place);
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
