//! The client against a server that misbehaves in every way that matters.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;
use crate::{
    clock::Clock,
    connectors::{Auth, Body, ByteRange, FilePart, Method, Repeat, Reply, Request},
    domain::mortality::Mortality,
};

pub(super) mod stub;

use stub::{Act, Server, ok, says};

fn client(settings: Settings) -> Client {
    Client::new(settings, Clock::wall(), Mortality::default())
}

fn secrets() -> Secrets {
    Secrets { access: Some(Secret::new("sesame-open")), ..Secrets::default() }
}

fn post(url: String) -> Request {
    Request::post(url, Body::Json(json!({ "text": "hello" })), Repeat::Duplicates)
}

async fn send(client: &Client, request: &Request) -> Result<Reply, Error> {
    client.send(request, &secrets(), &Files::new()).await
}

fn is_not_sent(result: &Result<Reply, Error>) -> bool {
    matches!(result, Err(Error::NotSent { .. }))
}

fn is_unanswered(result: &Result<Reply, Error>) -> bool {
    matches!(result, Err(Error::Unanswered { .. }))
}

#[tokio::test]
async fn answer_has_lower_case_headers_and_json_where_it_is_json() {
    let server = Server::start(|request| {
        Act::Say(if request.starts_with("GET /text") {
            says("404 Not Found", "Content-Type: text/plain\r\n", " no sesame-open here ")
        } else if request.starts_with("GET /image") {
            says("200 OK", "Content-Type: image/png\r\n", "xyz")
        } else {
            says("202 Accepted", "X-RateLimit-Reset: 7\r\n", r#"{"id":1}"#)
        })
    })
    .await;
    let client = server.client();
    let reply = send(&client, &post(server.url("/"))).await.unwrap();
    assert_eq!((reply.status, &reply.body), (202, &json!({ "id": 1 })));
    assert_eq!(reply.header("x-ratelimit-reset"), Some("7"));
    let reply = send(&client, &Request::get(server.url("/text"))).await.unwrap();
    assert_eq!((reply.status, &reply.body), (404, &json!("no [secret] here")));
    let reply = send(&client, &Request::get(server.url("/image"))).await.unwrap();
    assert_eq!(reply.body, Value::Null);

    let heard = server.heard();
    assert!(heard[0].contains("authorization: Bearer sesame-open\r\n"));
    assert!(heard[0].contains("content-type: application/json\r\n"));
    assert!(heard[0].ends_with(r#"{"text":"hello"}"#));
    assert!(heard[0].contains("user-agent: Fanfare/"));
}

#[tokio::test]
async fn refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let settings =
        Settings { allowed_origins: vec![Url::parse(&url).unwrap()], ..Settings::standard() };
    let sent = send(&client(settings), &post(url)).await;
    assert!(is_not_sent(&sent), "{sent:?}");
}

#[tokio::test]
async fn name_that_does_not_exist_and_url_that_is_none_are_not_sent() {
    let client = client(Settings::standard());
    for url in ["https://nobody.invalid/", "/no/host", "", "https://", "mailto:me@example.com"] {
        let sent = send(&client, &post(url.to_owned())).await;
        assert!(is_not_sent(&sent), "{url}: {sent:?}");
    }
}

#[tokio::test]
async fn failed_tls_handshake_is_not_sent() {
    let server = Server::start(|_| Act::Close).await;
    let url = server.url("/").replace("http:", "https:");
    let settings =
        Settings { allowed_origins: vec![Url::parse(&url).unwrap()], ..server.settings() };
    // The server waits for the end of a head, and the client for an answer in TLS.
    let settings = Settings { connect: Duration::from_millis(300), ..settings };
    let sent = send(&client(settings), &post(url)).await;
    assert!(is_not_sent(&sent), "{sent:?}");
    assert!(server.heard().is_empty());
}

#[tokio::test]
async fn server_that_reads_and_closes_leaves_the_request_unanswered() {
    let server = Server::start(|_| Act::Close).await;
    let sent = send(&server.client(), &post(server.url("/"))).await;
    assert!(is_unanswered(&sent), "{sent:?}");
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn server_that_is_slow_leaves_the_request_unanswered() {
    let server = Server::start(|_| Act::Hang).await;
    let settings = Settings { total: Duration::from_millis(200), ..server.settings() };
    let sent = send(&client(settings), &post(server.url("/"))).await;
    assert!(is_unanswered(&sent), "{sent:?}");
}

#[tokio::test]
async fn answer_that_breaks_off_is_unanswered() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned();
    let server = Server::start(move |_| Act::SayAndClose(cut.clone())).await;
    let sent = send(&server.client(), &post(server.url("/"))).await;
    assert!(is_unanswered(&sent), "{sent:?}");
}

#[tokio::test]
async fn answer_that_is_too_large_is_cut_off_whether_announced_or_not() {
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned();
    let server = Server::start(move |request| match request.starts_with("POST /announced") {
        true => Act::Say(announced.clone()),
        false => Act::SayForever(format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
            chunk.repeat(4)
        )),
    })
    .await;
    let settings = Settings { reply_bytes_max: 100_000, ..server.settings() };
    let client = client(settings);
    for path in ["/announced", "/endless"] {
        let sent = send(&client, &post(server.url(path))).await;
        assert!(
            matches!(&sent, Err(Error::Unanswered { reason }) if reason.contains("larger")),
            "{sent:?}"
        );
    }
}

#[tokio::test]
async fn redirected_post_is_not_followed() {
    let server =
        Server::start(|_| Act::Say(says("307 Temporary Redirect", "location: /b\r\n", ""))).await;
    let reply = send(&server.client(), &post(server.url("/a"))).await.unwrap();
    assert_eq!(reply.status, 307);
    assert_eq!(server.heard().len(), 1);
}

#[tokio::test]
async fn redirected_get_is_followed_three_times_and_no_more() {
    let server = Server::start(|request| {
        let hops: u32 = request["GET /".len()..][..1].parse().unwrap();
        Act::Say(match hops {
            0 => ok("{}"),
            _ => says("302 Found", &format!("location: /{}\r\n", hops - 1), ""),
        })
    })
    .await;
    let client = server.client();
    assert_eq!(send(&client, &Request::get(server.url("/3"))).await.unwrap().status, 200);
    assert!(is_unanswered(&send(&client, &Request::get(server.url("/4"))).await));
    assert_eq!(server.heard().len(), 8);
}

#[tokio::test]
async fn redirect_to_a_private_address_is_refused() {
    let inner = Server::start(|_| Act::Say(ok("{}"))).await;
    let port = inner.port;
    let outer = Server::start(move |request| {
        let scheme_and_host = match &request[.."GET /a".len()] {
            "GET /a" => "http://127.0.0.1",
            "GET /b" => "https://127.0.0.1",
            "GET /c" => "https://[::ffff:127.0.0.1]",
            _ => "https://localhost",
        };
        let location = format!("location: {scheme_and_host}:{port}/\r\n");
        Act::Say(says("302 Found", &location, ""))
    })
    .await;
    let client = outer.client();
    for path in ["/a", "/b", "/c", "/d"] {
        let sent = send(&client, &Request::get(outer.url(path))).await;
        assert!(is_unanswered(&sent), "{path}: {sent:?}");
    }
    assert_eq!(inner.connections.load(SeqCst), 0);
}

#[tokio::test]
async fn token_is_not_taken_along_to_another_origin() {
    let other = Server::start(|_| Act::Say(ok("{}"))).await;
    let target = other.url("/there");
    let server = Server::start(move |request| {
        let location = match request.starts_with("GET /far") {
            true => target.clone(),
            false => "/far".to_owned(),
        };
        Act::Say(says("302 Found", &format!("location: {location}\r\n"), ""))
    })
    .await;
    let mut settings = server.settings();
    settings.allowed_origins.extend(other.settings().allowed_origins);
    send(&client(settings), &Request::get(server.url("/near"))).await.unwrap();
    assert!(server.heard().iter().all(|request| request.contains("sesame")));
    assert_eq!(other.heard().len(), 1);
    assert!(!other.heard()[0].contains("sesame"));
}

#[tokio::test]
async fn private_addresses_are_refused_by_name_and_by_number() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    let client = client(Settings::standard());
    for host in ["localhost", "127.0.0.1", "127.1", "[::1]", "0x7f.1", "2130706433"] {
        for scheme in ["http", "https"] {
            let sent = send(&client, &post(format!("{scheme}://{host}:{}/", server.port))).await;
            let Err(Error::NotSent { reason, .. }) = &sent else { panic!("{host}: {sent:?}") };
            let expected = if scheme == "http" { "plain" } else { "private" };
            assert!(reason.contains(expected), "{host}: {reason}");
        }
    }
    assert_eq!(server.connections.load(SeqCst), 0);
}

