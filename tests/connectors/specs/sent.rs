//! A request as it would leave, with a stand-in for every secret: what a description is held to.

use fanfare::connectors::{Auth, Body, Fill, Method, Request};
use serde_json::Value;

pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) host: String,
    /// As it is in the address: what is escaped there is escaped here.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Empty,
    Json(Value),
    Form(Vec<(String, String)>),
    Multipart {
        fields: Vec<(String, String)>,
        /// The names of the fields that hold files.
        files: Vec<String>,
    },
    /// A file alone.
    Bytes,
}

const SECRET: &str = "secret";

impl Sent {
    pub(crate) fn of(request: &Request) -> Sent {
        let (in_path, fills): (Vec<Fill>, Vec<Fill>) =
            request.fills.iter().cloned().partition(|fill| fill.place.starts_with('{'));
        let filled_in = |url: String, fill: &Fill| url.replace(&fill.place, SECRET);
        let url = in_path.iter().fold(request.url.clone(), filled_in);
        let url = url::Url::parse(&url).expect("an absolute address");
        let owned = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
            (name.into_owned(), value.into_owned())
        };
        let mut query: Vec<_> = url.query_pairs().map(owned).collect();
        let mut headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        match request.auth {
            Auth::None | Auth::Signed => (),
            Auth::Access | Auth::Refresh | Auth::Kept => {
                headers.push(("authorization".to_owned(), format!("Bearer {SECRET}")));
            }
            Auth::AccessAs(_) | Auth::App => {
                headers.push(("authorization".to_owned(), SECRET.to_owned()));
            }
        }
        let content = match &request.body {
            Body::Empty => {
                fill_fields(&mut query, &fills);
                Content::Empty
            }
            Body::Json(value) => Content::Json(filled(value, &fills)),
            Body::Form(fields) => {
                let mut fields = fields.clone();
                fill_fields(&mut fields, &fills);
                Content::Form(fields)
            }
            Body::File { content_type, .. } => {
                headers.push(("content-type".to_owned(), content_type.clone()));
                Content::Bytes
            }
            Body::JsonWithFiles { value, files } => {
                let mut value = filled(value, &fills);
                for (place, _) in files {
                    *value.pointer_mut(place).expect("a place for the file") = "aGk=".into();
                }
                Content::Json(value)
            }
            Body::Multipart { fields, files } => {
                let mut fields = fields.clone();
                fill_fields(&mut fields, &fills);
                let files = files.iter().map(|file| file.field.clone()).collect();
                Content::Multipart { fields, files }
            }
        };
        let kind = match content {
            Content::Json(_) => Some("application/json"),
            Content::Form(_) => Some("application/x-www-form-urlencoded"),
            Content::Multipart { .. } => Some("multipart/form-data"),
            Content::Empty | Content::Bytes => None,
        };
        headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        Sent { method, host, path: url.path().to_owned(), query, headers, content }
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// `POST /2/tweets/*` and `PUT www.linkedin.com/dms-uploads/**`: a star stands for one segment,
    /// two for whatever follows; the host is left out where it does not matter.
    pub(crate) fn is_of(&self, operation: &str) -> bool {
        let (method, place) = operation.split_once(' ').expect("a method and a place");
        let (host, path) = place.split_once('/').expect("a path");
        let mut segments = self.segments().into_iter();
        let fits_host = host.is_empty() || host == self.host;
        if method != self.method || !fits_host {
            return false;
        }
        for wanted in path.split('/') {
            match (wanted, segments.next()) {
                ("**", _) => return true,
                ("*", Some(_)) => (),
                (wanted, Some(found)) if wanted == found => (),
                (_, _) => return false,
            }
        }
        segments.next().is_none()
    }
}

fn fill_fields(fields: &mut Vec<(String, String)>, fills: &[Fill]) {
    for fill in fills {
        match fields.iter_mut().find(|(name, _)| *name == fill.place) {
            Some((_, value)) => SECRET.clone_into(value),
            None => fields.push((fill.place.clone(), SECRET.to_owned())),
        }
    }
}

/// The last step of a place may be new.
fn filled(value: &Value, fills: &[Fill]) -> Value {
    let mut value = value.clone();
    for fill in fills {
        let (parent, name) = fill.place.rsplit_once('/').expect("a JSON pointer");
        let parent = value.pointer_mut(parent).expect("a place for the secret");
        parent[name] = Value::from(SECRET);
    }
    value
}

#[test]
fn operations_are_told_apart() {
    let request = Request::get("https://api.example/2/tweets/7?a=b".to_owned());
    let sent = Sent::of(&request);
    for (operation, is_it) in [
        ("GET /2/tweets/7", true),
        ("GET /2/tweets/*", true),
        ("GET api.example/2/**", true),
        ("POST /2/tweets/*", false),
        ("GET /2/tweets", false),
        ("GET /2/tweets/*/more", false),
        ("GET other.example/2/tweets/*", false),
    ] {
        assert_eq!(sent.is_of(operation), is_it, "{operation}");
    }
}
