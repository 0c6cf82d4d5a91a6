//! What a browser carries: the cookie of a session, and the proof that a request comes from our own
//! pages.
//!
//! Invariants:
//! - a request that changes something by a cookie carries the session's own token in a header,
//!   which no other site's page can send;
//! - a browser that says where a request comes from is believed when that is another site.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts},
    response::Response,
};
use url::Url;

use crate::{
    domain::{problem::Code, secret::Secret, time::Timestamp},
    engine::facade::{Seat, Visitor},
};

use super::{Api, refused::Refused};

const CSRF: HeaderName = HeaderName::from_static("fanfare-csrf");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request came from, as far as whoever put it there trusts it; see
/// [`forwarded`](super::forwarded).
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

pub(crate) fn client_address(extensions: &Extensions) -> Option<IpAddr> {
    let told = extensions.get::<ClientAddress>().map(|ClientAddress(address)| *address);
    let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    told.or_else(peer)
}

/// Browsers take a cookie of the first name only over https, from the host itself, for all paths.
fn name(public_url: &str) -> &'static str {
    if is_secure(public_url) { "__Host-fanfare" } else { "fanfare" }
}

pub(crate) fn is_secure(public_url: &str) -> bool {
    public_url.starts_with("https://")
}

/// What the browser holds, if it holds anything.
pub(crate) fn cookie(api: &Api, headers: &HeaderMap) -> Option<Secret> {
    read_cookie(headers, name(api.engine.public_url()))
}

pub(crate) fn read_cookie(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name).then(|| Secret::new(value))
    })
}

/// Who is logged in, if the request may be theirs.
pub(crate) async fn seat(
    api: &Api,
    method: &Method,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Seat, Refused> {
    let Some(cookie) = cookie(api, headers) else {
        let remedy = "Log in with POST /api/v1/session, and send the cookie that it sets.";
        let sentence = "The request carries no session.";
        return Err(Refused::new(Code::Unauthorized, sentence, remedy).at("cookie"));
    };
    let seat = api.engine.seat(cookie.expose(), client_address(extensions)).await?;
    if !method.is_safe() {
        from_our_pages(api, headers)?;
        let token = headers.get(CSRF).map(HeaderValue::as_bytes);
        if token != Some(seat.csrf.as_bytes()) {
            let sentence = "The header `Fanfare-CSRF` is not this session's token.";
            let remedy = "Take `csrf` from the answer to logging in or from GET /api/v1/session.";
            let refused = Refused::new(Code::Forbidden, sentence, remedy);
            return Err(refused.at("header.fanfare-csrf"));
        }
    }
    Ok(seat)
}

/// Refuses what a browser says comes from the page of somebody else.
fn from_our_pages(api: &Api, headers: &HeaderMap) -> Result<(), Refused> {
    let said = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (site, origin) = (said(FETCH_SITE), said(header::ORIGIN));
    let public_url = api.engine.public_url();
    let ours = Url::parse(public_url).map(|url| url.origin().ascii_serialization());
    let site_is_ours = site.is_none_or(|site| site == "same-origin" || site == "none");
    let origin_is_ours = match origin {
        None => true,
        // Of a page that sends no referrer; then the other header has to tell.
        Some("null") => site == Some("same-origin"),
        Some(origin) => ours.is_ok_and(|ours| ours == origin),
    };
    if site_is_ours && origin_is_ours {
        return Ok(());
    }
    let sentence = "The request comes from a page of another site.";
    let remedy = format!("Open Fanfare at {public_url}, which is its `server.public_url`.");
    Err(Refused::new(Code::Forbidden, sentence, remedy).at("header.origin"))
}

/// Makes the browser hold what the seat says, if that has changed.
pub(crate) fn hand_over(api: &Api, seat: &Seat, response: &mut Response) {
    if let Some(cookie) = &seat.cookie {
        set(api, response, cookie.expose(), seat.until);
    }
}

/// Makes the browser forget what it holds.
pub(crate) fn clear(api: &Api, response: &mut Response) {
    set(api, response, "", Timestamp(0));
}

fn set(api: &Api, response: &mut Response, value: &str, until: Timestamp) {
    let lasts = until.remaining(api.clock.now());
    set_cookie(api, response, name(api.engine.public_url()), value, lasts.as_secs());
}

pub(crate) fn set_cookie(
    api: &Api,
    response: &mut Response,
    name: &str,
    value: &str,
    seconds: u64,
) {
    let secure = if is_secure(api.engine.public_url()) { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Somebody who is logged in. Put there by `admit`, and by nobody else.
pub(crate) struct Seated(pub(crate) Seat);

impl FromRequestParts<Api> for Seated {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Seated, Refused> {
        parts.extensions.get::<Seat>().cloned().map(Seated).ok_or_else(|| {
            let sentence = "This route is not among those of a session.";
            Refused::new(Code::Internal, sentence, "Report this as a bug.")
        })
    }
}

/// Somebody who is about to log in, from a page of ours if from any.
pub(crate) struct Visit(pub(crate) Visitor);

impl FromRequestParts<Api> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Visit, Refused> {
        if !parts.method.is_safe() {
            from_our_pages(api, &parts.headers)?;
        }
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Visit(Visitor {
            from: client_address(&parts.extensions),
            agent: agent.unwrap_or_default().to_owned(),
            cookie: cookie(api, &parts.headers),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_is_found_among_others_and_only_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; xfanfare=no"));
        assert_eq!(read_cookie(&headers, "fanfare"), None);
        headers.append(header::COOKIE, HeaderValue::from_static("c; fanfare=yes;d=e"));
        assert_eq!(read_cookie(&headers, "fanfare"), Some(Secret::new("yes")));
    }

    #[test]
    fn name_of_the_cookie_follows_the_scheme() {
        assert_eq!(name("https://posts.example.org"), "__Host-fanfare");
        assert_eq!(name("http://127.0.0.1:7700"), "fanfare");
    }

    #[test]
    fn told_address_is_believed_before_the_connection() {
        let mut extensions = Extensions::new();
        assert_eq!(client_address(&extensions), None);
        extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        assert_eq!(client_address(&extensions), Some(IpAddr::from([127, 0, 0, 1])));
        extensions.insert(ClientAddress(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(client_address(&extensions), Some(IpAddr::from([192, 0, 2, 1])));
    }
}