#[tokio::test]
async fn breaker_opens_for_one_host_and_tries_again_later() {
    let server = Server::start(|request| match request.starts_with("GET") {
        true => Act::Say(ok("{}")),
        false => Act::Say(says("503 Service Unavailable", "", "")),
    })
    .await;
    let clock = Clock::scaled(1);
    let client = Client::new(server.settings(), clock.clone(), Mortality::default());
    for _ in 0..breaker::FAILURES_MAX {
        assert_eq!(send(&client, &post(server.url("/"))).await.unwrap().status, 503);
    }
    let sent = send(&client, &post(server.url("/"))).await;
    let Err(Error::NotSent { until: Some(until), .. }) = sent else { panic!("{sent:?}") };
    assert!(until.remaining(clock.now()) <= breaker::WAIT_FIRST);
    assert_eq!(server.heard().len(), 5);

    clock.turn(30_000);
    assert_eq!(send(&client, &Request::get(server.url("/"))).await.unwrap().status, 200);
    assert_eq!(send(&client, &post(server.url("/"))).await.unwrap().status, 503);
}

#[tokio::test]
async fn refusals_of_the_platform_leave_the_breaker_closed() {
    for status in ["400 Bad Request", "429 Too Many Requests", "500 Internal Server Error"] {
        let server = Server::start(move |_| Act::Say(says(status, "", ""))).await;
        let client = server.client();
        for _ in 0..=breaker::FAILURES_MAX {
            assert!(send(&client, &post(server.url("/"))).await.is_ok(), "{status}");
        }
    }
}

