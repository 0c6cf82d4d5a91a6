//! Requests against Google's discovery documents: method, path, parameters and body.
//!
//! A document names its schemas alone (`"$ref": "Video"`), sends a file beside a resource to a path
//! of its own (`mediaUpload`), and writes `{+name}` for several segments of a path at once; which
//! ones, its flat path says, or the method's own name where there is none.

use serde_json::Value;

use super::{
    Verdict,
    schema::Schemas,
    sent::{Content, Sent},
};

pub(crate) struct Discovery {
    documents: Vec<Document>,
}

struct Document {
    /// Google answers for an API on more than one host.
    hosts: Vec<String>,
    content: Value,
    methods: Vec<Method>,
}

struct Method {
    description: Value,
    /// Segments; `None` stands for any one.
    path: Vec<Option<String>>,
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Resource,
    /// The file, or the resource that a session for a file begins with.
    Upload,
}

/// What every request may carry, and what opens a session.
const HEADERS: &[&str] = &["authorization", "content-type", "accept"];
const UPLOAD_HEADERS: &[&str] = &["x-upload-content-length", "x-upload-content-type"];

impl Discovery {
    /// Documents, each with hosts beside the one that it names.
    pub(crate) fn new(documents: Vec<(Value, &[&str])>) -> Discovery {
        let read = |(mut content, also): (Value, &[&str])| {
            let root = url::Url::parse(content["rootUrl"].as_str().unwrap()).unwrap();
            let mut hosts = vec![root.host_str().unwrap().to_owned()];
            hosts.extend(also.iter().map(|&host| host.to_owned()));
            point_inside(&mut content);
            let mut methods = Vec::new();
            collect(&content["resources"], &mut methods);
            assert!(!methods.is_empty(), "{} has methods", content["id"]);
            Document { hosts, content, methods }
        };
        Discovery { documents: documents.into_iter().map(read).collect() }
    }

    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        let mut documents = self.documents.iter();
        let Some(document) = documents.find(|document| document.hosts.contains(&sent.host)) else {
            return Verdict::Undescribed;
        };
        let segments = sent.segments();
        let fits = |method: &&Method| {
            let wanted = &method.path;
            method.description["httpMethod"] == sent.method
                && wanted.len() == segments.len()
                && wanted.iter().zip(&segments).all(|(wanted, found)| match wanted {
                    Some(wanted) => wanted == found,
                    None => true,
                })
        };
        match document.methods.iter().find(fits) {
            Some(method) => Verdict::of(document.complaints(method, sent)),
            None => Verdict::Undescribed,
        }
    }
}

impl Document {
    fn complaints(&self, method: &Method, sent: &Sent) -> Vec<String> {
        let mut complaints = Vec::new();
        let schemas = Schemas { document: &self.content };
        let own = method.description["parameters"].as_object().into_iter().flatten();
        let common = self.content["parameters"].as_object().into_iter().flatten();
        let in_query = |(_, it): &(&String, &Value)| it["location"] == "query";
        let parameters: Vec<_> = own.chain(common).filter(in_query).collect();
        for (name, parameter) in &parameters {
            let place = format!("the parameter {name}");
            let found = sent.query.iter().filter(|(known, _)| known == *name);
            let values: Vec<&str> = found.map(|(_, value)| value.as_str()).collect();
            if values.is_empty() && parameter["required"] == true {
                complaints.push(format!("{place} is missing"));
            }
            if values.len() > 1 && parameter["repeated"] != true {
                complaints.push(format!("{place} is there twice"));
            }
            for value in values {
                let value = schemas.read(parameter, &[value]);
                schemas.check(parameter, &value, &place, &mut complaints);
            }
        }
        for (name, _) in &sent.query {
            if !parameters.iter().any(|(known, _)| *known == name) {
                complaints.push(format!("there is no parameter `{name}`"));
            }
        }
        let uploads = if method.takes == Takes::Upload { UPLOAD_HEADERS } else { &[] };
        for (name, _) in &sent.headers {
            if !HEADERS.contains(&name.as_str()) && !uploads.contains(&name.as_str()) {
                complaints.push(format!("there is no header `{name}`"));
            }
        }
        self.check_body(method, sent, &mut complaints);
        complaints
    }

    fn check_body(&self, method: &Method, sent: &Sent, complaints: &mut Vec<String>) {
        let schema = &method.description["request"];
        match (&sent.content, method.takes) {
            (Content::Empty, _) if schema.is_null() => (),
            (Content::Empty, _) => complaints.push("a body is missing".to_owned()),
            (Content::Json(_), _) if schema.is_null() => {
                complaints.push("no body is described".to_owned());
            }
            (Content::Json(value), _) => {
                let schemas = Schemas { document: &self.content };
                schemas.check(schema, value, "the body", complaints);
            }
            (Content::Bytes, Takes::Upload) => {
                let header = sent.headers.iter().find(|(name, _)| name == "content-type");
                let kind = header.map_or("", |(_, value)| value.as_str());
                let accepted = &method.description["mediaUpload"]["accept"];
                let fits = |accepted: &Value| {
                    let accepted = accepted.as_str().unwrap();
                    let family = accepted.strip_suffix('*');
                    kind == accepted || family.is_some_and(|family| kind.starts_with(family))
                };
                if !accepted.as_array().unwrap().iter().any(fits) {
                    complaints.push(format!("`{kind}` is none of {accepted}"));
                }
            }
            (Content::Bytes, Takes::Resource) => {
                complaints.push("no file is described".to_owned());
            }
            (Content::Form(_) | Content::Multipart { .. }, _) => {
                complaints.push("no form is described".to_owned());
            }
        }
    }
}

/// `"$ref": "Video"` becomes `"$ref": "#/schemas/Video"`, and bounds become numbers.
fn point_inside(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match (name.as_str(), &*field) {
                    ("$ref", Value::String(schema)) => {
                        *field = format!("#/schemas/{schema}").into()
                    }
                    ("minimum" | "maximum", Value::String(bound)) => {
                        *field = serde_json::from_str(bound).expect("a bound is a number");
                    }
                    _ => point_inside(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_inside),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn collect(resources: &Value, methods: &mut Vec<Method>) {
    for resource in resources.as_object().into_iter().flat_map(|all| all.values()) {
        for method in resource["methods"].as_object().into_iter().flat_map(|all| all.values()) {
            let path = path_of(method);
            let upload = &method["mediaUpload"]["protocols"]["simple"]["path"];
            if let Some(upload) = upload.as_str() {
                let path = segments_of(upload);
                methods.push(Method { description: method.clone(), path, takes: Takes::Upload });
            }
            methods.push(Method { description: method.clone(), path, takes: Takes::Resource });
        }
        collect(&resource["resources"], methods);
    }
}

fn path_of(method: &Value) -> Vec<Option<String>> {
    if let Some(flat) = method["flatPath"].as_str() {
        return segments_of(flat);
    }
    let path = method["path"].as_str().unwrap();
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "{+name}" | "{+parent}" => {
                let id = method["id"].as_str().unwrap();
                let names: Vec<&str> = id.split('.').collect();
                // Without the API in front and the verb behind; a parent lacks what is made in it.
                let behind = if segment == "{+name}" { 1 } else { 2 };
                for collection in &names[1..names.len() - behind] {
                    segments.extend([Some((*collection).to_owned()), None]);
                }
            }
            segment => segments.extend(segments_of(segment)),
        }
    }
    segments
}

/// `{+x}` and `{x}` are any one segment.
fn segments_of(path: &str) -> Vec<Option<String>> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| (!segment.starts_with('{')).then(|| segment.to_owned())).collect()
}
