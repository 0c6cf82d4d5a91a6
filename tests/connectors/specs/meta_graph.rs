//! Requests against the node descriptions of Meta's SDK generator: endpoints, methods, parameters
//! with their types, and the fields that may be asked for.
//!
//! A path of the Graph API names an id and not a kind of node, so a request is held against every
//! kind that the host may mean, and has to fit one. What is required is described sparsely: that a
//! request fits does not prove that it is complete.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use super::{
    Verdict,
    postman::{Collection, is_version},
    read_json,
    sent::{Content, Sent},
};

pub(crate) struct Graph {
    nodes: BTreeMap<String, Value>,
    enums: BTreeMap<String, Vec<Value>>,
    /// Uploads to `rupload.facebook.com` are shown by a collection only.
    uploads: Collection,
    hosts: &'static [Host],
}

/// What a host may be asked about.
pub(crate) struct Host {
    pub(crate) name: &'static str,
    pub(crate) kinds: &'static [&'static str],
    /// Paths that are described as a node by themselves.
    pub(crate) places: &'static [(&'static str, &'static str)],
    /// Kinds that go by another name in answers.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
}

/// Not of apps: their `accounts` are of a kind that is not described, so anything would fit.
const PAGES: &[&str] =
    &["Page", "PagePost", "Post", "Photo", "AdVideo", "Comment", "User", "Business"];

pub(crate) const FACEBOOK: &[Host] = &[
    Host { name: "graph.facebook.com", kinds: PAGES, places: &[], aliases: &[] },
    Host { name: "graph-video.facebook.com", kinds: &["Page"], places: &[], aliases: &[] },
];

pub(crate) const INSTAGRAM: &[Host] = &[
    Host {
        name: "graph.facebook.com",
        kinds: &["IGUser", "IGMedia", "IGComment", "Page", "User", "Business"],
        places: &[],
        aliases: &[],
    },
    Host {
        name: "graph.instagram.com",
        kinds: &["IGUserForIGOnlyAPI", "IGMediaForIGOnlyAPI"],
        places: &[
            ("access_token", "IGAccessTokenForIGOnlyAPI"),
            ("refresh_access_token", "IGRefreshAccessTokenForIGOnlyAPI"),
        ],
        aliases: &[
            ("User", "IGUserForIGOnlyAPI"),
            ("Media", "IGMediaForIGOnlyAPI"),
            ("IGGraphUser", "IGUserForIGOnlyAPI"),
            ("IGGraphMedia", "IGMediaForIGOnlyAPI"),
            ("Comment", "IGComment"),
            ("IGGraphComment", "IGComment"),
        ],
    },
];

/// The token goes into the header or beside the parameters.
const TOKENS: &[&str] = &["access_token", "appsecret_proof"];

/// What every list takes, though no endpoint says so.
const PAGING: &[(&str, &str)] = &[
    ("limit", "unsigned int"),
    ("after", "string"),
    ("before", "string"),
    ("since", "datetime"),
    ("until", "datetime"),
];

/// These begin a path and are no ids.
const NO_NODES: &[&str] = &["oauth", "debug_token"];

impl Graph {
    /// `None`: there is no description at `folder`.
    pub(crate) fn at(folder: &Path, hosts: &'static [Host]) -> Option<Graph> {
        let mut nodes = BTreeMap::new();
        let mut enums = BTreeMap::new();
        for entry in std::fs::read_dir(folder.join("specs")).ok()? {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            nodes.insert(name, read_json(&path)?);
        }
        for kind in nodes.remove("enum_types")?.as_array().unwrap() {
            let values = kind["values"].as_array().unwrap().clone();
            enums.insert(kind["name"].as_str().unwrap().to_owned(), values);
        }
        let uploads = folder.join("facebook-reels-publishing.postman_collection.json");
        Some(Graph { nodes, enums, uploads: Collection::new(&read_json(&uploads)?), hosts })
    }

