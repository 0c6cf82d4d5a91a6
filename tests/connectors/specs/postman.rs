//! Requests against a Postman collection: examples of each call, some of their parameters switched
//! off.
//!
//! What a collection shows is read so: a call knows the parameters that any example of it has; it
//! needs those that every example has switched on; a parameter that is named like one of the
//! collection's lists takes the values of that list; one that is shown as a truth or as JSON is
//! one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Verdict,
    sent::{Content, Sent},
};

pub(crate) struct Collection {
    variables: BTreeMap<String, String>,
    examples: Vec<Example>,
}

struct Example {
    method: String,
    host: String,
    path: Vec<Segment>,
    parameters: Vec<Parameter>,
    /// Lower-case names of the headers that tell ways of sending apart.
    headers: BTreeSet<String>,
    has_file: bool,
}

#[derive(PartialEq)]
enum Segment {
    /// An id, or `me`.
    Node,
    Named(String),
}

struct Parameter {
    name: String,
    value: String,
    is_on: bool,
}

/// Every call takes the token like this as well.
const COMMON: &[&str] = &["access_token", "appsecret_proof"];

/// Every example has them switched on, but an answer is given without.
const OPTIONAL: &[&str] = &["fields", "limit", "reverse"];

const COMMON_HEADERS: &[&str] = &["authorization", "content-type", "accept"];

impl Collection {
    pub(crate) fn new(document: &Value) -> Collection {
        let mut variables = BTreeMap::new();
        for variable in document["variable"].as_array().into_iter().flatten() {
            let text = |name: &str| variable[name].as_str().unwrap_or_default().to_owned();
            variables.insert(text("key"), text("value"));
        }
        let mut examples = Vec::new();
        collect(&document["item"], &variables, &mut examples);
        Collection { variables, examples }
    }

    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let segments: Vec<&str> =
            sent.segments().into_iter().filter(|it| !is_version(it)).collect();
        let examples: Vec<&Example> = self.examples.iter().collect();
        let of_call = |example: &&&Example| {
            example.method == sent.method
                && example.host == sent.host
                && self.is_path(&example.path, &segments)
        };
        let examples: Vec<&Example> = examples.iter().filter(of_call).copied().collect();
        if examples.is_empty() {
            return Verdict::Undescribed;
        }
        let mut complaints = Vec::new();
        self.check_parameters(sent, &examples, &mut complaints);
        check_headers(sent, &examples, &mut complaints);
        Verdict::of(complaints)
    }

    /// Names that some call begins with are no ids.
    fn is_path(&self, path: &[Segment], segments: &[&str]) -> bool {
        let is_name = |text: &str| {
            let first = self.examples.iter().filter_map(|example| example.path.first());
            first.into_iter().any(|first| *first == Segment::Named(text.to_owned()))
        };
        path.len() == segments.len()
            && path.iter().zip(segments).all(|(wanted, found)| match wanted {
                Segment::Node => !is_name(found),
                Segment::Named(name) => name == found,
            })
    }

    fn check_parameters(&self, sent: &Sent, examples: &[&Example], complaints: &mut Vec<String>) {
        let mut given = sent.query.clone();
        match &sent.content {
            Content::Empty | Content::Bytes => (),
            Content::Form(fields) => given.extend(fields.iter().cloned()),
            Content::Multipart { fields, files } => {
                given.extend(fields.iter().cloned());
                given.extend(files.iter().map(|file| (file.clone(), String::new())));
            }
            Content::Json(body) => match body.as_object() {
                Some(fields) => given.extend(fields.iter().map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name.clone(), text)
                })),
                None => complaints.push("the body is no object".to_owned()),
            },
        }
        for (name, value) in given.iter().filter(|(name, _)| !COMMON.contains(&name.as_str())) {
            let shown = examples.iter().flat_map(|example| &example.parameters);
            let shown: Vec<&Parameter> = shown.filter(|known| known.name == *name).collect();
            if shown.is_empty() {
                complaints.push(format!("there is no parameter `{name}`"));
            } else if let Some(complaint) = self.misfit(name, value, &shown) {
                complaints.push(complaint);
            }
        }
        let needed = examples[0].parameters.iter().filter(|known| {
            let is_on = |other: &Parameter| other.name == known.name && other.is_on;
            examples.iter().all(|example| example.parameters.iter().any(is_on))
                && !OPTIONAL.contains(&known.name.as_str())
        });
        let missing = needed.filter(|known| !given.iter().any(|(name, _)| *name == known.name));
        complaints.extend(missing.map(|known| format!("the parameter {} is missing", known.name)));
    }

    fn misfit(&self, name: &str, value: &str, shown: &[&Parameter]) -> Option<String> {
        if name == "fields" {
            let asked: BTreeSet<&str> = value.split(',').collect();
            let left = |shown: &&Parameter| {
                let known: BTreeSet<String> = self.items(&shown.value).collect();
                asked.iter().filter(|name| !known.contains(**name)).copied().collect::<Vec<_>>()
            };
            let unknown = shown.iter().map(left).min_by_key(Vec::len).unwrap_or_default();
            return (!unknown.is_empty()).then(|| format!("no field `{}`", unknown.join("`, `")));
        }
        if let Some(list) = self.variables.get(name).filter(|list| list.contains(',')) {
            let is_one = self.items(list).any(|item| item == value);
            return (!is_one).then(|| format!("{name} is `{value}`, none of {list}"));
        }
        if shown.iter().all(|shown| matches!(shown.value.as_str(), "true" | "false")) {
            let is_truth = matches!(value, "true" | "false");
            return (!is_truth).then(|| format!("{name} is `{value}`, neither true nor false"));
        }
        let is_json = |text: &str| text.starts_with(['{', '[']) && !text.starts_with("{{");
        if shown.iter().all(|shown| is_json(&shown.value)) {
            return misfit_of_json(name, value, &shown[0].value);
        }
        None
    }

    fn items(&self, list: &str) -> impl Iterator<Item = String> {
        let list = substitute(list, &self.variables);
        list.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>().into_iter()
    }
}

