//! As much of JSON Schema as the descriptions use, in the dialects of OpenAPI 3.0 and 3.1.
//!
//! It is stricter than the standard in one point: an object that names its properties has no
//! others, unless the schema says so. A description is taken as complete, because a misspelt field
//! is what we are looking for. It is laxer in another: of `oneOf`, several may fit.

use std::collections::BTreeSet;

use serde_json::Value;

pub(crate) struct Schemas<'a> {
    /// The document that references point into.
    pub(crate) document: &'a Value,
}

/// The fields of an object that a schema has something to say about.
enum Known {
    All,
    Some(BTreeSet<String>),
}

impl Schemas<'_> {
    /// Complains of what in `value` is not as `schema` has it; `place` says where we are.
    pub(crate) fn check(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        complaints: &mut Vec<String>,
    ) {
        let known = self.open(schema, value, place, complaints);
        if let (Known::Some(known), Value::Object(fields)) = (known, value) {
            let unknown = fields.keys().filter(|name| !known.contains(*name));
            complaints.extend(unknown.map(|name| format!("{place} does not know `{name}`")));
        }
    }

    pub(crate) fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let Some(reference) = schema["$ref"].as_str() else { return schema };
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        let found = self.document.pointer(pointer);
        self.resolve(found.unwrap_or_else(|| panic!("{reference} points nowhere")))
    }

    /// What a field of a form means: text for what the schema wants as a number, a truth or a list.
    pub(crate) fn read(&self, schema: &Value, texts: &[&str]) -> Value {
        let schema = self.resolve(schema);
        let one = texts.first().copied().unwrap_or_default();
        let branches = ["allOf", "anyOf", "oneOf"].into_iter();
        let mut branches = branches.filter_map(|name| schema[name].as_array()).flatten();
        match types(schema).as_slice() {
            ["array", ..] => {
                Value::from_iter(texts.iter().map(|text| self.read(&schema["items"], &[text])))
            }
            ["integer" | "number", ..] => {
                one.parse::<serde_json::Number>().map_or(Value::from(one), Value::Number)
            }
            ["boolean", ..] => one.parse::<bool>().map_or(Value::from(one), Value::from),
            [] => branches.next().map_or(Value::from(one), |branch| self.read(branch, texts)),
            _ => Value::from(one),
        }
    }

    /// The schema of a property, wherever in a composition it stands.
    pub(crate) fn property<'s>(&'s self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        let schema = self.resolve(schema);
        let own = schema["properties"].get(name);
        own.or_else(|| {
            let branches = ["allOf", "anyOf", "oneOf"].into_iter();
            let mut branches = branches.filter_map(|name| schema[name].as_array()).flatten();
            branches.find_map(|branch| self.property(branch, name))
        })
    }

    fn open(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        complaints: &mut Vec<String>,
    ) -> Known {
        let schema = self.resolve(schema);
        let types = types(schema);
        if value.is_null() && (schema["nullable"] == true || types.contains(&"null")) {
            return Known::All;
        }
        if !types.is_empty() && !types.iter().any(|name| is_a(name, value)) {
            complaints.push(format!("{place} is not {}: {value}", types.join(" or ")));
            return Known::All;
        }
        if schema["enum"].as_array().is_some_and(|all| !all.contains(value)) {
            complaints.push(format!("{place} is {value}, which is none of {}", schema["enum"]));
        }
        match value {
            Value::String(text) => check_text(schema, text, place, complaints),
            Value::Number(_) => {
                let number = value.as_f64().expect("JSON has numbers of that size");
                let above = schema["maximum"].as_f64().is_some_and(|most| number > most);
                if above || schema["minimum"].as_f64().is_some_and(|least| number < least) {
                    complaints.push(format!("{place} is {value}, which is out of range"));
                }
            }
            Value::Array(items) => self.check_items(schema, items, place, complaints),
            Value::Null | Value::Bool(_) | Value::Object(_) => (),
        }
        self.compose(schema, value, place, complaints)
    }

    fn check_items(
        &self,
        schema: &Value,
        items: &[Value],
        place: &str,
        complaints: &mut Vec<String>,
    ) {
        if !within(items.len(), schema, "minItems", "maxItems") {
            complaints.push(format!("{place} has {} items", items.len()));
        }
        let is_twice = |(index, item): (usize, &Value)| items[..index].contains(item);
        if schema["uniqueItems"] == true && items.iter().enumerate().any(is_twice) {
            complaints.push(format!("{place} has an item twice"));
        }
        if !schema["items"].is_null() {
            for (index, item) in items.iter().enumerate() {
                self.check(&schema["items"], item, &format!("{place}[{index}]"), complaints);
            }
        }
    }

    /// The fields of an object by the schema itself and by those that it is composed of.
    fn compose(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        complaints: &mut Vec<String>,
    ) -> Known {
        let mut known = self.check_fields(schema, value, place, complaints);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            known = known.and(self.open(part, value, place, complaints));
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(branches) = schema[name].as_array() {
                let told = told_apart(schema, value);
                let branches = told.as_ref().map_or(branches.as_slice(), std::slice::from_ref);
                known = known.and(self.choose(branches, value, place, complaints));
            }
        }
        let says_nothing = ["properties", "additionalProperties", "allOf", "anyOf", "oneOf"]
            .into_iter()
            .all(|name| schema[name].is_null());
        if says_nothing { Known::All } else { known }
    }

    fn check_fields(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        complaints: &mut Vec<String>,
    ) -> Known {
        let Value::Object(fields) = value else { return Known::All };
        for required in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(required.as_str().unwrap()) {
                complaints.push(format!("{place} lacks {required}"));
            }
        }
        if !within(fields.len(), schema, "minProperties", "maxProperties") {
            complaints.push(format!("{place} has {} fields", fields.len()));
        }
        let mut known = BTreeSet::new();
        for (name, field) in fields {
            let others = &schema["additionalProperties"];
            let schema = match schema["properties"].get(name) {
                Some(schema) => schema,
                None if others.is_object() || *others == true => others,
                None => continue,
            };
            known.insert(name.clone());
            if schema.is_object() {
                self.check(schema, field, &format!("{place}.{name}"), complaints);
            }
        }
        Known::Some(known)
    }

    /// Of the branches that fit, those that know most of the fields.
    fn choose(
        &self,
        branches: &[Value],
        value: &Value,
        place: &str,
        complaints: &mut Vec<String>,
    ) -> Known {
        let mut fitting: Vec<Known> = Vec::new();
        let mut nearest: Option<Vec<String>> = None;
        for branch in branches {
            let mut wrong = Vec::new();
            let known = self.open(branch, value, place, &mut wrong);
            if wrong.is_empty() {
                fitting.push(known);
            } else if nearest.as_ref().is_none_or(|nearest| wrong.len() < nearest.len()) {
                nearest = Some(wrong);
            }
        }
        if fitting.is_empty() {
            complaints.extend(nearest.unwrap_or_default());
            return Known::All;
        }
        fitting.into_iter().max_by_key(Known::count).expect("one fits")
    }
}