    pub(crate) fn judge(&self, sent: &Sent) -> Verdict {
        if sent.host == "rupload.facebook.com" {
            return self.uploads.judge(sent);
        }
        let Some(host) = self.hosts.iter().find(|host| host.name == sent.host) else {
            return Verdict::Undescribed;
        };
        let segments: Vec<&str> =
            sent.segments().into_iter().filter(|it| !is_version(it)).collect();
        let (kinds, edge): (Vec<&str>, _) = match segments.as_slice() {
            [place] if host.places.iter().any(|(known, _)| known == place) => {
                let kinds = host.places.iter().filter(|(known, _)| known == place);
                (kinds.map(|(_, kind)| *kind).collect(), None)
            }
            [node, ..] if NO_NODES.contains(node) || node.contains(':') => {
                return Verdict::Undescribed;
            }
            [_node] => (host.kinds.to_vec(), None),
            [_node, edge] => (host.kinds.to_vec(), Some(*edge)),
            _ => return Verdict::Undescribed,
        };
        let found = kinds.into_iter().filter_map(|kind| {
            let endpoint = self.endpoint(kind, sent.method, edge)?;
            Some(self.complaints(host, kind, endpoint, sent))
        });
        found.min_by_key(Vec::len).map_or(Verdict::Undescribed, Verdict::of)
    }

    /// Some names lack the underscores that they have on the wire.
    fn endpoint(&self, kind: &str, method: &str, edge: Option<&str>) -> Option<&Value> {
        let bare = |name: &str| name.replace('_', "");
        let mut all = self.nodes[kind]["apis"].as_array()?.iter();
        all.find(|it| {
            let name = it["endpoint"].as_str();
            it["method"] == method && name.map(bare) == edge.map(bare)
        })
    }

    fn complaints(&self, host: &Host, kind: &str, endpoint: &Value, sent: &Sent) -> Vec<String> {
        let mut complaints = Vec::new();
        let given = parameters(sent);
        for (name, value) in given.iter().filter(|(name, _)| !TOKENS.contains(&name.as_str())) {
            if name == "fields" {
                let asked = if endpoint["endpoint"].is_null() && sent.method == "GET" {
                    kind
                } else {
                    endpoint["return"].as_str().unwrap_or_default()
                };
                let text = value.as_str().unwrap_or_default();
                self.check_fields(host, asked, text, &mut complaints);
                continue;
            }
            let (bare, of_item) = name.split_once('[').map_or((&**name, false), |it| (it.0, true));
            let known = endpoint["params"].as_array().into_iter().flatten();
            let mut known = known.filter(|it| it["name"] == bare);
            let paging = PAGING.iter().find(|(known, _)| *known == bare && sent.method == "GET");
            let described = known.next().and_then(|it| it["type"].as_str());
            let Some(wanted) = described.or(paging.map(|(_, wanted)| *wanted)) else {
                complaints.push(format!("there is no parameter `{name}`"));
                continue;
            };
            let wanted = if of_item { item_type(wanted) } else { wanted };
            if !self.fits(wanted, value) {
                let shown = if value.is_null() { "a file".to_owned() } else { value.to_string() };
                complaints.push(format!("{name} is {shown}, not {wanted}"));
            }
        }
        let needed = endpoint["params"].as_array().into_iter().flatten();
        let needed =
            needed.filter(|it| it["required"] == true).filter_map(|it| it["name"].as_str());
        let missing = needed
            .filter(|name| !TOKENS.contains(name) && !given.iter().any(|(known, _)| known == name));
        complaints.extend(missing.map(|name| format!("the parameter {name} is missing")));
        complaints
    }

