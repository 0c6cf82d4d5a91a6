//! Reads what a request carries, strictly: unknown fields are refused, and every mistake is
//! answered with its place and, where one is near, the name that was probably meant.

use std::{fmt::Display, str::FromStr};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::{HeaderMap, header, request::Parts},
};
use futures_util::StreamExt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::domain::{nearest::nearest, problem::Code};

use super::{place, refused::Refused};

const JSON_BYTES_MAX: usize = 1024 * 1024;

/// A JSON body of at most 1 MiB.
pub(crate) struct Strict<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Strict<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &S) -> Result<Strict<T>, Refused> {
        let (parts, body) = request.into_parts();
        check_content_type(&parts.headers)?;
        let bytes = read_whole(&parts.headers, body).await?;
        if bytes.is_empty() {
            let sentence = "The body is missing; this request needs a JSON object.";
            return Err(Refused::new(Code::BadRequest, sentence, DESCRIBED).at("body"));
        }
        serde_json::from_slice(&bytes).map(Strict).map_err(|error| mistake_in(&bytes, &error))
    }
}

const DESCRIBED: &str = "The form of every request is described in /openapi.json.";

fn check_content_type(headers: &HeaderMap) -> Result<(), Refused> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = given.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    let sentence = match kind.as_str() {
        "" => "The request does not say that its body is JSON.".to_owned(),
        kind => format!("The body is said to be `{kind}`; this request needs JSON."),
    };
    let remedy = "Send the header `Content-Type: application/json`.";
    Err(Refused::new(Code::ContentType, sentence, remedy).at("header.content-type"))
}

async fn read_whole(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Refused> {
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|bytes: usize| bytes > JSON_BYTES_MAX) {
        return Err(too_large());
    }
    let mut whole = Vec::with_capacity(told.unwrap_or_default());
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| cut_off())?;
        if whole.len() + piece.len() > JSON_BYTES_MAX {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

fn too_large() -> Refused {
    let sentence = "The body is larger than 1 MiB.";
    let remedy = "Files go to POST /api/v1/media; a post names them by id.";
    Refused::new(Code::TooLarge, sentence, remedy).at("body")
}

pub(crate) fn cut_off() -> Refused {
    let sentence = "The body ended before it was complete.";
    Refused::new(Code::BadRequest, sentence, "Send the request again.").at("body")
}

fn mistake_in(text: &[u8], error: &serde_json::Error) -> Refused {
    let words = error.to_string();
    let said = words.rsplit_once(" at line ").map_or(words.as_str(), |(said, _)| said);
    let offset = place::offset(text, error.line(), error.column());
    if !error.is_data() && serde_json::from_slice::<IgnoredAny>(text).is_ok() {
        let sentence = "The body is JSON, but not of the form of this request.";
        return Refused::new(Code::Invalid, sentence, DESCRIBED).at("body");
    }
    if !error.is_data() {
        let (line, column) = (error.line(), error.column());
        let sentence = format!("The body is not JSON: {said} (line {line}, column {column}).");
        return Refused::new(Code::BadRequest, sentence, DESCRIBED).at("body");
    }
    let reached = place::reached(text, offset);
    explain(said, &reached.path, &reached.around)
}

/// Turns what serde says into a sentence about `path`; `around` is what contains it.
fn explain(said: &str, path: &str, around: &str) -> Refused {
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let below = |name: &str| match around {
        "" => name.to_owned(),
        around => format!("{around}.{name}"),
    };
    let suggest = |meant: &str, allowed: &[&str]| match nearest(meant, allowed.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None if allowed.is_empty() => "Leave it out.".to_owned(),
        None => format!("Allowed are: {}.", allowed.join(", ")),
    };
    match quoted.as_slice() {
        [meant, allowed @ ..] if said.starts_with("unknown field") => {
            let place = below(meant);
            let sentence = format!("`{place}` is not a field of this request.");
            Refused::new(Code::Invalid, sentence, suggest(meant, allowed)).at(place)
        }
        [missing, ..] if said.starts_with("missing field") => {
            let place = below(missing);
            let sentence = format!("`{place}` is missing.");
            Refused::new(Code::Invalid, sentence, DESCRIBED).at(place)
        }
        [meant, allowed @ ..] if said.starts_with("unknown variant") => {
            let sentence = match path == *meant || path.ends_with(&format!(".{meant}")) {
                // It is a name that stands before a value.
                true => format!("`{path}` is not among what is allowed here."),
                false => format!("`{path}` is `{meant}`, which is not among its values."),
            };
            Refused::new(Code::Invalid, sentence, suggest(meant, allowed)).at(path)
        }
        _ => {
            let name = if path.is_empty() { "The body".to_owned() } else { format!("`{path}`") };
            let sentence = format!("{name} cannot be used: {said}.");
            Refused::new(Code::Invalid, sentence, DESCRIBED).at(path)
        }
    }
}

/// Query parameters, as strictly as a body.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Refused> {
        Query::try_from_uri(&parts.uri).map(|Query(asked)| Asked(asked)).map_err(|rejection| {
            let words = match std::error::Error::source(&rejection) {
                Some(source) => source.to_string(),
                None => rejection.to_string(),
            };
            explain(&words, "query", "query")
        })
    }
}

