//! Reads what token endpoints answer, in the many ways that platforms say it. Pure.

use std::time::Duration;

use serde_json::Value;

use super::Error;
use crate::{
    connectors::{Grant, Reply},
    domain::secret::Secret,
    net::Secrets,
};

const WORDS_CHARS_MAX: usize = 300;

/// `token_type` is not looked at: some leave it out, others write it in their own way, and all
/// mean `Bearer`.
pub(super) fn grant(reply: &Reply, secrets: &Secrets) -> Result<Grant, Error> {
    accepted(reply, secrets)?;
    // Instagram's pages show the answer both bare and as the only item of `data`.
    let body = reply.body.pointer("/data/0").unwrap_or(&reply.body);
    let field = |name: &str| body.get(name);
    let token = |name: &str| field(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(access) = token("access_token") else {
        let reason = "it has no `access_token`".to_owned();
        return Err(Error::Unreadable { status: reply.status, reason });
    };
    Ok(Grant {
        access: Secret::new(access),
        // An empty text is no token: to keep it would throw away the one that still works.
        refresh: token("refresh_token").map(Secret::new),
        access_lasts: field("expires_in").and_then(seconds),
        // RFC 6749 has no name for it. TikTok has the first, Google and LinkedIn the second.
        refresh_lasts: field("refresh_expires_in")
            .or_else(|| field("refresh_token_expires_in"))
            .and_then(seconds),
        // Instagram says `permissions`.
        scopes: field("scope").or_else(|| field("permissions")).map(scopes).unwrap_or_default(),
    })
}

/// Whether the platform said yes.
pub(super) fn accepted(reply: &Reply, secrets: &Secrets) -> Result<(), Error> {
    let status = reply.status;
    match status {
        // Some say no with a success and an `error` in it.
        200..=299 if reply.body.get("error").is_none_or(is_nothing) => Ok(()),
        408 | 425 | 429 | 500.. => Err(Error::Unavailable { status, until: reply.retry_after() }),
        // Following it would hand our secrets to whoever it names.
        100..=199 | 300..=399 => {
            Err(Error::Unreadable { status, reason: "the token address is elsewhere".to_owned() })
        }
        _ => {
            let (code, words) = refusal(&reply.body);
            let shown = |text: &str| -> String {
                secrets.redact(text).chars().take(WORDS_CHARS_MAX).collect()
            };
            Err(Error::Refused {
                status,
                code: shown(&code.unwrap_or_else(|| status.to_string())),
                words: shown(&words),
            })
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Code and words: by the standard, in Meta's `error` object, or in a problem document.
fn refusal(body: &Value) -> (Option<String>, String) {
    let first = |pointers: &[&str]| {
        pointers.iter().filter_map(|pointer| body.pointer(pointer)).find_map(|value| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        })
    };
    let code = first(&["/error", "/error/code", "/error/type", "/code", "/serviceErrorCode"]);
    let words = first(&[
        "/error_description",
        "/error/message",
        "/message",
        "/detail",
        "/errors/0/message",
        "/title",
    ])
    // A page of text instead of JSON.
    .or_else(|| body.as_str().map(str::to_owned));
    (code, words.unwrap_or_default())
}

/// A number, or a number written as text. Zero is how some say that there is no end.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|lasts| !lasts.is_zero())
}

/// Separated by spaces, as the standard has it, by commas, or a list.
fn scopes(value: &Value) -> String {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let separate = |text: &&'_ str| !text.is_empty();
    let all = texts.iter().flat_map(|text| text.split([' ', ','])).filter(separate);
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::time::Timestamp;

    fn reply(status: u16, body: Value) -> Reply {
        Reply { status, headers: Vec::new(), body, at: Timestamp(1_000) }
    }

    fn read(status: u16, body: Value) -> Result<Grant, Error> {
        grant(&reply(status, body), &Secrets::default())
    }

    #[test]
    fn grant_is_read_in_every_common_spelling() {
        let hour = Some(Duration::from_secs(3_600));
        for (body, expires, scopes) in [
            (json!({ "access_token": "a", "token_type": "bearer" }), None, ""),
            (json!({ "access_token": "a", "token_type": "BeArEr", "expires_in": 3600 }), hour, ""),
            (json!({ "access_token": "a", "expires_in": "3600", "scope": "r w" }), hour, "r w"),
            (json!({ "access_token": "a", "expires_in": 3600.0, "scope": "r,w" }), hour, "r w"),
            (json!({ "access_token": "a", "expires_in": 0, "scope": ["r", "w"] }), None, "r w"),
            (json!({ "access_token": "a", "expires_in": -1, "scope": null }), None, ""),
            (json!({ "access_token": "a", "expires_in": "soon", "error": "" }), None, ""),
            (json!({ "access_token": "a", "refresh_token": "" }), None, ""),
            (json!({ "access_token": "a", "refresh_token": null }), None, ""),
        ] {
            let grant = read(200, body.clone()).unwrap();
            assert_eq!(grant.access, Secret::new("a"), "{body}");
            assert_eq!(grant.refresh, None, "{body}");
            assert_eq!(grant.access_lasts, expires, "{body}");
            assert_eq!(grant.scopes, scopes, "{body}");
        }
    }

    #[test]
    fn refresh_token_and_its_end_are_read() {
        for name in ["refresh_expires_in", "refresh_token_expires_in"] {
            let mut body = json!({ "access_token": "a", "refresh_token": "r" });
            body[name] = json!(60);
            let grant = read(201, body).unwrap();
            assert_eq!(grant.refresh, Some(Secret::new("r")));
            assert_eq!(grant.refresh_lasts, Some(Duration::from_secs(60)));
        }
    }

    #[test]
    fn refusal_is_read_in_every_common_spelling() {
        for (status, body, code, words) in [
            (
                400,
                json!({ "error": "invalid_grant", "error_description": "used" }),
                "invalid_grant",
                "used",
            ),
            (400, json!({ "error": { "message": "old", "code": 190 } }), "190", "old"),
            (
                401,
                json!({ "serviceErrorCode": 65600, "message": "bad", "status": 401 }),
                "65600",
                "bad",
            ),
            (400, json!({ "errors": [{ "message": "no" }], "title": "t" }), "400", "no"),
            (403, json!("<html>go away</html>"), "403", "<html>go away</html>"),
            (404, Value::Null, "404", ""),
            (200, json!({ "error": "bad_verification_code" }), "bad_verification_code", ""),
        ] {
            let expected =
                Error::Refused { status, code: code.to_owned(), words: words.to_owned() };
            assert_eq!(read(status, body), Err(expected));
        }
    }

    #[test]
    fn server_that_cannot_answer_has_not_refused() {
        for status in [408, 425, 429, 500, 502, 503, 599] {
            let body = json!({ "error": "invalid_grant" });
            assert_eq!(read(status, body), Err(Error::Unavailable { status, until: None }));
        }
        let mut throttled = reply(429, Value::Null);
        throttled.headers.push(("retry-after".to_owned(), "2".to_owned()));
        let until = Some(Timestamp(3_000));
        assert_eq!(
            grant(&throttled, &Secrets::default()),
            Err(Error::Unavailable { status: 429, until })
        );
    }

    #[test]
    fn success_without_a_token_is_unreadable_not_refused() {
        for body in [
            Value::Null,
            json!([]),
            json!({}),
            json!({ "access_token": "" }),
            json!({ "access_token": 7 }),
            json!("text"),
        ] {
            assert!(matches!(read(200, body), Err(Error::Unreadable { status: 200, .. })));
        }
        assert!(matches!(read(302, Value::Null), Err(Error::Unreadable { status: 302, .. })));
    }

    #[test]
    fn words_of_a_refusal_hold_no_secret_that_the_server_repeats() {
        let secrets = Secrets { access: Some(Secret::new("the-code")), ..Secrets::default() };
        let body = json!({ "error": "invalid_grant", "error_description": "`the-code` is used" });
        let error = grant(&reply(400, body), &secrets).unwrap_err();
        assert!(error.to_string().ends_with("`[secret]` is used"), "{error}");
    }
}
