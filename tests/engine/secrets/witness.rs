//! Sees everything that passes between us and the platforms, and remembers what was secret in it.
//! At each request it also copies the store, so that nothing that is stored for a moment escapes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::{self, Next},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fanfare::store::Memory;
use futures_util::{future, stream};
use serde_json::Value;
use url::form_urlencoded;

/// Fields, parameters and what their values are.
const NAMES: &[(&str, &str)] = &[
    ("accessJwt", "access token"),
    ("access_token", "access token"),
    ("client_secret", "client secret"),
    ("code", "code"),
    ("code_verifier", "verifier"),
    ("fb_exchange_token", "access token"),
    ("image_url", "address of a file"),
    ("password", "app password"),
    ("refreshJwt", "refresh token"),
    ("refresh_token", "refresh token"),
    ("state", "state"),
    ("token", "access token"),
    ("uploadToken", "upload address"),
    ("uploadUrl", "upload address"),
    ("upload_url", "upload address"),
    ("video_url", "address of a file"),
];

const LENGTH_MIN: usize = 12;

pub(super) struct Witness {
    memory: Memory,
    /// By their text.
    secrets: Mutex<BTreeMap<String, &'static str>>,
    rows: Mutex<BTreeSet<Vec<u8>>>,
}

impl Witness {
    pub(super) fn new(memory: Memory) -> Arc<Witness> {
        Arc::new(Witness { memory, secrets: Mutex::default(), rows: Mutex::default() })
    }

    pub(super) fn around(self: Arc<Witness>, platforms: axum::Router) -> axum::Router {
        platforms.layer(middleware::from_fn_with_state(self, watch))
    }

    pub(super) fn secrets(&self) -> BTreeMap<String, &'static str> {
        self.secrets.lock().unwrap().clone()
    }

    /// Every row that the store ever held while somebody was asked, keys included.
    pub(super) fn rows(&self) -> BTreeSet<Vec<u8>> {
        self.copy();
        self.rows.lock().unwrap().clone()
    }

    pub(super) fn copy(&self) {
        let mut rows = self.rows.lock().unwrap();
        rows.extend(self.memory.copy().into_iter().flat_map(|(key, value)| [key, value]));
    }

    /// Of an address only what makes it one that others cannot guess.
    pub(super) fn learn(&self, text: &str, kind: &'static str) {
        let secret = match kind {
            "address of a file" => text.split('/').rev().nth(1).unwrap_or_default(),
            "upload address" => text.rsplit(['/', '=']).next().unwrap_or_default(),
            _ => text,
        };
        // Errors have codes too: numbers, names in capitals, and names like `rest_forbidden`.
        let is_small = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_name = kind == "code"
            && (!secret.bytes().any(|byte| byte.is_ascii_lowercase())
                || secret.bytes().all(is_small));
        if secret.len() >= LENGTH_MIN && !is_name {
            self.secrets.lock().unwrap().entry(secret.to_owned()).or_insert(kind);
        }
    }

    fn learn_pair(&self, name: &str, value: &str) {
        if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
            self.learn(value, kind);
        }
    }

    fn learn_pairs(&self, encoded: &[u8]) {
        for (name, value) in form_urlencoded::parse(encoded) {
            self.learn_pair(&name, &value);
        }
    }

    fn learn_json(&self, value: &Value) {
        match value {
            Value::Object(fields) => {
                if let (Some(Value::String(token)), true) =
                    (fields.get("access_token"), fields.contains_key("tasks"))
                {
                    self.learn(token, "page token");
                }
                for (name, value) in fields {
                    self.learn_pair(name, value.as_str().unwrap_or_default());
                    self.learn_json(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_json(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
        }
    }

    fn learn_header(&self, headers: &HeaderMap) {
        let authorization = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let Some((scheme, text)) = authorization.and_then(|text| text.split_once(' ')) else {
            return;
        };
        self.learn(text, "access token");
        if scheme.eq_ignore_ascii_case("basic") {
            let pair = String::from_utf8(STANDARD.decode(text).unwrap()).unwrap();
            self.learn(pair.split_once(':').unwrap().1, "client secret");
        }
    }

    fn body(&self, bytes: &[u8]) {
        match serde_json::from_slice(bytes) {
            Ok(value) => self.learn_json(&value),
            // A form, or a file, of which nothing has such a name.
            Err(_) => self.learn_pairs(bytes),
        }
    }
}

async fn watch(State(witness): State<Arc<Witness>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    witness.copy();
    witness.learn_header(&head.headers);
    witness.learn_pairs(head.uri.query().unwrap_or_default().as_bytes());
    witness.body(&bytes);
    let (head, body) = next.run(Request::from_parts(head, Body::from(bytes))).await.into_parts();
    if let Some(location) = head.headers.get(header::LOCATION) {
        let query = location.to_str().unwrap().split(['?', '#']).nth(1).unwrap_or_default();
        witness.learn_pairs(query.as_bytes());
    }
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            witness.body(&bytes);
            Response::from_parts(head, Body::from(bytes))
        }
        // An answer that a fault took stays away.
        Err(error) => {
            let lost = stream::once(future::ready(Err::<Bytes, _>(error)));
            Response::from_parts(head, Body::from_stream(lost))
        }
    }
}
