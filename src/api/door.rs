//! What every request passes on its way in and out: an id, a time limit, a net for panics, and the
//! rendering of refusals.
//!
//! Invariant: whatever is refused, by whomever, leaves as `application/problem+json`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::StreamExt;
use tower_http::cors::CorsLayer;

use crate::{clock::Clock, domain::problem::Code, entropy::Entropy};

use super::{
    files::FILES,
    refused::{PROBLEM_JSON, Refused},
    welcome::LINKS,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_CHARS_MAX: usize = 128;
const PATIENCE: Duration = Duration::from_secs(30);

/// For a whole body. Without a limit of its own it would be waited for beyond the answer, and the
/// connection with it.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// Receives files, which take as long as they take.
pub(crate) const UPLOADS: &str = "/api/v1/media";

#[derive(Clone)]
struct Door(Arc<(Clock, Entropy, bool)>);

/// Puts the door around all routes. No route may be added afterwards.
/// `is_secure`: browsers reach us by https.
pub(crate) fn guard(
    router: Router,
    cors: Option<CorsLayer>,
    clock: Clock,
    entropy: Entropy,
    is_secure: bool,
) -> Router {
    let door = Door(Arc::new((clock, entropy, is_secure)));
    let router = router.fallback(unknown_route).method_not_allowed_fallback(wrong_method);
    let router = match cors {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(middleware::from_fn_with_state(door, pass))
}

async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (clock, entropy, is_secure) = &*door.0;
    let id = given_id(&request).unwrap_or_else(|| fresh_id(entropy));
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let stopwatch = clock.stopwatch();
    let is_upload = method == Method::POST && uri.path() == UPLOADS;
    let request = match is_upload || request.body().is_end_stream() {
        true => request,
        false => request.map(|body| hurried(body, clock.clone())),
    };
    // On a task of its own: a caller who hangs up ends the waiting, not a change half-way between
    // its commit and those who have to hear of it.
    let work = tokio::spawn(next.run(request));
    let ended = match is_upload {
        true => Some(work.await),
        false => clock.within(PATIENCE, work).await,
    };
    let response = match ended {
        Some(Ok(response)) => render(response, &id),
        Some(Err(_panic)) => panicked(&method, &uri).render(&id),
        None => took_too_long().render(&id),
    };
    let millis = stopwatch.elapsed().as_millis();
    tracing::debug!(
        request.id = id.as_str(),
        "{method} {} was answered {} after {millis} ms",
        shown(&uri),
        response.status().as_u16(),
    );
    finish(response, &id, *is_secure)
}

fn late() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

/// Breaks off, and is let go of, when all of it has not come in time.
fn hurried(body: Body, clock: Clock) -> Body {
    let (begun, pieces) = (clock.stopwatch(), Some(body.into_data_stream()));
    Body::from_stream(futures_util::stream::unfold(pieces, move |pieces| {
        let clock = clock.clone();
        async move {
            let mut pieces = pieces?;
            let left = BODY_PATIENCE.saturating_sub(begun.elapsed());
            match clock.within(left, pieces.next()).await {
                Some(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
                Some(Some(Err(error))) => Some((Err(error), None)),
                Some(None) => None,
                None => Some((Err(axum::Error::new(late())), None)),
            }
        }
    }))
}

/// For the log: the query may carry a login's code, and the path of a file or a link is as good as
/// what it leads to.
fn shown(uri: &Uri) -> &str {
    let secret = LINKS.iter().chain([&FILES]).find(|begin| uri.path().starts_with(**begin));
    secret.copied().unwrap_or(uri.path())
}

fn given_id(request: &Request) -> Option<String> {
    let given = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let usable = (1..=REQUEST_ID_CHARS_MAX).contains(&given.len()) && given.chars().all(fine);
    usable.then(|| given.to_owned())
}

fn fresh_id(entropy: &Entropy) -> String {
    format!("{:016x}", u64::from_be_bytes(entropy.bytes()))
}

fn render(mut response: Response, id: &str) -> Response {
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        let mut rendered = refused.render(id);
        // Such as `Allow`, which the router adds.
        for (name, value) in response.headers() {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                rendered.headers_mut().insert(name, value.clone());
            }
        }
        return rendered;
    }
    let told = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind == PROBLEM_JSON || kind.as_bytes().starts_with(b"text/html") || kind == JSON
    });
    match response.status() {
        // Said by a library, in words of its own.
        status if status.is_client_error() && !told => {
            Refused::new(Code::BadRequest, "The request cannot be read.", "Check its form.")
                .with_status(status)
                .render(id)
        }
        _ => response,
    }
}

const JSON: &str = "application/json";

