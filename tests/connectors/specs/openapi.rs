//! Requests against an OpenAPI description: path, method, parameters, headers and body.

use serde_json::Value;

use super::{
    Verdict,
    schema::Schemas,
    sent::{Content, Sent},
};

pub(crate) struct OpenApi {
    document: Value,
    forms: Forms,
}

/// How the description speaks of bodies that are sent as forms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forms {
    AsDescribed,
    /// It describes JSON where the server takes a form of the same fields as well.
    LikeJson,
}

/// What a request is held to.
struct Described<'a> {
    /// Of the path, for all its methods.
    item: &'a Value,
    operation: &'a Value,
    /// What stands in the holes of the template.
    holes: Vec<(&'a str, &'a str)>,
}

/// What every request may carry, whether or not a description says so.
const COMMON_HEADERS: &[&str] = &["authorization", "content-type", "accept", "user-agent"];

/// The field of a form that holds all others as JSON, where the description speaks of them alone.
const ALL_FIELDS: &str = "payload_json";

impl OpenApi {
    pub(crate) fn new(document: Value, forms: Forms) -> OpenApi {
        OpenApi { document, forms }
    }

    /// Nodes of any kind may stand below one template: what fits one of them fits.
    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let complaints = self.find(sent).into_iter().map(|described| {
            let mut complaints = Vec::new();
            self.check_parameters(sent, &described, &mut complaints);
            self.check_body(sent, &described.operation["requestBody"], &mut complaints);
            complaints
        });
        complaints.min_by_key(Vec::len).map_or(Verdict::Undescribed, Verdict::of)
    }

    fn schemas(&self) -> Schemas<'_> {
        Schemas { document: &self.document }
    }

    /// Of several templates those with the fewest holes.
    fn find<'a>(&'a self, sent: &'a Sent) -> Vec<Described<'a>> {
        let server = self.document["servers"][0]["url"].as_str().unwrap_or_default();
        let server = server.trim_start_matches("https://");
        let (host, base) = server.split_at(server.find('/').unwrap_or(server.len()));
        let is_server = host.contains('{') || host == sent.host;
        let Some(path) = sent.path.strip_prefix(base).filter(|_| is_server) else {
            return Vec::new();
        };
        let method = sent.method.to_lowercase();
        let paths = self.document["paths"].as_object().unwrap().iter();
        let fitting = paths.filter_map(|(template, item)| {
            let holes = fit(template, path)?;
            Some(Described { item, operation: item.get(&method)?, holes })
        });
        let mut fitting: Vec<_> = fitting.collect();
        let least = fitting.iter().map(|described| described.holes.len()).min();
        fitting.retain(|described| Some(described.holes.len()) == least);
        fitting
    }

    fn check_parameters(
        &self,
        sent: &Sent,
        described: &Described<'_>,
        complaints: &mut Vec<String>,
    ) {
        let schemas = self.schemas();
        let lists = [described.item, described.operation].into_iter();
        let lists = lists.filter_map(|it| it["parameters"].as_array()).flatten();
        let parameters: Vec<&Value> = lists.map(|it| schemas.resolve(it)).collect();
        for parameter in &parameters {
            let name = parameter["name"].as_str().unwrap();
            let values: Vec<&str> = match parameter["in"].as_str().unwrap() {
                "path" => values_of(described.holes.iter().copied(), name),
                "query" => values_of(pairs(&sent.query), name),
                "header" => values_of(pairs(&sent.headers), &name.to_lowercase()),
                other => panic!("no check for parameters in `{other}`"),
            };
            let place = format!("the parameter {name}");
            if values.is_empty() {
                if parameter["required"] == true {
                    complaints.push(format!("{place} is missing"));
                }
                continue;
            }
            let in_pieces: Vec<&str> = match parameter["explode"] == false {
                true => values.iter().flat_map(|value| value.split(',')).collect(),
                false => values,
            };
            let value = schemas.read(&parameter["schema"], &in_pieces);
            schemas.check(&parameter["schema"], &value, &place, complaints);
        }
        let is_known = |place: &str, name: &str| {
            parameters.iter().any(|it| {
                it["in"] == place && it["name"].as_str().unwrap().eq_ignore_ascii_case(name)
            })
        };
        let unknown = pairs(&sent.query).filter(|(name, _)| {
            !is_known("query", name) && !is_known("query", name.trim_end_matches("[]"))
        });
        complaints.extend(unknown.map(|(name, _)| format!("there is no parameter `{name}`")));
        let unknown = pairs(&sent.headers)
            .filter(|(name, _)| !COMMON_HEADERS.contains(name) && !is_known("header", name));
        complaints.extend(unknown.map(|(name, _)| format!("there is no header `{name}`")));
    }

    fn check_body(&self, sent: &Sent, body: &Value, complaints: &mut Vec<String>) {
        let content = &body["content"];
        let kind = match &sent.content {
            Content::Empty => {
                if body["required"] == true {
                    complaints.push("a body is missing".to_owned());
                }
                return;
            }
            Content::Json(_) => "application/json",
            Content::Form(_)
                if self.forms == Forms::LikeJson && content["application/json"].is_object() =>
            {
                "application/json"
            }
            Content::Form(_) => "application/x-www-form-urlencoded",
            Content::Multipart { .. } => "multipart/form-data",
            Content::Bytes => "application/octet-stream",
        };
        let schema = &content[kind]["schema"];
        if schema.is_null() {
            complaints.push(format!("no body of {kind} is described"));
            return;
        }
        let value = match &sent.content {
            Content::Json(value) => value.clone(),
            Content::Form(fields) => self.read_form(schema, fields, &[]),
            Content::Multipart { fields, files } => self.read_form(schema, fields, files),
            Content::Empty | Content::Bytes => return,
        };
        self.schemas().check(schema, &value, "the body", complaints);
    }

    fn read_form(&self, schema: &Value, fields: &[(String, String)], files: &[String]) -> Value {
        let schemas = self.schemas();
        let all = fields.iter().find(|(name, _)| name == ALL_FIELDS);
        let all = all.and_then(|(_, json)| serde_json::from_str(json).ok());
        let mut object: serde_json::Map<String, Value> = all.unwrap_or_default();
        for (name, _) in fields.iter().filter(|(name, _)| name != ALL_FIELDS) {
            let values = values_of(pairs(fields), name);
            let name = name.trim_end_matches("[]");
            let schema = schemas.property(schema, name).unwrap_or(&Value::Null);
            object.insert(name.to_owned(), schemas.read(schema, &values));
        }
        for name in files {
            object.insert(name.clone(), Value::from("the file"));
        }
        Value::Object(object)
    }
}

/// What stands in the holes of a template; `None` if it is another path.
fn fit<'a>(template: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (wanted, found) = (template.split('/'), path.split('/'));
    if wanted.clone().count() != found.clone().count() {
        return None;
    }
    let mut values = Vec::new();
    for (wanted, found) in wanted.zip(found) {
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !found.is_empty() => values.push((name, found)),
            None if wanted == found => (),
            _ => return None,
        }
    }
    Some(values)
}

fn pairs(all: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> + Clone {
    all.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// `name[]` is `name`, once for every item.
fn values_of<'a>(all: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Vec<&'a str> {
    let bare = |name: &'a str| name.trim_end_matches("[]");
    let wanted = name.trim_end_matches("[]");
    all.filter(|(found, _)| bare(found) == wanted).map(|(_, value)| value).collect()
}
