//! One HTTP exchange as plain values, so that every simulated platform is a synchronous function
//! from [`Call`] to [`Answer`] and faults can be played around it in one place.

use std::collections::HashMap;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Multipart, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::{future, stream};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::domain::time::Timestamp;

use super::fetching::Fetched;

/// The names under which secrets are sent, in any body or query.
const SECRETS: [&str; 10] = [
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "fb_exchange_token",
    "input_token",
    "password",
    "refresh_token",
    "state",
    "token",
];

/// A request, read to its end.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below the platform's base, percent-decoded, split at `/`.
    pub(crate) segments: Vec<String>,
    /// Path and query below the platform's base as the client wrote them, still percent-encoded.
    pub(crate) target: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// Empty for multipart requests, whose parts are in `fields`.
    pub(crate) body: Bytes,
    pub(crate) fields: Vec<Field>,
    /// `http://host:port`, as the client wrote it.
    pub(crate) origin: String,
    /// The platform's base URL: the origin and the platform's prefix.
    pub(crate) base: String,
    pub(crate) now: Timestamp,
    /// What was found at the addresses that the platform asked for: [`Simulation::fetches`].
    ///
    /// [`Simulation::fetches`]: super::world::Simulation::fetches
    pub(crate) fetched: HashMap<String, Fetched>,
}

