//! `Idempotency-Key`: a request that arrives twice is one request.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{domain::problem::Code, engine::facade::Once};

use super::refused::Refused;

pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const CHARS_MAX: usize = 255;

/// The key that the request carries, if any.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.as_bytes();
    let printable = key.iter().all(|byte| (0x20..0x7f).contains(byte));
    if (1..=CHARS_MAX).contains(&key.len()) && printable {
        return Ok(Some(String::from_utf8_lossy(key).into_owned()));
    }
    let sentence = "The header `Idempotency-Key` is not 1 to 255 printable ASCII characters.";
    let remedy = "A random UUID is a good key.";
    Err(Refused::new(Code::BadRequest, sentence, remedy).at("header.idempotency-key"))
}

/// `body` is written anew from what was understood, so spacing and the order of fields do not make
/// another request of it.
pub(crate) fn of(
    headers: &HeaderMap,
    route: &str,
    body: &impl Serialize,
) -> Result<Option<Once>, Refused> {
    let Some(key) = key(headers)? else {
        return Ok(None);
    };
    let canonical = serde_json::to_vec(body).map_err(|error| {
        Refused::new(Code::Internal, format!("could not write a request anew: {error}"), "")
    })?;
    Ok(Some(with_digest(key, route, &Sha256::digest(canonical))))
}

/// `route`: the method and path, such as `POST /api/v1/posts`.
pub(crate) fn with_digest(key: String, route: &str, body: &[u8]) -> Once {
    let fingerprint = Sha256::new().chain_update(route).chain_update([0]).chain_update(body);
    Once { key, fingerprint: fingerprint.finalize().into() }
}

/// 201 for what was made now; 200 and a header for what an earlier request made.
pub(crate) fn answer(replay: Replay, body: Response) -> Response {
    match replay {
        Replay::First => (StatusCode::CREATED, body).into_response(),
        Replay::Repeated => {
            (StatusCode::OK, [(REPLAYED, HeaderValue::from_static("true"))], body).into_response()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    First,
    Repeated,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(
            HeaderName::from_static(IDEMPOTENCY_KEY),
            HeaderValue::from_bytes(value).unwrap(),
        )])
    }

    #[test]
    fn key_is_short_and_printable() {
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        assert_eq!(key(&with(b"order 66")).unwrap().as_deref(), Some("order 66"));
        for wrong in [b"".as_slice(), &[b'a'; 256], b"caf\xc3\xa9", b"a\tb"] {
            assert!(key(&with(wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn fingerprint_tells_routes_and_bodies_apart() {
        let print = |route: &str, body: &str| {
            of(&with(b"k"), route, &body).unwrap().map(|once| once.fingerprint)
        };
        assert_eq!(print("POST /a", "x"), print("POST /a", "x"));
        assert_ne!(print("POST /a", "x"), print("POST /b", "x"));
        assert_ne!(print("POST /a", "x"), print("POST /a", "y"));
    }
}
