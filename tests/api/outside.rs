//! What strangers can do from outside: hold connections, pretend to come from elsewhere, make us
//! reach where they cannot, send what is not what it is called, and write into our pages.

use std::{net::SocketAddr, time::Duration};

use fanfare::{
    api::{self, Gate, Proxies},
    clock::Clock,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use crate::{
    keys::operations,
    world::{Outfit, Told, World, told},
};

const SOON: Duration = Duration::from_secs(10);

/// A server of two routes behind a gate; ends when what is returned with it is dropped.
async fn gated(gate: Gate) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let large = || async { vec![b'a'; 64 << 20] };
    let slow = || async {
        sleep(Duration::from_millis(300)).await;
        "done"
    };
    let router = axum::Router::new()
        .route("/", axum::routing::get(|| async { "fine" }))
        .route("/slow", axum::routing::get(slow))
        .route("/large", axum::routing::get(large));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stopping, asked) = watch::channel(false);
    let serving = tokio::spawn(api::serve(listener, router, gate, Clock::wall(), asked));
    (address, stopping, serving)
}

fn short() -> Gate {
    Gate {
        connections: 2,
        first_request: Duration::from_millis(400),
        idle: Duration::from_millis(800),
        stalled: Duration::from_millis(400),
    }
}

async fn say(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let bytes = timeout(SOON, stream.read(&mut answer)).await.expect("answered").unwrap();
    String::from_utf8(answer[..bytes].to_vec()).unwrap()
}