    /// A parameter is text in a query or a form, and text may hold JSON.
    fn fits(&self, wanted: &str, value: &Value) -> bool {
        let text = value.as_str();
        let json = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let is_number = |text: &str| text.parse::<f64>().is_ok();
        match wanted {
            "string" => value.is_string() || value.is_number(),
            "int" => value.is_i64() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
            "unsigned int" => value.is_u64() || text.is_some_and(|it| it.parse::<u64>().is_ok()),
            "float" => value.is_number() || text.is_some_and(is_number),
            "bool" => value.is_boolean() || text.is_some_and(|it| matches!(it, "true" | "false")),
            "datetime" => {
                let is_time = |text: &str| is_number(text) || text.get(..4).is_some_and(is_number);
                value.is_u64() || text.is_some_and(is_time)
            }
            "file" => value.is_null(),
            "Object" => !value.is_null(),
            _ if wanted.starts_with("map") => {
                value.is_object() || json.is_some_and(|json| json.is_object())
            }
            _ if wanted.starts_with("list") => {
                let item = item_type(wanted);
                let listed = |text: &str| text.split(',').map(Value::from).collect::<Vec<_>>();
                let items = match json.as_ref().unwrap_or(value) {
                    Value::Array(items) => items.clone(),
                    // Simple items may be divided by commas.
                    _ if item != "Object" && !item.starts_with(['m', 'l']) => {
                        text.map(listed).unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                !items.is_empty() && items.iter().all(|it| self.fits(item, it))
            }
            _ => match self.enums.get(wanted) {
                // `START` here is `start` in Meta's own collection of requests.
                Some(values) => values
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|known| text.is_some_and(|text| known.eq_ignore_ascii_case(text))),
                // A node by its id.
                None => value.is_string() || value.is_number(),
            },
        }
    }

    /// `id,picture.type(large),owner{id,name}` of a kind of node.
    fn check_fields(&self, host: &Host, kind: &str, text: &str, complaints: &mut Vec<String>) {
        let alias = host.aliases.iter().find(|(known, _)| *known == kind);
        let kind = alias.map_or(kind, |(_, kind)| kind);
        let Some(node) = self.nodes.get(kind) else { return };
        for (name, inside) in fields(text) {
            let all = node["fields"].as_array().into_iter().flatten();
            let field = all.clone().find(|it| it["name"] == name).map(|it| &it["type"]);
            let edge = self.endpoint(kind, "GET", Some(name)).map(|it| &it["return"]);
            match (field.or(edge).and_then(Value::as_str), inside) {
                (None, _) => complaints.push(format!("there is no field `{name}`")),
                (Some(_), None) => (),
                (Some("string" | "bool" | "int" | "unsigned int" | "float" | "datetime"), _) => {
                    complaints.push(format!("the field `{name}` has nothing inside"));
                }
                (Some(kind), Some(inside)) => {
                    let kind = item_type(kind);
                    self.check_fields(host, kind, inside, complaints);
                }
            }
        }
    }
}

/// `list<string>` is of `string`; what is no list is itself.
fn item_type(name: &str) -> &str {
    match name.strip_prefix("list") {
        Some("") => "Object",
        Some(rest) => rest.trim_start_matches('<').strip_suffix('>').unwrap_or(rest),
        None => name,
    }
}

/// Everything that is asked, wherever it stands; a file is null.
fn parameters(sent: &Sent) -> Vec<(String, Value)> {
    let of_text = |(name, value): &(String, String)| (name.clone(), Value::from(value.as_str()));
    let mut all: Vec<(String, Value)> = sent.query.iter().map(of_text).collect();
    match &sent.content {
        Content::Empty | Content::Bytes => (),
        Content::Form(fields) => all.extend(fields.iter().map(of_text)),
        Content::Multipart { fields, files } => {
            all.extend(fields.iter().map(of_text));
            all.extend(files.iter().map(|file| (file.clone(), Value::Null)));
        }
        Content::Json(body) => {
            let fields = body.as_object().expect("Meta's bodies are objects");
            all.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }
    all
}

/// Each field with what stands in its braces; modifiers such as `.limit(0)` are passed over.
fn fields(text: &str) -> Vec<(&str, Option<&str>)> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in text.char_indices().chain([(text.len(), ',')]) {
        match letter {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                let field = text[start..at].trim();
                let name = field.split(['.', '{']).next().unwrap_or_default();
                let inside = field.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'));
                found.push((name, inside));
                start = at + 1;
            }
            _ => (),
        }
    }
    found
}

#[test]
fn fields_are_taken_apart() {
    assert_eq!(
        fields("id,picture.type(large){url,width},owner{id,page{name}},comments.limit(0)"),
        [
            ("id", None),
            ("picture", Some("url,width")),
            ("owner", Some("id,page{name}")),
            ("comments", None),
        ]
    );
}