impl Known {
    fn and(self, other: Known) -> Known {
        match (self, other) {
            (Known::Some(mut known), Known::Some(more)) => {
                known.extend(more);
                Known::Some(known)
            }
            (Known::All, _) | (_, Known::All) => Known::All,
        }
    }

    fn count(&self) -> usize {
        match self {
            Known::All => usize::MAX,
            Known::Some(known) => known.len(),
        }
    }
}

/// The branch that the value itself names, where the schema says by which field.
fn told_apart(schema: &Value, value: &Value) -> Option<Value> {
    let discriminator = &schema["discriminator"];
    let name = value[discriminator["propertyName"].as_str()?].as_str()?;
    let reference = discriminator["mapping"].get(name)?;
    Some(serde_json::json!({ "$ref": reference }))
}

/// One name in OpenAPI 3.0, perhaps several in 3.1.
fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn is_a(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no check for the type `{other}`"),
    }
}

fn check_text(schema: &Value, text: &str, place: &str, complaints: &mut Vec<String>) {
    if !within(text.chars().count(), schema, "minLength", "maxLength") {
        complaints.push(format!("{place} has {} characters", text.chars().count()));
    }
    if schema["pattern"].as_str().is_some_and(|pattern| !matches(pattern, text)) {
        complaints.push(format!("{place} is `{text}`, which is not like {}", schema["pattern"]));
    }
    let fits = match schema["format"].as_str() {
        Some("uri") => url::Url::parse(text).is_ok(),
        Some("date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        _ => true,
    };
    if !fits {
        complaints.push(format!("{place} is `{text}`, which is no {}", schema["format"]));
    }
}

/// The patterns of the descriptions, read by hand: there are few, and one that is not here fails.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str, from: usize, to: usize| {
        (from..=to).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let urn = |kinds: &[&str]| {
        let rest = text.strip_prefix("urn:li:").and_then(|rest| rest.split_once(':'));
        rest.is_some_and(|(kind, id)| {
            let is_word = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
            if kinds.is_empty() { is_word && !id.is_empty() } else { kinds.contains(&kind) }
        })
    };
    match pattern {
        "^[0-9]{1,19}$" => digits(text, 1, 19),
        "^(0|[1-9][0-9]*)$" => text == "0" || (digits(text, 1, 20) && !text.starts_with('0')),
        r"^\d+$" | "^[0-9]+$" => digits(text, 1, usize::MAX),
        r"^v[0-9]+\.[0-9]+$" => text
            .strip_prefix('v')
            .and_then(|rest| rest.split_once('.'))
            .is_some_and(|(one, two)| digits(one, 1, usize::MAX) && digits(two, 1, usize::MAX)),
        r"^Bearer\s+[A-Za-z0-9\-_.]+.*$" => {
            text.strip_prefix("Bearer ").is_some_and(|token| !token.trim().is_empty())
        }
        "^[a-zA-Z0-9+/=]+$" => {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            !text.is_empty() && text.bytes().all(is_letter)
        }
        "^[0-9]{12}$" => digits(text, 12, 12),
        r"^\d{6}$" => digits(text, 6, 6),
        "^[A-Z]{2}$" => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        "^[A-Za-z0-9_]{1,15}$" => {
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            (1..=15).contains(&text.len()) && text.bytes().all(is_word)
        }
        "^([0-9]+)_([0-9]+)$" => text
            .split_once('_')
            .is_some_and(|(one, two)| digits(one, 1, usize::MAX) && digits(two, 1, usize::MAX)),
        "^urn:li:[A-Za-z]+:.+$" => urn(&[]),
        "^urn:li:(image|video|document):" => urn(&["image", "video", "document"]),
        "^urn:li:image:" => urn(&["image"]),
        "^urn:li:video:" => urn(&["video"]),
        other => panic!("no check for the pattern {other}"),
    }
}