/// One part of a multipart request.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Call {
    /// Reads a request whose path begins with `prefix`. A body that is too large or malformed is
    /// answered here, before any platform sees it.
    pub(crate) async fn read(
        request: Request,
        prefix: &str,
        now: Timestamp,
    ) -> Result<Call, Response> {
        let uri = request.uri().clone();
        let headers = request.headers().clone();
        let method = request.method().clone();
        let origin = origin(&headers);
        let multipart = content_type(&headers).starts_with("multipart/form-data");
        let (body, fields) = match multipart {
            true => (Bytes::new(), read_fields(request).await?),
            false => {
                let body = Bytes::from_request(request, &()).await;
                (body.map_err(IntoResponse::into_response)?, Vec::new())
            }
        };
        let below = uri.path().strip_prefix(prefix).unwrap_or(uri.path());
        Ok(Call {
            method,
            target: match uri.query() {
                Some(query) => format!("{below}?{query}"),
                None => below.to_owned(),
            },
            segments: below
                .split('/')
                .filter(|segment| !segment.is_empty())
                .map(percent_decoded)
                .collect(),
            query: pairs(uri.query().unwrap_or_default().as_bytes()),
            headers,
            body,
            fields,
            base: format!("{origin}{prefix}"),
            origin,
            now,
            fetched: HashMap::new(),
        })
    }

    /// Method and path in the shape that routing tables match on.
    pub(crate) fn route(&self) -> (&str, Vec<&str>) {
        let segments = self.segments.iter().map(String::as_str).collect();
        (self.method.as_str(), segments)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn content_type(&self) -> &str {
        content_type(&self.headers)
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// Client id and secret of HTTP Basic authentication.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.header("authorization")?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        // RFC 6749 2.3.1: both halves are form-encoded before they are joined.
        Some((percent_decoded(id), percent_decoded(secret)))
    }

    /// Everything that was sent as a secret, in whatever way.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let authorization = self.header("authorization").and_then(|it| it.split_once(' '));
        let mut found: Vec<String> = match self.basic() {
            Some((_, secret)) => vec![secret],
            None => authorization.map(|(_, token)| token.trim().to_owned()).into_iter().collect(),
        };
        let sent = self.parameters();
        let texts = SECRETS.iter().filter_map(|name| sent[*name].as_str());
        found.extend(texts.map(str::to_owned));
        found
    }

    /// The body as a JSON value, whatever its declared type.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// JSON, form and multipart bodies in one shape: `poll[options][]=a` becomes nested JSON, and
    /// what only the query carries is added. Values of forms stay strings.
    pub(crate) fn parameters(&self) -> Value {
        let mut found = Value::Object(Map::new());
        for (key, value) in &self.query {
            nest(&mut found, key, value);
        }
        if self.content_type().starts_with("application/json") {
            if let Some(Value::Object(body)) = self.json()
                && let Some(object) = found.as_object_mut()
            {
                object.extend(body);
            }
            return found;
        }
        for (key, value) in pairs(&self.body) {
            nest(&mut found, &key, &value);
        }
        for field in self.fields.iter().filter(|field| field.file_name.is_none()) {
            nest(&mut found, &field.name, &String::from_utf8_lossy(&field.bytes));
        }
        found
    }

    /// The multipart part of that name which holds a file.
    pub(crate) fn file(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

async fn read_fields(request: Request) -> Result<Vec<Field>, Response> {
    let mut multipart =
        Multipart::from_request(request, &()).await.map_err(IntoResponse::into_response)?;
    let mut fields = Vec::new();
    while let Some(part) = multipart.next_field().await.map_err(IntoResponse::into_response)? {
        fields.push(Field {
            name: part.name().unwrap_or_default().to_owned(),
            file_name: part.file_name().map(str::to_owned),
            bytes: part.bytes().await.map_err(IntoResponse::into_response)?,
        });
    }
    Ok(fields)
}

fn origin(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text("x-forwarded-proto") {
        Some("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{}", text("host").unwrap_or("localhost"))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

fn percent_decoded(segment: &str) -> String {
    // The form decoder would read a plus sign as a space, which it is not in a path.
    let kept = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    pairs(kept.as_bytes()).pop().map(|(key, _)| key).unwrap_or_default()
}

/// Puts `a[b][]=value` into nested objects and lists.
fn nest(target: &mut Value, key: &str, value: &str) {
    let mut path = key.split('[').map(|part| part.trim_end_matches(']'));
    let mut place = target;
    if let Some(first) = path.next() {
        place = child(place, first);
    }
    for part in path {
        place = child(place, part);
    }
    *place = json!(value);
}

fn child<'a>(place: &'a mut Value, name: &str) -> &'a mut Value {
    if name.is_empty() {
        if !place.is_array() {
            *place = json!([]);
        }
        let list = place.as_array_mut().expect("it was just made a list");
        list.push(Value::Null);
        return list.last_mut().expect("an item was just pushed");
    }
    if !place.is_object() {
        *place = json!({});
    }
    let object = place.as_object_mut().expect("it was just made an object");
    object.entry(name).or_insert(Value::Null)
}

/// What a platform answers.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    mime: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: u16, mime: &'static str, body: impl Into<Bytes>) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            mime,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn html(status: u16, body: maud::Markup) -> Answer {
        Answer::new(status, "text/html; charset=utf-8", body.into_string())
    }

    /// The same answer, with these in each of its sentences.
    pub(crate) fn repeating(mut self, secrets: &[String]) -> Answer {
        if let Ok(mut body) = serde_json::from_slice::<Value>(&self.body) {
            repeat(&mut body, &format!(" ({})", secrets.join(", ")));
            self.body = body.to_string().into();
        }
        self
    }

    pub(crate) fn redirect(location: &str) -> Answer {
        Answer::new(302, "text/plain", Bytes::new()).with("location", location.to_owned())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

/// A sentence is a text with a space in it.
fn repeat(body: &mut Value, words: &str) {
    match body {
        Value::String(text) if text.contains(' ') => text.push_str(words),
        Value::Array(items) => items.iter_mut().for_each(|item| repeat(item, words)),
        Value::Object(fields) => fields.values_mut().for_each(|field| repeat(field, words)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.mime));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// A response that closes the connection before a single byte of it is sent: the server writes
/// the head only together with the first piece of the body, and that piece is an error.
pub(crate) fn connection_lost() -> Response {
    let lost = std::io::Error::other("the sandbox dropped this answer");
    Response::new(Body::from_stream(stream::once(future::ready(Err::<Bytes, std::io::Error>(
        lost,
    )))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bracketed_form_keys_become_nested_json() {
        let mut found = json!({});
        for (key, value) in [
            ("status", "hi"),
            ("media_ids[]", "1"),
            ("media_ids[]", "2"),
            ("poll[options][]", "a"),
            ("poll[expires_in]", "300"),
        ] {
            nest(&mut found, key, value);
        }
        let wanted = json!({
            "status": "hi", "media_ids": ["1", "2"],
            "poll": { "options": ["a"], "expires_in": "300" }
        });
        assert_eq!(found, wanted);
    }

    #[test]
    fn sentences_of_a_careless_server_repeat_what_was_sent() {
        let body = json!({ "error": { "message": "It is wrong", "code": 1, "type": "Wrong" } });
        let answer = Answer::json(400, &body).repeating(&["one".to_owned(), "two".to_owned()]);
        let said: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(said["error"]["message"], "It is wrong (one, two)");
        assert_eq!(said["error"]["type"], "Wrong");
    }

    #[test]
    fn path_segments_keep_plus_signs_and_lose_percent_signs() {
        assert_eq!(percent_decoded("did%3Aplc%3Aa+b"), "did:plc:a+b");
    }
}