/// The server has closed it.
async fn closes(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(SOON, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_no_whole_request_loses_the_connection() {
    let (address, _stopping, _serving) = gated(short()).await;
    for begun in ["", "GET", "GET / HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert!(closes(&mut stream).await, "{begun}");
    }
    // Letter by letter, which is never silent.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let dripping = async {
        for letter in "GET / HTTP/1.1\r\nhost: x\r\nx-slow: aaaaaaaaaaaaaaaaaaaaaaaa".bytes() {
            if stream.write_all(&[letter]).await.is_err() {
                return true;
            }
            sleep(Duration::from_millis(50)).await;
        }
        false
    };
    let is_cut = dripping.await || closes(&mut stream).await;
    assert!(is_cut);
}

/// The body is waited for in the door, for twenty seconds; neither silence nor dripping holds the
/// connection beyond that.
#[tokio::test(flavor = "multi_thread")]
async fn who_sends_no_whole_body_loses_the_connection() {
    let world = World::new().await;
    let address = world.base.strip_prefix("http://").unwrap().to_owned();
    let head = "host: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{";
    let ended = ["silent", "dripping"].map(|way| {
        let address = address.clone();
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let begun = format!("POST /api/v1/session HTTP/1.1\r\n{head}");
            stream.write_all(begun.as_bytes()).await.unwrap();
            let (mut reading, mut writing) = stream.split();
            let dripping = async {
                while way == "dripping" && writing.write_all(b" ").await.is_ok() {
                    sleep(Duration::from_millis(500)).await;
                }
                std::future::pending::<()>().await;
            };
            let mut answer = Vec::new();
            let whole = timeout(Duration::from_secs(29), reading.read_to_end(&mut answer));
            tokio::select! {
                // Whether it is closed in order, or with what nobody reads any more.
                ended = whole => ended.is_ok(),
                () = dripping => false,
            }
        }
    });
    let [silent, dripping] = ended;
    assert_eq!(tokio::join!(silent, dripping), (true, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_that_is_used_stays_and_one_that_idles_goes() {
    let (address, _stopping, _serving) = gated(short()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..4 {
        assert!(say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("fine"));
        sleep(Duration::from_millis(200)).await;
    }
    assert!(closes(&mut stream).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_nothing_of_an_answer_loses_the_connection_and_makes_room() {
    let (address, _stopping, _serving) = gated(short()).await;
    let mut hostages = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        hostages.push(stream);
    }
    // Beyond the limit one waits, and is not refused.
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert!(say(&mut stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.contains("fine"));
    drop(hostages);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_answers_what_runs_and_takes_no_more() {
    let (address, stopping, serving) = gated(short()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(100)).await;
    stopping.send_replace(true);
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    timeout(SOON, serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Where the audit says that the last act came from.
async fn last_origin(world: &World) -> Value {
    let told = world.get("/audit?limit=1000").await;
    let last: Value = serde_json::from_str(told.body.lines().last().unwrap()).unwrap();
    last["from"].clone()
}

#[tokio::test]
async fn only_a_trusted_proxy_says_where_a_request_came_from() {
    for (trusted, expected) in [("127.0.0.1/32", "192.0.2.7"), ("10.0.0.0/8", "127.0.0.1")] {
        let trusted = vec![trusted.parse().unwrap()];
        let proxies = Proxies { trusted, ..Proxies::default() };
        let world = World::with(Outfit { proxies, ..Outfit::default() }).await;
        let request = world.request("POST", "/api/v1/pause");
        let paused = told(request.header("x-forwarded-for", "6.6.6.6, 192.0.2.7")).await;
        assert!(paused.status.is_success(), "{}", paused.body);
        assert_eq!(last_origin(&world).await, expected);
    }
}

#[tokio::test]
async fn wrong_passwords_slow_down_whom_the_proxy_names_and_nobody_else() {
    let proxies = Proxies { trusted: vec!["127.0.0.1/32".parse().unwrap()], ..Proxies::default() };
    let world = World::with(Outfit { proxies, ..Outfit::default() }).await;
    let attempt = async |from: &str, at: usize| {
        let body = json!({ "email": format!("nobody{at}@example.org"), "password": "a" });
        let request = world.bare("POST", "/api/v1/session").header("x-forwarded-for", from);
        told(request.json(&body)).await.status.as_u16()
    };
    let mut refused = 0;
    for at in 0..70 {
        // What it adds on the left changes nothing.
        let from = format!("198.51.100.{at}, 192.0.2.7");
        refused += u32::from(attempt(&from, at).await == 429);
    }
    assert!(refused >= 1);
    assert_eq!(attempt("192.0.2.8", 100).await, 401);
}

async fn asked_by_a_page(world: &World, method: &str, path: &str, origin: &str) -> Told {
    let request = world.bare(method, path).header("origin", origin);
    let request = match method {
        "OPTIONS" => request
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type"),
        _ => request.bearer_auth(&world.key),
    };
    told(request).await
}

#[tokio::test]
async fn pages_of_other_sites_may_ask_only_if_they_are_listed_and_never_with_a_cookie() {
    const LISTED: &str = "https://app.example.org";
    let listed = Outfit { cors_origins: vec![LISTED.to_owned()], ..Outfit::default() };
    let (closed, open) = (World::new().await, World::with(listed).await);
    let allowed = |told: &Told| told.headers.get("access-control-allow-origin").cloned();
    for (world, origin, path, expected) in [
        (&closed, LISTED, "/api/v1/posts", None),
        (&open, LISTED, "/api/v1/posts", Some(LISTED)),
        (&open, LISTED, "/openapi.json", Some(LISTED)),
        (&open, "https://app.example.org.evil.example", "/api/v1/posts", None),
        (&open, "http://app.example.org", "/api/v1/posts", None),
        (&open, "null", "/api/v1/posts", None),
        // Pages, and what a link opens, are nobody else's.
        (&open, LISTED, "/oauth/x/callback", None),
        (&open, LISTED, "/setup/abc", None),
    ] {
        for method in ["OPTIONS", "GET"] {
            let answer = asked_by_a_page(world, method, path, origin).await;
            let expected = expected.map(str::to_owned);
            assert_eq!(allowed(&answer), expected, "{method} {path} {origin}");
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        }
    }
    // Where none is listed there is no such method.
    assert_eq!(asked_by_a_page(&closed, "OPTIONS", "/api/v1/posts", LISTED).await.status, 405);
    // A refusal can be read by the page, too.
    let refused = asked_by_a_page(&open, "DELETE", "/api/v1/posts", LISTED).await;
    assert_eq!((refused.status.as_u16(), allowed(&refused).as_deref()), (405, Some(LISTED)));
}

/// Everything that people name and Fanfare then reaches, or would.
#[tokio::test]
async fn no_address_that_a_person_gives_leads_inside() {
    let world = World::new().await;
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = inside.local_addr().unwrap().port();
    let hosts = [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("0x7f.1:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        "169.254.169.254".to_owned(),
        "10.0.0.1".to_owned(),
    ];
    let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let word = "abcd EFGH 1234 ijkl MNOP 5678";
    for host in &hosts {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{host}");
            for body in [
                json!({ "platform": "mastodon", "server": url }),
                json!({ "platform": "bluesky", "server": url, "identifier": "a.test",
                    "password": "abcd-efgh-ijkl-mnop" }),
                json!({ "platform": "wordpress", "server": url, "identifier": "ada",
                    "password": word }),
                json!({ "platform": "webhook", "identifier": url, "password": secret }),
                json!({ "platform": "slack", "login": "webhook", "password": url }),
                json!({ "platform": "discord", "login": "webhook", "password": url }),
            ] {
                let answer = world.post("/accounts/connect", &body).await;
                let status = answer.status.as_u16();
                assert!([400, 422, 424].contains(&status), "{body}: {status} {}", answer.body);
            }
        }
    }
    assert!(timeout(Duration::from_millis(200), inside.accept()).await.is_err(), "reached");
    assert_eq!(world.get("/accounts").await.json["items"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_not_what_it_is_called_is_refused_or_called_what_it_is() {
    let world = World::new().await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    for (name, content, mime) in [
        ("a.jpg", &b"<!doctype html><script>alert(1)</script>"[..], None),
        ("a.png", b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>", None),
        ("a.gif", b"#!/bin/sh\necho", None),
        ("a.mp4", b"MZ\x90\0\x03\0\0\0", None),
        ("a.html", png, Some("image/png")),
    ] {
        let upload = world.request("POST", &format!("/api/v1/media?name={name}"));
        let answer = told(upload.body(content.to_vec())).await;
        match mime {
            None => {
                assert_eq!(answer.status, 422, "{name}: {}", answer.body);
                assert!(!answer.body.contains("<script"), "{}", answer.body);
            }
            Some(mime) => assert_eq!(answer.text("/mime"), mime, "{}", answer.body),
        }
    }
}

#[tokio::test]
async fn whatever_a_stranger_writes_is_text_on_our_pages() {
    let world = World::new().await;
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    let coded: String = url::form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
    for path in [
        format!("/oauth/mastodon/callback?state={coded}&error={coded}&error_description={coded}"),
        format!("/oauth/{coded}/callback?state=a&code=b"),
        format!("/oauth/mastodon/callback?state={coded}&code={coded}"),
        format!("/setup/{coded}"),
        format!("/reset/{coded}"),
        format!("/invitations/{coded}"),
    ] {
        let page = told(world.bare("GET", &path).header("accept", "text/html")).await;
        let is_page = page.headers["content-type"].starts_with("text/html");
        assert!(!is_page || !page.body.contains("<script>"), "{path}: {}", page.body);
        assert!(!is_page || !page.body.contains("<img"), "{path}: {}", page.body);
        let policy = &page.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    // And what somebody with a name of that kind is invited to.
    let made = world.post("/organizations", &json!({ "name": EVIL })).await;
    let asked = json!({ "email": "b@example.org", "role": "viewer" });
    let invited = world.ask(&made.text("/key"), "POST", "/api/v1/invitations", &asked).await;
    let link = invited.text("/link");
    let page = told(world.bare("GET", &link)).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.contains("<script>") && !page.body.contains("<img"), "{}", page.body);
}

/// But where a protocol or a platform leaves no other way: the code that OAuth sends back, links
/// that are the secret themselves, and files that a platform fetches without a header of ours.
#[test]
fn no_secret_travels_in_an_address_of_ours() {
    const KNOWN: &[(&str, &str)] = &[
        ("/files/{token}/{name}", "token"),
        ("/invitations/{token}", "token"),
        ("/oauth/mastodon/callback", "code"),
        ("/login/oidc/callback", "code"),
        ("/reset/{token}", "token"),
        ("/setup/{token}", "token"),
    ];
    const SECRETS: &[&str] =
        &["token", "secret", "password", "key", "code", "csrf", "verifier", "credential"];
    for (_, path, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let place = parameter["in"].as_str().unwrap();
            let is_secret = SECRETS.iter().any(|secret| name.to_lowercase().contains(secret));
            if is_secret && ["path", "query"].contains(&place) {
                assert!(KNOWN.contains(&(path.as_str(), name)), "{path} has {name} in its {place}");
            }
        }
    }
}