#[tokio::test]
async fn herd_reuses_connections_and_stays_under_the_cap() {
    let answer = || Act::SayAfter(Duration::from_millis(5), ok("{}"));
    let server = Server::start(move |_| answer()).await;
    let client = client(Settings { calls_max: 8, ..server.settings() });
    let request = post(server.url("/"));
    let sent = join_all((0..100).map(|_| send(&client, &request))).await;
    assert!(sent.iter().all(Result::is_ok));
    assert_eq!(server.heard().len(), 100);
    assert!(server.in_flight_max.load(SeqCst) <= 8);
    // A connection is handed back a moment after its answer, so a few more than 8 are made.
    assert!(server.connections.load(SeqCst) <= 24, "{}", server.connections.load(SeqCst));
}

#[tokio::test]
async fn waiting_too_long_for_a_place_is_not_sent() {
    let server = Server::start(|_| Act::Hang).await;
    let queue = Duration::from_millis(50);
    let settings = Settings { calls_max: 1, queue, ..server.settings() };
    let client = client(Settings { total: Duration::from_millis(400), ..settings });
    let request = post(server.url("/"));
    let (first, second) = tokio::join!(send(&client, &request), send(&client, &request));
    assert!(is_unanswered(&first) && is_not_sent(&second), "{first:?} {second:?}");
    assert_eq!(server.heard().len(), 1);
}

/// A file of 100,000 bytes, each telling its place.
fn file(directory: &tempfile::TempDir) -> (MediaId, Files, String) {
    let text: String = ('a'..='z').cycle().take(100_000).collect();
    let path = directory.path().join("film.mp4");
    std::fs::write(&path, &text).unwrap();
    (MediaId(7), Files::from([(MediaId(7), (path, 100_000))]), text)
}

