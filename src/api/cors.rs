//! Which other sites' pages may call the API from a browser.
//!
//! Invariant: none may as somebody who is logged in. Credentials are never allowed, so a browser
//! sends no cookie along, and shows no answer to who made it do so: a page needs a key.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{caller, events, once};

/// How long a browser may remember the answer.
const REMEMBERED: Duration = Duration::from_secs(600);

const API: &str = "/api/";
const DESCRIPTION: &str = "/openapi.json";

/// `origins`: each as a browser spells it. Without any there is no layer, and nobody is told that
/// there could be one.
pub(crate) fn layer(origins: Vec<String>) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = AllowOrigin::predicate(move |origin: &HeaderValue, parts| {
        let path = parts.uri.path();
        let is_open = path.starts_with(API) || path == DESCRIPTION;
        is_open && origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
    });
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            caller::ORGANIZATION,
            HeaderName::from_static(once::IDEMPOTENCY_KEY),
            HeaderName::from_static(events::LAST_EVENT_ID),
        ])
        .expose_headers([
            HeaderName::from_static("x-request-id"),
            header::RETRY_AFTER,
            caller::RATE,
            caller::RATE_POLICY,
            once::REPLAYED,
        ])
        .max_age(REMEMBERED);
    Some(cors)
}