fn finish(mut response: Response, id: &str, is_secure: bool) -> Response {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in STRICT {
        // A page says itself what it needs.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_secure {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

/// What a browser may do with any of our answers: show it, and nothing else.
const STRICT: [(HeaderName, &str); 8] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

async fn unknown_route(method: Method, uri: Uri) -> Refused {
    Refused::new(
        Code::NotFound,
        format!("There is no {method} {}.", shown(&uri)),
        "All routes are described in /openapi.json.",
    )
    .at("path")
}

async fn wrong_method(method: Method, uri: Uri) -> Refused {
    Refused::new(
        Code::MethodNotAllowed,
        format!("{} does not take {method}.", shown(&uri)),
        "Use one of the methods in the header `Allow`.",
    )
    .at("method")
}

fn took_too_long() -> Refused {
    Refused::new(
        Code::TimedOut,
        format!("The request was not done after {} seconds.", PATIENCE.as_secs()),
        "It may still take effect. Look before you repeat it, or repeat it with the same \
         `Idempotency-Key`.",
    )
    .with_status(StatusCode::GATEWAY_TIMEOUT)
}

/// The panic's own words went to the standard error stream by way of the panic hook.
fn panicked(method: &Method, uri: &Uri) -> Refused {
    Refused::new(Code::Internal, format!("{method} {} panicked", shown(uri)), "")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::{get, post};
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
        sync::watch,
    };

    use crate::api::trial::{Told, exchange};

    use super::*;

    async fn ask(method: &str, path: &str, headers: &str) -> Told {
        let routes = Router::new()
            .route("/fine", get(|| async { "fine" }))
            .route("/bug", get(bug))
            .route("/foreign", post(|| async { StatusCode::NOT_ACCEPTABLE }));
        let router = guard(routes, None, Clock::wall(), Entropy::seeded(1), false);
        exchange(router, &format!("{method} {path} HTTP/1.1\r\n{headers}"), "").await
    }

    async fn bug() -> &'static str {
        panic!("a bug on purpose")
    }

    #[tokio::test]
    async fn every_refusal_is_a_problem_with_a_code_and_a_remedy() {
        for (method, path, status, code) in [
            ("GET", "/nowhere", 404, "not-found"),
            ("DELETE", "/fine", 405, "method-not-allowed"),
            ("GET", "/bug", 500, "internal"),
            ("POST", "/foreign", 406, "bad-request"),
        ] {
            let told = ask(method, path, "").await;
            assert_eq!((told.status, told.json["code"].as_str()), (status, Some(code)), "{path}");
            assert!(told.head.contains("content-type: application/problem+json"), "{}", told.head);
            for field in ["type", "title", "detail", "remedy", "request_id"] {
                assert!(told.json[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
            }
        }
    }

    #[tokio::test]
    async fn wrong_method_names_the_right_ones() {
        let told = ask("DELETE", "/fine", "").await;
        assert!(told.head.contains("allow: get"), "{}", told.head);
    }

    #[test]
    fn token_in_the_path_of_a_file_is_not_shown() {
        for (uri, expected) in [
            ("/files/c2VjcmV0/med_1.png", "/files/"),
            ("/files/", "/files/"),
            ("/invitations/c2VjcmV0", "/invitations/"),
            ("/setup/c2VjcmV0", "/setup/"),
            ("/reset/c2VjcmV0", "/reset/"),
            ("/api/v1/media?name=a", "/api/v1/media"),
        ] {
            assert_eq!(shown(&Uri::from_static(uri)), expected);
        }
    }

    #[tokio::test]
    async fn request_id_is_taken_over_if_it_is_harmless() {
        let told = ask("GET", "/fine", "x-request-id: mine-1\r\n").await;
        assert!(told.head.contains("x-request-id: mine-1"), "{}", told.head);
        let told = ask("GET", "/nowhere", "x-request-id: <script>\r\n").await;
        assert!(!told.head.contains("script"), "{}", told.head);
        let id = told.json["request_id"].as_str().unwrap();
        assert!(told.head.contains(&format!("x-request-id: {id}")), "{}", told.head);
    }

    #[tokio::test]
    async fn every_answer_lets_a_browser_do_nothing_but_show_it() {
        for is_secure in [false, true] {
            for path in ["/fine", "/nowhere"] {
                let routes = Router::new().route("/fine", get(|| async { "fine" }));
                let router = guard(routes, None, Clock::wall(), Entropy::seeded(1), is_secure);
                let told = exchange(router, &format!("GET {path} HTTP/1.1\r\n"), "").await;
                for (name, value) in STRICT {
                    let line = format!("{name}: {value}\r\n").to_lowercase();
                    assert!(told.head.contains(&line), "{path} {line} {}", told.head);
                }
                assert_eq!(told.head.contains("strict-transport-security: "), is_secure, "{path}");
            }
        }
    }

    #[tokio::test]
    async fn change_goes_on_to_its_end_when_the_caller_hangs_up() {
        #[derive(Clone, Copy, PartialEq)]
        enum At {
            Door,
            Commit,
            CallerGone,
            End,
        }
        let (stage, mut seen) = watch::channel(At::Door);
        let inside = stage.clone();
        let change = || async move {
            let mut stages = inside.subscribe();
            inside.send_replace(At::Commit);
            let _ = stages.wait_for(|stage| *stage == At::CallerGone).await;
            inside.send_replace(At::End);
        };
        let routes = Router::new().route("/change", post(change));
        let router = guard(routes, None, Clock::wall(), Entropy::seeded(1), false);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        let request = b"POST /change HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n";
        caller.write_all(request).await.unwrap();
        seen.wait_for(|stage| *stage == At::Commit).await.unwrap();
        drop(caller);
        // Time for the server to notice.
        ask("GET", "/fine", "").await;
        stage.send_replace(At::CallerGone);
        let ended = seen.wait_for(|stage| *stage == At::End);
        assert!(tokio::time::timeout(Duration::from_secs(5), ended).await.is_ok());
        server.abort();
    }
}
