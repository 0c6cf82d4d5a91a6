//! Who asks, and whether they may. Before anything else of a request is read, so that nobody
//! without a key learns anything from how a request is refused.
//!
//! Invariants:
//! - a route of the description that needs a key is not entered without one that is allowed it;
//! - a handler that wants a caller gets the one that was let in here, or is not entered at all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    domain::{
        ids::{KeyId, OrganizationId},
        organization::Actor,
        problem::Code,
        time::Timestamp,
    },
    engine::{
        coming_from,
        facade::{
            Caller, Seat, Verb,
            rate::{self, Rate, Taken},
        },
    },
};

use super::{Api, refused::Refused, seat};

/// Which organization is meant, where a caller could act in several.
pub(crate) const ORGANIZATION: HeaderName = HeaderName::from_static("fanfare-organization");
pub(crate) const RATE_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const RATE: HeaderName = HeaderName::from_static("ratelimit");

/// A request that came in by the control socket, which only those can open who could read the data
/// directory too.
#[derive(Clone, Copy, Debug)]
pub struct Operator;

/// What a route asks of who enters it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Verb(Verb),
    /// It concerns nobody but the person who is logged in.
    Session,
}

pub(crate) type Needs = HashMap<(Method, String), Need>;

/// How fast each key has been asking.
#[derive(Clone)]
pub(crate) struct Meters {
    rate: Option<Rate>,
    spent: Arc<Mutex<HashMap<KeyId, Timestamp>>>,
}

impl Meters {
    /// 0: as fast as they like.
    pub(crate) fn new(requests_per_minute: u32) -> Meters {
        let (calls, window) = (requests_per_minute, Duration::from_secs(60));
        let rate = (calls > 0).then_some(Rate { calls, window });
        Meters { rate, spent: Arc::default() }
    }

    /// Only of keys that are known, so that there are never more meters than keys.
    fn take(&self, caller: &Caller, now: Timestamp) -> Option<(Rate, Taken)> {
        let (Some(rate), Actor::Key(key)) = (self.rate, &caller.actor) else { return None };
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = rate::take(rate, spent.get(key).copied(), now);
        spent.insert(*key, taken.spent);
        Some((rate, taken))
    }
}

/// The layer around all routes.
pub(crate) async fn admit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let from = seat::client_address(request.extensions());
    coming_from(from, let_in(api, request, next)).await
}

async fn let_in(api: Api, mut request: Request, next: Next) -> Response {
    let Some(need) = need_of(&api, &request) else { return next.run(request).await };
    let (method, headers, extensions) = (request.method(), request.headers(), request.extensions());
    let seat = match seat_at(&api, need, method, headers, extensions).await {
        Ok(seat) => seat,
        Err(refused) => return refused.into_response(),
    };
    let mut response = match need {
        Need::Session => {
            if let Some(seat) = seat.clone() {
                request.extensions_mut().insert(seat);
            }
            next.run(request).await
        }
        Need::Verb(verb) => match caller_of(&api, &request, seat.as_ref()) {
            Ok(caller) => enter(&api, caller, verb, request, next).await,
            Err(refused) => refused.into_response(),
        },
    };
    // Unless the request itself gave the browser another one, or took it away.
    if let Some(seat) = seat.filter(|_| !response.headers().contains_key(header::SET_COOKIE)) {
        seat::hand_over(&api, &seat, &mut response);
    }
    response
}