fn upload(server: &Server, media: MediaId, range: Option<ByteRange>) -> Request {
    let body = Body::File { media, range, content_type: "video/mp4".to_owned() };
    Request::post(server.url("/upload"), body, Repeat::Harmless)
}

#[tokio::test]
async fn hanging_uploads_leave_calls_alone() {
    let server = Server::start(|request| match request.starts_with("POST /upload") {
        true => Act::Hang,
        false => Act::Say(ok("{}")),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let (media, files, _) = file(&directory);
    let client = client(Settings { calls_max: 2, uploads_max: 2, ..server.settings() });
    let uploads: Vec<_> = (0..10)
        .map(|_| {
            let (client, files) = (client.clone(), files.clone());
            let request = upload(&server, media, None);
            tokio::spawn(async move { client.send(&request, &secrets(), &files).await })
        })
        .collect();
    for _ in 0..20 {
        assert!(send(&client, &post(server.url("/call"))).await.is_ok());
    }
    assert!(uploads.iter().all(|upload| !upload.is_finished()));
    uploads.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn file_leaves_with_its_length_whole_or_in_ranges() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    let directory = tempfile::tempdir().unwrap();
    let (media, files, text) = file(&directory);
    let client = server.client();
    for (start, end) in [(0, 100_000), (65_535, 65_537), (99_999, 100_000), (5, 5)] {
        let request = upload(&server, media, Some(ByteRange { start: start as u64, end }));
        client.send(&request, &secrets(), &files).await.unwrap();
        let heard = server.heard().pop().unwrap();
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", end - start as u64)), "{head}");
        assert!(head.contains("content-type: video/mp4") && !head.contains("chunked"), "{head}");
        assert_eq!(body, &text[start..usize::try_from(end).unwrap()]);
    }
}

#[tokio::test]
async fn form_with_a_file_leaves_with_its_length() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    let directory = tempfile::tempdir().unwrap();
    let (media, files, text) = file(&directory);
    let part = FilePart {
        field: "file".to_owned(),
        cipher: None,
        media,
        range: Some(ByteRange { start: 26, end: 52 }),
        file_name: "film.mp4".to_owned(),
        content_type: "video/mp4".to_owned(),
    };
    let fields = vec![("description".to_owned(), "A film".to_owned())];
    let body = Body::Multipart { fields, files: vec![part] };
    let request = Request::post(server.url("/"), body, Repeat::Harmless);
    server.client().send(&request, &secrets(), &files).await.unwrap();
    let heard = server.heard().pop().unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(head.contains("content-type: multipart/form-data; boundary="), "{head}");
    assert!(body.contains("name=\"description\"\r\n\r\nA film\r\n"), "{body}");
    assert!(body.contains("name=\"file\"; filename=\"film.mp4\"\r\nContent-Type: video/mp4"));
    assert!(body.contains(&format!("\r\n\r\n{}\r\n--", &text[26..52])), "{body}");
}

#[tokio::test]
async fn file_that_is_missing_or_not_as_stored_is_not_sent() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    let directory = tempfile::tempdir().unwrap();
    let (media, mut files, _) = file(&directory);
    let client = server.client();
    let beyond = upload(&server, media, Some(ByteRange { start: 0, end: 100_001 }));
    assert!(is_not_sent(&client.send(&beyond, &secrets(), &files).await));
    let unknown = upload(&server, MediaId(8), None);
    assert!(is_not_sent(&client.send(&unknown, &secrets(), &files).await));
    let whole = upload(&server, media, None);
    files.get_mut(&media).unwrap().1 = 99_999;
    assert!(is_not_sent(&client.send(&whole, &secrets(), &files).await));
    files.get_mut(&media).unwrap().0 = directory.path().join("none");
    assert!(is_not_sent(&client.send(&whole, &secrets(), &files).await));
    assert_eq!(server.connections.load(SeqCst), 0);
}