fn within(length: usize, schema: &Value, least: &str, most: &str) -> bool {
    let length = length as u64;
    schema[least].as_u64().is_none_or(|least| length >= least)
        && schema[most].as_u64().is_none_or(|most| length <= most)
}

#[test]
fn schemas_refuse_what_they_should() {
    use serde_json::json;
    let document = json!({ "components": { "schemas": {
        "Post": { "allOf": [
            { "$ref": "#/components/schemas/Base" },
            { "type": "object", "required": ["text"], "properties": {
                "text": { "type": "string", "minLength": 1, "maxLength": 5 } } },
        ] },
        "Base": { "type": "object", "properties": {
            "id": { "type": "string", "pattern": "^[0-9]{1,19}$" },
            "kind": { "type": "string", "enum": ["a", "b"] },
            "at": { "type": "string", "format": "date-time" },
            "link": { "type": ["string", "null"], "format": "uri" },
            "count": { "type": "integer", "minimum": 1, "maximum": 3, "nullable": true },
            "tags": { "type": "array", "maxItems": 2, "uniqueItems": true, "items": {
                "type": "string" } },
            "either": { "oneOf": [
                { "type": "object", "required": ["x"], "properties": { "x": {} } },
                { "type": "object", "required": ["y"], "properties": { "y": {}, "z": {} } },
            ] },
            "open": { "type": "object", "additionalProperties": { "type": "boolean" } },
        } },
    } } });
    let schemas = Schemas { document: &document };
    let check = |value: Value| {
        let mut complaints = Vec::new();
        let schema = json!({ "$ref": "#/components/schemas/Post" });
        schemas.check(&schema, &value, "body", &mut complaints);
        complaints.join("; ")
    };
    let fine = json!({
        "text": "hello", "id": "12", "kind": "a", "at": "2026-11-21T09:00:00Z", "link": null,
        "count": 3, "tags": ["x", "y"], "either": { "y": 1, "z": 2 }, "open": { "any": true },
    });
    assert_eq!(check(fine), "");
    for (name, value, words) in [
        ("odd", json!(1), "body does not know `odd`"),
        ("text", json!(1), "body.text is not string: 1"),
        ("text", json!(""), "body.text has 0 characters"),
        ("text", json!("häh?!?"), "body.text has 6 characters"),
        ("id", json!("a"), "body.id is `a`, which is not like"),
        ("kind", json!("c"), "which is none of"),
        ("at", json!("yesterday"), "which is no \"date-time\""),
        ("link", json!("example"), "which is no \"uri\""),
        ("count", json!(4), "out of range"),
        ("count", json!("1"), "body.count is not integer"),
        ("tags", json!(["x", "y", "z"]), "has 3 items"),
        ("tags", json!(["x", "x"]), "has an item twice"),
        ("tags", json!(["x", 1]), "body.tags[1] is not string: 1"),
        ("either", json!({}), "body.either lacks"),
        ("either", json!({ "x": 1, "z": 2 }), "body.either does not know `z`"),
        ("open", json!({ "any": 1 }), "body.open.any is not boolean: 1"),
    ] {
        let mut value_of = json!({ "text": "hi" });
        value_of[name] = value;
        let said = check(value_of);
        assert!(said.contains(words), "{words}: {said:?}");
    }
    assert_eq!(check(json!({})), "body lacks \"text\"");
}