/// Who is logged in, where that is how the request proves who asks. A key goes first: programs may
/// run in browsers.
async fn seat_at(
    api: &Api,
    need: Need,
    method: &Method,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Option<Seat>, Refused> {
    let is_operator = extensions.get::<Operator>().is_some();
    let by_key = is_operator || headers.contains_key(header::AUTHORIZATION);
    match need {
        Need::Verb(_) if by_key || seat::cookie(api, headers).is_none() => Ok(None),
        Need::Verb(_) | Need::Session => {
            seat::seat(api, method, headers, extensions).await.map(Some)
        }
    }
}

async fn enter(
    api: &Api,
    caller: Caller,
    verb: Verb,
    mut request: Request,
    next: Next,
) -> Response {
    let place = if caller.session.is_some() { "cookie" } else { "header.authorization" };
    let metered = api.meters.take(&caller, api.clock.now());
    if let Some((rate, Taken { wait: Some(wait), .. })) = &metered {
        let mut response = too_fast(*wait).into_response();
        tell_rate(response.headers_mut(), *rate, &Taken::nothing_left(*wait));
        return response;
    }
    let mut response = match caller.may(verb) {
        Ok(()) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => Refused::from(problem).at(place).into_response(),
    };
    if let Some((rate, taken)) = &metered {
        tell_rate(response.headers_mut(), *rate, taken);
    }
    response
}

fn need_of(api: &Api, request: &Request) -> Option<Need> {
    let path = request.extensions().get::<MatchedPath>()?.as_str().to_owned();
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    api.needs.get(&(method, path)).copied()
}

fn caller_of(api: &Api, request: &Request, seat: Option<&Seat>) -> Result<Caller, Refused> {
    let wished = wished(request.headers())?;
    if let Some(seat) = seat {
        return Ok(api.engine.caller_in(seat, wished)?);
    }
    if request.extensions().get::<Operator>().is_some() {
        let home = api.engine.operator_at_home()?;
        return Ok(wished.map_or(home, |organization| api.engine.operator(organization)));
    }
    let given = request.headers().get(header::AUTHORIZATION);
    let key = given.and_then(|value| bearer(value.to_str().ok()?));
    let Some(key) = key else {
        let sentence = match given {
            Some(_) => "The header `Authorization` holds no bearer key.",
            None => "The request carries neither a key nor a session.",
        };
        let remedy = "Send the header `Authorization: Bearer <key>`; `fanfare init` makes the \
            first key. People log in with POST /api/v1/session.";
        return Err(Refused::new(Code::Unauthorized, sentence, remedy).at("header.authorization"));
    };
    let caller = api.engine.authenticate(key)?;
    match wished {
        Some(organization) if organization != caller.organization => {
            let sentence = "This key is not one of that organization.";
            let remedy = "Leave the header out, or use a key of that organization.";
            let refused = Refused::new(Code::Forbidden, sentence, remedy);
            Err(refused.at("header.fanfare-organization"))
        }
        Some(_) | None => Ok(caller),
    }
}

fn wished(headers: &HeaderMap) -> Result<Option<OrganizationId>, Refused> {
    let Some(value) = headers.get(ORGANIZATION) else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| {
        let sentence = "The header `Fanfare-Organization` is not the id of an organization.";
        let remedy = "Send an id such as `org_01jd3v9p0c8k5t2m7q4x6y1z0n`, or leave it out.";
        Refused::new(Code::BadRequest, sentence, remedy).at("header.fanfare-organization")
    })
}

fn too_fast(wait: Duration) -> Refused {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Refused::new(
        Code::TooManyRequests,
        format!("This key has asked too often; it may ask again in {seconds} s."),
        "Wait as long as `Retry-After` says, and read the live stream of events instead of asking \
         again and again.",
    )
    .retry_after(seconds)
}

/// As in draft-ietf-httpapi-ratelimit-headers-10 (read 2026-11-26).
fn tell_rate(headers: &mut HeaderMap, rate: Rate, taken: &Taken) {
    let policy = format!("\"key\";q={};w={}", rate.calls, rate.window.as_secs());
    let left = format!("\"key\";r={};t={}", taken.left, taken.whole_in.as_secs());
    for (name, text) in [(RATE_POLICY, policy), (RATE, left)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
}

/// Whoever was let in.
pub(crate) struct By {
    pub(crate) caller: Caller,
}

impl FromRequestParts<Api> for By {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<By, Refused> {
        // Put there by `admit`, and by nobody else.
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(|caller| By { caller }).ok_or_else(|| {
            let sentence = "This route is not in the table of permissions.";
            Refused::new(Code::Internal, sentence, "Report this as a bug.")
        })
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_key_is_a_key() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for wrong in ["abc", "Basic abc", "Bearer", "Bearer ", ""] {
            assert_eq!(bearer(wrong), None, "{wrong}");
        }
    }
}