/// The id in the path. One that cannot be an id is an id of nothing.
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr<Err: Display>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id<T>, Refused> {
        let named = RawPathParams::from_request_parts(parts, state).await;
        let given = match &named {
            Ok(named) => named.iter().next().map_or("", |(_, value)| value),
            // Not UTF-8 once decoded; no id is like that.
            Err(_) => "",
        };
        given.parse().map(Id).map_err(|error| {
            let sentence = format!("The id in the path is {error}.");
            Refused::new(Code::NotFound, sentence, "Take ids from the lists.").at("path.id")
        })
    }
}

/// A value that travels as text, such as an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::post};

    use super::*;
    use crate::{
        api::{
            door,
            trial::{Told, exchange},
        },
        clock::Clock,
        domain::ids::AccountId,
        entropy::Entropy,
    };

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its reading is tested")]
        parts: Vec<Inner>,
        #[serde(default)]
        kind: Option<Kind>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its reading is tested")]
        text: String,
        #[expect(dead_code, reason = "only its reading is tested")]
        account: Option<Text<AccountId>>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Draft,
        Now,
    }

    async fn send(body: &str, headers: &str) -> Told {
        let take = |Strict(outer): Strict<Outer>| async move {
            match outer.kind {
                Some(Kind::Draft) => "draft",
                Some(Kind::Now) | None => "now",
            }
        };
        let routes = Router::new().route("/", post(take));
        let router = door::guard(routes, None, Clock::wall(), Entropy::seeded(1), false);
        exchange(router, &format!("POST / HTTP/1.1\r\n{headers}"), body).await
    }

    #[tokio::test]
    async fn every_mistake_in_a_body_is_answered_with_its_place() {
        for (body, place, remedy) in [
            (r#"{"parts": [{"txt": "a"}]}"#, "parts[0].txt", "Did you mean `text`?"),
            (r#"{"parts": [{"text": "a"}, {"text": 5}]}"#, "parts[1].text", ""),
            (r#"{"parts": [{"text": "a"}, {"text": null }]}"#, "parts[1].text", ""),
            (r#"{"parts": [{"text": "a"}, {"account": null}]}"#, "parts[1].text", ""),
            (r#"{"parts": [{}]}"#, "parts[0].text", ""),
            (r#"{"kind": "now"}"#, "parts", ""),
            ("{}", "parts", ""),
            (r#"{"parts": {}}"#, "parts", ""),
            (r#"{"parts": [], "kind": "drft"}"#, "kind", "Did you mean `draft`?"),
            (r#"{"parts": [], "zebra": [1, {"a": 2}]}"#, "zebra", "Allowed are: parts, kind."),
            (r#"{"parts": [{"text": "}{\"", "account": "me"}]}"#, "parts[0].account", ""),
            (r#"{"parts": [], "kind": {}}"#, "body", "/openapi.json"),
            (r#"{"parts": [], "kind": {"later": 1}}"#, "kind.later", "draft, now"),
            ("[]", "", ""),
        ] {
            let told = send(body, "content-type: application/json\r\n").await;
            assert_eq!((told.status, told.json["code"].as_str()), (422, Some("invalid")), "{body}");
            assert_eq!(told.json["place"].as_str().unwrap_or_default(), place, "{}", told.json);
            assert!(told.json["remedy"].as_str().unwrap().contains(remedy), "{}", told.json);
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_refused_before_it_is_read() {
        let json = "content-type: application/json; charset=utf-8\r\n";
        let large = " ".repeat(JSON_BYTES_MAX + 1);
        for (body, headers, status, code) in [
            ("{\"parts\": [", json, 400, "bad-request"),
            ("{} {}", json, 422, "invalid"),
            ("", json, 400, "bad-request"),
            ("{}", "", 415, "content-type"),
            ("a=b", "content-type: application/x-www-form-urlencoded\r\n", 415, "content-type"),
            (&large, json, 413, "too-large"),
            ("{\"parts\": []}", json, 200, ""),
        ] {
            let told = send(body, headers).await;
            let found = told.json["code"].as_str().unwrap_or_default();
            assert_eq!((told.status, found), (status, code), "{}", told.json);
        }
    }
}