#[tokio::test]
async fn empty_post_says_that_it_is_empty() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    for method in [Method::Post, Method::Put, Method::Delete, Method::Get] {
        let request = Request { method, ..Request::get(server.url("/")) };
        send(&server.client(), &request).await.unwrap();
        let says_so = server.heard().pop().unwrap().contains("content-length: 0\r\n");
        assert_eq!(says_so, matches!(method, Method::Post | Method::Put));
    }
}

#[tokio::test]
async fn post_on_a_connection_that_the_server_closed_arrives_once() {
    // The answer promises that the connection stays, and then it does not.
    let server = Server::start(|_| Act::SayAndClose(ok("{}"))).await;
    let client = server.client();
    let mut answered = 0;
    for n in 0_usize..100 {
        let mut request = post(server.url("/"));
        request.body = Body::Json(json!({ "number": n }));
        match send(&client, &request).await {
            Ok(_) => answered += 1,
            Err(Error::Unanswered { .. }) => {}
            Err(error @ Error::NotSent { .. }) => panic!("{error}"),
        }
        if n % 2 == 0 {
            Clock::wall().sleep(Duration::from_millis(1)).await;
        }
    }
    let heard = server.heard();
    for n in 0..100 {
        let end = format!("{{\"number\":{n}}}");
        assert!(heard.iter().filter(|request| request.ends_with(&end)).count() <= 1);
    }
    assert!(heard.len() >= answered && answered >= 50, "{answered} of {}", heard.len());
}

#[tokio::test]
async fn post_that_a_kept_connection_swallows_is_not_sent_again() {
    let server = Server::start(|request| match request.starts_with("GET") {
        true => Act::Say(ok("{}")),
        false => Act::Close,
    })
    .await;
    let client = server.client();
    for round in 1..=4 {
        send(&client, &Request::get(server.url("/"))).await.unwrap();
        let sent = send(&client, &post(server.url("/"))).await;
        assert!(is_unanswered(&sent), "{sent:?}");
        assert_eq!(server.heard().len(), 2 * round);
        assert_eq!(server.connections.load(SeqCst), round);
    }
}

#[tokio::test]
async fn last_send_reaches_the_server_and_nobody_hears_of_it() {
    let server = Server::start(|_| Act::Say(ok("{}"))).await;
    let mortality = Mortality::mortal();
    mortality.die_at_send(2);
    let client = Client::new(server.settings(), Clock::wall(), mortality.clone());
    let request = post(server.url("/"));
    assert!(send(&client, &request).await.is_ok());
    assert!(is_unanswered(&send(&client, &request).await));
    assert!(mortality.is_dead());
    assert!(is_not_sent(&send(&client, &request).await));
    assert_eq!(server.heard().len(), 2);
}

#[tokio::test]
async fn no_error_shows_a_secret_or_the_address_asked_for() {
    let server = Server::start(|_| Act::Close).await;
    let client = client(Settings { connect: Duration::from_millis(200), ..server.settings() });
    let mut request = post(server.url("/hidden-path?key=hidden-value"));
    let mut errors = vec![send(&client, &request).await.unwrap_err()];
    for url in [
        "http://127.0.0.1:1/hidden-path",
        "https://me:hidden-word@example.com/hidden-path",
        "https://nobody.invalid/hidden-path?key=hidden-value",
        "hidden-nonsense",
    ] {
        request.url = url.to_owned();
        errors.push(send(&client, &request).await.unwrap_err());
    }
    request.auth = Auth::Refresh;
    errors.push(send(&client, &request).await.unwrap_err());
    for error in errors {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("sesame") && !shown.contains("hidden"), "{shown}");
    }
    assert!(!format!("{:?}", secrets()).contains("sesame"));
}

#[test]
fn a_password_that_is_sent_with_a_name_is_taken_out_by_itself_too() {
    let access = Some(Secret::new("YWRhOmFiY2RFRkdIMTIzNA=="));
    let secrets = Secrets { access, ..Secrets::default() };
    let told = secrets.redact("abcdEFGH1234 of ada, or YWRhOmFiY2RFRkdIMTIzNA==, is wrong");
    assert_eq!(told, "[secret] of ada, or [secret], is wrong");
}
