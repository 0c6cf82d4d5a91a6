//! Requests against the methods and types of Telegram's Bot API.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    Verdict, read_json,
    sent::{Content, Sent},
};

pub(crate) struct BotApi {
    methods: Value,
    types: Value,
}

/// A file in a form, as its field holds it.
const FILE: &str = "the file";

impl BotApi {
    pub(crate) fn at(path: &Path) -> Option<BotApi> {
        let mut document = read_json(path)?;
        Some(BotApi { methods: document["methods"].take(), types: document["types"].take() })
    }

    /// The path is `/bot<token>/<method>`.
    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let segments = sent.segments();
        let [bot, method] = segments.as_slice() else { return Verdict::Undescribed };
        let fields = &self.methods[method]["fields"];
        let is_known = bot.starts_with("bot") && self.methods[method].is_object();
        // Whatever the host: there are servers of one's own.
        if !is_known {
            return Verdict::Undescribed;
        }
        let mut complaints = Vec::new();
        let mut given = Map::new();
        for (name, value) in &sent.query {
            given.insert(name.clone(), Value::from(value.clone()));
        }
        match &sent.content {
            Content::Empty => (),
            Content::Json(Value::Object(body)) => given.extend(body.clone()),
            Content::Json(_) | Content::Bytes => complaints.push("the body is no object".into()),
            Content::Form(texts) => given.extend(read_form(texts)),
            Content::Multipart { fields: texts, files } => {
                given.extend(read_form(texts));
                let attached = texts.iter().any(|(_, text)| text.contains("attach://"));
                let named = texts.iter().map(|(_, text)| text.as_str()).collect::<String>();
                for file in files {
                    if !attached {
                        given.insert(file.clone(), Value::from(FILE));
                    } else if !named.contains(&format!("\"attach://{file}\"")) {
                        complaints.push(format!("nothing names the file {file}"));
                    }
                }
            }
        }
        self.check_fields(fields, &given, method, &mut complaints);
        Verdict::of(complaints)
    }

    fn check_fields(
        &self,
        fields: &Value,
        given: &Map<String, Value>,
        place: &str,
        complaints: &mut Vec<String>,
    ) {
        let fields: Vec<&Value> = fields.as_array().into_iter().flatten().collect();
        for field in &fields {
            let name = field["name"].as_str().unwrap();
            match given.get(name) {
                None if field["required"] == true => {
                    complaints.push(format!("{place} lacks `{name}`"));
                }
                None => (),
                Some(value) => {
                    self.check(&field["types"], value, &format!("{place}.{name}"), complaints);
                }
            }
        }
        let is_known = |name: &&String| fields.iter().any(|field| field["name"] == **name);
        let unknown = given.keys().filter(|name| !is_known(name));
        complaints.extend(unknown.map(|name| format!("{place} does not know `{name}`")));
    }

    /// One of the types has to fit; of those that do not, the nearest is told.
    fn check(&self, types: &Value, value: &Value, place: &str, complaints: &mut Vec<String>) {
        let mut nearest: Option<Vec<String>> = None;
        for name in types.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut wrong = Vec::new();
            self.check_type(name, value, place, &mut wrong);
            if wrong.is_empty() {
                return;
            }
            if nearest.as_ref().is_none_or(|nearest| wrong.len() < nearest.len()) {
                nearest = Some(wrong);
            }
        }
        complaints.extend(nearest.unwrap_or_default());
    }

    fn check_type(&self, name: &str, value: &Value, place: &str, wrong: &mut Vec<String>) {
        if let Some(inner) = name.strip_prefix("Array of ") {
            let Some(items) = value.as_array() else {
                return wrong.push(format!("{place} is no list"));
            };
            for (index, item) in items.iter().enumerate() {
                // Of a list of several types, an item may be any of them.
                let types = Value::from(self.types_of_list(inner));
                self.check(&types, item, &format!("{place}[{index}]"), wrong);
            }
            return;
        }
        let fits = match name {
            "String" => value.is_string() && value != FILE,
            "InputFile" => value == FILE,
            "Integer" => value.is_i64() || value.is_u64(),
            "Float" => value.is_number(),
            "Boolean" => value.is_boolean(),
            _ => {
                let described = &self.types[name];
                if described["subtypes"].is_array() {
                    return self.check(&described["subtypes"], value, place, wrong);
                }
                return match value.as_object() {
                    Some(fields) => self.check_fields(&described["fields"], fields, place, wrong),
                    None => wrong.push(format!("{place} is no {name}")),
                };
            }
        };
        if !fits {
            wrong.push(format!("{place} is no {name}: {value}"));
        }
    }

    /// `media` is described as a list of one kind or of another, and an album mixes two of them.
    fn types_of_list(&self, inner: &str) -> Vec<String> {
        const ALBUM: &[&str] = &["InputMediaPhoto", "InputMediaVideo"];
        match ALBUM.contains(&inner) {
            true => ALBUM.iter().map(|name| (*name).to_owned()).collect(),
            false => vec![inner.to_owned()],
        }
    }
}

/// Texts of a form: numbers, truths and objects are written as JSON. The number of a chat is text
/// as well, and so is whatever is no JSON.
fn read_form(texts: &[(String, String)]) -> Map<String, Value> {
    const TEXTS: &[&str] = &["chat_id", "text", "caption"];
    let read = |(name, text): &(String, String)| {
        let value = match TEXTS.contains(&name.as_str()) {
            true => Value::from(text.clone()),
            false => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.clone())),
        };
        (name.clone(), value)
    };
    texts.iter().map(read).collect()
}