/// JSON in a parameter: the same kind as shown, and no field that is not shown.
fn misfit_of_json(name: &str, value: &str, shown: &str) -> Option<String> {
    let Ok(value) = serde_json::from_str::<Value>(value) else {
        return Some(format!("{name} is no JSON"));
    };
    if value.is_array() != shown.starts_with('[') || !(value.is_array() || value.is_object()) {
        return Some(format!("{name} is not like {shown}"));
    }
    // One of the examples has JavaScript's quotes.
    let shown: Value = serde_json::from_str(&shown.replace('\'', "\"")).unwrap();
    let first = |value: &Value| value.as_array().map_or(value.clone(), |all| all[0].clone());
    let (value, shown) = (first(&value), first(&shown));
    let unknown = value.as_object()?.keys().find(|key| shown.get(key.as_str()).is_none())?;
    Some(format!("{name} does not know `{unknown}`"))
}

/// One example has to have the same headers, and a file where one is sent.
fn check_headers(sent: &Sent, examples: &[&Example], complaints: &mut Vec<String>) {
    let is_common = |name: &str| COMMON_HEADERS.contains(&name);
    let given = sent.headers.iter().map(|(name, _)| name.clone());
    let given: BTreeSet<String> = given.filter(|name| !is_common(name)).collect();
    let has_file = matches!(sent.content, Content::Bytes);
    let is_like = |example: &&Example| example.headers == given && example.has_file == has_file;
    if !examples.iter().any(is_like) {
        let given: Vec<String> = given.into_iter().collect();
        let file = if has_file { "a file" } else { "no file" };
        complaints.push(format!("no example has the headers {} and {file}", given.join(", ")));
    }
}

fn collect(items: &Value, variables: &BTreeMap<String, String>, examples: &mut Vec<Example>) {
    for item in items.as_array().into_iter().flatten() {
        collect(&item["item"], variables, examples);
        let request = &item["request"];
        let Some(raw) = request["url"]["raw"].as_str() else { continue };
        let place = raw.split('?').next().unwrap();
        let place = substitute_host(place, variables);
        let place = place.strip_prefix("https://").expect("an address");
        let mut segments = place.split('/').filter(|segment| !segment.is_empty());
        let host = segments.next().unwrap().to_owned();
        let segments = segments.filter(|segment| !is_version(segment));
        let path = segments.map(|segment| match segment == "me" || segment.starts_with("{{") {
            true => Segment::Node,
            false => Segment::Named(segment.to_owned()),
        });
        let headers = request["header"].as_array().into_iter().flatten();
        let headers = headers.filter_map(|header| header["key"].as_str()).map(str::to_lowercase);
        examples.push(Example {
            method: request["method"].as_str().unwrap().to_owned(),
            host,
            path: path.collect(),
            parameters: request["url"]["query"]
                .as_array()
                .into_iter()
                .flatten()
                .map(parameter)
                .collect(),
            headers: headers.filter(|name| !COMMON_HEADERS.contains(&name.as_str())).collect(),
            has_file: request["body"]["mode"] == "file",
        });
    }
}

fn parameter(shown: &Value) -> Parameter {
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    Parameter { name: text("key"), value: text("value"), is_on: shown["disabled"] != true }
}

/// `{{name}}` becomes the variable's value.
fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    name.and_then(|name| variables.get(name)).map_or(text, String::as_str).to_owned()
}

fn substitute_host(place: &str, variables: &BTreeMap<String, String>) -> String {
    match place.split_once("}}") {
        Some((host, rest)) if host.starts_with("{{") => {
            format!("{}{rest}", substitute(&format!("{host}}}}}"), variables))
        }
        _ => place.to_owned(),
    }
}

/// `v1.0`: every call takes one, and no example of Threads names it.
pub(super) fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    number.is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
